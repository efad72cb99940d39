//! The command line: one file a subcommand. It parses, calls the library, prints; it holds no
//! mathematics.
//!
//! Exit statuses: 0 yes, 1 a negative verdict, 2 bad input, 3 training diverged, 4 no such device,
//! 130 interrupted.

mod capacity;
mod check;
#[cfg(feature = "claims")]
mod claims;
mod compare;
mod device;
mod doctor;
mod error;
mod eval;
mod export;
mod figures;
mod fit;
mod input;
mod json;
mod kernel;
mod linear;
mod manifest;
mod measure;
mod memory;
mod output;
mod randomize;
mod reading;
mod rethink;
mod runs;
mod show;
mod table1;
mod table3;
mod threads;
mod train;
mod training;
mod verify;
mod visible;
mod words;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, CommandFactory, Parser, Subcommand};
use serde::Serialize;

use shatter_figure::Rendered;
use shatter_record::atomic;
use shatter_sample::{self as sample, LabelRule, RawSample, Sample};

pub use manifest::Build;

use error::CliError;
use json::{Failure, Place, Record};
use manifest::{Manifest, build};

/// Networks that memorize: built exactly, certified, verified.
#[derive(Parser, Debug)]
#[command(name = "shatter", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "Environment:\n  \
    RAYON_NUM_THREADS  Threads, of commands without --threads [default: one per processor]\n  \
    SHATTER_MEMORY     Bytes of memory that may be taken [default: what the system has left]; more is refused \
    beforehand")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Verify Lemma 1 and Theorem 1 numerically, over a grid of n, d and seeds
    Verify(verify::Arguments),
    /// Build a network that memorizes a sample, with a certificate
    Fit(fit::Arguments),
    /// Compare all constructions on one sample: depth, units, weights, bits, time
    Compare(compare::Arguments),
    /// Check a certificate against its sample, exactly
    Check(check::Arguments),
    /// Evaluate a network on a sample
    Eval(eval::Arguments),
    /// Write a network for another runtime: ONNX, safetensors, NPZ or JSON
    Export(export::Arguments),
    /// Describe a network file or a certificate
    Show(show::Arguments),
    /// Test the catalogue of claims: properties over generated samples, witnesses against false ones
    #[cfg(feature = "claims")]
    Claims(claims::Arguments),
    /// Train a network on true or randomized data
    Train(train::Arguments),
    /// Run the randomization tests: the same network on true and randomized data
    Randomize(randomize::Arguments),
    /// Train and evaluate the rows of the paper's Tables 1 and 4
    Table1(table1::Arguments),
    /// Fit a kernel to a sample, prove that every point is fitted, and test it
    Kernel(kernel::Arguments),
    /// Fit and test the rows of the paper's Table 3, kernels that interpolate
    Table3(table3::Arguments),
    /// Fit linear models: minimum norm, gradient descent from zero, weight decay, other interpolants
    Linear(linear::Arguments),
    /// Say what the theories promise of a network on its sample, and whether that is vacuous
    Measure(measure::Arguments),
    /// Train networks on true and on random labels, and see which theories tell them apart
    Rethink(rethink::Arguments),
    /// Find how many points with random labels training fits, beside what can and what cannot be fitted
    Capacity(capacity::Arguments),
    /// Draw the figures of training runs from their records
    Figures(figures::Arguments),
    /// Print what this build and this machine can do
    Doctor(doctor::Arguments),
    /// Print completions for a shell
    #[command(after_help = "Example:\n  shatter completions bash > shatter.bash")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// The options that every command has, where it has them.
    fn common(&self) -> Option<&CommonOptions> {
        match self {
            Command::Verify(verify::Arguments { common, .. })
            | Command::Fit(fit::Arguments { common, .. })
            | Command::Compare(compare::Arguments { common, .. })
            | Command::Check(check::Arguments { common, .. })
            | Command::Eval(eval::Arguments { common, .. })
            | Command::Export(export::Arguments { common, .. })
            | Command::Show(show::Arguments { common, .. })
            | Command::Train(train::Arguments { common, .. })
            | Command::Randomize(randomize::Arguments { common, .. })
            | Command::Table1(table1::Arguments { common, .. })
            | Command::Kernel(kernel::Arguments { common, .. })
            | Command::Table3(table3::Arguments { common, .. })
            | Command::Linear(linear::Arguments { common, .. })
            | Command::Measure(measure::Arguments { common, .. })
            | Command::Rethink(rethink::Arguments { common, .. })
            | Command::Capacity(capacity::Arguments { common, .. })
            | Command::Figures(figures::Arguments { common, .. })
            | Command::Doctor(doctor::Arguments { common }) => Some(common),
            #[cfg(feature = "claims")]
            Command::Claims(claims::Arguments { common, .. }) => Some(common),
            Command::Completions { .. } => None,
        }
    }
}

/// Options of every command.
#[derive(Args, Debug, Clone)]
struct CommonOptions {
    /// Seed of all random draws [default: 0]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
    /// Folder for results and manifest [default: out/COMMAND for commands that write files]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl CommonOptions {
    fn seed(&self) -> u64 {
        self.seed.unwrap_or(0)
    }

