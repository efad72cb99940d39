//! What runtimes are off by at the outputs of a deep network.
//!
//! Enclosures multiply what is off by the sizes of weights at every product; behind twenty products nothing
//! is decided. Here the rounding of each operation is carried to the outputs by the derivative at the point.
//!
//! Let c_v be the value v as binary64 computes it, and δ_v what another evaluation has there in excess: a
//! runtime's, or that of real arithmetic, which rounds nothing. Along a linear operation A that reads w,
//! δ_v = A δ_w − ε_v, where |ε_v| is at most what binary64 rounds there. A runtime may fold such an operation into
//! others or not (`chain.rs`); where it holds a value that no operation folds into itself, it holds
//! c_v + δ_v + e_v, and |e_v| is at most γ_K Σ|monomial| and what flushing makes, as for enclosures. A bent
//! operation (ReLU, clip, a maximum) has δ_v = S (δ_w + e_w) + ρ_v with any slopes S (`kinks.rs`): ρ_v = 0 where
//! no kink is nearer than what is off, and is at most about half of that elsewhere.
//!
//! So, for a functional q of a value, and *any* numbers g_v with g = q there,
//!
//! ```text
//! |q · δ| <= Σ_v |g_v| · (|ε_v| + |ρ_v|)  +  Σ_readers |A* g| · |e_w|  +  Σ_w |Σ A* g − g_w| · |δ_w|
//! ```
//!
//! by adding up telescoping differences; nothing is neglected, and the sums on the right have no products of
//! weights. g is taken as the cotangent that arithmetic of the network's precision finds: then the last
//! sum is its rounding, at most γ |A*| |g| |δ_w| at an operation, that is |g_v| γ (|A| |δ_w|), and |A| |δ_w| is
//! what the bound step by step is made of. So each number of each value has a price for a unit of
//! cotangent (`trace`), and a walk back to the point (`walk`) adds them up. Cotangents below the normal range
//! lose at most the smallest normal number for each number that they are made of.
//!
//! The same walk from a number that a bent operation reads says how near to a kink it may come (`refine`).
//! Several operations that read a value are taken to read the same numbers, except where additions and
//! normalizations are folded into them: there each may have numbers of its own.
//!
//! Operations that are neither linear nor bent are cut: what is off at their results is bounded as
//! enclosures do, and carried on from there.

mod kinks;
mod layout;
mod prepared;
mod refine;
mod send;
mod trace;
mod walk;

use super::bounds::up;
use super::{Enclosure, Evaluator};
use shatter_exact::{Element, Format};
use shatter_network::graph::Graph;

use prepared::Prepared;
use refine::Budget;
use trace::Known;
pub use walk::Functional;

/// The most products that walks of one point take: some minutes.
const MOST_PRODUCTS: u64 = 1 << 40;

/// A functional of the outputs, bounded.
#[derive(Clone, Copy, Debug)]
pub struct Bounded {
    /// Value as binary64 computes it.
    pub centre: f64,
    /// At least how far from that it is in real arithmetic, and at any runtime.
    pub off: f64,
}

/// A network ready to be bounded.
pub struct Deep<'a> {
    evaluator: &'a Evaluator<'a>,
    prepared: Precise<'a>,
    expected: u64,
}

enum Precise<'a> {
    Single(Prepared<'a, f32>),
    Double(Prepared<'a, f64>),
}

impl std::fmt::Debug for Deep<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deep")
            .field("evaluator", &self.evaluator)
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}

