//! Twins: what lies apart, by chance or not; what architectures can and cannot fit.

use proptest::collection::vec;
use proptest::prelude::*;
use shatter_measure::capacity::KnownCapacity;
use shatter_measure::contrast::{Apart, apart, contrast, median};
use shatter_measure::{Assumption, Finding, Kind, vc};
use shatter_network::Mlp;
use shatter_obstruct::DimensionBound;

use crate::common::cases;

/// By all pairs.
fn naively(a: &[f64], b: &[f64]) -> Apart {
    let pairs = || a.iter().flat_map(|x| b.iter().map(move |y| (x, y)));
    let all = a.iter().chain(b);
    if a.is_empty() || b.is_empty() || all.clone().any(|x| x.is_nan()) {
        Apart::Unknown
    } else if all.clone().all(|x| all.clone().all(|y| x == y)) {
        Apart::Equal
    } else if pairs().all(|(x, y)| y > x) {
        Apart::Larger
    } else if pairs().all(|(x, y)| y < x) {
        Apart::Smaller
    } else {
        Apart::Mixed
    }
}

/// Share of the ways to name k of k + m different numbers in which the named ones lie on one side.
fn share_apart(k: usize, m: usize) -> f64 {
    let all: Vec<u32> = (0..1u32 << (k + m)).filter(|set| set.count_ones() as usize == k).collect();
    let of = |set: u32, named: bool| -> Vec<f64> {
        let is = |i: &usize| (set >> i & 1 == 1) == named;
        (0..k + m).filter(is).map(|i| i as f64).collect()
    };
    let apart = |set: &&u32| {
        let found = naively(&of(**set, true), &of(**set, false));
        matches!(found, Apart::Larger | Apart::Smaller)
    };
    all.iter().filter(apart).count() as f64 / all.len() as f64
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![8 => (-3i32..4).prop_map(f64::from), 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)]
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn apart_is_a_matter_of_all_pairs(a in vec(value(), 0..4), b in vec(value(), 0..4)) {
        prop_assert_eq!(apart(&a, &b), naively(&a, &b));
        let other = match naively(&a, &b) {
            Apart::Larger => Apart::Smaller,
            Apart::Smaller => Apart::Larger,
            same => same,
        };
        prop_assert_eq!(apart(&b, &a), other);
    }

    #[test]
    fn medians_are_values_with_half_on_either_side(values in vec(-9i32..9, 1..9)) {
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let of = median(&values);
        let below = values.iter().filter(|x| **x < of).count();
        let above = values.iter().filter(|x| **x > of).count();
        prop_assert!(values.contains(&of) && 2 * below < values.len() && 2 * above <= values.len());
    }
}

#[test]
fn chance_is_the_share_of_orders() {
    for (k, m) in [(1, 1), (1, 3), (2, 2), (3, 3), (2, 5), (5, 5)] {
        let of = |k| vec![vec![Finding::measure("x", 1.0, Vec::new())]; k];
        let found = contrast(&of(k), &of(m), 2);
        assert!((found[0].by_chance() - share_apart(k, m)).abs() < 1e-12, "{k} and {m}");
    }
}

#[test]
fn sentences_say_what_the_numbers_say() {
    let fails = || vec![Assumption::fails("the loss is smooth", "layer 0 has a kink")];
    let run = |norm: f64, says: f64| {
        vec![
            Finding::measure("norm", norm, Vec::new()),
            Finding::bound("theory", says, says, Vec::new()),
            Finding::refused("stability", fails()),
            Finding::estimate("sharpness", norm, Vec::new()),
        ]
    };
    let sentences = |a: &[Vec<Finding>], b: &[Vec<Finding>]| -> Vec<String> {
        contrast(a, b, 10).iter().map(|one| one.sentence()).collect()
    };
    let found = sentences(&[run(2.0, 0.3)], &[run(5.0, 0.95)]);
    assert!(
        found[0].contains("2.000 with true labels, 5.000 with random ones, larger"),
        "{found:?}"
    );
    assert!(found[0].ends_with("it bounds no error."));
    assert!(found[1].ends_with("not vacuous for one of them."), "{found:?}");
    assert_eq!(found[2], "stability: does not apply (the loss is smooth: layer 0 has a kink).");
    assert!(found[3].ends_with("an estimate, and no bound."));
    let found = sentences(&[run(2.0, 1.5), run(2.0, 3.0)], &[run(2.0, 7.0), run(2.0, 9.0)]);
    assert!(found[0].contains("the same for both") && found[1].ends_with("vacuous for both."));
    assert!(found[1].contains("at most 1.500 with true labels and 7.000"), "the least of each");
    let found = sentences(&[run(2.0, 0.91)], &[run(1.0, 0.92)]);
    assert!(found[1].ends_with("no better than a guess for both."), "{found:?}");
    // A measure that one network alone has.
    let mut more = run(2.0, 0.3);
    more.push(Finding::measure("extra", 1.0, Vec::new()));
    let found = contrast(&[more], &[run(1.0, 0.3)], 10);
    assert_eq!((found[4].apart, found[4].kind), (Apart::Unknown, Kind::Measure));
    assert_eq!(found[4].sentence(), "extra: has no value.");
}

#[test]
fn capacities_are_those_of_their_certificates() {
    for (widths, classes) in
        [("3-5-1", 2), ("2-4-3-1", 2), ("4-6-3", 3), ("4-6-3-3", 3), ("5-1", 2)]
    {
        let mlp: Mlp = widths.parse().unwrap();
        let outputs = mlp.outputs() as u64;
        let known = KnownCapacity::of(&mlp, classes).unwrap();
        // P − U dimensions: one point more is excluded, this many are not.
        let n = known.by_dimension;
        if outputs == 1 {
            assert!(
                DimensionBound::new(&mlp, n + 1).is_ok() && DimensionBound::new(&mlp, n).is_err()
            );
            assert_eq!(known.by_patterns, Some(vc::dimension(&mlp).unwrap()), "{widths}");
        }
        assert!((n + 1) * outputs > mlp.parameters() - mlp.units());
        // Patterns of one difference, and of all: enough of both at this number of points, and not at the next.
        let patterns = known.by_patterns.unwrap();
        let pairs = (mlp.outputs() * (mlp.outputs() - 1) / 2).max(1);
        let enough = |n: u64| {
            let of = |polynomials| vc::log2_patterns(&mlp, polynomials, n);
            let bits = f64::from(classes).log2() * (1.0 - 1e-12);
            of(1) >= n as f64 && of(pairs) >= bits * n as f64
        };
        assert!(enough(patterns) && !enough(patterns + 1), "{widths}");
        assert!(known.by_construction <= patterns, "{widths}: what is built is not excluded");
        assert!((known.bits_a_parameter(10, 4) - 20.0 / mlp.parameters() as f64).abs() < 1e-12);
    }
    assert!(KnownCapacity::of(&"2-3-1".parse().unwrap(), 1).is_err());
    assert!(KnownCapacity::of(&"2-3-2".parse().unwrap(), 3).is_err());
    // A later layer that is too narrow for all outputs promises nothing.
    let narrow = KnownCapacity::of(&"2-9-2-3".parse().unwrap(), 3).unwrap();
    assert_eq!(narrow.by_construction, 0);
}
