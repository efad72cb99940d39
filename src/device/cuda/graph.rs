//! CUDA graphs: a sequence of launches, captured once and replayed as a whole, so that a step of a
//! small network does not wait for the host to launch kernel after kernel. `cust` has no safe face
//! for them, so this goes through the driver's functions.
#![allow(unsafe_code)]

use std::ptr::null_mut;

use cust::stream::Stream;
use cust::sys;

use crate::DeviceError;

use super::error::checked;
use super::launch::{Kernels, Launch};

/// A captured sequence.
pub struct Graph {
    executable: sys::CUgraphExec,
}

impl Graph {
    /// Captures these launches, one after the other.
    ///
    /// # Safety
    /// As [`Launch::enqueue`], until the last replay is done.
    pub unsafe fn capture(
        launches: &[Launch],
        kernels: &Kernels,
        stream: &Stream,
    ) -> Result<Graph, DeviceError> {
        let mode = sys::CUstreamCaptureMode_enum::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        // SAFETY: the stream is alive and captures nothing yet.
        let begun = unsafe { sys::cuStreamBeginCapture_v2(stream.as_inner(), mode) };
        checked(begun, "beginning to capture a sequence")?;
        // SAFETY: the caller's promise.
        let enqueue = |launch: &Launch| unsafe { launch.enqueue(kernels, stream) };
        let enqueued = launches.iter().try_for_each(enqueue);
        let mut graph = null_mut();
        // SAFETY: ends the capture that was begun above, whatever became of the launches.
        let ended = unsafe { sys::cuStreamEndCapture(stream.as_inner(), &mut graph) };
        let mut executable = null_mut();
        let made = enqueued.and_then(|()| checked(ended, "capturing a sequence")).and_then(|()| {
            // SAFETY: the graph that was captured; the result is stored in a local.
            let made = unsafe { sys::cuGraphInstantiateWithFlags(&mut executable, graph, 0) };
            checked(made, "preparing a captured sequence")
        });
        if !graph.is_null() {
            // SAFETY: ours, and the executable does not need it. Nobody could act on a failure.
            let _ = unsafe { sys::cuGraphDestroy(graph) };
        }
        made.map(|()| Graph { executable })
    }

    /// Enqueues the whole sequence.
    pub fn replay(&self, stream: &Stream) -> Result<(), DeviceError> {
        // SAFETY: the executable is alive; that its arrays are was promised to `capture`.
        let launched = unsafe { sys::cuGraphLaunch(self.executable, stream.as_inner()) };
        checked(launched, "running a captured sequence")
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        // SAFETY: made by `capture`, destroyed once. The driver waits with what is still running.
        let _ = unsafe { sys::cuGraphExecDestroy(self.executable) };
    }
}
