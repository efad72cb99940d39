//! A dyadic rational `m · 2^e`, kept with odd `m`, so that equal numbers have
//! one representation.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, Mul, Neg, Sub};

use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

use super::{bit_length, trailing_zeros};

/// Mantissa bits of binary64.
pub const F64_BITS: u64 = 53;

/// The exact number `mantissa · 2^exponent`.
///
/// The mantissa is odd, or it is 0 and the exponent is 0: `==` is equality of
/// numbers.
///
/// ```
/// use shatter_exact::Dyadic;
/// let x = Dyadic::try_from(0.1)?;                  // the double nearest to 0.1
/// assert_ne!(&(&x + &x) + &x, Dyadic::try_from(0.3)?); // 3 · 0.1 is not the double 0.3
/// assert_eq!((&x + &x).to_f64(), Some(0.2));
/// # Ok::<(), shatter_exact::NotFinite>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dyadic {
    mantissa: IBig,
    exponent: i64,
}

/// The value was NaN or infinite: it is not a number of the real line.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{0} is not a finite number")]
pub struct NotFinite(pub f64);

impl Dyadic {
    /// 0.
    pub const ZERO: Dyadic = Dyadic { mantissa: IBig::ZERO, exponent: 0 };
    /// 1.
    pub const ONE: Dyadic = Dyadic { mantissa: IBig::ONE, exponent: 0 };

    /// `mantissa · 2^exponent`, brought to the normal form.
    ///
    /// ```
    /// use shatter_exact::Dyadic;
    /// assert_eq!(Dyadic::new(12, -2), Dyadic::new(3, 0));
    /// ```
    pub fn new(mantissa: impl Into<IBig>, exponent: i64) -> Dyadic {
        let mantissa = mantissa.into();
        match trailing_zeros(&mantissa) {
            None => Dyadic::ZERO,
            Some(0) => Dyadic { mantissa, exponent },
            Some(zeros) => {
                Dyadic { mantissa: mantissa >> zeros as usize, exponent: exponent + zeros as i64 }
            }
        }
    }

    /// `2^exponent`.
    #[must_use]
    pub fn power_of_two(exponent: i64) -> Dyadic {
        Dyadic { mantissa: IBig::ONE, exponent }
    }

    /// The odd mantissa, or 0.
    #[must_use]
    pub fn mantissa(&self) -> &IBig {
        &self.mantissa
    }

    /// The exponent of the odd mantissa; `None` for 0, which is a multiple of every power of two.
    #[must_use]
    pub fn grain(&self) -> Option<i64> {
        (!self.is_zero()).then_some(self.exponent)
    }

    /// `floor(log2 |x|)`; `None` for 0.
    #[must_use]
    pub fn log2_floor(&self) -> Option<i64> {
        (!self.is_zero()).then(|| self.exponent + bit_length(&self.mantissa) as i64 - 1)
    }

