//! Products with matrices: of values as they are, of images unfolded, of sparse units.
//!
//! An image is unfolded along its columns: for every row of the padded image and every place along it,
//! the numbers of one row of the window, one line for each (channel, column of the window). What row k
//! of the window meets at all places is then one matrix inside the unfolded image, and the result is
//! the sum of as many products as the window has rows; the unfolded image is only as many times as
//! large as the image as the window has columns. Where a row of the window meets few numbers, or images
//! are small, both axes are unfolded, and several images go together.

use crate::exact::Element;
use crate::linear::product::{Matrix, MatrixMut, product};
use crate::network::Activation;
use crate::network::graph::{Affine, Window};
use crate::network::layered::Unit;

use super::pointwise;

/// Numbers that a row of a window meets below which whole windows are unfolded.
const THIN: usize = 64;
/// Places that one product should have.
const PLACES: usize = 192;

/// x W + b.
pub struct Dense<E> {
    weights: Vec<E>,
    bias: Vec<E>,
    inputs: usize,
    outputs: usize,
}

fn numbers<E: Element>(of: &[f64]) -> Vec<E> {
    of.iter().map(|&x| E::of(x)).collect()
}

impl<E: Element> Dense<E> {
    /// The weights as numbers of type `E`.
    pub fn new(affine: &Affine) -> Dense<E> {
        let Affine { weights, inputs, outputs, bias } = affine;
        let (inputs, outputs) = (*inputs, *outputs);
        Dense { weights: numbers(weights), bias: numbers(bias), inputs, outputs }
    }

    /// y = x W + b at `n` points.
    pub fn apply(&self, x: &[E], y: &mut [E], n: usize) {
        if !self.bias.is_empty() {
            y.chunks_exact_mut(self.outputs).for_each(|row| row.copy_from_slice(&self.bias));
        }
        let left = Matrix::of_rows(x, n, self.inputs);
        let right = Matrix::of_rows(&self.weights, self.inputs, self.outputs);
        product(MatrixMut::of_rows(y, n, self.outputs), !self.bias.is_empty(), left, right);
    }
}

/// A unit: what it reads with which weight, its bias, and its activation.
type SparseUnit<E> = (Vec<(usize, E)>, E, Activation);

/// Units that read some numbers each.
pub struct Sparse<E> {
    units: Vec<SparseUnit<E>>,
}

impl<E: Element> Sparse<E> {
    /// The weights as numbers of type `E`.
    pub fn new(units: &[Unit]) -> Sparse<E> {
        let number = |x: &crate::exact::Rational| E::of(x.to_f64().value());
        let unit = |unit: &Unit| {
            let weights = unit.weights.iter().map(|(from, weight)| (*from, number(weight)));
            (weights.collect(), number(&unit.bias), unit.activation)
        };
        Sparse { units: units.iter().map(unit).collect() }
    }

    /// φ(Σ weight · x + bias) of each unit; `sides` are the numbers of a point before and after.
    pub fn apply(&self, x: &[E], y: &mut [E], sides: (usize, usize)) {
        let rows = x.chunks_exact(sides.0.max(1)).zip(y.chunks_exact_mut(sides.1.max(1)));
        for (x, y) in rows {
            for ((weights, bias, activation), y) in self.units.iter().zip(y) {
                let sum = weights.iter().fold(*bias, |sum, &(from, w)| sum + w * x[from]);
                *y = pointwise::of_one(*activation, sum);
            }
        }
    }
}

/// A convolution, its weights as the products want them.
pub struct Convolution<E> {
    /// Whole windows: (channels · rows · columns) × outputs. Else for each row of the window
    /// (channels · columns) × outputs.
    weights: Vec<E>,
    bias: Vec<E>,
    window: Window,
    /// Channels, rows and columns of the image.
    shape: [usize; 3],
    outputs: usize,
    /// Rows and columns of places.
    places: (usize, usize),
    /// Images that go together if windows are unfolded whole; 0 if they are unfolded along one axis.
    together: usize,
}

impl<E: Element> Convolution<E> {
    /// The weights as numbers of type `E`, for images of `shape`.
    pub fn new(affine: &Affine, window: Window, shape: &[usize]) -> Convolution<E> {
        let shape = [shape[0], shape[1], shape[2]];
        let places = window.places(shape[1], shape[2]).unwrap_or((0, 0));
        let (rows, columns) = window.size;
        let (area, all) = (rows * columns, places.0 * places.1);
        let thin = shape[0] * columns < THIN || all < PLACES / 2;
        let outputs = affine.outputs;
        let mut weights: Vec<E> = numbers(&affine.weights);
        if !thin {
            let at = |k: usize| {
                let (entry, output) = (k / outputs, k % outputs);
                let (row, rest) = (entry / (shape[0] * columns), entry % (shape[0] * columns));
                let (channel, column) = (rest / columns, rest % columns);
                weights[(channel * area + row * columns + column) * outputs + output]
            };
            weights = (0..weights.len()).map(at).collect();
        }
        let together = if thin { PLACES.div_ceil(all.max(1)) } else { 0 };
        Convolution {
            weights,
            bias: numbers(&affine.bias),
            window,
            shape,
            outputs,
            places,
            together,
        }
    }

