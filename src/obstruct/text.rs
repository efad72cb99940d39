//! How exact numbers are stored in certificates: as text, since no number of JSON holds them.

use std::fmt::Display;

use serde::Serializer;

use shatter_exact::Rational;

/// One number.
pub(super) fn number<S: Serializer>(x: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(x)
}

/// A list of numbers.
pub(super) fn numbers<S: Serializer>(x: &[Rational], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(x.iter().map(Rational::to_string))
}

/// A list of points.
pub(super) fn rows<S: Serializer>(x: &[Vec<Rational>], serializer: S) -> Result<S::Ok, S::Error> {
    let row = |row: &Vec<Rational>| row.iter().map(Rational::to_string).collect::<Vec<_>>();
    serializer.collect_seq(x.iter().map(row))
}
