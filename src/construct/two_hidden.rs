//! Two hidden layers of about √(2n) units each are enough.
//!
//! **Statement.** Let the n distinct points of R^d be cut, in the order of a projection, into
//! p = ⌈n/q⌉ groups of q. Hidden layers of d_1 = 2p − 1 and d_2 = 2⌈q/2⌉ − 1 ReLU units fit any real
//! labels; with k outputs a label, d_1 and k·d_2. So q near √(2n) gives about 2.83 √n units, and
//! d_1 d_2 < 2pq for even q. An extra layer of C − 1 units (one, if C = 1) turns the numbers
//! 0, …, C − 1 of classes into C outputs, a 1 and zeros.
//!
//! **Source.** A sharper ReLU variant of Yun, Sra and Jadbabaie 2019, Theorem 3.1, whose hypothesis
//! d_1 d_2 >= 4nk implies these widths.
//!
//! **Construction.** Let z = <a, x> − z_1 >= 0 on the sample. The first layer computes ReLU(z) and,
//! between each two groups, ReLU(z − end_g) and ReLU(z − start_{g+1}): with a bias these span *any*
//! affine function α_g z + β_g on each group independently, joined linearly in the gaps. In a group,
//! points are paired to blocks; block t has the slope s_t through its points (a single last point:
//! the slope that leads to it; a lone point: 0). Unit 0 of the second layer is the line of the first
//! block plus a constant K that keeps it >= 0. For the gap after block t, from (z_l, y_l) with length
//! h and slope m, a convex unit (added) and a concave one (subtracted), each strength · (z − κ) on
//! the group or 0, take A = s_t over to B = s_{t+1}:
//!
//! ```text
//! A = B = m                     nothing
//! A ≠ B, (A − m)(B − m) <= 0    κ = z_l + h (m − B)/(A − B), strength |B − A|, convex if B > A
//! A, B < m                      convex 2m − A − B at z_l, concave 2(m − B) at z_l + h/2
//! A, B > m                      concave A + B − 2m at z_l, convex 2(B − m) at z_l + h/2
//! ```
//!
//! **Counts.** Depth 3; d_1 + k d_2 units, dead ones kept; the weights and biases that are not 0 are
//! at most d_1 (d + 1) of the first layer, k d_2 (d_1 + 1) of the second and k (d_2 + 1) of the output.
//! With the head: depth 4, C − 1 units more (one, if C = 1), and in place of the output's d_2 + 1
//! numbers (C − 1)(d_2 + 1) and 3C. Numbers chosen: the direction, d_1 thresholds, the second layer, k
//! constants K.
//! **Bits.** Slopes are fractions of differences of neighbours; nothing compounds.
//! **Cost.** O(nd + n log n + p q).

use shatter_exact::{Dyadic, Rational};
use shatter_network::{Layered, Network, Unit};
use shatter_sample::Target;

use super::ConstructError;
use super::construction::{Assumption, Bound, Construction, Promise, Task};
use super::line::Line;

/// The construction for a size of groups.
///
/// ```
/// use shatter_construct::{Construction, Task, two_hidden::TwoHidden};
/// use shatter_sample::{self as sample, LabelRule};
/// let sample = sample::load("gaussian:n=200,d=3", 1)?.distinct(LabelRule::Random, 1)?;
/// let network = TwoHidden { group: Some(20), classes: false }
///     .build(&Task::new(&sample.points, &sample.labels, 1))?;
/// assert_eq!((network.sizes().depth, network.sizes().units), (3, 19 + 19));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TwoHidden {
    /// Points a group, q; 2·round(√(n/2)) if `None`.
    pub group: Option<usize>,
    /// True if the network has the head for classes.
    pub classes: bool,
}

/// The sizes of a network that is to be built.
struct Shape {
    /// Points a group.
    q: usize,
    /// Width of the first layer.
    d1: u64,
    /// Width of the second, for each output.
    d2: u64,
}

impl TwoHidden {
    fn shape(&self, n: usize) -> Result<Shape, ConstructError> {
        // round(√(n/2)) = ⌈⌊√(2n)⌋/2⌉
        let q = self.group.unwrap_or_else(|| 2 * (2 * n).isqrt().div_ceil(2));
        if q == 0 {
            let parameter = "the size of the groups";
            return Err(ConstructError::Zero { construction: self.name(), parameter });
        }
        // 2⌈q/2⌉ − 1 is q or q − 1, whichever is odd.
        Ok(Shape { q, d1: 2 * n.div_ceil(q) as u64 - 1, d2: (q as u64 - 1) | 1 })
    }

    /// The number of classes if the network has the head for them.
    fn head(&self, task: &Task) -> Result<Option<u32>, ConstructError> {
        self.classes.then(|| task.classes().map(|(_, count)| count)).transpose()
    }
}

