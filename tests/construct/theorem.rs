//! Promise: Theorem 1 holds. Every sample of distinct points, every labelling, every threshold
//! rule: the exact residual is zero.

use crate::common::{cases, naive_output, raw_sample};
use proptest::prelude::*;
use shatter_construct::{ConstructError, DepthTwo, DirectionRule, Task, ThresholdRule, threshold};
use shatter_exact::Lattice;
use shatter_network::ExactLabels;
use shatter_network::evaluate::exact_residual;
use shatter_network::projection::project;
use shatter_sample::{LabelRule, Sample, SampleError};

fn label_rule() -> impl Strategy<Value = LabelRule> {
    prop_oneof![
        Just(LabelRule::True),
        Just(LabelRule::Random),
        (0.0..=1.0f64).prop_map(LabelRule::Corrupted),
        Just(LabelRule::Alternating),
    ]
}

fn threshold_rule() -> impl Strategy<Value = ThresholdRule> {
    prop_oneof![
        Just(ThresholdRule::Zigzag),
        Just(ThresholdRule::Data),
        Just(ThresholdRule::Midpoint),
        Just(ThresholdRule::Auto),
    ]
}

fn direction_rule() -> impl Strategy<Value = DirectionRule> {
    prop_oneof![
        4 => Just(DirectionRule::Auto),
        1 => Just(DirectionRule::Gaussian),
        1 => Just(DirectionRule::Radix),
        1 => Just(DirectionRule::Moment),
    ]
}

/// Whether two points are equal with different labels.
fn inconsistent(sample: &shatter_sample::RawSample) -> bool {
    let (points, labels) = (&sample.points, &sample.labels);
    let equal = |i, j| {
        (0..points.d())
            .all(|k| crate::common::exact(points, i, k) == crate::common::exact(points, j, k))
    };
    (0..points.n()).any(|i| (0..i).any(|j| equal(i, j) && !labels.agree(i, j)))
}

fn check_fit(
    sample: &Sample,
    threshold: ThresholdRule,
    direction: DirectionRule,
    seed: u64,
) -> Result<(), TestCaseError> {
    let task = Task { direction, ..Task::new(&sample.points, &sample.labels, seed) };
    let fit = match (DepthTwo { threshold }).fit_exact(&task) {
        // Integers of 64 bits may tie on every power that was tried; that is a typed answer.
        Err(ConstructError::NoDirection { rule: DirectionRule::Moment, .. }) => return Ok(()),
        fit => fit.map_err(|error| TestCaseError::fail(error.to_string()))?,
    };
    let n = sample.points.n();
    let network = &fit.network;
    prop_assert_eq!(network.units(), n);
    for i in 0..n {
        let y = sample.labels.exact_at(i).to_rational();
        prop_assert_eq!(naive_output(network, &sample.points, i), y, "point {}", i);
    }
    // The fast exact evaluation says the same.
    let z = project(&sample.points, &Lattice::from_dyadics(&network.a));
    let residual = exact_residual(network, &z, &sample.labels);
    prop_assert_eq!((residual.fits, residual.at), (n, None));
    // Interleaving, strict where the rule says so.
    let first = sample.labels.exact_at(fit.order[0] as usize);
    match fit.threshold {
        ThresholdRule::Zigzag if first.is_zero() => {
            prop_assert_eq!(&network.b[0], &fit.z.get(0));
            if n > 1 {
                prop_assert!(network.b[1] > fit.z.get(0) && network.b[1] < fit.z.get(1));
            }
        }
        rule => {
            let weak = rule == ThresholdRule::Data;
            prop_assert_eq!(threshold::interleaves(&fit.z, &network.b, weak), Ok(()));
        }
    }
    // The counts are the theorem's.
    let (counts, d) = (network.counts(), sample.points.d() as u64);
    if fit.threshold == ThresholdRule::Zigzag {
        prop_assert_eq!((counts.free, counts.signs), (n as u64 + d, 1));
    } else {
        let constant = counts.signs == 1; // possible by chance, with one or two points
        prop_assert!(constant || counts.free == 2 * n as u64 + d);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn every_distinct_sample_is_fitted_exactly(
        raw in raw_sample(40, 6),
        labels in label_rule(),
        threshold in threshold_rule(),
        direction in direction_rule(),
        seed in any::<u64>(),
    ) {
        let own = matches!(labels, LabelRule::True | LabelRule::Corrupted(_));
        let clash = inconsistent(&raw);
        let real = raw.labels.describe(0).parse::<u32>().is_err()
            || matches!(raw.labels, shatter_sample::Labels::Real { .. });
        match raw.distinct(labels, seed) {
            Ok(sample) => {
                prop_assert!(!(own && clash));
                check_fit(&sample, threshold, direction, seed)?;
            }
            Err(SampleError::Inconsistent { first, second, .. }) => {
                prop_assert!(own && clash && first < second);
            }
            Err(SampleError::Rule { .. }) => {
                prop_assert!(real && matches!(labels, LabelRule::Corrupted(_)));
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}

/// The samples that proofs and papers warn of.
#[test]
fn awkward_samples_are_fitted_exactly() {
    let texts = [
        "gaussian:n=1,d=1",
        "gaussian:n=2,d=1",
        "gaussian:n=5,d=40",
        "collinear:n=30,d=3",
        "moment:n=30,d=4",
        "close:n=40,d=3,target=number",
        "clustered:n=40,d=2,clusters=2",
        "lattice:n=200,d=2,range=16",
        "lattice:n=60,d=1,range=100000",
    ];
    for text in texts {
        for threshold in [ThresholdRule::Zigzag, ThresholdRule::Data, ThresholdRule::Midpoint] {
            for labels in [LabelRule::Random, LabelRule::Alternating] {
                let sample = shatter_sample::load(text, 7).unwrap().distinct(labels, 7).unwrap();
                check_fit(&sample, threshold, DirectionRule::Auto, 7)
                    .unwrap_or_else(|error| panic!("{text}: {error}"));
            }
        }
    }
}

/// Expected failure: n − 1 units of the same form cannot fit alternating labels on a line, so
/// leaving out any unit of a fit must break it.
#[test]
fn leaving_out_a_unit_breaks_the_fit() {
    let raw = shatter_sample::load("collinear:n=12,d=2", 3).unwrap();
    let sample = raw.distinct(LabelRule::Alternating, 3).unwrap();
    let task = Task::new(&sample.points, &sample.labels, 0);
    let fit = DepthTwo { threshold: ThresholdRule::Data }.fit_exact(&task).unwrap();
    let z = project(&sample.points, &Lattice::from_dyadics(&fit.network.a));
    // With y_1 = 0 the first unit has weight 0 and may go.
    let needed = (0..12).filter(|&j| !fit.network.w[j].is_zero());
    for unit in needed {
        let mut network = fit.network.clone();
        network.b.remove(unit);
        network.w.remove(unit);
        assert!(exact_residual(&network, &z, &sample.labels).fits < 12, "unit {unit}");
    }
}

/// A fit does not depend on how many threads compute it.
#[test]
fn threads_change_nothing() {
    let sample = || {
        shatter_sample::load("gaussian:n=40000,d=4", 1)
            .unwrap()
            .distinct(LabelRule::Random, 1)
            .unwrap()
    };
    let fit = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let sample = sample();
            let task = Task::new(&sample.points, &sample.labels, 0);
            let exact = DepthTwo::default().fit_exact(&task).unwrap();
            let float = DepthTwo::default().fit_float::<f64>(&task).unwrap();
            (exact.network, float.network)
        })
    };
    assert_eq!(fit(1), fit(3));
}
