//! Rademacher complexities against double loops over sign vectors and functions, and witnesses from constructions.

use dashu_int::IBig;
use proptest::prelude::*;
use shatter_construct::two_hidden::TwoHidden;
use shatter_construct::width_two::WidthTwo;
use shatter_construct::{Construction, DepthTwo, Task, ThresholdRule};
use shatter_exact::Rational;
use shatter_measure::rademacher::{
    MOST_POINTS, Shattering, absolute, absolute_bounds, bound, classes, exact, kernel,
    kernel_bounds, linear, linear_bounds, lower_estimate, shattering, signs,
};
use shatter_measure::{Enclosure, Kind, MeasureError};
use shatter_network::{ExactPoints, Layered, Mlp, Network, Unit, first_misfit};
use shatter_obstruct::cover::{Dichotomies, count};
use shatter_obstruct::separable::Alternative;
use shatter_obstruct::{Impossibility, LabelledLine, NotMonotone};
use shatter_sample::{self as sample, Labels, Points, Values};

use crate::common::cases;
use crate::outward::{encloses_nearly, exact as fraction_of};

/// Σ_i σ_i x_i.
fn signed_sum(signs: u32, x: &[Rational]) -> Rational {
    let term =
        |(i, x): (usize, &Rational)| if signs >> i & 1 == 1 { x.clone() } else { -x.clone() };
    x.iter().enumerate().map(term).fold(Rational::ZERO, |sum, x| sum + x)
}

/// The mean of a function over all vectors of n signs.
fn mean(n: usize, value: impl Fn(u32) -> Rational) -> Rational {
    let sum = (0..1u32 << n).map(value).fold(Rational::ZERO, |sum, x| sum + x);
    sum / Rational::from(1u32 << n)
}

/// (1/n) E max_p Σ σ_i p_i, from the definition.
fn naive(patterns: &[u32], n: usize) -> Rational {
    let values = |p: u32| (0..n).map(|i| Rational::from(2 * i64::from(p >> i & 1) - 1)).collect();
    let rows: Vec<Vec<Rational>> = patterns.iter().map(|&p| values(p)).collect();
    let best = |s| rows.iter().map(|row| signed_sum(s, row)).max().unwrap();
    mean(n, best) / Rational::from(n as u64)
}

/// √x, rounded down to a multiple of 2^-320, by bisection.
fn root(x: &Rational) -> Rational {
    let scaled = (x * Rational::from(IBig::ONE << 640)).floor();
    let (mut low, mut high) = (IBig::ZERO, IBig::ONE);
    while &high * &high <= scaled {
        high <<= 1;
    }
    while &low + IBig::ONE < high {
        let middle = (&low + &high) >> 1;
        match &middle * &middle <= scaled {
            true => low = middle,
            false => high = middle,
        }
    }
    Rational::from(low) / Rational::from(IBig::ONE << 320)
}

/// The coordinates x_1k, …, x_nk of each k.
fn columns(points: &[f64], d: usize) -> Vec<Vec<Rational>> {
    (0..d).map(|k| points.iter().skip(k).step_by(d).map(|&x| fraction_of(x)).collect()).collect()
}

/// E ‖Σ σ_i x_i‖₂.
fn mean_norm(points: &[f64], d: usize) -> Rational {
    let columns = columns(points, d);
    mean(points.len() / d, |signs| {
        let sums = columns.iter().map(|x| signed_sum(signs, x));
        root(&sums.fold(Rational::ZERO, |sum, x| sum + &x * &x))
    })
}

/// E max_k |Σ σ_i x_ik|.
fn mean_largest(points: &[f64], d: usize) -> Rational {
    let columns = columns(points, d);
    let size = |x: Rational| if x < Rational::ZERO { -x } else { x };
    mean(points.len() / d, |signs| {
        columns.iter().map(|x| size(signed_sum(signs, x))).max().unwrap()
    })
}

fn ratio(numerator: i64, denominator: u64) -> Rational {
    Rational::from_parts(numerator.into(), denominator.into())
}

