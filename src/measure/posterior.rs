//! A Gaussian posterior that makes the PAC-Bayes bound small.
//!
//! **Algorithm** (Dziugaite and Roy, *Computing nonvacuous generalization bounds for deep (stochastic) neural networks
//! with many more parameters than training data*, UAI 2017). From the means w of a trained network, minimize over w and
//! s
//!
//! ```text
//! E_{θ~Q} ℓ(θ) + √((KL(Q‖P) + ln(2(n + 1)/δ))/(2n))
//! ```
//!
//! by Adam, where ℓ is the mean loss of training points over ln 2, an upper bound of the error: cross-entropy where the
//! largest output decides, logistic loss where the sign does. Noise is drawn per unit and point, as
//! [`pac_bayes`](crate::pac_bayes) draws it. Differences from the source: P has a variance per layer, each at its best,
//! the mean of s² + (w − w⁰)², so that it need not be an unknown (Q's derivatives are those with λ fixed there, by the
//! envelope theorem); the square root is Pinsker's form of the theorem that the bound uses.
//!
//! **Value.** No property of the result is claimed but that deviations are positive: the bound holds for every
//! posterior. **Cost.** An epoch is four products a layer on all points, beside six for the gradients.

use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use shatter_matrix::product::{Matrix, MatrixMut, product};
use shatter_network::reading::{BoundLabels, How};
use shatter_random::stream::{Purpose, permutation, stream_at};

use crate::MeasureError;
use crate::layers::{Homogeneous, Layer, Perceptron};
use crate::pac_bayes::{Deviations, Posterior, classes, has_output, origin};
use crate::ramp::probability;

/// Points of a part of a batch, whose gradients are computed on one thread and added in order.
const PART: usize = 64;
/// Deviations at the beginning, over the root mean square of what a layer moved.
const FIRST: f64 = 0.1;
/// Range of ln s.
const LOGARITHMS: (f64, f64) = (-300.0, 300.0);

/// How long and how the posterior is sought.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// Passes over the training points; 0 keeps the means, with the first deviations.
    pub epochs: u32,
    /// Points a step.
    pub batch: usize,
    /// First step of the means, over the root mean square of what their layer moved; it falls to 0 linearly.
    pub rate: f64,
    /// First step of ln s.
    pub deviation_rate: f64,
    /// Seed of noise and order.
    pub seed: u64,
    /// δ of the bound.
    pub delta: f64,
}

impl Default for Search {
    fn default() -> Search {
        Search { epochs: 50, batch: 256, rate: 0.02, deviation_rate: 0.02, seed: 0, delta: 0.05 }
    }
}

/// Unknowns of a layer, and Adam's means of their gradients.
struct Unknowns {
    /// Means: weights, then biases.
    mean: Adam,
    /// ln s in the same order.
    logarithm: Adam,
    centre: Vec<f64>,
    /// Step of the means.
    rate: f64,
}

