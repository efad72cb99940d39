//! Values one after the other, and around them.

use std::rc::Rc;

use super::super::call::Call;
use super::super::named::{Named, Side, Value, of_a_point, text};
use super::super::read::{Reading, product};
use super::super::whole::Whole;
use super::layout::{Held, MOST_MOVED, places, strides, walk};
use super::shapes;
use crate::InterchangeError;
use shatter_network::graph::Operator;

type Result<T> = std::result::Result<T, InterchangeError>;

pub fn concatenate<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let mut values: Vec<Value> = Vec::new();
    let mut whole: Vec<Rc<Whole>> = Vec::new();
    for k in 0..call.node.inputs.len() {
        match Held::of(reading, call, k)? {
            Held::Value(value) => values.push(call.hard(value)?),
            Held::Whole(part) => whole.push(part),
            Held::Numbers(_) => {
                return call
                    .refuse(format!("its input {k} is constant, which is not read beside values"));
            }
        }
    }
    match (values.is_empty(), whole.is_empty()) {
        (false, true) => joined(reading, call, &values),
        (true, false) => shapes::concatenate(reading, call, &whole),
        _ => call.refuse("its inputs are whole numbers and values"),
    }
}

fn joined<'a>(
    reading: &mut Reading<'a>,
    call: &Call<'_, 'a>,
    values: &[Value],
) -> Result<Named<'a>> {
    let (first, others) = (&values[0], &values[1..]);
    let axis = call.axis(call.int("axis", 0)?, first.sides.len())?;
    let mut sides = first.sides.clone();
    let mut along = first.sides[axis].numbers();
    for other in others {
        let apart = |k: usize| k != axis && other.sides[k] != first.sides[k];
        if other.sides.len() != sides.len() || (0..sides.len()).any(apart) {
            let (one, two) = (text(&first.sides), text(&other.sides));
            return call.refuse(format!("its inputs have shapes {one} and {two}"));
        }
        along = along.saturating_add(other.sides[axis].numbers());
    }
    if values.iter().any(|value| value.sides[axis] == Side::Batch) {
        return call.refuse("it puts points of a batch beside each other");
    }
    sides[axis] = Side::Of(along);
    let shape = of_a_point(&sides);
    let outer: usize = sides[..axis].iter().map(|side| side.numbers()).product();
    let inner: usize = sides[axis + 1..].iter().map(|side| side.numbers()).product();
    // Parts one after the other are joined where nothing but 1 stands before the axis.
    let flat = if outer == 1 { shape.clone() } else { vec![product(&shape).unwrap_or(0)] };
    let mut lengths = Vec::with_capacity(values.len());
    let mut parts = Vec::with_capacity(values.len());
    for value in values {
        let length = value.sides[axis].numbers() * inner;
        lengths.push(length);
        parts.push(match outer {
            1 => reading.shaped(value.at, &of_a_point(&value.sides))?,
            _ => reading.shaped(value.at, &[length * outer])?,
        });
    }
    let mut at = match parts.split_first() {
        Some((&one, [])) => one,
        Some((&first, others)) => {
            reading.push(Operator::Concatenate(others.to_vec()), first, flat)?
        }
        None => return call.refuse("it has no inputs"),
    };
    if outer > 1 {
        reading.hold(&shape)?;
        let mut starts = Vec::with_capacity(lengths.len());
        let mut start = 0;
        for length in &lengths {
            starts.push(start);
            start += length * outer;
        }
        let mut from = Vec::new();
        for row in 0..outer {
            for (start, length) in starts.iter().zip(&lengths) {
                from.extend((start + row * length..start + (row + 1) * length).map(|at| at as u32));
            }
        }
        at = reading.push(Operator::Gather { from }, at, shape)?;
    }
    Ok(Named::Value(Value { at, sides, soft: None }))
}

/// Numbers around a value: a constant, its last numbers, or its own from there.
pub fn pad<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let Some(pads) = call.list(reading, 1, "pads")? else { return call.refuse("it has no pads") };
    let fill = match (reading.opset < 11, call.has(2)) {
        (true, _) => f64::from(call.float("value", 0.0)?),
        (false, false) => 0.0,
        (false, true) => match call.numbers(reading, 2)?.values[..] {
            [x] => x,
            _ => return call.refuse("what it pads with is not one number"),
        },
    };
    let axes = match call.has(3) {
        true => Some(call.take(call.whole(reading, 3)?.known())?),
        false => None,
    };
    let value = call.value(reading, 0)?;
    let count = value.sides.len();
    let axes = axes.unwrap_or_else(|| (0..count as i64).collect());
    call.axes(&axes, count)?;
    if pads.len() != 2 * axes.len() || !reading.precision.has(fill) {
        return call.refuse(format!("pads = {pads:?} for {} sides, and {fill}", axes.len()));
    }
    let mode = match call.text("mode")? {
        b"" | b"constant" => Mode::Constant,
        b"reflect" => Mode::Reflect,
        b"edge" => Mode::Edge,
        _ => return call.refuse("its mode is not read; constant, reflect and edge are"),
    };
    let mut lists = vec![None; count];
    let mut sides = value.sides.clone();
    for (k, &axis) in axes.iter().enumerate() {
        let axis = call.axis(axis, count)?;
        let (before, after) = (pads[k], pads[axes.len() + k]);
        match value.sides[axis] {
            Side::Batch if (before, after) == (0, 0) => {}
            Side::Batch => return call.refuse("it adds points to the batch"),
            Side::Of(side) => {
                let Some(list) = mode.along(side, before, after) else {
                    return call.refuse(format!("pads of {before} and {after} around {side}"));
                };
                sides[axis] = Side::Of(list.len());
                lists[axis] = Some(list);
            }
        }
    }
    let Some(found) = places(&value.sides, &lists, MOST_MOVED) else {
        return call.refuse("it makes more numbers than are allowed");
    };
    reading.hold(&of_a_point(&sides))?;
    let numbers = value.numbers();
    let inside = found.iter().all(Option::is_some);
    let from = found.into_iter().map(|at| at.unwrap_or(numbers as u32)).collect();
    if inside {
        return reading.picked(&value, from, sides).map(Named::Value);
    }
    // The constant is a number after the others: the first one times 0, and the constant.
    let zero = Operator::Scale { from: vec![0], by: vec![0.0], divides: false };
    let mut last = reading.push(zero, value.at, vec![1])?;
    if fill != 0.0 {
        let shift = Operator::Shift { negated: false, from: vec![0], by: vec![fill] };
        last = reading.push(shift, last, vec![1])?;
    }
    let flat = reading.shaped(value.at, &[numbers])?;
    let all = reading.push(Operator::Concatenate(vec![last]), flat, vec![numbers + 1])?;
    let at = reading.push(Operator::Gather { from }, all, of_a_point(&sides))?;
    Ok(Named::Value(Value { at, sides, soft: None }))
}

