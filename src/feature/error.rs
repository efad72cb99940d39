//! Why features cannot be computed.

use shatter_sample::Shape;

/// Features cannot be computed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// Points that are no images.
    #[error("points of shape {sides:?} are not images; expected one, two or three sides")]
    NoImage {
        /// Sides of a point.
        sides: Vec<usize>,
    },
    /// Plain numbers, on which no wave is seen.
    #[error("Gabor filters need images; a point here is {0} plain numbers")]
    Plain(usize),
    /// Images without room for a patch.
    #[error(
        "images of {shape} have no patch of {patch} × {patch}; expected both sides to be at least {patch}"
    )]
    SmallImage {
        /// Shape of the images.
        shape: Shape,
        /// Side of a patch.
        patch: usize,
    },
    /// Images of another shape than those from which the map was learned.
    #[error("the map takes images of {expected}; found {found}")]
    Shape {
        /// Shape of the images from which it was learned.
        expected: Shape,
        /// Shape of these images.
        found: Shape,
    },
    /// Columns that begin or end within a group that is computed together.
    #[error("columns {first} to {end}: expected multiples of {group}, at most {columns}")]
    Columns {
        /// The first column.
        first: usize,
        /// The column after the last.
        end: usize,
        /// Columns that are computed together.
        group: usize,
        /// Columns of the map.
        columns: usize,
    },
    /// Rows that are not there.
    #[error("images {first} to {end}: expected at most {n}")]
    Rows {
        /// The first image.
        first: usize,
        /// The image after the last.
        end: usize,
        /// Number of images.
        n: usize,
    },
    /// Another number of entries than the block has.
    #[error("a block of {rows} images and {columns} columns has {} numbers; found room for {found}", rows.saturating_mul(*columns))]
    Room {
        /// Images of the block.
        rows: usize,
        /// Columns of the block.
        columns: usize,
        /// Numbers that there is room for.
        found: usize,
    },
    /// Whitening that did not come to an end.
    #[error(
        "the eigenvalues of the covariance of {patches} patches were not found; the images may hold numbers that are too large"
    )]
    Eigenvalues {
        /// Patches from which it was computed.
        patches: usize,
    },
    /// A feature that is not finite.
    #[error(
        "feature {column} of image {row} is not finite; the image may hold numbers that are too large"
    )]
    NotFinite {
        /// The image.
        row: usize,
        /// The feature.
        column: usize,
    },
}
