//! Promise: of a network from elsewhere, every point is decided in real arithmetic or not at all; claims
//! are confirmed by PyTorch and by 200-bit arithmetic; and a file that is no network is refused.

mod common;

use std::fs;
use std::process::Command;

use common::program::{refused, shatter, status, stderr, stdout};
use common::python::{python, run};
use shatter::interchange::onnx;
use tempfile::TempDir;

/// `check --network`, as JSON.
fn decided(folder: &TempDir, arguments: &[&str]) -> serde_json::Value {
    let output = shatter(folder, &[&["check", "--json"], arguments].concat());
    assert!(status(&output) < 2, "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

/// The verdicts of a certificate.
fn verdicts(folder: &TempDir, file: &str) -> Vec<String> {
    let text = fs::read_to_string(folder.path().join(file)).unwrap();
    let lines = text.lines().skip_while(|line| !line.starts_with("verdicts ")).skip(1);
    let words =
        lines.filter(|line| !line.starts_with("digest ")).map(|line| line.split(' ').next());
    words.map(|word| word.unwrap().to_owned()).collect()
}

/// Wherever something was decided, PyTorch found the same.
fn agrees_with_pytorch(folder: &TempDir, certificate: &str) {
    let fits: Vec<u8> =
        serde_json::from_slice(&fs::read(folder.path().join("fits.json")).unwrap()).unwrap();
    let found = verdicts(folder, certificate);
    assert_eq!(found.len(), fits.len());
    let mut decided = [0, 0];
    for (i, (verdict, fits)) in found.iter().zip(fits).enumerate() {
        match verdict.as_str() {
            "margin" | "exact" => assert_eq!(fits, 1, "point {i}"),
            "misfit" => assert_eq!(fits, 0, "point {i}"),
            _ => continue,
        }
        decided[usize::from(fits)] += 1;
    }
    println!("{decided:?} of {} points decided", found.len());
    assert!(decided.iter().all(|&count| count > 0), "some fit, some do not");
}

const PYTORCH: &str = "torch, onnx, onnxscript, numpy, safetensors.torch, mpmath";

#[test]
fn a_network_that_pytorch_trained_is_certified() {
    let Some(python) = python(PYTORCH) else { return };
    let folder = tempfile::tempdir().unwrap();
    run(&python, folder.path(), "pytorch_network.py", &["mlp", "."]);
    let sample = "npy:x.npy,y.npy";
    let exact = ["--network", "network.onnx", sample, "--exact", "--out", "exact"];
    let found = decided(&folder, &exact);
    assert_eq!(found["open_in_real_arithmetic"], 0, "exact arithmetic decides everything: {found}");
    assert!(found["least_margin_beyond_rounding"].as_f64().unwrap() > 0.0);
    agrees_with_pytorch(&folder, "exact/certificate.txt");
    // The same weights with their layers in words.
    let layers = ["--architecture", "dense(48) relu dense(24) relu", sample, "--out", "words"];
    decided(&folder, &[&["--network", "network.safetensors"], layers.as_slice()].concat());
    agrees_with_pytorch(&folder, "words/certificate.txt");
    assert_eq!(
        verdicts(&folder, "exact/certificate.txt"),
        verdicts(&folder, "words/certificate.txt")
    );
    for certificate in ["exact/certificate.txt", "words/certificate.txt"] {
        let files = ["network.safetensors", "x.npy", "y.npy", certificate];
        let output = run(&python, folder.path(), "margins.py", &files);
        println!("{certificate}: {}", String::from_utf8_lossy(&output.stdout).trim());
    }
    // Its certificate is accepted, and any other claim is not.
    let check = ["--network", "network.onnx", "exact/certificate.txt", sample];
    assert_eq!(decided(&folder, &check)["accepted"], true);
    let text = fs::read_to_string(folder.path().join("exact/certificate.txt")).unwrap();
    let line = text.lines().find(|line| line.starts_with("margin ")).unwrap();
    let rounding = line.split(' ').nth(2).unwrap();
    for (from, to) in [
        (line.to_owned(), format!("margin 1p40 {rounding}")),
        (line.to_owned(), "exact 0".to_owned()),
        (line.to_owned(), "misfit -1p40 0".to_owned()),
        ("precision f32".to_owned(), "precision f64".to_owned()),
    ] {
        let forged = redigested(&text.replacen(&from, &to, 1));
        fs::write(folder.path().join("forged.txt"), forged).unwrap();
        let check = ["--network", "network.onnx", "forged.txt", sample];
        assert_eq!(decided(&folder, &check)["accepted"], false, "{to}");
    }
    fs::write(folder.path().join("forged.txt"), text.replacen("margin", "margim", 1)).unwrap();
    let found = decided(&folder, &["--network", "network.onnx", "forged.txt", sample]);
    assert!(found["reason"].as_str().unwrap().contains("digest"));
}

/// The text with a digest that matches it.
fn redigested(text: &str) -> String {
    let body = &text[..text.rfind("digest ").unwrap()];
    format!("{body}digest {}\n", shatter::interchange::certificate::digest(body.as_bytes()))
}

#[test]
fn a_convolutional_network_that_pytorch_trained_is_certified() {
    let Some(python) = python(PYTORCH) else { return };
    let folder = tempfile::tempdir().unwrap();
    run(&python, folder.path(), "pytorch_network.py", &["convolution", "."]);
    let sample = "npy:x.npy,y.npy";
    // torch.onnx folds batch normalization into the weights: all is rational there.
    let found = decided(&folder, &["--network", "network.onnx", sample, "--out", "onnx"]);
    assert_eq!(found["open_in_real_arithmetic"], 0, "{found}");
    agrees_with_pytorch(&folder, "onnx/certificate.txt");
    let layers = "conv(6,3,pad=1) batchnorm relu maxpool(3,stride=2,pad=1) conv(8,3,pad=1) batchnorm relu \
                  globalmeanpool";
    let words =
        ["--network", "network.safetensors", "--architecture", layers, sample, "--out", "words"];
    decided(&folder, &words);
    agrees_with_pytorch(&folder, "words/certificate.txt");
    let words = [&["check"], words.as_slice(), &["--exact"]].concat();
    refused(&folder, &words, &["square roots"]);
}

#[test]
fn exported_constructions_are_found_exact_and_rounding_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let sample = "lattice:n=300,d=3,range=2001";
    for construction in ["depth-two-zigzag", "depth-3", "width-two"] {
        let fit =
            ["fit", sample, "--labels", "random", "--construction", construction, "--out", "out"];
        assert_eq!(status(&shatter(&folder, &fit)), 0);
        let export = ["export", "out/certificate.txt", "--to", "onnx", "--out", "out"];
        assert_eq!(status(&shatter(&folder, &export)), 0);
        let check = ["--network", "out/network.onnx", sample, "--labels", "random"];
        let found = decided(&folder, &check);
        assert_eq!(found["verdicts"]["exact"], 300, "{construction}: {found}");
        assert_eq!(found["largest_rounding_bound"], 0.0, "{construction}: {found}");
        // Other labels are not fitted, and no margin is claimed for them.
        let other = ["--network", "out/network.onnx", sample, "--labels", "alternating"];
        let found = decided(&folder, &other);
        assert_eq!(found["verdicts"]["undecided"], 0);
        assert!(found["verdicts"]["misfit"].as_u64().unwrap() > 100);
    }
}

/// A field of bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    field.extend(varint(bytes.len() as u64));
    field.extend(bytes);
    field
}

