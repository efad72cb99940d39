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
    let scales = Scales::of(network, statement, &sample.points)?;
    Ok(write(out, network, statement, &sample.points, &scales)?)
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

/// The scales of a stream: SA = 2^`a_bits`, SX = 2^`x_bits` and SW.
struct Scales {
    a_bits: usize,
    x_bits: usize,
    /// SW is 2 to this power, times the common denominator of the weights that are not dyadic.
    w_bits: usize,
    weights: IBig,
}

impl Scales {
    /// Refuses numbers that are far apart, and weights whose denominators have too little in common: every number of
    /// the stream would be as long as all of them together.
    fn of(
        network: &ExactNetwork,
        statement: &Statement,
        points: &Points,
    ) -> Result<Scales, IntegersError> {
        let outputs = || statement.targets.iter().chain([&network.c]);
        let x_bits = x_bits(points);
        // The direction's scale also makes thresholds, bias and labels integers.
        let b_bits = scale_bits(network.b.iter()).saturating_sub(x_bits);
        let out_bits = scale_bits(outputs()).saturating_sub(x_bits);
        let a_bits = scale_bits(network.a.iter()).max(b_bits).max(out_bits);
        let powers = network.w.iter().filter_map(Dyadic::from_rational);
        let w_bits = powers.map(|w| scale_bits([&w].into_iter())).max().unwrap_or(0);

        // Rows of points are made one by one, all other numbers are held together.
        let (d, m, n) =
            (network.d() as u64, network.units() as u64, statement.targets.len() as u64);
        let numbers = d + 2 * m + n + 1;
        let dyadic = network.a.iter().chain(&network.b).chain(outputs());
        let dyadic =
            dyadic.filter_map(Dyadic::log2_floor).map(|log| (log + 1).max(0).unsigned_abs());
        let weights = network.w.iter().map(|w| {
            (bit_length(w.numerator()) + 1).saturating_sub(bit_length(w.denominator().as_ibig()))
        });
        let before_point = dyadic.chain(weights).max().unwrap_or(0);
        let behind_point = (a_bits + x_bits + w_bits) as u64;
        let within = |denominator: &UBig| {
            let bits = before_point + behind_point + bit_length(denominator.as_ibig());
            match bits.saturating_mul(numbers) > MOST_BITS {
                true => Err(IntegersError::TooWide { bits, numbers, limit: MOST_BITS }),
                false => Ok(()),
            }
        };
        let mut common = UBig::ONE;
        within(&common)?;
        for w in network.w.iter().filter(|w| Dyadic::from_rational(w).is_none()) {
            let divisor = (&common).gcd(w.denominator());
            common *= w.denominator() / divisor;
            within(&common)?;
        }
        Ok(Scales { a_bits, x_bits, w_bits, weights: IBig::from(common << w_bits) })
    }
}

/// The least power of two by which all coordinates become integers.
fn x_bits(points: &Points) -> usize {
    match points.values() {
        Values::U8(_) | Values::I64(_) | Values::Scaled { .. } => 0,
        Values::F32(_) | Values::F64(_) => (0..points.n())
            .map(|i| {
                let row: Vec<Dyadic> = (0..points.d()).map(|k| points.exact_at(i, k)).collect();
                scale_bits(row.iter())
            })
            .max()
            .unwrap_or(0),
    }
}

fn write(
    out: &mut impl Write,
    network: &ExactNetwork,
    statement: &Statement,
    points: &Points,
    scales: &Scales,
) -> io::Result<()> {
    let (n, d) = (points.n(), points.d());
    let &Scales { a_bits, x_bits, w_bits, weights: ref weight_scale } = scales;
    let one = |bits: usize| IBig::ONE << bits;
    writeln!(out, "1 {d} {} {n}", network.units())?;
    writeln!(out, "{} {} {weight_scale}", one(a_bits), one(x_bits))?;
    let a: Vec<IBig> = network.a.iter().map(|a| scaled(a, a_bits)).collect();
    for a in &a {
        writeln!(out, "{a}")?;
    }
    let z_bits = a_bits + x_bits;
    let weight = |w: &Rational| match Dyadic::from_rational(w) {
        Some(w) => scaled(&w, w_bits) * (weight_scale >> w_bits),
        None => w.numerator() * (weight_scale / w.denominator().as_ibig()),
    };
    let units = network.b.iter().zip(&network.w);
    let mut units: Vec<(IBig, IBig)> = units.map(|(b, w)| (scaled(b, z_bits), weight(w))).collect();
    units.sort();
    for (b, w) in &units {
        writeln!(out, "{b} {w}")?;
    }
    let output = |y: &Dyadic| scaled(y, z_bits) * weight_scale;
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
