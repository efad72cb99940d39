//! z_i = <a, x_i>: exactly, as integers over a common power of two, and in
//! plain binary64.
//!
//! Coordinates are integers times 2^e with one e for the whole sample, the
//! direction likewise. A bound on the bits of the result, known before the
//! first product, chooses between 64-bit, 128-bit and big integers; for byte
//! images and a direction of 20 bits, 64 are enough, and a projection costs
//! n·d integer multiplications and reads each point once.

use rayon::prelude::*;

use shatter_exact::dyadic::decompose;
use shatter_exact::{Dyadic, IBig, Integers, Lattice};
use shatter_sample::{Points, Values};

use shatter_exact::Element;

/// The lattice that holds every coordinate of a sample: multiples of `2^exponent`, below
/// `2^(exponent + bits)` in absolute value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoordinateGrid {
    /// Exponent of the common grain.
    pub exponent: i64,
    /// Bits of the largest coordinate over it.
    pub bits: u64,
}

impl CoordinateGrid {
    /// The coarsest lattice that holds every coordinate.
    pub fn of(points: &Points) -> CoordinateGrid {
        fn integers(v: &[i64]) -> CoordinateGrid {
            let top = v.par_iter().map(|x| x.unsigned_abs()).max().unwrap_or(0);
            CoordinateGrid { exponent: 0, bits: u64::from(64 - top.leading_zeros()) }
        }
        fn floats<T: Copy + Into<f64> + Sync>(v: &[T]) -> CoordinateGrid {
            let one = |&x: &T| match decompose(x.into()) {
                Ok((m, e)) if m != 0 => (e, e + 64 - i64::from(m.unsigned_abs().leading_zeros())),
                _ => (i64::MAX, i64::MIN), // zero: a multiple of everything
            };
            let (low, high) = v
                .par_iter()
                .map(one)
                .reduce(|| (i64::MAX, i64::MIN), |x, y| (x.0.min(y.0), x.1.max(y.1)));
            if low == i64::MAX {
                return CoordinateGrid { exponent: 0, bits: 0 };
            }
            CoordinateGrid { exponent: low, bits: (high - low) as u64 }
        }
        match points.values() {
            Values::U8(_) => CoordinateGrid { exponent: 0, bits: 8 },
            Values::I64(v) | Values::Scaled { values: v, .. } => integers(v),
            Values::F32(v) => floats(v),
            Values::F64(v) => floats(v),
        }
    }
}

/// z_i = <a, x_i> for all i, exactly. Cost: n·d products.
///
/// # Panics
/// If `a` is shorter than a point.
pub fn project(points: &Points, a: &Lattice) -> Lattice {
    dot_products(points, a, CoordinateGrid::of(points), false)
}

/// max_i Σ_k |a_k x_ik|, exactly, and the exponent of a grain of which every a_k x_ik is a multiple.
///
/// # Panics
/// If `a` is shorter than a point.
pub fn magnitude(points: &Points, a: &Lattice) -> (Dyadic, i64) {
    let sums = dot_products(points, a, CoordinateGrid::of(points), true);
    let largest = match &sums.values {
        Integers::Narrow(v) => Dyadic::new(v.iter().max().copied().unwrap_or(0), sums.exponent),
        Integers::Wide(v) => {
            Dyadic::new(v.iter().max().cloned().unwrap_or(IBig::ZERO), sums.exponent)
        }
    };
    (largest, sums.exponent)
}

