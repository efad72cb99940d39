//! Empirical Rademacher complexity of finite classes, by enumeration: claims 27 and 28.
//!
//! A ±1-valued function on n points is a word of n bits; a class is a list of words.

use proptest::prelude::*;

use shatter_exact::{IBig, Rational};

use super::super::claim::{Claim, Evidence, Stated, Trial};
use super::super::harness::Failure;

pub(super) const CLAIMS: [Claim; 2] = [
    Claim {
        number: 27,
        name: "shatters-iff-rademacher-one",
        statement: "A class of functions with values +1 and -1 realises every labelling of a sample \
                    if and only if its empirical Rademacher complexity on it is 1.",
        verdict: Stated::True,
        source: "Zhang et al. 2017, section 4; the supremum is 1 for every sign vector",
        test: shatters_iff_one,
    },
    Claim {
        number: 28,
        name: "rademacher-one-implies-test-error",
        statement: "If the empirical Rademacher complexity of a class is 1, minimising the training \
                    error over it leads to a large test error.",
        verdict: Stated::False,
        source: "a learner that tries the true rule first",
        test: implies_test_error,
    },
];

/// E_σ max_f (1/n) Σ σ_i f(x_i), over all 2^n sign vectors.
fn rademacher(n: u32, class: &[u32]) -> Rational {
    let agreement = |signs: u32, f: &u32| i64::from(n) - 2 * i64::from((signs ^ f).count_ones());
    let best = |signs| class.iter().map(|f| agreement(signs, f)).max().unwrap_or(0);
    let sum: i64 = (0..1u32 << n).map(best).sum();
    Rational::from_parts(IBig::from(sum), (u64::from(n) << n).into())
}

/// Returns true if the class has all 2^n words.
fn shatters(n: u32, class: &[u32]) -> bool {
    (0..1u32 << n).all(|word| class.contains(&word))
}

fn agree(n: u32, class: &[u32]) -> Result<(), Failure> {
    let complexity = rademacher(n, class);
    match shatters(n, class) == (complexity == Rational::ONE) {
        true => Ok(()),
        false => Err(Failure::Other(format!("complexity {complexity}"))),
    }
}

/// The words that the bits of `members` choose.
fn class(n: u32, members: u64) -> Vec<u32> {
    (0..1u32 << n).filter(|word| members >> word & 1 == 1).collect()
}

fn shatters_iff_one(trial: &Trial) -> Evidence {
    // Every class that is not empty on up to 3 points.
    let mut cases = 0;
    for n in 1..=3 {
        for members in 1..1u64 << (1 << n) {
            cases += 1;
            if let Err(failure) = agree(n, &class(n, members)) {
                return Evidence::Failed {
                    reason: format!("n = {n}, class {members:b}: {failure}"),
                };
            }
        }
    }
    // Generated classes on more: some words, all, and all but one.
    let all = |n: u32| u64::MAX >> (64 - (1u32 << n));
    let classes = (4u32..=6).prop_flat_map(move |n| {
        let members = prop_oneof![
            any::<u64>(),
            Just(u64::MAX),
            (0u32..1 << n).prop_map(|word| !(1u64 << word)),
        ];
        (Just(n), members.prop_map(move |members| (members & all(n)).max(1)))
    });
    let words = |(n, members): &(u32, u64)| format!("n = {n}, class {members:b}");
    match trial.every(classes, words, |(n, members)| agree(*n, &class(*n, *members))) {
        Evidence::Held { cases: more } => Evidence::Held { cases: cases + more },
        other => other,
    }
}

/// The first hypothesis with the least training error.
fn minimiser(hypotheses: &[u32], truth: u32, sample: u32) -> Option<u32> {
    hypotheses.iter().copied().min_by_key(|f| ((f ^ truth) & sample).count_ones())
}

fn implies_test_error(_: &Trial) -> Evidence {
    let truth = 0b1001_0110; // the parity of three bits
    let mut hypotheses = vec![truth];
    hypotheses.extend((0..256).filter(|f| *f != truth));
    tries_truth_first(&hypotheses, truth)
}

/// The evidence of a class on a domain of eight points, of which the first four are the sample.
fn tries_truth_first(hypotheses: &[u32], truth: u32) -> Evidence {
    let check = || {
        let sample = 0b1111;
        let restricted: Vec<u32> = hypotheses.iter().map(|f| f & sample).collect();
        let complexity = rademacher(4, &restricted);
        if complexity != Rational::ONE {
            return Err(format!("complexity {complexity}"));
        }
        let found = minimiser(hypotheses, truth, sample).ok_or("the class is empty")?;
        let errors = |among: u32| ((found ^ truth) & among).count_ones();
        match (errors(sample), errors(!sample & 0xff)) {
            (0, 0) => Ok(1 << 4),
            (training, test) => Err(format!("{training} training and {test} test errors")),
        }
    };
    Evidence::witness(
        "the domain of 8 points (3 bits), its parity as the true rule, the class of all 256 functions, \
         the first 4 points as the sample, and the learner that takes the first function without \
         training error, the true rule being the first in its order",
        "complexity 1 by enumeration of all 16 sign vectors; training error 0/4; test error 0/4 on the \
         points that were not seen",
        check(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complexities_by_hand() {
        assert_eq!(rademacher(1, &[1]), Rational::ZERO);
        assert_eq!(rademacher(1, &[0, 1]), Rational::ONE);
        // Two constants on two points: 1 where the signs agree, 0 elsewhere.
        assert_eq!(rademacher(2, &[0, 3]), Rational::from_parts(1.into(), 2u8.into()));
        assert!(agree(2, &[0, 1, 2]).is_ok() && rademacher(2, &[0, 1, 2]) < Rational::ONE);
    }

    #[test]
    fn an_order_with_the_truth_last_is_no_witness() {
        let truth = 0b1001_0110;
        let mut hypotheses: Vec<u32> = (0..256).filter(|f| *f != truth).collect();
        hypotheses.push(truth);
        assert!(matches!(tries_truth_first(&hypotheses, truth), Evidence::Failed { .. }));
        // A class that does not shatter the sample is not a witness either.
        assert!(matches!(tries_truth_first(&[truth], truth), Evidence::Failed { .. }));
    }
}
