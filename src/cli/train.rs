//! `shatter train`: one network on one sample, under one condition.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use shatter_device::Device;
use shatter_device::cpu::Cpu;
use shatter_exact::Element;
use shatter_figure::{AxisScale, Curve, Plot, SeedRun};
use shatter_interchange::load;
use shatter_network::Reading;
use shatter_network::reading::How;
use shatter_prepare::Condition;
use shatter_sample::{Labels, Shape};

use shatter_train::randomize::Case;
use shatter_train::run::{CHECKPOINT, Left, RECORD};
use shatter_train::{Ended, Line, Measured, Summary, TrainError, Trainer};

use super::figures::{self, read_lines};
use super::json::{self, FilePath, Record};
use super::manifest::{self, MANIFEST};
use super::output::{Facts, grouped, percent, print, seconds};
use super::training::{Precision, Setup, TrainingOptions, Watch};
use super::{Answer, CliError, CommonOptions, write_figure};

#[derive(Args, Debug, Clone)]
#[command(after_help = "Examples:\n  \
    shatter train digits --labels random\n  \
    shatter train cifar10:DIR --labels random\n  \
    shatter train fashion-mnist:DIR,first=2000 --model alexnet --epochs 20\n  \
    shatter train csv:iris.csv --model mlp:16,16 --batch 16 --learning-rate 0.1\n  \
    shatter train mnist:DIR --model 'conv(8,5,pad=2) relu maxpool(2) dropout(0.5)'\n\n\
    Layers in words: conv(CHANNELS,SIZE,stride=1,pad=0) relu maxpool(SIZE,stride=SIZE,pad=0) \
    meanpool(...) globalmeanpool batchnorm lrn(SIZE) dropout(RATE) flatten dense(UNITS) \
    [ LAYERS | LAYERS ]; the last dense layer is added to them.\n\
    Ctrl-C finishes the step and writes a checkpoint; --resume continues from it, to the same bytes.\n\
    Writes train.jsonl, checkpoint.safetensors (PyTorch's names and shapes), summary.json, \
    learning_curve.png (and .svg), manifest.json.\n\
    Exit status: 0 if the training set is fitted, 1 if not, 2 for bad input, 3 if training \
    diverged, 4 if there is no such device, 130 if interrupted.")]
pub struct Arguments {
    /// The training sample, for example cifar10:DIR
    sample: String,
    /// Condition: true, random, corrupted:P, shuffled-pixels, random-pixels or gaussian
    #[arg(long, visible_alias = "condition", default_value = "true", value_name = "CONDITION")]
    labels: Condition,
    /// Resume from the checkpoint in the folder
    #[arg(long, conflicts_with_all = ["overwrite", "init"])]
    resume: bool,
    /// Replace the run in the folder
    #[arg(long)]
    overwrite: bool,
    /// Start from the weights in this file: a checkpoint; safetensors, NPZ or JSON with PyTorch's names;
    /// ONNX of the same layers; or a ReLU network that `fit` built
    #[arg(long, value_name = "FILE")]
    init: Option<PathBuf>,
    #[command(flatten)]
    pub options: TrainingOptions,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// What `--json` prints.
impl Record for Summary {
    const FORMAT: &'static str = "shatter train 1";
}

pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    match arguments.options.precision {
        Precision::F32 | Precision::Tf32 | Precision::Bf16 => train::<f32>(arguments),
        Precision::F64 => train::<f64>(arguments),
    }
}

fn train<E: Element>(arguments: &Arguments) -> Result<Answer, CliError>
where
    Cpu: Device<E>,
{
    let Arguments { sample, labels, options, common, .. } = arguments;
    let out = common.out.clone().unwrap_or_else(|| PathBuf::from("out/train"));
    let there = out.join(CHECKPOINT).exists();
    let holds_a_run = || {
        let out = out.display();
        CliError::Usage(format!(
            "{out} holds a run: --resume continues it, --overwrite replaces it, --out DIR leaves it"
        ))
    };
    if there && !arguments.resume && !arguments.overwrite {
        return Err(holds_a_run());
    }
    if arguments.resume && !there {
        let file = out.join(CHECKPOINT);
        return Err(CliError::Usage(format!("there is no {} to resume", file.display())));
    }
    if !there && !arguments.overwrite {
        let held = manifest::other(&out, "train").map(|other| {
            let out = out.display();
            let ways = "--overwrite replaces it, --out DIR leaves it";
            CliError::Usage(format!("{out} holds the {MANIFEST} of {other}: {ways}"))
        });
        held.map_or(Ok(()), Err)?;
    }
    let setup = options.setup(sample, common.seed())?;
    let case = Case { condition: *labels, seed: common.seed() };
    let device = options.device::<E>(&setup)?;
    let shared = setup.common(options);
    let prepared = shared.prepare::<E>(case)?;
    let mut trainer = shared.trainer(device.device.as_ref(), &[(case, &prepared)])?;
    drop(prepared); // the device has it now
    let facts = describe(&trainer, &setup, case)?;
    if let Some(file) = &arguments.init {
        let weights = load::weights(file, trainer.architecture())?;
        let outputs = trainer.architecture().output().map_err(TrainError::from)?.len();
        let own = weights.reading.and_then(|own| match own {
            Some(own) => own.trains(&setup.train.labels, outputs),
            None => Ok(()),
        });
        own.map_err(|error| CliError::Usage(format!("{}: {error}", file.display())))?;
        trainer.set_weights(0, &weights.arrays)?;
    }
    let mut held = options.folder(&out)?.hold()?;
    if arguments.resume {
        held.resume(&mut trainer, 0)?;
    } else if held.holds_run()? && !arguments.overwrite {
        return Err(holds_a_run()); // another process was quicker
    } else {
        held.clear()?;
    }
    CURVE.iter().try_for_each(|name| remove(&out.join(name)))?;
    let path = out.join(MANIFEST);
    let mut manifest = options.manifest::<E>(&setup, case, &device.describe())?;
    manifest.configuration.changed_labels = Some(trainer.changed_labels(0));
    manifest.configuration.init = Some(match arguments.resume {
        true => figures::init(&path).map(FilePath::from),
        false => arguments.init.clone().map(FilePath::from),
    });
    manifest.write(&path)?;
    if !common.json {
        print(&format!("{facts}device        {}\n", device.describe()))?;
    }
    let mut watch = Watch::start("training", trainer.samples(), trainer.settings(0).epochs);
    let left = held.run(&mut trainer, &mut |progress| watch.see(progress))?;
    let took = watch.took();
    drop(watch);
    let Left::Ended(summary) = left else {
        return Err(CliError::Interrupted(format!(
            "stopped after step {}; the same command with --resume continues from {}",
            trainer.progress(0).step,
            out.join(CHECKPOINT).display()
        )));
    };
    let caption = format!(
        "shatter train {sample} --labels {labels} --model {} --seed {} · version {} · commit {}",
        options.model(),
        common.seed(),
        manifest.version,
        manifest.commit
    );
    let lines = read_lines(&out.join(RECORD))?;
    let drawn = lines.iter().any(|line| line.end_of_epoch);
    if drawn {
        write_figure(
            &out,
            "learning_curve",
            shatter_figure::draw(&learning_curve(&lines, caption))?,
        )?;
    }
    if common.json {
        json::print(summary.as_ref())?;
    } else {
        let mut facts = Facts::default();
        facts.add("ended", format!("{}, {}", ended_text(&summary), seconds(took)));
        facts.add("training set", measured_text(&summary.train));
        if let Some(test) = &summary.test {
            let best = summary.best_test.map_or(String::new(), |(best, epoch)| {
                format!("; best {} after epoch {epoch}", percent(best))
            });
            facts.add("test set", measured_text(test) + &best);
        }
        let curve = if drawn { "learning_curve.png (and .svg), " } else { "" };
        let files = format!("{CHECKPOINT}, {RECORD}, summary.json, {curve}manifest.json");
        facts.add("written to", format!("{}: {files}", out.display()));
        print(facts.text())?;
    }
    let yes = summary.ended == Ended::Fitted || !summary.asked();
    Ok(if yes { Answer::Yes } else { Answer::No })
}

/// The files of the figure.
const CURVE: [&str; 2] = ["learning_curve.png", "learning_curve.svg"];

/// Removes a file, if it is there.
fn remove(file: &Path) -> Result<(), CliError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(CliError::at(file)(error)),
        _ => Ok(()),
    }
}

