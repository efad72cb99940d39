//! The PAC-Bayes bound of a perceptron with Gaussian noise on its parameters.
//!
//! **Theorem.** Let P be a distribution over networks that is fixed before the sample, and 0 < δ < 1. With
//! probability at least 1 − δ over n independent points, all distributions Q over networks have
//!
//! ```text
//! kl(ê(Q)‖e(Q)) <= (KL(Q‖P) + ln((n + 1)/δ))/n,
//! ```
//!
//! where a network is drawn from Q for each point, ê(Q) is the probability of an error on a training point that is
//! drawn uniformly, and e(Q) that on a new point.
//!
//! **Source.** Langford and Seeger 2001; Maurer, *A note on the PAC Bayesian theorem*, 2004, who has 2√n for n + 1 if
//! n >= 8, which would gain less than ½ ln n/n here. **Proof.** For a network of error e, n ê is binomial, so E exp(n
//! kl(ê‖e)) = Σ_k C(n, k) (k/n)^k (1 − k/n)^{n−k}, each term of which is a probability: at most n + 1. Its mean over P
//! is at most (n + 1)/δ with probability 1 − δ (Markov), and by Donsker and Varadhan's inequality n E_Q kl(ê‖e) <=
//! KL(Q‖P) + ln E_P exp(n kl(ê‖e)). kl is convex in both arguments (Jensen). ∎
//!
//! **Q and P.** Q has independent normal parameters of means w_i (those of a network) and deviations s_i > 0. P has
//! means w⁰_i (the network before training, or 0) and the variance λ_l in layer l:
//!
//! ```text
//! KL(Q‖P) = Σ_i ½ ln λ_l − ln s_i + (s_i² + (w_i − w⁰_i)²)/(2λ_l) − ½.
//! ```
//!
//! The λ_l are of the grid of [`ramp`](crate::ramp), which costs Σ_l ln(1/w_{j(l)}): of the grid points within a factor
//! of 16 of the best λ_l, that with the smallest sum is taken.
//!
//! **ê(Q).** Given the numbers h of a layer, W h + b is a vector of independent normals of means Σ_k w_jk h_k + b_j
//! and variances Σ_k s_jk² h_k² + s_j², and layers are independent. So an error of one network at one point is drawn
//! exactly by one normal number a unit (Kingma, Salimans and Welling, *Variational dropout and the local
//! reparameterization trick*, NIPS 2015), with two products of matrices for a block of points. m = rounds · n draws
//! take every training point equally often; their errors are independent with mean ê(Q), and
//! [`chernoff`] bounds it. Half of δ is spent on each of theorem and draws.
//!
//! **Rounding.** Let ĥ be the computed numbers of a layer at a point, e >= ‖h − ĥ‖₂, k its width, and γ = γ_{k+16}
//! doubled. Means are off by at most ‖w_j‖ e + γ(‖w_j‖ ‖ĥ‖ + |b_j|); a deviation is the norm of (s_jk h_k)_k and s_j,
//! and off by at most (max_k s_jk) e + γ σ̂_j; so z_j = μ_j + σ_j ξ_j is off by at most
//!
//! ```text
//! ‖w_j‖ e + γ(‖w_j‖ ‖ĥ‖ + |b_j| + |ẑ_j|) + |ξ_j| ((max_k s_jk) e + γ σ̂_j) + underflow,
//! ```
//!
//! and 1-Lipschitz activations pass it on. Doubling γ pays for the rounding of these bounds. A draw counts as an error
//! unless its computed margin exceeds what the error of the outputs can change. What is assumed: that normal numbers
//! made from ChaCha8 are draws of the normal distribution.
//!
//! **Cost.** Two logarithms in enclosures a parameter; two products a layer and round.

use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use shatter_matrix::product::{Matrix, MatrixMut, product};
use shatter_network::reading::{BoundLabels, How};
use shatter_random::stream::{Purpose, stream_at};
use shatter_sample::Labels;

use crate::kl::{chernoff, inverse};
use crate::layers::{Homogeneous, Layer, Perceptron};
use crate::margin::margin;
use crate::outward::add_down;
use crate::ramp::{Grid, probability};
use crate::spectral::gamma;
use crate::{Assumption, Enclosure, Finding, MeasureError};

