//! Lemma 1 of Zhang et al. 2017: claim 32.

use proptest::collection::vec;
use proptest::prelude::*;

use shatter_construct::threshold::weights_exact;
use shatter_exact::{Dyadic, Lattice, Rational, matrix};

use super::super::claim::{Claim, Evidence, Stated, Trial};
use super::super::harness::Failure;
use super::super::strategy::{Interleaving, interleaving};

pub(super) const CLAIMS: [Claim; 1] = [Claim {
    number: 32,
    name: "interleaving-gives-full-rank",
    statement: "If b_1 < z_1 < b_2 < ... < b_n < z_n, the matrix ReLU(z_i - b_j) is lower triangular \
                with a positive diagonal, so that it has rank n and every y is A w for one w.",
    verdict: Stated::True,
    source: "Zhang et al. 2017, Lemma 1; proofs/theories/Lemma1.v",
    test: full_rank,
}];

fn full_rank(trial: &Trial) -> Evidence {
    let values = interleaving(1..=9).prop_flat_map(|both| {
        let labels = vec(-99i64..=99, both.points.len());
        (Just(both), labels)
    });
    let words = |(both, labels): &(Interleaving, Vec<i64>)| format!("{both:?}, labels {labels:?}");
    trial.every(values, words, |(both, labels)| {
        lemma(both, labels).map_err(|reason| Failure::Other(reason.to_owned()))
    })
}

fn lemma(both: &Interleaving, labels: &[i64]) -> Result<(), &'static str> {
    let relu = |z: &Dyadic, b: &Dyadic| (z - b).to_rational().max(Rational::ZERO);
    let row = |z: &Dyadic| both.thresholds.iter().map(|b| relu(z, b)).collect();
    let a: Vec<Vec<Rational>> = both.points.iter().map(row).collect();
    let n = a.len();
    if !(0..n).all(|i| a[i][i] > Rational::ZERO && a[i][i + 1..].iter().all(Rational::is_zero)) {
        return Err("not triangular with a positive diagonal");
    }
    if matrix::rank(&a) != n {
        return Err("rank below n");
    }
    let y: Vec<Dyadic> = labels.iter().map(|&y| Dyadic::from(y)).collect();
    let w = weights_exact(&Lattice::from_dyadics(&both.points), &both.thresholds, &y);
    let y: Vec<Rational> = y.iter().map(Dyadic::to_rational).collect();
    match matrix::solve(&a, &y) == Some(w) {
        true => Ok(()),
        false => Err("the weights of the O(n) recursion are not the solution"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_past_its_point_is_seen() {
        let numbers = |x: [i64; 2]| x.map(Dyadic::from).to_vec();
        let both = |b, z| Interleaving { thresholds: numbers(b), points: numbers(z) };
        assert_eq!(lemma(&both([0, 2], [1, 3]), &[1, 1]), Ok(()));
        assert!(lemma(&both([0, 4], [1, 3]), &[1, 1]).is_err());
    }
}
