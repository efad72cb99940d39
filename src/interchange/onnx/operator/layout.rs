//! Operators that move numbers and change none: of values, of constants, and of whole numbers alike.

use std::rc::Rc;

use super::super::call::Call;
use super::super::named::{Named, Numbers, Side, Value, text};
use super::super::read::{Reading, product};
use super::super::whole::Whole;
use crate::InterchangeError;

type Result<T> = std::result::Result<T, InterchangeError>;

/// What an operator takes, of any kind.
pub enum Held {
    Value(Value),
    Numbers(Numbers),
    Whole(Rc<Whole>),
}

/// Where each number of a result comes from.
pub struct Move {
    pub sides: Vec<Side>,
    /// Places among the numbers before; `None` if all stay in their order.
    pub from: Option<Vec<u32>>,
}

impl Held {
    /// Input `k` of a node.
    pub fn of<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>, k: usize) -> Result<Held> {
        let named = call.input(reading, k)?;
        Held::from(call, named, k)
    }

    /// What input `k` of a node stands for.
    pub fn from<'a>(call: &Call<'_, 'a>, named: Named<'a>, k: usize) -> Result<Held> {
        match named {
            Named::Value(value) => Ok(Held::Value(value)),
            Named::Numbers(numbers) => Ok(Held::Numbers(numbers)),
            Named::Whole(whole) => Ok(Held::Whole(whole)),
            _ => call.refuse(format!("its input {k} is a part of a comparison, which is not read")),
        }
    }

    /// Its sides.
    pub fn sides(&self) -> Vec<Side> {
        let of = |sides: &[usize]| sides.iter().map(|&side| Side::Of(side)).collect();
        match self {
            Held::Value(value) => value.sides.clone(),
            Held::Numbers(numbers) => of(&numbers.sides),
            Held::Whole(whole) => of(&whole.sides),
        }
    }

    /// The numbers, moved.
    pub fn moved<'a>(
        self,
        reading: &mut Reading<'a>,
        call: &Call<'_, 'a>,
        to: Move,
    ) -> Result<Named<'a>> {
        let plain = || to.sides.iter().map(|side| side.numbers()).collect::<Vec<usize>>();
        match (self, &to.from) {
            (Held::Value(value), None) => Ok(Named::Value(Value { sides: to.sides, ..value })),
            (Held::Value(value), Some(_)) => {
                let value = call.hard(value)?;
                let Move { sides, from } = to;
                reading.picked(&value, from.unwrap_or_default(), sides).map(Named::Value)
            }
            (Held::Numbers(numbers), None) => {
                Ok(Named::Numbers(Numbers { sides: plain(), ..numbers }))
            }
            (Held::Numbers(numbers), Some(from)) => {
                reading.decode(from.len())?;
                let values = from.iter().map(|&at| numbers.values[at as usize]).collect();
                Ok(Named::Numbers(Numbers { sides: plain(), values: Rc::new(values), ..numbers }))
            }
            (Held::Whole(whole), from) => {
                let numbers = match from {
                    None => whole.numbers.clone(),
                    Some(from) => from.iter().map(|&at| whole.numbers[at as usize]).collect(),
                };
                reading.count(numbers.len())?;
                Ok(Named::Whole(Rc::new(Whole { sides: plain(), numbers })))
            }
        }
    }
}

/// Calls `each` with the place of every number of an array of shape `counts`, in its order: the sum of its digits
/// times `strides`.
pub fn walk(counts: &[usize], strides: &[usize], mut each: impl FnMut(usize)) {
    if counts.contains(&0) {
        return;
    }
    let mut digits = vec![0; counts.len()];
    let mut at = 0;
    loop {
        each(at);
        let mut side = counts.len();
        loop {
            let Some(next) = side.checked_sub(1) else { return };
            side = next;
            digits[side] += 1;
            at += strides[side];
            if digits[side] < counts[side] {
                break;
            }
            at -= strides[side] * counts[side];
            digits[side] = 0;
        }
    }
}

/// How far apart neighbours along each side lie.
pub fn strides(sides: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; sides.len()];
    for k in (1..sides.len()).rev() {
        strides[k - 1] = strides[k] * sides[k];
    }
    strides
}

