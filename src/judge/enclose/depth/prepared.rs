//! A network made ready to be walked backwards: weights as products of cotangents read them.

use super::layout::Layout;
use shatter_exact::Element;
use shatter_network::Activation;
use shatter_network::graph::{Graph, Operator};

/// A network with what does not depend on the point.
pub struct Prepared<'a, E> {
    pub network: &'a Graph,
    /// Of every value.
    pub layouts: Vec<Layout>,
    /// Of every step.
    pub backs: Vec<Back<E>>,
    /// Of every value: how often an entry of its cotangent is rounded, with those of all its readers.
    pub roundings: Vec<usize>,
}

/// How a step sends a cotangent to what it reads.
pub enum Back<E> {
    /// By a matrix: outputs × (rows · columns of the window · channels), or outputs × inputs.
    Matrix(Vec<E>),
    /// Times a number per channel.
    Channels(Vec<E>),
    /// Number k goes to number `to[k]`, times `times[k]` (1 where that is empty); both here in order.
    Spread { to: Vec<u32>, times: Vec<E> },
    /// By shares of a mean, one per place.
    Mean(Vec<E>),
    /// As it is, to each operand; the first with this sign, others with the second.
    Sum { minus: bool },
    /// As it is.
    Same,
    /// In parts.
    Parts,
    /// By slopes or to winners, which the point says.
    Point,
    /// Not at all.
    Cut,
}

