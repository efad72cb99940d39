//! Promise: of a network from elsewhere, every point is decided in real arithmetic or not at all, and a
//! certificate says of what. (Files that are no networks: `network_files.rs`; other runtimes:
//! `network_runtimes.rs`.)

use std::fs;

use crate::common::onnx::{model, node, small, tensor, with_outputs};
use crate::common::program::{csv, npy, refused, shatter, status, stderr, stdout};
use crate::common::verdicts::{decided, redigested, verdicts};
use shatter_exact::Format;
use shatter_interchange::{Floats, NamedArray, tensors};
use shatter_judge::{Effort, Runtime, verdict as judge};
use shatter_network::Graph;
use shatter_network::graph::{Affine, Operator, SlidingWindow, Step};
use shatter_sample as sample;

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

/// A checkpoint brings its layers and labels; its exported graph is the same network.
#[test]
fn a_checkpoint_and_its_exported_graph_have_the_same_verdicts() {
    let folder = tempfile::tempdir().unwrap();
    let sample = "gaussian:n=200,d=6,classes=2";
    let model = "dense(9) batchnorm relu lrn(3) dense(12) relu";
    let train = ["train", sample, "--model", model, "--epochs", "3", "--device", "cpu"];
    let output = shatter(&folder, &[train.as_slice(), &["--out", "out"]].concat());
    assert!(status(&output) < 2, "{}", stderr(&output));
    let checkpoint = "out/checkpoint.safetensors";
    let export = ["export", checkpoint, "--to", "onnx", "--out", "out"];
    assert_eq!(status(&shatter(&folder, &export)), 0);
    for (file, out) in [(checkpoint, "own"), ("out/network.onnx", "onnx")] {
        let found = decided(&folder, &["--network", file, sample, "--out", out]);
        assert_eq!(found["open_in_real_arithmetic"], 0, "{found}");
    }
    let own = verdicts(&folder, "own/certificate.txt");
    assert_eq!(own, verdicts(&folder, "onnx/certificate.txt"));
    let few = own.iter().filter(|verdict| *verdict == "undecided").count();
    assert!(few < 20, "{few} of 200 are undecided");
    // Here networks run in binary32, too: a label, and the logits.
    assert!(status(&shatter(&folder, &["eval", checkpoint, sample, "--out", "eval"])) < 2);
    let text = fs::read_to_string(folder.path().join("eval/outputs.csv")).unwrap();
    for (line, verdict) in text.lines().skip(1).zip(&own) {
        let numbers: Vec<f64> = line.split(',').map(|number| number.parse().unwrap()).collect();
        let fits = (numbers[1] > numbers[2]) == (numbers[0] == 0.0);
        assert!(verdict == "undecided" || fits == (verdict == "margin"), "{verdict}: {line}");
    }
}

