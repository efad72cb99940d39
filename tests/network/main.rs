//! Tests of `src/network`; tests/README.md says what each file promises.

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod cases;
    pub mod feed;
    pub mod oracle;
    pub mod samples;
    pub use cases::*;
    pub use oracle::*;
    pub use samples::*;
}

mod architecture;
mod float_exact;
mod forward;
mod layered_float_exact;
