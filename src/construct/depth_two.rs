//! Theorem 1 of Zhang, Bengio, Hardt, Recht and Vinyals (ICLR 2017).
//!
//! **Statement.** For n distinct points x_1, …, x_n of R^d and any real labels y_1, …, y_n there are
//! a ∈ R^d and b, w ∈ R^n with Σ_j w_j ReLU(<a, x_i> − b_j) = y_i for all i.
//!
//! **Proof, as an algorithm.**
//! 1. Choose a direction a that tells the points apart ([`direction`]); sort
//!    z_i = <a, x_i>.
//! 2. Choose thresholds with b_1 < z_1 < b_2 < z_2 < … < b_n < z_n ([`threshold`]).
//!    Then A_ij = ReLU(z_i − b_j) is lower triangular with diagonal z_i − b_i > 0 (Lemma 1).
//! 3. Solve Aw = y.
//!
//! **Counts.** Depth 2, n hidden units, 2n + d numbers (n + d and a sign with zigzag thresholds).
//! **Cost.** O(nd) to project, O(n log n) to sort, O(n) to solve because A is the matrix of
//! truncated powers: the weights are differences of slopes. The dense solvers take n² operations
//! and n² numbers; they are here because the paper's proof is "solve the triangular system".

use shatter_network::ExactLabels;

use rayon::prelude::*;

use shatter_exact::Element;
use shatter_exact::{Dyadic, Integers, Lattice};
use shatter_network::projection::project_float;
use shatter_network::{ExactNetwork, Network, TwoLayer};

use super::ConstructError;
use super::construction::{Assumption, Bound, Construction, Promise, Task};
use super::direction::{self, ChosenDirection, DirectionRule, Projection, TRIES};
use super::order::{Tie, first, order_float};
use super::threshold::{self, ThresholdRule, data, midpoint, zigzag};

/// Bits that exact weights may take together (1 GiB).
const MOST_WEIGHT_BITS: u64 = 1 << 33;

/// Theorem 1 with one of its threshold rules, among the [constructions](Construction).
#[derive(Clone, Copy, Debug, Default)]
pub struct DepthTwo {
    /// The rule for thresholds.
    pub threshold: ThresholdRule,
}

impl Construction for DepthTwo {
    fn name(&self) -> String {
        format!("depth-two-{}", self.threshold)
    }

    fn source(&self) -> &'static str {
        match self.threshold {
            ThresholdRule::Zigzag | ThresholdRule::Auto => {
                "Zhang et al. 2017, Theorem 1, our variant"
            }
            ThresholdRule::Data | ThresholdRule::Midpoint => "Zhang et al. 2017, Theorem 1",
        }
    }

    fn statement(&self) -> &'static str {
        match self.threshold {
            ThresholdRule::Zigzag | ThresholdRule::Auto => {
                "n ReLU units with n + d numbers and one sign fit any real labels on any n distinct points"
            }
            ThresholdRule::Data | ThresholdRule::Midpoint => {
                "n ReLU units with 2n + d numbers fit any real labels on any n distinct points"
            }
        }
    }

    fn assumptions(&self) -> &'static [Assumption] {
        &[Assumption::ScalarLabels]
    }

    fn promise(&self, task: &Task) -> Result<Promise, ConstructError> {
        task.scalar()?;
        let (n, d) = (task.points.n() as u64, task.points.d() as u64);
        Ok(Promise {
            depth: Bound::Exactly(2),
            units: Bound::Exactly(n),
            width: Bound::Exactly(n),
            nonzero: Bound::AtMost(n * (d + 2)),
            free: match self.threshold {
                ThresholdRule::Zigzag | ThresholdRule::Auto => n + d,
                ThresholdRule::Data | ThresholdRule::Midpoint => 2 * n + d,
            },
        })
    }

    fn build(&self, task: &Task) -> Result<Network, ConstructError> {
        self.fit_exact(task).map(|fit| Network::TwoLayer(fit.network))
    }
}

/// A network in exact arithmetic, and how it was found.
#[derive(Clone, Debug)]
#[must_use]
pub struct Fit {
    /// The network; its residual is exactly 0.
    pub network: ExactNetwork,
    /// The rule that `auto` stood for.
    pub threshold: ThresholdRule,
    /// Exact projections onto the network's direction, increasing.
    pub z: Lattice,
    /// The points in that order.
    pub order: Vec<u32>,
    /// Directions tried, and those that tied.
    pub tries: (usize, usize),
    /// The distribution or formula that gave the direction.
    pub direction: ChosenDirection,
}

