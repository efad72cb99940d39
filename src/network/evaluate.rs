//! What a two-layer network computes, in three arithmetics.
//!
//! * [`brute_force`]: plain binary64, every unit at every point, exactly as any
//!   runtime would: 4·n·m operations, reads m thresholds and weights for each
//!   block of points;
//! * [`compensated`]: binary64 with every rounding error carried along (as if
//!   in twice the precision), the same n·m terms;
//! * [`exact_residual`]: no rounding; thresholds sorted, Σw and Σwb accumulated over
//!   them, so that n points cost O((n + m) log) operations on exact numbers.

use rayon::prelude::*;

use crate::ExactLabels;
use shatter_exact::{Dyadic, Integers, Lattice, Rational};
use shatter_sample::{Labels, Points};

use super::projection::project_float;
use super::{ExactNetwork, FloatNetwork, TwoLayer};
use shatter_exact::Element;

/// Points evaluated at a time: enough independent sums to keep the processor busy, few enough to
/// stay in registers.
const BLOCK: usize = 16;

/// f(x_i) for every point in plain floating point: project, subtract the threshold, ReLU, weigh, add,
/// units in their order, the output bias last.
///
/// ```
/// use shatter_network::{FloatNetwork, evaluate::brute_force};
/// use shatter_sample::{Points, Values};
/// let network = FloatNetwork { a: vec![1.0], b: vec![0.0, 1.0], w: vec![1.0, -2.0], c: 0.0 };
/// let points = Points::new(Values::F64(vec![-1.0, 1.0, 2.0]), vec![1])?;
/// assert_eq!(brute_force(&network, &points), [0.0, 1.0, 0.0]);
/// # Ok::<(), shatter_sample::SampleError>(())
/// ```
///
/// # Panics
/// If the network takes fewer coordinates than the points have.
pub fn brute_force<F: Element>(network: &TwoLayer<F>, points: &Points) -> Vec<F> {
    brute_force_projected(network, &project_float(points, &network.a))
}

/// Like [`brute_force`], for points whose projections `z_i = <a, x_i>` are known.
pub fn brute_force_projected<F: Element>(network: &TwoLayer<F>, z: &[F]) -> Vec<F> {
    let mut outputs = vec![F::zero(); z.len()];
    outputs.par_chunks_mut(BLOCK).zip(z.par_chunks(BLOCK)).for_each(|(outputs, z)| {
        let mut lanes = [F::zero(); BLOCK];
        lanes[..z.len()].copy_from_slice(z);
        let mut sums = [F::zero(); BLOCK];
        for (&b, &w) in network.b.iter().zip(&network.w) {
            // By index: no call is left to inline, wherever this is compiled.
            for lane in 0..BLOCK {
                let t = lanes[lane] - b;
                sums[lane] += w * if t > F::zero() { t } else { F::zero() };
            }
        }
        for (output, sum) in outputs.iter_mut().zip(sums) {
            *output = sum + network.c;
        }
    });
    outputs
}

/// x + y as a rounded sum and its error (Knuth).
fn two_sum(x: f64, y: f64) -> (f64, f64) {
    let sum = x + y;
    let part = sum - x;
    (sum, (x - (sum - part)) + (y - part))
}

/// f at points with known binary64 projections, the sum carried in twice the precision
/// (Ogita, Rump, Oishi, SIAM J. Sci. Comput. 26(6), 2005): what remains is the rounding of the
/// projection and of the thresholds themselves.
pub fn compensated(network: &FloatNetwork, z: &[f64]) -> Vec<f64> {
    let at = |&z: &f64| {
        let (mut high, mut low) = (network.c, 0.0);
        for (&b, &w) in network.b.iter().zip(&network.w) {
            let (t, t_error) = two_sum(z, -b);
            if t <= 0.0 {
                continue;
            }
            let product = w * t;
            let product_error = w.mul_add(t, -product) + w * t_error;
            let (sum, sum_error) = two_sum(high, product);
            high = sum;
            low += sum_error + product_error;
        }
        high + low
    };
    z.par_iter().map(at).collect()
}

/// max_i |f(x_i) − y_i| of outputs in binary64, for scalar labels. Not a number if one of them is.
///
/// # Panics
/// If there are fewer labels than outputs.
pub fn largest_error(outputs: &[f64], labels: &Labels) -> f64 {
    let differences = outputs.iter().enumerate().map(|(i, f)| (f - labels.f64_at(i)).abs());
    // A NaN must not vanish in a maximum.
    differences.fold(0.0, |worst, x| if x <= worst { worst } else { x })
}

