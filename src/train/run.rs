//! Runs training to its end, from the beginning or a checkpoint, with its record, checkpoints and summary in a folder:
//!
//! * `train.jsonl`: one [`Line`] an epoch, and every `log_every` steps if asked for;
//! * `checkpoint.safetensors`: the state to resume from;
//! * `summary.json`: the summary, once the run has ended.
//!
//! Neither how often checkpoints are written nor where a run was interrupted changes a byte of
//! what comes out: orders, dropout and augmentation are functions of seed, epoch and step. A run
//! has its folder for itself: the record is locked.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use shatter_exact::Element;
use shatter_record::atomic;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::error::TrainError;
use super::identity::VERSION;
use super::outcome::{Ended, Line, Measured, Summary, Tally};
use super::progress::Progress;
use super::trainer::Trainer;

/// Name of the checkpoint in the folder of a run.
pub const CHECKPOINT: &str = "checkpoint.safetensors";
/// Name of the record.
pub const RECORD: &str = "train.jsonl";
/// Name of the summary.
pub const SUMMARY: &str = "summary.json";

/// Time between calls of the watcher.
const GLANCE: Duration = Duration::from_millis(100);

/// Online accuracy, as a part of the accuracy to be reached, from which on the whole training set is
/// evaluated after each epoch to decide whether it is fitted. Where the network in training is
/// another (dropout, augmentation), it is evaluated after every epoch.
const NEARLY: f64 = 0.9;

/// Folder of a run, and how often the run writes there.
#[derive(Clone, Debug)]
pub struct Folder {
    /// The folder.
    pub path: PathBuf,
    /// Time between checkpoints.
    pub checkpoint_every: Duration,
    /// Steps between lines within an epoch.
    pub log_every: Option<u32>,
    /// The whole training set is evaluated after every epoch.
    pub evaluate_training: bool,
}

/// Answer of a watcher to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Continue training.
    Continue,
    /// Write a checkpoint and stop.
    Stop,
}

/// Result of [`Held::run`].
#[derive(Clone, Debug, PartialEq)]
pub enum Left {
    /// The run has ended.
    Ended(Box<Summary>),
    /// The run was stopped, and can be resumed.
    Stopped,
    /// Half of the runs beside it have ended. It can be resumed from its checkpoint, with fewer runs beside it.
    Alone,
}

/// Error of a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Training failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The checkpoint cannot be resumed.
    #[error("{file}: {source}", file = .file.display())]
    Resume {
        /// The checkpoint.
        file: PathBuf,
        /// Reason why not.
        source: Box<TrainError>,
    },
    /// Another process has a run in the folder.
    #[error("{folder}: another process is training in this folder; wait for it, or use another folder", folder = .folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder is no longer the one in which the run began.
    #[error("{folder}: the folder of the run was removed or replaced during training", folder = .folder.display())]
    Gone {
        /// The folder.
        folder: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{file}: {source}", file = .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
}

fn at(file: &Path) -> impl FnOnce(io::Error) -> RunError + '_ {
    move |source| RunError::File { file: file.to_owned(), source }
}

