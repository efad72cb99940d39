//! Arrays in device memory, and copies to them and from them. All of it goes through the stream that
//! kernels go through, so that it follows what was enqueued before and comes before what is enqueued
//! after, and nothing goes through the driver's stream without a name: no thread may use that one
//! while another captures a sequence.
#![allow(unsafe_code)]

use cust::error::CudaError;
use cust::memory::bytemuck::{Pod, Zeroable};
use cust::memory::{AsyncCopyDestination, DeviceBuffer, DeviceCopy, DeviceSlice};
use cust::stream::Stream;

use crate::DeviceError;

use super::error::failed;

/// Allocates an uninitialised buffer of `len` numbers, at least one.
fn room<T: DeviceCopy>(name: &str, len: Option<usize>) -> Result<DeviceBuffer<T>, DeviceError> {
    let bytes = len.unwrap_or(usize::MAX).saturating_mul(size_of::<T>());
    let error = DeviceError::Memory { array: name.to_owned(), bytes: bytes as u64 };
    let Some(len) = len else { return Err(error) };
    // SAFETY: every caller here fills it before it hands it out.
    let made = unsafe { DeviceBuffer::uninitialized(len.max(1)) };
    made.map_err(|reason| match reason {
        CudaError::OutOfMemory | CudaError::InvalidMemoryAllocation => error,
        _ => failed(&format!("allocating '{name}'"))(reason),
    })
}

/// Zeros in device memory, at least one.
pub fn zeros<T: DeviceCopy + Zeroable>(
    stream: &Stream,
    name: &str,
    len: Option<usize>,
) -> Result<DeviceBuffer<T>, DeviceError> {
    let mut made = room(name, len)?;
    // SAFETY: whoever uses the buffer does so through the same stream; a driver waits before it
    // frees one.
    let set = unsafe { made.set_zero_async(stream) };
    set.map_err(failed(&format!("clearing '{name}'")))?;
    Ok(made)
}

/// `copies` times `len` zeros, each followed up to a multiple of `stride` by numbers all of whose
/// bits are set: not-a-number, and no index, so that whoever reads between replicas is found.
pub fn replicas<T: DeviceCopy + Pod>(
    stream: &Stream,
    name: &str,
    (len, stride, copies): (usize, Option<usize>, usize),
) -> Result<DeviceBuffer<T>, DeviceError> {
    let made = room::<T>(name, stride.and_then(|stride| stride.checked_mul(copies)))?;
    let action = format!("clearing '{name}'");
    // SAFETY: as in `zeros`.
    unsafe { made.index(..).set_8_async(0xFF, stream) }.map_err(failed(&action))?;
    for start in (0..copies).map(|copy| copy * stride.unwrap_or(0)) {
        // SAFETY: as in `zeros`.
        let set = unsafe { made.index(start..start + len).set_zero_async(stream) };
        set.map_err(failed(&action))?;
    }
    Ok(made)
}

/// Writes numbers, and waits until they are there.
pub fn write<T: DeviceCopy>(
    stream: &Stream,
    name: &str,
    mut to: DeviceSlice<T>,
    values: &[T],
) -> Result<(), DeviceError> {
    // SAFETY: `values` are borrowed until the stream is done.
    let copied = unsafe { to.async_copy_from(values, stream) };
    copied.map_err(failed(&format!("writing '{name}'")))?;
    wait(stream)
}

/// Numbers in device memory; one zero if there are none, since there are no empty arrays there.
pub fn sent<T: DeviceCopy + Zeroable>(
    stream: &Stream,
    name: &str,
    values: &[T],
) -> Result<DeviceBuffer<T>, DeviceError> {
    let made = zeros(stream, name, Some(values.len()))?;
    write(stream, name, made.index(..values.len()), values)?;
    Ok(made)
}

/// Waits for what was enqueued, and reads numbers.
pub fn read<T: DeviceCopy>(
    stream: &Stream,
    name: &str,
    from: DeviceSlice<T>,
    values: &mut [T],
) -> Result<(), DeviceError> {
    // SAFETY: `values` are borrowed until the stream is done.
    let copied = unsafe { from.async_copy_to(values, stream) };
    copied.map_err(failed(&format!("reading '{name}'")))?;
    wait(stream)
}

/// Errors of kernels show here.
fn wait(stream: &Stream) -> Result<(), DeviceError> {
    stream.synchronize().map_err(failed("running what was enqueued"))
}