/// Whether an enclosure has Λ/n times this mean, and is narrow.
fn holds(found: Enclosure, lambda: f64, n: usize, mean: &Rational) -> bool {
    let expected = mean * fraction_of(lambda) / Rational::from(n as u64);
    let narrow = found.width() <= 1e-13 * found.high().max(1e-300);
    encloses_nearly(found, &expected) && narrow
}

/// Some patterns on n points.
fn patterns() -> impl Strategy<Value = (usize, Vec<u32>)> {
    (1usize..=6).prop_flat_map(|n| (Just(n), prop::collection::vec(0u32..1 << n, 1..=12)))
}

/// At most 6 points of at most 3 coordinates: quarters, which cancel, and any numbers.
fn points() -> impl Strategy<Value = (usize, Vec<f64>)> {
    let number = || prop_oneof![(-8i32..=8).prop_map(|x| f64::from(x) / 4.0), -10.0..10.0f64];
    (1usize..=6, 1usize..=3)
        .prop_flat_map(move |(n, d)| (Just(d), prop::collection::vec(number(), n * d)))
}

/// The pattern whose bit i is bit `order[i]`.
fn permuted(pattern: u32, order: &[usize]) -> u32 {
    order.iter().enumerate().map(|(i, &from)| (pattern >> from & 1) << i).sum()
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn finite_classes_are_enumerated((n, patterns) in patterns()) {
        let found = exact(&patterns, n)?;
        prop_assert_eq!(&found, &naive(&patterns, n));
        prop_assert!(found >= Rational::ZERO && found <= Rational::ONE);
        let mut different = patterns.clone();
        different.sort_unstable();
        different.dedup();
        prop_assert_eq!(found == Rational::ONE, different.len() == 1 << n);
        prop_assert_eq!(&found, &exact(&different, n)?);
        // The same class by witnesses.
        let witnessed = shattering(n, |p| Ok::<bool, MeasureError>(patterns.contains(&p)))?;
        prop_assert_eq!(witnessed.count(), different.len() as u64);
        prop_assert_eq!(witnessed.complexity()?, found);
    }

    #[test]
    fn what_leaves_a_complexity_as_it_is(
        (n, patterns) in patterns(), flips in any::<u32>(), more in any::<u32>(),
        order in Just((0..6).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let found = exact(&patterns, n)?;
        let order: Vec<usize> = order.into_iter().filter(|&i| i < n).collect();
        let moved: Vec<u32> = patterns.iter().map(|&p| permuted(p, &order)).collect();
        prop_assert_eq!(&exact(&moved, n)?, &found);
        let mask = (1u32 << n) - 1;
        let flipped: Vec<u32> = patterns.iter().map(|&p| p ^ flips & mask).collect();
        prop_assert_eq!(&exact(&flipped, n)?, &found);
        // Monotone in the class.
        let larger: Vec<u32> = patterns.iter().copied().chain([more & mask]).collect();
        prop_assert!(exact(&larger, n)? >= found);
    }

    #[test]
    fn linear_classes_are_enumerated((d, points) in points(), lambda in 0.0..4.0f64) {
        let n = points.len() / d;
        let norm = mean_norm(&points, d);
        let found = linear(&points, d, lambda)?;
        prop_assert!(holds(found, lambda, n, &norm), "{found:?}");
        // By the Gram matrix, since there are more than 64 coordinates; zeros change nothing. Where sums cancel, a
        // rounding error becomes its root.
        let wide: Vec<f64> =
            points.chunks(d).flat_map(|x| x.iter().copied().chain(vec![0.0; 65])).collect();
        let by_gram = linear(&wide, d + 65, lambda)?;
        let expected = &norm * fraction_of(lambda) / Rational::from(n as u64);
        prop_assert!(encloses_nearly(by_gram, &expected) && by_gram.width() < 1e-5);
        prop_assert!(encloses_nearly(linear_bounds(&points, d, lambda)?, &expected));
        let largest = mean_largest(&points, d);
        let found = absolute(&points, d, lambda)?;
        prop_assert!(holds(found, lambda, n, &largest), "{found:?}");
        let expected = &largest * fraction_of(lambda) / Rational::from(n as u64);
        prop_assert!(encloses_nearly(absolute_bounds(&points, d, lambda)?, &expected));
    }

    #[test]
    fn bounds_of_linear_classes_are_their_formulas((d, points) in points(), lambda in 0.0..4.0f64) {
        let n = (points.len() / d) as f64;
        let near = |found: f64, expected: f64| (found - expected).abs() <= 1e-12 * expected;
        let squares = points.iter().map(|x| x * x).sum::<f64>().sqrt();
        let found = linear_bounds(&points, d, lambda)?;
        prop_assert!(near(found.low(), lambda / n / 2f64.sqrt() * squares));
        prop_assert!(near(found.high(), lambda / n * squares));
        let column = |k: usize| points.iter().skip(k).step_by(d).map(|x| x * x).sum::<f64>().sqrt();
        let largest = (0..d).map(column).fold(0.0, f64::max);
        let found = absolute_bounds(&points, d, lambda)?;
        prop_assert!(near(found.low(), lambda / n / 2f64.sqrt() * largest));
        let massart = (2.0 * (2.0 * d as f64).ln()).sqrt();
        prop_assert!(near(found.high(), lambda / n * largest * massart));
    }

    #[test]
    fn kernels_are_enumerated((d, points) in points(), lambda in 0.0..4.0f64) {
        // Eighths, so that the Gram matrix is exact.
        let points: Vec<f64> = points.iter().map(|x| (8.0 * x).round() / 8.0).collect();
        let n = points.len() / d;
        let rows = || points.chunks(d);
        let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        let gram: Vec<f64> = rows().flat_map(|x| rows().map(move |y| dot(x, y))).collect();
        let form = |signs: u32| {
            let sign = |i: usize| Rational::from(2 * i64::from(signs >> i & 1) - 1);
            let pairs = (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
            pairs.map(|(i, j)| sign(i) * sign(j) * fraction_of(gram[i * n + j]))
                .fold(Rational::ZERO, |sum, x| sum + x)
        };
        let found = kernel(&gram, n, lambda)?;
        prop_assert!(holds(found, lambda, n, &mean(n, |signs| root(&form(signs)))), "{found:?}");
        let same = linear(&points, d, lambda)?;
        prop_assert!(found.low() <= same.high() && same.low() <= found.high());
        let bounds = kernel_bounds(&gram, n, lambda)?;
        prop_assert!(bounds.low() <= found.high() && found.low() <= bounds.high());
        prop_assert_eq!(bounds, linear_bounds(&points, d, lambda)?);
    }

    #[test]
    fn what_leaves_linear_classes_as_they_are(
        (d, points) in points(), flips in any::<u32>(),
        order in Just((0..6).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let n = points.len() / d;
        let overlap = |x: Enclosure, y: Enclosure| x.low() <= y.high() && y.low() <= x.high();
        let moved: Vec<f64> = order
            .iter()
            .filter(|&&i| i < n)
            .flat_map(|&i| {
                let sign = if flips >> i & 1 == 1 { -1.0 } else { 1.0 };
                points[i * d..(i + 1) * d].iter().map(move |x| sign * x)
            })
            .collect();
        prop_assert!(overlap(linear(&points, d, 1.0)?, linear(&moved, d, 1.0)?));
        prop_assert!(overlap(absolute(&points, d, 1.0)?, absolute(&moved, d, 1.0)?));
        // The classes grow with Λ, and exactly where it is a power of two.
        let (one, two) = (linear(&points, d, 1.0)?, linear(&points, d, 2.0)?);
        prop_assert_eq!(two, Enclosure::new(2.0 * one.low(), 2.0 * one.high()));
        // Of norms the ℓ1 norm is the larger, so its ball is the smaller.
        prop_assert!(absolute(&points, d, 1.0)?.low() <= linear(&points, d, 1.0)?.high());
    }

    #[test]
    fn the_bound_is_its_formula_rounded_up(
        r in 0u32..=64, n in 1u64..100_000, part in 0.0..1.0f64, delta in 0.001..0.5f64,
    ) {
        let errors = (part * n as f64) as u64;
        let r = f64::from(r) / 64.0;
        let found = bound(Enclosure::exact(r), errors, n, delta)?;
        let confidence = 3.0 * ((2.0 / delta).ln() / (2.0 * n as f64)).sqrt();
        let expected = errors as f64 / n as f64 + r + confidence;
        prop_assert!((found.value - expected).abs() <= 1e-12 * expected);
        prop_assert!(found.kind == Kind::Bound && found.says == Some(found.value));
        let fixed = found.assumptions.iter().any(|a| a.what.contains("fixed before the sample"));
        prop_assert!(fixed);
        // The lower end and what is above 1 change nothing.
        prop_assert_eq!(bound(Enclosure::new(-1.0, r), errors, n, delta)?.value, found.value);
        let shattered = bound(Enclosure::ONE, errors, n, delta)?;
        prop_assert!(shattered.value >= 1.0 && shattered.vacuity(2).unwrap().against_one);
        prop_assert_eq!(bound(Enclosure::ALL, errors, n, delta)?.value, shattered.value);
    }
}

#[test]
fn all_classes_on_three_points() {
    for n in 1..=3usize {
        let all = 1u32 << n;
        for members in 1u64..1 << all {
            let class: Vec<u32> = (0..all).filter(|p| members >> p & 1 == 1).collect();
            let found = exact(&class, n).unwrap();
            assert_eq!(found, naive(&class, n), "{class:?}");
            assert_eq!(found == Rational::ONE, class.len() == all as usize);
        }
    }
}

#[test]
fn twenty_points() {
    let n = MOST_POINTS;
    // The two constants: E |Σ σ_i|/20 = binomial(20, 10)/2^20.
    assert_eq!(exact(&[0, (1 << n) - 1], n).unwrap(), ratio(184_756, 1 << n));
    assert_eq!(exact(&[0b1011], n).unwrap(), Rational::ZERO);
    // All labellings but one, which is at distance 1.
    let most: Vec<u32> = (0..1 << n).filter(|&p| p != 12_345).collect();
    assert_eq!(exact(&most, n).unwrap(), Rational::ONE - ratio(2, 20 << n));
    // Twenty points on orthogonal axes: ‖Σ σ_i x_i‖ = √20 for all signs.
    let axes: Vec<f64> = (0..n * n).map(|k| f64::from(u8::from(k % (n + 1) == 0))).collect();
    assert!(holds(linear(&axes, n, 1.0).unwrap(), 1.0, n, &root(&Rational::from(20))));
    assert_eq!(absolute(&axes, n, 20.0).unwrap(), Enclosure::ONE);
    // Twenty equal points, by their Gram matrix.
    let equal = mean_of_constants();
    assert!(holds(kernel(&vec![1.0; n * n], n, 1.0).unwrap(), 1.0, n, &equal));
    assert!(holds(linear(&[0.1; 20], 1, 10.0).unwrap(), 10.0, n, &(equal * fraction_of(0.1))));
}

/// E |Σ σ_i| for 20 signs: 20 binomial(20, 10)/2^20.
fn mean_of_constants() -> Rational {
    ratio(20 * 184_756, 1 << 20)
}

/// A complexity does not depend on how many threads compute it.
#[test]
fn threads_change_nothing() {
    let points: Vec<f64> = (1..=30).map(|k| 1.0 / f64::from(k)).collect();
    let found = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| (linear(&points, 3, 1.0).unwrap(), absolute(&points, 3, 1.0).unwrap()))
    };
    assert_eq!(found(1), found(3));
}

#[test]
fn two_equal_points_reach_the_bound_from_below() {
    let points = [0.75, -1.0, 0.75, -1.0];
    let (found, bounds) =
        (linear(&points, 2, 1.0).unwrap(), linear_bounds(&points, 2, 1.0).unwrap());
    assert_eq!(found, Enclosure::exact(0.625));
    assert!(bounds.low() <= 0.625 && bounds.low() > 0.625 * (1.0 - 1e-15));
    // One point reaches that from above.
    let (found, bounds) =
        (linear(&points[..2], 2, 1.0).unwrap(), linear_bounds(&points[..2], 2, 1.0).unwrap());
    assert_eq!((found, bounds.high()), (Enclosure::exact(1.25), 1.25));
    assert_eq!(absolute(&points[..2], 2, 3.0).unwrap(), Enclosure::exact(3.0));
}

#[test]
fn zeros_have_no_complexity() {
    let zeros = [0.0; 12];
    for found in [
        linear(&zeros, 3, 2.0),
        linear_bounds(&zeros, 3, 2.0),
        absolute(&zeros, 3, 2.0),
        absolute_bounds(&zeros, 3, 2.0),
        kernel(&zeros[..9], 3, 2.0),
        kernel_bounds(&zeros[..9], 3, 2.0),
        linear(&[1.0, 2.0], 1, 0.0),
    ] {
        assert_eq!(found.unwrap(), Enclosure::ZERO);
    }
    // Numbers whose squares overflow have no upper bound.
    assert_eq!(linear(&[1e300, 1e300], 1, 1.0).unwrap().high(), f64::INFINITY);
}

#[test]
fn a_matrix_that_is_no_gram_matrix() {
    // σᵀKσ is −2 for equal signs and 2 for others: the mean of √0 and √2, over 2.
    let found = kernel(&[0.0, -1.0, -1.0, 0.0], 2, 1.0).unwrap();
    assert!(holds(found, 1.0, 2, &(root(&Rational::from(2)) / Rational::from(2))));
    let refused = |gram: &[f64], n| kernel(gram, n, 1.0).unwrap_err().to_string();
    assert_eq!(
        refused(&[1.0, 0.5, 0.25, 1.0], 2),
        "Gram matrix, row 0, column 1: 0.5; expected the number on the other side of the diagonal"
    );
    assert!(refused(&[1.0, 0.0, 0.0, -1.0], 2).contains("row 1, column 1: -1"));
    assert!(refused(&[f64::NAN], 1).contains("a finite number"));
    assert!(matches!(kernel_bounds(&[1.0; 3], 2, 1.0), Err(MeasureError::Length { .. })));
    assert_eq!(kernel_bounds(&[], 0, 1.0), Err(MeasureError::NoPoints));
}

#[test]
fn what_is_refused() {
    assert_eq!(exact(&[], 3), Err(MeasureError::NoFunctions));
    assert_eq!(exact(&[0], 0), Err(MeasureError::NoPoints));
    assert!(matches!(exact(&[0], 21), Err(MeasureError::TooLarge { have: 21, limit: 20, .. })));
    let beyond = exact(&[1, 0b1001, 2], 3);
    assert_eq!(beyond, Err(MeasureError::Pattern { index: 1, pattern: 0b1001, points: 3 }));
    assert_eq!(exact(&[0, 1], 1), Ok(Rational::ONE));
    assert_eq!(exact(&[1, 1, 1], 1), Ok(Rational::ZERO));
    let many = [0.0; 21];
    assert!(matches!(linear(&many, 1, 1.0), Err(MeasureError::TooLarge { .. })));
    assert!(matches!(absolute(&many, 1, 1.0), Err(MeasureError::TooLarge { .. })));
    assert!(linear_bounds(&many, 1, 1.0).is_ok() && absolute_bounds(&many, 1, 1.0).is_ok());
    assert_eq!(linear(&[], 1, 1.0), Err(MeasureError::NoPoints));
    assert!(matches!(linear(&[1.0; 3], 2, 1.0), Err(MeasureError::Length { .. })));
    assert!(matches!(linear(&[f64::NAN], 1, 1.0), Err(MeasureError::PointNotFinite { .. })));
    for lambda in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(linear(&[1.0], 1, lambda).is_err() && absolute_bounds(&[1.0], 1, lambda).is_err());
        assert!(kernel(&[1.0], 1, lambda).is_err());
    }
    let one = Enclosure::ONE;
    assert_eq!(bound(one, 0, 0, 0.1).unwrap_err(), MeasureError::NoPoints);
    assert!(bound(one, 2, 1, 0.1).is_err() && bound(one, 0, 1, 1.0).is_err());
    for wrong in [Enclosure::exact(1.5), Enclosure::exact(-0.5)] {
        assert!(bound(wrong, 0, 1, 0.1).is_err());
    }
    // The callback's own errors come back, and end the enumeration.
    let mut asked = 0;
    let found: Result<Shattering, MeasureError> = shattering(3, |pattern| {
        asked += 1;
        if pattern == 2 { Err(MeasureError::NoLayers) } else { Ok(true) }
    });
    assert_eq!((found, asked), (Err(MeasureError::NoLayers), 3));
    let none = shattering(2, |_| Ok::<bool, MeasureError>(false)).unwrap();
    assert_eq!(none.complexity(), Err(MeasureError::NoFunctions));
    assert!(none.finding().is_err() && none.first_missing() == Some(0) && none.count() == 0);
    assert!(shattering(0, |_| Ok::<bool, MeasureError>(true)).is_err());
    assert!(shattering(21, |_| Ok::<bool, MeasureError>(true)).is_err());
}

