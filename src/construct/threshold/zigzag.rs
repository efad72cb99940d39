//! Zigzag: Theorem 1 with n + d numbers and one sign.
//!
//! **Statement.** Let z_1 < … < z_n be the projections, scaled so that neighbours are further apart
//! than their labels: |y_{i+1} − y_i| < z_{i+1} − z_i. Let σ_0 = 1 if y_1 >= 0, else −1, σ_i = (−1)^i σ_0, and
//!
//! ```text
//! b_1 = z_1 − |y_1|,                                          w_1 = σ_0
//! b_{i+1} = (z_i + z_{i+1})/2 + σ_{i−1}(y_{i+1} − y_i)/2,      w_{i+1} = −2σ_{i−1}      (i = 1, …, n − 1)
//! ```
//!
//! Then Σ_j w_j ReLU(z_i − b_j) = y_i for all i, and z_i < b_{i+1} < z_{i+1}; b_1 < z_1 unless y_1 = 0.
//!
//! **Proof.** After b_{i} the slope is σ_{i−1}. On [z_i, z_{i+1}] it is σ_{i−1} up to b_{i+1} and
//! −σ_{i−1} after it, so f gains σ_{i−1}(2b_{i+1} − z_i − z_{i+1}) = y_{i+1} − y_i there. ∎
//!
//! **Source.** Our variant of Zhang et al. 2017, Theorem 1. Scaling the projections by S = 2^k is
//! scaling the direction, because ReLU is positively homogeneous: S is absorbed into a and b.
//!
//! **Counts.** n + d numbers (a and b) and one sign; the output weights are the constants
//! ±1, ∓2, ±2, …. Generic labels need at least n numbers, so this is within d of the least.
//! **Bits.** With z on 2^q Z and y on 2^r Z, every b lies on 2^{min(q + k, r) − 1} Z: nothing is
//! divided by a gap, nothing compounds. **Cost.** O(n) after sorting.

use shatter_exact::Element;
use shatter_exact::{Dyadic, IBig, Integers, Lattice, Rational};

use super::{ExactSolution, FloatSolution};

/// Exact zigzag thresholds for increasing projections.
///
/// ```
/// use shatter_construct::threshold::zigzag;
/// use shatter_exact::{Dyadic, Lattice};
/// let number = |x: i64| Dyadic::from(x);
/// let z = Lattice::from_dyadics(&[number(0), number(10), number(20)]);
/// let fit = zigzag::exact(&z, &[number(1), number(3), number(1)]);
/// assert_eq!(fit.stretch, -2); // |Δy| = 2 needs gaps above 2: 10/4 will do
/// assert_eq!(fit.b[1], Dyadic::new(9, -2)); // (0 + 5/2)/2 + 2/2
/// ```
pub fn exact(z: &Lattice, y: &[Dyadic]) -> ExactSolution {
    let labels = Lattice::from_dyadics(y);
    let stretch = stretch(z, &labels);
    // All thresholds are integers over the grid; the grid is finer than z' and y by one bit.
    let grid = (z.exponent + stretch).min(labels.exponent) - 1;
    let (shift_z, shift_y) = (z.exponent + stretch - grid, labels.exponent - grid);
    let bits = (z.bits() as i64 + shift_z).max(labels.bits() as i64 + shift_y) + 3;
    let b = match (&z.values, &labels.values) {
        (Integers::Narrow(z), Integers::Narrow(y)) if bits <= 126 => {
            let scaled = |v: &[i128], shift: i64| v.iter().map(|x| x << shift).collect::<Vec<_>>();
            thresholds::<i128>(&scaled(z, shift_z), &scaled(y, shift_y), |x| x >> 1)
                .into_iter()
                .map(|b| Dyadic::new(b, grid))
                .collect()
        }
        _ => {
            let scaled = |v: &Lattice, shift: i64| match &v.values {
                Integers::Narrow(v) => v.iter().map(|&x| IBig::from(x) << shift as usize).collect(),
                Integers::Wide(v) => v.iter().map(|x| x << shift as usize).collect::<Vec<_>>(),
            };
            thresholds::<IBig>(&scaled(z, shift_z), &scaled(&labels, shift_y), |x| x >> 1)
                .into_iter()
                .map(|b| Dyadic::new(b, grid))
                .collect()
        }
    };
    ExactSolution { stretch, b, w: weights(y.first().is_some_and(Dyadic::is_negative), y.len()) }
}

