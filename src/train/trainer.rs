//! A network in training: steps, evaluations, checkpoints.

use serde::{Deserialize, Serialize};

use crate::device::{Control, Device, Element, Memory, Operation, Outcome, SequenceId};
use crate::network::Architecture;
use crate::network::architecture::{Parameter, Shape};
use crate::record::stream::{Purpose, permutation, stream_at};
use crate::sample::Labels;
use crate::sample::augment::Augmentation;
use crate::sample::preprocess::Prepared;

use super::checkpoint::Checkpoint;
use super::compile::{DataArrays, Goal, Program, compile};
use super::error::TrainError;
use super::outcome::{Ended, Measured, Tally};
use super::settings::{Order, Settings};

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Epochs that are complete.
    pub epoch: u32,
    /// Samples of the next epoch that are done.
    pub position: u32,
    /// Steps.
    pub step: u32,
    /// Lines of the record.
    pub lines: u64,
    /// Over the batches of this epoch.
    pub epoch_tally: Tally,
    /// Over the batches since the last line.
    pub line_tally: Tally,
    /// The best test accuracy of any epoch, and the epoch.
    pub best_test: Option<(f64, u32)>,
    /// Why the run ended, if it did.
    pub ended: Option<Ended>,
}

/// What is trained on and tested on.
pub struct Data<'a, E> {
    /// The training set.
    pub train: &'a Prepared<E>,
    /// The test set.
    pub test: Option<&'a Prepared<E>>,
    /// Whether each image is whitened after it was augmented.
    pub whiten: bool,
    /// What stands in checkpoints, so that no run is resumed on other data: an object.
    pub description: serde_json::Value,
}

/// What must be the same for a run to be the same.
pub(super) fn identity(description: &serde_json::Value, settings: &Settings) -> serde_json::Value {
    serde_json::json!({ "data": description, "settings": settings })
}

/// Refuses an augmentation of images of shape `stored` for a network that takes `input`, if a
/// part of it would change nothing.
fn has_effect(augmentation: Augmentation, stored: Shape, input: Shape) -> Result<(), TrainError> {
    let refuse = |what: &str, why: String| {
        Err(TrainError::Setting(format!("augmentation by {what} changes nothing: {why}")))
    };
    if !stored.is_image() {
        return refuse("crop, flip or rotation", format!("{stored} are no images"));
    }
    if augmentation.crop && (stored.height, stored.width) == (input.height, input.width) {
        return refuse("crop", format!("the network takes all of {stored}"));
    }
    Ok(())
}

/// Settings that say how long a run lasts, and not what it computes.
pub(super) const LASTING: [&str; 4] = ["epochs", "until_accuracy", "until_loss", "patience"];

/// Refuses settings under which a run might have ended before it came to where it stands.
fn not_easier(held: &serde_json::Value, wanted: &serde_json::Value) -> Result<(), TrainError> {
    let goal = |settings: &serde_json::Value, key: &str| settings[key].as_f64();
    let none = ["until_accuracy", "until_loss"].iter().all(|&key| goal(wanted, key).is_none());
    let harder = |key: &str| match (goal(held, key), goal(wanted, key)) {
        (Some(held), Some(wanted)) if key == "until_accuracy" => wanted >= held,
        (Some(held), Some(wanted)) => wanted <= held,
        // What was asked for besides the other goal, or is asked for now.
        (None, Some(_)) => goal(held, "until_accuracy").or(goal(held, "until_loss")).is_some(),
        (Some(_), None) => none,
        (None, None) => true,
    };
    let patient = wanted["patience"].is_null() || wanted["patience"] == held["patience"];
    for (key, fine) in [
        ("until_accuracy", harder("until_accuracy")),
        ("until_loss", harder("until_loss")),
        ("patience", patient),
    ] {
        if !fine {
            return Err(TrainError::OtherRun {
                what: key.replace('_', " "),
                held: held[key].to_string(),
                wanted: format!("{}, which it may have passed,", wanted[key]),
            });
        }
    }
    Ok(())
}

/// A network in training on a device.
pub struct Trainer<E: Element> {
    architecture: Architecture,
    settings: Settings,
    outputs: usize,
    samples: usize,
    tests: usize,
    /// Whether labels are real numbers.
    real: bool,
    /// Training labels that differ from the sample's own.
    changed: u32,
    description: serde_json::Value,
    program: Program,
    memory: Box<dyn Memory<E>>,
    progress: Progress,
    /// The epoch whose order the device has.
    ordered: Option<u32>,
}

