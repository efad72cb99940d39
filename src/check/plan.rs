//! A layered network brought to integers.
//!
//! What a unit computes is an integer times its *scale* 2^e / q, which depends on the network and
//! not on the point: with weights w_i on numbers P_i · s_i, and τ the largest 2^e / q of which all
//! w_i s_i and the bias are multiples,
//!
//! ```text
//! Σ_i w_i s_i P_i + v = τ (Σ_i (w_i s_i / τ) P_i + v / τ)
//! ```
//!
//! with integers in the parentheses. The identity and the ReLU keep τ, thresholds and sines have
//! scale 1, a square has τ². Softsign and reciprocal leave the integers: layers after one of them
//! are evaluated in [`Fraction`]s, until a layer of nothing but thresholds and sines. So are those
//! after two layers over one direction with fractions in the second; see [`Ridge`].

use std::borrow::Cow;

use dashu_int::IBig;
use dashu_int::ops::Gcd;

use super::Rejection;
use super::activation::Activation;
use super::fraction::Fraction;
use super::layered::{Layer, Layered};
use super::number::{Number, bit_length};
use super::ridge::Ridge;
use super::room::Room;
use super::work::Work;

/// Bits of memory that all numbers of a plan may take: 128 MiB.
const MOST_BITS: u64 = 1 << 30;
/// Exponents of two beyond this are refused: sums of a few of them cannot overflow.
const MOST_EXPONENT: i64 = 1 << 40;
/// Bits of a number that is handled in 128 bits.
pub const NARROW: u64 = 126;

/// 2^exponent / odd.
#[derive(Clone, Debug)]
pub struct Scale {
    /// e.
    pub exponent: i64,
    /// q >= 1, odd.
    pub odd: IBig,
}

impl Scale {
    /// 1.
    pub const ONE: Scale = Scale { exponent: 0, odd: IBig::ONE };
}

/// Weights and biases of a layer as integers, each over the scale of its unit.
#[derive(Debug)]
pub enum Integers {
    /// All of at most [`NARROW`] bits.
    Narrow {
        /// Weights, as in the layer.
        weights: Vec<i128>,
        /// Biases.
        biases: Vec<i128>,
    },
    /// Of any size.
    Wide {
        /// Weights, as in the layer.
        weights: Vec<IBig>,
        /// Biases.
        biases: Vec<IBig>,
    },
}

/// A layer whose inputs are integers.
#[derive(Debug)]
pub struct IntegerLayer<'a> {
    /// Activations and wiring.
    pub layer: Cow<'a, Layer>,
    /// Weights and biases.
    pub integers: Integers,
    /// Scales of the units before their activation.
    pub scales: Vec<Scale>,
    /// Bits of the largest weight, of the largest bias, and of the number of weights of a unit.
    pub bits: (u64, u64, u64),
    /// True if all values stay in 128 bits if the affine values have at most half as many.
    pub squares: bool,
    /// True if it ends in fractions.
    pub divides: bool,
}

/// A layer whose inputs are fractions.
#[derive(Debug)]
pub struct FractionLayer<'a> {
    /// Activations and wiring.
    pub layer: &'a Layer,
    /// Weights, as in the layer.
    pub weights: Vec<Fraction>,
    /// Biases.
    pub biases: Vec<Fraction>,
    /// True if it ends in zeros and ones.
    pub indicators: bool,
}

/// A layer as it is evaluated.
#[derive(Debug)]
pub enum Step<'a> {
    /// Two layers at once, from integers.
    Ridge(Ridge<'a>),
    /// From integers.
    Integers(IntegerLayer<'a>),
    /// From fractions.
    Fractions(FractionLayer<'a>),
}

impl Step<'_> {
    /// Weights and units that a point meets, every unit twice.
    pub fn numbers(&self) -> u64 {
        let numbers = |layer: &Layer| (layer.weights.len() + 2 * layer.units()) as u64 + 1;
        match self {
            Step::Ridge(ridge) => numbers(&ridge.projection.layer) + 2 * ridge.layer.units() as u64,
            Step::Integers(step) => numbers(&step.layer),
            Step::Fractions(step) => numbers(step.layer),
        }
    }
}

/// The layers in their order.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The evaluation of each layer.
    pub steps: Vec<Step<'a>>,
    /// Scales of the outputs where they are integers.
    pub scales: Vec<Scale>,
}

