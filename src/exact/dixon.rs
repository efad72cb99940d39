//! Square systems of integers by p-adic lifting.
//!
//! **Statement.** Let A be an n × n integer matrix that is nonsingular modulo a prime p, and b an
//! integer vector. The solution of A x = b is the limit of its expansion x = d_0 + d_1 p + d_2 p² + …
//! with digits 0 <= d_k < p, and enough digits determine the fractions.
//!
//! **Source.** J. D. Dixon, Exact solution of linear equations using p-adic expansions, Numerische
//! Mathematik 40 (1982).
//!
//! **Algorithm.** With B = A⁻¹ mod p and r_0 = b: d_k = B r_k mod p, r_{k+1} = (r_k − A d_k)/p, which is
//! an integer vector because A d_k ≡ r_k. After k digits, x mod p^k; the fraction u/v with
//! |u|, |v| <= N, 2N² < p^k and u ≡ x v is unique if it exists, and Euclid's algorithm finds it. By
//! Cramer's rule and Hadamard's inequality N = n · max(1, |b_i|) · Π_i ‖A_i‖ is enough; most systems
//! need fewer digits, so fractions are tried on the way.
//!
//! **Trust.** Nothing rests on the bound or on the tries: fractions are returned only after
//! A x = b has been checked over the integers, and A is nonsingular because it is modulo p.
//!
//! **Cost.** n³ multiplications modulo p, then for each of about 2 log N / 61 digits n² of them and
//! n² products of an entry with a word. Elimination takes n³ products of numbers of up to log N bits.

use dashu_int::IBig;
use dashu_int::ops::{DivRem, UnsignedAbs};

use super::bit_length;
use super::modular::{PRIME, dot, inverse, reduce};

/// Numbers with one denominator, which is positive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fractions {
    /// The numerators.
    pub numerators: Vec<IBig>,
    /// The denominator.
    pub denominator: IBig,
}

/// The solutions of A x = b for each right side b; `None` if A is singular modulo
/// [`PRIME`], which says nothing about the rationals.
///
/// ```
/// use shatter_exact::{IBig, dixon};
/// let number = |x: i32| IBig::from(x);
/// let a = [vec![number(2), number(1)], vec![number(1), number(3)]];
/// let solved = dixon::solve(&a, &[vec![number(1), number(0)]]).ok_or("singular")?;
/// assert_eq!((&solved[0].numerators[..], &solved[0].denominator), (&[number(3), number(-1)][..], &number(5)));
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn solve(a: &[Vec<IBig>], right: &[Vec<IBig>]) -> Option<Vec<Fractions>> {
    let residues = a.iter().map(|row| row.iter().map(reduce).collect()).collect();
    let inverse = inverse(residues)?;
    let limbs = Limbs::of(a);
    right.iter().map(|b| lift(a, &limbs, &inverse, b)).collect()
}

/// Digits of x until they determine a solution.
fn lift(a: &[Vec<IBig>], limbs: &Limbs, inverse: &[Vec<u64>], b: &[IBig]) -> Option<Fractions> {
    let prime = IBig::from(PRIME);
    let most = most_digits(a, b);
    let mut rest = b.to_vec();
    let mut digits: Vec<Vec<u64>> = Vec::new();
    let mut attempt = 4;
    while digits.len() < most {
        let residues: Vec<u64> = rest.iter().map(reduce).collect();
        let digit: Vec<u64> = inverse.iter().map(|row| dot(row, &residues)).collect();
        for (i, r) in rest.iter_mut().enumerate() {
            *r = (&*r - limbs.times(i, &digit)) / &prime;
        }
        digits.push(digit);
        if digits.len() >= attempt.min(most) {
            attempt += attempt / 3;
            let found = fractions(&digits).filter(|x| solves(a, x, b));
            if found.is_some() {
                return found;
            }
        }
    }
    None
}

/// Digits that are certainly enough: p^k > 2N².
fn most_digits(a: &[Vec<IBig>], b: &[IBig]) -> usize {
    let length = |row: &[IBig]| row.iter().map(bit_length).max().unwrap_or(0);
    let n = a.len() as u64;
    let dimension = u64::from(u64::BITS - n.leading_zeros());
    // ‖A_i‖ <= √n max |a_ij|, and √n < 2^(dimension/2).
    let rows: u64 = a.iter().map(|row| length(row) + dimension.div_ceil(2)).sum();
    let bits = 2 * (rows + length(b).max(1) + dimension) + 1;
    // p^k > 2^(60 k).
    (bits / 60 + 1) as usize
}

/// The matrix in limbs of 48 bits, each with the sign of its entry: a row times a vector of residues
/// then needs no big integers, as n products of 48 and 61 bits fit an i128 for n < 2^18.
struct Limbs {
    /// Row by row, and in a row limb by limb from the lowest: n numbers each.
    rows: Vec<Vec<i64>>,
    n: usize,
}

