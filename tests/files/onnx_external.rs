//! Promise: numbers in files beside a network are read from its own folder alone, and no more of them than are there.

use std::fs;
use std::path::Path;

use crate::common::onnx::{field, integer, model, node, tensor};
use crate::common::program::{csv, shatter, status, stderr};
use shatter_interchange::onnx::{self, External};
use shatter_judge::Runtime;
use shatter_judge::enclose::Evaluator;
use tempfile::TempDir;

/// y = x W with W of 2 × 1 in another file, and these entries.
fn network(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut outside = tensor("w", &[2, 1], &[]);
    for (key, text) in entries {
        let entry = [field(1, key.as_bytes()), field(2, text.as_bytes())].concat();
        outside.extend(field(13, &entry));
    }
    outside.extend(integer(14, 1));
    model(&[node("MatMul", &["x", "w"], "y")], &[outside], &[2])
}

fn single(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// A folder with four numbers in `numbers.data`, and the same in a folder of it.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    for file in ["numbers.data", "in/numbers.data"] {
        fs::write(folder.path().join(file), single(&[1.0, 2.0, 4.0, 8.0])).unwrap();
    }
    folder
}

fn reason(folder: &Path, entries: &[(&str, &str)]) -> String {
    onnx::network_at(&network(entries), folder).expect_err("no network").to_string()
}

#[test]
fn numbers_are_those_of_the_place_that_is_named() {
    let folder = folder();
    for (entries, output) in [
        (&[("location", "numbers.data"), ("length", "8")][..], 3.0),
        (&[("location", "numbers.data"), ("offset", "4"), ("length", "8")], 6.0),
        (&[("location", "in/numbers.data"), ("offset", "8")], 12.0),
        (&[("location", "./in/./numbers.data"), ("offset", "8"), ("checksum", "none")], 12.0),
    ] {
        let graph = onnx::network_at(&network(entries), folder.path()).unwrap();
        assert_eq!(
            Evaluator::new(&graph, Runtime::Ieee).outputs(vec![1.0, 1.0], 1).centre,
            [output],
            "{entries:?}"
        );
    }
}

#[test]
fn lengths_and_places_that_lie_are_refused() {
    let folder = folder();
    for entries in [
        &[("length", "12")][..],
        &[("length", "4")],
        &[("offset", "12"), ("length", "8")],
        &[("offset", "17")],
        &[("offset", "18446744073709551615"), ("length", "8")],
        &[("length", "18446744073709551615")],
        // All that is there: twice as many numbers as the tensor has.
        &[],
    ] {
        let entries = [&[("location", "numbers.data")], entries].concat();
        let found = reason(folder.path(), &entries);
        assert!(found.contains("bytes of numbers at") && found.contains("which has 16"), "{found}");
    }
    for number in ["-1", "8 ", "1e1", "18446744073709551616", ""] {
        let found = reason(folder.path(), &[("location", "numbers.data"), ("offset", number)]);
        assert!(found.contains("the offset of external numbers"), "{found}");
    }
    // A tensor has its numbers once.
    let mut twice = tensor("w", &[2, 1], &single(&[1.0, 2.0]));
    twice.extend(field(13, &[field(1, b"location"), field(2, b"numbers.data")].concat()));
    twice.extend(integer(14, 1));
    let twice = model(&[node("MatMul", &["x", "w"], "y")], &[twice], &[2]);
    let found = onnx::network_at(&twice, folder.path()).unwrap_err().to_string();
    assert!(found.contains("has its numbers twice"), "{found}");
}

#[test]
fn no_way_leads_out_of_the_folder() {
    let folder = folder();
    let inside = folder.path().join("in");
    let whole = folder.path().join("numbers.data");
    for location in
        ["../numbers.data", "in/../../numbers.data", whole.to_str().unwrap(), "/etc/passwd"]
    {
        let found = reason(&inside, &[("location", location), ("length", "8")]);
        assert!(
            found.contains("is not in the folder") || found.contains("cannot be read"),
            "{found}"
        );
    }
    for location in ["", ".", "in", "nothing.data"] {
        let found = reason(folder.path(), &[("location", location), ("length", "8")]);
        assert!(found.contains("is not a file") || found.contains("cannot be read"), "{found}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&whole, inside.join("link.data")).unwrap();
        std::os::unix::fs::symlink(folder.path(), inside.join("back")).unwrap();
        for location in ["link.data", "back/numbers.data"] {
            let found = reason(&inside, &[("location", location), ("length", "8")]);
            assert!(found.contains("is a link"), "{found}");
        }
    }
}

#[test]
fn a_network_without_its_folder_says_what_is_missing() {
    let bytes = network(&[("location", "numbers.data"), ("length", "8")]);
    let found = onnx::network(&bytes).unwrap_err().to_string();
    assert!(found.contains("'numbers.data', beside the network"), "{found}");
    let folder = folder();
    let external = External::read(&bytes, folder.path()).unwrap();
    assert_eq!(external.files().map(|(name, _)| name).collect::<Vec<_>>(), ["numbers.data"]);
    assert_eq!(external.size(), 16);
}

/// The certificate is of all the files: one that was changed is another network.
#[test]
fn certificates_are_of_the_numbers_too() {
    let folder = folder();
    let bytes = network(&[("location", "numbers.data"), ("length", "8")]);
    fs::write(folder.path().join("net.onnx"), bytes).unwrap();
    csv(&folder, "x.csv", ["1,0,1", "0,1,2"].map(str::to_owned).into_iter());
    let check = ["check", "--network", "net.onnx", "csv:x.csv,header=no,target=number"];
    let output = shatter(&folder, &check);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let certificate = "out/check/certificate.txt";
    let again = ["check", "--network", "net.onnx", certificate, check[3]];
    assert_eq!(status(&shatter(&folder, &again)), 0);
    fs::write(folder.path().join("numbers.data"), single(&[1.0, 2.0, 4.0, 9.0])).unwrap();
    let output = shatter(&folder, &again);
    assert_ne!(status(&output), 0, "a number that the network does not use was changed");
}
