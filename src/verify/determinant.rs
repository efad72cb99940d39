//! How far the logarithm of a determinant computed by pivoted LU may be from the truth.
//!
//! **Statement.** Let A be n × n, nonsingular, and let elimination with partial pivoting in
//! arithmetic of unit roundoff u compute PA ≈ L̂Û. Then L̂Û = P(A + E) with |E| <= γ_n Pᵀ|L̂||Û|,
//! γ_n = nu/(1 − nu). With G = γ_n |A⁻¹| Pᵀ|L̂||Û|, t = tr G and r = max_i Σ_j G_ij < 1:
//!
//! ```text
//! |log |det(A + E)| − log |det A||  <=  t + n r² / (2(1 − r)),   and the signs agree.
//! ```
//!
//! **Proof.** det(A + E)/det A = det(I + X), X = A⁻¹E, |X| <= G. log det(I + X) = Σ_k ±tr(X^k)/k,
//! |tr X| <= t, |tr X^k| <= tr G^k <= n r^k. As r < 1, I + sX is nonsingular for 0 <= s <= 1, so the
//! sign does not change. ∎
//!
//! **Source.** Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., Theorem 9.3.
//! **Cost.** 2n³ operations, once a matrix. G is evaluated in rounding arithmetic itself and with
//! factors that another library may compute with other last bits; the result is doubled for both.
//! A library that breaks ties between equal pivots differently has other factors altogether: for it
//! this is an estimate.

use shatter_linear::Square;

/// Half the distance from 1 to the next binary64 number.
const UNIT_ROUNDOFF: f64 = f64::EPSILON / 2.0;

/// nu/(1 − nu): the relative error of n roundings in a row.
pub(crate) fn gamma(n: usize) -> f64 {
    let nu = n as f64 * UNIT_ROUNDOFF;
    nu / (1.0 - nu)
}

/// A bound on |log|det| by pivoted LU − Σ log a_ii| for a lower triangular matrix that holds exact
/// entries rounded to nearest; infinite where none can be given (r >= 1, or a zero pivot).
///
/// ```
/// use shatter_linear::{Square, nalgebra::log_determinant};
/// use shatter_verify::determinant::bound;
/// let a = Square { n: 2, entries: vec![0.1, 0.0, 1.0, 0.3] };
/// let difference = log_determinant(&a).log - (0.1f64.ln() + 0.3f64.ln());
/// assert!(difference.abs() <= bound(&a) && bound(&a) < 1e-13);
/// ```
#[must_use]
pub fn bound(a: &Square<f64>) -> f64 {
    let n = a.n;
    let Some((permutation, product)) = absolute_factors(a) else { return f64::INFINITY };
    let inverse = absolute_inverse(a);
    let (mut trace, mut widest) = (0.0, 0.0f64);
    let mut row = vec![0.0; n];
    for i in 0..n {
        row.fill(0.0);
        // Row i of |A⁻¹| Pᵀ|L̂||Û|: row k of |L̂||Û| belongs to row permutation[k] of A.
        for (k, &from) in permutation.iter().enumerate() {
            let factor = inverse[i * n + from];
            if factor != 0.0 {
                for (sum, x) in row.iter_mut().zip(&product[k * n..(k + 1) * n]) {
                    *sum += factor * x;
                }
            }
        }
        trace += row[i];
        widest = widest.max(row.iter().sum());
    }
    let (t, r) = (gamma(n) * trace, gamma(n) * widest);
    if t.is_nan() || r.is_nan() || r >= 1.0 {
        return f64::INFINITY;
    }
    let elimination = t + n as f64 * r * r / (2.0 * (1.0 - r));
    // Diagonal entries rounded once each; logarithms good to one unit in the last place; two sums
    // of n terms.
    let logarithms: f64 = (0..n).map(|i| a.at(i, i).ln().abs()).sum();
    let pivots: f64 = (0..n).map(|k| product[k * n + k].ln().abs()).sum();
    let sums = gamma(n + 2) * (logarithms + pivots.max(logarithms)) + n as f64 * UNIT_ROUNDOFF;
    2.0 * (elimination + sums)
}

