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

use shatter_exact::{Dyadic, Rational, bit_length};
use shatter_network::{ExactNetwork, ExactPoints, Network};
use shatter_sample::{Points, Sample, Values};

use crate::read::{File, Statement};

/// Bits that the numbers of a stream may take together: a gigabyte and more of digits.
const MOST_BITS: u64 = 1 << 33;

/// The reason why a certificate cannot be written as integers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntegersError {
    /// A network file, which says nothing of a sample.
    #[error("a network file claims nothing; expected a certificate")]
    NoClaim,
    /// The stream has room for one direction and one layer of units.
    #[error("the certificate is layered; expected the two-layer form")]
    Layered,
    /// The sample has another number of points, or of coordinates.
    #[error(
        "the certificate is for {points} points of {coordinates} coordinates, the sample has {n} of {d}"
    )]
    Sample {
        /// Points of the certificate.
        points: usize,
        /// Coordinates of a point of the certificate.
        coordinates: usize,
        /// Points of the sample.
        n: usize,
        /// Coordinates of a point of the sample.
        d: usize,
    },
    /// The numbers have so little in common that over one denominator they would fill the memory.
    #[error("{numbers} numbers of {bits} bits over one denominator are more than {limit} bits")]
    TooWide {
        /// Bits of one number.
        bits: u64,
        /// Number of them.
        numbers: u64,
        /// The limit of the product.
        limit: u64,
    },
    /// The output could not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Writes a certificate and its sample as integers. The sample must be the one that the certificate is bound to;
/// the checker decides that (`shatter_check::bind`).
///
/// # Errors
/// [`IntegersError`]; before the first byte is written, unless it is [`IntegersError::Io`].
pub fn write_integers(
    out: &mut impl Write,
    file: &File,
    sample: &Sample,
) -> Result<(), IntegersError> {
    let statement = file.statement.as_ref().ok_or(IntegersError::NoClaim)?;
    let Network::TwoLayer(network) = &file.network else { return Err(IntegersError::Layered) };
    let (n, d) = (sample.points.n(), sample.points.d());
    let (points, coordinates) = (statement.targets.len(), network.d());
    if (points, coordinates) != (n, d) {
        return Err(IntegersError::Sample { points, coordinates, n, d });
    }
    let scale = weight_scale(network, statement)?;
    Ok(write(out, network, statement, &sample.points, scale)?)
}

/// The least power of two by which numbers with these exponents become integers.
fn scale_bits<'a>(numbers: impl Iterator<Item = &'a Dyadic>) -> usize {
    let exponents = numbers.filter_map(Dyadic::grain);
    exponents.map(|exponent| (-exponent).max(0)).max().unwrap_or(0).unsigned_abs() as usize
}

/// `x · 2^bits`, an integer by the choice of `bits`.
fn scaled(x: &Dyadic, bits: usize) -> IBig {
    x.in_units_of(-(bits as i64))
}

/// The common denominator of the weights: an odd part and a power of two, given as their product
/// and the exponent. Refuses weights whose denominators have too little in common: every number of
/// the stream would be as long as all of them together.
fn weight_scale(
    network: &ExactNetwork,
    statement: &Statement,
) -> Result<(IBig, usize), IntegersError> {
    let numbers = 2 * network.units() as u64 + statement.targets.len() as u64;
    let within = |bits: u64| match bits.saturating_mul(numbers) > MOST_BITS {
        true => Err(IntegersError::TooWide { bits, numbers, limit: MOST_BITS }),
        false => Ok(()),
    };
    let exponents = network.a.iter().chain(&network.b).filter_map(Dyadic::grain);
    within(exponents.map(i64::unsigned_abs).max().unwrap_or(0))?;
    let (mut odd, mut w_bits) = (UBig::ONE, 0);
    for w in &network.w {
        match Dyadic::from_rational(w) {
            Some(w) => w_bits = w_bits.max(scale_bits([&w].into_iter())),
            None => {
                let divisor = (&odd).gcd(w.denominator());
                odd *= w.denominator() / divisor;
                within(bit_length(odd.as_ibig()))?;
            }
        }
    }
    Ok((IBig::from(odd << w_bits), w_bits))
}

fn write(
    out: &mut impl Write,
    network: &ExactNetwork,
    statement: &Statement,
    points: &Points,
    (weight_scale, w_bits): (IBig, usize),
) -> io::Result<()> {
    let (n, d) = (points.n(), points.d());
    let x_bits = match points.values() {
        Values::U8(_) | Values::I64(_) | Values::Scaled { .. } => 0,
        Values::F32(_) | Values::F64(_) => (0..n)
            .map(|i| {
                let row: Vec<Dyadic> = (0..d).map(|k| points.exact_at(i, k)).collect();
                scale_bits(row.iter())
            })
            .max()
            .unwrap_or(0),
    };
    // The direction's scale also makes thresholds, bias and labels integers.
    let b_bits = scale_bits(network.b.iter()).saturating_sub(x_bits);
    let out_bits = scale_bits(statement.targets.iter().chain([&network.c]));
    let a_bits = scale_bits(network.a.iter()).max(b_bits).max(out_bits.saturating_sub(x_bits));
    let one = |bits: usize| IBig::ONE << bits;
    writeln!(out, "1 {d} {} {n}", network.units())?;
    writeln!(out, "{} {} {weight_scale}", one(a_bits), one(x_bits))?;
    let a: Vec<IBig> = network.a.iter().map(|a| scaled(a, a_bits)).collect();
    for a in &a {
        writeln!(out, "{a}")?;
    }
    let z_bits = a_bits + x_bits;
    let weight = |w: &Rational| match Dyadic::from_rational(w) {
        Some(w) => scaled(&w, w_bits) * (&weight_scale >> w_bits),
        None => w.numerator() * (&weight_scale / w.denominator().as_ibig()),
    };
    let units = network.b.iter().zip(&network.w);
    let mut units: Vec<(IBig, IBig)> = units.map(|(b, w)| (scaled(b, z_bits), weight(w))).collect();
    units.sort();
    for (b, w) in &units {
        writeln!(out, "{b} {w}")?;
    }
    let output = |y: &Dyadic| scaled(y, z_bits) * &weight_scale;
    writeln!(out, "{}", output(&network.c))?;
    let coordinate = |i: usize, k: usize| scaled(&points.exact_at(i, k), x_bits);
    let project =
        |i: usize| a.iter().enumerate().fold(IBig::ZERO, |z, (k, a)| z + a * coordinate(i, k));
    let mut order: Vec<(IBig, usize)> = (0..n).map(|i| (project(i), i)).collect();
    order.sort();
    for (_, i) in order {
        match points.values() {
            // Machine integers print ten times as fast, and images have millions.
            Values::U8(v) => write_row(out, &v[i * d..(i + 1) * d])?,
            Values::I64(v) | Values::Scaled { values: v, .. } => {
                write_row(out, &v[i * d..(i + 1) * d])?;
            }
            Values::F32(_) | Values::F64(_) => {
                let row: Vec<IBig> = (0..d).map(|k| coordinate(i, k)).collect();
                write_row(out, &row)?;
            }
        }
        writeln!(out, "{}", output(&statement.targets[i]))?;
    }
    out.flush()
}

fn write_row(out: &mut impl Write, row: &[impl std::fmt::Display]) -> io::Result<()> {
    row.iter().try_for_each(|x| write!(out, "{x} "))
}
