//! `shatter show`: what a file that holds a network says.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use shatter_certify::write::{number, weight};
use shatter_interchange::load::{Explicit, FileKind, Loaded, LoadedNetwork, Trained};
use shatter_network::architecture::Parameter;
use shatter_network::graph::{Operator, sides};
use shatter_network::{Activation, Counts, ExactNetwork, Graph, Layered, Network, Sizes, Unit};
use shatter_train::{Identity, Progress, TrainError};

use super::input::Described;
use super::json::{self, FilePath, Number, Record};
use super::output::{Facts, grouped, operations, print};
use super::reading::ReadingRecord;
use super::words::sizes_text;
use super::{Answer, CliError, CommonOptions};
use shatter_network::reading::counted;

/// Numbers of each kind that are printed.
const SHOWN: usize = 5;
/// Operations that are printed.
const OPERATIONS: usize = 100;
/// Layers that are printed.
const LAYERS: usize = 8;

#[derive(Args, Debug, Clone)]
#[command(after_help = "Example:\n  shatter show out/fit/certificate.txt")]
pub struct Arguments {
    /// A network file, a certificate, a checkpoint, or a network as ONNX, safetensors, NPZ or JSON
    network: PathBuf,
    #[command(flatten)]
    described: Described,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// What `--json` prints and `show.json` holds: what the file is, and what it holds, by its kind.
#[derive(Serialize)]
struct ShowRecord<'a> {
    kind: &'static str,
    sha256: &'a str,
    #[serde(flatten)]
    shown: Shown<'a>,
    /// Where the file says it.
    #[serde(flatten)]
    reading: Option<ReadingRecord>,
}

impl Record for ShowRecord<'_> {
    const FORMAT: &'static str = "shatter show 1";
}

#[derive(Serialize)]
#[serde(untagged)]
enum Shown<'a> {
    Explicit(ExplicitRecord<'a>),
    Trained(TrainedRecord<'a>),
    Graph(GraphRecord),
}

/// Of exact numbers.
#[derive(Serialize)]
struct ExplicitRecord<'a> {
    certificate: bool,
    construction: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<&'a str>,
    counts: CountsRecord,
    /// The activations of each layer, of the layered form.
    #[serde(skip_serializing_if = "Option::is_none")]
    layers: Option<Vec<String>>,
}

/// Counts of the two-layer form, or sizes of the layered one.
#[derive(Serialize)]
#[serde(untagged)]
enum CountsRecord {
    TwoLayer(Counts),
    Layered(Sizes),
}

/// Of layers with their numbers.
#[derive(Serialize)]
struct TrainedRecord<'a> {
    checkpoint: bool,
    architecture: String,
    input: String,
    parameters: u64,
    precision: &'static str,
    arrays: Vec<ArrayRecord<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<&'a Identity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<&'a Progress>,
}

#[derive(Serialize)]
struct ArrayRecord<'a> {
    name: &'a str,
    shape: &'a [usize],
    /// Euclidean.
    norm: Number,
}

/// Of operations.
#[derive(Serialize)]
struct GraphRecord {
    precision: &'static str,
    takes: String,
    gives: usize,
    parameters: u64,
    products: u64,
    operations: Vec<OperationRecord>,
}

#[derive(Serialize)]
struct OperationRecord {
    operation: String,
    /// Of what comes out.
    shape: String,
    /// That it holds.
    numbers: u64,
}

#[derive(Serialize)]
struct Configuration {
    network: FilePath,
}

pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    let loaded = arguments.described.load(&arguments.network)?;
    let (shown, facts) = match &loaded.body {
        LoadedNetwork::Explicit(explicit) => show_explicit(&loaded, explicit),
        LoadedNetwork::Trained(trained) => show_trained(&loaded, trained)?,
        LoadedNetwork::Graph(graph) => show_graph(&loaded, graph),
    };
    let sha256 = match &loaded.body {
        LoadedNetwork::Explicit(Explicit { digest: Some(digest), .. }) => digest,
        _ => &loaded.sha256,
    };
    let said = loaded.reading.as_ref().ok().and_then(Option::as_ref);
    let reading = said.map(|said| ReadingRecord::of(said, loaded.outputs()));
    let found = ShowRecord { kind: loaded.kind.name(), sha256, shown, reading };
    let configuration = Configuration { network: FilePath::from(arguments.network.as_path()) };
    arguments.common.write("show", &found, configuration, None)?;
    if arguments.common.json {
        json::print(&found)?;
        return Ok(Answer::Yes);
    }
    print(facts.text())?;
    Ok(Answer::Yes)
}

/// How outputs say labels. What was lost, or is no reading, is for those to say who need it.
fn reading_text(loaded: &Loaded) -> String {
    let outputs = loaded.outputs();
    match &loaded.reading {
        Ok(Some(reading)) => reading.describe(outputs),
        _ => format!("not said, of {}", counted(outputs)),
    }
}

fn show_explicit<'a>(loaded: &'a Loaded, explicit: &'a Explicit) -> (Shown<'a>, Facts) {
    let Explicit { network, construction, digest } = explicit;
    let origin = loaded.origin.as_ref();
    let certificate = loaded.kind == FileKind::Certificate;
    let digest = digest.as_ref().unwrap_or(&loaded.sha256);
    let (counts, layers) = match network {
        Network::TwoLayer(network) => (CountsRecord::TwoLayer(network.counts()), None),
        Network::Layered(network) => {
            let layers = network.layers().map(|layer| layer_text(layer)).collect();
            (CountsRecord::Layered(network.sizes()), Some(layers))
        }
    };
    let shown = ExplicitRecord {
        certificate,
        construction,
        sample: origin.map(|origin| origin.sample.as_str()),
        points: origin.map(|origin| origin.points.as_str()),
        counts,
        layers,
    };
    let mut facts = Facts::default();
    facts.add(
        "file",
        match loaded.kind {
            FileKind::Certificate => {
                "certificate (not checked here: shatter check does)".to_owned()
            }
            FileKind::Network => "network".to_owned(),
            other => format!("{}, exported from a network or a certificate", other.name()),
        },
    );
    facts.add("construction", construction);
    if let Some(origin) = origin {
        facts.add("sample", &origin.sample);
        facts.add("points", format!("{}, SHA-256 {}", origin.points, origin.points_sha256));
        facts.add("labels", format!("{} seed={}", origin.rule, origin.seed));
    }
    facts.add("reading", reading_text(loaded));
    match network {
        Network::TwoLayer(network) => show_two_layer(&mut facts, network),
        Network::Layered(network) => show_layered(&mut facts, network),
    }
    facts.add("SHA-256", digest);
    (Shown::Explicit(shown), facts)
}

fn show_trained<'a>(
    loaded: &'a Loaded,
    trained: &'a Trained,
) -> Result<(Shown<'a>, Facts), CliError> {
    let Trained { architecture, arrays, precision, run } = trained;
    let parameters = architecture.parameters().map_err(TrainError::from)?;
    let checkpoint = loaded.kind == FileKind::Checkpoint;
    let array = |(array, values): &'a (Parameter, Vec<f64>)| {
        let square = values.iter().map(|&value| value.powi(2)).sum::<f64>();
        ArrayRecord { name: &array.name, shape: &array.shape, norm: square.sqrt().into() }
    };
    let shown = TrainedRecord {
        checkpoint,
        architecture: architecture.to_string(),
        input: architecture.input.to_string(),
        parameters,
        precision: precision.name(),
        arrays: arrays.iter().map(array).collect(),
        settings: run.as_ref().map(|run| &run.identity),
        progress: run.as_ref().map(|run| &run.progress),
    };
    let mut facts = Facts::default();
    facts.add("file", format!("{}, {precision}", loaded.kind.name()));
    facts.add("network", architecture.to_string());
    facts.add("input", architecture.input.to_string());
    facts.add("parameters", grouped(parameters));
    facts.add("reading", reading_text(loaded));
    if let Some(run) = run {
        let settings = serde_json::json!(run.identity);
        for name in ["data", "settings"] {
            let parts = settings[name].as_object().into_iter().flatten();
            let parts: Vec<String> = parts.map(|(key, value)| format!("{key} {value}")).collect();
            facts.add(name, parts.join(", "));
        }
        let Progress { step, epoch, position, .. } = run.progress;
        facts.add("progress", format!("{step} steps, {epoch} epochs, and {position} samples"));
    }
    for ArrayRecord { name, shape, norm } in &shown.arrays {
        let norm = match norm {
            Number::Float(norm) => format!("{norm:.4}"),
            Number::Text(text) => text.clone(),
        };
        facts.add("", format!("{name} {}, norm {norm}", shape_text(shape)));
    }
    Ok((Shown::Trained(shown), facts))
}

