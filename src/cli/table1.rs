//! `shatter table1`: the rows of the paper's Tables 1 and 4, run by run, beside the paper's.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use shatter_device::Device;
use shatter_device::cpu::Cpu;
use shatter_exact::Element;
use shatter_figure::table1::{Accuracies, accuracies};
use shatter_figure::{self as figure, FigureError, paper};
use shatter_train::randomize::Case;
use shatter_train::run::RECORD;
use shatter_train::table1::{ROWS, TableRow};
use shatter_train::{Ended, Summary};

use super::figures::read_lines;
use super::json::{self, Record};
use super::manifest;
use super::output::{grouped, percent, print};
use super::runs::{One, Runs};
use super::training::{Precision, Setup, TrainingOptions};
use super::{Answer, CliError, CommonOptions, write, write_figure};

/// Images of the paper's training set.
const IMAGES: usize = 50_000;

#[derive(Args, Debug, Clone)]
#[command(
    mut_arg("model", |arg| arg.hide(true)),
    mut_arg("augment", |arg| arg.hide(true)),
    mut_arg("weight_decay", |arg| {
        arg.default_value("0.0001").help("Weight decay of the rows that have it; the paper does not say")
    }),
    mut_arg("rate_decay", |arg| {
        arg.help("Factor of the learning rate per epoch; rows with random labels and augmented images \
                  use 0.999, as in the paper")
    }),
    mut_arg("until_accuracy", |arg| {
        arg.default_value("never").help("Stop a row when this share of its training set is \
                                         classified as labelled")
    }),
    after_help = "Examples:\n  \
    shatter table1 cifar10:DIR\n  \
    shatter table1 cifar10:DIR --rows 14-19 --epochs 60\n  \
    shatter table1 cifar10:DIR,first=500 --rows 4,5,mlp1x512-random --epochs 20\n\n\
    Trains and evaluates each row with the settings of the paper, in a folder of its own; rows that \
    have ended are kept, and one that was interrupted resumes. Rows 1 to 19 are those \
    of Table 1, 20 to 25 those of Table 4, in the paper's order.\n\
    Prints training and test accuracy beside the paper's; writes table1.json and table1.png.\n\
    Exit status: 0 done, 2 for bad input, 3 if a row diverged, 4 if there is no such device, 130 \
    if interrupted."
)]
pub struct Arguments {
    /// The training sample, for example cifar10:DIR
    sample: String,
    /// Rows, by number, range or folder name [default: all]
    #[arg(long, value_delimiter = ',', value_name = "ROW,...")]
    rows: Vec<String>,
    #[command(flatten)]
    pub options: TrainingOptions,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// A row as it is printed and written; accuracies are shares, the paper's as well.
#[derive(Clone, Debug, Serialize)]
struct Found {
    row: usize,
    table: u8,
    name: String,
    model: &'static str,
    augmentation: String,
    weight_decay: f64,
    rate_decay: f64,
    labels: String,
    images: usize,
    ended: Ended,
    epochs: u32,
    steps: u32,
    /// The whole training set under the final weights, as it is.
    train_accuracy: Option<f64>,
    /// The batches of the last epoch, as they were trained on.
    online_accuracy: Option<f64>,
    test_accuracy: Option<f64>,
    paper_train: Option<f64>,
    paper_test: Option<f64>,
}

/// What `--json` prints and `table1.json` holds.
#[derive(Serialize)]
struct Table1Record<'a> {
    rows: &'a [Found],
}

impl Record for Table1Record<'_> {
    const FORMAT: &'static str = "shatter table1 1";
}

/// The paper's training and test accuracy of a row, as shares.
fn of_the_paper(row: &TableRow) -> [Option<f64>; 2] {
    let crop = row.augmentation.is_some_and(|how| how.crop);
    if row.table == 1 {
        let found = paper::table_1(row.model, crop, row.weight_decay, row.random_labels);
        return [found.map(|row| row.train / 100.0), found.map(|row| row.test / 100.0)];
    }
    let regularizer = match (row.weight_decay, crop) {
        (true, _) => "decay",
        (_, true) => "crop",
        _ => "augmentation",
    };
    let mut rows = paper::TABLE_4.iter();
    let found = rows.find(|held| held.model == row.model && held.regularizer == regularizer);
    [found.and_then(|row| row.train).map(|train| train / 100.0), None]
}

