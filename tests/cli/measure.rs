//! Promise: `measure` says of any network what each theory promises and which assumption fails; `rethink` compares twins
//! and keeps what has ended; `capacity` finds what training fits; `groups=` joins classes.

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::common::program::{csv, mnist, read_json, refused, shatter, status, stderr, stdout};

fn object(folder: &TempDir, arguments: &[&str], expected: i32) -> Value {
    let output = shatter(folder, &[arguments, &["--json"]].concat());
    assert_eq!(status(&output), expected, "{arguments:?}: {}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The finding of a name.
fn finding<'a>(found: &'a Value, name: &str) -> &'a Value {
    let all = found["findings"].as_array().unwrap();
    all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name}: {found}"))
}

/// The reason why an assumption of a finding fails.
fn fails(finding: &Value) -> &str {
    let all = finding["assumptions"].as_array().unwrap();
    let failing = all.iter().find(|one| one["met"] == false);
    failing.unwrap_or_else(|| panic!("all are met: {finding}"))["reason"].as_str().unwrap()
}

const NORMS: &str = "Golowich, Rakhlin and Shamir: Frobenius norms";

#[test]
fn constructions_checkpoints_and_graphs_are_measured_by_one_command() {
    let folder = tempdir().unwrap();
    let sample = "lattice:n=30,d=3,range=11,classes=2";
    let fit = shatter(&folder, &["fit", sample, "--labels", "random", "--out", "fit"]);
    assert_eq!(status(&fit), 0);
    let built = object(&folder, &["measure", "fit/certificate.txt", sample], 0);
    assert_eq!((&built["labels"], &built["start"]), (&"random".into(), &"none".into()));
    assert_eq!(finding(&built, "training error")["value"], 0.0);
    // Labels of nobody: no bound of this sample may be below the error of a guess.
    for one in built["findings"].as_array().unwrap().iter().filter(|one| !one["says"].is_null()) {
        assert_eq!(one["vacuous"]["against_chance"], true, "{one}");
    }
    let layered = ["fit", sample, "--labels", "random", "--construction", "bit-extraction"];
    let fit = shatter(&folder, &[&layered[..], &["--out", "deep"]].concat());
    assert_eq!(status(&fit), 0, "{}", stderr(&fit));
    let deep = object(&folder, &["measure", "deep/certificate.txt", sample], 0);
    assert!(finding(&deep, "parameters")["value"].as_f64().unwrap() > 0.0);
    // A convolution, as checkpoint and as ONNX: what theories of perceptrons say, and why they do not.
    mnist(&folder, "digits");
    let train =
        ["train", "mnist:digits", "--model", "conv(4,3) relu maxpool(2) flatten dense(6) relu"];
    let brief = ["--epochs", "3", "--batch", "10", "--until-accuracy", "never", "--out", "conv"];
    let output = shatter(&folder, &[&train[..], &brief].concat());
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let checkpoint = "conv/checkpoint.safetensors";
    let trained = object(&folder, &["measure", checkpoint, "mnist:digits"], 0);
    assert!(fails(finding(&trained, NORMS)).contains("convolutions share weights"), "{trained}");
    let export = ["export", checkpoint, "--to", "onnx", "--out", "conv"];
    assert_eq!(status(&shatter(&folder, &export)), 0);
    let other = object(&folder, &["measure", "conv/network.onnx", "mnist:digits"], 0);
    for name in ["parameters", "units"] {
        assert_eq!(finding(&trained, name)["value"], finding(&other, name)["value"], "{name}");
    }
    let text = stdout(&shatter(&folder, &["measure", "conv/network.onnx", "mnist:digits"]));
    assert!(text.contains("    fails: ") && text.contains("start         none"), "{text}");
}

