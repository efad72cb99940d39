//! A network with its training sample, as measures take them.

use std::fs;
use std::path::Path;

use shatter_exact::{Element, Format};
use shatter_interchange::load::{Loaded, LoadedNetwork, Trained};
use shatter_judge::verdict;
use shatter_measure::Subject;
use shatter_measure::margin::Margins;
use shatter_network::Architecture;
use shatter_network::graph::trained::graph;
use shatter_network::reading::BoundLabels;
use shatter_network::{Graph, Reading};
use shatter_plain::outputs;
use shatter_prepare::Condition;
use shatter_prepare::preprocess::prepare;
use shatter_sample::{LabelRule, Labels, RawSample};
use shatter_train::{Identity, Settings, TrainError};

use crate::figures::init;
use crate::input::{self, Described};
use crate::manifest::MANIFEST;
use crate::reading::{ChosenReading, Override};
use crate::{CliError, CommonOptions, raw_sample};

/// What a command was asked to measure.
pub struct Asked<'a> {
    pub network: &'a Path,
    pub sample: &'a str,
    pub labels: Option<LabelRule>,
    /// A test sample.
    pub test: Option<&'a str>,
    /// The network before training.
    pub start: Option<&'a Path>,
    pub described: &'a Described,
    pub said: &'a Override,
    pub common: &'a CommonOptions,
}

/// A network, its start, and the sample in the numbers that it takes.
pub struct Owned {
    pub loaded: Loaded,
    pub graph: Graph,
    pub start: Option<Graph>,
    /// Where the start comes from: `none`, `drawn`, or a file.
    pub start_text: String,
    pub points: Vec<f64>,
    pub labels: BoundLabels,
    pub own: Labels,
    pub classes: u32,
    pub bytes: u64,
    /// SAMPLE text, with the seed.
    pub sample: String,
    /// Condition or rule of the labels.
    pub condition: String,
    pub seed: u64,
    pub reading: ChosenReading,
    /// Of a checkpoint: rates with the steps taken at each, and the settings.
    pub stages: Option<(Vec<(f64, u64)>, Settings)>,
    /// Share of errors on the test sample.
    pub test_error: Option<f64>,
}

impl Owned {
    /// As the library takes it.
    pub fn subject(&self, delta: f64) -> Subject<'_> {
        Subject {
            graph: &self.graph,
            start: self.start.as_ref(),
            points: &self.points,
            labels: &self.labels,
            classes: self.classes,
            delta,
            bytes: Some(self.bytes),
        }
    }
}

/// Points and labels as a network takes them.
struct Taken {
    points: Vec<f64>,
    labels: Labels,
}

/// Loads network and sample.
pub fn load(asked: &Asked) -> Result<Owned, CliError> {
    let loaded = asked.described.load(asked.network)?;
    let graph = loaded.graph()?.into_owned();
    let trained = match &loaded.body {
        LoadedNetwork::Trained(trained) => {
            trained.run.as_deref().map(|run| (trained, &run.identity))
        }
        _ => None,
    };
    let raw = |text: &str, seed| raw_sample(text, seed);
    let (sample, condition, seed, train, test) = match trained {
        Some((trained, identity)) => {
            let (seed, sample_seed) = seeds(asked, identity);
            let condition = match asked.labels {
                None => identity.data.condition,
                Some(rule) => {
                    Condition::try_from(rule).map_err(|error| CliError::Usage(error.to_string()))?
                }
            };
            let train = raw(asked.sample, sample_seed)?;
            let test = asked.test.map(|text| raw(text, sample_seed)).transpose()?;
            let (train_set, test_set) = match trained.precision {
                Format::F64 => prepared::<f64>(asked, &train, test.as_ref(), condition, identity)?,
                _ => prepared::<f32>(asked, &train, test.as_ref(), condition, identity)?,
            };
            (train.text, condition.to_string(), seed, train_set, test_set)
        }
        None => {
            let seed = asked.common.seed();
            let labelled = |text: &str, rule| -> Result<RawSample, CliError> {
                input::labelled(rule, asked.common, &loaded, raw(text, seed)?)
            };
            let train = labelled(asked.sample, asked.labels)?;
            // A test sample keeps its own labels.
            let test = asked.test.map(|text| labelled(text, Some(LabelRule::True))).transpose()?;
            let taken = |raw: &RawSample| Taken {
                points: verdict::inputs(&raw.points, graph.precision, 0..raw.points.n()),
                labels: raw.labels.clone(),
            };
            let origin = loaded.origin.as_ref();
            let rule = asked.labels.or(origin.map(|origin| origin.rule));
            let condition = rule.unwrap_or(LabelRule::True).to_string();
            (train.text.clone(), condition, seed, taken(&train), test.as_ref().map(taken))
        }
    };
    let width = shatter_network::graph::count(&graph.input);
    if train.points.len() != train.labels.len() * width {
        let found = train.points.len() / train.labels.len().max(1);
        return Err(CliError::Usage(format!(
            "{}: the network takes {width} coordinates, the points of {} have {found}",
            asked.network.display(),
            asked.sample
        )));
    }
    let outputs_of = graph.outputs();
    let otherwise = || Reading::by_outputs(outputs_of, &train.labels);
    let reading = asked.said.choose(asked.network, loaded.reading.clone(), otherwise)?;
    let labels = reading.bind(asked.network, &train.labels, outputs_of)?;
    let test_error = match &test {
        None => None,
        Some(test) => Some(test_error(&graph, test, &reading, asked)?),
    };
    let (start, start_text) = start(asked, trained)?;
    let bytes = fs::metadata(asked.network).map_err(CliError::at(asked.network))?.len();
    let stages = match &loaded.body {
        LoadedNetwork::Trained(Trained { run: Some(run), .. }) => {
            let settings = run.identity.settings.clone();
            let steps = train.labels.len().div_ceil(settings.batch.max(1)) as u64;
            let epochs = run.progress.epoch;
            let whole = (0..epochs).map(|epoch| (settings.rate(epoch), steps));
            let begun = u64::from(run.progress.step).saturating_sub(u64::from(epochs) * steps);
            let rest = (settings.rate(epochs), begun);
            Some((whole.chain((begun > 0).then_some(rest)).collect(), settings))
        }
        _ => None,
    };
    Ok(Owned {
        classes: match &train.labels {
            Labels::Classes { count, .. } => *count,
            Labels::Real { .. } => 0,
        },
        own: train.labels,
        points: train.points,
        labels,
        graph,
        start,
        start_text,
        bytes,
        sample,
        condition,
        seed,
        reading,
        stages,
        test_error,
        loaded,
    })
}

