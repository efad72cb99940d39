//! What `check --network` says.

use std::fs;

use tempfile::TempDir;

use super::program::{shatter, status, stderr, stdout};

/// `check --network`, as JSON.
pub fn decided(folder: &TempDir, arguments: &[&str]) -> serde_json::Value {
    let output = shatter(folder, &[&["check", "--json"], arguments].concat());
    assert!(status(&output) < 2, "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

/// A certificate's text with a digest that matches it.
pub fn redigested(text: &str) -> String {
    let body = &text[..text.rfind("digest ").unwrap()];
    format!("{body}digest {}\n", shatter_judge::certificate::digest(body.as_bytes()))
}

/// The verdicts of a certificate.
pub fn verdicts(folder: &TempDir, file: &str) -> Vec<String> {
    let text = fs::read_to_string(folder.path().join(file)).unwrap();
    let lines = text.lines().skip_while(|line| !line.starts_with("verdicts ")).skip(1);
    let words =
        lines.filter(|line| !line.starts_with("digest ")).map(|line| line.split(' ').next());
    words.map(|word| word.unwrap().to_owned()).collect()
}
