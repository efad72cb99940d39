//! Kendall's τ-b against a double loop, known values, and properties of its definition.

use proptest::prelude::*;
use shatter_measure::kendall::{Bootstrap, Kendall, Pairs};
use shatter_measure::{Kind, MeasureError};
use shatter_random::stream::{Purpose, below, stream};

use crate::common::cases;

fn of(x: &[f64], y: &[f64]) -> Kendall {
    Kendall::of(x, y, &Bootstrap::default()).unwrap()
}

fn few(x: &[f64], y: &[f64]) -> Kendall {
    Kendall::of(x, y, &Bootstrap { draws: 40, ..Bootstrap::default() }).unwrap()
}

/// Pairs by a double loop.
fn naive(x: &[f64], y: &[f64]) -> Pairs {
    let mut pairs = Pairs::default();
    for i in 0..x.len() {
        for j in i + 1..x.len() {
            pairs.all += 1;
            pairs.tied_x += u64::from(x[i] == x[j]);
            pairs.tied_y += u64::from(y[i] == y[j]);
            pairs.tied_both += u64::from(x[i] == x[j] && y[i] == y[j]);
            if x[i] != x[j] && y[i] != y[j] {
                match (x[i] < x[j]) == (y[i] < y[j]) {
                    true => pairs.concordant += 1,
                    false => pairs.discordant += 1,
                }
            }
        }
    }
    pairs
}

/// Few different numbers, so that many pairs are tied.
fn runs() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let number = || {
        prop_oneof![
            (-4i32..=4).prop_map(|x| f64::from(x) / 2.0),
            prop::sample::select(vec![f64::INFINITY, f64::NEG_INFINITY, -0.0]),
        ]
    };
    prop::collection::vec((number(), number()), 0..=30).prop_map(|runs| runs.into_iter().unzip())
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn pairs_are_those_of_a_double_loop((x, y) in runs()) {
        let found = few(&x, &y);
        let pairs = naive(&x, &y);
        prop_assert_eq!(found.pairs, pairs);
        prop_assert_eq!(found.tau, pairs.tau());
        prop_assert!(found.tau.is_none_or(|tau| (-1.0..=1.0).contains(&tau)));
        prop_assert!(found.tau.is_some() || found.interval.is_none());
        if let Some((low, high)) = found.interval {
            prop_assert!(-1.0 <= low && low <= high && high <= 1.0);
        }
        prop_assert!(found.undefined <= found.draws && (found.undefined < found.draws) == found.interval.is_some());
    }

    #[test]
    fn order_of_runs_and_increasing_functions_change_nothing((x, y) in runs(), by in 0usize..30) {
        let found = few(&x, &y);
        let (mut u, mut v) = (x.clone(), y.clone());
        if !u.is_empty() {
            let by = by % u.len();
            u.rotate_left(by);
            v.rotate_left(by);
            u.reverse();
            v.reverse();
        }
        prop_assert_eq!(&few(&u, &v), &found);
        let cubed: Vec<f64> = x.iter().map(|x| x * x * x + 1.0).collect();
        let shifted: Vec<f64> = y.iter().map(|y| 4.0 * y - 3.0).collect();
        prop_assert_eq!(&few(&cubed, &shifted), &found);
        // A decreasing function changes the sign; the two numbers change places freely.
        let negated: Vec<f64> = y.iter().map(|y| -y).collect();
        prop_assert_eq!(few(&x, &negated).tau, found.tau.map(|tau| 0.0 - tau));
        prop_assert_eq!(few(&y, &x).tau, found.tau);
    }

    #[test]
    fn not_a_number_is_left_out_and_counted((mut x, mut y) in runs(), at in prop::collection::vec(0usize..30, 0..4)) {
        let found = few(&x, &y);
        for (k, at) in at.iter().enumerate() {
            let at = at % (x.len() + 1);
            let (one, other) = if k % 2 == 0 { (f64::NAN, 1.0) } else { (0.0, f64::NAN) };
            x.insert(at, one);
            y.insert(at, other);
        }
        let with = few(&x, &y);
        prop_assert_eq!((with.left_out, with.runs), (at.len(), found.runs));
        prop_assert_eq!((with.tau, with.interval), (found.tau, found.interval));
    }
}

#[test]
fn known_values() {
    // Inversions counted by hand: 7 + 7 + 2 + 5 + 2 + 0 + 1 + 0 + 0.
    let order: Vec<f64> = (1..=10).map(f64::from).collect();
    let other = [8.0, 9.0, 3.0, 7.0, 4.0, 1.0, 5.0, 2.0, 6.0, 10.0];
    let pairs = of(&order, &other).pairs;
    assert_eq!((pairs.concordant, pairs.discordant), (21, 24));
    assert_eq!(of(&order, &other).tau, Some(-3.0 / 45.0));
    // scipy.stats.kendalltau([12, 2, 1, 12, 2], [1, 4, 7, 1, 0]) = −0.4714045207910316.
    let found = of(&[12.0, 2.0, 1.0, 12.0, 2.0], &[1.0, 4.0, 7.0, 1.0, 0.0]);
    assert!((found.tau.unwrap() + 0.4714045207910316).abs() < 1e-15);
    assert_eq!((found.pairs.tied_x, found.pairs.tied_y, found.pairs.tied_both), (2, 1, 1));
    // Perfect order is exactly ±1, also of numbers of pairs whose square is rounded.
    let many: Vec<f64> = (0..20_000).map(f64::from).collect();
    let back: Vec<f64> = many.iter().map(|x| -x).collect();
    let none = Bootstrap { draws: 0, ..Bootstrap::default() };
    let tau = |x: &[f64], y: &[f64]| Kendall::of(x, y, &none).unwrap().tau;
    assert_eq!((tau(&many, &many), tau(&many, &back)), (Some(1.0), Some(-1.0)));
}

