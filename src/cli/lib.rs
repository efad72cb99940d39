//! The command line: one file a subcommand. It parses, calls the library, prints; it holds no
//! mathematics.
//!
//! Exit statuses: 0 yes, 1 a negative verdict, 2 bad input, 3 training diverged, 4 no such device,
//! 130 interrupted.

mod check;
#[cfg(feature = "claims")]
mod claims;
mod compare;
mod device;
mod doctor;
mod eval;
mod export;
mod figures;
mod fit;
mod input;
mod manifest;
mod output;
mod randomize;
mod reading;
mod runs;
mod show;
mod table1;
mod threads;
mod train;
mod training;
mod verify;
mod visible;
mod words;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use manifest::Manifest;

pub use manifest::Build;
use manifest::build;

use clap::{Args, CommandFactory, Parser, Subcommand};

use shatter_construct::ConstructError;
use shatter_device::DeviceError;
use shatter_figure::Rendered;
use shatter_interchange::InterchangeError;
use shatter_interchange::load::{LoadError, MissingFact};
use shatter_record::atomic;
use shatter_sample::{self as sample, LabelRule, Sample, SampleError};
use shatter_train::TrainError;
use shatter_train::run::RunError;
use shatter_verify::solver::SolverError;

/// Networks that memorize: built exactly, certified, verified.
#[derive(Parser, Debug)]
#[command(name = "shatter", version, arg_required_else_help = true, max_term_width = 100)]
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
    /// Put every construction on one sample: depth, units, weights, bits, time
    Compare(compare::Arguments),
    /// Check a certificate against its sample, exactly
    Check(check::Arguments),
    /// Evaluate a network on a sample
    Eval(eval::Arguments),
    /// Write a network for another runtime: ONNX, safetensors, NPZ or JSON
    Export(export::Arguments),
    /// Say what a network file or a certificate holds
    Show(show::Arguments),
    /// Test the catalogue of claims: properties over generated samples, witnesses for what is false
    #[cfg(feature = "claims")]
    Claims(claims::Arguments),
    /// Train a network on true or randomized data
    Train(train::Arguments),
    /// Run the randomization tests: the same network on true and randomized data
    Randomize(randomize::Arguments),
    /// Train and evaluate the rows of the paper's Tables 1 and 4
    Table1(table1::Arguments),
    /// Draw the figures of training runs from their records
    Figures(figures::Arguments),
    /// Say what this build and this machine can do
    Doctor(doctor::Arguments),
    /// Print completions for a shell
    #[command(after_help = "Example:\n  shatter completions bash > shatter.bash")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Options of every command.
#[derive(Args, Debug, Clone)]
struct Common {
    /// Seed of everything that is drawn [default: 0]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
    /// Folder for the results and the manifest [default: out/COMMAND where there are files to write]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Common {
    fn seed(&self) -> u64 {
        self.seed.unwrap_or(0)
    }

    /// With `--out`, writes what was found as `NAME.json`, and a manifest.
    fn write(
        &self,
        name: &str,
        found: &impl serde::Serialize,
        configuration: serde_json::Value,
        sample: Option<&str>,
    ) -> Result<(), CliError> {
        let Some(out) = &self.out else { return Ok(()) };
        let path = out.join(format!("{name}.json"));
        let text = serde_json::to_string_pretty(found)? + "\n";
        atomic::write(&path, text).map_err(CliError::at(&path))?;
        let mut manifest = Manifest::new(configuration);
        manifest.sample = sample.map(str::to_owned);
        let path = out.join("manifest.json");
        manifest.write(&path).map_err(CliError::at(&path))
    }
}

/// The answer to the question that a command asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Yes,
    No,
    /// Training diverged in some of the runs that were asked for.
    Diverged,
}

