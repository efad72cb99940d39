//! A layered network at every point, by its plan: in 128 bits where no sum can overflow them,
//! in big integers otherwise, in fractions after an activation that divides and on ridges.

use dashu_int::IBig;
use rayon::prelude::*;

use shatter_sample::Sample;

use super::Rejection;
use super::activation::{Activation, sine_of_dyadic, sine_of_fraction};
use super::coordinates::Coordinates;
use super::fraction::Fraction;
use super::layered::{Layer, Layered};
use super::number::{Binary, bit_length};
use super::plan::{FractionLayer, IntegerLayer, Integers, NARROW, Plan, Scale, Step};
use super::ridge::Ridge;
use super::work::{Budget, Work, operation};

/// Bits that the values of a layer may take at the points that a thread holds: 32 MiB.
const MOST_BITS: u64 = 1 << 28;

/// Numbers of a layer that are held for a few points at once: 1 MiB of 128-bit integers.
const BLOCK_NUMBERS: usize = 1 << 16;

/// The values of a layer at a point.
enum Values {
    /// Integers of at most this many bits.
    Narrow(Vec<i128>, u64),
    /// Integers of any size.
    Wide(Vec<IBig>),
    /// Fractions.
    Fractions(Vec<Fraction>),
}

/// `Ok` if the outputs equal the targets, point by point, at every point.
///
/// # Errors
/// [`Rejection::Misfit`] with the first point that is not fitted, [`Rejection::TooMuchSpace`],
/// [`Rejection::TooMuchWork`].
pub fn fits(
    network: &Layered,
    targets: &[Binary],
    sample: &Sample,
    budget: &Budget,
) -> Result<(), Rejection> {
    let work = budget.work();
    let (n, d) = (sample.points.n(), sample.points.d());
    let coordinates = Coordinates::of(sample.points.values());
    let plan = Plan::of(network, coordinates.grain, &work)?;
    // Every number of the network once a point; longer ones are announced as they come.
    let numbers = plan.steps.iter().map(Step::numbers).fold(d as u64, u64::saturating_add);
    work.steps((n as u64).saturating_mul(numbers))?;
    let outputs = network.outputs();
    // A few points pass each layer together, so that the layers are read from memory once for them.
    let widest = network.layers.iter().map(Layer::units).max().unwrap_or(1).max(d);
    let together = (BLOCK_NUMBERS / widest).clamp(1, 64);
    let limit = MOST_BITS / together as u64;
    let thread = || (Vec::new(), budget.work());
    let block = |(spare, work): &mut (Vec<i128>, Work), block: usize| {
        let points = block * together..((block + 1) * together).min(n);
        let at = |i: usize| at_point(&coordinates, i * d..(i + 1) * d, work);
        let mut values: Vec<Values> = points.clone().map(at).collect::<Result<_, _>>()?;
        for step in &plan.steps {
            for values in &mut values {
                let before = std::mem::replace(values, Values::Wide(Vec::new()));
                *values = match step {
                    Step::Ridge(ridge) => on_ridge(ridge, before, spare, limit, work)?,
                    Step::Integers(step) => from_integers(step, before, spare, limit, work)?,
                    Step::Fractions(step) => from_fractions(step, before, limit, work)?,
                };
            }
        }
        for (i, values) in points.zip(&values) {
            let targets = &targets[i * outputs..(i + 1) * outputs];
            if !equal(values, &plan.scales, targets, work)? {
                return Ok::<Option<usize>, Rejection>(Some(i));
            }
        }
        Ok(None)
    };
    let misfit = (0..n.div_ceil(together)).into_par_iter().map_init(thread, block);
    let first = |one: Option<usize>, two: Option<usize>| Ok(one.into_iter().chain(two).min());
    match misfit.try_reduce(|| None, first)? {
        Some(point) => Err(Rejection::Misfit { point }),
        None => Ok(()),
    }
}

