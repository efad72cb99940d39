//! Promise: all n · m terms of a network of Theorem 1 have the processor's bits on a GPU (the
//! emulator's, or with REQUIRE_GPU the machine's own), for every threshold rule and solver, whether
//! or not a sum rounds; where binary64 rounds nothing these are the labels. The program says so.
#![cfg(feature = "cuda")]

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod binary;
    pub mod driver;
    pub mod emulator;
    pub mod gpu;
    pub mod mutant;
    pub mod place;
    pub mod skipped;
}

use crate::common::driver::{Libraries, err, has_driver, libraries, out, shatter};
use crate::common::mutant::{needs_every, orders_do_not_matter};
use crate::common::{emulator, gpu};
use proptest::prelude::*;
use serde_json::Value;
use shatter_construct::{DepthTwo, Task, ThresholdRule};
use shatter_device::cuda::BruteForce;
use shatter_exact::Lattice;
use shatter_network::evaluate::{brute_force, brute_force_projected};
use shatter_network::projection::project;
use shatter_network::{FloatExactness, FloatNetwork};
use shatter_sample::{self as sample, LabelRule, Sample};
use shatter_verify::solver::{FloatSolver, fit_float};
use tempfile::{TempDir, tempdir};

/// One, a prime, a tile, one less and one more than one and two.
const SIZES: [usize; 7] = [1, 2, 97, 255, 256, 257, 513];
const RULES: [ThresholdRule; 3] =
    [ThresholdRule::Zigzag, ThresholdRule::Data, ThresholdRule::Midpoint];

fn evaluator() -> Option<BruteForce> {
    gpu::open().then(|| BruteForce::new().expect("a GPU"))
}

fn labelled(text: &str) -> Sample {
    let raw = sample::load(text, 3).expect("a sample");
    raw.distinct(LabelRule::Random, 3).expect("labels")
}

fn bits(numbers: &[f64]) -> Vec<u64> {
    // One not-a-number is as good as another.
    numbers.iter().map(|x| if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }).collect()
}

#[test]
fn the_labels_where_nothing_rounds() {
    let Some(gpu) = evaluator() else { return };
    for n in SIZES {
        let sample = labelled(&format!("lattice:n={n},d=3,range=2001"));
        for threshold in RULES {
            let task = Task::new(&sample.points, &sample.labels, 0);
            let fit = DepthTwo { threshold }.fit_exact(&task);
            let network = fit.expect("a network").network;
            let z = project(&sample.points, &Lattice::from_dyadics(&network.a));
            let exact = FloatExactness::of(&network, &sample.points, &z).binary64;
            let rounded = network.round_f64();
            let found = gpu.outputs(&rounded, &sample.points).expect("outputs");
            assert_eq!(bits(&found), bits(&brute_force(&rounded, &sample.points)), "{threshold}");
            let labels: Vec<f64> = (0..n).map(|i| sample.labels.f64_at(i)).collect();
            assert!(
                exact || threshold != ThresholdRule::Zigzag,
                "{n}: zigzag is within the bounds"
            );
            assert!(!exact || bits(&found) == bits(&labels), "{n}: {threshold}");
        }
    }
}

#[test]
fn the_bits_of_the_processor_where_sums_round() {
    let Some(gpu) = evaluator() else { return };
    let solvers = [FloatSolver::Structured, FloatSolver::Nalgebra];
    let mut rounded = 0;
    for n in [1, 97, 257] {
        let sample = labelled(&format!("gaussian:n={n},d=3"));
        for (threshold, solver) in RULES.into_iter().flat_map(|rule| solvers.map(|s| (rule, s))) {
            let (points, labels) = (&sample.points, &sample.labels);
            let task = Task::new(points, labels, 0);
            // A rule may be beyond what binary64 can solve.
            let Ok(fit) = fit_float::<f64>(DepthTwo { threshold }, &task, solver) else {
                continue;
            };
            let expected = brute_force(&fit.network, points);
            rounded += usize::from((0..n).any(|i| expected[i] != labels.f64_at(i)));
            let found = gpu.outputs(&fit.network, points).expect("outputs");
            assert_eq!(bits(&found), bits(&expected), "{n}, {threshold}, {solver}");
        }
    }
    assert!(rounded > 4, "only {rounded} networks that round");
}

/// Any numbers, of points and units that are not as many as one another.
#[test]
fn any_network_has_the_bits_of_the_processor() {
    let Some(gpu) = evaluator() else { return };
    let any = |most: usize| prop::collection::vec(prop::num::f64::ANY, 0..most);
    let pairs = prop::collection::vec((prop::num::f64::ANY, prop::num::f64::ANY), 0..600);
    let finite = prop::collection::vec((-4.0..4.0, -4.0..4.0), 0..600);
    let units = prop_oneof![finite, pairs];
    let z = prop_oneof![any(300), prop::collection::vec(-4.0..4.0, 0..600)];
    // Mutants fail here on purpose; nothing is to be remembered of that.
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() };
    proptest!(config, |(units in units, c in prop::num::f64::ANY, z in z)| {
        let (b, w) = units.into_iter().unzip();
        let network = FloatNetwork { a: vec![], b, w, c };
        let found = gpu.outputs_projected(&network, &z).expect("outputs");
        prop_assert_eq!(bits(&found), bits(&brute_force_projected(&network, &z)));
    });
}