/// The rows that are asked for, from 0, each once, in the paper's order.
fn chosen(texts: &[String]) -> Result<Vec<usize>, CliError> {
    let mut wanted = [texts.is_empty(); ROWS.len()];
    for text in texts {
        let number = |text: &str| text.parse().ok().filter(|n| (1..=ROWS.len()).contains(n));
        let named = ROWS.iter().position(|row| row.name() == *text);
        let range = text
            .split_once('-')
            .map_or((number(text), number(text)), |(first, last)| (number(first), number(last)));
        match (named, range) {
            (Some(at), _) => wanted[at] = true,
            (None, (Some(first), Some(last))) if first <= last => {
                wanted[first - 1..last].fill(true);
            }
            _ => {
                let (most, names) = (ROWS.len(), ROWS.map(|row| row.name()).join(", "));
                return Err(CliError::Usage(format!(
                    "--rows {text}: expected a row from 1 to {most}, a range such as 2-5, or one of {names}"
                )));
            }
        }
    }
    Ok((0..ROWS.len()).filter(|&at| wanted[at]).collect())
}

pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    match arguments.options.precision {
        Precision::F32 | Precision::Tf32 | Precision::Bf16 => table::<f32>(arguments),
        Precision::F64 => table::<f64>(arguments),
    }
}

fn table<E: Element>(arguments: &Arguments) -> Result<Answer, CliError>
where
    Cpu: Device<E>,
{
    let Arguments { sample, options, common, .. } = arguments;
    if let Some(option) = options.set_by_rows() {
        return Err(CliError::Usage(format!(
            "{option} cannot be given here: each row sets it (--rows chooses rows)"
        )));
    }
    let rows = chosen(&arguments.rows)?;
    let out = common.out.clone().unwrap_or_else(|| PathBuf::from("out/table1"));
    let mut setup = options.setup(sample, common.seed())?;
    rows.iter().try_for_each(|&at| check(&ROWS[at], &setup))?;
    let device = options.of_row(&ROWS[rows[0]]).device::<E>(&setup)?;
    let mut found = Vec::new();
    for (index, &at) in rows.iter().enumerate() {
        let (row, name) = (&ROWS[at], ROWS[at].name());
        let options = options.of_row(row);
        setup.settings = options.settings(&setup.train.labels, common.seed())?;
        let case = Case { condition: row.condition(), seed: common.seed() };
        let place = format!("{} of {}", index + 1, rows.len());
        let path = out.join(&name);
        let runs = Runs { options: &options, setup: &setup, device: &device, quiet: common.json };
        let summary = runs.one(One { case, path: path.clone(), name }, &place)?;
        found.push(of_run(at, &setup, &summary, &path)?);
    }
    let record = Table1Record { rows: &found };
    write(&out, "table1.json", json::text(&record)?)?;
    let names = found.iter().map(|row| row.name.clone()).collect();
    let manifest = options.table_manifest::<E>(&setup, &device.describe(), names)?;
    let drawn_by = format!(
        "shatter table1 {sample} · version {} · commit {}",
        manifest.version, manifest.commit
    );
    let drawn = draw(&found, &setup, &out, &drawn_by)?;
    let place = manifest::place(&out, "table1");
    manifest.write(&out.join(&place))?;
    if common.json {
        json::print(&record)?;
    } else {
        let figure = if drawn { "table1.png (and .svg), " } else { "" };
        let files = format!(
            "Written to {}: {figure}table1.json, {place}, and one folder a row.\n",
            out.display()
        );
        print(&format!("\n{}{}\n{files}", text(&found), label(&setup)))?;
    }
    let diverged = found.iter().any(|row| row.ended == Ended::Diverged);
    Ok(if diverged { Answer::Diverged } else { Answer::Yes })
}

/// Random crops need room.
fn check(row: &TableRow, setup: &Setup) -> Result<(), CliError> {
    let sides = setup.train.points.shape().iter().rev().take(2);
    let room = setup.preprocess.crop.is_some_and(|crop| sides.clone().any(|&side| side > crop));
    if row.augmentation.is_some_and(|how| how.crop) && !room {
        let name = row.name();
        let reason = "random crops need images larger than what the network takes (--crop PIXELS)";
        return Err(CliError::Usage(format!("row {name}: {reason}")));
    }
    Ok(())
}

