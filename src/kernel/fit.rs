//! Fitting: K α = y for one or several labellings of the same points, with one factorisation.
//!
//! Symbols: n points, m distinct ones of them (the centres), K their kernel matrix, y one column an output, λ the ridge.
//!
//! 1. Points with the same coordinates are merged if all labellings give them the same label, and refused otherwise. Matrices that cannot have
//!    full rank, or that a sample of entries shows to be the identity or of ones up to rounding, are refused as well.
//! 2. K + λI, its lower triangle, block by block; entries are computed in binary64 and rounded to the arithmetic.
//! 3. Its Cholesky factorisation in place; α by two triangular systems.
//! 4. If the arithmetic is binary32, or jitter was added, conjugate gradients on K + λI itself, with entries recomputed in binary64 and the factor
//!    as preconditioner ([`iterate`](super::iterate)). So neither changes which system is solved.
//!
//! Cost: m² d + m³/3 operations and m²/2 numbers; [`plan`](super::plan) says more.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use shatter_exact::Element;
use shatter_linear::checkpoint::{Checkpoint, CheckpointError};
use shatter_linear::cholesky::{self, CholeskyError, Ended};
use shatter_linear::condition::condition;
use shatter_linear::packed::{OutOfMemory, Packed};
use shatter_sample::Labels;

use super::blocks::Blocks;
use super::features::{Features, FeaturesError};
use super::iterate::{Iterated, Stop, conjugate_gradients};
use super::kernel::{Kernel, KernelError};
use super::model::{Meaning, Model, Origin, targets};
use super::nystrom::Nystrom;
use super::plan::{ITERATIONS, REFINEMENTS};
use super::sampled::{self, Sampled};
use super::watch::{Counter, Phase, Progress, Stopped, Watch};

/// The numbers that the factorisation computes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// Binary32: half the memory and time; solutions are refined to those of binary64.
    F32,
    /// Binary64.
    F64,
}

impl Arithmetic {
    /// `f32` or `f64`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Arithmetic::F32 => "f32",
            Arithmetic::F64 => "f64",
        }
    }

    /// Unit roundoff.
    fn unit(self) -> f64 {
        match self {
            Arithmetic::F32 => f64::from(f32::EPSILON) / 2.0,
            Arithmetic::F64 => f64::EPSILON / 2.0,
        }
    }

    fn bytes(self, n: usize) -> u64 {
        match self {
            Arithmetic::F32 => Packed::<f32>::bytes(n),
            Arithmetic::F64 => Packed::<f64>::bytes(n),
        }
    }
}

/// How the system is solved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Solver {
    /// A factorisation in memory.
    Cholesky,
    /// Conjugate gradients with a Nyström preconditioner; entries are recomputed for each product.
    ConjugateGradients {
        /// Centres of the preconditioner.
        centres: usize,
        /// Relative residual at which a column is done.
        tolerance: f64,
        /// Products with K, at most.
        most: usize,
        /// Seed of the choice of centres.
        seed: u64,
    },
}

/// Where a factorisation is kept, so that a killed run continues with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpointing {
    /// The file; with jitter, a file beside it for each try. It stays when the fit is done. A fit goes on without it if it can no longer be
    /// written, on a disk that others have filled ([`Report::unkept`]).
    pub path: PathBuf,
    /// Time between two writes.
    pub every: Duration,
}

/// How to fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The kernel.
    pub kernel: Kernel,
    /// The numbers of the factorisation.
    pub arithmetic: Arithmetic,
    /// λ, added to the diagonal: the model then does not interpolate.
    pub ridge: f64,
    /// Added to the diagonal of what is factored, ten times as much at each further try, where no factor exists without. What is solved stays
    /// K + λI, by refinement.
    pub jitter: Option<f64>,
    /// Most products of the refinement; by default 100 where the factor is in binary32 or has jitter, and none otherwise.
    pub refine: Option<usize>,
    /// The way of solving.
    pub solver: Solver,
    /// Fits matrices that are the identity or of ones up to rounding, too.
    pub degenerate: bool,
    /// Bytes that may be taken; `None` where that is not known.
    pub memory: Option<u64>,
    /// Where the factorisation is kept.
    pub checkpoint: Option<Checkpointing>,
    /// Where models come from.
    pub origin: Origin,
}

