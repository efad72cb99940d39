//! Decimal numbers as integers over a power of ten or of two, read from their text without
//! rounding.
//!
//! A decimal is an optional sign, digits with at most one point among them, and optionally an
//! exponent: `-12.50`, `.5`, `1.5e3`. Refused: everything else, numbers that are not a whole
//! multiple of the unit, and multiples beyond 64 bits.

use std::cmp::Ordering;
use std::fmt;

use dashu_int::UBig;

use super::{Base, Scale};

/// Reason why a decimal is not an integer over the scale.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecimalError {
    /// The text is not a decimal number.
    #[error("is not a number")]
    NotDecimal,
    /// It is not a multiple of the unit.
    #[error("is not a multiple of {unit}{}", advice.as_ref().map_or(String::new(), |a| format!(": it needs scale={a}")))]
    NotExact {
        /// The unit, such as `10^-2`.
        unit: String,
        /// The least scale of that base that would do, if there is one.
        advice: Option<String>,
    },
    /// Times the scale it does not fit a 64-bit integer.
    #[error("times {0} does not fit a 64-bit integer")]
    TooLarge(String),
}

/// digits · 10^exponent, up to sign; the digits neither begin nor end with 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

/// Exponents are compared and written up to this size.
const FAR: i64 = 1 << 60;
/// Zeros that are written out before or after the digits; more become an exponent.
const ZEROS: i64 = 40;

impl Decimal {
    /// The number that a text is, exactly; `None` for what is none, and for exponents that are not told apart.
    pub(crate) fn of(text: &str) -> Option<Decimal> {
        let mut decimal = parse(text).filter(|decimal| decimal.exponent.abs() < FAR)?;
        if decimal.digits.is_empty() {
            decimal = Decimal { negative: false, digits: Vec::new(), exponent: 0 };
        }
        Some(decimal)
    }

