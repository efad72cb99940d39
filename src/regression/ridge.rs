//! Weight decay and its path.
//!
//! **Statement.** For λ > 0, (1/2n) ‖XW − Y‖² + (λ/2) ‖W‖² has one minimum, W_λ = Xᵀ(XXᵀ + nλI)⁻¹Y. It lies in the span
//! of the points for every λ. As λ falls, its norm grows and its training error falls; it tends to the
//! minimum-norm solution W: ‖W_λ − W‖ ≤ nλ/(σ_r² + nλ) · ‖W‖.
//!
//! **Proof.** The objective is strictly convex, and its gradient Xᵀ(XW − Y)/n + λW vanishes at W_λ. In the basis of right
//! singular vectors v_j the coefficient of W_λ is σ_j²/(σ_j² + nλ) times that of W, and the difference
//! nλ/(σ_j² + nλ) times, which is largest for j = r. ∎
//!
//! λ is the weight decay of training: that of a step on the mean of the squared loss (half the squared distance),
//! without momentum. **Cost.** One decomposition for all λ, then 2mk(l + m) products each.

use super::{Design, Factor, RegressionError, Targets, distance, norm};

/// The solution under one weight decay.
#[derive(Clone, Debug, PartialEq)]
pub struct Decayed {
    /// λ.
    pub decay: f64,
    /// W_λ, d × k, row by row.
    pub weights: Vec<f64>,
    /// ‖W_λ‖.
    pub norm: f64,
    /// ‖XW_λ − Y‖²/(2n): the mean squared loss on the training set.
    pub loss: f64,
    /// ‖W_λ − W‖ from the minimum-norm solution.
    pub distance: f64,
}

/// W_λ for each λ, in the order given. `minimum` are the weights of [`Factor::minimum_norm`].
///
/// ```
/// use shatter_regression::{Design, Factor, Targets, ridge};
/// let x = Design::new(vec![2.0], 1, false)?;
/// let (factor, y) = (Factor::new(&x)?, Targets::new(vec![6.0], 1)?);
/// let minimum = factor.minimum_norm(&y)?.weights;
/// let path = ridge::path(&factor, &y, &minimum, &[8.0, 1e-9])?;
/// assert!((path[0].weights[0] - 1.0).abs() < 1e-15); // 2 · 6/(4 + 8)
/// assert!(path[1].distance < 1e-9);
/// # Ok::<(), shatter_regression::RegressionError>(())
/// ```
///
/// # Errors
/// [`RegressionError::Decay`], [`RegressionError::TargetCount`], [`RegressionError::Weights`].
pub fn path(
    factor: &Factor,
    targets: &Targets,
    minimum: &[f64],
    decays: &[f64],
) -> Result<Vec<Decayed>, RegressionError> {
    let design: &Design = factor.design();
    targets.belong_to(design)?;
    let (columns, outputs) = (design.columns(), targets.outputs());
    if minimum.len() != columns * outputs {
        return Err(RegressionError::Weights { found: minimum.len(), columns, outputs });
    }
    let n = design.rows() as f64;
    let solve = |&decay: &f64| {
        if !(decay.is_finite() && decay > 0.0) {
            return Err(RegressionError::Decay(decay));
        }
        let weights =
            factor.filtered(targets.values(), outputs, |value| (value + n * decay).recip());
        let error = distance(&design.outputs(&weights, outputs), targets.values());
        Ok(Decayed {
            decay,
            norm: norm(&weights),
            loss: error * error / (2.0 * n),
            distance: distance(&weights, minimum),
            weights,
        })
    };
    decays.iter().map(solve).collect()
}

/// Ten weight decays, powers of ten, down from the first one above the largest curvature σ_1²/n, where decay halves the
/// largest part of the weights; none if all points are 0.
#[must_use]
pub fn decades(factor: &Factor) -> Vec<f64> {
    let Some(largest) = factor.singular_values().first().copied() else { return Vec::new() };
    let top = (largest * largest / factor.design().rows() as f64).log10().floor() as i32 + 1;
    (0..10).map(|k| 10f64.powi(top - k)).filter(|decay| *decay > 0.0).collect()
}
