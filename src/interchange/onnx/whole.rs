//! Whole numbers on the way: the arithmetic that exporters do on shapes.
//!
//! A number is c · batch + k, where the number of points in a batch is not known. What is not of this form is refused.

use super::wire::malformed;
use crate::InterchangeError;

/// The most numbers of an array of whole numbers.
pub const MOST_WHOLE: usize = 1 << 10;

type Result<T> = std::result::Result<T, InterchangeError>;

/// batch · points + rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// How often the number of points in a batch.
    pub batch: i64,
    /// The rest.
    pub rest: i64,
}

/// An array of whole numbers, the last index fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Whole {
    /// Its sides; none for one number.
    pub sides: Vec<usize>,
    /// Its numbers, at most [`MOST_WHOLE`].
    pub numbers: Vec<Size>,
}

impl Size {
    /// The number of points in a batch.
    pub const BATCH: Size = Size { batch: 1, rest: 0 };

    /// A number that is known.
    pub fn known(rest: i64) -> Size {
        Size { batch: 0, rest }
    }

    /// The number, if it does not hang on the batch.
    pub fn number(self) -> Option<i64> {
        (self.batch == 0).then_some(self.rest)
    }

    /// The result of an operator of arithmetic; the reason where there is none.
    fn with(self, operator: &str, other: Size) -> std::result::Result<Size, &'static str> {
        let both = self.number().zip(other.number());
        let found = match (operator, both) {
            ("Add", _) => self
                .batch
                .checked_add(other.batch)
                .zip(self.rest.checked_add(other.rest))
                .map(|(batch, rest)| Size { batch, rest }),
            ("Sub", _) => self
                .batch
                .checked_sub(other.batch)
                .zip(self.rest.checked_sub(other.rest))
                .map(|(batch, rest)| Size { batch, rest }),
            ("Mul", _) => {
                let (factor, of) = match (self.number(), other.number()) {
                    (Some(factor), _) => (factor, other),
                    (_, Some(factor)) => (factor, self),
                    _ => return Err("the number of points in a batch is squared"),
                };
                let times = |x: i64| x.checked_mul(factor);
                times(of.batch).zip(times(of.rest)).map(|(batch, rest)| Size { batch, rest })
            }
            // Both sides positive, so that all ways to round are one.
            ("Div", Some((x, y))) if x >= 0 && y > 0 => Some(Size::known(x / y)),
            ("Div", None) if other == Size::known(1) => Some(self),
            ("Mod", Some((x, y))) if x >= 0 && y > 0 => Some(Size::known(x % y)),
            ("Max", Some((x, y))) => Some(Size::known(x.max(y))),
            ("Min", Some((x, y))) => Some(Size::known(x.min(y))),
            _ => return Err("it is not read of such whole numbers"),
        };
        found.ok_or("a whole number is too large")
    }
}

impl Whole {
    /// A vector.
    pub fn vector(numbers: Vec<Size>) -> Whole {
        Whole { sides: vec![numbers.len()], numbers }
    }

    /// A vector of numbers that are all known, or one such number; otherwise the reason.
    pub fn known(&self) -> std::result::Result<Vec<i64>, &'static str> {
        let known: Option<Vec<i64>> = self.numbers.iter().map(|size| size.number()).collect();
        match known {
            Some(known) if self.sides.len() <= 1 => Ok(known),
            Some(_) => Err("it is a table of whole numbers, and a row of them is expected"),
            None => Err("it depends on the number of points in a batch"),
        }
    }

    /// Arithmetic on two arrays, one of which may be a single number.
    pub fn with(&self, operator: &str, other: &Whole) -> std::result::Result<Whole, &'static str> {
        let (x, y) = (self.numbers.as_slice(), other.numbers.as_slice());
        let sides = match (x.len(), y.len()) {
            _ if self.sides == other.sides => &self.sides,
            (_, 1) if self.sides.len() >= other.sides.len() => &self.sides,
            (1, _) if self.sides.len() <= other.sides.len() => &other.sides,
            _ => return Err("its whole numbers are of different shapes"),
        };
        let count = if x.len() == 1 { y.len() } else { x.len() };
        let numbers = (0..count).map(|k| {
            let at = |numbers: &[Size]| numbers[if numbers.len() == 1 { 0 } else { k }];
            at(x).with(operator, at(y))
        });
        let numbers = numbers.collect::<std::result::Result<_, _>>()?;
        Ok(Whole { sides: sides.clone(), numbers })
    }
}

/// Refuses arrays of more numbers than shapes have.
pub fn bounded(numbers: usize) -> Result<()> {
    if numbers > MOST_WHOLE {
        return malformed(format!(
            "an array of {numbers} whole numbers, where shapes have at most {MOST_WHOLE}"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn size() -> impl Strategy<Value = Size> {
        (-3i64..4, -20i64..20).prop_map(|(batch, rest)| Size { batch, rest })
    }

    proptest! {
        /// What is said of a batch that is not known holds for every batch.
        #[test]
        fn arithmetic_is_that_of_every_batch(x in size(), y in size(), points in 1i64..9) {
            let at = |size: Size| size.batch * points + size.rest;
            for (operator, of) in [
                ("Add", (|x, y| x + y) as fn(i64, i64) -> i64),
                ("Sub", |x, y| x - y),
                ("Mul", |x, y| x * y),
                ("Div", |x, y| x / y),
                ("Mod", |x, y| x % y),
                ("Max", i64::max),
                ("Min", i64::min),
            ] {
                if let Ok(found) = x.with(operator, y) {
                    prop_assert_eq!(at(found), of(at(x), at(y)), "{}", operator);
                }
            }
        }
    }

    #[test]
    fn what_is_too_large_or_unknown_is_refused() {
        let huge = Size::known(i64::MAX);
        assert!(huge.with("Add", Size::known(1)).is_err() && huge.with("Mul", huge).is_err());
        assert!(Size::BATCH.with("Mul", Size::BATCH).is_err());
        assert!(Size::known(1).with("Div", Size::known(0)).is_err());
        assert!(Size::known(-7).with("Div", Size::known(2)).is_err());
        assert!(Whole::vector(vec![Size::BATCH]).known().is_err());
    }
}
