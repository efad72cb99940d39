//! Where all n² terms are evaluated: the processor, or with the feature `cuda` a GPU, to the same bits.

use crate::CliError;
use crate::device::DeviceChoice;
use shatter_device::DeviceError;
use shatter_network::{FloatNetwork, evaluate};
use shatter_sample::Points;

/// Terms from which `--device auto` looks for a GPU: with fewer, the processor is done before a
/// GPU is set up.
const WORTH_A_GPU: u128 = 1_000_000_000;

/// A device that evaluates all terms.
pub enum Evaluator {
    /// The processor, and why it is no GPU where one was looked for.
    Cpu(Option<String>),
    /// A GPU, and whether the processor stands in where it has not the memory.
    #[cfg(feature = "cuda")]
    Cuda(Box<shatter_device::cuda::BruteForce>, bool),
}

impl Evaluator {
    /// The device of `choice` for so many terms.
    pub fn choose(choice: DeviceChoice, terms: u128) -> Result<Evaluator, CliError> {
        let small = choice == DeviceChoice::Auto && terms < WORTH_A_GPU;
        if choice == DeviceChoice::Cpu || small {
            return Ok(Evaluator::Cpu(None));
        }
        match cuda(choice == DeviceChoice::Auto) {
            Ok(evaluator) => Ok(evaluator),
            Err(error) if choice == DeviceChoice::Cuda => {
                Err(CliError::NoDevice(format!("--device cuda: {error}")))
            }
            // A build without CUDA looks for nothing.
            Err(error) => {
                Ok(Evaluator::Cpu(Some(error.to_string()).filter(|_| cfg!(feature = "cuda"))))
            }
        }
    }

    /// The device, as records name it.
    pub fn name(&self) -> String {
        match self {
            Evaluator::Cpu(_) => "CPU".to_owned(),
            #[cfg(feature = "cuda")]
            Evaluator::Cuda(gpu, _) => gpu.describe(),
        }
    }

    /// The device in words, with why it is no GPU.
    pub fn describe(&self) -> String {
        match self {
            Evaluator::Cpu(Some(reason)) => format!("{}; no GPU: {reason}", self.name()),
            _ => self.name(),
        }
    }

    /// f(x_i) for every point, and where it was found.
    pub fn outputs(
        self,
        network: &FloatNetwork,
        points: &Points,
    ) -> Result<(Vec<f64>, Evaluator), DeviceError> {
        let on_cpu = |reason| (evaluate::brute_force(network, points), Evaluator::Cpu(reason));
        match self {
            Evaluator::Cpu(reason) => Ok(on_cpu(reason)),
            #[cfg(feature = "cuda")]
            Evaluator::Cuda(gpu, else_cpu) => match gpu.outputs(network, points) {
                Ok(outputs) => Ok((outputs, Evaluator::Cuda(gpu, else_cpu))),
                // What else may go wrong is nothing to be silent about.
                Err(error @ (DeviceError::Memory { .. } | DeviceError::Full { .. }))
                    if else_cpu =>
                {
                    Ok(on_cpu(Some(error.to_string())))
                }
                Err(error) => Err(error),
            },
        }
    }
}

#[cfg(feature = "cuda")]
fn cuda(else_cpu: bool) -> Result<Evaluator, DeviceError> {
    Ok(Evaluator::Cuda(Box::new(shatter_device::cuda::BruteForce::new()?), else_cpu))
}

#[cfg(not(feature = "cuda"))]
fn cuda(_: bool) -> Result<Evaluator, DeviceError> {
    Err(DeviceError::Absent(crate::device::NONE.into()))
}
