//! One fit: plan, factorisation, certificates, tests.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use shatter_feature::FeatureChoice;
use shatter_figure::paper;
use shatter_kernel::exact::ExactError;
use shatter_kernel::plan::{Planned, Speed, plan};
use shatter_kernel::{
    Arithmetic, Checkpointing, Features, FitError, Fitted, Kernel, Meaning, Model, Origin, Phase,
    Progress, Settings, Solver, certificate, certify, exact, file, fit, suits,
};
use shatter_linear::Square;
use shatter_linear::decomposition::symmetric;
use shatter_record::AtomicFile;
use shatter_sample::fingerprint::{fingerprint, fingerprint_labelled};
use shatter_sample::{LabelRule, Labels, RawSample, Sample, Values};

use crate::output::{print, timed};
use crate::{CliError, memory, training, write};

use super::points::{self as seen, Prepared, Seen, samples};
use super::record::{
    ExactRecord, KernelRecord, Labelling, PaperRecord, PhaseRecord, PlanRecord, Validated, Verdicts,
};
use super::{Job, RECORD, file_name, text};

/// Most points of a spectrum: its cost is that of all eigenvalues of a dense matrix.
const MOST_EIGENVALUES: usize = 4000;

/// File of a factorisation that is not complete, in the folder of its results.
const CHECKPOINT: &str = "factor.checkpoint";

/// Fits that are expected to take less have no checkpoint unless one is asked for: seconds.
const KEPT: f64 = 60.0;

/// Residual of conjugate gradients in relation to the labels, at most: far below what a margin of the order 1 needs.
const RESIDUAL: f64 = 1e-6;

/// Products with the matrix that conjugate gradients may take.
const PRODUCTS: usize = 1000;

/// Seconds between two checkpoints, unless others are asked for.
const EVERY: f64 = 300.0;

/// A bar on the terminal with the time that is left; nothing elsewhere. Interrupts are left to it.
struct Bar {
    bar: ProgressBar,
    phase: Option<Phase>,
    begun: Instant,
}

impl Bar {
    fn start(name: &str) -> Bar {
        training::begin();
        let bar = ProgressBar::new(1);
        bar.set_draw_target(ProgressDrawTarget::stderr()); // hidden when not a terminal
        if let Ok(style) = ProgressStyle::with_template(
            "{prefix} {bar:24} {msg}  {elapsed}, {eta} to go in this part",
        ) {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_owned());
        Bar { bar, phase: None, begun: Instant::now() }
    }

    fn say(&self, message: impl Into<String>) {
        self.bar.set_message(message.into());
    }

