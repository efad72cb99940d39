//! How a network's outputs say the labels of a sample: as its file says, or as the command line does.

use std::path::Path;
use std::str::FromStr;

use clap::Args;
use serde::Serialize;

use shatter_network::Reading;
use shatter_network::reading::{BoundLabels, How, ReadingError};
use shatter_sample::Labels;

use super::CliError;

/// Options of commands that hold outputs against labels.
#[derive(Args, Debug, Clone, Default)]
pub struct Override {
    /// How outputs say labels: value, largest, sign, half, one-hot or bits [default: from the file, or
    /// from the number of outputs]
    #[arg(long, value_name = "NAME")]
    pub reading: Option<How>,
    /// The class of each output (or value), in order: NAME,NAME,… [default: from the file, or the
    /// numbers 0, 1, …]
    #[arg(long, value_name = "NAMES")]
    pub classes: Option<Names>,
}

/// Names of classes, separated by commas; a backslash before a comma or a backslash makes it part of a name.
#[derive(Debug, Clone)]
pub struct Names(Vec<String>);

impl FromStr for Names {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Names, &'static str> {
        let mut names = vec![String::new()];
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            match (c, names.last_mut()) {
                (',', _) => names.push(String::new()),
                (c, Some(name)) => name.push(if c == '\\' {
                    rest.next().ok_or("a name ends with a single backslash")?
                } else {
                    c
                }),
                _ => {}
            }
        }
        // As the cells of a table are.
        for name in &mut names {
            *name = name.trim().to_owned();
        }
        if names.iter().any(String::is_empty) {
            return Err("a name is empty");
        }
        Ok(Names(names))
    }
}

/// A reading, and whether it was taken because nothing said one.
pub struct ChosenReading {
    pub reading: Reading,
    pub assumed: bool,
}

impl Override {
    /// How many classes are named here.
    pub fn named(&self) -> Option<usize> {
        self.classes.as_ref().map(|names| names.0.len())
    }

    /// The reading of a network: what is asked for, what its file says (`own`), what stands for both.
    pub fn choose(
        &self,
        file: &Path,
        own: Result<Option<Reading>, ReadingError>,
        otherwise: impl FnOnce() -> Result<Reading, ReadingError>,
    ) -> Result<ChosenReading, CliError> {
        let refused = |error| refused(file, &error);
        let own = match own {
            // Names that are given take the place of those that were lost.
            Err(ReadingError::Lost) if self.classes.is_some() => None,
            own => own.map_err(refused)?,
        };
        let assumed = self.reading.is_none() && own.is_none();
        let mut reading = match (self.reading, own) {
            (Some(how), own) => Reading { how, classes: own.map_or(Vec::new(), |own| own.classes) },
            (None, Some(own)) => own,
            (None, None) => otherwise().map_err(refused)?,
        };
        if let Some(Names(names)) = &self.classes {
            reading.classes.clone_from(names);
        }
        Ok(ChosenReading { reading, assumed })
    }
}

impl ChosenReading {
    /// The labels in the numbers of the outputs.
    pub fn bind(
        &self,
        file: &Path,
        labels: &Labels,
        outputs: usize,
    ) -> Result<BoundLabels, CliError> {
        self.reading.bind(labels, outputs).map_err(|error| refused(file, &error))
    }

    /// The line of a report.
    pub fn text(&self, labels: &Labels, outputs: usize) -> String {
        self.reading.describe(outputs) + self.hint(labels, outputs).unwrap_or("")
    }

    /// What else the labels might mean, where nothing said how they are read.
    fn hint(&self, labels: &Labels, outputs: usize) -> Option<&'static str> {
        let binary = |labels: &Labels| Reading::new(How::Sign).bind(labels, outputs).is_ok();
        match self.reading.how {
            _ if !self.assumed => None,
            How::Value if outputs == 1 && binary(labels) => Some(" (of a logit: --reading sign)"),
            How::Value if Reading::new(How::Largest).bind(labels, outputs).is_ok() => {
                Some(" (every label is one-hot: --reading largest takes them as classes)")
            }
            _ => None,
        }
    }

    /// The fields of a record.
    pub fn record(&self, outputs: usize) -> ReadingRecord {
        ReadingRecord::of(&self.reading, outputs)
    }
}

/// How outputs say labels, in a record: flattened into it.
#[derive(Clone, Debug, Serialize)]
pub struct ReadingRecord {
    reading: &'static str,
    outputs: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    classes: Vec<String>,
}

impl ReadingRecord {
    /// Of a reading of so many outputs.
    pub fn of(reading: &Reading, outputs: usize) -> ReadingRecord {
        ReadingRecord { reading: reading.how.name(), outputs, classes: reading.classes.clone() }
    }
}

/// An error about the outputs of a file, with the option that is its way out.
pub fn refused(file: &Path, error: &ReadingError) -> CliError {
    let way = match error {
        ReadingError::Misfit { fitting, .. } if fitting.is_empty() => "",
        ReadingError::Misfit { .. } => " (--reading NAME)",
        ReadingError::NotClass { .. } | ReadingError::File(_) => "",
        _ => " (--classes NAME,NAME,…)",
    };
    CliError::Usage(format!("{}: {error}{way}", file.display()))
}

/// A cell of a CSV file, in quotes where RFC 4180 wants them.
pub fn cell(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}
