//! From operations to launches. Everything that a launch is given is known when a plan is prepared:
//! addresses, strides, shapes; what changes from step to step is read from control data.

use crate::plan::{ArrayId, ArrayKind, LabelArrays, Operation, View};
use crate::{Arithmetic, DeviceError};

use super::arguments::{self, Array};
use super::arrays::Arrays;
use super::launch::{Call, Direction, Launch};
use super::lower_images;
use super::split::{TILE, scratch, split};

/// Threads of a block, but for products.
const THREADS: usize = 256;
/// Threads of a block of a product: that of `kernels/product.cu`.
const PRODUCT_THREADS: u32 = 128;
/// Rows that a block of a loss takes: one a warp.
const LOSS_ROWS: usize = THREADS / 32;
/// Rate · 2^32 is what a word is compared with.
const WORDS: f64 = 4_294_967_296.0;

/// Addresses beside those of the plan's arrays.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    pub control: u64,
    /// Sums of the parts of products; its stride is in numbers.
    pub partial: Array,
    /// Outcomes of the rows of a loss.
    pub rows: u64,
    pub ring: u64,
    pub capacity: u32,
}

/// Numbers that the parts of an operation's product leave, for one replica.
pub fn scratch_of(operation: &Operation, rows: usize) -> usize {
    let channels = |view: &View| view.shape.channels;
    match operation {
        Operation::Dense { input, output, .. } => scratch(rows, channels(output), channels(input)),
        Operation::DenseInputGradient { output_gradient, input_gradient, .. } => {
            scratch(rows, channels(input_gradient), channels(output_gradient))
        }
        Operation::DenseWeightGradient { input, output_gradient, .. } => {
            scratch(channels(output_gradient), channels(input), rows)
        }
        _ => lower_images::scratch_of(operation, rows),
    }
}

/// The operations of a sequence as launches.
pub struct Lowering<'a> {
    pub arrays: &'a Arrays,
    pub places: Places,
    /// Arithmetic of products.
    pub arithmetic: Arithmetic,
    /// Tables of the updates, in their order.
    pub tables: &'a mut dyn Iterator<Item = (u64, usize)>,
    pub rows: usize,
    pub launches: Vec<Launch>,
}

/// A number of blocks, or of numbers that a kernel counts in 32 bits.
pub fn fits(number: usize, most: usize) -> Result<u32, DeviceError> {
    let fitting = u32::try_from(number).ok().filter(|_| number <= most);
    fitting.ok_or_else(|| DeviceError::Unsupported(format!("a launch of {number} parts")))
}

/// A number that a kernel counts in 31 bits.
pub fn word(number: usize) -> Result<u32, DeviceError> {
    fits(number, i32::MAX as usize)
}

