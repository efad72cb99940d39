//! Theorem 1 in floating point, the triangular system Aw = y solved in different ways.

use std::fmt;

use shatter_construct::depth_two::FloatFit;
use shatter_construct::{ConstructError, DepthTwo, Task};
use shatter_exact::Element;
use shatter_linear::{self as linear, Square};

/// A method for Aw = y in floating point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FloatSolver {
    /// Slope differences, O(n).
    #[default]
    Structured,
    /// nalgebra's dense triangular solve, O(n²).
    Nalgebra,
    /// LAPACK's in binary64, through ndarray-linalg (feature `lapack`).
    Lapack,
}

impl fmt::Display for FloatSolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FloatSolver::Structured => "structured",
            FloatSolver::Nalgebra => "nalgebra",
            FloatSolver::Lapack => "lapack",
        })
    }
}

/// Largest n for which the dense n × n matrix is formed (2 GiB).
const DENSE_LIMIT: usize = 1 << 14;

/// The reason for which a solver gives no network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SolverError {
    /// There is none in this arithmetic.
    #[error(transparent)]
    Construct(#[from] ConstructError),
    /// A dense solver would need an n × n matrix beyond its limit.
    #[error(
        "the {solver} solver holds the dense {n} × {n} matrix and is limited to n = {limit}: \
         use the structured or the exact solver"
    )]
    TooLargeForDense {
        /// The solver.
        solver: FloatSolver,
        /// Points.
        n: usize,
        /// Largest n.
        limit: usize,
    },
    /// The matrix is singular in this arithmetic.
    #[error(
        "the {solver} solver met a zero pivot at row {row}: a threshold lies on its point, as with \
         zigzag thresholds and a first label of 0; data and midpoint thresholds do not"
    )]
    Singular {
        /// The solver.
        solver: FloatSolver,
        /// The row of the zero pivot, points in the order of their projections.
        row: usize,
    },
    /// A number of the solution is not finite.
    #[error("the output weight of point {index} is not finite in {format}: use the exact solver")]
    Overflow {
        /// The point, in the order of projections.
        index: usize,
        /// The format.
        format: &'static str,
    },
    /// The program was built without LAPACK.
    #[error("this build has no LAPACK: build with --features lapack")]
    NoLapack,
}

/// The network of [`DepthTwo::fit_float`], its output weights found by `solver`.
///
/// ```
/// use shatter_construct::{DepthTwo, Task, ThresholdRule};
/// use shatter_sample::LabelRule;
/// use shatter_verify::solver::{FloatSolver, fit_float};
/// let sample = shatter_sample::load("lattice:n=50,d=3", 1)?.distinct(LabelRule::Random, 1)?;
/// let task = Task::new(&sample.points, &sample.labels, 1);
/// let midpoint = DepthTwo { threshold: ThresholdRule::Midpoint };
/// let fit = fit_float::<f64>(midpoint, &task, FloatSolver::Nalgebra)?;
/// assert_eq!(fit.network.units(), 50);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`SolverError`].
pub fn fit_float<F: Element + nalgebra::RealField>(
    construction: DepthTwo,
    task: &Task,
    solver: FloatSolver,
) -> Result<FloatFit<F>, SolverError> {
    let mut fit = construction.fit_float::<F>(task)?;
    if solver == FloatSolver::Structured {
        return Ok(fit);
    }
    let y: Vec<F> = fit.order.iter().map(|&i| F::of(task.labels.f64_at(i as usize))).collect();
    let w = solve_dense(&fit.z, &fit.network.b, &y, solver)?;
    if let Some(index) = w.iter().position(|w| !num_traits::Float::is_finite(*w)) {
        return Err(SolverError::Overflow { index, format: F::NAME });
    }
    fit.network.w = w;
    Ok(fit)
}

/// A_ij = ReLU(z_i − b_j), the matrix of Lemma 1.
pub fn relu_matrix<F: Element>(z: &[F], b: &[F]) -> Square<F> {
    Square::from_fn(z.len(), |i, j| {
        let t = z[i] - b[j];
        if t > F::zero() { t } else { F::zero() }
    })
}

fn solve_dense<F: Element + nalgebra::RealField>(
    z: &[F],
    b: &[F],
    y: &[F],
    solver: FloatSolver,
) -> Result<Vec<F>, SolverError> {
    let n = z.len();
    if n > DENSE_LIMIT {
        return Err(SolverError::TooLargeForDense { solver, n, limit: DENSE_LIMIT });
    }
    if let Some(row) = (0..n).find(|&i| b[i] >= z[i]) {
        return Err(SolverError::Singular { solver, row });
    }
    let a = relu_matrix(z, b);
    let solution = match solver {
        FloatSolver::Lapack => lapack_solve(&a, y)?,
        _ => linear::nalgebra::solve_lower(&a, y),
    };
    solution.ok_or(SolverError::Singular { solver, row: n - 1 })
}

#[cfg(feature = "lapack")]
fn lapack_solve<F: Element>(a: &Square<F>, y: &[F]) -> Result<Option<Vec<F>>, SolverError> {
    let wide = |numbers: &[F]| numbers.iter().map(|&x| x.to_f64()).collect::<Vec<f64>>();
    let a = Square { n: a.n, entries: wide(&a.entries) };
    let solution = linear::lapack::solve_lower(&a, &wide(y));
    Ok(solution.map(|w| w.into_iter().map(F::of).collect()))
}

#[cfg(not(feature = "lapack"))]
fn lapack_solve<F: Element>(_: &Square<F>, _: &[F]) -> Result<Option<Vec<F>>, SolverError> {
    Err(SolverError::NoLapack)
}
