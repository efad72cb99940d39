//! The bound by description length.
//!
//! **Theorem (Occam).** Fix a prefix-free code of networks before the sample. With probability at least 1 − δ over n
//! independent points, every network with a code of b bits has, with ε = (b ln 2 + ln(1/δ))/n,
//!
//! ```text
//! test error <= training error + √(ε/2),   and <= 1 − e^{−ε} if it makes no training error.
//! ```
//!
//! **Source.** Blumer, Ehrenfeucht, Haussler and Warmuth, 1987; Barron; McAllester. **Proof.** For one network with
//! test error p, Hoeffding's inequality says that the training error is below p − t with probability at most
//! e^{−2nt²}, and it is 0 with probability (1 − p)^n. Give a network the failure δ 2^{−b}; by Kraft's inequality all
//! of them sum to at most δ. ∎ A *bound*, rounded outwards.
//!
//! # Codes
//!
//! Numbers n >= 1 are written in Elias' δ code, ⌊log2 n⌋ + 2⌊log2(⌊log2 n⌋ + 1)⌋ + 1 bits, prefix-free. What follows
//! is read from left to right, and each part says how long it is, so each code is prefix-free ([`elias`]).
//!
//! | code | bits |
//! |---|---|
//! | [`of_fractions`] | depth, d and widths in δ; of each unit its activation (1), the number of its weights + 1 and their gaps in δ; of each number a sign, \|numerator\| + 1 and denominator in δ |
//! | [`of_floats`] | depth, d and widths in δ, 2 bits a layer for its activation (a slope: 64 more), and 16, 32 or 64 bits a number |
//! | [`Quantized`] | the same with k bits a number, and the step of each layer in 32 bits |
//! | [`of_file`] | the bytes of a file, and their number + 1 in δ |
//!
//! The first bits say which of the codes it is: 2 bits more, in every length.
//!
//! # What a memorizer must violate
//!
//! A code of networks that fit every labelling of n points by C classes has, over uniform labellings, a mean length
//! of at least n log2 C (entropy), and lengths of at most n log2 C − k for a fraction of at most 2^{−k} of the
//! labellings. So for a network without training errors √(ε/2) >= √(ln C/2) on average, which is above chance 1 − 1/C
//! for every C >= 2: ln C >= 2(C − 1)/(C + 1) >= 2(1 − 1/C)². The bound is vacuous for memorizers of random labels
//! *because it is true*: their test error is chance.
//!
//! **Cost.** One pass over the numbers.

use shatter_exact::{Format, IBig, Rational, bit_length};
use shatter_network::Activation;
use shatter_network::graph::{Affine, Graph, Operator, Step};
use shatter_obstruct::bits::least_bits;

use crate::layers::{ExactPerceptron, Homogeneous, Layer, Outputs, Perceptron};
use crate::ramp::probability;
use crate::{Assumption, Enclosure, Finding, MeasureError};

/// Bits that say which of the codes it is.
const WHICH: u64 = 2;

/// Length of n >= 1 in Elias' δ code, from the number of bits of n: bits − 1 + 2⌊log2 bits⌋ + 1.
fn elias_of_bits(bits: u64) -> u64 {
    let bits = bits.max(1);
    bits + 2 * u64::from(bits.ilog2())
}

/// Length of n >= 1 in Elias' δ code.
///
/// ```
/// use shatter_measure::occam::elias;
/// assert_eq!([1, 2, 3, 4, 8, 16].map(elias), [1, 4, 4, 5, 8, 9]);
/// ```
#[must_use]
pub fn elias(n: u64) -> u64 {
    elias_of_bits(u64::from(n.max(1).ilog2()) + 1)
}

/// A sign, |numerator| + 1 and the denominator.
fn fraction_bits(x: &Rational) -> u64 {
    let size = if *x < Rational::ZERO { -x.numerator() } else { x.numerator().clone() };
    let numerator = elias_of_bits(bit_length(&(size + IBig::ONE)));
    1 + numerator + elias_of_bits(bit_length(x.denominator().as_ibig()))
}

/// Length of the code of a perceptron in fractions.
///
/// # Errors
/// As [`ExactPerceptron::of`].
pub fn of_fractions(graph: &Graph) -> Result<u64, MeasureError> {
    let perceptron = ExactPerceptron::of(graph, Outputs::All)?;
    let mut bits = WHICH + elias(perceptron.layers.len() as u64) + elias(perceptron.inputs as u64);
    for units in &perceptron.layers {
        bits += elias(units.len() as u64 + 1);
        for unit in units {
            // The identity or ReLU.
            bits += 1 + elias(unit.weights.len() as u64 + 1) + fraction_bits(&unit.bias);
            // Indices increase, or are written as if they did: a repeated one adds to the weight.
            let mut from: Vec<usize> = unit.weights.iter().map(|(from, _)| *from).collect();
            from.sort_unstable();
            let mut before = 0;
            for from in from {
                bits += elias((from - before) as u64 + 1);
                before = from;
            }
            bits += unit.weights.iter().map(|(_, weight)| fraction_bits(weight)).sum::<u64>();
        }
    }
    Ok(bits)
}

