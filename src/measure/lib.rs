//! What the theories say of a network: complexity measures and bounds of the test error, each with the assumptions that
//! it checks and whether it says anything.
//!
//! The paper's first point is that VC dimension, Rademacher complexity and uniform stability cannot tell a network that
//! generalizes from one that memorizes. A [`Finding`] is the answer of one theory: its value, whether that is a bound, an
//! estimate or a measure ([`Kind`]), what it says of the test error, and the assumption that fails. [`Vacuity`] compares
//! what it says with what is known without any theory.

pub mod bartlett;
pub mod counts;
mod error;
pub mod finding;
pub mod golowich;
pub mod layers;
pub mod margin;
pub mod neyshabur;
pub mod norms;
pub mod occam;
pub mod outward;
pub mod path;
pub mod ramp;
pub mod sizes;
pub mod spectral;
pub mod survey;
pub mod vc;

pub use error::MeasureError;
pub use finding::{Assumption, Finding, Kind, Vacuity};
pub use layers::{Outputs, Perceptron};
pub use margin::Margins;
pub use norms::Norms;
pub use outward::Enclosure;
pub use sizes::PointSizes;
pub use survey::{Subject, survey};
