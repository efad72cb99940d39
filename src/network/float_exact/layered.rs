//! When plain floating point makes no rounding error in a layered network.
//!
//! Let p be the bits of the mantissa (53, or 24). Suppose that weights, biases and coordinates are 0 or
//! normal numbers of the format, and that for every unit, at every point, with h the values of the
//! layer before,
//!
//! ```text
//! every w_k h_k and the bias v are multiples of u,  and  |v| + Σ|w_k h_k| <= 2^p u
//! ```
//!
//! for a power of two u in the normal range, and the sum is below the largest power of two
//! ([`Format::never_rounds`]). Then, as in the two-layer form, every order of the sum, fused or not,
//! bias first or last, returns Σ w_k h_k + v exactly; and of the activations
//!
//! * identity, ReLU, threshold and sine round nothing;
//! * t² and 1/t round nothing where the exact value is 0 or a normal number of the format, and softsign
//!   where 1 + |t| is one, too. That is asked for at every point.
//!
//! All numbers that are read or written are 0 or normal, as multiples of a normal u, so runtimes that
//! take numbers below the normal range for 0 find the same.
//!
//! By induction over the layers, values of the format evaluate the network exactly, and are used here.
//! Σ|w_k h_k| is bounded from above in binary64.
//!
//! Cost: two operations a weight and a point, units that share their weights once.

use rayon::prelude::*;

use crate::layered::{Layered, Unit};
use crate::{Activation, ExactPoints};
use shatter_exact::format::{ZEROS, grain};
use shatter_exact::{Dyadic, Format, Rational};
use shatter_sample::Points;

/// The decision whether plain binary64 and binary32 reproduce the exact values at every point of a sample.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[must_use]
pub struct LayeredExactness {
    /// binary64 does, in any order of evaluation.
    pub binary64: bool,
    /// binary32 does.
    pub binary32: bool,
    /// The first hypothesis that fails for binary64.
    pub obstacle: Option<String>,
}

/// A unit in binary64.
struct Floats {
    /// What it reads, the weight, and the exponent of the weight's last bit.
    weights: Vec<(usize, f64, i64)>,
    bias: f64,
    activation: Activation,
    /// Whether its weights are those of the unit before.
    shared: bool,
}

impl LayeredExactness {
    /// Decides the bounds for a network on a sample.
    ///
    /// ```
    /// use shatter_construct::{Construction, Task, depth_k::DepthK};
    /// use shatter_network::{Network, float_exact::layered::LayeredExactness};
    /// use shatter_sample::{self as sample, LabelRule};
    /// let sample = sample::load("lattice:n=20,d=3", 1)?.distinct(LabelRule::Random, 1)?;
    /// let network = DepthK { depth: 3 }.build(&Task::new(&sample.points, &sample.labels, 1))?;
    /// let Network::Layered(network) = network else { unreachable!() };
    /// assert!(LayeredExactness::of(&network, &sample.points).binary64);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// If the points have fewer coordinates than the network has inputs, or a unit is
    /// [`Miswired`](crate::layered::Miswired).
    pub fn of(network: &Layered, points: &Points) -> LayeredExactness {
        let obstacle = decide(network, points, Format::F64).err();
        let binary32 = obstacle.is_none() && decide(network, points, Format::F32).is_ok();
        LayeredExactness { binary64: obstacle.is_none(), binary32, obstacle }
    }
}

/// The first hypothesis that fails.
fn decide(network: &Layered, points: &Points, format: Format) -> Result<(), String> {
    let mut layers = Vec::new();
    for (layer, units) in network.layers().enumerate() {
        let floats = |(at, unit): (usize, &Unit)| {
            let number = |x: &Rational| format.normal(&Dyadic::from_rational(x)?);
            let weights = unit.weights.iter().map(|(from, weight)| {
                let weight = number(weight)?;
                Some((*from, weight, grain(weight)))
            });
            Some(Floats {
                weights: weights.collect::<Option<_>>()?,
                bias: number(&unit.bias)?,
                activation: unit.activation,
                shared: at > 0 && units[at - 1].weights == unit.weights,
            })
        };
        let floats: Option<Vec<Floats>> = units.iter().enumerate().map(floats).collect();
        layers.push(floats.ok_or_else(|| {
            format!("a number of layer {layer} is not a normal number of {format}")
        })?);
    }
    (0..points.n()).into_par_iter().try_for_each(|i| {
        let coordinate = |k| format.normal(&points.exact_at(i, k));
        let input: Option<Vec<f64>> = (0..network.inputs).map(coordinate).collect();
        let mut values = input.ok_or_else(|| {
            format!("a coordinate of point {i} is not a normal number of {format}")
        })?;
        for (layer, units) in layers.iter().enumerate() {
            let grains: Vec<i64> = values.iter().map(|&h| grain(h)).collect();
            let mut sum = Sum::default();
            let mut next = Vec::with_capacity(units.len());
            for (at, unit) in units.iter().enumerate() {
                if !unit.shared {
                    sum = Sum::of(&unit.weights, &values, &grains);
                }
                let value =
                    sum.plus(unit.bias, format).and_then(|t| activate(unit.activation, t, format));
                next.push(
                    value.ok_or_else(|| {
                        format!("unit {at} of layer {layer} may round at point {i}")
                    })?,
                );
            }
            values = next;
        }
        Ok(())
    })
}

/// Σ w_k h_k before its bias.
#[derive(Clone, Copy)]
struct Sum {
    value: f64,
    /// At least Σ|w_k h_k|.
    size: f64,
    /// Every term is a multiple of 2^grain; at least half of [`ZEROS`] if all are 0.
    grain: i64,
}

impl Default for Sum {
    fn default() -> Sum {
        Sum { value: 0.0, size: 0.0, grain: ZEROS }
    }
}

impl Sum {
    fn of(weights: &[(usize, f64, i64)], values: &[f64], grains: &[i64]) -> Sum {
        let mut sum = Sum::default();
        for &(from, weight, grain) in weights {
            let product = weight * values[from];
            sum.value += product;
            sum.size += product.abs();
            sum.grain = sum.grain.min(grain.saturating_add(grains[from]));
        }
        // More than the rounding of a sum of so many numbers.
        sum.size *= 1.0 + (weights.len() + 2) as f64 * f64::EPSILON;
        sum
    }

    /// The sum with its bias, if nothing rounds.
    fn plus(self, bias: f64, format: Format) -> Option<f64> {
        let size = (self.size + bias.abs()) * (1.0 + f64::EPSILON);
        let exact = format.never_rounds(grain(bias).min(self.grain), size);
        exact.then_some(self.value + bias)
    }
}

/// The activation of `t`, if nothing rounds.
fn activate(activation: Activation, t: f64, format: Format) -> Option<f64> {
    let indicator = |yes: bool| if yes { 1.0 } else { 0.0 };
    match activation {
        Activation::Identity => Some(t),
        Activation::Relu => Some(if t > 0.0 { t } else { 0.0 }),
        Activation::Threshold => Some(indicator(t > 0.0)),
        Activation::Sine => {
            let floor = t.floor();
            Some(indicator(floor != t && (floor / 2.0).floor() == floor / 2.0))
        }
        Activation::Square | Activation::Reciprocal | Activation::Softsign => {
            let exact = Dyadic::try_from(t).ok()?;
            if activation == Activation::Softsign {
                format.normal(&(&Dyadic::ONE + &exact.abs()))?;
            }
            let value = activation.apply(exact.to_rational());
            format.normal(&Dyadic::from_rational(&value)?)
        }
    }
}
