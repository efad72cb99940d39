//! Arrays of exact numbers: whole numbers · 2^exponent / denominator, with one exponent and one
//! denominator an array.
//!
//! Nothing is brought to lowest terms on the way: a greatest common divisor a number costs more than the
//! digits that it saves. What works on an array needs no second one beside its result ([`plan`](super::plan)
//! counts on that).

use dashu_int::UBig;
use dashu_int::ops::{Abs, BitTest, DivRem, Gcd};

use crate::exact::dyadic::decompose;
use crate::exact::{Dyadic, IBig, Rational};

/// An array: numbers · 2^exponent / denominator.
#[derive(Clone, Debug)]
pub struct Value {
    /// The whole numbers.
    pub numbers: Vec<IBig>,
    /// The exponent.
    pub exponent: i64,
    /// The denominator, positive.
    pub denominator: UBig,
}

/// Numbers of networks and points are finite: readers see to it.
pub fn dyadic(x: f64) -> Dyadic {
    Dyadic::try_from(x).unwrap_or(Dyadic::ZERO)
}

/// The largest exponent of which all are multiples; `None` for zeros.
pub fn grain(numbers: &[f64]) -> Option<i64> {
    let parts = numbers.iter().filter_map(|&x| decompose(x).ok());
    parts.filter(|(mantissa, _)| *mantissa != 0).map(|(_, exponent)| exponent).min()
}

/// The least exponent so that all are below 2^it in absolute value; `None` for zeros.
pub fn top(numbers: &[f64]) -> Option<i64> {
    let parts = numbers.iter().filter_map(|&x| decompose(x).ok());
    let bits = |(mantissa, exponent): (i64, i64)| {
        exponent + i64::from(u64::BITS - mantissa.unsigned_abs().leading_zeros())
    };
    parts.filter(|(mantissa, _)| *mantissa != 0).map(bits).max()
}

/// The numbers over one exponent.
pub fn integers(numbers: &[f64]) -> (Vec<IBig>, i64) {
    let exponent = grain(numbers).unwrap_or(0);
    (numbers.iter().map(|&x| dyadic(x).in_units_of(exponent)).collect(), exponent)
}

/// The least common multiple.
pub fn common(x: &UBig, y: &UBig) -> UBig {
    if x == y || y.is_one() { x.clone() } else { x / x.gcd(y) * y }
}

impl Value {
    /// These numbers.
    pub fn of(numbers: &[f64]) -> Value {
        let (numbers, exponent) = integers(numbers);
        Value { numbers, exponent, denominator: UBig::ONE }
    }

    /// Other numbers over this exponent and denominator.
    pub fn with(&self, numbers: Vec<IBig>) -> Value {
        Value { numbers, exponent: self.exponent, denominator: self.denominator.clone() }
    }

    /// The same numbers over another exponent, not larger, and a multiple of the denominator.
    pub fn brought_to(mut self, exponent: i64, denominator: &UBig) -> Value {
        let change = Change::of(&self, exponent, denominator);
        self.numbers.iter_mut().for_each(|x| change.make(x));
        Value { exponent, denominator: denominator.clone(), ..self }
    }

    /// Adds to every number what `by` has for it; all of that are multiples of 2^`grain`, or zeros.
    pub fn plus_dyadics(self, grain: Option<i64>, by: impl Fn(usize) -> Dyadic) -> Value {
        let Some(grain) = grain else { return self };
        let (exponent, denominator) = (grain.min(self.exponent), self.denominator.clone());
        let mut sum = self.brought_to(exponent, &denominator);
        let denominator = IBig::from(denominator);
        for (at, x) in sum.numbers.iter_mut().enumerate() {
            *x += by(at).in_units_of(exponent) * &denominator;
        }
        sum
    }

    /// x ± y, number by number.
    pub fn plus(&self, other: &Value, minus: bool) -> Value {
        let exponent = self.exponent.min(other.exponent);
        let denominator = common(&self.denominator, &other.denominator);
        let change = Change::of(other, exponent, &denominator);
        let mut sum = self.clone().brought_to(exponent, &denominator);
        for (x, y) in sum.numbers.iter_mut().zip(&other.numbers) {
            let mut y = y.clone();
            change.make(&mut y);
            if minus { *x -= y } else { *x += y }
        }
        sum
    }

    /// Values one after the other.
    pub fn joined(values: &[&Value]) -> Value {
        let exponent = values.iter().map(|value| value.exponent).min().unwrap_or(0);
        let denominators = values.iter().map(|value| &value.denominator);
        let denominator = denominators.fold(UBig::ONE, |all, one| common(&all, one));
        let mut numbers = Vec::with_capacity(values.iter().map(|value| value.numbers.len()).sum());
        for value in values {
            let change = Change::of(value, exponent, &denominator);
            numbers.extend(value.numbers.iter().map(|x| {
                let mut x = x.clone();
                change.make(&mut x);
                x
            }));
        }
        Value { numbers, exponent, denominator }
    }

    /// The numbers, in lowest terms.
    pub fn rationals(self) -> Vec<Rational> {
        let scale = Dyadic::power_of_two(self.exponent).to_rational()
            / Rational::from(IBig::from(self.denominator));
        self.numbers.into_iter().map(|x| Rational::from(x) * &scale).collect()
    }

    /// A number by itself.
    pub fn at(&self, k: usize) -> Fraction<'_> {
        Fraction {
            number: self.numbers[k].clone(),
            exponent: self.exponent,
            denominator: &self.denominator,
        }
    }
}

/// How numbers come over another exponent and denominator.
struct Change {
    shift: usize,
    factor: IBig,
}

