//! `shatter export`: a network in the format of another runtime.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::manifest::{self, Manifest};
use shatter_exact::{Format, Lattice};
use shatter_interchange::load::{Explicit, Loaded, LoadedNetwork, Origin, Trained, TrainingRun};
use shatter_interchange::onnx::{self, Raw};
use shatter_interchange::{Converter, Floats, InterchangeError, NamedArray, Rounded};
use shatter_interchange::{array, json as json_file, npz, number, tensors};
use shatter_network::architecture::{Layer, Parameter, Shape};
use shatter_network::evaluate::{ExactResidual, exact_residual};
use shatter_network::projection::project;
use shatter_network::{Layered, Network, Reading, exactly};
use shatter_sample::Sample;
use shatter_sample::fingerprint::fingerprint;
use shatter_train::{DataIdentity, Identity, checkpoint};

use super::input::Described;
use super::json::{self, FilePath, Number, Record};
use super::output::{Facts, Progress, grouped, print};
use super::words::residual_text;
use super::{Answer, CliError, CommonOptions, labelled_sample, write};

/// A format to leave in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Container {
    Onnx,
    Safetensors,
    Npz,
    Json,
}

/// The type of the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Type {
    F32,
    F64,
}

#[derive(Args, Debug, Clone)]
#[command(after_help = "Examples:\n  \
    shatter export out/fit/certificate.txt --to onnx\n  \
    shatter export out/train/checkpoint.safetensors --to onnx --raw 3x32x32\n\n\
    Constructions are written in f64, checkpoints in the type that they were trained in, unless --type\n\
    says otherwise. JSON holds the numbers of a construction exactly. The manifest stands beside the\n\
    file, as network.onnx.manifest.json.\n\
    Exit status: 0 if exported, 2 for bad input or, without --round, numbers that the type does not\n\
    have.")]
