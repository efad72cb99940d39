//! Generators of awkward samples.

use proptest::prelude::*;
use shatter_sample::{LabelRule, Labels, Points, RawSample, Sample, Values};

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

/// The distinct points of a generated sample with their labels, or where equal points have
/// different ones, with new ones.
pub fn sample(raw: RawSample) -> Result<Sample, TestCaseError> {
    let own = raw.clone().distinct(LabelRule::True, 1);
    own.or_else(|_| raw.distinct(LabelRule::Random, 1))
        .map_err(|error| TestCaseError::fail(error.to_string()))
}
