//! Promise: the evaluator of many points equals the definition, on every kind of network and number.

use crate::common::{cases, feed, points};
use proptest::prelude::*;
use shatter_exact::{Dyadic, Format, Rational};
use shatter_network::ExactPoints;
use shatter_network::exactly::{self, ExactEvaluator, Inexact};
use shatter_network::graph::{Normalization, Operator, Step, count};
use shatter_network::{Activation, ExactNetwork, Graph, Layered, Unit};
use shatter_sample::{Points, Values};

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

/// The two-layer form, with few units and with many.
fn shared(inputs: usize) -> impl Strategy<Value = ExactNetwork> {
    let dyadic = || (-9i64..=9, -3i64..=3).prop_map(|(m, e)| Dyadic::new(m, e));
    let units = prop::collection::vec((dyadic(), number()), 0..12);
    (prop::collection::vec(dyadic(), inputs), units, dyadic()).prop_map(|(a, units, c)| {
        let (b, w) = units.into_iter().unzip();
        ExactNetwork { a, b, w, c }
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
    let graph = Graph::from(network);
    let of_graph = exactly::outputs_of(&graph, points).expect("no roots");
    prop_assert_eq!(&of_graph, &exactly::outputs(network, points));
    // With a budget, where it has a plan and binary64 has the points.
    if let Ok(exact) = ExactEvaluator::new(&graph, 1 << 30) {
        for (i, output) in of_graph.iter().enumerate() {
            let row: Vec<f64> = (0..points.d()).map(|k| points.f64_at(i, k)).collect();
            let same = |(k, x): (usize, &f64)| Dyadic::try_from(*x) == Ok(points.exact_at(i, k));
            if row.iter().enumerate().all(same) {
                prop_assert_eq!(&exact.outputs(&row), output, "point {} within a budget", i);
            }
        }
    }
    for (i, output) in exactly::outputs(network, points).into_iter().enumerate() {
        prop_assert_eq!(output, network.evaluate(&points.exact_row(i)), "point {}", i);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn every_network((points, network) in points(20, 3).prop_flat_map(|points| {
        let network = network(points.d());
        (Just(points), network)
    })) {
        agrees(&network, &points)?;
    }

    /// Every operation, at several points at once and one by one.
    #[test]
    fn every_graph(graph in feed::network(8), numbers in prop::collection::vec(feed::number(), 96)) {
        let d = count(&graph.input);
        let values: Vec<f64> = numbers.into_iter().cycle().take(3 * d).collect();
        let points = Points::new(Values::F64(values.clone()), graph.input.clone()).expect("finite");
        match ExactEvaluator::new(&graph, 1 << 30) {
            Ok(exact) => {
                let all = exact.all(&values);
                let outputs = exactly::outputs_of(&graph, &points).expect("it has a plan");
                prop_assert_eq!((all.len(), outputs.len()), (3, 3));
                for (i, (point, value)) in values.chunks(d).zip(all).enumerate() {
                    let wanted = feed::real(&graph, point);
                    prop_assert_eq!(value.rationals(), &wanted[..], "point {}", i);
                    prop_assert_eq!(&outputs[i], &wanted);
                    prop_assert_eq!(exact.outputs(point), wanted);
                }
            }
            // Roots and powers are refused alike.
            Err(Inexact::SquareRoot | Inexact::Power) => {
                prop_assert!(exactly::outputs_of(&graph, &points).is_err());
            }
            Err(_) => {}
        }
    }

    /// Theorem 1's form, whose direction is a step of its own.
    #[test]
    fn shared_directions((points, network) in points(20, 3).prop_flat_map(|points| {
        let network = shared(points.d());
        (Just(points), network)
    })) {
        let graph = Graph::from(&network);
        let found = exactly::outputs_of(&graph, &points).expect("no roots");
        prop_assert_eq!(found, exactly::outputs(&network.to_layered(), &points));
    }

    #[test]
    fn networks_over_one_direction((points, network) in points(20, 3).prop_flat_map(|points| {
        let network = ridge(points.d());
        (Just(points), network)
    })) {
        agrees(&network, &points)?;
    }
}

/// Variances whose roots are rational are taken; others are refused by name.
#[test]
fn roots_of_squares_are_exact() {
    let normalized = |variance: f64| {
        let by = Normalization {
            scale: vec![3.0],
            shift: vec![0.25],
            mean: vec![-1.0],
            variance: vec![variance],
            epsilon: 0.25,
        };
        let step = Step::new(Operator::Normalize(by), 0, vec![1]);
        let square = Step::new(Operator::Activate(Activation::Softsign), 1, vec![1]);
        Graph { precision: Format::F64, input: vec![1], steps: vec![step, square] }
    };
    let graph = normalized(2.0); // √2.25 = 3/2, and 2 (x + 1) + 1/4
    let exact = ExactEvaluator::new(&graph, 1 << 20).unwrap();
    assert_eq!(exact.outputs(&[1.0]), [Rational::from_parts(17.into(), 21u8.into())]);
    assert_eq!(ExactEvaluator::new(&normalized(1.0), 1 << 20).err(), Some(Inexact::SquareRoot));
}

/// Sums at the edges of 64 and 128 bits.
#[test]
fn no_sum_overflows() {
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
