//! Why a command could not answer: messages, exit statuses, places.

use std::io;
use std::path::{Path, PathBuf};

use shatter_certify::ReadError;
use shatter_check::Rejection;
use shatter_construct::ConstructError;
use shatter_device::DeviceError;
use shatter_feature::FeatureError;
use shatter_interchange::InterchangeError;
use shatter_interchange::load::{LoadError, MissingFact};
use shatter_kernel::{FeaturesError, FitError, ModelError};
use shatter_measure::MeasureError;
use shatter_regression::RegressionError;
use shatter_sample::SampleError;
use shatter_train::run::RunError;
use shatter_train::{CheckpointError, TrainError};
use shatter_verify::solver::SolverError;

use super::json::{Failure, Place};
use super::visible;

/// Why a command could not answer.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
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
    #[error("{file}: {source}{hint}", file = .file.display(), hint = export_hint(.source))]
    Interchange { file: PathBuf, source: Box<InterchangeError> },
    #[error("{file}: {source}", file = .file.display())]
    Judge { file: PathBuf, source: Box<shatter_judge::JudgeError> },
    #[error("{0}{hint}", hint = fit_hint(.0))]
    Kernel(Box<FitError>),
    #[error(transparent)]
    KernelModel(ModelError),
    #[error(transparent)]
    Features(#[from] FeatureError),
    #[error("{0}{hint}", hint = train_hint(.0))]
    Train(Box<RunError>),
    #[error(transparent)]
    Measure(#[from] MeasureError),
    #[error("{text}: {source}")]
    Regression { text: String, source: RegressionError },
    /// Of the test split that nobody asked for.
    #[error("{0} (--no-test trains without a test sample)")]
    TestSplit(Box<CliError>),
    #[error("{0}")]
    NoDevice(String),
    /// More memory than there is.
    #[error("{0}")]
    Memory(String),
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

impl From<ModelError> for CliError {
    fn from(error: ModelError) -> CliError {
        match error {
            ModelError::Stopped(stopped) => FitError::from(stopped).into(),
            error => CliError::KernelModel(error),
        }
    }
}

impl From<FitError> for CliError {
    fn from(error: FitError) -> CliError {
        match error {
            FitError::Stopped(_) => {
                CliError::Interrupted(
                    "stopped before the fit was complete; the same command continues from its checkpoint, if it had \
                     one"
                        .into(),
                )
            }
            error => CliError::Kernel(Box::new(error)),
        }
    }
}

impl From<FeaturesError> for CliError {
    fn from(error: FeaturesError) -> CliError {
        FitError::from(error).into()
    }
}

impl From<RunError> for CliError {
    fn from(error: RunError) -> CliError {
        CliError::Train(Box::new(error))
    }
}

impl From<TrainError> for CliError {
    fn from(error: TrainError) -> CliError {
        CliError::Train(Box::new(error.into()))
    }
}

/// The option that would help, for errors of the library, which knows none.
fn load_hint(error: &LoadError) -> &'static str {
    match error {
        LoadError::Unsaid { missing: MissingFact::Layers, .. } => {
            " (--architecture LAYERS gives them)"
        }
        LoadError::Unsaid { missing: MissingFact::Outputs, .. } => " (--outputs N)",
        LoadError::Unsaid { missing: MissingFact::Input, .. } => " (--input CxHxW)",
        LoadError::Said { .. } => " (--architecture)",
        _ => "",
    }
}

/// The same for kernels.
fn fit_hint(error: &FitError) -> &'static str {
    match error {
        FitError::Rank { .. } => " (--kernel, --ridge R)",
        FitError::Singular { arithmetic: "f64", .. } => " (--kernel, --jitter J, --ridge R)",
        FitError::Singular { .. } => " (--kernel, --arithmetic f64, --jitter J, --ridge R)",
        FitError::Ones { arithmetic: "f64", .. } => " (--kernel, --jitter J, --ridge R)",
        FitError::Ones { .. } => " (--kernel, --arithmetic f64, --jitter J, --ridge R)",
        FitError::Identity { .. } => " (--kernel, --degenerate)",
        FitError::Overflow { arithmetic: "f32", .. } => " (--arithmetic f64)",
        FitError::Checkpoint(_) => " (--no-checkpoint)",
        FitError::Memory { .. } => {
            " (--arithmetic f32 takes half of the matrix, --centres N needs none)"
        }
        _ => "",
    }
}

/// The same for exports.
fn export_hint(error: &InterchangeError) -> &'static str {
    match error {
        InterchangeError::Rounds { .. } => " (--round)",
        _ => "",
    }
}

