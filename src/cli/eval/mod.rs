//! `shatter eval`: what a network computes on a sample, and whether it fits.

mod checkpoint;
mod graph;
mod layered;
mod two_layer;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use shatter_interchange::load::{LoadedNetwork, Trained};
use shatter_network::reading::How;
use shatter_network::{FloatExactness, LayeredExactness, Network, Reading, Sizes};
use shatter_sample::{LabelRule, Sample};

use super::input::Described;
use super::json::{self, FilePath, Number, Record};
use super::output::{Facts, Progress, grouped, print};
use super::reading::{Override, ReadingRecord};
use super::words::{labels_text, merged_text};
use super::{Answer, CliError, CommonOptions, labelled_sample};

#[derive(Args, Debug, Clone)]
#[command(after_help = "Example:\n  \
    shatter eval out/fit/network.txt gaussian:n=1000,d=10 --labels random\n\n\
    A certificate has its own labels, a checkpoint its condition; --labels overrides them. How outputs \
    say labels is in the file, or follows from the number of outputs; --reading and --classes \
    override it. With --out, writes the label and outputs of every point to outputs.csv.\n\
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
    /// For a checkpoint: take the sample as a test sample, with its own labels [default for the sample
    /// that the checkpoint was tested on]
    #[arg(long)]
    as_test: bool,
    /// For a test sample: the training sample [default: the checkpoint's], from which pixels are drawn
    /// under the condition gaussian
    #[arg(long, value_name = "SAMPLE")]
    train: Option<String>,
    #[command(flatten)]
    described: Described,
    #[command(flatten)]
    said: Override,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// What was found: the record, and the lines after sample and labels.
struct Findings {
    fits: bool,
    found: ExactFound,
    facts: Vec<(&'static str, String)>,
}

/// What `--json` prints and `eval.json` holds: what was found, by the kind of the network, and how outputs were read.
#[derive(Serialize)]
struct EvalRecord<F> {
    sample: String,
    /// Points that were evaluated.
    points: usize,
    #[serde(flatten)]
    found: F,
    #[serde(flatten)]
    reading: ReadingRecord,
}

impl<F: Serialize> Record for EvalRecord<F> {
    const FORMAT: &'static str = "shatter eval 1";
}

/// Of a network of exact numbers.
#[derive(Serialize)]
struct ExactFound {
    points_sha256: String,
    labels: String,
    #[serde(flatten)]
    fit: Fit,
    float_exactness: Exactness,
    /// The runtimes of which it speaks.
    float_exactness_runtime: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sizes: Option<Sizes>,
    #[serde(flatten)]
    plain: Option<PlainResiduals>,
}

/// How outputs were held against labels.
#[derive(Serialize)]
#[serde(untagged)]
enum Fit {
    /// Outputs that are to equal a target.
    Equal {
        target: String,
        fits_exactly: usize,
        largest_residual: Number,
        /// The point that has it, unless it is 0.
        largest_residual_at: Option<usize>,
    },
    /// Outputs that say a class.
    Say { fits: usize },
}

#[derive(Serialize)]
#[serde(untagged)]
enum Exactness {
    TwoLayer(FloatExactness),
    Layered(LayeredExactness),
}

/// The largest errors in binary64, of all terms and of a compensated sum, where they were computed.
#[derive(Serialize)]
struct PlainResiduals {
    residual_f64: Option<Number>,
    residual_compensated: Option<Number>,
}

/// The manifest's configuration.
#[derive(Serialize)]
struct Configuration<'a> {
    network: FilePath,
    labels: Option<String>,
    seed: u64,
    reading: &'static str,
    classes: &'a [String],
}

pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    let progress = Progress::start();
    progress.say("reading");
    let loaded = arguments.described.load(&arguments.network)?;
    let network = match &loaded.body {
        LoadedNetwork::Explicit(explicit) => &explicit.network,
        LoadedNetwork::Trained(trained @ Trained { run: Some(run), .. }) => {
            drop(progress);
            return checkpoint::run(arguments, trained, &run.identity, loaded.reading.clone());
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
    let Findings { fits, found, facts: more } = match network {
        Network::TwoLayer(network) if said.how() == How::Value => {
            two_layer::evaluate(network, &sample, &said, out)?
        }
        Network::TwoLayer(network) => {
            layered::evaluate(&network.to_layered(), &sample, &said, out)?
        }
        Network::Layered(network) => layered::evaluate(network, &sample, &said, out)?,
    };
    drop(progress);
    let found = EvalRecord {
        sample: sample.text.clone(),
        points: sample.points.n(),
        found,
        reading: chosen.record(outputs),
    };
    let configuration = Configuration {
        network: FilePath::from(arguments.network.as_path()),
        labels: Some(sample.recipe.rule.to_string()),
        seed,
        reading: chosen.reading.how.name(),
        classes: &chosen.reading.classes,
    };
    arguments.common.write("eval", &found, configuration, Some(&sample.text))?;
    if arguments.common.json {
        json::print(&found)?;
    } else {
        let mut facts = Facts::default();
        facts.add("sample", format!("{}, {}", sample.points.describe(), merged_text(&sample)));
        facts.add("labels", labels_text(&sample));
        facts.add("reading", chosen.text(&sample.labels, outputs));
        more.iter().for_each(|(name, fact)| facts.add(name, fact));
        print(facts.text())?;
    }
    Ok(if fits { Answer::Yes } else { Answer::No })
}

/// "residual 0 (300 of 300 points equal their labels)".
fn exact_text(residual: &str, fits: usize, sample: &Sample) -> String {
    format!(
        "residual {residual} ({} of {} points equal their labels)",
        grouped(fits as u64),
        grouped(sample.points.n() as u64)
    )
}
