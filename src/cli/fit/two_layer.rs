//! The two-layer network of Theorem 1, by any solver and threshold rule.

use std::path::Path;

use serde::Serialize;

use crate::json::{self, FilePath, Number, Record};
use crate::manifest::Manifest;
use crate::output::{Facts, Progress, error_size, grouped, print, seconds, timed};
use crate::words::{floats_text, labels_text, merged_text, residual_text};
use crate::{Answer, CliError, labelled_sample, memory};
use shatter_construct::{DepthTwo, ThresholdRule};
use shatter_exact::Lattice;
use shatter_judge::Runtime;
use shatter_network::evaluate::{ExactResidual, exact_residual, largest_error};
use shatter_network::projection::project;
use shatter_network::reading::How;
use shatter_network::{Counts, ExactNetwork, FloatExactness, Network, Reading};
use shatter_sample::fingerprint::fingerprint;
use shatter_sample::{Sample, Target};
use shatter_train::TrainError;
use shatter_verify::solver::fit_float;

use super::Arguments;
use super::brute_force::Evaluator;
use super::files::{CERTIFICATE, Files, REPLACED};

/// Points up to which the n² evaluation is run unasked.
const BRUTE_FORCE_UNASKED: usize = 100_000;

/// A network found by either arithmetic.
struct Built {
    network: ExactNetwork,
    threshold: ThresholdRule,
    direction: String,
}

fn build(sample: &Sample, arguments: &Arguments) -> Result<Built, CliError> {
    let task = arguments.task(sample);
    let construction = DepthTwo { threshold: arguments.threshold() };
    let Some(solver) = arguments.float_solver() else {
        let fit = construction.fit_exact(&task)?;
        let (tries, tied) = fit.tries;
        let ties =
            if tied > 0 { format!(" ({tied} of {tries} tried had ties)") } else { "".into() };
        return Ok(Built {
            network: fit.network,
            threshold: fit.threshold,
            direction: fit.direction.to_string() + &ties,
        });
    };
    let fit = fit_float::<f64>(construction, &task, solver)?;
    let network = ExactNetwork::try_from(&fit.network)
        .map_err(|error| CliError::Usage(format!("the network is not finite: {error}")))?;
    Ok(Built { network, threshold: fit.threshold, direction: task.direction.to_string() })
}

/// What `--json` prints and `fit.json` holds.
#[derive(Serialize)]
struct FitRecord {
    sample: String,
    /// Distinct points.
    n: usize,
    points: String,
    points_sha256: String,
    labels: String,
    changed_labels: usize,
    merged_points: usize,
    construction: &'static str,
    reading: String,
    outputs: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    classes: Vec<String>,
    solver: String,
    threshold: String,
    direction: String,
    counts: Counts,
    theorem_numbers: u64,
    fits_exactly: usize,
    largest_residual: Number,
    /// The point that has it, unless it is 0.
    largest_residual_at: Option<usize>,
    float_exactness: FloatExactness,
    /// The runtimes of which it speaks.
    float_exactness_runtime: &'static str,
    /// The largest error of all terms in binary64; absent if it was not run.
    brute_force_f64: Option<Number>,
    /// Where it was run.
    brute_force_device: Option<String>,
    /// Whether files of an earlier fit were there.
    replaced: bool,
    certificate: Option<FilePath>,
    certificate_sha256: Option<String>,
}

impl Record for FitRecord {
    const FORMAT: &'static str = "shatter fit 1";
}

#[derive(Serialize)]
struct Configuration<'a> {
    seed: u64,
    labels: String,
    solver: String,
    threshold: String,
    direction: String,
    brute_force: bool,
    brute_force_device: Option<&'a str>,
    classes: &'a [String],
}

/// What the evaluation of all terms found.
struct Brute {
    worst: f64,
    /// The device as records name it, and in words.
    name: String,
    device: String,
    time: std::time::Duration,
}

