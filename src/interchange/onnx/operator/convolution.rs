//! Convolutions, as convolutions of images whose weights stand side by side.
//!
//! Dilated weights have zeros between them. Groups of channels are convolutions of their own, put one after the
//! other; where there are many groups, several of them are one, with zeros between.

use super::super::call::Call;
use super::super::named::{Named, Numbers, Value, text};
use super::super::read::{Reading, product};
use super::geometry::{self, Along};
use crate::InterchangeError;
use shatter_network::graph::window::MOST_POSITIONS;
use shatter_network::graph::{Affine, Operator};

type Result<T> = std::result::Result<T, InterchangeError>;

/// The most convolutions that a grouped one becomes.
const MOST_PARTS: usize = 64;

/// The weights of a convolution, channels out × channels in of a group × rows × columns.
struct Weights<'n> {
    values: &'n [f64],
    outputs: usize,
    inputs: usize,
    along: [Along; 2],
}

pub fn convolution<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let Numbers { sides, values, .. } = call.numbers(reading, 1)?;
    let [outputs, inputs, ref kernel @ ..] = sides[..] else {
        return call.refuse(format!("weights of shape {sides:?}"));
    };
    if !matches!(kernel.len(), 1 | 2) {
        return call.refuse(format!(
            "weights of shape {sides:?}: convolutions along one side or two are read"
        ));
    }
    let value = call.value(reading, 0)?;
    let shape = call.channels(&value, kernel.len())?;
    let (channels, image) = (shape[0], &shape[1..]);
    let groups = usize::try_from(call.int("group", 1)?).unwrap_or(0);
    let fits = inputs.checked_mul(groups) == Some(channels)
        && inputs > 0
        && outputs > 0
        && outputs.is_multiple_of(groups.max(1));
    if !fits {
        return call.refuse(format!(
            "values of {channels} channels, weights of shape {sides:?} in {groups} groups"
        ));
    }
    let given = call.sizes("kernel_shape", kernel.len(), 0)?;
    if given != kernel && given.iter().any(|&side| side != 0) {
        return call.refuse("kernel_shape is not that of its weights");
    }
    let along = geometry::window(call, kernel, image)?;
    let Some(plane) = geometry::plane(&along) else { return call.refuse("it has no window") };
    let bias = if call.has(2) { call.vector(reading, 2, outputs)? } else { Vec::new() };
    let weights = Weights { values: &values, outputs, inputs, along: plane };

    // Some groups together, with channels out and in.
    let together = groups.div_ceil(MOST_PARTS);
    let parts = groups.div_ceil(together);
    let reach = [plane[0].reach(), plane[1].reach()];
    let area = product(&[inputs, together, reach[0], reach[1]]);
    let windows = area.and_then(|area| product(&[area, plane[0].places, plane[1].places]));
    if windows.is_none_or(|numbers| numbers > MOST_POSITIONS) {
        return call.refuse("its windows are too large");
    }
    // Zeros are numbers, too.
    reading.hold(&[outputs, area.unwrap_or(0)])?;
    let at = reading.shaped(value.at, &[&[channels], &geometry::image(image)[..]].concat())?;
    let mut made = Vec::with_capacity(parts);
    for part in 0..parts {
        let of = part * together..((part + 1) * together).min(groups);
        let on = match parts {
            1 => at,
            _ => some_channels(reading, at, of.start * inputs..of.end * inputs)?,
        };
        let affine = weights.of_groups(of.clone(), outputs / groups, &bias);
        let places = vec![affine.outputs, plane[0].places, plane[1].places];
        let window = geometry::of_graph(&plane);
        made.push(reading.push(Operator::Convolution(affine, window), on, places)?);
        if parts == 1 {
            reading.name_parameters(call, 1);
        }
    }
    let places = vec![outputs, plane[0].places, plane[1].places];
    let at = match made.split_first() {
        Some((&first, [])) => first,
        Some((&first, others)) => {
            reading.push(Operator::Concatenate(others.to_vec()), first, places)?
        }
        None => return call.refuse(format!("values of shape {}", text(&value.sides))),
    };
    let sides = geometry::made(value.sides[0], outputs, &along);
    Ok(Named::Value(Value { at, sides, soft: None }))
}

/// Some channels of an image.
fn some_channels(
    reading: &mut Reading,
    at: usize,
    channels: std::ops::Range<usize>,
) -> Result<usize> {
    let [_, height, width] = *reading.shape(at) else { return Ok(at) };
    let area = height * width;
    let shape = vec![channels.len(), height, width];
    reading.hold(&shape)?;
    let from = (channels.start * area..channels.end * area).map(|at| at as u32).collect();
    reading.push(Operator::Gather { from }, at, shape)
}

impl Weights<'_> {
    /// Of some groups, each with `each` channels out: (channels in · height · width) × channels out, with zeros for
    /// the channels of other groups and between dilated weights.
    fn of_groups(&self, groups: std::ops::Range<usize>, each: usize, bias: &[f64]) -> Affine {
        let [rows, columns] = &self.along;
        let (tall, wide) = (rows.reach(), columns.reach());
        let outputs = groups.len() * each;
        let inputs = groups.len() * self.inputs * tall * wide;
        let mut weights = vec![0.0; inputs * outputs];
        let area = rows.size * columns.size;
        for output in 0..outputs {
            let own = groups.start * each + output;
            for input in 0..self.inputs {
                let channel = output / each * self.inputs + input;
                for k in 0..area {
                    let (y, x) =
                        (k / columns.size * rows.dilation, k % columns.size * columns.dilation);
                    let to = (channel * tall + y) * wide + x;
                    weights[to * outputs + output] =
                        self.values[(own * self.inputs + input) * area + k];
                }
            }
        }
        let own = groups.start * each..groups.end * each;
        let bias = bias.get(own).unwrap_or(&[]).to_vec();
        debug_assert!(self.outputs >= groups.end * each);
        Affine { weights, inputs, outputs, bias }
    }
}
