//! Promise: paths, sections, anchors and names of code in prose are there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{files, read, repository, rooms};

/// Pages of prose: where they are, and their text.
fn pages() -> Vec<(String, String)> {
    let pages = files().into_iter().filter(|path| path.ends_with(".md") && path != "CHANGELOG.md");
    pages.map(|path| (path.clone(), read(&path))).collect()
}

/// The text without blocks of code.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// What stands in `backticks`.
fn codes(prose: &str) -> impl Iterator<Item = &str> {
    prose.split('`').skip(1).step_by(2)
}

/// What a line of source says as a comment of its own, if it is one.
fn comment(line: &str) -> Option<&str> {
    let marks = ["///", "//!", "//", "(*", "# "];
    marks.iter().find_map(|mark| line.trim_start().strip_prefix(mark))
}

/// The comments of sources: where they are, and what they say.
fn comments() -> Vec<(String, String)> {
    let ends = [".rs", ".py", ".sh", ".cu", ".h", ".v", ".toml"];
    let sources = files().into_iter().filter(|path| ends.iter().any(|end| path.ends_with(end)));
    let said = |path: &str| read(path).lines().filter_map(comment).collect::<Vec<_>>().join("\n");
    sources.map(|path| (path.clone(), said(&path))).collect()
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

/// Paths in pages and comments that begin with a folder of the repository or a room of `src/`, and links to files.
#[test]
fn paths_are_there() {
    let mut first = rooms();
    first.extend(
        ["src", "tests", "kernels", "proofs", "figures", "benches", "examples", ".ci"]
            .map(str::to_owned),
    );
    let mut missing = Vec::new();
    let mut looked = 0;
    for (page, text) in pages().into_iter().chain(comments()) {
        let folder = repository().join(&page).parent().unwrap().to_owned();
        let prose = prose(&text);
        let paths = codes(&prose).filter(|code| {
            let start = code.split('/').next().unwrap_or("");
            code.contains('/')
                && first.iter().any(|folder| folder == start)
                && !code.contains([' ', '<', '\n'])
        });
        let links = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        // In comments of Rust a link names an item.
        let links = links.filter(|link| {
            page.ends_with(".md") && !link.contains("://") && !link.starts_with(['#', '<'])
        });
        for path in paths.chain(links.filter_map(|link| link.split('#').next())) {
            looked += 1;
            let bases = [folder.clone(), repository().to_owned(), repository().join("src")];
            if !bases.iter().any(|base| exists(base, path)) {
                missing.push(format!("{page}: {path}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(looked > 150, "{looked}");
}

/// The headings of a page.
fn headings(text: &str) -> Vec<String> {
    let prose = prose(text);
    let lines = prose.lines().filter(|line| line.starts_with('#'));
    lines.map(|line| line.trim_start_matches('#').trim().to_owned()).collect()
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// Links to `#anchor` and `page.md#anchor`.
#[test]
fn anchors_are_there() {
    let mut looked = 0;
    for (page, text) in pages() {
        let prose = prose(&text);
        let links = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://")) {
            let Some((path, name)) = link.split_once('#') else { continue };
            let folder = repository().join(&page).parent().unwrap().to_owned();
            let target = if path.is_empty() { repository().join(&page) } else { folder.join(path) };
            let target =
                fs::read_to_string(&target).unwrap_or_else(|e| panic!("{page}: {link}: {e}"));
            let found = headings(&target).iter().any(|heading| anchor(heading) == name);
            assert!(found, "{page}: no heading has the anchor of {link}");
            looked += 1;
        }
    }
    assert!(looked > 5, "{looked}");
}

/// Mentions of a section, such as `DESIGN.md, "What is trusted"`: the page as it is named, and the section.
fn sections(text: &str) -> Vec<(String, String)> {
    // Comments are one text, whatever their lines begin with; strings of Rust escape quotation marks.
    let lines =
        text.lines().map(|line| line.trim().trim_start_matches(['/', '!', '#', '*']).trim());
    let text = lines.collect::<Vec<_>>().join(" ").replace("\\\"", "\"");
    let mut found = Vec::new();
    for (at, _) in text.match_indices(", \"") {
        let before = &text[..at];
        // A link is named by its text.
        let before = match before.strip_suffix(')').and_then(|before| before.rsplit_once("](")) {
            Some((before, to)) if !to.contains(' ') => before,
            _ => before,
        };
        let named = |c: char| c.is_ascii_alphanumeric() || "./_-".contains(c);
        let page = before.rsplit(|c| !named(c)).next().unwrap_or("").to_owned();
        let is_page = page.ends_with(".md") || page == "README";
        if let (true, Some(section)) = (is_page, text[at + 3..].split('"').next()) {
            found.push((page, section.to_owned()));
        }
    }
    found
}

#[test]
fn sections_are_there() {
    assert_eq!(
        sections(
            "/// as in [A.md](../A.md),\n/// \"One two\", and README, \"Three\". f(\"b.md\", \"c\")"
        ),
        [("A.md", "One two"), ("README", "Three")]
            .map(|(page, section)| (page.into(), section.into()))
    );
    let mut looked = 0;
    let texts = ["md", "rs", "v", "py", "sh", "cu", "h", "cpp", "toml", "run", "ml"];
    for path in files() {
        let extension = path.rsplit(['.', '/']).next().unwrap_or("");
        // This file has one that is not there.
        if !texts.contains(&extension) || path == "tests/house/prose.rs" || path == "CHANGELOG.md" {
            continue;
        }
        for (page, section) in sections(&read(&path)) {
            let page = if page == "README" { "README.md".to_owned() } else { page };
            let folder = repository().join(&path).parent().unwrap().to_owned();
            let bases = [repository().to_owned(), folder, repository().join("src/interchange")];
            let target = bases.iter().find_map(|base| fs::read_to_string(base.join(&page)).ok());
            let target = target.unwrap_or_else(|| panic!("{path}: there is no page {page}"));
            assert!(headings(&target).contains(&section), "{path}: {page} has no \"{section}\"");
            looked += 1;
        }
    }
    assert!(looked >= 3, "{looked}");
}

/// Source files at or below a path without its ending.
fn sources(place: &Path) -> Vec<PathBuf> {
    let mut found = vec![place.with_extension("rs")];
    if let Ok(entries) = fs::read_dir(place) {
        for path in entries.flatten().map(|entry| entry.path()) {
            match path.is_dir() {
                true => found.extend(sources(&path)),
                false => found.push(path),
            }
        }
    }
    found.retain(|path| path.is_file() && path.extension().is_some_and(|found| found == "rs"));
    found.sort();
    found.dedup();
    found
}

/// Whether a line of Rust defines `name`: an item, a variant, a field, or a method.
fn defines(line: &str, name: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let items = ["fn", "struct", "enum", "trait", "const", "static", "type", "mod", "const fn"];
    let rest = items.iter().find_map(|item| line.strip_prefix(item)?.strip_prefix(' '));
    let after = rest.unwrap_or(line).strip_prefix(name);
    let ends = |after: &str| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    match rest {
        Some(_) => after.is_some_and(ends),
        // A variant or a field.
        None => {
            after.is_some_and(|after| after.is_empty() || after.starts_with([',', ' ', '(', ':']))
        }
    }
}

/// Resolves `a::b::c` from the rooms of `src/`: rooms and modules by their files, what follows by a search in them.
fn resolve(name: &str) -> Result<(), String> {
    let mut segments = name.split("::");
    let room = segments.next().unwrap_or("");
    let mut place = repository().join("src").join(room);
    let mut inside = false;
    for segment in segments {
        let module = place.join(segment);
        if !inside && (module.is_dir() || module.with_extension("rs").is_file()) {
            place = module;
            continue;
        }
        inside = true;
        let files = sources(&place);
        let defined = files.iter().any(|file| {
            let text = fs::read_to_string(file).unwrap_or_default();
            text.lines().any(|line| defines(line, segment))
        });
        if !defined {
            return Err(format!("{segment} is not in {}", place.display()));
        }
    }
    Ok(())
}

/// Names of other crates in pages.
const OTHERS: [&str; 2] = ["SeedableRng::seed_from_u64", "candle_nn::optim"];

/// Whether a source defines a public type of this name, generic or not.
fn defines_type(text: &str, name: &str) -> bool {
    let kinds = ["struct", "enum", "trait", "type"].map(|kind| format!("pub {kind} {name}"));
    let ends = |rest: &str| rest.starts_with([' ', '<', ';', '(', ':', '\n']);
    kinds.iter().any(|words| {
        text.match_indices(words.as_str()).any(|(at, words)| ends(&text[at + words.len()..]))
    })
}

/// Names such as `room::item`, `shatter::room::item` and `Type::item`; all others are listed in [`OTHERS`].
#[test]
fn names_of_code_are_there() {
    for wrong in ["verify::walk", "construct::threshold::none", "network::Graph::sizes_of"] {
        assert!(resolve(wrong).is_err(), "{wrong}");
    }
    for text in ["pub struct A;", "pub enum A<T> {", "pub struct A(u8);", "pub trait A: B {"] {
        assert!(defines_type(text, "A") && !defines_type(text, "B"), "{text}");
    }
    assert!(!defines_type("pub struct Arc {", "A"));
    let rooms = rooms();
    let all: Vec<String> = sources(&repository().join("src"))
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let mut missing = Vec::new();
    let mut looked = 0;
    let mut others = BTreeSet::new();
    for (page, text) in pages() {
        let prose = prose(&text);
        let names = codes(&prose).map(|code| code.trim_end_matches("()"));
        let is_name = |code: &&str| {
            code.contains("::")
                && code.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
        };
        for name in names.filter(is_name) {
            let inner = name.strip_prefix("shatter::").unwrap_or(name);
            let (first, rest) = inner.split_once("::").unwrap_or((inner, ""));
            let found = if rooms.iter().any(|room| room == first) {
                resolve(inner)
            } else if inner != name {
                // At the root itself.
                let root = read("src/lib.rs");
                let named = |line: &str| line == format!("pub mod {first} {{");
                root.lines().any(named).then_some(()).ok_or(format!("the root has no {first}"))
            } else if all.iter().any(|text| defines_type(text, first)) {
                let defined = all.iter().any(|text| text.lines().any(|line| defines(line, rest)));
                defined.then_some(()).ok_or(format!("nothing is called {rest}"))
            } else if OTHERS.contains(&name) {
                others.insert(name.to_owned());
                continue;
            } else {
                Err(format!("{first} is neither a room nor a type of ours, nor listed in OTHERS"))
            };
            looked += 1;
            if let Err(reason) = found {
                missing.push(format!("{page}: `{name}`: {reason}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert_eq!(others, OTHERS.iter().map(|name| (*name).to_owned()).collect(), "used in pages");
    assert!(looked > 20, "{looked}");
}
