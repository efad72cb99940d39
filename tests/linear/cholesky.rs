//! Promise: a packed factor is the Cholesky factor, its solutions solve, and a matrix without one is refused by the
//! pivot that shows it; the bytes do not depend on the number of threads.

use std::ops::ControlFlow;

use proptest::prelude::*;
use shatter_exact::Element;
use shatter_linear::cholesky::{
    CholeskyError, Ended, factor, smallest_pivot, solve, solve_backwards, solve_forwards, work,
};
use shatter_linear::condition::condition;
use shatter_linear::packed::{BLOCK, Packed};
use shatter_linear::{Square, nalgebra};

use crate::common::cases;

/// Sizes at which something is special: nothing, one row, bases, strips, blocks, chunks of rows, each ± 1.
const SIZES: [usize; 14] = [
    0,
    1,
    2,
    63,
    65,
    129,
    BLOCK - 1,
    BLOCK,
    BLOCK + 1,
    2 * BLOCK - 1,
    2 * BLOCK + 1,
    600,
    769,
    900,
];

/// A lower triangular matrix of small whole numbers with a positive diagonal: all arithmetic of the factorisation of
/// L Lᵀ is exact, so that it has to find L itself.
fn whole(n: usize) -> Square<i64> {
    Square::from_fn(n, |i, j| match i.cmp(&j) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => 1 + (i * 7 % 4) as i64,
        std::cmp::Ordering::Greater => ((i * i * 31 + j * j * 17 + i * j) % 101 % 7) as i64 - 3,
    })
}

/// Entry (i, j) of L Lᵀ.
fn square(l: &Square<i64>, i: usize, j: usize) -> i64 {
    let (left, right) = (&l.entries[i * l.n..], &l.entries[j * l.n..]);
    (0..=i.min(j)).map(|p| left[p] * right[p]).sum()
}

fn squared<E: Element>(l: &Square<i64>, block: usize) -> Packed<E> {
    let mut a = Packed::with_block(l.n, block).unwrap();
    // Above the diagonal there is what nobody reads.
    a.fill(|i, j| if j > i { E::nan() } else { E::of_integer(square(l, i, j)) });
    a
}

fn go<E: Element>(a: &mut Packed<E>) -> Result<Ended, CholeskyError> {
    factor(a, 0, |_, _| ControlFlow::Continue(()))
}

fn finds_whole_factors<E: Element>() {
    let odd = [(1, 1), (5, 1), (7, 3), (100, 66), (300, 130)];
    for (n, block) in SIZES.map(|n| (n, BLOCK)).into_iter().chain(odd) {
        let l = whole(n);
        let mut a = squared::<E>(&l, block);
        assert_eq!(go(&mut a), Ok(Ended::Whole));
        for i in 0..n {
            for j in 0..=i {
                let found = (a.at(i, j), E::of_integer(l.at(i, j)));
                assert_eq!(found.0, found.1, "entry ({i}, {j}) of {n} in blocks of {block}");
            }
        }
        // Nothing is left above the diagonal.
        for k in 0..a.blocks() {
            let columns = a.columns(k);
            let above = columns.clone().flat_map(|i| (i + 1..columns.end).map(move |j| (i, j)));
            assert!(above.into_iter().all(|(i, j)| a.at(i, j) == E::zero()));
        }
    }
}

#[test]
fn whole_factors_are_found_exactly_in_f64() {
    finds_whole_factors::<f64>();
}

/// Sums are at most 16 · 900, far below 2^24.
#[test]
fn whole_factors_are_found_exactly_in_f32() {
    finds_whole_factors::<f32>();
}

fn refuses_at<E: Element>(n: usize, block: usize, pivot: usize, less: i64) {
    let l = whole(n);
    let mut a = squared::<E>(&l, block);
    let own = square(&l, pivot, pivot) - l.at(pivot, pivot).pow(2) - less;
    let mut changed = Packed::with_block(n, block).unwrap();
    changed.fill(|i, j| if (i, j) == (pivot, pivot) { E::of_integer(own) } else { a.at(i, j) });
    a = changed;
    let found = go(&mut a);
    let unit = E::epsilon().to_f64() / 2.0;
    match found {
        Err(CholeskyError::NotPositive { pivot: row, value, diagonal, bound }) => {
            assert_eq!((row, value, diagonal), (pivot, -(less as f64), own as f64));
            let expected = (pivot as f64 + 2.0) * unit * (own as f64).abs();
            assert!(bound >= expected && bound <= 1.01 * expected, "{bound} and {expected}");
        }
        found => panic!("{found:?} at pivot {pivot} of {n} in blocks of {block}"),
    }
}

#[test]
fn the_first_pivot_that_is_not_positive_is_named() {
    for pivot in [0, 1, 63, 64, 127, 128, BLOCK - 1, BLOCK, BLOCK + 70, 599] {
        for less in [0, 1, 1000] {
            refuses_at::<f64>(600, BLOCK, pivot, less);
        }
        refuses_at::<f32>(600, BLOCK, pivot, 0);
    }
    refuses_at::<f64>(1, BLOCK, 0, 0);
    refuses_at::<f64>(7, 2, 5, 3);
}