impl Change {
    fn of(value: &Value, exponent: i64, denominator: &UBig) -> Change {
        let factor = IBig::from(denominator / &value.denominator);
        Change { shift: (value.exponent - exponent) as usize, factor }
    }

    fn make(&self, x: &mut IBig) {
        if self.shift > 0 {
            *x <<= self.shift;
        }
        if self.factor != IBig::ONE {
            *x *= &self.factor;
        }
    }
}

/// number · 2^exponent / denominator, not in lowest terms.
#[derive(Clone, Debug)]
pub struct Fraction<'a> {
    number: IBig,
    exponent: i64,
    denominator: &'a UBig,
}

impl Fraction<'_> {
    /// x − y over one denominator.
    pub fn minus(mut self, y: &Dyadic) -> Self {
        let exponent = y.grain().map_or(self.exponent, |grain| grain.min(self.exponent));
        self.number <<= (self.exponent - exponent) as usize;
        self.number -= y.in_units_of(exponent) * IBig::from(self.denominator.clone());
        Fraction { exponent, ..self }
    }

    /// x − y, of numbers of one array.
    pub fn minus_other(self, y: &IBig) -> Self {
        Fraction { number: self.number - y, ..self }
    }

    /// −|x|.
    pub fn below_zero(self) -> Self {
        Fraction { number: -self.number.abs(), ..self }
    }

    /// The number, in lowest terms.
    pub fn rational(self) -> Rational {
        Rational::from(self.number) * Dyadic::power_of_two(self.exponent).to_rational()
            / Rational::from(IBig::from(self.denominator.clone()))
    }

    /// Whether it is 0.
    pub fn is_zero(&self) -> bool {
        self.number == IBig::ZERO
    }

    /// binary64 numbers on both sides; the number itself where it is one.
    pub fn around(&self) -> (f64, f64) {
        let twos = self.denominator.trailing_zeros().unwrap_or(0);
        let odd = IBig::from(self.denominator >> twos);
        let exponent = self.exponent - twos as i64;
        let (whole, rest) = (&self.number).div_rem(&odd);
        if rest == IBig::ZERO
            && let Some(x) = Dyadic::new(whole, exponent).to_f64()
        {
            return (x, x);
        }
        // A quotient of at least 66 bits: cut off, it is nearer to the number than any number between
        // it and its neighbours in binary64.
        let shift = (66 + odd.bit_len()).saturating_sub(self.number.bit_len());
        let quotient = (&self.number << shift) / odd;
        let near = Dyadic::new(quotient, exponent - shift as i64).round_f64();
        (near.next_down(), near.next_up())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(numbers: &[i64], exponent: i64, denominator: u64) -> Value {
        let numbers = numbers.iter().map(|&x| IBig::from(x)).collect();
        Value { numbers, exponent, denominator: denominator.into() }
    }

    fn part() -> impl Strategy<Value = (Vec<i64>, i64, u64)> {
        (prop::collection::vec(-1000i64..1000, 3), -70i64..70, 1u64..40)
    }

    proptest! {
        #[test]
        fn sums_are_those_of_fractions(x in part(), y in part(), minus in any::<bool>()) {
            let (x, y) = (value(&x.0, x.1, x.2), value(&y.0, y.1, y.2));
            let (left, right) = (x.clone().rationals(), y.clone().rationals());
            let add = |(x, y): (&Rational, &Rational)| if minus { x - y } else { x + y };
            let wanted: Vec<Rational> = left.iter().zip(&right).map(add).collect();
            prop_assert_eq!(x.plus(&y, minus).rationals(), wanted);
            prop_assert_eq!(Value::joined(&[&x, &y]).rationals(), [left, right].concat());
        }

        #[test]
        fn constants_are_added_exactly(x in part(), by in prop::collection::vec(-9.0f64..9.0, 3)) {
            let x = value(&x.0, x.1, x.2);
            let wanted: Vec<Rational> =
                x.clone().rationals().iter().zip(&by).map(|(x, &b)| x + dyadic(b).to_rational()).collect();
            let found = x.plus_dyadics(grain(&by), |k| dyadic(by[k]));
            prop_assert_eq!(found.rationals(), wanted);
        }

        /// What is said of a number holds it, and no number lies between but itself.
        #[test]
        fn numbers_lie_between_their_neighbours(
            number in any::<i128>(),
            cut in 0usize..120,
            exponent in -1200i64..1100,
            denominator in 1u64..100,
        ) {
            let denominator = UBig::from(denominator);
            let fraction =
                Fraction { number: IBig::from(number >> cut), exponent, denominator: &denominator };
            let (low, high) = fraction.around();
            let x = Rational::from(fraction.number.clone())
                * Dyadic::power_of_two(exponent).to_rational()
                / Rational::from(IBig::from(denominator.clone()));
            let below = |bound: f64| match Dyadic::try_from(bound) {
                Ok(bound) => bound.to_rational() <= x,
                Err(_) => bound < 0.0,
            };
            let above = |bound: f64| match Dyadic::try_from(bound) {
                Ok(bound) => bound.to_rational() >= x,
                Err(_) => bound > 0.0,
            };
            prop_assert!(below(low) && above(high));
            if low == high {
                prop_assert_eq!(dyadic(low).to_rational(), x);
            } else {
                prop_assert!(Dyadic::from_rational(&x).is_none_or(|x| x.to_f64().is_none()));
                // Beyond the largest number there is but one on the other side.
                let beyond = low.is_infinite() || high.is_infinite();
                prop_assert!(low.next_up() == high.next_down() || beyond);
            }
        }
    }
}
