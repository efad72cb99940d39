//! Why nothing was decided.

use shatter_network::exactly::Inexact;
use shatter_network::reading::ReadingError;

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JudgeError {
    /// Points of another shape than the network takes.
    #[error("the network takes points of shape {takes}; the sample's have shape {points}")]
    Shape {
        /// What it takes.
        takes: String,
        /// What there is.
        points: String,
    },
    /// A coordinate that is infinite in the network's format.
    #[error("point {point} has a number beyond {format}, which the network takes")]
    Beyond {
        /// The point.
        point: usize,
        /// Name of the format.
        format: &'static str,
    },
    /// Outputs that cannot say such labels.
    #[error(transparent)]
    Reading(#[from] ReadingError),
    /// Numbers are read of a softmax, which is not evaluated.
    #[error(
        "the network ends in a softmax, of which only the largest output is read, and the labels are real numbers: \
         export the network without the softmax"
    )]
    Softmax,
    /// The numbers of points and labels differ.
    #[error("there are {points} points and {labels} labels")]
    Labels {
        /// Points.
        points: usize,
        /// Labels.
        labels: usize,
    },
    /// More work than a check may be.
    #[error(
        "the {n} points would take {work:e} {what}; the limit is {most:e}: check fewer points at a time"
    )]
    TooMuchWork {
        /// How much it would be.
        work: u64,
        /// How much it may be.
        most: u64,
        /// Points.
        n: usize,
        /// What is counted.
        what: &'static str,
    },
    /// More memory than a check may take.
    #[error("a point would take {bytes} bytes at once; the limit is {most}")]
    TooMuchMemory {
        /// How many it would be.
        bytes: u64,
        /// How many it may be.
        most: u64,
    },
    /// A network that is not evaluated exactly.
    #[error("the network cannot be evaluated exactly: {0}")]
    Inexact(#[from] Inexact),
}
