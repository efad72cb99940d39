//! The thresholds b of Theorem 1: any b_1 < z_1 < b_2 < z_2 < … < b_n < z_n will do, and the choice
//! decides how large the numbers become. Every rule comes in exact arithmetic and in floating point.
//!
//! | rule | b_{i+1} | exact weights | floating point |
//! |---|---|---|---|
//! | [`zigzag`] | where the slope must turn from ±S to ∓S | ±1, ∓2, ±2, …; the labels live in b alone | best on integers, worst on reals |
//! | [`data`] | z_i, the limit of interleaving | differences of neighbouring slopes | best on reals |
//! | [`midpoint`] | (z_i + z_{i+1})/2 | grow by about 200 bits a row | explodes with n |

pub mod data;
pub mod midpoint;
pub mod zigzag;

use std::fmt;

use shatter_exact::{Dyadic, Lattice, Rational};

/// The rule that places thresholds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThresholdRule {
    /// Zigzag for integer coordinates or exact arithmetic, data for floating point on reals.
    #[default]
    Auto,
    /// Output weights are constants, the labels are in the thresholds.
    Zigzag,
    /// b_{i+1} = z_i.
    Data,
    /// b_{i+1} halfway between z_i and z_{i+1}.
    Midpoint,
}

impl fmt::Display for ThresholdRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ThresholdRule::Auto => "auto",
            ThresholdRule::Zigzag => "zigzag",
            ThresholdRule::Data => "data",
            ThresholdRule::Midpoint => "midpoint",
        })
    }
}

/// Exact thresholds and weights for z' = 2^stretch · z.
#[derive(Clone, Debug)]
pub struct ExactSolution {
    /// The direction, and with it every projection, is to be multiplied by this power of two.
    pub stretch: i64,
    /// Thresholds.
    pub b: Vec<Dyadic>,
    /// Output weights.
    pub w: Vec<Rational>,
}

/// Floating-point thresholds and weights for z' = stretch · z.
#[derive(Clone, Debug)]
pub struct FloatSolution<F> {
    /// The direction is to be multiplied by this power of two.
    pub stretch: F,
    /// Thresholds.
    pub b: Vec<F>,
    /// Output weights.
    pub w: Vec<F>,
}

/// Which of the inequalities b_1 < z_1 < b_2 < … < b_n < z_n fails first, exactly: `Ok` if none.
/// With `weak`, z_i <= b_{i+1} is enough, as for [`data`] thresholds.
///
/// # Errors
/// The index i (from 0) of the first threshold that is not between z_{i−1} and z_i.
pub fn interleaves(z: &Lattice, b: &[Dyadic], weak: bool) -> Result<(), usize> {
    let mut previous: Option<Dyadic> = None;
    for (i, b) in b.iter().enumerate() {
        let z = z.get(i);
        let above = previous.is_none_or(|p| p < *b || (weak && p == *b));
        if !above || *b >= z {
            return Err(i);
        }
        previous = Some(z);
    }
    Ok(())
}

/// Slopes and weights from thresholds, point by point (the O(n) form of A w = y):
///
/// ```text
/// F_j = F_{j−1} + s_{j−1}(b_j − b_{j−1}),   s_j = (y_j − F_j)/(z_j − b_j),   w_j = s_j − s_{j−1}
/// ```
///
/// F_j is the value of f at b_j, s_j its slope after b_j; F_1 = 0, s_0 = 0.
pub fn weights_exact(z: &Lattice, b: &[Dyadic], y: &[Dyadic]) -> Vec<Rational> {
    let (mut value, mut slope) = (Rational::ZERO, Rational::ZERO);
    let mut weights = Vec::with_capacity(y.len());
    for (j, y) in y.iter().enumerate() {
        if j > 0 {
            value += &slope * (&b[j] - &b[j - 1]).to_rational();
        }
        let next = (y.to_rational() - &value) / (&z.get(j) - &b[j]).to_rational();
        weights.push(&next - &slope);
        slope = next;
    }
    weights
}
