//! Promise: `compare` builds what can be built, names what stopped the rest, and says so truthfully.

use std::time::Duration;

use shatter_compare::{self as compare, CompareError, CompareOptions, Stopped};
use shatter_sample::{self as sample, LabelRule, Sample};

fn sample(text: &str) -> Sample {
    sample::load(text, 1).unwrap().distinct(LabelRule::Random, 1).unwrap()
}

fn only(names: &[&str]) -> CompareOptions {
    CompareOptions {
        only: names.iter().map(|name| name.to_string()).collect(),
        ..CompareOptions::default()
    }
}

#[test]
fn sizes_go_up_to_all_points() {
    let comparison =
        compare::run(&sample("lattice:n=70,d=2"), &only(&["depth-3"]), &mut |_| {}).unwrap();
    let sizes: Vec<usize> = comparison.entries[0].built.iter().map(|row| row.n).collect();
    assert_eq!(sizes, [10, 20, 50, comparison.n]);
    assert!(matches!(comparison.entries[0].stopped, Stopped::AllPoints));
    assert!(comparison.holds());
}

/// Expected failures: no time, an assumption that is not met, a name that is not there.
#[test]
fn what_stops_a_construction_is_named() {
    let options = CompareOptions { limit: Duration::ZERO, ..only(&["width-two"]) };
    let comparison = compare::run(&sample("lattice:n=70,d=2"), &options, &mut |_| {}).unwrap();
    assert_eq!(comparison.entries[0].built.len(), 1, "the first network is always built");
    assert!(matches!(comparison.entries[0].stopped, Stopped::Time { n: 20, .. }));

    // Depth 10 needs n >= 8: refused for all 5 points.
    let comparison =
        compare::run(&sample("gaussian:n=5,d=2"), &only(&["depth-10"]), &mut |_| {}).unwrap();
    let Stopped::Refused { n: 5, reason } = &comparison.entries[0].stopped else {
        panic!("{:?}", comparison.entries[0].stopped)
    };
    assert!(reason.contains("depth 10"), "{reason}");
    // The table wraps it.
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&comparison.table()).contains(&words(reason)));
    assert!(comparison.table().lines().all(|line| line.chars().count() <= 100));

    let refused = compare::run(&sample("gaussian:n=5,d=2"), &only(&["deep"]), &mut |_| {});
    let Err(error @ CompareError::Unknown { .. }) = refused else {
        panic!("'deep' is no construction")
    };
    assert!(error.to_string().contains("'deep'") && error.to_string().contains("width-two"));
}

/// Expected failure: a misfit and a broken promise show in the verdict and in the table.
#[test]
fn a_misfit_is_not_hidden() {
    let whole = compare::run(&sample("lattice:n=9,d=2"), &only(&["depth-3"]), &mut |_| {}).unwrap();
    let mut misfit = whole.clone();
    misfit.entries[0].built[0].misfit = Some(7);
    assert!(!misfit.holds() && misfit.table().contains("DOES NOT FIT point 7"));
    let mut broken = whole;
    broken.entries[0].built[0].as_promised = false;
    assert!(!broken.holds() && broken.table().contains("NOT AS PROMISED"));
}