/// Little-endian binary32 numbers.
fn single(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// Classes that no point has are outputs that must lose.
#[test]
fn outputs_beyond_the_classes_of_the_sample_must_lose() {
    let folder = tempfile::tempdir().unwrap();
    // (x, −x, 1): the largest is the first above 1, the third between, the second below −1.
    let weights = tensor("w", &[1, 3], &single(&[1.0, -1.0, 0.0]));
    let bias = tensor("b", &[3], &single(&[0.0, 0.0, 1.0]));
    let nodes = [node("Gemm", &["x", "w", "b"], "y")];
    let file = with_outputs(&nodes, &[weights, bias], &[1], 3);
    fs::write(folder.path().join("three.onnx"), file).unwrap();
    let rows = ["2,0", "3,1", "0.5,0", "-2,1"];
    csv(&folder, "two.csv", rows.iter().map(|row| (*row).to_owned()));
    let sample = "csv:two.csv,header=no";
    let found = decided(&folder, &["--network", "three.onnx", sample, "--out", "out"]);
    assert_eq!(verdicts(&folder, "out/certificate.txt"), ["margin", "misfit", "misfit", "margin"]);
    assert_eq!(found["fits_in_real_arithmetic"], 2);
    // Fewer outputs than classes say nothing.
    csv(&folder, "four.csv", (0..4).map(|k| format!("{k},{k}")));
    let four = ["check", "--network", "three.onnx", "csv:four.csv,header=no"];
    refused(&folder, &four, &["3 outputs", "class 3 of the sample", "0 to 2"]);
}

/// The same numbers in another shape are other points, but for vectors and sides of 1.
#[test]
fn points_have_the_shape_that_the_network_takes() {
    let folder = tempfile::tempdir().unwrap();
    let weights = tensor("w", &[1, 1, 1, 1], &single(&[1.0]));
    let dense = tensor("d", &[6, 1], &single(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]));
    let nodes = [
        node("Conv", &["x", "w"], "c"),
        node("Flatten", &["c"], "f"),
        node("MatMul", &["f", "d"], "y"),
    ];
    let file = model(&nodes, &[weights, dense], &[1, 2, 3]);
    fs::write(folder.path().join("image.onnx"), file).unwrap();
    let bytes: Vec<u8> = (0..12).collect();
    let shapes = [
        ("(2, 6)", false),
        ("(2, 3, 2)", false),
        ("(2, 2, 3)", true),
        ("(2, 1, 2, 3)", true),
        ("(2, 2, 3, 1)", true),
    ];
    for (shape, taken) in shapes {
        npy(&folder, "x.npy", "|u1", shape, &bytes);
        npy(&folder, "y.npy", "|u1", "(2,)", &[0, 6]);
        let check = ["--network", "image.onnx", "npy:x.npy,y.npy", "--out", "out"];
        if taken {
            assert_eq!(decided(&folder, &check)["verdicts"]["exact"], 2, "{shape}");
            let text = fs::read_to_string(folder.path().join("out/certificate.txt")).unwrap();
            assert!(text.contains("\ntakes 1×2×3 gives 1\n"), "{text}");
        } else {
            let check = [&["check"], check.as_slice()].concat();
            refused(&folder, &check, &["takes points of shape 1×2×3"]);
        }
    }
}

/// A safetensors file says its type, and the certificate names the layers that it does not say.
#[test]
fn the_type_of_a_safetensors_file_is_that_of_its_header() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, of: &dyn Fn(&[f32]) -> Floats| {
        let array = |name: &str, shape: &[usize], numbers: &[f32]| NamedArray {
            name: name.to_owned(),
            shape: shape.to_vec(),
            numbers: of(numbers),
        };
        let arrays = [
            array("0.weight", &[2, 2], &[1.0, 0.5, 0.25, 1.0]),
            array("0.bias", &[2], &[0.5, -0.5]),
            array("2.weight", &[2, 2], &[1.0, 0.0, 0.0, 1.0]),
            array("2.bias", &[2], &[0.0, 0.0]),
        ];
        fs::write(folder.path().join(name), tensors::file(&arrays, &[])).unwrap();
    };
    write("single.safetensors", &|x| Floats::Single(x.to_vec()));
    write("double.safetensors", &|x| Floats::Double(x.iter().map(|&x| x.into()).collect()));
    let sample = "lattice:n=20,d=2,range=11,classes=2";
    for (file, precision) in [("single.safetensors", "f32"), ("double.safetensors", "f64")] {
        let check = ["--network", file, "--architecture", "dense(2) relu", sample, "--out", "out"];
        assert_eq!(decided(&folder, &check)["precision"], precision);
    }
    // Its certificate is not one of other layers over the same file.
    let other = "dense(2) relu relu";
    let layers = ["dense(2) relu", other];
    let found = layers.map(|layers| {
        let check = ["--network", "double.safetensors", "--architecture", layers];
        let output = shatter(
            &folder,
            &[&["check", "--json"], check.as_slice(), &["out/certificate.txt", sample]].concat(),
        );
        (status(&output), stdout(&output) + &stderr(&output))
    });
    assert_eq!(found[0].0, 0, "{}", found[0].1);
    assert_ne!(found[1].0, 0, "{}", found[1].1);
}

