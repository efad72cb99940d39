//! Promise: measures are what their definitions say, bounds are on the right side of the exact number, and networks that
//! a theory does not speak of get an answer.

mod outward;