/// What is about to be trained, in lines.
fn describe<E: Element>(
    trainer: &Trainer<E>,
    setup: &Setup,
    case: Case,
) -> Result<String, CliError> {
    let mut facts = Facts::default();
    let architecture = trainer.architecture();
    let (all, paper) = (
        architecture.parameters().map_err(TrainError::from)?,
        architecture.parameters_of_the_paper().map_err(TrainError::from)?,
    );
    let rest = all - paper;
    let more = if rest > 0 {
        format!(" ({} of batch normalization)", grouped(rest))
    } else {
        String::new()
    };
    facts.add("sample", format!("{}, {}", setup.train.text, setup.train.points.describe()));
    facts.add(
        "condition",
        format!(
            "{} (seed {}); {} of {} labels differ from the sample's own",
            case.condition,
            case.seed,
            grouped(trainer.changed_labels(0)),
            grouped(trainer.samples() as u64)
        ),
    );
    facts.add("test sample", setup.test.as_ref().map_or("none", |test| &test.text));
    let how = match setup.train.labels {
        Labels::Classes { .. } => How::Largest,
        Labels::Real { .. } => How::Value,
    };
    let outputs = architecture.output().map_err(TrainError::from)?.len();
    facts.add("reading", Reading::built_on(how, &setup.train.labels).describe(outputs));
    facts.add("input", shape_text(architecture.input, setup));
    facts.add("parameters", format!("{}{more}", grouped(all)));
    let settings = trainer.settings(0);
    facts.add(
        "settings",
        format!(
            "batch {}, learning rate {} × {} an epoch, momentum {}, weight decay {}, {}, {}",
            settings.batch,
            settings.learning_rate,
            settings.rate_decay,
            settings.momentum,
            settings.weight_decay,
            settings.initialization,
            E::NAME
        ),
    );
    Ok(facts.text().to_owned())
}

