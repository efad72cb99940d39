//! One threshold unit for every d points in general position.
//!
//! **Statement.** n points of R^d in general position (no d + 1 on a hyperplane; for n <= d affinely
//! independent) with any labels 0 or 1 are fitted by a network of K = ⌈n/d⌉ threshold units and a
//! threshold output. C classes take B = ⌈log2 C⌉ copies (at least 1), one for each bit of the label:
//! at most BK units, and BK(d + 2) + B weights and biases. Free are the BK(d + 1) numbers of the hidden
//! units; output weights are ±1 and output biases ±1/2.
//!
//! **Source.** E. B. Baum, On the capabilities of multilayer perceptrons, J. Complexity 4 (1988),
//! 193–215. Two parallel planes around each d points of one class would be 2⌈m/d⌉ units for m points,
//! which can exceed ⌈n/d⌉; the completion below is ours.
//!
//! **Construction.** H(s + δt), s = 0 on d points G, t = 2p − 1 there (`hyperplane.rs`), shows any
//! pattern p in {0, 1}^d on G and the side of the plane s = 0 elsewhere.
//!
//! 1. K odd: one unit on a group G_0 of min(d, n) points, with their labels as the pattern and s turned
//!    so that at most half of the other points are wrong. K even: the constant majority label.
//! 2. Points still wrong: |E| <= ⌊(n − d)/2⌋ (K odd) or ⌊n/2⌋ (K even), so ⌈|E|/d⌉ <= ⌊K/2⌋.
//! 3. For each d points of E two units with the same s, of output weights +1 and −1 and patterns (1, 0)
//!    where a point is to rise, (0, 1) where it is to fall, (0, 0) at filler. Elsewhere they cancel.
//!
//! So the sum of base and units is the label at every point, and H(sum − 1/2) is it too.
//!
//! **Proof.** The bounds of steps 1 and 2 count points; H(s + δt) is proved in `hyperplane.rs`.
//! On the moment curve ⌈(n − 1)/d⌉ units are necessary (`moment_curve.rs`). **Bits.** s has
//! determinants of d coordinates, δt some more; a unit is a vector of coprime integers.
//! **Cost.** O(BK(d³ + nd)) operations.

use shatter_exact::Rational;
use shatter_network::{Network, Unit};
use shatter_sample::Target;

use super::ConstructError;
use super::construction::{Assumption, Bound, Construction, Promise, Task};
use super::hyperplane::{Affine, Cloud, Plane, groups, in_some_order};
use super::label_bits::{self, Copy};

/// The construction; it has no parameters.
///
/// ```
/// use shatter_construct::{Construction, Task, baum::Baum};
/// use shatter_sample::{self as sample, LabelRule};
/// let sample = sample::load("gaussian:n=12,d=3,classes=2", 1)?.distinct(LabelRule::Random, 1)?;
/// let network = Baum.build(&Task::new(&sample.points, &sample.labels, 1))?;
/// assert!(network.sizes().units <= 12 / 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Baum;

impl Construction for Baum {
    fn name(&self) -> String {
        "baum".to_owned()
    }

    fn source(&self) -> &'static str {
        "Baum 1988, our completion"
    }

    fn statement(&self) -> &'static str {
        "⌈n/d⌉ threshold units for each bit of the class fit any n points in general position"
    }

    fn assumptions(&self) -> &'static [Assumption] {
        &[Assumption::Classes, Assumption::GeneralPosition]
    }

    fn target(&self) -> Target {
        Target::Bits
    }

    fn promise(&self, task: &Task) -> Result<Promise, ConstructError> {
        let bits = label_bits::of(task)?;
        let (n, d) = (task.points.n() as u64, task.points.d() as u64);
        let (copies, per_copy) = (bits.len() as u64, n.div_ceil(d));
        // Equal labels and an even K leave nothing to do.
        let constant = bits.iter().all(|labels| labels.windows(2).all(|pair| pair[0] == pair[1]));
        let layers = if constant && per_copy.is_multiple_of(2) { 1 } else { 2 };
        Ok(Promise {
            depth: Bound::Exactly(layers),
            units: Bound::AtMost(copies * per_copy),
            width: Bound::AtMost(copies * per_copy),
            nonzero: Bound::AtMost(copies * (per_copy * (d + 2) + 1)),
            free: copies * per_copy * (d + 1),
        })
    }

    fn build(&self, task: &Task) -> Result<Network, ConstructError> {
        let bits = label_bits::of(task)?;
        let (n, d) = (task.points.n(), task.points.d());
        let cloud = Cloud::for_planes(&self.name(), task.points, bits.len() * n.div_ceil(d))?;
        let copies: Result<_, _> = bits
            .iter()
            .map(|labels| in_some_order(n, task.seed, |order| copy(&cloud, labels, order)))
            .collect();
        Ok(label_bits::side_by_side(d, copies?))
    }
}

/// The units for labels of one bit.
fn copy(cloud: &Cloud, labels: &[bool], order: &[usize]) -> Result<Copy, ConstructError> {
    let (n, d) = (cloud.n(), cloud.d());
    let mut copy = Copy::default();
    let said: Vec<bool> = if n.div_ceil(d) % 2 == 1 {
        let plane = Plane::through(cloud, order[..d.min(n)].to_vec())?;
        let mut said: Vec<bool> = (0..n).map(|i| plane.values.sign(i).is_gt()).collect();
        let wrong = plane.others.iter().filter(|&&i| said[i] != labels[i]).count();
        let mut s = plane.s.clone();
        if 2 * wrong > plane.others.len() {
            s = s.negated();
            said.iter_mut().for_each(|side| *side = !*side);
        }
        let pattern: Vec<bool> = plane.group.iter().map(|&i| labels[i]).collect();
        copy.units.push((shows(&plane, &s, &pattern)?, true));
        plane.group.iter().for_each(|&i| said[i] = labels[i]);
        said
    } else {
        copy.base = 2 * labels.iter().filter(|label| **label).count() > n;
        vec![copy.base; n]
    };
    let wrong: Vec<usize> = order.iter().copied().filter(|&i| said[i] != labels[i]).collect();
    for group in groups(&wrong, order, d) {
        let own = group.own;
        let plane = Plane::through(cloud, group.points)?;
        for plus in [true, false] {
            let moved = |(place, &i): (usize, &usize)| place < own && labels[i] == plus;
            let pattern: Vec<bool> = plane.group.iter().enumerate().map(moved).collect();
            copy.units.push((shows(&plane, &plane.s, &pattern)?, plus));
        }
    }
    Ok(copy)
}

/// The unit that shows `pattern` on the group of `plane`, and the side of s (one of ±plane.s) elsewhere.
fn shows(plane: &Plane, s: &Affine, pattern: &[bool]) -> Result<Unit, ConstructError> {
    let sign = |&yes: &bool| if yes { Rational::ONE } else { -Rational::ONE };
    let (t, most) = plane.tilt(&pattern.iter().map(sign).collect::<Vec<_>>())?;
    Ok(s.plus(&plane.step(&most), &t).threshold())
}
