//! Four ReLU units, or three and a bias, for every d points in general position.
//!
//! **Statement.** n points of R^d in general position (no d + 1 on a hyperplane; for n <= d affinely
//! independent) with any real labels are fitted by a ReLU network of depth 2, K = ⌈n/d⌉, with
//!
//! | | units | weights and biases | free |
//! |---|---|---|---|
//! | four | 4K | at most 4K(d + 2) | 2K(d + 2) |
//! | three | 3K and an output bias | at most 3K(d + 2) + 1 | K(2d + 3) + 1 |
//!
//! Free are, for each group, the d + 1 numbers of s, those of t, and δ (and ε); the units share them.
//!
//! **Source.** Bubeck, Eldan, Lee, Mikulincer, Network size and weights size for memorization with
//! two-layers neural networks (2020): four times the units of Baum. Three units are ours.
//!
//! **Construction.** For d points G (the last group filled up with points of label 0 in it): s = 0
//! on G, t = y on G and 0 at filler, gap = min |s| elsewhere, M = max |t| elsewhere (`hyperplane.rs`).
//! R is ReLU.
//!
//! ```text
//! four:   (R(s + ε + δt) − R(s + ε) − R(s − ε + δt) + R(s − ε))/δ      2ε <= gap,  δ (max(M, max_G |t|) + 1) <= ε
//! three:  (R(s + δt) − 2 R(s) + R(s − δt))/δ                           δ (M + 1) <= gap
//! ```
//!
//! **Proof.** Four: on G |δt| < ε, so the first two terms are δt and the others 0; elsewhere all four
//! arguments have the sign of s, as |δt| + ε < 2ε <= |s|, and the sum is 0. Three: on G it is |t|, so
//! labels are shifted by their minimum, the output bias, to t >= 0; elsewhere the arguments have one
//! sign. Three units without a bias cannot do: a sum of units that cancels on both sides of a plane is
//! convex or concave between. **Bits.** s has determinants of d coordinates, 1/δ some more; a unit is a
//! vector of coprime integers. **Cost.** O(K(d³ + nd)) operations.

use shatter_exact::{Dyadic, Rational};
use shatter_network::ExactLabels;
use shatter_network::{Layered, Network, Unit};

use super::ConstructError;
use super::construction::{Assumption, Bound, Construction, Promise, Task};
use super::hyperplane::{Cloud, Group, Plane, groups, in_some_order, power_of_two_below};

/// Units for every d points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// 4.
    Four,
    /// 3, and one bias at the output.
    Three,
}

/// The construction.
///
/// ```
/// use shatter_construct::{Construction, Task, bubeck::{Bubeck, Units}};
/// use shatter_sample::{self as sample, LabelRule};
/// let sample = sample::load("gaussian:n=12,d=3", 1)?.distinct(LabelRule::Random, 1)?;
/// let task = Task::new(&sample.points, &sample.labels, 1);
/// assert_eq!(Bubeck { units: Units::Four }.build(&task)?.sizes().units, 4 * 12 / 3);
/// assert_eq!(Bubeck { units: Units::Three }.build(&task)?.sizes().units, 3 * 12 / 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Bubeck {
    /// Units for every d points.
    pub units: Units,
}

impl Construction for Bubeck {
    fn name(&self) -> String {
        match self.units {
            Units::Four => "bubeck-4",
            Units::Three => "bubeck-3",
        }
        .to_owned()
    }

    fn source(&self) -> &'static str {
        match self.units {
            Units::Four => "Bubeck, Eldan, Lee, Mikulincer 2020",
            Units::Three => "after Bubeck, Eldan, Lee, Mikulincer 2020",
        }
    }

    fn statement(&self) -> &'static str {
        match self.units {
            Units::Four => {
                "4⌈n/d⌉ ReLU units fit any real labels on any n points in general position"
            }
            Units::Three => {
                "3⌈n/d⌉ ReLU units and an output bias fit any real labels on any n points in general position"
            }
        }
    }

    fn assumptions(&self) -> &'static [Assumption] {
        &[Assumption::ScalarLabels, Assumption::GeneralPosition]
    }

    fn promise(&self, task: &Task) -> Result<Promise, ConstructError> {
        task.scalar()?;
        let (n, d) = (task.points.n() as u64, task.points.d() as u64);
        let groups = n.div_ceil(d);
        let (units, bias, free) = match self.units {
            Units::Four => (4 * groups, 0, 2 * groups * (d + 2)),
            Units::Three => (3 * groups, 1, groups * (2 * d + 3) + 1),
        };
        Ok(Promise {
            depth: Bound::Exactly(2),
            units: Bound::Exactly(units),
            width: Bound::Exactly(units),
            nonzero: Bound::AtMost(units * (d + 2) + bias),
            free,
        })
    }

    fn build(&self, task: &Task) -> Result<Network, ConstructError> {
        task.scalar()?;
        let (n, d) = (task.points.n(), task.points.d());
        let cloud = Cloud::for_planes(&self.name(), task.points, n.div_ceil(d))?;
        let labels: Vec<Dyadic> = (0..n).map(|i| task.labels.exact_at(i)).collect();
        let bias = match self.units {
            Units::Four => Dyadic::ZERO,
            Units::Three => labels.iter().min().cloned().unwrap_or(Dyadic::ZERO),
        };
        let labels: Vec<Rational> = labels.iter().map(|y| (y - &bias).to_rational()).collect();
        let bumps = in_some_order(n, task.seed, |order| {
            let groups = groups(order, order, d).into_iter();
            groups.map(|group| self.bump(&cloud, group, &labels)).collect::<Result<Vec<_>, _>>()
        })?;
        let (hidden, weights): (Vec<Unit>, Vec<Rational>) = bumps.into_iter().flatten().unzip();
        let output = vec![Unit::affine(weights.into_iter().enumerate(), bias.to_rational())];
        Ok(Network::Layered(Layered { inputs: d, hidden: vec![hidden], output }))
    }
}

impl Bubeck {
    /// Units and output weights whose sum is the label at the group's own points, and 0 at all others.
    fn bump(
        &self,
        cloud: &Cloud,
        group: Group,
        labels: &[Rational],
    ) -> Result<Vec<(Unit, Rational)>, ConstructError> {
        let own = group.own;
        let plane = Plane::through(cloud, group.points)?;
        let wanted = plane.group.iter().enumerate();
        let wanted =
            wanted.map(|(place, &i)| if place < own { labels[i].clone() } else { Rational::ZERO });
        let wanted: Vec<Rational> = wanted.collect();
        let (t, most) = plane.tilt(&wanted)?;
        let s = &plane.s;
        Ok(match self.units {
            Units::Four => {
                let epsilon = power_of_two_below(&plane.gap) / Rational::from(2);
                let most = wanted.iter().fold(most, |most, y| most.max(y.clone()).max(-y));
                let delta = power_of_two_below(&(&epsilon / (most + Rational::ONE)));
                let weight = Rational::ONE / &delta;
                let (above, below) = (s.clone().raised(&epsilon), s.clone().raised(&-epsilon));
                vec![
                    above.plus(&delta, &t).relu(&weight),
                    above.relu(&-weight.clone()),
                    below.plus(&delta, &t).relu(&-weight.clone()),
                    below.relu(&weight),
                ]
            }
            Units::Three => {
                let delta = plane.step(&most);
                let weight = Rational::ONE / &delta;
                vec![
                    s.plus(&delta, &t).relu(&weight),
                    s.relu(&(Rational::from(-2) * &weight)),
                    s.plus(&-delta, &t).relu(&weight),
                ]
            }
        })
    }
}
