//! e^−t for 0 <= t <= [`LARGEST`], with a proved bound on its relative error.
//!
//! The libraries of systems promise no bound and differ in their last bits; this is the same on every machine, and
//! a loop over it is compiled for vectors. Only additions, subtractions and multiplications are used, each rounded to
//! nearest (unit roundoff u = 2^-53), none fused.
//!
//! **Algorithm.** With x = −t: k = the integer nearest to x/ln 2 (within rounding), r = x − k ln 2,
//! e^x = 2^k Σ_{m <= 13} r^m / m!.
//!
//! **Theorem.** |computed − e^−t| <= [`RELATIVE`] · e^−t, with RELATIVE = 5u.
//!
//! **Proof.** x · (1/ln 2) has an error below 1010 · 2^-52 < 2^-42, so |x/ln 2 − k| <= 1/2 + 2^-42, |k| <= 1010, and
//! the exact r has |r| <= ρ = 0.3466.
//!
//! *Reduction.* ln 2 = H + L + δ, where H has at most 42 bits, so that k · H is exact; |L| < 2^-41 and |δ| < 2^-95.
//! x − kH and then minus kL: two subtractions with results below 0.3467, each off by at most 0.3467u; kL is off by
//! at most 1010 · 2^-41 · u < 2^-30 u; kδ < 2^-85 < 2^-31 u. Together the computed r is off by less than 0.694u, so
//! e^r by less than 0.695u relative.
//!
//! *Polynomial.* Horner's scheme without fused operations returns Σ c_m r^m (1 + θ_{2m+1}), |θ_k| <= ku/(1 − ku), and
//! each rounded c_m = 1/m! is off by at most u for m >= 3, not at all for m < 3. The error is at most
//! u Σ_m (2m + 1) ρ^m/m! + u Σ_{m>=3} ρ^m/m! <= u ((2ρ + 1) e^ρ + 0.008) < 2.41u (the denominators of θ add less than
//! 2^-48 of that); relative to e^r >= e^−ρ > 0.7070 that is less than 3.42u.
//!
//! *Remainder.* ρ^14/14! · e^ρ / e^−ρ < 8.3 · 10^-18 < 0.08u.
//!
//! *Scaling* by 2^k is exact, since e^−LARGEST > 2^-1011 is normal. The sum is below 4.2u; products of these
//! relative errors are below u². ∎

/// The largest t that is taken.
pub const LARGEST: f64 = 700.0;

/// Bound on the relative error: 5u.
pub const RELATIVE: f64 = 5.0 * 0.5 * f64::EPSILON;

/// 1.5 · 2^52: adding it rounds to an integer, which then stands in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// The first 42 bits of ln 2, and the rest.
const HIGH: f64 = f64::from_bits(0x3fe6_2e42_fefa_3800);
const LOW: f64 = f64::from_bits(0x3d2e_f357_93c7_6730);

/// 1/m! for m = 0, …, 13: integers below 2^53, so that one division rounds.
const COEFFICIENTS: [f64; 14] = {
    let mut of = [1.0; 14];
    let (mut m, mut factorial) = (1, 1.0);
    while m < 14 {
        factorial *= m as f64;
        of[m] = 1.0 / factorial;
        m += 1;
    }
    of
};

/// e^−t for 0 <= t <= [`LARGEST`]; for other t some number.
#[inline(always)]
pub fn exp_of_minus(t: f64) -> f64 {
    let x = -t;
    let rounded = x * std::f64::consts::LOG2_E + ROUND;
    let k = rounded - ROUND;
    let r = (x - k * HIGH) - k * LOW;
    let mut sum = COEFFICIENTS[13];
    let mut m = 13;
    while m > 0 {
        m -= 1;
        sum = sum * r + COEFFICIENTS[m];
    }
    // 2^k: the exponent's field is k + 1023.
    sum * f64::from_bits((rounded.to_bits() << 52).wrapping_add(1023 << 52))
}

#[cfg(test)]
mod tests {
    use dashu_int::IBig;
    use proptest::prelude::*;
    use shatter_exact::Dyadic;

    use super::*;

    /// Bits after the point.
    const BITS: usize = 1300;

    fn fixed(x: f64) -> IBig {
        Dyadic::try_from(x).unwrap().in_units_of(-(BITS as i64))
    }

    /// e^−t in units of 2^-BITS, off by a few hundred units: 1/e^{t/2^20} to the power 2^20.
    fn oracle(t: f64) -> IBig {
        let one = IBig::ONE << BITS;
        let t = fixed(t) >> 20;
        let (mut term, mut sum, mut m) = (one.clone(), one.clone(), 0i64);
        while term != IBig::ZERO {
            m += 1;
            term = -((term * &t) >> BITS) / m;
            sum += &term;
        }
        for _ in 0..20 {
            sum = (&sum * &sum) >> BITS;
        }
        sum
    }

    fn within(t: f64) -> bool {
        let (exact, found) = (oracle(t), fixed(exp_of_minus(t)));
        let difference = if found > exact { found - &exact } else { &exact - found };
        // 2^-53 · 5 of the value, and 2^30 units for the oracle's own rounding.
        difference << 53 <= exact * 5 + (IBig::ONE << 83)
    }

    #[test]
    fn two_parts_of_the_logarithm_are_as_the_proof_needs_them() {
        assert_eq!(HIGH.to_bits().trailing_zeros(), 11);
        // ln 2 = Σ 1/(m 2^m), in units of 2^-200.
        let one = IBig::ONE << 200;
        let sum: IBig = (1..210i64).map(|m| (&one >> m as usize) / m).sum();
        let units = |x: f64| Dyadic::try_from(x).unwrap().in_units_of(-200);
        let rest = sum - units(HIGH) - units(LOW);
        assert!(LOW.abs() < 2f64.powi(-41));
        assert!(rest < IBig::ONE << 105 && rest > -(IBig::ONE << 105usize));
    }

    #[test]
    fn ends_and_boundaries_between_powers_of_two() {
        assert_eq!(exp_of_minus(0.0), 1.0);
        for t in [5e-324, 1e-300, 1e-17, 0.5, 1.0, LARGEST, LARGEST.next_down()] {
            assert!(within(t), "{t}");
        }
        for k in [0, 1, 2, 3, 500, 1008, 1009] {
            let boundary = (f64::from(k) + 0.5) * std::f64::consts::LN_2;
            for t in [boundary.next_down(), boundary, boundary.next_up(), boundary + 1e-9] {
                assert!(within(t), "{t}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn relative_error_is_below_the_bound(t in 0.0..LARGEST, small in 0.0..2.0f64) {
            prop_assert!(within(t) && within(small));
        }
    }
}
