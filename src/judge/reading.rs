//! How outputs say labels: what outputs that are enclosed, or known, say of a point.

use std::ops::Range;

use crate::exact::{Dyadic, IBig};
use crate::network::exactly::Value;
use crate::sample::Labels;

use super::JudgeError;
use super::enclose::Enclosure;
use super::verdict::Judged;

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
    /// [`JudgeError::Reading`] where there is none.
    pub fn of(outputs: usize, labels: &Labels) -> Result<Reading, JudgeError> {
        match labels {
            Labels::Classes { count, .. } if outputs >= *count as usize && outputs > 1 => {
                Ok(Reading::Largest)
            }
            Labels::Classes { .. } if outputs == 1 => Ok(Reading::Value),
            Labels::Real { outputs: wanted, .. } if outputs == *wanted => Ok(Reading::Value),
            Labels::Classes { count, .. } => Err(JudgeError::Reading(format!(
                "the network has {outputs} outputs, and labels of {count} classes take as many or more, \
                 or 1"
            ))),
            Labels::Real { outputs: wanted, .. } => Err(JudgeError::Reading(format!(
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
        let known = outputs.exact(at.clone());
        match (self, labels) {
            (Reading::Largest, _) => {
                let label = at.start + class(labels, i);
                let mut judged = (f64::INFINITY, f64::INFINITY, 0.0f64);
                for other in at.clone().filter(|&other| other != label) {
                    judged.0 = least(judged.0, (low(label) - high(other)).next_down());
                    judged.1 = least(judged.1, (high(label) - low(other)).next_up());
                    let both = outputs.runtime_of_difference(label, other);
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
        outputs: &Value,
        labels: &Labels,
        i: usize,
        rounding: f64,
    ) -> Judged {
        let is = |k: usize, x: &Dyadic| outputs.at(k).minus(x).is_zero();
        let (margin, equal) = match (self, labels) {
            (Reading::Largest, _) => {
                let own = class(labels, i);
                let others = outputs.numbers.iter().enumerate().filter(|(k, _)| *k != own);
                let mut others = others.map(|(_, x)| x);
                let zero = others.clone().all(IBig::is_zero);
                let largest = others.by_ref().max();
                let margin = largest.map(|largest| outputs.at(own).minus_other(largest).around());
                (margin, zero && is(own, &Dyadic::ONE))
            }
            (Reading::Value, Labels::Classes { .. }) => {
                let off = outputs.at(0).minus(&labels.exact_at(i));
                let equal = off.is_zero();
                // 1/2 − |f − y|
                let margin = off.below_zero().minus(&Dyadic::new(-1, -1));
                (Some(margin.around()), equal)
            }
            (Reading::Value, Labels::Real { .. }) => {
                let row = labels.exact_row(i);
                let equal = row.iter().enumerate().all(|(k, y)| is(k, y));
                return Judged::of_numbers(Some(equal), rounding);
            }
        };
        let margin = margin.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
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

#[cfg(test)]
mod tests {
    use super::super::verdict::Verdict;
    use super::*;
    use crate::exact::Rational;
    use proptest::prelude::*;

    fn classes(of: u32) -> Labels {
        Labels::Classes { of: vec![of], count: 3, names: Vec::new() }
    }

    fn between(judged: Judged, margin: &Rational) -> bool {
        let rational = |x: f64| Dyadic::try_from(x).unwrap().to_rational();
        rational(judged.low) <= *margin && *margin <= rational(judged.high)
    }

    proptest! {
        /// Margins and equality, against fractions in lowest terms.
        #[test]
        fn known_outputs_say_what_their_fractions_say(
            numbers in prop::collection::vec(-40i64..40, 3),
            exponent in -6i64..6,
            denominator in 1u64..20,
            label in 0u32..3,
        ) {
            let value = |numbers: &[i64]| Value {
                numbers: numbers.iter().map(|&x| x.into()).collect(),
                exponent,
                denominator: denominator.into(),
            };
            let outputs = value(&numbers);
            let fractions = outputs.clone().rationals();
            let own = label as usize;
            let others = || (0..3).filter(|&k| k != own).map(|k| &fractions[k]);
            let found = Reading::Largest.exactly(&outputs, &classes(label), 0, 0.0);
            let margin = &fractions[own] - others().max().unwrap();
            prop_assert!(between(found, &margin));
            prop_assert_eq!(found.fits, Some(margin > Rational::ZERO));
            let one_hot = fractions[own] == Rational::ONE && others().all(Rational::is_zero);
            prop_assert_eq!(found.verdict == Verdict::Exact, one_hot);

            let found = Reading::Value.exactly(&value(&numbers[..1]), &classes(label), 0, 0.0);
            let error = &fractions[0] - Rational::from(label);
            let size = if error < Rational::ZERO { -error } else { error };
            let margin = Rational::from_parts(1.into(), 2u8.into()) - &size;
            prop_assert!(between(found, &margin));
            prop_assert_eq!(found.fits, Some(margin > Rational::ZERO));
            prop_assert_eq!(found.verdict == Verdict::Exact, size.is_zero());

            let real = Labels::Real { values: vec![0.5, -1.25, f64::from(label)], outputs: 3 };
            let found = Reading::Value.exactly(&outputs, &real, 0, 0.0);
            let equal = fractions.iter().zip(real.exact_row(0)).all(|(x, y)| *x == y.to_rational());
            prop_assert_eq!(found.fits, Some(equal));
        }
    }

    #[test]
    fn real_labels_and_one_hot_outputs_are_met_exactly() {
        // 3/6, −5/4 and 1; 0, 1, 0.
        let outputs = |numbers: [i64; 3], exponent, denominator: u8| Value {
            numbers: numbers.map(Into::into).into(),
            exponent,
            denominator: denominator.into(),
        };
        let real = Labels::Real { values: vec![0.5, -1.25, 1.0], outputs: 3 };
        let met = Reading::Value.exactly(&outputs([6, -15, 12], -2, 3), &real, 0, 0.0);
        assert_eq!((met.verdict, met.fits), (Verdict::Exact, Some(true)));
        let met = Reading::Largest.exactly(&outputs([0, 12, 0], -2, 3), &classes(1), 0, 0.0);
        assert_eq!(met.verdict, Verdict::Exact);
    }
}
