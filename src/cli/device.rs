//! Which device a command computes on: `--device`.

use clap::ValueEnum;

use shatter_device::cpu::Cpu;
use shatter_device::{Arithmetic, Device, DeviceError};
use shatter_exact::Element;
use shatter_train::TrainError;
use shatter_train::randomize::Common;
use shatter_train::run::RunError;

use super::CliError;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DeviceChoice {
    /// An NVIDIA GPU if one is able to, the processor otherwise
    Auto,
    /// The processor
    Cpu,
    /// An NVIDIA GPU
    Cuda,
}

/// A device, and why it is not another one.
pub struct ChosenDevice<E: Element> {
    pub device: Box<dyn Device<E>>,
    /// Why it is the processor, where a GPU was looked for.
    reason: Option<String>,
}

impl<E: Element> ChosenDevice<E> {
    /// The device in words.
    pub fn describe(&self) -> String {
        match &self.reason {
            None => self.device.describe(),
            Some(reason) => format!("{} (no GPU: {reason})", self.device.describe()),
        }
    }
}

/// The device of `choice` for the runs of a command.
pub fn choose<E: Element>(choice: DeviceChoice, task: &Common) -> Result<ChosenDevice<E>, CliError>
where
    Cpu: Device<E>,
{
    let cpu = |reason| match task.arithmetic {
        Arithmetic::Own => Ok(ChosenDevice { device: Box::new(Cpu), reason }),
        other => {
            let name = other.name::<E>();
            let reason = reason.unwrap_or_else(|| "the processor has no tensor cores".into());
            Err(CliError::NoDevice(format!("--precision {name}: {reason}")))
        }
    };
    if choice == DeviceChoice::Cpu {
        return cpu(None);
    }
    match cuda::<E>(task) {
        Ok(device) => Ok(ChosenDevice { device, reason: None }),
        Err(TrainError::Device(error)) if choice == DeviceChoice::Cuda => {
            Err(CliError::NoDevice(format!("--device cuda: {error}")))
        }
        // A build without CUDA looks for nothing, but where only a GPU will do.
        Err(TrainError::Device(error)) => {
            let looked = cfg!(feature = "cuda") || task.arithmetic != Arithmetic::Own;
            cpu(Some(error.to_string()).filter(|_| looked))
        }
        Err(error) => Err(RunError::from(error).into()),
    }
}

/// What a build without the feature says.
#[cfg(not(feature = "cuda"))]
pub const NONE: &str = "this build has no CUDA: build it with --features cuda";

/// A GPU that can do what the runs need.
#[cfg(feature = "cuda")]
fn cuda<E: Element>(task: &Common) -> Result<Box<dyn Device<E>>, TrainError> {
    use shatter_device::cuda::{Cuda, supports};
    let other = || DeviceError::Unsupported(format!("{} on CUDA, only f32", E::NAME));
    if E::FORMAT != shatter_exact::Format::F32 {
        return Err(other().into());
    }
    // A plan that makes no sense is left to the trainer, which says why.
    if let Err(error @ DeviceError::Unsupported(_)) = supports(&task.program()?.plan) {
        return Err(error.into());
    }
    let device: Box<dyn Device<f32>> = Box::new(Cuda::with(task.arithmetic)?);
    // E is f32, which the compiler does not know.
    let device: Box<dyn std::any::Any> = Box::new(device);
    let device = device.downcast::<Box<dyn Device<E>>>();
    device.map(|device| *device).map_err(|_| other().into())
}

#[cfg(not(feature = "cuda"))]
fn cuda<E: Element>(_: &Common) -> Result<Box<dyn Device<E>>, TrainError> {
    Err(TrainError::Device(DeviceError::Absent(NONE.into())))
}