/// Files are read once, into a copy; what is said of them names the file.
#[test]
fn a_broken_safetensors_file_is_refused_by_its_own_name() {
    let folder = tempfile::tempdir().unwrap();
    let numbers = Floats::Single(vec![1.0; 4]);
    let array = NamedArray { name: "0.weight".to_owned(), shape: vec![2, 2], numbers };
    let whole = tensors::file(&[array], &[]);
    let sample = "lattice:n=20,d=2,range=11,classes=2";
    // Cut off; with a tensor missing; without numbers, of a trillion.
    let header = String::from_utf8_lossy(&whole[8..whole.len() - 16]);
    let huge = header.replace("[2,2]", "[1000000,1000000]");
    let huge = [&(huge.len() as u64).to_le_bytes(), huge.as_bytes()].concat();
    for (bytes, reason) in [
        (&whole[..whole.len() - 1], "bytes"),
        (&whole[..20], "complete"),
        (&whole, "1.weight"),
        (&huge, "expected 4000000000000 bytes"),
    ] {
        fs::write(folder.path().join("broken.safetensors"), bytes).unwrap();
        for layers in [&["--architecture", "flatten"][..], &[]] {
            let check = [&["check", "--network", "broken.safetensors"], layers, &[sample]].concat();
            let reasons = if layers.is_empty() { vec![] } else { vec![reason] };
            refused(&folder, &check, &[&["broken.safetensors"], reasons.as_slice()].concat());
        }
    }
}

/// In real arithmetic the outputs are 1 and 0, and ONNX Runtime finds 0 and 1.
#[test]
fn what_equals_its_target_fits_only_above_the_rounding_bound() {
    let folder = tempfile::tempdir().unwrap();
    let large = 2f32.powi(25);
    let columns = [large, large, 1.0, 3.0, -large, -large, 0.0, -3.0];
    let weights = tensor("w", &[4, 2], &single(&columns));
    let file = with_outputs(&[node("MatMul", &["x", "w"], "y")], &[weights], &[4], 2);
    fs::write(folder.path().join("cancels.onnx"), file).unwrap();
    csv(&folder, "x.csv", ["1,1,1,1,0", "0,0,0,1,1"].map(str::to_owned).into_iter());
    let check = ["--network", "cancels.onnx", "csv:x.csv,header=no", "--out", "out"];
    let found = decided(&folder, &check);
    assert_eq!(found["verdicts"]["exact"], 0, "{found}");
    assert!(found["verdicts"]["undecided"].as_u64().unwrap() >= 1, "{found}");
}

#[test]
fn what_equals_its_target_is_exact_only_with_a_rounding_bound() {
    let folder = tempfile::tempdir().unwrap();
    // 2^100 · 2^100 x − 2^100 · 2^100 x is 0, and infinity − infinity at a runtime, but where x is 0.
    let large = 2f32.powi(100);
    let first = tensor("v", &[1, 1], &single(&[large]));
    let second = tensor("w", &[1, 2], &single(&[large, -large]));
    let third = tensor("u", &[2, 1], &single(&[1.0, 1.0]));
    let nodes = [
        node("MatMul", &["x", "v"], "a"),
        node("MatMul", &["a", "w"], "c"),
        node("MatMul", &["c", "u"], "y"),
    ];
    let file = model(&nodes, &[first, second, third], &[1]);
    fs::write(folder.path().join("infinite.onnx"), file).unwrap();
    csv(&folder, "x.csv", ["1,0", "0,0"].map(str::to_owned).into_iter());
    let check = ["--network", "infinite.onnx", "csv:x.csv,header=no", "--out", "out"];
    let found = decided(&folder, &check);
    assert_eq!(
        (&found["verdicts"]["exact"], &found["verdicts"]["undecided"]),
        (&1.into(), &1.into())
    );
    assert_eq!(
        (&found["fits_in_real_arithmetic"], &found["without_rounding_bound"]),
        (&2.into(), &1.into())
    );
    let output = shatter(&folder, &[&["check"], check.as_slice()].concat());
    assert!(stdout(&output).contains("no bound at 1 of the points"), "{}", stdout(&output));
}

