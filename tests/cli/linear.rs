//! Promise: `linear` fits what a linear model fits, says what it cannot fit and why, and writes a network that other
//! commands read.

use std::fs;

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::common::program::{csv, read_json, refused, shatter, status, stderr, stdout};

/// The object of a command.
fn object(folder: &TempDir, arguments: &[&str], expected: i32) -> Value {
    let output = shatter(folder, &[arguments, &["--json"]].concat());
    assert_eq!(status(&output), expected, "{arguments:?}: {}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Random labels on more coordinates than points: fitted, by descent too, at a distance that is recorded; the network is
/// read by `eval`, `check --network` and `export`, with the preparation of its points.
#[test]
fn random_labels_are_fitted_by_a_network_that_other_commands_read() {
    let folder = tempdir().unwrap();
    let sample = "lattice:n=12,d=40,range=256,classes=3";
    let fit = ["linear", sample, "--labels", "random", "--seed", "3", "--bias", "--epochs", "400"];
    let found = object(&folder, &fit, 0);
    assert_eq!((&found["fits"], &found["rank"]), (&true.into(), &12.into()));
    assert_eq!(found["train"]["accuracy"], 1.0);
    assert!(found["changed_labels"].as_u64().unwrap() > 0);
    let descents = found["descents"].as_array().unwrap();
    assert_eq!(descents.len(), 2);
    for descent in descents {
        assert!(descent["distance"].as_f64().unwrap() < 1e-6, "{descent}");
        assert!(descent["off_span"].as_f64().unwrap() < 1e-12, "{descent}");
    }
    let interpolants = found["interpolants"].as_array().unwrap();
    assert_eq!(interpolants.len(), 4);
    let norm = found["norm"].as_f64().unwrap();
    for (one, share) in interpolants.iter().zip([0.0f64, 1.0, 3.0, 10.0]) {
        let expected = norm * (1.0 + share * share).sqrt();
        assert!((one["norm"].as_f64().unwrap() / expected - 1.0).abs() < 1e-9, "{one}");
        assert!(one["curvature_difference"].as_f64().unwrap() < 1e-12, "{one}");
        assert_eq!(one["flat_directions"], 41 - 12);
    }
    assert!(found["exact"]["closed_form_error"].as_f64().unwrap() < 1e-10, "{found}");
    // Records and figures.
    let lines = fs::read_to_string(folder.path().join("out/linear/descent.csv")).unwrap();
    assert_eq!(lines.lines().count(), 1 + 2 * 401);
    let lines = fs::read_to_string(folder.path().join("out/linear/decay.csv")).unwrap();
    assert_eq!(lines.lines().count(), 1 + 10);
    for figure in ["descent.png", "descent.svg", "decay.png", "decay.svg"] {
        assert!(folder.path().join("out/linear").join(figure).exists(), "{figure}");
    }
    assert_eq!(read_json(&folder, "out/linear/manifest.json")["configuration"]["bias"], true);
    // Its network.
    let network = found["network"].as_str().unwrap().to_owned();
    let evaluated = object(&folder, &["eval", &network, sample], 0);
    assert_eq!((&evaluated["accuracy"], &evaluated["condition"]), (&1.0.into(), &"random".into()));
    let checked = object(
        &folder,
        &["check", "--network", &network, sample, "--seed", "3", "--out", "own"],
        0,
    );
    assert_eq!((&checked["points"], &checked["verdicts"]["margin"]), (&12.into(), &12.into()));
    object(&folder, &["show", &network], 0);
    object(&folder, &["export", &network, "--to", "onnx", "--out", "exported"], 0);
    // The same again leaves the same bytes.
    let before = fs::read(folder.path().join(&network)).unwrap();
    object(&folder, &fit, 0);
    assert_eq!(fs::read(folder.path().join(&network)).unwrap(), before);
}

/// What no linear model fits: the least squares, and the points that they miss.
#[test]
fn what_cannot_be_fitted_is_said_in_words() {
    let folder = tempdir().unwrap();
    // As XOR, with a point that is there twice.
    csv(
        &folder,
        "xor.csv",
        ["0,0,a", "0,1,b", "1,0,b", "1,1,a", "1,1,a"].map(String::from).into_iter(),
    );
    let output = shatter(&folder, &["linear", "csv:xor.csv", "--bias", "--epochs", "3"]);
    assert_eq!(status(&output), 1, "{}", stderr(&output));
    let text = stdout(&output);
    for words in [
        "no linear model fits: 5 labels are missed",
        "points 0, 1, 2, 3, 4",
        "1 points equal an earlier one",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let found = object(&folder, &["linear", "csv:xor.csv", "--bias", "--epochs", "0"], 1);
    assert_eq!((&found["exact"]["fits"], &found["exact"]["rank"]), (&false.into(), &3.into()));
    assert_eq!(
        (&found["descents"], &found["interpolants"]),
        (&Value::Array(vec![]), &Value::Array(vec![]))
    );
    // Points that contradict each other.
    csv(&folder, "twice.csv", ["1,2,a", "3,4,b", "1,2,b"].map(String::from).into_iter());
    let text = stdout(&shatter(&folder, &["linear", "csv:twice.csv"]));
    assert!(text.contains("point 2 than point 0: no function fits both"), "{text}");
    // Fewer coordinates than points, and labels that are linear all the same; they are real.
    csv(&folder, "line.csv", (0..9).map(|i| format!("{i},7,{}", 3 * i + 14)));
    let real = ["linear", "csv:line.csv,target=number", "--out", "line"];
    let found = object(&folder, &real, 0);
    assert_eq!((&found["fits"], &found["constant_coordinates"]), (&true.into(), &1.into()));
    assert_eq!(found["train"]["accuracy"], Value::Null);
    let network = found["network"].as_str().unwrap().to_owned();
    let evaluated = object(&folder, &["eval", &network, "csv:line.csv,target=number"], 1);
    assert!(evaluated["loss"].as_f64().unwrap() < 1e-20, "{evaluated}");
    // One class only.
    csv(&folder, "one.csv", (0..4).map(|i| format!("{i},{},a", i * i)));
    let found = object(&folder, &["linear", "csv:one.csv", "--bias", "--out", "one"], 0);
    let network = found["network"].as_str().unwrap().to_owned();
    assert_eq!(object(&folder, &["eval", &network, "csv:one.csv"], 0)["accuracy"], 1.0);
    let one = "lattice:n=4,d=6,classes=1";
    let found = object(&folder, &["linear", one, "--out", "drawn"], 0);
    let network = found["network"].as_str().unwrap().to_owned();
    assert_eq!(object(&folder, &["eval", &network, one], 0)["accuracy"], 1.0);
}

/// What cannot be done is refused before it is begun.
#[test]
fn refusals_name_what_is_wrong() {
    let folder = tempdir().unwrap();
    let sample = "gaussian:n=4,d=3";
    refused(&folder, &["linear", sample, "--momentum", "1"], &["momentum 1 is not valid"]);
    let output = shatter(&folder, &["linear", sample, "--decay", "0.1,x"]);
    assert_eq!(status(&output), 2);
    assert!(stderr(&output).contains("'x' is not a weight decay"), "{}", stderr(&output));
    refused(&folder, &["linear", sample, "--learning-rate", "0"], &["step size 0 is not valid"]);
    let output = shatter(&folder, &["linear", sample, "--learning-rate", "1e9"]);
    assert_eq!(status(&output), 3, "{}", stderr(&output));
    assert!(stderr(&output).contains("diverged in epoch"), "{}", stderr(&output));
    csv(&folder, "large.csv", ["1,1e300,1", "2,3,0"].map(String::from).into_iter());
    let found = object(&folder, &["linear", "csv:large.csv"], 2);
    assert_eq!((&found["kind"], &found["place"]["points"][0]), (&"sample".into(), &0.into()));
    assert!(!folder.path().join("out").exists());
}