/// P as the list of rows of A, and |L̂||Û|, row-major; `None` at a zero pivot.
fn absolute_factors(a: &Square<f64>) -> Option<(Vec<usize>, Vec<f64>)> {
    let n = a.n;
    let mut lu: Vec<Vec<f64>> = a.entries.chunks(n).map(<[f64]>::to_vec).collect();
    let mut permutation: Vec<usize> = (0..n).collect();
    for k in 0..n {
        let pivot = (k..n).max_by(|&p, &q| lu[p][k].abs().total_cmp(&lu[q][k].abs()))?;
        if lu[pivot][k] == 0.0 {
            return None;
        }
        lu.swap(k, pivot);
        permutation.swap(k, pivot);
        let (above, below) = lu.split_at_mut(k + 1);
        let top = &above[k];
        for row in below.iter_mut().filter(|row| row[k] != 0.0) {
            let factor = row[k] / top[k];
            row[k] = factor;
            for (x, t) in row[k + 1..].iter_mut().zip(&top[k + 1..]) {
                *x -= factor * t;
            }
        }
    }
    let mut product = vec![0.0; n * n];
    for i in 0..n {
        let row = &mut product[i * n..(i + 1) * n];
        for k in 0..=i {
            let factor = if k == i { 1.0 } else { lu[i][k].abs() };
            for (x, u) in row[k..].iter_mut().zip(&lu[k][k..]) {
                *x += factor * u.abs();
            }
        }
    }
    Some((permutation, product))
}

/// |A⁻¹| of a lower triangular matrix by forward substitution, row-major.
fn absolute_inverse(a: &Square<f64>) -> Vec<f64> {
    let n = a.n;
    let mut inverse = vec![0.0; n * n];
    for i in 0..n {
        let (done, rest) = inverse.split_at_mut(i * n);
        let row = &mut rest[..n];
        row[i] = 1.0;
        for k in 0..i {
            let factor = a.at(i, k);
            for (x, y) in row[..=k].iter_mut().zip(&done[k * n..]) {
                *x -= factor * y;
            }
        }
        let pivot = a.at(i, i);
        row[..=i].iter_mut().for_each(|x| *x /= pivot);
    }
    inverse.iter_mut().for_each(|x| *x = x.abs());
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Evenly spaced points, midpoint thresholds.
    fn even(n: usize) -> Square<f64> {
        Square::from_fn(n, |i, j| if i >= j { (i - j) as f64 + 0.5 } else { 0.0 })
    }

    #[test]
    fn the_bound_holds_and_scales_with_the_matrix() {
        for n in [1, 2, 8, 32, 128] {
            let det = shatter_linear::nalgebra::log_determinant(&even(n));
            let error = (det.log - n as f64 * 0.5f64.ln()).abs();
            assert!(det.sign == 1.0 && error <= bound(&even(n)));
            assert!(bound(&even(2 * n)) > 2.0 * bound(&even(n)));
            // Scaling a row changes neither the relative error nor, by much, the bound.
            let mut scaled = even(n);
            scaled.entries[..n].iter_mut().for_each(|x| *x *= 1e-12);
            assert!(bound(&scaled) < 1e3 * bound(&even(n)));
        }
    }

    #[test]
    fn nothing_is_claimed_of_singular_matrices() {
        assert_eq!(bound(&Square { n: 2, entries: vec![1.0, 0.0, 1.0, 0.0] }), f64::INFINITY);
        assert_eq!(bound(&Square { n: 1, entries: vec![f64::NAN] }), f64::INFINITY);
    }

    #[test]
    fn the_inverse_is_an_inverse() {
        let a = Square { n: 2, entries: vec![2.0, 0.0, 3.0, 4.0] };
        assert_eq!(absolute_inverse(&a), [0.5, 0.0, 0.375, 0.25]);
    }
}
