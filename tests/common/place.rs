//! Where the files of this repository are.

use std::path::{Path, PathBuf};

/// The folder of the repository.
pub fn repository() -> PathBuf {
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let found = above.find(|folder| folder.join("tests/python").is_dir());
    found.expect("the repository").to_owned()
}
