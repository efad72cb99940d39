//! `shatter fit`: a two-layer network that memorizes a sample, with a certificate.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::certify::{write_certificate, write_network};
use crate::construct::{self, DirectionRule, Options, ThresholdRule, depth_two};
use crate::exact::Lattice;
use crate::network::evaluate::{ExactResidual, brute_force, exact_residual};
use crate::network::projection::project;
use crate::network::{Counts, ExactNetwork, FloatExactness};
use crate::record::{AtomicFile, Manifest, atomic};
use crate::sample::fingerprint::fingerprint;
use crate::sample::{LabelRule, Labels, Sample};

use super::output::{Facts, Progress, error_size, grouped, print, print_json, seconds, timed};
use super::{CliError, Common, Verdict, labelled_sample};

/// Points up to which the n² evaluation is run unasked.
const BRUTE_FORCE_UNASKED: usize = 100_000;

#[derive(Args, Debug, Clone)]
#[command(after_help = "Examples:\n  \
    shatter fit gaussian:n=1000,d=10 --labels random\n  \
    shatter fit fashion-mnist:DIR --labels random --seed 1\n  \
    shatter fit csv:wine.csv,scale=10^6 --out out/wine\n\n\
    SAMPLE is KIND:ARGUMENTS, with options such as first=N, draw=N, split=test; kinds: gaussian, \
    lattice, collinear, moment, clustered, close (n=N,d=D), mnist:DIR, fashion-mnist:DIR, \
    cifar10:DIR-or-tar.gz, idx:IMAGES,LABELS, csv:FILE, npy:POINTS,LABELS, npz:FILE.\n\
    Exit status: 0 if the network equals every label exactly, 1 if not, 2 for bad input.")]
pub struct Arguments {
    /// The sample, for example gaussian:n=1000,d=10
    sample: String,
    /// Labels: true, random, corrupted:P or alternating
    #[arg(long, default_value = "true", value_name = "RULE")]
    labels: LabelRule,
    /// How the triangular system is solved
    #[arg(long, default_value = "exact")]
    solver: Solver,
    /// Where the thresholds lie
    #[arg(long, default_value = "auto")]
    threshold: Threshold,
    /// How the direction is chosen
    #[arg(long, default_value = "auto")]
    direction: Direction,
    /// Evaluate all n² terms in plain binary64 even for more than 100,000 points
    #[arg(long, conflicts_with = "no_brute_force")]
    brute_force: bool,
    /// Do not evaluate all n² terms
    #[arg(long)]
    no_brute_force: bool,
    #[command(flatten)]
    pub common: Common,
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
    fn options(&self) -> Options {
        Options {
            direction: match self.direction {
                Direction::Auto => DirectionRule::Auto,
                Direction::Gaussian => DirectionRule::Gaussian,
                Direction::Radix => DirectionRule::Radix,
                Direction::Moment => DirectionRule::Moment,
            },
            threshold: match self.threshold {
                Threshold::Auto => ThresholdRule::Auto,
                Threshold::Zigzag => ThresholdRule::Zigzag,
                Threshold::Data => ThresholdRule::Data,
                Threshold::Midpoint => ThresholdRule::Midpoint,
            },
            seed: self.common.seed(),
        }
    }

    fn solver(&self) -> construct::Solver {
        match self.solver {
            Solver::Exact => construct::Solver::Exact,
            Solver::Structured => construct::Solver::Structured,
            Solver::Nalgebra => construct::Solver::Nalgebra,
            Solver::Lapack => construct::Solver::Lapack,
        }
    }
}

/// A network found by either arithmetic.
struct Built {
    network: ExactNetwork,
    threshold: ThresholdRule,
    direction: String,
}

fn build(sample: &Sample, arguments: &Arguments) -> Result<Built, CliError> {
    let (options, solver) = (arguments.options(), arguments.solver());
    if solver == construct::Solver::Exact {
        let fit = depth_two::fit_exact(&sample.points, &sample.labels, &options)?;
        let (tries, tied) = fit.tries;
        let ties =
            if tied > 0 { format!(" ({tied} of {tries} tried had ties)") } else { "".into() };
        return Ok(Built {
            network: fit.network,
            threshold: fit.threshold,
            direction: fit.direction + &ties,
        });
    }
    let fit = depth_two::fit_float::<f64>(&sample.points, &sample.labels, &options, solver)?;
    let network = ExactNetwork::try_from(&fit.network)
        .map_err(|error| CliError::Usage(format!("the network is not finite: {error}")))?;
    Ok(Built { network, threshold: fit.threshold, direction: options.direction.to_string() })
}

/// What `--json` prints and `fit.json` holds.
#[derive(Serialize)]
struct Report {
    sample: String,
    points: String,
    points_sha256: String,
    labels: String,
    changed_labels: usize,
    merged_points: usize,
    solver: String,
    threshold: String,
    direction: String,
    counts: Counts,
    theorem_numbers: u64,
    fits_exactly: usize,
    largest_residual: String,
    float_exactness: FloatExactness,
    /// As text, because JSON has no infinities; absent if it was not run.
    brute_force_f64: Option<String>,
    certificate: Option<PathBuf>,
    certificate_sha256: Option<String>,
}

