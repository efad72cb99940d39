//! The emulator of `kernels/emulator`, built once for all tests of this build.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// Whether there is a compiler for it.
fn compiler() -> bool {
    cfg!(target_arch = "x86_64")
        && Command::new("g++").arg("--version").output().is_ok_and(|run| run.status.success())
}

/// Builds the emulator of the kernels in a folder into `out`.
pub fn build(out: &Path, kernels: &Path) -> Output {
    let script = super::place::repository().join("kernels/emulator/build.sh");
    let mut command = Command::new("bash");
    command.arg(script).arg(out).arg("--kernels").arg(kernels);
    command.output().expect("bash starts")
}

/// The folder of this repository's kernels.
pub fn kernels() -> PathBuf {
    super::place::repository().join("kernels")
}

/// Whether tests must run on a GPU of this machine (`kernels/gpu-check.sh`).
pub fn gpu_required() -> bool {
    std::env::var_os("REQUIRE_GPU").is_some()
}

/// The folder with the emulator's `libcuda.so.1`: that in `SHATTER_EMULATOR`, if it is set. None
/// where it cannot be built: the test is skipped.
///
/// # Panics
/// Where `REQUIRE_GPU` is set: tests that want the emulator are called `emulated_…`, and whoever
/// wants a GPU leaves them out by that name.
pub fn folder() -> Option<&'static Path> {
    assert!(!gpu_required(), "this test wants the emulator, and REQUIRE_GPU is set");
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        if let Some(given) = std::env::var_os("SHATTER_EMULATOR") {
            return Some(given.into());
        }
        if !compiler() {
            return None;
        }
        let process = std::process::id();
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("emulator-{process}"));
        let run = build(&out, &kernels());
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        // One name for all processes; the last one to come stays.
        let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join("emulator");
        fs::create_dir_all(&shared).expect("a folder");
        fs::rename(out.join("libcuda.so.1"), shared.join("libcuda.so.1")).expect("a library");
        fs::remove_dir(out).expect("an empty folder");
        Some(shared)
    });
    super::skipped::or_skipped(built.as_deref(), "g++ on x86-64 (for the emulator of CUDA)")
}
