//! `shatter table3`: the rows of the paper's Table 3, and the same with random labels.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use shatter_feature::FeatureChoice;
use shatter_figure::paper;
use shatter_figure::table3::{Errors, errors};
use shatter_figure::{self as figure};
use shatter_kernel::Kernel;
use shatter_sample::LabelRule;

use super::json::{self, Record};
use super::kernel::{Job, KernelOptions, KernelRecord, finish, run_one};
use super::manifest::{self, Manifest};
use super::output::{grouped, percent_of_errors, print};
use super::{Answer, CliError, CommonOptions, write, write_figure};

/// A row: what is fitted to which data set.
struct Row {
    name: &'static str,
    data: &'static str,
    features: &'static str,
    kernel: &'static str,
    labels: &'static str,
    ridge: f64,
}

/// A row's texts, read.
struct Fit {
    kernel: Kernel,
    features: FeatureChoice,
    labels: Vec<LabelRule>,
}

impl Row {
    fn fit(&self, filters: usize) -> Result<Fit, CliError> {
        let refused = |reason: String| CliError::Usage(format!("{}: {reason}", self.name));
        let features = match self.features {
            "random-conv" => format!("random-conv:{filters}"),
            name => name.to_owned(),
        };
        let labels = self.labels.split(',').map(str::parse::<LabelRule>);
        Ok(Fit {
            kernel: self.kernel.parse().map_err(|error| refused(format!("{error}")))?,
            features: features.parse().map_err(refused)?,
            labels: labels.collect::<Result<_, _>>().map_err(refused)?,
        })
    }
}

const fn row(
    name: &'static str,
    features: &'static str,
    kernel: &'static str,
    labels: &'static str,
    ridge: f64,
) -> Row {
    let mut end = 0;
    while name.as_bytes()[end] != b'-' {
        end += 1;
    }
    Row { name, data: name.split_at(end).0, features, kernel, labels, ridge }
}

/// The paper's rows, and Laplacian kernels beside them. The bandwidth of `mnist-pixels` is the first author's; the others, and
/// the ridge, were chosen on held-out parts of the training sets: of the first 12,000 images the last 2,000.
const ROWS: [Row; 7] = [
    row("mnist-pixels", "none", "gaussian:gamma=0.02", "true,random", 0.0),
    row("mnist-laplacian", "none", "laplacian:gamma=0.02", "true,random", 0.0),
    row("mnist-gabor", "gabor", "gaussian:gamma=0.016", "true", 0.0),
    row("cifar10-pixels", "none", "gaussian:gamma=0.015", "true,random", 0.0),
    row("cifar10-laplacian", "none", "laplacian:gamma=0.05", "true,random", 0.0),
    row("cifar10-random-conv", "random-conv", "gaussian:gamma=0.25", "true", 0.0),
    row("cifar10-random-conv-ridge", "random-conv", "gaussian:gamma=0.25", "true", 0.01),
];

#[derive(Args, Debug, Clone)]
#[command(
    mut_arg("validate", |arg| arg.hide(true)),
    mut_arg("test", |arg| arg.hide(true)),
    mut_arg("exact", |arg| arg.hide(true)),
    after_help = "Examples:\n  \
    shatter table3 mnist:DIR cifar10:DIR\n  \
    shatter table3 mnist:DIR,first=8000 cifar10:DIR,first=5000 --filters 400\n  \
    shatter table3 mnist:DIR --rows mnist-pixels,mnist-gabor --arithmetic f32\n\n\
    Fits and tests each row whose data set is given, in a folder of its own; rows that have ended are kept. Rows: \
    mnist-pixels, mnist-laplacian, mnist-gabor, cifar10-pixels, cifar10-laplacian, cifar10-random-conv, \
    cifar10-random-conv-ridge.\n\
    Prints training fit, test error and norm beside the paper's; writes table3.json and table3.png.\n\
    Exit status: 0 if every point of every row without a ridge is proved to fit, 1 if not, 2 for bad input, 130 if \
    interrupted."
)]
pub struct Arguments {
    /// Training samples, for example mnist:DIR cifar10:DIR
    #[arg(required = true, value_name = "SAMPLE")]
    samples: Vec<String>,
    /// Rows, by name [default: all of the data sets that are given]
    #[arg(long, value_delimiter = ',', value_name = "ROW,...")]
    rows: Vec<String>,
    /// Filters of random convolutional features; the paper had 32,000
    #[arg(long, default_value_t = 1000, value_name = "N")]
    filters: usize,
    #[command(flatten)]
    options: KernelOptions,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// A row as it is printed and written.
#[derive(Clone, Debug, Serialize)]
struct Found {
    name: String,
    sample: String,
    n: usize,
    kernel: String,
    features: String,
    arithmetic: String,
    ridge: f64,
    labels: String,
    fits: usize,
    test_error: Option<f64>,
    paper_test_error: Option<f64>,
    norm: f64,
    paper_norm: Option<f64>,
    condition: Option<f64>,
    seconds: f64,
    peak_bytes: Option<u64>,
}

/// What `--json` prints and `table3.json` holds.
#[derive(Serialize)]
struct Table3Record<'a> {
    rows: &'a [Found],
}

