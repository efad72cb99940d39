//! A run from where it stands to its end, with its record, checkpoints and summary in a folder:
//!
//! * `train.jsonl`: one [`Line`] an epoch, and every `log_every` steps if asked for;
//! * `checkpoint.safetensors`: where to resume;
//! * `summary.json`: how it went, when it has ended.
//!
//! Neither how often checkpoints are written nor where a run was interrupted changes a byte of
//! what comes out: orders, dropout and augmentation are functions of seed, epoch and step. A run
//! has its folder for itself: the record is locked.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::device::Element;
use crate::record::atomic;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::error::TrainError;
use super::outcome::{Ended, Line, Measured, Summary, Tally};
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
/// evaluated after each epoch to decide whether it is fitted. Where the network in training is
/// another (dropout, augmentation), it is evaluated after every epoch.
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

/// How a run came out of [`Held::run`].
#[derive(Clone, Debug, PartialEq)]
pub enum Left {
    /// It has ended.
    Ended(Box<Summary>),
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
    /// A checkpoint that cannot be resumed.
    #[error("{file}: {source}", file = .file.display())]
    Resume {
        /// The checkpoint.
        file: PathBuf,
        /// Why not.
        source: Box<TrainError>,
    },
    /// Another process has a run in the folder.
    #[error("{folder}: another process trains there", folder = .folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
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

impl Folder {
    /// Makes the folder, if there is none, and keeps other processes from training there until the
    /// result is dropped. What a process that was killed left half-written is removed.
    ///
    /// # Errors
    /// [`RunError::InUse`], [`RunError::File`].
    pub fn hold(self) -> Result<Held, RunError> {
        fs::create_dir_all(&self.path).map_err(at(&self.path))?;
        let path = self.path.join(RECORD);
        let open = OpenOptions::new().read(true).append(true).create(true).open(&path);
        let record = open.map_err(at(&path))?;
        match record.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(RunError::InUse { folder: self.path });
            }
            Err(TryLockError::Error(error)) => return Err(at(&path)(error)),
        }
        atomic::remove_leftovers(&self.path).map_err(at(&self.path))?;
        Ok(Held { folder: self, record })
    }
}

/// The folder of a run, held by this process alone.
#[derive(Debug)]
pub struct Held {
    folder: Folder,
    record: File,
}

