//! What norms, margins, lengths and counts say of one network on its training sample.
//!
//! [`survey`] calls the measures of this room that need neither a trainer nor random numbers, and turns a network
//! that a theory does not speak of into a finding that says which assumption fails. Outputs are computed in binary64.
//!
//! Where the larger of two outputs decides, the bounds are those of their difference, a network with one output. A
//! softmax at the end is left out: it does not change the order of the outputs, and margins are those of what it
//! takes.

use std::borrow::Cow;

use shatter_exact::Format;
use shatter_network::Graph;
use shatter_network::graph::{Operator, Step, count};
use shatter_network::reading::{BoundLabels, How};
use shatter_plain::outputs;
use shatter_sample::Labels;

use crate::counts::SizeCounts;
use crate::layers::{Outputs, Perceptron};
use crate::margin::{Margins, output_error};
use crate::norms::Norms;
use crate::occam::{self, Quantized};
use crate::path::path_norms;
use crate::ramp::{Case, refused};
use crate::sizes::PointSizes;
use crate::{Assumption, Finding, MeasureError, bartlett, golowich, neyshabur, vc};

/// A network and its training sample.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The network.
    pub graph: &'a Graph,
    /// The network before training, if it is known, with the same layers.
    pub start: Option<&'a Graph>,
    /// The points as the network takes them, one after the other.
    pub points: &'a [f64],
    /// Their labels, in the numbers of the outputs.
    pub labels: &'a BoundLabels,
    /// Number of classes C.
    pub classes: u32,
    /// δ: each bound holds with probability at least 1 − δ over samples. Several hold together with the sum of
    /// theirs.
    pub delta: f64,
    /// Bytes of the network's file, if it has one.
    pub bytes: Option<u64>,
}

/// The graph without a softmax at its end.
pub(crate) fn without_softmax(graph: &Graph) -> Cow<'_, Graph> {
    let ends = |step: &Step| matches!(step.operation, Operator::Softmax { .. });
    if !graph.steps.last().is_some_and(ends) {
        return Cow::Borrowed(graph);
    }
    let mut graph = graph.clone();
    while graph.steps.last().is_some_and(ends) {
        graph.steps.pop();
    }
    Cow::Owned(graph)
}

impl Subject<'_> {
    fn sizes(&self) -> Result<PointSizes, MeasureError> {
        let d = count(&self.graph.input);
        let sizes = PointSizes::of(self.points, d)?;
        let (found, expected) = (self.labels.labels().len(), sizes.n);
        match found == expected {
            true => Ok(sizes),
            false => Err(MeasureError::Length { what: "labels", found, expected }),
        }
    }

    /// Margins of computed outputs, each of which may be off by `error`.
    fn margins(&self, numbers: &[f64], graph: &Graph, error: f64) -> Result<Margins, MeasureError> {
        Margins::of(numbers, graph.outputs(), self.labels, error)
    }

    /// Margins over a norm, by quantiles.
    fn distribution(name: &str, margins: &Margins, by: f64) -> Vec<Finding> {
        [("smallest", 0.0), ("10 %", 0.1), ("median", 0.5)]
            .map(|(which, q)| {
                let value = margins.quantile(q) / by;
                Finding::measure(format!("{which} {name}"), value, Vec::new())
            })
            .into()
    }
}

/// Names of the bounds on norms.
const BOUNDS: [&str; 4] = [
    "Golowich, Rakhlin and Shamir: Frobenius norms",
    "Neyshabur, Tomioka and Srebro: path norm φ1",
    "Neyshabur, Tomioka and Srebro: path norm φ2",
    "Bartlett, Foster and Telgarsky: spectral norms",
];

/// Names of the findings that count signs.
const BY_SIGNS: [&str; 2] = ["VC dimension", "VC: growth function"];

/// Everything that is measured without training and without random numbers.
///
/// # Errors
/// [`MeasureError`] for points, labels and δ that do not fit; a network that is no perceptron is no error.
pub fn survey(subject: &Subject) -> Result<Vec<Finding>, MeasureError> {
    crate::ramp::probability(subject.delta)?;
    let sizes = subject.sizes()?;
    let n = sizes.n as u64;
    let graph = without_softmax(subject.graph);
    // Real labels have no bits to count.
    let mut found = SizeCounts::of(&graph, n, u64::from(subject.classes).max(1))?.findings();
    found.retain(|one| subject.classes > 0 || one.name != "label bits a parameter");
    let start = subject.start.map(without_softmax);
    let perceptron = Perceptron::of(&graph, Outputs::All);
    if let Ok(perceptron) = &perceptron {
        let start =
            start.as_deref().map(|start| Perceptron::of(start, Outputs::All)).transpose()?;
        found.extend(Norms::of(perceptron, start.as_ref())?.findings());
        let paths = path_norms(perceptron);
        found.push(Finding::enclosed("path norm φ1", paths.phi_1().high()));
        found.push(Finding::enclosed("path norm φ2", paths.phi_2().high()));
    }
    if matches!(subject.labels.labels(), Labels::Real { .. }) {
        let what = "labels are classes";
        let fails = Assumption::fails(what, MeasureError::NoMargins.to_string());
        found.extend(BOUNDS.map(|name| Finding::refused(name, vec![fails.clone()])));
        return Ok(found);
    }
    let numbers: Vec<f64> = outputs(&graph, subject.points, sizes.n);
    let computed = subject.margins(&numbers, &graph, 0.0)?;
    let error = computed.errors() as u64;
    found.push(Finding::measure("training error", error as f64 / n as f64, Vec::new()));
    found.extend(Subject::distribution("margin", &computed, 1.0));
    match &perceptron {
        Err(error) => {
            found.extend(BOUNDS.map(|name| refused(name, error)));
            found.extend(BY_SIGNS.map(|name| refused(name, error)));
        }
        Ok(perceptron) => {
            let error = output_error(perceptron, &sizes);
            let lowered = subject.margins(&numbers, &graph, error)?;
            by_layers(
                subject,
                &graph,
                start.as_deref(),
                (perceptron, &lowered),
                &sizes,
                &mut found,
            )?;
        }
    }
    if let Some(bits) = shortest(subject, &graph, perceptron.as_ref().ok()) {
        found.push(occam::bound(bits, error, n, subject.delta)?);
        if subject.classes > 1 {
            let memorizer = occam::Memorizer::of(bits, n, u64::from(subject.classes))?;
            let excess = memorizer.excess as f64;
            found.push(Finding::measure("Occam: bits beyond those of labels", excess, Vec::new()));
            // The negative result: it is above the error of a guess, whatever the code.
            let name = "Occam: least term of random labels that are fitted";
            found.push(Finding::enclosed(name, memorizer.floor));
        }
    }
    Ok(found)
}

