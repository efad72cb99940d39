//! What a measure refuses.

/// Why there is no value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// The graph is not a chain of affine maps with homogeneous activations between.
    #[error("step {step} ({operation}): {reason}")]
    NotPerceptron {
        /// The step, from 0.
        step: usize,
        /// Name of its operation.
        operation: &'static str,
        /// What a perceptron would have.
        reason: &'static str,
    },
    /// A graph without an affine map.
    #[error("the network has no affine map")]
    NoLayers,
    /// Outputs that are no affine functions of the last hidden layer.
    #[error("the outputs have an activation; counting signs takes affine outputs")]
    ActivatedOutputs,
    /// A weight that binary64 cannot hold to a relative error of 2^-53.
    #[error("layer {layer}: a weight of about 2^{log2} is beyond normal binary64 numbers")]
    Magnitude {
        /// The layer, from 0.
        layer: usize,
        /// log2 of its magnitude, rounded down.
        log2: i64,
    },
    /// A weight that is not finite.
    #[error("layer {layer}: weight {index} is {value}; expected a finite number")]
    NotFinite {
        /// The layer, from 0.
        layer: usize,
        /// Its index in the layer, row by row.
        index: usize,
        /// The value.
        value: f64,
    },
    /// More numbers than are held at once.
    #[error("{what}: {have} exceed the limit of {limit}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How many.
        have: u64,
        /// How many at most.
        limit: u64,
    },
    /// Two networks that should have the same layers.
    #[error("layer {layer}: the start has {start}, the network {network}")]
    Start {
        /// The layer, from 0.
        layer: usize,
        /// Shape of the start's layer.
        start: String,
        /// Shape of the network's.
        network: String,
    },
    /// Numbers that are not n rows of so many.
    #[error("{what}: found {found} numbers, expected {expected}")]
    Length {
        /// Whose numbers.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// Nothing to measure on.
    #[error("there are no points")]
    NoPoints,
    /// A class that the outputs do not have.
    #[error("point {point}: class {class}, and the network has {outputs} outputs")]
    NoSuchOutput {
        /// The point, from 0.
        point: usize,
        /// Its class.
        class: u32,
        /// Number of outputs.
        outputs: usize,
    },
    /// Labels without margins.
    #[error("labels that are real numbers have no margins: an output equals its label or does not")]
    NoMargins,
    /// A reading without a loss to train noise by.
    #[error(
        "outputs read as {how} have no loss that bounds their errors; expected largest or sign"
    )]
    Surrogate {
        /// How outputs are read.
        how: shatter_network::reading::How,
    },
    /// An output or a coordinate that is not a number.
    #[error("point {point}: {what} is {value}; expected a finite number")]
    PointNotFinite {
        /// The point, from 0.
        point: usize,
        /// What of it.
        what: &'static str,
        /// The value.
        value: f64,
    },
    /// A parameter of a bound outside its range.
    #[error("{what} is {value}; expected {expected}")]
    Parameter {
        /// Which.
        what: &'static str,
        /// The value.
        value: f64,
        /// The range.
        expected: &'static str,
    },
    /// A class without functions.
    #[error("the class has no function")]
    NoFunctions,
    /// A labelling with more labels than points.
    #[error(
        "labelling {index} is {pattern:#b}; expected a bit for each of {points} points at most"
    )]
    Pattern {
        /// Its index, from 0.
        index: usize,
        /// Its bits.
        pattern: u32,
        /// Number of points.
        points: usize,
    },
    /// A matrix that is no Gram matrix.
    #[error("Gram matrix, row {row}, column {column}: {value}; expected {expected}")]
    Gram {
        /// The row, from 0.
        row: usize,
        /// The column, from 0.
        column: usize,
        /// The entry.
        value: f64,
        /// What a Gram matrix has there.
        expected: &'static str,
    },
    /// An answer of the room of impossibilities.
    #[error(transparent)]
    Obstruct(#[from] shatter_obstruct::ObstructError),
}
