//! Promise: the unchanged program trains on a GPU (the emulator's, as a stand-in for the driver's
//! library) what it trains on the processor, says what it finds, and what is missing.
#![cfg(feature = "cuda")]

#[path = "../common"]
#[allow(dead_code, unused_imports)] // what is shared is used in parts
mod common {
    pub mod binary;
    pub mod driver;
    pub mod emulator;
    pub mod place;
    pub mod skipped;
}

use std::fs;

use crate::common::driver::{Libraries, err, has_driver, libraries, out, shatter};
use crate::common::emulator;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

#[test]
fn emulated_doctor_says_what_there_is() {
    let Some(emulator) = emulator::folder() else { return };
    let folder = tempdir().unwrap();
    let doctor =
        |libraries, settings: &[_]| out(&shatter(&folder, libraries, settings, &["doctor"]));
    let text = doctor(Some(emulator), &[]);
    let found = "yes: CUDA on a processor, compute capability 8.0, 4.0 GiB, driver of CUDA 13.0";
    assert!(text.contains(found), "{text}");
    let text = doctor(Some(emulator), &[("SHATTER_EMULATOR_DRIVER", "12040")]);
    assert!(text.contains("no: CUDA on a processor"), "{text}");
    assert!(text.contains("speaks CUDA 12.4") && text.contains("driver of 580 or newer"), "{text}");
    let text = doctor(Some(emulator), &[("SHATTER_EMULATOR_DEVICES", "0")]);
    assert!(text.contains("no: the NVIDIA driver finds no device"), "{text}");
    if !has_driver() {
        let text = doctor(Some(folder.path()), &[]);
        assert!(text.contains("no: no NVIDIA driver on this machine"), "{text}");
    }
}

const MODEL: &str = "mlp:16,8";
/// In the words for a GPU, and in those for nothing else.
const GPU: &str = "compute capability";

fn words<'a>(
    device: &'a str,
    (model, epochs): (&'a str, &'a str),
    more: &[&'a str],
) -> Vec<&'a str> {
    let mut words = vec!["train", "gaussian:n=203,d=30,classes=3", "--labels", "corrupted:0.2"];
    words.extend(["--model", model, "--batch", "16", "--epochs", epochs, "--device", device]);
    words.extend(["--until-accuracy", "never", "--weight-decay", "0.001", "--out", device]);
    words.extend(["--log-every", "3"]);
    words.extend(more);
    words
}

