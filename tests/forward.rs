//! Promise: the evaluator of many points equals the definition, on every kind of network and number.

mod common;

use common::{cases, points};
use proptest::prelude::*;
use shatter::exact::{Dyadic, Rational};
use shatter::network::{Activation, Layered, Unit, forward};
use shatter::sample::Points;

/// Small, large, dyadic and other fractions; zeros.
fn number() -> impl Strategy<Value = Rational> {
    prop_oneof![
        4 => (-4i64..=4).prop_map(Rational::from),
        2 => ((-9i64..=9), (1u8..=7)).prop_map(|(p, q)| Rational::from_parts(p.into(), q.into())),
        1 => any::<i64>().prop_map(Rational::from),
        1 => (-1i64..=1, -80i64..=80).prop_map(|(m, e)| Dyadic::new(m, e).to_rational()),
    ]
}

fn unit(
    before: usize,
    activation: impl Strategy<Value = Activation>,
) -> impl Strategy<Value = Unit> {
    let weights = prop::collection::vec((0..before, number()), 0..=before.min(4));
    (activation, weights, number())
        .prop_map(|(activation, weights, bias)| Unit::new(activation, weights, bias))
}

fn network(inputs: usize) -> impl Strategy<Value = Layered> {
    let activation = || prop::sample::select(Activation::ALL.to_vec());
    let layer = move |before, width| prop::collection::vec(unit(before, activation()), width);
    (1usize..5, 1usize..5, 1usize..3).prop_flat_map(move |(a, b, c)| {
        (layer(inputs, a), layer(a, b), layer(b, c)).prop_map(move |(first, second, output)| {
            Layered { inputs, hidden: vec![first, second], output }
        })
    })
}

/// Two hidden layers over one direction, with fractions behind it.
fn ridge(inputs: usize) -> impl Strategy<Value = Layered> {
    let relu = || Just(Activation::Relu);
    let second = prop::collection::vec(unit(9, relu()), 1..4);
    (prop::collection::vec(number(), inputs), prop::collection::vec(number(), 9), second)
        .prop_flat_map(move |(a, biases, second)| {
            let first: Vec<Unit> = biases
                .into_iter()
                .map(|bias| Unit::relu(a.iter().cloned().enumerate(), bias))
                .collect();
            let output = prop::collection::vec(unit(second.len(), relu()), 1..3);
            output.prop_map(move |output| Layered {
                inputs,
                hidden: vec![first.clone(), second.clone()],
                output,
            })
        })
}

fn agrees(network: &Layered, points: &Points) -> Result<(), TestCaseError> {
    for (i, output) in forward::outputs(network, points).into_iter().enumerate() {
        prop_assert_eq!(output, network.evaluate(&points.exact_row(i)), "point {}", i);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn every_network((points, network) in points(20, 3).prop_flat_map(|points| {
        let network = network(points.d());
        (Just(points), network)
    })) {
        agrees(&network, &points)?;
    }

    #[test]
    fn networks_over_one_direction((points, network) in points(20, 3).prop_flat_map(|points| {
        let network = ridge(points.d());
        (Just(points), network)
    })) {
        agrees(&network, &points)?;
    }
}

/// Sums at the edges of 64 and 128 bits.
#[test]
fn no_sum_overflows() {
    use shatter::sample::Values;
    let points = Points::new(Values::I64(vec![i64::MAX, i64::MIN, -1, 0, 1]), vec![1]).unwrap();
    for bits in [0, 1, 30, 60, 61, 62, 63, 64, 65, 120, 126, 127, 128, 200] {
        let weight = Dyadic::power_of_two(bits).to_rational();
        let double = |sign: i64| {
            let weight = &weight * Rational::from(sign);
            Unit::relu([(0, weight.clone()), (0, weight)], Rational::from(sign))
        };
        let output = vec![Unit::new(
            Activation::Square,
            [(0, Rational::ONE), (1, Rational::ONE)],
            Rational::ONE,
        )];
        let network = Layered { inputs: 1, hidden: vec![vec![double(1), double(-1)]], output };
        agrees(&network, &points).unwrap();
    }
}
