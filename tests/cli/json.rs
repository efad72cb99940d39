//! Promise: `--json` prints one object, with the fields and types that FORMAT.md lists, and nothing else.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

#[cfg(unix)]
use crate::answers::{interrupt, interrupted_as_it_reads};
use crate::common::binary::program;
use crate::common::program::{csv, mnist, npy, read_json, shatter, status, stderr, stdout};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

/// A line of a table in FORMAT.md.
#[derive(Debug)]
struct Field {
    kind: String,
    /// Whether it is there whenever what holds it is.
    always: bool,
}

/// The section "JSON output" of FORMAT.md: fields by their formats and paths, such as `rows[].steps`.
struct Documentation {
    formats: BTreeMap<String, BTreeMap<String, Field>>,
    /// What was found in objects.
    seen: RefCell<BTreeSet<(String, String)>>,
}

impl Documentation {
    fn read() -> Documentation {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("FORMAT.md");
        let text = fs::read_to_string(path).unwrap();
        let (_, section) = text.split_once("\n## JSON output\n").expect("the section");
        let section = section.split("\n## ").next().unwrap();
        let mut formats = BTreeMap::new();
        for part in section.split("\n### ").skip(1) {
            let (heading, body) = part.split_once('\n').unwrap();
            let format = heading.trim_matches('`');
            assert!(format.starts_with("shatter ") && format.ends_with(" 1"), "{heading}");
            let mut fields = BTreeMap::new();
            for line in body.lines().filter(|line| line.starts_with("| `")) {
                let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
                let [names, kind, present, _] = cells[..] else { panic!("four cells: {line}") };
                for name in names.split(", ") {
                    let field = Field { kind: kind.to_owned(), always: present == "always" };
                    let twice = fields.insert(name.trim_matches('`').to_owned(), field);
                    assert!(twice.is_none(), "{format}: {name} twice");
                }
            }
            formats.insert(format.to_owned(), fields);
        }
        Documentation { formats, seen: RefCell::default() }
    }

    /// That an object is as its format says.
    fn check(&self, object: &Value, format: &str) {
        assert_eq!(object["format"], format, "{object}");
        let fields = self.formats.get(format).unwrap_or_else(|| panic!("{format}: no section"));
        let mut rest = object.clone();
        rest.as_object_mut().unwrap().remove("format");
        self.fields(&rest, format, fields, "");
    }

    fn fields(&self, object: &Value, format: &str, fields: &BTreeMap<String, Field>, of: &str) {
        let entries = object.as_object().unwrap_or_else(|| panic!("{format}: {of} is {object}"));
        for (key, value) in entries {
            let path = format!("{of}{key}");
            let field = fields.get(&path);
            let field = field.unwrap_or_else(|| panic!("{format}: {path} is not documented"));
            assert!(is(value, &field.kind), "{format}: {path} is {value}, not {}", field.kind);
            self.seen.borrow_mut().insert((format.to_owned(), path.clone()));
            let below = |prefix: &str| fields.keys().any(|other| other.starts_with(prefix));
            let (inner, element) = (format!("{path}."), format!("{path}[]."));
            if value.is_object() && below(&inner) {
                self.fields(value, format, fields, &inner);
            }
            for value in value.as_array().into_iter().flatten().filter(|_| below(&element)) {
                self.fields(value, format, fields, &element);
            }
        }
        for (path, field) in fields.iter().filter(|(_, field)| field.always) {
            let here = path.strip_prefix(of).filter(|rest| !rest.contains(['.', '[']));
            let missing = here.is_some_and(|key| !entries.contains_key(key));
            assert!(!missing, "{format}: {path} ({}) is always there: {object}", field.kind);
        }
    }
}

/// Whether a value is of a type in the words of FORMAT.md.
fn is(value: &Value, kind: &str) -> bool {
    if let Some((kind, others)) = kind.split_once(" or ") {
        return is(value, kind) || is(value, others);
    }
    if let Some(kind) = kind.strip_prefix("array of ") {
        return value.as_array().is_some_and(|all| all.iter().all(|value| is(value, kind)));
    }
    match kind {
        "text" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        // A text where JSON or binary64 has no such number.
        "real" => match value.as_str() {
            Some("inf" | "-inf" | "NaN") => true,
            Some(text) => is_fraction(text),
            None => value.is_number(),
        },
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => panic!("'{kind}' is not a type"),
    }
}

