//! Promise: the constructions that work on one projection fit every sample, exactly, with the counts
//! that their files state, or refuse it before they build anything.

use std::collections::BTreeMap;

use crate::common::{cases, keeps_its_promise, naive_output, raw_sample, sample};
use proptest::prelude::*;
use shatter_construct::bit_extraction::BitExtraction;
use shatter_construct::lagrange::Lagrange;
use shatter_construct::residual::ResNet;
use shatter_construct::two_hidden::TwoHidden;
use shatter_construct::{Bound, ConstructError, Construction, DepthTwo, Task, ThresholdRule};
use shatter_exact::Rational;
use shatter_network::{ExactLabels, ExactPoints, Layered, Network, first_misfit};
use shatter_random::stream::{Purpose, below, stream};
use shatter_sample::{Labels, Points, Sample, Values};

/// Units times points up to which a network is evaluated by the definition, too, in fractions.
const PATIENCE: u64 = 40_000;

/// As [`keeps_its_promise`], or promise and network are refused as too large.
fn keeps_or_refuses(construction: &dyn Construction, sample: &Sample) -> Result<(), TestCaseError> {
    let task = Task::new(&sample.points, &sample.labels, 1);
    let promise = match construction.promise(&task) {
        Ok(promise) => promise,
        Err(error) => {
            let name = construction.name();
            prop_assert!(matches!(error, ConstructError::TooLarge { .. }), "{}: {}", name, error);
            let built = construction.build(&task).map(|_| ()).unwrap_err();
            prop_assert_eq!(built.to_string(), error.to_string());
            return Ok(());
        }
    };
    let Bound::Exactly(units) = promise.units else { panic!("units are exact") };
    let n = sample.points.n();
    if units * n as u64 <= PATIENCE {
        return keeps_its_promise(construction, sample).map(|_| ());
    }
    let network =
        construction.build(&task).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(promise.broken_by(&network.sizes()), None);
    let target = construction.target();
    prop_assert_eq!(first_misfit(&network, &sample.points, &sample.labels, target), None);
    Ok(())
}

fn layered(network: Network) -> Layered {
    match network {
        Network::Layered(network) => network,
        Network::TwoLayer(_) => panic!("not in the two-layer form"),
    }
}

fn integers(values: impl IntoIterator<Item = i64>) -> Vec<Rational> {
    values.into_iter().map(Rational::from).collect()
}

/// Labels that are classes, for constructions that need them: those of the sample if it has some.
fn classes(mut sample: Sample, count: u32, seed: u64) -> Sample {
    if matches!(sample.labels, Labels::Real { .. }) {
        let mut rng = stream(seed, Purpose::Probe);
        let n = sample.points.n();
        let of = (0..n).map(|_| below(&mut rng, u64::from(count)) as u32).collect();
        sample.labels = Labels::classes(of, count).expect("below count");
    }
    sample
}

/// Points 0, …, n − 1 on a line, with two classes by chance.
fn contiguous(n: usize) -> (Points, Labels) {
    let mut rng = stream(1, Purpose::Labels);
    let of = (0..n).map(|_| below(&mut rng, 2) as u32).collect();
    let points = Points::new(Values::I64((0..n as i64).collect()), vec![1]).unwrap();
    (points, Labels::classes(of, 2).unwrap())
}

