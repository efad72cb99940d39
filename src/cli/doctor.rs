//! `shatter doctor`: what works here and what does not, and why.

use clap::Args;
use serde::Serialize;

use super::json::{self, Record};
use super::output::{Facts, print};
use super::{Answer, CliError, CommonOptions, build};

#[derive(Args, Debug, Clone)]
#[command(after_help = "Example:\n  shatter doctor")]
pub struct Arguments {
    #[command(flatten)]
    pub common: CommonOptions,
}

/// What `--json` prints and `doctor.json` holds.
#[derive(Serialize)]
struct DoctorRecord<'a> {
    build: &'a str,
    machine: &'a str,
    /// Threads that are used.
    threads: usize,
    exact: bool,
    lapack: bool,
    claims: bool,
    gpu: bool,
    /// The GPU, or why there is none.
    gpu_found: &'a str,
}

impl Record for DoctorRecord<'_> {
    const FORMAT: &'static str = "shatter doctor 1";
}

#[derive(Serialize)]
struct Configuration {}

pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    let build = format!(
        "shatter {} (commit {}), {}, {}",
        env!("CARGO_PKG_VERSION"),
        build().commit,
        build().compiler,
        if cfg!(debug_assertions) {
            "debug build: --release is many times faster"
        } else {
            "release build"
        }
    );
    let machine = format!(
        "{} {}, {} threads{}",
        std::env::consts::OS,
        std::env::consts::ARCH,
        rayon::current_num_threads(),
        processor_features()
    );
    let lapack = if cfg!(feature = "lapack") {
        "yes: --solver lapack, and its answers in verify"
    } else {
        "no: built without --features lapack (needs a system BLAS; Debian: libopenblas-dev)"
    };
    let claims = if cfg!(feature = "claims") {
        "yes: shatter claims"
    } else {
        "no: built without --features claims"
    };
    let gpu = gpu();
    let (Ok(gpu_found) | Err(gpu_found)) = &gpu;
    let found = DoctorRecord {
        build: &build,
        machine: &machine,
        threads: rayon::current_num_threads(),
        exact: true,
        lapack: cfg!(feature = "lapack"),
        claims: cfg!(feature = "claims"),
        gpu: gpu.is_ok(),
        gpu_found,
    };
    arguments.common.write("doctor", &found, Configuration {}, None)?;
    if arguments.common.json {
        json::print(&found)?;
        return Ok(Answer::Yes);
    }
    let mut facts = Facts::default();
    facts.add("build", build);
    facts.add("machine", machine);
    facts.add("exact", "yes: needs nothing but this program");
    facts.add("lapack", lapack);
    facts.add("claims", claims);
    facts.add("gpu", gpu.map_or_else(|no| format!("no: {no}"), |yes| format!("yes: {yes}")));
    print(facts.text())?;
    Ok(Answer::Yes)
}

/// The GPU that there is, or why there is none.
#[cfg(feature = "cuda")]
fn gpu() -> Result<String, String> {
    let (found, obstacle) = shatter_device::cuda::find().map_err(|error| error.to_string())?;
    match obstacle {
        None => {
            let tensor = if found.has_tensor_cores() { ", tf32 and bf16" } else { "" };
            Ok(format!("{found}; --device cuda, for every network in f32{tensor}"))
        }
        Some(obstacle) => Err(format!("{found}: {obstacle}")),
    }
}

#[cfg(not(feature = "cuda"))]
fn gpu() -> Result<String, String> {
    Err(super::device::NONE.to_owned())
}

#[cfg(target_arch = "x86_64")]
fn processor_features() -> String {
    let features = [
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("fma", std::arch::is_x86_feature_detected!("fma")),
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
    ];
    let found: Vec<&str> = features.iter().filter(|feature| feature.1).map(|f| f.0).collect();
    if found.is_empty() { String::new() } else { format!(", {}", found.join(", ")) }
}

#[cfg(not(target_arch = "x86_64"))]
fn processor_features() -> String {
    String::new()
}
