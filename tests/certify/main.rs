//! Tests of `src/certify`; tests/README.md says what each file promises.

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod cases;
    pub mod lines;
    pub mod place;
    pub mod samples;
    pub use cases::*;
    pub use place::repository;
    pub use samples::*;
}

mod layered;
mod mutants;
mod reader;
mod two_layer;