    fn see(&mut self, progress: Progress) -> ControlFlow<()> {
        if self.phase.replace(progress.phase) != Some(progress.phase) {
            self.bar.reset();
            self.say(progress.phase.name());
        }
        self.bar.set_length(progress.total.max(1));
        self.bar.set_position(progress.done);
        if training::stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn took(&self) -> Duration {
        self.begun.elapsed()
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        training::end();
        self.bar.finish_and_clear();
    }
}

fn settings(job: &Job<'_>, kernel: Kernel, labels: &Labels) -> Result<Settings, CliError> {
    let residual = match labels {
        Labels::Classes { .. } => RESIDUAL,
        // Half of what a label may be off by, if all of the residual were at one point.
        Labels::Real { values, .. } => {
            let size = values.iter().map(|y| y * y).sum::<f64>().sqrt();
            f64::min(RESIDUAL, 0.5 * job.options.tolerance / f64::max(size, f64::MIN_POSITIVE))
        }
    };
    Ok(Settings {
        arithmetic: job.options.arithmetic.into(),
        ridge: job.ridge,
        jitter: job.options.jitter,
        memory: memory::left()?,
        degenerate: job.options.degenerate,
        solver: match job.options.centres {
            0 => Solver::Cholesky,
            centres => Solver::ConjugateGradients {
                centres,
                tolerance: residual,
                most: PRODUCTS,
                seed: job.seed,
            },
        },
        ..Settings::new(kernel)
    })
}

/// Fits as the job says, and writes models and certificates to `out`; `None` where only a plan is asked for.
pub fn run_one(job: &Job<'_>, out: &Path) -> Result<Option<KernelRecord>, CliError> {
    check(job)?;
    let bar = Bar::start(job.sample);
    bar.say("reading the sample");
    let (labelled, test) = samples(job)?;
    let points = &labelled[0].points;
    if job.options.exact {
        for &kernel in job.kernels {
            exact::suits(kernel, points.n()).map_err(inexact)?;
        }
    }
    let columns = seen::columns(job.features, points)?;
    let mut settings = settings(job, job.kernels[0], &labelled[0].labels)?;
    let labels: Vec<&Labels> = labelled.iter().map(|sample| &sample.labels).collect();
    for &kernel in job.kernels {
        suits((points.n(), columns), &labels, &Settings { kernel, ..settings.clone() })?;
    }
    held_out(job, &labelled[0])?;
    let asked = job.options.checkpoint_every;
    let every = Duration::try_from_secs_f64(asked.unwrap_or(EVERY)).map_err(|_| {
        let found = asked.unwrap_or(EVERY);
        CliError::Usage(format!("--checkpoint-every {found:e}: expected seconds, 0 or more"))
    })?;
    let outputs = labelled.iter().map(|sample| Meaning::of(&sample.labels).outputs()).sum();
    let measured = Speed::measured();
    let mut planned = plan(points.n(), columns, outputs, &settings, measured);
    planned.phases.push(tests(&labelled, test.as_ref(), columns, outputs, measured));
    planned.phases.extend(validations(job, &labelled[0], columns, &settings, measured));
    let (phase, of_spectrum) = eigenvalues(job, measured);
    planned.phases.extend(phase);
    let bytes = planned.bytes.saturating_add(held(job, &labelled, test.as_ref())?);
    let bytes = bytes.saturating_add(of_spectrum);
    let plan = PlanRecord { bytes, seconds: planned.seconds() };
    if !job.quiet {
        bar.bar.suspend(|| print(&text::plan(job, points, &planned, bytes)))?;
    }
    if job.options.plan {
        return Ok(None);
    }
    let way_out = match (job.options.centres, settings.arithmetic) {
        (0, Arithmetic::F64) => "--arithmetic f32 takes half of the matrix, --centres N needs none",
        (0, Arithmetic::F32) => "--centres N needs no matrix",
        _ => "fewer centres take less",
    };
    memory::kernel(job.sample, bytes, way_out)?;
    let path = out.join(CHECKPOINT);
    let wanted = asked.is_some() || plan.seconds >= KEPT || path.exists();
    if wanted && !job.options.no_checkpoint && settings.solver == Solver::Cholesky {
        std::fs::create_dir_all(out).map_err(CliError::at(out))?;
        settings.checkpoint = Some(Checkpointing { path, every });
    }
    bar.say("features");
    let seen = Seen::learn(job.sample, job.features, points, job.seed)?;
    let prepared = features(labelled, test, &seen, &bar)?;
    fitted(job, prepared, settings, plan, bar, out).map(Some)
}

/// Eigenvalues of some of the points, and the bytes of their matrix and its copies.
fn eigenvalues(job: &Job<'_>, speed: Speed) -> (Option<Planned>, u64) {
    let n = job.options.spectrum as u64;
    let operations = 9.0 * (n as f64).powi(3);
    // On one thread, and memory bounds half of it.
    let seconds = 4.0 * operations / speed.double;
    let phase = Planned { phase: Phase::Spectrum, operations, seconds };
    ((n > 0).then_some(phase), n.saturating_mul(n).saturating_mul(6 * 8))
}

/// The fits to all but held-out points, one a kernel, each with its mistakes counted.
fn validations(
    job: &Job<'_>,
    sample: &Sample,
    d: usize,
    settings: &Settings,
    speed: Speed,
) -> Option<Planned> {
    let (held_out, outputs) = (job.options.validate, Meaning::of(&sample.labels).outputs());
    let fitted = sample.points.n().checked_sub(held_out).filter(|&n| n > 0 && held_out > 0)?;
    let (mut operations, mut seconds) = (0.0, 0.0);
    let pairs = fitted as f64 * held_out as f64;
    let counted = pairs * (2.0 * d as f64 + 40.0 + 2.0 * outputs as f64);
    for _ in job.kernels {
        let planned = plan(fitted, d, outputs, settings, speed);
        for phase in planned.phases.iter().filter(|phase| phase.phase != Phase::Certify) {
            operations += phase.operations;
            seconds += phase.seconds;
        }
        operations += counted;
        seconds += counted / speed.double;
    }
    Some(Planned { phase: Phase::Validate, operations, seconds })
}

/// Bytes of samples and features that are held beside a fit: of each labelling the points, features of all training
/// points, once more where some are held out, test points and their features.
fn held(job: &Job<'_>, labelled: &[Sample], test: Option<&RawSample>) -> Result<u64, CliError> {
    let points = &labelled[0].points;
    let of_sample = seen::bytes(FeatureChoice::None, points)?;
    let of_features = seen::bytes(job.features, points)?;
    let of_test = |test: &RawSample| -> Result<u64, CliError> {
        let raw = seen::bytes(FeatureChoice::None, &test.points)?;
        Ok(raw.saturating_add(seen::bytes(job.features, &test.points)?))
    };
    let test = test.map_or(Ok(0), of_test)?;
    let samples = of_sample.saturating_mul(labelled.len() as u64 + 1);
    let copies = if job.options.validate > 0 { 2 } else { 1 };
    Ok(of_features.saturating_mul(copies).saturating_add(samples).saturating_add(test))
}

/// The tests, for each labelling anew: products of d numbers and some 40 operations for an entry.
fn tests(
    labelled: &[Sample],
    test: Option<&RawSample>,
    d: usize,
    outputs: usize,
    speed: Speed,
) -> Planned {
    let pairs = labelled[0].points.n() as f64 * test.map_or(0, |test| test.points.n()) as f64;
    let entries = labelled.len() as f64 * (2.0 * d as f64 + 40.0);
    let operations = pairs * (entries + 2.0 * outputs as f64);
    Planned { phase: Phase::Predict, operations, seconds: operations / speed.double }
}

/// What no fit can be made of.
fn check(job: &Job<'_>) -> Result<(), CliError> {
    let usage = |reason: String| Err(CliError::Usage(reason));
    if job.kernels.len() > 1 && job.options.validate == 0 {
        return usage(
            "several kernels: --validate N chooses one of them on N held-out points".into(),
        );
    }
    if job.options.exact && job.ridge != 0.0 {
        return usage("--exact: with a ridge nothing is interpolated".into());
    }
    if job.options.spectrum > MOST_EIGENVALUES {
        return usage(format!(
            "--spectrum {}: expected at most {MOST_EIGENVALUES} points",
            job.options.spectrum
        ));
    }
    let tolerance = job.options.tolerance;
    if !(tolerance.is_finite() && tolerance >= 0.0) {
        return usage(format!(
            "--tolerance {tolerance}: expected a finite number that is not negative"
        ));
    }
    for (at, rule) in job.labels.iter().enumerate() {
        if job.labels[..at].contains(rule) {
            return usage(format!("--labels: '{rule}' is given twice"));
        }
    }
    Ok(())
}

fn features(
    labelled: Vec<Sample>,
    test: Option<RawSample>,
    seen: &Seen,
    bar: &Bar,
) -> Result<Prepared, CliError> {
    let say = |message| bar.say(message);
    let train_features = seen.of(&labelled[0].points, &say)?;
    let test_features = test.as_ref().map(|test| seen.of(&test.points, &say)).transpose()?;
    Ok(Prepared { labelled, test, train_features, test_features, features: seen.words() })
}

fn fitted(
    job: &Job<'_>,
    prepared: Prepared,
    mut settings: Settings,
    plan: PlanRecord,
    mut bar: Bar,
    out: &Path,
) -> Result<KernelRecord, CliError> {
    let Prepared { labelled, test, train_features, test_features, features } = prepared;
    let first = &labelled[0];
    let validated = validate(job, &settings, &train_features, &first.labels, &mut bar)?;
    if let Some(best) = best(job.kernels, &validated)? {
        settings.kernel = best;
    }
    settings.origin = Origin {
        sample: first.text.clone(),
        sample_digest: String::new(),
        labels: String::new(),
        features: features.clone(),
        preprocess: match first.points.values() {
            Values::U8(_) => "bytes divided by 255".into(),
            _ => String::new(),
        },
    };
    let kept = settings.checkpoint.is_some();
    let labels: Vec<&Labels> = labelled.iter().map(|sample| &sample.labels).collect();
    let fitted = fit(&train_features, &labels, &settings, &mut |progress| bar.see(progress));
    if kept && matches!(fitted, Err(FitError::Singular { .. })) {
        clear(out); // there is no factor to continue
    }
    // An earlier record speaks of files that are written over now.
    let _ = std::fs::remove_file(out.join(RECORD));
    let Fitted { mut models, report } = fitted?;
    let mut phases: Vec<PhaseRecord> = Vec::new();
    for &(phase, seconds) in &report.seconds {
        phases.push(PhaseRecord { phase: phase.name().into(), seconds });
    }
    let mut timed_as = |phase: Phase, took: Duration| {
        phases.push(PhaseRecord { phase: phase.name().into(), seconds: took.as_secs_f64() });
    };
    let mut labellings = Vec::new();
    for ((model, sample), norms) in models.iter_mut().zip(&labelled).zip(&report.norms) {
        let recipe = &sample.recipe;
        model.origin.labels = format!("{} seed={}", recipe.rule, recipe.seed);
        model.origin.sample_digest = fingerprint_labelled(&RawSample {
            text: String::new(),
            points: sample.points.clone(),
            labels: sample.labels.clone(),
        });
        let tolerance = job.options.tolerance;
        let (decided, took) = timed(|| -> Result<_, CliError> {
            if job.options.exact {
                return exact::judge(model, &train_features, &sample.labels, tolerance)
                    .map_err(inexact);
            }
            let mut see = |at| bar.see(at);
            Ok(certify::certify(model, &train_features, &sample.labels, tolerance, &mut see)?)
        });
        let decided = decided?;
        timed_as(Phase::Certify, took);
        let solved = job.options.exact.then(|| exactly(model, &sample.labels, &report.merged));
        let (mut mistakes, mut squared) = (None, None);
        if let (Some(test), Some(test_features)) = (&test, &test_features) {
            let (outputs, took) =
                timed(|| model.predict(test_features, false, &mut |at| bar.see(at)));
            let outputs = outputs?;
            timed_as(Phase::Predict, took);
            mistakes = model.mistakes(&outputs, &test.labels)?;
            squared = model.mean_square_error(&outputs, &test.labels)?;
        }
        let name = file_name(&recipe.rule.to_string());
        let (model_file, certificate_file) =
            (format!("{name}.safetensors"), format!("{name}.certificate.txt"));
        let arithmetic = match job.options.exact {
            false => certificate::Arithmetic::Enclosures,
            true => certificate::Arithmetic::Exact,
        };
        let proof = certificate::write(
            model,
            &train_features,
            &sample.labels,
            tolerance,
            arithmetic,
            &decided,
        );
        write(out, &certificate_file, proof)?;
        save(model, &out.join(&model_file))?;
        let finite = |x: f64| x.is_finite().then_some(x);
        let counts = decided.counts;
        labellings.push(Labelling {
            labels: recipe.rule.to_string(),
            changed_labels: sample.changed,
            outputs: model.outputs(),
            verdicts: Verdicts {
                exact: counts.exact,
                margin: counts.margin,
                undecided: counts.undecided,
                misfit: counts.misfit,
            },
            least_margin: finite(decided.least_margin),
            largest_bound: finite(decided.largest_bound),
            test_mistakes: mistakes,
            test_error: mistakes
                .zip(test.as_ref())
                .map(|(mistakes, test)| mistakes as f64 / test.points.n() as f64),
            test_squared: squared,
            norm: norms.total,
            norm_of_outputs: norms.outputs.clone(),
            norm_centred: norms.centred,
            coefficients: norms.coefficients,
            exact: solved,
            model: model_file,
            certificate: certificate_file,
        });
    }
    let spectrum = spectrum(&models[0], job.options.spectrum)?;
    // Models and certificates are written: nothing is left to continue.
    if kept {
        clear(out);
    }
    let kind = first.text.split(':').next().unwrap_or_default();
    Ok(KernelRecord {
        sample: first.text.clone(),
        points: first.points.describe(),
        points_sha256: fingerprint(&first.points),
        n: first.points.n(),
        merged_points: first.merged.dropped.len() + report.merged.len(),
        test_sample: test.as_ref().map(|test| test.text.clone()),
        test_points: test.as_ref().map_or(0, |test| test.points.n()),
        kernel: settings.kernel.to_string(),
        columns: train_features.columns(),
        arithmetic: settings.arithmetic.name().into(),
        ridge: settings.ridge,
        jitter: report.jitter,
        centres: job.options.centres,
        products: report.products,
        converged: report.converged,
        residual: report.residual,
        condition: report.condition,
        plan,
        phases,
        seconds: bar.took().as_secs_f64(),
        matrix_bytes: report.bytes,
        restored_columns: report.restored,
        unkept: report.unkept,
        peak_bytes: memory::peak(),
        threads: rayon::current_num_threads(),
        labellings,
        validated,
        spectrum,
        paper: paper::table_3(kind, job.features.name(), settings.ridge > 0.0)
            .filter(|_| {
                matches!(settings.kernel, Kernel::Gaussian { .. })
                    && job.labels.contains(&LabelRule::True)
            })
            .map(|row| PaperRecord { test_error: row.test_error, norm: row.norm }),
        features,
    })
}

fn inexact(error: ExactError) -> CliError {
    CliError::Usage(format!("--exact: {error}"))
}

/// The exact solution beside the coefficients of a model.
fn exactly(model: &Model, labels: &Labels, merged: &[(u32, u32)]) -> ExactRecord {
    let mut dropped = merged.iter().map(|pair| pair.0).peekable();
    let kept: Vec<u32> =
        (0..labels.len() as u32).filter(|i| dropped.next_if_eq(i).is_none()).collect();
    let labels = labels.select(&kept);
    match exact::solve(model.kernel, &model.centres, &labels) {
        Ok(alpha) => {
            let gap = exact::compared(model, &labels, &alpha);
            let (norm, error) = (Some(gap.norm), Some(gap.coefficients));
            ExactRecord { norm, coefficient_error: error, reason: None }
        }
        Err(error) => {
            ExactRecord { norm: None, coefficient_error: None, reason: Some(error.to_string()) }
        }
    }
}

/// Removes the checkpoints of a fit, with jitter several. One that stays is in nobody's way.
fn clear(out: &Path) {
    for entry in std::fs::read_dir(out).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let of_jitter = |tail: &str| {
            tail.strip_prefix(".jitter")
                .is_some_and(|digits| digits.bytes().all(|x| x.is_ascii_digit()))
        };
        let tail = name.to_str().and_then(|name| name.strip_prefix(CHECKPOINT));
        if tail.is_some_and(|tail| tail.is_empty() || of_jitter(tail)) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn save(model: &Model, path: &Path) -> Result<(), CliError> {
    let mut to = AtomicFile::create(path).map_err(CliError::at(path))?;
    // `check` makes the centres again from the sample.
    file::write(model, false, &mut to).and_then(|()| to.flush()).map_err(CliError::at(path))?;
    to.commit().map_err(CliError::at(path))
}

/// Whether points can be held out.
fn held_out(job: &Job<'_>, sample: &Sample) -> Result<(), CliError> {
    let (held_out, n) = (job.options.validate, sample.points.n());
    if held_out >= n {
        let reason = format!("--validate {held_out}: expected fewer than the {n} distinct points");
        return Err(CliError::Usage(reason));
    }
    if held_out > 0 && !matches!(sample.labels, Labels::Classes { .. }) {
        return Err(CliError::Usage("--validate: real labels have no mistakes to count".into()));
    }
    Ok(())
}

/// Fits each kernel to all but the last points, and counts mistakes on these.
fn validate(
    job: &Job<'_>,
    settings: &Settings,
    points: &Features,
    labels: &Labels,
    bar: &mut Bar,
) -> Result<Vec<Validated>, CliError> {
    let (held_out, n) = (job.options.validate, points.rows());
    if held_out == 0 {
        return Ok(Vec::new());
    }
    let all: Vec<u32> = (0..n as u32).collect();
    let (fitted, held) = all.split_at(n - held_out);
    let (near, far) = (points.select(fitted)?, points.select(held)?);
    let (near_labels, far_labels) = (labels.select(fitted), labels.select(held));
    let mut tried = Vec::new();
    for &kernel in job.kernels {
        let settings = Settings { kernel, checkpoint: None, ..settings.clone() };
        let found = fit(&near, &[&near_labels], &settings, &mut |progress| bar.see(progress));
        let (error, reason) = match found {
            Ok(Fitted { models, .. }) => {
                let outputs = models[0].predict(&far, false, &mut |at| bar.see(at))?;
                let mistakes = models[0].mistakes(&outputs, &far_labels)?;
                (mistakes.map(|mistakes| mistakes as f64 / held_out as f64), None)
            }
            Err(FitError::Stopped(stopped)) => return Err(FitError::from(stopped).into()),
            Err(error) => (None, Some(error.to_string())),
        };
        let fitted = fitted.len();
        tried.push(Validated { kernel: kernel.to_string(), fitted, held_out, error, reason });
    }
    Ok(tried)
}

/// The kernel with the fewest mistakes, the first of several.
fn best(kernels: &[Kernel], validated: &[Validated]) -> Result<Option<Kernel>, CliError> {
    let errors = kernels.iter().zip(validated).filter_map(|(k, one)| Some((*k, one.error?)));
    let least = errors.reduce(|best, one| if one.1 < best.1 { one } else { best });
    match (least, validated.first()) {
        (Some((kernel, _)), _) => Ok(Some(kernel)),
        (None, None) => Ok(None),
        (None, Some(one)) => {
            let reason = one.reason.clone().unwrap_or_default();
            Err(CliError::Usage(format!(
                "no kernel fits the points that are not held out: {reason}"
            )))
        }
    }
}

/// Eigenvalues of the kernel matrix of the first `n` points, largest first: the outputs of models whose coefficients
/// are the unit vectors.
fn spectrum(model: &Model, n: usize) -> Result<Vec<f64>, CliError> {
    let n = n.min(model.centres.rows());
    if n == 0 {
        return Ok(Vec::new());
    }
    let rows: Vec<u32> = (0..n as u32).collect();
    let centres = model.centres.select(&rows)?;
    let units = Model {
        kernel: model.kernel,
        coefficients: Square::from_fn(n, |i, j| if i == j { 1.0 } else { 0.0 }).entries,
        meaning: Meaning::Real(n),
        origin: Origin::default(),
        centres: centres.clone(),
    };
    let entries = units.predict(&centres, false, &mut shatter_kernel::unwatched)?.values;
    let found = symmetric(&Square { n, entries });
    Ok(found.map_or_else(Vec::new, |found| found.values))
}