impl Folder {
    /// Makes the folder, if there is none, and keeps other processes from training there until the
    /// result is dropped. Removes files that a killed process left half-written.
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
    /// Removes the run in the folder, if there is one.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn clear(&mut self) -> Result<(), RunError> {
        remove(&self.folder.path.join(CHECKPOINT))?;
        remove(&self.folder.path.join(SUMMARY))?;
        self.record.set_len(0).map_err(at(&self.folder.path.join(RECORD)))
    }

    /// Returns true if the folder holds a run, or a part of one.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn holds_run(&self) -> Result<bool, RunError> {
        let record = self.folder.path.join(RECORD);
        let lines = self.record.metadata().map_err(at(&record))?.len() > 0;
        Ok(lines || [CHECKPOINT, SUMMARY].iter().any(|name| self.folder.path.join(name).exists()))
    }

    /// Checks that the record is still in its place. Writing other files would make the folder anew, without it.
    fn present(&self) -> Result<(), RunError> {
        let record = self.folder.path.join(RECORD);
        match atomic::is_at(&self.record, &record).map_err(at(&record))? {
            true => Ok(()),
            false => Err(RunError::Gone { folder: self.folder.path.clone() }),
        }
    }

    /// Resumes a run of `trainer` from the folder's checkpoint. Returns false if there is none.
    ///
    /// # Errors
    /// [`RunError`], if it is of another run or cannot be read.
    pub fn resume<E: Element>(
        &self,
        trainer: &mut Trainer<E>,
        run: usize,
    ) -> Result<bool, RunError> {
        let file = self.folder.path.join(CHECKPOINT);
        if !file.exists() {
            return Ok(false);
        }
        let checkpoint = Checkpoint::load(&file).map_err(TrainError::from)?;
        let resumed = trainer.resume(run, &checkpoint);
        resumed.map_err(|source| RunError::Resume { file, source: source.into() })?;
        Ok(true)
    }

    /// Runs the only run of `trainer` to its end, or until `watch` says stop. `watch` is called every
    /// tenth of a second or every step, whichever is longer.
    ///
    /// # Errors
    /// [`RunError`]; the last checkpoint stays. If training diverged, the summary says so.
    pub fn run<E: Element>(
        &mut self,
        trainer: &mut Trainer<E>,
        watch: &mut dyn FnMut(&[&Progress]) -> Flow,
    ) -> Result<Left, RunError> {
        run_together(std::slice::from_mut(self), trainer, watch).pop().unwrap_or(Ok(Left::Stopped))
    }

    /// Prepares the folder for the first step. Returns the reason if the run has ended before.
    fn begin<E: Element>(
        &mut self,
        trainer: &mut Trainer<E>,
        run: usize,
    ) -> Result<Option<Ended>, RunError> {
        let record = self.folder.path.join(RECORD);
        keep_lines(&mut self.record, trainer.progress(run).lines).map_err(at(&record))?;
        let ended = trainer.progress(run).ended;
        if ended.is_none() {
            // What it says of an earlier end is no longer so.
            remove(&self.folder.path.join(SUMMARY))?;
            if !self.folder.path.join(CHECKPOINT).exists() {
                self.save(trainer, run)?;
            }
        }
        Ok(ended)
    }

    /// Writes a line within an epoch.
    fn line<E: Element>(&mut self, trainer: &mut Trainer<E>, run: usize) -> Result<(), RunError> {
        let progress = trainer.progress(run);
        let line = Line {
            step: progress.step,
            epoch: progress.epoch,
            end_of_epoch: false,
            learning_rate: trainer.settings(run).rate(progress.epoch),
            online: progress.line_tally.measured(),
            train: None,
            test: None,
        };
        self.write_line(&line)?;
        let progress = trainer.progress_mut(run);
        progress.line_tally = Tally::new(progress.line_tally.real);
        progress.lines += 1;
        Ok(())
    }

    /// Returns two facts about the epoch in which `online` was found: true if the whole training set is evaluated after
    /// it, and true if its accuracy then decides.
    fn evaluates<E: Element>(
        &self,
        trainer: &Trainer<E>,
        run: usize,
        online: Measured,
    ) -> [bool; 2] {
        let settings = trainer.settings(run);
        let last = trainer.progress(run).epoch >= settings.epochs;
        let decides = settings.until_accuracy.is_some_and(|wanted| {
            let near = online.accuracy.is_some_and(|accuracy| accuracy >= NEARLY * wanted);
            near || last || trainer.differs_in_training()
        });
        [self.folder.evaluate_training || decides || last, decides]
    }

    /// Closes an epoch: writes its line, and decides whether the run has ended.
    fn end_of_epoch<E: Element>(
        &mut self,
        trainer: &mut Trainer<E>,
        run: usize,
        (online, train, test): (Measured, Option<Measured>, Option<Measured>),
        decides: bool,
    ) -> Result<Option<Ended>, RunError> {
        let settings = trainer.settings(run).clone();
        let progress = trainer.progress_mut(run);
        progress.lines += 1;
        let epoch = progress.epoch;
        let learning_rate = settings.rate(epoch.saturating_sub(1));
        if train.is_some_and(|train| !train.loss.is_finite()) {
            return Err(trainer.diverged_here(run).into());
        }
        let progress = trainer.progress_mut(run);
        if let Some(accuracy) = test.and_then(|test| test.accuracy)
            && progress.best_test.is_none_or(|(best, _)| accuracy > best)
        {
            progress.best_test = Some((accuracy, epoch));
        }
        let fitted = settings.reached(Some(online), train.filter(|_| decides));
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
            (epoch >= settings.epochs).then_some(Ended::Epochs)
        })
    }

    /// Writes the last checkpoint and the summary.
    fn end<E: Element>(
        &mut self,
        trainer: &mut Trainer<E>,
        run: usize,
        ended: Ended,
        (train, test): (Measured, Option<Measured>),
    ) -> Result<Left, RunError> {
        if !train.loss.is_finite() {
            return Err(trainer.diverged_here(run).into());
        }
        // Weights that were given may fit before the first epoch.
        let begun = trainer.progress(run).epoch > 0;
        let fitted =
            ended == Ended::Epochs && !begun && trainer.settings(run).reached(None, Some(train));
        let ended = if fitted { Ended::Fitted } else { ended };
        trainer.progress_mut(run).ended = Some(ended);
        let summary = summary(trainer, run, ended, train, test);
        if !self.save(trainer, run)? {
            return Err(trainer.diverged_here(run).into());
        }
        self.write_summary(&summary)?;
        Ok(Left::Ended(summary.into()))
    }

    fn write_summary(&self, summary: &Summary) -> Result<(), RunError> {
        self.present()?;
        let file = self.folder.path.join(SUMMARY);
        let text = serde_json::to_string_pretty(summary).map_err(io::Error::other);
        let text = text.map_err(at(&file))? + "\n";
        let written = atomic::write(&file, text).map_err(at(&file));
        self.present()?;
        written
    }

    /// Writes the checkpoint, unless a weight is not finite: then the last good one stays, and the
    /// next loss says at which step.
    fn save<E: Element>(&self, trainer: &mut Trainer<E>, run: usize) -> Result<bool, RunError> {
        self.present()?;
        // The record must not be behind the checkpoint, whatever stops the machine.
        self.record.sync_data().map_err(at(&self.folder.path.join(RECORD)))?;
        let steps = u64::from(trainer.progress(run).step);
        match trainer.checkpoint(run)?.save(&self.folder.path.join(CHECKPOINT), steps) {
            Ok(()) => self.present().map(|()| true),
            Err(CheckpointError::NotFinite { .. }) => Ok(false),
            Err(error) => {
                self.present()?; // which says why
                Err(TrainError::from(error).into())
            }
        }
    }

    fn write_line(&mut self, line: &Line) -> Result<(), RunError> {
        self.present()?;
        let record = self.folder.path.join(RECORD);
        let text = serde_json::to_vec(line).map_err(io::Error::other);
        let mut text = text.map_err(at(&record))?;
        text.push(b'\n');
        self.record.write_all(&text).map_err(at(&record))
    }
}

