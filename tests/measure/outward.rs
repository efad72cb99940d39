//! Enclosures against rational numbers, and against logarithms and exponentials of 300 bits.

use dashu_int::IBig;
use proptest::prelude::*;
use shatter_exact::{Dyadic, Rational};
use shatter_measure::Enclosure;
use shatter_measure::outward::{add_down, add_up, mul_down, mul_up};

use crate::common::cases;

/// Bits after the point of the oracle.
const BITS: usize = 1400;

pub fn exact(x: f64) -> Rational {
    Dyadic::try_from(x).unwrap().to_rational()
}

/// Whether an enclosure of finite numbers, or of those up to infinity, contains a fraction.
pub fn encloses(found: Enclosure, x: &Rational) -> bool {
    let below = found.low() == f64::NEG_INFINITY || exact(found.low()) <= *x;
    let above = found.high() == f64::INFINITY || exact(found.high()) >= *x;
    below && above
}

/// e^x, off by less than 2^-900 of itself, for |x| < 760: the series at x/2^20, squared 20 times.
pub fn exp(x: f64) -> Rational {
    let one = IBig::ONE << BITS;
    let t = Dyadic::try_from(x).unwrap().in_units_of(-(BITS as i64)) >> 20;
    let (mut term, mut sum, mut m) = (one.clone(), one.clone(), 0i64);
    while term > IBig::ONE || term < IBig::NEG_ONE {
        m += 1;
        term = ((term * &t) >> BITS) / m;
        sum += &term;
    }
    for _ in 0..20 {
        sum = (&sum * &sum) >> BITS;
    }
    Rational::from(sum) / Rational::from(one)
}

/// ln x, off by less than 2^-280 (for |ln x| < 2^10).
pub fn ln(x: f64) -> Rational {
    let bits = 300usize;
    let one = IBig::ONE << bits;
    let atanh = |s: &Rational| {
        let s = (s * Rational::from(one.clone())).floor();
        let square = (&s * &s) >> bits;
        let (mut power, mut sum, mut j) = (s.clone(), IBig::ZERO, 1i64);
        while power > IBig::ONE || power < IBig::NEG_ONE {
            sum += &power / j;
            power = (power * &square) >> bits;
            j += 2;
        }
        Rational::from(sum) / Rational::from(one.clone())
    };
    let k = Dyadic::try_from(x).unwrap().log2_floor().unwrap();
    let m = Dyadic::try_from(x).unwrap().scale(-k).to_rational();
    let s = (&m - Rational::ONE) / (&m + Rational::ONE);
    let ln_2 = atanh(&(Rational::ONE / Rational::from(3))) * Rational::from(2);
    atanh(&s) * Rational::from(2) + ln_2 * Rational::from(k)
}

/// Whether an enclosure contains a number that differs from `x` by less than 2^-280, as the oracle of logarithms may.
pub fn encloses_nearly(found: Enclosure, x: &Rational) -> bool {
    let slack = Rational::ONE / Rational::from(IBig::ONE << 280);
    exact(found.low()) <= x + &slack && exact(found.high()) >= x - &slack
}

/// Any finite number, those near 1 more often.
pub fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        -10.0..10.0f64,
        any::<f64>().prop_filter("finite", |x| x.is_finite()),
        (-4i32..=4).prop_map(f64::from),
        prop::sample::select(vec![5e-324, f64::MIN_POSITIVE, f64::MAX, -f64::MAX, 1e-300, 1e300]),
    ]
}

