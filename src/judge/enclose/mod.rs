//! Enclosures of what a network computes, and of what rounding can make of it.
//!
//! Of every number x that the network computes in real arithmetic, three numbers are carried:
//!
//! ```text
//! |x − centre| <= radius          whatever binary64 rounded here
//! |x̂ − x| <= runtime              for every x̂ that a runtime of the model may get
//! ```
//!
//! What a runtime may do is said by its model ([`Runtime`], where proofs are sketched): under `ieee` it adds the terms of
//! a sum in any order, fused or not. Additions and batch normalizations
//! stand for themselves or are folded into the product before or after them (`chain.rs`); numbers below
//! the normal range are kept, or taken for zero. Two products are not multiplied with each other. For a sum of k terms,
//! and any order of it, the classical bound is γ_k Σ|w||x|, γ_k = ku/(1 − ku), with u = 2^-53 here and 2^-24 or
//! 2^-53 there. The rounding of the bounds themselves is covered, too.
//!
//! Where all terms of a sum are multiples of a power of two and add up to at most 2^53 (2^24) of them
//! in absolute value, nothing rounds ([`float_exact`](shatter_network::float_exact)): the radius (the
//! runtime's error) stays 0. So networks of whole numbers are evaluated exactly, at full speed.

mod affine;
mod bounds;
mod chain;
pub mod depth;
mod pointwise;
mod pool;
mod response;
mod tile;
mod units;

use std::ops::Range;

use self::bounds::{gamma, up};
use affine::Weights;
use chain::Chain;
use pool::{max_pool, mean_pool};
use shatter_exact::format::common_grain as grain;

use super::runtime::{Rounding, Runtime};
use shatter_network::Activation;
use shatter_network::graph::{Graph, Normalization, Operator, SlidingWindow, Step, count};

/// Values of a batch of points, one point after the other.
#[derive(Clone, Debug)]
pub struct Enclosure {
    /// How many points.
    points: usize,
    /// Near the values.
    pub centre: Vec<f64>,
    /// Radius: 0 at points where all are exact; empty where all are.
    pub radius: Vec<f64>,
    /// Bound on a runtime's deviation: 0 at points where no runtime rounds; empty where none does at all.
    pub runtime: Vec<f64>,
    /// The monomials since the input of the last product: what may be folded into it. None for numbers
    /// that every runtime holds.
    back: Option<Chain>,
    /// The monomials since the output of the last product: what may be folded into the next one.
    forward: Option<Chain>,
}

impl Enclosure {
    /// The inputs: they are known, and a runtime takes them as they are, or for zero below the normal
    /// range.
    fn inputs(centre: Vec<f64>, points: usize, rounding: Rounding) -> Enclosure {
        let runtime = if rounding.keeps(&centre) {
            Vec::new()
        } else {
            let lost = |x: &f64| if x.abs() < rounding.smallest() { x.abs() } else { 0.0 };
            centre.iter().map(lost).collect()
        };
        Enclosure { points, centre, radius: Vec::new(), runtime, back: None, forward: None }
    }

    /// Sums whose monomials are known.
    fn folded(
        centre: Vec<f64>,
        radius: Vec<f64>,
        points: usize,
        back: Chain,
        forward: Option<Chain>,
        rounding: Rounding,
    ) -> Enclosure {
        let runtime = back.runtime(rounding);
        Enclosure { points, centre, radius, runtime, back: Some(back), forward }
    }

    /// Numbers of one point, each within a bound of what real arithmetic and any runtime have there.
    pub(super) fn of_bounds(found: &[depth::Bounded]) -> Enclosure {
        Enclosure {
            points: 1,
            centre: found.iter().map(|one| one.centre).collect(),
            radius: found.iter().map(|one| one.off).collect(),
            runtime: found.iter().map(|one| 2.0 * one.off).collect(),
            back: None,
            forward: None,
        }
    }

    /// The radius of a number.
    pub fn radius(&self, at: usize) -> f64 {
        self.radius.get(at).copied().unwrap_or(0.0)
    }

