//! Promise: the program answers in words. Exit statuses, messages of bad input, files that are
//! whole or absent.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::common::binary::program;
use crate::common::program::{refused, shatter, status, stderr, stdout};
use tempfile::{TempDir, tempdir};

fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let name = |entry: std::io::Result<fs::DirEntry>| {
        entry.unwrap().file_name().to_string_lossy().into_owned()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

#[test]
fn fit_then_check_then_eval_then_show() {
    let folder = tempdir().unwrap();
    let sample = "lattice:n=300,d=4";
    let fit = shatter(&folder, &["fit", sample, "--labels", "random", "--seed", "3"]);
    assert_eq!(status(&fit), 0, "{}", stderr(&fit));
    for words in [
        "residual 0 (300 of 300",
        "304 free numbers and one sign",
        "2n + d = 604",
        "float-exact",
        "residual 0 in plain f64",
    ] {
        assert!(stdout(&fit).contains(words), "'{words}' is not in:\n{}", stdout(&fit));
    }
    assert!(stderr(&fit).is_empty(), "no progress when it is not a terminal");
    let out = folder.path().join("out/fit");
    assert_eq!(files(&out), ["certificate.txt", "fit.json", "manifest.json", "network.txt"]);
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["configuration"]["seed"], 3);
    assert_eq!(manifest["sample"], "lattice:n=300,d=4,seed=3");

    let certificate = "out/fit/certificate.txt";
    let check = shatter(&folder, &["check", certificate, sample, "--seed", "3"]);
    assert_eq!(status(&check), 0, "{}", stdout(&check));
    assert!(stdout(&check).contains("all 300 points, exactly"));
    let other = shatter(&folder, &["check", certificate, sample]);
    assert_eq!(status(&other), 1);
    assert!(stdout(&other).contains("seed=3"), "the message names the sample: {}", stdout(&other));

    let eval = shatter(&folder, &["eval", certificate, sample, "--seed", "3", "--out", "eval"]);
    assert_eq!(status(&eval), 0, "{}", stderr(&eval));
    assert_eq!(
        fs::read_to_string(folder.path().join("eval/outputs.csv")).unwrap().lines().count(),
        301
    );
    let network = shatter(&folder, &["eval", "out/fit/network.txt", sample, "--seed", "3"]);
    assert_eq!(status(&network), 1, "a network file knows no labels: these are the sample's own");

    let show = shatter(&folder, &["show", certificate]);
    assert!(stdout(&show).contains("depth 2, 300 units on R^4"), "{}", stdout(&show));
    let json = shatter(&folder, &["show", "out/fit/network.txt", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["counts"]["units"], 300);

    let integers = shatter(&folder, &["check", "--integers", certificate, sample, "--seed", "3"]);
    let text = stdout(&integers);
    assert!(text.starts_with("1 4 300 300\n"), "{}", &text[..40]);
    // version d m n, scales, A, (B W), C, (X Y)
    assert_eq!(text.split_whitespace().count(), 4 + 3 + 4 + 2 * 300 + 1 + 300 * 5);
}

#[test]
fn equal_runs_leave_equal_bytes() {
    let folder = tempdir().unwrap();
    for (out, threads) in [("one", "1"), ("two", "2")] {
        let mut command = Command::new(program());
        command.args(["fit", "gaussian:n=200,d=3", "--out", out, "--json"]);
        command.env("RAYON_NUM_THREADS", threads).current_dir(folder.path());
        assert!(command.output().unwrap().status.success());
    }
    for name in ["certificate.txt", "network.txt"] {
        let read = |out: &str| fs::read(folder.path().join(out).join(name)).unwrap();
        assert_eq!(read("one"), read("two"), "{name}");
    }
}

#[test]
fn a_float_network_that_rounds_is_a_negative_verdict() {
    let folder = tempdir().unwrap();
    let sample = "gaussian:n=300,d=4";
    assert_eq!(status(&shatter(&folder, &["fit", sample])), 0);
    let output = shatter(&folder, &["fit", sample, "--solver", "structured"]);
    assert_eq!(status(&output), 1);
    assert!(stdout(&output).contains("none: the network does not equal the labels"));
    // The certificate of the earlier run must not stand beside this network.
    let names = files(&folder.path().join("out/fit"));
    assert_eq!(names, ["fit.json", "manifest.json", "network.txt"]);
    let nalgebra = shatter(
        &folder,
        &["fit", "lattice:n=50,d=2", "--solver", "nalgebra", "--threshold", "data"],
    );
    assert!([0, 1].contains(&status(&nalgebra)), "{}", stderr(&nalgebra));
}

#[test]
fn bad_samples_are_named() {
    let folder = tempdir().unwrap();
    let fit = |sample: &str, words: &[&str]| refused(&folder, &["fit", sample], words);
    fit("gausian:n=3,d=2", &["'gausian' is not a kind of sample", "gaussian", "fashion-mnist"]);
    fit("gaussian:n=3", &["d=D is missing"]);
    fit("gaussian:n=3,d=2,colour=red", &["'colour' is not an option", "first"]);
    fit("gaussian:n=x,d=2", &["n=x", "whole number"]);
    fit("gaussian:n=3,n=4,d=2", &["'n' is given twice"]);
    fit("gaussian:n=0,d=2", &["the sample is empty"]);
    fit("gaussian:n=3,d=0", &["no coordinates (d = 0)"]);
    fit("gaussian:n=99999999999,d=99999999999", &["4294967295"]);
    fit("gaussian:n=4000000000,d=4000000000", &["do not fit into memory"]);
    fit("clustered:n=3,d=2,clusters=0", &["clusters=0"]);
    fit("gaussian:n=3\n,d=2", &["control characters", "\\n"]);
    fit("gaussian:n=3,d=2,first=4", &["first=4", "only 3 points"]);
    fit("gaussian:n=3,d=2,draw=0", &["the sample is empty"]);
    fit("moment:n=1000,d=9", &["moment:n=1000,d=9", "999^9", "64 bits"]);
    fit("csv:nowhere.csv", &["nowhere.csv", "No such file"]);
    fit("mnist:nowhere", &["nowhere"]);
    fit("csv:.", &["is a folder"]);
    fit("idx:.,.", &["is a folder"]);
    fit("csv:a.csv,scale=3^2", &["scale=3^2", "10^k"]);
    fs::write(folder.path().join("same.csv"), "1,2,a\n3,4,a\n1,2,b\n").unwrap();
    fit("csv:same.csv", &["points 0 and 2 are equal", "(a and b)"]);
    fs::write(folder.path().join("inf.csv"), "1,2,a\n1e999,4,b\n").unwrap();
    fit("csv:inf.csv", &["inf.csv", "row 2", "1e999"]);
    fs::write(folder.path().join("missing.csv"), "x,y,class\n1,2,a\n3,,b\n").unwrap();
    fit("csv:missing.csv", &["row 3", "y", "missing"]);
    fs::write(folder.path().join("empty.csv"), "").unwrap();
    fit("csv:empty.csv", &["empty.csv"]);
    refused(&folder, &["fit", "csv:same.csv", "--labels", "corrupted:0"], &["points 0 and 2"]);
    let drawn = shatter(&folder, &["fit", "csv:same.csv", "--labels", "random"]);
    assert_eq!(status(&drawn), 0, "labels drawn anew cannot clash: {}", stderr(&drawn));
    assert!(stdout(&drawn).contains("1 with another label"), "{}", stdout(&drawn));
    let reals = &["fit", "gaussian:n=3,d=1,target=number", "--labels", "corrupted:0.5"];
    refused(&folder, reals, &["real numbers"]);
}

#[test]
fn samples_at_the_edge_are_fitted() {
    let folder = tempdir().unwrap();
    for (text, n) in [
        ("gaussian:n=1,d=1", 1),
        ("gaussian:n=1,d=5,classes=1", 1),
        ("close:n=20,d=3", 20),
        ("moment:n=30,d=5", 30),
    ] {
        let output = shatter(&folder, &["fit", text]);
        assert_eq!(status(&output), 0, "{text}: {}", stderr(&output));
        assert!(stdout(&output).contains(&format!("({n} of {n} points")), "{}", stdout(&output));
    }
    // Subnormals, the largest numbers and neighbours one unit in the last place apart, in one file.
    let numbers = "5e-324,a\n1e308,b\n-1e308,a\n1,b\n1.0000000000000002,a\n0,c\n2.2e-308,b\n";
    fs::write(folder.path().join("edge.csv"), numbers).unwrap();
    let output = shatter(&folder, &["fit", "csv:edge.csv"]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("residual 0 (7 of 7"), "{}", stdout(&output));
    let check = shatter(&folder, &["check", "out/fit/certificate.txt", "csv:edge.csv"]);
    assert_eq!(status(&check), 0, "{}", stdout(&check));
}

#[test]
fn bad_certificates_and_networks_are_named() {
    let folder = tempdir().unwrap();
    let sample = "lattice:n=20,d=2";
    assert_eq!(status(&shatter(&folder, &["fit", sample])), 0);
    refused(&folder, &["check", "nowhere.txt", sample], &["nowhere.txt", "No such file"]);
    refused(&folder, &["check", ".", sample], &["is a folder"]);
    refused(&folder, &["show", "."], &["is a folder"]);
    fs::write(folder.path().join("text.txt"), "hello\n").unwrap();
    refused(&folder, &["show", "text.txt"], &["text.txt", "line 1", "'hello'"]);
    refused(&folder, &["eval", "text.txt", sample], &["text.txt", "line 1"]);
    let rejected = shatter(&folder, &["check", "text.txt", sample]);
    assert_eq!((status(&rejected), stdout(&rejected).contains("line 1")), (1, true));
    let json = shatter(&folder, &["check", "text.txt", sample, "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["accepted"], false);
    refused(&folder, &["eval", "out/fit/network.txt", "lattice:n=20,d=3"], &["takes 2", "have 3"]);
}

#[test]
fn bad_options_are_usage_errors() {
    let folder = tempdir().unwrap();
    for arguments in [
        &["fit"][..],
        &["fit", "gaussian:n=3,d=1", "--labels", "wrong"],
        &["fit", "gaussian:n=3,d=1", "--labels", "corrupted:1.5"],
        &["fit", "gaussian:n=3,d=1", "--solver", "magic"],
        &["fit", "gaussian:n=3,d=1", "--seed", "-1"],
        &["nonsense"],
    ] {
        let output = shatter(&folder, arguments);
        assert_eq!(status(&output), 2, "{arguments:?}");
        assert!(!stderr(&output).is_empty());
    }
    if cfg!(not(feature = "lapack")) {
        refused(
            &folder,
            &["fit", "gaussian:n=3,d=1", "--solver", "lapack"],
            &["--features lapack"],
        );
    }
    let midpoint = &["fit", "gaussian:n=100000,d=2", "--threshold", "midpoint"];
    refused(&folder, midpoint, &["midpoint", "bits"]);
}

#[test]
fn an_unwritable_folder_is_named_and_nothing_is_left() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("file"), "in the way").unwrap();
    refused(&folder, &["fit", "gaussian:n=3,d=1", "--out", "file/below"], &["file/below"]);
    assert_eq!(files(folder.path()), ["file"]);
    assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), "in the way");
}