impl Record for Table3Record<'_> {
    const FORMAT: &'static str = "shatter table3 1";
}

#[derive(Serialize)]
struct Configuration<'a> {
    samples: &'a [String],
    rows: Vec<&'static str>,
    filters: usize,
    arithmetic: String,
    jitter: Option<f64>,
    centres: usize,
    degenerate: bool,
    spectrum: usize,
    tolerance: f64,
    seed: u64,
}

/// The rows that are asked for, each with its sample.
fn chosen(arguments: &Arguments) -> Result<Vec<(&'static Row, &str)>, CliError> {
    let usage = |reason: String| Err(CliError::Usage(reason));
    let kind = |sample: &str| sample.split(':').next().unwrap_or_default().to_owned();
    for (at, sample) in arguments.samples.iter().enumerate() {
        let kind = kind(sample);
        if !ROWS.iter().any(|row| row.data == kind) {
            return usage(format!("{sample}: the rows of Table 3 are of mnist and cifar10"));
        }
        if arguments.samples[..at].iter().any(|other| other.starts_with(&format!("{kind}:"))) {
            return usage(format!("{sample}: there is another sample of {kind} before it"));
        }
    }
    let names = || ROWS.iter().map(|row| row.name).collect::<Vec<_>>().join(", ");
    for name in &arguments.rows {
        let Some(row) = ROWS.iter().find(|row| row.name == name) else {
            return usage(format!("--rows {name}: expected one of {}", names()));
        };
        if !arguments.samples.iter().any(|sample| kind(sample) == row.data) {
            return usage(format!("--rows {name}: expected a sample of {}", row.data));
        }
    }
    let sample = |row: &Row| arguments.samples.iter().find(|sample| kind(sample) == row.data);
    let asked =
        |row: &Row| arguments.rows.is_empty() || arguments.rows.iter().any(|name| name == row.name);
    let rows = ROWS.iter().filter(|row| asked(row));
    Ok(rows.filter_map(|row| Some((row, sample(row)?.as_str()))).collect())
}

pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    let Arguments { options, common, filters, .. } = arguments;
    if options.validate > 0 || options.test.is_some() || options.exact {
        let reason = "--validate, --test and --exact cannot be given here: each row has its kernel, which is no rational function, and its data set's own test split";
        return Err(CliError::Usage(reason.into()));
    }
    let rows = chosen(arguments)?;
    let out = common.out.clone().unwrap_or_else(|| PathBuf::from("out/table3"));
    // All of them, before the first of them is run for an hour.
    let fits = rows.iter().map(|(row, _)| row.fit(*filters)).collect::<Result<Vec<_>, _>>()?;
    let mut found = Vec::new();
    for ((row, sample), fit) in rows.iter().zip(&fits) {
        let job = Job {
            sample,
            kernels: &[fit.kernel],
            features: fit.features,
            labels: &fit.labels,
            ridge: row.ridge,
            options,
            seed: common.seed(),
            quiet: common.json,
        };
        let path = out.join(row.name);
        let ended = kept(&job, &path)?;
        if !common.json {
            let ended = if ended.is_some() { " has ended, and is kept" } else { "" };
            print(&format!("{}{ended}\n", row.name))?;
        }
        let record = match ended {
            Some(record) => record,
            None => {
                let Some(record) = run_one(&job, &path)? else { continue };
                finish(&job, &record, &path, "table3")?;
                record
            }
        };
        found.extend(of_record(row, &record));
    }
    if options.plan {
        return Ok(Answer::Yes);
    }
    let record = Table3Record { rows: &found };
    write(&out, "table3.json", json::text(&record)?)?;
    let manifest = Manifest::new(Configuration {
        samples: &arguments.samples,
        rows: rows.iter().map(|(row, _)| row.name).collect(),
        filters: *filters,
        arithmetic: format!("{:?}", options.arithmetic).to_lowercase(),
        jitter: options.jitter,
        centres: options.centres,
        degenerate: options.degenerate,
        spectrum: options.spectrum,
        tolerance: options.tolerance,
        seed: common.seed(),
    });
    let command = format!(
        "shatter table3 {} · version {} · commit {}",
        arguments.samples.join(" "),
        manifest.version,
        manifest.commit
    );
    let values: Vec<Errors> = found
        .iter()
        .map(|row| Errors {
            name: format!("{}, {} labels", row.name, row.labels),
            ours: row.test_error,
            paper: row.paper_test_error,
        })
        .collect();
    let drawn = match errors(&values, &command) {
        Err(figure::FigureError::Empty) => false, // no row has a test sample
        drawing => write_figure(&out, "table3", drawing?).map(|()| true)?,
    };
    let place = manifest::place(&out, "table3");
    manifest.write(&out.join(&place))?;
    if common.json {
        json::print(&record)?;
    } else {
        let figure = if drawn { "table3.png (and .svg), " } else { "" };
        let files = format!(
            "Written to {}: {figure}table3.json, {place}, and one folder a row.\n",
            out.display()
        );
        print(&format!("\n{}{files}", text(&found)))?;
    }
    let rows = found.iter().filter(|row| row.ridge == 0.0);
    let fitted = rows.into_iter().all(|row| row.fits == row.n);
    Ok(if fitted { Answer::Yes } else { Answer::No })
}