/// A network in floating point, and the order of the points.
#[derive(Clone, Debug)]
#[must_use]
pub struct FloatFit<F> {
    /// The network.
    pub network: TwoLayer<F>,
    /// The rule that `auto` stood for.
    pub threshold: ThresholdRule,
    /// Projections onto the network's direction, increasing.
    pub z: Vec<F>,
    /// The points in that order.
    pub order: Vec<u32>,
}

impl DepthTwo {
    /// The network of Theorem 1 in exact arithmetic.
    ///
    /// ```
    /// use shatter_construct::{DepthTwo, Task};
    /// use shatter_network::evaluate::exact_residual;
    /// use shatter_network::projection::project;
    /// use shatter_exact::Lattice;
    /// use shatter_sample::{self as sample, LabelRule};
    ///
    /// let sample = sample::load("gaussian:n=50,d=3", 1)?.distinct(LabelRule::Random, 1)?;
    /// let task = Task::new(&sample.points, &sample.labels, 1);
    /// let fit = DepthTwo::default().fit_exact(&task)?;
    /// let z = project(&sample.points, &Lattice::from_dyadics(&fit.network.a));
    /// assert_eq!(exact_residual(&fit.network, &z, &sample.labels).fits, 50);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ConstructError::VectorLabels`], [`ConstructError::NoDirection`],
    /// [`ConstructError::WideDirection`], [`ConstructError::WideWeights`].
    pub fn fit_exact(&self, task: &Task) -> Result<Fit, ConstructError> {
        let Task { points, labels, direction, seed } = *task;
        task.scalar()?;
        let rule = match self.threshold {
            ThresholdRule::Auto => ThresholdRule::Zigzag,
            rule => rule,
        };
        let y: Vec<Dyadic> = (0..labels.len()).map(|i| labels.exact_at(i)).collect();
        let labels = Lattice::from_dyadics(&y);
        let cost = |z: &Lattice, order: &[u32]| zigzag_bits(z, &labels.permuted(order));
        let Projection { a, order, z, tries, tied, direction } =
            direction::choose(points, direction, seed, cost)?;
        let y: Vec<Dyadic> = order.iter().map(|&i| y[i as usize].clone()).collect();
        let solution = match rule {
            ThresholdRule::Auto | ThresholdRule::Zigzag => zigzag::exact(&z, &y),
            ThresholdRule::Data => data::exact(&z, &y),
            ThresholdRule::Midpoint => {
                // Each weight carries the gaps before it.
                let n = y.len() as u64;
                let bits = n.saturating_mul(n).saturating_mul(z.bits().max(16) / 2);
                if bits > MOST_WEIGHT_BITS {
                    return Err(ConstructError::WideWeights { rule, bits, n: y.len() });
                }
                midpoint::exact(&z, &y)
            }
        };
        let stretch = solution.stretch;
        let network = ExactNetwork {
            a: (0..a.len()).map(|k| a.get(k).scale(stretch)).collect(),
            b: solution.b,
            w: solution.w,
            c: Dyadic::ZERO,
        };
        let z = Lattice { exponent: z.exponent + stretch, values: z.values };
        Ok(Fit { network, threshold: rule, z, order, tries: (tries, tied), direction })
    }

