//! Promise: every construction fits every sample that it promises to, exactly, with the counts that
//! its file states.

use crate::common::{cases, fits, keeps_its_promise, raw_sample, sample};
use proptest::prelude::*;
use shatter_construct::depth_k::DepthK;
use shatter_construct::width_two::WidthTwo;
use shatter_construct::{Construction, DepthTwo, Task, ThresholdRule, depth_k};
use shatter_network::{Layered, Network, exactly};
use shatter_sample::LabelRule;

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn depth_k_for_every_k(
        raw in raw_sample(14, 4),
        threshold in prop_oneof![
            Just(ThresholdRule::Zigzag), Just(ThresholdRule::Data), Just(ThresholdRule::Midpoint)
        ],
    ) {
        let sample = sample(raw)?;
        let task = Task::new(&sample.points, &sample.labels, 0);
        let two = DepthTwo { threshold }.fit_exact(&task)
            .map_err(|error| TestCaseError::fail(error.to_string()))?.network;
        let n = sample.points.n();
        for depth in 3..=n + 2 {
            let deep = depth_k::deepen(&two, depth)
                .map_err(|error| TestCaseError::fail(error.to_string()))?;
            let construction = DepthK { depth };
            let promise = construction.promise(&Task::new(&sample.points, &sample.labels, 1))
                .map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(promise.broken_by(&deep.sizes()), None);
            fits(&Network::Layered(deep), &sample, &construction)?;
        }
        for k in [0, 1, 2, n + 3] {
            prop_assert!(depth_k::deepen(&two, k).is_err());
        }
    }

    #[test]
    fn depth_k_for_larger_samples(raw in raw_sample(40, 6), k in any::<prop::sample::Index>()) {
        let sample = sample(raw)?;
        let depth = 3 + k.index(sample.points.n());
        keeps_its_promise(&DepthK { depth }, &sample)?;
    }

    #[test]
    fn width_two_for_every_sample(raw in raw_sample(40, 6)) {
        keeps_its_promise(&WidthTwo, &sample(raw)?)?;
    }
}

/// Expected failure: with a sign flipped anywhere, the network no longer fits, or that weight did
/// not matter on the sample.
#[test]
fn a_flipped_sign_is_seen() {
    let raw = shatter_sample::load("lattice:n=9,d=2,range=40", 2).unwrap();
    let sample = raw.distinct(LabelRule::Random, 2).unwrap();
    let network = WidthTwo.build(&Task::new(&sample.points, &sample.labels, 1)).unwrap();
    let Network::Layered(network) = network else { panic!("width two is layered") };
    let outputs = |network: &Layered| exactly::outputs(network, &sample.points);
    let before = outputs(&network);
    let (mut seen, mut all) = (0, 0);
    for layer in 0..network.hidden.len() {
        for unit in 0..network.hidden[layer].len() {
            let mut mutant = network.clone();
            let weight = &mut mutant.hidden[layer][unit].weights[0].1;
            *weight = -weight.clone();
            all += 1;
            seen += usize::from(outputs(&mutant) != before);
        }
    }
    assert!(seen * 2 > all, "{seen} of {all} mutants change an output");
}
