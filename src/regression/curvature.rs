//! The curvature of the training loss at interpolants: the same at all of them.
//!
//! **Statement.** Let the loss of output z against target y be l(z, y), with second derivative β(z, y). The Hessian of the
//! mean loss in the weights of one output is (1/n) Xᵀ diag(β_1, …, β_n) X. At every W that fits all labels, β_i =
//! β(y_i, y_i) whatever W is: all interpolants have one Hessian. For d > n it is singular. So curvature cannot
//! tell those that generalize from those that do not (Zhang et al. 2017, section 5).
//!
//! **Bounds.** Write b = min β_i and B = max β_i. By Ostrowski's theorem the largest eigenvalue lies in [b, B] · σ_1²/n, and
//! two Hessians differ in norm by at most max |β_i − β'_i| · σ_1²/n. So none of them has to be written out.
//!
//! For squared loss β = 1 everywhere, fitted or not. [`Loss::Quartic`] has a β that depends on the output, and is
//! polynomial, so that equality can be shown in rational numbers ([`exact`](super::exact)).

use shatter_linear::Square;

use super::{Design, Factor, RegressionError, Targets};

/// A loss with residual r = z − y.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// r²/2, β = 1.
    Squared,
    /// r²/2 + r⁴/12, β = 1 + r².
    Quartic,
}

/// What bounds say, computed in binary64 and rounded to nearest, about the Hessian at some weights, over all outputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curvature {
    /// The smallest and the largest β.
    pub factors: (f64, f64),
    /// An interval that holds, but for rounding, the largest eigenvalue of the Hessian of each output.
    pub largest: (f64, f64),
    /// Eigenvalues that are 0: d − r, of each output.
    pub singular: usize,
}

impl Loss {
    /// β for a residual.
    #[must_use]
    pub fn factor(self, residual: f64) -> f64 {
        match self {
            Loss::Squared => 1.0,
            Loss::Quartic => 1.0 + residual * residual,
        }
    }
}

/// β_i for each point and output, n × k.
///
/// # Errors
/// [`RegressionError::TargetCount`], [`RegressionError::Weights`].
pub fn factors(
    design: &Design,
    targets: &Targets,
    weights: &[f64],
    loss: Loss,
) -> Result<Vec<f64>, RegressionError> {
    targets.belong_to(design)?;
    let (columns, outputs) = (design.columns(), targets.outputs());
    if weights.len() != columns * outputs {
        return Err(RegressionError::Weights { found: weights.len(), columns, outputs });
    }
    let fitted = design.outputs(weights, outputs);
    Ok(fitted.iter().zip(targets.values()).map(|(z, y)| loss.factor(z - y)).collect())
}

/// Bounds of the Hessian with these β.
///
/// ```
/// use shatter_regression::curvature::{Loss, bounds, factors};
/// use shatter_regression::{Design, Factor, Targets};
/// let x = Design::new(vec![1.0, 2.0], 2, false)?;
/// let y = Targets::new(vec![5.0], 1)?;
/// let factor = Factor::new(&x)?;
/// let at = |w: &[f64]| factors(&x, &y, w, Loss::Quartic).map(|beta| bounds(&factor, &beta));
/// let (one, other) = (at(&[1.0, 2.0])?, at(&[5.0, 0.0])?);
/// assert_eq!(one, other);
/// assert!((one.largest.0 - 5.0).abs() < 1e-14 && one.singular == 1);
/// assert!(at(&[0.0, 0.0])?.largest.0 > 100.0); // not an interpolant
/// # Ok::<(), shatter_regression::RegressionError>(())
/// ```
#[must_use]
pub fn bounds(factor: &Factor, factors: &[f64]) -> Curvature {
    let low = factors.iter().copied().fold(f64::INFINITY, f64::min);
    let high = factors.iter().copied().fold(0.0, f64::max);
    let n = factor.design().rows() as f64;
    let first = factor.singular_values().first().map_or(0.0, |sigma| sigma * sigma / n);
    Curvature {
        factors: (low, high),
        largest: (low * first, high * first),
        singular: factor.design().columns() - factor.rank(),
    }
}

/// At least the distance of two Hessians in relation to the norm of the first, but for rounding: max |β_i − β'_i|/min β_i.
///
/// # Panics
/// If there are different numbers of β: a defect of the caller.
#[must_use]
pub fn difference(factors: &[f64], others: &[f64]) -> f64 {
    assert_eq!(factors.len(), others.len(), "curvatures of different samples");
    let largest = factors.iter().zip(others).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
    largest / factors.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The Hessian of one output, d × d; `factors` are its n numbers β_i.
///
/// # Panics
/// If there are not n factors: a defect of the caller.
#[must_use]
pub fn hessian(design: &Design, factors: &[f64]) -> Square<f64> {
    let (n, d) = (design.rows(), design.columns());
    assert_eq!(factors.len(), n, "one factor a point");
    let scaled: Vec<f64> =
        (0..n * d).map(|at| factors[at / d] * design.row(at / d)[at % d]).collect();
    let entries = design.combinations(&scaled, d);
    Square { n: d, entries: entries.into_iter().map(|x| x / n as f64).collect() }
}