    /// With `--out`, writes what was found as `NAME.json`, and the manifest `NAME.manifest.json`: the folder may be
    /// that of a fit or a run, which has its own.
    fn write<R: Record>(
        &self,
        name: &str,
        found: &R,
        configuration: impl Serialize,
        sample: Option<&str>,
    ) -> Result<(), CliError> {
        let Some(out) = &self.out else { return Ok(()) };
        write(out, &format!("{name}.json"), json::text(found)?)?;
        let mut manifest = Manifest::new(configuration);
        manifest.sample = sample.map(str::to_owned);
        manifest.write(&out.join(manifest::beside(name)))
    }
}

/// The answer to the question that a command asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    /// Training diverged in some of the runs that were asked for.
    Diverged,
}

/// Writes a file of results, whole or not at all.
fn write(out: &Path, name: &str, bytes: impl AsRef<[u8]>) -> Result<(), CliError> {
    let path = out.join(name);
    atomic::write(&path, bytes).map_err(CliError::at(&path))
}

/// Writes a figure in both formats.
fn write_figure(out: &Path, name: &str, figure: Rendered) -> Result<(), CliError> {
    write(out, &format!("{name}.svg"), figure.svg)?;
    write(out, &format!("{name}.png"), figure.png)
}

/// Reads a sample, merges its duplicates and labels it.
fn labelled_sample(
    text: &str,
    seed: u64,
    rule: LabelRule,
    labels_seed: u64,
) -> Result<Sample, CliError> {
    let raw = raw_sample(text, seed)?;
    raw.distinct(rule, labels_seed).map_err(|error| CliError::sample(text, error))
}

/// Reads or draws a sample as it is, if memory has room for it.
fn raw_sample(text: &str, seed: u64) -> Result<RawSample, CliError> {
    memory::sample(text)?;
    sample::load(text, seed).map_err(|error| CliError::sample(text, error))
}

/// Whether the command was asked for JSON.
static JSON: AtomicBool = AtomicBool::new(false);

/// Tells why there is no answer. Whoever asked for JSON gets an object in every case.
fn tell(failure: &Failure) -> ExitCode {
    eprintln!("error: {}", failure.message);
    if JSON.load(Ordering::SeqCst) {
        let _ = json::print(failure); // the status says the rest
    }
    ExitCode::from(failure.status)
}

/// What an interrupt does.
fn interrupted() {
    if training::interrupted() {
        return; // the run ends by itself, with a checkpoint; a second interrupt does not wait
    }
    json::end();
    atomic::abandon();
    eprintln!("interrupted");
    if JSON.load(Ordering::SeqCst) {
        json::print_last(&CliError::Interrupted("interrupted".into()).failure());
    }
    std::process::exit(130);
}

/// What is wrong with a command line, or the help that it asks for.
fn refused(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    let _ = error.print(); // there is nobody else to tell
    let status = u8::try_from(error.exit_code()).unwrap_or(2);
    if status != 0 && arguments.iter().any(|argument| argument == "--json") {
        let text = error.to_string();
        let first = text.split("\n\n").next().unwrap_or_default();
        let words = first.split_whitespace().collect::<Vec<_>>().join(" ");
        let message = visible::shortened(visible::line(words.trim_start_matches("error: ")));
        let failure = Failure { kind: "usage", message, status, place: Place::default() };
        let _ = json::print(&failure);
    }
    ExitCode::from(status)
}

/// Runs the program, which is `build`.
pub fn run(build: Build) -> ExitCode {
    manifest::name(build);
    if let Err(error) = ctrlc::set_handler(interrupted) {
        eprintln!("warning: an interrupt may leave a half-written file: {error}");
    }
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let command = match Cli::try_parse_from(&arguments) {
        Ok(Cli { command }) => command,
        Err(error) => return refused(&error, &arguments),
    };
    JSON.store(command.common().is_some_and(|common| common.json), Ordering::SeqCst);
    let threads = match &command {
        Command::Train(train::Arguments { options, .. })
        | Command::Randomize(randomize::Arguments { options, .. })
        | Command::Rethink(rethink::Arguments { options, .. })
        | Command::Capacity(capacity::Arguments { options, .. })
        | Command::Table1(table1::Arguments { options, .. }) => options.threads,
        _ => None,
    };
    let result = threads::start(threads).and_then(|()| match command {
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Fit(arguments) => fit::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Train(arguments) => train::run(&arguments),
        Command::Randomize(arguments) => randomize::run(&arguments),
        Command::Table1(arguments) => table1::run(&arguments),
        Command::Kernel(arguments) => kernel::run(&arguments),
        Command::Table3(arguments) => table3::run(&arguments),
        Command::Linear(arguments) => linear::run(&arguments),
        Command::Measure(arguments) => measure::run(&arguments),
        Command::Rethink(arguments) => rethink::run(&arguments),
        Command::Capacity(arguments) => capacity::run(&arguments),
        Command::Figures(arguments) => figures::run(&arguments),
        #[cfg(feature = "claims")]
        Command::Claims(arguments) => claims::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Completions { shell } => completions(shell),
    });
    match result {
        Ok(Answer::Yes) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Ok(Answer::Diverged) => ExitCode::from(3),
        Err(error) => tell(&error.failure()),
    }
}

fn completions(shell: clap_complete::Shell) -> Result<Answer, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "shatter", &mut script);
    output::print_bytes(&script)?;
    Ok(Answer::Yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