/// Why a command could not answer.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error("{}{source}", sample_prefix(.text, .source))]
    Sample { text: String, source: Box<SampleError> },
    #[error(transparent)]
    Construct(#[from] ConstructError),
    #[error(transparent)]
    Solver(#[from] SolverError),
    #[error("{file}: {source}", file = .file.display())]
    File { file: PathBuf, source: io::Error },
    #[error("{0}{hint}", hint = load_hint(.0))]
    Load(Box<LoadError>),
    #[error("{file}: {source}{hint}", file = .file.display(), hint = round_hint(.source))]
    Interchange { file: PathBuf, source: Box<InterchangeError> },
    #[error("{file}: {source}", file = .file.display())]
    Judge { file: PathBuf, source: Box<shatter_judge::JudgeError> },
    #[error(transparent)]
    Train(Box<RunError>),
    #[error("{0}")]
    NoDevice(String),
    #[error("{0}")]
    Interrupted(String),
    #[error("undecided: {0}")]
    Undecided(String),
    #[error("{construction} (assumes {assumptions}): {source}")]
    Refused { construction: String, assumptions: String, source: ConstructError },
    #[error("{0}")]
    Usage(String),
    /// The same, with a list of what there is, a line each.
    #[cfg(feature = "claims")]
    #[error("{0}")]
    Listed(String),
    #[error(transparent)]
    Verify(#[from] shatter_verify::VerifyError),
    #[error(transparent)]
    Figure(#[from] shatter_figure::FigureError),
    #[error("the results cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("standard output: {0}")]
    Output(io::Error),
}

impl From<LoadError> for CliError {
    fn from(error: LoadError) -> CliError {
        CliError::Load(Box::new(error))
    }
}

/// The option that would help, for errors of the library, which knows none.
fn load_hint(error: &LoadError) -> &'static str {
    match error {
        LoadError::Unsaid { missing, .. } => match missing {
            MissingFact::Layers => " (--architecture LAYERS gives them)",
            MissingFact::Outputs => " (--outputs N)",
            MissingFact::Input => " (--input CxHxW)",
        },
        LoadError::Said { .. } => " (--architecture)",
        _ => "",
    }
}

/// The same for numbers that the format does not have.
fn round_hint(error: &InterchangeError) -> &'static str {
    match error {
        InterchangeError::Rounds { .. } => " (--round rounds them)",
        _ => "",
    }
}

impl From<RunError> for CliError {
    fn from(error: RunError) -> CliError {
        CliError::Train(Box::new(error))
    }
}

impl CliError {
    /// An error about a sample.
    fn sample(text: &str, source: SampleError) -> CliError {
        CliError::Sample { text: text.to_owned(), source: Box::new(source) }
    }

    /// The exit status that stands for it.
    fn status(&self) -> u8 {
        match self {
            CliError::Train(error) => match error.as_ref() {
                RunError::Train(TrainError::Diverged { .. }) => 3,
                _ => 2,
            },
            CliError::NoDevice(_) => 4,
            CliError::Interrupted(_) => 130,
            _ => 2,
        }
    }

    /// In words that are fit for a terminal, and no longer than they can be read.
    fn text(&self) -> String {
        let text = self.to_string();
        visible::shortened(match self {
            #[cfg(feature = "claims")]
            CliError::Listed(_) => visible::lines(&text),
            _ => visible::line(&text),
        })
    }

    /// Whether a device had not the memory that was wanted.
    fn wants_memory(&self) -> bool {
        let memory = |error: &TrainError| {
            matches!(
                error,
                TrainError::Device(DeviceError::Memory { .. } | DeviceError::Full { .. })
            )
        };
        matches!(self, CliError::Train(error)
            if matches!(error.as_ref(), RunError::Train(error) if memory(error)))
    }

    /// An error about a file, for `map_err`.
    fn at(file: &Path) -> impl FnOnce(io::Error) -> CliError + '_ {
        move |source| CliError::File { file: file.to_owned(), source }
    }
}

/// The SAMPLE text, for errors that do not name a file of it themselves.
fn sample_prefix(text: &str, error: &SampleError) -> String {
    match error {
        SampleError::Empty
        | SampleError::NoCoordinates
        | SampleError::LabelCount { .. }
        | SampleError::Inconsistent { .. }
        | SampleError::NotFinite { .. }
        | SampleError::LabelNotFinite { .. } => format!("{text}: "),
        _ => String::new(),
    }
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
    let load = || sample::load(text, seed)?.distinct(rule, labels_seed);
    load().map_err(|error| CliError::sample(text, error))
}

/// Runs the program, which is `build`.
pub fn run(build: Build) -> ExitCode {
    manifest::name(build);
    let interrupted = ctrlc::set_handler(|| {
        if training::interrupted() {
            return; // the run ends by itself, with a checkpoint; a second interrupt does not wait
        }
        atomic::abandon();
        eprintln!("interrupted");
        std::process::exit(130);
    });
    if let Err(error) = interrupted {
        eprintln!("warning: an interrupt may leave a half-written file: {error}");
    }
    let command = Cli::parse().command;
    let json = match &command {
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
        | Command::Figures(figures::Arguments { common, .. })
        | Command::Doctor(doctor::Arguments { common }) => common.json,
        #[cfg(feature = "claims")]
        Command::Claims(claims::Arguments { common, .. }) => common.json,
        Command::Completions { .. } => false,
    };
    let threads = match &command {
        Command::Train(train::Arguments { options, .. })
        | Command::Randomize(randomize::Arguments { options, .. })
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
        Command::Figures(arguments) => figures::run(&arguments),
        #[cfg(feature = "claims")]
        Command::Claims(arguments) => claims::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Completions { shell } => completions(shell),
    });
    match result {
        Ok(Verdict::Yes) => ExitCode::SUCCESS,
        Ok(Verdict::No) => ExitCode::from(1),
        Ok(Verdict::Diverged) => ExitCode::from(3),
        Err(error) => {
            eprintln!("error: {}", error.text());
            if json {
                // Whoever asked for JSON gets an object in every case; the status says the rest.
                let _ = output::print_json(&serde_json::json!({ "error": error.text() }));
            }
            ExitCode::from(error.status())
        }
    }
}

fn completions(shell: clap_complete::Shell) -> Result<Verdict, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "shatter", &mut script);
    output::print_bytes(&script)?;
    Ok(Verdict::Yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