impl<'a, E: Element> Prepared<'a, E> {
    pub fn new(network: &'a Graph) -> Prepared<'a, E> {
        let layouts: Vec<Layout> =
            (0..=network.steps.len()).map(|value| Layout::of(network.shape(value))).collect();
        let mut backs = Vec::new();
        // Roundings of the products of a step, and how many terms it adds to an entry that it reads.
        let mut roundings = vec![0usize; layouts.len()];
        for (index, step) in network.steps.iter().enumerate() {
            let (x, y) = (&layouts[step.on], &layouts[index + 1]);
            let (back, own) = back::<E>(network, index, x, y);
            backs.push(back);
            for value in step.reads() {
                roundings[value] = roundings[value].saturating_add(own);
            }
        }
        Prepared { network, layouts, backs, roundings }
    }

    /// Whether a step is bent: linear but for kinks.
    pub fn bends(&self, step: usize) -> bool {
        matches!(self.backs[step], Back::Point)
    }

    /// Products of a walk from one number of each value to the point, if no rectangle were smaller than its image.
    pub fn products_below(&self) -> Vec<u64> {
        let own = |step: usize| {
            let outputs = self.layouts[step + 1].len() as u64;
            match &self.network.steps[step].operation {
                Operator::Dense(affine) => affine.weights.len() as u64,
                Operator::Convolution(affine, _) => (affine.inputs as u64).saturating_mul(outputs),
                _ => outputs,
            }
        };
        let mut below = vec![0u64; self.layouts.len()];
        for (index, step) in self.network.steps.iter().enumerate() {
            // Values that several steps read are counted for each; they share no less than their prefix.
            let most = step.reads().map(|value| below[value]).max().unwrap_or(0);
            below[index + 1] = most.saturating_add(own(index));
        }
        below
    }
}

/// Whether a factor, rounded to the type, is known to all of its digits.
fn digits<E: Element>(factor: f64) -> bool {
    let held = E::of(factor);
    held.abs() >= E::min_positive_value() && held.is_finite()
}

fn back<E: Element>(network: &Graph, index: usize, x: &Layout, y: &Layout) -> (Back<E>, usize) {
    let step = &network.steps[index];
    let shape = network.shape(step.on);
    let spread = |from: &[u32], times: &dyn Fn(usize) -> f64| {
        let mut to = vec![0u32; from.len()];
        let mut by = vec![E::one(); from.len()];
        let mut readers = vec![0usize; x.len()];
        for (plain, &k) in from.iter().enumerate() {
            to[y.here(plain)] = x.here(k as usize) as u32;
            by[y.here(plain)] = E::of(times(plain));
            readers[k as usize] += 1;
        }
        let readers = readers.into_iter().max().unwrap_or(0);
        let known = |at: usize| times(at) == 0.0 || digits::<E>(times(at));
        let roundings = if (0..from.len()).all(known) { 4 } else { usize::MAX };
        (Back::Spread { to, times: by }, roundings.saturating_add(readers))
    };
    match &step.operation {
        Operator::Dense(affine) => {
            let mut matrix = vec![E::zero(); affine.weights.len()];
            for (at, &w) in affine.weights.iter().enumerate() {
                let (input, output) = (at / affine.outputs, at % affine.outputs);
                matrix[y.here(output) * affine.inputs + x.here(input)] = E::of(w);
            }
            (Back::Matrix(matrix), affine.outputs.saturating_add(4))
        }
        Operator::Convolution(affine, window) => {
            let area = window.size.0 * window.size.1;
            let mut matrix = vec![E::zero(); affine.weights.len()];
            for (at, &w) in affine.weights.iter().enumerate() {
                let (input, output) = (at / affine.outputs, at % affine.outputs);
                let (channel, inside) = (input / area, input % area);
                matrix[output * affine.inputs + inside * shape[0] + channel] = E::of(w);
            }
            (Back::Matrix(matrix), affine.outputs.saturating_add(area).saturating_add(4))
        }
        Operator::Normalize(by) => {
            let factor = |c: usize| by.scale[c] / (by.variance[c] + by.epsilon).sqrt();
            let each = (x.channels / by.scale.len().max(1)).max(1);
            let known = (0..by.scale.len()).all(|c| by.scale[c] == 0.0 || digits::<E>(factor(c)));
            let factors = (0..x.channels).map(|c| E::of(factor(c / each))).collect();
            (Back::Channels(factors), if known { 16 } else { usize::MAX })
        }
        Operator::Shift { negated, from, .. } => {
            let sign = if *negated { -1.0 } else { 1.0 };
            let same =
                from.len() == x.len() && from.iter().enumerate().all(|(at, &k)| at == k as usize);
            match same && x == y {
                true => (Back::Channels(vec![E::of(sign); x.channels]), 2),
                false => spread(from, &|_| sign),
            }
        }
        Operator::Scale { from, by, divides } => {
            spread(from, &|at| if *divides { 1.0 / by[at] } else { by[at] })
        }
        Operator::Gather { from } => spread(from, &|_| 1.0),
        Operator::MeanPool(window, padded) => {
            let mut inside = vec![0.0; y.height * y.width];
            window.each((x.height, x.width), |place, _, _| inside[place] += 1.0);
            let area = (window.size.0 * window.size.1) as f64;
            let share =
                |&count: &f64| E::of(1.0 / if *padded { area } else { f64::max(count, 1.0) });
            let windows = window.size.0.saturating_mul(window.size.1);
            (Back::Mean(inside.iter().map(share).collect()), windows.saturating_add(4))
        }
        Operator::GlobalMean => {
            (Back::Mean(vec![E::of(1.0 / (x.height * x.width).max(1) as f64)]), 4)
        }
        Operator::Sum { minus, .. } => (Back::Sum { minus: *minus }, 2),
        // The logits stand for their softmax.
        Operator::Same | Operator::Softmax { .. } | Operator::Activate(Activation::Identity) => {
            (Back::Same, 2)
        }
        Operator::Concatenate(_) => (Back::Parts, 2),
        // A bound below the normal range may be taken for 0: neither a kink nor a rounding.
        Operator::Clip { low, high } if !network.precision.all_normal(&finite(&[*low, *high])) => {
            (Back::Cut, 0)
        }
        Operator::Activate(Activation::Relu) | Operator::Leaky(_) | Operator::Clip { .. } => {
            (Back::Point, 4)
        }
        Operator::MaxPool(window) => {
            (Back::Point, window.size.0.saturating_mul(window.size.1).saturating_add(2))
        }
        Operator::Activate(_) | Operator::Units(_) | Operator::Response(_) => (Back::Cut, 0),
    }
}

/// The bounds that bound something.
fn finite(bounds: &[f64]) -> Vec<f64> {
    bounds.iter().copied().filter(|bound| bound.is_finite()).collect()
}
