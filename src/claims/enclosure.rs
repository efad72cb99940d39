//! Intervals with rational ends that contain tanh.
//!
//! **Computation.** For t >= 0, tanh t = (E − 1)/(E + 1), which grows with E = e^{2t}; tanh is odd.
//! With u = 2t/2^k <= 1/2, E = (e^u)^(2^k) and e^u = Σ u^j/j!. All numbers are integers over 2^P,
//! lower ends rounded down and upper ends up. What follows a term of the series adds up to no more
//! than the term, as u <= 1/2: the lower end leaves it out, the upper end has the last term twice.
//! **Cost.** O(P + k) products of P + log2 E bits.

use shatter_exact::{Dyadic, IBig, Rational, bit_length};

/// The numbers from `low` to `high`, both over 2^`precision`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Enclosure {
    low: IBig,
    high: IBig,
    precision: usize,
}

impl Enclosure {
    /// The middle.
    pub(super) fn middle(&self) -> Rational {
        self.half(&self.high + &self.low)
    }

    /// The distance from the middle to the ends.
    pub(super) fn radius(&self) -> Rational {
        self.half(&self.high - &self.low)
    }

    fn half(&self, ends: IBig) -> Rational {
        Dyadic::new(ends, -(self.precision as i64) - 1).to_rational()
    }
}

/// An interval that contains tanh t, shorter for a larger P, the precision.
pub(super) fn tanh(t: &Rational, precision: usize) -> Enclosure {
    if *t < Rational::ZERO {
        let Enclosure { low, high, precision } = tanh(&-t, precision);
        return Enclosure { low: -high, high: -low, precision };
    }
    let one = IBig::ONE << precision;
    let (below, above) = exp(&(Rational::from(2) * t), precision);
    let low = ((&below - &one) << precision) / (&below + &one);
    let high = ceiling((&above - &one) << precision, &(&above + &one));
    Enclosure { low, high, precision }
}

/// Integers that, over 2^P, have e^t between them; t >= 0.
fn exp(t: &Rational, precision: usize) -> (IBig, IBig) {
    // t < 2^bits, so u = t/2^halvings < 1/2.
    let halvings = bit_length(&t.floor()) as usize + 1;
    let numerator = t.numerator() << precision;
    let denominator = t.denominator().as_ibig() << halvings;
    let mut low = below(&(&numerator / &denominator), precision);
    let mut high = above(&ceiling(numerator, &denominator), precision);
    for _ in 0..halvings {
        low = (&low * &low) >> precision;
        high = ((&high * &high) >> precision) + IBig::ONE;
    }
    (low, high)
}

/// At most e^u, for 0 <= u <= 1/2, over 2^P.
fn below(u: &IBig, precision: usize) -> IBig {
    let (mut sum, mut term) = (IBig::ZERO, IBig::ONE << precision);
    let mut j = 0u32;
    while term > IBig::ZERO {
        sum += &term;
        j += 1;
        term = ((&term * u) >> precision) / IBig::from(j);
    }
    sum
}

/// At least e^u, for 0 <= u <= 1/2, over 2^P.
fn above(u: &IBig, precision: usize) -> IBig {
    let (mut sum, mut term) = (IBig::ZERO, IBig::ONE << precision);
    let mut j = 0u32;
    while term > IBig::ONE {
        sum += &term;
        j += 1;
        // The product is at most half the term, so the term shrinks.
        term = ceiling(&term * u, &(IBig::from(j) << precision));
    }
    sum + &term + term
}

/// ⌈a/b⌉ for a >= 0 and b > 0.
fn ceiling(a: IBig, b: &IBig) -> IBig {
    (a + b - IBig::ONE) / b
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(numerator: i64, denominator: u64) -> Rational {
        Rational::from_parts(numerator.into(), denominator.into())
    }

    fn ends(t: &Rational, precision: usize) -> (Rational, Rational) {
        let found = tanh(t, precision);
        (found.middle() - found.radius(), found.middle() + found.radius())
    }

    /// Within 4 units in the last place of the library's tanh, whose error is a few.
    #[test]
    fn intervals_hold_what_binary64_says() {
        for k in -160i64..=160 {
            let t = ratio(k, 8);
            let expected = (k as f64 / 8.0).tanh();
            let (low, high) = ends(&t, 160);
            let slack =
                Dyadic::try_from(4.0 * f64::EPSILON * expected.abs()).unwrap().to_rational();
            let expected = Dyadic::try_from(expected).unwrap().to_rational();
            assert!(low <= high && &low - &slack <= expected && expected <= &high + slack, "{t}");
            assert!(high - low < ratio(1, 1 << 62) * ratio(1, 1 << 40), "{t}");
        }
    }

    #[test]
    fn zero_is_exact_enough_and_tanh_is_odd() {
        let (low, high) = ends(&Rational::ZERO, 64);
        assert!(low <= Rational::ZERO && Rational::ZERO <= high && &high - low < ratio(1, 1 << 50));
        let (low, high) = ends(&ratio(7, 3), 64);
        assert_eq!(ends(&ratio(-7, 3), 64), (-high, -low));
    }

    /// tanh 2t = 2T/(1 + T²), T = tanh t, which grows with T in [0, 1]: the intervals overlap, and
    /// those of more precision meet those of less.
    #[test]
    fn intervals_obey_the_formula_of_the_double_argument() {
        let double = |x: &Rational| Rational::from(2) * x / (Rational::ONE + x * x);
        for k in 0..60i64 {
            let t = ratio(k * k, 97);
            for precision in [16, 64, 200] {
                let (low, high) = ends(&t, precision);
                let (from, to) = ends(&(Rational::from(2) * &t), precision);
                assert!(double(&low) <= to && from <= double(&high), "{t}, {precision}");
                let (inner_low, inner_high) = ends(&t, 2 * precision);
                assert!(low <= inner_high && inner_low <= high, "{t}, {precision}");
            }
        }
    }
}