/// Numbers with the running means of gradients and of their squares.
struct Adam {
    values: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Adam {
    fn new(values: Vec<f64>) -> Adam {
        let zeros = vec![0.0; values.len()];
        Adam { values, first: zeros.clone(), second: zeros }
    }

    /// Step number `step`, from 1 (Kingma and Ba, ICLR 2015, with their constants).
    fn step(&mut self, gradient: &[f64], rate: f64, step: i32) {
        let unbiased = (1.0 - 0.999f64.powi(step)).sqrt() / (1.0 - 0.9f64.powi(step));
        let held = self.first.iter_mut().zip(&mut self.second);
        for ((value, (first, second)), &g) in self.values.iter_mut().zip(held).zip(gradient) {
            *first += 0.1 * (g - *first);
            *second += 0.001 * (g * g - *second);
            *value -= rate * unbiased * *first / (second.sqrt() + 1e-8 * unbiased);
        }
    }
}

/// Gradients of a layer by means and by ln s, weights before biases.
#[derive(Clone)]
struct Gradient {
    mean: Vec<f64>,
    logarithm: Vec<f64>,
}

impl Gradient {
    fn zero(parameters: usize) -> Gradient {
        Gradient { mean: vec![0.0; parameters], logarithm: vec![0.0; parameters] }
    }
}

/// A posterior around a network; P is centred at `centre`, at 0 without one. The result depends on the arguments
/// alone, not on the number of threads.
///
/// # Errors
/// [`MeasureError::Start`] for a centre of other shapes; [`MeasureError::NoMargins`] for real labels;
/// [`MeasureError::Surrogate`] for readings other than `largest` and `sign`; [`MeasureError::NoPoints`],
/// [`MeasureError::Length`], [`MeasureError::NoSuchOutput`], [`MeasureError::Parameter`].
pub fn search(
    network: &Perceptron,
    centre: Option<&Perceptron>,
    (points, labels): (&[f64], &BoundLabels),
    search: &Search,
) -> Result<Posterior, MeasureError> {
    network.check()?;
    probability(search.delta)?;
    let classes = classes(labels)?;
    if !matches!(labels.how(), How::Largest | How::Sign) {
        return Err(MeasureError::Surrogate { how: labels.how() });
    }
    let (n, d, outputs) = (classes.len(), network.inputs, network.outputs());
    if n == 0 || d == 0 {
        return Err(MeasureError::NoPoints);
    }
    if n.checked_mul(d) != Some(points.len()) {
        let expected = n.saturating_mul(d);
        return Err(MeasureError::Length { what: "points", found: points.len(), expected });
    }
    if let Some((point, &class)) =
        classes.iter().enumerate().find(|(_, class)| !has_output(labels.how(), **class, outputs))
    {
        return Err(MeasureError::NoSuchOutput { point, class, outputs });
    }
    if search.batch == 0 {
        let (what, expected) = ("points a step", "at least 1");
        return Err(MeasureError::Parameter { what, value: 0.0, expected });
    }
    let centre = match centre {
        Some(centre) => centre.clone(),
        None => origin(network),
    };
    network.same_shape(&centre)?;
    let layers = network.layers.iter().zip(&centre.layers);
    let unknowns = layers.map(|(layer, centre)| Unknowns::new(layer, centre, search.rate));
    let mut state = State {
        network,
        unknowns: unknowns.collect(),
        points,
        classes,
        how: labels.how(),
        constant: ((n as f64 + 1.0) * 2.0 / search.delta).ln(),
    };
    let steps = n.div_ceil(search.batch);
    let all = (f64::from(search.epochs) * steps as f64).max(1.0);
    let mut best = state.posterior();
    let mut step = 0;
    for epoch in 0..search.epochs {
        let order = permutation(&mut stream_at(search.seed, Purpose::Posterior, epoch), n as u32);
        for batch in order.chunks(search.batch) {
            let left = 1.0 - f64::from(step) / all;
            step += 1;
            state.step(batch, step, left, search);
        }
        let now = state.posterior();
        // A step that overflows ends the search at the last posterior that was one.
        if now.check().is_err() || !finite(&now) {
            break;
        }
        best = now;
    }
    Ok(best)
}

fn finite(posterior: &Posterior) -> bool {
    let mut layers = posterior.mean.layers.iter();
    layers.all(|layer| layer.weights.iter().chain(&layer.bias).all(|w| w.is_finite()))
}

impl Unknowns {
    fn new(layer: &Layer, centre: &Layer, rate: f64) -> Unknowns {
        let join = |layer: &Layer| [&layer.weights[..], &layer.bias].concat();
        let (mean, centre) = (join(layer), join(centre));
        let root = |squares: f64| (squares / mean.len().max(1) as f64).sqrt();
        let moved = root(mean.iter().zip(&centre).map(|(w, c)| (w - c) * (w - c)).sum());
        let size = root(mean.iter().map(|w| w * w).sum());
        // A layer that did not move, or is 0, still needs a scale.
        let scale = [moved, size].into_iter().find(|x| x.is_normal()).unwrap_or(0.01);
        let logarithm = (FIRST * scale).ln().clamp(LOGARITHMS.0, LOGARITHMS.1);
        Unknowns {
            logarithm: Adam::new(vec![logarithm; mean.len()]),
            mean: Adam::new(mean),
            centre,
            rate: rate * scale,
        }
    }

