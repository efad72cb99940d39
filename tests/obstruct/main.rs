//! Promise: every certificate of impossibility follows from its data, an altered one is rejected,
//! no network contradicts it, and where the bound is said to be sharp a network reaches it.

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod cases;
    pub use cases::*;
}

use crate::common::cases;
use proptest::prelude::*;
use shatter_construct::{Construction, DepthTwo, Task, width_two::WidthTwo};
use shatter_exact::{IBig, Rational, matrix};
use shatter_network::architecture::ArchitectureError;
use shatter_network::{Layered, Mlp, Network, Unit};
use shatter_obstruct::alternation::{self, HiddenLayer, first_out_of_turn, most_points};
use shatter_obstruct::cover::{self, Dichotomies};
use shatter_obstruct::dimension::{jacobian_rank, most_dimensions};
use shatter_obstruct::pieces::most_pieces;
use shatter_obstruct::separable::Alternative;
use shatter_obstruct::{
    AlternationBound, BitBound, CoverBound, DimensionBound, GrowthBound, Impossibility,
    Inseparable, LabelledLine, NotMonotone, ObstructError, Obstruction, PieceBound,
    TooFewThresholds, bits,
};
use shatter_random::stream::{Purpose, below, stream};
use shatter_sample::{Labels, Points, Values};

/// `prop_assert!` for conditions with braces, which it would read as a format.
macro_rules! holds {
    ($condition:expr) => {{
        let condition: bool = $condition;
        prop_assert!(condition);
    }};
}

fn number(x: i64) -> Rational {
    Rational::from(x)
}

fn half() -> Rational {
    number(1) / number(2)
}

fn mlp(text: &str) -> Mlp {
    text.parse().unwrap()
}

/// Points x_0 + t q of R^d for increasing t, in a shuffled order, with their places.
fn collinear(
    n: std::ops::RangeInclusive<usize>,
    d: usize,
) -> impl Strategy<Value = (Vec<Vec<Rational>>, Vec<i64>)> {
    let line = prop::collection::vec((-9i64..10, -3i64..4), d);
    let line = line.prop_filter("a direction", |line| line.iter().any(|(_, q)| *q != 0));
    let places = prop::collection::btree_set(-50i64..50, n);
    let shuffled = places.prop_map(|t| t.into_iter().collect::<Vec<_>>()).prop_shuffle();
    (line, shuffled, 1i64..5).prop_map(|(line, places, denominator)| {
        let point = |t: &i64| {
            line.iter().map(|(o, q)| number(*o) + number(q * t) / number(denominator)).collect()
        };
        (places.iter().map(point).collect(), places)
    })
}

/// Points on a line with labels 0 and 1 in turn.
fn alternating(
    n: std::ops::RangeInclusive<usize>,
    d: usize,
) -> impl Strategy<Value = LabelledLine> {
    collinear(n, d).prop_map(|(points, places)| {
        let rank = |t: &i64| places.iter().filter(|other| *other < t).count() as i64;
        let labels = places.iter().map(|t| number(rank(t) % 2)).collect();
        LabelledLine::sorted(points, labels).unwrap()
    })
}

/// An architecture with these inputs, and parameters from a small range for it.
fn network(inputs: usize, depth: usize, width: usize) -> impl Strategy<Value = (Mlp, Layered)> {
    prop::collection::vec(1..=width, 1..=depth).prop_flat_map(move |hidden| {
        let mlp = Mlp::new(inputs, hidden, 1).unwrap();
        let numbers = prop::collection::vec(-4i64..5, mlp.parameters() as usize);
        numbers.prop_map(move |numbers| {
            let mut numbers = numbers.into_iter();
            let network = mlp.network(|| number(numbers.next().unwrap()));
            assert_eq!(numbers.next(), None);
            (mlp.clone(), network)
        })
    })
}

fn output(network: &Layered, x: &[Rational]) -> Rational {
    network.evaluate(x).remove(0)
}

/// Whether the outputs lie strictly above and below some level in turn, the first on either side.
fn alternate_about_a_level(outputs: &[Rational]) -> bool {
    let part = |parity: usize| outputs.iter().skip(parity).step_by(2);
    part(0).min() > part(1).max() || part(0).max() < part(1).min()
}

