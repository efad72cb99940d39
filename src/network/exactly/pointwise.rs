//! Functions of one number, and products with constants, exactly.

use dashu_int::UBig;
use dashu_int::ops::{BitTest, UnsignedAbs};

use crate::exact::{Dyadic, IBig};
use crate::network::Activation;

use super::value::{Value, common, dyadic, grain, integers};

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
            if denominator.bit_len() > super::plan::MOST_DENOMINATOR {
                break;
            }
        }
        let exponent = odd.iter().map(|(_, exponent)| *exponent).max().unwrap_or(0);
        Divisors { denominator, exponent, odd }
    }
}

/// An activation of every number. Reciprocals and softsign have a denominator a number, which an array does not:
/// a plan refuses them.
pub fn activate(x: &Value, activation: Activation) -> Value {
    let whole = |numbers: Vec<IBig>| Value { numbers, exponent: 0, denominator: UBig::ONE };
    match activation {
        Activation::Relu => {
            let positive = |x: &IBig| if *x > IBig::ZERO { x.clone() } else { IBig::ZERO };
            x.with(x.numbers.iter().map(positive).collect())
        }
        Activation::Threshold => {
            whole(x.numbers.iter().map(|x| IBig::from(*x > IBig::ZERO)).collect())
        }
        Activation::Square => Value {
            numbers: x.numbers.iter().map(|x| x * x).collect(),
            exponent: 2 * x.exponent,
            denominator: &x.denominator * &x.denominator,
        },
        Activation::Sine => {
            let value = |k: usize| activation.apply(x.at(k).rational());
            whole((0..x.numbers.len()).map(|k| value(k).numerator().clone()).collect())
        }
        Activation::Identity | Activation::Reciprocal | Activation::Softsign => x.clone(),
    }
}

/// x where x > 0, slope · x elsewhere.
pub fn leaky(x: &Value, slopes: &[f64], which: impl Fn(usize) -> usize) -> Value {
    let own = grain(slopes).unwrap_or(0).min(0);
    let slopes: Vec<IBig> = slopes.iter().map(|&slope| dyadic(slope).in_units_of(own)).collect();
    let one = IBig::ONE << own.unsigned_abs() as usize;
    let each = |(at, x): (usize, &IBig)| {
        if *x > IBig::ZERO { x * &one } else { x * &slopes[which(at)] }
    };
    let numbers = x.numbers.iter().enumerate().map(each).collect();
    Value { numbers, exponent: x.exponent + own, denominator: x.denominator.clone() }
}

/// min(max(x, low), high).
pub fn clip(x: &Value, low: f64, high: f64) -> Value {
    let bounds = [low, high].map(|bound| bound.is_finite().then(|| dyadic(bound)));
    let grains = bounds.iter().flatten().filter_map(Dyadic::grain);
    let exponent = grains.fold(x.exponent, i64::min);
    let x = x.clone().brought_to(exponent, &x.denominator);
    let denominator = IBig::from(x.denominator.clone());
    let [low, high] = bounds.map(|bound| Some(bound?.in_units_of(exponent) * &denominator));
    let each = |x: &IBig| {
        let x = low.as_ref().map_or(x, |low| x.max(low));
        high.as_ref().map_or(x, |high| x.min(high)).clone()
    };
    x.with(x.numbers.iter().map(each).collect())
}

/// Numbers picked.
pub fn gather(x: &Value, from: &[u32]) -> Value {
    x.with(from.iter().map(|&k| x.numbers[k as usize].clone()).collect())
}

/// x · c, number by number.
pub fn multiplied(x: &Value, by: &[f64]) -> Value {
    let (by, exponent) = integers(by);
    let numbers = x.numbers.iter().zip(&by).map(|(x, c)| x * c).collect();
    Value { numbers, exponent: x.exponent + exponent, denominator: x.denominator.clone() }
}

/// x / c, number by number, of numbers c that are not 0.
pub fn divided(x: &Value, by: &[f64]) -> Value {
    let divisors = Divisors::of(by);
    let all = IBig::from(divisors.denominator.clone());
    let each = |(x, (odd, exponent)): (&IBig, &(IBig, i64))| {
        (x * (&all / odd)) << (divisors.exponent - exponent) as usize
    };
    Value {
        numbers: x.numbers.iter().zip(&divisors.odd).map(each).collect(),
        exponent: x.exponent - divisors.exponent,
        denominator: &x.denominator * &divisors.denominator,
    }
}
