//! Explicit networks as graphs: a step for each layer.
//!
//! The two-layer form keeps its direction once:
//!
//! ```text
//! step 1   z = <a, x>                     one identity unit
//! step 2   h_j = ReLU(z − b_j)            units that read z with weight 1
//! step 3   Σ_j w_j h_j + c
//! ```

use crate::layered::{Layered, Unit};
use crate::{ExactNetwork, Network};
use shatter_exact::{Dyadic, Format, Rational};

use super::{Graph, Operator, Step};

/// Layers, one after the other.
fn chain(inputs: usize, layers: impl IntoIterator<Item = Vec<Unit>>) -> Graph {
    let step = |(on, units): (usize, Vec<Unit>)| {
        let shape = vec![units.len()];
        Step::new(Operator::Units(units), on, shape)
    };
    let steps = layers.into_iter().enumerate().map(step).collect();
    Graph { precision: Format::F64, input: vec![inputs], steps }
}

impl From<Layered> for Graph {
    /// The same units, without a copy.
    fn from(network: Layered) -> Graph {
        chain(network.inputs, network.hidden.into_iter().chain([network.output]))
    }
}

impl From<&Layered> for Graph {
    fn from(network: &Layered) -> Graph {
        chain(network.inputs, network.layers().cloned())
    }
}

impl From<&ExactNetwork> for Graph {
    /// The direction is a step of its own, which all units share.
    ///
    /// ```
    /// use shatter_exact::{Dyadic, Rational};
    /// use shatter_network::{ExactNetwork, Graph};
    /// let network = ExactNetwork {
    ///     a: vec![Dyadic::from(3), Dyadic::ONE],
    ///     b: vec![Dyadic::ZERO, Dyadic::ONE],
    ///     w: vec![Rational::ONE; 2],
    ///     c: Dyadic::ZERO,
    /// };
    /// let graph = Graph::from(&network);
    /// assert_eq!(graph.steps.len(), 3);
    /// assert_eq!(graph.counts(), Some(network.counts()));
    /// ```
    fn from(network: &ExactNetwork) -> Graph {
        let direction = network.a.iter().map(Dyadic::to_rational).enumerate();
        let unit = |b: &Dyadic| Unit::relu([(0, Rational::ONE)], -b.to_rational());
        let layers = [
            vec![Unit::affine(direction, Rational::ZERO)],
            network.b.iter().map(unit).collect(),
            vec![Unit::affine(network.w.iter().cloned().enumerate(), network.c.to_rational())],
        ];
        chain(network.d(), layers)
    }
}

impl From<&Network> for Graph {
    fn from(network: &Network) -> Graph {
        match network {
            Network::TwoLayer(network) => network.into(),
            Network::Layered(network) => network.into(),
        }
    }
}
