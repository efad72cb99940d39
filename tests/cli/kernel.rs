//! Promise: `kernel`, `table3` and `check` answer in words, keep what has ended, and refuse what makes no sense before
//! any work is done.

use std::fs;

use tempfile::tempdir;

use crate::common::program::{
    csv, mnist, npy, read_json, refused, shatter, status, stderr, stdout,
};

#[test]
fn a_fit_is_certified_and_checked_again() {
    let folder = tempdir().unwrap();
    mnist(&folder, "digits");
    for features in ["none", "gabor:cell=3", "random-conv:5,patch=3"] {
        let fit = ["kernel", "mnist:digits", "--labels", "random,true", "--features", features];
        let output = shatter(&folder, &[&fit[..], &["--seed", "3"]].concat());
        assert_eq!(status(&output), 0, "{features}: {}{}", stdout(&output), stderr(&output));
        let text = stdout(&output);
        for word in ["plan", "40 of 40", "true, paper", "alpha_c' K alpha_c", "at the peak"] {
            assert!(
                text.contains(word) || features.contains("random"),
                "'{word}' is not in {text}"
            );
        }
        let check = ["check", "--network", "out/kernel/random.safetensors"];
        let certificate = [&check[..], &["out/kernel/random.certificate.txt", "mnist:digits"]];
        let output = shatter(&folder, &certificate.concat());
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        assert!(
            stdout(&output).contains("40 of 40 points are proved to fit"),
            "{}",
            stdout(&output)
        );
        // Another model, and a text that was changed.
        let other = ["check", "--network", "out/kernel/true.safetensors"];
        let other = [&other[..], &["out/kernel/random.certificate.txt", "mnist:digits"]];
        let output = shatter(&folder, &other.concat());
        assert_eq!(status(&output), 1, "{}", stderr(&output));
        assert!(
            stdout(&output).starts_with("rejected: the certificate says"),
            "{}",
            stdout(&output)
        );
    }
    let path = folder.path().join("out/kernel/random.certificate.txt");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("margin=40", "margin=41")).unwrap();
    let certificate = "out/kernel/random.certificate.txt";
    let model = "out/kernel/random.safetensors";
    refused(&folder, &["check", "--network", model, certificate, "mnist:digits"], &["digest"]);
    refused(&folder, &["check", certificate, "mnist:digits"], &["of a kernel", "--network FILE"]);
}

