//! Operations on images as launches: pooling, local response normalization, augmentation.
//! Convolutions and batch normalization have files of their own.

use crate::DeviceError;
use crate::plan::{ArrayId, ArrayKind, Augmentation, Operation, View};
use shatter_network::architecture::{Pool, Shape, Window};

use super::image_arguments::{self as arguments, Divisor, Sides};
use super::image_call::ImageCall;
use super::launch::{Call, Launch};
use super::lower::{Lowering, fits, word};
use super::{lower_convolution, lower_normalization};

/// Threads of a block.
pub const THREADS: usize = 256;
/// Threads that take a plane together.
const WARP: usize = 32;

/// Numbers that the parts of an operation on images leave, for one replica.
pub fn scratch_of(operation: &Operation, rows: usize) -> usize {
    match operation {
        Operation::BatchNormalization { input, .. }
        | Operation::BatchNormalizationGradient { input, .. } => {
            lower_normalization::scratch(input.shape, rows)
        }
        _ => lower_convolution::scratch(operation, rows),
    }
}

/// A divisor; numbers that it divides are below 2^31.
pub fn divisor(by: usize) -> Result<Divisor, DeviceError> {
    Ok(Divisor::new(fits(by, 1 << 30)?))
}

/// Sides of images of this shape.
fn sides(shape: Shape) -> Result<Sides, DeviceError> {
    Ok(Sides {
        len: divisor(shape.len())?,
        plane: divisor(shape.area())?,
        width: divisor(shape.width)?,
    })
}

