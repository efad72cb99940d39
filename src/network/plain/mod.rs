//! One plain forward pass of a graph: `f32` or `f64`, many points, nothing but inference.
//!
//! Points are taken in blocks, whose number does not depend on the number of threads, and each sum is
//! made by one thread in one order: so the bytes of the outputs do not depend on the threads. Values
//! are arrays in the graph's own order (channels, rows, columns), one point after the other.
//!
//! | operations | in |
//! |---|---|
//! | products with matrices, of images unfolded along one axis or both | `affine` |
//! | largest entries and means of windows | `pool` |
//! | functions of one number, normalizations, picked numbers | `pointwise` |
//!
//! Cost: two operations a weight and a place; a block takes the values that are still read.

mod affine;
mod pointwise;
mod pool;

use rayon::prelude::*;

use crate::exact::Element;

use super::graph::{Graph, Operation, Window, count};
use affine::{Convolution, Dense, Sparse};

/// Numbers that the values of a block should not exceed, and the most points of a block.
const BLOCK_NUMBERS: usize = 1 << 23;
const MOST_POINTS: usize = 256;
/// Blocks that there should be, for threads to share.
const LEAST_BLOCKS: usize = 16;

/// A network whose weights are numbers of type `E`, laid out for products.
pub struct Plain<'a, E> {
    graph: &'a Graph,
    prepared: Vec<Prepared<E>>,
    /// The last step that reads a value, a value.
    last: Vec<usize>,
    /// Points that fit a block.
    block: usize,
}

/// What a step needs beside its values.
enum Prepared<E> {
    Dense(Dense<E>),
    Sparse(Sparse<E>),
    Convolution(Convolution<E>),
    /// Constants, number by number.
    Numbers(Vec<E>),
    /// Mean, factor and shift of each channel.
    Channels(Vec<(E, E, E)>),
    Nothing,
}

/// The outputs at `n` points, one point after the other.
///
/// ```
/// use shatter::network::graph::{Affine, Graph, Operation, Step};
/// use shatter::network::plain::outputs;
/// let affine = Affine { weights: vec![2.0, -1.0], inputs: 2, outputs: 1, bias: vec![0.5] };
/// let step = Step::new(Operation::Dense(affine), 0, vec![1]);
/// let graph = Graph { precision: shatter::exact::Format::F32, input: vec![2], steps: vec![step] };
/// assert_eq!(outputs(&graph, &[1f32, 1.0, 0.0, 4.0], 2), [1.5, -3.5]);
/// ```
///
/// # Panics
/// If `points` are not `n` points of the graph's input.
pub fn outputs<E: Element>(graph: &Graph, points: &[E], n: usize) -> Vec<E> {
    assert_eq!(points.len(), n * count(&graph.input), "numbers of {n} points");
    Plain::new(graph).outputs(points)
}

