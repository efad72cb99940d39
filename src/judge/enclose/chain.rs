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
//! something was folded into it.
//!
//! The third term: numbers below η, the smallest normal one, may be taken for zero, when they are read
//! and when they are written. That changes one factor, or one sum, by at most η, and what it is
//! multiplied with later is at most M = Σ Π max(1, |factor|): each of K operations on a monomial reads
//! at most three numbers and writes one. M bounds every number on the way as well: below the largest
//! power of two nothing overflows.

use super::Enclosure;
use super::bounds::{gamma, highest, larger, largest, smallest, up};
use crate::exact::Format;
use crate::exact::format::common_grain as grain;
use crate::network::graph::Normalization;

/// Roundings of a normalization at a monomial: of its epsilon to the precision, square root, division,
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
    /// All monomials are known, and multiples of 2^this, of normal factors.
    pub grain: Option<i64>,
    /// M, the largest of each point.
    pub most: Vec<f64>,
}

impl Chain {
    /// Numbers that a runtime holds.
    pub fn held(x: &Enclosure, precision: Format) -> Chain {
        let size = x.sizes();
        let known = x.radius.is_empty() && precision.all_normal(&x.centre);
        let width = (size.len() / x.points.max(1)).max(1);
        Chain {
            base: x.runtime.clone(),
            terms: 0,
            grain: known.then(|| grain(&x.centre)),
            most: size.chunks(width).map(|sizes| above_one(largest(sizes))).collect(),
            size,
        }
    }

    /// What a runtime is off by; empty where no runtime rounds.
    pub fn runtime(&self, precision: Format) -> Vec<f64> {
        let highest = highest(precision);
        let fits = self.most.iter().all(|&most| most < highest);
        let never = |grain| precision.never_rounds(grain, largest(&self.size));
        if fits && self.base.is_empty() && self.grain.is_some_and(never) {
            return Vec::new();
        }
        let relative = gamma(self.terms, precision.bits());
        let tiny = 8.0 * self.terms.saturating_add(1) as f64 * smallest(precision);
        let width = (self.size.len() / self.most.len().max(1)).max(1);
        let bound = |(at, size): (usize, &f64)| {
            let most = self.most[at / width];
            // Comparisons with what is no number are false.
            if most < highest {
                let base = self.base.get(at).copied().unwrap_or(0.0);
                up(base + relative * size + tiny * most, 4)
            } else {
                f64::INFINITY
            }
        };
        self.size.iter().enumerate().map(bound).collect()
    }

    /// ±x + c: `from` says which number of x, `by` is c, both over all points.
    pub fn shifted(&self, from: &[usize], by: &[f64], precision: Format) -> Chain {
        let size = from.iter().zip(by).map(|(&at, c)| up(self.size[at] + c.abs(), 1));
        let base = match self.base.is_empty() {
            true => Vec::new(),
            false => from.iter().map(|&at| self.base[at]).collect(),
        };
        let constant = by.iter().fold(1.0, |most: f64, c| most.max(c.abs()));
        let known = self.grain.filter(|_| precision.all_normal(by));
        Chain {
            base,
            size: size.collect(),
            terms: self.terms.saturating_add(BESIDES),
            grain: known.map(|own| own.min(grain(by))),
            most: self.most.iter().map(|most| up(most + constant, 1)).collect(),
        }
    }

    /// The monomials of numbers that `pick` picks.
    pub fn picked(&self, pick: impl Fn(&Vec<f64>) -> Vec<f64>) -> Chain {
        Chain { base: pick(&self.base), size: pick(&self.size), ..self.clone() }
    }

    /// x · c, or x / c, which a runtime may do by a reciprocal; all results are multiples of 2^`grain`.
    pub fn scaled(
        &self,
        (by, divides): (&[f64], bool),
        grain: Option<i64>,
        precision: Format,
    ) -> Chain {
        let of = |(x, c): (&f64, &f64)| up(if divides { x / c.abs() } else { x * c.abs() }, 2);
        let factor = |c: &f64| {
            let one = above_one(c.abs());
            if divides { larger(one, above_one(1.0 / c.abs())) } else { one }
        };
        let most = by.iter().map(factor).fold(1.0, larger);
        // Reciprocals of such numbers are far from the ends of the range.
        let known = !divides || by.iter().all(|c| c.abs() >= smallest(precision) * 2f64.powi(64));
        let after = |own: &f64| if known { up(own * most, 2) } else { f64::INFINITY };
        Chain {
            base: self.base.iter().zip(by).map(of).collect(),
            size: self.size.iter().zip(by).map(of).collect(),
            terms: self.terms.saturating_add(BESIDES),
            grain,
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
            grain: self.grain.zip(other.grain).map(|(x, y)| x.min(y)),
            most: both(&self.most, &other.most),
        }
    }

    /// (x − mean)/√(variance + epsilon) · scale + shift; `channel` says which of a number.
    pub fn normalized(
        &self,
        by: &Normalization,
        channel: impl Fn(usize) -> usize,
        precision: Format,
    ) -> Chain {
        let mut base = Vec::with_capacity(self.base.len());
        let mut size = Vec::with_capacity(self.size.len());
        for (at, x) in self.size.iter().enumerate() {
            let channel = channel(at);
            let factor = by.factor(channel);
            base.extend(self.base.get(at).map(|base| up(factor * base, 1)));
            size.push(up(factor * (x + by.mean[channel].abs()) + by.shift[channel].abs(), 3));
        }
        let most = |of: &dyn Fn(usize) -> f64| {
            (0..by.scale.len()).map(|c| above_one(of(c))).fold(1.0, larger)
        };
        let (scale, inverse) = (most(&|c| by.scale[c].abs()), most(&|c| by.inverse(c)));
        let (mean, shift) = (most(&|c| by.mean[c].abs()), most(&|c| by.shift[c].abs()));
        let root = most(&|c| by.variance[c] + by.epsilon);
        // Then zeros for numbers below the normal range change it by less than a rounding.
        let known = |c: usize| by.variance[c] + by.epsilon >= smallest(precision) * 2f64.powi(64);
        let known = (0..by.scale.len()).all(known);
        let after = |most: &f64| {
            let after = up(scale * inverse * (most + mean) + shift + root, 6);
            if known { after } else { f64::INFINITY }
        };
        Chain {
            base,
            size,
            terms: self.terms.saturating_add(NORMALIZATION),
            grain: None,
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
        let grains: Option<Vec<i64>> = parts.iter().map(|part| part.grain).collect();
        Chain {
            base: all(&|part| &part.base),
            size: all(&|part| &part.size),
            terms: parts.iter().map(|part| part.terms).max().unwrap_or(0),
            grain: grains.and_then(|grains| grains.into_iter().min()),
            most,
        }
    }
}

fn above_one(x: f64) -> f64 {
    larger(1.0, x)
}

impl Normalization {
    /// At least |scale|/√(variance + epsilon) of a channel.
    pub(super) fn factor(&self, channel: usize) -> f64 {
        up(self.scale[channel].abs() * self.inverse(channel), 2) + f64::MIN_POSITIVE
    }

    /// At least 1/√(variance + epsilon).
    fn inverse(&self, channel: usize) -> f64 {
        up(1.0 / (self.variance[channel] + self.epsilon).sqrt(), 4)
    }
}
