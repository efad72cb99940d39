//! Whether a network fits each point of a sample.
//!
//! Judged is the function that the network computes in real arithmetic, with the numbers of its file, on
//! the stated inputs: the numbers of the sample, rounded to the network's precision. Outputs say labels
//! as a [`Reading`] has it; the *margin* of a point is positive where they say its label
//! ([`How`]), and the *rounding bound* is what any runtime of a model ([`Runtime`])
//! may change of the margin. Real labels have no margin, and 0 stands for it where the outputs equal them.
//!
//! | verdict | meaning |
//! |---|---|
//! | exact | the outputs equal the target in real arithmetic, and margin > rounding bound; of real labels, nothing rounds |
//! | margin | margin > rounding bound: the label is said in real arithmetic and by every runtime of the model |
//! | undecided | \|margin\| <= rounding bound, or nothing that small was shown |
//! | misfit | margin < −rounding bound: another label in real arithmetic and at every runtime of the model |
//!
//! Enclosures decide first; where they leave the sign open, and everywhere if asked for, exact
//! arithmetic does ([`exactly`](super::exactly)).

use std::ops::Range;

use rayon::prelude::*;

use shatter_exact::Format;
use shatter_network::Reading;
use shatter_network::graph::{Graph, count, sides};
use shatter_network::reading::{BoundLabels, How};
use shatter_sample::{Labels, Points};

use super::JudgeError;
use super::enclose::Evaluator;
use super::enclose::depth::Deep;
use super::exactly::Exactly;
use super::reading::{self, enclosed, functionals};
use super::runtime::Runtime;
use super::softmax;

/// The finding at a point. The margin in real arithmetic lies in low ..= high.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// At most the margin.
    pub low: f64,
    /// At least the margin.
    pub high: f64,
    /// Bound on what a runtime of the model changes of the margin.
    pub rounding: f64,
    /// True if the label is said in real arithmetic; `None` where that is open. A tie says nothing.
    pub fits: Option<bool>,
}

/// A verdict; see the table above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The outputs equal the target.
    Exact,
    /// The label is said, here and by every runtime of the model.
    Margin,
    /// Neither is decided.
    Undecided,
    /// Another label is said, or (for real labels) another number.
    Misfit,
}

/// The most products of enclosures, points and all: hours on two cores.
const MOST_WORK: u64 = 1 << 44;
/// Products of walks through deep networks after which no more points are walked from: unasked, a minute or two
/// on two cores, and asked for, hours.
const UNASKED_WALKS: u64 = 1 << 40;
const ASKED_WALKS: u64 = 1 << 46;
/// Numbers that a batch holds at once, each with its bounds. Batches are the same whatever the number of
/// threads, since the last bits of a bound may depend on them: products of several rows may add in another order.
const BATCH: usize = 1 << 18;
/// Bytes of a number with its bounds, with what may be folded into it, and with what is made of it at a step
/// (35 to 55 of each that is held at the peak, as measured); and the most bytes of all batches at work, or of
/// one point.
const ENCLOSED: u64 = 64;
const MOST_BYTES: u64 = 1 << 29;

/// The effort spent on a verdict beyond enclosures.
#[derive(Clone, Copy, Debug, Default)]
pub struct Effort {
    /// Every point in exact arithmetic.
    pub exact: bool,
    /// Points that enclosures leave undecided.
    pub walks: Walks,
}

/// From how many of the points that enclosures leave undecided one walks back through the network, to say what
/// becomes of each rounding ([`depth`](super::enclose::depth)); the first ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Walks {
    /// As many as take a minute or two on two cores.
    #[default]
    Affordable,
    /// So many, and no more than take hours.
    AtMost(usize),
}

impl std::str::FromStr for Walks {
    type Err = String;

    /// `all`, or a number of points.
    fn from_str(text: &str) -> Result<Walks, String> {
        match text {
            "all" => Ok(Walks::AtMost(usize::MAX)),
            _ => text.parse().map(Walks::AtMost).map_err(|_| {
                format!("'{text}' is not a number of points; expected a number, or all")
            }),
        }
    }
}

/// The outcome of judging a sample.
#[derive(Clone, Debug)]
pub struct Decided {
    /// Each point.
    pub judged: Vec<Judged>,
    /// Points that enclosures left undecided, and that a walk might decide.
    pub left: usize,
    /// Points that were walked from.
    pub walked: usize,
}

/// The points as a network of this precision takes them, rounded to binary64 and then to it: `rows` ×
/// coordinates.
pub fn inputs(points: &Points, precision: Format, rows: std::ops::Range<usize>) -> Vec<f64> {
    let d = points.d();
    let number = |at: usize| {
        let x = points.f64_at(at / d, at % d);
        precision.nearest(x)
    };
    (rows.start * d..rows.end * d).map(number).collect()
}

