//! Exact arithmetic: nothing in this room rounds.
//!
//! Every finite binary64 number is a dyadic rational `m · 2^e`, so samples of
//! floating-point numbers, and the networks built on them, can be handled
//! without any rounding at all. [`Dyadic`] is one such number, [`Lattice`] a
//! vector of them with one exponent in common (128-bit where the bits allow
//! it), [`Rational`] a fraction in lowest terms, [`modular`] linear algebra
//! modulo a prime, [`Format`] a floating-point format and when its sums round nothing.

pub mod dixon;
pub mod dyadic;
mod element;
pub mod format;
mod lattice;
pub mod matrix;
pub mod modular;

pub use dashu_int::IBig;
pub use dashu_ratio::RBig as Rational;
pub use dyadic::{Dyadic, NotFinite};
pub use element::Element;
pub use format::Format;
pub use lattice::{Integers, Lattice};

/// Number of bits of `|x|`: 0 for 0, otherwise `floor(log2 |x|) + 1`.
///
/// ```
/// use shatter_exact::{IBig, bit_length};
/// assert_eq!(bit_length(&IBig::from(-8)), 4);
/// assert_eq!(bit_length(&IBig::from(0)), 0);
/// ```
#[must_use]
pub fn bit_length(x: &IBig) -> u64 {
    let (_, magnitude) = x.as_sign_words();
    let words = magnitude.len() as u64;
    match magnitude.last() {
        None => 0,
        Some(top) => words * u64::from(dashu_int::Word::BITS) - u64::from(top.leading_zeros()),
    }
}

/// Number of trailing zero bits of `x`; `None` for 0.
///
/// ```
/// use shatter_exact::{IBig, trailing_zeros};
/// assert_eq!(trailing_zeros(&IBig::from(24)), Some(3));
/// ```
#[must_use]
pub fn trailing_zeros(x: &IBig) -> Option<u64> {
    x.trailing_zeros().map(|zeros| zeros as u64)
}