/// Whether a text is INTEGER or INTEGER/POSITIVE in decimal.
fn is_fraction(text: &str) -> bool {
    let natural = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits && (text == "0" || !text.starts_with('0'))
    };
    let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
    let numerator = numerator.strip_prefix('-').unwrap_or(numerator);
    natural(numerator) && natural(denominator) && denominator != "0"
}

#[test]
fn reals_are_numbers_words_or_fractions() {
    for text in ["inf", "-inf", "NaN", "0", "12", "-3", "1/358", "-10/7"] {
        assert!(is(&text.into(), "real"), "{text}");
    }
    for text in
        ["", "-", "/", "-/-", "1/", "/2", "1/0", "1/-2", "1/2/3", "01", "1/02", "--1", "+1", "nan"]
    {
        assert!(!is(&text.into(), "real"), "{text}");
    }
    assert!(is(&0.5.into(), "real") && !is(&Value::Null, "real"));
}

/// What a command prints: one object.
fn object(folder: &TempDir, arguments: &[&str], expected: i32) -> Value {
    let output = shatter(folder, &[arguments, &["--json"]].concat());
    let message = format!("{arguments:?}: {}{}", stdout(&output), stderr(&output));
    assert_eq!(status(&output), expected, "{message}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {message}"))
}

#[test]
fn every_command_prints_the_object_that_is_documented() {
    let documentation = Documentation::read();
    let folder = tempdir().unwrap();
    let check = |arguments: &[&str], expected: i32| {
        let found = object(&folder, arguments, expected);
        documentation.check(&found, &format!("shatter {} 1", arguments[0]));
        found
    };
    // Constructions.
    let sample = "lattice:n=30,d=3,range=11";
    let fit = check(&["fit", sample, "--labels", "random", "--out", "fit"], 0);
    assert_eq!((&fit["largest_residual"], &fit["brute_force_f64"]), (&0.0.into(), &0.0.into()));
    let rounded = check(&["fit", "gaussian:n=99,d=2", "--solver", "structured"], 1);
    assert!(rounded["largest_residual"].as_f64().unwrap() > 0.0, "{rounded}");
    let layered = ["fit", sample, "--labels", "random", "--construction", "two-hidden"];
    let promised = check(&[&layered[..], &["--out", "layered"]].concat(), 0);
    assert_eq!(promised["replaced"], false);
    let again = check(&[&layered[..], &["--out", "layered"]].concat(), 0);
    assert_eq!(again["replaced"], true);
    assert!(promised["promised"]["nonzero"]["at_most"].is_u64(), "{promised}");
    csv(&folder, "named.csv", (0..9).map(|i| format!("{i},{},{}", i * i, ["a", "b"][i % 2])));
    check(&["fit", "csv:named.csv", "--out", "named"], 0);
    let checked = check(&["check", "named/certificate.txt", "csv:named.csv"], 0);
    assert_eq!(checked["classes"], serde_json::json!(["a", "b"]));
    check(&["check", "fit/certificate.txt", sample], 0);
    let cut = fs::read_to_string(folder.path().join("fit/certificate.txt")).unwrap();
    let cut: String = cut.lines().take(9).map(|line| format!("{line}\n")).collect();
    fs::write(folder.path().join("cut.txt"), cut).unwrap();
    assert_eq!(check(&["check", "cut.txt", sample], 1)["place"]["line"], 10);
    check(&["eval", "fit/certificate.txt", sample], 0);
    check(&["eval", "layered/certificate.txt", sample], 0);
    let one = ["lattice:n=30,d=3,range=11,classes=1", "--reading", "largest", "--classes", "0"];
    check(&[&["eval", "layered/network.txt"], &one[..]].concat(), 0);
    check(&["show", "named/network.txt"], 0);
    check(&["show", "layered/certificate.txt"], 0);
    check(&["compare", "lattice:n=20,d=2,range=2001", "--seconds", "1"], 0);
    check(&["verify", "--quick"], 0);
    // Networks of other kinds.
    check(&["export", "fit/certificate.txt", "--to", "onnx", "--out", "fit"], 0);
    let wide = ["fit", sample, "--labels", "random", "--threshold", "midpoint", "--out", "wide"];
    check(&wide, 0);
    let round = ["--to", "onnx", "--round", "--out", "wide"];
    check(&[&["export", "wide/certificate.txt"], &round[..]].concat(), 0);
    check(&[&["export", "wide/network.txt"], &round[..]].concat(), 0);
    check(&["show", "fit/network.onnx"], 0);
    let network = ["check", "--network", "fit/network.onnx"];
    check(&[&network[..], &[sample, "--labels", "random", "--out", "own"]].concat(), 0);
    let again = ["own/certificate.txt", sample, "--labels", "random"];
    check(&[&network[..], &again].concat(), 0);
    let other = ["own/certificate.txt", sample, "--labels", "alternating"];
    assert_eq!(check(&[&network[..], &other].concat(), 1)["accepted"], false);
    check(&["eval", "fit/network.onnx", sample, "--labels", "random"], 0);
    // Training.
    let data = "gaussian:n=40,d=3,classes=2";
    let brief = ["--model", "mlp:4", "--batch", "8", "--epochs", "2", "--until-accuracy", "never"];
    check(&[&["train", data, "--labels", "corrupted:0.5", "--test", data], &brief[..]].concat(), 0);
    check(&["show", "out/train/checkpoint.safetensors"], 0);
    assert!(check(&["eval", "out/train/checkpoint.safetensors", data], 1)["loss"].is_number());
    let conditions = ["randomize", data, "--conditions", "true,random", "--test", data];
    let runs = check(&[&conditions, &brief[..]].concat(), 0);
    assert_eq!(runs, read_json(&folder, "out/randomize/table.json"));
    assert_eq!(runs["runs"].as_array().unwrap().len(), 2);
    check(&["figures", "out/randomize"], 0);
    let pixels: Vec<u8> = (0..40 * 192).map(|i: usize| (i * i * 7 + i / 3) as u8).collect();
    npy(&folder, "images.npy", "|u1", "(40, 3, 8, 8)", &pixels);
    let classes: Vec<u8> = (0..40).map(|i| (i * 7 % 10) as u8).collect();
    npy(&folder, "labels.npy", "|u1", "(40,)", &classes);
    let table = ["table1", "npy:images.npy,labels.npy", "--test", "npy:images.npy,labels.npy"];
    let rows = ["--rows", "17-18", "--crop", "6", "--batch", "10", "--epochs", "1"];
    let found = check(&[&table[..], &rows].concat(), 0);
    assert_eq!(found, read_json(&folder, "out/table1/table1.json"));
    kernels(&check, &folder);
    // Linear models: of a small sample, and of one with points that contradict each other.
    let small = ["linear", "gaussian:n=6,d=9,classes=2", "--test", "gaussian:n=9,d=9,classes=2"];
    let found = check(&[&small[..], &["--epochs", "5"]].concat(), 0);
    assert_eq!(found, read_json(&folder, "out/linear/linear.json"));
    assert_eq!(found["interpolants"].as_array().unwrap().len(), 4);
    csv(&folder, "twice.csv", ["1,2,a", "1,2,b", "3,1,a"].map(String::from).into_iter());
    let found = check(&["linear", "csv:twice.csv", "--out", "twice"], 1);
    assert_eq!(found["duplicates"]["first"], serde_json::json!([0, 1]));
    measures(&documentation, &check, &folder);
    check(&["doctor"], 0);
    if cfg!(feature = "claims") {
        // One that holds, two that are refuted in their ways, and one that is quoted.
        for claim in ["1", "2", "3", "26"] {
            check(&["claims", "--cases", "2", "--claim", claim], 0);
        }
    }
    // Every manifest is one.
    let manifests = [
        "fit",
        "layered",
        "out/train",
        "out/randomize",
        "out/table1",
        "out/compare",
        "out/kernel",
        "out/linear",
        "out/rethink",
        "out/capacity",
    ];
    for of in manifests {
        let manifest = read_json(&folder, &format!("{of}/manifest.json"));
        assert_eq!(manifest["format"], "shatter manifest 1", "{of}");
    }
    errors(&documentation, &folder);
    let seen = documentation.seen.borrow();
    for (format, fields) in &documentation.formats {
        for path in fields.keys() {
            // Claims may not be there, and none of them fails.
            let claims = format == "shatter claims 1" && !cfg!(feature = "claims");
            let unseen = claims || path == "claims[].evidence.reason";
            let found = seen.contains(&(format.clone(), path.clone())) || unseen;
            assert!(found, "{format}: {path} was not in any object");
        }
    }
}

