//! What the theories say of a network: complexity measures and bounds of the test error, each with the assumptions that
//! it checks and whether it says anything.
//!
//! The paper's first point is that VC dimension, Rademacher complexity and uniform stability cannot tell a network that
//! generalizes from one that memorizes. A [`Finding`] is the answer of one theory: its value, whether that is a bound, an
//! estimate or a measure ([`Kind`]), what it says of the test error, and the assumption that fails. [`Vacuity`] compares
//! what it says with what is known without any theory.

pub mod finding;
pub mod outward;

pub use finding::{Assumption, Finding, Kind, Vacuity};
pub use outward::Enclosure;
