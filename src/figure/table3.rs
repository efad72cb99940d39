//! Table 3: test errors of kernels that interpolate, with the paper's beside ours.

use super::curves::{AxisScale, Curve, CurveStyle, Plot};
use super::spread::SeedRun;

/// A row: its number, and test errors as shares where there are any.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Errors {
    /// Its number, from 1.
    pub row: u32,
    /// Ours.
    pub ours: Option<f64>,
    /// The paper's.
    pub paper: Option<f64>,
}

/// Test error against the number of the row, which must increase; chance at 90 per cent.
///
/// ```
/// use shatter_figure::{draw, table3::{Errors, errors}};
/// let row = Errors { row: 1, ours: Some(0.0122), paper: Some(0.012) };
/// assert!(draw(&errors(&[row], "note"))?.svg.contains("test error, paper"));
/// # Ok::<(), shatter_figure::FigureError>(())
/// ```
#[must_use]
pub fn errors(rows: &[Errors], note: &str) -> Plot {
    let curve = |value: &dyn Fn(&Errors) -> Option<f64>| {
        let point = |row: &Errors| Some((f64::from(row.row), 100.0 * value(row)?));
        let points: Vec<_> = rows.iter().filter_map(point).collect();
        let curve = Curve {
            name: "test error".into(),
            line: CurveStyle::Points,
            runs: vec![SeedRun { points }],
            ..Curve::default()
        };
        (!curve.runs[0].points.is_empty()).then_some(curve).into_iter().collect()
    };
    Plot {
        title: "Test errors of kernels that interpolate (Table 3)".into(),
        x: "row (listed below)".into(),
        y: "test error (per cent)".into(),
        scale: AxisScale::Linear,
        curves: curve(&|row| row.ours),
        reference: curve(&|row| row.paper),
        level: Some((90.0, "chance among ten classes".into())),
        note: note.into(),
    }
}
