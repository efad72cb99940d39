//! What `train` and `randomize` have in common: options, data, progress, and how runs are stopped.

use std::path::Path;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::ser::{Error, Serialize, Serializer};

use crate::manifest::Manifest;
use shatter_device::Arithmetic;
use shatter_device::Device;
use shatter_device::cpu::Cpu;
use shatter_exact::Element;
use shatter_prepare::preprocess::Preprocess;
use shatter_prepare::{Augmentation, Condition};
use shatter_sample::fingerprint::{fingerprint, fingerprint_labelled};
use shatter_sample::image::Shape;
use shatter_sample::{LabelRule, Labels, RawSample};
use shatter_train::randomize::{Case, Common};
use shatter_train::run::{Flow, Folder};
use shatter_train::table1::TableRow;
use shatter_train::{Initialization, Loss, Order, Progress, Settings};

use super::device::{self, ChosenDevice, DeviceChoice};
use super::json::FilePath;
use super::output::percent;
use super::{CliError, raw_sample};

/// Set by the first interrupt while a run is under way: it ends with a checkpoint.
static STOP: AtomicBool = AtomicBool::new(false);
/// Whether a run is under way.
static RUNNING: AtomicBool = AtomicBool::new(false);

/// Whether an interrupt is left to the run that is under way.
pub fn interrupted() -> bool {
    RUNNING.load(Ordering::SeqCst) && !STOP.swap(true, Ordering::SeqCst)
}

/// Whether somebody asked for an end.
pub fn stopped() -> bool {
    STOP.load(Ordering::SeqCst)
}

/// From here on the first interrupt is left to what asks [`stopped`].
pub fn begin() {
    RUNNING.store(true, Ordering::SeqCst);
}

/// From here on an interrupt ends the process.
pub fn end() {
    RUNNING.store(false, Ordering::SeqCst);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    /// Single
    F32,
    /// Double
    F64,
    /// Single, products on tensor cores of factors rounded to TF32; CUDA only
    Tf32,
    /// Single, products on tensor cores of factors rounded to BF16; CUDA only
    Bf16,
}

