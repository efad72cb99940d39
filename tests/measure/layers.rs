//! Layers taken from graphs compute what the graphs compute, and other graphs are refused by the step.

use proptest::prelude::*;
use shatter_exact::Rational;
use shatter_measure::layers::{ExactPerceptron, Homogeneous};
use shatter_measure::{MeasureError, Outputs, Perceptron};
use shatter_network::graph::{Affine, Operator, SlidingWindow, Step};
use shatter_network::{Activation, Layered, Unit};

use crate::common::cases;
use crate::networks::{by_extended, chain, dense, exact, fraction, of, perceptrons, unit};

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn matrices_with_the_constant_compute_the_network(network in perceptrons(), x in prop::collection::vec(-3i32..=3, 3)) {
        let x: Vec<f64> = x[..network.inputs].iter().map(|&x| f64::from(x)).collect();
        let exactly: Vec<Rational> = x.iter().map(|&x| exact(x)).collect();
        let perceptron = of(&network);
        let outputs = network.evaluate(&exactly);
        prop_assert_eq!(&by_extended(&perceptron, &x), &outputs);
        // As dense layers it is the same perceptron, and back again.
        prop_assert_eq!(&Perceptron::of(&dense(&network), Outputs::All).unwrap(), &perceptron);
        prop_assert_eq!(&Perceptron::of(&perceptron.graph(), Outputs::All).unwrap(), &perceptron);
        if outputs.len() == 2 {
            let expected = &outputs[1] - &outputs[0];
            for graph in [(&network).into(), dense(&network)] {
                let difference = Perceptron::of(&graph, Outputs::Difference).unwrap();
                prop_assert_eq!(by_extended(&difference, &x), vec![expected.clone()]);
            }
        }
    }

    #[test]
    fn layers_of_both_kinds_of_units_are_split(w in prop::collection::vec(-3i32..=3, 12), x in -3i32..=3, y in -3i32..=3) {
        let hidden = vec![
            vec![
                unit(Activation::Identity, &[(0, w[0]), (1, w[1])], w[2]),
                unit(Activation::Relu, &[(0, w[3]), (1, w[4])], w[5]),
            ],
            vec![
                unit(Activation::Relu, &[(0, w[6]), (1, w[7])], w[8]),
                unit(Activation::Identity, &[(0, w[9])], 0),
            ],
        ];
        let output = vec![unit(Activation::Identity, &[(0, w[10]), (1, w[11])], 1)];
        let network = Layered { inputs: 2, hidden, output };
        let perceptron = of(&network);
        prop_assert_eq!(perceptron.layers[0].outputs, 3);
        let point = [Rational::from(x), Rational::from(y)];
        prop_assert_eq!(by_extended(&perceptron, &[f64::from(x), f64::from(y)]), network.evaluate(&point));
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn fractions_are_off_by_no_more_than_is_said(numerator in any::<i64>(), denominator in 1u64.., shift in -60isize..=60) {
        let weight = Rational::from(numerator) / Rational::from(denominator) * Rational::from(2).pow(shift);
        let output = vec![Unit::affine([(0, weight.clone())], Rational::ZERO)];
        let layer = &of(&Layered { inputs: 1, hidden: Vec::new(), output }).layers[0];
        let near = exact(layer.weights[0]);
        let (off, most) = (&near - weight, exact(layer.rounding) * &near);
        prop_assert!(&off * &off <= &most * &most);
    }
}

#[test]
fn fractions_are_rounded_and_refused_where_binary64_ends() {
    let network = |weight: Rational| Layered {
        inputs: 1,
        hidden: Vec::new(),
        output: vec![Unit::affine([(0, weight)], Rational::ZERO)],
    };
    let third = of(&network(fraction(1, 3)));
    assert_eq!(
        (third.layers[0].weights[0], third.layers[0].rounding),
        (1.0 / 3.0, f64::EPSILON / 2.0)
    );
    assert_eq!(of(&network(fraction(3, 4))).layers[0].rounding, 0.0);
    let large = Rational::from(10).pow(400);
    let beyond = |weight| Perceptron::of(&(&network(weight)).into(), Outputs::All).unwrap_err();
    assert_eq!(beyond(large.clone()), MeasureError::Magnitude { layer: 0, log2: 1328 });
    assert!(matches!(beyond(Rational::ONE / large), MeasureError::Magnitude { layer: 0, .. }));
}

fn affine(weights: &[f64], inputs: usize) -> Operator {
    let outputs = weights.len() / inputs;
    Operator::Dense(Affine { weights: weights.to_vec(), inputs, outputs, bias: Vec::new() })
}

