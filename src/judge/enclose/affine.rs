//! Products with matrices, as they are and of windows, with their bounds.

use std::ops::Range;

use super::bounds::{gamma, larger, largest, up};
use super::chain::{BESIDES, Chain, least_of};
use super::{Enclosure, all_zero, of_point, tile};
use crate::runtime::{Rounding, winograd};
use shatter_exact::Format;
use shatter_exact::format::common_grain as grain;
use shatter_matrix::product::{Matrix, MatrixMut, product};
use shatter_network::graph::{Affine, SlidingWindow, count};

/// Numbers that the windows of a convolution take at once, in each of their lists.
const WINDOWS: usize = 1 << 18;

/// Weights whose sizes and grains are known.
pub struct Weights<'a> {
    affine: &'a Affine,
    sizes: Vec<f64>,
    grain: i64,
    bias_grain: i64,
    /// Whether a runtime takes them as they are.
    taken: bool,
    /// At most each |w| that is not 0.
    least: f64,
    /// At least max(1, |w|), and max(1, |b|) or 0 for none.
    most: (f64, f64),
    /// Both directions of a convolution that may be tiled.
    tiles: Option<[winograd::Direction; 2]>,
}

/// Sums of a batch with what bounds need.
struct Sums {
    centre: Vec<f64>,
    size: Vec<f64>,
    radius: Vec<f64>,
    base: Vec<f64>,
    /// Sizes of the monomials of tiles; empty where there are none.
    tiled: Vec<f64>,
}

impl<'a> Weights<'a> {
    /// Those of a step; a convolution has a window.
    pub fn new(
        affine: &'a Affine,
        window: Option<&SlidingWindow>,
        rounding: Rounding,
    ) -> Weights<'a> {
        let most = |numbers: &[f64]| numbers.iter().fold(1.0, |most, x| larger(most, x.abs()));
        let bias = if affine.bias.is_empty() { 0.0 } else { most(&affine.bias) };
        Weights {
            affine,
            sizes: affine.weights.iter().map(|w| w.abs()).collect(),
            least: least_of(affine.weights.iter().map(|w| w.abs())),
            grain: grain(&affine.weights),
            bias_grain: grain(&affine.bias),
            taken: rounding.takes(&affine.weights) && rounding.keeps(&affine.bias),
            most: (most(&affine.weights), bias),
            tiles: window.filter(|_| rounding.tiled).and_then(winograd::tiled),
        }
    }

    /// x W + b, a row a point.
    pub fn dense(&self, x: &Enclosure, rounding: Rounding) -> Enclosure {
        let folded = x.forward(rounding);
        let sums = self.rows(&Rows::of(x, &folded), x.points);
        self.close(sums, x, folded, rounding)
    }

    /// W over windows of images: a block of windows after the other.
    pub fn convolution(
        &self,
        x: &Enclosure,
        shape: &[usize],
        window: &SlidingWindow,
        rounding: Rounding,
    ) -> Enclosure {
        let (rows, columns) = window.places(shape[1], shape[2]).unwrap_or((0, 0));
        let (places, outputs) = (rows * columns, self.affine.outputs);
        let folded = x.forward(rounding);
        let mut sums = Sums::zeros(x, &folded, x.points * places * outputs);
        let lists = Rows::of(x, &folded);
        let block = (WINDOWS / self.affine.inputs.max(1)).max(1);
        let all = x.points * places;
        // Channels come first.
        let put = |into: &mut [f64], from: &[f64], range: Range<usize>| {
            for (row, values) in range.zip(from.chunks(outputs)) {
                let (point, place) = (row / places, row % places);
                for (channel, &value) in values.iter().enumerate() {
                    into[(point * outputs + channel) * places + place] = value;
                }
            }
        };
        for start in (0..all).step_by(block) {
            let range = start..(start + block).min(all);
            let laid = |values: &[f64]| windows(values, shape, window, columns, range.clone());
            let laid = [laid(lists.0[0]), laid(lists.0[1]), laid(lists.0[2]), laid(lists.0[3])];
            let rows = Rows([&laid[0], &laid[1], &laid[2], &laid[3]]);
            let result = self.rows(&rows, range.len());
            put(&mut sums.centre, &result.centre, range.clone());
            put(&mut sums.size, &result.size, range.clone());
            put(&mut sums.radius, &result.radius, range.clone());
            put(&mut sums.base, &result.base, range.clone());
        }
        if let Some(tiles) = &self.tiles {
            sums.tiled = vec![0.0; sums.size.len()];
            let block = (block / columns.max(1)).max(1);
            for start in (0..x.points * rows).step_by(block) {
                let range = start..(start + block).min(x.points * rows);
                let laid = tile::windows(&folded.size, shape, window, tiles, range.clone());
                let range = range.start * columns..range.end * columns;
                let result = self.rows(&Rows([&[], &laid, &[], &[]]), range.len());
                put(&mut sums.tiled, &result.size, range);
            }
        }
        self.close(sums, x, folded, rounding)
    }

    /// The lists times the weights, or times their sizes; with biases.
    fn rows(&self, rows: &Rows, count: usize) -> Sums {
        let Affine { weights, inputs, outputs, bias } = self.affine;
        let times = |left: &[f64], right: &[f64]| -> Vec<f64> {
            if left.is_empty() {
                return Vec::new();
            }
            let mut result = vec![0.0; count * outputs];
            let left = Matrix::of_rows(left, count, *inputs);
            let right = Matrix::of_rows(right, *inputs, *outputs);
            product(MatrixMut::of_rows(&mut result, count, *outputs), false, left, right);
            result
        };
        let [centre, size, radius, base] = rows.0;
        let mut sums = Sums {
            centre: times(centre, weights),
            size: times(size, &self.sizes),
            radius: times(radius, &self.sizes),
            base: times(base, &self.sizes),
            tiled: Vec::new(),
        };
        if !bias.is_empty() {
            sums.centre.chunks_mut(*outputs).for_each(|row| {
                row.iter_mut().zip(bias).for_each(|(x, b)| *x += b);
            });
            sums.size.chunks_mut(*outputs).for_each(|row| {
                row.iter_mut().zip(bias).for_each(|(x, b)| *x += b.abs());
            });
        }
        let operations = inputs + 1;
        for list in [&mut sums.size, &mut sums.radius, &mut sums.base] {
            list.iter_mut().for_each(|x| *x = up(*x, operations));
        }
        sums
    }

    fn close(&self, sums: Sums, x: &Enclosure, folded: Chain, rounding: Rounding) -> Enclosure {
        let inputs = self.affine.inputs;
        let with_weights = |grain: i64| grain.saturating_add(self.grain).min(self.bias_grain);
        let (weight, bias) = self.most;
        let growth = |[down, across]: &[winograd::Direction; 2]| down.growth * across.growth;
        let weight = weight * self.tiles.as_ref().map_or(1.0, growth);
        let grown = |most: &f64| up(inputs as f64 * weight * most + bias, inputs + 6);
        let transforms = if self.tiles.is_some() { winograd::ROUNDINGS } else { 0 };
        let known = x.known(|own| Some(with_weights(own)));
        let radius = radius(&sums.radius, &sums.size, inputs + 1, &known);
        // Monomials of tiles have factors that are no numbers of the network.
        let taken = self.taken && self.tiles.is_none();
        let chain = Chain {
            base: sums.base,
            size: if self.tiles.is_some() { sums.tiled } else { sums.size },
            terms: folded.terms.saturating_add(inputs + BESIDES + transforms),
            products: true,
            grain: folded.grain.iter().map(|own| own.filter(|_| taken).map(with_weights)).collect(),
            // Of weights alone it is known already.
            least: if folded.least < 1.0 { folded.least * self.least / 2.0 } else { self.least },
            most: folded.most.iter().map(grown).collect(),
        };
        Enclosure::folded(sums.centre, radius, x.points, chain, None, rounding)
    }
}

