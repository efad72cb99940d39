//! Too few sign patterns: a bound on the VC dimension.
//!
//! **Statement.** Let a ReLU network with one output have widths k_1, …, k_L (k_L = 1 the output) and
//! W_i parameters in the layers 1, …, i. If
//!
//! ```text
//! Σ_i t_i < m,   t_i = m k_i                                if m k_i < W_i,
//!                t_i = min(m k_i, 1 + W_i log2(2 e m k_i i / W_i))  otherwise,
//! ```
//!
//! then the signs of its output shatter no m points: at any m points some labelling by two classes is
//! not realised. It is an upper bound on the VC dimension only, and a loose one.
//!
//! **Source.** The layer-wise argument of Bartlett, Harvey, Liaw and Mehrabian, JMLR 20(63), 2019, on
//! Warren's bound: M >= W polynomials of degree at most D in W variables have at most 2(2 e M D/W)^W
//! sign patterns.
//!
//! **Proof.** Fix m points. Where the signs of all units of the layers before i are constant, the
//! arguments of the units of layer i at the points are m k_i polynomials of degree at most i in the W_i
//! parameters so far, so they split it into at most 2^{t_i} parts. In the end at most 2^{Σ t_i} patterns
//! of the output are left, and 2^m are needed.
//!
//! **Rounding.** Nothing here is a floating-point number. e is at most Σ_{k<=24} 1/k! + 1/(24·24!), and
//! log2 is bounded from above bit by bit: squaring a number doubles its logarithm, and each of the 64
//! squares is rounded up to a multiple of 2^-128. So the inequality is proved, not estimated. Both
//! errors together stay below 2^-63 W_i.
//!
//! **Cost.** L · 64 squares of 130 bits for one m; the smallest m by bisection: in each t_i the linear
//! part is followed by a concave one that is flatter where it takes over, so Σ t_i − m is concave and 0
//! at m = 0, and is negative for every m after the first for which it is.

use std::fmt;

use serde::Serialize;

use shatter_exact::{IBig, Rational, bit_length};
use shatter_network::Mlp;

use super::pieces::one_output;
use super::{Impossibility, ObstructError};

/// Most points that the search for the smallest m considers.
pub const MOST_POINTS: u64 = 1 << 62;

/// The signs of the output of `architecture` shatter no m points.
///
/// ```
/// use shatter_obstruct::{GrowthBound, Impossibility};
/// let bound = GrowthBound::least(&"10-20-1".parse()?)?;
/// assert_eq!((bound.points, bound.check()), (4259, Ok(())));
/// assert!(GrowthBound::new(&"10-20-1".parse()?, 4258).is_err()); // not excluded by this argument
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GrowthBound {
    /// The network: one output.
    pub architecture: Mlp,
    /// m.
    pub points: u64,
}

impl GrowthBound {
    /// The certificate for m points.
    ///
    /// # Errors
    /// [`ObstructError::TooManyPatterns`] if the inequality does not hold,
    /// [`ObstructError::Outputs`] if there is more than one output.
    pub fn new(architecture: &Mlp, points: u64) -> Result<GrowthBound, ObstructError> {
        let certificate = GrowthBound { architecture: architecture.clone(), points };
        certificate.check()?;
        Ok(certificate)
    }

    /// The certificate for the smallest m; the VC dimension is at most m − 1.
    ///
    /// # Errors
    /// [`ObstructError::TooLarge`] if m would exceed 2^62 points, [`ObstructError::Outputs`].
    pub fn least(architecture: &Mlp) -> Result<GrowthBound, ObstructError> {
        one_output(architecture)?;
        let excluded = |m: u64| log2_patterns(architecture, m) < Rational::from(m);
        let mut high = 1;
        while !excluded(high) {
            if high >= MOST_POINTS {
                let (have, limit) = (architecture.parameters(), MOST_POINTS);
                return Err(ObstructError::TooLarge { what: "parameters", have, limit });
            }
            high *= 2;
        }
        let mut low = high / 2;
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if excluded(middle) { high = middle } else { low = middle }
        }
        GrowthBound::new(architecture, high)
    }
}

impl Impossibility for GrowthBound {
    fn check(&self) -> Result<(), ObstructError> {
        one_output(&self.architecture)?;
        let patterns = log2_patterns(&self.architecture, self.points);
        if patterns < Rational::from(self.points) {
            return Ok(());
        }
        let log2 = patterns.ceil().to_string();
        Err(ObstructError::TooManyPatterns { points: self.points, log2 })
    }
}

impl fmt::Display for GrowthBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the signs of a ReLU network {} shatter no {} points: its VC dimension is at most {}",
            self.architecture,
            self.points,
            self.points.saturating_sub(1)
        )
    }
}

