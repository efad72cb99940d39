//! Networks in training: steps, evaluations, checkpoints.
//!
//! A trainer holds several runs side by side, of one architecture under settings that differ in the
//! seed alone. Each operation of a step is done for all of them at once, and each run gets the bytes
//! that it would get by itself. All are at the same sample of the same epoch. A run that has ended is
//! neither counted nor read, though the device continues to compute it.

use std::fmt;
use std::sync::Arc;

use shatter_device::{Control, Device, Memory, Operation, SequenceId};
use shatter_exact::Element;
use shatter_network::Architecture;
use shatter_network::architecture::{Parameter, Shape};
use shatter_prepare::augment::Augmentation;
use shatter_prepare::preprocess::Prepared;
use shatter_random::stream::{Purpose, permutation, stream_at};
use shatter_sample::Labels;

use super::checkpoint::Checkpoint;
use super::compile::{DataArrays, Goal, Program, compile};
use super::error::TrainError;
use super::identity::{DataIdentity, Difference, Identity, LASTING};
use super::outcome::{Measured, Tally};
use super::progress::Progress;
use super::settings::{Order, Settings};

/// Data of a run.
#[derive(Debug)]
pub struct Data<'a, E> {
    /// The training set.
    pub train: &'a Prepared<E>,
    /// The test set.
    pub test: Option<&'a Prepared<E>>,
    /// Each image is whitened after it was augmented.
    pub whiten: bool,
    /// Identity of the data, which checkpoints hold, so that no run is resumed on other data.
    pub identity: DataIdentity,
}

/// Refuses an augmentation of images of shape `stored` for a network that takes `input`, if a
/// part of it would change nothing.
fn has_effect(augmentation: Augmentation, stored: Shape, input: Shape) -> Result<(), TrainError> {
    let refuse = |what: &str, why: String| {
        Err(TrainError::Setting(format!("augmentation by {what} changes nothing: {why}")))
    };
    if !stored.is_image() {
        return refuse(
            "crop, flip or rotation",
            format!("points of shape {stored} are not images"),
        );
    }
    if augmentation.crop && (stored.height, stored.width) == (input.height, input.width) {
        return refuse(
            "crop",
            format!("the network takes whole images of {stored}; expected a smaller input"),
        );
    }
    Ok(())
}

/// A run of a trainer.
struct Run {
    settings: Settings,
    /// Training labels that differ from the sample's own.
    changed: u32,
    data: DataIdentity,
    progress: Progress,
    /// It takes part in further steps.
    live: bool,
    /// Its loss is no longer finite.
    diverged: bool,
}

/// Networks in training on a device: `runs` of them, side by side.
pub struct Trainer<E: Element> {
    architecture: Architecture,
    outputs: usize,
    samples: usize,
    tests: usize,
    /// Labels are real numbers.
    real: bool,
    program: Program,
    memory: Box<dyn Memory<E>>,
    runs: Vec<Run>,
    /// The epoch whose order the device has.
    ordered: Option<u32>,
}

impl<E: Element> fmt::Debug for Trainer<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trainer")
            .field("architecture", &format_args!("{}", self.architecture))
            .field("runs", &self.runs.len())
            .finish_non_exhaustive()
    }
}

/// Refuses runs that one sequence of operations cannot serve.
fn alike<E>(runs: &[(Data<E>, Settings)]) -> Result<(), TrainError> {
    let facts = |(data, settings): &(Data<E>, Settings)| {
        let of = |set: &Prepared<E>| {
            let labels = match &set.labels {
                Labels::Classes { of, count, .. } => (of.len(), *count as usize, false),
                Labels::Real { outputs, .. } => (set.labels.len(), *outputs, true),
            };
            (set.shape, labels)
        };
        let settings = Settings { seed: 0, ..settings.clone() };
        (of(data.train), data.test.map(of), data.whiten, settings)
    };
    let first = runs.first().map(facts);
    if runs.iter().any(|run| Some(facts(run)) != first) {
        let reason = "runs side by side need settings that differ only in the seed, and samples of \
                      the same size";
        return Err(TrainError::Setting(reason.into()));
    }
    Ok(())
}

impl<E: Element> Trainer<E> {
    /// Sets up `architecture` for `data`, with initial weights.
    ///
    /// # Errors
    /// [`TrainError`], if settings, network and data do not fit each other or the device.
    pub fn new(
        device: &dyn Device<E>,
        architecture: Architecture,
        data: Data<E>,
        settings: Settings,
    ) -> Result<Trainer<E>, TrainError> {
        Trainer::side_by_side(device, architecture, &[(data, settings)])
    }

