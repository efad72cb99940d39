//! Devices that training runs on: the [`Plan`] of a network, and the trait [`Device`] of everything that runs one.
//!
//! A device holds the arrays of a plan in its own memory and its own layout; whoever writes or
//! reads them does so in the canonical order (PyTorch's: samples × channels × height × width,
//! weights out × in). Operations are enqueued and return nothing; only reading waits for them.

mod check;
pub mod cpu;
#[cfg(feature = "cuda")]
pub mod cuda;
pub mod plan;

use shatter_exact::Element;

pub use plan::{
    Array, ArrayId, ArrayKind, LabelArrays, Operation, Plan, Sequence, SequenceId, View,
};

/// Arithmetic of the products of matrices. Numbers in memory and sums keep the device's type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arithmetic {
    /// The arithmetic of the numbers' own type.
    #[default]
    Own,
    /// Factors are rounded to TF32, with 10 bits after the point; for `f32`.
    Tf32,
    /// Factors are rounded to BF16, with 7 bits after the point; for `f32`.
    Bf16,
}

impl Arithmetic {
    /// Returns its name in records, for numbers of type `E`: `f32`, `f64`, `tf32`, `bf16`.
    #[must_use]
    pub fn name<E: Element>(self) -> &'static str {
        match self {
            Arithmetic::Own => E::NAME,
            Arithmetic::Tf32 => "tf32",
            Arithmetic::Bf16 => "bf16",
        }
    }
}

/// State of training that a device is told before it runs a sequence. The device counts on from there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Control {
    /// Index, in the order of the samples, of the first sample of the next batch.
    pub position: u32,
    /// Updates of the weights so far.
    pub step: u32,
    /// The epoch, from 0.
    pub epoch: u32,
    /// Learning rate.
    pub learning_rate: f64,
}

/// Error of a device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The arrays of the plan do not fit into memory.
    #[error("cannot allocate {bytes} bytes for '{array}'")]
    Memory {
        /// The array.
        array: String,
        /// Its size in bytes.
        bytes: u64,
    },
    /// The device has no memory left for something other than an array.
    #[error("{action}: the device is out of memory")]
    Full {
        /// The action that failed.
        action: String,
    },
    /// The numbers given are not as many as the array has.
    #[error("expected {held} numbers in '{array}'; found {given}")]
    Length {
        /// The array.
        array: String,
        /// Its length.
        held: usize,
        /// The length that was given.
        given: usize,
    },
    /// The plan lacks an array, a replica or a sequence, or has it as another kind.
    #[error("the plan has no {0}")]
    Missing(String),
    /// This machine has no such device.
    #[error("{0}")]
    Absent(String),
    /// The device does not support an operation, or something about one.
    #[error("the device does not support {0}")]
    Unsupported(String),
    /// The driver of the device reported an error, of this action or of one enqueued before.
    #[error("{action}: the driver reports {reason}")]
    Driver {
        /// The action that failed.
        action: String,
        /// The driver's name for the error.
        reason: String,
    },
}

/// A device that runs plans.
pub trait Device<E: Element> {
    /// Describes the device in words.
    #[must_use]
    fn describe(&self) -> String;

    /// Returns its kind, `cpu` or `cuda`. Devices of one kind leave the same bytes.
    #[must_use]
    fn kind(&self) -> &'static str;

    /// Sets up the arrays of `plan`, all zero. Dropout and augmentation of replica r draw with `seeds[r]`.
    ///
    /// # Errors
    /// [`DeviceError::Memory`]; [`DeviceError::Missing`] and [`DeviceError::Length`], if an
    /// operation names an array that is not there or does not fit, or a replica has no seed;
    /// [`DeviceError::Unsupported`], if the device does not have an operation.
    fn prepare(&self, plan: Plan, seeds: &[u64]) -> Result<Box<dyn Memory<E>>, DeviceError>;
}

/// A plan in the memory of a device.
///
/// Arrays that are shared between replicas take replica 0.
pub trait Memory<E: Element> {
    /// Writes an array of numbers, in canonical order.
    ///
    /// # Errors
    /// [`DeviceError::Length`], [`DeviceError::Missing`].
    fn write(&mut self, array: ArrayId, replica: usize, values: &[E]) -> Result<(), DeviceError>;

    /// Reads an array of numbers, in canonical order, after everything enqueued is done.
    ///
    /// # Errors
    /// [`DeviceError::Length`], [`DeviceError::Missing`].
    fn read(&mut self, array: ArrayId, replica: usize, values: &mut [E])
    -> Result<(), DeviceError>;

    /// Writes an array of indices.
    ///
    /// # Errors
    /// [`DeviceError::Length`], [`DeviceError::Missing`].
    fn write_indices(
        &mut self,
        array: ArrayId,
        replica: usize,
        values: &[u32],
    ) -> Result<(), DeviceError>;

    /// Takes the outcomes of the losses since the last call: one per run of a sequence with a loss, in their order.
    /// Waits for everything enqueued.
    ///
    /// # Errors
    /// [`DeviceError::Driver`], if something enqueued went wrong.
    fn read_outcomes(&mut self, replica: usize) -> Result<Vec<Outcome>, DeviceError>;

    /// Sets position, step, epoch and learning rate.
    fn control(&mut self, control: Control);

    /// Enqueues the operations of a sequence.
    ///
    /// # Errors
    /// [`DeviceError::Missing`], [`DeviceError::Driver`].
    fn run(&mut self, sequence: SequenceId) -> Result<(), DeviceError>;
}

/// Outcome of a loss on one batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Sum of the samples' losses, in binary64.
    pub loss: f64,
    /// Samples whose label is the sample's own: classified as labelled, and all of them.
    pub clean: (u32, u32),
    /// Samples whose label was changed: classified as labelled, and all of them.
    pub changed: (u32, u32),
}