pub struct Arguments {
    /// A network file, a certificate, a checkpoint, or a network as safetensors, NPZ or JSON
    network: PathBuf,
    /// Format; writes network.onnx, network.safetensors, … in the folder --out
    #[arg(long, value_enum)]
    to: Container,
    /// Type of the numbers
    #[arg(long, value_enum, value_name = "TYPE")]
    r#type: Option<Type>,
    /// Round numbers that the type does not have to nearest, and print how many; for a certificate, also
    /// how many points of its sample still fit
    #[arg(long)]
    round: bool,
    /// For a checkpoint, to ONNX: take raw images of bytes, of this shape, and prepare them in the graph
    /// as in training [default: take prepared images]
    #[arg(long, value_name = "CxHxW")]
    raw: Option<String>,
    #[command(flatten)]
    described: Described,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// A file, and what to say of it.
struct Exported {
    bytes: Vec<u8>,
    precision: &'static str,
    /// The type to which numbers are rounded.
    format: Format,
    rounded: Rounded,
    metadata: Vec<(String, String)>,
    /// What goes in, and what comes out.
    interface: String,
    /// What a user of the file should know.
    note: Option<&'static str>,
}

pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    let progress = Progress::start();
    progress.say("reading");
    let loaded = arguments.described.load(&arguments.network)?;
    let exported = match &loaded.body {
        LoadedNetwork::Explicit(_) | LoadedNetwork::Graph(_) if arguments.raw.is_some() => {
            return Err(CliError::Usage(
                "--raw needs a checkpoint: constructions take points".into(),
            ));
        }
        LoadedNetwork::Explicit(explicit) => construction(arguments, &loaded, explicit),
        LoadedNetwork::Trained(trained) => layers(arguments, &loaded, trained),
        LoadedNetwork::Graph(_) => Err(InterchangeError::Unsupported(
            "an ONNX file is exported already: export the network that it was made from".to_owned(),
        )),
    };
    let exported = exported.map_err(|source| CliError::Interchange {
        file: arguments.network.clone(),
        source: Box::new(source),
    })?;
    let after = match &loaded.body {
        LoadedNetwork::Explicit(explicit) if exported.rounded.rounded > 0 => {
            progress.say("evaluating the rounded network");
            Some(AfterRounding::of(arguments, loaded.origin.as_ref(), &explicit.network, &exported))
        }
        LoadedNetwork::Trained(_) if exported.rounded.rounded > 0 => Some(AfterRounding::NotTried(
            "it is not a certificate, which names its sample".to_owned(),
        )),
        _ => None,
    };
    let Exported { bytes, precision, rounded, metadata, interface, note, .. } = exported;
    let out = arguments.common.out.clone().unwrap_or_else(|| PathBuf::from("out/export"));
    let name = match arguments.to {
        Container::Onnx => "network.onnx",
        Container::Safetensors => "network.safetensors",
        Container::Npz => "network.npz",
        Container::Json => "network.json",
    };
    progress.say("writing");
    write(&out, name, &bytes)?;
    let manifest = Manifest::new(Configuration {
        network: FilePath::from(arguments.network.as_path()),
        to: name,
        r#type: precision,
        round: arguments.round,
        raw: arguments.raw.as_deref(),
    });
    // The folder may be that of the fit or the run, which has a manifest of its own.
    manifest.write(&out.join(manifest::beside(name)))?;
    drop(progress);
    let file = out.join(name);
    let found = ExportRecord {
        file: FilePath::from(file.as_path()),
        bytes: bytes.len(),
        r#type: precision,
        metadata: metadata.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect(),
        numbers: rounded.numbers,
        rounded: rounded.rounded,
        largest_absolute_error: rounded.absolute.into(),
        largest_relative_error: rounded.relative.into(),
        after_rounding: after.as_ref().map(AfterRounding::record),
    };
    if arguments.common.json {
        json::print(&found)?;
        return Ok(Answer::Yes);
    }
    let mut facts = Facts::default();
    facts.add("file", format!("{}, {} bytes", file.display(), grouped(bytes.len() as u64)));
    facts.add("interface", interface);
    let numbers = grouped(rounded.numbers);
    let text = match &rounded.first {
        None if precision == EXACT => format!("{numbers}, as fractions: every one exact"),
        None => format!("{numbers} of type {precision}, every one exact"),
        Some((tensor, index, value)) => format!(
            "{numbers} of type {precision}, {} of them rounded, by at most {:e} ({:e} of the \
             number); the first is number {index} of '{tensor}', {value}",
            grouped(rounded.rounded),
            rounded.absolute,
            rounded.relative
        ),
    };
    facts.add("numbers", text);
    if let Some(after) = &after {
        facts.add("after rounding", after.text());
    }
    if let Some(note) = note {
        facts.add("note", note);
    }
    print(facts.text())?;
    Ok(Answer::Yes)
}

/// The type of numbers that are written as fractions.
const EXACT: &str = "exact";

/// Whether the network still fits when its numbers are rounded.
enum AfterRounding {
    /// The residual over so many points.
    Tried { points: usize, residual: ExactResidual },
    /// Why that was not tried.
    NotTried(String),
}

impl AfterRounding {
    /// Evaluates the rounded network at the points of the certificate's sample, if they can be had.
    fn of(
        arguments: &Arguments,
        origin: Option<&Origin>,
        network: &Network,
        exported: &Exported,
    ) -> AfterRounding {
        let Some(origin) = origin else {
            return AfterRounding::NotTried(
                "it is not a certificate, which names its sample".to_owned(),
            );
        };
        let seed = arguments.common.seed.unwrap_or(origin.seed);
        let sample = match labelled_sample(&origin.sample, seed, origin.rule, origin.seed) {
            Ok(sample) => sample,
            Err(error) => return AfterRounding::NotTried(error.to_string()),
        };
        if fingerprint(&sample.points) != origin.points_sha256 {
            return AfterRounding::NotTried(format!(
                "'{}' with seed {seed} has other points than the certificate",
                origin.sample
            ));
        }
        match number::rounded(network, exported.format) {
            Ok(network) => {
                let residual = residual(&network, &sample, origin);
                AfterRounding::Tried { points: sample.points.n(), residual }
            }
            Err(error) => AfterRounding::NotTried(error.to_string()),
        }
    }