/// Points of a block, each with a stream of its own.
const BLOCK: usize = 128;

/// Bound on what underflow takes from a sum of squares under a root, per term: √2^-1074.
const ROOT_OF_UNDERFLOW: f64 = f64::from_bits((1023 - 537) << 52);

/// Numbers of the grid on either side of the best variance that are tried.
const NEAR: i64 = 16;

/// Name of the finding.
pub const NAME: &str = "PAC-Bayes: Gaussian noise on the parameters";

/// Deviations of the parameters of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Deviations {
    /// Those of W, row by row.
    pub weights: Vec<f64>,
    /// Those of b.
    pub bias: Vec<f64>,
}

/// A distribution over perceptrons: independent normal parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Posterior {
    /// Means.
    pub mean: Perceptron,
    /// Deviations, layer by layer.
    pub deviations: Vec<Deviations>,
}

impl Posterior {
    /// Checks that means and deviations belong together, and that deviations are positive.
    ///
    /// # Errors
    /// Those of [`Perceptron::check`], [`MeasureError::Length`], [`MeasureError::Parameter`].
    pub fn check(&self) -> Result<(), MeasureError> {
        self.mean.check()?;
        let same = |found, expected| match found == expected {
            true => Ok(()),
            false => Err(MeasureError::Length { what: "deviations", found, expected }),
        };
        same(self.deviations.len(), self.mean.depth())?;
        for (layer, deviations) in self.mean.layers.iter().zip(&self.deviations) {
            same(deviations.weights.len(), layer.weights.len())?;
            same(deviations.bias.len(), layer.bias.len())?;
            let mut all = deviations.weights.iter().chain(&deviations.bias);
            if let Some(&value) = all.find(|s| !(**s > 0.0 && s.is_finite())) {
                let expected = "a positive number";
                return Err(MeasureError::Parameter { what: "a deviation", value, expected });
            }
        }
        Ok(())
    }
}

/// KL(Q‖P) and the price of P's variances.
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence {
    /// KL(Q‖P).
    pub kl: Enclosure,
    /// Σ_l ln(1/w_{j(l)}).
    pub price: Enclosure,
    /// j(l): the variance of layer l is 2^{j/4}.
    pub indices: Vec<i64>,
}

/// KL(Q‖P) for the best variances of the grid.
///
/// # Errors
/// Those of [`Posterior::check`]; [`MeasureError::Start`] for a centre of other shapes.
pub fn divergence(posterior: &Posterior, centre: &Perceptron) -> Result<Divergence, MeasureError> {
    posterior.check()?;
    posterior.mean.same_shape(centre)?;
    let mut sum = Divergence { kl: Enclosure::ZERO, price: Enclosure::ZERO, indices: Vec::new() };
    let layers = posterior.mean.layers.iter().zip(&centre.layers).zip(&posterior.deviations);
    for ((layer, before), deviations) in layers {
        let parts = [
            moments(&layer.weights, &before.weights, &deviations.weights),
            moments(&layer.bias, &before.bias, &deviations.bias),
        ];
        let logarithms = parts[0].0 + parts[1].0;
        let squares = parts[0].1 + parts[1].1;
        let count = Enclosure::whole((layer.weights.len() + layer.bias.len()) as u64);
        let half = Enclosure::exact(0.5);
        let at = |grid: &Grid| {
            let ln = Enclosure::exact(grid.index as f64) * half.square() * Enclosure::ln_2();
            half * count * (ln - Enclosure::ONE) - logarithms + half * squares / grid.value
        };
        // Near the first number of the grid above the best variance; beyond the grid KL is infinite.
        let best = squares / count;
        let near = Grid::above(best).map(|grid| grid.index - NEAR..=grid.index + NEAR);
        let candidates = near.into_iter().flatten().map(Grid::at);
        let (kl, grid) = candidates
            .map(|grid| (at(&grid), grid))
            .min_by(|a, b| (a.0 + a.1.price).high().total_cmp(&(b.0 + b.1.price).high()))
            .ok_or(MeasureError::Parameter {
                what: "the variance of a layer",
                value: best.high(),
                expected: "a number below 2^999",
            })?;
        sum.kl = sum.kl + kl;
        sum.price = sum.price + grid.price;
        sum.indices.push(grid.index);
    }
    // KL is not negative, whatever its enclosure says.
    sum.kl = Enclosure::new(sum.kl.low().max(0.0), sum.kl.high().max(0.0));
    Ok(sum)
}

