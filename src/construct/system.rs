//! What the constructions that solve a linear system share: right sides, a limit, and output units.

use shatter_exact::{Dyadic, Rational, bit_length, matrix};
use shatter_network::ExactLabels;
use shatter_network::Unit;
use shatter_sample::Labels;

use super::ConstructError;

/// Most points of a dense system of fractions: the weights of 256 Gaussian points with random features
/// take 1.4 s to solve for, and exact evaluation at all points 17 s.
pub(super) const MOST_POINTS: usize = 256;
/// Most bits of a numerator or denominator that a solution may need: 2^17 take about 5 s.
const MOST_BITS: u64 = 1 << 17;

/// The labels as right sides: one for each output, with a number for each point.
pub(super) fn right_sides(labels: &Labels) -> Vec<Vec<Rational>> {
    let rows: Vec<Vec<Dyadic>> = (0..labels.len()).map(|i| labels.exact_row(i)).collect();
    let side = |output: usize| rows.iter().map(|row| row[output].to_rational()).collect();
    (0..labels.outputs()).map(side).collect()
}

/// The weights for each right side.
///
/// # Errors
/// [`ConstructError::Rank`] if there are none; `what` names the rows.
pub(super) fn solve(
    a: &[Vec<Rational>],
    right: &[Vec<Rational>],
    what: &'static str,
) -> Result<Vec<Vec<Rational>>, ConstructError> {
    let short = || ConstructError::Rank { what, rank: matrix::rank(a), n: a.len() };
    matrix::solve_all(a, right).ok_or_else(short)
}

/// One affine unit for each list of weights, without bias.
pub(super) fn outputs(weights: Vec<Vec<Rational>>) -> Vec<Unit> {
    let unit = |w: Vec<Rational>| Unit::affine(w.into_iter().enumerate(), Rational::ZERO);
    weights.into_iter().map(unit).collect()
}

/// Refuses more than `most` points.
///
/// # Errors
/// [`ConstructError::TooLarge`].
pub(super) fn limit_points(
    construction: String,
    n: usize,
    most: usize,
) -> Result<(), ConstructError> {
    let why = || format!("the dense n × n system of fractions is limited to n = {most}");
    if n > most { Err(ConstructError::TooLarge { construction, n, why: why() }) } else { Ok(()) }
}

/// Refuses a matrix whose solutions may have more than [`MOST_BITS`] bits. A solution is a quotient of
/// determinants, and those of integer rows have at most the bits of all rows together; a row of
/// fractions is cleared by the product of their denominators.
///
/// # Errors
/// [`ConstructError::TooLarge`].
pub(super) fn limit_bits(construction: String, a: &[Vec<Rational>]) -> Result<(), ConstructError> {
    let bits: u64 = a.iter().flatten().map(|x| bit_length(x.denominator().as_ibig())).sum();
    if bits <= MOST_BITS {
        return Ok(());
    }
    let why = format!("each weight may need {bits} bits, and the limit is {MOST_BITS}");
    Err(ConstructError::TooLarge { construction, n: a.len(), why })
}
