//! Promise: a test that is skipped says so and is counted, in its own run and in no other.

use std::fs;
use std::process::Command;

use crate::common::skipped::{
    NOT_COUNTED, folder, or_skipped, run_of, skipped, skipped_in_part, tally,
};
use crate::{read, repository};

const INSIDE: &str = "SHATTER_TEST_SKIP";

/// In a program that the next test starts, this is a test that is skipped. Elsewhere it is nothing.
#[test]
fn one_that_is_skipped() {
    if std::env::var_os(INSIDE).is_some() {
        skipped("a thing that nobody has");
        skipped("a thing that nobody has");
    }
}

/// The same of a test that has what it needs.
#[test]
fn one_that_has_what_it_needs() {
    if std::env::var_os(INSIDE).is_some() {
        assert_eq!(or_skipped(Some(1), "a thing that it has"), Some(1));
    }
}

#[test]
fn one_that_is_skipped_in_part() {
    if std::env::var_os(INSIDE).is_some() {
        skipped_in_part("a thing that nobody has");
        skipped_in_part("another");
    }
}

/// This process is to the programs that it starts what cargo is to this one.
#[cfg(unix)]
#[test]
fn what_is_skipped_is_shown_and_counted_once() {
    let run = run_of(std::process::id());
    assert!(!run.ends_with("-0") || !cfg!(target_os = "linux"), "{run}");
    let start = |names: &str| {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.args([names, "--test-threads=2"]).env(INSIDE, "1").output().unwrap()
    };
    let output = start("skipped::one_that_is_skipped");
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    let line = "skipped: skipped::one_that_is_skipped needs a thing that nobody has\n";
    assert_eq!(said.matches(line).count(), 1, "past the capture of libtest, and once: {said}");
    assert_eq!(
        tally(&folder(), &run),
        "1 test tried nothing, and 1 only a part: 2 for want of a thing that nobody has, 1 for want of another; \
         see \"What is needed\" in tests/README.md."
    );
    assert_eq!(tally(&folder(), &run), NOT_COUNTED, "the next run begins with nothing");
    assert!(start("skipped::one_that_has_what_it_needs").status.success());
    assert_eq!(tally(&folder(), &run), "No test was skipped.");
}

#[test]
fn lines_of_other_runs_stay_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let lines =
        ["started\t/a", "whole\t/a\tone\tx", "whole\t/b\tone\tx", "part\t/a\tone\ty", "cut"];
    fs::write(folder.path().join("7-1"), lines.join("\n")).unwrap();
    fs::write(folder.path().join("7-2"), "whole\t/a\tone\tx\n").unwrap();
    let found = tally(folder.path(), "7-1");
    assert!(
        found.starts_with("2 tests tried nothing: 2 for want of x, 1 for want of y;"),
        "{found}"
    );
    assert!(folder.path().join("7-2").exists());
    // Where one thread runs all tests, no line says which.
    let lines = "started\t/a\n".to_owned() + &"whole\t/a\tmain\tx\n".repeat(3);
    fs::write(folder.path().join("7-3"), lines).unwrap();
    assert!(tally(folder.path(), "7-3").starts_with("3 tests tried nothing: 3 for want of x;"));
}

/// Only a program that marked the file of the run vouches that nothing is missing in it.
#[test]
fn a_run_without_a_mark_is_not_counted() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(tally(&folder.path().join("none"), "7-1"), NOT_COUNTED);
    fs::write(folder.path().join("7-1"), "cut").unwrap();
    assert_eq!(tally(folder.path(), "7-1"), NOT_COUNTED);
    fs::write(folder.path().join("7-1"), "started\t/a\nstarted\t/b\n").unwrap();
    assert_eq!(tally(folder.path(), "7-1"), "No test was skipped.");
}

/// Cargo runs the programs of packages in the order of their names, and those of a package in that of theirs.
#[test]
fn the_tally_is_the_last_program() {
    let rooms = fs::read_dir(repository().join("src")).unwrap().map(|entry| entry.unwrap().path());
    let rooms = rooms.filter(|path| path.is_dir());
    let last = rooms.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).max();
    let last = last.unwrap();
    assert!(format!("shatter-{last}").as_str() > "shatter");
    let manifest = read(&format!("src/{last}/Cargo.toml"));
    let tests = manifest.split("[[test]]\n").skip(1);
    let names = tests.map(|test| test.lines().next().unwrap());
    assert_eq!(names.max(), Some("name = \"what_was_skipped\""), "src/{last}/Cargo.toml");
}