    /// λ, and KL over it.
    fn divergence(&self) -> (f64, f64) {
        let (mut logarithms, mut squares) = (0.0, 0.0);
        let means = self.mean.values.iter().zip(&self.centre);
        for ((w, c), ln) in means.zip(&self.logarithm.values) {
            logarithms += ln;
            squares += (2.0 * ln).exp() + (w - c) * (w - c);
        }
        let count = self.centre.len().max(1) as f64;
        let lambda = squares / count;
        (lambda, 0.5 * count * lambda.ln() - logarithms)
    }
}

struct State<'a> {
    network: &'a Perceptron,
    unknowns: Vec<Unknowns>,
    points: &'a [f64],
    classes: &'a [u32],
    how: How,
    /// ln(2(n + 1)/δ).
    constant: f64,
}

/// A layer as a step sees it.
struct Now<'a> {
    layer: &'a Layer,
    weights: &'a [f64],
    bias: &'a [f64],
    /// s², weights before biases.
    squares: Vec<f64>,
}

/// What the way back needs of a layer.
struct Passed {
    /// Numbers before the layer.
    h: Vec<f64>,
    /// ξ/(2σ): the derivative of a number by its variance.
    by_variance: Vec<f64>,
    /// Derivative of the activation.
    slope: Vec<f64>,
}