impl Settings {
    /// Cholesky in binary64, with neither ridge nor jitter.
    #[must_use]
    pub fn new(kernel: Kernel) -> Settings {
        Settings {
            kernel,
            arithmetic: Arithmetic::F64,
            ridge: 0.0,
            jitter: None,
            refine: None,
            solver: Solver::Cholesky,
            degenerate: false,
            memory: None,
            checkpoint: None,
            origin: Origin::default(),
        }
    }
}

/// Why there is no fit.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FitError {
    /// A parameter of the kernel.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// Features that do not suit.
    #[error(transparent)]
    Features(#[from] FeaturesError),
    /// The watcher stopped the computation.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// No labelling.
    #[error("there are no labels to fit")]
    NoLabels,
    /// Not one label a point.
    #[error("labelling {labelling} has {labels} labels for {points} points; expected one a point")]
    Labels {
        /// Which labelling, from 0.
        labelling: usize,
        /// How many points.
        points: usize,
        /// How many labels.
        labels: usize,
    },
    /// Only one class: no output can be larger than another.
    #[error(
        "labelling {labelling} has one class only, '{class}', which a constant fits; expected two or more"
    )]
    OneClass {
        /// Which labelling, from 0.
        labelling: usize,
        /// The class.
        class: String,
    },
    /// Equal points with different labels: no function fits them.
    #[error(
        "points {first} and {second} have the same features, and labels {first_label} and {second_label} in labelling \
         {labelling}: no function fits both"
    )]
    Inconsistent {
        /// The earlier point.
        first: usize,
        /// The later point.
        second: usize,
        /// Which labelling, from 0.
        labelling: usize,
        /// Label of the earlier.
        first_label: String,
        /// Label of the later.
        second_label: String,
    },
    /// The kernel has not enough functions.
    #[error(
        "{n} distinct points need a matrix of rank {n}, and that of kernel {kernel} on points of {d} coordinates has at most rank {rank}; \
         take fewer points, another kernel, or a ridge"
    )]
    Rank {
        /// Distinct points.
        n: usize,
        /// Coordinates.
        d: usize,
        /// Largest rank.
        rank: u64,
        /// The kernel.
        kernel: Kernel,
    },
    /// The matrix is of ones, up to rounding.
    #[error(
        "kernel {kernel} is at least {least} for all pairs among {points} sampled points: a matrix of {n} points with such entries is of ones up to \
         rounding in {arithmetic}, which is singular; take a larger gamma, or a ridge"
    )]
    Ones {
        /// The kernel.
        kernel: Kernel,
        /// Least entry of the sample.
        least: f64,
        /// Points of the sample.
        points: usize,
        /// The arithmetic.
        arithmetic: &'static str,
        /// Distinct points.
        n: usize,
    },
    /// The matrix is the identity, up to rounding.
    #[error(
        "kernel {kernel} is at most {most:.1e} for all pairs among {points} sampled points: a matrix of {n} points with such entries is the identity up \
         to rounding in {arithmetic}, and the interpolant is 0 away from them; take a smaller gamma"
    )]
    Identity {
        /// The kernel.
        kernel: Kernel,
        /// Largest entry of the sample.
        most: f64,
        /// Points of the sample.
        points: usize,
        /// The arithmetic.
        arithmetic: &'static str,
        /// Distinct points.
        n: usize,
    },
    /// Entries overflow, or a point's entry with itself is 0.
    #[error("kernel {kernel} of point {point} with itself is {value}; expected a positive number")]
    Diagonal {
        /// The kernel.
        kernel: Kernel,
        /// The point.
        point: usize,
        /// The entry.
        value: f64,
    },
    /// More memory than there is.
    #[error("the fit needs about {bytes} bytes{}", available.map_or(String::new(), |bytes| format!(", and {bytes} may be taken")))]
    Memory {
        /// Bytes.
        bytes: u64,
        /// Bytes that may be taken.
        available: Option<u64>,
    },
    /// The file of the factorisation.
    #[error("{0}")]
    Checkpoint(String),
    /// No factor: the matrix is singular, or nearly.
    #[error(
        "{error}; its points are distinct, so the matrix is singular{}",
        advice(kernel, arithmetic)
    )]
    Singular {
        /// What happened.
        error: CholeskyError,
        /// The kernel.
        kernel: Kernel,
        /// The arithmetic.
        arithmetic: &'static str,
    },
    /// A number beyond the range of the arithmetic.
    #[error(
        "{error}: entries of kernel {kernel} are beyond the range of {arithmetic}; scale the points{}",
        if *arithmetic == "f32" { ", or take f64" } else { "" }
    )]
    Overflow {
        /// What happened.
        error: CholeskyError,
        /// The kernel.
        kernel: Kernel,
        /// The arithmetic.
        arithmetic: &'static str,
    },
    /// A setting outside its range.
    #[error("{setting} is {value}; expected {expected}")]
    Setting {
        /// Which.
        setting: &'static str,
        /// What it is.
        value: f64,
        /// The range.
        expected: &'static str,
    },
}

