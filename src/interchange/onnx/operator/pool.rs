//! Pools of windows, and reductions over whole sides.

use super::super::call::Call;
use super::super::named::{Named, Side, Value, of_a_point};
use super::super::read::{Reading, product};
use super::geometry::{self, Along};
use super::layout::{strides, walk};
use crate::InterchangeError;
use shatter_network::graph::window::MOST_POSITIONS;
use shatter_network::graph::{Affine, Operator, SlidingWindow};

type Result<T> = std::result::Result<T, InterchangeError>;

/// MaxPool and AveragePool.
pub fn pool<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let value = call.value(reading, 0)?;
    let dims = value.sides.len().saturating_sub(2);
    if !matches!(dims, 1 | 2) {
        return call.refuse(format!("values of {} sides", value.sides.len()));
    }
    let shape = call.channels(&value, dims)?;
    let (channels, image) = (shape[0], &shape[1..]);
    let along = geometry::window(call, &call.sizes("kernel_shape", dims, 0)?, image)?;
    let Some(plane) = geometry::plane(&along) else { return call.refuse("it has no window") };
    let places = [plane[0].places, plane[1].places];
    let window = geometry::of_graph(&plane);
    let positions = product(&[places[0], places[1], window.size.0, window.size.1]);
    if positions.is_none_or(|positions| positions > MOST_POSITIONS) {
        return call.refuse("its windows are too large");
    }
    let image = geometry::image(image);
    let at = reading.shaped(value.at, &[channels, image[0], image[1]])?;
    let made = vec![channels, places[0], places[1]];
    let dilated = plane.iter().any(|one| one.dilation != 1);
    let at = match call.node.operator {
        "MaxPool" if dilated => dilated_max(reading, at, channels, [image[0], image[1]], &plane)?,
        "MaxPool" => reading.push(Operator::MaxPool(window), at, made)?,
        _ if dilated => return call.refuse("dilations of means are not read"),
        _ => {
            let padded = call.int("count_include_pad", 0)? != 0;
            if padded && plane.iter().any(|one| one.beyond > 0) {
                return call.refuse(
                    "with ceil_mode and count_include_pad its last windows reach beyond the padding, and versions of \
                     ONNX Runtime divide by different numbers there: export it with one of the two",
                );
            }
            reading.push(Operator::MeanPool(window, padded), at, made)?
        }
    };
    let sides = geometry::made(value.sides[0], channels, &along);
    Ok(Named::Value(Value { at, sides, soft: None }))
}

/// The largest of numbers that do not stand side by side: they are put so first, and where a window leaves the image,
/// a number that is in it stands twice.
fn dilated_max(
    reading: &mut Reading,
    at: usize,
    channels: usize,
    [height, width]: [usize; 2],
    [rows, columns]: &[Along; 2],
) -> Result<usize> {
    let each = rows.size * columns.size;
    let places = rows.places * columns.places;
    reading.hold(&[channels, places, each])?;
    let inside = |one: &Along, place: usize, side: usize| -> Vec<usize> {
        let start = place * one.stride;
        let all = (0..one.size).map(|k| (start + k * one.dilation).checked_sub(one.before));
        all.flatten().filter(|&at| at < side).collect()
    };
    let mut from = Vec::new();
    for channel in 0..channels {
        for row in 0..rows.places {
            let down = inside(rows, row, height);
            for column in 0..columns.places {
                let across = inside(columns, column, width);
                let mut found: Vec<u32> = Vec::with_capacity(each);
                for y in &down {
                    let of = |x: &usize| ((channel * height + y) * width + x) as u32;
                    found.extend(across.iter().map(of));
                }
                let Some(&first) = found.first() else {
                    return super::super::wire::malformed("a window sees nothing of its image");
                };
                found.resize(each, first);
                from.extend(found);
            }
        }
    }
    let at = reading.push(Operator::Gather { from }, at, vec![channels, places, each])?;
    let window =
        SlidingWindow { size: (1, each), stride: (1, each), before: (0, 0), after: (0, 0) };
    reading.push(Operator::MaxPool(window), at, vec![channels, places, 1])
}

/// What becomes of the numbers that a reduction brings together.
#[derive(Clone, Copy, PartialEq)]
pub enum Reduce {
    Mean,
    Sum,
    Largest,
    Smallest,
}

