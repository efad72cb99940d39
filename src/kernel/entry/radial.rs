//! Kernels of the distance.
//!
//! Symbols as in [`super`]; t = γ s/D² (Gaussian, rational) or γ √s/D (Laplacian), t̂ as computed, τ a bound on |t̂ − t|.
//!
//! **Argument.** k̂ = fl(γ/D²) (D² rounded, then the quotient: 2u relative), t̂ = fl(k̂ ŝ): 3u relative of k ŝ, and
//! k Δ for the squared distance: τ = 3.1u t̂ + 1.1 k̂ Δ + TINY. Laplacian: k̂ = fl(γ/D) is off by u, the root by u and the product
//! by u; and |√ŝ − √s| <= min(√Δ, Δ/√ŝ), because (√ŝ + √s) |√ŝ − √s| = |ŝ − s|.
//!
//! **exp.** v̂ = e^−t̂ (1 + η), |η| <= ε = 5u ([`exp`](crate::exp)), and e^−t = e^−t̂ e^{±τ}, so for τ <= 1
//! |v̂ − e^−t| <= v̂ (ε + τ + τ²)/(1 − ε). Where t̂ − τ > 690 both numbers are below 2^-994, and TINY is a bound. Both are in 0 ..= 1
//! (v̂ up to 5u), so 1 + 2^-40 always is one.
//!
//! **Reciprocal.** v̂ = fl(1/fl(1 + t̂)): 2.1u relative to 1/(1 + t̂), and for τ <= (1 + t̂)/4
//! |1/(1 + t̂) − 1/(1 + t)| = |t − t̂|/((1 + t̂)(1 + t)) <= τ/(3/4 (1 + t̂)²) <= 1.4 τ v̂². Otherwise 1.

use super::{Entries, Entry, SLACK, TINY, U, least};
use crate::exp::{LARGEST, RELATIVE, exp_of_minus};

/// k̂, and Δ.
#[derive(Clone, Copy)]
struct Distance {
    factor: f64,
    spread: f64,
    least: f64,
}

impl Distance {
    fn new(entries: &Entries, factor: f64) -> Distance {
        Distance { factor, spread: entries.spread, least: entries.least }
    }

    /// ŝ.
    #[inline(always)]
    fn square(self, p: f64, q: f64, g: f64) -> f64 {
        let s = (p + q) - 2.0 * g;
        if s > 0.0 { s } else { 0.0 }
    }

    /// Δ.
    #[inline(always)]
    fn off(self, p: f64, q: f64) -> f64 {
        self.spread * (p + q) + self.least
    }

    /// t̂ and τ, linear in the squared distance.
    #[inline(always)]
    fn squared(self, p: f64, q: f64, g: f64) -> (f64, f64) {
        let t = self.factor * self.square(p, q, g);
        (t, 3.1 * U * t + 1.1 * self.factor * self.off(p, q) + TINY)
    }
}

/// e^−t; 0 beyond [`LARGEST`].
#[inline(always)]
fn exponential(t: f64) -> f64 {
    let value = exp_of_minus(if t < LARGEST { t } else { LARGEST });
    if t < LARGEST { value } else { 0.0 }
}

/// The bound on the error of [`exponential`].
#[inline(always)]
fn exponential_bound(t: f64, tau: f64, value: f64) -> f64 {
    let near = if tau <= 1.0 { SLACK * value * (RELATIVE + tau + tau * tau) } else { SLACK };
    if t - tau > 690.0 { TINY } else { least(near, SLACK) }
}

/// exp(−γ |x − x'|²).
#[derive(Clone, Copy)]
pub(super) struct Gaussian(Distance);

impl Gaussian {
    pub fn new(entries: &Entries, gamma: f64) -> Gaussian {
        Gaussian(Distance::new(entries, gamma / (entries.divisor * entries.divisor)))
    }
}

impl Entry for Gaussian {
    #[inline(always)]
    fn of(self, p: f64, q: f64, g: f64) -> f64 {
        exponential(self.0.factor * self.0.square(p, q, g))
    }

    #[inline(always)]
    fn bounded(self, p: f64, q: f64, g: f64) -> (f64, f64) {
        let (t, tau) = self.0.squared(p, q, g);
        let value = exponential(t);
        (value, exponential_bound(t, tau, value))
    }

    fn diagonal(self, _: f64) -> (f64, f64) {
        (1.0, 0.0)
    }
}

/// exp(−γ |x − x'|).
#[derive(Clone, Copy)]
pub(super) struct Laplacian(Distance);

impl Laplacian {
    pub fn new(entries: &Entries, gamma: f64) -> Laplacian {
        Laplacian(Distance::new(entries, gamma / entries.divisor))
    }
}

impl Entry for Laplacian {
    #[inline(always)]
    fn of(self, p: f64, q: f64, g: f64) -> f64 {
        exponential(self.0.factor * self.0.square(p, q, g).sqrt())
    }

    #[inline(always)]
    fn bounded(self, p: f64, q: f64, g: f64) -> (f64, f64) {
        let root = self.0.square(p, q, g).sqrt();
        let t = self.0.factor * root;
        let off = self.0.off(p, q);
        // 0/0 where a square without error is 0: the root of the error counts then.
        let of_root = least(off / root, off.sqrt());
        let tau = 3.1 * U * t + 1.1 * self.0.factor * of_root + TINY;
        let value = exponential(t);
        (value, exponential_bound(t, tau, value))
    }

    fn diagonal(self, _: f64) -> (f64, f64) {
        (1.0, 0.0)
    }
}

/// 1/(1 + γ |x − x'|²).
#[derive(Clone, Copy)]
pub(super) struct Rational(Distance);

impl Rational {
    pub fn new(entries: &Entries, gamma: f64) -> Rational {
        Rational(Distance::new(entries, gamma / (entries.divisor * entries.divisor)))
    }
}

impl Entry for Rational {
    #[inline(always)]
    fn of(self, p: f64, q: f64, g: f64) -> f64 {
        1.0 / (1.0 + self.0.factor * self.0.square(p, q, g))
    }

    #[inline(always)]
    fn bounded(self, p: f64, q: f64, g: f64) -> (f64, f64) {
        let (t, tau) = self.0.squared(p, q, g);
        let value = 1.0 / (1.0 + t);
        let near = SLACK * (2.1 * U * value + 1.4 * tau * value * value + TINY);
        (value, if tau <= 0.25 * (1.0 + t) { least(near, SLACK) } else { SLACK })
    }

    fn diagonal(self, _: f64) -> (f64, f64) {
        (1.0, 0.0)
    }
}