/// Judges every point under a runtime model, with outputs read as their number says ([`Reading::by_outputs`]).
///
/// # Errors
/// [`JudgeError::Shape`], [`JudgeError::Beyond`], [`JudgeError::Reading`] if outputs cannot say such labels;
/// [`JudgeError::TooMuchWork`], [`JudgeError::TooMuchMemory`], [`JudgeError::Inexact`].
pub fn judge(
    network: &Graph,
    points: &Points,
    labels: &Labels,
    runtime: Runtime,
    effort: Effort,
) -> Result<(Reading, Vec<Judged>), JudgeError> {
    let reading = Reading::by_outputs(network.outputs(), labels)?;
    let said = reading.bind(labels, network.outputs())?;
    let decided = decide(network, points, &said, runtime, effort)?;
    Ok((reading, decided.judged))
}

/// Judges every point of labels that were bound to the outputs of the network by a reading of one's own.
///
/// # Errors
/// As [`judge`], but for readings; [`JudgeError::Labels`] if there is not a label a point.
pub fn decide(
    network: &Graph,
    points: &Points,
    said: &BoundLabels,
    runtime: Runtime,
    effort: Effort,
) -> Result<Decided, JudgeError> {
    let n = points.n();
    if said.labels().len() != n {
        return Err(JudgeError::Labels { points: n, labels: said.labels().len() });
    }
    same_shape(&network.input, points.shape())?;
    let ordered = network.is_ordered();
    if ordered && said.how() != How::Largest {
        return Err(JudgeError::Softmax);
    }
    let peak = network.peak().max(1);
    let of_point = (peak as u64).saturating_mul(ENCLOSED);
    if of_point > MOST_BYTES {
        return Err(JudgeError::TooMuchMemory { bytes: of_point, most: MOST_BYTES });
    }
    bounded(network.products(), n, MOST_WORK, "products")?;
    let all_finite = |i| inputs(points, network.precision, i..i + 1).iter().all(|x| x.is_finite());
    if let Some(i) = (0..n).into_par_iter().position_first(|i| !all_finite(i)) {
        return Err(JudgeError::Beyond { point: i, format: network.precision.name() });
    }
    let asked = match effort.exact {
        true => Some(Exactly::asked(network, points, said, n)?),
        false => None,
    };
    // Judged are the logits of a last softmax.
    let finished = |one: Judged| match ordered {
        true => softmax::of_logits(one, network.outputs(), network.precision),
        false => one,
    };
    let evaluator = Evaluator::new(network, runtime);
    let batch = (BATCH / peak).clamp(1, 256);
    let starts: Vec<Range<usize>> =
        (0..n).step_by(batch).map(|start| start..(start + batch).min(n)).collect();
    let mut judged: Vec<Judged> = Vec::with_capacity(n);
    let at_once = MOST_BYTES / of_point.saturating_mul(batch as u64);
    for turn in starts.chunks(at_once.max(1) as usize) {
        let of_batch = |rows: &Range<usize>| {
            let size = rows.len();
            let outputs = evaluator.outputs(inputs(points, network.precision, rows.clone()), size);
            let width = outputs.centre.len() / size;
            let at = |k: usize| k * width..(k + 1) * width;
            let one = |k: usize| finished(enclosed(said, &outputs, at(k), rows.start + k));
            (0..size).map(one).collect::<Vec<_>>()
        };
        judged.par_extend(turn.par_iter().flat_map_iter(of_batch));
    }
    let (left, walked) =
        deepened(network, &evaluator, points, said, effort.walks, finished, &mut judged);
    drop(evaluator);
    let decided = match asked {
        Some(asked) => Some((asked, (0..n).collect())),
        None => Exactly::unasked(network, points, said, &judged),
    };
    if let Some((exactly, which)) = decided {
        exactly.decide(&which, &mut judged);
    }
    // What stands for the outputs of a softmax equals no target.
    for one in judged.iter_mut().filter(|one| ordered && one.verdict == Verdict::Exact) {
        one.verdict = Verdict::Margin;
    }
    Ok(Decided { judged, left, walked })
}

/// Carries roundings back from the outputs at points that enclosures leave undecided; how many
/// these are, and at how many that was done.
fn deepened(
    network: &Graph,
    evaluator: &Evaluator,
    points: &Points,
    said: &BoundLabels,
    walks: Walks,
    finished: impl Fn(Judged) -> Judged + Sync,
    judged: &mut [Judged],
) -> (usize, usize) {
    // Real labels are met exactly, or not: bounds say no more once that is known.
    let open = |i: &usize| {
        let one = &judged[*i];
        one.verdict == Verdict::Undecided && (said.class(*i).is_some() || one.is_open())
    };
    let which: Vec<usize> = (0..judged.len()).filter(open).collect();
    let deep = match which.is_empty() {
        true => None,
        false => Deep::new(network, evaluator),
    };
    let Some(deep) = deep else { return (which.len(), 0) };
    let (most, mut left) = match walks {
        Walks::Affordable => (which.len(), UNASKED_WALKS),
        Walks::AtMost(most) => (most.min(which.len()), ASKED_WALKS),
    };
    // Everything that is known of one point is held at once.
    let at_once = (MOST_BYTES / deep.bytes().max(1)).clamp(1, 64) as usize;
    let mut walked = 0;
    for turn in which[..most].chunks(at_once) {
        if left == 0 {
            break;
        }
        let of_point = |&i: &usize| {
            let point = inputs(points, network.precision, i..i + 1);
            let functionals = functionals(said, network.outputs(), i);
            let (bounded, products) = deep.bounded(point, &functionals);
            (i, bounded.map(|bounded| finished(reading::bounded(said, &bounded, i))), products)
        };
        let found: Vec<(usize, Option<Judged>, u64)> = turn.par_iter().map(of_point).collect();
        for (i, one, products) in found {
            left = left.saturating_sub(products);
            if let Some(one) = one {
                judged[i] = judged[i].with(&one);
            }
        }
        walked += turn.len();
    }
    (which.len(), walked)
}

