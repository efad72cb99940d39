//! A direction that tells n distinct points apart.
//!
//! Directions a with <a, x_i> = <a, x_j> for some i ≠ j lie in n(n − 1)/2 hyperplanes, so almost
//! every direction will do. What differs is the number of bits of the projections:
//!
//! * `auto`: for integer coordinates, uniform integers |a_k| <= R. A draw ties with probability at
//!   most n(n − 1)/(2R); in practice R near n to 8n suffices. R starts at a power of two near n and
//!   is doubled after four draws that tie; of eight draws without a tie the one whose network
//!   needs the fewest bits is kept. For real coordinates, `gaussian`.
//! * `gaussian`: standard normal, rounded to multiples of 2^-16 (finer after ties), so that exact
//!   projections stay narrow.
//! * `moment`: (1, t, …, t^{d−1}) for t = 0, 1, 2, …; each pair of points excludes at most d − 1
//!   values of t.
//! * `radix`: the same with t = 1 + the largest range of a coordinate, which never ties and needs
//!   (d − 1)·log2 t bits.
//!
//! Whether the projections are distinct is decided exactly, always.

use std::fmt;

use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use shatter_exact::{Dyadic, IBig, Lattice, bit_length};
use shatter_network::ExactPoints;
use shatter_network::projection::{CoordinateGrid, project};
use shatter_random::stream::{Purpose, below, stream};
use shatter_sample::Points;

use super::ConstructError;
use super::order::{Tie, order_exact};

/// The rule that chooses a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DirectionRule {
    /// Small integers for integer coordinates, Gaussian for real ones.
    #[default]
    Auto,
    /// Standard normal, rounded to a dyadic grid.
    Gaussian,
    /// Powers of one more than the largest range of a coordinate.
    Radix,
    /// Powers of 0, 1, 2, …
    Moment,
}

impl fmt::Display for DirectionRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DirectionRule::Auto => "auto",
            DirectionRule::Gaussian => "gaussian",
            DirectionRule::Radix => "radix",
            DirectionRule::Moment => "moment",
        })
    }
}

/// The distribution or formula that gave a direction, after its range was doubled or its base found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChosenDirection {
    /// The number 1, for points of one coordinate.
    Coordinate,
    /// Integers, uniform in |a_k| <= `largest`.
    Integers {
        /// A power of two.
        largest: u64,
    },
    /// Standard normal numbers, rounded to multiples of 2^−`bits`.
    Gaussian {
        /// Fractional bits.
        bits: i64,
    },
    /// (1, t, …, t^{d−1}).
    Powers {
        /// Radix or moment.
        rule: DirectionRule,
        /// The base.
        t: IBig,
    },
}

impl fmt::Display for ChosenDirection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChosenDirection::Coordinate => f.write_str("1 (one coordinate)"),
            ChosenDirection::Integers { largest } => write!(f, "integer, |a_k| <= {largest}"),
            ChosenDirection::Gaussian { bits } => write!(f, "gaussian, multiples of 2^-{bits}"),
            ChosenDirection::Powers { rule, t } => write!(f, "{rule}: powers of {t}"),
        }
    }
}

/// Directions that may tie before the search gives up.
pub const TRIES: usize = 64;
/// Draws that tie before the range is doubled.
const PATIENCE: usize = 4;
/// Draws without a tie of which the best is kept, for integer coordinates.
const CANDIDATES: usize = 8;
/// Fractional bits of a Gaussian direction.
const GAUSSIAN_BITS: i64 = 16;
/// Bits that all projections together may take: 4 GiB.
const MOST_BITS: u64 = 1 << 35;

/// A direction, and the points in the order of their exact, distinct projections.
#[derive(Clone, Debug)]
pub struct Projection {
    /// The direction, d numbers.
    pub a: Lattice,
    /// Point indices by increasing projection.
    pub order: Vec<u32>,
    /// The projections, increasing.
    pub z: Lattice,
    /// Directions tried.
    pub tries: usize,
    /// Directions that tied.
    pub tied: usize,
    /// The distribution or formula that gave the direction.
    pub direction: ChosenDirection,
}

/// Finds a direction that tells the points apart. `cost` ranks candidates (smaller is better)
/// given the sorted projections and their order; it is asked only where several are drawn.
///
/// # Errors
/// [`ConstructError::NoDirection`] after [`TRIES`] ties, [`ConstructError::WideDirection`].
pub fn choose(
    points: &Points,
    rule: DirectionRule,
    seed: u64,
    cost: impl Fn(&Lattice, &[u32]) -> f64,
) -> Result<Projection, ConstructError> {
    match rule {
        DirectionRule::Auto if points.is_lattice() => search(points, seed, Draw::Integers, cost),
        DirectionRule::Auto | DirectionRule::Gaussian => search(points, seed, Draw::Normals, cost),
        DirectionRule::Radix | DirectionRule::Moment => powers(points, rule),
    }
}

/// The first draws of the same search as floating-point directions, for solvers that do not
/// need distinctness to be decided exactly: [`TRIES`] of them, to be tried until one does.
pub fn draws(points: &Points, rule: DirectionRule, seed: u64) -> impl Iterator<Item = Lattice> {
    let integers = points.is_lattice() && rule == DirectionRule::Auto;
    let draw = if integers { Draw::Integers } else { Draw::Normals };
    let mut rng = stream(seed, Purpose::Direction);
    let (n, d) = (points.n(), points.d());
    (0..TRIES).map(move |i| draw.direction(&mut rng, n, d, i / PATIENCE))
}

#[derive(Clone, Copy)]
enum Draw {
    Integers,
    Normals,
}

