//! Running Python, where it has what a test needs.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::skipped::{mark, skipped, skipped_in_part};

/// The interpreter that PYTHON names (or `python3`), if it can import `modules`; a test that has none of it is skipped.
pub fn python(modules: &str) -> Option<String> {
    find(modules).map_err(|what| skipped(&what)).ok()
}

/// The same for a part of a test.
pub fn python_for_a_part(modules: &str) -> Option<String> {
    find(modules).map_err(|what| skipped_in_part(&what)).ok()
}

/// The interpreter, or what is missing.
fn find(modules: &str) -> Result<String, String> {
    mark();
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let imports = |modules: &str| {
        let found = Command::new(&python).arg("-c").arg(format!("import {modules}")).output();
        found.is_ok_and(|output| output.status.success())
    };
    if imports(modules) {
        return Ok(python);
    }
    if !imports("sys") {
        return Err("a Python".to_owned());
    }
    let missing: Vec<&str> = modules.split(", ").filter(|module| !imports(module)).collect();
    // One that brings others along says more than what it brings.
    let package =
        |module: &&str| ["torch", "onnxruntime"].iter().any(|name| module.starts_with(name));
    let module = missing.iter().find(|module| package(module)).or(missing.first());
    let module = module.map_or(modules, |module| module.split('.').next().unwrap_or(module));
    Err(format!("a Python with {module}"))
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
