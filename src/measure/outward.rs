//! Enclosures of real numbers in binary64, rounded outwards.
//!
//! **Statement.** For enclosures X and Y, every operation returns an enclosure that contains x ∘ y for all x in X and
//! y in Y. Additions, subtractions, multiplications, divisions and square roots of single numbers return the two
//! neighbouring binary64 numbers around the exact result, or the result itself where it is exact, above 2^-960.
//!
//! **Proof.** Let r be the result of a processor's operation, rounded to nearest, and x the exact one.
//!
//! *Neighbours.* r.next_down() <= x <= r.next_up(), also for results that underflow, and with r = ∞ for finite
//! operands x > the largest number. So without any further knowledge the two neighbours are an enclosure.
//!
//! *Which side.* The error x − r of a sum is a binary64 number, which Knuth's TwoSum returns (no overflow: |r| <=
//! 2^1022). A product's is fma(a, b, −r), exact where no bit is below 2^-1074: |r| >= 2^-960 has its last bit, and
//! that of the error, above 2^-1066. Of a quotient q = a/b the remainder a − q b, and of a root s the remainder a −
//! s², are binary64 numbers too (Markstein; Boldo and Daumas, 2003) with the same condition, and their signs say on
//! which side x lies. Elsewhere both neighbours are taken.
//!
//! *Logarithm.* x = m 2^k with m in [√½, √2) to rounding, exactly. With s = (m − 1)/(m + 1), |s| < 0.18,
//! ln m = 2 Σ_j s^{2j+1}/(2j + 1), whose terms from j = J on sum to at most s^{2J+1}/((2J + 1)(1 − s²)) in absolute
//! value. Everything is computed in enclosures, and ln 2 is enclosed by two neighbouring numbers.
//!
//! *Exponential.* x = k ln 2 + r with an integer k near x/ln 2, so that r, enclosed, is small: |r| < 0.4.
//! e^r = Σ_{j<J} r^j/j! + R, |R| <= |r|^J/J! · 1/(1 − |r|/(J+1)). Multiplication by 2^k is an enclosure's.
//!
//! Both are monotone, so that enclosures of the ends enclose the image. ∎
//!
//! **Not a number.** Operations that mean nothing (∞ − ∞, the root of a negative number, 0/0) return −∞ ..= ∞: an
//! enclosure never is NaN.

use std::ops::{Add, Div, Mul, Neg, Sub};

use serde::Serialize;

use shatter_exact::{Dyadic, Rational};

/// Below it the error of a product may not be a binary64 number.
const SMALL: f64 = f64::from_bits((1023 - 960) << 52);
/// Above it sums of the halves may overflow.
const LARGE: f64 = f64::from_bits((1023 + 1022) << 52);
/// Terms of the logarithm's series: 0.18^41/41 is below 2^-100.
const LOGARITHM_TERMS: u32 = 20;
/// Terms of the exponential's series: 0.4^20/20! is below 2^-87.
const EXPONENTIAL_TERMS: u32 = 20;
/// ln 2 without its lowest bits: 42 bits, so that products with 11-bit integers are exact, …
const LN_2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fefa_3800);
/// … and the number below the rest of it; the next one is above.
const LN_2_LOW: f64 = f64::from_bits(0x3d2e_f357_93c7_6730);

/// Both neighbours of a rounded result; of an infinite one of finite operands, the largest number and infinity.
fn neighbours(r: f64) -> (f64, f64) {
    match r.is_nan() {
        true => (f64::NEG_INFINITY, f64::INFINITY),
        false => (r.next_down(), r.next_up()),
    }
}

/// The enclosure of a result with the sign of (exact result − r).
fn beside(r: f64, error: f64) -> (f64, f64) {
    if error == 0.0 {
        (r, r)
    } else if error > 0.0 {
        (r, r.next_up())
    } else if error < 0.0 {
        (r.next_down(), r)
    } else {
        neighbours(r)
    }
}