    /// Returns whether the number is 0.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.mantissa.is_zero()
    }

    /// Returns whether the number is below 0.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.mantissa < IBig::ZERO
    }

    /// `|x|`.
    #[must_use]
    pub fn abs(&self) -> Dyadic {
        if self.is_negative() { -self } else { self.clone() }
    }

    /// `x · 2^shift`.
    #[must_use]
    pub fn scale(&self, shift: i64) -> Dyadic {
        if self.is_zero() {
            return Dyadic::ZERO;
        }
        Dyadic { mantissa: self.mantissa.clone(), exponent: self.exponent + shift }
    }

    /// `x / 2^exponent` as an integer. The caller chooses `exponent` at most the [`grain`](Self::grain);
    /// bits below it are dropped.
    #[must_use]
    pub fn in_units_of(&self, exponent: i64) -> IBig {
        let shift = self.exponent - exponent;
        if shift >= 0 {
            &self.mantissa << shift as usize
        } else {
            &self.mantissa >> shift.unsigned_abs() as usize
        }
    }

    /// The binary64 number that equals `x`, if there is one (subnormals included).
    ///
    /// ```
    /// use shatter_exact::Dyadic;
    /// assert_eq!(Dyadic::new(1, -1074).to_f64(), Some(5e-324));
    /// assert_eq!(Dyadic::new((1i64 << 53) + 1, 0).to_f64(), None);
    /// ```
    #[must_use]
    pub fn to_f64(&self) -> Option<f64> {
        let Some(top) = self.log2_floor() else { return Some(0.0) };
        let fits = bit_length(&self.mantissa) <= F64_BITS && self.exponent >= -1074 && top <= 1023;
        fits.then(|| self.round_f64())
    }

    /// The binary32 number that equals `x`, if there is one.
    #[must_use]
    pub fn to_f32(&self) -> Option<f32> {
        let wide = self.to_f64()?;
        (f64::from(wide as f32) == wide).then_some(wide as f32)
    }

    /// The binary64 number nearest to `x`, ties to even; beyond the largest it is an infinity.
    ///
    /// ```
    /// use shatter_exact::Dyadic;
    /// assert_eq!(Dyadic::new((1i64 << 53) + 1, 0).round_f64(), 9007199254740992.0);
    /// assert_eq!(Dyadic::new(3, -1076).round_f64(), 5e-324);
    /// ```
    #[must_use]
    pub fn round_f64(&self) -> f64 {
        let Some(top) = self.log2_floor() else { return 0.0 };
        if top > 1024 {
            return if self.is_negative() { f64::NEG_INFINITY } else { f64::INFINITY };
        }
        // Keep the bits that binary64 has at this magnitude, and a sticky bit below them.
        let last = (top - F64_BITS as i64 + 1).max(-1074);
        if self.exponent >= last {
            return power_scaled(self.in_units_of(last), last);
        }
        let units = self.abs().in_units_of(last);
        let rest = &self.abs() - &Dyadic::new(units.clone(), last);
        let half = Dyadic::power_of_two(last - 1);
        let odd = trailing_zeros(&units) == Some(0);
        let up = match rest.cmp(&half) {
            Ordering::Less => false,
            Ordering::Equal => odd,
            Ordering::Greater => true,
        };
        let rounded = power_scaled(if up { units + IBig::ONE } else { units }, last);
        if self.is_negative() { -rounded } else { rounded }
    }

    /// Returns the same number as a fraction in lowest terms.
    #[must_use]
    pub fn to_rational(&self) -> RBig {
        if self.exponent >= 0 {
            RBig::from(&self.mantissa << self.exponent as usize)
        } else {
            let denominator = UBig::ONE << self.exponent.unsigned_abs() as usize;
            RBig::from_parts(self.mantissa.clone(), denominator)
        }
    }

    /// The number as a dyadic, if the denominator of the fraction is a power of two.
    #[must_use]
    pub fn from_rational(x: &RBig) -> Option<Dyadic> {
        let denominator = x.denominator();
        let power = denominator.trailing_zeros()?;
        let is_power = (denominator >> power).is_one();
        is_power.then(|| Dyadic::new(x.numerator().clone(), -(power as i64)))
    }

    /// Storage as counted in the tables: numerator, denominator and sign bits.
    #[must_use]
    pub fn bits(&self) -> u64 {
        let length = bit_length(&self.mantissa);
        let (numerator, denominator) = if self.exponent >= 0 {
            (length + if self.is_zero() { 0 } else { self.exponent as u64 }, 1)
        } else {
            (length, self.exponent.unsigned_abs() + 1)
        };
        numerator + denominator + 1
    }
}

/// `units · 2^exponent` for at most 54 bits of units: two exact multiplications by powers of two.
fn power_scaled(units: IBig, exponent: i64) -> f64 {
    let units = units.to_f64().value();
    let first = exponent.clamp(-500, 500);
    let rest = exponent - first;
    units * 2f64.powi(first as i32) * 2f64.powi(rest as i32)
}

impl TryFrom<f64> for Dyadic {
    type Error = NotFinite;

    fn try_from(x: f64) -> Result<Dyadic, NotFinite> {
        let (mantissa, exponent) = decompose(x)?;
        Ok(Dyadic::new(mantissa, exponent))
    }
}