    /// The network of Theorem 1 in floating point; the slopes are differences of the labels', O(n).
    ///
    /// ```
    /// use shatter_construct::{DepthTwo, Task};
    /// use shatter_sample::{self as sample, LabelRule};
    /// let sample = sample::load("gaussian:n=1000,d=3", 1)?.distinct(LabelRule::True, 1)?;
    /// let task = Task::new(&sample.points, &sample.labels, 1);
    /// let fit = DepthTwo::default().fit_float::<f64>(&task)?;
    /// assert_eq!(fit.network.units(), 1000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`DepthTwo::fit_exact`], and [`ConstructError::Overflow`].
    pub fn fit_float<F: Element>(&self, task: &Task) -> Result<FloatFit<F>, ConstructError> {
        let Task { points, labels, .. } = *task;
        task.scalar()?;
        let Sorted { a, order, mut z } = project_and_sort::<F>(task)?;
        let y: Vec<F> = order.par_iter().map(|&i| F::of(labels.f64_at(i as usize))).collect();
        let rule = match self.threshold {
            ThresholdRule::Auto if points.is_lattice() => ThresholdRule::Zigzag,
            ThresholdRule::Auto => ThresholdRule::Data,
            rule => rule,
        };
        let threshold::FloatSolution { stretch, b, w } = match rule {
            ThresholdRule::Auto | ThresholdRule::Zigzag => zigzag::float(&z, &y),
            ThresholdRule::Data => data::float(&z, &y),
            ThresholdRule::Midpoint => midpoint::float(&z, &y),
        };
        let a: Vec<F> = a.into_iter().map(|a| a * stretch).collect();
        if stretch != F::one() {
            z.iter_mut().for_each(|z| *z *= stretch);
        }
        let finite =
            |what, numbers: &[F]| match first(numbers, |x| !num_traits::Float::is_finite(*x)) {
                Some(index) => Err(ConstructError::Overflow { what, index, format: F::NAME }),
                None => Ok(()),
            };
        finite("coordinate", &a)?;
        finite("threshold", &b)?;
        finite("output weight", &w)?;
        Ok(FloatFit { network: TwoLayer { a, b, w, c: F::zero() }, threshold: rule, z, order })
    }
}

/// About how many bits bound (iii) of float-exactness takes for a zigzag network: the scale, and
/// the sum of all distances from the last projection. Ranks directions, decides nothing.
fn zigzag_bits(z: &Lattice, y: &Lattice) -> f64 {
    let top = z.get(z.len() - 1);
    let sum = match &z.values {
        Integers::Narrow(v) => v.iter().map(|&x| (v[v.len() - 1] - x) as f64).sum::<f64>().log2(),
        Integers::Wide(_) => (0..z.len())
            .fold(Dyadic::ZERO, |sum, i| &sum + &(&top - &z.get(i)))
            .log2_floor()
            .unwrap_or(0) as f64,
    };
    zigzag::stretch(z, y).max(0) as f64 + sum
}

/// A direction in floating point, and the points in the order of their projections.
#[derive(Clone, Debug)]
pub struct Sorted<F> {
    /// The direction, d numbers.
    pub a: Vec<F>,
    /// Point indices by increasing projection.
    pub order: Vec<u32>,
    /// The projections, increasing.
    pub z: Vec<F>,
}

/// The first of the drawn directions whose projections, as computed in `F`, are distinct.
///
/// # Errors
/// [`ConstructError::NoDirection`], [`ConstructError::WideDirection`], [`ConstructError::Overflow`].
pub fn project_and_sort<F: Element>(task: &Task) -> Result<Sorted<F>, ConstructError> {
    let Task { points, direction, seed, .. } = *task;
    let rounded =
        |a: &Lattice| -> Vec<F> { (0..a.len()).map(|k| F::of(a.get(k).round_f64())).collect() };
    let attempt = |a: &Lattice| -> Result<Result<_, Tie>, ConstructError> {
        let a = rounded(a);
        let z = project_float(points, &a);
        if let Some(index) = first(&z, |z| !z.is_finite()) {
            return Err(ConstructError::Overflow { what: "projection", index, format: F::NAME });
        }
        Ok(order_float(&z).map(|(order, z)| Sorted { a, order, z }))
    };
    let mut last_tie = Tie(0, 0);
    let tries = match direction {
        DirectionRule::Auto | DirectionRule::Gaussian => {
            for a in direction::draws(points, direction, seed) {
                match attempt(&a)? {
                    Ok(found) => return Ok(found),
                    Err(tie) => last_tie = tie,
                }
            }
            TRIES
        }
        rule => {
            let exact = direction::choose(points, rule, seed, |_, _| 0.0)?;
            match attempt(&exact.a)? {
                Ok(found) => return Ok(found),
                Err(tie) => last_tie = tie,
            }
            1
        }
    };
    Err(ConstructError::NoDirection {
        rule: direction,
        tries,
        arithmetic: F::NAME,
        first: last_tie.0.min(last_tie.1) as usize,
        second: last_tie.0.max(last_tie.1) as usize,
    })
}
