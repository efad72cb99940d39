//! The fitted function over the projection, for a sample small enough to be drawn.
//!
//! f is piecewise linear in z = <a, x> with its corners at the thresholds. Corners are evaluated
//! exactly and rounded once. Zigzag scales the projections by a power of two; it is divided out
//! again, so that all rules share one axis.

use serde::Serialize;

use shatter_construct::{DepthTwo, Task, ThresholdRule};
use shatter_exact::{Dyadic, Rational};
use shatter_network::ExactNetwork;
use shatter_sample::LabelRule;

use super::theorem::RULES;
use super::{Grid, VerifyError, draw};

/// One rule's function on the sample.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fitted {
    /// The SAMPLE text.
    pub sample: String,
    /// Threshold rule.
    pub rule: String,
    /// (z_i, y_i), z increasing.
    pub points: Vec<(f64, f64)>,
    /// (z, f(z)) at the ends of the interval and at every threshold, z increasing.
    pub curve: Vec<(f64, f64)>,
    /// Why there is none.
    pub fault: Option<String>,
}

/// One function a rule.
pub(super) fn fitted(options: &Grid) -> Result<Vec<Fitted>, VerifyError> {
    let Grid { fitted_points: n, dimension: d, seed, .. } = options;
    let sample = draw(&format!("gaussian:n={n},d={d},target=number"), LabelRule::True, *seed)?;
    let task = Task::new(&sample.points, &sample.labels, *seed);
    let fit = |threshold| DepthTwo { threshold }.fit_exact(&task);
    // Data thresholds leave the projections unscaled, and the direction is the same for all rules.
    let unscaled = fit(ThresholdRule::Data).map_or(0, |fit| fit.z.exponent);
    let one = |rule| {
        let mut fitted = Fitted {
            sample: sample.text.clone(),
            rule: format!("{rule}"),
            points: Vec::new(),
            curve: Vec::new(),
            fault: None,
        };
        let fit = match fit(rule) {
            Ok(fit) => fit,
            Err(error) => {
                fitted.fault = Some(error.to_string());
                return fitted;
            }
        };
        let z: Vec<Dyadic> = (0..fit.z.len()).map(|i| fit.z.get(i)).collect();
        let stretch = fit.z.exponent - unscaled;
        let plot = |z: &Dyadic| z.scale(-stretch).round_f64();
        let label = |&i: &u32| sample.labels.f64_at(i as usize);
        fitted.points = z.iter().map(plot).zip(fit.order.iter().map(label)).collect();
        fitted.curve = corners(&fit.network, &z)
            .iter()
            .map(|t| (plot(t), value(&fit.network, t).to_f64().value()))
            .collect();
        fitted
    };
    Ok(RULES.map(one).into())
}

/// The ends of an interval around the points, and the thresholds inside it.
fn corners(network: &ExactNetwork, z: &[Dyadic]) -> Vec<Dyadic> {
    let (Some(first), Some(last)) = (z.first(), z.last()) else { return Vec::new() };
    let range = last - first;
    let margin = if range.is_zero() { Dyadic::ONE } else { range.scale(-4) };
    let (low, high) = (first - &margin, last + &margin);
    let inside = network.b.iter().filter(|&b| *b > low && *b < high).cloned();
    std::iter::once(low.clone()).chain(inside).chain([high.clone()]).collect()
}

/// Σ_j w_j ReLU(t − b_j) + c.
fn value(network: &ExactNetwork, t: &Dyadic) -> Rational {
    let active = network.b.iter().zip(&network.w).filter(|(b, _)| *b < t);
    active.fold(network.c.to_rational(), |sum, (b, w)| sum + w * (t - b).to_rational())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_passes_through_the_points_on_one_axis() {
        let all = fitted(&Grid::quick()).unwrap();
        assert_eq!(all.len(), 3);
        for fitted in &all {
            assert_eq!(fitted.points, all[0].points);
            assert!(fitted.curve.is_sorted_by(|x, y| x.0 < y.0));
            assert_eq!(fitted.fault, None);
        }
        // With data thresholds the points are the corners, but for the last, which no threshold follows.
        let data = &all[1];
        let n = data.points.len();
        assert!(data.points[..n - 1].iter().all(|point| data.curve.contains(point)));
    }
}