#[test]
fn what_is_not_finite_is_refused_by_its_row() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for (row, column) in [(0, 0), (3, 0), (3, 3), (290, 1), (290, 270), (299, 299)] {
            let l = whole(300);
            let good = squared::<f64>(&l, BLOCK);
            let mut a = Packed::zeros(300).unwrap();
            a.fill(|i, j| if (i, j) == (row, column) { bad } else { good.at(i, j) });
            let found = go(&mut a);
            assert_eq!(
                found,
                Err(CholeskyError::NotFinite { pivot: row }),
                "{bad} in column {column}"
            );
        }
    }
    // Squares that overflow.
    let mut a = Packed::<f32>::zeros(2).unwrap();
    a.fill(|i, j| [[1e-30, 0.0], [1e30, 1.0]][i][j]);
    assert_eq!(go(&mut a), Err(CholeskyError::NotFinite { pivot: 1 }));
}

/// Points on a line, and 1/(1 + r²) of their distances r: positive definite, the worse the nearer they are, and without
/// numbers so small that they underflow.
fn rational<E: Element>(n: usize, block: usize, width: f64) -> Packed<E> {
    let at = |i: usize| (i as f64 * 0.618_033_988_749_895).fract() * n as f64 / width;
    let mut a = Packed::with_block(n, block).unwrap();
    a.fill(|i, j| E::of(1.0 / (1.0 + (at(i) - at(j)).powi(2))));
    a
}

/// Higham's theorems 10.3 and 10.4, entry by entry: |A − L Lᵀ| <= γ_{n+1} |L||L|ᵀ and |A x − b| <= γ_{3n+1} |L||L|ᵀ|x|.
fn is_backward_stable<E: Element>(a: &Packed<E>, columns: usize) {
    let n = a.n();
    let mut l = a.clone();
    assert_eq!(go(&mut l), Ok(Ended::Whole));
    let b = |i: usize, c: usize| ((i * 5 + c * 3) % 7) as f64 - 3.0;
    let mut x: Vec<E> = (0..n * columns).map(|at| E::of(b(at / columns, at % columns))).collect();
    solve(&l, &mut x, columns);
    let entry = |i: usize, j: usize| a.at(i.max(j), i.min(j)).to_f64();
    // The checks are in binary64, and round themselves: hence twice the bound.
    let unit = E::epsilon().to_f64();
    let size = |i: usize, j: usize| -> f64 {
        (0..=i.min(j)).map(|p| (l.at(i, p).to_f64() * l.at(j, p).to_f64()).abs()).sum()
    };
    let sizes = Square::from_fn(n, size);
    for i in 0..n {
        for j in 0..=i {
            let sum: f64 = (0..=j).map(|p| l.at(i, p).to_f64() * l.at(j, p).to_f64()).sum();
            let bound = (n as f64 + 1.0) * unit * sizes.at(i, j);
            assert!((entry(i, j) - sum).abs() <= bound, "{n}: entry ({i}, {j})");
        }
        for c in 0..columns {
            let solution = |j: usize| x[j * columns + c].to_f64();
            let sum: f64 = (0..n).map(|j| entry(i, j) * solution(j)).sum();
            let size: f64 = (0..n).map(|j| sizes.at(i, j) * solution(j).abs()).sum();
            let bound = (3.0 * n as f64 + 1.0) * unit * size;
            assert!((sum - b(i, c)).abs() <= bound, "{n}: row {i}, right side {c}");
        }
    }
    let mut halves: Vec<E> =
        (0..n * columns).map(|at| E::of(b(at / columns, at % columns))).collect();
    solve_forwards(&l, &mut halves, columns);
    solve_backwards(&l, &mut halves, columns);
    assert_eq!(halves, x);
}

