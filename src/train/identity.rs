//! Identity of a run: the data and settings that two parts of one run share. A checkpoint has it as its text
//! `settings`, a summary as `identity`; FORMAT.md, "identity", lists the fields.

use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use shatter_network::Reading;
use shatter_network::reading::{How, ReadingError};
use shatter_prepare::{Condition, Preprocess};
use shatter_sample::LabelRule;

use super::compile::Loss;
use super::error::TrainError;
use super::settings::Settings;

/// Version of the records that this build writes: checkpoints, summaries and their lines. It reads every version up
/// to this one; records without a version are of version 0, in which fields may be absent.
pub const VERSION: u32 = 1;

/// Says that a record is of a version that this build does not know.
pub(super) fn later_version(version: u32) -> String {
    format!("version {version} is later than {VERSION}, the latest that this build reads")
}

/// Data and settings of a run.
///
/// ```
/// use shatter_train::{DataIdentity, Identity, Settings};
/// let identity = Identity { data: DataIdentity::named("mine"), settings: Settings::paper(0.01) };
/// let other = Settings { momentum: 0.5, ..identity.settings.clone() };
/// let other = Identity { settings: other, ..identity.clone() };
/// let difference = identity.difference(&other, &[]).unwrap();
/// assert_eq!((difference.field.as_str(), difference.here.as_str()), ("momentum", "0.9"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// The training and test data.
    pub data: DataIdentity,
    /// The settings.
    pub settings: Settings,
}

/// Identity of the data of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)] // what is not known cannot be compared
pub struct DataIdentity {
    /// Names of the classes, where the training sample has them. Version 0 may leave them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// Condition on labels or pixels.
    #[serde(with = "text")]
    pub condition: Condition,
    /// Seed of the condition.
    pub condition_seed: u64,
    /// Kind of the device. Version 0 may leave it out, and trained on processors alone then.
    #[serde(default = "processor")]
    pub device: String,
    /// Numbers in which products of matrices are computed: `f32`, `f64`, `tf32`, `bf16`.
    pub precision: String,
    /// Preprocessing of images.
    pub preprocess: Preprocess,
    /// Labels of the test sample were randomized too.
    pub randomize_test: bool,
    /// The training sample, as it was named.
    pub sample: String,
    /// Seed that the samples were loaded with.
    pub sample_seed: Option<u64>,
    /// SHA-256 of the training sample with its labels.
    pub sample_sha256: Option<String>,
    /// The test sample, as it was named, if there was one.
    pub test: Option<String>,
    /// SHA-256 of the test sample with its labels.
    pub test_sha256: Option<String>,
}

/// Device kind assumed for records written before the field existed.
fn processor() -> String {
    "cpu".to_owned()
}

/// A field in which two identities differ, with its values as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Name of the field.
    pub field: String,
    /// Value in the identity that was asked.
    pub here: String,
    /// Value in the other identity.
    pub there: String,
}

impl DataIdentity {
    /// Returns the identity of unchanged data that no sample text describes.
    #[must_use]
    pub fn named(name: &str) -> DataIdentity {
        DataIdentity {
            classes: Vec::new(),
            condition: Condition::Labels(LabelRule::True),
            condition_seed: 0,
            device: processor(),
            precision: String::new(),
            preprocess: Preprocess { scale: false, crop: None, whiten: false },
            randomize_test: false,
            sample: name.to_owned(),
            sample_seed: None,
            sample_sha256: None,
            test: None,
            test_sha256: None,
        }
    }
}

