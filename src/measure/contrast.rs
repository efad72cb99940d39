//! The same measures on networks trained on true labels and on random ones: which tell the two apart, and which say
//! nothing of either.
//!
//! **Definition.** A measure with values a_1, …, a_k on networks trained on true labels and b_1, …, b_m on networks
//! trained on random ones *tells them apart* if all of the b are larger than all of the a, or all smaller. Were the
//! k + m values exchangeable, that would happen with probability at most 2 k! m!/(k + m)! ([`Contrast::by_chance`]): 1 for one
//! network of each kind, 1/10 for three. A bound of the test error is *vacuous for both* if the least of what it says
//! of either is not below the error of a guess.
//!
//! The comparison is what the paper's argument needs: both kinds have the same architecture, the same training and no
//! training error, so a theory that explains why the first generalize must tell them apart.

use std::fmt::Write;

use serde::Serialize;

use crate::{Finding, Kind, Vacuity};

/// How two groups of values lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Apart {
    /// Every value with random labels is larger than every one with true labels.
    Larger,
    /// Every value with random labels is smaller than every one with true labels.
    Smaller,
    /// All values are equal.
    Equal,
    /// None of these.
    Mixed,
    /// A value is missing or no number.
    Unknown,
}

/// A measure on both groups.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contrast {
    /// Name of the measure.
    pub name: String,
    /// Its kind; a measure if it is a bound of some networks alone.
    pub kind: Kind,
    /// Values with true labels.
    pub with_true: Vec<f64>,
    /// Values with random labels.
    pub with_random: Vec<f64>,
    /// The least that it says of the test error with true labels, and with random labels.
    pub says: Option<[f64; 2]>,
    /// Whether what it says is vacuous for both.
    pub vacuous: Option<Vacuity>,
    /// How values lie.
    pub apart: Apart,
    /// The first assumption that fails, with the reason.
    pub fails: Option<String>,
}

/// Compares two groups of values.
#[must_use]
pub fn apart(with_true: &[f64], with_random: &[f64]) -> Apart {
    let both = || with_true.iter().chain(with_random);
    if with_true.is_empty() || with_random.is_empty() || both().any(|x| x.is_nan()) {
        return Apart::Unknown;
    }
    let least = |values: &[f64]| values.iter().fold(f64::INFINITY, |least, &x| least.min(x));
    let most = |values: &[f64]| values.iter().fold(f64::NEG_INFINITY, |most, &x| most.max(x));
    if both().all(|x| *x == with_true[0]) {
        Apart::Equal
    } else if least(with_random) > most(with_true) {
        Apart::Larger
    } else if most(with_random) < least(with_true) {
        Apart::Smaller
    } else {
        Apart::Mixed
    }
}

/// Every measure that the networks have, in the order of the first.
///
/// ```
/// use shatter_measure::Finding;
/// use shatter_measure::contrast::{Apart, contrast};
/// let of = |norm, says| vec![
///     Finding::measure("norm", norm, vec![]),
///     Finding::bound("theory", norm, says, vec![]),
/// ];
/// let found = contrast(&[of(2.0, 1.5), of(3.0, 1.2)], &[of(5.0, 7.0), of(4.0, 6.0)], 10);
/// assert_eq!(found[0].apart, Apart::Larger);
/// assert!(found[1].vacuous.unwrap().against_one);
/// assert_eq!(found[0].by_chance(), 1.0 / 3.0);
/// ```
#[must_use]
pub fn contrast(
    with_true: &[Vec<Finding>],
    with_random: &[Vec<Finding>],
    classes: u32,
) -> Vec<Contrast> {
    let mut names: Vec<&str> = Vec::new();
    for finding in with_true.iter().chain(with_random).flatten() {
        if !names.contains(&finding.name.as_str()) {
            names.push(&finding.name);
        }
    }
    names.into_iter().map(|name| one(name, with_true, with_random, classes)).collect()
}

