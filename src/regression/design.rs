//! X and Y of a linear model: the points of a prepared sample row by row, and what outputs should be.
//!
//! A class of K classes is the target e_k, 1 at its own output and 0 at the K − 1 others; a real label is its
//! numbers. A bias is the weight of a constant 1 that is appended to every point: it is learned, decayed and counted in
//! norms like any other weight.

use rayon::prelude::*;

use shatter_matrix::product::{Matrix, MatrixMut, product_by_columns};
use shatter_prepare::Prepared;
use shatter_sample::Labels;

use super::RegressionError;

/// Columns of a product that one thread computes.
const TILE: usize = 64;

/// The largest number must be 0 or between 2^-LIMIT and 2^LIMIT: sums of its squares, and of squares of weights, which are
/// quotients, neither vanish nor overflow.
const LIMIT: i32 = 200;

/// X: n points of d coordinates.
///
/// ```
/// use shatter_regression::Design;
/// let x = Design::new(vec![3.0, 4.0, 0.0, 1.0], 2, true)?;
/// assert_eq!((x.rows(), x.columns(), x.row(0)), (2, 3, &[3.0, 4.0, 1.0][..]));
/// assert!(Design::new(vec![f64::NAN], 1, false).is_err());
/// # Ok::<(), shatter_regression::RegressionError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Design {
    /// n × d, row by row; with a bias the last coordinate of each is 1.
    values: Vec<f64>,
    rows: usize,
    columns: usize,
    bias: bool,
}

/// Y: k numbers for each of n points.
#[derive(Clone, Debug, PartialEq)]
pub struct Targets {
    values: Vec<f64>,
    outputs: usize,
}

/// Points that are there more than once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Duplicates {
    /// Points that equal an earlier one, with equal targets.
    pub equal: usize,
    /// Points that equal an earlier one, with other targets.
    pub different: usize,
    /// The first of the latter, after the point that it equals.
    pub first: Option<(usize, usize)>,
}

impl Design {
    /// Points of `columns` coordinates, row by row; with `bias` a 1 is appended to each.
    ///
    /// # Errors
    /// [`RegressionError::Empty`], [`RegressionError::Ragged`], [`RegressionError::Range`], also for numbers that are
    /// not finite.
    pub fn new(values: Vec<f64>, columns: usize, bias: bool) -> Result<Design, RegressionError> {
        if columns == 0 || values.is_empty() {
            let rows = values.len().checked_div(columns).unwrap_or(0);
            return Err(RegressionError::Empty { rows, columns });
        }
        if !values.len().is_multiple_of(columns) {
            return Err(RegressionError::Ragged { values: values.len(), columns });
        }
        in_range("coordinate", &values, columns)?;
        let rows = values.len() / columns;
        if !bias {
            return Ok(Design { values, rows, columns, bias });
        }
        let mut with_ones = Vec::with_capacity(values.len() + rows);
        for row in values.chunks_exact(columns) {
            with_ones.extend_from_slice(row);
            with_ones.push(1.0);
        }
        Ok(Design { values: with_ones, rows, columns: columns + 1, bias })
    }

    /// The points of a sample, prepared as for training.
    ///
    /// # Errors
    /// Those of [`Design::new`].
    pub fn of(prepared: &Prepared<f64>, bias: bool) -> Result<Design, RegressionError> {
        Design::new(prepared.values.as_ref().clone(), prepared.shape.len(), bias)
    }

