//! Batch normalization as launches.

use crate::DeviceError;
use crate::plan::{Operation, View};
use shatter_network::architecture::Shape;

use super::image_arguments as arguments;
use super::image_call::ImageCall;
use super::lower::{Lowering, word};
use super::lower_images::{THREADS, divisor};

/// Numbers of a channel that a block takes: that of `kernels/normalization.cu`.
const PART: usize = 4096;
/// Numbers of a row that a block writes.
const CHUNK: usize = 4 * THREADS;

/// Parts of a channel: they depend on the shape alone.
fn parts(shape: Shape, rows: usize) -> usize {
    rows.saturating_mul(shape.area()).div_ceil(PART)
}

/// Numbers that the parts leave.
pub fn scratch(shape: Shape, rows: usize) -> usize {
    parts(shape, rows).saturating_mul(shape.channels).saturating_mul(2)
}

impl Lowering<'_> {
    /// Arguments that are the same forwards and backwards.
    fn normalized(&self, input: View) -> Result<arguments::Normalization, DeviceError> {
        let shape = input.shape;
        word(self.rows.saturating_mul(shape.area()))?;
        word(shape.len())?;
        Ok(arguments::Normalization {
            input: self.arrays.view(input),
            partial: self.places.partial,
            plane: divisor(shape.area())?,
            rows: word(self.rows)?,
            channels: word(shape.channels)?,
            parts: word(parts(shape, self.rows))?,
            chunks: word(shape.len().div_ceil(CHUNK))?,
            ..Default::default()
        })
    }

    /// Three launches: over parts of channels, over channels, over rows.
    fn normalize(
        &mut self,
        [parts, channels, rows]: [Option<&'static str>; 3],
        given: arguments::Normalization,
    ) -> Result<(), DeviceError> {
        let replicas = self.arrays.plan.replicas;
        let [held, sides, each] = [given.channels, given.parts, given.chunks].map(|n| n as usize);
        let over = [
            (parts, held.saturating_mul(sides)),
            (channels, held.div_ceil(THREADS)),
            (rows, self.rows.saturating_mul(each)),
        ];
        for (name, blocks) in over {
            if let Some(name) = name {
                let call = ImageCall::Normalization(name, given);
                self.image(call, (blocks, replicas, 1), THREADS)?;
            }
        }
        Ok(())
    }

    /// Appends batch normalization, or its gradient.
    pub fn normalization(&mut self, operation: &Operation) -> Result<(), DeviceError> {
        match *operation {
            Operation::BatchNormalization { input, output, parameters, saved, relu } => {
                let [scale, shift, mean, variance] = parameters.map(|id| self.arrays.array(id));
                let [own_mean, inverse] =
                    saved.map_or([mean, variance], |saved| saved.map(|id| self.arrays.array(id)));
                let given = arguments::Normalization {
                    output: self.arrays.view(output),
                    scale,
                    shift,
                    mean: own_mean,
                    inverse,
                    running_mean: mean,
                    running_variance: variance,
                    training: u32::from(saved.is_some()),
                    relu: u32::from(relu),
                    ..self.normalized(input)?
                };
                let [moments, statistics] = ["normalization_moments", "normalization_statistics"]
                    .map(|name| saved.is_some().then_some(name));
                self.normalize([moments, statistics, Some("normalize")], given)
            }
            Operation::BatchNormalizationGradient {
                input,
                output,
                output_gradient,
                scale,
                saved,
                parameter_gradients,
                input_gradient,
                accumulate,
            } => {
                let [mean, inverse] = saved.map(|id| self.arrays.array(id));
                let [scale_gradient, shift_gradient] =
                    parameter_gradients.map(|id| self.arrays.array(id));
                let given = arguments::Normalization {
                    output: output.map_or_else(Default::default, |view| self.arrays.view(view)),
                    output_gradient: self.arrays.view(output_gradient),
                    input_gradient: self.arrays.view(input_gradient),
                    scale: self.arrays.array(scale),
                    mean,
                    inverse,
                    scale_gradient,
                    shift_gradient,
                    accumulate: u32::from(accumulate),
                    ..self.normalized(input)?
                };
                let names =
                    ["normalization_sums", "normalization_parameters", "normalization_gradient"];
                self.normalize(names.map(Some), given)
            }
            _ => Err(DeviceError::Unsupported("this operation".into())),
        }
    }
}
