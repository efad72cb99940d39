//! Promise: a run that was killed, interrupted or refused loses nothing, and goes on to the same
//! bytes; whatever is wrong is said in a line.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::binary::program;
use crate::common::longer;
use crate::common::program::{csv, npy, read_json, refused, shatter, status, stderr, stdout};
use rand::Rng;
use shatter_random::stream::{Purpose, below, stream};
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
    while killed < longer(5) {
        let out = format!("killed{killed}");
        loop {
            let there = folder.path().join(&out).join(RESULTS[0]).exists();
            resumed += u32::from(there);
            let mut program = Command::new(program())
                .args(run(&out, if there { &["--resume"] } else { &[] }))
                .current_dir(folder.path())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            // The first is killed after its first checkpoint, however slow the machine; others whenever it is.
            let checkpoint = folder.path().join(&out).join(RESULTS[0]);
            while killed == 0 && !checkpoint.exists() && program.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(5));
            }
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
            resumed += u32::from(there);
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
    let mut program = Command::new(program())
        .args(&words)
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !folder.path().join("stopped/checkpoint.safetensors").exists() {
        assert!(program.try_wait().unwrap().is_none(), "it ended before its first checkpoint");
        std::thread::sleep(Duration::from_millis(20));
    }
    let id = program.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = program.wait_with_output().unwrap();
    assert_eq!(status(&output), 130, "{}", stderr(&output));
    assert!(stderr(&output).contains("--resume continues from stopped/checkpoint.safetensors"));
    // How long a run lasts may change when it is resumed.
    let shown = shatter(&folder, &["show", "stopped/checkpoint.safetensors", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&stdout(&shown)).unwrap();
    let more = (shown["progress"]["epoch"].as_u64().unwrap() + 1).to_string();
    words[epochs] = &more;
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
    let first = shatter(&folder, &run("diverged", &[]));
    assert_eq!(status(&first), 0, "{}", stderr(&first));
    let more = ["--learning-rate", "1e12", "--initialization", "he-normal", "--overwrite"];
    let output = shatter(&folder, &run("diverged", &more));
    assert_eq!(status(&output), 3, "{}", stderr(&output));
    let text = stderr(&output);
    assert!(text.contains("diverged: the loss is not finite at step "), "{text}");
    assert!(!text.contains("step 0 "), "{text}");
    // Nothing of the run that stood there before, and a checkpoint of this one.
    let summary = read_json(&folder, "diverged/summary.json");
    assert_eq!(summary["ended"], "diverged");
    assert!(!folder.path().join("diverged/learning_curve.png").exists());
    let shown = shatter(&folder, &["show", "diverged/checkpoint.safetensors"]);
    assert!(stdout(&shown).contains("learning_rate 1000000000000"), "{}", stdout(&shown));
    let words = run("diverged", &["--learning-rate", "1e12", "--initialization", "he-normal"]);
    let again = shatter(&folder, &[&words[..], &["--resume"]].concat());
    assert_eq!((status(&again), stderr(&again)), (3, text));
}

/// Weights that are finite and give a loss that is not: the last step of the last epoch.
#[test]
fn a_loss_that_is_not_finite_when_it_is_evaluated() {
    let folder = tempdir().unwrap();
    let point = |i: usize| {
        format!("{},{},{}", i % 7, (i * i) % 11, if i.is_multiple_of(3) { "a" } else { "b" })
    };
    csv(&folder, "data.csv", (0..60).map(point));
    let mut words = vec!["train", "csv:data.csv", "--model", "mlp:16", "--batch", "60"];
    words.extend(["--epochs", "1", "--learning-rate", "1e38"]);
    let output = shatter(&folder, &words);
    assert_eq!(status(&output), 3, "{}{}", stdout(&output), stderr(&output));
    assert!(stderr(&output).contains("at step 1 (epoch 1)"), "{}", stderr(&output));
    let held = shatter(&folder, &["eval", "out/train/checkpoint.safetensors", "csv:data.csv"]);
    assert!(status(&held) < 2, "the checkpoint before it is sound: {}", stderr(&held));
    // A test set beyond all bounds is no divergence; what was found is read again.
    csv(
        &folder,
        "far.csv",
        (0..6).map(|i| format!("3e38,-3e38,{}", if i < 3 { "a" } else { "b" })),
    );
    let test = ["--test", "csv:far.csv", "--model", "mlp:4", "--epochs", "1", "--out", "far"];
    let randomize =
        [&["randomize", "csv:data.csv", "--batch", "60", "--conditions", "true"], &test[..]];
    for kept in [false, true] {
        let output = shatter(&folder, &randomize.concat());
        assert!(status(&output) < 2, "{}", stderr(&output));
        assert_eq!(stdout(&output).contains("(kept)"), kept, "{}", stdout(&output));
    }
    assert!(read_json(&folder, "far/true-seed0/summary.json")["test"]["loss"].is_null());
}