pub fn run(arguments: &Arguments) -> Result<Verdict, CliError> {
    let progress = Progress::start();
    let seed = arguments.common.seed();
    progress.say("reading the sample");
    let (sample, loading) =
        timed(|| labelled_sample(&arguments.sample, seed, arguments.labels, seed));
    let sample = sample?;
    let n = sample.points.n();

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

    let asked = arguments.brute_force || n <= BRUTE_FORCE_UNASKED;
    let brute = (asked && !arguments.no_brute_force).then(|| {
        progress.say(format!("evaluating {} terms in plain f64", grouped((n as u128).pow(2))));
        timed(|| brute_force_residual(&network, &sample))
    });

    progress.say("writing");
    let construction = format!("depth-two {threshold}, {} solver", arguments.solver());
    let out = arguments.common.out.clone().unwrap_or_else(|| PathBuf::from("out/fit"));
    let (files, writing) = timed(|| Files::write(&out, fits, &network, &construction, &sample));
    let files = files?;
    let counts = network.counts();
    let report = Report {
        sample: sample.text.clone(),
        points: sample.points.describe(),
        points_sha256: fingerprint(&sample.points),
        labels: sample.recipe.rule.to_string(),
        changed_labels: sample.changed,
        merged_points: sample.merged.dropped.len(),
        solver: arguments.solver().to_string(),
        threshold: threshold.to_string(),
        direction,
        theorem_numbers: 2 * counts.units + network.d() as u64,
        counts,
        fits_exactly: residual.fits,
        largest_residual: residual_text(&residual),
        float_exactness: floats,
        brute_force_f64: brute.as_ref().map(|(worst, _)| error_size(*worst)),
        certificate: fits.then(|| out.join("certificate.txt")),
        certificate_sha256: files.digest.clone(),
    };
    let mut manifest = Manifest::new(serde_json::json!({
        "seed": seed,
        "labels": arguments.labels.to_string(),
        "solver": arguments.solver().to_string(),
        "threshold": arguments.options().threshold.to_string(),
        "direction": arguments.options().direction.to_string(),
        "brute_force": brute.is_some(),
    }));
    manifest.sample = Some(sample.text.clone());
    manifest.points_sha256 = Some(report.points_sha256.clone());
    files.commit(&out, &(serde_json::to_string_pretty(&report)? + "\n"), &manifest)?;
    drop(progress);

    if arguments.common.json {
        print_json(&report)?;
    } else {
        let times = Times { loading, building, checking, writing, brute: brute.map(|b| b.1) };
        print(&text(&report, &sample, &residual, &out, &times))?;
    }
    Ok(if fits { Verdict::Yes } else { Verdict::No })
}

/// max |f(x_i) − y_i| of the binary64 network, every unit at every point.
pub fn brute_force_residual(network: &ExactNetwork, sample: &Sample) -> f64 {
    let outputs = brute_force(&network.round_f64(), &sample.points);
    let differences = outputs.iter().enumerate().map(|(i, f)| (f - sample.labels.f64_at(i)).abs());
    // A NaN must not vanish in a maximum.
    differences.fold(0.0, |worst, x| if x <= worst { worst } else { x })
}

/// The files of a fit, written beside their places but not moved there yet.
struct Files {
    network: AtomicFile,
    certificate: Option<AtomicFile>,
    digest: Option<String>,
}

impl Files {
    /// Writes the network, and the certificate if the network fits.
    fn write(
        out: &Path,
        fits: bool,
        network: &ExactNetwork,
        construction: &str,
        sample: &Sample,
    ) -> Result<Files, CliError> {
        let path = out.join("network.txt");
        let file = || -> std::io::Result<AtomicFile> {
            let mut file = AtomicFile::create(&path)?;
            write_network(&mut file, network, construction)?;
            Ok(file)
        };
        let network_file = file().map_err(CliError::at(&path))?;
        if !fits {
            return Ok(Files { network: network_file, certificate: None, digest: None });
        }
        let path = out.join("certificate.txt");
        let file = || -> std::io::Result<(AtomicFile, String)> {
            let mut file = AtomicFile::create(&path)?;
            let digest = write_certificate(&mut file, network, construction, sample)?;
            Ok((file, digest))
        };
        let (certificate, digest) = file().map_err(CliError::at(&path))?;
        Ok(Files { network: network_file, certificate: Some(certificate), digest: Some(digest) })
    }

