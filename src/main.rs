//! The command line; see `shatter --help`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use shatter_cli::Build;

fn main() -> ExitCode {
    shatter_cli::run(Build { commit: env!("SHATTER_COMMIT"), compiler: env!("SHATTER_RUSTC") })
}
