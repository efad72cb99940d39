//! Promise: exact linear algebra gives what textbook elimination gives, and solutions that solve.

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod cases;
    pub use cases::*;
}

use crate::common::cases;
use proptest::prelude::*;
use shatter_exact::matrix::{self, LIFTING};
use shatter_exact::modular::PRIME;
use shatter_exact::{Dyadic, IBig, Rational, dixon};

type Matrix = Vec<Vec<Rational>>;

/// Textbook Gauss–Jordan elimination: the reduced echelon form and its pivots.
fn naive(mut a: Matrix, columns: usize) -> (Matrix, Vec<usize>) {
    let mut pivots = Vec::new();
    for column in 0..columns {
        let at = pivots.len();
        let Some(pivot) = (at..a.len()).find(|&r| !a[r][column].is_zero()) else { continue };
        a.swap(at, pivot);
        let top: Vec<Rational> = a[at].iter().map(|x| x / &a[at][column]).collect();
        for (r, row) in a.iter_mut().enumerate() {
            let factor = row[column].clone();
            for (x, t) in row.iter_mut().zip(&top) {
                *x = if r == at { t.clone() } else { &*x - &factor * t };
            }
        }
        pivots.push(column);
    }
    (a, pivots)
}

fn naive_solve(a: &Matrix, b: &[Rational]) -> Option<Vec<Rational>> {
    let columns = a.first().map_or(0, Vec::len);
    let augmented = a.iter().zip(b).map(|(row, b)| [row.clone(), vec![b.clone()]].concat());
    let (rows, pivots) = naive(augmented.collect(), columns);
    let solvable = rows[pivots.len()..].iter().all(|row| row[columns].is_zero());
    solvable.then(|| {
        let mut x = vec![Rational::ZERO; columns];
        pivots.iter().zip(&rows).for_each(|(&pivot, row)| x[pivot] = row[columns].clone());
        x
    })
}

fn times(a: &Matrix, x: &[Rational]) -> Vec<Rational> {
    let dot =
        |row: &Vec<Rational>| row.iter().zip(x).fold(Rational::ZERO, |sum, (a, x)| sum + a * x);
    a.iter().map(dot).collect()
}

/// Small integers (singular matrices), words, fractions, numbers near 2^±1000, and multiples of the
/// prime that lifting uses.
fn entry(kind: u8) -> BoxedStrategy<Rational> {
    let fraction = |(p, q): (i64, u64)| Rational::from_parts(p.into(), (q | 1).into());
    let prime = |x: i64| Rational::from(IBig::from(x) * IBig::from(PRIME));
    match kind {
        0 => (-1i64..=1).prop_map(Rational::from).boxed(),
        1 => (-9i64..=9).prop_map(Rational::from).boxed(),
        2 => any::<i64>().prop_map(Rational::from).boxed(),
        3 => (any::<i64>(), any::<u64>()).prop_map(fraction).boxed(),
        4 => {
            (-99i64..99, -1000i64..1000).prop_map(|(m, e)| Dyadic::new(m, e).to_rational()).boxed()
        }
        _ => prop_oneof![(-2i64..3).prop_map(Rational::from), (-2i64..3).prop_map(prime)].boxed(),
    }
}

fn matrix(rows: usize, columns: usize) -> impl Strategy<Value = Matrix> {
    (0u8..6).prop_flat_map(move |kind| {
        prop::collection::vec(prop::collection::vec(entry(kind), columns), rows)
    })
}

/// Square, wide, tall, without rows, 1 × 1; two right sides, one of them certainly solvable.
fn system(most: usize) -> impl Strategy<Value = (Matrix, Vec<Rational>, Vec<Rational>)> {
    (0..=most, 1..=most, any::<bool>()).prop_flat_map(|(rows, columns, square)| {
        let columns = if square { rows.max(1) } else { columns };
        let x = matrix(1, columns).prop_map(|mut rows| rows.remove(0));
        let b = matrix(1, rows).prop_map(|mut rows| rows.remove(0));
        (matrix(rows, columns), x, b)
    })
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn small_systems_are_solved_as_in_the_textbook((a, x, b) in system(9)) {
        prop_assert_eq!(matrix::solve(&a, &b), naive_solve(&a, &b));
        let solvable = times(&a, &x);
        prop_assert_eq!(matrix::solve(&a, &solvable), naive_solve(&a, &solvable));
    }

    #[test]
    fn null_spaces_and_ranks_are_those_of_the_textbook((a, _, _) in system(9)) {
        let columns = a.first().map_or(3, Vec::len);
        let (rows, pivots) = naive(a.clone(), columns);
        prop_assert_eq!(matrix::rank(&a), pivots.len());
        let basis = matrix::null_space(&a, columns);
        prop_assert_eq!(basis.len(), columns - pivots.len());
        let free = (0..columns).filter(|column| !pivots.contains(column));
        for (x, column) in basis.iter().zip(free) {
            prop_assert!(times(&a, x).iter().all(Rational::is_zero));
            for (row, &pivot) in rows.iter().zip(&pivots) {
                prop_assert_eq!(&x[pivot], &-&row[column]);
            }
        }
    }

    #[test]
    fn lifting_agrees_with_elimination(
        entries in prop::collection::vec(entry(2), 1..=64),
        small in prop::collection::vec(entry(5), 64),
        mixed: bool,
    ) {
        let n = entries.len().isqrt();
        let entries = if mixed { small } else { entries };
        let a: Matrix = entries.chunks(n).take(n).map(<[Rational]>::to_vec).collect();
        let b: Vec<Rational> = entries.iter().rev().take(n).cloned().collect();
        let integers = |row: &[Rational]| row.iter().map(|x| x.numerator().clone()).collect::<Vec<IBig>>();
        let rows: Vec<Vec<IBig>> = a.iter().map(|row| integers(row)).collect();
        match dixon::solve(&rows, &[integers(&b)]) {
            Some(solved) => {
                let fraction = |x: &IBig| Rational::from_parts_signed(x.clone(), solved[0].denominator.clone());
                let x: Vec<Rational> = solved[0].numerators.iter().map(fraction).collect();
                prop_assert_eq!(Some(x), naive_solve(&a, &b));
            }
            // Singular, or at least modulo the prime, of which only `small` has multiples.
            None => prop_assert!(mixed || naive(a, n).1.len() < n),
        }
    }
}

