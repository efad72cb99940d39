//! Running the program.

use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// Runs the program in the folder.
pub fn shatter(folder: &TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shatter"));
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
