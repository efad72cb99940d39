//! Promise: what a walk back from the outputs bounds holds in real arithmetic and at runtimes of every kind,
//! and decides deep networks that enclosures leave open.

use crate::common::cases;
use crate::common::feed::{network, number, rational, real};
use crate::common::runtimes::{runtimes, short_operands, tiled};
use proptest::prelude::*;
use shatter_exact::{Format, Rational};
use shatter_judge::enclose::Evaluator;
use shatter_judge::enclose::depth::{Bounded, Deep, Functional};
use shatter_judge::{Effort, Runtime, Verdict, judge};
use shatter_network::exactly::ExactEvaluator;
use shatter_network::graph::{Affine, Normalization, Operator, SlidingWindow, Step, count};
use shatter_network::{Activation, Graph};
use shatter_sample::{Labels, Points, Values};

fn size(x: Rational) -> Rational {
    if x < Rational::ZERO { -x } else { x }
}

fn value(functional: &Functional, outputs: &[Rational]) -> Rational {
    let term = |&(k, coefficient): &(usize, f64)| rational(coefficient) * &outputs[k];
    functional.iter().map(term).fold(Rational::ZERO, |sum, term| sum + term)
}

/// Outputs one by one, and the first less each other.
fn functionals(outputs: usize) -> Vec<Functional> {
    let alone = (0..outputs).map(|k| vec![(k, 1.0)]);
    alone.chain((1..outputs).map(|k| vec![(0, 1.0), (k, -1.0)])).collect()
}

fn within(found: &Bounded, functional: &Functional, outputs: &[Rational]) -> Result<(), String> {
    let off = size(value(functional, outputs) - rational(found.centre));
    // Roots of the test's own are off by less than 2^-500.
    if found.off == f64::INFINITY || off <= rational(found.off) + rational(2f64.powi(-500)) {
        return Ok(());
    }
    let off = off.to_f64().value();
    Err(format!("{functional:?} is {off:e} off {:e}, not {:e}", found.centre, found.off))
}

/// Whether every runtime of a model, and real arithmetic, stays within the bounds.
fn holds(
    network: &Graph,
    point: &[f64],
    outputs: &[Rational],
    (model, seed): (Runtime, u64),
) -> Result<(), String> {
    let evaluator = Evaluator::new(network, model);
    let deep = Deep::new(network, &evaluator).ok_or("it takes too much work")?;
    let functionals = functionals(outputs.len());
    let Some(found) = deep.bounded(point.to_vec(), &functionals).0 else { return Ok(()) };
    for (found, functional) in found.iter().zip(&functionals) {
        within(found, functional, outputs).map_err(|said| format!("real: {said}"))?;
    }
    let runtimes = match model {
        Runtime::Ieee => runtimes(seed),
        Runtime::Tf32 => short_operands(seed, 11),
        Runtime::Bf16 => short_operands(seed, 8),
        Runtime::Winograd => tiled(seed),
    };
    for mut runtime in runtimes {
        let said = format!("{runtime:?}");
        let made = runtime.outputs(network, point);
        if made.iter().any(|x| !x.is_finite()) {
            let known = found.iter().all(|one| one.off.is_finite());
            return if known { Err(format!("{said} overflows")) } else { Ok(()) };
        }
        let made: Vec<Rational> = made.into_iter().map(|x| rational(f64::from(x))).collect();
        for (found, functional) in found.iter().zip(&functionals) {
            within(found, functional, &made).map_err(|off| format!("{said}: {off}"))?;
        }
    }
    Ok(())
}

/// Every model; half of the cases are of the one that is taken unasked.
fn model() -> impl Strategy<Value = Runtime> {
    let others = [Runtime::Tf32, Runtime::Bf16, Runtime::Winograd];
    prop_oneof![Just(Runtime::Ieee), prop::sample::select(others.to_vec())]
}

