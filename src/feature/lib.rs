//! Feature maps: from an image to a vector of numbers, in place of which a linear model or a kernel sees the image.
//!
//! A [`FeatureChoice`] says which (`none`, `gabor`, `random-conv:N`); [`FeatureMap::learn`] takes from training images
//! what the map needs. A map has many columns, often more than memory holds for all images: [`FeatureMap::block`]
//! computes any rows of any columns, so that inner products of features are summed block by block.
//!
//! ```
//! use shatter_feature::{FeatureMap, Images};
//! use shatter_sample::{Points, Values};
//! let points = Points::new(Values::U8((0..3 * 64).map(|i| (i * i % 251) as u8).collect()), vec![8, 8])?;
//! let images = Images::new(&points)?;
//! let map = FeatureMap::learn("random-conv:10,patch=3".parse()?, &images, 0)?;
//! assert_eq!(map.columns(), 2 * 4 * 10);
//! let mut features = vec![0.0f32; images.n() * map.columns()];
//! map.block(&images, 0..images.n(), 0..map.columns(), &mut features)?;
//! // The same numbers in pieces, but for rounding: another block may add in another order.
//! for columns in map.blocks(30) {
//!     let mut block = vec![0.0f32; columns.len()];
//!     map.block(&images, 1..2, columns.clone(), &mut block)?;
//!     for (x, y) in block.iter().zip(&features[map.columns()..][columns]) {
//!         assert!((x - y).abs() < 1e-5);
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
pub mod gabor;
mod images;
mod map;
pub mod random_conv;
mod text;
mod whitening;
mod windows;

pub use error::FeatureError;
pub use images::Images;
pub use map::FeatureMap;
pub use text::FeatureChoice;
pub use whitening::Whitening;
