//! Promise: what exporters write is read as what it means, and hostile files of the same kind are refused before
//! anything large is made.

use crate::common::onnx::{
    field, integer, ints, model, node, reason, tensor, value, varint, with_outputs,
};
use shatter_exact::{Format, Rational};
use shatter_interchange::onnx;
use shatter_judge::enclose::Evaluator;
use shatter_judge::verdict::{Verdict, judge};
use shatter_judge::{Effort, Runtime};
use shatter_network::exactly::{EvaluationPlan, ExactEvaluator};
use shatter_network::layered::{Layered, Unit};
use shatter_network::{Activation, Graph, Network};
use shatter_plain as plain;
use shatter_sample::{Labels, Points, Values};

fn single(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// A tensor of whole numbers.
fn whole(name: &str, dims: &[u64], numbers: &[i64]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|&side| integer(1, side)).collect();
    let raw: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
    [dims, integer(2, 7), field(8, name.as_bytes()), field(9, &raw)].concat()
}

/// An attribute of a whole number.
fn int(name: &str, number: u64) -> Vec<u8> {
    field(5, &[field(1, name.as_bytes()), integer(3, number)].concat())
}

/// A file whose input x has these sides, 0 for a batch of any size, and this type.
fn typed(nodes: &[Vec<u8>], tensors: &[Vec<u8>], sides: &[u64], element: u64) -> Vec<u8> {
    let side = |&side: &u64| match side {
        0 => field(1, &field(2, b"batch")),
        side => field(1, &integer(1, side)),
    };
    let shape: Vec<u8> = sides.iter().flat_map(side).collect();
    let tensor = [integer(1, element), field(2, &shape)].concat();
    let input = [field(1, b"x"), field(2, &field(1, &tensor))].concat();
    let mut graph: Vec<u8> = nodes.iter().flat_map(|node| field(1, node)).collect();
    graph.extend(tensors.iter().flat_map(|tensor| field(5, tensor)));
    graph.extend(field(11, &input));
    graph.extend(field(12, &value("y", &[1])));
    [integer(1, 9), field(7, &graph), field(8, &integer(2, 20))].concat()
}

fn outputs(graph: &Graph, point: &[f64]) -> Vec<f64> {
    let found = Evaluator::new(graph, Runtime::Ieee).outputs(point.to_vec(), 1);
    assert!(found.radius.is_empty(), "whole numbers are exact");
    found.centre
}

#[test]
fn nodes_stand_in_any_order_and_only_those_of_the_output_are_read() {
    let weights = tensor("w", &[2, 1], &single(&[1.0, -1.0]));
    let nodes = [
        node("MatMul", &["r", "w"], "y"),
        node("Unheard", &["r"], "nobody_reads"),
        node("Relu", &["n"], "r"),
        node("Neg", &["x"], "n"),
    ];
    let graph = onnx::network(&model(&nodes, &[weights], &[2])).unwrap();
    assert_eq!(outputs(&graph, &[-3.0, 5.0]), [3.0]);
}

#[test]
fn a_cycle_of_any_length_is_refused() {
    for length in [1usize, 2, 50_000] {
        let name = |k: usize| format!("v{}", k % length);
        let mut nodes: Vec<Vec<u8>> =
            (0..length).map(|k| node("Relu", &[&name(k)], &name(k + 1))).collect();
        nodes.push(node("Relu", &["v0"], "y"));
        assert!(reason(&model(&nodes, &[], &[1])).contains("form a cycle"), "{length}");
    }
}

/// The input's first side is a batch, one point, so many points, or a side of the point.
#[test]
fn points_are_what_the_first_side_leaves() {
    let nodes = [node("Reshape", &["x", "s"], "f"), node("MatMul", &["f", "w"], "y")];
    let weights = tensor("w", &[4, 1], &single(&[1.0, 2.0, 4.0, 8.0]));
    for (sides, shape, input) in [
        (&[0, 2, 2][..], [0, -1], &[2, 2][..]),
        (&[1, 2, 2], [1, -1], &[2, 2]),
        (&[1, 2, 2], [-1, 4], &[2, 2]),
        (&[3, 2, 2], [3, -1], &[2, 2]),
        (&[3, 4], [-1, 4], &[4]),
        (&[4], [1, 4], &[4]),
        // As points, they do not become rows of four; as sides of a point, they do.
        (&[2, 2], [1, -1], &[2, 2]),
    ] {
        let tensors = [whole("s", &[2], &shape), weights.clone()];
        let graph = onnx::network(&typed(&nodes, &tensors, sides, 1)).unwrap();
        assert_eq!(graph.input, input, "{sides:?}");
        assert_eq!(outputs(&graph, &[1.0, 1.0, 1.0, 1.0]), [15.0]);
    }
    // Points of a batch are never put into one row.
    for shape in [[1, -1], [-1, 8], [4, -1]] {
        let tensors = [whole("s", &[2], &shape), weights.clone()];
        let found = reason(&typed(&nodes, &tensors, &[0, 2, 2], 1));
        assert!(found.contains("for a batch of any number of points"), "{found}");
    }
}

