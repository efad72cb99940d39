//! Runs of `train` and `randomize`, as their folders record them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use shatter_network::architecture::text::outputs;
use shatter_prepare::Condition;
use shatter_sample::LabelRule;
use shatter_train::randomize::Case;
use shatter_train::run::{RECORD, SUMMARY};
use shatter_train::{Line, Loss, Settings, Summary};

use super::super::CliError;
use super::super::manifest::{FORMAT as MANIFEST_FORMAT, MANIFEST};

/// How deep below a given folder runs are looked for.
const DEPTH: usize = 4;

/// A run that has ended.
pub struct Recorded {
    /// The network, as it was named.
    pub model: String,
    /// The training sample.
    pub sample: String,
    /// Condition and seed.
    pub case: Case,
    /// What was minimized.
    pub loss: Loss,
    /// The build that trained.
    pub commit: String,
    /// The record.
    pub lines: Vec<Line>,
    /// How it went.
    pub summary: Summary,
}

/// What is read of a run's manifest.
#[derive(Deserialize)]
struct Manifest {
    /// Absent in manifests that were written before it was.
    format: Option<String>,
    commit: String,
    configuration: Configuration,
}

#[derive(Deserialize)]
struct Configuration {
    model: String,
    sample: String,
    condition: String,
    settings: Settings,
}

impl Recorded {
    /// The run in a folder.
    pub fn read(folder: &Path) -> Result<Recorded, CliError> {
        let manifest = folder.join(MANIFEST);
        let Manifest { format, commit, configuration } = json(&manifest)?;
        if let Some(format) = format.filter(|format| format != MANIFEST_FORMAT) {
            let reason =
                format!("its format is '{format}', this version reads '{MANIFEST_FORMAT}'");
            return Err(bad(&manifest, reason));
        }
        let Configuration { model, sample, condition, settings } = configuration;
        let condition: Condition = condition.parse().map_err(|reason| bad(&manifest, reason))?;
        let case = Case { condition, seed: settings.seed };
        let lines = read_lines(&folder.join(RECORD))?;
        let summary = json(&folder.join(SUMMARY))?;
        Ok(Recorded { model, sample, case, loss: settings.loss, commit, lines, summary })
    }

    /// The runs in a folder and below it, in the order of their paths.
    pub fn below(folder: &Path) -> Result<Vec<Recorded>, CliError> {
        folders(folder)?.iter().map(|folder| Recorded::read(folder)).collect()
    }

    /// The share of labels that were redrawn, for conditions on labels.
    pub fn corruption(&self) -> Option<f64> {
        match self.case.condition {
            Condition::Labels(LabelRule::True) => Some(0.0),
            Condition::Labels(LabelRule::Corrupted(p)) => Some(p),
            Condition::Labels(LabelRule::Random) => Some(1.0),
            _ => None,
        }
    }

    /// When it counts as fitted, in brackets.
    pub fn goal(&self) -> String {
        let Settings { until_accuracy, until_loss, .. } = self.summary.identity.settings;
        let accuracy = until_accuracy.map(|share| format!("training accuracy {}%", 100.0 * share));
        let loss = until_loss.map(|loss| format!("loss {loss}"));
        let goals: Vec<String> = accuracy.into_iter().chain(loss).collect();
        if goals.is_empty() { String::new() } else { format!(" (fitted: {})", goals.join(", ")) }
    }

    /// What differs between the settings and data of two runs, besides condition, seed and epochs.
    pub fn difference(&self, other: &Recorded) -> Option<(String, [String; 2])> {
        const APART: [&str; 4] = ["condition", "condition_seed", "seed", "epochs"];
        let difference = self.summary.identity.difference(&other.summary.identity, &APART)?;
        Some((difference.field.replace('_', " "), [difference.here, difference.there]))
    }

    /// Classes, if that is what it was trained on.
    pub fn classes(&self) -> Option<usize> {
        (self.loss == Loss::CrossEntropy).then(|| outputs(&self.summary.architecture)).flatten()
    }

    /// The lines that close an epoch.
    pub fn epochs(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.end_of_epoch)
    }
}

/// The folders of runs in a folder and below it, in the order of their paths.
pub fn folders(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let mut folders = Vec::new();
    find(folder, DEPTH, &mut folders).map_err(CliError::at(folder))?;
    Ok(folders)
}

/// The lines of a record.
pub fn read_lines(path: &Path) -> Result<Vec<Line>, CliError> {
    let text = fs::read_to_string(path).map_err(CliError::at(path))?;
    let line = |(at, line)| {
        serde_json::from_str(line).map_err(|error| bad(path, format!("line {}: {error}", at + 1)))
    };
    text.lines().enumerate().map(line).collect()
}

/// Where the weights of a run came from, as its manifest says, if it does.
pub fn init(manifest: &Path) -> Option<PathBuf> {
    #[derive(Default, Deserialize)]
    struct Manifest {
        configuration: Configuration,
    }
    #[derive(Default, Deserialize)]
    struct Configuration {
        init: Option<PathBuf>,
    }
    let text = fs::read(manifest).unwrap_or_default();
    serde_json::from_slice::<Manifest>(&text).unwrap_or_default().configuration.init
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, CliError> {
    let text = fs::read(path).map_err(CliError::at(path))?;
    serde_json::from_slice(&text).map_err(|error| bad(path, error.to_string()))
}

fn bad(path: &Path, reason: String) -> CliError {
    CliError::at(path)(io::Error::other(reason))
}

/// Folders that hold the summary of a run.
fn find(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    if folder.join(SUMMARY).is_file() {
        found.push(folder.to_owned());
    }
    let mut below = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            below.push(entry.path());
        }
    }
    below.sort();
    let next = depth.checked_sub(1);
    next.map_or(Ok(()), |depth| below.iter().try_for_each(|folder| find(folder, depth, found)))
}