#[test]
fn help_has_an_example_for_every_command() {
    let folder = tempdir().unwrap();
    for command in ["verify", "fit", "check", "eval", "show", "doctor", "completions"] {
        let help = stdout(&shatter(&folder, &[command, "--help"]));
        assert!(help.contains("Example"), "{command}");
        assert!(help.contains(&format!("shatter {command}")), "{command}");
    }
    let script = stdout(&shatter(&folder, &["completions", "bash"]));
    assert!(script.contains("_shatter"));
    assert!(stdout(&shatter(&folder, &["doctor"])).contains("build"));
}

/// Whoever closes the pipe does not turn a rejection into an acceptance.
#[cfg(unix)]
#[test]
fn a_closed_pipe_keeps_the_verdict() {
    let folder = tempdir().unwrap();
    let sample = "lattice:n=20,d=2";
    assert_eq!(status(&shatter(&folder, &["fit", sample])), 0);
    for (seed, expected) in [("0", 0), ("1", 1)] {
        let mut command = Command::new(program());
        command.args(["check", "out/fit/certificate.txt", sample, "--seed", seed]);
        command.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(expected));
    }
}

/// Whenever a certificate is there, the other files belong to it.
#[test]
fn a_fit_that_cannot_finish_changes_nothing() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("out/fit");
    assert_eq!(status(&shatter(&folder, &["fit", "lattice:n=20,d=2"])), 0);
    let network = fs::read(out.join("network.txt")).unwrap();
    fs::remove_file(out.join("certificate.txt")).unwrap();
    fs::create_dir(out.join("certificate.txt")).unwrap();
    refused(&folder, &["fit", "lattice:n=20,d=2", "--seed", "1"], &["certificate.txt"]);
    assert_eq!(fs::read(out.join("network.txt")).unwrap(), network);
    let names = files(&out);
    assert_eq!(names, ["certificate.txt", "fit.json", "manifest.json", "network.txt"]);
}

