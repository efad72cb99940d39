//! `shatter eval`: what a network computes on a sample, and whether it fits.

mod checkpoint;
mod graph;
mod layered;
mod two_layer;

use std::path::PathBuf;

use clap::Args;

use shatter_interchange::load::{LoadedNetwork, Trained};
use shatter_network::reading::How;
use shatter_network::{Network, Reading};
use shatter_sample::{LabelRule, Sample};

use super::input::Described;
use super::output::{Facts, Progress, grouped, print, print_json};
use super::reading::Override;
use super::words::{labels_text, merged_text};
use super::{CliError, Common, Verdict, labelled_sample};

#[derive(Args, Debug, Clone)]
#[command(after_help = "Example:\n  \
    shatter eval out/fit/network.txt gaussian:n=1000,d=10 --labels random\n\n\
    A certificate brings its own labels, a checkpoint its condition; --labels overrides them. How \
    outputs say labels stands in the file, or follows from the number of outputs; --reading and \
    --classes override it. With \
    --out, outputs.csv holds label and outputs of every point.\n\
    Exit status: 0 if the network equals every label exactly (a checkpoint, or --reading largest, \
    sign or half: classifies every point as labelled), 1 if not, 2 for bad input.")]
pub struct Arguments {
    /// A network file, a certificate, a checkpoint, or a network as ONNX, safetensors, NPZ or JSON
    network: PathBuf,
    /// The sample
    sample: String,
    /// Labels: true, random, corrupted:P or alternating
    #[arg(long, value_name = "RULE")]
    labels: Option<LabelRule>,
    /// Of a checkpoint: take the sample as a test sample, with its own labels [default where it is
    /// the one that the checkpoint was tested on]
    #[arg(long)]
    as_test: bool,
    /// The training sample beside it [default: the checkpoint's], which says where its pixels come
    /// from under the condition gaussian
    #[arg(long, value_name = "SAMPLE")]
    train: Option<String>,
    #[command(flatten)]
    described: Described,
    #[command(flatten)]
    said: Override,
    #[command(flatten)]
    pub common: Common,
}

/// What was found: the record, and the lines after sample and labels.
struct Findings {
    fits: bool,
    found: serde_json::Value,
    facts: Vec<(&'static str, String)>,
}

pub fn run(arguments: &Arguments) -> Result<Verdict, CliError> {
    let progress = Progress::start();
    progress.say("reading");
    let loaded = arguments.described.load(&arguments.network)?;
    let network = match &loaded.body {
        LoadedNetwork::Explicit(explicit) => &explicit.network,
        LoadedNetwork::Trained(trained @ Trained { run: Some((identity, _)), .. }) => {
            drop(progress);
            return checkpoint::run(arguments, trained, identity, loaded.reading.clone());
        }
        LoadedNetwork::Trained(_) | LoadedNetwork::Graph(_) => {
            drop(progress);
            return graph::run(arguments, &loaded);
        }
    };
    // A certificate brings its labels; of labels given by hand, at least the seed.
    let origin = loaded.origin.as_ref();
    let own = origin.map(|origin| origin.seed);
    let (rule, seed) = match (arguments.labels, origin) {
        (Some(rule), _) => (rule, arguments.common.seed.or(own).unwrap_or(0)),
        (None, Some(origin)) => (origin.rule, origin.seed),
        (None, None) => (LabelRule::True, arguments.common.seed()),
    };
    let sample = labelled_sample(&arguments.sample, arguments.common.seed(), rule, seed)?;
    if network.inputs() != sample.points.d() {
        return Err(CliError::Usage(format!(
            "the network takes {} coordinates, the points have {}",
            network.inputs(),
            sample.points.d()
        )));
    }
    progress.say("evaluating");
    let out = arguments.common.out.as_deref();
    let (outputs, named) = (network.outputs(), arguments.said.named());
    let otherwise = || Reading::of_construction(outputs, &sample.labels, named);
    let own = loaded.reading.clone();
    let chosen = arguments.said.choose(&arguments.network, own, otherwise)?;
    let said = chosen.bind(&arguments.network, &sample.labels, outputs)?;
    let Findings { fits, mut found, facts: more } = match network {
        Network::TwoLayer(network) if said.how() == How::Value => {
            two_layer::evaluate(network, &sample, &said, out)?
        }
        Network::TwoLayer(network) => {
            layered::evaluate(&network.to_layered(), &sample, &said, out)?
        }
        Network::Layered(network) => layered::evaluate(network, &sample, &said, out)?,
    };
    chosen.record(&mut found, outputs);
    drop(progress);
    let configuration = serde_json::json!({
        "network": arguments.network,
        "labels": sample.recipe.rule.to_string(),
        "seed": seed,
        "reading": chosen.reading.how.name(),
        "classes": chosen.reading.classes,
    });
    arguments.common.write("eval", &found, configuration, Some(&sample.text))?;
    if arguments.common.json {
        print_json(&found)?;
    } else {
        let mut facts = Facts::default();
        facts.add("sample", format!("{}, {}", sample.points.describe(), merged_text(&sample)));
        facts.add("labels", labels_text(&sample));
        facts.add("reading", chosen.text(&sample.labels, outputs));
        more.iter().for_each(|(name, fact)| facts.add(name, fact));
        print(facts.text())?;
    }
    Ok(if fits { Verdict::Yes } else { Verdict::No })
}

/// "residual 0 (300 of 300 points equal their labels)".
fn exact_text(residual: &str, fits: usize, sample: &Sample) -> String {
    format!(
        "residual {residual} ({} of {} points equal their labels)",
        grouped(fits as u64),
        grouped(sample.points.n() as u64)
    )
}