/// All lines of the record of a run.
fn lines(folder: &TempDir, run: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder.path().join(run).join("train.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn training_has_the_losses_of_the_processor() {
    let Some(libraries) = libraries() else { return };
    let folder = tempdir().unwrap();
    let run = |words: &[&str]| {
        let output = shatter(&folder, libraries, &[], words);
        assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
        out(&output)
    };
    let text = run(&words("cuda", (MODEL, "4"), &[]));
    assert!(text.contains(GPU), "{text}");
    run(&words("cpu", (MODEL, "4"), &[]));
    let (cuda, cpu) = (lines(&folder, "cuda"), lines(&folder, "cpu"));
    assert!(cuda.len() > 16);
    assert_eq!(cuda.len(), cpu.len());
    for (cuda, cpu) in cuda.iter().zip(&cpu) {
        assert_eq!(cuda["step"], cpu["step"]);
        for which in ["online", "train"] {
            let [a, b] = [cuda, cpu].map(|line| line[which]["loss"].as_f64());
            assert_eq!(a.is_some(), b.is_some());
            let difference = a.unwrap_or(0.0) - b.unwrap_or(0.0);
            assert!(difference.abs() <= 1e-4, "{cuda}\n{cpu}");
        }
    }
    // Again: the same bytes; and stopped after two epochs and resumed.
    let checkpoint = |run: &str| fs::read(folder.path().join(run).join("checkpoint.safetensors"));
    let first = checkpoint("cuda").unwrap();
    run(&words("cuda", (MODEL, "4"), &["--overwrite"]));
    assert!(checkpoint("cuda").unwrap() == first);
    run(&words("cuda", (MODEL, "2"), &["--overwrite"]));
    // Not on another device, whose bytes would be others.
    let mut elsewhere = words("cpu", (MODEL, "4"), &["--resume"]);
    let to = elsewhere.iter().position(|word| *word == "--out").unwrap();
    elsewhere[to + 1] = "cuda";
    let output = shatter(&folder, libraries, &[], &elsewhere);
    assert_eq!(output.status.code(), Some(2));
    let said = "its device is \"cuda\"; expected \"cpu\"";
    assert!(err(&output).contains(said), "{}", err(&output));
    run(&words("cuda", (MODEL, "4"), &["--resume"]));
    assert!(checkpoint("cuda").unwrap() == first);
}

#[test]
fn replicas_leave_the_bytes_of_runs_one_by_one() {
    let Some(libraries) = libraries() else { return };
    let folder = tempdir().unwrap();
    let sweep = |to: &str, replicas: &str| {
        let mut words = vec!["randomize", "gaussian:n=50,d=12,classes=3", "--model", "mlp:16"];
        words.extend(["--conditions", "true,corrupted:0.5,random", "--seeds", "0,1"]);
        words.extend(["--batch", "16", "--epochs", "8", "--learning-rate", "0.1"]);
        words.extend(["--until-accuracy", "0.8", "--device", "cuda", "--replicas", replicas]);
        words.extend(["--out", to]);
        let output = shatter(&folder, libraries, &[], &words);
        assert!(output.status.code() < Some(2), "{}{}", out(&output), err(&output));
        let mut bytes = vec![fs::read(folder.path().join(to).join("table.json")).unwrap()];
        for condition in ["true", "corrupted-0.5", "random"] {
            for seed in [0, 1] {
                for name in ["train.jsonl", "checkpoint.safetensors", "summary.json"] {
                    let run = folder.path().join(to).join(format!("{condition}-seed{seed}"));
                    bytes.push(fs::read(run.join(name)).unwrap());
                }
            }
        }
        bytes
    };
    let single = sweep("single", "1");
    assert!(sweep("several", "6") == single);
    assert!(sweep("fours", "4") == single);
}

/// As many at once as there is memory for.
#[test]
fn emulated_replicas_want_memory() {
    let Some(emulator) = emulator::folder() else { return };
    let folder = tempdir().unwrap();
    let sweep = |to: &str, memory| {
        let mut words = vec!["randomize", "gaussian:n=20,d=2000,classes=3", "--model", "mlp:32"];
        words.extend([
            "--conditions",
            "true",
            "--seeds",
            "0,1,2,3",
            "--batch",
            "10",
            "--epochs",
            "2",
        ]);
        words.extend([
            "--until-accuracy",
            "never",
            "--device",
            "cuda",
            "--replicas",
            "4",
            "--out",
            to,
        ]);
        let output =
            shatter(&folder, Some(emulator), &[("SHATTER_EMULATOR_MEMORY", memory)], &words);
        let table = fs::read(folder.path().join(to).join("table.json")).ok();
        (output.status.code(), table, err(&output))
    };
    let (status, all, errors) = sweep("four", "64");
    assert_eq!(status, Some(0), "{errors}");
    assert!(errors.is_empty(), "{errors}");
    let (status, table, text) = sweep("two", "3");
    assert_eq!(status, Some(0), "{text}");
    assert!(table == all);
    let [why, what] = ["cannot allocate ", "; 2 at once from here on"];
    assert!(text.contains(why) && text.contains(what), "{text}");
    let (status, .., errors) = sweep("none", "0");
    assert_eq!(status, Some(2), "{errors}");
    assert!(errors.contains("cannot allocate "), "{errors}");
}

#[test]
fn tensor_cores_train_and_are_asked_for_by_name() {
    let Some(libraries) = libraries() else { return };
    let folder = tempdir().unwrap();
    let run = |words: &[&str]| shatter(&folder, libraries, &[], words);
    let checkpoint = || fs::read(folder.path().join("cuda/checkpoint.safetensors")).unwrap();
    let mut checkpoints = Vec::new();
    for precision in ["f32", "tf32", "bf16"] {
        let more = ["--overwrite", "--precision", precision];
        for twice in [false, true] {
            let output = run(&words("cuda", (MODEL, "4"), &more));
            assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
            let named = format!("f32, products in {precision}");
            assert_eq!(out(&output).contains(&named), precision != "f32", "{}", out(&output));
            if twice {
                assert!(checkpoint() == checkpoints[checkpoints.len() - 1]);
            } else {
                checkpoints.push(checkpoint());
            }
        }
        let record = lines(&folder, "cuda");
        let losses: Vec<f64> =
            record.iter().filter_map(|line| line["online"]["loss"].as_f64()).collect();
        assert!(losses[losses.len() - 1] < losses[0], "{losses:?}");
    }
    assert!(checkpoints[0] != checkpoints[1] && checkpoints[1] != checkpoints[2]);
    // What was computed so does not go on otherwise.
    let output = run(&words("cuda", (MODEL, "5"), &["--resume", "--precision", "tf32"]));
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).contains("precision") && err(&output).contains("bf16"),
        "{}",
        err(&output)
    );
}

