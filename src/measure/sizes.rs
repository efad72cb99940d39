//! Sizes of points: what the bounds on norms need of a sample.
//!
//! Points x_1, …, x_n ∈ R^d as the network takes them. Every value is enclosed. **Cost.** A few operations a
//! coordinate.

use rayon::prelude::*;

use crate::outward::{add_down, add_up, mul_both};
use crate::{Enclosure, MeasureError};

/// Points of a block.
const BLOCK: usize = 1024;

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
        // Blocks do not depend on the number of threads, and are added in their order.
        let blocks: Vec<Block> = points.par_chunks(BLOCK * d).map(|x| Block::of(x, d)).collect();
        let mut columns = vec![Enclosure::ZERO; d];
        let mut box_sides = vec![0.0f64; d];
        let (mut squares, mut largest) = (Enclosure::ZERO, Enclosure::ZERO);
        for block in &blocks {
            squares = squares + block.squares;
            largest = largest.max(block.largest);
            for (column, &(low, high)) in columns.iter_mut().zip(&block.columns) {
                *column = *column + Enclosure::new(low, high);
            }
            for (side, &other) in box_sides.iter_mut().zip(&block.box_sides) {
                *side = side.max(other);
            }
        }
        let largest_column = columns.into_iter().fold(Enclosure::ZERO, Enclosure::max);
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

/// Sizes of the points of one block.
struct Block {
    squares: Enclosure,
    largest: Enclosure,
    columns: Vec<(f64, f64)>,
    box_sides: Vec<f64>,
}

impl Block {
    fn of(points: &[f64], d: usize) -> Block {
        let (mut columns, mut box_sides) = (vec![(0.0, 0.0); d], vec![0.0f64; d]);
        let (mut squares, mut largest) = (Enclosure::ZERO, Enclosure::ZERO);
        for point in points.chunks_exact(d) {
            let (mut low, mut high) = (0.0, 0.0);
            for ((&x, column), side) in point.iter().zip(&mut columns).zip(&mut box_sides) {
                if x != 0.0 {
                    let (below, above) = mul_both(x, x);
                    (low, high) = (add_down(low, below), add_up(high, above));
                    *column = (add_down(column.0, below), add_up(column.1, above));
                    *side = side.max(x.abs());
                }
            }
            let square = Enclosure::new(low, high);
            squares = squares + square;
            largest = largest.max(square);
        }
        Block { squares, largest, columns, box_sides }
    }
}
