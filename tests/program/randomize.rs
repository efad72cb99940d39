//! Promise: randomization tests keep what has ended, take nothing for a result that is none, and
//! what their records hold is found again from checkpoints and drawn again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use crate::common::binary::program;
use crate::common::program::{npy, read_json, refused, shatter, status, stderr, stdout};
use tempfile::{TempDir, tempdir};

/// Images of 4 × 4 in three classes: `train` and `test` of them.
fn images(folder: &TempDir, train: usize, test: usize) {
    let bytes =
        |n: usize, k: usize| (0..n * 16).map(|i| (i * i * k + i / 3) as u8).collect::<Vec<u8>>();
    for (name, n, k) in [("train", train, 7), ("test", test, 11)] {
        npy(folder, &format!("{name}.npy"), "|u1", &format!("({n}, 4, 4)"), &bytes(n, k));
        let classes = (0..n).map(|i| (i * i % 3) as u8).collect::<Vec<u8>>();
        npy(folder, &format!("{name}-labels.npy"), "|u1", &format!("({n},)"), &classes);
    }
}

/// The numbers of a run, found again by evaluating its checkpoint.
#[test]
fn eval_finds_what_the_run_recorded() {
    let folder = tempdir().unwrap();
    images(&folder, 40, 30);
    let train = "npy:train.npy,train-labels.npy,draw=35";
    let test = "npy:test.npy,test-labels.npy";
    let mut words = vec!["randomize", train, "--test", test, "--model", "mlp:8", "--batch", "5"];
    words.extend(["--epochs", "4", "--seeds", "3", "--seed", "5"]);
    let seeds = words.iter().position(|word| *word == "--seed").unwrap();
    words.truncate(seeds); // the seed of the sample is 0, that of the runs 3
    let output = shatter(&folder, &words);
    assert!(status(&output) < 2, "{}", stderr(&output));
    let table = read_json(&folder, "out/randomize/table.json");
    assert_eq!(table["runs"].as_array().unwrap().len(), 6);
    for row in table["runs"].as_array().unwrap() {
        let name = row["condition"].as_str().unwrap().replace(':', "-");
        let run = format!("out/randomize/{name}-seed3");
        let summary = read_json(&folder, &format!("{run}/summary.json"));
        for (sample, part) in [(train, "train"), (test, "test")] {
            let checkpoint = format!("{run}/checkpoint.safetensors");
            let output = shatter(&folder, &["eval", &checkpoint, sample, "--json"]);
            let found: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
            assert_eq!(found["accuracy"], summary[part]["accuracy"], "{name}, {part}");
            let [a, b] = [&found["loss"], &summary[part]["loss"]].map(|x| x.as_f64().unwrap());
            assert!((a - b).abs() <= 1e-5 * b.abs(), "{name}, {part}: {a} {b}");
        }
    }
}

/// What does not go together is named on both sides.
#[test]
fn other_points_than_those_of_the_network() {
    let folder = tempdir().unwrap();
    let words = ["train", "gaussian:n=20,d=3,classes=2", "--batch", "5", "--epochs", "1"];
    assert!(status(&shatter(&folder, &words)) < 2);
    let checkpoint = "out/train/checkpoint.safetensors";
    let words = ["eval", checkpoint, "gaussian:n=20,d=4,classes=2"];
    refused(&folder, &words, &[checkpoint, "3×1×1", "n=20,d=4", "4×1×1"]);
}

/// A run that has fitted is not trained further because it might have lasted longer.
#[test]
fn more_epochs_leave_what_has_fitted_alone() {
    let folder = tempdir().unwrap();
    let words = |epochs| {
        let sample = "gaussian:n=40,d=20,classes=3";
        let mut words = vec!["randomize", sample, "--conditions", "true,random", "--batch", "10"];
        words.extend(["--model", "mlp:32", "--learning-rate", "0.05", "--epochs", epochs]);
        words
    };
    let first = shatter(&folder, &words("200"));
    assert_eq!(status(&first), 0, "{}", stdout(&first));
    let table = read_json(&folder, "out/randomize/table.json");
    // Nor does it count as fitted where it would not have come so far.
    refused(&folder, &words("1"), &["true-seed0", "of another run", "completed epochs"]);
    let second = shatter(&folder, &words("300"));
    assert_eq!(stdout(&second).matches("(kept)").count(), 2, "{}", stdout(&second));
    assert_eq!(read_json(&folder, "out/randomize/table.json"), table);
    // One that had not goes on.
    let longer = |epochs| {
        let sample = "gaussian:n=100,d=2,classes=3";
        ["train", sample, "--labels", "random", "--batch", "10", "--epochs", epochs]
    };
    assert_eq!(status(&shatter(&folder, &longer("1"))), 1);
    let output = shatter(&folder, &[&longer("2")[..], &["--resume"]].concat());
    assert!(stdout(&output).contains("(2 epochs)"), "{}", stdout(&output));
}