// Numbers are long here.
proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn lagrange_for_every_sample(raw in raw_sample(40, 6)) {
        keeps_or_refuses(&Lagrange, &sample(raw)?)?;
    }

    #[test]
    fn bit_extraction_for_every_number_of_groups(raw in raw_sample(6, 4), count in 1u32..5) {
        let sample = classes(sample(raw)?, count, 4);
        for groups in [Some(1), Some(2), Some(sample.points.n()), None] {
            keeps_or_refuses(&BitExtraction { groups }, &sample)?;
        }
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn two_hidden_for_every_sample(raw in raw_sample(40, 6)) {
        keeps_its_promise(&TwoHidden::default(), &sample(raw)?)?;
    }

    #[test]
    fn two_hidden_for_every_group_size(raw in raw_sample(8, 4), classes_ in 1u32..5) {
        let sample = sample(raw)?;
        for q in 1..=sample.points.n() + 2 {
            keeps_its_promise(&TwoHidden { group: Some(q), classes: false }, &sample)?;
        }
        let sample = classes(sample, classes_, 1);
        for q in 1..=sample.points.n() + 2 {
            keeps_its_promise(&TwoHidden { group: Some(q), classes: true }, &sample)?;
        }
    }

    #[test]
    fn two_hidden_for_classes(raw in raw_sample(40, 6), count in 1u32..5) {
        keeps_its_promise(&TwoHidden { group: None, classes: true }, &classes(sample(raw)?, count, 2))?;
    }

    #[test]
    fn two_hidden_for_vectors(
        raw in raw_sample(20, 4),
        outputs in 2usize..4,
        values in prop::collection::vec(-3.0f64..3.0, 60),
    ) {
        let mut sample = sample(raw)?;
        let n = sample.points.n();
        sample.labels = Labels::real(values[..n * outputs].to_vec(), outputs).expect("finite");
        keeps_its_promise(&TwoHidden::default(), &sample)?;
    }

    #[test]
    fn residual_for_every_sample(raw in raw_sample(40, 6)) {
        keeps_its_promise(&ResNet, &sample(raw)?)?;
    }

    /// It is the network of Theorem 1, not only on the sample.
    #[test]
    fn residual_is_theorem_1(
        raw in raw_sample(10, 3),
        query in prop::collection::vec(crate::common::coordinate(), 15),
    ) {
        let sample = sample(raw)?;
        let fail = |error: ConstructError| TestCaseError::fail(error.to_string());
        let task = Task::new(&sample.points, &sample.labels, 1);
        let two = DepthTwo { threshold: ThresholdRule::Data }.fit_exact(&task).map_err(fail)?;
        let network = layered(ResNet.build(&task).map_err(fail)?);
        let d = sample.points.d();
        let query = Points::new(Values::F64(query[..5 * d].to_vec()), vec![d]).expect("finite");
        for i in 0..5 {
            let expected = naive_output(&two.network, &query, i);
            prop_assert_eq!(network.evaluate(&query.exact_row(i)), [expected]);
        }
    }

    /// Off the sample it is the polynomial that Lagrange's formula says.
    #[test]
    fn lagrange_is_the_polynomial(
        x in prop::collection::btree_set(-20i64..20, 1..9),
        y in prop::collection::vec(-5.0f64..5.0, 9),
        query in -40i64..40,
    ) {
        let x: Vec<i64> = x.into_iter().collect();
        let points = Points::new(Values::I64(x.clone()), vec![1]).expect("not empty");
        let labels = Labels::real(y[..x.len()].to_vec(), 1).expect("finite");
        let network = layered(Lagrange.build(&Task::new(&points, &labels, 1)).expect("small"));
        let basis = |i: usize| {
            let others = x.iter().enumerate().filter(|(j, _)| *j != i);
            others.fold(Rational::ONE, |product, (_, other)| {
                product * Rational::from(query - other) / Rational::from(x[i] - other)
            })
        };
        let expected = (0..x.len()).fold(Rational::ZERO, |sum, i| {
            sum + labels.exact_at(i).to_rational() * basis(i)
        });
        prop_assert_eq!(network.evaluate(&integers([query])), [expected]);
    }

    /// Keys of 2100 bits and more are among these.
    #[test]
    fn bit_extraction_for_every_sample(raw in raw_sample(40, 6), count in 1u32..5) {
        keeps_or_refuses(&BitExtraction::default(), &classes(sample(raw)?, count, 3))?;
    }

    /// Integer points at or above the smallest key get the label of the point with that key, or 0.
    #[test]
    fn bit_extraction_off_the_sample(
        x in prop::collection::btree_set(prop::collection::vec(-9i64..9, 2), 1..9),
        one_dimension in any::<bool>(),
        y in prop::collection::vec(0u32..4, 9),
        groups in prop::option::of(1usize..5),
        queries in prop::collection::vec((-12i64..40, -12i64..40), 30),
    ) {
        let d = if one_dimension { 1 } else { 2 };
        let x: std::collections::BTreeSet<Vec<i64>> =
            x.into_iter().map(|x| x[..d].to_vec()).collect();
        let points = Points::new(Values::I64(x.iter().flatten().copied().collect()), vec![d])
            .expect("not empty");
        let labels = Labels::classes(y[..x.len()].to_vec(), 4).expect("below 4");
        let task = Task::new(&points, &labels, 1);
        let network = layered(BitExtraction { groups }.build(&task).expect("small"));
        let unit = &network.hidden[0][0];
        let key = |x: &[Rational]| {
            unit.weights.iter().fold(unit.bias.clone(), |sum, (k, w)| sum + w * &x[*k])
        };
        let stored: BTreeMap<Rational, u32> = x.iter().zip(&y)
            .map(|(x, y)| (key(&integers(x.iter().copied())), *y)).collect();
        for (first, second) in queries {
            let query = integers([first, second].into_iter().take(d));
            let key = key(&query);
            if key >= Rational::ZERO {
                let expected = Rational::from(stored.get(&key).copied().unwrap_or(0));
                prop_assert_eq!(network.evaluate(&query), [expected], "key {}", key);
            }
        }
    }
}