/// Asks a construction for a network of every labelling in two classes, and checks it at every point in fractions.
fn by_construction(text: &str, construction: &dyn Construction) -> Shattering {
    let points = sample::load(text, 3).unwrap().points;
    let n = points.n();
    shattering(n, |pattern| {
        let labels = Labels::classes(classes(pattern, n), 2)?;
        let network = construction.build(&Task::new(&points, &labels, 1))?;
        let misfit = match &network {
            Network::TwoLayer(two) => first_misfit(two, &points, &labels, construction.target()),
            Network::Layered(layered) => {
                first_misfit(layered, &points, &labels, construction.target())
            }
        };
        Ok::<bool, Box<dyn std::error::Error>>(misfit.is_none())
    })
    .unwrap_or_else(|error| panic!("{}: {error}", construction.name()))
}

fn shatters(text: &str, n: usize, construction: &dyn Construction) {
    let found = by_construction(text, construction);
    assert_eq!((found.n(), found.count()), (n, 1 << n), "{}", construction.name());
    assert_eq!(found.first_missing(), None);
    assert_eq!(found.complexity().unwrap(), Rational::ONE);
    let finding = found.finding().unwrap();
    assert_eq!((finding.value, finding.kind, finding.says), (1.0, Kind::Bound, None));
    assert_eq!(finding.name, "Rademacher complexity");
    let says = bound(Enclosure::exact(finding.value), 0, n as u64, 0.05).unwrap();
    assert!(says.vacuity(2).unwrap().against_one);
}