impl<'a> Plan<'a> {
    /// The plan for points whose coordinates are integers times 2^`grain`.
    ///
    /// # Errors
    /// [`Rejection::TooMuchSpace`], [`Rejection::TooMuchWork`].
    pub fn of(network: &'a Layered, grain: i64, work: &Work) -> Result<Plan<'a>, Rejection> {
        let mut room = Room::new(MOST_BITS);
        let scale = Scale { exponent: grain, odd: IBig::ONE };
        // No scales after a layer that ends in fractions.
        let mut scales = Some(vec![scale; network.inputs]);
        let mut steps = Vec::new();
        let mut layers = &network.layers[..];
        if let (Some(before), [first, second, rest @ ..]) = (&scales, layers)
            && Ridge::applies(first, second)
        {
            let ridge = Ridge::of(first, second, before, &mut room, work)?;
            scales = ridge.indicators.then(|| vec![Scale::ONE; second.units()]);
            steps.push(Step::Ridge(ridge));
            layers = rest;
        }
        for layer in layers {
            let divides = layer.activations.iter().any(|activation| activation.divides());
            match scales {
                Some(before) => {
                    let step =
                        IntegerLayer::of(Cow::Borrowed(layer), &before, divides, &mut room, work)?;
                    scales = match divides {
                        true => None,
                        false => Some(step.scales_after(&mut room, work)?),
                    };
                    steps.push(Step::Integers(step));
                }
                None => {
                    let step = FractionLayer::of(layer, &mut room, work)?;
                    scales = step.indicators.then(|| vec![Scale::ONE; layer.units()]);
                    steps.push(Step::Fractions(step));
                }
            }
        }
        Ok(Plan { steps, scales: scales.unwrap_or_default() })
    }
}

/// m · 2^e / q.
pub struct Part {
    /// m.
    pub m: IBig,
    /// e.
    pub e: i64,
    /// q >= 1, odd.
    pub q: IBig,
}

impl Part {
    /// A number times a scale.
    ///
    /// # Errors
    /// [`Rejection::TooMuchWork`].
    pub fn of(number: &Number, scale: &Scale, work: &Work) -> Result<Part, Rejection> {
        let (m, e, mut q) = number.parts();
        if scale.odd != IBig::ONE {
            work.announce(1, bit_length(&q), bit_length(&scale.odd))?;
            q *= &scale.odd;
        }
        Ok(Part { m, e: e + scale.exponent, q })
    }
}

/// A number times a scale, in lowest terms.
///
/// # Errors
/// [`Rejection::TooMuchSpace`], [`Rejection::TooMuchWork`].
pub fn fraction(
    number: &Number,
    scale: &Scale,
    room: &Room,
    work: &Work,
) -> Result<Fraction, Rejection> {
    let Part { m, e, q } = Part::of(number, scale, work)?;
    room.lend(bit_length(&m).max(bit_length(&q)).saturating_add(e.unsigned_abs()), 2)?;
    Fraction::new(&m, e, &q, work)
}

/// The parts as integers over the largest scale of which they are multiples.
fn over_one_scale(
    parts: &[Part],
    room: &mut Room,
    work: &Work,
) -> Result<(Vec<IBig>, Scale), Rejection> {
    let nonzero = || parts.iter().filter(|part| part.m != IBig::ZERO);
    let exponent = nonzero().map(|part| part.e).min().unwrap_or(0);
    let mut odd = IBig::ONE;
    for part in nonzero().filter(|part| part.q != IBig::ONE) {
        if part.q != odd {
            work.announce(3, bit_length(&odd), bit_length(&part.q))?;
            let common = IBig::from((&odd).gcd(&part.q));
            odd *= &part.q / common;
            // Each of the integers will be as long.
            room.lend(bit_length(&odd), parts.len() as u64)?;
        }
    }
    let mut numbers = Vec::with_capacity(parts.len());
    for part in parts {
        if part.m == IBig::ZERO {
            numbers.push(IBig::ZERO);
            continue;
        }
        let shift = (part.e - exponent).unsigned_abs();
        let bits = bit_length(&part.m) + shift;
        room.take(bits + bit_length(&odd), 1)?;
        let mut number = &part.m << shift as usize;
        if odd != IBig::ONE {
            work.announce(2, bits, bit_length(&odd))?;
            number *= &odd / &part.q;
        }
        numbers.push(number);
    }
    if odd != IBig::ONE {
        let mut common = odd.clone();
        for number in numbers.iter().filter(|number| **number != IBig::ZERO) {
            work.announce(3, bit_length(number), bit_length(&odd))?;
            common = IBig::from((&common).gcd(number));
            if common == IBig::ONE {
                break;
            }
        }
        if common != IBig::ONE {
            odd /= &common;
            numbers.iter_mut().for_each(|number| *number /= &common);
        }
    }
    room.take(bit_length(&odd), 1)?;
    let scale = Scale { exponent, odd };
    reachable(&scale)?;
    Ok((numbers, scale))
}

/// Refuses exponents whose sums could overflow.
fn reachable(scale: &Scale) -> Result<(), Rejection> {
    if scale.exponent.abs() > MOST_EXPONENT {
        return Err(Rejection::TooMuchSpace { limit: MOST_EXPONENT.unsigned_abs() });
    }
    Ok(())
}

fn narrow(numbers: &[IBig]) -> Option<Vec<i128>> {
    numbers.iter().map(|x| i128::try_from(x).ok().filter(|_| bit_length(x) <= NARROW)).collect()
}

fn widest(numbers: &[IBig]) -> u64 {
    numbers.iter().map(bit_length).max().unwrap_or(0)
}

impl<'a> IntegerLayer<'a> {
    /// The layer on inputs over these scales; `divides` if one of its activations does.
    ///
    /// # Errors
    /// [`Rejection::TooMuchSpace`], [`Rejection::TooMuchWork`].
    pub fn of(
        layer: Cow<'a, Layer>,
        before: &[Scale],
        divides: bool,
        room: &mut Room,
        work: &Work,
    ) -> Result<IntegerLayer<'a>, Rejection> {
        let (mut weights, mut biases, mut scales) = (Vec::new(), Vec::new(), Vec::new());
        let mut parts = Vec::new();
        for j in 0..layer.units() {
            parts.clear();
            room.lend(0, 2 * layer.row(j).len() as u64)?;
            for k in layer.row(j) {
                parts.push(Part::of(&layer.weights[k], &before[layer.from[k] as usize], work)?);
            }
            parts.push(Part::of(&layer.biases[j], &Scale::ONE, work)?);
            let (mut numbers, scale) = over_one_scale(&parts, room, work)?;
            biases.extend(numbers.pop()); // the last part
            weights.append(&mut numbers);
            scales.push(scale);
        }
        let terms = (0..layer.units()).map(|j| layer.row(j).len() as u64).max().unwrap_or(0);
        let bits = (widest(&weights), widest(&biases), 64 - u64::from(terms.leading_zeros()));
        let odd_sine =
            layer.activations.iter().zip(&scales).any(|(activation, scale)| {
                *activation == Activation::Sine && scale.odd != IBig::ONE
            });
        let integers = match (narrow(&weights), narrow(&biases)) {
            (Some(weights), Some(biases)) if !divides && !odd_sine => {
                Integers::Narrow { weights, biases }
            }
            _ => Integers::Wide { weights, biases },
        };
        let squares = layer.activations.contains(&Activation::Square);
        Ok(IntegerLayer { layer, integers, scales, bits, squares, divides })
    }

