//! What runtimes may fold into a product, and what their rounding makes of it.
//!
//! Between two products (of layers, windows, means) stand additions and batch normalizations, which a
//! runtime may fold into the weights and biases of the product before them, or of the one after, or
//! keep apart; and it adds in any order. Whichever it does, it adds up the same monomials: products of
//! weights, of factors of a normalization, and of one number that it holds (a value of the product's
//! input; 1 for constants). If each monomial goes through at most K roundings, what is found is off by
//! at most
//!
//! ```text
//! Σ |coefficient| · (what the held number is off by)  +  γ_K Σ |monomial|  +  8 (K + 1) η M
//! ```
//!
//! and by nothing where the held numbers are exact, and all monomials are multiples of one normal power
//! of two and add up to at most 2^53 (2^24) of it. So nothing is called exact because it was so before
//! something was folded into it. That is decided point by point: what one rounds is no matter of the others.
//!
//! Under a model in which operands have fewer bits, monomials of products are off by those of both operands as
//! well ([`Rounding::relative`]), and nothing is exact where a number or a folded weight that a product may
//! take has more of them.
//!
//! The third term: numbers below η, the smallest normal one, may be taken for zero, when they are read
//! and when they are written. That changes one factor, or one sum, by at most η, and what it is
//! multiplied with later is at most M = Σ Π max(1, |factor|): each of K operations on a monomial reads
//! at most three numbers and writes one. M bounds every number on the way as well: below the largest
//! power of two nothing overflows.

use super::bounds::{larger, largest, up};
use super::{Enclosure, all_zero, of_point};
use crate::runtime::Rounding;
use shatter_exact::format::common_grain as grain;
use shatter_network::graph::Normalization;

/// Roundings of a normalization at a monomial: of its epsilon to the rounding, square root, division,
/// products, sums, and some to spare for reciprocals that are off by units.
const NORMALIZATION: usize = 16;
/// Roundings of a product or sum beside those of its terms.
pub const BESIDES: usize = 4;

/// Monomials of every number of a batch, number by number of every point.
#[derive(Clone, Debug)]
pub struct Chain {
    /// At least Σ |coefficient| · (what the held number is off by); empty for 0.
    pub base: Vec<f64>,
    /// At least Σ |monomial|, with numbers as a runtime holds them.
    pub size: Vec<f64>,
    /// How many roundings a monomial goes through at most.
    pub terms: usize,
    /// Whether monomials have been operands of a product.
    pub products: bool,
    /// Of each point: all monomials are known, and multiples of 2^this, of factors that runtimes take as they are.
    pub grain: Vec<Option<i64>>,
    /// At most each |coefficient| that is not 0, as what is folded multiplies it.
    pub least: f64,
    /// M, the largest of each point.
    pub most: Vec<f64>,
}

impl Chain {
    /// Numbers that a runtime holds.
    pub fn held(x: &Enclosure, rounding: Rounding) -> Chain {
        let size = x.sizes();
        let width = size.len() / x.points.max(1);
        let grain = |k: usize| {
            let own = of_point(&x.centre, k, width);
            let known = all_zero(of_point(&x.radius, k, width)) && rounding.keeps(own);
            known.then(|| grain(own))
        };
        Chain {
            base: x.runtime.clone(),
            terms: 0,
            products: false,
            grain: (0..x.points).map(grain).collect(),
            least: 1.0,
            most: (0..x.points).map(|k| above_one(largest(of_point(&size, k, width)))).collect(),
            size,
        }
    }

    /// With at least the sizes of the numbers themselves.
    pub fn covering(&self, x: &Enclosure) -> Chain {
        let held = x.sizes();
        let width = held.len() / x.points.max(1);
        let most =
            |(k, &most): (usize, &f64)| larger(most, above_one(largest(of_point(&held, k, width))));
        Chain {
            most: self.most.iter().enumerate().map(most).collect(),
            size: self.size.iter().zip(&held).map(|(x, y)| larger(*x, *y)).collect(),
            ..self.clone()
        }
    }

