//! Rank modulo a prime.
//!
//! The rank of an integer matrix modulo a prime is at most its rank over the
//! rationals. So full rank modulo one prime *proves* full rank; a smaller rank
//! proves nothing by itself. Gaussian elimination, n³/3 multiplications of 61 bits.

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
/// use shatter::exact::{IBig, modular::{PRIME, reduce}};
/// assert_eq!(reduce(&IBig::from(-1)), PRIME - 1);
/// ```
pub fn reduce(x: &IBig) -> u64 {
    let modulus = IBig::from(PRIME);
    let rest = x % &modulus;
    let rest = if rest < IBig::ZERO { rest + modulus } else { rest };
    u64::try_from(rest).unwrap_or(0)
}

/// Rank modulo [`PRIME`] of a matrix of residues, given as rows of equal length.
///
/// ```
/// use shatter::exact::modular::rank;
/// assert_eq!(rank(vec![vec![1, 2], vec![2, 4]]), 1);
/// assert_eq!(rank(vec![vec![1, 2], vec![3, 4]]), 2);
/// ```
pub fn rank(mut rows: Vec<Vec<u64>>) -> usize {
    let columns = rows.iter().map(Vec::len).min().unwrap_or(0);
    let mut rank = 0;
    for column in 0..columns {
        let Some(pivot) = (rank..rows.len()).find(|&r| rows[r][column] != 0) else { continue };
        rows.swap(rank, pivot);
        let inverse = invert(rows[rank][column]);
        let (above, below) = rows.split_at_mut(rank + 1);
        let pivot_row = &above[rank];
        for row in below {
            if row[column] == 0 {
                continue;
            }
            let factor = multiply(row[column], inverse);
            for (x, &p) in row[column..].iter_mut().zip(&pivot_row[column..]) {
                *x = subtract(*x, multiply(factor, p));
            }
        }
        rank += 1;
    }
    rank
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
    }
}
