//! Residual blocks of one ReLU unit each.
//!
//! **Statement.** Any n distinct points of R^d with any real labels are fitted by a residual network
//! of n blocks of one unit each: from h = (x, 0) ∈ R^{d+1},
//!
//! ```text
//! h <- h + w_j e_{d+1} ReLU(<a, h> − b_j)    (j = 1, …, n),    f(x) = <e_{d+1}, h>
//! ```
//!
//! with a ∈ R^{d+1}, a_{d+1} = 0, b, w ∈ R^n: 2n + d numbers.
//!
//! **Source.** A simple relative of Hardt and Ma 2017, who need unit vectors apart from one another;
//! this is Theorem 1 of Zhang et al. 2017 written block after block.
//!
//! **Construction.** a, b and w are those of Theorem 1 with data thresholds: the last coordinate sums
//! the terms of that network, and the others stay what they are. As layers: block j is a hidden layer
//! of the unit and the coordinates that go past it, which have the identity for activation; the last
//! coordinate is absent before the first block, x is not carried past the last unit.
//!
//! **Counts.** Depth n + 1, n units (skip connections are counted in the width only), width d + 2
//! (n >= 3; d + 1 if n = 2, 1 if n = 1), at most 2nd − d + 3n − 1 weights and biases that are not 0:
//! (n − 1)d to carry x, n(d + 1) for the units, 2n − 1 for the sum.
//! **Bits.** As in the network of Theorem 1, whose direction is written n times here.
//! **Cost.** O(n (d + log n)).

use shatter_exact::{Dyadic, Rational};
use shatter_network::{Layered, Network, Unit};

use super::ConstructError;
use super::construction::{Assumption, Bound, Construction, Promise, Task};
use super::depth_two::DepthTwo;
use super::threshold::ThresholdRule;

/// The construction; it has no parameters.
///
/// ```
/// use shatter_construct::{Construction, Task, residual::ResNet};
/// use shatter_sample::{self as sample, LabelRule};
/// let sample = sample::load("gaussian:n=8,d=3", 1)?.distinct(LabelRule::Random, 1)?;
/// let network = ResNet.build(&Task::new(&sample.points, &sample.labels, 1))?;
/// assert_eq!((network.sizes().depth, network.sizes().units, network.sizes().width), (9, 8, 5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ResNet;

impl Construction for ResNet {
    fn name(&self) -> String {
        "resnet".to_owned()
    }

    fn source(&self) -> &'static str {
        "after Hardt and Ma 2017, from Zhang et al. 2017, Theorem 1"
    }

    fn statement(&self) -> &'static str {
        "n residual blocks of one ReLU unit each fit any real labels on any n distinct points"
    }

    fn assumptions(&self) -> &'static [Assumption] {
        &[Assumption::ScalarLabels]
    }

    fn promise(&self, task: &Task) -> Result<Promise, ConstructError> {
        task.scalar()?;
        let (n, d) = (task.points.n() as u64, task.points.d() as u64);
        let nonzero = (2 * n - 1).saturating_mul(d).saturating_add(3 * n - 1);
        task.room_for(&self.name(), nonzero)?;
        Ok(Promise {
            depth: Bound::Exactly(n + 1),
            units: Bound::Exactly(n),
            width: Bound::Exactly(match n {
                1 => 1,
                2 => d + 1,
                _ => d + 2,
            }),
            nonzero: Bound::AtMost(nonzero),
            free: 2 * n + d,
        })
    }

    fn build(&self, task: &Task) -> Result<Network, ConstructError> {
        self.promise(task)?; // there is room
        let two = DepthTwo { threshold: ThresholdRule::Data }.fit_exact(task)?.network;
        let (n, d) = (two.units(), two.d());
        let a: Vec<Rational> = two.a.iter().map(Dyadic::to_rational).collect();
        let carry = |k: usize| Unit::affine([(k, Rational::ONE)], Rational::ZERO);
        // A layer holds x_1, …, x_d, the unit, and from the second block on the sum before it.
        let sum = |j: usize| {
            let before = (j > 1).then_some((d + 1, Rational::ONE));
            let term = (d, two.w[j - 1].clone());
            Unit::affine([term].into_iter().chain(before), Rational::ZERO)
        };
        let block = |(j, b): (usize, &Dyadic)| {
            let mut layer: Vec<Unit> = (0..d).map(carry).collect();
            layer.push(Unit::relu(a.iter().cloned().enumerate(), -b.to_rational()));
            if j > 0 {
                layer.push(sum(j));
            }
            layer
        };
        let mut hidden: Vec<Vec<Unit>> = two.b.iter().enumerate().map(block).collect();
        let mut output = sum(n);
        // x is not carried past the last unit.
        hidden[n - 1].drain(..d);
        output.weights.iter_mut().for_each(|(from, _)| *from -= d);
        Ok(Network::Layered(Layered { inputs: d, hidden, output: vec![output] }))
    }
}
