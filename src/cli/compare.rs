//! `shatter compare`: every construction on one sample.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::manifest::{self, Manifest};
use shatter_compare::{self as compare, CompareError, CompareOptions, Comparison, LowerBound};
use shatter_construct::{DirectionRule, catalogue};
use shatter_figure::{GROWTH_LABELS, GrowthFigure, GrowthLimit, GrowthSeries};
use shatter_sample::LabelRule;
use shatter_sample::fingerprint::fingerprint;

use super::json::{self, Record};
use super::output::{self, print};
use super::{Answer, CliError, CommonOptions, labelled_sample, write, write_figure};

#[derive(Args, Debug, Clone)]
#[command(after_help = "Examples:\n  \
    shatter compare lattice:n=1000,d=4,range=2001 --labels random\n  \
    shatter compare csv:iris.csv --seconds 5\n  \
    shatter compare moment:n=100,d=3 --only baum --only moment-curve\n\n\
    Each construction takes the first 10, 20, 50, 100, ... points, as far as it gets in the time given.\n\
    Prints a table; writes compare.json, growth.png and growth.svg.\n\
    Exit status: 0 if every network built equals its labels exactly, 1 if not, 2 for bad input.")]
pub struct Arguments {
    /// The sample, for example lattice:n=1000,d=4
    sample: String,
    /// Labels: true, random, corrupted:P or alternating
    #[arg(long, default_value = "true", value_name = "RULE")]
    labels: LabelRule,
    /// Limit on the seconds that one network is expected to take
    #[arg(long, default_value_t = 60, value_name = "S")]
    seconds: u32,
    /// Compare only this construction; may be repeated
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// What `--json` prints and `compare.json` holds.
impl Record for Comparison {
    const FORMAT: &'static str = "shatter compare 1";
}

#[derive(Serialize)]
struct Configuration<'a> {
    sample: &'a str,
    labels: String,
    seed: u64,
    seconds: u32,
    only: &'a [String],
}

pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    let progress = output::Progress::start();
    let seed = arguments.common.seed();
    progress.say("reading the sample");
    let sample = labelled_sample(&arguments.sample, seed, arguments.labels, seed)?;
    let options = CompareOptions {
        limit: Duration::from_secs(u64::from(arguments.seconds)),
        seed,
        direction: DirectionRule::Auto,
        only: arguments.only.clone(),
    };
    let comparison = compare::run(&sample, &options, &mut |at| {
        progress.say(format!("{}, n = {} ({} of {})", at.name, at.n, at.done + 1, at.of));
    })
    .map_err(|error| match error {
        CompareError::Sample(error) => CliError::sample(&arguments.sample, error),
        error => CliError::Usage(error.to_string()),
    })?;
    progress.say("drawing");
    let mut manifest = Manifest::new(Configuration {
        sample: &arguments.sample,
        labels: arguments.labels.to_string(),
        seed,
        seconds: arguments.seconds,
        only: &arguments.only,
    });
    manifest.sample = Some(sample.text.clone());
    manifest.points_sha256 = Some(fingerprint(&sample.points));
    let caption = format!(
        "shatter compare {} --labels {} --seed {seed} · version {} · commit {}",
        arguments.sample, arguments.labels, manifest.version, manifest.commit
    );
    let figure = figure(&comparison, caption).render()?;
    let out = arguments.common.out.clone().unwrap_or_else(|| PathBuf::from("out/compare"));
    write(&out, "compare.json", json::text(&comparison)?)?;
    write_figure(&out, "growth", figure)?;
    let place = manifest::place(&out, "compare");
    manifest.write(&out.join(&place))?;
    drop(progress);
    if arguments.common.json {
        json::print(&comparison)?;
    } else {
        let files = format!(
            "Written to {}: growth.png (and .svg), compare.json, {place}.\n",
            out.display()
        );
        print(&format!("{}\n{files}", comparison.table()))?;
    }
    Ok(if comparison.holds() { Answer::Yes } else { Answer::No })
}

fn figure(comparison: &Comparison, caption: String) -> GrowthFigure {
    // A construction keeps its colour whatever else is compared with it.
    let series = comparison.entries.iter().filter(|entry| !entry.built.is_empty());
    let kind = |entry: &compare::Compared| {
        let all = catalogue::all();
        all.iter().position(|one| one.name() == entry.name).unwrap_or(all.len())
    };
    let values = |entry: &compare::Compared| {
        let rows = entry.built.iter();
        rows.map(|row| (row.n as f64, row.sizes.nonzero as f64, row.sizes.bits as f64)).collect()
    };
    let bound = |bound: &LowerBound| GrowthLimit {
        name: bound.statement.clone(),
        values: bound.values.clone(),
    };
    let labels = match comparison.classes {
        Some(classes) => format!("{classes} classes"),
        None => "real labels".to_owned(),
    };
    GrowthFigure {
        title: format!("What memorizing costs, d = {}, {labels}", comparison.d),
        caption,
        series: series
            .map(|entry| GrowthSeries {
                name: entry.name.clone(),
                kind: kind(entry),
                values: values(entry),
            })
            .collect(),
        weights: Some(bound(&comparison.least_weights)),
        bits: comparison.least_bits.as_ref().map(bound),
        labels: GROWTH_LABELS,
    }
}
