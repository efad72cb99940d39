//! Promise: `claims` prints, writes and refuses in words.

use std::process::{Command, Output};

use crate::common::binary::program;

fn shatter(arguments: &[&str]) -> Output {
    Command::new(program()).args(arguments).output().unwrap()
}

#[test]
fn the_command_prints_json_and_writes_it_beside_a_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let arguments =
        ["claims", "--cases", "5", "--claim", "13", "--claim", "zhang-fits", "--seed", "4"];
    let output = shatter(&[&arguments[..], &["--json", "--out", out]].concat());
    assert_eq!(output.status.code(), Some(0));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&found["as_stated"], &found["cases"], &found["seed"]),
        (&true.into(), &5.into(), &4.into())
    );
    let claims = found["claims"].as_array().unwrap();
    assert_eq!(claims.len(), 2);
    assert_eq!(
        (&claims[0]["number"], &claims[0]["evidence"]["found"]),
        (&1.into(), &"held".into())
    );
    assert_eq!(
        (&claims[1]["verdict"], &claims[1]["evidence"]["found"]),
        (&"false".into(), &"refuted".into())
    );
    let written = std::fs::read(folder.path().join("claims.json")).unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&written).unwrap(), found);
    let manifest = std::fs::read(folder.path().join("claims.manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(
        manifest["configuration"]["claims"],
        serde_json::json!(["zhang-fits", "sine-shatters-everything"])
    );
    // The same again: the same bytes, but for the folder in the command line.
    let again = shatter(&[&arguments[..], &["--json"]].concat());
    assert_eq!(again.stdout, output.stdout);
}

#[test]
fn the_table_shows_the_forms_and_the_witnesses_in_100_columns() {
    let output = shatter(&["claims", "--cases", "2"]);
    assert_eq!(output.status.code(), Some(0));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.starts_with(
        "\"Perfect fit whenever parameters exceed samples\"\n  true in these forms\n     1  "
    ));
    assert!(table.contains("x = [1, 2, 3, 4] with labels [1, 1, 0, 1]"));
    assert!(table.contains("quoted, not tested: "));
    assert!(table.ends_with("Verdict: every claim is as stated.\n"));
    let widest = table.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 100, "{widest}");
}

#[test]
fn unknown_claims_and_no_cases_are_refused() {
    let output = shatter(&["claims", "--claim", "perfect"]);
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.starts_with("error: no claim is called 'perfect'; there are:\n  1 zhang-fits\n"));
    assert!(output.stdout.is_empty());
    assert_eq!(shatter(&["claims", "--cases", "0"]).status.code(), Some(2));
}
