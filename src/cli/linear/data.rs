//! The samples of `linear`, prepared as for training.

use shatter_prepare::Preprocess;
use shatter_prepare::preprocess::{Prepared, prepare};
use shatter_regression::{Design, Targets};
use shatter_sample::{Labels, RawSample, Shape};

use super::super::training::test_of;
use super::super::{CliError, memory, raw_sample};
use super::{Arguments, refused};

/// A prepared sample as a linear model takes it.
pub struct Set {
    pub prepared: Prepared<f64>,
    pub design: Design,
    pub targets: Targets,
}

/// Both samples.
pub struct Data {
    /// The training sample, as it was read.
    pub raw: RawSample,
    /// The test sample, as it was read.
    pub raw_test: Option<RawSample>,
    pub preprocess: Preprocess,
    pub train: Set,
    pub test: Option<Set>,
}

impl Data {
    pub fn read(arguments: &Arguments) -> Result<Data, CliError> {
        let Arguments { sample, labels, bias, .. } = arguments;
        let seed = arguments.common.seed();
        let load = |text: &str| raw_sample(text, seed);
        let raw = load(sample)?;
        let raw_test = match &arguments.test {
            Some(text) => Some(load(text)?),
            None if arguments.no_test => None,
            None => test_of(sample)
                .map(|text| load(&text))
                .transpose()
                .map_err(|error| CliError::TestSplit(Box::new(error)))?,
        };
        let shape = Shape::from_shape(raw.points.shape()).ok_or_else(|| {
            CliError::Usage(format!("{}: expected images or vectors", raw.points.describe()))
        })?;
        let paper = Preprocess::paper(shape);
        let preprocess = Preprocess {
            crop: arguments.crop.or(paper.crop),
            whiten: paper.whiten && !arguments.no_whitening,
            ..paper
        };
        let side = |side: usize| preprocess.crop.map_or(side, |crop| crop.min(side));
        let d = shape.channels * side(shape.height) * side(shape.width) + usize::from(*bias);
        let k = match &raw.labels {
            Labels::Classes { count, .. } => *count as usize,
            Labels::Real { outputs, .. } => *outputs,
        };
        let tests = raw_test.as_ref().map_or(0, |test| test.points.n());
        memory::linear(sample, (raw.points.n(), tests), d, k)?;
        let (train, test) =
            prepare::<f64>(&raw, raw_test.as_ref(), *labels, &preprocess, seed, false)
                .map_err(|error| CliError::sample(sample, error))?;
        let set = |prepared: Prepared<f64>| {
            let design = Design::of(&prepared, *bias).map_err(refused(arguments))?;
            let targets = Targets::of(&prepared.labels).map_err(refused(arguments))?;
            Ok::<Set, CliError>(Set { prepared, design, targets })
        };
        let (train, test) = (set(train)?, test.map(set).transpose()?);
        Ok(Data { raw, raw_test, preprocess, train, test })
    }
}
