//! The table of trusted code in DESIGN.md counts the lines that are there.

use super::{files, read};

/// Lines of a file, and those before its unit tests.
fn lines(file: &str) -> [usize; 2] {
    let text = read(file);
    let tests = text.lines().position(|line| line.starts_with("#[cfg(test)]"));
    let all = text.lines().count();
    [all, tests.unwrap_or(all)]
}

#[test]
fn trusted_lines_are_counted() {
    let design = read("DESIGN.md");
    let section = design.split("\n## What is trusted\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let files = files();
    let of = |folder: &str, but: &[&str]| -> Vec<String> {
        let own = |file: &&String| file.starts_with(folder) && file.ends_with(".rs");
        let left = |file: &&String| !but.iter().any(|but| file.ends_with(but));
        files.iter().filter(own).filter(left).cloned().collect()
    };
    let rows = [
        ("`src/check/`", of("src/check/", &[])),
        (
            "`src/sample/` without `image.rs` and `rows.rs`",
            of("src/sample/", &["/image.rs", "/rows.rs"]),
        ),
        ("`src/random/stream.rs`", vec!["src/random/stream.rs".to_owned()]),
    ];
    for (place, files) in rows {
        assert!(!files.is_empty(), "{place}");
        let row =
            section.lines().find(|line| line.contains(place) && line.starts_with('|')).unwrap();
        let counted = files.iter().map(|file| lines(file));
        let counted = counted.fold([0, 0], |sum, [all, own]| [sum[0] + all, sum[1] + own]);
        let cells: Vec<String> = row.split('|').map(|cell| cell.trim().replace(',', "")).collect();
        let stated: Vec<usize> = cells[3..5].iter().filter_map(|cell| cell.parse().ok()).collect();
        assert_eq!(stated, counted, "lines of {place}, and without tests");
        if row.contains(" files |") {
            let files = format!("{} files", files.len());
            assert!(row.contains(&files), "{place}: {files} are there");
        }
    }
    let [integers, _] = lines("src/certify/integers.rs");
    assert!(
        section.contains(&format!("`src/certify/integers.rs` ({integers})")),
        "{integers} lines"
    );
}
