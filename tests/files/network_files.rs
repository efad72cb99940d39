//! Promise: a file that is no network that is read here is refused, by what is wrong with it, without a
//! crash or a large allocation.

use std::fs;
use std::process::Command;

use crate::common::cases;
use crate::common::damage::{Damage, Seed, archive, damage, safetensors, seeds};
use crate::common::onnx::{field, integer, model, node, reason, small, tensor, value};
use crate::common::program::{status, stderr};
use proptest::prelude::*;
use shatter_interchange::load::{self, LoadOptions, LoadedNetwork};
use shatter_interchange::onnx;
use shatter_network::Network;
use zip::CompressionMethod;

#[test]
fn a_small_file_is_read() {
    let network = onnx::network(&small()).unwrap();
    assert_eq!((network.input.as_slice(), network.outputs(), network.products()), (&[2][..], 1, 4));
}

#[test]
fn truncated_files_are_refused() {
    let file = small();
    for length in 0..file.len() {
        assert!(onnx::network(&file[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn no_flipped_bit_is_more_than_an_error() {
    let file = small();
    for at in 0..8 * file.len() {
        let mut file = file.clone();
        file[at / 8] ^= 1 << (at % 8);
        let _ = onnx::network(&file); // a name may be another one: it is read, or refused
    }
}

#[test]
fn bytes_that_are_no_protobuf_are_refused() {
    for bytes in
        [&b""[..], b"\x08", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"hello, world"]
    {
        reason(bytes);
    }
    // Groups, nested without end.
    reason(&[0x3b; 100_000]);
    // Messages in messages: what is described by a type, a shape, a dimension is no deeper.
    let deep = (0..5_000).fold(Vec::new(), |inside, _| field(1, &inside));
    let graph = field(11, &deep);
    reason(&[integer(1, 9), field(7, &graph), field(8, &integer(2, 20))].concat());
}

#[test]
fn shapes_that_lie_are_refused() {
    let weights = [0u8; 8];
    let nodes = [node("MatMul", &["x", "w"], "y")];
    for dims in
        [&[2u64, 2][..], &[3, 1], &[u64::MAX, 1], &[1 << 40, 1 << 40], &[2, 1, 1, 1, 1, 1, 1, 1, 1]]
    {
        let found = reason(&model(&nodes, &[tensor("w", dims, &weights)], &[2]));
        assert!(
            found.contains("sides") || found.contains("shape") || found.contains("whole"),
            "{found}"
        );
    }
    // Weights for other points.
    let found = reason(&model(&nodes, &[tensor("w", &[2, 1], &weights)], &[3]));
    assert!(found.contains("points of 3 numbers, weights for 2"), "{found}");
}

#[test]
fn a_tensor_of_a_trillion_numbers_in_forty_bytes_is_refused() {
    let nodes = [node("MatMul", &["x", "w"], "y")];
    let huge = tensor("w", &[1_000_000, 1_000_000], &[]);
    assert!(huge.len() <= 40, "{} bytes", huge.len());
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("huge.onnx"), model(&nodes, &[huge], &[1_000_000])).unwrap();
    let input = model(&nodes, &[], &[1_000_000, 1_000_000]);
    fs::write(folder.path().join("input.onnx"), input).unwrap();
    for (file, word) in [("huge.onnx", "has 0 bytes"), ("input.onnx", "too large")] {
        // Within 512 MiB, all of the program included.
        let command = format!(
            "ulimit -v 524288; RAYON_NUM_THREADS=1 exec '{}' check --network {file} gaussian:n=3,d=2",
            env!("CARGO_BIN_EXE_shatter")
        );
        let output = Command::new("sh").args(["-c", &command]).current_dir(folder.path()).output();
        let output = output.unwrap();
        assert_eq!(status(&output), 2, "{}", stderr(&output));
        assert!(stderr(&output).contains(word), "{}", stderr(&output));
    }
}

#[test]
fn cycles_and_names_that_nothing_makes_are_refused() {
    let nodes =
        [node("Relu", &["b"], "a"), node("Relu", &["a"], "b"), node("Identity", &["b"], "y")];
    assert!(reason(&model(&nodes, &[], &[1])).contains("form a cycle"));
    assert!(reason(&model(&[node("Relu", &["y"], "y")], &[], &[1])).contains("form a cycle"));
    assert!(
        reason(&model(&[node("Relu", &["x"], "z")], &[], &[1]))
            .contains("no node makes its output")
    );
    let twice = [node("Relu", &["x"], "y"), node("Relu", &["x"], "y")];
    assert!(reason(&model(&twice, &[], &[1])).contains("is defined twice"));
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    let found = reason(&model(&[node("Unheard", &["x"], "y")], &[], &[2]));
    assert!(found.contains("is Unheard, which is not read"), "{found}");
    // What is known is refused with the way out.
    for (operator, way) in [
        ("LSTM", "feed-forward"),
        ("If", "feed-forward"),
        ("Sigmoid", "leave it out"),
        ("Tanh", "Hardtanh"),
        ("Gelu", "train the network with ReLU"),
        ("ArgMax", "up to its logits"),
        ("QLinearConv", "in floating point"),
    ] {
        let found = reason(&model(&[node(operator, &["x"], "y")], &[], &[2]));
        assert!(found.contains(&format!("({operator})")) && found.contains(way), "{found}");
    }
    let nodes = [node("MatMul", &["x", "w"], "y")];
    // What is no number.
    let infinite: Vec<u8> = [1.0f32, f32::INFINITY].iter().flat_map(|x| x.to_le_bytes()).collect();
    assert!(reason(&model(&nodes, &[tensor("w", &[2, 1], &infinite)], &[2])).contains("is inf"));
}

#[test]
fn messages_of_two_bytes_do_not_take_hundreds_each() {
    let nodes: Vec<u8> = (0..4_000_000).flat_map(|_| [1 << 3 | 2, 0]).collect();
    assert!(reason(&field(7, &nodes)).contains("more than 65536 nodes"));
    let attributes: Vec<u8> = (0..4_000_000).flat_map(|_| [5 << 3 | 2, 0]).collect();
    assert!(reason(&model(&[attributes], &[], &[1])).contains("has attribute '' twice"));
    let named = (0..33).flat_map(|name| field(5, &field(1, &[b'A' + name])));
    assert!(reason(&model(&[named.collect()], &[], &[1])).contains("more than 32 attributes"));
    let ints: Vec<u8> = field(8, &[0; 4_000_000]);
    assert!(reason(&model(&[field(5, &ints)], &[], &[1])).contains("more than 32 whole numbers"));
    let initializers: Vec<u8> = (0..4_000_000).flat_map(|_| [5 << 3 | 2, 0]).collect();
    assert!(reason(&field(7, &initializers)).contains("more than 65536 initializers"));
}

#[test]
fn constants_that_are_used_again_and_again_are_bounded() {
    let weights = vec![0u8; 4 << 16];
    let matrix = tensor("w", &[256, 256], &weights);
    let nodes: Vec<Vec<u8>> = (0..2000)
        .map(|k| {
            let input = if k == 0 { "x".to_owned() } else { format!("v{k}") };
            let output = if k == 1999 { "y".to_owned() } else { format!("v{}", k + 1) };
            node("MatMul", &[&input, "w"], &output)
        })
        .collect();
    assert!(reason(&model(&nodes, &[matrix], &[256])).contains("used more often"));
}

/// Attributes, sides and inputs by the hundred thousand, in some MB.
#[test]
fn floods_take_no_more_than_a_few_times_their_size() {
    let attributes: Vec<u8> = (b'A'..b'A' + 32)
        .flat_map(|name| field(5, &[field(1, &[name]), integer(3, 0)].concat()))
        .collect();
    let relu = |k: usize, last: usize| {
        let input = if k == 0 { "x".to_owned() } else { format!("v{k}") };
        let output = if k == last { "y".to_owned() } else { format!("v{}", k + 1) };
        [node("Relu", &[&input], &output), attributes.clone()].concat()
    };
    let nodes: Vec<Vec<u8>> = (0..12_000).map(|k| relu(k, 11_999)).collect();
    let initializers: Vec<Vec<u8>> =
        (0..60_000).map(|k| tensor(&format!("w{k}"), &[1, 1, 1, 1, 1, 1, 1, 0], &[])).collect();
    let one = [node("Relu", &["x"], "y")];
    let sides = vec![1; 1000];
    let inputs: Vec<u8> =
        (0..900).flat_map(|k| field(11, &value(&format!("i{k}"), &sides))).collect();
    let graph = [inputs, field(1, &one[0]), field(12, &value("y", &[2]))].concat();
    let inputs = [integer(1, 9), field(7, &graph), field(8, &integer(2, 20))].concat();
    let folder = tempfile::tempdir().unwrap();
    let refused = [
        ("attributes.onnx", model(&nodes, &[], &[2]), ""),
        ("initializers.onnx", model(&one, &initializers, &[2]), ""),
        ("inputs.onnx", inputs, "one input is expected"),
    ];
    for (name, bytes, word) in refused {
        assert!((1_500_000..6_000_000).contains(&bytes.len()), "{name}: {} bytes", bytes.len());
        fs::write(folder.path().join(name), bytes).unwrap();
        let command = format!(
            "ulimit -v {}; MALLOC_ARENA_MAX=1 RAYON_NUM_THREADS=1 exec '{}' check --network {name} gaussian:n=3,d=2,classes=2",
            MEMORY,
            env!("CARGO_BIN_EXE_shatter")
        );
        let output =
            Command::new("sh").args(["-c", &command]).current_dir(folder.path()).output().unwrap();
        if word.is_empty() {
            assert!(status(&output) < 2, "{name}: {}", stderr(&output));
        } else {
            assert!(stderr(&output).contains(word), "{name}: {}", stderr(&output));
        }
    }
}

/// Kibibytes of addresses, the program itself and its stacks included.
const MEMORY: usize = 96 << 10;

#[test]
fn biases_of_other_shapes_are_refused() {
    let weights = tensor("w", &[2, 2], &[0; 16]);
    let gemm = |shape: &[u64]| {
        let numbers: u64 = shape.iter().product();
        let bias = tensor("c", shape, &vec![0; 4 * numbers as usize]);
        onnx::network(&model(
            &[node("Gemm", &["x", "w", "c"], "y")],
            &[weights.clone(), bias],
            &[2],
        ))
    };
    for shape in [&[][..], &[1], &[2], &[1, 1], &[1, 2]] {
        assert!(gemm(shape).is_ok(), "{shape:?}");
    }
    // One a point, whatever the batch; and what is no matrix.
    for shape in [&[2, 1][..], &[2, 2], &[1, 1, 2], &[3], &[1, 3], &[0]] {
        assert!(gemm(shape).is_err(), "{shape:?}");
    }
}

#[test]
fn padding_that_is_said_in_two_ways_is_refused() {
    let weights = tensor("w", &[1, 1, 2, 2], &[0; 16]);
    let convolution = |attributes: &[Vec<u8>]| {
        let attributes: Vec<u8> = attributes.iter().flat_map(|bytes| field(5, bytes)).collect();
        let node = [node("Conv", &["x", "w"], "y"), attributes].concat();
        onnx::network(&model(&[node], std::slice::from_ref(&weights), &[1, 4, 4]))
    };
    let auto = |text: &str| [field(1, b"auto_pad"), field(4, text.as_bytes())].concat();
    let pads = |side: u8| [field(1, b"pads"), field(8, &[side; 4])].concat();
    let sides = |network: Result<shatter_network::Graph, shatter_interchange::InterchangeError>| {
        network.map(|network| network.outputs())
    };
    assert_eq!(sides(convolution(&[auto("VALID")])).unwrap(), 9);
    assert_eq!(sides(convolution(&[auto("VALID"), pads(0)])).unwrap(), 9);
    assert_eq!(sides(convolution(&[auto("NOTSET"), pads(1)])).unwrap(), 25);
    assert_eq!(sides(convolution(&[auto("SAME_UPPER")])).unwrap(), 16);
    for refused in [
        &[auto("VALID"), pads(1)][..],
        &[auto("SAME_UPPER"), pads(1)],
        &[auto("SAME")],
        &[pads(0), pads(1)],
    ] {
        assert!(convolution(refused).is_err());
    }
}

#[test]
fn numbers_of_another_type_than_their_tensor_are_refused() {
    // Two binary32 numbers where one of binary64 is said to be.
    let tensor = [integer(1, 1), integer(1, 1), integer(2, 11), field(8, b"w"), field(4, &[0; 8])];
    let nodes = [node("MatMul", &["x", "w"], "y")];
    let mut file = model(&nodes, &[tensor.concat()], &[1]);
    assert!(onnx::network(&file).is_err());
    // A second version of the operators.
    file = small();
    assert!(onnx::network(&file).is_ok());
    file.extend(field(8, &integer(2, 7)));
    assert!(reason(&file).contains("two versions"));
}

/// Nodes that the output does not need are neither evaluated nor judged.
#[test]
fn what_nothing_reads_is_left_out() {
    let weights = tensor("w", &[2, 1], &[0; 8]);
    let nodes = [
        node("Relu", &["x"], "dead"),
        node("Relu", &["x"], "r"),
        node("MatMul", &["dead", "w"], "deader"),
        node("Add", &["r", "x"], "s"),
        node("MatMul", &["s", "w"], "y"),
    ];
    let network = onnx::network(&model(&nodes, &[weights], &[2])).unwrap();
    assert_eq!((network.steps.len(), network.products()), (4, 2 + 2 + 2 + 1));
    let evaluator = shatter_judge::enclose::Evaluator::new(&network, shatter_judge::Runtime::Ieee);
    assert_eq!(evaluator.outputs(vec![1.0, -1.0], 1).centre, [0.0]);
}

/// An attribute of this kind whose value is 0, which a writer leaves out.
fn zero(name: &str, kind: u64) -> Vec<u8> {
    let kind = [vec![0xa0, 0x01], crate::common::onnx::varint(kind)].concat(); // field 20
    field(5, &[field(1, name.as_bytes()), kind].concat())
}

#[test]
fn a_value_that_is_left_out_is_zero() {
    let with = |operator: &str, inputs: &[&str], attributes: &[u8]| {
        [node(operator, inputs, "y").as_slice(), attributes].concat()
    };
    let weights = tensor("w", &[2, 1], &[0; 8]);
    let gemm = |attributes: &[u8]| {
        let node = with("Gemm", &["x", "w"], attributes);
        onnx::network(&model(&[node], std::slice::from_ref(&weights), &[2]))
    };
    assert!(gemm(&[]).is_ok() && gemm(&zero("transB", 2)).is_ok());
    assert!(gemm(&zero("alpha", 1)).is_ok() && gemm(&zero("beta", 1)).is_ok());
    for attribute in [zero("alpha", 2), zero("transB", 1)] {
        assert!(gemm(&attribute).is_err());
    }
    let one = |attributes: &[u8]| with("Flatten", &["x"], attributes);
    assert!(onnx::network(&model(&[one(&[])], &[], &[2])).is_ok());
    assert!(reason(&model(&[one(&zero("axis", 2))], &[], &[2])).contains("axis = 0 of [batch, 2]"));
    // Its variance is 0, and so is epsilon.
    let tensors: Vec<Vec<u8>> = ["a", "b", "c", "d"].map(|name| tensor(name, &[1], &[0; 4])).into();
    let normalized = |attributes: &[u8]| {
        let node = with("BatchNormalization", &["x", "a", "b", "c", "d"], attributes);
        onnx::network(&model(&[node], &tensors, &[1]))
    };
    assert!(normalized(&[]).is_ok());
    let error = normalized(&zero("epsilon", 1)).unwrap_err().to_string();
    assert!(error.contains("zero without an epsilon"), "{error}");
}

#[test]
fn points_are_not_reshaped_into_others() {
    let reshaped = |sides: [i64; 2]| {
        let raw: Vec<u8> = sides.iter().flat_map(|side| side.to_le_bytes()).collect();
        let sides = [integer(1, 2), integer(2, 7), field(8, b"s"), field(9, &raw)].concat();
        onnx::network(&model(&[node("Reshape", &["x", "s"], "y")], &[sides], &[1]))
    };
    assert!(reshaped([0, -1]).is_ok() && reshaped([-1, 1]).is_ok());
    for sides in [[2, -1], [1, 1], [-1, -1], [-2, 1]] {
        assert!(reshaped(sides).is_err(), "{sides:?}");
    }
}

/// Each sum is added to itself: 2^70 of x, whose roundings are more than can be counted.
#[test]
fn sums_without_end_are_undecided() {
    let name = |k: usize| if k == 0 { "x".to_owned() } else { format!("t{k}") };
    let mut nodes: Vec<Vec<u8>> =
        (0..70).map(|k| node("Add", &[&name(k), &name(k)], &name(k + 1))).collect();
    nodes.push(node("Identity", &["t70"], "y"));
    let network = onnx::network(&model(&nodes, &[], &[1])).unwrap();
    let found = shatter_judge::enclose::Evaluator::new(&network, shatter_judge::Runtime::Ieee)
        .outputs(vec![0.3], 1);
    assert!((found.centre[0] / 2f64.powi(70) - 0.3).abs() < 1e-12);
    assert!(found.runtime(0) > 2f64.powi(40), "{}", found.runtime(0));
}

/// Kibibytes of addresses for a test program that reads small files; the program itself takes most of them.
const SMALL: usize = 192 << 10;

/// Set for the process that reads damaged files, to the file that it is to write them to.
const DAMAGED: &str = "SHATTER_TEST_DAMAGED";

/// Files of arrays, cut, spliced, with other bits, lengths and shapes: each is an error, or a network with no more
/// numbers than the file has bytes. They are read in a process of its own, which has no room for more: what asks
/// for a large allocation ends it.
#[test]
fn damaged_arrays_are_errors_or_small_networks() {
    if std::env::var_os(DAMAGED).is_none() {
        let folder = tempfile::tempdir().unwrap();
        let name = "network_files::damaged_arrays_are_errors_or_small_networks";
        let command =
            format!("ulimit -v {SMALL}; exec \"$0\" --exact {name} --nocapture --test-threads=1");
        let output = Command::new("sh")
            .args(["-c", &command])
            .arg(std::env::current_exe().unwrap())
            .env(DAMAGED, folder.path().join("damaged"))
            .env("MALLOC_ARENA_MAX", "1")
            .env("RAYON_NUM_THREADS", "1")
            .output()
            .unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            panic!("{said}\n{}: the last file that was read", folder.keep().display());
        }
        let line = said.lines().find(|line| line.contains("damaged files were read"));
        println!("{}", line.unwrap_or("nothing was counted"));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let seeds = seeds(&folder);
    let path = std::path::PathBuf::from(std::env::var_os(DAMAGED).unwrap());
    let whole = |seed: &Seed, bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let options = LoadOptions { architecture: seed.words, ..LoadOptions::default() };
        load::load(&path, &options)
    };
    for seed in &seeds {
        let loaded =
            whole(seed, &seed.bytes).unwrap_or_else(|error| panic!("{}: {error}", seed.name));
        assert!(held(&loaded) > 0 && held(&loaded) <= seed.bytes.len() as u64, "{}", seed.name);
    }
    let (read, all) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let strategy = (any::<proptest::sample::Index>(), prop::collection::vec(damage(), 1..4));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        source_file: Some(file!()),
        ..cases(1500)
    });
    runner
        .run(&strategy, |(which, changes)| {
            let seed = which.get(&seeds);
            let change = |bytes: Vec<u8>, change: &Damage| change.of(&bytes, &seeds);
            let bytes = changes.iter().fold(seed.bytes.clone(), change);
            all.set(all.get() + 1);
            let Ok(loaded) = whole(seed, &bytes) else { return Ok(()) };
            read.set(read.get() + 1);
            let numbers = held(&loaded);
            prop_assert!(numbers <= bytes.len() as u64, "{}: {numbers} numbers", seed.name);
            if let Ok(graph) = loaded.graph() {
                prop_assert!(graph.outputs() == loaded.outputs());
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    println!("{} of {} damaged files were read", read.get(), all.get());
    // Both happen.
    assert!(read.get() > all.get() / 50 && read.get() < all.get() * 4 / 5);
}

/// Numbers that a network holds.
fn held(loaded: &load::Loaded) -> u64 {
    match &loaded.body {
        LoadedNetwork::Explicit(explicit) => match &explicit.network {
            Network::TwoLayer(two) => (two.d() + 2 * two.units() + 1) as u64,
            Network::Layered(layered) => {
                layered.layers().flatten().map(|unit| 1 + unit.weights.len() as u64).sum()
            }
        },
        LoadedNetwork::Trained(trained) => {
            trained.arrays.iter().map(|(_, values)| values.len() as u64).sum()
        }
        LoadedNetwork::Graph(_) => unreachable!("no seed is one"),
    }
}

/// NPY, version 1.
fn array(kind: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}}}\n");
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), bytes].concat()
}