#[test]
fn every_command_leaves_a_record_where_asked() {
    let folder = tempdir().unwrap();
    let sample = "lattice:n=20,d=2";
    assert_eq!(status(&shatter(&folder, &["fit", sample])), 0);
    let certificate = "out/fit/certificate.txt";
    for (arguments, file) in [
        (vec!["check", certificate, sample], "check.json"),
        (vec!["eval", certificate, sample], "eval.json"),
        (vec!["show", certificate], "show.json"),
        (vec!["doctor"], "doctor.json"),
        (vec!["verify", "--quick"], "verify.json"),
    ] {
        let mut all = arguments.clone();
        all.extend(["--out", arguments[0], "--json"]);
        let output = shatter(&folder, &all);
        assert_eq!(status(&output), 0, "{arguments:?}: {}", stderr(&output));
        let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let path = folder.path().join(arguments[0]).join(file);
        let written: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        assert_eq!(printed, written, "{arguments:?}");
        let manifest = match arguments[0] {
            "verify" => "manifest.json".to_owned(),
            // In the folder of a fit it would stand in the place of the fit's.
            name => format!("{name}.manifest.json"),
        };
        assert!(folder.path().join(arguments[0]).join(manifest).exists());
    }
    let error = shatter(&folder, &["fit", "csv:nowhere.csv", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&error.stdout).unwrap();
    assert!(json["message"].as_str().unwrap().contains("nowhere.csv"));
}

/// What Ctrl-C sends.
#[cfg(unix)]
pub fn interrupt(child: &Child) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
}

