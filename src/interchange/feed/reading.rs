//! How outputs say labels: what outputs that are enclosed, or known, say of a point.

use std::ops::Range;

use crate::exact::{Dyadic, Rational};
use crate::interchange::InterchangeError;
use crate::sample::Labels;

use super::enclose::Enclosure;
use super::judge::Judged;

/// How outputs say a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The largest of at least one output a class; the margin is what it is above all others.
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

    /// The reading of `outputs` outputs for such labels. Outputs beyond the classes of the sample are
    /// classes that no point of it has: they must lose like any other.
    ///
    /// # Errors
    /// [`InterchangeError::Unsupported`] where there is none.
    pub fn of(outputs: usize, labels: &Labels) -> Result<Reading, InterchangeError> {
        match labels {
            Labels::Classes { count, .. } if outputs >= *count as usize && outputs > 1 => {
                Ok(Reading::Largest)
            }
            Labels::Classes { .. } if outputs == 1 => Ok(Reading::Value),
            Labels::Real { outputs: wanted, .. } if outputs == *wanted => Ok(Reading::Value),
            Labels::Classes { count, .. } => Err(InterchangeError::Unsupported(format!(
                "the network has {outputs} outputs, and labels of {count} classes take as many or more, \
                 or 1"
            ))),
            Labels::Real { outputs: wanted, .. } => Err(InterchangeError::Unsupported(format!(
                "the network has {outputs} outputs, and the labels {wanted} numbers"
            ))),
        }
    }

    /// The judgement of outputs that are enclosed.
    pub(super) fn enclosed(
        self,
        outputs: &Enclosure,
        at: Range<usize>,
        labels: &Labels,
        i: usize,
    ) -> Judged {
        // Each operation once rounded outwards.
        let low = |at: usize| (outputs.centre[at] - outputs.radius(at)).next_down();
        let high = |at: usize| (outputs.centre[at] + outputs.radius(at)).next_up();
        let known = outputs.radius.is_empty();
        match (self, labels) {
            (Reading::Largest, _) => {
                let label = at.start + class(labels, i);
                let mut judged = (f64::INFINITY, f64::INFINITY, 0.0f64);
                for other in at.clone().filter(|&other| other != label) {
                    judged.0 = least(judged.0, (low(label) - high(other)).next_down());
                    judged.1 = least(judged.1, (high(label) - low(other)).next_up());
                    let both = (outputs.runtime(label) + outputs.runtime(other)).next_up();
                    judged.2 = if both > judged.2 || both.is_nan() { both } else { judged.2 };
                }
                let target = |at: usize| if at == label { 1.0 } else { 0.0 };
                let equal = known && at.clone().all(|at| outputs.centre[at] == target(at));
                Judged::of_margin(equal, (judged.0, judged.1), judged.2)
            }
            (Reading::Value, Labels::Classes { .. }) => {
                let y = labels.f64_at(i);
                let off = |x: f64| x - y;
                let (below, above) =
                    (off(low(at.start)).next_down(), off(high(at.start)).next_up());
                // 1/2 − |f − y|
                let farthest = below.abs().max(above.abs());
                let nearest =
                    if below <= 0.0 && above >= 0.0 { 0.0 } else { below.abs().min(above.abs()) };
                let (low, high) = ((0.5 - farthest).next_down(), (0.5 - nearest).next_up());
                let equal = known && outputs.centre[at.start] == y;
                Judged::of_margin(equal, (low, high), outputs.runtime(at.start))
            }
            (Reading::Value, Labels::Real { values, outputs: width }) => {
                let y = &values[i * width..(i + 1) * width];
                let equal = known && at.clone().zip(y).all(|(at, y)| outputs.centre[at] == *y);
                let apart = |(at, &y): (usize, &f64)| low(at) > y || high(at) < y;
                let differs = at.clone().zip(y).any(apart);
                let runtime = at.map(|at| outputs.runtime(at)).fold(0.0, f64::max);
                let fits = if equal { Some(true) } else { differs.then_some(false) };
                Judged::of_numbers(fits, runtime)
            }
        }
    }

    /// The judgement of outputs that are known, with the rounding bound of before.
    pub(super) fn exactly(
        self,
        outputs: &[Rational],
        labels: &Labels,
        i: usize,
        rounding: f64,
    ) -> Judged {
        let (margin, equal) = match (self, labels) {
            (Reading::Largest, _) => {
                let own = class(labels, i);
                let others = outputs.iter().enumerate().filter(|(k, _)| *k != own).map(|(_, x)| x);
                let margin = others.clone().max().map(|largest| &outputs[own] - largest);
                let one_hot =
                    outputs[own] == Rational::ONE && others.clone().all(Rational::is_zero);
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
                return Judged::of_numbers(Some(equal), rounding);
            }
        };
        let margin = margin.map_or((f64::NEG_INFINITY, f64::INFINITY), |margin| around(&margin));
        Judged::of_margin(equal, margin, rounding)
    }
}

fn class(labels: &Labels, i: usize) -> usize {
    match labels {
        Labels::Classes { of, .. } => of[i] as usize,
        Labels::Real { .. } => 0,
    }
}

fn least(x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() { f64::NAN } else { x.min(y) }
}

/// binary64 numbers on both sides of a fraction; the number itself where it is one.
fn around(x: &Rational) -> (f64, f64) {
    if let Some(x) = Dyadic::from_rational(x).and_then(|x| x.to_f64()) {
        return (x, x);
    }
    let near = x.to_f64().value();
    (near.next_down(), near.next_up())
}
