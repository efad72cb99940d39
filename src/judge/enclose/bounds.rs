//! Bounds on rounding, here and in the runtimes of a model.

use crate::runtime::Rounding;

/// The bound of a rounded sum of nonnegative numbers with this many operations.
pub fn up(x: f64, operations: usize) -> f64 {
    x * (1.0 + (2 * operations + 16) as f64 * f64::EPSILON)
}

/// γ_k for a unit roundoff of 2^-bits, rounded up; infinite where the bound says nothing.
pub fn gamma(k: usize, bits: u64) -> f64 {
    let ku = k as f64 * 2f64.powi(-(bits as i32));
    if ku < 0.5 { up(ku / (1.0 - ku), 4) } else { f64::INFINITY }
}

/// The larger; what is no number is not hidden.
pub fn larger(x: f64, y: f64) -> f64 {
    if y <= x || x.is_nan() { x } else { y }
}

/// The largest of sizes, or 0.
pub fn largest(sizes: &[f64]) -> f64 {
    sizes.iter().copied().fold(0.0, larger)
}

impl Rounding {
    /// γ_k of its sums.
    pub fn gamma(self, k: usize) -> f64 {
        gamma(k, self.sum_bits)
    }

    /// At least the relative error of a monomial that goes through k roundings, and if `products` through those of
    /// both operands of a product.
    pub fn relative(self, k: usize, products: bool) -> f64 {
        let (sums, operand) = (self.gamma(k), self.operand());
        if !products || operand == 0.0 {
            return sums;
        }
        up(sums + (2.0 * operand + operand * operand) * (1.0 + sums), 5)
    }

    /// The smallest normal number: what is below it, a runtime may take for zero.
    pub fn smallest(self) -> f64 {
        self.format.smallest_normal()
    }

    /// Below this, no number overflows, whatever its relative error (below 1).
    pub fn highest(self) -> f64 {
        2f64.powi(self.format.highest() as i32)
    }
}