    fn text(&self) -> String {
        match self {
            AfterRounding::Tried { points, residual } => format!(
                "{} of {} points still equal their labels (evaluated exactly); residual {}",
                grouped(residual.fits as u64),
                grouped(*points as u64),
                residual_text(residual)
            ),
            AfterRounding::NotTried(reason) => {
                format!("not tried whether the points still equal their labels: {reason}")
            }
        }
    }

    fn record(&self) -> AfterRoundingRecord<'_> {
        match self {
            AfterRounding::Tried { points, residual } => AfterRoundingRecord::Tried {
                tried: true,
                points: *points,
                fits_exactly: residual.fits,
                largest_residual: (&residual.largest).into(),
                largest_residual_at: residual.at,
            },
            AfterRounding::NotTried(reason) => {
                AfterRoundingRecord::NotTried { tried: false, reason }
            }
        }
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct ExportRecord<'a> {
    file: FilePath,
    bytes: usize,
    r#type: &'static str,
    /// The texts of the file.
    metadata: BTreeMap<&'a str, &'a str>,
    numbers: u64,
    rounded: u64,
    largest_absolute_error: Number,
    largest_relative_error: Number,
    after_rounding: Option<AfterRoundingRecord<'a>>,
}

impl Record for ExportRecord<'_> {
    const FORMAT: &'static str = "shatter export 1";
}

#[derive(Serialize)]
#[serde(untagged)]
enum AfterRoundingRecord<'a> {
    Tried {
        tried: bool,
        points: usize,
        fits_exactly: usize,
        largest_residual: Number,
        /// The point that has it, unless it is 0.
        largest_residual_at: Option<usize>,
    },
    NotTried {
        tried: bool,
        reason: &'a str,
    },
}

#[derive(Serialize)]
struct Configuration<'a> {
    network: FilePath,
    to: &'a str,
    r#type: &'a str,
    round: bool,
    raw: Option<&'a str>,
}

/// The residual of a network, exactly.
fn residual(network: &Network, sample: &Sample, origin: &Origin) -> ExactResidual {
    match network {
        Network::TwoLayer(two) => {
            let z = project(&sample.points, &Lattice::from_dyadics(&two.a));
            exact_residual(two, &z, &sample.labels)
        }
        Network::Layered(layered) => {
            let outputs = exactly::outputs(layered, &sample.points);
            exactly::residual(&outputs, &sample.labels, origin.target)
        }
    }
}

fn construction(
    arguments: &Arguments,
    loaded: &Loaded,
    explicit: &Explicit,
) -> Result<Exported, InterchangeError> {
    let precision = match arguments.r#type {
        Some(Type::F32) => Format::F32,
        _ => Format::F64,
    };
    let network = &explicit.network;
    let held = if arguments.to == Container::Json { EXACT } else { precision.name() };
    let metadata = construction_metadata(loaded, explicit);
    let interface = format!(
        "x ({} numbers a point) to y ({})",
        grouped(network.inputs() as u64),
        network.outputs()
    );
    let convert = || -> Result<(Vec<NamedArray>, Rounded), InterchangeError> {
        let mut converter = Converter::new(precision, arguments.round);
        let arrays = NamedArray::all(network, &mut converter)?;
        Ok((arrays, converter.finish()?))
    };
    let (bytes, rounded) = match arguments.to {
        Container::Onnx => {
            let description = format!("{}, built by shatter", explicit.construction);
            onnx::construction(network, precision, arguments.round, &description, &metadata)?
        }
        Container::Safetensors => {
            let (arrays, rounded) = convert()?;
            (tensors::file(&arrays, &metadata), rounded)
        }
        Container::Npz => {
            let (arrays, rounded) = convert()?;
            (npz::file(&arrays, &metadata)?, rounded)
        }
        Container::Json => {
            let numbers = json_file::numbers(network)?;
            let rounded = Rounded { numbers, ..Rounded::default() };
            (json_file::construction(network, &metadata)?.into_bytes(), rounded)
        }
    };
    let format = precision;
    Ok(Exported { bytes, precision: held, format, rounded, metadata, interface, note: None })
}

