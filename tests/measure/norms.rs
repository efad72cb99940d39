//! Norms against sums over paths, double loops and closed forms; their invariances.

use proptest::prelude::*;
use shatter_exact::Rational;
use shatter_measure::layers::{ExactPerceptron, Matrix};
use shatter_measure::norms::{Norms, of_graphs};
use shatter_measure::path::{exactly, path_norms};
use shatter_measure::spectral::spectral;
use shatter_measure::{Enclosure, MeasureError, Outputs};
use shatter_network::{Graph, Layered, Unit};

use crate::common::cases;
use crate::networks::{dense, encloses, exact, fraction, of, perceptrons};

/// Σ over the paths that end in number `j` of layer `layer` (0: the point), by the definition.
fn paths(
    network: &Layered,
    layer: usize,
    j: usize,
    of: &dyn Fn(&Rational) -> Rational,
) -> Rational {
    if layer == 0 {
        return Rational::ONE;
    }
    let layers: Vec<&Vec<Unit>> = network.layers().collect();
    let unit = &layers[layer - 1][j];
    // The path from the constant of this bias, and those through every number before.
    unit.weights.iter().fold(of(&unit.bias), |sum, (from, weight)| {
        sum + of(weight) * paths(network, layer - 1, *from, of)
    })
}

fn size(x: &Rational) -> Rational {
    if *x < Rational::ZERO { -x } else { x.clone() }
}

fn square(x: &Rational) -> Rational {
    x * x
}

fn path_norm(network: &Layered, of: &dyn Fn(&Rational) -> Rational) -> Rational {
    let depth = network.hidden.len() + 1;
    let each = (0..network.output.len()).map(|j| paths(network, depth, j, of));
    each.fold(Rational::ZERO, |sum, x| sum + x)
}

/// √ of an enclosure's image: whether the square of an enclosed number is `x`.
fn encloses_root(found: Enclosure, x: &Rational) -> bool {
    exact(found.low()) * exact(found.low()) <= *x && exact(found.high()) * exact(found.high()) >= *x
}

fn exact_norms(network: &Layered) -> (Rational, Rational) {
    let perceptron = ExactPerceptron::of(&network.into(), Outputs::All).unwrap();
    let norms = exactly(&perceptron).unwrap();
    (norms.phi_1(), norms.phi_2_squared())
}

/// Multiplies what unit `j` of hidden layer `layer` takes by c, and divides what it gives.
fn rescaled(network: &Layered, layer: usize, j: usize, c: &Rational) -> Layered {
    let mut network = network.clone();
    let unit = &mut network.hidden[layer][j];
    unit.bias = &unit.bias * c;
    unit.weights.iter_mut().for_each(|(_, weight)| *weight = &*weight * c);
    let after = match layer + 1 < network.hidden.len() {
        true => &mut network.hidden[layer + 1],
        false => &mut network.output,
    };
    for (from, weight) in after.iter_mut().flat_map(|unit| &mut unit.weights) {
        if *from == j {
            *weight = &*weight / c;
        }
    }
    network
}

/// Reverses the order of the units of a hidden layer.
fn reversed(network: &Layered, layer: usize) -> Layered {
    let mut network = network.clone();
    network.hidden[layer].reverse();
    let last = network.hidden[layer].len() - 1;
    let after = match layer + 1 < network.hidden.len() {
        true => &mut network.hidden[layer + 1],
        false => &mut network.output,
    };
    for (from, _) in after.iter_mut().flat_map(|unit| &mut unit.weights) {
        *from = last - *from;
    }
    network
}

