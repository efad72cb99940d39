//! Linear systems over the rational numbers: solutions, the null space, the rank.
//!
//! Matrices are slices of rows of equal length.
//!
//! **Algorithms.** Each row is multiplied by a number that makes it a vector of integers without a
//! common divisor. Small systems, and those of deficient rank, are solved by fraction-free
//! Gauss–Jordan elimination: with D the pivot before and P the new one,
//!
//! ```text
//! row ← (P · row − row[pivot column] · pivot row) / D
//! ```
//!
//! leaves integers, because every entry is a minor of the matrix (E. H. Bareiss, Sylvester's identity
//! and multistep integer-preserving Gaussian elimination, Math. Comp. 22, 1968); in the end all pivots
//! are equal. From [`LIFTING`] rows on, and where the rows are independent modulo a prime, n columns
//! that are independent modulo it are solved for by [`dixon`] lifting. For the rank, full rank modulo
//! the prime is a proof; less is a proof if rows that are a basis modulo the prime are lifted to all
//! others. Elimination decides the rest.
//!
//! **Cost.** m rows, n columns, entries of B bits: elimination takes m²n products of numbers of up to
//! mB bits, lifting about m³ products of words and m²·mB/30 for each right side.

use dashu_int::ops::{Gcd, UnsignedAbs};
use dashu_int::{IBig, UBig};

use super::{Rational, dixon, modular};

/// Rows from which lifting is faster than elimination. Measured with entries of 64 bits, release
/// build: 0.05 ms by elimination and 0.16 ms by lifting for n = 6, 0.40 and 0.62 for n = 12, 1.04 and
/// 0.95 for n = 16, 13.8 s and 0.12 s for n = 100.
pub const LIFTING: usize = 16;

/// A solution x of A x = b (free variables 0), or `None` if there is none.
///
/// ```
/// use shatter_exact::{Rational, matrix};
/// let number = |x: i32| Rational::from(x);
/// let a = [vec![number(2), number(1)], vec![number(1), number(1)]];
/// let x = matrix::solve(&a, &[number(3), number(2)]);
/// assert_eq!(x, Some(vec![number(1), number(1)]));
/// ```
#[must_use]
pub fn solve(a: &[Vec<Rational>], b: &[Rational]) -> Option<Vec<Rational>> {
    solve_all(a, &[b.to_vec()])?.pop()
}

/// The same for several right sides at once; `None` if one of them has no solution.
///
/// ```
/// use shatter_exact::{Rational, matrix};
/// let number = |x: i32| Rational::from(x);
/// let right = [vec![number(3)], vec![number(4)]];
/// let x = matrix::solve_all(&[vec![number(2)]], &right).ok_or("no solution")?;
/// assert_eq!(x[1], [number(2)]);
/// # Ok::<(), &str>(())
/// ```
pub fn solve_all(a: &[Vec<Rational>], right: &[Vec<Rational>]) -> Option<Vec<Vec<Rational>>> {
    let columns = a.first().map_or(0, Vec::len);
    let (rows, factors): (Vec<_>, Vec<_>) = a.iter().map(|row| primitive(row)).unzip();
    let right: Vec<(Vec<IBig>, IBig)> = right
        .iter()
        .map(|b| {
            let scaled: Vec<Rational> = b.iter().zip(&factors).map(|(b, f)| b * f).collect();
            over_common_denominator(&scaled)
        })
        .collect();
    let sides: Vec<Vec<IBig>> = right.iter().map(|(b, _)| b.clone()).collect();
    let (pivots, solved) = match lifted(&rows, columns, |_| sides.clone()) {
        Some(solved) => solved,
        None => eliminated(rows, columns, &sides)?,
    };
    let spread = |(x, (_, scale)): (&dixon::Fractions, &(Vec<IBig>, IBig))| {
        let denominator = &x.denominator * scale;
        let mut full = vec![Rational::ZERO; columns];
        for (&column, x) in pivots.iter().zip(&x.numerators) {
            full[column] = Rational::from_parts_signed(x.clone(), denominator.clone());
        }
        full
    };
    Some(solved.iter().zip(&right).map(spread).collect())
}

