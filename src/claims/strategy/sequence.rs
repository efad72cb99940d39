//! Interleaving sequences, shapes of networks, and networks.

use std::ops::RangeInclusive;

use proptest::collection::vec;
use proptest::prelude::*;

use shatter_exact::{Dyadic, Rational};
use shatter_network::{Layered, Unit};

/// b_1 < z_1 < b_2 < z_2 < … < b_n < z_n, the hypothesis of Lemma 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Interleaving {
    /// b, increasing.
    pub thresholds: Vec<Dyadic>,
    /// z, increasing.
    pub points: Vec<Dyadic>,
}

/// Interleaving sequences of length `n`.
///
/// ```
/// use proptest::prelude::*;
/// use shatter_claims::strategy::interleaving;
/// proptest!(|(both in interleaving(1..=9))| {
///     let pairs = both.thresholds.iter().zip(&both.points);
///     prop_assert!(pairs.clone().all(|(b, z)| b < z));
///     prop_assert!(pairs.clone().zip(pairs.skip(1)).all(|((_, z), (b, _))| z < b));
/// });
/// ```
pub fn interleaving(n: RangeInclusive<usize>) -> impl Strategy<Value = Interleaving> + Clone {
    let gap = || prop_oneof![4 => 1i64..=9, 1 => 1i64..=1_000_000];
    (-99i64..=99, vec((gap(), gap()), n), -60i64..=60).prop_map(|(first, gaps, exponent)| {
        let mut at = first;
        let mut step = |gap: i64| {
            at += gap;
            Dyadic::new(at, exponent)
        };
        let (thresholds, points) = gaps.into_iter().map(|(b, z)| (step(b), step(z))).unzip();
        Interleaving { thresholds, points }
    })
}

/// Widths of a multilayer perceptron: inputs, hidden layers, outputs.
///
/// ```
/// use proptest::prelude::*;
/// use shatter_claims::strategy::architecture;
/// proptest!(|((inputs, hidden, outputs) in architecture(1..=3, 0..=4, 1..=5, 1..=2))| {
///     prop_assert!(inputs >= 1 && hidden.len() <= 4 && outputs <= 2);
/// });
/// ```
pub fn architecture(
    inputs: RangeInclusive<usize>,
    layers: RangeInclusive<usize>,
    width: RangeInclusive<usize>,
    outputs: RangeInclusive<usize>,
) -> impl Strategy<Value = (usize, Vec<usize>, usize)> + Clone {
    (inputs, vec(width, layers), outputs)
}

/// ReLU networks of these widths, all of whose weights and biases are integers from −4 to 4.
pub fn network(
    widths: impl Strategy<Value = (usize, Vec<usize>, usize)>,
) -> impl Strategy<Value = Layered> {
    let numbers = |(inputs, hidden, outputs): &(usize, Vec<usize>, usize)| {
        let to: Vec<usize> = hidden.iter().chain([outputs]).copied().collect();
        let from = [inputs].into_iter().chain(hidden);
        from.zip(&to).map(|(from, to)| (from + 1) * to).sum::<usize>()
    };
    widths
        .prop_flat_map(move |widths| {
            let size = numbers(&widths);
            (Just(widths), vec(-4i64..=4, size))
        })
        .prop_map(|((inputs, hidden, outputs), numbers)| {
            let mut numbers = numbers.into_iter().map(Rational::from);
            let mut next = || numbers.next().unwrap_or(Rational::ZERO);
            let mut from = inputs;
            let mut layer = |width: usize, unit: fn(Vec<(usize, Rational)>, Rational) -> Unit| {
                let units = (0..width).map(|_| {
                    let weights = (0..from).map(|k| (k, next())).collect();
                    unit(weights, next())
                });
                let units = units.collect::<Vec<Unit>>();
                from = width;
                units
            };
            let hidden = hidden.into_iter().map(|width| layer(width, Unit::relu)).collect();
            Layered { inputs, hidden, output: layer(outputs, Unit::affine) }
        })
}