#[test]
fn theorem_one_has_all_4096_labellings_of_twelve_points() {
    shatters("gaussian:n=12,d=3", 12, &DepthTwo { threshold: ThresholdRule::Zigzag });
}

#[test]
fn other_constructions_have_all_labellings() {
    shatters("gaussian:n=8,d=2", 8, &DepthTwo { threshold: ThresholdRule::Midpoint });
    shatters("lattice:n=9,d=2,range=40", 9, &WidthTwo);
    shatters("lattice:n=9,d=2,range=40", 9, &TwoHidden { group: None, classes: false });
    shatters("gaussian:n=6,d=2", 6, &TwoHidden { group: None, classes: true });
}

/// The labellings that a construction fits with a unit less, at each of its units, are not all.
#[test]
fn theorem_one_with_a_unit_less_has_not_all() {
    let n = 6;
    let points = sample::load("gaussian:n=6,d=2", 3).unwrap().points;
    let found = shattering(n, |pattern| {
        let labels = Labels::classes(classes(pattern, n), 2)?;
        let task = Task::new(&points, &labels, 1);
        let mut network = DepthTwo { threshold: ThresholdRule::Data }.fit_exact(&task)?.network;
        network.b.pop();
        network.w.pop();
        let misfit = first_misfit(&network, &points, &labels, shatter_sample::Target::Value);
        Ok::<bool, Box<dyn std::error::Error>>(misfit.is_none())
    })
    .unwrap();
    // The last point has then the value of the line through the two before it.
    let patterns: Vec<u32> = (0..1 << n).filter(|&p| found.has(p)).collect();
    assert!(!patterns.is_empty() && patterns.len() < 1 << n);
    let complexity = found.complexity().unwrap();
    assert!(complexity < Rational::ONE);
    assert_eq!(complexity, naive(&patterns, n));
    let finding = found.finding().unwrap();
    assert_eq!(finding.name, "Rademacher complexity, at least");
    assert!(fraction_of(finding.value) <= complexity);
    assert!(fraction_of(finding.value.next_up()) > complexity);
}

