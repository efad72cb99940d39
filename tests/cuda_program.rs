//! Promise: the unchanged program trains on a GPU (the emulator's, as a stand-in for the driver's
//! library) what it trains on the processor, says what it finds, and what is missing.
#![cfg(feature = "cuda")]

mod common {
    pub mod emulator;
}

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use common::emulator;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

/// Runs the program in a folder, with these libraries before all others.
fn shatter(
    folder: &TempDir,
    libraries: &Path,
    settings: &[(&str, &str)],
    words: &[&str],
) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shatter"));
    command.args(words).current_dir(folder.path()).envs(settings.iter().copied());
    command.env("LD_LIBRARY_PATH", libraries).output().expect("the program starts")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Whether this machine has a driver of its own.
fn has_driver() -> bool {
    shatter_cuda_driver::open().is_ok()
}

#[test]
fn doctor_says_what_there_is() {
    let Some(emulator) = emulator::folder() else { return };
    let folder = tempdir().unwrap();
    let doctor =
        |libraries, settings: &[_]| out(&shatter(&folder, libraries, settings, &["doctor"]));
    let text = doctor(emulator, &[]);
    let found = "yes: CUDA on a processor, compute capability 7.5, 4.0 GiB, driver of CUDA 13.0";
    assert!(text.contains(found), "{text}");
    let text = doctor(emulator, &[("SHATTER_EMULATOR_DRIVER", "12040")]);
    assert!(text.contains("no: CUDA on a processor"), "{text}");
    assert!(text.contains("speaks CUDA 12.4") && text.contains("driver of 580 or newer"), "{text}");
    let text = doctor(emulator, &[("SHATTER_EMULATOR_DEVICES", "0")]);
    assert!(text.contains("no: the NVIDIA driver finds no device"), "{text}");
    if !has_driver() {
        let text = doctor(folder.path(), &[]);
        assert!(text.contains("no: no NVIDIA driver on this machine"), "{text}");
    }
}

const MODEL: &str = "mlp:16,8";

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
    let Some(emulator) = emulator::folder() else { return };
    let folder = tempdir().unwrap();
    let run = |words: &[&str]| {
        let output = shatter(&folder, emulator, &[], words);
        assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
        out(&output)
    };
    let text = run(&words("cuda", (MODEL, "4"), &[]));
    assert!(text.contains("CUDA on a processor"), "{text}");
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
    run(&words("cuda", (MODEL, "4"), &["--resume"]));
    assert!(checkpoint("cuda").unwrap() == first);
}

#[test]
fn auto_takes_what_can_do_it_and_says_why() {
    let Some(emulator) = emulator::folder() else { return };
    let folder = tempdir().unwrap();
    let short = |model, more: &[&'static str]| {
        let output = shatter(&folder, emulator, &[], &words("auto", (model, "1"), more));
        assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
        out(&output)
    };
    let text = short(MODEL, &[]);
    assert!(text.contains("CUDA on a processor") && !text.contains("no GPU"), "{text}");
    let text = short(MODEL, &["--overwrite", "--precision", "f64"]);
    assert!(text.contains("(no GPU: the device has no f64 on CUDA, only f32)"), "{text}");
    let text = short("dense(8) batchnorm relu", &["--overwrite"]);
    assert!(text.contains("CUDA on a processor") && !text.contains("no GPU"), "{text}");
}

#[test]
fn a_device_that_is_not_there_is_status_4() {
    let folder = tempdir().unwrap();
    let refused = |libraries: &Path, settings: &[_], (model, more): (&str, &[&str]), said: &str| {
        let output = shatter(&folder, libraries, settings, &words("cuda", (model, "1"), more));
        assert_eq!(output.status.code(), Some(4), "{}", err(&output));
        assert!(err(&output).starts_with("error: --device cuda: "), "{}", err(&output));
        assert!(err(&output).contains(said), "{}", err(&output));
        assert!(!folder.path().join("cuda").exists());
    };
    let plain = (MODEL, &[][..]);
    if !has_driver() {
        refused(folder.path(), &[], plain, "no NVIDIA driver on this machine");
    }
    let Some(emulator) = emulator::folder() else { return };
    refused(emulator, &[("SHATTER_EMULATOR_DEVICES", "0")], plain, "finds no device");
    refused(emulator, &[("SHATTER_EMULATOR_DRIVER", "12090")], plain, "driver of 580 or newer");
    refused(emulator, &[], (MODEL, &["--precision", "f64"]), "f64");
}
