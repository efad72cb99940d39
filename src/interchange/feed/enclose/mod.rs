//! Enclosures of what a network computes, and of what rounding can make of it.
//!
//! Of every number x that the network computes in real arithmetic, three numbers are carried:
//!
//! ```text
//! |x − centre| <= radius          whatever binary64 rounded here
//! |x̂ − x| <= runtime              for every x̂ that a runtime of the network's precision may get
//! ```
//!
//! A runtime adds the terms of a sum in any order, fused or not, with or without batch normalization
//! folded into the weights before it. (Fast convolutions in the manner of Winograd, and numbers of fewer
//! bits on the way, as TF32 has them, are other computations, and not covered.) For a sum of k products, and any order of it, the classical bound
//! is γ_k Σ|w||x|, γ_k = ku/(1 − ku), with u = 2^-53 here and 2^-24 or 2^-53 there (Higham, Accuracy
//! and Stability of Numerical Algorithms, 2002, chapter 3). The rounding of the bounds themselves is
//! covered, too; numbers below the normal range by a term of their own.
//!
//! Not covered yet, so `check --network` is on trial: a sum or a batch normalization that a runtime folds
//! into the product before it where that product rounded nothing; inputs that a runtime flushes to zero.
//!
//! Where all terms of a sum are multiples of a power of two and add up to at most 2^53 (2^24) of them
//! in absolute value, nothing rounds ([`float_exact`](crate::network::float_exact)): the radius (the
//! runtime's error) stays 0. So networks of whole numbers are evaluated exactly, at full speed.

mod pool;

use crate::device::cpu::product::{Matrix, MatrixMut, product};
use crate::exact::dyadic::decompose;
use crate::interchange::number::Precision;

use pool::{channels_first, columns, max_pool, mean_pool};

use super::{Affine, FeedForward, Normalization, Operation, Window, count};

/// Values of a batch of points, one point after the other.
#[derive(Clone, Debug)]
pub struct Enclosure {
    /// Near the values.
    pub centre: Vec<f64>,
    /// How near; empty where all are exact.
    pub radius: Vec<f64>,
    /// What a runtime may be off by; empty where no runtime rounds.
    pub runtime: Vec<f64>,
}

/// The bound of a rounded sum of nonnegative numbers with this many operations.
fn up(x: f64, operations: usize) -> f64 {
    x * (1.0 + (2 * operations + 16) as f64 * f64::EPSILON)
}

/// γ_k for a unit roundoff of 2^-bits, rounded up; infinite where the bound says nothing.
fn gamma(k: usize, bits: u64) -> f64 {
    let ku = k as f64 * 2f64.powi(-(bits as i32));
    if ku < 0.5 { up(ku / (1.0 - ku), 4) } else { f64::INFINITY }
}

/// Rounding operations that a runtime may do at a term besides those of its sum: folding batch
/// normalization into weights, multiplying by a reciprocal.
const BESIDES: usize = 16;

/// What a runtime's numbers below the normal range may be off by, an operation: they may be flushed
/// to zero.
fn smallest(precision: Precision) -> f64 {
    match precision {
        Precision::Single => f64::from(f32::MIN_POSITIVE),
        Precision::Double => f64::MIN_POSITIVE,
    }
}

impl Enclosure {
    /// Numbers that are known, and that a runtime takes as they are.
    pub fn exact(centre: Vec<f64>) -> Enclosure {
        Enclosure { centre, radius: Vec::new(), runtime: Vec::new() }
    }

    /// The radius of a number.
    pub fn radius(&self, at: usize) -> f64 {
        self.radius.get(at).copied().unwrap_or(0.0)
    }

    /// What a runtime may be off by at a number.
    pub fn runtime(&self, at: usize) -> f64 {
        self.runtime.get(at).copied().unwrap_or(0.0)
    }

    /// Where a number is none any more, nothing is known; and no comparison may hide it.
    fn forget_infinities(&mut self) {
        let finite = |numbers: &[f64]| numbers.iter().all(|x| x.is_finite());
        if finite(&self.centre) && finite(&self.radius) && finite(&self.runtime) {
            return;
        }
        self.radius.resize(self.centre.len(), 0.0);
        self.runtime.resize(self.centre.len(), 0.0);
        for at in 0..self.centre.len() {
            if !self.centre[at].is_finite() || !self.radius[at].is_finite() {
                self.centre[at] = 0.0;
                self.radius[at] = f64::INFINITY;
                self.runtime[at] = f64::INFINITY;
            } else if !self.runtime[at].is_finite() {
                self.runtime[at] = f64::INFINITY;
            }
        }
    }

