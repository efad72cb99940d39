//! Two units a layer are enough, if the network is deep.
//!
//! **Statement.** Any n distinct points of R^d with any real labels are fitted by a ReLU network of
//! depth n + 1, width at most 2, with 2n − 1 units and at most 4n + d − 1 weights and biases that are
//! not 0. Width 1 is not enough (`proofs/theories/Width1.v`).
//!
//! **Source.** An application of the max–min strings of Hanin and Sellke (2017) to finite samples.
//!
//! **Construction.** Let z_1 < … < z_n be projections with z_1 = 0, and M a power of two with
//! M · min gap > max y − min y. Lines l_j(z) = y_j + σ_j M (z − z_j) are so steep that each lies beyond
//! every label on the other side of its point. With F_1 = y_1,
//!
//! ```text
//! F_j = max(F_{j−1}, l_j)  (σ_j = 1)  or  min(F_{j−1}, l_j)  (σ_j = −1)   =  l_j + σ_j ReLU(σ_j (F_{j−1} − l_j))
//! ```
//!
//! passes through (z_j, y_j) and keeps every earlier value, if σ_j = 1 where F_{j−1}(z_j) < y_j and −1
//! elsewhere. F_{j−1} leaves z_{j−1} along l_{j−1}, so after σ_2 (1 if y_1 < y_2, else −1) the signs
//! alternate. Each step is a hidden layer with two units, z and r_j = ReLU(σ_j(F_{j−1} − l_j)); F_{j−1}
//! is affine in the units before.
//!
//! **Free numbers.** a and its shift, n offsets and M: n + d + 2.
//! **Proof.** `proofs/theories/Width2.v`. **Bits.** Nothing is divided: every number is of the grid of
//! M·z and y. **Cost.** O(nd + n log n).

use shatter_exact::{Dyadic, Rational};
use shatter_network::{Layered, Network, Unit};

use super::ConstructError;
use super::construction::{Assumption, Bound, Construction, Promise, Task};
use super::line::Line;

/// The construction; it has no parameters.
///
/// ```
/// use shatter_construct::{Construction, Task, width_two::WidthTwo};
/// use shatter_sample::{self as sample, LabelRule};
/// let sample = sample::load("gaussian:n=8,d=3", 1)?.distinct(LabelRule::Random, 1)?;
/// let network = WidthTwo.build(&Task::new(&sample.points, &sample.labels, 1))?;
/// let sizes = network.sizes();
/// assert_eq!((sizes.depth, sizes.width, sizes.units), (9, 2, 15));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WidthTwo;

impl Construction for WidthTwo {
    fn name(&self) -> String {
        "width-two".to_owned()
    }

    fn source(&self) -> &'static str {
        "after Hanin and Sellke 2017"
    }

    fn statement(&self) -> &'static str {
        "width 2 and depth n + 1 fit any real labels on any n distinct points"
    }

    fn assumptions(&self) -> &'static [Assumption] {
        &[Assumption::ScalarLabels]
    }

    fn promise(&self, task: &Task) -> Result<Promise, ConstructError> {
        task.scalar()?;
        let (n, d) = (task.points.n() as u64, task.points.d() as u64);
        Ok(Promise {
            depth: Bound::Exactly(n + 1),
            units: Bound::Exactly(2 * n - 1),
            width: Bound::Exactly(n.min(2)),
            // d + 1 for z, 4(n − 1) − 1 for the steps, 3 for the output.
            nonzero: Bound::AtMost(4 * n + d - 1),
            // a and its shift, an offset a line, and M where there is more than one line.
            free: n + d + 1 + u64::from(n > 1),
        })
    }

    fn build(&self, task: &Task) -> Result<Network, ConstructError> {
        let line = Line::of(task)?;
        let n = line.z.len();
        let first = &line.z[0];
        let steps = steps(&line);
        let one = || Rational::ONE;
        let a = line.a.iter().map(Dyadic::to_rational).enumerate();
        let mut hidden = vec![vec![Unit::relu(a, -first.to_rational())]];
        let mut before = Step { slope: Dyadic::ZERO, offset: line.y[0].clone(), up: true };
        for (j, step) in steps.into_iter().enumerate() {
            // σ'(F − l') with F = l + σ r, and r the second unit before (none before the first step).
            let signed = |x: Dyadic| if step.up { x } else { -&x }.to_rational();
            let on_z = signed(&before.slope - &step.slope);
            let bias = signed(&before.offset - &step.offset);
            let carried = (j > 0).then(|| (1, if before.up == step.up { one() } else { -one() }));
            let maximum = Unit::relu([(0, on_z)].into_iter().chain(carried), bias);
            hidden.push(vec![Unit::relu([(0, one())], Rational::ZERO), maximum]);
            before = step;
        }
        let carried = (n > 1).then(|| (1, if before.up { one() } else { -one() }));
        let weights = [(0, before.slope.to_rational())].into_iter().chain(carried);
        let output = vec![Unit::affine(weights, before.offset.to_rational())];
        Ok(Network::Layered(Layered { inputs: task.points.d(), hidden, output }))
    }
}

/// l(z) = slope · z + offset, and whether it entered by a maximum.
struct Step {
    slope: Dyadic,
    offset: Dyadic,
    up: bool,
}

/// The lines l_2, …, l_n, over z shifted to z_1 = 0.
fn steps(line: &Line) -> Vec<Step> {
    let Some(gap) = line.least_gap() else { return Vec::new() };
    let range = line.label_range();
    // The least power of two with 2^k gap > range.
    let k = match (range.log2_floor(), gap.log2_floor()) {
        (Some(range_top), Some(gap_top)) => {
            let k = range_top - gap_top;
            if gap.scale(k) > range { k } else { k + 1 }
        }
        _ => 0,
    };
    let mut up = line.y[0] < line.y[1];
    let points = line.z.iter().zip(&line.y).skip(1);
    points
        .map(|(z, y)| {
            let magnitude = Dyadic::power_of_two(k);
            let slope = if up { magnitude } else { -&magnitude };
            let offset = y - &(&slope * &(z - &line.z[0]));
            let step = Step { slope, offset, up };
            up = !up;
            step
        })
        .collect()
}
