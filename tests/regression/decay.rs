//! Weight decay and its path.

use crate::common::cases;
use crate::{exactly, fraction, normal, problem, whole};
use proptest::prelude::*;
use shatter_regression::exact::{self, is_in_span, minimum_norm};
use shatter_regression::{Design, Factor, RegressionError, Targets, norm, ridge};

/// The gradient of (1/2n) ‖XW − Y‖² + (λ/2) ‖W‖², as it is defined.
fn gradient(design: &Design, targets: &Targets, weights: &[f64], decay: f64) -> Vec<f64> {
    let k = targets.outputs();
    let residuals: Vec<f64> =
        design.outputs(weights, k).iter().zip(targets.values()).map(|(z, y)| z - y).collect();
    let sums = design.combinations(&residuals, k);
    sums.iter().zip(weights).map(|(g, w)| g / design.rows() as f64 + decay * w).collect()
}

proptest! {
    #![proptest_config(cases(32))]

    /// The path minimises what it says, stays below the minimum norm, and tends to it within the bound.
    #[test]
    fn the_path_leads_to_the_minimum_norm(
        n in 1usize..=7,
        d in 1usize..=12,
        k in 1usize..=3,
        seed in 0u64..1000,
    ) {
        let (design, targets) = problem(n, d, k, seed);
        let factor = Factor::new(&design).unwrap();
        let minimum = factor.minimum_norm(&targets).unwrap();
        let decays: Vec<f64> = (-2..=12).map(|e| 10f64.powi(-e)).collect();
        let path = ridge::path(&factor, &targets, &minimum.weights, &decays).unwrap();
        let smallest = *factor.singular_values().last().unwrap();
        let size = norm(&minimum.weights);
        let rounding = 1e3 * f64::EPSILON * factor.condition().unwrap().powi(2) * size;
        for point in &path {
            let shift = n as f64 * point.decay;
            let bound = shift / (smallest * smallest + shift) * size;
            prop_assert!(point.distance <= bound + rounding, "{} > {bound}", point.distance);
            prop_assert!(point.norm <= size + rounding);
            let slope = norm(&gradient(&design, &targets, &point.weights, point.decay));
            let scale = design.norm() * (norm(targets.values()) + design.norm() * point.norm);
            prop_assert!(slope <= 1e3 * f64::EPSILON * factor.condition().unwrap() * scale, "{slope}");
        }
        let falls = |of: fn(&shatter_regression::Decayed) -> f64| {
            path.windows(2).all(|two| of(&two[1]) <= of(&two[0]) + 1e-9 * of(&two[0]).abs() + rounding)
        };
        prop_assert!(falls(|point| -point.norm) && falls(|point| point.loss) && falls(|point| point.distance));
    }

    /// In rational numbers: every point of the path is in the span, longer with less decay, and nearer to the minimum norm.
    #[test]
    fn the_exact_path_does_the_same((points, targets, d) in whole()) {
        let (x, y) = exactly(&points, &targets, d);
        let minimum = minimum_norm(&x, &y).unwrap().weights;
        let gap = |w: &[_]| -> Vec<_> { w.iter().zip(&minimum).map(|(w, m)| w - m).collect() };
        let mut before = None;
        for decay in [fraction(1, 1), fraction(1, 1000), fraction(1, 1_000_000)] {
            let w = exact::decayed(&x, &y, &decay).unwrap();
            prop_assert!(is_in_span(&x, &w));
            let now = (exact::dot(&w, &w), exact::dot(&gap(&w), &gap(&w)));
            if let Some((norm, distance)) = before {
                prop_assert!(now.0 >= norm && now.1 <= distance);
            }
            before = Some(now);
        }
        // Floating point finds the same.
        let design = Design::new(points, d, false).unwrap();
        let factor = Factor::new(&design).unwrap();
        let path = ridge::path(&factor, &Targets::new(targets, 1).unwrap(), &vec![0.0; d], &[0.125]).unwrap();
        let w = exact::decayed(&x, &y, &fraction(1, 8)).unwrap();
        prop_assert!(exact::distance(&path[0].weights, &w) <= 1e-10 * (1.0 + exact::norm(&w)));
    }
}

#[test]
fn decays_that_are_none_are_refused() {
    let (design, targets) = problem(2, 3, 1, 1);
    let factor = Factor::new(&design).unwrap();
    let path = |decay: f64| ridge::path(&factor, &targets, &[0.0; 3], &[decay]);
    for decay in [0.0, -1.0, f64::INFINITY] {
        assert_eq!(path(decay).unwrap_err(), RegressionError::Decay(decay));
    }
    assert!(matches!(path(f64::NAN), Err(RegressionError::Decay(_))));
    let (x, y) = exactly(&normal(2, 0, 0), &[1.0], 2);
    assert!(matches!(exact::decayed(&x, &y, &fraction(0, 1)), Err(RegressionError::Decay(_))));
}

#[test]
fn the_decades_begin_at_the_curvature() {
    let design = Design::new(vec![20.0, 0.0, 0.0, 0.0], 2, false).unwrap();
    let decades = ridge::decades(&Factor::new(&design).unwrap());
    assert_eq!((decades[0], decades[9], decades.len()), (1e3, 1e-6, 10)); // above 400/2
    let zeros = Design::new(vec![0.0; 4], 2, false).unwrap();
    assert!(ridge::decades(&Factor::new(&zeros).unwrap()).is_empty());
}