impl Held {
    /// Removes the run that is there, if one is.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn clear(&mut self) -> Result<(), RunError> {
        remove(&self.folder.path.join(CHECKPOINT))?;
        remove(&self.folder.path.join(SUMMARY))?;
        self.record.set_len(0).map_err(at(&self.folder.path.join(RECORD)))
    }

    /// Whether a run, or a part of one, is there.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn holds_run(&self) -> Result<bool, RunError> {
        let record = self.folder.path.join(RECORD);
        let lines = self.record.metadata().map_err(at(&record))?.len() > 0;
        Ok(lines || [CHECKPOINT, SUMMARY].iter().any(|name| self.folder.path.join(name).exists()))
    }

    /// Resumes `trainer` from the folder's checkpoint, if there is one; whether there was.
    ///
    /// # Errors
    /// [`RunError`], if it is of another run or cannot be read.
    pub fn resume<E: Element>(&self, trainer: &mut Trainer<E>) -> Result<bool, RunError> {
        let file = self.folder.path.join(CHECKPOINT);
        if !file.exists() {
            return Ok(false);
        }
        let checkpoint = Checkpoint::load(&file).map_err(TrainError::from)?;
        let resumed = trainer.resume(&checkpoint);
        resumed.map_err(|source| RunError::Resume { file, source: source.into() })?;
        Ok(true)
    }

    /// Runs `trainer` to its end, or until `watch` says stop; `watch` is called every tenth of a
    /// second or every step, whichever is longer.
    ///
    /// # Errors
    /// [`RunError`]; the last checkpoint stays. If training diverged, the summary says so.
    pub fn run<E: Element>(
        &mut self,
        trainer: &mut Trainer<E>,
        watch: &mut dyn FnMut(&Progress) -> Flow,
    ) -> Result<Left, RunError> {
        let left = self.go(trainer, watch);
        if let Err(RunError::Train(TrainError::Diverged { .. })) = left {
            self.write_summary(&summary(trainer, Ended::Diverged, Measured::NOT_FINITE, None))?;
        }
        left
    }

    fn go<E: Element>(
        &mut self,
        trainer: &mut Trainer<E>,
        watch: &mut dyn FnMut(&Progress) -> Flow,
    ) -> Result<Left, RunError> {
        let record = self.folder.path.join(RECORD);
        keep_lines(&mut self.record, trainer.progress().lines).map_err(at(&record))?;
        if let Some(ended) = trainer.progress().ended {
            return self.end(trainer, ended);
        }
        // What it says of an earlier end is no longer so.
        remove(&self.folder.path.join(SUMMARY))?;
        if !self.folder.path.join(CHECKPOINT).exists() {
            self.save(trainer)?;
        }
        let mut saved = Instant::now();
        let mut pace = 1;
        loop {
            let epochs = trainer.settings().epochs;
            if trainer.progress().position == 0 && trainer.progress().epoch >= epochs {
                return self.end(trainer, Ended::Epochs);
            }
            let begun = Instant::now();
            let until_line = self.folder.log_every.map_or(u32::MAX, |every| {
                let every = every.max(1);
                every - trainer.progress().step % every
            });
            trainer.steps(pace.min(until_line))?;
            let whole = trainer.progress().position as usize == trainer.samples();
            let line = pace.min(until_line) == until_line && self.folder.log_every.is_some();
            if begun.elapsed() < GLANCE / 2 {
                pace = (pace * 2).min(64);
            } else if begun.elapsed() > GLANCE {
                pace = (pace / 2).max(1);
            }
            let mut ended = None;
            if whole {
                ended = self.end_of_epoch(trainer)?;
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
                self.write_line(&line)?;
                let progress = trainer.progress_mut();
                progress.line_tally = Tally::new(progress.line_tally.real);
                progress.lines += 1;
            }
            if let Some(ended) = ended {
                return self.end(trainer, ended);
            }
            let stop = watch(trainer.progress()) == Flow::Stop;
            if stop || saved.elapsed() >= self.folder.checkpoint_every {
                self.save(trainer)?;
                saved = Instant::now();
            }
            if stop {
                return Ok(Left::Stopped);
            }
        }
    }

    /// Closes an epoch: evaluates, writes its line, and decides whether the run has ended.
    fn end_of_epoch<E: Element>(
        &mut self,
        trainer: &mut Trainer<E>,
    ) -> Result<Option<Ended>, RunError> {
        let settings = trainer.settings().clone();
        let learning_rate = settings.rate(trainer.progress().epoch);
        let online = trainer.end_epoch();
        let progress = trainer.progress_mut();
        progress.lines += 1;
        let epoch = progress.epoch;
        let last = epoch >= settings.epochs;
        let decides = settings.until_accuracy.is_some_and(|wanted| {
            let near = online.accuracy.is_some_and(|accuracy| accuracy >= NEARLY * wanted);
            near || last || trainer.differs_in_training()
        });
        let whole = self.folder.evaluate_training || decides || last;
        let train = if whole { Some(trainer.evaluate_training()?) } else { None };
        if train.is_some_and(|train| !train.loss.is_finite()) {
            return Err(trainer.diverged().into());
        }
        let test = trainer.evaluate_test()?;
        let progress = trainer.progress_mut();
        if let Some(accuracy) = test.and_then(|test| test.accuracy)
            && progress.best_test.is_none_or(|(best, _)| accuracy > best)
        {
            progress.best_test = Some((accuracy, epoch));
        }
        let train_decides = train.filter(|_| decides);
        let fitted = settings.reached(Some(online), train_decides);
        let worse = settings.patience.is_some_and(|patience| {
            progress.best_test.is_some_and(|(_, best)| epoch.saturating_sub(best) >= patience)
        });
        let step = progress.step;
        let line = Line { step, epoch, end_of_epoch: true, learning_rate, online, train, test };
        self.write_line(&line)?;
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
        &mut self,
        trainer: &mut Trainer<E>,
        ended: Ended,
    ) -> Result<Left, RunError> {
        let train = trainer.evaluate_training()?;
        if !train.loss.is_finite() {
            return Err(trainer.diverged().into());
        }
        // Weights that were given may fit before the first epoch.
        let begun = trainer.progress().epoch > 0;
        let fitted =
            ended == Ended::Epochs && !begun && trainer.settings().reached(None, Some(train));
        let ended = if fitted { Ended::Fitted } else { ended };
        trainer.progress_mut().ended = Some(ended);
        let test = trainer.evaluate_test()?;
        let summary = summary(trainer, ended, train, test);
        if !self.save(trainer)? {
            return Err(trainer.diverged().into());
        }
        self.write_summary(&summary)?;
        Ok(Left::Ended(summary.into()))
    }

    fn write_summary(&self, summary: &Summary) -> Result<(), RunError> {
        let file = self.folder.path.join(SUMMARY);
        let text = serde_json::to_string_pretty(summary).map_err(io::Error::other);
        let text = text.map_err(at(&file))? + "\n";
        atomic::write(&file, text).map_err(at(&file))
    }

    /// Writes the checkpoint, unless a weight is not finite: then the last good one stays, and the
    /// next loss says at which step.
    fn save<E: Element>(&self, trainer: &mut Trainer<E>) -> Result<bool, RunError> {
        // The record must not be behind the checkpoint, whatever stops the machine.
        self.record.sync_data().map_err(at(&self.folder.path.join(RECORD)))?;
        let steps = u64::from(trainer.progress().step);
        match trainer.checkpoint()?.save(&self.folder.path.join(CHECKPOINT), steps) {
            Ok(()) => Ok(true),
            Err(CheckpointError::NotFinite { .. }) => Ok(false),
            Err(error) => Err(TrainError::from(error).into()),
        }
    }

    fn write_line(&mut self, line: &Line) -> Result<(), RunError> {
        let record = self.folder.path.join(RECORD);
        let text = serde_json::to_vec(line).map_err(io::Error::other);
        let mut text = text.map_err(at(&record))?;
        text.push(b'\n');
        self.record.write_all(&text).map_err(at(&record))
    }
}

