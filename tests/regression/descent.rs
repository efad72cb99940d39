//! Gradient descent from zero, from elsewhere, with momentum; and Adam.

use crate::common::cases;
use crate::{exactly, fraction, normal, problem, whole};
use proptest::prelude::*;
use shatter_exact::Rational;
use shatter_regression::descent::{adam, descend, largest_step};
use shatter_regression::exact::{self, combination, is_in_span, minimum_norm};
use shatter_regression::{
    Design, Factor, Order, RegressionError, Settings, Step, Targets, distance, norm,
};

/// Epochs within which every random problem below is solved.
const ENOUGH: u32 = 20_000;

fn settings(design: &Design, momentum: f64, order: Order) -> Settings {
    let step = Step::Constant(largest_step(design, momentum));
    Settings { step, momentum, order, epochs: ENOUGH, seed: 5 }
}

proptest! {
    #![proptest_config(cases(24))]

    /// Descent and closed form agree to 10^-6 on random problems, and W = Xᵀα after every epoch.
    #[test]
    fn descent_from_zero_comes_to_the_closed_form(
        n in 1usize..=8,
        extra in 0usize..=8,
        k in 1usize..=3,
        momentum in prop::sample::select(vec![0.0, 0.5, 0.9]),
        shuffled in any::<bool>(),
        relative in any::<bool>(),
        seed in 0u64..1000,
    ) {
        let (design, targets) = problem(n, 3 * n + extra, k, seed);
        let closed = Factor::new(&design).unwrap().minimum_norm(&targets).unwrap().weights;
        let order = if shuffled { Order::Shuffled } else { Order::Cyclic };
        let mut settings = settings(&design, momentum, order);
        if relative {
            settings.step = Step::Relative(1.0 - momentum);
        }
        let near = 1e-9;
        let found = descend(&design, &targets, None, &settings, &closed, |e| e.distance > near);
        let found = found.unwrap();
        let last = found.epochs.last().unwrap();
        prop_assert!(last.distance <= 1e-6, "{last:?}");
        prop_assert!(found.epochs.iter().all(|epoch| epoch.off_span < 1e-12), "{:?}", found.epochs);
        let spanned = design.combinations(&found.coefficients, k);
        prop_assert!(distance(&spanned, &found.weights) <= 1e-12 * norm(&closed).max(1e-300));
        // Without momentum a step never moves away from the solution.
        if momentum == 0.0 {
            let falls = found.epochs.windows(2).all(|two| two[1].distance <= two[0].distance * (1.0 + 1e-9));
            prop_assert!(falls, "{:?}", found.epochs);
        }
    }

    /// In rational numbers: whatever the labels, the step size and the momentum, it never leaves the span.
    #[test]
    fn descent_from_zero_never_leaves_the_span(
        (points, targets, d) in whole(),
        order in prop::collection::vec(0usize..60, 0..=12),
        step in 1i32..=5,
        momentum in 0i32..=3,
    ) {
        let (x, y) = exactly(&points, &targets, d);
        let order: Vec<usize> = order.iter().map(|i| i % x.len()).collect();
        let (step, momentum) = (fraction(step, 8), fraction(momentum, 4));
        let zero = vec![Rational::ZERO; d];
        let found = exact::descend(&x, &y, &zero, &order, (&step, &momentum));
        prop_assert_eq!(&found.weights, &combination(&x, &found.coefficients));
        prop_assert!(is_in_span(&x, &found.weights));
        prop_assert!(exact::split(&x, &found.weights).unwrap().null.iter().all(Rational::is_zero));
    }

    /// From elsewhere, the part of the start in the null space stays what it was.
    #[test]
    fn the_part_in_the_null_space_stays(
        (points, targets, d) in whole(),
        start in prop::collection::vec(-5i32..=5, 6),
        order in prop::collection::vec(0usize..60, 0..=10),
    ) {
        let (x, y) = exactly(&points, &targets, d);
        let start: Vec<Rational> = start[..d].iter().map(|&s| Rational::from(s)).collect();
        let order: Vec<usize> = order.iter().map(|i| i % x.len()).collect();
        let (step, momentum) = (fraction(1, 8), fraction(1, 2));
        let found = exact::descend(&x, &y, &start, &order, (&step, &momentum));
        let null = |w: &[Rational]| exact::split(&x, w).unwrap().null;
        prop_assert_eq!(null(&found.weights), null(&start));
    }

    /// The floating descent takes the steps of the exact one.
    #[test]
    fn the_floating_descent_is_the_exact_one_rounded(
        (points, targets, d) in whole(),
        momentum in prop::sample::select(vec![(0, 0.0), (1, 0.5)]),
    ) {
        let (x, y) = exactly(&points, &targets, d);
        let design = Design::new(points, d, false).unwrap();
        let epochs = 3;
        let order: Vec<usize> = (0..epochs).flat_map(|_| 0..x.len()).collect();
        let zero = vec![Rational::ZERO; d];
        let half = fraction(momentum.0, 2);
        let exact = exact::descend(&x, &y, &zero, &order, (&fraction(1, 64), &half));
        let settings = Settings {
            step: Step::Constant(1.0 / 64.0), momentum: momentum.1, order: Order::Cyclic,
            epochs: epochs as u32, seed: 0,
        };
        let targets = Targets::new(targets, 1).unwrap();
        let closed = vec![0.0; d];
        let found = descend(&design, &targets, None, &settings, &closed, |_| true).unwrap();
        let error = exact::distance(&found.weights, &exact.weights);
        prop_assert!(error <= 1e-13 * (1.0 + exact::norm(&exact.weights)), "{error}");
        let error = exact::distance(&found.coefficients, &exact.coefficients);
        prop_assert!(error <= 1e-12 * (1.0 + exact::norm(&exact.coefficients)), "{error}");
    }

    /// The exact solution bounds the errors of both: of the closed form by rounding, of descent by 10^-6.
    #[test]
    fn the_exact_solution_bounds_both_errors(n in 1usize..=5, k in 1usize..=2, seed in 0u64..1000) {
        let (design, targets) = problem(n, 4 * n + 1, k, seed);
        let factor = Factor::new(&design).unwrap();
        let closed = factor.minimum_norm(&targets).unwrap().weights;
        let settings = settings(&design, 0.0, Order::Shuffled);
        let descent = descend(&design, &targets, None, &settings, &closed, |e| e.distance > 1e-10);
        let descent = descent.unwrap().weights;
        let x = exact::points(&design);
        for o in 0..k {
            let truth = minimum_norm(&x, &exact::targets(&targets, o)).unwrap().weights;
            let column = |w: &[f64]| -> Vec<f64> { w.iter().skip(o).step_by(k).copied().collect() };
            let error = |w: &[f64]| exact::distance(&column(w), &truth) / exact::norm(&truth);
            prop_assert!(error(&closed) <= 1e-14 * factor.condition().unwrap(), "{}", error(&closed));
            prop_assert!(error(&descent) <= 1e-6, "{}", error(&descent));
        }
    }
}