impl From<OutOfMemory> for FitError {
    fn from(error: OutOfMemory) -> FitError {
        FitError::Memory { bytes: error.bytes, available: None }
    }
}

impl FitError {
    /// Of a factorisation that came to no end.
    pub(crate) fn of(error: CholeskyError, kernel: Kernel, arithmetic: &'static str) -> FitError {
        match error {
            CholeskyError::NotPositive { .. } => FitError::Singular { error, kernel, arithmetic },
            _ => FitError::Overflow { error, kernel, arithmetic },
        }
    }
}

/// What makes a matrix of distinct points regular.
fn advice(kernel: &Kernel, arithmetic: &str) -> String {
    let wider = if arithmetic == "f32" { "f64, " } else { "" };
    let rounding = format!(" up to rounding in {arithmetic}");
    match kernel {
        Kernel::ArcCosine0 => {
            ": it is where two points lie on one ray from zero, and up to rounding where nearly; take another kernel, jitter or a ridge".into()
        }
        Kernel::ArcCosine1 | Kernel::Linear | Kernel::Polynomial { .. } => {
            format!("{rounding}, or there is a linear relation between the kernel's functions of its points (as of two on one ray from zero); take {wider}another kernel, jitter or a ridge")
        }
        Kernel::Gaussian { .. } | Kernel::Laplacian { .. } | Kernel::Rational { .. } => {
            format!("{rounding}: take a larger gamma, {wider}jitter or a ridge")
        }
    }
}

impl From<CheckpointError> for FitError {
    fn from(error: CheckpointError) -> FitError {
        FitError::Checkpoint(error.to_string())
    }
}

/// Norms of an interpolant.
#[derive(Clone, Debug, PartialEq)]
pub struct Norms {
    /// √(Σ_c α_cᵀ K α_c): the norm in the kernel's space of functions, all outputs together.
    pub total: f64,
    /// √(α_cᵀ K α_c) of each output.
    pub outputs: Vec<f64>,
    /// √(Σ_c |α_c|²).
    pub coefficients: f64,
    /// √(Σ α_cᵀ K α_c) of the outputs less their mean over the outputs: what the classes differ by.
    pub centred: f64,
}

