//! `shatter check --network`: whether a network of other people's fits a sample, with a certificate.

use std::io::Read;
use std::path::Path;

use serde::Serialize;

use crate::json::{self, FilePath, Record};
use crate::output::{Facts, Progress, grouped, operations, print, seconds, timed};
use crate::reading::ReadingRecord;
use crate::{Answer, CliError, input, raw_sample, write};
use shatter_exact::Format;
use shatter_interchange::load::{self, Loaded, LoadedNetwork, Trained};
use shatter_judge::{
    Decided, Effort, Walks,
    certificate::{self, Subject, VerdictCounts},
    claims, verdict as judge,
};
use shatter_network::architecture::Shape;
use shatter_network::reading::ReadingError;
use shatter_network::{Graph, Reading};
use shatter_prepare::{NotTrained, prepare};
use shatter_sample::{Points, RawSample, Values};
use shatter_train::Identity;

use super::Arguments;

/// What `--json` prints and `check.json` holds.
#[derive(Serialize)]
struct NetworkRecord<'a> {
    /// Of a certificate that was given: whether every claim follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<VerdictCounts>,
    network_sha256: &'a str,
    network: &'a str,
    precision: &'static str,
    runtime: &'static str,
    inputs: &'a str,
    points: usize,
    verdicts: VerdictCounts,
    fits_in_real_arithmetic: usize,
    open_in_real_arithmetic: usize,
    least_margin_beyond_rounding: Option<f64>,
    /// Where every point has a bound.
    largest_rounding_bound: Option<f64>,
    without_rounding_bound: usize,
    left_by_enclosures: usize,
    walked: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<FilePath>,
    #[serde(flatten)]
    reading: ReadingRecord,
}

impl Record for NetworkRecord<'_> {
    const FORMAT: &'static str = "shatter check 1";
}

/// A network, and the points as it takes them.
struct NetworkOnPoints {
    network: Graph,
    description: String,
    /// The layers that the file does not say.
    layers: Option<String>,
    inputs: String,
    sample: RawSample,
    /// How the file says that outputs are read.
    reading: Result<Option<Reading>, ReadingError>,
}