#[test]
fn other_graphs_are_refused_by_the_step() {
    let refused = |operations: Vec<Operator>| {
        let operations = operations.into_iter().map(|operation| (operation, vec![1])).collect();
        let graph = chain(vec![1], operations);
        match Perceptron::of(&graph, Outputs::All) {
            Err(MeasureError::NotPerceptron { step, reason, .. }) => (step, reason),
            other => panic!("{other:?}"),
        }
    };
    let relu = || Operator::Activate(Activation::Relu);
    let window = SlidingWindow { size: (1, 1), stride: (1, 1), before: (0, 0), after: (0, 0) };
    let weights = Affine { weights: vec![1.0], inputs: 1, outputs: 1, bias: vec![] };
    assert_eq!(refused(vec![Operator::Convolution(weights, window)]).0, 0);
    assert_eq!(refused(vec![relu(), affine(&[1.0], 1)]).0, 0);
    let threshold = Operator::Activate(Activation::Threshold);
    assert_eq!(
        refused(vec![affine(&[1.0], 1), threshold]),
        (1, "it is not positively homogeneous")
    );
    let steep = Operator::Leaky(vec![-1.5]);
    assert_eq!(refused(vec![affine(&[1.0], 1), steep]).0, 1);
    let clip = Operator::Clip { low: 0.0, high: 6.0 };
    assert_eq!(refused(vec![affine(&[1.0], 1), clip]).0, 1);
    let residual = Operator::Sum { other: 0, minus: false };
    assert_eq!(refused(vec![affine(&[1.0], 1), residual]).0, 1);
    let units = Operator::Units(vec![unit(Activation::Square, &[(0, 1)], 0)]);
    assert_eq!(refused(vec![affine(&[1.0], 1), units]).0, 1);
    let mixed =
        vec![unit(Activation::Relu, &[(0, 1)], 0), unit(Activation::Identity, &[(0, 1)], 0)];
    assert_eq!(refused(vec![Operator::Units(mixed)]).0, 0);

    let mixed =
        vec![unit(Activation::Relu, &[(0, 1)], 0), unit(Activation::Identity, &[(0, 1)], 0)];
    let last = Operator::Units(vec![unit(Activation::Identity, &[(0, 1), (1, 1)], 0)]);
    let after = refused(vec![Operator::Units(mixed), relu(), last]);
    assert_eq!(after, (1, "two activations after one affine map"));

    let skip = chain(vec![1], vec![(affine(&[1.0], 1), vec![1]), (relu(), vec![1])]);
    let mut skip = skip;
    skip.steps.push(Step::new(affine(&[1.0], 1), 0, vec![1]));
    assert!(matches!(
        Perceptron::of(&skip, Outputs::All),
        Err(MeasureError::NotPerceptron { step: 2, .. })
    ));
    let nothing = chain(vec![1], vec![(Operator::Same, vec![1])]);
    assert_eq!(Perceptron::of(&nothing, Outputs::All).unwrap_err(), MeasureError::NoLayers);
    let infinite = chain(vec![1], vec![(affine(&[f64::INFINITY], 1), vec![1])]);
    assert!(matches!(Perceptron::of(&infinite, Outputs::All), Err(MeasureError::NotFinite { .. })));
    assert!(matches!(
        ExactPerceptron::of(&infinite, Outputs::All),
        Err(MeasureError::NotFinite { .. })
    ));
}

#[test]
fn shapes_constants_and_slopes_are_folded() {
    let shift = Operator::Shift { negated: false, from: vec![0, 1], by: vec![0.5, -0.5] };
    let graph = chain(
        vec![1, 2],
        vec![
            (Operator::Same, vec![2]),
            (affine(&[1.0, 2.0, 3.0, 4.0], 2), vec![2]),
            (shift, vec![2]),
            (Operator::Leaky(vec![0.25]), vec![2]),
            (affine(&[1.0, 2.0], 2), vec![1]),
            (Operator::Softmax { logarithm: true }, vec![1]),
        ],
    );
    let perceptron = Perceptron::of(&graph, Outputs::All).unwrap();
    assert_eq!(perceptron.depth(), 2);
    assert_eq!(perceptron.layers[0].bias, [0.5, -0.5]);
    assert_eq!(perceptron.layers[0].weights, [1.0, 3.0, 2.0, 4.0]);
    assert_eq!(perceptron.layers[0].activation, Homogeneous::Leaky(0.25));
    assert_eq!(perceptron.layers[1].activation, Homogeneous::Identity);
    // The second layer has no bias, so the first does not pass the constant on.
    assert_eq!((perceptron.extended(0).rows, perceptron.extended(0).columns), (2, 3));
}

#[test]
fn layers_made_by_hand_are_checked() {
    let good = of(&Layered {
        inputs: 1,
        hidden: vec![vec![unit(Activation::Relu, &[(0, 1)], 0)]],
        output: vec![unit(Activation::Identity, &[(0, 2)], 1)],
    });
    assert_eq!(good.check(), Ok(()));
    let broken = |change: fn(&mut Perceptron)| {
        let mut other = good.clone();
        change(&mut other);
        let error = other.check().unwrap_err();
        assert_eq!(shatter_measure::Norms::of(&other, None), Err(error.clone()));
        error
    };
    assert_eq!(broken(|of| of.layers.clear()), MeasureError::NoLayers);
    let what = |error| match error {
        MeasureError::Length { what, .. } => what,
        other => panic!("{other}"),
    };
    assert_eq!(what(broken(|of| of.inputs = 2)), "columns of a layer");
    assert_eq!(what(broken(|of| of.layers[0].weights.clear())), "weights of a layer");
    assert_eq!(what(broken(|of| of.layers[1].bias.clear())), "biases of a layer");
}
