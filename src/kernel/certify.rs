//! Whether a model fits each point, in real arithmetic, with the coefficients as they are held.
//!
//! The function is f(x) = Σ_j α_j k(x, x_j) with the binary64 numbers α_j, the features' numbers over their divisor and the kernel's
//! parameters, all taken as real numbers. Nothing is assumed of K, its eigenvalues or how α was found: outputs are computed once
//! more, each with a proved bound on its error ([`entry`](crate) for entries, then the sums), within one pass over the kernel's
//! blocks.
//!
//! The *margin* of a point with a class is f_y − max_{c ≠ y} f_c, that of a real label is tolerance − max_k |f_k − y_k|. It lies in
//! low ..= high.
//!
//! | verdict | meaning |
//! |---|---|
//! | exact | the outputs equal the target ([`exact`](crate::exact) alone finds that) |
//! | margin | low > 0: the label is said |
//! | undecided | low <= 0 <= high, or nothing is known |
//! | misfit | high < 0: another label is said |
//!
//! Cost: the inner products of one pass, and two products with C columns in place of one.

use shatter_sample::Labels;

use super::features::Features;
use super::model::{Model, ModelError, Outputs};
use super::watch::Watch;

/// A verdict; see the table above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub enum Verdict {
    /// The outputs equal the target.
    Exact,
    /// The label is said, by a margin beyond the bound.
    Margin,
    /// Neither is decided.
    Undecided,
    /// Another label is said.
    Misfit,
}

/// The finding at a point.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// At most the margin.
    pub low: f64,
    /// At least the margin.
    pub high: f64,
    /// The largest bound on the error of an output.
    pub bound: f64,
}

impl Judged {
    /// The margin lies in low ..= high.
    pub(crate) fn of_margin(low: f64, high: f64, bound: f64) -> Judged {
        // What is not a number decides nothing.
        let verdict = if low > 0.0 {
            Verdict::Margin
        } else if high < 0.0 {
            Verdict::Misfit
        } else {
            Verdict::Undecided
        };
        Judged { verdict, low, high, bound }
    }
}

/// How many points have each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Counts {
    /// The outputs equal the target.
    pub exact: usize,
    /// The label is said.
    pub margin: usize,
    /// Neither is decided.
    pub undecided: usize,
    /// Another label is said.
    pub misfit: usize,
}

impl Counts {
    /// Counts.
    pub fn of(judged: &[Judged]) -> Counts {
        let count = |verdict| judged.iter().filter(|one| one.verdict == verdict).count();
        Counts {
            exact: count(Verdict::Exact),
            margin: count(Verdict::Margin),
            undecided: count(Verdict::Undecided),
            misfit: count(Verdict::Misfit),
        }
    }

    /// Returns whether as many points are decided, each way, as others claim, among as many. Rounding may differ between builds, and
    /// then a point on the edge of its bound.
    #[must_use]
    pub fn confirm(self, claimed: Counts) -> bool {
        let all = |of: Counts| {
            [of.exact, of.margin, of.undecided, of.misfit]
                .iter()
                .try_fold(0usize, |sum, x| sum.checked_add(*x))
        };
        all(claimed) == all(self)
            && self.exact >= claimed.exact
            && self.fit() >= claimed.exact.saturating_add(claimed.margin)
            && self.misfit >= claimed.misfit
    }

    /// Points that are proved to fit.
    #[must_use]
    pub fn fit(self) -> usize {
        self.exact + self.margin
    }
}

/// What was decided of a sample.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Decided {
    /// Each point.
    pub judged: Vec<Judged>,
    /// How many have each verdict.
    pub counts: Counts,
    /// The least low end of a margin.
    pub least_margin: f64,
    /// The largest bound on the error of an output; infinite where one is unknown.
    pub largest_bound: f64,
}

impl Decided {
    pub(crate) fn of(judged: Vec<Judged>) -> Decided {
        let least_margin = judged.iter().map(|one| one.low).fold(f64::INFINITY, f64::min);
        let largest_bound = judged.iter().map(|one| one.bound).fold(0.0, f64::max);
        Decided { counts: Counts::of(&judged), least_margin, largest_bound, judged }
    }

    /// The first points without a proof that they fit.
    #[must_use]
    pub fn open(&self, most: usize) -> Vec<usize> {
        let fits = |one: &Judged| matches!(one.verdict, Verdict::Exact | Verdict::Margin);
        (0..self.judged.len()).filter(|&i| !fits(&self.judged[i])).take(most).collect()
    }
}

