//! Errors of training.

use shatter_device::DeviceError;
use shatter_network::architecture::ArchitectureError;
use shatter_sample::SampleError;

use super::checkpoint::CheckpointError;

/// Error of training.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The network does not fit the data.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
    /// The device failed, or does not support the training.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A checkpoint cannot be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The samples cannot be prepared.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// A setting is not valid, or settings and data do not fit each other. The text says why.
    #[error("{0}")]
    Setting(String),
    /// A batch is larger than the training set.
    #[error("a batch of {batch} samples is larger than the training set of {samples}")]
    Batch {
        /// Samples per step.
        batch: usize,
        /// Training samples.
        samples: usize,
    },
    /// The labels have fewer than two classes.
    #[error("the labels have {0} class; expected at least 2")]
    Classes(u32),
    /// The loss is no longer finite.
    #[error(
        "training diverged: the loss is not finite at step {step} (epoch {epoch}); \
         try a smaller learning rate"
    )]
    Diverged {
        /// Step, from 1.
        step: u32,
        /// Epoch of the step, from 1.
        epoch: u32,
    },
    /// The checkpoint is of another run.
    #[error("the checkpoint is of another run: its {what} is {found}; expected {expected}")]
    OtherRun {
        /// Name of what differs.
        what: String,
        /// Value in the checkpoint.
        found: String,
        /// Value in the run that resumes.
        expected: String,
    },
    /// The checkpoint has no velocities, though its run has taken steps.
    #[error(
        "the checkpoint holds weights without velocities and cannot be resumed; \
         start a new run from its weights"
    )]
    NoVelocities,
}