fn sum(a: f64, b: f64) -> (f64, f64) {
    let r = a + b;
    if r.is_infinite() && (a.is_infinite() || b.is_infinite()) {
        return (r, r);
    }
    if !(r.abs() <= LARGE && a.abs() <= LARGE && b.abs() <= LARGE) {
        return neighbours(r);
    }
    let of_b = r - a;
    beside(r, (a - (r - of_b)) + (b - of_b))
}

fn product(a: f64, b: f64) -> (f64, f64) {
    // An end at infinity stands for numbers without limit, and 0 times any of them is 0.
    if a == 0.0 || b == 0.0 {
        return (0.0, 0.0);
    }
    let r = a * b;
    if r.is_infinite() && (a.is_infinite() || b.is_infinite()) {
        return (r, r);
    }
    if r.abs() >= SMALL && r.is_finite() {
        return beside(r, a.mul_add(b, -r));
    }
    // What underflows keeps its sign.
    let (low, high) = neighbours(r);
    if (a > 0.0) == (b > 0.0) { (low.max(0.0), high) } else { (low, high.min(0.0)) }
}

/// For b other than 0.
fn quotient(a: f64, b: f64) -> (f64, f64) {
    if a == 0.0 && !b.is_nan() {
        return (0.0, 0.0);
    }
    let r = a / b;
    if a.is_infinite() && b.is_finite() {
        return (r, r);
    }
    let exact = |x: f64| (SMALL..=LARGE).contains(&x.abs());
    if exact(a) && exact(b) && exact(r) {
        let remainder = (-r).mul_add(b, a);
        return beside(r, if b > 0.0 { remainder } else { -remainder });
    }
    neighbours(r)
}

/// For a >= 0.
fn root(a: f64) -> (f64, f64) {
    let r = a.sqrt();
    if a == 0.0 || a == f64::INFINITY {
        return (r, r);
    }
    if a >= SMALL {
        return beside(r, (-r).mul_add(r, a));
    }
    neighbours(r)
}

/// a + b, rounded up.
#[must_use]
pub fn add_up(a: f64, b: f64) -> f64 {
    sum(a, b).1
}

/// a + b, rounded down.
#[must_use]
pub fn add_down(a: f64, b: f64) -> f64 {
    sum(a, b).0
}

/// a · b, rounded up.
#[must_use]
pub fn mul_up(a: f64, b: f64) -> f64 {
    product(a, b).1
}

/// a · b, rounded down.
#[must_use]
pub fn mul_down(a: f64, b: f64) -> f64 {
    product(a, b).0
}

/// a · b, rounded down and up.
#[must_use]
pub fn mul_both(a: f64, b: f64) -> (f64, f64) {
    product(a, b)
}

/// The real numbers from `low` to `high`; an end at infinity says that there is no limit.
///
/// ```
/// use shatter_measure::Enclosure;
/// let third = Enclosure::exact(1.0) / Enclosure::exact(3.0);
/// assert!(third.low() < third.high() && third.high() == third.low().next_up());
/// assert_eq!(Enclosure::exact(0.5) + Enclosure::exact(0.25), Enclosure::exact(0.75));
/// let two = Enclosure::exact(2.0).ln().exp();
/// assert!(two.contains(2.0) && two.width() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Enclosure {
    low: f64,
    high: f64,
}

impl Enclosure {
    /// 0.
    pub const ZERO: Enclosure = Enclosure { low: 0.0, high: 0.0 };
    /// 1.
    pub const ONE: Enclosure = Enclosure { low: 1.0, high: 1.0 };
    /// Every real number.
    pub const ALL: Enclosure = Enclosure { low: f64::NEG_INFINITY, high: f64::INFINITY };

    /// The numbers from `low` to `high`; all numbers if an end is NaN or the ends are in the wrong order.
    #[must_use]
    pub fn new(low: f64, high: f64) -> Enclosure {
        if low <= high { Enclosure { low, high } } else { Enclosure::ALL }
    }