    /// Returns the bound on a runtime's deviation at a number.
    pub fn runtime(&self, at: usize) -> f64 {
        self.runtime.get(at).copied().unwrap_or(0.0)
    }

    /// Where a number is none any more, nothing is known; and no comparison may hide it.
    fn forget_infinities(&mut self) {
        let finite = |numbers: &[f64]| numbers.iter().all(|x| x.is_finite());
        if finite(&self.centre) && finite(&self.radius) && finite(&self.runtime) {
            return;
        }
        self.radius.resize(self.centre.len(), 0.0);
        self.runtime.resize(self.centre.len(), 0.0);
        for at in 0..self.centre.len() {
            if !self.centre[at].is_finite() || !self.radius[at].is_finite() {
                self.centre[at] = 0.0;
                self.radius[at] = f64::INFINITY;
                self.runtime[at] = f64::INFINITY;
            } else if !self.runtime[at].is_finite() {
                self.runtime[at] = f64::INFINITY;
            }
        }
    }

    /// Numbers that are at least those that here, or at a runtime, stand for the values.
    fn sizes(&self) -> Vec<f64> {
        let size = |(at, x): (usize, &f64)| up(x.abs() + self.radius(at) + self.runtime(at), 2);
        self.centre.iter().enumerate().map(size).collect()
    }

    /// Numbers that are at least those that stand for the values here.
    fn own_sizes(&self) -> Vec<f64> {
        let size = |(at, x): (usize, &f64)| up(x.abs() + self.radius(at), 1);
        self.centre.iter().enumerate().map(size).collect()
    }

    /// Returns true if these numbers are known exactly.
    pub fn exact(&self, at: Range<usize>) -> bool {
        self.radius.is_empty() || all_zero(&self.radius[at])
    }

    /// Returns the bound on a runtime's deviation at the difference of two numbers: 0 where it rounds neither.
    pub fn runtime_of_difference(&self, one: usize, other: usize) -> f64 {
        let sum = self.runtime(one) + self.runtime(other);
        if sum == 0.0 { 0.0 } else { sum.next_up() }
    }

    /// Of each point that is known exactly: what `of` makes of the power of two of which its numbers are multiples.
    fn known(&self, of: impl Fn(i64) -> Option<i64>) -> Vec<Option<i64>> {
        let width = self.centre.len() / self.points.max(1);
        let grain = |k: usize| {
            let own = || grain(of_point(&self.centre, k, width));
            all_zero(of_point(&self.radius, k, width)).then(own).and_then(&of)
        };
        (0..self.points).map(grain).collect()
    }

    fn chain(&self, kept: &Option<Chain>, rounding: Rounding) -> Chain {
        match kept {
            None => Chain::held(self, rounding),
            Some(kept) => kept.covering(self),
        }
    }

    /// The monomials that an addition or a normalization goes on with.
    fn back(&self, rounding: Rounding) -> Chain {
        self.chain(&self.back, rounding)
    }

    /// The monomials that a product goes on with. The values themselves may stand there as well, with
    /// what they are off by.
    fn forward(&self, rounding: Rounding) -> Chain {
        let chain = Chain { base: self.runtime.clone(), ..self.chain(&self.forward, rounding) };
        if rounding.operand_bits.is_none() {
            return chain;
        }
        let width = self.centre.len() / self.points.max(1);
        chain.exact_where(|k| rounding.takes(of_point(&self.centre, k, width)))
    }

    /// Goes on with an addition or a normalization: of what may be folded back, and forward.
    fn followed(
        &self,
        centre: Vec<f64>,
        radius: Vec<f64>,
        rounding: Rounding,
        after: impl Fn(&Chain) -> Chain,
    ) -> Enclosure {
        let back = after(&self.back(rounding));
        let forward = after(&self.forward(rounding));
        Enclosure::folded(centre, radius, self.points, back, Some(forward), rounding)
    }
}

