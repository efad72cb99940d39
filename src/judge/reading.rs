//! How outputs say labels: what outputs that are enclosed, or known, say of a point.

use std::ops::Range;

use shatter_exact::{Dyadic, IBig};
use shatter_network::ExactLabels;
use shatter_network::exactly::ExactValues;
use shatter_network::reading::{BoundLabels, How};
use shatter_sample::Labels;

use super::enclose::Enclosure;
use super::enclose::depth::{Bounded, Functional};
use super::verdict::Judged;

/// The judgement of outputs that are enclosed, at point `i`.
pub(super) fn enclosed(
    said: &BoundLabels,
    outputs: &Enclosure,
    at: Range<usize>,
    i: usize,
) -> Judged {
    // Each operation once rounded outwards.
    let low = |at: usize| (outputs.centre[at] - outputs.radius(at)).next_down();
    let high = |at: usize| (outputs.centre[at] + outputs.radius(at)).next_up();
    let known = outputs.exact(at.clone());
    let equals = |target: &dyn Fn(usize) -> f64| {
        known && at.clone().all(|place| outputs.centre[place] == target(place - at.start))
    };
    let Some(class) = said.class(i) else {
        let y = real(said.labels(), i);
        let equal = equals(&|k| y[k]);
        let apart = |(at, &y): (usize, &f64)| low(at) > y || high(at) < y;
        let differs = at.clone().zip(y).any(apart);
        let runtime = at.map(|at| outputs.runtime(at)).fold(0.0, larger);
        let fits = if equal { Some(true) } else { differs.then_some(false) };
        return Judged::of_numbers(fits, runtime);
    };
    // Of an output that is to be near y: 1/2 − |f − y|.
    let near = |place: usize, y: f64| {
        let (below, above) = ((low(place) - y).next_down(), (high(place) - y).next_up());
        let farthest = below.abs().max(above.abs());
        let nearest = if below <= 0.0 && above >= 0.0 { 0.0 } else { below.abs().min(above.abs()) };
        ((0.5 - farthest).next_down(), (0.5 - nearest).next_up())
    };
    match said.how() {
        How::Largest => {
            let label = at.start + class as usize;
            let mut judged = (f64::INFINITY, f64::INFINITY, 0.0f64);
            for other in at.clone().filter(|&other| other != label) {
                judged.0 = least(judged.0, (low(label) - high(other)).next_down());
                judged.1 = least(judged.1, (high(label) - low(other)).next_up());
                let both = outputs.runtime_of_difference(label, other);
                judged.2 = larger(judged.2, both);
            }
            let equal = equals(&|k| if k == class as usize { 1.0 } else { 0.0 });
            Judged::of_margin(equal, (judged.0, judged.1), judged.2)
        }
        How::Value => {
            let y = f64::from(class);
            Judged::of_margin(equals(&|_| y), near(at.start, y), outputs.runtime(at.start))
        }
        how @ (How::OneHot | How::Bits) => {
            let target = |k: usize| f64::from(u8::from(bit(how, class, k)));
            let mut judged = (f64::INFINITY, f64::INFINITY, 0.0f64);
            for place in at.clone() {
                let (low, high) = near(place, target(place - at.start));
                let runtime = larger(judged.2, outputs.runtime(place));
                judged = (least(judged.0, low), least(judged.1, high), runtime);
            }
            Judged::of_margin(equals(&target), (judged.0, judged.1), judged.2)
        }
        how @ (How::Sign | How::Half) => {
            let (threshold, target) = of_two(how, class);
            let apart = |x: f64| if class == 1 { x - threshold } else { threshold - x };
            let (one, other) = (apart(low(at.start)), apart(high(at.start)));
            let margin = (least(one, other).next_down(), one.max(other).next_up());
            Judged::of_margin(equals(&|_| target), margin, outputs.runtime(at.start))
        }
    }
}

/// The functionals of so many outputs whose bounds say what [`bounded`] judges: the label's output less each
/// other, or the outputs.
pub(super) fn functionals(said: &BoundLabels, outputs: usize, i: usize) -> Vec<Functional> {
    match (said.how(), said.class(i)) {
        (How::Largest, Some(own)) => {
            let own = own as usize;
            let others = (0..outputs).filter(|&other| other != own);
            others.map(|other| vec![(own, 1.0), (other, -1.0)]).collect()
        }
        _ => (0..outputs).map(|k| vec![(k, 1.0)]).collect(),
    }
}

