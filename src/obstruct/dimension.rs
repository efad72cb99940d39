//! Too few dimensions for real labels.
//!
//! **Statement.** Let a ReLU network have P weights and biases and U hidden units. At any n points its
//! outputs, as a function of the parameters, fill a set of dimension at most P − U. If P − U is less
//! than the N = n · outputs numbers of the labels, almost every y in R^N (all but a set of measure 0)
//! is fitted by no parameters. Nothing is said about particular labels, or about signs.
//!
//! **Source.** Dimension counting; the rescaling symmetry is well known (Phuong and Lampert 2020).
//!
//! **Proof.** ReLU(t s) = t ReLU(s) for t > 0: multiply the weights and bias of a hidden unit by t and
//! its outgoing weights by 1/t, and the outputs stay. So some number among the incoming ones of each
//! unit may be taken to be 1 or −1 and the others to be in [−1, 1] (if all are 0, the unit gives 0: take
//! any and make its outgoing weights 0). That leaves finitely many sets of parameters with P − U free
//! numbers, on which the outputs are a locally Lipschitz, piecewise polynomial function; its image has
//! dimension at most P − U.
//!
//! **Lower estimates.** [`jacobian_rank`] is the rank of the derivative of the outputs at given
//! parameters where no unit is at its kink, so that the outputs are a polynomial around them. The image
//! contains a manifold of that dimension. It is a *lower* estimate of the dimension, never a
//! certificate that something cannot be fitted. One hidden layer of m units on R^d has m(d + 1) + 1.
//!
//! **Cost.** The bound: nothing. The rank: O(N² P) operations on fractions.

use std::fmt;

use serde::Serialize;

use shatter_exact::{Rational, matrix};
use shatter_network::{Activation, Layered, Mlp};

use super::error::{as_stated, more_than};
use super::{Impossibility, ObstructError};

/// No parameters of `architecture` fit almost any real labels of any n points.
///
/// ```
/// use shatter_obstruct::{DimensionBound, Impossibility};
/// let bound = DimensionBound::new(&"2-3-1".parse()?, 11)?;
/// assert_eq!((bound.dimension, bound.check()), (10, Ok(())));
/// assert!(DimensionBound::new(&"2-3-1".parse()?, 10).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DimensionBound {
    /// The network.
    pub architecture: Mlp,
    /// n.
    pub n: u64,
    /// P − U.
    pub dimension: u64,
}

/// P − U: the most dimensions of the outputs at any points.
#[must_use]
pub fn most_dimensions(architecture: &Mlp) -> u64 {
    // A unit has a bias and at least one weight, so U is less than P.
    architecture.parameters() - architecture.units()
}

impl DimensionBound {
    /// The certificate.
    ///
    /// # Errors
    /// [`ObstructError::NotExcluded`] if P − U >= n · outputs.
    pub fn new(architecture: &Mlp, n: u64) -> Result<DimensionBound, ObstructError> {
        let dimension = most_dimensions(architecture);
        let certificate = DimensionBound { architecture: architecture.clone(), n, dimension };
        certificate.check()?;
        Ok(certificate)
    }

    /// n · outputs.
    fn numbers(&self) -> u128 {
        u128::from(self.n) * self.architecture.outputs() as u128
    }
}

impl Impossibility for DimensionBound {
    fn check(&self) -> Result<(), ObstructError> {
        let dimension = most_dimensions(&self.architecture);
        as_stated("P − U", &self.dimension, &dimension)?;
        more_than("numbers to fit", &self.numbers(), &u128::from(dimension))
    }
}

impl fmt::Display for DimensionBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "almost no real labels of any {} points are fitted by a ReLU network {}: its outputs \
             have at most {} dimensions, the labels {}",
            self.n,
            self.architecture,
            self.dimension,
            self.numbers()
        )
    }
}

/// The rank of the derivative of all outputs at `points` by all parameters of the dense network of
/// this shape (weights that are 0 included): a lower estimate of the dimension of what it can
/// output there.
///
/// ```
/// use shatter_exact::Rational;
/// use shatter_network::Mlp;
/// use shatter_obstruct::dimension::jacobian_rank;
/// // v ReLU(u x + b) + c at three points where the unit is on.
/// let network = Mlp::new(1, vec![1], 1)?.network(|| Rational::ONE);
/// let points: Vec<_> = (1..4).map(|x| vec![Rational::from(x)]).collect();
/// assert_eq!(jacobian_rank(&network, &points)?, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ObstructError::Kink`] if a unit has the argument 0 at a point: then there may be no derivative.
/// [`ObstructError::NotRelu`], [`ObstructError::Miswired`], [`ObstructError::Coordinates`].
pub fn jacobian_rank(network: &Layered, points: &[Vec<Rational>]) -> Result<usize, ObstructError> {
    network.check_wiring()?;
    for (layer, units) in network.layers().enumerate() {
        let right =
            if layer < network.hidden.len() { Activation::Relu } else { Activation::Identity };
        if let Some(unit) = units.iter().position(|unit| unit.activation != right) {
            let activation = units[unit].activation.name();
            return Err(ObstructError::NotRelu { layer, unit, activation });
        }
    }
    let mut jacobian = Vec::new();
    for (point, x) in points.iter().enumerate() {
        if x.len() != network.inputs {
            let (have, want) = (x.len(), network.inputs);
            return Err(ObstructError::Coordinates { index: point, have, want });
        }
        let values = hidden_values(network, point, x)?;
        jacobian.extend((0..network.output.len()).map(|output| gradient(network, &values, output)));
    }
    Ok(matrix::rank(&jacobian))
}

/// x and what the hidden layers give at x.
fn hidden_values(
    network: &Layered,
    point: usize,
    x: &[Rational],
) -> Result<Vec<Vec<Rational>>, ObstructError> {
    let mut values = vec![x.to_vec()];
    for (layer, units) in network.hidden.iter().enumerate() {
        let arguments: Vec<_> = units.iter().map(|unit| unit.argument(&values[layer])).collect();
        if let Some(unit) = arguments.iter().position(Rational::is_zero) {
            return Err(ObstructError::Kink { point, layer, unit });
        }
        values.push(arguments.into_iter().map(|t| Activation::Relu.apply(t)).collect());
    }
    Ok(values)
}

/// The derivative of one output by every weight and bias, from the output back to the first layer.
fn gradient(network: &Layered, values: &[Vec<Rational>], output: usize) -> Vec<Rational> {
    let mut row = Vec::new();
    let mut by_unit = vec![Rational::ZERO; network.output.len()];
    by_unit[output] = Rational::ONE;
    let layers: Vec<_> = network.layers().collect();
    for (units, before) in layers.into_iter().zip(values).rev() {
        let mut by_before = vec![Rational::ZERO; before.len()];
        for (unit, slope) in units.iter().zip(&by_unit) {
            row.extend(before.iter().map(|h| slope * h));
            row.push(slope.clone());
            for (from, weight) in &unit.weights {
                // A unit that is off passes nothing back. (For the inputs this is not used.)
                if !before[*from].is_zero() {
                    by_before[*from] += slope * weight;
                }
            }
        }
        by_unit = by_before;
    }
    row
}