/// A field of a whole number.
fn integer(number: u8, value: u64) -> Vec<u8> {
    [&[number << 3], varint(value).as_slice()].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 128 {
        bytes.push(value as u8 | 128);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A tensor of binary32 numbers.
fn tensor(name: &str, dims: &[u64], raw: &[u8]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|&side| integer(1, side)).collect();
    [dims, integer(2, 1), field(8, name.as_bytes()), field(9, raw)].concat()
}

fn node(operator: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|name| field(1, name.as_bytes())).collect();
    [inputs, field(2, output.as_bytes()), field(4, operator.as_bytes())].concat()
}

/// A value of shape batch × sides.
fn value(name: &str, sides: &[u64]) -> Vec<u8> {
    let batch = field(1, &field(2, b"batch"));
    let sides = sides.iter().flat_map(|&side| field(1, &integer(1, side)));
    let shape: Vec<u8> = batch.into_iter().chain(sides).collect();
    let tensor = [integer(1, 1), field(2, &shape)].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

/// A file: nodes, initializers, an input x of d numbers and an output y.
fn model(nodes: &[Vec<u8>], initializers: &[Vec<u8>], d: &[u64]) -> Vec<u8> {
    let mut graph: Vec<u8> = nodes.iter().flat_map(|node| field(1, node)).collect();
    graph.extend(initializers.iter().flat_map(|tensor| field(5, tensor)));
    graph.extend(field(11, &value("x", d)));
    graph.extend(field(12, &value("y", &[1])));
    [integer(1, 9), field(7, &graph), field(8, &integer(2, 20))].concat()
}

/// y = ReLU(x W), W of 2 × 1.
fn small() -> Vec<u8> {
    let weights: Vec<u8> = [1.5f32, -2.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    let nodes = [node("MatMul", &["x", "w"], "t"), node("Relu", &["t"], "y")];
    model(&nodes, &[tensor("w", &[2, 1], &weights)], &[2])
}

fn reason(bytes: &[u8]) -> String {
    onnx::network(bytes).expect_err("no network").to_string()
}

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
        let output = Command::new("sh")
            .args(["-c", &command])
            .env("SHATTER_TRIAL", "network")
            .current_dir(folder.path())
            .output();
        let output = output.unwrap();
        assert_eq!(status(&output), 2, "{}", stderr(&output));
        assert!(stderr(&output).contains(word), "{}", stderr(&output));
    }
}

