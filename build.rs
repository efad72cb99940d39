//! Writes the commit and the compiler into the program, for manifests and `shatter doctor`.

use std::process::Command;

fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next()?.trim();
    (output.status.success() && !line.is_empty()).then(|| line.to_owned())
}

fn main() {
    // A package from a registry has no history of its own, even inside somebody else's.
    let own = std::path::Path::new(".git").exists();
    let commit = own.then(|| first_line("git", &["rev-parse", "--short=12", "HEAD"])).flatten();
    println!("cargo::rustc-env=SHATTER_COMMIT={}", commit.unwrap_or_else(|| "unknown".into()));
    let compiler = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = first_line(&compiler, &["--version"]).unwrap_or_else(|| "unknown".into());
    println!("cargo::rustc-env=SHATTER_RUSTC={version}");
    println!("cargo::rerun-if-changed=build.rs");
    if own {
        println!("cargo::rerun-if-changed=.git/HEAD");
        println!("cargo::rerun-if-changed=.git/logs/HEAD");
    }
}
