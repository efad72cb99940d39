//! Convolutions in binary32 by tiles in the manner of Winograd, from interpolation points.

use shatter_exact::Rational;
use shatter_network::graph::{Affine, SlidingWindow};

/// F(m, r) in one direction.
struct Transform {
    m: usize,
    /// Aᵀ (m × t), G (t × r) and Bᵀ (t × t), rounded to binary32.
    output: Vec<Vec<f32>>,
    kernel: Vec<Vec<f32>>,
    input: Vec<Vec<f32>>,
}

/// Tiles of one convolution, aligned somewhere.
pub struct Tiles {
    down: Transform,
    across: Transform,
    /// Outputs of the first tile that lie before the image.
    aligned: (usize, usize),
    /// Whether columns are transformed before rows, and channels are added from the last.
    columns_first: bool,
    backwards: bool,
}

fn rounded(rows: Vec<Vec<Rational>>) -> Vec<Vec<f32>> {
    let row = |row: Vec<Rational>| row.iter().map(|x| x.to_f32().value()).collect();
    rows.into_iter().map(row).collect()
}

impl Transform {
    /// `scaled`: denominators stand in Bᵀ and not in G.
    fn new(m: usize, r: usize, halves: bool, scaled: bool) -> Transform {
        let t = m + r - 1;
        let fraction = |(p, q): (i64, i64)| Rational::from(p) / Rational::from(q);
        let usual = [(0, 1), (1, 1), (-1, 1), (2, 1), (-2, 1), (1, 2), (-1, 2)];
        let points: Vec<Rational> = match (t, halves) {
            (6, true) => [(0, 1), (5, 8), (-5, 8), (3, 2), (-3, 2)].map(fraction).to_vec(),
            _ => usual[..t - 1].iter().map(|&point| fraction(point)).collect(),
        };
        let power = |x: &Rational, k: usize| (0..k).fold(Rational::ONE, |y, _| y * x);
        // Lagrange: with a last row for infinity.
        let mut output = vec![vec![Rational::ZERO; t]; m];
        let mut kernel = vec![vec![Rational::ZERO; r]; t];
        let mut input = vec![vec![Rational::ZERO; t]; t];
        let multiplied = |polynomial: &[Rational], root: &Rational| -> Vec<Rational> {
            let mut product = vec![Rational::ZERO; polynomial.len() + 1];
            for (k, x) in polynomial.iter().enumerate() {
                product[k + 1] = &product[k + 1] + x;
                product[k] = &product[k] - x * root;
            }
            product
        };
        for j in 0..t {
            let mut polynomial = vec![Rational::ONE];
            let mut divisor = Rational::ONE;
            for (l, point) in points.iter().enumerate().filter(|(l, _)| *l != j) {
                polynomial = multiplied(&polynomial, point);
                if j + 1 < t {
                    divisor *= &points[j] - &points[l];
                }
            }
            for (k, x) in polynomial.into_iter().enumerate() {
                input[j][k] = if scaled { x / &divisor } else { x };
            }
            if j + 1 == t {
                output[m - 1][j] = Rational::ONE;
                kernel[j][r - 1] = Rational::ONE;
                continue;
            }
            for (i, row) in output.iter_mut().enumerate() {
                row[j] = power(&points[j], i);
            }
            for (k, x) in kernel[j].iter_mut().enumerate() {
                let size = power(&points[j], k);
                *x = if scaled { size } else { size / &divisor };
            }
        }
        Transform { m, output: rounded(output), kernel: rounded(kernel), input: rounded(input) }
    }
}

/// M X, or X Mᵀ if `right`.
fn times(matrix: &[Vec<f32>], x: &[Vec<f32>], right: bool) -> Vec<Vec<f32>> {
    let sum = |row: &Vec<f32>, of: &dyn Fn(usize) -> f32| {
        row.iter().enumerate().fold(0.0f32, |sum, (k, w)| sum + w * of(k))
    };
    if right {
        let row = |x: &Vec<f32>| matrix.iter().map(|row| sum(row, &|k| x[k])).collect();
        return x.iter().map(row).collect();
    }
    let row = |row: &Vec<f32>| (0..x[0].len()).map(|j| sum(row, &|k| x[k][j])).collect();
    matrix.iter().map(row).collect()
}

