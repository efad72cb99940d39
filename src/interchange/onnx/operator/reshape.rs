//! New sides for the same numbers: Reshape and Flatten.

use super::super::call::Call;
use super::super::named::{Named, Side, text};
use super::super::read::{Reading, product};
use super::super::whole::Size;
use super::super::wire::SIDES;
use super::layout::{Held, Move};
use crate::InterchangeError;

type Result<T> = std::result::Result<T, InterchangeError>;

pub fn reshape<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let wanted = call.whole(reading, 1)?;
    if wanted.sides.len() != 1 || wanted.numbers.len() > SIDES {
        return call.refuse("its shape is not a list of some sides");
    }
    let copies = call.int("allowzero", 0)? == 0;
    if !copies && wanted.numbers.contains(&Size::known(0)) {
        return call.refuse("sides of 0 are not read");
    }
    let held = Held::of(reading, call, 0)?;
    let sides = held.sides();
    match reshaped(&sides, &wanted.numbers, reading.points) {
        Some(sides) => held.moved(reading, call, Move { sides, from: None }),
        None => {
            let wanted: Vec<String> = wanted.numbers.iter().map(|&size| said(size)).collect();
            call.refuse(format!(
                "{} does not become [{}] for a batch of any number of points",
                text(&sides),
                wanted.join(", ")
            ))
        }
    }
}

fn said(size: Size) -> String {
    match size {
        Size { batch: 0, rest } => rest.to_string(),
        Size { batch: 1, rest: 0 } => "batch".to_owned(),
        Size { batch, rest } => format!("{batch} batch + {rest}"),
    }
}

/// The sides that were asked for: 0 copies a side, one −1 takes what is left. A batch stays what it is: its side is
/// named, copied, taken by −1, or (where the file says how many points it has) counted.
fn reshaped(sides: &[Side], wanted: &[Size], points: Option<usize>) -> Option<Vec<Side>> {
    let numbers = product(&sides.iter().map(|side| side.numbers()).collect::<Vec<_>>())?;
    let batch = sides.iter().position(|&side| side == Side::Batch);
    // Numbers of a point stay together only where nothing but 1 stands before the batch.
    if sides[..batch.unwrap_or(0)].iter().any(|&side| side != Side::Of(1)) {
        return None;
    }
    let mut found: Vec<Option<Side>> = Vec::with_capacity(wanted.len());
    for (k, &size) in wanted.iter().enumerate() {
        found.push(match size {
            Size::BATCH => Some(Side::Batch),
            Size { batch: 0, rest: -1 } => None,
            Size { batch: 0, rest: 0 } => Some(*sides.get(k)?),
            Size { batch: 0, rest } => Some(Side::Of(usize::try_from(rest).ok()?)),
            _ => return None,
        });
    }
    let open: Vec<usize> = (0..found.len()).filter(|&k| found[k].is_none()).collect();
    let batches = found.iter().filter(|&&side| side == Some(Side::Batch)).count();
    let known = product(&found.iter().flatten().map(|side| side.numbers()).collect::<Vec<_>>())?;
    match (batch, batches, open.as_slice()) {
        (None, 0, &[open]) | (Some(_), 1, &[open]) => {
            found[open] = Some(Side::Of(numbers.checked_div(known)?));
        }
        (Some(_), 0, &[open]) if known == numbers => found[open] = Some(Side::Batch),
        (Some(_), 0, _) => {
            // A number of points, which the file knows.
            let first = found.iter().position(|&side| side != Some(Side::Of(1)))?;
            if found[first] != Some(Side::Of(points?)) {
                return None;
            }
            found[first] = Some(Side::Batch);
            if let &[open] = open.as_slice() {
                found[open] = Some(Side::Of(numbers.checked_div(known / points?)?));
            }
        }
        _ => {}
    }
    let found: Vec<Side> = found.into_iter().collect::<Option<_>>()?;
    let batches = found.iter().filter(|&&side| side == Side::Batch).count();
    let first = found.iter().position(|&side| side == Side::Batch).unwrap_or(0);
    let whole = found[..first].iter().all(|&side| side == Side::Of(1));
    let kept = product(&found.iter().map(|side| side.numbers()).collect::<Vec<_>>())?;
    let same = batches == usize::from(batch.is_some()) && whole && kept == numbers;
    same.then_some(found)
}

