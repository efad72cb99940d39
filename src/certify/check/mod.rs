//! The independent checker: small, exact, fails closed.
//!
//! It shares no arithmetic with the constructions. It reads the certificate with its own reader,
//! the sample with the sample readers, compares hash and labels, evaluates the network at every
//! point in integers of its own, and accepts only if every output equals its label. There is no
//! tolerance. Trusted: this folder, the integer library, the sample readers, SHA-256.
//!
//! Cost for n points of d coordinates and m units: n·d + O((n + m) log(n + m)) operations.

pub mod evaluate;
pub mod lines;
pub mod number;
pub mod parse;
mod work;

use std::io::BufRead;

use crate::sample::fingerprint::{fingerprint, header};
use crate::sample::{LabelRule, Labels, RawSample, Recipe, Sample, SampleError};

use lines::excerpt;
pub use parse::Contents;

/// The first reason not to accept a certificate. Lines count from 1, points from 0.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The file could not be read.
    #[error("line {line}: {source}")]
    Io {
        /// The line.
        line: u64,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file ends too early.
    #[error("line {line}: the file ends where {expected} is expected")]
    Truncated {
        /// The line.
        line: u64,
        /// What should stand there.
        expected: String,
    },
    /// A line is longer than any line of a certificate can be.
    #[error("line {line} is longer than {limit} bytes")]
    LongLine {
        /// The line.
        line: u64,
        /// The limit.
        limit: u64,
    },
    /// A line is not what the format wants there.
    #[error("line {line}: {expected} is expected, '{found}' found")]
    Line {
        /// The line.
        line: u64,
        /// What should stand there.
        expected: String,
        /// The beginning of what does.
        found: String,
    },
    /// Something follows the last line.
    #[error("line {line}: bytes after the digest")]
    Trailing {
        /// The line.
        line: u64,
    },
    /// The bytes are not those that were written.
    #[error("the digest does not match the file: it has been altered")]
    Digest,
    /// A count differs from the network in the same file.
    #[error("the certificate says {name}={claimed}, its network has {actual}")]
    Count {
        /// The count.
        name: &'static str,
        /// As claimed.
        claimed: u64,
        /// As counted.
        actual: u64,
    },
    /// The numbers spread over more bits than a checker can be asked to hold.
    #[error("the numbers spread over {bits} bits each, {numbers} of them: more than {limit} bits")]
    TooWide {
        /// Bits of one number.
        bits: u64,
        /// How many there are.
        numbers: u64,
        /// The limit of the product.
        limit: u64,
    },
    /// Checking would take longer than any honest certificate needs.
    #[error("checking would take more than {limit} steps on machine words")]
    TooMuchWork {
        /// The limit.
        limit: u64,
    },
    /// The labels are vectors; the network has one output.
    #[error("the labels have {outputs} outputs, the network has one: choose one with label=COLUMN")]
    Outputs {
        /// Numbers a label.
        outputs: usize,
    },
    /// The sample cannot be labelled as the certificate says.
    #[error("the sample does not allow the labels of the certificate: {0}")]
    Sample(#[from] SampleError),
    /// The sample has another type, number or shape.
    #[error("the certificate is for points {claimed}, the sample has points {actual}")]
    Shape {
        /// As claimed.
        claimed: String,
        /// Of the sample.
        actual: String,
    },
    /// The sample has other points.
    #[error(
        "the certificate is for other points (their SHA-256 is {claimed}, the sample's {actual}); \
         it was written for the sample '{text}'"
    )]
    Points {
        /// As claimed.
        claimed: String,
        /// Of the sample.
        actual: String,
        /// The SAMPLE text in the certificate.
        text: String,
    },
    /// The recipe names another number of classes than the sample has.
    #[error("the certificate draws labels among {claimed} classes, the sample has {actual}")]
    Classes {
        /// As claimed.
        claimed: u32,
        /// Of the sample.
        actual: u32,
    },
    /// The direction has another length than the points.
    #[error("the direction has {claimed} coordinates, the points have {actual}")]
    Dimension {
        /// Of the network.
        claimed: usize,
        /// Of the sample.
        actual: usize,
    },
    /// Not one label a point.
    #[error("the certificate has {claimed} labels, the sample {actual} distinct points")]
    LabelCount {
        /// As claimed.
        claimed: usize,
        /// Of the sample.
        actual: usize,
    },
    /// A label is not the one that the recipe draws.
    #[error("point {point}: the certificate's label is not the one that its recipe gives")]
    Label {
        /// The point.
        point: usize,
    },
    /// The network does not fit.
    #[error("point {point}: the network's output differs from the label")]
    Misfit {
        /// The first such point.
        point: usize,
    },
}

