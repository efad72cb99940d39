//! What training finds, as it goes into records.
//!
//! JSON has no number that is not finite: such a loss stands there as `null`.

use serde::{Deserialize, Serialize};

use shatter_device::Outcome;

use super::identity::Identity;
use super::settings::Settings;

/// Loss and accuracy over some samples, with those whose labels were changed apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Whether labels are real numbers, which are not classified.
    pub real: bool,
    /// Sum of the losses.
    #[serde(with = "finite")]
    pub loss: f64,
    /// Samples with their own label: classified as labelled, and all of them.
    pub clean: (u64, u64),
    /// Samples with a changed label: classified as labelled, and all of them.
    pub changed: (u64, u64),
}

impl Tally {
    /// Of nothing yet.
    pub fn new(real: bool) -> Tally {
        Tally { real, ..Tally::default() }
    }

    /// Adds a batch.
    pub fn add(&mut self, outcome: &Outcome) {
        let plus = |sum: &mut (u64, u64), (right, all): (u32, u32)| {
            *sum = (sum.0 + u64::from(right), sum.1 + u64::from(all));
        };
        self.loss += outcome.loss;
        plus(&mut self.clean, outcome.clean);
        plus(&mut self.changed, outcome.changed);
    }

    /// Samples.
    pub fn count(&self) -> u64 {
        self.clean.1 + self.changed.1
    }

    /// Mean loss and accuracies.
    pub fn measured(&self) -> Measured {
        let share =
            |(right, all): (u64, u64)| (all > 0 && !self.real).then(|| right as f64 / all as f64);
        let all = (self.clean.0 + self.changed.0, self.count());
        Measured {
            loss: self.loss / self.count().max(1) as f64,
            accuracy: share(all),
            clean: share(self.clean),
            changed: share(self.changed),
        }
    }
}

/// Mean loss and accuracies over some samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Mean loss; in JSON `null` where it is not finite.
    #[serde(with = "finite")]
    pub loss: f64,
    /// Share of samples that are classified as labelled; `None` for real labels.
    pub accuracy: Option<f64>,
    /// The same among samples with their own label; `None` if there are none.
    pub clean: Option<f64>,
    /// The same among samples with a changed label; `None` if there are none.
    pub changed: Option<f64>,
}

impl Measured {
    /// Where training diverged: no number means anything.
    pub const NOT_FINITE: Measured =
        Measured { loss: f64::NAN, accuracy: None, clean: None, changed: None };
}

/// One line of a record: an epoch, or some steps of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Steps since the beginning.
    pub step: u32,
    /// Epochs that are complete.
    pub epoch: u32,
    /// Whether an epoch ends here; its line speaks of all of it.
    pub end_of_epoch: bool,
    /// The learning rate.
    pub learning_rate: f64,
    /// Over the batches as they were trained on, each before its update.
    pub online: Measured,
    /// The whole training set after the last step, where it was evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<Measured>,
    /// The test set after the last step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Measured>,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Every condition to stop that was asked for: the data are fitted.
    Fitted,
    /// All epochs are done.
    Epochs,
    /// The test accuracy no longer improved.
    Patience,
    /// The loss ceased to be finite.
    Diverged,
}

impl Ended {
    /// Whether a run under settings `held` that ended so after `epochs` epochs would have ended
    /// there under settings `wanted`, too.
    pub(super) fn holds(self, epochs: u32, held: &Settings, wanted: &Settings) -> bool {
        let goals = |of: &Settings| (of.until_accuracy, of.until_loss, of.patience);
        let reaches = match self {
            Ended::Fitted | Ended::Patience => epochs <= wanted.epochs,
            Ended::Diverged => epochs < wanted.epochs,
            Ended::Epochs => held.epochs == wanted.epochs,
        };
        reaches && goals(held) == goals(wanted)
    }
}

/// How a run went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of the record.
    #[serde(default)]
    pub version: u32,
    /// The text of the network.
    pub architecture: String,
    /// Data and settings.
    pub identity: Identity,
    /// Why it ended.
    pub ended: Ended,
    /// Steps.
    pub steps: u32,
    /// Epochs that are complete.
    pub epochs: u32,
    /// Training labels that differ from the sample's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_labels: Option<u32>,
    /// The training set under the final weights.
    pub train: Measured,
    /// The test set under the final weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Measured>,
    /// The best test accuracy of any epoch, and the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_test: Option<(f64, u32)>,
}

impl Summary {
    /// Whether an accuracy or a loss was to be reached.
    pub fn asked(&self) -> bool {
        let Settings { until_accuracy, until_loss, .. } = self.identity.settings;
        until_accuracy.or(until_loss).is_some()
    }
}

/// Numbers in JSON, `null` where they are not finite.
mod finite {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        match value.is_finite() {
            true => serializer.serialize_f64(*value),
            false => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
    }
}