pub fn run(
    arguments: &Arguments,
    file: &Path,
    claimed: Option<&Path>,
    text: &str,
) -> Result<Answer, CliError> {
    let progress = Progress::start();
    progress.say("reading");
    let undecided = |source| CliError::Judge { file: file.to_owned(), source: Box::new(source) };
    let raw = raw_sample(text, arguments.common.seed())?;
    let loaded = load(arguments, file, &raw)?;
    let on_points = on_points(arguments, file, &loaded, raw)?;
    let (points, labels) = (&on_points.sample.points, &on_points.sample.labels);
    let outputs = on_points.network.outputs();
    let claimed = match claimed {
        Some(path) => {
            let bytes = bounded(path, certificate::longest(labels))?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        }
        None => None,
    };
    // Decided is what the certificate speaks of, unless something else is asked for.
    let own = match claimed.as_deref().and_then(certificate::reading) {
        Some(reading) => own(reading, on_points.reading.clone()),
        None => on_points.reading.clone(),
    };
    let otherwise = || Reading::by_outputs(outputs, labels);
    let chosen = arguments.said.choose(file, own, otherwise)?;
    let said = chosen.bind(file, labels, outputs)?;
    let named = claimed.as_deref().map(certificate::runtime);
    let runtime = arguments.runtime.or(named).unwrap_or_default();
    progress.say("deciding every point");
    // To confirm a certificate is to do what it was made with.
    let otherwise = if claimed.is_some() { Walks::AtMost(usize::MAX) } else { Walks::default() };
    let walks = arguments.walks.unwrap_or(otherwise);
    let effort = Effort { exact: arguments.exact, walks };
    let decide = || judge::decide(&on_points.network, points, &said, runtime, effort);
    let (result, deciding) = timed(decide);
    let Decided { mut judged, left, walked } = result.map_err(undecided)?;
    let subject = Subject {
        network_sha256: loaded.sha256.clone(),
        description: on_points.description.clone(),
        layers: on_points.layers.clone(),
        takes: on_points.network.input.clone(),
        gives: outputs,
        precision: on_points.network.precision,
        runtime,
        said: &said,
        inputs: on_points.inputs.clone(),
        sample: &on_points.sample,
    };
    let n = judged.len();
    let claims = match &claimed {
        Some(text) => Some(
            claims::confirm(text, &subject, &on_points.network, &mut judged, arguments.exact)
                .map_err(undecided)?,
        ),
        None => None,
    };
    let tally = VerdictCounts::of(&judged);
    let count = |answer| judged.iter().filter(|one| one.fits == answer).count();
    let (fits, open) = (count(Some(true)), count(None));
    let beyond = judged.iter().filter(|one| one.verdict == judge::Verdict::Margin);
    let beyond = beyond.map(|one| one.low - one.rounding).fold(f64::INFINITY, f64::min);
    let known = || judged.iter().map(|one| one.rounding).filter(|bound| bound.is_finite());
    let (rounding, unbounded) = (known().fold(0.0, f64::max), n - known().count());
    let (accepted, reason, claimed) = match &claims {
        Some(Ok(claimed)) => (Some(true), None, Some(*claimed)),
        Some(Err(reason)) => (Some(false), Some(reason.as_str()), None),
        None => (None, None, None),
    };
    let (verdict, certificate) = match accepted {
        Some(true) => (Answer::Yes, None),
        Some(false) => (Answer::No, None),
        None => {
            progress.say("writing");
            let out = arguments.common.out.clone().unwrap_or_else(|| "out/check".into());
            let name = certificate_in(&out);
            write(&out, name, certificate::write(&subject, &judged))?;
            let yes = tally.exact + tally.margin == n;
            (if yes { Answer::Yes } else { Answer::No }, Some(out.join(name).into()))
        }
    };
    let found = NetworkRecord {
        accepted,
        reason,
        claims: claimed,
        network_sha256: &subject.network_sha256,
        network: &subject.description,
        precision: subject.precision.name(),
        runtime: runtime.name(),
        inputs: &subject.inputs,
        points: n,
        verdicts: tally,
        fits_in_real_arithmetic: fits,
        open_in_real_arithmetic: open,
        least_margin_beyond_rounding: beyond.is_finite().then_some(beyond),
        largest_rounding_bound: (unbounded == 0).then_some(rounding),
        without_rounding_bound: unbounded,
        left_by_enclosures: left,
        walked,
        certificate,
        reading: chosen.record(outputs),
    };
    arguments.write(&found, Some(&found.reading))?;
    drop(progress);
    if arguments.common.json {
        json::print(&found)?;
        return Ok(verdict);
    }
    let mut facts = Facts::default();
    match &claims {
        Some(Ok(claimed)) => facts.add("accepted", claims_text(claimed, n)),
        Some(Err(reason)) => facts.add("rejected", reason),
        None => {}
    }
    facts.add("network", format!("{}, {}", on_points.description, subject.precision.name()));
    facts.add("runtime", format!("{runtime}: {}", runtime.description()));
    facts.add("inputs", format!("{}, {}", on_points.inputs, points.describe()));
    facts.add("reading", chosen.text(labels, outputs));
    let number = |n: usize| grouped(n as u64);
    facts.add("fits exactly", number(tally.exact));
    let least = if beyond.is_finite() {
        format!(", by at least {beyond:.3e} beyond it")
    } else {
        String::new()
    };
    facts.add("with margin", format!("{} beyond the rounding bound{least}", number(tally.margin)));
    facts.add("undecided", number(tally.undecided));
    facts.add("does not fit", number(tally.misfit));
    if left > 0 {
        let more = match walked < left {
            true => "; --walks all for the others",
            false => "",
        };
        let walked = format!("walked from {} of them{more}", number(walked));
        facts.add("", format!("enclosures left {} undecided, {walked}", number(left)));
    }
    facts.add(
        "",
        format!("in real arithmetic {} of {} fit, {} open", number(fits), number(n), number(open)),
    );
    facts.add(
        "rounding",
        match unbounded {
            0 => format!("at most {rounding:.3e} under {runtime}"),
            _ => format!(
                "no bound at {} of the points, at most {rounding:.3e} under {runtime} elsewhere",
                number(unbounded)
            ),
        },
    );
    if let Some(path) = &found.certificate {
        facts.add("certificate", path.display().to_string());
    }
    facts.add("times", format!("deciding {}", seconds(deciding)));
    print(facts.text())?;
    Ok(verdict)
}

/// The reading that a certificate says, with the names of the network's file where it has none.
fn own(
    said: Reading,
    of_file: Result<Option<Reading>, ReadingError>,
) -> Result<Option<Reading>, ReadingError> {
    if !said.classes.is_empty() {
        return Ok(Some(said));
    }
    let classes = of_file?.map_or(Vec::new(), |reading| reading.classes);
    Ok(Some(Reading { classes, ..said }))
}

/// What an accepted certificate claims: it may be little.
fn claims_text(claimed: &VerdictCounts, n: usize) -> String {
    let number = |n: usize| grouped(n as u64);
    let VerdictCounts { exact, margin, undecided, misfit } = *claimed;
    format!(
        "the certificate claims {} of {} points to fit ({} exactly, {} with margin) and {} not to, and leaves \
         {} undecided; every claim follows",
        number(exact + margin),
        number(n),
        number(exact),
        number(margin),
        number(misfit),
        number(undecided)
    )
}

