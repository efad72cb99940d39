//! The command line; see `shatter --help`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    shatter::cli::run()
}