/// A fit that is interrupted as it waits for more of its sample.
#[cfg(unix)]
pub fn interrupted_as_it_reads(folder: &TempDir, more: &[&str]) -> Output {
    let pipe = folder.path().join("pipe.csv");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut command = Command::new(program());
    command.args(["fit", "csv:pipe.csv"]).args(more).current_dir(folder.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // To open the pipe is to wait for whoever reads.
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || send.send(fs::OpenOptions::new().write(true).open(pipe)));
    let writer = loop {
        match receive.recv_timeout(std::time::Duration::from_millis(10)) {
            Ok(writer) => break writer.unwrap(),
            Err(_) => assert_eq!(child.try_wait().unwrap(), None, "it does not read"),
        }
    };
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    drop(writer);
    output
}

/// Whether files of a folder are being written, or were.
#[cfg(unix)]
fn unfinished(folder: &Path) -> bool {
    files(folder).iter().any(|name| name.starts_with('.') && name.contains("unfinished"))
}

/// Interrupted while it reads, or writes: status 130, and no file under its final name is cut.
#[cfg(unix)]
#[test]
fn an_interrupt_leaves_nothing_half_written() {
    let folder = tempdir().unwrap();
    let output = interrupted_as_it_reads(&folder, &[]);
    let said = (output.status.code(), stdout(&output), stderr(&output));
    assert_eq!(said, (Some(130), String::new(), "interrupted\n".to_owned()));
    let out = folder.path().join("out/fit");
    assert!(!out.exists());
    let interrupted = (0..100).any(|_| {
        let mut command = Command::new(program());
        command.args(["fit", "gaussian:n=20000,d=10", "--no-brute-force"]);
        command.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        while !unfinished(&out) && child.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        interrupt(&child);
        let status = child.wait().unwrap();
        assert!([Some(0), Some(130)].contains(&status.code()), "{status}");
        assert!(!unfinished(&out));
        for name in files(&out) {
            let text = fs::read_to_string(out.join(&name)).unwrap();
            assert!(text.ends_with('\n'), "{name} is cut");
        }
        status.code() == Some(130)
    });
    assert!(interrupted, "none of 100 was interrupted while it wrote");
}

