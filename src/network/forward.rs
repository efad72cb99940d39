//! A layered network at many points at once, exactly.

use rayon::prelude::*;

use crate::exact::Rational;
use crate::sample::Points;

use super::layered::Layered;

/// The outputs at every point, in their order.
///
/// ```
/// use shatter::exact::Rational;
/// use shatter::network::forward::outputs;
/// use shatter::network::layered::{Layered, Unit};
/// use shatter::sample::{Points, Values};
/// let points = Points::new(Values::I64(vec![-3, 4]), vec![1])?;
/// let output = vec![Unit::affine([(0, Rational::from(2))], Rational::ONE)];
/// let network = Layered { inputs: 1, hidden: vec![], output };
/// assert_eq!(outputs(&network, &points), [vec![Rational::from(-5)], vec![Rational::from(9)]]);
/// # Ok::<(), shatter::sample::SampleError>(())
/// ```
///
/// # Panics
/// If the points have fewer coordinates than the network has inputs, or a unit is
/// [`Miswired`](super::layered::Miswired).
pub fn outputs(network: &Layered, points: &Points) -> Vec<Vec<Rational>> {
    (0..points.n()).into_par_iter().map(|i| network.evaluate(&points.exact_row(i))).collect()
}