/// Numbers by their places along each side: all of a side where there is no list, and `None` in a list for a number
/// that is not there. `None` for more than `most` numbers.
pub fn places(
    sides: &[Side],
    lists: &[Option<Vec<Option<usize>>>],
    most: usize,
) -> Option<Vec<Option<u32>>> {
    let counts: Vec<usize> = sides.iter().map(|side| side.numbers()).collect();
    let taken: Vec<usize> = lists
        .iter()
        .zip(&counts)
        .map(|(list, &count)| list.as_ref().map_or(count, Vec::len))
        .collect();
    let numbers = product(&taken).filter(|&numbers| numbers <= most)?;
    let mut found: Vec<Option<u32>> = Vec::with_capacity(numbers);
    found.push(Some(0));
    // A side after the other: every place so far, at every place along the side.
    for ((list, &count), &taken) in lists.iter().zip(&counts).zip(&taken) {
        let mut next = Vec::with_capacity(found.len().saturating_mul(taken));
        for &before in &found {
            for k in 0..taken {
                let along = list.as_ref().map_or(Some(k), |list| list[k]);
                let at = |(before, along): (u32, usize)| before as usize * count + along;
                next.push(before.zip(along).map(|both| at(both) as u32));
            }
        }
        found = next;
    }
    Some(found)
}

/// The same where all numbers are there.
fn all_places(
    call: &Call,
    sides: &[Side],
    lists: &[Option<Vec<Option<usize>>>],
) -> Result<Vec<u32>> {
    match places(sides, lists, MOST_MOVED) {
        Some(from) => Ok(from.into_iter().flatten().collect()),
        None => call.refuse("it makes more numbers than are allowed"),
    }
}

/// The most numbers that one node moves.
pub const MOST_MOVED: usize = 1 << 24;

pub fn transpose<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let held = Held::of(reading, call, 0)?;
    let sides = held.sides();
    let permutation: Vec<usize> = match call.ints("perm")? {
        None => (0..sides.len()).rev().collect(),
        Some(axes) => {
            call.axes(&axes, sides.len())?;
            axes.iter().map(|&axis| call.axis(axis, sides.len())).collect::<Result<_>>()?
        }
    };
    if permutation.len() != sides.len() {
        return call.refuse(format!("perm has {} sides of {}", permutation.len(), sides.len()));
    }
    let counts: Vec<usize> = sides.iter().map(|side| side.numbers()).collect();
    let strides = strides(&counts);
    let (mut to, mut by) = (Vec::new(), Vec::new());
    for &axis in &permutation {
        to.push(counts[axis]);
        by.push(strides[axis]);
    }
    if product(&counts).is_none_or(|numbers| numbers > MOST_MOVED) {
        return call.refuse("it moves more numbers than are allowed");
    }
    let mut from = Vec::new();
    walk(&to, &by, |at| from.push(at as u32));
    let sides = permutation.iter().map(|&axis| sides[axis]).collect();
    let stays = from.iter().zip(0..).all(|(&at, k)| at == k);
    held.moved(reading, call, Move { sides, from: Some(from).filter(|_| !stays) })
}

pub fn squeeze<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let axes = call.list(reading, 1, "axes")?;
    let held = Held::of(reading, call, 0)?;
    let sides = held.sides();
    let Some(axes) = axes else {
        if sides.contains(&Side::Batch) {
            return call
                .refuse("without axes, it takes batches of one point for others: name the axes");
        }
        let sides = sides.into_iter().filter(|&side| side != Side::Of(1)).collect();
        return held.moved(reading, call, Move { sides, from: None });
    };
    let axes = call.axes(&axes, sides.len())?;
    if axes.iter().any(|&axis| sides[axis] != Side::Of(1)) {
        return call.refuse(format!("axes {axes:?} of {} are not all 1", text(&sides)));
    }
    let left = (0..sides.len()).filter(|axis| !axes.contains(axis)).map(|axis| sides[axis]);
    held.moved(reading, call, Move { sides: left.collect(), from: None })
}

