//! Products with constant matrices.

use std::rc::Rc;

use super::super::call::Call;
use super::super::named::{Named, Numbers, Side, Value, of_a_point, text};
use super::super::read::{Reading, product};
use super::layout::walk;
use crate::InterchangeError;
use shatter_network::graph::{Affine, Operator, SlidingWindow};

type Result<T> = std::result::Result<T, InterchangeError>;

/// alpha x W + beta C: rows of numbers, one a point.
pub fn gemm<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    call.only("transA", 0)?;
    let (alpha, beta) = (call.float("alpha", 1.0)?, call.float("beta", 1.0)?);
    if !(alpha.is_finite() && beta.is_finite()) {
        return call.refuse("alpha and beta are not finite");
    }
    let value = call.value(reading, 0)?;
    let [Side::Batch | Side::Of(1), Side::Of(inputs)] = value.sides[..] else {
        return call.refuse(format!(
            "values of shape {}; a batch of rows is expected",
            text(&value.sides)
        ));
    };
    let weights = call.numbers(reading, 1)?;
    let (sides, weights) = matrix(call, weights, call.int("transB", 0)? != 0)?;
    let outputs = sides[1];
    taken(call, inputs, sides[0])?;
    let mut bias = match call.has(2) && beta != 0.0 {
        false => Vec::new(),
        true => {
            let Numbers { sides, values, .. } = call.numbers(reading, 2)?;
            // A number, or one an output: for every point the same.
            if !matches!(sides[..], [] | [_] | [1, _]) || values.is_empty() {
                return call
                    .refuse(format!("its input 2 of shape {sides:?} is not a row of biases"));
            }
            Rc::unwrap_or_clone(values)
        }
    };
    if bias.len() == 1 {
        bias = vec![bias[0]; reading.hold(&[outputs])?];
    }
    if !bias.is_empty() && bias.len() != outputs {
        return call.refuse(format!("{} biases for {outputs} outputs", bias.len()));
    }
    if beta != 1.0 {
        let format = reading.precision;
        let exact = |x: &mut f64| {
            // The product in binary64 of two numbers of 26 bits is exact.
            let product = *x * f64::from(beta);
            let known = f64::from(beta).mul_add(*x, -product) == 0.0 && format.has(product);
            let same = known && (product == 0.0 || product.abs() >= format.smallest_normal());
            *x = product;
            same
        };
        if !bias.iter_mut().all(exact) {
            return call.refuse(format!("beta = {beta} rounds its biases: multiply them before"));
        }
    }
    let at = reading.shaped(value.at, &[inputs])?;
    let one = alpha == 1.0;
    let own = if one { std::mem::take(&mut bias) } else { Vec::new() };
    let affine = Affine { weights, inputs, outputs, bias: own };
    let mut at = reading.push(Operator::Dense(affine), at, vec![outputs])?;
    reading.name_parameters(call, 1);
    let from: Vec<u32> = (0..outputs as u32).collect();
    if !one {
        let by = vec![f64::from(alpha); outputs];
        let scale = Operator::Scale { from: from.clone(), by, divides: false };
        at = reading.push(scale, at, vec![outputs])?;
    }
    if !bias.is_empty() {
        let shift = Operator::Shift { negated: false, from, by: bias };
        at = reading.push(shift, at, vec![outputs])?;
    }
    let sides = vec![value.sides[0], Side::Of(outputs)];
    Ok(Named::Value(Value { at, sides, soft: None }))
}

/// Weights as a matrix, inputs × outputs.
fn matrix(call: &Call, weights: Numbers, transposed: bool) -> Result<([usize; 2], Vec<f64>)> {
    let Numbers { sides, values, .. } = weights;
    let [rows, columns] = sides[..] else {
        return call.refuse(format!("weights of shape {sides:?}; two sides are expected"));
    };
    if rows == 0 || columns == 0 {
        return call.refuse(format!("weights of shape {sides:?}"));
    }
    if !transposed {
        return Ok(([rows, columns], Rc::unwrap_or_clone(values)));
    }
    let mut turned = Vec::with_capacity(values.len());
    walk(&[columns, rows], &[1, columns], |at| turned.push(values[at]));
    Ok(([columns, rows], turned))
}

fn taken(call: &Call, inputs: usize, taken: usize) -> Result<()> {
    if inputs == taken {
        return Ok(());
    }
    call.refuse(format!("points of {inputs} numbers, weights for {taken}"))
}

