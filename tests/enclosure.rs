//! Promise: the enclosures of a network hold what exact arithmetic finds, and what binary32 makes of it
//! in any order of its sums.

mod common;

use common::cases;
use proptest::prelude::*;
use shatter::exact::{Dyadic, Rational};
use shatter::interchange::feed::enclose::Evaluator;
use shatter::interchange::feed::exact::Exact;
use shatter::interchange::feed::{Affine, Operation, Step, Window};
use shatter::interchange::{FeedForward, Precision};

/// Weights of many sizes, whole numbers and zeros among them.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (-2.0f32..2.0).prop_map(f64::from),
        2 => (-4i32..5).prop_map(f64::from),
        1 => (-20i32..21, -1.0f32..1.0).prop_map(|(e, x)| f64::from(x * 2f32.powi(e))),
        1 => Just(0.0),
    ]
}

fn affine(inputs: usize, outputs: usize) -> impl Strategy<Value = Affine> {
    let weights = prop::collection::vec(number(), inputs * outputs);
    let bias = prop_oneof![Just(Vec::new()), prop::collection::vec(number(), outputs)];
    (weights, bias).prop_map(move |(weights, bias)| Affine { weights, inputs, outputs, bias })
}

fn window(size: usize, stride: usize, padding: usize) -> Window {
    Window {
        size: (size, size),
        stride: (stride, stride),
        before: (padding, padding),
        after: (padding, padding),
    }
}

/// An image of 2 × 4 × 4 through every kind of step, to 3 numbers.
fn network() -> impl Strategy<Value = FeedForward> {
    let parts = (affine(18, 3), affine(12, 4), affine(4, 3), prop::collection::vec(number(), 4));
    (parts, any::<[bool; 3]>()).prop_map(
        |((first, second, third, by), [minus, padded, negated])| {
            let step =
                |operation, on, shape: &[usize]| Step { operation, on, shape: shape.to_vec() };
            let steps = vec![
                step(Operation::Convolution(first, window(3, 1, 1)), 0, &[3, 4, 4]),
                step(Operation::Relu, 1, &[3, 4, 4]),
                step(Operation::MaxPool(window(3, 2, 1)), 2, &[3, 2, 2]),
                step(Operation::MeanPool(window(3, 2, 1), padded), 2, &[3, 2, 2]),
                step(Operation::Sum { other: 4, minus }, 3, &[3, 2, 2]),
                step(Operation::Same, 5, &[12]),
                step(Operation::Dense(second), 6, &[4]),
                step(Operation::Shift { negated, from: vec![0, 1, 2, 3], by }, 7, &[4]),
                step(Operation::Relu, 8, &[4]),
                step(Operation::Dense(third), 9, &[3]),
                step(Operation::GlobalMean, 2, &[3, 1, 1]),
                step(Operation::Same, 11, &[3]),
                step(Operation::Concatenate(vec![12]), 10, &[6]),
            ];
            FeedForward { precision: Precision::Single, input: vec![2, 4, 4], steps }
        },
    )
}

/// Sums from the last term to the first or the other way, in binary32.
fn sum(terms: &[f32], backwards: bool) -> f32 {
    let add = |sum: f32, x: &f32| sum + x;
    if backwards { terms.iter().rev().fold(0.0, add) } else { terms.iter().fold(0.0, add) }
}

