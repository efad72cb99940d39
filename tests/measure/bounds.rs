//! The bounds on norms against their formulas, and against the complexities that they bound.

use proptest::prelude::*;
use rand::RngExt;
use rand::distr::Uniform;
use shatter_exact::Rational;
use shatter_measure::margin::Margins;
use shatter_measure::ramp::{Case, Grid, contraction, least};
use shatter_measure::{
    Enclosure, Kind, Norms, Perceptron, PointSizes, bartlett, golowich, neyshabur,
};
use shatter_network::Mlp;
use shatter_network::reading::{How, Reading};
use shatter_random::stream::{Purpose, stream_at};
use shatter_sample::Labels;

use crate::common::cases;
use crate::networks::{by_extended, exact, fraction, of};

/// A perceptron of these widths with numbers of these eighths, without biases if so said.
fn network(widths: &str, numbers: &[i32], biased: bool) -> Perceptron {
    let mlp: Mlp = widths.parse().unwrap();
    let mut numbers = numbers.iter().cycle();
    let mut network = mlp.network(|| fraction(*numbers.next().unwrap(), 8));
    if !biased {
        network
            .hidden
            .iter_mut()
            .chain([&mut network.output])
            .flatten()
            .for_each(|unit| unit.bias = Rational::ZERO);
    }
    of(&network)
}

/// Everything that a case borrows.
struct Held {
    perceptron: Perceptron,
    norms: Norms,
    sizes: PointSizes,
    margins: Margins,
}

impl Held {
    fn new(perceptron: Perceptron, points: &[f64], how: How, classes: &[u32], shrink: f64) -> Held {
        let (d, k) = (perceptron.inputs, perceptron.outputs());
        let outputs: Vec<f64> = points
            .chunks(d)
            .flat_map(|x| by_extended(&perceptron, x))
            .map(|x| x.to_f64().value() * shrink)
            .collect();
        let count = if how == How::Largest { k as u32 } else { 2 };
        let labels = Labels::classes(classes.to_vec(), count).unwrap();
        let labels = Reading::new(how).bind(&labels, k).unwrap();
        Held {
            norms: Norms::of(&perceptron, None).unwrap(),
            sizes: PointSizes::of(points, d).unwrap(),
            margins: Margins::of(&outputs, k, &labels, 0.0).unwrap(),
            perceptron,
        }
    }

    fn case(&self, delta: f64) -> Case<'_> {
        let Held { perceptron, norms, sizes, margins } = self;
        Case { perceptron, norms, sizes, margins, delta }
    }
}

/// (1/n) E_σ max over networks of Σ_{i,c} σ_ic f_c(x_i), over all signs; `values` has a row of n · C numbers a
/// network.
fn complexity(values: &[Vec<f64>], n: usize) -> f64 {
    let signs = values[0].len();
    let total: f64 = (0..1u32 << signs)
        .map(|pattern| {
            let sign = |k: usize| if pattern >> k & 1 == 1 { 1.0 } else { -1.0 };
            let sum =
                |row: &Vec<f64>| row.iter().enumerate().map(|(k, x)| sign(k) * x).sum::<f64>();
            values.iter().map(sum).fold(f64::NEG_INFINITY, f64::max)
        })
        .sum();
    total / f64::from(1u32 << signs) / n as f64
}

/// Random networks of these widths whose norm, as `norm` says, is 1: their values at the points.
fn of_norm_one(
    widths: &str,
    points: &[f64],
    count: u32,
    norm: impl Fn(&Perceptron) -> f64,
) -> Vec<Vec<f64>> {
    let uniform = Uniform::new_inclusive(-16i32, 16).unwrap();
    let mlp: Mlp = widths.parse().unwrap();
    (0..count)
        .flat_map(|index| {
            let mut rng = stream_at(7, Purpose::Points, index);
            let numbers: Vec<i32> = (0..mlp.parameters()).map(|_| rng.sample(uniform)).collect();
            let perceptron = network(widths, &numbers, false);
            let size = norm(&perceptron);
            let values = |sign: f64| {
                points
                    .chunks(perceptron.inputs)
                    .flat_map(|x| by_extended(&perceptron, x))
                    .map(|y| sign * y.to_f64().value() / size)
                    .collect::<Vec<f64>>()
            };
            if size > 0.0 { vec![values(1.0), values(-1.0)] } else { Vec::new() }
        })
        .collect()
}

