//! What a network computes in real arithmetic, exactly.
//!
//! Numbers of the file and of the point are dyadic, and means divide by whole numbers: every value is
//! a whole number times 2^exponent / denominator, with one exponent and one denominator a value (an
//! array). Normalizations take roots, which are irrational: such networks are enclosed
//! only ([`enclose`](super::enclose)).
//!
//! Cost: a product of big integers a weight and a place ([`Exact::work`]).

use dashu_int::UBig;
use dashu_int::ops::Gcd;

use crate::exact::{Dyadic, IBig, Rational};
use crate::interchange::number::Precision;

use super::{Affine, FeedForward, Operation, Window, count};

/// An array: numbers · 2^exponent / denominator.
#[derive(Clone, Debug)]
struct Value {
    numbers: Vec<IBig>,
    exponent: i64,
    denominator: UBig,
}

/// Weights and biases of a step as integers over a common exponent.
struct Integers {
    weights: Vec<IBig>,
    exponent: i64,
    bias: Vec<Dyadic>,
}

/// A network ready to be evaluated.
pub struct Exact<'a> {
    network: &'a FeedForward,
    integers: Vec<Option<Integers>>,
    /// The last step that reads a value, a value.
    last: Vec<usize>,
    /// Bits that a number may have.
    bits: u64,
}

/// Bits by which all steps together may lengthen numbers.
const MOST_BITS: u64 = 1 << 18;
/// Bits that all weights, or the values of a point, may have together.
const MOST_MEMORY: u64 = 1 << 33;
/// Bits that a number takes beside its digits.
const BESIDES: u64 = 192;

/// Bits by which a step may lengthen numbers.
fn spread(step: &super::Step) -> u64 {
    let bits = |numbers: &[f64]| {
        let dyadics = || numbers.iter().map(|&x| dyadic(x));
        let low = dyadics().filter_map(|x| x.grain()).min().unwrap_or(0);
        let high = dyadics().filter_map(|x| x.log2_floor()).max().unwrap_or(0);
        high.unsigned_abs().max(low.unsigned_abs())
    };
    match &step.operation {
        Operation::Dense(affine) | Operation::Convolution(affine, _) => {
            bits(&affine.weights) + bits(&affine.bias) + 64
        }
        Operation::Shift { by, .. } => bits(by) + 1,
        Operation::MeanPool(_, true) | Operation::GlobalMean => 64,
        // The common multiple of all counts, of 1 to the sides of the window.
        Operation::MeanPool(window, false) => 64 + 2 * (window.size.0 + window.size.1) as u64,
        _ => 1,
    }
}

fn integers(numbers: &[f64]) -> (Vec<IBig>, i64) {
    let dyadics: Vec<Dyadic> = numbers.iter().map(|&x| dyadic(x)).collect();
    let exponent = dyadics.iter().filter_map(Dyadic::grain).min().unwrap_or(0);
    (dyadics.iter().map(|x| x.in_units_of(exponent)).collect(), exponent)
}

/// Numbers of networks and points are finite: readers see to it.
fn dyadic(x: f64) -> Dyadic {
    Dyadic::try_from(x).unwrap_or(Dyadic::ZERO)
}

impl Value {
    fn of(numbers: &[f64]) -> Value {
        let (numbers, exponent) = integers(numbers);
        Value { numbers, exponent, denominator: UBig::ONE }
    }

    /// The same numbers over another exponent, not larger, and a multiple of the denominator.
    fn over(&self, exponent: i64, denominator: &UBig) -> Vec<IBig> {
        let shift = (self.exponent - exponent) as usize;
        let factor = IBig::from(denominator / &self.denominator);
        self.numbers.iter().map(|x| (x << shift) * &factor).collect()
    }

    /// Several values over one exponent and one denominator.
    fn together(values: &[&Value]) -> (Vec<Vec<IBig>>, i64, UBig) {
        let exponent = values.iter().map(|value| value.exponent).min().unwrap_or(0);
        let denominators = values.iter().map(|value| &value.denominator);
        let denominator = denominators.fold(UBig::ONE, |all, one| &all / (&all).gcd(one) * one);
        let each = values.iter().map(|value| value.over(exponent, &denominator)).collect();
        (each, exponent, denominator)
    }
}

