//! Networks of any depth, sparse and exact.
//!
//! ```text
//! h_0 = x,   h_l = ReLU(W_l h_{l−1} + v_l)   (l = 1, …, L),   f(x) = W_{L+1} h_L + v_{L+1}
//! ```
//!
//! Depth is the number of affine maps, L + 1. Only weights that are not 0 are stored; a bias of 0
//! counts as none.

use rayon::prelude::*;
use serde::Serialize;

use crate::exact::{Dyadic, Rational};
use crate::sample::{Points, Values};

/// One affine function of the layer before: Σ weight · h_from + bias.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// (index in the layer before, weight), weights not 0.
    pub weights: Vec<(usize, Rational)>,
    /// Bias.
    pub bias: Rational,
}

impl Unit {
    /// The unit with these weights (zeros are left out) and this bias.
    pub fn new(weights: impl IntoIterator<Item = (usize, Rational)>, bias: Rational) -> Unit {
        let weights = weights.into_iter().filter(|(_, weight)| !weight.is_zero()).collect();
        Unit { weights, bias }
    }

    fn value(&self, before: &[Rational]) -> Rational {
        let term = |(from, weight): &(usize, Rational)| weight * &before[*from];
        self.weights.iter().map(term).fold(self.bias.clone(), |sum, term| sum + term)
    }

    fn nonzero(&self) -> u64 {
        self.weights.len() as u64 + u64::from(!self.bias.is_zero())
    }
}

/// A ReLU network with hidden layers and an affine output.
///
/// ```
/// use shatter::exact::Rational;
/// use shatter::network::layered::{Layered, Unit};
/// let one = || Rational::ONE;
/// // |x| = ReLU(x) + ReLU(−x)
/// let network = Layered {
///     inputs: 1,
///     hidden: vec![vec![
///         Unit::new([(0, one())], Rational::ZERO),
///         Unit::new([(0, -one())], Rational::ZERO),
///     ]],
///     output: vec![Unit::new([(0, one()), (1, one())], Rational::ZERO)],
/// };
/// assert_eq!(network.evaluate(&[Rational::from(-3)]), [Rational::from(3)]);
/// assert_eq!((network.sizes().depth, network.sizes().nonzero), (2, 4));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Layered {
    /// Coordinates of a point.
    pub inputs: usize,
    /// Hidden layers, each unit followed by ReLU.
    pub hidden: Vec<Vec<Unit>>,
    /// Outputs.
    pub output: Vec<Unit>,
}

/// Sizes of a layered network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// Affine maps.
    pub depth: u64,
    /// Hidden units.
    pub units: u64,
    /// Units of the widest hidden layer.
    pub width: u64,
    /// Weights and biases that are not 0.
    pub nonzero: u64,
}

impl Layered {
    /// The outputs at one point.
    ///
    /// # Panics
    /// If `x` has fewer numbers than the network has inputs.
    pub fn evaluate(&self, x: &[Rational]) -> Vec<Rational> {
        let mut before = x.to_vec();
        for layer in &self.hidden {
            let relu = |t: Rational| if t > Rational::ZERO { t } else { Rational::ZERO };
            before = layer.iter().map(|unit| relu(unit.value(&before))).collect();
        }
        self.output.iter().map(|unit| unit.value(&before)).collect()
    }

    /// The outputs at every point, in their order.
    ///
    /// # Panics
    /// If the points have fewer coordinates than the network has inputs.
    pub fn outputs(&self, points: &Points) -> Vec<Vec<Rational>> {
        let coordinate = |at: usize| match points.values() {
            Values::I64(v) | Values::Scaled { values: v, .. } => Rational::from(v[at]),
            Values::U8(v) => Rational::from(v[at]),
            // Finite by construction of the points.
            Values::F32(v) => {
                Dyadic::try_from(f64::from(v[at])).unwrap_or(Dyadic::ZERO).to_rational()
            }
            Values::F64(v) => Dyadic::try_from(v[at]).unwrap_or(Dyadic::ZERO).to_rational(),
        };
        let d = points.d();
        let row = |i: usize| (i * d..(i + 1) * d).map(coordinate).collect::<Vec<_>>();
        (0..points.n()).into_par_iter().map(|i| self.evaluate(&row(i))).collect()
    }

    /// Depth, units, width and weights.
    pub fn sizes(&self) -> Sizes {
        let layers = || self.hidden.iter().chain([&self.output]);
        Sizes {
            depth: self.hidden.len() as u64 + 1,
            units: self.hidden.iter().map(|layer| layer.len() as u64).sum(),
            width: self.hidden.iter().map(|layer| layer.len() as u64).max().unwrap_or(0),
            nonzero: layers().flatten().map(Unit::nonzero).sum(),
        }
    }
}
