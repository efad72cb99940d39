//! Convolutions as launches: forwards, weight gradient, and the input gradient in one launch for
//! each remainder of a position modulo the stride.

use crate::DeviceError;
use crate::plan::{ArrayId, Operation, View};
use shatter_network::architecture::{Shape, Window};

use super::image_arguments::{self as arguments, Divisor, Windows};
use super::image_call::{Height, ImageCall};
use super::launch::Direction;
use super::lower::{Lowering, word};
use super::lower_images::{THREADS, divisor};
use super::split::{Split, in_parts};

/// Threads of a block that computes a tile: that of `kernels/tile.h`.
const TILE_THREADS: usize = 128;

/// Columns of a tile.
const COLUMNS: usize = 128;
/// Cost of finding a tile's factors, in rows of products. Estimated from instructions: 7 per number that is found,
/// one per product.
const FINDING: usize = 24;
/// Blocks that one replica should have at most, where they are parts of tiles: 4 per multiprocessor of the
/// largest devices, as many as fit them at once of tiles of up to 48 rows, and a third more of higher ones.
const BLOCKS: usize = 528;
/// Sides of images with their padding are below this.
const SIDE: usize = 1 << 14;

/// Tiling of C = A · B, m × n over k. It depends on m, n and k alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tiles {
    height: Height,
    count: usize,
    split: Split,
}

fn tiles(m: usize, n: usize, k: usize) -> Tiles {
    let down = |height: &Height| m.div_ceil(height.rows());
    let cost = |height: &Height| down(height).saturating_mul(height.rows() + FINDING);
    let height = Height::ALL.into_iter().min_by_key(cost).unwrap_or(Height::Of32);
    let count = down(&height).saturating_mul(n.div_ceil(COLUMNS));
    Tiles { height, count, split: in_parts(BLOCKS / count.max(1), k) }
}

/// Numbers that the parts of m × n over k leave.
fn left(m: usize, n: usize, k: usize) -> usize {
    match tiles(m, n, k).split.parts {
        1 => 0,
        parts => m.saturating_mul(n).saturating_add(m).saturating_mul(parts),
    }
}

/// Positions of one axis that have one remainder modulo the stride, and the taps that meet
/// something there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Axis {
    /// The first position, in input and (of the first tap) in output.
    first: usize,
    looks: usize,
    /// Number of positions; each is a stride further.
    count: usize,
    /// The first tap; each is a stride further, and looks one place before that.
    tap: usize,
    taps: usize,
}

/// The axis of `side` positions whose places in the padded image leave `remainder`.
fn axis(side: usize, window: Window, remainder: usize) -> Axis {
    let Window { size, stride, padding } = window;
    // Position p of the input is at p + padding = stride · looks + remainder.
    let looks = padding.saturating_sub(remainder).div_ceil(stride);
    let first = (stride * looks + remainder).saturating_sub(padding);
    Axis {
        first,
        looks,
        count: side.saturating_sub(first).div_ceil(stride),
        tap: remainder,
        taps: size.saturating_sub(remainder).div_ceil(stride),
    }
}

/// The launches of an input gradient: its axes down and across.
fn axes(shape: Shape, window: Window) -> impl Iterator<Item = (Axis, Axis)> {
    let remainders = move || 0..window.stride.min(shape.height.max(shape.width) + window.padding);
    let pairs = remainders().flat_map(move |y| remainders().map(move |x| (y, x)));
    pairs
        .map(move |(y, x)| (axis(shape.height, window, y), axis(shape.width, window, x)))
        .filter(|(down, across)| down.count > 0 && across.count > 0)
}

/// Numbers that the parts of a convolution leave, for one replica.
pub fn scratch(operation: &Operation, rows: usize) -> usize {
    let taps = |window: &Window| window.size.saturating_mul(window.size);
    let places = |view: &View| rows.saturating_mul(view.shape.area());
    match operation {
        Operation::Convolution { input, output, window, .. } => {
            let k = input.shape.channels.saturating_mul(taps(window));
            left(output.shape.channels, places(output), k)
        }
        Operation::ConvolutionInputGradient { output_gradient, input_gradient, window, .. } => {
            let (from, to) = (output_gradient.shape.channels, input_gradient.shape);
            let each = axes(to, *window).map(|(down, across)| {
                let n = rows.saturating_mul(down.count * across.count);
                left(to.channels, n, from.saturating_mul(down.taps * across.taps))
            });
            each.max().unwrap_or(0)
        }
        Operation::ConvolutionWeightGradient { input, output_gradient, window, .. } => {
            let n = input.shape.channels.saturating_mul(taps(window));
            left(output_gradient.shape.channels, n, places(output_gradient))
        }
        _ => 0,
    }
}