/// The same for training.
fn train_hint(error: &RunError) -> &'static str {
    match error {
        RunError::Resume { source, .. } if matches!(**source, TrainError::NoVelocities) => {
            " (--init FILE starts from them)"
        }
        _ => "",
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

impl CliError {
    /// An error about a sample.
    pub fn sample(text: &str, source: SampleError) -> CliError {
        CliError::Sample { text: text.to_owned(), source: Box::new(source) }
    }

    /// An error about a file, for `map_err`.
    pub fn at(file: &Path) -> impl FnOnce(io::Error) -> CliError + '_ {
        move |source| CliError::File { file: file.to_owned(), source }
    }

    /// The error of training, if it is one.
    fn of_training(&self) -> Option<&TrainError> {
        match self {
            CliError::Train(error) => match error.as_ref() {
                RunError::Train(error) => Some(error),
                RunError::Resume { source, .. } => Some(source),
                _ => None,
            },
            _ => None,
        }
    }

    /// The exit status that stands for it.
    pub fn status(&self) -> u8 {
        match (self, self.of_training()) {
            (CliError::TestSplit(error), _) => error.status(),
            (_, Some(TrainError::Diverged { .. })) => 3,
            (CliError::NoDevice(_), _) => 4,
            (CliError::Interrupted(_), _) => 130,
            (CliError::Regression { source: RegressionError::Diverged { .. }, .. }, _) => 3,
            _ => 2,
        }
    }

    /// In words that are fit for a terminal, and no longer than they can be read.
    pub fn text(&self) -> String {
        let text = self.to_string();
        visible::shortened(match self {
            #[cfg(feature = "claims")]
            CliError::Listed(_) => visible::lines(&text),
            _ => visible::line(&text),
        })
    }

    /// Whether a device had not the memory that was needed.
    pub fn wants_memory(&self) -> bool {
        matches!(
            self.of_training(),
            Some(TrainError::Device(DeviceError::Memory { .. } | DeviceError::Full { .. }))
        )
    }

    /// As `--json` prints it.
    pub fn failure(&self) -> Failure {
        let (kind, place) = (self.kind(), self.place());
        Failure { kind, message: self.text(), status: self.status(), place }
    }

    /// What is at fault.
    fn kind(&self) -> &'static str {
        match self {
            CliError::Sample { .. } => "sample",
            CliError::TestSplit(error) => error.kind(),
            CliError::Construct(_) | CliError::Refused { .. } => "construction",
            CliError::Solver(_) => "solver",
            CliError::File { .. } => "file",
            CliError::Load(_) => "network",
            CliError::Interchange { .. } => "export",
            CliError::Judge { .. } => "judge",
            CliError::Kernel(_) | CliError::KernelModel(_) => "kernel",
            CliError::Features(_) => "features",
            CliError::Measure(_) => "measure",
            CliError::Train(_) => match self.of_training() {
                Some(TrainError::Diverged { .. }) => "diverged",
                _ => "training",
            },
            CliError::NoDevice(_) => "device",
            CliError::Memory(_) => "memory",
            CliError::Interrupted(_) => "interrupted",
            CliError::Regression { source, .. } => match source {
                RegressionError::Diverged { .. } => "diverged",
                RegressionError::Decay(_)
                | RegressionError::Step(_)
                | RegressionError::Momentum(_) => "usage",
                _ => "sample",
            },
            CliError::Undecided(_) => "undecided",
            CliError::Usage(_) => "usage",
            #[cfg(feature = "claims")]
            CliError::Listed(_) => "usage",
            CliError::Verify(_) => "verification",
            CliError::Figure(_) => "figure",
            CliError::Json(_) | CliError::Output(_) => "output",
        }
    }

    /// Where it is, as far as that is known.
    fn place(&self) -> Place {
        match self {
            CliError::Sample { source, .. } => of_sample(source),
            CliError::TestSplit(error) => error.place(),
            CliError::Regression { source: RegressionError::Range { row, .. }, .. } => {
                Place::points(&[*row])
            }
            CliError::Construct(source)
            | CliError::Refused { source, .. }
            | CliError::Solver(SolverError::Construct(source)) => of_construction(source),
            CliError::File { file, .. }
            | CliError::Interchange { file, .. }
            | CliError::Judge { file, .. } => Place::file(file),
            CliError::Load(source) => of_network(source),
            CliError::Kernel(source) => match **source {
                FitError::Inconsistent { first, second, .. } => Place::points(&[first, second]),
                FitError::Diagonal { point, .. } => Place::points(&[point]),
                _ => Place::default(),
            },
            CliError::KernelModel(ModelError::Class { point, .. })
            | CliError::Measure(
                MeasureError::NoSuchOutput { point, .. }
                | MeasureError::PointNotFinite { point, .. },
            ) => Place::points(&[*point]),
            CliError::Train(error) => match error.as_ref() {
                RunError::Train(TrainError::Sample(source)) => of_sample(source),
                RunError::Train(TrainError::Checkpoint(source)) => of_checkpoint(source),
                RunError::Resume { file, .. } | RunError::File { file, .. } => Place::file(file),
                RunError::InUse { folder } | RunError::Gone { folder } => Place::file(folder),
                _ => Place::default(),
            },
            _ => Place::default(),
        }
    }
}