#[test]
fn awkward_networks_and_samples_get_an_answer() {
    let folder = tempdir().unwrap();
    let measure = |network: &str, sample: &str| object(&folder, &["measure", network, sample], 0);
    // No hidden layer.
    let sample = "gaussian:n=6,d=9,classes=2";
    let network = object(&folder, &["linear", sample], 0)["network"].as_str().unwrap().to_owned();
    let linear = measure(&network, sample);
    assert!(finding(&linear, NORMS)["says"].is_number());
    // One point; one class; real labels.
    for (sample, out) in [
        ("lattice:n=1,d=2,range=1000", "one"),
        ("lattice:n=9,d=2,range=1000,classes=1", "same"),
        ("lattice:n=9,d=2,range=1000,target=number", "real"),
    ] {
        let fit = shatter(&folder, &["fit", sample, "--out", out]);
        assert_eq!(status(&fit), 0, "{sample}: {}", stderr(&fit));
        let found = measure(&format!("{out}/network.txt"), sample);
        let reading = ["measure", &format!("{out}/network.txt"), sample, "--pac-bayes", "1"];
        let noisy = object(&folder, &reading, 0);
        assert!(finding(&noisy, "parameters")["value"] == finding(&found, "parameters")["value"]);
    }
    let real = measure("real/network.txt", "lattice:n=9,d=2,range=1000,target=number");
    assert!(fails(finding(&real, NORMS)).contains("real numbers have no margins"), "{real}");
}