impl Lowering<'_> {
    /// Appends a launch of a kernel of images: blocks in three directions.
    pub fn image(
        &mut self,
        call: ImageCall,
        grid: (usize, usize, usize),
        threads: usize,
    ) -> Result<(), DeviceError> {
        let grid = (word(grid.0)?, fits(grid.1, 65_535)?, fits(grid.2, 65_535)?);
        self.launches.push(Launch { call: Call::Image(call), grid, threads: word(threads)? });
        Ok(())
    }

    /// Appends a launch with a thread for each of `count` numbers.
    fn each(&mut self, call: ImageCall, count: usize) -> Result<(), DeviceError> {
        self.image(call, (count.div_ceil(THREADS), self.arrays.plan.replicas, 1), THREADS)
    }

    /// Numbers of this batch, if a kernel can count them.
    fn count(&self, shape: Shape) -> Result<u32, DeviceError> {
        word(self.rows.saturating_mul(shape.len()))
    }

    /// Pooling of `input` to `output` or, of their gradients, the way back, to zero where `positive`
    /// is not.
    fn pool(
        &mut self,
        (name, backward, positive): (&'static str, bool, Option<View>),
        (input, output): (View, View),
        places: Option<ArrayId>,
        (pool, window): (Pool, Window),
        accumulate: bool,
    ) -> Result<(), DeviceError> {
        let taken = if backward { input.shape } else { output.shape };
        let given = arguments::Pool {
            input: self.arrays.view(input),
            output: self.arrays.view(output),
            places: places.map_or_else(Default::default, |id| self.arrays.array(id)),
            positive: positive.map_or_else(Default::default, |view| self.arrays.view(view)),
            sides: sides(taken)?,
            count: self.count(taken)?,
            height: word(input.shape.height)?,
            width: word(input.shape.width)?,
            down: word(output.shape.height)?,
            across: word(output.shape.width)?,
            size: word(window.size)?,
            stride: word(window.stride)?,
            padding: word(window.padding)?,
            share: ((window.size * window.size) as f64).recip() as f32,
            maximum: u32::from(pool == Pool::Max),
            accumulate: u32::from(accumulate),
            channels: word(input.shape.channels)?,
            strides: divisor(window.stride)?,
        };
        // What a thread takes; the other side is counted in 32 bits, too.
        self.count(input.shape).and(self.count(output.shape))?;
        self.each(ImageCall::Pool(name, given), given.count as usize)
    }

    /// Means of whole images, or the way back.
    fn global_mean(
        &mut self,
        (input, output): (View, View),
        backward: Option<bool>,
    ) -> Result<(), DeviceError> {
        let shape = input.shape;
        let planes = self.rows.saturating_mul(shape.channels);
        let taken = if backward.is_some() { shape } else { output.shape };
        let given = arguments::Pool {
            input: self.arrays.view(input),
            output: self.arrays.view(output),
            sides: sides(taken)?,
            count: if backward.is_some() { self.count(shape)? } else { word(planes)? },
            height: word(shape.height)?,
            width: word(shape.width)?,
            share: (shape.area() as f64).recip() as f32,
            accumulate: u32::from(backward == Some(true)),
            ..Default::default()
        };
        match backward {
            None => {
                let threads = planes.saturating_mul(WARP);
                word(threads)?;
                self.each(ImageCall::Pool("global_mean", given), threads)
            }
            Some(_) => {
                self.each(ImageCall::Pool("global_mean_gradient", given), given.count as usize)
            }
        }
    }

    /// Local response normalization, or the way back: to which gradient, and whether it is added.
    fn response(
        &mut self,
        (input, output): (View, View),
        sums: ArrayId,
        (size, alpha, beta, k): (usize, f64, f64, f64),
        backward: Option<(View, bool)>,
    ) -> Result<(), DeviceError> {
        let shape = input.shape;
        let to = backward.map(|(view, _)| self.arrays.view(view));
        let given = arguments::Response {
            input: self.arrays.view(input),
            output: self.arrays.view(output),
            input_gradient: to.unwrap_or_default(),
            sums: self.arrays.array(sums),
            len: divisor(shape.len())?,
            plane: divisor(shape.area())?,
            count: self.count(shape)?,
            channels: word(shape.channels)?,
            before: word((size / 2).min(shape.channels))?,
            after: word((size.saturating_sub(1) / 2).min(shape.channels))?,
            weight: (alpha / size as f64) as f32,
            k: k as f32,
            beta: beta as f32,
            factor: (-2.0 * alpha * beta / size as f64) as f32,
            three_quarters: u32::from(beta == 0.75),
            accumulate: u32::from(backward.is_some_and(|(_, accumulate)| accumulate)),
            unused: [0; 2],
        };
        let name = if backward.is_some() { "response_gradient" } else { "response" };
        self.each(ImageCall::Response(name, given), given.count as usize)
    }

    /// Images of a batch, changed on their way.
    fn augment(
        &mut self,
        (images, chosen): (ArrayId, ArrayId),
        output: View,
        (augmentation, whiten): (Augmentation, bool),
    ) -> Result<(), DeviceError> {
        let plan = &self.arrays.plan;
        let stored = match plan.arrays[images.0].kind {
            ArrayKind::Images { shape, .. } => shape,
            _ => output.shape,
        };
        let seen = output.shape;
        let given = arguments::Augment {
            control: self.places.control,
            images: self.arrays.array(images),
            samples: (plan.len(images) / stored.len()) as u64,
            chosen: self.arrays.array(chosen),
            output: self.arrays.view(output),
            down: word(stored.height)?,
            across: word(stored.width)?,
            height: word(seen.height)?,
            width: word(seen.width)?,
            plane: divisor(seen.area())?,
            wide: divisor(seen.width)?,
            len: word(seen.len())?,
            crop: u32::from(augmentation.crop),
            flip: u32::from(augmentation.flip),
            whiten: u32::from(whiten),
            rotation: augmentation.rotation.max(0.0),
        };
        word(stored.len())?;
        let grid = (self.rows, plan.replicas, 1);
        self.image(ImageCall::Augment(given), grid, THREADS)
    }

    /// Appends what an operation on images does; with the gradient of a pool, that of a ReLU below
    /// it, whose output this is.
    pub fn image_operation(
        &mut self,
        operation: &Operation,
        relu: Option<View>,
    ) -> Result<(), DeviceError> {
        match *operation {
            Operation::Gather { images, chosen, output, augmentation: Some(how) } => {
                self.augment((images, chosen), output, how)
            }
            Operation::Pool { input, output, places, pool, window } => {
                let places = places.filter(|_| pool == Pool::Max);
                self.pool(("pool", false, None), (input, output), places, (pool, window), false)
            }
            Operation::PoolGradient {
                output_gradient,
                places,
                input_gradient,
                pool,
                window,
                accumulate,
            } => {
                let views = (input_gradient, output_gradient);
                let kind = ("pool_gradient", true, relu);
                self.pool(kind, views, places, (pool, window), accumulate)
            }
            Operation::GlobalMeanPool { input, output } => self.global_mean((input, output), None),
            Operation::GlobalMeanPoolGradient { output_gradient, input_gradient, accumulate } => {
                self.global_mean((input_gradient, output_gradient), Some(accumulate))
            }
            Operation::LocalResponseNormalization { input, output, sums, constants } => {
                self.response((input, output), sums, constants, None)
            }
            Operation::LocalResponseNormalizationGradient {
                input,
                output_gradient,
                sums,
                input_gradient,
                constants,
                accumulate,
            } => {
                let backward = Some((input_gradient, accumulate));
                self.response((input, output_gradient), sums, constants, backward)
            }
            Operation::BatchNormalization { .. } | Operation::BatchNormalizationGradient { .. } => {
                self.normalization(operation)
            }
            _ => self.convolution(operation),
        }
    }
}
