//! The spectral norm of a matrix, enclosed.
//!
//! **Statement.** For W of r × c finite numbers, [`spectral`] returns low <= ‖W‖₂ <= high, in binary64. A *bound*.
//!
//! **Proof.** Let A be W or its transpose, m × l with m <= l, scaled by a power of two so that its largest entry is
//! in [1, 2); G = A Aᵀ, u = 2^-53 and γ_k = ku/(1 − ku). A product computed in any order, fused or not, has
//! |fl(BC) − BC| <= γ_k |B||C| + k 2^-1074 entry by entry, k being its inner length (Higham, *Accuracy and Stability of
//! Numerical Algorithms*, 3.1 and 3.5).
//!
//! *Above.* Let Ĝ be the computed lower triangle of G, mirrored, so ‖G − Ĝ‖_F <= γ_l ‖A‖_F² + m l 2^-1074. Let Q
//! (rows u_j) and Λ be any matrices whatever, here the computed eigenvectors and eigenvalues of Ĝ, R = Ĝ − QᵀΛQ and e
//! = ‖QQᵀ − I‖_F. Then ‖Q‖₂² <= 1 + e, and for a unit vector x
//!
//! ```text
//! xᵀG x <= ‖G − Ĝ‖_F + ‖R‖_F + (Qx)ᵀΛ(Qx) <= ‖G − Ĝ‖_F + ‖R‖_F + max(0, λ_1, …, λ_m) (1 + e).
//! ```
//!
//! ‖R‖_F is at most that of the computed R, over 1 − u, and γ_{m+1} max|λ| ‖Q‖_F² + m² 2^-1073 for the product; e
//! likewise. No property of the eigensolver is used: were it wrong, R would be large. ‖W‖₂ <= ‖W‖_F and ‖W‖₂² <=
//! (largest sum of |entries| of a row) · (of a column) always hold, and are all that is taken beyond [`MOST_SIDE`].
//!
//! *Below.* ‖Aᵀv‖/‖v‖ for the first eigenvector v, minus γ_m ‖A‖_F and underflow; and the largest norm of a row or a
//! column. ∎
//!
//! **Cost.** m²l + 9m³ operations and memory for four m × m matrices, m <= [`MOST_SIDE`].

use shatter_linear::Square;
use shatter_linear::decomposition::symmetric_by_nalgebra;
use shatter_matrix::product::{Matrix as View, MatrixMut, product};

use crate::Enclosure;
use crate::layers::{Matrix, ROUNDOFF};
use crate::outward::{add_down, add_up, mul_both};

/// Largest shorter side of a matrix whose eigenvalues are computed.
pub const MOST_SIDE: usize = 2048;

/// A bound on the error of one underflow.
const UNDERFLOW: f64 = f64::from_bits(1);

/// γ_k = ku/(1 − ku), rounded up.
pub(crate) fn gamma(k: usize) -> Enclosure {
    let ku = Enclosure::whole(k as u64) * Enclosure::exact(ROUNDOFF);
    ku / (Enclosure::ONE - ku)
}

/// Σ x².
pub(crate) fn sum_of_squares<'a>(numbers: impl IntoIterator<Item = &'a f64>) -> Enclosure {
    let (mut low, mut high) = (0.0, 0.0);
    for &x in numbers {
        let (below, above) = mul_both(x, x);
        (low, high) = (add_down(low, below), add_up(high, above));
    }
    Enclosure::new(low, high)
}

/// Σ |x|.
pub(crate) fn sum_of_sizes<'a>(numbers: impl IntoIterator<Item = &'a f64>) -> Enclosure {
    let (mut low, mut high) = (0.0, 0.0);
    for &x in numbers {
        low = add_down(low, x.abs());
        high = add_up(high, x.abs());
    }
    Enclosure::new(low, high)
}

/// ‖W‖₂.
///
/// ```
/// use shatter_measure::layers::Matrix;
/// use shatter_measure::spectral::spectral;
/// let rotation = Matrix { rows: 2, columns: 2, entries: vec![3.0, -4.0, 4.0, 3.0] };
/// let norm = spectral(&rotation);
/// assert!(norm.contains(5.0) && norm.width() < 1e-12);
/// ```
#[must_use]
pub fn spectral(matrix: &Matrix) -> Enclosure {
    let largest = matrix.entries.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    if largest == 0.0 {
        return Enclosure::ZERO;
    }
    if !largest.is_finite() {
        return Enclosure::new(0.0, f64::INFINITY);
    }
    let exponent = Enclosure::exact(largest).log2().low().floor().clamp(-1000.0, 1000.0) as i32;
    let (down, up) = (2f64.powi(-exponent), Enclosure::exact(2f64.powi(exponent)));
    let scaled = Matrix { entries: matrix.entries.iter().map(|x| x * down).collect(), ..*matrix };
    // Entries that became subnormal were rounded.
    let lost = Enclosure::whole(matrix.entries.len() as u64) * Enclosure::exact(UNDERFLOW);
    let found = plain(&scaled);
    let found = match iterated(&scaled) {
        None => found,
        Some(closer) => {
            Enclosure::new(found.low().max(closer.low()), found.high().min(closer.high()))
        }
    };
    let wider = Enclosure::new((found - lost).low().max(0.0), (found + lost).high());
    wider * up
}