/// From a start that is not 0, descent finds another interpolant: the nearest, whose part in the span is the minimum
/// norm.
#[test]
fn another_start_ends_at_another_interpolant() {
    let (design, targets) = problem(5, 16, 2, 8);
    let factor = Factor::new(&design).unwrap();
    let closed = factor.minimum_norm(&targets).unwrap().weights;
    let start = normal(32, 8, 2);
    let settings = settings(&design, 0.0, Order::Cyclic);
    let found = descend(&design, &targets, Some(&start), &settings, &closed, |e| e.loss > 1e-24);
    let found = found.unwrap();
    let parts = factor.split(&found.weights, 2).unwrap();
    let own = factor.split(&start, 2).unwrap();
    assert!(distance(&parts.span, &closed) < 1e-9 * norm(&closed));
    assert!(distance(&parts.null, &own.null) < 1e-9 * norm(&start) && norm(&own.null) > 1.0);
    assert!(found.epochs.last().unwrap().off_span < 1e-12);
    assert!(norm(&found.weights) > norm(&closed));
}

/// Adam fits as well, up to the oscillation of a constant rate, and is not in the span.
#[test]
fn adam_leaves_the_span() {
    let (design, targets) = problem(4, 12, 1, 2);
    let factor = Factor::new(&design).unwrap();
    let closed = factor.minimum_norm(&targets).unwrap().weights;
    let found = adam(&design, &targets, 1e-3, 20_000).unwrap();
    let error = distance(&design.outputs(&found, 1), targets.values());
    let (rate, largest) = (1e-3, norm(targets.values()));
    assert!(error < rate * largest, "{error} of {largest}");
    let parts = factor.split(&found, 1).unwrap();
    assert!(norm(&parts.null) > 0.1 * norm(&closed), "{}", norm(&parts.null));
    assert!(norm(&found) > norm(&closed));
    // After its first step all coordinates have moved by the same.
    let first = adam(&design, &targets, 1e-3, 1).unwrap();
    assert!(first.iter().all(|w| (w.abs() - 1e-3).abs() < 1e-6));
    assert!(norm(&factor.split(&first, 1).unwrap().null) > 0.1 * norm(&first));
}