    /// Numbers that are at least those that here, or at a runtime, stand for the values.
    fn sizes(&self) -> Vec<f64> {
        let size = |(at, x): (usize, &f64)| up(x.abs() + self.radius(at) + self.runtime(at), 2);
        self.centre.iter().enumerate().map(size).collect()
    }

    /// The largest exponent e so that all values are multiples of 2^e; `None` if they are not known.
    fn grain(&self) -> Option<i64> {
        self.radius.is_empty().then(|| grain(&self.centre))
    }

    fn picked(&self, from: impl Iterator<Item = usize> + Clone) -> Enclosure {
        let pick = |values: &[f64]| -> Vec<f64> {
            if values.is_empty() { Vec::new() } else { from.clone().map(|at| values[at]).collect() }
        };
        Enclosure {
            centre: from.clone().map(|at| self.centre[at]).collect(),
            radius: pick(&self.radius),
            runtime: pick(&self.runtime),
        }
    }
}

/// The largest exponent e so that all are multiples of 2^e; very large for zeros.
fn grain(values: &[f64]) -> i64 {
    let exponent = |&x: &f64| match decompose(x) {
        Ok((0, _)) => 1 << 20,
        Ok((_, exponent)) => exponent,
        Err(_) => -(1 << 20),
    };
    values.iter().map(exponent).min().unwrap_or(1 << 20)
}

/// Whether sums of terms that are multiples of 2^grain, at most `size` in all, are never rounded.
fn never_rounds(grain: i64, size: f64, precision: Precision) -> bool {
    let (lowest, highest) = match precision {
        Precision::Single => (-126, 127),
        Precision::Double => (-1022, 1023),
    };
    let top = grain.saturating_add(precision.bits() as i64);
    // Sizes are products, too, and may have underflowed: only zeros alone are exact without a look.
    if grain >= 1 << 19 {
        return size == 0.0;
    }
    grain >= lowest
        && (top > highest || size <= 2f64.powi(top as i32))
        && size < 2f64.powi(highest as i32)
}

/// A sum with its bounds: what is near, Σ|terms| of the runtime, how many terms.
struct Sums {
    centre: Vec<f64>,
    /// At least Σ|w|(|x̂|) + |b|.
    size: Vec<f64>,
    /// At least Σ|w|·radius; empty for 0.
    radius: Vec<f64>,
    /// At least Σ|w|·runtime; empty for 0.
    runtime: Vec<f64>,
    terms: usize,
    /// All terms are multiples of 2^this, if they are known.
    grain: Option<i64>,
}

impl Sums {
    /// The enclosure of the sums.
    fn close(self, precision: Precision) -> Enclosure {
        let Sums { centre, size, radius, runtime, terms, grain } = self;
        // Not a number is not hidden.
        let larger = |most: f64, &size: &f64| if size <= most { most } else { size };
        let largest = size.iter().fold(0.0, larger);
        let known = |precision| grain.is_some_and(|grain| never_rounds(grain, largest, precision));
        let exact = radius.is_empty() && known(Precision::Double);
        let here = gamma(terms + 4, 53);
        let tiny = (terms + 4) as f64 * f64::MIN_POSITIVE;
        let widened = |at: usize, size: &f64| {
            let before = radius.get(at).copied().unwrap_or(0.0);
            up(before + here * size + tiny, terms)
        };
        let new_radius = if exact {
            Vec::new()
        } else {
            size.iter().enumerate().map(|(at, x)| widened(at, x)).collect()
        };
        let kept = runtime.is_empty() && radius.is_empty() && known(precision);
        let there = gamma(terms + BESIDES, precision.bits());
        let tiny = (terms + BESIDES) as f64 * smallest(precision);
        let overflow = match precision {
            Precision::Single => 2f64.powi(127),
            Precision::Double => 2f64.powi(1023),
        };
        let rounded = |at: usize, size: &f64| {
            // A runtime may overflow on the way.
            if *size >= overflow {
                return f64::INFINITY;
            }
            let before = runtime.get(at).copied().unwrap_or(0.0);
            up(before + there * size + tiny, terms)
        };
        let new_runtime = if kept {
            Vec::new()
        } else {
            size.iter().enumerate().map(|(at, x)| rounded(at, x)).collect()
        };
        Enclosure { centre, radius: new_radius, runtime: new_runtime }
    }
}

/// A network ready to be evaluated: sizes of weights and their grains are known.
pub struct Evaluator<'a> {
    network: &'a FeedForward,
    /// |W| and the exponent of the grain of W, a step.
    sizes: Vec<(Vec<f64>, i64)>,
    /// The last step that reads a value, a value.
    last: Vec<usize>,
}