pub fn unsqueeze<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let Some(axes) = call.list(reading, 1, "axes")? else { return call.refuse("it has no axes") };
    let held = Held::of(reading, call, 0)?;
    let sides = held.sides();
    let count = sides.len() + axes.len();
    if count > super::super::wire::SIDES {
        return call.refuse(format!("it makes {count} sides"));
    }
    let axes = call.axes(&axes, count)?;
    let mut rest = sides.into_iter();
    let side = |axis: usize| match axes.contains(&axis) {
        true => Some(Side::Of(1)),
        false => rest.next(),
    };
    let sides = (0..count).filter_map(side).collect();
    held.moved(reading, call, Move { sides, from: None })
}

/// Slices: from `start` to `end`, by steps, along some axes.
pub fn slice<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let starts = call.list(reading, 1, "starts")?.unwrap_or_default();
    let ends = call.list(reading, 2, "ends")?.unwrap_or_default();
    let axes = call.list(reading, 3, "axes")?;
    let axes = axes.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = match call.has(4) {
        true => call.take(call.whole(reading, 4)?.known())?,
        false => vec![1; starts.len()],
    };
    let held = Held::of(reading, call, 0)?;
    let sides = held.sides();
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return call.refuse("its starts, ends, axes and steps are not equally many");
    }
    call.axes(&axes, sides.len())?;
    let mut lists = vec![None; sides.len()];
    let mut taken = sides.clone();
    for (k, &axis) in axes.iter().enumerate() {
        let axis = call.axis(axis, sides.len())?;
        let (start, end, step) = (starts[k], ends[k], steps[k]);
        let Side::Of(side) = sides[axis] else {
            if start == 0 && end >= i64::from(i32::MAX) && step == 1 {
                continue;
            }
            return call.refuse("it takes some points of the batch");
        };
        let Some(list) = along(side, start, end, step) else {
            return call.refuse(format!("steps of {step} are not read"));
        };
        taken[axis] = Side::Of(list.len());
        lists[axis] = Some(list);
    }
    let from = all_places(call, &sides, &lists)?;
    held.moved(reading, call, Move { sides: taken, from: Some(from) })
}

/// Places of a slice along a side, as ONNX clamps them; `None` for steps of 0, and for slices downwards that begin
/// below the first number, of which the text of ONNX and its own code say different things.
fn along(side: usize, start: i64, end: i64, step: i64) -> Option<Vec<Option<usize>>> {
    let side = side as i64;
    let from_end = |x: i64| if x < 0 { x.saturating_add(side) } else { x };
    let (start, end) = (from_end(start), from_end(end));
    let places: Vec<i64> = match step {
        0 => return None,
        ..0 if start < 0 => return None,
        1.. => (start.clamp(0, side)..end.clamp(0, side))
            .step_by(usize::try_from(step).unwrap_or(usize::MAX))
            .collect(),
        _ => {
            let (start, end) = (start.clamp(0, side - 1), end.clamp(-1, side - 1));
            let by = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
            (end + 1..start + 1).rev().step_by(by).collect()
        }
    };
    Some(places.into_iter().map(|at| Some(at as usize)).collect())
}

/// Some places along an axis, or one.
pub fn gather<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let which = call.whole(reading, 1)?;
    let held = Held::of(reading, call, 0)?;
    let sides = held.sides();
    let axis = call.axis(call.int("axis", 0)?, sides.len())?;
    let Side::Of(side) = sides[axis] else {
        return call.refuse("it takes some points of the batch");
    };
    let mut list = Vec::with_capacity(which.numbers.len());
    for size in &which.numbers {
        let at = size.number().map(|at| if at < 0 { at.saturating_add(side as i64) } else { at });
        match at.filter(|at| (0..side as i64).contains(at)) {
            Some(at) => list.push(Some(at as usize)),
            None => return call.refuse(format!("its indices do not all lie within {side}")),
        }
    }
    let mut lists = vec![None; sides.len()];
    lists[axis] = Some(list);
    let from = all_places(call, &sides, &lists)?;
    let inner = which.sides.iter().map(|&side| Side::Of(side));
    let sides = sides[..axis].iter().copied().chain(inner).chain(sides[axis + 1..].iter().copied());
    held.moved(reading, call, Move { sides: sides.collect(), from: Some(from) })
}

