//! Errors of the driver, in words.

use cust::error::CudaError;
use cust::sys::CUresult;

use crate::DeviceError;

/// The status if `cust` has no name for it.
fn reason(name: String, unknown: bool) -> String {
    let status = shatter_cuda_driver::unknown_status().filter(|_| unknown);
    status.map_or(name, |status| format!("status {status}"))
}

/// Converts an error of `cust`, for `map_err`. Names it, since the driver's own text needs a driver.
pub fn failed(action: &str) -> impl FnOnce(CudaError) -> DeviceError + '_ {
    move |error| match error {
        CudaError::OutOfMemory => DeviceError::Full { action: action.to_owned() },
        error => DeviceError::Driver {
            action: action.to_owned(),
            reason: reason(format!("{error:?}"), matches!(error, CudaError::UnknownError)),
        },
    }
}

/// The status of a function of the driver that was called by itself.
pub fn checked(status: CUresult, action: &str) -> Result<(), DeviceError> {
    if status == CUresult::CUDA_SUCCESS {
        return Ok(());
    }
    if status == CUresult::CUDA_ERROR_OUT_OF_MEMORY {
        return Err(DeviceError::Full { action: action.to_owned() });
    }
    let unknown = status == CUresult::CUDA_ERROR_UNKNOWN;
    let reason = reason(format!("{status:?}"), unknown);
    Err(DeviceError::Driver { action: action.to_owned(), reason })
}
