//! One plain forward pass of a graph: `f32` or `f64`, many points, nothing but inference.
//!
//! Points are taken in blocks, whose number does not depend on the number of threads, and each sum is
//! made by one thread in one order: so the bytes of the outputs do not depend on the threads. Values
//! go in and out in the graph's own order (channels, rows, columns), one point after the other; between, the
//! channels of a place lie side by side (`layout`), and whatever names numbers is renumbered once.
//!
//! | operations | in |
//! |---|---|
//! | products with matrices; sparse units | `dense` |
//! | convolutions: products of images unfolded along one axis or both | `convolution` |
//! | largest entries and means of windows | `pool` |
//! | functions of one number, normalizations, picked numbers | `pointwise` |
//!
//! Cost: two operations per weight and place; a block takes the values that are still read.

mod convolution;
mod dense;
mod layout;
mod pointwise;
mod pool;

use std::fmt;

use rayon::prelude::*;

use shatter_exact::Element;

use convolution::Convolution;
use dense::{Dense, Sparse};
use shatter_network::graph::{Graph, Operator, SlidingWindow, count};

/// Numbers that the values of a block should not exceed, and the most points of a block.
const BLOCK_NUMBERS: usize = 1 << 23;
const MOST_POINTS: usize = 256;
/// Blocks that there should be, for threads to share.
const LEAST_BLOCKS: usize = 16;

/// A network whose weights are numbers of type `E`, laid out for products.
pub struct Plain<'a, E> {
    graph: &'a Graph,
    prepared: Vec<Prepared<E>>,
    /// The last step that reads each value.
    last: Vec<usize>,
    /// Points that fit a block.
    block: usize,
}

/// Weights and indices of a step, laid out for the pass.
enum Prepared<E> {
    Dense(Dense<E>),
    Sparse(Sparse<E>),
    Convolution(Convolution<E>),
    /// Slopes.
    Slopes(Vec<E>),
    /// Index of the number that each is made of, and its constant, if any.
    Picked(Vec<u32>, Vec<E>),
    /// Mean, factor and shift of each channel.
    Channels(Vec<(E, E, E)>),
    Nothing,
}

/// Returns the outputs at `n` points, one point after the other.
///
/// ```
/// use shatter_network::graph::{Affine, Graph, Operator, Step};
/// use shatter_plain::outputs;
/// let affine = Affine { weights: vec![2.0, -1.0], inputs: 2, outputs: 1, bias: vec![0.5] };
/// let step = Step::new(Operator::Dense(affine), 0, vec![1]);
/// let graph = Graph { precision: shatter_exact::Format::F32, input: vec![2], steps: vec![step] };
/// assert_eq!(outputs(&graph, &[1f32, 1.0, 0.0, 4.0], 2), [1.5, -3.5]);
/// ```
///
/// # Panics
/// If `points` are not `n` points of the graph's input.
#[must_use]
pub fn outputs<E: Element>(graph: &Graph, points: &[E], n: usize) -> Vec<E> {
    assert_eq!(points.len(), n * count(&graph.input), "expected the numbers of {n} points");
    Plain::new(graph).outputs(points)
}

type Outputs<E> = fn(&Graph, &[E], usize) -> Vec<E>;

/// Compiled here for both types: where generic code is shared (cargo's `dev`), crates that call it do not compile it again.
#[used]
static COMPILED: (Outputs<f32>, Outputs<f64>) = (outputs::<f32>, outputs::<f64>);

impl<E> fmt::Debug for Plain<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plain")
            .field("input", &self.graph.input)
            .field("steps", &self.graph.steps.len())
            .finish_non_exhaustive()
    }
}