/// What has been established about an accepted certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Distinct points, every one of which the network maps to its label.
    pub points: usize,
    /// Coordinates of a point.
    pub dimension: usize,
    /// Hidden units.
    pub units: usize,
    /// Free numbers, and free signs beside them.
    pub free: (u64, u64),
    /// How the labels were drawn.
    pub recipe: String,
    /// SHA-256 of the points.
    pub points_sha256: String,
    /// SHA-256 of the certificate.
    pub digest: String,
}

/// Checks a certificate against a sample.
///
/// ```
/// use shatter::certify::{check::check, write_certificate};
/// use shatter::construct::{Options, depth_two};
/// use shatter::sample::{self, LabelRule};
///
/// let raw = sample::load("lattice:n=20,d=3", 1)?;
/// let sample = raw.clone().distinct(LabelRule::Random, 1)?;
/// let fit = depth_two::fit_exact(&sample.points, &sample.labels, &Options::default())?;
/// let mut certificate = Vec::new();
/// write_certificate(&mut certificate, &fit.network, "depth-two zigzag", &sample)?;
/// assert_eq!(check(&certificate[..], raw.clone())?.points, sample.points.n());
///
/// let last = certificate.len() - 80;
/// certificate[last] ^= 1;
/// assert!(check(&certificate[..], raw).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A [`Rejection`] for everything but exact equality at every one of at least one points.
pub fn check(certificate: impl BufRead, raw: RawSample) -> Result<Accepted, Rejection> {
    let contents = parse::certificate(certificate)?;
    let sample = bind(&contents, raw)?;
    evaluate::fits(&contents, &sample)?;
    Ok(Accepted {
        points: sample.points.n(),
        dimension: sample.points.d(),
        units: contents.units.len(),
        free: (contents.counts.free, contents.counts.signs),
        recipe: format!("{} seed={}", contents.rule, contents.seed),
        points_sha256: contents.points_sha256,
        digest: contents.digest,
    })
}

/// The distinct, labelled sample that the certificate speaks of, if `raw` is it.
///
/// # Errors
/// A [`Rejection`] if points or labels differ.
pub fn bind(contents: &Contents, raw: RawSample) -> Result<Sample, Rejection> {
    let classes = match &raw.labels {
        Labels::Classes { count, .. } => *count,
        Labels::Real { .. } => 0,
    };
    if raw.labels.outputs() != 1 {
        return Err(Rejection::Outputs { outputs: raw.labels.outputs() });
    }
    let sample = raw.distinct(contents.rule, contents.seed)?;
    let claimed = Recipe { rule: contents.rule, seed: contents.seed, classes: contents.classes };
    let actual = header(&sample.points);
    if actual != contents.points {
        return Err(Rejection::Shape { claimed: excerpt(&contents.points), actual });
    }
    let actual = fingerprint(&sample.points);
    if actual != contents.points_sha256 {
        let (claimed, text) = (excerpt(&contents.points_sha256), excerpt(&contents.sample));
        return Err(Rejection::Points { claimed, actual, text });
    }
    if claimed != sample.recipe {
        let actual = if contents.rule == LabelRule::Alternating { 2 } else { classes };
        return Err(Rejection::Classes { claimed: contents.classes, actual });
    }
    if contents.direction.len() != sample.points.d() {
        let (claimed, actual) = (contents.direction.len(), sample.points.d());
        return Err(Rejection::Dimension { claimed, actual });
    }
    if contents.targets.len() != sample.points.n() {
        let (claimed, actual) = (contents.targets.len(), sample.points.n());
        return Err(Rejection::LabelCount { claimed, actual });
    }
    let wrong = |&i: &usize| contents.targets[i] != number::label(&sample.labels, i);
    match (0..sample.points.n()).find(wrong) {
        Some(point) => Err(Rejection::Label { point }),
        None => Ok(sample),
    }
}