#[test]
fn architectures_are_read_counted_and_refused() {
    for (text, parameters, units) in
        [("10-20-1", 241, 20), ("784-100-100-1", 88_701, 200), ("2-3-3-1", 25, 6), ("3-2", 8, 0)]
    {
        let mlp = mlp(text);
        assert_eq!(
            (mlp.parameters(), mlp.units(), mlp.to_string().as_str()),
            (parameters, units, text)
        );
        let sizes = mlp.network(|| number(1)).sizes();
        assert_eq!((sizes.nonzero, sizes.units), (parameters, units));
    }
    for text in ["", "3", "3-", "-3-1", "3--1", "3-x-1", "+3-1", "99999999999999999999-1"] {
        assert_eq!(text.parse::<Mlp>(), Err(ArchitectureError::Text(text.to_owned())), "{text}");
    }
    assert_eq!("2-0-1".parse::<Mlp>(), Err(ArchitectureError::EmptyLayer { layer: 1 }));
    let wide = usize::MAX / 2;
    assert_eq!(Mlp::new(wide, vec![wide], 1), Err(ArchitectureError::TooLarge));
    assert_eq!(Mlp::new(usize::MAX, vec![], 1), Err(ArchitectureError::TooLarge));
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn lines_are_sorted_and_anything_else_is_refused(
        (points, places) in collinear(3..=8, 3),
        at in any::<prop::sample::Index>(),
    ) {
        let labels: Vec<Rational> = places.iter().map(|&t| number(t)).collect();
        let line = LabelledLine::sorted(points.clone(), labels.clone()).unwrap();
        prop_assert_eq!(line.check(), Ok(()));
        // The labels are the places, so they are in order, one way or the other.
        let rising = line.labels.windows(2).all(|y| y[0] < y[1]);
        prop_assert!(rising || line.labels.windows(2).all(|y| y[0] > y[1]));

        let i = at.index(points.len());
        let j = (i + 1) % points.len();
        let mut twice = points.clone();
        twice[i] = points[j].clone();
        prop_assert_eq!(
            LabelledLine::sorted(twice, labels.clone()),
            Err(ObstructError::Coincident { first: i.min(j), second: i.max(j) })
        );
        let mut short = points.clone();
        short[i].pop();
        holds!(
            matches!(LabelledLine::sorted(short, labels.clone()), Err(ObstructError::Coordinates { .. }))
        );
        prop_assert_eq!(
            LabelledLine::sorted(points.clone(), labels[1..].to_vec()),
            Err(ObstructError::Lengths { points: points.len(), labels: points.len() - 1 })
        );
        // A point moved off the line: three points in space are no longer on one.
        let off_line = |mut points: Vec<Vec<Rational>>, i: usize| {
            let q: Vec<Rational> =
                points[0].iter().zip(&points[1]).map(|(x, y)| y - x).collect();
            let axis = q.iter().position(Rational::is_zero).unwrap_or(0);
            points[i][axis] += number(1);
            points
        };
        let moved = LabelledLine { points: off_line(line.points.clone(), i), labels: line.labels.clone() };
        holds!(matches!(moved.check(), Err(ObstructError::NotCollinear { .. })));
        // Two neighbours swapped.
        let mut swapped = line.clone();
        swapped.points.swap(0, 1);
        holds!(matches!(swapped.check(), Err(ObstructError::NotInOrder { .. })));
    }

    #[test]
    fn piece_bounds_check_and_their_mutants_do_not(
        line in alternating(8..=12, 2),
        hidden in prop_oneof![Just(vec![1, 2]), Just(vec![5]), Just(vec![1, 1]), Just(vec![])],
        at in any::<prop::sample::Index>(),
    ) {
        let architecture = Mlp::new(2, hidden, 1).unwrap();
        let bound = PieceBound::new(&architecture, &line, half()).unwrap();
        prop_assert_eq!(bound.check(), Ok(()));
        let n = bound.line.points.len();
        let i = at.index(n);
        let mutants = |change: &dyn Fn(&mut PieceBound)| {
            let mut mutant = bound.clone();
            change(&mut mutant);
            mutant.check()
        };
        // Pieces that allow as many points as there are.
        let wide = Mlp::new(2, vec![n - 2], 1).unwrap();
        holds!(mutants(&|b| b.architecture = wide.clone()).is_err());
        holds!(
            mutants(&|b| { b.architecture = wide.clone(); b.pieces = IBig::from(n - 1) }).is_err()
        );
        holds!(mutants(&|b| b.architecture = mlp("3-1-1")).is_err());
        holds!(mutants(&|b| b.architecture = mlp("2-1-2")).is_err());
        holds!(mutants(&|b| b.pieces += IBig::ONE).is_err());
        holds!(mutants(&|b| b.level = number(1)).is_err());
        holds!(mutants(&|b| b.line.labels[i] = half()).is_err());
        holds!(mutants(&|b| b.line.labels[i] = number(1) - &b.line.labels[i]).is_err());
        holds!(mutants(&|b| b.line.points[i] = b.line.points[(i + 1) % n].clone()).is_err());
        holds!(mutants(&|b| b.line.points.swap(0, 1)).is_err());
        holds!(mutants(&|b| b.line.points[i].push(number(0))).is_err());
        holds!(mutants(&|b| { b.line.labels.pop(); }).is_err());
        holds!(mutants(&|b| { b.line.points.clear(); b.line.labels.clear() }).is_err());
    }

    #[test]
    fn no_network_has_more_sign_changes_than_pieces_allow(
        (architecture, network) in network(1, 3, 3),
        level in -20i64..20,
    ) {
        let level = number(level) / number(3);
        let grid = (-60..=60).map(|x| vec![number(x) / number(4)]);
        let points: Vec<Vec<Rational>> = grid.collect();
        let outputs = points.iter().map(|x| output(&network, x)).collect();
        let line = LabelledLine::sorted(points, outputs).unwrap();
        let changes = line.alternating(&level).labels.len().saturating_sub(1);
        prop_assert!(IBig::from(changes) <= most_pieces(&architecture), "{changes}");
        // What the network does is not impossible.
        let excluded = PieceBound::new(&architecture, &line, level);
        prop_assert!(excluded.is_err());
    }

    #[test]
    fn no_network_contradicts_a_piece_bound(
        (architecture, network) in network(2, 2, 2),
        line in alternating(11..=12, 2),
    ) {
        PieceBound::new(&architecture, &line, half()).unwrap();
        let outputs: Vec<Rational> = line.points.iter().map(|x| output(&network, x)).collect();
        prop_assert!(!alternate_about_a_level(&outputs));
    }
}

#[test]
fn pieces_are_counted_without_overflow() {
    assert_eq!(most_pieces(&mlp("7-3-1")), IBig::from(4));
    assert_eq!(most_pieces(&mlp("7-3-2-2-1")), IBig::from(36));
    assert_eq!(most_pieces(&mlp("7-1")), IBig::ONE);
    let deep = Mlp::new(1, vec![1023; 40], 1).unwrap();
    assert_eq!(most_pieces(&deep), IBig::ONE << 400);
}