/// Neither of a single run nor of several is more asked than was asked for.
#[test]
fn a_sweep_that_was_not_to_fit_has_not_failed() {
    let folder = tempdir().unwrap();
    let sample = "gaussian:n=40,d=2,classes=3";
    let words = |command: &'static str, share: &'static str| {
        let mut words = vec![command, sample, "--model", "mlp:4", "--batch", "10", "--epochs", "1"];
        words.extend(["--until-accuracy", share, "--out", share]);
        words
    };
    for command in ["train", "randomize"] {
        assert_eq!(status(&shatter(&folder, &words(command, "never"))), 0, "{command}");
        assert_eq!(status(&shatter(&folder, &words(command, "1"))), 1, "{command}");
        for out in ["never", "1"] {
            fs::remove_dir_all(folder.path().join(out)).unwrap();
        }
    }
}

#[test]
fn a_case_that_diverges_is_a_row_of_the_table() {
    let folder = tempdir().unwrap();
    let mut words =
        vec!["randomize", "gaussian:n=40,d=20,classes=3", "--conditions", "true,random"];
    words.extend(["--batch", "10", "--model", "mlp:32", "--learning-rate", "1e30"]);
    for kept in [0, 2] {
        let output = shatter(&folder, &words);
        assert_eq!(status(&output), 3, "{}{}", stdout(&output), stderr(&output));
        assert_eq!(stdout(&output).matches("(kept)").count(), kept, "{}", stdout(&output));
        assert!(stdout(&output).contains("diverged after "), "{}", stdout(&output));
    }
    let table = read_json(&folder, "out/randomize/table.json");
    assert!(table["runs"].as_array().unwrap().iter().all(|row| row["ended"] == "diverged"));
    // Other settings in the same folder: refused, and what stands there stays true.
    let run = "out/randomize/true-seed0";
    let manifest = fs::read(folder.path().join(run).join("manifest.json")).unwrap();
    words.extend(["--momentum", "0.5"]);
    refused(&folder, &words, &[run, "another run", "momentum"]);
    assert_eq!(fs::read(folder.path().join(run).join("manifest.json")).unwrap(), manifest);
}

/// Of the conditions that nobody asked for, those are run that mean something.
#[test]
fn conditions_that_mean_nothing_are_left_out_or_refused_at_once() {
    let folder = tempdir().unwrap();
    let sample = "gaussian:n=30,d=4,classes=2";
    let words = ["randomize", sample, "--batch", "10", "--epochs", "1", "--model", "mlp:4"];
    let output = shatter(&folder, &words);
    assert!(status(&output) < 2, "{}", stderr(&output));
    assert_eq!(read_json(&folder, "out/randomize/table.json")["runs"].as_array().unwrap().len(), 3);
    let chosen = ["--conditions", "true,gaussian", "--out", "chosen"];
    refused(&folder, &[&words[..], &chosen].concat(), &["condition gaussian", "no pixels"]);
    assert!(!folder.path().join("chosen").exists());
}

