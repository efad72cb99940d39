//! Convolutions, as products of matrices.
//!
//! An image (or a few small ones) is unfolded along x: for every row of the padded image and every
//! place of the window along x, the size·inputs numbers that one row of the kernel meets, side by
//! side. Rows of the image lie by their remainder modulo the stride, so that what row k of the
//! kernel meets at all places is one block of consecutive rows of the unfolded image U, and
//!
//! - output = Σ_k U_k · W_k, where W_k (size·inputs × outputs) is row k of the kernel;
//! - gradient of W_k = U_kᵀ · output gradient;
//! - gradient of U_k = output gradient · W_kᵀ, of which the gradient of the input is the sum over
//!   all places that a number was unfolded to. With stride 1 it is also the convolution of the
//!   output gradient with the flipped kernel, which is quicker.
//!
//! U is `size` times as large as the image; unfolding both axes would give size². Where a row of
//! the kernel meets few numbers, products of it alone would be too thin, and U does hold both.
//! Kernels of one position with stride 1 need no U.
//!
//! Cost: 2 · outputs · places · size² · inputs operations an image, each of the three.

use rayon::prelude::*;

use crate::cpu::images::{GROUPS, images_of_group};
use crate::cpu::slab::{Slab, SlabMut};
use shatter_exact::Element;
use shatter_matrix::product::{Matrix, MatrixMut, product};
use shatter_matrix::transpose::transpose;
use shatter_matrix::vectors::vectorised;
use shatter_network::architecture::{Shape, Window};

/// Rows of a product that are enough to make it quick: smaller images go together.
const PLACES: usize = 256;

/// Numbers that a row of a kernel meets below which whole kernels are unfolded.
const THIN: usize = 64;

/// Numbers of the summed partial gradients that are one piece of work.
const PIECE: usize = 4096;

/// Memory for intermediate results, one part a group of images.
#[derive(Debug, Default)]
pub struct Scratch<E> {
    groups: Vec<Buffers<E>>,
    /// The flipped kernel.
    kernel: Vec<E>,
}

#[derive(Debug, Default)]
struct Buffers<E> {
    /// Unfolded images.
    unfolded: Vec<E>,
    /// Places × channels of images that go together.
    together: Vec<E>,
    /// The group's part of the gradients of weight and bias.
    partial: Vec<E>,
}

impl<E: Element> Scratch<E> {
    /// Makes room for all three operations on a convolution of up to `rows` images.
    ///
    /// # Errors
    /// The number of bytes that memory does not have.
    pub fn reserve(
        &mut self,
        input: Shape,
        output: Shape,
        window: Window,
        rows: usize,
    ) -> Result<(), u64> {
        let taps = window.size.saturating_mul(window.size);
        let weight = taps.saturating_mul(input.channels).saturating_mul(output.channels);
        let (mut unfolded, mut together) = (0, 0);
        let backward = (window.stride == 1).then(|| (output, input, flipped(window)));
        for (from, to, window) in [(input, output, window)].into_iter().chain(backward) {
            let geometry = Geometry { from, to, window };
            let images = geometry.most_images().min(images_of_group(rows));
            unfolded = unfolded.max(geometry.unfolded(images));
            let places = images.saturating_mul(to.area());
            together = together.max(places.saturating_mul(from.channels.max(to.channels)));
        }
        self.groups.resize_with(GROUPS.max(self.groups.len()), Buffers::default);
        for group in self.groups.iter_mut().take(rows) {
            grow(&mut group.unfolded, unfolded)?;
            grow(&mut group.together, together)?;
            grow(&mut group.partial, weight.saturating_add(output.channels))?;
        }
        grow(&mut self.kernel, weight)
    }
}

fn grow<E: Element>(numbers: &mut Vec<E>, len: usize) -> Result<(), u64> {
    let more = len.saturating_sub(numbers.len());
    let bytes = || (len as u64).saturating_mul(size_of::<E>() as u64);
    numbers.try_reserve_exact(more).map_err(|_| bytes())?;
    numbers.resize(len.max(numbers.len()), E::zero());
    Ok(())
}

/// The window of the convolution that is the gradient of one with stride 1.
fn flipped(window: Window) -> Window {
    Window { padding: window.size - 1 - window.padding, ..window }
}

/// A window on images of one shape that gives images of another.
#[derive(Clone, Copy)]
struct Geometry {
    from: Shape,
    to: Shape,
    window: Window,
}

impl Geometry {
    /// True if an image is its own unfolding.
    fn trivial(&self) -> bool {
        self.window == Window { size: 1, stride: 1, padding: 0 }
    }

    /// Rows of the kernel that are unfolded side by side.
    fn depth(&self) -> usize {
        let thin = self.window.size.saturating_mul(self.from.channels) < THIN;
        if thin { self.window.size } else { 1 }
    }

