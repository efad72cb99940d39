//! The compiled network on a block of points, in the narrowest integers that cannot overflow.

use std::ops::Range;

use crate::exact::{IBig, Rational, bit_length};
use crate::network::Activation;
use crate::network::layered::{Layered, Unit};
use crate::sample::{Points, Values};

use super::program::{Code, Coefficient, Program, Whole};

/// Bits up to which a sum is taken in 64-bit integers, and in 128-bit ones.
const SHORT_BITS: u64 = 62;
const LONG_BITS: u64 = 126;

/// Values of one unit that do not fit 64 bits, or are no integers.
enum Other {
    /// They do: they stand in the block.
    Short,
    Long(Vec<i128>),
    Big(Vec<IBig>),
    Fractions(Vec<Rational>),
}

/// The values of a layer: unit by unit, `size` points each.
struct Block {
    size: usize,
    short: Vec<i64>,
    other: Vec<Other>,
    /// A bound on the bits of the values of each unit.
    bits: Vec<u64>,
}

impl Block {
    fn new(size: usize) -> Block {
        Block { size, short: Vec::new(), other: Vec::new(), bits: Vec::new() }
    }

    /// Makes room for a layer of `width` units.
    fn clear(&mut self, width: usize) {
        self.other.clear();
        self.bits.clear();
        self.short.resize(width * self.size, 0);
    }

    fn short(&self, unit: usize) -> &[i64] {
        &self.short[unit * self.size..(unit + 1) * self.size]
    }

    /// The value of a unit at a point, as an integer; fractions are handled elsewhere.
    fn integer(&self, unit: usize, k: usize) -> IBig {
        match &self.other[unit] {
            Other::Short => IBig::from(self.short(unit)[k]),
            Other::Long(v) => IBig::from(v[k]),
            Other::Big(v) => v[k].clone(),
            Other::Fractions(_) => IBig::ZERO,
        }
    }

    /// The value of a unit at a point, given its code.
    fn value(&self, unit: usize, k: usize, scale: &Rational) -> Rational {
        match &self.other[unit] {
            Other::Fractions(v) => v[k].clone(),
            _ => scale * Rational::from(self.integer(unit, k)),
        }
    }

    fn push(&mut self, other: Other) {
        let bits = match &other {
            Other::Short => short_bits(self.short(self.other.len())),
            Other::Long(v) => {
                let all = v.iter().fold(0u128, |all, x| all | x.unsigned_abs());
                128 - u64::from(all.leading_zeros())
            }
            Other::Big(v) => v.iter().map(bit_length).max().unwrap_or(0),
            Other::Fractions(_) => 0,
        };
        self.bits.push(bits);
        self.other.push(other);
    }
}

fn short_bits(values: &[i64]) -> u64 {
    let all = values.iter().fold(0u64, |all, x| all | x.unsigned_abs());
    64 - u64::from(all.leading_zeros())
}

/// The outputs at the points `rows`.
pub fn run(
    program: &Program,
    network: &Layered,
    points: &Points,
    rows: Range<usize>,
) -> Vec<Vec<Rational>> {
    let size = rows.len();
    let mut before = Block::new(size);
    let mut after = Block::new(size);
    load(&mut before, points, rows, program.input_exponent, network.inputs);
    for ((layer, units), scales) in program.layers.iter().zip(network.layers()).zip(&program.scales)
    {
        after.clear(layer.len());
        for (at, (code, unit)) in layer.iter().zip(units).enumerate() {
            let other = match code {
                Code::Whole(whole) => {
                    whole_unit(whole, &before, &mut after.short[at * size..(at + 1) * size])
                }
                Code::Fraction => {
                    let value = |k| fraction_unit(unit, &before, k, scales);
                    Other::Fractions((0..size).map(value).collect())
                }
            };
            after.push(other);
        }
        std::mem::swap(&mut before, &mut after);
    }
    let scales = &program.scales[program.layers.len()];
    let row = |k| scales.iter().enumerate().map(|(j, scale)| before.value(j, k, scale)).collect();
    (0..size).map(row).collect()
}

/// The coordinates of the points as integers over the grid.
fn load(block: &mut Block, points: &Points, rows: Range<usize>, exponent: i64, inputs: usize) {
    let d = points.d();
    block.clear(inputs);
    for k in 0..inputs {
        let into = &mut block.short[k * block.size..(k + 1) * block.size];
        let at = rows.clone().map(|i| i * d + k);
        let other = match points.values() {
            Values::U8(v) => {
                into.iter_mut().zip(at).for_each(|(x, at)| *x = i64::from(v[at]));
                Other::Short
            }
            // The least integer has no magnitude in 63 bits.
            Values::I64(v) | Values::Scaled { values: v, .. }
                if at.clone().all(|at| v[at] != i64::MIN) =>
            {
                into.iter_mut().zip(at).for_each(|(x, at)| *x = v[at]);
                Other::Short
            }
            _ => {
                let exact = rows.clone().map(|i| points.exact_at(i, k).in_units_of(exponent));
                narrow(exact.collect(), into)
            }
        };
        block.push(other);
    }
}

