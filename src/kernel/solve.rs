//! Solutions by a Cholesky factor.

use shatter_exact::Element;
use shatter_linear::packed::Packed;
use shatter_matrix::product::{Matrix, MatrixMut, product};

/// Replaces `right`, n × `columns`, by the solution of L Lᵀ x = right.
pub(crate) fn solve<E: Element>(l: &Packed<E>, right: &mut [E], columns: usize) {
    let n = l.n();
    let width = |k: usize| l.columns(k).len();
    for k in 0..l.blocks() {
        let (w, first) = (width(k), l.columns(k).start);
        let column = l.column(k);
        let (above, below) = right.split_at_mut((first + w) * columns);
        let x = &mut above[first * columns..];
        for i in 0..w {
            let (done, row) = x.split_at_mut(i * columns);
            for j in 0..i {
                let entry = column[i * w + j];
                for c in 0..columns {
                    row[c] -= entry * done[j * columns + c];
                }
            }
            row[..columns].iter_mut().for_each(|x| *x /= column[i * w + i]);
        }
        let rows = n - first - w;
        let mut change = vec![E::zero(); rows * columns];
        let l = Matrix::of_rows(&column[w * w..], rows, w);
        product(
            MatrixMut::of_rows(&mut change, rows, columns),
            false,
            l,
            Matrix::of_rows(x, w, columns),
        );
        below.iter_mut().zip(change).for_each(|(x, change)| *x -= change);
    }
    for k in (0..l.blocks()).rev() {
        let (w, first) = (width(k), l.columns(k).start);
        let column = l.column(k);
        let (above, below) = right.split_at_mut((first + w) * columns);
        let x = &mut above[first * columns..];
        let rows = n - first - w;
        let mut change = vec![E::zero(); w * columns];
        let l = Matrix::of_rows(&column[w * w..], rows, w).transposed();
        product(
            MatrixMut::of_rows(&mut change, w, columns),
            false,
            l,
            Matrix::of_rows(below, rows, columns),
        );
        x.iter_mut().zip(change).for_each(|(x, change)| *x -= change);
        for i in (0..w).rev() {
            let (before, row) = x.split_at_mut(i * columns);
            row[..columns].iter_mut().for_each(|x| *x /= column[i * w + i]);
            for j in 0..i {
                let entry = column[i * w + j];
                for c in 0..columns {
                    before[j * columns + c] -= entry * row[c];
                }
            }
        }
    }
}
