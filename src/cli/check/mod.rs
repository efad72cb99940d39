//! `shatter check`: the independent checker.

mod network;

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use shatter_certify::integers::{IntegersError, write_integers};
use shatter_check::{self as check, Accepted, Rejection, bind};
use shatter_judge::certificate::HEADER;
use shatter_judge::{Runtime, Walks};
use shatter_network::Reading;
use shatter_sample::LabelRule;

use crate::error::of_certificate;
use crate::json::{self, FilePath, Place, Record};
use crate::output::{Facts, Progress, grouped, print, seconds, timed, written};
use crate::reading::{Override, ReadingRecord};
use crate::{Answer, CliError, CommonOptions, input, kernel, raw_sample, visible};

#[derive(Args, Debug, Clone)]
#[command(
    after_help = "Examples:\n  \
    shatter check out/fit/certificate.txt gaussian:n=1000,d=10\n  \
    shatter check --integers out/fit/certificate.txt csv:iris.csv > iris.integers\n  \
    shatter check --network model.onnx npy:x.npy,y.npy\n  \
    shatter check --network model.onnx out/check/certificate.txt npy:x.npy,y.npy\n\n\
    With --network, decides for every point whether a network from elsewhere fits it, and writes a\n\
    certificate; or checks a certificate by deciding again (exactly, where a claim does not follow\n\
    otherwise), and prints how many points it claims.\n\
    Exit status: 0 accepted (with --network and no certificate: every point fits), 1 rejected (not\n\
    every point), 2 undecided: the sample or the file cannot be read, or the certificate asks for\n\
    more work or memory than a checker should spend. A certificate of --network may be accepted and\n\
    claim that some points do not fit. It is written as certificate.txt, and as check.certificate.txt\n\
    where the certificate of a fit is.",
    override_usage = "shatter check [OPTIONS] CERTIFICATE SAMPLE\n       \
    shatter check [OPTIONS] --network FILE [CERTIFICATE] SAMPLE"
)]
pub struct Arguments {
    /// The certificate and its sample; with --network, the sample alone suffices
    #[arg(required = true, num_args = 1..=2, value_names = ["CERTIFICATE", "SAMPLE"])]
    files: Vec<String>,
    /// A network: ONNX, a checkpoint, a network file, a certificate, NPZ or JSON of `shatter export`, or
    /// any safetensors or NPZ with PyTorch's names and --architecture
    #[arg(long, value_name = "FILE")]
    network: Option<PathBuf>,
    /// With --network, for plain arrays: their layers, as in `shatter train --model`, with
    /// batchnorm(eps=E) if E is not 1e-5, which the file does not say
    #[arg(long, value_name = "LAYERS", requires = "network")]
    architecture: Option<String>,
    /// With --architecture: outputs of the last layer [default: from the last array]
    #[arg(long, value_name = "N", requires = "architecture")]
    outputs: Option<usize>,
    /// With --network: labels true, random, corrupted:P or alternating [default: the sample's own, or the
    /// condition of a checkpoint]
    #[arg(long, value_name = "RULE", requires = "network")]
    labels: Option<LabelRule>,
    /// With --network: decide every point in exact arithmetic, within 2^38 products and 1 GiB
    #[arg(long, requires = "network")]
    exact: bool,
    #[command(flatten)]
    said: Override,
    /// With --network: runtime model of the verdicts: ieee, tf32, bf16 or winograd [default: the
    /// certificate's, or ieee]
    #[arg(long, value_name = "NAME", requires = "network")]
    runtime: Option<Runtime>,
    /// With --network: how many of the points that enclosures leave undecided to bound by walks back
    /// through the network, a number or all [default: as many as take a minute or two; all to check a certificate]
    #[arg(long, value_name = "N", requires = "network")]
    walks: Option<Walks>,
    /// Print certificate and sample as the integers that the checker in proofs/ reads
    #[arg(long, conflicts_with_all = ["network", "json"])]
    integers: bool,
    #[command(flatten)]
    pub common: CommonOptions,
}

impl Arguments {
    /// With `--out`, the verdict and a manifest.
    fn write(&self, found: &impl Record, reading: Option<&ReadingRecord>) -> Result<(), CliError> {
        let configuration = Configuration {
            files: &self.files,
            network: self.network.as_deref().map(FilePath::from),
            seed: self.common.seed(),
            runtime: self.runtime.map(Runtime::name),
            reading,
        };
        self.common.write("check", found, configuration, self.files.last().map(String::as_str))
    }
}

