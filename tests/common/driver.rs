//! Where the program of a test finds the driver of a GPU.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use super::{binary, emulator};

/// A folder of libraries that come before all others; the machine's own are used without one.
pub type Libraries<'a> = Option<&'a Path>;

/// The emulator's, or with `REQUIRE_GPU` the machine's own; none where there is no emulator.
pub fn libraries() -> Option<Libraries<'static>> {
    if emulator::gpu_required() {
        return Some(None);
    }
    emulator::folder().map(Some)
}

/// Runs the program in a folder, with these libraries and settings.
pub fn shatter(
    folder: &TempDir,
    libraries: Libraries,
    settings: &[(&str, &str)],
    words: &[&str],
) -> Output {
    let mut command = Command::new(binary::program());
    command.args(words).current_dir(folder.path()).envs(settings.iter().copied());
    if let Some(libraries) = libraries {
        command.env("LD_LIBRARY_PATH", libraries);
    }
    command.output().expect("the program starts")
}

/// What it printed.
pub fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What it complained of.
pub fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Whether this machine has a driver of its own.
pub fn has_driver() -> bool {
    shatter_cuda_driver::open().is_ok()
}
