//! Why a network could not leave, or come in.

use shatter_network::architecture::ArchitectureError;
use shatter_network::graph::GraphError;
use shatter_sample::SampleError;

/// Why a network could not leave, or come in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InterchangeError {
    /// Numbers that the type does not have.
    #[error(
        "{rounded} of {numbers} numbers do not fit {precision} without rounding; the first is number {index} of \
         '{tensor}', {value}; rounding would change them by up to {absolute:e} ({relative:e} of the number)"
    )]
    Rounds {
        /// How many.
        rounded: u64,
        /// Of how many.
        numbers: u64,
        /// The type.
        precision: &'static str,
        /// Where the first of them is.
        tensor: String,
        /// Its place there, from 0.
        index: usize,
        /// The number.
        value: String,
        /// The largest error that rounding would make.
        absolute: f64,
        /// The same relative to the number.
        relative: f64,
    },
    /// A number beyond the type.
    #[error("number {index} of '{tensor}', {value}, is too large for {precision}")]
    TooLarge {
        /// Where it is.
        tensor: String,
        /// Its place there, from 0.
        index: usize,
        /// The number.
        value: String,
        /// The type.
        precision: &'static str,
    },
    /// A network that would not fit as dense matrices.
    #[error("the network has more than {most} numbers as dense matrices")]
    TooManyInAll {
        /// Numbers that it may have.
        most: usize,
    },
    /// A network that would not fit as texts.
    #[error(
        "the network is too large for JSON: more than {most} numbers as dense matrices, or {bits} bits"
    )]
    TooManyTexts {
        /// Numbers that it may have.
        most: usize,
        /// Bits that its numbers that are not 0 may have together.
        bits: u64,
    },
    /// A layer without units.
    #[error("layer {layer} has no units, which the format cannot express")]
    EmptyLayer {
        /// The layer, from 0.
        layer: usize,
    },
    /// A file beyond what its format has room for.
    #[error("the file would be larger than {0}")]
    FileTooLarge(&'static str),
    /// Something that the format, or what was asked for, does not go with.
    #[error("{0}")]
    Unsupported(String),
    /// A file that is not what it should be.
    #[error("not a network that can be read: {0}")]
    Malformed(String),
    /// A number that cannot be used.
    #[error("number {index} of array '{array}', {value}, {reason}")]
    Entry {
        /// The array.
        array: String,
        /// Its place there, from 0.
        index: usize,
        /// The number.
        value: String,
        /// What is wrong.
        reason: String,
    },
    /// An array that cannot be used.
    #[error("array '{array}' {reason}")]
    Array {
        /// The array.
        array: String,
        /// What is wrong.
        reason: String,
    },
    /// An operator that is not read.
    #[error(
        "node '{node}' is {operator}, which is not read; PYTHON.md lists the operators that are"
    )]
    Operator {
        /// The node's name, or that of its output.
        node: String,
        /// The operator.
        operator: String,
    },
    /// A node that is read, but not as it stands.
    #[error("node '{node}' ({operator}): {reason}")]
    Node {
        /// The node's name, or that of its output.
        node: String,
        /// The operator.
        operator: String,
        /// What is wrong.
        reason: String,
    },
    /// Layers that make no graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// Layers that do not go together.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
    /// A sample that the network does not take.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