#[test]
fn work_is_counted_before_it_is_done() {
    let folder = tempfile::tempdir().unwrap();
    // A number, repeated over an image: 2^31 products a point, and 10,000 points.
    let (sides, numbers) = (vec![64, 256, 256], 64 << 16);
    let repeat = Operator::Shift { negated: false, from: vec![0; numbers], by: vec![0.0; numbers] };
    let affine =
        Affine { weights: vec![0.0; 36 << 10], inputs: 576, outputs: 64, bias: Vec::new() };
    let both = |side| (side, side);
    let window = SlidingWindow { size: both(3), stride: both(1), before: both(1), after: both(1) };
    let steps = vec![
        Step::new(repeat, 0, sides.clone()),
        Step::new(Operator::Convolution(affine, window), 1, sides),
        Step::new(Operator::GlobalMean, 2, vec![64, 1, 1]),
    ];
    let network = Graph { precision: Format::F32, input: vec![1], steps };
    let raw = sample::load("gaussian:n=10000,d=1,classes=2", 0).unwrap();
    let error = judge::judge(&network, &raw.points, &raw.labels, Runtime::Ieee, Effort::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("10000 points") && error.contains("fewer points"), "{error}");
    // 2^16 places, 64 channels, 9 · 64 weights of each: 2^31 products a point.
    let first = tensor("v", &[64, 1, 1, 1], &[0; 4 << 6]);
    let second = tensor("w", &[64, 64, 3, 3], &vec![0; 36 << 12]);
    let nodes = [
        node("Conv", &["x", "v"], "a"),
        node("Conv", &["a", "w"], "b"),
        node("GlobalAveragePool", &["b"], "c"),
        node("Flatten", &["c"], "y"),
    ];
    let file = with_outputs(&nodes, &[first, second], &[1, 256, 256], 64);
    fs::write(folder.path().join("wide.onnx"), file).unwrap();
    npy(&folder, "x.npy", "|u1", "(200, 1, 256, 256)", &vec![0; 200 << 16]);
    npy(&folder, "y.npy", "|u1", "(200,)", &[0, 1].repeat(100));
    let asked = ["check", "--network", "wide.onnx", "npy:x.npy,y.npy", "--exact"];
    refused(&folder, &asked, &["200 points", "products of exact numbers", "fewer points"]);
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.onnx"), small()).unwrap();
    let sample = "gaussian:n=3,d=3,classes=1";
    refused(
        &folder,
        &["check", "--network", "small.onnx", sample],
        &["takes points of shape 2", "shape 3"],
    );
    let sample = "gaussian:n=3,d=2,classes=3";
    crate::common::program::csv(
        &folder,
        "large.csv",
        ["1,1e300,0", "2,1,1"].map(str::to_owned).into_iter(),
    );
    let large = "csv:large.csv,header=no";
    refused(&folder, &["check", "--network", "small.onnx", large], &["point 0", "beyond f32"]);
    refused(&folder, &["check", "certificate.txt"], &["CERTIFICATE SAMPLE"]);
    refused(&folder, &["check", "--network", "small.txt", sample], &["small.txt"]);
    let layers = ["check", "--network", "small.onnx", "--architecture", "dense(4)", sample];
    refused(&folder, &layers, &["small.onnx", "--architecture"]);
    let output = shatter(&folder, &["check", "--network", "small.onnx", "--integers", sample]);
    assert_eq!(status(&output), 2);
}

