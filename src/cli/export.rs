//! `shatter export`: a network in the format of another runtime.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::certify::read;
use crate::exact::{Element, Format};
use crate::interchange::onnx::{self, Raw};
use crate::interchange::{Array, Converter, InterchangeError, Numbers, Rounded};
use crate::interchange::{json, npz, tensors};
use crate::network::Network;
use crate::network::architecture::Shape;
use crate::record::Manifest;
use crate::sample::{Condition, Preprocess};
use crate::train::{Checkpoint, reading};

use super::input::AnyCheckpoint;
use super::output::{Facts, Progress, grouped, print, print_json};
use super::{CliError, Common, Verdict, input, write};

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
    A construction leaves in f64, a checkpoint in the type that it was trained in, unless --type says\n\
    otherwise. JSON holds the numbers of a construction exactly, whatever they are.\n\
    Exit status: 0 exported, 2 bad input, or numbers that the type does not have (without --round).")]
pub struct Arguments {
    /// A network file, a certificate or a checkpoint
    network: PathBuf,
    /// The format; the file is network.onnx, network.safetensors, … in --out
    #[arg(long, value_enum)]
    to: Container,
    /// The type of the numbers
    #[arg(long, value_enum, value_name = "TYPE")]
    r#type: Option<Type>,
    /// Round numbers that the type does not have to nearest, and say how many
    #[arg(long)]
    round: bool,
    /// Of a checkpoint, to ONNX: take raw images of bytes, of this shape, and prepare them in the
    /// graph as in training [default: take prepared images]
    #[arg(long, value_name = "CxHxW")]
    raw: Option<String>,
    #[command(flatten)]
    pub common: Common,
}

/// A file, and what to say of it.
struct Exported {
    bytes: Vec<u8>,
    precision: &'static str,
    rounded: Rounded,
    metadata: Vec<(String, String)>,
    /// What goes in, and what comes out.
    interface: String,
    /// What a user of the file should know.
    note: Option<&'static str>,
}

pub fn run(arguments: &Arguments) -> Result<Verdict, CliError> {
    let progress = Progress::start();
    progress.say("reading");
    let exported = if input::is_safetensors(&arguments.network) {
        match input::checkpoint(&arguments.network)? {
            AnyCheckpoint::Single(checkpoint) => trained(arguments, &checkpoint),
            AnyCheckpoint::Double(checkpoint) => trained(arguments, &checkpoint),
        }
    } else {
        if arguments.raw.is_some() {
            return Err(CliError::Usage(
                "--raw is for checkpoints: constructions take points".into(),
            ));
        }
        construction(arguments, &input::network(&arguments.network)?)
    };
    let exported = exported.map_err(|source| CliError::Interchange {
        file: arguments.network.clone(),
        source: Box::new(source),
    })?;
    let Exported { bytes, precision, rounded, metadata, interface, note } = exported;
    let out = arguments.common.out.clone().unwrap_or_else(|| PathBuf::from("out/export"));
    let name = match arguments.to {
        Container::Onnx => "network.onnx",
        Container::Safetensors => "network.safetensors",
        Container::Npz => "network.npz",
        Container::Json => "network.json",
    };
    progress.say("writing");
    write(&out, name, &bytes)?;
    let manifest = Manifest::new(serde_json::json!({
        "network": arguments.network, "to": name, "type": precision, "round": arguments.round,
        "raw": arguments.raw,
    }));
    let path = out.join("manifest.json");
    manifest.write(&path).map_err(CliError::at(&path))?;
    drop(progress);
    let file = out.join(name);
    let found = serde_json::json!({
        "file": file, "bytes": bytes.len(), "type": precision, "metadata": json::metadata(&metadata),
        "numbers": rounded.numbers, "rounded": rounded.rounded,
        "largest_absolute_error": rounded.absolute, "largest_relative_error": rounded.relative,
    });
    if arguments.common.json {
        print_json(&found)?;
        return Ok(Verdict::Yes);
    }
    let mut facts = Facts::default();
    facts.add("file", format!("{}, {} bytes", file.display(), grouped(bytes.len() as u64)));
    facts.add("interface", interface);
    let numbers = grouped(rounded.numbers);
    let text = match &rounded.first {
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
    if let Some(note) = note {
        facts.add("note", note);
    }
    print(facts.text())?;
    Ok(Verdict::Yes)
}

fn construction(arguments: &Arguments, file: &read::File) -> Result<Exported, InterchangeError> {
    let precision = match arguments.r#type {
        Some(Type::F32) => Format::F32,
        _ => Format::F64,
    };
    let network = &file.network;
    let metadata = construction_metadata(file);
    let interface = format!(
        "x ({} numbers a point) to y ({})",
        grouped(network.inputs() as u64),
        network.outputs()
    );
    let convert = || -> Result<(Vec<Array>, Rounded), InterchangeError> {
        let mut converter = Converter::new(precision, arguments.round);
        let arrays = Array::all(network, &mut converter)?;
        Ok((arrays, converter.finish()?))
    };
    let (bytes, rounded) = match arguments.to {
        Container::Onnx => {
            let description = format!("{}, built by shatter", file.construction);
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
            let bytes = json::construction(network, &metadata)?.into_bytes();
            return Ok(Exported {
                bytes,
                precision: "exact",
                rounded: Rounded::default(),
                metadata,
                interface,
                note: None,
            });
        }
    };
    Ok(Exported { bytes, precision: precision.name(), rounded, metadata, interface, note: None })
}