/// Fits of kernels, their certificates, and the rows of Table 3.
fn kernels(check: &dyn Fn(&[&str], i32) -> Value, folder: &TempDir) {
    mnist(folder, "digits");
    let narrow = "gaussian:gamma=0.0000000000000001";
    let kernel = ["kernel", "mnist:digits", "--kernel", "gaussian:gamma=0.02", "--kernel", narrow];
    let rules = ["--labels", "true,corrupted:0.5,random", "--validate", "9", "--spectrum", "7"];
    let found = check(&[&kernel[..], &rules].concat(), 0);
    assert_eq!(found, read_json(folder, "out/kernel/kernel.json"));
    assert_eq!(found["labellings"][2]["verdicts"]["margin"], 40);
    let model = "out/kernel/random.safetensors";
    let certificate = ["check", "--network", model, "out/kernel/random.certificate.txt"];
    let checked = check(&[&certificate[..], &["mnist:digits"]].concat(), 0);
    assert_eq!((&checked["accepted"], &checked["points"]), (&true.into(), &40.into()));
    let exact = ["kernel", "mnist:digits,first=9", "--kernel", "rational", "--exact"];
    let exact = check(&exact, 0);
    assert!(exact["labellings"][0]["exact"]["norm"].as_f64() > Some(0.0));
    let fewer = check(&[&certificate[..], &["mnist:digits,first=39"]].concat(), 1);
    assert_eq!(fewer["accepted"], false);
    let table = check(&["table3", "mnist:digits", "--rows", "mnist-pixels,mnist-gabor"], 0);
    assert_eq!(table, read_json(folder, "out/table3/table3.json"));
    assert_eq!(table["rows"].as_array().unwrap().len(), 3);
}

