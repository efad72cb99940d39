//! Sizes of points: what the bounds on norms need of a sample.
//!
//! Points x_1, …, x_n ∈ R^d as the network takes them. Every value is enclosed. **Cost.** A few operations a coordinate.

use crate::outward::{add_down, add_up, mul_down, mul_up};
use crate::{Enclosure, MeasureError};

/// Sizes of n points.
#[derive(Clone, Debug, PartialEq)]
pub struct PointSizes {
    /// n, at least 1.
    pub n: usize,
    /// d.
    pub d: usize,
    /// Σ_i ‖x_i‖₂².
    pub squares: Enclosure,
    /// max_i ‖x_i‖₂².
    pub largest: Enclosure,
    /// max_k Σ_i x_ik².
    pub largest_column: Enclosure,
    /// max_i |x_ik| of each coordinate k, exactly.
    pub box_sides: Vec<f64>,
}

impl PointSizes {
    /// Measures n points of d coordinates, one after the other.
    ///
    /// ```
    /// use shatter_measure::sizes::PointSizes;
    /// let sizes = PointSizes::of(&[3.0, 4.0, -6.0, 0.0], 2)?;
    /// assert_eq!((sizes.n, sizes.squares.high(), sizes.largest.high()), (2, 61.0, 36.0));
    /// assert_eq!((sizes.largest_column.high(), &sizes.box_sides[..]), (45.0, &[6.0, 4.0][..]));
    /// # Ok::<(), shatter_measure::MeasureError>(())
    /// ```
    ///
    /// # Errors
    /// [`MeasureError::NoPoints`], [`MeasureError::Length`], [`MeasureError::PointNotFinite`].
    pub fn of(points: &[f64], d: usize) -> Result<PointSizes, MeasureError> {
        if points.is_empty() || d == 0 {
            return Err(MeasureError::NoPoints);
        }
        if !points.len().is_multiple_of(d) {
            let expected = points.len().div_ceil(d) * d;
            return Err(MeasureError::Length { what: "points", found: points.len(), expected });
        }
        if let Some(at) = points.iter().position(|x| !x.is_finite()) {
            let (point, value) = (at / d, points[at]);
            return Err(MeasureError::PointNotFinite { point, what: "a coordinate", value });
        }
        let mut columns = vec![(0.0, 0.0); d];
        let mut box_sides = vec![0.0f64; d];
        let (mut squares, mut largest) = (Enclosure::ZERO, Enclosure::ZERO);
        for point in points.chunks_exact(d) {
            let (mut low, mut high) = (0.0, 0.0);
            for ((&x, column), side) in point.iter().zip(&mut columns).zip(&mut box_sides) {
                if x != 0.0 {
                    let (below, above) = (mul_down(x, x), mul_up(x, x));
                    (low, high) = (add_down(low, below), add_up(high, above));
                    *column = (add_down(column.0, below), add_up(column.1, above));
                    *side = side.max(x.abs());
                }
            }
            let square = Enclosure::new(low, high);
            squares = squares + square;
            largest = largest.max(square);
        }
        let columns = columns.into_iter().map(|(low, high)| Enclosure::new(low, high));
        let largest_column = columns.fold(Enclosure::ZERO, Enclosure::max);
        Ok(PointSizes { n: points.len() / d, d, squares, largest, largest_column, box_sides })
    }

    /// The same with the constant 1 appended to every point.
    #[must_use]
    pub fn with_constant(&self) -> PointSizes {
        let n = Enclosure::whole(self.n as u64);
        let mut box_sides = self.box_sides.clone();
        box_sides.push(1.0);
        PointSizes {
            n: self.n,
            d: self.d + 1,
            squares: self.squares + n,
            largest: self.largest + Enclosure::ONE,
            largest_column: self.largest_column.max(n),
            box_sides,
        }
    }
}
