//! The arrays of a plan in device memory, in canonical order. Replicas follow one another, each on
//! a boundary of 256 bytes, so that all of them are aligned alike.

use cust::memory::DeviceBuffer;
use cust::stream::Stream;

use crate::plan::{ArrayId, ArrayKind, Plan, View};
use crate::{DeviceError, check};

use super::arguments;
use super::copies::{read, replicas, write};

/// Numbers between whose multiples replicas lie.
const ALIGNED: usize = 64;

enum Held {
    Numbers(DeviceBuffer<f32>),
    Indices(DeviceBuffer<u32>),
}

/// All arrays of a plan.
pub struct Arrays {
    pub plan: Plan,
    held: Vec<Held>,
}

/// Distance of replicas: replica r begins at r times this.
fn stride(len: usize) -> Option<usize> {
    len.checked_next_multiple_of(ALIGNED)
}

impl Arrays {
    pub fn new(stream: &Stream, plan: Plan) -> Result<Arrays, DeviceError> {
        let hold = |(at, array): (usize, &crate::Array)| {
            let copies = if array.shared { 1 } else { plan.replicas };
            let len = plan.len(ArrayId(at));
            let extent = (len, stride(len), copies);
            Ok(match array.kind {
                ArrayKind::Indices(_) => Held::Indices(replicas(stream, &array.name, extent)?),
                _ => Held::Numbers(replicas(stream, &array.name, extent)?),
            })
        };
        let held = plan.arrays.iter().enumerate().map(hold).collect::<Result<_, DeviceError>>()?;
        Ok(Arrays { plan, held })
    }

    /// Numbers from one replica to the next.
    fn replica(&self, id: ArrayId) -> usize {
        let shared = self.plan.arrays[id.0].shared;
        // There is room for it, so it fits.
        if shared { 0 } else { stride(self.plan.len(id)).unwrap_or(0) }
    }

    /// An array as kernels take it.
    pub fn array(&self, id: ArrayId) -> arguments::Array {
        let data = match &self.held[id.0] {
            Held::Numbers(buffer) => buffer.as_device_ptr().as_raw(),
            Held::Indices(buffer) => buffer.as_device_ptr().as_raw(),
        };
        arguments::Array { data, replica: self.replica(id) as u64 }
    }

    /// A view as kernels take it.
    pub fn view(&self, view: View) -> arguments::View {
        let arguments::Array { data, replica } = self.array(view.array);
        let row = match self.plan.arrays[view.array.0].kind {
            ArrayKind::Activation(whole) => whole.len(),
            _ => 0,
        };
        let first = view.first * view.shape.area() * size_of::<f32>();
        arguments::View { data: data + first as u64, replica, row: row as u64 }
    }

    fn range(&self, id: ArrayId, replica: usize) -> std::ops::Range<usize> {
        let start = replica * self.replica(id);
        start..start + self.plan.len(id)
    }

    pub fn write(
        &mut self,
        stream: &Stream,
        id: ArrayId,
        replica: usize,
        values: &[f32],
    ) -> Result<(), DeviceError> {
        check::address(&self.plan, id, replica, false, values.len())?;
        let range = self.range(id, replica);
        let Held::Numbers(buffer) = &self.held[id.0] else { return Ok(()) };
        write(stream, &self.plan.arrays[id.0].name, buffer.index(range), values)
    }

    pub fn read(
        &self,
        stream: &Stream,
        id: ArrayId,
        replica: usize,
        values: &mut [f32],
    ) -> Result<(), DeviceError> {
        check::address(&self.plan, id, replica, false, values.len())?;
        let range = self.range(id, replica);
        let Held::Numbers(buffer) = &self.held[id.0] else { return Ok(()) };
        read(stream, &self.plan.arrays[id.0].name, buffer.index(range), values)
    }

    pub fn write_indices(
        &mut self,
        stream: &Stream,
        id: ArrayId,
        replica: usize,
        values: &[u32],
    ) -> Result<(), DeviceError> {
        check::address(&self.plan, id, replica, true, values.len())?;
        let range = self.range(id, replica);
        let Held::Indices(buffer) = &self.held[id.0] else { return Ok(()) };
        write(stream, &self.plan.arrays[id.0].name, buffer.index(range), values)
    }
}
