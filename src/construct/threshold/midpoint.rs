//! Midpoint thresholds: b_1 = z_1 − 1, b_{i+1} = (z_i + z_{i+1})/2.
//!
//! **Statement.** Strict interleaving, so Lemma 1 applies word for word: A is lower triangular with
//! diagonal z_1 − b_1 = 1 and half the gaps. **Source.** Zhang et al. 2017, Lemma 1 and Theorem 1.
//! **Counts.** 2n + d numbers. **Bits.** The recursion for the weights carries every earlier label:
//! exact weights grow by about 200 bits a row on Gaussian reals, and in floating point so do the
//! errors. This rule is here to show that, and because it is the one that readers of the paper
//! write first. **Cost.** O(n) operations after sorting, O(n²) bits in exact arithmetic.

use shatter_exact::Element;
use shatter_exact::{Dyadic, Lattice};

use super::{ExactSolution, FloatSolution, weights_exact};

/// Exact midpoint thresholds for increasing projections.
///
/// ```
/// use shatter_construct::threshold::midpoint;
/// use shatter_exact::{Dyadic, Lattice};
/// let number = |x: i64| Dyadic::from(x);
/// let z = Lattice::from_dyadics(&[number(0), number(3)]);
/// assert_eq!(midpoint::exact(&z, &[number(1), number(2)]).b[1], Dyadic::new(3, -1));
/// ```
pub fn exact(z: &Lattice, y: &[Dyadic]) -> ExactSolution {
    let b: Vec<Dyadic> = (0..z.len())
        .map(|i| match i {
            0 => &z.get(0) - &Dyadic::ONE,
            _ => (&z.get(i - 1) + &z.get(i)).scale(-1),
        })
        .collect();
    let w = weights_exact(z, &b, y);
    ExactSolution { stretch: 0, b, w }
}

/// Midpoint thresholds in floating point for increasing projections.
pub fn float<F: Element>(z: &[F], y: &[F]) -> FloatSolution<F> {
    let half = F::of(0.5);
    let mut b = Vec::with_capacity(z.len());
    let mut w = Vec::with_capacity(z.len());
    let (mut value, mut slope) = (F::zero(), F::zero());
    for (i, (&z_i, &y_i)) in z.iter().zip(y).enumerate() {
        let threshold = if i == 0 { z_i - F::one() } else { half * z[i - 1] + half * z_i };
        if let Some(&last) = b.last() {
            value += slope * (threshold - last);
        }
        let next = (y_i - value) / (z_i - threshold);
        b.push(threshold);
        w.push(next - slope);
        slope = next;
    }
    FloatSolution { stretch: F::one(), b, w }
}
