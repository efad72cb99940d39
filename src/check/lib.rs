//! The independent checker: small, exact, fails closed.
//!
//! It shares no arithmetic with the constructions. It reads the certificate with its own reader,
//! the sample with the sample readers, compares hash and labels, evaluates the network at every
//! point in integers of its own, and accepts only if every output equals its label. There is no
//! tolerance. Trusted: this folder, the integer library, the sample readers, SHA-256.
//!
//! Cost for n points of d coordinates and m units: n·d + O((n + m) log(n + m)) operations in the
//! two-layer form; in the layered form n times the weights and biases of the network.

mod activation;
mod coordinates;
mod evaluate;
mod forward;
mod fraction;
mod layered;
mod lines;
mod number;
mod parse;
mod plan;
mod ridge;
mod room;
mod target;
mod two_layer;
mod work;

use std::io::BufRead;

use shatter_sample::fingerprint::{fingerprint, header};
use shatter_sample::{
    LabelRule, Labels, RawSample, Recipe, Sample, SampleError, Target, class_name,
};

use lines::excerpt;
use parse::{Body, Claim, Contents};
use work::Budget;

/// The first reason not to accept a certificate. Lines count from 1, points from 0.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The file could not be read.
    #[error("line {line}: {source}")]
    Io {
        /// The line.
        line: u64,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file ends too early.
    #[error("line {line}: expected {expected}, found the end of the file")]
    Truncated {
        /// The line.
        line: u64,
        /// The expected contents.
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
    /// Another version of the format, which may claim what this one cannot.
    #[error(
        "line 1: '{found}' is not a version of the format that is read here; expected '{known}'"
    )]
    Version {
        /// The first line.
        found: String,
        /// The first line of the version that is read.
        known: &'static str,
    },
    /// A line is not what the format wants there.
    #[error("line {line}: expected {expected}, found '{found}'")]
    Line {
        /// The line.
        line: u64,
        /// The expected contents.
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
    #[error("the digest does not match the file, which has been altered")]
    Digest,
    /// A count differs from the network in the same file.
    #[error("the certificate says {name}={claimed}, but its network has {actual}")]
    Count {
        /// The count.
        name: &'static str,
        /// As claimed.
        claimed: u64,
        /// As counted.
        actual: u64,
    },
    /// A unit reads a number that is not there.
    #[error("line {line}: the unit reads number {from}, but the layer before has {width} numbers")]
    Wiring {
        /// The line.
        line: u64,
        /// The index that it reads, from 0.
        from: u64,
        /// Numbers in the layer before.
        width: usize,
    },
    /// The numbers spread over more bits than a checker can be asked to hold.
    #[error("{numbers} numbers that spread over {bits} bits each take more than {limit} bits")]
    TooWide {
        /// Bits of one number.
        bits: u64,
        /// Number of them.
        numbers: u64,
        /// The limit of the product.
        limit: u64,
    },
    /// All numbers together would fill the memory.
    #[error(
        "checking would take more than {limit} bits for the numbers of the network or of a point"
    )]
    TooMuchSpace {
        /// The limit.
        limit: u64,
    },
    /// Checking would take longer than any honest certificate needs.
    #[error("checking would take more than {limit} steps on machine words")]
    TooMuchWork {
        /// The limit.
        limit: u64,
    },
    /// The labels are vectors; the network has one output.
    #[error(
        "each label has {outputs} numbers, but the network has one output: choose a column (label=COLUMN)"
    )]
    Outputs {
        /// Numbers a label.
        outputs: usize,
    },
    /// The network has another number of outputs than such labels take.
    #[error("labels written as {target} take {expected} outputs, but the network has {actual}")]
    Encoding {
        /// Encoding of labels as outputs.
        target: Target,
        /// Outputs that the labels take.
        expected: usize,
        /// Outputs of the network.
        actual: usize,
    },
    /// Real numbers are their own targets.
    #[error("the labels are real numbers, which cannot be written as {target}")]
    NotClasses {
        /// Encoding of labels as outputs.
        target: Target,
    },
    /// The sample cannot be labelled as the certificate says.
    #[error("the sample does not allow the labels of the certificate: {0}")]
    Sample(#[from] SampleError),
    /// The sample has another type, number or shape.
    #[error("the certificate is for points {claimed}, but the sample has points {actual}")]
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
    #[error("the certificate draws labels among {claimed} classes, but the sample has {actual}")]
    Classes {
        /// As claimed.
        claimed: u32,
        /// Of the sample.
        actual: u32,
    },
    /// The certificate names other classes than the sample has.
    #[error("the certificate names {claimed} classes, but the sample has {actual}")]
    NameCount {
        /// As claimed.
        claimed: usize,
        /// Of the sample; 0 for real labels.
        actual: usize,
    },
    /// A class of the certificate is another one than the sample's.
    #[error("class {class} is '{claimed}' in the certificate and '{actual}' in the sample")]
    ClassName {
        /// The number of the class.
        class: u32,
        /// As claimed.
        claimed: String,
        /// Of the sample.
        actual: String,
    },
    /// The network takes other points.
    #[error("the network takes {claimed} coordinates, but the points have {actual}")]
    Dimension {
        /// Of the network.
        claimed: usize,
        /// Of the sample.
        actual: usize,
    },
    /// Not one label a point.
    #[error("the certificate has {claimed} labels, but the sample has {actual} distinct points")]
    LabelCount {
        /// As claimed.
        claimed: usize,
        /// Of the sample.
        actual: usize,
    },
    /// A label is not the one that the recipe draws.
    #[error(
        "point {point}: the label in the certificate differs from the one that its recipe draws"
    )]
    Label {
        /// The point.
        point: usize,
    },
    /// Layers were evaluated in another order than planned: an error in this program.
    #[error("the checker met layers in an order that it had not planned: an error in this program")]
    Plan,
    /// The network does not fit.
    #[error("point {point}: the network's output differs from the label")]
    Misfit {
        /// The first such point.
        point: usize,
    },
}