    /// Numbers of the kernel that one place meets in one product.
    fn width(&self) -> usize {
        let row = self.window.size.saturating_mul(self.from.channels);
        row.saturating_mul(self.depth())
    }

    /// Rows of the image of one remainder that are unfolded.
    fn lines(&self) -> usize {
        if self.depth() == 1 {
            self.to.height + (self.window.size - 1) / self.window.stride
        } else {
            self.to.height
        }
    }

    /// Remainders of rows of the image that are unfolded.
    fn remainders(&self) -> usize {
        if self.depth() == 1 { self.window.stride.min(self.window.size) } else { 1 }
    }

    /// Length of some images when unfolded; saturates.
    fn unfolded(&self, images: usize) -> usize {
        if self.trivial() {
            return 0;
        }
        let factors = [self.remainders(), self.lines(), self.to.width, self.width()];
        factors.into_iter().fold(images, usize::saturating_mul)
    }

    /// The most images that go together.
    fn most_images(&self) -> usize {
        (PLACES / self.to.area().max(1)).max(1)
    }

    /// Number of images that go together, of a group of `images`.
    fn images(&self, images: usize) -> usize {
        images.div_ceil(images.div_ceil(self.most_images()).max(1)).max(1)
    }

    /// True if places of several images are interleaved: row by row, then image by image.
    fn interleaved(&self, images: usize) -> bool {
        images > 1 && !self.trivial()
    }

    /// The first row of U_k, as a number of its rows.
    fn start(&self, k: usize, images: usize) -> usize {
        let stride = self.window.stride;
        (k % stride * self.lines() + k / stride) * images * self.to.width
    }

    /// U_k: what row k of the kernel meets at all places of some images.
    fn met<'a, E: Element>(
        &self,
        k: usize,
        input: Slab<'a, E>,
        unfolded: &'a [E],
    ) -> Matrix<'a, E> {
        let shape = (input.rows * self.to.area(), self.width());
        if self.trivial() {
            return Matrix::new(&input.data[input.first..], shape, (input.stride, 1));
        }
        let start = self.start(k, input.rows) * shape.1;
        Matrix::of_rows(&unfolded[start..], shape.0, shape.1)
    }

    /// Unfolds some images.
    fn unfold<E: Element>(&self, input: Slab<E>, unfolded: &mut [E]) {
        if self.trivial() {
            return;
        }
        let Window { size, stride, padding } = self.window;
        let row = size * self.from.channels;
        let depth = self.depth();
        let len = self.unfolded(input.rows);
        let places = unfolded[..len].chunks_exact_mut(self.to.width * self.width());
        for (at, places) in places.enumerate() {
            let (line, image) = (at / input.rows, at % input.rows);
            let y = line % self.lines() * stride + line / self.lines();
            for (x, place) in places.chunks_exact_mut(row * depth).enumerate() {
                for (k, place) in place.chunks_exact_mut(row).enumerate() {
                    let y = (y + k).wrapping_sub(padding);
                    if y < self.from.height {
                        let start = (image * self.from.height + y) * self.from.width;
                        self.unfold_place(input, start, x * stride, place);
                    } else {
                        place.fill(E::zero());
                    }
                }
            }
        }
    }

    /// Copies the numbers that a row of the kernel meets from column `x` of the padded row of an image. Without its
    /// padding the row begins at position `start`.
    #[inline]
    fn unfold_place<E: Element>(&self, input: Slab<E>, start: usize, x: usize, place: &mut [E]) {
        let Window { size, padding, .. } = self.window;
        let channels = self.from.channels;
        let end = (self.from.width + padding).saturating_sub(x).min(size);
        let begin = padding.saturating_sub(x).min(end);
        let (before, rest) = place.split_at_mut(begin * channels);
        let (inside, after) = rest.split_at_mut((end - begin) * channels);
        before.fill(E::zero());
        after.fill(E::zero());
        if inside.is_empty() {
            return;
        }
        let start = start + x + begin - padding;
        if input.stride == channels {
            inside.copy_from_slice(&input.data[start * channels..][..inside.len()]);
        } else {
            for (at, inside) in inside.chunks_exact_mut(channels).enumerate() {
                inside.copy_from_slice(input.at(start + at));
            }
        }
    }

    /// The sums over all places that each number was unfolded to.
    #[inline(always)]
    fn fold<E: Element>(&self, unfolded: &[E], mut images: SlabMut<E>, accumulate: bool) {
        let Window { size, stride, padding } = self.window;
        let Shape { channels, height, width } = self.from;
        let (depth, line) = (self.depth(), self.to.width * self.width());
        for position in 0..images.positions() {
            let (image, y, x) =
                (position / (height * width), position / width % height, position % width);
            let rows = images.rows;
            let sums = images.at(position);
            if !accumulate {
                sums.fill(E::zero());
            }
            for k in 0..depth.min(y + padding + 1) {
                let (at, remainder) = ((y + padding - k) / stride, (y + padding - k) % stride);
                if remainder >= self.remainders() || at >= self.lines() {
                    continue;
                }
                let at = remainder * self.lines() + at;
                let places = &unfolded[(at * rows + image) * line..][..line];
                for j in 0..size.min(x + padding + 1) {
                    let (place, rest) = ((x + padding - j) / stride, (x + padding - j) % stride);
                    if rest == 0 && place < self.to.width {
                        let start = place * self.width() + (k * size + j) * channels;
                        let row = &places[start..start + channels];
                        sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += x);
                    }
                }
            }
        }
    }

    /// The position of each place of interleaved images, in their order.
    fn interleaving(&self, images: usize) -> impl Iterator<Item = usize> + use<> {
        let Shape { height, width, .. } = self.to;
        (0..height).flat_map(move |y| {
            (0..images)
                .flat_map(move |image| (0..width).map(move |x| (image * height + y) * width + x))
        })
    }

    /// The numbers at all places of some images, in the order of the rows of U_k.
    fn at_places<'a, E: Element>(&self, slab: Slab<'a, E>, together: &'a mut [E]) -> Matrix<'a, E> {
        let (places, channels) = (slab.positions(), slab.shape.channels);
        if !self.interleaved(slab.rows) {
            return Matrix::new(&slab.data[slab.first..], (places, channels), (slab.stride, 1));
        }
        let rows = together.chunks_exact_mut(channels);
        for (row, position) in rows.zip(self.interleaving(slab.rows)) {
            row.copy_from_slice(slab.at(position));
        }
        Matrix::of_rows(together, places, channels)
    }
}

