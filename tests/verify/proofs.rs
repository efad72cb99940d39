//! Promise: every proof that `shatter verify` names exists in `proofs/` under that name.

use std::fs;

use shatter_verify::CheckedStatement;

#[test]
fn every_named_proof_exists() {
    let folder = crate::common::repository().join("proofs/theories");
    let files =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    // Beside the sources stand what a build of them left.
    let sources = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "v"));
    let text: String = sources.map(|path| fs::read_to_string(path).unwrap()).collect();
    for statement in CheckedStatement::all() {
        let name = statement.proof();
        let stands = ["Theorem", "Lemma"].iter().any(|kind| {
            text.lines().any(|line| {
                let rest = line.strip_prefix(kind).and_then(|rest| rest.strip_prefix(' '));
                rest.and_then(|rest| rest.strip_prefix(name))
                    .is_some_and(|rest| rest.starts_with([' ', '(', ':']))
            })
        });
        assert!(stands, "{name}");
    }
}
