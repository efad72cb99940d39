//! Gradient descent, one point a step: what it finds, and that it stays in the span of the points.
//!
//! **Step.** For point i with error e = W^T x_i − y_i, the loss ‖e‖²/2 has the gradient x_i eᵀ, and with momentum μ
//!
//! ```text
//! V ← μV + η_i x_i eᵀ,     W ← W − V
//! ```
//!
//! **Statement.** Every step adds a multiple of x_i, so W = W_0 + Xᵀα: from W_0 = 0, W stays in the span of the points,
//! with momentum too, and the only solution in the span is that of minimum norm ([`factor`](super::factor)). From
//! another W_0, the part of W_0 in the null space of X stays as it is.
//!
//! **Step size.** Let labels be consistent and 0 < η_i < 2/‖x_i‖². Without momentum a step changes the squared distance
//! to any solution by −η_i(2 − η_i‖x_i‖²)‖e‖² ≤ 0: it never moves away, and in every order that comes back to each point, W
//! converges to the solution nearest to W_0. (η_i = 1/‖x_i‖² is the method of Kaczmarz, Bull. Acad. Polon. 1937; with
//! points drawn in proportion to ‖x_i‖², with replacement, it takes about ‖X‖²/σ_r² steps for each factor e of the squared distance, Strohmer and Vershynin, J. Fourier
//! Anal. Appl. 15, 2009.) [`largest_step`] is (1 − μ)/max ‖x_i‖²: half that bound for μ = 0; for μ > 0 it keeps the sum of
//! all moves that a gradient causes, η/(1 − μ), the same, which is a rule and no theorem. Where labels contradict each
//! other, a constant step ends near the solution, in a cycle if the order is cyclic, and not in it.
//!
//! **α.** Point i is visited at step t with g = η_i e; then v_i(t) = μ^(t−t') v_i + g is its share of V, and all moves that
//! its gradients caused so far are (G_i − μ v_i)/(1 − μ), G_i the sum of its g. So α costs two numbers a visit and is not
//! computed from W. ‖W − W_0 − Xᵀα‖ bounds the distance of W − W_0 to the span from above; it is what rounding
//! contributed.
//!
//! **Cost.** 4nd operations an epoch and output, outputs side by side on all threads; the bytes do not depend on
//! the number of threads. **Adam** ([`adam`]) divides every coordinate by a number of its own, and need
//! not stay in the span.

use rayon::prelude::*;
use serde::Serialize;

use shatter_matrix::vectors::vectorised;
use shatter_random::stream::{Purpose, permutation, stream_at};

use super::{Design, RegressionError, Targets, distance, norm};

/// η_i.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// η_i = η, as training has it.
    Constant(f64),
    /// η_i = θ/‖x_i‖²; a point that is 0 takes no step.
    Relative(f64),
}

/// Order of the points in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Their own, in every epoch.
    Cyclic,
    /// A permutation for each epoch, as training draws it from the seed.
    Shuffled,
}

/// Settings of a descent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Step size.
    pub step: Step,
    /// μ, 0 ≤ μ < 1.
    pub momentum: f64,
    /// Order of the points.
    pub order: Order,
    /// Number of epochs.
    pub epochs: u32,
    /// Seed of the orders.
    pub seed: u64,
}

/// The state after an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Epoch {
    /// The epoch, from 1; 0 is the start.
    pub epoch: u32,
    /// ‖W − closed form‖/‖closed form‖; the distance itself where the closed form is 0.
    pub distance: f64,
    /// ‖W − W_0 − Xᵀα‖/‖W − W_0‖, at least the relative distance of W − W_0 to the span, but for
    /// rounding; 0 at the start.
    pub off_span: f64,
    /// ‖W‖.
    pub norm: f64,
    /// ‖XW − Y‖²/(2n): the mean squared loss on the training set.
    pub loss: f64,
}

/// Where a descent ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Descent {
    /// W, d × k, row by row.
    pub weights: Vec<f64>,
    /// α, n × k, row by row: W = W_0 + Xᵀα.
    pub coefficients: Vec<f64>,
    /// The start, and the state after each epoch.
    pub epochs: Vec<Epoch>,
}

/// (1 − μ)/max ‖x_i‖², within the bound for constant steps; 1 if all points are 0.
///
/// ```
/// use shatter_regression::{Design, descent::largest_step};
/// let x = Design::new(vec![3.0, 4.0, 0.0, 1.0], 2, false)?;
/// assert_eq!(largest_step(&x, 0.0), 0.04);
/// # Ok::<(), shatter_regression::RegressionError>(())
/// ```
#[must_use]
pub fn largest_step(design: &Design, momentum: f64) -> f64 {
    match design.squared_norms().into_iter().fold(0.0, f64::max) {
        0.0 => 1.0,
        largest => (1.0 - momentum) / largest,
    }
}

