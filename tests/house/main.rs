//! Promise: the house is as DESIGN.md draws it, and no test looks at the clock.

#[path = "../common"]
#[allow(dead_code)] // what is shared is used in parts
mod common {
    pub mod skipped;
}

mod counts;
mod generated;
mod prose;
mod skipped;
mod trusted;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files of the repository, by their paths in it; nothing that was built, and nothing hidden but `.ci/`.
fn files() -> Vec<String> {
    fn collect(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let skipped = ["target", "out", "__pycache__", ".git"].contains(&name.as_str());
            if path.is_dir() && !skipped {
                collect(&path, found);
            } else if path.is_file() {
                found.push(path.strip_prefix(repository()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(repository()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_file() {
            found.push(name);
        } else if name == ".ci" || !(name.starts_with('.') || name == "target" || name == "out") {
            collect(&path, &mut found);
        }
    }
    found.sort();
    found
}

/// The names of the rooms.
fn rooms() -> Vec<String> {
    table().into_iter().map(|(room, _)| room).collect()
}

/// The packages of this repository on which each of them depends, however its manifest says so, by the names of the rooms;
/// without those of tests, and without the driver of GPUs.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--offline", "--no-deps", "--format-version", "1"]);
    let output = command.current_dir(repository()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let room = |package: &Value| {
        let name = package["name"].as_str().unwrap();
        name.strip_prefix("shatter-").unwrap_or(name).to_owned()
    };
    let ours = |dependency: &&Value| dependency["path"].is_string() && dependency["kind"] != "dev";
    let packages = said["packages"].as_array().unwrap().iter().map(|package| {
        let named = package["dependencies"].as_array().unwrap().iter().filter(ours).map(room);
        (room(package), named.filter(|name| name != "cuda-driver").collect())
    });
    packages.collect()
}

/// The rooms of DESIGN.md's table, in its order, with what it says that each imports.
fn table() -> Vec<(String, BTreeSet<String>)> {
    let design = read("DESIGN.md");
    let rows = design.lines().filter_map(|line| line.strip_prefix("| `src/"));
    let room = |row: &str| {
        let (name, rest) = row.split_once("/`")?;
        let imports = rest.trim_end_matches([' ', '|']).rsplit('|').next()?.trim().to_owned();
        let imports = imports.split(", ").filter(|name| *name != "–").map(str::to_owned).collect();
        (!name.contains('/')).then(|| (name.to_owned(), imports))
    };
    rows.map_while(room).collect()
}

#[test]
fn rooms_stand_on_rooms_above_them_as_design_says() {
    let table = table();
    let named: BTreeSet<&str> = table.iter().map(|(room, _)| room.as_str()).collect();
    let mut there = BTreeSet::new();
    for entry in fs::read_dir(repository().join("src")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            there.insert(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    assert_eq!(named, there.iter().map(String::as_str).collect());
    let stands_on = dependencies();
    let mut above = BTreeSet::new();
    for (room, imports) in &table {
        assert!(imports.is_subset(&above), "{room} is above what it imports: {imports:?}");
        assert_eq!(imports, &stands_on[room], "{room}");
        above.insert(room.clone());
    }
}

/// The checker may stand on the readers of samples, and they on the streams of drawn labels; on nothing else of ours.
#[test]
fn the_checker_stands_on_the_sample_readers_alone() {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let stands_on = dependencies();
    assert_eq!(stands_on["check"], set(&["sample"]));
    assert_eq!(stands_on["sample"], set(&["random"]));
    assert_eq!(stands_on["random"], set(&[]));
}

/// Tests that sleep between looks at what another process does, or before they stop it: how long decides nothing.
const POLLING: [&str; 5] = [
    "tests/cli/answers.rs",
    "tests/cli/json.rs",
    "tests/cli/kernel.rs",
    "tests/program/runs.rs",
    "tests/record/main.rs",
];

/// A test that is slow on a slow machine is no failure: work is bounded, and not time.
#[test]
fn no_test_looks_at_the_clock() {
    let clock =
        [concat!("Instant", "::now"), concat!("SystemTime", "::now"), concat!(".elapsed", "()")];
    let sleep = concat!("thread", "::sleep");
    let all = files();
    for path in all.iter().filter(|path| path.starts_with("tests/") && path.ends_with(".rs")) {
        let text = read(path);
        // How long ago a file was forgotten decides no test.
        if path != "tests/common/skipped.rs" {
            let found = clock.iter().find(|word| text.contains(**word));
            assert_eq!(found, None, "{path}");
        }
        assert!(!text.contains(sleep) || POLLING.contains(&path.as_str()), "{path}: {sleep}");
    }
    for path in POLLING {
        assert!(all.iter().any(|file| file == path), "{path} is not there");
    }
}
