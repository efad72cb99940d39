//! Sharpness against a plain forward pass with the same normals, rescaling, and networks that no noise can harm.

use proptest::prelude::*;
use rand_distr::{Distribution, StandardNormal};
use shatter_exact::Rational;
use shatter_measure::sharpness::{End, LEAST, MOST, Noise, Search, Sharpness, of};
use shatter_measure::{Kind, MeasureError};
use shatter_network::graph::{Affine, Graph, Normalization, Operator, SlidingWindow};
use shatter_network::reading::{BoundLabels, How, Reading};
use shatter_network::{Activation, Layered};
use shatter_random::stream::{Purpose, stream_at};
use shatter_sample::Labels;

use crate::common::cases;
use crate::networks::{chain, dense, fraction, perceptrons, points};

const BOTH: [Noise; 2] = [Noise::Magnitude, Noise::Isotropic];

/// Labels for the largest of several outputs, or the sign of one.
fn labels(outputs: usize, of: impl Iterator<Item = usize>) -> BoundLabels {
    let classes = outputs.max(2);
    let of = of.map(|class| (class % classes) as u32).collect();
    let how = if outputs == 1 { How::Sign } else { How::Largest };
    Reading::new(how).bind(&Labels::classes(of, classes as u32).unwrap(), outputs).unwrap()
}

/// A network with hidden ReLU layers, points and labels.
fn subject() -> impl Strategy<Value = (Layered, Vec<f64>, BoundLabels)> {
    perceptrons().prop_flat_map(|network| {
        let (d, outputs) = (network.inputs, network.output.len());
        (Just(network), points(d), prop::collection::vec(0usize..3, 5)).prop_map(
            move |(network, points, classes)| {
                let n = points.len() / d;
                let labels = labels(outputs, classes.into_iter().take(n));
                (network, points, labels)
            },
        )
    })
}

/// Errors of all draws, by a forward pass in plain loops; draws in the order of the numbers of the graph.
fn naive(
    graph: &Graph,
    points: &[f64],
    labels: &BoundLabels,
    search: &Search,
    sigma: f64,
) -> usize {
    let mut errors = 0;
    for draw in 0..search.draws {
        let mut rng = stream_at(search.seed, Purpose::Sharpness, draw);
        let mut noisy = |x: f64| {
            let normal: f64 = StandardNormal.sample(&mut rng);
            match search.noise {
                Noise::Magnitude => x + sigma * normal * x.abs(),
                Noise::Isotropic => x + sigma * normal,
            }
        };
        let mut layers = Vec::new();
        for step in &graph.steps {
            if let Operator::Dense(affine) = &step.operation {
                let weights: Vec<f64> = affine.weights.iter().map(|&x| noisy(x)).collect();
                let bias: Vec<f64> = affine.bias.iter().map(|&x| noisy(x)).collect();
                layers.push((weights, bias));
            }
            if let Operator::Units(units) = &step.operation {
                // One unit after the other: its weights that are not 0, and its bias.
                let (k, inputs) = (units.len(), graph.shape(step.on)[0]);
                let (mut weights, mut bias) = (vec![0.0; inputs * k], Vec::new());
                for (j, unit) in units.iter().enumerate() {
                    for (from, weight) in &unit.weights {
                        weights[from * k + j] = noisy(weight.to_f64().value());
                    }
                    bias.push(noisy(unit.bias.to_f64().value()));
                }
                layers.push((weights, bias));
            }
        }
        for (i, point) in points.chunks(graph.input[0]).enumerate() {
            let mut values = point.to_vec();
            for (index, (weights, bias)) in layers.iter().enumerate() {
                let k = bias.len();
                let sum = |j: usize| {
                    values.iter().enumerate().map(|(i, x)| x * weights[i * k + j]).sum::<f64>()
                        + bias[j]
                };
                values = (0..k).map(sum).collect();
                if index + 1 < layers.len() {
                    values.iter_mut().for_each(|x| *x = x.max(0.0));
                }
            }
            let class = labels.class(i).unwrap() as usize;
            let right = match values.as_slice() {
                [one] => (class == 1 && *one > 0.0) || (class == 0 && *one < 0.0),
                several => (0..several.len()).all(|c| c == class || several[class] > several[c]),
            };
            errors += usize::from(!right);
        }
    }
    errors
}

fn zero_noise(graph: &Graph, points: &[f64], labels: &BoundLabels) -> usize {
    let search = Search { draws: 1, ..Search::new(Noise::Magnitude) };
    naive(graph, points, labels, &search, 0.0)
}