fn one(
    name: &str,
    with_true: &[Vec<Finding>],
    with_random: &[Vec<Finding>],
    classes: u32,
) -> Contrast {
    let of = |group: &'_ [Vec<Finding>]| -> Vec<Option<Finding>> {
        let named = |run: &Vec<Finding>| run.iter().find(|finding| finding.name == name).cloned();
        group.iter().map(named).collect()
    };
    let groups = [of(with_true), of(with_random)];
    let values = |group: &[Option<Finding>]| -> Vec<f64> {
        group.iter().map(|found| found.as_ref().map_or(f64::NAN, |found| found.value)).collect()
    };
    let all = || groups.iter().flatten().flatten();
    let mut kinds = all().map(|found| found.kind);
    let first = kinds.next().unwrap_or(Kind::Measure);
    let kind = if kinds.all(|kind| kind == first) { first } else { Kind::Measure };
    let says = |group: &[Option<Finding>]| {
        let said = group.iter().flatten().filter_map(|found| found.says);
        said.min_by(f64::total_cmp)
    };
    let says = says(&groups[0]).zip(says(&groups[1])).map(|(a, b)| [a, b]);
    let failing = all().find_map(Finding::failing);
    let (with_true, with_random) = (values(&groups[0]), values(&groups[1]));
    Contrast {
        name: name.to_owned(),
        kind,
        apart: apart(&with_true, &with_random),
        with_true,
        with_random,
        says,
        vacuous: says.map(|[a, b]| Vacuity::of(a.min(b), classes)),
        fails: failing.map(|failing| format!("{}: {}", failing.what, failing.reason)),
    }
}

impl Contrast {
    /// Upper bound of the probability that exchangeable values would lie apart: 2 k! m!/(k + m)!, at most 1.
    #[must_use]
    pub fn by_chance(&self) -> f64 {
        let (k, m) = (self.with_true.len(), self.with_random.len());
        // 1/C(k + m, k), a factor at a time.
        let choices = (1..=k).fold(1.0, |all, j| all * (m + j) as f64 / j as f64);
        (2.0 / choices).min(1.0)
    }

    /// Returns true if it tells the two apart.
    #[must_use]
    pub fn tells_apart(&self) -> bool {
        matches!(self.apart, Apart::Larger | Apart::Smaller)
    }

    /// What this theory says of the two, in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let mut text = format!("{}: ", self.name);
        let [with_true, with_random] = [&self.with_true, &self.with_random].map(|x| median(x));
        if let (true, Some(fails)) = (self.apart == Apart::Unknown, &self.fails) {
            let _ = write!(text, "does not apply ({fails}).");
            return text;
        }
        match (self.says, self.apart) {
            (Some([a, b]), _) => {
                let _ = write!(
                    text,
                    "says that the test error is at most {} with true labels and {} with random ones, ",
                    number(a),
                    number(b)
                );
            }
            (None, Apart::Unknown) => {
                text += "has no value.";
                return text;
            }
            (None, _) => {
                let _ = write!(
                    text,
                    "{} with true labels, {} with random ones, ",
                    number(with_true),
                    number(with_random)
                );
            }
        }
        text += match self.apart {
            Apart::Larger => "larger with random labels",
            Apart::Smaller => "smaller with random labels",
            Apart::Equal => "the same for both",
            Apart::Mixed => "which does not tell them apart",
            Apart::Unknown => "not comparable",
        };
        text += match self.vacuous {
            Some(Vacuity { against_one: true, .. }) => "; vacuous for both.",
            Some(Vacuity { against_chance: true, .. }) => "; no better than a guess for both.",
            Some(_) => "; not vacuous for one of them.",
            None if self.kind == Kind::Estimate => "; an estimate, and no bound.",
            None if self.fails.is_some() => "; a number only, for an assumption fails.",
            None => "; it bounds no error.",
        };
        text
    }
}

/// The lower median; NaN of none.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n => sorted[(n - 1) / 2],
    }
}

/// A number in a few digits.
fn number(x: f64) -> String {
    let size = x.abs();
    if size == 0.0 || (0.001..100_000.0).contains(&size) {
        let digits = if size >= 1000.0 {
            0
        } else if size >= 10.0 {
            1
        } else {
            3
        };
        format!("{x:.digits$}")
    } else {
        format!("{x:.2e}")
    }
}