#[test]
fn complexities_of_many_networks_are_below_the_bounds() {
    let points = [1.0, 0.5, -1.0, 2.0, 0.25, -0.75, -2.0, -1.0, 1.5, 1.0];
    for widths in ["2-1", "2-3-1", "2-2-2-1", "2-3-2"] {
        let count = points.len() / 2;
        let any = network(widths, &[1], false);
        let outputs = any.outputs();
        let classes = vec![0; count];
        let how = if outputs == 1 { How::Sign } else { How::Largest };
        let held = Held::new(any, &points, how, &classes, 1.0);
        let case = held.case(0.05);
        let of_case = |perceptron: &Perceptron| {
            let norms = Norms::of(perceptron, None).unwrap();
            golowich::norm(&Case { perceptron, norms: &norms, ..case }).high()
        };
        let found = complexity(&of_norm_one(widths, &points, 60, of_case), count);
        let bound = golowich::rademacher(&case).high();
        // The points' own scale is reached within a factor that L and C explain.
        assert!(found <= bound && found > 0.05 * bound, "{widths}: {found} {bound}");
        let phi_1 =
            |perceptron: &Perceptron| shatter_measure::path::path_norms(perceptron).phi_1().high();
        let found = complexity(&of_norm_one(widths, &points, 60, phi_1), count);
        let bound = neyshabur::complexity_by_sizes(&case).high();
        assert!(found <= bound && found > 0.05 * bound, "{widths}: {found} {bound}");
    }
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn bounds_are_their_formulas_rounded_up(numbers in prop::collection::vec(-16i32..=16, 13), biased in any::<bool>(), x in prop::collection::vec(-8i32..=8, 8), delta in 0.001..0.5f64) {
        let points: Vec<f64> = x.iter().map(|&x| f64::from(x) / 4.0).collect();
        let held = Held::new(network("2-3-1", &numbers, biased), &points, How::Sign, &[0, 1, 1, 0], 1.0);
        let case = held.case(delta);
        let squares: f64 = points.iter().map(|x| x * x).sum::<f64>()
            + if held.perceptron.takes_constant(0) { 4.0 } else { 0.0 };
        let unit = squares.sqrt() * (1.0 + (2.0 * 2f64.ln()).sqrt()) / 4.0;
        let near = |found: f64, expected: f64| (found - expected).abs() <= 1e-12 * expected.abs();
        prop_assert!(near(golowich::rademacher(&case).high(), unit));
        let norm = golowich::norm(&case).high();
        let frobenius = |index: usize| held.perceptron.extended(index).entries.iter().map(|x| x * x).sum::<f64>().sqrt();
        prop_assert!(near(norm, frobenius(0) * frobenius(1)));
        let Some(found) = golowich::at_margin(&case).unwrap() else { panic!() };
        prop_assert!(near(found.total, found.train + found.complexity + found.confidence));
        // The class is the next of the grid, at most 2^{1/4} away, and its price is small.
        let least_complexity = 2.0 * norm / found.gamma * unit;
        prop_assert!(norm == 0.0 || found.complexity >= least_complexity && found.complexity <= 1.2 * least_complexity, "{found:?}");
        let no_price = 3.0 * ((2.0 / delta).ln() / 8.0).sqrt();
        prop_assert!(found.confidence >= no_price && found.confidence <= 6.0 * no_price + 40.0);
        let findings = [golowich::bound(&case).unwrap(), bartlett::bound(&case).unwrap()];
        for finding in findings.iter().chain(&neyshabur::bounds(&case).unwrap()) {
            prop_assert!(finding.kind == Kind::Bound && finding.says == Some(finding.value));
            prop_assert!(finding.value > 1.0 && finding.vacuity(2).unwrap().against_one); // of four points
        }
        // A smaller δ costs more.
        let more = golowich::at_margin(&held.case(delta / 2.0)).unwrap().unwrap();
        prop_assert!(more.total > found.total);
    }

    #[test]
    fn outputs_and_weights_scaled_together_change_nothing_but_the_grid(numbers in prop::collection::vec(1i32..=16, 13)) {
        // Four times the last layer: margins are four times as large, and a quarter as far apart on the grid.
        let points = [1.0, -1.0, 0.5, 2.0];
        let plain = Held::new(network("2-3-1", &numbers, false), &points, How::Sign, &[0, 1], 1.0);
        let mut scaled = plain.perceptron.clone();
        scaled.layers[1].weights.iter_mut().for_each(|w| *w *= 4.0);
        let scaled = Held::new(scaled, &points, How::Sign, &[0, 1], 1.0);
        let total = |held: &Held| golowich::at_margin(&held.case(0.05)).unwrap().unwrap();
        let (one, four) = (total(&plain), total(&scaled));
        prop_assert!((one.total - four.total).abs() <= 1e-12 * one.total, "{one:?} {four:?}");
    }

    #[test]
    fn the_grid_is_above_and_near(x in 1e-200..1e200f64) {
        let grid = Grid::above(Enclosure::exact(x)).unwrap();
        prop_assert!(grid.value.low() >= x && grid.value.high() <= x * 1.2);
        let j = grid.index.unsigned_abs() as f64;
        prop_assert!((grid.price.high() - (2.0 * (j + 1.0) * (j + 2.0)).ln()).abs() < 1e-10);
    }

    #[test]
    fn chaining_is_the_integral_and_grows(k in 0.001..40.0f64, n in 1usize..100_000) {
        let found = bartlett::chained(Enclosure::exact(k), n).high();
        let count = n as f64;
        if 3.0 * k <= count {
            // 4 α √n + 12 ∫_α^{√n} K/β dβ by the midpoint rule, in steps that grow with β.
            let alpha = 3.0 * k / count.sqrt();
            let steps = 2000;
            let ratio = (count.sqrt() / alpha).powf(1.0 / f64::from(steps));
            let step = |i| {
                let from = alpha * ratio.powi(i);
                k / (from * (1.0 + ratio) / 2.0) * from * (ratio - 1.0)
            };
            let integral: f64 = (0..steps).map(step).sum();
            let expected = ((4.0 * alpha * count.sqrt() + 12.0 * integral) / count).min(1.0);
            prop_assert!((found - expected).abs() <= 1e-5 * expected, "{found} {expected}");
        } else {
            prop_assert_eq!(found, 1.0);
        }
        prop_assert!(bartlett::chained(Enclosure::exact(k * 1.01), n).high() >= found);
    }
}

