//! The files of `linear`.

use std::path::{Path, PathBuf};

use serde::Serialize;

use shatter_exact::Format;
use shatter_figure::linear::{Course, PathPoint, decay, distances};
use shatter_figure::{self as figure, FigureError, Plot};
use shatter_prepare::Preprocess;
use shatter_regression::{Descent, Epoch, Model, norm};
use shatter_sample::Labels;
use shatter_sample::fingerprint::{fingerprint, fingerprint_labelled};
use shatter_train::run::CHECKPOINT;
use shatter_train::{
    Checkpoint, DataIdentity, Identity, Initialization, Loss, Measured, Order, Progress, Settings,
    TrainError,
};

use super::super::manifest::{self, Manifest};
use super::super::{CliError, json, write, write_figure};
use super::data::Data;
use super::measure::Found;
use super::{Arguments, refused};

#[derive(Serialize)]
struct Configuration<'a> {
    sample: &'a str,
    test: Option<&'a str>,
    condition: String,
    seed: u64,
    preprocess: Preprocess,
    bias: bool,
    epochs: u32,
    learning_rate: Option<f64>,
    momentum: f64,
    decay: Vec<f64>,
}

/// The file of the model.
pub fn network(arguments: &Arguments) -> PathBuf {
    let out = arguments.common.out.as_deref().unwrap_or(Path::new("out/linear"));
    out.join(CHECKPOINT)
}

/// Writes all files; the name of the manifest.
pub fn write_all(
    arguments: &Arguments,
    data: &Data,
    found: &Found,
    out: &Path,
) -> Result<String, CliError> {
    let place = manifest::place(out, "linear");
    let record = &found.record;
    save(arguments, data, found)?;
    write(out, "linear.json", json::text(record)?)?;
    write(out, "descent.csv", descent_csv(found))?;
    write(out, "decay.csv", decay_csv(found))?;
    let mut manifest = Manifest::new(Configuration {
        sample: &record.sample,
        test: record.test_sample.as_deref(),
        condition: record.condition.clone(),
        seed: record.seed,
        preprocess: data.preprocess,
        bias: record.bias,
        epochs: arguments.epochs,
        learning_rate: arguments.learning_rate,
        momentum: arguments.momentum,
        decay: record.decay.iter().map(|point| point.decay).collect(),
    });
    manifest.sample = Some(record.sample.clone());
    manifest.points_sha256 = Some(fingerprint(&data.raw.points));
    let note = format!(
        "{} · version {} · commit {}",
        command(arguments),
        manifest.version,
        manifest.commit
    );
    let title = title(found);
    draw(out, "descent", &distances(&title, courses(found), &note))?;
    draw(out, "decay", &decay(&title, &path(found), &note))?;
    manifest.write(&out.join(&place))?;
    Ok(place)
}

/// The command that makes these files, as far as options change figures.
fn command(arguments: &Arguments) -> String {
    let Arguments { sample, labels, momentum, epochs, .. } = arguments;
    let mut text =
        format!("shatter linear {sample} --labels {labels} --seed {}", arguments.common.seed());
    if arguments.bias {
        text += " --bias";
    }
    if arguments.no_whitening {
        text += " --no-whitening";
    }
    if let Some(crop) = arguments.crop {
        text += &format!(" --crop {crop}");
    }
    if arguments.no_test {
        text += " --no-test";
    }
    if let Some(test) = &arguments.test {
        text += &format!(" --test {test}");
    }
    if let Some(rate) = arguments.learning_rate {
        text += &format!(" --learning-rate {rate}");
    }
    if let Some(decays) = &arguments.decay {
        let decays: Vec<String> = decays.0.iter().map(f64::to_string).collect();
        text += &format!(" --decay {}", decays.join(","));
    }
    text + &format!(" --momentum {momentum} --epochs {epochs}")
}

/// "500 points of mnist, d = 784 and a bias, labels random", for titles.
fn title(found: &Found) -> String {
    let record = &found.record;
    let kind = record.sample.split(':').next().unwrap_or_default();
    let bias = if record.bias { " and a bias" } else { "" };
    let (n, d) = (record.points, record.coordinates);
    format!("{n} points of {kind}, d = {d}{bias}, labels {}", record.condition)
}

/// Draws a figure, unless there is nothing in it.
fn draw(out: &Path, name: &str, plot: &Plot) -> Result<(), CliError> {
    match figure::draw(plot) {
        Err(FigureError::Empty) => Ok(()),
        drawing => write_figure(out, name, drawing?),
    }
}

