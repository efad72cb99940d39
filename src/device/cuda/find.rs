//! Finds the driver and the devices, and checks that they can run these kernels.

use cust::CudaFlags;
use cust::device::{Device, DeviceAttribute};

use crate::{Arithmetic, DeviceError};

use super::error::failed;

/// The oldest version of CUDA that a driver must speak to take our kernels (PTX 9.0): 13.0.
const SPOKEN: (i32, i32) = (13, 0);
/// The driver that speaks it.
const DRIVER: u32 = 580;
/// The oldest compute capability that the kernels are compiled for.
const CAPABILITY: (i32, i32) = (7, 5);
/// The oldest whose tensor cores take TF32 and BF16.
const TENSOR_CORES: (i32, i32) = (8, 0);

/// Properties of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its name.
    pub name: String,
    /// Its compute capability, major and minor.
    pub capability: (i32, i32),
    /// Bytes of memory.
    pub memory: u64,
    /// The version of CUDA that its driver speaks.
    pub cuda: (i32, i32),
}

impl Description {
    /// Returns true if it has tensor cores for TF32 and BF16.
    #[must_use]
    pub fn has_tensor_cores(&self) -> bool {
        self.capability >= TENSOR_CORES
    }

    /// Returns why it cannot compute products of matrices in `arithmetic`, if it cannot.
    pub(super) fn lacks(&self, arithmetic: Arithmetic) -> Option<String> {
        let lacks = arithmetic != Arithmetic::Own && !self.has_tensor_cores();
        lacks.then(|| {
            format!(
                "its compute capability is {}.{}, and {} needs {}.{}",
                self.capability.0,
                self.capability.1,
                arithmetic.name::<f32>(),
                TENSOR_CORES.0,
                TENSOR_CORES.1
            )
        })
    }
}

impl std::fmt::Display for Description {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Description { name, capability: (major, minor), memory, cuda } = self;
        let memory = *memory as f64 / f64::from(1 << 30);
        write!(f, "{name}, compute capability {major}.{minor}, {memory:.1} GiB, ")?;
        write!(f, "driver of CUDA {}.{}", cuda.0, cuda.1)
    }
}

/// Finds the first device. The text says why it cannot run these kernels, if it cannot.
///
/// # Errors
/// [`DeviceError::Absent`], if there is no driver or no device; [`DeviceError::Driver`].
pub fn find() -> Result<(Description, Option<String>), DeviceError> {
    let (device, cuda) = first()?;
    let attribute = |which| device.get_attribute(which).map_err(failed("asking for a capability"));
    let description = Description {
        name: device.name().map_err(failed("asking for a name"))?,
        capability: (
            attribute(DeviceAttribute::ComputeCapabilityMajor)?,
            attribute(DeviceAttribute::ComputeCapabilityMinor)?,
        ),
        memory: device.total_memory().map_err(failed("asking for the memory"))? as u64,
        cuda,
    };
    let obstacle = obstacle(&description);
    Ok((description, obstacle))
}

/// The first device, as `cust` has it, and the version of CUDA that the driver speaks.
pub fn first() -> Result<(Device, (i32, i32)), DeviceError> {
    shatter_cuda_driver::open().map_err(|error| DeviceError::Absent(error.to_string()))?;
    let absent = |what: &str| DeviceError::Absent(format!("the NVIDIA driver {what}"));
    match cust::init(CudaFlags::empty()) {
        Err(cust::error::CudaError::NoDevice) => return Err(absent("finds no device")),
        other => other.map_err(failed("starting the NVIDIA driver"))?,
    }
    let version = cust::CudaApiVersion::get().map_err(failed("asking for a version"))?;
    let count = Device::num_devices().map_err(failed("counting devices"))?;
    if count == 0 {
        return Err(absent("finds no device"));
    }
    let device = Device::get_device(0).map_err(failed("taking the first device"))?;
    Ok((device, (version.major(), version.minor())))
}

/// Returns why a device cannot run these kernels, if it cannot.
fn obstacle(description: &Description) -> Option<String> {
    let Description { capability, cuda, .. } = description;
    if *cuda < SPOKEN {
        return Some(format!(
            "its driver speaks CUDA {}.{}, and the kernels (PTX 9.0) need a driver of {DRIVER} or \
             newer, which speaks CUDA {}.{}",
            cuda.0, cuda.1, SPOKEN.0, SPOKEN.1
        ));
    }
    (*capability < CAPABILITY).then(|| {
        format!(
            "its compute capability is {}.{}, and the kernels need {}.{}",
            capability.0, capability.1, CAPABILITY.0, CAPABILITY.1
        )
    })
}