#[test]
fn weights_of_the_grid_sum_to_less_than_one() {
    let weight = |j: i64| Rational::ONE / Rational::from(2 * (j.abs() + 1) * (j.abs() + 2));
    let sum = (-200..=200).map(weight).fold(Rational::ZERO, |sum, w| sum + w);
    // The rest sums to 1/202.
    assert!(sum + Rational::ONE / Rational::from(202) < Rational::ONE);
    assert!(Grid::above(Enclosure::exact(f64::INFINITY)).is_none());
    assert!(Grid::above(Enclosure::ZERO).unwrap().value.high() < 1e-300);
}

#[test]
fn a_wide_margin_and_many_points_are_not_vacuous() {
    // ⟨w, x⟩ with x = ±1.125: 200,000 points at margin 1.125 of a class of norm 1.
    let n = 200_000;
    let points: Vec<f64> = (0..n).map(|i| if i % 2 == 0 { 1.125 } else { -1.125 }).collect();
    let classes: Vec<u32> = (0..n).map(|i| u32::from(i % 2 == 0)).collect();
    let held = Held::new(network("1-1", &[8], false), &points, How::Sign, &classes, 1.0);
    let case = held.case(0.05);
    let findings = [golowich::bound(&case).unwrap(), bartlett::bound(&case).unwrap()];
    for (finding, most) in
        findings.iter().chain(&neyshabur::bounds(&case).unwrap()).zip([0.05, 0.75, 0.05, 0.05])
    {
        let vacuity = finding.vacuity(2).unwrap();
        assert!(!vacuity.against_one && finding.value < most, "{finding:?}");
    }
    // Two outputs in place of one: by their difference the same, by both of them more.
    let doubled = "1-2".parse::<Mlp>().unwrap();
    let mut numbers = [fraction(-4, 8), Rational::ZERO, fraction(4, 8), Rational::ZERO].into_iter();
    let two = of(&doubled.network(|| numbers.next().unwrap()));
    let both = Held::new(two, &points, How::Largest, &classes, 1.0);
    let difference =
        Held { perceptron: held.perceptron.clone(), norms: held.norms.clone(), ..both };
    let by_difference = golowich::bound(&difference.case(0.05)).unwrap().value;
    assert!((by_difference - findings[0].value).abs() < 1e-12);
    assert_eq!(contraction(How::Largest, 2).high(), 2.0);
}