impl Construction for TwoHidden {
    fn name(&self) -> String {
        if self.classes { "two-hidden-classes".to_owned() } else { "two-hidden".to_owned() }
    }

    fn source(&self) -> &'static str {
        "after Yun, Sra and Jadbabaie 2019, our variant"
    }

    fn statement(&self) -> &'static str {
        if self.classes {
            "hidden layers of about √(2n), √(2n) and C − 1 units tell C classes of any n distinct points apart"
        } else {
            "two hidden layers of about √(2n) units each fit any real labels on any n distinct points"
        }
    }

    fn assumptions(&self) -> &'static [Assumption] {
        if self.classes { &[Assumption::Classes] } else { &[] }
    }

    fn target(&self) -> Target {
        if self.classes { Target::OneHot } else { Target::Value }
    }

    fn promise(&self, task: &Task) -> Result<Promise, ConstructError> {
        let (d, outputs) = (task.points.d() as u64, task.labels.outputs() as u64);
        let Shape { d1, d2, .. } = self.shape(task.points.n())?;
        let (second, head) = (outputs.saturating_mul(d2), self.head(task)?);
        let layers = d1.saturating_mul(d + 1).saturating_add(second.saturating_mul(d1 + 1));
        let (units, last) = match head.map(|count| (head_units(count) as u64, u64::from(count))) {
            None => (0, second.saturating_add(outputs)),
            Some((units, count)) => {
                (units, units.saturating_mul(d2.saturating_add(1)).saturating_add(3 * count))
            }
        };
        let nonzero = layers.saturating_add(last);
        task.room_for(&self.name(), nonzero)?;
        Ok(Promise {
            depth: Bound::Exactly(if head.is_some() { 4 } else { 3 }),
            units: Bound::Exactly(d1 + second + units),
            width: Bound::Exactly(d1.max(second).max(units)),
            nonzero: Bound::AtMost(nonzero),
            // The direction, the thresholds, the second layer, and the constants K.
            free: d + d1 + second * (d1 + 1) + outputs,
        })
    }

    fn build(&self, task: &Task) -> Result<Network, ConstructError> {
        self.promise(task)?; // there is room
        let q = self.shape(task.points.n())?.q;
        let line = Line::of_vectors(task)?;
        let z: Vec<Rational> = line.z.iter().map(|z| (z - &line.z[0]).to_rational()).collect();
        let groups: Vec<&[Rational]> = z.chunks(q).collect();
        let ends = groups.windows(2).flat_map(|pair| [&pair[0][pair[0].len() - 1], &pair[1][0]]);
        let thresholds: Vec<&Rational> = [&z[0]].into_iter().chain(ends).collect();
        let knots = &thresholds[1..];
        let a: Vec<Rational> = line.a.iter().map(Dyadic::to_rational).collect();
        let first = line.z[0].to_rational();
        let sloped = |knot: &Rational| Unit::relu(a.iter().cloned().enumerate(), -(&first + knot));
        let mut hidden: Vec<Vec<Unit>> = vec![Vec::new(), Vec::new()];
        hidden[0].extend(thresholds.iter().map(|knot| sloped(knot)));
        let mut output = Vec::new();
        for k in 0..task.labels.outputs() {
            let y: Vec<Rational> = line.y.iter().map(|y| y[k].to_rational()).collect();
            let pieces = Pieces::of(&groups, &y, q);
            let from = hidden[1].len();
            let shift = pieces.shift(&groups);
            hidden[1].push(join(&pieces.line, knots, shift.clone()));
            let kinks = pieces.convex.iter().chain(&pieces.concave);
            hidden[1].extend(kinks.map(|kinks| join(kinks, knots, Rational::ZERO)));
            let sign = |unit| if unit <= pieces.convex.len() { 1 } else { -1 };
            let weights = (0..hidden[1].len() - from).map(|j| (from + j, Rational::from(sign(j))));
            output.push(Unit::affine(weights, -shift));
        }
        if let Some(count) = self.head(task)? {
            (hidden, output) = one_hot(hidden, &output[0], count as usize);
        }
        Ok(Network::Layered(Layered { inputs: task.points.d(), hidden, output }))
    }
}

/// slope · z + offset.
#[derive(Clone)]
struct Affine {
    slope: Rational,
    offset: Rational,
}

impl Affine {
    const ZERO: Affine = Affine { slope: Rational::ZERO, offset: Rational::ZERO };

    /// The line of this slope through (z, y).
    fn through(z: &Rational, y: &Rational, slope: Rational) -> Affine {
        Affine { offset: y - &slope * z, slope }
    }

    fn at(&self, z: &Rational) -> Rational {
        &self.slope * z + &self.offset
    }
}

