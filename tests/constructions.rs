//! Promise: every construction fits every sample that it promises to, exactly, with the counts that
//! its file states.

mod common;

use common::{cases, raw_sample};
use proptest::prelude::*;
use shatter::construct::{DirectionRule, Options, ThresholdRule, depth_k, depth_two, width_two};
use shatter::network::layered::Layered;
use shatter::sample::{LabelRule, Sample};

fn fits(network: &Layered, sample: &Sample) -> Result<(), TestCaseError> {
    for (i, output) in network.outputs(&sample.points).into_iter().enumerate() {
        prop_assert_eq!(output, vec![sample.labels.exact_at(i).to_rational()], "point {}", i);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn depth_k_for_every_k(
        raw in raw_sample(14, 4),
        threshold in prop_oneof![
            Just(ThresholdRule::Zigzag), Just(ThresholdRule::Data), Just(ThresholdRule::Midpoint)
        ],
    ) {
        let sample = raw.distinct(LabelRule::Random, 1)
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let options = Options { threshold, ..Options::default() };
        let two = depth_two::fit_exact(&sample.points, &sample.labels, &options)
            .map_err(|error| TestCaseError::fail(error.to_string()))?.network;
        let (n, d) = (sample.points.n() as u64, sample.points.d() as u64);
        for k in 3..=n + 2 {
            let deep = depth_k::deepen(&two, k as usize)
                .map_err(|error| TestCaseError::fail(error.to_string()))?;
            let (sizes, g) = (deep.sizes(), n.div_ceil(k - 2));
            prop_assert_eq!((sizes.depth, sizes.units), (k, n + 1 + 3 * (k - 3)));
            prop_assert!(sizes.nonzero <= 3 * n + d + 3 * (k - 3), "k = {}: {:?}", k, sizes);
            match k {
                3 => prop_assert_eq!(sizes.width, n),
                4 => prop_assert!(sizes.width <= g + 2),
                _ => prop_assert!(sizes.width <= g + 3),
            }
            fits(&deep, &sample)?;
        }
        for k in [0, 1, 2, n as usize + 3] {
            prop_assert!(depth_k::deepen(&two, k).is_err());
        }
    }

    #[test]
    fn width_two_for_every_sample(raw in raw_sample(16, 4)) {
        let sample = raw.distinct(LabelRule::Random, 1)
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let network = width_two::fit(&sample.points, &sample.labels, DirectionRule::Auto, 1)
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let (n, d) = (sample.points.n() as u64, sample.points.d() as u64);
        let sizes = network.sizes();
        prop_assert_eq!((sizes.depth, sizes.units), (n + 1, 2 * n - 1));
        prop_assert_eq!(sizes.width, n.min(2));
        prop_assert!(n < 3 || sizes.nonzero < 4 * n + d, "{:?}", sizes);
        fits(&network, &sample)?;
    }
}

/// Expected failure: with a sign flipped anywhere, the network no longer fits, or that weight did
/// not matter on the sample.
#[test]
fn a_flipped_sign_is_seen() {
    let raw = shatter::sample::load("lattice:n=9,d=2,range=40", 2).unwrap();
    let sample = raw.distinct(LabelRule::Random, 2).unwrap();
    let network = width_two::fit(&sample.points, &sample.labels, DirectionRule::Auto, 1).unwrap();
    let before = network.outputs(&sample.points);
    let (mut seen, mut all) = (0, 0);
    for layer in 0..network.hidden.len() {
        for unit in 0..network.hidden[layer].len() {
            let mut mutant = network.clone();
            let weight = &mut mutant.hidden[layer][unit].weights[0].1;
            *weight = -weight.clone();
            all += 1;
            seen += usize::from(mutant.outputs(&sample.points) != before);
        }
    }
    assert!(seen * 2 > all, "{seen} of {all} mutants change an output");
}
