//! Opening the files that commands are given.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use clap::Args;

use shatter_interchange::load::{self, Loaded};
use shatter_sample::{LabelRule, RawSample, Shape};
use shatter_train::checkpoint;

use super::{CliError, CommonOptions};

/// Opens a file; a folder is refused.
pub fn open(path: &Path) -> Result<BufReader<File>, CliError> {
    let file = File::open(path).map_err(CliError::at(path))?;
    if file.metadata().map_err(CliError::at(path))?.is_dir() {
        return Err(CliError::Usage(format!("{} is a folder, not a file", path.display())));
    }
    Ok(BufReader::with_capacity(1 << 16, file))
}

/// What a file of plain arrays under PyTorch's names does not say.
#[derive(Args, Debug, Clone, Default)]
pub struct Described {
    /// For plain arrays with PyTorch's names (safetensors, NPZ): their layers, as in `shatter train
    /// --model`
    #[arg(long, value_name = "LAYERS")]
    pub architecture: Option<String>,
    /// With --architecture: outputs of the last layer [default: from the last array]
    #[arg(long, value_name = "N", requires = "architecture")]
    pub outputs: Option<usize>,
    /// With --architecture: shape of the input [default: the vector that the first array takes]
    #[arg(long, value_name = "CxHxW", requires = "architecture")]
    pub input: Option<String>,
}

impl Described {
    /// Loads a network.
    pub fn load(&self, path: &Path) -> Result<Loaded, CliError> {
        let input = self.input.as_deref().map(shape).transpose()?;
        let architecture = self.architecture.as_deref();
        let options = load::LoadOptions { architecture, outputs: self.outputs, input };
        Ok(load::load(path, &options)?)
    }
}

/// All points with their own labels; under another rule the distinct ones, as constructions have them. A
/// certificate brings its rule.
pub fn labelled(
    asked: Option<LabelRule>,
    common: &CommonOptions,
    loaded: &Loaded,
    raw: RawSample,
) -> Result<RawSample, CliError> {
    let own = loaded.origin.as_ref().map(|origin| (origin.rule, origin.seed));
    let (rule, seed) = match (asked, own) {
        (Some(rule), own) => (rule, common.seed.or(own.map(|own| own.1)).unwrap_or(0)),
        (None, Some(own)) => own,
        (None, None) => (LabelRule::True, 0),
    };
    if rule == LabelRule::True {
        return Ok(raw);
    }
    let text = raw.text.clone();
    let sample = raw.distinct(rule, seed).map_err(|error| CliError::sample(&text, error))?;
    Ok(RawSample { text, points: sample.points, labels: sample.labels })
}

/// A shape as options spell it.
fn shape(text: &str) -> Result<Shape, CliError> {
    checkpoint::sides(text).ok_or_else(|| {
        CliError::Usage(format!("--input {text}: expected CxHxW, such as 3x28x28 or 20x1x1"))
    })
}
