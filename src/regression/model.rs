//! A fitted linear model as a network: one dense layer.

use shatter_exact::Format;
use shatter_network::architecture::{Architecture, ArchitectureError, Parameter};
use shatter_network::graph::{Affine, Graph, Operator, Step};
use shatter_sample::Shape;

use super::{Design, RegressionError};

/// x ↦ Wᵀx + b.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Weights, coordinates × outputs, row by row.
    pub weights: Vec<f64>,
    /// b, a number an output; zeros without a bias.
    pub bias: Vec<f64>,
}

impl Model {
    /// The model with weights W, d × k; with a bias the last row of W is b.
    ///
    /// ```
    /// use shatter_regression::{Design, Model};
    /// use shatter_sample::Shape;
    /// let x = Design::new(vec![1.0, 2.0], 2, true)?;
    /// let model = Model::new(&x, &[3.0, 4.0, 5.0], 1)?;
    /// assert_eq!((&model.weights[..], model.bias[0]), (&[3.0, 4.0][..], 5.0));
    /// let graph = model.graph(Shape::vector(2));
    /// assert_eq!(graph.outputs(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`RegressionError::Weights`].
    pub fn new(design: &Design, weights: &[f64], outputs: usize) -> Result<Model, RegressionError> {
        let (columns, found) = (design.columns(), weights.len());
        if outputs == 0 || found != columns * outputs {
            return Err(RegressionError::Weights { found, columns, outputs });
        }
        let (own, bias) = weights.split_at(design.inputs() * outputs);
        let bias = if design.has_bias() { bias.to_vec() } else { vec![0.0; outputs] };
        Ok(Model { weights: own.to_vec(), bias })
    }

    /// k.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// Coordinates of a point.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.weights.len() / self.bias.len()
    }

    /// The graph, for points of this shape.
    #[must_use]
    pub fn graph(&self, shape: Shape) -> Graph {
        let affine = Affine {
            weights: self.weights.clone(),
            inputs: self.inputs(),
            outputs: self.outputs(),
            bias: self.bias.clone(),
        };
        let flat = vec![shape.len(), 1, 1];
        let steps = vec![
            Step::new(Operator::Same, 0, flat),
            Step::new(Operator::Dense(affine), 1, vec![self.outputs(), 1, 1]),
        ];
        let input = vec![shape.channels, shape.height, shape.width];
        Graph { precision: Format::F64, input, steps }
    }

    /// The layers in which checkpoints hold it: `flatten dense(k)`.
    ///
    /// # Errors
    /// [`ArchitectureError`], if there are too many weights.
    pub fn architecture(&self, shape: Shape) -> Result<Architecture, ArchitectureError> {
        Architecture::named("flatten", shape, self.outputs())
    }

    /// The arrays of these layers: weights as PyTorch has them, outputs × coordinates, and the bias.
    ///
    /// # Errors
    /// Those of [`Architecture::arrays`].
    pub fn arrays(&self, shape: Shape) -> Result<Vec<(Parameter, Vec<f64>)>, ArchitectureError> {
        let (inputs, outputs) = (self.inputs(), self.outputs());
        let at = |index: usize| self.weights[index % inputs * outputs + index / inputs];
        let weights = (0..inputs * outputs).map(at).collect();
        let arrays = self.architecture(shape)?.arrays()?;
        Ok(arrays.into_iter().zip([weights, self.bias.clone()]).collect())
    }
}