impl Draw {
    /// A direction after the range has been doubled `doublings` times.
    fn direction(self, rng: &mut impl rand::Rng, n: usize, d: usize, doublings: usize) -> Lattice {
        if d == 1 {
            return Lattice::from_dyadics(&[Dyadic::ONE]);
        }
        let numbers: Vec<Dyadic> = match self {
            Draw::Integers => {
                let range = Draw::range(n, doublings);
                let draw = |_| below(rng, 2 * range + 1) as i64 - range as i64;
                (0..d).map(draw).map(Dyadic::from).collect()
            }
            Draw::Normals => {
                let bits = GAUSSIAN_BITS + doublings as i64;
                (0..d).map(|_| normal(rng, bits)).collect()
            }
        };
        Lattice::from_dyadics(&numbers)
    }

    /// Largest |a_k| of an integer direction: a power of two near n, then doubled.
    fn range(n: usize, doublings: usize) -> u64 {
        (n as u64).next_power_of_two() << doublings
    }

    fn chosen(self, n: usize, d: usize, doublings: usize) -> ChosenDirection {
        match self {
            _ if d == 1 => ChosenDirection::Coordinate,
            Draw::Integers => ChosenDirection::Integers { largest: Draw::range(n, doublings) },
            Draw::Normals => ChosenDirection::Gaussian { bits: GAUSSIAN_BITS + doublings as i64 },
        }
    }
}

/// A standard normal number, rounded to a multiple of 2^-bits.
pub(super) fn normal(rng: &mut impl rand::Rng, bits: i64) -> Dyadic {
    let normal: f64 = StandardNormal.sample(rng);
    Dyadic::new((normal * 2f64.powi(bits as i32)).round() as i64, -bits)
}

fn search(
    points: &Points,
    seed: u64,
    draw: Draw,
    cost: impl Fn(&Lattice, &[u32]) -> f64,
) -> Result<Projection, ConstructError> {
    let (n, d) = (points.n(), points.d());
    let wanted = match draw {
        Draw::Integers if d > 1 && n > 1 => CANDIDATES,
        _ => 1,
    };
    let mut rng = stream(seed, Purpose::Direction);
    let (mut tied, mut found) = (0, 0);
    let mut last_tie = Tie(0, 0);
    let mut best: Option<(f64, Projection)> = None;
    while found < wanted && tied < TRIES {
        let doublings = tied / PATIENCE;
        let a = draw.direction(&mut rng, n, d, doublings);
        let z = project(points, &a);
        match order_exact(&z) {
            Err(tie) => {
                last_tie = tie;
                tied += 1;
            }
            Ok(order) => {
                found += 1;
                let z = z.permuted(&order);
                let cost = if wanted == 1 { 0.0 } else { cost(&z, &order) };
                if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                    let direction = draw.chosen(n, d, doublings);
                    best = Some((cost, Projection { a, order, z, tries: 0, tied: 0, direction }));
                }
            }
        }
    }
    match best {
        Some((_, projection)) => Ok(Projection { tries: found + tied, tied, ..projection }),
        None => Err(ConstructError::NoDirection {
            rule: match draw {
                Draw::Integers => DirectionRule::Auto,
                Draw::Normals => DirectionRule::Gaussian,
            },
            tries: tied,
            arithmetic: "exact",
            first: last_tie.0.min(last_tie.1) as usize,
            second: last_tie.0.max(last_tie.1) as usize,
        }),
    }
}

/// Directions (1, t, …, t^{d−1}).
fn powers(points: &Points, rule: DirectionRule) -> Result<Projection, ConstructError> {
    let (n, d) = (points.n(), points.d());
    let radix = rule == DirectionRule::Radix;
    let bases: Vec<IBig> = if radix {
        vec![widest_range(points) + IBig::ONE]
    } else {
        (0..TRIES).map(IBig::from).collect()
    };
    let mut last_tie = Tie(0, 0);
    for (tied, t) in bases.iter().enumerate() {
        let bits = (d as u64 - 1) * bit_length(t) + CoordinateGrid::of(points).bits + 8;
        if bits.saturating_mul((n + d) as u64) > MOST_BITS {
            return Err(ConstructError::WideDirection { rule, bits, n });
        }
        let mut power = IBig::ONE;
        let mut direction = Vec::with_capacity(d);
        for _ in 0..d {
            direction.push(Dyadic::new(power.clone(), 0));
            power *= t;
        }
        let a = Lattice::from_dyadics(&direction);
        let z = project(points, &a);
        match order_exact(&z) {
            Err(tie) => last_tie = tie,
            Ok(order) => {
                let z = z.permuted(&order);
                let direction = ChosenDirection::Powers { rule, t: t.clone() };
                return Ok(Projection { a, order, z, tries: tied + 1, tied, direction });
            }
        }
    }
    Err(ConstructError::NoDirection {
        rule,
        tries: bases.len(),
        arithmetic: "exact",
        first: last_tie.0.min(last_tie.1) as usize,
        second: last_tie.0.max(last_tie.1) as usize,
    })
}

/// The largest max_i x_ik − min_i x_ik over the coordinates, in units of the coordinates' grid.
fn widest_range(points: &Points) -> IBig {
    let (n, d) = (points.n(), points.d());
    let range = |k: usize| {
        let (low, high) =
            (1..n).fold((points.exact_at(0, k), points.exact_at(0, k)), |(low, high), i| {
                let x = points.exact_at(i, k);
                if x < low {
                    (x, high)
                } else if x > high {
                    (low, x)
                } else {
                    (low, high)
                }
            });
        &high - &low
    };
    let widest = (0..d).into_par_iter().map(range).max().unwrap_or(Dyadic::ZERO);
    widest.in_units_of(CoordinateGrid::of(points).exponent)
}
