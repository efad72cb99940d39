//! The randomization tests: the same network and settings under several conditions and seeds,
//! each a run of its own in a folder of its own, so that the whole can be resumed run by run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use shatter_device::{Arithmetic, Device};
use shatter_exact::Element;
use shatter_network::Architecture;
use shatter_prepare::Condition;
use shatter_prepare::preprocess::{Prepared, Preprocess, prepare, relabel};
use shatter_sample::{LabelRule, Labels, RawSample, Recipe, SampleError, Shape};

use super::checkpoint::Checkpoint;
use super::compile::{Goal, Program, compile};
use super::error::TrainError;
use super::identity::{DataIdentity, Identity, LASTING, VERSION, later_version};
use super::outcome::{Ended, Summary};
use super::run::{self, Held, RunError};
use super::settings::Settings;
use super::trainer::{Data, Trainer};

/// One run of a randomization test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    /// Condition on the data.
    pub condition: Condition,
    /// Seed of the condition, the initial weights and the order.
    pub seed: u64,
}

impl Case {
    /// Returns the name of its folder, for example `corrupted-0.5-seed1`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}-seed{}", self.condition, self.seed).replace(':', "-")
    }
}

/// Data, network and settings that all runs of a randomization test share.
#[derive(Debug)]
pub struct Common<'a> {
    /// The training set.
    pub train: &'a RawSample,
    /// The test set.
    pub test: Option<&'a RawSample>,
    /// The seed that the samples were loaded with.
    pub sample_seed: u64,
    /// SHA-256 of the training set and of the test set. No run is resumed on other data.
    pub digests: (String, Option<String>),
    /// Preprocessing of images.
    pub preprocess: Preprocess,
    /// Labels of the test set are randomized as well.
    pub randomize_test: bool,
    /// The network, as text or name.
    pub model: &'a str,
    /// Arithmetic of products of matrices. No run is resumed in another one.
    pub arithmetic: Arithmetic,
    /// Settings. The seed is replaced by that of the case.
    pub settings: Settings,
}