/// The same integers in 64 bits where all of them fit.
fn narrow(values: Vec<IBig>, into: &mut [i64]) -> Other {
    let fits = values.iter().all(|x| bit_length(x) <= SHORT_BITS);
    if !fits {
        return Other::Big(values);
    }
    into.iter_mut().zip(&values).for_each(|(x, value)| *x = i64::try_from(value).unwrap_or(0));
    Other::Short
}

/// A unit by the definition, at one point.
fn fraction_unit(unit: &Unit, before: &Block, k: usize, scales: &[Rational]) -> Rational {
    let sum = unit.weights.iter().fold(unit.bias.clone(), |sum, (from, weight)| {
        let value = before.value(*from, k, &scales[*from]);
        if value.is_zero() { sum } else { sum + weight * value }
    });
    unit.activation.apply(sum)
}

/// A unit in integers: into the block, or as what is returned.
fn whole_unit(unit: &Whole, before: &Block, into: &mut [i64]) -> Other {
    // Every partial sum is below terms · 2^widest.
    let products = unit.weights.iter().map(|(from, weight)| weight.bits + before.bits[*from]);
    let widest = products.max().unwrap_or(0).max(unit.bias.bits);
    let terms = unit.weights.len() as u64 + 1;
    let sum_bits = widest + u64::from(64 - terms.leading_zeros());
    let square = unit.activation == Activation::Square;
    let bits = if square { 2 * sum_bits } else { sum_bits };
    if bits <= SHORT_BITS {
        into.fill(unit.bias.short);
        for (from, weight) in &unit.weights {
            add_scaled(into, before.short(*from), weight.short);
        }
        match unit.activation {
            Activation::Relu => into.iter_mut().for_each(|v| *v = (*v).max(0)),
            Activation::Threshold => into.iter_mut().for_each(|v| *v = i64::from(*v > 0)),
            Activation::Square => into.iter_mut().for_each(|v| *v *= *v),
            _ => {}
        }
        Other::Short
    } else if bits <= LONG_BITS {
        let mut sums = vec![i128::try_from(&unit.bias.exact).unwrap_or(0); into.len()];
        for (from, weight) in &unit.weights {
            let weight = i128::try_from(&weight.exact).unwrap_or(0);
            match &before.other[*from] {
                Other::Short => {
                    let values = before.short(*from);
                    sums.iter_mut().zip(values).for_each(|(s, v)| *s += weight * i128::from(*v));
                }
                Other::Long(values) => {
                    sums.iter_mut().zip(values).for_each(|(s, v)| *s += weight * v);
                }
                // Big integers whose values happen to be short enough.
                _ => sums.iter_mut().enumerate().for_each(|(k, s)| {
                    *s += weight * i128::try_from(before.integer(*from, k)).unwrap_or(0);
                }),
            }
        }
        match unit.activation {
            Activation::Relu => sums.iter_mut().for_each(|v| *v = (*v).max(0)),
            Activation::Threshold => sums.iter_mut().for_each(|v| *v = i128::from(*v > 0)),
            Activation::Square => sums.iter_mut().for_each(|v| *v *= *v),
            _ => {}
        }
        let all = sums.iter().fold(0u128, |all, x| all | x.unsigned_abs());
        if 128 - u64::from(all.leading_zeros()) <= SHORT_BITS {
            into.iter_mut().zip(&sums).for_each(|(x, &v)| *x = v as i64);
            return Other::Short;
        }
        Other::Long(sums)
    } else {
        narrow((0..into.len()).map(|k| big_value(unit, before, k)).collect(), into)
    }
}

/// Σ over the values of one more unit: powers of two are shifts, which every processor has in lanes.
fn add_scaled(into: &mut [i64], values: &[i64], weight: i64) {
    let pairs = into.iter_mut().zip(values);
    let magnitude = weight.unsigned_abs();
    if magnitude.is_power_of_two() {
        let shift = magnitude.trailing_zeros();
        if weight > 0 {
            pairs.for_each(|(s, v)| *s += v << shift);
        } else {
            pairs.for_each(|(s, v)| *s -= v << shift);
        }
    } else {
        pairs.for_each(|(s, v)| *s += v * weight);
    }
}

fn big_value(unit: &Whole, before: &Block, k: usize) -> IBig {
    let mut sum = unit.bias.exact.clone();
    for (from, Coefficient { exact, .. }) in &unit.weights {
        match &before.other[*from] {
            Other::Short => {
                let value = before.short(*from)[k];
                if value != 0 {
                    sum += exact * value;
                }
            }
            Other::Big(values) => sum += exact * &values[k],
            _ => sum += exact * before.integer(*from, k),
        }
    }
    match unit.activation {
        Activation::Relu if sum < IBig::ZERO => IBig::ZERO,
        Activation::Threshold => IBig::from(sum > IBig::ZERO),
        Activation::Square => &sum * &sum,
        _ => sum,
    }
}
