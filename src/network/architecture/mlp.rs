//! Dense multilayer perceptrons by their widths alone, as counting arguments speak of them.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use shatter_exact::Rational;

use crate::Activation;
use crate::layered::{Layered, Unit};

/// A dense multilayer perceptron: hidden layers of ReLU units and affine outputs, every unit with a
/// bias and weights of its own. Written as its widths, inputs first: `2-3-3-1`.
///
/// There is at least one input and one output, no hidden layer is empty, and the number of
/// parameters fits into 64 bits.
///
/// ```
/// use shatter_network::Mlp;
/// let mlp: Mlp = "784-100-100-1".parse()?;
/// assert_eq!(mlp, Mlp::new(784, vec![100, 100], 1)?);
/// assert_eq!((mlp.parameters(), mlp.units()), (88_701, 200));
/// assert_eq!(mlp.to_string(), "784-100-100-1");
/// # Ok::<(), shatter_network::architecture::ArchitectureError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mlp {
    inputs: usize,
    hidden: Vec<usize>,
    outputs: usize,
}

/// Why widths are no architecture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchitectureError {
    /// A layer without numbers.
    #[error("layer {layer} has width 0 (the inputs are layer 0)")]
    EmptyLayer {
        /// The layer; the inputs are layer 0.
        layer: usize,
    },
    /// More parameters than 64 bits count, or 2^40 and more where they are to be trained.
    #[error("the network has too many parameters")]
    TooLarge,
    /// A layer that does not take what it gets.
    #[error("layer {layer}: {reason}")]
    Layer {
        /// Path of the layer, by indices.
        layer: String,
        /// What is wrong.
        reason: String,
    },
    /// A text that is neither the name nor the layers of a network.
    #[error("'{text}' is not a network: {reason}")]
    Network {
        /// The text.
        text: String,
        /// What is wrong.
        reason: String,
    },
    /// Not widths separated by hyphens.
    #[error(
        "'{0}' is not an architecture; expected widths from inputs to outputs, such as 2-3-3-1"
    )]
    Text(String),
}

impl Mlp {
    /// The network with these widths.
    ///
    /// # Errors
    /// [`ArchitectureError::EmptyLayer`], [`ArchitectureError::TooLarge`].
    pub fn new(
        inputs: usize,
        hidden: Vec<usize>,
        outputs: usize,
    ) -> Result<Mlp, ArchitectureError> {
        let mlp = Mlp { inputs, hidden, outputs };
        if let Some(layer) = mlp.widths().position(|width| width == 0) {
            return Err(ArchitectureError::EmptyLayer { layer });
        }
        let total = mlp.layers().try_fold(0u64, |sum, (from, to)| {
            sum.checked_add((from as u64).checked_add(1)?.checked_mul(to as u64)?)
        });
        total.map(|_| mlp).ok_or(ArchitectureError::TooLarge)
    }

    /// Coordinates of a point.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Widths of the hidden layers.
    pub fn hidden(&self) -> &[usize] {
        &self.hidden
    }

    /// Numbers an output has.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// All widths, inputs and outputs included.
    pub fn widths(&self) -> impl Iterator<Item = usize> {
        [self.inputs].into_iter().chain(self.hidden.iter().copied()).chain([self.outputs])
    }

    /// (width before, width) of every affine map, from the first to the outputs.
    pub fn layers(&self) -> impl Iterator<Item = (usize, usize)> {
        self.widths().zip(self.widths().skip(1))
    }

    /// P: weights and biases.
    pub fn parameters(&self) -> u64 {
        self.layers().map(|(from, to)| (from as u64 + 1) * to as u64).sum()
    }

    /// U: hidden units.
    pub fn units(&self) -> u64 {
        self.hidden.iter().map(|&width| width as u64).sum()
    }

    /// The network whose parameters `number` gives: layer by layer and unit by unit, the weights
    /// and then the bias.
    ///
    /// ```
    /// use shatter_exact::Rational;
    /// use shatter_network::Mlp;
    /// let mut next = 0;
    /// let network = Mlp::new(1, vec![1], 1)?.network(|| { next += 1; Rational::from(next) });
    /// assert_eq!(network.evaluate(&[Rational::from(5)]), [Rational::from(3 * (5 + 2) + 4)]);
    /// # Ok::<(), shatter_network::architecture::ArchitectureError>(())
    /// ```
    pub fn network(&self, mut number: impl FnMut() -> Rational) -> Layered {
        let hidden = self.hidden.len();
        let mut layers: Vec<Vec<Unit>> = Vec::with_capacity(hidden);
        let mut output = Vec::new();
        for (layer, (from, to)) in self.layers().enumerate() {
            let activation = if layer < hidden { Activation::Relu } else { Activation::Identity };
            let mut draw = || {
                let weights: Vec<_> = (0..from).map(|k| (k, number())).collect();
                Unit::new(activation, weights, number())
            };
            let units = (0..to).map(|_| draw()).collect();
            if layer < hidden { layers.push(units) } else { output = units }
        }
        Layered { inputs: self.inputs, hidden: layers, output }
    }
}

impl fmt::Display for Mlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<String> = self.widths().map(|width| width.to_string()).collect();
        f.write_str(&widths.join("-"))
    }
}

impl FromStr for Mlp {
    type Err = ArchitectureError;

    fn from_str(text: &str) -> Result<Mlp, ArchitectureError> {
        let wrong = || ArchitectureError::Text(text.to_owned());
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let width = |part: &str| part.parse().ok().filter(|_| digits(part)).ok_or_else(wrong);
        let widths = text.split('-').map(width).collect::<Result<Vec<usize>, _>>()?;
        match widths.as_slice() {
            [inputs, hidden @ .., outputs] => Mlp::new(*inputs, hidden.to_vec(), *outputs),
            _ => Err(wrong()),
        }
    }
}

impl Serialize for Mlp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
