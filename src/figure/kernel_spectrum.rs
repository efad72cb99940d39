//! Eigenvalues of a kernel matrix.

use super::curves::{AxisScale, Curve, CurveStyle, Plot};
use super::spread::SeedRun;

/// Eigenvalues against their rank, on a logarithmic axis, which has no place for those that rounding left at 0 or below: their
/// number is written. `what` says kernel, features and sample.
///
/// ```
/// use shatter_figure::{draw, kernel_spectrum::spectrum};
/// let drawn = draw(&spectrum("gaussian:gamma=0.02", &[10.0, 1.0, 1e-3, -1e-16], "note"))?;
/// assert!(drawn.svg.contains("4 points") && drawn.svg.contains("1 is not above 0"));
/// # Ok::<(), shatter_figure::FigureError>(())
/// ```
#[must_use]
pub fn spectrum(what: &str, values: &[f64], note: &str) -> Plot {
    let ranks = values.iter().enumerate().map(|(rank, &value)| (rank as f64 + 1.0, value));
    let points = ranks.filter(|&(_, value)| value > 0.0);
    let lost = match values.iter().filter(|&&value| value <= 0.0).count() {
        0 => String::new(),
        1 => "1 is not above 0 as computed · ".to_owned(),
        lost => format!("{lost} are not above 0 as computed · "),
    };
    let curve = Curve {
        name: "eigenvalue".into(),
        line: CurveStyle::Solid,
        runs: vec![SeedRun { points: points.collect() }],
        ..Curve::default()
    };
    Plot {
        title: format!("Eigenvalues of {} points: {what}", values.len()),
        x: "rank of the eigenvalue, largest first".into(),
        y: "eigenvalue".into(),
        scale: AxisScale::Log,
        curves: vec![curve],
        reference: Vec::new(),
        level: None,
        note: format!("{lost}{note}"),
    }
}
