//! Stability: formulas against fractions and their recursions, and gradient descent on neighbouring samples, whose weights
//! and losses never part by more than the bound.

use proptest::prelude::*;
use shatter_exact::Rational;
use shatter_measure::stability::{
    Descent, Loss, Smooth, Steps, Swap, constants, convex, of, radius, smooth, strongly_convex,
};
use shatter_measure::{Enclosure, Finding, Kind, MeasureError, PointSizes};
use shatter_network::graph::{Affine, Graph, Operator, SlidingWindow};
use shatter_network::reading::How;
use shatter_network::{Activation, Unit};
use shatter_plain::outputs;

use crate::common::cases;
use crate::networks::{chain, dense, encloses, exact, perceptrons};

fn number(x: f64) -> Enclosure {
    Enclosure::exact(x)
}

/// d inputs and k outputs, with these weights (inputs × outputs) and biases.
fn affine(d: usize, k: usize, weights: &[f64]) -> Graph {
    let (weights, bias) = weights.split_at(d * k);
    let affine = Affine { weights: weights.to_vec(), inputs: d, outputs: k, bias: bias.to_vec() };
    chain(vec![d], vec![(Operator::Dense(affine), vec![k])])
}

fn zero(d: usize, k: usize) -> Graph {
    affine(d, k, &vec![0.0; (d + 1) * k])
}

