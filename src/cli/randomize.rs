//! `shatter randomize`: the randomization tests of the paper, run by run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::device::Element;
use crate::figure::{self, Run, randomization};
use crate::record::Manifest;
use crate::sample::fingerprint::fingerprint;
use crate::sample::{Condition, Labels};
use crate::train::randomize::{Case, Row, summary, table};
use crate::train::run::{Left, RECORD};
use crate::train::{Summary, TrainError};

use super::device::Chosen;
use super::output::{grouped, print, print_json, seconds};
use super::train::{ended_text, read_lines};
use super::training::{Options, Precision, Task, Watch};
use super::{CliError, Common, Verdict, write, write_figure};

#[derive(Args, Debug, Clone)]
#[command(after_help = "Examples:\n  \
    shatter randomize cifar10:DIR --seeds 0,1,2\n  \
    shatter randomize cifar10:DIR --corruption 0,0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1\n  \
    shatter randomize fashion-mnist:DIR,first=1000 --model inception --conditions true,random\n\n\
    Trains the network under each condition with each seed, each in a folder of its own; runs that \
    have ended are kept, one that was interrupted goes on where it stood.\n\
    Prints steps to fit, their ratio to those of the true labels, and test errors; writes table.json, \
    loss.png (Fig. 1a of the paper), and with --corruption time.png and test_error.png (1b, 1c).\n\
    Exit status: 0 if every run fitted its training set, 1 if not, 2 for bad input, 3 if one \
    diverged, 4 if there is no such device, 130 if interrupted.")]
pub struct Arguments {
    /// The training sample, for example cifar10:DIR
    sample: String,
    /// Conditions [default: all six, corrupted by half]
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "CONDITION,...",
        conflicts_with = "corruption"
    )]
    conditions: Vec<Condition>,
    /// Shares of corrupted labels, in place of conditions; 0 are the true labels, 1 random ones
    #[arg(long, value_delimiter = ',', value_name = "P,...")]
    corruption: Vec<f64>,
    /// Seeds, in place of --seed
    #[arg(long, value_delimiter = ',', value_name = "N,...", conflicts_with = "seed")]
    seeds: Vec<u64>,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    pub common: Common,
}

impl Arguments {
    fn conditions(&self) -> Result<Vec<Condition>, CliError> {
        let share = |&p: &f64| match p {
            0.0 => Ok(Condition::True),
            1.0 => Ok(Condition::Random),
            _ if (0.0..=1.0).contains(&p) => Ok(Condition::Corrupted(p)),
            _ => Err(CliError::Usage(format!("--corruption {p}: a share from 0 to 1 is wanted"))),
        };
        if !self.corruption.is_empty() {
            self.corruption.iter().map(share).collect()
        } else if !self.conditions.is_empty() {
            Ok(self.conditions.clone())
        } else {
            Ok(vec![
                Condition::True,
                Condition::Corrupted(0.5),
                Condition::Random,
                Condition::ShuffledPixels,
                Condition::RandomPixels,
                Condition::Gaussian,
            ])
        }
    }

    fn seeds(&self) -> Vec<u64> {
        if self.seeds.is_empty() { vec![self.common.seed()] } else { self.seeds.clone() }
    }
}

pub fn run(arguments: &Arguments) -> Result<Verdict, CliError> {
    match arguments.options.precision {
        Precision::F32 => randomize::<f32>(arguments),
        Precision::F64 => randomize::<f64>(arguments),
    }
}

fn randomize<E: Element>(arguments: &Arguments) -> Result<Verdict, CliError> {
    let Arguments { sample, options, common, .. } = arguments;
    let (conditions, seeds) = (arguments.conditions()?, arguments.seeds());
    let out = common.out.clone().unwrap_or_else(|| PathBuf::from("out/randomize"));
    let task = options.task(sample, common.seed())?;
    let device = options.device::<E>(&task)?;
    let mut manifest = Manifest::new(serde_json::json!({
        "sample": sample,
        "model": options.model(),
        "conditions": conditions.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "seeds": seeds,
        "settings": task.settings,
        "preprocess": task.preprocess,
        "precision": E::NAME,
        "device": device.describe(),
    }));
    manifest.sample = Some(task.train.text.clone());
    manifest.points_sha256 = Some(fingerprint(&task.train.points));
    let path = out.join("manifest.json");
    manifest.write(&path).map_err(CliError::at(&path))?;
    let cases: Vec<Case> = seeds
        .iter()
        .flat_map(|&seed| conditions.iter().map(move |&condition| Case { condition, seed }))
        .collect();
    let mut runs = Vec::new();
    for (index, &case) in cases.iter().enumerate() {
        let place = format!("{} of {}", index + 1, cases.len());
        let summary = one(arguments, (&task, &device), case, &out, &place)?;
        runs.push((case, summary));
    }
    let rows = table(&runs);
    write(&out, "table.json", serde_json::to_string_pretty(&rows)? + "\n")?;
    let caption = format!(
        "shatter randomize {sample} --model {} · seeds {seeds:?} · version {} · commit {}",
        options.model(),
        manifest.version,
        manifest.commit
    );
    let drawn = draw(arguments, &out, &cases, &rows, &task, &caption)?;
    if common.json {
        print_json(&rows)?;
    } else {
        let files = format!(
            "Written to {}: {drawn}, table.json, manifest.json, and one folder a run.\n",
            out.display()
        );
        print(&format!("\n{}\n{files}", text(&rows)))?;
    }
    let fitted = rows.iter().all(|row| row.steps_to_fit.is_some());
    Ok(if fitted { Verdict::Yes } else { Verdict::No })
}

