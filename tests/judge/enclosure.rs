//! Promise: the enclosures of a network hold what real arithmetic finds, and what binary32 makes of it
//! in any order of its sums, whatever is folded into products, and whether or not numbers below the
//! normal range are taken for zero.

use crate::common::cases;
use crate::common::feed::{network, number, rational, real};
use crate::common::runtimes::runtimes;
use proptest::prelude::*;
use shatter_exact::{Rational, bit_length};

use shatter_exact::Format;
use shatter_judge::Runtime;
use shatter_judge::enclose::{Enclosure, Evaluator};
use shatter_network::exactly::ExactEvaluator;
use shatter_network::graph::{Affine, Normalization, Operator, Response, SlidingWindow, Step};
use shatter_network::{Activation, Graph};

fn distance(x: &Rational, y: f64) -> Rational {
    let difference = x - rational(y);
    if difference < Rational::ZERO { -difference } else { difference }
}

fn within(distance: &Rational, bound: f64) -> bool {
    // Roots of the test's own are off by less than 2^-500.
    bound == f64::INFINITY || *distance <= rational(bound) + rational(2f64.powi(-500))
}

/// Whether every runtime stays within the bounds; the first that does not.
fn holds(network: &Graph, points: &[f64], seed: u64) -> Result<Enclosure, String> {
    let d = network.input.iter().product::<usize>();
    let enclosed =
        Evaluator::new(network, Runtime::Ieee).outputs(points.to_vec(), points.len() / d);
    for (i, point) in points.chunks(d).enumerate() {
        let outputs = real(network, point);
        for (k, output) in outputs.iter().enumerate() {
            let at = i * outputs.len() + k;
            if !within(&distance(output, enclosed.centre[at]), enclosed.radius(at)) {
                return Err(format!(
                    "number {k} is farther than the radius {}",
                    enclosed.radius(at)
                ));
            }
        }
        for mut runtime in runtimes(seed) {
            let said = format!("{runtime:?}");
            for (k, found) in runtime.outputs(network, point).into_iter().enumerate() {
                let bound = enclosed.runtime(i * outputs.len() + k);
                let inside = if found.is_finite() {
                    within(&distance(&outputs[k], f64::from(found)), bound)
                } else {
                    bound == f64::INFINITY
                };
                if !inside {
                    let real = outputs[k].to_f64().value();
                    return Err(format!("{said} finds {found:e}, not {real:e} ± {bound:e}"));
                }
            }
        }
    }
    Ok(enclosed)
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn hold_what_is_real_and_what_runtimes_round(
        network in network(9),
        points in prop::collection::vec(number(), 64),
        seed in any::<u32>(),
    ) {
        let found = holds(&network, &points, u64::from(seed));
        prop_assert!(found.is_ok(), "{}", found.unwrap_err());
    }

    /// Exact arithmetic and this test's own agree, where there is no root.
    #[test]
    fn exact_arithmetic_is_exact(network in network(7), point in prop::collection::vec(number(), 32)) {
        if let Ok(exact) = ExactEvaluator::new(&network, u64::MAX) {
            prop_assert_eq!(exact.outputs(&point), real(&network, &point));
            // No number is longer than was planned.
            let longest = exact.evaluated(&point).numbers.iter().map(bit_length).max();
            prop_assert!(longest.is_none_or(|bits| bits <= exact.plan.bits), "{longest:?} bits, not {}", exact.plan.bits);
        }
    }

    /// The same where the first operation, a softsign, gives every number a denominator of its own.
    #[test]
    fn fractions_are_exact(network in network(7), point in prop::collection::vec(-4i32..5, 32)) {
        let network = behind_softsign(network);
        let point: Vec<f64> = point.into_iter().map(f64::from).collect();
        if let Ok(exact) = ExactEvaluator::new(&network, u64::MAX) {
            prop_assert_eq!(exact.outputs(&point), real(&network, &point));
        }
    }

    /// Whole numbers are evaluated without any radius, and no runtime rounds them.
    #[test]
    fn whole_numbers_are_exact(
        weights in prop::collection::vec(-100i32..100, 20),
        point in prop::collection::vec(0u8..=255, 4),
    ) {
        let weights: Vec<f64> = weights.into_iter().map(f64::from).collect();
        let steps = [dense(4, weights, vec![7.0; 5]), shift(&[3.0; 5])];
        let point: Vec<f64> = point.into_iter().map(f64::from).collect();
        let enclosed = holds(&linear(4, steps), &point, 1);
        prop_assert!(enclosed.is_ok_and(|x| x.radius.is_empty() && x.runtime.is_empty()));
    }
}

