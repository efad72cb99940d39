//! Runs of a command that has many, each in a folder of its own, some of them side by side.

use std::path::PathBuf;

use shatter_exact::Element;
use shatter_train::randomize::{Case, summary};
use shatter_train::run::{Left, RunError, run_together};
use shatter_train::{Summary, TrainError};

use super::CliError;
use super::device::ChosenDevice;
use super::manifest::MANIFEST;
use super::output::{print, seconds};
use super::train::ended_text;
use super::training::{Setup, TrainingOptions, Watch};

/// A run: its case, its folder, and what it is called.
pub struct One {
    pub case: Case,
    pub path: PathBuf,
    pub name: String,
}

/// What all runs of a command have in common.
pub struct Runs<'a, E: Element> {
    pub options: &'a TrainingOptions,
    pub setup: &'a Setup,
    pub device: &'a ChosenDevice<E>,
    /// Whether nothing is printed.
    pub quiet: bool,
}

impl<E: Element> Runs<'_, E> {
    fn say(&self, one: &One, text: &str) -> Result<(), CliError> {
        if self.quiet { Ok(()) } else { print(&format!("{:<24} {text}\n", one.name)) }
    }

    /// The summary of the run that has ended in its folder, if it is this one.
    pub fn kept(&self, one: &One) -> Result<Option<Summary>, CliError> {
        let shared = self.setup.common(self.options);
        let Some(ended) = summary(&one.path)? else { return Ok(None) };
        if !shared.describes(self.device.device.as_ref(), one.case, &ended)? {
            return Ok(None);
        }
        self.say(one, &format!("{} (kept)", ended_text(&ended)))?;
        Ok(Some(ended))
    }

    /// Runs a case, or takes the summary of the run that has ended. `place` is its place among the
    /// others, for example `3 of 19`.
    pub fn one(&self, one: One, place: &str) -> Result<Summary, CliError> {
        if let Some(kept) = self.kept(&one)? {
            return Ok(kept);
        }
        let place = format!("{place}, {}", one.name);
        let ended = self.together(&[one], &place)?.pop().flatten();
        ended.ok_or_else(|| CliError::Interrupted("the run has not ended".into()))
    }

    /// Runs cases side by side; the summaries of those that have ended. The others go on from their
    /// checkpoints. An error is returned after all that have ended were told.
    pub fn together(&self, ones: &[One], place: &str) -> Result<Vec<Option<Summary>>, CliError> {
        let Runs { options, setup, device, .. } = *self;
        let shared = setup.common(options);
        let held = ones.iter().map(|one| Ok(options.folder(&one.path)?.hold()?));
        let mut held = held.collect::<Result<Vec<_>, CliError>>()?;
        let mut watch = Watch::start(place, setup.train.labels.len(), setup.settings.epochs);
        let cases: Vec<Case> = ones.iter().map(|one| one.case).collect();
        let mut trainer = shared.begin(device.device.as_ref(), &cases, &held)?;
        for (run, one) in ones.iter().enumerate() {
            let mut manifest = options.manifest::<E>(setup, one.case, &device.describe())?;
            manifest.configuration.changed_labels = Some(trainer.changed_labels(run));
            manifest.write(&one.path.join(MANIFEST))?;
        }
        let left = run_together(&mut held, &mut trainer, &mut |progress| watch.see(progress));
        let took = seconds(watch.took());
        drop(watch);
        let beside = match ones.len() {
            1 => String::new(),
            several => format!(" for {several} at once"),
        };
        let mut ended = Vec::new();
        let (mut stopped, mut failed) = (None, None);
        for (one, left) in ones.iter().zip(left) {
            let summary = match left {
                Ok(Left::Ended(summary)) => Some(*summary),
                // The others may not diverge, and a run that did is a row of the table.
                Err(RunError::Train(TrainError::Diverged { .. })) => summary(&one.path)?,
                Ok(Left::Alone) => None,
                Ok(Left::Stopped) => {
                    stopped.get_or_insert(&one.path);
                    None
                }
                Err(error) => {
                    if let Some(error) = failed.replace(error) {
                        eprintln!("error: {}", CliError::from(error).text());
                    }
                    None
                }
            };
            if let Some(summary) = &summary {
                self.say(one, &format!("{}, {took}{beside}", ended_text(summary)))?;
            }
            ended.push(summary);
        }
        match (failed, stopped) {
            (Some(error), _) => Err(error.into()),
            (None, None) => Ok(ended),
            (None, Some(path)) => Err(CliError::Interrupted(format!(
                "stopped in {}; the same command continues from there",
                path.display()
            ))),
        }
    }
}
