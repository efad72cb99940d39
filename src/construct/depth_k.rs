//! Corollary 1 of Zhang, Bengio, Hardt, Recht and Vinyals (ICLR 2017): any depth from 3 to n + 2.
//!
//! **Statement.** For 3 <= k <= n + 2 a ReLU network of depth k with n + 1 + 3(k − 3) units, at most
//! 3n + d + 3(k − 3) weights and biases that are not 0, and width n (k = 3), at most g + 2 (k = 4), at
//! most g + 3 (k >= 5), g = ⌈n/(k − 2)⌉, fits any labels on any n distinct points.
//!
//! **Construction** (wiring of this project). From the network of Theorem 1 with thresholds
//! b_1 <= z_1 < b_2 < …: the first layer computes z = ReLU(<a, x> − b_1), which is <a, x> − b_1 on
//! the sample. The n knots b_j − b_1 are cut into L = k − 2 groups of g. Layer h + 1 carries z
//! (while there are groups to come), computes u_j = ReLU(z − (b_j − b_1)) for its group, and adds
//! the group before to two sums that are never negative, P of the terms with w_j > 0 and Q of those
//! with w_j < 0, so that ReLU passes them unchanged. The output is P − Q + Σ w_j u_j over the last
//! group. The corollary says "for every k": a network of depth k needs k weights, so k is at
//! most n + 2 here.
//!
//! **Proof.** `proofs/theories/Corollary1.v`. **Cost.** O(n + d + k).

use shatter_exact::{Dyadic, Rational};
use shatter_network::{ExactNetwork, Layered, Network, Unit};

use super::ConstructError;
use super::construction::{Assumption, Bound, Construction, Promise, Task};
use super::depth_two::DepthTwo;
use super::threshold::ThresholdRule;

/// The construction of one depth, from the zigzag network: all its numbers are dyadic.
///
/// ```
/// use shatter_construct::{Construction, Task, depth_k::DepthK};
/// use shatter_sample::{self as sample, LabelRule};
/// let sample = sample::load("lattice:n=20,d=3", 1)?.distinct(LabelRule::Random, 1)?;
/// let network = DepthK { depth: 6 }.build(&Task::new(&sample.points, &sample.labels, 1))?;
/// assert_eq!((network.sizes().depth, network.sizes().units), (6, 20 + 1 + 3 * 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DepthK {
    /// k.
    pub depth: usize,
}

impl Construction for DepthK {
    fn name(&self) -> String {
        format!("depth-{}", self.depth)
    }

    fn source(&self) -> &'static str {
        "Zhang et al. 2017, Corollary 1, our wiring"
    }

    fn statement(&self) -> &'static str {
        "depth k, 3 <= k <= n + 2, with about n/(k − 2) units a layer fits any real labels on any n distinct points"
    }

    fn assumptions(&self) -> &'static [Assumption] {
        &[Assumption::ScalarLabels]
    }

    fn promise(&self, task: &Task) -> Result<Promise, ConstructError> {
        task.scalar()?;
        let (n, d) = (task.points.n(), task.points.d());
        if !(3..=n + 2).contains(&self.depth) {
            return Err(ConstructError::Depth { depth: self.depth, n });
        }
        let (n, d, k) = (n as u64, d as u64, self.depth as u64);
        let group = n.div_ceil(k - 2);
        Ok(Promise {
            depth: Bound::Exactly(k),
            units: Bound::Exactly(n + 1 + 3 * (k - 3)),
            width: match k {
                3 => Bound::Exactly(n),
                4 => Bound::AtMost(group + 2),
                _ => Bound::AtMost(group + 3),
            },
            nonzero: Bound::AtMost(3 * n + d + 3 * (k - 3)),
            free: n + d,
        })
    }

    fn build(&self, task: &Task) -> Result<Network, ConstructError> {
        let two = DepthTwo { threshold: ThresholdRule::Zigzag }.fit_exact(task)?.network;
        Ok(Network::Layered(deepen(&two, self.depth)?))
    }
}

/// The network of depth `k` that equals `network` wherever <a, x> >= b_1 (on all points that
/// `network` was built for).
///
/// ```
/// use shatter_construct::{DepthTwo, Task, depth_k};
/// use shatter_sample::{self as sample, LabelRule};
/// let sample = sample::load("lattice:n=20,d=3", 1)?.distinct(LabelRule::Random, 1)?;
/// let task = Task::new(&sample.points, &sample.labels, 1);
/// let two = DepthTwo::default().fit_exact(&task)?.network;
/// let deep = depth_k::deepen(&two, 6)?;
/// assert_eq!((deep.sizes().depth, deep.sizes().units), (6, 20 + 1 + 3 * 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ConstructError::Depth`] unless 3 <= k <= n + 2.
pub fn deepen(network: &ExactNetwork, k: usize) -> Result<Layered, ConstructError> {
    let n = network.units();
    if !(3..=n + 2).contains(&k) {
        return Err(ConstructError::Depth { depth: k, n });
    }
    let one = || Rational::ONE;
    let first = network.b[0].clone();
    let a = network.a.iter().map(Dyadic::to_rational).enumerate();
    let mut hidden = vec![vec![Unit::relu(a, -first.to_rational())]];
    // Knots relative to the first, and their weights, group by group.
    let knots: Vec<(Rational, &Rational)> =
        network.b.iter().zip(&network.w).map(|(b, w)| ((b - &first).to_rational(), w)).collect();
    let layers = k - 2;
    let size = n.div_ceil(layers);
    let groups: Vec<&[(Rational, &Rational)]> =
        (0..layers).map(|h| &knots[(h * size).min(n)..((h + 1) * size).min(n)]).collect();
    let mut before: &[(Rational, &Rational)] = &[];
    for (h, group) in groups.iter().enumerate() {
        let mut layer = Vec::new();
        if h + 1 < layers {
            layer.push(Unit::relu([(0, one())], Rational::ZERO));
        }
        layer.extend(group.iter().map(|(knot, _)| Unit::relu([(0, one())], -knot.clone())));
        if h > 0 {
            layer.push(sum(before, h, |w| w.clone(), 0));
            layer.push(sum(before, h, |w| -w.clone(), 1));
        }
        hidden.push(layer);
        before = group;
    }
    // The last layer carries no z: its group comes first, then P and Q.
    let last = before.iter().enumerate().map(|(j, (_, w))| (j, (*w).clone()));
    let sums = [(before.len(), one()), (before.len() + 1, -one())];
    let sums = sums.into_iter().filter(|_| layers > 1);
    let output = vec![Unit::affine(last.chain(sums), network.c.to_rational())];
    Ok(Layered { inputs: network.d(), hidden, output })
}

/// P (or Q) after the group `before`, whose layer holds z, the group, and from the second group on
/// the two sums; `part` is what of a weight counts, where it is positive.
fn sum(
    before: &[(Rational, &Rational)],
    h: usize,
    part: impl Fn(&Rational) -> Rational,
    which: usize,
) -> Unit {
    let terms = before.iter().enumerate().map(|(j, (_, w))| (1 + j, part(w)));
    let terms = terms.filter(|(_, w)| *w > Rational::ZERO);
    let carried = (h > 1).then(|| (1 + before.len() + which, Rational::ONE));
    Unit::relu(terms.chain(carried), Rational::ZERO)
}