#[test]
fn alternation_counts_are_those_of_the_theorem() {
    let free: Vec<u64> = (1..=10).map(|m| most_points(HiddenLayer::Free, m)).collect();
    assert_eq!(free, [2, 3, 5, 6, 7, 8, 9, 10, 11, 12]);
    let shared: Vec<u64> = (0..=5).map(|m| most_points(HiddenLayer::Shared, m)).collect();
    assert_eq!(shared, [0, 1, 2, 3, 4, 5]);
    assert_eq!(most_points(HiddenLayer::Free, u64::MAX), u64::MAX);
}

/// One hidden layer of one and two units, all parameters of a small range: never 3 and 4 points.
#[test]
fn one_and_two_units_do_not_exceed_their_counts() {
    let small = || -2i64..=2;
    let grid: Vec<Vec<Rational>> = (0..4).map(|x| vec![number(x)]).collect();
    let relu = |w: i64, b: i64, x: i64| (w * 2 * x + b).max(0);
    let (mut one, mut two) = (0, 0);
    for (w, b) in small().flat_map(|w| (-12..=12).map(move |b| (w, b))) {
        let outputs: Vec<Rational> = (0..3).map(|x| number(relu(w, b, x))).collect();
        assert!(!alternate_about_a_level(&outputs));
        one += usize::from(alternate_about_a_level(&outputs[1..]));
        for (w2, b2) in [-1, 1].into_iter().flat_map(|w| (-6..=6).map(move |b| (w, b))) {
            for (v, v2) in small().flat_map(|v| small().map(move |v2| (v, v2))) {
                let outputs: Vec<Rational> =
                    (0..4).map(|x| number(v * relu(w, b, x) + v2 * relu(w2, b2, x))).collect();
                assert!(!alternate_about_a_level(&outputs));
                two += usize::from(alternate_about_a_level(&outputs[1..]));
            }
        }
    }
    assert!(one > 0 && two > 0, "2 and 3 points are reached");
    let line = LabelledLine::sorted(grid, (0..4).map(|i| number(i % 2)).collect()).unwrap();
    assert!(AlternationBound::new(HiddenLayer::Free, 2, &line, half()).is_ok());
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn witnesses_reach_the_count_on_any_points(
        places in prop::collection::btree_set((-1000i64..1000, 1i64..8), 1..=12),
    ) {
        let mut z: Vec<Rational> = places.iter().map(|(x, by)| number(*x) / number(*by)).collect();
        z.sort();
        z.dedup();
        let n = z.len();
        let network = alternation::witness(&z).unwrap();
        prop_assert_eq!(first_out_of_turn(&network, &z), None);
        let units = network.sizes().units;
        let fewest = (0..).find(|&m| most_points(HiddenLayer::Free, m) >= n as u64).unwrap();
        prop_assert_eq!((units, network.hidden.len()), (fewest, 1));
        prop_assert_eq!(network.check_wiring(), Ok(()));
        let line = LabelledLine::sorted(
            z.iter().map(|z| vec![z.clone()]).collect(),
            z.iter().map(|z| output(&network, std::slice::from_ref(z))).collect(),
        ).unwrap();
        prop_assert_eq!(line.check_alternates(&Rational::ZERO), Ok(()));
        // Not impossible with that many units; impossible with one less.
        let bound = |units| AlternationBound::new(HiddenLayer::Free, units, &line, Rational::ZERO);
        let open = matches!(bound(units), Err(ObstructError::NotExcluded { .. }));
        prop_assert!(open);
        if units > 0 {
            prop_assert_eq!(bound(units - 1).unwrap().check(), Ok(()));
        }
        let mut unordered = z.clone();
        unordered.push(z[n - 1].clone());
        prop_assert_eq!(alternation::witness(&unordered), Err(ObstructError::NotInOrder { index: n }));
    }

    #[test]
    fn m_plus_two_points_for_three_to_ten_units(
        m in 3usize..=10,
        gaps in prop::collection::vec((1i64..1000, 1i64..1000), 12),
        start in -100i64..100,
    ) {
        let mut z = vec![number(start)];
        for (gap, by) in gaps.iter().take(m + 1) {
            let next = &z[z.len() - 1] + number(*gap) / number(*by);
            z.push(next);
        }
        let network = alternation::witness(&z).unwrap();
        prop_assert_eq!((z.len(), network.sizes().units), (m + 2, m as u64));
        prop_assert_eq!(first_out_of_turn(&network, &z), None);
    }

    #[test]
    fn alternation_bounds_check_and_their_mutants_do_not(
        line in alternating(3..=10, 2),
        shared in any::<bool>(),
        at in any::<prop::sample::Index>(),
    ) {
        let n = line.points.len();
        let form = if shared { HiddenLayer::Shared } else { HiddenLayer::Free };
        let units = (0..).take_while(|&m| most_points(form, m) < n as u64).last().unwrap();
        let mut line = line;
        line.labels.iter_mut().for_each(|y| *y = &*y - half());
        let bound = AlternationBound::new(form, units, &line, Rational::ZERO).unwrap();
        prop_assert_eq!(bound.check(), Ok(()));
        let i = at.index(n);
        let mutants = |change: &dyn Fn(&mut AlternationBound)| {
            let mut mutant = bound.clone();
            change(&mut mutant);
            mutant.check()
        };
        holds!(mutants(&|b| b.units += 1).is_err());
        holds!(
            mutants(&|b| { b.units += 1; b.most_points = most_points(form, b.units) }).is_err()
        );
        holds!(mutants(&|b| b.most_points += 1).is_err());
        holds!(mutants(&|b| b.level = number(1)).is_err());
        holds!(mutants(&|b| b.line.labels[i] = Rational::ZERO).is_err());
        holds!(mutants(&|b| b.line.points.swap(0, 1)).is_err());
        let allowed = bound.most_points as usize;
        holds!(
            mutants(&|b| { b.line.points.truncate(allowed); b.line.labels.truncate(allowed) })
                .is_err()
        );
        if shared {
            let quarter = number(1) / number(4);
            prop_assert_eq!(mutants(&|b| b.level = quarter.clone()), Err(ObstructError::LevelNeedsBias));
        }
    }

    /// Theorem 1 reaches n = m in Zhang's form, and no network of that form reaches m + 1.
    #[test]
    fn zhangs_form_alternates_at_exactly_as_many_points_as_units(
        places in prop::collection::btree_set(-100i64..100, 1..=9),
        units in prop::collection::vec((-9i64..10, -60i64..60), 1..=5),
        directed in any::<bool>(),
    ) {
        let z: Vec<i64> = places.into_iter().collect();
        let points = Points::new(Values::I64(z.clone()), vec![1]).unwrap();
        let y = (0..z.len()).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let labels = Labels::real(y, 1).unwrap();
        let task = Task::new(&points, &labels, 0);
        let fitted = DepthTwo::default().fit_exact(&task).unwrap().network;
        prop_assert_eq!((fitted.units(), fitted.c.is_zero()), (z.len(), true));
        let line = LabelledLine::of_sample(&points, &labels).unwrap();
        let m = units.len() as u64;
        let bound = AlternationBound::new(HiddenLayer::Shared, m, &line, Rational::ZERO);
        prop_assert_eq!(bound.is_ok(), z.len() as u64 > m);

        let a = if directed { 1 } else { -1 };
        let outputs = z.iter().map(|&x| {
            number(units.iter().map(|&(w, b)| w * (a * x - b).max(0)).sum())
        });
        let seen = LabelledLine { points: line.points.clone(), labels: outputs.collect() };
        prop_assert!(seen.alternating(&Rational::ZERO).labels.len() <= units.len());
    }

    #[test]
    fn one_hidden_layer_contradicts_no_alternation_bound((mlp, network) in network(1, 1, 4)) {
        let points: Vec<Vec<Rational>> = (-40..=40).map(|x| vec![number(x) / number(8)]).collect();
        let outputs: Vec<Rational> = points.iter().map(|x| output(&network, x)).collect();
        let line = LabelledLine::sorted(points, outputs.clone()).unwrap();
        for level in &outputs {
            // Just beside a value of the network: the levels that it crosses most often.
            for level in [level + number(1) / number(97), level - number(1) / number(97)] {
                let seen = line.alternating(&level).labels.len() as u64;
                prop_assert!(seen <= most_points(HiddenLayer::Free, mlp.units()), "{seen}");
            }
        }
    }

    #[test]
    fn networks_of_width_one_are_monotone(
        depth in 1usize..5,
        numbers in prop::collection::vec(-4i64..5, 16),
        (points, places) in collinear(3..=6, 2),
    ) {
        let architecture = Mlp::new(2, vec![1; depth], 1).unwrap();
        let mut numbers = numbers.into_iter().map(number);
        let network = architecture.network(|| numbers.next().unwrap());
        let outputs = points.iter().map(|x| output(&network, x)).collect();
        let line = LabelledLine::sorted(points.clone(), outputs).unwrap();
        prop_assert_eq!(NotMonotone::new(&architecture, &line), Err(ObstructError::Monotone));

        // Squares of the places are monotone unless they turn at 0.
        let squares = LabelledLine::sorted(points, places.iter().map(|t| number(t * t)).collect()).unwrap();
        let rising = squares.labels.is_sorted();
        let falling = squares.labels.iter().rev().is_sorted();
        let found = NotMonotone::new(&architecture, &squares);
        prop_assert_eq!(found.is_ok(), !rising && !falling);
        if let Ok(bound) = found {
            prop_assert_eq!(bound.check(), Ok(()));
            let mutants = |change: &dyn Fn(&mut NotMonotone)| {
                let mut mutant = bound.clone();
                change(&mut mutant);
                mutant.check()
            };
            let middle = bound.line.labels[1].clone();
            holds!(mutants(&|b| b.line.labels[0] = middle.clone()).is_err());
            holds!(mutants(&|b| b.line.points.swap(1, 2)).is_err());
            holds!(mutants(&|b| { b.line.points.pop(); b.line.labels.pop(); }).is_err());
            holds!(mutants(&|b| b.architecture = mlp("2-1-2-1")).is_err());
            holds!(mutants(&|b| b.architecture = mlp("2-1")).is_err());
            holds!(mutants(&|b| b.architecture = mlp("1-1-1")).is_err());
        }
    }

    #[test]
    fn threshold_units_contradict_no_bound_and_reach_it(
        (points, places) in collinear(2..=8, 2),
        classes in prop::collection::vec(0i64..3, 8),
        units in prop::collection::vec((-4i64..5, -4i64..5, -30i64..30), 0..5),
        at in any::<prop::sample::Index>(),
    ) {
        // Outputs of the units as a label: one number a pattern.
        let pattern = |x: &Vec<Rational>| {
            let on = |&(u, v, b): &(i64, i64, i64)| number(u) * &x[0] + number(v) * &x[1] > number(b);
            number(units.iter().fold(0, |code, unit| 2 * code + i64::from(on(unit))))
        };
        let seen = LabelledLine::sorted(points.clone(), points.iter().map(pattern).collect()).unwrap();
        prop_assert!(TooFewThresholds::new(units.len() as u64, &seen).is_err());

        let labels: Vec<Rational> = classes[..points.len()].iter().map(|&c| number(c)).collect();
        let line = LabelledLine::sorted(points, labels).unwrap();
        let changes = line.changing().labels.len() as u64 - 1;
        prop_assert!(TooFewThresholds::new(changes, &line).is_err());
        if changes > 0 {
            let bound = TooFewThresholds::new(changes - 1, &line).unwrap();
            prop_assert_eq!(bound.check(), Ok(()));
            let i = 1 + at.index(bound.line.labels.len() - 1);
            let mut mutant = bound.clone();
            mutant.units += 1;
            prop_assert!(mutant.check().is_err());
            let mut mutant = bound.clone();
            mutant.line.labels[i] = mutant.line.labels[i - 1].clone();
            prop_assert_eq!(mutant.check(), Err(ObstructError::SameLabel { index: i }));
            let mut mutant = bound.clone();
            mutant.line.points[i] = mutant.line.points[i - 1].clone();
            prop_assert!(mutant.check().is_err());
        }
        // `changes` units suffice: Σ (jump) H(t − middle of the pair), in the places.
        let mut sorted: Vec<(i64, Rational)> = places.iter().copied().zip(
            places.iter().enumerate().map(|(i, _)| number(classes[i]))).collect();
        sorted.sort();
        let jumps: Vec<(Rational, Rational)> = sorted.windows(2)
            .filter(|pair| pair[0].1 != pair[1].1)
            .map(|pair| (number(pair[0].0 + pair[1].0) / number(2), &pair[1].1 - &pair[0].1))
            .collect();
        prop_assert_eq!(jumps.len() as u64, changes);
        let network = Layered {
            inputs: 1,
            hidden: vec![jumps.iter().map(|(at, _)| Unit::threshold([(0, number(1))], -at.clone())).collect()],
            output: vec![Unit::affine(
                jumps.iter().map(|(_, by)| by.clone()).enumerate(), sorted[0].1.clone())],
        };
        for (t, class) in &sorted {
            prop_assert_eq!(&output(&network, &[number(*t)]), class);
        }
    }
}

