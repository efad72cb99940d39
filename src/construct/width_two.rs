//! Two units a layer are enough, if the network is deep.
//!
//! **Statement.** Any n distinct points of R^d with any real labels are fitted by a ReLU network of
//! depth n + 1, width at most 2, with 2n − 1 units and at most 4n + d − 1 weights and biases that are
//! not 0 (n >= 3). Width 1 is not enough (`proofs/theories/Width1.v`).
//!
//! **Source.** An application of the max–min strings of Hanin and Sellke (2017) to finite samples.
//!
//! **Construction.** Let z_1 < … < z_n be projections with z_1 = 0, M = (max y − min y)/min gap, F_1 = y_1.
//! For j = 2, …, n let σ_j = 1 if F_{j−1}(z_j) < y_j, else −1, and l_j(z) = y_j + σ_j M (z − z_j), a line so
//! steep that it lies on the far side of every earlier label. Then
//!
//! ```text
//! F_j = max(F_{j−1}, l_j)  (σ_j = 1)  or  min(F_{j−1}, l_j)  (σ_j = −1)   =  l_j + σ_j ReLU(σ_j (F_{j−1} − l_j))
//! ```
//!
//! passes through (z_j, y_j) and keeps every earlier value. Each step is a hidden layer with two
//! units, z and r_j = ReLU(σ_j(F_{j−1} − l_j)); F_{j−1} is affine in the units before.
//!
//! **Proof.** `proofs/theories/Width2.v`. **Cost.** O(nd + n log n) to project and sort, O(n²) fractions
//! to find the signs.

use crate::exact::{Lattice, Rational};
use crate::network::layered::{Layered, Unit};
use crate::sample::{Labels, Points};

use super::ConstructError;
use super::direction::{self, DirectionRule};

/// l(z) = slope · z + offset, and the sign with which it entered.
struct Line {
    slope: Rational,
    offset: Rational,
    sigma: Rational,
}

impl Line {
    fn at(&self, z: &Rational) -> Rational {
        &self.slope * z + &self.offset
    }
}

/// The network of width 2.
///
/// ```
/// use shatter::construct::{DirectionRule, width_two};
/// use shatter::sample::{self, LabelRule};
/// let sample = sample::load("gaussian:n=8,d=3", 1)?.distinct(LabelRule::Random, 1)?;
/// let network = width_two::fit(&sample.points, &sample.labels, DirectionRule::Auto, 1)?;
/// let sizes = network.sizes();
/// assert_eq!((sizes.depth, sizes.width, sizes.units), (9, 2, 15));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ConstructError::VectorLabels`], [`ConstructError::NoDirection`], [`ConstructError::WideDirection`].
pub fn fit(
    points: &Points,
    labels: &Labels,
    rule: DirectionRule,
    seed: u64,
) -> Result<Layered, ConstructError> {
    if labels.outputs() != 1 {
        return Err(ConstructError::VectorLabels { outputs: labels.outputs() });
    }
    // Bits of the projections are what the numbers here are made of.
    let cost = |z: &Lattice, _: &[u32]| z.bits() as f64;
    let found = direction::choose(points, rule, seed, cost)?;
    let n = points.n();
    let first = found.z.get(0);
    let z: Vec<Rational> = (0..n).map(|i| (&found.z.get(i) - &first).to_rational()).collect();
    let y: Vec<Rational> =
        found.order.iter().map(|&i| labels.exact_at(i as usize).to_rational()).collect();
    let lines = lines(&z, &y);

    let one = || Rational::ONE;
    let a = (0..found.a.len()).map(|k| (k, found.a.get(k).to_rational()));
    let mut hidden = vec![vec![Unit::new(a, -first.to_rational())]];
    for pair in lines.windows(2) {
        // σ'(F − l') with F = l + σ r, and r the second unit before (none before the first step).
        let (line, next) = (&pair[0], &pair[1]);
        let on_z = &next.sigma * (&line.slope - &next.slope);
        let bias = &next.sigma * (&line.offset - &next.offset);
        let carried = (hidden.len() > 1).then(|| (1, &next.sigma * &line.sigma));
        let step = Unit::new([(0, on_z)].into_iter().chain(carried), bias);
        hidden.push(vec![Unit::new([(0, one())], Rational::ZERO), step]);
    }
    let last = &lines[lines.len() - 1];
    let carried = (n > 1).then(|| (1, last.sigma.clone()));
    let weights = [(0, last.slope.clone())].into_iter().chain(carried);
    let output = vec![Unit::new(weights, last.offset.clone())];
    Ok(Layered { inputs: points.d(), hidden, output })
}

/// The lines l_1 = y_1, l_2, …, l_n.
fn lines(z: &[Rational], y: &[Rational]) -> Vec<Line> {
    let gaps = z.windows(2).map(|z| &z[1] - &z[0]);
    let (least, most) = (y.iter().min(), y.iter().max());
    let steepness = match (gaps.min(), least, most) {
        (Some(gap), Some(least), Some(most)) => (most - least) / gap,
        _ => Rational::ZERO,
    };
    let start = Line { slope: Rational::ZERO, offset: y[0].clone(), sigma: Rational::ZERO };
    let mut lines = vec![start];
    for (z, y) in z.iter().zip(y).skip(1) {
        // F_{j−1} at z_j: from the first line through every maximum and minimum.
        let value = lines[1..].iter().fold(lines[0].at(z), |value, line| {
            let other = line.at(z);
            if line.sigma > Rational::ZERO { value.max(other) } else { value.min(other) }
        });
        let sigma = if value < *y { Rational::ONE } else { -Rational::ONE };
        let slope = &sigma * &steepness;
        let offset = y - &slope * z;
        lines.push(Line { slope, offset, sigma });
    }
    lines
}
