//! Promise: the house is as DESIGN.md draws it, and what prose points to is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Our packages that a manifest names in its section `[dependencies]`.
fn stands_on(manifest: &str) -> BTreeSet<String> {
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap_or("");
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    let ours = lines.filter_map(|line| line.strip_prefix("shatter-"));
    let names = ours.map(|rest| rest.split(['.', ' ']).next().unwrap_or("").to_owned());
    names.filter(|name| name != "cuda-driver").collect()
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
    let mut above = BTreeSet::new();
    for (room, imports) in &table {
        assert!(imports.is_subset(&above), "{room} is above what it imports: {imports:?}");
        assert_eq!(imports, &stands_on(&read(&format!("src/{room}/Cargo.toml"))), "{room}");
        above.insert(room.clone());
    }
}

/// The checker may stand on the readers of samples, and they on the streams of drawn labels; on nothing else of ours.
#[test]
fn the_checker_stands_on_the_sample_readers_alone() {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(stands_on(&read("src/check/Cargo.toml")), set(&["sample"]));
    assert_eq!(stands_on(&read("src/sample/Cargo.toml")), set(&["random"]));
    assert_eq!(stands_on(&read("src/random/Cargo.toml")), set(&[]));
}

/// Pages of prose, and the folder that paths in them are relative to beside the repository's own.
fn pages() -> Vec<(PathBuf, String)> {
    fn collect(folder: &Path, pages: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && name != "target" && name != "out" && !name.starts_with('.') {
                collect(&path, pages);
            } else if name.ends_with(".md") && name != "CHANGELOG.md" {
                pages.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    collect(repository(), &mut paths);
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// Whether some file matches: a `*` in the last part stands for anything, `{a,b}` for each.
fn exists(base: &Path, path: &str) -> bool {
    if let Some((before, rest)) = path.split_once('{') {
        let Some((names, after)) = rest.split_once('}') else { return false };
        return names.split(',').all(|name| exists(base, &format!("{before}{name}{after}")));
    }
    match path.split_once('*') {
        None => base.join(path).exists(),
        Some((before, after)) => {
            let (folder, start) = before.rsplit_once('/').unwrap_or(("", before));
            let Ok(entries) = fs::read_dir(base.join(folder)) else { return false };
            entries.flatten().any(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                name.starts_with(start) && name.ends_with(after)
            })
        }
    }
}

/// Paths in `code` of prose that begin with a folder of the repository or a room of `src/`, and links to files.
#[test]
fn paths_in_prose_are_there() {
    let mut rooms: Vec<String> = table().into_iter().map(|(room, _)| room).collect();
    rooms.extend(
        ["src", "tests", "kernels", "proofs", "figures", "benches", "examples", ".ci"]
            .map(str::to_owned),
    );
    let mut missing = Vec::new();
    let mut looked = 0;
    for (page, text) in pages() {
        let folder = page.parent().unwrap();
        let prose: String = text.split("```").step_by(2).collect(); // without blocks of code
        let codes = prose.split('`').skip(1).step_by(2);
        let paths = codes.filter(|code| {
            let first = code.split('/').next().unwrap_or("");
            code.contains('/')
                && rooms.iter().any(|room| room == first)
                && !code.contains([' ', '<'])
        });
        let links = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let links = links.filter(|link| !link.contains("://") && !link.starts_with(['#', '<']));
        for path in paths.chain(links.filter_map(|link| link.split('#').next())) {
            looked += 1;
            let bases = [folder.to_owned(), repository().to_owned(), repository().join("src")];
            if !bases.iter().any(|base| exists(base, path)) {
                missing.push(format!(
                    "{}: {path}",
                    page.strip_prefix(repository()).unwrap().display()
                ));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(looked > 100, "{looked}");
}
