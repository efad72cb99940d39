//! The program that is tested.

use std::path::PathBuf;

/// That of this build; another one, such as the release binary, if `SHATTER_BIN` names it.
pub fn program() -> PathBuf {
    match std::env::var_os("SHATTER_BIN") {
        // Tests run it in other folders.
        Some(given) => std::fs::canonicalize(given).expect("SHATTER_BIN: a file"),
        None => env!("CARGO_BIN_EXE_shatter").into(),
    }
}