#[test]
fn fewer_weights_than_points() {
    let (points, labels) = contiguous(16384);
    let task = Task::new(&points, &labels, 1);
    let network = BitExtraction::default().build(&task).unwrap();
    let sizes = network.sizes();
    assert!(sizes.nonzero < 16384, "{sizes:?}");
    // The formula of the file for G = 713, s = 23, T = 15, less the bias of the first layer.
    assert_eq!(sizes.nonzero, 8 * 713 + 16 * 23 * 15 + 14 * 23 + 1 - 4 - 1);
    assert_eq!((sizes.depth, sizes.units, sizes.width), (1105, 5149, 6));
    assert_eq!(sizes.max_bits, 23 * 15 + 2);
    // Every point, exactly.
    assert_eq!(first_misfit(&network, &points, &labels, BitExtraction::default().target()), None);
}

#[test]
fn a_head_of_one_class_and_of_two() {
    let (points, _) = contiguous(5);
    let construction = TwoHidden { group: None, classes: true };
    for (of, count, units) in [(vec![0; 5], 1, 1), (vec![1, 0, 0, 1, 0], 2, 1), (vec![1; 5], 3, 2)]
    {
        let labels = Labels::classes(of, count).unwrap();
        let network = layered(construction.build(&Task::new(&points, &labels, 1)).unwrap());
        assert_eq!((network.hidden.len(), network.hidden[2].len()), (3, units));
        assert_eq!(network.output.len(), count as usize);
        let network = Network::Layered(network);
        assert_eq!(first_misfit(&network, &points, &labels, construction.target()), None);
    }
}

/// Expected failures: every refusal names what it refuses.
#[test]
fn refusals() {
    let refused = |construction: &dyn Construction, points: &Points, labels: &Labels| {
        let task = Task::new(points, labels, 1);
        let promised = construction.promise(&task).unwrap_err();
        let built = construction.build(&task).map(|_| ()).unwrap_err();
        assert_eq!(promised.to_string(), built.to_string());
        built
    };
    let (points, labels) = contiguous(6);
    let real = Labels::real(vec![0.5; 6], 1).unwrap();
    let vectors = Labels::real(vec![0.5; 12], 2).unwrap();

    let head = TwoHidden { group: None, classes: true };
    let bits = BitExtraction::default();
    assert!(matches!(refused(&head, &points, &real), ConstructError::NeedsClasses));
    assert!(matches!(refused(&bits, &points, &real), ConstructError::NeedsClasses));
    for scalar in [&ResNet as &dyn Construction, &Lagrange] {
        let error = refused(scalar, &points, &vectors);
        assert!(matches!(error, ConstructError::VectorLabels { outputs: 2 }));
    }

    let zero = [
        &TwoHidden { group: Some(0), classes: false } as &dyn Construction,
        &BitExtraction { groups: Some(0) },
    ];
    for construction in zero {
        let error = refused(construction, &points, &labels);
        assert!(matches!(error, ConstructError::Zero { .. }));
    }
    for group in [1 << 40, usize::MAX] {
        for (classes, labels) in [(false, &vectors), (true, &labels)] {
            let error = refused(&TwoHidden { group: Some(group), classes }, &points, labels);
            assert!(matches!(error, ConstructError::TooLarge { n: 6, .. }));
        }
    }
    let many = Labels::classes(vec![0; 6], u32::MAX).unwrap();
    assert!(matches!(refused(&head, &points, &many), ConstructError::TooLarge { n: 6, .. }));

    // Groups of 16384 keys of 14 bits and a label, in one integer.
    let (points, labels) = contiguous(16384);
    let error = refused(&BitExtraction { groups: Some(1) }, &points, &labels);
    assert!(error.to_string().contains("integers of 245760 bits"), "{error}");
    // Keys of 2098 bits: 40 in one integer are too many, one at a time is fine.
    let wide = (0..40).map(|i| if i == 0 { 1e308 } else { f64::from_bits(i) });
    let points = Points::new(Values::F64(wide.collect()), vec![1]).unwrap();
    let labels = Labels::classes((0..40).map(|i| i % 3).collect(), 3).unwrap();
    let error = refused(&BitExtraction { groups: Some(1) }, &points, &labels);
    assert!(error.to_string().contains("keys of 2098 bits"), "{error}");
    assert!(bits.promise(&Task::new(&points, &labels, 1)).is_ok());

    let raw = shatter_sample::load("gaussian:n=200,d=3", 1).unwrap();
    let error = refused(&Lagrange, &raw.points, &raw.labels);
    assert!(error.to_string().contains("common denominator"), "{error}");

    let (points, labels) = contiguous(513);
    assert!(refused(&Lagrange, &points, &labels).to_string().contains("the limit is 512 points"));
    let points = Points::new(Values::U8(vec![0; 5000 * 8192]), vec![8192]).unwrap();
    let (_, labels) = contiguous(5000);
    let error = refused(&ResNet, &points, &labels);
    assert!(error.to_string().contains("weights and biases, and the limit is"), "{error}");
}