/// Σ t_i, rounded up: at any `points` points the output has at most 2 to this power sign patterns.
pub fn log2_patterns(architecture: &Mlp, points: u64) -> Rational {
    let twice_e = Rational::from(2) * e_above();
    let mut parameters = IBig::ZERO;
    let mut sum = Rational::ZERO;
    for (i, (from, width)) in architecture.layers().enumerate() {
        parameters += (IBig::from(from) + IBig::ONE) * IBig::from(width);
        let polynomials = IBig::from(points) * IBig::from(width);
        let trivial = Rational::from(polynomials.clone());
        if polynomials < parameters {
            sum += trivial;
            continue;
        }
        let variables = Rational::from(parameters.clone());
        let degree = Rational::from(i + 1);
        let warren = log2_above(&(&twice_e * &trivial * degree / &variables));
        sum += trivial.min(Rational::ONE + variables * warren);
    }
    sum
}

/// A number above e: the sum of 1/k! up to k = 24, and 1/(24 · 24!) for the rest, which is less than
/// 1/24! · (1/25 + 1/25² + …).
fn e_above() -> Rational {
    let last = 24;
    let mut term = Rational::ONE;
    let mut sum = Rational::ONE;
    for k in 1..=last {
        term /= Rational::from(k);
        sum += &term;
    }
    sum + term / Rational::from(last)
}

/// A number at least log2 x, and beyond it by less than 2^-63, for x > 0.
fn log2_above(x: &Rational) -> Rational {
    const BITS: usize = 64;
    const GRAIN: usize = 128;
    // x / 2^whole lies between 1/2 and 2.
    let mut whole = bit_length(x.numerator()) as i64 - bit_length(x.denominator().as_ibig()) as i64;
    let shift = |by: i64| {
        let power = Rational::from(IBig::ONE << by.unsigned_abs() as usize);
        if by < 0 { Rational::ONE / power } else { power }
    };
    // Multiples of 2^-GRAIN, always rounded up: `mantissa` is at least x / 2^whole, and in [1, 2].
    let mut mantissa = (x * shift(GRAIN as i64 + 1 - whole)).ceil();
    whole -= 1;
    let limit = IBig::ONE << (GRAIN + 1);
    let raise = |x: IBig, by: usize| (x + ((IBig::ONE << by) - IBig::ONE)) >> by;
    if mantissa > limit {
        mantissa = raise(mantissa, 1);
        whole += 1;
    }
    // log2 x <= whole + fraction / 2^i + log2(mantissa) / 2^i after i squares.
    let mut fraction = IBig::ZERO;
    for _ in 0..BITS {
        mantissa = raise(&mantissa * &mantissa, GRAIN);
        fraction <<= 1;
        if mantissa > limit {
            mantissa = raise(mantissa, 1);
            fraction += IBig::ONE;
        }
    }
    Rational::from(whole) + Rational::from(fraction + IBig::ONE) / shift(BITS as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn e_is_bounded_closely() {
        // 2.718281828459045235360287…
        let digits = |last: u64| {
            Rational::from_parts(
                IBig::from(271_828_182_845_904_523u64) * IBig::from(1000) + IBig::from(last),
                dashu_int::UBig::from(10u8).pow(20),
            )
        };
        assert!(e_above() > digits(536) && e_above() < digits(537));
    }

    proptest! {
        #[test]
        fn the_logarithm_is_an_upper_bound(num in 1u64.., den in 1u64..) {
            let x = Rational::from(num) / Rational::from(den);
            let log = log2_above(&x);
            // x^200 <= 2^ceil(200 log), in integers; and log is close to the library's.
            let power = (Rational::from(200) * &log).ceil();
            let (up, power) = (power >= IBig::ZERO, i64::try_from(power).unwrap().unsigned_abs());
            let two = Rational::from(IBig::ONE << power as usize);
            let bound = if up { two } else { Rational::ONE / two };
            prop_assert!(x.pow(200) <= bound);
            let float = (num as f64).log2() - (den as f64).log2();
            prop_assert!((log.to_f64().value() - float).abs() < 1e-12);
        }
    }

    #[test]
    fn the_logarithm_of_a_power_of_two_is_exact_but_for_the_last_bit() {
        let last = Rational::ONE / Rational::from(IBig::ONE << 64);
        for k in 0..100usize {
            let x = Rational::from(IBig::ONE << k);
            let log = Rational::from(k);
            within(&log2_above(&x), &log, &last);
            within(&log2_above(&(Rational::ONE / x)), &-log, &last);
        }
    }

    fn within(found: &Rational, log: &Rational, last: &Rational) {
        assert!(found >= log && *found <= log + last);
    }
}