/// What the operations that read a value need of it.
#[derive(Clone, Copy, Default)]
struct Needs {
    back: bool,
    forward: bool,
}

/// A network ready to be evaluated: sizes of weights and their grains are known.
pub struct Evaluator<'a> {
    network: &'a Graph,
    rounding: Rounding,
    weights: Vec<Option<Weights<'a>>>,
    /// The last step that reads a value, a value.
    last: Vec<usize>,
    needs: Vec<Needs>,
}

impl std::fmt::Debug for Evaluator<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evaluator").field("rounding", &self.rounding).finish_non_exhaustive()
    }
}

impl<'a> Evaluator<'a> {
    /// Prepares a network for the runtimes of a model.
    pub fn new(network: &'a Graph, runtime: Runtime) -> Evaluator<'a> {
        let rounding = runtime.rounding(network.precision);
        let prepared = |step: &'a Step| match &step.operation {
            Operator::Dense(affine) => Some(Weights::new(affine, None, rounding)),
            Operator::Convolution(affine, window) => {
                Some(Weights::new(affine, Some(window), rounding))
            }
            _ => None,
        };
        let mut needs = vec![Needs::default(); network.steps.len() + 1];
        for step in &network.steps {
            let (back, forward) = match step.operation {
                Operator::Activate(_)
                | Operator::Leaky(_)
                | Operator::Clip { .. }
                | Operator::MaxPool(_)
                | Operator::Response(_) => (false, false),
                Operator::Dense(_)
                | Operator::Units(_)
                | Operator::Convolution(..)
                | Operator::MeanPool(..)
                | Operator::GlobalMean => (false, true),
                _ => (true, true),
            };
            for value in step.reads() {
                needs[value].back |= back;
                needs[value].forward |= forward;
            }
        }
        Evaluator {
            network,
            rounding,
            weights: network.steps.iter().map(prepared).collect(),
            last: network.last_uses(),
            needs,
        }
    }

    /// Encloses the outputs of a batch of `points` points, given one after the other.
    pub fn outputs(&self, inputs: Vec<f64>, points: usize) -> Enclosure {
        let rounding = self.rounding;
        let mut values = vec![Some(Enclosure::inputs(inputs, points, rounding))];
        for (index, step) in self.network.steps.iter().enumerate() {
            let mut next = self.step(index, step, &values);
            next.forget_infinities();
            let needs = self.needs[values.len()];
            next.back = next.back.filter(|_| needs.back);
            next.forward = next.forward.filter(|_| needs.forward);
            values.push(Some(next));
            for value in step.reads().filter(|&value| self.last[value] == index) {
                values[value] = None;
            }
        }
        let none = || Enclosure::inputs(Vec::new(), points, rounding);
        values.pop().flatten().unwrap_or_else(none)
    }

