//! PAC-Bayes bounds: the divergence against fractions, draws against networks whose weights are drawn one by one, and
//! bounds against the error of the same noise on new points, whatever the noise is.

use proptest::prelude::*;
use rand_distr::{Distribution, StandardNormal};
use shatter_exact::Rational;
use shatter_measure::layers::{Homogeneous, Layer};
use shatter_measure::pac_bayes::{Deviations, Drawn, Draws, Posterior, bound, divergence, draw};
use shatter_measure::posterior::{Search, search};
use shatter_measure::{Kind, MeasureError, Perceptron};
use shatter_network::reading::{BoundLabels, How, Reading};
use shatter_plain::outputs;
use shatter_random::stream::{Purpose, stream};
use shatter_sample::Labels;

use crate::common::cases;
use crate::outward::{encloses_nearly, exact, ln};

/// A perceptron of these widths with normal numbers.
fn perceptron(widths: &[usize], seed: u64) -> Perceptron {
    let mut rng = stream(seed, Purpose::Initial);
    let mut numbers = |count| (0..count).map(|_| StandardNormal.sample(&mut rng)).collect();
    let last = widths.len() - 2;
    let layers = widths.windows(2).enumerate().map(|(index, pair)| Layer {
        inputs: pair[0],
        outputs: pair[1],
        weights: numbers(pair[0] * pair[1]),
        bias: numbers(pair[1]),
        activation: if index == last { Homogeneous::Identity } else { Homogeneous::Relu },
        rounding: 0.0,
    });
    Perceptron { inputs: widths[0], layers: layers.collect() }
}

fn noisy(mean: Perceptron, s: impl Fn(f64) -> f64) -> Posterior {
    let of = |numbers: &[f64]| numbers.iter().map(|&w| s(w)).collect();
    let layers = mean.layers.iter();
    let deviations =
        layers.map(|layer| Deviations { weights: of(&layer.weights), bias: of(&layer.bias) });
    Posterior { deviations: deviations.collect(), mean }
}

fn bound_labels(of: Vec<u32>, count: u32, how: How, outputs: usize) -> BoundLabels {
    Reading::new(how).bind(&Labels::classes(of, count).unwrap(), outputs).unwrap()
}

/// Points of two classes, of which noise makes some undecidable: x = ±direction + noise.
fn two_classes(n: usize, d: usize, seed: u64) -> (Vec<f64>, Vec<u32>) {
    let mut rng = stream(seed, Purpose::Points);
    let mut normal = move || -> f64 { StandardNormal.sample(&mut rng) };
    let mut classes = Vec::with_capacity(n);
    let points = (0..n).flat_map(|_| {
        let class = u32::from(normal() > 0.0);
        classes.push(class);
        let side = if class == 1 { 0.8 } else { -0.8 };
        (0..d).map(|_| side + normal()).collect::<Vec<f64>>()
    });
    let points = points.collect();
    (points, classes)
}