/// The last step from a sum of products to an output.
#[derive(Clone, Copy)]
struct Finish<'a, E> {
    accumulate: bool,
    bias: Option<&'a [E]>,
    relu: bool,
}

impl<E: Element> Finish<'_, E> {
    /// output = (output +) sums + bias, then ReLU. `sums` are interleaved; without them they stand
    /// in `output`.
    #[inline(always)]
    fn apply(&self, geometry: Geometry, sums: Option<&[E]>, mut output: SlabMut<E>) {
        let channels = output.shape.channels;
        if let Some(sums) = sums {
            let positions = geometry.interleaving(output.rows);
            for (sums, position) in sums.chunks_exact(channels).zip(positions) {
                let row = output.at(position);
                if self.accumulate {
                    row.iter_mut().zip(sums).for_each(|(x, &sum)| *x += sum);
                } else {
                    row.copy_from_slice(sums);
                }
            }
        }
        let Some(bias) = self.bias else { return };
        for position in 0..output.positions() {
            let row = output.at(position).iter_mut().zip(bias);
            if self.relu {
                row.for_each(|(x, &bias)| *x = positive(*x + bias));
            } else {
                row.for_each(|(x, &bias)| *x += bias);
            }
        }
    }
}

/// max(x, 0), and NaN where x is.
#[inline(always)]
fn positive<E: Element>(x: E) -> E {
    if x < E::zero() { E::zero() } else { x }
}

/// Cross-correlation of `input` with `weight`.
fn correlate<E: Element>(
    input: Slab<E>,
    weight: &[E],
    output: SlabMut<E>,
    window: Window,
    finish: Finish<E>,
    groups: &mut [Buffers<E>],
) {
    let geometry = Geometry { from: input.shape, to: output.shape, window };
    let outputs = output.shape.channels;
    let of_group = images_of_group(input.rows);
    let images = geometry.images(of_group);
    let work = input.par_groups(of_group).zip(output.par_groups(of_group)).zip(groups);
    work.for_each(|((input, output), buffers)| {
        for (input, output) in input.groups(images).zip(output.groups(images)) {
            let places = output.positions();
            geometry.unfold(input, &mut buffers.unfolded);
            let interleaved = geometry.interleaved(input.rows);
            for (k, weight) in weight.chunks_exact(geometry.width() * outputs).enumerate() {
                let (target, accumulate) = if interleaved {
                    (MatrixMut::of_rows(&mut buffers.together, places, outputs), k > 0)
                } else {
                    let data = &mut output.data[output.first..];
                    let target = MatrixMut::new(data, (places, outputs), output.stride);
                    (target, k > 0 || finish.accumulate)
                };
                let met = geometry.met(k, input, &buffers.unfolded);
                let weight = Matrix::of_rows(weight, geometry.width(), outputs);
                product(target, accumulate, met, weight);
            }
            let sums = interleaved.then(|| &buffers.together[..places * outputs]);
            vectorised(
                #[inline(always)]
                || finish.apply(geometry, sums, output),
            );
        }
    });
}