/// The whole of every channel.
pub fn global<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>, to: Reduce) -> Result<Named<'a>> {
    let value = call.value(reading, 0)?;
    let axes: Vec<usize> = (2..value.sides.len()).collect();
    reduced(reading, call, value, &axes, (true, to))
}

/// Over the axes that are named, or all.
pub fn reduce<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>, to: Reduce) -> Result<Named<'a>> {
    let axes = call.list(reading, 1, "axes")?;
    let value = call.value(reading, 0)?;
    let keeps = call.int("keepdims", 1)? != 0;
    let axes = match axes {
        Some(axes) if !axes.is_empty() => call.axes(&axes, value.sides.len())?,
        _ if call.int("noop_with_empty_axes", 0)? != 0 => return Ok(Named::Value(value)),
        _ => (0..value.sides.len()).collect(),
    };
    reduced(reading, call, value, &axes, (keeps, to))
}

fn reduced<'a>(
    reading: &mut Reading<'a>,
    call: &Call<'_, 'a>,
    value: Value,
    axes: &[usize],
    (keeps, to): (bool, Reduce),
) -> Result<Named<'a>> {
    if axes.iter().any(|&axis| value.sides[axis] == Side::Batch) {
        return call.refuse("it takes the points of a batch together");
    }
    let counts: Vec<usize> = value.sides.iter().map(|side| side.numbers()).collect();
    let own = strides(&counts);
    let kept: Vec<usize> = (0..counts.len()).filter(|axis| !axes.contains(axis)).collect();
    let order: Vec<usize> = kept.iter().chain(axes).copied().collect();
    let pick = |of: &[usize]| order.iter().map(|&axis| of[axis]).collect::<Vec<usize>>();
    let groups: usize = kept.iter().map(|&axis| counts[axis]).product();
    let each = value.numbers() / groups.max(1);
    // What is brought together stands side by side.
    let wide: Vec<usize> = order.iter().copied().filter(|&axis| counts[axis] > 1).collect();
    let at = match wide.is_sorted() {
        true => value.at,
        false => {
            reading.hold(&[value.numbers()])?;
            let mut from = Vec::new();
            walk(&pick(&counts), &pick(&own), |at| from.push(at as u32));
            let rows = vec![Side::Of(groups), Side::Of(1), Side::Of(each)];
            reading.picked(&value, from, rows)?.at
        }
    };
    let (row, one) = (vec![groups, 1, each], vec![groups, 1, 1]);
    let window =
        SlidingWindow { size: (1, each), stride: (1, each), before: (0, 0), after: (0, 0) };
    let at = match to {
        Reduce::Mean => {
            // As it stands, if it is images of these channels.
            let at = match *reading.shape(at) {
                [channels, height, width] if channels == groups && height * width == each => at,
                _ => reading.shaped(at, &row)?,
            };
            reading.push(Operator::GlobalMean, at, one)?
        }
        Reduce::Largest => {
            let at = reading.shaped(at, &row)?;
            reading.push(Operator::MaxPool(window), at, one)?
        }
        Reduce::Smallest => {
            let at = reading.shaped(at, &row)?;
            let at = negated(reading, at, &row)?;
            let at = reading.push(Operator::MaxPool(window), at, one.clone())?;
            negated(reading, at, &one)?
        }
        Reduce::Sum => {
            let at = reading.shaped(at, &[1, groups, each])?;
            let weights = vec![1.0; each];
            let affine = Affine { weights, inputs: each, outputs: 1, bias: Vec::new() };
            reading.push(Operator::Convolution(affine, window), at, vec![1, groups, 1])?
        }
    };
    let side = |(axis, &side): (usize, &Side)| match axes.contains(&axis) {
        true => keeps.then_some(Side::Of(1)),
        false => Some(side),
    };
    let sides: Vec<Side> = value.sides.iter().enumerate().filter_map(side).collect();
    debug_assert_eq!(product(&of_a_point(&sides)), Some(groups));
    Ok(Named::Value(Value { at, sides, soft: None }))
}

/// −x, which rounds nothing.
pub fn negated(reading: &mut Reading, at: usize, shape: &[usize]) -> Result<usize> {
    let numbers = reading.hold(shape)?;
    let from = (0..numbers as u32).collect();
    let scale = Operator::Scale { from, by: vec![-1.0; numbers], divides: false };
    reading.push(scale, at, shape.to_vec())
}
