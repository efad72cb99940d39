//! Kinds of labels.

use proptest::prelude::*;
use shatter_network::ExactPoints;

use shatter_sample::{Labels, Points, SampleError};

use super::points;

/// A kind of labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelKind {
    /// Real numbers of every size.
    Real,
    /// Two classes.
    Binary,
    /// Classes 0, …, C − 1.
    Classes(u32),
    /// 0, 1, 0, 1, … in the lexicographic order of the points: along a line, or along the moment
    /// curve.
    Alternating,
    /// One real number for all.
    Constant,
}

impl LabelKind {
    /// All of them, with ten classes.
    pub const ALL: [LabelKind; 5] = [
        LabelKind::Real,
        LabelKind::Binary,
        LabelKind::Classes(10),
        LabelKind::Alternating,
        LabelKind::Constant,
    ];

    /// The number that a row carries for its label.
    pub(super) fn number(self) -> BoxedStrategy<f64> {
        let class = |count: u32| (0..count.max(1)).prop_map(f64::from).boxed();
        match self {
            LabelKind::Real | LabelKind::Constant => points::number().boxed(),
            LabelKind::Binary => class(2),
            LabelKind::Classes(count) => class(count),
            LabelKind::Alternating => Just(0.0).boxed(),
        }
    }

    /// Labels from the numbers that the rows carry.
    ///
    /// # Errors
    /// Those of [`Labels::real`] and [`Labels::classes`]; none occurs for numbers of
    /// [`LabelKind::number`].
    pub(super) fn of(self, points: &Points, numbers: &[f64]) -> Result<Labels, SampleError> {
        let classes = |count| Labels::classes(numbers.iter().map(|&y| y as u32).collect(), count);
        match self {
            LabelKind::Real => Labels::real(numbers.to_vec(), 1),
            LabelKind::Binary => classes(2),
            LabelKind::Classes(count) => classes(count.max(1)),
            LabelKind::Alternating => {
                let mut of = vec![0; points.n()];
                for (rank, i) in lexicographic(points).into_iter().enumerate() {
                    of[i] = (rank % 2) as u32;
                }
                Labels::classes(of, 2)
            }
            LabelKind::Constant => Labels::real(vec![numbers[0]; numbers.len()], 1),
        }
    }
}

/// The points in the lexicographic order of their coordinates.
fn lexicographic(points: &Points) -> Vec<usize> {
    let row = |i: usize| (0..points.d()).map(move |k| points.exact_at(i, k)).collect::<Vec<_>>();
    let mut order: Vec<usize> = (0..points.n()).collect();
    order.sort_by_cached_key(|&i| row(i));
    order
}