/// What a fit did.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Pairs (dropped, kept) of points with the same features and labels.
    pub merged: Vec<(u32, u32)>,
    /// What a sample of entries was like.
    pub sampled: Sampled,
    /// Jitter in what was factored, 0 for none.
    pub jitter: f64,
    /// Products with K of the refinement or the iterative solver.
    pub products: usize,
    /// The largest entry of |y − (K + λI) α| where it was computed.
    pub residual: Option<f64>,
    /// The refinement or the iterative solver went as far as was asked.
    pub converged: bool,
    /// An estimate of the condition number of K + λI, from below, of the matrix that was factored.
    pub condition: Option<f64>,
    /// Norms of each labelling's interpolant.
    pub norms: Vec<Norms>,
    /// Seconds of each phase.
    pub seconds: Vec<(Phase, f64)>,
    /// Bytes of the factor, or of the preconditioner.
    pub bytes: u64,
    /// Columns of the factor that a checkpoint had.
    pub restored: usize,
    /// Why the checkpoint was given up, if it was.
    pub unkept: Option<String>,
}

/// Models, one a labelling.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// In the order of the labellings.
    pub models: Vec<Model>,
    /// What was done.
    pub report: Report,
}

/// Fits each of the labellings of the points, all with one factorisation.
///
/// ```
/// use shatter_kernel::{Features, Numbers, Settings, fit, unwatched};
/// use shatter_sample::Labels;
/// let points = Features::new(Numbers::F64(vec![0.0, 1.0, 3.0]), 1, 1.0)?;
/// let labels = Labels::real(vec![1.0, -1.0, 2.0], 1)?;
/// let settings = Settings::new("laplacian:gamma=1".parse()?);
/// let fitted = fit(&points, &[&labels], &settings, &mut unwatched)?;
/// let outputs = fitted.models[0].predict(&points, false, &mut unwatched)?;
/// assert!((outputs.values[2] - 2.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`FitError`].
pub fn fit(
    points: &Features,
    labellings: &[&Labels],
    settings: &Settings,
    watch: &mut Watch,
) -> Result<Fitted, FitError> {
    let kernel = settings.kernel;
    suits((points.rows(), points.columns()), labellings, settings)?;
    let merged = merged(points, labellings)?;
    let kept: Vec<u32> = kept(points.rows(), &merged);
    let centres = match merged.is_empty() {
        true => points.clone(),
        false => points.select(&kept)?,
    };
    let blocks = Blocks::symmetric(kernel, &centres);
    let n = centres.rows();
    let sampled = diagnosed(&blocks, settings)?;

    let meanings: Vec<Meaning> = labellings.iter().map(|labels| Meaning::of(labels)).collect();
    let columns: usize = meanings.iter().map(Meaning::outputs).sum();
    let mut right = vec![0.0; n * columns];
    let mut first = 0;
    for (labels, meaning) in labellings.iter().zip(&meanings) {
        let width = meaning.outputs();
        let of = targets(labels);
        for (row, &i) in right.chunks_exact_mut(columns).zip(&kept) {
            row[first..first + width].copy_from_slice(&of[i as usize * width..][..width]);
        }
        first += width;
    }

    let mut report = Report {
        merged,
        sampled,
        jitter: 0.0,
        products: 0,
        residual: None,
        converged: true,
        condition: None,
        norms: Vec::new(),
        seconds: Vec::new(),
        bytes: 0,
        restored: 0,
        unkept: None,
    };
    let Solved { solution, residual } = match (settings.solver, settings.arithmetic) {
        (Solver::Cholesky, Arithmetic::F32) => {
            direct::<f32>(&blocks, &right, columns, settings, &mut report, watch)?
        }
        (Solver::Cholesky, Arithmetic::F64) => {
            direct::<f64>(&blocks, &right, columns, settings, &mut report, watch)?
        }
        (Solver::ConjugateGradients { .. }, _) => {
            iterative(&blocks, &right, columns, settings, &mut report, watch)?
        }
    };

    let mut models = Vec::new();
    let mut first = 0;
    for meaning in meanings {
        let width = meaning.outputs();
        let of_model = |of: &[f64]| -> Vec<f64> {
            of.chunks_exact(columns).flat_map(|row| &row[first..first + width]).copied().collect()
        };
        let coefficients = of_model(&solution);
        // (K + λI) α = y − r, where r was computed.
        let mut reached = of_model(&right);
        if let Some(residual) = &residual {
            reached.iter_mut().zip(of_model(residual)).for_each(|(y, r)| *y -= r);
        }
        report.norms.push(norms(&coefficients, &reached, width, settings.ridge));
        let (centres, origin) = (centres.clone(), settings.origin.clone());
        models.push(Model { kernel, centres, coefficients, meaning, origin });
        first += width;
    }
    Ok(Fitted { models, report })
}

