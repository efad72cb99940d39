//! Altering certificates, line by line.

use sha2::{Digest, Sha256};
use shatter_sample::fingerprint::hex;

/// The text with the digest that belongs to it.
pub fn resealed(text: &str) -> String {
    let body = &text[..text.rfind("digest ").unwrap_or(text.len())];
    format!("{body}digest {}\n", hex(&Sha256::digest(body)))
}

/// Where the first line is that starts so.
pub fn line(text: &str, start: &str) -> usize {
    text.lines().position(|line| line.starts_with(start)).unwrap()
}

/// The text with one line replaced by what `change` makes of it.
pub fn with_line(text: &str, at: usize, change: impl Fn(&str) -> String) -> String {
    let lines = text.lines().enumerate();
    lines.map(|(i, line)| if i == at { change(line) } else { line.to_owned() } + "\n").collect()
}