/// Whether every D of the vectors are independent.
fn in_general_position(vectors: &[Vec<Rational>], dimension: usize) -> bool {
    (0u32..1 << vectors.len()).filter(|set| set.count_ones() as usize == dimension).all(|set| {
        let chosen = (0..vectors.len()).filter(|i| set >> i & 1 == 1);
        matrix::rank(&chosen.map(|i| vectors[i].clone()).collect::<Vec<_>>()) == dimension
    })
}

fn homogeneous(points: &[Vec<Rational>], affine: bool) -> Vec<Vec<Rational>> {
    let one = affine.then(|| number(1));
    points.iter().map(|x| x.iter().cloned().chain(one.clone()).collect()).collect()
}

/// Random integer points of R^d in general position.
fn general_points(n: usize, d: usize, affine: bool, seed: u64) -> Vec<Vec<Rational>> {
    let mut rng = stream(seed, Purpose::Points);
    let dimension = (d + usize::from(affine)).min(n);
    loop {
        let point = |_| (0..d).map(|_| number(below(&mut rng, 201) as i64 - 100)).collect();
        let points: Vec<Vec<Rational>> = (0..n).map(point).collect();
        if in_general_position(&homogeneous(&points, affine), dimension) {
            return points;
        }
    }
}

#[test]
fn enumeration_finds_covers_counts() {
    for (d, n, affine, expected) in [
        (2, 5, true, 22),
        (2, 6, false, 12),
        (3, 6, false, 32),
        (1, 5, true, 10),
        (3, 3, false, 8),
        (4, 8, false, 128), // half of them at n = 2D
        (1, 1, false, 2),
    ] {
        let points = general_points(n, d, affine, 1);
        let all = Dichotomies::enumerate(&points, affine).unwrap();
        assert_eq!(all.check(), Ok(()));
        assert_eq!(all.separable(), expected, "d = {d}, n = {n}");
        let dimension = (d + usize::from(affine)) as u64;
        assert_eq!(cover::count(n as u64, dimension), Ok(IBig::from(expected)));
        let bound = CoverBound::new(n as u64, dimension);
        assert_eq!(bound.is_ok(), n as u64 > dimension);
    }
    assert_eq!(cover::count(0, 3), Err(ObstructError::Empty("points")));
    assert!(matches!(cover::count(u64::MAX, 3), Err(ObstructError::TooLarge { .. })));
    let many = vec![vec![number(1)]; 17];
    assert!(matches!(Dichotomies::enumerate(&many, true), Err(ObstructError::TooLarge { .. })));
    let bound = CoverBound::new(7, 3).unwrap();
    for mutant in [
        CoverBound { n: 8, ..bound.clone() },
        CoverBound { n: 0, ..bound.clone() },
        CoverBound { dimension: 4, ..bound.clone() },
        CoverBound { separable: &bound.separable - IBig::ONE, ..bound.clone() },
        CoverBound { dimension: 7, separable: IBig::from(128), ..bound.clone() },
    ] {
        assert!(mutant.check().is_err(), "{mutant}");
    }
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn exactly_one_of_gordans_alternatives_holds(
        vectors in (1usize..=4).prop_flat_map(|d| {
            prop::collection::vec(prop::collection::vec((-4i64..5).prop_map(number), d), 1..=8)
        }),
        probe in prop::collection::vec(-3i64..4, 8),
    ) {
        let found = Alternative::decide(&vectors).unwrap();
        prop_assert!(found.holds(&vectors));
        // The other one cannot hold, whatever is tried.
        let probe: Vec<Rational> = probe.into_iter().map(number).collect();
        let (n, d) = (vectors.len(), vectors[0].len());
        let other = match found {
            Alternative::Separating(_) => Alternative::Combination(probe[..n].to_vec()),
            Alternative::Combination(_) => Alternative::Separating(probe[..d].to_vec()),
        };
        prop_assert!(!other.holds(&vectors));
        prop_assert!(!Alternative::Combination(vec![number(0); n]).holds(&vectors));
        prop_assert!(!Alternative::Separating(vec![number(0); d]).holds(&vectors));
    }

    #[test]
    fn covers_count_is_the_most_of_any_points(
        n in 1usize..=6,
        d in 1usize..=3,
        affine in any::<bool>(),
        coordinates in prop::collection::vec(-2i64..3, 18),
        at in any::<prop::sample::Index>(),
    ) {
        let points: Vec<Vec<Rational>> = coordinates.chunks(d).take(n)
            .map(|x| x.iter().map(|&x| number(x)).collect()).collect();
        let n = points.len();
        let all = Dichotomies::enumerate(&points, affine).unwrap();
        prop_assert_eq!(all.check(), Ok(()));
        let dimension = d + usize::from(affine);
        let most = cover::count(n as u64, dimension as u64).unwrap();
        prop_assert!(IBig::from(all.separable()) <= most);
        if in_general_position(&homogeneous(&points, affine), dimension.min(n)) {
            prop_assert_eq!(IBig::from(all.separable()), most);
        }
        // Evidence turned into its opposite, or for another labeling.
        let i = at.index(all.evidence.len());
        let mut mutant = all.clone();
        mutant.evidence[i] = match &all.evidence[i] {
            Alternative::Separating(w) => Alternative::Separating(w.iter().map(|x| -x.clone()).collect()),
            Alternative::Combination(x) => Alternative::Combination(x.iter().map(|x| -x.clone()).collect()),
        };
        prop_assert_eq!(mutant.check(), Err(ObstructError::Dichotomy { dichotomy: i }));
        let mut mutant = all.clone();
        mutant.evidence.pop();
        prop_assert!(mutant.check().is_err());
    }

    #[test]
    fn no_hyperplane_contradicts_a_certificate_of_inseparability(
        points in prop::collection::vec(prop::collection::vec((-3i64..4).prop_map(number), 2), 1..=8),
        positive in prop::collection::vec(any::<bool>(), 8),
        plane in prop::collection::vec(-5i64..6, 3),
        affine in any::<bool>(),
        at in any::<prop::sample::Index>(),
    ) {
        let n = points.len();
        let side = |x: &Vec<Rational>| {
            number(plane[0]) * &x[0] + number(plane[1]) * &x[1]
                + number(if affine { plane[2] } else { 0 })
        };
        let sides: Vec<Rational> = points.iter().map(side).collect();
        if sides.iter().all(|side| !side.is_zero()) {
            let realised: Vec<bool> = sides.iter().map(|side| *side > Rational::ZERO).collect();
            prop_assert_eq!(Inseparable::new(&points, &realised, affine), Err(ObstructError::Separable));
        }
        if let Ok(bound) = Inseparable::new(&points, &positive[..n], affine) {
            prop_assert_eq!(bound.check(), Ok(()));
            let i = at.index(n);
            let mut mutant = bound.clone();
            mutant.combination[i] = -number(1) - &mutant.combination[i];
            prop_assert_eq!(mutant.check(), Err(ObstructError::Evidence));
            let mut mutant = bound.clone();
            mutant.combination.iter_mut().for_each(|x| *x = Rational::ZERO);
            prop_assert_eq!(mutant.check(), Err(ObstructError::Evidence));
            let mut mutant = bound.clone();
            mutant.positive.pop();
            prop_assert!(mutant.check().is_err());
            // A point that counts, moved or relabelled.
            let used = bound.combination.iter().position(|x| !x.is_zero()).unwrap();
            let mut mutant = bound.clone();
            mutant.points[used][0] += number(1);
            prop_assert_eq!(mutant.check(), Err(ObstructError::Evidence));
            let mut mutant = bound.clone();
            mutant.positive[used] ^= true;
            let unchanged = bound.points[used].iter().all(Rational::is_zero) && !affine;
            prop_assert_eq!(mutant.check().is_err(), !unchanged);
        }
    }
}