/// Refuses what n points of d coordinates tell before they are there: settings outside their range, labels that do not suit, a kernel
/// of too small a rank for n distinct points.
///
/// # Errors
/// [`FitError`].
pub fn suits(
    (n, d): (usize, usize),
    labellings: &[&Labels],
    settings: &Settings,
) -> Result<(), FitError> {
    settings.kernel.checked()?;
    checked(settings)?;
    labels_suit(n, labellings)
        .and_then(|()| if settings.ridge > 0.0 { Ok(()) } else { rank(settings.kernel, n, d) })
}

/// Refuses a kernel whose matrix of n points cannot have full rank.
fn rank(kernel: Kernel, n: usize, d: usize) -> Result<(), FitError> {
    match kernel.largest_rank(d).filter(|&rank| rank < n as u64) {
        Some(rank) => Err(FitError::Rank { n, d, rank, kernel }),
        None => Ok(()),
    }
}

fn checked(settings: &Settings) -> Result<(), FitError> {
    let in_range = |setting, value: f64| {
        let expected = "a finite number that is not negative";
        match value >= 0.0 && value.is_finite() {
            true => Ok(()),
            false => Err(FitError::Setting { setting, value, expected }),
        }
    };
    in_range("the ridge", settings.ridge)?;
    in_range("the jitter", settings.jitter.unwrap_or(0.0))?;
    match settings.solver {
        Solver::Cholesky => Ok(()),
        Solver::ConjugateGradients { tolerance, .. } => in_range("the tolerance", tolerance),
    }
}

fn labels_suit(points: usize, labellings: &[&Labels]) -> Result<(), FitError> {
    if labellings.is_empty() {
        return Err(FitError::NoLabels);
    }
    for (labelling, labels) in labellings.iter().enumerate() {
        if labels.len() != points {
            return Err(FitError::Labels { labelling, points, labels: labels.len() });
        }
        if let Labels::Classes { count: 0 | 1, .. } = labels {
            return Err(FitError::OneClass { labelling, class: labels.name(0).into_owned() });
        }
    }
    Ok(())
}

/// Pairs (dropped, kept) of points with the same features.
fn merged(points: &Features, labellings: &[&Labels]) -> Result<Vec<(u32, u32)>, FitError> {
    let merged = points.equal_rows();
    for &(dropped, kept) in &merged {
        let (first, second) = (kept as usize, dropped as usize);
        for (labelling, labels) in labellings.iter().enumerate() {
            if !labels.agree(first, second) {
                return Err(FitError::Inconsistent {
                    first,
                    second,
                    labelling,
                    first_label: labels.describe(first),
                    second_label: labels.describe(second),
                });
            }
        }
    }
    Ok(merged)
}

fn kept(n: usize, merged: &[(u32, u32)]) -> Vec<u32> {
    let mut dropped = merged.iter().map(|pair| pair.0).peekable();
    (0..n as u32).filter(|i| dropped.next_if_eq(i).is_none()).collect()
}

