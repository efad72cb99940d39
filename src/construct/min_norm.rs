//! A linear function fits any labels if the points are linearly independent.
//!
//! **Statement.** f(x) = <w, x> fits any labels on n points of R^d just if the matrix X of points
//! (n × d) has rank n, so n <= d. Of all w that fit, w = Xᵀ(XXᵀ)⁻¹y has the least Euclidean norm. With a
//! bias, f(x) = <w, x> + c, the same holds for the points with a 1 appended (rank [X 1] = n, so
//! n <= d + 1: the points are affinely independent), and the norm is that of (w, c), the bias included.
//!
//! **Source.** Penrose, Proc. Cambridge Phil. Soc. 52 (1956); Zhang et al. 2017, section 5.
//!
//! **Proof.** Rank n makes XXᵀ positive definite, and Xw = XXᵀ(XXᵀ)⁻¹y = y. If Xv = y too, then v − w is
//! orthogonal to the rows of X, and so to w: ‖v‖² = ‖w‖² + ‖v − w‖². If the rank is below n, some
//! labels contradict a linear relation between the points. ∎
//!
//! **Counts.** Depth 1, no hidden units; for labels with k numbers k·d weights and, with bias, k
//! biases. **Bits.** Those of the determinant of XXᵀ: about 2nB for coordinates of B bits. **Cost.** n²d
//! products and one exact n × n system.

use shatter_exact::{Dyadic, IBig, Rational, matrix};
use shatter_network::ExactPoints;
use shatter_network::{Layered, Network, Unit};

use super::ConstructError;
use super::construction::{Assumption, Bound, Construction, Promise, Task};
use super::system;

/// Most points: 512 Gaussian points with d = 784 take about a minute.
pub const MOST_POINTS: usize = 512;

/// The linear function of least norm.
///
/// ```
/// use shatter_construct::{ConstructError, Construction, Task, min_norm::MinNorm};
/// use shatter_sample::{self as sample, LabelRule};
/// let sample = sample::load("gaussian:n=4,d=3", 1)?.distinct(LabelRule::Random, 1)?;
/// let task = Task::new(&sample.points, &sample.labels, 1);
/// assert_eq!(MinNorm { bias: true }.build(&task)?.sizes().depth, 1);
/// let refused = MinNorm { bias: false }.build(&task);
/// assert!(matches!(refused, Err(ConstructError::Rank { rank: 3, n: 4, .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MinNorm {
    /// True if f has a bias.
    pub bias: bool,
}

impl Construction for MinNorm {
    fn name(&self) -> String {
        if self.bias { "min-norm-bias" } else { "min-norm" }.to_owned()
    }

    fn source(&self) -> &'static str {
        "Penrose 1956; Zhang et al. 2017, section 5"
    }

    fn statement(&self) -> &'static str {
        if self.bias {
            "an affine function fits any labels on n affinely independent points"
        } else {
            "a linear function fits any labels on n linearly independent points"
        }
    }

    fn assumptions(&self) -> &'static [Assumption] {
        &[Assumption::Independent]
    }

    fn promise(&self, task: &Task) -> Result<Promise, ConstructError> {
        system::limit_points(self.name(), task.points.n(), MOST_POINTS)?;
        let inputs = task.points.d() as u64 + u64::from(self.bias);
        let numbers = inputs * task.labels.outputs() as u64;
        Ok(Promise {
            depth: Bound::Exactly(1),
            units: Bound::Exactly(0),
            width: Bound::Exactly(0),
            nonzero: Bound::AtMost(numbers),
            free: numbers,
        })
    }

    fn build(&self, task: &Task) -> Result<Network, ConstructError> {
        self.promise(task)?;
        let (n, d) = (task.points.n(), task.points.d());
        let one = self.bias.then_some(Dyadic::ONE);
        let row = |i: usize| {
            (0..d).map(|k| task.points.exact_at(i, k)).chain(one.clone()).collect::<Vec<Dyadic>>()
        };
        let x: Vec<Vec<Dyadic>> = (0..n).map(row).collect();
        let what = if self.bias { "the points, each with a 1," } else { "the points" };
        let rational = |row: &Vec<Dyadic>| row.iter().map(Dyadic::to_rational).collect();
        let rank = matrix::rank(&x.iter().map(rational).collect::<Vec<Vec<Rational>>>());
        if rank < n {
            return Err(ConstructError::Rank { what, rank, n });
        }
        let products =
            |x_i: &Vec<Dyadic>| x.iter().map(|x_j| dot(x_i, x_j).to_rational()).collect();
        let gram: Vec<Vec<Rational>> = x.iter().map(products).collect();
        let solutions = system::solve(&gram, &system::right_sides(task.labels), what)?;
        let output = |solution: &Vec<Rational>| {
            let mut weights = combination(solution, &x);
            let bias = if self.bias { weights.pop() } else { None };
            Unit::affine(weights.into_iter().enumerate(), bias.unwrap_or(Rational::ZERO))
        };
        Ok(Network::Layered(Layered {
            inputs: d,
            hidden: Vec::new(),
            output: solutions.iter().map(output).collect(),
        }))
    }
}

fn dot(x: &[Dyadic], y: &[Dyadic]) -> Dyadic {
    x.iter().zip(y).fold(Dyadic::ZERO, |sum, (x, y)| &sum + &(x * y))
}

/// Σ_i α_i x_i, over the common denominator of the α: fractions are reduced once, not n times.
fn combination(alpha: &[Rational], x: &[Vec<Dyadic>]) -> Vec<Rational> {
    let (numerators, denominator) = matrix::over_common_denominator(alpha);
    let numerators: Vec<Dyadic> = numerators.into_iter().map(|x| Dyadic::new(x, 0)).collect();
    let inverse = Rational::from_parts_signed(IBig::ONE, denominator);
    let number = |k: usize| {
        let terms = numerators.iter().zip(x).map(|(alpha, x)| alpha * &x[k]);
        terms.fold(Dyadic::ZERO, |sum, term| &sum + &term).to_rational() * &inverse
    };
    (0..x.first().map_or(0, Vec::len)).map(number).collect()
}