    fn step(&self, index: usize, step: &Step, values: &[Option<Enclosure>]) -> Enclosure {
        let rounding = self.rounding;
        let shape = self.network.shape(step.on);
        let numbers = count(&step.shape);
        let read = |value: usize| values.get(value).and_then(Option::as_ref);
        // Values are kept until their last reader.
        let Some(x) = read(step.on) else {
            return Enclosure::inputs(Vec::new(), 0, rounding);
        };
        match (&step.operation, &self.weights[index]) {
            (Operator::Dense(_), Some(weights)) => weights.dense(x, rounding),
            (Operator::Convolution(_, window), Some(weights)) => {
                weights.convolution(x, shape, window, rounding)
            }
            (Operator::Units(units), _) => units::units(x, units, count(shape), rounding),
            (Operator::Activate(Activation::Relu), _) => relu(x),
            (Operator::Activate(activation), _) => pointwise::activate(x, *activation, rounding),
            (Operator::Leaky(slopes), _) => {
                let area = numbers / step.shape[0];
                let channel =
                    |at: usize| if slopes.len() == 1 { 0 } else { at / area % step.shape[0] };
                pointwise::leaky(x, |at| slopes[channel(at)], rounding)
            }
            (Operator::Clip { low, high }, _) => pointwise::clip(x, (*low, *high), rounding),
            (Operator::Gather { from }, _) => pointwise::gather(x, from, count(shape)),
            (Operator::Scale { from, by, divides }, _) => {
                pointwise::scale(x, (from, by, *divides), count(shape), rounding)
            }
            (Operator::MaxPool(window), _) => max_pool(x, shape, window, numbers),
            (Operator::MeanPool(window, padded), _) => {
                mean_pool(x, shape, window, *padded, numbers, rounding)
            }
            (Operator::GlobalMean, _) => {
                let window = SlidingWindow::whole(shape[1], shape[2]);
                mean_pool(x, shape, &window, true, numbers, rounding)
            }
            (Operator::Shift { negated, from, by }, _) => {
                shift(x, *negated, from, by, count(shape), rounding)
            }
            (Operator::Sum { other, minus }, _) => match read(*other) {
                Some(other) => sum(x, other, *minus, rounding),
                None => x.clone(),
            },
            (Operator::Concatenate(others), _) => {
                let parts: Vec<&Enclosure> =
                    [step.on].iter().chain(others).filter_map(|&value| read(value)).collect();
                concatenate(&parts, rounding)
            }
            (Operator::Normalize(normalization), _) => normalize(x, normalization, shape, rounding),
            (Operator::Response(by), _) => response::response(x, by, shape, rounding),
            // Affine maps have their weights.
            (Operator::Same | Operator::Softmax { .. }, _) => x.clone(),
            (Operator::Dense(_) | Operator::Convolution(..), None) => x.clone(),
        }
    }
}

fn relu(x: &Enclosure) -> Enclosure {
    let mut y = Enclosure { back: None, forward: None, ..x.clone() };
    for at in 0..y.centre.len() {
        let (radius, runtime) = (x.radius(at), x.runtime(at));
        // The sign of a rounded sum of two numbers is that of the sum.
        if x.centre[at] + radius <= 0.0 {
            if !y.radius.is_empty() {
                y.radius[at] = 0.0;
            }
            // Below zero at every runtime, too.
            if !y.runtime.is_empty() && x.centre[at] + up(radius + runtime, 2) < 0.0 {
                y.runtime[at] = 0.0;
            }
        }
        y.centre[at] = x.centre[at].max(0.0);
    }
    y
}

fn shift(
    x: &Enclosure,
    negated: bool,
    from: &[u32],
    by: &[f64],
    inputs: usize,
    rounding: Rounding,
) -> Enclosure {
    let from: Vec<usize> =
        (0..x.points).flat_map(|i| from.iter().map(move |&k| i * inputs + k as usize)).collect();
    let constants = grain(by);
    let by: Vec<f64> = (0..x.points).flat_map(|_| by.iter().copied()).collect();
    let sign = if negated { -1.0 } else { 1.0 };
    let centre = from.iter().zip(&by).map(|(&at, c)| sign * x.centre[at] + c).collect();
    let before: Vec<f64> = match x.radius.is_empty() {
        true => Vec::new(),
        false => from.iter().map(|&at| x.radius[at]).collect(),
    };
    let known = x.known(|own| Some(own.min(constants)));
    let sizes = x.own_sizes();
    let size: Vec<f64> = from.iter().zip(&by).map(|(&at, c)| up(sizes[at] + c.abs(), 1)).collect();
    let radius = affine::radius(&before, &size, 2, &known);
    x.followed(centre, radius, rounding, |chain| chain.shifted(&from, &by, rounding))
}