    /// What a runtime is off by, 0 at points where none rounds; empty where none does at all.
    pub fn runtime(&self, rounding: Rounding) -> Vec<f64> {
        let highest = rounding.highest();
        let width = self.size.len() / self.most.len().max(1);
        // A coefficient below the normal range may be taken for zero, whatever it is multiplied with.
        let normal = self.least >= rounding.smallest();
        let exact = |(k, grain): (usize, &Option<i64>)| {
            let never =
                |grain| rounding.never_rounds(grain, largest(of_point(&self.size, k, width)));
            let held = || all_zero(of_point(&self.base, k, width));
            normal && self.most[k] < highest && held() && grain.is_some_and(never)
        };
        let exact: Vec<bool> = self.grain.iter().enumerate().map(exact).collect();
        if exact.iter().all(|&exact| exact) {
            return Vec::new();
        }
        let base = |at: usize| self.base.get(at).copied().unwrap_or(0.0);
        let bound = |(at, own): (usize, f64)| {
            if exact[at / width] { 0.0 } else { up(base(at) + own, 1) }
        };
        self.rounded(rounding).into_iter().enumerate().map(bound).collect()
    }

    /// What a runtime's own roundings of these monomials add to `base`: the second and third terms.
    pub fn rounded(&self, rounding: Rounding) -> Vec<f64> {
        let highest = rounding.highest();
        let width = self.size.len() / self.most.len().max(1);
        let relative = rounding.relative(self.terms, self.products);
        let tiny = 8.0 * self.terms.saturating_add(1) as f64 * rounding.smallest();
        let bound = |(at, size): (usize, &f64)| {
            let most = self.most[at / width];
            // Comparisons with what is no number are false.
            if most < highest { up(relative * size + tiny * most, 3) } else { f64::INFINITY }
        };
        self.size.iter().enumerate().map(bound).collect()
    }

    /// The same, exact only at points where `keeps` is true.
    pub fn exact_where(mut self, keeps: impl Fn(usize) -> bool) -> Chain {
        let kept = |(k, grain): (usize, &Option<i64>)| grain.filter(|_| keeps(k));
        self.grain = self.grain.iter().enumerate().map(kept).collect();
        self
    }

    /// ±x + c: `from` says which number of x, `by` is c, both over all points.
    pub fn shifted(&self, from: &[usize], by: &[f64], rounding: Rounding) -> Chain {
        let size = from.iter().zip(by).map(|(&at, c)| up(self.size[at] + c.abs(), 1));
        let base = match self.base.is_empty() {
            true => Vec::new(),
            false => from.iter().map(|&at| self.base[at]).collect(),
        };
        let constant = by.iter().fold(1.0, |most: f64, c| most.max(c.abs()));
        // The same constants at every point.
        let by = &by[..by.len() / self.most.len().max(1)];
        let (kept, constants) = (rounding.keeps(by), grain(by));
        let known = |own: &Option<i64>| own.filter(|_| kept).map(|own| own.min(constants));
        Chain {
            base,
            size: size.collect(),
            terms: self.terms.saturating_add(BESIDES),
            products: self.products,
            grain: self.grain.iter().map(known).collect(),
            least: self.least,
            most: self.most.iter().map(|most| up(most + constant, 1)).collect(),
        }
    }

    /// The monomials of numbers that `pick` picks.
    pub fn picked(&self, pick: impl Fn(&Vec<f64>) -> Vec<f64>) -> Chain {
        Chain { base: pick(&self.base), size: pick(&self.size), ..self.clone() }
    }

    /// x · c, or x / c, which a runtime may do by a reciprocal; `grain` says of what results are multiples.
    pub fn scaled(
        &self,
        (by, divides): (&[f64], bool),
        grain: impl Fn(i64) -> Option<i64>,
        rounding: Rounding,
    ) -> Chain {
        let of = |(x, c): (&f64, &f64)| up(if divides { x / c.abs() } else { x * c.abs() }, 2);
        let factor = |c: &f64| {
            let one = above_one(c.abs());
            if divides { larger(one, above_one(1.0 / c.abs())) } else { one }
        };
        let most = by.iter().map(factor).fold(1.0, larger);
        let sizes = by.iter().map(|c| if divides { 1.0 / c.abs() } else { c.abs() });
        let least = least_of(sizes);
        // Reciprocals of such numbers are far from the ends of the range.
        let known = !divides || by.iter().all(|c| c.abs() >= rounding.smallest() * 2f64.powi(64));
        let after = |own: &f64| if known { up(own * most, 2) } else { f64::INFINITY };
        Chain {
            base: self.base.iter().zip(by).map(of).collect(),
            size: self.size.iter().zip(by).map(of).collect(),
            terms: self.terms.saturating_add(BESIDES),
            products: self.products,
            grain: self.grain.iter().map(|own| own.and_then(&grain)).collect(),
            least: self.least * least / 2.0,
            most: self.most.iter().map(after).collect(),
        }
    }

