//! Interpolation with a kernel that is rational, and so exact.
//!
//! **Statement.** For n distinct points and any labels there are coefficients α with
//! f(x) = Σ_i α_i / (1 + ‖x − x_i‖²) equal to the labels at the points.
//!
//! **Source.** Schoenberg, Annals of Mathematics 39 (1938): completely monotone functions of ‖x‖² are
//! positive definite. The kernel is the inverse quadratic.
//!
//! **Proof.** 1/(1 + r²) = ∫_0^∞ e^{−s} e^{−s r²} ds. Gaussian kernels of distinct points are strictly
//! positive definite, so their mixture is, and the matrix K of the kernel is nonsingular. ∎
//!
//! **Network.** ‖x − x_i‖² = S − 2<x_i, x> + ‖x_i‖² with S = ‖x‖², which is computed once:
//!
//! | layer | units | numbers |
//! |---|---|---|
//! | 1 | x_k² and x_k for each k: d squares, d identities | 2d |
//! | 2 | S = Σ_k x_k², and x_k: d + 1 identities | 2d |
//! | 3 | 1/(S − 2<x_i, x> + 1 + ‖x_i‖²) for each i: n reciprocals, never of 0 | n(d + 2) |
//! | output | Σ_i α_i · unit i, for each of k outputs | kn |
//!
//! Depth 4, d + n units, width max(2d, n), at most 4d + n(d + 2 + k) numbers that are not 0. (With the
//! squares fed to each reciprocal depth 3 is enough, for 2d + n(2d + 1 + k) numbers: more for d >= 2 and
//! n > 2d/(d − 1).) Chosen are the centres and the coefficients: n(d + k) numbers.
//!
//! **Bits.** The n(n − 1)/2 distances are different denominators of B bits: a coefficient may
//! need a numerator and a denominator of n²B bits. That limits n: beyond n²B = 2^17 the sample is refused
//! (about 35 Gaussian points, or 100 integer points with coordinates below 100, which take 4 to 10 s to
//! solve for). **Cost.** n²d products and one exact n × n system.

use shatter_exact::{Dyadic, Rational};
use shatter_network::ExactPoints;
use shatter_network::{Activation, Layered, Network, Unit};

use super::ConstructError;
use super::construction::{Assumption, Bound, Construction, Promise, Task};
use super::system;

/// The construction; it has no parameters.
///
/// ```
/// use shatter_construct::{Construction, Task, rational_kernel::RationalKernel};
/// use shatter_sample::{self as sample, LabelRule};
/// let sample = sample::load("lattice:n=8,d=3,range=100", 1)?.distinct(LabelRule::Random, 1)?;
/// let network = RationalKernel.build(&Task::new(&sample.points, &sample.labels, 1))?;
/// assert_eq!((network.sizes().depth, network.sizes().units), (4, 3 + 8));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RationalKernel;

impl Construction for RationalKernel {
    fn name(&self) -> String {
        "rational-kernel".to_owned()
    }

    fn source(&self) -> &'static str {
        "Schoenberg 1938"
    }

    fn statement(&self) -> &'static str {
        "kernel 1/(1 + |x − x'|²): n coefficients fit any labels on any n distinct points"
    }

    fn assumptions(&self) -> &'static [Assumption] {
        &[]
    }

    fn promise(&self, task: &Task) -> Result<Promise, ConstructError> {
        system::limit_points(self.name(), task.points.n(), system::MOST_POINTS)?;
        let (n, d) = (task.points.n() as u64, task.points.d() as u64);
        let outputs = task.labels.outputs() as u64;
        Ok(Promise {
            depth: Bound::Exactly(4),
            units: Bound::Exactly(d + n),
            width: Bound::Exactly(n.max(2 * d)),
            nonzero: Bound::AtMost(4 * d + n * (d + 2 + outputs)),
            free: n * (d + outputs),
        })
    }

    fn build(&self, task: &Task) -> Result<Network, ConstructError> {
        self.promise(task)?;
        let (n, d) = (task.points.n(), task.points.d());
        let row = |i: usize| (0..d).map(|k| task.points.exact_at(i, k)).collect();
        let x: Vec<Vec<Dyadic>> = (0..n).map(row).collect();
        let kernel: Vec<Vec<Rational>> = x
            .iter()
            .map(|x_i| {
                let entry = |x_j: &Vec<Dyadic>| {
                    let difference: Vec<Dyadic> = x_i.iter().zip(x_j).map(|(p, q)| p - q).collect();
                    Rational::ONE / one_plus_square(&difference)
                };
                x.iter().map(entry).collect()
            })
            .collect();
        system::limit_bits(self.name(), &kernel)?;
        let alpha = system::solve(&kernel, &system::right_sides(task.labels), "the kernels")?;

        let one = || Rational::ONE;
        let pick = |from: usize| Unit::affine([(from, one())], Rational::ZERO);
        let square = |k: usize| Unit::new(Activation::Square, [(k, one())], Rational::ZERO);
        let sum = Unit::affine((0..d).map(|k| (k, one())), Rational::ZERO);
        let reciprocal = |x_i: &Vec<Dyadic>| {
            let twice = x_i.iter().map(|x| -x.scale(1).to_rational());
            let weights = [one()].into_iter().chain(twice).enumerate();
            Unit::new(Activation::Reciprocal, weights, one_plus_square(x_i))
        };
        Ok(Network::Layered(Layered {
            inputs: d,
            hidden: vec![
                (0..d).map(square).chain((0..d).map(pick)).collect(),
                [sum].into_iter().chain((d..2 * d).map(pick)).collect(),
                x.iter().map(reciprocal).collect(),
            ],
            output: system::outputs(alpha),
        }))
    }
}

/// 1 + ‖x‖².
fn one_plus_square(x: &[Dyadic]) -> Rational {
    x.iter().fold(Dyadic::ONE, |sum, x| &sum + &(x * x)).to_rational()
}
