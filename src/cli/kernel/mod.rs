//! `shatter kernel`: kernels that interpolate, each point certified.

mod certificate;
mod figures;
mod fit;
mod points;
mod record;
mod text;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use shatter_feature::FeatureChoice;
use shatter_kernel::{Arithmetic, Kernel};
use shatter_sample::LabelRule;

use super::json;
use super::manifest::{self, Manifest};
use super::output::print;
use super::{Answer, CliError, CommonOptions, write};

pub use certificate::{Checked, check, is_certificate};
pub use fit::run_one;
pub use record::{KernelRecord, Labelling};

/// The numbers of a factorisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ArithmeticChoice {
    /// Single: half the memory and time; solutions are refined to those of double
    F32,
    /// Double
    F64,
}

impl From<ArithmeticChoice> for Arithmetic {
    fn from(choice: ArithmeticChoice) -> Arithmetic {
        match choice {
            ArithmeticChoice::F32 => Arithmetic::F32,
            ArithmeticChoice::F64 => Arithmetic::F64,
        }
    }
}

/// Options of `kernel` and `table3`.
#[derive(Args, Debug, Clone)]
pub struct KernelOptions {
    /// The test sample [default: split=test of data sets that have one]
    #[arg(long, value_name = "SAMPLE")]
    pub test: Option<String>,
    /// Use no test sample
    #[arg(long, conflicts_with = "test")]
    pub no_test: bool,
    /// Number format of the factorisation
    #[arg(long, value_enum, default_value_t = ArithmeticChoice::F64, value_name = "TYPE")]
    pub arithmetic: ArithmeticChoice,
    /// Add this to the diagonal of the matrix if it has no factor without, ten times as much at each further try; what
    /// is solved stays the same, by refinement
    #[arg(long, value_name = "J")]
    pub jitter: Option<f64>,
    /// Hold N columns of the matrix instead of all: conjugate gradients with a Nyström preconditioner, in binary64, to a
    /// residual of 1e-6; without a condition number
    #[arg(long, default_value_t = 0, value_name = "N", conflicts_with_all = ["arithmetic", "jitter", "checkpoint_every"])]
    pub centres: usize,
    /// Eigenvalues of the kernel matrix of the first N points
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub spectrum: usize,
    /// Hold out the last N training points, and choose the kernel with the fewest mistakes on them, by the first of the
    /// labellings
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub validate: usize,
    /// How far outputs may be from real labels
    #[arg(long, default_value_t = 1e-6, value_name = "T")]
    pub tolerance: f64,
    /// Seconds between checkpoints of the factorisation, from which the same command continues [default: 300, and none
    /// for fits that are expected to take less than a minute]
    #[arg(long, value_name = "S")]
    pub checkpoint_every: Option<f64>,
    /// Keep no checkpoint: it takes as much of the disk as the matrix of memory
    #[arg(long, conflicts_with = "checkpoint_every")]
    pub no_checkpoint: bool,
    /// Decide points in fractions, and compare with the exact solution: kernels linear and polynomial of some hundred
    /// points, rational of some tens
    #[arg(long)]
    pub exact: bool,
    /// Fit matrices that a sample of entries shows as the identity or of ones up to rounding, too
    #[arg(long)]
    pub degenerate: bool,
    /// Print the plan of memory and time, and fit nothing
    #[arg(long)]
    pub plan: bool,
}

#[derive(Args, Debug, Clone)]
#[command(after_help = "Examples:\n  \
    shatter kernel mnist:DIR --kernel gaussian:gamma=0.02\n  \
    shatter kernel mnist:DIR,first=8000 --features gabor --kernel gaussian:gamma=0.01\n  \
    shatter kernel cifar10:DIR,first=5000 --kernel laplacian:gamma=0.05 --labels true,corrupted:0.5,random\n  \
    shatter kernel mnist:DIR,first=20 --kernel rational:gamma=0.1 --exact\n  \
    shatter kernel cifar10:DIR,first=5000 --kernel gaussian:gamma=0.005 --kernel gaussian:gamma=0.01 --validate 1000\n  \
    shatter check --network out/kernel/true.safetensors out/kernel/true.certificate.txt mnist:DIR\n\n\
    Solves K a = y, one column of y a class, and proves for every training point that the largest output is that of \
    its label. Kernels: gaussian:gamma=G, laplacian:gamma=G, rational:gamma=G, \
    polynomial:degree=K,offset=C,scale=S, arc-cosine-0, arc-cosine-1, linear.\n\
    Features: none, gabor:wavelength=6,scales=1,orientations=8,cell=4 and \
    random-conv:N,patch=6,filters=patches,threshold=0.25,pool=2 (or filters=gaussian), with these where an option is \
    left out.\n\
    Prints training fit, test error, norm, condition, time and memory, beside the paper's Table 3 where it has them; \
    writes a model and a certificate for each labelling, kernel.json and figures.\n\
    Exit status: 0 if every point of every labelling is proved to fit, 1 if not, 2 for bad input, 130 if interrupted.")]
