//! The CPU: operations run when they are enqueued, on all threads of rayon's current pool, one
//! replica after the other. How work is split depends on shapes alone, so results do not depend on
//! the number of threads. After [`prepare`](Device::prepare) nothing is allocated but what `gemm`
//! packs matrices into, a few numbers per channel in normalizations, and the outcomes that wait to be
//! read.
//!
//! The gradient of a dense weight that nothing reads but one update of its sequence is not kept:
//! its array is not written then.

mod batch_normalization;
mod convolution;
mod data;
mod dense;
mod dropout;
mod elementwise;
mod fuse;
mod images;
mod layout;
mod loss;
mod pool;
mod response;
mod run;
pub mod slab;
mod store;
#[cfg(test)]
mod testing;
mod update;

use crate::plan::{ArrayId, ArrayKind, Operation, Plan, SequenceId};
use crate::{Control, Device, DeviceError, Memory, Outcome, check};
use shatter_exact::Element;
use shatter_network::architecture::{Shape, Window};

pub use loss::outcome;

use fuse::Step;
use store::{Store, zeros};

/// The processor, with the threads of the pool in which `prepare` and `run` are called.
///
/// ```
/// use shatter_device::{Array, ArrayId, ArrayKind, Control, Device, Memory, Operation, Plan};
/// use shatter_device::{Sequence, SequenceId, cpu::Cpu};
/// let array = |name: &str| Array { name: name.into(), kind: ArrayKind::Vector(2), shared: false };
/// let parameters = vec![[ArrayId(0), ArrayId(1), ArrayId(2)]];
/// let update = Operation::Update { parameters, momentum: 0.9, decay: 0.0 };
/// let step = Sequence { name: "step".into(), rows: 1, operations: vec![update] };
/// let arrays = ["weight", "gradient", "velocity"].map(array).to_vec();
/// let plan = Plan { replicas: 1, batch: 1, arrays, sequences: vec![step] };
/// let mut memory = Device::<f64>::prepare(&Cpu, plan, &[1])?;
/// memory.write(ArrayId(1), 0, &[1.0, 2.0])?;
/// memory.control(Control { position: 0, step: 0, epoch: 0, learning_rate: 0.5 });
/// memory.run(SequenceId(0))?;
/// let mut weight = [0.0; 2];
/// memory.read(ArrayId(0), 0, &mut weight)?;
/// assert_eq!(weight, [-0.5, -1.0]);
/// # Ok::<(), shatter_device::DeviceError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu;

/// A plan in main memory.
struct CpuMemory<E> {
    store: Store<E>,
    steps: Vec<Vec<Step>>,
    seeds: Vec<u64>,
    control: Control,
    outcomes: Vec<Vec<Outcome>>,
    convolution: convolution::Scratch<E>,
    tiles: dense::Tiles<E>,
    /// Images during augmentation, in canonical order.
    images: Vec<E>,
}

// For each type by itself, and not for all at once: so the device is compiled here, and not again in every crate that
// trains.
macro_rules! device {
    ($number:ty) => {
        impl Device<$number> for Cpu {
            fn kind(&self) -> &'static str {
                "cpu"
            }

            fn describe(&self) -> String {
                let name = <$number as Element>::NAME;
                format!("CPU, {} threads, {name}", rayon::current_num_threads())
            }

            fn prepare(
                &self,
                plan: Plan,
                seeds: &[u64],
            ) -> Result<Box<dyn Memory<$number>>, DeviceError> {
                prepare(plan, seeds)
            }
        }
    };
}

device!(f32);
device!(f64);

