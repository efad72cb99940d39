//! Activations that are written as several nodes, as [`construction`](super::construction) writes them.
//!
//! Comparisons and their like have no meaning in a network but as parts of these. They are kept as parts until one
//! of them is whole:
//!
//! | activation of t | nodes |
//! |---|---|
//! | threshold | Cast(Greater(t, 0)) |
//! | reciprocal | Where(z, 0, Div(1, Where(z, 1, t))), z = Equal(t, 0) |
//! | softsign | Div(t, Add(Abs(t), 1)) |
//! | sine's sign | Cast(And(Greater(t, f), Equal(h, Floor(h)))), f = Floor(t), h = f/2 |
//!
//! Squares are Mul(t, t), wherever they stand.

use super::call::Call;
use super::named::{Named, Numbers, Value};
use super::operator::pointwise::activated;
use super::read::Reading;
use crate::InterchangeError;
use shatter_network::Activation;
use shatter_network::graph::{Operator, Step};

type Result<T> = std::result::Result<T, InterchangeError>;

/// A part of an activation of a value t.
#[derive(Clone)]
pub struct Part {
    of: Value,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// t > 0.
    Positive,
    /// t = 0.
    Zero,
    /// t, and 1 where it is 0.
    NonZero,
    /// 1 by that.
    Inverse,
    /// The whole number below t.
    Floor,
    /// Whether t is above it.
    Inside,
    /// Half of the whole number below t.
    Half,
    /// The whole number below that.
    HalfDown,
    /// Whether both are equal: the whole number below t is even.
    Even,
    /// Whether t is above an even number, and below the next odd one: sin(πt) > 0.
    Sine,
}

impl Part {
    /// What it is, as errors say it.
    pub fn text(&self) -> &'static str {
        match self.kind {
            Kind::Positive | Kind::Zero | Kind::Inside | Kind::Even | Kind::Sine => {
                "a comparison, which is read as a part of an activation alone"
            }
            Kind::NonZero | Kind::Inverse => {
                "a part of a reciprocal, which is read as a whole alone"
            }
            Kind::Floor | Kind::Half | Kind::HalfDown => {
                "rounded down to whole numbers, which is read as a part of a sine's sign alone"
            }
        }
    }
}

fn part<'a>(of: &Value, kind: Kind) -> Result<Option<Named<'a>>> {
    Ok(Some(Named::Part(Part { of: of.clone(), kind })))
}

/// Whether a constant is this one number.
fn is(named: &Named, x: f64, reading: &Reading) -> bool {
    let typed = |numbers: &Numbers| numbers.data_type == reading.data_type();
    matches!(named, Named::Numbers(numbers)
        if typed(numbers) && numbers.values[..] == [x] && numbers.sides.len() <= 1)
}