    /// Moves everything to its place. The certificate of an earlier run goes first and the new one
    /// comes last: whenever a certificate is there, the other files belong to it.
    fn commit(self, out: &Path, report: &str, manifest: &Manifest) -> Result<(), CliError> {
        let path = out.join("certificate.txt");
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(CliError::at(&path)(error));
            }
            _ => {}
        }
        let at = out.join("network.txt");
        self.network.commit().map_err(CliError::at(&at))?;
        let at = out.join("fit.json");
        atomic::write(&at, report).map_err(CliError::at(&at))?;
        let at = out.join("manifest.json");
        manifest.write(&at).map_err(CliError::at(&at))?;
        self.certificate.map_or(Ok(()), AtomicFile::commit).map_err(CliError::at(&path))
    }
}

struct Times {
    loading: std::time::Duration,
    building: std::time::Duration,
    checking: std::time::Duration,
    writing: std::time::Duration,
    brute: Option<std::time::Duration>,
}

pub fn residual_text(residual: &ExactResidual) -> String {
    match residual.at {
        None => "0".to_owned(),
        Some(at) => format!("{:.3e} at point {at}", residual.largest.to_f64().value()),
    }
}

/// "0 duplicates", or what happened to them.
pub fn merged_text(sample: &Sample) -> String {
    let merged = &sample.merged;
    match merged.dropped.as_slice() {
        [] => "no duplicates".to_owned(),
        [(later, first), rest @ ..] => {
            let more =
                if rest.is_empty() { "".to_owned() } else { format!(" and {} more", rest.len()) };
            let labels = match merged.conflicts {
                0 => "with equal labels".to_owned(),
                conflicts => format!("{conflicts} with another label, which was redrawn"),
            };
            let s = if rest.is_empty() { "" } else { "s" };
            let count = merged.dropped.len();
            format!("{count} duplicate{s} merged ({later} = {first}{more}; {labels})")
        }
    }
}

/// "random (seed 1), 53,983 of 60,000 changed".
pub fn labels_text(sample: &Sample) -> String {
    let seed = match sample.recipe.rule {
        LabelRule::True | LabelRule::Alternating => "".to_owned(),
        LabelRule::Random | LabelRule::Corrupted(_) => format!(" (seed {})", sample.recipe.seed),
    };
    let changed = match sample.recipe.rule {
        LabelRule::True => "".to_owned(),
        _ => format!(
            ", {} of {} differ from the sample's own",
            grouped(sample.changed as u64),
            grouped(sample.points.n() as u64)
        ),
    };
    format!("{}{seed}{changed}", sample.recipe.rule)
}

fn text(
    report: &Report,
    sample: &Sample,
    residual: &ExactResidual,
    out: &Path,
    times: &Times,
) -> String {
    let n = sample.points.n();
    let counts = &report.counts;
    let mut facts = Facts::default();
    facts.add("sample", format!("{}, {}", report.points, merged_text(sample)));
    facts.add("labels", labels_text(sample));
    if let Some(names) = class_names_text(&sample.labels) {
        facts.add("targets", names);
    }
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
    match (&report.brute_force_f64, times.brute) {
        (Some(worst), Some(time)) => facts.add(
            "brute force",
            format!(
                "residual {worst} in plain f64, all {} terms, {}",
                grouped((n as u128).pow(2)),
                seconds(time)
            ),
        ),
        _ => facts.add("brute force", "not run (--brute-force runs it)"),
    }
    match &report.certificate {
        Some(path) => facts.add("certificate", path.display().to_string()),
        None => facts.add("certificate", "none: the network does not equal the labels"),
    }
    facts.add("also in", out.display().to_string() + ": network.txt, fit.json, manifest.json");
    facts.add(
        "times",
        format!(
            "loading {}; construction {}, exact evaluation {}, files {}",
            seconds(times.loading),
            seconds(times.building),
            seconds(times.checking),
            seconds(times.writing)
        ),
    );
    facts.text().to_owned()
}

/// Which number stands for which class, where it is not the class's own name.
fn class_names_text(labels: &Labels) -> Option<String> {
    let Labels::Classes { names, .. } = labels else { return None };
    let mut named = names.iter().enumerate().filter(|(class, name)| class.to_string() != **name);
    named.next()?;
    let shown: Vec<String> =
        names.iter().take(6).enumerate().map(|(class, name)| format!("{class} = {name}")).collect();
    let more = if names.len() > shown.len() { ", …" } else { "" };
    Some(shown.join(", ") + more)
}

/// The three float-exactness bounds in words.
pub fn floats_text(floats: &FloatExactness) -> String {
    let sum = floats.sum_bits.map_or("-".to_owned(), |bits| format!("{bits:.1}"));
    let bits = format!(
        "project {:.1}, subtract {:.1}, sum {sum} of 53 bits",
        floats.projection_bits, floats.threshold_bits
    );
    match (floats.binary64, floats.binary32) {
        (true, true) => format!("float-exact, in binary32 too ({bits}; 24 for binary32)"),
        (true, false) => format!("float-exact: no rounding in any order of evaluation ({bits})"),
        (false, _) => match floats.obstacle {
            Some(obstacle) => format!("may round: {obstacle} ({bits})"),
            None => format!("may round ({bits})"),
        },
    }
}