/// What is known of a network that was built.
fn construction_metadata(loaded: &Loaded, explicit: &Explicit) -> Vec<(String, String)> {
    let Explicit { network, construction, digest } = explicit;
    let sizes = network.sizes();
    let mut texts: Vec<(&str, String)> = vec![
        ("shatter", env!("CARGO_PKG_VERSION").to_owned()),
        ("construction", construction.clone()),
        ("source_sha256", digest.as_ref().unwrap_or(&loaded.sha256).clone()),
        ("depth", sizes.depth.to_string()),
        ("units", sizes.units.to_string()),
        ("width", sizes.width.to_string()),
        ("nonzero", sizes.nonzero.to_string()),
        ("bits", sizes.bits.to_string()),
        ("max_bits", sizes.max_bits.to_string()),
    ];
    match network {
        Network::TwoLayer(_) => {
            texts.push(("function", "y = sum_j w_j relu(<a, x> - b_j) + c".to_owned()));
        }
        Network::Layered(layered) => {
            texts.push(("function", "h = activation(W h + v), layer by layer".to_owned()));
            texts.extend(layer_texts(layered));
        }
    }
    if let Some(origin) = &loaded.origin {
        texts.push(("sample", origin.sample.clone()));
        texts.push(("points", origin.points.clone()));
        texts.push(("points_sha256", origin.points_sha256.clone()));
        texts.push(("labels", format!("{} seed={}", origin.rule, origin.seed)));
        texts.push(("target", origin.target.to_string()));
    }
    said(loaded, texts)
}

/// Texts, with the reading: names of classes that were lost are not passed on as if they were numbers.
fn said(loaded: &Loaded, texts: Vec<(&str, String)>) -> Vec<(String, String)> {
    let reading = loaded.reading.as_ref().ok().and_then(Option::as_ref);
    let texts = texts.into_iter().map(|(key, value)| (key.to_owned(), value));
    texts.chain(reading.map(Reading::metadata).into_iter().flatten()).collect()
}

/// The layers in words where these can say them, and the activation of each unit.
fn layer_texts(layered: &Layered) -> Vec<(&'static str, String)> {
    let mut texts = Vec::new();
    if array::is_perceptron(layered) {
        texts.push(("architecture", array::words(layered)));
        texts.push(("input", sides(Shape::vector(layered.inputs))));
        texts.push(("outputs", layered.output.len().to_string()));
    }
    let names = |layer: &Vec<_>| -> Vec<&str> {
        layer.iter().map(|unit: &shatter_network::Unit| unit.activation.name()).collect()
    };
    let layers: Vec<Vec<&str>> = layered.layers().map(names).collect();
    texts.push(("activations", serde_json::json!(layers).to_string()));
    texts
}

/// What exports say of the training of a network.
const TRAINING: [&str; 7] =
    ["preprocess", "takes", "progress", "sample", "sample_sha256", "condition", "condition_seed"];

fn trained_metadata(
    loaded: &Loaded,
    trained: &Trained,
    precision: Format,
    raw: bool,
) -> Result<Vec<(String, String)>, InterchangeError> {
    let Trained { architecture, run, .. } = trained;
    let mut texts: Vec<(&str, String)> = vec![
        ("shatter", env!("CARGO_PKG_VERSION").to_owned()),
        ("architecture", architecture.to_string()),
        ("parameters", architecture.parameters()?.to_string()),
        ("precision", precision.name().to_owned()),
        ("input", sides(architecture.input)),
        ("outputs", architecture.output()?.len().to_string()),
    ];
    match run {
        // What an export said is said again.
        None => {
            let text = |key| Some((key, loaded.metadata.get(key)?.clone()));
            texts.extend(TRAINING.into_iter().filter_map(text));
        }
        Some(run) => {
            let TrainingRun { identity: Identity { data, .. }, progress } = &**run;
            let takes = if raw { "raw bytes" } else { "prepared images" };
            let sha256 = data.sample_sha256.as_deref().unwrap_or("null");
            let values = [
                serde_json::json!(data.preprocess).to_string(),
                takes.to_owned(),
                serde_json::json!(progress).to_string(),
                data.sample.clone(),
                sha256.to_owned(),
                data.condition.to_string(),
                data.condition_seed.to_string(),
            ];
            texts.extend(TRAINING.into_iter().zip(values));
        }
    }
    Ok(said(loaded, texts))
}