fn is_clear(found: &Sharpness) -> bool {
    let findings = found.findings();
    let met = found.end == End::Between;
    let [sigma, inverse] = findings.each_ref().map(|finding| finding.value);
    (LEAST..=MOST).contains(&found.sigma)
        && sigma == found.sigma
        && inverse.is_finite()
        && inverse > 0.0
        && findings.iter().all(|f| f.kind == Kind::Estimate && f.failing().is_none() == met)
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn errors_are_within_the_limit_at_sigma_and_beyond_it_above((network, x, labels) in subject(), seed in 0u64..1000) {
        let graph = dense(&network);
        let n = labels.labels().len();
        for noise in BOTH {
            let search = Search { seed, draws: 3, ..Search::new(noise) };
            let found = of(&graph, &x, &labels, &search).unwrap();
            prop_assert!(is_clear(&found), "{found:?}");
            prop_assert_eq!(found.errors, zero_noise(&graph, &x, &labels));
            let limit = 3.0 * (found.errors as f64 + 0.1 * n as f64);
            let noisy = naive(&graph, &x, &labels, &search, found.sigma);
            prop_assert_eq!(noisy, found.noisy);
            prop_assert_eq!(noisy as f64 <= limit, found.end != End::TooMuch);
            if found.end != End::NeverTooMuch {
                prop_assert!(naive(&graph, &x, &labels, &search, found.above) as f64 > limit);
            }
            if found.end == End::Between {
                prop_assert!(found.above > found.sigma && found.above < found.sigma * 1.004);
            }
        }
    }

    #[test]
    fn a_larger_limit_has_no_smaller_sigma((network, x, labels) in subject(), more in 0.0..0.5f64) {
        for noise in BOTH {
            let search = Search { draws: 2, ..Search::new(noise) };
            let graph = dense(&network);
            let found = of(&graph, &x, &labels, &search).unwrap();
            let more = Search { increase: 0.1 + more, ..search };
            prop_assert!(of(&graph, &x, &labels, &more).unwrap().sigma >= found.sigma);
        }
    }

    #[test]
    fn rescaling_layers_changes_nothing((network, x, labels) in subject(), by in -6i32..=6) {
        let graph = dense(&network);
        let mut scaled = graph.clone();
        let layers: Vec<&mut Affine> = scaled.steps.iter_mut().filter_map(|step| match &mut step.operation {
            Operator::Dense(affine) => Some(affine),
            _ => None,
        }).collect();
        let last = layers.len() - 1;
        // Layer l is multiplied by 2^{by}, and the last by 2^{−by last}: biases have the products of the layers before.
        for (index, affine) in layers.into_iter().enumerate() {
            let before = 2f64.powi(by * index as i32);
            let own = if index < last { 2f64.powi(by) } else { 1.0 / before };
            affine.weights.iter_mut().for_each(|w| *w *= own);
            affine.bias.iter_mut().for_each(|b| *b *= own * before);
        }
        let search = Search { draws: 2, ..Search::new(Noise::Magnitude) };
        prop_assert_eq!(of(&graph, &x, &labels, &search).unwrap(), of(&scaled, &x, &labels, &search).unwrap());
    }

    #[test]
    fn fractions_have_the_noise_of_their_roundings((network, x, labels) in subject()) {
        let exact = Graph::from(&network);
        for noise in BOTH {
            let search = Search { draws: 2, ..Search::new(noise) };
            let found = of(&exact, &x, &labels, &search).unwrap();
            prop_assert!(is_clear(&found));
            prop_assert_eq!(found.errors, zero_noise(&dense(&network), &x, &labels));
            prop_assert_eq!(naive(&exact, &x, &labels, &search, found.sigma), found.noisy);
        }
    }
}

/// x ↦ ReLU(x + 1) − 1 with all weights 1.
fn small() -> Graph {
    let affine = |weight, bias| {
        Operator::Dense(Affine { weights: vec![weight], inputs: 1, outputs: 1, bias: vec![bias] })
    };
    let relu = Operator::Activate(Activation::Relu);
    let steps = vec![(affine(1.0, 1.0), vec![1]), (relu, vec![1]), (affine(1.0, -1.0), vec![1])];
    chain(vec![1], steps)
}

const POINTS: [f64; 4] = [-0.5, -0.25, 0.25, 0.5];

fn signs() -> BoundLabels {
    labels(1, [0, 0, 1, 1].into_iter())
}

#[test]
fn isotropic_noise_sees_the_scale() {
    let mut scaled = small();
    for (index, step) in scaled.steps.iter_mut().enumerate() {
        if let Operator::Dense(affine) = &mut step.operation {
            let own = if index == 0 { 256.0 } else { 1.0 / 256.0 };
            affine.weights[0] *= own;
            affine.bias[0] *= if index == 0 { 256.0 } else { 1.0 };
        }
    }
    let sigma =
        |graph: &Graph, noise| of(graph, &POINTS, &signs(), &Search::new(noise)).unwrap().sigma;
    assert_eq!(sigma(&small(), Noise::Magnitude), sigma(&scaled, Noise::Magnitude));
    assert!(sigma(&small(), Noise::Isotropic) > 2.0 * sigma(&scaled, Noise::Isotropic));
}

