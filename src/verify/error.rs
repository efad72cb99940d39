//! Reasons for which a verification cannot run at all. What a construction refuses is not an error
//! here but a row of the report, with the reason.

use shatter_sample::SampleError;

/// The grid asked for cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// A size, a dimension or a count of the grid is 0.
    #[error("{what} of the grid holds 0: samples have at least one point and one coordinate")]
    Zero {
        /// The list.
        what: &'static str,
    },
    /// Nothing is left to verify, so nothing could be affirmed.
    #[error("the grid is empty: {what} lists no size")]
    EmptyGrid {
        /// The list.
        what: &'static str,
    },
    /// A sample could not be drawn.
    #[error("the sample '{text}' cannot be drawn: {source}")]
    Sample {
        /// Its text.
        text: String,
        /// Why.
        source: Box<SampleError>,
    },
    /// A table could not be written as CSV.
    #[error("the table cannot be written as CSV: {0}")]
    Csv(#[from] csv::Error),
}
