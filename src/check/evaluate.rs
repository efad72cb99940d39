//! The two-layer network at every point, in integers.
//!
//! Projections and thresholds are brought to integers over one power of two. The units are sorted
//! by threshold and the points by projection; one pass over both carries Σw and Σwb over the units
//! below the point, so that the output is (Σw)·z − Σwb + c, exactly.

use dashu_int::IBig;
use dashu_ratio::RBig;
use rayon::prelude::*;

use shatter_sample::{Points, Sample};

use super::Rejection;
use super::coordinates::Coordinates;
use super::number::{Binary, Number, bit_length};
use super::two_layer::TwoLayer;
use super::work::{Budget, Work};

/// Bits that all projections and thresholds may take over their common grain: 512 MiB.
const MOST_BITS: u64 = 1 << 32;

/// `Ok` if the output equals the label at every point.
///
/// # Errors
/// [`Rejection::Misfit`] with the first point that is not fitted, [`Rejection::TooWide`].
pub fn fits(
    network: &TwoLayer,
    targets: &[Binary],
    sample: &Sample,
    budget: &Budget,
) -> Result<(), Rejection> {
    let work = budget.work();
    let z = project(&network.direction, &sample.points, &work)?;
    // Thresholds and projections over one grain.
    let grain = network.units.iter().filter(|unit| unit.0 != Binary::ZERO);
    let grain = grain.map(|unit| unit.0.exponent).min().unwrap_or(z.grain).min(z.grain);
    let shift = (z.grain - grain).unsigned_abs();
    let spans = network.units.iter().map(|unit| unit.0.span(grain));
    let bits = spans.max().unwrap_or(0).max(z.bits + shift);
    within(bits, z.values.len() + network.units.len())?;
    let z: Vec<IBig> = z.values.into_iter().map(|z| z << shift as usize).collect();
    let b: Vec<IBig> = network.units.iter().map(|unit| unit.0.over(grain)).collect();
    let mut units: Vec<usize> = (0..b.len()).collect();
    units.sort_by(|&i, &j| b[i].cmp(&b[j]));
    let mut order: Vec<usize> = (0..z.len()).collect();
    order.par_sort_by(|&i, &j| z[i].cmp(&z[j]));

    let binary: Option<Vec<&Binary>> = network.units.iter().map(|unit| dyadic(&unit.1)).collect();
    let misfit = match binary {
        Some(w) => {
            // Everything over one grain: weights over 2^w_grain, outputs over 2^(w_grain + grain).
            let w_grain = w.iter().map(|w| w.exponent).min().unwrap_or(0).min(0);
            let out = [&network.bias].into_iter().chain(targets);
            let out_grain = out.map(|x| x.exponent).min().unwrap_or(0).min(w_grain + grain);
            let widest = w.iter().map(|w| w.span(w_grain)).max().unwrap_or(0);
            within(widest, w.len())?;
            let lift = (w_grain + grain - out_grain).unsigned_abs() as usize;
            within(lift as u64, z.len())?;
            // Two products a unit and a point, of the widest weight and threshold or their sums.
            let steps = 2 * (w.len() + z.len()) as u64;
            work.announce(steps, widest + 64, bits)?;
            work.announce(z.len() as u64, widest + 64 + bits + lift as u64, 0)?;
            let w: Vec<IBig> = w.iter().map(|w| w.over(w_grain)).collect();
            let bias = network.bias.over(out_grain);
            sweep(&order, &units, &z, &b, (IBig::ZERO, IBig::ZERO), |sums, event| match event {
                Event::Unit(j) => {
                    sums.0 += &w[j];
                    sums.1 += &w[j] * &b[j];
                    Ok(true)
                }
                Event::Point(i) => {
                    let output = ((&sums.0 * &z[i] - &sums.1) << lift) + &bias;
                    Ok(output == targets[i].over(out_grain))
                }
            })?
        }
        None => {
            let scale = power(grain);
            let w: Vec<RBig> = network.units.iter().map(|unit| fraction(&unit.1)).collect();
            let bias = rational(&network.bias);
            sweep(&order, &units, &z, &b, (RBig::ZERO, RBig::ZERO), |sums, event| match event {
                Event::Unit(j) => {
                    // Denominators that have nothing in common multiply up, step by step.
                    work.announce(8, size(&sums.1), size(&sums.1) + size(&w[j]) + bits)?;
                    sums.0 += &w[j];
                    sums.1 += &w[j] * RBig::from(b[j].clone());
                    Ok(true)
                }
                Event::Point(i) => {
                    work.announce(8, size(&sums.1), size(&sums.1) + bits)?;
                    let output = (&sums.0 * RBig::from(z[i].clone()) - &sums.1) * &scale + &bias;
                    Ok(output == rational(&targets[i]))
                }
            })?
        }
    };
    match misfit {
        Some(point) => Err(Rejection::Misfit { point }),
        None => Ok(()),
    }
}

