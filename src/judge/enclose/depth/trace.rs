//! What is known at a point of every value: what an entry of a cotangent costs there.

use super::super::bounds::{gamma, up};
use super::super::{Enclosure, Evaluator};
use super::kinks::{self, Bent};
use super::prepared::{Back, Prepared};
use crate::runtime::Rounding;
use shatter_exact::Element;
use shatter_network::graph::{Operator, SlidingWindow};

/// What is known of a value, in the order of [`Layout`](super::layout::Layout).
pub struct Known<E> {
    /// At least what a unit of cotangent costs: what is rounded here, and what a bend leaves.
    pub charge: Vec<E>,
    /// At least what a runtime rounds where it holds the value, for readers into which nothing is folded;
    /// empty for nothing.
    pub local: Vec<E>,
    /// Slopes of a bent function.
    pub slopes: Vec<E>,
    /// Of every largest number, which it is of those that are read.
    pub winners: Vec<u32>,
    /// Every runtime holds these numbers.
    pub exact: bool,
}

impl<E> Known<E> {
    /// What a runtime rounds where it holds number `here`.
    pub fn local(&self, here: usize) -> f64
    where
        E: Element,
    {
        self.local.get(here).map_or(0.0, |&x| Element::to_f64(x))
    }

    fn of_exact(numbers: usize) -> Known<E>
    where
        E: Element,
    {
        Known {
            charge: vec![E::zero(); numbers],
            local: Vec::new(),
            slopes: Vec::new(),
            winners: Vec::new(),
            exact: true,
        }
    }
}

/// A number of the type that is at least x.
pub fn above<E: Element>(x: f64) -> E {
    if x == 0.0 {
        return E::zero();
    }
    E::of(x * (1.0 + 4.0 * Element::to_f64(E::epsilon()))) + E::min_positive_value()
}

/// The point itself.
pub fn point<E: Element>(prepared: &Prepared<E>, x: &Enclosure) -> Known<E> {
    let layout = &prepared.layouts[0];
    if x.runtime.is_empty() {
        return Known::of_exact(layout.len());
    }
    Known { charge: layout.reordered(&x.runtime, above), exact: false, ..Known::of_exact(0) }
}

/// Takes a step from values whose centres stand for what is exact: `runtime` is then what any runtime, and
/// real arithmetic, is off from the centre. `None` where nothing is known of a number.
pub fn step<E: Element>(
    prepared: &Prepared<E>,
    evaluator: &Evaluator,
    index: usize,
    values: &[Option<Enclosure>],
    known: &[Known<E>],
) -> Option<(Enclosure, Known<E>)> {
    let network = prepared.network;
    let step = &network.steps[index];
    let mut next = evaluator.step(index, step, values);
    // What binary64 rounds at this step alone, since what it reads has no radius.
    let own = std::mem::take(&mut next.radius);
    let exact_local = next.runtime.is_empty();
    if !own.is_empty() {
        let widen = |list: &mut Vec<f64>| {
            list.resize(own.len(), 0.0);
            list.iter_mut().zip(&own).for_each(|(x, own)| *x = up(*x + own, 1));
        };
        widen(&mut next.runtime);
        next.back.iter_mut().for_each(|chain| widen(&mut chain.base));
        next.forward.iter_mut().for_each(|chain| widen(&mut chain.base));
    }
    let finite = |list: &[f64]| list.iter().all(|x| x.is_finite());
    if !finite(&next.centre) || !finite(&next.runtime) {
        return None;
    }
    let layout = &prepared.layouts[index + 1];
    let local: Vec<f64> = match (&next.back, exact_local) {
        (Some(chain), false) => chain.rounded(evaluator.rounding),
        _ => Vec::new(),
    };
    if !finite(&local) {
        return None;
    }
    let mut made = Known::of_exact(0);
    made.exact = next.runtime.is_empty();
    made.local = layout.reordered(&local, above);
    // The cotangents of what is read are rounded; each of these errors meets what is off there.
    let relative = |value: usize| gamma(prepared.roundings[value], E::FORMAT.bits());
    let most = step.reads().map(relative).fold(0.0, f64::max);
    let off = |at: usize| next.runtime.get(at).copied().unwrap_or(0.0);
    let rounded = |at: usize| own.get(at).copied().unwrap_or(0.0);
    let numbers = next.centre.len();
    let mut charge = vec![0.0; numbers];
    match (&prepared.backs[index], &step.operation) {
        (Back::Cut, _) => (0..numbers).for_each(|at| charge[at] = off(at)),
        (Back::Point, operation) => {
            let x = values[step.on].as_ref()?;
            let held = Held { x, known: &known[step.on], most, rounding: evaluator.rounding };
            match operation {
                Operator::MaxPool(window) => {
                    let (winners, costs) = held.largest(prepared, index, window);
                    made.winners = winners;
                    charge = costs;
                }
                _ => {
                    let (slopes, costs) = held.bent(prepared, index);
                    made.slopes = slopes;
                    charge = costs;
                }
            }
            charge.iter_mut().enumerate().for_each(|(at, cost)| *cost = up(*cost + rounded(at), 1));
        }
        _ => (0..numbers).for_each(|at| charge[at] = up(rounded(at) + most * off(at), 2)),
    }
    made.charge = layout.reordered(&charge, above);
    Some((next, made))
}

