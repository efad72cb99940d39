//! Promise: every theorem of the catalogue is at hand on the command line, and the other commands
//! read what it writes.

use std::fs;

use crate::common::program::{refused, shatter, status, stderr, stdout};
use shatter_construct::catalogue;
use tempfile::tempdir;

#[test]
fn fit_by_name_then_check_eval_and_show() {
    let folder = tempdir().unwrap();
    let sample = "lattice:n=40,d=3";
    let labels = ["--labels", "random", "--seed", "3"];
    let fit =
        shatter(&folder, &[&["fit", sample, "--construction", "depth-17"], &labels[..]].concat());
    assert_eq!(status(&fit), 0, "{}", stderr(&fit));
    for words in [
        "depth-17 (Zhang et al. 2017",
        "assumes       distinct points, scalar labels",
        "promised      depth 17, units 83, width <= 6, nonzero <= ",
        "built         depth 17, units 83, width 6, nonzero ",
        "reading       value of 1 output",
        "residual 0 (all 40 points equal their labels)",
        "out/fit/certificate.txt",
    ] {
        assert!(stdout(&fit).contains(words), "'{words}' is not in:\n{}", stdout(&fit));
    }
    let json = fs::read(folder.path().join("out/fit/fit.json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(
        (&json["sizes"]["units"], &json["promised"]["units"]["exactly"]),
        (&83.into(), &83.into())
    );
    assert!(json["first_misfit"].is_null() && json["broken"].is_null());

    let certificate = "out/fit/certificate.txt";
    let check = shatter(&folder, &["check", certificate, sample, "--seed", "3"]);
    assert_eq!(status(&check), 0, "{}", stdout(&check));
    assert!(stdout(&check).contains("all 40 points, exactly"));
    assert!(stdout(&check).contains("depth 17, 83 units on R^3, width 6"), "{}", stdout(&check));
    let other = shatter(&folder, &["check", certificate, sample]);
    assert_eq!(status(&other), 1);
    let integers = ["check", "--integers", certificate, sample, "--seed", "3"];
    refused(&folder, &integers, &["two-layer form only", "layered"]);

    let eval = shatter(&folder, &["eval", certificate, sample, "--seed", "3", "--out", "eval"]);
    assert_eq!(status(&eval), 0, "{}", stderr(&eval));
    assert!(stdout(&eval).contains("residual 0 (40 of 40 points"), "{}", stdout(&eval));
    let outputs = fs::read_to_string(folder.path().join("eval/outputs.csv")).unwrap();
    assert!(outputs.starts_with("point,target_0,output_0\n0,"), "{outputs}");
    assert_eq!(outputs.lines().count(), 41);
    assert!(outputs.lines().skip(1).all(|line| {
        let numbers: Vec<&str> = line.split(',').collect();
        numbers[1] == numbers[2]
    }));
    // A network file knows no labels: these are the sample's own.
    let network = shatter(&folder, &["eval", "out/fit/network.txt", sample, "--seed", "3"]);
    assert_eq!(status(&network), 1);
    assert!(stdout(&network).contains("at point"), "{}", stdout(&network));
    refused(&folder, &["eval", certificate, "lattice:n=40,d=2"], &["takes 3", "have 2"]);

    let show = shatter(&folder, &["show", certificate]);
    assert!(stdout(&show).contains("layers        1 relu; 4 relu; 6 relu"), "{}", stdout(&show));
    assert!(stdout(&show).contains("depth 17, units 83, width 6"), "{}", stdout(&show));
    let json = shatter(&folder, &["show", "out/fit/network.txt", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["counts"]["depth"], 17);
    assert_eq!(json["layers"].as_array().unwrap().len(), 17);
}

/// Whatever the construction: a fit that the checker accepts, or one line that says why not.
#[test]
fn every_construction_answers() {
    let folder = tempdir().unwrap();
    let sample = "lattice:n=9,d=3,range=1000,classes=2";
    for construction in catalogue::all() {
        let name = construction.name();
        let fit = shatter(&folder, &["fit", sample, "--construction", &name, "--out", &name]);
        match status(&fit) {
            0 => {
                let certificate = format!("{name}/certificate.txt");
                let check = shatter(&folder, &["check", &certificate, sample]);
                assert_eq!(status(&check), 0, "{name}: {}", stdout(&check));
                let eval = shatter(&folder, &["eval", &certificate, sample]);
                assert_eq!(status(&eval), 0, "{name}: {}{}", stdout(&eval), stderr(&eval));
                let network = format!("{name}/network.txt");
                let eval = shatter(&folder, &["eval", &network, sample]);
                assert_eq!(status(&eval), 0, "{name}: {}{}", stdout(&eval), stderr(&eval));
                assert_eq!(status(&shatter(&folder, &["show", &certificate])), 0);
            }
            code => {
                assert_eq!(code, 2, "{name}: {}", stdout(&fit));
                let message = stderr(&fit);
                assert!(message.starts_with("error: ") && message.lines().count() == 1);
                assert!(!folder.path().join(&name).exists(), "{name} left something");
            }
        }
    }
}

#[test]
fn wrong_names_options_and_samples_are_named() {
    let folder = tempdir().unwrap();
    let sample = "lattice:n=9,d=3";
    for name in ["depht-3", "depth-", "depth-03", "depth--3", ""] {
        let arguments = ["fit", sample, "--construction", name];
        refused(
            &folder,
            &arguments,
            &["is not a construction", "depth-two-zigzag", "width-two", "depth-K"],
        );
    }
    for option in [
        &["--solver", "exact"][..],
        &["--threshold", "zigzag"],
        &["--brute-force"],
        &["--no-brute-force"],
    ] {
        let fit = &["fit", sample, "--construction", "width-two"];
        let output = shatter(&folder, &[fit, option].concat());
        assert_eq!(status(&output), 2);
        assert!(stderr(&output).contains("cannot be used with"), "{}", stderr(&output));
        assert!(stderr(&output).contains(option[0]), "{}", stderr(&output));
    }
    refused(&folder, &["fit", sample, "--construction", "depth-2"], &["depth 2", "n = 9"]);
    refused(&folder, &["fit", sample, "--construction", "depth-12"], &["depth 12", "n + 2"]);
    let json = shatter(&folder, &["fit", sample, "--construction", "depth-12", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(json["message"].as_str().unwrap().contains("depth 12"));
    assert!(!folder.path().join("out").exists(), "a refusal leaves nothing");
    let directed = ["fit", sample, "--construction", "width-two", "--direction", "gaussian"];
    assert_eq!(status(&shatter(&folder, &directed)), 0);
}

/// Labels of another kind than the network's outputs.
#[test]
fn outputs_that_say_no_label_are_refused() {
    let folder = tempdir().unwrap();
    let text = "shatter layered network 1\nconstruction by hand\n\
                counts depth=1 units=0 width=0 nonzero=3 bits=9 max-bits=3\ninputs 1\nlayers 1\n\
                layer 3\nidentity 0 0:1\nidentity 0 0:1\nidentity 0 0:1\n";
    fs::write(folder.path().join("three.txt"), crate::common::lines::resealed(text)).unwrap();
    let eval = |sample: &str| shatter(&folder, &["eval", "three.txt", sample]);
    // Three classes: one-hot. Five: three bits. Two: neither.
    for (classes, encoding) in [(3, "one-hot"), (5, "bits")] {
        let output = eval(&format!("lattice:n=9,d=1,classes={classes}"));
        assert_eq!(status(&output), 1, "{}", stderr(&output));
        assert!(stdout(&output).contains(&format!("reading       {encoding} of 3 outputs")));
    }
    let words = ["3 outputs", "1 as value", "2 as one-hot", "1 as bits"];
    refused(&folder, &["eval", "three.txt", "lattice:n=9,d=1,classes=2"], &words);
}

/// Small files that ask for gigabytes are refused within one.
#[cfg(target_os = "linux")]
#[test]
fn hostile_certificates_fit_the_memory() {
    use crate::common::lines::{line, resealed};
    let folder = tempdir().unwrap();
    let sample = "lattice:n=9,d=1,range=99";
    assert_eq!(status(&shatter(&folder, &["fit", sample, "--construction", "width-two"])), 0);
    let honest = fs::read_to_string(folder.path().join("out/fit/certificate.txt")).unwrap();
    let (counts, targets) = (line(&honest, "counts "), line(&honest, "targets "));
    let tower = "layer 1\nsquare 3p-1 0:5p-1\n".repeat(40);
    let copies = "layer 1\nsquare 3 0:1\n".repeat(20)
        + "layer 300000\n"
        + &"relu 0 0:1\n".repeat(300_000)
        + "layer 1\nthreshold 0 7:1\n";
    for (layers, depth, units, nonzero, max_bits, bits) in [
        (tower, 40, 39, 80, 6, 5 * 40 + 6 * 40),
        (copies, 22, 300_020, 40 + 300_001, 4, 20 * (4 + 3) + 3 * 300_001),
    ] {
        let width = if depth == 40 { 1 } else { 300_000 };
        let lines: Vec<&str> = honest.lines().collect();
        let text = lines[..counts].join("\n")
            + &format!(
                "\ncounts depth={depth} units={units} width={width} nonzero={nonzero} \
                 bits={bits} max-bits={max_bits}\ninputs 1\nlayers {depth}\n{layers}"
            )
            + &lines[targets..].join("\n")
            + "\n";
        let text = resealed(&text);
        fs::write(folder.path().join("hostile.txt"), text).unwrap();
        let program = crate::common::binary::program();
        let program = program.display();
        let command = format!("ulimit -v 1048576; {program} check hostile.txt {sample}");
        let output = std::process::Command::new("sh")
            .args(["-c", &command])
            .env("RAYON_NUM_THREADS", "4")
            .current_dir(folder.path())
            .output()
            .unwrap();
        let answer = stdout(&output) + &stderr(&output);
        // Neither a yes nor a no.
        assert_eq!(status(&output), 2, "{answer}");
        assert!(answer.contains("undecided: checking would take more than"), "{answer}");
    }
}