/// Σ ln s and Σ s² + (w − w⁰)².
fn moments(mean: &[f64], centre: &[f64], deviations: &[f64]) -> (Enclosure, Enclosure) {
    let blocks: Vec<(Enclosure, Enclosure)> = (mean.par_chunks(4096))
        .zip(centre.par_chunks(4096))
        .zip(deviations.par_chunks(4096))
        .map(|((mean, centre), deviations)| {
            let mut sums = (Enclosure::ZERO, Enclosure::ZERO);
            for ((&w, &start), &s) in mean.iter().zip(centre).zip(deviations) {
                let s = Enclosure::exact(s);
                let moved = Enclosure::exact(w) - Enclosure::exact(start);
                sums.0 = sums.0 + s.ln();
                sums.1 = sums.1 + (s.square() + moved.square());
            }
            sums
        })
        .collect();
    // In their order, so that the result does not depend on the number of threads.
    let zero = (Enclosure::ZERO, Enclosure::ZERO);
    blocks.iter().fold(zero, |sum, block| (sum.0 + block.0, sum.1 + block.1))
}

/// Errors of draws from Q.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Draws of a network and a point.
    pub draws: u64,
    /// Those that may be errors.
    pub errors: u64,
}

impl Drawn {
    /// Upper bound of ê(Q), which holds with probability at least 1 − δ over the draws.
    ///
    /// # Errors
    /// Those of [`chernoff`].
    pub fn upper(&self, delta: f64) -> Result<f64, MeasureError> {
        let mean = Enclosure::whole(self.errors) / Enclosure::whole(self.draws.max(1));
        chernoff(mean.high().min(1.0), self.draws, delta)
    }
}

/// A layer with what the bounds on rounding need.
struct Noisy<'a> {
    layer: &'a Layer,
    /// s².
    squares: Vec<f64>,
    bias_squares: Vec<f64>,
    /// ‖w_j‖, a bound.
    norms: Vec<f64>,
    /// max_k s_jk.
    largest: Vec<f64>,
    /// γ, doubled.
    unit: f64,
}

