//! Layers of exact units: fractions as weights, each unit with its own activation.
//!
//! A weight w is held here, and at a runtime, as the nearest number ŵ of a format. With |ŵ − w| <= e a
//! term is off by |ŵ| · (what x is off by) + e |x|; of binary64 numbers e is 0, and sums of them may
//! round nothing.

use crate::runtime::Rounding;
use shatter_exact::format::{ZEROS, grain};
use shatter_exact::{Dyadic, Rational};
use shatter_network::Activation;
use shatter_network::layered::Unit;

use super::bounds::{larger, up};
use super::chain::{BESIDES, Chain, least_of};
use super::{Enclosure, affine, pointwise, relu};

/// A fraction as binary64 and a runtime hold it.
struct Held {
    /// The nearest number of binary64.
    here: f64,
    /// At least how far that is off.
    error: f64,
    /// At least the size of either.
    size: f64,
    /// At least how far a runtime's is off.
    runtime: f64,
    grain: i64,
}

impl Held {
    fn of(x: &Rational, rounding: Rounding) -> Held {
        let exact = Dyadic::from_rational(x).and_then(|x| x.to_f64());
        let here = exact.unwrap_or_else(|| x.to_f64().value());
        // Half a unit in the last place, or half of the smallest number, at most.
        let error = if exact.is_some() { 0.0 } else { up(here.abs() * f64::EPSILON, 1) + 5e-324 };
        let there = rounding.format.nearest(here);
        let apart = (there - here).abs();
        let runtime = if apart == 0.0 { error } else { up(apart + error, 1) };
        Held { here, error, size: here.abs().max(there.abs()), runtime, grain: grain(here) }
    }
}

/// Sums of units, those of one after the other.
struct Sums {
    centre: Vec<f64>,
    size: Vec<f64>,
    before: Vec<f64>,
    base: Vec<f64>,
}

/// Units on the values of each of x's points, `inputs` numbers each.
pub fn units(x: &Enclosure, units: &[Unit], inputs: usize, rounding: Rounding) -> Enclosure {
    let folded = x.forward(rounding);
    let own = x.own_sizes();
    let numbers = x.points * units.len();
    let zeros = || vec![0.0; numbers];
    let mut sums = Sums { centre: zeros(), size: zeros(), before: zeros(), base: zeros() };
    let (mut most_weight, mut most_bias, mut terms) = (1.0, 1.0, 0);
    let (mut taken, mut least, mut grains) = (true, 1.0f64, (ZEROS, ZEROS));
    for (j, unit) in units.iter().enumerate() {
        let bias = Held::of(&unit.bias, rounding);
        let weights: Vec<(usize, Held)> =
            unit.weights.iter().map(|(from, weight)| (*from, Held::of(weight, rounding))).collect();
        terms = terms.max(weights.len());
        most_bias = larger(most_bias, bias.size);
        grains.1 = grains.1.min(bias.grain);
        taken &= bias.runtime == 0.0 && rounding.keeps(&[bias.here]);
        for (_, weight) in &weights {
            most_weight = larger(most_weight, weight.size);
            least = least.min(least_of([weight.size].into_iter()));
            grains.0 = grains.0.min(weight.grain);
            taken &= weight.runtime == 0.0 && rounding.takes(&[weight.here]);
        }
        for point in 0..x.points {
            let into = point * units.len() + j;
            let (mut centre, mut size) = (bias.here, bias.size);
            let (mut before, mut base) = (bias.error, bias.runtime);
            for (from, weight) in &weights {
                let at = point * inputs + from;
                centre += weight.here * x.centre[at];
                size += weight.size * folded.size[at];
                before += weight.size * x.radius(at) + weight.error * own[at];
                let off = folded.base.get(at).copied().unwrap_or(0.0);
                base += weight.size * off + weight.runtime * folded.size[at];
            }
            let operations = 2 * weights.len() + 2;
            let bound = |x: f64| if x == 0.0 { x } else { up(x, operations) };
            sums.centre[into] = centre;
            sums.size[into] = bound(size);
            sums.before[into] = bound(before);
            sums.base[into] = bound(base);
        }
    }
    clear(&mut sums.before);
    clear(&mut sums.base);
    let with_weights = |own: i64| own.saturating_add(grains.0).min(grains.1);
    let grown = |most: &f64| up(terms as f64 * most_weight * most + most_bias, terms + 2);
    let known = x.known(|own| Some(with_weights(own)));
    let radius = affine::radius(&sums.before, &sums.size, terms + 1, &known);
    let chain = Chain {
        base: sums.base,
        size: sums.size,
        terms: folded.terms.saturating_add(terms + BESIDES),
        products: true,
        grain: folded.grain.iter().map(|own| own.filter(|_| taken).map(with_weights)).collect(),
        least: if folded.least < 1.0 { folded.least * least / 2.0 } else { least },
        most: folded.most.iter().map(grown).collect(),
    };
    let sums = Enclosure::folded(sums.centre, radius, x.points, chain, None, rounding);
    activated(sums, units, rounding)
}

/// Each unit's activation of its sum.
fn activated(sums: Enclosure, units: &[Unit], rounding: Rounding) -> Enclosure {
    if units.iter().all(|unit| unit.activation == Activation::Identity) {
        return sums;
    }
    let numbers = sums.centre.len();
    let mut all = Enclosure { back: None, forward: None, ..sums.clone() };
    all.radius = vec![0.0; numbers];
    all.runtime = vec![0.0; numbers];
    for activation in Activation::ALL {
        let which = |(j, unit): (usize, &Unit)| (unit.activation == activation).then_some(j as u32);
        let which: Vec<u32> = units.iter().enumerate().filter_map(which).collect();
        if which.is_empty() {
            continue;
        }
        let part = pointwise::gather(&sums, &which, units.len());
        let part = match activation {
            Activation::Relu => relu(&part),
            _ => pointwise::activate(&part, activation, rounding),
        };
        for k in 0..part.centre.len() {
            let into = k / which.len() * units.len() + which[k % which.len()] as usize;
            all.centre[into] = part.centre[k];
            all.radius[into] = part.radius(k);
            all.runtime[into] = part.runtime(k);
        }
    }
    clear(&mut all.radius);
    clear(&mut all.runtime);
    all
}

/// Lists of zeros are empty.
fn clear(list: &mut Vec<f64>) {
    if list.iter().all(|&x| x == 0.0) {
        list.clear();
    }
}
