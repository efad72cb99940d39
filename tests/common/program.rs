//! Running the program.

use std::fs;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use super::binary::program;

/// Runs the program in the folder.
pub fn shatter(folder: &TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::new(program());
    command.args(arguments).current_dir(folder.path()).stdin(Stdio::null());
    command.output().expect("the program starts")
}

pub fn status(output: &Output) -> i32 {
    output.status.code().expect("an exit status")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Runs the command, which must fail with status 2 and one line that holds every word.
pub fn refused(folder: &TempDir, arguments: &[&str], words: &[&str]) {
    let output = shatter(folder, arguments);
    let message = stderr(&output);
    assert_eq!(status(&output), 2, "{arguments:?}: {message}");
    assert!(message.starts_with("error: "), "{message}");
    assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    for word in words {
        assert!(message.contains(word), "'{word}' is not in: {message}");
    }
}

/// A file of the folder, which must be JSON.
pub fn read_json(folder: &TempDir, file: &str) -> serde_json::Value {
    serde_json::from_slice(&fs::read(folder.path().join(file)).unwrap()).unwrap()
}

/// Writes an array as NPY.
pub fn npy(folder: &TempDir, name: &str, kind: &str, shape: &str, bytes: &[u8]) {
    let mut header =
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}").into_bytes();
    header.resize((header.len() + 11).next_multiple_of(64) - 11, b' ');
    header.push(b'\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header);
    file.extend(bytes);
    fs::write(folder.path().join(name), file).unwrap();
}

/// Writes rows as CSV.
pub fn csv(folder: &TempDir, name: &str, rows: impl Iterator<Item = String>) {
    fs::write(folder.path().join(name), rows.collect::<Vec<_>>().join("\n") + "\n").unwrap();
}