impl Rejection {
    /// Returns whether the certificate is undecided rather than wrong: it could not be read, is of another version of
    /// the format, or would take too much work or memory to check.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        matches!(
            self,
            Rejection::Io { .. }
                | Rejection::Plan
                | Rejection::TooMuchSpace { .. }
                | Rejection::TooMuchWork { .. }
                | Rejection::TooWide { .. }
                | Rejection::Version { .. }
        )
    }
}

/// The facts that an accepted certificate establishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Distinct points, every one of which the network maps to its label.
    pub points: usize,
    /// Coordinates of a point.
    pub dimension: usize,
    /// Affine maps.
    pub depth: u64,
    /// Hidden units; in the layered form without those that carry a number past a layer.
    pub units: u64,
    /// Units of the widest hidden layer.
    pub width: u64,
    /// Weights and biases that are not 0, unshared.
    pub nonzero: u64,
    /// Free numbers, and free signs beside them; counted in the two-layer form only.
    pub free: Option<(u64, u64)>,
    /// Numbers an output has.
    pub outputs: usize,
    /// Encoding of labels as outputs.
    pub target: Target,
    /// The names of the classes, if the certificate has them: number k says class `classes[k]`.
    pub classes: Vec<String>,
    /// Rule and seed that drew the labels.
    pub recipe: String,
    /// SHA-256 of the points.
    pub points_sha256: String,
    /// SHA-256 of the certificate.
    pub digest: String,
}

/// Checks a certificate against a sample.
///
/// ```
/// use shatter_check::check;
/// let certificate = "\
/// shatter certificate 1
/// sample lattice:n=3,d=1,range=9,seed=1
/// points i64 3 1
/// points-sha256 69fd9ec78a6f6761de97710a5fbb96575a98ccbc7e32a2e760f07e4060955290
/// labels random seed=1 classes=10
/// construction depth-two zigzag, exact solver
/// counts depth=2 units=3 free=4 signs=1 nonzero=9 slots=9 dense=10 bits=35 max-bits=7
/// direction 1
/// 1p2
/// units 3
/// -3p1 1
/// fp-1 -1p1
/// bp1 1p1
/// bias 0
/// targets 3
/// 5
/// 3p1
/// 1
/// digest dba7d1bd96326f2900e0712cfb408754b37aa9060fce3bdd5b358cbe7a52a960
/// ";
/// let raw = || shatter_sample::load("lattice:n=3,d=1,range=9,seed=1", 1);
/// assert_eq!(check(certificate.as_bytes(), raw()?)?.points, 3);
///
/// let altered = certificate.replace("bias 0", "bias 1");
/// assert!(check(altered.as_bytes(), raw()?).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A [`Rejection`] for everything but exact equality at every one of at least one points.
pub fn check(certificate: impl BufRead, raw: RawSample) -> Result<Accepted, Rejection> {
    check_within(certificate, raw, work::BUDGET)
}