/// Refuses what cannot be fitted, or only after hours of work for nothing.
fn diagnosed(blocks: &Blocks, settings: &Settings) -> Result<Sampled, FitError> {
    let (n, kernel) = (blocks.points().rows(), blocks.kernel());
    let shifted = settings.ridge > 0.0 || settings.jitter.is_some();
    let sampled = sampled::sampled(blocks);
    let suits = |i: &usize| {
        let entry = blocks.diagonal(*i);
        entry.is_finite() && (entry > 0.0 || (shifted && entry == 0.0))
    };
    if let Some(point) = (0..n).find(|i| !suits(i)) {
        return Err(FitError::Diagonal { kernel, point, value: blocks.diagonal(point) });
    }
    let (arithmetic, u) = match settings.solver {
        Solver::Cholesky => (settings.arithmetic.name(), settings.arithmetic.unit()),
        Solver::ConjugateGradients { .. } => ("f64", f64::EPSILON / 2.0),
    };
    let Sampled { points, least, most, .. } = sampled;
    if kernel.is_radial() && points > 1 && !settings.degenerate {
        if 1.0 - least <= n as f64 * u && !shifted {
            return Err(FitError::Ones { kernel, least, points, arithmetic, n });
        }
        if n as f64 * most <= u {
            return Err(FitError::Identity { kernel, most, points, arithmetic, n });
        }
    }
    Ok(sampled)
}

/// Refuses more memory than may be taken.
fn afforded(bytes: u64, settings: &Settings) -> Result<(), FitError> {
    match settings.memory {
        Some(available) if bytes > available => {
            Err(FitError::Memory { bytes, available: Some(available) })
        }
        _ => Ok(()),
    }
}

/// Rounds of the estimates of the outermost eigenvalues.
const ROUNDS: usize = 12;

/// Fills `matrix` with K + (λ + jitter) I and factors it, with what an earlier run has kept.
fn factored<E: Element>(
    blocks: &Blocks,
    matrix: &mut Packed<E>,
    jitter: f64,
    tries: usize,
    settings: &Settings,
    report: &mut Report,
    watch: &mut Watch,
) -> Result<(), FitError> {
    let shift = settings.ridge + jitter;
    let mut kept = match &settings.checkpoint {
        None => None,
        Some(checkpointing) => {
            let mut path = checkpointing.path.clone();
            if tries > 0 {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                path.set_file_name(format!("{name}.jitter{tries}"));
            }
            let of = Sha256::new()
                .chain_update(format!("{} + {shift:e} I of {}\n", blocks.kernel(), E::NAME))
                .chain_update(blocks.points().digest())
                .finalize();
            Some((Checkpoint::open(&path, matrix, of.into())?, checkpointing.every))
        }
    };
    let from = kept.as_ref().map_or(0, |(kept, _)| kept.columns());
    report.restored = (from * matrix.block()).min(matrix.n());
    let start = Instant::now();
    blocks.gram(matrix, from, shift, watch)?;
    spent(report, Phase::Matrix, start);
    let start = Instant::now();
    let mut written = Instant::now();
    let mut unkept = None;
    let ended = cholesky::factor(matrix, from, |matrix, progress| {
        // In thousands of operations, so that 64 bits do.
        let (done, total) = ((progress.work / 1e3) as u64, (progress.total / 1e3) as u64);
        let go_on = watch(Progress { phase: Phase::Factor, done, total });
        let last = go_on.is_break() || progress.columns == progress.of;
        if let Some((file, _)) =
            kept.as_mut().filter(|(_, every)| last || written.elapsed() >= *every)
        {
            // Hours of work are worth more than the file that would save them.
            if let Err(error) = file.append(matrix, progress.columns) {
                unkept = Some(error.to_string());
                kept = None;
            }
            written = Instant::now();
        }
        go_on
    });
    report.unkept = unkept;
    spent(report, Phase::Factor, start);
    match ended {
        Ok(Ended::Whole) => Ok(()),
        Ok(Ended::Stopped { .. }) => Err(Stopped.into()),
        Err(error) => Err(FitError::of(error, blocks.kernel(), settings.arithmetic.name())),
    }
}