/// x.view(x.size(0), -1), as exporters with a dynamic batch write it.
#[test]
fn the_arithmetic_of_views_is_done() {
    let nodes = [
        node("Shape", &["x"], "sides"),
        node("Gather", &["sides", "zero"], "batch"),
        node("Unsqueeze", &["batch", "axis"], "row"),
        node("Concat", &["row", "rest"], "s"),
        node("Reshape", &["x", "s"], "f"),
        node("MatMul", &["f", "w"], "y"),
    ];
    let mut nodes = nodes.map(|node| node);
    nodes[3].extend(int("axis", 0));
    let tensors = [
        whole("zero", &[], &[0]),
        whole("axis", &[1], &[0]),
        whole("rest", &[1], &[-1]),
        tensor("w", &[4, 1], &single(&[1.0, 2.0, 4.0, 8.0])),
    ];
    let graph = onnx::network(&typed(&nodes, &tensors, &[0, 2, 2], 1)).unwrap();
    assert_eq!(outputs(&graph, &[1.0, 0.0, 1.0, 0.0]), [5.0]);
    // Half of a point a row.
    let mut doubled = nodes.clone();
    doubled[3] = [node("Concat", &["twice", "rest"], "s"), int("axis", 0)].concat();
    let times = node("Mul", &["row", "factor"], "twice");
    let tensors = [&tensors[..], &[whole("factor", &[1], &[2])]].concat();
    let found = reason(&typed(&[&doubled[..], &[times]].concat(), &tensors, &[0, 2, 2], 1));
    assert!(found.contains("[2 batch + 0, -1]"), "{found}");
}

#[test]
fn lists_of_constants_take_no_more_than_they_have() {
    // A shape of a million sides, a constant of a million numbers, and whole numbers that double.
    let huge = [node("ConstantOfShape", &["n"], "c"), node("Reshape", &["x", "c"], "y")];
    let found = reason(&model(&huge, &[whole("n", &[1], &[1 << 40])], &[1]));
    assert!(found.contains("whole numbers") || found.contains("its shape"), "{found}");
    let wide = whole("n", &[2000], &[1; 2000]);
    let found = reason(&model(&[node("Reshape", &["x", "n"], "y")], &[wide], &[1]));
    assert!(found.contains("2000 whole numbers"), "{found}");
    let mut nodes = vec![node("Shape", &["x"], "s0")];
    nodes.extend((0..40).map(|k| {
        let (from, to) = (format!("s{k}"), format!("s{}", k + 1));
        [node("Concat", &[&from, &from], &to), int("axis", 0)].concat()
    }));
    nodes.push(node("Reshape", &["x", "s40"], "y"));
    let found = reason(&model(&nodes, &[], &[1]));
    assert!(found.contains("more whole numbers"), "{found}");
}

#[test]
fn windows_that_lie_are_refused_before_they_are_made() {
    let weights = tensor("w", &[1, 1, 2, 2], &single(&[1.0; 4]));
    let with = |attributes: &[Vec<u8>]| {
        let node = [node("Conv", &["x", "w"], "y"), attributes.concat()].concat();
        onnx::network(&model(&[node], std::slice::from_ref(&weights), &[1, 9, 9])).map(|_| ())
    };
    assert!(with(&[ints("dilations", &[8, 8])]).is_ok());
    for attributes in [
        &[ints("dilations", &[9, 1])][..],
        &[ints("dilations", &[1 << 31, 1 << 31])],
        &[ints("dilations", &[u64::MAX, 1])],
        &[ints("dilations", &[0, 1])],
        &[ints("dilations", &[1])],
        &[ints("strides", &[0, 1])],
        &[int("group", 0)],
        &[int("group", 2)],
        &[int("group", u64::MAX)],
        // Padding makes room for a huge window: ten thousand zeros by ten thousand.
        &[ints("dilations", &[10_000, 10_000]), ints("pads", &[5_000; 4])],
        &[ints("dilations", &[1 << 20, 1 << 20]), ints("pads", &[1 << 20; 4])],
    ] {
        assert!(with(attributes).is_err(), "{attributes:?}");
    }
    // Groups by the thousand: weights as the file has them, at most 64 convolutions.
    let channels = 4096u64;
    let depthwise = tensor("w", &[channels, 1, 1, 1], &single(&vec![2.0; channels as usize]));
    let node = [node("Conv", &["x", "w"], "y"), int("group", channels)].concat();
    let graph = onnx::network(&model(&[node], &[depthwise], &[channels, 1, 1])).unwrap();
    assert!(graph.steps.len() < 140, "{} steps", graph.steps.len());
    let point: Vec<f64> = (0..channels).map(|k| k as f64).collect();
    let doubled: Vec<f64> = point.iter().map(|x| 2.0 * x).collect();
    assert_eq!(outputs(&graph, &point), doubled);
}