/// The name of the certificate: beside one of another kind, the only proof of what other files in the folder say.
fn certificate_in(out: &Path) -> &'static str {
    let name = "certificate.txt";
    let (path, own) = (out.join(name), certificate::HEADER.as_bytes());
    let there = std::fs::metadata(&path).is_ok_and(|status| status.is_file());
    let start = there.then(|| start(&path, own.len() as u64));
    match start {
        Some(Ok(start)) if start != own => "check.certificate.txt",
        _ => name, // what cannot be read is named when it is in the way
    }
}

/// The bytes of a file, of at most so many.
fn bounded(path: &Path, most: u64) -> Result<Vec<u8>, CliError> {
    // Before opening: to open a pipe is to wait for whoever writes.
    let status = std::fs::metadata(path).map_err(CliError::at(path))?;
    if !status.is_file() || status.len() > most {
        let reason = format!("{}: expected a file of at most {most} bytes", path.display());
        return Err(CliError::Usage(reason));
    }
    start(path, most).map_err(CliError::at(path))
}

/// The first bytes of a file.
fn start(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The network. Where its layers are given in words, it takes what the sample has.
fn load(arguments: &Arguments, file: &Path, raw: &RawSample) -> Result<Loaded, CliError> {
    let architecture = arguments.architecture.as_deref();
    let input = architecture.and_then(|_| Shape::from_shape(raw.points.shape()));
    if architecture.is_some() && input.is_none() {
        let reason = format!("{}: its points are neither images nor vectors", raw.text);
        return Err(CliError::Usage(reason));
    }
    let options = load::LoadOptions { architecture, outputs: arguments.outputs, input };
    Ok(load::load(file, &options)?)
}

/// The network, with the points as it takes them.
fn on_points(
    arguments: &Arguments,
    file: &Path,
    loaded: &Loaded,
    raw: RawSample,
) -> Result<NetworkOnPoints, CliError> {
    let network = loaded.graph()?.into_owned();
    let (description, layers) = match &loaded.body {
        LoadedNetwork::Trained(trained @ Trained { run: Some(run), .. }) => {
            let on_points = prepared(arguments, file, (trained, &run.identity), network, &raw)?;
            return Ok(NetworkOnPoints { reading: loaded.reading.clone(), ..on_points });
        }
        LoadedNetwork::Trained(Trained { architecture, .. }) => {
            let words = arguments.architecture.as_ref().map(|_| architecture.to_string());
            (architecture.to_string(), words)
        }
        LoadedNetwork::Graph(graph) => {
            (format!("{}, {}", loaded.kind.name(), operations(graph)), None)
        }
        LoadedNetwork::Explicit(explicit) => (explicit.construction.clone(), None),
    };
    let sample = input::labelled(arguments.labels, &arguments.common, loaded, raw)?;
    let (inputs, reading) = ("points".to_owned(), loaded.reading.clone());
    Ok(NetworkOnPoints { network, description, layers, inputs, sample, reading })
}

/// A checkpoint brings its layers, its preparation and its labels.
fn prepared(
    arguments: &Arguments,
    file: &Path,
    (checkpoint, identity): (&Trained, &Identity),
    network: Graph,
    raw: &RawSample,
) -> Result<NetworkOnPoints, CliError> {
    let data = &identity.data;
    let usage = |reason: String| CliError::Usage(format!("{}: {reason}", file.display()));
    let preprocess = data.preprocess;
    let condition = match arguments.labels {
        None => data.condition,
        Some(rule) => rule.try_into().map_err(|error: NotTrained| usage(error.to_string()))?,
    };
    let seed = arguments.common.seed.unwrap_or(data.condition_seed);
    let of_text = |error| CliError::sample(&raw.text, error);
    let (values, shape, labels) = match checkpoint.precision {
        Format::F64 => {
            let set = prepare::<f64>(raw, None, condition, &preprocess, seed, false);
            let (set, _) = set.map_err(of_text)?;
            (Values::F64(set.values.to_vec()), set.shape, set.labels)
        }
        _ => {
            let set = prepare::<f32>(raw, None, condition, &preprocess, seed, false);
            let (set, _) = set.map_err(of_text)?;
            (Values::F32(set.values.to_vec()), set.shape, set.labels)
        }
    };
    let Shape { channels, height, width } = shape;
    let points = Points::new(values, vec![channels, height, width]).map_err(of_text)?;
    Ok(NetworkOnPoints {
        network,
        description: checkpoint.architecture.to_string(),
        layers: None,
        inputs: format!("prepared {condition} seed={seed}"),
        sample: RawSample { text: raw.text.clone(), points, labels },
        reading: Ok(None),
    })
}
