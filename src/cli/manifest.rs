//! The manifest that stands beside every result: what was run, with what, on what.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use shatter_record::atomic;

use super::CliError;
use super::json::{self, Record};

static BUILD: OnceLock<Build> = OnceLock::new();

/// What the program was built from, and by what.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    /// The commit, or `unknown`.
    pub commit: &'static str,
    /// The compiler, as it names itself.
    pub compiler: &'static str,
}

/// Says once what this process is; what is said later is not heard.
pub fn name(build: Build) {
    BUILD.get_or_init(|| build);
}

/// What this process is.
pub fn build() -> Build {
    BUILD.get().copied().unwrap_or(Build { commit: "unknown", compiler: "unknown" })
}

/// The manifest of a command that makes what its folder holds, where no other command's [stands](place). Those that
/// look at a network, or export it, may write beside it: theirs is [`beside`].
pub const MANIFEST: &str = "manifest.json";

/// The name of the manifest of a command that may write into the folder of another: `eval.manifest.json`.
pub fn beside(name: &str) -> String {
    format!("{name}.{MANIFEST}")
}

/// The name of the manifest of a command that makes what its folder holds: beside that of another command, if there
/// is one.
pub fn place(out: &Path, command: &str) -> String {
    other(out, command).map_or_else(|| MANIFEST.to_owned(), |_| beside(command))
}

/// The command that the manifest in a folder names, unless there is none or it is this one. A manifest that cannot be
/// understood is that of another program.
pub fn other(out: &Path, command: &str) -> Option<String> {
    #[derive(Default, Deserialize)]
    struct Written {
        command: Vec<String>,
    }
    // One that cannot be read is in the way, and named when this one is written.
    let text = fs::read(out.join(MANIFEST)).ok()?;
    let Written { command: mut named } = serde_json::from_slice(&text).unwrap_or_default();
    let named = if named.is_empty() { "another program".to_owned() } else { named.swap_remove(0) };
    (named != command).then_some(named)
}

/// Everything needed to run the same again. Holds no times, so that equal runs leave equal bytes. `C` is the
/// configuration.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest<C> {
    /// The program.
    pub program: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The commit that it was built from.
    pub commit: &'static str,
    /// The compiler.
    pub compiler: &'static str,
    /// The command line, without the path of the program.
    pub command: Vec<String>,
    /// Every option after defaults were filled in.
    pub configuration: C,
    /// Operating system and processor architecture.
    pub host: String,
    /// The SAMPLE text, if a sample was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    /// SHA-256 of its canonical points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points_sha256: Option<String>,
}

/// The format of a manifest.
pub const FORMAT: &str = "shatter manifest 1";

impl<C: Serialize> Record for Manifest<C> {
    const FORMAT: &'static str = FORMAT;
}

impl<C: Serialize> Manifest<C> {
    /// The manifest of this process.
    pub fn new(configuration: C) -> Manifest<C> {
        Manifest {
            program: "shatter",
            version: env!("CARGO_PKG_VERSION"),
            commit: build().commit,
            compiler: build().compiler,
            command: std::env::args_os()
                .skip(1)
                .map(|argument| argument.to_string_lossy().into_owned())
                .collect(),
            configuration,
            host: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            sample: None,
            points_sha256: None,
        }
    }

    /// Writes it as JSON, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<(), CliError> {
        atomic::write(path, json::text(self)?).map_err(CliError::at(path))
    }
}
