//! `shatter check --network`: whether a network of other people's fits a sample, with a certificate.

use std::io::{Read, Write};
use std::path::Path;

use crate::cli::input::AnyCheckpoint;
use crate::cli::output::{Facts, Progress, grouped, print, print_json, seconds, timed};
use crate::cli::{CliError, Verdict, input, write};
use crate::exact::{Element, Format};
use crate::interchange::onnx::{self, External};
use crate::interchange::{InterchangeError, tensors};
use crate::judge::{
    certificate::{self, Subject, Tally},
    claims, verdict as judge,
};
use crate::network::architecture::{Architecture, Shape};
use crate::network::graph;
use crate::network::reading::ReadingError;
use crate::network::{Graph, Reading};
use crate::sample::{
    self, Condition, LabelRule, Labels, Points, Preprocess, RawSample, Values, prepare,
};
use crate::train::{Checkpoint, TrainError, load_weights, reading};

use super::Arguments;

/// The largest file that is read: protobuf has room for no more.
const LARGEST: u64 = 1 << 31;

/// A network, and the points as it takes them.
struct Task {
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
) -> Result<Verdict, CliError> {
    let progress = Progress::start();
    progress.say("reading");
    let at = |source| CliError::Interchange { file: file.to_owned(), source: Box::new(source) };
    let undecided = |source| CliError::Judge { file: file.to_owned(), source: Box::new(source) };
    let bytes = bounded(file, LARGEST)?;
    let raw = sample::load(text, arguments.common.seed());
    let raw = raw.map_err(|error| CliError::sample(text, error))?;
    let mut external = External::default();
    let task = match file.extension().and_then(|extension| extension.to_str()) {
        Some("onnx") => {
            if arguments.architecture.is_some() {
                let file = file.display();
                let reason = "--architecture is for .safetensors; ONNX files say their layers";
                return Err(CliError::Usage(format!("{file}: {reason}")));
            }
            external =
                External::read(&bytes, file.parent().unwrap_or(Path::new(""))).map_err(at)?;
            let network = onnx::network_with(&bytes, &external).map_err(at)?;
            let description = format!("ONNX, {} operations", network.steps.len() - 1);
            let reading = Reading::from_metadata(&onnx::metadata(&bytes).map_err(at)?);
            Task {
                network,
                description,
                layers: None,
                inputs: "points".to_owned(),
                sample: labelled(arguments, raw)?,
                reading,
            }
        }
        Some("safetensors") => {
            let copy = Snapshot::of(&bytes, file)?;
            match &arguments.architecture {
                Some(layers) => described(arguments, &copy, layers, raw)?,
                None => match copy.named(input::checkpoint(copy.path()))? {
                    AnyCheckpoint::Single(checkpoint) => {
                        trained(arguments, file, &checkpoint, &raw)?
                    }
                    AnyCheckpoint::Double(checkpoint) => {
                        trained(arguments, file, &checkpoint, &raw)?
                    }
                },
            }
        }
        _ => {
            return Err(CliError::Usage(format!(
                "{}: a name that ends in .onnx or .safetensors is wanted",
                file.display()
            )));
        }
    };
    let digest = certificate::digest_of_files(&bytes, external.files().map(|(_, bytes)| bytes));
    drop((bytes, external));
    let (points, labels) = (&task.sample.points, &task.sample.labels);
    let outputs = task.network.outputs();
    let otherwise = || Reading::by_outputs(outputs, labels);
    let chosen = arguments.said.choose(file, task.reading.clone(), otherwise)?;
    let said = chosen.bind(file, labels, outputs)?;
    let claimed = match claimed {
        Some(path) => {
            let bytes = bounded(path, certificate::longest(labels))?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        }
        None => None,
    };
    // Decided is what the certificate speaks of, unless something else is asked for.
    let named = claimed.as_deref().map(certificate::runtime);
    let runtime = arguments.runtime.or(named).unwrap_or_default();
    progress.say("deciding every point");
    let decide = || judge::decide(&task.network, points, &said, runtime, arguments.exact);
    let (result, deciding) = timed(decide);
    let mut judged = result.map_err(undecided)?;
    let subject = Subject {
        network_sha256: digest,
        description: task.description.clone(),
        layers: task.layers.clone(),
        takes: task.network.input.clone(),
        gives: outputs,
        precision: task.network.precision,
        runtime,
        said: &said,
        inputs: task.inputs.clone(),
        sample: &task.sample,
    };
    let n = judged.len();
    let claims = match &claimed {
        Some(text) => Some(
            claims::confirm(text, &subject, &task.network, &mut judged, arguments.exact)
                .map_err(undecided)?,
        ),
        None => None,
    };
    let tally = Tally::of(&judged);
    let count = |answer| judged.iter().filter(|one| one.fits == answer).count();
    let (fits, open) = (count(Some(true)), count(None));
    let beyond = judged.iter().filter(|one| one.verdict == judge::Verdict::Margin);
    let beyond = beyond.map(|one| one.low - one.rounding).fold(f64::INFINITY, f64::min);
    let known = || judged.iter().map(|one| one.rounding).filter(|bound| bound.is_finite());
    let (rounding, unbounded) = (known().fold(0.0, f64::max), n - known().count());
    let mut found = serde_json::json!({
        "network_sha256": subject.network_sha256,
        "network": subject.description,
        "precision": subject.precision.name(),
        "runtime": runtime.name(),
        "inputs": subject.inputs,
        "points": n,
        "verdicts": tally,
        "fits_in_real_arithmetic": fits,
        "open_in_real_arithmetic": open,
        "least_margin_beyond_rounding": beyond.is_finite().then_some(beyond),
        "largest_rounding_bound": (unbounded == 0).then_some(rounding),
        "without_rounding_bound": unbounded,
    });
    chosen.record(&mut found, outputs);
    let verdict = match &claims {
        Some(Ok(claimed)) => {
            found["accepted"] = true.into();
            found["claims"] = serde_json::json!(claimed);
            Verdict::Yes
        }
        Some(Err(reason)) => {
            found["accepted"] = false.into();
            found["reason"] = reason.as_str().into();
            Verdict::No
        }
        None => {
            progress.say("writing");
            let out = arguments.common.out.clone().unwrap_or_else(|| "out/check".into());
            write(&out, "certificate.txt", certificate::write(&subject, &judged))?;
            found["certificate"] = out.join("certificate.txt").display().to_string().into();
            if tally.exact + tally.margin == n { Verdict::Yes } else { Verdict::No }
        }
    };
    arguments.write(&found)?;
    drop(progress);
    if arguments.common.json {
        print_json(&found)?;
        return Ok(verdict);
    }
    let mut facts = Facts::default();
    match &claims {
        Some(Ok(claimed)) => facts.add("accepted", claims_text(claimed, n)),
        Some(Err(reason)) => facts.add("rejected", reason),
        None => {}
    }
    facts.add("network", format!("{}, {}", task.description, subject.precision.name()));
    facts.add("runtime", format!("{runtime}: {}", runtime.description()));
    facts.add("inputs", format!("{}, {}", task.inputs, points.describe()));
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
    if let Some(path) = found["certificate"].as_str() {
        facts.add("certificate", path);
    }
    facts.add("times", format!("deciding {}", seconds(deciding)));
    print(facts.text())?;
    Ok(verdict)
}