/// A certificate that claims nothing is accepted, and says so; so does one that claims less than is known.
#[test]
fn an_accepted_certificate_says_what_it_claims() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.onnx"), small()).unwrap();
    let sample = "lattice:n=20,d=2,range=11,classes=2";
    let found = decided(&folder, &["--network", "small.onnx", sample, "--out", "out"]);
    let text = fs::read_to_string(folder.path().join("out/certificate.txt")).unwrap();
    let said = |file: &str| {
        let check = ["check", "--network", "small.onnx", file, sample];
        let output = shatter(&folder, &check);
        assert_eq!(status(&output), 0, "{}", stdout(&output));
        let line = stdout(&output).lines().next().unwrap().to_owned();
        assert!(line.starts_with("accepted ") && line.ends_with("every claim follows"), "{line}");
        let json = decided(&folder, &["--network", "small.onnx", file, sample]);
        (line, json["claims"].clone())
    };
    let number = |verdict: &str| found["verdicts"][verdict].as_u64().unwrap();
    let fits = number("exact") + number("margin");
    assert!(fits > 0 && fits < 20, "{found}");
    let (line, claims) = said("out/certificate.txt");
    assert!(line.contains(&format!("claims {fits} of 20 points to fit")), "{line}");
    assert_eq!(claims, found["verdicts"]);
    let silent = |line: &str| match line.split(' ').next() {
        Some("counts") => "counts exact=0 margin=0 undecided=20 misfit=0\n".to_owned(),
        Some("exact" | "margin" | "undecided" | "misfit") => "undecided -inf inf inf\n".to_owned(),
        _ => format!("{line}\n"),
    };
    let nothing = redigested(&text.lines().map(silent).collect::<String>());
    fs::write(folder.path().join("nothing.txt"), &nothing).unwrap();
    let (line, claims) = said("nothing.txt");
    let wanted = "claims 0 of 20 points to fit (0 exactly, 0 with margin) and 0 not to, and leaves 20 undecided";
    assert!(line.contains(wanted), "{line}");
    assert_eq!(claims["undecided"], 20);
    // Lines between verdicts, and spellings that are not the certificate's.
    let verdict = text.lines().find(|line| line.starts_with("misfit ")).unwrap();
    let (before, rounding) = verdict.rsplit_once(' ').unwrap();
    let first = &format!("\n{verdict}\n");
    for other in [
        format!("\nsample nothing\n{verdict}\n"),
        format!("\n{verdict}\r\n"),
        format!("\n{before} 0{rounding}\n"),
        format!("\n{before} {rounding}p+0\n"),
        format!("\n{before} {rounding} \n"),
    ] {
        let forged = redigested(&text.replacen(first, &other, 1));
        fs::write(folder.path().join("other.txt"), forged).unwrap();
        let found = decided(&folder, &["--network", "small.onnx", "other.txt", sample]);
        assert_eq!(found["accepted"], false, "{other:?}: {found}");
    }
    // Counts that are not those of its lines.
    let lying = nothing.replace("exact=0 margin=0 undecided=20", "exact=20 margin=0 undecided=0");
    fs::write(folder.path().join("lying.txt"), redigested(&lying)).unwrap();
    let found = decided(&folder, &["--network", "small.onnx", "lying.txt", sample]);
    assert_eq!((&found["accepted"], &found["claims"]), (&false.into(), &serde_json::Value::Null));
}

/// A verdict is one under a runtime model, which its certificate names and a check decides under; certificates that
/// were written before there were others are of `ieee`.
#[test]
fn a_certificate_is_of_the_runtimes_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    // 2049 x has more bits than operands of TF32.
    let weights = tensor("w", &[1, 2], &single(&[2049.0, -2049.0]));
    let bias = tensor("b", &[2], &single(&[0.0, 1.0]));
    let nodes = [node("Gemm", &["x", "w", "b"], "y")];
    fs::write(folder.path().join("net.onnx"), with_outputs(&nodes, &[weights, bias], &[1], 2))
        .unwrap();
    csv(&folder, "x.csv", ["1,0", "2,0", "-3,1", "0,1"].map(str::to_owned).into_iter());
    let network = ["--network", "net.onnx"];
    let sample = "csv:x.csv,header=no";
    let check = |more: &[&str]| decided(&folder, &[&network, more, &[sample]].concat());
    let usual = check(&["--out", "ieee"]);
    assert_eq!(
        (&usual["runtime"], &usual["largest_rounding_bound"]),
        (&"ieee".into(), &0.0.into())
    );
    let short = check(&["--runtime", "tf32", "--out", "tf32"]);
    assert_eq!(short["runtime"], "tf32");
    assert!(short["largest_rounding_bound"].as_f64().unwrap() > 2.0, "{short}");
    assert_eq!(short["verdicts"]["margin"], 3, "{short}");
    let read = |file: &str| fs::read_to_string(folder.path().join(file)).unwrap();
    let (usual, short) = (read("ieee/certificate.txt"), read("tf32/certificate.txt"));
    assert!(usual.contains("\nprecision f32\nruntime ieee\nreading "), "{usual}");
    assert!(short.contains("\nruntime tf32\n"), "{short}");
    // Each is decided under its own, and not under the other.
    for (file, asked, runtime, accepted) in [
        ("ieee/certificate.txt", None, "ieee", true),
        ("tf32/certificate.txt", None, "tf32", true),
        ("tf32/certificate.txt", Some("tf32"), "tf32", true),
        ("tf32/certificate.txt", Some("ieee"), "ieee", false),
        ("ieee/certificate.txt", Some("tf32"), "tf32", false),
    ] {
        let asked: Vec<&str> = asked.into_iter().flat_map(|name| ["--runtime", name]).collect();
        let found = check(&[&asked, &[file][..]].concat());
        assert_eq!(
            (&found["accepted"], &found["runtime"]),
            (&accepted.into(), &runtime.into()),
            "{file} {asked:?}"
        );
    }
    let written =
        |text: &str| fs::write(folder.path().join("other.txt"), redigested(text)).unwrap();
    // Without the line, and with one that its claims do not follow under.
    written(&usual.replace("runtime ieee\n", ""));
    let found = check(&["other.txt"]);
    assert_eq!((&found["accepted"], &found["runtime"]), (&true.into(), &"ieee".into()), "{found}");
    written(&usual.replace("runtime ieee\n", "runtime tf32\n"));
    let found = check(&["other.txt"]);
    assert_eq!((&found["accepted"], &found["runtime"]), (&false.into(), &"tf32".into()), "{found}");
    written(&usual.replace("runtime ieee\n", "runtime fp8\n"));
    let found = check(&["other.txt"]);
    assert!(found["reason"].as_str().unwrap().contains("found 'runtime fp8'"), "{found}");
    // In words.
    let output = shatter(&folder, &["check", "--network", "net.onnx", sample]);
    assert!(
        stdout(&output).contains("\nrounding      at most 0.000e0 under ieee\n"),
        "{}",
        stdout(&output)
    );
    let output = shatter(&folder, &["check", "--network", "net.onnx", "--runtime", "fp8", sample]);
    let said = stderr(&output);
    assert!(status(&output) == 2 && said.contains("'fp8' is not a runtime"), "{said}");
}

