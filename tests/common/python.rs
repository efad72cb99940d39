//! Running Python, where it has what a test needs.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The interpreter that PYTHON names (or `python3`), if it can import `modules`; says so if not.
pub fn python(modules: &str) -> Option<String> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&python).arg("-c").arg(format!("import {modules}")).output();
    match found {
        Ok(output) if output.status.success() => Some(python),
        _ => {
            eprintln!("skipped: {python} (or what PYTHON names) cannot import {modules}");
            None
        }
    }
}

/// A script of this repository.
pub fn script(name: &str) -> PathBuf {
    super::place::repository().join("tests/python").join(name)
}

/// Runs a script in a folder; it must succeed.
pub fn run(python: &str, folder: &Path, name: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(python);
    let output = command.arg(script(name)).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}
