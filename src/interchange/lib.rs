//! Networks that leave the house, and networks that come in: ONNX, safetensors, NPZ, JSON.
//!
//! [`onnx`], [`tensors`], [`npz`] and [`json`] are the formats, [`mod@array`] and [`number`] what they hold.
//! [`python`] is a page for users.

pub mod array;
mod error;
pub mod json;
pub mod load;
pub mod npz;
pub mod number;
pub mod onnx;
pub mod tensors;

pub use array::{ExactArray, NamedArray};
pub use error::InterchangeError;
pub use number::{Converter, Floats, Rounded};

#[doc = include_str!("PYTHON.md")]
pub mod python {}