/// What is known of a network file or a certificate.
fn construction_metadata(file: &read::File) -> Vec<(String, String)> {
    let sizes = file.network.sizes();
    let mut texts: Vec<(&str, String)> = vec![
        ("shatter", env!("CARGO_PKG_VERSION").to_owned()),
        ("construction", file.construction.clone()),
        ("source_sha256", file.digest.clone()),
        ("depth", sizes.depth.to_string()),
        ("units", sizes.units.to_string()),
        ("width", sizes.width.to_string()),
        ("nonzero", sizes.nonzero.to_string()),
        ("bits", sizes.bits.to_string()),
        ("max_bits", sizes.max_bits.to_string()),
    ];
    match &file.network {
        Network::TwoLayer(_) => {
            texts.push(("function", "y = sum_j w_j relu(<a, x> - b_j) + c".to_owned()));
        }
        Network::Layered(layered) => {
            texts.push(("function", "h = activation(W h + v), layer by layer".to_owned()));
            let names = |layer: &Vec<_>| -> Vec<&str> {
                layer.iter().map(|unit: &crate::network::Unit| unit.activation.name()).collect()
            };
            let layers: Vec<Vec<&str>> = layered.layers().map(names).collect();
            texts.push(("activations", serde_json::json!(layers).to_string()));
        }
    }
    if let Some(claim) = &file.claim {
        texts.push(("sample", claim.sample.clone()));
        texts.push(("points", claim.points.clone()));
        texts.push(("points_sha256", claim.points_sha256.clone()));
        texts.push(("labels", format!("{} seed={}", claim.rule, claim.seed)));
        texts.push(("target", claim.target.to_string()));
    }
    // Numbers whose names were lost are not passed on as if they were classes.
    let reading = file.reading().ok().flatten().map(|reading| reading.metadata());
    let texts = texts.into_iter().map(|(key, value)| (key.to_owned(), value));
    texts.chain(reading.into_iter().flatten()).collect()
}

