//! Arrays of exact numbers: whole numbers · 2^exponent / denominator, with one exponent and one
//! denominator an array.
//!
//! The outputs of a network at a point: nothing is brought to lowest terms, since a greatest common divisor
//! for each number costs more than the digits that it saves.

use dashu_int::UBig;
use dashu_int::ops::{Abs, BitTest, DivRem, Gcd, UnsignedAbs};

use shatter_exact::dyadic::decompose;
use shatter_exact::{Dyadic, IBig, Rational};

use super::plan::MOST_DENOMINATOR;

/// An array: numbers · 2^exponent / denominator.
#[derive(Clone, Debug)]
pub struct ExactValues {
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

impl ExactValues {
    /// These numbers.
    pub fn of(numbers: &[f64]) -> ExactValues {
        let (numbers, exponent) = integers(numbers);
        ExactValues { numbers, exponent, denominator: UBig::ONE }
    }

    /// These fractions over their common denominator.
    pub fn of_rationals(numbers: &[Rational]) -> ExactValues {
        let one = |all: UBig, x: &Rational| common(&all, x.denominator());
        let denominator = numbers.iter().fold(UBig::ONE, one);
        let over = |x: &Rational| x.numerator() * IBig::from(&denominator / x.denominator());
        ExactValues { numbers: numbers.iter().map(over).collect(), exponent: 0, denominator }
    }

    /// These whole numbers times a positive unit.
    pub fn in_units(numbers: Vec<IBig>, unit: &Rational) -> ExactValues {
        let (top, bottom) = (unit.numerator(), unit.denominator());
        let up = top.trailing_zeros().unwrap_or(0);
        let down = bottom.trailing_zeros().unwrap_or(0);
        let (factor, denominator) = (top >> up, bottom >> down);
        let scaled = |x| if factor == IBig::ONE { x } else { x * &factor };
        let numbers = numbers.into_iter().map(scaled).collect();
        ExactValues { numbers, exponent: up as i64 - down as i64, denominator }
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

/// Powers of two and odd factors of divisors c = odd · 2^exponent: what a quotient is multiplied with, over one
/// denominator and one exponent.
pub struct Divisors {
    /// The least common multiple of the odd parts.
    pub denominator: UBig,
    /// The largest exponent.
    pub exponent: i64,
    odd: Vec<(IBig, i64)>,
}

impl Divisors {
    /// Those of numbers that are not 0.
    pub fn of(by: &[f64]) -> Divisors {
        let parts = |&c: &f64| {
            let c = dyadic(c);
            let exponent = c.grain().unwrap_or(0);
            (c.in_units_of(exponent), exponent)
        };
        let odd: Vec<(IBig, i64)> = by.iter().map(parts).collect();
        let mut denominator = UBig::ONE;
        for (factor, _) in &odd {
            denominator = common(&denominator, &factor.clone().unsigned_abs());
            // Longer ones are refused by the plan; what is not read is not multiplied up.
            if denominator.bit_len() > MOST_DENOMINATOR {
                break;
            }
        }
        let exponent = odd.iter().map(|(_, exponent)| *exponent).max().unwrap_or(0);
        Divisors { denominator, exponent, odd }
    }

    /// What quotients are multiplied with.
    pub fn factors(&self) -> Vec<IBig> {
        let all = IBig::from(self.denominator.clone());
        let factor =
            |(odd, exponent): &(IBig, i64)| (&all / odd) << (self.exponent - exponent) as usize;
        self.odd.iter().map(factor).collect()
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

    proptest! {
        #[test]
        fn fractions_keep_their_values(
            numbers in prop::collection::vec((-1000i64..1000, 1u64..40), 0..4),
            unit in (1u64..40, 1u64..40),
        ) {
            let fraction = |(p, q): (i64, u64)| Rational::from_parts(p.into(), q.into());
            let numbers: Vec<Rational> = numbers.into_iter().map(fraction).collect();
            prop_assert_eq!(ExactValues::of_rationals(&numbers).rationals(), numbers.clone());
            let unit = fraction((unit.0 as i64, unit.1));
            let whole = [IBig::from(-3), IBig::ZERO, IBig::from(8)];
            let wanted: Vec<Rational> =
                whole.iter().map(|x| Rational::from(x.clone()) * &unit).collect();
            prop_assert_eq!(ExactValues::in_units(whole.to_vec(), &unit).rationals(), wanted);
        }

        #[test]
        fn quotients_are_those_of_fractions(by in prop::collection::vec(1.0f64..9.0, 1..4)) {
            let divisors = Divisors::of(&by);
            let all = Dyadic::power_of_two(-divisors.exponent).to_rational()
                / Rational::from(IBig::from(divisors.denominator.clone()));
            for (factor, c) in divisors.factors().into_iter().zip(by) {
                prop_assert_eq!(Rational::from(factor) * &all * dyadic(c).to_rational(), Rational::ONE);
            }
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
