//! A device in use: its context, the compiled kernels, and the stream that everything goes through,
//! so that operations follow one another.
#![allow(unsafe_code)]

use cust::context::{Context, CurrentContext};
use cust::stream::{Stream, StreamFlags};

use crate::{Arithmetic, DeviceError};

use super::error::failed;
use super::graph::Graph;
use super::launch::{Kernels, Launch};

pub struct Session {
    // Fields are dropped in this order: the context last.
    stream: Stream,
    kernels: Kernels,
    context: Context,
    /// Arithmetic of products of matrices.
    pub arithmetic: Arithmetic,
}

impl Session {
    /// Sets up a device, with the kernels that an arithmetic needs.
    pub fn new(
        device: cust::device::Device,
        arithmetic: Arithmetic,
    ) -> Result<Session, DeviceError> {
        let context = Context::new(device).map_err(failed("taking the device"))?;
        let kernels = Kernels::load(arithmetic)?;
        let stream = Stream::new(StreamFlags::DEFAULT, None).map_err(failed("making a stream"))?;
        Ok(Session { stream, kernels, context, arithmetic })
    }

    /// Makes this device the one that the calling thread talks to.
    pub fn enter(&self) -> Result<(), DeviceError> {
        CurrentContext::set_current(&self.context).map_err(failed("taking the device"))
    }

    /// Returns the stream that everything goes through.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Captures launches, if there are any.
    pub fn capture(&self, launches: &[Launch]) -> Result<Option<Graph>, DeviceError> {
        if launches.is_empty() {
            return Ok(None);
        }
        // SAFETY: launches are made by `lower` alone, of a plan that was checked and of arrays that
        // are dropped after the graphs of the same memory.
        unsafe { Graph::capture(launches, &self.kernels, &self.stream) }.map(Some)
    }

    /// Enqueues a launch by itself.
    pub fn enqueue(&self, launch: &Launch) -> Result<(), DeviceError> {
        // SAFETY: as for `capture`; memory is freed by calls that wait for the device.
        unsafe { launch.enqueue(&self.kernels, &self.stream) }
    }

    /// Enqueues a captured sequence.
    pub fn replay(&self, graph: &Graph) -> Result<(), DeviceError> {
        graph.replay(&self.stream)
    }
}
