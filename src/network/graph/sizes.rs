//! The counts of a graph: those of the explicit network that it is, or of its steps.
//!
//! Two consecutive affine maps, of which the first has no activation and is read by the second alone,
//! are one map: so Theorem 1's direction is a step of its own, which holds its numbers once, and the
//! network has depth 2. Weights are counted with the direction written out for each unit
//! ([`counts`](crate::counts)).

use crate::counts::rational_bits;
use crate::layered::{Layered, Sizes, Unit};
use crate::{Activation, Counts, ExactNetwork, Network};
use shatter_exact::{Dyadic, Rational};

use super::{Graph, Numbers, Operator, Step, count};

impl Graph {
    /// The layers, if it is nothing but layers of exact units, one after the other.
    fn layers(&self) -> Option<Vec<&Vec<Unit>>> {
        fn layer((index, step): (usize, &Step)) -> Option<&Vec<Unit>> {
            match &step.operation {
                Operator::Units(units) if step.on == index => Some(units),
                _ => None,
            }
        }
        self.steps.iter().enumerate().map(layer).collect()
    }

    /// The explicit network that it is, if it is one: the inverse of the conversion.
    pub fn explicit(&self) -> Option<Network> {
        let layers = self.layers()?;
        if let Some(network) = two_layer(&layers, count(&self.input)) {
            return Some(Network::TwoLayer(network));
        }
        let (output, hidden) = layers.split_last()?;
        let hidden = hidden.iter().map(|layer| (*layer).clone()).collect();
        let output = (*output).clone();
        Some(Network::Layered(Layered { inputs: count(&self.input), hidden, output }))
    }

    /// The counts, if it is of the two-layer form: those of [`ExactNetwork::counts`].
    pub fn counts(&self) -> Option<Counts> {
        two_layer(&self.layers()?, count(&self.input)).map(|network| network.counts())
    }

    /// Depth, units, width, weights and bits: of an explicit network those of [`Network::sizes`]. Of
    /// others depth is that of the longest path, and units are hidden numbers with an activation.
    pub fn sizes(&self) -> Sizes {
        if let Some(network) = self.explicit() {
            return network.sizes();
        }
        let mut depths = vec![0u64];
        let (mut units, mut width) = (0, 0);
        for (index, step) in self.steps.iter().enumerate() {
            let before = step.reads().map(|value| depths[value]).max().unwrap_or(0);
            let affine = matches!(
                step.operation,
                Operator::Dense(_) | Operator::Convolution(..) | Operator::Units(_)
            );
            depths.push(before + u64::from(affine));
            if index + 1 < self.steps.len() {
                let numbers = count(&step.shape) as u64;
                width = width.max(numbers);
                units += match &step.operation {
                    Operator::Activate(_) | Operator::Leaky(_) | Operator::Clip { .. } => numbers,
                    Operator::Units(units) => {
                        units.iter().filter(|unit| bends(unit)).count() as u64
                    }
                    _ => 0,
                };
            }
        }
        let (mut nonzero, mut bits, mut max_bits) = (0, 0, 0);
        let mut add = |own: u64| {
            nonzero += 1;
            bits += own;
            max_bits = max_bits.max(own);
        };
        for parameter in self.parameters() {
            match parameter.numbers {
                Numbers::Floats(numbers) => {
                    let numbers = numbers.iter().filter_map(|&x| Dyadic::try_from(x).ok());
                    numbers.filter(|x| !x.is_zero()).for_each(|x| add(x.bits()));
                }
                Numbers::Exact(numbers) => {
                    numbers.iter().for_each(|(_, x)| add(rational_bits(x)));
                }
            }
        }
        let depth = depths.last().copied().unwrap_or(0);
        Sizes { depth, units, width, nonzero, bits, max_bits }
    }
}

fn bends(unit: &Unit) -> bool {
    unit.activation != Activation::Identity
}

/// Σ_j w_j ReLU(<a, x> − b_j) + c with d coordinates, if the layers are those.
fn two_layer(layers: &[&Vec<Unit>], d: usize) -> Option<ExactNetwork> {
    let [direction, units, output] = layers else { return None };
    let ([direction], [output]) = (&direction[..], &output[..]) else { return None };
    let shares = |unit: &Unit| {
        let reads = matches!(&unit.weights[..], [(0, weight)] if weight.is_one());
        reads && unit.activation == Activation::Relu
    };
    if bends(direction) || bends(output) || !direction.bias.is_zero() || !units.iter().all(shares) {
        return None;
    }
    Some(ExactNetwork {
        a: written_out(direction, d)?.iter().map(Dyadic::from_rational).collect::<Option<_>>()?,
        b: units
            .iter()
            .map(|unit| Dyadic::from_rational(&-unit.bias.clone()))
            .collect::<Option<_>>()?,
        w: written_out(output, units.len())?,
        c: Dyadic::from_rational(&output.bias)?,
    })
}

/// The weights of a unit, zeros included; `None` if it reads a number twice, or one that there is not.
fn written_out(unit: &Unit, inputs: usize) -> Option<Vec<Rational>> {
    let mut weights = vec![Rational::ZERO; inputs];
    for (from, weight) in &unit.weights {
        let into = weights.get_mut(*from).filter(|into| into.is_zero())?;
        *into = weight.clone();
    }
    Some(weights)
}
