//! Which numbers of a value are bounded by walks, and in which batches.
//!
//! What is off at the numbers that a bent function reads says which of them may be on either side of a kink.
//! Bounds step by step ([`trace`](super::trace)) are cheap, and grow by the size of weights at each
//! product; a walk back to the point for each number grows with nothing, and costs as much as an
//! evaluation. So numbers that are clear of all kinks by the cheap bound are left alone, unless bounds have
//! grown so much that the steps to come would find nothing clear.

use super::super::Enclosure;
use super::super::bounds::up;
use super::kinks::{Bent, reach};
use super::layout::{Layout, Rect};
use super::prepared::Prepared;
use super::trace::Known;
use super::walk::{self, Functional};
use shatter_exact::Element;
use shatter_network::graph::{Operator, SlidingWindow};

/// Numbers of a batch, and entries of all cotangents of one.
const BATCH: usize = 64;
const ENTRIES: usize = 1 << 22;
/// Cheap bounds that leave no more than this share of what runtimes round at the value itself are kept.
const ENOUGH: f64 = 4.0;
/// Where walks find bounds smaller by this factor, all numbers are walked from.
const LOOSE: f64 = 16.0;

/// Products that may yet be taken.
pub struct Budget {
    pub left: u64,
}

impl Budget {
    pub fn take(&mut self, products: u64) -> Option<()> {
        self.left = self.left.checked_sub(products)?;
        Some(())
    }
}

/// Functionals that are walked from at once.
pub fn batch<E: Element>(prepared: &Prepared<E>) -> usize {
    (ENTRIES / prepared.network.peak().max(1)).clamp(4, BATCH)
}

/// Tightens what is off at the numbers of a value that a step bends. `None` if the budget does not suffice.
pub fn refine<E: Element>(
    prepared: &Prepared<E>,
    known: &[Known<E>],
    (value, index): (usize, usize),
    x: &mut Enclosure,
    floor: f64,
    budget: &mut Budget,
) -> Option<()> {
    if x.runtime.is_empty() {
        return Some(());
    }
    let layout = &prepared.layouts[value];
    let near = near(prepared, index, layout, x);
    let suspects: Vec<usize> = (0..near.len()).filter(|&at| near[at] > 0.0).collect();
    let left: f64 = suspects.iter().map(|&at| near[at]).sum();
    let local: f64 = known[value].local.iter().map(|&x| Element::to_f64(x)).sum();
    if suspects.is_empty() || left <= ENOUGH * local {
        return Some(());
    }
    let before: f64 = suspects.iter().map(|&at| x.runtime[at]).sum();
    walked(prepared, known, value, suspects.clone(), x, floor, budget)?;
    let after: f64 = suspects.iter().map(|&at| x.runtime[at]).sum();
    if before > LOOSE * after {
        let others = (0..near.len()).filter(|&at| near[at] <= 0.0).collect();
        walked(prepared, known, value, others, x, floor, budget)?;
    }
    Some(())
}

/// Of every number, how much the cheap bound leaves open; 0 where no kink is near.
fn near<E: Element>(
    prepared: &Prepared<E>,
    index: usize,
    layout: &Layout,
    x: &Enclosure,
) -> Vec<f64> {
    let step = &prepared.network.steps[index];
    let numbers = x.centre.len();
    if let Operator::MaxPool(window) = &step.operation {
        return contested(layout, window, x);
    }
    let area = (numbers / step.shape.first().copied().unwrap_or(1).max(1)).max(1);
    let open = |at: usize| {
        let (centre, off) = (x.centre[at], x.runtime[at]);
        let bent = Bent::of(&step.operation, at / area);
        bent.filter(|bent| bent.is_near(centre, off))
            .map_or(0.0, |bent| bent.linearized(centre, off, |s| s).1)
    };
    (0..numbers).map(open).collect()
}

/// Numbers that may be the largest of a window beside another.
fn contested(layout: &Layout, window: &SlidingWindow, x: &Enclosure) -> Vec<f64> {
    let mut near = vec![0.0f64; x.centre.len()];
    let area = layout.height * layout.width;
    let places =
        window.places(layout.height, layout.width).map_or(0, |(rows, columns)| rows * columns);
    let mut read = vec![Vec::new(); places];
    window.each((layout.height, layout.width), |place, _, at| read[place].push(at));
    for start in (0..layout.channels).map(|channel| channel * area) {
        for list in &read {
            let of = |k: usize| (x.centre[start + k], x.runtime[start + k]);
            let winner = list.iter().copied().max_by(|&a, &b| of(a).0.total_cmp(&of(b).0));
            let Some(winner) = winner else { continue };
            for &other in list.iter().filter(|&&other| other != winner) {
                let over = reach(of(winner), of(other));
                if over > f64::MIN_POSITIVE {
                    near[start + other] = near[start + other].max(over);
                    near[start + winner] = near[start + winner].max(over);
                }
            }
        }
    }
    near
}

/// Walks back from these numbers, batch by batch.
fn walked<E: Element>(
    prepared: &Prepared<E>,
    known: &[Known<E>],
    value: usize,
    mut numbers: Vec<usize>,
    x: &mut Enclosure,
    floor: f64,
    budget: &mut Budget,
) -> Option<()> {
    let layout = &prepared.layouts[value];
    let most = batch(prepared);
    // Tiles of as many pixels as make a batch with all their channels.
    let side = ((most as f64 / layout.channels as f64).sqrt().ceil() as usize).max(1);
    let tile = |plain: usize| {
        let (row, column, channel) = layout.position(plain);
        (row / side, column / side, row, column, channel)
    };
    numbers.sort_unstable_by_key(|&plain| tile(plain));
    let mut rest = &numbers[..];
    while !rest.is_empty() {
        let band = tile(rest[0]).0;
        let many = rest.iter().take(most).take_while(|&&plain| tile(plain).0 == band).count();
        let (batch, others) = rest.split_at(many.max(1));
        rest = others;
        let pixels = batch.iter().map(|&plain| {
            let (row, column, _) = layout.position(plain);
            Rect::pixel((row, column))
        });
        let rect = pixels.reduce(|all, one| all.with(&one))?;
        let (rects, products) = walk::plan(prepared, known, value, rect);
        budget.take(products.saturating_mul(batch.len() as u64))?;
        let functionals: Vec<Functional> = batch.iter().map(|&plain| vec![(plain, 1.0)]).collect();
        let costs = walk::costs(prepared, known, rects, value, &functionals);
        for (&plain, cost) in batch.iter().zip(costs) {
            let local = known[value].local(layout.here(plain));
            let bound = up(cost + local + floor, 3);
            // Not where the walk found no number.
            if bound < x.runtime[plain] {
                x.runtime[plain] = bound;
            }
        }
    }
    Some(())
}
