//! `shatter measure`: what the theories say of a network, and whether that is vacuous.

mod findings;
mod record;
mod runs;
mod subject;
pub mod text;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use shatter_measure::Finding;
use shatter_sample::LabelRule;

use crate::input::Described;
use crate::json::{self, FilePath, Record};
use crate::output::{Facts, Progress, percent_of_errors, print};
use crate::reading::{Override, ReadingRecord};
use crate::{Answer, CliError, CommonOptions};

pub use findings::{Theories, findings};
pub use record::FindingRecord;
pub use subject::{Asked, Owned, drawn, load};

#[derive(Args, Debug, Clone)]
#[command(after_help = "Examples:\n  \
    shatter measure out/train/checkpoint.safetensors digits --test digits:split=test\n  \
    shatter measure out/fit/network.txt lattice:n=1000,d=10 --labels random\n  \
    shatter measure out/randomize digits\n\n\
    Says of each measure what kind of number it is (a bound is proved, and rounded outwards), what it says \
    of the test error, whether that is below the error of a guess, and which assumption of its theory \
    fails. The start of a checkpoint is drawn again as its settings say, unless --start or the manifest \
    beside it names a file. Of a folder of runs, as `shatter randomize` leaves one, prints the rank \
    correlation of every measure with the measured gap (Kendall's tau, with a bootstrap interval).\n\
    With --out, writes measure.json.\n\
    Exit status: 0, or 2 for bad input.")]
pub struct Arguments {
    /// A network file, a certificate, a checkpoint, a network as ONNX, safetensors, NPZ or JSON, or a folder of runs
    network: PathBuf,
    /// The training sample
    sample: String,
    /// Labels: true, random, corrupted:P or alternating
    #[arg(long, value_name = "RULE")]
    labels: Option<LabelRule>,
    /// A test sample: its error is printed beside what theories say of it
    #[arg(long, value_name = "SAMPLE")]
    test: Option<String>,
    /// The network before training [default: of a checkpoint, drawn again]
    #[arg(long, value_name = "NETWORK")]
    start: Option<PathBuf>,
    #[command(flatten)]
    theories: Theories,
    #[command(flatten)]
    described: Described,
    #[command(flatten)]
    said: Override,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// What `--json` prints and `measure.json` holds.
#[derive(Serialize)]
struct MeasureRecord<'a> {
    sample: &'a str,
    points: usize,
    network_sha256: &'a str,
    labels: &'a str,
    /// Classes of the labels; 0 for real labels.
    label_classes: u32,
    seed: u64,
    start: &'a str,
    delta: f64,
    test: Option<&'a str>,
    test_error: Option<f64>,
    findings: Vec<FindingRecord>,
    #[serde(flatten)]
    reading: ReadingRecord,
}

impl Record for MeasureRecord<'_> {
    const FORMAT: &'static str = "shatter measure 1";
}

/// The manifest's configuration.
#[derive(Serialize)]
struct Configuration<'a> {
    network: FilePath,
    labels: &'a str,
    test: Option<&'a str>,
    start: &'a str,
    seed: u64,
    theories: &'a Theories,
}

pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    arguments.theories.check()?;
    if arguments.network.is_dir() {
        return runs::run(arguments);
    }
    let progress = Progress::start();
    progress.say("reading");
    let asked = Asked {
        network: &arguments.network,
        sample: &arguments.sample,
        labels: arguments.labels,
        test: arguments.test.as_deref(),
        start: arguments.start.as_deref(),
        described: &arguments.described,
        said: &arguments.said,
        common: &arguments.common,
    };
    let owned = load(&asked)?;
    progress.say("measuring");
    let found = findings(&owned, &arguments.theories, arguments.common.seed())?;
    let outputs = owned.graph.outputs();
    let record = MeasureRecord {
        sample: &owned.sample,
        points: owned.labels.labels().len(),
        network_sha256: &owned.loaded.sha256,
        labels: &owned.condition,
        label_classes: owned.classes,
        seed: owned.seed,
        start: &owned.start_text,
        delta: arguments.theories.delta,
        test: arguments.test.as_deref(),
        test_error: owned.test_error,
        findings: found.iter().map(|one| FindingRecord::of(one, owned.classes)).collect(),
        reading: owned.reading.record(outputs),
    };
    let configuration = Configuration {
        network: FilePath::from(arguments.network.as_path()),
        labels: &owned.condition,
        test: arguments.test.as_deref(),
        start: &owned.start_text,
        seed: owned.seed,
        theories: &arguments.theories,
    };
    arguments.common.write("measure", &record, configuration, Some(&owned.sample))?;
    drop(progress);
    if arguments.common.json {
        json::print(&record)?;
    } else {
        print(&told(arguments, &owned, &found))?;
    }
    Ok(Answer::Yes)
}

/// The facts and the table.
fn told(arguments: &Arguments, owned: &Owned, found: &[Finding]) -> String {
    let mut facts = Facts::default();
    facts.add("sample", &owned.sample);
    facts.add("network", owned.loaded.kind.name());
    facts.add("labels", format!("{} (seed {})", owned.condition, owned.seed));
    facts.add("reading", owned.reading.text(&owned.own, owned.graph.outputs()));
    facts.add("start", &owned.start_text);
    if let (Some(error), Some(test)) = (owned.test_error, &arguments.test) {
        facts.add("test error", format!("{} on {test}", percent_of_errors(error)));
    }
    let delta = arguments.theories.delta;
    let bounds = format!("each holds with probability {} over samples", 1.0 - delta);
    facts.add("bounds", bounds);
    format!("{}\n{}", facts.text(), text::table(found, owned.classes))
}
