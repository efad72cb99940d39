//! Linear models (Zhang et al. 2017, section 5): of all linear functions that fit the labels of a sample, which one
//! is found, and what tells it from the others.
//!
//! Symbols, here and in the files below: X is n × d, a point a row; Y is n × k, the targets; W is d × k, so that XW
//! are the outputs. With a bias a constant 1 is appended to every point, d counts it, and its weights count in every
//! norm. The *span* is that of the rows of X; every W is the sum of a part in the span and a part in the null space of X,
//! which changes no output. ‖·‖ is the Euclidean norm of all entries, σ_1 ≥ … ≥ σ_r > 0 are the singular values of X.
//!
//! | question | file |
//! |---|---|
//! | X and Y of a prepared sample; duplicates, constant features | [`design`] |
//! | rank, condition, W = X⁺Y, the parts of any W | [`factor`] |
//! | the path of weight decay | [`ridge`] |
//! | gradient descent from zero or from elsewhere, one point a step; Adam | [`descent`] |
//! | other interpolants | [`interpolant`] |
//! | curvature at interpolants | [`curvature`] |
//! | all of these in rational numbers | [`exact`] |
//! | a fitted model as a network | [`model`] |

pub mod curvature;
pub mod descent;
pub mod design;
mod error;
pub mod exact;
pub mod factor;
pub mod interpolant;
pub mod model;
pub mod ridge;

pub use descent::{Descent, Epoch, Order, Settings, Step};
pub use design::{Design, Duplicates, Targets};
pub use error::RegressionError;
pub use factor::{Factor, MinimumNorm, Parts};
pub use model::Model;
pub use ridge::Decayed;

/// Euclidean norm.
#[must_use]
pub fn norm(values: &[f64]) -> f64 {
    values.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Euclidean norm of the difference.
///
/// # Panics
/// If the lengths differ: a defect of the caller.
#[must_use]
pub fn distance(one: &[f64], other: &[f64]) -> f64 {
    assert_eq!(one.len(), other.len(), "vectors of different lengths");
    one.iter().zip(other).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt()
}