/// Depth, d, widths and activations.
fn header(perceptron: &Perceptron) -> u64 {
    let layer = |layer: &Layer| {
        let slope = if matches!(layer.activation, Homogeneous::Leaky(_)) { 64 } else { 0 };
        elias(layer.outputs as u64 + 1) + 2 + slope
    };
    let layers: u64 = perceptron.layers.iter().map(layer).sum();
    WHICH + elias(perceptron.depth() as u64) + elias(perceptron.inputs as u64) + layers
}

fn numbers(perceptron: &Perceptron) -> u64 {
    let of = |layer: &Layer| (layer.weights.len() + layer.bias.len()) as u64;
    perceptron.layers.iter().map(of).sum()
}

/// Length of the code of a perceptron whose numbers are all of one format.
///
/// # Errors
/// [`MeasureError::Parameter`] with a number that the format does not have; fractions that were rounded are no
/// numbers of any format.
pub fn of_floats(perceptron: &Perceptron, format: Format) -> Result<u64, MeasureError> {
    let all = perceptron.layers.iter().flat_map(|layer| layer.weights.iter().chain(&layer.bias));
    let missing = all.copied().find(|&x| !format.has(x));
    let rounded = perceptron.layers.iter().any(|layer| layer.rounding > 0.0);
    let (what, expected) = ("a weight", "a number of the format, not a rounded fraction");
    match missing.or(rounded.then_some(f64::NAN)) {
        Some(value) => Err(MeasureError::Parameter { what, value, expected }),
        None => {
            let width = match format {
                Format::F16 | Format::Bf16 => 16,
                Format::F32 => 32,
                Format::F64 => 64,
            };
            Ok(header(perceptron) + width * numbers(perceptron))
        }
    }
}

/// Length of a file as a code.
#[must_use]
pub fn of_file(bytes: u64) -> u64 {
    let length = elias(bytes.saturating_add(1));
    bytes.saturating_mul(8).saturating_add(WHICH + length)
}

/// A perceptron whose numbers are multiples of a step a layer, whole numbers of k bits.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantized {
    /// The network, exactly that of the code. Its training error is what the bound takes.
    pub perceptron: Perceptron,
    /// Bits of its code.
    pub bits: u64,
}

impl Quantized {
    /// Rounds every number of a layer to the nearest multiple of a step, from −(2^{k−1} − 1) to 2^{k−1} − 1 of them.
    /// The step is the least binary32 number with which the largest number of the layer fits. Multiples of a binary32
    /// number by k <= 24 bits are binary64 numbers.
    ///
    /// ```
    /// use shatter_measure::layers::{Homogeneous, Layer, Perceptron};
    /// use shatter_measure::occam::Quantized;
    /// let layer = Layer { inputs: 2, outputs: 1, weights: vec![1.5, -0.4], bias: vec![0.0],
    ///     activation: Homogeneous::Identity, rounding: 0.0 };
    /// let network = Perceptron { inputs: 2, layers: vec![layer] };
    /// let three = Quantized::of(&network, 3)?;
    /// assert_eq!(three.perceptron.layers[0].weights, [1.5, -0.5]);
    /// # Ok::<(), shatter_measure::MeasureError>(())
    /// ```
    ///
    /// # Errors
    /// [`MeasureError::Parameter`] for k outside 2 ..= 24, or a layer whose step is no normal binary32 number.
    pub fn of(perceptron: &Perceptron, k: u32) -> Result<Quantized, MeasureError> {
        if !(2..=24).contains(&k) {
            let (what, expected) = ("bits a number", "a number from 2 to 24");
            return Err(MeasureError::Parameter { what, value: f64::from(k), expected });
        }
        let most = f64::from((1u32 << (k - 1)) - 1);
        let layer = |layer: &Layer| {
            let all = layer.weights.iter().chain(&layer.bias);
            let largest = all.fold(0.0, |most: f64, x| most.max(x.abs()));
            let mut step = (largest / most) as f32;
            while f64::from(step) * most < largest && step.is_finite() {
                step = step.next_up();
            }
            if largest > 0.0 && !step.is_normal() {
                let (what, expected) = ("the step of a layer", "a normal binary32 number");
                return Err(MeasureError::Parameter { what, value: f64::from(step), expected });
            }
            let step = f64::from(step);
            let nearest = |x: &f64| match largest > 0.0 {
                true => (x / step).round().clamp(-most, most) * step,
                false => 0.0,
            };
            Ok(Layer {
                weights: layer.weights.iter().map(nearest).collect(),
                bias: layer.bias.iter().map(nearest).collect(),
                rounding: 0.0,
                ..*layer
            })
        };
        let layers = perceptron.layers.iter().map(layer).collect::<Result<Vec<_>, _>>()?;
        let perceptron = Perceptron { inputs: perceptron.inputs, layers };
        let steps = 32 * perceptron.depth() as u64;
        // k, in 5 bits.
        let bits = header(&perceptron) + 5 + steps + u64::from(k) * numbers(&perceptron);
        Ok(Quantized { perceptron, bits })
    }
}

