//! Tests of `src/verify`; tests/README.md says what each file promises.

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod place;
    pub mod skipped;
    pub use place::repository;
}

mod lapack;
mod proofs;
