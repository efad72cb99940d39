//! acos c for −1 <= c <= 1, with a proved bound on its absolute error.
//!
//! As for [`exp`](super::exp): the same bytes everywhere, loops compiled for vectors, nothing fused, u = 2^-53.
//!
//! **Algorithm.** With asin z = z Σ_{k <= 26} a_k z^{2k}, a_k = (2k)! / (4^k k!² (2k + 1)), for 0 <= z <= 1/2:
//! acos c = π/2 − asin c for |c| <= 1/2; 2 asin √((1 − c)/2) for c > 1/2; π − 2 asin √((1 + c)/2) for c < −1/2.
//!
//! **Theorem.** |computed − acos c| <= [`ABSOLUTE`] = 10u.
//!
//! **Proof.** *asin.* y = z² is off by u relative, so y^k by ku; each a_k comes from 3k rounded operations; Horner's scheme
//! adds 2k + 1: term k is off by at most (6k + 1)u a_k 4^-k, plus terms of u². a_0 = 1, a_1/4 < 0.0417,
//! a_2/16 < 0.0047, and a_k 4^-k < 0.0047/4^{k−2} for k > 2: the sum is below 1.4u, and the sum of the series is at least 1. The
//! product with z adds u. The remainder is below a_27 z^54/(1 − z²) < 0.0021 · 2^-54 · 4/3 < 0.002u. So asin z is off by at most
//! 2.5u relative, and |asin z| <= π/6 < 0.524.
//!
//! *Middle.* π/2 is off by at most u/2 · 2 = u; asin by 1.4u; the difference is below 2.1, so rounding it adds at most 2u: 4.4u.
//! *Right.* 1 − c is exact (Sterbenz). √ adds u relative, which moves asin by at most u z/√(1 − z²) <= 0.58u; 2 asin is off by
//! 2 (1.4u + 0.58u) < 4u. *Left.* 1 + c is exact; 4u as before; π is off by at most 2u, and the difference, below 3.2, by 2u:
//! 8u. ∎

use std::f64::consts::{FRAC_PI_2, PI};

/// Bound on the absolute error: 10u.
pub const ABSOLUTE: f64 = 10.0 * 0.5 * f64::EPSILON;

/// Terms of the series of asin.
const TERMS: usize = 27;

/// a_k.
const SERIES: [f64; TERMS] = {
    let mut of = [1.0; TERMS];
    let (mut k, mut central) = (1, 1.0);
    while k < TERMS {
        // (2k)!/(4^k k!²), times (2k − 1)/2k each.
        central = central * (2 * k - 1) as f64 / (2 * k) as f64;
        of[k] = central / (2 * k + 1) as f64;
        k += 1;
    }
    of
};

/// acos c for −1 <= c <= 1; for other c some number, or NaN.
#[inline(always)]
pub fn acos(c: f64) -> f64 {
    let size = c.abs();
    let middle = size <= 0.5;
    let z = if middle { c } else { ((1.0 - size) * 0.5).sqrt() };
    let y = z * z;
    let mut sum = SERIES[TERMS - 1];
    let mut k = TERMS - 1;
    while k > 0 {
        k -= 1;
        sum = sum * y + SERIES[k];
    }
    let asin = sum * z;
    if middle {
        FRAC_PI_2 - asin
    } else if c > 0.0 {
        2.0 * asin
    } else {
        PI - 2.0 * asin
    }
}

#[cfg(test)]
mod tests {
    use dashu_int::IBig;
    use proptest::prelude::*;
    use shatter_exact::Dyadic;

    use super::*;

    const BITS: usize = 300;

    fn fixed(x: f64) -> IBig {
        Dyadic::try_from(x).unwrap().in_units_of(-(BITS as i64))
    }

    /// cos θ in units of 2^-BITS.
    fn cosine(theta: &IBig) -> IBig {
        let square = (theta * theta) >> BITS;
        let (mut term, mut sum, mut m) = (IBig::ONE << BITS, IBig::ONE << BITS, 0i64);
        while term != IBig::ZERO && term != -IBig::ONE {
            m += 2;
            term = -((term * &square) >> BITS) / (m * (m - 1));
            sum += &term;
        }
        sum
    }

    /// cos decreases: the angle is within 10u if c lies between the cosines of both ends.
    fn within(c: f64) -> bool {
        let (theta, reach) = (fixed(acos(c)), IBig::from(10) << (BITS - 53));
        let low = if theta > reach { &theta - &reach } else { IBig::ZERO };
        let unit = IBig::ONE << 40usize;
        let above = cosine(&low) + &unit >= fixed(c);
        // No angle is beyond π.
        let high = &theta + &reach;
        let below = high >= fixed(PI.next_up()) || cosine(&high) - &unit <= fixed(c);
        above && below
    }

    #[test]
    fn ends_and_boundaries() {
        assert_eq!(acos(1.0), 0.0);
        for c in [-1.0, 1.0, 0.0, 0.5, -0.5, 1e-300, -1e-20] {
            for c in [c, f64::next_up(c).min(1.0), f64::next_down(c).max(-1.0)] {
                assert!(within(c), "{c}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]
        #[test]
        fn absolute_error_is_below_the_bound(c in -1.0..1.0f64, close in -60..-1i32) {
            prop_assert!(within(c) && within(1.0 - 2f64.powi(close)) && within(2f64.powi(close) - 1.0));
        }
    }
}