/// Beyond the bound it diverges, and says so; settings that are none are refused.
#[test]
fn steps_beyond_the_bound_diverge_in_words() {
    let (design, targets) = problem(3, 5, 1, 1);
    let closed = vec![0.0; 5];
    let good = settings(&design, 0.0, Order::Cyclic);
    let run = |settings: &Settings| descend(&design, &targets, None, settings, &closed, |_| true);
    let large = Settings { step: Step::Relative(2.5), ..good };
    assert!(matches!(run(&large), Err(RegressionError::Diverged { step: 2.5, .. })));
    let none = Settings { step: Step::Constant(f64::NAN), ..good };
    assert!(matches!(run(&none), Err(RegressionError::Step(_))));
    let heavy = Settings { momentum: 1.0, ..good };
    assert_eq!(run(&heavy), Err(RegressionError::Momentum(1.0)));
    let short = descend(&design, &targets, None, &good, &closed[..4], |_| true);
    assert!(matches!(short, Err(RegressionError::Weights { found: 4, columns: 5, outputs: 1 })));
}

/// The watcher ends a descent; the start is an epoch of its own; points of zeros take no step.
#[test]
fn the_watcher_sees_every_epoch() {
    let design = Design::new(vec![0.0, 0.0, 1.0, 2.0], 2, false).unwrap();
    let targets = Targets::new(vec![0.0, 5.0], 1).unwrap();
    let closed = [1.0, 2.0];
    let step = Step::Relative(1.0);
    let settings = Settings { step, momentum: 0.0, order: Order::Cyclic, epochs: 9, seed: 0 };
    let mut seen = Vec::new();
    let found = descend(&design, &targets, None, &settings, &closed, |epoch| {
        seen.push(epoch.epoch);
        epoch.epoch < 2
    });
    let found = found.unwrap();
    assert_eq!(seen, [0, 1, 2]);
    assert_eq!((found.epochs[0].distance, found.epochs[0].off_span), (1.0, 0.0));
    assert!(found.epochs[2].distance < 1e-15, "{:?}", found.epochs);
    // The same seed gives the same bytes; another one another order.
    let (design, targets) = problem(6, 9, 2, 4);
    let closed = vec![0.0; 18];
    let of = |seed: u64| {
        let settings = Settings { order: Order::Shuffled, seed, epochs: 2, ..settings };
        descend(&design, &targets, None, &settings, &closed, |_| true).unwrap().weights
    };
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}