pub struct Arguments {
    /// The training sample, for example mnist:DIR
    sample: String,
    /// The kernel; may be repeated with --validate
    #[arg(long, default_value = "gaussian:gamma=0.02", value_name = "KERNEL")]
    kernel: Vec<Kernel>,
    /// What the kernel sees of an image: none (pixels), gabor or random-conv:N; options follow after commas
    #[arg(long, default_value_t = FeatureChoice::None, value_name = "FEATURES")]
    features: FeatureChoice,
    /// Labels, fitted with one factorisation: true, random, corrupted:P or alternating
    #[arg(long, value_delimiter = ',', default_value = "true", value_name = "RULE,...")]
    labels: Vec<LabelRule>,
    /// Added to the diagonal of the matrix: the fit then does not interpolate
    #[arg(long, default_value_t = 0.0, value_name = "R")]
    ridge: f64,
    #[command(flatten)]
    options: KernelOptions,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// A fit that is asked for.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    pub sample: &'a str,
    pub kernels: &'a [Kernel],
    pub features: FeatureChoice,
    pub labels: &'a [LabelRule],
    pub ridge: f64,
    pub options: &'a KernelOptions,
    pub seed: u64,
    /// Nothing is printed.
    pub quiet: bool,
}

/// The manifest's configuration.
#[derive(Clone, Debug, Serialize)]
pub struct Configuration {
    sample: String,
    test: Option<String>,
    kernels: Vec<String>,
    features: String,
    labels: Vec<String>,
    ridge: f64,
    jitter: Option<f64>,
    arithmetic: &'static str,
    spectrum: usize,
    validate: usize,
    tolerance: f64,
    #[serde(skip_serializing_if = "is_zero")]
    centres: usize,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    exact: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    degenerate: bool,
    seed: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde asks
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Job<'_> {
    /// Everything that its results depend on.
    pub fn configuration(&self) -> Configuration {
        let options = self.options;
        Configuration {
            sample: self.sample.to_owned(),
            test: points::test_text(self),
            kernels: self.kernels.iter().map(Kernel::to_string).collect(),
            features: self.features.to_string(),
            labels: self.labels.iter().map(LabelRule::to_string).collect(),
            ridge: self.ridge,
            jitter: options.jitter,
            arithmetic: Arithmetic::from(options.arithmetic).name(),
            spectrum: options.spectrum,
            validate: options.validate,
            tolerance: options.tolerance,
            centres: options.centres,
            exact: options.exact,
            degenerate: options.degenerate,
            seed: self.seed,
        }
    }
}

/// The name of a record.
pub const RECORD: &str = "kernel.json";

/// The name of the files of a labelling: `true`, `corrupted-0.5`.
pub fn file_name(rule: &str) -> String {
    rule.replace(':', "-")
}

pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    let Arguments { sample, kernel, features, labels, ridge, options, common } = arguments;
    let job = Job {
        sample,
        kernels: kernel,
        features: *features,
        labels,
        ridge: *ridge,
        options,
        seed: common.seed(),
        quiet: common.json,
    };
    let out = common.out.clone().unwrap_or_else(|| PathBuf::from("out/kernel"));
    let Some(record) = run_one(&job, &out)? else { return Ok(Answer::Yes) };
    let (manifest, place) = finish(&job, &record, &out, "kernel")?;
    let command = format!(
        "shatter {} · version {} · commit {}",
        manifest.command.join(" "),
        manifest.version,
        manifest.commit
    );
    let drawn = figures::draw(&record, &out, &command)?;
    if common.json {
        json::print(&record)?;
    } else {
        let drawn: String = drawn.iter().map(|name| format!("{name} (and .svg), ")).collect();
        let written = format!(
            "Written to {}: {drawn}kernel.json, {place}, and for each labelling its model \
             and certificate.\n",
            out.display()
        );
        print(&format!("{}\n{written}", text::table(&record)))?;
    }
    Ok(if record.fitted() { Answer::Yes } else { Answer::No })
}

/// Writes record and manifest; returns the manifest, and its name.
pub fn finish(
    job: &Job<'_>,
    record: &KernelRecord,
    out: &Path,
    command: &str,
) -> Result<(Manifest<Configuration>, String), CliError> {
    let mut manifest = Manifest::new(job.configuration());
    manifest.sample = Some(record.sample.clone());
    manifest.points_sha256 = Some(record.points_sha256.clone());
    let place = manifest::place(out, command);
    manifest.write(&out.join(&place))?;
    // The last: a record without its manifest would be taken for that of an earlier one.
    write(out, RECORD, json::text(record)?)?;
    Ok((manifest, place))
}