fn within(bits: u64, numbers: usize) -> Result<(), Rejection> {
    let numbers = numbers as u64;
    if bits.saturating_mul(numbers) > MOST_BITS {
        return Err(Rejection::TooWide { bits, numbers, limit: MOST_BITS });
    }
    Ok(())
}

enum Event {
    /// The threshold of this unit has been passed.
    Unit(usize),
    /// This point has been reached: does it fit?
    Point(usize),
}

/// Passes units and points by increasing threshold and projection; the lowest index of a point
/// that does not fit.
fn sweep<S>(
    order: &[usize],
    units: &[usize],
    z: &[IBig],
    b: &[IBig],
    mut state: S,
    mut visit: impl FnMut(&mut S, Event) -> Result<bool, Rejection>,
) -> Result<Option<usize>, Rejection> {
    let mut units = units.iter().copied().peekable();
    let mut first: Option<usize> = None;
    for &i in order {
        while let Some(j) = units.next_if(|&j| b[j] < z[i]) {
            visit(&mut state, Event::Unit(j))?;
        }
        if !visit(&mut state, Event::Point(i))? {
            first = Some(first.map_or(i, |first| first.min(i)));
        }
    }
    Ok(first)
}

/// Bits of numerator and denominator.
fn size(x: &RBig) -> u64 {
    bit_length(x.numerator()) + bit_length(x.denominator().as_ibig())
}

fn dyadic(weight: &Number) -> Option<&Binary> {
    match weight {
        Number::Binary(binary) => Some(binary),
        Number::Fraction(_) => None,
    }
}

fn fraction(weight: &Number) -> RBig {
    match weight {
        Number::Binary(binary) => rational(binary),
        Number::Fraction(fraction) => fraction.clone(),
    }
}

/// 2^exponent.
fn power(exponent: i64) -> RBig {
    rational(&Binary { mantissa: IBig::ONE, exponent })
}

fn rational(x: &Binary) -> RBig {
    let shift = x.exponent.unsigned_abs() as usize;
    if x.exponent >= 0 {
        RBig::from(&x.mantissa << shift)
    } else {
        RBig::from_parts(x.mantissa.clone(), dashu_int::UBig::ONE << shift)
    }
}

/// Integers over 2^grain, of at most `bits` bits.
struct Projections {
    values: Vec<IBig>,
    grain: i64,
    bits: u64,
}

/// <a, x_i> for every point: in 128 bits where no product or sum overflows them (every one is
/// checked), in big integers otherwise.
fn project(direction: &[Binary], points: &Points, work: &Work) -> Result<Projections, Rejection> {
    let nonzero = |x: &&Binary| **x != Binary::ZERO;
    let a_grain = direction.iter().filter(nonzero).map(|a| a.exponent).min().unwrap_or(0);
    let a_bits = direction.iter().map(|a| a.span(a_grain)).max().unwrap_or(0);
    within(a_bits, direction.len())?;
    let a: Vec<IBig> = direction.iter().map(|a| a.over(a_grain)).collect();
    let (n, d) = (points.n(), points.d());
    let x = Coordinates::of(points.values());
    let (x_grain, x_bits) = (x.grain, x.bits);
    let bits = a_bits + x_bits + 64 - (d as u64).leading_zeros() as u64;
    within(bits, n)?;
    work.announce((n as u64).saturating_mul(d as u64), a_bits, x_bits)?;
    let narrow: Option<Vec<i128>> = a.iter().map(|a| i128::try_from(a).ok()).collect();
    let narrow = narrow.filter(|_| x_bits <= 127);
    let row = |i: usize| -> IBig {
        if let Some(a) = &narrow {
            let sum = a.iter().enumerate().try_fold(0i128, |sum, (k, a)| {
                sum.checked_add(a.checked_mul(x.narrow(i * d + k)?)?)
            });
            if let Some(sum) = sum {
                return IBig::from(sum);
            }
        }
        a.iter().enumerate().fold(IBig::ZERO, |sum, (k, a)| sum + a * x.wide(i * d + k))
    };
    let values = (0..n).into_par_iter().with_min_len(16).map(row).collect();
    Ok(Projections { values, grain: a_grain + x_grain, bits })
}
