//! The Cholesky factorisation of a packed matrix, in place, and solutions by it.
//!
//! **Statement.** A symmetric positive definite n × n matrix A is L Lᵀ for exactly one lower triangular L
//! with a positive diagonal. Source: Golub and Van Loan, *Matrix Computations*, 4.2; the blocked order is
//! 4.2.6 (left-looking).
//!
//! **Algorithm.** Block column by block column, k = 0, 1, …, each once:
//!
//! 1. A[k.., k] −= Σ_{p < k} L[k.., p] L[k, p]ᵀ, over the block columns that are done;
//! 2. the tile on the diagonal becomes its own factor L[k, k];
//! 3. each row x below it becomes the solution l of l L[k, k]ᵀ = x.
//!
//! A block column is read before its turn by nobody and never written after it. So a factorisation that
//! stopped after k block columns continues from these and from the entries of A in the others, which the
//! function that gave them gives again; a file of block columns grows at its end alone.
//!
//! **Cost.** n³/3 operations (additions and multiplications), and a few n² b more for tiles of b rows; no
//! memory beside the matrix but 2 b² entries a thread.
//!
//! **Pivots.** The pivot of row j is what is left of a_jj: the square of the distance of feature vector j from
//! the span of those before it, if A is their Gram matrix. Computed in arithmetic with unit roundoff u it is the
//! pivot of a matrix that differs from A by at most γ_{j+2} √(a_ii a_jj) at (i, j), γ_k = ku/(1 − ku) (Higham,
//! *Accuracy and Stability of Numerical Algorithms*, 10.1: by at most γ Σ_p |l_ip l_jp|, and Σ_p l_jp² <= a_jj up to that
//! factor). A pivot that is not positive therefore shows that A is not positive definite, or so close to a
//! matrix that is not that rounding cannot tell; the error names it with that bound for (j, j). The pivot itself may have
//! moved by far more, as the rows before it are nearly dependent. A positive pivot below the bound is no error.
//! [`smallest_pivot`] tells.
//!
//! **Solutions.** L Lᵀ x = b is solved by block columns forwards and backwards; both read L once, which is what they
//! take for few right sides. A sum over rows is taken in parts of a fixed number of rows, added up in order.
//!
//! Every entry is summed in an order that n and b fix: the bytes of L do not depend on the number of threads,
//! nor on where the factorisation was resumed.

use std::ops::{ControlFlow, Range};

use rayon::prelude::*;
use shatter_exact::Element;
use shatter_matrix::product::{Matrix, MatrixMut, product, subtract_product};
use shatter_matrix::vectors::vectorised;

use crate::packed::{Done, Packed};

/// Rows that a task takes at a time.
const ROWS: usize = 512;
/// Rows of a part of a tile on the diagonal, right of which nothing is computed.
const STRIP: usize = 128;
/// Columns of a triangle that is factored and solved with directly.
const BASE: usize = 64;
/// Rows over which one product sums in a backward solution.
const PART: usize = 2048;
/// Rows that are solved for side by side, an entry of a vector each.
const LANES: usize = 16;

/// Reason why a matrix has no Cholesky factor.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum CholeskyError {
    /// A pivot is 0 or negative.
    #[error(
        "the matrix is not positive definite: pivot {pivot} is {value:e}, of a diagonal entry {diagonal:e}; \
         entries that differ by at most as much as {bound:e} there may make the matrix indefinite"
    )]
    NotPositive {
        /// Row of the pivot, from 0: rows before it are independent of each other.
        pivot: usize,
        /// The pivot.
        value: f64,
        /// The diagonal entry of the matrix in that row.
        diagonal: f64,
        /// Bound on the backward error of the diagonal entry of that row: γ_{j+2} a_jj.
        bound: f64,
    },
    /// A pivot is infinite or not a number, because an entry is, or a sum overflowed.
    #[error("the matrix has entries that are not finite, or too large, in row {pivot} or before")]
    NotFinite {
        /// Row of the pivot, from 0.
        pivot: usize,
    },
}