#[test]
fn a_run_has_its_folder_for_itself() {
    let folder = tempdir().unwrap();
    let mut words = run("held", &[]);
    let epochs = words.iter().position(|word| *word == "--epochs").unwrap() + 1;
    words[epochs] = "1";
    assert_eq!(status(&shatter(&folder, &words)), 0);
    words[epochs] = "100000";
    words.push("--resume");
    let mut program = Command::new(program())
        .args(&words)
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The summary of the end that was is gone once the run goes on.
    while folder.path().join("held/summary.json").exists() {
        assert!(program.try_wait().unwrap().is_none(), "it goes on for long");
        std::thread::sleep(Duration::from_millis(20));
    }
    refused(
        &folder,
        &run("held", &["--resume"]),
        &["held: another process is training in this folder"],
    );
    program.kill().unwrap();
    program.wait().unwrap();
    // What was half-written is removed by the next run, and nothing else.
    let left = [".shatter-unfinished-New123", ".unfinished-Old123"];
    let mine = [".unfinished-1", "mine"];
    for name in left.iter().chain(&mine) {
        fs::write(folder.path().join("held").join(name), "text").unwrap();
    }
    let output = shatter(&folder, &run("held", &["--overwrite"]));
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let there = |name: &&str| folder.path().join("held").join(name).exists();
    assert!(!left.iter().any(there) && mine.iter().all(there));
}

/// A folder that is removed during training does not come back without its record.
#[cfg(unix)]
#[test]
fn a_folder_that_is_removed_is_an_error() {
    let folder = tempdir().unwrap();
    for seconds in ["0", "1000"] {
        let mut words = run("removed", &[]);
        for (option, value) in [("--epochs", "100000"), ("--checkpoint-every", seconds)] {
            let at = words.iter().position(|word| *word == option).unwrap() + 1;
            words[at] = value;
        }
        let mut program = Command::new(program())
            .args(&words)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let held = folder.path().join("removed");
        while fs::metadata(held.join("train.jsonl")).map_or(0, |record| record.len()) == 0 {
            assert!(program.try_wait().unwrap().is_none(), "it goes on for long");
            std::thread::sleep(Duration::from_millis(5));
        }
        // All at once, as a file that is written meanwhile would keep the folder.
        let away = folder.path().join("away");
        fs::rename(&held, &away).unwrap();
        let output = program.wait_with_output().unwrap();
        assert_eq!(status(&output), 2, "{}", stderr(&output));
        assert!(stderr(&output).contains("removed: the folder of the run"), "{}", stderr(&output));
        fs::remove_dir_all(&away).unwrap();
        assert!(!held.join("summary.json").exists());
        let _ = fs::remove_dir_all(&held); // a file may have been on its way there
    }
}

#[test]
fn other_data_under_the_same_name_are_noticed() {
    let folder = tempdir().unwrap();
    let rows = |k: usize| (0..20).map(move |i| format!("{},{},{}", i * k, i * i, i % 2));
    let mut words = vec!["train", "csv:data.csv", "--model", "mlp:4", "--batch", "5"];
    words.extend(["--epochs", "2"]);
    csv(&folder, "data.csv", rows(1));
    assert!(status(&shatter(&folder, &words)) < 2);
    csv(&folder, "data.csv", rows(2));
    words.push("--resume");
    refused(&folder, &words, &["out/train/checkpoint.safetensors", "another run", "sample sha256"]);
}

