//! W = X⁺Y.

use crate::common::cases;
use crate::{ROUNDOFF, exactly, normal, problem, whole};
use proptest::prelude::*;
use shatter_exact::{Rational, matrix};
use shatter_regression::exact::{self, combination, dot, is_in_span, minimum_norm, row};
use shatter_regression::{Design, Factor, Targets, distance, norm};

proptest! {
    #![proptest_config(cases(64))]

    /// The exact answer satisfies the four conditions that define X⁺: it is in the span, and its residual is orthogonal
    /// to all columns; it fits just if a textbook solver finds a solution.
    #[test]
    fn the_exact_answer_is_the_one_in_the_span((points, targets, d) in whole()) {
        let (x, y) = exactly(&points, &targets, d);
        let found = minimum_norm(&x, &y).unwrap();
        prop_assert!(is_in_span(&x, &found.weights));
        let residual: Vec<Rational> =
            x.iter().zip(&y).map(|(point, y)| y - dot(point, &found.weights)).collect();
        prop_assert!(combination(&x, &residual).iter().all(Rational::is_zero));
        prop_assert_eq!(found.misfits.is_empty(), matrix::solve(&x, &y).is_some());
        prop_assert_eq!(found.rank, matrix::rank(&x));
    }

    /// Any other solution has another part, which is orthogonal, changes no output and only adds to the norm.
    #[test]
    fn other_solutions_are_longer_by_their_part_in_the_null_space(
        (points, targets, d) in whole(),
        numbers in prop::collection::vec(-9i32..=9, 6),
    ) {
        let (x, y) = exactly(&points, &targets, d);
        let minimum = minimum_norm(&x, &y).unwrap().weights;
        let mut other = minimum.clone();
        for (v, c) in matrix::null_space(&x, d).iter().zip(&numbers) {
            other.iter_mut().zip(v).for_each(|(w, v)| *w += Rational::from(*c) * v);
        }
        let parts = exact::split(&x, &other).unwrap();
        prop_assert_eq!(&parts.span, &minimum);
        prop_assert!(x.iter().all(|point| dot(point, &parts.null).is_zero()));
        prop_assert!(dot(&parts.span, &parts.null).is_zero());
        let square = |w: &[Rational]| dot(w, w);
        prop_assert_eq!(square(&other), square(&minimum) + square(&parts.null)); // Pythagoras
    }

    /// In floating point: rank, fit and weights are the exact ones; the error grows with the condition alone.
    #[test]
    fn floating_point_stays_near_the_exact_answer((points, targets, d) in whole()) {
        let (x, y) = exactly(&points, &targets, d);
        let exact = minimum_norm(&x, &y).unwrap();
        let design = Design::new(points, d, false).unwrap();
        let factor = Factor::new(&design).unwrap();
        let found = factor.minimum_norm(&Targets::new(targets.clone(), 1).unwrap()).unwrap();
        prop_assert_eq!(factor.rank(), exact.rank);
        prop_assert_eq!(found.fits, exact.misfits.is_empty());
        prop_assert_eq!(&found.misfits, &exact.misfits);
        // Least squares: κ for the fitted part, κ² times the residual.
        let kappa = factor.condition().unwrap_or(1.0);
        let size = exact::norm(&exact.weights) + norm(&targets) / factor.singular_values().last().copied().unwrap_or(1.0);
        let bound = 64.0 * (design.rows() + d) as f64 * ROUNDOFF * kappa * kappa * size;
        let error = exact::distance(&found.weights, &exact.weights);
        prop_assert!(error <= bound, "{error} > {bound}");
    }

    /// The parts of any weights, in floating point.
    #[test]
    fn any_weights_are_taken_apart(n in 1usize..=6, d in 1usize..=9, k in 1usize..=3, seed in 0u64..1000) {
        let (design, _) = problem(n, d, k, seed);
        let factor = Factor::new(&design).unwrap();
        let weights = normal(d * k, seed, 2);
        let parts = factor.split(&weights, k).unwrap();
        let whole = norm(&weights);
        let bound = 1e3 * ROUNDOFF * factor.condition().unwrap().powi(2);
        let outputs = design.outputs(&parts.null, k);
        prop_assert!(norm(&outputs) <= bound * design.norm() * whole);
        let square = |w: &[f64]| norm(w).powi(2);
        let gap = square(&weights) - square(&parts.span) - square(&parts.null);
        prop_assert!(gap.abs() <= bound * square(&weights), "{gap}");
        // What is in the span has no other part.
        let again = factor.split(&parts.span, k).unwrap();
        prop_assert!(norm(&again.null) <= bound * whole);
        prop_assert_eq!(factor.rank(), n.min(d));
    }
}

