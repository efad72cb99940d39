//! Promise: what PyTorch exports is read, and judged as PyTorch does.
//!
//! Fifty-six modules and small networks, exported in three ways (`tests/python/torch_modules.py`): with the default
//! exporter, with the old one, and with a batch of any size. The labels are those that PyTorch finds in float64. A
//! file is *read and judged as PyTorch does* if every point says its label by more than the rounding bound, no point
//! says another one, and what PyTorch and ONNX Runtime compute lies within the bounds. The files come from a Python
//! with torch, onnx, onnxruntime and onnxscript (PYTHON), without which this test says so and passes.

use std::collections::BTreeMap;
use std::fs;

use crate::common::python::{python, run};
use serde_json::Value;
use shatter_interchange::onnx;
use shatter_judge::enclose::Evaluator;
use shatter_judge::verdict::{Verdict, inputs, judge};
use shatter_judge::{Effort, Runtime};
use shatter_network::Graph;
use shatter_sample::{self as sample, Labels};

/// Files that must be read and judged as PyTorch does, of 168.
const AT_LEAST: usize = 150;

/// What is not read, and a word of the reason.
const REFUSED: [(&str, &str); 5] = [
    ("avg_pool_ceil", "versions of ONNX Runtime"),
    ("sigmoid", "linear in pieces"),
    ("tanh", "linear in pieces"),
    ("gelu", "linear in pieces"),
    ("layer_norm", "roots"),
];

fn numbers(row: &Value) -> Vec<f64> {
    row.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// The labels, each a class further.
fn others(labels: &Labels, outputs: usize) -> Labels {
    match labels {
        Labels::Classes { of, names, numbered, .. } => Labels::Classes {
            of: of.iter().map(|&class| (class + 1) % outputs as u32).collect(),
            count: outputs as u32,
            names: names.clone(),
            numbered: *numbered,
        },
        Labels::Real { .. } => panic!("labels are classes"),
    }
}

/// How a runtime's outputs at a point lie in the bounds: `None` where they do, and what is wrong otherwise.
fn outside(graph: &Graph, point: Vec<f64>, outputs: &[f64]) -> Option<String> {
    let found = Evaluator::new(graph, Runtime::Ieee).outputs(point, 1);
    // Where the outputs were printed as decimals of binary64, they are what they were.
    let off = |k: usize| (found.centre[k] - outputs[k]).abs();
    let bound = |k: usize| found.radius(k) + found.runtime(k);
    let worst = (0..outputs.len()).find(|&k| off(k) > bound(k) || off(k).is_nan());
    worst
        .map(|k| format!("output {k} is {} and not {} ± {}", outputs[k], found.centre[k], bound(k)))
}

#[test]
fn common_modules_are_judged_as_pytorch_does() {
    let Some(python) = python("torch, onnx, onnxruntime, onnxscript") else { return };
    let folder = tempfile::tempdir().unwrap();
    run(&python, folder.path(), "torch_modules.py", &["."]);
    let index: Value =
        serde_json::from_slice(&fs::read(folder.path().join("index.json")).unwrap()).unwrap();
    let index = index.as_array().unwrap();
    assert_eq!(index.len(), 168);
    let mut agree = 0;
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in index {
        let text = |key: &str| entry[key].as_str().unwrap();
        let file = text("file");
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let bytes = fs::read(path(file)).unwrap();
        let graph = match onnx::network_at(&bytes, folder.path()) {
            Ok(graph) => graph,
            Err(error) => {
                let error = error.to_string();
                let expected = REFUSED.iter().find(|(name, _)| *name == text("name"));
                let word = expected.map_or("?", |(_, word)| word);
                assert!(error.contains(word), "{file}: {error}");
                reasons.entry(error).or_default().push(file.to_owned());
                continue;
            }
        };
        let npy = format!("npy:{},{}", path(text("points")), path(text("labels")));
        let raw = sample::load(&npy, 0).unwrap();
        let (_, judged) =
            judge(&graph, &raw.points, &raw.labels, Runtime::Ieee, Effort::default()).unwrap();
        let says = |verdict: Verdict| judged.iter().filter(|one| one.verdict == verdict).count();
        assert_eq!(says(Verdict::Misfit), 0, "{file} is judged otherwise than by PyTorch");
        if says(Verdict::Undecided) > 0 {
            reasons.entry("undecided".to_owned()).or_default().push(file.to_owned());
            continue;
        }
        // With other labels, no point fits.
        let wrong = others(&raw.labels, graph.outputs());
        let (_, judged) =
            judge(&graph, &raw.points, &wrong, Runtime::Ieee, Effort::default()).unwrap();
        assert!(judged.iter().all(|one| one.verdict == Verdict::Misfit), "{file}");
        // Of probabilities the logits are judged.
        if !entry["probabilities"].as_bool().unwrap() {
            for of in ["outputs", "runtime"] {
                for (i, row) in entry[of].as_array().into_iter().flatten().enumerate() {
                    let point = inputs(&raw.points, graph.precision, i..i + 1);
                    let found = outside(&graph, point, &numbers(row));
                    assert_eq!(found, None, "{file}, point {i}, {of}");
                }
            }
        }
        agree += 1;
    }
    for (reason, files) in &reasons {
        println!("{reason}: {}", files.join(" "));
    }
    println!("{agree} of {} files are read and judged as PyTorch does", index.len());
    assert!(agree >= AT_LEAST, "{agree}");
}
