//! When plain binary64 makes no rounding error at all.
//!
//! Suppose that all of a, b, w, c and the coordinates are 0 or normal binary64 numbers, and that
//!
//! ```text
//! (i)   every a_k x_k is a multiple of u,  and  Σ|a_k x_k| <= 2^53 u;
//! (ii)  u and every b_j are multiples of v, and  |b_j| + Σ|a_k x_k| <= 2^53 v;
//! (iii) every w_j·ReLU(<a,x> − b_j) and c are multiples of g,
//!       and  |c| + Σ_j |w_j| ReLU(<a,x> − b_j) <= 2^53 g;
//! ```
//!
//! with u, v, g powers of two in the normal range, and sums below 2^1023 ([`Format::never_rounds`]). Then
//! every partial result of every order of evaluation (blocked, fused, bias first or last) is a multiple
//! of its grain and at most 2^53 grains, hence 0 or a normal binary64 number: nothing is rounded, nor
//! flushed to zero where a runtime takes numbers below the normal range for 0. Rearrangements such as
//! (Σw)·x − Σwb are other computations, and not covered. With 2^24 and binary32 numbers the same
//! holds for single precision. Proof: DESIGN.md section 3.
//!
//! Cost: one pass over the sample for (i), one over the units for (ii) and (iii): the sum in (iii)
//! does not decrease with <a,x>, so it is largest at the largest projection.

pub mod layered;

use serde::Serialize;

use shatter_exact::{Dyadic, Format, Integers, Lattice};
use shatter_sample::{Points, Values};

use super::ExactNetwork;
use super::projection::magnitude;

/// The bits that the three bounds use, and the verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[must_use]
pub struct FloatExactness {
    /// log2 of Σ|a_k x_k| / u, at most 53 (24) if (i) holds.
    pub projection_bits: f64,
    /// log2 of (|b_j| + Σ|a_k x_k|) / v.
    pub threshold_bits: f64,
    /// log2 of (|c| + Σ|w_j| ReLU) / g; `None` if a weight is no dyadic number.
    pub sum_bits: Option<f64>,
    /// Plain binary64 reproduces the exact values in any order of evaluation.
    pub binary64: bool,
    /// Plain binary32 does.
    pub binary32: bool,
    /// The first hypothesis that fails for binary64.
    pub obstacle: Option<&'static str>,
}

/// A bound and the exponent of its grain.
struct Bound {
    size: Dyadic,
    grain: i64,
}

impl Bound {
    /// size <= 2^53 · 2^grain, decided exactly.
    fn fits(&self, format: Format) -> bool {
        self.size <= Dyadic::power_of_two(format.bits() as i64 + self.grain)
    }

    /// Sums of such terms round nothing.
    fn within(&self, format: Format) -> bool {
        // Rounded up: a size beyond the bound stays beyond it.
        let near = self.size.round_f64();
        let above = if self.size.to_f64().is_some() { near } else { near.next_up() };
        format.never_rounds(self.grain, above)
    }

    fn bits(&self) -> f64 {
        if self.size.is_zero() { 0.0 } else { log2(&self.size.scale(-self.grain)) }
    }
}

/// log2 |x| of a nonzero number, for display.
fn log2(x: &Dyadic) -> f64 {
    let top = x.log2_floor().unwrap_or(0);
    x.scale(-top).round_f64().abs().log2() + top as f64
}

impl FloatExactness {
    /// Decides the bounds for a network on a sample; `z` are the exact projections.
    pub fn of(network: &ExactNetwork, points: &Points, z: &Lattice) -> FloatExactness {
        let a = Lattice::from_dyadics(&network.a);
        let (sum_ax, u) = magnitude(points, &a);
        let b_grain = network.b.iter().filter_map(Dyadic::grain).min().unwrap_or(u);
        let v = u.min(b_grain);
        let b_largest = network.b.iter().map(Dyadic::abs).max().unwrap_or(Dyadic::ZERO);
        let projection = Bound { size: sum_ax.clone(), grain: u };
        let threshold = Bound { size: &b_largest + &sum_ax, grain: v };
        let weights: Option<Vec<Dyadic>> = network.w.iter().map(Dyadic::from_rational).collect();
        let sum = weights.as_ref().map(|weights| {
            let grain = weights.iter().filter_map(Dyadic::grain).min().map_or(v, |w| w + v);
            let size = largest_sum(network, weights, z);
            Bound { size, grain: grain.min(network.c.grain().unwrap_or(grain)) }
        });
        let within = |format| {
            let within = |bound: &Bound| bound.within(format);
            within(&projection) && within(&threshold) && sum.as_ref().is_some_and(within)
        };
        let numbers = || {
            let weights = weights.iter().flatten();
            network.a.iter().chain(&network.b).chain(weights).chain([&network.c])
        };
        let bits = [Some(&projection), Some(&threshold), sum.as_ref()];
        let obstacle = if weights.is_none() {
            Some("a weight is not a binary number")
        } else if bits.into_iter().flatten().any(|bound| !bound.fits(Format::F64)) {
            Some("a bound takes more than 53 bits")
        } else if !within(Format::F64) {
            Some("numbers leave the normal range of binary64")
        } else if !coordinates_are_normal(points, Format::F64) {
            Some("a coordinate is not a normal number of binary64")
        } else if !numbers().all(|x| Format::F64.normal(x).is_some()) {
            Some("a number of the network is not a normal number of binary64")
        } else {
            None
        };
        FloatExactness {
            binary64: obstacle.is_none(),
            obstacle,
            binary32: within(Format::F32)
                && coordinates_are_normal(points, Format::F32)
                && numbers().all(|x| Format::F32.normal(x).is_some()),
            projection_bits: projection.bits(),
            threshold_bits: threshold.bits(),
            sum_bits: sum.map(|sum| sum.bits()),
        }
    }

    /// Returns true if plain evaluation in `format` reproduces the exact values; decided for binary64 and
    /// binary32, `false` for narrower formats.
    pub fn holds_in(&self, format: Format) -> bool {
        match format {
            Format::F64 => self.binary64,
            Format::F32 => self.binary32,
            Format::F16 | Format::Bf16 => false,
        }
    }
}

/// |c| + Σ_j |w_j| ReLU(z − b_j) at the largest z.
fn largest_sum(network: &ExactNetwork, weights: &[Dyadic], z: &Lattice) -> Dyadic {
    let top = match &z.values {
        Integers::Narrow(v) => v.iter().max().map(|&x| Dyadic::new(x, z.exponent)),
        Integers::Wide(v) => v.iter().max().map(|x| Dyadic::new(x.clone(), z.exponent)),
    };
    let top = top.unwrap_or(Dyadic::ZERO);
    network.b.iter().zip(weights).fold(network.c.abs(), |sum, (b, w)| {
        let t = &top - b;
        if t.is_negative() || t.is_zero() { sum } else { &sum + &(&w.abs() * &t) }
    })
}

/// Whether every coordinate is 0 or a normal number of the format.
fn coordinates_are_normal(points: &Points, format: Format) -> bool {
    let float = |x: f64| format.has(x) && format.all_normal(&[x]);
    match points.values() {
        Values::U8(_) => true,
        Values::F32(v) => v.iter().all(|&x| float(f64::from(x))),
        Values::F64(v) => v.iter().all(|&x| float(x)),
        Values::I64(v) | Values::Scaled { values: v, .. } => {
            v.iter().all(|&x| format.normal(&Dyadic::from(x)).is_some())
        }
    }
}
