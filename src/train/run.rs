//! A run from where it stands to its end, with its record, checkpoints and summary in a folder:
//!
//! * `train.jsonl`: one [`Line`] an epoch, and every `log_every` steps if asked for;
//! * `checkpoint.safetensors`: where to resume;
//! * `summary.json`: how it went, when it has ended.
//!
//! Neither how often checkpoints are written nor where a run was interrupted changes a byte of
//! what comes out: orders, dropout and augmentation are functions of seed, epoch and step.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::device::Element;
use crate::record::atomic;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::error::TrainError;
use super::outcome::{Ended, Line, Summary, Tally};
use super::trainer::{Progress, Trainer};

/// Name of the checkpoint in the folder of a run.
pub const CHECKPOINT: &str = "checkpoint.safetensors";
/// Name of the record.
pub const RECORD: &str = "train.jsonl";
/// Name of the summary.
pub const SUMMARY: &str = "summary.json";

/// How long steps are taken before somebody looks up.
const GLANCE: Duration = Duration::from_millis(100);

/// Online accuracy, as a part of the one that is wanted, from which on the whole training set is
/// evaluated after each epoch.
const NEARLY: f64 = 0.9;

/// Where a run leaves its files, and how often.
#[derive(Clone, Debug)]
pub struct Folder {
    /// The folder.
    pub path: PathBuf,
    /// Time between checkpoints.
    pub checkpoint_every: Duration,
    /// Steps between lines within an epoch.
    pub log_every: Option<u32>,
    /// Whether the whole training set is evaluated after every epoch.
    pub evaluate_training: bool,
}

/// What a run was told by whoever watches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Write a checkpoint and leave.
    Stop,
}

/// How a run came out of [`run`].
#[derive(Clone, Debug, PartialEq)]
pub enum Left {
    /// It has ended.
    Ended(Summary),
    /// It was stopped, and can be resumed.
    Stopped,
}

/// Why a run could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Training.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A file.
    #[error("{file}: {source}", file = .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

fn at(file: &Path) -> impl FnOnce(io::Error) -> RunError + '_ {
    move |source| RunError::File { file: file.to_owned(), source }
}

/// Resumes `trainer` from the folder's checkpoint, if there is one; whether there was.
///
/// # Errors
/// [`RunError`], if it is of another run or cannot be read.
pub fn resume<E: Element>(trainer: &mut Trainer<E>, folder: &Path) -> Result<bool, RunError> {
    let file = folder.join(CHECKPOINT);
    if !file.exists() {
        return Ok(false);
    }
    let checkpoint = Checkpoint::load(&file).map_err(TrainError::from)?;
    trainer.resume(&checkpoint)?;
    Ok(true)
}

/// Runs `trainer` to its end, or until `watch` says stop; `watch` is called every tenth of a
/// second or every step, whichever is longer.
///
/// # Errors
/// [`RunError`]; the last checkpoint stays.
pub fn run<E: Element>(
    trainer: &mut Trainer<E>,
    folder: &Folder,
    watch: &mut dyn FnMut(&Progress) -> Flow,
) -> Result<Left, RunError> {
    fs::create_dir_all(&folder.path).map_err(at(&folder.path))?;
    let record = folder.path.join(RECORD);
    let mut lines = open_record(&record, trainer.progress().lines).map_err(at(&record))?;
    if let Some(ended) = trainer.progress().ended {
        return end(trainer, folder, ended);
    }
    let mut saved = Instant::now();
    let mut pace = 1;
    loop {
        if trainer.progress().position == 0 && trainer.progress().epoch >= trainer.settings().epochs
        {
            return end(trainer, folder, Ended::Epochs);
        }
        let begun = Instant::now();
        let until_line = folder.log_every.map_or(u32::MAX, |every| {
            let every = every.max(1);
            every - trainer.progress().step % every
        });
        trainer.steps(pace.min(until_line))?;
        let whole = trainer.progress().position as usize == trainer.samples();
        let line = pace.min(until_line) == until_line && folder.log_every.is_some();
        if begun.elapsed() < GLANCE / 2 {
            pace = (pace * 2).min(64);
        } else if begun.elapsed() > GLANCE {
            pace = (pace / 2).max(1);
        }
        let mut ended = None;
        if whole {
            ended = end_of_epoch(trainer, folder, &mut lines).map_err(|error| match error {
                Failure::Train(error) => RunError::Train(error),
                Failure::Io(source) => RunError::File { file: record.clone(), source },
            })?;
        } else if line {
            let line = Line {
                step: trainer.progress().step,
                epoch: trainer.progress().epoch,
                end_of_epoch: false,
                learning_rate: trainer.settings().rate(trainer.progress().epoch),
                online: trainer.progress().line_tally.measured(),
                train: None,
                test: None,
            };
            write_line(&mut lines, &line).map_err(at(&record))?;
            let progress = trainer.progress_mut();
            progress.line_tally = Tally::default();
            progress.lines += 1;
        }
        if let Some(ended) = ended {
            return end(trainer, folder, ended);
        }
        let stop = watch(trainer.progress()) == Flow::Stop;
        if stop || saved.elapsed() >= folder.checkpoint_every {
            save(trainer, folder)?;
            saved = Instant::now();
        }
        if stop {
            return Ok(Left::Stopped);
        }
    }
}