impl<'a> Noisy<'a> {
    fn new(layer: &'a Layer, deviations: &Deviations) -> Noisy<'a> {
        let unit = 2.0 * gamma(layer.inputs.max(layer.outputs) + 16).high();
        let rows = 0..layer.outputs;
        let of = |j: usize| &deviations.weights[j * layer.inputs..(j + 1) * layer.inputs];
        let norm = |row: &[f64]| row.iter().map(|w| w * w).sum::<f64>().sqrt() * (1.0 + unit);
        Noisy {
            layer,
            squares: deviations.weights.iter().map(|s| s * s).collect(),
            bias_squares: deviations.bias.iter().map(|s| s * s).collect(),
            norms: rows.clone().map(|j| norm(layer.row(j))).collect(),
            largest: rows.map(|j| of(j).iter().fold(0.0, |most: f64, &s| most.max(s))).collect(),
            unit,
        }
    }

    /// Draws the numbers of the layer at `n` points from those of the layer before; bounds of their errors at each
    /// point take the place of those before.
    fn draw(&self, h: &[f64], errors: &mut [f64], rng: &mut impl rand::Rng) -> Vec<f64> {
        let (n, layer) = (errors.len(), self.layer);
        let (inputs, outputs) = (layer.inputs, layer.outputs);
        let squares: Vec<f64> = h.iter().map(|x| x * x).collect();
        let mut z: Vec<f64> = layer.bias.repeat(n);
        let mut variance: Vec<f64> = self.bias_squares.repeat(n);
        let by_rows = |x| Matrix::of_rows(x, n, inputs);
        let weights = |w| Matrix::of_rows(w, outputs, inputs).transposed();
        product(MatrixMut::of_rows(&mut z, n, outputs), true, by_rows(h), weights(&layer.weights));
        let into = MatrixMut::of_rows(&mut variance, n, outputs);
        product(into, true, by_rows(&squares), weights(&self.squares));
        let underflow = (inputs + 1) as f64 * ROOT_OF_UNDERFLOW;
        for (i, error) in errors.iter_mut().enumerate() {
            let size = squares[i * inputs..(i + 1) * inputs].iter().sum::<f64>().sqrt();
            let mut sum = 0.0;
            for j in 0..outputs {
                let at = i * outputs + j;
                let normal: f64 = StandardNormal.sample(rng);
                let deviation = variance[at].sqrt();
                z[at] += deviation * normal;
                let (norm, bias) = (self.norms[j], layer.bias[j].abs());
                let mean = norm * *error + self.unit * (norm * size + bias + z[at].abs());
                let noise = self.largest[j] * *error + self.unit * deviation + underflow;
                let off = mean + normal.abs() * noise + underflow;
                sum += off * off;
                z[at] = match layer.activation {
                    Homogeneous::Identity => z[at],
                    Homogeneous::Relu => z[at].max(0.0),
                    Homogeneous::Leaky(slope) if z[at] < 0.0 => z[at] * slope,
                    Homogeneous::Leaky(_) => z[at],
                };
            }
            *error = sum.sqrt() * (1.0 + self.unit) + underflow;
        }
        z
    }
}

/// Draws networks from Q, one for each training point and round, and counts errors. A round takes every point once.
///
/// # Errors
/// Those of [`Posterior::check`]; [`MeasureError::NoPoints`], [`MeasureError::Length`], [`MeasureError::NoMargins`];
/// [`MeasureError::Parameter`] without rounds; [`MeasureError::TooLarge`] for more than 2^32 blocks of points.
pub fn draw(
    posterior: &Posterior,
    points: &[f64],
    labels: &BoundLabels,
    rounds: u32,
    seed: u64,
) -> Result<Drawn, MeasureError> {
    posterior.check()?;
    let classes = classes(labels)?;
    let (n, d, outputs) = (classes.len(), posterior.mean.inputs, posterior.mean.outputs());
    if n == 0 || d == 0 {
        return Err(MeasureError::NoPoints);
    }
    if n.checked_mul(d) != Some(points.len()) {
        let expected = n.saturating_mul(d);
        return Err(MeasureError::Length { what: "points", found: points.len(), expected });
    }
    if rounds == 0 {
        let (what, expected) = ("rounds of draws", "at least 1");
        return Err(MeasureError::Parameter { what, value: 0.0, expected });
    }
    let blocks = n.div_ceil(BLOCK) as u64;
    let all = blocks * u64::from(rounds);
    if all >= u64::from(u32::MAX) {
        let limit = u64::from(u32::MAX) - 1;
        return Err(MeasureError::TooLarge { what: "blocks of draws", have: all, limit });
    }
    if let Some((point, &class)) =
        classes.iter().enumerate().find(|(_, class)| !has_output(labels.how(), **class, outputs))
    {
        return Err(MeasureError::NoSuchOutput { point, class, outputs });
    }
    let layers: Vec<Noisy> = (posterior.mean.layers.iter())
        .zip(&posterior.deviations)
        .map(|(layer, deviations)| Noisy::new(layer, deviations))
        .collect();
    let errors = (0..all as u32).into_par_iter().map(|block| {
        let first = (u64::from(block) % blocks) as usize * BLOCK;
        let last = (first + BLOCK).min(n);
        let mut rng = stream_at(seed, Purpose::PosteriorDraws, block);
        let mut off = vec![0.0; last - first];
        let mut h = points[first * d..last * d].to_vec();
        for layer in &layers {
            h = layer.draw(&h, &mut off, &mut rng);
        }
        let rows = h.chunks_exact(outputs).zip(&off).enumerate();
        let fits = rows.filter(|(at, (row, off))| {
            let point = first + at;
            fits(labels, (row, **off), classes[point], point)
        });
        (last - first - fits.count()) as u64
    });
    Ok(Drawn { draws: u64::from(rounds) * n as u64, errors: errors.sum() })
}

/// The classes of labels.
pub(crate) fn classes(labels: &BoundLabels) -> Result<&[u32], MeasureError> {
    match labels.labels() {
        Labels::Classes { of, .. } => Ok(of),
        Labels::Real { .. } => Err(MeasureError::NoMargins),
    }
}

/// Returns true if outputs can say a class.
pub(crate) fn has_output(how: How, class: u32, outputs: usize) -> bool {
    match how {
        How::Largest => (class as usize) < outputs,
        How::Sign | How::Half => class < 2 && outputs > 0,
        How::Value | How::OneHot | How::Bits => true,
    }
}

/// Returns true if the margin of outputs, each off by at most `off`, is positive.
fn fits(labels: &BoundLabels, (row, off): (&[f64], f64), class: u32, point: usize) -> bool {
    if !off.is_finite() || row.iter().any(|x| !x.is_finite()) {
        return false;
    }
    let how = labels.how();
    let off = if how == How::Largest { 2.0 * off } else { off };
    let margin = margin(how, row, class, labels, point);
    margin.is_some_and(|margin| add_down(margin, -off) > 0.0)
}

/// The bound, and what it is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct PacBayes {
    /// KL(Q‖P) and its price.
    pub divergence: Divergence,
    /// Errors of draws on training points.
    pub drawn: Drawn,
    /// Upper bound of ê(Q).
    pub train: f64,
    /// Upper bound of e(Q).
    pub total: f64,
    /// The centre is the network before training.
    pub from_start: bool,
}

