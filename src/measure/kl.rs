//! The relative entropy of two coins, and its inverse.
//!
//! **Statement.** For q, p in [0, 1], kl(q‖p) = q ln(q/p) + (1 − q) ln((1 − q)/(1 − p)), with 0 ln 0 = 0. The inverse is
//! kl⁻¹(q, c) = sup { p in [q, 1] : kl(q‖p) <= c } for c >= 0.
//!
//! **Chernoff's bound.** Let X_1, …, X_m be independent in [0, 1] with means p_i of mean p, and q their mean. With
//! probability at least 1 − δ, p <= kl⁻¹(q, ln(1/δ)/m). **Proof.** For t >= 0, e^{−tX} <= 1 − X + X e^{−t} by convexity,
//! and the product of the 1 − p_i + p_i e^{−t} is at most (1 − p + p e^{−t})^m (geometric and arithmetic mean). So
//! P(q <= a) <= (e^{ta} (1 − p + p e^{−t}))^m, which is e^{−m kl(a‖p)} at its least t, for a <= p. If p exceeds the inverse
//! then q < p and kl(q‖p) > ln(1/δ)/m, that is, q is below the a < p where kl(a‖p) = ln(1/δ)/m, or no such a exists and
//! P is 0. ∎
//!
//! **Bound.** The inverse is rounded up. kl(q‖·) increases on [q, 1], its derivative being (p − q)/(p(1 − p)); so a p from
//! q on at which the lower end of an enclosure of kl(q‖p) is at least c is not below the inverse. Bisection over
//! binary64 numbers keeps such a p, or 1. The inverse does not decrease in q, so that a q that was rounded up is safe.
//!
//! **Cost.** At most 64 enclosures of two logarithms.

use crate::{Enclosure, MeasureError};

fn check(what: &'static str, value: f64) -> Result<(), MeasureError> {
    match (0.0..=1.0).contains(&value) {
        true => Ok(()),
        false => Err(MeasureError::Parameter { what, value, expected: "a number from 0 to 1" }),
    }
}

/// x ln(x/y) for x, y >= 0, given as enclosures of single numbers.
fn term(x: Enclosure, y: Enclosure) -> Enclosure {
    if x == Enclosure::ZERO {
        return Enclosure::ZERO;
    }
    if y == Enclosure::ZERO {
        return Enclosure::exact(f64::INFINITY);
    }
    x * (x.ln() - y.ln())
}

/// kl(q‖p), enclosed; +∞ where p is 0 or 1 and q is not.
///
/// ```
/// use shatter_measure::kl::relative_entropy;
/// assert!(relative_entropy(0.25, 0.25)?.contains(0.0));
/// assert!(relative_entropy(0.0, 0.5)?.contains(std::f64::consts::LN_2));
/// # Ok::<(), shatter_measure::MeasureError>(())
/// ```
///
/// # Errors
/// [`MeasureError::Parameter`] for a number outside [0, 1].
pub fn relative_entropy(q: f64, p: f64) -> Result<Enclosure, MeasureError> {
    check("the first probability", q)?;
    check("the second probability", p)?;
    let (q, p) = (Enclosure::exact(q), Enclosure::exact(p));
    let sum = term(q, p) + term(Enclosure::ONE - q, Enclosure::ONE - p);
    Ok(Enclosure::new(sum.low().max(0.0), sum.high()))
}

/// kl⁻¹(q, c), rounded up; 1 for c = ∞.
///
/// ```
/// use shatter_measure::kl::inverse;
/// // kl(0‖p) = −ln(1 − p).
/// let p = inverse(0.0, std::f64::consts::LN_2)?;
/// assert!(p >= 0.5 && p < 0.5 + 1e-15);
/// # Ok::<(), shatter_measure::MeasureError>(())
/// ```
///
/// # Errors
/// [`MeasureError::Parameter`] for q outside [0, 1] or c that is negative or NaN.
pub fn inverse(q: f64, c: f64) -> Result<f64, MeasureError> {
    check("the first probability", q)?;
    if c.is_nan() || c < 0.0 {
        let (what, expected) = ("the relative entropy", "a number of at least 0");
        return Err(MeasureError::Parameter { what, value: c, expected });
    }
    // Bit patterns of non-negative numbers are in the order of the numbers.
    let (mut below, mut above) = (q.abs().to_bits(), 1f64.to_bits());
    while below < above {
        let middle = below + (above - below) / 2;
        match relative_entropy(q, f64::from_bits(middle))?.low() >= c {
            true => above = middle,
            false => below = middle + 1,
        }
    }
    Ok(f64::from_bits(above))
}

/// Upper bound of the mean expectation of m independent numbers in [0, 1] from their mean `q` (or a number above it), which holds with
/// probability at least 1 − δ: Chernoff's bound.
///
/// # Errors
/// [`MeasureError::NoPoints`] for m = 0; [`MeasureError::Parameter`] for q outside [0, 1] or δ outside (0, 1).
pub fn chernoff(q: f64, m: u64, delta: f64) -> Result<f64, MeasureError> {
    if m == 0 {
        return Err(MeasureError::NoPoints);
    }
    if !(delta > 0.0 && delta < 1.0) {
        let (what, expected) = ("delta", "a number between 0 and 1");
        return Err(MeasureError::Parameter { what, value: delta, expected });
    }
    let c = -Enclosure::exact(delta).ln() / Enclosure::whole(m);
    inverse(q, c.high())
}
