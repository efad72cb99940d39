//! Functions of one number.

use std::rc::Rc;

use super::super::call::Call;
use super::super::named::{Named, Numbers, Side, Value};
use super::super::read::Reading;
use crate::InterchangeError;
use shatter_network::Activation;
use shatter_network::graph::{Operator, count};

type Result<T> = std::result::Result<T, InterchangeError>;

/// A value of the same shape.
fn made<'a>(reading: &mut Reading<'a>, value: Value, operation: Operator) -> Result<Named<'a>> {
    let shape = reading.shape(value.at).to_vec();
    let at = reading.push(operation, value.at, shape)?;
    Ok(Named::Value(Value { at, ..value }))
}

pub fn activation<'a>(
    reading: &mut Reading<'a>,
    call: &Call<'_, 'a>,
    activation: Activation,
) -> Result<Named<'a>> {
    let value = call.value(reading, 0)?;
    activated(reading, value, activation)
}

/// The same of a value.
pub fn activated<'a>(
    reading: &mut Reading<'a>,
    value: Value,
    activation: Activation,
) -> Result<Named<'a>> {
    made(reading, value, Operator::Activate(activation))
}

/// −x.
pub fn negated<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let value = call.value(reading, 0)?;
    let numbers = value.numbers();
    let from = (0..numbers as u32).collect();
    made(reading, value, Operator::Scale { from, by: vec![-1.0; numbers], divides: false })
}

/// |x|.
pub fn size<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let value = call.value(reading, 0)?;
    made(reading, value, Operator::Leaky(vec![-1.0]))
}

/// x where it is positive, slope · x elsewhere; one slope, in an attribute.
pub fn leaky<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let value = call.value(reading, 0)?;
    let slope = attribute(reading, call, "alpha", 0.01)?;
    made(reading, value, Operator::Leaky(vec![slope]))
}

/// An attribute, which is a number of binary32, as the network's type has it.
fn attribute(reading: &Reading, call: &Call, name: &str, otherwise: f32) -> Result<f64> {
    let x = f64::from(call.float(name, otherwise)?);
    match (x.is_finite(), reading.precision.has(x)) {
        (false, _) => call.refuse(format!("{name} is not finite")),
        (_, false) => call.refuse(format!(
            "{name} = {x} is not a number of {}: some runtimes round it, others compute in float",
            reading.precision.name()
        )),
        _ => Ok(x),
    }
}

/// The same with slopes that are an input: of all numbers, or of each as its place says.
pub fn slopes<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let Numbers { sides, values, .. } = call.numbers(reading, 1)?;
    let value = call.value(reading, 0)?;
    if values.is_empty() {
        return call.refuse("it has no slopes");
    }
    if values.len() == 1 {
        return made(reading, value, Operator::Leaky(Rc::unwrap_or_clone(values)));
    }
    // Aligned at their ends; the batch has no slopes of its own.
    let count_of = |sides: &[Side]| sides.iter().map(|side| side.numbers()).collect::<Vec<_>>();
    let to = count_of(&value.sides);
    let missing = to.len().checked_sub(sides.len());
    let fits = missing.is_some_and(|missing| {
        sides
            .iter()
            .zip(&value.sides[missing..])
            .all(|(&side, &of)| side == 1 || Side::Of(side) == of)
    });
    let (Some(missing), true) = (missing, fits) else {
        return call.refuse(format!("slopes of shape {sides:?} for values of shape {to:?}"));
    };
    let own = super::layout::strides(&sides);
    let by: Vec<usize> = (0..to.len())
        .map(|k| match k.checked_sub(missing) {
            Some(at) if sides[at] > 1 => own[at],
            _ => 0,
        })
        .collect();
    let mut each = Vec::with_capacity(reading.hold(&[value.numbers()])?);
    super::layout::walk(&to, &by, |at| each.push(values[at]));
    // A channel a number; or a slope a channel, where the first side that is not 1 is that of the channels.
    let shape = value.shape();
    let first = shape.iter().position(|&side| side != 1).unwrap_or(0);
    let channels = shape.get(first).copied().unwrap_or(1);
    let area = each.len() / channels.max(1);
    let one_each = each.chunks(area.max(1)).all(|channel| channel.iter().all(|&x| x == channel[0]));
    let (shape, slopes): (Vec<usize>, Vec<f64>) = match one_each {
        true => (shape[first..].to_vec(), each.iter().step_by(area.max(1)).copied().collect()),
        false => (vec![each.len()], each),
    };
    let at = reading.shaped(value.at, &shape)?;
    let at = reading.push(Operator::Leaky(slopes), at, shape)?;
    Ok(Named::Value(Value { at, ..value }))
}

/// min(max(x, low), high).
pub fn clipped<'a>(
    reading: &mut Reading<'a>,
    value: Value,
    (low, high): (f64, f64),
) -> Result<Named<'a>> {
    let operation = match (low, high) {
        (0.0, f64::INFINITY) => Operator::Activate(Activation::Relu),
        _ => Operator::Clip { low, high },
    };
    made(reading, value, operation)
}

pub fn clip<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let mut bounds = (f64::NEG_INFINITY, f64::INFINITY);
    if reading.opset < 11 {
        // Their defaults are the ends of the range.
        for (name, bound) in [("min", &mut bounds.0), ("max", &mut bounds.1)] {
            if call.attribute(name, 1, "number")?.is_some() {
                *bound = attribute(reading, call, name, 0.0)?;
            }
        }
    } else {
        for (k, bound) in [(1, &mut bounds.0), (2, &mut bounds.1)] {
            if call.has(k) {
                match call.numbers(reading, k)?.values[..] {
                    [x] => *bound = x,
                    _ => return call.refuse(format!("its input {k} is not one number")),
                }
            }
        }
    }
    if bounds.0 > bounds.1 {
        return call.refuse(format!("its bounds {} and {} are not in order", bounds.0, bounds.1));
    }
    let value = call.value(reading, 0)?;
    clipped(reading, value, bounds)
}

/// max(0, min(1, alpha · x + beta)).
pub fn hard_sigmoid<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let alpha = attribute(reading, call, "alpha", 0.2)?;
    let beta = attribute(reading, call, "beta", 0.5)?;
    let value = call.value(reading, 0)?;
    let shape = reading.shape(value.at).to_vec();
    let numbers = count(&shape);
    let from: Vec<u32> = (0..numbers as u32).collect();
    let by = vec![alpha; numbers];
    let scaled = Operator::Scale { from: from.clone(), by, divides: false };
    let at = reading.push(scaled, value.at, shape.clone())?;
    let shifted = Operator::Shift { negated: false, from, by: vec![beta; numbers] };
    let at = reading.push(shifted, at, shape)?;
    clipped(reading, Value { at, ..value }, (0.0, 1.0))
}

/// x above alpha, 0 elsewhere: continuous, and the same at all runtimes, where alpha is 0.
pub fn thresholded<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    match call.float("alpha", 1.0)? {
        0.0 => activation(reading, call, Activation::Relu),
        alpha => {
            call.refuse(format!("alpha = {alpha}: it jumps there, and is read with alpha = 0"))
        }
    }
}
