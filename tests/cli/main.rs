//! Tests of the answers of the command line; tests/README.md says what each file promises.

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod binary;
    pub mod lines;
    pub mod program;
}

mod answers;
mod constructions;
mod json;
mod kernel;
mod linear;
mod measure;
