//! Samples that failed, kept by value in a JSON file; the next run tries them first.
//!
//! Every number stands as a string that reads back to the same number of its type (Rust's shortest
//! decimal form), so that neither another JSON reader nor another generator changes a sample.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use shatter_record::atomic;
use shatter_sample::{Base, Labels, Points, Sample, SampleError, Scale, Values};

use super::strategy;

const FORMAT: &str = "shatter samples 1";

/// The reason for which saved samples cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SavedError {
    /// The operating system refused.
    #[error("{file}: {source}", file = .file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// Error of the system.
        source: io::Error,
    },
    /// The file does not hold samples of this format.
    #[error("{file}: {reason}", file = .file.display())]
    Format {
        /// The file.
        file: PathBuf,
        /// Reason, in words.
        reason: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    samples: Vec<SavedSample>,
}

/// A sample by value.
///
/// ```
/// use shatter_claims::SavedSample;
/// use shatter_sample::{self as sample, LabelRule};
/// let sample = sample::load("gaussian:n=3,d=2", 1)?.distinct(LabelRule::True, 1)?;
/// let text = serde_json::to_string(&SavedSample::from(&sample))?;
/// let back: SavedSample = serde_json::from_str(&text)?;
/// let back = back.to_sample()?;
/// assert_eq!((back.points, back.labels), (sample.points, sample.labels));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedSample {
    /// Number type: u8, i64, i64/10^k, i64/2^k, f32 or f64.
    r#type: String,
    /// Shape of a point.
    shape: Vec<usize>,
    /// Coordinates, one list per point.
    points: Vec<Vec<String>>,
    /// Labels.
    labels: SavedLabels,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum SavedLabels {
    Classes {
        count: u32,
        of: Vec<u32>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        names: Vec<String>,
    },
    Real(Vec<Vec<String>>),
}

/// One coordinate as text.
pub(super) fn coordinate(values: &Values, at: usize) -> String {
    match values {
        Values::U8(v) => v[at].to_string(),
        Values::I64(v) | Values::Scaled { values: v, .. } => v[at].to_string(),
        Values::F32(v) => short(v[at].to_string(), format!("{:e}", v[at])),
        Values::F64(v) => short(v[at].to_string(), format!("{:e}", v[at])),
    }
}

/// The numbers of one label as text.
pub(super) fn label(labels: &Labels, i: usize) -> Vec<String> {
    match labels {
        Labels::Classes { of, .. } => vec![of[i].to_string()],
        Labels::Real { values, outputs: k } => values[i * k..(i + 1) * k]
            .iter()
            .map(|y| short(y.to_string(), format!("{y:e}")))
            .collect(),
    }
}

/// The shorter spelling of one number: both read back to it.
fn short(plain: String, scientific: String) -> String {
    if plain.len() <= scientific.len() { plain } else { scientific }
}

impl From<&Sample> for SavedSample {
    fn from(sample: &Sample) -> SavedSample {
        let (points, n) = (&sample.points, sample.points.n());
        let row = |i: usize| {
            (0..points.d()).map(|k| coordinate(points.values(), i * points.d() + k)).collect()
        };
        let labels = match &sample.labels {
            Labels::Classes { of, count, names, .. } => {
                SavedLabels::Classes { count: *count, of: of.clone(), names: names.clone() }
            }
            labels => SavedLabels::Real((0..n).map(|i| label(labels, i)).collect()),
        };
        SavedSample {
            r#type: points.values().type_name(),
            shape: points.shape().to_vec(),
            points: (0..n).map(row).collect(),
            labels,
        }
    }
}

