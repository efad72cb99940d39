//! The answers of nalgebra.

use nalgebra::{DMatrix, DVector, RealField};

use super::{LogDeterminant, Square};

/// Iterations after which an eigenvalue or singular value routine gives up.
const PATIENCE: usize = 10_000;

fn matrix<F: RealField + Copy>(a: &Square<F>) -> DMatrix<F> {
    DMatrix::from_row_slice(a.n, a.n, &a.entries)
}

/// The solution of Aw = y for lower triangular A by forward substitution, n² operations; `None`
/// if a diagonal entry is 0.
///
/// ```
/// use shatter_linear::{Square, nalgebra::solve_lower};
/// let a = Square { n: 2, entries: vec![2.0, 0.0, 1.0, 4.0] };
/// assert_eq!(solve_lower(&a, &[2.0, 9.0]), Some(vec![1.0, 2.0]));
/// ```
pub fn solve_lower<F: RealField + Copy>(a: &Square<F>, y: &[F]) -> Option<Vec<F>> {
    let solution = matrix(a).solve_lower_triangular(&DVector::from_column_slice(y))?;
    Some(solution.as_slice().to_vec())
}

/// Sign and logarithm of the determinant through LU with partial pivoting, n³/3 operations.
#[must_use]
pub fn log_determinant(a: &Square<f64>) -> LogDeterminant {
    let lu = matrix(a).lu();
    let permutation: f64 = lu.p().determinant();
    let u = lu.u();
    let diagonal = u.diagonal();
    let sign = diagonal
        .iter()
        .fold(permutation, |sign, &x| sign * if x == 0.0 { 0.0 } else { x.signum() });
    LogDeterminant { sign, log: diagonal.iter().map(|x| x.abs().ln()).sum() }
}

/// Singular values, largest first; `None` if the iteration does not converge.
#[must_use]
pub fn singular_values(a: &Square<f64>) -> Option<Vec<f64>> {
    let svd = matrix(a).try_svd(false, false, f64::EPSILON, PATIENCE)?;
    let mut values = svd.singular_values.as_slice().to_vec();
    values.sort_by(|x, y| y.total_cmp(x));
    Some(values)
}

/// Eigenvalues by a general routine (Hessenberg reduction, shifted QR) that knows nothing of the
/// triangular shape, as (real, imaginary) parts; `None` if it does not converge.
#[must_use]
pub fn eigenvalues(a: &Square<f64>) -> Option<Vec<(f64, f64)>> {
    let schur = nalgebra::linalg::Schur::try_new(matrix(a), f64::EPSILON, PATIENCE)?;
    Some(schur.complex_eigenvalues().iter().map(|value| (value.re, value.im)).collect())
}