/// Result of an evaluation, for each run: of the training set, and of the test set if there is one.
type Evaluated = (Vec<Measured>, Option<Vec<Measured>>);

/// Runs of a trainer, each with its folder, on their way to their ends.
struct Together<'a, E: Element> {
    held: &'a mut [Held],
    trainer: &'a mut Trainer<E>,
    /// Result of each run that is done.
    left: Vec<Option<Result<Left, RunError>>>,
}

/// Runs all runs of `trainer` to their ends and returns their results, in their order, as [`Held::run`] does.
///
/// Stops early if `watch` says stop, if half of several runs have ended, or if one has an error other than that it
/// diverged. Run r has folder `held[r]`, and its files do not depend on the other runs. `watch` is called with the
/// progress of the runs under way, every tenth of a second or every step, whichever is longer.
///
/// # Panics
/// If there are fewer folders than runs.
pub fn run_together<E: Element>(
    held: &mut [Held],
    trainer: &mut Trainer<E>,
    watch: &mut dyn FnMut(&[&Progress]) -> Flow,
) -> Vec<Result<Left, RunError>> {
    let left = (0..trainer.runs()).map(|_| None).collect();
    let mut together = Together { held, trainer, left };
    if let Err(error) = together.go(watch) {
        // The device failed all of them; words that cannot be copied go to the first, whether or
        // not it was done.
        let live = together.trainer.live();
        for &run in live.iter().skip(1) {
            together.conclude(run, Ok(Left::Stopped));
        }
        together.conclude(live.first().copied().unwrap_or(0), Err(error.into()));
    }
    together.left.into_iter().map(|left| left.unwrap_or(Ok(Left::Stopped))).collect()
}