#[test]
fn values_that_grow_without_numbers_in_the_file_are_bounded() {
    let refused = |nodes: &[Vec<u8>], tensors: &[Vec<u8>]| {
        let found = reason(&model(nodes, tensors, &[1, 1]));
        assert!(found.contains("allowed") || found.contains("too large"), "{found}");
    };
    refused(&[node("Pad", &["x", "p"], "y")], &[whole("p", &[6], &[0, 0, 0, 0, 1 << 20, 1 << 20])]);
    refused(&[node("Expand", &["x", "s"], "y")], &[whole("s", &[3], &[1, 1 << 20, 1 << 20])]);
    let times = whole("g", &[1000], &[0; 1000]);
    let gather = |from: &str, to: &str, axis: u64| {
        [node("Gather", &[from, "g"], to), int("axis", axis)].concat()
    };
    let nodes = [gather("x", "a", 1), gather("a", "b", 2), node("Add", &["b", "b"], "y")];
    assert!(onnx::network(&model(&nodes, std::slice::from_ref(&times), &[1, 1])).is_ok());
    let nodes: Vec<Vec<u8>> = (0..40)
        .map(|k| {
            let (from, to) =
                (format!("v{k}"), if k == 39 { "y".into() } else { format!("v{}", k + 1) });
            node("Add", &[if k == 0 { "b" } else { &from }, "b"], &to)
        })
        .collect();
    refused(&[&[gather("x", "a", 1), gather("a", "b", 2)], &nodes[..]].concat(), &[times]);
}

/// Numbers of 16 bits: in raw bytes, and as whole numbers of 32 bits.
#[test]
fn halves_are_read_as_their_numbers() {
    // 1, −2, 0.5.
    let bits: [u64; 3] = [0x3c00, 0xc000, 0x3800];
    let dims = [integer(1, 3), integer(1, 1), integer(2, 10), field(8, b"w")].concat();
    let raw: Vec<u8> = bits.iter().flat_map(|&x| (x as u16).to_le_bytes()).collect();
    let packed: Vec<u8> = bits.iter().flat_map(|&x| varint(x)).collect();
    for numbers in [field(9, &raw), field(5, &packed)] {
        let weights = [dims.clone(), numbers].concat();
        let nodes = [node("MatMul", &["x", "w"], "y")];
        let graph =
            onnx::network(&typed(&nodes, std::slice::from_ref(&weights), &[0, 3], 10)).unwrap();
        assert_eq!(graph.precision, Format::F16);
        assert_eq!(outputs(&graph, &[1.0, 1.0, 2.0]), [0.0]);
        // The same weights in a network of binary32.
        let nodes =
            [[node("Cast", &["w"], "v"), int("to", 1)].concat(), node("MatMul", &["x", "v"], "y")];
        let graph =
            onnx::network(&typed(&nodes, std::slice::from_ref(&weights), &[0, 3], 1)).unwrap();
        assert_eq!(graph.precision, Format::F32);
        assert_eq!(outputs(&graph, &[1.0, 1.0, 2.0]), [0.0]);
        // Not without a word.
        let nodes = [node("MatMul", &["x", "w"], "y")];
        let found = onnx::network(&typed(&nodes, &[weights], &[0, 3], 1)).unwrap_err().to_string();
        assert!(found.contains("is of float16; float is expected"), "{found}");
    }
}