#[test]
fn what_cannot_be_measured_is_refused_in_one_line() {
    let folder = tempdir().unwrap();
    let sample = "lattice:n=9,d=2,range=1000,classes=2";
    let output = shatter(&folder, &["fit", sample, "--out", "fit"]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let network = "fit/network.txt";
    let wide = "lattice:n=9,d=3,range=1000,classes=2";
    refused(&folder, &["measure", network, wide], &["takes 2 coordinates", "have 3"]);
    refused(
        &folder,
        &["measure", network, sample, "--delta", "0"],
        &["--delta 0", "between 0 and 1"],
    );
    refused(&folder, &["measure", network, sample, "--rounds", "0"], &["--rounds 0"]);
    refused(&folder, &["measure", "nowhere.onnx", sample], &["nowhere.onnx"]);
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    refused(&folder, &["measure", "empty", sample], &["found 0 runs", "shatter randomize"]);
    refused(&folder, &["measure", "empty", sample, "--labels", "true"], &["--labels is not for"]);
    let rethink = |share: &'static str| ["rethink", sample, "--corruption", share];
    refused(&folder, &rethink("2"), &["--corruption 2", "from 0 to 1"]);
    refused(&folder, &rethink("0.5,0.5"), &["at least two shares"]);
    let real = "gaussian:n=9,d=2,target=number";
    refused(&folder, &["rethink", real], &["real numbers"]);
    refused(&folder, &["capacity", real], &["real numbers"]);
    refused(&folder, &["capacity", sample, "--tolerance=-1"], &["--tolerance -1"]);
}

/// Twins over seeds and shares: every run is kept, the second time leaves the same bytes, and the folder is one that
/// `measure` takes.
#[test]
fn twins_are_kept_and_compared() {
    let folder = tempdir().unwrap();
    let data = "gaussian:n=30,d=8,classes=2";
    let rethink = [
        "rethink",
        data,
        "--test",
        data,
        "--model",
        "mlp:16",
        "--batch",
        "10",
        "--epochs",
        "300",
        "--learning-rate",
        "0.1",
        "--rate-decay",
        "1",
        "--seeds",
        "1,2",
        "--corruption",
        "1,0.5,0",
        "--swap",
        "--rademacher",
        "2",
        "--pac-bayes",
        "2",
    ];
    let found = object(&folder, &rethink, 0);
    let runs = found["runs"].as_array().unwrap();
    let conditions: Vec<&str> = runs.iter().map(|run| run["condition"].as_str().unwrap()).collect();
    assert_eq!(conditions, ["true", "corrupted:0.5", "random", "true", "corrupted:0.5", "random"]);
    assert!(runs.iter().all(|run| run["train_error"] == 0.0), "{found}");
    // Two runs of a kind: apart by chance with probability 2 · 2! 2!/4! = 1/3.
    let contrasts = found["contrasts"].as_array().unwrap();
    for one in contrasts {
        assert!((one["by_chance"].as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-12, "{one}");
    }
    let counts = contrasts.iter().find(|one| one["name"] == "parameters").unwrap();
    assert_eq!((&counts["apart"], &counts["with_true"][1]), (&"equal".into(), &178.0.into()));
    let theories = contrasts.iter().filter(|one| !one["says"].is_null());
    assert!(theories.clone().count() >= 5);
    // Labels of these points are random under every condition.
    assert!(theories.clone().all(|one| one["vacuous"]["against_chance"] == true), "{found}");
    // What the class can do does not depend on the labels; an example swapped moves the weights.
    let named = |name: &str| contrasts.iter().find(|one| one["name"] == name).unwrap();
    let signs = named("Rademacher complexity, from below by a search");
    assert_eq!((&signs["apart"], &signs["kind"]), (&"equal".into(), &"estimate".into()));
    assert!(signs["with_true"][0].as_f64().unwrap() > 0.5, "{signs}");
    let moved = named("swap of one example: distance of the weights");
    assert!(moved["with_random"][0].as_f64().unwrap() > 0.0, "{moved}");
    let before = std::fs::read(folder.path().join("out/rethink/rethink.png")).unwrap();
    assert_eq!(object(&folder, &rethink, 0), found);
    assert_eq!(std::fs::read(folder.path().join("out/rethink/rethink.png")).unwrap(), before);
    let text = stdout(&shatter(&folder, &rethink));
    assert!(text.contains("(kept)") && text.contains("vacuous for both"), "{text}");
    let correlated = object(&folder, &["measure", "out/rethink", data], 0);
    assert_eq!(correlated["runs"].as_array().unwrap().len(), 6);
    let tau = |name: &str| {
        let all = correlated["correlations"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap()["tau"].clone()
    };
    assert!(tau("parameters").is_null(), "it is the same in all runs");
    assert!(tau("distance from start").is_number(), "{correlated}");
}

/// What is found is fitted by as many units as points at the least, and stays below what is excluded.
#[test]
fn capacity_is_between_construction_and_obstruction() {
    let folder = tempdir().unwrap();
    let capacity = [
        "capacity",
        "gaussian:n=300,d=4,classes=2",
        "--model",
        "mlp:6",
        "--epochs",
        "200",
        "--learning-rate",
        "0.1",
        "--rate-decay",
        "1",
        "--batch",
        "16",
        "--seeds",
        "0,1",
    ];
    let found = object(&folder, &capacity, 0);
    let known = &found["known"];
    assert_eq!((&known["by_construction"], &found["parameters"]), (&6.into(), &44.into()));
    for seed in found["seeds"].as_array().unwrap() {
        let (fitted, failed) = (seed["fitted"].as_u64().unwrap(), seed["failed"].as_u64().unwrap());
        assert!(fitted < failed && failed <= known["by_patterns"].as_u64().unwrap(), "{found}");
        assert!(seed["trials"].as_array().unwrap().len() > 1);
    }
    assert_eq!(object(&folder, &capacity, 0), found);
    assert!(folder.path().join("out/capacity/capacity.png").exists());
}

#[test]
fn classes_are_joined_to_groups_in_training_and_test_sample() {
    let folder = tempdir().unwrap();
    mnist(&folder, "digits");
    let grouped = "mnist:digits,groups=0+1+2+3+4/5+6+7+8";
    let train = [
        "train",
        grouped,
        "--model",
        "mlp:4",
        "--batch",
        "9",
        "--epochs",
        "1",
        "--until-accuracy",
        "never",
    ];
    let output = shatter(&folder, &train);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let record = read_json(&folder, "out/train/summary.json");
    assert_eq!(
        record["identity"]["data"]["test"],
        "mnist:digits,split=test,groups=0+1+2+3+4/5+6+7+8"
    );
    let measured = object(&folder, &["measure", "out/train/checkpoint.safetensors", grouped], 0);
    // Of 40 points, 4 have the class 9.
    assert_eq!((&measured["points"], &measured["label_classes"]), (&36.into(), &2.into()));
    csv(&folder, "t.csv", (0..6).map(|i| format!("{i},{}", ["a", "b", "c"][i % 3])));
    let fit = shatter(&folder, &["fit", "csv:t.csv,groups=a/b+c"]);
    assert_eq!(status(&fit), 0, "{}", stderr(&fit));
    refused(&folder, &["fit", "csv:t.csv,groups=a/d"], &["'d' is not a class", "a, b, c"]);
    refused(&folder, &["fit", "csv:t.csv,groups=a"], &["groups=a", "at least two groups"]);
    refused(&folder, &["fit", "gaussian:n=9,d=1,target=number,groups=0/1"], &["real numbers"]);
}
