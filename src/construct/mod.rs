//! One file a theorem: a sample goes in, a network comes out.

pub mod depth_k;
pub mod depth_two;
pub mod direction;
pub mod error;
pub mod order;
pub mod threshold;
pub mod width_two;

pub use depth_two::{Fit, Options, Solver};
pub use direction::DirectionRule;
pub use error::ConstructError;
pub use threshold::ThresholdRule;
