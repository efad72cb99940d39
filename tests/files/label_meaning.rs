//! Promise: a class means the same wherever outputs say it. Its number is its own (that of its name, or of the
//! source), a network's names of classes are matched by name, and everything else is refused by name.

use std::fs;

use crate::common::cases;
use crate::common::lines::resealed;
use crate::common::program::{csv, npy, read_json, refused, shatter, status, stderr, stdout};
use crate::common::verdicts::{decided, verdicts};
use proptest::prelude::*;
use shatter_exact::{Format, Rational};
use shatter_judge::{Effort, Runtime, Verdict, decide, judge};
use shatter_network::Graph;
use shatter_network::graph::{Affine, Operator, Step};
use shatter_network::reading::{How, Reading, ReadingError};
use shatter_sample::table::{self, LabelType, TableOptions};
use shatter_sample::{Labels, Points, RawSample, Values};
use tempfile::TempDir;

/// A folder with the files of tests/data/label-meaning: networks of one product whose output k is largest at x = k
/// (`net.onnx`, `net12.onnx`), that says 0 up to 5 and 1 beyond (`wrong.onnx`), and that is x (`sgn.onnx`).
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let data = crate::common::repository().join("tests/data/label-meaning");
    for file in fs::read_dir(data).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    folder
}

/// How many points fit with margin or exactly, and what the reading was.
fn fitting(folder: &TempDir, arguments: &[&str]) -> (u64, String) {
    let found = decided(folder, &[&["--network"], arguments].concat());
    let count = |verdict: &str| found["verdicts"][verdict].as_u64().unwrap();
    (count("exact") + count("margin"), found["reading"].as_str().unwrap().to_owned())
}

#[test]
fn classes_of_a_table_keep_their_numbers() {
    let folder = folder();
    for (network, sample, fits) in [
        ("net.onnx", "csv:d37.csv", 2),
        ("wrong.onnx", "csv:d37.csv", 0),
        ("net.onnx", "npy:x.npy,y.npy", 2),
        ("wrong.onnx", "npy:x.npy,y.npy", 0),
        ("net.onnx", "csv:d19.csv", 9),
        ("net12.onnx", "csv:i12.csv", 12),
        ("net12.onnx", "csv:f12.csv", 12),
        ("net12.onnx", "csv:f12.csv,target=class", 12),
        ("net12.onnx", "csv:f12.csv,target=number", 12),
    ] {
        let found = fitting(&folder, &[network, sample]);
        assert_eq!(found, (fits, "largest".to_owned()), "{network} {sample}");
    }
    // What the wrong network says is 0 and 1, and no certificate says otherwise.
    assert_eq!(verdicts(&folder, "out/check/certificate.txt").len(), 12);
    let right = ["check", "--network", "net.onnx", "csv:d37.csv", "--out", "right"];
    let output = shatter(&folder, &right);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert!(
        stdout(&output).contains("\nreading       largest of 10 outputs\n"),
        "{}",
        stdout(&output)
    );
    let again = ["check", "--network", "net.onnx", "right/certificate.txt"];
    assert_eq!(status(&shatter(&folder, &[&again[..], &["csv:d37.csv"]].concat())), 0);
    // The same points and ranks of classes, under other names: other claims.
    csv(&folder, "d38.csv", ["a,y", "3,3", "7,8"].map(String::from).into_iter());
    assert_eq!(status(&shatter(&folder, &[&again[..], &["csv:d38.csv"]].concat())), 1);
}

#[test]
fn one_output_is_read_as_a_value_or_by_its_sign() {
    let folder = folder();
    assert_eq!(fitting(&folder, &["sgn.onnx", "csv:pm.csv"]), (2, "sign".to_owned()));
    let text = stdout(&shatter(&folder, &["check", "--network", "sgn.onnx", "csv:pm.csv"]));
    assert!(text.contains("\nreading       sign of 1 output\n"), "{text}");
    // Logits −3, −1, 2, 5 of classes 0, 0, 1, 1.
    let rows = ["a,y", "-3,0", "-1,0", "2,1", "5,1"].map(String::from);
    csv(&folder, "logits.csv", rows.into_iter());
    let check = ["check", "--network", "sgn.onnx", "csv:logits.csv"];
    let text = stdout(&shatter(&folder, &check));
    assert!(
        text.contains("reading       value of 1 output (of a logit: --reading sign)"),
        "{text}"
    );
    assert!(text.contains("does not fit  4"), "{text}");
    let sign = ["sgn.onnx", "csv:logits.csv", "--reading", "sign"];
    assert_eq!(fitting(&folder, &sign), (4, "sign".to_owned()));
    // Two names say nothing of their sign, until they are given in order.
    let rows = ["a,y", "-3,no", "-1,no", "2,yes", "5,yes"].map(String::from);
    csv(&folder, "words.csv", rows.into_iter());
    let words = ["check", "--network", "sgn.onnx", "csv:words.csv", "--reading", "sign"];
    refused(&folder, &words, &["'no'", "--classes"]);
    for (names, fits) in [("no,yes", 4), ("yes,no", 0)] {
        let words = ["sgn.onnx", "csv:words.csv", "--reading", "sign", "--classes", names];
        assert_eq!(fitting(&folder, &words).0, fits, "{names}");
    }
    let output = shatter(&folder, &[&words[..], &["--classes", "no,yes"]].concat());
    let line = "reading       sign of 1 output: no below 0, yes above";
    assert!(stdout(&output).contains(line), "{}", stdout(&output));
}

