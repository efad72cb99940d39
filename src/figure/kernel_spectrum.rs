//! Eigenvalues of a kernel matrix.

use super::curves::{AxisScale, Curve, CurveStyle, Plot};
use super::spread::SeedRun;

/// Eigenvalues against their rank, on a logarithmic axis. `what` says kernel, features and sample.
///
/// ```
/// use shatter_figure::{draw, kernel_spectrum::spectrum};
/// let drawn = draw(&spectrum("gaussian:gamma=0.02", &[10.0, 1.0, 1e-3], "note"))?;
/// assert!(drawn.svg.contains("eigenvalue"));
/// # Ok::<(), shatter_figure::FigureError>(())
/// ```
#[must_use]
pub fn spectrum(what: &str, values: &[f64], note: &str) -> Plot {
    let points = values.iter().enumerate().map(|(rank, &value)| (rank as f64 + 1.0, value));
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
        note: note.into(),
    }
}