/// Two outputs that are large and near to each other: enclosures know which is larger, and by how much to
/// 14 bits; exact arithmetic knows all of it, and takes too long to be done unasked at every point.
#[test]
fn a_certificate_that_was_made_exactly_is_checked_without_being_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let (d, width, n) = (128, 256, 200);
    let layer = |inputs: usize| -> Vec<f32> {
        (0..inputs * width).map(|k| (k * k % 7 + k % 5 + 1) as f32).collect()
    };
    let (large, ulp) = (2f32.powi(30), 2f32.powi(7));
    let mut last: Vec<f32> = (0..width).flat_map(|k| [large + ulp * (k % 9) as f32; 2]).collect();
    last[0] += ulp;
    (last[2], last[3]) = (1.0, 1.0);
    let tensors = [
        tensor("u", &[d as u64, width as u64], &single(&layer(d))),
        tensor("v", &[width as u64, width as u64], &single(&layer(width))),
        tensor("w", &[width as u64, 2], &single(&last)),
    ];
    let nodes = [
        node("MatMul", &["x", "u"], "a"),
        node("MatMul", &["a", "v"], "b"),
        node("MatMul", &["b", "w"], "y"),
    ];
    let file = with_outputs(&nodes, &tensors, &[d as u64], 2);
    fs::write(folder.path().join("near.onnx"), file).unwrap();
    let row = |i: usize| {
        let numbers: String = (0..d).map(|k| format!("{},", (i * k + i + k) % 11 + 1)).collect();
        format!("{numbers}{}", i % 2)
    };
    csv(&folder, "x.csv", (0..n).map(row));
    let network = ["--network", "near.onnx"];
    let sample = "csv:x.csv,header=no";
    let check = |more: &[&str]| decided(&folder, &[&network, more, &[sample]].concat());
    let own = check(&["--out", "own"]);
    assert_eq!(own["open_in_real_arithmetic"], 0, "{own}");
    check(&["--exact", "--out", "exact"]);
    let read = |file: &str| fs::read_to_string(folder.path().join(file)).unwrap();
    let exact = read("exact/certificate.txt");
    let differ =
        read("own/certificate.txt").lines().zip(exact.lines()).filter(|(x, y)| x != y).count();
    assert!(differ > n / 2, "enclosures say the same of most points: {differ}");
    for certificate in ["exact/certificate.txt", "own/certificate.txt"] {
        for asked in [&[][..], &["--exact"]] {
            let found = check(&[asked, &[certificate]].concat());
            assert_eq!(found["accepted"], true, "{certificate} {asked:?}: {found}");
        }
    }
    // What is not so is rejected, asked or not: a margin of 2^40, which enclosures contradict, and
    // one above what it is, but not above what they leave open.
    let own = read("own/certificate.txt");
    let line = exact.lines().find(|line| line.starts_with("undecided ")).unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    let far = ["undecided", "1p40", words[2], words[3]].join(" ");
    fs::write(folder.path().join("forged.txt"), redigested(&exact.replacen(line, &far, 1)))
        .unwrap();
    let found = check(&["forged.txt"]);
    let reason = found["reason"].as_str().unwrap();
    assert!(reason.contains("'undecided' does not follow from enclosures, which con"), "{reason}");
    let (line, _) = exact
        .lines()
        .zip(own.lines())
        .filter(|(exact, own)| exact.starts_with("undecided ") && own.starts_with("undecided "))
        .find(|(exact, own)| {
            let word = |line: &str, k: usize| line.split(' ').nth(k).unwrap().to_owned();
            word(exact, 1) != word(exact, 2) && word(exact, 2) != word(own, 2)
        })
        .expect("an enclosure that is wider than the margin by more than is cut off");
    let words: Vec<&str> = line.split(' ').collect();
    let narrow = ["undecided", words[2], words[2], words[3]].join(" ");
    let forged = redigested(&exact.replacen(line, &narrow, 1));
    fs::write(folder.path().join("forged.txt"), forged).unwrap();
    let found = check(&["forged.txt"]);
    let reason = found["reason"].as_str().unwrap();
    assert!(
        reason.contains("'undecided' does not follow from enclosures, nor in exact"),
        "{reason}"
    );
    let found = check(&["--exact", "forged.txt"]);
    let reason = found["reason"].as_str().unwrap();
    assert!(reason.contains("'undecided' does not follow in exact arithmetic"), "{reason}");
}

