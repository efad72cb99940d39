//! One parameter: x ↦ 1 if sin(ωx) > 0, else 0. Claims 11, 12 and 13. Here t = ω/π, so that every
//! sign is that of sin(πtx) and all numbers are rational.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;

use shatter_exact::{Dyadic, IBig, Rational};
use shatter_network::{Activation, Layered, Unit};

use super::super::claim::{Claim, Evidence, Stated, Trial};
use super::super::harness::Failure;
use super::stored::fewer_numbers_than_labels;

pub(super) const CLAIMS: [Claim; 3] = [
    Claim {
        number: 11,
        name: "fewer-weights-than-labels-block",
        statement: "A network with fewer than n weights cannot fit all n binary labels of a sample \
                    of n points.",
        verdict: Stated::False,
        source: "the sine with one parameter; construct::bit_extraction for ReLU",
        test: fewer_weights,
    },
    Claim {
        number: 12,
        name: "sine-shatters-some-set",
        statement: "For every n there are n points for which sin(wx) > 0 realises every labelling, \
                    by the choice of the one number w.",
        verdict: Stated::True,
        source: "folklore: x_i = 2^-i, w = pi (1 + sum (1 - y_i) 2^i)",
        test: some_set,
    },
    Claim {
        number: 13,
        name: "sine-shatters-everything",
        statement: "sin(wx) > 0 realises every labelling of any distinct points.",
        verdict: Stated::False,
        source: "points 1, 2, 3, 4 with labels 1, 1, 0, 1",
        test: everything,
    },
];

/// t = 1 + Σ (1 − y_i) 2^i.
fn frequency(labels: &[bool]) -> Rational {
    let zeros = labels.iter().zip(1usize..).filter(|(one, _)| !**one);
    Rational::from(zeros.fold(IBig::ONE, |sum, (_, i)| sum + (IBig::ONE << i)))
}

/// The network with the one weight t.
fn sine(t: Rational) -> Layered {
    let output = vec![Unit::new(Activation::Sine, [(0, t)], Rational::ZERO)];
    Layered { inputs: 1, hidden: Vec::new(), output }
}

/// Checks that the network with t labels 2^-1, …, 2^-n by `labels`, and that no sine is 0.
fn realises(t: &Rational, labels: &[bool]) -> Result<(), String> {
    let network = sine(t.clone());
    for (label, i) in labels.iter().zip(1usize..) {
        let x = Dyadic::power_of_two(-(i as i64)).to_rational();
        let angle = t * &x;
        if Rational::from(angle.floor()) == angle {
            return Err(format!("sin is 0 at 2^-{i}"));
        }
        let expected = if *label { Rational::ONE } else { Rational::ZERO };
        if network.evaluate(&[x]) != [expected] {
            return Err(format!("wrong at 2^-{i}"));
        }
    }
    Ok(())
}

/// All labellings of n points.
pub(super) fn labellings(n: usize) -> impl Iterator<Item = Vec<bool>> {
    (0u32..1 << n).map(move |bits| (0..n).map(|i| bits >> i & 1 == 1).collect())
}

fn some_set(trial: &Trial) -> Evidence {
    // All labellings of up to 8 points, then generated ones of more.
    let mut cases = 0;
    for labels in (1..=8).flat_map(labellings) {
        cases += 1;
        if let Err(reason) = realises(&frequency(&labels), &labels) {
            return Evidence::Failed { reason: format!("labels {labels:?}: {reason}") };
        }
    }
    let words = |labels: &Vec<bool>| format!("labels {labels:?}");
    let test = |labels: &Vec<bool>| realises(&frequency(labels), labels).map_err(Failure::Other);
    match trial.every(vec(any::<bool>(), 9..=64), words, test) {
        Evidence::Held { cases: more } => Evidence::Held { cases: cases + more },
        other => other,
    }
}

/// Points of the second witness against claim 11, which is the same in every run: no run checks it
/// twice.
const KEYS: u32 = 16384;
static STORED: LazyLock<Result<String, String>> =
    LazyLock::new(|| fewer_numbers_than_labels(KEYS, 0));

fn fewer_weights(_: &Trial) -> Evidence {
    match one_weight(2) {
        Evidence::Refuted { witness, checked, cases, .. } => Evidence::witness(
            format!(
                "{witness}; also the {KEYS} points 0, ..., {} with labels 0 and 1, drawn from seed 0, \
                 and a ReLU network of width 6",
                KEYS - 1
            ),
            format!("{checked}; the ReLU network: {}", STORED.as_deref().unwrap_or_default()),
            STORED.as_ref().map(|_| cases + u64::from(KEYS)).map_err(String::clone),
        ),
        other => other,
    }
}

