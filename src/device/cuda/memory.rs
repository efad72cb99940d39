//! A plan in device memory. Every sequence is captured once and replayed; control data and outcomes
//! stay on the device, so that a step costs the host one call. It waits where arrays are written or
//! read, and when outcomes are asked for or their ring is full.

use std::collections::VecDeque;
use std::mem::take;
use std::rc::Rc;

use cust::memory::DeviceBuffer;

use crate::plan::{ArrayId, Operation, Plan, SequenceId};
use crate::{Control, DeviceError, Memory, Outcome};
use shatter_random::philox;

use super::arguments::{self, CONTROL_WORDS, OUTCOME_WORDS, PIECE_WORDS, ROW_WORDS, SEED_WORD};
use super::arrays::Arrays;
use super::copies::{read, sent, zeros};
use super::graph::Graph;
use super::launch::{Call, Launch};
use super::lower::{Lowering, Places, scratch_of};
use super::session::Session;

/// Outcomes of a replica that the ring holds at least; a power of two.
const RING: usize = 1024;
/// Numbers of a piece of an update.
const PIECE: usize = 4096;

/// A sequence, ready to run.
struct Ready {
    /// None if it has no operations.
    graph: Option<Graph>,
    /// Outcomes that it appends.
    losses: usize,
}

pub struct CudaMemory {
    // Fields are dropped in this order: what uses arrays, arrays, and the context last.
    sequences: Vec<Ready>,
    arrays: Arrays,
    control: DeviceBuffer<u32>,
    ring: DeviceBuffer<u32>,
    capacity: usize,
    _scratch: DeviceBuffer<f32>,
    _rows: DeviceBuffer<u32>,
    _tables: Vec<DeviceBuffer<u64>>,
    session: Rc<Session>,
    /// Control data that the device does not have yet.
    pending: Option<Control>,
    /// Outcomes appended so far, and how many of them the host has taken.
    appended: usize,
    taken: usize,
    outcomes: Vec<VecDeque<Outcome>>,
}

fn losses(operations: &[Operation]) -> usize {
    let is_loss = |operation: &&Operation| {
        matches!(operation, Operation::CrossEntropy { .. } | Operation::SquaredLoss { .. })
    };
    operations.iter().filter(is_loss).count()
}

/// The table of an update: arrays in pieces, each with three addresses, three strides and a length.
fn table(arrays: &Arrays, parameters: &[[ArrayId; 3]]) -> Vec<u64> {
    let mut words = Vec::new();
    for triple in parameters {
        let len = arrays.plan.len(triple[0]);
        for start in (0..len).step_by(PIECE) {
            for array in triple.map(|id| arrays.array(id)) {
                words.push(array.data + (start * size_of::<f32>()) as u64);
                words.push(array.replica);
            }
            words.push(PIECE.min(len - start) as u64);
        }
    }
    if words.is_empty() {
        words = vec![0; PIECE_WORDS]; // a piece of no numbers: the step counts all the same
    }
    words
}

impl CudaMemory {
    pub fn new(session: Rc<Session>, plan: Plan, seeds: &[u64]) -> Result<CudaMemory, DeviceError> {
        let replicas = plan.replicas;
        let operations = || {
            let sequences = plan.sequences.iter();
            sequences.flat_map(|s| s.operations.iter().map(move |operation| (operation, s.rows)))
        };
        let partial = operations().map(|(operation, rows)| scratch_of(operation, rows)).max();
        let partial = partial.unwrap_or(0).checked_next_multiple_of(4);
        let stream = session.stream();
        let parts = partial.and_then(|len| len.checked_mul(replicas));
        let scratch: DeviceBuffer<f32> = zeros(stream, "parts of products", parts)?;
        let most = plan.sequences.iter().map(|sequence| losses(&sequence.operations)).max();
        let capacity = RING.max(most.unwrap_or(0).next_power_of_two());
        let words = |each: usize| replicas.checked_mul(each);
        let ring = zeros(stream, "outcomes", words(capacity * OUTCOME_WORDS))?;
        let rows = words(plan.batch.saturating_mul(ROW_WORDS));
        let rows: DeviceBuffer<u32> = zeros(stream, "rows of a loss", rows)?;
        let mut first = vec![0; CONTROL_WORDS * replicas];
        for (words, &seed) in first.chunks_exact_mut(CONTROL_WORDS).zip(seeds) {
            words[SEED_WORD..][..2].copy_from_slice(&philox::key(seed));
        }
        let control = sent(stream, "control data", &first)?;
        let arrays = Arrays::new(stream, plan)?;
        let mut tables = Vec::new();
        for operation in arrays.plan.sequences.iter().flat_map(|sequence| &sequence.operations) {
            if let Operation::Update { parameters, .. } = operation {
                tables.push(sent(stream, "table of an update", &table(&arrays, parameters))?);
            }
        }
        let mut found = tables.iter().map(|table: &DeviceBuffer<u64>| {
            (table.as_device_ptr().as_raw(), table.len() / PIECE_WORDS)
        });
        let places = Places {
            control: control.as_device_ptr().as_raw(),
            partial: arguments::Array {
                data: scratch.as_device_ptr().as_raw(),
                replica: partial.unwrap_or(0) as u64,
            },
            rows: rows.as_device_ptr().as_raw(),
            ring: ring.as_device_ptr().as_raw(),
            capacity: capacity as u32,
        };
        let mut sequences = Vec::new();
        for sequence in &arrays.plan.sequences {
            let mut lowering = Lowering {
                arrays: &arrays,
                places,
                arithmetic: session.arithmetic,
                tables: &mut found,
                rows: sequence.rows,
                launches: Vec::new(),
            };
            lowering.operations(&sequence.operations)?;
            let graph = session.capture(&lowering.launches)?;
            sequences.push(Ready { graph, losses: losses(&sequence.operations) });
        }
        Ok(CudaMemory {
            sequences,
            arrays,
            control,
            ring,
            capacity,
            _scratch: scratch,
            _rows: rows,
            _tables: tables,
            session,
            pending: None,
            appended: 0,
            taken: 0,
            outcomes: vec![VecDeque::new(); replicas],
        })
    }

