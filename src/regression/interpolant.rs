//! Other interpolants: those at which descent from another start ends.
//!
//! Descent from W_0 ends at W + V, W the minimum-norm solution and V the part of W_0 in the null space of X
//! ([`descent`](super::descent)). For a Gaussian W_0, V is a Gaussian vector of the null space: every direction in it
//! is equally likely, and nothing about the labels goes into it.

use rand_distr::{Distribution, StandardNormal};

use shatter_random::stream::{Purpose, stream};

use super::{Factor, RegressionError, norm};

/// W + V with ‖V‖ = `scale` · ‖W‖, V drawn from the seed; `None` where the null space of X is {0} or W is 0.
///
/// ```
/// use shatter_regression::{Design, Factor, Targets, interpolant, norm};
/// let x = Design::new(vec![3.0, 4.0], 2, false)?;
/// let factor = Factor::new(&x)?;
/// let minimum = factor.minimum_norm(&Targets::new(vec![10.0], 1)?)?.weights; // of norm 2
/// let other = interpolant::at_random(&factor, &minimum, 1, 3.0, 7)?.ok_or("no other")?;
/// assert!((3.0 * other[0] + 4.0 * other[1] - 10.0).abs() < 1e-13);
/// assert!((norm(&other).powi(2) - 40.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`RegressionError::Weights`].
pub fn at_random(
    factor: &Factor,
    minimum: &[f64],
    outputs: usize,
    scale: f64,
    seed: u64,
) -> Result<Option<Vec<f64>>, RegressionError> {
    let mut rng = stream(seed, Purpose::Initial);
    let start: Vec<f64> = (0..minimum.len()).map(|_| StandardNormal.sample(&mut rng)).collect();
    let null = factor.split(&start, outputs)?.null;
    let (size, length) = (norm(minimum), norm(&null));
    if factor.rank() == factor.design().columns() || size == 0.0 || length == 0.0 {
        return Ok(None);
    }
    let by = scale * size / length;
    Ok(Some(minimum.iter().zip(&null).map(|(w, v)| w + by * v).collect()))
}