#[test]
fn factors_and_solutions_are_backward_stable() {
    for (n, columns) in
        [(0, 1), (1, 1), (1, 0), (BLOCK - 1, 1), (BLOCK, 3), (BLOCK + 1, 17), (270, 40)]
    {
        is_backward_stable(&rational::<f64>(n, BLOCK, 2.0), columns);
        is_backward_stable(&rational::<f32>(n, BLOCK, 1.0), columns);
    }
    // Many parts of a sum over rows, and many chunks of rows.
    is_backward_stable(&rational::<f64>(200, 3, 2.0), 2);
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn any_well_posed_matrix_is_factored(n in 1..40usize, block in 1..12usize, columns in 1..5usize, width in 0.5..2.0f64) {
        is_backward_stable(&rational::<f64>(n, block, width), columns);
        is_backward_stable(&rational::<f32>(n, block, width.min(1.0)), columns);
    }

    /// Whatever the numbers, there is a factor that is finite or a refusal.
    #[test]
    fn any_matrix_has_an_answer(n in 1..12usize, block in 1..5usize, seed in proptest::collection::vec(-1e3..1e3f64, 144), size in -300..300i32) {
        let mut a = Packed::<f64>::with_block(n, block).unwrap();
        a.fill(|i, j| seed[i * 12 + j] * 10f64.powi(size));
        match go(&mut a) {
            Ok(_) => {
                for i in 0..n {
                    prop_assert!((0..=i).all(|j| a.at(i, j).is_finite()));
                    prop_assert!(a.at(i, i) > 0.0);
                }
            }
            Err(CholeskyError::NotPositive { pivot, value, .. }) => prop_assert!(pivot < n && value <= 0.0),
            Err(CholeskyError::NotFinite { pivot }) => prop_assert!(pivot < n),
        }
    }

    /// The estimates are on their sides of the eigenvalues, and close where these are apart.
    #[test]
    fn condition_is_estimated_from_below(n in 1..10usize, width in 0.5..2.0f64) {
        let a = rational::<f64>(n, 4, width);
        let square = Square::from_fn(n, |i, j| a.at(i.max(j), i.min(j)));
        let eigenvalues = nalgebra::eigenvalues(&square).unwrap();
        let (mut least, mut most) = (f64::INFINITY, 0.0f64);
        for (real, _) in eigenvalues {
            (least, most) = (least.min(real), most.max(real));
        }
        let mut l = a.clone();
        go(&mut l).unwrap();
        let found = condition(&l, 1000, &mut || Ok::<(), ()>(())).unwrap().unwrap();
        // What rounding does to eigenvalues is of the order n ε λ_1.
        let rounding = 100.0 * n as f64 * f64::EPSILON * most;
        prop_assert!(found.largest <= most + rounding && found.largest >= 0.5 * most, "{found:?}, {most}");
        prop_assert!(found.smallest >= least - rounding && found.smallest <= 2.0 * least + rounding, "{found:?}, {least}");
        prop_assert!(found.number() >= 1.0 - 1e-9);
    }
}

#[test]
fn the_smallest_pivot_is_the_distance_of_the_nearest_points() {
    // Points 0, 1, 2, … apart, and one beside the first.
    let at = |i: usize| if i == 200 { 1e-4 } else { 3.0 * i as f64 };
    let mut a = Packed::<f64>::with_block(300, 64).unwrap();
    a.fill(|i, j| (-(at(i) - at(j)).abs()).exp());
    go(&mut a).unwrap();
    let pivot = smallest_pivot(&a).unwrap();
    // The distance of exp(−|x − t|) from the span of its neighbours at t = 0 and beyond is about 2 · 10^-4.
    assert_eq!(pivot.row, 200);
    assert!((pivot.diagonal - 1.0).abs() < 1e-12 && (pivot.value - 2e-4).abs() < 1e-6, "{pivot:?}");
    assert!(pivot.bound > 0.0 && pivot.bound < 1e-13);
    assert_eq!(smallest_pivot(&Packed::<f64>::zeros(0).unwrap()), None);
}

fn bytes_with<E: Element>(threads: usize) -> (Packed<E>, Vec<E>, f64, f64) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let mut a = rational::<E>(1100, BLOCK, 1.0);
        go(&mut a).unwrap();
        let mut x: Vec<E> = (0..2200).map(|at| E::of((at % 13) as f64 - 6.0)).collect();
        solve(&a, &mut x, 2);
        let found = condition(&a, 3, &mut || Ok::<(), ()>(())).unwrap().unwrap();
        (a, x, found.largest, found.smallest)
    })
}

#[test]
fn threads_change_no_byte() {
    let (one, single) = (bytes_with::<f64>(1), bytes_with::<f32>(1));
    for threads in 2..=4 {
        assert!(one == bytes_with::<f64>(threads), "{threads} threads");
        assert!(single == bytes_with::<f32>(threads), "{threads} threads, f32");
    }
}

#[test]
fn progress_counts_all_operations() {
    // Column j of a factor takes (n − j) 2 j operations.
    let count =
        |n: usize, columns: usize| (0..columns).map(|j| 2 * (n - j) * j).sum::<usize>() as f64;
    assert!((work(1000, 1000) - count(1000, 1000)).abs() < 0.005 * count(1000, 1000));
    assert!((work(1000, 300) - count(1000, 300)).abs() < 0.01 * count(1000, 300));
    let mut a = rational::<f64>(10, 3, 1.0);
    let mut seen = Vec::new();
    let ended = factor(&mut a, 0, |_, progress| {
        seen.push((progress.columns, progress.of));
        assert!(progress.work <= progress.total);
        assert_eq!(progress.work == progress.total, progress.columns == 4);
        if progress.columns == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(ended, Ok(Ended::Stopped { columns: 2 }));
    assert_eq!(seen, [(1, 4), (2, 4)]);
}
