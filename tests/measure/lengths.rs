//! Description lengths against codes that are written out, VC bounds against their certificates, and counts.

use proptest::prelude::*;
use shatter_exact::{Format, Rational};
use shatter_measure::counts::{SizeCounts, parameters};
use shatter_measure::occam::{self, Memorizer, Quantized, elias, of_file, of_floats, of_fractions};
use shatter_measure::{Kind, MeasureError, vc};
use shatter_network::graph::{Normalization, Operator};
use shatter_network::reading::How;
use shatter_network::{Graph, Mlp};

use crate::common::cases;
use crate::networks::{chain, dense, fraction, of, perceptrons};

/// Elias' δ code, as text.
fn code(n: u64) -> String {
    let binary = |n: u64| format!("{n:b}");
    let length = binary(binary(n).len() as u64);
    format!("{}{}{}", "0".repeat(length.len() - 1), length, &binary(n)[1..])
}

/// Reads a number from the front of a text.
fn decode(text: &str) -> (u64, &str) {
    let zeros = text.find('1').unwrap();
    let length = u64::from_str_radix(&text[zeros..=2 * zeros], 2).unwrap() as usize;
    let rest = &text[2 * zeros + 1..];
    (u64::from_str_radix(&format!("1{}", &rest[..length - 1]), 2).unwrap(), &rest[length - 1..])
}

