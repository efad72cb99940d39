//! The answers of LAPACK, through ndarray-linalg.
//!
//! Matrices are handed over column by column, as LAPACK stores them: row by row it would see the
//! transpose, and the pivoted LU of a transposed triangle has nothing to do. (Its eigenvalue
//! routine permutes rows and columns before it iterates, and finds a triangle either way.)

use ndarray::{Array1, Array2, ShapeBuilder};
use ndarray_linalg::{DeterminantInto, Diag, EigVals, Eigh, SVD, SolveTriangular, UPLO};

use super::decomposition::{Decomposition, sorted};
use super::{LogDeterminant, Square};

/// Bytes of stack: OpenBLAS's threaded LU overflows the 2 MiB of a thread pool's thread.
const STACK: usize = 64 << 20;

/// Runs `work` with enough stack; `None` if no thread could be had or LAPACK refused.
fn with_stack<T: Send>(work: impl FnOnce() -> Option<T> + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let large = std::thread::Builder::new().stack_size(STACK);
        large.spawn_scoped(scope, work).ok()?.join().ok()?
    })
}

fn matrix(a: &Square<f64>) -> Option<Array2<f64>> {
    let columns = Square::from_fn(a.n, |j, i| a.at(i, j));
    Array2::from_shape_vec((a.n, a.n).f(), columns.entries).ok()
}

/// The solution of Aw = y for lower triangular A (`dtrtrs`); `None` if it refuses.
pub fn solve_lower(a: &Square<f64>, y: &[f64]) -> Option<Vec<f64>> {
    let y = Array1::from(y.to_vec());
    with_stack(|| Some(matrix(a)?.solve_triangular(UPLO::Lower, Diag::NonUnit, &y).ok()?.to_vec()))
}

/// Sign and logarithm of the determinant through LU with partial pivoting (`dgetrf`).
pub fn log_determinant(a: &Square<f64>) -> Option<LogDeterminant> {
    let (sign, log) = with_stack(|| matrix(a)?.sln_det_into().ok())?;
    Some(LogDeterminant { sign, log })
}

/// Singular values, largest first (`dgesvd`); `None` if the iteration does not converge.
pub fn singular_values(a: &Square<f64>) -> Option<Vec<f64>> {
    let (_, values, _) = with_stack(|| matrix(a)?.svd(false, false).ok())?;
    Some(values.to_vec())
}

/// Eigenvalues by the general routine (`dgeev`), as (real, imaginary) parts.
pub fn eigenvalues(a: &Square<f64>) -> Option<Vec<(f64, f64)>> {
    let values = with_stack(|| matrix(a)?.eigvals().ok())?;
    Some(values.iter().map(|value| (value.re, value.im)).collect())
}

/// Eigenvalues and eigenvectors of a symmetric matrix (`dsyev`); `None` if the iteration does not converge.
pub fn symmetric(a: &Square<f64>) -> Option<Decomposition> {
    let (values, vectors) = with_stack(|| matrix(a)?.eigh(UPLO::Lower).ok())?;
    Some(sorted(&values.to_vec(), |j, i| vectors[(i, j)]))
}