/// How far a factorisation is, after a block column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Block columns that are done, also those of earlier runs.
    pub columns: usize,
    /// Block columns in all.
    pub of: usize,
    /// Operations done in these columns (n³/3 in all).
    pub work: f64,
    /// Operations in all columns.
    pub total: f64,
}

/// How a factorisation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The matrix holds L.
    Whole,
    /// The watcher stopped it; so many block columns hold those of L, the others those of A.
    Stopped {
        /// Block columns that are done.
        columns: usize,
    },
}

/// Operations of the first `columns` columns of the factor of a matrix of n rows, to leading order: entry (i, j) takes
/// 2 j, row i >= j.
#[must_use]
pub fn work(n: usize, columns: usize) -> f64 {
    let (n, c) = (n as f64, columns as f64);
    c * c * (n - 2.0 / 3.0 * c)
}

/// Replaces the symmetric matrix in `a` by its Cholesky factor, of which the first `from` block columns are there
/// already. `watch` sees the matrix after each block column and may stop.
///
/// ```
/// use std::ops::ControlFlow;
/// use shatter_linear::cholesky::{Ended, factor};
/// use shatter_linear::packed::Packed;
/// let mut a = Packed::<f64>::zeros(2)?;
/// a.fill(|i, j| [[4.0, 2.0], [2.0, 10.0]][i][j]);
/// let ended = factor(&mut a, 0, |_, _| ControlFlow::Continue(()))?;
/// assert_eq!(ended, Ended::Whole);
/// assert_eq!((a.at(0, 0), a.at(1, 0), a.at(1, 1)), (2.0, 1.0, 3.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`CholeskyError`]; the matrix then holds nothing of use from the block column of the pivot on.
pub fn factor<E: Element>(
    a: &mut Packed<E>,
    from: usize,
    mut watch: impl FnMut(&Packed<E>, Progress) -> ControlFlow<()>,
) -> Result<Ended, CholeskyError> {
    let (n, of) = (a.n(), a.blocks());
    for k in from..of {
        let columns = a.columns(k);
        let (done, column) = a.split(k);
        block_column(&done, column, k, columns.start, columns.len())?;
        let (work, total) = (work(n, columns.end), work(n, n));
        let progress = Progress { columns: k + 1, of, work, total };
        if watch(a, progress).is_break() && k + 1 < of {
            return Ok(Ended::Stopped { columns: k + 1 });
        }
    }
    Ok(Ended::Whole)
}

/// Computes block column k, whose columns are `first` and the next `width`.
fn block_column<E: Element>(
    done: &Done<E>,
    column: &mut [E],
    k: usize,
    first: usize,
    width: usize,
) -> Result<(), CholeskyError> {
    let (diagonal, below) = column.split_at_mut(width * width);
    let below_first = first + width;
    let (factored, ()) = rayon::join(
        || {
            let entries: Vec<E> = (0..width).map(|i| diagonal[i * width + i]).collect();
            diagonal.par_chunks_mut(STRIP * width).enumerate().for_each(|(strip, rows)| {
                let count = rows.len() / width;
                let columns = strip * STRIP + count;
                subtract_done(
                    done,
                    k,
                    rows,
                    (first + strip * STRIP, count),
                    first,
                    (columns, width),
                );
            });
            factor_tile(diagonal, width).map_err(|j| refused(&entries, diagonal, width, first, j))
        },
        || {
            below.par_chunks_mut(ROWS * width).enumerate().for_each(|(chunk, rows)| {
                let count = rows.len() / width;
                let row = below_first + chunk * ROWS;
                subtract_done(done, k, rows, (row, count), first, (width, width));
            });
        },
    );
    factored?;
    let diagonal = &*diagonal;
    below.par_chunks_mut(ROWS * width).for_each(|rows| {
        let mut solved = vec![E::zero(); rows.len()];
        solve_rows(diagonal, width, 0, width, rows, &mut solved);
    });
    Ok(())
}