impl<E: Element> Together<'_, E> {
    /// Excludes a run from further steps and keeps its result. If it diverged, its summary says so.
    fn conclude(&mut self, run: usize, left: Result<Left, RunError>) {
        self.trainer.retire(run);
        let written = match &left {
            Err(RunError::Train(TrainError::Diverged { .. })) => {
                let not = Measured::NOT_FINITE;
                let summary = summary(self.trainer, run, Ended::Diverged, not, None);
                self.held[run].write_summary(&summary)
            }
            _ => Ok(()),
        };
        self.left[run] = Some(written.and(left));
    }

    /// Returns true if a run has an error, other than that it diverged.
    fn failed(&self) -> bool {
        self.left.iter().flatten().any(|left| {
            let diverged = matches!(left, Err(RunError::Train(TrainError::Diverged { .. })));
            left.is_err() && !diverged
        })
    }

    /// Does something for every run that is under way; one that fails takes no further part.
    fn each(
        &mut self,
        mut act: impl FnMut(&mut Held, &mut Trainer<E>, usize) -> Result<(), RunError>,
    ) {
        for run in self.trainer.live() {
            if let Err(error) = act(&mut self.held[run], self.trainer, run) {
                self.conclude(run, Err(error));
            }
        }
    }

    /// Ends runs, for a reason each, with what an evaluation found if there was one.
    fn end(
        &mut self,
        ending: &[(usize, Ended)],
        found: Option<Evaluated>,
    ) -> Result<(), TrainError> {
        if ending.is_empty() {
            return Ok(());
        }
        let (train, test) = match found {
            Some(found) => found,
            None => (self.trainer.evaluate_training()?, self.trainer.evaluate_test()?),
        };
        for &(run, ended) in ending {
            let found = (train[run], test.as_ref().map(|test| test[run]));
            let left = self.held[run].end(self.trainer, run, ended, found);
            self.conclude(run, left);
        }
        Ok(())
    }

    /// # Errors
    /// Those that concern all runs.
    fn go(&mut self, watch: &mut dyn FnMut(&[&Progress]) -> Flow) -> Result<(), TrainError> {
        let mut before = Vec::new();
        self.each(|held, trainer, run| {
            before.extend(held.begin(trainer, run)?.map(|ended| (run, ended)));
            Ok(())
        });
        self.end(&before, None)?;
        if self.failed() {
            return Ok(()); // those beside it stand where they stood
        }
        let begun_with = self.trainer.live().len();
        let mut saved = Instant::now();
        let mut pace = 1;
        while let Some(&first) = self.trainer.live().first() {
            let epochs = self.trainer.settings(first).epochs;
            let progress = self.trainer.progress(first);
            if progress.position == 0 && progress.epoch >= epochs {
                let all: Vec<_> =
                    self.trainer.live().into_iter().map(|run| (run, Ended::Epochs)).collect();
                self.end(&all, None)?;
                break;
            }
            let begun = Instant::now();
            let log_every = self.held[first].folder.log_every;
            let until_line = log_every.map_or(u32::MAX, |every| {
                let every = every.max(1);
                every - progress.step % every
            });
            let before = self.trainer.live();
            match self.trainer.steps(pace.min(until_line)) {
                Ok(()) | Err(TrainError::Diverged { .. }) => {}
                Err(error) => return Err(error),
            }
            for run in before {
                if let Some(error) = self.trainer.diverged(run) {
                    self.conclude(run, Err(error.into()));
                }
            }
            let Some(&first) = self.trainer.live().first() else { break };
            let whole = self.trainer.progress(first).position as usize == self.trainer.samples();
            let line = pace.min(until_line) == until_line && log_every.is_some();
            if begun.elapsed() < GLANCE / 2 {
                pace = (pace * 2).min(64);
            } else if begun.elapsed() > GLANCE {
                pace = (pace / 2).max(1);
            }
            if whole {
                self.end_of_epoch()?;
            } else if line {
                self.each(Held::line);
            }
            let live = self.trainer.live();
            if live.is_empty() {
                break;
            }
            let progress: Vec<&Progress> =
                live.iter().map(|&run| self.trainer.progress(run)).collect();
            let stop = watch(&progress) == Flow::Stop || self.failed();
            let few = begun_with > 1 && live.len() * 2 <= begun_with;
            let checkpoint_every = self.held[live[0]].folder.checkpoint_every;
            if stop || few || saved.elapsed() >= checkpoint_every {
                self.each(|held, trainer, run| held.save(trainer, run).map(drop));
                saved = Instant::now();
            }
            if stop || few {
                for run in self.trainer.live() {
                    self.conclude(run, Ok(if stop { Left::Stopped } else { Left::Alone }));
                }
            }
        }
        Ok(())
    }

    /// Closes an epoch of all runs under way: evaluates once for all, and ends those that are done.
    fn end_of_epoch(&mut self) -> Result<(), TrainError> {
        let online = self.trainer.end_epoch();
        let live = self.trainer.live();
        let evaluates: Vec<[bool; 2]> = (0..self.trainer.runs())
            .map(|run| self.held[run].evaluates(self.trainer, run, online[run]))
            .collect();
        let any = live.iter().any(|&run| evaluates[run][0]);
        let train = if any { Some(self.trainer.evaluate_training()?) } else { None };
        let test = self.trainer.evaluate_test()?;
        let mut ending = Vec::new();
        self.each(|held, trainer, run| {
            let [whole, decides] = evaluates[run];
            let train = train.as_ref().filter(|_| whole).map(|train| train[run]);
            let found = (online[run], train, test.as_ref().map(|test| test[run]));
            let ended = held.end_of_epoch(trainer, run, found, decides)?;
            ending.extend(ended.map(|ended| (run, ended)));
            Ok(())
        });
        self.end(&ending, train.map(|train| (train, test)))
    }
}

/// Removes a file, if it is there.
fn remove(file: &Path) -> Result<(), RunError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(file)(error)),
        _ => Ok(()),
    }
}

/// Returns the summary of a run of `trainer`.
fn summary<E: Element>(
    trainer: &Trainer<E>,
    run: usize,
    ended: Ended,
    train: Measured,
    test: Option<Measured>,
) -> Summary {
    let Progress { step, epoch, best_test, .. } = *trainer.progress(run);
    Summary {
        version: VERSION,
        architecture: trainer.architecture().to_string(),
        identity: trainer.identity(run),
        ended,
        steps: step,
        epochs: epoch,
        changed_labels: Some(trainer.changed_labels(run)),
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
            "expected at least {lines} lines, as many as the checkpoint counts; found {found}"
        )));
    }
    let kept: u64 = kept.into_iter().map(|len| len as u64).sum();
    record.set_len(kept)
}