fn overlap(x: Enclosure, y: Enclosure) -> bool {
    x.low() <= y.high() && y.low() <= x.high()
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn path_norms_are_sums_over_paths(network in perceptrons(), c in 1i32..=9, e in 1u32..=9) {
        let (phi_1, phi_2) = exact_norms(&network);
        prop_assert_eq!(&phi_1, &path_norm(&network, &size));
        prop_assert_eq!(&phi_2, &path_norm(&network, &square));
        let found = path_norms(&of(&network));
        prop_assert!(encloses(found.phi_1(), &phi_1) && encloses_root(found.phi_2(), &phi_2));
        prop_assert!(found.phi_1().width() <= 1e-12 * found.phi_1().high());
        let same = ExactPerceptron::of(&dense(&network), Outputs::All).unwrap();
        prop_assert_eq!(exactly(&same).unwrap().phi_1(), phi_1);
        for layer in 0..network.hidden.len() {
            let other = rescaled(&network, layer, 0, &fraction(c, e));
            prop_assert_eq!(exact_norms(&other), exact_norms(&network));
            // Fractions are rounded, and the enclosure accounts for it.
            let rounded = path_norms(&of(&other));
            prop_assert!(encloses(rounded.phi_1(), &exact_norms(&network).0));
            prop_assert_eq!(exact_norms(&reversed(&network, layer)), exact_norms(&network));
        }
    }

    #[test]
    fn norms_of_layers_are_their_sums(network in perceptrons()) {
        let perceptron = of(&network);
        let norms = Norms::of(&perceptron, None).unwrap();
        for (index, found) in norms.layers.iter().enumerate() {
            let Matrix { rows, columns, entries } = perceptron.extended(index);
            let squares = |row: &[f64]| row.iter().fold(Rational::ZERO, |sum, &x| sum + exact(x) * exact(x));
            prop_assert!(encloses_root(found.frobenius, &squares(&entries)));
            let row = |i: usize| squares(&entries[i * columns..(i + 1) * columns]).to_f64().value().sqrt();
            let sum: f64 = (0..rows).map(row).sum();
            prop_assert!((found.rows.high() - sum).abs() <= 1e-13 * sum && found.rows.width() <= 1e-13 * sum);
            prop_assert!(found.spectral.low() <= found.frobenius.high());
            prop_assert!(found.distance.frobenius.high() <= found.frobenius.high());
        }
        // From itself the distance is 0; from another network it is symmetric.
        let own = Norms::of(&perceptron, Some(&perceptron)).unwrap();
        prop_assert_eq!(own.distance(), Enclosure::ZERO);
        // Units in another order: no norm changes.
        for layer in 0..network.hidden.len() {
            let other = Norms::of(&of(&reversed(&network, layer)), None).unwrap();
            prop_assert!(overlap(other.frobenius(), norms.frobenius()));
            prop_assert!(overlap(other.spectral(), norms.spectral()));
            prop_assert!(overlap(other.distance(), norms.distance()));
        }
    }

    #[test]
    fn distances_are_norms_of_differences(a in prop::collection::vec(-16i32..=16, 6), b in prop::collection::vec(-16i32..=16, 6)) {
        let network = |numbers: &[i32]| {
            let mut numbers = numbers.iter();
            "2-1-1".parse::<shatter_network::Mlp>().unwrap()
                .network(|| numbers.next().map_or(Rational::ONE, |&x| fraction(x, 8)))
        };
        let graph = |numbers: &[i32]| Graph::from(network(numbers));
        let (_, one) = of_graphs(&graph(&a), Some(&graph(&b))).unwrap();
        let (_, other) = of_graphs(&graph(&b), Some(&graph(&a))).unwrap();
        let squares = a.iter().zip(&b).take(5).map(|(x, y)| (x - y) * (x - y)).sum::<i32>();
        prop_assert_eq!(one.distance(), other.distance());
        prop_assert!(encloses_root(one.distance(), &fraction(squares, 64)));
    }

    #[test]
    fn spectral_norms_are_enclosed(rows in 1usize..=6, columns in 1usize..=6, seed in prop::collection::vec(-50i32..=50, 36), scale in -300i32..=300, v in prop::collection::vec(-5i32..=5, 6)) {
        let entries: Vec<f64> = seed[..rows * columns].iter().map(|&x| f64::from(x)).collect();
        let matrix = Matrix { rows, columns, entries: entries.clone() };
        let found = spectral(&matrix);
        // No vector is stretched by more.
        let at = |i: usize, k: usize| i64::from(seed[i * columns + k]);
        let image = |i: usize| (0..columns).map(|k| at(i, k) * i64::from(v[k])).sum::<i64>();
        let stretched: i64 = (0..rows).map(|i| image(i) * image(i)).sum();
        let length: i64 = v[..columns].iter().map(|&x| i64::from(x) * i64::from(x)).sum();
        let square = exact(found.high()) * exact(found.high());
        prop_assert!(square * Rational::from(length) >= Rational::from(stretched));
        prop_assert!(found.width() <= 1e-6 * found.high(), "{found:?}");
        // By a power of two it scales, and the transpose has the same norm.
        let by = 2f64.powi(scale);
        let scaled = Matrix { rows, columns, entries: entries.iter().map(|x| x * by).collect() };
        prop_assert!(overlap(spectral(&scaled), found * Enclosure::exact(by)));
        let transposed = Matrix { rows: columns, columns: rows, entries: (0..rows * columns).map(|k| entries[k % rows * columns + k / rows]).collect() };
        prop_assert!(overlap(spectral(&transposed), found));
        if (rows, columns) == (2, 2) {
            // λ² − t λ + det² = 0 for the squares of singular values, in integers.
            let t: i64 = seed[..4].iter().map(|&x| i64::from(x) * i64::from(x)).sum();
            let det = at(0, 0) * at(1, 1) - at(0, 1) * at(1, 0);
            let root = (Enclosure::whole((t * t - 4 * det * det) as u64)).sqrt();
            let closed = ((Enclosure::whole(t as u64) + root) / Enclosure::exact(2.0)).sqrt();
            prop_assert!(overlap(closed, found), "{closed:?} {found:?}");
        }
    }
}

#[test]
fn spectral_norms_of_special_matrices() {
    let matrix = |rows, columns, entries: Vec<f64>| Matrix { rows, columns, entries };
    assert_eq!(spectral(&matrix(2, 2, vec![0.0; 4])), Enclosure::ZERO);
    // A vector's is its length.
    let five = spectral(&matrix(1, 2, vec![3.0, 4.0]));
    assert!(five.contains(5.0) && five.width() < 1e-14);
    // Hadamard's matrix of side 32 has √32.
    let sign = |i: usize, k: usize| if (i & k).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 };
    let hadamard = spectral(&matrix(32, 32, (0..1024).map(|at| sign(at / 32, at % 32)).collect()));
    assert!(hadamard.contains(32f64.sqrt()) && hadamard.width() < 1e-11, "{hadamard:?}");
    let tiny = spectral(&matrix(1, 2, vec![5e-324, 0.0]));
    assert!(tiny.contains(5e-324));
    let large = spectral(&matrix(2, 2, vec![0.75e308; 4]));
    assert!(large.contains(1.5e308) && large.width() < 1e296);
}

#[test]
fn starts_of_other_shapes_are_refused() {
    let network = |text: &str| {
        Graph::from(text.parse::<shatter_network::Mlp>().unwrap().network(|| Rational::ONE))
    };
    let error = of_graphs(&network("2-3-1"), Some(&network("2-4-1"))).unwrap_err();
    let expected = MeasureError::Start { layer: 0, start: "4×2".into(), network: "3×2".into() };
    assert_eq!(error, expected);
    assert_eq!(error.to_string(), "layer 0: the start has 4×2, the network 3×2");
}
