//! Samples of which there is something to say.

use std::sync::Arc;

use shatter_network::Graph;
use shatter_prepare::{Condition, Preprocess, prepare};
use shatter_regression::{Design, Factor, Model, RegressionError, Targets, norm};
use shatter_sample::{LabelRule, Labels, Points, RawSample, Shape, Values};

fn fitted(points: &[f64], d: usize, targets: &[f64]) -> (Vec<f64>, bool, Vec<usize>, usize) {
    let design = Design::new(points.to_vec(), d, false).unwrap();
    let factor = Factor::new(&design).unwrap();
    let found = factor.minimum_norm(&Targets::new(targets.to_vec(), 1).unwrap()).unwrap();
    assert!(found.weights.iter().chain(&found.residuals).all(|x| x.is_finite()));
    (found.weights, found.fits, found.misfits, factor.rank())
}

/// d < n: the least residual and the points that have one, or a fit if the labels are consistent.
#[test]
fn more_points_than_coordinates() {
    let points = [1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 1.0];
    let (weights, fits, misfits, rank) = fitted(&points, 2, &[1.0, 2.0, 3.0, 4.0]);
    assert!(fits && misfits.is_empty() && rank == 2);
    assert!((weights[0] - 1.0).abs() < 1e-14 && (weights[1] - 2.0).abs() < 1e-14);
    // Only the points that take part in a relation of points are missed.
    let points = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    let (_, fits, misfits, rank) = fitted(&points, 3, &[1.0, 2.0, 6.0, 7.0]);
    assert!(!fits && misfits == [0, 1, 2] && rank == 3);
}

/// Equal points with equal labels are one; with different ones they are missed by half the difference.
#[test]
fn duplicated_points() {
    let points = [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 0.0, 1.0, 0.0];
    let (_, fits, _, rank) = fitted(&points, 3, &[5.0, 5.0, 1.0]);
    assert!(fits && rank == 2);
    let (_, fits, misfits, _) = fitted(&points, 3, &[5.0, 6.0, 1.0]);
    assert!(!fits && misfits == [0, 1]);
    let design = Design::new(points.to_vec(), 3, true).unwrap();
    let count = |targets: &[f64]| {
        let found = design.duplicates(&Targets::new(targets.to_vec(), 1).unwrap()).unwrap();
        (found.equal, found.different, found.first)
    };
    assert_eq!(count(&[5.0, 5.0, 1.0]), (1, 0, None));
    assert_eq!(count(&[5.0, 6.0, 1.0]), (0, 1, Some((0, 1))));
    // Whichever order their rows have: 9, 3, 9, 3, 9 with labels of which the last two break a pair each.
    let design = Design::new(vec![9.0, 3.0, 9.0, 3.0, 9.0], 1, false).unwrap();
    let found =
        design.duplicates(&Targets::new(vec![0.0, 0.0, 0.0, 1.0, 1.0], 1).unwrap()).unwrap();
    assert_eq!((found.equal, found.different, found.first), (1, 2, Some((1, 3))));
    let zeros = Design::new(vec![0.0, -0.0], 1, false).unwrap();
    assert_eq!(zeros.duplicates(&Targets::new(vec![1.0, 1.0], 1).unwrap()).unwrap().equal, 1);
}

/// Constant coordinates are named; zeros get the weight 0; another constant stands in for a bias.
#[test]
fn constant_features() {
    let design = Design::new(vec![1.0, 0.0, 7.0, 2.0, 0.0, 7.0], 3, true).unwrap();
    assert_eq!(design.constant(), [1, 2]);
    let factor = Factor::new(&design).unwrap();
    let found = factor.minimum_norm(&Targets::new(vec![1.0, 5.0], 1).unwrap()).unwrap();
    assert!(found.fits && found.weights[1] == 0.0);
    // The constant 7 and the appended 1 share the offset in proportion.
    assert!((found.weights[2] - 7.0 * found.weights[3]).abs() < 1e-13);
    // Nothing but zeros: rank 0, and only zeros are fitted.
    let (weights, fits, misfits, rank) = fitted(&[0.0; 4], 2, &[0.0, 1.0]);
    assert_eq!((weights, fits, misfits, rank), (vec![0.0; 2], false, vec![1], 0));
    let (_, fits, _, _) = fitted(&[0.0; 4], 2, &[0.0, 0.0]);
    assert!(fits);
}

/// One class only: every target is 1, and there is a model; so for a label that is always 0.
#[test]
fn one_class() {
    let targets = Targets::of(&Labels::classes(vec![0; 3], 1).unwrap()).unwrap();
    assert_eq!((targets.outputs(), targets.values()), (1, &[1.0; 3][..]));
    let design = Design::new(vec![1.0, 2.0, 4.0], 1, true).unwrap();
    let found = Factor::new(&design).unwrap().minimum_norm(&targets).unwrap();
    assert!(found.fits && found.weights[0].abs() < 1e-14); // a bias alone
    let design = Design::new(vec![1.0, 2.0, 4.0], 1, false).unwrap();
    assert!(!Factor::new(&design).unwrap().minimum_norm(&targets).unwrap().fits);
    let zeros = Targets::new(vec![0.0; 3], 1).unwrap();
    let found = Factor::new(&design).unwrap().minimum_norm(&zeros).unwrap();
    assert!(found.fits && norm(&found.weights) == 0.0);
}

