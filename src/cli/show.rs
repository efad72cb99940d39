//! `shatter show`: what a network file or a certificate holds.

use std::path::PathBuf;

use clap::Args;

use crate::certify::write::{number, weight};
use crate::exact::Element;
use crate::network::{Activation, ExactNetwork, Layered, Network, Unit};
use crate::train::{self, Checkpoint, TrainError};

use super::input::AnyCheckpoint;
use super::output::{Facts, grouped, print, print_json};
use super::words::sizes_text;
use super::{CliError, Common, Verdict, input, reading};

/// Numbers of each kind that are printed.
const SHOWN: usize = 5;
/// Layers that are printed.
const LAYERS: usize = 8;

#[derive(Args, Debug, Clone)]
#[command(after_help = "Example:\n  shatter show out/fit/certificate.txt")]
pub struct Arguments {
    /// A network file, a certificate or a checkpoint
    network: PathBuf,
    #[command(flatten)]
    pub common: Common,
}

pub fn run(arguments: &Arguments) -> Result<Verdict, CliError> {
    if input::is_safetensors(&arguments.network) {
        return match input::checkpoint(&arguments.network)? {
            AnyCheckpoint::Single(checkpoint) => show_checkpoint(arguments, &checkpoint),
            AnyCheckpoint::Double(checkpoint) => show_checkpoint(arguments, &checkpoint),
        };
    }
    let file = input::network(&arguments.network)?;
    let mut found = serde_json::json!({
        "certificate": file.claim.is_some(),
        "construction": file.construction,
        "sample": file.claim.as_ref().map_or("", |claim| &claim.sample),
        "points": file.claim.as_ref().map_or("", |claim| &claim.points),
        "sha256": file.digest,
    });
    if let Some(reading) = &file.reading {
        reading::record(reading, &mut found, file.network.outputs());
    }
    match &file.network {
        Network::TwoLayer(network) => found["counts"] = serde_json::to_value(network.counts())?,
        Network::Layered(network) => {
            found["counts"] = serde_json::to_value(network.sizes())?;
            found["layers"] = network.layers().map(|layer| layer_text(layer)).collect();
        }
    }
    let configuration = serde_json::json!({ "network": arguments.network });
    arguments.common.write("show", &found, configuration, None)?;
    if arguments.common.json {
        print_json(&found)?;
        return Ok(Verdict::Yes);
    }
    let mut facts = Facts::default();
    facts.add(
        "file",
        match file.claim {
            Some(_) => "certificate (not checked here: shatter check does)",
            None => "network",
        },
    );
    facts.add("construction", &file.construction);
    if let Some(claim) = &file.claim {
        facts.add("sample", &claim.sample);
        facts.add("points", format!("{}, SHA-256 {}", claim.points, claim.points_sha256));
        facts.add("labels", format!("{} seed={}", claim.rule, claim.seed));
    }
    let outputs = file.network.outputs();
    let unsaid = || format!("not said, of {outputs} outputs");
    let reading = file.reading.as_ref();
    facts.add("reading", reading.map_or_else(unsaid, |reading| reading.describe(outputs)));
    match &file.network {
        Network::TwoLayer(network) => show_two_layer(&mut facts, network),
        Network::Layered(network) => show_layered(&mut facts, network),
    }
    facts.add("SHA-256", &file.digest);
    print(facts.text())?;
    Ok(Verdict::Yes)
}

fn show_checkpoint<E: Element>(
    arguments: &Arguments,
    checkpoint: &Checkpoint<E>,
) -> Result<Verdict, CliError> {
    let network = checkpoint.network().map_err(TrainError::from)?;
    let parameters = network.parameters().map_err(TrainError::from)?;
    let mut found = serde_json::json!({
        "checkpoint": true,
        "architecture": checkpoint.architecture,
        "input": checkpoint.input.to_string(),
        "parameters": parameters,
        "precision": E::NAME,
        "settings": checkpoint.settings,
        "progress": checkpoint.progress,
        "arrays": checkpoint.arrays.iter().map(|(array, values)| {
            let square = values.iter().map(|&value| Element::to_f64(value).powi(2)).sum::<f64>();
            serde_json::json!({ "name": array.name, "shape": array.shape, "norm": square.sqrt() })
        }).collect::<Vec<_>>(),
    });
    // What was lost, or is no reading, is for those to say who need it.
    let said = train::reading(&checkpoint.settings).ok().flatten();
    if let Some(said) = &said {
        reading::record(said, &mut found, checkpoint.outputs);
    }
    let configuration = serde_json::json!({ "network": arguments.network });
    arguments.common.write("show", &found, configuration, None)?;
    if arguments.common.json {
        print_json(&found)?;
        return Ok(Verdict::Yes);
    }
    let mut facts = Facts::default();
    facts.add("file", format!("checkpoint, {}", E::NAME));
    facts.add("network", &checkpoint.architecture);
    facts.add("input", checkpoint.input.to_string());
    facts.add("parameters", grouped(parameters));
    let outputs = checkpoint.outputs;
    let unsaid = || format!("not said, of {outputs} outputs");
    facts.add("reading", said.map_or_else(unsaid, |said| said.describe(outputs)));
    for (name, value) in
        [("data", &checkpoint.settings["data"]), ("settings", &checkpoint.settings["settings"])]
    {
        let parts = value.as_object().into_iter().flatten();
        let text = |key: &str, value| format!("{} {value}", key.escape_debug());
        let parts: Vec<String> = parts.map(|(key, value)| text(key, value)).collect();
        facts.add(name, parts.join(", "));
    }
    let done = |key: &str| checkpoint.progress[key].to_string();
    facts.add(
        "progress",
        format!(
            "{} steps, {} epochs, and {} samples",
            done("step"),
            done("epoch"),
            done("position")
        ),
    );
    for array in found["arrays"].as_array().into_iter().flatten() {
        let norm = array["norm"].as_f64().unwrap_or(f64::NAN);
        let (name, shape) = (array["name"].as_str().unwrap_or(""), &array["shape"]);
        facts.add("", format!("{name} {shape}, norm {norm:.4}"));
    }
    print(facts.text())?;
    Ok(Verdict::Yes)
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
fn readable(x: &crate::exact::Dyadic) -> String {
    short(x.to_string(), number(x))
}

fn short(decimal: String, hexadecimal: String) -> String {
    match (decimal.len(), hexadecimal.len()) {
        (0..=24, _) => decimal,
        (_, 0..=40) => hexadecimal,
        _ => hexadecimal.chars().take(39).chain(['…']).collect(),
    }
}