/// Seeds of condition and sample of a checkpoint.
fn seeds(asked: &Asked, identity: &Identity) -> (u64, u64) {
    let asked = asked.common.seed;
    let data = &identity.data;
    (asked.unwrap_or(data.condition_seed), asked.or(data.sample_seed).unwrap_or(0))
}

fn prepared<E: Element>(
    asked: &Asked,
    train: &RawSample,
    test: Option<&RawSample>,
    condition: Condition,
    identity: &Identity,
) -> Result<(Taken, Option<Taken>), CliError> {
    let (seed, _) = seeds(asked, identity);
    let preprocess = identity.data.preprocess;
    let (train_set, test_set) = prepare::<E>(train, test, condition, &preprocess, seed, false)
        .map_err(|error| CliError::sample(asked.sample, error))?;
    let wide = |set: shatter_prepare::preprocess::Prepared<E>| Taken {
        points: set.values.iter().map(|&x| Element::to_f64(x)).collect(),
        labels: set.labels,
    };
    Ok((wide(train_set), test_set.map(wide)))
}

/// The network before training: a file's, or drawn again as the settings of a checkpoint say.
fn start(
    asked: &Asked,
    trained: Option<(&Trained, &Identity)>,
) -> Result<(Option<Graph>, String), CliError> {
    let beside = || init(&asked.network.parent()?.join(MANIFEST));
    let file = match (asked.start, trained) {
        (Some(file), _) => Some(file.to_owned()),
        (None, Some(_)) => beside(),
        (None, None) => None,
    };
    if let Some(file) = file {
        let loaded = asked.described.load(&file)?;
        return Ok((Some(loaded.graph()?.into_owned()), file.display().to_string()));
    }
    let Some((trained, identity)) = trained else { return Ok((None, "none".to_owned())) };
    let drawn = drawn(&trained.architecture, &identity.settings, trained.precision)?;
    Ok((Some(drawn), "drawn".to_owned()))
}

/// A network with its initial weights.
pub fn drawn(
    architecture: &Architecture,
    settings: &Settings,
    precision: Format,
) -> Result<Graph, CliError> {
    let narrow = |x: f64| match precision {
        Format::F64 => x,
        _ => f64::from(x as f32),
    };
    let arrays = architecture.arrays().map_err(TrainError::from)?;
    let arrays = arrays.into_iter().zip(0u32..).map(|(parameter, index)| {
        let drawn = settings.initialization.draw(&parameter, index, settings.seed);
        (parameter, drawn.into_iter().map(narrow).collect::<Vec<f64>>())
    });
    let arrays: Vec<_> = arrays.collect();
    graph(architecture, &arrays, precision)
        .map_err(|error| CliError::Usage(format!("the network before training: {error}")))
}

/// Share of a test sample's points whose label the outputs do not say, ties included.
fn test_error(
    graph: &Graph,
    test: &Taken,
    reading: &ChosenReading,
    asked: &Asked,
) -> Result<f64, CliError> {
    let n = test.labels.len();
    let labels = reading.bind(asked.network, &test.labels, graph.outputs())?;
    let numbers: Vec<f64> = outputs(graph, &test.points, n);
    let margins = Margins::of(&numbers, graph.outputs(), &labels, 0.0)?;
    Ok(margins.errors() as f64 / n as f64)
}