/// A seed draws the same noise for ever.
#[test]
fn golden_sigma() {
    let mut graph = small();
    if let Operator::Dense(affine) = &mut graph.steps[2].operation {
        (affine.weights[0], affine.bias[0]) = (3.0, -3.25);
    }
    let of = |noise, seed| {
        of(&graph, &POINTS, &signs(), &Search { seed, ..Search::new(noise) }).unwrap()
    };
    let found = BOTH.map(|noise| [1, 2].map(|seed| of(noise, seed).sigma));
    assert_eq!(found, GOLDEN);
}

const GOLDEN: [[f64; 2]; 2] =
    [[0.1312430107250859, 0.14186761385403304], [0.1936919549429331, 0.24713965745095992]];

#[test]
fn dead_layers_one_class_and_full_errors_have_an_answer() {
    let affine = |weight: f64, bias: f64| {
        Operator::Dense(Affine { weights: vec![weight], inputs: 1, outputs: 1, bias: vec![bias] })
    };
    let relu = || Operator::Activate(Activation::Relu);
    let network = |numbers: [f64; 4]| {
        let [w, b, v, c] = numbers;
        chain(vec![1], vec![(affine(w, b), vec![1]), (relu(), vec![1]), (affine(v, c), vec![1])])
    };
    let right = labels(1, [1; 4].into_iter());
    let wrong = labels(1, [0; 4].into_iter());
    let search = |noise| Search::new(noise);
    // All weights 0: a tie everywhere is an error everywhere, and noise cannot add any.
    for noise in BOTH {
        for labels in [&right, &wrong] {
            let found = of(&network([0.0; 4]), &POINTS, labels, &search(noise)).unwrap();
            assert_eq!((found.errors, found.end, found.sigma), (4, End::NeverTooMuch, MOST));
            assert!(is_clear(&found));
            assert!(found.findings()[0].failing().unwrap().reason.contains("no room"));
        }
    }
    // A dead layer, and an output that noise on the bias turns over.
    let found =
        of(&network([0.0, 0.0, 1.0, 1.0]), &POINTS, &right, &search(Noise::Magnitude)).unwrap();
    assert!(found.errors == 0 && found.end == End::Between && found.sigma > 0.1);
    // Weights that are 0 have no magnitude: nothing changes.
    let found =
        of(&network([0.0, 1.0, 0.0, 0.0]), &POINTS, &right, &search(Noise::Magnitude)).unwrap();
    assert_eq!((found.errors, found.end), (4, End::NeverTooMuch));
    // One class of one output: never an error.
    let one = Reading::new(How::Largest).bind(&Labels::classes(vec![0; 4], 1).unwrap(), 1).unwrap();
    for noise in BOTH {
        let found = of(&small(), &POINTS, &one, &search(noise)).unwrap();
        assert_eq!((found.errors, found.end, found.noisy), (0, End::NeverTooMuch, 0));
        assert!(found.findings()[0].failing().unwrap().reason.contains("at least"));
    }
    // An error rate above 0.9 leaves no room.
    let points = vec![1.0; 20];
    let most = labels(1, (0..20).map(|k| usize::from(k == 0)));
    let found =
        of(&network([1.0, 0.0, 1.0, 0.0]), &points, &most, &search(Noise::Isotropic)).unwrap();
    assert_eq!((found.errors, found.end), (19, End::NeverTooMuch));
    // Weights that cancel to the last bits: the least noise is too much.
    let huge = chain(
        vec![2],
        vec![(
            Operator::Dense(Affine {
                weights: vec![1e100, -1e100],
                inputs: 2,
                outputs: 1,
                bias: vec![1.0],
            }),
            vec![1],
        )],
    );
    let ones = labels(1, [1; 4].into_iter());
    let found = of(&huge, &[1.0; 8], &ones, &search(Noise::Magnitude)).unwrap();
    assert_eq!((found.errors, found.end, found.sigma), (0, End::TooMuch, LEAST));
    assert!(is_clear(&found) && found.findings()[0].failing().unwrap().reason.contains("below"));
}

#[test]
fn outputs_that_overflow_under_noise_are_errors() {
    // 1e308 is multiplied by more than 1.8 at σ >= 10 for some draw.
    let network = chain(
        vec![1],
        vec![(
            Operator::Dense(Affine {
                weights: vec![1e308],
                inputs: 1,
                outputs: 1,
                bias: vec![0.0],
            }),
            vec![1],
        )],
    );
    let found =
        of(&network, &[1.0], &labels(1, [1].into_iter()), &Search::new(Noise::Magnitude)).unwrap();
    assert!(found.end == End::Between && found.sigma < 100.0);
    let infinite =
        of(&network, &[10.0], &labels(1, [1].into_iter()), &Search::new(Noise::Magnitude));
    assert!(matches!(infinite, Err(MeasureError::PointNotFinite { point: 0, .. })));
}