/// Files that unpack, nest or announce more than they hold are refused by what is wrong with them, within so many
/// kibibytes of addresses.
fn refused_within(kibibytes: usize, files: &[(&str, Vec<u8>, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes, word) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
        let command = format!(
            "ulimit -v {kibibytes}; MALLOC_ARENA_MAX=1 RAYON_NUM_THREADS=1 exec '{}' show {name}",
            env!("CARGO_BIN_EXE_shatter")
        );
        let output =
            Command::new("sh").args(["-c", &command]).current_dir(folder.path()).output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{name}, {} bytes: {said}", bytes.len());
        assert!(said.starts_with("error: ") && said.contains(word), "{name}: {said}");
        assert!(said.trim_end().lines().count() == 1 && said.len() < 4096, "{name}: {said}");
    }
}

/// Archives that unpack to hundreds of times their size.
#[test]
fn packed_arrays_are_bounded() {
    let deflated = |members: &[(&str, Vec<u8>)]| archive(members, CompressionMethod::Deflated);
    let ones = |count: usize| 1f32.to_le_bytes().repeat(count);
    let million = 1 << 20;
    let vector = |count: usize, bytes: &[u8]| array("<f4", &format!("({count},)"), bytes);
    let zeros = vec![0; 128 << 20];
    let files = [
        // 128 MiB of zeros.
        (
            "zeros.npz",
            deflated(&[("0.weight.npy", vector(32 * million, &zeros))]),
            "unpacks to more than a file of its size may",
        ),
        // Bytes that are no numbers, and as many arrays of them as it takes.
        (
            "whole.npz",
            deflated(&[
                ("a.npy", array("|u1", "(41943040,)", &zeros[..40 << 20])),
                ("b.npy", array("|u1", "(41943040,)", &zeros[..40 << 20])),
            ]),
            "unpacks to more than a file of its size may",
        ),
        // Four million numbers that are not 0, each of which would be a fraction.
        (
            "ones.npz",
            deflated(&[
                ("a.npy", vector(1, &ones(1))),
                ("b.npy", vector(2 * million, &ones(2 * million))),
                ("c.npy", vector(1, &ones(1))),
                ("w.npy", vector(2 * million, &ones(2 * million))),
            ]),
            "unpacks to 4194306 numbers that are not 0",
        ),
        (
            "texts.npz",
            deflated(&[("metadata.json", format!(r#"{{"a":"{}"}}"#, "x".repeat(64 << 20)).into())]),
            "metadata.json unpacks to more than",
        ),
    ];
    for (name, bytes, _) in &files {
        assert!(bytes.len() < 256 << 10, "{name}: {} bytes", bytes.len());
    }
    refused_within(320 << 10, &files);
}

#[test]
fn archives_that_lie_are_refused() {
    let stored = |members: &[(&str, Vec<u8>)]| archive(members, CompressionMethod::Stored);
    let one = 1f32.to_le_bytes();
    let of_shape = |shape: &str| stored(&[("w.npy", array("<f4", shape, &one))]);
    // Two members of one name, which a writer does not write.
    let mut twice =
        stored(&[("v.npy", array("<f4", "(1,)", &one)), ("w.npy", array("<f4", "(1,)", &[0; 4]))]);
    let places: Vec<usize> =
        (0..twice.len() - 5).filter(|&at| twice[at..].starts_with(b"v.npy")).collect();
    assert_eq!(places.len(), 2);
    places.into_iter().for_each(|at| twice[at] = b'w');
    let nan = array("<f8", "(2,)", &[1f64.to_le_bytes(), f64::NAN.to_le_bytes()].concat());
    let nested = format!(r#"{{"a":{}"#, "[".repeat(500_000));
    refused_within(
        MEMORY,
        &[
            ("twice.npz", twice, "two of its members have the same name"),
            (
                "large.npz",
                of_shape("(1152921504606846976, 1152921504606846976)"),
                "any file can hold",
            ),
            ("long.npz", of_shape("(1099511627776,)"), "4398046511104"),
            ("most.npz", of_shape("(99999999999999999999,)"), "a side of the shape"),
            (
                "sides.npz",
                of_shape(&format!("({})", "1,".repeat(30_000))),
                "the shape of its input",
            ),
            ("nan.npz", stored(&[("w.npy", nan)]), "number 1 of array 'w', NaN, is not finite"),
            ("texts.npz", stored(&[("metadata.json", nested.into())]), "metadata.json"),
            ("empty.npz", stored(&[]), "does not say"),
            ("member.npz", stored(&[("w.txt", vec![])]), "is not an array"),
        ],
    );
}

#[test]
fn texts_that_nest_or_lie_are_refused() {
    let deep = "[".repeat(500_000);
    let arrays = |inside: &str| format!(r#"{{"metadata": {{}}, "arrays": {{{inside}}}}}"#);
    let one = |shape: &str, values: &str| {
        arrays(&format!(r#""w": {{"shape": {shape}, "values": {values}}}"#))
    };
    let layer = |weight: &str, bias: &str, activations: &str| {
        format!(
            r#"{{"metadata": {{"activations": "{activations}"}}, "arrays": {{"layer0.weight":
            {{"shape": {weight}, "values": []}}, "layer0.bias": {{"shape": {bias}, "values": []}}}}}}"#
        )
    };
    let long = "7".repeat(1_600_000);
    let flood = format!("[{}1]", "1,".repeat(2_000_000));
    refused_within(
        MEMORY,
        &[
            ("deep.json", format!(r#"{{"arrays":{deep}"#).into(), "line 1"),
            ("name.json", format!(r#"{{"metadata":{{"a":{deep}"#).into(), "line 1"),
            ("shape.json", format!(r#"{{"arrays":{{"w":{{"shape":[{deep}"#).into(), "'w'"),
            ("value.json", format!(r#"{{"arrays":{{"w":{{"values":[{deep}"#).into(), "number 0"),
            ("sides.json", one(&flood, "[]").into(), "at most 8 sides"),
            ("huge.json", one("[4294967296, 4294967296]", "[1]").into(), "1 values are there"),
            ("wide.json", one("[0, 1152921504606846976]", "[1]").into(), "1 values are there"),
            ("negative.json", one("[-1]", "[]").into(), "'w'"),
            ("far.json", one("[1]", "[1e999]").into(), "number 0"),
            ("nan.json", one("[1]", "[NaN]").into(), "number 0"),
            ("infinity.json", one("[1]", "[Infinity]").into(), "number 0"),
            ("text.json", one("[1]", r#"["inf"]"#).into(), "'inf' is not a fraction"),
            ("zero.json", one("[1]", r#"["1/0"]"#).into(), "'1/0' is not a fraction"),
            (
                "long.json",
                one("[1]", &format!(r#"["{long}/{long}"]"#)).into(),
                "products of digits",
            ),
            ("mixed.json", one("[2]", r#"[1, "1"]"#).into(), "mixed"),
            (
                "twice.json",
                arrays(r#""w": {"shape": [0], "values": []}, "w": {"shape": [0], "values": []}"#)
                    .into(),
                "twice",
            ),
            ("both.json", r#"{"arrays": {}, "arrays": {}}"#.into(), "twice"),
            // No units, which read as many numbers as anybody says; and units without a number.
            (
                "inputs.json",
                layer("[0, 1152921504606846976]", "[0]", "[[]]").into(),
                "at most 67108864",
            ),
            (
                "units.json",
                layer("[1152921504606846976, 0]", "[0]", "[[]]").into(),
                "has 0 numbers",
            ),
            ("names.json", layer("[0, 1]", "[0]", &deep).into(), "'activations' cannot be read"),
        ],
    );
}

/// Arrays with the names of an explicit network, of which no network can be made.
#[test]
fn layers_that_do_not_fit_each_other_are_refused() {
    let file = |metadata: &str, arrays: &[(&str, &str, &str)]| {
        let array = |(name, shape, values): &(&str, &str, &str)| {
            format!(r#""{name}": {{"shape": {shape}, "values": {values}}}"#)
        };
        let arrays: Vec<String> = arrays.iter().map(array).collect();
        format!(r#"{{"metadata": {{{metadata}}}, "arrays": {{{}}}}}"#, arrays.join(", "))
            .into_bytes()
    };
    let named = |names: &str| format!(r#""activations": "{}""#, names.replace('"', "\\\""));
    let weight = ("layer0.weight", "[1, 1]", "[2]");
    let bias = ("layer0.bias", "[1]", "[3]");
    let relu = named(r#"[["relu"]]"#);
    let two = named(r#"[["relu"], ["identity"]]"#);
    let next = [("layer1.weight", "[1, 2]", "[1, 1]"), ("layer1.bias", "[1]", "[0]")];
    let direct = |b: &str, w: (&str, &str), c: (&str, &str)| {
        file("", &[("a", "[1]", "[1]"), ("b", "[1]", b), ("w", w.0, w.1), ("c", c.0, c.1)])
    };
    let one = ("[1]", "[1]");
    refused_within(
        MEMORY,
        &[
            ("unsaid.json", file("", &[weight, bias]), "does not say the 'activations'"),
            (
                "swish.json",
                file(&named(r#"[["swish"]]"#), &[weight, bias]),
                "'swish', which is not",
            ),
            ("units.json", file(&two.replace("], [", ", "), &[weight, bias]), "other units than"),
            ("bias.json", file(&relu, &[weight, ("layer0.bias", "[2]", "[1, 1]")]), "for 1 units"),
            ("before.json", file(&two, &[weight, bias, next[0], next[1]]), "the layer before has"),
            (
                "more.json",
                file(&relu, &[weight, bias, ("x", "[1]", "[1]")]),
                "a bias of every layer",
            ),
            ("none.json", file(&relu, &[weight]), "a bias of every layer"),
            ("square.json", direct("[1]", ("[1, 1]", "[1]"), one), "not a vector"),
            ("third.json", direct(r#"["1/3"]"#, one, one), "times a power of two"),
            ("longer.json", direct("[1]", ("[2]", "[1, 1]"), one), "2 numbers for 1 thresholds"),
            ("constants.json", direct("[1]", one, ("[2]", "[1, 1]")), "has 2 numbers, not one"),
        ],
    );
}

#[test]
fn tensors_that_lie_are_refused() {
    let of_header = |header: &str, data: &[u8]| {
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
    };
    let tensor = |name: &str, shape: &str, begin: u64, end: u64| {
        format!(r#""{name}":{{"dtype":"F32","shape":{shape},"data_offsets":[{begin},{end}]}}"#)
    };
    let file = |tensors: &[String]| of_header(&format!("{{{}}}", tensors.join(",")), &[0; 8]);
    let bits = |kind: &str, number: &[u8]| safetensors(&[("w", kind, &[1], number.to_vec())]);
    let mut length = file(&[tensor("w", "[2]", 0, 8)]);
    length[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    let flood = format!(r#"{{"w":{{"shape":[{}0]"#, "0,".repeat(2_000_000));
    refused_within(
        MEMORY,
        &[
            (
                "over.safetensors",
                file(&[tensor("v", "[2]", 0, 8), tensor("w", "[1]", 4, 8)]),
                "'w'",
            ),
            ("gap.safetensors", file(&[tensor("w", "[1]", 4, 8)]), "begins at byte 4; expected 0"),
            (
                "rest.safetensors",
                file(&[tensor("w", "[1]", 0, 4)]),
                "have 4 bytes, and the file has 8",
            ),
            (
                "twice.safetensors",
                file(&[tensor("w", "[2]", 0, 8), tensor("w", "[2]", 0, 8)]),
                "twice",
            ),
            (
                "more.safetensors",
                file(&[tensor("w", "[4294967296]", 0, 17179869184)]),
                "the file has 8",
            ),
            (
                "product.safetensors",
                file(&[tensor("w", "[4294967296,4294967296]", 0, 8)]),
                "unknown size",
            ),
            ("back.safetensors", file(&[tensor("w", "[2]", 8, 0)]), "bytes 8 to 0"),
            ("length.safetensors", length, "18446744073709551615 bytes"),
            ("sides.safetensors", of_header(&flood, &[]), "header is wrong"),
            (
                "deep.safetensors",
                of_header(&format!(r#"{{"w":{}"#, "[".repeat(500_000)), &[]),
                "header is wrong",
            ),
            ("nan.safetensors", bits("F32", &[0, 0, 0xc0, 0x7f]), "number 0 of array 'w', NaN"),
            (
                "inf.safetensors",
                bits("F64", &[0, 0, 0, 0, 0, 0, 0xf0, 0xff]),
                "number 0 of array 'w', -inf",
            ),
        ],
    );
}