impl<'a> Deep<'a> {
    /// Prepares a network; `None` where points would take too much work.
    pub fn new(network: &'a Graph, evaluator: &'a Evaluator<'a>) -> Option<Deep<'a>> {
        let (prepared, expected) = match network.precision {
            Format::F64 => {
                let prepared = Prepared::new(network);
                let expected = expected(&prepared);
                (Precise::Double(prepared), expected)
            }
            _ => {
                let prepared = Prepared::new(network);
                let expected = expected(&prepared);
                (Precise::Single(prepared), expected)
            }
        };
        (expected <= MOST_PRODUCTS).then_some(Deep { evaluator, prepared, expected })
    }

    /// About how many products a point takes at most.
    pub fn products(&self) -> u64 {
        self.expected
    }

    /// At least the bytes that are held of a point at once, about.
    pub fn bytes(&self) -> u64 {
        match &self.prepared {
            Precise::Single(prepared) => bytes(prepared),
            Precise::Double(prepared) => bytes(prepared),
        }
    }

    /// Bounds functionals of the outputs at a point; `None` if nothing was found within the work that a point
    /// may take. And the products that it took, about.
    pub fn bounded(
        &self,
        point: Vec<f64>,
        functionals: &[Functional],
    ) -> (Option<Vec<Bounded>>, u64) {
        let mut budget = Budget { left: MOST_PRODUCTS };
        let evaluator = self.evaluator;
        let found = match &self.prepared {
            Precise::Single(of) => bounded(of, evaluator, point, functionals, &mut budget),
            Precise::Double(of) => bounded(of, evaluator, point, functionals, &mut budget),
        };
        (found, MOST_PRODUCTS - budget.left)
    }
}

/// Products of a walk from every number that is bent, if no walk were shorter than it can be.
fn expected<E: Element>(prepared: &Prepared<E>) -> u64 {
    let below = prepared.products_below();
    let of = |step: usize| {
        let value = prepared.network.steps[step].on;
        below[value].saturating_mul(prepared.layouts[value].len() as u64)
    };
    let bent = (0..prepared.backs.len()).filter(|&step| prepared.bends(step)).map(of);
    let outputs = below.last().copied().unwrap_or(0);
    bent.fold(outputs.saturating_mul(prepared.network.outputs() as u64), u64::saturating_add)
}

fn bytes<E: Element>(prepared: &Prepared<E>) -> u64 {
    let numbers: usize = prepared.layouts.iter().map(|layout| layout.len()).sum();
    let each = 4 * std::mem::size_of::<E>();
    let walked = refine::batch(prepared).saturating_mul(prepared.network.peak());
    let enclosed = 16 * prepared.network.peak() * std::mem::size_of::<f64>();
    (numbers.saturating_mul(each) + walked.saturating_mul(2 * std::mem::size_of::<E>()) + enclosed)
        as u64
}

fn bounded<E: Element>(
    prepared: &Prepared<E>,
    evaluator: &Evaluator,
    point: Vec<f64>,
    functionals: &[Functional],
    budget: &mut Budget,
) -> Option<Vec<Bounded>> {
    let network = prepared.network;
    let last = network.steps.len();
    let uses = network.last_uses();
    // The evaluation, with bounds.
    budget.take(network.products().saturating_mul(4))?;
    let input = Enclosure::inputs(point, 1, evaluator.rounding);
    let mut known: Vec<Known<E>> = vec![trace::point(prepared, &input)];
    let mut floor = Floor::default();
    floor.pass(prepared, 0, &input);
    let mut values = vec![Some(input)];
    for (index, step) in network.steps.iter().enumerate() {
        if prepared.bends(index) {
            let x = values[step.on].as_mut()?;
            refine::refine(prepared, &known, (step.on, index), x, floor.all(), budget)?;
        }
        let (next, found) = trace::step(prepared, evaluator, index, &values, &known)?;
        floor.pass(prepared, index + 1, &next);
        known.push(found);
        values.push(Some(next));
        for value in step.reads().filter(|&value| uses[value] == index) {
            values[value] = None;
        }
    }
    let outputs = values.pop().flatten()?;
    let (rects, products) = walk::plan(prepared, &known, last, prepared.layouts[last].whole());
    budget.take(products.saturating_mul(functionals.len() as u64))?;
    let costs = walk::costs(prepared, &known, rects, last, functionals);
    let local = |plain: usize| known[last].local(prepared.layouts[last].here(plain));
    let one = |(functional, cost): (&Functional, f64)| {
        let (mut centre, mut size, mut held) = (0.0f64, 0.0, 0.0);
        for &(plain, coefficient) in functional {
            centre += coefficient * outputs.centre[plain];
            size += (coefficient * outputs.centre[plain]).abs();
            held += coefficient.abs() * local(plain);
        }
        let terms = functional.len() + 2;
        let rounded = terms as f64 * f64::EPSILON * size;
        let off = up(cost + held + floor.all() + rounded, terms + 4);
        // What overflowed on the way is not known, and no comparison may hide it.
        match centre.is_finite() && off.is_finite() {
            true => Bounded { centre, off },
            false => Bounded { centre: 0.0, off: f64::INFINITY },
        }
    };
    Some(functionals.iter().zip(costs).map(one).collect())
}

/// What cotangents below the normal range may lose.
#[derive(Default)]
struct Floor {
    /// Σ |δ| · (how often a cotangent is rounded), and a 1 for every product with a price.
    lost: f64,
    smallest: f64,
}

impl Floor {
    fn pass<E: Element>(&mut self, prepared: &Prepared<E>, value: usize, x: &Enclosure) {
        let roundings = prepared.roundings[value].saturating_add(1) as f64;
        let off: f64 = x.runtime.iter().sum();
        self.lost = up(self.lost + roundings * off + x.centre.len() as f64, x.centre.len() + 4);
        self.smallest = Element::to_f64(E::min_positive_value());
    }

    fn all(&self) -> f64 {
        up(self.lost * self.smallest, 1)
    }
}
