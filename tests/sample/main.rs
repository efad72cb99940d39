//! Tests of `src/sample`; tests/README.md says what each file promises.

#[path = "../common"]
mod common {
    pub mod cases;
    pub use cases::*;
}

mod readers;
mod streams;