/// Kernels keep rows and columns, and how far they are apart, in 16 bits (`kernels/windows.h`).
fn sized(images: [Shape; 2], window: Window) -> Result<(), DeviceError> {
    let sides = images.into_iter().flat_map(|shape| [shape.height, shape.width]);
    let most = sides.max().unwrap_or(0).max(window.size).saturating_add(window.padding);
    if most < SIDE {
        return Ok(());
    }
    let text = format!(
        "a convolution whose longest side with its padding is {most}; expected less than {SIDE}"
    );
    Err(DeviceError::Unsupported(text))
}

/// A number that a kernel adds in 32 bits, whatever its sign.
fn wrapped(number: usize) -> Result<u32, DeviceError> {
    Ok(word(number)?.wrapping_neg())
}

/// Divisors of positions and taps: of an image and a row, of a channel and a row.
fn divisors(
    (places, across): (usize, usize),
    (taps, wide): (usize, usize),
) -> Result<[Divisor; 4], DeviceError> {
    Ok([divisor(places)?, divisor(across)?, divisor(taps)?, divisor(wide)?])
}

impl Lowering<'_> {
    /// Windows on `images` that give an image of shape `to`.
    fn windows(&self, images: View, to: Shape, window: Window) -> Result<Windows, DeviceError> {
        let Window { size, stride, padding } = window;
        sized([images.shape, to], window)?;
        let [places, across, taps, wide] =
            divisors((to.area(), to.width), (size.saturating_mul(size), size))?;
        // Offsets of taps in both images, from a first tap in the padding, are counted in 32 bits with a sign.
        let around = padding.saturating_mul(images.shape.width.saturating_add(1));
        word(images.shape.len().saturating_add(around))?;
        word(to.len())?;
        Ok(Windows {
            images: self.arrays.view(images),
            places,
            across,
            taps,
            wide,
            height: word(images.shape.height)?,
            width: word(images.shape.width)?,
            step: word(stride)?,
            direction: 1,
            top: wrapped(padding)?,
            left: wrapped(padding)?,
        })
    }

    /// A product, and the sum of its parts if it has several.
    fn convolve(
        &mut self,
        direction: Direction,
        (m, n, k): (usize, usize, usize),
        given: arguments::Convolution,
    ) -> Result<(), DeviceError> {
        let Tiles { height, count, split } = tiles(m, n, k);
        let given = arguments::Convolution {
            partial: self.places.partial,
            m: word(m)?,
            n: word(n)?,
            k: word(k)?,
            splits: word(split.parts)?,
            split_len: word(split.len)?,
            ..given
        };
        let replicas = self.arrays.plan.replicas;
        let call = ImageCall::Convolution(direction, self.arithmetic, height, given);
        self.image(call, (count, split.parts, replicas), TILE_THREADS)?;
        if split.parts > 1 {
            let sums = if given.sums.data == 0 { 0 } else { m };
            let numbers = m.saturating_mul(n).saturating_add(sums);
            word(numbers)?;
            let call = ImageCall::ConvolutionFinish(direction == Direction::WeightGradient, given);
            self.image(call, (numbers.div_ceil(THREADS), 1, replicas), THREADS)?;
        }
        Ok(())
    }

    fn convolution_forward(
        &mut self,
        (input, output): (View, View),
        (weight, bias): (ArrayId, ArrayId),
        window: Window,
        relu: bool,
    ) -> Result<(), DeviceError> {
        let (from, to) = (input.shape, output.shape);
        let given = arguments::Convolution {
            windows: self.windows(input, to, window)?,
            weight: self.arrays.array(weight),
            target: self.arrays.view(output),
            bias: self.arrays.array(bias),
            relu: u32::from(relu),
            plane: word(to.area())?,
            width: word(to.width)?,
            step: 1,
            contiguous: 1,
            ..Default::default()
        };
        let k = from.channels.saturating_mul(window.size.saturating_mul(window.size));
        // Places in the weight are counted in 32 bits.
        word(k.saturating_mul(to.channels))?;
        let n = self.rows.saturating_mul(to.area());
        self.convolve(Direction::Forward, (to.channels, n, k), given)
    }

    fn convolution_input_gradient(
        &mut self,
        (output_gradient, input_gradient): (View, View),
        weight: ArrayId,
        window: Window,
        accumulate: bool,
    ) -> Result<(), DeviceError> {
        let (from, to) = (output_gradient.shape, input_gradient.shape);
        let taps = window.size.saturating_mul(window.size);
        sized([from, to], window)?;
        for (down, across) in axes(to, window) {
            let [places, wide, of_taps, row_of_taps] = divisors(
                (down.count * across.count, across.count),
                // Where nothing meets anything, k is 0 and no tap is looked for.
                ((down.taps * across.taps).max(1), across.taps.max(1)),
            )?;
            let windows = Windows {
                images: self.arrays.view(output_gradient),
                places,
                across: wide,
                taps: of_taps,
                wide: row_of_taps,
                height: word(from.height)?,
                width: word(from.width)?,
                step: 1,
                direction: u32::MAX,
                top: word(down.looks)?,
                left: word(across.looks)?,
            };
            let given = arguments::Convolution {
                windows,
                weight: self.arrays.array(weight),
                target: self.arrays.view(input_gradient),
                accumulate: u32::from(accumulate),
                weight_out: word(to.channels.saturating_mul(taps))?,
                weight_in: word(taps)?,
                weight_first: word(down.tap * window.size + across.tap)?,
                weight_down: word(window.stride.saturating_mul(window.size))?,
                weight_right: word(window.stride)?,
                plane: word(to.area())?,
                width: word(to.width)?,
                step: word(window.stride)?,
                top: word(down.first)?,
                left: word(across.first)?,
                contiguous: u32::from(window.stride == 1),
                ..Default::default()
            };
            // Places in images and in the weight are counted in 32 bits.
            word(from.len())?;
            word(taps.saturating_mul(to.channels).saturating_mul(from.channels))?;
            let n = self.rows.saturating_mul(down.count * across.count);
            let k = from.channels.saturating_mul(down.taps * across.taps);
            if k == 0 && accumulate {
                continue; // nothing is added
            }
            self.convolve(Direction::InputGradient, (to.channels, n, k), given)?;
        }
        Ok(())
    }

    fn convolution_weight_gradient(
        &mut self,
        (input, output_gradient): (View, View),
        (weight_gradient, bias_gradient): (ArrayId, ArrayId),
        window: Window,
    ) -> Result<(), DeviceError> {
        let (from, to) = (input.shape, output_gradient.shape);
        let given = arguments::Convolution {
            windows: self.windows(input, to, window)?,
            gradient: self.arrays.view(output_gradient),
            weight: self.arrays.array(weight_gradient),
            sums: self.arrays.array(bias_gradient),
            ..Default::default()
        };
        let n = from.channels.saturating_mul(window.size * window.size);
        let k = self.rows.saturating_mul(to.area());
        self.convolve(Direction::WeightGradient, (to.channels, n, k), given)
    }

    /// Appends a convolution, or one of its gradients.
    pub fn convolution(&mut self, operation: &Operation) -> Result<(), DeviceError> {
        match *operation {
            Operation::Convolution { input, weight, bias, output, window, relu } => {
                self.convolution_forward((input, output), (weight, bias), window, relu)
            }
            Operation::ConvolutionInputGradient {
                output_gradient,
                weight,
                input_gradient,
                window,
                accumulate,
            } => {
                let views = (output_gradient, input_gradient);
                self.convolution_input_gradient(views, weight, window, accumulate)
            }
            Operation::ConvolutionWeightGradient {
                input,
                output_gradient,
                weight_gradient,
                bias_gradient,
                window,
            } => {
                let gradients = (weight_gradient, bias_gradient);
                self.convolution_weight_gradient((input, output_gradient), gradients, window)
            }
            _ => Err(DeviceError::Unsupported("this operation".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The height that computes and finds least, for channels of the paper's networks and of the tests.
    #[test]
    fn heights_fit_the_channels() {
        for (m, rows) in [
            (1, 32),
            (32, 32),
            (33, 48),
            (48, 48),
            (60, 64),
            (64, 64),
            (65, 80),
            (80, 80),
            (96, 48),
            (112, 64),
            (160, 80),
            (176, 64),
            (240, 80),
            (336, 48),
        ] {
            assert_eq!(tiles(m, 1000, 1000).height.rows(), rows, "{m} channels");
        }
        let parts = |m, n, k| tiles(m, n, k).split.parts;
        assert_eq!([parts(64, 144, 320), parts(64, 144, 48), parts(160, 6272, 3024)], [2, 1, 5]);
    }

    /// Every position is in one launch, and its taps look where the convolution met it.
    #[test]
    fn axes_are_all_positions_and_taps() {
        for (size, stride, side) in
            (1..6).flat_map(|a| (1..5).flat_map(move |b| (1..9).map(move |c| (a, b, c))))
        {
            for padding in 0..size {
                let window = Window { size, stride, padding };
                let mut seen = vec![vec![]; side];
                for remainder in 0..stride {
                    let axis = axis(side, window, remainder);
                    for i in 0..axis.count {
                        for tap in 0..axis.taps {
                            let looks = (axis.looks + i) as isize - tap as isize;
                            let tap = axis.tap + tap * stride;
                            seen[axis.first + i * stride].push((looks, tap));
                        }
                    }
                }
                for (position, seen) in seen.into_iter().enumerate() {
                    let at = (position + padding) as isize;
                    let expected: Vec<_> = (0..size)
                        .map(|tap| (at - tap as isize, tap))
                        .filter(|(apart, _)| apart.rem_euclid(stride as isize) == 0)
                        .map(|(apart, tap)| (apart.div_euclid(stride as isize), tap))
                        .collect();
                    assert_eq!(seen, expected, "{window:?} {side} {position}");
                }
            }
        }
    }
}
