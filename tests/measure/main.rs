//! Promise: measures are what their definitions say, bounds are on the right side of the exact number, and networks that
//! a theory does not speak of get an answer.

mod awkward;
mod bounds;
mod directed;
mod layers;
mod lengths;
mod margins;
mod networks;
mod norms;
mod outward;
