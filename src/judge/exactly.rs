//! Points that are decided in exact arithmetic: asked for, or unasked.
//!
//! Unasked, no more is done than takes seconds and some memory; what that leaves open is undecided. Asked, by
//! `--exact` or by a certificate whose claims do not follow otherwise, hours and [`ASKED_BYTES`] are the
//! most, and what takes more is refused.

use rayon::prelude::*;

use shatter_exact::format::common_grain;
use shatter_network::Graph;
use shatter_network::exactly::{EvaluationPlan, ExactEvaluator};
use shatter_network::reading::BoundLabels;
use shatter_sample::Points;

use super::JudgeError;
use super::reading::exactly;
use super::verdict::{Judged, bounded, inputs};

/// The most work of all points, asked for; and unasked, at the points whose sign enclosures leave open.
pub const ASKED_WORK: u64 = 1 << 38;
/// See [`ASKED_WORK`].
pub const UNASKED_WORK: u64 = 1 << 26;
/// As much is done unasked at all points: enclosures leave out what equals its target.
const FEW: u64 = 1 << 24;
/// The most bytes that numbers take at once, asked for, and unasked.
pub const ASKED_BYTES: u64 = 1 << 30;
/// See [`ASKED_BYTES`].
pub const UNASKED_BYTES: u64 = 1 << 27;
/// The most points that are evaluated side by side.
const MOST_AT_ONCE: usize = 64;

/// A network with the points that it is to decide.
pub struct Exactly<'a> {
    exact: ExactEvaluator<'a>,
    points: &'a Points,
    said: &'a BoundLabels,
    /// Bytes that may be taken at once.
    most: u64,
}

impl std::fmt::Debug for Exactly<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exactly")
            .field("exact", &self.exact)
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}

impl<'a> Exactly<'a> {
    /// Prepares exact evaluation that was asked for, at `n` of the points.
    ///
    /// # Errors
    /// [`JudgeError::Inexact`], [`JudgeError::TooMuchWork`].
    pub fn asked(
        network: &'a Graph,
        points: &'a Points,
        said: &'a BoundLabels,
        n: usize,
    ) -> Result<Exactly<'a>, JudgeError> {
        let plan = EvaluationPlan::of(network)?;
        bounded(plan.work, n, ASKED_WORK, "products of exact numbers")?;
        let exact = ExactEvaluator::planned(network, plan, ASKED_BYTES)?;
        Ok(Exactly { exact, points, said, most: ASKED_BYTES })
    }

    /// Unasked: with the points that are worth it, and affordable; `None` if there are none.
    pub fn unasked(
        network: &'a Graph,
        points: &'a Points,
        said: &'a BoundLabels,
        judged: &[Judged],
    ) -> Option<(Exactly<'a>, Vec<usize>)> {
        let n = judged.len();
        let little = |work: u64| work.saturating_mul(n as u64) <= FEW;
        if !little(network.products()) && !judged.iter().any(Judged::is_open) {
            return None;
        }
        let plan = EvaluationPlan::of(network).ok()?;
        let all = little(plan.work);
        let affordable = if all { n } else { (UNASKED_WORK / plan.work.max(1)) as usize };
        let which: Vec<usize> =
            (0..n).filter(|&i| all || judged[i].is_open()).take(affordable).collect();
        if which.is_empty() {
            return None;
        }
        let exact = ExactEvaluator::planned(network, plan, UNASKED_BYTES).ok()?;
        Some((Exactly { exact, points, said, most: UNASKED_BYTES }, which))
    }

    /// Decides these points: what is held of them takes its place.
    pub fn decide(&self, which: &[usize], judged: &mut [Judged]) {
        let precision = self.exact.network().precision;
        // On the grid of all of them the weights are made once.
        let row = |&i: &usize| common_grain(&inputs(self.points, precision, i..i + 1));
        let grain = which.par_iter().map(row).min().unwrap_or(0).min(0);
        if self.exact.prepare(grain).is_err() {
            return;
        }
        for turn in which.chunks(self.exact.plan.at_once(self.most)) {
            // Blocks that keep all threads busy; points do not depend on one another.
            let block =
                turn.len().div_ceil(4 * rayon::current_num_threads()).clamp(1, MOST_AT_ONCE);
            let of_block = |points: &[usize]| {
                let numbers: Vec<f64> =
                    points.iter().flat_map(|&i| inputs(self.points, precision, i..i + 1)).collect();
                let outputs = self.exact.all(&numbers);
                let decided = points
                    .iter()
                    .zip(outputs)
                    .map(|(&i, outputs)| (i, exactly(self.said, &outputs, i, judged[i].rounding)));
                decided.collect::<Vec<_>>()
            };
            let decided: Vec<(usize, Judged)> =
                turn.par_chunks(block).flat_map_iter(of_block).collect();
            decided.into_iter().for_each(|(i, one)| judged[i] = one);
        }
    }
}
