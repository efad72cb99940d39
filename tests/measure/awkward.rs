//! Networks and samples of which theories say little: a clear answer each.

use shatter_construct::{Construction, Task, width_two::WidthTwo};
use shatter_exact::Rational;
use shatter_measure::margin::{Margins, output_error};
use shatter_measure::ramp::{Case, refused};
use shatter_measure::survey::quantized;
use shatter_measure::{Assumption, Vacuity, bartlett, golowich, neyshabur, occam, path, vc};
use shatter_measure::{
    Finding, Kind, MeasureError, Norms, Outputs, Perceptron, PointSizes, Subject, survey,
};
use shatter_network::graph::{Affine, Operator, SlidingWindow};
use shatter_network::reading::{How, Reading};
use shatter_network::{Graph, Mlp};
use shatter_plain::outputs;
use shatter_sample::{self as sample, LabelRule, Labels};

use crate::networks::{chain, fraction, of};

/// All bounds of a case.
fn all(case: &Case) -> Vec<Finding> {
    let [sizes, squares] = neyshabur::bounds(case).unwrap();
    vec![golowich::bound(case).unwrap(), sizes, squares, bartlett::bound(case).unwrap()]
}

/// The bounds of a network without its own arithmetic: outputs as computed.
fn bounds(perceptron: &Perceptron, points: &[f64], how: How, labels: &Labels) -> Vec<Finding> {
    let sizes = PointSizes::of(points, perceptron.inputs).unwrap();
    let numbers: Vec<f64> = outputs(&perceptron.graph(), points, sizes.n);
    let labels = Reading::new(how).bind(labels, perceptron.outputs()).unwrap();
    let error = output_error(perceptron, &sizes);
    let margins = Margins::of(&numbers, perceptron.outputs(), &labels, error).unwrap();
    let norms = Norms::of(perceptron, None).unwrap();
    all(&Case { perceptron, norms: &norms, sizes: &sizes, margins: &margins, delta: 0.05 })
}

fn answers(findings: &[Finding]) -> bool {
    findings
        .iter()
        .all(|finding| finding.kind == Kind::Bound && finding.says.is_some_and(|says| says > 0.0))
}

fn network(widths: &str, mut number: impl FnMut() -> i32) -> Perceptron {
    of(&widths.parse::<Mlp>().unwrap().network(|| Rational::from(number())))
}

#[test]
fn one_point_one_class_no_hidden_layer_and_dead_layers() {
    let classes = |of: Vec<u32>, count| Labels::classes(of, count).unwrap();
    // One point.
    let found = bounds(&network("2-3-1", || 1), &[1.0, 2.0], How::Sign, &classes(vec![1], 2));
    assert!(answers(&found) && found.iter().all(|finding| finding.vacuity(2).unwrap().against_one));
    // One class, of two.
    let points = [1.0, 2.0, -1.0, 0.5];
    assert!(answers(&bounds(
        &network("2-3-2", || 1),
        &points,
        How::Largest,
        &classes(vec![1, 1], 2)
    )));
    // No hidden layer.
    assert!(answers(&bounds(&network("2-1", || 3), &points, How::Sign, &classes(vec![0, 1], 2))));
    // A dead layer: a constant network, whose margins are not positive.
    let mut at = 0;
    let dead = network("2-2-1", || {
        at += 1;
        i32::from(at <= 6)
    });
    let found = bounds(&dead, &points, How::Sign, &classes(vec![0, 1], 2));
    assert!(answers(&found) && found.iter().all(|finding| finding.value > 1.0));
    let zero = network("2-2-1", || 0);
    let found = bounds(&zero, &points, How::Sign, &classes(vec![0, 1], 2));
    assert!(answers(&found) && found.iter().all(|finding| finding.value.is_finite()), "{found:?}");
    // No points at all.
    assert_eq!(PointSizes::of(&[], 2), Err(MeasureError::NoPoints));
    assert!(matches!(PointSizes::of(&[1.0; 3], 2), Err(MeasureError::Length { expected: 4, .. })));
    assert!(matches!(
        PointSizes::of(&[1.0, f64::NAN], 2),
        Err(MeasureError::PointNotFinite { point: 0, .. })
    ));
}

#[test]
fn one_output_of_one_class_has_infinite_margins() {
    let perceptron = network("1-1", || 2);
    let points = vec![1.0; 100_000];
    let labels = Labels::classes(vec![0; points.len()], 1).unwrap();
    let found = bounds(&perceptron, &points, How::Largest, &labels);
    assert!(answers(&found));
    // Whatever γ is, nothing is lost; with one class chance is 0, so every bound is vacuous against it.
    assert!(found[0].value < 0.1, "{found:?}");
    assert_eq!(found[0].vacuity(1), Some(Vacuity { against_one: false, against_chance: true }));
}

