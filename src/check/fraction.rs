//! Fractions for the activations that divide. Every operation is announced before it is done.

use dashu_int::IBig;
use dashu_int::ops::{Abs, Gcd};

use super::Rejection;
use super::activation::{Activation, sine_of_fraction};
use super::number::{Binary, bit_length};
use super::work::Work;

/// A fraction with a denominator above 0, in lowest terms where it says so.
#[derive(Clone, Debug)]
pub struct Fraction {
    numerator: IBig,
    denominator: IBig,
}

impl Fraction {
    /// m · 2^e / q, q >= 1, in lowest terms. The caller bounds |e|.
    pub fn new(m: &IBig, e: i64, q: &IBig, work: &Work) -> Result<Fraction, Rejection> {
        work.announce(2, bit_length(m).max(bit_length(q)) + e.unsigned_abs(), 0)?;
        let shift = e.unsigned_abs() as usize;
        let (numerator, denominator) =
            if e >= 0 { (m << shift, q.clone()) } else { (m.clone(), q << shift) };
        Fraction { numerator, denominator }.lowest(work)
    }

    /// 0.
    pub const ZERO: Fraction = Fraction { numerator: IBig::ZERO, denominator: IBig::ONE };

    /// Returns whether it is 0.
    pub fn is_zero(&self) -> bool {
        self.numerator == IBig::ZERO
    }

    /// Bits of the longer one of numerator and denominator.
    pub fn longer(&self) -> u64 {
        bit_length(&self.numerator).max(bit_length(&self.denominator))
    }

    /// Bits of numerator and denominator.
    pub fn bits(&self) -> u64 {
        bit_length(&self.numerator) + bit_length(&self.denominator)
    }

    /// The product, not in lowest terms.
    pub fn times(&self, other: &Fraction, work: &Work) -> Result<Fraction, Rejection> {
        work.announce(2, self.bits(), other.bits())?;
        Ok(Fraction {
            numerator: &self.numerator * &other.numerator,
            denominator: &self.denominator * &other.denominator,
        })
    }

    /// The sum, not in lowest terms.
    pub fn plus(&self, other: &Fraction, work: &Work) -> Result<Fraction, Rejection> {
        if self.denominator == other.denominator {
            work.announce(2, self.bits().max(other.bits()), 0)?;
            let numerator = &self.numerator + &other.numerator;
            return Ok(Fraction { numerator, denominator: self.denominator.clone() });
        }
        work.announce(3, self.bits(), other.bits())?;
        let crossed = &self.numerator * &other.denominator + &other.numerator * &self.denominator;
        Ok(Fraction { numerator: crossed, denominator: &self.denominator * &other.denominator })
    }

    /// The sum of at least one, not in lowest terms: pairs first, then pairs of pairs, so that
    /// factors are of equal length.
    pub fn sum(mut terms: Vec<Fraction>, work: &Work) -> Result<Fraction, Rejection> {
        while terms.len() > 1 {
            let pair = |pair: &[Fraction]| match pair {
                [one, two] => one.plus(two, work),
                _ => Ok(pair[0].clone()),
            };
            terms = terms.chunks(2).map(pair).collect::<Result<_, _>>()?;
        }
        Ok(terms.pop().unwrap_or(Fraction::ZERO))
    }

    /// The same number in lowest terms.
    pub fn lowest(self, work: &Work) -> Result<Fraction, Rejection> {
        if self.denominator == IBig::ONE {
            return Ok(self);
        }
        work.announce(3, bit_length(&self.numerator), bit_length(&self.denominator))?;
        let divisor = IBig::from((&self.numerator).gcd(&self.denominator));
        if divisor == IBig::ONE {
            return Ok(self);
        }
        let (numerator, denominator) = (self.numerator / &divisor, self.denominator / divisor);
        Ok(Fraction { numerator, denominator })
    }

    /// Returns whether the fraction is y.
    pub fn equals(&self, y: &Binary, work: &Work) -> Result<bool, Rejection> {
        let shift = y.exponent.unsigned_abs() as usize;
        work.announce(2, self.bits() + y.exponent.unsigned_abs(), bit_length(&y.mantissa))?;
        let right = &y.mantissa * &self.denominator;
        Ok(if y.exponent >= 0 {
            self.numerator == right << shift
        } else {
            &self.numerator << shift == right
        })
    }

    /// 1 if sin(πt) > 0 or t > 0, as the activation says, else 0.
    pub fn indicator(&self, activation: Activation, work: &Work) -> Result<bool, Rejection> {
        match activation {
            Activation::Sine => {
                work.announce(1, bit_length(&self.numerator), bit_length(&self.denominator))?;
                Ok(sine_of_fraction(&self.numerator, &self.denominator))
            }
            _ => Ok(self.numerator > IBig::ZERO),
        }
    }

    /// The value of the activation, in lowest terms.
    pub fn settled(self, activation: Activation, work: &Work) -> Result<Fraction, Rejection> {
        if activation == Activation::Relu && self.numerator <= IBig::ZERO {
            return Ok(Fraction::ZERO);
        }
        self.lowest(work)?.activated(activation, work)
    }

    /// The value of the activation. Lowest terms stay lowest terms.
    pub fn activated(self, activation: Activation, work: &Work) -> Result<Fraction, Rejection> {
        let Fraction { numerator: p, denominator: q } = self;
        let (numerator, denominator) = match activation {
            Activation::Identity => (p, q),
            Activation::Relu if p > IBig::ZERO => (p, q),
            Activation::Relu => (IBig::ZERO, IBig::ONE),
            Activation::Threshold | Activation::Sine => {
                let one = Fraction { numerator: p, denominator: q }.indicator(activation, work)?;
                (IBig::from(u8::from(one)), IBig::ONE)
            }
            Activation::Softsign => {
                work.announce(2, bit_length(&p).max(bit_length(&q)), 0)?;
                let denominator = q + (&p).abs();
                (p, denominator)
            }
            Activation::Square => {
                let bits = bit_length(&p).max(bit_length(&q));
                work.announce(2, bits, bits)?;
                (&p * &p, &q * &q)
            }
            Activation::Reciprocal if p == IBig::ZERO => (p, IBig::ONE),
            Activation::Reciprocal if p < IBig::ZERO => (-q, -p),
            Activation::Reciprocal => (q, p),
        };
        Ok(Fraction { numerator, denominator })
    }
}

impl From<IBig> for Fraction {
    fn from(numerator: IBig) -> Fraction {
        Fraction { numerator, denominator: IBig::ONE }
    }
}