impl Precision {
    /// How products are computed.
    fn arithmetic(self) -> Arithmetic {
        match self {
            Precision::F32 | Precision::F64 => Arithmetic::Own,
            Precision::Tf32 => Arithmetic::Tf32,
            Precision::Bf16 => Arithmetic::Bf16,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LossChoice {
    /// Softmax cross-entropy
    CrossEntropy,
    /// Half the squared distance to the label (one-hot for classes)
    Squared,
}

/// The network if no other is named.
const MODEL: &str = "mlp1x512";

/// TrainingOptions of every command that trains.
#[derive(Args, Debug, Clone)]
pub struct TrainingOptions {
    /// mlp1x512, mlp3x512, mlp:W1,W2,..., alexnet, inception, inception-nobn, or layers in words
    #[arg(long, default_value = MODEL, value_name = "NETWORK")]
    model: String,
    /// The test sample [default: split=test of data sets that have one]
    #[arg(long, value_name = "SAMPLE")]
    test: Option<String>,
    /// Use no test sample
    #[arg(long, conflicts_with = "test")]
    no_test: bool,
    /// Randomize the labels of the test sample too
    #[arg(long)]
    randomize_test: bool,
    /// Samples per step
    #[arg(long, default_value_t = 128, value_name = "N")]
    batch: usize,
    /// Learning rate of the first epoch [default: 0.1 for inception, 0.01 for others]
    #[arg(long, value_name = "RATE")]
    learning_rate: Option<f64>,
    /// Factor of the learning rate per epoch
    #[arg(long, default_value_t = 0.95, value_name = "FACTOR")]
    rate_decay: f64,
    /// Momentum
    #[arg(long, default_value_t = 0.9, value_name = "FACTOR")]
    momentum: f64,
    /// Weight decay
    #[arg(long, default_value_t = 0.0, value_name = "FACTOR")]
    weight_decay: f64,
    /// Initial weights: he-normal, he-uniform, glorot-normal, glorot-uniform, pytorch
    #[arg(long, default_value_t = Initialization::GlorotUniform, value_name = "RULE")]
    initialization: Initialization,
    /// Loss to minimize [default: cross-entropy for classes, squared for real labels]
    #[arg(long, value_name = "LOSS")]
    loss: Option<LossChoice>,
    /// Order of the samples in an epoch: shuffled, sequential
    #[arg(long, default_value_t = Order::Shuffled, value_name = "ORDER")]
    order: Order,
    /// Augment images at random, for example crop,flip,rotate:25
    #[arg(long, value_name = "HOW")]
    augment: Option<Augmentation>,
    /// Side of the central square cut out of images [default: 28, if they are larger]
    #[arg(long, value_name = "PIXELS")]
    crop: Option<usize>,
    /// Do not whiten images
    #[arg(long)]
    no_whitening: bool,
    /// Most epochs to train
    #[arg(long, default_value_t = 100, value_name = "N")]
    epochs: u32,
    /// Stop when this share of the training set is classified as labelled, or 'never' [default: 1,
    /// without --until-loss]
    #[arg(long, value_name = "SHARE")]
    until_accuracy: Option<Share>,
    /// Stop when the mean training loss of an epoch is at most this (and --until-accuracy, if given)
    #[arg(long, value_name = "LOSS")]
    until_loss: Option<f64>,
    /// Stop after this many epochs without a better test accuracy
    #[arg(long, value_name = "EPOCHS")]
    patience: Option<u32>,
    /// Number format
    #[arg(long, value_enum, default_value_t = Precision::F32, value_name = "TYPE")]
    pub precision: Precision,
    /// Device to compute on
    #[arg(long, value_enum, default_value_t = DeviceChoice::Auto)]
    device: DeviceChoice,
    /// Threads [default: one per processor]; results do not depend on it
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Seconds between checkpoints
    #[arg(long, default_value_t = 30.0, value_name = "S")]
    checkpoint_every: f64,
    /// Also record a line every STEPS steps, beside one per epoch
    #[arg(long, value_name = "STEPS")]
    log_every: Option<u32>,
    /// Evaluate the whole training set after every epoch, not only when it may be fitted
    #[arg(long)]
    evaluate_training: bool,
}

/// An accuracy that ends training.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Share {
    Never,
    Of(f64),
}

impl FromStr for Share {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Share, &'static str> {
        let wanted = "expected a number from 0 to 1, or never";
        match text {
            "never" => Ok(Share::Never),
            _ => text.parse().map(Share::Of).map_err(|_| wanted),
        }
    }
}

/// The samples of a command, their preprocessing, and the settings of training.
pub struct Setup {
    pub train: RawSample,
    pub test: Option<RawSample>,
    pub preprocess: Preprocess,
    pub settings: Settings,
    /// The seed that the samples were loaded with.
    sample_seed: u64,
    /// SHA-256 of the training points, as in certificates.
    points_sha256: String,
    /// SHA-256 of both samples with their labels.
    digests: (String, Option<String>),
}

impl Setup {
    /// As the library takes it.
    pub fn common<'a>(&'a self, options: &'a TrainingOptions) -> Common<'a> {
        Common {
            train: &self.train,
            test: self.test.as_ref(),
            sample_seed: self.sample_seed,
            digests: self.digests.clone(),
            preprocess: self.preprocess,
            randomize_test: options.randomize_test,
            model: &options.model,
            arithmetic: options.precision.arithmetic(),
            settings: self.settings.clone(),
        }
    }
}

/// The configuration in the manifest of a run, or of a command that has several: what differs between these is absent.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Configuration {
    sample: String,
    test: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<String>,
    settings: SharedSettings,
    preprocess: Preprocess,
    randomize_test: bool,
    precision: &'static str,
    device: String,
    /// Of a run: training labels that differ from the sample's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_labels: Option<u32>,
    /// Of `train`: the file that the first weights came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<Option<FilePath>>,
    /// Folders of the runs of `randomize`.
    #[serde(skip_serializing_if = "Option::is_none")]
    runs: Option<Vec<String>>,
    /// Folders of the rows of `table1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<String>>,
}

/// Settings, without those in which runs differ.
#[derive(Clone, Debug)]
struct SharedSettings {
    settings: Settings,
    differing: &'static [&'static str],
}

impl Serialize for SharedSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = serde_json::to_value(&self.settings).map_err(S::Error::custom)?;
        if let Some(all) = all.as_object_mut() {
            self.differing.iter().for_each(|&key| drop(all.remove(key)));
        }
        all.serialize(serializer)
    }
}

impl TrainingOptions {
    /// Name or text of the network.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Reads the samples and puts the settings together.
    pub fn setup(&self, sample: &str, seed: u64) -> Result<Setup, CliError> {
        let load = |text: &str| raw_sample(text, seed);
        let train = load(sample)?;
        let test = match &self.test {
            Some(text) => Some(load(text)?),
            None if self.no_test => None,
            None => test_of(sample)
                .map(|text| load(&text))
                .transpose()
                .map_err(|error| CliError::TestSplit(Box::new(error)))?,
        };
        let shape = Shape::from_shape(train.points.shape()).ok_or_else(|| {
            CliError::Usage(format!("{}: expected images or vectors", train.points.describe()))
        })?;
        let paper = Preprocess::paper(shape);
        let preprocess = Preprocess {
            crop: self.crop.or(paper.crop),
            whiten: paper.whiten && !self.no_whitening,
            ..paper
        };
        let settings = self.settings(&train.labels, seed)?;
        Ok(Setup {
            points_sha256: fingerprint(&train.points),
            digests: (fingerprint_labelled(&train), test.as_ref().map(fingerprint_labelled)),
            sample_seed: seed,
            train,
            test,
            preprocess,
            settings,
        })
    }

