//! Promise: measures are what their definitions say, bounds are on the right side of the exact number, and networks
//! that a theory does not speak of get an answer.

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod cases;
    pub use cases::*;
}

mod awkward;
mod bounds;
mod contrast;
mod directed;
mod entropies;
mod kendall;
mod layers;
mod lengths;
mod margins;
mod networks;
mod norms;
mod outward;
mod pac_bayes;
mod rademacher;
mod sharpness;
mod stability;