#[test]
fn figures_are_drawn_again_from_records() {
    let folder = tempdir().unwrap();
    for model in ["mlp:8", "mlp:16"] {
        let mut words = vec!["randomize", "gaussian:n=40,d=20,classes=3", "--test"];
        words.extend(["gaussian:n=20,d=20,classes=3,seed=4", "--batch", "10", "--epochs", "3"]);
        words.extend(["--corruption", "0,0.5,1,0.5", "--model", model, "--out", model]);
        let output = shatter(&folder, &words);
        assert!(status(&output) < 2, "{}", stderr(&output));
        assert!(folder.path().join(model).join("test_error.png").exists());
    }
    let output = shatter(&folder, &["figures", "mlp:8", "mlp:16", "--out", "both"]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    for file in ["loss-mlp-8.svg", "loss-mlp-16.png", "test_error.svg", "accuracy.svg"] {
        assert!(folder.path().join("both").join(file).exists(), "{file}");
    }
    let svg = fs::read_to_string(folder.path().join("both/accuracy.svg")).unwrap();
    assert!(svg.contains("mlp:16 test") && svg.contains("shatter figures mlp:8 mlp:16"));
    // The same network on other data has no place in the same curve; a folder may be empty.
    let mut words = vec!["train", "gaussian:n=30,d=20,classes=3", "--batch", "10", "--epochs", "1"];
    words.extend(["--model", "mlp:8", "--out", "other"]);
    assert!(status(&shatter(&folder, &words)) < 2);
    refused(
        &folder,
        &["figures", "mlp:8", "other"],
        &["runs of mlp:8 were trained on", "n=30", "n=40"],
    );
    refused(&folder, &["figures", "mlp:8", "mlp:8"], &["two runs of mlp:8"]);
    fs::create_dir(folder.path().join("empty")).unwrap();
    refused(&folder, &["figures", "empty"], &["empty holds no run that has ended"]);
    // Nor have runs of other settings.
    words.extend(["--momentum", "0.5", "--seed", "1", "--overwrite"]);
    let sample = words.iter().position(|word| word.starts_with("gaussian")).unwrap();
    words[sample] = "gaussian:n=40,d=20,classes=3,seed=0";
    assert!(status(&shatter(&folder, &words)) < 2);
    refused(&folder, &["figures", "mlp:8", "other"], &["runs of mlp:8 differ in "]);
    // A record that is damaged is named with its line.
    let record = folder.path().join("other/train.jsonl");
    fs::write(&record, "{}\n").unwrap();
    refused(&folder, &["figures", "other"], &["other/train.jsonl", "line 1"]);
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
    let table = read_json(&folder, "out/randomize/table.json");
    let table = table["runs"].as_array().unwrap();
    assert_eq!(table.len(), 6);
    assert!(table.iter().all(|row| row["train_accuracy"] == 1.0));
    let truth = table.iter().find(|row| row["condition"] == "true" && row["seed"] == 0).unwrap();
    assert_eq!(truth["ratio"], 1.0);
    for file in ["loss.png", "loss.svg", "time.png", "manifest.json", "random-seed1/summary.json"] {
        assert!(folder.path().join("out/randomize").join(file).exists(), "{file}");
    }
}

/// Every file of every run, by its folder and name, without what says when and how it was made.
fn files(folder: &TempDir, out: &str) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder.path().join(out)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            for name in ["train.jsonl", "checkpoint.safetensors", "summary.json"] {
                let key = format!("{}/{name}", path.file_name().unwrap().display());
                found.extend(fs::read(path.join(name)).ok().map(|bytes| (key, bytes)));
            }
        }
    }
    found.insert("table".into(), fs::read(folder.path().join(out).join("table.json")).unwrap());
    found
}

/// Runs side by side leave the bytes of runs one by one: those that fit early and late, those whose
/// pixels change, in groups that become smaller and through an interruption.
#[test]
fn runs_side_by_side_are_those_one_by_one() {
    let folder = tempdir().unwrap();
    images(&folder, 43, 21);
    let (sample, test) = ("npy:train.npy,train-labels.npy", "npy:test.npy,test-labels.npy");
    let words = |out: &'static str, more: &[&'static str]| {
        let mut words =
            vec!["randomize", sample, "--test", test, "--batch", "8", "--seeds", "0,1,2"];
        words.extend(["--conditions", "true,corrupted:0.3,random,gaussian"]);
        words.extend([
            "--model",
            "flatten dense(24) relu dropout(0.2) dense(3)",
            "--learning-rate",
            "0.1",
        ]);
        words.extend(["--until-accuracy", "0.9", "--log-every", "4", "--out", out]);
        words.extend(more);
        words
    };
    let run = |words: &[&str]| {
        let output = shatter(&folder, words);
        assert!(status(&output) < 2, "{}{}", stdout(&output), stderr(&output));
        stdout(&output)
    };
    run(&words("single", &["--epochs", "40"]));
    let single = files(&folder, "single");
    let table = read_json(&folder, "single/table.json");
    let steps: BTreeSet<Option<u64>> =
        table["runs"].as_array().unwrap().iter().map(|row| row["steps_to_fit"].as_u64()).collect();
    assert!(steps.len() > 3, "runs that all end at once show nothing: {steps:?}");
    for replicas in ["3", "64"] {
        let text = run(&words("several", &["--epochs", "40", "--replicas", replicas]));
        assert!(text.contains(" at once"), "{text}");
        assert!(files(&folder, "several") == single, "with {replicas} side by side");
        fs::remove_dir_all(folder.path().join("several")).unwrap();
    }
    // A part of the way, in other groups, and then the rest.
    run(&words("several", &["--epochs", "1", "--replicas", "5"]));
    run(&words("several", &["--epochs", "40", "--replicas", "4"]));
    assert!(files(&folder, "several") == single);
    let text = run(&words("several", &["--epochs", "40", "--replicas", "4"]));
    assert_eq!(text.matches("(kept)").count(), 12, "{text}");
}

