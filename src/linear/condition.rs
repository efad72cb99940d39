//! An estimate of the condition number of a matrix from its Cholesky factor.
//!
//! Symbols: A = L Lᵀ, n × n, with eigenvalues λ_1 >= … >= λ_n > 0; v a vector of length 1.
//!
//! ‖A v‖ <= λ_1 and ‖A⁻¹ v‖ <= 1/λ_n for every v, and v ← A v/‖A v‖ and v ← A⁻¹ v/‖A⁻¹ v‖ never make them smaller (power and
//! inverse iteration; Golub and Van Loan, *Matrix Computations*, 8.2). So the largest eigenvalue is estimated from
//! below, the smallest from above, and the condition number λ_1/λ_n from below, but for rounding. They start from a
//! vector that is fixed, and end when a round changes less than a hundredth, or after the rounds that were allowed: an
//! estimate, which may be too small where many eigenvalues are near the smallest.
//!
//! Cost: a round of either reads L twice and takes 2 n² operations.

use rayon::prelude::*;
use shatter_exact::Element;
use shatter_matrix::product::{Matrix, MatrixMut, product};

use crate::cholesky::solve;
use crate::packed::Packed;

/// A round that changes less than this share of the estimate is the last.
const ENOUGH: f64 = 0.01;

/// Estimates of the outermost eigenvalues.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    /// Of the largest eigenvalue, from below.
    pub largest: f64,
    /// Of the smallest eigenvalue, from above.
    pub smallest: f64,
}

impl Condition {
    /// The estimate of the condition number, from below.
    #[must_use]
    pub fn number(&self) -> f64 {
        self.largest / self.smallest
    }
}

/// Estimates the outermost eigenvalues of L Lᵀ, in at most `rounds` rounds each; `None` of a matrix without rows, and
/// where a number overflows. `go_on` is asked before each round.
///
/// ```
/// use shatter_linear::condition::condition;
/// use shatter_linear::packed::Packed;
/// let mut l = Packed::<f64>::zeros(3)?;
/// l.fill(|i, j| if i == j { [3.0, 1.0, 0.1][i] } else { 0.0 });
/// let found = condition(&l, 20, &mut || Ok::<(), String>(()))?.ok_or("no estimate")?;
/// assert!((found.largest - 9.0).abs() < 0.1 && (found.smallest - 0.01).abs() < 1e-4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// That of `go_on`.
pub fn condition<E: Element, S>(
    l: &Packed<E>,
    rounds: usize,
    go_on: &mut dyn FnMut() -> Result<(), S>,
) -> Result<Option<Condition>, S> {
    let largest = grown(l.n(), rounds, |v| {
        go_on()?;
        *v = multiply(l, &multiply_transposed(l, v));
        Ok(())
    })?;
    let inverse = grown(l.n(), rounds, |v| {
        go_on()?;
        solve(l, v, 1);
        Ok(())
    })?;
    let found = largest.zip(inverse);
    Ok(found.map(|(largest, inverse)| Condition { largest, smallest: inverse.recip() }))
}

/// ‖B v‖ for the v of length 1 to which `step`, v ← B v, leads.
fn grown<E: Element, S>(
    n: usize,
    rounds: usize,
    mut step: impl FnMut(&mut Vec<E>) -> Result<(), S>,
) -> Result<Option<f64>, S> {
    // Neither constant nor of one sign: fractional parts of multiples of the golden ratio, from −1/2 to 1.
    let start = |i: usize| E::of(((i + 1) as f64 * 0.618_033_988_749_895).fract() * 1.5 - 0.5);
    let mut v: Vec<E> = (0..n).map(start).collect();
    if scale(&mut v).is_none() {
        return Ok(None);
    }
    let mut found: Option<f64> = None;
    for _ in 0..rounds.max(1) {
        step(&mut v)?;
        let Some(norm) = scale(&mut v) else { return Ok(None) };
        let before = found.replace(norm);
        if before.is_some_and(|before| norm <= before * (1.0 + ENOUGH)) {
            break;
        }
    }
    Ok(found)
}

/// Brings a vector to length 1; its former length, if that is a positive number.
fn scale<E: Element>(v: &mut [E]) -> Option<f64> {
    let largest = v.iter().map(|&x| x.to_f64().abs()).fold(0.0, f64::max);
    let sum: f64 = v.iter().map(|&x| (x.to_f64() / largest).powi(2)).sum();
    let norm = largest * sum.sqrt();
    if !(norm > 0.0 && norm.is_finite()) {
        return None;
    }
    v.iter_mut().for_each(|x| *x = E::of(x.to_f64() / norm));
    Some(norm)
}

/// Lᵀ v.
fn multiply_transposed<E: Element>(l: &Packed<E>, v: &[E]) -> Vec<E> {
    let mut result = vec![E::zero(); l.n()];
    result.par_chunks_mut(l.block()).enumerate().for_each(|(k, here)| {
        let (start, width) = (l.columns(k).start, here.len());
        let rows = l.n() - start;
        let left = Matrix::of_rows(l.column(k), rows, width).transposed();
        product(
            MatrixMut::of_rows(here, width, 1),
            false,
            left,
            Matrix::of_rows(&v[start..], rows, 1),
        );
    });
    result
}

/// L v. Entries of L above the diagonal are 0.
fn multiply<E: Element>(l: &Packed<E>, v: &[E]) -> Vec<E> {
    let mut result = vec![E::zero(); l.n()];
    result.par_chunks_mut(l.block()).enumerate().for_each(|(i, here)| {
        let (first, count) = (l.columns(i).start, here.len());
        for k in 0..=i {
            let columns = l.columns(k);
            let width = columns.len();
            let tile = &l.column(k)[(first - columns.start) * width..][..count * width];
            let left = Matrix::of_rows(tile, count, width);
            let right = Matrix::of_rows(&v[columns], width, 1);
            product(MatrixMut::of_rows(here, count, 1), k > 0, left, right);
        }
    });
    result
}
