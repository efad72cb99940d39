//! Samples in words.

use shatter_sample::Sample;

use super::saved;

/// Describes a sample: `n = 2, d = 1, i64: (0) -> 1, (3) -> 0`; long ones are cut.
#[must_use]
pub fn describe(sample: &Sample) -> String {
    const SHOWN: usize = 12;
    let (n, d) = (sample.points.n(), sample.points.d());
    let point = |i: usize| {
        let coordinates: Vec<String> =
            (0..d).map(|k| saved::coordinate(sample.points.values(), i * d + k)).collect();
        let label = saved::label(&sample.labels, i).join(", ");
        format!("({}) -> {label}", coordinates.join(", "))
    };
    let points: Vec<String> = (0..n.min(SHOWN)).map(point).collect();
    let rest = if n > SHOWN { format!(", and {} more", n - SHOWN) } else { String::new() };
    format!("n = {n}, d = {d}, {}: {}{rest}", sample.points.values().type_name(), points.join(", "))
}
