//! Networks that leave the house, and networks that come in: ONNX, safetensors, NPZ, JSON.
//!
//! [`onnx`], [`tensors`], [`npz`] and [`json`] are the formats, [`mod@array`] and [`number`] what they hold; [`feed`] is a
//! network from elsewhere, evaluated and judged, [`certificate`] what is written of that, and [`claims`] how it is checked. [`python`] is a
//! page for users.

pub mod array;
pub mod certificate;
pub mod claims;
mod error;
pub mod feed;
pub mod json;
pub mod npz;
pub mod number;
pub mod onnx;
pub mod tensors;

pub use array::{Array, Part};
pub use error::InterchangeError;
pub use feed::FeedForward;
pub use number::{Converter, Numbers, Precision, Rounded};

#[doc = include_str!("PYTHON.md")]
pub mod python {}