/// A plain runtime in binary32.
fn runtime(network: &FeedForward, point: &[f64], backwards: bool) -> Vec<f32> {
    let mut values: Vec<Vec<f32>> = vec![point.iter().map(|&x| x as f32).collect()];
    for step in &network.steps {
        let x = &values[step.on];
        let shape = network.shape(step.on).to_vec();
        let numbers: usize = step.shape.iter().product();
        let windows = |window: &Window, channels: usize| {
            let mut lists = vec![Vec::new(); numbers];
            let places = numbers / channels;
            for c in 0..channels {
                window.each((shape[1], shape[2]), |place, _, at| {
                    lists[c * places + place].push(x[c * shape[1] * shape[2] + at]);
                });
            }
            lists
        };
        let map = |affine: &Affine, reads: &[Vec<(usize, usize)>]| -> Vec<f32> {
            let one = |output: usize, reads: &Vec<(usize, usize)>| {
                let weight = |row: usize| affine.weights[row * affine.outputs + output] as f32;
                let mut terms: Vec<f32> =
                    reads.iter().map(|&(row, at)| weight(row) * x[at]).collect();
                terms.extend(affine.bias.get(output).map(|&b| b as f32));
                sum(&terms, backwards)
            };
            (0..affine.outputs)
                .flat_map(|o| reads.iter().map(move |r| one(o, r)).collect::<Vec<_>>())
                .collect()
        };
        let next = match &step.operation {
            Operation::Dense(affine) => {
                map(affine, &[(0..affine.inputs).map(|k| (k, k)).collect()])
            }
            Operation::Convolution(affine, window) => {
                let (channels, area) = (shape[0], window.size.0 * window.size.1);
                let mut reads = vec![Vec::new(); numbers / affine.outputs];
                window.each((shape[1], shape[2]), |place, inside, at| {
                    let each =
                        (0..channels).map(|c| (c * area + inside, c * shape[1] * shape[2] + at));
                    reads[place].extend(each);
                });
                map(affine, &reads)
            }
            Operation::Relu => x.iter().map(|x| x.max(0.0)).collect(),
            Operation::MaxPool(window) => {
                let largest =
                    |list: &Vec<f32>| list.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                windows(window, shape[0]).iter().map(largest).collect()
            }
            Operation::MeanPool(window, padded) => {
                let area = (window.size.0 * window.size.1) as f32;
                let mean = |list: &Vec<f32>| {
                    sum(list, backwards) / if *padded { area } else { list.len() as f32 }
                };
                windows(window, shape[0]).iter().map(mean).collect()
            }
            Operation::GlobalMean => {
                let area = shape[1] * shape[2];
                x.chunks(area).map(|plane| sum(plane, backwards) / area as f32).collect()
            }
            Operation::Shift { negated, from, by } => {
                let one = |(&k, &b): (&u32, &f64)| {
                    let x = x[k as usize];
                    (if *negated { -x } else { x }) + b as f32
                };
                from.iter().zip(by).map(one).collect()
            }
            Operation::Sum { other, minus } => {
                let one = |(x, y): (&f32, &f32)| if *minus { x - y } else { x + y };
                x.iter().zip(&values[*other]).map(one).collect()
            }
            Operation::Concatenate(others) => {
                let others = others.iter().flat_map(|&other| values[other].clone());
                x.iter().copied().chain(others).collect()
            }
            Operation::Same => x.clone(),
            Operation::Normalize(_) => unreachable!("not generated"),
        };
        values.push(next);
    }
    values.pop().unwrap()
}

fn distance(x: &Rational, y: f64) -> Rational {
    let difference = x - Dyadic::try_from(y).unwrap().to_rational();
    if difference < Rational::ZERO { -difference } else { difference }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn hold_what_is_exact_and_what_a_runtime_rounds(
        network in network(),
        points in prop::collection::vec(number(), 64),
    ) {
        let enclosed = Evaluator::new(&network).outputs(points.clone(), 2);
        let exact = Exact::new(&network).unwrap();
        for (i, point) in points.chunks(32).enumerate() {
            let outputs = exact.outputs(point);
            for backwards in [false, true] {
                let rounded = runtime(&network, point, backwards);
                for (k, output) in outputs.iter().enumerate() {
                    let at = i * outputs.len() + k;
                    let bound = |x: f64| Dyadic::try_from(x).unwrap().to_rational();
                    prop_assert!(distance(output, enclosed.centre[at]) <= bound(enclosed.radius(at)));
                    let off = distance(output, f64::from(rounded[k]));
                    prop_assert!(off <= bound(enclosed.runtime(at)), "{off} at {k}");
                }
            }
        }
    }

    /// Whole numbers are evaluated without any radius, and no runtime rounds them.
    #[test]
    fn whole_numbers_are_exact(
        weights in prop::collection::vec(-100i32..100, 20),
        point in prop::collection::vec(0u8..=255, 4),
    ) {
        let weights: Vec<f64> = weights.into_iter().map(f64::from).collect();
        let affine = Affine { weights, inputs: 4, outputs: 5, bias: vec![7.0; 5] };
        let steps = vec![Step { operation: Operation::Dense(affine), on: 0, shape: vec![5] }];
        let network = FeedForward { precision: Precision::Single, input: vec![4], steps };
        let point: Vec<f64> = point.into_iter().map(f64::from).collect();
        let enclosed = Evaluator::new(&network).outputs(point.clone(), 1);
        prop_assert!(enclosed.radius.is_empty() && enclosed.runtime.is_empty());
        let exact = Exact::new(&network).unwrap().outputs(&point);
        for (x, y) in exact.iter().zip(&enclosed.centre) {
            prop_assert_eq!(distance(x, *y), Rational::ZERO);
        }
    }
}