impl Identity {
    /// Reads the text `settings` of a checkpoint.
    ///
    /// # Errors
    /// If the text is not an identity in JSON. The error says what is wrong, and where.
    pub fn parse(text: &str) -> Result<Identity, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Returns the first field, in alphabetical order of the data's and then of the settings', in which `self` and
    /// `other` differ, but for those in `apart`. Names of classes that only one of them has are
    /// not a difference.
    #[must_use]
    pub fn difference(&self, other: &Identity, apart: &[&str]) -> Option<Difference> {
        let here = self.clone().with_classes_of(other);
        let other = other.clone().with_classes_of(self);
        let parts = [
            (fields(&here.data), fields(&other.data)),
            (fields(&here.settings), fields(&other.settings)),
        ];
        parts.into_iter().find_map(|(here, there)| {
            let differs = |(field, value): (&String, &Value)| {
                let held = there.get(field).unwrap_or(&Value::Null);
                (!apart.contains(&field.as_str()) && value != held).then(|| Difference {
                    field: field.clone(),
                    here: value.to_string(),
                    there: held.to_string(),
                })
            };
            here.iter().find_map(differs)
        })
    }

    fn with_classes_of(mut self, other: &Identity) -> Identity {
        if self.data.classes.is_empty() {
            self.data.classes.clone_from(&other.data.classes);
        }
        self
    }

    /// Returns how the outputs of the trained network say labels: the largest output, with the names of the classes
    /// where the training sample had them, of a network that was trained to classify; `None` for squared losses,
    /// which real labels have too.
    ///
    /// # Errors
    /// [`ReadingError::Lost`] of a network that was trained on the classes of a table before their names were kept.
    pub fn reading(&self) -> Result<Option<Reading>, ReadingError> {
        let classes = self.data.classes.clone();
        if self.settings.loss != Loss::CrossEntropy && classes.is_empty() {
            return Ok(None);
        }
        // Classes of tables have names, always: a record without them was written before they were kept.
        if classes.is_empty() && self.data.sample.starts_with("csv:") {
            return Err(ReadingError::Lost);
        }
        Ok(Some(Reading { how: How::Largest, classes }))
    }
}

/// The fields of a record, in alphabetical order.
fn fields(record: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(record) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// Settings that determine how long a run lasts, and not what it computes.
pub(super) const LASTING: [&str; 4] = ["epochs", "until_accuracy", "until_loss", "patience"];

impl Settings {
    /// Refuses settings `wanted` under which a run under these might have ended earlier than it is now.
    pub(super) fn continues_under(&self, wanted: &Settings) -> Result<(), TrainError> {
        let goals = |of: &Settings| [of.until_accuracy, of.until_loss];
        let no_goal = goals(wanted).iter().all(Option::is_none);
        let had_goal = goals(self).iter().any(Option::is_some);
        let harder = |held: Option<f64>, wanted: Option<f64>, harder: fn(f64, f64) -> bool| {
            match (held, wanted) {
                (Some(held), Some(wanted)) => harder(wanted, held),
                // What was asked for besides the other goal, or is asked for now.
                (None, Some(_)) => had_goal,
                (Some(_), None) => no_goal,
                (None, None) => true,
            }
        };
        let refuse = |field: &str, found: String, wanted: String| {
            let expected = format!("{wanted}, which the run may already have passed");
            Err(TrainError::OtherRun { what: field.to_owned(), found, expected })
        };
        if !harder(self.until_accuracy, wanted.until_accuracy, |wanted, held| wanted >= held) {
            return refuse(
                "until accuracy",
                json(self.until_accuracy),
                json(wanted.until_accuracy),
            );
        }
        if !harder(self.until_loss, wanted.until_loss, |wanted, held| wanted <= held) {
            return refuse("until loss", json(self.until_loss), json(wanted.until_loss));
        }
        if wanted.patience.is_some() && wanted.patience != self.patience {
            return refuse("patience", json(self.patience), json(wanted.patience));
        }
        Ok(())
    }
}

/// A number as records spell it.
fn json(number: Option<impl Into<Value>>) -> String {
    number.map_or(Value::Null, Into::into).to_string()
}

/// Values that records have as their texts.
pub(super) mod text {
    use super::*;

    pub fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Values that records have as their texts, the empty one for none.
pub(super) mod optional_text {
    use super::*;

    pub fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_str(""),
        }
    }

    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(deserializer)?;
        let parse = |text: &str| text.parse().map_err(de::Error::custom);
        Some(text.as_str()).filter(|text| !text.is_empty()).map(parse).transpose()
    }
}