#[test]
fn measures_without_constants_bound_nothing() {
    let held = Held::new(
        network("2-3-1", &[3, -5, 7], true),
        &[1.0, 2.0, -1.0, 0.5],
        How::Sign,
        &[0, 1],
        1.0,
    );
    let found = neyshabur::spectral(&held.case(0.1), 0.5).unwrap();
    assert!(found.kind == Kind::Measure && found.says.is_none() && found.failing().is_some());
    // B² L² h ln(L h) Π s² Σ F²/s² / (γ² n), with h = 4 (three units and the constant).
    let norms = &held.norms.layers;
    let (s, f): (Vec<f64>, Vec<f64>) =
        norms.iter().map(|l| (l.spectral.high(), l.frobenius.high())).unzip();
    let ratios: f64 = s.iter().zip(&f).map(|(s, f)| f * f / (s * s)).sum();
    let product: f64 = s.iter().map(|s| s * s).product();
    let expected = (6.0 * 4.0 * 4.0 * 8f64.ln() * product * ratios / (0.25 * 2.0)).sqrt();
    assert!((found.value - expected).abs() < 1e-9 * expected, "{} {expected}", found.value);
    assert!(neyshabur::spectral(&held.case(0.1), 0.0).is_err());
    // R_A without a start is that of distances from 0.
    let r: f64 = norms
        .iter()
        .map(|l| (l.distance.rows.high() / l.spectral.high()).powf(2.0 / 3.0))
        .sum::<f64>()
        .powf(1.5);
    let expected = s.iter().product::<f64>() * r;
    assert!((bartlett::complexity(&held.case(0.1)).high() - expected).abs() < 1e-9 * expected);
}

/// The next number of the grid 2^{j/4}.
fn next_of_grid(x: f64) -> f64 {
    2f64.powf((4.0 * x.log2()).ceil() / 4.0)
}

#[test]
fn constants_of_several_outputs_and_of_the_covering_argument() {
    let points = [1.0, 2.0, -1.0, 0.5, 3.0, 0.25];
    let numbers = [3, -5, 7, 2, 11];
    let held =
        Held::new(network("2-3-3-3", &numbers, true), &points, How::Largest, &[0, 1, 2], 1.0);
    let case = held.case(0.1);
    let near = |found: f64, expected: f64| {
        assert!((found - expected).abs() <= 1e-10 * expected, "{found} {expected}");
    };
    // Three outputs, three layers, n = 3; every layer has biases, so the constant is a coordinate.
    let squares = points.iter().map(|x| x * x).sum::<f64>() + 3.0;
    let logarithms = 2.0 * 2f64.ln() + 3f64.ln();
    near(
        golowich::rademacher(&case).high(),
        squares.sqrt() / 3.0 * (1.0 + (2.0 * logarithms).sqrt()),
    );
    let logarithms = 2.0 * 2f64.ln() + (2.0 * 3.0 * 3.0f64).ln();
    near(
        neyshabur::complexity_by_sizes(&case).high(),
        11f64.sqrt() / 3.0 * (2.0 * logarithms).sqrt(),
    );
    let entries = |index: usize| held.perceptron.extended(index);
    let frobenius = |index: usize| entries(index).entries.iter().map(|x| x * x).sum::<f64>().sqrt();
    let rows = |index: usize| {
        let matrix = entries(index);
        let rows = matrix.entries.chunks(matrix.columns);
        rows.map(|row| row.iter().map(|x| x * x).sum::<f64>().sqrt()).collect::<Vec<f64>>()
    };
    let last: f64 = rows(2).iter().sum();
    near(golowich::norm(&case).high(), frobenius(0) * frobenius(1) * last);
    // 2 · λ · a unit, with λ = 2 and a on the grid for M/γ.
    let found = golowich::at_margin(&case).unwrap().unwrap();
    let a = next_of_grid(golowich::norm(&case).high() / found.gamma);
    near(found.complexity, 2.0 * 2.0 * a * golowich::rademacher(&case).high());
    let j = (4.0 * a.log2()).round().abs();
    let confidence = ((2.0 / 0.1f64).ln() + (2.0 * (j + 1.0) * (j + 2.0)).ln()) / 6.0;
    near(found.confidence, 3.0 * confidence.sqrt());

    // The covering argument is vacuous for three points: compare K itself, through many points of the same norm.
    let n = 1 << 40;
    let sizes = PointSizes { n, squares: Enclosure::exact(2.0), ..held.sizes.clone() };
    let sizes = sizes.with_constant();
    let mut sum = 0.0;
    let mut product = 1.0;
    for (index, layer) in held.norms.layers.iter().enumerate() {
        // Without a start distances are from 0, but for the 1 that passes the constant on.
        let b: f64 = rows(index)[..3].iter().sum();
        near(layer.distance.rows.high(), b);
        let (b, s) = (next_of_grid(b), next_of_grid(layer.spectral.high()));
        sum += (b / s).powf(2.0 / 3.0);
        product *= s;
    }
    let k = |gamma: f64| {
        // N = 4: three units and the constant; the margin is √2-Lipschitz.
        (8.0 * 32f64.ln()).sqrt()
            * sizes.squares.high().sqrt()
            * product
            * sum.powf(1.5)
            * 2f64.sqrt()
            / gamma
    };
    let n = n as f64;
    let expected = |gamma| 12.0 * k(gamma) / n * (1.0 + (n / (3.0 * k(gamma))).ln());
    let unit = bartlett::rademacher(
        &Case {
            sizes: &PointSizes { squares: Enclosure::exact(2.0), n: 1 << 40, ..held.sizes.clone() },
            ..case
        },
        0.5,
    );
    near(unit.unwrap().0.high(), expected(0.5));
}