/// The manifest's configuration.
#[derive(Serialize)]
struct Configuration<'a> {
    files: &'a [String],
    network: Option<FilePath>,
    seed: u64,
    runtime: Option<&'static str>,
    #[serde(flatten)]
    reading: Option<&'a ReadingRecord>,
}

/// What `--json` prints and `check.json` holds where a certificate of a construction is accepted.
#[derive(Serialize)]
struct AcceptedRecord<'a> {
    accepted: bool,
    points: usize,
    dimension: usize,
    depth: u64,
    units: u64,
    width: u64,
    nonzero: u64,
    free: Option<u64>,
    signs: Option<u64>,
    target: String,
    labels: &'a str,
    points_sha256: &'a str,
    certificate_sha256: &'a str,
    #[serde(flatten)]
    reading: ReadingRecord,
}

impl Record for AcceptedRecord<'_> {
    const FORMAT: &'static str = "shatter check 1";
}

/// The same where it is not, or where that is undecided (`accepted` is `null`).
#[derive(Serialize)]
struct RejectedRecord {
    accepted: Option<bool>,
    reason: String,
    #[serde(skip_serializing_if = "Place::is_unknown")]
    place: Place,
}

impl Record for RejectedRecord {
    const FORMAT: &'static str = "shatter check 1";
}

pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    match (&arguments.network, arguments.files.as_slice()) {
        (model, [certificate, sample]) if kernel::is_certificate(certificate.as_ref()) => {
            let Some(model) = model else {
                return Err(CliError::Usage(format!(
                    "{certificate} is a certificate of a kernel: give its model, too (--network FILE)"
                )));
            };
            check_kernel(arguments, model, certificate.as_ref(), sample)
        }
        (Some(file), [sample]) => network::run(arguments, file, None, sample),
        (Some(file), [certificate, sample]) => {
            network::run(arguments, file, Some(certificate.as_ref()), sample)
        }
        (None, _) if arguments.said.reading.is_some() || arguments.said.classes.is_some() => {
            let reason = "--reading and --classes need --network: a certificate of a construction says how outputs are read";
            Err(CliError::Usage(reason.into()))
        }
        (None, [certificate, sample]) => check_certificate(arguments, certificate.as_ref(), sample),
        _ => Err(CliError::Usage("expected a certificate and a sample: CERTIFICATE SAMPLE".into())),
    }
}

fn check_kernel(
    arguments: &Arguments,
    model: &Path,
    certificate: &Path,
    sample: &str,
) -> Result<Answer, CliError> {
    let (seed, as_json) = (arguments.common.seed(), arguments.common.json);
    let write = |found: &kernel::Checked| arguments.write(found, None);
    let accepted = kernel::check(model, certificate, sample, seed, as_json, &write)?;
    Ok(if accepted { Answer::Yes } else { Answer::No })
}

/// Whether a file begins as certificates of `--network` do.
fn is_of_network(path: &Path) -> bool {
    let regular = std::fs::metadata(path).is_ok_and(|status| status.is_file());
    let mut first = [0; HEADER.len()];
    let read = |mut file: File| file.read_exact(&mut first);
    regular && File::open(path).and_then(read).is_ok() && first == *HEADER.as_bytes()
}

