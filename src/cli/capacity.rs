//! `shatter capacity`: how many points with random labels training fits, beside what constructions fit and what
//! obstructions exclude.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use shatter_device::Device;
use shatter_device::cpu::Cpu;
use shatter_exact::Element;
use shatter_figure::rows::{Row, RowsFigure, rows};
use shatter_measure::capacity::KnownCapacity;
use shatter_measure::{Outputs, Perceptron, vc};
use shatter_prepare::Condition;
use shatter_sample::fingerprint::fingerprint_labelled;
use shatter_sample::{LabelRule, Labels, RawSample};
use shatter_train::Settings;
use shatter_train::capacity::{Capacity, fits, search};
use shatter_train::randomize::{Case, Common};

use super::device::ChosenDevice;
use super::json::{self, Record};
use super::manifest::{self, build};
use super::measure::drawn;
use super::output::{Facts, Progress, grouped, print};
use super::training::{self, Precision, Setup, TrainingOptions};
use super::{Answer, CliError, CommonOptions, write, write_figure};

#[derive(Args, Debug, Clone)]
#[command(
    mut_arg("rate_decay", |arg| arg.default_value("1")),
    mut_arg("epochs", |arg| arg.default_value("1000")),
    mut_arg("batch", |arg| arg.default_value("32")),
    after_help = "Examples:\n  \
    shatter capacity digits --model mlp:16 --seeds 0,1,2\n  \
    shatter capacity gaussian:n=5000,d=20,classes=2 --model mlp:32 --epochs 1000\n\n\
    Trains on the first n points with random labels until all are fitted or the epochs are over, and searches for \
    the largest n that is fitted: n is doubled until a training fails, then the interval is halved. What is found \
    is the capacity of the network with this training and this many epochs. Batches are no larger than n.\n\
    Writes capacity.json and capacity.png.\n\
    Exit status: 0, 2 for bad input, 4 if there is no such device, 130 if interrupted."
)]
pub struct Arguments {
    /// The sample whose points are fitted, for example digits
    sample: String,
    /// The number of points tried first
    #[arg(long, default_value_t = 16, value_name = "N")]
    least: usize,
    /// Stop when the interval is this share of its lower end
    #[arg(long, default_value_t = 0.05, value_name = "SHARE")]
    tolerance: f64,
    /// Seeds, in place of --seed
    #[arg(long, value_delimiter = ',', value_name = "N,...", conflicts_with = "seed")]
    seeds: Vec<u64>,
    #[command(flatten)]
    pub options: TrainingOptions,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// A training.
#[derive(Serialize)]
struct TrialRecord {
    points: usize,
    fitted: bool,
}

/// The search with a seed.
#[derive(Serialize)]
struct SeedRecord {
    seed: u64,
    /// The most points that were fitted.
    fitted: usize,
    /// Points that were not; null if all were fitted.
    failed: Option<usize>,
    trials: Vec<TrialRecord>,
}

/// What `--json` prints and `capacity.json` holds.
#[derive(Serialize)]
struct CapacityRecord<'a> {
    sample: &'a str,
    model: &'a str,
    points: usize,
    label_classes: u32,
    parameters: u64,
    seeds: Vec<SeedRecord>,
    /// Bits of the labels that were fitted over the parameters, of the least and the most of the seeds.
    bits_a_parameter: [f64; 2],
    /// Of a perceptron.
    known: Option<KnownCapacity>,
    /// Why nothing is known.
    unknown: Option<String>,
}

impl Record for CapacityRecord<'_> {
    const FORMAT: &'static str = "shatter capacity 1";
}

pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    if !(arguments.tolerance >= 0.0 && arguments.tolerance.is_finite()) {
        let text = format!("--tolerance {}: expected a number from 0 on", arguments.tolerance);
        return Err(CliError::Usage(text));
    }
    match arguments.options.precision {
        Precision::F32 | Precision::Tf32 | Precision::Bf16 => capacity::<f32>(arguments),
        Precision::F64 => capacity::<f64>(arguments),
    }
}