/// By a factorisation.
fn direct<E: Element>(
    blocks: &Blocks,
    right: &[f64],
    columns: usize,
    settings: &Settings,
    report: &mut Report,
    watch: &mut Watch,
) -> Result<Solved, FitError> {
    let n = blocks.points().rows();
    report.bytes = settings.arithmetic.bytes(n);
    let vectors = (n as u64).saturating_mul(columns as u64).saturating_mul(8 * 6);
    afforded(report.bytes.saturating_add(vectors), settings)?;
    let mut matrix = Packed::<E>::zeros(n)?;
    let mut jitter = 0.0;
    let mut tries = 0;
    loop {
        match factored(blocks, &mut matrix, jitter, tries, settings, report, watch) {
            Ok(()) => break,
            Err(FitError::Singular { error, kernel, arithmetic }) => {
                let asked = settings.jitter.filter(|&jitter| jitter > 0.0);
                let more = asked.map(|least| least * 10f64.powi(tries as i32));
                let most = report.sampled.most_diagonal;
                let Some(more) = more.filter(|&more| more <= most) else {
                    return Err(FitError::Singular { error, kernel, arithmetic });
                };
                (jitter, tries) = (more, tries + 1);
            }
            Err(error) => return Err(error),
        }
    }
    report.jitter = jitter;
    let start = Instant::now();
    let mut rounds = Counter::new(watch, Phase::Condition, 2 * ROUNDS as u64);
    let outermost = condition(&matrix, ROUNDS, &mut || rounds.add(1))?;
    report.condition = outermost.map(|found| found.number());
    let size = outermost.map_or(0.0, |found| found.largest);
    spent(report, Phase::Condition, start);
    let solved = |right: &[f64]| -> Vec<f64> {
        // Each column at most 1 in absolute value, so that binary32 neither overflows nor loses it.
        let mut sizes = vec![0.0; columns];
        for row in right.chunks_exact(columns) {
            sizes.iter_mut().zip(row).for_each(|(size, x)| *size = f64::max(*size, x.abs()));
        }
        sizes.iter_mut().for_each(|size| *size = if *size > 0.0 { *size } else { 1.0 });
        let scaled = right.chunks_exact(columns).flat_map(|row| row.iter().zip(&sizes));
        let mut x: Vec<E> = scaled.map(|(x, size)| E::of(x / size)).collect();
        cholesky::solve(&matrix, &mut x, columns);
        let rows = x.chunks_exact(columns).flat_map(|row| row.iter().zip(&sizes));
        rows.map(|(x, size)| Element::to_f64(*x) * size).collect()
    };
    let start = Instant::now();
    Counter::new(watch, Phase::Solve, 1).add(0)?;
    let solution = solved(right);
    Counter::new(watch, Phase::Solve, 1).add(1)?;
    spent(report, Phase::Solve, start);
    let rough = jitter > 0.0 || settings.arithmetic == Arithmetic::F32;
    let most = settings.refine.unwrap_or(if rough { 100 } else { 0 });
    if most == 0 {
        report.converged = !rough;
        return Ok(Solved { solution, residual: None });
    }
    let stop = Stop { tolerance: 0.0, most, size };
    iterated(blocks, right, solution, columns, settings, stop, solved, report, watch)
}