/// Killed while it writes: the next fit in the folder removes what was left half-written.
#[cfg(unix)]
#[test]
fn a_fit_removes_what_a_killed_one_left() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("out/fit");
    let left = || unfinished(&out);
    for _ in 0..100 {
        let mut command = Command::new(program());
        command.args(["fit", "gaussian:n=20000,d=10", "--no-brute-force"]);
        command.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        while !left() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if left() {
            break;
        }
    }
    assert!(left(), "none of 100 was killed while it wrote");
    assert_eq!(status(&shatter(&folder, &["fit", "gaussian:n=20,d=2"])), 0);
    assert_eq!(files(&out), ["certificate.txt", "fit.json", "manifest.json", "network.txt"]);
}

/// A number of threads that makes no sense is refused or reduced, and one that the system does not give is, too.
#[test]
fn threads_are_as_many_as_make_sense() {
    let folder = tempdir().unwrap();
    let fit = |threads: &str| {
        let mut command = Command::new(program());
        command.args(["fit", "lattice:n=20,d=2"]).env("RAYON_NUM_THREADS", threads);
        command.current_dir(folder.path()).output().unwrap()
    };
    for threads in ["", "0", "1", "2"] {
        let output = fit(threads);
        assert_eq!((status(&output), stderr(&output).as_str()), (0, ""), "{threads}");
    }
    for threads in ["5000", "99999999999999999999999999"] {
        let output = fit(threads);
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        let warning = format!("warning: RAYON_NUM_THREADS={threads}: using ");
        assert!(stderr(&output).starts_with(&warning), "{}", stderr(&output));
    }
    for threads in ["many", "-1", "1.5"] {
        let output = fit(threads);
        assert_eq!(status(&output), 2, "{}", stderr(&output));
        assert!(stderr(&output).contains(&format!("RAYON_NUM_THREADS={threads}: expected")));
    }
}

/// More points than memory holds are refused before they are drawn, in words.
#[cfg(target_os = "linux")]
#[test]
fn memory_is_planned_before_it_is_taken() {
    let folder = tempdir().unwrap();
    let commands = [
        (&["fit", "gaussian:n=100000000,d=2"][..], "27.0 GB", "fit"),
        (&["fit", "lattice:n=100000000,d=2", "--construction", "width-two"], "27.0 GB", "fit"),
        (&["fit", "gaussian:n=100000000,d=2,first=10"], "2.0 GB", "fit"),
        (&["compare", "gaussian:n=100000000,d=2"], "2.0 GB", "draw"),
        (&["train", "gaussian:n=100000000,d=2"], "2.0 GB", "draw"),
    ];
    for (arguments, bytes, action) in commands {
        let output = Command::new("sh")
            .args(["-c", "ulimit -v 1500000; exec \"$@\"", "sh"])
            .arg(program())
            .args(arguments)
            .env("RAYON_NUM_THREADS", "1")
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert_eq!(status(&output), 2, "{arguments:?}: {}", stderr(&output));
        let words = format!("about {bytes} of memory are needed to {action} this sample, and ");
        assert!(stderr(&output).contains(&words), "{}", stderr(&output));
        assert!(stderr(&output).contains(arguments[1]), "names the sample: {}", stderr(&output));
    }
    assert!(!folder.path().join("out").exists());
}

/// What a fit replaces is said, and what an export leaves alone is left alone.
#[test]
fn a_folder_that_is_used_twice_keeps_its_manifest() {
    let folder = tempdir().unwrap();
    let fit = ["fit", "lattice:n=20,d=2,range=9", "--labels", "random"];
    let first = stdout(&shatter(&folder, &fit));
    let again = stdout(&shatter(&folder, &fit));
    let words = "in place of earlier ones (--out keeps both)";
    assert!(!first.contains(words) && again.contains(words), "{first}{again}");
    fs::remove_file(folder.path().join("out/fit/certificate.txt")).unwrap();
    let again = stdout(&shatter(&folder, &fit));
    assert!(again.contains(words), "those of a fit without a certificate: {again}");
    let manifest = fs::read(folder.path().join("out/fit/manifest.json")).unwrap();
    let certificate = "out/fit/certificate.txt";
    for arguments in [
        &["export", certificate, "--to", "onnx"][..],
        &["export", certificate, "--to", "onnx"],
        &["export", certificate, "--to", "json"],
        &["eval", certificate, "lattice:n=20,d=2,range=9"],
        &["check", certificate, "lattice:n=20,d=2,range=9"],
        &["show", certificate],
    ] {
        let output = shatter(&folder, &[arguments, &["--out", "out/fit"]].concat());
        assert_eq!(status(&output), 0, "{}", stderr(&output));
    }
    assert_eq!(fs::read(folder.path().join("out/fit/manifest.json")).unwrap(), manifest);
    let all = files(&folder.path().join("out/fit"));
    for name in ["network.onnx", "network.json", "eval", "check", "show"] {
        assert!(all.contains(&format!("{name}.manifest.json")), "{name}: {all:?}");
    }
}