/// Labels that are several real numbers.
#[test]
fn real_labels() {
    let labels = Labels::real(vec![1.5, -2.0, 0.25, 8.0], 2).unwrap();
    let targets = Targets::of(&labels).unwrap();
    let design = Design::new(vec![1.0, 0.0, 0.0, 2.0, 0.0, 0.0], 3, false).unwrap();
    let found = Factor::new(&design).unwrap();
    assert_eq!(found.rank(), 1); // 2 x_0 = x_1, and the labels do not say so
    assert!(!found.minimum_norm(&targets).unwrap().fits);
    let design = Design::new(vec![1.0, 0.0, 0.0, 0.0, 2.0, 0.0], 3, false).unwrap();
    let found = Factor::new(&design).unwrap().minimum_norm(&targets).unwrap();
    assert!(found.fits);
    let expected = [1.5, -2.0, 0.125, 4.0, 0.0, 0.0];
    assert!(found.weights.iter().zip(expected).all(|(w, e)| (w - e).abs() < 1e-14));
}

/// What has no place in binary64, or is no sample, is refused by name.
#[test]
fn refusals_name_the_place() {
    let design = |values: &[f64], d| Design::new(values.to_vec(), d, false).map(|_| ());
    assert_eq!(design(&[], 3), Err(RegressionError::Empty { rows: 0, columns: 3 }));
    assert_eq!(design(&[1.0], 0), Err(RegressionError::Empty { rows: 0, columns: 0 }));
    assert_eq!(design(&[1.0; 5], 3), Err(RegressionError::Ragged { values: 5, columns: 3 }));
    for value in [f64::INFINITY, 1e300, -1e100] {
        let refused = RegressionError::Range { what: "coordinate", row: 1, column: 0, value };
        assert_eq!(design(&[1.0, 2.0, value, 3.0], 2), Err(refused));
    }
    assert!(matches!(design(&[f64::NAN], 1), Err(RegressionError::Range { .. })));
    let small = RegressionError::Range { what: "coordinate", row: 0, column: 1, value: 1e-100 };
    assert_eq!(design(&[0.0, 1e-100], 2), Err(small));
    assert_eq!(design(&[1.0, 1e-100], 2), Ok(()));
    assert!(matches!(
        Targets::new(vec![1e300], 1),
        Err(RegressionError::Range { what: "target", row: 0, .. })
    ));
    let one = Design::new(vec![1.0, 2.0], 2, false).unwrap();
    let factor = Factor::new(&one).unwrap();
    let two = Targets::new(vec![1.0, 2.0], 1).unwrap();
    let refused = RegressionError::TargetCount { targets: 2, rows: 1 };
    assert_eq!(factor.minimum_norm(&two).unwrap_err(), refused);
    assert!(factor.split(&[1.0], 1).is_err() && Model::new(&one, &[1.0], 1).is_err());
    let wide = Design::new(vec![1.0; 6145 * 2], 1, false).unwrap();
    assert!(Factor::new(&wide).is_ok()); // one coordinate
    let large = Design::new(vec![1.0; 6145 * 6145], 6145, false).unwrap();
    let refused = RegressionError::TooLarge { rows: 6145, columns: 6145, most: 6144 };
    assert_eq!(Factor::new(&large).unwrap_err(), refused);
}

/// A model is a network: images go in, outputs are those of the weights, with PyTorch's arrays.
#[test]
fn a_model_is_a_network() {
    let points =
        Points::new(Values::U8((0..24u32).map(|i| (i * i % 251) as u8).collect()), vec![2, 3])
            .unwrap();
    let labels = Labels::classes(vec![0, 1, 2, 1], 3).unwrap();
    let raw = RawSample { text: "four".into(), points, labels };
    let white = Preprocess { scale: true, crop: None, whiten: true };
    let own = Condition::Labels(LabelRule::True);
    let (train, _) = prepare::<f64>(&raw, None, own, &white, 1, false).unwrap();
    for bias in [false, true] {
        let design = Design::of(&train, bias).unwrap();
        let targets = Targets::of(&train.labels).unwrap();
        let found = Factor::new(&design).unwrap().minimum_norm(&targets).unwrap();
        assert!(found.fits);
        let model = Model::new(&design, &found.weights, 3).unwrap();
        assert_eq!((model.inputs(), model.outputs()), (6, 3));
        let graph = model.graph(train.shape);
        let outputs = shatter_plain::outputs(&graph, &Arc::clone(&train.values), 4);
        assert!(outputs.iter().zip(targets.values()).all(|(z, y)| (z - y).abs() < 1e-12));
        let architecture = model.architecture(train.shape).unwrap();
        assert_eq!(architecture.to_string(), "flatten dense(3)");
        let arrays = model.arrays(train.shape).unwrap();
        let again: Graph =
            shatter_network::graph::trained::graph(&architecture, &arrays, graph.precision)
                .unwrap();
        assert_eq!(shatter_plain::outputs(&again, &train.values, 4), outputs);
        assert_eq!(arrays[0].0.shape, [3, 6]);
        assert_eq!(arrays[1].1.iter().any(|b| *b != 0.0), bias);
    }
    let vector = Model { weights: vec![1.0, 2.0], bias: vec![0.0] };
    assert_eq!(vector.graph(Shape::vector(2)).outputs(), 1);
}
