//! Why outputs cannot say labels.

use super::How;

/// Why outputs cannot say the labels of a sample.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadingError {
    /// The reading is one of other outputs or labels.
    #[error("{reason}{}", list(.fitting))]
    Misfit {
        /// Why it is.
        reason: String,
        /// The readings that would fit.
        fitting: Vec<How>,
    },
    /// A class that the network has not.
    #[error("the network does not have class '{class}' of the sample; its classes are {known}")]
    Unknown {
        /// The name of the class.
        class: String,
        /// The network's names.
        known: String,
    },
    /// A class that two outputs of the network stand for.
    #[error(
        "two outputs of the network are class '{class}' of the sample; its classes are {known}"
    )]
    Twice {
        /// The name of the class.
        class: String,
        /// The network's names.
        known: String,
    },
    /// A class that another output stands for than the one that is to be trained for it.
    #[error(
        "class '{class}' of the sample is output {own} of the network, and would be trained as output {trained}; \
         its classes are {known}"
    )]
    Order {
        /// The name of the class.
        class: String,
        /// Its output in the network.
        own: u32,
        /// Its number in the sample.
        trained: u32,
        /// The network's names.
        known: String,
    },
    /// A class without a number, for a network without names.
    #[error(
        "the network does not name its classes, and class '{class}' of the sample is not the number of one; give \
         the name of the class of each output, in order"
    )]
    Unnamed {
        /// The name of the class.
        class: String,
    },
    /// A class whose number is that of no output.
    #[error(
        "class {class} of the sample is not a class of the network, whose {outputs} outputs are classes 0 to \
         {last}; if they are other classes, give the name of the class of each output, in order"
    )]
    Beyond {
        /// The number of the class.
        class: u32,
        /// Outputs of the network.
        outputs: usize,
        /// The last number that they say.
        last: u64,
    },
    /// Classes that one output without names does not say.
    #[error(
        "one output without names says the classes -1 and 1, or 0 and 1, by its sign, but the sample has class \
         '{class}'; give the names of the two classes, in order"
    )]
    NotTwo {
        /// The name of the class.
        class: String,
    },
    /// A label that is no class.
    #[error(
        "label {label} of point {point} is not a class: outputs say classes, which are non-negative whole \
         numbers, or rows of a single 1 and zeros"
    )]
    NotClass {
        /// The point.
        point: usize,
        /// Its label.
        label: String,
    },
    /// A file that was written before names of classes were kept, of a table, whose classes were numbered by rank.
    #[error(
        "the file was written before names of classes were kept; give the name of the class of each output, in \
         order"
    )]
    Lost,
    /// A reading in a file that is none.
    #[error("the reading in the file is not valid: {0}")]
    File(String),
}

impl ReadingError {
    pub(super) fn misfit(reason: String) -> ReadingError {
        ReadingError::Misfit { reason, fitting: Vec::new() }
    }
}

fn list(fitting: &[How]) -> String {
    if fitting.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = fitting.iter().map(|how| how.name()).collect();
    format!("; readings that fit: {}", names.join(", "))
}