/// What a run found.
fn of_run(at: usize, setup: &Setup, summary: &Summary, path: &Path) -> Result<Found, CliError> {
    let row = &ROWS[at];
    let [paper_train, paper_test] = of_the_paper(row);
    let lines = read_lines(&path.join(RECORD))?;
    let last = lines.iter().rev().find(|line| line.end_of_epoch);
    Ok(Found {
        row: at + 1,
        table: row.table,
        name: row.name(),
        model: row.model,
        augmentation: row.augmentation.map_or_else(String::new, |how| how.to_string()),
        weight_decay: setup.settings.weight_decay,
        rate_decay: setup.settings.rate_decay,
        labels: row.condition().to_string(),
        images: setup.train.labels.len(),
        ended: summary.ended,
        epochs: summary.epochs,
        steps: summary.steps,
        train_accuracy: summary.train.accuracy,
        online_accuracy: last.and_then(|line| line.online.accuracy),
        test_accuracy: summary.test.and_then(|test| test.accuracy),
        paper_train,
        paper_test,
    })
}

/// Draws the figure; whether there was anything to draw.
fn draw(found: &[Found], setup: &Setup, out: &Path, command: &str) -> Result<bool, CliError> {
    let per_cent = |share: Option<f64>| share.map(|share| 100.0 * share);
    let rows: Vec<Accuracies> = found
        .iter()
        .map(|row| Accuracies {
            row: row.row as u32,
            train: [row.train_accuracy, row.paper_train].map(per_cent),
            test: [row.test_accuracy, row.paper_test].map(per_cent),
        })
        .collect();
    let note = format!("{command} · {}", label(setup).trim());
    match figure::draw(&accuracies(&rows, &note)) {
        Err(FigureError::Empty) => Ok(false), // all rows diverged
        drawing => write_figure(out, "table1", drawing?).map(|()| true),
    }
}

/// What ours were trained on, where that is not what the paper's were.
fn label(setup: &Setup) -> String {
    let images = setup.train.labels.len();
    let (all, sample) = (grouped(IMAGES as u64), &setup.train.text);
    let ours = format!("Ours: {} images of {sample}", grouped(images as u64));
    if images == IMAGES {
        format!("{ours}.\n")
    } else {
        format!("{ours}, and not the paper's {all}: these are not the accuracies of the tables.\n")
    }
}

/// The table, aligned.
fn text(rows: &[Found]) -> String {
    let mut text = format!(
        "{:>3} {:>5} {:<15} {:<14} {:>7} {:<7} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9}\n",
        "row",
        "table",
        "network",
        "augmentation",
        "decay",
        "labels",
        "epochs",
        "train",
        "(paper)",
        "online",
        "test",
        "(paper)"
    );
    for row in rows {
        let or_dash = |share: Option<f64>| share.map_or_else(|| "–".into(), percent);
        let augmentation = if row.augmentation.is_empty() { "none" } else { &row.augmentation };
        let _ = writeln!(
            text,
            "{:>3} {:>5} {:<15} {:<14} {:>7} {:<7} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9}",
            row.row,
            row.table,
            row.model,
            augmentation,
            row.weight_decay,
            row.labels,
            row.epochs,
            or_dash(row.train_accuracy),
            or_dash(row.paper_train),
            or_dash(row.online_accuracy),
            or_dash(row.test_accuracy),
            or_dash(row.paper_test),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_named_by_number_range_and_folder() {
        let of = |texts: &[&str]| chosen(&texts.iter().map(|&t| t.to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&[]).unwrap().len(), ROWS.len());
        assert_eq!(of(&["19", "2-4", "inception", "3"]).unwrap(), [1, 2, 3, 18]);
        for wrong in ["0", "26", "4-2", "inception-", "", "1-99999999999999999999"] {
            assert!(matches!(of(&[wrong]), Err(CliError::Usage(_))), "{wrong}");
        }
    }

    #[test]
    fn every_row_has_the_papers_numbers() {
        for (at, row) in ROWS.iter().enumerate() {
            let [train, test] = of_the_paper(row);
            assert_eq!(test.is_some(), at < 19);
            let failed = row.name() == "alexnet-decay-random";
            assert_eq!(train.is_none(), failed, "{row:?}");
        }
        let order: Vec<_> = ROWS[..19].iter().map(|row| of_the_paper(row)[1].unwrap()).collect();
        let paper: Vec<_> = paper::TABLE_1.iter().map(|row| row.test / 100.0).collect();
        assert_eq!(order, paper);
    }
}