impl<'a> Exact<'a> {
    /// Prepares a network.
    ///
    /// # Errors
    /// The reason why it is not evaluated exactly: square roots, or numbers that grow too long.
    pub fn new(network: &'a FeedForward) -> Result<Exact<'a>, &'static str> {
        let prepared = |step: &super::Step| match &step.operation {
            Operation::Dense(affine) | Operation::Convolution(affine, _) => {
                let (weights, exponent) = integers(&affine.weights);
                let bias = affine.bias.iter().map(|&x| dyadic(x)).collect();
                Some(Integers { weights, exponent, bias })
            }
            _ => None,
        };
        for step in &network.steps {
            match step.operation {
                Operation::Normalize(_) => {
                    return Err("batch normalization takes square roots, which are irrational");
                }
                Operation::Response(_) => {
                    return Err("local response normalization takes powers, which are irrational");
                }
                _ => {}
            }
        }
        let bits = network.steps.iter().map(spread).fold(0, u64::saturating_add);
        if bits > MOST_BITS {
            return Err("numbers would grow too long");
        }
        let weights = |step: &super::Step| match &step.operation {
            Operation::Dense(affine) | Operation::Convolution(affine, _) => {
                spread(step).saturating_mul(affine.weights.len() as u64)
            }
            _ => 0,
        };
        let weights = network.steps.iter().map(weights).fold(0, u64::saturating_add);
        let exact = Exact { network, integers: Vec::new(), last: network.last_uses(), bits };
        if weights.max(exact.memory()) > MOST_MEMORY {
            return Err("its numbers would take too much memory");
        }
        Ok(Exact { integers: network.steps.iter().map(prepared).collect(), ..exact })
    }

    /// Bits that a point takes at once, at most.
    pub fn memory(&self) -> u64 {
        // The digits of a point: between the ends of the range.
        let point = match self.network.precision {
            Precision::Single => 280,
            Precision::Double => 2100,
        };
        (self.network.peak() as u64).saturating_mul(self.bits + point + BESIDES)
    }

    /// How many points there is room for at once.
    pub fn at_once(&self) -> usize {
        (MOST_MEMORY / self.memory().max(1)).max(1) as usize
    }

    /// What a point costs, in products of numbers of few words.
    pub fn work(&self) -> u64 {
        self.network.products().saturating_mul(1 + self.bits / 1024)
    }

    /// The outputs at a point.
    pub fn outputs(&self, point: &[f64]) -> Vec<Rational> {
        let mut values = vec![Value::of(point)];
        for (index, (step, integers)) in self.network.steps.iter().zip(&self.integers).enumerate() {
            let next = self.step(step, integers.as_ref(), &values);
            values.push(next);
            for value in step.reads().filter(|&value| self.last[value] == index) {
                values[value] = Value::of(&[]);
            }
        }
        let Some(last) = values.pop() else { return Vec::new() };
        let scale = Dyadic::power_of_two(last.exponent).to_rational()
            / Rational::from(IBig::from(last.denominator));
        last.numbers.into_iter().map(|x| Rational::from(x) * &scale).collect()
    }

    fn step(&self, step: &super::Step, integers: Option<&Integers>, values: &[Value]) -> Value {
        let x = &values[step.on];
        let shape = self.network.shape(step.on);
        match (&step.operation, integers) {
            (Operation::Dense(affine), Some(integers)) => {
                affine_map(x, affine, integers, 1, |each| {
                    (0..affine.inputs).for_each(|k| each(0, k, k));
                })
            }
            (Operation::Convolution(affine, window), Some(integers)) => {
                let (channels, height, width) = (shape[0], shape[1], shape[2]);
                let places = count(&step.shape) / affine.outputs;
                let area = window.size.0 * window.size.1;
                affine_map(x, affine, integers, places, |each| {
                    window.each((height, width), |place, inside, at| {
                        for c in 0..channels {
                            each(place, c * area + inside, c * height * width + at);
                        }
                    });
                })
            }
            (Operation::Relu, _) => {
                let positive = |x: &IBig| if *x > IBig::ZERO { x.clone() } else { IBig::ZERO };
                Value { numbers: x.numbers.iter().map(positive).collect(), ..x.clone() }
            }
            (Operation::MaxPool(window), _) => {
                let mut largest: Vec<Option<IBig>> = vec![None; count(&step.shape)];
                planes(shape, window, count(&step.shape), |into, at| {
                    let x = &x.numbers[at];
                    if largest[into].as_ref().is_none_or(|held| held < x) {
                        largest[into] = Some(x.clone());
                    }
                });
                let numbers = largest.into_iter().map(Option::unwrap_or_default).collect();
                Value { numbers, ..x.clone() }
            }
            (Operation::MeanPool(window, padded), _) => {
                mean(x, shape, window, *padded, count(&step.shape))
            }
            (Operation::GlobalMean, _) => {
                mean(x, shape, &Window::whole(shape[1], shape[2]), true, shape[0])
            }
            (Operation::Shift { negated, from, by }, _) => {
                let pick = |&k: &u32| {
                    let x = x.numbers[k as usize].clone();
                    if *negated { -x } else { x }
                };
                let x = Value { numbers: from.iter().map(pick).collect(), ..x.clone() };
                sum(&x, &Value::of(by), false)
            }
            (Operation::Sum { other, minus }, _) => sum(x, &values[*other], *minus),
            (Operation::Concatenate(others), _) => {
                let parts: Vec<&Value> =
                    [x].into_iter().chain(others.iter().map(|&other| &values[other])).collect();
                let (each, exponent, denominator) = Value::together(&parts);
                Value { numbers: each.concat(), exponent, denominator }
            }
            // Square roots are refused when a network is prepared; affine maps have their integers.
            _ => x.clone(),
        }
    }
}