fn shape_text(input: Shape, setup: &Setup) -> String {
    let preprocess = &setup.preprocess;
    let whiten = if preprocess.whiten { ", each image whitened" } else { "" };
    let augment = match setup.settings.augmentation {
        None => String::new(),
        Some(how) => format!(", augmented by {how}"),
    };
    format!("{input}{whiten}{augment}")
}

fn measured_text(measured: &Measured) -> String {
    let part = |name: &str, share: Option<f64>| {
        share.map_or(String::new(), |share| format!("; {name} {}", percent(share)))
    };
    // Apart only where there is something to tell apart.
    let (clean, changed) = match measured.changed {
        None => (String::new(), String::new()),
        changed => (part("unchanged labels", measured.clean), part("changed labels", changed)),
    };
    // Real labels are not classified.
    let accuracy = measured
        .accuracy
        .map_or(String::new(), |accuracy| format!("accuracy {}, ", percent(accuracy)));
    format!("{accuracy}loss {:.4}{clean}{changed}", measured.loss)
}

/// "fitted in 391 steps (1 epoch)".
pub fn ended_text(summary: &Summary) -> String {
    let s = if summary.epochs == 1 { "" } else { "s" };
    let after = format!("{} steps ({} epoch{s})", grouped(summary.steps), summary.epochs);
    match summary.ended {
        Ended::Fitted => format!("fitted in {after}"),
        Ended::Epochs if !summary.asked() => format!("all of {after}"),
        Ended::Epochs => format!("not fitted in {after}, which were all"),
        Ended::Diverged => format!("diverged after {after}"),
        Ended::Patience => format!("not fitted in {after}: the test accuracy no longer improved"),
    }
}

/// A number that a line may have.
type Value<'a> = &'a dyn Fn(&Line) -> Option<f64>;

/// Loss and accuracies against epochs.
fn learning_curve(lines: &[Line], note: String) -> Plot {
    let curve = |(name, value): (&str, Value)| {
        let whole = lines.iter().filter(|line| line.end_of_epoch);
        let points = whole.filter_map(|line| Some((f64::from(line.epoch), value(line)?)));
        (name.to_owned(), points.collect::<Vec<_>>())
    };
    let values: [(&str, Value); 4] = [
        ("training accuracy", &|line| line.online.accuracy),
        ("training loss", &|line| Some(line.online.loss)),
        ("test accuracy", &|line| line.test.and_then(|test| test.accuracy)),
        ("accuracy on changed labels", &|line| line.online.changed),
    ];
    let curves = values.into_iter().map(curve).enumerate();
    let curves =
        curves.filter(|(_, (_, points))| !points.is_empty()).map(|(kind, (name, points))| Curve {
            name,
            kind,
            line: shatter_figure::CurveStyle::Solid,
            runs: vec![SeedRun { points }],
        });
    Plot {
        title: "Training, each epoch as it went along".into(),
        x: "epochs".into(),
        y: "accuracy (share), loss (nats)".into(),
        scale: AxisScale::Linear,
        curves: curves.collect(),
        reference: vec![],
        level: None,
        note,
    }
}