#[test]
fn cycles_and_names_that_nothing_makes_are_refused() {
    let nodes =
        [node("Relu", &["b"], "a"), node("Relu", &["a"], "b"), node("Identity", &["b"], "y")];
    assert!(reason(&model(&nodes, &[], &[1])).contains("in a cycle"));
    assert!(reason(&model(&[node("Relu", &["y"], "y")], &[], &[1])).contains("in a cycle"));
    assert!(
        reason(&model(&[node("Relu", &["x"], "z")], &[], &[1]))
            .contains("nothing makes its output")
    );
    let twice = [node("Relu", &["x"], "y"), node("Relu", &["x"], "y")];
    assert!(reason(&model(&twice, &[], &[1])).contains("stands for something already"));
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    for operator in ["Softmax", "LSTM", "If", "Loop", "Sigmoid"] {
        let found = reason(&model(&[node(operator, &["x"], "y")], &[], &[2]));
        assert!(found.contains(&format!("is {operator}, which is not read")), "{found}");
    }
    // Numbers in another file.
    let mut outside = tensor("w", &[2, 1], &[]);
    outside.extend(field(13, &[field(1, b"location"), field(2, b"/etc/passwd")].concat()));
    outside.extend(integer(14, 1));
    let nodes = [node("MatMul", &["x", "w"], "y")];
    assert!(reason(&model(&nodes, &[outside], &[2])).contains("another file"));
    // What is no number.
    let infinite: Vec<u8> = [1.0f32, f32::INFINITY].iter().flat_map(|x| x.to_le_bytes()).collect();
    assert!(reason(&model(&nodes, &[tensor("w", &[2, 1], &infinite)], &[2])).contains("is inf"));
}

#[test]
fn messages_of_two_bytes_do_not_take_hundreds_each() {
    let nodes: Vec<u8> = (0..4_000_000).flat_map(|_| [1 << 3 | 2, 0]).collect();
    assert!(reason(&field(7, &nodes)).contains("more than 65536 nodes"));
    let attributes: Vec<u8> = (0..4_000_000).flat_map(|_| [5 << 3 | 2, 0]).collect();
    assert!(reason(&field(7, &field(1, &attributes))).contains("more than 32 attributes"));
    let ints: Vec<u8> = field(8, &[0; 4_000_000]);
    let node = field(1, &field(5, &ints));
    assert!(reason(&field(7, &node)).contains("more than 32 whole numbers"));
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

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.onnx"), small()).unwrap();
    let sample = "gaussian:n=3,d=3,classes=1";
    refused(&folder, &["check", "--network", "small.onnx", sample], &["takes 2 numbers", "have 3"]);
    let sample = "gaussian:n=3,d=2,classes=3";
    common::program::csv(
        &folder,
        "large.csv",
        ["1,1e300,0", "2,1,1"].map(str::to_owned).into_iter(),
    );
    let large = "csv:large.csv,header=no";
    refused(&folder, &["check", "--network", "small.onnx", large], &["point 0", "beyond f32"]);
    refused(&folder, &["check", "certificate.txt"], &["CERTIFICATE SAMPLE"]);
    refused(&folder, &["check", "--network", "small.txt", sample], &["small.txt"]);
    let output = shatter(&folder, &["check", "--network", "small.onnx", "--integers", sample]);
    assert_eq!(status(&output), 2);
}

/// Whoever does not ask for what is on trial is told why.
#[test]
fn it_is_on_trial() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(common::binary::program());
    command.args(["check", "--network", "model.onnx", "gaussian:n=3,d=2"]).current_dir(&folder);
    let output = command.env_remove("SHATTER_TRIAL").output().expect("the program starts");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("on trial") && said.contains("SHATTER_TRIAL=network"), "{said}");
}
