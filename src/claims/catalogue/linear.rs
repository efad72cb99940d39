//! Linear functions: claim 19.

use shatter_exact::{Rational, matrix};
use shatter_network::{ExactLabels, ExactPoints};
use shatter_sample::Sample;

use super::super::claim::{Claim, Evidence, Stated, Trial};
use super::super::harness::Failure;
use super::super::strategy::any_sample;
use super::least_norm::product;

pub(super) const CLAIMS: [Claim; 1] = [Claim {
    number: 19,
    name: "linear-fits-iff-full-rank",
    statement: "x -> <w, x> fits all real labels of n points if and only if the matrix of the points \
                has rank n.",
    verdict: Stated::True,
    source: "linear algebra",
    test: full_rank,
}];

fn full_rank(trial: &Trial) -> Evidence {
    trial.every_sample(any_sample(1..=7, 1..=7), |sample| {
        let x: Vec<Vec<Rational>> =
            (0..sample.points.n()).map(|i| sample.points.exact_row(i)).collect();
        if matrix::rank(&x) == x.len() { fits(&x, sample) } else { blocked(&x) }
    })
}

/// Rank n: the solution of X w = y gives every label.
fn fits(x: &[Vec<Rational>], sample: &Sample) -> Result<(), Failure> {
    let y: Vec<Rational> = (0..x.len()).map(|i| sample.labels.exact_at(i).to_rational()).collect();
    let w = matrix::solve(x, &y).ok_or_else(|| "rank n, and no solution".to_owned())?;
    match x.iter().zip(&y).all(|(x, y)| product(x, &w) == *y) {
        true => Ok(()),
        false => Err("the solution does not solve".to_owned().into()),
    }
}

/// Rank below n: some c is not 0 and orthogonal to every X w; so the labels c, for which <c, c> > 0,
/// are no X w.
fn blocked(x: &[Vec<Rational>]) -> Result<(), Failure> {
    let columns: Vec<Vec<Rational>> =
        (0..x[0].len()).map(|k| x.iter().map(|row| row[k].clone()).collect()).collect();
    let c = matrix::null_space(&columns, x.len()).into_iter().next();
    let c = c.ok_or_else(|| "rank below n, and no relation between the points".to_owned())?;
    let orthogonal = columns.iter().all(|column| product(column, &c).is_zero());
    if !orthogonal || product(&c, &c).is_zero() {
        return Err("a relation that is none".to_owned().into());
    }
    match matrix::solve(x, &c) {
        None => Ok(()),
        Some(_) => Err("labels that cannot be fitted were fitted".to_owned().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_rank_is_not_blocked() {
        let number = |x: i32| Rational::from(x);
        assert!(blocked(&[vec![number(1), number(0)], vec![number(1), number(1)]]).is_err());
        assert!(blocked(&[vec![number(1)], vec![number(2)]]).is_ok());
    }
}
