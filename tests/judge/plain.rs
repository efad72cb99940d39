//! Promise: the plain forward pass stays within the bounds of rounding, at every operation and number
//! of points, and its bytes depend neither on the number of threads nor on how points are grouped.

use crate::common::cases;
use crate::common::feed::{network, number, rational, real};
use proptest::prelude::*;
use shatter_exact::{Format, Rational};
use shatter_judge::enclose::Evaluator;
use shatter_judge::runtime::Runtime;
use shatter_network::Graph;
use shatter_network::graph::{Affine, Operator, SlidingWindow, Step, count};
use shatter_plain::{Plain, outputs};

fn far(x: &Rational, y: f64) -> Rational {
    let difference = x - rational(y);
    if difference < Rational::ZERO { -difference } else { difference }
}

proptest! {
    #![proptest_config(cases(64))]

    /// Every operation, against fractions: no farther than a runtime may be.
    #[test]
    fn every_graph(graph in network(8), numbers in prop::collection::vec(number(), 96)) {
        let d = count(&graph.input);
        let points: Vec<f64> = numbers.into_iter().cycle().take(3 * d).collect();
        let enclosed = Evaluator::new(&graph, Runtime::Ieee).outputs(points.clone(), 3);
        let single: Vec<f32> = points.iter().map(|&x| x as f32).collect();
        let found = outputs(&graph, &single, 3);
        for (i, point) in points.chunks(d).enumerate() {
            for (k, wanted) in real(&graph, point).iter().enumerate() {
                let at = i * graph.outputs() + k;
                let bound = enclosed.runtime(at);
                if bound.is_finite() {
                    let inside = far(wanted, f64::from(found[at])) <= rational(bound) + rational(1e-100);
                    prop_assert!(inside, "{}: {} and {:?} ± {bound}", at, found[at], wanted.to_f64());
                }
            }
        }
    }

    /// Whole numbers, so that nothing rounds: windows of every kind equal the definition.
    #[test]
    fn convolutions_equal_the_definition(
        (channels, height, width) in (1usize..40, 1usize..12, 1usize..12),
        size in (1usize..6, 1usize..6),
        stride in (1usize..4, 1usize..4),
        padding in ((0usize..5, 0usize..5), (0usize..5, 0usize..5)),
        outputs_ in 1usize..5,
        n in 1usize..5,
        with_bias in any::<bool>(),
    ) {
        let window = SlidingWindow { size, stride, before: padding.0, after: padding.1 };
        let Some((rows, columns)) = window.places(height, width) else { return Ok(()) };
        let inputs = channels * size.0 * size.1;
        let whole = |k: usize| ((k * 7 + k / 5) % 11) as f64 - 5.0;
        let affine = Affine {
            weights: (0..inputs * outputs_).map(whole).collect(),
            inputs,
            outputs: outputs_,
            bias: (0..if with_bias { outputs_ } else { 0 }).map(whole).collect(),
        };
        let input = vec![channels, height, width];
        let step = Step::new(Operator::Convolution(affine, window), 0, vec![outputs_, rows, columns]);
        let graph = Graph { precision: Format::F64, input, steps: vec![step] };
        let d = count(&graph.input);
        let points: Vec<f64> = (0..n * d).map(whole).collect();
        let found = outputs(&graph, &points, n);
        for (point, found) in points.chunks(d).zip(found.chunks(graph.outputs())) {
            let wanted: Vec<f64> = real(&graph, point).iter().map(|x| x.to_f64().value()).collect();
            prop_assert_eq!(found, &wanted[..]);
        }
    }

    /// The bytes of many points, on one thread and on three, and of each point's repetition.
    #[test]
    fn threads_change_nothing(graph in network(6), numbers in prop::collection::vec(number(), 64)) {
        let d = count(&graph.input);
        let points: Vec<f32> = numbers.iter().map(|&x| x as f32).cycle().take(40 * d).collect();
        let plain = Plain::<f32>::new(&graph);
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            let found = pool.install(|| plain.outputs(&points));
            found.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        prop_assert_eq!(on(1), on(3));
    }
}

/// Enough channels and places that windows are unfolded a row at a time: whole numbers, with and without bias.
#[test]
fn wide_convolutions_equal_the_definition() {
    let window = SlidingWindow { size: (3, 2), stride: (2, 1), before: (2, 1), after: (1, 1) };
    let (channels, height, width, outputs_) = (40, 40, 20, 3);
    let (rows, columns) = window.places(height, width).unwrap();
    let inputs = channels * 6;
    let whole = |k: usize| ((k * 7 + k / 5) % 11) as f64 - 5.0;
    for biases in [0, outputs_] {
        let affine = Affine {
            weights: (0..inputs * outputs_).map(whole).collect(),
            inputs,
            outputs: outputs_,
            bias: (0..biases).map(whole).collect(),
        };
        let shape = vec![outputs_, rows, columns];
        let step = Step::new(Operator::Convolution(affine, window), 0, shape);
        let input = vec![channels, height, width];
        let graph = Graph { precision: Format::F64, input, steps: vec![step] };
        let points: Vec<f64> = (0..2 * count(&graph.input)).map(whole).collect();
        let plain = Plain::<f64>::new(&graph);
        assert!(format!("{plain:?}").len() < 200, "a network is named by its sizes: {plain:?}");
        let found = plain.outputs(&points);
        for (point, found) in
            points.chunks(channels * height * width).zip(found.chunks(graph.outputs()))
        {
            let wanted: Vec<f64> = real(&graph, point).iter().map(|x| x.to_f64().value()).collect();
            assert_eq!(found, wanted, "{biases} biases");
        }
    }
}
