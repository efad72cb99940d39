//! Linear systems over the rational numbers: a solution, the null space, the rank.
//!
//! Matrices are slices of rows of equal length.

use super::Rational;

/// A solution x of A x = b (free variables 0), or `None` if there is none.
///
/// ```
/// use shatter::exact::{Rational, matrix};
/// let number = |x: i32| Rational::from(x);
/// let a = [vec![number(2), number(1)], vec![number(1), number(1)]];
/// let x = matrix::solve(&a, &[number(3), number(2)]);
/// assert_eq!(x, Some(vec![number(1), number(1)]));
/// ```
pub fn solve(a: &[Vec<Rational>], b: &[Rational]) -> Option<Vec<Rational>> {
    let columns = a.first().map_or(0, Vec::len);
    let augmented =
        a.iter().zip(b).map(|(row, b)| [row.as_slice(), std::slice::from_ref(b)].concat());
    let (rows, pivots) = reduce(augmented.collect(), columns);
    if rows[pivots.len()..].iter().any(|row| !row[columns].is_zero()) {
        return None;
    }
    let mut x = vec![Rational::ZERO; columns];
    for (row, &pivot) in rows.iter().zip(&pivots) {
        x[pivot] = row[columns].clone();
    }
    Some(x)
}

/// A basis of the vectors x with A x = 0, where A has `columns` columns.
///
/// ```
/// use shatter::exact::{Rational, matrix};
/// let one = Rational::ONE;
/// assert_eq!(matrix::null_space(&[vec![one.clone(), one.clone()]], 2), [[-one.clone(), one]]);
/// ```
pub fn null_space(a: &[Vec<Rational>], columns: usize) -> Vec<Vec<Rational>> {
    let (rows, pivots) = reduce(a.to_vec(), columns);
    let free = (0..columns).filter(|column| !pivots.contains(column));
    free.map(|column| {
        let mut x = vec![Rational::ZERO; columns];
        x[column] = Rational::ONE;
        for (row, &pivot) in rows.iter().zip(&pivots) {
            x[pivot] = -row[column].clone();
        }
        x
    })
    .collect()
}

/// The rank of A.
pub fn rank(a: &[Vec<Rational>]) -> usize {
    reduce(a.to_vec(), a.first().map_or(0, Vec::len)).1.len()
}

/// The reduced row echelon form in the first `columns` columns, and its pivots.
fn reduce(mut rows: Vec<Vec<Rational>>, columns: usize) -> (Vec<Vec<Rational>>, Vec<usize>) {
    let mut pivots = Vec::new();
    for column in 0..columns {
        let at = pivots.len();
        let Some(pivot) = (at..rows.len()).find(|&r| !rows[r][column].is_zero()) else { continue };
        rows.swap(at, pivot);
        let inverse = Rational::ONE / &rows[at][column];
        rows[at].iter_mut().for_each(|x| *x *= &inverse);
        let pivot_row = rows[at].clone();
        for (r, row) in rows.iter_mut().enumerate() {
            if r == at || row[column].is_zero() {
                continue;
            }
            let factor = row[column].clone();
            for (x, p) in row.iter_mut().zip(&pivot_row) {
                *x -= &factor * p;
            }
        }
        pivots.push(column);
    }
    (rows, pivots)
}