/// With a variance of 0 a point is divided by the root of epsilon: 1 becomes 2, or 316.
#[test]
fn an_epsilon_in_words_is_part_of_what_is_certified() {
    let folder = tempfile::tempdir().unwrap();
    let array = |name: &str, shape: &[usize], numbers: &[f32]| NamedArray {
        name: name.to_owned(),
        shape: shape.to_vec(),
        numbers: Floats::Single(numbers.to_vec()),
    };
    // Class 0 is 10, class 1 the normalized number.
    let arrays = [
        array("0.weight", &[1], &[1.0]),
        array("0.bias", &[1], &[0.0]),
        array("0.running_mean", &[1], &[0.0]),
        array("0.running_var", &[1], &[0.0]),
        array("2.weight", &[2, 1], &[0.0, 1.0]),
        array("2.bias", &[2], &[10.0, 0.0]),
    ];
    fs::write(folder.path().join("n.safetensors"), tensors::file(&arrays, &[])).unwrap();
    csv(&folder, "x.csv", ["1,0", "400,1"].map(str::to_owned).into_iter());
    let check = |layers: &str, more: &[&str]| {
        let arguments = [
            &["--network", "n.safetensors", "--architecture", layers],
            more,
            &["csv:x.csv,header=no"],
        ];
        decided(&folder, &arguments.concat())
    };
    check("batchnorm", &["--out", "usual"]);
    check("batchnorm(eps=0.25)", &["--out", "other"]);
    assert_eq!(verdicts(&folder, "usual/certificate.txt"), ["misfit", "margin"]);
    assert_eq!(verdicts(&folder, "other/certificate.txt"), ["margin", "margin"]);
    for (certificate, line) in [
        ("usual/certificate.txt", "\nlayers batchnorm flatten dense(2)\n"),
        ("other/certificate.txt", "\nlayers batchnorm(eps=2.5e-1) flatten dense(2)\n"),
    ] {
        let text = fs::read_to_string(folder.path().join(certificate)).unwrap();
        assert!(text.contains(line), "{text}");
    }
    // Each is bound to its epsilon, however it is written.
    for (layers, certificate, accepted) in [
        ("batchnorm(eps=0.00001)", "usual/certificate.txt", true),
        ("batchnorm(eps=25e-2)", "other/certificate.txt", true),
        ("batchnorm", "other/certificate.txt", false),
        ("batchnorm(eps=0.25)", "usual/certificate.txt", false),
    ] {
        let found = check(layers, &[certificate]);
        assert_eq!(found["accepted"], accepted, "{layers}, {certificate}: {found}");
    }
    // The root of 0.25 is exact, that of 0.3 is not: a claim that does not follow is rejected, and says so.
    check("batchnorm(eps=0.3)", &["--out", "root"]);
    let text = fs::read_to_string(folder.path().join("root/certificate.txt")).unwrap();
    let line = text.lines().find(|line| line.starts_with("margin ")).unwrap();
    let low = line.split(' ').nth(1).unwrap();
    let forged = redigested(&text.replacen(line, &format!("margin {low} 0"), 1));
    fs::write(folder.path().join("forged.txt"), forged).unwrap();
    let found = check("batchnorm(eps=0.3)", &["forged.txt"]);
    let reason = found["reason"].as_str().unwrap();
    assert!(
        reason.contains("does not follow from enclosures") && reason.contains("roots"),
        "{reason}"
    );
    // Networks are trained with the usual one only.
    let sample = "gaussian:n=20,d=2,classes=2";
    let train = ["train", sample, "--model", "dense(4) batchnorm(eps=1e-3) relu", "--batch", "4"];
    refused(&folder, &train, &["layer 1", "batchnorm(eps=1e-3)", "an epsilon of 1e-5"]);
}

