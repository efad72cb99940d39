//! Names of classes: which numbers they are, when two name one class, and how files write them.
//!
//! A name is text as a table has it. Names that are decimals without exponent (`3`, `+3`, `03`, `3.0`) are
//! numbers, and are compared by value, exactly and whatever their length; all other names are compared as text.

use std::borrow::Cow;

/// The largest number that a class may have by itself; classes beyond it need names.
pub const LARGEST: u32 = u32::MAX - 1;

/// Sign, digits before the point without leading zeros, digits after it without trailing ones.
fn decimal(name: &str) -> Option<(bool, &str, &str)> {
    let (negative, digits) = match name.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, name.strip_prefix('+').unwrap_or(name)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let zero = whole.is_empty() && fraction.is_empty();
    Some((negative && !zero, whole, fraction))
}

/// Canonical name of a class, equal for two names exactly if they name the same class: the shortest spelling of a
/// decimal, and any other name as it is.
///
/// ```
/// use shatter_sample::class_name::key;
/// assert_eq!((key("+03.0"), key("-0.50"), key("1e3")), ("3".into(), "-0.5".into(), "1e3".into()));
/// ```
#[must_use]
pub fn key(name: &str) -> Cow<'_, str> {
    let Some((negative, whole, fraction)) = decimal(name) else { return Cow::Borrowed(name) };
    let sign = if negative { "-" } else { "" };
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    Cow::Owned(format!("{sign}{whole}{point}{fraction}"))
}

/// Returns whether both name one class: the same text, or the same number.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    one == other || key(one) == key(other)
}

/// The number that a name is, if it is a non-negative whole number of at most [`LARGEST`].
///
/// ```
/// use shatter_sample::class_name::number;
/// assert_eq!(["7", "+07", "7.00"].map(number), [Some(7); 3]);
/// assert_eq!(["-7", "7.5", "7e0", "seven", "4294967295", ""].map(number), [None; 6]);
/// ```
#[must_use]
pub fn number(name: &str) -> Option<u32> {
    match decimal(name)? {
        (false, "", "") => Some(0),
        (false, whole, "") => whole.parse().ok().filter(|&number| number <= LARGEST),
        _ => None,
    }
}

/// The name as files of printable ASCII write it: Rust's escapes for a backslash, a quote and everything else.
#[must_use]
pub fn escaped(name: &str) -> String {
    name.escape_default().to_string()
}

/// The name that [`escaped`] writes as `text`, and none for text that it does not write.
#[must_use]
pub fn unescaped(text: &str) -> Option<String> {
    let mut name = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            name.push(c);
            continue;
        }
        name.push(match rest.next()? {
            't' => '\t',
            'r' => '\r',
            'n' => '\n',
            'u' => {
                let (digits, after) = rest.as_str().strip_prefix('{')?.split_once('}')?;
                rest = after.chars();
                char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
            }
            literal => literal,
        });
    }
    (escaped(&name) == text).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn names_are_written_and_read_back(name in any::<String>()) {
            prop_assert!(escaped(&name).chars().all(|c| c == ' ' || c.is_ascii_graphic()));
            prop_assert_eq!(unescaped(&escaped(&name)), Some(name));
        }

        #[test]
        fn no_other_text_is_read(text in "[\\\\a-z{}u0-9'\"é\n]{0,12}") {
            prop_assert!(unescaped(&text).is_none_or(|name| escaped(&name) == text));
        }

        /// However a number is written, it is itself and no other.
        #[test]
        fn numbers_are_compared_by_value(
            (x, y) in (0u32..200, 0u32..200),
            (zeros, fraction) in (0usize..4, 0usize..4),
            plus in any::<bool>(),
        ) {
            let sign = if plus { "+" } else { "" };
            let point = if fraction > 0 { "." } else { "" };
            let text = format!("{sign}{}{x}{point}{}", "0".repeat(zeros), "0".repeat(fraction));
            prop_assert_eq!(number(&text), Some(x));
            prop_assert_eq!(same(&text, &y.to_string()), x == y);
            prop_assert_eq!(same(&format!("-{y}"), &text), x == 0 && y == 0);
            let half = format!("{y}.5");
            prop_assert!(!same(&text, &half));
        }
    }
}
