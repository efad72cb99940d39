//! Kernels of the inner product.
//!
//! Symbols as in [`super`]. |ĝ − g| <= Γ = γ_d (p̂ + q̂)/(2 (1 − γ_d)), since |x||x'| <= (p + q)/2; 0 where products are exact.
//!
//! **Linear.** fl(ĝ/fl(D²)): 2.1u relative, and Γ/D²; where D = 1 no rounding.
//!
//! **Polynomial.** b = a g/D² + c. â = fl(a/fl(D²)) is off by 2u relative, so b̂ = fl(fl(â ĝ) + c) is off by at most
//! β = 3.1u |â ĝ| + 1.1u |b̂| + 1.1 â Γ + TINY. v̂ = b̂ · … · b̂: m − 1 products, γ_m |v̂| for their rounding and m TINY max(1, |b̂|)^m
//! for underflow (with a factor below 1 only: a product of larger ones does not underflow). |b̂^m − b^m| <= m β (|b̂| + β)^{m−1}.

use super::{Entries, Entry, SLACK, TINY, U, gamma};

/// Γ.
#[derive(Clone, Copy)]
struct Product {
    spread: f64,
    least: f64,
}

impl Product {
    fn new(entries: &Entries) -> Product {
        let spread = match entries.inner {
            0.0 => 0.0,
            inner => inner / (2.0 * (1.0 - inner)) * SLACK,
        };
        Product { spread, least: entries.least }
    }

    #[inline(always)]
    fn off(self, p: f64, q: f64) -> f64 {
        self.spread * (p + q) + self.least
    }
}

/// <x, x'>.
#[derive(Clone, Copy)]
pub(super) struct Linear {
    product: Product,
    divisor: f64,
    rounding: f64,
    tiny: f64,
}

impl Linear {
    pub fn new(entries: &Entries) -> Linear {
        let one = entries.divisor == 1.0;
        Linear {
            product: Product::new(entries),
            divisor: entries.divisor * entries.divisor,
            rounding: if one { 0.0 } else { 2.1 * U },
            tiny: if one { 0.0 } else { TINY },
        }
    }
}

impl Entry for Linear {
    #[inline(always)]
    fn of(self, _: f64, _: f64, g: f64) -> f64 {
        g / self.divisor
    }

    #[inline(always)]
    fn bounded(self, p: f64, q: f64, g: f64) -> (f64, f64) {
        let value = g / self.divisor;
        let off = 1.1 * self.product.off(p, q) / self.divisor;
        (value, SLACK * (off + self.rounding * value.abs() + self.tiny))
    }

    fn diagonal(self, p: f64) -> (f64, f64) {
        self.bounded(p, p, p)
    }
}

/// (a <x, x'> + c)^m.
#[derive(Clone, Copy)]
pub(super) struct Polynomial {
    product: Product,
    degree: u32,
    offset: f64,
    factor: f64,
    /// γ_m.
    powers: f64,
}

impl Polynomial {
    pub fn new(entries: &Entries, degree: u32, offset: f64, scale: f64) -> Polynomial {
        Polynomial {
            product: Product::new(entries),
            degree,
            offset,
            factor: scale / (entries.divisor * entries.divisor),
            powers: gamma(degree as usize),
        }
    }

    #[inline(always)]
    fn power(self, base: f64, degree: u32) -> f64 {
        let mut value = 1.0;
        for _ in 0..degree {
            value *= base;
        }
        value
    }
}

impl Entry for Polynomial {
    #[inline(always)]
    fn of(self, _: f64, _: f64, g: f64) -> f64 {
        self.power(self.factor * g + self.offset, self.degree)
    }

    #[inline(always)]
    fn bounded(self, p: f64, q: f64, g: f64) -> (f64, f64) {
        let product = self.factor * g;
        let base = product + self.offset;
        let value = self.power(base, self.degree);
        let beta = 3.1 * U * product.abs()
            + 1.1 * U * base.abs()
            + 1.1 * self.factor * self.product.off(p, q)
            + TINY;
        let size = base.abs() + beta;
        let m = f64::from(self.degree);
        let larger = if size > 1.0 { size } else { 1.0 };
        let off = m * beta * self.power(size, self.degree - 1);
        let underflow = m * TINY * self.power(larger, self.degree);
        (value, SLACK * (off + self.powers * value.abs() + underflow))
    }

    fn diagonal(self, p: f64) -> (f64, f64) {
        self.bounded(p, p, p)
    }
}