impl Tiles {
    /// Whether a convolution is done by tiles of `m` × `m`.
    pub fn fit(window: &SlidingWindow, m: usize) -> bool {
        let short = |r: usize| m + r - 1 <= 8;
        window.stride == (1, 1)
            && short(window.size.0)
            && short(window.size.1)
            && window.size != (1, 1)
    }

    pub fn new((tall, wide): (usize, usize), m: usize, random: u64) -> Tiles {
        let bit = |k: u32| random >> k & 1 == 1;
        let of = |r: usize| Transform::new(if r == 1 { 1 } else { m }, r, bit(8), bit(9));
        let (down, across) = (of(tall), of(wide));
        let aligned = (random as usize % down.m, (random >> 4) as usize % across.m);
        Tiles { down, across, aligned, columns_first: bit(10), backwards: bit(11) }
    }

    fn both(&self, which: fn(&Transform) -> &Vec<Vec<f32>>, x: &[Vec<f32>]) -> Vec<Vec<f32>> {
        let (left, right) = (which(&self.down), which(&self.across));
        match self.columns_first {
            true => times(left, &times(right, x, true), false),
            false => times(right, &times(left, x, false), true),
        }
    }

    pub fn convolve(
        &mut self,
        x: &[f32],
        shape: &[usize],
        affine: &Affine,
        window: &SlidingWindow,
    ) -> Vec<f32> {
        let (channels, height, width) = (shape[0], shape[1], shape[2]);
        let (rows, columns) = window.places(height, width).unwrap();
        let (tall, wide) = window.size;
        let mut result = vec![0.0; affine.outputs * rows * columns];
        let at = |c: usize, y: isize, x_: isize| {
            let inside = (0..height as isize).contains(&y) && (0..width as isize).contains(&x_);
            if inside { x[(c * height + y as usize) * width + x_ as usize] } else { 0.0 }
        };
        let starts = |aligned: usize, m: usize, count: usize| -> Vec<isize> {
            (0..)
                .map(|k| (k * m) as isize - aligned as isize)
                .take_while(|&s| s < count as isize)
                .collect()
        };
        for top in starts(self.aligned.0, self.down.m, rows) {
            for left in starts(self.aligned.1, self.across.m, columns) {
                let tile = |c: usize| -> Vec<Vec<f32>> {
                    let row = |l: usize| {
                        (0..self.across.input.len())
                            .map(|m| {
                                let y = top + l as isize - window.before.0 as isize;
                                at(c, y, left + m as isize - window.before.1 as isize)
                            })
                            .collect()
                    };
                    (0..self.down.input.len()).map(row).collect()
                };
                let inputs: Vec<_> =
                    (0..channels).map(|c| self.both(|of| &of.input, &tile(c))).collect();
                for o in 0..affine.outputs {
                    let mut sums =
                        vec![vec![0.0f32; self.across.input.len()]; self.down.input.len()];
                    let mut order: Vec<usize> = (0..channels).collect();
                    if self.backwards {
                        order.reverse();
                    }
                    for c in order {
                        let weight = |k: usize| {
                            affine.weights[(c * tall * wide + k) * affine.outputs + o] as f32
                        };
                        let kernel: Vec<Vec<f32>> = (0..tall)
                            .map(|y| (0..wide).map(|x| weight(y * wide + x)).collect())
                            .collect();
                        let kernel = self.both(|of| &of.kernel, &kernel);
                        for (sums, (kernel, input)) in
                            sums.iter_mut().zip(kernel.iter().zip(&inputs[c]))
                        {
                            for (sum, (w, x)) in sums.iter_mut().zip(kernel.iter().zip(input)) {
                                *sum += w * x;
                            }
                        }
                    }
                    let outputs = self.both(|of| &of.output, &sums);
                    for (i, row) in outputs.iter().enumerate() {
                        for (j, y) in row.iter().enumerate() {
                            let (row, column) = (top + i as isize, left + j as isize);
                            let there = (0..rows as isize).contains(&row)
                                && (0..columns as isize).contains(&column);
                            if there {
                                let bias = affine.bias.get(o).map_or(0.0, |&b| b as f32);
                                result[(o * rows + row as usize) * columns + column as usize] =
                                    y + bias;
                            }
                        }
                    }
                }
            }
        }
        result
    }
}
