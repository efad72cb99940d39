//! `shatter check`: the independent checker.

mod network;

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use shatter_certify::integers::{IntegersError, write_integers};
use shatter_check::{self as check, Accepted, Rejection, bind};
use shatter_judge::certificate::HEADER;
use shatter_judge::{Runtime, Walks};
use shatter_network::Reading;
use shatter_sample::{self as sample, LabelRule};

use crate::output::{Facts, Progress, grouped, print, print_json, seconds, timed, written};
use crate::reading::{self, Override};
use crate::{CliError, Common, Verdict, input, visible};

#[derive(Args, Debug, Clone)]
#[command(
    after_help = "Examples:\n  \
    shatter check out/fit/certificate.txt gaussian:n=1000,d=10\n  \
    shatter check --integers out/fit/certificate.txt csv:iris.csv > iris.integers\n\n\
    shatter check --network model.onnx npy:x.npy,y.npy\n  \
    shatter check --network model.onnx out/check/certificate.txt npy:x.npy,y.npy\n\n\
    With --network, decides of every point whether a network from elsewhere fits it, and writes a\n\
    certificate; or checks one by deciding again (exactly, where a claim does not follow otherwise),\n\
    and says how many points it claims.\n\
    Exit status: 0 the certificate is accepted, which with --network may say that some points do not\n\
    fit (without a certificate: every point fits), 1 rejected (not every point), 2\n\
    undecided: the sample or the file cannot be read, or the certificate asks for more work or\n\
    memory than a checker should spend.",
    override_usage = "shatter check [OPTIONS] CERTIFICATE SAMPLE\n       \
    shatter check [OPTIONS] --network FILE [CERTIFICATE] SAMPLE"
)]
pub struct Arguments {
    /// The certificate, and the sample that it is for; with --network, the sample alone will do
    #[arg(required = true, num_args = 1..=2, value_names = ["CERTIFICATE", "SAMPLE"])]
    files: Vec<String>,
    /// A network: ONNX, a checkpoint, a network file or a certificate, our NPZ and JSON, or any safetensors
    /// and NPZ under PyTorch's names with --architecture
    #[arg(long, value_name = "FILE")]
    network: Option<PathBuf>,
    /// With --network, of plain arrays: their layers, as `shatter train --model` takes them, and
    /// batchnorm(eps=E) where it is not 1e-5, which the file does not say
    #[arg(long, value_name = "LAYERS", requires = "network")]
    architecture: Option<String>,
    /// With --architecture: outputs of its last layer [default: as the last array says]
    #[arg(long, value_name = "N", requires = "architecture")]
    outputs: Option<usize>,
    /// With --network: labels true, random, corrupted:P or alternating [default: the sample's own, a
    /// checkpoint's condition]
    #[arg(long, value_name = "RULE", requires = "network")]
    labels: Option<LabelRule>,
    /// With --network: decide every point in exact arithmetic, in 2^38 products and 1 GiB at most
    #[arg(long, requires = "network")]
    exact: bool,
    #[command(flatten)]
    said: Override,
    /// With --network: of which runtimes verdicts speak, ieee, tf32, bf16 or winograd [default: ieee, a
    /// certificate's own]
    #[arg(long, value_name = "NAME", requires = "network")]
    runtime: Option<Runtime>,
    /// With --network: how many of the points that enclosures leave undecided are bounded by walks back through
    /// the network, a number or all [default: as many as take a minute or two; all of them to check a certificate]
    #[arg(long, value_name = "N", requires = "network")]
    walks: Option<Walks>,
    /// Print certificate and sample as the integers that the checker in proofs/ reads
    #[arg(long, conflicts_with = "network")]
    integers: bool,
    #[command(flatten)]
    pub common: Common,
}

impl Arguments {
    /// With `--out`, the verdict and a manifest.
    fn write(&self, found: &serde_json::Value) -> Result<(), CliError> {
        let configuration = serde_json::json!({
            "files": self.files, "network": self.network, "seed": self.common.seed(),
            "runtime": self.runtime.map(Runtime::name),
            "reading": found["reading"], "classes": found["classes"],
        });
        self.common.write("check", found, configuration, self.files.last().map(String::as_str))
    }
}