impl<'a, E: Element> Plain<'a, E> {
    /// Rounds the weights to numbers of type `E` and lays them out.
    #[must_use]
    pub fn new(graph: &'a Graph) -> Plain<'a, E> {
        let numbers = |by: &[f64]| by.iter().map(|&x| E::of(x)).collect::<Vec<E>>();
        let prepared = graph.steps.iter().map(|step| {
            let (shape, after) = (graph.shape(step.on), &step.shape[..]);
            let picked = |from: &[u32], by: &[f64]| {
                let lies = |at: usize| layout::number(after, at);
                let from = (0..from.len())
                    .map(|at| layout::position(shape, from[lies(at)] as usize) as u32);
                Prepared::Picked(
                    from.collect(),
                    (0..by.len()).map(|at| E::of(by[lies(at)])).collect(),
                )
            };
            match &step.operation {
                Operator::Dense(affine) => Prepared::Dense(Dense::new(affine, shape, after)),
                Operator::Units(units) => Prepared::Sparse(Sparse::new(units, shape, after)),
                Operator::Convolution(affine, window) => {
                    Prepared::Convolution(Convolution::new(affine, *window, shape))
                }
                Operator::Leaky(slopes) => Prepared::Slopes(numbers(slopes)),
                Operator::Shift { from, by, .. } | Operator::Scale { from, by, .. } => {
                    picked(from, by)
                }
                Operator::Gather { from } => picked(from, &[]),
                Operator::Normalize(by) => Prepared::Channels(pointwise::normalization(by)),
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

    /// Returns the outputs at points given one after the other, in their order.
    #[must_use]
    pub fn outputs(&self, points: &[E]) -> Vec<E> {
        let width = count(&self.graph.input).max(1);
        let n = points.len() / width;
        let block = self.block.min(n.div_ceil(LEAST_BLOCKS)).max(1);
        let blocks = points.par_chunks(block * width);
        blocks.flat_map_iter(|block| self.of_block(block, block.len() / width)).collect()
    }

    fn of_block(&self, points: &[E], n: usize) -> Vec<E> {
        let mut values = vec![layout::held(points.to_vec(), &self.graph.input)];
        for (index, step) in self.graph.steps.iter().enumerate() {
            let mut read: Vec<usize> = step.reads().collect();
            read.sort_unstable();
            read.dedup();
            // What nobody reads later is changed where it stands.
            let once = step.reads().filter(|&value| value == step.on).count() == 1;
            let joins = matches!(step.operation, Operator::Concatenate(_));
            let dies = self.last[step.on] == index && once && !joins;
            let owned = dies.then(|| std::mem::take(&mut values[step.on]));
            let next = self.step(index, owned, &values, n);
            values.push(next);
            for value in read.into_iter().filter(|&value| self.last[value] == index) {
                values[value] = Vec::new();
            }
        }
        let outputs = values.pop().unwrap_or_default();
        layout::canonical(outputs, self.graph.shape(self.graph.steps.len()))
    }

    fn step(&self, index: usize, owned: Option<Vec<E>>, values: &[Vec<E>], n: usize) -> Vec<E> {
        let step = &self.graph.steps[index];
        let (shape, after) = (self.graph.shape(step.on), &step.shape[..]);
        let take = |owned: Option<Vec<E>>| owned.unwrap_or_else(|| values[step.on].clone());
        // Operations that change no shape work where the value stands.
        match (&step.operation, &self.prepared[index]) {
            (Operator::Activate(activation), _) => {
                let mut x = take(owned);
                pointwise::activate(&mut x, *activation);
                return x;
            }
            (_, Prepared::Slopes(slopes)) => {
                let mut x = take(owned);
                pointwise::leaky(&mut x, slopes);
                return x;
            }
            (Operator::Clip { low, high }, _) => {
                let mut x = take(owned);
                pointwise::clip(&mut x, E::of(*low), E::of(*high));
                return x;
            }
            (_, Prepared::Channels(by)) => {
                let mut x = take(owned);
                pointwise::normalize(&mut x, by);
                return x;
            }
            (Operator::Sum { other, minus }, _) => {
                let mut x = take(owned);
                pointwise::sum(&mut x, &values[*other], *minus);
                return x;
            }
            (Operator::Softmax { logarithm }, _) => {
                let mut x = take(owned);
                pointwise::softmax(&mut x, count(shape), *logarithm);
                return x;
            }
            (Operator::Same, _) if shape == after => return take(owned),
            (Operator::Same, _) => {
                return layout::held(layout::canonical(take(owned), shape), after);
            }
            _ => {}
        }
        let x = owned.as_deref().unwrap_or(&values[step.on]);
        let picked =
            |from: &[u32], of: &dyn Fn(usize, E) -> E| pointwise::picked(x, from, count(shape), of);
        match (&step.operation, &self.prepared[index]) {
            (_, Prepared::Dense(dense)) => dense.apply(x, n),
            (_, Prepared::Sparse(sparse)) => sparse.apply(x, n),
            (_, Prepared::Convolution(convolution)) => convolution.apply(x, n),
            (Operator::MaxPool(window), _) => pool::largest(x, shape, window),
            (Operator::MeanPool(window, padded), _) => pool::mean(x, shape, window, *padded),
            (Operator::GlobalMean, _) => {
                pool::mean(x, shape, &SlidingWindow::whole(shape[1], shape[2]), true)
            }
            (Operator::Shift { negated, .. }, Prepared::Picked(from, by)) => {
                let sign = if *negated { -E::one() } else { E::one() };
                picked(from, &|k, x| sign * x + by[k])
            }
            (Operator::Scale { divides: true, .. }, Prepared::Picked(from, by)) => {
                picked(from, &|k, x| x / by[k])
            }
            (Operator::Scale { .. }, Prepared::Picked(from, by)) => picked(from, &|k, x| x * by[k]),
            (_, Prepared::Picked(from, _)) => picked(from, &|_, x| x),
            (Operator::Response(by), _) => pointwise::response(x, layout::sides(shape).0, by),
            (Operator::Concatenate(others), _) => {
                let parts = [step.on].into_iter().chain(others.iter().copied());
                let of = |value: usize| (&values[value], layout::sides(self.graph.shape(value)).0);
                let parts: Vec<_> = parts.map(of).collect();
                pointwise::concatenate(&parts, n * layout::sides(shape).1)
            }
            // Those that have weights are prepared, and the rest worked in place.
            _ => Vec::new(),
        }
    }
}
