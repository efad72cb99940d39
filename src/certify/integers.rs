//! A certificate of the two-layer form and its sample as one stream of integers, for the checker that is proved correct
//! in `proofs/`.
//!
//! Whitespace-separated decimal integers, in this order:
//!
//! ```text
//! 1  d  m  n  SA SX SW                 version, sizes, positive scales
//! A_1 … A_d                            a = A / SA
//! B_1 W_1 … B_m W_m                    b = B / (SA·SX), not decreasing;  w = W / SW
//! C                                    c = C / (SA·SX·SW)
//! X_i1 … X_id Y_i    (n times)         x = X / SX,  y = Y / (SA·SX·SW);  <A, X_i> not decreasing
//! ```
//!
//! so that the claim Σ_j w_j ReLU(<a, x_i> − b_j) + c = y_i becomes
//! Σ_j W_j max(<A, X_i> − B_j, 0) + C = Y_i over the integers.

use std::io::{self, Write};

use dashu_int::ops::Gcd;
use dashu_int::{IBig, UBig};

use shatter_sample::{Points, Sample, Values};

use shatter_check::number::{Binary, Number, bit_length};
use shatter_check::two_layer::TwoLayer;
use shatter_check::{Claim, Rejection};

/// The least power of two by which numbers with these exponents become integers.
fn scale_bits<'a>(numbers: impl Iterator<Item = &'a Binary>) -> usize {
    numbers.map(|x| (-x.exponent).max(0)).max().unwrap_or(0).unsigned_abs() as usize
}

/// `x · 2^bits`, an integer by the choice of `bits`.
fn scaled(x: &Binary, bits: usize) -> IBig {
    let shift = x.exponent + bits as i64;
    if shift >= 0 {
        &x.mantissa << shift as usize
    } else {
        &x.mantissa >> shift.unsigned_abs() as usize
    }
}

/// Bits that the numbers of a stream may take together: a gigabyte and more of digits.
const MOST_BITS: u64 = 1 << 33;

/// The common denominator of the weights: an odd part and a power of two, given as their product
/// and the exponent. Refuses weights whose denominators have too little in common: every number of
/// the stream would be as long as all of them together.
///
/// # Errors
/// [`Rejection::TooWide`].
pub fn weight_scale(network: &TwoLayer, claim: &Claim) -> Result<(IBig, usize), Rejection> {
    let numbers = 2 * network.units.len() as u64 + claim.targets.len() as u64;
    let dyadic = network.direction.iter().chain(network.units.iter().map(|unit| &unit.0));
    let bits = dyadic.map(|x| x.exponent.unsigned_abs()).max().unwrap_or(0);
    if bits.saturating_mul(numbers) > MOST_BITS {
        return Err(Rejection::TooWide { bits, numbers, limit: MOST_BITS });
    }
    let mut odd = UBig::ONE;
    for unit in &network.units {
        if let Number::Fraction(fraction) = &unit.1 {
            let divisor = (&odd).gcd(fraction.denominator());
            odd *= fraction.denominator() / divisor;
            let bits = bit_length(odd.as_ibig());
            if bits.saturating_mul(numbers) > MOST_BITS {
                return Err(Rejection::TooWide { bits, numbers, limit: MOST_BITS });
            }
        }
    }
    let dyadic_weights = network.units.iter().filter_map(|unit| match &unit.1 {
        Number::Binary(binary) => Some(binary),
        Number::Fraction(_) => None,
    });
    let w_bits = scale_bits(dyadic_weights);
    Ok((IBig::from(odd << w_bits), w_bits))
}

/// Writes the stream, given the [`weight_scale`]. The sample must be the one that the certificate is bound to
/// (see [`bind`](shatter_check::bind)).
///
/// # Errors
/// Those of the writer.
pub fn write_integers(
    out: &mut impl Write,
    network: &TwoLayer,
    claim: &Claim,
    sample: &Sample,
    (weight_scale, w_bits): (IBig, usize),
) -> io::Result<()> {
    let (n, d) = (sample.points.n(), sample.points.d());
    let coordinate = |i: usize, k: usize| coordinate(&sample.points, i, k);
    let x_bits = match sample.points.values() {
        Values::U8(_) | Values::I64(_) | Values::Scaled { .. } => 0,
        Values::F32(_) | Values::F64(_) => (0..n)
            .map(|i| (0..d).map(|k| (-coordinate(i, k).exponent).max(0)).max().unwrap_or(0))
            .max()
            .unwrap_or(0) as usize,
    };
    // The direction's scale also makes thresholds, bias and labels integers.
    let b_bits = scale_bits(network.units.iter().map(|unit| &unit.0)).saturating_sub(x_bits);
    let out_bits = scale_bits(claim.targets.iter().chain([&network.bias]));
    let a_bits =
        scale_bits(network.direction.iter()).max(b_bits).max(out_bits.saturating_sub(x_bits));
    let one = |bits: usize| IBig::ONE << bits;
    writeln!(out, "1 {d} {} {n}", network.units.len())?;
    writeln!(out, "{} {} {weight_scale}", one(a_bits), one(x_bits))?;
    let a: Vec<IBig> = network.direction.iter().map(|a| scaled(a, a_bits)).collect();
    for a in &a {
        writeln!(out, "{a}")?;
    }
    let z_bits = a_bits + x_bits;
    let mut units: Vec<(IBig, IBig)> = network
        .units
        .iter()
        .map(|(b, w)| {
            let w = match w {
                Number::Binary(w) => scaled(w, w_bits) * (&weight_scale >> w_bits),
                Number::Fraction(w) => w.numerator() * (&weight_scale / w.denominator().as_ibig()),
            };
            (scaled(b, z_bits), w)
        })
        .collect();
    units.sort();
    for (b, w) in &units {
        writeln!(out, "{b} {w}")?;
    }
    let output = |y: &Binary| scaled(y, z_bits) * &weight_scale;
    writeln!(out, "{}", output(&network.bias))?;
    let project = |i: usize| {
        a.iter().enumerate().fold(IBig::ZERO, |z, (k, a)| z + a * scaled(&coordinate(i, k), x_bits))
    };
    let mut order: Vec<(IBig, usize)> = (0..n).map(|i| (project(i), i)).collect();
    order.sort();
    for (_, i) in order {
        match sample.points.values() {
            // Machine integers print ten times as fast, and images have millions.
            Values::U8(v) => write_row(out, &v[i * d..(i + 1) * d])?,
            Values::I64(v) | Values::Scaled { values: v, .. } => {
                write_row(out, &v[i * d..(i + 1) * d])?;
            }
            Values::F32(_) | Values::F64(_) => {
                let row: Vec<IBig> = (0..d).map(|k| scaled(&coordinate(i, k), x_bits)).collect();
                write_row(out, &row)?;
            }
        }
        writeln!(out, "{}", output(&claim.targets[i]))?;
    }
    out.flush()
}

fn write_row(out: &mut impl Write, row: &[impl std::fmt::Display]) -> io::Result<()> {
    row.iter().try_for_each(|x| write!(out, "{x} "))
}

fn coordinate(points: &Points, i: usize, k: usize) -> Binary {
    match points.values() {
        Values::I64(v) | Values::Scaled { values: v, .. } => {
            Binary::from_integer(v[i * points.d() + k])
        }
        _ => Binary::from_f64(points.f64_at(i, k)),
    }
}