/// By iterations alone.
fn iterative(
    blocks: &Blocks,
    right: &[f64],
    columns: usize,
    settings: &Settings,
    report: &mut Report,
    watch: &mut Watch,
) -> Result<Solved, FitError> {
    let Solver::ConjugateGradients { centres, tolerance, most, seed } = settings.solver else {
        return Ok(Solved { solution: Vec::new(), residual: None });
    };
    let n = blocks.points().rows();
    let s = centres.clamp(1, n) as u64;
    report.bytes = (n as u64).saturating_mul(s).saturating_add(s * s * 3).saturating_mul(8);
    let vectors = (n as u64).saturating_mul(columns as u64).saturating_mul(8 * 8);
    afforded(report.bytes.saturating_add(vectors), settings)?;
    let start = Instant::now();
    Counter::new(watch, Phase::Factor, 1).add(0)?;
    let nystrom = Nystrom::new(blocks, n, s as usize, settings.ridge, seed)?;
    Counter::new(watch, Phase::Factor, 1).add(1)?;
    spent(report, Phase::Factor, start);
    let stop = Stop { tolerance, most, size: nystrom.size() };
    let inverse = |r: &[f64]| nystrom.inverse(r, columns);
    let start = vec![0.0; right.len()];
    iterated(blocks, right, start, columns, settings, stop, inverse, report, watch)
}

#[allow(clippy::too_many_arguments)] // one system, and how it is solved
fn iterated(
    blocks: &Blocks,
    right: &[f64],
    start: Vec<f64>,
    columns: usize,
    settings: &Settings,
    stop: Stop,
    inverse: impl Fn(&[f64]) -> Vec<f64>,
    report: &mut Report,
    watch: &mut Watch,
) -> Result<Solved, FitError> {
    let since = Instant::now();
    // How many there will be is not known: as many as are planned.
    let expected = match settings.solver {
        Solver::Cholesky => REFINEMENTS,
        Solver::ConjugateGradients { .. } => ITERATIONS,
    };
    let total = blocks.work().saturating_mul(stop.most.min(expected) as u64);
    let mut done = Counter::new(watch, Phase::Iterate, total);
    let multiplied = |x: &[f64]| -> Result<Vec<f64>, Stopped> {
        let mut product = blocks.times(x, columns, false, &mut done)?.values;
        product.iter_mut().zip(x).for_each(|(product, x)| *product += settings.ridge * x);
        Ok(product)
    };
    let Iterated { solution, residual, products, converged } =
        conjugate_gradients(multiplied, inverse, right, start, columns, stop)?;
    report.products = products;
    report.converged = converged;
    report.residual =
        Some(residual.iter().fold(0.0, |most, r| if r.abs() <= most { most } else { r.abs() }));
    spent(report, Phase::Iterate, since);
    Ok(Solved { solution, residual: Some(residual) })
}

fn spent(report: &mut Report, phase: Phase, since: Instant) {
    report.seconds.push((phase, since.elapsed().as_secs_f64()));
}

/// α, and y − (K + λI) α where it was computed, n × columns.
struct Solved {
    solution: Vec<f64>,
    residual: Option<Vec<f64>>,
}

/// Norms, from (K + λI) α = y: α_cᵀ K α_c = α_cᵀ y_c − λ |α_c|².
fn norms(coefficients: &[f64], targets: &[f64], width: usize, ridge: f64) -> Norms {
    let mut squares = vec![0.0; width];
    let (mut size, mut centred) = (0.0, 0.0);
    for (a, y) in coefficients.chunks_exact(width).zip(targets.chunks_exact(width)) {
        let mean = |of: &[f64]| of.iter().sum::<f64>() / width as f64;
        let (mean_a, mean_y) = (mean(a), mean(y));
        for ((square, &a), &y) in squares.iter_mut().zip(a).zip(y) {
            *square += a * (y - ridge * a);
            size += a * a;
            let (a, y) = (a - mean_a, y - mean_y);
            centred += a * (y - ridge * a);
        }
    }
    let root = |x: f64| f64::max(x, 0.0).sqrt();
    Norms {
        total: root(squares.iter().sum()),
        outputs: squares.iter().copied().map(root).collect(),
        coefficients: size.sqrt(),
        centred: root(centred),
    }
}
