//! Bounds on rounding in binary32 and binary64.

use crate::exact::Format;

/// The bound of a rounded sum of nonnegative numbers with this many operations.
pub fn up(x: f64, operations: usize) -> f64 {
    x * (1.0 + (2 * operations + 16) as f64 * f64::EPSILON)
}

/// γ_k for a unit roundoff of 2^-bits, rounded up; infinite where the bound says nothing.
pub fn gamma(k: usize, bits: u64) -> f64 {
    let ku = k as f64 * 2f64.powi(-(bits as i32));
    if ku < 0.5 { up(ku / (1.0 - ku), 4) } else { f64::INFINITY }
}

/// The smallest normal number: what is below it, a runtime may take for zero.
pub fn smallest(precision: Format) -> f64 {
    precision.smallest_normal()
}

/// Below this, no number overflows, whatever its relative error (below 1).
pub fn highest(precision: Format) -> f64 {
    2f64.powi(precision.highest() as i32)
}

/// The larger; what is no number is not hidden.
pub fn larger(x: f64, y: f64) -> f64 {
    if y <= x || x.is_nan() { x } else { y }
}

/// The largest of sizes, or 0.
pub fn largest(sizes: &[f64]) -> f64 {
    sizes.iter().copied().fold(0.0, larger)
}
