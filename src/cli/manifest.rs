//! The manifest that stands beside every result: what was run, with what, on what.

use std::io;
use std::path::Path;
use std::sync::OnceLock;

use serde::Serialize;

use shatter_record::atomic;

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

/// Everything needed to run the same again. Holds no times, so that equal runs leave equal bytes.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
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
    pub configuration: serde_json::Value,
    /// Operating system and processor architecture.
    pub host: String,
    /// The SAMPLE text, if a sample was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    /// SHA-256 of its canonical points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points_sha256: Option<String>,
}

impl Manifest {
    /// The manifest of this process.
    pub fn new(configuration: serde_json::Value) -> Manifest {
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
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        text.push('\n');
        atomic::write(path, text)
    }
}