/// A summary of another run is not kept: the run is made again. One that is no record is refused, and stays.
#[test]
fn summaries_of_other_identities_are_not_kept() {
    let folder = tempdir().unwrap();
    images(&folder, 20, 0);
    let mut words = vec!["randomize", "npy:train.npy,train-labels.npy", "--no-test"];
    words.extend(["--batch", "8", "--epochs", "1", "--conditions", "true", "--model", "mlp:4"]);
    words.extend(["--until-accuracy", "never", "--out", "out"]);
    assert_eq!(status(&shatter(&folder, &words)), 0);
    let name = "out/true-seed0/summary.json";
    let path = folder.path().join(name);
    let summary = read_json(&folder, name);
    let fields = [("data", "sample_sha256", "00"), ("data", "device", "abacus")];
    for (part, field, value) in [("settings", "order", "sequential")].into_iter().chain(fields) {
        let mut altered = summary.clone();
        altered["identity"][part][field] = value.into();
        fs::write(&path, altered.to_string()).unwrap();
        let output = shatter(&folder, &words);
        assert_eq!(status(&output), 0, "{field}: {}", stderr(&output));
        assert!(!stdout(&output).contains("(kept)"), "{field}: {}", stdout(&output));
        assert_eq!(read_json(&folder, name), summary, "{field}");
    }
    assert!(stdout(&shatter(&folder, &words)).contains("(kept)"));
    for identity in ["null", "3", "[]", "{}", r#"{"data": 5}"#, r#"{"data": {}, "settings": []}"#] {
        let mut altered = summary.clone();
        altered["identity"] = serde_json::from_str(identity).unwrap();
        fs::write(&path, altered.to_string()).unwrap();
        let output = shatter(&folder, &words);
        assert_eq!(status(&output), 2, "{identity}: {}", stderr(&output));
        assert!(stderr(&output).contains(name), "{identity}: {}", stderr(&output));
        assert_eq!(read_json(&folder, name), altered, "{identity}");
    }
}

/// A run that diverges leaves those beside it alone.
#[test]
fn side_by_side_some_diverge() {
    let folder = tempdir().unwrap();
    images(&folder, 43, 0);
    let sweep = |out: &'static str, replicas| {
        let mut words = vec!["randomize", "npy:train.npy,train-labels.npy", "--no-test"];
        words.extend(["--batch", "8", "--epochs", "20", "--loss", "squared", "--out", out]);
        words.extend(["--seeds", "0,1,2,3,4,5", "--conditions", "true", "--replicas", replicas]);
        words.extend(["--model", "flatten dense(24) relu dense(3)", "--learning-rate", "0.2"]);
        let output = shatter(&folder, &words);
        assert_eq!(status(&output), 3, "{}", stderr(&output));
        let mut left = files(&folder, out);
        // How far the last good checkpoint of one that diverged had come is a matter of time.
        left.retain(|name, _| !name.ends_with("checkpoint.safetensors"));
        left
    };
    assert!(sweep("single", "1") == sweep("several", "6"));
    let table = read_json(&folder, "single/table.json");
    let ended = table["runs"].as_array().unwrap().iter().map(|row| row["ended"].as_str().unwrap());
    let ended: BTreeSet<&str> = ended.collect();
    assert!(ended.len() > 1, "all the same: {ended:?}");
}

/// A file that cannot be written stops the runs beside it, too, at once; with room again, all go on.
#[test]
fn side_by_side_one_has_no_room() {
    let folder = tempdir().unwrap();
    let words = |out: &'static str, conditions: &'static str, more: &[&'static str]| {
        let mut words = vec!["randomize", "gaussian:n=50,d=12,classes=3", "--model", "mlp:4"];
        words.extend(["--batch", "10", "--until-accuracy", "never", "--out", out]);
        words.extend(["--conditions", conditions]);
        words.extend(more);
        words
    };
    let run = |words: &[&str]| {
        let output = shatter(&folder, words);
        assert_eq!(status(&output), 0, "{}", stderr(&output));
    };
    let end: &[&str] = &["--epochs", "60", "--log-every", "1", "--replicas", "2"];
    for out in ["full", "single"] {
        // The record of one is longer.
        run(&words(out, "random", &["--epochs", "2", "--log-every", "1"]));
        run(&words(out, "true", &["--epochs", "2"]));
    }
    run(&words("single", "true,random", end));
    let output = Command::new("bash")
        .args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$@\"", "bash"])
        .arg(program())
        .args(words("full", "true,random", end))
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(status(&output), 2, "{}", stderr(&output));
    assert!(stderr(&output).contains("full/random-seed0/train.jsonl: "), "{}", stderr(&output));
    let stopped = folder.path().join("full/true-seed0");
    assert!(!stopped.join("summary.json").exists());
    let record = fs::read_to_string(stopped.join("train.jsonl")).unwrap();
    let last: serde_json::Value = serde_json::from_str(record.lines().last().unwrap()).unwrap();
    assert!((3..60).contains(&last["epoch"].as_u64().unwrap()), "{last}");
    run(&words("full", "true,random", end));
    assert!(files(&folder, "full") == files(&folder, "single"));
}
