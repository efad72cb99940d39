//! Whether a network fits each point of a sample.
//!
//! Judged is the function that the network computes in real arithmetic, with the numbers of its file, on
//! the stated inputs: the numbers of the sample, rounded to the network's precision. Outputs say labels
//! in one of two ways ([`Reading`]); the *margin* of a point is positive where they say its label, and
//! the *rounding bound* is what any runtime of the network's precision may change of the margin.
//!
//! | verdict | meaning |
//! |---|---|
//! | exact | the outputs equal the target in real arithmetic |
//! | margin | margin > rounding bound: the label is said in real arithmetic and by every runtime |
//! | undecided | \|margin\| <= rounding bound, or nothing that small was shown |
//! | misfit | margin < −rounding bound: another label in real arithmetic and at every runtime |
//!
//! Enclosures decide first; where they leave the sign open, and everywhere if asked for, exact
//! arithmetic does.

use rayon::prelude::*;

use crate::exact::{Dyadic, Rational};
use crate::interchange::InterchangeError;
use crate::interchange::number::Precision;
use crate::sample::{Labels, Points};

use super::enclose::{Enclosure, Evaluator};
use super::exact::Exact;
use super::{FeedForward, count};

/// How outputs say a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The largest of one output a class; the margin is what it is above all others.
    Largest,
    /// One output, which is the label, or nearest to its number among whole numbers: the margin is
    /// 1/2 − |output − label|, and for real labels there is none.
    Value,
}

impl Reading {
    /// Its name in certificates.
    pub fn name(self) -> &'static str {
        match self {
            Reading::Largest => "largest",
            Reading::Value => "value",
        }
    }

    /// The reading of `outputs` outputs for such labels.
    ///
    /// # Errors
    /// [`InterchangeError::Unsupported`] where there is none.
    pub fn of(outputs: usize, labels: &Labels) -> Result<Reading, InterchangeError> {
        match labels {
            Labels::Classes { count, .. } if outputs == *count as usize && outputs > 1 => {
                Ok(Reading::Largest)
            }
            Labels::Classes { .. } if outputs == 1 => Ok(Reading::Value),
            Labels::Real { outputs: wanted, .. } if outputs == *wanted => Ok(Reading::Value),
            Labels::Classes { count, .. } => Err(InterchangeError::Unsupported(format!(
                "the network has {outputs} outputs, and labels of {count} classes take {count} or 1"
            ))),
            Labels::Real { outputs: wanted, .. } => Err(InterchangeError::Unsupported(format!(
                "the network has {outputs} outputs, and the labels {wanted} numbers"
            ))),
        }
    }
}

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

/// How much exact arithmetic there may be: products of big integers where enclosures leave a sign open.
const MOST_PRODUCTS: u64 = 1 << 32;
/// As many are done at all points without being asked.
const FEW_PRODUCTS: u64 = 1 << 24;
/// Numbers that a batch holds at once, each with two bounds.
const BATCH: usize = 1 << 21;

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
/// [`InterchangeError::Unsupported`] if the network takes other points, or its outputs say other labels.
pub fn judge(
    network: &FeedForward,
    points: &Points,
    labels: &Labels,
    everywhere_exact: bool,
) -> Result<(Reading, Vec<Judged>), InterchangeError> {
    let d = count(&network.input);
    if d != points.d() {
        return Err(InterchangeError::Unsupported(format!(
            "the network takes {d} numbers, the points have {}",
            points.d()
        )));
    }
    let all_finite =
        |i: usize| inputs(points, network.precision, i..i + 1).iter().all(|x| x.is_finite());
    if let Some(i) = (0..points.n()).into_par_iter().position_first(|i| !all_finite(i)) {
        return Err(InterchangeError::Unsupported(format!(
            "point {i} has a number beyond {}, which the network takes",
            network.precision.name()
        )));
    }
    let reading = Reading::of(network.outputs(), labels)?;
    let evaluator = Evaluator::new(network);
    let exact = Exact::new(network);
    let products = network.products().saturating_mul(1 + network.steps.len() as u64 / 64);
    let all = products.saturating_mul(points.n() as u64) <= FEW_PRODUCTS || everywhere_exact;
    if let (true, Err(reason)) = (everywhere_exact, &exact) {
        let reason = format!("it is not evaluated exactly: {reason}");
        return Err(InterchangeError::Unsupported(reason));
    }
    let batch = (BATCH / network.peak().max(1)).clamp(1, 256);
    let starts: Vec<usize> = (0..points.n()).step_by(batch).collect();
    let mut judged: Vec<Judged> = starts
        .into_par_iter()
        .flat_map_iter(|start| {
            let rows = start..(start + batch).min(points.n());
            let size = rows.len();
            let outputs = evaluator.outputs(inputs(points, network.precision, rows), size);
            let width = outputs.centre.len() / size;
            let one = |k: usize| {
                enclosed(reading, &outputs, k * width..(k + 1) * width, labels, start + k)
            };
            (0..size).map(one).collect::<Vec<_>>()
        })
        .collect();
    let Ok(exact) = exact else { return Ok((reading, judged)) };
    let open: Vec<usize> = (0..points.n()).filter(|&i| all || judged[i].is_open()).collect();
    let affordable =
        if everywhere_exact { usize::MAX } else { (MOST_PRODUCTS / products.max(1)) as usize };
    let decided: Vec<(usize, Judged)> = open
        .into_par_iter()
        .take(affordable)
        .map(|i| {
            let outputs = exact.outputs(&inputs(points, network.precision, i..i + 1));
            (i, exactly(reading, &outputs, labels, i, judged[i].rounding))
        })
        .collect();
    decided.into_iter().for_each(|(i, one)| judged[i] = one);
    Ok((reading, judged))
}

