//! Every network that a construction emits: in the two-layer form, which writes its direction once,
//! or layer by layer.

use shatter_exact::{Dyadic, Rational};

use super::ExactNetwork;
use super::layered::{Layered, Sizes, Unit};

/// An explicit network of exact numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum Network {
    /// Σ_j w_j ReLU(<a, x> − b_j) + c.
    TwoLayer(ExactNetwork),
    /// Any depth, sparse.
    Layered(Layered),
}

impl Network {
    /// Coordinates of a point.
    pub fn inputs(&self) -> usize {
        match self {
            Network::TwoLayer(network) => network.d(),
            Network::Layered(network) => network.inputs,
        }
    }

    /// Numbers an output has.
    pub fn outputs(&self) -> usize {
        match self {
            Network::TwoLayer(_) => 1,
            Network::Layered(network) => network.output.len(),
        }
    }

    /// Depth, units, width, weights and bits. Weights of the two-layer form are counted with the
    /// direction written out for each unit; its bits count the direction once.
    pub fn sizes(&self) -> Sizes {
        match self {
            Network::TwoLayer(network) => {
                let counts = network.counts();
                Sizes {
                    depth: 2,
                    units: counts.units,
                    width: counts.units,
                    nonzero: counts.nonzero,
                    bits: counts.bits,
                    max_bits: counts.max_bits,
                }
            }
            Network::Layered(network) => network.sizes(),
        }
    }
}

impl ExactNetwork {
    /// Writes the network out layer by layer, with the direction written out for each unit: n·d numbers.
    ///
    /// ```
    /// use shatter_exact::{Dyadic, Rational};
    /// use shatter_network::ExactNetwork;
    /// let network = ExactNetwork {
    ///     a: vec![Dyadic::ONE, Dyadic::from(2)],
    ///     b: vec![Dyadic::from(3)],
    ///     w: vec![Rational::from(5)],
    ///     c: Dyadic::ONE,
    /// };
    /// let x = [Rational::from(2), Rational::ONE];
    /// assert_eq!(network.to_layered().evaluate(&x), [Rational::from(6)]);
    /// assert_eq!(network.to_layered().sizes().nonzero, network.counts().nonzero);
    /// ```
    pub fn to_layered(&self) -> Layered {
        let a: Vec<Rational> = self.a.iter().map(Dyadic::to_rational).collect();
        let unit = |b: &Dyadic| Unit::relu(a.iter().cloned().enumerate(), -b.to_rational());
        Layered {
            inputs: self.d(),
            hidden: vec![self.b.iter().map(unit).collect()],
            output: vec![Unit::affine(self.w.iter().cloned().enumerate(), self.c.to_rational())],
        }
    }
}
