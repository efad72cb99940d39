//! Promise: an operator that is read is what ONNX says it is.
//!
//! Files of a few nodes are drawn at random (`tests/python/onnx_nodes.py`): shapes, windows, paddings, axes, steps,
//! with a batch of any size, of one point, or none. What ONNX Runtime makes of whole numbers is what is found here,
//! exactly where nothing rounds. It needs a Python with numpy, onnx and onnxruntime (PYTHON), without which the test
//! says so and passes.

use std::collections::BTreeMap;
use std::fs;

use crate::common::python::{python, run};
use serde_json::Value;
use shatter_interchange::onnx;
use shatter_judge::Runtime;
use shatter_judge::enclose::Evaluator;
use shatter_network::exactly::{EvaluationPlan, ExactEvaluator};

/// Reasons to refuse a drawn file: where versions of ONNX differ, and what is not read.
const REFUSED: [&str; 7] = [
    "begins in the padding",
    "steps of",
    "dilations of means",
    "weights for",
    "sees nothing of its image",
    "are not all 1",
    "does not fit sides",
];

fn numbers(row: &Value) -> Vec<f64> {
    row.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

#[test]
fn operators_are_those_of_onnx_runtime() {
    let Some(python) = python("numpy, onnx, onnxruntime") else { return };
    let folder = tempfile::tempdir().unwrap();
    run(&python, folder.path(), "onnx_nodes.py", &[".", "1", "400"]);
    let index = fs::read(folder.path().join("index.json")).unwrap();
    let index: Value = serde_json::from_slice(&index).unwrap();
    let mut read: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for entry in index.as_array().unwrap() {
        let text = |key: &str| entry[key].as_str().unwrap();
        let bytes = fs::read(folder.path().join(text("file"))).unwrap();
        let case =
            format!("{} {} {} {}", text("file"), text("operator"), text("batch"), entry["shape"]);
        let count = read.entry(text("operator")).or_default();
        let graph = match onnx::network(&bytes) {
            Ok(graph) => graph,
            Err(error) => {
                let error = error.to_string();
                assert!(REFUSED.iter().any(|word| error.contains(word)), "{case}: {error}");
                count[1] += 1;
                continue;
            }
        };
        count[0] += 1;
        let exact =
            EvaluationPlan::of(&graph).ok().map(|_| ExactEvaluator::new(&graph, u64::MAX).unwrap());
        for (point, outputs) in
            entry["points"].as_array().unwrap().iter().zip(entry["outputs"].as_array().unwrap())
        {
            let (point, outputs) = (numbers(point), numbers(outputs));
            let found = Evaluator::new(&graph, Runtime::Ieee).outputs(point.clone(), 1);
            assert_eq!(found.centre.len(), outputs.len(), "{case}");
            for (k, &expected) in outputs.iter().enumerate() {
                let bound = found.radius(k) + found.runtime(k);
                let off = (found.centre[k] - expected).abs();
                assert!(off <= bound, "{case}: {expected} and not {} ± {bound}", found.centre[k]);
            }
            if let Some(exact) = &exact {
                let found = exact.outputs(&point);
                let near =
                    |(x, y): (&shatter_exact::Rational, &f64)| x.to_f32().value() == *y as f32;
                assert!(found.iter().zip(&outputs).all(near), "{case}: {found:?}");
            }
        }
    }
    println!("{read:?}");
    // Of every kind most are read.
    for (operator, [read, refused]) in &read {
        assert!(read > refused, "{operator}: {read} read, {refused} refused");
    }
}