fn layers(
    arguments: &Arguments,
    loaded: &Loaded,
    trained: &Trained,
) -> Result<Exported, InterchangeError> {
    let precision = match (arguments.r#type, trained.precision) {
        (None, Format::F64) | (Some(Type::F64), _) => Format::F64,
        (None | Some(Type::F32), _) => Format::F32,
    };
    let mut converter = Converter::new(precision, arguments.round);
    let mut arrays = Vec::new();
    for (parameter, values) in &trained.arrays {
        let numbers = converter.floats(&parameter.name, values)?;
        arrays.push((parameter.clone(), numbers));
    }
    let raw = match (&arguments.raw, &trained.run) {
        (Some(_), None) => {
            let reason = "--raw needs a checkpoint, which says how images were prepared";
            return Err(InterchangeError::Unsupported(reason.to_owned()));
        }
        (Some(text), Some(run)) => Some(self::raw(text, &run.identity.data)?),
        (None, _) => None,
    };
    let network = &trained.architecture;
    let metadata = trained_metadata(loaded, trained, precision, raw.is_some())?;
    let plain = || -> Vec<NamedArray> {
        let array = |(parameter, numbers): &(Parameter, Floats)| NamedArray {
            name: parameter.name.clone(),
            shape: parameter.shape.clone(),
            numbers: numbers.clone(),
        };
        arrays.iter().map(array).collect()
    };
    let outputs = network.output()?.len();
    let interface = match &raw {
        Some(raw) => format!("x (bytes, {}) to logits ({outputs})", raw.shape),
        None if trained.run.is_some() => {
            format!("x (prepared, {}) to logits ({outputs})", network.input)
        }
        None => format!("x ({}) to logits ({outputs})", network.input),
    };
    let bytes = match arguments.to {
        Container::Onnx => {
            onnx::trained(network, &arrays, &mut converter, raw, "trained by shatter", &metadata)?
        }
        _ if raw.is_some() => {
            let reason = "--raw needs a graph: --to onnx";
            return Err(InterchangeError::Unsupported(reason.to_owned()));
        }
        Container::Safetensors => tensors::file(&plain(), &metadata),
        Container::Npz => npz::file(&plain(), &metadata)?,
        Container::Json => json_file::trained(&plain(), &metadata).into_bytes(),
    };
    let rounded = converter.finish()?;
    let convolves = network.any(|layer| {
        matches!(layer, Layer::Convolution { .. } | Layer::LocalResponseNormalization { .. })
    });
    let in_f64 = matches!(arguments.to, Container::Onnx) && precision == Format::F64;
    let note = (convolves && in_f64).then_some(
        "ONNX Runtime has no convolutions in f64 on processors: --type f32 --round is for it",
    );
    let format = precision;
    let precision = precision.name();
    Ok(Exported { bytes, precision, format, rounded, metadata, interface, note })
}

fn sides(shape: Shape) -> String {
    format!("{}x{}x{}", shape.channels, shape.height, shape.width)
}

/// Raw images as the checkpoint's were prepared.
fn raw(text: &str, data: &DataIdentity) -> Result<Raw, InterchangeError> {
    let refuse = |reason: String| InterchangeError::Unsupported(reason);
    let shape = checkpoint::sides(text);
    let shape = shape.ok_or_else(|| refuse(format!("--raw {text}: expected CxHxW")))?;
    let DataIdentity { condition, preprocess, .. } = *data;
    if condition.changes_pixels() {
        return Err(refuse(format!(
            "it was trained under the condition {condition}, which changes pixels in ways that are \
             not part of a network: export it without --raw"
        )));
    }
    Ok(Raw { shape, preprocess })
}