/// How the bound is computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Draws {
    /// Draws at each training point.
    pub rounds: u32,
    /// Seed of the draws.
    pub seed: u64,
    /// δ: the bound holds with probability at least 1 − δ over sample and draws.
    pub delta: f64,
}

/// The bound of Q on a training sample; P is centred at `centre`, at 0 without one.
///
/// # Errors
/// As [`divergence`] and [`draw`]; [`MeasureError::Parameter`] for δ.
pub fn bound(
    posterior: &Posterior,
    centre: Option<&Perceptron>,
    (points, labels): (&[f64], &BoundLabels),
    draws: Draws,
) -> Result<PacBayes, MeasureError> {
    let delta = probability(draws.delta)?;
    let zero;
    let origin = match centre {
        Some(centre) => centre,
        None => {
            zero = origin(&posterior.mean);
            &zero
        }
    };
    let divergence = divergence(posterior, origin)?;
    let drawn = draw(posterior, points, labels, draws.rounds, draws.seed)?;
    let train = drawn.upper(draws.delta / 2.0)?;
    let n = Enclosure::whole(labels.labels().len() as u64);
    let half = delta / Enclosure::exact(2.0);
    let logarithm = ((n + Enclosure::ONE) / half).ln();
    let c = (divergence.kl + divergence.price + logarithm) / n;
    let total = inverse(train, c.high().max(0.0))?;
    Ok(PacBayes { divergence, drawn, train, total, from_start: centre.is_some() })
}

/// The network of the same shape whose parameters are all 0.
pub(crate) fn origin(of: &Perceptron) -> Perceptron {
    let mut zero = of.clone();
    for layer in &mut zero.layers {
        layer.weights.fill(0.0);
        layer.bias.fill(0.0);
        layer.rounding = 0.0;
    }
    zero
}

impl PacBayes {
    /// The bound, and KL(Q‖P), as findings.
    #[must_use]
    pub fn findings(&self) -> [Finding; 2] {
        let centre = match self.from_start {
            true => "the network before training is drawn before the sample, as the user says",
            false => "it is 0: the start is not known",
        };
        let what = "the test error is that of a network with noise, drawn anew for each point";
        let reason = "not that of the network itself, of which this bound says nothing";
        let draws = format!("{} draws of a network and a point", self.drawn.draws);
        let assumptions = vec![
            Assumption::met(
                "training points are independent draws of the distribution of the test error",
                "as the user says; nothing checks it",
            ),
            Assumption::met("the centre of the prior is fixed before the sample", centre),
            Assumption::met(what, reason),
            Assumption::met("pseudo-random normal numbers are independent and normal", draws),
        ];
        let kl = Finding::enclosed("PAC-Bayes: KL divergence", self.divergence.kl.high());
        [Finding::bound(NAME, self.total, self.total, assumptions), kl]
    }
}
