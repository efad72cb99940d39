//! Tests of the program at work; tests/README.md says what each file promises.

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod binary;
    pub mod cases;
    pub mod emulator;
    pub mod lines;
    pub mod place;
    pub mod program;
    pub mod python;
    pub mod skipped;
    pub use cases::*;
}

#[cfg(feature = "claims")]
mod claims;
mod float_exact;
mod format;
mod randomize;
mod real_data;
mod runs;
mod table1;
