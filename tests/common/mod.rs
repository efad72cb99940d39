//! What the integration tests share: generators of awkward samples, and naive oracles.
#![allow(dead_code)] // each test file uses a part

pub mod binary;
pub mod damage;
pub mod feed;
pub mod layers;
pub mod lines;
pub mod onnx;
pub mod program;
pub mod python;
pub mod runtimes;
pub mod tiles;
pub mod verdicts;

use proptest::prelude::*;
use shatter::construct::{Construction, Task, first_misfit};
use shatter::exact::{Dyadic, Rational};
use shatter::network::{ExactNetwork, Network};
use shatter::sample::{LabelRule, Labels, Points, RawSample, Sample, Values};

/// Cases of a property: `default`, times the environment variable TEST_MULTIPLIER.
pub fn cases(default: u32) -> ProptestConfig {
    let multiplier = std::env::var("TEST_MULTIPLIER").ok().and_then(|text| text.parse().ok());
    ProptestConfig::with_cases(default.saturating_mul(multiplier.unwrap_or(1)))
}

/// A finite binary64 number, awkward ones included.
pub fn coordinate() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -4.0..4.0,
        2 => (-5i32..5).prop_map(f64::from),
        1 => (0u64..4).prop_map(|ulps| f64::from_bits(1.0f64.to_bits() + ulps)),
        1 => (0u64..4).prop_map(f64::from_bits), // zero and the smallest subnormals
        1 => prop_oneof![Just(1e308), Just(-1e308), Just(1e-308), Just(-0.0)],
        1 => (0i32..3).prop_map(|k| 9007199254740992.0 + 2.0 * f64::from(k)),
    ]
}

/// Coordinates of n points on R^d, of every type; small ranges make ties and duplicates.
pub fn points(most_n: usize, most_d: usize) -> impl Strategy<Value = Points> {
    (1..=most_n, 1..=most_d).prop_flat_map(|(n, d)| {
        let size = n * d;
        prop_oneof![
            prop::collection::vec(0u8..4, size).prop_map(Values::U8),
            prop::collection::vec(any::<u8>(), size).prop_map(Values::U8),
            prop::collection::vec(-3i64..3, size).prop_map(Values::I64),
            prop::collection::vec(any::<i64>(), size).prop_map(Values::I64),
            prop::collection::vec(coordinate(), size).prop_map(Values::F64),
            prop::collection::vec(-4.0f64..4.0, size).prop_map(Values::F64),
            prop::collection::vec(-4.0f32..4.0, size).prop_map(Values::F32),
        ]
        .prop_map(move |values| Points::new(values, vec![d]).expect("finite"))
    })
}

/// Labels for n points: classes, constants, zeros, real numbers of every size.
pub fn labels(n: usize) -> impl Strategy<Value = Labels> {
    prop_oneof![
        prop::collection::vec(0u32..10, n)
            .prop_map(|of| Labels::classes(of, 10).expect("below 10")),
        (0u32..3).prop_map(move |class| Labels::classes(vec![class; n], 3).expect("below 3")),
        prop::collection::vec(-3.0f64..3.0, n).prop_map(|y| Labels::real(y, 1).expect("finite")),
        prop::collection::vec(coordinate(), n).prop_map(|y| Labels::real(y, 1).expect("finite")),
    ]
}

/// A sample as read: duplicates with different labels are possible.
pub fn raw_sample(most_n: usize, most_d: usize) -> impl Strategy<Value = RawSample> {
    points(most_n, most_d).prop_flat_map(|points| {
        labels(points.n()).prop_map(move |labels| RawSample {
            text: "generated".to_owned(),
            points: points.clone(),
            labels,
        })
    })
}

/// One coordinate, exactly.
pub fn exact(points: &Points, i: usize, k: usize) -> Rational {
    match points.values() {
        Values::I64(v) | Values::Scaled { values: v, .. } => Rational::from(v[i * points.d() + k]),
        _ => Dyadic::try_from(points.f64_at(i, k)).expect("finite").to_rational(),
    }
}

/// f(x_i) as the formula says it, in fractions.
pub fn naive_output(network: &ExactNetwork, points: &Points, i: usize) -> Rational {
    let z = (0..points.d())
        .fold(Rational::ZERO, |z, k| z + network.a[k].to_rational() * exact(points, i, k));
    network.b.iter().zip(&network.w).fold(network.c.to_rational(), |sum, (b, w)| {
        let t = &z - b.to_rational();
        if t > Rational::ZERO { sum + w * t } else { sum }
    })
}

/// The distinct points of a generated sample with their labels, or where equal points have
/// different ones, with new ones.
pub fn sample(raw: RawSample) -> Result<Sample, TestCaseError> {
    let own = raw.clone().distinct(LabelRule::True, 1);
    own.or_else(|_| raw.distinct(LabelRule::Random, 1))
        .map_err(|error| TestCaseError::fail(error.to_string()))
}

/// Builds, evaluates at every point by the definition and by the fast path, and counts.
pub fn keeps_its_promise(
    construction: &dyn Construction,
    sample: &Sample,
) -> Result<Network, TestCaseError> {
    let task = Task::new(&sample.points, &sample.labels, 1);
    let fail = |error: &dyn std::fmt::Display| {
        TestCaseError::fail(format!("{}: {error}", construction.name()))
    };
    let promise = construction.promise(&task).map_err(|error| fail(&error))?;
    let network = construction.build(&task).map_err(|error| fail(&error))?;
    prop_assert_eq!(promise.broken_by(&network.sizes()), None, "{}", construction.name());
    fits(&network, sample, construction)?;
    Ok(network)
}

/// Fits every point, by the fast path and by the definition.
pub fn fits(
    network: &Network,
    sample: &Sample,
    construction: &dyn Construction,
) -> Result<(), TestCaseError> {
    let target = construction.target();
    prop_assert_eq!(first_misfit(network, &sample.points, &sample.labels, target), None);
    let layered = match network {
        Network::TwoLayer(two) => two.to_layered(),
        Network::Layered(layered) => layered.clone(),
    };
    for i in 0..sample.points.n() {
        let output = layered.evaluate(&sample.points.exact_row(i));
        prop_assert_eq!(output, target.of(&sample.labels, i), "{} at {}", construction.name(), i);
    }
    Ok(())
}