fn at_point(
    coordinates: &Coordinates,
    range: std::ops::Range<usize>,
    work: &Work,
) -> Result<Values, Rejection> {
    let narrow: Option<Vec<i128>> = range.clone().map(|at| coordinates.narrow(at)).collect();
    if let Some(values) = narrow {
        return Ok(Values::Narrow(values, coordinates.bits));
    }
    work.announce(range.len() as u64, coordinates.bits, 0)?;
    Ok(Values::Wide(range.map(|at| coordinates.wide(at)).collect()))
}

/// The second layer of a ridge.
fn on_ridge(
    ridge: &Ridge,
    values: Values,
    spare: &mut Vec<i128>,
    limit: u64,
    work: &Work,
) -> Result<Values, Rejection> {
    let p = match from_integers(&ridge.projection, values, spare, limit, work)? {
        Values::Narrow(p, _) => p.first().map(|&p| IBig::from(p)),
        Values::Wide(p) => p.into_iter().next(),
        Values::Fractions(_) => None,
    };
    let sums = ridge.sums(p.ok_or(Rejection::Plan)?, limit, work)?;
    let units = sums.into_iter().zip(&ridge.layer.activations);
    if ridge.indicators {
        let one = |(sum, &activation): (Fraction, &Activation)| {
            Ok::<i128, Rejection>(i128::from(sum.indicator(activation, work)?))
        };
        return Ok(Values::Narrow(units.map(one).collect::<Result<_, _>>()?, 1));
    }
    let value = |(sum, &activation): (Fraction, &Activation)| sum.settled(activation, work);
    Ok(Values::Fractions(units.map(value).collect::<Result<_, _>>()?))
}

/// A layer whose inputs are integers.
fn from_integers(
    step: &IntegerLayer,
    values: Values,
    spare: &mut Vec<i128>,
    limit: u64,
    work: &Work,
) -> Result<Values, Rejection> {
    match (values, &step.integers) {
        (Values::Narrow(values, bits), Integers::Narrow { weights, biases })
            if stays_narrow(step, bits) =>
        {
            let mut after = std::mem::take(spare);
            let bits = narrow(step, weights, biases, &values, &mut after);
            *spare = values;
            Ok(Values::Narrow(after, bits))
        }
        (Values::Narrow(values, _), _) => {
            let values: Vec<IBig> = values.into_iter().map(IBig::from).collect();
            wide(step, &values, limit, work)
        }
        (Values::Wide(values), _) => wide(step, &values, limit, work),
        // A plan never puts such a layer there; what it would compute is no number.
        (Values::Fractions(_), _) => Err(Rejection::Plan),
    }
}

/// Returns whether no sum, and no square of one, can overflow, given the bits of the inputs.
fn stays_narrow(step: &IntegerLayer, bits: u64) -> bool {
    let (weight, bias, terms) = step.bits;
    let sum = (weight + bits + terms).max(bias) + 1;
    (if step.squares { 2 * sum } else { sum }) <= NARROW
}

/// In 128 bits. Returns the bits of the largest value.
fn narrow(
    step: &IntegerLayer,
    weights: &[i128],
    biases: &[i128],
    values: &[i128],
    after: &mut Vec<i128>,
) -> u64 {
    let layer = &step.layer;
    after.clear();
    let (mut start, mut seen) = (0, 0);
    for (j, (&end, &bias)) in layer.ends.iter().zip(biases).enumerate() {
        let terms = weights[start..end].iter().zip(&layer.from[start..end]);
        let t = terms.fold(bias, |sum, (weight, &from)| sum + weight * values[from as usize]);
        start = end;
        let value = match layer.activations[j] {
            Activation::Relu => t.max(0),
            Activation::Threshold => i128::from(t > 0),
            Activation::Square => t * t,
            Activation::Sine => i128::from(narrow_sine(t, step.scales[j].exponent)),
            // A layer with one of the others is never narrow.
            Activation::Identity | Activation::Softsign | Activation::Reciprocal => t,
        };
        seen |= value.unsigned_abs();
        after.push(value);
    }
    u64::from(128 - seen.leading_zeros())
}