/// The evidence that one weight gives all labels to n points.
fn one_weight(n: usize) -> Evidence {
    let mut realised = Vec::new();
    let mut check = || {
        for labels in labellings(n) {
            let t = frequency(&labels);
            let weights = sine(t.clone()).sizes().nonzero;
            if weights >= n as u64 {
                return Err(format!("{weights} weights"));
            }
            realises(&t, &labels)?;
            realised.push(format!(
                "{t} gives {:?}",
                labels.iter().map(|&y| u8::from(y)).collect::<Vec<_>>()
            ));
        }
        Ok(1 << n)
    };
    let result = check();
    Evidence::witness(
        format!(
            "the {n} points 2^-k, k = 1 to {n}, and the network sin(wx) > 0, which has one weight"
        ),
        format!("w/pi = {}", realised.join(", ")),
        result,
    )
}

/// A t for which sin(πtx) > 0 exactly where `labels` says so, for positive whole `points`; `None`
/// if there is none.
///
/// sin(πtx) has period 2 in t, and changes its sign at the multiples of 1/x only. So the labels are
/// constant between neighbouring multiples of 1/x over all points x, and it is enough to look at
/// those multiples in [0, 2) and at one t between each two.
fn realising(points: &[u32], labels: &[bool]) -> Option<Rational> {
    let fraction = |x: u32, k: u32| Rational::from_parts(IBig::from(k), x.into());
    let mut breaks: Vec<Rational> =
        points.iter().flat_map(|&x| (0..=2 * x).map(move |k| fraction(x, k))).collect();
    breaks.sort();
    breaks.dedup();
    let half = fraction(2, 1);
    let between = breaks.windows(2).map(|pair| (&pair[0] + &pair[1]) * &half);
    let realised = |t: &Rational| {
        let network = sine(t.clone());
        points.iter().zip(labels).all(|(&x, &label)| {
            network.evaluate(&[Rational::from(x)]) == [Rational::from(u8::from(label))]
        })
    };
    between.chain(breaks.iter().cloned()).find(realised)
}

fn everything(_: &Trial) -> Evidence {
    unrealisable(&[1, 2, 3, 4], &[true, true, false, true])
}

/// The evidence that no sine gives the points these labels, while it gives them to all but any one
/// of the points.
fn unrealisable(points: &[u32], labels: &[bool]) -> Evidence {
    let check = || {
        if let Some(t) = realising(points, labels) {
            return Err(format!("w = {t} pi realises it"));
        }
        for left_out in 0..points.len() {
            let (mut points, mut labels) = (points.to_vec(), labels.to_vec());
            points.remove(left_out);
            labels.remove(left_out);
            if realising(&points, &labels).is_none() {
                return Err(format!("not minimal: {points:?} with {labels:?} is a witness"));
            }
        }
        Ok(points.iter().map(|&x| u64::from(x)).sum())
    };
    let signs: Vec<u8> = labels.iter().map(|&label| u8::from(label)).collect();
    Evidence::witness(
        format!("x = {points:?} with labels {signs:?}"),
        "w/pi = t has period 2, and no sign changes between neighbouring fractions k/x: none of the \
         finitely many t that are left gives the labels; without any one of the points some t does",
        check(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_altered_witness_does_not_stand() {
        assert!(matches!(
            everything(&Trial { harness: Default::default() }),
            Evidence::Refuted { .. }
        ));
        for altered in [[true, true, false, false], [true, false, true, false]] {
            assert!(matches!(unrealisable(&[1, 2, 3, 4], &altered), Evidence::Failed { .. }));
        }
        // A witness with a point too many is not minimal.
        let more = unrealisable(&[1, 2, 3, 4, 5], &[true, true, false, true, true]);
        assert!(matches!(more, Evidence::Failed { reason } if reason.contains("not minimal")));
    }

    #[test]
    fn one_weight_is_not_fewer_than_one_label() {
        assert!(matches!(one_weight(3), Evidence::Refuted { cases: 8, .. }));
        assert!(matches!(one_weight(1), Evidence::Failed { .. }));
    }

    #[test]
    fn a_wrong_frequency_is_seen() {
        for labels in labellings(4) {
            let other: Vec<bool> = labels.iter().map(|label| !label).collect();
            assert!(realises(&frequency(&labels), &other).is_err());
        }
        assert!(realises(&Rational::from(2), &[true]).is_err()); // sin(π) has no sign
    }
}