#[test]
fn a_loss_alone_ends_training() {
    let folder = tempdir().unwrap();
    let mut words = vec!["train", "gaussian:n=60,d=20,classes=3", "--model", "mlp:32", "--batch"];
    words.extend(["10", "--learning-rate", "0.05", "--until-loss", "0.9", "--epochs", "50"]);
    let output = shatter(&folder, &words);
    assert_eq!(status(&output), 0, "{}{}", stdout(&output), stderr(&output));
    let summary = read_json(&folder, "out/train/summary.json");
    assert!(summary["train"]["accuracy"].as_f64().unwrap() < 1.0, "{summary}");
    // Evaluating more often changes nothing but the record.
    let mut lossy =
        vec!["train", "gaussian:n=50,d=200,classes=2", "--batch", "10", "--epochs", "60"];
    lossy.extend(["--model", "dense(64) relu dropout(0.9)", "--learning-rate", "0.02"]);
    let steps = |out, more: &[&'static str]| {
        let output = shatter(&folder, &[&lossy[..], &["--out", out], more].concat());
        assert!(status(&output) < 2, "{}", stderr(&output));
        read_json(&folder, &format!("{out}/summary.json"))["steps"].clone()
    };
    assert_eq!(steps("seldom", &[]), steps("often", &["--evaluate-training"]));
}

/// No epoch: what the given weights do.
#[test]
fn no_epochs_evaluate_what_is_there() {
    let folder = tempdir().unwrap();
    let mut words = vec!["train", "gaussian:n=40,d=20,classes=3", "--model", "mlp:32", "--batch"];
    words.extend(["10", "--learning-rate", "0.05"]);
    assert_eq!(status(&shatter(&folder, &words)), 0);
    words.extend(["--init", "out/train/checkpoint.safetensors", "--epochs", "0", "--out", "none"]);
    let output = shatter(&folder, &words);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("fitted in 0 steps"), "{}", stdout(&output));
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
    let real = words("csv:number.csv,target=number", "1");
    let more = ["--until-loss", "1e-6", "--epochs", "500"];
    let output = shatter(&folder, &[&real[..], &more].concat());
    assert_eq!(status(&output), 0, "{}{}", stdout(&output), stderr(&output));
    // Real labels are not classified, and nothing is said of accuracy.
    assert!(!stdout(&output).contains("accuracy"), "{}", stdout(&output));
    let output = shatter(&folder, &[&real[..], &["--epochs", "1"]].concat());
    assert!(stdout(&output).contains("all of 1 steps (1 epoch)"), "{}", stdout(&output));
    let more = ["--until-accuracy", "1"];
    refused(&folder, &[&real[..], &more].concat(), &["--until-accuracy", "--until-loss"]);
    // A batch larger than the data.
    let message = "a batch of 21 samples is larger than the training set of 20";
    refused(&folder, &words(images, "21"), &[message]);
}

#[test]
fn settings_that_make_no_sense() {
    let folder = tempdir().unwrap();
    let cases: [(&[&str], &str); 12] = [
        (&["--momentum", "1"], "momentum 1"),
        (&["--learning-rate", "nan"], "learning rate NaN"),
        (&["--batch", "0"], "a batch of 0 samples"),
        (&["--model", "dense(8"], "a ')' is missing"),
        (&["--model", "konv(8,3)"], "'konv(8,3)' is neither a layer"),
        (&["--model", "conv(8,5)"], "does not fit"),
        (&["--device", "cuda", "--precision", "f64"], "--device cuda"),
        (&["--augment", "spin"], "spin"),
        (&["--until-accuracy", "2"], "training accuracy 2"),
        (&["--patience", "2"], "patience needs the accuracy on a test set"),
        (&["--augment", "flip"], "augmentation by crop, flip or rotation changes nothing"),
        (&["--threads", "0"], "--threads 0"),
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
    // An end that the run may have passed already.
    let easier = |more: &[&'static str], word| {
        refuse("good", "mlp:4", &[&["--resume"], more].concat(), &["of another run", word]);
    };
    easier(&["--until-accuracy", "0.5"], "until accuracy");
    easier(&["--until-loss", "9", "--until-accuracy", "0.5"], "until accuracy");
    let shorter = ["train", "gaussian:n=40,d=3,classes=2", "--batch", "8", "--out", "good"];
    let shorter = [&shorter[..], &["--model", "mlp:4", "--resume", "--epochs", "1"]].concat();
    refused(&folder, &shorter, &["of another run", "completed epochs is 2; expected at most 1"]);
    // Parts of a run without a checkpoint are not overwritten unasked, either.
    fs::create_dir(folder.path().join("part")).unwrap();
    fs::write(folder.path().join("part/train.jsonl"), "{}\n").unwrap();
    refuse("part", "mlp:4", &[], &["part holds a run", "--overwrite"]);
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
        .arg(program())
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