    /// Sets up several runs, each with its initial weights. They share one copy of the images on
    /// the device if all hold the same ones ([`relabel`](shatter_prepare::preprocess::relabel)).
    ///
    /// # Errors
    /// As [`Trainer::new`]; [`TrainError::Setting`], if there is none, or their settings differ in
    /// more than the seed, or their samples in size.
    pub fn side_by_side(
        device: &dyn Device<E>,
        architecture: Architecture,
        runs: &[(Data<E>, Settings)],
    ) -> Result<Trainer<E>, TrainError> {
        let Some((data, settings)) = runs.first() else {
            return Err(TrainError::Setting(
                "there is no run to train; expected at least one".into(),
            ));
        };
        settings.check().map_err(TrainError::Setting)?;
        alike(runs)?;
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
            let reason = "cross-entropy needs classes, and the labels are real numbers; use the \
                          squared loss";
            return Err(TrainError::Setting(reason.into()));
        }
        let given = architecture.output()?;
        if given != Shape::vector(outputs) {
            let reason = format!(
                "expected a network with {outputs} outputs, as many as the labels have; found outputs \
                 of shape {given}"
            );
            return Err(TrainError::Setting(reason));
        }
        if settings.patience.is_some() && (tests == 0 || real.is_some()) {
            let reason = "patience needs the accuracy on a test set; expected a test set whose labels \
                          are classes";
            return Err(TrainError::Setting(reason.into()));
        }
        let augmentation = settings.augmentation;
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
            let reason =
                format!("samples of shape {stored} do not fit the network; expected shape {input}");
            return Err(TrainError::Setting(reason));
        }
        let same = |set: fn(&Data<E>) -> Option<*const Vec<E>>| {
            runs.iter().all(|(other, _)| set(other) == set(data))
        };
        let shared_images = same(|data| Some(Arc::as_ptr(&data.train.values)))
            && same(|data| data.test.map(|test| Arc::as_ptr(&test.values)));
        let goal = Goal {
            replicas: runs.len(),
            batch: settings.batch,
            train: samples,
            test: tests,
            stored,
            shared_images,
            real,
            loss: settings.loss,
            augmentation: augmentation.map(|augmentation| (augmentation, data.whiten)),
            momentum: settings.momentum,
            decay: settings.weight_decay,
        };
        let program = compile(&architecture, &goal)?;
        let seeds: Vec<u64> = runs.iter().map(|(_, settings)| settings.seed).collect();
        let memory = device.prepare(program.plan.clone(), &seeds)?;
        let tally = Tally::new(real.is_some());
        let run = |(data, settings): &(Data<E>, Settings)| Run {
            settings: settings.clone(),
            changed: data.train.changed.iter().filter(|&&changed| changed).count() as u32,
            data: data.identity.clone(),
            progress: Progress { epoch_tally: tally, line_tally: tally, ..Progress::default() },
            live: true,
            diverged: false,
        };
        let mut trainer = Trainer {
            outputs,
            samples,
            tests,
            real: real.is_some(),
            program,
            memory,
            runs: runs.iter().map(run).collect(),
            ordered: None,
            architecture,
        };
        for (replica, (data, _)) in runs.iter().enumerate() {
            let sets = [
                (Some(trainer.program.train), Some(data.train)),
                (trainer.program.test, data.test),
            ];
            for (arrays, set) in sets {
                if let (Some(arrays), Some(set)) = (arrays, set) {
                    trainer.load(replica, arrays, set)?;
                }
            }
            trainer.initialize(replica)?;
        }
        Ok(trainer)
    }

    /// Writes a data set.
    fn load(
        &mut self,
        replica: usize,
        arrays: DataArrays,
        set: &Prepared<E>,
    ) -> Result<(), TrainError> {
        let memory = &mut self.memory;
        if replica == 0 || !self.program.plan.arrays[arrays.images.0].shared {
            memory.write(arrays.images, replica, &set.values)?;
        }
        let changed: Vec<u32> = set.changed.iter().map(|&changed| u32::from(changed)).collect();
        memory.write_indices(arrays.labels.changed, replica, &changed)?;
        match &set.labels {
            Labels::Classes { of, .. } => {
                memory.write_indices(arrays.labels.labels, replica, of)?
            }
            Labels::Real { values, .. } => {
                let values: Vec<E> = values.iter().map(|&value| E::of(value)).collect();
                memory.write(arrays.labels.labels, replica, &values)?;
            }
        }
        Ok(())
    }

    /// Draws the initial weights.
    fn initialize(&mut self, replica: usize) -> Result<(), TrainError> {
        let Settings { initialization, seed, .. } = self.runs[replica].settings;
        for (index, stored) in self.program.arrays.iter().enumerate() {
            let drawn = initialization.draw(&stored.parameter, index as u32, seed);
            let values: Vec<E> = drawn.into_iter().map(E::of).collect();
            self.memory.write(stored.value, replica, &values)?;
        }
        Ok(())
    }

    /// Returns the network.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Returns the number of runs.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Returns the settings of a run.
    ///
    /// # Panics
    /// If there is no such run. All methods that take the index of a run panic then.
    #[must_use]
    pub fn settings(&self, run: usize) -> &Settings {
        &self.runs[run].settings
    }

    /// Returns the progress of a run.
    #[must_use]
    pub fn progress(&self, run: usize) -> &Progress {
        &self.runs[run].progress
    }

    pub(super) fn progress_mut(&mut self, run: usize) -> &mut Progress {
        &mut self.runs[run].progress
    }

    /// Returns true if a run takes part in further steps. It does until it diverges or is retired.
    #[must_use]
    pub fn is_live(&self, run: usize) -> bool {
        self.runs[run].live
    }

    /// Excludes a run from further steps.
    pub fn retire(&mut self, run: usize) {
        self.runs[run].live = false;
    }

    /// Returns the number of training samples.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Returns the number of training labels of a run that differ from the sample's own.
    #[must_use]
    pub fn changed_labels(&self, run: usize) -> u32 {
        self.runs[run].changed
    }

    /// Returns true if dropout or augmentation make the network in training differ from the one that is evaluated, so
    /// that its accuracy says little about the other's.
    pub(super) fn differs_in_training(&self) -> bool {
        let dropout = |step: &Operation| matches!(step, Operation::Dropout { .. });
        let plan = &self.program.plan;
        let operations = plan.sequences.iter().flat_map(|sequence| &sequence.operations);
        self.runs[0].settings.augmentation.is_some() || operations.into_iter().any(dropout)
    }

    /// Returns true if there is a test set.
    #[must_use]
    pub fn has_test(&self) -> bool {
        self.tests > 0
    }

    /// Reads the arrays of a run's network, in the order of [`Architecture::arrays`].
    ///
    /// # Errors
    /// Those of the device.
    pub fn weights(&mut self, run: usize) -> Result<Vec<(Parameter, Vec<E>)>, TrainError> {
        let Trainer { program, memory, .. } = self;
        let read = |stored: &super::compile::Stored| {
            let mut values = vec![E::zero(); program.plan.len(stored.value)];
            memory.read(stored.value, run, &mut values)?;
            Ok((stored.parameter.clone(), values))
        };
        program.arrays.iter().map(read).collect()
    }

    /// Replaces the arrays of a run's network, given in the order of [`Architecture::arrays`].
    ///
    /// # Errors
    /// [`DeviceError`](shatter_device::DeviceError), if a length is wrong.
    pub fn set_weights(
        &mut self,
        run: usize,
        arrays: &[(Parameter, Vec<E>)],
    ) -> Result<(), TrainError> {
        for (stored, (_, values)) in self.program.arrays.iter().zip(arrays) {
            self.memory.write(stored.value, run, values)?;
        }
        Ok(())
    }

    /// Reads the state needed to resume a run.
    ///
    /// # Errors
    /// Those of the device.
    pub fn checkpoint(&mut self, run: usize) -> Result<Checkpoint<E>, TrainError> {
        let arrays = self.weights(run)?;
        let mut velocities = Vec::new();
        for stored in &self.program.arrays {
            if let Some([_, velocity]) = stored.trained {
                let mut values = vec![E::zero(); self.program.plan.len(velocity)];
                self.memory.read(velocity, run, &mut values)?;
                velocities.push(values);
            }
        }
        Ok(Checkpoint {
            architecture: self.architecture.to_string(),
            input: self.architecture.input,
            outputs: self.outputs,
            identity: self.identity(run),
            progress: self.runs[run].progress,
            arrays,
            velocities,
        })
    }

    pub(super) fn identity(&self, run: usize) -> Identity {
        let Run { data, settings, .. } = &self.runs[run];
        Identity { data: data.clone(), settings: settings.clone() }
    }

    /// Resumes a run from a checkpoint of its own. Its settings may let it last longer than those of the checkpoint.
    ///
    /// # Errors
    /// [`TrainError::OtherRun`], naming the first difference; [`TrainError::NoVelocities`]; [`TrainError::Setting`], if
    /// the checkpoint is at a sample where no batch begins; those of the device.
    pub fn resume(&mut self, run: usize, checkpoint: &Checkpoint<E>) -> Result<(), TrainError> {
        let differs = |what: &str, found: String, expected: String| {
            let what = what.to_owned();
            if found == expected {
                return Ok(());
            }
            Err(TrainError::OtherRun { what, found, expected })
        };
        differs("network", checkpoint.architecture.clone(), self.architecture.to_string())?;
        differs("input", checkpoint.input.to_string(), self.architecture.input.to_string())?;
        let wanted = self.identity(run);
        if let Some(Difference { field, here, there }) =
            wanted.difference(&checkpoint.identity, &LASTING)
        {
            return differs(&field.replace('_', " "), there, here);
        }
        let (held, wanted) = (&checkpoint.identity.settings, &wanted.settings);
        let mut progress = checkpoint.progress;
        let position = progress.position as usize;
        if position >= self.samples || !position.is_multiple_of(self.runs[run].settings.batch) {
            let reason = format!(
                "the checkpoint is at sample {position} of an epoch, where no batch begins"
            );
            return Err(TrainError::Setting(reason));
        }
        if progress.step > 0 && checkpoint.velocities.is_empty() {
            return Err(TrainError::NoVelocities);
        }
        held.continues_under(wanted)?;
        if progress.epoch > self.runs[run].settings.epochs {
            let most = self.runs[run].settings.epochs;
            let (found, expected) = (progress.epoch.to_string(), format!("at most {most}"));
            return differs("number of completed epochs", found, expected);
        }
        progress.ended = progress.ended.filter(|ended| ended.holds(progress.epoch, held, wanted));
        self.set_weights(run, &checkpoint.arrays)?;
        let velocities = self.program.arrays.iter().filter_map(|stored| stored.trained);
        for ([_, velocity], values) in velocities.zip(&checkpoint.velocities) {
            self.memory.write(velocity, run, values)?;
        }
        self.runs[run].progress = progress;
        self.ordered = None;
        Ok(())
    }

    /// The order of the samples in an epoch of a run.
    fn order(&self, run: usize, epoch: u32) -> Vec<u32> {
        let n = self.samples as u32;
        let Settings { order, seed, .. } = self.runs[run].settings;
        match order {
            Order::Sequential => (0..n).collect(),
            Order::Shuffled => permutation(&mut stream_at(seed, Purpose::Order, epoch), n),
        }
    }

    /// The runs that take part in further steps.
    pub(super) fn live(&self) -> Vec<usize> {
        (0..self.runs.len()).filter(|&run| self.runs[run].live).collect()
    }

    /// Takes up to `count` steps, not beyond the end of the epoch. A run whose loss is not finite takes no part in
    /// further steps.
    ///
    /// # Errors
    /// [`TrainError::Diverged`], if no run is left; [`TrainError::Setting`], if runs stand at
    /// different samples; those of the device.
    pub fn steps(&mut self, count: u32) -> Result<(), TrainError> {
        let live = self.live();
        let Some(&first) = live.first() else { return Ok(()) };
        let at = |run: usize| {
            let Progress { epoch, position, step, .. } = self.runs[run].progress;
            (epoch, position, step)
        };
        let (epoch, position, step) = at(first);
        if live.iter().any(|&run| at(run) != at(first)) {
            let reason = "runs side by side are at different samples; resume them from checkpoints of \
                          one step";
            return Err(TrainError::Setting(reason.into()));
        }
        if self.ordered != Some(epoch) {
            for &run in &live {
                let order = self.order(run, epoch);
                self.memory.write_indices(self.program.order, run, &order)?;
            }
            self.ordered = Some(epoch);
        }
        let Settings { batch, .. } = self.runs[first].settings;
        let learning_rate = self.runs[first].settings.rate(epoch);
        self.memory.control(Control { position, step, epoch, learning_rate });
        let mut position = position as usize;
        for _ in 0..count {
            let left = self.samples - position;
            let (sequence, rows) = match self.program.step_last {
                Some(last) if left < batch => (last, left),
                _ => (self.program.step, batch),
            };
            self.memory.run(sequence)?;
            position += rows;
            if position == self.samples {
                break;
            }
        }
        for run in 0..self.runs.len() {
            let outcomes = self.memory.read_outcomes(run)?;
            let Run { progress, live, diverged, .. } = &mut self.runs[run];
            for outcome in outcomes.iter().filter(|_| *live) {
                progress.step = progress.step.saturating_add(1);
                if !outcome.loss.is_finite() {
                    *diverged = true;
                    break;
                }
                progress.epoch_tally.add(outcome);
                progress.line_tally.add(outcome);
            }
            *live &= !*diverged;
            if *live {
                progress.position = position as u32;
            }
        }
        if live.iter().any(|&run| self.runs[run].live) {
            return Ok(());
        }
        Err(self.diverged(first).unwrap_or_else(|| self.diverged_here(first)))
    }

    /// Returns the error of a run that diverged, [`TrainError::Diverged`], or `None`.
    #[must_use]
    pub fn diverged(&self, run: usize) -> Option<TrainError> {
        let Progress { step, epoch, .. } = self.runs[run].progress;
        let epoch = epoch.saturating_add(1);
        self.runs[run].diverged.then_some(TrainError::Diverged { step, epoch })
    }

    /// Begins the next epoch, once all samples of this one are done. Returns loss and accuracies over the batches of
    /// the epoch, for each run. A run that takes no part stays where it is.
    pub fn end_epoch(&mut self) -> Vec<Measured> {
        let real = self.real;
        let end = |run: &mut Run| {
            let progress = &mut run.progress;
            let found = progress.epoch_tally.measured();
            if run.live {
                progress.epoch = progress.epoch.saturating_add(1);
                progress.position = 0;
                progress.epoch_tally = Tally::new(real);
                progress.line_tally = Tally::new(real);
            }
            found
        };
        self.runs.iter_mut().map(end).collect()
    }

    /// Returns the error that the loss of a run is not finite at its present step.
    pub(super) fn diverged_here(&self, run: usize) -> TrainError {
        let Progress { step, epoch, position, .. } = self.runs[run].progress;
        let within = u32::from(position > 0 || epoch == 0);
        TrainError::Diverged { step, epoch: epoch.saturating_add(within) }
    }

    /// Evaluates the training set under the present weights of each run, without training.
    ///
    /// # Errors
    /// Those of the device.
    pub fn evaluate_training(&mut self) -> Result<Vec<Measured>, TrainError> {
        self.evaluate(self.program.train, self.samples)
    }

    /// Evaluates the test set, if there is one, as [`Trainer::evaluate_training`] does the training set.
    ///
    /// # Errors
    /// Those of the device.
    pub fn evaluate_test(&mut self) -> Result<Option<Vec<Measured>>, TrainError> {
        self.program.test.map(|arrays| self.evaluate(arrays, self.tests)).transpose()
    }

    fn evaluate(
        &mut self,
        arrays: DataArrays,
        samples: usize,
    ) -> Result<Vec<Measured>, TrainError> {
        self.evaluate_batches(arrays, samples, |_| Ok(()))?;
        let found = |run: usize| {
            let mut tally = Tally::new(self.real);
            self.memory.read_outcomes(run)?.iter().for_each(|outcome| tally.add(outcome));
            Ok(tally.measured())
        };
        (0..self.runs.len()).map(found).collect()
    }

    /// Runs all batches of a data set and calls `each` after every one. Outcomes are left to be read, so that the
    /// device is waited for once.
    fn evaluate_batches(
        &mut self,
        arrays: DataArrays,
        samples: usize,
        mut each: impl FnMut(&mut dyn Memory<E>) -> Result<(), TrainError>,
    ) -> Result<(), TrainError> {
        let (Progress { step, epoch, .. }, batch) =
            (&self.runs[0].progress, self.runs[0].settings.batch);
        let control = Control { position: 0, step: *step, epoch: *epoch, learning_rate: 0.0 };
        self.memory.control(control);
        let whole = vec![arrays.evaluate; samples / batch];
        let sequences: Vec<SequenceId> = whole.into_iter().chain(arrays.evaluate_last).collect();
        for sequence in sequences {
            self.memory.run(sequence)?;
            each(self.memory.as_mut())?;
        }
        Ok(())
    }

    /// Computes the outputs of the network of a run at every training sample: samples × outputs numbers.
    ///
    /// # Errors
    /// Those of the device.
    pub fn outputs(&mut self, run: usize) -> Result<Vec<E>, TrainError> {
        let (arrays, samples, width) = (self.program.train, self.samples, self.outputs);
        let view = self.program.output;
        let mut batch = vec![E::zero(); self.program.plan.len(view.array)];
        let mut all = Vec::with_capacity(samples.saturating_mul(width));
        self.evaluate_batches(arrays, samples, |memory| {
            memory.read(view.array, run, &mut batch)?;
            let left = samples * width - all.len();
            all.extend_from_slice(&batch[..left.min(batch.len())]);
            Ok(())
        })?;
        for run in 0..self.runs.len() {
            self.memory.read_outcomes(run)?;
        }
        Ok(all)
    }
}