pub fn run(arguments: &Arguments) -> Result<Verdict, CliError> {
    match (&arguments.network, arguments.files.as_slice()) {
        (Some(file), [sample]) => network::run(arguments, file, None, sample),
        (Some(file), [certificate, sample]) => {
            network::run(arguments, file, Some(certificate.as_ref()), sample)
        }
        (None, _) if arguments.said.reading.is_some() || arguments.said.classes.is_some() => {
            let reason = "--reading and --classes are for --network: a certificate says how its outputs are read";
            Err(CliError::Usage(reason.into()))
        }
        (None, [certificate, sample]) => check_certificate(arguments, certificate.as_ref(), sample),
        _ => {
            Err(CliError::Usage("a certificate and a sample are wanted: CERTIFICATE SAMPLE".into()))
        }
    }
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
) -> Result<Verdict, CliError> {
    if is_of_network(certificate) {
        return Err(CliError::Usage(format!(
            "{} is a certificate of a network from elsewhere, which is decided again from its file: --network FILE",
            certificate.display()
        )));
    }
    let progress = Progress::start();
    progress.say("reading the sample");
    let (raw, loading) = timed(|| sample::load(sample, arguments.common.seed()));
    let raw = raw.map_err(|error| CliError::sample(sample, error))?;
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
    let mut found = serde_json::json!({
        "accepted": true,
        "points": accepted.points,
        "dimension": accepted.dimension,
        "depth": accepted.depth,
        "units": accepted.units,
        "width": accepted.width,
        "nonzero": accepted.nonzero,
        "free": accepted.free.map(|free| free.0),
        "signs": accepted.free.map(|free| free.1),
        "target": accepted.target.to_string(),
        "labels": accepted.recipe,
        "points_sha256": accepted.points_sha256,
        "certificate_sha256": accepted.digest,
    });
    let reading = Reading { how: accepted.target.into(), classes: accepted.classes.clone() };
    reading::record(&reading, &mut found, accepted.outputs);
    arguments.write(&found)?;
    if arguments.common.json {
        print_json(&found)?;
        return Ok(Verdict::Yes);
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
    Ok(Verdict::Yes)
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
) -> Result<Verdict, CliError> {
    let file = match shatter_certify::read(bytes) {
        Ok(file) => file,
        Err(error) => return undecided(arguments, &error.to_string()),
    };
    let mut out = BufWriter::new(io::stdout().lock());
    match write_integers(&mut out, &file, sample) {
        Ok(()) => Ok(Verdict::Yes),
        Err(IntegersError::Io(error)) => written(Err(error)).map(|()| Verdict::Yes),
        Err(IntegersError::Layered) => Err(CliError::Usage(format!(
            "{}: the checker in proofs/ reads the two-layer form only, and this \
             certificate is layered: check it without --integers",
            certificate.display()
        ))),
        Err(error) => undecided(arguments, &error.to_string()),
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

fn rejected(arguments: &Arguments, rejection: &Rejection) -> Result<Verdict, CliError> {
    if rejection.is_undecided() {
        return undecided(arguments, &rejection.to_string());
    }
    let found = serde_json::json!({ "accepted": false, "reason": rejection.to_string() });
    arguments.write(&found)?;
    if arguments.common.json {
        print_json(&found)?;
    } else if arguments.integers {
        eprintln!("rejected: {rejection}"); // standard output is for the integers
    } else {
        print(&format!("rejected: {}\n", visible::line(&rejection.to_string())))?;
    }
    Ok(Verdict::No)
}

fn undecided(arguments: &Arguments, reason: &str) -> Result<Verdict, CliError> {
    let found = serde_json::json!({ "accepted": null, "reason": reason });
    arguments.write(&found)?;
    Err(CliError::Undecided(reason.to_owned()))
}