#[test]
fn a_start_with_biases_appends_the_constant() {
    let points = [1.0, 2.0, -1.0, 0.5];
    let plain = network("2-3-1", &[3, -5, 7], false);
    let start = network("2-3-1", &[1, 2], true);
    let held = Held::new(plain, &points, How::Sign, &[0, 1], 1.0);
    assert_eq!(held.case(0.1).points(), held.sizes);
    let norms = Norms::of(&held.perceptron, Some(&start)).unwrap();
    let case = Case { norms: &norms, ..held.case(0.1) };
    assert_eq!(case.points(), held.sizes.with_constant());
    // Its matrices have a column more, and the first a row more: the constant is passed on to the start's second
    // bias.
    assert_eq!((norms.widest, held.norms.widest), (4, 3));
    // Distances count the biases of the start.
    let apart: f64 = (0..2)
        .map(|index| {
            let (own, from) = (&held.perceptron.layers[index], &start.layers[index]);
            let weights = own.weights.iter().zip(&from.weights).map(|(x, y)| (x - y) * (x - y));
            weights.sum::<f64>() + from.bias.iter().map(|b| b * b).sum::<f64>()
        })
        .sum();
    assert!((norms.distance().high() - apart.sqrt()).abs() < 1e-12);
    assert!(bartlett::bound(&case).unwrap().assumptions.len() == 5);
}

#[test]
fn sizes_of_points_by_double_loops() {
    // More than one block.
    let (n, d) = (2500, 3);
    let at = |i: usize, k: usize| ((7 * i + 3 * k) % 19) as f64 - 9.0;
    let points: Vec<f64> = (0..n * d).map(|x| at(x / d, x % d)).collect();
    let found = PointSizes::of(&points, d).unwrap();
    let square = |i: usize| (0..d).map(|k| at(i, k) * at(i, k)).sum::<f64>();
    let column = |k: usize| (0..n).map(|i| at(i, k) * at(i, k)).sum::<f64>();
    let largest = |of: &dyn Fn(usize) -> f64, count| (0..count).map(of).fold(0.0, f64::max);
    assert_eq!(found.squares, Enclosure::exact((0..n).map(square).sum()));
    assert_eq!(found.largest, Enclosure::exact(largest(&square, n)));
    assert_eq!(found.largest_column, Enclosure::exact(largest(&column, d)));
    assert_eq!(found.box_sides, [9.0; 3]);
}

#[test]
fn probabilities_and_sizes_are_checked() {
    let held = Held::new(
        network("2-3-1", &[3, -5, 7], true),
        &[1.0, 2.0, -1.0, 0.5],
        How::Sign,
        &[0, 1],
        1.0,
    );
    for delta in [0.0, 1.0, -1.0, f64::NAN, 2.0] {
        assert!(golowich::bound(&held.case(delta)).is_err(), "{delta}");
    }
    let other = PointSizes::of(&[1.0; 6], 2).unwrap();
    assert!(golowich::bound(&Case { sizes: &other, ..held.case(0.1) }).is_err());
    let none = least(&held.margins, 0.1, true, |_| None).unwrap();
    assert_eq!(none, None);
    assert_eq!(held.case(0.1).finding("a", None).value, f64::INFINITY);
    assert!(exact(held.sizes.squares.high()) == fraction(25, 4));
}
