//! `shatter linear`: the linear model of minimum norm, and what else fits or nearly fits.

mod data;
mod files;
mod measure;
mod record;
mod text;

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use shatter_prepare::Condition;
use shatter_regression::{Factor, RegressionError};

use super::json;
use super::output::{Progress, print};
use super::{Answer, CliError, CommonOptions};

use data::Data;
use record::LinearRecord;

#[derive(Args, Debug, Clone)]
#[command(after_help = "Examples:\n  \
    shatter linear gaussian:n=50,d=200 --labels random\n  \
    shatter linear mnist:DIR,first=500 --bias --epochs 200\n  \
    shatter linear csv:iris.csv --decay 0.001,0.01,0.1\n\n\
    Samples are prepared as for 'train', targets are one-hot for classes. Fits the weights of least norm by the \
    singular values of the points, descends from zero one point a step, and follows weight decay; where other \
    weights fit as well, some of them are taken apart. A bias is the weight of an appended constant 1.\n\
    Writes checkpoint.safetensors (the model of minimum norm, as 'eval', 'check --network' and 'export' take it), \
    linear.json, descent.csv, decay.csv, descent.png and decay.png (and .svg), manifest.json.\n\
    Exit status: 0 if a linear model fits all labels to rounding, 1 if not (the one with the least squares is then \
    written), 2 for bad input, 3 if gradient descent diverged.")]
pub struct Arguments {
    /// The training sample, for example mnist:DIR
    sample: String,
    /// Condition: true, random, corrupted:P, shuffled-pixels, random-pixels or gaussian
    #[arg(long, visible_alias = "condition", default_value = "true", value_name = "CONDITION")]
    labels: Condition,
    /// The test sample [default: split=test of data sets that have one]
    #[arg(long, value_name = "SAMPLE")]
    test: Option<String>,
    /// Use no test sample
    #[arg(long, conflicts_with = "test")]
    no_test: bool,
    /// Side of the central square cut out of images [default: 28, if they are larger]
    #[arg(long, value_name = "PIXELS")]
    crop: Option<usize>,
    /// Do not whiten images
    #[arg(long)]
    no_whitening: bool,
    /// Append a constant 1 to every point: its weight is the bias, and counts in norms
    #[arg(long)]
    bias: bool,
    /// Epochs of gradient descent; 0 for none
    #[arg(long, default_value_t = 100, value_name = "N")]
    epochs: u32,
    /// Step size of gradient descent [default: (1 − momentum) divided by the largest squared norm of a point]
    #[arg(long, value_name = "RATE")]
    learning_rate: Option<f64>,
    /// Momentum of a second descent, beside the one without; 0 for none
    #[arg(long, default_value_t = 0.9, value_name = "FACTOR")]
    momentum: f64,
    /// Weight decays, separated by commas [default: ten powers of ten, from above the largest
    /// curvature down]
    #[arg(long, value_name = "LIST")]
    decay: Option<Decays>,
    #[command(flatten)]
    pub common: CommonOptions,
}

/// Weight decays, in increasing order, each once.
#[derive(Debug, Clone, PartialEq)]
struct Decays(Vec<f64>);

impl FromStr for Decays {
    type Err = String;

    fn from_str(text: &str) -> Result<Decays, String> {
        let one = |part: &str| match part.trim().parse::<f64>() {
            Ok(decay) if decay.is_finite() && decay > 0.0 => Ok(decay),
            _ => Err(format!(
                "'{part}' is not a weight decay; expected positive numbers, such as 0.001,0.1"
            )),
        };
        let mut decays = text.split(',').map(one).collect::<Result<Vec<f64>, String>>()?;
        decays.sort_by(f64::total_cmp);
        decays.dedup();
        Ok(Decays(decays))
    }
}

pub fn run(arguments: &Arguments) -> Result<Answer, CliError> {
    let progress = Progress::start();
    progress.say("reading");
    if !(0.0..1.0).contains(&arguments.momentum) {
        return Err(refused(arguments)(RegressionError::Momentum(arguments.momentum)));
    }
    let data = Data::read(arguments)?;
    progress.say("finding the singular values");
    let factor = Factor::new(&data.train.design).map_err(refused(arguments))?;
    let found = measure::all(arguments, &data, &factor, &|step| progress.say(step))?;
    progress.say("writing");
    let out = arguments.common.out.clone().unwrap_or_else(|| PathBuf::from("out/linear"));
    let place = files::write_all(arguments, &data, &found, &out)?;
    drop(progress);
    let LinearRecord { fits, .. } = found.record;
    if arguments.common.json {
        json::print(&found.record)?;
    } else {
        print(&text::text(&data, &found, &out, &place))?;
    }
    Ok(if fits { Answer::Yes } else { Answer::No })
}

/// An error of the library, about this sample.
fn refused(arguments: &Arguments) -> impl Fn(RegressionError) -> CliError + '_ {
    |source| CliError::Regression { text: arguments.sample.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::Decays;

    #[test]
    fn decays_are_sorted_positive_numbers() {
        assert_eq!("1e-1, 0.01,0.1".parse(), Ok(Decays(vec![0.01, 0.1])));
        for wrong in ["", "0", "0.1,-1", "inf", "0.1,,1", "NaN"] {
            assert!(wrong.parse::<Decays>().unwrap_err().contains("expected"), "{wrong}");
        }
    }
}
