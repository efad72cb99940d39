//! Convolutions, as products of matrices.
//!
//! An image is unfolded along its rows: for every row of the padded image and every place along it, the
//! numbers that one row of the window meets there, side by side. What row k of the window meets at all
//! places is then one matrix inside the unfolded image, and the result is the sum of as many products as
//! the window has rows; the unfolded image is only as many times as large as the image as the window has
//! columns. Where a row of the window meets few numbers, or images are small, whole windows are unfolded,
//! and several images go together. Windows of one position need no unfolding.
//!
//! Cost: 2 · outputs · places · window · channels operations an image.

use shatter_exact::Element;
use shatter_matrix::product::{Matrix, MatrixMut, product};
use shatter_network::graph::{Affine, SlidingWindow};

/// Numbers that a row of a window meets below which whole windows are unfolded.
const THIN: usize = 64;
/// Places that one product should have.
const PLACES: usize = 192;

/// A convolution, its weights as the products want them.
pub struct Convolution<E> {
    /// (rows · columns · channels) × outputs.
    weights: Vec<E>,
    bias: Vec<E>,
    window: SlidingWindow,
    /// Channels, rows and columns of the image.
    shape: [usize; 3],
    outputs: usize,
    /// Rows and columns of places.
    places: (usize, usize),
    unfolded: Unfolded,
}

/// Unfolding of images.
#[derive(Clone, Copy, PartialEq)]
enum Unfolded {
    /// Not at all.
    Not,
    /// For one row of the window at a time.
    ByRows,
    /// For the whole window, so many images together.
    Whole(usize),
}

impl<E: Element> Convolution<E> {
    /// The weights as numbers of type `E`, for images of `shape`.
    pub fn new(affine: &Affine, window: SlidingWindow, shape: &[usize]) -> Convolution<E> {
        let shape = [shape[0], shape[1], shape[2]];
        let places = window.places(shape[1], shape[2]).unwrap_or((0, 0));
        let (channels, area, all) = (shape[0], window.size.0 * window.size.1, places.0 * places.1);
        let outputs = affine.outputs;
        let weight = |k: usize| {
            let (entry, output) = (k / outputs, k % outputs);
            let (inside, channel) = (entry / channels, entry % channels);
            E::of(affine.weights[(channel * area + inside) * outputs + output])
        };
        let point = SlidingWindow { size: (1, 1), stride: (1, 1), before: (0, 0), after: (0, 0) };
        let unfolded = if window == point {
            Unfolded::Not
        } else if channels * window.size.1 < THIN || all < PLACES / 2 {
            Unfolded::Whole(PLACES.div_ceil(all.max(1)))
        } else {
            Unfolded::ByRows
        };
        Convolution {
            weights: (0..affine.weights.len()).map(weight).collect(),
            bias: affine.bias.iter().map(|&x| E::of(x)).collect(),
            window,
            shape,
            outputs,
            places,
            unfolded,
        }
    }

    /// The convolution of `n` images.
    pub fn apply(&self, x: &[E], n: usize) -> Vec<E> {
        let places = self.places.0 * self.places.1;
        let (image, result) = (self.shape.iter().product::<usize>(), self.outputs * places);
        let mut y = match self.bias.is_empty() {
            true => vec![E::zero(); n * result],
            false => self.bias.repeat(n * places),
        };
        if result == 0 || n == 0 {
            return y;
        }
        let mut unfolded = Vec::new();
        match self.unfolded {
            Unfolded::Not => self.product(0..self.shape[0], x, &mut y, false),
            Unfolded::ByRows => {
                for (x, y) in x.chunks_exact(image).zip(y.chunks_exact_mut(result)) {
                    self.by_rows(x, y, &mut unfolded);
                }
            }
            Unfolded::Whole(together) => {
                for (x, y) in x.chunks(together * image).zip(y.chunks_mut(together * result)) {
                    self.whole(x, &mut unfolded);
                    self.product(0..self.weights.len() / self.outputs, &unfolded, y, false);
                }
            }
        }
        y
    }

    /// Adds to y what these rows of the weights make of the numbers met, place by place.
    fn product(&self, rows: std::ops::Range<usize>, met: &[E], y: &mut [E], add: bool) {
        let (meets, places) = (rows.len(), y.len() / self.outputs);
        let weights = &self.weights[rows.start * self.outputs..rows.end * self.outputs];
        let left = Matrix::of_rows(met, places, meets);
        let right = Matrix::of_rows(weights, meets, self.outputs);
        let add = add || !self.bias.is_empty();
        product(MatrixMut::of_rows(y, places, self.outputs), add, left, right);
    }

    fn by_rows(&self, x: &[E], y: &mut [E], unfolded: &mut Vec<E>) {
        let (rows, columns) = self.places;
        let (tall, wide) = self.window.size;
        let stride = self.window.stride.0;
        // Rows of the padded image lie by their remainder modulo the stride.
        let (remainders, lines) = (stride.min(tall), rows + (tall - 1) / stride);
        let meets = wide * self.shape[0];
        unfolded.resize(remainders * lines * columns * meets, E::zero());
        for (at, line) in unfolded.chunks_exact_mut(columns * meets).enumerate() {
            let padded = at % lines * stride + at / lines;
            let row = self.row(x, padded);
            let places = line.chunks_exact_mut(meets).enumerate();
            places.for_each(|(column, place)| self.place(row, column, place));
        }
        for row in 0..tall {
            let first = (row % stride * lines + row / stride) * columns * meets;
            let met = &unfolded[first..first + rows * columns * meets];
            self.product(row * meets..(row + 1) * meets, met, y, row > 0);
        }
    }

    fn whole(&self, x: &[E], unfolded: &mut Vec<E>) {
        let image: usize = self.shape.iter().product();
        let (rows, columns) = self.places;
        let (tall, wide) = self.window.size;
        let (places, meets) = (rows * columns, wide * self.shape[0]);
        unfolded.resize(x.len() / image * places * tall * meets, E::zero());
        for (at, place) in unfolded.chunks_exact_mut(tall * meets).enumerate() {
            let (number, row, column) = (at / places, at % places / columns, at % columns);
            let x = &x[number * image..(number + 1) * image];
            for (inside, place) in place.chunks_exact_mut(meets).enumerate() {
                let padded = row * self.window.stride.0 + inside;
                self.place(self.row(x, padded), column, place);
            }
        }
    }

    /// A row of the padded image, counted from above the padding; `None` where it is padding.
    fn row<'x>(&self, image: &'x [E], padded: usize) -> Option<&'x [E]> {
        let [channels, height, width] = self.shape;
        let row = padded.checked_sub(self.window.before.0).filter(|&row| row < height)?;
        Some(&image[row * width * channels..(row + 1) * width * channels])
    }

    /// Copies what a row of the window meets at place `column` of a row of the image, or zeros.
    #[inline]
    fn place(&self, row: Option<&[E]>, column: usize, into: &mut [E]) {
        let Some(row) = row else { return into.fill(E::zero()) };
        let channels = self.shape[0];
        let inside = self.window.columns_inside(column, self.shape[2]);
        if inside.is_empty() {
            return into.fill(E::zero());
        }
        let from = column * self.window.stride.1 + inside.start - self.window.before.1;
        let (start, end) = (inside.start * channels, inside.end * channels);
        into[..start].fill(E::zero());
        into[end..].fill(E::zero());
        into[start..end].copy_from_slice(&row[from * channels..][..end - start]);
    }
}
