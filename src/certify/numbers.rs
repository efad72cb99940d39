//! Numbers as files spell them, read: each has one spelling, and every other is refused.

use dashu_int::{IBig, UBig};

use shatter_exact::{Dyadic, Rational};

/// Largest exponent of two in absolute value.
const LARGEST_EXPONENT: u64 = 1 << 20;

/// A decimal count below 2^64 without sign or leading zeros.
pub fn count(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = digits && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| canonical)
}

/// `0`, or an odd mantissa in hexadecimal and, unless it is 0, `p` and the exponent of two.
pub fn dyadic(text: &str) -> Option<Dyadic> {
    if text == "0" {
        return Some(Dyadic::ZERO);
    }
    let (mantissa, exponent) = match text.split_once('p') {
        None => (text, 0),
        Some((mantissa, exponent)) => (mantissa, self::exponent(exponent)?),
    };
    let mantissa = integer(mantissa)?;
    let odd = mantissa.trailing_zeros() == Some(0);
    odd.then(|| Dyadic::new(mantissa, exponent))
}

/// Numerator and denominator in lowest terms; numbers that are dyadic are not spelled so.
/// Takes a gcd of numbers as long as the text.
pub fn fraction(text: &str) -> Option<Rational> {
    let (numerator, denominator) = text.split_once('/')?;
    let (numerator, denominator) = (integer(numerator)?, natural(denominator)?);
    let powers = denominator.trailing_zeros()?;
    let is_power = (&denominator >> powers) == UBig::ONE;
    let fraction = Rational::from_parts(numerator.clone(), denominator.clone());
    let lowest = *fraction.numerator() == numerator && *fraction.denominator() == denominator;
    (lowest && !is_power).then_some(fraction)
}

fn exponent(text: &str) -> Option<i64> {
    let magnitude = count(text.strip_prefix('-').unwrap_or(text))?;
    let within = (1..=LARGEST_EXPONENT).contains(&magnitude);
    text.parse().ok().filter(|_| within)
}

fn integer(text: &str) -> Option<IBig> {
    match text.strip_prefix('-') {
        Some(digits) => natural(digits).map(|x| -IBig::from(x)),
        None => natural(text).map(IBig::from),
    }
}

/// A number of at least 1, in hexadecimal.
fn natural(text: &str) -> Option<UBig> {
    let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let canonical = digits && !text.is_empty() && !text.starts_with('0');
    if !canonical {
        return None;
    }
    // Most numbers are short, and these are read ten times as fast.
    match text.len() {
        ..=32 => u128::from_str_radix(text, 16).ok().map(UBig::from),
        _ => UBig::from_str_radix(text, 16).ok(),
    }
}
