//! Promise: linear models are what their statements say, in floating point to rounding and in rational numbers
//! exactly; samples that cannot be fitted get an answer, and never NaN.

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod cases;
    pub use cases::*;
}

mod curvature;
mod decay;
mod descent;
mod minimum_norm;
mod samples;

use proptest::prelude::*;
use rand_distr::{Distribution, StandardNormal};
use shatter_exact::Rational;
use shatter_random::stream::{Purpose, stream_at};
use shatter_regression::exact::{Row, row};
use shatter_regression::{Design, Targets};

/// Unit roundoff of binary64.
const ROUNDOFF: f64 = f64::EPSILON / 2.0;

/// Standard normal numbers.
fn normal(len: usize, seed: u64, index: u32) -> Vec<f64> {
    let mut rng = stream_at(seed, Purpose::Points, index);
    (0..len).map(|_| StandardNormal.sample(&mut rng)).collect()
}

/// A random problem: n Gaussian points of d coordinates, with k Gaussian targets.
fn problem(n: usize, d: usize, k: usize, seed: u64) -> (Design, Targets) {
    let design = Design::new(normal(n * d, seed, 0), d, false).unwrap();
    (design, Targets::new(normal(n * k, seed, 1), k).unwrap())
}

/// A problem in small integers, of any rank and with any labels: points, targets, d.
fn whole() -> impl Strategy<Value = (Vec<f64>, Vec<f64>, usize)> {
    (1usize..=5, 1usize..=6).prop_flat_map(|(n, d)| {
        let numbers = |len| prop::collection::vec((-3i32..=3).prop_map(f64::from), len);
        (numbers(n * d), numbers(n), Just(d))
    })
}

/// The problem in rational numbers.
fn exactly(points: &[f64], targets: &[f64], d: usize) -> (Vec<Row>, Row) {
    (points.chunks(d).map(row).collect(), row(targets))
}

fn fraction(numerator: i32, denominator: u32) -> Rational {
    Rational::from_parts(numerator.into(), denominator.into())
}