enum Failure {
    Train(TrainError),
    Io(io::Error),
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Failure {
        Failure::Train(error)
    }
}

/// Closes an epoch: evaluates, writes its line, and decides whether the run has ended.
fn end_of_epoch<E: Element>(
    trainer: &mut Trainer<E>,
    folder: &Folder,
    lines: &mut fs::File,
) -> Result<Option<Ended>, Failure> {
    let settings = trainer.settings().clone();
    let learning_rate = settings.rate(trainer.progress().epoch);
    let online = trainer.end_epoch();
    let progress = trainer.progress_mut();
    progress.lines += 1;
    let epoch = progress.epoch;
    let last = epoch == settings.epochs;
    let near = settings.until_accuracy.is_some_and(|wanted| online.accuracy >= NEARLY * wanted);
    let whole = folder.evaluate_training || near || last;
    let train = if whole { Some(trainer.evaluate_training()?) } else { None };
    let test = trainer.evaluate_test()?;
    let progress = trainer.progress_mut();
    if let Some(test) = test
        && progress.best_test.is_none_or(|(best, _)| test.accuracy > best)
    {
        progress.best_test = Some((test.accuracy, epoch));
    }
    let accuracy = settings.until_accuracy.map(|wanted| {
        train.is_some_and(|train: super::outcome::Measured| train.accuracy >= wanted)
    });
    let loss = settings.until_loss.map(|wanted| online.loss <= wanted);
    let asked = [accuracy, loss];
    let fitted =
        asked.iter().flatten().all(|&reached| reached) && asked.iter().any(Option::is_some);
    let worse = settings.patience.is_some_and(|patience| {
        progress.best_test.is_some_and(|(_, best)| epoch.saturating_sub(best) >= patience)
    });
    let step = progress.step;
    let line = Line { step, epoch, end_of_epoch: true, learning_rate, online, train, test };
    write_line(lines, &line).map_err(Failure::Io)?;
    Ok(if fitted {
        Some(Ended::Fitted)
    } else if worse {
        Some(Ended::Patience)
    } else {
        last.then_some(Ended::Epochs)
    })
}

/// Writes the last checkpoint and the summary.
fn end<E: Element>(
    trainer: &mut Trainer<E>,
    folder: &Folder,
    ended: Ended,
) -> Result<Left, RunError> {
    trainer.progress_mut().ended = Some(ended);
    let progress = *trainer.progress();
    let summary = Summary {
        architecture: trainer.architecture().to_string(),
        identity: trainer.identity(),
        ended,
        steps: progress.step,
        epochs: progress.epoch,
        train: trainer.evaluate_training()?,
        test: trainer.evaluate_test()?,
        best_test: progress.best_test,
    };
    if !save(trainer, folder)? {
        let Progress { step, epoch, .. } = progress;
        return Err(TrainError::Diverged { step, epoch }.into());
    }
    let file = folder.path.join(SUMMARY);
    let text = serde_json::to_string_pretty(&summary).map_err(io::Error::other);
    let text = text.map_err(at(&file))? + "\n";
    atomic::write(&file, text).map_err(at(&file))?;
    Ok(Left::Ended(summary))
}

/// Writes the checkpoint, unless a weight is not finite: then the last good one stays, and the
/// next loss says at which step.
fn save<E: Element>(trainer: &mut Trainer<E>, folder: &Folder) -> Result<bool, RunError> {
    let steps = u64::from(trainer.progress().step);
    match trainer.checkpoint()?.save(&folder.path.join(CHECKPOINT), steps) {
        Ok(()) => Ok(true),
        Err(CheckpointError::NotFinite { .. }) => Ok(false),
        Err(error) => Err(TrainError::from(error).into()),
    }
}

/// The record, with the first `lines` lines that it has, to be appended to.
fn open_record(path: &Path, lines: u64) -> io::Result<fs::File> {
    let held = match fs::read(path) {
        Ok(held) => held,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let whole = held.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
    let kept: Vec<usize> = whole.take(lines as usize).map(<[u8]>::len).collect();
    if (kept.len() as u64) < lines {
        let found = kept.len();
        return Err(io::Error::other(format!(
            "the checkpoint speaks of {lines} lines, {found} are there"
        )));
    }
    let kept: u64 = kept.into_iter().map(|len| len as u64).sum();
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    file.set_len(kept)?;
    Ok(file)
}

fn write_line(file: &mut fs::File, line: &Line) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    file.write_all(&text)
}
