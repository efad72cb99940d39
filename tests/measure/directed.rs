//! Bounds computed again in rational numbers to 2^-200: none that was rounded outwards is below, and none far above.

use dashu_int::IBig;
use proptest::prelude::*;
use shatter_exact::Rational;
use shatter_measure::{Enclosure, bartlett, occam, ramp::Grid, vc};
use shatter_network::reading::How;

use crate::common::cases;
use crate::networks::exact;
use crate::outward::ln;

/// √x for x >= 0, less than 2^-240 below.
fn root(x: &Rational) -> Rational {
    let scale = IBig::ONE << 480;
    let units = (x * Rational::from(scale)).floor();
    let (_, units) = units.into_parts();
    Rational::from(IBig::from(dashu_int::ops::SquareRoot::sqrt(&units)))
        / Rational::from(IBig::ONE << 240)
}

/// What the oracle may be off by.
fn slack() -> Rational {
    Rational::ONE / Rational::from(IBig::ONE << 200)
}

/// At least the exact number, and beyond it by less than 2^-45 of it.
fn is_above(found: f64, number: &Rational) -> bool {
    let found = exact(found);
    let far = Rational::ONE + Rational::ONE / Rational::from(1u64 << 45);
    found >= number - slack() && found <= number * far + slack()
}

fn whole(x: u64) -> Rational {
    Rational::from(x)
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn occam_is_never_below(bits in 0u64..10_000_000, n in 1u64..10_000_000, part in 0.0..1.0f64, delta in 1e-9..0.9f64) {
        let errors = ((part * n as f64) as u64).max(1);
        let epsilon = (whole(bits) * ln(2.0) - ln(delta)) / whole(n);
        let expected = whole(errors) / whole(n) + root(&(epsilon / whole(2)));
        prop_assert!(is_above(occam::bound(bits, errors, n, delta).unwrap().value, &expected));
    }

    #[test]
    fn dimensions_are_never_below(v in 1u64..100_000, n in 1u64..10_000_000, delta in 1e-9..0.9f64) {
        let all = whole(n) * ln(2.0);
        let sauer = whole(v) * (Rational::ONE + ln(n as f64) - ln(v as f64));
        let patterns = if n < v { all } else { sauer.min(all) };
        let confidence = root(&(-ln(delta) / whole(2 * n)));
        let expected = root(&(whole(2) * patterns / whole(n))) + confidence;
        prop_assert!(is_above(vc::from_dimension(v, 0, n, delta).unwrap(), &expected));
    }

    #[test]
    fn growth_functions_are_never_below(d in 1usize..50, m in 1usize..50, n in 1u64..1_000_000) {
        let mlp = shatter_network::Mlp::new(d, vec![m], 1).unwrap();
        let (w_1, w_2) = ((d as u64 + 1) * m as u64, mlp.parameters());
        // log2(2e M l/W) by its logarithm.
        let term = |polynomials: u64, parameters: u64, degree: u64| {
            if polynomials < parameters {
                return whole(polynomials);
            }
            let logarithm = ln(2.0) + Rational::ONE + ln(polynomials as f64) + ln(degree as f64) - ln(parameters as f64);
            (Rational::ONE + whole(parameters) * logarithm / ln(2.0)).min(whole(polynomials))
        };
        let expected = term(n * m as u64, w_1, 1) + term(n, w_2, 2);
        prop_assert!(is_above(vc::log2_patterns(&mlp, 1, n), &expected));
        let bound = vc::bound(&mlp, How::Sign, 0, n, 0.25).unwrap().value;
        let confidence = root(&(ln(4.0) / whole(2 * n)));
        let expected = root(&(whole(2) * expected * ln(2.0) / whole(n))) + confidence;
        prop_assert!(is_above(bound, &expected));
    }

    #[test]
    fn chaining_and_the_grid_are_never_below(k in 1e-6..30.0f64, n in 91usize..10_000_000, x in 1e-30..1e30f64) {
        let count = whole(n as u64);
        let expected = exact(12.0) * exact(k) / &count * (Rational::ONE + ln(n as f64) - ln(3.0) - ln(k));
        prop_assert!(is_above(bartlett::chained(Enclosure::exact(k), n).high(), &expected.min(Rational::ONE)));
        let grid = Grid::above(Enclosure::exact(x)).unwrap();
        let fourth = |x: f64| exact(x) * exact(x) * exact(x) * exact(x);
        let power = whole(2).pow(grid.index as isize);
        prop_assert!(fourth(grid.value.high()) >= power && fourth(grid.value.low()) <= power);
        let j = grid.index.unsigned_abs();
        prop_assert!(is_above(grid.price.high(), &ln((2 * (j + 1) * (j + 2)) as f64)));
    }
}