/// What stands in a folder for what another command did is left there, or the command refuses.
#[test]
fn the_folder_of_another_command_keeps_its_proof_and_manifest() {
    let folder = tempdir().unwrap();
    let sample = "lattice:n=20,d=2,range=99";
    let works = |arguments: &[&str]| {
        let output = shatter(&folder, arguments);
        assert_eq!(status(&output), 0, "{arguments:?}: {}", stderr(&output));
        stdout(&output)
    };
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    works(&["fit", sample, "--out", "fit"]);
    let (proof, manifest) = (read("fit/certificate.txt"), read("fit/manifest.json"));
    let check = ["check", "--network", "fit/network.txt", sample, "--out"];
    let text = works(&[&check[..], &["fit"]].concat());
    assert!(text.contains("fit/check.certificate.txt"), "{text}");
    works(&["check", "--network", "fit/network.txt", "fit/check.certificate.txt", sample]);
    let text = works(&[&check[..], &["checked"]].concat());
    assert!(text.contains("checked/certificate.txt"), "{text}");
    let text = works(&[&check[..], &["checked"]].concat());
    assert!(text.contains("checked/certificate.txt"), "one of the same kind is replaced: {text}");
    let train = ["--epochs", "1", "--model", "mlp:2", "--until-accuracy", "never", "--out", "fit"];
    let data = ["lattice:n=20,d=2,range=99", "--batch", "10"];
    let train = [&data[..], &train].concat();
    for arguments in [
        vec!["compare", sample, "--seconds", "1", "--only", "width-two", "--out", "fit"],
        vec!["verify", "--quick", "--out", "fit"],
        [&["randomize", "--conditions", "true"][..], &train].concat(),
    ] {
        let text = works(&arguments);
        let name = format!("{}.manifest.json", arguments[0]);
        assert!(text.contains(&name), "{text}");
        let written: serde_json::Value =
            serde_json::from_slice(&read(&format!("fit/{name}"))).unwrap();
        assert_eq!(written["command"][0], arguments[0]);
    }
    let words = ["fit holds the manifest.json of fit", "--overwrite", "--out DIR"];
    refused(&folder, &[&["train"][..], &train].concat(), &words);
    assert_eq!((read("fit/certificate.txt"), read("fit/manifest.json")), (proof, manifest));
    works(&[&["train"][..], &train, &["--overwrite"]].concat());
    // A fit leaves that of others, too, and its own is replaced.
    works(&["verify", "--quick", "--out", "verify"]);
    let manifest = read("verify/manifest.json");
    let text = works(&["fit", sample, "--out", "verify"]);
    assert!(text.contains("fit.manifest.json") && !text.contains("in place of"), "{text}");
    assert_eq!(read("verify/manifest.json"), manifest);
}

/// Memory is what the environment says, where it does.
#[test]
fn memory_can_be_said() {
    let folder = tempdir().unwrap();
    let fit = |arguments: &[&str], memory: &str| {
        let mut command = Command::new(program());
        command.args(["fit"]).args(arguments).current_dir(folder.path());
        command.env("SHATTER_MEMORY", memory).output().unwrap()
    };
    let layered =
        ["lattice:n=300,d=2,range=2001", "--labels", "random", "--construction", "width-two"];
    assert_eq!(status(&fit(&layered, "10000000")), 0);
    // Enough for the sample, and not for the network, whose weights are promised.
    let output = fit(&layered, "100000");
    assert_eq!(status(&output), 2, "{}", stderr(&output));
    let words = "about 0.5 MB of memory are needed to build width-two on this sample, and 0.1 MB are available";
    assert!(stderr(&output).contains(words), "{}", stderr(&output));
    assert!(stderr(&output).contains("SHATTER_MEMORY"), "{}", stderr(&output));
    assert_eq!(status(&fit(&["gaussian:n=1000,d=1"], "1000")), 2);
    let output = fit(&["gaussian:n=10,d=1"], "much");
    assert_eq!(status(&output), 2);
    assert!(stderr(&output).contains("SHATTER_MEMORY=much: expected"), "{}", stderr(&output));
    assert!(stdout(&shatter(&folder, &["--help"])).contains("SHATTER_MEMORY"));
}