#[test]
fn emulated_tensor_cores_that_are_not_there_are_status_4() {
    let Some(emulator) = emulator::folder() else { return };
    let folder = tempdir().unwrap();
    let old = [("SHATTER_EMULATOR_CAPABILITY", "75")];
    let refused = |device, precision, settings: &[_], said: &str| {
        let more = ["--precision", precision, "--overwrite"];
        let output =
            shatter(&folder, Some(emulator), settings, &words(device, (MODEL, "1"), &more));
        assert_eq!(output.status.code(), Some(4), "{}", err(&output));
        assert!(err(&output).contains(said), "{}", err(&output));
    };
    let capability = "its compute capability is 7.5, and bf16 needs 8.0";
    refused("cuda", "bf16", &old, capability);
    refused("auto", "bf16", &old, capability);
    refused("cpu", "tf32", &[], "--precision tf32: the processor has no tensor cores");
}

#[test]
fn auto_takes_what_can_do_it_and_says_why() {
    let Some(libraries) = libraries() else { return };
    let folder = tempdir().unwrap();
    let short = |model, more: &[&'static str]| {
        let output = shatter(&folder, libraries, &[], &words("auto", (model, "1"), more));
        assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
        out(&output)
    };
    let text = short(MODEL, &[]);
    assert!(text.contains(GPU) && !text.contains("no GPU"), "{text}");
    let text = short(MODEL, &["--overwrite", "--precision", "f64"]);
    assert!(text.contains("(no GPU: the device does not support f64 on CUDA, only f32)"), "{text}");
    let text = short("dense(8) batchnorm relu", &["--overwrite"]);
    assert!(text.contains(GPU) && !text.contains("no GPU"), "{text}");
}

#[test]
fn emulated_a_device_that_is_not_there_is_status_4() {
    let folder = tempdir().unwrap();
    let refused =
        |libraries: Libraries, settings: &[_], (model, more): (&str, &[&str]), said: &str| {
            let output = shatter(&folder, libraries, settings, &words("cuda", (model, "1"), more));
            assert_eq!(output.status.code(), Some(4), "{}", err(&output));
            assert!(err(&output).starts_with("error: --device cuda: "), "{}", err(&output));
            assert!(err(&output).contains(said), "{}", err(&output));
            assert!(!folder.path().join("cuda").exists());
        };
    let plain = (MODEL, &[][..]);
    if !has_driver() {
        refused(Some(folder.path()), &[], plain, "no NVIDIA driver on this machine");
    }
    let Some(emulator) = emulator::folder() else { return };
    refused(Some(emulator), &[("SHATTER_EMULATOR_DEVICES", "0")], plain, "finds no device");
    refused(
        Some(emulator),
        &[("SHATTER_EMULATOR_DRIVER", "12090")],
        plain,
        "driver of 580 or newer",
    );
    refused(Some(emulator), &[], (MODEL, &["--precision", "f64"]), "f64");
}