/// Decides every point. `tolerance` is how far outputs may be from real labels; classes ignore it.
///
/// ```
/// use shatter_kernel::{Features, Kernel, Meaning, Model, Numbers, Origin, certify, unwatched};
/// use shatter_sample::Labels;
/// let model = Model {
///     kernel: Kernel::Gaussian { gamma: 1.0 },
///     centres: Features::new(Numbers::U8(vec![0, 255]), 1, 255.0)?,
///     coefficients: vec![1.0, 0.0, 0.0, 1.0],
///     meaning: Meaning::Classes(vec!["0".into(), "1".into()]),
///     origin: Origin::default(),
/// };
/// let labels = Labels::classes(vec![0, 0], 2)?;
/// let decided = certify::certify(&model, &model.centres, &labels, 0.0, &mut unwatched)?;
/// assert_eq!((decided.counts.margin, decided.counts.misfit), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ModelError`].
pub fn certify(
    model: &Model,
    points: &Features,
    labels: &Labels,
    tolerance: f64,
    watch: &mut Watch,
) -> Result<Decided, ModelError> {
    // Labels that do not suit are refused before hours are spent.
    model.columns(points.rows(), labels)?;
    let outputs = model.predict(points, true, watch)?;
    judge(model, &outputs, labels, tolerance)
}

/// Decides every point from outputs with bounds.
///
/// # Errors
/// [`ModelError::Labels`], [`ModelError::Class`], [`ModelError::Kind`].
pub fn judge(
    model: &Model,
    outputs: &Outputs,
    labels: &Labels,
    tolerance: f64,
) -> Result<Decided, ModelError> {
    let width = model.outputs();
    let columns = model.columns(outputs.values.len() / width, labels)?;
    let rows = outputs.values.chunks(width).zip(outputs.bounds.chunks(width)).enumerate();
    let judged = rows.map(|(i, (values, bounds))| match labels {
        Labels::Classes { .. } => class(values, bounds, columns[i]),
        Labels::Real { values: targets, .. } => {
            real(values, bounds, &targets[i * width..(i + 1) * width], tolerance)
        }
    });
    Ok(Decided::of(judged.collect()))
}

/// What is not finite is unknown.
fn known(values: &[f64], bounds: &[f64]) -> bool {
    values.iter().chain(bounds).all(|x| x.is_finite())
}

const UNKNOWN: Judged = Judged {
    verdict: Verdict::Undecided,
    low: f64::NEG_INFINITY,
    high: f64::INFINITY,
    bound: f64::INFINITY,
};

/// Encloses x − y, each within its bound, with all roundings outwards.
fn difference((x, off_x): (f64, f64), (y, off_y): (f64, f64)) -> (f64, f64) {
    let (centre, off) = (x - y, (off_x + off_y).next_up());
    ((centre.next_down() - off).next_down(), (centre.next_up() + off).next_up())
}

fn class(values: &[f64], bounds: &[f64], own: usize) -> Judged {
    if !known(values, bounds) {
        return UNKNOWN;
    }
    let of = |c: usize| (values[c], bounds[c]);
    let others = (0..values.len()).filter(|&c| c != own).map(|c| difference(of(own), of(c)));
    let (low, high) = others.fold((f64::INFINITY, f64::INFINITY), |(low, high), (l, h)| {
        (f64::min(low, l), f64::min(high, h))
    });
    Judged::of_margin(low, high, bounds.iter().copied().fold(0.0, f64::max))
}

fn real(values: &[f64], bounds: &[f64], targets: &[f64], tolerance: f64) -> Judged {
    if !known(values, bounds) || !tolerance.is_finite() {
        return UNKNOWN;
    }
    let mut enclosed = (f64::INFINITY, f64::INFINITY);
    for ((&value, &bound), &target) in values.iter().zip(bounds).zip(targets) {
        let (low, high) = difference((value, bound), (target, 0.0));
        let (least, most) = (f64::max(f64::max(low, -high), 0.0), f64::max(high, -low));
        enclosed.0 = f64::min(enclosed.0, (tolerance - most).next_down());
        enclosed.1 = f64::min(enclosed.1, (tolerance - least).next_up());
    }
    Judged::of_margin(enclosed.0, enclosed.1, bounds.iter().copied().fold(0.0, f64::max))
}