/// The network with a softsign before everything else.
fn behind_softsign(mut network: Graph) -> Graph {
    for step in &mut network.steps {
        step.on += 1;
        match &mut step.operation {
            Operator::Sum { other, .. } => *other += 1,
            Operator::Concatenate(others) => others.iter_mut().for_each(|other| *other += 1),
            _ => {}
        }
    }
    let first = Operator::Activate(shatter_network::Activation::Softsign);
    network.steps.insert(0, Step::new(first, 0, network.input.clone()));
    network
}

/// A network of one operation after the other.
fn linear(inputs: usize, operations: impl IntoIterator<Item = (Operator, usize)>) -> Graph {
    let step = |(on, (operation, outputs))| Step::new(operation, on, vec![outputs]);
    let steps = operations.into_iter().enumerate().map(step).collect();
    Graph { precision: Format::F32, input: vec![inputs], steps }
}

fn dense(inputs: usize, weights: Vec<f64>, bias: Vec<f64>) -> (Operator, usize) {
    let outputs = weights.len() / inputs;
    (Operator::Dense(Affine { weights, inputs, outputs, bias }), outputs)
}

fn shift(by: &[f64]) -> (Operator, usize) {
    let from = (0..by.len() as u32).collect();
    (Operator::Shift { negated: false, from, by: by.to_vec() }, by.len())
}

fn normalize(scale: f64, shift: f64, mean: f64, variance: f64) -> (Operator, usize) {
    let [scale, shift, mean, variance] = [scale, shift, mean, variance].map(|x| vec![x]);
    (Operator::Normalize(Normalization { scale, shift, mean, variance, epsilon: 1e-5 }), 1)
}

fn point_of(network: &Graph, point: &[f64]) -> Enclosure {
    holds(network, point, 7).unwrap()
}

/// A bound of 0 for the sum by itself, and another for what is folded into it.
#[test]
fn an_addition_that_is_folded_into_a_product_may_round() {
    let large = 2f64.powi(20);
    let weights: Vec<f64> = (0..1024).map(|k| if k % 2 == 0 { large } else { -large }).collect();
    let point = vec![1.0; 1024];
    // 2^30 in all, in units of 2^7.
    let alone = linear(1024, [dense(1024, weights.clone(), vec![128.0])]);
    assert!(point_of(&alone, &point).runtime.is_empty());
    let biased = linear(1024, [dense(1024, weights.clone(), vec![2f64.powi(-6)])]);
    assert!(point_of(&biased, &point).runtime(0) > 0.0);
    // Neither the product nor the sum of 1 and 2^-7 rounds by itself.
    let apart = [dense(1024, weights.clone(), Vec::new()), shift(&[1.0]), shift(&[2f64.powi(-7)])];
    let apart = point_of(&linear(1024, apart), &point);
    assert_eq!((apart.centre[0], apart.radius.len()), (1.0 + 2f64.powi(-7), 0));
    assert!(apart.runtime(0) >= 1.0, "1 is lost in 2^30: {:?}", apart.runtime);
    // The same through a sum of two values.
    let mut residual = linear(
        1024,
        [dense(1024, weights, Vec::new()), dense(1024, vec![2f64.powi(-8); 1024], Vec::new())],
    );
    residual.steps[1].on = 0;
    let step = Step::new(Operator::Sum { other: 2, minus: false }, 1, vec![1]);
    residual.steps.push(step);
    assert!(point_of(&residual, &point).runtime(0) > 1.0);
}