/// A part, or an activation, that an operator of two inputs makes; `None` if it makes neither.
pub fn binary<'a>(
    reading: &mut Reading<'a>,
    call: &Call<'_, 'a>,
    left: &Named<'a>,
    right: &Named<'a>,
) -> Result<Option<Named<'a>>> {
    let zero = |named: &Named| is(named, 0.0, reading);
    match (call.node.operator, left, right) {
        ("Greater", Named::Value(t), other) if zero(other) => part(t, Kind::Positive),
        ("Less", other, Named::Value(t)) if zero(other) => part(t, Kind::Positive),
        ("Equal", Named::Value(t), other) | ("Equal", other, Named::Value(t)) if zero(other) => {
            part(t, Kind::Zero)
        }
        ("Greater", Named::Value(t), Named::Part(floor)) if floor.is(Kind::Floor, t) => {
            part(t, Kind::Inside)
        }
        ("Mul", Named::Part(floor), half) | ("Mul", half, Named::Part(floor))
            if floor.kind == Kind::Floor && is(half, 0.5, reading) =>
        {
            part(&floor.of, Kind::Half)
        }
        ("Div", Named::Part(floor), two) if floor.kind == Kind::Floor && is(two, 2.0, reading) => {
            part(&floor.of, Kind::Half)
        }
        ("Equal", Named::Part(x), Named::Part(y))
            if x.is(Kind::Half, &y.of) && y.kind == Kind::HalfDown
                || x.is(Kind::HalfDown, &y.of) && y.kind == Kind::Half =>
        {
            part(&x.of, Kind::Even)
        }
        ("And", Named::Part(x), Named::Part(y))
            if x.is(Kind::Inside, &y.of) && y.kind == Kind::Even
                || x.is(Kind::Even, &y.of) && y.kind == Kind::Inside =>
        {
            part(&x.of, Kind::Sine)
        }
        ("Div", one, Named::Part(nonzero))
            if nonzero.kind == Kind::NonZero && is(one, 1.0, reading) =>
        {
            part(&nonzero.of, Kind::Inverse)
        }
        ("Div", Named::Value(t), Named::Value(below)) if is_size_and_one(reading, t, below) => {
            let t = call.hard(t.clone())?;
            activated(reading, t, Activation::Softsign).map(Some)
        }
        ("Greater" | "Less" | "GreaterOrEqual" | "LessOrEqual" | "Equal" | "And", ..) => call
            .refuse(
                "comparisons are read as parts of thresholds, reciprocals and a sine's sign alone",
            ),
        (_, Named::Part(part), _) | (_, _, Named::Part(part)) => {
            call.refuse(format!("one of its inputs is {}", part.text()))
        }
        _ => Ok(None),
    }
}

impl Part {
    fn is(&self, kind: Kind, of: &Value) -> bool {
        self.kind == kind && self.of == *of
    }
}

/// Whether a value is 1 + |t|.
fn is_size_and_one(reading: &Reading, t: &Value, below: &Value) -> bool {
    let step = |at: usize| at.checked_sub(1).and_then(|step| reading.steps.get(step));
    let Some(Step { operation: Operator::Shift { negated: false, from, by }, on, .. }) =
        step(below.at)
    else {
        return false;
    };
    let Some(Step { operation: Operator::Leaky(slopes), on: of, .. }) = step(*on) else {
        return false;
    };
    let ones = by.iter().all(|&c| c == 1.0) && from.iter().zip(0..).all(|(&at, k)| at == k);
    ones && slopes[..] == [-1.0] && *of == t.at && below.sides == t.sides
}

/// Where(z, x, y).
pub fn choice<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let all = [call.input(reading, 0)?, call.input(reading, 1)?, call.input(reading, 2)?];
    match &all {
        [Named::Part(zero), one, Named::Value(t)]
            if zero.is(Kind::Zero, t) && is(one, 1.0, reading) =>
        {
            Ok(Named::Part(Part { of: t.clone(), kind: Kind::NonZero }))
        }
        [Named::Part(zero), none, Named::Part(inverse)]
            if zero.is(Kind::Zero, &inverse.of)
                && inverse.kind == Kind::Inverse
                && is(none, 0.0, reading) =>
        {
            let t = call.hard(zero.of.clone())?;
            activated(reading, t, Activation::Reciprocal)
        }
        _ => call.refuse("choices are read as parts of reciprocals, with 0 at 0, alone"),
    }
}

/// The whole number below.
pub fn floor<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    match call.input(reading, 0)? {
        Named::Value(t) => Ok(Named::Part(Part { of: t, kind: Kind::Floor })),
        Named::Part(Part { of, kind: Kind::Half }) => {
            Ok(Named::Part(Part { of, kind: Kind::HalfDown }))
        }
        _ => call.refuse("it is read as a part of a sine's sign alone"),
    }
}

/// A comparison as numbers 0 and 1.
pub fn cast<'a>(
    reading: &mut Reading<'a>,
    call: &Call<'_, 'a>,
    part: Part,
    to: i64,
) -> Result<Named<'a>> {
    let activation = match part.kind {
        Kind::Positive => Activation::Threshold,
        Kind::Sine => Activation::Sine,
        _ => return call.refuse(format!("its input is {}", part.text())),
    };
    if to != reading.data_type() {
        return call.refuse("it makes numbers of another type than the network's");
    }
    let t = call.hard(part.of)?;
    activated(reading, t, activation)
}
