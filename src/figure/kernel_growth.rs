//! What kernel interpolation costs against n: time, with n³ beside, and memory, with n² beside.

use super::growth::{GrowthFigure, GrowthLimit, GrowthSeries};

/// Labels of the vertical axes.
const LABELS: [&str; 2] = ["seconds, all phases", "bytes of memory at the peak"];

/// A line through the last point of the longest series, with this slope.
fn slope(
    series: &[GrowthSeries],
    name: &str,
    power: i32,
    value: impl Fn(&(f64, f64, f64)) -> f64,
) -> Option<GrowthLimit> {
    let longest = series.iter().max_by_key(|series| series.values.len())?;
    let last = longest.values.last()?;
    let at = |point: &(f64, f64, f64)| (point.0, value(last) * (point.0 / last.0).powi(power));
    let values = longest.values.iter().map(at).collect();
    Some(GrowthLimit {
        name: format!("{name}, through the last point of {}", longest.name),
        values,
    })
}

/// (n, seconds, bytes) of each series, n increasing, all positive.
///
/// ```
/// use shatter_figure::{GrowthSeries, kernel_growth::growth};
/// let values = vec![(1000.0, 0.5, 2e7), (2000.0, 3.0, 7e7)];
/// let series = vec![GrowthSeries { name: "f64".into(), kind: 0, values }];
/// assert!(growth(series, "note".into()).render()?.svg.contains("n³"));
/// # Ok::<(), shatter_figure::FigureError>(())
/// ```
pub fn growth(series: Vec<GrowthSeries>, note: String) -> GrowthFigure {
    GrowthFigure {
        title: "What kernel interpolation costs".into(),
        caption: note,
        weights: slope(&series, "n³", 3, |point| point.1),
        bits: slope(&series, "n²", 2, |point| point.2),
        series,
        labels: LABELS,
    }
}
