//! Promise: the constructions that need general position, or a curve, fit every sample that has it,
//! within their counts; and where a sample does not have it they say which points are to blame.

use crate::common::{cases, keeps_its_promise, labels, raw_sample, sample};
use proptest::prelude::*;
use shatter_construct::baum::Baum;
use shatter_construct::bubeck::{Bubeck, Units};
use shatter_construct::hull_peeling::HullPeeling;
use shatter_construct::moment_curve::MomentCurve;
use shatter_construct::{ConstructError, Construction, Task};
use shatter_exact::{Rational, matrix};
use shatter_network::ExactPoints;
use shatter_network::{Network, first_misfit};
use shatter_random::stream::{Purpose, below, stream};
use shatter_sample::{LabelRule, Labels, Points, RawSample, Sample, Values};

const FOUR: Bubeck = Bubeck { units: Units::Four };
const THREE: Bubeck = Bubeck { units: Units::Three };

/// n and d, small ones more often.
fn shape() -> impl Strategy<Value = (usize, usize)> {
    prop_oneof![
        6 => (1usize..=8, 1usize..=3),
        3 => (1usize..=14, 1usize..=6),
        1 => (15usize..=40, 1usize..=6),
    ]
}

/// Points whose coordinates are drawn from so many integers that d + 1 of them on a hyperplane would be
/// a wonder.
fn general(n: usize, d: usize) -> impl Strategy<Value = Points> {
    let number = -(1i64 << 40)..1 << 40;
    prop::collection::vec(number, n * d)
        .prop_map(move |values| Points::new(Values::I64(values), vec![d]).expect("integers"))
}

/// Points (t, …, t^d) for rational t in any order.
fn on_curve(n: usize, d: usize) -> impl Strategy<Value = Points> {
    let quarters = prop::collection::btree_set(-60i32..60, n).prop_map(Vec::from_iter);
    quarters.prop_shuffle().prop_map(move |t| {
        let row = |t: i32| (1..=d as i32).map(move |k| (f64::from(t) / 4.0).powi(k));
        Points::new(Values::F64(t.into_iter().flat_map(row).collect()), vec![d]).expect("finite")
    })
}

/// 1 to 10 classes, often few.
fn classes(n: usize) -> impl Strategy<Value = Labels> {
    prop_oneof![Just(1u32), Just(2), 3u32..=10].prop_flat_map(move |count| {
        prop::collection::vec(0..count, n)
            .prop_map(move |of| Labels::classes(of, count).expect("below"))
    })
}

/// `labels`, the first of them 0 now and then.
fn numbers(n: usize) -> impl Strategy<Value = Labels> {
    prop_oneof![
        3 => labels(n),
        1 => prop::collection::vec(-3.0f64..3.0, n).prop_map(|mut y| {
            y[0] = 0.0;
            Labels::real(y, 1).expect("finite")
        }),
        1 => Just(Labels::real(vec![0.0; n], 1).expect("finite")),
    ]
}

fn labelled<L: Strategy<Value = Labels>>(
    points: impl Strategy<Value = Points>,
    labels: impl Fn(usize) -> L,
) -> impl Strategy<Value = RawSample> {
    points.prop_flat_map(move |points| {
        let text = "generated".to_owned();
        labels(points.n()).prop_map(move |labels| RawSample {
            text: text.clone(),
            points: points.clone(),
            labels,
        })
    })
}

/// Whether these points are affinely dependent: fewer dimensions than points.
fn dependent(points: &Points, of: &[usize]) -> bool {
    let row = |&i: &usize| points.exact_row(i).into_iter().chain([Rational::ONE]).collect();
    matrix::rank(&of.iter().map(row).collect::<Vec<Vec<Rational>>>()) < of.len()
}

