//! Whether a network fits each point of a sample.
//!
//! Judged is the function that the network computes in real arithmetic, with the numbers of its file, on
//! the stated inputs: the numbers of the sample, rounded to the network's precision. Outputs say labels
//! in one of two ways ([`Reading`]); the *margin* of a point is positive where they say its label, and
//! the *rounding bound* is what any runtime of the network's precision may change of the margin.
//!
//! | verdict | meaning |
//! |---|---|
//! | exact | the outputs equal the target in real arithmetic, and margin > rounding bound; of real labels, nothing rounds |
//! | margin | margin > rounding bound: the label is said in real arithmetic and by every runtime |
//! | undecided | \|margin\| <= rounding bound, or nothing that small was shown |
//! | misfit | margin < −rounding bound: another label in real arithmetic and at every runtime |
//!
//! Enclosures decide first; where they leave the sign open, and everywhere if asked for, exact
//! arithmetic does.

use std::ops::Range;

use rayon::prelude::*;

use crate::interchange::InterchangeError;
use crate::interchange::number::Precision;
use crate::sample::{Labels, Points};

use super::enclose::Evaluator;
use super::exact::Exact;
pub use super::reading::Reading;
use super::{FeedForward, count};

/// What was found at a point. The margin in real arithmetic lies in low ..= high.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// At most the margin.
    pub low: f64,
    /// At least the margin.
    pub high: f64,
    /// What a runtime may change of it.
    pub rounding: f64,
    /// Whether the label is said in real arithmetic; `None` where that is open. A tie says nothing.
    pub fits: Option<bool>,
}

/// A verdict; see the table above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The outputs equal the target.
    Exact,
    /// The label is said, here and by every runtime.
    Margin,
    /// Not that, and not the contrary.
    Undecided,
    /// Another label is said, or (for real labels) another number.
    Misfit,
}

/// The most products of enclosures, points and all: hours on two cores.
const MOST_WORK: u64 = 1 << 44;
/// How much exact arithmetic there may be unasked, where enclosures leave a sign open; and asked.
const MOST_PRODUCTS: u64 = 1 << 32;
const MOST_ASKED: u64 = 1 << 38;
/// As many are done at all points without being asked.
const FEW_PRODUCTS: u64 = 1 << 24;
/// Numbers that a batch holds at once, each with its bounds; and those of all batches at work, which
/// is 2 GiB. Batches are the same whatever the number of threads, since a bound may depend on them.
const BATCH: usize = 1 << 18;
const ALL_BATCHES: usize = 1 << 25;

/// The points as a network of this precision takes them, rounded to binary64 and then to it: `rows` ×
/// coordinates.
pub fn inputs(points: &Points, precision: Precision, rows: std::ops::Range<usize>) -> Vec<f64> {
    let d = points.d();
    let number = |at: usize| {
        let x = points.f64_at(at / d, at % d);
        if precision == Precision::Single { f64::from(x as f32) } else { x }
    };
    (rows.start * d..rows.end * d).map(number).collect()
}

/// Judges every point.
///
/// # Errors
/// [`InterchangeError::Unsupported`] if the network takes points of another shape, or its outputs say
/// other labels; [`InterchangeError::TooMuchWork`].
pub fn judge(
    network: &FeedForward,
    points: &Points,
    labels: &Labels,
    everywhere_exact: bool,
) -> Result<(Reading, Vec<Judged>), InterchangeError> {
    let n = points.n();
    same_shape(&network.input, points.shape())?;
    let reading = Reading::of(network.outputs(), labels)?;
    bounded(network.products(), n, MOST_WORK, "products")?;
    let all_finite = |i| inputs(points, network.precision, i..i + 1).iter().all(|x| x.is_finite());
    if let Some(i) = (0..n).into_par_iter().position_first(|i| !all_finite(i)) {
        return Err(InterchangeError::Unsupported(format!(
            "point {i} has a number beyond {}, which the network takes",
            network.precision.name()
        )));
    }
    let mut exact = None;
    if everywhere_exact {
        let prepared = Exact::new(network).map_err(|reason| {
            InterchangeError::Unsupported(format!("it is not evaluated exactly: {reason}"))
        })?;
        bounded(prepared.work(), n, MOST_ASKED, "products of exact numbers")?;
        exact = Some(prepared);
    }
    let evaluator = Evaluator::new(network);
    let peak = network.peak().max(1);
    let batch = (BATCH / peak).clamp(1, 256);
    let starts: Vec<Range<usize>> =
        (0..n).step_by(batch).map(|start| start..(start + batch).min(n)).collect();
    let mut judged: Vec<Judged> = Vec::with_capacity(n);
    for turn in starts.chunks((ALL_BATCHES / (peak * batch)).max(1)) {
        let of_batch = |rows: &Range<usize>| {
            let size = rows.len();
            let outputs = evaluator.outputs(inputs(points, network.precision, rows.clone()), size);
            let width = outputs.centre.len() / size;
            let at = |k: usize| k * width..(k + 1) * width;
            let one = |k: usize| reading.enclosed(&outputs, at(k), labels, rows.start + k);
            (0..size).map(one).collect::<Vec<_>>()
        };
        judged.par_extend(turn.par_iter().flat_map_iter(of_batch));
    }
    drop(evaluator);
    let few = |exact: &Exact| exact.work().saturating_mul(n as u64) <= FEW_PRODUCTS;
    let some_open = judged.iter().any(Judged::is_open);
    // Small networks are worth it everywhere: enclosures leave out what equals its target.
    let exact = match exact {
        Some(exact) => Some(exact),
        None if some_open || network.products().saturating_mul(n as u64) <= FEW_PRODUCTS => {
            Exact::new(network).ok()
        }
        None => None,
    };
    let Some(exact) = exact else { return Ok((reading, judged)) };
    let all = everywhere_exact || few(&exact);
    let affordable = if all { n } else { (MOST_PRODUCTS / exact.work().max(1)) as usize };
    let open: Vec<usize> =
        (0..n).filter(|&i| all || judged[i].is_open()).take(affordable).collect();
    for turn in open.chunks(exact.at_once()) {
        let of_point = |&i: &usize| {
            let outputs = exact.outputs(&inputs(points, network.precision, i..i + 1));
            (i, reading.exactly(&outputs, labels, i, judged[i].rounding))
        };
        let decided: Vec<(usize, Judged)> = turn.par_iter().map(of_point).collect();
        decided.into_iter().for_each(|(i, one)| judged[i] = one);
    }
    Ok((reading, judged))
}

