//! What cannot be fitted: claims of impossibility, each with the data from which it can be checked
//! again.
//!
//! An optimiser that fails proves nothing. Here every claim is a theorem applied to data: an
//! architecture, points, labels, counts. [`Impossibility::check`] takes nothing for granted: it
//! verifies the hypotheses on the data and computes every number again, in exact arithmetic, so a
//! certificate that was altered into something that does not follow is rejected.
//!
//! | certificate | claim | proof |
//! |---|---|---|
//! | [`PieceBound`] | a ReLU network has too few linear pieces for labels that alternate on a line | [`pieces`] |
//! | [`AlternationBound`] | so has one hidden layer; exactly how many, with networks that reach it | [`alternation`] |
//! | [`NotMonotone`] | width 1 does not fit 0, 1, 0 on a line, whatever the depth | [`width_one`] |
//! | [`TooFewThresholds`] | threshold units cut a line into too few intervals | [`collinear_threshold`] |
//! | [`CoverBound`] | hyperplanes realise less than all labellings of any n points | [`cover`] |
//! | [`Inseparable`] | no hyperplane realises this labelling of these points | [`cover`], [`separable`] |
//! | [`DimensionBound`] | almost no real labels are fitted: P − U is too small | [`dimension`] |
//! | [`GrowthBound`] | no m points are shattered (an upper bound on the VC dimension) | `growth.rs` |
//! | [`BitBound`] | too few bits for all labellings | [`bits`] |
//!
//! # Quoted, not checked here
//!
//! Sontag (Neural Computation 9:337–348, 1997): a class with p parameters that is definable by
//! analytic functions and exponentials (ReLU and sigmoid networks are) and shatters *every* set of k
//! points in general position has p >= (k − 1)/2. Networks that fit with fewer numbers than that are no
//! contradiction: their size depends on how close the points are to one another. Siegel (arXiv
//! 2302.00834): if the separation of N points may be exponentially small in N, ReLU networks need
//! Ω(N) parameters to fit all labellings.

pub mod alternation;
pub mod bits;
pub mod collinear_threshold;
pub mod cover;
pub mod dimension;
mod error;
mod growth;
mod line;
pub mod pieces;
pub mod separable;
mod text;
pub mod width_one;

use std::fmt;

use serde::Serialize;

pub use alternation::AlternationBound;
pub use bits::BitBound;
pub use collinear_threshold::TooFewThresholds;
pub use cover::{CoverBound, Inseparable};
pub use dimension::DimensionBound;
pub use error::ObstructError;
pub use growth::GrowthBound;
pub use line::LabelledLine;
pub use pieces::PieceBound;
pub use width_one::NotMonotone;

/// A claim that something cannot be fitted, with its data. `Display` says it in a sentence.
pub trait Impossibility: fmt::Display {
    /// Checks that the claim follows from the data: every hypothesis and every number, from scratch.
    ///
    /// # Errors
    /// An [`ObstructError`] that names what does not hold, and where.
    fn check(&self) -> Result<(), ObstructError>;
}

/// Any of the certificates.
///
/// ```
/// use shatter_obstruct::{DimensionBound, Obstruction};
/// let obstruction = Obstruction::from(DimensionBound::new(&"2-3-1".parse()?, 11)?);
/// assert!(obstruction.check().is_ok());
/// assert!(obstruction.statement().starts_with("almost no real labels of any 11 points"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "obstruction", rename_all = "kebab-case")]
pub enum Obstruction {
    /// Too few linear pieces.
    Pieces(PieceBound),
    /// Too few units in one hidden layer.
    Alternation(AlternationBound),
    /// Width 1.
    WidthOne(NotMonotone),
    /// Too few threshold units.
    CollinearThreshold(TooFewThresholds),
    /// Too many labellings for hyperplanes.
    Cover(CoverBound),
    /// A labelling that no hyperplane realises.
    Inseparable(Inseparable),
    /// Too few dimensions.
    Dimension(DimensionBound),
    /// Too few sign patterns.
    Growth(GrowthBound),
    /// Too few bits.
    Bits(BitBound),
}

impl Obstruction {
    fn claim(&self) -> &dyn Impossibility {
        match self {
            Obstruction::Pieces(claim) => claim,
            Obstruction::Alternation(claim) => claim,
            Obstruction::WidthOne(claim) => claim,
            Obstruction::CollinearThreshold(claim) => claim,
            Obstruction::Cover(claim) => claim,
            Obstruction::Inseparable(claim) => claim,
            Obstruction::Dimension(claim) => claim,
            Obstruction::Growth(claim) => claim,
            Obstruction::Bits(claim) => claim,
        }
    }

    /// Checks that the claim follows from its data.
    ///
    /// # Errors
    /// An [`ObstructError`] that names what does not hold, and where.
    pub fn check(&self) -> Result<(), ObstructError> {
        self.claim().check()
    }

    /// The claim in a sentence.
    #[must_use]
    pub fn statement(&self) -> String {
        self.claim().to_string()
    }
}

macro_rules! from_certificates {
    ($($variant:ident($certificate:ty)),+ $(,)?) => {$(
        impl From<$certificate> for Obstruction {
            fn from(certificate: $certificate) -> Obstruction {
                Obstruction::$variant(certificate)
            }
        }
    )+};
}

from_certificates!(
    Pieces(PieceBound),
    Alternation(AlternationBound),
    WidthOne(NotMonotone),
    CollinearThreshold(TooFewThresholds),
    Cover(CoverBound),
    Inseparable(Inseparable),
    Dimension(DimensionBound),
    Growth(GrowthBound),
    Bits(BitBound),
);
