//! Arc-cosine kernels (Y. Cho and L. K. Saul, Kernel methods for deep learning, NIPS 2009).
//!
//! Symbols as in [`super`]; N = |x||x'|, c = cos θ = g/N.
//!
//! **Cosine.** N̂ = fl(√p̂ √q̂) is off by 3u relative, and by γ_d where norms are not exact; ĉ = fl(ĝ/N̂), cut to −1 ..= 1, is off by at
//! most ε = 5u |ĉ| + 3γ_d + TINY (Cauchy–Schwarz: |ĝ − g|/N <= γ_d; u and γ_d enter once more at second order, which 5 and 3
//! cover). This needs p̂, q̂ >= TINY where products are not exact: below, N counts for what it is at most, and ε = 2.
//!
//! **Order 0**, k = 1 − θ/π. |acos ĉ − acos c| <= min(2.23 √ε, ε/√((1 − m)(1 + m))), m = |ĉ| + ε: the mean value theorem for
//! the second; the first because an interval of length ε moves acos most at an end of −1 ..= 1, where
//! acos(1 − ε) = 2 asin √(ε/2) <= π √(ε/2). acos itself is off by 10u ([`acos`](crate::acos)); the division by π, the
//! subtraction and the constant add at most 4u: 0.32 · (10u + …) + 4u.
//!
//! **Order 1**, k = N J/π with J(c) = √(1 − c²) + (π − acos c) c. dJ/dc = π − θ, so |J(ĉ) − J(c)| <= π ε: no root. J(ĉ) is computed from
//! √((1 − ĉ)(1 + ĉ)) (3u), π − acos ĉ (10u, 2u for π, 2u for the difference), the product (4u) and the sum (4u): 25u. The product with N̂
//! and the division by π: |k̂ − k| <= N̂ (0.32 · 25u + 1.01ε) + k̂ (8u + 1.1γ_d).

use std::f64::consts::PI;

use super::{Entries, Entry, SLACK, TINY, U, least};
use crate::acos::{ABSOLUTE, acos};

/// N̂, ĉ and ε.
#[derive(Clone, Copy)]
struct Cosine {
    inner: f64,
}

impl Cosine {
    /// N̂ and ĉ: 0 for the zero vector.
    #[inline(always)]
    fn of(self, p: f64, q: f64, g: f64) -> (f64, f64) {
        let size = p.sqrt() * q.sqrt();
        let cosine = g / size;
        let cosine = if cosine < 1.0 { cosine } else { 1.0 };
        let cosine = if cosine > -1.0 { cosine } else { -1.0 };
        (size, if size > 0.0 { cosine } else { 0.0 })
    }

    /// ε.
    #[inline(always)]
    fn off(self, p: f64, q: f64, cosine: f64) -> f64 {
        let small = if p < q { p } else { q };
        let off = SLACK * (5.0 * U * cosine.abs() + 3.0 * self.inner + TINY);
        let known = small >= TINY || (small == 0.0 && self.inner == 0.0);
        if known { off } else { 2.0 }
    }
}

/// 1 − θ/π.
#[derive(Clone, Copy)]
pub(super) struct Zero(Cosine);

impl Zero {
    pub fn new(entries: &Entries) -> Zero {
        Zero(Cosine { inner: entries.inner })
    }
}

impl Entry for Zero {
    #[inline(always)]
    fn of(self, p: f64, q: f64, g: f64) -> f64 {
        1.0 - acos(self.0.of(p, q, g).1) / PI
    }

    #[inline(always)]
    fn bounded(self, p: f64, q: f64, g: f64) -> (f64, f64) {
        let (_, cosine) = self.0.of(p, q, g);
        let value = 1.0 - acos(cosine) / PI;
        let off = self.0.off(p, q, cosine);
        let most = cosine.abs() + off;
        // The sum is off by u at most, and 1 − m may be as small; where it is not positive the root is NaN, or infinite its quotient.
        let rest = (1.0 - most) - U;
        let slope = off / (rest * (1.0 + most)).sqrt();
        let turned = least(slope, 2.23 * off.sqrt());
        (value, least(SLACK * (0.32 * (ABSOLUTE + turned) + 4.0 * U), 1.0 + 8.0 * U))
    }

    fn diagonal(self, p: f64) -> (f64, f64) {
        if p > 0.0 { (1.0, 0.0) } else { self.bounded(p, p, p) }
    }
}

/// N J/π.
#[derive(Clone, Copy)]
pub(super) struct One {
    cosine: Cosine,
    square: f64,
    rounding: f64,
}

impl One {
    pub fn new(entries: &Entries) -> One {
        let square = entries.divisor * entries.divisor;
        let rounding = 8.0 * U + 1.1 * entries.inner;
        One { cosine: Cosine { inner: entries.inner }, square, rounding }
    }

    #[inline(always)]
    fn value(self, size: f64, cosine: f64) -> f64 {
        let sine = ((1.0 - cosine) * (1.0 + cosine)).sqrt();
        let angles = sine + (PI - acos(cosine)) * cosine;
        size / self.square * (angles / PI)
    }
}

impl Entry for One {
    #[inline(always)]
    fn of(self, p: f64, q: f64, g: f64) -> f64 {
        let (size, cosine) = self.cosine.of(p, q, g);
        self.value(size, cosine)
    }

    #[inline(always)]
    fn bounded(self, p: f64, q: f64, g: f64) -> (f64, f64) {
        let (size, cosine) = self.cosine.of(p, q, g);
        let value = self.value(size, cosine);
        let off = self.cosine.off(p, q, cosine);
        // Below TINY the square of a norm is known to TINY only.
        let grown = (p + TINY).sqrt() * (q + TINY).sqrt();
        let size = if off < 2.0 { size } else { grown };
        let off = size / self.square * (8.0 * U + 1.01 * off) + value.abs() * self.rounding;
        (value, SLACK * (off + TINY))
    }

    fn diagonal(self, p: f64) -> (f64, f64) {
        // θ = 0: |x|².
        let value = p / self.square;
        let inner = self.cosine.inner;
        let off = if inner == 0.0 { 0.0 } else { 1.1 * inner * value + TINY };
        (value, SLACK * (off + 2.1 * U * value + TINY))
    }
}