/// Calls `each` with (number of the result, number of the value) of every channel.
fn planes(shape: &[usize], window: &Window, numbers: usize, mut each: impl FnMut(usize, usize)) {
    let (channels, height, width) = (shape[0], shape[1], shape[2]);
    let places = numbers / channels;
    for c in 0..channels {
        window.each((height, width), |place, _, at| {
            each(c * places + place, c * height * width + at)
        });
    }
}

/// Σ over (place, row of the weights, number of the value), which `reads` calls for one by one.
fn affine_map(
    x: &Value,
    affine: &Affine,
    integers: &Integers,
    places: usize,
    reads: impl FnOnce(&mut dyn FnMut(usize, usize, usize)),
) -> Value {
    let outputs = affine.outputs;
    let mut numbers = vec![IBig::ZERO; outputs * places];
    reads(&mut |place, row, at| {
        let x = &x.numbers[at];
        if *x == IBig::ZERO {
            return;
        }
        let weights = &integers.weights[row * outputs..(row + 1) * outputs];
        for (output, weight) in weights.iter().enumerate() {
            numbers[output * places + place] += weight * x;
        }
    });
    let exponent = x.exponent + integers.exponent;
    let product = Value { numbers, exponent, denominator: x.denominator.clone() };
    if integers.bias.is_empty() {
        return product;
    }
    let lowest = integers.bias.iter().filter_map(Dyadic::grain).min().unwrap_or(exponent);
    let each =
        integers.bias.iter().flat_map(|b| std::iter::repeat_n(b.in_units_of(lowest), places));
    let bias = Value { numbers: each.collect(), exponent: lowest, denominator: UBig::ONE };
    sum(&product, &bias, false)
}

fn sum(x: &Value, y: &Value, minus: bool) -> Value {
    let (mut each, exponent, denominator) = Value::together(&[x, y]);
    let right = each.pop().unwrap_or_default();
    let left = each.pop().unwrap_or_default();
    let add = |(x, y): (IBig, IBig)| if minus { x - y } else { x + y };
    Value { numbers: left.into_iter().zip(right).map(add).collect(), exponent, denominator }
}

fn mean(x: &Value, shape: &[usize], window: &Window, padded: bool, numbers: usize) -> Value {
    let mut sums = vec![IBig::ZERO; numbers];
    let mut inside = vec![0usize; numbers];
    planes(shape, window, numbers, |into, at| {
        sums[into] += &x.numbers[at];
        inside[into] += 1;
    });
    let area = window.size.0 * window.size.1;
    // Over the area, or where padding does not count, over a multiple of all counts.
    let divisor = |into: usize| if padded { area } else { inside[into].max(1) };
    let common = (0..numbers).map(divisor).fold(UBig::ONE, |all, one| {
        let one = UBig::from(one);
        &all / (&all).gcd(&one) * one
    });
    let scaled = |(into, sum): (usize, IBig)| sum * IBig::from(&common / UBig::from(divisor(into)));
    Value {
        numbers: sums.into_iter().enumerate().map(scaled).collect(),
        exponent: x.exponent,
        denominator: &x.denominator * &common,
    }
}