impl Common<'_> {
    /// Checks that the condition of a case applies to these data and settings.
    ///
    /// # Errors
    /// [`TrainError`], if it does not.
    pub fn check(&self, case: Case) -> Result<(), TrainError> {
        let condition = case.condition;
        if condition.changes_pixels() && self.settings.augmentation.is_some() {
            let reason = format!(
                "augmentation and the condition {condition} both change pixels; use one of them"
            );
            return Err(TrainError::Setting(reason));
        }
        Recipe::new(condition.label_rule(), &self.train.labels, case.seed)?;
        let shape = self.train.points.shape();
        let shape = Shape::from_shape(shape).ok_or_else(|| SampleError::NoImage(shape.to_vec()))?;
        Ok(condition.check(shape)?)
    }

    /// Prepares the data of a case.
    ///
    /// # Errors
    /// Those of [`prepare`].
    pub fn prepare<E: Element>(&self, case: Case) -> Result<PreparedPair<E>, TrainError> {
        self.check(case)?;
        let preprocess = if self.settings.augmentation.is_none() {
            self.preprocess
        } else {
            // Images are cropped and whitened each time they are taken.
            Preprocess { crop: None, whiten: false, ..self.preprocess }
        };
        let Case { condition, seed } = case;
        let random = self.randomize_test;
        Ok(prepare(self.train, self.test, condition, &preprocess, seed, random)?)
    }

    /// Sets cases up side by side, with data from [`Common::prepare`] or [`Common::prepare_all`].
    ///
    /// # Errors
    /// [`TrainError`], if network, data and settings do not fit each other.
    pub fn trainer<E: Element>(
        &self,
        device: &dyn Device<E>,
        cases: &[(Case, &PreparedPair<E>)],
    ) -> Result<Trainer<E>, TrainError> {
        let runs: Vec<_> = cases
            .iter()
            .map(|(case, (train, test))| {
                let identity = self.identity::<E>(*case, device.kind());
                let whiten = self.preprocess.whiten;
                let data = Data { train, test: test.as_ref(), whiten, identity };
                (data, self.settings(*case))
            })
            .collect();
        Trainer::side_by_side(device, self.network()?, &runs)
    }

    /// Prepares the data of several cases. Those that change labels alone share their images.
    ///
    /// # Errors
    /// Those of [`prepare`].
    pub fn prepare_all<E: Element>(
        &self,
        cases: &[Case],
    ) -> Result<Vec<PreparedPair<E>>, TrainError> {
        let mut all: Vec<PreparedPair<E>> = Vec::new();
        let mut own_pixels = None;
        for (at, &case) in cases.iter().enumerate() {
            let Case { condition, seed } = case;
            let images =
                own_pixels.filter(|_| !condition.changes_pixels()).map(|at: usize| &all[at]);
            let prepared = match images {
                None => self.prepare(case)?,
                Some(images) => {
                    self.check(case)?;
                    let (train, test) = (self.train, self.test);
                    relabel(images, train, test, condition, seed, self.randomize_test)?
                }
            };
            if own_pixels.is_none() && !condition.changes_pixels() {
                own_pixels = Some(at);
            }
            all.push(prepared);
        }
        Ok(all)
    }

    /// Returns the network for labels like these and images of this shape, before they are cropped.
    fn architecture(&self, labels: &Labels, shape: Shape) -> Result<Architecture, TrainError> {
        let outputs = match labels {
            Labels::Classes { count, .. } => *count as usize,
            Labels::Real { outputs, .. } => *outputs,
        };
        let input = match self.preprocess.crop {
            Some(side) => Shape { height: side, width: side, ..shape },
            None => shape,
        };
        Ok(Architecture::named(self.model, input, outputs)?)
    }

    /// Returns the settings of a case.
    #[must_use]
    pub fn settings(&self, case: Case) -> Settings {
        Settings { seed: case.seed, ..self.settings.clone() }
    }

    /// Returns the identity of the data of a run, so that it is not resumed on other data.
    fn identity<E: Element>(&self, case: Case, device: &str) -> DataIdentity {
        DataIdentity {
            classes: self.train.labels.class_names().to_vec(),
            condition: case.condition,
            condition_seed: case.seed,
            device: device.to_owned(),
            precision: self.arithmetic.name::<E>().to_owned(),
            preprocess: self.preprocess,
            randomize_test: self.randomize_test,
            sample: self.train.text.clone(),
            sample_seed: Some(self.sample_seed),
            sample_sha256: Some(self.digests.0.clone()),
            test: self.test.map(|test| test.text.clone()),
            test_sha256: self.digests.1.clone(),
        }
    }

    /// Returns true if a summary is of this case on a device of this kind, so that the case need not be run again.
    ///
    /// # Errors
    /// [`TrainError`], if data and network do not fit each other.
    pub fn describes<E: Element>(
        &self,
        device: &dyn Device<E>,
        case: Case,
        summary: &Summary,
    ) -> Result<bool, TrainError> {
        let data = self.identity::<E>(case, device.kind());
        let wanted = Identity { data, settings: self.settings(case) };
        let held = &summary.identity;
        let ended = summary.ended.holds(summary.epochs, &held.settings, &wanted.settings);
        // How long a run was to last does not matter where it has ended all the same.
        let same = wanted.difference(held, &LASTING).is_none();
        Ok(ended && same && summary.architecture == self.network()?.to_string())
    }

    /// Returns the network that all runs train.
    ///
    /// # Errors
    /// [`TrainError`], if data and network do not fit each other.
    pub fn network(&self) -> Result<Architecture, TrainError> {
        let shape = self.train.points.shape();
        let shape = Shape::from_shape(shape).ok_or_else(|| SampleError::NoImage(shape.to_vec()))?;
        self.architecture(&self.train.labels, shape)
    }

    /// Compiles the network for a batch of one sample, to ask a device if it supports the operations.
    ///
    /// # Errors
    /// [`TrainError`], if data and network do not fit each other, or for the augmentation.
    pub fn program(&self) -> Result<Program, TrainError> {
        let (architecture, settings) = (self.network()?, &self.settings);
        let goal = Goal {
            replicas: 1,
            shared_images: true,
            batch: 1,
            train: 1,
            test: 0,
            stored: architecture.input,
            real: match &self.train.labels {
                Labels::Classes { .. } => None,
                Labels::Real { outputs, .. } => Some(*outputs),
            },
            loss: settings.loss,
            augmentation: settings.augmentation.map(|how| (how, self.preprocess.whiten)),
            momentum: settings.momentum,
            decay: settings.weight_decay,
        };
        Ok(compile(&architecture, &goal)?)
    }

    /// Sets cases up side by side, each in its folder: at its checkpoint if it has one, at the beginning otherwise. All
    /// must be at the same place ([`place`]).
    ///
    /// # Errors
    /// [`RunError`].
    pub fn begin<E: Element>(
        &self,
        device: &dyn Device<E>,
        cases: &[Case],
        held: &[Held],
    ) -> Result<Trainer<E>, RunError> {
        let prepared = self.prepare_all::<E>(cases)?;
        let cases: Vec<_> = cases.iter().copied().zip(&prepared).collect();
        let mut trainer = self.trainer(device, &cases)?;
        for (run, held) in held.iter().enumerate() {
            held.resume(&mut trainer, run)?;
        }
        Ok(trainer)
    }
}