impl SavedSample {
    /// The sample. Equal points with equal labels are merged.
    ///
    /// # Errors
    /// The reason, in words.
    pub fn to_sample(&self) -> Result<Sample, String> {
        let wrong = |error: SampleError| error.to_string();
        let points = Points::new(self.values()?, self.shape.clone()).map_err(wrong)?;
        if self.points.iter().any(|row| row.len() != points.d()) {
            return Err(format!("a point does not have {} coordinates", points.d()));
        }
        let labels = match &self.labels {
            SavedLabels::Classes { count, of, names } => {
                let named = names.is_empty() || names.len() == *count as usize;
                if !named {
                    return Err(format!("{} names for {count} classes", names.len()));
                }
                Labels::classes(of.clone(), *count).map(|labels| match labels {
                    Labels::Classes { of, count, .. } => {
                        let numbered = names.is_empty();
                        Labels::Classes { of, count, names: names.clone(), numbered }
                    }
                    real => real,
                })
            }
            SavedLabels::Real(rows) => {
                let outputs = rows.first().map_or(0, Vec::len);
                if rows.iter().any(|row| row.len() != outputs) {
                    return Err("labels of different lengths".to_owned());
                }
                Labels::real(numbers(rows)?, outputs)
            }
        };
        let labels = labels.map_err(wrong)?;
        if labels.len() != points.n() {
            return Err(format!("{} labels for {} points", labels.len(), points.n()));
        }
        strategy::into_sample(points, labels).map_err(wrong)
    }

    fn values(&self) -> Result<Values, String> {
        Ok(match self.r#type.as_str() {
            "u8" => Values::U8(numbers(&self.points)?),
            "i64" => Values::I64(numbers(&self.points)?),
            "f32" => Values::F32(numbers(&self.points)?),
            "f64" => Values::F64(numbers(&self.points)?),
            other => {
                let unknown = || {
                    format!(
                        "'{other}' is not a type of coordinates; expected u8, i64, f32, f64, i64/2^k or i64/10^k"
                    )
                };
                let (base, exponent) = other
                    .strip_prefix("i64/")
                    .and_then(|s| s.split_once('^'))
                    .ok_or_else(unknown)?;
                let base = match base {
                    "2" => Base::Two,
                    "10" => Base::Ten,
                    _ => return Err(unknown()),
                };
                let exponent = exponent.parse().map_err(|_| unknown())?;
                Values::Scaled { values: numbers(&self.points)?, scale: Scale { base, exponent } }
            }
        })
    }
}

fn numbers<T: std::str::FromStr>(rows: &[Vec<String>]) -> Result<Vec<T>, String> {
    let number =
        |text: &String| text.parse().map_err(|_| format!("'{text}' is not a number of this type"));
    rows.iter().flatten().map(number).collect()
}

/// Returns the samples of a file, in its order; none if the file does not exist.
///
/// # Errors
/// [`SavedError`].
pub fn load(file: &Path) -> Result<Vec<Sample>, SavedError> {
    let format = |reason: String| SavedError::Format { file: file.to_owned(), reason };
    let samples = read(file)?;
    let samples = samples.iter().enumerate();
    samples
        .map(|(i, sample)| sample.to_sample().map_err(|e| format(format!("sample {i}: {e}"))))
        .collect()
}

fn read(file: &Path) -> Result<Vec<SavedSample>, SavedError> {
    let format = |reason: String| SavedError::Format { file: file.to_owned(), reason };
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(SavedError::Io { file: file.to_owned(), source }),
    };
    let read: File = serde_json::from_slice(&bytes).map_err(|e| format(e.to_string()))?;
    if read.format != FORMAT {
        return Err(format(format!("its format is '{}', not '{FORMAT}'", read.format)));
    }
    Ok(read.samples)
}

/// Adds a sample to a file, unless it is there; the file is replaced whole or not at all.
///
/// # Errors
/// [`SavedError`].
pub fn add(file: &Path, sample: &Sample) -> Result<(), SavedError> {
    let mut samples = read(file)?;
    let saved = SavedSample::from(sample);
    if samples.contains(&saved) {
        return Ok(());
    }
    samples.push(saved);
    let io = |source| SavedError::Io { file: file.to_owned(), source };
    let record = File { format: FORMAT.to_owned(), samples };
    let text = serde_json::to_string_pretty(&record).map_err(|e| io(io::Error::other(e)))?;
    atomic::write(file, text + "\n").map_err(io)
}
