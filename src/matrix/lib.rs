//! Products and transposes of matrices, and loops, at the speed of the processor.

pub mod product;
pub mod transpose;
pub mod vectors;