impl Lowering<'_> {
    fn push(&mut self, call: Call, x: usize, y: usize, threads: u32) -> Result<(), DeviceError> {
        let replicas = fits(self.arrays.plan.replicas, 65_535)?;
        let x = word(x)?;
        // Products have a third direction of their own; replicas come last.
        let grid = match call {
            Call::Product(..) => (x, fits(y, 65_535)?, replicas),
            Call::Select(_) => (replicas, 1, 1),
            _ => (x, replicas, 1),
        };
        self.launches.push(Launch { call, grid, threads });
        Ok(())
    }

    /// Threads that move four numbers each of rows of `len`, and blocks a row.
    fn row_blocks(len: usize) -> (u32, usize) {
        let threads = len.div_ceil(4).next_multiple_of(32).clamp(32, THREADS);
        (threads as u32, len.div_ceil(threads * 4))
    }

    fn elementwise(
        &mut self,
        call: fn(arguments::Elementwise) -> Call,
        (from, to): (View, View),
        accumulate: bool,
    ) -> Result<(), DeviceError> {
        let (mut rows, mut len) = (self.rows, from.shape.len());
        let (from, to) = (self.arrays.view(from), self.arrays.view(to));
        if from.row == len as u64 && to.row == len as u64 {
            (rows, len) = (1, rows * len);
        }
        let (threads, chunks) = Self::row_blocks(len);
        let accumulate = u32::from(accumulate);
        let given =
            arguments::Elementwise { from, to, len: len as u64, chunks: word(chunks)?, accumulate };
        self.push(call(given), rows.saturating_mul(chunks), 1, threads)
    }

    fn dropout(
        &mut self,
        (input, output): (View, View),
        (rate, layer): (f64, u32),
        accumulate: bool,
    ) -> Result<(), DeviceError> {
        let len = input.shape.len();
        let count = self.rows * len;
        let given = arguments::Dropout {
            control: self.places.control,
            input: self.arrays.view(input),
            output: self.arrays.view(output),
            count: count as u64,
            len: len as u64,
            // Exact: a multiplication by a power of two.
            threshold: (rate * WORDS).ceil() as u64,
            kept: (1.0 - rate) as f32,
            layer,
            accumulate: u32::from(accumulate),
            unused: 0,
        };
        self.push(Call::Dropout(given), count.div_ceil(4 * THREADS), 1, THREADS as u32)
    }

    /// A product, and the sum of its parts if it has several.
    fn product(
        &mut self,
        direction: Direction,
        (m, n, k): (usize, usize, usize),
        given: arguments::Product,
    ) -> Result<(), DeviceError> {
        let parts = split(m, n, k);
        let given = arguments::Product {
            partial: self.places.partial,
            m: word(m)?,
            n: word(n)?,
            k: word(k)?,
            splits: word(parts.parts)?,
            split_len: word(parts.len)?,
            ..given
        };
        let tiles = m.div_ceil(TILE).saturating_mul(n.div_ceil(TILE));
        let call = Call::Product(direction, self.arithmetic, given);
        self.push(call, tiles, parts.parts, PRODUCT_THREADS)?;
        if parts.parts > 1 {
            let sums = if given.sums.data == 0 { 0 } else { m };
            let blocks = m.saturating_mul(n).saturating_add(sums).div_ceil(THREADS);
            self.push(Call::Finish(given), blocks, 1, THREADS as u32)?;
        }
        Ok(())
    }

    /// A matrix of contiguous rows of `row` numbers.
    fn matrix(&self, id: ArrayId, row: usize) -> arguments::View {
        let Array { data, replica } = self.arrays.array(id);
        arguments::View { data, replica, row: row as u64 }
    }

    fn loss(
        &mut self,
        output: View,
        gradient: Option<View>,
        labels: LabelArrays,
        squared: bool,
    ) -> Result<(), DeviceError> {
        let plan = &self.arrays.plan;
        let held = self.arrays.array(labels.labels);
        let (classes, numbers, samples) = match plan.arrays[labels.labels.0].kind {
            ArrayKind::Images { count, .. } => (Array::default(), held, count),
            _ => (held, Array::default(), plan.len(labels.labels)),
        };
        let given = arguments::Loss {
            control: self.places.control,
            outputs: self.arrays.view(output),
            gradient: gradient.map_or_else(Default::default, |view| self.arrays.view(view)),
            chosen: self.arrays.array(labels.chosen),
            changed: self.arrays.array(labels.changed),
            changed_len: plan.len(labels.changed) as u64,
            classes,
            numbers,
            samples: samples as u64,
            results: self.places.rows,
            ring: self.places.ring,
            capacity: self.places.capacity,
            rows: word(self.rows)?,
            len: word(output.shape.channels)?,
            squared: u32::from(squared),
        };
        self.push(Call::Loss(given), self.rows.div_ceil(LOSS_ROWS), 1, THREADS as u32)
    }

    /// Appends what operations do, one after the other.
    pub fn operations(&mut self, mut operations: &[Operation]) -> Result<(), DeviceError> {
        while let Some((operation, after)) = operations.split_first() {
            match operation.relu_below_pool(after.first()) {
                None => {
                    self.operation(operation)?;
                    operations = after;
                }
                relu => {
                    self.image_operation(operation, relu)?;
                    operations = &after[1..];
                }
            }
        }
        Ok(())
    }

    /// Appends what an operation does.
    fn operation(&mut self, operation: &Operation) -> Result<(), DeviceError> {
        let rows = self.rows;
        let none = || arguments::Product {
            a: arguments::View::default(),
            b: arguments::View::default(),
            c: arguments::View::default(),
            bias: Array::default(),
            sums: Array::default(),
            partial: Array::default(),
            m: 0,
            n: 0,
            k: 0,
            splits: 0,
            split_len: 0,
            relu: 0,
            accumulate: 0,
            unused: 0,
        };
        match *operation {
            Operation::Select { order, chosen } => {
                let samples = order.map_or(0, |order| self.arrays.plan.len(order));
                let given = arguments::Select {
                    control: self.places.control,
                    order: order.map_or_else(Array::default, |order| self.arrays.array(order)),
                    samples: samples as u64,
                    chosen: self.arrays.array(chosen),
                    rows: rows as u64,
                };
                self.push(Call::Select(given), 1, 1, THREADS as u32)
            }
            Operation::Gather { images, chosen, output, augmentation: None } => {
                let len = output.shape.len();
                let (threads, chunks) = Self::row_blocks(len);
                let samples = self.arrays.plan.len(images) / len;
                let given = arguments::Gather {
                    images: self.arrays.array(images),
                    samples: samples as u64,
                    chosen: self.arrays.array(chosen),
                    output: self.arrays.view(output),
                    len: word(len)?,
                    chunks: word(chunks)?,
                };
                self.push(Call::Gather(given), rows.saturating_mul(chunks), 1, threads)
            }
            Operation::Dense { input, weight, bias, output, relu } => {
                let (inputs, outputs) = (input.shape.channels, output.shape.channels);
                let given = arguments::Product {
                    a: self.arrays.view(input),
                    b: self.matrix(weight, inputs),
                    c: self.arrays.view(output),
                    bias: self.arrays.array(bias),
                    relu: u32::from(relu),
                    ..none()
                };
                self.product(Direction::Forward, (rows, outputs, inputs), given)
            }
            Operation::DenseInputGradient {
                output_gradient,
                weight,
                input_gradient,
                accumulate,
            } => {
                let inputs = input_gradient.shape.channels;
                let outputs = output_gradient.shape.channels;
                let given = arguments::Product {
                    a: self.arrays.view(output_gradient),
                    b: self.matrix(weight, inputs),
                    c: self.arrays.view(input_gradient),
                    accumulate: u32::from(accumulate),
                    ..none()
                };
                self.product(Direction::InputGradient, (rows, inputs, outputs), given)
            }
            Operation::DenseWeightGradient {
                input,
                output_gradient,
                weight_gradient,
                bias_gradient,
            } => {
                let (inputs, outputs) = (input.shape.channels, output_gradient.shape.channels);
                let given = arguments::Product {
                    a: self.arrays.view(output_gradient),
                    b: self.arrays.view(input),
                    c: self.matrix(weight_gradient, inputs),
                    sums: self.arrays.array(bias_gradient),
                    ..none()
                };
                self.product(Direction::WeightGradient, (outputs, inputs, rows), given)
            }
            Operation::Relu { input, output } => {
                self.elementwise(Call::Relu, (input, output), false)
            }
            Operation::ReluGradient { output, gradient } => {
                self.elementwise(Call::ReluGradient, (output, gradient), false)
            }
            Operation::Copy { input, output } | Operation::Flatten { input, output } => {
                self.elementwise(Call::Pass, (input, output), false)
            }
            Operation::Pass { gradient, input_gradient, accumulate } => {
                self.elementwise(Call::Pass, (gradient, input_gradient), accumulate)
            }
            Operation::FlattenGradient { output_gradient, input_gradient, accumulate } => {
                self.elementwise(Call::Pass, (output_gradient, input_gradient), accumulate)
            }
            Operation::Dropout { input, output, rate, layer } => {
                self.dropout((input, output), (rate, layer), false)
            }
            Operation::DropoutGradient {
                output_gradient,
                input_gradient,
                rate,
                layer,
                accumulate,
            } => self.dropout((output_gradient, input_gradient), (rate, layer), accumulate),
            Operation::CrossEntropy { logits, gradient, labels } => {
                self.loss(logits, gradient, labels, false)
            }
            Operation::SquaredLoss { output, gradient, labels } => {
                self.loss(output, gradient, labels, true)
            }
            Operation::Update { momentum, decay, .. } => {
                let table = self.tables.next();
                let (pieces, count) =
                    table.ok_or_else(|| DeviceError::Missing("table of an update".into()))?;
                let given = arguments::Update {
                    control: self.places.control,
                    pieces,
                    momentum: momentum as f32,
                    decay: decay as f32,
                };
                self.push(Call::Update(given), count, 1, THREADS as u32)
            }
            _ => self.image_operation(operation, None),
        }
    }
}
