//! A two-layer network at every point in binary64, all n · m terms, on the GPU: the outputs of
//! [`evaluate::brute_force`](shatter_network::evaluate::brute_force) bit for bit
//! (`kernels/brute_force.cu` says why). Its kernel is loaded by itself, and only when asked for.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::fmt;
use std::ptr::from_ref;

use cust::context::{Context, CurrentContext};
use cust::memory::DeviceBuffer;
use cust::module::Module;
use cust::stream::{Stream, StreamFlags};

use crate::DeviceError;
use shatter_network::FloatNetwork;
use shatter_network::projection::project_float;
use shatter_sample::Points;

use super::copies::{read, sent, zeros};
use super::error::failed;
use super::find::{self, Description, find};

/// Threads of a block, a point each: as in the kernel.
const THREADS: usize = 256;
const NAME: &str = "brute_force";
const RUNNING: &str = "running the kernel 'brute_force'";
const PTX: &str = include_str!("../../../kernels/ptx/brute_force.ptx");

/// Arguments of the kernel, field by field.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Arguments {
    z: u64,
    b: u64,
    w: u64,
    f: u64,
    c: f64,
    n: u64,
    m: u64,
}

const _: () = assert!(size_of::<Arguments>() == 56);

/// Evaluator of two-layer networks on the first NVIDIA GPU.
pub struct BruteForce {
    // Fields are dropped in this order: the context last.
    stream: Stream,
    module: Module,
    context: Context,
    description: Description,
}

impl fmt::Debug for BruteForce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BruteForce").field("description", &self.description).finish_non_exhaustive()
    }
}

impl BruteForce {
    /// Takes the first device, and has its driver compile the kernel.
    ///
    /// # Errors
    /// [`DeviceError::Absent`], if there is none or it cannot run it; [`DeviceError::Driver`].
    pub fn new() -> Result<BruteForce, DeviceError> {
        let (description, obstacle) = find()?;
        if let Some(obstacle) = obstacle {
            return Err(DeviceError::Absent(format!("{}: {obstacle}", description.name)));
        }
        let context = Context::new(find::first()?.0).map_err(failed("taking the device"))?;
        let module = Module::from_ptx(PTX, &[]);
        let module = module.map_err(failed("loading the kernel 'brute_force'"))?;
        let stream = Stream::new(StreamFlags::DEFAULT, None).map_err(failed("making a stream"))?;
        Ok(BruteForce { stream, module, context, description })
    }

    /// Describes the device in words.
    #[must_use]
    pub fn describe(&self) -> String {
        self.description.to_string()
    }

    /// Returns f(x_i) for every point, units summed in their order, the output bias last; projections are
    /// computed on the processor. Cost: n · d + 4 · n · m operations, 16 (n + m) bytes on the device.
    ///
    /// # Errors
    /// [`DeviceError::Memory`]; [`DeviceError::Driver`].
    ///
    /// # Panics
    /// If the network takes fewer coordinates than the points have.
    pub fn outputs(
        &self,
        network: &FloatNetwork,
        points: &Points,
    ) -> Result<Vec<f64>, DeviceError> {
        self.outputs_projected(network, &project_float(points, &network.a))
    }

    /// Returns f(x_i) for points whose projections `z_i = ⟨a, x_i⟩` are known, as [`BruteForce::outputs`] does.
    ///
    /// # Errors
    /// [`DeviceError::Memory`]; [`DeviceError::Driver`].
    pub fn outputs_projected(
        &self,
        network: &FloatNetwork,
        z: &[f64],
    ) -> Result<Vec<f64>, DeviceError> {
        if z.is_empty() {
            return Ok(Vec::new());
        }
        CurrentContext::set_current(&self.context).map_err(failed("taking the device"))?;
        // Every unit has a threshold and a weight; the kernel is told no more units than have both.
        let m = network.b.len().min(network.w.len());
        let [points, thresholds, weights] = [
            sent(&self.stream, "projections", z)?,
            sent(&self.stream, "thresholds", &network.b[..m])?,
            sent(&self.stream, "output weights", &network.w[..m])?,
        ];
        let outputs: DeviceBuffer<f64> = zeros(&self.stream, "outputs", Some(z.len()))?;
        let address = |buffer: &DeviceBuffer<f64>| buffer.as_device_ptr().as_raw();
        let given = Arguments {
            z: address(&points),
            b: address(&thresholds),
            w: address(&weights),
            f: address(&outputs),
            c: network.c,
            n: z.len() as u64,
            m: m as u64,
        };
        let blocks = u32::try_from(z.len().div_ceil(THREADS));
        let blocks = blocks.ok().filter(|&blocks| blocks <= i32::MAX as u32);
        let blocks = blocks
            .ok_or_else(|| DeviceError::Unsupported(format!("a launch for {} points", z.len())))?;
        let function = self.module.get_function(NAME).map_err(failed(RUNNING))?;
        let place: *const c_void = from_ref(&given).cast();
        // SAFETY: the kernel takes this one structure, whose layout both sides assert, and the
        // driver copies it before it returns; the buffers have n and m numbers and live until the
        // stream was waited for, below.
        let launched = unsafe {
            self.stream.launch(&function, blocks, THREADS as u32, 0, &[place.cast_mut()])
        };
        launched.map_err(failed(RUNNING))?;
        let mut found = vec![0.0; z.len()];
        read(&self.stream, "outputs", outputs.index(..), &mut found)?;
        Ok(found)
    }
}
