//! The figures of the randomization tests, after Zhang et al. (ICLR 2017): 1a, 1b, 1c and 2b, with
//! the paper's values beside ours where [`paper`] has them.

use super::curves::{AxisScale, Curve, CurveStyle, Plot};
use super::paper::{self, CORRUPTION};
use super::spread::SeedRun;

/// Figure 1a: average training loss against thousand steps, one curve a condition.
///
/// `conditions` holds (name, runs), named as in `sample` (`true`, `random`, ...), which gives the
/// paper's points for `inception`: after 391 steps, and the first with a loss of at most 0.1. Where
/// ours end before the first of them (they are of fewer images), the paper's would hide them.
///
/// ```
/// use shatter_figure::{SeedRun, draw, randomization};
/// let runs = vec![SeedRun { points: vec![(0.391, 2.3), (25.0, 0.01)] }];
/// let plot = randomization::learning_curves("inception", vec![("random".into(), runs)], "note");
/// assert!(draw(&plot)?.svg.contains("random, paper"));
/// # Ok::<(), shatter_figure::FigureError>(())
/// ```
#[must_use]
pub fn learning_curves(model: &str, conditions: Vec<(String, Vec<SeedRun>)>, note: &str) -> Plot {
    let all = conditions.iter().flat_map(|(_, runs)| runs).flat_map(|run| &run.points);
    let end = all.fold(f64::NEG_INFINITY, |end, point| end.max(point.0));
    let points = |name: &str| {
        let points = (model == "inception").then(|| paper::loss_points(name)).flatten();
        points.filter(|points| points[0].0 <= end)
    };
    let reference = conditions
        .iter()
        .enumerate()
        .filter_map(|(kind, (name, _))| Some(one(name, kind, CurveStyle::Points, &points(name)?)));
    Plot {
        title: format!("Training loss of {model} under each condition"),
        x: "thousand steps".into(),
        y: "average training loss (nats)".into(),
        scale: AxisScale::Linear,
        reference: reference.collect(),
        curves: ours(conditions),
        level: None,
        note: note.into(),
    }
}

/// Figure 1b: time to overfit relative to true labels, against label corruption; (model, runs).
///
/// ```
/// use shatter_figure::{SeedRun, draw, randomization};
/// let runs = vec![SeedRun { points: vec![(0.0, 1.0), (1.0, 1.9)] }];
/// let plot = randomization::relative_time(vec![("mlp1x512".into(), runs)], "note");
/// assert!(draw(&plot)?.svg.contains("mlp1x512, paper"));
/// # Ok::<(), shatter_figure::FigureError>(())
/// ```
pub fn relative_time(models: Vec<(String, Vec<SeedRun>)>, note: &str) -> Plot {
    Plot {
        title: "Time to overfit, relative to true labels".into(),
        x: "label corruption (probability)".into(),
        y: "time to overfit (true labels: 1)".into(),
        scale: AxisScale::Linear,
        reference: over_corruption(&models, paper::relative_time),
        curves: ours(models),
        level: None,
        note: note.into(),
    }
}

/// Figure 1c: test error at convergence against label corruption, with a line at chance,
/// 1 − 1/classes; (model, runs).
///
/// ```
/// use shatter_figure::{SeedRun, draw, randomization};
/// let runs = vec![SeedRun { points: vec![(0.0, 0.5), (1.0, 0.9)] }];
/// let plot = randomization::test_error(vec![("mlp1x512".into(), runs)], 10, "note");
/// assert_eq!(plot.level.as_ref().map(|level| level.0), Some(0.9));
/// assert!(draw(&plot)?.svg.contains("chance"));
/// # Ok::<(), shatter_figure::FigureError>(())
/// ```
pub fn test_error(models: Vec<(String, Vec<SeedRun>)>, classes: usize, note: &str) -> Plot {
    let chance = 1.0 - 1.0 / classes.max(1) as f64;
    Plot {
        title: "Test error at convergence against label corruption".into(),
        x: "label corruption (probability)".into(),
        y: "test error (share of images)".into(),
        scale: AxisScale::Linear,
        reference: over_corruption(&models, paper::test_error),
        curves: ours(models),
        level: Some((chance, format!("chance, 1 − 1/{classes}"))),
        note: note.into(),
    }
}

/// The accuracies of a network over epochs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Accuracy {
    /// Its name, as in `network::architecture`.
    pub model: String,
    /// (epochs, share of the training images), one run a seed.
    pub train: Vec<SeedRun>,
    /// (epochs, share of the test images), one run a seed.
    pub test: Vec<SeedRun>,
}