impl Perceptron {
    /// The same network as a graph of dense layers and activations.
    ///
    /// ```
    /// use shatter_measure::{Outputs, Perceptron};
    /// use shatter_network::Mlp;
    /// let mut next = 0;
    /// let mut number = || { next += 1; shatter_exact::Rational::from(next) };
    /// let network = "2-3-1".parse::<Mlp>()?.network(&mut number);
    /// let perceptron = Perceptron::of(&network.into(), Outputs::All)?;
    /// assert_eq!(Perceptron::of(&perceptron.graph(), Outputs::All)?, perceptron);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn graph(&self) -> Graph {
        let mut steps: Vec<Step> = Vec::new();
        for layer in &self.layers {
            let (inputs, outputs) = (layer.inputs, layer.outputs);
            let at = |k: usize| layer.weights[k % outputs * inputs + k / outputs];
            let weights = (0..inputs * outputs).map(at).collect();
            let affine = Affine { weights, inputs, outputs, bias: layer.bias.clone() };
            let mut push = |operation| steps.push(Step::new(operation, steps.len(), vec![outputs]));
            push(Operator::Dense(affine));
            match layer.activation {
                Homogeneous::Identity => {}
                Homogeneous::Relu => push(Operator::Activate(Activation::Relu)),
                Homogeneous::Leaky(slope) => push(Operator::Leaky(vec![slope])),
            }
        }
        Graph { precision: Format::F64, input: vec![self.inputs], steps }
    }
}

/// Occam's bound of the test error for a network with a code of so many bits and so many errors on n points.
///
/// ```
/// use shatter_measure::occam::bound;
/// let found = bound(1000, 0, 60_000, 0.05)?;
/// assert!((found.value - (1.0 - (-(1000.0 * 2f64.ln() + 20f64.ln()) / 6e4).exp())).abs() < 1e-12);
/// // As many bits as random labels have: above chance.
/// assert!(bound(60_000, 0, 60_000, 0.05)?.vacuity(2).unwrap().against_chance);
/// # Ok::<(), shatter_measure::MeasureError>(())
/// ```
///
/// # Errors
/// [`MeasureError::NoPoints`]; [`MeasureError::Parameter`] for δ, or more errors than points.
pub fn bound(bits: u64, errors: u64, n: u64, delta: f64) -> Result<Finding, MeasureError> {
    if n == 0 {
        return Err(MeasureError::NoPoints);
    }
    if errors > n {
        let (what, expected) = ("the number of errors", "at most one a point");
        return Err(MeasureError::Parameter { what, value: errors as f64, expected });
    }
    let points = Enclosure::whole(n);
    let delta = probability(delta)?;
    let epsilon = (Enclosure::whole(bits) * Enclosure::ln_2() - delta.ln()) / points;
    let train = Enclosure::whole(errors) / points;
    let two = Enclosure::exact(2.0);
    let mut says = (train + (epsilon / two).sqrt()).high();
    if errors == 0 {
        says = says.min((Enclosure::ONE - (-epsilon).exp()).high());
    }
    let assumptions = vec![
        Assumption::met(
            "training points are independent draws of the distribution of the test error",
            "as the user says; nothing checks it",
        ),
        Assumption::met(
            "the code and the reading of outputs are fixed before the sample",
            "the code is defined without it; of the reading the user says so",
        ),
    ];
    Ok(Finding::bound("Occam: description length", says, says, assumptions))
}

/// What a code must pay for random labels: the negative result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Memorizer {
    /// n log2 C, rounded up: the bits that a network takes on average that fits random labels.
    pub label_bits: u64,
    /// Bits of the network at hand, minus these; negative where it cannot fit more than a fraction 2^excess of
    /// the labellings with such a length.
    pub excess: i64,
    /// √(ln C/2): Occam's additive term is at least this on average, a lower bound.
    pub floor: f64,
    /// 1 − 1/C, an upper bound: the floor is above it.
    pub chance: f64,
}

impl Memorizer {
    /// The comparison of a code's length with the labels of n points by C classes.
    ///
    /// ```
    /// use shatter_measure::occam::Memorizer;
    /// let found = Memorizer::of(1000, 600, 2)?;
    /// assert_eq!((found.label_bits, found.excess), (600, 400));
    /// assert!(found.floor > found.chance && (found.floor - 0.5887).abs() < 1e-4);
    /// # Ok::<(), shatter_measure::MeasureError>(())
    /// ```
    ///
    /// # Errors
    /// [`MeasureError::Obstruct`] without classes, or for more than 2^26 label bits.
    pub fn of(bits: u64, n: u64, classes: u64) -> Result<Memorizer, MeasureError> {
        let label_bits = least_bits(n, classes)?;
        let excess = i128::from(bits) - i128::from(label_bits);
        let classes = Enclosure::whole(classes);
        Ok(Memorizer {
            label_bits,
            excess: excess.clamp(i64::MIN.into(), i64::MAX.into()) as i64,
            floor: (classes.ln() / Enclosure::exact(2.0)).sqrt().low(),
            chance: (Enclosure::ONE - Enclosure::ONE / classes).high(),
        })
    }
}