impl Judged {
    fn new(equal: bool, differs: bool, low: f64, high: f64, rounding: f64) -> Judged {
        // Comparisons with what is no number decide nothing.
        let verdict = if equal {
            Verdict::Exact
        } else if low > rounding {
            Verdict::Margin
        } else if differs || high < -rounding {
            Verdict::Misfit
        } else {
            Verdict::Undecided
        };
        Judged { verdict, low, high, rounding }
    }

    /// Whether the sign of the margin is open, in real arithmetic.
    fn is_open(&self) -> bool {
        match self.verdict {
            Verdict::Undecided => !(self.low > 0.0 || self.high <= 0.0),
            _ => false,
        }
    }

    /// Whether the label is said in real arithmetic; `None` where that is open. A tie says nothing.
    pub fn fits(&self) -> Option<bool> {
        match self.verdict {
            Verdict::Exact | Verdict::Margin => Some(true),
            Verdict::Misfit => Some(false),
            Verdict::Undecided if self.low > 0.0 => Some(true),
            Verdict::Undecided if self.high <= 0.0 => Some(false),
            Verdict::Undecided => None,
        }
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

fn class(labels: &Labels, i: usize) -> usize {
    match labels {
        Labels::Classes { of, .. } => of[i] as usize,
        Labels::Real { .. } => 0,
    }
}

/// The judgement of outputs that are enclosed.
fn enclosed(
    reading: Reading,
    outputs: &Enclosure,
    at: std::ops::Range<usize>,
    labels: &Labels,
    i: usize,
) -> Judged {
    // Each operation once rounded outwards.
    let low = |at: usize| (outputs.centre[at] - outputs.radius(at)).next_down();
    let high = |at: usize| (outputs.centre[at] + outputs.radius(at)).next_up();
    let known = outputs.radius.is_empty();
    match (reading, labels) {
        (Reading::Largest, _) => {
            let own = class(labels, i);
            let label = at.start + own;
            let mut judged = (f64::INFINITY, f64::INFINITY, 0.0f64);
            for other in at.clone().filter(|&other| other != label) {
                judged.0 = least(judged.0, (low(label) - high(other)).next_down());
                judged.1 = least(judged.1, (high(label) - low(other)).next_up());
                let both = (outputs.runtime(label) + outputs.runtime(other)).next_up();
                judged.2 = if both > judged.2 || both.is_nan() { both } else { judged.2 };
            }
            let target = |at: usize| if at == label { 1.0 } else { 0.0 };
            let equal = known && at.clone().all(|at| outputs.centre[at] == target(at));
            Judged::new(equal, false, judged.0, judged.1, judged.2)
        }
        (Reading::Value, Labels::Classes { .. }) => {
            let y = labels.f64_at(i);
            let off = |x: f64| x - y;
            let (below, above) = (off(low(at.start)).next_down(), off(high(at.start)).next_up());
            // 1/2 − |f − y|
            let farthest = below.abs().max(above.abs());
            let nearest =
                if below <= 0.0 && above >= 0.0 { 0.0 } else { below.abs().min(above.abs()) };
            let (low, high) = ((0.5 - farthest).next_down(), (0.5 - nearest).next_up());
            let equal = known && outputs.centre[at.start] == y;
            Judged::new(equal, false, low, high, outputs.runtime(at.start))
        }
        (Reading::Value, Labels::Real { values, outputs: width }) => {
            let y = &values[i * width..(i + 1) * width];
            let equal = known && at.clone().zip(y).all(|(at, y)| outputs.centre[at] == *y);
            let apart = |(at, &y): (usize, &f64)| low(at) > y || high(at) < y;
            let differs = at.clone().zip(y).any(apart);
            let runtime = at.map(|at| outputs.runtime(at)).fold(0.0, f64::max);
            Judged::new(equal, differs, f64::NEG_INFINITY, 0.0, runtime)
        }
    }
}

fn least(x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() { f64::NAN } else { x.min(y) }
}

/// The judgement of outputs that are known, with the rounding bound of before.
fn exactly(
    reading: Reading,
    outputs: &[Rational],
    labels: &Labels,
    i: usize,
    rounding: f64,
) -> Judged {
    let (margin, equal) = match (reading, labels) {
        (Reading::Largest, _) => {
            let own = class(labels, i);
            let others = outputs.iter().enumerate().filter(|(k, _)| *k != own).map(|(_, x)| x);
            let margin = others.clone().max().map(|largest| &outputs[own] - largest);
            let one_hot = outputs[own] == Rational::ONE && others.clone().all(Rational::is_zero);
            (margin, one_hot)
        }
        (Reading::Value, Labels::Classes { .. }) => {
            let error = &outputs[0] - labels.exact_at(i).to_rational();
            let size = if error < Rational::ZERO { -error } else { error };
            let half = Rational::from_parts(1.into(), 2u8.into());
            (Some(half - &size), size.is_zero())
        }
        (Reading::Value, Labels::Real { .. }) => {
            let row = labels.exact_row(i);
            let equal = outputs.iter().zip(&row).all(|(x, y)| *x == y.to_rational());
            let differs = !equal;
            return Judged::new(equal, differs, f64::NEG_INFINITY, 0.0, rounding);
        }
    };
    let (low, high) = margin.map_or((f64::NEG_INFINITY, f64::INFINITY), |margin| around(&margin));
    Judged::new(equal, false, low, high, rounding)
}

/// binary64 numbers on both sides of a fraction; the number itself where it is one.
fn around(x: &Rational) -> (f64, f64) {
    if let Some(x) = Dyadic::from_rational(x).and_then(|x| x.to_f64()) {
        return (x, x);
    }
    let near = x.to_f64().value();
    (near.next_down(), near.next_up())
}
