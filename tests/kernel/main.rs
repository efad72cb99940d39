//! Tests of `src/kernel`; tests/README.md says what each file promises.

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod cases;
    pub use cases::*;
}

mod awkward;
mod certified;
mod exactly;
mod files;
mod fitted;
mod oracle;
