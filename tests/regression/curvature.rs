//! Curvature at interpolants.

use crate::common::cases;
use crate::{exactly, normal, problem, whole};
use proptest::prelude::*;
use shatter_exact::{Rational, matrix};
use shatter_linear::decomposition::symmetric;
use shatter_regression::curvature::{Loss, bounds, difference, factors, hessian};
use shatter_regression::exact::{self, dot, minimum_norm};
use shatter_regression::{Factor, norm};

proptest! {
    #![proptest_config(cases(32))]

    /// In rational numbers: the Hessian is the same at all interpolants, and every direction of the null space is flat.
    #[test]
    fn all_interpolants_have_one_hessian(
        (points, targets, d) in whole(),
        numbers in prop::collection::vec(-9i32..=9, 6),
    ) {
        let (x, y) = exactly(&points, &targets, d);
        let found = minimum_norm(&x, &y).unwrap();
        prop_assume!(found.misfits.is_empty());
        let null = matrix::null_space(&x, d);
        let mut other = found.weights.clone();
        for (v, c) in null.iter().zip(&numbers) {
            other.iter_mut().zip(v).for_each(|(w, v)| *w += Rational::from(*c) * v);
        }
        let hessian = exact::hessian(&x, &y, &found.weights);
        prop_assert_eq!(&exact::hessian(&x, &y, &other), &hessian);
        prop_assert_eq!(matrix::rank(&hessian), found.rank);
        prop_assert!(null.iter().all(|v| hessian.iter().all(|row| dot(row, v).is_zero())));
        if d > x.len() {
            prop_assert!(matrix::rank(&hessian) < d); // singular
        }
        // Elsewhere it is another one: the statement is about interpolants.
        let moved: Vec<Rational> = other.iter().zip(&x[0]).map(|(w, x)| w + x).collect();
        let same = exact::hessian(&x, &y, &moved) == hessian;
        prop_assert_eq!(same, x[0].iter().all(Rational::is_zero));
    }

    /// In floating point: equal to rounding at interpolants of very different norm.
    #[test]
    fn interpolants_have_one_curvature(
        n in 1usize..=6, extra in 1usize..=6, k in 1usize..=2, seed in 0u64..1000,
    ) {
        let (design, targets) = problem(n, n + extra, k, seed);
        let factor = Factor::new(&design).unwrap();
        prop_assume!(factor.condition().unwrap() < 100.0);
        let minimum = factor.minimum_norm(&targets).unwrap().weights;
        let null = factor.split(&normal(minimum.len(), seed, 3), k).unwrap().null;
        let at = |scale: f64| -> Vec<f64> {
            minimum.iter().zip(&null).map(|(w, v)| w + scale * norm(&minimum) / norm(&null) * v).collect()
        };
        let of = |w: &[f64]| factors(&design, &targets, w, Loss::Quartic).unwrap();
        let own = of(&minimum);
        for scale in [1.0, 100.0] {
            let other = at(scale);
            prop_assert!(norm(&other) > 0.99 * scale * norm(&minimum));
            // β errs by the square of the residual, which is rounding times the norm.
            prop_assert!(difference(&own, &of(&other)) <= 1e-20 * (scale * norm(&minimum) * design.norm()).powi(2));
        }
        let curvature = bounds(&factor, &own);
        prop_assert_eq!(curvature.singular, extra);
        // The bounds hold the eigenvalues of the matrix itself.
        let column: Vec<f64> = own.iter().step_by(k).copied().collect();
        let eigenvalues = symmetric(&hessian(&design, &column)).unwrap().values;
        let (low, high) = curvature.largest;
        prop_assert!((low * (1.0 - 1e-12)..=high * (1.0 + 1e-12)).contains(&eigenvalues[0]));
        prop_assert!(eigenvalues[n..].iter().all(|value| value.abs() <= 1e-13 * high));
        // At 0, which fits nothing, it is another one; under squared loss nowhere.
        let zero = vec![0.0; minimum.len()];
        prop_assert!(difference(&own, &of(&zero)) > 1e-6);
        let squared = |w: &[f64]| factors(&design, &targets, w, Loss::Squared).unwrap();
        prop_assert_eq!(difference(&squared(&minimum), &squared(&zero)), 0.0);
    }
}