    /// The convolution of `n` images.
    pub fn apply(&self, x: &[E], y: &mut [E], n: usize) {
        let places = self.places.0 * self.places.1;
        let (image, result) = (self.shape.iter().product::<usize>(), self.outputs * places);
        if result == 0 || n == 0 {
            return;
        }
        if !self.bias.is_empty() {
            for (at, plane) in y.chunks_exact_mut(places).enumerate() {
                plane.fill(self.bias[at % self.outputs]);
            }
        }
        let mut unfolded = Vec::new();
        if self.together == 0 {
            for (x, y) in x.chunks_exact(image).zip(y.chunks_exact_mut(result)) {
                self.by_rows(x, y, &mut unfolded);
            }
            return;
        }
        let mut sums = Vec::new();
        let groups = x.chunks(self.together * image).zip(y.chunks_mut(self.together * result));
        for (x, y) in groups {
            self.whole(x, y, &mut unfolded, &mut sums);
        }
    }

    /// Copies what column `column` of the window meets in a row of the image, or zeros.
    fn line(&self, image: Option<&[E]>, column: usize, into: &mut [E]) {
        let (stride, before, width) = (self.window.stride.1, self.window.before.1, self.shape[2]);
        let Some(row) = image else { return into.fill(E::zero()) };
        let end = (width + before).saturating_sub(column).div_ceil(stride).min(into.len());
        let start = before.saturating_sub(column).div_ceil(stride);
        if start >= end {
            return into.fill(E::zero());
        }
        into[..start].fill(E::zero());
        into[end..].fill(E::zero());
        let from = start * stride + column - before;
        if stride == 1 {
            into[start..end].copy_from_slice(&row[from..from + end - start]);
        } else {
            let picked = row[from..].iter().step_by(stride);
            into[start..end].iter_mut().zip(picked).for_each(|(to, x)| *to = *x);
        }
    }

    /// Row `padded` of a channel, counted from above the padding.
    fn row<'x>(&self, image: &'x [E], channel: usize, padded: usize) -> Option<&'x [E]> {
        let [_, height, width] = self.shape;
        let row = padded.checked_sub(self.window.before.0).filter(|&row| row < height)?;
        Some(&image[(channel * height + row) * width..][..width])
    }

    fn by_rows(&self, x: &[E], y: &mut [E], unfolded: &mut Vec<E>) {
        let (rows, columns) = self.places;
        let (tall, wide) = self.window.size;
        let stride = self.window.stride.0;
        // Rows of the padded image lie by their remainder modulo the stride.
        let (remainders, lines) = (stride.min(tall), rows + (tall - 1) / stride);
        let entry = remainders * lines * columns;
        let meets = self.shape[0] * wide;
        unfolded.resize(meets * entry, E::zero());
        for (at, line) in unfolded.chunks_exact_mut(columns).enumerate() {
            let (of, rest) = (at / (remainders * lines), at % (remainders * lines));
            let padded = rest % lines * stride + rest / lines;
            self.line(self.row(x, of / wide, padded), of % wide, line);
        }
        for row in 0..tall {
            let first = (row % stride * lines + row / stride) * columns;
            let right = Matrix::new(&unfolded[first..], (meets, rows * columns), (entry, 1));
            let weights = &self.weights[row * meets * self.outputs..];
            let left = Matrix::of_rows(weights, meets, self.outputs).transposed();
            let accumulate = row > 0 || !self.bias.is_empty();
            product(MatrixMut::of_rows(y, self.outputs, rows * columns), accumulate, left, right);
        }
    }

    fn whole(&self, x: &[E], y: &mut [E], unfolded: &mut Vec<E>, sums: &mut Vec<E>) {
        let image: usize = self.shape.iter().product();
        let (rows, columns) = self.places;
        let (tall, wide) = self.window.size;
        let images = x.len() / image;
        let (places, all) = (rows * columns, rows * columns * images);
        let meets = self.shape[0] * tall * wide;
        unfolded.resize(meets * all, E::zero());
        for (at, line) in unfolded.chunks_exact_mut(columns).enumerate() {
            let (of, rest) = (at / (rows * images), at % (rows * images));
            let (number, row) = (rest / rows, rest % rows);
            let (channel, inside) = (of / (tall * wide), of % (tall * wide));
            let padded = row * self.window.stride.0 + inside / wide;
            let x = &x[number * image..][..image];
            self.line(self.row(x, channel, padded), inside % wide, line);
        }
        let left = Matrix::of_rows(&self.weights, meets, self.outputs).transposed();
        let right = Matrix::of_rows(&unfolded[..], meets, all);
        if images == 1 {
            let accumulate = !self.bias.is_empty();
            product(MatrixMut::of_rows(y, self.outputs, places), accumulate, left, right);
            return;
        }
        sums.resize(self.outputs * all, E::zero());
        product(MatrixMut::of_rows(sums, self.outputs, all), false, left, right);
        for (at, plane) in y.chunks_exact_mut(places).enumerate() {
            let (number, output) = (at / self.outputs, at % self.outputs);
            let from = &sums[output * all + number * places..][..places];
            plane.iter_mut().zip(from).for_each(|(y, &sum)| *y += sum);
        }
    }
}
