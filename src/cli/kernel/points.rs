//! What a kernel sees: samples, labellings, features.

use shatter_feature::{FeatureChoice, FeatureError, FeatureMap, Images};
use shatter_kernel::{Features, Meaning, Numbers};
use shatter_sample::{Points, RawSample, Sample, Values};

use crate::{CliError, memory, raw_sample, training};

use super::Job;

/// Bytes stand for 0 to 1.
const BYTE: f64 = 255.0;

/// Columns of features that are computed together.
const COLUMNS: usize = 4096;

/// Samples and their features.
pub struct Prepared {
    /// Of each labelling, with the distinct training points; the points of all are the same.
    pub labelled: Vec<Sample>,
    pub test: Option<RawSample>,
    pub train_features: Features,
    pub test_features: Option<Features>,
    /// How features were made, in words that `check` reads.
    pub features: String,
}

/// The SAMPLE text of the test sample, if there is one.
pub fn test_text(job: &Job<'_>) -> Option<String> {
    match &job.options.test {
        Some(text) => Some(text.clone()),
        None if job.options.no_test => None,
        None => training::test_of(job.sample),
    }
}

/// Reads the samples and labels the distinct points by every rule.
pub fn samples(job: &Job<'_>) -> Result<(Vec<Sample>, Option<RawSample>), CliError> {
    let raw = raw_sample(job.sample, job.seed)?;
    let test = match (&job.options.test, test_text(job)) {
        (_, None) => None,
        (Some(text), _) => Some(raw_sample(text, job.seed)?),
        (None, Some(text)) => Some(
            raw_sample(&text, job.seed).map_err(|error| CliError::TestSplit(Box::new(error)))?,
        ),
    };
    let label = |rule| {
        let labelled = raw.clone().distinct(rule, job.seed);
        labelled.map_err(|error| CliError::sample(job.sample, error))
    };
    let labelled = job.labels.iter().map(|&rule| label(rule)).collect::<Result<Vec<_>, _>>()?;
    if let Some(test) = &test {
        let (ours, theirs) = (raw.points.shape(), test.points.shape());
        let (own, other) = (raw.points.values().type_name(), test.points.values().type_name());
        if ours != theirs || own != other {
            let sides =
                |shape: &[usize]| shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×");
            return Err(CliError::Usage(format!(
                "{}: test points are {other} of shape {}, and training points {own} of shape {}",
                test.text,
                sides(theirs),
                sides(ours)
            )));
        }
        // Labels that no output is for are refused before hours are spent.
        let meaning = Meaning::of(&labelled[0].labels);
        if let Err(error) = meaning.columns(test.points.n(), &test.labels) {
            return Err(CliError::Usage(format!("{}: {error}", test.text)));
        }
    }
    Ok((labelled, test))
}

/// Numbers of a point as the kernel sees it.
pub fn columns(choice: FeatureChoice, points: &Points) -> Result<usize, CliError> {
    match choice {
        FeatureChoice::None => Ok(points.d()),
        FeatureChoice::Gabor(_) if points.shape().len() == 1 => {
            Err(FeatureError::Plain(points.d()).into())
        }
        choice => Ok(choice.columns(Images::new(points)?.shape())),
    }
}

/// Bytes of the features of points.
pub fn bytes(choice: FeatureChoice, points: &Points) -> Result<u64, CliError> {
    let width = match (choice, points.values()) {
        (FeatureChoice::None, Values::U8(_)) => 1,
        (FeatureChoice::None, Values::F32(_)) => 4,
        (FeatureChoice::None, _) => 8,
        _ => 4,
    };
    Ok((points.n() as u64).saturating_mul(columns(choice, points)? as u64).saturating_mul(width))
}

/// The features of points, learned from training points.
pub struct Seen {
    choice: FeatureChoice,
    map: Option<FeatureMap>,
    seed: u64,
}

impl Seen {
    /// Learns the map, if there is room for the features of the points.
    pub fn learn(
        text: &str,
        choice: FeatureChoice,
        points: &Points,
        seed: u64,
    ) -> Result<Seen, CliError> {
        memory::features(text, bytes(choice, points)?)?;
        let map = match choice {
            FeatureChoice::None => None,
            choice => Some(FeatureMap::learn(choice, &Images::new(points)?, seed)?),
        };
        Ok(Seen { choice, map, seed })
    }

    /// In words that [`Seen::parse`] reads.
    pub fn words(&self) -> String {
        match self.choice {
            FeatureChoice::RandomConv(_) => format!("{} seed={}", self.choice, self.seed),
            FeatureChoice::None | FeatureChoice::Gabor(_) => self.choice.to_string(),
        }
    }

    /// Choice and seed of such words.
    pub fn parse(words: &str) -> Option<(FeatureChoice, u64)> {
        let (choice, seed) = words.split_once(" seed=").unwrap_or((words, "0"));
        Some((choice.parse().ok()?, seed.parse().ok()?))
    }

    /// The features of points. Of maps they are rounded to binary32, and are points of their own from there on.
    pub fn of(&self, points: &Points, say: &dyn Fn(String)) -> Result<Features, CliError> {
        let Some(map) = &self.map else { return Ok(Features::of_points(points, BYTE)?) };
        let images = Images::new(points)?;
        let (n, all) = (points.n(), map.columns());
        let mut numbers = vec![0.0f32; n * all];
        for columns in map.blocks(COLUMNS) {
            say(format!("features {} of {all}", columns.start));
            // Some thousand images at a time: a block of them is small beside the whole.
            for first in (0..n).step_by(1024) {
                let rows = first..(first + 1024).min(n);
                // One block holds all columns where they are few; otherwise blocks are copied to their columns.
                if columns.len() == all {
                    let here = &mut numbers[rows.start * all..rows.end * all];
                    map.block(&images, rows, columns.clone(), here)?;
                } else {
                    let mut block = vec![0.0f32; rows.len() * columns.len()];
                    map.block(&images, rows.clone(), columns.clone(), &mut block)?;
                    for (i, row) in rows.zip(block.chunks_exact(columns.len())) {
                        numbers[i * all..][columns.clone()].copy_from_slice(row);
                    }
                }
                if training::stopped() {
                    return Err(CliError::Interrupted("stopped before the fit".into()));
                }
            }
        }
        Ok(Features::new(Numbers::F32(numbers), all, 1.0)?)
    }
}
