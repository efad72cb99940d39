//! Random ReLU features, wide enough, fit any labels.
//!
//! **Statement.** Let Φ (n × m) hold the values of m random features ReLU(<w_j, x> − t_j) at n distinct
//! points. If Φ has rank n, output weights fit any labels; and with the features drawn as below, the rank
//! is n with a probability that tends to 1 as m grows (n <= 35; see the proof).
//!
//! **Source.** Rahimi and Recht, Weighted sums of random kitchen sinks (2008), for random features with
//! fitted output weights; breaks placed between points after Bolager et al., Sampling weights of deep
//! neural networks (2023), simplified.
//!
//! **Features.** w is standard normal, rounded to multiples of 2^-8. A Gaussian bias would be useless
//! where the points are far from 0 compared with their distances: every feature would be affine on the
//! sample, or dead. So t is scaled to the data: of the gaps between neighbouring values <w, x_i>, and
//! the one before the first, one is drawn, each equally likely, and t is in its middle (before the
//! first value it is half the next gap away, or 1/2).
//!
//! **Proof.** If w tells the points apart, the n features of its n gaps are the columns of a triangular
//! matrix with a positive diagonal (Lemma 1), so all features together have rank n. Two points that
//! differ in coordinate k tie for at most one value of w_k, given the other weights, and no value has a
//! probability above 2^-8/√(2π) < 0.0016: all n(n − 1)/2 pairs are told apart with probability at least
//! 1 − 0.0008 n(n − 1) > 0 for n <= 35. Then, with probability tending to 1, a basis is among m draws. ∎
//! For larger n the statement rests on this: that some w within the range of the generator tells the
//! points apart; the rank is decided exactly in every case. On a line this is the coupon collector's
//! problem: m near n ln n.
//!
//! **Width.** As asked, or 2n, doubled up to [`DOUBLINGS`] times until the rank is n. The rank is decided
//! exactly. Output weights are solved for on n independent columns; the others would have weight 0 and are
//! left out of the network.
//!
//! **Counts.** Depth 2, n units, for labels with k numbers at most n(d + 1 + k) weights and biases that are
//! not 0, and as many free numbers. **Bits.** About nB for an output weight, with features of B bits.
//! **Cost.** n²m multiplications modulo a prime, and one exact n × n system.

use shatter_exact::{Dyadic, Lattice, Rational, matrix};
use shatter_network::projection::project;
use shatter_network::{Activation, Layered, Network, Unit};
use shatter_random::stream::{Purpose, below, stream};
use shatter_sample::Points;

use super::ConstructError;
use super::construction::{Assumption, Bound, Construction, Promise, Task};
use super::direction::normal;
use super::system;

/// Doublings of the default width, which begins at 2n.
pub const DOUBLINGS: u32 = 6;
/// Largest width: what doubling may come to.
pub const MOST_WIDTH: usize = (2 * system::MOST_POINTS) << DOUBLINGS;
/// Fractional bits of the weights of a feature.
const BITS: i64 = 8;
/// Fractional bits where nothing is built.
const FINE_BITS: i64 = 16;

/// m random features, of which n are used.
///
/// ```
/// use shatter_construct::{ConstructError, Construction, Task, random_features::RandomFeatures};
/// use shatter_sample::{self as sample, LabelRule};
/// let sample = sample::load("gaussian:n=8,d=3", 1)?.distinct(LabelRule::Random, 1)?;
/// let task = Task::new(&sample.points, &sample.labels, 1);
/// assert_eq!(RandomFeatures { width: None }.build(&task)?.sizes().units, 8);
/// let refused = RandomFeatures { width: Some(7) }.build(&task);
/// assert!(matches!(refused, Err(ConstructError::Rank { n: 8, .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RandomFeatures {
    /// m, or as many as it takes.
    pub width: Option<usize>,
}

impl Construction for RandomFeatures {
    fn name(&self) -> String {
        match self.width {
            None => "random-features".to_owned(),
            Some(width) => format!("random-features-{width}"),
        }
    }

