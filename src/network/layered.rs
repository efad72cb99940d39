//! Networks of any depth, sparse and exact.
//!
//! ```text
//! h_0 = x,   h_l = φ_l(W_l h_{l−1} + v_l)   (l = 1, …, L + 1),   f(x) = h_{L+1}
//! ```
//!
//! Every unit names its own activation φ; outputs are usually affine (the identity). Depth is the
//! number of affine maps, L + 1. Hidden units with the identity carry a number past a layer, as the
//! skip connections of a residual network do: they are counted in the width, not among the units.
//! Only weights that are not 0 are stored; a bias of 0 counts as none.

use serde::Serialize;

use shatter_exact::Rational;

use super::Activation;
use super::counts::rational_bits;

/// One unit: φ(Σ weight · h_from + bias).
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// (index in the layer before, weight), weights not 0.
    pub weights: Vec<(usize, Rational)>,
    /// Bias.
    pub bias: Rational,
    /// φ.
    pub activation: Activation,
}

impl Unit {
    /// The unit with these weights (zeros are left out) and this bias.
    pub fn new(
        activation: Activation,
        weights: impl IntoIterator<Item = (usize, Rational)>,
        bias: Rational,
    ) -> Unit {
        let weights = weights.into_iter().filter(|(_, weight)| !weight.is_zero()).collect();
        Unit { weights, bias, activation }
    }

    /// ReLU(Σ weight · h_from + bias).
    pub fn relu(weights: impl IntoIterator<Item = (usize, Rational)>, bias: Rational) -> Unit {
        Unit::new(Activation::Relu, weights, bias)
    }

    /// 1 if Σ weight · h_from + bias > 0, else 0.
    pub fn threshold(weights: impl IntoIterator<Item = (usize, Rational)>, bias: Rational) -> Unit {
        Unit::new(Activation::Threshold, weights, bias)
    }

    /// Σ weight · h_from + bias.
    pub fn affine(weights: impl IntoIterator<Item = (usize, Rational)>, bias: Rational) -> Unit {
        Unit::new(Activation::Identity, weights, bias)
    }

    /// Σ weight · h_from + bias, what φ is applied to.
    ///
    /// # Panics
    /// If the unit reads a number that `before` does not have.
    pub fn argument(&self, before: &[Rational]) -> Rational {
        self.weights.iter().fold(self.bias.clone(), |sum, (from, weight)| {
            let value = &before[*from];
            if value.is_zero() { sum } else { sum + weight * value }
        })
    }

    /// The value, given those of the layer before.
    pub(super) fn value(&self, before: &[Rational]) -> Rational {
        self.activation.apply(self.argument(before))
    }

    /// Its numbers that are not 0.
    fn numbers(&self) -> impl Iterator<Item = &Rational> {
        let bias = (!self.bias.is_zero()).then_some(&self.bias);
        self.weights.iter().map(|(_, weight)| weight).chain(bias)
    }
}

/// A network with hidden layers and an output layer.
///
/// ```
/// use shatter_exact::Rational;
/// use shatter_network::layered::{Layered, Unit};
/// let one = || Rational::ONE;
/// // |x| = ReLU(x) + ReLU(−x)
/// let network = Layered {
///     inputs: 1,
///     hidden: vec![vec![
///         Unit::relu([(0, one())], Rational::ZERO),
///         Unit::relu([(0, -one())], Rational::ZERO),
///     ]],
///     output: vec![Unit::affine([(0, one()), (1, one())], Rational::ZERO)],
/// };
/// assert_eq!(network.evaluate(&[Rational::from(-3)]), [Rational::from(3)]);
/// assert_eq!((network.sizes().depth, network.sizes().nonzero), (2, 4));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Layered {
    /// Coordinates of a point.
    pub inputs: usize,
    /// Hidden layers.
    pub hidden: Vec<Vec<Unit>>,
    /// Outputs.
    pub output: Vec<Unit>,
}

/// Sizes of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[must_use]
pub struct Sizes {
    /// Affine maps.
    pub depth: u64,
    /// Hidden units, those with the identity not counted.
    pub units: u64,
    /// Units of the widest hidden layer, all of them counted.
    pub width: u64,
    /// Weights and biases that are not 0.
    pub nonzero: u64,
    /// Numerator, denominator and sign bits of those.
    pub bits: u64,
    /// Bits of the largest of them.
    pub max_bits: u64,
}

/// A unit reads a number that the layer before does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unit {unit} of layer {layer} reads number {from} of a layer with {width}")]
pub struct Miswired {
    /// The layer, from 0; the output layer is the last.
    pub layer: usize,
    /// The unit in it.
    pub unit: usize,
    /// The number that it reads.
    pub from: usize,
    /// Numbers of the layer before.
    pub width: usize,
}

impl Layered {
    /// Hidden layers and then the output layer.
    pub fn layers(&self) -> impl Iterator<Item = &Vec<Unit>> {
        self.hidden.iter().chain([&self.output])
    }

    /// Checks that every unit reads numbers that exist.
    ///
    /// # Errors
    /// [`Miswired`] with the first unit that does not.
    pub fn check_wiring(&self) -> Result<(), Miswired> {
        let mut width = self.inputs;
        for (layer, units) in self.layers().enumerate() {
            for (unit, Unit { weights, .. }) in units.iter().enumerate() {
                if let Some(&(from, _)) = weights.iter().find(|(from, _)| *from >= width) {
                    return Err(Miswired { layer, unit, from, width });
                }
            }
            width = units.len();
        }
        Ok(())
    }

    /// The outputs at one point, by the definition. [`exactly`](super::exactly) does the same for
    /// many points at once.
    ///
    /// # Panics
    /// If `x` has fewer numbers than the network has inputs, or a unit is [`Miswired`].
    pub fn evaluate(&self, x: &[Rational]) -> Vec<Rational> {
        self.layers().fold(x.to_vec(), |before, layer| {
            layer.iter().map(|unit| unit.value(&before)).collect()
        })
    }

    /// Depth, units, width, weights and bits.
    pub fn sizes(&self) -> Sizes {
        let bits = || self.layers().flatten().flat_map(Unit::numbers).map(rational_bits);
        let wires = |unit: &&Unit| unit.activation != Activation::Identity;
        Sizes {
            depth: self.hidden.len() as u64 + 1,
            units: self.hidden.iter().flatten().filter(wires).count() as u64,
            width: self.hidden.iter().map(|layer| layer.len() as u64).max().unwrap_or(0),
            nonzero: bits().count() as u64,
            bits: bits().sum(),
            max_bits: bits().max().unwrap_or(0),
        }
    }
}
