//! Explicit networks: their numbers, their counts, and what they compute, in
//! exact arithmetic, in compensated and in plain binary64.

pub mod counts;
pub mod evaluate;
pub mod float_exact;
pub mod layered;
pub mod projection;
pub mod two_layer;

pub use counts::Counts;
pub use float_exact::FloatExactness;
pub use two_layer::{ExactNetwork, FloatNetwork, TwoLayer};
