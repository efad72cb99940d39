//! Promise: real data sets with random labels are memorized exactly.
//!
//! Needs the folder named by SHATTER_DATA (see README for its contents); without it each test says
//! so and passes. CIFAR-10 is tried where SHATTER_CIFAR names its unpacked binary version.

use std::path::PathBuf;

use crate::common::skipped::{CIFAR, DATA, or_skipped};
use shatter_certify::write_certificate;
use shatter_check::check;
use shatter_construct::{DepthTwo, Task};
use shatter_exact::Lattice;
use shatter_network::evaluate::{brute_force_projected, exact_residual};
use shatter_network::projection::{project, project_float};
use shatter_network::{FloatExactness, Network};
use shatter_sample::{self as sample, LabelRule, SampleError, Target};

fn data() -> Option<PathBuf> {
    or_skipped(std::env::var_os("SHATTER_DATA"), DATA).map(PathBuf::from)
}

/// Fits, evaluates exactly and in plain binary64 (at every `stride`-th point, all units), checks.
fn memorizes(text: &str, rule: LabelRule, float_exact: bool, stride: usize) {
    let raw = sample::load(text, 1).unwrap_or_else(|error| panic!("{error}"));
    let sample = raw.clone().distinct(rule, 1).unwrap();
    let n = sample.points.n();
    let task = Task::new(&sample.points, &sample.labels, 1);
    let fit = DepthTwo::default().fit_exact(&task).unwrap();
    let z = project(&sample.points, &Lattice::from_dyadics(&fit.network.a));
    assert_eq!(exact_residual(&fit.network, &z, &sample.labels).fits, n, "{text}");
    let counts = fit.network.counts();
    assert_eq!((counts.free, counts.signs), ((n + sample.points.d()) as u64, 1));
    assert_eq!(
        FloatExactness::of(&fit.network, &sample.points, &z).binary64,
        float_exact,
        "{text}"
    );
    if float_exact {
        let floats = fit.network.to_f64().unwrap();
        let z = project_float(&sample.points, &floats.a);
        let (points, z): (Vec<usize>, Vec<f64>) = z.into_iter().enumerate().step_by(stride).unzip();
        let outputs = brute_force_projected(&floats, &z);
        assert!(points.iter().zip(outputs).all(|(&i, f)| f == sample.labels.f64_at(i)), "{text}");
    }
    let mut certificate = Vec::new();
    let network = Network::TwoLayer(fit.network);
    write_certificate(&mut certificate, &network, "depth-two", &sample, Target::Value).unwrap();
    assert_eq!(check(&certificate[..], raw).unwrap().points, n);
}

#[test]
fn images() {
    let Some(data) = data() else { return };
    for name in ["fashion-mnist", "mnist"] {
        let text = format!("{name}:{}", data.join(name).display());
        memorizes(&text, LabelRule::Random, true, 20);
    }
}

#[test]
fn cifar10() {
    let Some(folder) = or_skipped(std::env::var_os("SHATTER_CIFAR"), CIFAR) else { return };
    let text = format!("cifar10:{}", PathBuf::from(folder).display());
    memorizes(&text, LabelRule::Random, true, 20);
}

#[test]
fn tables() {
    let Some(data) = data() else { return };
    let csv = |name: &str| format!("csv:{}", data.join("tabular").join(name).display());
    memorizes(&csv("iris.csv"), LabelRule::True, false, 1);
    memorizes(&(csv("iris.csv") + ",scale=10^1"), LabelRule::True, true, 1);
    memorizes(&csv("wine.csv"), LabelRule::True, false, 1);
    memorizes(&(csv("wine.csv") + ",scale=10^6"), LabelRule::Random, true, 1);
    memorizes(&csv("optdigits-train.csv"), LabelRule::Random, true, 1);
    let iris = sample::load(&csv("iris.csv"), 1).unwrap().distinct(LabelRule::True, 1).unwrap();
    assert_eq!((iris.points.n(), iris.merged.dropped.len(), iris.merged.conflicts), (147, 3, 0));
    let refused = sample::load(&csv("breast-cancer-wisconsin.csv"), 1).unwrap_err();
    assert!(
        matches!(&refused, SampleError::Cell { row: 24, column, value, .. } if column == "6" && value == "?")
    );
}