/// A training set and a test set, prepared.
pub type PreparedPair<E> = (Prepared<E>, Option<Prepared<E>>);

/// Returns epoch and sample of the checkpoint in a folder: (0, 0) if there is no checkpoint, `None` if it cannot be
/// read.
#[must_use]
pub fn place<E: Element>(folder: &Path) -> Option<(u32, u32)> {
    let file = folder.join(run::CHECKPOINT);
    if !file.exists() {
        return Some((0, 0));
    }
    let checkpoint = Checkpoint::<E>::load(&file).ok()?;
    Some((checkpoint.progress.epoch, checkpoint.progress.position))
}

/// A record of any version.
#[derive(Deserialize)]
struct Versioned {
    #[serde(default)]
    version: u32,
}

/// Reads the summary that a folder holds, if a run has ended there.
///
/// # Errors
/// [`RunError::File`], if there is one that cannot be read.
pub fn summary(folder: &Path) -> Result<Option<Summary>, RunError> {
    let file: PathBuf = folder.join(run::SUMMARY);
    let read = || {
        let text = fs::read(&file)?;
        // Before anything else: a later version may spell the rest in another way.
        let Versioned { version } = serde_json::from_slice(&text)?;
        if version > VERSION {
            return Err(io::Error::other(later_version(version)));
        }
        Ok(serde_json::from_slice::<Summary>(&text)?)
    };
    match read() {
        Ok(summary) => Ok(Some(summary)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(RunError::File { file, source }),
    }
}

/// A row of the table of a randomization test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseRow {
    /// The condition.
    pub condition: String,
    /// The seed.
    pub seed: u64,
    /// Reason why it ended.
    pub ended: Ended,
    /// Steps until the training set was fitted; `None` if it was not.
    pub steps_to_fit: Option<u32>,
    /// Epochs until the training set was fitted; `None` if it was not.
    pub epochs_to_fit: Option<u32>,
    /// Steps to fit divided by those of the true labels with the same seed.
    pub ratio: Option<f64>,
    /// Training labels that differ from the sample's own.
    pub changed_labels: Option<u32>,
    /// Training accuracy at the end, for classes.
    pub train_accuracy: Option<f64>,
    /// Training loss at the end.
    pub train_loss: f64,
    /// 1 − test accuracy at the end, for classes.
    pub test_error: Option<f64>,
}

/// Returns the table of several runs, one row each.
#[must_use]
pub fn table(runs: &[(Case, &Summary)]) -> Vec<CaseRow> {
    let fitted = |summary: &Summary| (summary.ended == Ended::Fitted).then_some(summary.steps);
    let baseline = |seed: u64| {
        let same = |(case, _): &&(Case, &Summary)| {
            case.seed == seed && case.condition == Condition::Labels(LabelRule::True)
        };
        runs.iter().find(same).and_then(|(_, summary)| fitted(summary))
    };
    let row = |(case, summary): &(Case, &Summary)| CaseRow {
        condition: case.condition.to_string(),
        seed: case.seed,
        ended: summary.ended,
        steps_to_fit: fitted(summary),
        epochs_to_fit: fitted(summary).map(|_| summary.epochs),
        ratio: fitted(summary)
            .zip(baseline(case.seed).filter(|&steps| steps > 0))
            .map(|(steps, base)| f64::from(steps) / f64::from(base)),
        changed_labels: summary.changed_labels,
        train_accuracy: summary.train.accuracy,
        train_loss: summary.train.loss,
        test_error: summary.test.and_then(|test| test.accuracy).map(|accuracy| 1.0 - accuracy),
    };
    runs.iter().map(row).collect()
}