    /// x ± y.
    pub fn plus(&self, other: &Chain) -> Chain {
        let both = |left: &[f64], right: &[f64]| -> Vec<f64> {
            match (left.is_empty(), right.is_empty()) {
                (true, _) => right.to_vec(),
                (_, true) => left.to_vec(),
                _ => left.iter().zip(right).map(|(x, y)| up(x + y, 1)).collect(),
            }
        };
        Chain {
            base: both(&self.base, &other.base),
            size: both(&self.size, &other.size),
            terms: self.terms.saturating_add(other.terms).saturating_add(BESIDES),
            products: self.products || other.products,
            grain: both_known(&self.grain, &other.grain),
            least: self.least.min(other.least),
            most: both(&self.most, &other.most),
        }
    }

    /// (x − mean)/√(variance + epsilon) · scale + shift; `channel` says which of a number.
    pub fn normalized(
        &self,
        by: &Normalization,
        channel: impl Fn(usize) -> usize,
        rounding: Rounding,
    ) -> Chain {
        let mut base = Vec::with_capacity(self.base.len());
        let mut size = Vec::with_capacity(self.size.len());
        for (at, x) in self.size.iter().enumerate() {
            let channel = channel(at);
            let factor = factor(by, channel);
            base.extend(self.base.get(at).map(|base| up(factor * base, 1)));
            size.push(up(factor * (x + by.mean[channel].abs()) + by.shift[channel].abs(), 3));
        }
        let most = |of: &dyn Fn(usize) -> f64| {
            (0..by.scale.len()).map(|c| above_one(of(c))).fold(1.0, larger)
        };
        let (scale, inverse) = (most(&|c| by.scale[c].abs()), most(&|c| inverse(by, c)));
        let (mean, shift) = (most(&|c| by.mean[c].abs()), most(&|c| by.shift[c].abs()));
        let root = most(&|c| by.variance[c] + by.epsilon);
        // Then zeros for numbers below the normal range change it by less than a rounding.
        let known = |c: usize| by.variance[c] + by.epsilon >= rounding.smallest() * 2f64.powi(64);
        let known = (0..by.scale.len()).all(known);
        let after = |most: &f64| {
            let after = up(scale * inverse * (most + mean) + shift + root, 6);
            if known { after } else { f64::INFINITY }
        };
        Chain {
            base,
            size,
            terms: self.terms.saturating_add(NORMALIZATION),
            products: self.products,
            grain: vec![None; self.grain.len()],
            least: 0.0,
            most: self.most.iter().map(after).collect(),
        }
    }

    /// Values one after the other, each with so many numbers a point.
    pub fn concatenated(parts: &[Chain]) -> Chain {
        let all = |of: &dyn Fn(&Chain) -> &Vec<f64>| -> Vec<f64> {
            let lists: Vec<&Vec<f64>> = parts.iter().map(of).collect();
            let sizes: Vec<usize> = parts.iter().map(|part| part.size.len()).collect();
            super::joined(&lists, &sizes, parts[0].most.len())
        };
        let mut most = parts[0].most.clone();
        for part in &parts[1..] {
            most.iter_mut().zip(&part.most).for_each(|(most, &other)| *most = larger(*most, other));
        }
        let grain = parts[1..]
            .iter()
            .fold(parts[0].grain.clone(), |grain, part| both_known(&grain, &part.grain));
        Chain {
            base: all(&|part| &part.base),
            size: all(&|part| &part.size),
            terms: parts.iter().map(|part| part.terms).max().unwrap_or(0),
            products: parts.iter().any(|part| part.products),
            grain,
            least: parts.iter().map(|part| part.least).fold(1.0, f64::min),
            most,
        }
    }
}

/// Where both are known, the smaller.
pub fn both_known(x: &[Option<i64>], y: &[Option<i64>]) -> Vec<Option<i64>> {
    x.iter().zip(y).map(|(x, y)| x.zip(*y).map(|(x, y)| x.min(y))).collect()
}

/// The least of sizes that is not 0, or 1.
pub fn least_of(sizes: impl Iterator<Item = f64>) -> f64 {
    sizes.filter(|&x| x != 0.0).fold(1.0, f64::min)
}

fn above_one(x: f64) -> f64 {
    larger(1.0, x)
}

/// At least |scale|/√(variance + epsilon) of a channel.
pub(super) fn factor(by: &Normalization, channel: usize) -> f64 {
    up(by.scale[channel].abs() * inverse(by, channel), 2) + f64::MIN_POSITIVE
}

/// At least 1/√(variance + epsilon).
fn inverse(by: &Normalization, channel: usize) -> f64 {
    up(1.0 / (by.variance[channel] + by.epsilon).sqrt(), 4)
}