impl<'a> Evaluator<'a> {
    /// Prepares a network.
    pub fn new(network: &'a FeedForward) -> Evaluator<'a> {
        let size = |step: &super::Step| match &step.operation {
            Operation::Dense(affine) | Operation::Convolution(affine, _) => {
                (affine.weights.iter().map(|w| w.abs()).collect(), grain(&affine.weights))
            }
            _ => (Vec::new(), 0),
        };
        Evaluator {
            network,
            sizes: network.steps.iter().map(size).collect(),
            last: network.last_uses(),
        }
    }

    /// Encloses the outputs of a batch of `points` points, given one after the other.
    pub fn outputs(&self, inputs: Vec<f64>, points: usize) -> Enclosure {
        let mut values = vec![Enclosure::exact(inputs)];
        for (index, step) in self.network.steps.iter().enumerate() {
            let mut next = self.step(index, step, &values, points);
            next.forget_infinities();
            values.push(next);
            for value in step.reads().filter(|&value| self.last[value] == index) {
                values[value] = Enclosure::exact(Vec::new());
            }
        }
        values.pop().unwrap_or_else(|| Enclosure::exact(Vec::new()))
    }

    fn step(
        &self,
        index: usize,
        step: &super::Step,
        values: &[Enclosure],
        points: usize,
    ) -> Enclosure {
        let precision = self.network.precision;
        let x = &values[step.on];
        let shape = self.network.shape(step.on);
        match &step.operation {
            Operation::Same => x.clone(),
            Operation::Relu => relu(x),
            Operation::Dense(affine) => {
                let (sizes, grain) = &self.sizes[index];
                multiply(x, affine, sizes, *grain, points).close(precision)
            }
            Operation::Convolution(affine, window) => {
                let (sizes, grain) = &self.sizes[index];
                let columns = columns(x, shape, window, points);
                let places = count(&step.shape) / affine.outputs;
                let sums = multiply(&columns, affine, sizes, *grain, points * places);
                channels_first(&sums.close(precision), points, places, affine.outputs)
            }
            Operation::MaxPool(window) => max_pool(x, shape, window, points, count(&step.shape)),
            Operation::MeanPool(window, padded) => {
                mean_pool(x, shape, window, *padded, points, count(&step.shape))
                    .close_mean(precision)
            }
            Operation::GlobalMean => {
                let (height, width) = (shape[1], shape[2]);
                let window =
                    Window { size: (height, width), stride: (1, 1), before: (0, 0), after: (0, 0) };
                mean_pool(x, shape, &window, true, points, shape[0]).close_mean(precision)
            }
            Operation::Shift { negated, from, by } => {
                let inputs = count(shape);
                let each =
                    (0..points).flat_map(|i| from.iter().map(move |&k| i * inputs + k as usize));
                let mut x = x.picked(each);
                if *negated {
                    x.centre.iter_mut().for_each(|x| *x = -*x);
                }
                let constant: Vec<f64> = (0..points).flat_map(|_| by.iter().copied()).collect();
                sum(x, Enclosure::exact(constant)).close(precision)
            }
            Operation::Sum { other, minus } => {
                let mut other = values[*other].clone();
                if *minus {
                    other.centre.iter_mut().for_each(|x| *x = -*x);
                }
                sum(x.clone(), other).close(precision)
            }
            Operation::Concatenate(others) => {
                let parts: Vec<&Enclosure> =
                    [x].into_iter().chain(others.iter().map(|&other| &values[other])).collect();
                concatenate(&parts, points)
            }
            Operation::Normalize(normalization) => normalize(x, normalization, shape, precision),
        }
    }
}

fn relu(x: &Enclosure) -> Enclosure {
    let mut y = x.clone();
    for at in 0..y.centre.len() {
        let (radius, runtime) = (x.radius(at), x.runtime(at));
        // The sign of a rounded sum of two numbers is that of the sum.
        if x.centre[at] + radius <= 0.0 {
            if !y.radius.is_empty() {
                y.radius[at] = 0.0;
            }
            // Below zero at every runtime, too.
            if !y.runtime.is_empty() && x.centre[at] + up(radius + runtime, 2) < 0.0 {
                y.runtime[at] = 0.0;
            }
        }
        y.centre[at] = x.centre[at].max(0.0);
    }
    y
}

/// rows × inputs times inputs × outputs, with all bounds.
fn multiply(x: &Enclosure, affine: &Affine, sizes: &[f64], weights: i64, rows: usize) -> Sums {
    let Affine { weights: numbers, inputs, outputs, bias } = affine;
    let times = |left: &[f64], right: &[f64]| -> Vec<f64> {
        let mut result = vec![0.0; rows * outputs];
        if !left.is_empty() && !right.is_empty() {
            let left = Matrix::of_rows(left, rows, *inputs);
            let right = Matrix::of_rows(right, *inputs, *outputs);
            product(MatrixMut::of_rows(&mut result, rows, *outputs), false, left, right);
        }
        result
    };
    let bound = |left: &[f64]| if left.is_empty() { Vec::new() } else { times(left, sizes) };
    let mut centre = times(&x.centre, numbers);
    let mut size = times(&x.sizes(), sizes);
    if !bias.is_empty() {
        centre.chunks_mut(*outputs).for_each(|row| {
            row.iter_mut().zip(bias).for_each(|(x, b)| *x += b);
        });
        size.chunks_mut(*outputs).for_each(|row| {
            row.iter_mut().zip(bias).for_each(|(x, b)| *x += b.abs());
        });
    }
    size.iter_mut().for_each(|size| *size = up(*size, inputs + 1));
    let grain = x.grain().map(|x| x.saturating_add(weights).min(grain(bias)));
    Sums {
        centre,
        size,
        radius: bound(&x.radius),
        runtime: bound(&x.runtime),
        terms: inputs + 1,
        grain,
    }
}

fn sum(x: Enclosure, y: Enclosure) -> Sums {
    let both = |left: &[f64], right: &[f64]| -> Vec<f64> {
        match (left.is_empty(), right.is_empty()) {
            (true, _) => right.to_vec(),
            (_, true) => left.to_vec(),
            _ => left.iter().zip(right).map(|(x, y)| up(x + y, 1)).collect(),
        }
    };
    let size = both(&x.sizes(), &y.sizes());
    Sums {
        centre: x.centre.iter().zip(&y.centre).map(|(x, y)| x + y).collect(),
        size,
        grain: x.grain().zip(y.grain()).map(|(x, y)| x.min(y)),
        radius: both(&x.radius, &y.radius),
        runtime: both(&x.runtime, &y.runtime),
        terms: 2,
    }
}

fn concatenate(parts: &[&Enclosure], points: usize) -> Enclosure {
    let join = |of: &dyn Fn(&Enclosure, usize) -> f64| -> Vec<f64> {
        let mut joined = Vec::new();
        for i in 0..points {
            for part in parts {
                let width = part.centre.len() / points;
                joined.extend((i * width..(i + 1) * width).map(|at| of(part, at)));
            }
        }
        joined
    };
    let any = |of: &dyn Fn(&Enclosure) -> bool| parts.iter().any(|part| of(part));
    let radius = any(&|part| !part.radius.is_empty());
    let runtime = any(&|part| !part.runtime.is_empty());
    Enclosure {
        centre: join(&|part, at| part.centre[at]),
        radius: if radius { join(&|part, at| part.radius(at)) } else { Vec::new() },
        runtime: if runtime { join(&|part, at| part.runtime(at)) } else { Vec::new() },
    }
}

fn normalize(
    x: &Enclosure,
    by: &Normalization,
    shape: &[usize],
    precision: Precision,
) -> Enclosure {
    let channels = shape[0];
    let area = count(shape) / channels;
    let mut y = Enclosure { centre: Vec::new(), radius: Vec::new(), runtime: Vec::new() };
    let here = gamma(8, 53);
    let there = gamma(2 * BESIDES, precision.bits());
    let sizes = x.sizes();
    for (at, &centre) in x.centre.iter().enumerate() {
        let channel = at / area % channels;
        let (mean, shift) = (by.mean[channel], by.shift[channel]);
        // Four operations of binary64: known to less than γ_8 of itself.
        let scale = by.scale[channel] / (by.variance[channel] + by.epsilon).sqrt();
        let largest = up(scale.abs() * (1.0 + here), 2);
        let size = up(largest * (sizes[at] + mean.abs()) + shift.abs(), 4);
        y.centre.push((centre - mean) * scale + shift);
        y.radius.push(up(largest * x.radius(at) + 2.0 * here * size + f64::MIN_POSITIVE, 4));
        let runtime = largest * x.runtime(at) + there * size + smallest(precision);
        // A runtime may overflow on the way.
        let most = match precision {
            Precision::Single => 2f64.powi(127),
            Precision::Double => 2f64.powi(1023),
        };
        let overflows = size >= most || up(sizes[at] + mean.abs(), 1) >= most;
        y.runtime.push(if overflows { f64::INFINITY } else { up(runtime, 4) });
    }
    y
}
