//! `shatter fit`: a network that memorizes a sample, with a certificate.

mod brute_force;
mod construction;
mod files;
mod two_layer;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use shatter_construct::{DirectionRule, Task, ThresholdRule};
use shatter_sample::{LabelRule, Sample};
use shatter_verify::solver::FloatSolver;

use super::device::DeviceChoice;
use super::{Answer, CliError, CommonOptions};

#[derive(Args, Debug, Clone)]
#[command(after_help = "Examples:\n  \
    shatter fit digits --labels random\n  \
    shatter fit gaussian:n=1000,d=10 --labels random\n  \
    shatter fit fashion-mnist:DIR --labels random --seed 1\n  \
    shatter fit gaussian:n=200000,d=10 --brute-force --device cuda\n  \
    shatter fit lattice:n=100,d=3 --construction width-two\n  \
    shatter fit csv:wine.csv,scale=10^6 --out out/wine\n\n\
    SAMPLE is KIND:ARGUMENTS, with options such as first=N, draw=N, split=test. Kinds: digits, gaussian, \
    lattice, collinear, moment, clustered, close (n=N,d=D), mnist:DIR, fashion-mnist:DIR, \
    cifar10:DIR-or-tar.gz, idx:IMAGES,LABELS, csv:FILE, npy:POINTS,LABELS, npz:FILE.\n\
    Writes network.txt, fit.json, manifest.json and, if the network fits, certificate.txt, in place of \
    those of an earlier fit in the folder.\n\
    What needs more memory than there is, or than SHATTER_MEMORY=BYTES says, is refused beforehand.\n\
    Exit status: 0 if the network equals every label exactly, 1 if not, 2 for bad input, 4 if \
    there is no such device.")]
pub struct Arguments {
    /// The sample, for example gaussian:n=1000,d=10
    sample: String,
    /// Labels: true, random, corrupted:P or alternating
    #[arg(long, default_value = "true", value_name = "RULE")]
    labels: LabelRule,
    /// Construction to build instead of Theorem 1's: depth-K for K >= 3, width-two, …; an unknown name
    /// lists all
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with_all = ["solver", "threshold", "brute_force", "no_brute_force", "device"]
    )]
    construction: Option<String>,
    /// Solver of the triangular system
    #[arg(long, default_value = "exact")]
    solver: Solver,
    /// Placement of the thresholds
    #[arg(long, default_value = "auto")]
    threshold: Threshold,
    /// Choice of the direction
    #[arg(long, default_value = "auto")]
    direction: Direction,
    /// Evaluate all n² terms in plain binary64 even for more than 100,000 points
    #[arg(long, conflicts_with = "no_brute_force")]
    brute_force: bool,
    /// Do not evaluate all n² terms
    #[arg(long, conflicts_with = "device")]
    no_brute_force: bool,
    /// Device that evaluates all n² terms; auto looks for a GPU from 10^9 terms on
    #[arg(long, value_enum, default_value_t = DeviceChoice::Auto)]
    device: DeviceChoice,
    #[command(flatten)]
    pub common: CommonOptions,
}

#[derive(ValueEnum, Debug, Clone, Copy)]
enum Solver {
    Exact,
    Structured,
    Nalgebra,
    Lapack,
}

#[derive(ValueEnum, Debug, Clone, Copy)]
enum Threshold {
    Auto,
    Zigzag,
    Data,
    Midpoint,
}

#[derive(ValueEnum, Debug, Clone, Copy)]
enum Direction {
    Auto,
    Gaussian,
    Radix,
    Moment,
}

impl Arguments {
    fn direction(&self) -> DirectionRule {
        match self.direction {
            Direction::Auto => DirectionRule::Auto,
            Direction::Gaussian => DirectionRule::Gaussian,
            Direction::Radix => DirectionRule::Radix,
            Direction::Moment => DirectionRule::Moment,
        }
    }

    fn threshold(&self) -> ThresholdRule {
        match self.threshold {
            Threshold::Auto => ThresholdRule::Auto,
            Threshold::Zigzag => ThresholdRule::Zigzag,
            Threshold::Data => ThresholdRule::Data,
            Threshold::Midpoint => ThresholdRule::Midpoint,
        }
    }

    /// What constructions are given.
    fn task<'a>(&self, sample: &'a Sample) -> Task<'a> {
        let task = Task::new(&sample.points, &sample.labels, self.common.seed());
        Task { direction: self.direction(), ..task }
    }

    /// The solver in floating point; none is the exact one.
    fn float_solver(&self) -> Option<FloatSolver> {
        match self.solver {
            Solver::Exact => None,
            Solver::Structured => Some(FloatSolver::Structured),
            Solver::Nalgebra => Some(FloatSolver::Nalgebra),
            Solver::Lapack => Some(FloatSolver::Lapack),
        }
    }

    /// The solver in words.
    fn solver(&self) -> String {
        self.float_solver().map_or_else(|| "exact".to_owned(), |solver| solver.to_string())
    }

    /// Where the files go.
    fn folder(&self) -> PathBuf {
        self.common.out.clone().unwrap_or_else(|| PathBuf::from("out/fit"))
    }
}

pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    match &arguments.construction {
        None => two_layer::run(arguments),
        Some(name) => construction::run(arguments, name),
    }
}