fn check_certificate(
    arguments: &Arguments,
    certificate: &Path,
    sample: &str,
) -> Result<Answer, CliError> {
    if is_of_network(certificate) {
        return Err(CliError::Usage(format!(
            "{} is a certificate of a network from elsewhere: give that network's file, too (--network FILE)",
            certificate.display()
        )));
    }
    let progress = Progress::start();
    progress.say("reading the sample");
    let (raw, loading) = timed(|| raw_sample(sample, arguments.common.seed()));
    let raw = raw?;
    let file = input::open(certificate)?;
    progress.say("checking every point");
    if arguments.integers {
        let mut kept = Kept { inner: file, bytes: Vec::new() };
        let bound = bind(BufReader::with_capacity(1 << 16, &mut kept), raw);
        drop(progress);
        return match bound {
            Ok(sample) => print_integers(arguments, certificate, &kept.bytes, &sample),
            Err(rejection) => rejected(arguments, &rejection),
        };
    }
    let (result, checking) = timed(|| check::check(file, raw));
    drop(progress);
    let accepted = match result {
        Ok(accepted) => accepted,
        Err(rejection) => return rejected(arguments, &rejection),
    };
    let reading = Reading { how: accepted.target.into(), classes: accepted.classes.clone() };
    let found = AcceptedRecord {
        accepted: true,
        points: accepted.points,
        dimension: accepted.dimension,
        depth: accepted.depth,
        units: accepted.units,
        width: accepted.width,
        nonzero: accepted.nonzero,
        free: accepted.free.map(|free| free.0),
        signs: accepted.free.map(|free| free.1),
        target: accepted.target.to_string(),
        labels: &accepted.recipe,
        points_sha256: &accepted.points_sha256,
        certificate_sha256: &accepted.digest,
        reading: ReadingRecord::of(&reading, accepted.outputs),
    };
    arguments.write(&found, Some(&found.reading))?;
    if arguments.common.json {
        json::print(&found)?;
        return Ok(Answer::Yes);
    }
    let mut facts = Facts::default();
    let points = grouped(accepted.points as u64);
    facts.add("accepted", format!("the network equals the label at all {points} points, exactly"));
    facts.add("network", network_text(&accepted));
    facts.add("labels", &accepted.recipe);
    facts.add("reading", reading.describe(accepted.outputs));
    facts.add("points", format!("SHA-256 {}", accepted.points_sha256));
    facts.add("times", format!("loading {}, checking {}", seconds(loading), seconds(checking)));
    print(facts.text())?;
    Ok(Answer::Yes)
}

/// Keeps what is read, for a second reader of the same bytes.
struct Kept<R> {
    inner: R,
    bytes: Vec<u8>,
}

impl<R: Read> Read for Kept<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes.extend_from_slice(&buffer[..read]);
        Ok(read)
    }
}

/// Prints a certificate, and the sample that the checker has bound it to, as integers.
fn print_integers(
    arguments: &Arguments,
    certificate: &Path,
    bytes: &[u8],
    sample: &shatter_sample::Sample,
) -> Result<Answer, CliError> {
    let file = match shatter_certify::read(bytes) {
        Ok(file) => file,
        Err(error) => return undecided(arguments, error.to_string(), Place::default()),
    };
    let mut out = BufWriter::new(io::stdout().lock());
    match write_integers(&mut out, &file, sample) {
        Ok(()) => Ok(Answer::Yes),
        Err(IntegersError::Io(error)) => written(Err(error)).map(|()| Answer::Yes),
        Err(IntegersError::Layered) => Err(CliError::Usage(format!(
            "{}: the checker in proofs/ reads the two-layer form only, and this \
             certificate is layered: check it without --integers",
            certificate.display()
        ))),
        Err(error) => undecided(arguments, error.to_string(), Place::default()),
    }
}

fn network_text(accepted: &Accepted) -> String {
    let shape = format!(
        "depth {}, {} units on R^{}",
        grouped(accepted.depth),
        grouped(accepted.units),
        accepted.dimension
    );
    match accepted.free {
        Some((free, signs)) => {
            let sign = if signs == 1 { " and one sign" } else { "" };
            format!("{shape}, {} free numbers{sign}", grouped(free))
        }
        None => format!(
            "{shape}, width {}, {} weights and biases",
            grouped(accepted.width),
            grouped(accepted.nonzero)
        ),
    }
}

fn rejected(arguments: &Arguments, rejection: &Rejection) -> Result<Answer, CliError> {
    let (reason, place) = (rejection.to_string(), of_certificate(rejection));
    if rejection.is_undecided() {
        return undecided(arguments, reason, place);
    }
    let found = RejectedRecord { accepted: Some(false), reason, place };
    arguments.write(&found, None)?;
    if arguments.common.json {
        json::print(&found)?;
    } else if arguments.integers {
        eprintln!("rejected: {}", visible::line(&rejection.to_string())); // standard output is for the integers
    } else {
        print(&format!("rejected: {}\n", visible::line(&rejection.to_string())))?;
    }
    Ok(Answer::No)
}

fn undecided(arguments: &Arguments, reason: String, place: Place) -> Result<Answer, CliError> {
    let found = RejectedRecord { accepted: None, reason, place };
    arguments.write(&found, None)?;
    Err(CliError::Undecided(found.reason))
}
