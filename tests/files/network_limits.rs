//! Promise: what a small file asks for is counted in bytes and products before it is done; unasked, exact
//! arithmetic takes little, and bounds stand where it would take more.

use std::fs;

use crate::common::onnx::{field, ints, model, node, tensor, with_outputs};
use crate::common::program::{csv, refused};
use crate::common::verdicts::decided;
use shatter_exact::Format;
use shatter_interchange::{Floats, NamedArray, onnx, tensors};
use shatter_judge::exactly::{ASKED_BYTES, Exactly, UNASKED_BYTES, UNASKED_WORK};
use shatter_judge::{Judged, Verdict};
use shatter_network::exactly::plan::held;
use shatter_network::exactly::{EvaluationPlan, ExactEvaluator, Inexact};
use shatter_network::reading::{How, Reading};
use shatter_sample as sample;

fn single(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// One number becomes a row of `side`, by a pool that pads; `pools` means that do not count padding divide
/// by 1 to `side`, so that each lengthens denominators by their common multiple; the row is repeated `rows`
/// times. Both outputs are equal, at every point.
fn long_numbers(side: u64, pools: usize, rows: u64) -> Vec<u8> {
    let pool = |operator: &str, input: &str, output: &str, before: u64, after: u64| {
        let pads = ints("pads", &[0, before, 0, after]);
        [node(operator, &[input], output), ints("kernel_shape", &[1, side]), pads].concat()
    };
    let mut nodes = vec![pool("MaxPool", "x", "v0", side - 1, side - 1)];
    for k in 0..pools {
        let (from, to) = (format!("v{k}"), format!("v{}", k + 1));
        nodes.push(pool("AveragePool", &from, &to, side / 2, side - 1 - side / 2));
    }
    nodes.push(node("Add", &[&format!("v{pools}"), "r"], "s"));
    nodes.push(node("GlobalAveragePool", &["s"], "a"));
    nodes.push(node("Flatten", &["a"], "f"));
    nodes.push(node("MatMul", &["f", "u"], "y"));
    let repeated = tensor("r", &[1, rows, 1], &single(&vec![0.0; rows as usize]));
    let equal = tensor("u", &[1, 2], &single(&[1.0, 1.0]));
    with_outputs(&nodes, &[repeated, equal], &[1, 1, 1], 2)
}

#[test]
fn long_numbers_are_made_only_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = long_numbers(500, 10, 300);
    assert!(file.len() < 2_500, "{} bytes", file.len());
    let network = onnx::network(&file).unwrap();
    // Ten means over 1 to 500 numbers: 720 bits each, in 150,000 numbers.
    let plan = EvaluationPlan::of(&network).unwrap();
    assert!(plan.bits > 7_000 && plan.point > 150_000 * 7_000 / 8, "{plan:?}");
    assert!(plan.point > UNASKED_BYTES && plan.point < ASKED_BYTES, "{plan:?}");
    fs::write(folder.path().join("long.onnx"), file).unwrap();
    csv(&folder, "x.csv", ["3,0", "5,1"].map(str::to_owned).into_iter());
    let check = ["--network", "long.onnx", "csv:x.csv,header=no"];
    let found = decided(&folder, &check);
    assert_eq!(found["open_in_real_arithmetic"], 2, "{found}");
    let found = decided(&folder, &[check.as_slice(), &["--exact"]].concat());
    assert_eq!(found["open_in_real_arithmetic"], 0, "{found}");
    assert_eq!(found["fits_in_real_arithmetic"], 0, "a tie says nothing: {found}");
}

#[test]
fn what_takes_more_than_may_be_asked_for_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("wide.onnx"), long_numbers(500, 10, 2500)).unwrap();
    fs::write(folder.path().join("long.onnx"), long_numbers(500, 50, 1)).unwrap();
    csv(&folder, "x.csv", ["3,0", "5,1"].map(str::to_owned).into_iter());
    let sample = "csv:x.csv,header=no";
    for (file, words) in [
        ("wide.onnx", ["bytes of memory at once", "the limit is 1073741824"]),
        ("long.onnx", ["would grow too long", "denominators of more than 32768"]),
    ] {
        refused(&folder, &["check", "--network", file, sample, "--exact"], &words);
        let found = decided(&folder, &["--network", file, sample]);
        assert_eq!(found["open_in_real_arithmetic"], 2, "{file}: {found}");
    }
}

/// Numbers of a few bits count as the library holds them, not by their bits.
#[test]
fn short_numbers_count_with_what_holds_them() {
    assert_eq!([held(1), held(127)], [32, 32]);
    // Six words, with room for five more, and the allocator's own.
    assert_eq!(held(384 - 1), 32 + 16 + 8 * (6 + 1 + 4));
    let weights = tensor("w", &[1000, 1], &single(&vec![1.0; 1000]));
    let network = onnx::network(&model(&[node("MatMul", &["x", "w"], "y")], &[weights], &[1000]));
    let network = network.unwrap();
    let plan = EvaluationPlan::of(&network).unwrap();
    assert_eq!(plan.weights, 32_000);
    let most = plan.weights + plan.point;
    assert!(ExactEvaluator::new(&network, most).is_ok());
    let refused = ExactEvaluator::new(&network, most - 1).err();
    assert_eq!(refused, Some(Inexact::TooMuchMemory { bytes: most, most: most - 1 }));
}