fn capacity<E: Element>(arguments: &Arguments) -> Result<Answer, CliError>
where
    Cpu: Device<E>,
{
    let Arguments { sample, options, common, .. } = arguments;
    let out = common.out.clone().unwrap_or_else(|| PathBuf::from("out/capacity"));
    let seeds = match arguments.seeds.is_empty() {
        true => vec![common.seed()],
        false => arguments.seeds.clone(),
    };
    let setup = options.setup(sample, common.seed())?;
    let Labels::Classes { count: classes, .. } = setup.train.labels else {
        return Err(CliError::Usage(format!(
            "{sample}: labels are real numbers; expected classes"
        )));
    };
    let device = options.device::<E>(&setup)?;
    let random = |seed| Case { condition: Condition::Labels(LabelRule::Random), seed };
    let shared = setup.common(options);
    shared.check(random(0))?;
    let architecture = shared.network()?;
    let parameters = architecture.parameters().map_err(shatter_train::TrainError::from)?;
    let graph = drawn(&architecture, &setup.settings, E::FORMAT)?;
    let known = Perceptron::of(&graph, Outputs::All)
        .and_then(|perceptron| vc::architecture(&perceptron))
        .and_then(|mlp| KnownCapacity::of(&mlp, classes));
    let mut found = Vec::new();
    for &seed in &seeds {
        found.push((seed, of_seed(arguments, &setup, &device, random(seed))?));
    }
    let bits = |n: usize| n as f64 * f64::from(classes).log2() / parameters.max(1) as f64;
    let fitted = found.iter().map(|(_, found)| found.fitted);
    let (least, most) = (fitted.clone().min().unwrap_or(0), fitted.max().unwrap_or(0));
    let record = CapacityRecord {
        sample: &setup.train.text,
        model: options.model(),
        points: setup.train.points.n(),
        label_classes: classes,
        parameters,
        seeds: found.iter().map(|(seed, found)| seed_record(*seed, found)).collect(),
        bits_a_parameter: [bits(least), bits(most)],
        unknown: known.as_ref().err().map(ToString::to_string),
        known: known.ok(),
    };
    write(&out, "capacity.json", json::text(&record)?)?;
    write_figure(&out, "capacity", rows(&figure(&record, arguments))?)?;
    let manifest =
        options.sweep_manifest::<E>(&setup, random(seeds[0]), &device.describe(), Vec::new())?;
    let place = manifest::place(&out, "capacity");
    manifest.write(&out.join(&place))?;
    if common.json {
        json::print(&record)?;
    } else {
        let files = format!(
            "Written to {}: capacity.json, capacity.png (and .svg), {place}.\n",
            out.display()
        );
        print(&format!("{}\n{files}", text(&record, &setup)))?;
    }
    Ok(Answer::Yes)
}

/// The search with one seed.
fn of_seed<E: Element>(
    arguments: &Arguments,
    setup: &Setup,
    device: &ChosenDevice<E>,
    case: Case,
) -> Result<Capacity, CliError> {
    let all = setup.train.points.n();
    let progress = RefCell::new(Progress::start());
    training::begin();
    let found = search(arguments.least, all, arguments.tolerance, |n| {
        progress.borrow().say(format!("seed {}, {} points", case.seed, grouped(n as u64)));
        let rows: Vec<u32> = (0..n as u32).collect();
        let first = RawSample {
            text: setup.train.text.clone(),
            points: setup
                .train
                .points
                .select(&rows)
                .map_err(|e| CliError::sample(&arguments.sample, e))?,
            labels: setup.train.labels.select(&rows),
        };
        let all = setup.common(&arguments.options);
        let settings = Settings { batch: all.settings.batch.min(n), ..all.settings.clone() };
        let common = Common {
            train: &first,
            test: None,
            digests: (fingerprint_labelled(&first), None),
            settings,
            ..all
        };
        let prepared = common.prepare::<E>(case)?;
        let mut trainer = common.trainer(device.device.as_ref(), &[(case, &prepared)])?;
        fits(&mut trainer, &training::stopped)?
            .ok_or_else(|| CliError::Interrupted("stopped; a search begins anew".into()))
    });
    training::end();
    found
}

