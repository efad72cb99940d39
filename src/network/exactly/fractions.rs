//! Operations in fractions, by their definitions: after reciprocals and softsign every number has a
//! denominator of its own.

use crate::Activation;
use crate::graph::{Affine, Operator, SlidingWindow, count};
use shatter_exact::Rational;

use super::program::normalization;
use super::value::dyadic;

fn number(x: f64) -> Rational {
    dyadic(x).to_rational()
}

/// The values of a step, of those that it reads, in the order in which it reads them.
pub fn step(
    operation: &Operator,
    values: &[Vec<Rational>],
    shape: &[usize],
    after: &[usize],
) -> Vec<Rational> {
    let x = &values[0];
    let numbers = count(after);
    let channel = |at: usize| at / (numbers / after[0]).max(1);
    let pick = |from: &[u32], of: &dyn Fn(usize, &Rational) -> Rational| {
        from.iter().enumerate().map(|(at, &k)| of(at, &x[k as usize])).collect()
    };
    let each = |of: &dyn Fn(usize, &Rational) -> Rational| {
        x.iter().enumerate().map(|(at, x)| of(at, x)).collect()
    };
    match operation {
        Operator::Dense(affine) => (0..affine.outputs)
            .map(|j| {
                let term = |k: usize| number(affine.weights[k * affine.outputs + j]) * &x[k];
                (0..affine.inputs).fold(bias(affine, j), |sum, k| sum + term(k))
            })
            .collect(),
        Operator::Convolution(affine, window) => {
            let (area, places) = (window.size.0 * window.size.1, numbers / affine.outputs);
            let mut sums: Vec<Rational> =
                (0..numbers).map(|at| bias(affine, at / places)).collect();
            window.each((shape[1], shape[2]), |place, inside, at| {
                for c in 0..shape[0] {
                    let x = &x[c * shape[1] * shape[2] + at];
                    let row = (c * area + inside) * affine.outputs;
                    for (j, &w) in affine.weights[row..row + affine.outputs].iter().enumerate() {
                        sums[j * places + place] += number(w) * x;
                    }
                }
            });
            sums
        }
        Operator::Activate(Activation::Identity)
        | Operator::Same
        | Operator::Softmax { .. }
        | Operator::Units(_) => x.clone(),
        Operator::Activate(activation) => each(&|_, x| activation.apply(x.clone())),
        Operator::Leaky(slopes) => each(&|at, x| {
            let slope = if slopes.len() == 1 { 0 } else { channel(at) };
            if *x > Rational::ZERO { x.clone() } else { number(slopes[slope]) * x }
        }),
        Operator::Clip { low, high } => each(&|_, x| {
            if low.is_finite() && *x < number(*low) {
                number(*low)
            } else if high.is_finite() && *x > number(*high) {
                number(*high)
            } else {
                x.clone()
            }
        }),
        Operator::MaxPool(window) => {
            let mut largest: Vec<Option<&Rational>> = vec![None; numbers];
            planes(shape, window, numbers, |into, at| {
                largest[into] = largest[into].max(Some(&x[at]));
            });
            largest.into_iter().map(|x| x.cloned().unwrap_or(Rational::ZERO)).collect()
        }
        Operator::MeanPool(window, padded) => mean(x, shape, (window, *padded), numbers),
        Operator::GlobalMean => {
            mean(x, shape, (&SlidingWindow::whole(shape[1], shape[2]), true), numbers)
        }
        Operator::Shift { negated, from, by } => {
            pick(from, &|at, x| number(by[at]) + if *negated { -x.clone() } else { x.clone() })
        }
        Operator::Scale { from, by, divides } => {
            pick(from, &|at, x| if *divides { x / number(by[at]) } else { x * number(by[at]) })
        }
        Operator::Gather { from } => pick(from, &|_, x| x.clone()),
        Operator::Normalize(by) => {
            // Compiling has refused what is irrational.
            let by = normalization(by).unwrap_or_default();
            each(&|at, x| by.get(channel(at)).map_or(Rational::ZERO, |(w, c)| x * w + c))
        }
        Operator::Response(by) => {
            let (size, alpha, _, k) = by.constants();
            // Planning has refused powers that are roots.
            let whole = by.quarters().unwrap_or(0) / 4;
            let area = (numbers / shape[0]).max(1);
            let part = number(alpha) / Rational::from(size);
            each(&|at, value| {
                let near = by.near(at / area, shape[0]).map(|c| &x[c * area + at % area]);
                let squares = near.fold(Rational::ZERO, |sum, x| sum + x * x);
                let sum = number(k) + &part * squares;
                (0..whole).fold(value.clone(), |value, _| value / &sum)
            })
        }
        Operator::Sum { minus, .. } => {
            let pairs = x.iter().zip(&values[1]);
            pairs.map(|(x, y)| if *minus { x - y } else { x + y }).collect()
        }
        Operator::Concatenate(_) => values.concat(),
    }
}

fn bias(affine: &Affine, output: usize) -> Rational {
    affine.bias.get(output).map_or(Rational::ZERO, |&b| number(b))
}

/// Calls `each` with (number of the result, number of the value) of every channel.
fn planes(
    shape: &[usize],
    window: &SlidingWindow,
    numbers: usize,
    mut each: impl FnMut(usize, usize),
) {
    let (channels, height, width) = (shape[0], shape[1], shape[2]);
    let places = numbers / channels;
    for c in 0..channels {
        window.each((height, width), |place, _, at| {
            each(c * places + place, c * height * width + at);
        });
    }
}

fn mean(
    x: &[Rational],
    shape: &[usize],
    (window, padded): (&SlidingWindow, bool),
    numbers: usize,
) -> Vec<Rational> {
    let mut sums = vec![(Rational::ZERO, 0usize); numbers];
    planes(shape, window, numbers, |into, at| {
        sums[into].0 += &x[at];
        sums[into].1 += 1;
    });
    let area = window.size.0 * window.size.1;
    let divided = |(sum, inside): (Rational, usize)| {
        sum / Rational::from(if padded { area } else { inside.max(1) })
    };
    sums.into_iter().map(divided).collect()
}
