//! Where training runs: what a [`Plan`] is, and the trait of everything that can run one.
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

/// In which arithmetic products of matrices are computed. Numbers stay those of the device's type in
/// memory, and sums are of that type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arithmetic {
    /// That of the numbers.
    #[default]
    Own,
    /// Factors are rounded to TF32, with 10 bits after the point; for `f32`.
    Tf32,
    /// Factors are rounded to BF16, with 7 bits after the point; for `f32`.
    Bf16,
}

impl Arithmetic {
    /// Its name in records, for numbers of type `E`: `f32`, `f64`, `tf32`, `bf16`.
    pub fn name<E: Element>(self) -> &'static str {
        match self {
            Arithmetic::Own => E::NAME,
            Arithmetic::Tf32 => "tf32",
            Arithmetic::Bf16 => "bf16",
        }
    }
}

/// What a device is told before it runs a sequence; the device counts on from there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Control {
    /// Place in the order of the samples at which the next batch begins.
    pub position: u32,
    /// Updates of the weights so far.
    pub step: u32,
    /// The epoch, from 0.
    pub epoch: u32,
    /// Learning rate.
    pub learning_rate: f64,
}

/// Why a device cannot do what it is asked for.
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
    /// There is no memory left on the device for something else than an array.
    #[error("{action}: the device is out of memory")]
    Full {
        /// What was tried.
        action: String,
    },
    /// Numbers of another length than the array has.
    #[error("expected {held} numbers in '{array}'; found {given}")]
    Length {
        /// The array.
        array: String,
        /// What it has.
        held: usize,
        /// What was given.
        given: usize,
    },
    /// An array, a replica or a sequence that the plan does not have, or of another kind.
    #[error("the plan has no {0}")]
    Missing(String),
    /// There is no such device here.
    #[error("{0}")]
    Absent(String),
    /// An operation, or something about one, that the device does not have.
    #[error("the device does not support {0}")]
    Unsupported(String),
    /// The driver of the device refused something, or something enqueued before went wrong.
    #[error("{action}: the driver reports {reason}")]
    Driver {
        /// What was tried.
        action: String,
        /// What the driver says.
        reason: String,
    },
}

/// Something that runs plans.
pub trait Device<E: Element> {
    /// What it is, in words.
    fn describe(&self) -> String;

    /// Its kind, `cpu` or `cuda`: devices of one kind leave the same bytes.
    fn kind(&self) -> &'static str;

    /// Sets up the arrays of `plan`, all zero. `seed` is what dropout and augmentation draw with.
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

    /// What the losses found, since the last time it was read: one entry a run of a sequence with
    /// a loss, in their order. Waits for everything enqueued.
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

/// What a loss found on one batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Sum of the samples' losses, in binary64.
    pub loss: f64,
    /// Samples whose label is the sample's own: classified as labelled, and all of them.
    pub clean: (u32, u32),
    /// Samples whose label was changed: classified as labelled, and all of them.
    pub changed: (u32, u32),
}
