//! NVIDIA GPUs, through `cust` and the kernels in `kernels/`: every operation of a plan, in
//! binary32, with products of layers in TF32 or BF16 on tensor cores if asked for. Every
//! sequence of a plan is captured once as a CUDA graph, all replicas of a network
//! go in one launch, and what a step needs to know (its place in the order, learning rate, seeds)
//! lives on the device.
//!
//! Sums have a fixed order that depends on shapes alone: two runs on devices of one kind have the
//! same bytes, and replicas have those of runs by themselves.

mod arguments;
mod arrays;
mod brute_force;
mod copies;
mod error;
mod find;
mod graph;
mod image_arguments;
mod image_call;
mod launch;
mod lower;
mod lower_convolution;
mod lower_images;
mod lower_normalization;
mod memory;
mod session;
mod split;
mod support;

pub use brute_force::BruteForce;
pub use find::{Description, find};
pub use support::supports;

use std::fmt;
use std::rc::Rc;

use crate::plan::Plan;
use crate::{Arithmetic, Device, DeviceError, Memory};

use session::Session;

/// The first NVIDIA GPU.
pub struct Cuda {
    session: Rc<Session>,
    description: Description,
}

impl Cuda {
    /// Takes the first device, and has its driver compile the kernels.
    ///
    /// # Errors
    /// [`DeviceError::Absent`], if there is no device or it cannot run the kernels; [`DeviceError::Driver`].
    pub fn new() -> Result<Cuda, DeviceError> {
        Cuda::with(Arithmetic::Own)
    }

    /// Takes the first device, as [`Cuda::new`] does, with products of matrices in `arithmetic`.
    ///
    /// # Errors
    /// As [`Cuda::new`]; also if the device has no tensor cores for it.
    pub fn with(arithmetic: Arithmetic) -> Result<Cuda, DeviceError> {
        let (description, obstacle) = find()?;
        let obstacle = obstacle.or_else(|| description.lacks(arithmetic));
        if let Some(obstacle) = obstacle {
            return Err(DeviceError::Absent(format!("{}: {obstacle}", description.name)));
        }
        let session = Rc::new(Session::new(find::first()?.0, arithmetic)?);
        Ok(Cuda { session, description })
    }
}

impl fmt::Debug for Cuda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cuda")
            .field("description", &self.description)
            .field("arithmetic", &self.session.arithmetic)
            .finish_non_exhaustive()
    }
}

impl Device<f32> for Cuda {
    fn kind(&self) -> &'static str {
        "cuda"
    }

    fn describe(&self) -> String {
        let arithmetic = self.session.arithmetic;
        let products = match arithmetic {
            Arithmetic::Own => "",
            _ => &format!(", products in {}", arithmetic.name::<f32>()),
        };
        format!("{}, f32{products}", self.description)
    }

    fn prepare(&self, plan: Plan, seeds: &[u64]) -> Result<Box<dyn Memory<f32>>, DeviceError> {
        supports(&plan)?;
        if seeds.len() < plan.replicas {
            return Err(DeviceError::Missing(format!("seed of replica {}", seeds.len())));
        }
        self.session.enter()?;
        Ok(Box::new(memory::CudaMemory::new(Rc::clone(&self.session), plan, seeds)?))
    }
}
