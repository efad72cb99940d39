//! Products with matrices, and sparse units.

use shatter_exact::Element;
use shatter_matrix::product::{Matrix, MatrixMut, product};
use shatter_network::Activation;
use shatter_network::graph::{Affine, count};
use shatter_network::layered::Unit;

use super::{layout, pointwise};

/// x W + b.
pub struct Dense<E> {
    weights: Vec<E>,
    bias: Vec<E>,
    inputs: usize,
    outputs: usize,
}

impl<E: Element> Dense<E> {
    /// The weights as numbers of type `E`, from values of one shape to those of another.
    pub fn new(affine: &Affine, from: &[usize], to: &[usize]) -> Dense<E> {
        let Affine { weights, inputs, outputs, bias } = affine;
        let (inputs, outputs) = (*inputs, *outputs);
        let column = |j: usize| layout::number(to, j);
        let weight = |k: usize| {
            let row = layout::number(from, k / outputs);
            E::of(weights[row * outputs + column(k % outputs)])
        };
        Dense {
            weights: (0..weights.len()).map(weight).collect(),
            bias: (0..bias.len()).map(|j| E::of(bias[column(j)])).collect(),
            inputs,
            outputs,
        }
    }

    /// x W + b at `n` points.
    pub fn apply(&self, x: &[E], n: usize) -> Vec<E> {
        let mut y = match self.bias.is_empty() {
            true => vec![E::zero(); n * self.outputs],
            false => self.bias.repeat(n),
        };
        let left = Matrix::of_rows(x, n, self.inputs);
        let right = Matrix::of_rows(&self.weights, self.inputs, self.outputs);
        product(MatrixMut::of_rows(&mut y, n, self.outputs), !self.bias.is_empty(), left, right);
        y
    }
}

/// A unit: what it reads with which weight, its bias, and its activation.
type SparseUnit<E> = (Vec<(usize, E)>, E, Activation);

/// Units that read some numbers each.
pub struct Sparse<E> {
    units: Vec<SparseUnit<E>>,
    inputs: usize,
}

impl<E: Element> Sparse<E> {
    /// The weights as numbers of type `E`, from values of one shape to those of another.
    pub fn new(units: &[Unit], from: &[usize], to: &[usize]) -> Sparse<E> {
        let number = |x: &shatter_exact::Rational| E::of(x.to_f64().value());
        let unit = |j: usize| {
            let unit = &units[layout::number(to, j)];
            let weights = unit.weights.iter();
            let weights = weights.map(|(k, weight)| (layout::position(from, *k), number(weight)));
            (weights.collect(), number(&unit.bias), unit.activation)
        };
        Sparse { units: (0..units.len()).map(unit).collect(), inputs: count(from) }
    }

    /// φ(Σ weight · x + bias) of each unit, at `n` points.
    pub fn apply(&self, x: &[E], n: usize) -> Vec<E> {
        let mut y = Vec::with_capacity(n * self.units.len());
        for x in (0..n).map(|at| &x[at * self.inputs..(at + 1) * self.inputs]) {
            y.extend(self.units.iter().map(|(weights, bias, activation)| {
                let sum = weights.iter().fold(*bias, |sum, &(from, w)| sum + w * x[from]);
                pointwise::of_one(*activation, sum)
            }));
        }
        y
    }
}
