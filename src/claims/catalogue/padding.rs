//! Larger networks: claim 29.

use proptest::prelude::*;
use proptest::sample::Index;
use shatter_network::ExactLabels;

use shatter_construct::depth_k::DepthK;
use shatter_construct::depth_two::DepthTwo;
use shatter_construct::width_two::WidthTwo;
use shatter_construct::{Construction, Task, ThresholdRule};
use shatter_exact::Rational;
use shatter_network::{Layered, Network, Unit};
use shatter_sample::{Sample, Target};

use super::super::claim::{Claim, Evidence, Stated, Trial};
use super::super::describe::describe;
use super::super::harness::{Failure, fits};
use super::super::strategy::any_sample;

pub(super) const CLAIMS: [Claim; 1] = [Claim {
    number: 29,
    name: "larger-still-fits",
    statement: "More units, or one more hidden layer of any width before a scalar output, never \
                destroy the fit on a sample, for some weights of the new units.",
    verdict: Stated::True,
    source: "units that nothing reads; ReLU(y + c) - c",
    test: larger,
}];

#[derive(Clone, Debug)]
struct Growth {
    sample: Sample,
    /// Which network is grown.
    construction: usize,
    /// The hidden layer that gets a unit.
    layer: Index,
    /// The numbers of that unit.
    unit: (i64, i64),
    /// The width of the new layer.
    width: usize,
}

fn larger(trial: &Trial) -> Evidence {
    let values =
        (any_sample(1..=12, 1..=4), 0..3usize, any::<Index>(), (-9i64..=9, -9i64..=9), 1..=4usize)
            .prop_map(|(sample, construction, layer, unit, width)| Growth {
                sample,
                construction,
                layer,
                unit,
                width,
            });
    let words = |growth: &Growth| {
        let Growth { sample, construction, width, .. } = growth;
        format!("construction {construction}, new layer of width {width}, {}", describe(sample))
    };
    trial.every(values, words, |growth| {
        let sample = &growth.sample;
        let task = Task::new(&sample.points, &sample.labels, trial.harness.seed);
        let constructions: [&dyn Construction; 3] =
            [&WidthTwo, &DepthTwo { threshold: ThresholdRule::Zigzag }, &DepthK { depth: 3 }];
        let network = constructions[growth.construction].build(&task);
        let mut network = match network.map_err(|error| Failure::Refused(error.to_string()))? {
            Network::TwoLayer(network) => network.to_layered(),
            Network::Layered(network) => network,
        };
        let before = network.sizes();
        add_unit(&mut network, growth.layer, growth.unit);
        let least = (0..sample.points.n()).map(|i| sample.labels.exact_at(i).to_rational()).min();
        add_layer(&mut network, growth.width, &least.unwrap_or(Rational::ZERO));
        let after = network.sizes();
        if (after.units, after.depth) != (before.units + 1 + growth.width as u64, before.depth + 1)
        {
            return Err("the network did not grow as it should".to_owned().into());
        }
        fits(&network, sample, Target::Value)
    })
}

/// A unit that the next layer does not read.
fn add_unit(network: &mut Layered, layer: Index, (weight, bias): (i64, i64)) {
    if !network.hidden.is_empty() {
        let layer = layer.index(network.hidden.len());
        network.hidden[layer].push(Unit::relu([(0, weight.into())], bias.into()));
    }
}

/// A layer that carries y + c through a ReLU, where c makes the least label 0; its other units are
/// read by nothing.
fn add_layer(network: &mut Layered, width: usize, least: &Rational) {
    let Some(output) = network.output.pop() else { return };
    let mut layer = vec![Unit::relu(output.weights, output.bias - least)];
    layer.resize(width, Unit::relu([], Rational::ONE));
    network.hidden.push(layer);
    network.output.push(Unit::affine([(0, Rational::ONE)], least.clone()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use shatter_network::first_misfit;
    use shatter_sample::{LabelRule, load};

    #[test]
    fn a_layer_with_too_high_a_floor_destroys_the_fit() {
        let sample =
            load("lattice:n=6,d=2", 1).unwrap().distinct(LabelRule::Alternating, 1).unwrap();
        let task = Task::new(&sample.points, &sample.labels, 1);
        let Network::Layered(network) = WidthTwo.build(&task).unwrap() else { panic!() };
        for (least, fits) in [(0, true), (-3, true), (1, false)] {
            let (points, labels) = (&sample.points, &sample.labels);
            let mut grown = network.clone();
            add_layer(&mut grown, 2, &Rational::from(least));
            assert_eq!(first_misfit(&grown, points, labels, Target::Value).is_none(), fits);
        }
    }
}
