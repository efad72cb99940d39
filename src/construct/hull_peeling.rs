//! Two ReLU units for every d points in general position, facet by facet.
//!
//! **Statement.** n points of R^d in general position with any real labels are fitted by a ReLU network
//! of depth 2 with U = 2·max(1, ⌈(n − 1)/d⌉) units or fewer, no output bias, and at most U(d + 2)
//! weights and biases, all of them free. General position is needed of what is used: every facet met
//! has d points, and the last points are affinely independent.
//!
//! **Source.** Ours; facets are found by gift wrapping (Chand and Kapur, J. ACM 17 (1970), 78–86).
//!
//! **Construction.** While more than d + 1 points remain, take a facet of their hull, d points S with
//! s = 0 on S and s < 0 on the others that remain, and remove S. The last points, at most d + 1, are
//! fitted by an affine t = R(t) − R(−t), R for ReLU. Then outwards, the last facet first: let r be what
//! the units so far leave to be added on S. For each sign ± with a part r_± = max(±r, 0) that is not 0,
//!
//! ```text
//! ±R(s + δt)/δ,    t = r_± on S,    δ (M + 1) <= gap,    gap = min |s|,  M = max |t|  on the points inside
//! ```
//!
//! **Proof.** The unit is ±r_± on S, where s = 0, and 0 on the points inside, where s + δt < 0; points
//! outside are fitted later. n − d⌈(n − d − 1)/d⌉ <= d + 1, so there are ⌈(n − 1)/d⌉ − 1 facets, two
//! units each, and two for the last points.
//!
//! **Facet.** Start with s = Σ x_k − max Σ x_k on the points that remain. While the points S on s = 0 span
//! less than d dimensions, take l, not a multiple of s, with l = 0 on S and l > 0 somewhere, and turn
//! to s + τl with the least τ = −s/l over the points with l > 0: s <= 0 stays, and S grows. Affinely
//! dependent points on s = 0 are not of general position: then another direction is tried, a few
//! times. **Bits.** Values of one facet's units enter the next t: bits grow with the number of
//! facets. **Cost.** O(n/d) facets of d turns, O(nd + d³) operations each, and O(n²) for the values.

use rand_chacha::ChaCha8Rng;
use shatter_network::ExactLabels;

use shatter_exact::Rational;
use shatter_network::{Layered, Network, Unit};
use shatter_random::stream::below;

use super::ConstructError;
use super::construction::{Assumption, Bound, Construction, Promise, Task};
use super::hyperplane::{Affine, Cloud, Plane, with_some_choice};

/// The construction; it has no parameters.
///
/// ```
/// use shatter_construct::{Construction, Task, hull_peeling::HullPeeling};
/// use shatter_sample::{self as sample, LabelRule};
/// let sample = sample::load("gaussian:n=13,d=3", 1)?.distinct(LabelRule::Random, 1)?;
/// let network = HullPeeling.build(&Task::new(&sample.points, &sample.labels, 1))?;
/// assert!(network.sizes().units <= 2 * 12 / 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HullPeeling;

impl Construction for HullPeeling {
    fn name(&self) -> String {
        "hull-peeling".to_owned()
    }

    fn source(&self) -> &'static str {
        "ours"
    }

    fn statement(&self) -> &'static str {
        "2⌈(n − 1)/d⌉ ReLU units fit any real labels on any n >= 2 points in general position"
    }

    fn assumptions(&self) -> &'static [Assumption] {
        &[Assumption::ScalarLabels, Assumption::GeneralPosition]
    }

    fn promise(&self, task: &Task) -> Result<Promise, ConstructError> {
        task.scalar()?;
        let (n, d) = (task.points.n(), task.points.d() as u64);
        let units = 2 * (n as u64 - 1).div_ceil(d).max(1);
        let zero = (0..n).all(|i| task.labels.exact_at(i).is_zero());
        Ok(Promise {
            depth: Bound::Exactly(if zero { 1 } else { 2 }),
            units: Bound::AtMost(units),
            width: Bound::AtMost(units),
            nonzero: Bound::AtMost(units * (d + 2)),
            free: units * (d + 2),
        })
    }

    fn build(&self, task: &Task) -> Result<Network, ConstructError> {
        task.scalar()?;
        let (n, d) = (task.points.n(), task.points.d());
        let cloud = self.cloud(task)?;
        let mut inner: Vec<usize> = (0..n).collect();
        let mut facets = Vec::new();
        while inner.len() > d + 1 {
            let plane = facet(&cloud, &inner, task.seed)?;
            inner.clone_from(&plane.others);
            facets.push(plane);
        }
        let labels = (0..n).map(|i| task.labels.exact_at(i).to_rational());
        let mut sum = Sum { cloud: &cloud, terms: Vec::new(), left: labels.collect() };
        let last: Vec<Rational> = inner.iter().map(|&i| sum.left[i].clone()).collect();
        if last.iter().any(|y| !y.is_zero()) {
            let t = cloud.interpolate(&inner, &last)?;
            sum.add(&t, &Rational::ONE);
            sum.add(&t.negated(), &-Rational::ONE);
        }
        for plane in facets.iter().rev() {
            let left: Vec<Rational> = plane.group.iter().map(|&i| sum.left[i].clone()).collect();
            for sign in [Rational::ONE, -Rational::ONE] {
                let part = |r: &Rational| (&sign * r).max(Rational::ZERO);
                let part: Vec<Rational> = left.iter().map(part).collect();
                if part.iter().any(|r| !r.is_zero()) {
                    let (t, most) = plane.tilt(&part)?;
                    let delta = plane.step(&most);
                    sum.add(&plane.s.plus(&delta, &t), &(&sign / delta));
                }
            }
        }
        let (layer, weights): (Vec<Unit>, Vec<Rational>) = sum.terms.into_iter().unzip();
        let hidden = if layer.is_empty() { Vec::new() } else { vec![layer] };
        let output = vec![Unit::affine(weights.into_iter().enumerate(), Rational::ZERO)];
        Ok(Network::Layered(Layered { inputs: d, hidden, output }))
    }
}