pub fn matmul<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    match (call.input(reading, 0)?, call.input(reading, 1)?) {
        (Named::Value(x), Named::Numbers(w)) => {
            let (x, w) = (call.hard(x)?, call.typed(reading, w, 1)?);
            after(reading, call, x, w)
        }
        (Named::Numbers(w), Named::Value(x)) => {
            let x = call.hard(x)?;
            let w = call.typed(reading, w, 0)?;
            before(reading, call, &w, x)
        }
        (Named::Value(_), Named::Value(_)) => {
            call.refuse("it multiplies two values that depend on the points")
        }
        _ => call.refuse("one of its inputs must be weights, the other depend on the points"),
    }
}

/// x W, where the last side of x is what W takes.
fn after<'a>(
    reading: &mut Reading<'a>,
    call: &Call<'_, 'a>,
    x: Value,
    w: Numbers,
) -> Result<Named<'a>> {
    let Some((&Side::Of(inputs), rows)) = x.sides.split_last() else {
        return call.refuse(format!("values of shape {}", text(&x.sides)));
    };
    let vector = w.sides.len() == 1;
    let ([taken_by, outputs], weights) = match vector {
        true => ([w.sides[0], 1], Rc::unwrap_or_clone(w.values)),
        false => matrix(call, w, false)?,
    };
    taken(call, inputs, taken_by)?;
    let affine = Affine { weights, inputs, outputs, bias: Vec::new() };
    let count = product(&of_a_point(rows)).unwrap_or(0);
    let at = match count {
        1 => {
            let at = reading.shaped(x.at, &[inputs])?;
            let at = reading.push(Operator::Dense(affine), at, vec![outputs])?;
            reading.name_parameters(call, 1);
            at
        }
        // Numbers as channels of an image, one position a row.
        _ => {
            reading.hold(&[inputs, count])?;
            let mut from = Vec::new();
            walk(&[inputs, count], &[1, inputs], |at| from.push(at as u32));
            let gather = Operator::Gather { from };
            let at = reading.push(gather, x.at, vec![inputs, count, 1])?;
            let at = positions(reading, affine, at, count)?;
            reading.hold(&[outputs, count])?;
            let mut from = Vec::new();
            walk(&[count, outputs], &[1, count], |at| from.push(at as u32));
            reading.push(Operator::Gather { from }, at, vec![count, outputs])?
        }
    };
    let mut sides = rows.to_vec();
    if !vector {
        sides.push(Side::Of(outputs));
    }
    Ok(Named::Value(Value { at, sides, soft: None }))
}

/// W x, where the last side of x but one is what W takes.
fn before<'a>(
    reading: &mut Reading<'a>,
    call: &Call<'_, 'a>,
    w: &Numbers,
    x: Value,
) -> Result<Named<'a>> {
    let ([outer @ .., Side::Of(inputs), Side::Of(columns)], [outputs, taken_by]) =
        (x.sides.as_slice(), w.sides.as_slice())
    else {
        return call.refuse(format!(
            "weights of shape {:?} and values of shape {}",
            w.sides,
            text(&x.sides)
        ));
    };
    let (inputs, columns, outputs) = (*inputs, *columns, *outputs);
    taken(call, inputs, *taken_by)?;
    if product(&of_a_point(outer)) != Some(1) || outputs == 0 {
        return call.refuse(format!("values of shape {}", text(&x.sides)));
    }
    reading.decode(w.values.len())?;
    let mut weights = Vec::with_capacity(w.values.len());
    walk(&[inputs, outputs], &[1, inputs], |at| weights.push(w.values[at]));
    let affine = Affine { weights, inputs, outputs, bias: Vec::new() };
    let at = reading.shaped(x.at, &[inputs, columns, 1])?;
    let at = positions(reading, affine, at, columns)?;
    let sides = outer.iter().copied().chain([Side::Of(outputs), Side::Of(columns)]).collect();
    Ok(Named::Value(Value { at, sides, soft: None }))
}

/// The same matrix at each of so many positions.
fn positions(reading: &mut Reading, affine: Affine, at: usize, count: usize) -> Result<usize> {
    let window = SlidingWindow { size: (1, 1), stride: (1, 1), before: (0, 0), after: (0, 0) };
    let outputs = affine.outputs;
    reading.push(Operator::Convolution(affine, window), at, vec![outputs, count, 1])
}
