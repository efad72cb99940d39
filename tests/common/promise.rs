//! Whether a construction keeps its promise.

use proptest::prelude::*;
use shatter_construct::{Construction, Task};
use shatter_network::{ExactLabels, ExactPoints, Network, first_misfit};
use shatter_sample::Sample;

/// Builds, evaluates at every point by the definition and by the fast path, and counts.
pub fn keeps_its_promise(
    construction: &dyn Construction,
    sample: &Sample,
) -> Result<Network, TestCaseError> {
    let task = Task::new(&sample.points, &sample.labels, 1);
    let fail = |error: &dyn std::fmt::Display| {
        TestCaseError::fail(format!("{}: {error}", construction.name()))
    };
    let promise = construction.promise(&task).map_err(|error| fail(&error))?;
    let network = construction.build(&task).map_err(|error| fail(&error))?;
    prop_assert_eq!(promise.broken_by(&network.sizes()), None, "{}", construction.name());
    fits(&network, sample, construction)?;
    Ok(network)
}

/// Fits every point, by the fast path and by the definition.
pub fn fits(
    network: &Network,
    sample: &Sample,
    construction: &dyn Construction,
) -> Result<(), TestCaseError> {
    let target = construction.target();
    prop_assert_eq!(first_misfit(network, &sample.points, &sample.labels, target), None);
    let layered = match network {
        Network::TwoLayer(two) => two.to_layered(),
        Network::Layered(layered) => layered.clone(),
    };
    for i in 0..sample.points.n() {
        let output = layered.evaluate(&sample.points.exact_row(i));
        prop_assert_eq!(
            output,
            sample.labels.exact_target(target, i),
            "{} at {}",
            construction.name(),
            i
        );
    }
    Ok(())
}
