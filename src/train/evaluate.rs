//! Loss and accuracies of given outputs.

use shatter_device::cpu::outcome;
use shatter_exact::Element;
use shatter_prepare::Prepared;

use super::compile::Loss;
use super::outcome::{Measured, Tally};

/// Samples whose losses are summed up at a time: sums of sums keep their digits.
const BATCH: usize = 1024;

/// Returns loss and accuracies over a prepared sample, for the outputs at each of its points in their order (n × width
/// numbers). They equal those of a [`Trainer`](super::Trainer) that has the same outputs.
#[must_use]
pub fn measured<E: Element>(outputs: &[E], set: &Prepared<E>, loss: Loss) -> Measured {
    let n = set.labels.len();
    let width = outputs.len() / n.max(1);
    let mut tally = Tally::new(matches!(set.labels, shatter_sample::Labels::Real { .. }));
    for start in (0..n).step_by(BATCH) {
        let rows = start..(start + BATCH).min(n);
        let chosen: Vec<u32> = rows.clone().map(|row| row as u32).collect();
        let labels = set.labels.select(&chosen);
        let outputs = &outputs[rows.start * width..rows.end * width];
        let changed = set.changed.get(rows).unwrap_or_default();
        tally.add(&outcome(loss == Loss::Squared, outputs, &labels, changed));
    }
    tally.measured()
}
