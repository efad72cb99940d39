//! Lemma 1 of Zhang, Bengio, Hardt, Recht and Vinyals (ICLR 2017), checked on given numbers.
//!
//! **Statement.** If b_1 < z_1 < b_2 < z_2 < … < b_n < z_n, then A_ij = ReLU(z_i − b_j) is lower
//! triangular with diagonal z_i − b_i > 0. Hence it has full rank, its determinant is the product
//! of the diagonal, its eigenvalues are the diagonal, the smallest of them min_i (z_i − b_i).
//! (z_i <= b_{i+1} is enough.) **Source.** Zhang et al. 2017, section 4, Lemma 1.
//!
//! **What is exact.** Projections and thresholds are dyadic rationals; A is formed as a matrix of
//! integers over their common grain. Shape, rank (modulo a prime: full rank there proves full rank)
//! and smallest eigenvalue are decided on these integers. **What is rounded.** Determinant by
//! pivoted LU, singular values, eigenvalues by a general routine; the first is judged against the
//! bound of [`determinant`], the others are reported. A is not normal: its smallest
//! singular value, which bounds the weights, can lie far below its smallest eigenvalue.
//! **Cost.** n² integers, n³ operations.

use serde::Serialize;

use shatter_exact::{Dyadic, IBig, Lattice, modular};
use shatter_linear::{self as linear, LogDeterminant, Square};

use super::determinant;
use super::statement::CheckedStatement;

/// A statement, and true if it holds; `None` where it could not be decided.
pub type Check = (CheckedStatement, Option<bool>);

/// Answers of one library about A.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Answers {
    /// Sign of the determinant by pivoted LU.
    pub det_sign: Option<f64>,
    /// Natural logarithm of its absolute value.
    pub log_det: Option<f64>,
    /// |log_det − Σ log a_ii|.
    pub log_det_error: Option<f64>,
    /// Largest singular value.
    pub sigma_max: Option<f64>,
    /// Smallest singular value.
    pub sigma_min: Option<f64>,
    /// Singular values above n·2^−52·(the largest).
    pub sigma_rank: Option<usize>,
    /// max_k |λ_k − a_kk|/a_kk of the eigenvalues by the general routine, both sorted; `None` if
    /// it did not converge.
    pub eigenvalue_error: Option<f64>,
}

/// Lemma 1 on one matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Findings {
    /// Each statement of the lemma, and whether it holds.
    pub checks: Vec<Check>,
    /// What is wrong, if anything, in words.
    pub fault: Option<String>,
    /// Rank modulo 2^61 − 1.
    pub rank: usize,
    /// min_i (z_i − b_i), rounded once.
    pub lambda_min: f64,
    /// Σ log a_ii.
    pub log_diagonal: f64,
    /// Bound on the error of the logarithm of the determinant by LU; `None` if there is none.
    pub log_det_bound: Option<f64>,
    /// nalgebra's answers.
    pub nalgebra: Answers,
    /// LAPACK's, in builds that have it.
    pub lapack: Option<Answers>,
}

/// A over the common grain of all projections and thresholds.
struct Exact {
    rows: Vec<Vec<IBig>>,
    grain: i64,
}

impl Exact {
    fn new(z: &Lattice, b: &[Dyadic]) -> Exact {
        let thresholds = Lattice::from_dyadics(b);
        let grain = z.exponent.min(thresholds.exponent);
        let b: Vec<IBig> = b.iter().map(|b| b.in_units_of(grain)).collect();
        let row = |i: usize| {
            let z = z.get(i).in_units_of(grain);
            b.iter().map(|b| if z > *b { &z - b } else { IBig::ZERO }).collect()
        };
        Exact { rows: (0..z.len()).map(row).collect(), grain }
    }

    fn number(&self, i: usize, j: usize) -> Dyadic {
        Dyadic::new(self.rows[i][j].clone(), self.grain)
    }

    /// Rank of A − shift·I modulo the prime.
    fn rank(&self, shift: &IBig) -> usize {
        let entry = |i: usize, j: usize, x: &IBig| {
            if i == j { modular::reduce(&(x - shift)) } else { modular::reduce(x) }
        };
        let rows = self.rows.iter().enumerate();
        let row = |(i, row): (usize, &Vec<IBig>)| {
            row.iter().enumerate().map(|(j, x)| entry(i, j, x)).collect()
        };
        modular::rank(rows.map(row).collect())
    }

