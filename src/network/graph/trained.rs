//! Architectures with their arrays as graphs.

use crate::Activation;
use crate::architecture::{Architecture, Layer, Parameter, Pool, Shape, shape};
use shatter_exact::{Element, Format};

use super::window::MOST_POSITIONS;
use super::{Affine, Graph, GraphError, Normalization, Operator, Response, SlidingWindow, Step};

/// The network of `architecture` with these arrays, in the order of [`Architecture::arrays`].
///
/// # Errors
/// [`GraphError::Layer`] for normalizations that cannot be bounded; [`GraphError::ArraysMissing`],
/// [`GraphError::Architecture`].
pub fn graph<E: Element>(
    architecture: &Architecture,
    arrays: &[(Parameter, Vec<E>)],
    precision: Format,
) -> Result<Graph, GraphError> {
    let input = architecture.input;
    let mut builder = Builder { arrays: arrays.iter(), names: Vec::new(), steps: Vec::new() };
    builder.sequence(&architecture.layers, (0, input), "")?;
    Ok(Graph { precision, input: sides(input), steps: builder.steps })
}

fn sides(shape: Shape) -> Vec<usize> {
    vec![shape.channels, shape.height, shape.width]
}

struct Builder<'a, E> {
    arrays: std::slice::Iter<'a, (Parameter, Vec<E>)>,
    /// Names of the arrays that the next step takes.
    names: Vec<String>,
    steps: Vec<Step>,
}

impl<E: Element> Builder<'_, E> {
    fn array(&mut self) -> Result<Vec<f64>, GraphError> {
        let (parameter, values) = self.arrays.next().ok_or(GraphError::ArraysMissing)?;
        self.names.push(parameter.name.clone());
        Ok(values.iter().map(|&x| Element::to_f64(x)).collect())
    }

    fn sequence(
        &mut self,
        layers: &[Layer],
        mut now: (usize, Shape),
        path: &str,
    ) -> Result<(usize, Shape), GraphError> {
        for (index, layer) in layers.iter().enumerate() {
            let path = if path.is_empty() { index.to_string() } else { format!("{path}.{index}") };
            now = self.layer(layer, now, &path)?;
        }
        Ok(now)
    }

    fn layer(
        &mut self,
        layer: &Layer,
        (on, shape): (usize, Shape),
        path: &str,
    ) -> Result<(usize, Shape), GraphError> {
        let after = shape::after(layer, shape, path)?;
        let operation = match layer {
            Layer::Dense { units } => Operator::Dense(self.affine(shape.len(), *units)?),
            Layer::Convolution { channels, window } => {
                let inputs = shape.channels * window.size * window.size;
                Operator::Convolution(self.affine(inputs, *channels)?, square(window))
            }
            Layer::Relu => Operator::Activate(Activation::Relu),
            Layer::Pool { window, .. } if window.size.saturating_pow(2) > MOST_POSITIONS => {
                return Err(refused(layer, path, "has a window that is too large"));
            }
            Layer::Pool { pool: Pool::Max, window } => Operator::MaxPool(square(window)),
            Layer::Pool { pool: Pool::Mean, window } => Operator::MeanPool(square(window), true),
            Layer::GlobalMeanPool => Operator::GlobalMean,
            Layer::Flatten => Operator::Same,
            Layer::Dropout { .. } => return Ok((on, after)),
            Layer::BatchNormalization { epsilon } => {
                let [scale, shift] = [self.array()?, self.array()?];
                let [mean, variance] = [self.array()?, self.array()?];
                if variance.iter().any(|&x| x < 0.0) {
                    return Err(refused(layer, path, "has a negative variance"));
                }
                Operator::Normalize(Normalization {
                    scale,
                    shift,
                    mean,
                    variance,
                    epsilon: *epsilon,
                })
            }
            Layer::LocalResponseNormalization { size, alpha, beta, k } => {
                Operator::Response(Response::of(size / 2, *size, (*alpha, *beta, *k)))
            }
            Layer::Concatenate(branches) => {
                let mut ends = Vec::new();
                for (index, branch) in branches.iter().enumerate() {
                    ends.push(self.sequence(branch, (on, shape), &format!("{path}.{index}"))?.0);
                }
                let first = ends.remove(0); // there is a branch: `after` has seen to it
                return Ok((self.push(Operator::Concatenate(ends), first, after), after));
            }
        };
        Ok((self.push(operation, on, after), after))
    }

    fn push(&mut self, operation: Operator, on: usize, shape: Shape) -> usize {
        let names = std::mem::take(&mut self.names);
        self.steps.push(Step { names, ..Step::new(operation, on, sides(shape)) });
        self.steps.len()
    }

    /// PyTorch's weight is outputs × inputs.
    fn affine(&mut self, inputs: usize, outputs: usize) -> Result<Affine, GraphError> {
        let (weight, bias) = (self.array()?, self.array()?);
        let at = |k: usize| weight[k % outputs * inputs + k / outputs];
        Ok(Affine { weights: (0..inputs * outputs).map(at).collect(), inputs, outputs, bias })
    }
}

fn refused(layer: &Layer, path: &str, reason: &str) -> GraphError {
    let (layer, description, reason) = (path.to_owned(), layer.to_string(), reason.to_owned());
    GraphError::Layer { layer, description, reason }
}

fn square(window: &crate::architecture::Window) -> SlidingWindow {
    let both = |side| (side, side);
    SlidingWindow {
        size: both(window.size),
        stride: both(window.stride),
        before: both(window.padding),
        after: both(window.padding),
    }
}