/// Several outputs are solved side by side, as each is by itself.
#[test]
fn outputs_do_not_depend_on_each_other() {
    let (design, targets) = problem(7, 11, 4, 3);
    let factor = Factor::new(&design).unwrap();
    let all = factor.minimum_norm(&targets).unwrap();
    assert!(all.fits);
    for o in 0..4 {
        let column: Vec<f64> = targets.values().iter().skip(o).step_by(4).copied().collect();
        let one = factor.minimum_norm(&Targets::new(column, 1).unwrap()).unwrap();
        let of_all: Vec<f64> = all.weights.iter().skip(o).step_by(4).copied().collect();
        assert!(distance(&one.weights, &of_all) <= 1e-13 * norm(&of_all));
    }
}

/// Corrections give the digits back that squaring the singular values costs: points whose condition is 10^5.
#[test]
fn corrections_restore_the_digits_of_ill_conditioned_points() {
    let tiny = 2f64.powi(-17);
    let points = [1.0, 1.0, 0.0, 1.0, 1.0 + tiny, tiny];
    let targets = [3.0, 4.0];
    let design = Design::new(points.to_vec(), 3, false).unwrap();
    let factor = Factor::new(&design).unwrap();
    let condition = factor.condition().unwrap();
    assert!((1e5..1e6).contains(&condition), "{condition}");
    let found = factor.minimum_norm(&Targets::new(targets.to_vec(), 1).unwrap()).unwrap();
    let (x, y) = exactly(&points, &targets, 3);
    let exact = minimum_norm(&x, &y).unwrap().weights;
    let error = exact::distance(&found.weights, &exact) / exact::norm(&exact);
    // Without them the error would be κ²u, about 10^-5.
    assert!(error < 16.0 * condition * ROUNDOFF && found.fits, "{error}");
}

/// Of points that are dependent to rounding the rank says so, and the answer is that of the points that are told apart.
#[test]
fn points_that_rounding_makes_independent_are_called_dependent() {
    let points = vec![1.0, 1.0, 1.0, 1.0 + f64::EPSILON];
    let design = Design::new(points.clone(), 2, false).unwrap();
    let factor = Factor::new(&design).unwrap();
    assert_eq!(factor.rank(), 1);
    assert!(factor.resolution() < 1e-6);
    assert_eq!(matrix::rank(&[row(&points[..2]), row(&points[2..])]), 2);
    let equal = factor.minimum_norm(&Targets::new(vec![2.0, 2.0], 1).unwrap()).unwrap();
    assert!(equal.fits && (equal.weights[0] - 1.0).abs() < 1e-12);
    let other = factor.minimum_norm(&Targets::new(vec![2.0, 3.0], 1).unwrap()).unwrap();
    assert!(!other.fits && norm(&other.weights) < 2.0);
}

/// A bias is the weight of an appended 1, and counts in the norm.
#[test]
fn a_bias_is_an_appended_coordinate() {
    let design = Design::new(vec![3.0], 1, true).unwrap();
    let found = Factor::new(&design).unwrap();
    let found = found.minimum_norm(&Targets::new(vec![10.0], 1).unwrap()).unwrap();
    assert!(distance(&found.weights, &[3.0, 1.0]) < 1e-14);
}