/// The error of pivot j of a tile whose diagonal was `entries`.
fn refused<E: Element>(
    entries: &[E],
    tile: &[E],
    width: usize,
    first: usize,
    j: usize,
) -> CholeskyError {
    let (pivot, value) = (first + j, tile[j * width + j].to_f64());
    if !value.is_finite() {
        return CholeskyError::NotFinite { pivot };
    }
    let diagonal = entries[j].to_f64();
    CholeskyError::NotPositive { pivot, value, diagonal, bound: pivot_bound::<E>(pivot, diagonal) }
}

/// Bound on the backward error of entry (j, j): γ_{j+2} a_jj, see above.
fn pivot_bound<E: Element>(j: usize, diagonal: f64) -> f64 {
    let unit = E::epsilon().to_f64() / 2.0;
    let all = (j as f64 + 2.0) * unit;
    if all < 1.0 { all / (1.0 - all) * diagonal.abs() } else { f64::INFINITY }
}

/// `rows` (the first `columns` entries of each) −= Σ_{p < k} L[rows, p] L[first.., p]ᵀ.
fn subtract_done<E: Element>(
    done: &Done<E>,
    k: usize,
    rows: &mut [E],
    (row, count): (usize, usize),
    first: usize,
    (columns, stride): (usize, usize),
) {
    for p in 0..k {
        let (left, width) = done.below(p, row);
        let (right, _) = done.below(p, first);
        subtract_product(
            MatrixMut::new(rows, (count, columns), stride),
            Matrix::of_rows(left, count, width),
            Matrix::of_rows(right, columns, width).transposed(),
        );
    }
}

/// Factors a square tile in place and clears what is above its diagonal; the number of the pivot that is not
/// positive, which is left in its place.
fn factor_tile<E: Element>(tile: &mut [E], n: usize) -> Result<(), usize> {
    let mut panel = Vec::new();
    for first in (0..n).step_by(BASE) {
        let width = BASE.min(n - first);
        let (top, below) = tile.split_at_mut((first + width) * n);
        let square = &mut top[first * n..];
        vectorised(
            #[inline(always)]
            || factor_base(square, n, first, width),
        )
        .map_err(|j| first + j)?;
        let rows = n - first - width;
        if rows == 0 {
            break;
        }
        // The triangle by itself, and the rows below it solved for.
        let mut triangle = vec![E::zero(); width * width];
        for (i, row) in triangle.chunks_exact_mut(width).enumerate() {
            row.copy_from_slice(&square[i * n + first..][..width]);
        }
        panel.clear();
        panel.resize(rows * width, E::zero());
        for (from, to) in below.chunks_exact(n).zip(panel.chunks_exact_mut(width)) {
            to.copy_from_slice(&from[first..first + width]);
        }
        let mut solved = vec![E::zero(); panel.len()];
        solve_rows(&triangle, width, 0, width, &mut panel, &mut solved);
        for (to, from) in below.chunks_exact_mut(n).zip(solved.chunks_exact(width)) {
            to[first..first + width].copy_from_slice(from);
        }
        // What is right of it, strip by strip up to the diagonal.
        for start in (0..rows).step_by(STRIP) {
            let count = STRIP.min(rows - start);
            let columns = start + count;
            let strip = &mut below[start * n + first + width..];
            subtract_product(
                MatrixMut::new(strip, (count, columns), n),
                Matrix::of_rows(&solved[start * width..], count, width),
                Matrix::of_rows(&solved, columns, width).transposed(),
            );
        }
    }
    for i in 0..n {
        tile[i * n + i + 1..(i + 1) * n].fill(E::zero());
    }
    Ok(())
}