impl HullPeeling {
    /// The points, if their facets and the values of the units are within reach.
    fn cloud(&self, task: &Task) -> Result<Cloud, ConstructError> {
        let (n, d) = (task.points.n() as u64, task.points.d() as u64);
        let facets = (n - 1) / d;
        let square = d.saturating_mul(d);
        let turns = square.saturating_mul(square.saturating_add(2 * n));
        let values = 4 * n * d;
        Cloud::of(&self.name(), task.points, facets.saturating_mul(turns.saturating_add(values)), n)
    }
}

/// Weighted units, and what they leave to be added to reach the labels.
struct Sum<'a> {
    cloud: &'a Cloud,
    terms: Vec<(Unit, Rational)>,
    left: Vec<Rational>,
}

impl Sum<'_> {
    /// Adds weight · ReLU(f).
    fn add(&mut self, f: &Affine, weight: &Rational) {
        let values = self.cloud.values(f);
        for (i, left) in self.left.iter_mut().enumerate() {
            if values.sign(i).is_gt() {
                *left -= weight * values.at(i);
            }
        }
        self.terms.push(f.relu(weight));
    }
}

/// A facet of the hull of the points `inner`, more than d + 1 of them; its function is negative at those
/// that are not on it.
fn facet<'a>(cloud: &'a Cloud, inner: &[usize], seed: u64) -> Result<Plane<'a>, ConstructError> {
    let first = vec![1; cloud.d()];
    let redraw = |rng: &mut ChaCha8Rng, direction: &mut Vec<i64>| {
        direction.iter_mut().for_each(|a| *a = below(rng, 2001) as i64 - 1000);
    };
    with_some_choice(first, seed, redraw, |direction| wrap(cloud, inner, direction))
}

/// The facet that gift wrapping meets first in this direction.
fn wrap<'a>(
    cloud: &'a Cloud,
    inner: &[usize],
    direction: &[i64],
) -> Result<Plane<'a>, ConstructError> {
    let mut s = Affine::linear(direction);
    if let Some(most) = cloud.values(&s).largest(inner) {
        s = s.raised(&-most).primitive().0;
    }
    loop {
        let values = cloud.values(&s);
        let (on, off): (Vec<usize>, Vec<usize>) =
            inner.iter().partition(|&&i| values.sign(i).is_eq());
        let vanishing = cloud.vanishing(&on);
        if on.len() + vanishing.len() > cloud.d() + 1 {
            return Err(dependence(cloud, &on));
        }
        let opposite = s.negated();
        let Some(l) = vanishing.into_iter().find(|l| *l != s && *l != opposite) else {
            return Plane::new(cloud, s, on, off);
        };
        let slopes = cloud.values(&l);
        let turn = |i: &usize| -> Rational { -(values.at(*i) / slopes.at(*i)) };
        let rising = off.iter().filter(|&&i| slopes.sign(i).is_gt()).map(turn).min();
        // With −l the turn is −τ, so that its least is what is largest below 0.
        let falling = || off.iter().filter(|&&i| slopes.sign(i).is_lt()).map(turn).max();
        let Some(turn) = rising.or_else(falling) else {
            // l = 0 at all of them.
            return Err(ConstructError::Dependent { points: inner[..cloud.d() + 1].to_vec() });
        };
        s = s.plus(&turn, &l).primitive().0;
    }
}

/// Names affinely dependent points among those of a hyperplane: d that span it and one more, or fewer.
fn dependence(cloud: &Cloud, on: &[usize]) -> ConstructError {
    let mut independent: Vec<usize> = Vec::new();
    let mut extra = None;
    for &i in on {
        independent.push(i);
        if independent.len() + cloud.vanishing(&independent).len() > cloud.d() + 1 {
            independent.pop();
            extra.get_or_insert(i);
        }
        if independent.len() == cloud.d() && extra.is_some() {
            break;
        }
    }
    match extra {
        Some(extra) if independent.len() == cloud.d() => {
            ConstructError::NotGeneral { hyperplane: independent, extra }
        }
        extra => {
            ConstructError::Dependent { points: independent.into_iter().chain(extra).collect() }
        }
    }
}