/// What an accepted certificate claims: it may be little.
fn claims_text(claimed: &Tally, n: usize) -> String {
    let number = |n: usize| grouped(n as u64);
    let Tally { exact, margin, undecided, misfit } = *claimed;
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

/// The bytes of a file, of at most so many.
fn bounded(path: &Path, most: u64) -> Result<Vec<u8>, CliError> {
    // Before opening: to open a pipe is to wait for whoever writes.
    let status = std::fs::metadata(path).map_err(CliError::at(path))?;
    if !status.is_file() || status.len() > most {
        let reason = format!("{}: a file of at most {most} bytes is wanted", path.display());
        return Err(CliError::Usage(reason));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(CliError::at(path))?;
    file.take(most).read_to_end(&mut bytes).map_err(CliError::at(path))?;
    Ok(bytes)
}

/// All points with their own labels; under another rule the distinct ones, as constructions have them.
fn labelled(arguments: &Arguments, raw: RawSample) -> Result<RawSample, CliError> {
    match arguments.labels {
        None | Some(LabelRule::True) => Ok(raw),
        Some(rule) => {
            let text = raw.text.clone();
            let sample = raw.distinct(rule, arguments.common.seed());
            let sample = sample.map_err(|error| CliError::sample(&text, error))?;
            Ok(RawSample { text, points: sample.points, labels: sample.labels })
        }
    }
}

/// What was read of a file, in a file of its own: so that what is decided is what was hashed, whatever
/// becomes of the file meanwhile.
struct Snapshot<'a> {
    held: tempfile::NamedTempFile,
    bytes: &'a [u8],
    file: &'a Path,
}

impl<'a> Snapshot<'a> {
    fn of(bytes: &'a [u8], file: &'a Path) -> Result<Snapshot<'a>, CliError> {
        let mut held = tempfile::NamedTempFile::new().map_err(CliError::at(file))?;
        held.write_all(bytes).map_err(CliError::at(file))?;
        Ok(Snapshot { held, bytes, file })
    }

    fn path(&self) -> &Path {
        self.held.path()
    }

    /// Errors speak of the file itself.
    fn named<T, E: ToString>(&self, result: Result<T, E>) -> Result<T, CliError> {
        let (own, file) = (self.path().display().to_string(), self.file.display().to_string());
        result.map_err(|error| CliError::Usage(error.to_string().replace(&own, &file)))
    }
}

