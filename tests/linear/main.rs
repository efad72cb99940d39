//! Tests of `src/linear`; tests/README.md says what each file promises.

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod cases;
    pub use cases::*;
}

mod checkpoint;
mod cholesky;
