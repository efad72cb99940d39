//! `shatter rethink`: the paper's argument as an experiment. Twins, networks with the same start and the same training,
//! one on true labels and one on random ones; every measure of both, side by side.

mod again;
mod figure;
mod text;

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use shatter_device::Device;
use shatter_device::cpu::Cpu;
use shatter_exact::Element;
use shatter_figure::rows::rows;
use shatter_measure::contrast::{Apart, Contrast, contrast};
use shatter_measure::{Finding, Kind, Vacuity};
use shatter_prepare::Condition;
use shatter_sample::{LabelRule, Labels};
use shatter_train::randomize::Case;
use shatter_train::run::CHECKPOINT;
use shatter_train::{Ended, Summary};

use crate::input::Described;
use crate::json::{self, Number, Record};
use crate::manifest;
use crate::measure::{Asked, FindingRecord, Theories, findings, load};
use crate::output::{Progress, print};
use crate::reading::Override;
use crate::runs::{One, Runs};
use crate::training::{Precision, Setup, TrainingOptions};
use again::Again;

use crate::{Answer, CliError, CommonOptions, write, write_figure};

/// Epochs of the search for a posterior, unless told.
const PAC_BAYES: u32 = 20;
/// Draws for sharpness, unless told.
const SHARPNESS: u32 = 5;

#[derive(Args, Debug, Clone)]
#[command(
    mut_arg("rate_decay", |arg| arg.default_value("1")),
    mut_arg("epochs", |arg| arg.default_value("300")),
    mut_arg("batch", |arg| arg.default_value("32")),
    after_help = "Examples:\n  \
    shatter rethink digits:first=1000\n  \
    shatter rethink mnist:DIR,first=2000\n  \
    shatter rethink cifar10:DIR --seeds 0,1,2\n  \
    shatter rethink mnist:DIR,first=2000 --model mlp:100 --corruption 0,0.25,0.5,0.75,1\n\n\
    Trains the same network from the same start on true and on random labels (or on each share of corrupted \
    labels), each in a folder of its own; runs that have ended are kept. Then measures all of them as `shatter \
    measure` does. A measure tells the two apart if its values on random labels all lie on one side of those on \
    true labels; with one seed that happens by chance alone, so use --seeds.\n\
    Writes rethink.json and rethink.png.\n\
    Exit status: 0 if every run that had a goal reached it, 1 if not, 2 for bad input, 3 if one diverged, 4 if \
    there is no such device, 130 if interrupted."
)]
pub struct Arguments {
    /// The training sample, for example digits
    sample: String,
    /// Shares of corrupted labels: 0 for true labels, 1 for random ones [default: 0,1]
    #[arg(long, value_delimiter = ',', value_name = "P,...")]
    corruption: Vec<f64>,
    /// Seeds, in place of --seed
    #[arg(long, value_delimiter = ',', value_name = "N,...", conflicts_with = "seed")]
    seeds: Vec<u64>,
    /// Also train twice on samples that differ in one example, under each condition, and compare the networks
    #[arg(long)]
    swap: bool,
    /// Random signs that the same network is trained on, for an estimate of the Rademacher complexity from
    /// below; 0 leaves it out
    #[arg(long, default_value_t = 1, value_name = "DRAWS")]
    rademacher: u32,
    #[command(flatten)]
    theories: Theories,
    #[command(flatten)]
    pub options: TrainingOptions,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// A run with its measures.
#[derive(Serialize)]
struct TwinRecord {
    condition: String,
    seed: u64,
    ended: Ended,
    steps: u32,
    epochs: u32,
    train_error: Option<f64>,
    test_error: Option<f64>,
    findings: Vec<FindingRecord>,
}

/// A measure on true and on random labels.
#[derive(Serialize)]
struct ContrastRecord {
    name: String,
    kind: Kind,
    with_true: Vec<Number>,
    with_random: Vec<Number>,
    says: Option<[Number; 2]>,
    vacuous: Option<Vacuity>,
    apart: Apart,
    by_chance: f64,
    sentence: String,
}

impl ContrastRecord {
    fn of(contrast: &Contrast) -> ContrastRecord {
        let numbers = |values: &[f64]| values.iter().map(|&x| Number::from(x)).collect();
        ContrastRecord {
            name: contrast.name.clone(),
            kind: contrast.kind,
            with_true: numbers(&contrast.with_true),
            with_random: numbers(&contrast.with_random),
            says: contrast.says.map(|both| both.map(Number::from)),
            vacuous: contrast.vacuous,
            apart: contrast.apart,
            by_chance: contrast.by_chance(),
            sentence: contrast.sentence(),
        }
    }
}

/// What `--json` prints and `rethink.json` holds.
#[derive(Serialize)]
struct RethinkRecord<'a> {
    sample: &'a str,
    test: Option<&'a str>,
    model: &'a str,
    points: usize,
    label_classes: u32,
    delta: f64,
    runs: Vec<TwinRecord>,
    contrasts: Vec<ContrastRecord>,
}