/// "[512,784]".
fn shape_text(shape: &[usize]) -> String {
    let sides: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("[{}]", sides.join(","))
}

fn show_graph<'a>(loaded: &Loaded, graph: &Graph) -> (Shown<'a>, Facts) {
    let numbers = graph.steps.iter().map(|step| parameters(&step.operation)).sum::<u64>();
    let steps = graph.steps.iter().filter(|step| !matches!(step.operation, Operator::Same));
    let steps = steps.map(|step| OperationRecord {
        operation: operation_text(&step.operation),
        shape: sides(&step.shape),
        numbers: parameters(&step.operation),
    });
    let (takes, gives) = (sides(&graph.input), graph.outputs());
    let shown = GraphRecord {
        precision: graph.precision.name(),
        takes: takes.clone(),
        gives,
        parameters: numbers,
        products: graph.products(),
        operations: steps.collect(),
    };
    let mut facts = Facts::default();
    facts.add(
        "file",
        format!("{}, {}, {} bytes", loaded.kind.name(), graph.precision, grouped(loaded.bytes)),
    );
    facts.add("network", format!("{takes} to {}, {}", counted(gives), operations(graph)));
    facts.add("reading", reading_text(loaded));
    facts.add("parameters", grouped(numbers));
    facts.add("products", format!("{} a point", grouped(graph.products())));
    let steps = &shown.operations;
    for OperationRecord { operation, shape, numbers } in steps.iter().take(OPERATIONS) {
        let of =
            if *numbers == 0 { String::new() } else { format!(", {} numbers", grouped(*numbers)) };
        facts.add("", format!("{operation} to {shape}{of}"));
    }
    if steps.len() > OPERATIONS {
        facts.add("", format!("… and {} more", steps.len() - OPERATIONS));
    }
    facts.add("SHA-256", &loaded.sha256);
    (Shown::Graph(shown), facts)
}

/// An operation, in a word.
fn operation_text(operation: &Operator) -> String {
    match operation {
        Operator::Dense(_) => "dense".to_owned(),
        Operator::Units(units) => layer_text(units),
        Operator::Convolution(_, window) => {
            format!("convolution {}×{}", window.size.0, window.size.1)
        }
        Operator::Activate(activation) => activation.to_string(),
        Operator::Leaky(_) => "leaky relu".to_owned(),
        Operator::Clip { .. } => "clip".to_owned(),
        Operator::MaxPool(window) => format!("max-pooling {}×{}", window.size.0, window.size.1),
        Operator::MeanPool(window, _) => {
            format!("mean-pooling {}×{}", window.size.0, window.size.1)
        }
        Operator::GlobalMean => "global mean-pooling".to_owned(),
        Operator::Shift { .. } => "constants added".to_owned(),
        Operator::Scale { .. } => "constants multiplied".to_owned(),
        Operator::Gather { .. } => "rearranged".to_owned(),
        Operator::Normalize(_) => "batch normalization".to_owned(),
        Operator::Response(_) => "response normalization".to_owned(),
        Operator::Sum { minus: false, .. } => "sum".to_owned(),
        Operator::Sum { minus: true, .. } => "difference".to_owned(),
        Operator::Concatenate(_) => "concatenation".to_owned(),
        Operator::Softmax { logarithm: false } => "softmax".to_owned(),
        Operator::Softmax { logarithm: true } => "log-softmax".to_owned(),
        Operator::Same => "the same".to_owned(),
    }
}

