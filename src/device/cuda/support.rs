//! What the device does not have, found out before anything is allocated.

use crate::device::check::{Access, Accesses};
use crate::device::plan::{Operation, Plan};
use crate::device::{DeviceError, check};

/// Replicas that one launch can have.
const REPLICAS: std::ops::RangeInclusive<usize> = 1..=65_535;

/// Whether every operation of a plan can run on this device; no device is asked.
///
/// # Errors
/// [`DeviceError::Unsupported`], naming the operation; those of a plan that makes no sense.
pub fn supports(plan: &Plan) -> Result<(), DeviceError> {
    let accesses = check::check(plan)?;
    let unsupported = |what: String| Err(DeviceError::Unsupported(what));
    if !REPLICAS.contains(&plan.replicas) {
        return unsupported(format!("room for {} replicas in a launch", plan.replicas));
    }
    let operations = plan.sequences.iter().flat_map(|sequence| &sequence.operations);
    if let Some(what) = operations.filter_map(missing).next() {
        return unsupported(format!("{what} on CUDA in this version"));
    }
    match written_by_several(plan, &accesses) {
        Some(name) => unsupported(format!("way to write '{name}' for several replicas at once")),
        None => Ok(()),
    }
}

/// An array that replicas share and write, each at the same time.
fn written_by_several<'a>(plan: &'a Plan, accesses: &[Accesses]) -> Option<&'a str> {
    let touched = accesses.iter().flatten().flatten();
    let mut written = touched.filter(|(_, access)| *access != Access::Read);
    let shared = written.find(|(id, _)| plan.replicas > 1 && plan.arrays[id.0].shared);
    shared.map(|(id, _)| plan.arrays[id.0].name.as_str())
}

/// The name of an operation that has no kernel yet.
fn missing(operation: &Operation) -> Option<&'static str> {
    match operation {
        Operation::Gather { augmentation: Some(_), .. } => Some("augmentation"),
        Operation::Convolution { .. }
        | Operation::ConvolutionInputGradient { .. }
        | Operation::ConvolutionWeightGradient { .. } => Some("convolution"),
        Operation::Pool { .. }
        | Operation::PoolGradient { .. }
        | Operation::GlobalMeanPool { .. }
        | Operation::GlobalMeanPoolGradient { .. } => Some("pooling"),
        Operation::BatchNormalization { .. } | Operation::BatchNormalizationGradient { .. } => {
            Some("batch normalization")
        }
        Operation::LocalResponseNormalization { .. }
        | Operation::LocalResponseNormalizationGradient { .. } => {
            Some("local response normalization")
        }
        _ => None,
    }
}
