//! Promise: networks leave exactly, and other runtimes find in them what is here.
//!
//! ONNX Runtime gives exactly the labels wherever a float-exactness bound says that nothing is rounded;
//! it needs a Python with onnx and onnxruntime (PYTHON), without which those tests say so and pass.
//! At full size: see `src/interchange/PYTHON.md`.

use std::fs;

use crate::common::program::{npy, read_json, refused, shatter, status, stderr, stdout};
use crate::common::python::{python, python_for_a_part, run};
use crate::common::skipped::{CIFAR, DATA, or_skipped, skipped_in_part};
use shatter_construct::catalogue;
use shatter_sample::{self as sample, Values};
use tempfile::TempDir;

const RUNTIME: &str = "numpy, onnx, onnxruntime";

/// Runs the program, which must succeed.
fn works(folder: &TempDir, arguments: &[&str]) -> String {
    let output = shatter(folder, arguments);
    assert_eq!(status(&output), 0, "{arguments:?}: {}", stderr(&output));
    stdout(&output)
}

/// Writes the distinct points of a sample as `points.npy`; how many there are.
fn write_points(folder: &TempDir, text: &str) -> usize {
    let raw = sample::load(text, 0).unwrap();
    let sample = raw.distinct(sample::LabelRule::Random, 0).unwrap();
    let numbers = (0..sample.points.n()).flat_map(|i| {
        let points = &sample.points;
        (0..points.d()).map(move |k| points.f64_at(i, k))
    });
    let bytes: Vec<u8> = numbers.flat_map(f64::to_le_bytes).collect();
    let shape = format!("({}, {})", sample.points.n(), sample.points.d());
    assert!(
        !matches!(sample.points.values(), Values::I64(v) if v.iter().any(|x| x.abs() >= 1 << 53))
    );
    npy(folder, "points.npy", "<f8", &shape, &bytes);
    sample.points.n()
}