/// Refuses points of another shape than the network takes. Sides of 1 say nothing; a network of
/// vectors takes the numbers of any array in their order.
fn same_shape(takes: &[usize], points: &[usize]) -> Result<(), JudgeError> {
    let wide = |shape: &[usize]| -> Vec<usize> {
        shape.iter().copied().filter(|&side| side != 1).collect()
    };
    let (wanted, there) = (wide(takes), wide(points));
    if wanted == there || (wanted.len() < 2 && count(takes) == count(points)) {
        return Ok(());
    }
    Err(JudgeError::Shape { takes: sides(takes), points: sides(points) })
}

/// Refuses more than `most` of `what`, over `n` points.
pub(super) fn bounded(
    work: u64,
    n: usize,
    most: u64,
    what: &'static str,
) -> Result<(), JudgeError> {
    let all = work.saturating_mul(n as u64);
    if all > most {
        return Err(JudgeError::TooMuchWork { work: all, most, n, what });
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

    /// What this and another judgement of the same point say together.
    fn with(&self, other: &Judged) -> Judged {
        let larger = |x: f64, y: f64| if y > x { y } else { x };
        let smaller = |x: f64, y: f64| if y < x { y } else { x };
        let (low, high) = (larger(self.low, other.low), smaller(self.high, other.high));
        let both = Judged::of_margin(false, (low, high), smaller(self.rounding, other.rounding));
        match (both.verdict, other.verdict) {
            (Verdict::Undecided, Verdict::Undecided) if both.fits == self.fits => *self,
            (Verdict::Undecided, Verdict::Undecided) => both,
            (Verdict::Undecided, _) => *other,
            _ => both,
        }
    }

    /// Real labels have no margin: the outputs equal them (0 ..= 0), or not (below 0), or that is open.
    pub(super) fn of_numbers(fits: Option<bool>, rounding: f64) -> Judged {
        let (verdict, low, high) = match fits {
            Some(true) if rounding == 0.0 => (Verdict::Exact, 0.0, 0.0),
            Some(true) => (Verdict::Undecided, 0.0, 0.0),
            Some(false) => (Verdict::Misfit, f64::NEG_INFINITY, 0.0),
            None => (Verdict::Undecided, f64::NEG_INFINITY, f64::INFINITY),
        };
        Judged { verdict, low, high, rounding, fits }
    }

    /// Whether the sign of the margin is open, in real arithmetic.
    pub(super) fn is_open(&self) -> bool {
        self.fits.is_none()
    }

    /// Margin and rounding bound as a certificate says them: shorter numbers that claim less, so that
    /// equal claims do not hang on the last bit. They are whole where shorter ones would not say the verdict.
    pub fn claimed(&self) -> Judged {
        let short = Judged {
            low: shorter(self.low, false),
            high: shorter(self.high, true),
            rounding: shorter(self.rounding, true),
            ..*self
        };
        let says = |one: &Judged| (one.low > one.rounding, one.high < -one.rounding);
        if says(&short) == says(self) { short } else { *self }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that differ in their last bits keep their verdict when they are claimed.
    #[test]
    fn what_is_claimed_is_what_was_decided() {
        let next = |x: f64| f64::from_bits(x.to_bits() + 1);
        for rounding in [0.1, 1.0, f64::from_bits((1.0_f64).to_bits() + (1 << 36)), 1e-300] {
            let over = next(rounding);
            for (low, high) in [(over, 2.0), (-2.0, -over), (rounding, over), (-3.0, -1e-17)] {
                let judged = Judged::of_margin(false, (low, high), rounding);
                let Judged { low, high, rounding, .. } = judged.claimed();
                assert_eq!(Judged::of_margin(false, (low, high), rounding).verdict, judged.verdict);
            }
        }
        // Real labels have no margin.
        let misfit = Judged::of_numbers(Some(false), 0.5);
        assert_eq!((misfit.claimed().high, misfit.claimed().verdict), (0.0, Verdict::Misfit));
    }
}
