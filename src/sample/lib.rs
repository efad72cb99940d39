//! Samples: n points of R^d with labels, read from real formats or drawn.
//!
//! ```
//! use shatter_sample::{self as sample, LabelRule};
//! let raw = sample::load("gaussian:n=100,d=3", 1)?;
//! let sample = raw.distinct(LabelRule::Random, 1)?;
//! assert_eq!((sample.points.n(), sample.points.d()), (100, 3));
//! # Ok::<(), sample::SampleError>(())
//! ```

pub mod array;
pub mod cifar;
pub mod class_name;
mod columns;
mod decimal;
pub mod digits;
mod distinct;
mod error;
pub mod files;
pub mod fingerprint;
mod groups;
mod header;
pub mod idx;
pub mod image;
mod label_column;
mod labels;
pub mod npy;
#[cfg(feature = "npz")]
pub mod npz;
mod points;
mod relabel;
pub mod rows;
pub mod synthetic;
pub mod table;
pub mod target;
mod text;

pub use distinct::{Merged, Sample};
pub use error::SampleError;
pub use image::Shape;
pub use labels::Labels;
pub use points::{Base, Points, Scale, Values};
pub use relabel::{LabelRule, Recipe};
pub use target::Target;
pub use text::{RawSample, Spec, load};
