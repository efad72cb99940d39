//! Kernels with something taken out, in the emulator: a test must fail for each. Such tests are called
//! `emulated_…`, since no GPU will do.
#![allow(dead_code)] // each test file uses a part

use std::fs;
use std::path::Path;
use std::process::Command;

use super::emulator;

/// The orders in which the emulator runs threads.
const ORDERS: [&str; 3] = ["forward", "reverse", "interleaved"];

/// This program's other tests, those whose names hold one of `names` (all, if there are none), in
/// another process with this emulator: whether there are some and all pass, and what they said.
fn others_pass(names: &[&str], folder: &Path, order: &str) -> (bool, String) {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(names).args(["--skip", "emulated_"]);
    command.env("SHATTER_EMULATOR", folder).env("SHATTER_EMULATOR_ORDER", order);
    let output = command.output().expect("the tests start");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success() && !text.contains(" 0 passed"), text)
}

/// The tests of this program pass in every order; they themselves run in the first.
pub fn orders_do_not_matter() {
    let Some(folder) = emulator::folder() else { return };
    for order in &ORDERS[1..] {
        let (passed, text) = others_pass(&[], folder, order);
        assert!(passed, "{order}: {text}");
    }
}

/// Takes each `call` out of a source of kernels, one at a time, and asserts that a test fails then
/// in some order. Asserts that there are at least `least`. (That the tests pass with all of them is for
/// themselves to say, and for `orders_do_not_matter`.)
pub fn needs_every(call: &str, source: &str, least: usize, names: &[&str]) {
    if emulator::folder().is_none() {
        return;
    }
    // Names of no test would fail without any mutant.
    let mut list = Command::new(std::env::current_exe().expect("this program"));
    let listed = list.args(names).args(["--skip", "emulated_", "--list"]).output();
    let listed = String::from_utf8(listed.expect("the tests start").stdout).expect("names");
    for name in names {
        assert!(listed.lines().any(|line| line.contains(name)), "no test is called {name}");
    }
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
        let shows = ORDERS.iter().find(|order| !others_pass(names, mutant.path(), order).0);
        let line = text[..at].matches('\n').count() + 1;
        assert!(shows.is_some(), "nothing fails without {call} in line {line} of {source}");
    }
}