#[test]
fn outputs_without_a_bound_on_their_rounding_make_no_bounds() {
    let perceptron = of(&"1-1".parse::<Mlp>().unwrap().network(|| Rational::from(10).pow(300)));
    let points = [1e200, 1.0];
    let sizes = PointSizes::of(&points, 1).unwrap();
    assert_eq!(output_error(&perceptron, &sizes), f64::INFINITY);
    let labels = Labels::classes(vec![0, 1], 2).unwrap();
    let labels = Reading::new(How::Sign).bind(&labels, 1).unwrap();
    let margins = Margins::of(&[1.0, 1.0], 1, &labels, f64::INFINITY).unwrap();
    let norms = Norms::of(&perceptron, None).unwrap();
    let case = Case {
        perceptron: &perceptron,
        norms: &norms,
        sizes: &sizes,
        margins: &margins,
        delta: 0.05,
    };
    for finding in all(&case) {
        assert!(
            finding.kind == Kind::Measure && finding.says.is_none() && finding.vacuity(2).is_none()
        );
        assert_eq!(finding.failing().unwrap().reason, "the error of outputs has no finite bound");
    }
}

#[test]
fn a_convolution_is_refused_by_name() {
    let window = SlidingWindow { size: (1, 1), stride: (1, 1), before: (0, 0), after: (0, 0) };
    let weights = Affine { weights: vec![1.0], inputs: 1, outputs: 1, bias: vec![] };
    let graph = chain(vec![1, 1, 1], vec![(Operator::Convolution(weights, window), vec![1, 1, 1])]);
    let error = Perceptron::of(&graph, Outputs::All).unwrap_err();
    let finding = refused("path norm", &error);
    assert!(finding.value.is_nan() && finding.says.is_none());
    let Assumption { reason, met, .. } = finding.failing().unwrap();
    assert!(!met && reason.starts_with("step 0 (convolution): "), "{reason}");
    // Description length asks for no perceptron.
    assert!(occam::of_file(1000) > 8000);
}

#[test]
fn a_memorizer_has_vacuous_bounds_in_every_theory() {
    let sample = sample::load("gaussian:n=12,d=3,classes=2", 1)
        .unwrap()
        .distinct(LabelRule::Random, 1)
        .unwrap();
    let built = WidthTwo.build(&Task::new(&sample.points, &sample.labels, 1)).unwrap();
    let graph = Graph::from(&built);
    let perceptron = Perceptron::of(&graph, Outputs::All).unwrap();
    let points: Vec<f64> = (0..36).map(|at| sample.points.f64_at(at / 3, at % 3)).collect();
    let sizes = PointSizes::of(&points, 3).unwrap();
    let labels = Reading::new(How::Value).bind(&sample.labels, 1).unwrap();
    let numbers: Vec<f64> = outputs(&graph, &points, 12);
    let error = output_error(&perceptron, &sizes);
    let margins = Margins::of(&numbers, 1, &labels, error).unwrap();
    let norms = Norms::of(&perceptron, None).unwrap();
    let case = Case {
        perceptron: &perceptron,
        norms: &norms,
        sizes: &sizes,
        margins: &margins,
        delta: 0.05,
    };
    assert!(all(&case).iter().all(|finding| finding.vacuity(2).unwrap().against_one));
    // The layers with two kinds of units were split, so the path norm is that of the split network.
    assert!(path::path_norms(&perceptron).phi_1().low() > 1e3);
    let bits = occam::of_fractions(&graph).unwrap();
    assert!(occam::bound(bits, 0, 12, 0.05).unwrap().vacuity(2).unwrap().against_chance);
    assert!(bits >= 12 && occam::Memorizer::of(bits, 12, 2).unwrap().excess > 0);
    let architecture = vc::architecture(&perceptron).unwrap();
    let vc = vc::bound(&architecture, How::Value, 0, 12, 0.05).unwrap();
    assert!(vc.vacuity(2).unwrap().against_one);
    // The same by the one call that every network takes.
    let subject = Subject {
        graph: &graph,
        start: None,
        points: &points,
        labels: &labels,
        classes: 2,
        delta: 0.05,
        bytes: None,
    };
    let found = survey(&subject).unwrap();
    assert_eq!(named(&found, "training error").value, 0.0);
    assert_eq!(
        named(&found, "Occam: description length").value,
        occam::bound(bits, 0, 12, 0.05).unwrap().value
    );
    let says = found.iter().filter_map(|finding| finding.vacuity(2));
    assert!(says.clone().count() == 6 && says.into_iter().all(|vacuity| vacuity.against_chance));
}

#[test]
fn findings_say_nothing_where_an_assumption_fails() {
    let fails = vec![Assumption::met("a", "b"), Assumption::fails("smooth", "ReLU has a kink")];
    let finding = Finding::bound("stability", 0.1, 0.1, fails);
    assert_eq!((finding.kind, finding.says, finding.vacuity(2)), (Kind::Measure, None, None));
    assert_eq!(finding.failing().unwrap().what, "smooth");
    assert_eq!(Vacuity::of(0.89, 10), Vacuity { against_one: false, against_chance: false });
    assert_eq!(Vacuity::of(0.9, 10), Vacuity { against_one: false, against_chance: true });
    assert_eq!(Vacuity::of(1.0, 10), Vacuity { against_one: true, against_chance: true });
}