/// Whether the points that a refusal names are what it says.
fn is_true(error: &ConstructError, task: &Task) -> bool {
    let (points, d) = (task.points, task.points.d());
    let distinct = |of: &[usize]| {
        let mut sorted = of.to_vec();
        sorted.sort_unstable();
        sorted.windows(2).all(|pair| pair[0] < pair[1]) && sorted.iter().all(|&i| i < points.n())
    };
    match error {
        ConstructError::NotGeneral { hyperplane, extra } => {
            let all = [hyperplane.as_slice(), &[*extra]].concat();
            hyperplane.len() == d
                && distinct(&all)
                && !dependent(points, hyperplane)
                && dependent(points, &all)
        }
        // At most d + 1: more points than that are always dependent.
        ConstructError::Dependent { points: named } => {
            named.len() <= d + 1 && distinct(named) && dependent(points, named)
        }
        ConstructError::OffCurve { index } => {
            let x = points.exact_row(*index);
            let powers = std::iter::successors(Some(x[0].clone()), |power| Some(power * &x[0]));
            powers.zip(&x).any(|(power, x)| power != *x)
        }
        ConstructError::NeedsClasses => matches!(task.labels, Labels::Real { .. }),
        _ => false,
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn real_labels_in_general_position(
        raw in shape().prop_flat_map(|(n, d)| labelled(general(n, d), numbers)),
    ) {
        let sample = sample(raw)?;
        keeps_its_promise(&FOUR, &sample)?;
        keeps_its_promise(&THREE, &sample)?;
        keeps_its_promise(&HullPeeling, &sample)?;
    }

    #[test]
    fn classes_in_general_position(
        raw in shape().prop_flat_map(|(n, d)| labelled(general(n, d), classes)),
    ) {
        keeps_its_promise(&Baum, &sample(raw)?)?;
    }

    #[test]
    fn classes_on_the_moment_curve(
        raw in shape().prop_flat_map(|(n, d)| labelled(on_curve(n, d), classes)),
    ) {
        let sample = sample(raw)?;
        let network = keeps_its_promise(&MomentCurve, &sample)?;
        let (n, d) = (sample.points.n() as u64, sample.points.d() as u64);
        let bits = shatter_sample::Target::Bits.outputs(&sample.labels) as u64;
        prop_assert!(network.sizes().units <= bits * (n - 1).div_ceil(d));
        // The curve is in general position.
        keeps_its_promise(&Baum, &sample)?;
    }

    /// Awkward samples, few of them in general position.
    #[test]
    fn any_sample_is_fitted_or_refused(raw in raw_sample(14, 4)) {
        let sample = sample(raw)?;
        let task = Task::new(&sample.points, &sample.labels, 1);
        let all: [&dyn Construction; 5] = [&Baum, &MomentCurve, &FOUR, &THREE, &HullPeeling];
        for construction in all {
            match construction.build(&task) {
                Ok(_) => {
                    keeps_its_promise(construction, &sample)?;
                }
                Err(error) => prop_assert!(is_true(&error, &task), "{}: {error}", construction.name()),
            }
        }
    }
}

/// The network of a construction for points and labels that it fits, checked.
fn built(construction: &dyn Construction, points: &Points, labels: &Labels) -> Network {
    let task = Task::new(points, labels, 1);
    let promise = construction.promise(&task).unwrap();
    let network = construction.build(&task).unwrap();
    assert_eq!(first_misfit(&network, points, labels, construction.target()), None);
    assert_eq!(promise.broken_by(&network.sizes()), None);
    network
}

/// Every labelling of a small set: Baum stays within ⌈n/d⌉, and on the curve ⌈(n − 1)/d⌉ are enough, and
/// alternating labels use them all.
#[test]
fn every_labelling_of_small_sets() {
    for d in 1..=4 {
        for n in 1..=8 {
            let curve = |i: usize| (1..=d as u32).map(move |k| (i as i64 * 5 % 8 - 3).pow(k));
            let points = (0..n).flat_map(curve).collect();
            let points = Points::new(Values::I64(points), vec![d]).unwrap();
            let mut most = 0;
            for labelling in 0..1u32 << n {
                let labels = (0..n).map(|i| labelling >> i & 1).collect();
                let labels = Labels::classes(labels, 2).unwrap();
                most = most.max(built(&MomentCurve, &points, &labels).sizes().units);
                let units = built(&Baum, &points, &labels).sizes().units;
                assert!(units <= n.div_ceil(d) as u64, "n = {n}, d = {d}: {units}");
            }
            assert_eq!(most, (n - 1).div_ceil(d) as u64, "n = {n}, d = {d}");
        }
    }
}

/// n points of R^d with integer coordinates up to 10^6 in magnitude, and labels 0, …, 9.
fn drawn(n: usize, d: usize, seed: u64) -> Sample {
    let mut rng = stream(seed, Purpose::Probe);
    let values = (0..n * d).map(|_| below(&mut rng, 2_000_001) as i64 - 1_000_000).collect();
    let points = Points::new(Values::I64(values), vec![d]).unwrap();
    let labels = Labels::classes((0..n).map(|_| below(&mut rng, 10) as u32).collect(), 10).unwrap();
    RawSample { text: "drawn".to_owned(), points, labels }.distinct(LabelRule::True, 1).unwrap()
}

#[test]
fn sixty_points_in_five_dimensions() {
    for seed in 1..=3 {
        let Sample { points, labels, .. } = drawn(60, 5, seed);
        assert!(built(&HullPeeling, &points, &labels).sizes().units <= 24);
        assert_eq!(built(&FOUR, &points, &labels).sizes().units, 48);
        assert_eq!(built(&THREE, &points, &labels).sizes().units, 36);
        assert!(built(&Baum, &points, &labels).sizes().units <= 4 * 12);
    }
}

/// Expected refusals: points on a line in the plane, an equal number of them off it or not.
#[test]
fn collinear_points_are_named() {
    for (n, off) in [(3usize, 0i64), (5, 0), (8, 0), (8, 1)] {
        let row = |i: i64| if i < off { [10, 7 * i] } else { [i, 2 * i + 1] };
        let values = (0..n as i64).flat_map(row).collect();
        let points = Points::new(Values::I64(values), vec![2]).unwrap();
        let labels = Labels::classes((0..n as u32).map(|i| i % 2).collect(), 2).unwrap();
        let task = Task::new(&points, &labels, 1);
        for construction in [&Baum as &dyn Construction, &FOUR, &THREE, &HullPeeling] {
            let error = construction.build(&task).unwrap_err();
            let name = construction.name();
            let named = matches!(
                error,
                ConstructError::NotGeneral { .. } | ConstructError::Dependent { .. }
            );
            assert!(named && is_true(&error, &task), "{name}, n = {n}: {error}");
        }
    }
}

/// Few points on a line in many dimensions: there are planes through them, but not all patterns.
#[test]
fn few_dependent_points_are_named() {
    let points = Points::new(Values::I64(vec![0, 0, 0, 1, 1, 1, 2, 2, 2]), vec![3]).unwrap();
    let labels = Labels::classes(vec![0, 1, 0], 2).unwrap();
    let task = Task::new(&points, &labels, 1);
    for construction in [&Baum as &dyn Construction, &FOUR, &THREE, &HullPeeling] {
        let error = construction.build(&task).unwrap_err();
        assert!(matches!(error, ConstructError::Dependent { .. }), "{error}");
        assert!(is_true(&error, &task), "{error}");
    }
}

/// Three points on a line, first in the order: another grouping avoids every hyperplane that meets a
/// third point.
#[test]
fn another_order_of_groups_is_found() {
    let values = vec![0, 0, 1, 0, 2, 0, 3, 7, -5, 11, 8, -13];
    let points = Points::new(Values::I64(values), vec![2]).unwrap();
    assert!(dependent(&points, &[0, 1, 2]));
    let labels = Labels::classes(vec![1, 0, 1, 1, 0, 0], 2).unwrap();
    for seed in 0..4 {
        let task = Task::new(&points, &labels, seed);
        for construction in [&Baum as &dyn Construction, &FOUR, &THREE] {
            let network = construction.build(&task).unwrap();
            assert_eq!(first_misfit(&network, &points, &labels, construction.target()), None);
        }
    }
    // Peeling starts on the side of a triangle with a point in the middle, and must start elsewhere.
    let values = vec![5, 0, 5, 1, 5, 2, 0, 0, -3, 7, 1, 1, -9, -4];
    let points = Points::new(Values::I64(values), vec![2]).unwrap();
    let labels = Labels::classes(vec![1, 0, 1, 1, 0, 0, 1], 2).unwrap();
    built(&HullPeeling, &points, &labels);
}

#[test]
fn a_point_off_the_curve_is_named() {
    let points = Points::new(Values::I64(vec![1, 1, 2, 4, 3, 8]), vec![2]).unwrap();
    let labels = Labels::classes(vec![0, 1, 0], 2).unwrap();
    let task = Task::new(&points, &labels, 1);
    for error in [MomentCurve.build(&task).unwrap_err(), MomentCurve.promise(&task).unwrap_err()] {
        assert!(matches!(error, ConstructError::OffCurve { index: 2 }), "{error}");
    }
}

#[test]
fn labels_of_the_wrong_kind_are_refused() {
    let points = Points::new(Values::I64(vec![1, 1, 2, 4]), vec![2]).unwrap();
    let real = Labels::real(vec![0.5, 1.0], 1).unwrap();
    for construction in [&Baum as &dyn Construction, &MomentCurve] {
        let task = Task::new(&points, &real, 1);
        assert!(matches!(construction.build(&task), Err(ConstructError::NeedsClasses)));
        assert!(matches!(construction.promise(&task), Err(ConstructError::NeedsClasses)));
    }
    let vectors = Labels::real(vec![0.5, 1.0, 2.0, 3.0], 2).unwrap();
    for construction in [&FOUR as &dyn Construction, &THREE, &HullPeeling] {
        let task = Task::new(&points, &vectors, 1);
        let refused = |error| matches!(error, ConstructError::VectorLabels { outputs: 2 });
        assert!(refused(construction.build(&task).unwrap_err()));
        assert!(refused(construction.promise(&task).unwrap_err()));
    }
}

/// Images are too long for exact elimination in number: a refusal, not hours.
#[test]
fn what_is_out_of_reach_is_refused() {
    let (n, d) = (4000, 784);
    let mut rng = stream(1, Purpose::Probe);
    let values = (0..n * d).map(|_| below(&mut rng, 256) as u8).collect();
    let points = Points::new(Values::U8(values), vec![d]).unwrap();
    let labels = Labels::classes((0..n as u32).map(|i| i % 2).collect(), 2).unwrap();
    for construction in [&Baum as &dyn Construction, &FOUR, &THREE, &HullPeeling] {
        let error = construction.build(&Task::new(&points, &labels, 1)).unwrap_err();
        assert!(matches!(error, ConstructError::TooLarge { .. }), "{error}");
    }
}