/// Errors of `draws` networks at every point, each with weights drawn one by one.
fn naively(posterior: &Posterior, points: &[f64], labels: &BoundLabels, draws: u32) -> u64 {
    let mut rng = stream(99, Purpose::Probe);
    let n = labels.labels().len();
    let mut errors = 0;
    for _ in 0..draws {
        let mut network = posterior.mean.clone();
        for (layer, deviations) in network.layers.iter_mut().zip(&posterior.deviations) {
            let all = layer.weights.iter_mut().chain(&mut layer.bias);
            let all = all.zip(deviations.weights.iter().chain(&deviations.bias));
            for (w, s) in all {
                let normal: f64 = StandardNormal.sample(&mut rng);
                *w += s * normal;
            }
        }
        let outputs: Vec<f64> = outputs(&network.graph(), points, n);
        let wrong = |(i, row): (usize, &[f64])| {
            let class = labels.class(i).unwrap() as usize;
            match labels.how() {
                How::Sign => (row[0] > 0.0) != (class == 1),
                _ => row.iter().enumerate().any(|(k, x)| k != class && *x >= row[class]),
            }
        };
        errors +=
            outputs.chunks(network.outputs()).enumerate().filter(|row| wrong(*row)).count() as u64;
    }
    errors
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn divergences_are_those_of_fractions(seed in 0u64..1000, log in -6..6i32, d in 1..4usize) {
        let (mean, centre) = (perceptron(&[d, 3, 1], seed), perceptron(&[d, 3, 1], seed + 1));
        let posterior = noisy(mean, |w| 2f64.powi(log) * (1.0 + w.abs()));
        let found = divergence(&posterior, &centre).unwrap();
        let mut sum = Rational::ZERO;
        let mut nearest = 0.0;
        let half = Rational::ONE / Rational::from(2);
        for (index, layer) in posterior.mean.layers.iter().enumerate() {
            let (before, s) = (&centre.layers[index], &posterior.deviations[index]);
            let all = |layer: &Layer| [&layer.weights[..], &layer.bias].concat();
            let s = [&s.weights[..], &s.bias].concat();
            // λ = 2^{j/4} as a fraction near it.
            let j = found.indices[index];
            let near = 2f64.powf(j as f64 / 4.0);
            let ln_lambda = ln(2.0) * Rational::from(j) / Rational::from(4);
            for ((w, c), s) in all(layer).into_iter().zip(all(before)).zip(s) {
                let moved = exact(w) - exact(c);
                let squares = exact(s) * exact(s) + &moved * &moved;
                sum += &half * &ln_lambda - ln(s) - &half;
                if j % 4 == 0 {
                    sum += squares * &half / exact(near);
                } else {
                    nearest += squares.to_f64().value() / 2.0 / near;
                }
            }
        }
        if nearest == 0.0 {
            prop_assert!(encloses_nearly(found.kl, &sum));
        }
        let value = sum.to_f64().value() + nearest;
        prop_assert!((found.kl.high() - value).abs() <= 1e-12 * (1.0 + value.abs()));
    }

    #[test]
    fn the_number_of_the_grid_is_the_cheapest(seed in 0u64..1000, log in -6..6i32) {
        let (mean, centre) = (perceptron(&[2, 3], seed), perceptron(&[2, 3], seed + 1));
        let posterior = noisy(mean, |_| 2f64.powi(log));
        let found = divergence(&posterior, &centre).unwrap();
        // Any other number of the grid, naively.
        let parameters = 9.0;
        let layer = (&posterior.mean.layers[0], &centre.layers[0]);
        let all = |layer: &Layer| [&layer.weights[..], &layer.bias].concat();
        let squares: f64 = all(layer.0).iter().zip(all(layer.1)).map(|(w, c)| {
            (w - c).powi(2) + 4f64.powi(log)
        }).sum();
        for j in -60..60i64 {
            let price = (2.0 * (j.abs() + 1) as f64 * (j.abs() + 2) as f64).ln();
            let ln_lambda = j as f64 / 4.0 * std::f64::consts::LN_2;
            let kl = parameters / 2.0 * (ln_lambda - 1.0) - parameters * f64::from(log)
                * std::f64::consts::LN_2 + squares / 2.0 / ln_lambda.exp();
            prop_assert!((found.kl + found.price).low() <= kl + price + 1e-9);
        }
    }

    #[test]
    fn permuted_units_and_moved_origins_change_nothing(seed in 0u64..1000) {
        let (mean, centre) = (perceptron(&[2, 3, 2], seed), perceptron(&[2, 3, 2], seed + 1));
        let swap = |network: &Perceptron| {
            let mut swapped = network.clone();
            let [first, last] = &mut swapped.layers[..] else { unreachable!() };
            first.weights.rotate_left(2);
            first.bias.rotate_left(1);
            last.weights.chunks_mut(3).for_each(|row| row.rotate_left(1));
            swapped
        };
        let of = |mean: Perceptron, centre: &Perceptron| {
            divergence(&noisy(mean, f64::abs), centre).unwrap()
        };
        let (one, other) = (of(mean.clone(), &centre), of(swap(&mean), &swap(&centre)));
        prop_assert_eq!(&one.indices, &other.indices);
        prop_assert!(one.kl.low() <= other.kl.high() && other.kl.low() <= one.kl.high());
    }

    #[test]
    fn noise_that_is_nothing_makes_the_errors_of_the_network(seed in 0u64..1000, how in 0..2usize) {
        let (how, width) = [(How::Sign, 1), (How::Largest, 3)][how];
        let mean = perceptron(&[3, 5, width], seed);
        let (points, _) = two_classes(40, 3, seed);
        let classes: Vec<u32> = (0..40).map(|i| (i * 7 + seed as u32) % (width as u32).max(2)).collect();
        let labels = bound_labels(classes, (width as u32).max(2), how, width);
        let posterior = noisy(mean, |_| 1e-200);
        let drawn = draw(&posterior, &points, &labels, 2, 5).unwrap();
        prop_assert_eq!(drawn.draws, 80);
        prop_assert_eq!(drawn.errors, 2 * naively(&posterior, &points, &labels, 1));
    }
}