#[test]
fn undefined_is_said() {
    for (x, y) in [
        (vec![], vec![]),
        (vec![1.0], vec![2.0]),
        (vec![1.0, 1.0, 1.0], vec![1.0, 2.0, 3.0]),
        (vec![1.0, 2.0, 3.0], vec![0.5; 3]),
        (vec![f64::NAN, 2.0, f64::NAN], vec![1.0, 2.0, 3.0]),
        (vec![0.0, -0.0], vec![1.0, 2.0]),
    ] {
        let found = of(&x, &y);
        assert_eq!((found.tau, found.interval, found.undefined), (None, None, 1000), "{x:?}");
        let finding = found.finding("τ");
        assert!(finding.value.is_nan() && finding.failing().is_some());
    }
    let found = few(&[1.0, 2.0], &[1.0, 2.0]);
    // Half of the sets of two runs have the same run twice.
    assert!(found.tau == Some(1.0) && found.undefined > 5 && found.undefined < 35);
    assert_eq!(found.interval, Some((1.0, 1.0)));
    assert_eq!(found.finding("τ").kind, Kind::Estimate);
}

#[test]
fn what_does_not_fit_is_refused() {
    let of = |x: &[f64], y: &[f64], level| {
        Kendall::of(x, y, &Bootstrap { level, ..Bootstrap::default() }).unwrap_err()
    };
    let error = of(&[1.0, 2.0], &[1.0], 0.9);
    assert!(matches!(error, MeasureError::Length { found: 1, expected: 2, .. }));
    for level in [0.0, 1.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(of(&[1.0], &[1.0], level), MeasureError::Parameter { .. }));
    }
}

#[test]
fn intervals_hold_the_share_and_shrink() {
    let x: Vec<f64> = (0..40).map(f64::from).collect();
    let y: Vec<f64> = (0..40).map(|k| f64::from((k * 7) % 40 + k)).collect();
    let of = |level, draws| Kendall::of(&x, &y, &Bootstrap { seed: 3, draws, level }).unwrap();
    let (low, high) = of(0.95, 1000).interval.unwrap();
    let (inner_low, inner_high) = of(0.5, 1000).interval.unwrap();
    let tau = of(0.5, 1).tau.unwrap();
    assert!(low < inner_low && inner_low < inner_high && inner_high < high);
    assert!(low < tau && tau < high);
    assert_eq!(of(0.5, 0).interval, None);
}

/// The interval by its definition: resampled runs, in the order of x and then y, and a double loop.
#[test]
fn intervals_are_percentiles_of_resampled_runs() {
    let x = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0];
    let y = [2.0, 7.0, 1.0, 6.0, 2.0, 8.0, 2.0];
    let found = Kendall::of(&x, &y, &Bootstrap { seed: 5, draws: 100, level: 0.75 }).unwrap();
    let mut runs: Vec<(f64, f64)> = x.into_iter().zip(y).collect();
    runs.sort_by(|a, b| a.partial_cmp(b).unwrap());
    let mut rng = stream(5, Purpose::Bootstrap);
    let mut taus = Vec::new();
    for _ in 0..100 {
        let draw = (0..runs.len()).map(|_| runs[below(&mut rng, 7) as usize]);
        let (x, y): (Vec<f64>, Vec<f64>) = draw.unzip();
        taus.extend(naive(&x, &y).tau());
    }
    taus.sort_by(f64::total_cmp);
    assert_eq!(found.undefined as usize, 100 - taus.len());
    let outside = taus.len() / 8;
    assert_eq!(found.interval, Some((taus[outside], taus[taus.len() - 1 - outside])));
}

/// A seed draws the same interval for ever.
#[test]
fn golden_interval() {
    let x = [3.0, 1.0, 4.0, 1.5, 5.0, 9.0, 2.0, 6.0];
    let y = [2.0, 7.0, 1.0, 8.0, 2.5, 8.5, 1.5, 8.25];
    let found = Kendall::of(&x, &y, &Bootstrap { seed: 1, draws: 200, level: 0.9 }).unwrap();
    let (low, high) = found.interval.unwrap();
    assert_eq!((found.tau.unwrap(), low, high, found.undefined), GOLDEN);
}

const GOLDEN: (f64, f64, f64, u32) = (2.0 / 7.0, -0.391304347826087, 0.84, 0);