    /// One number; all numbers for NaN.
    #[must_use]
    pub fn exact(x: f64) -> Enclosure {
        Enclosure::new(x, x)
    }

    /// A whole number.
    #[must_use]
    pub fn whole(x: u64) -> Enclosure {
        let r = x as f64; // rounded to nearest
        let (back, exact) = (r as u128, u128::from(x));
        match back.cmp(&exact) {
            std::cmp::Ordering::Equal => Enclosure::exact(r),
            std::cmp::Ordering::Less => Enclosure { low: r, high: r.next_up() },
            std::cmp::Ordering::Greater => Enclosure { low: r.next_down(), high: r },
        }
    }

    /// The two binary64 numbers around a fraction.
    ///
    /// ```
    /// use shatter_exact::Rational;
    /// use shatter_measure::Enclosure;
    /// let third = Enclosure::fraction(&(Rational::ONE / Rational::from(3)));
    /// assert_eq!(third, Enclosure::exact(1.0) / Enclosure::exact(3.0));
    /// ```
    #[must_use]
    pub fn fraction(x: &Rational) -> Enclosure {
        let near = x.to_f64().value();
        if near.is_infinite() {
            let largest = f64::MAX.copysign(near);
            return Enclosure::new(near.min(largest), near.max(largest));
        }
        let as_fraction = |x: f64| Dyadic::try_from(x).ok().map(|x| x.to_rational());
        // Whatever the conversion promises, its result is compared with the fraction itself.
        let (mut low, mut high) = (near, near);
        while as_fraction(low).is_some_and(|low| low > *x) {
            low = low.next_down();
        }
        while as_fraction(high).is_some_and(|high| high < *x) {
            high = high.next_up();
        }
        Enclosure::new(low, high)
    }

    /// The lower end.
    #[must_use]
    pub fn low(self) -> f64 {
        self.low
    }

    /// The upper end.
    #[must_use]
    pub fn high(self) -> f64 {
        self.high
    }

    /// The upper end minus the lower end, rounded up.
    #[must_use]
    pub fn width(self) -> f64 {
        add_up(self.high, -self.low)
    }

    /// Returns true if `x` is one of the numbers.
    #[must_use]
    pub fn contains(self, x: f64) -> bool {
        (self.low..=self.high).contains(&x)
    }

    /// √x; all numbers if some are negative.
    #[must_use]
    pub fn sqrt(self) -> Enclosure {
        if self.low < 0.0 {
            return Enclosure::ALL;
        }
        Enclosure { low: root(self.low).0.max(0.0), high: root(self.high).1 }
    }

    /// x².
    #[must_use]
    pub fn square(self) -> Enclosure {
        let of = self.abs();
        Enclosure { low: product(of.low, of.low).0.max(0.0), high: product(of.high, of.high).1 }
    }

    /// |x|.
    #[must_use]
    pub fn abs(self) -> Enclosure {
        if self.low >= 0.0 {
            self
        } else if self.high <= 0.0 {
            -self
        } else {
            Enclosure { low: 0.0, high: self.high.max(-self.low) }
        }
    }

    /// The larger of two numbers.
    #[must_use]
    pub fn max(self, other: Enclosure) -> Enclosure {
        Enclosure { low: self.low.max(other.low), high: self.high.max(other.high) }
    }

    /// The smaller of two numbers.
    #[must_use]
    pub fn min(self, other: Enclosure) -> Enclosure {
        Enclosure { low: self.low.min(other.low), high: self.high.min(other.high) }
    }

    /// x^k for a whole k >= 0, by squares.
    #[must_use]
    pub fn powi(self, k: u32) -> Enclosure {
        let (mut result, mut square, mut rest) = (Enclosure::ONE, self, k);
        while rest > 0 {
            if rest % 2 == 1 {
                result = result * square;
            }
            rest /= 2;
            if rest > 0 {
                square = square.square();
            }
        }
        result
    }