/// The affine functions that the units of the second layer are to be, one for each group.
struct Pieces {
    line: Vec<Affine>,
    /// By gap between blocks, then by group.
    convex: Vec<Vec<Affine>>,
    concave: Vec<Vec<Affine>>,
}

impl Pieces {
    fn of(groups: &[&[Rational]], y: &[Rational], q: usize) -> Pieces {
        let none = vec![vec![Affine::ZERO; groups.len()]; (q - 1) / 2];
        let mut pieces = Pieces { line: Vec::new(), convex: none.clone(), concave: none };
        for (g, (z, y)) in groups.iter().zip(y.chunks(q)).enumerate() {
            let slope = |i: usize| (&y[i + 1] - &y[i]) / (&z[i + 1] - &z[i]);
            let block = |t: usize| match z.len() - 2 * t {
                1 if t == 0 => Rational::ZERO,
                1 => slope(2 * t - 1),
                _ => slope(2 * t),
            };
            pieces.line.push(Affine::through(&z[0], &y[0], block(0)));
            for t in 0..(z.len() - 1) / 2 {
                let gap = (&z[2 * t + 1], &z[2 * t + 2]);
                (pieces.convex[t][g], pieces.concave[t][g]) =
                    bend(block(t), slope(2 * t + 1), block(t + 1), gap);
            }
        }
        pieces
    }

    /// What keeps the first blocks' lines from being negative on their groups.
    fn shift(&self, groups: &[&[Rational]]) -> Rational {
        let ends = groups.iter().zip(&self.line);
        let lows = ends.flat_map(|(z, line)| [line.at(&z[0]), line.at(&z[z.len() - 1])]);
        lows.map(|low| -low).max().unwrap_or(Rational::ZERO).max(Rational::ZERO)
    }
}

/// The convex and the concave unit that lead from slope `a` over the gap, whose slope is `m`, to
/// slope `b`.
fn bend(a: Rational, m: Rational, b: Rational, gap: (&Rational, &Rational)) -> (Affine, Affine) {
    let kink = |at: &Rational, strength| Affine::through(at, &Rational::ZERO, strength);
    let (before, after) = (&a - &m, &b - &m);
    let h = gap.1 - gap.0;
    if a == b && a == m {
        (Affine::ZERO, Affine::ZERO)
    } else if a != b && &before * &after <= Rational::ZERO {
        let at = gap.0 - h * after / (&a - &b);
        if b > a { (kink(&at, b - a), Affine::ZERO) } else { (Affine::ZERO, kink(&at, a - b)) }
    } else {
        let middle = gap.0 + h / Rational::from(2);
        let two = Rational::from(2);
        if a < m {
            (kink(gap.0, -(before + &after)), kink(&middle, -(two * after)))
        } else {
            (kink(&middle, &two * &after), kink(gap.0, before + after))
        }
    }
}

/// ReLU of the function that is `pieces[g]` on group g, plus a constant.
fn join(pieces: &[Affine], knots: &[&Rational], constant: Rational) -> Unit {
    let mut weights = vec![(0, pieces[0].slope.clone())];
    for (g, (pair, knots)) in pieces.windows(2).zip(knots.chunks(2)).enumerate() {
        let slope = (pair[1].at(knots[1]) - pair[0].at(knots[0])) / (knots[1] - knots[0]);
        weights.push((1 + 2 * g, &slope - &pair[0].slope));
        weights.push((2 + 2 * g, &pair[1].slope - slope));
    }
    Unit::relu(weights, &pieces[0].offset + constant)
}

/// Units of the layer that tells `count` classes apart.
fn head_units(count: u32) -> u32 {
    count.saturating_sub(1).max(1)
}

/// Turns the number of a class into a 1 and zeros: with u_t = ReLU(f − t), class c has the output
/// u_{c−1} − 2 u_c + u_{c+1}, class 0 the output 1 − u_0 + u_1.
fn one_hot(mut hidden: Vec<Vec<Unit>>, number: &Unit, count: usize) -> (Vec<Vec<Unit>>, Vec<Unit>) {
    let units = head_units(count as u32) as usize;
    let unit = |t: usize| Unit::relu(number.weights.clone(), &number.bias - Rational::from(t));
    hidden.push((0..units).map(unit).collect());
    let output = (0..count).map(|class| {
        let [left, middle] = if class == 0 { [0, -1] } else { [1, -2] };
        let terms = [(class.wrapping_sub(1), left), (class, middle), (class + 1, 1)];
        let terms = terms.into_iter().filter(|(t, _)| *t < units);
        let bias = if class == 0 { Rational::ONE } else { Rational::ZERO };
        Unit::affine(terms.map(|(t, weight)| (t, Rational::from(weight))), bias)
    });
    let output = output.collect();
    (hidden, output)
}
