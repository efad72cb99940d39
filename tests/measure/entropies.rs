//! Relative entropies against 280-bit logarithms, and their inverse against the definition and binomial sums.

use proptest::prelude::*;
use shatter_exact::Rational;
use shatter_measure::MeasureError;
use shatter_measure::kl::{chernoff, inverse, relative_entropy};

use crate::common::cases;
use crate::outward::{encloses_nearly, exact, ln};

/// kl(q‖p) for numbers strictly between 0 and 1.
fn oracle(q: f64, p: f64) -> Rational {
    let (one, weight) = (Rational::ONE, exact(q));
    // 1 − x of numbers in 2^-53 is exact in binary64.
    let rest = |x: f64, y: f64| ln(1.0 - x) - ln(1.0 - y);
    &weight * (ln(q) - ln(p)) + (one - &weight) * rest(q, p)
}

/// Numbers strictly between 0 and 1 whose distance from 1 is a binary64 number.
fn probability() -> impl Strategy<Value = f64> {
    let unit = (1u64 << 53) as f64;
    prop_oneof![1u64..1 << 53, 1u64..100, ((1u64 << 53) - 100)..1 << 53]
        .prop_map(move |k| k as f64 / unit)
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn entropies_are_enclosed(q in probability(), p in probability()) {
        prop_assert!(encloses_nearly(relative_entropy(q, p).unwrap(), &oracle(q, p)));
    }

    #[test]
    fn inverses_are_not_below_and_not_far_above(q in probability(), c in 0.0..5.0f64) {
        let p = inverse(q, c).unwrap();
        prop_assert!(p >= q && p <= 1.0);
        prop_assert!(p == 1.0 || relative_entropy(q, p).unwrap().low() >= c);
        let before = p.next_down();
        prop_assert!(before < q || relative_entropy(q, before).unwrap().low() < c);
    }

    #[test]
    fn inverses_are_monotone(q in 0.0..1.0f64, more in 0.0..0.5f64, c in 0.0..3.0f64, d in 0.0..1.0f64) {
        let p = inverse(q, c).unwrap();
        prop_assert!(inverse((q + more).min(1.0), c).unwrap() >= p - 1e-7);
        prop_assert!(inverse(q, c + d).unwrap() >= p);
    }

    #[test]
    fn pinsker(q in 0.0..=1.0f64, c in 0.0..2.0f64) {
        prop_assert!(inverse(q, c).unwrap() <= q + (c / 2.0).sqrt() + 1e-7);
    }
}

/// P(at most k heads of m).
fn at_most(k: u32, m: u32, p: f64) -> f64 {
    let mut term = (1.0 - p).powi(m as i32);
    let mut sum = term;
    for j in 1..=k {
        term *= f64::from(m - j + 1) / f64::from(j) * p / (1.0 - p);
        sum += term;
    }
    sum
}

#[test]
fn chernoff_covers_binomial_tails() {
    for m in [1u32, 2, 5, 20, 60] {
        for k in 0..m {
            for delta in [0.3, 0.05, 1e-6] {
                let p = chernoff(f64::from(k) / f64::from(m), u64::from(m), delta).unwrap();
                assert!(
                    p >= 1.0 || at_most(k, m, p) <= delta * (1.0 + 1e-9),
                    "{k} of {m}, {delta}"
                );
            }
        }
    }
}

#[test]
fn ends() {
    assert_eq!(relative_entropy(0.0, 0.0).unwrap().high(), 0.0);
    assert_eq!(relative_entropy(1.0, 1.0).unwrap().high(), 0.0);
    assert_eq!(relative_entropy(0.5, 1.0).unwrap().low(), f64::INFINITY);
    assert_eq!(relative_entropy(0.5, 0.0).unwrap().low(), f64::INFINITY);
    assert_eq!(inverse(0.3, 0.0).unwrap(), 0.3);
    assert_eq!(inverse(0.3, f64::INFINITY).unwrap(), 1.0);
    assert_eq!(inverse(1.0, 0.1).unwrap(), 1.0);
    assert!(matches!(inverse(-0.1, 0.1), Err(MeasureError::Parameter { .. })));
    assert!(matches!(inverse(f64::NAN, 0.1), Err(MeasureError::Parameter { .. })));
    assert!(matches!(inverse(0.1, f64::NAN), Err(MeasureError::Parameter { .. })));
    assert!(matches!(chernoff(0.1, 0, 0.1), Err(MeasureError::NoPoints)));
    assert!(matches!(chernoff(0.1, 3, 0.0), Err(MeasureError::Parameter { .. })));
}