/// Figure 2b for `inception` and `inception-nobn`: test accuracy (solid) and training accuracy
/// (dashed) against epochs, of networks beside each other.
///
/// ```
/// use shatter_figure::{SeedRun, draw, randomization::{self, Accuracy}};
/// let runs = vec![SeedRun { points: vec![(1.0, 0.5), (51.0, 0.9)] }];
/// let model = "inception".into();
/// let plot = randomization::accuracy(vec![Accuracy { model, train: runs.clone(), test: runs }], "note");
/// assert!(draw(&plot)?.svg.contains("inception test, paper"));
/// # Ok::<(), shatter_figure::FigureError>(())
/// ```
#[must_use]
pub fn accuracy(networks: Vec<Accuracy>, note: &str) -> Plot {
    let (mut curves, mut reference) = (Vec::new(), Vec::new());
    for (kind, Accuracy { model, train, test }) in networks.into_iter().enumerate() {
        for end in paper::batch_normalization_ends().iter().filter(|end| end.model == model) {
            for (what, share) in [("test", end.test), ("training", end.train)] {
                let name = format!("{model} {what}");
                reference.push(one(&name, kind, CurveStyle::Points, &[(end.epochs, share)]));
            }
        }
        let name = format!("{model} test");
        curves.push(Curve { name, kind, line: CurveStyle::Solid, runs: test });
        let name = format!("{model} training");
        curves.push(Curve { name, kind, line: CurveStyle::Dashed, runs: train });
    }
    Plot {
        title: "Training and test accuracy over epochs".into(),
        x: "epochs".into(),
        y: "accuracy (share of images)".into(),
        scale: AxisScale::Linear,
        curves,
        reference,
        level: None,
        note: note.into(),
    }
}

fn ours(named: Vec<(String, Vec<SeedRun>)>) -> Vec<Curve> {
    let curve = |(kind, (name, runs))| Curve { name, kind, line: CurveStyle::Solid, runs };
    named.into_iter().enumerate().map(curve).collect()
}

/// The paper's values for those models that have them, in the colours of ours.
fn over_corruption(
    models: &[(String, Vec<SeedRun>)],
    values: impl Fn(&str) -> Option<&'static [f64; 11]>,
) -> Vec<Curve> {
    let curve = |(kind, (name, _)): (usize, &(String, Vec<SeedRun>))| {
        let points: Vec<_> = CORRUPTION.into_iter().zip(*values(name)?).collect();
        Some(one(name, kind, CurveStyle::Dashed, &points))
    };
    models.iter().enumerate().filter_map(curve).collect()
}

fn one(name: &str, kind: usize, line: CurveStyle, points: &[(f64, f64)]) -> Curve {
    Curve { name: name.into(), kind, line, runs: vec![SeedRun { points: points.to_vec() }] }
}

#[cfg(test)]
mod tests {
    use super::super::draw;
    use super::*;

    fn runs() -> Vec<SeedRun> {
        vec![SeedRun { points: vec![(0.0, 1.0), (1.0, 2.0)] }]
    }

    fn named(names: &[&str]) -> Vec<(String, Vec<SeedRun>)> {
        names.iter().map(|name| (name.to_string(), runs())).collect()
    }

    #[test]
    fn the_paper_stands_beside_ours_in_the_same_colour_where_it_has_values() {
        let names = ["true", "corrupted:0.5", "random"];
        let plot = learning_curves("inception", named(&names), "");
        let kinds: Vec<_> = plot.reference.iter().map(|r| (r.name.as_str(), r.kind)).collect();
        assert_eq!(kinds, [("true", 0), ("random", 2)]);
        assert!(plot.reference.iter().all(|r| r.line == CurveStyle::Points));
        assert_eq!(plot.curves.iter().map(|c| c.kind).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(learning_curves("mlp1x512", named(&names), "").reference.is_empty());
        let short = vec![SeedRun { points: vec![(0.0, 2.3), (0.2, 0.1)] }];
        assert!(
            learning_curves("inception", vec![("true".into(), short)], "").reference.is_empty()
        );

        let plot = relative_time(named(&["mlp3x512", "alexnet"]), "");
        assert_eq!(plot.reference.len(), 1);
        assert_eq!(plot.reference[0].kind, 1);
        assert_eq!(plot.reference[0].runs[0].points[10], (1.0, 1.55));
        assert_eq!(test_error(named(&["inception"]), 4, "").level.unwrap().0, 0.75);
        assert!(test_error(named(&["inception"]), 0, "").level.unwrap().0.is_finite());
    }

    #[test]
    fn two_networks_have_two_colours_solid_and_dashed() {
        let network = |model: &str| Accuracy { model: model.into(), train: runs(), test: runs() };
        let both = ["inception", "inception-nobn"].map(network).to_vec();
        let plot = accuracy(both, "shatter train");
        let lines: Vec<_> = plot.curves.iter().map(|c| (c.kind, c.line)).collect();
        let (solid, dashed) = (CurveStyle::Solid, CurveStyle::Dashed);
        assert_eq!(lines, [(0, solid), (0, dashed), (1, solid), (1, dashed)]);
        let ends: Vec<_> = plot.reference.iter().map(|r| r.runs[0].points[0].1).collect();
        assert_eq!(ends, [0.865, 1.0, 0.849, 1.0]);
        let svg = draw(&plot).unwrap().svg;
        for text in ["inception test", "inception-nobn training", "epochs", "shatter train"] {
            assert!(svg.contains(text), "{text}");
        }
    }
}