/// Builds, evaluates and writes the two-layer network.
pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    let progress = Progress::start();
    let seed = arguments.common.seed();
    progress.say("reading the sample");
    memory::fit(&arguments.sample)?;
    let (sample, loading) =
        timed(|| labelled_sample(&arguments.sample, seed, arguments.labels, seed));
    let sample = sample?;
    let n = sample.points.n();
    memory::fit_read(&arguments.sample, n)?;
    let asked = arguments.brute_force || n <= BRUTE_FORCE_UNASKED;
    let terms = (n as u128).pow(2);
    // A device that is not there is refused before anything is built.
    let evaluator = (asked && !arguments.no_brute_force)
        .then(|| Evaluator::choose(arguments.device, terms))
        .transpose()?;

    progress.say(format!("building a network for {} points", grouped(n as u64)));
    let (built, building) = timed(|| build(&sample, arguments));
    let Built { network, threshold, direction } = built?;
    progress.say("evaluating it exactly");
    let ((residual, floats), checking) = timed(|| {
        let z = project(&sample.points, &Lattice::from_dyadics(&network.a));
        let residual = exact_residual(&network, &z, &sample.labels);
        (residual, FloatExactness::of(&network, &sample.points, &z))
    });
    let fits = residual.fits == n;

    let brute = evaluator.map(|evaluator| -> Result<Brute, TrainError> {
        progress.say(format!("evaluating {} terms in plain f64", grouped(terms)));
        let rounded = network.round_f64();
        let (outputs, time) = timed(|| evaluator.outputs(&rounded, &sample.points));
        let (outputs, evaluator) = outputs?;
        let worst = largest_error(&outputs, &sample.labels);
        let (name, device) = (evaluator.name(), evaluator.describe());
        Ok(Brute { worst, name, device, time })
    });
    let brute = brute.transpose()?;

    progress.say("writing");
    let construction = format!("depth-two {threshold}, {} solver", arguments.solver());
    let out = arguments.folder();
    let counts = network.counts();
    let dimension = network.d() as u64;
    let network = Network::TwoLayer(network);
    let reading = Reading::built_on(How::Value, &sample.labels);
    let (files, writing) = timed(|| {
        Files::write(&out, fits, &network, &construction, &sample, Target::Value, &reading)
    });
    let files = files?;
    let report = FitRecord {
        sample: sample.text.clone(),
        n,
        points: sample.points.describe(),
        points_sha256: fingerprint(&sample.points),
        labels: sample.recipe.rule.to_string(),
        changed_labels: sample.changed,
        merged_points: sample.merged.dropped.len(),
        construction: "depth-two",
        reading: reading.how.name().to_owned(),
        outputs: 1,
        classes: reading.classes.clone(),
        solver: arguments.solver(),
        threshold: threshold.to_string(),
        direction,
        theorem_numbers: 2 * counts.units + dimension,
        counts,
        fits_exactly: residual.fits,
        largest_residual: (&residual.largest).into(),
        largest_residual_at: residual.at,
        float_exactness: floats,
        float_exactness_runtime: Runtime::Ieee.name(),
        brute_force_f64: brute.as_ref().map(|brute| brute.worst.into()),
        brute_force_device: brute.as_ref().map(|brute| brute.name.clone()),
        replaced: files.replaced,
        certificate: fits.then(|| out.join(CERTIFICATE).into()),
        certificate_sha256: files.digest.clone(),
    };
    let mut manifest = Manifest::new(Configuration {
        seed,
        labels: arguments.labels.to_string(),
        solver: arguments.solver(),
        threshold: arguments.threshold().to_string(),
        direction: arguments.direction().to_string(),
        brute_force: brute.is_some(),
        brute_force_device: report.brute_force_device.as_deref(),
        classes: &report.classes,
    });
    manifest.sample = Some(sample.text.clone());
    manifest.points_sha256 = Some(report.points_sha256.clone());
    let place = files.manifest.clone();
    files.commit(&out, &json::text(&report)?, &manifest)?;
    drop(progress);

    if arguments.common.json {
        json::print(&report)?;
    } else {
        let done = Done { loading, building, checking, writing, brute, manifest: place };
        print(&text(&report, &sample, &reading, &residual, &out, &done))?;
    }
    Ok(if fits { Answer::Yes } else { Answer::No })
}

/// What the record does not hold.
struct Done {
    loading: std::time::Duration,
    building: std::time::Duration,
    checking: std::time::Duration,
    writing: std::time::Duration,
    brute: Option<Brute>,
    /// The name of the manifest.
    manifest: String,
}

fn text(
    report: &FitRecord,
    sample: &Sample,
    reading: &Reading,
    residual: &ExactResidual,
    out: &Path,
    done: &Done,
) -> String {
    let n = sample.points.n();
    let counts = &report.counts;
    let mut facts = Facts::default();
    facts.add("sample", format!("{}, {}", report.points, merged_text(sample)));
    facts.add("labels", labels_text(sample));
    facts.add("reading", reading.describe(report.outputs));
    facts.add("direction", &report.direction);
    facts.add("thresholds", format!("{}, {} solver", report.threshold, report.solver));
    let sign = if counts.signs == 1 { " and one sign" } else { "" };
    facts.add(
        "network",
        format!(
            "depth 2, {} units, {} free numbers{sign} (the theorem: 2n + d = {})",
            grouped(counts.units),
            grouped(counts.free),
            grouped(report.theorem_numbers)
        ),
    );
    facts.add(
        "",
        format!(
            "written out per unit {} weights; {} bits in all, {} in the largest number",
            grouped(counts.nonzero),
            grouped(counts.bits),
            counts.max_bits
        ),
    );
    facts.add(
        "exact",
        format!(
            "residual {} ({} of {} points equal their labels)",
            residual_text(residual),
            grouped(residual.fits as u64),
            grouped(n as u64)
        ),
    );
    facts.add("binary64", floats_text(&report.float_exactness));
    match &done.brute {
        Some(Brute { worst, device, time, .. }) => facts.add(
            "brute force",
            format!(
                "residual {} in plain f64, all {} terms, {} ({device})",
                error_size(*worst),
                grouped((n as u128).pow(2)),
                seconds(*time)
            ),
        ),
        None => facts.add("brute force", "not run (--brute-force runs it)"),
    }
    match &report.certificate {
        Some(path) => facts.add("certificate", path.display().to_string()),
        None => facts.add("certificate", "none: the network does not equal the labels"),
    }
    facts.add("also in", format!("{}: network.txt, fit.json, {}", out.display(), done.manifest));
    if report.replaced {
        facts.add("", REPLACED);
    }
    facts.add(
        "times",
        format!(
            "loading {}; construction {}, exact evaluation {}, files {}",
            seconds(done.loading),
            seconds(done.building),
            seconds(done.checking),
            seconds(done.writing)
        ),
    );
    facts.text().to_owned()
}
