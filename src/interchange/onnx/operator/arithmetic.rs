//! Sums, differences, products, quotients and extremes of two: of values, constants and whole numbers.
//!
//! Shapes are aligned at their ends, and sides of 1 repeated, as ONNX has it.

use super::super::call::Call;
use super::super::named::{Named, Numbers, Side, Value, of_a_point, text};
use super::super::pattern;
use super::super::read::Reading;
use super::layout::{strides, walk};
use super::pointwise;
use super::pool;
use super::shapes;
use crate::InterchangeError;
use shatter_network::Activation;
use shatter_network::graph::{Operator, SlidingWindow};

type Result<T> = std::result::Result<T, InterchangeError>;

pub fn binary<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let (left, right) = (call.input(reading, 0)?, call.input(reading, 1)?);
    two(reading, call, left, right)
}

/// An operator of any number of inputs, the first two first.
pub fn several<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let mut all = call.input(reading, 0)?;
    for k in 1..call.node.inputs.len() {
        let next = call.input(reading, k)?;
        all = two(reading, call, all, next)?;
    }
    Ok(all)
}

fn two<'a>(
    reading: &mut Reading<'a>,
    call: &Call<'_, 'a>,
    left: Named<'a>,
    right: Named<'a>,
) -> Result<Named<'a>> {
    if let Some(found) = pattern::binary(reading, call, &left, &right)? {
        return Ok(found);
    }
    match (left, right) {
        (Named::Whole(x), Named::Whole(y)) => {
            let operator = if call.node.operator == "Sum" { "Add" } else { call.node.operator };
            let found = call.take(x.with(operator, &y))?;
            shapes::made(reading, found)
        }
        (Named::Value(x), Named::Value(y)) => {
            let (x, y) = (call.hard(x)?, call.hard(y)?);
            values(reading, call, x, y)
        }
        (Named::Value(x), Named::Numbers(c)) => {
            let (x, c) = (call.hard(x)?, call.typed(reading, c, 1)?);
            constant(reading, call, x, c, false)
        }
        (Named::Numbers(c), Named::Value(x)) => {
            let (x, c) = (call.hard(x)?, call.typed(reading, c, 0)?);
            constant(reading, call, x, c, true)
        }
        (Named::Numbers(_), Named::Numbers(_)) => call
            .refuse("both of its inputs are constants: export the network with constants folded"),
        _ => call.refuse("its inputs are not two arrays of numbers"),
    }
}

/// The sides of both together, if they go together.
fn broadcast(x: &[Side], y: &[Side]) -> Option<Vec<Side>> {
    let count = x.len().max(y.len());
    let aligned = |sides: &[Side], k: usize| {
        (k + sides.len()).checked_sub(count).map_or(Side::Of(1), |at| sides[at])
    };
    let one = |k: usize| match (aligned(x, k), aligned(y, k)) {
        (left, right) if left == right => Some(left),
        (Side::Of(1), other) | (other, Side::Of(1)) => Some(other),
        _ => None,
    };
    (0..count).map(one).collect()
}

/// How far apart neighbours of an array of these sides lie along each side of the result; 0 where it is repeated.
fn repeated(sides: &[Side], result: &[Side]) -> Vec<usize> {
    let counts: Vec<usize> = sides.iter().map(|side| side.numbers()).collect();
    let own = strides(&counts);
    let missing = result.len() - sides.len();
    let stride = |k: usize| match k.checked_sub(missing) {
        Some(at) if counts[at] > 1 => own[at],
        _ => 0,
    };
    (0..result.len()).map(stride).collect()
}

/// Of each number of the result: its place among the numbers of an array of these sides.
fn places(sides: &[Side], result: &[Side]) -> Vec<u32> {
    let counts: Vec<usize> = result.iter().map(|side| side.numbers()).collect();
    let mut from = Vec::new();
    walk(&counts, &repeated(sides, result), |at| from.push(at as u32));
    from
}

/// The sides of a result, of which there is room for the numbers.
fn result(reading: &mut Reading, call: &Call, x: &[Side], y: &[Side]) -> Result<Vec<Side>> {
    match broadcast(x, y) {
        Some(sides) => {
            reading.hold(&of_a_point(&sides))?;
            Ok(sides)
        }
        None => call.refuse(format!("arrays of shapes {} and {}", text(x), text(y))),
    }
}

fn values<'a>(
    reading: &mut Reading<'a>,
    call: &Call<'_, 'a>,
    x: Value,
    y: Value,
) -> Result<Named<'a>> {
    let sides = result(reading, call, &x.sides, &y.sides)?;
    let of = |reading: &mut Reading<'a>, value: Value| -> Result<usize> {
        let from = places(&value.sides, &sides);
        let at = reading.picked(&value, from, sides.clone())?.at;
        reading.shaped(at, &of_a_point(&sides))
    };
    let shape = of_a_point(&sides);
    if call.node.operator == "Mul" && x == y {
        let at = of(reading, x)?;
        let at = reading.push(Operator::Activate(Activation::Square), at, shape)?;
        return Ok(Named::Value(Value { at, sides, soft: None }));
    }
    let (x, y) = (of(reading, x)?, of(reading, y)?);
    if let operator @ ("Max" | "Min") = call.node.operator {
        let at = extreme(reading, (x, y), &shape, operator == "Max")?;
        return Ok(Named::Value(Value { at, sides, soft: None }));
    }
    let mut sum = |x, other, minus| reading.push(Operator::Sum { other, minus }, x, shape.clone());
    let at = match call.node.operator {
        "Add" | "Sum" => sum(x, y, false)?,
        "Sub" => sum(x, y, true)?,
        "Mul" => return call.refuse(
            "it multiplies two values that depend on the points, which is neither linear in pieces nor a square",
        ),
        _ => return call.refuse("it divides by what depends on the points"),
    };
    Ok(Named::Value(Value { at, sides, soft: None }))
}