    /// Position of the first digit: the magnitude is 0.digits · 10^top.
    fn top(&self) -> i64 {
        self.exponent + self.digits.len() as i64
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        let sign = |x: &Decimal| match (x.digits.is_empty(), x.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        // Digits that end where others go on are less: none of them ends with 0.
        let larger = || self.top().cmp(&other.top()).then_with(|| self.digits.cmp(&other.digits));
        sign(self).cmp(&sign(other)).then_with(|| match sign(self) {
            0 => Ordering::Equal,
            1 => larger(),
            _ => larger().reverse(),
        })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The shortest spelling, the same for equal numbers.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits: String = self.digits.iter().map(|&digit| char::from(digit)).collect();
        let sign = if self.negative { "-" } else { "" };
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
        match (self.exponent, self.top()) {
            _ if digits.is_empty() => f.write_str("0"),
            (exponent @ 0..=ZEROS, _) => write!(f, "{sign}{digits}{}", zeros(exponent)),
            (..0, top @ 1..) => {
                let (whole, fraction) = digits.split_at(usize::try_from(top).unwrap_or(0));
                write!(f, "{sign}{whole}.{fraction}")
            }
            (_, top) if (-ZEROS..=0).contains(&top) => write!(f, "{sign}0.{}{digits}", zeros(-top)),
            (exponent, _) => write!(f, "{sign}{digits}e{exponent}"),
        }
    }
}

/// The integer whose quotient by `scale` is exactly the decimal number in `text`.
///
/// # Errors
/// [`DecimalError`].
pub fn to_units(text: &str, scale: Scale) -> Result<i64, DecimalError> {
    let decimal = parse(text).ok_or(DecimalError::NotDecimal)?;
    if decimal.digits.is_empty() {
        return Ok(0);
    }
    let magnitude = match scale.base {
        Base::Ten => in_tenths(&decimal, scale),
        Base::Two => in_halves(&decimal, scale),
    }?;
    let signed = if decimal.negative { -magnitude } else { magnitude };
    i64::try_from(signed).map_err(|_| too_large(scale))
}

fn too_large(scale: Scale) -> DecimalError {
    DecimalError::TooLarge(scale.to_string())
}

fn not_exact(scale: Scale, needed: Option<i64>) -> DecimalError {
    let (base, unit) = match scale.base {
        Base::Two => (2, format!("2^-{}", scale.exponent)),
        Base::Ten => (10, format!("10^-{}", scale.exponent)),
    };
    let unit = if scale.exponent == 0 { "1".into() } else { unit };
    DecimalError::NotExact { unit, advice: needed.map(|needed| format!("{base}^{needed}")) }
}

/// The magnitude times 10^k.
fn in_tenths(decimal: &Decimal, scale: Scale) -> Result<i128, DecimalError> {
    let exponent = decimal.exponent.saturating_add(scale.exponent.into());
    if exponent < 0 {
        return Err(not_exact(scale, decimal.exponent.checked_neg()));
    }
    shifted(decimal, exponent).ok_or_else(|| too_large(scale))
}

/// The magnitude times 2^k.
fn in_halves(decimal: &Decimal, scale: Scale) -> Result<i128, DecimalError> {
    let double = |value: i128, times: u32| {
        let factor = 1i128.checked_shl(times.min(64));
        factor.and_then(|factor| value.checked_mul(factor)).ok_or_else(|| too_large(scale))
    };
    if decimal.exponent >= 0 {
        let value = shifted(decimal, decimal.exponent).ok_or_else(|| too_large(scale))?;
        return double(value, scale.exponent);
    }
    // digits · 2^k / (2^f · 5^f). The digits do not end with 0: if 5^f divides them they are odd.
    let below = decimal.exponent.unsigned_abs();
    let length = decimal.digits.len();
    // 5^f has more than 0.69 f digits, so that a longer f cannot divide; this also bounds the power.
    let power = usize::try_from(below).ok().filter(|&f| f / 2 <= length);
    let Some(power) = power else { return Err(not_exact(scale, None)) };
    let text = std::str::from_utf8(&decimal.digits).map_err(|_| DecimalError::NotDecimal)?;
    let digits = UBig::from_str_radix(text, 10).map_err(|_| DecimalError::NotDecimal)?;
    let fives = UBig::from(5u8).pow(power);
    if &digits % &fives != UBig::ZERO {
        return Err(not_exact(scale, None));
    }
    let Some(times) = u64::from(scale.exponent).checked_sub(below) else {
        return Err(not_exact(scale, i64::try_from(below).ok()));
    };
    let value = i128::try_from(digits / fives).ok().filter(|&value| value <= 1 << 63);
    double(value.ok_or_else(|| too_large(scale))?, u32::try_from(times).unwrap_or(u32::MAX))
}

/// The digits followed by as many zeros, if that is at most 19 digits.
fn shifted(decimal: &Decimal, zeros: i64) -> Option<i128> {
    let zeros = usize::try_from(zeros).ok().filter(|&zeros| zeros <= 19)?;
    if decimal.digits.len() + zeros > 19 {
        return None;
    }
    let digits = decimal.digits.iter().chain(std::iter::repeat_n(&b'0', zeros));
    Some(digits.fold(0i128, |value, digit| 10 * value + i128::from(digit - b'0')))
}

fn parse(text: &str) -> Option<Decimal> {
    let (negative, text) = sign(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, integer(exponent)?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let mut digits: Vec<u8> =
        whole.bytes().chain(fraction.bytes()).skip_while(|&digit| digit == b'0').collect();
    let mut exponent = exponent.saturating_sub_unsigned(fraction.len() as u64);
    while digits.pop_if(|digit| *digit == b'0').is_some() {
        exponent = exponent.saturating_add(1);
    }
    Some(Decimal { negative, digits, exponent })
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// A signed integer; beyond 62 bits its size no longer matters.
fn integer(text: &str) -> Option<i64> {
    let (negative, text) = sign(text);
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = text.bytes().map(|digit| i64::from(digit - b'0'));
    let size = digits.fold(0i64, |size, digit| size.saturating_mul(10).saturating_add(digit));
    let size = size.min(1 << 62);
    Some(if negative { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_become_integers_in_the_unit_of_the_scale() {
        let hundredths = Scale { base: Base::Ten, exponent: 2 };
        assert_eq!(to_units("-1.5e0", hundredths).unwrap(), -150);
        let refused = to_units("0.125", hundredths).unwrap_err().to_string();
        assert_eq!(refused, "is not a multiple of 10^-2: it needs scale=10^3");
        assert_eq!(to_units("0.125", Scale { base: Base::Two, exponent: 4 }).unwrap(), 2);
    }

    proptest! {
        /// In the order of the numbers, one spelling each, which is read back.
        #[test]
        fn decimals_are_ordered_by_value(
            (x, p) in (-2000i64..2000, -5i32..6),
            (y, q) in (-2000i64..2000, -5i32..6),
        ) {
            let value = |x: i64, p: i32| i128::from(x) * 10i128.pow((p + 5) as u32);
            let of = |x: i64, p: i32| Decimal::of(&format!("{x}e{p}")).unwrap();
            prop_assert_eq!(of(x, p).cmp(&of(y, q)), value(x, p).cmp(&value(y, q)));
            let equal = of(x, p).to_string() == of(y, q).to_string();
            prop_assert_eq!(equal, value(x, p) == value(y, q));
            prop_assert_eq!(Decimal::of(&of(x, p).to_string()), Some(of(x, p)));
        }
    }

    #[test]
    fn the_spelling_is_the_shortest() {
        for (text, spelled) in [
            ("+003.1400", "3.14"),
            ("-0.0", "0"),
            ("1e1", "10"),
            ("12345e-3", "12.345"),
            ("1e-3", "0.001"),
            ("-2e400", "-2e400"),
            ("5e-100", "5e-100"),
        ] {
            assert_eq!(Decimal::of(text).map(|x| x.to_string()).as_deref(), Some(spelled));
        }
        assert_eq!(Decimal::of("1e99999999999999999999"), None);
        assert!(Decimal::of("1e400") > Decimal::of("9e399"));
    }
}
