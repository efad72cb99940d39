//! A folder of runs: how every measure goes with the measured gap.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use shatter_measure::Finding;
use shatter_measure::kendall::{Bootstrap, Kendall};
use shatter_train::randomize::summary;
use shatter_train::run::CHECKPOINT;

use crate::figures::folders;
use crate::json::{self, FilePath, Record};
use crate::output::{Facts, Progress, print};
use crate::{Answer, CliError};

use super::text::NAMES;
use super::{Arguments, Asked, FindingRecord, findings, load};

/// Resamples of the bootstrap.
const RESAMPLES: u32 = 1000;

/// A run with its measures.
#[derive(Serialize)]
struct RunRecord {
    run: FilePath,
    labels: String,
    seed: u64,
    train_error: f64,
    test_error: f64,
    findings: Vec<FindingRecord>,
}

/// A measure over all runs.
#[derive(Serialize)]
struct CorrelationRecord {
    name: String,
    /// Kendall's tau-b with test error - training error; null where it is not defined.
    tau: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    /// Runs that have the measure.
    runs: usize,
}

/// What `--json` prints and `measure.json` holds.
#[derive(Serialize)]
struct CorrelationsRecord<'a> {
    sample: &'a str,
    delta: f64,
    resamples: u32,
    runs: Vec<RunRecord>,
    correlations: Vec<CorrelationRecord>,
}

impl Record for CorrelationsRecord<'_> {
    const FORMAT: &'static str = "shatter measure runs 1";
}

/// The manifest's configuration.
#[derive(Serialize)]
struct Configuration<'a> {
    runs: FilePath,
    seed: u64,
    theories: &'a super::Theories,
}

pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    let given = [
        (arguments.labels.is_some(), "--labels"),
        (arguments.test.is_some(), "--test"),
        (arguments.start.is_some(), "--start"),
    ];
    if let Some((_, option)) = given.iter().find(|(given, _)| *given) {
        return Err(CliError::Usage(format!(
            "{option} is not for a folder of runs, which have their own"
        )));
    }
    let progress = Progress::start();
    let found = folders(&arguments.network)?;
    let folders: Vec<PathBuf> =
        found.into_iter().filter(|at| at.join(CHECKPOINT).is_file()).collect();
    let mut runs = Vec::new();
    for (at, folder) in folders.iter().enumerate() {
        progress.say(format!("{} of {}, {}", at + 1, folders.len(), folder.display()));
        let Some(ended) = summary(folder)? else { continue };
        let test_error = ended.test.and_then(|test| test.accuracy).map(|accuracy| 1.0 - accuracy);
        let Some((test_error, accuracy)) = test_error.zip(ended.train.accuracy) else { continue };
        let checkpoint = folder.join(CHECKPOINT);
        let asked = Asked {
            network: &checkpoint,
            sample: &arguments.sample,
            labels: None,
            test: None,
            start: None,
            described: &arguments.described,
            said: &arguments.said,
            common: &arguments.common,
        };
        let owned = load(&asked)?;
        let found = findings(&owned, &arguments.theories, arguments.common.seed())?;
        let record = RunRecord {
            run: folder.as_path().into(),
            labels: owned.condition.clone(),
            seed: owned.seed,
            train_error: 1.0 - accuracy,
            test_error,
            findings: found.iter().map(|one| FindingRecord::of(one, owned.classes)).collect(),
        };
        runs.push((record, found));
    }
    if runs.len() < 2 {
        return Err(CliError::Usage(format!(
            "{}: found {} runs with checkpoint and test error; expected at least 2 (`shatter randomize` leaves them)",
            arguments.network.display(),
            runs.len()
        )));
    }
    let gaps: Vec<f64> = runs.iter().map(|(run, _)| run.test_error - run.train_error).collect();
    let mut names: Vec<&str> = Vec::new();
    for finding in runs.iter().flat_map(|(_, found)| found) {
        if !names.contains(&finding.name.as_str()) {
            names.push(&finding.name);
        }
    }
    let seed = arguments.common.seed();
    let bootstrap = Bootstrap { seed, draws: RESAMPLES, ..Bootstrap::default() };
    let one = |name: &str| -> Result<CorrelationRecord, CliError> {
        let value = |found: &Vec<Finding>| {
            found.iter().find(|one| one.name == name).map_or(f64::NAN, |one| one.value)
        };
        let values: Vec<f64> = runs.iter().map(|(_, found)| value(found)).collect();
        let Kendall { tau, interval, runs, .. } = Kendall::of(&values, &gaps, &bootstrap)?;
        let (low, high) = interval.unzip();
        Ok(CorrelationRecord { name: name.to_owned(), tau, low, high, runs })
    };
    let correlations = names.into_iter().map(one).collect::<Result<Vec<_>, _>>()?;
    drop(progress);
    let record = CorrelationsRecord {
        sample: &arguments.sample,
        delta: arguments.theories.delta,
        resamples: RESAMPLES,
        runs: runs.into_iter().map(|(record, _)| record).collect(),
        correlations,
    };
    let configuration = Configuration {
        runs: FilePath::from(arguments.network.as_path()),
        seed,
        theories: &arguments.theories,
    };
    arguments.common.write("measure", &record, configuration, Some(&arguments.sample))?;
    if arguments.common.json {
        json::print(&record)?;
    } else {
        print(&text(&record))?;
    }
    Ok(Answer::Yes)
}

fn text(record: &CorrelationsRecord) -> String {
    let mut facts = Facts::default();
    facts.add("sample", record.sample);
    facts.add("runs", record.runs.len().to_string());
    let gaps = record.runs.iter().map(|run| run.test_error - run.train_error);
    let (least, most) = gaps.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), gap| {
        (least.min(gap), most.max(gap))
    });
    facts.add("gap", format!("test error less training error, from {least:.4} to {most:.4}"));
    let mut text = format!(
        "{}\n{:<NAMES$} {:>6} {:>17} {:>5}\n",
        facts.text(),
        "measure",
        "tau",
        "95 % of resamples",
        "runs"
    );
    for one in &record.correlations {
        let tau = one.tau.map_or_else(|| "–".to_owned(), |tau| format!("{tau:.3}"));
        let interval = one.low.zip(one.high);
        let interval =
            interval.map_or_else(String::new, |(low, high)| format!("{low:.3} to {high:.3}"));
        let _ = writeln!(text, "{:<NAMES$} {tau:>6} {interval:>17} {:>5}", one.name, one.runs);
    }
    text
}
