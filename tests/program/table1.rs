//! Promise: `table1` trains the rows that it is asked for with the settings that they name, keeps
//! those that have ended, and puts the paper's accuracies beside ours.

use std::fs;

use crate::common::program::{npy, read_json, refused, shatter, status, stderr, stdout};
use tempfile::{TempDir, tempdir};

const TRAIN: &str = "npy:train.npy,train-labels.npy";
const TEST: &str = "npy:test.npy,test-labels.npy";

/// Images of 3 × 8 × 8 in ten classes.
fn samples(folder: &TempDir) {
    for (name, n, k) in [("train", 40, 7), ("test", 20, 11)] {
        let bytes: Vec<u8> = (0..n * 192).map(|i| (i * i * k + i / 3) as u8).collect();
        npy(folder, &format!("{name}.npy"), "|u1", &format!("({n}, 3, 8, 8)"), &bytes);
        let classes: Vec<u8> = (0..n).map(|i| (i * 7 % 10) as u8).collect();
        npy(folder, &format!("{name}-labels.npy"), "|u1", &format!("({n},)"), &classes);
    }
}

fn words<'a>(rows: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut words = vec!["table1", TRAIN, "--test", TEST, "--crop", "6", "--batch", "10"];
    words.extend(["--epochs", "2", "--rows", rows]);
    words.extend(more);
    words
}

#[test]
fn rows_have_their_settings_and_the_papers_accuracies() {
    let folder = tempdir().unwrap();
    samples(&folder);
    let output = shatter(&folder, &words("2,9,17-19,25", &[]));
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("40 images of npy:train.npy") && text.contains("not the paper's 50,000"));
    let table = read_json(&folder, "out/table1/table1.json");
    let rows = table["rows"].as_array().unwrap();
    let numbers: Vec<u64> = rows.iter().map(|row| row["row"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [2, 9, 17, 18, 19, 25]);
    for row in rows {
        let name = row["name"].as_str().unwrap();
        let manifest = read_json(&folder, &format!("out/table1/{name}/manifest.json"));
        let summary = read_json(&folder, &format!("out/table1/{name}/summary.json"));
        let configuration = &manifest["configuration"];
        let settings = &configuration["settings"];
        assert_eq!(configuration["model"], row["model"], "{name}");
        assert_eq!(configuration["condition"], row["labels"], "{name}");
        assert_eq!(settings["augmentation"], row["augmentation"], "{name}");
        assert_eq!(settings["weight_decay"], row["weight_decay"], "{name}");
        assert_eq!(settings["rate_decay"], row["rate_decay"], "{name}");
        assert_eq!(row["train_accuracy"], summary["train"]["accuracy"], "{name}");
        assert_eq!(row["test_accuracy"], summary["test"]["accuracy"], "{name}");
        assert_eq!((row["epochs"].as_u64(), row["steps"].as_u64()), (Some(2), Some(8)), "{name}");
    }
    let setting = |at: usize, key: &str| rows[at][key].clone();
    assert_eq!([0, 1, 5].map(|at| setting(at, "augmentation")), ["crop", "crop", "flip,rotate:25"]);
    let decays = [0, 1, 2, 3].map(|at| setting(at, "weight_decay").as_f64().unwrap());
    assert_eq!(decays, [0.0, 1e-4, 1e-4, 0.0]);
    assert_eq!([4, 5].map(|at| setting(at, "labels")), ["random", "random"]);
    assert_eq!([0, 5].map(|at| setting(at, "rate_decay").as_f64().unwrap()), [0.95, 0.999]);
    assert_eq!([0, 4].map(|at| setting(at, "paper_test").as_f64().unwrap()), [0.8931, 0.1061]);
    assert!(rows[5]["paper_test"].is_null());
    let svg = fs::read_to_string(folder.path().join("out/table1/table1.svg")).unwrap();
    assert!(svg.contains("test accuracy, paper"));

    // Again: everything is kept, and one row that is gone is trained again to the same.
    fs::remove_dir_all(folder.path().join("out/table1/mlp1x512-random")).unwrap();
    let output = shatter(&folder, &words("2,9,17-19,25", &[]));
    assert_eq!(stdout(&output).matches("(kept)").count(), 5, "{}", stdout(&output));
    assert_eq!(read_json(&folder, "out/table1/table1.json"), table);
    // Other settings are another run.
    let other = words("17", &["--weight-decay", "0.01"]);
    refused(&folder, &other, &["mlp1x512-decay", "of another run"]);
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_trained() {
    let folder = tempdir().unwrap();
    samples(&folder);
    refused(&folder, &words("26", &[]), &["--rows 26", "1 to 25", "inception-crop"]);
    refused(&folder, &words("17", &["--model", "alexnet"]), &["--model", "--rows"]);
    refused(&folder, &words("17", &["--augment", "flip"]), &["--augment"]);
    let uncropped = ["table1", TRAIN, "--test", TEST, "--batch", "10", "--rows", "17,1"];
    refused(&folder, &uncropped, &["inception-crop-decay", "--crop"]);
    assert!(!folder.path().join("out").exists());
}

/// The GPU (the emulator's) has the processor's losses, and a run that is gone is made again to the
/// same bytes.
#[cfg(feature = "cuda")]
#[test]
fn rows_on_a_gpu() {
    let Some(emulator) = crate::common::emulator::folder() else { return };
    let folder = tempdir().unwrap();
    samples(&folder);
    let run = |device: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_shatter"));
        command.args(words("10,19", &["--device", device, "--out", device]));
        command.current_dir(folder.path()).env("LD_LIBRARY_PATH", emulator);
        let output = command.output().expect("the program starts");
        assert_eq!(status(&output), 0, "{}", stderr(&output));
    };
    let checkpoint =
        |row: &str| folder.path().join("cuda").join(row).join("checkpoint.safetensors");
    run("cuda");
    run("cpu");
    let manifest = read_json(&folder, "cuda/manifest.json");
    let device = manifest["configuration"]["device"].as_str().unwrap();
    assert!(device.contains("CUDA on a processor"), "{device}");
    for row in ["alexnet-crop", "mlp1x512-random"] {
        for part in ["train", "test"] {
            let [a, b] = ["cuda", "cpu"].map(|device| {
                let summary = read_json(&folder, &format!("{device}/{row}/summary.json"));
                summary[part]["loss"].as_f64().unwrap()
            });
            assert!((a - b).abs() <= 1e-4, "{row}, {part}: {a} {b}");
        }
        let first = fs::read(checkpoint(row)).unwrap();
        fs::remove_dir_all(checkpoint(row).parent().unwrap()).unwrap();
        run("cuda");
        assert!(fs::read(checkpoint(row)).unwrap() == first, "{row}");
    }
}
