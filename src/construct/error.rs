//! Why a construction refuses a sample.

use super::{DirectionRule, ThresholdRule};

/// A hypothesis of the theorem does not hold, or the arithmetic asked for cannot carry it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConstructError {
    /// No direction tried tells all points apart.
    #[error(
        "none of {tries} {rule} directions tells all points apart in {arithmetic} arithmetic: \
         points {first} and {second} had equal projections"
    )]
    NoDirection {
        /// How they were drawn.
        rule: DirectionRule,
        /// How many were tried.
        tries: usize,
        /// The arithmetic: exact, f64 or f32.
        arithmetic: &'static str,
        /// A point of the last tie.
        first: usize,
        /// The other.
        second: usize,
    },
    /// The labels are vectors, and the network has one output.
    #[error(
        "the labels are vectors of {outputs} numbers, and this construction takes one number per label: \
         label=COLUMN chooses a column of a table; two-hidden takes vectors"
    )]
    VectorLabels {
        /// Numbers a label.
        outputs: usize,
    },
    /// The numbers of this direction would fill the memory.
    #[error("a {rule} direction needs {bits} bits for each of {n} projections")]
    WideDirection {
        /// The rule.
        rule: DirectionRule,
        /// Bits a projection.
        bits: u64,
        /// Points.
        n: usize,
    },
    /// The exact weights of this rule would fill the memory.
    #[error(
        "{rule} thresholds need about {bits} bits for the exact weights of {n} points: \
         zigzag and data thresholds need a few each"
    )]
    WideWeights {
        /// The rule.
        rule: ThresholdRule,
        /// Estimated bits of all weights.
        bits: u64,
        /// Points.
        n: usize,
    },
    /// A number left the range of the format.
    #[error("{what} {index} is not finite in {format}; the exact solver has no such limit")]
    Overflow {
        /// The quantity.
        what: &'static str,
        /// Its index: a coordinate, or a point in the order of projections.
        index: usize,
        /// The format.
        format: &'static str,
    },
    /// The depth is not one that the corollary speaks of.
    #[error(
        "depth {depth} is not built for n = {n} points; expected 3 to n + 2 = {} (depth 2 is \
         depth-two-zigzag)",
        .n + 2
    )]
    Depth {
        /// As asked.
        depth: usize,
        /// Points.
        n: usize,
    },
    /// The labels are real numbers, and the construction tells classes apart.
    #[error("the labels are real numbers; this construction needs classes")]
    NeedsClasses,
    /// More classes than the outputs can name.
    #[error("{classes} classes; this construction tells at most {most} apart")]
    TooManyClasses {
        /// Classes.
        classes: u32,
        /// The most that it can do.
        most: u32,
    },
    /// Points that lie on one hyperplane.
    #[error(
        "not in general position: point {extra} lies on the hyperplane through points \
         {hyperplane:?}"
    )]
    NotGeneral {
        /// The points that span the hyperplane.
        hyperplane: Vec<usize>,
        /// The point too many.
        extra: usize,
    },
    /// Points that span too little.
    #[error("not in general position: points {points:?} are affinely dependent")]
    Dependent {
        /// The points.
        points: Vec<usize>,
    },
    /// A square system without a solution for all labels.
    #[error("{what} have rank {rank}; {n} points need rank {n}")]
    Rank {
        /// The vectors.
        what: &'static str,
        /// Their rank.
        rank: usize,
        /// Points.
        n: usize,
    },
    /// The point is not on the moment curve.
    #[error("point {index} is not (t, t², …, t^d) for any t")]
    OffCurve {
        /// The point.
        index: usize,
    },
    /// The construction is for points of the real line.
    #[error("the points have {d} coordinates; this construction takes one")]
    NotOnALine {
        /// Coordinates of a point.
        d: usize,
    },
    /// The point is not 2^-k for a k >= 1.
    #[error("point {index} is not 2^-k for a whole k >= 1")]
    NotPowerOfHalf {
        /// The point.
        index: usize,
    },
    /// The construction would need more numbers, or longer ones, than memory and patience hold.
    #[error("{construction} with {n} points: {why}")]
    TooLarge {
        /// The construction.
        construction: String,
        /// Points.
        n: usize,
        /// What grows, and the limit.
        why: String,
    },
    /// A parameter that counts something is 0.
    #[error("{construction}: {parameter} must be at least 1")]
    Zero {
        /// The construction.
        construction: String,
        /// The parameter.
        parameter: &'static str,
    },
}