/// Runs a case, or takes the summary of the run that has ended.
fn one<E: Element>(
    arguments: &Arguments,
    (task, device): (&Task, &Chosen<E>),
    case: Case,
    out: &Path,
    place: &str,
) -> Result<Summary, CliError> {
    let Arguments { options, common, .. } = arguments;
    let folder = options.folder(&out.join(case.name()))?;
    let shared = task.common(options);
    let held = summary(&folder.path)?;
    if let Some(held) = held
        && shared.describes::<E>(case, &held)?
    {
        if !common.json {
            print(&format!("{:<24} {} (kept)\n", case.name(), ended_text(&held)))?;
        }
        return Ok(held);
    }
    let name = format!("{place}, {}", case.name());
    let mut watch = Watch::start(&name, task.train.labels.len(), task.settings.epochs);
    let manifest = folder.path.join("manifest.json");
    let written = options.manifest::<E>(task, case, &device.describe())?.write(&manifest);
    written.map_err(CliError::at(&manifest))?;
    let device = device.device.as_ref();
    let left = shared.run(device, case, &folder, &mut |progress| watch.see(progress))?;
    let took = watch.took();
    drop(watch);
    match left {
        Left::Ended(summary) => {
            if !common.json {
                let text = ended_text(&summary);
                print(&format!("{:<24} {text}, {}\n", case.name(), seconds(took)))?;
            }
            Ok(summary)
        }
        Left::Stopped => Err(CliError::Interrupted(format!(
            "stopped in {}; the same command goes on from there",
            folder.path.display()
        ))),
    }
}

/// The table, aligned.
fn text(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<16} {:>5} {:>9} {:>7} {:>7} {:>10} {:>10} {:>10}\n",
        "condition", "seed", "steps", "epochs", "ratio", "train loss", "train acc.", "test error"
    );
    for row in rows {
        let or_dash = |value: Option<String>| value.unwrap_or_else(|| "–".into());
        let _ = writeln!(
            text,
            "{:<16} {:>5} {:>9} {:>7} {:>7} {:>10.4} {:>10} {:>10}",
            row.condition,
            row.seed,
            or_dash(row.steps_to_fit.map(grouped)),
            or_dash(row.epochs_to_fit.map(|epochs| epochs.to_string())),
            or_dash(row.ratio.map(|ratio| format!("{ratio:.2}"))),
            row.train_loss,
            format!("{:.2} %", 100.0 * row.train_accuracy),
            or_dash(row.test_error.map(|error| format!("{:.2} %", 100.0 * error))),
        );
    }
    text
}

/// Draws what can be drawn; the names of the files.
fn draw(
    arguments: &Arguments,
    out: &Path,
    cases: &[Case],
    rows: &[Row],
    task: &Task,
    note: &str,
) -> Result<String, CliError> {
    let (conditions, model) = (arguments.conditions()?, arguments.options.model());
    let mut curves = Vec::new();
    for &condition in &conditions {
        let mut runs = Vec::new();
        for case in cases.iter().filter(|case| case.condition == condition) {
            let lines = read_lines(&out.join(case.name()).join(RECORD))?;
            let whole = lines.iter().filter(|line| line.end_of_epoch);
            let points = whole.map(|line| (f64::from(line.step) / 1000.0, line.online.loss));
            runs.push(Run { points: points.collect() });
        }
        curves.push((condition.to_string(), runs));
    }
    let plot = randomization::learning_curves(model, curves, note);
    write_figure(out, "loss", figure::draw(&plot)?)?;
    let mut drawn = "loss.png".to_owned();
    // Against corruption, one run a seed.
    let against = |value: &dyn Fn(&Row) -> Option<f64>| {
        let of_seed = |&seed: &u64| {
            let points =
                arguments.corruption.iter().zip(&conditions).filter_map(|(&p, condition)| {
                    let name = condition.to_string();
                    let row = rows.iter().find(|row| row.seed == seed && row.condition == name)?;
                    Some((p, value(row)?))
                });
            Run { points: points.collect() }
        };
        let runs: Vec<Run> = arguments.seeds().iter().map(of_seed).collect();
        let runs: Vec<Run> = runs.into_iter().filter(|run| !run.points.is_empty()).collect();
        (!runs.is_empty()).then(|| vec![(model.to_owned(), runs)])
    };
    if let Some(models) = against(&|row| row.ratio) {
        write_figure(out, "time", figure::draw(&randomization::relative_time(models, note))?)?;
        drawn += ", time.png";
    }
    if let (Some(models), Labels::Classes { count, .. }) =
        (against(&|row| row.test_error), &task.train.labels)
    {
        let plot = randomization::test_error(models, *count as usize, note);
        write_figure(out, "test_error", figure::draw(&plot)?)?;
        drawn += ", test_error.png";
    }
    Ok(drawn + " (and .svg)")
}

impl From<TrainError> for CliError {
    fn from(error: TrainError) -> CliError {
        CliError::Train(Box::new(error.into()))
    }
}