/// What is measured of perceptrons alone.
fn by_layers(
    subject: &Subject,
    graph: &Graph,
    start: Option<&Graph>,
    layers: (&Perceptron, &Margins),
    sizes: &PointSizes,
    found: &mut Vec<Finding>,
) -> Result<(), MeasureError> {
    let (perceptron, margins) = layers;
    let which = match (margins.how(), perceptron.outputs()) {
        (How::Largest, 2) => Outputs::Difference,
        _ => Outputs::All,
    };
    let reduced = Perceptron::of(graph, which)?;
    let start = start.map(|start| Perceptron::of(start, which)).transpose()?;
    let norms = Norms::of(&reduced, start.as_ref())?;
    let delta = subject.delta;
    let case = Case { perceptron: &reduced, norms: &norms, sizes, margins, delta };
    found.push(golowich::bound(&case)?);
    found.extend(neyshabur::bounds(&case)?);
    found.push(bartlett::bound(&case)?);
    // Normalized as Bartlett et al. draw them: over R_A ‖X‖_F/√n.
    let scale =
        bartlett::complexity(&case).high() * (case.points().squares.high() / sizes.n as f64).sqrt();
    found.extend(Subject::distribution("margin over R_A", margins, scale));
    let gamma = margins.quantile(0.1);
    if gamma > 0.0 && gamma.is_finite() {
        found.push(neyshabur::spectral(&case, gamma)?);
    }
    match vc::architecture(&reduced) {
        Err(error) => found.extend(BY_SIGNS.map(|name| refused(name, &error))),
        Ok(architecture) => {
            found.push(vc::dimension_finding(&architecture)?);
            let (errors, n) = (margins.errors() as u64, sizes.n as u64);
            found.push(vc::bound(&architecture, margins.how(), errors, n, delta)?);
            found.push(vc::order(&architecture));
        }
    }
    Ok(())
}

/// Bits of the shortest of the codes that the network has.
fn shortest(subject: &Subject, graph: &Graph, perceptron: Option<&Perceptron>) -> Option<u64> {
    let file = subject.bytes.map(occam::of_file);
    let fractions = graph.is_exact().then(|| occam::of_fractions(graph).ok()).flatten();
    let floats = perceptron.and_then(|perceptron| {
        let formats = [Format::F32, Format::F64];
        formats.iter().find_map(|&format| occam::of_floats(perceptron, format).ok())
    });
    [file, fractions, floats].into_iter().flatten().min()
}

/// Occam's bound of the network with its numbers rounded to k bits, for each k in 2 ..= 24: the training errors are
/// those of the rounded network. The least of them is a bound too, since k is part of the code.
///
/// # Errors
/// As [`survey`], [`Perceptron::of`] and [`Quantized::of`].
pub fn quantized(subject: &Subject, bits: &[u32]) -> Result<Vec<(u32, Finding)>, MeasureError> {
    let sizes = subject.sizes()?;
    let perceptron = Perceptron::of(&without_softmax(subject.graph), Outputs::All)?;
    let one = |&k: &u32| {
        let rounded = Quantized::of(&perceptron, k)?;
        let graph = rounded.perceptron.graph();
        let numbers: Vec<f64> = outputs(&graph, subject.points, sizes.n);
        let margins = subject.margins(&numbers, &graph, 0.0)?;
        let errors = margins.errors() as u64;
        Ok((k, occam::bound(rounded.bits, errors, sizes.n as u64, subject.delta)?))
    };
    bits.iter().map(one).collect()
}

/// Numbers of bits to which numbers are rounded in search of a short code.
const ROUNDED: [u32; 8] = [2, 3, 4, 5, 6, 8, 12, 16];

/// The least of Occam's bounds of the network with its numbers rounded; which assumption fails, for a network that
/// cannot be rounded.
///
/// # Errors
/// As [`survey`], for points and labels that do not fit.
pub fn rounded(subject: &Subject) -> Result<Finding, MeasureError> {
    let name = "Occam: numbers rounded to few bits";
    subject.sizes()?;
    let least = match quantized(subject, &ROUNDED) {
        Ok(found) => {
            found.into_iter().map(|(_, one)| one).min_by(|a, b| a.value.total_cmp(&b.value))
        }
        Err(error @ MeasureError::NoMargins) => {
            let fails = Assumption::fails("labels are classes", error.to_string());
            return Ok(Finding::refused(name, vec![fails]));
        }
        Err(error) => return Ok(refused(name, &error)),
    };
    Ok(match least {
        Some(least) => Finding { name: name.to_owned(), ..least },
        None => Finding::refused(name, Vec::new()), // there are some
    })
}