#[test]
fn evidence_of_the_wrong_sign_or_length_is_rejected() {
    // x and 2x are separable, though 2·x − 1·2x = 0.
    let vectors = [vec![number(1), number(3)], vec![number(2), number(6)]];
    let holds = |evidence: Alternative| evidence.holds(&vectors);
    assert!(!holds(Alternative::Combination(vec![number(2), number(-1)])));
    assert!(!holds(Alternative::Combination(vec![number(0)])));
    assert!(holds(Alternative::Separating(vec![number(1), number(0)])));
    assert!(!holds(Alternative::Separating(vec![number(1)])));
    assert!(!holds(Alternative::Separating(vec![number(1), number(0), number(0)])));
    // Perpendicular is not positive.
    assert!(!holds(Alternative::Separating(vec![number(3), number(-1)])));
    let certificate = Inseparable {
        points: vectors.to_vec(),
        positive: vec![true, true],
        affine: false,
        combination: vec![number(2), number(-1)],
    };
    assert_eq!(certificate.check(), Err(ObstructError::Evidence));
}

/// The largest rank among a few draws of small integer parameters and points.
fn largest_rank(architecture: &Mlp, n: usize, draws: usize) -> usize {
    let mut rng = stream(architecture.parameters(), Purpose::Probe);
    let mut draw = |most: u64| number(below(&mut rng, 2 * most + 1) as i64 - most as i64);
    let mut best = 0;
    for _ in 0..draws {
        let points: Vec<Vec<Rational>> =
            (0..n).map(|_| (0..architecture.inputs()).map(|_| draw(60)).collect()).collect();
        // Halves keep the units off their kinks at integer points.
        let network = architecture.network(|| draw(40) + half());
        match jacobian_rank(&network, &points) {
            Ok(rank) => best = best.max(rank),
            Err(error) => assert!(matches!(error, ObstructError::Kink { .. }), "{error}"),
        }
    }
    best
}

