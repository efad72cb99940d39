//! The strategies in a property of your own, without the harness.
//!
//! `cargo run --example plain_proptest`. In a test, write `#[test] fn name(sample in …)` inside
//! `proptest! { … }` instead of calling it with a closure.

use proptest::prelude::*;
use shatter::claims::strategy::{any_sample, interleaving};
use shatter::construct::{DepthTwo, Task};
use shatter::network::{exact_residual, project};

fn main() {
    // There is no file of regressions beside an example; tests keep theirs.
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config.clone(), |(sample in any_sample(1..=20, 1..=4))| {
        let fit = DepthTwo::default().fit_exact(&Task::new(&sample.points, &sample.labels, 1));
        let network = fit.map_err(|error| TestCaseError::fail(error.to_string()))?.network;
        let z = project(&sample.points, &shatter::exact::Lattice::from_dyadics(&network.a));
        prop_assert_eq!(exact_residual(&network, &z, &sample.labels).fits, sample.points.n());
        prop_assert_eq!(network.units(), sample.points.n());
    });
    println!("every sample is fitted by as many units as it has points");

    proptest!(config, |(both in interleaving(1..=20))| {
        for (b, z) in both.thresholds.iter().zip(&both.points) {
            prop_assert!(b < z);
        }
    });
    println!("every threshold is below its point");
}
