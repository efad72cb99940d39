//! The checker's own numbers: m · 2^e, and fractions, as the format spells them.

use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

/// Largest exponent of two in absolute value: sums of a few of them cannot overflow.
const EXPONENT_LIMIT: u64 = 1 << 20;

/// mantissa · 2^exponent, in the one spelling: an odd mantissa, or 0 and exponent 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binary {
    /// Odd, or 0.
    pub mantissa: IBig,
    /// Exponent of two.
    pub exponent: i64,
}

/// Any number of the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Number {
    /// A dyadic number.
    Binary(Binary),
    /// Any other fraction.
    Fraction(RBig),
}

fn magnitude(text: &str) -> Option<UBig> {
    let digits = text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    if text.is_empty() || text.starts_with('0') || !digits {
        return None;
    }
    if text.len() <= 32 {
        return u128::from_str_radix(text, 16).ok().map(UBig::from);
    }
    UBig::from_str_radix(text, 16).ok()
}

fn signed(text: &str) -> Option<IBig> {
    match text.strip_prefix('-') {
        Some(rest) => magnitude(rest).map(|m| -IBig::from(m)),
        None => magnitude(text).map(IBig::from),
    }
}

fn is_odd(x: &IBig) -> bool {
    x.trailing_zeros() == Some(0)
}

impl Binary {
    /// 0.
    pub const ZERO: Binary = Binary { mantissa: IBig::ZERO, exponent: 0 };

    /// The number that `text` spells; `None` if it is not the one spelling of a number.
    pub fn parse(text: &str) -> Option<Binary> {
        if text == "0" {
            return Some(Binary::ZERO);
        }
        let (mantissa, exponent) = match text.split_once('p') {
            None => (signed(text)?, 0),
            Some((mantissa, exponent)) => {
                let value: i64 = exponent.parse().ok()?;
                let canonical = value != 0 && value.to_string() == exponent;
                if !canonical || value.unsigned_abs() > EXPONENT_LIMIT {
                    return None;
                }
                (signed(mantissa)?, value)
            }
        };
        is_odd(&mantissa).then_some(Binary { mantissa, exponent })
    }

    /// A finite binary64 number, from its bits.
    pub fn from_f64(x: f64) -> Binary {
        let bits = x.to_bits();
        let field = (bits >> 52) & 0x7ff;
        let fraction = bits & 0x000f_ffff_ffff_ffff;
        let (mut m, mut e) = match field {
            0 => (fraction, -1074),
            _ => (fraction + (1 << 52), field as i64 - 1075),
        };
        if m == 0 {
            return Binary::ZERO;
        }
        while m % 2 == 0 {
            m /= 2;
            e += 1;
        }
        let mantissa = IBig::from(m);
        Binary { mantissa: if bits >> 63 == 1 { -mantissa } else { mantissa }, exponent: e }
    }

    /// A machine integer.
    pub fn from_integer(x: i64) -> Binary {
        match x.trailing_zeros() {
            64 => Binary::ZERO,
            zeros => Binary { mantissa: IBig::from(x >> zeros), exponent: i64::from(zeros) },
        }
    }

    /// Bits from the highest to 2^`grain`, for a grain at most the exponent.
    pub fn span(&self, grain: i64) -> u64 {
        if self.mantissa == IBig::ZERO {
            return 0;
        }
        bit_length(&self.mantissa) + (self.exponent - grain).unsigned_abs()
    }

    /// The number over 2^`grain`, for a grain at most the exponent.
    pub fn over(&self, grain: i64) -> IBig {
        if self.mantissa == IBig::ZERO {
            return IBig::ZERO;
        }
        &self.mantissa << (self.exponent - grain).unsigned_abs() as usize
    }

    /// Numerator, denominator and sign bits.
    pub fn bits(&self) -> u64 {
        // The power of two lengthens the numerator or the denominator, which has one bit otherwise.
        bit_length(&self.mantissa) + self.exponent.unsigned_abs() + 2
    }
}

impl Number {
    /// The number that `text` spells; `None` if it is not the one spelling of a number. A fraction
    /// is brought to lowest terms to see that it already is; the caller bounds its length.
    pub fn parse(text: &str) -> Option<Number> {
        let Some((numerator, denominator)) = text.split_once('/') else {
            return Binary::parse(text).map(Number::Binary);
        };
        let (numerator, denominator) = (signed(numerator)?, magnitude(denominator)?);
        let odd_part = denominator.trailing_zeros().map(|zeros| &denominator >> zeros)?;
        if odd_part == UBig::ONE {
            return None; // a dyadic number, which has another spelling
        }
        let fraction = RBig::from_parts(numerator.clone(), denominator.clone());
        let lowest = *fraction.numerator() == numerator && *fraction.denominator() == denominator;
        lowest.then_some(Number::Fraction(fraction))
    }

    /// Returns whether the number is 0.
    pub fn is_zero(&self) -> bool {
        matches!(self, Number::Binary(binary) if *binary == Binary::ZERO)
    }

    /// m · 2^e / q with odd m and q, q >= 1; m = 0 for 0.
    pub fn parts(&self) -> (IBig, i64, IBig) {
        match self {
            Number::Binary(binary) => (binary.mantissa.clone(), binary.exponent, IBig::ONE),
            Number::Fraction(fraction) => {
                let (mut m, mut q) = (fraction.numerator().clone(), fraction.denominator().clone());
                // In lowest terms at most one of them is even.
                let (up, down) = (m.trailing_zeros().unwrap_or(0), q.trailing_zeros().unwrap_or(0));
                m >>= up;
                q >>= down;
                (m, up as i64 - down as i64, IBig::from(q))
            }
        }
    }

    /// Numerator, denominator and sign bits.
    pub fn bits(&self) -> u64 {
        match self {
            Number::Binary(binary) => binary.bits(),
            Number::Fraction(f) => {
                bit_length(f.numerator()) + bit_length(f.denominator().as_ibig()) + 1
            }
        }
    }
}

/// Bits of |x|.
pub fn bit_length(x: &IBig) -> u64 {
    let (_, words) = x.as_sign_words();
    match words.last() {
        Some(top) => words.len() as u64 * 64 - u64::from(top.leading_zeros()),
        None => 0,
    }
}