/// `Σ_k a_k x_ik`, or `Σ_k |a_k x_ik|` if `absolute`.
fn dot_products(points: &Points, a: &Lattice, grid: CoordinateGrid, absolute: bool) -> Lattice {
    let d = points.d();
    let exponent = a.exponent + grid.exponent;
    let bits = a.bits() + grid.bits + u64::from(usize::BITS - d.leading_zeros());
    let values = match &a.values {
        Integers::Narrow(a) if bits <= 126 => {
            let sign = |x: &i128| if absolute { x.abs() } else { *x };
            let wide: Vec<i128> = a.iter().map(sign).collect();
            let short: Vec<i64> = wide.iter().map(|&x| x as i64).collect(); // used below 63 bits
            Integers::Narrow(match points.values() {
                Values::U8(v) if bits <= 62 => {
                    rows(v, d, |x| dot(&short, x, |&x| i64::from(x)).into())
                }
                Values::U8(v) => rows(v, d, |x| dot(&wide, x, |&x| i128::from(x))),
                Values::I64(v) | Values::Scaled { values: v, .. } if bits <= 62 => {
                    rows(v, d, |x| dot(&short, x, |&x| if absolute { x.abs() } else { x }).into())
                }
                Values::I64(v) | Values::Scaled { values: v, .. } => {
                    rows(v, d, |x| dot(&wide, x, |&x| sign(&i128::from(x))))
                }
                Values::F32(v) => {
                    rows(v, d, |x| dot(&wide, x, |&x| sign(&on_grid(x.into(), grid))))
                }
                Values::F64(v) => rows(v, d, |x| dot(&wide, x, |&x| sign(&on_grid(x, grid)))),
            })
        }
        _ => {
            let sign = |x: IBig| if absolute && x < IBig::ZERO { -x } else { x };
            let wide: Vec<IBig> = match &a.values {
                Integers::Narrow(a) => a.iter().map(|&x| sign(IBig::from(x))).collect(),
                Integers::Wide(a) => a.iter().cloned().map(sign).collect(),
            };
            let sum = |x: &mut dyn Iterator<Item = IBig>| {
                wide.iter().zip(x).map(|(a, x)| a * sign(x)).fold(IBig::ZERO, |s, t| s + t)
            };
            Integers::Wide(match points.values() {
                Values::U8(v) => rows(v, d, |x| sum(&mut x.iter().map(|&x| IBig::from(x)))),
                Values::I64(v) | Values::Scaled { values: v, .. } => {
                    rows(v, d, |x| sum(&mut x.iter().map(|&x| IBig::from(x))))
                }
                Values::F32(v) => {
                    rows(v, d, |x| sum(&mut x.iter().map(|&x| on_wide_grid(x.into(), grid))))
                }
                Values::F64(v) => {
                    rows(v, d, |x| sum(&mut x.iter().map(|&x| on_wide_grid(x, grid))))
                }
            })
        }
    };
    Lattice { exponent, values }
}

/// One result a row, on all cores, in the order of the rows.
fn rows<T: Sync, R: Send>(
    values: &[T],
    d: usize,
    each: impl Fn(&[T]) -> R + Send + Sync,
) -> Vec<R> {
    values.par_chunks(d).with_min_len(64).map(each).collect()
}

fn dot<T, N>(a: &[N], x: &[T], number: impl Fn(&T) -> N) -> N
where
    N: Copy + std::ops::Mul<Output = N> + std::iter::Sum,
{
    a.iter().zip(x).map(|(&a, x)| a * number(x)).sum()
}

/// A coordinate as an integer over the grid; finite by construction of [`Points`].
fn on_grid(x: f64, grid: CoordinateGrid) -> i128 {
    match decompose(x) {
        Ok((m, e)) if m != 0 => i128::from(m) << (e - grid.exponent),
        _ => 0,
    }
}

fn on_wide_grid(x: f64, grid: CoordinateGrid) -> IBig {
    match decompose(x) {
        Ok((m, e)) if m != 0 => IBig::from(m) << (e - grid.exponent) as usize,
        _ => IBig::ZERO,
    }
}

/// z_i = <a, x_i> in floating point, coordinates summed from the first to the last, no fused operations.
///
/// # Panics
/// If `a` is shorter than a point.
pub fn project_float<F: Element>(points: &Points, a: &[F]) -> Vec<F> {
    fn dot<T: Copy, F: Element>(a: &[F], x: &[T], number: impl Fn(T) -> F) -> F {
        a.iter().zip(x).fold(F::zero(), |sum, (&a, &x)| sum + a * number(x))
    }
    let d = points.d();
    match points.values() {
        Values::U8(v) => rows(v, d, |x| dot(a, x, |x| F::of(f64::from(x)))),
        Values::I64(v) | Values::Scaled { values: v, .. } => {
            rows(v, d, |x| dot(a, x, |x| F::of_integer(x)))
        }
        Values::F32(v) => rows(v, d, |x| dot(a, x, |x| F::of(f64::from(x)))),
        Values::F64(v) => rows(v, d, |x| dot(a, x, F::of)),
    }
}
