//! Refuses plans that the device does not support, before anything is allocated.

use crate::check::{Access, Accesses};
use crate::plan::Plan;
use crate::{DeviceError, check};

/// Replicas that one launch can have.
const REPLICAS: std::ops::RangeInclusive<usize> = 1..=65_535;

/// Checks that every operation of a plan can run on this kind of device. Needs no device.
///
/// # Errors
/// [`DeviceError::Unsupported`], naming what is not supported; [`DeviceError::Missing`] and [`DeviceError::Length`] for
/// a plan that is not valid.
pub fn supports(plan: &Plan) -> Result<(), DeviceError> {
    let accesses = check::check(plan)?;
    let unsupported = |what: String| Err(DeviceError::Unsupported(what));
    if !REPLICAS.contains(&plan.replicas) {
        return unsupported(format!("{} replicas in a launch", plan.replicas));
    }
    match written_by_several(plan, &accesses) {
        Some(name) => unsupported(format!("writing '{name}' for several replicas at once")),
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