/// One output's state: every output is a descent of its own.
struct Output {
    /// The column of W, d numbers.
    weights: Vec<f64>,
    /// The column of V.
    velocity: Vec<f64>,
    /// G_i, n numbers.
    sums: Vec<f64>,
    /// v_i after the last complete epoch.
    shares: Vec<f64>,
}

/// Descends from `start` (from 0 without one), d × k numbers; `closed` is the solution that distances are taken from.
///
/// `watch` sees each epoch and says whether to go on.
///
/// ```
/// use shatter_regression::{Design, Factor, Order, Settings, Step, Targets, descent};
/// let x = Design::new(vec![1.0, 0.0, 2.0, 0.0, 3.0, 0.0], 3, false)?;
/// let y = Targets::new(vec![1.0, -3.0], 1)?;
/// let closed = Factor::new(&x)?.minimum_norm(&y)?.weights;
/// let settings = Settings {
///     step: Step::Constant(descent::largest_step(&x, 0.0)),
///     momentum: 0.0, order: Order::Shuffled, epochs: 100, seed: 1,
/// };
/// let found = descent::descend(&x, &y, None, &settings, &closed, |_| true)?;
/// let last = found.epochs.last().ok_or("no epoch")?;
/// assert!(last.distance < 1e-9 && last.off_span < 1e-14);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`RegressionError::Step`], [`RegressionError::Momentum`], [`RegressionError::TargetCount`],
/// [`RegressionError::Weights`]; [`RegressionError::Diverged`] where numbers are no longer finite.
pub fn descend(
    design: &Design,
    targets: &Targets,
    start: Option<&[f64]>,
    settings: &Settings,
    closed: &[f64],
    mut watch: impl FnMut(&Epoch) -> bool,
) -> Result<Descent, RegressionError> {
    let Settings { step, momentum, order, epochs, seed } = *settings;
    let (Step::Constant(size) | Step::Relative(size)) = step;
    if !(size.is_finite() && size > 0.0) {
        return Err(RegressionError::Step(size));
    }
    if !(0.0..1.0).contains(&momentum) {
        return Err(RegressionError::Momentum(momentum));
    }
    targets.belong_to(design)?;
    let (n, d, k) = (design.rows(), design.columns(), targets.outputs());
    for given in [Some(closed), start].into_iter().flatten() {
        if given.len() != d * k {
            let found = given.len();
            return Err(RegressionError::Weights { found, columns: d, outputs: k });
        }
    }
    let zero = vec![0.0; d * k];
    let start = start.unwrap_or(&zero);
    let sizes: Vec<f64> = match step {
        Step::Constant(size) => vec![size; n],
        Step::Relative(size) => {
            let norms = design.squared_norms().into_iter();
            norms.map(|norm| if norm > 0.0 { size / norm } else { 0.0 }).collect()
        }
    };
    let mut outputs: Vec<Output> = (0..k)
        .map(|o| Output {
            weights: start.iter().skip(o).step_by(k).copied().collect(),
            velocity: vec![0.0; d],
            sums: vec![0.0; n],
            shares: vec![0.0; n],
        })
        .collect();
    let measure = |epoch: u32, outputs: &[Output]| -> (Epoch, Vec<f64>, Vec<f64>) {
        let weights = interleaved(d, k, |o, j| outputs[o].weights[j]);
        let moves = |o: usize, i: usize| {
            let Output { sums, shares, .. } = &outputs[o];
            -(sums[i] - momentum * shares[i]) / (1.0 - momentum)
        };
        let coefficients = interleaved(n, k, moves);
        let spanned = design.combinations(&coefficients, k);
        let moved: Vec<f64> = weights.iter().zip(start).map(|(w, w0)| w - w0).collect();
        let error = distance(&design.outputs(&weights, k), targets.values());
        let relative = |x: f64, by: f64| if by == 0.0 { x } else { x / by };
        let epoch = Epoch {
            epoch,
            distance: relative(distance(&weights, closed), norm(closed)),
            off_span: relative(distance(&moved, &spanned), norm(&moved)),
            norm: norm(&weights),
            loss: error * error / (2.0 * n as f64),
        };
        (epoch, weights, coefficients)
    };
    let mut now = measure(0, &outputs);
    let mut lines = vec![now.0];
    let mut going = watch(&now.0);
    for epoch in 1..=epochs {
        if !going {
            break;
        }
        let order: Vec<u32> = match order {
            Order::Cyclic => (0..n as u32).collect(),
            Order::Shuffled => {
                permutation(&mut stream_at(seed, Purpose::Order, epoch - 1), n as u32)
            }
        };
        outputs.par_iter_mut().enumerate().for_each(|(o, output)| {
            output.epoch(design, targets, o, &order, &sizes, momentum);
        });
        now = measure(epoch, &outputs);
        if !(now.0.norm.is_finite() && now.0.loss.is_finite()) {
            return Err(RegressionError::Diverged { epoch, step: size });
        }
        lines.push(now.0);
        going = watch(&now.0);
    }
    let (_, weights, coefficients) = now;
    Ok(Descent { weights, coefficients, epochs: lines })
}