/// Parts along an axis, an output each.
pub fn split<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Vec<Named<'a>>> {
    let given = call.list(reading, 1, "split")?;
    let value = call.value(reading, 0)?;
    let axis = call.axis(call.int("axis", 0)?, value.sides.len())?;
    let Side::Of(side) = value.sides[axis] else {
        return call.refuse("it takes some points of the batch");
    };
    let parts: Vec<usize> = match given {
        Some(given) => given.iter().filter_map(|&part| usize::try_from(part).ok()).collect(),
        None => {
            // Equal parts, the last one shorter.
            let parts = call.node.outputs.len().max(1);
            let each = side.div_ceil(parts);
            (0..parts).map(|k| side.saturating_sub(k * each).min(each)).collect()
        }
    };
    let sum = parts.iter().try_fold(0usize, |sum, &part| sum.checked_add(part));
    if sum != Some(side) || parts.len() != call.node.outputs.len() || parts.contains(&0) {
        return call.refuse(format!("parts {parts:?} of a side of {side}"));
    }
    let mut start = 0;
    let mut made = Vec::new();
    for part in parts {
        let mut lists = vec![None; value.sides.len()];
        lists[axis] = Some((start..start + part).map(Some).collect());
        let from = all_places(call, &value.sides, &lists)?;
        let mut sides = value.sides.clone();
        sides[axis] = Side::Of(part);
        made.push(Named::Value(reading.picked(&value, from, sides)?));
        start += part;
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Python's slices of a list, which are those of ONNX.
        #[test]
        fn slices_are_those_of_python(
            side in 1usize..7,
            start in -9i64..9,
            end in -9i64..9,
            step in prop::sample::select(vec![-3i64, -2, -1, 1, 2, 3]),
        ) {
            let n = side as i64;
            // `slice(start, end, step).indices(n)` of CPython.
            let (low, high) = if step > 0 { (0, n) } else { (-1, n - 1) };
            let clamped = |x: i64| (if x < 0 { x + n } else { x }).clamp(low, high);
            let (mut at, end_at) = (clamped(start), clamped(end));
            let mut naive = Vec::new();
            while if step > 0 { at < end_at } else { at > end_at } {
                naive.push(Some(at as usize));
                at += step;
            }
            match along(side, start, end, step) {
                Some(found) => prop_assert_eq!(found, naive),
                // Where ONNX's text and NumPy differ.
                None => prop_assert!(step < 0 && start < -n),
            }
        }

        #[test]
        fn places_are_those_of_every_index(
            sides in prop::collection::vec(1usize..4, 1..4),
            seed in 0usize..1000,
        ) {
            let lists: Vec<Option<Vec<Option<usize>>>> = sides
                .iter()
                .enumerate()
                .map(|(k, &side)| match (seed >> k) % 3 {
                    0 => None,
                    1 => Some((0..side + 1).map(|at| Some((at + seed) % side)).collect()),
                    _ => Some(vec![None, Some(side - 1)]),
                })
                .collect();
            let of: Vec<Side> = sides.iter().map(|&side| Side::Of(side)).collect();
            let found = places(&of, &lists, 1000).unwrap();
            let counts: Vec<usize> =
                lists.iter().zip(&sides).map(|(list, &side)| list.as_ref().map_or(side, Vec::len)).collect();
            let by = strides(&sides);
            for (index, found) in found.iter().enumerate() {
                let mut left = index;
                let mut naive = Some(0);
                for k in (0..sides.len()).rev() {
                    let digit = left % counts[k];
                    left /= counts[k];
                    let along = lists[k].as_ref().map_or(Some(digit), |list| list[digit]);
                    naive = naive.zip(along).map(|(sum, along)| sum + along * by[k]);
                }
                prop_assert_eq!(found.map(|at| at as usize), naive);
            }
            prop_assert_eq!(found.len(), counts.iter().product::<usize>());
            // The same, by walking.
            if lists.iter().all(Option::is_none) {
                let mut walked = Vec::new();
                walk(&sides, &by, |at| walked.push(Some(at as u32)));
                prop_assert_eq!(walked, found);
            }
        }
    }
}