#[test]
fn draws_have_the_distribution_of_networks_drawn_weight_by_weight() {
    let (points, classes) = two_classes(50, 3, 1);
    for (how, width, widths) in [(How::Sign, 1, vec![3, 6, 4, 1]), (How::Largest, 2, vec![3, 8, 2])]
    {
        let labels = bound_labels(classes.clone(), 2, how, width);
        for s in [0.05, 0.5, 3.0] {
            let posterior = noisy(perceptron(&widths, 3), |_| s);
            let drawn = draw(&posterior, &points, &labels, 2000, 7).unwrap();
            let share = drawn.errors as f64 / drawn.draws as f64;
            // Networks of `naively` have dependent errors at different points: 2000 independent ones.
            let naive = naively(&posterior, &points, &labels, 2000) as f64 / drawn.draws as f64;
            let six_sigma = 6.0 * 0.5 / 2000f64.sqrt();
            assert!((share - naive).abs() < six_sigma, "{how} {s}: {share} against {naive}");
        }
    }
}

#[test]
fn ties_and_margins_within_rounding_are_errors() {
    // Outputs 1 and 1: with noise of nothing, a tie.
    let layer = Layer {
        inputs: 1,
        outputs: 2,
        weights: vec![1.0, 1.0],
        bias: vec![0.0, 0.0],
        activation: Homogeneous::Identity,
        rounding: 0.0,
    };
    let mean = |second: f64| {
        let mut layer = layer.clone();
        layer.weights[1] = second;
        Perceptron { inputs: 1, layers: vec![layer] }
    };
    let labels = bound_labels(vec![1], 2, How::Largest, 2);
    let errors = |second: f64| {
        let posterior = noisy(mean(second), |_| 1e-300);
        draw(&posterior, &[1.0], &labels, 1, 0).unwrap().errors
    };
    assert_eq!(errors(1.0), 1);
    assert_eq!(errors(1f64.next_up()), 1, "smaller than the bound on rounding");
    assert_eq!(errors(1.0 + 1e-12), 0);
    // What overflows is an error, not a panic.
    let huge = noisy(mean(f64::MAX), |_| f64::MAX / 4.0);
    assert_eq!(draw(&huge, &[3.0], &labels, 4, 0).unwrap().errors, 4);
}

#[test]
fn draws_and_searches_do_not_depend_on_threads() {
    let (points, classes) = two_classes(300, 3, 2);
    let labels = bound_labels(classes, 2, How::Sign, 1);
    let network = perceptron(&[3, 6, 1], 4);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let of = Search { epochs: 2, batch: 128, ..Search::default() };
            let posterior = search(&network, None, (&points, &labels), &of).unwrap();
            let drawn = draw(&posterior, &points, &labels, 3, 5).unwrap();
            (posterior, drawn)
        })
    };
    let one = with(1);
    assert_eq!(one, with(3));
    assert_eq!(one.1.draws, 900);
}

/// A bound holds for every posterior, also one that was spoiled after the search: so the error of the same noise on
/// many new points is not above it.
#[test]
fn spoiled_posteriors_never_give_a_bound_below_the_test_error() {
    let (new_points, new_classes) = two_classes(4000, 2, 1000);
    let new = bound_labels(new_classes, 2, How::Sign, 1);
    let (mut compared, mut useful) = (0, 0);
    for seed in 0..24u64 {
        let n = [8, 60, 400][seed as usize % 3];
        let (points, mut classes) = two_classes(n, 2, seed);
        if seed % 4 == 3 {
            // Labels of nobody: the bound must be above chance on points of the same kind.
            let mut rng = stream(seed, Purpose::Labels);
            classes = (0..n).map(|_| shatter_random::stream::below(&mut rng, 2) as u32).collect();
        }
        let labels = bound_labels(classes, 2, How::Sign, 1);
        let start = perceptron(&[2, 4, 1], seed + 50);
        let of = Search { epochs: 40, batch: 16, rate: 0.05, seed, ..Search::default() };
        let found = search(&start, Some(&start), (&points, &labels), &of).unwrap();
        let spoil = |by: &dyn Fn(f64) -> f64, shift: f64| {
            let mut other = found.clone();
            for (layer, s) in other.mean.layers.iter_mut().zip(&mut other.deviations) {
                layer.weights.iter_mut().chain(&mut layer.bias).for_each(|w| *w += shift);
                s.weights.iter_mut().chain(&mut s.bias).for_each(|s| *s = by(*s));
            }
            other
        };
        let spoiled = [
            found.clone(),
            spoil(&|s| s, 0.3),
            spoil(&|s| s, -2.0),
            spoil(&|s| s * 0.01, 0.0),
            spoil(&|s| s * 30.0, 0.0),
            spoil(&|_| 1.0, 0.0),
        ];
        for posterior in spoiled {
            let draws = Draws { rounds: 200, seed, delta: 0.01 };
            let bound = bound(&posterior, Some(&start), (&points, &labels), draws).unwrap();
            let test = if seed % 4 == 3 {
                0.5
            } else {
                let drawn = draw(&posterior, &new_points, &new, 2, seed).unwrap();
                drawn.errors as f64 / drawn.draws as f64
            };
            assert!(bound.total >= test, "seed {seed}: {} below {test}", bound.total);
            let share = bound.drawn.errors as f64 / bound.drawn.draws as f64;
            assert!(share <= bound.train && bound.train <= bound.total && bound.total <= 1.0);
            compared += 1;
            useful += u32::from(bound.total < 0.5);
        }
    }
    assert_eq!(compared, 144);
    assert!(useful > 0, "a test of bounds that are all vacuous says nothing");
}