    /// The settings for labels like these.
    pub fn settings(&self, labels: &Labels, seed: u64) -> Result<Settings, CliError> {
        let rate = Settings::paper_rate(&self.model);
        let loss = match (self.loss, labels) {
            (Some(LossChoice::Squared), _) | (None, Labels::Real { .. }) => Loss::Squared,
            (Some(LossChoice::CrossEntropy), _) | (None, _) => Loss::CrossEntropy,
        };
        let real = matches!(labels, Labels::Real { .. });
        Ok(Settings {
            batch: self.batch,
            learning_rate: self.learning_rate.unwrap_or(rate),
            rate_decay: self.rate_decay,
            momentum: self.momentum,
            weight_decay: self.weight_decay,
            initialization: self.initialization,
            loss,
            order: self.order,
            augmentation: self.augment,
            epochs: self.epochs,
            until_accuracy: match self.until_accuracy {
                Some(Share::Of(_)) if real => {
                    let reason = "--until-accuracy: real labels are not classified; --until-loss \
                                  takes a loss";
                    return Err(CliError::Usage(reason.into()));
                }
                Some(Share::Of(share)) => Some(share),
                Some(Share::Never) => None,
                None => (!real && self.until_loss.is_none()).then_some(1.0),
            },
            until_loss: self.until_loss,
            patience: self.patience,
            seed,
        })
    }

    /// These options for a row of a table, which sets network, augmentation, weight decay (the one
    /// asked for, or none), and may set the decay of the learning rate.
    pub fn of_row(&self, row: &TableRow) -> TrainingOptions {
        TrainingOptions {
            model: row.model.into(),
            augment: row.augmentation,
            weight_decay: if row.weight_decay { self.weight_decay } else { 0.0 },
            rate_decay: row.rate_decay().unwrap_or(self.rate_decay),
            ..self.clone()
        }
    }

    /// The option that rows of a table set themselves and that was given all the same, if any.
    pub fn set_by_rows(&self) -> Option<&'static str> {
        let given = [(self.model != MODEL, "--model"), (self.augment.is_some(), "--augment")];
        given.into_iter().find_map(|(given, name)| given.then_some(name))
    }

    /// The manifest of a run.
    pub fn manifest<E: Element>(
        &self,
        setup: &Setup,
        case: Case,
        device: &str,
    ) -> Result<Manifest<Configuration>, CliError> {
        let shared = setup.common(self);
        let mut manifest = Manifest::new(Configuration {
            sample: setup.train.text.clone(),
            test: setup.test.as_ref().map(|test| test.text.clone()),
            condition: Some(case.condition.to_string()),
            model: Some(self.model.clone()),
            network: Some(shared.network()?.to_string()),
            settings: SharedSettings { settings: shared.settings(case), differing: &[] },
            preprocess: setup.preprocess,
            randomize_test: self.randomize_test,
            precision: shared.arithmetic.name::<E>(),
            device: device.to_owned(),
            changed_labels: None,
            init: None,
            runs: None,
            rows: None,
        });
        manifest.sample = Some(setup.train.text.clone());
        manifest.points_sha256 = Some(setup.points_sha256.clone());
        Ok(manifest)
    }

    /// The manifest of `runs` that differ in condition and seed.
    pub fn sweep_manifest<E: Element>(
        &self,
        setup: &Setup,
        case: Case,
        device: &str,
        runs: Vec<String>,
    ) -> Result<Manifest<Configuration>, CliError> {
        let mut manifest = self.manifest::<E>(setup, case, device)?;
        let of_all = &mut manifest.configuration;
        of_all.condition = None;
        of_all.settings.differing = &["seed"];
        of_all.runs = Some(runs);
        Ok(manifest)
    }

    /// The manifest of the `rows` of a table, which differ in condition, network and settings.
    pub fn table_manifest<E: Element>(
        &self,
        setup: &Setup,
        device: &str,
        rows: Vec<String>,
    ) -> Result<Manifest<Configuration>, CliError> {
        let own = Condition::Labels(LabelRule::True);
        let case = Case { condition: own, seed: setup.settings.seed };
        let mut manifest = self.manifest::<E>(setup, case, device)?;
        let of_all = &mut manifest.configuration;
        (of_all.condition, of_all.model, of_all.network) = (None, None, None);
        of_all.settings.differing =
            &["augmentation", "weight_decay", "rate_decay", "learning_rate"];
        of_all.rows = Some(rows);
        Ok(manifest)
    }

    /// The folder of a run.
    pub fn folder(&self, path: &Path) -> Result<Folder, CliError> {
        let seconds = Duration::try_from_secs_f64(self.checkpoint_every);
        let checkpoint_every = seconds.map_err(|error| {
            CliError::Usage(format!("--checkpoint-every {}: {error}", self.checkpoint_every))
        })?;
        Ok(Folder {
            path: path.to_owned(),
            checkpoint_every,
            log_every: self.log_every,
            evaluate_training: self.evaluate_training,
        })
    }

    /// The device that was asked for.
    pub fn device<E: Element>(&self, setup: &Setup) -> Result<ChosenDevice<E>, CliError>
    where
        Cpu: Device<E>,
    {
        device::choose(self.device, &setup.common(self))
    }
}