/// Numbers that an operation holds.
fn parameters(operation: &Operator) -> u64 {
    let numbers = match operation {
        Operator::Dense(affine) | Operator::Convolution(affine, _) => {
            affine.weights.len() + affine.bias.len()
        }
        Operator::Units(units) => units.iter().map(|unit| unit.weights.len() + 1).sum(),
        Operator::Leaky(slopes) => slopes.len(),
        Operator::Shift { by, .. } | Operator::Scale { by, .. } => by.len(),
        Operator::Normalize(by) => 4 * by.scale.len(),
        _ => 0,
    };
    numbers as u64
}

fn show_two_layer(facts: &mut Facts, network: &ExactNetwork) {
    let counts = network.counts();
    facts.add("function", "f(x) = Σ_j w_j ReLU(<a, x> − b_j) + c");
    let sign = if counts.signs == 1 { " and one sign" } else { "" };
    facts.add(
        "counts",
        format!(
            "depth {}, {} units on R^{}, {} free numbers{sign}",
            counts.depth,
            grouped(counts.units),
            network.d(),
            grouped(counts.free)
        ),
    );
    facts.add(
        "",
        format!(
            "{} nonzero of {} slots, {} dense; {} bits, {} in the largest",
            grouped(counts.nonzero),
            grouped(counts.slots),
            grouped(counts.dense),
            grouped(counts.bits),
            counts.max_bits
        ),
    );
    let ExactNetwork { a, b, w, c } = network;
    facts.add("a", list(a.iter().take(SHOWN).map(readable).collect(), a.len(), ", "));
    facts.add("b", list(b.iter().take(SHOWN).map(readable).collect(), b.len(), ", "));
    let weights = w.iter().take(SHOWN).map(|w| short(w.to_string(), weight(w)));
    facts.add("w", list(weights.collect(), w.len(), ", "));
    facts.add("c", readable(c));
}

fn show_layered(facts: &mut Facts, network: &Layered) {
    facts.add("function", format!("layer by layer from R^{}", grouped(network.inputs as u64)));
    let layers: Vec<String> =
        network.layers().take(LAYERS).map(|layer| layer_text(layer)).collect();
    facts.add("layers", list(layers, network.hidden.len() + 1, "; "));
    facts.add("counts", sizes_text(&network.sizes()));
}

/// "12 relu, 1 identity".
fn layer_text(layer: &[Unit]) -> String {
    let count = |of: Activation| layer.iter().filter(|unit| unit.activation == of).count();
    let counts = Activation::ALL.into_iter().map(|activation| (activation, count(activation)));
    let present = counts.filter(|(_, count)| *count > 0);
    let texts: Vec<String> = present
        .map(|(activation, count)| format!("{} {activation}", grouped(count as u64)))
        .collect();
    if texts.is_empty() { "0 units".to_owned() } else { texts.join(", ") }
}

/// The first of `total`.
fn list(shown: Vec<String>, total: usize, separator: &str) -> String {
    let more = if total > shown.len() { format!("{separator}…") } else { String::new() };
    shown.join(separator) + &more
}

/// In decimal where that is short, as in the file where not.
fn readable(x: &shatter_exact::Dyadic) -> String {
    short(x.to_string(), number(x))
}

fn short(decimal: String, hexadecimal: String) -> String {
    match (decimal.len(), hexadecimal.len()) {
        (0..=24, _) => decimal,
        (_, 0..=40) => hexadecimal,
        _ => hexadecimal.chars().take(39).chain(['…']).collect(),
    }
}