/// The record of a row that has ended with the same configuration.
fn kept(job: &Job<'_>, path: &std::path::Path) -> Result<Option<KernelRecord>, CliError> {
    let read = |name: &str| -> Option<serde_json::Value> {
        serde_json::from_slice(&std::fs::read(path.join(name)).ok()?).ok()
    };
    let (Some(record), Some(manifest)) = (read("kernel.json"), read("manifest.json")) else {
        return Ok(None);
    };
    let asked = serde_json::to_value(job.configuration())?;
    let record = serde_json::from_value::<KernelRecord>(record).ok();
    Ok(record.filter(|_| manifest.get("configuration") == Some(&asked)))
}

fn of_record(row: &Row, record: &KernelRecord) -> Vec<Found> {
    let found = record.labellings.iter().map(|one| {
        // The paper's rows have a Gaussian kernel and true labels.
        let paper = paper::table_3(row.data, row.features, row.ridge > 0.0);
        let paper = paper.filter(|_| one.labels == "true" && record.kernel.starts_with("gaussian"));
        Found {
            name: row.name.to_owned(),
            sample: record.sample.clone(),
            n: record.n,
            kernel: record.kernel.clone(),
            features: record.features.clone(),
            arithmetic: record.arithmetic.clone(),
            ridge: record.ridge,
            labels: one.labels.clone(),
            fits: one.verdicts.exact + one.verdicts.margin,
            test_error: one.test_error,
            paper_test_error: paper.map(|row| row.test_error),
            norm: one.norm,
            paper_norm: paper.and_then(|row| row.norm),
            condition: record.condition,
            seconds: record.seconds,
            peak_bytes: record.peak_bytes,
        }
    });
    found.collect()
}

/// The table, aligned.
fn text(found: &[Found]) -> String {
    let mut text = format!(
        "{:<26} {:<7} {:>17} {:>10} {:>9} {:>10} {:>7} {:>10} {:>9}\n",
        "row",
        "labels",
        "proved to fit",
        "test",
        "(paper)",
        "norm",
        "(paper)",
        "condition",
        "seconds"
    );
    for row in found {
        let or_dash = |share: Option<f64>| share.map_or_else(|| "–".into(), percent_of_errors);
        let short = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| format!("{x:.1}"));
        let _ = writeln!(
            text,
            "{:<26} {:<7} {:>17} {:>10} {:>9} {:>10} {:>7} {:>10} {:>9.1}",
            row.name,
            row.labels,
            format!("{} of {}", grouped(row.fits as u64), grouped(row.n as u64)),
            or_dash(row.test_error),
            or_dash(row.paper_test_error),
            short(Some(row.norm)),
            row.paper_norm.map_or_else(|| "–".to_owned(), |norm| format!("{norm:.0}")),
            row.condition.map_or_else(|| "–".to_owned(), |x| format!("{x:.1e}")),
            row.seconds,
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_paper_is_a_row() {
        for row in paper::TABLE_3 {
            let same = |ours: &Row| {
                ours.data == row.data
                    && ours.features == row.features
                    && (ours.ridge > 0.0) == row.ridge
                    && ours.kernel.starts_with("gaussian")
            };
            assert_eq!(ROWS.iter().filter(|ours| same(ours)).count(), 1, "{row:?}");
        }
        for row in &ROWS {
            assert!(row.kernel.parse::<Kernel>().is_ok(), "{}", row.name);
            assert!(row.labels.split(',').all(|rule| rule.parse::<LabelRule>().is_ok()));
        }
    }
}
