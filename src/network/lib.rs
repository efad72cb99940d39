//! Architectures as data, and explicit networks: their numbers, their counts, and what they compute,
//! in exact arithmetic, in compensated and in plain binary64.

pub mod activation;
pub mod architecture;
pub mod counts;
pub mod evaluate;
mod exact_sample;
pub mod exactly;
mod explicit;
pub mod float_exact;
pub mod graph;
pub mod layered;
mod predictor;
pub mod projection;
pub mod reading;
mod two_layer;

pub use activation::Activation;
pub use architecture::{Architecture, Mlp};
pub use counts::Counts;
pub use exact_sample::{ExactLabels, ExactPoints};
pub use explicit::Network;
pub use float_exact::FloatExactness;
pub use float_exact::layered::LayeredExactness;
pub use graph::Graph;
pub use layered::{Layered, Sizes, Unit};
pub use predictor::{Misfit, Predictor, first_misfit};
pub use reading::Reading;
pub use two_layer::{ExactNetwork, FloatNetwork, TwoLayer};
