//! What corruption of labels does to a kernel interpolant: its test error, and its norm.

use super::curves::{AxisScale, Curve, Plot};
use super::spread::SeedRun;

fn plot(title: String, y: &str, points: Vec<(f64, f64)>, note: String) -> Plot {
    let runs = vec![SeedRun { points }];
    Plot {
        title,
        x: "label corruption (probability)".into(),
        y: y.into(),
        scale: AxisScale::Linear,
        curves: vec![Curve { name: y.into(), runs, ..Curve::default() }],
        reference: Vec::new(),
        level: None,
        note,
    }
}

/// Test error against label corruption, with a line at chance. `what` says kernel, features and sample.
///
/// ```
/// use shatter_figure::{draw, kernel_corruption::test_error};
/// let drawn = draw(&test_error("laplacian:gamma=0.1", vec![(0.0, 0.02), (1.0, 0.9)], 10, "note"))?;
/// assert!(drawn.svg.contains("chance"));
/// # Ok::<(), shatter_figure::FigureError>(())
/// ```
#[must_use]
pub fn test_error(what: &str, points: Vec<(f64, f64)>, classes: usize, note: &str) -> Plot {
    let chance = 1.0 - 1.0 / classes.max(1) as f64;
    Plot {
        level: Some((chance, format!("chance, 1 − 1/{classes}"))),
        ..plot(
            format!("Test error against label corruption: {what}"),
            "test error (share)",
            points,
            note.into(),
        )
    }
}

/// Norm in the kernel's space against label corruption.
///
/// ```
/// use shatter_figure::{draw, kernel_corruption::norm};
/// let drawn = draw(&norm("laplacian:gamma=0.1", vec![(0.0, 200.0), (1.0, 900.0)], "note"))?;
/// assert!(drawn.svg.contains("norm"));
/// # Ok::<(), shatter_figure::FigureError>(())
/// ```
#[must_use]
pub fn norm(what: &str, points: Vec<(f64, f64)>, note: &str) -> Plot {
    plot(
        format!("Norm against label corruption: {what}"),
        "norm of the function (all outputs)",
        points,
        note.into(),
    )
}
