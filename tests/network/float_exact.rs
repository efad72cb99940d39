//! Promise: where the bounds say that binary64 does not round, it does not, in any order.

use crate::common::{cases, naive_output};
use proptest::prelude::*;
use shatter_construct::{DepthTwo, Task, ThresholdRule};
use shatter_exact::{Dyadic, Lattice, Rational};
use shatter_network::evaluate::{brute_force, compensated};
use shatter_network::projection::{project, project_float};
use shatter_network::{ExactNetwork, FloatExactness, FloatNetwork, TwoLayer};
use shatter_sample::{LabelRule, Points, RawSample, Values};

/// Numbers near the limits of the bounds: a few bits, far apart, large offsets.
fn grainy() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-8i64..8).prop_map(|m| m as f64),
        ((-255i64..255), (0i32..30)).prop_map(|(m, e)| m as f64 * 2f64.powi(e)),
        ((-255i64..255), (-30i32..0)).prop_map(|(m, e)| m as f64 * 2f64.powi(e)),
        ((-3i64..3), (45i32..54)).prop_map(|(m, e)| m as f64 * 2f64.powi(e)),
    ]
}

/// Any network with numbers of few bits, its points, cancelling directions included.
fn network_and_points() -> impl Strategy<Value = (ExactNetwork, Points)> {
    (1usize..4, 1usize..6, 1usize..8).prop_flat_map(|(d, n, m)| {
        let vector = |size| prop::collection::vec(grainy(), size);
        (vector(d), vector(m), vector(m), grainy(), vector(n * d), any::<bool>()).prop_map(
            move |(mut a, b, w, c, x, cancel)| {
                if cancel && d > 1 {
                    a[d - 1] = -a[0]; // <a, x> cancels where the coordinates are equal
                }
                let network = FloatNetwork { a, b, w, c };
                let exact = ExactNetwork::try_from(&network).expect("finite");
                (exact, Points::new(Values::F64(x), vec![d]).expect("finite"))
            },
        )
    })
}

/// f(x) in binary64 with an order of summation: a permutation of the units (and of the
/// coordinates), blocks, fused or separate products, bias first or last.
fn in_order(
    network: &FloatNetwork,
    x: &[f64],
    order: &[usize],
    block: usize,
    fused: bool,
    bias_first: bool,
) -> f64 {
    let add = |sum: f64, a: f64, b: f64| if fused { a.mul_add(b, sum) } else { sum + a * b };
    let coordinates = order.iter().filter(|&&k| k < x.len());
    let z = coordinates.fold(0.0, |z, &k| add(z, network.a[k], x[k]));
    let units: Vec<usize> = order.iter().copied().filter(|&j| j < network.b.len()).collect();
    let start = if bias_first { network.c } else { 0.0 };
    let blocks = units.chunks(block).map(|units| {
        units.iter().fold(0.0, |sum, &j| add(sum, network.w[j], (z - network.b[j]).max(0.0)))
    });
    let sum = blocks.fold(start, |sum, block| sum + block);
    if bias_first { sum } else { sum + network.c }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn no_order_contradicts_the_bounds(
        (network, points) in network_and_points(),
        order in Just((0..8).collect::<Vec<usize>>()).prop_shuffle(),
        block in 1usize..5,
        fused in any::<bool>(),
        bias_first in any::<bool>(),
    ) {
        let z = project(&points, &Lattice::from_dyadics(&network.a));
        let bounds = FloatExactness::of(&network, &points, &z);
        prop_assert!(!bounds.binary32 || bounds.binary64);
        prop_assert_eq!(bounds.binary64, bounds.obstacle.is_none());
        if bounds.binary32 {
            let single = |numbers: Vec<f64>| numbers.into_iter().map(|x| x as f32).collect();
            let floats = network.to_f64().expect("every number is a binary32 number");
            let floats = TwoLayer {
                a: single(floats.a),
                b: single(floats.b),
                w: single(floats.w),
                c: floats.c as f32,
            };
            for (i, y) in brute_force::<f32>(&floats, &points).into_iter().enumerate() {
                let y = Dyadic::try_from(f64::from(y)).expect("finite").to_rational();
                prop_assert_eq!(y, naive_output(&network, &points, i));
            }
        }
        if bounds.binary64 {
            let floats = network.to_f64().expect("every number is a binary64 number");
            let plain = brute_force(&floats, &points);
            let twice = compensated(&floats, &project_float(&points, &floats.a));
            for i in 0..points.n() {
                let x: Vec<f64> = (0..points.d()).map(|k| points.f64_at(i, k)).collect();
                let exact = naive_output(&network, &points, i);
                let same = |y: f64| Dyadic::try_from(y).is_ok_and(|y| y.to_rational() == exact);
                prop_assert!(same(plain[i]) && same(twice[i]));
                prop_assert!(same(in_order(&floats, &x, &order, block, fused, bias_first)));
            }
        }
    }

    /// The same on what the constructions emit, where the claim matters.
    #[test]
    fn constructions_keep_the_claim(
        values in prop::collection::vec(-1000i64..1000, 2..60),
        offset in prop_oneof![Just(0i64), Just(1 << 20), Just(1 << 40), Just(1 << 52)],
        d in 1usize..4,
        labels in prop::collection::vec(0u32..10, 60),
        order in Just((0..60).collect::<Vec<usize>>()).prop_shuffle(),
        threshold in prop_oneof![Just(ThresholdRule::Zigzag), Just(ThresholdRule::Data)],
    ) {
        let n = values.len() / d;
        prop_assume!(n > 0);
        let values = values[..n * d].iter().map(|x| x + offset).collect();
        let points = Points::new(Values::I64(values), vec![d]).expect("integers");
        let labels = shatter_sample::Labels::classes(labels[..n].to_vec(), 10).expect("below 10");
        let raw = RawSample { text: "generated".into(), points, labels };
        let sample = raw.distinct(LabelRule::Random, 5).expect("labels are drawn anew");
        let task = Task::new(&sample.points, &sample.labels, 0);
        let fit = DepthTwo { threshold }
            .fit_exact(&task)
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let z = project(&sample.points, &Lattice::from_dyadics(&fit.network.a));
        if FloatExactness::of(&fit.network, &sample.points, &z).binary64 {
            let floats = fit.network.to_f64().expect("binary64 numbers");
            for i in 0..sample.points.n() {
                let x: Vec<f64> = (0..d).map(|k| sample.points.f64_at(i, k)).collect();
                let y = sample.labels.f64_at(i);
                prop_assert_eq!(in_order(&floats, &x, &order, 7, true, true), y);
                prop_assert_eq!(in_order(&floats, &x, &order, 60, false, false), y);
            }
        }
    }
}