    /// n.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// d, the appended 1 included.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Coordinates of a point, without an appended 1.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.columns - usize::from(self.bias)
    }

    /// Returns whether a 1 was appended.
    #[must_use]
    pub fn has_bias(&self) -> bool {
        self.bias
    }

    /// Point i, the appended 1 included.
    ///
    /// # Panics
    /// If i is not below n.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.columns..(i + 1) * self.columns]
    }

    /// ‖x_i‖² for every point.
    #[must_use]
    pub fn squared_norms(&self) -> Vec<f64> {
        let rows = self.values.par_chunks_exact(self.columns);
        rows.map(|row| row.iter().map(|x| x * x).sum()).collect()
    }

    /// ‖X‖, of all entries.
    #[must_use]
    pub fn norm(&self) -> f64 {
        self.squared_norms().iter().sum::<f64>().sqrt()
    }

    /// XW, n × k, for W of d × k.
    ///
    /// # Panics
    /// If W has another length: a defect of the caller.
    #[must_use]
    pub fn outputs(&self, weights: &[f64], outputs: usize) -> Vec<f64> {
        let mut result = vec![0.0; self.rows * outputs];
        let weights = Matrix::of_rows(weights, self.columns, outputs);
        let into = MatrixMut::of_rows(&mut result, self.rows, outputs);
        product_by_columns(into, false, self.matrix(), weights, TILE);
        result
    }

    /// XᵀA, d × k, for A of n × k.
    ///
    /// # Panics
    /// If A has another length: a defect of the caller.
    #[must_use]
    pub fn combinations(&self, coefficients: &[f64], outputs: usize) -> Vec<f64> {
        let mut result = vec![0.0; self.columns * outputs];
        let coefficients = Matrix::of_rows(coefficients, self.rows, outputs);
        let into = MatrixMut::of_rows(&mut result, self.columns, outputs);
        product_by_columns(into, false, self.matrix().transposed(), coefficients, TILE);
        result
    }

    /// The smaller matrix of products, row by row: XXᵀ where n ≤ d, XᵀX where not.
    #[must_use]
    pub(super) fn products(&self) -> Vec<f64> {
        let x = self.matrix();
        let (size, left, right) = match self.rows <= self.columns {
            true => (self.rows, x, x.transposed()),
            false => (self.columns, x.transposed(), x),
        };
        let mut result = vec![0.0; size * size];
        product_by_columns(MatrixMut::of_rows(&mut result, size, size), false, left, right, TILE);
        result
    }

    fn matrix(&self) -> Matrix<'_, f64> {
        Matrix::of_rows(&self.values, self.rows, self.columns)
    }

    /// Coordinates that are the same in all points, an appended 1 left out.
    ///
    /// ```
    /// use shatter_regression::Design;
    /// assert_eq!(Design::new(vec![3.0, 4.0, 0.0, 4.0], 2, true)?.constant(), [1]);
    /// # Ok::<(), shatter_regression::RegressionError>(())
    /// ```
    #[must_use]
    pub fn constant(&self) -> Vec<usize> {
        let mut varies = vec![false; self.inputs()];
        let first = self.row(0);
        for row in self.values.chunks_exact(self.columns) {
            for ((varies, x), y) in varies.iter_mut().zip(row).zip(first) {
                *varies |= x != y;
            }
        }
        (0..varies.len()).filter(|&k| !varies[k]).collect()
    }

    /// Counts the points that equal an earlier one.
    ///
    /// # Errors
    /// [`RegressionError::TargetCount`].
    pub fn duplicates(&self, targets: &Targets) -> Result<Duplicates, RegressionError> {
        targets.belong_to(self)?;
        let compare = |&i: &usize, &j: &usize| {
            let numbers = self.row(i).iter().zip(self.row(j));
            let different = numbers.map(|(x, y)| key(*x).total_cmp(&key(*y))).find(|o| o.is_ne());
            different.unwrap_or(i.cmp(&j))
        };
        let mut order: Vec<usize> = (0..self.rows).collect();
        order.par_sort_unstable_by(compare);
        let mut found = Duplicates::default();
        let mut first: Option<(usize, usize)> = None;
        for equal in order.chunk_by(|&i, &j| self.row(i) == self.row(j)) {
            for &later in &equal[1..] {
                if targets.row(equal[0]) == targets.row(later) {
                    found.equal += 1;
                } else {
                    found.different += 1;
                    if first.is_none_or(|(_, earliest)| later < earliest) {
                        first = Some((equal[0], later));
                    }
                }
            }
        }
        found.first = first;
        Ok(found)
    }
}

impl Targets {
    /// Targets of `outputs` numbers a point.
    ///
    /// # Errors
    /// [`RegressionError::Empty`], [`RegressionError::Ragged`], [`RegressionError::Range`].
    pub fn new(values: Vec<f64>, outputs: usize) -> Result<Targets, RegressionError> {
        if outputs == 0 || values.is_empty() {
            return Err(RegressionError::Empty { rows: 0, columns: outputs });
        }
        if !values.len().is_multiple_of(outputs) {
            return Err(RegressionError::Ragged { values: values.len(), columns: outputs });
        }
        in_range("target", &values, outputs)?;
        Ok(Targets { values, outputs })
    }

    /// The targets of labels: one-hot for classes.
    ///
    /// ```
    /// use shatter_regression::Targets;
    /// use shatter_sample::Labels;
    /// let targets = Targets::of(&Labels::classes(vec![2, 0], 3)?)?;
    /// assert_eq!((targets.outputs(), targets.row(0)), (3, &[0.0, 0.0, 1.0][..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Targets::new`].
    pub fn of(labels: &Labels) -> Result<Targets, RegressionError> {
        match labels {
            Labels::Classes { of, count, .. } => {
                let outputs = *count as usize;
                let mut values = vec![0.0; of.len() * outputs];
                for (row, &class) in values.chunks_exact_mut(outputs.max(1)).zip(of) {
                    row[class as usize] = 1.0; // below the count by construction
                }
                Targets::new(values, outputs)
            }
            Labels::Real { values, outputs } => Targets::new(values.clone(), *outputs),
        }
    }

    /// k.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// All numbers, n × k, row by row.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The targets of point i.
    ///
    /// # Panics
    /// If i is out of range.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.outputs..(i + 1) * self.outputs]
    }

    pub(super) fn belong_to(&self, design: &Design) -> Result<(), RegressionError> {
        let targets = self.values.len() / self.outputs;
        match targets == design.rows {
            true => Ok(()),
            false => Err(RegressionError::TargetCount { targets, rows: design.rows }),
        }
    }
}

/// One number for both zeros.
fn key(x: f64) -> f64 {
    x + 0.0
}

fn in_range(what: &'static str, values: &[f64], columns: usize) -> Result<(), RegressionError> {
    let refuse = |at: usize| {
        let (row, column) = (at / columns, at % columns);
        Err(RegressionError::Range { what, row, column, value: values[at] })
    };
    let most = 2f64.powi(LIMIT);
    // What is not finite is not within the bounds.
    if let Some(at) = values.iter().position(|x| !(-most..=most).contains(x)) {
        return refuse(at);
    }
    let largest = (0..values.len()).max_by(|&i, &j| values[i].abs().total_cmp(&values[j].abs()));
    match largest {
        Some(at) if values[at] != 0.0 && values[at].abs() < most.recip() => refuse(at),
        _ => Ok(()),
    }
}