#[test]
fn halfplanes_have_the_labellings_that_cover_counts() {
    let points: Vec<Vec<Rational>> = [[0, 0], [1, 5], [2, 3], [4, 1], [5, 7], [7, 2]]
        .iter()
        .map(|x| x.map(Rational::from).to_vec())
        .collect();
    let n = points.len();
    let all = Dichotomies::enumerate(&points, true).unwrap();
    assert!(all.check().is_ok());
    // Evidence is for labellings in which point 0 is positive; the opposite one shares it.
    let realised = |pattern: u32| {
        let positive = if pattern & 1 == 1 { pattern } else { !pattern & ((1 << n) - 1) };
        matches!(all.evidence[positive as usize >> 1], Alternative::Separating(_))
    };
    let found = shattering(n, |p| Ok::<bool, MeasureError>(realised(p))).unwrap();
    assert_eq!(IBig::from(found.count()), count(n as u64, 3).unwrap());
    let patterns: Vec<u32> = (0..1 << n).filter(|&p| realised(p)).collect();
    assert!(found.complexity().unwrap() < Rational::ONE);
    assert_eq!(found.complexity().unwrap(), naive(&patterns, n));
    assert_eq!(exact(&patterns, n).unwrap(), naive(&patterns, n));
}

/// c + w ReLU(x − b) on a line: with one unit, up or down between the neighbours where the labels change.
fn of_width_one(places: &[Rational], labels: &[u32]) -> Layered {
    let change = labels.windows(2).position(|pair| pair[0] != pair[1]);
    let (from, to) = match change {
        Some(at) => (places[at].clone(), places[at + 1].clone()),
        None => (Rational::ZERO, Rational::ONE),
    };
    let [first, last] = [labels[0], labels[labels.len() - 1]].map(Rational::from);
    let slope = (last - &first) / (&to - &from);
    Layered {
        inputs: 1,
        hidden: vec![vec![Unit::relu([(0, Rational::ONE)], -from)]],
        output: vec![Unit::affine([(0, slope)], first)],
    }
}

