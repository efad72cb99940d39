//! What a network computes in real arithmetic, exactly.
//!
//! Numbers of the file and of the point are dyadic, and means divide by whole numbers: every value is
//! a whole number times 2^exponent / denominator, with one exponent and one denominator an
//! array ([`Value`]). Normalizations take roots, which are irrational: such networks are enclosed
//! only ([`judge::enclose`](crate::judge::enclose)).
//!
//! Cost: a product of big integers a weight and a place; [`Plan`] knows how many there are, how
//! long, and how much memory they take, before one is made.

pub mod plan;
mod pointwise;
pub mod value;

use dashu_int::UBig;

use crate::exact::{Dyadic, IBig, Rational};

use crate::network::graph::{Affine, Graph, Operation, Step, Window, count};

pub use plan::{Inexact, Plan};
pub use value::Value;
use value::{dyadic, grain, integers};

/// What a step needs beside its values.
enum Prepared {
    Nothing,
    /// Weights and biases over a common exponent.
    Integers {
        weights: Vec<IBig>,
        exponent: i64,
        bias: Vec<Dyadic>,
    },
    /// A multiple of all that a mean divides by.
    Divisors(UBig),
    /// The largest exponent of which all constants are multiples.
    Grain(Option<i64>),
}

/// A network ready to be evaluated.
pub struct Exact<'a> {
    network: &'a Graph,
    prepared: Vec<Prepared>,
    /// The last step that reads a value, a value.
    last: Vec<usize>,
    /// What it takes.
    pub plan: Plan,
}