#[test]
fn one_hot_labels_are_numbers_until_they_are_said_to_be_classes() {
    let folder = folder();
    let sample = "npy:x.npy,oh.npy";
    let text = stdout(&shatter(&folder, &["check", "--network", "net.onnx", sample]));
    assert!(
        text.contains("reading       value of 10 outputs (every label is one-hot: --reading"),
        "{text}"
    );
    assert!(text.contains("does not fit  2"), "{text}");
    for (reading, fits) in [("largest", 2), ("one-hot", 0)] {
        let found = fitting(&folder, &["net.onnx", sample, "--reading", reading]);
        assert_eq!(found, (fits, reading.to_owned()));
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_the_way_out() {
    let folder = folder();
    let check = |sample: &'static str| ["check", "--network", "net.onnx", sample];
    let with = |sample, more: &[&'static str]| [&check(sample)[..], more].concat();
    refused(
        &folder,
        &with("csv:d37.csv", &["--reading", "sign"]),
        &[
            "sign is read of one output, and the network has 10",
            "readings that fit: largest, one-hot, bits",
            "--reading",
        ],
    );
    refused(&folder, &check("csv:f12.csv"), &["class 10", "0 to 9", "--classes"]);
    let rows = ["a,y", "0,cat", "1,dog", "2,cat"].map(String::from);
    csv(&folder, "pets.csv", rows.into_iter());
    refused(&folder, &check("csv:pets.csv"), &["does not name", "'cat'", "--classes"]);
    let names = "cat,dog,c,d,e,f,g,h,i,j";
    refused(
        &folder,
        &with("csv:pets.csv", &["--classes", "cat,dog"]),
        &["10 outputs say 10 classes", "2 are"],
    );
    refused(
        &folder,
        &with("csv:d37.csv", &["--classes", names]),
        &["class '3'", "cat, dog, c, d, e, f, …"],
    );
    assert_eq!(fitting(&folder, &["net.onnx", "csv:pets.csv", "--classes", names]).0, 2);
    let twice = "cat,cat,c,d,e,f,g,h,i,j";
    refused(&folder, &with("csv:pets.csv", &["--classes", twice]), &["two outputs", "'cat'"]);
    csv(&folder, "half.csv", ["a,y", "3,3.5", "7,7"].map(String::from).into_iter());
    refused(&folder, &check("csv:half.csv"), &["label 3.5 of point 0", "not a class"]);
    let output = shatter(&folder, &with("csv:d37.csv", &["--reading", "best"]));
    assert_eq!(status(&output), 2);
    assert!(stderr(&output).contains("'best' is none of: value, largest"), "{}", stderr(&output));
    // A certificate says it itself.
    refused(&folder, &["check", "c.txt", "csv:d37.csv", "--reading", "value"], &["--network"]);
}

/// Labels 5 and 7 of a table, which a construction says as 0 and 1.
fn fitted(folder: &TempDir) {
    let rows = ["a,y", "5,5", "7,7", "9,5"].map(String::from);
    csv(folder, "l57.csv", rows.into_iter());
    let fit = shatter(folder, &["fit", "csv:l57.csv", "--out", "fit"]);
    assert_eq!(status(&fit), 0, "{}", stderr(&fit));
    assert!(
        stdout(&fit).contains("\nreading       value of 1 output: 0 = 5, 1 = 7\n"),
        "{}",
        stdout(&fit)
    );
    assert_eq!(read_json(folder, "fit/fit.json")["classes"], serde_json::json!(["5", "7"]));
}

#[test]
fn what_is_built_says_its_classes_in_every_file() {
    let folder = folder();
    fitted(&folder);
    // The same classes as a table, in another order, with another spelling, and as numbers.
    csv(&folder, "o57.csv", ["a,y", "9,5.0", "5,+5", "7,07"].map(String::from).into_iter());
    let x: Vec<u8> = [5.0f64, 7.0, 9.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    npy(&folder, "x57.npy", "<f8", "(3, 1)", &x);
    npy(&folder, "y57.npy", "|u1", "(3,)", &[5, 7, 5]);
    npy(&folder, "y01.npy", "|u1", "(3,)", &[0, 1, 0]);
    let export = ["export", "fit/certificate.txt", "--to", "onnx", "--out", "fit"];
    assert_eq!(status(&shatter(&folder, &export)), 0);
    let samples = ["csv:l57.csv", "csv:o57.csv,target=class", "csv:o57.csv", "npy:x57.npy,y57.npy"];
    for sample in samples {
        for file in ["fit/certificate.txt", "fit/network.txt"] {
            let eval = shatter(&folder, &["eval", file, sample]);
            assert_eq!(status(&eval), 0, "{file} {sample}: {}{}", stdout(&eval), stderr(&eval));
            assert!(stdout(&eval).contains("reading       value of 1 output: 0 = 5, 1 = 7\n"));
        }
        assert_eq!(fitting(&folder, &["fit/network.onnx", sample]), (3, "value".to_owned()));
    }
    for file in ["fit/network.txt", "fit/certificate.txt"] {
        let eval = ["eval", file, "npy:x57.npy,y01.npy"];
        refused(&folder, &eval, &["class '0'", "its classes are 5, 7", "--classes"]);
        let eval = [&eval[..], &["--classes", "0,1"]].concat();
        assert_eq!(status(&shatter(&folder, &eval)), 0);
        let show = shatter(&folder, &["show", file]);
        assert!(stdout(&show).contains("reading       value of 1 output: 0 = 5, 1 = 7\n"));
    }
    let check = ["check", "--network", "fit/network.onnx", "npy:x57.npy,y01.npy"];
    refused(&folder, &check, &["class '0'", "its classes are 5, 7", "--classes"]);
    // Certificates say which class of the sample is which number.
    assert_eq!(fitting(&folder, &["fit/network.onnx", "csv:l57.csv", "--out", "said"]).0, 3);
    let text = fs::read_to_string(folder.path().join("said/certificate.txt")).unwrap();
    assert!(text.contains("\nreading value\nclasses 5=0,7=1\n"), "{text}");
}

#[test]
fn a_certificate_of_other_classes_is_rejected_and_one_without_is_accepted() {
    let folder = folder();
    fitted(&folder);
    let accepted = shatter(&folder, &["check", "fit/certificate.txt", "csv:l57.csv"]);
    assert_eq!(status(&accepted), 0, "{}", stdout(&accepted));
    assert!(stdout(&accepted).contains("reading       value of 1 output: 0 = 5, 1 = 7\n"));
    for (name, rows, words) in [
        (
            "l58.csv",
            ["5,5", "7,8", "9,5"],
            "class 1 is '7' in the certificate and '8' in the sample",
        ),
        (
            "l57f.csv",
            ["5,five", "7,seven", "9,five"],
            "class 0 is '5' in the certificate and 'five' in the sample",
        ),
    ] {
        csv(&folder, name, ["a,y"].iter().chain(&rows).map(|row| (*row).to_owned()));
        let output = shatter(&folder, &["check", "fit/certificate.txt", &format!("csv:{name}")]);
        assert_eq!(status(&output), 1);
        assert!(stdout(&output).contains(words), "{}", stdout(&output));
    }
    // As it was written before names were kept.
    let path = folder.path().join("fit/certificate.txt");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("\nclasses 2\n5\n7\ncounts "), "{text}");
    let old = resealed(&text.replacen("classes 2\n5\n7\n", "", 1));
    fs::write(folder.path().join("old.txt"), old).unwrap();
    assert_eq!(status(&shatter(&folder, &["check", "old.txt", "csv:l57.csv"])), 0);
    // Which number is which class is not to be guessed.
    let eval = ["eval", "old.txt", "csv:l57.csv"];
    refused(&folder, &eval, &["before names of classes were kept", "--classes"]);
    for (names, code) in [("5,7", 0), ("7,5", 1)] {
        let eval = [&eval[..], &["--classes", names]].concat();
        assert_eq!(status(&shatter(&folder, &eval)), code, "{names}");
    }
}

/// Names with everything that files and terminals make something of.
#[test]
fn strange_names_are_kept_and_shown_without_harm() {
    let folder = folder();
    let names = ["x, \"y\"", "p\nq", "\u{1b}]0;T\u{7}\\", "ö"];
    let row = |(k, name): (usize, &&str)| format!("{k},\"{}\"", name.replace('"', "\"\""));
    let rows = names.iter().enumerate().map(row);
    csv(&folder, "strange.csv", std::iter::once("a,y".to_owned()).chain(rows));
    let fit = shatter(&folder, &["fit", "csv:strange.csv", "--out", "fit"]);
    assert_eq!(status(&fit), 0, "{}", stderr(&fit));
    assert!(!stdout(&fit).contains('\u{1b}') && stdout(&fit).contains("p\\nq"), "{}", stdout(&fit));
    let mut sorted = names;
    sorted.sort_unstable();
    assert_eq!(read_json(&folder, "fit/fit.json")["classes"], serde_json::json!(sorted));
    assert_eq!(status(&shatter(&folder, &["check", "fit/certificate.txt", "csv:strange.csv"])), 0);
    assert_eq!(status(&shatter(&folder, &["eval", "fit/network.txt", "csv:strange.csv"])), 0);
    let export = ["export", "fit/network.txt", "--to", "onnx", "--out", "fit"];
    assert_eq!(status(&shatter(&folder, &export)), 0);
    assert_eq!(fitting(&folder, &["fit/network.onnx", "csv:strange.csv"]).0, 4);
    let again = ["--network", "fit/network.onnx", "out/check/certificate.txt", "csv:strange.csv"];
    assert_eq!(decided(&folder, &again)["accepted"], true);
}

/// A checkpoint knows the names of its outputs.
#[test]
fn a_checkpoint_is_held_against_classes_by_name() {
    let folder = folder();
    let table = |name: &str, classes: [&str; 3]| {
        let row = |i: usize| format!("{},\"{}\"", ["3,0", "0,3", "-3,-3"][i % 3], classes[i % 3]);
        csv(&folder, name, std::iter::once("a,b,y".to_owned()).chain((0..30).map(row)));
    };
    table("train.csv", ["setosa", "a, b", "virginica"]);
    let train = ["train", "csv:train.csv", "--model", "mlp:8", "--batch", "5", "--epochs", "60"];
    let train =
        [&train[..], &["--learning-rate", "0.1", "--device", "cpu", "--out", "run"]].concat();
    assert_eq!(status(&shatter(&folder, &train)), 0);
    let file = "run/checkpoint.safetensors";
    let eval = shatter(&folder, &["eval", file, "csv:train.csv", "--out", "eval"]);
    assert_eq!(status(&eval), 0, "{}{}", stdout(&eval), stderr(&eval));
    let line = "reading       largest of 3 outputs: a, b, setosa, virginica\n";
    assert!(stdout(&eval).contains(line), "{}", stdout(&eval));
    let text = fs::read_to_string(folder.path().join("eval/outputs.csv")).unwrap();
    assert!(text.lines().nth(2).unwrap().starts_with("\"a, b\","), "{text}");
    // Other names of the same rank, and a class less.
    table("other.csv", ["setosa", "a, b", "zzz"]);
    for arguments in [&["eval", file][..], &["check", "--network", file]] {
        for as_test in [false, true] {
            let mut arguments = [arguments, &["csv:other.csv"]].concat();
            if as_test && arguments[0] == "eval" {
                arguments.push("--as-test");
            }
            refused(&folder, &arguments, &["'zzz'", "its classes are a, b, setosa, virginica"]);
        }
    }
    let rows = ["a,b,y", "3,0,setosa", "-3,-3,virginica"].map(String::from);
    csv(&folder, "fewer.csv", rows.into_iter());
    let eval = shatter(&folder, &["eval", file, "csv:fewer.csv"]);
    assert_eq!(status(&eval), 0, "{}{}", stdout(&eval), stderr(&eval));
    assert_eq!(fitting(&folder, &[file, "csv:fewer.csv"]), (2, "largest".to_owned()));
    // And so does what is exported from it.
    let export = ["export", file, "--to", "onnx", "--out", "run"];
    assert_eq!(status(&shatter(&folder, &export)), 0);
    assert_eq!(fitting(&folder, &["run/network.onnx", "csv:fewer.csv"]).0, 2);
    refused(&folder, &["check", "--network", "run/network.onnx", "csv:other.csv"], &["'zzz'"]);
    // Written before names were kept.
    let bytes = fs::read(folder.path().join(file)).unwrap();
    let named = br#"\"classes\":[\"a, b\",\"setosa\",\"virginica\"],"#;
    let at = bytes.windows(named.len()).position(|window| window == named).unwrap();
    let mut old = bytes.clone();
    old.drain(at..at + named.len());
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    // The header keeps its length: blanks at its end.
    let end = 8 + length as usize - named.len();
    old.splice(end..end, vec![b' '; named.len()]);
    fs::write(folder.path().join("old.safetensors"), old).unwrap();
    let eval = ["eval", "old.safetensors", "csv:fewer.csv"];
    refused(&folder, &eval, &["before names of classes were kept", "--classes"]);
    let eval = [&eval[..], &["--classes", "a\\, b,setosa,virginica"]].concat();
    assert_eq!(status(&shatter(&folder, &eval)), 0);
}

/// Weights of outputs that stand for other classes are not trained on as if they were these.
#[test]
fn weights_are_not_trained_on_for_other_classes() {
    let folder = folder();
    let table = |name: &str, classes: [&str; 3]| {
        let row = |i: usize| format!("{},{}", ["3,0", "0,3", "-3,-3"][i % 3], classes[i % 3]);
        csv(&folder, name, std::iter::once("a,b,y".to_owned()).chain((0..30).map(row)));
    };
    table("train.csv", ["a", "b", "c"]);
    table("same.csv", ["c", "a", "b"]); // other labels, of the same classes
    table("other.csv", ["a", "b", "z"]);
    table("numbers.csv", ["0", "1", "2"]);
    let train = |sample: &'static str| {
        let train = ["train", sample, "--model", "mlp:4", "--batch", "5", "--epochs", "1"];
        [&train[..], &["--device", "cpu", "--out"]].concat()
    };
    let first = shatter(&folder, &[&train("csv:train.csv")[..], &["run"]].concat());
    assert!(status(&first) < 2, "{}", stderr(&first));
    for to in ["onnx", "safetensors", "json", "npz"] {
        let export = ["export", "run/checkpoint.safetensors", "--to", to, "--out", "run"];
        assert_eq!(status(&shatter(&folder, &export)), 0);
    }
    let init = |sample: &'static str, file: &str| {
        let words = [&train(sample)[..], &["next", "--overwrite", "--init", file]].concat();
        words.into_iter().map(str::to_owned).collect::<Vec<String>>()
    };
    let begins = |sample: &'static str, file: &str| {
        let words = init(sample, file);
        let output = shatter(&folder, &words.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(status(&output) < 2, "{file}: {}", stderr(&output));
    };
    let does_not = |sample: &'static str, file: &str, expected: &[&str]| {
        let words = init(sample, file);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        refused(&folder, &words, &[&[file], expected].concat());
    };
    let networks = ["onnx", "safetensors", "json", "npz"].map(|to| format!("run/network.{to}"));
    for file in networks.iter().map(String::as_str).chain(["run/checkpoint.safetensors"]) {
        begins("csv:train.csv", file);
        begins("csv:same.csv", file);
        let known = "its classes are a, b, c";
        does_not("csv:other.csv", file, &["the network does not have class 'z'", known]);
        does_not("csv:numbers.csv", file, &["the network does not have class '0'", known]);
    }
    // The same names in another order.
    let text = fs::read_to_string(folder.path().join("run/network.json")).unwrap();
    let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(file["metadata"]["classes"], r#"["a","b","c"]"#);
    file["metadata"]["classes"] = r#"["b","a","c"]"#.into();
    fs::write(folder.path().join("swapped.json"), file.to_string()).unwrap();
    let expected = ["class 'a'", "is output 1 of the network", "trained as output 0"];
    does_not("csv:train.csv", "swapped.json", &expected);
    // Without names there is nothing to compare.
    for key in ["reading", "classes"] {
        file["metadata"].as_object_mut().unwrap().remove(key).unwrap();
    }
    fs::write(folder.path().join("unnamed.json"), file.to_string()).unwrap();
    begins("csv:other.csv", "unnamed.json");
}

/// Numbers of classes are those of the names whatever else is in the table, and `eval` reads constructions by the
/// numbers of their outputs where the file says nothing.
#[test]
fn a_network_file_without_a_reading_is_read_by_its_outputs() {
    let folder = folder();
    let text = "shatter layered network 1\nconstruction by hand\n\
                counts depth=1 units=0 width=0 nonzero=1 bits=3 max-bits=3\ninputs 1\nlayers 1\n\
                layer 1\nidentity 0 0:1\n";
    fs::write(folder.path().join("x.txt"), resealed(text)).unwrap();
    let eval = |sample: &str, more: &[&str]| {
        shatter(&folder, &[&["eval", "x.txt", sample], more].concat())
    };
    let output = eval("csv:d37.csv", &[]);
    assert_eq!(status(&output), 0, "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("reading       value of 1 output\n"), "{}", stdout(&output));
    // The second of two classes lies above 0.
    assert_eq!(status(&eval("csv:pm.csv", &["--reading", "sign"])), 0);
    assert_eq!(status(&eval("csv:pm.csv", &["--reading", "sign", "--classes", "1,-1"])), 1);
    refused(&folder, &["eval", "x.txt", "csv:d37.csv", "--reading", "sign"], &["'3'", "--classes"]);
}

/// A verdict on real labels is one on the point alone, whatever rounds beside it.
#[test]
fn real_labels_are_decided_point_by_point() {
    let network = dense(&[1.0, 1.0], 2, 1);
    let of = |points: &[[f64; 2]], labels: &[f64]| {
        let points = Points::new(Values::F64(points.concat()), vec![2]).unwrap();
        let labels = Labels::real(labels.to_vec(), 1).unwrap();
        judge(&network, &points, &labels, Runtime::Ieee, Effort::default()).unwrap().1
    };
    let alone = of(&[[1.0, 2.0]], &[3.0])[0];
    let beside = of(&[[1.0, 2.0], [0.1, 0.2], [1.0, 2.5]], &[3.0, 0.3, 4.0]);
    assert_eq!((alone.verdict, alone.low, alone.high), (Verdict::Exact, 0.0, 0.0));
    assert_eq!(beside[0], alone);
    // 0.1 + 0.2 is not 0.3, and 3.5 is not 4.
    assert_eq!((beside[1].fits, beside[2].fits), (Some(false), Some(false)));
}

/// One product, of whole numbers.
fn dense(weights: &[f64], inputs: usize, outputs: usize) -> Graph {
    let affine = Affine { weights: weights.to_vec(), inputs, outputs, bias: Vec::new() };
    let step = Step::new(Operator::Dense(affine), 0, vec![outputs]);
    Graph { precision: Format::F64, input: vec![inputs], steps: vec![step] }
}

/// Names of classes, among them one number in many spellings, numbers that are no classes, and words.
const POOL: [&str; 14] =
    ["0", "1", "2", "3", "03", "+3", "3.0", "10", "-1", "2.5", "cat", "dog", "1e1", "3.00"];

/// The value of a plain decimal, as tables spell them.
fn decimal(name: &str) -> Option<f64> {
    let plain = name.bytes().all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
    name.parse().ok().filter(|_| plain)
}

/// The definition: which number of the outputs a class of this name is.
fn number_of(name: &str, how: How, outputs: usize, names: &[String], all: &[&str]) -> Option<u32> {
    let equal = |one: &str, other: &str| match (decimal(one), decimal(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    };
    if !names.is_empty() {
        let exactly = names.iter().filter(|own| *own == name).count();
        let by_value = names.iter().filter(|own| equal(own, name)).count();
        return match (exactly, by_value) {
            (1, _) => names.iter().position(|own| own == name),
            (0, 1) => names.iter().position(|own| equal(own, name)),
            _ => None,
        }
        .map(|at| at as u32);
    }
    let value = decimal(name)?;
    if matches!(how, How::Sign | How::Half) {
        let among =
            |first: f64| all.iter().all(|name| [Some(first), Some(1.0)].contains(&decimal(name)));
        return (among(-1.0) || among(0.0)).then_some(u32::from(value == 1.0));
    }
    let most = match how {
        How::Bits => 1 << outputs,
        How::Value => 1 << 20,
        _ => outputs as u32,
    };
    let whole = value >= 0.0 && value.fract() == 0.0 && value < f64::from(most);
    whole.then_some(value as u32)
}

/// Whether outputs say class `k`, of whole numbers.
fn says(how: How, outputs: &[i64], k: u32) -> bool {
    let own = |j: usize| i64::from(j == k as usize);
    match how {
        How::Value => outputs[0] == i64::from(k),
        How::Largest => {
            (0..outputs.len()).all(|j| j == k as usize || outputs[j] < outputs[k as usize])
        }
        How::Sign => {
            if k == 1 {
                outputs[0] > 0
            } else {
                outputs[0] < 0
            }
        }
        How::Half => {
            if k == 1 {
                outputs[0] >= 1
            } else {
                outputs[0] <= 0
            }
        }
        How::OneHot => (0..outputs.len()).all(|j| outputs[j] == own(j)),
        How::Bits => (0..outputs.len()).all(|j| outputs[j] == i64::from(k >> j & 1)),
    }
}

#[derive(Clone, Debug)]
struct Case {
    rows: Vec<(i64, &'static str)>,
    weights: Vec<i64>,
    bias: Vec<i64>,
    how: How,
    names: Vec<String>,
    as_classes: bool,
}

/// Names of the classes of the outputs, and names of labels; mostly such that the outputs have every label, as far
/// as that is a matter of each name alone.
fn names(how: How, outputs: usize) -> impl Strategy<Value = (Vec<String>, Vec<&'static str>)> {
    let wanted = match how {
        How::Sign | How::Half => 2,
        How::Value | How::Bits => 2usize.min(1 << outputs),
        _ => outputs,
    };
    let texts = |names: &[&str]| names.iter().map(|&name| String::from(name)).collect();
    let any_names = prop::collection::vec(prop::sample::select(POOL.to_vec()), wanted);
    let some = prop::sample::subsequence(POOL.to_vec(), 1..5);
    let other = (any_names, any::<bool>(), some).prop_map(move |(names, named, pool)| {
        (if named { texts(&names) } else { Vec::new() }, pool)
    });
    let own = Just(POOL.to_vec()).prop_shuffle().prop_map(move |mut names| {
        names.truncate(wanted);
        (texts(&names), names)
    });
    let numbers = POOL.into_iter().filter(|name| number_of(name, how, outputs, &[], &[]).is_some());
    let pool = match how {
        How::Sign | How::Half => {
            prop::sample::select(vec![vec!["-1", "1"], vec!["0", "1"]]).boxed()
        }
        _ => Just(numbers.collect::<Vec<_>>()).boxed(),
    };
    prop_oneof![2 => other, 3 => own, 3 => pool.prop_map(|pool| (Vec::new(), pool))]
}

fn case() -> impl Strategy<Value = Case> {
    let how = prop::sample::select(How::ALL.to_vec());
    (how, 1usize..13, any::<bool>()).prop_flat_map(move |(how, outputs, as_classes)| {
        let outputs = match how {
            How::Sign | How::Half | How::Value => 1,
            How::Bits => outputs.min(5),
            _ => outputs,
        };
        let rows = names(how, outputs).prop_flat_map(|(names, pool)| {
            let row = (-3i64..6, prop::sample::select(pool));
            (Just(names), prop::collection::vec(row, 1..6))
        });
        let numbers = |low: i64, high: i64| prop::collection::vec(low..high, outputs);
        (rows, numbers(-2, 3), numbers(-3, 4)).prop_map(move |((names, rows), weights, bias)| {
            Case { rows, weights, bias, how, names, as_classes }
        })
    })
}

/// What became of a case in which definition and verdict agreed.
enum Outcome {
    Judged,
    Refused,
}

/// Any table, any names of classes, any network: the verdict is that of the definition, or a class is refused
/// that the definition does not have.
#[test]
fn every_verdict_is_that_of_the_definition() {
    let (judged, all) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        source_file: Some(file!()),
        ..cases(100)
    });
    let run = |case| {
        all.set(all.get() + 1);
        if matches!(held_against_the_definition(case)?, Outcome::Judged) {
            judged.set(judged.get() + 1);
        }
        Ok(())
    };
    runner.run(&case(), run).unwrap_or_else(|error| panic!("{error}"));
    let (judged, all) = (judged.get(), all.get());
    println!("{judged} of {all} cases were judged, the others refused by both");
    assert!(2 * judged >= all && judged < all, "{judged} of {all} cases were judged");
}

fn held_against_the_definition(case: Case) -> Result<Outcome, TestCaseError> {
    let Case { rows, weights, bias, how, names, as_classes } = case;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.csv");
    let lines: Vec<String> = rows.iter().map(|(x, name)| format!("{x},{name}\n")).collect();
    fs::write(&file, lines.concat()).unwrap();
    let target = as_classes.then_some(LabelType::Class);
    let options = TableOptions { header: Some(false), target, ..TableOptions::default() };
    let (points, labels) = table::read(&file, &options).unwrap();
    let outputs = weights.len();
    let mut network = dense(&weights.iter().map(|&w| w as f64).collect::<Vec<_>>(), 1, outputs);
    if let Operator::Dense(affine) = &mut network.steps[0].operation {
        affine.bias = bias.iter().map(|&b| b as f64).collect();
    }
    let reading = Reading { how, classes: names.clone() };
    // A table of numbers alone has numbers, however they are spelled.
    let numeric = rows.iter().all(|(_, name)| name.parse::<f64>().is_ok());
    let spelled = |name: &'static str| match name {
        "03" | "+3" | "3.0" | "3.00" => "3",
        "1e1" => "10",
        other => other,
    };
    let of_table = |name: &'static str| if numeric { spelled(name) } else { name };
    let all: Vec<&str> = rows.iter().map(|(_, name)| of_table(name)).collect();
    let codes: Vec<Option<u32>> =
        all.iter().map(|name| number_of(name, how, outputs, &names, &all)).collect();
    let said = reading.bind(&labels, outputs);
    // Real numbers are their own labels where outputs are values without names.
    if matches!((&labels, how), (Labels::Real { .. }, How::Value)) && names.is_empty() {
        let judged = decide(&network, &points, &said.unwrap(), Runtime::Ieee, Effort::default())
            .unwrap()
            .judged;
        for ((x, _), (one, name)) in rows.iter().zip(judged.iter().zip(&all)) {
            let output = (weights[0] * x + bias[0]) as f64;
            prop_assert_eq!(one.fits, Some(name.parse() == Ok(output)));
        }
        return Ok(Outcome::Judged);
    }
    // A real number is the class of its number, or none.
    let real = matches!(labels, Labels::Real { .. });
    if codes.contains(&None) || (real && all.contains(&"2.5")) {
        prop_assert!(said.is_err(), "{:?} {:?}", said, codes);
        return Ok(Outcome::Refused);
    }
    let said = match said {
        Ok(said) => said,
        Err(error) => return Err(TestCaseError::fail(format!("{codes:?}: {error}"))),
    };
    let judged = decide(&network, &points, &said, Runtime::Ieee, Effort::default()).unwrap().judged;
    for (i, (x, _)) in rows.iter().enumerate() {
        let values: Vec<i64> = weights.iter().zip(&bias).map(|(w, b)| w * x + b).collect();
        let code = codes[i].unwrap();
        prop_assert_eq!(said.class(i), Some(code));
        let expected = says(how, &values, code);
        prop_assert_eq!(judged[i].fits, Some(expected), "{:?} {}", values, code);
        let exact: Vec<Rational> = values.iter().map(|&v| Rational::from(v)).collect();
        prop_assert_eq!(said.says(&exact, i), expected);
    }
    Ok(Outcome::Judged)
}

/// CIFAR-10 has numbers and names.
#[test]
fn sources_that_number_their_classes_keep_the_numbers_beside_names() {
    let names: Vec<String> = ["plane", "car", "bird"].map(String::from).to_vec();
    let numbered =
        Labels::Classes { of: vec![2, 0, 1], count: 3, names: names.clone(), numbered: true };
    let codes = |reading: &Reading, labels: &Labels| -> Result<Vec<u32>, ReadingError> {
        let said = reading.bind(labels, 3)?;
        Ok((0..3).filter_map(|i| said.class(i)).collect())
    };
    let largest = Reading::new(How::Largest);
    assert_eq!(codes(&largest, &numbered), Ok(vec![2, 0, 1]));
    let swapped = ["bird", "plane", "car"].map(String::from).to_vec();
    let named = Reading { how: How::Largest, classes: swapped };
    assert_eq!(codes(&named, &numbered), Ok(vec![0, 1, 2]));
    // Names alone have no numbers.
    let table = Labels::Classes { of: vec![2, 0, 1], count: 3, names, numbered: false };
    assert!(matches!(codes(&largest, &table), Err(ReadingError::Unnamed { .. })));
    let raw = RawSample {
        text: "three".into(),
        points: Points::new(Values::U8(vec![0, 1, 2]), vec![1]).unwrap(),
        labels: numbered,
    };
    assert_eq!(raw.labels.number(2), Some(2));
}

/// Names that are words of the formats are names.
#[test]
fn names_of_classes_may_be_words_of_the_formats() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["digest 5", "classes 2", "counts", "digest"];
    let row = |i: usize| format!("{},{}", i * i, names[i % 4]);
    csv(&folder, "t.csv", (0..12).map(row));
    let sample = "csv:t.csv,header=no";
    for construction in ["depth-two-zigzag", "depth-3"] {
        let fit = ["fit", sample, "--construction", construction, "--out", "out"];
        let integers = ["check", "--integers", "out/certificate.txt", sample];
        let show = ["show", "out/certificate.txt"];
        // The integers are those of two-layer certificates.
        let last = if construction == "depth-3" { &show[..] } else { &integers[..] };
        for command in [
            &fit[..],
            &["check", "out/certificate.txt", sample],
            &["eval", "out/network.txt", sample],
            &["eval", "out/certificate.txt", sample],
            &["export", "out/certificate.txt", "--to", "json", "--out", "other"],
            last,
        ] {
            let found = shatter(&folder, command);
            assert_eq!(status(&found), 0, "{command:?}: {}{}", stdout(&found), stderr(&found));
        }
    }
}