    /// The first entry that contradicts "lower triangular with positive diagonal".
    fn misshapen(&self) -> Option<(usize, usize)> {
        let bad = |i: usize, j: usize| {
            if i == j { self.rows[i][i].is_zero() } else { !self.rows[i][j].is_zero() }
        };
        let n = self.rows.len();
        (0..n).flat_map(|i| (i..n).map(move |j| (i, j))).find(|&(i, j)| bad(i, j))
    }
}

/// Examines A_ij = ReLU(z_i − b_j) for increasing projections z and as many thresholds.
///
/// # Panics
/// If there are fewer thresholds than projections.
pub fn examine(z: &Lattice, b: &[Dyadic]) -> Findings {
    let n = z.len();
    let exact = Exact::new(z, b);
    let misshapen = exact.misshapen();
    let rank = exact.rank(&IBig::ZERO);
    // For a triangle the eigenvalues are the diagonal: det(A − λI) is the product of its entries
    // less λ. The formula z_i − b_i stands on one side, the matrix on the other.
    let triangular = misshapen.is_none();
    let eigenvalues = triangular && (0..n).all(|i| exact.number(i, i) == &z.get(i) - &b[i]);
    let formula = (0..n).map(|i| &z.get(i) - &b[i]).min().unwrap_or(Dyadic::ZERO);
    let diagonal = (0..n).map(|i| exact.number(i, i)).min().unwrap_or(Dyadic::ZERO);
    let smallest = triangular && formula == diagonal;

    let rounded = Square::from_fn(n, |i, j| exact.number(i, j).round_f64());
    let log_diagonal = (0..n).map(|i| rounded.at(i, i).ln()).sum();
    let bound = determinant::bound(&rounded);
    let log_det_bound = bound.is_finite().then_some(bound);
    let diagonal: Vec<f64> = (0..n).map(|i| rounded.at(i, i)).collect();
    let nalgebra = Answers::new(
        &diagonal,
        Some(linear::nalgebra::log_determinant(&rounded)),
        linear::nalgebra::singular_values(&rounded),
        linear::nalgebra::eigenvalues(&rounded),
    );
    let lapack = lapack_answers(&rounded, &diagonal);
    let agrees = |answers: &Answers| {
        let error = answers.log_det_error?;
        Some(error <= log_det_bound? && answers.det_sign == Some(1.0))
    };
    let judged = [agrees(&nalgebra), lapack.as_ref().and_then(agrees)];
    let det = judged.into_iter().flatten().reduce(|x, y| x && y);
    let checks = vec![
        (CheckedStatement::Triangular, Some(triangular)),
        (CheckedStatement::FullRank, Some(rank == n)),
        (CheckedStatement::Eigenvalues, Some(eigenvalues)),
        (CheckedStatement::MinEigenvalue, Some(smallest)),
        (CheckedStatement::Determinant, det),
    ];
    let fault = match (misshapen, checks.iter().find(|check| check.1 == Some(false))) {
        (Some((i, j)), _) if i == j => {
            Some(format!("A[{i}][{i}] is 0: threshold {i} is not below its point"))
        }
        (Some((i, j)), _) => {
            Some(format!("A[{i}][{j}] is not 0: threshold {j} is below point {i}"))
        }
        (None, Some((statement, _))) => Some(format!("{} fails", statement.proof())),
        (None, None) => None,
    };
    let lambda_min = formula.round_f64();
    Findings { checks, fault, rank, lambda_min, log_diagonal, log_det_bound, nalgebra, lapack }
}

