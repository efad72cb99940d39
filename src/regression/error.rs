//! Why there is no linear model.

/// Why there is no linear model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RegressionError {
    /// No points, or points without coordinates.
    #[error("the sample has {rows} points of {columns} coordinates; expected at least one of each")]
    Empty {
        /// Points.
        rows: usize,
        /// Coordinates.
        columns: usize,
    },
    /// Numbers that are not whole rows.
    #[error("{values} numbers are not points of {columns} coordinates")]
    Ragged {
        /// Numbers.
        values: usize,
        /// Coordinates of a point.
        columns: usize,
    },
    /// Targets of another number of points.
    #[error("there are targets of {targets} points, and {rows} points")]
    TargetCount {
        /// Points with targets.
        targets: usize,
        /// Points.
        rows: usize,
    },
    /// A number whose square, or a sum of such squares, has no place in binary64.
    #[error(
        "{what} {column} of point {row} is {value}; linear models take numbers whose largest is between 2^-200 and \
         2^200 in absolute value, or zeros: scale the sample"
    )]
    Range {
        /// `coordinate` or `target`.
        what: &'static str,
        /// The point.
        row: usize,
        /// Place of the number in it.
        column: usize,
        /// The number.
        value: f64,
    },
    /// A matrix of products that is too large to be decomposed.
    #[error(
        "the smaller of {rows} points and {columns} coordinates exceeds {most}, the most whose matrix of products is \
         decomposed; take fewer points"
    )]
    TooLarge {
        /// Points.
        rows: usize,
        /// Coordinates, a bias included.
        columns: usize,
        /// The limit.
        most: usize,
    },
    /// The eigenvalues of the matrix of products were not found.
    #[error("the iteration for the eigenvalues of {size} × {size} products did not converge")]
    NoConvergence {
        /// Rows of the matrix.
        size: usize,
    },
    /// Weights of another shape.
    #[error("{found} weights for {columns} coordinates and {outputs} outputs; expected one each")]
    Weights {
        /// How many there are.
        found: usize,
        /// Coordinates, a bias included.
        columns: usize,
        /// Outputs.
        outputs: usize,
    },
    /// A weight decay that is not a positive number.
    #[error("weight decay {0} is not valid; expected a positive number")]
    Decay(f64),
    /// A step size that is not a positive number.
    #[error("step size {0} is not valid; expected a positive number")]
    Step(f64),
    /// A momentum that is not below 1.
    #[error("momentum {0} is not valid; expected 0 <= momentum < 1")]
    Momentum(f64),
    /// Gradient descent left the finite numbers.
    #[error("gradient descent diverged in epoch {epoch}: the step size {step} is too large")]
    Diverged {
        /// The epoch, from 1.
        epoch: u32,
        /// The step size.
        step: f64,
    },
}