/// What ONNX Runtime finds in `network.onnx` of `out`.
fn in_onnx_runtime(python: &str, folder: &TempDir, points: &[&str]) -> serde_json::Value {
    let arguments = [&["out/network.onnx", "out/certificate.txt"], points].concat();
    let output = run(python, folder.path(), "onnx_error.py", &arguments);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What is known of a construction at 1,000 points.
enum Known {
    /// On this sample its bound holds.
    Exact(&'static str),
    /// As many points as it takes, or as its bound holds for; why not 1,000.
    Fewer(&'static str, &'static str),
    /// It is not built for 1,000 points, and where it is, its bound does not hold.
    Limited(&'static str),
    /// It is built, and some numbers have more than 53 bits.
    Rounds(&'static str),
}

/// What is known of a construction; a new one is left out until somebody says so here.
fn known(construction: &str) -> Option<Known> {
    use Known::{Exact, Fewer, Limited, Rounds};
    Some(match construction {
        "depth-two-zigzag" | "depth-3" | "depth-10" | "width-two" => {
            Exact("lattice:n=1000,d=4,range=2001")
        }
        "moment-curve" => Exact("moment:n=1000,d=3,classes=2"),
        // Slopes between neighbours are fractions, unless gaps are powers of two.
        "depth-two-data" | "depth-two-midpoint" | "two-hidden" | "two-hidden-classes" | "baum"
        | "resnet" => Exact("csv:line.csv,header=no"),
        // Points that are independent are at most d, and the system is limited to 512.
        "min-norm" => Fewer("csv:units512.csv,header=no", "limited to n = 512"),
        // The norm of (w, c) divides by n + 1.
        "min-norm-bias" => Fewer("csv:units511.csv,header=no", "limited to n = 512"),
        // Its one weight has a bit a point.
        "sine" => Fewer("csv:halves.csv,header=no", "sine"),
        // Solutions of systems over many denominators; softsigns and reciprocals are such fractions, too.
        "softsign" | "rational-kernel" | "random-features" => Limited("limited to n = 256"),
        // Products of n differences: thousands of bits.
        "lagrange" => Limited("limit is 512 points"),
        // Labels of a group in one number; planes through d points, as coprime integers.
        "bit-extraction" | "bubeck-4" | "bubeck-3" | "hull-peeling" => {
            Rounds("lattice:n=1000,d=4,range=2001")
        }
        other => {
            skipped_in_part(&format!("what ONNX Runtime finds for {other}, in `known`"));
            return None;
        }
    })
}

/// The points 0, …, 999 on a line; unit vectors; halves, which the sine takes.
fn write_samples(folder: &TempDir) {
    let csv =
        |name: &str, rows: Vec<String>| crate::common::program::csv(folder, name, rows.into_iter());
    csv("line.csv", (0..1000).map(|k| format!("{k},{}", k % 3)).collect());
    for n in [511, 512] {
        let unit = |i: usize| -> String {
            (0..n)
                .map(|k| if k == i { "1," } else { "0," })
                .chain([["0", "1", "2"][i % 3]])
                .collect()
        };
        csv(&format!("units{n}.csv"), (0..n).map(unit).collect());
    }
    csv("halves.csv", (1..=45).map(|k| format!("{},{}", 0.5f64.powi(k), k % 2)).collect());
}

#[test]
fn onnx_runtime_gives_exactly_the_labels_of_every_construction_that_rounds_nothing() {
    let Some(python) = python(RUNTIME) else { return };
    for construction in catalogue::all() {
        let name = construction.name();
        let folder = tempfile::tempdir().unwrap();
        write_samples(&folder);
        let labels = if name == "sine" { "true" } else { "random" };
        let fit = |text: &str| {
            let fit = ["fit", text, "--labels", labels, "--construction", &name, "--out", "out"];
            shatter(&folder, &fit)
        };
        let Some(known) = known(&name) else { continue };
        let (text, exact) = match known {
            Known::Exact(text) => (text, true),
            Known::Fewer(text, reason) => {
                if name != "sine" {
                    let output = fit("lattice:n=1000,d=1010,range=11");
                    assert!(stderr(&output).contains(reason), "{name}: {}", stderr(&output));
                }
                (text, true)
            }
            Known::Limited(reason) => {
                let text = if name == "lagrange" { "collinear" } else { "lattice" };
                let output = fit(&format!("{text}:n=1000,d=4"));
                assert!(stderr(&output).contains(reason), "{name}: {}", stderr(&output));
                let few = ["lattice:n=20,d=4,range=2001", "collinear:n=20,d=2"];
                (few[usize::from(name == "lagrange")], false)
            }
            Known::Rounds(text) => (text, false),
        };
        let output = fit(text);
        assert_eq!(status(&output), 0, "{name}: {}", stderr(&output));
        let eval = ["eval", "out/certificate.txt", text, "--json"];
        let found: serde_json::Value = serde_json::from_str(&works(&folder, &eval)).unwrap();
        assert_eq!(found["float_exactness"]["binary64"], exact, "{name}: {found}");
        let export = ["export", "out/certificate.txt", "--to", "onnx", "--out", "out"];
        let output = shatter(&folder, &export);
        if !exact {
            let message = stderr(&output);
            let reasons = ["do not fit f64", "too large for f64"];
            assert!(reasons.iter().any(|reason| message.contains(reason)), "{name}: {message}");
            println!("{name}: not representable: {}", message.trim());
            continue;
        }
        assert_eq!(status(&output), 0, "{name}: {}", stderr(&output));
        let text = text.replace("csv:", &format!("csv:{}/", folder.path().display()));
        let n = write_points(&folder, &text);
        assert!(n == 1000 || matches!(known, Known::Fewer(..)), "{name}: {n} points");
        let found = in_onnx_runtime(&python, &folder, &["points.npy"]);
        println!("{name}: {text}: {found}");
        assert_eq!((&found["points"], &found["largest_error"]), (&n.into(), &0.0.into()), "{name}");
    }
}

/// Fits the first 2,000 images with random labels, and runs them.
/// ONNX Runtime leaves out additions of one number that binary32 takes for zero, so they are no additions.
#[test]
fn numbers_that_binary32_takes_for_zero_are_added() {
    let tiny = |x: f64, exponent| x * 2f64.powi(exponent);
    let cases = [
        ("width-two", [1.0, 2.0, 3.0].map(|x| tiny(x, -160)), [0.0, 1.0, 0.0]),
        ("two-hidden", [1.0, 2.0, 3.0], [1.0, 3.0, 2.0].map(|x| tiny(x, -600))),
        ("depth-two-zigzag", [0.0, 1.0, 2.0], [-1.0, 2.0, 1.0].map(|x| tiny(x, -1022))),
    ];
    for (construction, points, labels) in cases {
        let one = construction == "depth-two-zigzag";
        let n = if one { 1 } else { 3 };
        let folder = TempDir::new().unwrap();
        let bytes = |x: &[f64]| x.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
        npy(&folder, "points.npy", "<f8", &format!("({n}, 1)"), &bytes(&points[..n]));
        npy(&folder, "labels.npy", "<f8", &format!("({n},)"), &bytes(&labels[..n]));
        let sample = "npy:points.npy,labels.npy";
        works(&folder, &["fit", sample, "--construction", construction, "--out", "out"]);
        let found = works(&folder, &["eval", "out/certificate.txt", sample]);
        assert!(found.contains("float-exact under ieee: no rounding"), "{construction}: {found}");
        works(&folder, &["export", "out/certificate.txt", "--to", "onnx", "--out", "out"]);
        // Read back here, and run there.
        let checked =
            shatter(&folder, &["check", "--network", "out/network.onnx", sample, "--exact"]);
        if construction == "depth-two-zigzag" {
            assert!(
                stdout(&checked).contains(&format!("fits exactly  {n}")),
                "{}",
                stdout(&checked)
            );
        }
        // As an Add, it is refused: runtimes would compute different things.
        let mut file = fs::read(folder.path().join("out/network.onnx")).unwrap();
        let sum = file.windows(3).position(|three| three == b"Sum").expect("a Sum");
        file[sum..sum + 3].copy_from_slice(b"Add");
        fs::write(folder.path().join("add.onnx"), file).unwrap();
        refused(&folder, &["check", "--network", "add.onnx", sample], &["leaves out one number"]);
        let Some(python) = python_for_a_part(RUNTIME) else { return };
        let found = in_onnx_runtime(&python, &folder, &["points.npy"]);
        assert_eq!(found["largest_error"], 0.0, "{construction}: {found}");
    }
}

/// What a small file would become is counted before it is made.
#[test]
fn files_that_would_be_too_large_are_refused() {
    let folder = TempDir::new().unwrap();
    works(&folder, &["fit", "lattice:n=3,d=2", "--construction", "depth-3", "--out", "out"]);
    let text = fs::read_to_string(folder.path().join("out/network.txt")).unwrap();
    assert!(text.contains("\ninputs 2\n"), "{text}");
    let wide = text.replacen("\ninputs 2\n", "\ninputs 134217728\n", 1);
    let body = &wide[..wide.rfind("digest ").unwrap()];
    let digest = shatter_judge::certificate::digest(body.as_bytes());
    fs::write(folder.path().join("wide.txt"), format!("{body}digest {digest}\n")).unwrap();
    for to in ["onnx", "safetensors", "npz", "json"] {
        refused(&folder, &["export", "wide.txt", "--to", to], &["dense matri"]);
    }
    // A response normalization over an even number of channels is a matrix of channels.
    let images = ["gaussian:n=4,d=5000,classes=2", "--no-test", "--epochs", "1", "--batch", "4"];
    let model = ["--model", "lrn(4) globalmeanpool", "--device", "cpu", "--out", "lrn"];
    shatter(&folder, &[&["train"], &images[..], &model[..]].concat());
    refused(
        &folder,
        &["export", "lrn/checkpoint.safetensors", "--to", "onnx"],
        &["lrn(4) of 5000 channels"],
    );
}

fn images(text: &str, points: &[&str]) {
    let Some(python) = python(RUNTIME) else { return };
    let folder = tempfile::tempdir().unwrap();
    works(&folder, &["fit", text, "--labels", "random", "--seed", "1", "--out", "out"]);
    works(&folder, &["export", "out/certificate.txt", "--to", "onnx", "--out", "out"]);
    let found = in_onnx_runtime(&python, &folder, &[points, &["--first", "2000"]].concat());
    assert_eq!((&found["points"], &found["largest_error"]), (&2000.into(), &0.0.into()));
}

#[test]
fn onnx_runtime_gives_exactly_the_random_labels_of_fashion_mnist() {
    let Some(folder) = or_skipped(std::env::var_os("SHATTER_DATA"), DATA) else { return };
    let folder = std::path::Path::new(&folder).join("fashion-mnist");
    let file = folder.join("train-images-idx3-ubyte.gz").display().to_string();
    images(&format!("fashion-mnist:{},first=2000", folder.display()), &[&file]);
}

#[test]
fn onnx_runtime_gives_exactly_the_random_labels_of_cifar10() {
    let Some(folder) = or_skipped(std::env::var_os("SHATTER_CIFAR"), CIFAR) else { return };
    let folder = std::path::Path::new(&folder);
    let batches = format!("{}/cifar-10-batches-bin", folder.display());
    let at = if folder.join("cifar-10-batches-bin").is_dir() {
        batches
    } else {
        folder.display().to_string()
    };
    let file = format!("{at}/data_batch_1.bin");
    images(&format!("cifar10:{},first=2000", folder.display()), &[&file]);
}

#[test]
fn what_a_type_does_not_have_is_refused_or_counted() {
    let folder = tempfile::tempdir().unwrap();
    let sample = "lattice:n=30,d=3,range=11";
    works(
        &folder,
        &["fit", sample, "--labels", "random", "--threshold", "midpoint", "--out", "out"],
    );
    for to in ["onnx", "safetensors", "npz"] {
        let export = ["export", "out/network.txt", "--to", to, "--out", "out"];
        refused(&folder, &export, &["numbers do not fit f64", "'w'", "--round"]);
        let export = ["export", "out/network.txt", "--to", to, "--round", "--json", "--out", "out"];
        let found: serde_json::Value = serde_json::from_str(&works(&folder, &export)).unwrap();
        let (all, rounded) = (&found["numbers"], found["rounded"].as_u64().unwrap());
        assert!(rounded > 0 && rounded <= all.as_u64().unwrap());
        // Rounding to nearest errs by at most 2^-53 of a normal number.
        let relative = found["largest_relative_error"].as_f64().unwrap();
        assert!(relative > 0.0 && relative <= f64::EPSILON / 2.0, "{relative}");
    }
    // Exact whatever the numbers are.
    works(&folder, &["export", "out/network.txt", "--to", "json", "--out", "out"]);
    let found = read_json(&folder, "out/network.json");
    let texts = found["arrays"]["w"]["values"].as_array().unwrap();
    assert!(texts.iter().any(|text| text.as_str().unwrap().contains('/')));
}

#[test]
fn numpy_and_safetensors_hold_the_numbers_of_the_network() {
    let folder = tempfile::tempdir().unwrap();
    works(&folder, &["fit", "lattice:n=30,d=3,range=11", "--labels", "random", "--out", "out"]);
    for to in ["npz", "safetensors", "json"] {
        works(&folder, &["export", "out/certificate.txt", "--to", to, "--out", "out"]);
        let before = fs::read(folder.path().join(format!("out/network.{to}"))).unwrap();
        works(&folder, &["export", "out/certificate.txt", "--to", to, "--out", "out"]);
        let after = fs::read(folder.path().join(format!("out/network.{to}"))).unwrap();
        assert_eq!(before, after, "equal networks are equal bytes");
    }
    let Some(python) = python_for_a_part("numpy, safetensors.numpy") else { return };
    let output = run(&python, folder.path(), "arrays.py", &["out"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "equal");
}

/// ONNX holds the epsilon of batch normalization in binary32: a network in binary64 has another.
#[test]
fn an_epsilon_that_is_rounded_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let sample = "gaussian:n=200,d=3,classes=2";
    let model = "dense(5) batchnorm relu";
    let train = ["train", sample, "--model", model, "--epochs", "1", "--device", "cpu"];
    let output = shatter(&folder, &[train.as_slice(), &["--out", "out"]].concat());
    assert!(status(&output) < 2, "{}", stderr(&output));
    let export = ["export", "out/checkpoint.safetensors", "--to", "onnx", "--out", "out"];
    let double = [export.as_slice(), &["--type", "f64"]].concat();
    refused(&folder, &double, &["1 of", "epsilon of", "--round"]);
    for (more, rounded) in [(&["--type", "f64", "--round", "--json"][..], 1), (&["--json"], 0)] {
        let text = works(&folder, &[export.as_slice(), more].concat());
        let found: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(found["rounded"], rounded);
    }
}

/// Trains for a moment, exports, and compares logits at 1,000 points.
fn logits_agree(model: &str, shape: &str, raw: &[&str]) {
    let Some(python) = python(RUNTIME) else { return };
    let folder = tempfile::tempdir().unwrap();
    let d: usize = shape.split(", ").map(|side| side.parse::<usize>().unwrap()).product();
    // Images of a few waves each, so that they differ in more than noise.
    let pixel = |at: usize| {
        let (i, k) = (at / d, at % d);
        let wave = ((k * (1 + i % 7)) as f64 / 40.0 + (i * i % 101) as f64).sin();
        (127.0 + 100.0 * wave + ((i * 31 + k * 17) % 23) as f64) as u8
    };
    let bytes: Vec<u8> = (0..1000 * d).map(pixel).collect();
    npy(&folder, "images.npy", "|u1", &format!("(1000, {shape})"), &bytes);
    let labels: Vec<u8> = (0..1000usize).map(|i| (i * 7 % 10) as u8).collect();
    npy(&folder, "labels.npy", "|u1", "(1000,)", &labels);
    let all = "npy:images.npy,labels.npy";
    let few = format!("{all},first=256");
    let train =
        ["train", &few, "--model", model, "--epochs", "1", "--device", "cpu", "--out", "out"];
    let output = shatter(&folder, &train);
    assert!(status(&output) < 2, "{}", stderr(&output)); // nothing is fitted after one epoch
    let checkpoint = "out/checkpoint.safetensors";
    shatter(&folder, &["eval", checkpoint, all, "--out", "eval"]);
    works(&folder, &[&["export", checkpoint, "--to", "onnx", "--out", "out"], raw].concat());
    let files = ["out/network.onnx", "images.npy", "eval/outputs.csv"];
    let output = run(&python, folder.path(), "onnx_outputs.py", &files);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    println!("{model}: {found}");
    assert_eq!(found["images"], 1000);
    assert!(found["relative"].as_f64().unwrap() <= 1e-5, "{model}: {found}");
}

#[test]
fn logits_of_perceptrons_agree() {
    for model in ["mlp1x512", "mlp3x512", "mlp:20,10"] {
        logits_agree(model, "3, 32, 32", &["--raw", "3x32x32"]);
    }
}

#[test]
fn logits_of_networks_on_vectors_agree() {
    // One position: nothing is whitened or cropped, and bytes are divided by 255 before.
    logits_agree("dense(30) batchnorm relu dense(20) relu", "12", &["--raw", "12x1x1"]);
    logits_agree("conv(6,1) relu lrn(3) flatten dense(9) conv(4,1)", "12", &["--raw", "12x1x1"]);
}

#[test]
fn logits_of_alexnet_agree() {
    logits_agree("alexnet", "3, 32, 32", &["--raw", "3x32x32"]);
}

#[test]
fn logits_of_inception_agree() {
    logits_agree("inception", "3, 32, 32", &["--raw", "3x32x32"]);
    logits_agree("inception-nobn", "3, 32, 32", &["--raw", "3x32x32"]);
}

#[test]
fn logits_of_every_layer_agree() {
    let layers = "conv(8,3,pad=1) batchnorm relu [ conv(4,3,stride=2,pad=1) | maxpool(3,stride=2,pad=1) | \
                  meanpool(3,stride=2,pad=1) ] lrn(4,alpha=0.5,k=2) dropout(0.3) meanpool(2) flatten \
                  dense(12) relu";
    logits_agree(layers, "1, 12, 14", &["--raw", "1x12x14"]);
}