impl Record for RethinkRecord<'_> {
    const FORMAT: &'static str = "shatter rethink 1";
}

/// What text and figure show.
struct Shown<'a> {
    all: &'a [Twin],
    conditions: &'a [Condition],
    contrasts: &'a [Contrast],
    classes: u32,
    setup: &'a Setup,
}

/// A run, measured.
struct Twin {
    case: Case,
    summary: Summary,
    findings: Vec<Finding>,
}

pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    arguments.theories.check()?;
    match arguments.options.precision {
        Precision::F32 | Precision::Tf32 | Precision::Bf16 => rethink::<f32>(arguments),
        Precision::F64 => rethink::<f64>(arguments),
    }
}

/// The conditions, from true labels to random ones.
fn conditions(arguments: &Arguments) -> Result<Vec<Condition>, CliError> {
    let mut shares = match arguments.corruption.is_empty() {
        true => vec![0.0, 1.0],
        false => arguments.corruption.clone(),
    };
    if let Some(share) = shares.iter().find(|share| !(0.0..=1.0).contains(*share)) {
        let text = format!("--corruption {share}: expected a share from 0 to 1");
        return Err(CliError::Usage(text));
    }
    shares.sort_by(f64::total_cmp);
    shares.dedup();
    if shares.len() < 2 {
        return Err(CliError::Usage(
            "--corruption: expected at least two shares to compare".into(),
        ));
    }
    let rule = |share| match share {
        0.0 => LabelRule::True,
        1.0 => LabelRule::Random,
        share => LabelRule::Corrupted(share),
    };
    Ok(shares.into_iter().map(|share| Condition::Labels(rule(share))).collect())
}