/// The distance of a network from its labels, without rounding.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct ExactResidual {
    /// Points at which output and label are equal.
    pub fits: usize,
    /// max_i |f(x_i) − y_i|.
    pub largest: Rational,
    /// The first point at which it is attained; `None` if it is 0.
    pub at: Option<usize>,
}

/// The exact residual of `network` at points with exact projections `z` (see
/// [`project`](super::projection::project)) and scalar labels.
///
/// # Panics
/// If there are fewer labels than projections.
pub fn exact_residual(network: &ExactNetwork, z: &Lattice, labels: &Labels) -> ExactResidual {
    let weights: Option<Vec<Dyadic>> = network.w.iter().map(Dyadic::from_rational).collect();
    let differences: Vec<(usize, Rational)> = match weights {
        Some(weights) => sweep(network, &weights, z, |sum_w, sum_wb, z, i| {
            let output = &(&(sum_w * z) - sum_wb) + &network.c;
            let difference = &output - &labels.exact_at(i);
            (!difference.is_zero()).then(|| (i, difference.abs().to_rational()))
        }),
        None => sweep(network, &network.w, z, |sum_w, sum_wb, z, i| {
            let output = sum_w * z.to_rational() - sum_wb + network.c.to_rational();
            let difference = output - labels.exact_at(i).to_rational();
            let size = if difference < Rational::ZERO { -difference } else { difference };
            (!size.is_zero()).then_some((i, size))
        }),
    };
    let fits = z.len() - differences.len();
    let mut residual = ExactResidual { fits, largest: Rational::ZERO, at: None };
    for (i, size) in differences {
        if size > residual.largest || (size == residual.largest && residual.at > Some(i)) {
            residual = ExactResidual { fits, largest: size, at: Some(i) };
        }
    }
    residual
}

/// Numbers in which output weights can be accumulated exactly.
trait Weight: Sized {
    const ZERO: Self;
    fn plus(&self, other: &Self) -> Self;
    fn times(&self, b: &Dyadic) -> Self;
}

impl Weight for Dyadic {
    const ZERO: Dyadic = Dyadic::ZERO;
    fn plus(&self, other: &Dyadic) -> Dyadic {
        self + other
    }
    fn times(&self, b: &Dyadic) -> Dyadic {
        self * b
    }
}

impl Weight for Rational {
    const ZERO: Rational = Rational::ZERO;
    fn plus(&self, other: &Rational) -> Rational {
        self + other
    }
    fn times(&self, b: &Dyadic) -> Rational {
        self * b.to_rational()
    }
}

/// Visits the points in the order of their projections, with Σ w_j and Σ w_j b_j over the units
/// whose threshold is below; what `visit` returns is collected.
fn sweep<W: Weight, R>(
    network: &ExactNetwork,
    weights: &[W],
    z: &Lattice,
    visit: impl Fn(&W, &W, &Dyadic, usize) -> Option<R>,
) -> Vec<R> {
    let mut units: Vec<usize> = (0..network.units()).collect();
    if !network.b.is_sorted() {
        units.sort_by(|&i, &j| network.b[i].cmp(&network.b[j]));
    }
    let (mut sum_w, mut sum_wb) = (W::ZERO, W::ZERO);
    let mut units = units.into_iter().peekable();
    let mut results = Vec::new();
    for i in ascending(z) {
        let z = z.get(i as usize);
        while let Some(j) = units.next_if(|&j| network.b[j] < z) {
            sum_w = sum_w.plus(&weights[j]);
            sum_wb = sum_wb.plus(&weights[j].times(&network.b[j]));
        }
        results.extend(visit(&sum_w, &sum_wb, &z, i as usize));
    }
    results
}

/// The indices of the numbers in increasing order, ties by index.
pub fn ascending(z: &Lattice) -> Vec<u32> {
    fn order<T: Ord + Sync>(values: &[T]) -> Vec<u32> {
        let mut order: Vec<u32> = (0..values.len() as u32).collect();
        if !values.is_sorted() {
            order.par_sort_unstable_by(|&i, &j| {
                values[i as usize].cmp(&values[j as usize]).then(i.cmp(&j))
            });
        }
        order
    }
    match &z.values {
        Integers::Narrow(values) => order(values),
        Integers::Wide(values) => order(values),
    }
}