/// Measures of one network, of runs, of twins; and how many labels are fitted.
fn measures(
    documentation: &Documentation,
    check: &dyn Fn(&[&str], i32) -> Value,
    folder: &TempDir,
) {
    let data = "gaussian:n=40,d=3,classes=2";
    let checkpoint = "out/train/checkpoint.safetensors";
    let theories = ["--pac-bayes", "1", "--sharpness", "2"];
    let found = check(&[&["measure", checkpoint, data, "--test", data], &theories[..]].concat(), 0);
    assert_eq!(found["start"], "drawn");
    assert!(found["findings"].as_array().unwrap().iter().any(|one| one["says"].is_number()));
    csv(folder, "ab.csv", (0..9).map(|i| format!("{i},{},{}", i * i, ["a", "b"][i % 2])));
    let found = check(&["measure", "named/network.txt", "csv:ab.csv", "--out", "measured"], 0);
    assert_eq!(found, read_json(folder, "measured/measure.json"));
    assert_eq!(found["classes"], serde_json::json!(["a", "b"]));
    documentation
        .check(&object(folder, &["measure", "out/randomize", data], 0), "shatter measure runs 1");
    let brief = ["--model", "mlp:4", "--batch", "8", "--epochs", "2", "--until-accuracy", "never"];
    let twins = [&["rethink", data, "--test", data, "--pac-bayes", "1"], &brief[..]].concat();
    let found = check(&twins, 0);
    assert_eq!(found, read_json(folder, "out/rethink/rethink.json"));
    assert_eq!(found["runs"].as_array().unwrap().len(), 2);
    let capacity = ["capacity", data, "--model", "mlp:2", "--epochs", "9", "--least", "2"];
    let found = check(&capacity, 0);
    assert_eq!(found, read_json(folder, "out/capacity/capacity.json"));
    assert_eq!(found["known"]["by_construction"], 2);
    let one = ["--model", "conv(2,1) relu", "--epochs", "1", "--out", "convolution"];
    let found = check(&[&["capacity", "npy:images.npy,labels.npy"], &one[..]].concat(), 0);
    assert!(found["known"].is_null() && found["unknown"].is_string());
}