/// The test split of a data set that has one, where the text does not choose a split itself.
pub fn test_of(sample: &str) -> Option<String> {
    let (kind, rest) = sample.split_once(':').unwrap_or((sample, ""));
    let chosen = rest.split(',').any(|part| part.starts_with("split="));
    // Other options say which training points are taken; this one says what classes are.
    let groups = rest.split(',').find(|part| part.starts_with("groups="));
    let groups = groups.map_or(String::new(), |groups| format!(",{groups}"));
    let path = rest.split(',').find(|part| !part.is_empty() && !part.contains('='));
    match (kind, path) {
        _ if chosen => None,
        ("digits", None) => Some(format!("digits:split=test{groups}")),
        ("mnist" | "fashion-mnist" | "cifar10", Some(path)) => {
            Some(format!("{kind}:{path},split=test{groups}"))
        }
        _ => None,
    }
}

/// A bar on the terminal, with remaining time, loss and accuracy; nothing elsewhere.
pub struct Watch {
    bar: ProgressBar,
    samples: u64,
    begun: Instant,
}

impl Watch {
    /// Starts watching a run of at most `epochs` epochs of `samples` samples.
    pub fn start(name: &str, samples: usize, epochs: u32) -> Watch {
        begin();
        let bar = ProgressBar::new(samples as u64 * u64::from(epochs));
        bar.set_draw_target(ProgressDrawTarget::stderr()); // hidden when not a terminal
        let template = "{prefix} {bar:24} {msg}  {elapsed}, at most {eta} to go";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_owned());
        Watch { bar, samples: samples as u64, begun: Instant::now() }
    }

    /// Shows how far runs are that stand side by side, and says whether to go on.
    pub fn see(&mut self, runs: &[&Progress]) -> Flow {
        let Some(progress) = runs.first() else { return Flow::Continue };
        let done = u64::from(progress.epoch) * self.samples + u64::from(progress.position);
        self.bar.set_position(done);
        let now = progress.epoch_tally.measured();
        if progress.epoch_tally.count() > 0 {
            let accuracy = now
                .accuracy
                .map_or(String::new(), |accuracy| format!(", accuracy {}", percent(accuracy)));
            let (epoch, step) = (progress.epoch.saturating_add(1), progress.step);
            let others = match runs.len() {
                1 => String::new(),
                several => format!(" (the first of {several})"),
            };
            let loss = now.loss;
            let text = format!("epoch {epoch}, step {step}: loss {loss:.4}{accuracy}{others}");
            self.bar.set_message(text);
        }
        if stopped() { Flow::Stop } else { Flow::Continue }
    }

    /// How long it took so far.
    pub fn took(&self) -> Duration {
        self.begun.elapsed()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        end();
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::test_of;

    #[test]
    fn data_sets_bring_their_test_split() {
        let of = |text| test_of(text);
        assert_eq!(of("cifar10:some/dir,first=100").unwrap(), "cifar10:some/dir,split=test");
        assert_eq!(of("mnist:d,groups=3/8,first=9").unwrap(), "mnist:d,split=test,groups=3/8");
        assert_eq!(of("mnist:d,split=test"), None);
        assert_eq!(of("digits").unwrap(), "digits:split=test");
        assert_eq!(of("digits:first=9,groups=3/8").unwrap(), "digits:split=test,groups=3/8");
        assert_eq!(of("digits:split=train"), None);
        assert_eq!(of("csv:file.csv"), None);
        assert_eq!(of("gaussian:n=5,d=2"), None);
    }
}