#[test]
fn width_one_has_monotone_labellings_alone() {
    let points = Points::new(Values::I64(vec![-3, 0, 1, 4, 9, 11, 20]), vec![1]).unwrap();
    let n = points.n();
    let places: Vec<Rational> = (0..n).map(|i| points.exact_row(i).remove(0)).collect();
    let architecture: Mlp = "1-1-1".parse().unwrap();
    let half = ratio(1, 2);
    let found = shattering(n, |pattern| {
        let labels = classes(pattern, n);
        let line = LabelledLine::of_sample(&points, &Labels::classes(labels.clone(), 2)?)?;
        if let Ok(never) = NotMonotone::new(&architecture, &line) {
            never.check()?;
            return Ok(false);
        }
        let network = of_width_one(&places, &labels);
        // Read at the threshold 1/2.
        let right =
            |i: usize| (network.evaluate(&points.exact_row(i))[0] > half) == (labels[i] == 1);
        assert!((0..n).all(right), "{labels:?}");
        Ok::<bool, Box<dyn std::error::Error>>(true)
    })
    .unwrap();
    let monotone: Vec<u32> = (0..=n).flat_map(|k| [(1 << k) - 1, (1 << n) - (1 << k)]).collect();
    assert_eq!(found.count(), 2 * n as u64);
    assert!(monotone.iter().all(|&pattern| found.has(pattern)));
    assert_eq!(found.complexity().unwrap(), naive(&monotone, n));
    assert!(found.complexity().unwrap() < Rational::ONE && found.first_missing() == Some(0b10));
    // On the first three: 5/6, rounded down.
    let found = shattering(3, |p| Ok::<bool, MeasureError>(p != 0b010 && p != 0b101)).unwrap();
    let value = found.finding().unwrap().value;
    assert_eq!(found.complexity().unwrap(), ratio(5, 6));
    assert!(fraction_of(value) < ratio(5, 6) && fraction_of(value.next_up()) > ratio(5, 6));
}

