//! What the theories say of a network: complexity measures and bounds of the test error, each with the assumptions
//! that it checks and whether it says anything.
//!
//! The paper's first point is that VC dimension, Rademacher complexity and uniform stability cannot tell a network
//! that generalizes from one that memorizes. A [`Finding`] is the answer of one theory: its value, whether that is a
//! bound, an estimate or a measure ([`Kind`]), what it says of the test error, and the assumption that fails.
//! [`Vacuity`] compares what it says with what is known without any theory. [`survey()`] is every measure of a
//! network that needs no training.
//!
//! | measures | in |
//! |---|---|
//! | the layers of a perceptron, and the step where a graph is none | [`layers`] |
//! | Frobenius, spectral and (2,1) norms, their products, distances from the start | [`norms`], [`spectral`] |
//! | path norms | [`path`] |
//! | margins, ramp loss, the rounding error of outputs | [`margin`] |
//! | bounds by norms: what they share, and each | [`ramp`]; [`golowich`], [`neyshabur`], [`bartlett`] |
//! | description length, and what a memorizer of random labels must violate | [`occam`] |
//! | VC dimension, growth functions, fat-shattering | [`vc`] |
//! | Rademacher complexity: exact, by witnesses, of linear classes, from below | [`rademacher`] |
//! | PAC-Bayes: the bound of noise on the parameters, the noise that makes it small, both at once | [`pac_bayes`], [`posterior`], [`noise`] |
//! | the relative entropy of two coins, and its inverse | [`kl`] |
//! | parameters, units, bits | [`counts`] |
//! | uniform stability of SGD, and the measured swap of one example | [`stability`] |
//! | sharpness: the noise on weights that outputs withstand | [`sharpness`] |
//! | rank correlation of a measure with the gap, over runs | [`kendall`] |
//! | how many labels an architecture can and cannot fit | [`capacity`] |
//! | true labels against random ones, which measures tell them apart | [`contrast`] |
//! | enclosures rounded outwards | [`outward`] |

pub mod bartlett;
pub mod capacity;
pub mod contrast;
pub mod counts;
mod error;
pub mod finding;
pub mod golowich;
pub mod kendall;
pub mod kl;
pub mod layers;
pub mod margin;
pub mod neyshabur;
pub mod noise;
pub mod norms;
pub mod occam;
pub mod outward;
pub mod pac_bayes;
pub mod path;
pub mod posterior;
pub mod rademacher;
pub mod ramp;
pub mod sharpness;
pub mod sizes;
pub mod spectral;
pub mod stability;
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
