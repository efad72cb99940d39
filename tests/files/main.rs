//! Tests of files of networks, and the commands that take them; tests/README.md says what each file promises.

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod binary;
    pub mod cases;
    pub mod damage;
    pub mod lines;
    pub mod onnx;
    pub mod place;
    pub mod program;
    pub mod python;
    pub mod skipped;
    pub mod verdicts;
    pub use cases::*;
    pub use place::repository;
}

mod commands;
mod export;
mod label_meaning;
mod network_check;
mod network_files;
mod network_limits;
mod network_runtimes;
mod onnx_external;
