//! Products of matrices, by the crate `gemm`: with `unsafe`, behind types that check their bounds
//! when they are made.
//!
//! How a product is split among threads depends on its shape alone, and every entry is summed by
//! one call, so its bytes do not depend on the number of threads.
#![allow(unsafe_code)]

use std::any::TypeId;

use gemm_common::Parallelism;
use rayon::prelude::*;

use shatter_exact::Element;

/// A matrix to be read: entry (i, j) is `data[i · row_stride + j · column_stride]`. Rows may
/// overlap.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, E> {
    data: &'a [E],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, E> Matrix<'a, E> {
    /// A matrix with these strides.
    ///
    /// # Panics
    /// If an entry lies outside `data`: a defect of the caller.
    pub fn new(
        data: &'a [E],
        (rows, columns): (usize, usize),
        (row_stride, column_stride): (usize, usize),
    ) -> Matrix<'a, E> {
        let last = |count: usize, stride: usize| count.saturating_sub(1).checked_mul(stride);
        let end = last(rows, row_stride).zip(last(columns, column_stride));
        let end = end.and_then(|(row, column)| row.checked_add(column));
        let inside = end.is_some_and(|end| end < data.len());
        assert!(rows == 0 || columns == 0 || inside, "a matrix reaches beyond its numbers");
        Matrix { data, rows, columns, row_stride, column_stride }
    }

    /// A matrix of contiguous rows.
    pub fn of_rows(data: &'a [E], rows: usize, columns: usize) -> Matrix<'a, E> {
        Matrix::new(data, (rows, columns), (columns, 1))
    }

    /// The transpose.
    #[must_use]
    pub fn transposed(self) -> Matrix<'a, E> {
        Matrix {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// A matrix to be written: row i is `data[i · row_stride ..][.. columns]`.
#[derive(Debug)]
pub struct MatrixMut<'a, E> {
    data: &'a mut [E],
    rows: usize,
    columns: usize,
    row_stride: usize,
}

impl<'a, E> MatrixMut<'a, E> {
    /// A matrix whose rows are `row_stride` apart.
    ///
    /// # Panics
    /// If rows overlap or an entry lies outside `data`: a defect of the caller.
    pub fn new(
        data: &'a mut [E],
        (rows, columns): (usize, usize),
        row_stride: usize,
    ) -> MatrixMut<'a, E> {
        assert!(rows <= 1 || columns <= row_stride, "rows of a matrix to be written overlap");
        let end = rows.saturating_sub(1).checked_mul(row_stride);
        let inside =
            end.and_then(|end| end.checked_add(columns)).is_some_and(|end| end <= data.len());
        assert!(rows == 0 || inside, "a matrix reaches beyond its numbers");
        MatrixMut { data, rows, columns, row_stride }
    }

    /// A matrix of contiguous rows.
    pub fn of_rows(data: &'a mut [E], rows: usize, columns: usize) -> MatrixMut<'a, E> {
        MatrixMut::new(data, (rows, columns), columns)
    }
}

/// c = a · b, or c += a · b if `accumulate`, on the calling thread.
///
/// # Panics
/// If the shapes do not fit: a defect of the caller.
pub fn product<E: Element>(c: MatrixMut<E>, accumulate: bool, a: Matrix<E>, b: Matrix<E>) {
    let MatrixMut { data, rows, columns, row_stride } = c;
    assert_eq!((a.rows, b.columns, a.columns), (rows, columns, b.rows), "shapes of a product");
    // SAFETY: `data` is borrowed for writing and holds all of these entries, by `MatrixMut::new`.
    unsafe {
        tile(data.as_mut_ptr(), (rows, columns), row_stride, Update::adding(accumulate), a, b)
    }
}

/// c -= a · b, on the calling thread.
///
/// ```
/// use shatter_matrix::product::{Matrix, MatrixMut, subtract_product};
/// let mut c = [10.0, 20.0];
/// let (a, b) = ([1.0, 2.0], [3.0, 4.0]);
/// let [left, right] = [&a, &b].map(|x| Matrix::of_rows(x, 1, 2));
/// subtract_product(MatrixMut::of_rows(&mut c[..1], 1, 1), left, right.transposed());
/// assert_eq!(c, [10.0 - 11.0, 20.0]);
/// ```
///
/// # Panics
/// If the shapes do not fit: a defect of the caller.
pub fn subtract_product<E: Element>(c: MatrixMut<E>, a: Matrix<E>, b: Matrix<E>) {
    let MatrixMut { data, rows, columns, row_stride } = c;
    assert_eq!((a.rows, b.columns, a.columns), (rows, columns, b.rows), "shapes of a product");
    // SAFETY: as in `product`.
    unsafe { tile(data.as_mut_ptr(), (rows, columns), row_stride, Update::Subtract, a, b) }
}

/// As [`product`], by tiles of `width` columns side by side on all threads.
///
/// # Panics
/// If the shapes do not fit: a defect of the caller.
pub fn product_by_columns<E: Element>(
    c: MatrixMut<E>,
    accumulate: bool,
    a: Matrix<E>,
    b: Matrix<E>,
    width: usize,
) {
    let MatrixMut { data, rows, columns, row_stride } = c;
    assert_eq!((a.rows, b.columns, a.columns), (rows, columns, b.rows), "shapes of a product");
    let width = width.max(1);
    let start = Shared(data.as_mut_ptr());
    (0..columns.div_ceil(width)).into_par_iter().for_each(|index| {
        let start = &start;
        let first = index * width;
        let columns = width.min(columns - first);
        let b = Matrix::new(
            &b.data[(first * b.column_stride).min(b.data.len())..],
            (b.rows, columns),
            (b.row_stride, b.column_stride),
        );
        // SAFETY: `data` is borrowed for writing until all tiles are done, holds all of the
        // entries, and since rows do not overlap no two tiles share an entry.
        unsafe {
            tile(start.0.add(first), (rows, columns), row_stride, Update::adding(accumulate), a, b)
        }
    });
}

/// A pointer that tiles of one matrix share.
struct Shared<E>(*mut E);

// SAFETY: only `product_by_columns` makes one, and its tiles are disjoint.
unsafe impl<E: Send> Sync for Shared<E> {}

/// What a kernel does with c.
#[derive(Clone, Copy)]
enum Update {
    Set,
    Add,
    Subtract,
}

impl Update {
    fn adding(accumulate: bool) -> Update {
        if accumulate { Update::Add } else { Update::Set }
    }
}

/// One call of a kernel.
///
/// # Safety
/// All entries (i, j) of c, at `c[i · row_stride + j]`, may be written, and nobody else reads or
/// writes them meanwhile; a and b fit its shape.
unsafe fn tile<E: Element>(
    c: *mut E,
    (rows, columns): (usize, usize),
    row_stride: usize,
    update: Update,
    a: Matrix<E>,
    b: Matrix<E>,
) {
    let (accumulate, factor) = match update {
        Update::Set => (false, 1.0),
        Update::Add => (true, 1.0),
        Update::Subtract => (true, -1.0),
    };
    let step = |stride: usize| stride as isize;
    // The kernels want columns of c together; rows are together here, so this is the transposed product, but for a
    // single column.
    let (m, n, c_steps, left, left_steps, right, right_steps) = if row_stride > 1 {
        let (left, right) = ((b.row_stride, b.column_stride), (a.row_stride, a.column_stride));
        (columns, rows, (row_stride, 1), b.data.as_ptr(), left, a.data.as_ptr(), right)
    } else {
        let (left, right) = ((a.column_stride, a.row_stride), (b.column_stride, b.row_stride));
        (rows, columns, (1, row_stride), a.data.as_ptr(), left, b.data.as_ptr(), right)
    };
    macro_rules! call {
        ($number:ty, $kernel:expr) => {
            // SAFETY: E is $number, as the type says that leads here; the rest is the caller's promise: a and b lie
            // within their slices by `Matrix::new`, and a slice has at most `isize::MAX` bytes, so that strides
            // which matter fit.
            unsafe {
                $kernel(
                    m,
                    n,
                    a.columns,
                    c.cast::<$number>(),
                    step(c_steps.0),
                    step(c_steps.1),
                    accumulate,
                    left.cast::<$number>(),
                    step(left_steps.0),
                    step(left_steps.1),
                    right.cast::<$number>(),
                    step(right_steps.0),
                    step(right_steps.1),
                    1.0,
                    factor as $number,
                    false,
                    false,
                    false,
                    Parallelism::None,
                )
            }
        };
    }
    // `Element` is sealed: there is no third type.
    if TypeId::of::<E>() == TypeId::of::<f32>() {
        call!(f32, gemm_f32::gemm::f32::get_gemm_fn());
    } else {
        call!(f64, gemm_f64::gemm::f64::get_gemm_fn());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(a: &[f64], b: &[f64], (m, n, k): (usize, usize, usize)) -> Vec<f64> {
        let entry = |i: usize, j: usize| (0..k).map(|l| a[i * k + l] * b[l * n + j]).sum();
        (0..m * n).map(|at| entry(at / n, at % n)).collect()
    }

    /// Small whole numbers, so that sums are exact in any order.
    fn whole(len: usize, seed: usize) -> Vec<f64> {
        (0..len).map(|i| ((i * 7 + seed * 13) % 11) as f64 - 5.0).collect()
    }

    #[test]
    fn equals_the_definition() {
        for (m, n, k) in [(1, 1, 1), (3, 5, 7), (17, 1, 33), (1, 40, 2), (31, 67, 129), (4, 4, 0)] {
            let (a, b) = (whole(m * k, 1), whole(k * n, 2));
            let expected = naive(&a, &b, (m, n, k));
            let (left, right) = (Matrix::of_rows(&a, m, k), Matrix::of_rows(&b, k, n));
            let mut c = vec![9.0; m * n];
            product(MatrixMut::of_rows(&mut c, m, n), false, left, right);
            assert_eq!(c, expected);
            for width in [1, 8, 100] {
                product_by_columns(MatrixMut::of_rows(&mut c, m, n), true, left, right, width);
                product_by_columns(MatrixMut::of_rows(&mut c, m, n), false, left, right, width);
                assert_eq!(c, expected, "width {width}");
            }
            product(MatrixMut::of_rows(&mut c, m, n), true, left, right);
            assert_eq!(c, expected.iter().map(|x| 2.0 * x).collect::<Vec<_>>());
            subtract_product(MatrixMut::of_rows(&mut c, m, n), left, right);
            assert_eq!(c, expected);
            // (b^T · a^T) = (a · b)^T, into rows that are farther apart.
            let mut wide = vec![1.0; n * (m + 3)];
            let tall = MatrixMut::new(&mut wide, (n, m), m + 3);
            product(tall, false, right.transposed(), left.transposed());
            for (j, row) in wide.chunks(m + 3).enumerate() {
                assert!((0..m).all(|i| row[i] == expected[i * n + j]));
                assert_eq!(row[m..], [1.0; 3]);
            }
        }
    }

    #[test]
    #[should_panic(expected = "beyond its numbers")]
    fn a_matrix_beyond_its_numbers() {
        Matrix::new(&[0.0; 5], (2, 3), (3, 1));
    }

    #[test]
    #[should_panic(expected = "overlap")]
    fn rows_that_overlap() {
        MatrixMut::new(&mut [0.0; 9], (2, 3), 2);
    }
}
