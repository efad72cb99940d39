//! Blocks of a kernel matrix, and its products with few columns, recomputed block by block.
//!
//! Symbols: K the n × m matrix k(x_i, x'_j) of n points and m centres in R^d; A coefficients, m × C.
//!
//! A block costs 2rcd operations for its inner products, by one call of the product kernel for each [`DEPTH`] coordinates, and
//! some tens for each entry. How the work is split depends on n, m and d alone, so bytes do not depend on the number
//! of threads. A product with K takes n m (d + C) multiplications and additions; with the points among themselves half of
//! those of the blocks, since each block serves two.
//!
//! **Bound of a product.** K̂ entries as computed, |K̂_ij − K_ij| <= e_ij ([`entry`](super::entry)), u = 2^-53. The sum f̂ of m computed products
//! K̂_ij A_jc, in any order, fused or not, is off by at most γ_m Σ_j |K̂_ij| |A_jc| (Higham, Accuracy and Stability of Numerical
//! Algorithms, section 3.1) and by m 2^-1074 where products underflow. So
//!
//! ```text
//! |f̂_ic − Σ_j K_ij A_jc| <= Σ_j (e_ij + γ_m |K̂_ij|) |A_jc| + TINY
//! ```
//!
//! That sum of nonnegative terms is computed in the same way, and rounded at most γ_{m+2} relative: the result is multiplied by
//! more. It is a second product with C columns, cheap beside the inner products.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use shatter_exact::Element;
use shatter_linear::packed::Packed;
use shatter_matrix::product::{Matrix, MatrixMut, product};

use super::entry::{Entries, SLACK, TINY, gamma};
use super::features::{Features, FeaturesError};
use super::kernel::Kernel;
use super::watch::{Counter, Phase, Stopped, Watch};

/// Coordinates of one product.
const DEPTH: usize = 1024;

/// Rows and columns of a block of a product with few columns.
const BLOCK: usize = 256;

/// A kernel over points and centres.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blocks<'a> {
    kernel: Kernel,
    points: &'a Features,
    centres: &'a Features,
    entries: Entries,
    /// The points are the centres.
    same: bool,
}

/// Where a block is computed.
#[derive(Default)]
pub(crate) struct Scratch {
    left: Vec<f64>,
    right: Vec<f64>,
    /// The block, row-major.
    pub values: Vec<f64>,
    /// Bounds on the errors of its entries.
    pub bounds: Vec<f64>,
}

/// A product with K.
#[derive(Clone, Debug)]
pub(crate) struct Times {
    /// n × C.
    pub values: Vec<f64>,
    /// Bounds on their errors, n × C; empty where they were not asked for.
    pub bounds: Vec<f64>,
}