impl<'a, E: Element> Plain<'a, E> {
    /// Rounds the weights to numbers of type `E`.
    pub fn new(graph: &'a Graph) -> Plain<'a, E> {
        let numbers = |by: &[f64]| by.iter().map(|&x| E::of(x)).collect::<Vec<E>>();
        let prepared = graph.steps.iter().map(|step| {
            let shape = graph.shape(step.on);
            match &step.operation {
                Operation::Dense(affine) => Prepared::Dense(Dense::new(affine)),
                Operation::Units(units) => Prepared::Sparse(Sparse::new(units)),
                Operation::Convolution(affine, window) => {
                    Prepared::Convolution(Convolution::new(affine, *window, shape))
                }
                Operation::Leaky(by)
                | Operation::Shift { by, .. }
                | Operation::Scale { by, .. } => Prepared::Numbers(numbers(by)),
                Operation::Normalize(by) => Prepared::Channels(pointwise::normalization(by)),
                _ => Prepared::Nothing,
            }
        });
        Plain {
            prepared: prepared.collect(),
            last: graph.last_uses(),
            block: (BLOCK_NUMBERS / graph.peak().max(1)).clamp(1, MOST_POINTS),
            graph,
        }
    }

    /// The outputs at points given one after the other, in their order.
    pub fn outputs(&self, points: &[E]) -> Vec<E> {
        let width = count(&self.graph.input).max(1);
        let n = points.len() / width;
        let block = self.block.min(n.div_ceil(LEAST_BLOCKS)).max(1);
        let blocks = points.par_chunks(block * width);
        blocks.flat_map_iter(|block| self.of_block(block, block.len() / width)).collect()
    }

    fn of_block(&self, points: &[E], n: usize) -> Vec<E> {
        let mut values: Vec<Vec<E>> = vec![points.to_vec()];
        for (index, step) in self.graph.steps.iter().enumerate() {
            let mut read: Vec<usize> = step.reads().collect();
            read.sort_unstable();
            read.dedup();
            // What nobody reads later is changed where it stands.
            let once = step.reads().filter(|&value| value == step.on).count() == 1;
            let joins = matches!(step.operation, Operation::Concatenate(_));
            let dies = self.last[step.on] == index && once && !joins;
            let owned = dies.then(|| std::mem::take(&mut values[step.on]));
            let next = self.step(index, owned, &values, n);
            values.push(next);
            for value in read.into_iter().filter(|&value| self.last[value] == index) {
                values[value] = Vec::new();
            }
        }
        values.pop().unwrap_or_default()
    }

    fn step(&self, index: usize, owned: Option<Vec<E>>, values: &[Vec<E>], n: usize) -> Vec<E> {
        let step = &self.graph.steps[index];
        let (shape, after) = (self.graph.shape(step.on), &step.shape[..]);
        let (width, numbers) = (count(shape), count(after));
        let take = |owned: Option<Vec<E>>| owned.unwrap_or_else(|| values[step.on].clone());
        // Operations that change no shape work where the value stands.
        match (&step.operation, &self.prepared[index]) {
            (Operation::Activate(activation), _) => {
                let mut x = take(owned);
                pointwise::activate(&mut x, *activation);
                return x;
            }
            (Operation::Leaky(_), Prepared::Numbers(slopes)) => {
                let mut x = take(owned);
                let area = (numbers / after.first().copied().unwrap_or(1)).max(1);
                pointwise::leaky(&mut x, slopes, area);
                return x;
            }
            (Operation::Clip { low, high }, _) => {
                let mut x = take(owned);
                pointwise::clip(&mut x, E::of(*low), E::of(*high));
                return x;
            }
            (Operation::Normalize(_), Prepared::Channels(by)) => {
                let mut x = take(owned);
                let area = (width / by.len().max(1)).max(1);
                pointwise::normalize(&mut x, by, area);
                return x;
            }
            (Operation::Sum { other, minus }, _) => {
                let mut x = take(owned);
                pointwise::sum(&mut x, &values[*other], *minus);
                return x;
            }
            (Operation::Same | Operation::Softmax, _) => return take(owned),
            _ => {}
        }
        let x = owned.as_deref().unwrap_or(&values[step.on]);
        let mut y = vec![E::zero(); n * numbers];
        match (&step.operation, &self.prepared[index]) {
            (_, Prepared::Dense(dense)) => dense.apply(x, &mut y, n),
            (_, Prepared::Sparse(sparse)) => sparse.apply(x, &mut y, (width, numbers)),
            (_, Prepared::Convolution(convolution)) => convolution.apply(x, &mut y, n),
            (Operation::MaxPool(window), _) => pool::largest(x, &mut y, shape, window),
            (Operation::MeanPool(window, padded), _) => {
                pool::mean(x, &mut y, shape, window, *padded);
            }
            (Operation::GlobalMean, _) => {
                pool::mean(x, &mut y, shape, &Window::whole(shape[1], shape[2]), true);
            }
            (Operation::Shift { negated, from, .. }, Prepared::Numbers(by)) => {
                let sign = if *negated { -E::one() } else { E::one() };
                pointwise::picked(x, &mut y, from, width, |k, x| sign * x + by[k]);
            }
            (Operation::Scale { from, divides, .. }, Prepared::Numbers(by)) => {
                let of = |k: usize, x: E| if *divides { x / by[k] } else { x * by[k] };
                pointwise::picked(x, &mut y, from, width, of);
            }
            (Operation::Gather { from }, _) => {
                pointwise::picked(x, &mut y, from, width, |_, x| x);
            }
            (Operation::Response(by), _) => pointwise::response(x, &mut y, shape, by),
            (Operation::Concatenate(others), _) => {
                let parts = [step.on].into_iter().chain(others.iter().copied());
                let parts = parts.map(|value| (&values[value], count(self.graph.shape(value))));
                pointwise::concatenate(&parts.collect::<Vec<_>>(), &mut y, numbers);
            }
            // Those that have weights are prepared, and the rest worked in place.
            _ => {}
        }
        y
    }
}
