//! Tests of `src/construct`; tests/README.md says what each file promises.

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod cases;
    pub mod oracle;
    pub mod promise;
    pub mod samples;
    pub use cases::*;
    pub use oracle::*;
    pub use promise::*;
    pub use samples::*;
}

mod catalogue;
mod general_position;
mod linear_systems;
mod projected;
mod section_six;
mod theorem;