fn one_unit_network(a: &[f64], b: &[f64], w: &[f64]) -> ExactNetwork {
    let network = FloatNetwork { a: a.to_vec(), b: b.to_vec(), w: w.to_vec(), c: 0.0 };
    ExactNetwork::try_from(&network).unwrap()
}

fn bounds(network: &ExactNetwork, x: Vec<f64>) -> (FloatExactness, Points) {
    let points = Points::new(Values::F64(x), vec![network.d()]).unwrap();
    let z = project(&points, &Lattice::from_dyadics(&network.a));
    (FloatExactness::of(network, &points, &z), points)
}

/// Expected failures: the bounds of (ii) and (iii) are needed. Where one alone is broken, binary64
/// really rounds. The bound of (i) follows from that of (ii), since v is at most u.
#[test]
fn bounds_are_needed() {
    // (i), and with it (ii): a = (2^53, 1, −2^53), and the 1 is lost although the result is small.
    let big = 9007199254740992.0;
    let network = one_unit_network(&[big, 1.0, -big], &[0.0], &[1.0]);
    let (found, points) = bounds(&network, vec![1.0, 1.0, 1.0]);
    assert!(!found.binary64 && found.projection_bits > 53.0 && found.threshold_bits > 53.0);
    assert_eq!(naive_output(&network, &points, 0), Rational::ONE);
    assert_eq!(brute_force(&network.to_f64().unwrap(), &points), [0.0]);

    // (ii) z = 2^53 with a threshold on half-integers: z − b is not a binary64 number.
    let network = one_unit_network(&[1.0], &[-0.5], &[1.0]);
    let (found, points) = bounds(&network, vec![big]);
    assert!(!found.binary64 && found.projection_bits <= 53.0 && found.threshold_bits > 53.0);
    assert_ne!(
        Dyadic::try_from(brute_force(&network.to_f64().unwrap(), &points)[0])
            .unwrap()
            .to_rational(),
        naive_output(&network, &points, 0)
    );

    // (iii) projections and differences are small, the weighted sum is not.
    let network = one_unit_network(&[1.0], &[0.0, 0.0, 0.0], &[big, 1.0, -big]);
    let (found, points) = bounds(&network, vec![1.0]);
    assert!(!found.binary64 && found.threshold_bits <= 53.0 && found.sum_bits.unwrap() > 53.0);
    assert_eq!(naive_output(&network, &points, 0), Rational::ONE);
    assert_eq!(brute_force(&network.to_f64().unwrap(), &points), [0.0]);
}

/// Expected failures: points below the normal range, which a direction brings into it, and a direction
/// that points bring into it. All grains are normal; but a runtime that takes such operands for 0 finds 0
/// everywhere.
#[test]
fn operands_below_the_normal_range_are_flushed() {
    // Below the normal range 2^e by itself would be 1/∞.
    let power = |exponent: i32| 2f64.powi(exponent / 2) * 2f64.powi(exponent - exponent / 2);
    let labels = |a: i32, x: i32| {
        let network = one_unit_network(&[power(a)], &[0.0], &[power(990)]);
        bounds(&network, (1..=6).map(|k| f64::from(k) * power(x)).collect()).0
    };
    let found = labels(20, -1040);
    assert!(!found.binary64 && found.sum_bits.is_some_and(|bits| bits < 53.0), "{found:?}");
    assert_eq!(found.obstacle, Some("a coordinate is not a normal number of binary64"));
    let found = labels(-1040, 20);
    assert_eq!(found.obstacle, Some("a number of the network is not a normal number of binary64"));
    assert!(labels(-10, -1010).binary64);
}

/// The bound is attained: exactly 2^53 grains are allowed, one more is not.
#[test]
fn the_limit_is_exact() {
    let at_limit = one_unit_network(&[1.0], &[0.0], &[1.0]);
    assert!(bounds(&at_limit, vec![9007199254740992.0, 1.0]).0.binary64);
    assert!(!bounds(&at_limit, vec![9007199254740994.0, 1.0]).0.binary64);
}
