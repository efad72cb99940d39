//! Eigenvalues and eigenvectors of symmetric matrices, by nalgebra or LAPACK.
//!
//! A = Σ_j λ_j u_j u_jᵀ, A m × m, u_j orthonormal. Householder reduction to tridiagonal form, then implicit QR
//! (nalgebra, and `dsyev` of LAPACK): about 9m³ operations, memory for three matrices. Both are
//! backward stable: what they return are the eigenvalues of A + E with ‖E‖₂ of the order m·u·‖A‖₂, u = 2^-53.

use super::Square;

/// Iterations after which the routine of nalgebra gives up.
const PATIENCE: usize = 1_000_000;

/// A = Σ_j λ_j u_j u_jᵀ.
#[derive(Clone, Debug, PartialEq)]
pub struct Decomposition {
    /// λ, m numbers, the largest first.
    pub values: Vec<f64>,
    /// Row j is u_j, of length 1.
    pub vectors: Square<f64>,
}

/// Decomposes a symmetric matrix, of which only one triangle is read: by LAPACK with the feature `lapack`, by
/// nalgebra without; `None` if the iteration does not converge or entries are not finite.
///
/// ```
/// use shatter_linear::{Square, decomposition::symmetric};
/// let a = Square { n: 2, entries: vec![2.0, 1.0, 1.0, 2.0] };
/// let found = symmetric(&a).ok_or("no convergence")?;
/// assert!((found.values[0] - 3.0).abs() < 1e-14 && (found.values[1] - 1.0).abs() < 1e-14);
/// assert!((found.vectors.at(0, 0) - found.vectors.at(0, 1)).abs() < 1e-14);
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn symmetric(a: &Square<f64>) -> Option<Decomposition> {
    #[cfg(feature = "lapack")]
    return if a.entries.iter().all(|x| x.is_finite()) {
        super::lapack::symmetric(a)
    } else {
        None
    };
    #[cfg(not(feature = "lapack"))]
    symmetric_by_nalgebra(a)
}

/// The same by nalgebra in every build.
#[must_use]
pub fn symmetric_by_nalgebra(a: &Square<f64>) -> Option<Decomposition> {
    if a.entries.iter().any(|x| !x.is_finite()) {
        return None; // the iteration would not end
    }
    let matrix = nalgebra::DMatrix::from_row_slice(a.n, a.n, &a.entries);
    let found = nalgebra::SymmetricEigen::try_new(matrix, f64::EPSILON, PATIENCE)?;
    let values = found.eigenvalues.as_slice();
    // Column j of the eigenvectors stands together, and is u_j.
    Some(sorted(values, |j, i| found.eigenvectors[(i, j)]))
}

/// Puts the largest eigenvalue first. `entry(j, i)` is entry i of the vector of `values[j]`.
pub(super) fn sorted(values: &[f64], entry: impl Fn(usize, usize) -> f64) -> Decomposition {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[j].total_cmp(&values[i]));
    Decomposition {
        values: order.iter().map(|&j| values[j]).collect(),
        vectors: Square::from_fn(values.len(), |j, i| entry(order[j], i)),
    }
}