/// Few points of whole numbers are decided in fractions, and again by the checker.
#[test]
fn rational_kernels_are_decided_exactly() {
    let folder = tempdir().unwrap();
    mnist(&folder, "digits");
    let fit = ["kernel", "mnist:digits,first=9", "--kernel", "rational:gamma=0.1", "--exact"];
    let output = shatter(&folder, &fit);
    assert_eq!(status(&output), 0, "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("in fractions the norm is"), "{}", stdout(&output));
    let found = read_json(&folder, "out/kernel/kernel.json");
    let one = &found["labellings"][0];
    let (norm, exact) = (one["norm"].as_f64().unwrap(), one["exact"]["norm"].as_f64().unwrap());
    assert!((norm - exact).abs() < 1e-12 * exact, "{norm} {exact}");
    assert!(one["exact"]["coefficient_error"].as_f64().unwrap() < 1e-12);
    let certificate = "out/kernel/true.certificate.txt";
    let text = fs::read_to_string(folder.path().join(certificate)).unwrap();
    assert!(text.contains("\narithmetic exact\n") && text.contains(" undecided=0 "), "{text}");
    let check = ["check", "--network", "out/kernel/true.safetensors", certificate];
    let output = shatter(&folder, &[&check[..], &["mnist:digits,first=9"]].concat());
    assert_eq!(status(&output), 0, "{}{}", stdout(&output), stderr(&output));
    // Points of many digits are decided, and their solution would have too many.
    let long = ["kernel", "gaussian:n=40,d=3", "--kernel", "rational:gamma=0.1", "--exact"];
    let output = shatter(&folder, &long);
    assert_eq!(status(&output), 0, "{}{}", stdout(&output), stderr(&output));
    let reason = "true: no exact solution: exact coefficients of 40 points may need";
    assert!(stdout(&output).contains(reason), "{}", stdout(&output));
    let gaussian = ["kernel", "mnist:digits,first=9", "--exact"];
    refused(&folder, &gaussian, &["--exact", "not a rational function"]);
    let ridge = ["kernel", "mnist:digits,first=9", "--kernel", "linear", "--exact", "--ridge", "1"];
    refused(&folder, &ridge, &["--exact", "nothing is interpolated"]);
}

/// Without a matrix the fit is the same, up to the residual.
#[test]
fn conjugate_gradients_hold_no_matrix() {
    let folder = tempdir().unwrap();
    let fit =
        ["kernel", "gaussian:n=600,d=5", "--kernel", "laplacian:gamma=1", "--labels", "random"];
    let norm = |rest: &[&str]| {
        let output = shatter(&folder, &[&fit[..], rest].concat());
        assert_eq!(status(&output), 0, "{}{}", stdout(&output), stderr(&output));
        (stdout(&output), read_json(&folder, "out/kernel/kernel.json"))
    };
    let (_, direct) = norm(&[]);
    let (text, iterated) = norm(&["--centres", "50"]);
    assert!(text.contains("conjugate gradients, 50 centres"), "{text}");
    let of = |found: &serde_json::Value| found["labellings"][0]["norm"].as_f64().unwrap();
    assert!((of(&direct) - of(&iterated)).abs() < 1e-3 * of(&direct));
    assert!(iterated["products"].as_u64().unwrap() > 1);
    assert!(iterated["matrix_bytes"].as_u64() < direct["matrix_bytes"].as_u64());
}

#[test]
fn several_shares_of_corruption_are_drawn() {
    let folder = tempdir().unwrap();
    mnist(&folder, "digits");
    let fit =
        ["kernel", "mnist:digits", "--labels", "true,corrupted:0.5,random", "--spectrum", "9"];
    let output = shatter(&folder, &fit);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    for name in ["test_error.png", "norm.svg", "spectrum.png", "corrupted-0.5.safetensors"] {
        assert!(folder.path().join("out/kernel").join(name).is_file(), "{name}");
    }
    let found = read_json(&folder, "out/kernel/kernel.json");
    let spectrum = found["spectrum"].as_array().unwrap();
    // The diagonal is 1, so the eigenvalues add up to their number.
    let sum: f64 = spectrum.iter().map(|value| value.as_f64().unwrap()).sum();
    assert!((sum - 9.0).abs() < 1e-12 && spectrum.len() == 9, "{spectrum:?}");
    for n in [20, 30] {
        let sample = format!("mnist:digits,first={n}");
        let output = shatter(&folder, &["kernel", &sample, "--out", &format!("out/{n}")]);
        assert_eq!(status(&output), 0, "{}", stderr(&output));
    }
    if found["peak_bytes"].is_u64() {
        let output = shatter(&folder, &["figures", "out"]);
        assert!(stdout(&output).contains("3 runs") && stdout(&output).contains("growth.png"));
        let drawn = fs::read_to_string(folder.path().join("out/figures/growth.svg")).unwrap();
        assert!(drawn.contains("n³") && drawn.contains("n²"));
    }
}

/// A fit that is killed in the middle of its factorisation goes on to the bytes of one that is not.
#[test]
fn a_killed_fit_goes_on() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("killed/factor.checkpoint");
    // Whether a fit runs until it is killed, or ends before: then a larger one is tried.
    let killed = |n: usize| -> Option<Vec<String>> {
        let fit = format!("kernel gaussian:n={n},d=4 --kernel laplacian:gamma=1 --labels random");
        let fit = format!("{fit} --checkpoint-every 0 --out");
        let fit: Vec<String> = fit.split(' ').map(str::to_owned).collect();
        let mut command = std::process::Command::new(crate::common::binary::program());
        command.args(&fit).arg("killed").current_dir(folder.path());
        let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
        // Some of the block columns are in the file when it has half of the bytes of all.
        let half = (n * n * 8 / 4) as u64;
        while !fs::metadata(&path).is_ok_and(|file| file.len() > half) {
            if child.try_wait().unwrap().is_some() {
                return None;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        path.exists().then_some(fit)
    };
    let fit = [2500, 5000, 10_000].into_iter().find_map(killed).expect("a fit that can be killed");
    let fit: Vec<&str> = fit.iter().map(String::as_str).collect();
    let whole = shatter(&folder, &[&fit[..], &["whole"]].concat());
    assert_eq!(status(&whole), 0, "{}", stderr(&whole));
    let again = shatter(&folder, &[&fit[..], &["killed"]].concat());
    assert_eq!(status(&again), 0, "{}", stderr(&again));
    assert!(stdout(&again).contains("columns of the factor were there"), "{}", stdout(&again));
    assert!(!stdout(&whole).contains("were there") && !path.exists());
    for name in ["random.safetensors", "random.certificate.txt"] {
        let read = |run: &str| fs::read(folder.path().join(run).join(name)).unwrap();
        assert!(read("whole") == read("killed"), "{name}");
    }
}

#[test]
fn rows_of_table_3_are_kept() {
    let folder = tempdir().unwrap();
    mnist(&folder, "digits");
    let table = ["table3", "mnist:digits", "--rows", "mnist-gabor"];
    let first = shatter(&folder, &table);
    assert_eq!(status(&first), 0, "{}", stderr(&first));
    assert!(stdout(&first).contains("0.60 %") && stdout(&first).contains("390"));
    let path = folder.path().join("out/table3/mnist-gabor/kernel.json");
    let written = fs::read(&path).unwrap();
    let again = shatter(&folder, &table);
    assert_eq!(status(&again), 0, "{}", stderr(&again));
    assert!(!stdout(&again).contains("plan") && stdout(&first).contains("plan"));
    assert_eq!(fs::read(&path).unwrap(), written);
    // With other options it is another row.
    let other = shatter(&folder, &[&table[..], &["--spectrum", "3"]].concat());
    assert_eq!(status(&other), 0, "{}", stderr(&other));
    assert!(stdout(&other).contains("plan"));
    assert_ne!(fs::read(&path).unwrap(), written);
}

#[test]
fn real_labels_are_fitted_within_a_tolerance() {
    let folder = tempdir().unwrap();
    csv(&folder, "real.csv", (0..12).map(|i| format!("{i},{}", f64::from(i) * 0.37 - 1.5)));
    let fit = ["kernel", "csv:real.csv,target=number", "--kernel", "laplacian:gamma=1"];
    let fit = [&fit[..], &["--test", "csv:real.csv,target=number"]].concat();
    let output = shatter(&folder, &fit);
    assert_eq!(status(&output), 0, "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("12 of 12"), "{}", stdout(&output));
    let exact = shatter(&folder, &[&fit[..], &["--tolerance", "0"]].concat());
    assert_eq!(status(&exact), 1, "{}", stderr(&exact));
}

#[test]
fn what_cannot_be_fitted_is_refused_in_words() {
    let folder = tempdir().unwrap();
    mnist(&folder, "digits");
    let kernel = |rest: &[&str], words: &[&str]| {
        refused(&folder, &[&["kernel", "mnist:digits"], rest].concat(), words);
    };
    for (option, value, word) in [
        ("--kernel", "gaussian", "needs gamma"),
        ("--kernel", "cosine", "'cosine' is not a kernel"),
        ("--features", "sift", "random-conv:N"),
        ("--features", "gabor:cell=2,cell=3", "cell is given twice"),
        ("--labels", "wrong", "corrupted:P"),
    ] {
        let output = shatter(&folder, &["kernel", "mnist:digits", option, value]);
        assert_eq!(status(&output), 2);
        assert!(stderr(&output).contains(word), "{}", stderr(&output));
    }
    kernel(&["--features", "random-conv:4,patch=9"], &["1×6×6", "patch of 9"]);
    kernel(&["--labels", "true,true"], &["--labels", "twice"]);
    kernel(&["--kernel", "linear", "--kernel", "arc-cosine-0"], &["--validate N"]);
    kernel(&["--validate", "40"], &["--validate 40", "fewer than the 40"]);
    kernel(&["--spectrum", "5000"], &["--spectrum 5000", "4000"]);
    kernel(&["--kernel", "linear"], &["rank 40", "at most rank 36", "--ridge R"]);
    kernel(&["--kernel", "gaussian:gamma=1e-30"], &["ones", "larger gamma"]);
    kernel(&["--kernel", "gaussian:gamma=1e9"], &["identity", "smaller gamma"]);
    kernel(&["--ridge=-1"], &["ridge", "-1"]);
    // A plan of what cannot be fitted is none.
    kernel(&["--plan", "--ridge=-1"], &["ridge", "-1"]);
    kernel(&["--plan", "--validate", "40"], &["--validate 40"]);
    kernel(&["--plan", "--kernel", "linear"], &["rank"]);
    kernel(&["--plan", "--checkpoint-every=-1"], &["--checkpoint-every", "0 or more"]);
    kernel(&["--test", "gaussian:n=5,d=3"], &["gaussian:n=5,d=3", "test points are f64"]);
    // One class, and equal points with different labels.
    npy(&folder, "one.npy", "|u1", "(3, 1)", &[1, 2, 3]);
    npy(&folder, "zero.npy", "|u1", "(3,)", &[0, 0, 0]);
    refused(&folder, &["kernel", "npy:one.npy,zero.npy"], &["one class only"]);
    csv(&folder, "same.csv", ["1,2,a", "3,4,a", "1,2,b"].map(str::to_owned).into_iter());
    refused(&folder, &["kernel", "csv:same.csv"], &["same.csv"]);
    // What memory does not hold, before anything is taken.
    let mut large = std::process::Command::new(crate::common::binary::program());
    large.args(["kernel", "mnist:digits"]).current_dir(folder.path()).env("SHATTER_MEMORY", "1000");
    let output = large.output().unwrap();
    assert_eq!(status(&output), 2);
    assert!(
        stderr(&output).contains("memory are needed to fit a kernel to"),
        "{}",
        stderr(&output)
    );
    // Nothing was written.
    assert!(!folder.path().join("out").exists());
    let table = |rest: &[&str], words: &[&str]| {
        refused(&folder, &[&["table3"], rest].concat(), words);
    };
    table(&["gaussian:n=9,d=2"], &["of mnist and cifar10"]);
    table(&["mnist:digits", "mnist:digits"], &["another sample of mnist"]);
    table(&["mnist:digits", "--rows", "mnist"], &["--rows mnist", "mnist-gabor"]);
    table(&["mnist:digits", "--exact"], &["--exact cannot be given here"]);
    table(&["mnist:digits", "--rows", "cifar10-pixels"], &["a sample of cifar10"]);
    csv(&folder, "train.csv", ["1,2,a", "3,4,b"].map(str::to_owned).into_iter());
    csv(&folder, "test.csv", ["1,2,a", "5,4,c"].map(str::to_owned).into_iter());
    let gabor = ["kernel", "csv:train.csv", "--features", "gabor", "--plan"];
    refused(&folder, &gabor, &["Gabor filters need images", "2 plain numbers"]);
    let classes = ["kernel", "csv:train.csv", "--test", "csv:test.csv"];
    refused(&folder, &classes, &["csv:test.csv", "class 'c' of point 1", "2 classes"]);
    let plan = shatter(&folder, &["kernel", "mnist:digits", "--plan"]);
    assert_eq!(status(&plan), 0, "{}", stderr(&plan));
    assert!(stdout(&plan).contains("factor") && !folder.path().join("out").exists());
}