/// Loss and gradient at weights (d + 1) × k of the point (x, 1); one output is read by the logistic loss.
fn loss(w: &[f64], x: &[f64], k: usize, y: usize) -> (f64, Vec<f64>) {
    let x: Vec<f64> = x.iter().copied().chain([1.0]).collect();
    let f: Vec<f64> =
        (0..k).map(|c| x.iter().enumerate().map(|(i, x)| x * w[i * k + c]).sum()).collect();
    let (value, slopes) = if k == 1 {
        let t = if y == 1 { -f[0] } else { f[0] };
        let p = 1.0 / (1.0 + (-t).exp());
        (t.max(0.0) + (-t.abs()).exp().ln_1p(), vec![if y == 1 { -p } else { p }])
    } else {
        let most = f.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = f.iter().map(|f| (f - most).exp()).sum();
        let p = |c: usize| (f[c] - most).exp() / sum - f64::from(u8::from(c == y));
        (sum.ln() + most - f[y], (0..k).map(p).collect())
    };
    let gradient = x.iter().flat_map(|x| slopes.iter().map(move |p| x * p)).collect();
    (value, gradient)
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn apart(x: &[f64], y: &[f64]) -> f64 {
    norm(&x.iter().zip(y).map(|(x, y)| x - y).collect::<Vec<_>>())
}

type Example = (Vec<f64>, usize);

/// Descent over batches of places, from 0.
fn train(sample: &[Example], k: usize, batches: &[(f64, Vec<usize>)], decay: f64) -> Vec<f64> {
    let mut w = vec![0.0; (sample[0].0.len() + 1) * k];
    for (alpha, places) in batches {
        let mut mean: Vec<f64> = w.iter().map(|w| decay * w).collect();
        for &place in places {
            let gradient = loss(&w, &sample[place].0, k, sample[place].1).1;
            mean.iter_mut().zip(gradient).for_each(|(m, g)| *m += g / places.len() as f64);
        }
        w.iter_mut().zip(mean).for_each(|(w, m)| *w -= alpha * m);
    }
    w
}

fn descent(k: usize, steps: Steps, weight_decay: f64) -> Descent {
    let loss = if k == 1 { Loss::Logistic } else { Loss::CrossEntropy };
    Descent { loss, steps, momentum: 0.0, weight_decay }
}

/// Everything that is run: outputs, n + 1 examples of two coordinates (the last one replaces another), batches of places,
/// and steps as fractions of the largest that is allowed.
#[derive(Clone, Debug)]
struct Run {
    k: usize,
    examples: Vec<Example>,
    batches: Vec<(f64, Vec<usize>)>,
    decay: f64,
}

fn run() -> impl Strategy<Value = Run> {
    (1usize..=3, 2usize..=6, 1usize..=3, 1usize..=40).prop_flat_map(|(k, n, b, steps)| {
        let example = (prop::collection::vec(-2.0..2.0f64, 2), 0..k.max(2));
        let batch = (0.0..=1.0f64, prop::collection::vec(0..n, b));
        let decay = prop_oneof![Just(0.0), 0.001..1.0f64];
        (
            prop::collection::vec(example, n + 1),
            prop::collection::vec(batch, steps),
            decay,
            any::<bool>(),
        )
            .prop_map(move |(examples, mut batches, decay, limit)| {
                let points: Vec<f64> = examples.iter().flat_map(|(x, _)| x.clone()).collect();
                let b = radius(&PointSizes::of(&points, 2).unwrap()).high();
                let beta = b * b / if k == 1 { 4.0 } else { 2.0 };
                let most = if limit { 2.0 / (beta + decay) } else { 2.0 / (beta + 2.0 * decay) };
                batches.iter_mut().for_each(|(alpha, _)| *alpha *= most * (1.0 - 1e-12));
                Run { k, examples, batches, decay }
            })
    })
}

impl Run {
    fn n(&self) -> usize {
        self.examples.len() - 1
    }

    fn bound(&self) -> Finding {
        let points: Vec<f64> = self.examples.iter().flat_map(|(x, _)| x.clone()).collect();
        let steps: Vec<(f64, u64)> = self.batches.iter().map(|(alpha, _)| (*alpha, 1)).collect();
        let descent = descent(self.k, Steps::of(&steps).unwrap(), self.decay);
        let radius = radius(&PointSizes::of(&points, 2).unwrap());
        of(&zero(2, self.k), self.n() as u64, radius, &descent).unwrap()
    }

    /// The mean over places of the distance of weights and of the largest difference of losses at the examples.
    fn measured(&self) -> (f64, f64) {
        let n = self.n();
        let (sample, other) = self.examples.split_at(n);
        let w = train(sample, self.k, &self.batches, self.decay);
        let mut sums = (0.0, 0.0);
        for place in 0..n {
            let mut swapped = sample.to_vec();
            swapped[place] = other[0].clone();
            let v = train(&swapped, self.k, &self.batches, self.decay);
            sums.0 += apart(&w, &v);
            let difference =
                |(x, y): &Example| (loss(&w, x, self.k, *y).0 - loss(&v, x, self.k, *y).0).abs();
            sums.1 += self.examples.iter().map(difference).fold(0.0, f64::max);
        }
        (sums.0 / n as f64, sums.1 / n as f64)
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn descent_never_parts_by_more_than_the_bound(run in run()) {
        let found = run.bound();
        prop_assert_eq!((found.kind, found.says), (Kind::Bound, None));
        let (distance, losses) = run.measured();
        let points: Vec<f64> = run.examples.iter().flat_map(|(x, _)| x.clone()).collect();
        let b = radius(&PointSizes::of(&points, 2).unwrap());
        let lipschitz = constants(&zero(2, run.k), descent(run.k, Steps::of(&[]).unwrap(), 0.0).loss, b)
            .unwrap().lipschitz.unwrap().high();
        let slack = 1.0 + 1e-9;
        prop_assert!(lipschitz * distance <= found.value * slack, "{distance} {found:?}");
        prop_assert!(losses <= found.value * slack, "{losses} {found:?}");
        // The same value for any other labels.
        let mut relabelled = run.clone();
        relabelled.examples.iter_mut().for_each(|(_, y)| *y = (*y + 1) % run.k.max(2));
        prop_assert_eq!(relabelled.bound(), found);
    }

    #[test]
    fn epochs_of_constant_steps_are_stable_at_every_place(run in run(), order in Just((0..6usize).collect::<Vec<_>>()).prop_shuffle(), epochs in 1usize..4) {
        // Batches of one, each place once in an epoch.
        let alpha = run.batches[0].0;
        let order: Vec<usize> = order.into_iter().filter(|&place| place < run.n()).collect();
        let batches = order.repeat(epochs).into_iter().map(|place| (alpha, vec![place])).collect();
        let run = Run { batches, ..run };
        let found = run.bound();
        let w = train(&run.examples[..run.n()], run.k, &run.batches, run.decay);
        for place in 0..run.n() {
            let mut swapped = run.examples[..run.n()].to_vec();
            swapped[place] = run.examples[run.n()].clone();
            let v = train(&swapped, run.k, &run.batches, run.decay);
            for (x, y) in &run.examples {
                let losses = (loss(&w, x, run.k, *y).0 - loss(&v, x, run.k, *y).0).abs();
                // Without decay: with it the last steps weigh more, and the mean over places is what is bounded.
                prop_assert!(run.decay > 0.0 || losses <= found.value * (1.0 + 1e-9));
            }
        }
    }

    #[test]
    fn losses_have_these_constants(k in 1usize..=4, w in prop::collection::vec(-3.0..3.0f64, 12), v in prop::collection::vec(-3.0..3.0f64, 12), x in prop::collection::vec(-2.0..2.0f64, 2), y in 0usize..4) {
        let (w, v, y) = (&w[..3 * k], &v[..3 * k], y % k.max(2));
        let which = if k == 1 { Loss::Logistic } else { Loss::CrossEntropy };
        let b = radius(&PointSizes::of(&x, 2).unwrap());
        prop_assert!((b.high() - norm(&[x[0], x[1], 1.0])).abs() < 1e-12);
        let found = constants(&zero(2, k), which, b).unwrap();
        let (lipschitz, smooth) = (found.lipschitz.unwrap().high(), found.smooth.unwrap().high());
        let ((a, g), (c, h)) = (loss(w, &x, k, y), loss(v, &x, k, y));
        prop_assert!(norm(&g) <= lipschitz && (a - c).abs() <= lipschitz * apart(w, v) * (1.0 + 1e-12));
        prop_assert!(apart(&g, &h) <= smooth * apart(w, v) * (1.0 + 1e-9) + 1e-15);
        // Convex: above its tangent.
        let along: f64 = g.iter().zip(v.iter().zip(w)).map(|(g, (v, w))| g * (v - w)).sum();
        prop_assert!(c >= a + along - 1e-9);
    }

    #[test]
    fn formulas_against_fractions(l in 0.0..10.0f64, sum in 0.0..1e4f64, gamma in 1e-6..10.0f64, n in 1u64..1_000_000) {
        let l2 = exact(l) * exact(l) * Rational::from(2);
        let found = convex(number(l), number(sum), n).unwrap();
        prop_assert!(encloses(found, &(&l2 * exact(sum) / Rational::from(n))));
        let strong = strongly_convex(number(l), number(gamma), n).unwrap();
        prop_assert!(encloses(strong, &(&l2 / exact(gamma) / Rational::from(n))));
        prop_assert!(found.width() <= 1e-14 * found.high() && strong.width() <= 1e-14 * strong.high());
        // Monotone in n, L and Σ α.
        prop_assert!(convex(number(l), number(sum), n + 1).unwrap().high() <= found.high());
        prop_assert!(convex(number(l), number(2.0 * sum), n).unwrap().high() >= found.high());
        prop_assert!(convex(number(2.0 * l), number(sum), n).unwrap().high() >= found.high());
        prop_assert!(strongly_convex(number(l), number(gamma), n + 1).unwrap().high() <= strong.high());
    }

    #[test]
    fn the_bound_against_fractions(x in prop::collection::vec(-20i32..=20, 2), alpha in 1u32..100, times in 1u64..1000, n in 1u64..1000) {
        let x: Vec<f64> = x.into_iter().map(|x| f64::from(x) / 4.0).collect();
        let sizes = PointSizes::of(&x, 2).unwrap();
        let square = exact(x[0]) * exact(x[0]) + exact(x[1]) * exact(x[1]) + Rational::ONE;
        let alpha = f64::from(alpha) / 1e5;
        let steps = Steps::of(&[(alpha, times), (alpha / 2.0, 1)]).unwrap();
        let sum = exact(alpha) * Rational::from(times) + exact(alpha / 2.0);
        for (k, factor) in [(1, 2), (3, 4)] {
            let found = of(&zero(2, k), n, radius(&sizes), &descent(k, steps, 0.0)).unwrap();
            // L² is B² for one output and 2B² for several.
            let oracle = Rational::from(factor) * &square * &sum / Rational::from(n);
            prop_assert!(found.kind == Kind::Bound, "{found:?}");
            prop_assert!(exact(found.value) >= oracle);
            prop_assert!(exact(found.value * (1.0 - 1e-12)) <= oracle);
            let more = of(&zero(2, k), n + 1, radius(&sizes), &descent(k, steps, 0.0)).unwrap();
            prop_assert!(more.value <= found.value);
        }
    }

    #[test]
    fn the_smooth_form_is_the_best_of_its_recursions(l in 0.1..3.0f64, beta in 0.1..3.0f64, c in 0.01..2.0f64, steps in 1u64..60, n in 3u64..200, batch in 1u64..=3) {
        let given = Smooth { lipschitz: number(l), smooth: number(beta), c, steps, batch };
        let found = smooth(&given, n).unwrap();
        prop_assert!(found.high() <= 1.0 && found.low() > 0.0);
        let (t, m, b, q) = (steps as f64, n as f64, batch as f64, beta * c);
        let mut least: f64 = 1.0;
        let mut bound: f64 = 1.0;
        for k in 1..=steps {
            let mut d = 0.0;
            for t in k + 1..=steps {
                d = (1.0 + beta * c / t as f64) * d + 2.0 * c * l / (t as f64 * m);
            }
            least = least.min(b * k as f64 / m + l * d);
            bound = bound.min(b * k as f64 / m + 2.0 * l * l / (beta * m) * (t / k as f64).powf(q));
        }
        bound = bound.min(b * t / m);
        prop_assert!(found.high() >= least * (1.0 - 1e-9), "{found:?} {least}");
        // The least over all k lies beside the best real one.
        prop_assert!((found.high() - bound).abs() <= 1e-9 * bound, "{found:?} {bound}");
        // The form of the paper, with n for n − 1, is the value at the real k; a whole one costs at most b/n more.
        if batch == 1 {
            let paper = (1.0 + 1.0 / q) / m * (2.0 * c * l * l).powf(1.0 / (q + 1.0)) * t.powf(q / (q + 1.0));
            let real = (2.0 * c * l * l).powf(1.0 / (q + 1.0)) * t.powf(q / (q + 1.0));
            prop_assert!(real < 1.0 || found.high() <= paper + 1.0 / m + 1e-9);
            prop_assert!(real < 1.0 || real > t || found.high() >= (paper * (1.0 - 1e-9)).min(1.0).min(t / m * (1.0 - 1e-9)));
        }
        prop_assert!(smooth(&given, n + 1).unwrap().high() <= found.high() * (1.0 + 1e-12));
        let longer = Smooth { steps: steps + 1, ..given };
        prop_assert!(smooth(&longer, n).unwrap().high() >= found.high() * (1.0 - 1e-12));
    }

    #[test]
    fn networks_with_hidden_layers_get_an_answer(network in perceptrons()) {
        let graph = dense(&network);
        let steps = Steps::of(&[(0.001, 10)]).unwrap();
        let found = of(&graph, 10, number(2.0), &descent(3, steps, 0.0)).unwrap();
        let hidden = network.hidden.len();
        let fails = |what: &str| found.assumptions.iter().find(|a| a.what.contains(what) && !a.met).map(|a| a.reason.clone());
        if hidden == 0 {
            prop_assert!(found.kind == Kind::Bound && found.failing().is_none());
        } else {
            prop_assert!(found.value.is_nan() && found.says.is_none());
            let named = if hidden == 1 { "layer 0" } else { "layers 0, 1" };
            prop_assert!(fails("second derivatives").unwrap().contains("ReLU has a kink"));
            prop_assert!(["gradients", "second derivatives", "convex"].iter().all(|what| fails(what).unwrap().starts_with(named)));
        }
    }
}

#[test]
fn constants_are_attained() {
    // p_y near 0 and another p near 1: ‖∇ℓ‖ = √2 ‖(x, 1)‖. At p = (½, ½) along (1, −1)/√2 the second derivative is ½.
    let x = [3.0, 4.0];
    let size = 26f64.sqrt();
    let mut w = vec![0.0; 6];
    w[5] = 60.0;
    let (_, gradient) = loss(&w, &x, 2, 0);
    assert!((norm(&gradient) / size - 2f64.sqrt()).abs() < 1e-9);
    let t = 1e-4;
    let step = |sign: f64, k: usize| -> Vec<f64> {
        let along = if k == 1 { vec![1.0] } else { vec![0.5f64.sqrt(), -(0.5f64.sqrt())] };
        let at = |x: f64| along.iter().map(move |a| sign * t * x / size * a).collect::<Vec<_>>();
        [3.0, 4.0, 1.0].into_iter().flat_map(at).collect()
    };
    for (k, curvature) in [(2, 0.5), (1, 0.25)] {
        let gradients = [1.0, -1.0].map(|sign| loss(&step(sign, k), &x, k, 0).1);
        let found = apart(&gradients[0], &gradients[1]) / (2.0 * t);
        assert!((found / (curvature * size * size) - 1.0).abs() < 1e-6);
    }
    // An output alone has no loss.
    let found = constants(&zero(2, 1), Loss::CrossEntropy, number(2.0)).unwrap();
    assert_eq!((found.lipschitz, found.smooth), (Some(Enclosure::ZERO), Some(Enclosure::ZERO)));
    let steps = Steps::of(&[(1e9, 10)]).unwrap();
    let cross = Descent { loss: Loss::CrossEntropy, ..descent(1, steps, 0.0) };
    assert_eq!(of(&zero(2, 1), 5, number(2.0), &cross).unwrap().value, 0.0);
}

fn failing(found: &Finding) -> &str {
    assert!(found.value.is_nan() && found.says.is_none() && found.kind == Kind::Measure);
    &found.failing().unwrap().what
}

#[test]
fn steps_momentum_and_decay() {
    let b = number(2.0); // β = 2 for several outputs, 1 for one
    let of = |k, size, momentum, decay| {
        let steps = Steps::of(&[(size, 100)]).unwrap();
        of(&zero(2, k), 50, b, &Descent { momentum, ..descent(k, steps, decay) }).unwrap()
    };
    assert_eq!((of(3, 1.0, 0.0, 0.0).kind, of(1, 2.0, 0.0, 0.0).kind), (Kind::Bound, Kind::Bound));
    assert_eq!(failing(&of(3, 1.0f64.next_up(), 0.0, 0.0)), "no step exceeds 2/(β + λ)");
    assert_eq!(failing(&of(1, 2.1, 0.0, 0.0)), "no step exceeds 2/(β + λ)");
    assert_eq!(failing(&of(1, 2.0, 0.0, 0.01)), "no step exceeds 2/(β + λ)");
    assert_eq!(failing(&of(3, 0.5, 0.9, 0.0)), "steps have no momentum");
    // Σ α = 50, L² = 8: 16 · 50/50 without decay; 16/(50 λ) where that is less.
    let near = |found: Finding, value: f64| (found.value / value - 1.0).abs() < 1e-12;
    assert!(near(of(3, 0.5, 0.0, 0.0), 16.0));
    assert!(near(of(3, 0.5, 0.0, 0.01), 16.0));
    assert!(near(of(3, 0.5, 0.0, 0.5), 16.0 / 25.0));
    // Between 2/(β + 2λ) and 2/(β + λ) decay does not help.
    assert!(near(of(3, 0.75, 0.0, 0.5), 24.0));
    // No steps, no difference.
    let none = Steps::of(&[(7.0, 0)]).unwrap();
    assert_eq!((none.sum(), none.largest()), (Enclosure::ZERO, 0.0));
    let summed = Steps::summed(number(50.0), 0.5).unwrap();
    let found = shatter_measure::stability::of(&zero(2, 3), 50, b, &descent(3, summed, 0.0));
    assert_eq!(found.unwrap().value, of(3, 0.5, 0.0, 0.0).value);
}

#[test]
fn losses_and_networks_that_are_not_covered() {
    let steps = Steps::of(&[(0.001, 10)]).unwrap();
    let of = |graph: &Graph, loss| {
        of(graph, 10, number(2.0), &Descent { loss, ..descent(1, steps, 0.0) }).unwrap()
    };
    let squared = of(&zero(2, 1), Loss::Squared);
    assert!(failing(&squared).starts_with("gradients"));
    assert_eq!(squared.assumptions.iter().filter(|a| !a.met).count(), 1);
    assert!(squared.failing().unwrap().reason.contains("layer 0"));
    assert!(failing(&of(&zero(2, 3), Loss::Logistic)).starts_with("gradients"));
    // A convolution, a ReLU at the outputs, a softmax that the loss does not have, hidden layers without kinks.
    let window = SlidingWindow { size: (1, 1), stride: (1, 1), before: (0, 0), after: (0, 0) };
    let filter = Affine { weights: vec![1.0], inputs: 1, outputs: 1, bias: vec![] };
    let convolution =
        chain(vec![1, 1, 1], vec![(Operator::Convolution(filter, window), vec![1, 1, 1])]);
    assert!(of(&convolution, Loss::Logistic).failing().unwrap().reason.starts_with("step 0"));
    let one =
        || Operator::Dense(Affine { weights: vec![1.0], inputs: 1, outputs: 1, bias: vec![] });
    let shape = || vec![1];
    let relu =
        chain(shape(), vec![(one(), shape()), (Operator::Activate(Activation::Relu), shape())]);
    assert!(of(&relu, Loss::Logistic).failing().unwrap().reason.contains("ReLU at the outputs"));
    let softmax = || Operator::Softmax { logarithm: true };
    let ordered = chain(shape(), vec![(one(), shape()), (softmax(), shape())]);
    assert!(of(&ordered, Loss::Logistic).failing().unwrap().reason.contains("softmax"));
    assert_eq!(of(&ordered, Loss::CrossEntropy).kind, Kind::Bound);
    let deep = chain(shape(), vec![(one(), shape()), (one(), shape())]);
    let found = of(&deep, Loss::Logistic);
    assert!(
        found.assumptions.iter().take(3).all(|a| !a.met && a.reason.starts_with("layer 0 before"))
    );
    assert!(found.assumptions.iter().all(|a| !a.reason.contains("kink")));
    // Exact units without a hidden layer.
    let unit = Unit::affine([(0, Rational::from(3))], Rational::ONE);
    let exact = chain(shape(), vec![(Operator::Units(vec![unit]), shape())]);
    assert_eq!(of(&exact, Loss::Logistic).kind, Kind::Bound);
    // Numbers do not matter, but a network that is none is refused.
    let nan = affine(1, 1, &[f64::NAN, 0.0]);
    assert!(of(&nan, Loss::Logistic).failing().unwrap().reason.contains("NaN"));
}

#[test]
fn what_does_not_fit_is_refused() {
    let steps = |size| Steps::of(&[(size, 3)]);
    for size in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(steps(size), Err(MeasureError::Parameter { .. })));
        assert!(matches!(Steps::summed(number(size), 1.0), Err(MeasureError::Parameter { .. })));
        assert!(matches!(Steps::summed(number(1.0), size), Err(MeasureError::Parameter { .. })));
        let descent =
            |momentum, decay| Descent { momentum, ..descent(1, steps(0.1).unwrap(), decay) };
        let of = |n, b, descent: &Descent| of(&zero(1, 1), n, b, descent);
        let parameter = |found| matches!(found, Err(MeasureError::Parameter { .. }));
        assert!(parameter(of(3, number(size), &descent(0.0, 0.0))));
        assert!(parameter(of(3, number(1.0), &descent(size, 0.0))));
        assert!(parameter(of(3, number(1.0), &descent(0.0, size))));
        assert_eq!(of(0, number(1.0), &descent(0.0, 0.0)), Err(MeasureError::NoPoints));
    }
    let good = Smooth { lipschitz: number(1.0), smooth: number(1.0), c: 1.0, steps: 5, batch: 1 };
    assert_eq!(smooth(&Smooth { steps: 0, ..good }, 3), Ok(Enclosure::ZERO));
    assert_eq!(smooth(&good, 0), Err(MeasureError::NoPoints));
    for bad in [
        Smooth { lipschitz: number(-1.0), ..good },
        Smooth { smooth: Enclosure::ZERO, ..good },
        Smooth { c: 0.0, ..good },
        Smooth { c: f64::NAN, ..good },
        Smooth { batch: 0, ..good },
        Smooth { batch: 4, ..good },
    ] {
        assert!(matches!(smooth(&bad, 3), Err(MeasureError::Parameter { .. })), "{bad:?}");
    }
    assert!(matches!(
        strongly_convex(number(1.0), number(0.0), 3),
        Err(MeasureError::Parameter { .. })
    ));
    // Steps so large that nothing is known say so, and a stability of at most 1 is known without.
    let huge = Smooth { steps: u64::MAX, c: 1e6, ..good };
    assert_eq!(smooth(&huge, 3).unwrap().high(), 1.0);
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn swaps_are_distances_and_readings_by_loops(weights in prop::collection::vec(-4i32..=4, 24), x in prop::collection::vec(-4i32..=4, 6)) {
        let w: Vec<f64> = weights.iter().map(|&w| f64::from(w) / 4.0).collect();
        let x: Vec<f64> = x.iter().map(|&x| f64::from(x) / 2.0).collect();
        for (how, k) in [(How::Largest, 3), (How::Largest, 1), (How::Sign, 1), (How::Half, 1), (How::Value, 1), (How::OneHot, 2), (How::Bits, 2)] {
            let numbers = [&w[..3 * k], &w[12..12 + 3 * k]];
            let graphs = numbers.map(|w| affine(2, k, w));
            let found = Swap::of(&graphs[0], &graphs[1], &x, how).unwrap();
            prop_assert!((found.distance - apart(numbers[0], numbers[1])).abs() < 1e-12);
            let values = [0, 1].map(|g| outputs(&graphs[g], &x, 3));
            let mut most: f64 = 0.0;
            let mut different = 0;
            for i in 0..3 {
                let rows = [0, 1].map(|g| &values[g][i * k..(i + 1) * k]);
                for (x, y) in rows[0].iter().zip(rows[1]) {
                    most = most.max((x - y).abs());
                }
                // What each says, as text.
                let said = rows.map(|row| match how {
                    How::Largest => {
                        let wins = |c: usize| (0..k).all(|d| d == c || row[c] > row[d]);
                        (0..k).find(|&c| wins(c)).map_or("none".into(), |c| c.to_string())
                    }
                    How::Sign => format!("{} {}", row[0] > 0.0, row[0] < 0.0),
                    How::Half => format!("{} {}", row[0] > 0.5, row[0] < 0.5),
                    _ => {
                        let near = |x: f64| (-50..50).find(|&m| (x - f64::from(m)).abs() < 0.5);
                        let all: Option<Vec<i32>> = row.iter().map(|&x| near(x)).collect();
                        let legal = |all: &Vec<i32>| match how {
                            How::Value => true,
                            How::Bits => all.iter().all(|b| [0, 1].contains(b)),
                            _ => all == &vec![0, 1] || all == &vec![1, 0],
                        };
                        format!("{:?}", all.filter(legal))
                    }
                });
                different += usize::from(said[0] != said[1]);
            }
            prop_assert_eq!((found.outputs, found.disagreements, found.points), (most, different, 3));
            let findings = found.findings();
            prop_assert!(findings.iter().all(|f| f.kind == Kind::Measure && f.says.is_none()));
            prop_assert_eq!(findings[2].value, different as f64 / 3.0);
            let same = Swap::of(&graphs[0], &graphs[0], &x, how).unwrap();
            prop_assert_eq!((same.distance, same.outputs, same.disagreements), (0.0, 0.0, 0));
        }
    }
}

#[test]
fn swaps_that_do_not_fit_are_refused() {
    let of = |one: &Graph, other: &Graph, x: &[f64]| Swap::of(one, other, x, How::Largest);
    assert!(matches!(
        of(&zero(2, 2), &zero(2, 3), &[1.0; 2]),
        Err(MeasureError::Start { layer: 0, .. })
    ));
    assert!(matches!(of(&zero(2, 2), &zero(2, 2), &[1.0; 3]), Err(MeasureError::Length { .. })));
    assert_eq!(of(&zero(2, 2), &zero(2, 2), &[]), Err(MeasureError::NoPoints));
    let huge = affine(1, 2, &[1e300; 4]);
    let found = of(&zero(1, 2), &huge, &[1.0, 1e300]);
    assert!(matches!(found, Err(MeasureError::PointNotFinite { point: 1, .. })), "{found:?}");
}
