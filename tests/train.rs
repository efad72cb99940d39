//! Promise: a run that was killed, interrupted or refused loses nothing, and goes on to the same
//! bytes; whatever is wrong is said in a line.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::program::{refused, shatter, status, stderr, stdout};
use rand::Rng;
use shatter::record::stream::{Purpose, below, stream};
use tempfile::{TempDir, tempdir};

/// Files of a run that must not depend on how often it was stopped.
const RESULTS: [&str; 3] = ["checkpoint.safetensors", "train.jsonl", "summary.json"];

const SAMPLE: &str = "gaussian:n=203,d=30,classes=3";

/// A run of about a second in a debug build.
fn run<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut words = vec!["train", SAMPLE, "--labels", "random", "--model"];
    words.extend(["dense(64) batchnorm relu dropout(0.2) dense(32) relu", "--batch", "16"]);
    words.extend(["--epochs", "30", "--until-accuracy", "never", "--weight-decay", "0.001"]);
    words.extend(["--log-every", "5", "--checkpoint-every", "0", "--out", out]);
    words.extend(more);
    words
}

fn results(folder: &TempDir, out: &str) -> Vec<Vec<u8>> {
    RESULTS.iter().map(|file| fs::read(folder.path().join(out).join(file)).unwrap()).collect()
}

#[test]
fn killed_at_random_moments_and_resumed() {
    let folder = tempdir().unwrap();
    let whole = shatter(&folder, &run("whole", &[]));
    assert_eq!(status(&whole), 0, "{}", stderr(&whole));
    let mut rng = stream(5, Purpose::Probe);
    let mut killed = 0;
    let mut resumed = 0;
    while killed < 20 {
        let out = format!("killed{killed}");
        loop {
            let there = folder.path().join(&out).join(RESULTS[0]).exists();
            resumed += u32::from(there);
            let mut program = Command::new(env!("CARGO_BIN_EXE_shatter"))
                .args(run(&out, if there { &["--resume"] } else { &[] }))
                .current_dir(folder.path())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(Duration::from_millis(below(&mut rng, 700)));
            if program.try_wait().unwrap().is_some_and(|status| status.success()) {
                break;
            }
            program.kill().unwrap();
            program.wait().unwrap();
            killed += 1;
            if rng.next_u64().is_multiple_of(2) {
                continue; // killed more than once
            }
            let there = folder.path().join(&out).join(RESULTS[0]).exists();
            let end = shatter(&folder, &run(&out, if there { &["--resume"] } else { &[] }));
            assert_eq!(status(&end), 0, "{}", stderr(&end));
            break;
        }
        assert!(results(&folder, "whole") == results(&folder, &out), "run {out}");
    }
    assert!(resumed > 0, "no run was killed between two checkpoints");
}

#[test]
fn an_interrupt_finishes_the_step_and_says_how_to_go_on() {
    let folder = tempdir().unwrap();
    let mut words = run("stopped", &[]);
    let epochs = words.iter().position(|word| *word == "--epochs").unwrap() + 1;
    words[epochs] = "100000";
    let program = Command::new(env!("CARGO_BIN_EXE_shatter"))
        .args(&words)
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !folder.path().join("stopped/checkpoint.safetensors").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let id = program.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = program.wait_with_output().unwrap();
    assert_eq!(status(&output), 130, "{}", stderr(&output));
    assert!(stderr(&output).contains("--resume goes on from stopped/checkpoint.safetensors"));
    // How long a run lasts may change when it is resumed.
    words[epochs] = "1";
    words.push("--resume");
    let output = shatter(&folder, &words);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
}

#[test]
fn threads_and_checkpoints_change_no_byte() {
    let folder = tempdir().unwrap();
    for (out, threads) in [("one", "1"), ("three", "3")] {
        let output = shatter(&folder, &run(out, &["--threads", threads]));
        assert_eq!(status(&output), 0, "{}", stderr(&output));
    }
    assert!(results(&folder, "one") == results(&folder, "three"));
}

/// The last good checkpoint of a run that diverges is there, and the step is named.
#[test]
fn a_learning_rate_that_diverges() {
    let folder = tempdir().unwrap();
    let words = run("diverged", &["--learning-rate", "1e12", "--initialization", "he-normal"]);
    let output = shatter(&folder, &words);
    assert_eq!(status(&output), 3, "{}", stderr(&output));
    let text = stderr(&output);
    assert!(text.contains("diverged: the loss ceased to be finite at step "), "{text}");
    assert!(!text.contains("step 0 "), "{text}");
}