/// A softmax is left out at the end, where the largest output says the class, and nowhere else.
#[test]
fn a_last_softmax_is_read_by_its_order() {
    let weights = tensor("w", &[2, 2], &single(&[1.0, 0.0, 0.0, 1.0]));
    let nodes = [node("MatMul", &["x", "w"], "t"), node("Softmax", &["t"], "y")];
    let graph =
        onnx::network(&with_outputs(&nodes, std::slice::from_ref(&weights), &[2], 2)).unwrap();
    assert!(graph.is_ordered());
    let points = Points::new(Values::F32(vec![1.0, 0.0, 0.0, 1.0]), vec![2]).unwrap();
    let labels = Labels::Real { values: vec![1.0, 0.0, 0.0, 1.0], outputs: 2 };
    let error =
        judge(&graph, &points, &labels, Runtime::Ieee, Effort::default()).unwrap_err().to_string();
    assert!(error.contains("ends in a softmax"), "{error}");
    let raw = shatter_sample::load("gaussian:n=30,d=2,classes=2", 0).unwrap();
    let (_, judged) =
        judge(&graph, &raw.points, &raw.labels, Runtime::Ieee, Effort::default()).unwrap();
    assert!(judged.iter().all(|one| one.verdict != Verdict::Exact));
    assert!(judged.iter().any(|one| one.verdict == Verdict::Margin));
    let nodes = [
        node("MatMul", &["x", "w"], "t"),
        node("Softmax", &["t"], "p"),
        node("MatMul", &["p", "w"], "y"),
    ];
    let found = reason(&with_outputs(&nodes, &[weights], &[2], 2));
    assert!(found.contains("up to its logits"), "{found}");
}

/// Probabilities that are nearly equal are one number to a runtime, whatever their logits.
#[test]
fn logits_too_near_for_a_softmax_decide_nothing() {
    let weights = tensor("w", &[1, 2], &single(&[0.0, 2f32.powi(-30)]));
    for operator in ["Softmax", "LogSoftmax"] {
        let nodes = [node("MatMul", &["x", "w"], "t"), node(operator, &["t"], "y")];
        let bytes = with_outputs(&nodes, std::slice::from_ref(&weights), &[1], 2);
        let graph = onnx::network(&bytes).unwrap();
        let numbers = vec![1.0, 2.0, 2f32.powi(24), 2f32.powi(30)];
        let points = Points::new(Values::F32(numbers.clone()), vec![1]).unwrap();
        let of = vec![1; 4];
        let labels = Labels::Classes { of, count: 2, names: Vec::new(), numbered: true };
        let (_, judged) =
            judge(&graph, &points, &labels, Runtime::Ieee, Effort::default()).unwrap();
        let verdicts: Vec<Verdict> = judged.iter().map(|one| one.verdict).collect();
        let (open, margin) = (Verdict::Undecided, Verdict::Margin);
        assert_eq!(verdicts, [open, open, margin, margin], "{operator}");
        // They are in the right order all the same, in real arithmetic.
        assert!(judged.iter().all(|one| one.fits == Some(true)));
        // As binary32 computes them, the first are equal.
        let outputs = plain::outputs(&graph, &numbers, 4);
        assert_eq!(outputs[0], outputs[1], "{operator}: {outputs:?}");
        let sum: f32 = match operator {
            "Softmax" => outputs[6] + outputs[7],
            _ => outputs[6].exp() + outputs[7].exp(),
        };
        assert!((sum - 1.0).abs() < 1e-6 && outputs[6] < outputs[7], "{operator}: {outputs:?}");
    }
}

/// The larger and the smaller of two values are one of them, and what is off at the other does not matter.
#[test]
fn extremes_of_two_values_are_one_of_them() {
    // The product is rounded at every point, and x is not.
    let (points, factor) = ([3.0f32, 5.0, -3.0], 123_456_789.0f32);
    let constant = tensor("c", &[1], &single(&[factor]));
    for (operator, takes_product) in [("Min", [false, false, true]), ("Max", [true, true, false])] {
        let nodes = [node("Mul", &["x", "c"], "t"), node(operator, &["x", "t"], "y")];
        let bytes = with_outputs(&nodes, std::slice::from_ref(&constant), &[1], 1);
        let graph = onnx::network(&bytes).unwrap();
        let found =
            Evaluator::new(&graph, Runtime::Ieee).outputs(points.map(f64::from).to_vec(), 3);
        let made = plain::outputs(&graph, &points, 3);
        for (i, &x) in points.iter().enumerate() {
            let wanted = if takes_product[i] { x * factor } else { x };
            assert_eq!(made[i], wanted, "{operator}");
            let bound = found.runtime.get(i).copied().unwrap_or(0.0);
            assert_eq!(bound > 1e-5, takes_product[i], "{operator} {x}: {bound}");
        }
    }
}

