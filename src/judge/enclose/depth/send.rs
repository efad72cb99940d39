//! What each kind of step does to cotangents on their way back.

use super::layout::{Layout, Rect};
use super::walk::{Patch, Walk};
use shatter_exact::Element;
use shatter_matrix::product::{Matrix, MatrixMut, product};
use shatter_network::graph::SlidingWindow;

/// Entries that products of cotangents with weights have at once.
const PRODUCTS: usize = 1 << 16;

impl<E: Element> Walk<'_, E> {
    /// Back through a matrix.
    pub fn matrix(&mut self, on: usize, patch: &Patch<E>, matrix: &[E]) {
        let count = self.costs.len();
        let inputs = self.prepared.layouts[on].len();
        let outputs = matrix.len() / inputs.max(1);
        if self.rects[on].is_none() {
            return;
        }
        let mut numbers = vec![E::zero(); count * inputs];
        product(
            MatrixMut::of_rows(&mut numbers, count, inputs),
            false,
            Matrix::of_rows(&patch.numbers, count, outputs),
            Matrix::of_rows(matrix, outputs, inputs),
        );
        self.arrive(on, Patch { rect: self.prepared.layouts[on].whole(), numbers });
    }

    /// Back through windows: products with their weights, added up where the windows lie.
    pub fn windows(
        &mut self,
        on: usize,
        patch: &Patch<E>,
        matrix: &[E],
        outputs: usize,
        window: &SlidingWindow,
    ) {
        let Some(_) = self.rects[on] else { return };
        let x = &self.prepared.layouts[on];
        let rect = patch.rect.read_by(window, x);
        let count = self.costs.len();
        let (wide, inputs) = (rect.columns.len(), matrix.len() / outputs.max(1));
        let size = rect.area() * x.channels;
        let mut into = vec![E::zero(); size * count];
        let rows = patch.numbers.len() / outputs.max(1);
        let block = (PRODUCTS / inputs.max(1)).clamp(1, rows.max(1));
        let mut made = vec![E::zero(); block * inputs];
        let (area, columns) = (patch.rect.area(), patch.rect.columns.len());
        for start in (0..rows).step_by(block) {
            let these = block.min(rows - start);
            product(
                MatrixMut::of_rows(&mut made[..these * inputs], these, inputs),
                false,
                Matrix::of_rows(
                    &patch.numbers[start * outputs..][..these * outputs],
                    these,
                    outputs,
                ),
                Matrix::of_rows(matrix, outputs, inputs),
            );
            for (row, numbers) in (start..start + these).zip(made.chunks(inputs)) {
                let (functional, pixel) = (row / area, row % area);
                let top = (patch.rect.rows.start + pixel / columns) * window.stride.0;
                let left = (patch.rect.columns.start + pixel % columns) * window.stride.1;
                // The columns of the window that lie in the image.
                let first = window.before.1.saturating_sub(left);
                let last = window.size.1.min((x.width + window.before.1).saturating_sub(left));
                if first >= last {
                    continue;
                }
                let to = left + first - window.before.1 - rect.columns.start;
                for y in 0..window.size.0 {
                    let Some(image_row) = (top + y).checked_sub(window.before.0) else { continue };
                    if image_row >= x.height {
                        break;
                    }
                    let pixel = (image_row - rect.rows.start) * wide + to;
                    let run = (last - first) * x.channels;
                    let from = &numbers[(y * window.size.1 + first) * x.channels..][..run];
                    let into = &mut into[functional * size + pixel * x.channels..][..run];
                    into.iter_mut().zip(from).for_each(|(x, &y)| *x += y);
                }
            }
        }
        self.arrive(on, Patch { rect, numbers: into });
    }

    /// What a product, or a mean, sends to what it reads: a runtime may hold that, rounded.
    fn arrive(&mut self, on: usize, patch: Patch<E>) {
        let known = self.known;
        self.charge(on, &patch, &known[on].local);
        self.add(on, patch);
    }

    /// Back through means of windows.
    pub fn means(
        &mut self,
        on: usize,
        made: usize,
        patch: &Patch<E>,
        shares: &[E],
        window: &SlidingWindow,
    ) {
        if self.rects[on].is_none() {
            return;
        }
        let (x, y) = (&self.prepared.layouts[on], &self.prepared.layouts[made]);
        let rect = patch.rect.read_by(window, x);
        let size = rect.area() * x.channels;
        let mut into = vec![E::zero(); size * self.costs.len()];
        let area = patch.rect.area();
        for (row, numbers) in patch.numbers.chunks(x.channels.max(1)).enumerate() {
            let (functional, pixel) = (row / area, row % area);
            let place = (
                patch.rect.rows.start + pixel / patch.rect.columns.len(),
                patch.rect.columns.start + pixel % patch.rect.columns.len(),
            );
            let share =
                if shares.len() == 1 { shares[0] } else { shares[place.0 * y.width + place.1] };
            let inside = Rect::pixel(place).read_by(window, x);
            for row in inside.rows.clone() {
                let pixel = (row - rect.rows.start) * rect.columns.len();
                let pixel = pixel + inside.columns.start - rect.columns.start;
                let into = &mut into[functional * size + pixel * x.channels..];
                for to in into.chunks_mut(x.channels.max(1)).take(inside.columns.len()) {
                    to.iter_mut().zip(numbers).for_each(|(x, &y)| *x += y * share);
                }
            }
        }
        self.arrive(on, Patch { rect, numbers: into });
    }

    /// Number k of what was made goes to number `to[k]` of what was read.
    pub fn spread(&mut self, on: usize, made: usize, patch: &Patch<E>, to: &[u32], times: &[E]) {
        let (x, y) = (self.prepared.layouts[on], self.prepared.layouts[made]);
        let size = (patch.rect.area() * y.channels).max(1);
        let Some(into) = self.patch(on) else { return };
        let rect = into.rect.clone();
        let whole = (rect.area() * x.channels).max(1);
        for (into, from) in into.numbers.chunks_mut(whole).zip(patch.numbers.chunks(size)) {
            patch.rect.runs(&y, |start, range| {
                for (at, &number) in (start..).zip(&from[range]) {
                    let number = times.get(at).map_or(number, |&by| by * number);
                    let (pixel, channel) =
                        (to[at] as usize / x.channels, to[at] as usize % x.channels);
                    let (row, column) = (pixel / x.width, pixel % x.width);
                    let row = row - rect.rows.start;
                    let pixel = row * rect.columns.len() + column - rect.columns.start;
                    into[pixel * x.channels + channel] += number;
                }
            });
        }
    }

    /// Back to what was concatenated.
    pub fn parts(&mut self, values: &[usize], made: usize, patch: &Patch<E>) {
        let y = self.prepared.layouts[made];
        let mut before = 0;
        for &value in values {
            let x = self.prepared.layouts[value];
            // Of images, channels follow each other; other values are numbers one after the other.
            let (first, many) = (before, x.len() / (y.height * y.width).max(1));
            before += many;
            if self.rects[value].is_none() {
                continue;
            }
            let pixels = patch.numbers.chunks(y.channels.max(1));
            let numbers = pixels.flat_map(|pixel| &pixel[first..first + many]).copied().collect();
            let part = Layout { channels: many, ..y };
            self.same(value, part, Patch { rect: patch.rect.clone(), numbers });
        }
    }

    /// The same numbers in another shape, that of y here.
    pub fn same(&mut self, on: usize, y: Layout, patch: Patch<E>) {
        let x = self.prepared.layouts[on];
        if (x.height, x.width) == (y.height, y.width) {
            return self.add(on, patch);
        }
        let size = (patch.rect.area() * y.channels).max(1);
        let Some(into) = self.patch(on) else { return };
        let plain = |here: usize| here % y.channels * y.height * y.width + here / y.channels;
        for (into, from) in into.numbers.chunks_mut(x.len().max(1)).zip(patch.numbers.chunks(size))
        {
            patch.rect.runs(&y, |start, range| {
                for (at, &number) in (start..).zip(&from[range]) {
                    into[x.here(plain(at))] += number;
                }
            });
        }
    }
}
