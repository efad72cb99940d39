//! From a sample to what a network is trained on: the six conditions of the paper's randomization tests,
//! preprocessing, and augmentation.

pub mod augment;
mod condition;
pub mod preprocess;
mod window;

pub use augment::{Augmentation, Draw};
pub use condition::{Condition, NotTrained};
pub use preprocess::{Prepared, Preprocess, prepare};