/// Factors the `width` rows in `square` at columns `first`.., of rows of `stride` entries.
#[inline(always)]
fn factor_base<E: Element>(
    square: &mut [E],
    stride: usize,
    first: usize,
    width: usize,
) -> Result<(), usize> {
    let mut column = [E::zero(); BASE];
    for j in 0..width {
        let place = j * stride + first + j;
        let pivot = square[place];
        if !(pivot > E::zero() && pivot.is_finite()) {
            return Err(j);
        }
        let root = pivot.sqrt();
        square[place] = root;
        for i in j + 1..width {
            let entry = &mut square[i * stride + first + j];
            *entry /= root;
            column[i] = *entry;
        }
        for i in j + 1..width {
            let factor = column[i];
            let row = &mut square[i * stride + first + j + 1..][..i - j];
            for (entry, &other) in row.iter_mut().zip(&column[j + 1..=i]) {
                *entry -= factor * other;
            }
        }
    }
    Ok(())
}

/// Replaces columns `start` to `end` of each row x in `rows` (of n entries) by those of the solution l of l Lᵀ = x,
/// where the n × n `triangle` holds L and columns before `start` are solved for and subtracted already. The solution is
/// also in `solved`, so that one is read while the other is written.
fn solve_rows<E: Element>(
    triangle: &[E],
    n: usize,
    start: usize,
    end: usize,
    rows: &mut [E],
    solved: &mut [E],
) {
    if end - start <= BASE {
        return vectorised(
            #[inline(always)]
            || solve_rows_base(triangle, n, start, end, rows, solved),
        );
    }
    let middle = start + ((end - start) / 2).next_multiple_of(BASE);
    solve_rows(triangle, n, start, middle, rows, solved);
    let count = rows.len() / n;
    subtract_product(
        MatrixMut::new(&mut rows[middle..], (count, end - middle), n),
        Matrix::new(&solved[start..], (count, middle - start), (n, 1)),
        Matrix::new(&triangle[middle * n + start..], (middle - start, end - middle), (1, n)),
    );
    solve_rows(triangle, n, middle, end, rows, solved);
}

/// [`solve_rows`] of few columns: by substitution, on [`LANES`] rows at a time.
#[inline(always)]
fn solve_rows_base<E: Element>(
    triangle: &[E],
    n: usize,
    start: usize,
    end: usize,
    rows: &mut [E],
    solved: &mut [E],
) {
    let mut lanes = [[E::zero(); LANES]; BASE];
    let lanes = &mut lanes[..end - start];
    for (rows, solved) in rows.chunks_mut(LANES * n).zip(solved.chunks_mut(LANES * n)) {
        let count = rows.len() / n;
        for lane in 0..count {
            for (entry, place) in rows[lane * n + start..lane * n + end].iter().zip(&mut *lanes) {
                place[lane] = *entry;
            }
        }
        for c in 0..lanes.len() {
            let (before, here) = lanes.split_at_mut(c);
            let mut x = here[0];
            let l = &triangle[(start + c) * n + start..][..c + 1];
            for (before, &factor) in before.iter().zip(l) {
                for (x, &other) in x.iter_mut().zip(before) {
                    *x -= factor * other;
                }
            }
            for x in &mut x {
                *x /= l[c];
            }
            here[0] = x;
        }
        for lane in 0..count {
            let row = &mut rows[lane * n + start..lane * n + end];
            let copy = &mut solved[lane * n + start..lane * n + end];
            for ((entry, copy), place) in row.iter_mut().zip(copy).zip(&*lanes) {
                *entry = place[lane];
                *copy = place[lane];
            }
        }
    }
}

/// A pivot of a factor, with what it is left of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pivot {
    /// Its row, from 0.
    pub row: usize,
    /// The pivot.
    pub value: f64,
    /// The diagonal entry of the matrix in that row, as the factor has it.
    pub diagonal: f64,
    /// Bound on the error of a pivot of that row by rounding, in the worst case.
    pub bound: f64,
}