impl<E: Element> Trainer<E> {
    /// Sets up `architecture` for `data`, with initial weights.
    ///
    /// # Errors
    /// [`TrainError`], if settings, network and data do not fit each other or the device.
    pub fn new(
        device: &dyn Device<E>,
        architecture: Architecture,
        data: &Data<E>,
        settings: Settings,
    ) -> Result<Trainer<E>, TrainError> {
        settings.check().map_err(TrainError::Setting)?;
        let samples = data.train.labels.len();
        if settings.batch > samples {
            return Err(TrainError::Batch { batch: settings.batch, samples });
        }
        let tests = data.test.map_or(0, |test| test.labels.len());
        let (outputs, real) = match &data.train.labels {
            Labels::Classes { count, .. } if *count < 2 => return Err(TrainError::Classes(*count)),
            Labels::Classes { count, .. } => (*count as usize, None),
            Labels::Real { outputs, .. } => (*outputs, Some(*outputs)),
        };
        if real.is_some() && settings.loss == super::compile::Loss::CrossEntropy {
            let reason = "real labels want the squared loss: cross-entropy is for classes";
            return Err(TrainError::Setting(reason.into()));
        }
        let given = architecture.output()?;
        if given != Shape::vector(outputs) {
            let reason = format!("the network puts out {given}, the labels want {outputs} numbers");
            return Err(TrainError::Setting(reason));
        }
        if settings.patience.is_some() && (tests == 0 || real.is_some()) {
            let reason = "patience looks at the accuracy on a test set, and there is none";
            return Err(TrainError::Setting(reason.into()));
        }
        let augmentation = settings.augmentation().map_err(TrainError::Setting)?;
        let stored = data.train.shape;
        if let Some(augmentation) = augmentation {
            has_effect(augmentation, stored, architecture.input)?;
        }
        let fits = match augmentation {
            None => stored == architecture.input,
            Some(_) => {
                let input = architecture.input;
                stored.channels == input.channels
                    && stored.height >= input.height
                    && stored.width >= input.width
            }
        };
        if !fits {
            let input = architecture.input;
            let reason = format!("the network takes {input}, the samples have {stored}");
            return Err(TrainError::Setting(reason));
        }
        let goal = Goal {
            replicas: 1,
            batch: settings.batch,
            train: samples,
            test: tests,
            stored,
            real,
            loss: settings.loss,
            augmentation: augmentation.map(|augmentation| (augmentation, data.whiten)),
            momentum: settings.momentum,
            decay: settings.weight_decay,
        };
        let program = compile(&architecture, &goal)?;
        let memory = device.prepare(program.plan.clone(), &[settings.seed])?;
        let changed = data.train.changed.iter().filter(|&&changed| changed).count() as u32;
        let tally = Tally::new(real.is_some());
        let mut trainer = Trainer {
            outputs,
            samples,
            tests,
            real: real.is_some(),
            changed,
            description: data.description.clone(),
            program,
            memory,
            progress: Progress { epoch_tally: tally, line_tally: tally, ..Progress::default() },
            ordered: None,
            architecture,
            settings,
        };
        let sets =
            [(Some(trainer.program.train), Some(data.train)), (trainer.program.test, data.test)];
        for (arrays, set) in sets {
            if let (Some(arrays), Some(set)) = (arrays, set) {
                trainer.load(arrays, set)?;
            }
        }
        trainer.initialize()?;
        Ok(trainer)
    }

    /// Writes a data set.
    fn load(&mut self, arrays: DataArrays, set: &Prepared<E>) -> Result<(), TrainError> {
        let memory = &mut self.memory;
        memory.write(arrays.images, 0, &set.values)?;
        let changed: Vec<u32> = set.changed.iter().map(|&changed| u32::from(changed)).collect();
        memory.write_indices(arrays.labels.changed, 0, &changed)?;
        match &set.labels {
            Labels::Classes { of, .. } => memory.write_indices(arrays.labels.labels, 0, of)?,
            Labels::Real { values, .. } => {
                let values: Vec<E> = values.iter().map(|&value| E::of(value)).collect();
                memory.write(arrays.labels.labels, 0, &values)?;
            }
        }
        Ok(())
    }

    /// Draws the initial weights.
    fn initialize(&mut self) -> Result<(), TrainError> {
        let Settings { initialization, seed, .. } = self.settings;
        for (index, stored) in self.program.arrays.iter().enumerate() {
            let drawn = initialization.draw(&stored.parameter, index as u32, seed);
            let values: Vec<E> = drawn.into_iter().map(E::of).collect();
            self.memory.write(stored.value, 0, &values)?;
        }
        Ok(())
    }

