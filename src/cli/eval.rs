//! `shatter eval`: what a network computes on a sample, and whether it fits.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::certify::check::Contents;
use crate::certify::read::read;
use crate::exact::Lattice;
use crate::network::evaluate::{brute_force, compensated, exact_residual};
use crate::network::projection::{project, project_float};
use crate::network::{ExactNetwork, FloatExactness};
use crate::record::AtomicFile;
use crate::sample::fingerprint::fingerprint;
use crate::sample::{LabelRule, Sample};

use super::fit::{floats_text, labels_text, merged_text, residual_text};
use super::output::{Facts, Progress, error_size, grouped, print, print_json};
use super::{CliError, Common, Verdict, labelled_sample};

/// Points evaluated with all n² terms; beyond it the exact evaluation stands alone.
const BRUTE_FORCE_LIMIT: usize = 100_000;

#[derive(Args, Debug, Clone)]
#[command(after_help = "Example:\n  \
    shatter eval out/fit/network.txt gaussian:n=1000,d=10 --labels random\n\n\
    A certificate brings its own labels; --labels overrides them. With --out, outputs.csv holds \
    label and outputs of every point.\n\
    Exit status: 0 if the network equals every label exactly, 1 if not, 2 for bad input.")]
pub struct Arguments {
    /// A network file or a certificate
    network: PathBuf,
    /// The sample
    sample: String,
    /// Labels: true, random, corrupted:P or alternating
    #[arg(long, value_name = "RULE")]
    labels: Option<LabelRule>,
    #[command(flatten)]
    pub common: Common,
}

/// Opens and reads a network file or a certificate.
pub fn open(path: &Path) -> Result<(Contents, ExactNetwork), CliError> {
    let file = File::open(path).map_err(CliError::at(path))?;
    if file.metadata().map_err(CliError::at(path))?.is_dir() {
        return Err(CliError::Usage(format!("{} is a folder, not a file", path.display())));
    }
    read(BufReader::with_capacity(1 << 16, file))
        .map_err(|source| CliError::Network { file: path.to_owned(), source: Box::new(source) })
}

pub fn run(arguments: &Arguments) -> Result<Verdict, CliError> {
    let progress = Progress::start();
    progress.say("reading");
    let (contents, network) = open(&arguments.network)?;
    let is_certificate = !contents.points.is_empty();
    // A certificate brings its labels; of labels given by hand, at least the seed.
    let own = is_certificate.then_some(contents.seed);
    let (rule, seed) = match (arguments.labels, own) {
        (Some(rule), own) => (rule, arguments.common.seed.or(own).unwrap_or(0)),
        (None, Some(seed)) => (contents.rule, seed),
        (None, None) => (LabelRule::True, arguments.common.seed()),
    };
    let sample = labelled_sample(&arguments.sample, arguments.common.seed(), rule, seed)?;
    if network.d() != sample.points.d() {
        return Err(CliError::Usage(format!(
            "the network takes {} coordinates, the points have {}",
            network.d(),
            sample.points.d()
        )));
    }
    if sample.labels.outputs() != 1 {
        return Err(CliError::Usage(format!(
            "the network has one output, the labels have {}: choose one with label=COLUMN",
            sample.labels.outputs()
        )));
    }
    progress.say("evaluating");
    let z = project(&sample.points, &Lattice::from_dyadics(&network.a));
    let residual = exact_residual(&network, &z, &sample.labels);
    let floats = FloatExactness::of(&network, &sample.points, &z);
    let n = sample.points.n();
    let plain = (n <= BRUTE_FORCE_LIMIT).then(|| Outputs::of(&network, &sample));
    drop(progress);
    let fits = residual.fits == n;
    let found = serde_json::json!({
        "points": n,
        "points_sha256": fingerprint(&sample.points),
        "labels": sample.recipe.rule.to_string(),
        "fits_exactly": residual.fits,
        "largest_residual": residual_text(&residual),
        "residual_f64": plain.as_ref().map(|o| worst(&o.plain, &sample).to_string()),
        "residual_compensated": plain.as_ref().map(|o| worst(&o.compensated, &sample).to_string()),
        "float_exactness": floats,
    });
    if let Some(out) = &arguments.common.out {
        write_outputs(out, &sample, plain.as_ref())?;
        let configuration = serde_json::json!({
            "network": arguments.network,
            "labels": sample.recipe.rule.to_string(),
            "seed": seed,
        });
        arguments.common.write("eval", &found, configuration, Some(&sample.text))?;
    }
    if arguments.common.json {
        print_json(&found)?;
    } else {
        let mut facts = Facts::default();
        facts.add("sample", format!("{}, {}", sample.points.describe(), merged_text(&sample)));
        facts.add("labels", labels_text(&sample));
        facts.add(
            "exact",
            format!(
                "residual {} ({} of {} points equal their labels)",
                residual_text(&residual),
                grouped(residual.fits as u64),
                grouped(n as u64)
            ),
        );
        facts.add("binary64", floats_text(&floats));
        match &plain {
            Some(outputs) => facts.add(
                "in f64",
                format!(
                    "residual {} plain, {} compensated",
                    error_size(worst(&outputs.plain, &sample)),
                    error_size(worst(&outputs.compensated, &sample))
                ),
            ),
            None => facts.add("in f64", format!("not run beyond {BRUTE_FORCE_LIMIT} points")),
        }
        print(facts.text())?;
    }
    Ok(if fits { Verdict::Yes } else { Verdict::No })
}

struct Outputs {
    plain: Vec<f64>,
    compensated: Vec<f64>,
}

impl Outputs {
    fn of(network: &ExactNetwork, sample: &Sample) -> Outputs {
        let rounded = network.round_f64();
        let z = project_float(&sample.points, &rounded.a);
        Outputs {
            plain: brute_force(&rounded, &sample.points),
            compensated: compensated(&rounded, &z),
        }
    }
}

fn worst(outputs: &[f64], sample: &Sample) -> f64 {
    let differences = outputs.iter().enumerate().map(|(i, f)| (f - sample.labels.f64_at(i)).abs());
    differences.fold(0.0, |worst, x| if x <= worst { worst } else { x })
}

fn write_outputs(out: &Path, sample: &Sample, outputs: Option<&Outputs>) -> Result<(), CliError> {
    let Some(outputs) = outputs else {
        return Err(CliError::Usage(format!(
            "outputs.csv is written for at most {BRUTE_FORCE_LIMIT} points"
        )));
    };
    let path = out.join("outputs.csv");
    let write = || -> std::io::Result<()> {
        let mut file = AtomicFile::create(&path)?;
        writeln!(file, "point,label,output_f64,output_compensated")?;
        for (i, (plain, compensated)) in outputs.plain.iter().zip(&outputs.compensated).enumerate()
        {
            writeln!(file, "{i},{},{plain},{compensated}", sample.labels.f64_at(i))?;
        }
        file.commit()
    };
    write().map_err(CliError::at(&path))
}