/// Errors are objects, too, with what is at fault and where.
fn errors(documentation: &Documentation, folder: &TempDir) {
    fs::write(folder.path().join("bad.csv"), "x,y,class\n1,2,a\n3,,b\n").unwrap();
    fs::write(folder.path().join("same.csv"), "1,2,a\n3,4,a\n1,2,b\n").unwrap();
    fs::write(folder.path().join("text.txt"), "hello\n").unwrap();
    npy(folder, "nan.npy", "<f8", "(2, 1)", &[0f64.to_le_bytes(), f64::NAN.to_le_bytes()].concat());
    npy(folder, "two.npy", "|u1", "(2,)", &[0, 1]);
    npy(folder, "half.npy", "<f8", "(2,)", &[0f64.to_le_bytes(), 0.5f64.to_le_bytes()].concat());
    let diverges = ["train", "gaussian:n=40,d=3", "--batch", "8", "--learning-rate", "1e30"];
    let diverges = [&diverges[..], &["--out", "diverged"]].concat();
    let no_gpu = [&diverges[..], &["--device", "cuda", "--precision", "f64"]].concat();
    // A data set without the test split that is implied.
    fs::create_dir(folder.path().join("half")).unwrap();
    let images = [&[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2][..], &[1, 2, 3, 4]].concat();
    fs::write(folder.path().join("half/train-images-idx3-ubyte"), images).unwrap();
    let labels = [0, 0, 8, 1, 0, 0, 0, 1, 5];
    fs::write(folder.path().join("half/train-labels-idx1-ubyte"), labels).unwrap();
    let cases: [(&[&str], i32, &str, Value); 11] = [
        (
            &["train", "mnist:half", "--out", "half"],
            2,
            "sample",
            serde_json::json!({"file": "half"}),
        ),
        (&["fit", "csv:nowhere.csv"], 2, "sample", serde_json::json!({"file": "nowhere.csv"})),
        (
            &["fit", "csv:bad.csv"],
            2,
            "sample",
            serde_json::json!({"file": "bad.csv", "row": 3, "column": "2 (y)"}),
        ),
        (&["fit", "csv:same.csv"], 2, "sample", serde_json::json!({"points": [0, 2]})),
        (&["fit", "npy:nan.npy,two.npy"], 2, "sample", serde_json::json!({"points": [1]})),
        (
            &["fit", "npy:two.npy,half.npy,target=class"],
            2,
            "sample",
            serde_json::json!({"file": "half.npy", "index": [1]}),
        ),
        (&["show", "text.txt"], 2, "network", serde_json::json!({"file": "text.txt", "line": 1})),
        (&["fit", "gaussian:n=3,d=1", "--solver", "magic"], 2, "usage", Value::Null),
        (&["train", "gaussian:n=9,d=2", "--out", "wrong"], 2, "training", Value::Null),
        (&no_gpu, 4, "device", Value::Null),
        (&diverges, 3, "diverged", Value::Null),
    ];
    for (arguments, code, kind, place) in cases {
        let found = object(folder, arguments, code);
        documentation.check(&found, "shatter error 1");
        assert_eq!(found["kind"], kind, "{found}");
        assert_eq!(found["status"], code, "{found}");
        assert_eq!(found["place"], place, "{found}");
        assert!(!found["message"].as_str().unwrap().is_empty(), "{found}");
    }
}