/// The judgement of functionals that are bounded, in real arithmetic and at every runtime.
pub(super) fn bounded(said: &BoundLabels, found: &[Bounded], i: usize) -> Judged {
    if said.how() != How::Largest || said.class(i).is_none() {
        return enclosed(said, &Enclosure::of_bounds(found), 0..found.len(), i);
    }
    let mut judged = (f64::INFINITY, f64::INFINITY, 0.0f64);
    for &Bounded { centre, off } in found {
        judged.0 = least(judged.0, (centre - off).next_down());
        judged.1 = least(judged.1, (centre + off).next_up());
        judged.2 = larger(judged.2, (2.0 * off).next_up());
    }
    Judged::of_margin(false, (judged.0, judged.1), judged.2)
}

/// The judgement of outputs that are known, with the rounding bound of before.
pub(super) fn exactly(
    said: &BoundLabels,
    outputs: &ExactValues,
    i: usize,
    rounding: f64,
) -> Judged {
    let is = |k: usize, x: &Dyadic| outputs.at(k).minus(x).is_zero();
    let Some(class) = said.class(i) else {
        let row = said.labels().exact_row(i);
        let equal = row.iter().enumerate().all(|(k, y)| is(k, y));
        return Judged::of_numbers(Some(equal), rounding);
    };
    // 1/2 − |f − y|
    let near = |k: usize, y: &Dyadic| {
        let off = outputs.at(k).minus(y);
        (off.is_zero(), off.below_zero().minus(&Dyadic::new(-1, -1)).around())
    };
    let (equal, margin) = match said.how() {
        How::Largest => {
            let own = class as usize;
            let others = outputs.numbers.iter().enumerate().filter(|(k, _)| *k != own);
            let mut others = others.map(|(_, x)| x);
            let zero = others.clone().all(IBig::is_zero);
            let largest = others.by_ref().max();
            let margin = largest.map(|largest| outputs.at(own).minus_other(largest).around());
            // Of a single output it is the largest, whatever it is.
            let margin = margin.unwrap_or((f64::INFINITY, f64::INFINITY));
            (zero && is(own, &Dyadic::ONE), margin)
        }
        How::Value => near(0, &Dyadic::from(i64::from(class))),
        how @ (How::OneHot | How::Bits) => {
            let start = (true, (f64::INFINITY, f64::INFINITY));
            (0..outputs.numbers.len()).fold(start, |(equal, (low, high)), k| {
                let target = Dyadic::from(i64::from(bit(how, class, k)));
                let (one, margin) = near(k, &target);
                (equal && one, (least(low, margin.0), least(high, margin.1)))
            })
        }
        how @ (How::Sign | How::Half) => {
            let (threshold, target) = of_two(how, class);
            let number = |x: f64| Dyadic::try_from(x).unwrap_or(Dyadic::ZERO); // all four are finite
            let (low, high) = outputs.at(0).minus(&number(threshold)).around();
            let margin = if class == 1 { (low, high) } else { (-high, -low) };
            (is(0, &number(target)), margin)
        }
    };
    Judged::of_margin(equal, margin, rounding)
}

/// Whether output `k` is to be 1, of outputs that are 0 or 1.
fn bit(how: How, class: u32, k: usize) -> bool {
    match how {
        How::Bits => class >> k & 1 == 1,
        _ => class as usize == k,
    }
}

/// The threshold between two classes, and the output that stands for this one exactly: −1 and 1, or 0 and 1.
fn of_two(how: How, class: u32) -> (f64, f64) {
    match (how, class) {
        (How::Half, _) => (0.5, f64::from(class)),
        (_, 0) => (0.0, -1.0),
        _ => (0.0, 1.0),
    }
}

fn real(labels: &Labels, i: usize) -> &[f64] {
    match labels {
        Labels::Real { values, outputs } => &values[i * outputs..(i + 1) * outputs],
        Labels::Classes { .. } => &[],
    }
}

/// The larger; what is no number is not hidden.
fn larger(x: f64, y: f64) -> f64 {
    if y <= x || x.is_nan() { x } else { y }
}