#[test]
fn one_hidden_layer_attains_its_dimension() {
    for (d, m) in [(1, 2), (2, 2), (3, 2), (2, 3)] {
        let architecture = Mlp::new(d, vec![m], 1).unwrap();
        let dimension = m * (d + 1) + 1;
        assert_eq!(most_dimensions(&architecture), dimension as u64);
        let rank = largest_rank(&architecture, m * (d + 2) + 6, 30);
        assert_eq!(rank, dimension, "d = {d}, m = {m}");
    }
}

#[test]
fn deep_networks_do_not_exceed_p_minus_u() {
    for (text, dimension) in [
        ("2-3-1", 10),
        ("2-3-3-1", 19),
        ("1-2-2-1", 9),
        ("3-2-2-2-1", 17),
        ("2-4-3-1", 24),
        ("2-3-2", 14),
    ] {
        let architecture = mlp(text);
        assert_eq!(most_dimensions(&architecture), dimension, "{text}");
        let rank = largest_rank(&architecture, 20, 6);
        assert!(rank > 0 && rank as u64 <= dimension, "{text}: {rank}");
    }
}

#[test]
fn dimension_bounds_check_and_their_mutants_do_not() {
    let bound = DimensionBound::new(&mlp("2-3-3-1"), 20).unwrap();
    assert_eq!(bound.check(), Ok(()));
    for mutant in [
        DimensionBound { n: 19, ..bound.clone() },
        DimensionBound { dimension: 18, ..bound.clone() },
        DimensionBound { architecture: mlp("2-3-4-1"), ..bound.clone() },
        DimensionBound { architecture: mlp("2-3-4-1"), dimension: 23, ..bound.clone() },
    ] {
        assert!(mutant.check().is_err(), "{mutant}");
    }
    // The 7 points of a network with two outputs have 14 numbers, as many as P − U.
    assert!(DimensionBound::new(&mlp("2-3-2"), 7).is_err());
    assert!(DimensionBound::new(&mlp("2-3-2"), 8).is_ok());
}