/// The same in binary64, whose runtimes lose the 1 beside 2^60.
#[test]
fn networks_in_binary64_have_bounds_of_their_own() {
    let weights = |large: f64| (0..1024).map(|k| if k % 2 == 0 { large } else { -large }).collect();
    let bound = |large: f64| {
        let operations = [dense(1024, weights(large), Vec::new()), shift(&[1.0])];
        let network = Graph { precision: Format::F64, ..linear(1024, operations) };
        let found = Evaluator::new(&network, Runtime::Ieee).outputs(vec![1.0; 1024], 1);
        assert_eq!((found.centre[0], found.radius(0)), (1.0, 0.0));
        found.runtime(0)
    };
    assert_eq!(bound(2f64.powi(42)), 0.0);
    assert!(bound(2f64.powi(50)) >= 1.0);
    // Numbers that binary32 would take for 0 are normal here, and others are not.
    let tiny = |weight: f64| {
        let network = linear(1, [dense(1, vec![weight], Vec::new())]);
        let network = Graph { precision: Format::F64, ..network };
        Evaluator::new(&network, Runtime::Ieee).outputs(vec![2f64.powi(100)], 1).runtime(0)
    };
    assert_eq!(tiny(2f64.powi(-1000)), 0.0);
    assert!(tiny(f64::MIN_POSITIVE / 256.0) >= 2f64.powi(-930));
}

/// A constant before a product is a bias of it: 2^20 · 2^-20 + 1 there.
#[test]
fn an_addition_that_is_folded_into_the_next_product_may_round() {
    let network = linear(
        2,
        [
            shift(&[2f64.powi(20), 2f64.powi(20)]),
            dense(2, vec![2f64.powi(10), -2f64.powi(10)], vec![2f64.powi(-1)]),
        ],
    );
    let found = point_of(&network, &[-2f64.powi(20), -2f64.powi(20)]);
    assert_eq!((found.centre[0], found.radius.len()), (0.5, 0));
    assert!(found.runtime(0) > 0.0, "as (2^10 · 2^20 + 1/2) − 2^10 · 2^20 it is 0");
}

#[test]
fn normalization_that_is_folded_may_round_more() {
    // x is whole, and weights cancel to 0; folded into the weights nothing cancels exactly.
    let weights = vec![3.0, -3.0, 1.0, -1.0];
    let network = linear(4, [dense(4, weights, vec![1.0]), normalize(1.0, 0.5, 1.0, 0.3)]);
    let found = point_of(&network, &[8000.0, 8000.0, 999.0, 999.0]);
    assert!(found.runtime(0) > 1e-4, "{:?}", found.runtime);
}

/// Numbers below the normal range: as inputs, weights, constants, and on the way.
#[test]
fn numbers_below_the_normal_range_may_be_zero() {
    let tiny = 2f64.powi(-140);
    let huge = 2f64.powi(100);
    for (weight, x) in [(huge, tiny), (tiny, huge)] {
        let found = point_of(&linear(1, [dense(1, vec![weight], vec![1.0])]), &[x]);
        assert!(found.runtime(0) >= 2f64.powi(-40), "{weight:e} · {x:e}: {:?}", found.runtime);
    }
    // A weight alone, in a product that is a power of two.
    let found = point_of(&linear(1, [dense(1, vec![tiny], vec![])]), &[huge]);
    assert!(found.runtime(0) >= 2f64.powi(-40));
    let relu = point_of(&linear(1, [(Operator::Activate(Activation::Relu), 1)]), &[tiny]);
    assert!(relu.runtime(0) >= tiny);
    // An output of the first product that is written as 0.
    let chain = [dense(1, vec![2f64.powi(-70)], vec![]), dense(1, vec![huge], vec![1.0])];
    assert!(point_of(&linear(1, chain), &[2f64.powi(-60)]).runtime(0) >= 2f64.powi(-30));
    // A factor of a normalization, times numbers that are large.
    let scaled = point_of(&linear(1, [normalize(2f64.powi(-130), 0.0, 0.0, 1.0)]), &[huge]);
    assert!(scaled.runtime(0) >= 2f64.powi(-30));
    let scaled = point_of(&linear(1, [normalize(2f64.powi(-130), 0.0, huge, 1.0)]), &[0.0]);
    assert!(scaled.runtime(0) >= 2f64.powi(-30));
    // A variance that may be taken for 0, times a whole number.
    let (Operator::Normalize(mut by), _) = normalize(1.0, 0.0, 0.0, tiny) else { unreachable!() };
    by.epsilon = 0.0;
    let found = Evaluator::new(&linear(1, [(Operator::Normalize(by), 1)]), Runtime::Ieee)
        .outputs(vec![1.0], 1);
    assert_eq!(found.runtime(0), f64::INFINITY);
}

/// Two channels of an image of one pixel.
fn responded(constants: (f64, f64, f64), point: &[f64]) -> Enclosure {
    let by = Operator::Response(Response::new(1, 3, constants).unwrap());
    let step = Step::new(by, 0, vec![2, 1, 1]);
    let input = vec![2, 1, 1];
    let network = Graph { precision: Format::F32, input, steps: vec![step] };
    point_of(&network, point)
}