/// The pivot that is the smallest share of its diagonal entry, from a factor; `None` of a matrix without rows. Takes n²
/// operations.
///
/// ```
/// use shatter_linear::cholesky::smallest_pivot;
/// use shatter_linear::packed::Packed;
/// let mut l = Packed::<f64>::zeros(2)?;
/// l.fill(|i, j| [[2.0, 0.0], [1.0, 3.0]][i][j]);
/// let pivot = smallest_pivot(&l).ok_or("no rows")?;
/// assert_eq!((pivot.row, pivot.value, pivot.diagonal), (1, 9.0, 10.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn smallest_pivot<E: Element>(l: &Packed<E>) -> Option<Pivot> {
    let share = |pivot: &Pivot| pivot.value / pivot.diagonal;
    let smallest = |i: usize| {
        let rows = l.columns(i);
        let mut squares = vec![0.0; rows.len()];
        for k in 0..=i {
            let width = l.columns(k).len();
            for (sum, row) in squares.iter_mut().zip(rows_of(l, k, rows.start).chunks_exact(width))
            {
                *sum += row.iter().map(|&x| x.to_f64().powi(2)).sum::<f64>();
            }
        }
        let pivots = rows.zip(squares).map(|(row, diagonal)| {
            let value = l.at(row, row).to_f64().powi(2);
            Pivot { row, value, diagonal, bound: pivot_bound::<E>(row, diagonal) }
        });
        pivots.min_by(|x, y| share(x).total_cmp(&share(y)))
    };
    let of_rows: Vec<Pivot> = (0..l.blocks()).into_par_iter().filter_map(smallest).collect();
    of_rows.into_iter().min_by(|x, y| share(x).total_cmp(&share(y)))
}

/// Block column k from `row` on.
fn rows_of<E>(l: &Packed<E>, k: usize, row: usize) -> &[E] {
    let columns = l.columns(k);
    &l.column(k)[(row - columns.start) * columns.len()..]
}

/// Replaces b, n × `columns` numbers row by row, by the solution x of L Lᵀ x = b: 2 n² operations a column.
///
/// ```
/// use shatter_linear::cholesky::solve;
/// use shatter_linear::packed::Packed;
/// let mut l = Packed::<f64>::zeros(2)?;
/// l.fill(|i, j| [[2.0, 0.0], [1.0, 3.0]][i][j]);
/// // L Lᵀ = (4 2; 2 10), and the solutions are (1, 2) and (0, 1).
/// let mut x = [8.0, 2.0, 22.0, 10.0];
/// solve(&l, &mut x, 2);
/// assert_eq!(x, [1.0, 0.0, 2.0, 1.0]);
/// # Ok::<(), shatter_linear::packed::OutOfMemory>(())
/// ```
///
/// # Panics
/// If `right` does not have n · `columns` numbers: a defect of the caller.
pub fn solve<E: Element>(l: &Packed<E>, right: &mut [E], columns: usize) {
    solve_forwards(l, right, columns);
    solve_backwards(l, right, columns);
}

/// Replaces b by the solution x of L x = b, as [`solve`] does.
///
/// # Panics
/// If `right` does not have n · `columns` numbers: a defect of the caller.
pub fn solve_forwards<E: Element>(l: &Packed<E>, right: &mut [E], columns: usize) {
    assert_eq!(right.len(), l.n() * columns, "numbers on the right side");
    if columns == 0 {
        return;
    }
    let mut rest = right;
    for k in 0..l.blocks() {
        let width = l.columns(k).len();
        let (here, below) = std::mem::take(&mut rest).split_at_mut(width * columns);
        let (triangle, rows) = l.column(k).split_at(width * width);
        forwards(triangle, width, 0..width, here, columns);
        let solved = Matrix::of_rows(here, width, columns);
        let chunks = below.par_chunks_mut(ROWS * columns).zip(rows.par_chunks(ROWS * width));
        chunks.for_each(|(below, rows)| {
            let count = rows.len() / width;
            let left = Matrix::of_rows(rows, count, width);
            subtract_product(MatrixMut::of_rows(below, count, columns), left, solved);
        });
        rest = below;
    }
}