/// The largest correlation of signs with some patterns.
fn best(patterns: &[u32]) -> impl Fn(&[i8]) -> Result<f64, MeasureError> + '_ {
    move |signs| {
        let agree = |p: u32| {
            let products = signs
                .iter()
                .enumerate()
                .map(|(i, &sign)| if p >> i & 1 == 1 { i32::from(sign) } else { -i32::from(sign) });
            products.sum::<i32>()
        };
        let most = patterns.iter().map(|&p| agree(p)).max().unwrap();
        Ok(f64::from(most) / signs.len() as f64)
    }
}

#[test]
fn estimates_from_below_are_below() {
    let (n, draws) = (9, 20);
    let patterns = [0b1_0110_0101, 0b0_0011_1100, 0, 0b1_1111_1111, 0b0_1010_1010];
    let complexity = exact(&patterns, n).unwrap();
    let value = complexity.to_f64().value();
    for delta in [0.5, 0.1] {
        let failures = (0..200).filter(|&seed| {
            let found = lower_estimate(n, draws, seed, delta, best(&patterns)).unwrap();
            let deviation = (2.0 * (1.0 / delta).ln() / (n as f64 * f64::from(draws))).sqrt();
            assert!((found.lower - (found.mean - deviation)).abs() < 1e-12);
            // Hoeffding's inequality deviates by more.
            let hoeffding = (2.0 * (1.0 / delta).ln() / f64::from(draws)).sqrt();
            assert!(found.lower >= found.mean - hoeffding);
            fraction_of(found.lower) > complexity
        });
        assert!((failures.count() as f64) < 200.0 * delta, "{delta}");
    }
    // All that is found, over many draws, is the complexity; half of it is found by half a search.
    let found = lower_estimate(n, 20_000, 5, 0.01, best(&patterns)).unwrap();
    assert!((found.mean - value).abs() < 0.01, "{} {value}", found.mean);
    assert!(found.lower < value && value - found.lower < 0.02);
    let worse = lower_estimate(n, 2_000, 5, 0.01, best(&patterns[..2])).unwrap();
    assert!(worse.lower < value && worse.mean < found.mean);
    let finding = found.finding();
    assert_eq!((finding.kind, finding.says), (Kind::Estimate, None));
    assert!(finding.failing().is_some() && finding.name.contains("from below"));
}