/// A certificate is checked as the outputs were read when it was made.
#[test]
fn a_certificate_is_of_the_reading_and_classes_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let rows = |names: [&'static str; 2]| {
        let row = move |i: usize| format!("{},{}", i % 2, names[i % 2]);
        std::iter::once("x,label".to_owned()).chain((0..4).map(row))
    };
    csv(&folder, "numbers.csv", rows(["0", "1"]));
    csv(&folder, "names.csv", rows(["no", "\"yes, \\u{2c}\""]));
    let identity = tensor("w", &[1, 1], &single(&[1.0]));
    fs::write(
        folder.path().join("net.onnx"),
        model(&[node("MatMul", &["x", "w"], "y")], &[identity], &[1]),
    )
    .unwrap();
    for (sample, options) in [
        ("csv:numbers.csv", &["--reading", "half"][..]),
        ("csv:names.csv", &["--classes", "no,yes\\, \\\\u{2c}"]),
        ("csv:names.csv", &["--reading", "half", "--classes", "no,yes\\, \\\\u{2c}"]),
    ] {
        let make = [&["check", "--network", "net.onnx", sample, "--out", "made"], options].concat();
        let made = shatter(&folder, &make);
        assert_eq!(status(&made), 0, "{options:?}: {}", stderr(&made));
        let check = ["check", "--network", "net.onnx", "made/certificate.txt", sample];
        let found = shatter(&folder, &check);
        assert_eq!(status(&found), 0, "{options:?}: {}{}", stdout(&found), stderr(&found));
        // Read in another way, it does not say what it claims.
        let other = shatter(&folder, &[&check[..], &["--reading", "sign"]].concat());
        assert_ne!(status(&other), 0, "{options:?}");
        // It is no certificate of a construction, and not a false one.
        refused(&folder, &["check", "made/certificate.txt", sample], &["--network FILE"]);
    }
}

/// Evaluation says whether the network classifies, as its status does.
#[test]
fn evaluation_ends_as_it_computed() {
    let folder = tempfile::tempdir().unwrap();
    csv(&folder, "near.csv", ["x,label".to_owned(), "1,1".to_owned()].into_iter());
    // A margin that no runtime keeps for certain.
    let weights = tensor("w", &[1, 2], &single(&[1.0, 1.000_000_1]));
    let square = [node("MatMul", &["x", "w"], "t"), node("MatMul", &["t", "v"], "y")];
    let other = tensor("v", &[2, 2], &single(&[0.1, 0.0, 0.0, 0.1]));
    let bytes = with_outputs(&square, &[weights, other], &[1], 2);
    fs::write(folder.path().join("net.onnx"), bytes).unwrap();
    let found = shatter(&folder, &["eval", "net.onnx", "csv:near.csv"]);
    let text = stdout(&found);
    assert!(text.contains("1 of 1 points as labelled"), "{text}");
    assert_eq!(status(&found), 0, "{text}");
}
