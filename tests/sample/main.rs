//! Tests of `src/sample`; tests/README.md says what each file promises.

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod cases;
    pub mod skipped;
    pub use cases::*;
}

mod readers;
mod rows;
mod streams;
