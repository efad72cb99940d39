//! A layered network compiled to whole numbers.

use dashu_int::UBig;
use dashu_int::ops::Gcd;

use crate::exact::{Dyadic, IBig, Rational, bit_length};
use crate::network::Activation;
use crate::network::layered::{Layered, Unit};

/// Bits that the coefficients of one unit may take before it is left in fractions: integers are
/// worth it while the common denominator is not many times longer than the denominators.
const MOST_UNIT_BITS: u64 = 1 << 22;

/// What a unit becomes.
#[derive(Debug)]
pub enum Code {
    /// Its values are whole numbers times `scale`.
    Whole(Whole),
    /// Its values are fractions, computed by the definition.
    Fraction,
}

/// φ(Σ coefficient · v_from + bias), in units of `scale` after φ.
#[derive(Debug)]
pub struct Whole {
    /// Coefficients not 0.
    pub weights: Vec<(usize, Coefficient)>,
    /// Bias.
    pub bias: Coefficient,
    /// φ: identity, ReLU, threshold or square, which commute with positive factors up to `scale`.
    pub activation: Activation,
    /// What the whole numbers are to be multiplied by.
    pub scale: Rational,
}

/// An integer, with the same as a machine word where it is one.
#[derive(Debug)]
pub struct Coefficient {
    /// The integer.
    pub exact: IBig,
    /// The same in 64 bits; meaningful where `bits` is below 64.
    pub short: i64,
    /// Bits of its magnitude.
    pub bits: u64,
}

impl Coefficient {
    fn new(exact: IBig) -> Coefficient {
        let bits = bit_length(&exact);
        let short = i64::try_from(&exact).unwrap_or(0);
        Coefficient { exact, short, bits }
    }
}

/// The compiled layers, output included.
#[derive(Debug)]
pub struct Program {
    /// A code for every unit.
    pub layers: Vec<Vec<Code>>,
    /// What the values of the coordinates, and then of each layer, are to be multiplied by.
    pub scales: Vec<Vec<Rational>>,
    /// Coordinates are whole numbers times this power of two.
    pub input_exponent: i64,
}

impl Program {
    /// Compiles `network` for points on the grid 2^`input_exponent`.
    pub fn compile(network: &Layered, input_exponent: i64) -> Program {
        let input = Dyadic::power_of_two(input_exponent).to_rational();
        let mut scales = vec![vec![input; network.inputs]];
        let mut whole = vec![true; network.inputs];
        let mut layers = Vec::with_capacity(network.hidden.len() + 1);
        for units in network.layers() {
            let before = &scales[scales.len() - 1];
            let codes: Vec<Code> = units.iter().map(|unit| compile(unit, before, &whole)).collect();
            whole = codes.iter().map(|code| matches!(code, Code::Whole(_))).collect();
            let scale = |code: &Code| match code {
                Code::Whole(whole) => whole.scale.clone(),
                Code::Fraction => Rational::ONE,
            };
            scales.push(codes.iter().map(scale).collect());
            layers.push(codes);
        }
        Program { layers, scales, input_exponent }
    }
}

/// `scales` and `whole` are those of the layer before.
fn compile(unit: &Unit, scales: &[Rational], whole: &[bool]) -> Code {
    let commutes = matches!(
        unit.activation,
        Activation::Identity | Activation::Relu | Activation::Threshold | Activation::Square
    );
    if !commutes || unit.weights.iter().any(|(from, _)| !whole[*from]) {
        return Code::Fraction;
    }
    // Weights over the units of what they read.
    let weights: Vec<(usize, Rational)> =
        unit.weights.iter().map(|(from, weight)| (*from, weight * &scales[*from])).collect();
    let numbers = || weights.iter().map(|(_, weight)| weight).chain([&unit.bias]);
    let terms = weights.len() as u64 + 1;
    let mut denominator = UBig::ONE;
    for number in numbers() {
        if denominator != *number.denominator() {
            let common = (&denominator).gcd(number.denominator());
            denominator *= number.denominator() / common;
        }
        if bit_length(denominator.as_ibig()).saturating_mul(terms) > MOST_UNIT_BITS {
            return Code::Fraction;
        }
    }
    // A power of two in common is left to the scale: it keeps the integers short.
    let two_power = |x: &Rational| {
        let factor = (&denominator / x.denominator()).trailing_zeros().unwrap_or(0);
        Some(x.numerator().trailing_zeros()? + factor)
    };
    let zeros = numbers().filter_map(two_power).min().unwrap_or(0);
    let over = |x: &Rational| {
        let factor = IBig::from(&denominator / x.denominator());
        Coefficient::new((x.numerator() * factor) >> zeros)
    };
    let unit_of = Rational::from_parts(IBig::ONE << zeros, denominator.clone());
    Code::Whole(Whole {
        bias: over(&unit.bias),
        weights: weights.iter().map(|(from, weight)| (*from, over(weight))).collect(),
        activation: unit.activation,
        scale: match unit.activation {
            Activation::Threshold => Rational::ONE,
            Activation::Square => &unit_of * &unit_of,
            _ => unit_of,
        },
    })
}
