//! Promise: every explicit network is a graph, with the counts, the sizes and the values that it had;
//! and its enclosures hold those values.

use crate::common::feed::{rational, real};
use crate::common::{cases, raw_sample, sample};
use proptest::prelude::*;
use shatter_construct::{Task, catalogue};
use shatter_exact::{Dyadic, Format, Rational};
use shatter_judge::enclose::Evaluator;
use shatter_judge::runtime::Runtime;
use shatter_network::ExactPoints;
use shatter_network::graph::Numbers;
use shatter_network::{Activation, ExactNetwork, Graph, Layered, Network, Unit};

/// Sizes and counts from the graph; and back again.
fn same(network: &Network) -> Result<Graph, TestCaseError> {
    let graph = Graph::from(network);
    prop_assert_eq!(graph.sizes(), network.sizes());
    let back = graph.explicit().ok_or_else(|| TestCaseError::fail("not explicit"))?;
    prop_assert_eq!(&back, network);
    let counts = match network {
        Network::TwoLayer(network) => Some(network.counts()),
        Network::Layered(_) => None,
    };
    prop_assert_eq!(graph.counts(), counts);
    Ok(graph)
}

/// The enclosure of a point holds what the definition says.
fn enclosed(graph: &Graph, point: &[f64], outputs: &[Rational]) -> Result<(), TestCaseError> {
    let enclosure = Evaluator::new(graph, Runtime::Ieee).outputs(point.to_vec(), 1);
    for (k, output) in outputs.iter().enumerate() {
        let radius = enclosure.radius(k);
        if radius.is_finite() {
            let difference = output - rational(enclosure.centre[k]);
            let far = if difference < Rational::ZERO { -difference } else { difference };
            prop_assert!(far <= rational(radius), "{k}: farther than {radius}");
        }
    }
    Ok(())
}

/// Plain binary64 is no farther from what the definition says than any runtime may be.
fn plainly(graph: &Graph, point: &[f64], outputs: &[Rational]) -> Result<(), TestCaseError> {
    let enclosure = Evaluator::new(graph, Runtime::Ieee).outputs(point.to_vec(), 1);
    let found = shatter_plain::outputs(graph, point, 1);
    for (k, output) in outputs.iter().enumerate() {
        let bound = enclosure.runtime(k);
        if graph.precision == Format::F64 && bound.is_finite() {
            let difference = output - rational(found[k]);
            let far = if difference < Rational::ZERO { -difference } else { difference };
            prop_assert!(far <= rational(bound), "{k}: {} is farther than {bound}", found[k]);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn all_constructions_keep_their_counts_and_values(raw in raw_sample(9, 3)) {
        let sample = sample(raw)?;
        let task = Task::new(&sample.points, &sample.labels, 1);
        for construction in catalogue::all() {
            let Ok(network) = construction.build(&task) else { continue };
            let graph = same(&network)?;
            for i in 0..sample.points.n() {
                let exact = sample.points.exact_row(i);
                let floats: Option<Vec<f64>> = exact
                    .iter().map(|x| Dyadic::from_rational(x).and_then(|x| x.to_f64())).collect();
                let outputs = match &network {
                    Network::TwoLayer(network) => network.to_layered().evaluate(&exact),
                    Network::Layered(network) => network.evaluate(&exact),
                };
                // Points beyond binary64 have no enclosure.
                let Some(floats) = floats else { continue };
                prop_assert_eq!(&real(&graph, &floats), &outputs, "{}", construction.name());
                plainly(&graph, &floats, &outputs)?;
                enclosed(&graph, &floats, &outputs)?;
            }
        }
    }

    #[test]
    fn two_layers_keep_their_counts(
        a in prop::collection::vec((-3i64..4, -5i64..5), 1..4),
        units in prop::collection::vec((-9i64..10, -3i64..4, 1u8..4), 0..6),
        c in -1i64..2,
    ) {
        let network = ExactNetwork {
            a: a.into_iter().map(|(m, e)| Dyadic::new(m, e)).collect(),
            b: units.iter().map(|(b, ..)| Dyadic::from(*b)).collect(),
            w: units.iter().map(|(_, p, q)| Rational::from_parts((*p).into(), (*q).into())).collect(),
            c: Dyadic::from(c),
        };
        same(&Network::TwoLayer(network))?;
    }
}

/// Expected failure: weights that are not 1 are no shared direction, and the projection is a layer.
#[test]
fn a_direction_that_is_scaled_is_a_layer() {
    let direction = Unit::affine([(0, Rational::ONE), (1, Rational::ONE)], Rational::ZERO);
    for weight in [1, 2] {
        let unit = Unit::relu([(0, Rational::from(weight))], Rational::ONE);
        let output = vec![Unit::affine([(0, Rational::ONE)], Rational::ZERO)];
        let network =
            Layered { inputs: 2, hidden: vec![vec![direction.clone()], vec![unit]], output };
        let graph = Graph::from(network);
        assert_eq!(graph.sizes().depth, 1 + weight as u64);
        assert_eq!(graph.counts().is_some(), weight == 1);
    }
}

#[test]
fn parameters_have_names_shapes_and_numbers() {
    let third = || Rational::from_parts(1.into(), 3u8.into());
    let unit = Unit::new(Activation::Softsign, [(1, third())], Rational::ZERO);
    let mut graph = Graph::from(Layered { inputs: 2, hidden: Vec::new(), output: vec![unit] });
    graph.steps[0].names.push("head.weight".to_owned());
    let found: Vec<_> = graph.parameters().collect();
    assert_eq!(found[0].name, "head.weight");
    assert_eq!(found[1].name, "0.bias");
    assert_eq!((&found[0].shape[..], &found[1].shape[..]), (&[1, 2][..], &[1][..]));
    assert!(matches!(&found[0].numbers, Numbers::Exact(x) if *x == [(1, &third())]));
    assert!(graph.is_exact());
}