/// Refuses points of another shape than the network takes. Sides of 1 say nothing; a network of
/// vectors takes the numbers of any array in their order.
fn same_shape(takes: &[usize], points: &[usize]) -> Result<(), InterchangeError> {
    let wide = |shape: &[usize]| -> Vec<usize> {
        shape.iter().copied().filter(|&side| side != 1).collect()
    };
    let (wanted, there) = (wide(takes), wide(points));
    if wanted == there || (wanted.len() < 2 && count(takes) == count(points)) {
        return Ok(());
    }
    Err(InterchangeError::Unsupported(format!(
        "the network takes points of shape {}, the sample's are {}",
        sides(takes),
        sides(points)
    )))
}

/// A shape as text.
pub fn sides(shape: &[usize]) -> String {
    let sides: Vec<String> = shape.iter().map(usize::to_string).collect();
    if sides.is_empty() { "1".to_owned() } else { sides.join("×") }
}

fn bounded(work: u64, n: usize, most: u64, what: &'static str) -> Result<(), InterchangeError> {
    let all = work.saturating_mul(n as u64);
    if all > most {
        return Err(InterchangeError::TooMuchWork { work: all, most, n, what });
    }
    Ok(())
}

impl Judged {
    /// The margin lies in low ..= high; `equal` if the outputs are the target.
    pub(super) fn of_margin(equal: bool, (low, high): (f64, f64), rounding: f64) -> Judged {
        // Comparisons with what is no number decide nothing.
        let verdict = if equal && low > rounding {
            Verdict::Exact
        } else if low > rounding {
            Verdict::Margin
        } else if high < -rounding {
            Verdict::Misfit
        } else {
            Verdict::Undecided
        };
        let fits = if equal || low > 0.0 { Some(true) } else { (high <= 0.0).then_some(false) };
        Judged { verdict, low, high, rounding, fits }
    }

    /// Real labels have no margin: the outputs equal them, or not, or that is open.
    pub(super) fn of_numbers(fits: Option<bool>, rounding: f64) -> Judged {
        let (verdict, high) = match fits {
            Some(true) if rounding == 0.0 => (Verdict::Exact, f64::INFINITY),
            Some(false) => (Verdict::Misfit, 0.0),
            _ => (Verdict::Undecided, f64::INFINITY),
        };
        Judged { verdict, low: f64::NEG_INFINITY, high, rounding, fits }
    }

    /// Whether the sign of the margin is open, in real arithmetic.
    fn is_open(&self) -> bool {
        self.fits.is_none()
    }

    /// Margin and rounding bound as a certificate says them: shorter numbers that claim less, so that
    /// equal claims do not hang on the last bit.
    pub fn claimed(&self) -> Judged {
        Judged {
            low: shorter(self.low, false),
            high: shorter(self.high, true),
            rounding: shorter(self.rounding, true),
            ..*self
        }
    }
}

/// x with 16 bits of its mantissa, rounded up or down.
fn shorter(x: f64, up: bool) -> f64 {
    if !x.is_finite() || x == 0.0 {
        return x;
    }
    let cut = f64::from_bits(x.to_bits() & !((1 << 37) - 1));
    if cut == x || (x < 0.0) == up {
        return cut; // towards 0
    }
    f64::from_bits(cut.to_bits() + (1 << 37))
}
