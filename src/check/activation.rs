//! The checker's own activations, by name and on integers.

use dashu_int::IBig;

/// The function that a unit applies to its affine value t.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// The activation of this name.
    pub fn parse(name: &str) -> Option<Activation> {
        Some(match name {
            "identity" => Activation::Identity,
            "relu" => Activation::Relu,
            "threshold" => Activation::Threshold,
            "softsign" => Activation::Softsign,
            "sine" => Activation::Sine,
            "square" => Activation::Square,
            "reciprocal" => Activation::Reciprocal,
            _ => return None,
        })
    }

    /// Returns whether its values are 0 and 1.
    pub fn is_indicator(self) -> bool {
        matches!(self, Activation::Threshold | Activation::Sine)
    }

    /// Returns whether its values have denominators that depend on the point.
    pub fn divides(self) -> bool {
        matches!(self, Activation::Softsign | Activation::Reciprocal)
    }
}

/// Returns whether sin(π m/2^k) > 0: the quotient lies strictly between an even number and the next one.
/// Bit k of m, in two's complement, is the parity of the number below.
pub fn sine_of_dyadic(m: &IBig, k: u64) -> bool {
    let below_or_on = |bits: u64| -> IBig { m >> bits as usize };
    let floor = below_or_on(k);
    let even = floor.trailing_zeros().is_none_or(|zeros| zeros > 0);
    // An integer exactly if 2^k divides m.
    let whole = m.trailing_zeros().is_none_or(|zeros| zeros as u64 >= k);
    even && !whole
}

/// The same for m/q with q > 0.
pub fn sine_of_fraction(m: &IBig, q: &IBig) -> bool {
    use dashu_int::ops::DivRemEuclid;
    let (floor, rest) = m.div_rem_euclid(q);
    let even = floor.trailing_zeros().is_none_or(|zeros| zeros > 0);
    even && rest != dashu_int::UBig::ZERO
}