    /// The scales of the values, where all of them are integers.
    fn scales_after(&self, room: &mut Room, work: &Work) -> Result<Vec<Scale>, Rejection> {
        let after = |(activation, scale): (&Activation, &Scale)| match activation {
            Activation::Threshold | Activation::Sine => Ok(Scale::ONE),
            Activation::Square => {
                let bits = bit_length(&scale.odd);
                room.take(bits, 2)?;
                work.announce(1, bits, bits)?;
                let odd = &scale.odd * &scale.odd;
                let scale = Scale { exponent: 2 * scale.exponent, odd };
                reachable(&scale)?;
                Ok(scale)
            }
            _ => Ok(scale.clone()),
        };
        self.layer.activations.iter().zip(&self.scales).map(after).collect()
    }
}

impl<'a> FractionLayer<'a> {
    fn of(layer: &'a Layer, room: &mut Room, work: &Work) -> Result<FractionLayer<'a>, Rejection> {
        let mut fraction = |number: &Number| {
            let fraction = fraction(number, &Scale::ONE, room, work)?;
            room.take(fraction.longer(), 2)?;
            Ok::<Fraction, Rejection>(fraction)
        };
        Ok(FractionLayer {
            layer,
            weights: layer.weights.iter().map(&mut fraction).collect::<Result<_, _>>()?,
            biases: layer.biases.iter().map(&mut fraction).collect::<Result<_, _>>()?,
            indicators: layer.activations.iter().all(|activation| activation.is_indicator()),
        })
    }
}
