//! Floating-point formats: which numbers they have, and when a sum of them rounds nothing.

use std::fmt;

use super::Dyadic;
use super::dyadic::decompose;

/// A binary floating-point format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// binary16: 11 bits.
    F16,
    /// bfloat16: 8 bits, the exponents of binary32.
    Bf16,
    /// binary32: 24 bits.
    F32,
    /// binary64: 53 bits.
    F64,
}

impl Format {
    /// Its name: `f16`, `bf16`, `f32`, `f64`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::F16 => "f16",
            Format::Bf16 => "bf16",
            Format::F32 => "f32",
            Format::F64 => "f64",
        }
    }

    /// Bits of a significand, the leading one included.
    #[must_use]
    pub fn bits(self) -> u64 {
        match self {
            Format::F16 => 11,
            Format::Bf16 => 8,
            Format::F32 => 24,
            Format::F64 => 53,
        }
    }

    /// Exponent of the smallest normal number.
    #[must_use]
    pub fn lowest(self) -> i64 {
        match self {
            Format::F16 => -14,
            Format::Bf16 | Format::F32 => -126,
            Format::F64 => -1022,
        }
    }

    /// Exponent of the largest power of two.
    #[must_use]
    pub fn highest(self) -> i64 {
        match self {
            Format::F16 => 15,
            Format::Bf16 | Format::F32 => 127,
            Format::F64 => 1023,
        }
    }

    /// The smallest normal number: what is below it, a runtime may take for zero.
    #[must_use]
    pub fn smallest_normal(self) -> f64 {
        2f64.powi(self.lowest() as i32)
    }

    /// The number of this format nearest to `x`, ties to even; infinite beyond its range.
    ///
    /// ```
    /// use shatter_exact::Format;
    /// assert_eq!(Format::F32.nearest(0.1), f64::from(0.1f32));
    /// assert_eq!(Format::Bf16.nearest(1.0 + 1.0 / 256.0), 1.0); // a tie
    /// assert_eq!(Format::F16.nearest(65520.0), f64::INFINITY);
    /// assert_eq!(Format::F16.nearest(3e-8), 2f64.powi(-25) * 2.0);
    /// ```
    #[must_use]
    pub fn nearest(self, x: f64) -> f64 {
        match self {
            Format::F64 => x,
            Format::F32 => f64::from(x as f32),
            Format::F16 | Format::Bf16 if !x.is_finite() || x == 0.0 => x,
            Format::F16 | Format::Bf16 => {
                // The exponent of the last bit that a number of this size has.
                let top = x.abs().log2().floor() as i32;
                let top = if 2f64.powi(top) > x.abs() { top - 1 } else { top };
                let last = (top as i64).max(self.lowest()) - (self.bits() as i64 - 1);
                let unit = 2f64.powi(last as i32);
                let rounded = (x / unit).round_ties_even() * unit;
                let largest =
                    2f64.powi(self.highest() as i32) * (2.0 - 2f64.powi(1 - self.bits() as i32));
                if rounded.abs() > largest { f64::INFINITY.copysign(x) } else { rounded }
            }
        }
    }

    /// Returns whether the format has this number.
    #[must_use]
    pub fn has(self, x: f64) -> bool {
        x.is_finite() && self.nearest(x) == x
    }

    /// Returns whether every runtime takes these numbers as they are: they are 0 or normal. Numbers below the
    /// normal range are flushed to 0 by some.
    #[must_use]
    pub fn all_normal(self, values: &[f64]) -> bool {
        let smallest = self.smallest_normal();
        values.iter().all(|&x| x == 0.0 || x.abs() >= smallest)
    }

    /// The same number in binary64, if it is 0 or a normal number of the format: what every runtime
    /// takes as it is.
    ///
    /// ```
    /// use shatter_exact::{Dyadic, Format};
    /// assert_eq!(Format::F32.normal(&Dyadic::new(3, -127)), Some(3.0 * 2f64.powi(-127)));
    /// assert_eq!(Format::F32.normal(&Dyadic::new(1, -127)), None); // flushed to 0 by some
    /// assert_eq!(Format::F32.normal(&Dyadic::new((1 << 24) + 1, 0)), None);
    /// ```
    #[must_use]
    pub fn normal(self, x: &Dyadic) -> Option<f64> {
        x.to_f64().filter(|&x| self.has(x) && self.all_normal(&[x]))
    }

    /// Returns whether sums of terms that are multiples of 2^`grain`, with Σ|term| <= `size`, never round:
    /// in any order, fused or not. Then every partial sum is a multiple of 2^grain and at most
    /// 2^(grain + bits), hence a number of the format (DESIGN.md, "When binary64 rounds nothing").
    ///
    /// ```
    /// use shatter_exact::Format;
    /// assert!(Format::F32.never_rounds(0, 2f64.powi(24)));
    /// assert!(!Format::F32.never_rounds(0, 2f64.powi(24) + 2.0));
    /// assert!(!Format::F64.never_rounds(-1023, 2f64.powi(-1000))); // below the normal range
    /// ```
    #[must_use]
    pub fn never_rounds(self, grain: i64, size: f64) -> bool {
        let top = grain.saturating_add(self.bits() as i64);
        // Sizes are products, too, and may have underflowed: only zeros alone are exact without a look.
        if grain >= ZEROS / 2 {
            return size == 0.0;
        }
        grain >= self.lowest()
            && (top > self.highest() || size <= 2f64.powi(top as i32))
            && size < 2f64.powi(self.highest() as i32)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The grain of zeros alone: larger than the exponent of any number, since 0 is a multiple of everything.
pub const ZEROS: i64 = 1 << 20;

/// The grain of a number: the exponent of its last bit that is set; [`ZEROS`] for 0, and −[`ZEROS`] for
/// what is not finite.
#[must_use]
pub fn grain(x: f64) -> i64 {
    match decompose(x) {
        Ok((0, _)) => ZEROS,
        Ok((_, exponent)) => exponent,
        Err(_) => -ZEROS,
    }
}

/// The largest exponent e so that all are multiples of 2^e.
#[must_use]
pub fn common_grain(values: &[f64]) -> i64 {
    values.iter().map(|&x| grain(x)).min().unwrap_or(ZEROS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against binary16 and bfloat16 by their bits: neighbours on both sides are not nearer.
        #[test]
        fn nearest_is_nearest(x in any::<f32>(), exponent in -30i32..20) {
            for (format, x) in [
                (Format::Bf16, f64::from(x)),
                (Format::F16, f64::from(x % 4.0) * 2f64.powi(exponent)),
            ] {
                if !x.is_finite() { continue; }
                let y = format.nearest(x);
                if !y.is_finite() { continue; }
                prop_assert_eq!(format.nearest(y), y);
                let step = 2f64.powi((y.abs().max(format.smallest_normal()).log2().floor() as i32) - format.bits() as i32 + 1);
                prop_assert!((x - y).abs() <= step / 2.0);
            }
        }
    }
}