#[test]
fn responses_are_bounded() {
    // (1 + 1/3 · 25)^(3/4) = 5.3398…
    let found = responded((1.0, 0.75, 1.0), &[3.0, -4.0]);
    let (first, second) = (3.0 / 5.339832, -4.0 / 5.339832);
    assert!((found.centre[0] - first).abs() < 1e-6 && (found.centre[1] - second).abs() < 1e-6);
    assert!(found.runtime(0) < 1e-5 && found.radius(0) < 1e-13);
    // A power that is off by 64 units.
    assert!(found.runtime(0) > 64.0 * 2f64.powi(-24) * first);
    // The first channel is 1; the second 3/2, or 0, 1 or 2 where a sum is rounded: here, or there.
    for large in [2f64.powi(60), 2f64.powi(24)] {
        let affine = Affine {
            weights: vec![1.0, 0.0, 0.0, large, 0.0, 1.5, 0.0, -large],
            inputs: 4,
            outputs: 2,
            bias: Vec::new(),
        };
        let by = Operator::Response(Response::new(1, 3, (3.0, 0.5, 1.0)).unwrap());
        let steps = vec![
            Step::new(Operator::Convolution(affine, SlidingWindow::whole(1, 1)), 0, vec![2, 1, 1]),
            Step::new(by, 1, vec![2, 1, 1]),
        ];
        let network = Graph { precision: Format::F32, input: vec![4, 1, 1], steps };
        assert!(point_of(&network, &[1.0; 4]).runtime(0) > 0.05);
    }
    // Squares overflow, or k is so small that zeros for tiny numbers matter.
    assert_eq!(responded((1e-30, 0.5, 1.0), &[1e30, 1.0]).runtime(0), f64::INFINITY);
    assert_eq!(responded((1.0, 0.5, 2f64.powi(-100)), &[1.0, 1.0]).runtime(0), f64::INFINITY);
    for (alpha, beta, k) in [(1.0, 0.3, 1.0), (-1.0, 0.75, 1.0), (1.0, 0.75, 0.0)] {
        assert!(Response::new(1, 3, (alpha, beta, k)).is_err());
    }
}

#[test]
fn what_overflows_on_the_way_is_not_known() {
    let huge = 2f64.powi(126);
    let infinite = |network: Graph, point: &[f64]| {
        assert_eq!(point_of(&network, point).runtime(0), f64::INFINITY);
    };
    // Partial sums, products, and a mean.
    infinite(linear(3, [dense(3, vec![1.0, 1.0, -1.0], vec![])]), &[huge, huge, huge]);
    infinite(linear(1, [dense(1, vec![2f64.powi(60)], vec![])]), &[2f64.powi(70)]);
    // x − mean of a number that the scale makes small.
    infinite(linear(1, [normalize(2f64.powi(-100), 0.0, -huge, 1.0)]), &[huge]);
    // A factor of the normalization: infinity times 0.
    infinite(linear(1, [normalize(huge, 0.0, 0.0, 0.0)]), &[0.0]);
    // Folded into a weight of the product before.
    infinite(
        linear(1, [dense(1, vec![2f64.powi(70)], vec![]), normalize(2f64.powi(60), 0.0, 0.0, 1.0)]),
        &[0.0],
    );
    // Beside that, the bound is no excuse.
    let fine = linear(2, [dense(2, vec![0.3, 0.7], vec![0.1]), normalize(1.1, 0.2, 0.4, 0.9)]);
    assert!(point_of(&fine, &[3.0, 5.0]).runtime(0) < 1e-4);
}

/// A sum that goes from channel to channel has lost k where a large square has left it.
#[test]
fn responses_are_bounded_where_sums_slide() {
    let by = Operator::Response(Response::new(2, 5, (1e-4, 0.75, 1.0)).unwrap());
    let step = Step::new(by, 0, vec![8, 1, 1]);
    let input = vec![8, 1, 1];
    let network = Graph { precision: Format::F32, input, steps: vec![step] };
    let large = point_of(&network, &[1.2345e6, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    assert_eq!(large.runtime(5), f64::INFINITY);
    let usual = point_of(&network, &[3.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    assert!(usual.runtime(5) < 1e-4, "{}", usual.runtime(5));
}