fn courses(found: &Found) -> Vec<Course> {
    let course = |(momentum, descent): &(f64, Descent)| {
        let points = |of: fn(&Epoch) -> f64| {
            descent.epochs.iter().map(|epoch| (f64::from(epoch.epoch), of(epoch))).collect()
        };
        Course {
            name: format!("momentum {momentum}"),
            distance: points(|epoch| epoch.distance),
            off_span: points(|epoch| epoch.off_span),
        }
    };
    found.descents.iter().map(course).collect()
}

fn path(found: &Found) -> Vec<PathPoint> {
    let size = norm(&found.minimum.weights);
    let relative = |x: f64| if size == 0.0 { x } else { x / size };
    let error = |measured: &Measured| measured.accuracy.map(|accuracy| 1.0 - accuracy);
    let point = |point: &super::record::DecayRecord| PathPoint {
        decay: point.decay,
        norm: relative(point.norm),
        distance: relative(point.distance),
        train: error(&point.train),
        test: point.test.as_ref().and_then(error),
    };
    found.record.decay.iter().map(point).collect()
}

/// A line an epoch of each descent.
fn descent_csv(found: &Found) -> String {
    let mut text = "momentum,epoch,distance,off_span,norm,loss\n".to_owned();
    for (momentum, descent) in &found.descents {
        for epoch in &descent.epochs {
            let Epoch { epoch, distance, off_span, norm, loss } = epoch;
            text += &format!("{momentum},{epoch},{distance:e},{off_span:e},{norm},{loss:e}\n");
        }
    }
    text
}

/// A line a weight decay; errors are empty for real labels and where there is no test sample.
fn decay_csv(found: &Found) -> String {
    let mut text = "decay,norm,distance,train_loss,train_error,test_loss,test_error\n".to_owned();
    let cell = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    let error = |measured: &Measured| cell(measured.accuracy.map(|accuracy| 1.0 - accuracy));
    for point in &found.record.decay {
        let (train, test) = (&point.train, point.test.as_ref());
        let cells = [
            format!("{:e}", point.decay),
            point.norm.to_string(),
            format!("{:e}", point.distance),
            format!("{:e}", train.loss),
            error(train),
            cell(test.map(|test| test.loss)),
            test.map_or(String::new(), error),
        ];
        text += &(cells.join(",") + "\n");
    }
    text
}

/// Writes the model of minimum norm as the checkpoint of a run of 0 epochs: it carries the preparation of points, and
/// every command takes it.
fn save(arguments: &Arguments, data: &Data, found: &Found) -> Result<(), CliError> {
    let shape = data.train.prepared.shape;
    let outputs = found.record.outputs;
    let model = Model::new(&data.train.design, &found.minimum.weights, outputs)
        .map_err(refused(arguments))?;
    let architecture = model.architecture(shape).map_err(TrainError::from)?;
    let seed = arguments.common.seed();
    let classes = match &data.raw.labels {
        // One output would be read as a number, not as a class, without a name.
        Labels::Classes { count: 1, names, .. } if names.is_empty() => vec!["0".to_owned()],
        labels => labels.class_names().to_vec(),
    };
    let identity = DataIdentity {
        classes,
        condition: arguments.labels,
        condition_seed: seed,
        device: "cpu".to_owned(),
        precision: Format::F64.name().to_owned(),
        preprocess: data.preprocess,
        randomize_test: false,
        sample: data.raw.text.clone(),
        sample_seed: Some(seed),
        sample_sha256: Some(fingerprint_labelled(&data.raw)),
        test: data.raw_test.as_ref().map(|test| test.text.clone()),
        test_sha256: data.raw_test.as_ref().map(fingerprint_labelled),
    };
    let settings = Settings {
        batch: 1,
        learning_rate: 0.0,
        rate_decay: 1.0,
        momentum: 0.0,
        weight_decay: 0.0,
        initialization: Initialization::PyTorch,
        loss: Loss::Squared,
        order: Order::Shuffled,
        augmentation: None,
        epochs: 0,
        until_accuracy: None,
        until_loss: None,
        patience: None,
        seed,
    };
    let checkpoint = Checkpoint::<f64> {
        architecture: architecture.to_string(),
        input: shape,
        outputs,
        identity: Identity { data: identity, settings },
        progress: Progress::default(),
        arrays: model.arrays(shape).map_err(TrainError::from)?,
        velocities: Vec::new(),
    };
    checkpoint.save(&network(arguments), 0).map_err(|error| TrainError::from(error).into())
}