/// The naive derivative: differences of the outputs of a network that is affine in each parameter
/// around the given ones.
#[test]
fn the_jacobian_agrees_with_differences() {
    let architecture = mlp("2-3-2-2");
    let p = architecture.parameters() as usize;
    let mut rng = stream(5, Purpose::Probe);
    let mut draw = |most: u64| number(below(&mut rng, 2 * most + 1) as i64 - most as i64);
    let mut compared = 0;
    for _ in 0..20 {
        let parameters: Vec<Rational> = (0..p).map(|_| draw(9) + half()).collect();
        let points: Vec<Vec<Rational>> = (0..12).map(|_| vec![draw(9), draw(9)]).collect();
        let at = |parameters: &[Rational]| {
            let mut next = parameters.iter();
            architecture.network(|| next.next().unwrap().clone())
        };
        // Arguments are multiples of 2^-3 of size at most 10^6: so small a step keeps their signs.
        let step = Rational::ONE / Rational::from(IBig::ONE << 60);
        let Ok(rank) = jacobian_rank(&at(&parameters), &points) else { continue };
        let outputs = |network: &Layered| -> Vec<Rational> {
            points.iter().flat_map(|x| network.evaluate(x)).collect()
        };
        let before = outputs(&at(&parameters));
        let columns: Vec<Vec<Rational>> = (0..p)
            .map(|k| {
                let mut moved = parameters.clone();
                moved[k] += &step;
                let after = outputs(&at(&moved));
                after.iter().zip(&before).map(|(x, y)| (x - y) / &step).collect()
            })
            .collect();
        assert_eq!(rank, matrix::rank(&columns));
        compared += 1;
    }
    assert!(compared >= 10, "{compared}");
}

#[test]
fn the_jacobian_refuses_what_has_no_derivative() {
    let network = mlp("1-1-1").network(|| number(1));
    let kink = ObstructError::Kink { point: 1, layer: 0, unit: 0 };
    assert_eq!(jacobian_rank(&network, &[vec![number(3)], vec![number(-1)]]), Err(kink));
    assert!(matches!(jacobian_rank(&network, &[vec![]]), Err(ObstructError::Coordinates { .. })));
    let mut steps = network.clone();
    steps.hidden[0][0] = Unit::threshold([(0, number(1))], number(0));
    assert!(matches!(jacobian_rank(&steps, &[]), Err(ObstructError::NotRelu { layer: 0, .. })));
    let mut wrong = network;
    wrong.output[0] = Unit::affine([(7, number(1))], number(0));
    assert!(matches!(jacobian_rank(&wrong, &[]), Err(ObstructError::Miswired(_))));
}

#[test]
fn growth_bounds_are_those_of_the_specification() {
    for (text, parameters, largest) in
        [("10-20-1", 241, 4258), ("784-100-100-1", 88_701, 3_314_423)]
    {
        let architecture = mlp(text);
        let bound = GrowthBound::least(&architecture).unwrap();
        assert_eq!((architecture.parameters(), bound.points - 1), (parameters, largest), "{text}");
        assert_eq!(bound.check(), Ok(()));
        for mutant in [
            GrowthBound { points: largest, ..bound.clone() },
            GrowthBound { points: 0, ..bound.clone() },
            GrowthBound { architecture: mlp("784-100-101-1"), ..bound.clone() },
            GrowthBound { architecture: mlp("10-20-2"), ..bound.clone() },
        ] {
            assert!(mutant.check().is_err(), "{mutant}");
        }
        for points in [bound.points + 1, 2 * bound.points, 1000 * bound.points] {
            assert!(GrowthBound::new(&architecture, points).is_ok());
        }
        for points in [largest - 1, largest / 2, 1] {
            assert!(GrowthBound::new(&architecture, points).is_err());
        }
    }
    let huge = Mlp::new(1 << 31, vec![1 << 31], 1).unwrap();
    assert!(matches!(GrowthBound::least(&huge), Err(ObstructError::TooLarge { .. })));
}