fn least(x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() { f64::NAN } else { x.min(y) }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Verdict;
    use super::*;
    use proptest::prelude::*;
    use shatter_exact::Rational;
    use shatter_network::Reading;

    fn said(how: How, class: u32, outputs: usize) -> BoundLabels {
        let labels = Labels::classes(vec![class], class + 1).unwrap();
        Reading::new(how).bind(&labels, outputs).unwrap()
    }

    fn between(judged: Judged, margin: &Rational) -> bool {
        let rational = |x: f64| Dyadic::try_from(x).unwrap().to_rational();
        rational(judged.low) <= *margin && *margin <= rational(judged.high)
    }

    fn off(x: &Rational, y: Rational) -> Rational {
        if *x < y { y - x } else { x - y }
    }

    proptest! {
        /// Margins and equality of every reading, against its definition in fractions.
        #[test]
        fn known_outputs_say_what_their_fractions_say(
            numbers in prop::collection::vec(-40i64..40, 3),
            exponent in -6i64..6,
            denominator in 1u64..20,
            label in 0u32..3,
        ) {
            let value = |numbers: &[i64]| ExactValues {
                numbers: numbers.iter().map(|&x| x.into()).collect(),
                exponent,
                denominator: denominator.into(),
            };
            let half = || Rational::from_parts(1.into(), 2u8.into());
            for how in How::ALL {
                let (outputs, class) = match how {
                    How::Largest | How::OneHot => (3, label),
                    How::Bits => (2, label),
                    How::Value => (1, label),
                    How::Sign | How::Half => (1, label % 2),
                };
                let outputs = value(&numbers[..outputs]);
                let said = said(how, class, outputs.numbers.len());
                let fractions = outputs.clone().rationals();
                let found = exactly(&said, &outputs, 0, 0.0);
                let target = said.target(0);
                let margin = match how {
                    How::Largest => {
                        let own = class as usize;
                        let others = (0..3).filter(|&k| k != own).map(|k| &fractions[k]);
                        &fractions[own] - others.max().unwrap()
                    }
                    How::Sign if class == 1 => fractions[0].clone(),
                    How::Sign => -fractions[0].clone(),
                    How::Half if class == 1 => &fractions[0] - half(),
                    How::Half => half() - &fractions[0],
                    _ => {
                        let each = fractions.iter().zip(target.clone().unwrap());
                        half() - each.map(|(x, y)| off(x, y)).max().unwrap()
                    }
                };
                prop_assert!(between(found, &margin), "{} {:?} {:?}", how, found, margin);
                prop_assert_eq!(found.fits, Some(margin > Rational::ZERO));
                prop_assert_eq!(found.fits, Some(said.says(&fractions, 0)), "{}", how);
                let whole = |k: i64| Rational::from(k);
                let exact = target.unwrap_or_else(|| match (how, class) {
                    (How::Sign, 0) => vec![whole(-1)],
                    (How::Sign | How::Half, _) => vec![whole(class.into())],
                    _ => (0..3).map(|k| whole(i64::from(k == class))).collect(),
                });
                prop_assert_eq!(found.verdict == Verdict::Exact, fractions == exact);
            }
            let labels = Labels::Real { values: vec![0.5, -1.25, f64::from(label)], outputs: 3 };
            let said = Reading::new(How::Value).bind(&labels, 3).unwrap();
            let found = exactly(&said, &value(&numbers), 0, 0.0);
            let fractions = value(&numbers).rationals();
            let equal = fractions.iter().zip(labels.exact_row(0)).all(|(x, y)| *x == y.to_rational());
            prop_assert_eq!(found.fits, Some(equal));
            prop_assert_eq!(found.fits, Some(said.says(&fractions, 0)));
        }
    }

    #[test]
    fn real_labels_and_one_hot_outputs_are_met_exactly() {
        // 3/6, −5/4 and 1; 0, 1, 0.
        let outputs = |numbers: [i64; 3], exponent, denominator: u8| ExactValues {
            numbers: numbers.map(Into::into).into(),
            exponent,
            denominator: denominator.into(),
        };
        let real = Labels::Real { values: vec![0.5, -1.25, 1.0], outputs: 3 };
        let value = Reading::new(How::Value).bind(&real, 3).unwrap();
        let met = exactly(&value, &outputs([6, -15, 12], -2, 3), 0, 0.0);
        assert_eq!((met.verdict, met.fits), (Verdict::Exact, Some(true)));
        let met = exactly(&said(How::Largest, 1, 3), &outputs([0, 12, 0], -2, 3), 0, 0.0);
        assert_eq!(met.verdict, Verdict::Exact);
        // What is equal in real arithmetic, and may be rounded: the claim keeps the equality.
        let met = exactly(&value, &outputs([6, -15, 12], -2, 3), 0, 0.5);
        assert_eq!((met.verdict, met.low, met.high), (Verdict::Undecided, 0.0, 0.0));
    }
}
