//! Bounds on rounding in binary32 and binary64.

use crate::exact::dyadic::decompose;
use crate::interchange::number::Precision;

/// The exponent of a grain of zeros alone.
const ZEROS: i64 = 1 << 20;

/// The bound of a rounded sum of nonnegative numbers with this many operations.
pub fn up(x: f64, operations: usize) -> f64 {
    x * (1.0 + (2 * operations + 16) as f64 * f64::EPSILON)
}

/// γ_k for a unit roundoff of 2^-bits, rounded up; infinite where the bound says nothing.
pub fn gamma(k: usize, bits: u64) -> f64 {
    let ku = k as f64 * 2f64.powi(-(bits as i32));
    if ku < 0.5 { up(ku / (1.0 - ku), 4) } else { f64::INFINITY }
}

/// Exponents of the smallest normal number, and of a power of two that products of a size below it
/// and an error of less than itself do not take out of the range.
fn exponents(precision: Precision) -> (i64, i64) {
    match precision {
        Precision::Single => (-126, 127),
        Precision::Double => (-1022, 1023),
    }
}

/// The smallest normal number: what is below it, a runtime may take for zero.
pub fn smallest(precision: Precision) -> f64 {
    2f64.powi(exponents(precision).0 as i32)
}

/// Below this, no number overflows, whatever its relative error (below 1).
pub fn highest(precision: Precision) -> f64 {
    2f64.powi(exponents(precision).1 as i32)
}

/// The largest exponent e so that all are multiples of 2^e; very large for zeros.
pub fn grain(values: &[f64]) -> i64 {
    let exponent = |&x: &f64| match decompose(x) {
        Ok((0, _)) => ZEROS,
        Ok((_, exponent)) => exponent,
        Err(_) => -ZEROS,
    };
    values.iter().map(exponent).min().unwrap_or(ZEROS)
}

/// Whether a runtime takes all these numbers as they are.
pub fn all_normal(values: &[f64], precision: Precision) -> bool {
    let smallest = smallest(precision);
    values.iter().all(|&x| x == 0.0 || x.abs() >= smallest)
}

/// Whether sums of terms that are multiples of 2^grain, at most `size` in all, are never rounded.
pub fn never_rounds(grain: i64, size: f64, precision: Precision) -> bool {
    let (lowest, highest) = exponents(precision);
    let top = grain.saturating_add(precision.bits() as i64);
    // Sizes are products, too, and may have underflowed: only zeros alone are exact without a look.
    if grain >= ZEROS / 2 {
        return size == 0.0;
    }
    grain >= lowest
        && (top > highest || size <= 2f64.powi(top as i32))
        && size < 2f64.powi(highest as i32)
}

/// The larger; what is no number is not hidden.
pub fn larger(x: f64, y: f64) -> f64 {
    if y <= x || x.is_nan() { x } else { y }
}

/// The largest of sizes, or 0.
pub fn largest(sizes: &[f64]) -> f64 {
    sizes.iter().copied().fold(0.0, larger)
}