/// A bound below the normal range may be taken for 0.
#[test]
fn clips_below_the_normal_range_decide_nothing() {
    for (low, verdict) in [(1e-40f32, Verdict::Undecided), (1e-30, Verdict::Margin)] {
        let bound = tensor("low", &[], &single(&[low]));
        // y = [relu(x), max(x, low)] at 0.
        let nodes = [
            node("Max", &["x", "low"], "b"),
            node("Relu", &["x"], "a"),
            [node("Concat", &["a", "b"], "y"), int("axis", 1)].concat(),
        ];
        let bytes = with_outputs(&nodes, &[bound], &[1], 2);
        let graph = onnx::network(&bytes).unwrap();
        let points = Points::new(Values::F32(vec![0.0]), vec![1]).unwrap();
        let labels = Labels::Classes { of: vec![1], count: 2, names: Vec::new(), numbered: true };
        let (_, judged) =
            judge(&graph, &points, &labels, Runtime::Ieee, Effort::default()).unwrap();
        assert_eq!(judged[0].verdict, verdict, "{low}: {:?}", judged[0]);
    }
}

/// Outputs that nobody reads, and a training mode that is off.
#[test]
fn dropout_outside_training_is_nothing() {
    let two = |operator: &str, inputs: &[&str]| {
        [node(operator, inputs, "t").as_slice(), &field(2, b"mask")].concat()
    };
    let off = [integer(2, 9), field(8, b"off"), field(9, &[0])].concat();
    let on = [integer(2, 9), field(8, b"off"), field(9, &[1])].concat();
    let ratio = tensor("ratio", &[], &single(&[0.5]));
    let nodes = [two("Dropout", &["x", "ratio", "off"]), node("Relu", &["t"], "y")];
    assert!(onnx::network(&model(&nodes, &[ratio.clone(), off.clone()], &[1])).is_ok());
    assert!(reason(&model(&nodes, &[ratio.clone(), on], &[1])).contains("model.eval()"));
    let nodes = [two("Dropout", &["x", "ratio", "off"]), node("Relu", &["mask"], "y")];
    assert!(reason(&model(&nodes, &[ratio, off], &[1])).contains("is not read"));
}

/// A layer of every activation, written and read back: the same function, and of the activations themselves.
#[test]
fn activations_that_are_several_nodes_are_read_back() {
    let whole = |x: i64| Rational::from(x);
    let half = Rational::from_parts(1.into(), 2u8.into());
    let units = |inputs: usize, activation: Activation, shift: i64| {
        let weights = (0..inputs).map(|k| (k, whole(k as i64 * 3 - 2 + shift)));
        Unit::new(activation, weights, whole(shift) * &half)
    };
    let all = Activation::ALL.into_iter();
    let of_one = |activation: Activation| Layered {
        inputs: 2,
        hidden: vec![(0..3).map(|k| units(2, activation, k - 1)).collect()],
        output: vec![units(3, Activation::Identity, 1)],
    };
    let mixed = Layered {
        inputs: 2,
        hidden: vec![
            all.clone().map(|activation| units(2, activation, 1)).collect(),
            all.clone().map(|activation| units(7, activation, 0)).collect(),
        ],
        output: vec![units(7, Activation::Identity, 1), units(7, Activation::Threshold, 2)],
    };
    for layered in all.map(of_one).chain([mixed]) {
        let network = Network::Layered(layered.clone());
        let (file, _) =
            onnx::construction(&network, Format::F64, false, "activations", &[]).unwrap();
        let graph = onnx::network(&file).unwrap();
        let exact =
            EvaluationPlan::of(&graph).ok().map(|_| ExactEvaluator::new(&graph, u64::MAX).unwrap());
        for point in [[0.0, 0.0], [1.0, -2.0], [0.5, 0.25], [-3.0, 2.0], [2.0, 1.0]] {
            let at = point.map(|x: f64| whole((4.0 * x) as i64) / whole(4));
            let expected = layered.evaluate(&at);
            let found = Evaluator::new(&graph, Runtime::Ieee).outputs(point.to_vec(), 1);
            for (k, expected) in expected.iter().enumerate() {
                let off = (found.centre[k] - expected.to_f64().value()).abs();
                // What the fraction is off by as binary64, and the bound.
                let spare = expected.to_f64().value().abs() * f64::EPSILON;
                assert!(off <= found.radius(k) + spare, "{layered:?} at {point:?}: {off}");
            }
            if let Some(exact) = &exact {
                assert_eq!(exact.outputs(&point), expected);
            }
        }
    }
}