proptest! {
    #![proptest_config(cases(100))]

    /// Networks of every operation.
    #[test]
    fn bounds_hold_what_is_real_and_what_runtimes_round(
        network in network(9),
        point in prop::collection::vec(number(), 32),
        seed in any::<u32>(),
        model in model(),
    ) {
        let real = real(&network, &point);
        let found = holds(&network, &point, &real, (model, u64::from(seed)));
        prop_assert!(found.is_ok(), "{}", found.unwrap_err());
    }

    /// Residual networks with normalizations and pools, whose numbers meet kinks often: weights of few bits.
    #[test]
    fn bounds_hold_of_residual_networks(
        seed in any::<u64>(),
        blocks in 1usize..5,
        bits in 1u32..12,
        pools in any::<bool>(),
        gain in 0i32..4,
        model in model(),
    ) {
        let network = residual(seed, (2, 6), blocks, Numbers { bits, pools, gain });
        let point = Random(seed ^ 1).numbers(count(&network.input), bits.min(4));
        let exact = without_normalizations(&network);
        let outputs = ExactEvaluator::new(&exact, u64::MAX).unwrap().outputs(&point);
        let found = holds(&network, &point, &outputs, (model, seed >> 8));
        prop_assert!(found.is_ok(), "{}", found.unwrap_err());
    }
}

/// Numbers from a seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) ^ (self.0 >> 51)
    }

    /// Between −1 and 1, with so many bits behind the point.
    fn number(&mut self, bits: u32) -> f64 {
        let whole = (self.next() % ((2 << bits) + 1)) as f64;
        whole / f64::from(1 << bits) - 1.0
    }

    fn numbers(&mut self, count: usize, bits: u32) -> Vec<f64> {
        (0..count).map(|_| self.number(bits)).collect()
    }
}

#[derive(Clone, Copy)]
struct Numbers {
    bits: u32,
    pools: bool,
    /// Binary orders by which normalizations enlarge.
    gain: i32,
}

/// A stem, residual blocks of two normalized convolutions, global means, and a dense layer of 4 outputs, on
/// images of `channels` channels and `side` × `side`.
fn residual(seed: u64, (channels, side): (usize, usize), blocks: usize, of: Numbers) -> Graph {
    let mut random = Random(seed);
    let mut steps: Vec<Step> = Vec::new();
    let mut shape = vec![channels, side, side];
    let add = |steps: &mut Vec<Step>, operation: Operator, on: usize, shape: &[usize]| {
        steps.push(Step::new(operation, on, shape.to_vec()));
        steps.len()
    };
    let window = |size: usize, stride: usize| SlidingWindow {
        size: (size, size),
        stride: (stride, stride),
        before: (size / 2, size / 2),
        after: (size / 2, size / 2),
    };
    let mut normalized = |steps: &mut Vec<Step>, on: usize, shape: &[usize], size: usize| {
        let inputs = channels * size * size;
        let weights = random.numbers(inputs * channels, of.bits);
        let affine = Affine { weights, inputs, outputs: channels, bias: Vec::new() };
        let on = add(steps, Operator::Convolution(affine, window(size, 1)), on, shape);
        // Roots that are powers of two: real arithmetic is exact arithmetic.
        let root = (inputs as f64).sqrt().log2().round() - f64::from(of.gain);
        let normalization = Normalization {
            scale: random.numbers(channels, of.bits).iter().map(|x| 1.0 + x / 4.0).collect(),
            shift: random.numbers(channels, of.bits),
            mean: random.numbers(channels, of.bits),
            variance: vec![2f64.powf(2.0 * root); channels],
            epsilon: 0.0,
        };
        add(steps, Operator::Normalize(normalization), on, shape)
    };
    let relu = Operator::Activate(Activation::Relu);
    let on = normalized(&mut steps, 0, &shape, 3);
    let mut on = add(&mut steps, relu.clone(), on, &shape);
    for block in 0..blocks {
        let inner = normalized(&mut steps, on, &shape, 3);
        let inner = add(&mut steps, relu.clone(), inner, &shape);
        let inner = normalized(&mut steps, inner, &shape, 3);
        let other = if block % 2 == 0 { on } else { normalized(&mut steps, on, &shape, 1) };
        let sum = add(&mut steps, Operator::Sum { other, minus: false }, inner, &shape);
        on = add(&mut steps, relu.clone(), sum, &shape);
        if of.pools && block == 0 {
            let (rows, columns) = window(3, 2).places(shape[1], shape[2]).unwrap();
            shape = vec![channels, rows, columns];
            on = add(&mut steps, Operator::MaxPool(window(3, 2)), on, &shape);
        }
    }
    let on = add(&mut steps, Operator::GlobalMean, on, &[channels, 1, 1]);
    let on = add(&mut steps, Operator::Same, on, &[channels]);
    let weights = Random(seed ^ 2).numbers(channels * 4, of.bits);
    let affine = Affine { weights, inputs: channels, outputs: 4, bias: Vec::new() };
    add(&mut steps, Operator::Dense(affine), on, &[4]);
    Graph { precision: Format::F32, input: vec![channels, side, side], steps }
}