#[test]
fn unasked_work_is_bounded_over_all_points() {
    // 2^20 products of a layer, sixteen times.
    let weights = tensor("w", &[1024, 1024], &single(&vec![1.0; 1 << 20]));
    let last = tensor("u", &[1024, 2], &single(&vec![1.0; 2048]));
    let nodes = [node("MatMul", &["x", "w"], "v"), node("MatMul", &["v", "u"], "y")];
    let network = onnx::network(&with_outputs(&nodes, &[weights, last], &[1024], 2)).unwrap();
    let plan = EvaluationPlan::of(&network).unwrap();
    assert!((1 << 20..UNASKED_WORK).contains(&plan.work), "{plan:?}");
    let raw = sample::load("gaussian:n=300,d=1024,classes=2", 0).unwrap();
    let open =
        Judged { verdict: Verdict::Undecided, low: -1.0, high: 1.0, rounding: 1.0, fits: None };
    let said = Reading::new(How::Largest).bind(&raw.labels, 2).unwrap();
    let (_, which) = Exactly::unasked(&network, &raw.points, &said, &[open; 300]).unwrap();
    assert_eq!(which.len() as u64, UNASKED_WORK / plan.work);
    assert!(which.len() < 100);
    // Nothing is open: nothing is done.
    let known = Judged { fits: Some(true), ..open };
    assert!(Exactly::unasked(&network, &raw.points, &said, &[known; 300]).is_none());
}

/// A number, repeated over an image by two sums with constants: 18 KB, and 340 MB of bounds for each of them.
#[test]
fn a_small_file_with_large_values_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let row = |name: &str, sides: &[u64]| tensor(name, sides, &single(&[0.0; 2300]));
    let constants = [
        row("r", &[1, 2300, 1]),
        row("c", &[1, 1, 2300]),
        tensor("u", &[1, 2], &single(&[1.0, 1.0])),
    ];
    let nodes = [
        node("Add", &["x", "r"], "a"),
        node("Add", &["a", "c"], "b"),
        node("Relu", &["b"], "d"),
        node("GlobalAveragePool", &["d"], "e"),
        node("Flatten", &["e"], "f"),
        node("MatMul", &["f", "u"], "y"),
    ];
    let file = with_outputs(&nodes, &constants, &[1, 1, 1], 2);
    fs::write(folder.path().join("large.onnx"), file).unwrap();
    csv(&folder, "x.csv", ["3,0", "5,1"].map(str::to_owned).into_iter());
    let check = ["check", "--network", "large.onnx", "csv:x.csv,header=no"];
    refused(&folder, &check, &["a point would take 677120000 bytes at once", "536870912"]);
}

/// Padding is not walked: 11,000 × 11,000 positions around a point, of which one is there.
#[test]
fn windows_cost_what_lies_inside_the_image() {
    let pads = ints("pads", &[10_999; 4]);
    let sides = [ints("kernel_shape", &[11_000; 2]), ints("strides", &[11_000; 2])].concat();
    let pool = |operator: &str, input: &str, output: &str| {
        [node(operator, &[input], output), sides.clone(), pads.clone()].concat()
    };
    let counted = field(5, &[field(1, b"count_include_pad"), vec![3 << 3, 1]].concat());
    let padded = [pool("AveragePool", "x", "y"), counted];
    let one = |node: Vec<u8>| onnx::network(&model(&[node], &[], &[1, 1, 1])).unwrap();
    let networks =
        [one(pool("MaxPool", "x", "y")), one(pool("AveragePool", "x", "y")), one(padded.concat())];
    for (network, output) in networks.iter().zip([3.0, 3.0, 3.0 / 121e6]) {
        // The pool, and what hands it on.
        assert_eq!(network.products(), 2);
        let exact = ExactEvaluator::new(network, u64::MAX).unwrap();
        assert!(exact.plan.work < 10, "{:?}", exact.plan);
        let found = exact.outputs(&[3.0]);
        assert_eq!(found.iter().map(|x| x.to_f64().value()).collect::<Vec<_>>(), [output]);
    }
}

/// The area of a window is what a mean divides by, and below 2^27 in words, too.
#[test]
fn windows_in_words_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let array = |name: &str, shape: &[usize]| NamedArray {
        name: name.to_owned(),
        shape: shape.to_vec(),
        numbers: Floats::Single(vec![1.0; shape.iter().product()]),
    };
    let arrays = [array("2.weight", &[2, 2]), array("2.bias", &[2])];
    assert_eq!(arrays[0].numbers.precision(), Format::F32);
    fs::write(folder.path().join("w.safetensors"), tensors::file(&arrays, &[])).unwrap();
    let sample = "lattice:n=20,d=2,range=11,classes=2";
    for (size, read) in [(11_000usize, true), (20_000, false), (1 << 40, false)] {
        let layers = format!("meanpool({size},pad={})", size - 1);
        let check = ["--network", "w.safetensors", "--architecture", &layers, sample];
        if read {
            decided(&folder, &check);
        } else {
            let check = [&["check"], check.as_slice()].concat();
            refused(&folder, &check, &["meanpool", "window that is too large"]);
        }
    }
}
