//! Data thresholds: b_1 = z_1 − 1, b_{i+1} = z_i, the limit of the paper's interleaving.
//!
//! **Statement.** With these thresholds A_ij = ReLU(z_i − b_j) is still lower triangular with
//! positive diagonal z_i − b_i, and Aw = y has the solution
//!
//! ```text
//! s_1 = y_1,   s_i = (y_i − y_{i−1})/(z_i − z_{i−1}),   w_1 = s_1,   w_i = s_i − s_{i−1}
//! ```
//!
//! f interpolates linearly between neighbours. **Source.** Zhang et al. 2017, Lemma 1 and
//! Theorem 1, with b_{i+1} = z_i in place of b_{i+1} > z_i. **Counts.** 2n + d numbers.
//! **Bits.** Each weight depends on three neighbours only. **Cost.** O(n) after sorting: two
//! subtractions and one division a point.

use rayon::prelude::*;

use shatter_exact::Element;
use shatter_exact::{Dyadic, Lattice, Rational};

use super::{ExactSolution, FloatSolution};

/// Exact data thresholds for increasing projections.
///
/// ```
/// use shatter_construct::threshold::data;
/// use shatter_exact::{Dyadic, Lattice, Rational};
/// let number = |x: i64| Dyadic::from(x);
/// let z = Lattice::from_dyadics(&[number(0), number(3)]);
/// let fit = data::exact(&z, &[number(1), number(2)]);
/// assert_eq!(fit.b, [number(-1), number(0)]);
/// assert_eq!(fit.w, [Rational::ONE, Rational::from_parts((-2).into(), 3u8.into())]);
/// ```
pub fn exact(z: &Lattice, y: &[Dyadic]) -> ExactSolution {
    let b: Vec<Dyadic> = (0..z.len())
        .map(|i| if i == 0 { &z.get(0) - &Dyadic::ONE } else { z.get(i - 1) })
        .collect();
    let mut slope = Rational::ZERO;
    let w = (0..z.len())
        .map(|i| {
            let rise = if i == 0 { y[0].clone() } else { &y[i] - &y[i - 1] };
            let next = rise.to_rational() / (&z.get(i) - &b[i]).to_rational();
            let weight = &next - &slope;
            slope = next;
            weight
        })
        .collect();
    ExactSolution { stretch: 0, b, w }
}

/// Points a task handles at a time.
const CHUNK: usize = 1 << 14;

/// Data thresholds in floating point for increasing projections.
pub fn float<F: Element>(z: &[F], y: &[F]) -> FloatSolution<F> {
    let threshold = |i: usize| if i == 0 { z[0] - F::one() } else { z[i - 1] };
    // s_i, with y_0 = 0 and b_1 in the place of z_0.
    let slope = |i: usize| {
        let before = if i == 0 { F::zero() } else { y[i - 1] };
        (y[i] - before) / (z[i] - threshold(i))
    };
    let b = (0..z.len()).into_par_iter().with_min_len(CHUNK).map(threshold).collect();
    let mut w = vec![F::zero(); z.len()];
    w.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, w)| {
        let start = chunk * CHUNK;
        let mut last = if start == 0 { F::zero() } else { slope(start - 1) };
        for (i, w) in w.iter_mut().enumerate() {
            let next = slope(start + i);
            *w = next - last;
            last = next;
        }
    });
    FloatSolution { stretch: F::one(), b, w }
}
