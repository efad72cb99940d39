//! Shapes along a network, and the arrays that its layers own.

pub use shatter_sample::Shape;

use super::{ArchitectureError, Layer, Window};

impl Window {
    /// Places along a side of that many positions; `None` if there are none.
    ///
    /// ```
    /// use shatter_network::architecture::Window;
    /// let window = Window { size: 3, stride: 2, padding: 1 };
    /// assert_eq!(window.places(28), Some(14));
    /// assert_eq!(Window { size: 5, stride: 1, padding: 0 }.places(4), None);
    /// ```
    pub fn places(&self, side: usize) -> Option<usize> {
        let padded = side.checked_add(self.padding.checked_mul(2)?)?;
        Some(padded.checked_sub(self.size)?.checked_div(self.stride)? + 1)
    }

    fn over(&self, shape: Shape) -> Option<(usize, usize)> {
        let sensible = self.size > 0 && self.padding < self.size;
        let places = (self.places(shape.height)?, self.places(shape.width)?);
        sensible.then_some(places)
    }
}

/// The role of an array in a network, with what its layout and initialization need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParameterKind {
    /// Weight of a dense layer, out × in.
    Dense,
    /// Weight of a convolution, out × in × size × size.
    Convolution,
    /// Bias of a dense layer or a convolution.
    Bias,
    /// Scale of batch normalization.
    Scale,
    /// Shift of batch normalization.
    Shift,
    /// Running mean of batch normalization; not trained.
    RunningMean,
    /// Running variance of batch normalization; not trained.
    RunningVariance,
}

impl ParameterKind {
    /// Returns true if gradients reach the array.
    pub fn trained(self) -> bool {
        !matches!(self, ParameterKind::RunningMean | ParameterKind::RunningVariance)
    }
}

/// An array that belongs to a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// PyTorch's name for it: the path of indices of its layer, and `weight`, `bias`,
    /// `running_mean` or `running_var`.
    pub name: String,
    /// PyTorch's shape.
    pub shape: Vec<usize>,
    /// Its role.
    pub kind: ParameterKind,
    /// Numbers that one output of its layer sums over; 0 for batch normalization.
    pub fan_in: usize,
}

impl Parameter {
    /// Returns the number of entries.
    pub fn len(&self) -> u64 {
        self.shape.iter().map(|&side| side as u64).product()
    }