/// Manifests that were written before they had a format are read, and those of a later one refused.
#[test]
fn manifests_of_other_versions_are_read_or_refused() {
    let folder = tempdir().unwrap();
    let mut train = vec!["train", "gaussian:n=40,d=3,classes=2", "--model", "mlp:4"];
    train.extend(["--epochs", "1", "--batch", "8"]);
    assert!(status(&shatter(&folder, &train)) < 2);
    let path = folder.path().join("out/train/manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    let line = "  \"format\": \"shatter manifest 1\",\n";
    assert!(text.contains(line), "{text}");
    fs::write(&path, text.replace(line, "")).unwrap();
    assert_eq!(object(&folder, &["figures", "out/train"], 0)["runs"], 1);
    fs::write(&path, text.replace("manifest 1", "manifest 2")).unwrap();
    let refused = object(&folder, &["figures", "out/train"], 2);
    assert!(refused["message"].as_str().unwrap().contains("'shatter manifest 2'"), "{refused}");
}

/// An interrupt is an answer as well.
#[cfg(unix)]
#[test]
fn an_interrupt_prints_one_object() {
    let folder = tempdir().unwrap();
    let output = interrupted_as_it_reads(&folder, &["--json"]);
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    Documentation::read().check(&found, "shatter error 1");
    assert_eq!((&found["kind"], &found["status"]), (&"interrupted".into(), &130.into()));
}

/// An object whose printing has begun is printed to its end, while somebody reads it.
#[cfg(unix)]
#[test]
fn an_interrupt_lets_an_object_be_printed() {
    use std::io::{BufRead, BufReader, Read};
    let folder = tempdir().unwrap();
    let mut command = Command::new(program());
    command.args(["verify", "--quick", "--json"]).current_dir(folder.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut printed = vec![0];
    let (mut out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    out.read_exact(&mut printed).unwrap(); // longer than a pipe is: the rest waits
    interrupt(&child);
    let mut line = String::new();
    BufReader::new(err).read_line(&mut line).unwrap();
    assert_eq!(line, "interrupted\n");
    std::thread::sleep(std::time::Duration::from_millis(100)); // whoever reads may take a moment
    out.read_to_end(&mut printed).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(printed.len() > 1 << 16, "{} bytes fit into a pipe", printed.len());
    Documentation::read().check(&serde_json::from_slice(&printed).unwrap(), "shatter verify 1");
}

/// Paths that are no UTF-8 are printed all the same.
#[cfg(target_os = "linux")]
#[test]
fn paths_that_are_not_text_are_printed_lossily() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = tempdir().unwrap();
    let out = OsStr::from_bytes(b"out\xff");
    let documentation = Documentation::read();
    let run = |arguments: &[&OsStr], status: i32| {
        let mut command = Command::new(program());
        command.args(arguments).args(["--json"]).current_dir(folder.path());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{}", stderr(&output));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        documentation.check(&found, found["format"].as_str().unwrap());
        found
    };
    fn words<'a>(words: &[&'a str]) -> Vec<&'a OsStr> {
        words.iter().map(|word| OsStr::new(*word)).collect()
    }
    let sample = "lattice:n=20,d=2,range=99";
    let there = [words(&["--out"]), vec![out]].concat();
    let fit = [words(&["fit", sample]), there.clone()].concat();
    let found = run(&fit, 0);
    assert_eq!(found["certificate"], "out\u{fffd}/certificate.txt");
    let layered = [fit, words(&["--construction", "two-hidden"])].concat();
    assert_eq!(run(&layered, 0)["certificate"], found["certificate"]);
    let network = folder.path().join(out).join("network.txt");
    let network = vec![network.as_os_str()];
    let check = [words(&["check", "--network"]), network.clone(), words(&[sample])].concat();
    let found = run(&[check, there.clone()].concat(), 0);
    assert_eq!(found["certificate"], "out\u{fffd}/check.certificate.txt");
    run(&[words(&["eval"]), network.clone(), words(&[sample]), there.clone()].concat(), 0);
    run(&[words(&["show"]), network.clone(), there.clone()].concat(), 0);
    run(&[words(&["export"]), network, words(&["--to", "onnx", "--round"]), there].concat(), 0);
    let missing = OsStr::from_bytes(b"no\xff.txt");
    let found = run(&[words(&["show"]), vec![missing]].concat(), 2);
    assert_eq!(found["place"]["file"], "no\u{fffd}.txt");
}