/// Where the system gives out no threads, the program has one: none of its own beside the first.
#[cfg(target_os = "linux")]
#[test]
fn no_threads_are_needed() {
    let folder = tempdir().unwrap();
    // A stack that no memory holds, for every thread but the first.
    let output = Command::new("sh")
        .args(["-c", "ulimit -v 4194304; exec \"$@\"", "sh"])
        .arg(program())
        .args(["fit", "lattice:n=20,d=2"])
        .env("RUST_MIN_STACK", (1u64 << 40).to_string())
        .env("RAYON_NUM_THREADS", "2")
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("the system gives out 1 of 2 threads"), "{}", stderr(&output));
}

/// What files and names put into messages and tables does nothing to a terminal.
#[test]
fn control_characters_are_shown_and_not_sent() {
    let folder = tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let shown = |output: &std::process::Output| {
        let text = stdout(output) + &stderr(output);
        let sent = text.chars().find(|&c| c != '\n' && c.is_control());
        assert_eq!(sent, None, "{text:?}");
        text
    };
    // An archive whose first member is described by escape sequences, one that is a whole archive's long, and arrays.
    let escapes = b"\x1b]0;T\x07\x1b[2J\x9b\x7f\r\n";
    write("bad.bin", &escapes.repeat(100));
    write("names.json", br#"{"arrays": {}, "\u001b[2J\u009b": 1}"#);
    // Words of the JSON reader that quote what they found.
    let header = |shape: &str| format!("{{\"w\":{{\"shape\":\"{shape}\"}}}}").into_bytes();
    let file = |text: Vec<u8>| [&(text.len() as u64).to_le_bytes()[..], &text].concat();
    write("long.safetensors", &file(header(&"x".repeat(1_000_000))));
    write("dictionary.npy", b"\x93NUMPY\x01\x00\x10\x00{'\x1b[2J\x7f': 1}   \n");
    for arguments in [
        &["fit", "cifar10:bad.bin"][..],
        &["fit", "cifar10:bad.bin,split=test"],
        &["fit", "npy:dictionary.npy,dictionary.npy"],
        &["show", "names.json"],
        &["show", "long.safetensors"],
        &["show", "\u{1b}[31m.txt"],
        &["show", "a\nerror: b\u{202e}"],
        &["claims", "--claim", "\u{1b}[31m"],
    ] {
        let output = shatter(&folder, arguments);
        assert_eq!(status(&output), 2, "{arguments:?}");
        let text = shown(&output);
        assert!(text.starts_with("error: ") && text.chars().count() < 2200, "{text}");
        if arguments[0] != "claims" {
            assert_eq!(text.lines().count(), 1, "{text}");
        }
        if arguments[0] == "fit" {
            continue;
        }
        let json = shatter(&folder, &[arguments, &["--json"]].concat());
        let text: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
        assert!(stderr(&json).contains(text["message"].as_str().unwrap()), "{text}");
        shown(&json);
    }
    // A sample, a network and a folder of such names, which are all right otherwise.
    let name = "\u{1b}]0;T\u{7}\u{9b}\u{202e}";
    write(&format!("{name}.csv"), b"a,y\n1,0\n2,1\n3,0\n");
    let sample = format!("csv:{name}.csv");
    let refused = shatter(&folder, &["fit", &sample]);
    assert!(shown(&refused).contains("control characters"), "{}", stderr(&refused));
    write("x.csv", b"a,y\n1,0\n2,1\n3,0\n");
    let network = format!("{name}/network.txt");
    for arguments in [
        &["fit", "csv:x.csv", "--out", name][..],
        &["fit", "csv:x.csv", "--out", name, "--json"],
        &["show", &network],
        &["show", &network, "--json"],
        &["eval", &network, "csv:x.csv"],
        &["check", "--network", &network, "csv:x.csv", "--json"],
        &["export", &network, "--to", "json", "--out", name],
    ] {
        let output = shatter(&folder, arguments);
        assert_eq!(status(&output), 0, "{arguments:?}: {}", stderr(&output));
        let text = shown(&output);
        if arguments.contains(&"--json") {
            serde_json::from_str::<serde_json::Value>(&text).unwrap();
        }
    }
}