#[test]
fn lengths_are_those_of_a_prefix_free_code() {
    let mut kraft = 0.0;
    for n in 1..5000 {
        assert_eq!(elias(n), code(n).len() as u64, "{n}");
        assert_eq!(decode(&format!("{}0110", code(n))), (n, "0110"));
        kraft += 2f64.powi(-(elias(n) as i32));
    }
    assert!(kraft < 1.0);
    assert_eq!(elias(u64::MAX), code(u64::MAX).len() as u64);
    assert_eq!(of_file(3), 24 + elias(4) + 2);
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn quantized_numbers_are_multiples_of_a_step(network in perceptrons(), k in 2u32..=24) {
        let perceptron = of(&network);
        let found = Quantized::of(&perceptron, k).unwrap();
        let most = f64::from((1u32 << (k - 1)) - 1);
        for (layer, quantized) in perceptron.layers.iter().zip(&found.perceptron.layers) {
            let all = layer.weights.iter().chain(&layer.bias);
            let largest = all.clone().fold(0.0, |most: f64, x| most.max(x.abs()));
            let step = f64::from((largest / most * (1.0 + 1e-7)) as f32).max(largest / most);
            for (x, near) in all.zip(quantized.weights.iter().chain(&quantized.bias)) {
                prop_assert!((x - near).abs() <= 0.5001 * step, "{x} {near} {step}");
            }
        }
        let count: u64 = parameters(&dense(&network));
        let plain = of_floats(&perceptron, Format::F64).unwrap() - 64 * count;
        prop_assert_eq!(found.bits, plain + 5 + 32 * perceptron.depth() as u64 + u64::from(k) * count);
        prop_assert_eq!(of_floats(&perceptron, Format::F32).unwrap(), plain + 32 * count);
        // Quantizing again changes nothing.
        let again = Quantized::of(&found.perceptron, k).unwrap();
        for (x, y) in again.perceptron.layers.iter().zip(&found.perceptron.layers) {
            for (x, y) in x.weights.iter().zip(&y.weights) {
                prop_assert!((x - y).abs() <= 1e-6 * x.abs());
            }
        }
    }

    #[test]
    fn occam_is_its_formula_rounded_up(bits in 1u64..100_000, n in 1u64..100_000, part in 0.0..1.0f64, delta in 0.001..0.5f64) {
        let errors = (part * n as f64) as u64;
        let found = occam::bound(bits, errors, n, delta).unwrap();
        let epsilon = (bits as f64 * 2f64.ln() + (1.0 / delta).ln()) / n as f64;
        let mut expected = errors as f64 / n as f64 + (epsilon / 2.0).sqrt();
        if errors == 0 {
            expected = expected.min(1.0 - (-epsilon).exp());
        }
        prop_assert!((found.value - expected).abs() <= 1e-11 * expected, "{} {expected}", found.value);
        prop_assert_eq!((found.kind, found.says), (Kind::Bound, Some(found.value)));
        let more = occam::bound(bits + 1, errors, n, delta).unwrap();
        prop_assert!(more.value >= found.value);
    }

    #[test]
    fn memorizers_of_random_labels_have_vacuous_bounds(n in 1u64..2000, classes in 2u64..20, delta in 0.001..0.5f64) {
        let found = Memorizer::of(0, n, classes).unwrap();
        prop_assert!(found.floor > found.chance && found.excess == -(found.label_bits as i64));
        // The additive form of the bound, with as many bits as the labels have.
        let epsilon = found.label_bits as f64 * 2f64.ln() / n as f64;
        prop_assert!((epsilon / 2.0).sqrt() >= found.floor);
        let bound = occam::bound(found.label_bits, 1.min(n), n, delta).unwrap();
        prop_assert!(bound.vacuity(classes as u32).unwrap().against_chance);
    }

    #[test]
    fn growth_functions_agree_with_the_certificate(inputs in 1usize..20, hidden in prop::collection::vec(1usize..12, 0..3)) {
        let mlp = Mlp::new(inputs, hidden, 1).unwrap();
        let v = vc::dimension(&mlp).unwrap();
        // The certificate holds at v + 1 points, and not at v.
        prop_assert!(vc::log2_patterns(&mlp, 1, v + 1) < (v + 1) as f64 + 1e-6);
        prop_assert!(vc::log2_patterns(&mlp, 1, v) > v as f64 - 1e-6);
        let finding = vc::dimension_finding(&mlp).unwrap();
        prop_assert_eq!((finding.value, finding.kind), (v as f64, Kind::Bound));
        // A hyperplane's dimension is d + 1, and no bound is below.
        prop_assert!(v > inputs as u64);
    }

    #[test]
    fn vc_bounds_are_their_formulas(n in 1u64..1_000_000, v in 0u64..2000, delta in 0.001..0.5f64) {
        let found = vc::from_dimension(v, 0, n, delta).unwrap();
        let (count, dimension) = (n as f64, v as f64);
        let all = count * 2f64.ln();
        let patterns = if v == 0 { 0.0 } else if n < v { all } else { (dimension * (1.0 + (count / dimension).ln())).min(all) };
        let expected = (2.0 * patterns / count).sqrt() + ((1.0 / delta).ln() / (2.0 * count)).sqrt();
        prop_assert!((found - expected).abs() <= 1e-11 * expected, "{found} {expected}");
        // Fewer points than the dimension: vacuous, whatever was fitted.
        prop_assert!(n > v || found > 1.0 || v == 0);
        prop_assert!(vc::from_dimension(v + 1, 0, n, delta).unwrap() >= found * (1.0 - 1e-12));
    }

    #[test]
    fn shattered_points_have_short_sums_of_signs(x in prop::collection::vec(-8i32..=8, 6), lambda in 0.1..4.0f64, gamma in 0.05..4.0f64) {
        // Three points of the plane are γ-shattered only if Λ min_σ ‖Σ σ_i x_i‖ >= 3γ; then the bound allows them.
        let points: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
        let sum = |pattern: u32, k: usize| (0..3).map(|i| if pattern >> i & 1 == 1 { points[2 * i + k] } else { -points[2 * i + k] }).sum::<f64>();
        let shortest = (0..8).map(|pattern| sum(pattern, 0).hypot(sum(pattern, 1))).fold(f64::INFINITY, f64::min);
        let b = points.chunks(2).map(|x| x[0].hypot(x[1])).fold(0.0, f64::max) * (1.0 + 1e-12);
        if lambda * shortest >= 3.0 * gamma {
            prop_assert!(vc::fat_linear(lambda, b, gamma, 100).unwrap() >= 3);
        }
        // Linear functions of the plane shatter no three points.
        prop_assert!(vc::fat_linear(lambda, b, gamma, 2).unwrap() <= 2);
    }
}