/// Removes a file, if it is there.
fn remove(file: &Path) -> Result<(), RunError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(file)(error)),
        _ => Ok(()),
    }
}

/// How a run went that stands where `trainer` does.
fn summary<E: Element>(
    trainer: &Trainer<E>,
    ended: Ended,
    train: Measured,
    test: Option<Measured>,
) -> Summary {
    let Progress { step, epoch, best_test, .. } = *trainer.progress();
    Summary {
        architecture: trainer.architecture().to_string(),
        identity: trainer.identity(),
        ended,
        steps: step,
        epochs: epoch,
        changed_labels: Some(trainer.changed_labels()),
        train,
        test,
        best_test,
    }
}

/// Cuts a record after its first `lines` lines.
fn keep_lines(record: &mut File, lines: u64) -> io::Result<()> {
    let mut held = Vec::new();
    record.seek(SeekFrom::Start(0))?;
    record.read_to_end(&mut held)?;
    let whole = held.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
    let kept: Vec<usize> = whole.take(lines as usize).map(<[u8]>::len).collect();
    if (kept.len() as u64) < lines {
        let found = kept.len();
        return Err(io::Error::other(format!(
            "the checkpoint speaks of {lines} lines, {found} are there"
        )));
    }
    let kept: u64 = kept.into_iter().map(|len| len as u64).sum();
    record.set_len(kept)
}
