//! Tests of `src/train`; tests/README.md says what each file promises.

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod cases;
    pub mod layers;
    pub mod place;
    pub mod python;
    pub mod skipped;
    pub use cases::*;
    pub use place::repository;
}

mod checkpoints;
mod gradients;
mod records;
mod torch_steps;
