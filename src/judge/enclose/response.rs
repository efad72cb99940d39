//! Local response normalization, enclosed: y = x · D^-β, D = k + α/size · Σ x² over channels nearby.
//!
//! β is a multiple of 1/4, so that powers are products of square roots, which binary64 rounds once;
//! k > 0 and α >= 0, so that D^-β falls as D grows. With x in
//! c ± ρ and D in [lo, hi],
//!
//! ```text
//! |x D^-β − c D0^-β| <= ρ lo^-β + |c| max(lo^-β − D0^-β, D0^-β − hi^-β)
//! ```
//!
//! A runtime may add all terms of each sum anew, or go from channel to channel, adding the square that
//! comes into reach and subtracting the one that leaves it: then the roundings of all channels before,
//! next to the largest of their squares, are in every sum. Both are covered; where that may leave
//! nothing of D, no bound is given.
//!
//! A runtime's power is taken to be off by at most [`POWER`] units in the last place, as those of
//! mathematical libraries are. Nothing is folded into this, or this into anything.

use super::Enclosure;
use super::bounds::{gamma, larger, up};
use crate::runtime::Rounding;
use shatter_network::graph::{Response, count};

/// Roundings of a runtime at y beside those of D: its power, a quotient or a product.
const POWER: usize = 64;
/// Roundings of a power here, its reciprocal, and a product.
const HERE: usize = 24;
/// Far above the smallest normal number of binary64.
const SMALL: f64 = 1e-280;

/// x^(quarters/4) to less than γ of [`HERE`].
fn power(x: f64, quarters: u32) -> f64 {
    let root = x.sqrt();
    let whole = (0..quarters / 4).fold(1.0, |product, _| product * x);
    whole
        * match quarters % 4 {
            0 => 1.0,
            1 => root.sqrt(),
            2 => root,
            _ => root * root.sqrt(),
        }
}

/// Sums over the channels near one, at one position.
#[derive(Default)]
struct Near {
    /// Σ c².
    squares: f64,
    /// At least what Σ x² is off by in real arithmetic, and at a runtime.
    real: f64,
    runtime: f64,
    /// At least |x|, at a runtime, too.
    largest: f64,
    channels: usize,
    /// Channels of the image.
    all: usize,
    /// At least what a runtime's D is off by if it goes from channel to channel.
    slid: f64,
}

/// The normalization of images of this shape.
pub fn response(x: &Enclosure, by: &Response, shape: &[usize], rounding: Rounding) -> Enclosure {
    let (channels, area) = (shape[0], count(shape) / shape[0]);
    let mut y = Enclosure { back: None, forward: None, ..x.clone() };
    y.radius = vec![0.0; x.centre.len()];
    y.runtime = vec![0.0; x.centre.len()];
    // Of all channels at a position: the sum of squares, and the largest number.
    let all: Vec<(f64, f64)> = (0..x.centre.len() / channels)
        .map(|place| {
            let (point, within) = (place / area, place % area);
            (0..channels).fold((0.0, 0.0), |(sum, largest), channel| {
                let at = (point * channels + channel) * area + within;
                let size = up(x.centre[at].abs() + x.radius(at) + x.runtime(at), 2);
                (up(sum + size * size, 2), larger(largest, size))
            })
        })
        .collect();
    let roundings = channels.saturating_mul(2).saturating_add(by.size + 16);
    for at in 0..x.centre.len() {
        let channel = at / area % channels;
        let mut near = Near::default();
        let (squares, largest) = all[at / (channels * area) * area + at % area];
        let held = up(by.k + by.alpha / by.size as f64 * squares, 8);
        near.slid = up(2.0 * gamma(roundings, rounding.sum_bits) * held, 4);
        near.largest = larger(1.0, largest);
        near.all = channels;
        for other in by.near(channel, channels) {
            let at = at - channel * area + other * area;
            let (size, radius) = (x.centre[at].abs(), x.radius(at));
            let both = up(radius + x.runtime(at), 1);
            near.squares += size * size;
            near.real += (2.0 * size + radius) * radius;
            near.runtime += (2.0 * size + both) * both;
            near.largest = larger(near.largest, up(size + both, 1));
            near.channels += 1;
        }
        let bounds = bound(x.centre[at], (x.radius(at), x.runtime(at)), &near, by, rounding);
        (y.centre[at], y.radius[at], y.runtime[at]) = bounds;
    }
    y
}

/// Centre, radius and what a runtime is off by, of a number c with the radius and runtime before.
fn bound(
    c: f64,
    (radius, off): (f64, f64),
    near: &Near,
    by: &Response,
    rounding: Rounding,
) -> (f64, f64, f64) {
    let Response { size, alpha, k, .. } = *by;
    let Some(quarters) = by.quarters().filter(|_| by.is_bounded()) else {
        return (0.0, f64::INFINITY, f64::INFINITY);
    };
    let weight = alpha / size as f64;
    let sum = k + weight * near.squares;
    let factor = 1.0 / power(sum, quarters);
    let terms = near.channels + 8;
    // Between which the factor lies, where the sum is off by `off` and rounded as there.
    let between = |off: f64, bits: u64, tiny: f64, slid: f64| {
        let rounded = 2.0 * gamma(terms, bits);
        // The sum as it stands here is rounded, too.
        let off = up(weight * off + gamma(terms, 53) * sum + tiny, terms);
        let (least, off) = if slid > 0.0 { (0.0, up(off + slid, 1)) } else { (k, off) };
        let low = larger(least, sum - off) * (1.0 - rounded);
        let high = up((sum + off) * (1.0 + rounded), 4);
        let spare = gamma(HERE, 53);
        (high, (1.0 - spare) / power(high, quarters), (1.0 + spare) / power(low, quarters))
    };
    // |x · factor − c · D0^-β|, x within `off` of c.
    let distance = |off: f64, (least, most): (f64, f64)| {
        let moved = larger(most - factor, factor - least);
        up(off * most + c.abs() * moved + f64::EPSILON * c.abs() * most, 8)
    };
    let largest = larger(1.0, near.largest);
    let grown = larger(1.0, alpha) * largest;
    let tiny = |smallest: f64| 8.0 * terms as f64 * smallest * grown;
    let (_, least, most) = between(near.real, 53, tiny(f64::MIN_POSITIVE), 0.0);
    // Powers of numbers below the normal range would be known to fewer digits.
    let normal = k >= SMALL && power(k, quarters) >= SMALL;
    let flushed = f64::MIN_POSITIVE * (4.0 + c.abs() + most);
    let radius_after = up(distance(radius, (least, most)) + flushed, 2);
    let radius_after = if normal { radius_after } else { f64::INFINITY };

    let (smallest, highest) = (rounding.smallest(), rounding.highest());
    let both = up(radius + off, 1);
    let bits = rounding.sum_bits;
    let (high, least, most) = between(near.runtime, bits, tiny(smallest), near.slid);
    let power_fits = power(high, quarters) < highest && high < highest;
    let squares_fit = grown * largest * (near.all as f64) < highest;
    // What is left of D is known to some digits, and no bound below has met an infinity.
    let left = sum - up(weight * near.runtime + near.slid, 4) >= smallest * 2f64.powi(64);
    let known =
        k >= smallest * 2f64.powi(64) && left && most.is_finite() && power_fits && squares_fit;
    let rounded = gamma(POWER, bits) * largest * most;
    let flushed = 8.0 * smallest * (1.0 + most + largest);
    let runtime = distance(both, (least, most)) + rounded + flushed + radius_after;
    (c * factor, radius_after, if known { up(runtime, 8) } else { f64::INFINITY })
}