#[test]
fn what_a_search_may_return() {
    let found = |c: f64| lower_estimate(3, 2, 1, 0.5, |_| Ok::<f64, MeasureError>(c));
    assert_eq!(found(1.0).unwrap().mean, 1.0);
    assert!(found(-1.0).unwrap().lower < -1.0);
    for wrong in [1.5, -1.5, f64::NAN] {
        assert!(matches!(found(wrong), Err(MeasureError::Parameter { .. })));
    }
    let fails = lower_estimate(3, 2, 1, 0.5, |_| Err(MeasureError::NoLayers));
    assert_eq!(fails, Err(MeasureError::NoLayers));
    let any =
        |n, draws, delta| lower_estimate(n, draws, 1, delta, |_| Ok::<f64, MeasureError>(0.0));
    assert_eq!(any(0, 1, 0.5), Err(MeasureError::NoPoints));
    assert!(any(1, 0, 0.5).is_err() && any(1, 1, 0.0).is_err() && any(1, 1, 0.5).is_ok());
}

#[test]
fn signs_are_those_of_the_seed_and_the_draw() {
    let of = |seed, draw| signs(seed, draw, 200);
    assert_eq!(of(1, 0), of(1, 0));
    assert!(of(1, 0) != of(1, 1) && of(1, 0) != of(2, 0));
    assert_eq!(signs(1, 0, 70), of(1, 0)[..70]);
    let sum: i64 = signs(1, 0, 100_000).iter().map(|&sign| i64::from(sign)).sum();
    assert!(sum.abs() < 1500 && of(1, 0).iter().all(|&sign| sign == 1 || sign == -1));
    assert_eq!(classes(0b101, 3), [1, 0, 1]);
    assert_eq!(classes(u32::MAX, 40)[31..33], [1, 0]);
}