fn seed_record(seed: u64, found: &Capacity) -> SeedRecord {
    let trials = found.trials.iter();
    SeedRecord {
        seed,
        fitted: found.fitted,
        failed: found.failed,
        trials: trials
            .map(|trial| TrialRecord { points: trial.points, fitted: trial.fitted })
            .collect(),
    }
}

/// What is known, in words: the number of points and what is said of it.
fn known(known: &KnownCapacity) -> Vec<(&'static str, Option<u64>)> {
    vec![
        ("this architecture, by construction: all labels", Some(known.by_construction)),
        ("as many numbers in the form of Theorem 1: all labels", Some(known.by_numbers)),
        ("real labels: almost none beyond", Some(known.by_dimension)),
        ("classes: not all labellings beyond", known.by_patterns),
    ]
}

fn figure(record: &CapacityRecord, arguments: &Arguments) -> RowsFigure {
    let fitted = |seed: &SeedRecord| seed.fitted as f64;
    let failed = |seed: &SeedRecord| seed.failed.map(|n| n as f64);
    let trained = Row {
        name: "training: fitted, and not fitted".into(),
        values: vec![
            record.seeds.iter().map(fitted).filter(|n| *n > 0.0).collect(),
            record.seeds.iter().filter_map(failed).collect(),
        ],
    };
    let known = record.known.iter().flat_map(known).enumerate().map(|(at, (name, n))| {
        let values: Vec<f64> = n.into_iter().map(|n| n as f64).filter(|n| *n > 0.0).collect();
        let kinds = if at < 2 { vec![values, vec![]] } else { vec![vec![], values] };
        Row { name: name.into(), values: kinds }
    });
    let parameters =
        Row { name: "parameters".into(), values: vec![vec![record.parameters as f64], vec![]] };
    RowsFigure {
        title: format!("How many labels {} fits, {} classes", record.model, record.label_classes),
        kinds: vec!["fitted".into(), "not fitted".into()],
        rows: [trained, parameters].into_iter().chain(known).collect(),
        levels: (Vec::new(), String::new()),
        x: "points".into(),
        least: 1.0,
        note: format!(
            "shatter capacity {} --model {}{} (commit {})",
            arguments.sample,
            record.model,
            seeds_text(&arguments.seeds),
            build().commit
        ),
    }
}

/// The option, where it was given.
fn seeds_text(seeds: &[u64]) -> String {
    let all: Vec<String> = seeds.iter().map(u64::to_string).collect();
    if all.is_empty() { String::new() } else { format!(" --seeds {}", all.join(",")) }
}

fn text(record: &CapacityRecord, setup: &Setup) -> String {
    let mut facts = Facts::default();
    let number = |n: usize| grouped(n as u64);
    facts.add("sample", format!("{}, {}", record.sample, setup.train.points.describe()));
    facts.add("network", record.model);
    facts.add("parameters", grouped(record.parameters));
    facts.add("labels", format!("random, {} classes", record.label_classes));
    for seed in &record.seeds {
        let failed = match seed.failed {
            Some(failed) => format!("{} were not", number(failed)),
            None => "which are all".to_owned(),
        };
        let text = format!(
            "seed {}: {} points fitted, {failed}; {} trainings",
            seed.seed,
            number(seed.fitted),
            seed.trials.len()
        );
        facts.add("trained", text);
    }
    let [least, most] = record.bits_a_parameter;
    let bits = match least == most {
        true => format!("{least:.3} bits of labels a parameter"),
        false => format!("{least:.3} to {most:.3} bits of labels a parameter"),
    };
    facts.add("", bits);
    let mut text = facts.text().to_owned();
    match (&record.known, &record.unknown) {
        (Some(of), _) => {
            let _ = writeln!(text, "\n{:<54} {:>12} {:>16}", "known", "points", "bits a parameter");
            for (name, n) in known(of) {
                let points = n.map_or_else(|| "–".to_owned(), grouped);
                let bits = n.map_or(f64::NAN, |n| of.bits_a_parameter(n, record.label_classes));
                let _ = writeln!(text, "{name:<54} {points:>12} {bits:>16.3}");
            }
        }
        (None, Some(reason)) => {
            let _ = writeln!(text, "\nNo construction or obstruction speaks of it: {reason}");
        }
        (None, None) => {}
    }
    text
}