impl<'a> Exact<'a> {
    /// Prepares a network: makes whole numbers of its weights, [`Plan::weights`] bytes.
    ///
    /// # Errors
    /// [`Inexact`], if it has no plan, or takes more than `most` bytes with one point.
    pub fn new(network: &'a Graph, most: u64) -> Result<Exact<'a>, Inexact> {
        Exact::planned(network, Plan::of(network)?, most)
    }

    /// The same, where the plan is known.
    ///
    /// # Errors
    /// [`Inexact::TooMuchMemory`].
    pub fn planned(network: &'a Graph, plan: Plan, most: u64) -> Result<Exact<'a>, Inexact> {
        plan.fits(most)?;
        let prepared = |step: &Step| {
            let shape = network.shape(step.on);
            let divisors = |window: &Window, padded| {
                plan::divisors(window, padded, (shape[1], shape[2]))
                    .map(Prepared::Divisors)
                    .ok_or(Inexact::TooLong)
            };
            Ok(match &step.operation {
                Operation::Dense(affine) | Operation::Convolution(affine, _) => {
                    let (weights, exponent) = integers(&affine.weights);
                    let bias = affine.bias.iter().map(|&x| dyadic(x)).collect();
                    Prepared::Integers { weights, exponent, bias }
                }
                Operation::MeanPool(window, padded) => divisors(window, *padded)?,
                Operation::GlobalMean => divisors(&Window::whole(shape[1], shape[2]), true)?,
                Operation::Shift { by, .. } => Prepared::Grain(grain(by)),
                _ => Prepared::Nothing,
            })
        };
        let prepared = network.steps.iter().map(prepared).collect::<Result<_, Inexact>>()?;
        Ok(Exact { network, prepared, last: network.last_uses(), plan })
    }

    /// The network.
    pub fn network(&self) -> &'a Graph {
        self.network
    }

    /// The outputs at a point, in lowest terms.
    pub fn outputs(&self, point: &[f64]) -> Vec<Rational> {
        self.evaluated(point).rationals()
    }

    /// The outputs at a point.
    pub fn evaluated(&self, point: &[f64]) -> Value {
        let mut values = vec![Value::of(point)];
        for (index, (step, prepared)) in self.network.steps.iter().zip(&self.prepared).enumerate() {
            let next = self.step(step, prepared, &values);
            values.push(next);
            for value in step.reads().filter(|&value| self.last[value] == index) {
                values[value] = Value::of(&[]);
            }
        }
        values.pop().unwrap_or_else(|| Value::of(&[]))
    }

    fn step(&self, step: &Step, prepared: &Prepared, values: &[Value]) -> Value {
        let x = &values[step.on];
        let shape = self.network.shape(step.on);
        let numbers = count(&step.shape);
        match (&step.operation, prepared) {
            (Operation::Dense(affine), Prepared::Integers { .. }) => {
                affine_map(x, affine, prepared, 1, |each| {
                    (0..affine.inputs).for_each(|k| each(0, k, k));
                })
            }
            (Operation::Convolution(affine, window), Prepared::Integers { .. }) => {
                let (channels, height, width) = (shape[0], shape[1], shape[2]);
                let area = window.size.0 * window.size.1;
                affine_map(x, affine, prepared, numbers / affine.outputs, |each| {
                    window.each((height, width), |place, inside, at| {
                        for c in 0..channels {
                            each(place, c * area + inside, c * height * width + at);
                        }
                    });
                })
            }
            (Operation::Activate(activation), _) => pointwise::activate(x, *activation),
            (Operation::Leaky(slopes), _) => {
                let area = numbers / step.shape[0];
                pointwise::leaky(x, slopes, |at| if slopes.len() == 1 { 0 } else { at / area })
            }
            (Operation::Clip { low, high }, _) => pointwise::clip(x, *low, *high),
            (Operation::Gather { from }, _) => pointwise::gather(x, from),
            (Operation::Scale { from, by, divides }, _) => {
                let x = pointwise::gather(x, from);
                if *divides { pointwise::divided(&x, by) } else { pointwise::multiplied(&x, by) }
            }
            (Operation::MaxPool(window), _) => {
                let mut largest = vec![usize::MAX; numbers];
                planes(shape, window, numbers, |into, at| {
                    let held = x.numbers.get(largest[into]);
                    if held.is_none_or(|held| *held < x.numbers[at]) {
                        largest[into] = at;
                    }
                });
                let pick = |at: usize| x.numbers.get(at).cloned().unwrap_or_default();
                x.with(largest.into_iter().map(pick).collect())
            }
            (Operation::MeanPool(window, padded), Prepared::Divisors(common)) => {
                mean(x, shape, (window, *padded), common, numbers)
            }
            (Operation::GlobalMean, Prepared::Divisors(common)) => {
                mean(x, shape, (&Window::whole(shape[1], shape[2]), true), common, numbers)
            }
            (Operation::Shift { negated, from, by }, Prepared::Grain(grain)) => {
                let pick = |&k: &u32| {
                    let x = x.numbers[k as usize].clone();
                    if *negated { -x } else { x }
                };
                x.with(from.iter().map(pick).collect()).plus_dyadics(*grain, |at| dyadic(by[at]))
            }
            (Operation::Sum { other, minus }, _) => x.plus(&values[*other], *minus),
            (Operation::Concatenate(others), _) => {
                let others = others.iter().map(|&other| &values[other]);
                Value::joined(&[x].into_iter().chain(others).collect::<Vec<_>>())
            }
            // A plan refuses roots; affine maps, means and constants are prepared.
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
    prepared: &Prepared,
    places: usize,
    reads: impl FnOnce(&mut dyn FnMut(usize, usize, usize)),
) -> Value {
    let Prepared::Integers { weights, exponent, bias } = prepared else { return x.clone() };
    let outputs = affine.outputs;
    let mut numbers = vec![IBig::ZERO; outputs * places];
    reads(&mut |place, row, at| {
        let x = &x.numbers[at];
        if *x == IBig::ZERO {
            return;
        }
        let weights = &weights[row * outputs..(row + 1) * outputs];
        for (output, weight) in weights.iter().enumerate() {
            numbers[output * places + place] += weight * x;
        }
    });
    let exponent = x.exponent + exponent;
    let product = Value { numbers, exponent, denominator: x.denominator.clone() };
    let grain = bias.iter().filter_map(Dyadic::grain).min();
    product.plus_dyadics(grain, |at| bias[at / places].clone())
}

fn mean(
    x: &Value,
    shape: &[usize],
    (window, padded): (&Window, bool),
    common: &UBig,
    numbers: usize,
) -> Value {
    let mut sums = vec![IBig::ZERO; numbers];
    let mut inside = vec![0usize; numbers];
    planes(shape, window, numbers, |into, at| {
        sums[into] += &x.numbers[at];
        inside[into] += 1;
    });
    let area = window.size.0 * window.size.1;
    for (sum, inside) in sums.iter_mut().zip(inside) {
        let divisor = if padded { area } else { inside.max(1) };
        *sum *= IBig::from(common / UBig::from(divisor));
    }
    Value { denominator: &x.denominator * common, ..x.with(sums) }
}