fn trained<E: Element>(
    arguments: &Arguments,
    checkpoint: &Checkpoint<E>,
) -> Result<Exported, InterchangeError> {
    let held = E::FORMAT;
    let precision = match arguments.r#type {
        None => held,
        Some(Type::F32) => Format::F32,
        Some(Type::F64) => Format::F64,
    };
    let mut converter = Converter::new(precision, arguments.round);
    let mut arrays = Vec::new();
    for (parameter, values) in &checkpoint.arrays {
        let numbers = converter.floats(&parameter.name, values)?;
        arrays.push((parameter.clone(), numbers));
    }
    let data = &checkpoint.settings["data"];
    let raw = arguments.raw.as_ref().map(|text| raw(text, data)).transpose()?;
    let mut texts: Vec<(&str, String)> = vec![
        ("shatter", env!("CARGO_PKG_VERSION").to_owned()),
        ("architecture", checkpoint.architecture.clone()),
        ("parameters", checkpoint.network()?.parameters()?.to_string()),
        ("input", sides(checkpoint.input)),
        ("outputs", checkpoint.outputs.to_string()),
        ("preprocess", data["preprocess"].to_string()),
        ("takes", if raw.is_some() { "raw bytes" } else { "prepared images" }.to_owned()),
        ("progress", checkpoint.progress.to_string()),
    ];
    for key in ["sample", "sample_sha256", "condition", "condition_seed"] {
        let text = data[key].as_str().map_or_else(|| data[key].to_string(), str::to_owned);
        texts.push((key, text));
    }
    let reading = reading(&checkpoint.settings).ok().flatten().map(|reading| reading.metadata());
    let texts = texts.into_iter().map(|(key, value)| (key.to_owned(), value));
    let metadata: Vec<_> = texts.chain(reading.into_iter().flatten()).collect();
    let plain = || -> Vec<Array> {
        let array =
            |(parameter, numbers): &(crate::network::architecture::Parameter, Numbers)| Array {
                name: parameter.name.clone(),
                shape: parameter.shape.clone(),
                numbers: numbers.clone(),
            };
        arrays.iter().map(array).collect()
    };
    let interface = match &raw {
        Some(raw) => format!("x (bytes, {}) to logits ({})", raw.shape, checkpoint.outputs),
        None => format!("x (prepared, {}) to logits ({})", checkpoint.input, checkpoint.outputs),
    };
    let bytes = match arguments.to {
        Container::Onnx => {
            let network = checkpoint.network()?;
            onnx::trained(&network, &arrays, &mut converter, raw, "trained by shatter", &metadata)?
        }
        _ if raw.is_some() => {
            let reason = "--raw needs a graph: --to onnx";
            return Err(InterchangeError::Unsupported(reason.to_owned()));
        }
        Container::Safetensors => tensors::file(&plain(), &metadata),
        Container::Npz => npz::file(&plain(), &metadata)?,
        Container::Json => json::trained(&plain(), &metadata).into_bytes(),
    };
    let rounded = converter.finish()?;
    let convolves = ["conv(", "lrn("].iter().any(|name| checkpoint.architecture.contains(name));
    let in_f64 = matches!(arguments.to, Container::Onnx) && precision == Format::F64;
    let note = (convolves && in_f64).then_some(
        "ONNX Runtime has no convolutions in f64 on processors: --type f32 --round is for it",
    );
    Ok(Exported { bytes, precision: precision.name(), rounded, metadata, interface, note })
}

fn sides(shape: Shape) -> String {
    format!("{}x{}x{}", shape.channels, shape.height, shape.width)
}

/// Raw images as the checkpoint's were prepared.
fn raw(text: &str, data: &serde_json::Value) -> Result<Raw, InterchangeError> {
    let refuse = |reason: String| InterchangeError::Unsupported(reason);
    let numbers: Option<Vec<usize>> = text.split('x').map(|side| side.parse().ok()).collect();
    let shape = numbers.as_deref().filter(|sides| sides.len() == 3).and_then(Shape::from_shape);
    let shape = shape.ok_or_else(|| refuse(format!("--raw {text}: CxHxW is wanted")))?;
    let condition = data["condition"].as_str().unwrap_or("").parse::<Condition>();
    let condition = condition.map_err(|reason| refuse(format!("its condition: {reason}")))?;
    if condition.changes_pixels() {
        return Err(refuse(format!(
            "it was trained under the condition {condition}, which changes pixels in ways that are \
             not part of a network: export it without --raw"
        )));
    }
    let preprocess: Preprocess = serde_json::from_value(data["preprocess"].clone())
        .map_err(|error| refuse(format!("its preprocessing cannot be read: {error}")))?;
    Ok(Raw { shape, preprocess })
}
