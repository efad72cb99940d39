//! The figures of linear models: descents on their way to the closed form, and the path of weight decay.

use super::curves::{AxisScale, Curve, CurveStyle, Plot};
use super::spread::SeedRun;

/// A descent: its name, and what was measured after each epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// As the legend names it.
    pub name: String,
    /// (epoch, relative distance to the closed form).
    pub distance: Vec<(f64, f64)>,
    /// (epoch, upper bound of the relative distance to the span of the points).
    pub off_span: Vec<(f64, f64)>,
}

/// A point of the path of weight decay.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PathPoint {
    /// The weight decay λ, above 0.
    pub decay: f64,
    /// ‖W_λ‖/‖W‖.
    pub norm: f64,
    /// ‖W_λ − W‖/‖W‖.
    pub distance: f64,
    /// Share of the training set that is not classified as labelled; `None` for real labels.
    pub train: Option<f64>,
    /// The same of the test set.
    pub test: Option<f64>,
}

/// Distance to the closed form (solid) and to the span of the points (dashed) against epochs. Zeros have no place on the
/// axis, and are left out.
///
/// ```
/// use shatter_figure::{draw, linear::{Course, distances}};
/// let course = Course {
///     name: "momentum 0".into(),
///     distance: vec![(0.0, 1.0), (1.0, 0.1)],
///     off_span: vec![(0.0, 0.0), (1.0, 1e-16)],
/// };
/// let plot = distances("twenty points", vec![course], "note");
/// assert_eq!(plot.curves[1].name, "momentum 0, distance to the span, at most");
/// assert!(draw(&plot)?.svg.contains("on twenty points"));
/// # Ok::<(), shatter_figure::FigureError>(())
/// ```
#[must_use]
pub fn distances(sample: &str, courses: Vec<Course>, note: &str) -> Plot {
    let curves = courses.into_iter().enumerate().flat_map(|(kind, course)| {
        let Course { name, distance, off_span } = course;
        [
            (format!("{name}, distance to the closed form"), CurveStyle::Solid, distance),
            (format!("{name}, distance to the span, at most"), CurveStyle::Dashed, off_span),
        ]
        .map(|(name, line, points)| {
            let points = points.into_iter().filter(|point| point.1 > 0.0).collect();
            Curve { name, kind, line, runs: vec![SeedRun { points }] }
        })
    });
    Plot {
        title: format!("Gradient descent from zero, one point a step, on {sample}"),
        x: "epochs".into(),
        y: "distance (relative to the norm of the weights)".into(),
        scale: AxisScale::Log,
        curves: curves.filter(|curve| !curve.runs[0].points.is_empty()).collect(),
        reference: Vec::new(),
        level: None,
        note: note.into(),
    }
}

/// Norm, distance to the minimum-norm solution and errors against the weight decay, which must increase.
///
/// ```
/// use shatter_figure::{draw, linear::{PathPoint, decay}};
/// let point = |decay, norm| PathPoint { decay, norm, distance: 1.0 - norm, ..PathPoint::default() };
/// let drawn = draw(&decay("twenty points", &[point(1e-3, 0.9), point(1.0, 0.1)], "note"))?;
/// assert!(drawn.svg.contains("norm") && !drawn.svg.contains("test error"));
/// # Ok::<(), shatter_figure::FigureError>(())
/// ```
#[must_use]
pub fn decay(sample: &str, path: &[PathPoint], note: &str) -> Plot {
    type Value = fn(&PathPoint) -> Option<f64>;
    let curves: [(&str, CurveStyle, Value); 4] = [
        ("norm", CurveStyle::Solid, |point| Some(point.norm)),
        ("distance to the minimum-norm solution", CurveStyle::Solid, |point| Some(point.distance)),
        ("training error (share)", CurveStyle::Dashed, |point| point.train),
        ("test error (share)", CurveStyle::Dashed, |point| point.test),
    ];
    let curve = |(kind, (name, line, value)): (usize, (&str, CurveStyle, Value))| {
        let point = |at: &PathPoint| Some((at.decay.log10(), value(at)?));
        let runs = vec![SeedRun { points: path.iter().filter_map(point).collect() }];
        Curve { name: name.to_owned(), kind, line, runs }
    };
    let curves = curves.into_iter().enumerate().map(curve);
    Plot {
        title: format!("Linear models with weight decay, on {sample}"),
        x: "weight decay λ (power of ten)".into(),
        y: "relative to the minimum norm; errors as shares".into(),
        scale: AxisScale::Linear,
        curves: curves.filter(|curve| !curve.runs[0].points.is_empty()).collect(),
        reference: Vec::new(),
        level: None,
        note: note.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_no_points_of_a_logarithmic_axis() {
        let course = Course {
            name: "a".into(),
            distance: vec![(0.0, 1.0), (1.0, 0.0)],
            off_span: vec![(0.0, 0.0)],
        };
        let plot = distances("b", vec![course], "");
        assert_eq!(plot.curves.len(), 1);
        assert_eq!(plot.curves[0].runs[0].points, [(0.0, 1.0)]);
        assert!(crate::draw(&plot).is_ok());
    }

    #[test]
    fn the_path_is_drawn_over_powers_of_ten() {
        let at = |decay, test| PathPoint { decay, norm: 1.0, test, ..PathPoint::default() };
        let plot = decay("b", &[at(0.01, Some(0.5)), at(10.0, None)], "");
        let points: Vec<_> = plot.curves.iter().map(|curve| &curve.runs[0].points[..]).collect();
        assert_eq!(points[0], [(-2.0, 1.0), (1.0, 1.0)]);
        assert_eq!(points[2], [(-2.0, 0.5)]); // there is no training error
        assert_eq!(plot.curves.len(), 3);
    }
}