/// A basis of the vectors x with A x = 0, where A has `columns` columns.
///
/// ```
/// use shatter_exact::{Rational, matrix};
/// let one = Rational::ONE;
/// assert_eq!(matrix::null_space(&[vec![one.clone(), one.clone()]], 2), [[-one.clone(), one]]);
/// ```
#[must_use]
pub fn null_space(a: &[Vec<Rational>], columns: usize) -> Vec<Vec<Rational>> {
    let rows: Vec<Vec<IBig>> = a.iter().map(|row| primitive(row).0).collect();
    let free = |pivots: &[usize]| -> Vec<usize> {
        let mut is_free = vec![true; columns];
        pivots.iter().for_each(|&pivot| is_free[pivot] = false);
        (0..columns).filter(|&column| is_free[column]).collect()
    };
    // The pivot variables that make up for a free one.
    let sides = |pivots: &[usize]| -> Vec<Vec<IBig>> {
        let column = |column: usize| rows.iter().map(|row| -&row[column]).collect();
        free(pivots).into_iter().map(column).collect()
    };
    let (pivots, solved) = match lifted(&rows, columns, sides) {
        Some(solved) => solved,
        None => {
            let reduced = reduce(rows, columns);
            let column = |column: usize| dixon::Fractions {
                numerators: reduced.rows.iter().map(|row| -&row[column]).collect(),
                denominator: reduced.pivot.clone(),
            };
            let solved = free(&reduced.pivots).into_iter().map(column).collect();
            (reduced.pivots, solved)
        }
    };
    let vector = |(column, x): (usize, &dixon::Fractions)| {
        let mut full = vec![Rational::ZERO; columns];
        full[column] = Rational::ONE;
        for (&pivot, number) in pivots.iter().zip(&x.numerators) {
            full[pivot] = Rational::from_parts_signed(number.clone(), x.denominator.clone());
        }
        full
    };
    free(&pivots).into_iter().zip(&solved).map(vector).collect()
}

/// The rank of A.
///
/// ```
/// use shatter_exact::{Rational, matrix};
/// let (one, two) = (Rational::ONE, Rational::from(2));
/// assert_eq!(matrix::rank(&[vec![one.clone(), two.clone()], vec![one.clone(), two]]), 1);
/// ```
#[must_use]
pub fn rank(a: &[Vec<Rational>]) -> usize {
    independent_columns(a).len()
}

/// Independent columns of A, as many as the rank.
///
/// ```
/// use shatter_exact::{Rational, matrix};
/// let (zero, one) = (Rational::ZERO, Rational::ONE);
/// assert_eq!(matrix::independent_columns(&[vec![zero.clone(), one]]), [1]);
/// assert!(matrix::independent_columns(&[vec![zero]]).is_empty());
/// ```
pub fn independent_columns(a: &[Vec<Rational>]) -> Vec<usize> {
    let columns = a.first().map_or(0, Vec::len);
    let rows: Vec<Vec<IBig>> = a.iter().map(|row| primitive(row).0).collect();
    let pivots = modular::pivots(residues(&rows));
    let proved = if columns < rows.len() {
        pivots.len() == columns || basis_spans(&transposed(&rows, columns))
    } else {
        pivots.len() == rows.len() || basis_spans(&rows)
    };
    if proved { pivots } else { reduce(rows, columns).pivots }
}

/// Integers over the least common denominator, which is positive.
///
/// ```
/// use shatter_exact::{IBig, Rational, matrix::over_common_denominator};
/// let half = Rational::from_parts(1.into(), 2u8.into());
/// let (integers, denominator) = over_common_denominator(&[half, Rational::from(3)]);
/// assert_eq!((integers, denominator), (vec![IBig::from(1), IBig::from(6)], IBig::from(2)));
/// ```
#[must_use]
pub fn over_common_denominator(numbers: &[Rational]) -> (Vec<IBig>, IBig) {
    let common = numbers.iter().fold(UBig::ONE, |common, x| {
        let divisor = (&common).gcd(x.denominator());
        common * (x.denominator() / divisor)
    });
    let integers = numbers.iter().map(|x| x.numerator() * IBig::from(&common / x.denominator()));
    (integers.collect(), IBig::from(common.clone()))
}

/// The row times a positive number (also returned) that makes it integers without common divisor.
fn primitive(row: &[Rational]) -> (Vec<IBig>, Rational) {
    let (mut integers, denominator) = over_common_denominator(row);
    let magnitudes = integers.iter().filter(|x| !x.is_zero()).map(UnsignedAbs::unsigned_abs);
    let content = IBig::from(magnitudes.reduce(|divisor, x| divisor.gcd(x)).unwrap_or(UBig::ONE));
    if content != IBig::ONE {
        integers.iter_mut().for_each(|x| *x /= &content);
    }
    (integers, Rational::from_parts_signed(denominator, content))
}

fn transposed(rows: &[Vec<IBig>], columns: usize) -> Vec<Vec<IBig>> {
    (0..columns).map(|j| rows.iter().map(|row| row[j].clone()).collect()).collect()
}

