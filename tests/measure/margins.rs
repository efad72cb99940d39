//! Margins against double loops and the definition of readings; rounding errors of outputs against exact outputs.

use proptest::prelude::*;
use shatter_exact::Rational;
use shatter_measure::margin::{Margins, normalized, output_error, output_size};
use shatter_measure::{MeasureError, PointSizes};
use shatter_network::reading::{How, Reading};
use shatter_plain::outputs;
use shatter_sample::Labels;

use crate::common::cases;
use crate::networks::{by_extended, dense, encloses, exact, perceptrons, points};

/// A reading, outputs of three points and their classes.
fn read() -> impl Strategy<Value = (How, usize, Vec<f64>, Vec<u32>)> {
    let hows = [
        (How::Largest, 3, 3),
        (How::Largest, 2, 2),
        (How::Sign, 1, 2),
        (How::Half, 1, 2),
        (How::Value, 1, 4),
        (How::OneHot, 3, 3),
        (How::Bits, 2, 4u32),
    ];
    prop::sample::select(hows.to_vec()).prop_flat_map(|(how, outputs, classes)| {
        let number = (-8i32..=12).prop_map(|x| f64::from(x) / 8.0);
        let numbers = prop::collection::vec(number, 3 * outputs);
        (Just(how), Just(outputs), numbers, prop::collection::vec(0..classes, 3))
    })
}

/// Classes named by their numbers, all of those that a reading may have.
fn bound(how: How, outputs: usize, of: Vec<u32>) -> shatter_network::reading::BoundLabels {
    let count = match how {
        How::Sign | How::Half => 2,
        How::Value | How::Bits => 4,
        How::Largest | How::OneHot => outputs as u32,
    };
    Reading::new(how).bind(&Labels::classes(of, count).unwrap(), outputs).unwrap()
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn margins_are_positive_where_outputs_say_the_label((how, k, numbers, classes) in read(), error in 0.0..0.1f64) {
        let labels = bound(how, k, classes);
        let margins = Margins::of(&numbers, k, &labels, 0.0).unwrap();
        let rows: Vec<Vec<Rational>> = numbers.chunks(k).map(|row| row.iter().map(|&x| exact(x)).collect()).collect();
        let says = rows.iter().enumerate().filter(|(i, row)| labels.says(row, *i)).count();
        prop_assert_eq!(margins.errors(), 3 - says);
        // Outputs that are off by less than the error: margins are no larger than those of the true outputs.
        let moved: Vec<f64> = numbers.iter().enumerate().map(|(k, x)| if k % 2 == 0 { x + error } else { x - error }).collect();
        let lowered = Margins::of(&moved, k, &labels, error * (1.0 + 1e-9) + 1e-15).unwrap();
        for (low, m) in lowered.sorted().iter().zip(margins.sorted()) {
            prop_assert!(low <= m);
        }
    }

    #[test]
    fn largest_and_ramp_by_double_loops(numbers in prop::collection::vec(-20i32..=20, 12), classes in prop::collection::vec(0u32..3, 4), gamma in 1i32..=20) {
        let numbers: Vec<f64> = numbers.iter().map(|&x| f64::from(x)).collect();
        let gamma = f64::from(gamma);
        let margins = Margins::of(&numbers, 3, &bound(How::Largest, 3, classes.clone()), 0.0).unwrap();
        let mut expected = Vec::new();
        let mut ramp = Rational::ZERO;
        for i in 0..4 {
            let mut least = f64::INFINITY;
            for c in 0..3 {
                if c != classes[i] as usize {
                    least = least.min(numbers[3 * i + classes[i] as usize] - numbers[3 * i + c]);
                }
            }
            expected.push(least);
            ramp += exact((gamma - least).clamp(0.0, gamma)) / exact(gamma) / Rational::from(4);
        }
        expected.sort_by(f64::total_cmp);
        prop_assert_eq!(margins.sorted(), &expected[..]);
        prop_assert!(encloses(margins.ramp(gamma), &ramp));
        prop_assert!(margins.errors() <= margins.below(gamma));
        // Ramp losses grow with γ.
        prop_assert!(margins.ramp(gamma).low() <= margins.ramp(2.0 * gamma).high());
        for q in [0.0, 0.25, 0.3, 0.5, 0.75, 1.0] {
            let m = margins.quantile(q);
            prop_assert!(expected.iter().filter(|&&x| x <= m).count() as f64 >= q * 4.0);
            prop_assert!((expected.iter().filter(|&&x| x < m).count() as f64) < (q * 4.0).max(1.0));
        }
        prop_assert_eq!(normalized(&margins, 2.0)[0], expected[0] / 2.0);
    }

    #[test]
    fn computed_outputs_are_within_their_bound((network, x) in perceptrons().prop_flat_map(|network| { let d = network.inputs; (Just(network), points(d)) }), by in 1.0..3.0f64) {
        // Weights and points with all their bits.
        let mut graph = dense(&network);
        for step in &mut graph.steps {
            if let shatter_network::graph::Operator::Dense(affine) = &mut step.operation {
                affine.weights.iter_mut().chain(&mut affine.bias).for_each(|w| *w *= by);
            }
        }
        let d = network.inputs;
        let x: Vec<f64> = x.iter().map(|x| x / 3.0).collect();
        let perceptron = shatter_measure::Perceptron::of(&graph, shatter_measure::Outputs::All).unwrap();
        let sizes = PointSizes::of(&x, d).unwrap();
        let (error, size) = (exact(output_error(&perceptron, &sizes)), exact(output_size(&perceptron, &sizes)));
        let computed: Vec<f64> = outputs(&graph, &x, x.len() / d);
        for (point, row) in x.chunks(d).zip(computed.chunks(perceptron.outputs())) {
            for (found, exactly) in row.iter().zip(by_extended(&perceptron, point)) {
                let apart = exact(*found) - &exactly;
                let distance = if apart < Rational::ZERO { -apart } else { apart };
                prop_assert!(distance <= error);
                prop_assert!(exactly <= size && -exactly <= size);
            }
        }
    }
}

#[test]
fn labels_and_outputs_that_do_not_fit_are_refused() {
    let labels = bound(How::Largest, 2, vec![0, 1]);
    let of = |numbers: &[f64], k, error| Margins::of(numbers, k, &labels, error).unwrap_err();
    assert!(matches!(of(&[1.0; 3], 2, 0.0), MeasureError::Length { found: 3, expected: 4, .. }));
    assert!(matches!(
        of(&[1.0, f64::NAN, 1.0, 1.0], 2, 0.0),
        MeasureError::PointNotFinite { point: 0, .. }
    ));
    assert!(matches!(of(&[1.0; 4], 2, f64::NAN), MeasureError::Parameter { .. }));
    assert!(matches!(
        of(&[1.0; 2], 1, 0.0),
        MeasureError::NoSuchOutput { point: 1, class: 1, outputs: 1 }
    ));
    let real = Labels::real(vec![0.5, 1.5], 1).unwrap();
    let real = Reading::new(How::Value).bind(&real, 1).unwrap();
    assert_eq!(Margins::of(&[1.0; 2], 1, &real, 0.0), Err(MeasureError::NoMargins));
}