fn rethink<E: Element>(arguments: &Arguments) -> Result<Answer, CliError>
where
    Cpu: Device<E>,
{
    let Arguments { sample, options, common, .. } = arguments;
    let out = common.out.clone().unwrap_or_else(|| PathBuf::from("out/rethink"));
    let conditions = conditions(arguments)?;
    let seeds = match arguments.seeds.is_empty() {
        true => vec![common.seed()],
        false => arguments.seeds.clone(),
    };
    let setup = options.setup(sample, common.seed())?;
    let Labels::Classes { count: classes, .. } = setup.train.labels else {
        return Err(CliError::Usage(format!(
            "{sample}: labels are real numbers; random ones are compared with true ones by errors of classes"
        )));
    };
    let device = options.device::<E>(&setup)?;
    let cases: Vec<Case> = seeds
        .iter()
        .flat_map(|&seed| conditions.iter().map(move |&condition| Case { condition, seed }))
        .collect();
    let shared = setup.common(options);
    cases.iter().try_for_each(|&case| shared.check(case))?;
    let runs = Runs { options, setup: &setup, device: &device, quiet: common.json };
    let theories = arguments.theories.or(PAC_BAYES, SHARPNESS);
    let mut all = Vec::new();
    for (at, &case) in cases.iter().enumerate() {
        let path = out.join(case.name());
        let one = One { case, path: path.clone(), name: case.name() };
        let summary = runs.one(one, &format!("{} of {}", at + 1, cases.len()))?;
        let findings = match summary.ended {
            Ended::Diverged => Vec::new(),
            _ => measured(arguments, &theories, &path, &setup)?,
        };
        all.push(Twin { case, summary, findings });
    }
    let again = Again { common: &shared, device: device.device.as_ref() };
    if arguments.swap {
        for twin in &mut all {
            twin.findings.extend(again.swapped(twin.case)?);
        }
    }
    if arguments.rademacher > 0 {
        let found = again.signs(arguments.rademacher, common.seed(), theories.delta)?;
        for twin in all.iter_mut().filter(|twin| !twin.findings.is_empty()) {
            twin.findings.push(found.clone());
        }
    }
    let group = |condition: Condition| -> Vec<Vec<Finding>> {
        let of = |twin: &&Twin| twin.case.condition == condition && !twin.findings.is_empty();
        all.iter().filter(of).map(|twin| twin.findings.clone()).collect()
    };
    let groups: Vec<Vec<Vec<Finding>>> = conditions.iter().map(|&one| group(one)).collect();
    let (Some(with_true), Some(with_random)) = (groups.first(), groups.last()) else {
        return Err(CliError::Usage("nothing to compare".into())); // two conditions at least
    };
    let contrasts = contrast(with_true, with_random, classes);
    let record = RethinkRecord {
        sample: &setup.train.text,
        test: setup.test.as_ref().map(|test| test.text.as_str()),
        model: options.model(),
        points: setup.train.points.n(),
        label_classes: classes,
        delta: theories.delta,
        runs: all.iter().map(|twin| twin_record(twin, classes)).collect(),
        contrasts: contrasts.iter().map(ContrastRecord::of).collect(),
    };
    write(&out, "rethink.json", json::text(&record)?)?;
    let command = command(arguments);
    let shown =
        Shown { all: &all, conditions: &conditions, contrasts: &contrasts, classes, setup: &setup };
    write_figure(&out, "rethink", rows(&shown.figure(options.model(), &command))?)?;
    let names = cases.iter().map(Case::name).collect();
    let manifest = options.sweep_manifest::<E>(&setup, cases[0], &device.describe(), names)?;
    let place = manifest::place(&out, "rethink");
    manifest.write(&out.join(&place))?;
    if common.json {
        json::print(&record)?;
    } else {
        let files = format!(
            "Written to {}: rethink.json, rethink.png (and .svg), {place}, and one folder a run.\n",
            out.display()
        );
        print(&format!("\n{}\n{files}", shown.text(&groups)))?;
    }
    let diverged = all.iter().any(|twin| twin.summary.ended == Ended::Diverged);
    let fitted =
        all.iter().all(|twin| twin.summary.ended == Ended::Fitted || !twin.summary.asked());
    Ok(match (diverged, fitted) {
        (true, _) => Answer::Diverged,
        (_, true) => Answer::Yes,
        _ => Answer::No,
    })
}

/// The command, without options that change no number.
fn command(arguments: &Arguments) -> String {
    let joined = |name: &str, values: Vec<String>| match values.is_empty() {
        true => String::new(),
        false => format!(" --{name} {}", values.join(",")),
    };
    let seeds = arguments.seeds.iter().map(u64::to_string).collect();
    let shares = arguments.corruption.iter().map(f64::to_string).collect();
    format!(
        "shatter rethink {} --model {}{}{}",
        arguments.sample,
        arguments.options.model(),
        joined("seeds", seeds),
        joined("corruption", shares)
    )
}

/// The measures of the run in a folder.
fn measured(
    arguments: &Arguments,
    theories: &Theories,
    folder: &Path,
    setup: &Setup,
) -> Result<Vec<Finding>, CliError> {
    let progress = Progress::start();
    progress.say(format!("measuring {}", folder.display()));
    let checkpoint = folder.join(CHECKPOINT);
    let (described, said) = (Described::default(), Override::default());
    // The condition and the seeds are those of the checkpoint.
    let common = CommonOptions { seed: None, json: true, out: None };
    let asked = Asked {
        network: &checkpoint,
        sample: &setup.train.text,
        labels: None,
        test: None,
        start: None,
        described: &described,
        said: &said,
        common: &common,
    };
    let owned = load(&asked)?;
    findings(&owned, theories, arguments.common.seed())
}

fn test_error(summary: &Summary) -> Option<f64> {
    summary.test.and_then(|test| test.accuracy).map(|accuracy| 1.0 - accuracy)
}

fn twin_record(twin: &Twin, classes: u32) -> TwinRecord {
    let Twin { case, summary, findings } = twin;
    TwinRecord {
        condition: case.condition.to_string(),
        seed: case.seed,
        ended: summary.ended,
        steps: summary.steps,
        epochs: summary.epochs,
        train_error: summary.train.accuracy.map(|accuracy| 1.0 - accuracy),
        test_error: test_error(summary),
        findings: findings.iter().map(|one| FindingRecord::of(one, classes)).collect(),
    }
}