/// A safetensors file whose layers are given in words.
fn described(
    arguments: &Arguments,
    copy: &Snapshot,
    layers: &str,
    raw: RawSample,
) -> Result<Task, CliError> {
    let sample = labelled(arguments, raw)?;
    let types = tensors::types(copy.bytes).map_err(|source| at(copy.file, source))?;
    let precision = match types.as_slice() {
        [one] if one == "F32" => Format::F32,
        [one] if one == "F64" => Format::F64,
        _ => {
            let file = copy.file.display();
            let reason =
                format!("{file}: its tensors are {}: all F32 or all F64", types.join(", "));
            return Err(CliError::Usage(reason));
        }
    };
    let outputs = match (&sample.labels, arguments.outputs) {
        (_, Some(outputs)) => outputs,
        (Labels::Classes { count, .. }, None) => {
            // A table numbers its classes by rank; outputs go up to the largest number of one.
            let numbers = (0..*count).filter_map(|class| sample.labels.number(class));
            let up_to = numbers.max().map_or(*count as usize, |most| most as usize + 1);
            arguments.said.named().unwrap_or(up_to)
        }
        (Labels::Real { outputs, .. }, None) => *outputs,
    };
    let shape = Shape::from_shape(sample.points.shape());
    let shape = shape.ok_or_else(|| CliError::Usage("its points are no images".to_owned()))?;
    let architecture = Architecture::named(layers, shape, outputs).map_err(TrainError::from)?;
    let arrays = copy.named(load_weights::<f64>(copy.path(), &architecture))?;
    let network = graph::trained::graph(&architecture, &arrays, precision);
    let network = network.map_err(|source| at(copy.file, source.into()))?;
    let description = architecture.to_string();
    let layers = Some(description.clone());
    let reading = Ok(None);
    Ok(Task { network, description, layers, inputs: "points".to_owned(), sample, reading })
}

fn at(file: &Path, source: InterchangeError) -> CliError {
    CliError::Interchange { file: file.to_owned(), source: Box::new(source) }
}

/// A checkpoint brings its layers, its preparation and its labels.
fn trained<E: Element>(
    arguments: &Arguments,
    file: &Path,
    checkpoint: &Checkpoint<E>,
    raw: &RawSample,
) -> Result<Task, CliError> {
    let data = &checkpoint.settings["data"];
    let usage = |reason: String| CliError::Usage(format!("{}: {reason}", file.display()));
    let preprocess: Preprocess = serde_json::from_value(data["preprocess"].clone())
        .map_err(|error| usage(format!("its preprocessing cannot be read: {error}")))?;
    let condition: Condition = match arguments.labels {
        None => data["condition"].as_str().unwrap_or("").parse().map_err(usage)?,
        Some(LabelRule::True) => Condition::True,
        Some(LabelRule::Random) => Condition::Random,
        Some(LabelRule::Corrupted(p)) => Condition::Corrupted(p),
        Some(LabelRule::Alternating) => {
            return Err(usage("no network is trained on alternating labels".into()));
        }
    };
    let seed = arguments.common.seed.or(data["condition_seed"].as_u64()).unwrap_or(0);
    let prepared = prepare::<E>(raw, None, condition, &preprocess, seed, false);
    let (set, _) = prepared.map_err(|error| CliError::sample(&raw.text, error))?;
    let precision = E::FORMAT;
    let wide = || set.values.iter().map(|&x| Element::to_f64(x));
    let values = match precision {
        Format::F64 => Values::F64(wide().collect()),
        _ => Values::F32(wide().map(|x| x as f32).collect()),
    };
    let Shape { channels, height, width } = set.shape;
    let points = Points::new(values, vec![channels, height, width]);
    let points = points.map_err(|error| CliError::sample(&raw.text, error))?;
    let architecture = checkpoint.network().map_err(TrainError::from)?;
    let network = graph::trained::graph(&architecture, &checkpoint.arrays, precision);
    let network = network.map_err(|source| at(file, source.into()))?;
    Ok(Task {
        network,
        description: checkpoint.architecture.clone(),
        layers: None,
        inputs: format!("prepared {condition} seed={seed}"),
        sample: RawSample { text: raw.text.clone(), points, labels: set.labels },
        reading: reading(&checkpoint.settings),
    })
}
