//! From inner products to entries of a kernel matrix, each with a proved bound on its error.
//!
//! Symbols: D the divisor of the features; x, x' rows of d numbers; p = |x|², q = |x'|², g = <x, x'>, as real numbers of
//! the numbers before the division; p̂, q̂, ĝ as computed; u = 2^-53, γ_k = ku/(1 − ku). Either products are exact
//! (p̂ = p, …), or |p̂ − p| <= γ_d p, |q̂ − q| <= γ_d q and |ĝ − g| <= γ_d |x| |x'| (a sum of d products in any order, fused or not),
//! up to d 2^-1074 where products underflow.
//!
//! **Squared distance.** ŝ = max((p̂ + q̂) − 2ĝ, 0), each operation rounded.
//!
//! ```text
//! |ŝ − s| <= Δ = 2 γ_{d+2}/(1 − γ_d) · (p̂ + q̂)        (0 where products are exact)
//! ```
//!
//! Proof: |fl(p̂ + q̂) − (p + q)| <= γ_{d+1} (p + q), and 2|ĝ − g| <= 2γ_d |x||x'| <= γ_d (p + q), so before the last rounding
//! the error is at most 2γ_{d+1} (p + q) and the number at most 2(p + q)(1 + γ_{d+1}); that rounding adds u times it.
//! Together 2(p + q) (γ_{d+1} + u(1 + γ_{d+1})) <= 2γ_{d+2} (p + q), and p + q <= (p̂ + q̂)/(1 − γ_d). s >= 0, so the maximum
//! with 0 is no farther off. If products are exact, p + q and 2g are numbers of the format and so is their difference,
//! by the definition of exact ([`Features`](super::Features)).
//!
//! **Bounds are rounded, too**: each is a product and sum of fewer than 2^10 nonnegative terms and factors, so its own relative
//! error is below 2^-42; [`SLACK`] = 1 + 2^-40 covers it. Numbers below the normal range are covered by
//! [`TINY`] = 2^-900, which exceeds all that underflow can change, since features are below 1e70 and parameters
//! between 1e-150 and 1e150.

mod angle;
mod inner;
mod radial;

use shatter_matrix::vectors::vectorised;

use super::kernel::Kernel;

/// Covers the rounding of a bound.
pub(crate) const SLACK: f64 = 1.0 + 1.0 / (1u64 << 40) as f64;

/// Unit roundoff.
pub(crate) const U: f64 = f64::EPSILON / 2.0;

/// 2^-900.
pub(crate) const TINY: f64 = f64::from_bits((1023 - 900) << 52);

/// γ_k, rounded up.
pub(crate) fn gamma(k: usize) -> f64 {
    let ku = k as f64 * U;
    if ku < 0.5 { ku / (1.0 - ku) * SLACK } else { f64::INFINITY }
}

/// What makes entries of inner products.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entries {
    kernel: Kernel,
    /// D.
    divisor: f64,
    /// Δ = spread · (p̂ + q̂).
    spread: f64,
    /// γ_d, or 0.
    inner: f64,
    /// Δ and |ĝ − g| where products underflow, or 0.
    least: f64,
}

/// A kernel of one pair of points: the computed entry, and the bound on its error.
trait Entry: Copy {
    /// Of p̂, q̂ and ĝ.
    fn of(self, p: f64, q: f64, g: f64) -> f64;
    /// With a bound on |computed − k(x, x')|.
    fn bounded(self, p: f64, q: f64, g: f64) -> (f64, f64);
    /// Of a point with itself.
    fn diagonal(self, p: f64) -> (f64, f64);
}

impl Entries {
    /// For points of d numbers over `divisor`, whose products are exact or not.
    pub fn new(kernel: Kernel, d: usize, divisor: f64, exact: bool) -> Entries {
        let (inner, spread, least) = match exact {
            true => (0.0, 0.0, 0.0),
            false => (gamma(d), 2.0 * gamma(d + 2) / (1.0 - gamma(d)) * SLACK, TINY),
        };
        Entries { kernel, divisor, spread, inner, least }
    }

    /// Turns a row of inner products ĝ_j into entries of the kernel; `p` is of the row's point, `q` of the others. Writes
    /// bounds where room is given.
    pub fn row(&self, p: f64, q: &[f64], row: &mut [f64], bounds: Option<&mut [f64]>) {
        match self.kernel {
            Kernel::Gaussian { gamma } => {
                each(radial::Gaussian::new(self, gamma), p, q, row, bounds)
            }
            Kernel::Laplacian { gamma } => {
                each(radial::Laplacian::new(self, gamma), p, q, row, bounds)
            }
            Kernel::Rational { gamma } => {
                each(radial::Rational::new(self, gamma), p, q, row, bounds)
            }
            Kernel::Linear => each(inner::Linear::new(self), p, q, row, bounds),
            Kernel::Polynomial { degree, offset, scale } => {
                each(inner::Polynomial::new(self, degree, offset, scale), p, q, row, bounds);
            }
            Kernel::ArcCosine0 => each(angle::Zero::new(self), p, q, row, bounds),
            Kernel::ArcCosine1 => each(angle::One::new(self), p, q, row, bounds),
        }
    }

    /// The entry of a point with itself, and the bound on its error.
    pub fn diagonal(&self, p: f64) -> (f64, f64) {
        match self.kernel {
            Kernel::Gaussian { gamma } => radial::Gaussian::new(self, gamma).diagonal(p),
            Kernel::Laplacian { gamma } => radial::Laplacian::new(self, gamma).diagonal(p),
            Kernel::Rational { gamma } => radial::Rational::new(self, gamma).diagonal(p),
            Kernel::Linear => inner::Linear::new(self).diagonal(p),
            Kernel::Polynomial { degree, offset, scale } => {
                inner::Polynomial::new(self, degree, offset, scale).diagonal(p)
            }
            Kernel::ArcCosine0 => angle::Zero::new(self).diagonal(p),
            Kernel::ArcCosine1 => angle::One::new(self).diagonal(p),
        }
    }
}

/// One loop a kernel, compiled for vectors.
fn each<K: Entry>(kernel: K, p: f64, q: &[f64], row: &mut [f64], bounds: Option<&mut [f64]>) {
    match bounds {
        None => vectorised(
            #[inline(always)]
            || {
                for (g, &q) in row.iter_mut().zip(q) {
                    *g = kernel.of(p, q, *g);
                }
            },
        ),
        Some(bounds) => vectorised(
            #[inline(always)]
            || {
                for ((g, &q), bound) in row.iter_mut().zip(q).zip(bounds) {
                    (*g, *bound) = kernel.bounded(p, q, *g);
                }
            },
        ),
    }
}

/// The smaller; NaN counts as infinite.
#[inline(always)]
fn least(x: f64, y: f64) -> f64 {
    if x < y { x } else { y }
}