/// The two neighbouring numbers, or one exactly.
fn is_tight(found: Enclosure) -> bool {
    found.low() == found.high() || found.low().next_up() == found.high()
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn operations_of_single_numbers_return_the_neighbours(a in number(), b in number()) {
        let (x, y) = (Enclosure::exact(a), Enclosure::exact(b));
        prop_assert!(encloses(x + y, &(exact(a) + exact(b))));
        prop_assert!(encloses(x - y, &(exact(a) - exact(b))));
        prop_assert!(encloses(x * y, &(exact(a) * exact(b))));
        let moderate = |x: f64| x == 0.0 || (1e-200..1e200).contains(&x.abs());
        if moderate(a) && moderate(b) {
            prop_assert!(is_tight(x + y) && is_tight(x - y));
        }
        if moderate(a) && moderate(b) && moderate(a * b) {
            prop_assert!(is_tight(x * y));
        }
        if b != 0.0 {
            prop_assert!(encloses(x / y, &(exact(a) / exact(b))));
            if moderate(a) && moderate(b) && moderate(a / b) {
                prop_assert!(is_tight(x / y));
            }
        }
        prop_assert_eq!((add_down(a, b), add_up(a, b)), ((x + y).low(), (x + y).high()));
        prop_assert_eq!((mul_down(a, b), mul_up(a, b)), ((x * y).low(), (x * y).high()));
    }

    #[test]
    fn roots_enclose(a in number()) {
        let root = Enclosure::exact(a.abs()).sqrt();
        let square = |x: f64| exact(x) * exact(x);
        prop_assert!(square(root.low()) <= exact(a.abs()) && square(root.high()) >= exact(a.abs()));
        prop_assert!(a.abs() < 1e-200 || is_tight(root));
    }

    #[test]
    fn logarithms_enclose_closely(a in number()) {
        prop_assume!(a != 0.0);
        let found = Enclosure::exact(a.abs()).ln();
        prop_assert!(encloses_nearly(found, &ln(a.abs())), "{a}: {found:?}");
        let size = found.high().abs().max(1e-3);
        prop_assert!(found.width() <= 16.0 * f64::EPSILON * size, "{a}: {found:?}");
    }

    #[test]
    fn images_of_enclosures_contain_images(a in number(), b in number(), c in number(), d in number()) {
        let (x, y) = (Enclosure::new(a.min(b), a.max(b)), Enclosure::new(c.min(d), c.max(d)));
        let all = [(a, c), (a, d), (b, c), (b, d)];
        for (p, q) in all {
            prop_assert!(encloses(x + y, &(exact(p) + exact(q))));
            prop_assert!(encloses(x - y, &(exact(p) - exact(q))));
            prop_assert!(encloses(x * y, &(exact(p) * exact(q))));
            if q != 0.0 {
                prop_assert!(encloses(x / y, &(exact(p) / exact(q))));
            }
            prop_assert!(encloses(x.square(), &(exact(p) * exact(p))));
            prop_assert!(encloses(x.powi(3), &(exact(p) * exact(p) * exact(p))));
            prop_assert!(encloses(x.abs(), &exact(p.abs())));
            prop_assert!(x.max(y).contains(p.max(q)) && x.min(y).contains(p.min(q)));
        }
    }

    #[test]
    fn whole_numbers_and_fractions(a in any::<u64>(), b in 1u64..) {
        prop_assert!(encloses(Enclosure::whole(a), &Rational::from(a)));
        let fraction = Rational::from(a) / Rational::from(b);
        let found = Enclosure::fraction(&fraction);
        prop_assert!(encloses(found, &fraction) && is_tight(found));
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn exponentials_enclose_closely(x in -740.0..710.0f64, small in -2.0..2.0f64) {
        for x in [x, small, small * 1e-9] {
            let found = Enclosure::exact(x).exp();
            prop_assert!(encloses(found, &exp(x)), "{x}: {found:?}");
            let wide = found.width() <= 8.0 * f64::EPSILON * found.high();
            prop_assert!(wide || found.high() < 1e-300, "{x}: {found:?}");
        }
    }
}

#[test]
fn constants_and_ends() {
    let two = Enclosure::exact(2.0);
    assert!(encloses(Enclosure::ln_2(), &ln(2.0)) && is_tight(Enclosure::ln_2()));
    assert!(encloses_nearly(two.ln(), &ln(2.0)));
    assert_eq!(Enclosure::ONE.ln(), Enclosure::ZERO);
    assert_eq!(Enclosure::ZERO.exp(), Enclosure::ONE);
    assert_eq!(Enclosure::ZERO.ln().high(), f64::NEG_INFINITY);
    assert_eq!(Enclosure::exact(f64::INFINITY).ln().low(), f64::INFINITY);
    assert!(Enclosure::exact(1e4).exp().high() == f64::INFINITY);
    assert!(Enclosure::exact(-1e4).exp() == Enclosure::new(0.0, 5e-324));
    assert_eq!(Enclosure::exact(f64::NAN), Enclosure::ALL);
    assert_eq!(Enclosure::exact(-1.0).sqrt(), Enclosure::ALL);
    assert_eq!(Enclosure::exact(-1.0).ln(), Enclosure::ALL);
    assert_eq!(Enclosure::ONE / Enclosure::new(-1.0, 1.0), Enclosure::ALL);
    assert_eq!(Enclosure::ZERO.pow(two), Enclosure::ZERO);
    let infinite = Enclosure::exact(f64::INFINITY);
    assert_eq!(infinite - infinite, Enclosure::ALL);
    assert_eq!(infinite / infinite, Enclosure::ALL);
    assert_eq!(Enclosure::ZERO * infinite, Enclosure::ZERO);
}