    fn source(&self) -> &'static str {
        "after Rahimi and Recht 2008"
    }

    fn statement(&self) -> &'static str {
        "enough random ReLU features fit any labels on any n distinct points"
    }

    fn assumptions(&self) -> &'static [Assumption] {
        &[]
    }

    fn promise(&self, task: &Task) -> Result<Promise, ConstructError> {
        system::limit_points(self.name(), task.points.n(), system::MOST_POINTS)?;
        if let Some(width) = self.width.filter(|&width| width > MOST_WIDTH) {
            let (construction, n) = (self.name(), task.points.n());
            let why = format!("{width} features are more than {MOST_WIDTH}");
            return Err(ConstructError::TooLarge { construction, n, why });
        }
        let (n, d) = (task.points.n() as u64, task.points.d() as u64);
        let numbers = n * (d + 1 + task.labels.outputs() as u64);
        Ok(Promise {
            depth: Bound::Exactly(2),
            units: Bound::Exactly(n),
            width: Bound::Exactly(n),
            nonzero: Bound::AtMost(numbers),
            free: numbers,
        })
    }

    fn build(&self, task: &Task) -> Result<Network, ConstructError> {
        self.promise(task)?;
        let features = self.basis(task)?;
        let phi = values(&features, task.points);
        let right = system::right_sides(task.labels);
        let weights = system::solve(&phi, &right, "the random features")?;
        let unit = |feature: &Feature| {
            let weights = feature.w.iter().map(Dyadic::to_rational).enumerate();
            Unit::relu(weights, -feature.t.to_rational())
        };
        Ok(Network::Layered(Layered {
            inputs: task.points.d(),
            hidden: vec![features.iter().map(unit).collect()],
            output: system::outputs(weights),
        }))
    }
}

impl RandomFeatures {
    /// n features that are independent on the points.
    fn basis(&self, task: &Task) -> Result<Vec<Feature>, ConstructError> {
        let n = task.points.n();
        let mut rng = stream(task.seed, Purpose::Features);
        let (mut features, mut rank): (Vec<Feature>, usize) = (Vec::new(), 0);
        let doublings = if self.width.is_some() { 0 } else { DOUBLINGS };
        for doubling in 0..=doublings {
            let width = self.width.unwrap_or((2 * n) << doubling);
            features.resize_with(width, || Feature::between(task.points, &mut rng));
            let basis = matrix::independent_columns(&values(&features, task.points));
            rank = basis.len();
            if rank == n {
                return Ok(basis.into_iter().map(|j| features[j].clone()).collect());
            }
        }
        Err(ConstructError::Rank { what: "the random features", rank, n })
    }
}

/// x ↦ ReLU(<w, x> − t).
#[derive(Clone, Debug)]
struct Feature {
    w: Vec<Dyadic>,
    t: Dyadic,
}

impl Feature {
    /// A feature that breaks in a random gap of the points.
    fn between(points: &Points, rng: &mut impl rand::Rng) -> Feature {
        let w: Vec<Dyadic> = (0..points.d()).map(|_| normal(rng, BITS)).collect();
        let z = project(points, &Lattice::from_dyadics(&w));
        let mut z: Vec<Dyadic> = (0..z.len()).map(|i| z.get(i)).collect();
        z.sort_unstable();
        z.dedup();
        let first_gap = z.get(1).map_or(Dyadic::ONE, |second| second - &z[0]);
        z.insert(0, &z[0] - &first_gap);
        let gap = below(rng, z.len() as u64 - 1) as usize;
        let t = (&z[gap] + &z[gap + 1]).scale(-1);
        Feature { w, t }
    }

    /// A feature of standard normal weights and bias.
    fn normal(d: usize, rng: &mut impl rand::Rng) -> Feature {
        let w = (0..d).map(|_| normal(rng, FINE_BITS)).collect();
        Feature { w, t: normal(rng, FINE_BITS) }
    }
}

/// The values of the features: a row for each point.
fn values(features: &[Feature], points: &Points) -> Vec<Vec<Rational>> {
    let mut rows = vec![Vec::with_capacity(features.len()); points.n()];
    for feature in features {
        let z = project(points, &Lattice::from_dyadics(&feature.w));
        for (i, row) in rows.iter_mut().enumerate() {
            row.push(Activation::Relu.apply((&z.get(i) - &feature.t).to_rational()));
        }
    }
    rows
}

/// The rank on the points of `width` features with plain standard normal weights and biases
/// (multiples of 2^-16). Of width n they often have a smaller rank than n: for n = 1 the only feature
/// is dead with probability 1/2.
///
/// ```
/// use shatter_construct::random_features::feature_rank;
/// use shatter_sample::{Points, Values};
/// let points = Points::new(Values::F64(vec![1.0]), vec![1])?;
/// let dead = (0..100).filter(|&seed| feature_rank(&points, 1, seed) == 0).count();
/// assert!((30..70).contains(&dead));
/// # Ok::<(), shatter_sample::SampleError>(())
/// ```
pub fn feature_rank(points: &Points, width: usize, seed: u64) -> usize {
    let mut rng = stream(seed, Purpose::Features);
    let features: Vec<Feature> =
        (0..width).map(|_| Feature::normal(points.d(), &mut rng)).collect();
    matrix::rank(&values(&features, points))
}