fn npy(folder: &TempDir, name: &str, kind: &str, shape: &str, bytes: &[u8]) {
    let mut header =
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}").into_bytes();
    header.resize((header.len() + 11).next_multiple_of(64) - 11, b' ');
    header.push(b'\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header);
    file.extend(bytes);
    fs::write(folder.path().join(name), file).unwrap();
}

fn csv(folder: &TempDir, name: &str, rows: impl Iterator<Item = String>) {
    fs::write(folder.path().join(name), rows.collect::<Vec<_>>().join("\n") + "\n").unwrap();
}

#[test]
fn awkward_data() {
    let folder = tempdir().unwrap();
    // A constant image is whitened to zeros, and learned like any other.
    let pixel =
        |i: usize, p: usize| if i.is_multiple_of(2) { 9 } else { (i * 7 + p * 13) as u8 % 251 };
    let pixels = (0..20 * 16).map(|at| pixel(at / 16, at % 16)).collect::<Vec<u8>>();
    npy(&folder, "images.npy", "|u1", "(20, 4, 4)", &pixels);
    let classes = (0..20u8).map(|i| i % 2).collect::<Vec<u8>>();
    npy(&folder, "labels.npy", "|u1", "(20,)", &classes);
    fn words<'a>(sample: &'a str, batch: &'a str) -> Vec<&'a str> {
        let model = ["--model", "mlp:8", "--learning-rate", "0.1", "--batch", batch];
        [&["train", sample, "--no-test", "--overwrite"], &model[..]].concat()
    }
    let images = "npy:images.npy,labels.npy";
    let output = shatter(&folder, &words(images, "5"));
    assert_eq!(status(&output), 0, "{}{}", stdout(&output), stderr(&output));
    // The same with pieces cut out, flipped and turned: the labels stay.
    let augmented = ["--crop", "3", "--augment", "crop,flip,rotate:25", "--epochs", "3"];
    let output = shatter(&folder, &[words(images, "5"), augmented.into()].concat());
    assert!(status(&output) < 2, "{}", stderr(&output));
    assert!(stdout(&output).contains("1×3×3, each image whitened, augmented by"));
    let again = ["eval", "out/train/checkpoint.safetensors", images, "--json"];
    let found: serde_json::Value =
        serde_json::from_str(&stdout(&shatter(&folder, &again))).unwrap();
    let summary = fs::read(folder.path().join("out/train/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
    assert_eq!(found["accuracy"], summary["train"]["accuracy"]);
    // One class: nothing to tell apart.
    csv(&folder, "one.csv", (0..9).map(|i| format!("{i},{},same", i * i)));
    refused(&folder, &words("csv:one.csv", "3"), &["the labels have 1 class"]);
    // One sample.
    csv(&folder, "single.csv", [String::from("1,2,a")].into_iter());
    refused(&folder, &words("csv:single.csv", "1"), &["the labels have 1 class"]);
    csv(&folder, "number.csv", [String::from("1,2,0.5")].into_iter());
    let more = ["--until-loss", "1e-6", "--epochs", "500"];
    let output =
        shatter(&folder, &[words("csv:number.csv,target=number", "1"), more.into()].concat());
    assert_eq!(status(&output), 0, "{}{}", stdout(&output), stderr(&output));
    // A batch larger than the data.
    let message = "a batch of 21 samples is larger than the training set of 20";
    refused(&folder, &words(images, "21"), &[message]);
}

#[test]
fn settings_that_make_no_sense() {
    let folder = tempdir().unwrap();
    let cases: [(&[&str], &str); 9] = [
        (&["--momentum", "1"], "momentum 1"),
        (&["--learning-rate", "nan"], "learning rate NaN"),
        (&["--batch", "0"], "a batch of 0 samples"),
        (&["--model", "dense(8"], "a ')' is missing"),
        (&["--model", "konv(8,3)"], "'konv(8,3)' is no layer"),
        (&["--model", "conv(8,5)"], "does not fit"),
        (&["--device", "cuda", "--precision", "f64"], "--device cuda"),
        (&["--augment", "spin"], "spin"),
        (&["--until-accuracy", "2"], "training accuracy 2"),
    ];
    for (words, message) in cases {
        let words = [&["train", "gaussian:n=200,d=3,classes=2"], words].concat();
        let output = shatter(&folder, &words);
        let expected = if words.contains(&"cuda") { 4 } else { 2 };
        assert_eq!(status(&output), expected, "{words:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(message), "{words:?}: {}", stderr(&output));
        assert!(!folder.path().join("out/train/train.jsonl").exists(), "{words:?}");
    }
}

fn damage(folder: &Path, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(folder.join("checkpoint.safetensors")).unwrap();
    change(&mut bytes);
    fs::create_dir_all(folder.with_file_name(name)).unwrap();
    fs::write(folder.with_file_name(name).join("checkpoint.safetensors"), bytes).unwrap();
    fs::copy(folder.join("train.jsonl"), folder.with_file_name(name).join("train.jsonl")).unwrap();
}

#[test]
fn checkpoints_that_do_not_fit() {
    let folder = tempdir().unwrap();
    fn words<'a>(out: &'a str, model: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let sample = "gaussian:n=40,d=3,classes=2";
        let words = ["train", sample, "--batch", "8", "--epochs", "2", "--out", out];
        [&words[..], &["--model", model], more].concat()
    }
    let train = |out, model, more: &[&'static str]| shatter(&folder, &words(out, model, more));
    let refuse = |out, model, more: &[&'static str], said: &[&str]| {
        refused(&folder, &words(out, model, more), said);
    };
    let output = train("good", "mlp:4", &[]);
    assert!(status(&output) < 2, "{}", stderr(&output));
    // Nothing is overwritten unasked.
    refuse("good", "mlp:4", &[], &["good holds a run", "--resume", "--overwrite"]);
    refuse("none", "mlp:4", &["--resume"], &["no none/checkpoint"]);
    refuse("good", "mlp:5", &["--resume"], &["of another run", "network"]);
    refuse("good", "mlp:4", &["--resume", "--seed", "1"], &["of another run", "condition seed"]);
    refuse("good", "mlp:4", &["--resume", "--momentum", "0.5"], &["of another run", "momentum"]);
    let good = folder.path().join("good");
    damage(&good, "short", |bytes| bytes.truncate(bytes.len() - 3));
    refuse("short", "mlp:4", &["--resume"], &["short/checkpoint.safetensors"]);
    damage(&good, "empty", Vec::clear);
    refuse("empty", "mlp:4", &["--resume"], &["empty/checkpoint.safetensors"]);
    // Weights of another network, and of the same one.
    let init = ["--init", "good/checkpoint.safetensors"];
    refuse("fresh", "mlp:5", &init, &["another architecture", "1.weight", "[4, 3]", "[5, 3]"]);
    let output = train("fresh", "mlp:4", &init);
    assert!(status(&output) < 2, "{}", stderr(&output));
}

/// A full disk, as a limit on the size of files: the checkpoint that was there stays.
#[test]
fn a_full_disk() {
    let folder = tempdir().unwrap();
    let output = shatter(&folder, &run("full", &[]));
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let before = results(&folder, "full");
    let mut words = run("full", &["--resume"]);
    let position = words.iter().position(|word| *word == "--epochs").unwrap();
    words[position + 1] = "60";
    let output = Command::new("bash")
        .args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$@\"", "bash"])
        .arg(env!("CARGO_BIN_EXE_shatter"))
        .args(&words)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(status(&output), 2, "{}", stderr(&output));
    assert!(stderr(&output).contains("full/"), "names the file: {}", stderr(&output));
    assert_eq!(fs::read(folder.path().join("full").join(RESULTS[0])).unwrap(), before[0]);
    // With room again, the run goes on from there.
    let output = shatter(&folder, &words);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
}

#[test]
fn randomize_keeps_what_has_ended() {
    let folder = tempdir().unwrap();
    let words = |conditions| {
        let sample = "gaussian:n=60,d=20,classes=3";
        let settings = ["--model", "mlp:32", "--batch", "10", "--learning-rate", "0.05"];
        let mut words = vec!["randomize", sample, "--corruption", conditions, "--seeds", "0,1"];
        words.extend(settings);
        words
    };
    let first = shatter(&folder, &words("0,1"));
    assert_eq!(status(&first), 0, "{}{}", stdout(&first), stderr(&first));
    let second = shatter(&folder, &words("0,0.5,1"));
    assert_eq!(status(&second), 0, "{}", stderr(&second));
    let text = stdout(&second);
    assert_eq!(text.matches("(kept)").count(), 4, "{text}");
    let table: Vec<serde_json::Value> =
        serde_json::from_slice(&fs::read(folder.path().join("out/randomize/table.json")).unwrap())
            .unwrap();
    assert_eq!(table.len(), 6);
    assert!(table.iter().all(|row| row["train_accuracy"] == 1.0));
    let truth = table.iter().find(|row| row["condition"] == "true" && row["seed"] == 0).unwrap();
    assert_eq!(truth["ratio"], 1.0);
    for file in ["loss.png", "loss.svg", "time.png", "manifest.json", "random-seed1/summary.json"] {
        assert!(folder.path().join("out/randomize").join(file).exists(), "{file}");
    }
}
