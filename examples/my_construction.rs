//! A construction of your own: does it fit every sample that it promises to fit?
//!
//! `cargo run --example my_construction -- [FILE]`; FILE keeps samples that failed, by value, and
//! they are tried first on the next run.

use shatter::claims::strategy::{LabelKind, PointKind, sample};
use shatter::claims::{Harness, HarnessError, Outcome, Predictor, describe};
use shatter::exact::Rational;
use shatter::network::{ExactLabels, ExactPoints};
use shatter::sample::Sample;

/// Straight lines between neighbours on the real line: any type with exact outputs will do.
struct Polyline(Vec<(Rational, Rational)>);

impl Predictor for Polyline {
    fn outputs(&self, x: &[Rational]) -> Vec<Rational> {
        let right = self.0.iter().position(|(at, _)| x[0] <= *at);
        let right = right.unwrap_or(self.0.len() - 1);
        let ((x0, y0), (x1, y1)) = (&self.0[right.saturating_sub(1)], &self.0[right]);
        if x0 == x1 {
            return vec![y1.clone()];
        }
        vec![y0 + (y1 - y0) * (&x[0] - x0) / (x1 - x0)]
    }
}

fn points(sample: &Sample) -> Vec<(Rational, Rational)> {
    let point = |i| (sample.points.exact_at(i, 0), sample.labels.exact_at(i));
    (0..sample.points.n()).map(point).map(|(x, y)| (x.to_rational(), y.to_rational())).collect()
}

fn main() -> Result<(), HarnessError> {
    let samples = || sample(PointKind::Distinct, LabelKind::Real, 1..=9, 1..=1);
    let harness = Harness { saved: std::env::args().nth(1).map(Into::into), ..Harness::default() };

    let sorted = harness.fits_every(samples(), |sample| {
        let mut points = points(sample);
        points.sort();
        Ok::<_, String>(Polyline(points))
    })?;
    if let Outcome::Held { cases } = sorted {
        println!("points in order: fits all {cases} samples");
    }

    // A slip: nobody said that the points come in order.
    let unsorted =
        harness.fits_every(samples(), |sample| Ok::<_, String>(Polyline(points(sample))))?;
    if let Outcome::Fails(found) = unsorted {
        println!("points as they come: {}", describe(&found.value));
        println!("  {}", found.failure);
    }
    Ok(())
}
