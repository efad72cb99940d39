//! Tests of `src/interchange`; tests/README.md says what each file promises.

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod onnx;
    pub mod place;
    pub mod python;
    pub mod skipped;
}

mod onnx_nodes;
mod onnx_reading;
mod torch_modules;
