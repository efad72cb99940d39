//! Normalizations: of batches as they were in training, and of channels nearby.

use super::super::call::Call;
use super::super::named::{Named, Side, Soft, Value, text};
use super::super::read::Reading;
use crate::InterchangeError;
use shatter_network::graph::{Normalization, Operator, Response};

type Result<T> = std::result::Result<T, InterchangeError>;

pub fn batch<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let value = call.value(reading, 0)?;
    call.only("training_mode", 0)?;
    call.only("spatial", 1)?;
    let shape = call.channels(&value, value.sides.len().saturating_sub(2))?;
    let mut vector = |k| call.vector(reading, k, shape[0]);
    let normalization = Normalization {
        scale: vector(1)?,
        shift: vector(2)?,
        mean: vector(3)?,
        variance: vector(4)?,
        epsilon: f64::from(call.float("epsilon", 1e-5)?),
    };
    let epsilon = normalization.epsilon;
    let positive = |&x: &f64| x >= 0.0 && x + epsilon > 0.0;
    if !(epsilon >= 0.0 && epsilon.is_finite() && normalization.variance.iter().all(positive)) {
        return call.refuse("a variance is negative, or zero without an epsilon");
    }
    let at = reading.shaped(value.at, &shape)?;
    let at = reading.push(Operator::Normalize(normalization), at, shape)?;
    reading.name_parameters(call, 1);
    Ok(Named::Value(Value { at, ..value }))
}

pub fn response<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let value = call.value(reading, 0)?;
    let shape = call.channels(&value, 2)?;
    let size = usize::try_from(call.int("size", 0)?).unwrap_or(0);
    let number = |name, otherwise| call.float(name, otherwise).map(f64::from);
    let constants = (number("alpha", 1e-4)?, number("beta", 0.75)?, number("bias", 1.0)?);
    match Response::new(size.saturating_sub(1) / 2, size, constants) {
        Ok(response) => {
            let at = reading.shaped(value.at, &shape)?;
            let at = reading.push(Operator::Response(response), at, shape)?;
            Ok(Named::Value(Value { at, ..value }))
        }
        Err(reason) => call.refuse(reason),
    }
}

/// A softmax or its logarithm, along the one side that has classes: the largest stays the largest.
pub fn soft<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let value = call.value(reading, 0)?;
    let axis = call.int("axis", if reading.opset < 13 { 1 } else { -1 })?;
    let axis = call.axis(axis, value.sides.len())?;
    let wide = |side: &Side| !matches!(side, Side::Batch | Side::Of(1));
    let others = value.sides.iter().enumerate().any(|(k, side)| k != axis && wide(side));
    if others || value.sides[axis] == Side::Batch {
        return call.refuse(format!(
            "it is taken along side {axis} of {}: one row of classes a point is read",
            text(&value.sides)
        ));
    }
    let soft = if call.node.operator == "Softmax" { Soft::Softmax } else { Soft::Logarithm };
    Ok(Named::Value(Value { soft: Some(soft), ..value }))
}
