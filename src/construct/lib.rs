//! One file a theorem: a sample goes in, a network comes out.

pub mod baum;
pub mod bit_extraction;
pub mod bubeck;
pub mod catalogue;
mod construction;
pub mod depth_k;
pub mod depth_two;
pub mod direction;
mod error;
pub mod hull_peeling;
mod hyperplane;
mod label_bits;
pub mod lagrange;
mod line;
pub mod min_norm;
pub mod moment_curve;
pub mod order;
pub mod random_features;
pub mod rational_kernel;
pub mod residual;
pub mod sine;
pub mod softsign;
mod system;
pub mod threshold;
pub mod two_hidden;
pub mod width_two;

pub use construction::{Assumption, Bound, Construction, MOST_NUMBERS, Promise, Task};
pub use depth_two::{DepthTwo, Fit};
pub use direction::{ChosenDirection, DirectionRule};
pub use error::ConstructError;
pub use threshold::ThresholdRule;