/// Replaces b by the solution x of Lᵀ x = b, as [`solve`] does.
///
/// # Panics
/// If `right` does not have n · `columns` numbers: a defect of the caller.
pub fn solve_backwards<E: Element>(l: &Packed<E>, right: &mut [E], columns: usize) {
    assert_eq!(right.len(), l.n() * columns, "numbers on the right side");
    if columns == 0 {
        return;
    }
    for k in (0..l.blocks()).rev() {
        let (start, width) = (l.columns(k).start, l.columns(k).len());
        let (here, below) = right[start * columns..].split_at_mut(width * columns);
        let (triangle, rows) = l.column(k).split_at(width * width);
        let parts = below.par_chunks(PART * columns).zip(rows.par_chunks(PART * width));
        let parts: Vec<Vec<E>> = parts
            .map(|(below, rows)| {
                let count = rows.len() / width;
                let mut sum = vec![E::zero(); width * columns];
                let left = Matrix::of_rows(rows, count, width).transposed();
                let right = Matrix::of_rows(below, count, columns);
                product(MatrixMut::of_rows(&mut sum, width, columns), false, left, right);
                sum
            })
            .collect();
        for part in parts {
            here.iter_mut().zip(part).for_each(|(x, sum)| *x -= sum);
        }
        backwards(triangle, width, 0..width, here, columns);
    }
}

/// Solves with the rows and columns `range` of an n × n triangle, in place.
fn forwards<E: Element>(
    triangle: &[E],
    n: usize,
    range: Range<usize>,
    x: &mut [E],
    columns: usize,
) {
    if range.len() <= BASE {
        return vectorised(
            #[inline(always)]
            || {
                for i in 0..range.len() {
                    let (before, here) = x.split_at_mut(i * columns);
                    let here = &mut here[..columns];
                    let l = &triangle[(range.start + i) * n + range.start..][..=i];
                    for (row, &factor) in before.chunks_exact(columns).zip(l) {
                        here.iter_mut().zip(row).for_each(|(x, &other)| *x -= factor * other);
                    }
                    here.iter_mut().for_each(|x| *x /= l[i]);
                }
            },
        );
    }
    let (middle, rectangle) = halves(triangle, n, &range);
    let (top, bottom) = x.split_at_mut((middle - range.start) * columns);
    forwards(triangle, n, range.start..middle, top, columns);
    let solved = Matrix::of_rows(top, middle - range.start, columns);
    let into = MatrixMut::of_rows(bottom, range.end - middle, columns);
    subtract_product(into, rectangle, solved);
    forwards(triangle, n, middle..range.end, bottom, columns);
}

/// [`forwards`] with the transpose.
fn backwards<E: Element>(
    triangle: &[E],
    n: usize,
    range: Range<usize>,
    x: &mut [E],
    columns: usize,
) {
    if range.len() <= BASE {
        return vectorised(
            #[inline(always)]
            || {
                for i in (0..range.len()).rev() {
                    let (before, here) = x.split_at_mut(i * columns);
                    let here = &mut here[..columns];
                    let l = &triangle[(range.start + i) * n + range.start..][..=i];
                    here.iter_mut().for_each(|x| *x /= l[i]);
                    for (row, &factor) in before.chunks_exact_mut(columns).zip(l) {
                        row.iter_mut().zip(&*here).for_each(|(x, &other)| *x -= factor * other);
                    }
                }
            },
        );
    }
    let (middle, rectangle) = halves(triangle, n, &range);
    let (top, bottom) = x.split_at_mut((middle - range.start) * columns);
    backwards(triangle, n, middle..range.end, bottom, columns);
    let solved = Matrix::of_rows(bottom, range.end - middle, columns);
    let into = MatrixMut::of_rows(top, middle - range.start, columns);
    subtract_product(into, rectangle.transposed(), solved);
    backwards(triangle, n, range.start..middle, top, columns);
}

/// The middle of a range of rows and columns, and the entries below and left of it.
fn halves<'a, E>(triangle: &'a [E], n: usize, range: &Range<usize>) -> (usize, Matrix<'a, E>) {
    let middle = range.start + (range.len() / 2).next_multiple_of(BASE);
    let shape = (range.end - middle, middle - range.start);
    (middle, Matrix::new(&triangle[middle * n + range.start..], shape, (n, 1)))
}