/// [`check`] with a budget: nothing is accepted in more than `steps` steps on machine words, each about a nanosecond of
/// one thread. [`check`] takes 2^37. Only whether an honest certificate is decided depends on it.
///
/// It counts the lowest terms of fractions and the evaluation. The rest takes time in proportion to file and sample:
/// reading and hashing them, merging equal points, and comparing the labels. Each thread is stopped within a sixty-fourth
/// of the budget, or 2^20 steps, of its end.
///
/// # Errors
/// As [`check`]; [`Rejection::TooMuchWork`] once the budget is spent.
pub fn check_within(
    certificate: impl BufRead,
    raw: RawSample,
    steps: u64,
) -> Result<Accepted, Rejection> {
    let budget = Budget::of(steps);
    let (claim, contents) = parse::certificate(certificate, &budget.work())?;
    let sample = bound(&claim, &contents, raw)?;
    let (depth, units, width, nonzero, free) = match &contents.body {
        Body::TwoLayer(network) => {
            evaluate::fits(network, &claim.targets, &sample, &budget)?;
            let [depth, units, free, signs, nonzero, ..] = network.counts();
            (depth, units, units, nonzero, Some((free, signs)))
        }
        Body::Layered(network) => {
            forward::fits(network, &claim.targets, &sample, &budget)?;
            let [depth, units, width, nonzero, ..] = network.counts();
            (depth, units, width, nonzero, None)
        }
    };
    budget.settle()?;
    Ok(Accepted {
        points: sample.points.n(),
        dimension: sample.points.d(),
        depth,
        units,
        width,
        nonzero,
        free,
        outputs: contents.body.outputs(),
        target: claim.target,
        classes: contents.classes.unwrap_or_default(),
        recipe: format!("{} seed={}", claim.rule, claim.seed),
        points_sha256: claim.points_sha256,
        digest: contents.digest,
    })
}

/// Returns the distinct, labelled sample that a certificate speaks of, if `raw` is it. Checks everything but the
/// outputs of the network.
///
/// # Errors
/// A [`Rejection`] if the file is not a certificate, or points or labels differ.
pub fn bind(certificate: impl BufRead, raw: RawSample) -> Result<Sample, Rejection> {
    let budget = Budget::of(work::BUDGET);
    let (claim, contents) = parse::certificate(certificate, &budget.work())?;
    bound(&claim, &contents, raw)
}

fn bound(claim: &Claim, contents: &Contents, raw: RawSample) -> Result<Sample, Rejection> {
    let network = &contents.body;
    let classes = match &raw.labels {
        Labels::Classes { count, .. } => *count,
        Labels::Real { .. } => 0,
    };
    if matches!(network, Body::TwoLayer(_)) && raw.labels.outputs() != 1 {
        return Err(Rejection::Outputs { outputs: raw.labels.outputs() });
    }
    let sample = raw.distinct(claim.rule, claim.seed)?;
    let claimed = Recipe { rule: claim.rule, seed: claim.seed, classes: claim.classes };
    let actual = header(&sample.points);
    if actual != claim.points {
        return Err(Rejection::Shape { claimed: excerpt(&claim.points), actual });
    }
    let actual = fingerprint(&sample.points);
    if actual != claim.points_sha256 {
        let (claimed, text) = (excerpt(&claim.points_sha256), excerpt(&claim.sample));
        return Err(Rejection::Points { claimed, actual, text });
    }
    if claimed != sample.recipe {
        let actual = if claim.rule == LabelRule::Alternating { 2 } else { classes };
        return Err(Rejection::Classes { claimed: claim.classes, actual });
    }
    if let Some(names) = &contents.classes {
        same_classes(names, &sample.labels)?;
    }
    if network.inputs() != sample.points.d() {
        let (claimed, actual) = (network.inputs(), sample.points.d());
        return Err(Rejection::Dimension { claimed, actual });
    }
    let (target, outputs) = (claim.target, network.outputs());
    let expected =
        target::outputs(target, &sample.labels).ok_or(Rejection::NotClasses { target })?;
    if expected != outputs {
        return Err(Rejection::Encoding { target, expected, actual: outputs });
    }
    // As many targets as points: the reader has seen that each has all outputs.
    let (claimed, actual) = (claim.targets.len() / outputs.max(1), sample.points.n());
    if claimed != actual {
        return Err(Rejection::LabelCount { claimed, actual });
    }
    let wrong = |&at: &usize| {
        let number = target::number(target, &sample.labels, at / outputs, at % outputs);
        claim.targets[at] != number
    };
    match (0..claim.targets.len()).find(wrong) {
        Some(at) => Err(Rejection::Label { point: at / outputs }),
        None => Ok(sample),
    }
}

/// Compares the names of classes with those of the sample; numbers are compared by value.
fn same_classes(names: &[String], labels: &Labels) -> Result<(), Rejection> {
    let actual = match labels {
        Labels::Classes { count, .. } => *count as usize,
        Labels::Real { .. } => 0,
    };
    if names.len() != actual {
        return Err(Rejection::NameCount { claimed: names.len(), actual });
    }
    let other = |(class, name): &(u32, &String)| !class_name::same(name, &labels.name(*class));
    match (0..).zip(names).find(other) {
        Some((class, name)) => {
            let (claimed, actual) = (excerpt(name), excerpt(&labels.name(class)));
            Err(Rejection::ClassName { class, claimed, actual })
        }
        None => Ok(()),
    }
}