impl State<'_> {
    fn posterior(&self) -> Posterior {
        let mut mean = self.network.clone();
        let mut deviations = Vec::with_capacity(self.unknowns.len());
        for (layer, unknowns) in mean.layers.iter_mut().zip(&self.unknowns) {
            let (weights, bias) = unknowns.mean.values.split_at(layer.weights.len());
            layer.weights.copy_from_slice(weights);
            layer.bias.copy_from_slice(bias);
            layer.rounding = 0.0;
            let s: Vec<f64> = unknowns.logarithm.values.iter().map(|ln| ln.exp()).collect();
            let (weights, bias) = s.split_at(layer.weights.len());
            deviations.push(Deviations { weights: weights.to_vec(), bias: bias.to_vec() });
        }
        Posterior { mean, deviations }
    }

    /// Step number `step`, from 1, when the share `left` of the steps is left.
    fn step(&mut self, batch: &[u32], step: i32, left: f64, search: &Search) {
        let now: Vec<Now> = (self.network.layers.iter())
            .zip(&self.unknowns)
            .map(|(layer, unknowns)| {
                let (weights, bias) = unknowns.mean.values.split_at(layer.weights.len());
                let squares = unknowns.logarithm.values.iter().map(|ln| (2.0 * ln).exp()).collect();
                Now { layer, weights, bias, squares }
            })
            .collect();
        // A stream for each part of each step.
        let first = (step as u32).wrapping_mul(search.batch.div_ceil(PART) as u32);
        let parts: Vec<Vec<Gradient>> = (batch.par_chunks(PART))
            .enumerate()
            .map(|(part, points)| {
                let index = first.wrapping_add(part as u32);
                let mut rng = stream_at(search.seed, Purpose::PosteriorNoise, index);
                self.gradient(&now, points, batch.len(), &mut rng)
            })
            .collect();
        drop(now);
        let mut sums: Vec<Gradient> =
            self.unknowns.iter().map(|layer| Gradient::zero(layer.centre.len())).collect();
        for part in parts {
            for (sum, one) in sums.iter_mut().zip(part) {
                let add = |sum: &mut [f64], one: &[f64]| {
                    sum.iter_mut().zip(one).for_each(|(sum, x)| *sum += x);
                };
                add(&mut sum.mean, &one.mean);
                add(&mut sum.logarithm, &one.logarithm);
            }
        }
        // The root, and its derivative by KL.
        let divergences: Vec<(f64, f64)> = self.unknowns.iter().map(Unknowns::divergence).collect();
        let n = self.classes.len() as f64;
        let kl: f64 = divergences.iter().map(|layer| layer.1).sum();
        let root = ((kl + self.constant).max(1.0) / (2.0 * n)).sqrt();
        let by_kl = 1.0 / (4.0 * n * root);
        self.unknowns.par_iter_mut().zip(sums).zip(divergences).for_each(
            |((unknowns, mut sum), (lambda, _))| {
                let of = unknowns.mean.values.iter().zip(&unknowns.centre);
                for (gradient, (w, c)) in sum.mean.iter_mut().zip(of) {
                    *gradient += by_kl * (w - c) / lambda;
                }
                let of = sum.logarithm.iter_mut().zip(&unknowns.logarithm.values);
                for (gradient, ln) in of {
                    *gradient += by_kl * ((2.0 * ln).exp() / lambda - 1.0);
                }
                unknowns.mean.step(&sum.mean, unknowns.rate * left, step);
                unknowns.logarithm.step(&sum.logarithm, search.deviation_rate * left, step);
                for ln in &mut unknowns.logarithm.values {
                    *ln = ln.clamp(LOGARITHMS.0, LOGARITHMS.1);
                }
            },
        );
    }

    /// Gradients of Σ loss/(ln 2 · batch) over some points.
    fn gradient(
        &self,
        now: &[Now],
        points: &[u32],
        batch: usize,
        rng: &mut impl rand::Rng,
    ) -> Vec<Gradient> {
        let (n, d) = (points.len(), self.network.inputs);
        let rows = points.iter().map(|&i| i as usize);
        let mut h: Vec<f64> =
            rows.flat_map(|i| &self.points[i * d..(i + 1) * d]).copied().collect();
        let mut passed = Vec::with_capacity(now.len());
        for layer in now {
            let (next, way) = layer.forward(h, n, rng);
            passed.push(way);
            h = next;
        }
        let mut back = self.loss_gradient(&h, points, batch);
        let mut gradients = Vec::with_capacity(now.len());
        for (index, (layer, way)) in now.iter().zip(&passed).enumerate().rev() {
            let (gradient, before) = layer.backward(way, &mut back, n, index > 0);
            gradients.push(gradient);
            back = before;
        }
        gradients.reverse();
        gradients
    }

    /// The derivative of the mean loss over ln 2 by the outputs.
    fn loss_gradient(&self, outputs: &[f64], points: &[u32], batch: usize) -> Vec<f64> {
        let width = self.network.outputs();
        let scale = 1.0 / (std::f64::consts::LN_2 * batch as f64);
        let mut gradient = outputs.to_vec();
        for (row, &point) in gradient.chunks_exact_mut(width).zip(points) {
            let class = self.classes[point as usize];
            if self.how == How::Sign {
                let side = if class == 1 { 1.0 } else { -1.0 };
                row[0] = -side * scale / (1.0 + (side * row[0]).exp());
                continue;
            }
            let most = row.iter().fold(f64::NEG_INFINITY, |most, &x| most.max(x));
            row.iter_mut().for_each(|x| *x = (*x - most).exp());
            let sum: f64 = row.iter().sum();
            for (k, x) in row.iter_mut().enumerate() {
                let own = if k == class as usize { 1.0 } else { 0.0 };
                *x = scale * (*x / sum - own);
            }
        }
        gradient
    }
}