/// output = cross-correlation of input with weight (size × size × inputs × outputs) + bias, then
/// ReLU if asked for.
pub fn forward<E: Element>(
    input: Slab<E>,
    weight: &[E],
    bias: &[E],
    output: SlabMut<E>,
    window: Window,
    relu: bool,
    scratch: &mut Scratch<E>,
) {
    let finish = Finish { accumulate: false, bias: Some(bias), relu };
    correlate(input, weight, output, window, finish, &mut scratch.groups);
}

/// The gradient with respect to the input.
pub fn input_gradient<E: Element>(
    output_gradient: Slab<E>,
    weight: &[E],
    input_gradient: SlabMut<E>,
    window: Window,
    accumulate: bool,
    scratch: &mut Scratch<E>,
) {
    let (inputs, outputs) = (input_gradient.shape.channels, output_gradient.shape.channels);
    if window.stride == 1 {
        let kernel = &mut scratch.kernel[..weight.len()];
        let taps = kernel.par_chunks_exact_mut(inputs * outputs);
        taps.zip(weight.par_chunks_exact(inputs * outputs).rev())
            .for_each(|(to, from)| transpose(from, to, outputs));
        let finish = Finish { accumulate, bias: None, relu: false };
        let window = flipped(window);
        return correlate(
            output_gradient,
            kernel,
            input_gradient,
            window,
            finish,
            &mut scratch.groups,
        );
    }
    let geometry = Geometry { from: input_gradient.shape, to: output_gradient.shape, window };
    let of_group = images_of_group(output_gradient.rows);
    let images = geometry.images(of_group);
    let work = output_gradient.par_groups(of_group).zip(input_gradient.par_groups(of_group));
    work.zip(&mut scratch.groups).for_each(|((gradient, result), buffers)| {
        for (gradient, result) in gradient.groups(images).zip(result.groups(images)) {
            let places = gradient.positions();
            let unfolded = &mut buffers.unfolded[..geometry.unfolded(gradient.rows)];
            unfolded.fill(E::zero());
            let at_places = geometry.at_places(gradient, &mut buffers.together);
            for (k, weight) in weight.chunks_exact(geometry.width() * outputs).enumerate() {
                let start = geometry.start(k, gradient.rows) * geometry.width();
                let target = MatrixMut::of_rows(&mut unfolded[start..], places, geometry.width());
                let weight = Matrix::of_rows(weight, geometry.width(), outputs);
                product(target, true, at_places, weight.transposed());
            }
            vectorised(
                #[inline(always)]
                || geometry.fold(unfolded, result, accumulate),
            );
        }
    });
}

/// The gradients with respect to weight (size × size × inputs × outputs) and bias.
pub fn weight_gradient<E: Element>(
    input: Slab<E>,
    output_gradient: Slab<E>,
    weight_gradient: &mut [E],
    bias_gradient: &mut [E],
    window: Window,
    scratch: &mut Scratch<E>,
) {
    let geometry = Geometry { from: input.shape, to: output_gradient.shape, window };
    let outputs = output_gradient.shape.channels;
    let len = weight_gradient.len();
    let of_group = images_of_group(input.rows);
    let images = geometry.images(of_group);
    let used = input.rows.div_ceil(of_group);
    let groups = &mut scratch.groups[..used];
    let work = input.par_groups(of_group).zip(output_gradient.par_groups(of_group));
    work.zip(&mut *groups).for_each(|((input, gradient), buffers)| {
        let (weight, bias) = buffers.partial[..len + outputs].split_at_mut(len);
        bias.fill(E::zero());
        let parts = input.groups(images).zip(gradient.groups(images));
        for (at, (input, gradient)) in parts.enumerate() {
            geometry.unfold(input, &mut buffers.unfolded);
            let at_places = geometry.at_places(gradient, &mut buffers.together);
            let rows = weight.chunks_exact_mut(geometry.width() * outputs);
            for (k, weight) in rows.enumerate() {
                let target = MatrixMut::of_rows(weight, geometry.width(), outputs);
                let met = geometry.met(k, input, &buffers.unfolded);
                product(target, at > 0, met.transposed(), at_places);
            }
            vectorised(
                #[inline(always)]
                || {
                    for position in 0..gradient.positions() {
                        let row = gradient.at(position);
                        bias.iter_mut().zip(row).for_each(|(sum, &x)| *sum += x);
                    }
                },
            );
        }
    });
    let groups = &*groups;
    let sum = |first: usize, sums: &mut [E]| {
        sums.fill(E::zero());
        for group in groups {
            let part = &group.partial[first..first + sums.len()];
            sums.iter_mut().zip(part).for_each(|(sum, &x)| *sum += x);
        }
    };
    let pieces = weight_gradient.par_chunks_mut(PIECE).enumerate();
    pieces.for_each(|(at, sums)| sum(at * PIECE, sums));
    sum(len, bias_gradient);
}

#[cfg(test)]
mod tests;