    /// Tells the device what it was last told to be told.
    fn send_control(&mut self) -> Result<(), DeviceError> {
        let Some(control) = self.pending.take() else { return Ok(()) };
        let replicas = self.arrays.plan.replicas as u32;
        let call = Call::SetControl(arguments::Control {
            control: self.control.as_device_ptr().as_raw(),
            replicas,
            position: control.position,
            step: control.step,
            epoch: control.epoch,
            rate: control.learning_rate as f32,
            unused: 0,
        });
        let threads = 256;
        let grid = (replicas.div_ceil(threads).max(1), 1, 1);
        self.session.enqueue(&Launch { call, grid, threads })
    }

    /// Takes all outcomes that the host does not have yet.
    fn fetch(&mut self) -> Result<(), DeviceError> {
        self.session.enter()?;
        // What is new: a piece of the ring, or its end and its beginning.
        let replicas = self.outcomes.len();
        while self.taken < self.appended {
            let start = self.taken % self.capacity;
            let count = (self.appended - self.taken).min(self.capacity - start);
            let [first, end] = [start, start + count].map(|at| at * replicas * OUTCOME_WORDS);
            let mut words = vec![0; end - first];
            read(self.session.stream(), "outcomes", self.ring.index(first..end), &mut words)?;
            for (at, words) in words.chunks_exact(OUTCOME_WORDS).enumerate() {
                let loss = f64::from_bits(u64::from(words[1]) << 32 | u64::from(words[0]));
                let (clean, changed) = ((words[2], words[3]), (words[4], words[5]));
                self.outcomes[at % replicas].push_back(Outcome { loss, clean, changed });
            }
            self.taken += count;
        }
        Ok(())
    }
}

impl Memory<f32> for CudaMemory {
    fn write(&mut self, array: ArrayId, replica: usize, values: &[f32]) -> Result<(), DeviceError> {
        self.session.enter()?;
        self.arrays.write(self.session.stream(), array, replica, values)
    }

    fn read(
        &mut self,
        array: ArrayId,
        replica: usize,
        values: &mut [f32],
    ) -> Result<(), DeviceError> {
        self.session.enter()?;
        self.arrays.read(self.session.stream(), array, replica, values)
    }

    fn write_indices(
        &mut self,
        array: ArrayId,
        replica: usize,
        values: &[u32],
    ) -> Result<(), DeviceError> {
        self.session.enter()?;
        self.arrays.write_indices(self.session.stream(), array, replica, values)
    }

    fn read_outcomes(&mut self, replica: usize) -> Result<Vec<Outcome>, DeviceError> {
        self.fetch()?;
        Ok(self.outcomes.get_mut(replica).map(take).unwrap_or_default().into())
    }

    fn control(&mut self, control: Control) {
        self.pending = Some(control);
    }

    fn run(&mut self, sequence: SequenceId) -> Result<(), DeviceError> {
        let Some(ready) = self.sequences.get(sequence.0) else {
            return Err(DeviceError::Missing(format!("sequence {}", sequence.0)));
        };
        let losses = ready.losses;
        if self.appended - self.taken + losses > self.capacity {
            self.fetch()?;
        }
        self.session.enter()?;
        self.send_control()?;
        if let Some(graph) = &self.sequences[sequence.0].graph {
            self.session.replay(graph)?;
        }
        self.appended += losses;
        Ok(())
    }
}
