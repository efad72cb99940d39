//! What can be wrong with a sample, with the offending file, row and value.

use std::io;
use std::path::PathBuf;

use super::Shape;
use super::class_name::LARGEST;

/// Reason why a sample could not be read, drawn or labelled.
///
/// Rows and columns in messages count from 1 and include a header row, as an editor shows them;
/// indices of points count from 0, as the library does.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// The SAMPLE text itself is wrong.
    #[error("cannot understand the sample '{text}': {reason}")]
    Text {
        /// The text as given.
        text: String,
        /// The mistake in it.
        reason: String,
    },
    /// The operating system refused.
    #[error("{file}: {source}", file = .file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file was expected and a folder found.
    #[error("{file} is a folder, not a file", file = .0.display())]
    IsFolder(PathBuf),
    /// None of the files that the format calls for is there.
    #[error("{folder} holds none of: {wanted}", folder = .folder.display())]
    NoSuchFile {
        /// The folder that was searched.
        folder: PathBuf,
        /// The names that would have done.
        wanted: String,
    },
    /// The bytes are not of this format.
    #[error("{file}: {reason}", file = .file.display())]
    Format {
        /// The file.
        file: PathBuf,
        /// The mistake, with what was expected and found.
        reason: String,
    },
    /// The file ends before the data that its header announces.
    #[error("{file} is truncated: its header announces {expected} bytes of data, it holds {found}", file = .file.display())]
    Truncated {
        /// The file.
        file: PathBuf,
        /// Bytes of data announced.
        expected: u64,
        /// Bytes of data found.
        found: u64,
    },
    /// A cell of a table cannot be used.
    #[error("{file}, row {row}, column {column}: '{value}' {reason}", file = .file.display())]
    Cell {
        /// The file.
        file: PathBuf,
        /// Row, from 1, header included.
        row: u64,
        /// Column, from 1, with its name where it has one.
        column: String,
        /// The cell.
        value: String,
        /// The reason.
        reason: String,
    },
    /// An entry of an array cannot be used.
    #[error("{file}, entry {index:?}: {value} {reason}", file = .file.display())]
    Entry {
        /// The file.
        file: PathBuf,
        /// The index in each dimension, from 0.
        index: Vec<usize>,
        /// The entry.
        value: String,
        /// The reason.
        reason: String,
    },
    /// Points and labels differ in number.
    #[error("{points} points have {labels} labels; expected one label a point")]
    LabelCount {
        /// Points found.
        points: usize,
        /// Labels found.
        labels: usize,
    },
    /// There is no point.
    #[error("the sample is empty")]
    Empty,
    /// The points have no coordinate (d = 0).
    #[error("the points have no coordinates (d = 0)")]
    NoCoordinates,
    /// The coordinates do not fill the rows.
    #[error("{values} numbers do not fill rows of {d}")]
    Ragged {
        /// Coordinates given.
        values: usize,
        /// Coordinates in a row.
        d: usize,
    },
    /// A row has another length than the first.
    #[error("row {row} has {found} numbers; expected {expected}, as in row 0")]
    RowLength {
        /// Row, from 0.
        row: usize,
        /// Numbers in it.
        found: usize,
        /// Numbers in the first row.
        expected: usize,
    },
    /// A label is not the number of a class.
    #[error("label {index}: {value} is not a class; expected 0 to {largest}", largest = LARGEST)]
    NotAClass {
        /// Label, from 0.
        index: usize,
        /// The value.
        value: i128,
    },
    /// More points than 32-bit indices can name.
    #[error("{0} points are too many; at most 4294967295 can be indexed")]
    TooMany(usize),
    /// A coordinate is NaN or infinite.
    #[error("point {index}, coordinate {coordinate}: {value} is not a finite number")]
    NotFinite {
        /// Point, from 0.
        index: usize,
        /// Coordinate, from 0.
        coordinate: usize,
        /// The value.
        value: f64,
    },
    /// A real label is NaN or infinite.
    #[error("label {index}: {value} is not a finite number")]
    LabelNotFinite {
        /// Label, from 0.
        index: usize,
        /// The value.
        value: f64,
    },
    /// A class is not below the number of classes.
    #[error("label {index} is class {class}, but there are {count} classes")]
    NoSuchClass {
        /// Label, from 0.
        index: usize,
        /// The class.
        class: u32,
        /// The number of classes.
        count: u32,
    },
    /// The same point has two labels: no function fits.
    #[error(
        "points {first} and {second} are equal but have different labels ({first_label} and \
         {second_label}): no function fits both"
    )]
    Inconsistent {
        /// One point.
        first: usize,
        /// The other.
        second: usize,
        /// Its label.
        first_label: String,
        /// Its label.
        second_label: String,
    },
    /// The rule does not apply to these labels.
    #[error("the labels cannot be {rule}: {reason}")]
    Rule {
        /// The rule.
        rule: String,
        /// The reason.
        reason: String,
    },
    /// One point has a shape of no dimension or of more than three.
    #[error(
        "points have the shape {0:?}; expected one number of sides, height × width, or channels × height × width"
    )]
    NoImage(Vec<usize>),
    /// The square to be cut out of every image does not fit.
    #[error("a crop to {side}×{side} does not fit into images of {shape}")]
    Crop {
        /// Side of the square.
        side: usize,
        /// Shape of the images.
        shape: Shape,
    },
    /// The condition does not apply to this sample.
    #[error("the condition {condition} does not apply: {reason}")]
    Condition {
        /// The condition.
        condition: String,
        /// The reason.
        reason: String,
    },
    /// The test sample is not of the training sample's kind.
    #[error("the test sample has {property} {test}, the training sample {train}")]
    TestDiffers {
        /// The property that differs.
        property: &'static str,
        /// The training sample's.
        train: String,
        /// The test sample's.
        test: String,
    },
    /// A value is beyond the range of the numbers that are trained in, or its square beyond f64's.
    #[error(
        "point {index}, coordinate {coordinate}: the value is out of range for the numbers that training uses"
    )]
    OutOfRange {
        /// Point, from 0, in its own sample.
        index: usize,
        /// Coordinate, from 0, after the crop.
        coordinate: usize,
    },
}