#[test]
fn a_search_makes_the_bound_smaller() {
    let (points, classes) = two_classes(600, 2, 3);
    let labels = bound_labels(classes, 2, How::Largest, 2);
    let start = perceptron(&[2, 6, 2], 8);
    let total = |epochs| {
        let of = Search { epochs, batch: 32, rate: 0.05, ..Search::default() };
        let posterior = search(&start, Some(&start), (&points, &labels), &of).unwrap();
        let draws = Draws { rounds: 20, seed: 1, delta: 0.05 };
        bound(&posterior, Some(&start), (&points, &labels), draws).unwrap().total
    };
    let (first, last) = (total(0), total(60));
    assert!(last < first && last < 0.5, "{first}, {last}");
}

#[test]
fn small_samples_one_class_dead_layers_and_no_start_get_an_answer() {
    let of = Search { epochs: 3, ..Search::default() };
    let draws = Draws { rounds: 10, seed: 0, delta: 0.05 };
    // One point of one class, and a network that is 0 everywhere.
    let mut dead = perceptron(&[2, 3, 1], 1);
    dead.layers[0].weights.fill(0.0);
    dead.layers[0].bias.fill(0.0);
    let labels = bound_labels(vec![1], 2, How::Sign, 1);
    let sample = (&[1.0, 2.0][..], &labels);
    let posterior = search(&dead, None, sample, &of).unwrap();
    let found = bound(&posterior, None, sample, draws).unwrap();
    assert!(found.total > 0.9 && found.total <= 1.0 && !found.from_start);
    let [finding, kl] = found.findings();
    assert!(kl.kind == Kind::Bound && kl.says.is_none() && kl.value > 0.0);
    assert!(finding.kind == Kind::Bound && finding.vacuity(2).unwrap().against_chance);

    let real = Labels::real(vec![0.5], 1).unwrap();
    let real = Reading::new(How::Value).bind(&real, 1).unwrap();
    assert_eq!(search(&dead, None, (&[1.0, 2.0], &real), &of), Err(MeasureError::NoMargins));
    let value = bound_labels(vec![1], 2, How::Value, 1);
    let refused = search(&dead, None, (&[1.0, 2.0], &value), &of).unwrap_err();
    assert!(refused.to_string().contains("read as value"), "{refused}");
    assert!(draw(&posterior, &[1.0, 2.0], &value, 1, 0).is_ok(), "draws take every reading");

    let other = perceptron(&[2, 4, 1], 1);
    assert!(matches!(
        bound(&posterior, Some(&other), sample, draws),
        Err(MeasureError::Start { layer: 0, .. })
    ));
    let refused = |draws| bound(&posterior, None, sample, draws).unwrap_err().to_string();
    assert!(refused(Draws { rounds: 0, ..draws }).contains("rounds of draws is 0"));
    assert!(refused(Draws { delta: 0.0, ..draws }).contains("delta"));
    let mut none = posterior.clone();
    none.deviations[1].bias[0] = 0.0;
    assert!(none.check().unwrap_err().to_string().contains("a deviation is 0"));
    assert_eq!(Drawn { draws: 0, errors: 0 }.upper(0.1), Err(MeasureError::NoPoints));
}

/// Draws are part of a bound's record.
#[test]
fn golden_draws() {
    let (points, classes) = two_classes(100, 3, 5);
    let labels = bound_labels(classes, 2, How::Sign, 1);
    let posterior = noisy(perceptron(&[3, 4, 1], 6), |_| 0.5);
    let drawn = draw(&posterior, &points, &labels, 5, 9).unwrap();
    assert_eq!((drawn.draws, drawn.errors), (500, 283));
}
