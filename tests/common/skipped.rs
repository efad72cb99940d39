//! What a test does that lacks what it needs. libtest calls it `ok`, and has no word for it that a test can choose while
//! it runs. So the test says it past libtest's capture, and leaves a line in `target/tmp/skipped/`, from which the last
//! program of `cargo test`, `tests/what_was_skipped/`, makes a sentence.
//!
//! The lines of one run of cargo stand in a file that carries its process id and the time at which it started: lines of a
//! run that was stopped, or in which that last program was not asked for, are counted in no other. A program in which a
//! test asks for what it needs first marks that file. Without a mark (the folder cannot be written, or a runner stands
//! between cargo and the programs) nothing is known of the run, and the last program says so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

/// Real data sets.
pub const DATA: &str = "SHATTER_DATA (a folder of real data sets)";
/// CIFAR-10.
pub const CIFAR: &str = "SHATTER_CIFAR (the folder of CIFAR-10)";

/// The first field of the line by which a program says that it is counted.
const MARK: &str = "started";

/// The tally of a run in whose file no program left a mark.
pub const NOT_COUNTED: &str = "Skipped tests were not counted: in target/tmp/skipped/ this run left no record. \
    Either it had no test that can be skipped, or its programs could not write there or were not started by cargo itself.";

/// How much of a test is left out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    Whole,
    Part,
}

/// Passes on what the running test needs; if it is not there, the test is skipped for want of `what`, a noun.
pub fn or_skipped<T>(found: Option<T>, what: &str) -> Option<T> {
    match found {
        Some(_) => mark(),
        None => skipped(what),
    }
    found
}

/// Says that the running test tries nothing for want of `what`, a noun. Counts a test once, however often it says so.
pub fn skipped(what: &str) {
    report(Extent::Whole, what);
}

/// Says that the running test leaves out a part for want of `what`.
pub fn skipped_in_part(what: &str) {
    report(Extent::Part, what);
}

/// Marks the file of this run, once in each program.
pub fn mark() {
    #[cfg(unix)]
    {
        static MARKED: std::sync::Once = std::sync::Once::new();
        MARKED.call_once(|| {
            let run = run_of(std::os::unix::process::parent_id());
            note(&folder(), &run, &format!("{MARK}\t{}\n", program().display()));
        });
    }
}

fn report(extent: Extent, what: &str) {
    mark();
    static SAID: Mutex<BTreeSet<(String, String)>> = Mutex::new(BTreeSet::new());
    // libtest names the thread of each test after it; with --test-threads=1 all run in one.
    let test = std::thread::current().name().unwrap_or("main").to_owned();
    let mut said = SAID.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if !said.insert((test.clone(), what.to_owned())) && test != "main" {
        return;
    }
    let part = if extent == Extent::Part { " for a part" } else { "" };
    // What is printed by `eprintln!` is shown for tests that fail only.
    let _ = writeln!(std::io::stderr(), "skipped: {test} needs {what}{part}");
    #[cfg(unix)]
    {
        let extent = if extent == Extent::Part { "part" } else { "whole" };
        let line = format!("{extent}\t{}\t{test}\t{what}\n", program().display());
        note(&folder(), &run_of(std::os::unix::process::parent_id()), &line);
    }
}

/// Where the lines of all runs stand.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("skipped")
}

/// The name of the run that a process leads: its number, and where the system says it, when it started.
pub fn run_of(process: u32) -> String {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The second field is a name in parentheses, which may hold spaces; the start is the twenty-second.
    let fields = status.rsplit(')').next().unwrap_or("");
    let start = fields.split_whitespace().nth(19).unwrap_or("0");
    format!("{process}-{start}")
}

/// The running test program.
fn program() -> PathBuf {
    std::env::current_exe().unwrap_or_default()
}

/// Adds a line. A program that runs far from where it was built has no such folder, and nobody who counts.
fn note(folder: &Path, run: &str, line: &str) {
    let built_here = folder.parent().is_some_and(Path::is_dir);
    if !built_here || fs::create_dir_all(folder).is_err() {
        return;
    }
    // One write: programs and threads do not mix their lines.
    let file = fs::OpenOptions::new().create(true).append(true).open(folder.join(run));
    let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
}

/// Takes the lines of a run out of the folder, and says in a sentence what was skipped in it, and why.
pub fn tally(folder: &Path, run: &str) -> String {
    let lines = fs::read_to_string(folder.join(run)).unwrap_or_default();
    let _ = fs::remove_file(folder.join(run));
    remove_forgotten(folder);
    if !lines.lines().any(|line| line.split('\t').next() == Some(MARK)) {
        return NOT_COUNTED.to_owned();
    }
    let mut tests: BTreeMap<(&str, &str, usize), Extent> = BTreeMap::new();
    let mut wants: BTreeMap<&str, BTreeSet<(&str, &str, usize)>> = BTreeMap::new();
    for (at, line) in lines.lines().enumerate() {
        let mut fields = line.splitn(4, '\t');
        let (Some(extent), Some(program), Some(test), Some(what)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        // Without names of tests, each line is one.
        let test = (program, test, if test == "main" { at } else { 0 });
        let extent = if extent == "part" { Extent::Part } else { Extent::Whole };
        let known = tests.entry(test).or_insert(extent);
        *known = (*known).min(extent);
        wants.entry(what).or_default().insert(test);
    }
    let whole = tests.values().filter(|extent| **extent == Extent::Whole).count();
    let part = tests.len() - whole;
    let number = |count: usize| format!("{count} test{}", if count == 1 { "" } else { "s" });
    let head = match (whole, part) {
        (0, 0) => return "No test was skipped.".to_owned(),
        (whole, 0) => format!("{} tried nothing", number(whole)),
        (0, part) => format!("{} tried only a part", number(part)),
        (whole, part) => format!("{} tried nothing, and {part} only a part", number(whole)),
    };
    let mut wants: Vec<(usize, &str)> =
        wants.into_iter().map(|(what, tests)| (tests.len(), what)).collect();
    wants.sort_by_key(|&(count, _)| std::cmp::Reverse(count));
    let wants = wants.iter().map(|(count, what)| format!("{count} for want of {what}"));
    let wants = wants.collect::<Vec<_>>().join(", ");
    format!("{head}: {wants}; see \"What is needed\" in tests/README.md.")
}

/// Files of runs that ended long ago without a tally.
fn remove_forgotten(folder: &Path) {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let age = entry.metadata().ok().and_then(|file| file.modified().ok()?.elapsed().ok());
        if age.is_some_and(|age| age > DAY) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
