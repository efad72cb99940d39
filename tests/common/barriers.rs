//! Barriers of kernels, left out one by one: some test must fail without any of them.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::emulator;

/// This program's tests of these names, in another process with these settings: whether all pass.
pub fn pass(names: &[&str], settings: &[(&str, &Path)]) -> (bool, String) {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(names).envs(settings.iter().copied());
    let output = command.output().expect("the tests start");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Holds that these tests pass, and that some of them fails without any one barrier of the sources,
/// of which there are `least` at least, in one order of a block's threads or in the other.
pub fn are_needed(names: &[&str], sources: &[&str], least: usize) {
    let Some(folder) = emulator::folder() else { return };
    let (passed, text) = pass(names, &[("SHATTER_EMULATOR", folder)]);
    assert!(passed, "{text}");
    let kernels = emulator::kernels();
    let mut found = 0;
    for name in sources {
        let source = fs::read_to_string(kernels.join(name)).expect("a source");
        let call = "__syncthreads();";
        let barriers: Vec<usize> = source.match_indices(call).map(|(at, _)| at).collect();
        found += barriers.len();
        for at in barriers {
            let mutant = tempfile::tempdir().expect("a folder");
            for entry in fs::read_dir(&kernels).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_file() {
                    let name = path.file_name().expect("a name");
                    fs::copy(&path, mutant.path().join(name)).expect("a copy");
                }
            }
            let mut without = source.clone();
            without.replace_range(at..at + call.len(), "");
            fs::write(mutant.path().join(name), without).expect("a source");
            let built = emulator::build(mutant.path(), mutant.path());
            assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
            let emulator = ("SHATTER_EMULATOR", mutant.path());
            let reverse = ("SHATTER_EMULATOR_ORDER", Path::new("reverse"));
            let passed = pass(names, &[emulator]).0 && pass(names, &[emulator, reverse]).0;
            let line = source[..at].matches('\n').count() + 1;
            assert!(!passed, "nothing fails without the barrier in line {line} of {name}");
        }
    }
    assert!(found >= least, "{found} barriers in {sources:?}");
}