fn prepare<E: Element>(plan: Plan, seeds: &[u64]) -> Result<Box<dyn Memory<E>>, DeviceError> {
    let accesses = check::check(&plan)?;
    if seeds.len() < plan.replicas {
        return Err(DeviceError::Missing(format!("seed of replica {}", seeds.len())));
    }
    let steps: Vec<Vec<Step>> =
        (0..plan.sequences.len()).map(|at| fuse::steps(&plan, &accesses, at)).collect();
    let mut convolution = convolution::Scratch::default();
    let mut images = 0;
    for sequence in &plan.sequences {
        for operation in &sequence.operations {
            if let Some((input, output, window)) = windowed(operation) {
                let room = convolution.reserve(input, output, window, sequence.rows);
                room.map_err(|bytes| DeviceError::Memory {
                    array: "scratch of convolutions".to_owned(),
                    bytes,
                })?;
            }
            images = images.max(image_scratch(&plan, operation).saturating_mul(sequence.rows));
        }
    }
    let tile = steps.iter().flatten().map(|step| match step {
        Step::DenseUpdate(fused) => {
            dense::tile_len::<E>(fused.output_gradient.shape.channels, fused.input.shape.channels)
        }
        _ => 0,
    });
    let tile = tile.max().unwrap_or(0);
    let threads = if tile == 0 { 0 } else { rayon::current_num_threads() };
    let tiles = (0..threads).map(|_| zeros("tile of a gradient", Some(tile)));
    Ok(Box::new(CpuMemory {
        tiles: dense::Tiles::new(tiles.collect::<Result<_, _>>()?, tile),
        images: zeros("images to be augmented", Some(images))?,
        outcomes: (0..plan.replicas).map(|_| Vec::new()).collect(),
        store: Store::new(plan)?,
        steps,
        seeds: seeds.to_vec(),
        control: Control { position: 0, step: 0, epoch: 0, learning_rate: 0.0 },
        convolution,
    }))
}

/// Input, output and window of an operation of convolutions.
fn windowed(operation: &Operation) -> Option<(Shape, Shape, Window)> {
    let (input, output, window) = match *operation {
        Operation::Convolution { input, output, window, .. } => (input, output, window),
        Operation::ConvolutionInputGradient { input_gradient, output_gradient, window, .. } => {
            (input_gradient, output_gradient, window)
        }
        Operation::ConvolutionWeightGradient { input, output_gradient, window, .. } => {
            (input, output_gradient, window)
        }
        _ => return None,
    };
    Some((input.shape, output.shape, window))
}

/// Numbers that the augmentation of one image needs.
fn image_scratch(plan: &Plan, operation: &Operation) -> usize {
    match *operation {
        Operation::Gather { images, output, augmentation: Some(_), .. } => {
            match plan.arrays[images.0].kind {
                ArrayKind::Images { shape, .. } => shape.len().saturating_add(output.shape.len()),
                _ => 0,
            }
        }
        _ => 0,
    }
}

impl<E: Element> Memory<E> for CpuMemory<E> {
    fn write(&mut self, array: ArrayId, replica: usize, values: &[E]) -> Result<(), DeviceError> {
        check::address(&self.store.plan, array, replica, false, values.len())?;
        let kind = self.store.kind(array);
        layout::reorder(kind, values, self.store.numbers_mut(array, replica), true);
        Ok(())
    }

    fn read(
        &mut self,
        array: ArrayId,
        replica: usize,
        values: &mut [E],
    ) -> Result<(), DeviceError> {
        check::address(&self.store.plan, array, replica, false, values.len())?;
        layout::reorder(self.store.kind(array), self.store.numbers(array, replica), values, false);
        Ok(())
    }

    fn write_indices(
        &mut self,
        array: ArrayId,
        replica: usize,
        values: &[u32],
    ) -> Result<(), DeviceError> {
        check::address(&self.store.plan, array, replica, true, values.len())?;
        self.store.indices_mut(array, replica).copy_from_slice(values);
        Ok(())
    }

    fn read_outcomes(&mut self, replica: usize) -> Result<Vec<Outcome>, DeviceError> {
        Ok(self.outcomes.get_mut(replica).map(std::mem::take).unwrap_or_default())
    }

    fn control(&mut self, control: Control) {
        self.control = control;
    }

    fn run(&mut self, sequence: SequenceId) -> Result<(), DeviceError> {
        if sequence.0 >= self.steps.len() {
            return Err(DeviceError::Missing(format!("sequence {}", sequence.0)));
        }
        // Inside the pool, so that threads are woken once and not by each operation.
        rayon::scope(|_| self.run_sequence(sequence.0));
        Ok(())
    }
}
