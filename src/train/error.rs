//! Why training could not begin, or did not end.

use shatter_device::DeviceError;
use shatter_network::architecture::ArchitectureError;
use shatter_sample::SampleError;

use super::checkpoint::CheckpointError;

/// Why training could not begin, or did not end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A network that does not take these data.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
    /// A device that cannot.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A checkpoint that cannot be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Samples that cannot be prepared.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// A setting that makes no sense.
    #[error("{0}")]
    Setting(String),
    /// More samples a step than there are.
    #[error("a batch of {batch} samples is larger than the training set of {samples}")]
    Batch {
        /// Samples a step.
        batch: usize,
        /// Samples.
        samples: usize,
    },
    /// One class: every network fits, and none learns.
    #[error("the labels have {0} class; expected at least 2")]
    Classes(u32),
    /// The loss ceased to be a number.
    #[error(
        "training diverged: the loss is not finite at step {step} (epoch {epoch}); \
         try a smaller learning rate"
    )]
    Diverged {
        /// The step, from 1.
        step: u32,
        /// Its epoch, from 1.
        epoch: u32,
    },
    /// A checkpoint of another run.
    #[error("the checkpoint is of another run: its {what} is {found}; expected {expected}")]
    OtherRun {
        /// Name of what differs.
        what: String,
        /// Value in the checkpoint.
        found: String,
        /// Value in the run that resumes.
        expected: String,
    },
    /// A checkpoint without velocities, of a run that has taken steps.
    #[error(
        "the checkpoint holds weights without velocities and cannot be resumed; \
         start a new run from its weights"
    )]
    NoVelocities,
}
