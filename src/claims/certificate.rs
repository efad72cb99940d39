//! Proofs that a sample cannot be fitted: yours, and the certificates of [`obstruct`](shatter_obstruct).
//!
//! A certificate of `obstruct` is a theorem with its own points and labels, and checks itself. This
//! module also compares it with a sample: every point of the certificate has to be a point of the sample,
//! with exactly that label. What cannot be fitted on some points of a sample cannot be fitted on all.
//! Counts about *some* labels, or about *almost all*, prove nothing about the labels of one sample, and
//! are refused.

use std::collections::BTreeMap;

use shatter_exact::Rational;
use shatter_network::{ExactLabels, ExactPoints};
use shatter_obstruct::Obstruction;
use shatter_sample::Sample;

/// A proof that no network of some shape fits a sample, which can be checked without its finder.
pub trait Certificate {
    /// Checks every step of it against the sample.
    ///
    /// # Errors
    /// The step that is wrong, in words.
    fn check(&self, sample: &Sample) -> Result<(), String>;
}

/// Returns the certificate that `find` has for `sample`, after it was checked; `None` if it has none.
///
/// # Errors
/// The step of the certificate that is wrong, in words.
pub fn cannot_fit<C: Certificate>(
    sample: &Sample,
    find: impl Fn(&Sample) -> Option<C>,
) -> Result<Option<C>, String> {
    let found = find(sample);
    found.map(|certificate| certificate.check(sample).map(|()| certificate)).transpose()
}

/// ```
/// use shatter_claims::Certificate;
/// use shatter_exact::Rational;
/// use shatter_obstruct::{LabelledLine, NotMonotone, Obstruction};
/// use shatter_sample::{LabelRule, Labels, Points, RawSample, Values};
/// let points = Points::new(Values::I64((0..5).collect()), vec![1])?;
/// let labels = Labels::classes(vec![0, 1, 0, 1, 0], 2)?;
/// let text = "five points of a line".to_owned();
/// let mut sample = RawSample { text, points, labels }.distinct(LabelRule::True, 0)?;
/// let line = LabelledLine::of_sample(&sample.points, &sample.labels)?;
/// let proof = Obstruction::from(NotMonotone::new(&"1-1-1-1".parse()?, &line)?);
/// assert_eq!(Certificate::check(&proof, &sample), Ok(()));
/// // It still holds, but not about other labels.
/// sample.labels = Labels::classes(vec![0, 0, 1, 1, 1], 2)?;
/// assert!(proof.check().is_ok());
/// assert!(Certificate::check(&proof, &sample).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Certificate for Obstruction {
    fn check(&self, sample: &Sample) -> Result<(), String> {
        Obstruction::check(self).map_err(|error| error.to_string())?;
        let line = match self {
            Obstruction::Pieces(proof) => &proof.line,
            Obstruction::Alternation(proof) => &proof.line,
            Obstruction::WidthOne(proof) => &proof.line,
            Obstruction::CollinearThreshold(proof) => &proof.line,
            Obstruction::Inseparable(proof) => {
                return all_in(sample, &proof.points, &proof.positive, |label, positive| {
                    (*label > Rational::ZERO) == *positive
                });
            }
            Obstruction::Cover(_)
            | Obstruction::Dimension(_)
            | Obstruction::Growth(_)
            | Obstruction::Bits(_) => {
                return Err("it speaks of some labels, or of almost all, not of these".to_owned());
            }
        };
        all_in(sample, &line.points, &line.labels, |label, certified| label == certified)
    }
}

/// Checks that every one of `points` is a point of the sample, and that its label there agrees with
/// `labels`.
fn all_in<L>(
    sample: &Sample,
    points: &[Vec<Rational>],
    labels: &[L],
    agrees: impl Fn(&Rational, &L) -> bool,
) -> Result<(), String> {
    if sample.labels.outputs() != 1 {
        return Err("it speaks of labels that are single numbers".to_owned());
    }
    let at: BTreeMap<Vec<Rational>, usize> =
        (0..sample.points.n()).map(|i| (sample.points.exact_row(i), i)).collect();
    for (index, (point, label)) in points.iter().zip(labels).enumerate() {
        let i = *at.get(point).ok_or_else(|| format!("its point {index} is not in the sample"))?;
        if !agrees(&sample.labels.exact_at(i).to_rational(), label) {
            return Err(format!("point {i} of the sample has another label than it says"));
        }
    }
    Ok(())
}
