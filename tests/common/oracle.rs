//! What a network of the two-layer form gives, as the formula says it.

use shatter_exact::{Dyadic, Rational};
use shatter_network::ExactNetwork;
use shatter_sample::{Points, Values};

/// One coordinate, exactly.
pub fn exact(points: &Points, i: usize, k: usize) -> Rational {
    match points.values() {
        Values::I64(v) | Values::Scaled { values: v, .. } => Rational::from(v[i * points.d() + k]),
        _ => Dyadic::try_from(points.f64_at(i, k)).expect("finite").to_rational(),
    }
}

/// f(x_i) as the formula says it, in fractions.
pub fn naive_output(network: &ExactNetwork, points: &Points, i: usize) -> Rational {
    let z = (0..points.d())
        .fold(Rational::ZERO, |z, k| z + network.a[k].to_rational() * exact(points, i, k));
    network.b.iter().zip(&network.w).fold(network.c.to_rational(), |sum, (b, w)| {
        let t = &z - b.to_rational();
        if t > Rational::ZERO { sum + w * t } else { sum }
    })
}