/// Values and what they say, by name.
fn named<'a>(found: &'a [Finding], name: &str) -> &'a Finding {
    found
        .iter()
        .find(|finding| finding.name == name)
        .unwrap_or_else(|| panic!("{name}: {found:#?}"))
}

#[test]
fn a_survey_answers_for_every_network() {
    let mut at = 0;
    let network = "2-3-2".parse::<Mlp>().unwrap().network(|| {
        at += 1;
        fraction(at % 7 - 3, 2)
    });
    let mut graph = crate::networks::dense(&network);
    graph.steps.push(shatter_network::graph::Step::new(
        Operator::Softmax { logarithm: false },
        3,
        vec![2],
    ));
    let points = [1.0, 2.0, -1.0, 0.5, 0.25, -3.0];
    let labels = Labels::classes(vec![0, 1, 1], 2).unwrap();
    let bound = Reading::new(How::Largest).bind(&labels, 2).unwrap();
    let subject = Subject {
        graph: &graph,
        start: Some(&graph),
        points: &points,
        labels: &bound,
        classes: 2,
        delta: 0.05,
        bytes: Some(10),
    };
    let found = survey(&subject).unwrap();
    // Margins are those before the softmax, and bounds those of the difference.
    let rows: Vec<Vec<Rational>> = points
        .chunks(2)
        .map(|x| network.evaluate(&[crate::networks::exact(x[0]), crate::networks::exact(x[1])]))
        .collect();
    let margin = |i: usize, class: usize| (&rows[i][class] - &rows[i][1 - class]).to_f64().value();
    let least = margin(0, 0).min(margin(1, 1)).min(margin(2, 1));
    assert_eq!(named(&found, "smallest margin").value, least);
    assert_eq!(named(&found, "distance from start").value, 0.0);
    assert!(named(&found, "VC dimension").value > 3.0);
    // The code of ten bytes is the shortest.
    let errors =
        [margin(0, 0), margin(1, 1), margin(2, 1)].iter().filter(|m| **m <= 0.0).count() as u64;
    assert_eq!(
        named(&found, "Occam: description length"),
        &occam::bound(occam::of_file(10), errors, 3, 0.05).unwrap()
    );
    assert!(found.iter().all(|finding| finding.says.is_none_or(|says| says > 1.0)));
    let rounded = quantized(&subject, &[4, 24]).unwrap();
    assert!(rounded.len() == 2 && rounded[0].1.value < rounded[1].1.value);
    assert!(quantized(&subject, &[1]).is_err());
    assert!(survey(&Subject { delta: 0.0, ..subject }).is_err());
    assert!(matches!(
        survey(&Subject { points: &points[..4], ..subject }),
        Err(MeasureError::Length { what: "labels", .. })
    ));

    // A convolution: counts and margins, and four bounds that say which assumption fails.
    let window = SlidingWindow { size: (1, 1), stride: (1, 1), before: (0, 0), after: (0, 0) };
    let weights = Affine { weights: vec![1.0, 2.0, 3.0, 4.0], inputs: 2, outputs: 2, bias: vec![] };
    let graph = chain(vec![2, 1, 1], vec![(Operator::Convolution(weights, window), vec![2, 1, 1])]);
    let found = survey(&Subject { graph: &graph, start: None, bytes: None, ..subject }).unwrap();
    assert_eq!(named(&found, "parameters").value, 4.0);
    let failing = |name| named(&found, name).failing().unwrap().reason.clone();
    assert!(failing("VC: growth function").starts_with("step 0 (convolution)"));
    assert!(
        failing("Bartlett, Foster and Telgarsky: spectral norms")
            .starts_with("step 0 (convolution)")
    );
    assert!(found.iter().all(|finding| finding.name != "Occam: description length"));

    // Outputs with an activation: bounds on norms, and none by signs.
    let activated = chain(
        vec![2],
        vec![
            (
                Operator::Dense(Affine {
                    weights: vec![1.0; 4],
                    inputs: 2,
                    outputs: 2,
                    bias: vec![],
                }),
                vec![2],
            ),
            (Operator::Activate(shatter_network::Activation::Relu), vec![2]),
        ],
    );
    let found =
        survey(&Subject { graph: &activated, start: None, bytes: None, ..subject }).unwrap();
    let vc = named(&found, "VC: growth function").failing().unwrap();
    assert!(vc.reason.starts_with("the outputs have an activation"));
    assert!(named(&found, "Golowich, Rakhlin and Shamir: Frobenius norms").says.is_some());

    // Labels that are real numbers: norms, and no margins.
    let real = Labels::real(vec![0.5; 6], 2).unwrap();
    let real = Reading::new(How::Value).bind(&real, 2).unwrap();
    let found = survey(&Subject { labels: &real, ..subject }).unwrap();
    assert!(named(&found, "path norm φ1").value > 0.0);
    assert!(named(&found, "Golowich, Rakhlin and Shamir: Frobenius norms").failing().is_some());
}