const LIMB_BITS: usize = 48;

impl Limbs {
    fn of(a: &[Vec<IBig>]) -> Limbs {
        let row = |row: &Vec<IBig>| {
            let bits = row.iter().map(bit_length).max().unwrap_or(0) as usize;
            let limb = |shift: usize, x: &IBig| {
                let magnitude = x.unsigned_abs();
                // Below 2^48.
                let limb = (magnitude >> shift) & ((1u64 << LIMB_BITS) - 1);
                if *x < IBig::ZERO { -(limb as i64) } else { limb as i64 }
            };
            let shifts = (0..bits).step_by(LIMB_BITS);
            shifts.flat_map(|shift| row.iter().map(move |x| limb(shift, x))).collect()
        };
        Limbs { rows: a.iter().map(row).collect(), n: a.len() }
    }

    /// Row i times a vector of residues.
    fn times(&self, i: usize, digits: &[u64]) -> IBig {
        let product = |limb: &[i64]| {
            limb.iter()
                .zip(digits)
                .map(|(&x, &d)| i128::from(x) * i128::from(d as i64))
                .sum::<i128>()
        };
        let limbs = self.rows[i].chunks(self.n.max(1)).rev();
        limbs.fold(IBig::ZERO, |sum, limb| (sum << LIMB_BITS) + IBig::from(product(limb)))
    }
}

/// The fractions whose p-adic expansions begin with these digits, over one denominator, if there
/// are some that are small enough to be unique.
fn fractions(digits: &[Vec<u64>]) -> Option<Fractions> {
    let powers = powers(digits.len());
    let modulus = power(digits.len(), &powers);
    // 2 bound² < modulus.
    let bound = IBig::ONE << ((bit_length(&modulus) as usize - 2) / 2);
    let mut numerators: Vec<IBig> = Vec::new();
    let mut denominator = IBig::ONE;
    for j in 0..digits.first().map_or(0, Vec::len) {
        let expansion: Vec<u64> = digits.iter().map(|digit| digit[j]).collect();
        // Most solutions share their denominators, so that this is a numerator already.
        let scaled = number(&expansion, &powers) * &denominator % &modulus;
        let (numerator, factor) = fraction(&scaled, &modulus, &bound)?;
        if factor != IBig::ONE {
            numerators.iter_mut().for_each(|x| *x *= &factor);
            denominator *= factor;
        }
        numerators.push(numerator);
    }
    Some(Fractions { numerators, denominator })
}

/// u and v > 0 with |u|, v < bound and u ≡ x v, for 0 <= x < modulus: Euclid's algorithm, stopped in
/// the middle.
fn fraction(x: &IBig, modulus: &IBig, bound: &IBig) -> Option<(IBig, IBig)> {
    let negative = x - modulus;
    if -&negative < *bound {
        return Some((negative, IBig::ONE));
    }
    let (mut before, mut u) = (modulus.clone(), x.clone());
    let (mut v_before, mut v) = (IBig::ZERO, IBig::ONE);
    while u >= *bound {
        let (quotient, rest) = before.div_rem(&u);
        (before, u) = (u, rest);
        let next = v_before - quotient * &v;
        (v_before, v) = (v, next);
    }
    if v < IBig::ZERO {
        (u, v) = (-u, -v);
    }
    (v < *bound).then_some((u, v))
}

/// p^(2^i) for 2^i <= k.
fn powers(k: usize) -> Vec<IBig> {
    let first = IBig::from(PRIME);
    std::iter::successors(Some(first), |x| Some(x * x))
        .take(k.max(1).ilog2() as usize + 1)
        .collect()
}

/// p^k.
fn power(k: usize, powers: &[IBig]) -> IBig {
    let parts = powers.iter().enumerate().filter(|(i, _)| k >> i & 1 == 1);
    parts.fold(IBig::ONE, |product, (_, power)| product * power)
}

/// Σ d_k p^k, by halves.
fn number(digits: &[u64], powers: &[IBig]) -> IBig {
    match digits {
        [] => IBig::ZERO,
        [digit] => IBig::from(*digit),
        _ => {
            let level = (digits.len() - 1).ilog2();
            let (low, high) = digits.split_at(1 << level);
            number(low, powers) + number(high, powers) * &powers[level as usize]
        }
    }
}

/// Returns whether A x = b.
fn solves(a: &[Vec<IBig>], x: &Fractions, b: &[IBig]) -> bool {
    a.iter().zip(b).all(|(row, b)| {
        let terms = row.iter().zip(&x.numerators).map(|(a, x)| a * x);
        terms.fold(IBig::ZERO, |sum, term| sum + term) == b * &x.denominator
    })
}