/// The thresholds, with integers on which halving is exact.
fn thresholds<N>(z: &[N], y: &[N], half: impl Fn(N) -> N) -> Vec<N>
where
    N: Clone + Ord + Default,
    for<'a> &'a N: std::ops::Add<&'a N, Output = N> + std::ops::Sub<&'a N, Output = N>,
{
    let (Some(first_z), Some(first_y)) = (z.first(), y.first()) else { return Vec::new() };
    let zero = N::default();
    let mut rising = *first_y >= zero; // whether σ_{i−1} = +1
    let mut b = Vec::with_capacity(z.len());
    b.push(if rising { first_z - first_y } else { first_z + first_y });
    for (z, y) in z.windows(2).zip(y.windows(2)) {
        let rise = if rising { &y[1] - &y[0] } else { &y[0] - &y[1] };
        b.push(half(&(&z[0] + &z[1]) + &rise));
        rising = !rising;
    }
    b
}

/// σ_0, −2σ_0, 2σ_0, −2σ_0, …
fn weights(negative: bool, n: usize) -> Vec<Rational> {
    let sigma = if negative { -1i64 } else { 1 };
    let weight = |j: usize| match j {
        0 => sigma,
        j if j % 2 == 0 => 2 * sigma,
        _ => -2 * sigma,
    };
    (0..n).map(|j| Rational::from(weight(j))).collect()
}

/// The least k with 2^k (z_{i+1} − z_i) > |y_{i+1} − y_i| for all i; 0 if all labels are equal.
pub fn stretch(z: &Lattice, y: &Lattice) -> i64 {
    let one_step = |i: usize| {
        let rise = (&y.get(i + 1) - &y.get(i)).abs();
        let gap = &z.get(i + 1) - &z.get(i);
        let (rise_top, gap_top) = (rise.log2_floor()?, gap.log2_floor()?);
        let k = rise_top - gap_top;
        Some(if gap.scale(k) > rise { k } else { k + 1 })
    };
    if let (Integers::Narrow(z_values), Integers::Narrow(y_values)) = (&z.values, &y.values) {
        // The same on machine integers: exponents are common, so bit lengths decide.
        let steps = z_values.windows(2).zip(y_values.windows(2)).filter_map(|(z, y)| {
            let (gap, rise) = (z[1].abs_diff(z[0]), y[1].abs_diff(y[0]));
            if rise == 0 || gap == 0 {
                return None;
            }
            let k = i64::from(gap.leading_zeros()) - i64::from(rise.leading_zeros());
            let enough = if k >= 0 { gap << k > rise } else { gap > rise << -k };
            Some(if enough { k } else { k + 1 })
        });
        return steps.max().map_or(0, |k| k + y.exponent - z.exponent);
    }
    (0..z.len().saturating_sub(1)).filter_map(one_step).max().unwrap_or(0)
}

/// Zigzag thresholds in floating point for increasing projections.
pub fn float<F: Element>(z: &[F], y: &[F]) -> FloatSolution<F> {
    let two = F::of(2.0);
    let ratio = z
        .windows(2)
        .zip(y.windows(2))
        .map(|(z, y)| (y[1] - y[0]).abs() / (z[1] - z[0]))
        .fold(F::zero(), F::max);
    // The least power of two above the ratio; the ratio is rounded, so at least one unit above it.
    let stretch = if ratio > F::zero() {
        let above = ratio * (F::one() + two * F::epsilon());
        let power = two.powf(above.log2().floor() + F::one());
        if power * F::of(0.5) > above { power * F::of(0.5) } else { power }
    } else {
        F::one()
    };
    let mut sigma = if y.first().is_some_and(|y| *y < F::zero()) { -F::one() } else { F::one() };
    let mut b = Vec::with_capacity(z.len());
    let mut w = Vec::with_capacity(z.len());
    if let (Some(&z), Some(&y)) = (z.first(), y.first()) {
        b.push(stretch * z - y.abs());
        w.push(sigma);
    }
    for (z, y) in z.windows(2).zip(y.windows(2)) {
        let middle = stretch * z[0] + stretch * z[1];
        b.push((middle + sigma * (y[1] - y[0])) / two);
        w.push(-two * sigma);
        sigma = -sigma;
    }
    FloatSolution { stretch, b, w }
}