    /// x^y = e^{y ln x} for x >= 0; 0^y is 0 for y > 0. All numbers if some x are negative.
    ///
    /// ```
    /// use shatter_measure::Enclosure;
    /// let four = Enclosure::exact(8.0).pow(Enclosure::exact(2.0) / Enclosure::exact(3.0));
    /// assert!(four.contains(4.0) && four.width() < 1e-13);
    /// ```
    #[must_use]
    pub fn pow(self, y: Enclosure) -> Enclosure {
        if self.high == 0.0 && self.low == 0.0 && y.low > 0.0 {
            return Enclosure::ZERO;
        }
        (y * self.ln()).exp()
    }

    /// ln x for x >= 0, with ln 0 = −∞; all numbers if some are negative.
    #[must_use]
    pub fn ln(self) -> Enclosure {
        if self.low < 0.0 {
            return Enclosure::ALL;
        }
        Enclosure::new(logarithm(self.low).low, logarithm(self.high).high)
    }

    /// e^x.
    #[must_use]
    pub fn exp(self) -> Enclosure {
        Enclosure::new(exponential(self.low).low, exponential(self.high).high)
    }

    /// ln 2.
    #[must_use]
    pub fn ln_2() -> Enclosure {
        Enclosure { low: std::f64::consts::LN_2, high: std::f64::consts::LN_2.next_up() }
    }

    /// log2 x for x >= 0.
    #[must_use]
    pub fn log2(self) -> Enclosure {
        self.ln() / Enclosure::ln_2()
    }
}

/// ln x for one x >= 0.
fn logarithm(x: f64) -> Enclosure {
    if x == 0.0 {
        return Enclosure::exact(f64::NEG_INFINITY);
    }
    if x == f64::INFINITY {
        return Enclosure::exact(f64::INFINITY);
    }
    // Subnormal numbers are brought to normal ones first, exactly.
    let subnormal = x < f64::MIN_POSITIVE;
    let x = if subnormal { x * (1u64 << 54) as f64 } else { x };
    let bits = x.to_bits();
    let mut k = (bits >> 52) as i64 - 1023 - if subnormal { 54 } else { 0 };
    let mut m = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    if m > std::f64::consts::SQRT_2 {
        m /= 2.0;
        k += 1;
    }
    let m = Enclosure::exact(m);
    let s = (m - Enclosure::ONE) / (m + Enclosure::ONE);
    let square = s.square();
    // Horner's scheme from the smallest term, and the bound of what is left out.
    let odd = |j: u32| Enclosure::exact(f64::from(2 * j + 1));
    let rest = square.powi(LOGARITHM_TERMS) / (odd(LOGARITHM_TERMS) * (Enclosure::ONE - square));
    let terms = (0..LOGARITHM_TERMS).rev();
    let series = terms.fold(Enclosure::ZERO, |sum, j| Enclosure::ONE / odd(j) + square * sum);
    let series = series + Enclosure { low: 0.0, high: rest.high };
    let of_m = s * series * Enclosure::exact(2.0);
    of_m + (times_ln_2_high(k) + Enclosure::exact(k as f64) * ln_2_low())
}

/// k times the high part of ln 2, exact for |k| < 2^11.
fn times_ln_2_high(k: i64) -> Enclosure {
    Enclosure::exact(k as f64) * Enclosure::exact(LN_2_HIGH)
}

/// The rest of ln 2.
fn ln_2_low() -> Enclosure {
    Enclosure { low: LN_2_LOW, high: LN_2_LOW.next_up() }
}