impl Output {
    fn epoch(
        &mut self,
        design: &Design,
        targets: &Targets,
        o: usize,
        order: &[u32],
        sizes: &[f64],
        momentum: f64,
    ) {
        let n = order.len();
        let power = |steps: usize| momentum.powi(i32::try_from(steps).unwrap_or(i32::MAX));
        let whole = power(n);
        for (t, &i) in order.iter().enumerate() {
            let i = i as usize;
            let (row, size) = (design.row(i), sizes[i]);
            let Output { weights, velocity, .. } = self;
            let gradient = size * (dot(weights, row) - targets.row(i)[o]);
            if momentum == 0.0 {
                vectorised(
                    #[inline(always)]
                    || weights.iter_mut().zip(row).for_each(|(w, x)| *w -= gradient * x),
                );
            } else {
                vectorised(
                    #[inline(always)]
                    || {
                        for ((w, v), x) in weights.iter_mut().zip(velocity).zip(row) {
                            *v = momentum * *v + gradient * x;
                            *w -= *v;
                        }
                    },
                );
            }
            self.sums[i] += gradient;
            // At the end of the epoch, n − 1 − t steps later.
            self.shares[i] = self.shares[i] * whole + gradient * power(n - 1 - t);
        }
    }
}

/// ⟨x, y⟩ in sixteen sums, which fill the vectors of any processor; the same bytes on all.
fn dot(x: &[f64], y: &[f64]) -> f64 {
    const LANES: usize = 16;
    let mut sums = [0.0; LANES];
    let (xs, x_rest) = x.as_chunks::<LANES>();
    let (ys, y_rest) = y.as_chunks::<LANES>();
    vectorised(
        #[inline(always)]
        || {
            for (x, y) in xs.iter().zip(ys) {
                for lane in 0..LANES {
                    sums[lane] += x[lane] * y[lane];
                }
            }
        },
    );
    let rest: f64 = x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}

/// A matrix of `rows` × k whose columns stand apart.
fn interleaved(rows: usize, k: usize, at: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    (0..rows * k).map(|index| at(index % k, index / k)).collect()
}

/// Adam (Kingma and Ba, ICLR 2015, with β_1 = 0.9, β_2 = 0.999, ε = 10^-8) from zero on the whole training set a step,
/// with one output: the weights after so many steps.
///
/// It fits, too, and lands elsewhere: the counterexample to "whatever descends from zero finds the minimum norm".
///
/// ```
/// use shatter_regression::{Design, Factor, Targets, descent::adam, norm};
/// let x = Design::new(vec![1.0, 2.0], 2, false)?;
/// let y = Targets::new(vec![5.0], 1)?;
/// let found = adam(&x, &y, 0.01, 5000)?;
/// assert!((found[0] + 2.0 * found[1] - 5.0).abs() < 1e-6);
/// let parts = Factor::new(&x)?.split(&found, 1)?;
/// assert!(norm(&parts.null) > 0.5); // both coordinates move alike: (5/3, 5/3), and not (1, 2)
/// # Ok::<(), shatter_regression::RegressionError>(())
/// ```
///
/// # Errors
/// [`RegressionError::Step`], [`RegressionError::TargetCount`], [`RegressionError::Weights`] for several outputs.
pub fn adam(
    design: &Design,
    targets: &Targets,
    rate: f64,
    steps: u32,
) -> Result<Vec<f64>, RegressionError> {
    const DECAYS: (f64, f64) = (0.9, 0.999);
    const EPSILON: f64 = 1e-8;
    if !(rate.is_finite() && rate > 0.0) {
        return Err(RegressionError::Step(rate));
    }
    targets.belong_to(design)?;
    let (d, outputs) = (design.columns(), targets.outputs());
    if outputs != 1 {
        return Err(RegressionError::Weights { found: d, columns: d, outputs });
    }
    let mut weights = vec![0.0; d];
    let mut moments = vec![(0.0, 0.0); d];
    let (mut first, mut second) = (1.0, 1.0);
    for _ in 0..steps {
        (first, second) = (first * DECAYS.0, second * DECAYS.1);
        let fitted = design.outputs(&weights, 1);
        let errors: Vec<f64> = fitted
            .iter()
            .zip(targets.values())
            .map(|(z, y)| (z - y) / design.rows() as f64)
            .collect();
        let gradient = design.combinations(&errors, 1);
        for ((w, (m, v)), g) in weights.iter_mut().zip(&mut moments).zip(gradient) {
            *m = DECAYS.0 * *m + (1.0 - DECAYS.0) * g;
            *v = DECAYS.1 * *v + (1.0 - DECAYS.1) * g * g;
            *w -= rate * (*m / (1.0 - first)) / ((*v / (1.0 - second)).sqrt() + EPSILON);
        }
    }
    Ok(weights)
}
