//! Proptest strategies: samples, sequences and shapes of networks that are awkward on purpose.
//!
//! A sample is generated as a list of rows, each with its label, so that shrinking takes points away
//! together with their labels, then dimensions, then moves numbers towards 0. Rows that repeat a
//! point (or, in general position, spoil it) are left out, never rejected: every sample has distinct
//! points, whatever shrinking did.

mod labels;
mod points;
mod position;
mod sequence;

use std::ops::RangeInclusive;

use proptest::prelude::*;

use shatter_sample::{LabelRule, Labels, Points, RawSample, Sample, SampleError};

pub use labels::LabelKind;
pub use points::PointKind;
pub use position::dependent;
pub use sequence::{Interleaving, architecture, interleaving, network};

/// Samples of this kind: `n` distinct points of R^d, labelled.
///
/// ```
/// use proptest::prelude::*;
/// use shatter_claims::strategy::{LabelKind, PointKind, sample};
/// let samples = sample(PointKind::Collinear, LabelKind::Alternating, 2..=6, 1..=3);
/// proptest!(|(sample in samples)| {
///     prop_assert!((2..=6).contains(&sample.points.n()));
/// });
/// ```
pub fn sample(
    points: PointKind,
    labels: LabelKind,
    n: RangeInclusive<usize>,
    d: RangeInclusive<usize>,
) -> BoxedStrategy<Sample> {
    rows_of(points, labels.number(), n, d)
        .prop_filter_map("labels do not fit", move |(points, numbers)| {
            let labels = labels.of(&points, &numbers).ok()?;
            into_sample(points, labels).ok()
        })
        .boxed()
}

/// Samples of every kind with labels of every kind: what a construction that assumes nothing but
/// distinct points has to fit.
pub fn any_sample(n: RangeInclusive<usize>, d: RangeInclusive<usize>) -> BoxedStrategy<Sample> {
    (prop::sample::select(&PointKind::ALL[..]), prop::sample::select(&LabelKind::ALL[..]))
        .prop_flat_map(move |(points, labels)| sample(points, labels, n.clone(), d.clone()))
        .boxed()
}

/// Points of this kind, distinct.
///
/// ```
/// use proptest::prelude::*;
/// use shatter_claims::strategy::{PointKind, dependent, points};
/// proptest!(|(points in points(PointKind::GeneralPosition, 1..=6, 1..=3))| {
///     prop_assert_eq!(dependent(&points), None);
/// });
/// ```
pub fn points(
    kind: PointKind,
    n: RangeInclusive<usize>,
    d: RangeInclusive<usize>,
) -> BoxedStrategy<Points> {
    rows_of(kind, Just(0.0).boxed(), n, d).prop_map(|(points, _)| points).boxed()
}

/// Points with a number each.
fn rows_of(
    kind: PointKind,
    number: BoxedStrategy<f64>,
    n: RangeInclusive<usize>,
    d: RangeInclusive<usize>,
) -> BoxedStrategy<(Points, Vec<f64>)> {
    let least = (*n.start()).max(1);
    let n = least..=(*n.end()).max(least);
    let first = (*d.start()).max(1);
    let d = first..=(*d.end()).max(first);
    kind.rows(number, n, d)
        .prop_filter_map("points that could not be kept apart", move |rows| {
            rows.distinct().filter(|(points, _)| points.n() >= least)
        })
        .boxed()
}

/// A sample with its own labels.
///
/// # Errors
/// [`SampleError::Inconsistent`] if equal points have different labels.
pub(super) fn into_sample(points: Points, labels: Labels) -> Result<Sample, SampleError> {
    RawSample { text: "generated".to_owned(), points, labels }.distinct(LabelRule::True, 0)
}
