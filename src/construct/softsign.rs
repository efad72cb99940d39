//! n units of a bounded activation with limits at both ends are enough: the softsign, exactly.
//!
//! **Statement.** Any n distinct points of R^d with any real labels are fitted by
//! f(x) = Σ_j w_j s(λ(<a, x> − τ_j)) with s(t) = t/(1 + |t|): depth 2, n units, 2n + d numbers
//! (λa, λτ and w), at most n(d + 2) weights and biases that are not 0.
//!
//! **Source.** Huang and Babri, IEEE Transactions on Neural Networks 9 (1998), for any bounded
//! nonlinear activation with a limit at one infinity.
//!
//! **Construction.** Let z_1 < … < z_n be projections, γ their least gap (1 for a single point),
//! τ_1 = z_1 − γ/2 and τ_j = (z_{j−1} + z_j)/2 the thresholds, T = 2n, λ the least power of two with
//! λγ/2 >= T: a larger λ keeps the proof, and a power of two only moves the binary point.
//! Solve Hw = y with H_ij = s(λ(z_i − τ_j)).
//!
//! **Proof that H is invertible, with ‖H⁻¹‖_∞ < 2.** |λ(z_i − τ_j)| >= T, and z_i > τ_j just if i >= j.
//! So H = M − E with M_ij = 1 for i >= j, −1 for i < j, and |E_ij| <= 1/(1 + T). M = 2L − J (L the lower
//! triangle of ones, J all ones) has rows m_i with m_{i+1} − m_i = 2e_{i+1} and m_1 + m_n = 2e_1: each row
//! of M⁻¹ is two halves up to signs (or a single 1 for n = 1), ‖M⁻¹‖_∞ = 1. Then
//! ‖M⁻¹E‖_∞ <= n/(1 + 2n) < 1/2, and H = M(I − M⁻¹E), where I − M⁻¹E is diagonally dominant:
//! ‖H⁻¹‖_∞ <= 1/(1 − 1/2) strictly. ∎
//!
//! **Bits.** The n² entries of H have different denominators of B bits (those of the projections over
//! their grid), so a weight may need a numerator and a denominator of n²B bits. That limits n: beyond
//! n²B = 2^17 the sample is refused (with d = 3: 44 Gaussian points, or 90 of integers below 100; 40 and
//! 80 of them took 5 s to solve for). **Cost.** O(nd + n log n) and one exact n × n system.

use shatter_exact::{Dyadic, Rational};
use shatter_network::{Activation, Layered, Network, Unit};

use super::ConstructError;
use super::construction::{Assumption, Bound, Construction, Promise, Task};
use super::line::Line;
use super::system;

/// The construction; it has no parameters.
///
/// ```
/// use shatter_construct::{Construction, Task, softsign::Softsign};
/// use shatter_sample::{self as sample, LabelRule};
/// let sample = sample::load("lattice:n=8,d=3,range=100", 1)?.distinct(LabelRule::Random, 1)?;
/// let network = Softsign.build(&Task::new(&sample.points, &sample.labels, 1))?;
/// assert_eq!((network.sizes().depth, network.sizes().units), (2, 8));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Softsign;

impl Construction for Softsign {
    fn name(&self) -> String {
        "softsign".to_owned()
    }

    fn source(&self) -> &'static str {
        "Huang and Babri 1998"
    }

    fn statement(&self) -> &'static str {
        "n softsign units with 2n + d numbers fit any real labels on any n distinct points"
    }

    fn assumptions(&self) -> &'static [Assumption] {
        &[Assumption::ScalarLabels]
    }

    fn promise(&self, task: &Task) -> Result<Promise, ConstructError> {
        task.scalar()?;
        system::limit_points(self.name(), task.points.n(), system::MOST_POINTS)?;
        let (n, d) = (task.points.n() as u64, task.points.d() as u64);
        Ok(Promise {
            depth: Bound::Exactly(2),
            units: Bound::Exactly(n),
            width: Bound::Exactly(n),
            nonzero: Bound::AtMost(n * (d + 2)),
            free: 2 * n + d,
        })
    }

    fn build(&self, task: &Task) -> Result<Network, ConstructError> {
        self.promise(task)?;
        let line = Line::of(task)?;
        let h = matrix(&line.z);
        system::limit_bits(self.name(), &h)?;
        let y = line.y.iter().map(Dyadic::to_rational).collect();
        let weights = system::solve(&h, &[y], "the softsign units")?;
        let (power, thresholds) = steps(&line.z);
        let scaled = |x: &Dyadic| x.scale(power).to_rational();
        let a: Vec<Rational> = line.a.iter().map(scaled).collect();
        let unit = |threshold: &Dyadic| {
            let weights = a.iter().cloned().enumerate();
            Unit::new(Activation::Softsign, weights, -scaled(threshold))
        };
        Ok(Network::Layered(Layered {
            inputs: task.points.d(),
            hidden: vec![thresholds.iter().map(unit).collect()],
            output: system::outputs(weights),
        }))
    }
}

/// H_ij = s(λ(z_i − τ_j)) for increasing projections.
///
/// ```
/// use shatter_construct::softsign::matrix;
/// use shatter_exact::{Dyadic, Rational};
/// // T = 2, λ = 4, t = 2
/// assert_eq!(matrix(&[Dyadic::ZERO]), [[Rational::from_parts(2.into(), 3u8.into())]]);
/// ```
pub fn matrix(z: &[Dyadic]) -> Vec<Vec<Rational>> {
    let (power, thresholds) = steps(z);
    let entry = |z: &Dyadic, threshold: &Dyadic| {
        Activation::Softsign.apply((z - threshold).scale(power).to_rational())
    };
    z.iter().map(|z| thresholds.iter().map(|threshold| entry(z, threshold)).collect()).collect()
}

/// log2 λ, and the thresholds.
fn steps(z: &[Dyadic]) -> (i64, Vec<Dyadic>) {
    let gap = z.windows(2).map(|z| &z[1] - &z[0]).min().unwrap_or(Dyadic::ONE);
    // λ · gap >= 4n, for the least power of two λ.
    let wanted = Dyadic::from(4 * z.len() as i64);
    let power = match (wanted.log2_floor(), gap.log2_floor()) {
        (Some(wanted_top), Some(gap_top)) => {
            let power = wanted_top - gap_top;
            if gap.scale(power) >= wanted { power } else { power + 1 }
        }
        _ => 0,
    };
    let first = z.first().map(|z| z - &gap.scale(-1));
    let between = z.windows(2).map(|z| (&z[0] + &z[1]).scale(-1));
    (power, first.into_iter().chain(between).collect())
}