proptest! {
    #![proptest_config(cases(4))]

    /// Sizes at which lifting is used, wide ones included; thin factors make singular matrices.
    #[test]
    fn large_systems_are_solved(
        (a, left, right) in (LIFTING..LIFTING + 4, 0usize..4).prop_flat_map(|(n, more)| {
            (matrix(n, n + more), matrix(n, 3), matrix(3, n + more))
        }),
        b in prop::collection::vec(entry(3), LIFTING + 8),
        thin: bool,
    ) {
        let (n, columns) = (a.len(), a[0].len());
        let thin_row = |row: &Vec<Rational>| {
            (0..columns)
                .map(|j| row.iter().zip(&right).fold(Rational::ZERO, |sum, (x, r)| sum + x * &r[j]))
                .collect()
        };
        let a = if thin { left.iter().map(thin_row).collect() } else { a };
        let pivots = naive(a.clone(), columns).1;
        prop_assert_eq!(matrix::rank(&a), pivots.len());
        let found = matrix::independent_columns(&a);
        let chosen: Matrix =
            found.iter().map(|&j| a.iter().map(|row| row[j].clone()).collect()).collect();
        prop_assert_eq!(naive(chosen, n).1.len(), pivots.len());
        prop_assert_eq!(found.len(), pivots.len());
        // The same as rows of a tall matrix.
        let tall: Matrix =
            (0..columns).map(|j| a.iter().map(|row| row[j].clone()).collect()).collect();
        prop_assert_eq!(matrix::rank(&tall), pivots.len());
        let solvable = times(&a, &b[..columns.min(b.len())]);
        let expected = naive_solve(&a, &b[..n]).is_some();
        match matrix::solve_all(&a, &[solvable.clone(), b[..n].to_vec()]) {
            Some(x) => {
                prop_assert!(expected);
                prop_assert_eq!(times(&a, &x[0]), solvable);
                prop_assert_eq!(times(&a, &x[1]), &b[..n]);
                let used = (0..columns).filter(|&j| !x[1][j].is_zero()).count();
                prop_assert!(used <= pivots.len());
            }
            None => prop_assert!(!expected),
        }
        let basis = matrix::null_space(&a, columns);
        prop_assert_eq!(basis.len(), columns - pivots.len());
        prop_assert_eq!(naive(basis.clone(), columns).1.len(), basis.len());
        for x in &basis {
            prop_assert!(times(&a, x).iter().all(Rational::is_zero));
        }
    }
}

#[test]
fn the_corners() {
    let number = |x: i64| Rational::from(x);
    assert_eq!(matrix::solve(&[], &[]), Some(vec![]));
    assert_eq!(matrix::rank(&[]), 0);
    assert_eq!(matrix::null_space(&[], 2), [[number(1), number(0)], [number(0), number(1)]]);
    assert_eq!(matrix::solve(&[vec![number(0)]], &[number(1)]), None);
    assert_eq!(matrix::solve(&[vec![number(0)]], &[number(0)]), Some(vec![number(0)]));
    assert_eq!(
        matrix::solve(&[vec![number(4)]], &[number(-2)]),
        Some(vec![number(-1) / number(2)])
    );
    // Rows (1, 0, …, 0, p, 0, …): nonsingular, but singular modulo the prime p.
    let singular = |n: usize| -> Matrix {
        let entry = |i: usize, j: usize| match j {
            0 => number(1),
            _ if i == j => number(PRIME as i64),
            _ => number(0),
        };
        (0..n).map(|i| (0..n).map(|j| entry(i, j)).collect()).collect()
    };
    assert_eq!(matrix::rank(&singular(2)), 2);
    assert_eq!(matrix::independent_columns(&singular(2)), [0, 1]);
    // Large enough to be lifted: elimination takes over.
    let a = singular(LIFTING);
    let b: Vec<Rational> = (0..LIFTING as i64).map(number).collect();
    assert_eq!(matrix::solve(&a, &b), naive_solve(&a, &b));
    assert_eq!(matrix::null_space(&a[1..], LIFTING).len(), 1);
}