/// The larger or smaller of the numbers of two values, side by side: the largest of windows of two rounds nothing.
fn extreme(
    reading: &mut Reading,
    (x, y): (usize, usize),
    shape: &[usize],
    largest: bool,
) -> Result<usize> {
    let numbers = reading.hold(shape)?;
    let both = reading.push(Operator::Concatenate(vec![y]), x, doubled(shape, numbers))?;
    let from = (0..numbers as u32).flat_map(|k| [k, k + numbers as u32]).collect();
    let pairs = vec![numbers, 1, 2];
    let mut at = reading.push(Operator::Gather { from }, both, pairs.clone())?;
    let window = SlidingWindow { size: (1, 2), stride: (1, 2), before: (0, 0), after: (0, 0) };
    let one = vec![numbers, 1, 1];
    if !largest {
        at = pool::negated(reading, at, &pairs)?;
    }
    at = reading.push(Operator::MaxPool(window), at, one.clone())?;
    if !largest {
        at = pool::negated(reading, at, &one)?;
    }
    reading.shaped(at, shape)
}

/// The shape of two values, one after the other.
fn doubled(shape: &[usize], numbers: usize) -> Vec<usize> {
    match shape {
        [first, others @ ..] => [2 * first].iter().chain(others).copied().collect(),
        [] => vec![2 * numbers],
    }
}

/// A value and a constant; `first` if the constant is the first input.
fn constant<'a>(
    reading: &mut Reading<'a>,
    call: &Call<'_, 'a>,
    x: Value,
    c: Numbers,
    first: bool,
) -> Result<Named<'a>> {
    let operator = call.node.operator;
    let held: Vec<Side> = c.sides.iter().map(|&side| Side::Of(side)).collect();
    if matches!(operator, "Max" | "Min") {
        return bounded(reading, call, x, &c, &held);
    }
    if let (true, [one]) = (operator != "Sum", &c.values[..]) {
        left_out(call, *one)?;
    }
    let sides = result(reading, call, &x.sides, &held)?;
    let mut by: Vec<f64> =
        places(&held, &sides).into_iter().map(|at| c.values[at as usize]).collect();
    let from = places(&x.sides, &sides);
    let operation = match (operator, first) {
        ("Add" | "Sum", _) => Operator::Shift { negated: false, from, by },
        ("Sub", true) => Operator::Shift { negated: true, from, by },
        ("Sub", false) => {
            by.iter_mut().for_each(|x| *x = -*x);
            Operator::Shift { negated: false, from, by }
        }
        ("Mul", _) => Operator::Scale { from, by, divides: false },
        ("Div", false) if by.contains(&0.0) => return call.refuse("it divides by 0"),
        ("Div", false) => Operator::Scale { from, by, divides: true },
        _ => return call.refuse("it divides by what depends on the points"),
    };
    let at = reading.push(operation, x.at, of_a_point(&sides))?;
    Ok(Named::Value(Value { at, sides, soft: None }))
}

/// Refuses one number that ONNX Runtime takes for a neutral one, and others do not: it compares numbers of all
/// types in binary32 (NoopElimination).
fn left_out(call: &Call, x: f64) -> Result<()> {
    match call.node.operator {
        "Add" | "Sub" if super::super::left_out(x) => {
            call.refuse("ONNX Runtime leaves out one number below 2^-126, others do not")
        }
        "Mul" | "Div" if x != 1.0 && x as f32 == 1.0 => call
            .refuse("ONNX Runtime leaves out one number that binary32 takes for 1, others do not"),
        _ => Ok(()),
    }
}

/// The larger or smaller of a value and a constant.
fn bounded<'a>(
    reading: &mut Reading<'a>,
    call: &Call<'_, 'a>,
    x: Value,
    c: &Numbers,
    held: &[Side],
) -> Result<Named<'a>> {
    let Some(&bound) = c.values.first() else { return call.refuse("its constant is empty") };
    if c.values.iter().any(|&other| other != bound) {
        return call.refuse("a constant of different numbers is not read here, one number is");
    }
    let sides = result(reading, call, &x.sides, held)?;
    let from = places(&x.sides, &sides);
    let value = reading.picked(&x, from, sides)?;
    let range = match call.node.operator {
        "Max" => (bound, f64::INFINITY),
        _ => (f64::NEG_INFINITY, bound),
    };
    pointwise::clipped(reading, value, range)
}
