//! Tests of `src/judge`; tests/README.md says what each file promises.

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod cases;
    pub mod feed;
    pub mod runtimes;
    pub mod samples;
    pub mod tiles;
    pub use cases::*;
    pub use samples::*;
}

mod depth;
mod enclosure;
mod graph;
mod plain;
mod runtimes;
