//! Losses and accuracies of training, as records hold them.
//!
//! JSON has no number that is not finite: such a loss is `null`.

use serde::{Deserialize, Serialize};

use shatter_device::Outcome;

use super::identity::Identity;
use super::settings::Settings;

/// Loss and accuracy over some samples, with those whose labels were changed apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Labels are real numbers, and accuracies are not counted.
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
    /// Returns the empty tally. `real` is true if labels are real numbers.
    #[must_use]
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

    /// Returns the number of samples.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.clean.1 + self.changed.1
    }

    /// Returns mean loss and accuracies.
    #[must_use]
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
    /// Measurement of a run that diverged: the loss is NaN, and there are no accuracies.
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
    /// An epoch ends here, and the line covers all of it.
    pub end_of_epoch: bool,
    /// The learning rate.
    pub learning_rate: f64,
    /// Loss and accuracy over the batches of the line, each before its update.
    pub online: Measured,
    /// Loss and accuracy of the whole training set after the last step, if it was evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<Measured>,
    /// Loss and accuracy of the test set after the last step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Measured>,
}

/// Reason why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Training accuracy and loss reached the goals of the settings: the data are fitted.
    Fitted,
    /// All epochs are done.
    Epochs,
    /// The test accuracy no longer improved.
    Patience,
    /// The loss is no longer finite.
    Diverged,
}

impl Ended {
    /// Returns true if a run under settings `held` that ended so after `epochs` epochs would have ended
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

/// Summary of a run that has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of the record.
    #[serde(default)]
    pub version: u32,
    /// The text of the network.
    pub architecture: String,
    /// Data and settings.
    pub identity: Identity,
    /// Reason why it ended.
    pub ended: Ended,
    /// Steps.
    pub steps: u32,
    /// Epochs that are complete.
    pub epochs: u32,
    /// Training labels that differ from the sample's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_labels: Option<u32>,
    /// Loss and accuracy of the training set under the final weights.
    pub train: Measured,
    /// Loss and accuracy of the test set under the final weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Measured>,
    /// The best test accuracy of any epoch, and the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_test: Option<(f64, u32)>,
}

impl Summary {
    /// Returns true if the settings have a goal: a training accuracy or a training loss.
    #[must_use]
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