impl<'a> Blocks<'a> {
    /// The kernel of points and centres.
    ///
    /// # Errors
    /// [`FeaturesError::Columns`], [`FeaturesError::Unit`].
    pub fn new(
        kernel: Kernel,
        points: &'a Features,
        centres: &'a Features,
    ) -> Result<Blocks<'a>, FeaturesError> {
        let (expected, found) = (centres.columns(), points.columns());
        if expected != found {
            return Err(FeaturesError::Columns { expected, found });
        }
        if centres.divisor() != points.divisor() {
            return Err(FeaturesError::Unit {
                expected: centres.divisor(),
                found: points.divisor(),
            });
        }
        let exact = centres.exact_with(points);
        let entries = Entries::new(kernel, expected, centres.divisor(), exact);
        Ok(Blocks { kernel, points, centres, entries, same: std::ptr::eq(points, centres) })
    }

    /// The kernel of points among themselves.
    pub fn symmetric(kernel: Kernel, points: &'a Features) -> Blocks<'a> {
        let exact = points.products_are_exact();
        let entries = Entries::new(kernel, points.columns(), points.divisor(), exact);
        Blocks { kernel, points, centres: points, entries, same: true }
    }

    /// The kernel.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// The points.
    pub fn points(&self) -> &'a Features {
        self.points
    }

    /// The centres.
    pub fn centres(&self) -> &'a Features {
        self.centres
    }

    /// The entry of a point with itself.
    pub fn diagonal(&self, i: usize) -> f64 {
        self.entries.diagonal(self.points.norms()[i]).0
    }

    /// Computes a block, with bounds if they are asked for.
    pub fn fill(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
        bounded: bool,
        scratch: &mut Scratch,
    ) {
        let (r, c, d) = (rows.len(), columns.len(), self.centres.columns());
        let Scratch { left, right, values, bounds } = scratch;
        values.resize(r * c, 0.0);
        for start in (0..d).step_by(DEPTH) {
            let part = start..(start + DEPTH).min(d);
            let depth = part.len();
            self.points.write(rows.clone(), part.clone(), left);
            self.centres.write(columns.clone(), part, right);
            let into = MatrixMut::of_rows(&mut values[..r * c], r, c);
            let right = Matrix::of_rows(right, c, depth).transposed();
            product(into, start > 0, Matrix::of_rows(left, r, depth), right);
        }
        if bounded {
            bounds.resize(r * c, 0.0);
        }
        let q = &self.centres.norms()[columns.clone()];
        for (at, i) in rows.enumerate() {
            let p = self.points.norms()[i];
            let row = &mut values[at * c..(at + 1) * c];
            let mut of_bounds = bounded.then(|| &mut bounds[at * c..(at + 1) * c]);
            self.entries.row(p, q, row, of_bounds.as_deref_mut());
            if self.same && columns.contains(&i) {
                let (value, bound) = self.entries.diagonal(p);
                row[i - columns.start] = value;
                if let Some(of_bounds) = of_bounds {
                    of_bounds[i - columns.start] = bound;
                }
            }
        }
    }

    /// Writes the lower triangle of K + `ridge` I, for points among themselves, from block column `from` on.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn gram<E: Element>(
        &self,
        into: &mut Packed<E>,
        from: usize,
        ridge: f64,
        watch: &mut Watch,
    ) -> Result<(), Stopped> {
        let count: usize = (from..into.blocks()).map(|k| into.column(k).len()).sum();
        let done = Mutex::new(Counter::new(watch, Phase::Matrix, count as u64));
        into.tiles_from_mut(from).try_for_each_init(Scratch::default, |scratch, tile| {
            let (rows, columns) = (tile.rows.clone(), tile.columns.clone());
            self.fill(rows.clone(), columns.clone(), false, scratch);
            let width = columns.len();
            for (at, i) in rows.enumerate().filter(|(_, i)| columns.contains(i)) {
                scratch.values[at * width + i - columns.start] += ridge;
            }
            tile.entries.iter_mut().zip(&scratch.values).for_each(|(to, &x)| *to = E::of(x));
            // Whoever panicked in a watcher left a count behind, and nothing else.
            done.lock().unwrap_or_else(PoisonError::into_inner).add(tile.entries.len() as u64)
        })
    }

    /// K A, and bounds on the errors if they are asked for; `done` hears how many entries of K are behind.
    pub fn times(
        &self,
        coefficients: &[f64],
        outputs: usize,
        bounded: bool,
        done: &mut Counter,
    ) -> Result<Times, Stopped> {
        let (n, m) = (self.points.rows(), self.centres.rows());
        let sizes: Vec<f64> = match bounded {
            true => coefficients.iter().map(|x| x.abs()).collect(),
            false => Vec::new(),
        };
        let with = Columns { coefficients, sizes: &sizes, outputs, gamma: gamma(m) };
        let mut values = vec![0.0; n * outputs];
        let mut bounds = vec![0.0; sizes.len() / m.max(1) * n];
        let starts = |count: usize| {
            (0..count).step_by(BLOCK).map(move |start| start..(start + BLOCK).min(count))
        };
        for rows in starts(n) {
            let columns: Vec<Range<usize>> = match self.same {
                true => starts(rows.end).collect(),
                false => starts(m).collect(),
            };
            let here = rows.start * outputs..rows.end * outputs;
            // Of each block its products with coefficients of its columns, for these rows; where the points are the centres, also
            // with those of its rows, for the rows before.
            let (before, now) = values.split_at_mut(here.start);
            let split = here.start.min(bounds.len());
            let (bounds_before, bounds_now) = bounds.split_at_mut(split);
            let width = BLOCK * outputs;
            let mut earlier: Vec<Option<(&mut [f64], &mut [f64])>> = Vec::new();
            if self.same {
                let mut of_bounds = bounds_before.chunks_mut(width);
                let pairs = before.chunks_mut(width);
                earlier
                    .extend(pairs.map(|part| Some((part, of_bounds.next().unwrap_or_default()))));
            }
            earlier.resize_with(columns.len(), || None);
            let parts: Vec<Times> = columns
                .par_iter()
                .zip(earlier)
                .map_init(Scratch::default, |scratch, (columns, earlier)| {
                    self.fill(rows.clone(), columns.clone(), bounded, scratch);
                    with.block(&rows, columns, scratch, earlier)
                })
                .collect();
            for part in parts {
                add(&mut now[..here.len()], &part.values);
                if bounded {
                    add(&mut bounds_now[..here.len()], &part.bounds);
                }
            }
            done.add(columns.iter().map(|columns| (columns.len() * rows.len()) as u64).sum())?;
        }
        // γ_{m+2}, and the additions of parts that are among the m − 1.
        let grown = SLACK * (1.0 + gamma(m + 4));
        for (bound, value) in bounds.iter_mut().zip(&values) {
            // A sum that overflowed is known to within nothing, whatever its terms are.
            *bound = if value.is_finite() { *bound * grown + TINY } else { f64::INFINITY };
        }
        Ok(Times { values, bounds })
    }

    /// Entries of K that are computed for one product.
    pub fn work(&self) -> u64 {
        let (n, m) = (self.points.rows() as u64, self.centres.rows() as u64);
        if !self.same {
            return n * m;
        }
        let (b, whole) = (BLOCK as u64, n / BLOCK as u64);
        b * b * (whole * (whole + 1) / 2) + (n % b) * n
    }
}