/// Returns whether rows that are a basis modulo the prime span all rows over the rationals: then the rank is
/// the one modulo the prime. The coefficients are lifted, and checked in every column.
fn basis_spans(rows: &[Vec<IBig>]) -> bool {
    let columns = rows.first().map_or(0, Vec::len);
    let mut basis = vec![false; rows.len()];
    modular::pivots(residues(&transposed(rows, columns))).into_iter().for_each(|i| basis[i] = true);
    let select = |chosen: bool| -> Vec<Vec<IBig>> {
        let rows = rows.iter().zip(&basis).filter(|(_, in_basis)| **in_basis == chosen);
        rows.map(|(row, _)| row.clone()).collect()
    };
    let (basis, others) = (select(true), select(false));
    let pivots = modular::pivots(residues(&basis));
    let at_pivots = |row: &Vec<IBig>| pivots.iter().map(|&j| row[j].clone()).collect();
    let square: Vec<Vec<IBig>> = basis.iter().map(at_pivots).collect();
    let sides: Vec<Vec<IBig>> = others.iter().map(at_pivots).collect();
    let Some(solved) = dixon::solve(&transposed(&square, pivots.len()), &sides) else {
        return false;
    };
    others.iter().zip(&solved).all(|(row, x)| {
        let sum = |j: usize| {
            let terms = x.numerators.iter().zip(&basis).map(|(x, row)| x * &row[j]);
            terms.fold(IBig::ZERO, |sum, term| sum + term)
        };
        (0..columns).all(|j| sum(j) == &x.denominator * &row[j])
    })
}

fn residues(rows: &[Vec<IBig>]) -> Vec<Vec<u64>> {
    rows.iter().map(|row| row.iter().map(modular::reduce).collect()).collect()
}

/// Pivot columns, and for each right side the variables that belong to them.
type Solved = (Vec<usize>, Vec<dixon::Fractions>);

/// By lifting, for the right sides that belong to the pivots; `None` if the system is small, or its
/// rows are dependent modulo the prime.
fn lifted(
    rows: &[Vec<IBig>],
    columns: usize,
    sides: impl Fn(&[usize]) -> Vec<Vec<IBig>>,
) -> Option<Solved> {
    if rows.len() < LIFTING || columns < rows.len() {
        return None;
    }
    let pivots = match columns == rows.len() {
        true => (0..columns).collect(),
        false => modular::pivots(residues(rows)),
    };
    if pivots.len() < rows.len() {
        return None;
    }
    let square = |row: &Vec<IBig>| pivots.iter().map(|&column| row[column].clone()).collect();
    let square: Vec<Vec<IBig>> = rows.iter().map(square).collect();
    let solved = dixon::solve(&square, &sides(&pivots))?;
    Some((pivots, solved))
}

/// By elimination; `None` if a right side has no solution.
fn eliminated(rows: Vec<Vec<IBig>>, columns: usize, sides: &[Vec<IBig>]) -> Option<Solved> {
    let augmented = rows.into_iter().enumerate().map(|(i, mut row)| {
        row.extend(sides.iter().map(|b| b[i].clone()));
        row
    });
    let reduced = reduce(augmented.collect(), columns);
    let (top, rest) = reduced.rows.split_at(reduced.pivots.len());
    if rest.iter().any(|row| row[columns..].iter().any(|x| !x.is_zero())) {
        return None;
    }
    let solved = (columns..columns + sides.len()).map(|side| dixon::Fractions {
        numerators: top.iter().map(|row| row[side].clone()).collect(),
        denominator: reduced.pivot.clone(),
    });
    Some((reduced.pivots.clone(), solved.collect()))
}

/// A row echelon form whose pivots are all equal, and the only entries of their columns.
struct Reduced {
    rows: Vec<Vec<IBig>>,
    /// Their columns.
    pivots: Vec<usize>,
    /// Their value; 1 if there are none.
    pivot: IBig,
}

/// Fraction-free Gauss–Jordan elimination in the first `columns` columns.
fn reduce(mut rows: Vec<Vec<IBig>>, columns: usize) -> Reduced {
    let mut pivots = Vec::new();
    let mut last = IBig::ONE;
    for column in 0..columns {
        let at = pivots.len();
        let Some(pivot) = (at..rows.len()).find(|&r| !rows[r][column].is_zero()) else { continue };
        rows.swap(at, pivot);
        let (above, rest) = rows.split_at_mut(at);
        let Some((top, below)) = rest.split_first_mut() else { continue };
        let pivot = top[column].clone();
        for row in above.iter_mut().chain(below) {
            let factor = row[column].clone();
            for (x, t) in row.iter_mut().zip(top.iter()) {
                *x = (&pivot * &*x - &factor * t) / &last;
            }
        }
        last = pivot;
        pivots.push(column);
    }
    Reduced { rows, pivots, pivot: last }
}
