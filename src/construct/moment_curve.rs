//! As many threshold units as hyperplanes can cut a curve.
//!
//! **Statement.** n points (t, t², …, t^d) with labels 0 and 1 that change m times along t are fitted
//! by a network of ⌈m/d⌉ <= ⌈(n − 1)/d⌉ threshold units and a threshold output. C classes take
//! B = ⌈log2 C⌉ copies (at least 1), one for each bit of the label. With U units there are at most
//! U(d + 2) + B weights and biases; free are the U(d + 1) numbers of the hidden units: output weights
//! are ±1 and output biases ±1/2.
//!
//! **Source.** The cyclic polytope's curve in the lower bound of Baum (1988); the network is ours.
//!
//! **Construction.** A hyperplane cuts the curve where a polynomial of degree d in t is 0. Put a root
//! halfway between neighbours t whose labels differ, and give each unit d of them in their order,
//! r_1 < … < r_k, k <= d: H(±Π(t − r_i)), the sign such that it is 0 on the left. The unit counts +1 if
//! the label left of r_1 is 0, and −1 if it is 1. Base, the first label, plus the sum of the units is
//! the label everywhere: a unit alternates as the labels do, and comes to rest at 0 (k even) or at 1
//! (k odd), each of which is where the next unit starts.
//!
//! **No fewer.** U hyperplanes meet the curve Ud times at most, so m <= Ud. **Bits.** The elementary
//! symmetric functions of d numbers t. **Cost.** O(nd + n log n + Bnd) operations.

use shatter_exact::{Dyadic, Rational};
use shatter_network::ExactPoints;
use shatter_network::{Network, Unit};
use shatter_sample::{Points, Target};

use super::ConstructError;
use super::construction::{Assumption, Bound, Construction, Promise, Task};
use super::label_bits::{self, Copy};

/// The construction; it has no parameters.
///
/// ```
/// use shatter_construct::{Construction, Task, moment_curve::MomentCurve};
/// use shatter_sample::{self as sample, LabelRule, Labels};
/// let sample = sample::load("moment:n=13,d=3", 1)?.distinct(LabelRule::Random, 1)?;
/// let labels = Labels::classes((0..13).map(|i| i % 2).collect(), 2)?;
/// let network = MomentCurve.build(&Task::new(&sample.points, &labels, 1))?;
/// assert_eq!(network.sizes().units, 12 / 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MomentCurve;

impl Construction for MomentCurve {
    fn name(&self) -> String {
        "moment-curve".to_owned()
    }

    fn source(&self) -> &'static str {
        "lower bound of Baum 1988, our network"
    }

    fn statement(&self) -> &'static str {
        "⌈(n − 1)/d⌉ threshold units for each bit of the class fit any n points (t, …, t^d), and alternating labels need as many"
    }

    fn assumptions(&self) -> &'static [Assumption] {
        &[Assumption::Classes, Assumption::MomentCurve]
    }

    fn target(&self) -> Target {
        Target::Bits
    }

    fn promise(&self, task: &Task) -> Result<Promise, ConstructError> {
        let bits = label_bits::of(task)?;
        let order = along_curve(task.points)?;
        let d = task.points.d();
        let units = |labels: &Vec<bool>| changes(labels, &order).count().div_ceil(d) as u64;
        let (copies, units) = (bits.len() as u64, bits.iter().map(units).sum::<u64>());
        let d = d as u64;
        Ok(Promise {
            depth: Bound::Exactly(if units == 0 { 1 } else { 2 }),
            units: Bound::Exactly(units),
            width: Bound::Exactly(units),
            nonzero: Bound::AtMost(units * (d + 2) + copies),
            free: units * (d + 1),
        })
    }

    fn build(&self, task: &Task) -> Result<Network, ConstructError> {
        let bits = label_bits::of(task)?;
        let order = along_curve(task.points)?;
        let copies = bits.iter().map(|labels| copy(task.points, labels, &order)).collect();
        Ok(label_bits::side_by_side(task.points.d(), copies))
    }
}

/// The points in the order of t, their first coordinate.
///
/// # Errors
/// [`ConstructError::OffCurve`].
fn along_curve(points: &Points) -> Result<Vec<usize>, ConstructError> {
    for i in 0..points.n() {
        let t = points.exact_at(i, 0);
        let mut power = t.clone();
        for k in 1..points.d() {
            power = &power * &t;
            if points.exact_at(i, k) != power {
                return Err(ConstructError::OffCurve { index: i });
            }
        }
    }
    let mut order: Vec<usize> = (0..points.n()).collect();
    order.sort_by_cached_key(|&i| points.exact_at(i, 0));
    Ok(order)
}

/// The neighbours with different labels.
fn changes<'a>(labels: &'a [bool], order: &'a [usize]) -> impl Iterator<Item = &'a [usize]> {
    order.windows(2).filter(|pair| labels[pair[0]] != labels[pair[1]])
}

/// The units for labels of one bit.
fn copy(points: &Points, labels: &[bool], order: &[usize]) -> Copy {
    let halfway =
        |pair: &[usize]| (&points.exact_at(pair[0], 0) + &points.exact_at(pair[1], 0)).scale(-1);
    let roots: Vec<Dyadic> = changes(labels, order).map(halfway).collect();
    let base = labels[order[0]];
    let mut label = base;
    let blocks = roots.chunks(points.d());
    let units = blocks.map(|block| {
        let unit = (cuts_at(block), !label);
        label ^= block.len() % 2 == 1;
        unit
    });
    Copy { units: units.collect(), base }
}

/// H(±Π(t − root)), 0 on the left, as a function of (t, t², …).
fn cuts_at(roots: &[Dyadic]) -> Unit {
    let sign = if roots.len() % 2 == 1 { Dyadic::ONE } else { -&Dyadic::ONE };
    let mut polynomial = vec![sign];
    for root in roots {
        // p(t) · t − root · p(t)
        let shifted = std::iter::once(Dyadic::ZERO).chain(polynomial.iter().cloned());
        let scaled = polynomial.iter().map(|p| p * root).chain([Dyadic::ZERO]);
        polynomial = shifted.zip(scaled).map(|(p, q)| &p - &q).collect();
    }
    let mut numbers = polynomial.iter().map(Dyadic::to_rational);
    let bias = numbers.next().unwrap_or(Rational::ZERO);
    Unit::threshold(numbers.enumerate(), bias)
}