impl Answers {
    fn new(
        diagonal: &[f64],
        det: Option<LogDeterminant>,
        sigma: Option<Vec<f64>>,
        eigenvalues: Option<Vec<(f64, f64)>>,
    ) -> Answers {
        let finite = |x: f64| x.is_finite().then_some(x);
        let log_diagonal: f64 = diagonal.iter().map(|x| x.ln()).sum();
        let sigma_max = sigma.as_ref().and_then(|sigma| sigma.first().copied());
        let sigma_rank = sigma.as_ref().map(|sigma| {
            let tolerance = diagonal.len() as f64 * f64::EPSILON * sigma_max.unwrap_or(0.0);
            sigma.iter().filter(|s| **s > tolerance).count()
        });
        Answers {
            det_sign: det.map(|det| det.sign),
            log_det: det.and_then(|det| finite(det.log)),
            log_det_error: det.and_then(|det| finite((det.log - log_diagonal).abs())),
            sigma_max,
            sigma_min: sigma.as_ref().and_then(|sigma| sigma.last().copied()),
            sigma_rank,
            eigenvalue_error: eigenvalues.and_then(|found| finite(deviation(found, diagonal))),
        }
    }
}

/// max_k |λ_k − a_kk| / a_kk, eigenvalues sorted by real part and the diagonal by size.
fn deviation(mut eigenvalues: Vec<(f64, f64)>, diagonal: &[f64]) -> f64 {
    let mut diagonal = diagonal.to_vec();
    diagonal.sort_by(f64::total_cmp);
    eigenvalues.sort_by(|x, y| x.0.total_cmp(&y.0).then(x.1.total_cmp(&y.1)));
    let one = |((re, im), a): (&(f64, f64), &f64)| (re - a).hypot(*im) / a;
    eigenvalues
        .iter()
        .zip(&diagonal)
        .map(one)
        .fold(0.0, |x, y| if y > x || y.is_nan() { y } else { x })
}

/// LAPACK's answers, in builds that have it.
#[cfg(feature = "lapack")]
fn lapack_answers(a: &Square<f64>, diagonal: &[f64]) -> Option<Answers> {
    use linear::lapack;
    let determinant = lapack::log_determinant(a);
    Some(Answers::new(diagonal, determinant, lapack::singular_values(a), lapack::eigenvalues(a)))
}

#[cfg(not(feature = "lapack"))]
fn lapack_answers(_: &Square<f64>, _: &[f64]) -> Option<Answers> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(values: &[i64]) -> Vec<Dyadic> {
        values.iter().map(|&x| Dyadic::new(x, -1)).collect()
    }

    #[test]
    fn a_threshold_past_its_point_is_found() {
        let z = Lattice::from_dyadics(&numbers(&[0, 4, 8]));
        let sound = examine(&z, &numbers(&[-1, 2, 6]));
        assert!(sound.checks.iter().all(|(_, holds)| *holds == Some(true)));
        assert_eq!((sound.fault, sound.rank, sound.lambda_min), (None, 3, 0.5));
        let faulty = examine(&z, &numbers(&[-1, 5, 6]));
        assert_eq!(
            faulty.fault.as_deref(),
            Some("A[1][1] is 0: threshold 1 is not below its point")
        );
        assert_eq!(faulty.rank, 2);
        let early = examine(&z, &numbers(&[-1, -2, 6]));
        assert_eq!(early.fault.as_deref(), Some("A[0][1] is not 0: threshold 1 is below point 0"));
    }

    #[cfg(feature = "lapack")]
    #[test]
    fn both_libraries_agree() {
        let z: Vec<i64> = (0..40).map(|i| i * i + i % 3).collect();
        let b: Vec<i64> =
            std::iter::once(-1).chain(z.windows(2).map(|z| z[0].midpoint(z[1]))).collect();
        let found = examine(&Lattice::from_dyadics(&numbers(&z)), &numbers(&b));
        let (ours, theirs) = (found.nalgebra, found.lapack.unwrap());
        assert_eq!(found.fault, None);
        assert_eq!((ours.det_sign, ours.sigma_rank), (theirs.det_sign, theirs.sigma_rank));
        // Singular values are perturbed by a modest multiple of n·2^-53·(the largest) at most.
        let largest = ours.sigma_max.unwrap();
        let close = |x: Option<f64>, y: Option<f64>| {
            (x.unwrap() - y.unwrap()).abs() <= 40.0 * f64::EPSILON * largest
        };
        assert!(close(ours.sigma_max, theirs.sigma_max) && close(ours.sigma_min, theirs.sigma_min));
    }

    #[test]
    fn thresholds_on_the_previous_point_are_allowed() {
        let z = Lattice::from_dyadics(&numbers(&[0, 4, 8]));
        assert_eq!(examine(&z, &numbers(&[-1, 0, 4])).fault, None);
    }
}
