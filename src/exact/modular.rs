//! Linear algebra modulo a prime: rank, pivots, inverse.
//!
//! The rank of an integer matrix modulo a prime is at most its rank over the
//! rationals. So full rank modulo one prime *proves* full rank; a smaller rank
//! proves nothing by itself. Gaussian elimination, n³/3 multiplications of 61 bits
//! for a rank, n³ for an inverse.

use dashu_int::IBig;

/// The Mersenne prime 2^61 − 1.
pub const PRIME: u64 = (1 << 61) - 1;

fn multiply(x: u64, y: u64) -> u64 {
    let product = u128::from(x) * u128::from(y);
    let folded = (product as u64 & PRIME) + (product >> 61) as u64;
    if folded >= PRIME { folded - PRIME } else { folded }
}

fn subtract(x: u64, y: u64) -> u64 {
    if x >= y { x - y } else { x + PRIME - y }
}

/// Products of two residues whose sum fits 128 bits.
const TERMS: usize = 32;

/// Σ x_i y_i of residues.
pub(super) fn dot(x: &[u64], y: &[u64]) -> u64 {
    let prime = u128::from(PRIME);
    let partial = |x: &[u64], y: &[u64]| {
        x.iter().zip(y).map(|(&x, &y)| u128::from(x) * u128::from(y)).sum::<u128>()
    };
    x.chunks(TERMS).zip(y.chunks(TERMS)).fold(0, |sum, (x, y)| {
        let terms = partial(x, y);
        // 2^61 is 1 modulo the prime, so the number is the sum of its digits to base 2^61.
        let folded = (terms & prime) + (terms >> 61) + u128::from(sum);
        (folded % prime) as u64
    })
}

/// x^(p − 2), the inverse of x ≠ 0.
fn invert(x: u64) -> u64 {
    let (mut base, mut exponent, mut result) = (x, PRIME - 2, 1);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = multiply(result, base);
        }
        base = multiply(base, base);
        exponent >>= 1;
    }
    result
}

/// `x` modulo [`PRIME`], in `0..PRIME`.
///
/// ```
/// use shatter_exact::{IBig, modular::{PRIME, reduce}};
/// assert_eq!(reduce(&IBig::from(-1)), PRIME - 1);
/// ```
#[must_use]
pub fn reduce(x: &IBig) -> u64 {
    let modulus = IBig::from(PRIME);
    let rest = x % &modulus;
    let rest = if rest < IBig::ZERO { rest + modulus } else { rest };
    u64::try_from(rest).unwrap_or(0)
}

/// Rank modulo [`PRIME`] of a matrix of residues, given as rows of equal length.
///
/// ```
/// use shatter_exact::modular::rank;
/// assert_eq!(rank(vec![vec![1, 2], vec![2, 4]]), 1);
/// assert_eq!(rank(vec![vec![1, 2], vec![3, 4]]), 2);
/// ```
#[must_use]
pub fn rank(rows: Vec<Vec<u64>>) -> usize {
    pivots(rows).len()
}

/// The first columns that are a basis of the column space modulo [`PRIME`]: as many as the
/// [`rank`]. Columns that are independent modulo a prime are independent over the rationals.
///
/// ```
/// use shatter_exact::modular::pivots;
/// assert_eq!(pivots(vec![vec![1, 2, 0], vec![2, 4, 1]]), [0, 2]);
/// ```
pub fn pivots(mut rows: Vec<Vec<u64>>) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).min().unwrap_or(0);
    let mut pivots = Vec::new();
    for column in 0..columns {
        let at = pivots.len();
        let Some(pivot) = (at..rows.len()).find(|&r| rows[r][column] != 0) else { continue };
        rows.swap(at, pivot);
        let inverse = invert(rows[at][column]);
        let (above, below) = rows.split_at_mut(at + 1);
        for row in below {
            let factor = multiply(row[column], inverse);
            subtract_multiple(&mut row[column..], factor, &above[at][column..]);
        }
        pivots.push(column);
    }
    pivots
}

/// The inverse of a square matrix of residues modulo [`PRIME`]; `None` if it is singular.
///
/// ```
/// use shatter_exact::modular::{PRIME, inverse};
/// assert_eq!(inverse(vec![vec![1, 1], vec![0, 1]]), Some(vec![vec![1, PRIME - 1], vec![0, 1]]));
/// assert_eq!(inverse(vec![vec![1, 2], vec![2, 4]]), None);
/// ```
#[must_use]
pub fn inverse(mut rows: Vec<Vec<u64>>) -> Option<Vec<Vec<u64>>> {
    let n = rows.len();
    // [A | I] becomes [I | A⁻¹].
    for (i, row) in rows.iter_mut().enumerate() {
        row.resize(2 * n, 0);
        row[n + i] = 1;
    }
    for k in 0..n {
        let pivot = (k..n).find(|&r| rows[r][k] != 0)?;
        rows.swap(k, pivot);
        let scale = invert(rows[k][k]);
        rows[k].iter_mut().for_each(|x| *x = multiply(*x, scale));
        let (above, rest) = rows.split_at_mut(k);
        let Some((pivot_row, below)) = rest.split_first_mut() else { continue };
        for row in above.iter_mut().chain(below) {
            let factor = row[k];
            subtract_multiple(&mut row[k..], factor, &pivot_row[k..]);
        }
    }
    rows.iter_mut().for_each(|row| drop(row.drain(..n)));
    Some(rows)
}

/// row −= factor · other.
fn subtract_multiple(row: &mut [u64], factor: u64, other: &[u64]) {
    if factor != 0 {
        for (x, &y) in row.iter_mut().zip(other) {
            *x = subtract(*x, multiply(factor, y));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn inverses_are_inverses(x in 1..PRIME) {
            prop_assert_eq!(multiply(x, invert(x)), 1);
        }

        #[test]
        fn a_product_of_thin_factors_has_their_rank(
            left in prop::collection::vec(prop::array::uniform2(1u64..1000), 5),
            right in prop::collection::vec(prop::array::uniform2(1u64..1000), 5),
        ) {
            let product = left.iter().map(|l| {
                right.iter().map(|r| l[0] * r[0] + l[1] * r[1]).collect()
            }).collect();
            prop_assert!(rank(product) <= 2);
        }

        #[test]
        fn a_dot_product_is_the_sum_of_products(
            pairs in prop::collection::vec((0..PRIME, prop_oneof![Just(PRIME - 1), 0..PRIME]), 0..100),
        ) {
            let (x, y): (Vec<u64>, Vec<u64>) = pairs.iter().copied().unzip();
            let expected = pairs.iter().map(|&(x, y)| IBig::from(x) * IBig::from(y));
            prop_assert_eq!(dot(&x, &y), reduce(&expected.fold(IBig::ZERO, |sum, xy| sum + xy)));
        }

        #[test]
        fn a_matrix_times_its_inverse_is_the_identity(
            entries in prop::collection::vec(prop_oneof![0u64..3, 0..PRIME], 1..=25),
        ) {
            let n = entries.len().isqrt();
            let a: Vec<Vec<u64>> = entries.chunks_exact(n).take(n).map(<[u64]>::to_vec).collect();
            let Some(inverse) = inverse(a.clone()) else {
                prop_assert!(rank(a) < n);
                return Ok(());
            };
            for (i, row) in a.iter().enumerate() {
                for j in 0..n {
                    let column: Vec<u64> = inverse.iter().map(|row| row[j]).collect();
                    prop_assert_eq!(dot(row, &column), u64::from(i == j));
                }
            }
        }
    }
}
