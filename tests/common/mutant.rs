//! Kernels with something taken out: a test must fail for each.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::emulator;

/// This program's other tests, those whose names hold one of `names`, in another process with these
/// settings: whether all pass, and what they said.
pub fn others_pass(names: &[&str], settings: &[(&str, &Path)]) -> (bool, String) {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(names).envs(settings.iter().copied());
    let output = command.output().expect("the tests start");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Takes each `call` out of a source of kernels, one at a time, and asserts that a test fails then.
/// Asserts that there are at least `least`, and that all tests pass with all of them.
pub fn needs_every(call: &str, source: &str, least: usize, names: &[&str]) {
    let Some(folder) = emulator::folder() else { return };
    let (passed, text) = others_pass(names, &[("SHATTER_EMULATOR", folder)]);
    assert!(passed, "{text}");
    let kernels = emulator::kernels();
    let text = fs::read_to_string(kernels.join(source)).expect("a source");
    let calls: Vec<usize> = text.match_indices(call).map(|(at, _)| at).collect();
    assert!(calls.len() >= least, "{source} has {} times {call}", calls.len());
    for at in calls {
        let mutant = tempfile::tempdir().expect("a folder");
        for entry in fs::read_dir(&kernels).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                let name = path.file_name().expect("a name");
                fs::copy(&path, mutant.path().join(name)).expect("a copy");
            }
        }
        let mut without = text.clone();
        without.replace_range(at..at + call.len(), "");
        fs::write(mutant.path().join(source), without).expect("a source");
        let built = emulator::build(mutant.path(), mutant.path());
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let (passed, _) = others_pass(names, &[("SHATTER_EMULATOR", mutant.path())]);
        let line = text[..at].matches('\n').count() + 1;
        assert!(!passed, "nothing fails without {call} in line {line} of {source}");
    }
}