/// e^x for one x.
fn exponential(x: f64) -> Enclosure {
    if x > 1000.0 {
        let infinite = x == f64::INFINITY;
        return Enclosure { low: if infinite { x } else { f64::MAX }, high: f64::INFINITY };
    }
    if x < -1000.0 {
        let zero = x == f64::NEG_INFINITY;
        return Enclosure { low: 0.0, high: if zero { 0.0 } else { f64::from_bits(1) } };
    }
    // Any integer will do, as long as r is small.
    let k = (x * std::f64::consts::LOG2_E).round() as i64;
    let rest = Enclosure::exact(k as f64) * ln_2_low();
    let r = (Enclosure::exact(x) - times_ln_2_high(k)) - rest;
    let size = r.abs();
    let count = |j: u32| Enclosure::exact(f64::from(j));
    // |r|^J/J!, as a product of |r|/j.
    let first_left_out =
        (1..=EXPONENTIAL_TERMS).fold(Enclosure::ONE, |product, j| product * size / count(j));
    let tail = Enclosure::ONE - size / count(EXPONENTIAL_TERMS + 1);
    let remainder = (first_left_out / tail).high;
    let mut series = Enclosure::ONE;
    for j in (1..EXPONENTIAL_TERMS).rev() {
        series = Enclosure::ONE + r * series / count(j);
    }
    let series = series + Enclosure { low: -remainder, high: remainder };
    // Two factors, of which each is a normal number.
    let half = k / 2;
    let power = |k: i64| Enclosure::exact(f64::from_bits(((k + 1023) as u64) << 52));
    series * power(half) * power(k - half)
}

impl From<f64> for Enclosure {
    fn from(x: f64) -> Enclosure {
        Enclosure::exact(x)
    }
}

impl Neg for Enclosure {
    type Output = Enclosure;
    fn neg(self) -> Enclosure {
        Enclosure { low: -self.high, high: -self.low }
    }
}

impl Add for Enclosure {
    type Output = Enclosure;
    fn add(self, other: Enclosure) -> Enclosure {
        Enclosure::new(sum(self.low, other.low).0, sum(self.high, other.high).1)
    }
}

impl Sub for Enclosure {
    type Output = Enclosure;
    fn sub(self, other: Enclosure) -> Enclosure {
        self + -other
    }
}

impl Mul for Enclosure {
    type Output = Enclosure;
    fn mul(self, other: Enclosure) -> Enclosure {
        if self.low >= 0.0 && other.low >= 0.0 {
            let low = product(self.low, other.low).0.max(0.0);
            return Enclosure::new(low, product(self.high, other.high).1);
        }
        let ends = [
            product(self.low, other.low),
            product(self.low, other.high),
            product(self.high, other.low),
            product(self.high, other.high),
        ];
        let low = ends.iter().fold(f64::INFINITY, |low, end| low.min(end.0));
        let high = ends.iter().fold(f64::NEG_INFINITY, |high, end| high.max(end.1));
        Enclosure::new(low, high)
    }
}

impl Div for Enclosure {
    type Output = Enclosure;
    /// All numbers if some divisor is 0.
    fn div(self, other: Enclosure) -> Enclosure {
        if other.low <= 0.0 && other.high >= 0.0 {
            return Enclosure::ALL;
        }
        let ends = [
            quotient(self.low, other.low),
            quotient(self.low, other.high),
            quotient(self.high, other.low),
            quotient(self.high, other.high),
        ];
        // ∞/∞ returned NaN's neighbours, which are all numbers.
        let low = ends.iter().fold(f64::INFINITY, |low, end| low.min(end.0));
        let high = ends.iter().fold(f64::NEG_INFINITY, |high, end| high.max(end.1));
        Enclosure::new(low, high)
    }
}

impl std::iter::Sum for Enclosure {
    fn sum<I: Iterator<Item = Enclosure>>(numbers: I) -> Enclosure {
        numbers.fold(Enclosure::ZERO, Add::add)
    }
}

impl std::iter::Product for Enclosure {
    fn product<I: Iterator<Item = Enclosure>>(numbers: I) -> Enclosure {
        numbers.fold(Enclosure::ONE, Mul::mul)
    }
}