/// The same function with additions and multiplications in place of normalizations.
fn without_normalizations(network: &Graph) -> Graph {
    let mut number = vec![0];
    let mut steps: Vec<Step> = Vec::new();
    for step in &network.steps {
        let on = number[step.on];
        let numbers = count(&step.shape);
        let from: Vec<u32> = (0..numbers as u32).collect();
        match &step.operation {
            Operator::Normalize(by) => {
                let area = numbers / step.shape[0];
                let each =
                    |of: &dyn Fn(usize) -> f64| (0..numbers).map(|at| of(at / area)).collect();
                let shift =
                    |by: Vec<f64>| Operator::Shift { negated: false, from: from.clone(), by };
                let factors = each(&|c| by.scale[c] / by.variance[c].sqrt());
                let scale = Operator::Scale { from: from.clone(), by: factors, divides: false };
                let mut on = on;
                for operation in
                    [shift(each(&|c| -by.mean[c])), scale, shift(each(&|c| by.shift[c]))]
                {
                    steps.push(Step::new(operation, on, step.shape.clone()));
                    on = steps.len();
                }
            }
            operation => {
                let operation = match operation {
                    Operator::Sum { other, minus } => {
                        Operator::Sum { other: number[*other], minus: *minus }
                    }
                    other => other.clone(),
                };
                steps.push(Step::new(operation, on, step.shape.clone()));
            }
        }
        number.push(steps.len());
    }
    Graph { steps, ..network.clone() }
}

/// A network of 25 products that enclosures leave open, and walks decide: as real arithmetic does.
#[test]
fn deep_residual_networks_are_decided() {
    let network = residual(7, (4, 8), 10, Numbers { bits: 16, pools: true, gain: 2 });
    let points: Vec<f64> =
        (0..8).flat_map(|i| Random(100 + i).numbers(count(&network.input), 8)).collect();
    let exact = without_normalizations(&network);
    let exact = ExactEvaluator::new(&exact, u64::MAX).unwrap();
    let label = |point: &[f64]| {
        let outputs = exact.outputs(point);
        (0..4u32).max_by(|&a, &b| outputs[a as usize].cmp(&outputs[b as usize])).unwrap()
    };
    let right: Vec<u32> = points.chunks(count(&network.input)).map(label).collect();
    let numbers: Vec<f32> = points.iter().map(|&x| x as f32).collect();
    let points = Points::new(Values::F32(numbers), network.input.clone()).unwrap();
    let verdicts = |of: Vec<u32>| {
        let labels = Labels::classes(of, 4).expect("classes below 4");
        judge(&network, &points, &labels, Runtime::Ieee, Effort::default()).unwrap().1
    };
    let plain =
        Evaluator::new(&network, Runtime::Ieee).outputs(vec![0.5; count(&network.input)], 1);
    assert!(plain.runtime(0) > 1e3, "enclosures decide nothing: {}", plain.runtime(0));
    let found = verdicts(right.clone());
    for one in &found {
        assert_eq!(one.verdict, Verdict::Margin, "{one:?}");
    }
    let wrong = right.iter().map(|label| (label + 1) % 4).collect();
    assert!(verdicts(wrong).iter().all(|one| one.verdict == Verdict::Misfit));
}