/// A value that a bent step reads.
struct Held<'a, E> {
    x: &'a Enclosure,
    known: &'a Known<E>,
    /// The relative rounding of its cotangent.
    most: f64,
    rounding: Rounding,
}

impl<E: Element> Held<'_, E> {
    fn bent(&self, prepared: &Prepared<E>, index: usize) -> (Vec<E>, Vec<f64>) {
        let step = &prepared.network.steps[index];
        let (layout, numbers) = (&prepared.layouts[index + 1], self.x.centre.len());
        let area = numbers / step.shape.first().copied().unwrap_or(1).max(1);
        let mut slopes = vec![E::zero(); numbers];
        let mut costs = vec![0.0; numbers];
        // A slope other than 0 and 1 is multiplied by, which a runtime rounds.
        let relative = self.rounding.gamma(2);
        for (at, cost) in costs.iter_mut().enumerate() {
            let Some(bent) = Bent::of(&step.operation, at / area.max(1)) else { continue };
            let (centre, off) = (self.x.centre[at], self.x.runtime(at));
            let round = |slope: f64| Element::to_f64(E::of(slope));
            let (slope, rest) = bent.linearized(centre, off, round);
            let here = layout.here(at);
            let held = match bent {
                Bent::AtZero(slope) if slope != 0.0 && slope != 1.0 => {
                    let size = up(slope.abs().max(1.0) * (centre.abs() + off), 2);
                    up(relative * size, 1) + 2.0 * self.rounding.smallest()
                }
                _ => 0.0,
            };
            let local = up(slope.abs() * (self.known.local(here) + self.most * off), 3);
            slopes[here] = E::of(slope);
            // A number below the normal range may be taken for zero when it is read.
            let flushed = bent.steepest() * self.rounding.smallest();
            *cost = up(local + rest + held + flushed, 3);
        }
        (slopes, costs)
    }

    fn largest(
        &self,
        prepared: &Prepared<E>,
        index: usize,
        window: &SlidingWindow,
    ) -> (Vec<u32>, Vec<f64>) {
        let (from, to) =
            (&prepared.layouts[prepared.network.steps[index].on], &prepared.layouts[index + 1]);
        let mut winners = vec![0u32; to.len()];
        let mut costs = vec![0.0; to.len()];
        let (area, places) = (from.height * from.width, to.height * to.width);
        let mut read = vec![Vec::new(); places];
        window.each((from.height, from.width), |place, _, at| read[place].push(at));
        for at in 0..to.len() {
            let (channel, place) = (at / places, at % places);
            let numbers = read[place].iter().map(|k| channel * area + k);
            let (winner, rest) =
                kinks::largest(numbers.map(|k| (k, self.x.centre[k], self.x.runtime(k))));
            let here = from.here(winner);
            winners[to.here(at)] = here as u32;
            let local = self.known.local(here) + self.rounding.smallest();
            costs[at] = up(local + self.most * self.x.runtime(winner) + rest, 4);
        }
        (winners, costs)
    }
}