/// What the bisection finds is the first number of points that the inequality excludes.
#[test]
fn the_least_growth_bound_is_the_first() {
    for shape in ["1-1", "1-1-1", "1-3-1", "2-2-2-1", "1-1-1-1-1"] {
        let architecture: Mlp = shape.parse().unwrap();
        let first = (1..).find(|&points| GrowthBound::new(&architecture, points).is_ok());
        assert_eq!(Some(GrowthBound::least(&architecture).unwrap().points), first, "{shape}");
    }
}

proptest! {
    #![proptest_config(cases(64))]

    /// A network shatters as many points as its witness alternates at: never more than the bound.
    #[test]
    fn growth_bounds_exceed_what_is_shattered(m in 1usize..30, d in 1usize..5) {
        let architecture = Mlp::new(d, vec![m], 1).unwrap();
        // Theorem 1: m units of d inputs shatter m points.
        let bound = GrowthBound::least(&architecture).unwrap();
        prop_assert!(bound.points > m as u64);
        // Affine functions shatter d + 1 points.
        let affine = GrowthBound::least(&Mlp::new(d, vec![], 1).unwrap()).unwrap();
        prop_assert!(affine.points > d as u64 + 1);
    }

    #[test]
    fn bits_are_compared_exactly(n in 0u64..13, classes in 1u64..1000, bits in 0u64..125) {
        let labelings = u128::from(classes).pow(n as u32); // below 10^36
        let excluded = labelings > 1u128 << bits;
        let bound = BitBound::new(n, classes, bits);
        prop_assert_eq!(bound.is_ok(), excluded);
        if let Ok(bound) = bound {
            prop_assert_eq!(bound.check(), Ok(()));
            for mutant in [
                BitBound { bits: bound.least, ..bound.clone() },
                BitBound { least: bound.least + 1, ..bound.clone() },
                BitBound { n: 0, ..bound.clone() },
                BitBound { classes: 1, ..bound.clone() },
                BitBound { classes: 0, ..bound.clone() },
            ] {
                prop_assert!(mutant.check().is_err(), "{}", mutant);
            }
        }
    }
}

/// All labelings of the same points by two classes: the networks that fit them store, at their
/// longest, at least n bits.
#[test]
fn constructed_networks_store_the_bits_of_their_labels() {
    let points = Points::new(Values::I64((0..7).map(|x| x * x).collect()), vec![1]).unwrap();
    let stored = |labeling: u32| {
        let labels = Labels::classes((0..7).map(|i| labeling >> i & 1).collect(), 2).unwrap();
        let network: Network = WidthTwo.build(&Task::new(&points, &labels, 1)).unwrap();
        network.sizes().bits
    };
    let most = (0..1 << 7).map(stored).max().unwrap();
    assert!(most >= bits::least_bits(7, 2).unwrap());
    assert!(matches!(BitBound::new(7, 2, most), Err(ObstructError::NotExcluded { .. })));
    assert!(matches!(bits::least_bits(u64::MAX, 10), Err(ObstructError::TooLarge { .. })));
}

#[test]
fn every_obstruction_is_checked_said_and_stored() {
    let points: Vec<Vec<Rational>> = (0..6).map(|x| vec![number(x) / number(3)]).collect();
    let labels: Vec<Rational> = (0..6).map(|x| number(x % 2)).collect();
    let line = LabelledLine::sorted(points.clone(), labels).unwrap();
    let positive = [true, false, true, false, true, false];
    let all: [Obstruction; 9] = [
        PieceBound::new(&mlp("1-3-1"), &line, half()).unwrap().into(),
        AlternationBound::new(HiddenLayer::Free, 3, &line, half()).unwrap().into(),
        NotMonotone::new(&mlp("1-1-1"), &line).unwrap().into(),
        TooFewThresholds::new(4, &line).unwrap().into(),
        CoverBound::new(6, 2).unwrap().into(),
        Inseparable::new(&points, &positive, true).unwrap().into(),
        DimensionBound::new(&mlp("1-1-1"), 4).unwrap().into(),
        GrowthBound::least(&mlp("1-1-1")).unwrap().into(),
        BitBound::new(10, 10, 33).unwrap().into(),
    ];
    let mut names = Vec::new();
    for obstruction in &all {
        assert_eq!(obstruction.check(), Ok(()));
        assert!(obstruction.statement().starts_with(char::is_lowercase));
        let stored = serde_json::to_value(obstruction).unwrap();
        names.push(stored["obstruction"].as_str().unwrap().to_owned());
        if let Obstruction::Pieces(_) = obstruction {
            assert_eq!(stored["architecture"], "1-3-1");
            assert_eq!(stored["pieces"], "4");
            assert_eq!(stored["line"]["points"][1], serde_json::json!(["1/3"]));
        }
    }
    names.dedup();
    assert_eq!(names.len(), 9);
    let mut altered = all[0].clone();
    if let Obstruction::Pieces(bound) = &mut altered {
        bound.pieces = IBig::from(3);
    }
    assert!(altered.check().is_err());
}
