//! Why something is not shown to be impossible, or a certificate is not accepted.

use shatter_network::layered::Miswired;

/// The claim does not follow from the data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObstructError {
    /// Nothing to speak of.
    #[error("there are no {0}")]
    Empty(&'static str),
    /// One label a point is needed.
    #[error("{points} points have {labels} labels")]
    Lengths {
        /// Points.
        points: usize,
        /// Labels.
        labels: usize,
    },
    /// The labels are vectors.
    #[error("each label has {outputs} numbers; the claim is about labels of one")]
    VectorLabels {
        /// Numbers a label.
        outputs: usize,
    },
    /// A point with another number of coordinates.
    #[error("point {index} has {have} coordinates; expected {want}")]
    Coordinates {
        /// The point.
        index: usize,
        /// Its coordinates.
        have: usize,
        /// Coordinates that it should have.
        want: usize,
    },
    /// The claim is about networks with one output.
    #[error("{architecture} has {outputs} outputs; the claim is about one")]
    Outputs {
        /// The network.
        architecture: String,
        /// Its outputs.
        outputs: usize,
    },
    /// A hidden layer of more than one unit, or no hidden layer.
    #[error("{architecture} is not a network of width 1")]
    NotWidthOne {
        /// The network.
        architecture: String,
    },
    /// The point is not on the line through the others.
    #[error("point {index} is not on the line through the points before it")]
    NotCollinear {
        /// The point.
        index: usize,
    },
    /// The point does not lie beyond the one before it on the line.
    #[error("point {index} does not follow the point before it on the line")]
    NotInOrder {
        /// The point.
        index: usize,
    },
    /// Two points are equal.
    #[error("points {first} and {second} are equal")]
    Coincident {
        /// A point.
        first: usize,
        /// The other.
        second: usize,
    },
    /// The label is not on the other side of the level than the one before it.
    #[error("the labels of points {} and {index} do not lie strictly on different sides of the level", .index - 1)]
    NotAlternating {
        /// The second point of the pair.
        index: usize,
    },
    /// The label equals the one before it.
    #[error("points {} and {index} have the same label", .index - 1)]
    SameLabel {
        /// The second point of the pair.
        index: usize,
    },
    /// Labels that rise or fall along the line.
    #[error("the labels are monotone along the line")]
    Monotone,
    /// Without an output bias only the level 0 has a meaning.
    #[error("a network without an output bias can alternate only about the level 0")]
    LevelNeedsBias,
    /// The theorem leaves it open, or it is possible.
    #[error("not excluded: there are {have} {what}, and the theorem excludes more than {allowed}")]
    NotExcluded {
        /// The objects counted.
        what: &'static str,
        /// Their number.
        have: String,
        /// The largest number that the theorem does not exclude.
        allowed: String,
    },
    /// The bound on sign patterns leaves room for all labellings.
    #[error(
        "not excluded: the bound allows 2^{log2} sign patterns at {points} points, as many as there are labellings"
    )]
    TooManyPatterns {
        /// Points.
        points: u64,
        /// Logarithm of the bound, rounded up.
        log2: String,
    },
    /// A number of the certificate is not what its data give.
    #[error("the certificate says that {what} is {stated}, but it is {found}")]
    Altered {
        /// The number.
        what: &'static str,
        /// As stated.
        stated: String,
        /// As found again.
        found: String,
    },
    /// The labels are separable.
    #[error("a hyperplane separates these labels")]
    Separable,
    /// The combination is not 0, or not one of numbers >= 0 that are not all 0.
    #[error("the numbers of the certificate do not show that the labels are inseparable")]
    Evidence,
    /// A separating vector that does not separate, or a combination that is not 0.
    #[error("the certificate's evidence for dichotomy {dichotomy} is wrong")]
    Dichotomy {
        /// The dichotomy: bit i − 1 is the side of point i; point 0 is on the positive side.
        dichotomy: usize,
    },
    /// A parameter at which the network has no derivative.
    #[error("unit {unit} of layer {layer} is at its kink at point {point}")]
    Kink {
        /// The point.
        point: usize,
        /// The layer, from 0.
        layer: usize,
        /// The unit in it.
        unit: usize,
    },
    /// A unit that is not a ReLU (hidden) or affine (output).
    #[error("unit {unit} of layer {layer} is {activation}; expected a ReLU network")]
    NotRelu {
        /// The layer, from 0; the output layer is the last.
        layer: usize,
        /// The unit in it.
        unit: usize,
        /// Its activation.
        activation: &'static str,
    },
    /// A unit reads what is not there.
    #[error(transparent)]
    Miswired(#[from] Miswired),
    /// More than memory and patience hold.
    #[error("too many {what}: {have}; the limit is {limit}")]
    TooLarge {
        /// The quantity that is too large.
        what: &'static str,
        /// Its size.
        have: u64,
        /// The limit.
        limit: u64,
    },
}

/// Refuses a stated number that differs from the one found again.
pub(super) fn as_stated<T: PartialEq + ToString>(
    what: &'static str,
    stated: &T,
    found: &T,
) -> Result<(), ObstructError> {
    if stated == found {
        return Ok(());
    }
    Err(ObstructError::Altered { what, stated: stated.to_string(), found: found.to_string() })
}

/// Refuses `have` if the theorem does not exclude it.
pub(super) fn more_than<T: PartialOrd + ToString>(
    what: &'static str,
    have: &T,
    allowed: &T,
) -> Result<(), ObstructError> {
    if have > allowed {
        return Ok(());
    }
    let (have, allowed) = (have.to_string(), allowed.to_string());
    Err(ObstructError::NotExcluded { what, have, allowed })
}