/// What stands around.
#[derive(Clone, Copy)]
enum Mode {
    Constant,
    Reflect,
    Edge,
}

impl Mode {
    /// Places along a side with so many numbers before and after it (or fewer, where that is negative); `None` in
    /// it for the constant.
    fn along(self, side: usize, before: i64, after: i64) -> Option<Vec<Option<usize>>> {
        let last = i64::try_from(side).ok()?.checked_sub(1)?;
        let most = MOST_MOVED as i64;
        let fits = before.checked_abs()? <= most && after.checked_abs()? <= most;
        // What is reflected is there.
        let short = matches!(self, Mode::Reflect) && (before > last || after > last);
        if !fits || short || before.checked_add(last + 1)?.checked_add(after)? <= 0 {
            return None;
        }
        let place = |at: i64| {
            let at = match self {
                Mode::Constant => at,
                Mode::Edge => at.clamp(0, last),
                Mode::Reflect if at < 0 => -at,
                Mode::Reflect if at > last => 2 * last - at,
                Mode::Reflect => at,
            };
            (0..=last).contains(&at).then_some(at as usize)
        };
        Some((-before..last + 1 + after).map(place).collect())
    }
}

/// Repetitions, as the shape says that they become: sides of 1, and new ones before them.
pub fn expand<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let wanted = call.whole(reading, 1)?;
    let value = call.value(reading, 0)?;
    let count = wanted.numbers.len().max(value.sides.len());
    let mut sides = Vec::with_capacity(count);
    let mut by = Vec::with_capacity(count);
    let own = strides(&value.sides.iter().map(|side| side.numbers()).collect::<Vec<_>>());
    for k in 0..count.min(super::super::wire::SIDES + 1) {
        let at = |length: usize| (k + length).checked_sub(count);
        let side = at(value.sides.len()).map_or(Side::Of(1), |at| value.sides[at]);
        let size = at(wanted.numbers.len()).map(|at| wanted.numbers[at]);
        let stride = at(own.len()).map_or(0, |at| own[at]);
        match (side, size) {
            (side, None) => {
                sides.push(side);
                by.push(stride);
            }
            (side, Some(size)) if size == side.size() || size.number() == Some(1) => {
                sides.push(side);
                by.push(stride);
            }
            (Side::Of(1), Some(size)) => match size.number().map(usize::try_from) {
                Some(Ok(repeated)) => {
                    sides.push(Side::Of(repeated));
                    by.push(0);
                }
                _ => return call.refuse("it repeats values as often as the batch has points"),
            },
            _ => return call.refuse(format!("{} does not become its shape", text(&value.sides))),
        }
    }
    reading.hold(&of_a_point(&sides))?;
    let counts: Vec<usize> = sides.iter().map(|side| side.numbers()).collect();
    let mut from = Vec::new();
    walk(&counts, &by, |at| from.push(at as u32));
    reading.picked(&value, from, sides).map(Named::Value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_around_are_those_of_numpy() {
        let some = |places: &[usize]| Some(places.iter().map(|&at| Some(at)).collect::<Vec<_>>());
        // numpy.pad([0, 1, 2], (2, 1), mode)
        assert_eq!(Mode::Reflect.along(3, 2, 1), some(&[2, 1, 0, 1, 2, 1]));
        assert_eq!(Mode::Edge.along(3, 2, 1), some(&[0, 0, 0, 1, 2, 2]));
        let around = [None, None, Some(0), Some(1), Some(2), None];
        assert_eq!(Mode::Constant.along(3, 2, 1), Some(around.to_vec()));
        assert_eq!(Mode::Constant.along(3, -1, 1), Some(vec![Some(1), Some(2), None]));
        assert_eq!(Mode::Reflect.along(3, 3, 0), None);
        assert_eq!(Mode::Constant.along(3, -2, -1), None);
        assert_eq!(Mode::Constant.along(3, i64::MIN, 0), None);
    }
}