fn sum(x: &Enclosure, y: &Enclosure, minus: bool, rounding: Rounding) -> Enclosure {
    let sign = if minus { -1.0 } else { 1.0 };
    let centre = x.centre.iter().zip(&y.centre).map(|(x, y)| x + sign * y).collect();
    let known = chain::both_known(&x.known(Some), &y.known(Some));
    let before: Vec<f64> = match x.radius.is_empty() && y.radius.is_empty() {
        true => Vec::new(),
        false => (0..x.centre.len()).map(|at| up(x.radius(at) + y.radius(at), 1)).collect(),
    };
    let back = x.back(rounding).plus(&y.back(rounding));
    let forward = x.forward(rounding).plus(&y.forward(rounding));
    let both = |(x, y): (&f64, &f64)| up(x + y, 1);
    let size: Vec<f64> = x.own_sizes().iter().zip(&y.own_sizes()).map(both).collect();
    let radius = affine::radius(&before, &size, 2, &known);
    Enclosure::folded(centre, radius, x.points, back, Some(forward), rounding)
}

fn normalize(x: &Enclosure, by: &Normalization, shape: &[usize], rounding: Rounding) -> Enclosure {
    let channels = shape[0];
    let area = count(shape) / channels;
    let channel = |at: usize| at / area % channels;
    let each = |(at, centre): (usize, &f64)| {
        let c = channel(at);
        (centre - by.mean[c]) * (by.scale[c] / (by.variance[c] + by.epsilon).sqrt()) + by.shift[c]
    };
    let centre = x.centre.iter().enumerate().map(each).collect();
    let rounded = 2.0 * gamma(8, 53);
    let factors: Vec<f64> = (0..channels).map(|c| chain::factor(by, c)).collect();
    let each = |(at, own): (usize, &f64)| {
        let c = channel(at);
        let both = own + by.mean[c].abs();
        let size = factors[c] * both + by.shift[c].abs();
        // A factor below the normal range is off by less than this, and is multiplied with that.
        let tiny = f64::MIN_POSITIVE * (both + 4.0);
        up(factors[c] * x.radius(at) + rounded * size + tiny, 8)
    };
    let radius = x.own_sizes().iter().enumerate().map(each).collect();
    x.followed(centre, radius, rounding, |chain| chain.normalized(by, channel, rounding))
}

/// The numbers of a point, `width` each; none of a list that stands for zeros.
fn of_point(list: &[f64], point: usize, width: usize) -> &[f64] {
    list.get(point * width..(point + 1) * width).unwrap_or(&[])
}

fn all_zero(list: &[f64]) -> bool {
    list.iter().all(|&x| x == 0.0)
}

/// Lists of so many numbers in all, joined point by point; empty ones stand for zeros.
fn joined(lists: &[&Vec<f64>], sizes: &[usize], points: usize) -> Vec<f64> {
    let mut joined = Vec::new();
    if lists.iter().all(|list| list.is_empty()) {
        return joined;
    }
    for i in 0..points {
        for (list, size) in lists.iter().zip(sizes) {
            let width = size / points;
            match list.is_empty() {
                true => joined.resize(joined.len() + width, 0.0),
                false => joined.extend_from_slice(&list[i * width..(i + 1) * width]),
            }
        }
    }
    joined
}

fn concatenate(parts: &[&Enclosure], rounding: Rounding) -> Enclosure {
    let points = parts[0].points;
    let sizes: Vec<usize> = parts.iter().map(|part| part.centre.len()).collect();
    let join = |of: &dyn Fn(&Enclosure) -> &Vec<f64>| {
        let lists: Vec<&Vec<f64>> = parts.iter().map(|part| of(part)).collect();
        joined(&lists, &sizes, points)
    };
    let chain = |any: bool, of: &dyn Fn(&Enclosure) -> Chain| {
        any.then(|| Chain::concatenated(&parts.iter().map(|part| of(part)).collect::<Vec<_>>()))
    };
    let any = |of: &dyn Fn(&Enclosure) -> &Option<Chain>| parts.iter().any(|x| of(x).is_some());
    Enclosure {
        points,
        centre: join(&|part| &part.centre),
        radius: join(&|part| &part.radius),
        runtime: join(&|part| &part.runtime),
        back: chain(any(&|part| &part.back), &|part| part.back(rounding)),
        forward: chain(any(&|part| &part.forward), &|part| part.forward(rounding)),
    }
}
