//! Promise: pages count the constructions and the claims that are there.

use super::{files, read};

/// Words for the numbers from ten.
const WORDS: [&str; 21] = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "twenty-one",
    "twenty-two",
    "twenty-three",
    "twenty-four",
    "twenty-five",
    "twenty-six",
    "twenty-seven",
    "twenty-eight",
    "twenty-nine",
    "thirty",
];

/// The page on one line.
fn flowing(page: &str) -> String {
    read(page).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn constructions_are_counted() {
    let catalogue = read("src/construct/catalogue.rs");
    let listed = catalogue.split("pub fn all()").nth(1).and_then(|rest| rest.split("\n}\n").next());
    let lines = listed.unwrap().lines().filter_map(|line| line.trim().strip_prefix("Box::new("));
    let (theorem, others): (Vec<&str>, Vec<&str>) =
        lines.partition(|line| line.starts_with("DepthTwo "));
    assert!(theorem.len() == 3 && others.len() >= 10, "{theorem:?}, {others:?}");
    let all = theorem.len() + others.len();
    let readme = format!("one of {} other constructions", WORDS[others.len() - 10]);
    assert!(flowing("README.md").contains(&readme), "README.md: {readme}");
    let design = format!("({all} in all, three of them Theorem 1");
    assert!(flowing("DESIGN.md").contains(&design), "DESIGN.md: {design}");
}

#[test]
fn claims_are_counted() {
    let families = files().into_iter().filter(|path| path.starts_with("src/claims/catalogue/"));
    let lengths = families.filter_map(|path| {
        let text = read(&path);
        let length = text.split("const CLAIMS: [Claim; ").nth(1)?.split(']').next()?;
        Some(length.parse::<usize>().unwrap())
    });
    let claims: usize = lengths.sum();
    let readme = format!("# {claims} claims;");
    assert!(read("README.md").contains(&readme), "README.md: {readme}");
}