/// Convolution, normalization, a bias for each channel and pooling: which numbers are parameters.
#[test]
fn all_kinds_of_parameters_have_noise() {
    let window = SlidingWindow { size: (1, 1), stride: (1, 1), before: (0, 0), after: (0, 0) };
    let graph = |convolution: f64, scale: f64, shift: f64, bias: [f64; 4], first: f64| {
        let filter = Affine { weights: vec![convolution], inputs: 1, outputs: 1, bias: Vec::new() };
        let normal = Normalization {
            scale: vec![scale],
            shift: vec![shift],
            mean: vec![0.5],
            variance: vec![1.0],
            epsilon: 0.0,
        };
        let from = || (0..4).collect();
        let shape = || vec![1, 2, 2];
        chain(
            shape(),
            vec![
                (Operator::Scale { from: from(), by: vec![first; 4], divides: false }, shape()),
                (Operator::Convolution(filter, window), shape()),
                (Operator::Normalize(normal), shape()),
                (Operator::Shift { negated: false, from: from(), by: bias.to_vec() }, shape()),
                (Operator::GlobalMean, vec![1]),
            ],
        )
    };
    let labels = labels(1, [1].into_iter());
    let sigma = |graph: &Graph| {
        let found = of(graph, &[1.0; 4], &labels, &Search::new(Noise::Magnitude)).unwrap();
        assert_eq!(found.errors, 0);
        found
    };
    // Each one alone turns the sign over, if it has noise.
    assert_eq!(sigma(&graph(1.0, 1.0, 0.0, [0.0; 4], 1.0)).end, End::Between);
    assert_eq!(sigma(&graph(0.0, 0.0, 1.0, [0.0; 4], 1.0)).end, End::Between);
    assert_eq!(sigma(&graph(0.0, 0.0, 0.0, [1.0; 4], 1.0)).end, End::Between);
    // With all others 0, statistics and what is done to the points have none.
    assert_eq!(
        sigma(&graph(0.0, 0.0, 0.0, [1.0; 4], 5.0)),
        sigma(&graph(0.0, 0.0, 0.0, [1.0; 4], 1.0))
    );
    // Equal numbers of a channel are one parameter: the mean of four independent ones withstands more.
    let together = sigma(&graph(0.0, 0.0, 0.0, [1.0; 4], 1.0)).sigma;
    let apart = sigma(&graph(0.0, 0.0, 0.0, [1.0, 1.0, 1.0, 1.0 + 1e-9], 1.0)).sigma;
    assert!(together != apart);
}

#[test]
fn what_does_not_fit_is_refused() {
    let of = |points: &[f64], search: &Search| of(&small(), points, &signs(), search).unwrap_err();
    let search = Search::new(Noise::Magnitude);
    assert!(matches!(of(&[1.0; 3], &search), MeasureError::Length { found: 3, expected: 4, .. }));
    let not = [1.0, f64::NAN, 1.0, 1.0];
    assert!(matches!(of(&not, &search), MeasureError::PointNotFinite { point: 1, .. }));
    for search in [
        Search { draws: 0, ..search },
        Search { increase: -0.1, ..search },
        Search { increase: f64::NAN, ..search },
    ] {
        assert!(matches!(of(&POINTS, &search), MeasureError::Parameter { .. }));
    }
}

/// Fractions beyond binary64 have no noise that is finite, and stay what they are.
#[test]
fn huge_fractions_are_kept() {
    let mut network = Layered {
        inputs: 1,
        hidden: vec![vec![shatter_network::Unit::relu([(0, fraction(1, 3))], Rational::ONE)]],
        output: vec![shatter_network::Unit::affine([(0, Rational::ONE)], fraction(-1, 2))],
    };
    let labels = labels(1, [1].into_iter());
    let search = Search::new(Noise::Magnitude);
    let found = of(&Graph::from(&network), &[1.0], &labels, &search).unwrap();
    assert_eq!((found.errors, found.end), (0, End::Between));
    // A threshold unit whose weight is beyond binary64: its noise is not finite, and the unit says 1 as before.
    let weight = Rational::from(10).pow(400);
    network.hidden[0][0] = shatter_network::Unit::threshold([(0, weight)], Rational::ZERO);
    let found = of(&Graph::from(&network), &[1.0], &labels, &search).unwrap();
    assert_eq!((found.errors, found.end), (0, End::Between));
}