/// Two sides: those before an axis, and the rest.
pub fn flatten<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let held = Held::of(reading, call, 0)?;
    let sides = held.sides();
    let axis = call.int("axis", 1)?;
    // The axis after the last one is one too.
    let axis = if axis == sides.len() as i64 { sides.len() } else { call.axis(axis, sides.len())? };
    let (before, after) = sides.split_at(axis);
    let joined = |sides: &[Side]| match sides.iter().filter(|&&side| side != Side::Of(1)).count() {
        0 => Some(Side::Of(1)),
        1 if sides.contains(&Side::Batch) => Some(Side::Batch),
        _ if sides.contains(&Side::Batch) => None,
        _ => product(&sides.iter().map(|side| side.numbers()).collect::<Vec<_>>()).map(Side::Of),
    };
    match (joined(before), joined(after)) {
        (Some(before), Some(after)) => {
            held.moved(reading, call, Move { sides: vec![before, after], from: None })
        }
        _ => call.refuse(format!(
            "axis = {axis} of {} puts the points of a batch into one row",
            text(&sides)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const B: Side = Side::Batch;
    fn n(side: usize) -> Side {
        Side::Of(side)
    }
    fn k(size: i64) -> Size {
        Size::known(size)
    }

    #[test]
    fn a_batch_stays_a_batch() {
        let image = [B, n(4), n(3), n(2)];
        for (sides, wanted, expected) in [
            (&image[..], &[Size::BATCH, k(-1)][..], Some(&[B, n(24)][..])),
            (&image, &[k(0), k(-1)], Some(&[B, n(24)])),
            (&image, &[k(-1), k(24)], Some(&[B, n(24)])),
            (&image, &[k(0), k(4), k(6)], Some(&[B, n(4), n(6)])),
            (&image, &[k(0), k(0), k(-1)], Some(&[B, n(4), n(6)])),
            (&image, &[k(1), k(-1), k(24)], Some(&[n(1), B, n(24)])),
            (&image, &[k(1), k(-1)], None),
            (&image, &[k(-1), k(12)], None),
            (&image, &[k(2), k(-1)], None),
            (&image, &[k(24), Size::BATCH], None),
            (&image, &[Size { batch: 4, rest: 0 }, k(6)], None),
            (&image, &[k(-1), k(-1)], None),
            (&image, &[k(-1)], None),
            (&[n(4), B], &[k(-1), k(4)], None),
            (&[n(1), B, n(4)], &[k(-1), k(2), k(2)], Some(&[B, n(2), n(2)])),
            // Points that are alone.
            (&[n(1), n(4), n(3)], &[k(1), k(-1)], Some(&[n(1), n(12)])),
            (&[n(1), n(4), n(3)], &[k(2), k(-1)], Some(&[n(2), n(6)])),
            (&[n(1), n(4), n(3)], &[k(5), k(-1)], None),
            (&[n(6)], &[k(0), k(0)], None),
        ] {
            assert_eq!(reshaped(sides, wanted, None).as_deref(), expected, "{sides:?} {wanted:?}");
        }
        // A batch of two, as the file says.
        assert_eq!(reshaped(&image, &[k(2), k(-1)], Some(2)), Some(vec![B, n(24)]));
        assert_eq!(reshaped(&image, &[k(2), k(24)], Some(2)), Some(vec![B, n(24)]));
        assert_eq!(reshaped(&image, &[k(1), k(48)], Some(2)), None);
        assert_eq!(reshaped(&image, &[k(4), k(12)], Some(2)), None);
    }
}