fn add(to: &mut [f64], from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, x)| *to += x);
}

/// The matrix with which K is multiplied.
struct Columns<'a> {
    coefficients: &'a [f64],
    /// Their absolute values, where bounds are asked for.
    sizes: &'a [f64],
    outputs: usize,
    /// γ_m.
    gamma: f64,
}

impl Columns<'_> {
    /// Products of a block; adds those of its transpose to `earlier`.
    fn block(
        &self,
        rows: &Range<usize>,
        columns: &Range<usize>,
        scratch: &mut Scratch,
        earlier: Option<(&mut [f64], &mut [f64])>,
    ) -> Times {
        let (r, c, outputs) = (rows.len(), columns.len(), self.outputs);
        let Scratch { values, bounds, .. } = scratch;
        let part = |of: &Range<usize>| of.start * outputs..of.end * outputs;
        let multiplied = |block: &[f64], by: &[f64]| {
            let mut into = vec![0.0; r * outputs];
            let by = Matrix::of_rows(&by[part(columns)], c, outputs);
            product(
                MatrixMut::of_rows(&mut into, r, outputs),
                false,
                Matrix::of_rows(block, r, c),
                by,
            );
            into
        };
        let transposed = |block: &[f64], by: &[f64], into: &mut [f64]| {
            let by = Matrix::of_rows(&by[part(rows)], r, outputs);
            let block = Matrix::of_rows(block, r, c).transposed();
            product(MatrixMut::of_rows(into, c, outputs), true, block, by);
        };
        let of_values = multiplied(values, self.coefficients);
        let (into, into_bounds) = earlier.unwrap_or_default();
        if !into.is_empty() {
            transposed(values, self.coefficients, into);
        }
        if self.sizes.is_empty() {
            return Times { values: of_values, bounds: Vec::new() };
        }
        for (bound, value) in bounds.iter_mut().zip(&*values) {
            *bound += self.gamma * value.abs();
        }
        if !into_bounds.is_empty() {
            transposed(bounds, self.sizes, into_bounds);
        }
        Times { values: of_values, bounds: multiplied(bounds, self.sizes) }
    }
}