/// Returns whether sin(π t 2^e) > 0; see [`sine_of_dyadic`].
fn narrow_sine(t: i128, e: i64) -> bool {
    let k = if e < 0 { e.unsigned_abs() } else { 0 };
    let whole = t == 0 || u64::from(t.trailing_zeros()) >= k;
    !whole && (t >> k.min(127)) & 1 == 0
}

/// In big integers.
fn wide(
    step: &IntegerLayer,
    values: &[IBig],
    limit: u64,
    work: &Work,
) -> Result<Values, Rejection> {
    announce(step, values, limit, work)?;
    let layer = &step.layer;
    let mut sums = Vec::with_capacity(layer.units());
    for j in 0..layer.units() {
        let value = |k: usize| &values[layer.from[k] as usize];
        sums.push(match &step.integers {
            Integers::Narrow { weights, biases } => layer
                .row(j)
                .fold(IBig::from(biases[j]), |sum, k| sum + IBig::from(weights[k]) * value(k)),
            Integers::Wide { weights, biases } => {
                layer.row(j).fold(biases[j].clone(), |sum, k| sum + &weights[k] * value(k))
            }
        });
    }
    if step.divides {
        let units = sums.iter().zip(&step.scales).zip(&layer.activations);
        let fraction = |((t, scale), &activation): ((&IBig, &Scale), &Activation)| {
            Fraction::new(t, scale.exponent, &scale.odd, work)?.activated(activation, work)
        };
        return Ok(Values::Fractions(units.map(fraction).collect::<Result<_, _>>()?));
    }
    for ((t, scale), activation) in sums.iter_mut().zip(&step.scales).zip(&layer.activations) {
        match activation {
            Activation::Relu if *t < IBig::ZERO => *t = IBig::ZERO,
            Activation::Threshold => *t = IBig::from(u8::from(*t > IBig::ZERO)),
            Activation::Square => *t = &*t * &*t,
            Activation::Sine => *t = IBig::from(u8::from(wide_sine(t, scale, work)?)),
            _ => {}
        }
    }
    let most = sums.iter().map(bit_length).max().unwrap_or(0);
    let narrow: Option<Vec<i128>> = match most <= NARROW {
        true => sums.iter().map(|t| i128::try_from(t).ok()).collect(),
        false => None,
    };
    Ok(match narrow {
        Some(narrow) => Values::Narrow(narrow, most),
        None => Values::Wide(sums),
    })
}

/// Announces the products, the squares and the space of a layer in big integers.
fn announce(
    step: &IntegerLayer,
    values: &[IBig],
    limit: u64,
    work: &Work,
) -> Result<(), Rejection> {
    let layer = &step.layer;
    let value_bits: Vec<u64> = values.iter().map(bit_length).collect();
    let weight_bits = |k: usize| match &step.integers {
        Integers::Narrow { .. } => NARROW,
        Integers::Wide { weights, .. } => bit_length(&weights[k]),
    };
    let (mut steps, mut space) = (0u64, 0u64);
    for j in 0..layer.units() {
        let (_, bias, terms) = step.bits;
        let mut bits = bias;
        for k in layer.row(j) {
            let (weight, value) = (weight_bits(k), value_bits[layer.from[k] as usize]);
            steps = steps.saturating_add(operation(weight, value));
            bits = bits.max(weight + value + terms);
        }
        bits += 1;
        // The bias and the activation.
        steps = steps.saturating_add(2 * operation(bits, 0));
        let scale = &step.scales[j];
        let scaled = bits + scale.exponent.unsigned_abs() + bit_length(&scale.odd);
        bits = match layer.activations[j] {
            Activation::Square => {
                steps = steps.saturating_add(operation(bits, bits));
                2 * bits
            }
            // A sine over a power of two shifts to the right, or not at all.
            Activation::Sine if scale.odd != IBig::ONE => scaled,
            _ if step.divides => scaled,
            _ => bits,
        };
        space = space.saturating_add(bits);
    }
    if space > limit {
        return Err(Rejection::TooMuchSpace { limit });
    }
    work.steps(steps)
}