    /// Returns true if there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Path of layer `index` inside `path`.
fn inside(path: &str, index: usize) -> String {
    if path.is_empty() { index.to_string() } else { format!("{path}.{index}") }
}

/// The shape after `layers`.
pub(super) fn output(
    layers: &[Layer],
    input: Shape,
    path: &str,
) -> Result<Shape, ArchitectureError> {
    layers
        .iter()
        .enumerate()
        .try_fold(input, |shape, (index, layer)| after(layer, shape, &inside(path, index)))
}

/// The shape after one layer, whose path is `path`.
pub fn after(layer: &Layer, input: Shape, path: &str) -> Result<Shape, ArchitectureError> {
    let refuse = |reason: String| ArchitectureError::Layer { layer: path.to_owned(), reason };
    if input.is_empty() {
        return Err(refuse(format!("its input of shape {input} is empty")));
    }
    let windowed = |window: &Window, channels: usize| {
        let places = window.over(input).ok_or_else(|| {
            refuse(format!(
                "a window of {0}×{0} with stride {1} and padding {2} does not fit {input} (size and \
                 stride must be at least 1, and padding below the size)",
                window.size, window.stride, window.padding
            ))
        })?;
        Ok(Shape { channels, height: places.0, width: places.1 })
    };
    let shape = match layer {
        Layer::Dense { units } if input.area() == 1 => Shape::vector(*units),
        Layer::Dense { .. } => {
            return Err(refuse(format!("a dense layer takes a vector; flatten {input} first")));
        }
        Layer::Convolution { channels, window } => windowed(window, *channels)?,
        Layer::Pool { window, .. } => windowed(window, input.channels)?,
        Layer::GlobalMeanPool => Shape::vector(input.channels),
        Layer::Flatten => Shape::vector(input.len()),
        Layer::Relu => input,
        Layer::BatchNormalization { epsilon } if *epsilon > 0.0 && epsilon.is_finite() => input,
        Layer::BatchNormalization { epsilon } => {
            return Err(refuse(format!("an epsilon of {epsilon} is not positive and finite")));
        }
        Layer::LocalResponseNormalization { size, alpha, beta, k } => {
            let sensible = *size > 0 && *k > 0.0 && *alpha >= 0.0;
            if !(sensible && [*alpha, *beta, *k].iter().all(|x| x.is_finite())) {
                return Err(refuse("its size and k must be positive, alpha not negative".into()));
            }
            input
        }
        Layer::Dropout { rate } if (0.0..1.0).contains(rate) => input,
        Layer::Dropout { rate } => {
            return Err(refuse(format!("{rate} is not a rate; expected 0 <= rate < 1")));
        }
        Layer::Concatenate(branches) => {
            let mut joined: Option<Shape> = None;
            for (index, branch) in branches.iter().enumerate() {
                let shape = output(branch, input, &inside(path, index))?;
                let (height, width) = (shape.height, shape.width);
                let before = joined.map_or(0, |joined| joined.channels);
                if joined.is_some_and(|first| (first.height, first.width) != (height, width)) {
                    return Err(refuse(format!(
                        "branch {index} ends in {height}×{width}, others do not"
                    )));
                }
                joined =
                    Some(Shape { channels: before.saturating_add(shape.channels), height, width });
            }
            joined.ok_or_else(|| refuse("it joins no branches".into()))?
        }
    };
    // Buffers hold a batch of these: below 2^40 their sizes stay within 64 bits.
    if shape.is_empty() || shape.len() >= 1 << 40 {
        return Err(refuse(format!("its output of shape {shape} is empty or too large")));
    }
    Ok(shape)
}

/// The arrays of `layers`, appended to `found`; the shape after them.
pub(super) fn arrays(
    layers: &[Layer],
    input: Shape,
    path: &str,
    found: &mut Vec<Parameter>,
) -> Result<Shape, ArchitectureError> {
    let mut shape = input;
    for (index, layer) in layers.iter().enumerate() {
        let path = inside(path, index);
        let mut add = |name: &str, shape: Vec<usize>, kind, fan_in| {
            found.push(Parameter { name: format!("{path}.{name}"), shape, kind, fan_in });
        };
        match layer {
            Layer::Dense { units } => {
                let fan_in = shape.channels;
                add("weight", vec![*units, fan_in], ParameterKind::Dense, fan_in);
                add("bias", vec![*units], ParameterKind::Bias, fan_in);
            }
            Layer::Convolution { channels, window: Window { size, .. } } => {
                let inputs = shape.channels;
                let fan_in = inputs.saturating_mul(*size).saturating_mul(*size);
                let sides = vec![*channels, inputs, *size, *size];
                add("weight", sides, ParameterKind::Convolution, fan_in);
                add("bias", vec![*channels], ParameterKind::Bias, fan_in);
            }
            Layer::BatchNormalization { .. } => {
                let sides = || vec![shape.channels];
                add("weight", sides(), ParameterKind::Scale, 0);
                add("bias", sides(), ParameterKind::Shift, 0);
                add("running_mean", sides(), ParameterKind::RunningMean, 0);
                add("running_var", sides(), ParameterKind::RunningVariance, 0);
            }
            Layer::Concatenate(branches) => {
                for (index, branch) in branches.iter().enumerate() {
                    arrays(branch, shape, &inside(&path, index), found)?;
                }
            }
            _ => {}
        }
        shape = after(layer, shape, &path)?;
    }
    Ok(shape)
}