/// Rows and columns alone.
fn plain(matrix: &Matrix) -> Enclosure {
    let Matrix { rows, columns, entries } = matrix;
    let row = |i: usize| &entries[i * columns..(i + 1) * columns];
    let column = |k: usize| entries.iter().skip(k).step_by(*columns);
    let most = |numbers: &mut dyn Iterator<Item = Enclosure>| {
        numbers.fold(Enclosure::ZERO, Enclosure::max)
    };
    let of_rows = most(&mut (0..*rows).map(|i| sum_of_squares(row(i)))).sqrt();
    let of_columns = most(&mut (0..*columns).map(|k| sum_of_squares(column(k)))).sqrt();
    let sizes = most(&mut (0..*rows).map(|i| sum_of_sizes(row(i))))
        * most(&mut (0..*columns).map(|k| sum_of_sizes(column(k))));
    let frobenius = sum_of_squares(entries).sqrt();
    let high = frobenius.high().min(sizes.sqrt().high());
    Enclosure::new(of_rows.low().max(of_columns.low()), high)
}

/// B Bᵀ or Bᵀ C, as views say, m × m.
fn square(m: usize, a: View<f64>, b: View<f64>) -> Vec<f64> {
    let mut entries = vec![0.0; m * m];
    product(MatrixMut::of_rows(&mut entries, m, m), false, a, b);
    entries
}

/// By eigenvectors; `None` for matrices that are too large, and if none were found.
fn iterated(matrix: &Matrix) -> Option<Enclosure> {
    let Matrix { rows, columns, ref entries } = *matrix;
    let (m, l) = (rows.min(columns), rows.max(columns));
    if m > MOST_SIDE {
        return None;
    }
    let view = View::of_rows(entries, rows, columns);
    let a = if rows <= columns { view } else { view.transposed() };
    let gram = square(m, a, a.transposed());
    let gram = Square::from_fn(m, |i, j| gram[i.max(j) * m + i.min(j)]);
    let found = symmetric_by_nalgebra(&gram)?;
    let (values, vectors) = (&found.values, &found.vectors.entries);
    let largest = values.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    if !largest.is_finite() || vectors.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let (of_a, of_q) = (sum_of_squares(entries), sum_of_squares(vectors));
    let tiny = |count: usize| Enclosure::whole(count as u64) * Enclosure::exact(UNDERFLOW);
    let q = View::of_rows(vectors, m, m);
    // Qᵀ(ΛQ), and what it leaves of the Gram matrix.
    let scaled: Vec<f64> = vectors.iter().enumerate().map(|(at, x)| x * values[at / m]).collect();
    let again = square(m, q.transposed(), View::of_rows(&scaled, m, m));
    let left: Vec<f64> = gram.entries.iter().zip(&again).map(|(x, y)| x - y).collect();
    let unit = Enclosure::ONE - Enclosure::exact(ROUNDOFF);
    let residual = sum_of_squares(&left).sqrt() / unit
        + gamma(m + 1) * Enclosure::exact(largest) * of_q
        + tiny(2 * m * m) * (Enclosure::ONE + of_q);
    // QQᵀ − I.
    let mut products = square(m, q, q.transposed());
    (0..m).for_each(|i| products[i * m + i] -= 1.0);
    let apart = sum_of_squares(&products).sqrt() / unit + gamma(m) * of_q + tiny(m * m);
    let rounded = gamma(l) * of_a + tiny(m * l);
    let high = rounded + residual + Enclosure::exact(values[0].max(0.0)) * (Enclosure::ONE + apart);
    // Aᵀv.
    let v = &vectors[..m];
    let mut image = vec![0.0; l];
    product(MatrixMut::of_rows(&mut image, 1, l), false, View::of_rows(v, 1, m), a);
    let length = sum_of_squares(v).sqrt();
    let off = gamma(m) * of_a.sqrt() * length + tiny(m * l);
    let low = (sum_of_squares(&image).sqrt() - off) / length;
    Some(Enclosure::new(low.low().max(0.0), high.sqrt().high()))
}