/// Returns whether sin(π t 2^e / q) > 0; [`announce`] has bounded |e| unless q = 1.
fn wide_sine(t: &IBig, scale: &Scale, work: &Work) -> Result<bool, Rejection> {
    let shift = scale.exponent.unsigned_abs();
    if scale.odd == IBig::ONE {
        return Ok(sine_of_dyadic(t, if scale.exponent < 0 { shift } else { 0 }));
    }
    let odd_bits = bit_length(&scale.odd) + shift;
    work.announce(1, bit_length(t) + shift, odd_bits)?;
    Ok(match scale.exponent {
        0.. => sine_of_fraction(&(t << shift as usize), &scale.odd),
        _ => sine_of_fraction(t, &(&scale.odd << shift as usize)),
    })
}

/// A layer whose inputs are fractions.
fn from_fractions(
    step: &FractionLayer,
    values: Values,
    limit: u64,
    work: &Work,
) -> Result<Values, Rejection> {
    let Values::Fractions(values) = values else { return Err(Rejection::Plan) };
    let layer = step.layer;
    let (mut indicators, mut fractions) = (Vec::new(), Vec::new());
    let mut space = 0u64;
    for j in 0..layer.units() {
        let factors = |k: usize| (&step.weights[k], &values[layer.from[k] as usize]);
        // A sum is at most as long as all its terms; adding pairs holds two generations of them.
        let term_bits = |k: usize| factors(k).0.bits() + factors(k).1.bits();
        let row = || layer.row(j).filter(|&k| !factors(k).1.is_zero());
        let bits: u64 = row().map(term_bits).sum::<u64>() + step.biases[j].bits();
        if space.saturating_add(2 * bits) > limit {
            return Err(Rejection::TooMuchSpace { limit });
        }
        let products = row().map(|k| factors(k).0.times(factors(k).1, work));
        let mut terms: Vec<Fraction> = products.collect::<Result<_, _>>()?;
        terms.push(step.biases[j].clone());
        let sum = Fraction::sum(terms, work)?;
        let activation = layer.activations[j];
        if step.indicators {
            indicators.push(i128::from(sum.indicator(activation, work)?));
        } else {
            let value = sum.settled(activation, work)?;
            space = space.saturating_add(value.bits());
            fractions.push(value);
        }
    }
    Ok(match step.indicators {
        true => Values::Narrow(indicators, 1),
        false => Values::Fractions(fractions),
    })
}

/// Returns whether the outputs are the targets.
fn equal(
    values: &Values,
    scales: &[Scale],
    targets: &[Binary],
    work: &Work,
) -> Result<bool, Rejection> {
    match values {
        Values::Narrow(values, _) => {
            let values: Vec<IBig> = values.iter().map(|&value| IBig::from(value)).collect();
            Ok(same(&values, scales, targets))
        }
        Values::Wide(values) => Ok(same(values, scales, targets)),
        Values::Fractions(values) => {
            let mut all = values.len() == targets.len();
            for (value, target) in values.iter().zip(targets) {
                all &= value.equals(target, work)?;
            }
            Ok(all)
        }
    }
}

/// Returns whether P 2^e / q = y for all of them.
fn same(values: &[IBig], scales: &[Scale], targets: &[Binary]) -> bool {
    let one = |((value, scale), target): ((&IBig, &Scale), &Binary)| {
        let right = &target.mantissa * &scale.odd;
        let shift = target.exponent - scale.exponent;
        // An odd number times a negative power of two is no integer, and lengths tell most
        // numbers apart before anything is shifted.
        if right == IBig::ZERO || *value == IBig::ZERO {
            return right == *value;
        }
        let length = bit_length(&right).saturating_add(shift.unsigned_abs());
        shift >= 0 && bit_length(value) == length && *value == right << shift as usize
    };
    values.len() == scales.len()
        && values.len() == targets.len()
        && values.iter().zip(scales).zip(targets).all(one)
}