impl Now<'_> {
    fn shape(&self) -> (usize, usize) {
        (self.layer.outputs, self.layer.inputs)
    }

    fn forward(&self, h: Vec<f64>, n: usize, rng: &mut impl rand::Rng) -> (Vec<f64>, Passed) {
        let (outputs, inputs) = self.shape();
        let squares: Vec<f64> = h.iter().map(|x| x * x).collect();
        let (of_weights, of_bias) = self.squares.split_at(outputs * inputs);
        let mut z = self.bias.repeat(n);
        let mut by_variance = of_bias.repeat(n);
        let rows = |x| Matrix::of_rows(x, n, inputs);
        let by = |w| Matrix::of_rows(w, outputs, inputs).transposed();
        product(MatrixMut::of_rows(&mut z, n, outputs), true, rows(&h), by(self.weights));
        let into = MatrixMut::of_rows(&mut by_variance, n, outputs);
        product(into, true, rows(&squares), by(of_weights));
        let mut slope = vec![1.0; z.len()];
        for ((z, variance), slope) in z.iter_mut().zip(&mut by_variance).zip(&mut slope) {
            let normal: f64 = StandardNormal.sample(rng);
            let deviation = variance.sqrt();
            *z += deviation * normal;
            *variance = if deviation > 0.0 { normal / (2.0 * deviation) } else { 0.0 };
            match self.layer.activation {
                Homogeneous::Identity => {}
                Homogeneous::Relu if *z <= 0.0 => (*z, *slope) = (0.0, 0.0),
                Homogeneous::Leaky(of) if *z <= 0.0 => (*z, *slope) = (*z * of, of),
                Homogeneous::Relu | Homogeneous::Leaky(_) => {}
            }
        }
        (z, Passed { h, by_variance, slope })
    }

    /// Gradients by the parameters, and by the numbers before if they are asked for.
    fn backward(
        &self,
        way: &Passed,
        back: &mut [f64],
        n: usize,
        before: bool,
    ) -> (Gradient, Vec<f64>) {
        let (outputs, inputs) = self.shape();
        back.iter_mut().zip(&way.slope).for_each(|(g, slope)| *g *= slope);
        let by_variance: Vec<f64> =
            back.iter().zip(&way.by_variance).map(|(g, by)| g * by).collect();
        let squares: Vec<f64> = way.h.iter().map(|x| x * x).collect();
        let mut gradient = Gradient::zero(outputs * (inputs + 1));
        let columns = |x| Matrix::of_rows(x, n, outputs).transposed();
        let rows = |x| Matrix::of_rows(x, n, inputs);
        let sides = [
            (&mut gradient.mean, &*back, &way.h),
            (&mut gradient.logarithm, &by_variance[..], &squares),
        ];
        for (into, from, h) in sides {
            let (weights, bias) = into.split_at_mut(outputs * inputs);
            let weights = MatrixMut::of_rows(weights, outputs, inputs);
            product(weights, false, columns(from), rows(h));
            for row in from.chunks_exact(outputs) {
                bias.iter_mut().zip(row).for_each(|(sum, g)| *sum += g);
            }
        }
        // By ln s: s² has the derivative 2s².
        let of = gradient.logarithm.iter_mut().zip(&self.squares);
        of.for_each(|(gradient, square)| *gradient *= 2.0 * square);
        if !before {
            return (gradient, Vec::new());
        }
        let by = |w| Matrix::of_rows(w, outputs, inputs);
        let rows = |x| Matrix::of_rows(x, n, outputs);
        let mut of_h = vec![0.0; n * inputs];
        let into = MatrixMut::of_rows(&mut of_h, n, inputs);
        product(into, false, rows(&by_variance), by(&self.squares[..outputs * inputs]));
        of_h.iter_mut().zip(&way.h).for_each(|(g, h)| *g *= 2.0 * h);
        product(MatrixMut::of_rows(&mut of_h, n, inputs), true, rows(back), by(self.weights));
        (gradient, of_h)
    }
}