/// What a binary64 sum of so many terms is off by, with terms of these sizes that are off by `before`
/// in all: 0 at points where all terms are known, and multiples of 2^grain, and nothing rounds; empty if at all.
pub fn radius(before: &[f64], size: &[f64], terms: usize, grains: &[Option<i64>]) -> Vec<f64> {
    let width = size.len() / grains.len().max(1);
    let exact = |(k, grain): (usize, &Option<i64>)| {
        let fits = |grain| Format::F64.never_rounds(grain, largest(of_point(size, k, width)));
        grain.is_some_and(fits) && all_zero(of_point(before, k, width))
    };
    let exact: Vec<bool> = grains.iter().enumerate().map(exact).collect();
    if exact.iter().all(|&exact| exact) {
        return Vec::new();
    }
    let relative = gamma(terms.saturating_add(4), 53);
    let tiny = terms.saturating_add(4) as f64 * f64::MIN_POSITIVE;
    let widened = |(at, size): (usize, &f64)| {
        if exact[at / width] {
            return 0.0;
        }
        let before = before.get(at).copied().unwrap_or(0.0);
        up(before + relative * size + tiny, 4)
    };
    size.iter().enumerate().map(widened).collect()
}

/// Centres, sizes, radii and what a runtime is off by, of the numbers that go in.
struct Rows<'a>([&'a [f64]; 4]);

impl<'a> Rows<'a> {
    fn of(x: &'a Enclosure, folded: &'a Chain) -> Rows<'a> {
        Rows([&x.centre, &folded.size, &x.radius, &folded.base])
    }
}

impl Sums {
    fn zeros(x: &Enclosure, folded: &Chain, numbers: usize) -> Sums {
        let list = |empty: bool| if empty { Vec::new() } else { vec![0.0; numbers] };
        Sums {
            centre: list(false),
            size: list(false),
            radius: list(x.radius.is_empty()),
            base: list(folded.base.is_empty()),
            tiled: Vec::new(),
        }
    }
}

/// Windows of images as rows, each channels × size: those of a range of points · places.
fn windows(
    values: &[f64],
    shape: &[usize],
    window: &SlidingWindow,
    columns: usize,
    range: Range<usize>,
) -> Vec<f64> {
    if values.is_empty() {
        return Vec::new();
    }
    let (channels, height, width) = (shape[0], shape[1], shape[2]);
    let places = window.places(height, width).map_or(1, |(rows, columns)| rows * columns);
    let (tall, wide) = window.size;
    let row = channels * tall * wide;
    let mut result = vec![0.0; range.len() * row];
    for (index, into) in range.zip(result.chunks_mut(row)) {
        let (point, place) = (index / places, index % places);
        let (top, left) = (place / columns, place % columns);
        let (down, across) = (window.rows_inside(top, height), window.columns_inside(left, width));
        // Where the window begins, counted from before the padding.
        let (top, left) = (top * window.stride.0, left * window.stride.1);
        for channel in 0..channels {
            for y in down.clone().filter(|_| !across.is_empty()) {
                let from =
                    ((point * channels + channel) * height + top + y - window.before.0) * width;
                let from = from + left + across.start - window.before.1;
                let into = &mut into[(channel * tall + y) * wide..][across.clone()];
                into.copy_from_slice(&values[from..from + across.len()]);
            }
        }
    }
    debug_assert_eq!(values.len() % count(shape), 0);
    result
}
