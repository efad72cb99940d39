//! General position, decided exactly.

use shatter_exact::{Rational, matrix, modular};
use shatter_network::ExactPoints;
use shatter_sample::Points;

/// The indices of at most d + 1 affinely dependent points, if the points are not in general
/// position. Looks at every set of d + 1 points (of all points, if there are fewer): for small sets.
///
/// ```
/// use shatter_claims::strategy::dependent;
/// use shatter_sample::{Points, Values};
/// let points = |x: &[i64]| Points::new(Values::I64(x.to_vec()), vec![2]);
/// assert_eq!(dependent(&points(&[0, 0, 1, 0, 0, 1, 1, 1])?), None);
/// assert_eq!(dependent(&points(&[0, 0, 1, 0, 0, 1, 2, 0])?), Some(vec![0, 1, 3]));
/// # Ok::<(), shatter_sample::SampleError>(())
/// ```
#[must_use]
pub fn dependent(points: &Points) -> Option<Vec<usize>> {
    let rows: Vec<Vec<Rational>> = (0..points.n()).map(|i| affine(points.exact_row(i))).collect();
    let size = (points.d() + 1).min(rows.len());
    first_subset(rows.len(), size, &mut |set| !independent(set.iter().map(|&i| &rows[i])))
}

/// Returns true if points in general position stay so with one more.
pub(super) fn stays_general(points: &[&[i64]], next: &[i64]) -> bool {
    let row = |x: &[i64]| x.iter().copied().chain([1]).collect::<Vec<i64>>();
    let size = points.len().min(next.len());
    let spoilt = |set: &[usize]| {
        let rows = set.iter().map(|&i| row(points[i])).chain([row(next)]);
        !independent_integers(&rows.collect::<Vec<_>>())
    };
    first_subset(points.len(), size, &mut { spoilt }).is_none()
}

/// Number of sets that [`stays_general`] examines: C(n, d), at most `u64::MAX`.
pub(super) fn sets(n: usize, d: usize) -> u64 {
    let (n, d) = (n as u64, d.min(n) as u64);
    (0..d).try_fold(1u64, |sets, k| Some(sets.checked_mul(n - k)? / (k + 1))).unwrap_or(u64::MAX)
}

/// Rows that are independent modulo a prime are independent; the others are decided over the rationals.
fn independent_integers(rows: &[Vec<i64>]) -> bool {
    let reduced = |row: &Vec<i64>| row.iter().map(|&x| modular::reduce(&x.into())).collect();
    let exact = |row: &Vec<i64>| row.iter().map(|&x| Rational::from(x)).collect();
    modular::rank(rows.iter().map(reduced).collect()) == rows.len()
        || matrix::rank(&rows.iter().map(exact).collect::<Vec<Vec<Rational>>>()) == rows.len()
}

/// (x, 1).
fn affine(mut x: Vec<Rational>) -> Vec<Rational> {
    x.push(Rational::ONE);
    x
}

fn independent<'a>(rows: impl Iterator<Item = &'a Vec<Rational>>) -> bool {
    let rows: Vec<Vec<Rational>> = rows.cloned().collect();
    matrix::rank(&rows) == rows.len()
}

/// The first set of `size` numbers below `n` for which `accepts` returns true, in lexicographic order.
fn first_subset(
    n: usize,
    size: usize,
    accepts: &mut impl FnMut(&[usize]) -> bool,
) -> Option<Vec<usize>> {
    let mut set: Vec<usize> = (0..size).collect();
    loop {
        if accepts(&set) {
            return Some(set);
        }
        // The last place that can still move up.
        let place = (0..size).rev().find(|&place| set[place] < n - size + place)?;
        set[place] += 1;
        for later in place + 1..size {
            set[later] = set[later - 1] + 1;
        }
    }
}
