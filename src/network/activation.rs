//! What a unit does with its affine value.
//!
//! All of them map rational numbers to rational numbers, so that networks of them are evaluated
//! without rounding. The sine enters through its sign, which is what a classifier reads from it.

use std::fmt;

use shatter_exact::{IBig, Rational};

/// A function of one number, exact on rational numbers.
///
/// ```
/// use shatter_exact::Rational;
/// use shatter_network::Activation;
/// let half = Rational::from_parts(1.into(), 2u8.into());
/// assert_eq!(Activation::Relu.apply(-half.clone()), Rational::ZERO);
/// assert_eq!(Activation::Threshold.apply(Rational::ZERO), Rational::ZERO); // strict
/// assert_eq!(Activation::Softsign.apply(Rational::ONE), half.clone());
/// assert_eq!(Activation::Sine.apply(half), Rational::ONE); // sin(π/2) > 0
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// t.
    Identity,
    /// max(t, 0).
    Relu,
    /// 1 if t > 0, else 0.
    Threshold,
    /// t/(1 + |t|).
    Softsign,
    /// 1 if sin(πt) > 0, else 0.
    Sine,
    /// t².
    Square,
    /// 1/t, and 0 at 0.
    Reciprocal,
}

impl Activation {
    /// All activations.
    pub const ALL: [Activation; 7] = [
        Activation::Identity,
        Activation::Relu,
        Activation::Threshold,
        Activation::Softsign,
        Activation::Sine,
        Activation::Square,
        Activation::Reciprocal,
    ];

    /// The value at `t`.
    pub fn apply(self, t: Rational) -> Rational {
        let indicator = |yes: bool| if yes { Rational::ONE } else { Rational::ZERO };
        match self {
            Activation::Identity => t,
            Activation::Relu => {
                if t > Rational::ZERO {
                    t
                } else {
                    Rational::ZERO
                }
            }
            Activation::Threshold => indicator(t > Rational::ZERO),
            Activation::Softsign => {
                let magnitude = if t < Rational::ZERO { -t.clone() } else { t.clone() };
                t / (Rational::ONE + magnitude)
            }
            // The sine of πt is positive between an even number and the next odd one.
            Activation::Sine => {
                let below = t.floor();
                let even = below.trailing_zeros().is_none_or(|zeros| zeros > 0);
                indicator(even && Rational::from(below) != t)
            }
            Activation::Square => &t * &t,
            Activation::Reciprocal => {
                if t.numerator() == &IBig::ZERO {
                    Rational::ZERO
                } else {
                    Rational::ONE / t
                }
            }
        }
    }

    /// Returns the name in network files.
    pub fn name(self) -> &'static str {
        match self {
            Activation::Identity => "identity",
            Activation::Relu => "relu",
            Activation::Threshold => "threshold",
            Activation::Softsign => "softsign",
            Activation::Sine => "sine",
            Activation::Square => "square",
            Activation::Reciprocal => "reciprocal",
        }
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