fn of_sample(error: &SampleError) -> Place {
    match error {
        SampleError::Io { file, .. }
        | SampleError::IsFolder(file)
        | SampleError::NoSuchFile { folder: file, .. }
        | SampleError::Format { file, .. }
        | SampleError::Truncated { file, .. } => Place::file(file),
        SampleError::Cell { file, row, column, .. } => {
            Place { row: Some(*row), column: Some(column.clone()), ..Place::file(file) }
        }
        SampleError::Entry { file, index, .. } => {
            Place { index: index.clone(), ..Place::file(file) }
        }
        SampleError::NotFinite { index, .. } | SampleError::LabelNotFinite { index, .. } => {
            Place::points(&[*index])
        }
        SampleError::Inconsistent { first, second, .. } => Place::points(&[*first, *second]),
        _ => Place::default(),
    }
}

fn of_construction(error: &ConstructError) -> Place {
    match error {
        ConstructError::NoDirection { first, second, .. } => Place::points(&[*first, *second]),
        ConstructError::NotGeneral { hyperplane, extra } => {
            Place::points(&[&[*extra][..], hyperplane].concat())
        }
        ConstructError::Dependent { points } => Place::points(points),
        ConstructError::OffCurve { index } | ConstructError::NotPowerOfHalf { index } => {
            Place::points(&[*index])
        }
        _ => Place::default(),
    }
}

fn of_network(error: &LoadError) -> Place {
    match error {
        LoadError::Text { file, source } => Place { line: line_of(source), ..Place::file(file) },
        LoadError::Checkpoint(source) => of_checkpoint(source),
        LoadError::Io { file, .. }
        | LoadError::NotAFile { file, .. }
        | LoadError::TooLarge { file, .. }
        | LoadError::Unknown { file, .. }
        | LoadError::Content { file, .. }
        | LoadError::Architecture { file, .. }
        | LoadError::Unsaid { file, .. }
        | LoadError::Said { file, .. }
        | LoadError::Missing { file, .. }
        | LoadError::Shape { file, .. }
        | LoadError::Excess { file, .. }
        | LoadError::Layers { file, .. }
        | LoadError::Graph { file, .. } => Place::file(file),
        _ => Place::default(),
    }
}

/// Where a network file is wrong.
fn line_of(error: &ReadError) -> Option<u64> {
    match error {
        ReadError::Io { line, .. }
        | ReadError::Truncated { line, .. }
        | ReadError::LongLine { line, .. }
        | ReadError::Line { line, .. }
        | ReadError::Trailing { line }
        | ReadError::Wiring { line, .. } => Some(*line),
        _ => None,
    }
}

/// Where a certificate is wrong.
pub fn of_certificate(rejection: &Rejection) -> Place {
    match rejection {
        Rejection::Io { line, .. }
        | Rejection::Truncated { line, .. }
        | Rejection::LongLine { line, .. }
        | Rejection::Line { line, .. }
        | Rejection::Trailing { line }
        | Rejection::Wiring { line, .. } => Place { line: Some(*line), ..Place::default() },
        Rejection::Version { .. } => Place { line: Some(1), ..Place::default() },
        Rejection::Label { point } | Rejection::Misfit { point } => Place::points(&[*point]),
        _ => Place::default(),
    }
}

fn of_checkpoint(error: &CheckpointError) -> Place {
    match error {
        CheckpointError::Io { file, .. }
        | CheckpointError::Format { file, .. }
        | CheckpointError::Metadata { file, .. }
        | CheckpointError::Architecture { file, .. }
        | CheckpointError::Missing { file, .. }
        | CheckpointError::Shape { file, .. }
        | CheckpointError::Unknown { file, .. }
        | CheckpointError::Type { file, .. }
        | CheckpointError::NotFinite { file, .. } => Place::file(file),
        _ => Place::default(),
    }
}
