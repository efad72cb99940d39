//! `shatter eval` of a checkpoint.

use serde::Serialize;
use shatter_exact::{Element, Format};
use shatter_interchange::load::{LoadError, Trained};
use shatter_network::reading::{How, ReadingError};
use shatter_network::{Reading, graph};
use shatter_plain as plain;
use shatter_prepare::Condition;
use shatter_prepare::preprocess::prepare;
use shatter_sample::Labels;
use shatter_train::{Identity, measured};

use super::super::json::{self, FilePath, Number};
use super::super::output::{Facts, grouped, percent, print};
use super::super::reading::cell;
use super::super::{Answer, CliError, raw_sample, write};
use super::{Arguments, Configuration, EvalRecord};

/// Of a checkpoint.
#[derive(Serialize)]
struct CheckpointFound {
    as_test: bool,
    condition: String,
    seed: u64,
    loss: Number,
    accuracy: Option<f64>,
    accuracy_on_own_labels: Option<f64>,
    accuracy_on_changed_labels: Option<f64>,
}

/// How the file says that outputs are read.
type Own = Result<Option<Reading>, ReadingError>;

/// Evaluates a checkpoint of a run of this identity.
pub fn run(
    arguments: &Arguments,
    checkpoint: &Trained,
    identity: &Identity,
    own: Own,
) -> Result<Answer, CliError> {
    match checkpoint.precision {
        Format::F64 => evaluate::<f64>(arguments, checkpoint, identity, own),
        _ => evaluate::<f32>(arguments, checkpoint, identity, own),
    }
}

fn evaluate<E: Element>(
    arguments: &Arguments,
    checkpoint: &Trained,
    identity: &Identity,
    said: Own,
) -> Result<Answer, CliError> {
    let data = &identity.data;
    let preprocess = data.preprocess;
    let seed = arguments.common.seed.unwrap_or(data.condition_seed);
    let condition = match arguments.labels {
        None => data.condition,
        Some(rule) => {
            Condition::try_from(rule).map_err(|error| CliError::Usage(error.to_string()))?
        }
    };
    let sample_seed = arguments.common.seed.or(data.sample_seed).unwrap_or(0);
    let load = |text: &str| raw_sample(text, sample_seed);
    let text = arguments.sample.as_str();
    let raw = load(text)?;
    // Where the two samples are one, or labels are asked for, nothing says that it is the test's.
    let test = data.test.as_deref();
    let tested = test == Some(raw.text.as_str()) && test != Some(data.sample.as_str());
    let as_test = arguments.as_test || (tested && arguments.labels.is_none());
    let randomize_test = data.randomize_test;
    let prepared = if as_test {
        // Test images are numbered after the training images, and have their moments.
        let train = match condition.changes_pixels() {
            true => Some(load(arguments.train.as_ref().unwrap_or(&data.sample))?),
            false => None,
        };
        let train = train.as_ref().unwrap_or(&raw);
        prepare::<E>(train, Some(&raw), condition, &preprocess, seed, randomize_test)
            .map(|(_, test)| test)
    } else {
        prepare::<E>(&raw, None, condition, &preprocess, seed, false).map(|(train, _)| Some(train))
    };
    let prepared = prepared.map_err(|error| CliError::sample(text, error))?;
    let Some(mut set) = prepared else { return Ok(Answer::No) }; // there always is one
    let (network, outputs) = (&checkpoint.architecture, checkpoint.outputs());
    if set.shape != network.input {
        return Err(CliError::Usage(format!(
            "{}: the network takes {}; {text} has {}",
            arguments.network.display(),
            network.input,
            set.shape
        )));
    }
    let file = &arguments.network;
    let otherwise = || Reading::by_outputs(outputs, &set.labels);
    let chosen = arguments.said.choose(file, said, otherwise)?;
    let said = chosen.bind(file, &set.labels, outputs)?;
    if !matches!((said.how(), said.class(0)), (How::Largest, _) | (How::Value, None)) {
        return Err(CliError::Usage(format!(
            "{}: outputs of a checkpoint are read as largest, or as value for real labels, not as {}",
            file.display(),
            said.how()
        )));
    }
    // Losses know classes by the outputs that stand for them.
    let own = std::mem::replace(&mut set.labels, said.labels().clone());
    let loss = identity.settings.loss;
    let graph = graph::trained::graph(network, &checkpoint.arrays, checkpoint.precision).map_err(
        |source| CliError::Load(Box::new(LoadError::Graph { file: file.clone(), source })),
    )?;
    let outputs_of = plain::outputs(&graph, &set.values, set.labels.len());
    let measured = measured(&outputs_of, &set, loss);
    if let Some(out) = &arguments.common.out {
        write(out, "outputs.csv", csv(&own, &outputs_of))?;
    }
    let n = set.labels.len() as u64;
    let found = EvalRecord {
        sample: raw.text.clone(),
        points: set.labels.len(),
        found: CheckpointFound {
            as_test,
            condition: condition.to_string(),
            seed,
            loss: measured.loss.into(),
            accuracy: measured.accuracy,
            accuracy_on_own_labels: measured.clean,
            accuracy_on_changed_labels: measured.changed,
        },
        reading: chosen.record(outputs),
    };
    let configuration = Configuration {
        network: FilePath::from(file.as_path()),
        labels: Some(condition.to_string()),
        seed,
        reading: chosen.reading.how.name(),
        classes: &chosen.reading.classes,
    };
    arguments.common.write("eval", &found, configuration, Some(&raw.text))?;
    if arguments.common.json {
        json::print(&found)?;
    } else {
        let mut facts = Facts::default();
        facts.add("sample", format!("{}, {}", raw.text, raw.points.describe()));
        let role = if as_test { ", as test sample" } else { "" };
        facts.add("condition", format!("{condition} (seed {seed}){role}"));
        facts.add("reading", chosen.text(&own, outputs));
        facts.add("loss", format!("{:.6}", measured.loss));
        if let Some(accuracy) = measured.accuracy {
            let text = format!("{} of {} points", percent(accuracy), grouped(n));
            facts.add("accuracy", text);
        }
        if let Some((changed, own)) = measured.changed.zip(measured.clean) {
            let text = format!(
                "{} where the label is the point's own, {} where changed",
                percent(own),
                percent(changed)
            );
            facts.add("", text);
        }
        print(facts.text())?;
    }
    Ok(if measured.accuracy == Some(1.0) { Answer::Yes } else { Answer::No })
}

/// A line a point: its label, and what the network puts out.
pub fn csv<E: Element>(labels: &Labels, outputs: &[E]) -> String {
    let width = outputs.len() / labels.len().max(1);
    let names: Vec<String> = (0..width).map(|k| format!("output{k}")).collect();
    let mut text = format!("label,{}\n", names.join(","));
    for (i, row) in outputs.chunks(width.max(1)).enumerate() {
        let row: Vec<String> =
            row.iter().map(|&value| Element::to_f64(value).to_string()).collect();
        text += &format!("{},{}\n", cell(&labels.describe(i)), row.join(","));
    }
    text
}
