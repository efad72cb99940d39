//! Labelled points on a line of R^d, in their order: what the obstructions along a line are about.

use serde::Serialize;
use shatter_network::{ExactLabels, ExactPoints};

use shatter_exact::Rational;
use shatter_sample::{Labels, Points};

use super::ObstructError;
use super::text::{numbers, rows};

/// n distinct points of one line, in their order on it, each with a number as its label. The
/// fields are open so that a certificate can be read by others; [`check`](Self::check) decides
/// whether they are what this says.
///
/// ```
/// use shatter_obstruct::LabelledLine;
/// use shatter_sample::{Labels, Points, Values};
/// let points = Points::new(Values::I64(vec![3, 6, 1, 2, 2, 4]), vec![2])?;
/// let labels = Labels::classes(vec![1, 0, 0], 2)?;
/// let line = LabelledLine::of_sample(&points, &labels)?;
/// assert_eq!(line.points.len(), 3);
/// assert!(line.check().is_ok());
/// // 0, 0, 1 along the line: one change.
/// assert_eq!(line.changing().labels.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LabelledLine {
    /// n points of d coordinates.
    #[serde(serialize_with = "rows")]
    pub points: Vec<Vec<Rational>>,
    /// n labels.
    #[serde(serialize_with = "numbers")]
    pub labels: Vec<Rational>,
}

impl LabelledLine {
    /// Collinear points of a sample, put into order.
    ///
    /// # Errors
    /// [`ObstructError::VectorLabels`], [`ObstructError::Lengths`], and as
    /// [`sorted`](Self::sorted).
    pub fn of_sample(points: &Points, labels: &Labels) -> Result<LabelledLine, ObstructError> {
        if labels.outputs() != 1 {
            return Err(ObstructError::VectorLabels { outputs: labels.outputs() });
        }
        let rows = (0..points.n()).map(|i| points.exact_row(i)).collect();
        let labels = (0..labels.len()).map(|i| labels.exact_at(i).to_rational()).collect();
        LabelledLine::sorted(rows, labels)
    }

    /// Collinear points, put into order.
    ///
    /// # Errors
    /// [`ObstructError::Empty`], [`ObstructError::Lengths`], [`ObstructError::Coordinates`],
    /// [`ObstructError::NotCollinear`], [`ObstructError::Coincident`]; indices are those of the
    /// arguments.
    pub fn sorted(
        points: Vec<Vec<Rational>>,
        labels: Vec<Rational>,
    ) -> Result<LabelledLine, ObstructError> {
        let places = places(&points, &labels)?;
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_by(|&i, &j| places[i].cmp(&places[j]));
        if let Some(pair) = order.windows(2).find(|pair| places[pair[0]] == places[pair[1]]) {
            return Err(ObstructError::Coincident { first: pair[0], second: pair[1] });
        }
        Ok(LabelledLine { points, labels }.select(&order))
    }

    /// Checks that the points are distinct, lie on one line and are in order on it.
    ///
    /// # Errors
    /// [`ObstructError::Empty`], [`ObstructError::Lengths`], [`ObstructError::Coordinates`],
    /// [`ObstructError::NotCollinear`], [`ObstructError::NotInOrder`].
    pub fn check(&self) -> Result<(), ObstructError> {
        let places = places(&self.points, &self.labels)?;
        match places.windows(2).position(|pair| pair[0] >= pair[1]) {
            Some(at) => Err(ObstructError::NotInOrder { index: at + 1 }),
            None => Ok(()),
        }
    }

    /// The longest part of the line on which labels lie strictly above and below `level` in turn.
    #[must_use]
    pub fn alternating(&self, level: &Rational) -> LabelledLine {
        let mut kept = Vec::new();
        let mut side = None;
        for (i, label) in self.labels.iter().enumerate() {
            if label != level && side != Some(label > level) {
                side = Some(label > level);
                kept.push(i);
            }
        }
        self.select(&kept)
    }

    /// The longest part of the line on which no two neighbours have the same label.
    #[must_use]
    pub fn changing(&self) -> LabelledLine {
        let mut kept: Vec<usize> = Vec::new();
        for i in 0..self.labels.len() {
            if kept.last().is_none_or(|&last| self.labels[last] != self.labels[i]) {
                kept.push(i);
            }
        }
        self.select(&kept)
    }

    /// Checks that the labels lie strictly above and below `level` in turn; a single label only has to
    /// be off the level.
    ///
    /// # Errors
    /// [`ObstructError::NotAlternating`].
    pub fn check_alternates(&self, level: &Rational) -> Result<(), ObstructError> {
        let side = |i: usize| self.labels[i].cmp(level);
        let wrong = |&i: &usize| side(i).is_eq() || (i > 0 && side(i - 1) == side(i));
        match (0..self.labels.len()).find(wrong) {
            Some(index) => Err(ObstructError::NotAlternating { index }),
            None => Ok(()),
        }
    }

    /// Number of points, for comparison with what the theorems allow.
    pub(super) fn n(&self) -> u64 {
        self.points.len() as u64
    }

    /// Coordinates of a point.
    pub(super) fn d(&self) -> usize {
        self.points.first().map_or(0, Vec::len)
    }

    /// The points that `rows` lists.
    pub(super) fn select(&self, rows: &[usize]) -> LabelledLine {
        let pair = |&i: &usize| Some((self.points.get(i)?.clone(), self.labels.get(i)?.clone()));
        let (points, labels) = rows.iter().filter_map(pair).unzip();
        LabelledLine { points, labels }
    }
}

/// The numbers t_i with x_i = x_0 + t_i q, where q leads from x_0 to the first point that differs
/// from it.
fn places(points: &[Vec<Rational>], labels: &[Rational]) -> Result<Vec<Rational>, ObstructError> {
    let d = common_length(points)?;
    if points.len() != labels.len() {
        return Err(ObstructError::Lengths { points: points.len(), labels: labels.len() });
    }
    let origin = &points[0];
    let from_origin = |point: &[Rational]| -> Vec<Rational> {
        point.iter().zip(origin).map(|(x, o)| x - o).collect()
    };
    let Some(other) = points.iter().find(|point| *point != origin) else {
        return Ok(vec![Rational::ZERO; points.len()]);
    };
    let q = from_origin(other);
    let axis = (0..d).find(|&k| !q[k].is_zero()).unwrap_or(0);
    let place = |(index, point): (usize, &Vec<Rational>)| {
        let offset = from_origin(point);
        let t = &offset[axis] / &q[axis];
        let on_line = offset.iter().zip(&q).all(|(x, q)| *x == &t * q);
        if on_line { Ok(t) } else { Err(ObstructError::NotCollinear { index }) }
    };
    points.iter().enumerate().map(place).collect()
}

/// The number of coordinates that all points have.
pub(super) fn common_length(points: &[Vec<Rational>]) -> Result<usize, ObstructError> {
    let Some(first) = points.first() else { return Err(ObstructError::Empty("points")) };
    let want = first.len();
    if want == 0 {
        return Err(ObstructError::Empty("coordinates"));
    }
    match points.iter().position(|point| point.len() != want) {
        Some(index) => Err(ObstructError::Coordinates { index, have: points[index].len(), want }),
        None => Ok(want),
    }
}
