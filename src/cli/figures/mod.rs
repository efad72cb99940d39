//! `shatter figures`: the figures of training runs, drawn from their records.

mod kernels;
mod plots;
mod recorded;

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use shatter_figure::{self as figure, FigureError};

pub use recorded::{Recorded, folders, init, read_lines};

use super::json::{self, Record};
use super::output::print;
use super::{Answer, CliError, CommonOptions, write_figure};

#[derive(Args, Debug, Clone)]
#[command(after_help = "Examples:\n  \
    shatter figures out/randomize\n  \
    shatter figures out/inception out/inception-nobn out/mlp --out figures\n\n\
    Draws all runs of 'train' and 'randomize' in these folders and below: loss.png (Fig. 1a of the \
    paper; loss-NETWORK.png for each of several networks), time.png and test_error.png (1b, 1c; they \
    need three shares of corrupted labels) and accuracy.png (2b; it needs two networks with true \
    labels); and of the fits of 'kernel' and 'table3' growth.png, time and memory against n (it needs \
    three sizes). Trains nothing.\n\
    Exit status: 0 drawn, 2 for bad input.")]
pub struct Arguments {
    /// Folders that hold runs
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// What `--json` prints.
#[derive(Serialize)]
struct FiguresRecord<'a> {
    /// Runs that were read.
    runs: usize,
    /// Names of the figures in PNG; each is there in SVG, too.
    drawn: &'a [String],
}

impl Record for FiguresRecord<'_> {
    const FORMAT: &'static str = "shatter figures 1";
}

pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    let Arguments { folders, common } = arguments;
    let (mut runs, mut fits) = (Vec::new(), Vec::new());
    for folder in folders {
        let below = Recorded::below(folder)?;
        let kernels = kernels::below(folder)?;
        if below.is_empty() && kernels.is_empty() {
            let folder = folder.display();
            return Err(CliError::Usage(format!("{folder} holds no run that has ended")));
        }
        runs.extend(below);
        fits.extend(kernels);
    }
    let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let out = common.out.clone().unwrap_or_else(|| PathBuf::from("out/figures"));
    let command = format!("shatter figures {}", names.join(" "));
    let mut drawn = draw(&runs, &out, &command)?;
    drawn.extend(kernels::draw(&fits, &out, &command)?);
    let runs = runs.len() + fits.len();
    if common.json {
        json::print(&FiguresRecord { runs, drawn: &drawn })?;
    } else {
        let (files, out) = (drawn.join(", "), out.display());
        print(&format!("{runs} runs; written to {out}: {files} (and .svg)\n"))?;
    }
    Ok(Answer::Yes)
}

/// Draws what the runs give; the names of the files.
pub fn draw(runs: &[Recorded], out: &Path, command: &str) -> Result<Vec<String>, CliError> {
    let mut drawn = Vec::new();
    for plots::Named { name, plot } in plots::plots(runs, command)? {
        match figure::draw(&plot) {
            Err(FigureError::Empty) => continue, // runs that took no epoch
            drawing => write_figure(out, &name, drawing?)?,
        }
        drawn.push(format!("{name}.png"));
    }
    Ok(drawn)
}
