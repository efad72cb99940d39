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

/// Writes 40 training images and 20 test images of 6 × 6 bytes as a folder of MNIST.
pub fn mnist(folder: &TempDir, name: &str) {
    fs::create_dir_all(folder.path().join(name)).unwrap();
    for (split, n, seed) in [("train", 40u32, 1u32), ("t10k", 20, 7)] {
        let header = |kind: u8, sides: &[u32]| {
            let sides = sides.iter().flat_map(|side| side.to_be_bytes());
            [0, 0, 8, kind].into_iter().chain(sides).collect::<Vec<u8>>()
        };
        let pixel = |i: u32| (i.wrapping_mul(2_654_435_761).wrapping_add(seed * i * i) >> 13) as u8;
        let images = [header(3, &[n, 6, 6]), (0..n * 36).map(pixel).collect()].concat();
        let labels = [header(1, &[n]), (0..n).map(|i| (i * 7 % 10) as u8).collect()].concat();
        let write = |file: String, bytes: Vec<u8>| {
            fs::write(folder.path().join(name).join(file), bytes).unwrap();
        };
        write(format!("{split}-images-idx3-ubyte"), images);
        write(format!("{split}-labels-idx1-ubyte"), labels);
    }
}

/// Writes rows as CSV.
pub fn csv(folder: &TempDir, name: &str, rows: impl Iterator<Item = String>) {
    fs::write(folder.path().join(name), rows.collect::<Vec<_>>().join("\n") + "\n").unwrap();
}