/// `(m, e)` with `x = m · 2^e`, m odd or 0, |m| < 2^53. Minus zero is zero.
///
/// ```
/// use shatter_exact::dyadic::decompose;
/// assert_eq!(decompose(-0.75)?, (-3, -2));
/// # Ok::<(), shatter_exact::NotFinite>(())
/// ```
pub fn decompose(x: f64) -> Result<(i64, i64), NotFinite> {
    if !x.is_finite() {
        return Err(NotFinite(x));
    }
    let bits = x.to_bits();
    let biased = (bits >> 52 & 0x7ff) as i64;
    let fraction = (bits & ((1 << 52) - 1)) as i64;
    let (magnitude, exponent) =
        if biased == 0 { (fraction, -1074) } else { (fraction | 1 << 52, biased - 1075) };
    if magnitude == 0 {
        return Ok((0, 0));
    }
    let zeros = magnitude.trailing_zeros();
    let odd = magnitude >> zeros;
    Ok((if bits >> 63 == 1 { -odd } else { odd }, exponent + i64::from(zeros)))
}

impl From<i64> for Dyadic {
    fn from(x: i64) -> Dyadic {
        Dyadic::new(x, 0)
    }
}

/// Both mantissas over the smaller of the two exponents.
fn aligned(x: &Dyadic, y: &Dyadic) -> (IBig, IBig, i64) {
    if x.is_zero() {
        return (IBig::ZERO, y.mantissa.clone(), y.exponent);
    }
    if y.is_zero() {
        return (x.mantissa.clone(), IBig::ZERO, x.exponent);
    }
    let exponent = x.exponent.min(y.exponent);
    (x.in_units_of(exponent), y.in_units_of(exponent), exponent)
}

impl Add for &Dyadic {
    type Output = Dyadic;
    fn add(self, other: &Dyadic) -> Dyadic {
        let (x, y, exponent) = aligned(self, other);
        Dyadic::new(x + y, exponent)
    }
}

impl Sub for &Dyadic {
    type Output = Dyadic;
    fn sub(self, other: &Dyadic) -> Dyadic {
        let (x, y, exponent) = aligned(self, other);
        Dyadic::new(x - y, exponent)
    }
}

impl Mul for &Dyadic {
    type Output = Dyadic;
    fn mul(self, other: &Dyadic) -> Dyadic {
        if self.is_zero() || other.is_zero() {
            return Dyadic::ZERO;
        }
        Dyadic {
            mantissa: &self.mantissa * &other.mantissa,
            exponent: self.exponent + other.exponent,
        }
    }
}

impl Neg for &Dyadic {
    type Output = Dyadic;
    fn neg(self) -> Dyadic {
        Dyadic { mantissa: -&self.mantissa, exponent: self.exponent }
    }
}

impl PartialOrd for Dyadic {
    fn partial_cmp(&self, other: &Dyadic) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Dyadic {
    fn cmp(&self, other: &Dyadic) -> Ordering {
        let (x, y, _) = aligned(self, other);
        x.cmp(&y)
    }
}

/// Integers in decimal, other numbers as `m*2^e`.
impl fmt::Display for Dyadic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exponent {
            0 => write!(f, "{}", self.mantissa),
            1..=64 => write!(f, "{}", self.in_units_of(0)),
            exponent => write!(f, "{}*2^{exponent}", self.mantissa),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_finite_double_survives(bits in any::<u64>()) {
            let x = f64::from_bits(bits);
            match Dyadic::try_from(x) {
                Ok(exact) => {
                    prop_assert_eq!(exact.to_f64(), Some(x + 0.0));
                    prop_assert_eq!(exact.round_f64(), x);
                    prop_assert_eq!(Dyadic::from_rational(&exact.to_rational()), Some(exact));
                }
                Err(_) => prop_assert!(!x.is_finite()),
            }
        }

        #[test]
        fn rounding_agrees_with_the_processor(x in any::<f64>(), y in any::<f64>()) {
            prop_assume!(x.is_finite() && y.is_finite());
            let (p, q) = (Dyadic::try_from(x).unwrap(), Dyadic::try_from(y).unwrap());
            prop_assert_eq!((&p + &q).round_f64(), x + y);
            prop_assert_eq!((&p - &q).round_f64(), x - y);
            prop_assert_eq!((&p * &q).round_f64(), x * y);
            prop_assert_eq!(p.cmp(&q), x.partial_cmp(&y).unwrap());
        }
    }
}