#[test]
fn emulated_orders_do_not_matter() {
    orders_do_not_matter();
}

#[test]
fn emulated_every_barrier_is_needed() {
    needs_every("__syncthreads();", "brute_force.cu", 2, &["bits"]);
}

fn fit(folder: &TempDir, libraries: Libraries, words: &[&str]) -> (String, Value) {
    let output = shatter(folder, libraries, &[], &[&["fit"], words].concat());
    assert!([Some(0), Some(1)].contains(&output.status.code()), "{}", err(&output));
    let path = folder.path().join("out/fit/fit.json");
    let json = serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON");
    (out(&output), json)
}

/// The same findings from both, but for the device.
#[test]
fn the_program_finds_what_it_finds_on_the_processor() {
    let Some(libraries) = libraries() else { return };
    let folder = tempdir().unwrap();
    // Projections that overflow, among others.
    std::fs::write(folder.path().join("large.csv"), "x,y\n1e308,1\n-1e308,2\n0.5,3\n").unwrap();
    let lattice = "lattice:n=257,d=3,range=2001";
    let gaussian = "gaussian:n=257,d=3";
    let large = "csv:large.csv,target=number";
    for (words, residual) in [
        (vec![lattice, "--labels", "random"], Some(0.0)),
        (vec![lattice, "--threshold", "data"], None),
        (vec![lattice, "--threshold", "midpoint"], None),
        (vec![gaussian, "--solver", "structured", "--brute-force"], None),
        (vec![gaussian, "--solver", "nalgebra"], None),
        (vec![large, "--threshold", "data"], None),
    ] {
        let [(text, cuda), (_, cpu)] = ["cuda", "cpu"]
            .map(|device| fit(&folder, libraries, &[&words[..], &["--device", device]].concat()));
        assert!(
            text.contains(" in plain f64, all ") && text.contains("compute capability"),
            "{text}"
        );
        let name = cuda["brute_force_device"].as_str().unwrap();
        assert!(text.contains(name), "{text}");
        assert_eq!(cpu["brute_force_device"], "CPU");
        let found = &cuda["brute_force_f64"];
        assert!(residual.is_none_or(|residual: f64| *found == residual), "{found}");
        // The second replaces the first.
        let without = |mut json: Value| {
            json["brute_force_device"] = Value::Null;
            json["replaced"] = Value::Null;
            json
        };
        assert_eq!(without(cuda), without(cpu), "{words:?}");
    }
}

/// The processor is done with few terms before a GPU is set up.
#[test]
fn auto_takes_a_gpu_for_many_terms() {
    let Some(libraries) = libraries() else { return };
    let folder = tempdir().unwrap();
    let (text, json) = fit(&folder, libraries, &["lattice:n=300,d=3,range=2001"]);
    assert_eq!(json["brute_force_device"], "CPU");
    assert!(text.contains("(CPU)"), "{text}");
    let (text, json) =
        fit(&folder, libraries, &["lattice:n=31623,d=3,range=2001", "--labels", "random"]);
    assert!(json["brute_force_device"].as_str().unwrap().contains("compute capability"), "{text}");
    assert_eq!(json["brute_force_f64"], 0.0, "{text}");
}

/// With `--device auto` the processor stands in; who asks for a GPU is told.
#[test]
fn emulated_a_gpu_without_room() {
    let Some(emulator) = emulator::folder() else { return };
    let folder = tempdir().unwrap();
    let fit = |device| {
        let words = ["fit", "lattice:n=31623,d=3,range=2001", "--labels", "random", "--device"];
        let small = [("SHATTER_EMULATOR_MEMORY", "0")];
        shatter(&folder, Some(emulator), &small, &[&words[..], &[device]].concat())
    };
    let output = fit("cuda");
    assert_eq!(output.status.code(), Some(2), "{}", out(&output));
    let why = "cannot allocate ";
    assert!(err(&output).contains(why), "{}", err(&output));
    let output = fit("auto");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).contains("(CPU; no GPU: "), "{}", out(&output));
    assert!(out(&output).contains(why), "{}", out(&output));
}

#[test]
fn emulated_a_device_that_is_not_there_is_status_4() {
    let folder = tempdir().unwrap();
    let words = ["fit", "lattice:n=20,d=2", "--device", "cuda"];
    let refused = |libraries: Libraries, settings: &[_], said: &str| {
        let output = shatter(&folder, libraries, settings, &words);
        assert_eq!(output.status.code(), Some(4), "{}", err(&output));
        assert!(err(&output).starts_with("error: --device cuda: "), "{}", err(&output));
        assert!(err(&output).contains(said), "{}", err(&output));
        assert!(!folder.path().join("out").exists());
    };
    if !has_driver() {
        refused(Some(folder.path()), &[], "no NVIDIA driver on this machine");
    }
    let Some(emulator) = emulator::folder() else { return };
    refused(Some(emulator), &[("SHATTER_EMULATOR_DEVICES", "0")], "finds no device");
    refused(Some(emulator), &[("SHATTER_EMULATOR_DRIVER", "12090")], "driver of 580 or newer");
    // Not evaluated, not asked for.
    for more in [["--no-brute-force"].as_slice(), &["--construction", "width-two"]] {
        let output = shatter(&folder, Some(emulator), &[], &[&words, more].concat());
        assert_eq!(output.status.code(), Some(2), "{}", err(&output));
    }
}
