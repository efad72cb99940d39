//! What all constructions have in common: a name and a source, hypotheses, counts that are known
//! before anything is built, and a network or a typed refusal.

use std::fmt;

use shatter_network::Network;
use shatter_network::layered::Sizes;
use shatter_sample::{Labels, Points, Target};

use super::{ConstructError, DirectionRule};

/// The input of a construction: distinct points, labels, and the choices that all constructions share.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// n points in R^d.
    pub points: &'a Points,
    /// Their labels.
    pub labels: &'a Labels,
    /// The rule for directions, where one is needed.
    pub direction: DirectionRule,
    /// Seed of everything that is drawn.
    pub seed: u64,
}

impl<'a> Task<'a> {
    /// The task with the default direction.
    pub fn new(points: &'a Points, labels: &'a Labels, seed: u64) -> Task<'a> {
        Task { points, labels, direction: DirectionRule::Auto, seed }
    }

    /// The number of classes.
    ///
    /// # Errors
    /// [`ConstructError::NeedsClasses`] if the labels are real numbers.
    pub fn classes(&self) -> Result<(&'a [u32], u32), ConstructError> {
        match self.labels {
            Labels::Classes { of, count, .. } => Ok((of, *count)),
            Labels::Real { .. } => Err(ConstructError::NeedsClasses),
        }
    }

    /// Refuses labels that are vectors.
    ///
    /// # Errors
    /// [`ConstructError::VectorLabels`].
    pub fn scalar(&self) -> Result<(), ConstructError> {
        match self.labels.outputs() {
            1 => Ok(()),
            outputs => Err(ConstructError::VectorLabels { outputs }),
        }
    }

    /// Refuses a network of more than [`MOST_NUMBERS`] weights and biases.
    ///
    /// # Errors
    /// [`ConstructError::TooLarge`].
    pub fn room_for(&self, construction: &str, numbers: u64) -> Result<(), ConstructError> {
        if numbers <= MOST_NUMBERS {
            return Ok(());
        }
        Err(ConstructError::TooLarge {
            construction: construction.to_owned(),
            n: self.points.n(),
            why: format!("{numbers} weights and biases, and the limit is {MOST_NUMBERS}"),
        })
    }
}

/// Weights and biases that a layered network may have: some 10 GiB of fractions.
pub const MOST_NUMBERS: u64 = 1 << 26;

/// A hypothesis of a construction, beside the points being distinct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assumption {
    /// Labels are single numbers (or classes).
    ScalarLabels,
    /// Labels are classes.
    Classes,
    /// No d + 1 points used together lie on one hyperplane.
    GeneralPosition,
    /// The points are (t, t², …, t^d).
    MomentCurve,
    /// The points are linearly independent (with a bias: affinely).
    Independent,
    /// The points are negative powers of two.
    PowersOfHalf,
    /// Projections are of a few bits: their keys are what the network carries.
    NarrowProjections,
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Assumption::ScalarLabels => "scalar labels",
            Assumption::Classes => "classes",
            Assumption::GeneralPosition => "general position",
            Assumption::MomentCurve => "moment curve",
            Assumption::Independent => "independent points",
            Assumption::PowersOfHalf => "points 2^-k",
            Assumption::NarrowProjections => "narrow projections",
        })
    }
}

/// A count that is promised before building.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Exactly this many.
    Exactly(u64),
    /// At most this many: what the theorem says, where the sample decides the rest.
    AtMost(u64),
}

impl Bound {
    /// Returns true if `count` keeps the promise.
    #[must_use]
    pub fn holds(self, count: u64) -> bool {
        match self {
            Bound::Exactly(promised) => count == promised,
            Bound::AtMost(promised) => count <= promised,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Exactly(count) => write!(f, "{count}"),
            Bound::AtMost(count) => write!(f, "<= {count}"),
        }
    }
}

/// The counts of a network that is still to be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Affine maps.
    pub depth: Bound,
    /// Hidden units.
    pub units: Bound,
    /// Units of the widest hidden layer.
    pub width: Bound,
    /// Weights and biases that are not 0.
    pub nonzero: Bound,
    /// Real numbers chosen, at most: shared ones once, constants of the construction not at all. Fewer
    /// where fewer units than promised are needed.
    pub free: u64,
}

impl Promise {
    /// The first count that `sizes` breaks: its name, what was promised, and what is there.
    #[must_use]
    pub fn broken_by(&self, sizes: &Sizes) -> Option<(&'static str, Bound, u64)> {
        [
            ("depth", self.depth, sizes.depth),
            ("units", self.units, sizes.units),
            ("width", self.width, sizes.width),
            ("nonzero", self.nonzero, sizes.nonzero),
        ]
        .into_iter()
        .find(|(_, promised, count)| !promised.holds(*count))
    }
}

/// A theorem with a network at its end.
///
/// ```
/// use shatter_construct::{Task, catalogue};
/// use shatter_sample::{self as sample, LabelRule};
/// let sample = sample::load("lattice:n=12,d=2", 1)?.distinct(LabelRule::Random, 1)?;
/// let task = Task::new(&sample.points, &sample.labels, 1);
/// for construction in catalogue::all() {
///     let Ok(promise) = construct_counts(&*construction, &task) else { continue };
///     if let Ok(network) = construction.build(&task) {
///         assert_eq!(promise.broken_by(&network.sizes()), None, "{}", construction.name());
///     }
/// }
/// # use shatter_construct::{ConstructError, Construction, Promise};
/// # fn construct_counts(c: &dyn Construction, t: &Task) -> Result<Promise, ConstructError> { c.promise(t) }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Construction: Send + Sync {
    /// Its name on the command line.
    fn name(&self) -> String;

    /// Who found it.
    fn source(&self) -> &'static str;

    /// What it says, in a sentence.
    fn statement(&self) -> &'static str;

    /// What it assumes beside distinct points.
    fn assumptions(&self) -> &'static [Assumption];

    /// What its outputs say.
    fn target(&self) -> Target {
        Target::Value
    }

    /// The counts, before anything is built.
    ///
    /// # Errors
    /// A [`ConstructError`] if the sample is seen not to meet the assumptions.
    fn promise(&self, task: &Task) -> Result<Promise, ConstructError>;

    /// The network.
    ///
    /// # Errors
    /// A [`ConstructError`] that names the points that violate an assumption.
    fn build(&self, task: &Task) -> Result<Network, ConstructError>;
}