#[test]
fn readings_decide_by_so_many_signs() {
    let decided = |how, outputs| vc::deciding(how, outputs);
    assert_eq!(
        [
            decided(How::Largest, 10),
            decided(How::Sign, 1),
            decided(How::Value, 1),
            decided(How::Bits, 4)
        ],
        [9, 1, 2, 4]
    );
    let mlp: Mlp = "784-512-10".parse().unwrap();
    let found = vc::bound(&mlp, How::Largest, 0, 60_000, 0.05).unwrap();
    assert!(found.vacuity(10).unwrap().against_one);
    let several = vc::dimension_finding(&mlp).unwrap();
    assert!(several.value.is_nan() && several.failing().unwrap().reason == "it has 10 outputs");
    assert_eq!(vc::order(&"1-1".parse().unwrap()).value, 2.0);
}

#[test]
fn codes_of_fractions_and_of_floats() {
    let mlp: Mlp = "1-1-1".parse().unwrap();
    let network = mlp.network(|| fraction(3, 4));
    let graph = Graph::from(&network);
    // Which code, depth and d; then two layers: their units, and each unit's activation, weights, bias (3/4: a sign,
    // 4 and 4 in δ), gap and weight.
    let number = 1 + elias(4) + elias(4);
    let unit = 1 + elias(2) + number + elias(1) + number;
    assert_eq!(of_fractions(&graph).unwrap(), 2 + elias(2) + elias(1) + 2 * (elias(2) + unit));
    assert_eq!(of_fractions(&dense(&network)).unwrap(), of_fractions(&graph).unwrap());
    let third = of(&mlp.network(|| fraction(1, 3)));
    assert!(matches!(of_floats(&third, Format::F64), Err(MeasureError::Parameter { .. })));
    let tenth = of(&mlp.network(|| Rational::from(1) / Rational::from(1 << 30) + Rational::ONE));
    assert!(matches!(of_floats(&tenth, Format::F32), Err(MeasureError::Parameter { .. })));
    assert!(Quantized::of(&tenth, 1).is_err() && Quantized::of(&tenth, 25).is_err());
    assert_eq!(occam::bound(1, 0, 0, 0.1), Err(MeasureError::NoPoints));
    assert!(occam::bound(1, 2, 1, 0.1).is_err() && occam::bound(1, 0, 1, 0.0).is_err());
}

#[test]
fn counts_leave_statistics_out() {
    let mlp: Mlp = "2-3-2".parse().unwrap();
    let graph = Graph::from(mlp.network(|| fraction(1, 2)));
    let counts = SizeCounts::of(&graph, 100, 2).unwrap();
    assert_eq!((counts.parameters, counts.units, counts.dimension()), (mlp.parameters(), 3, 14));
    assert_eq!((counts.bits, counts.label_bits), (17 * 4, 100));
    let named =
        |name: &str| counts.findings().into_iter().find(|finding| finding.name == name).unwrap();
    assert_eq!((named("bits a label").value, named("parameters a point").value), (0.68, 0.17));
    assert_eq!(named("label bits a parameter").value, 100.0 / 17.0);
    assert!(counts.findings().iter().all(|finding| finding.says.is_none()));
    let numbers = || vec![1.0; 3];
    let by = Normalization {
        scale: numbers(),
        shift: numbers(),
        mean: numbers(),
        variance: numbers(),
        epsilon: 1e-5,
    };
    let normalized = chain(vec![3, 1, 1], vec![(Operator::Normalize(by), vec![3, 1, 1])]);
    assert_eq!(parameters(&normalized), 6);
    assert!(SizeCounts::of(&graph, 100, 0).is_err());
}