    /// The network.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How far it is.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    pub(super) fn progress_mut(&mut self) -> &mut Progress {
        &mut self.progress
    }

    /// Samples to train on.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Training labels that differ from the sample's own.
    pub fn changed_labels(&self) -> u32 {
        self.changed
    }

    /// Whether the network in training is another than the one that is evaluated, so that its
    /// accuracy as it goes along says little about the other's.
    pub(super) fn differs_in_training(&self) -> bool {
        let dropout = |step: &Operation| matches!(step, Operation::Dropout { .. });
        let plan = &self.program.plan;
        let operations = plan.sequences.iter().flat_map(|sequence| &sequence.operations);
        !self.settings.augmentation.is_empty() || operations.into_iter().any(dropout)
    }

    /// Whether there is a test set.
    pub fn has_test(&self) -> bool {
        self.tests > 0
    }

    /// The network's arrays, in canonical order.
    ///
    /// # Errors
    /// Those of the device.
    pub fn weights(&mut self) -> Result<Vec<(Parameter, Vec<E>)>, TrainError> {
        let Trainer { program, memory, .. } = self;
        let read = |stored: &super::compile::Stored| {
            let mut values = vec![E::zero(); program.plan.len(stored.value)];
            memory.read(stored.value, 0, &mut values)?;
            Ok((stored.parameter.clone(), values))
        };
        program.arrays.iter().map(read).collect()
    }

    /// Replaces the network's arrays, given in the order of [`Architecture::arrays`].
    ///
    /// # Errors
    /// [`DeviceError`](crate::device::DeviceError), if a length is wrong.
    pub fn set_weights(&mut self, arrays: &[(Parameter, Vec<E>)]) -> Result<(), TrainError> {
        for (stored, (_, values)) in self.program.arrays.iter().zip(arrays) {
            self.memory.write(stored.value, 0, values)?;
        }
        Ok(())
    }

    /// Everything needed to go on elsewhere.
    ///
    /// # Errors
    /// Those of the device.
    pub fn checkpoint(&mut self) -> Result<Checkpoint<E>, TrainError> {
        let arrays = self.weights()?;
        let mut velocities = Vec::new();
        for stored in &self.program.arrays {
            if let Some([_, velocity]) = stored.trained {
                let mut values = vec![E::zero(); self.program.plan.len(velocity)];
                self.memory.read(velocity, 0, &mut values)?;
                velocities.push(values);
            }
        }
        Ok(Checkpoint {
            architecture: self.architecture.to_string(),
            input: self.architecture.input,
            outputs: self.outputs,
            settings: self.identity(),
            progress: serde_json::json!(self.progress),
            arrays,
            velocities,
        })
    }

    pub(super) fn identity(&self) -> serde_json::Value {
        identity(&self.description, &self.settings)
    }

    /// Goes on from a checkpoint of the same run. It may be to last longer.
    ///
    /// # Errors
    /// [`TrainError::OtherRun`], naming the first thing that differs.
    pub fn resume(&mut self, checkpoint: &Checkpoint<E>) -> Result<(), TrainError> {
        let differs = |what: &str, held: String, wanted: String| {
            let what = what.replace('_', " ");
            if held == wanted { Ok(()) } else { Err(TrainError::OtherRun { what, held, wanted }) }
        };
        differs("network", checkpoint.architecture.clone(), self.architecture.to_string())?;
        differs("input", checkpoint.input.to_string(), self.architecture.input.to_string())?;
        let (held, wanted) = (&checkpoint.settings, self.identity());
        for part in ["data", "settings"] {
            for (key, value) in wanted[part].as_object().into_iter().flatten() {
                if !LASTING.contains(&key.as_str()) {
                    differs(key, held[part][key].to_string(), value.to_string())?;
                }
            }
        }
        let (held, wanted) = (&held["settings"], &wanted["settings"]);
        let mut progress: Progress = serde_json::from_value(checkpoint.progress.clone())
            .map_err(|error| TrainError::Setting(format!("the checkpoint's progress: {error}")))?;
        let position = progress.position as usize;
        if position >= self.samples || !position.is_multiple_of(self.settings.batch) {
            let reason =
                format!("the checkpoint stands at sample {position}, where no batch begins");
            return Err(TrainError::Setting(reason));
        }
        if progress.step > 0 && checkpoint.velocities.is_empty() {
            let reason = "the checkpoint holds weights without velocities: --init starts from them";
            return Err(TrainError::Setting(reason.into()));
        }
        not_easier(held, wanted)?;
        if progress.epoch > self.settings.epochs {
            let (held, wanted) = (progress.epoch.to_string(), self.settings.epochs.to_string());
            return differs("count of epochs that are done", held, format!("{wanted} at most"));
        }
        progress.ended = progress.ended.filter(|ended| ended.holds(progress.epoch, held, wanted));
        self.set_weights(&checkpoint.arrays)?;
        let velocities = self.program.arrays.iter().filter_map(|stored| stored.trained);
        for ([_, velocity], values) in velocities.zip(&checkpoint.velocities) {
            self.memory.write(velocity, 0, values)?;
        }
        self.progress = progress;
        self.ordered = None;
        Ok(())
    }

    /// The order of the samples in an epoch.
    fn order(&self, epoch: u32) -> Vec<u32> {
        let n = self.samples as u32;
        match self.settings.order {
            Order::Sequential => (0..n).collect(),
            Order::Shuffled => {
                permutation(&mut stream_at(self.settings.seed, Purpose::Order, epoch), n)
            }
        }
    }

    /// Takes up to `count` steps, not beyond the end of the epoch, and counts them.
    ///
    /// # Errors
    /// [`TrainError::Diverged`], if a loss is not finite.
    pub fn steps(&mut self, count: u32) -> Result<(), TrainError> {
        let Progress { epoch, position, step, .. } = self.progress;
        if self.ordered != Some(epoch) {
            let order = self.order(epoch);
            self.memory.write_indices(self.program.order, 0, &order)?;
            self.ordered = Some(epoch);
        }
        let learning_rate = self.settings.rate(epoch);
        self.memory.control(Control { position, step, epoch, learning_rate });
        let mut position = position as usize;
        for _ in 0..count {
            let left = self.samples - position;
            let (sequence, rows) = match self.program.step_last {
                Some(last) if left < self.settings.batch => (last, left),
                _ => (self.program.step, self.settings.batch),
            };
            self.memory.run(sequence)?;
            position += rows;
            if position == self.samples {
                break;
            }
        }
        for outcome in self.memory.read_outcomes(0)? {
            self.progress.step = self.progress.step.saturating_add(1);
            if !outcome.loss.is_finite() {
                return Err(self.diverged());
            }
            self.progress.epoch_tally.add(&outcome);
            self.progress.line_tally.add(&outcome);
        }
        self.progress.position = position as u32;
        Ok(())
    }

    /// Begins the next epoch, once all samples of this one are done; what its batches found.
    pub fn end_epoch(&mut self) -> Measured {
        let found = self.progress.epoch_tally.measured();
        self.progress.epoch = self.progress.epoch.saturating_add(1);
        self.progress.position = 0;
        self.progress.epoch_tally = Tally::new(self.real);
        self.progress.line_tally = Tally::new(self.real);
        found
    }

    /// That the loss ceased to be finite at the last step that was taken.
    pub(super) fn diverged(&self) -> TrainError {
        let Progress { step, epoch, position, .. } = self.progress;
        let within = u32::from(position > 0 || epoch == 0);
        TrainError::Diverged { step, epoch: epoch.saturating_add(within) }
    }

    /// Loss and accuracies of the training set under the present weights, without training.
    ///
    /// # Errors
    /// Those of the device.
    pub fn evaluate_training(&mut self) -> Result<Measured, TrainError> {
        self.evaluate(self.program.train, self.samples)
    }

    /// The same of the test set, if there is one.
    ///
    /// # Errors
    /// Those of the device.
    pub fn evaluate_test(&mut self) -> Result<Option<Measured>, TrainError> {
        self.program.test.map(|arrays| self.evaluate(arrays, self.tests)).transpose()
    }

    fn evaluate(&mut self, arrays: DataArrays, samples: usize) -> Result<Measured, TrainError> {
        let outcomes = self.evaluate_batches(arrays, samples, |_| Ok(()))?;
        let mut tally = Tally::new(self.real);
        outcomes.iter().for_each(|outcome| tally.add(outcome));
        Ok(tally.measured())
    }

    /// Runs all batches of a data set, calls `each` after every one, and reads what they found in
    /// the end, so that a device is waited for once.
    fn evaluate_batches(
        &mut self,
        arrays: DataArrays,
        samples: usize,
        mut each: impl FnMut(&mut dyn Memory<E>) -> Result<(), TrainError>,
    ) -> Result<Vec<Outcome>, TrainError> {
        let Progress { step, epoch, .. } = self.progress;
        self.memory.control(Control { position: 0, step, epoch, learning_rate: 0.0 });
        let whole = vec![arrays.evaluate; samples / self.settings.batch];
        let sequences: Vec<SequenceId> = whole.into_iter().chain(arrays.evaluate_last).collect();
        for sequence in sequences {
            self.memory.run(sequence)?;
            each(self.memory.as_mut())?;
        }
        Ok(self.memory.read_outcomes(0)?)
    }

    /// What the network puts out for every sample of the training set: samples × outputs numbers.
    ///
    /// # Errors
    /// Those of the device.
    pub fn outputs(&mut self) -> Result<Vec<E>, TrainError> {
        let (arrays, samples, width) = (self.program.train, self.samples, self.outputs);
        let view = self.program.output;
        let mut batch = vec![E::zero(); self.program.plan.len(view.array)];
        let mut all = Vec::with_capacity(samples.saturating_mul(width));
        self.evaluate_batches(arrays, samples, |memory| {
            memory.read(view.array, 0, &mut batch)?;
            let left = samples * width - all.len();
            all.extend_from_slice(&batch[..left.min(batch.len())]);
            Ok(())
        })?;
        Ok(all)
    }
}
