//! What training finds, as it goes into records.

use serde::{Deserialize, Serialize};

use crate::device::Outcome;

/// Loss and accuracy over some samples, with those whose labels were changed apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Sum of the losses.
    pub loss: f64,
    /// Samples with their own label: classified as labelled, and all of them.
    pub clean: (u64, u64),
    /// Samples with a changed label: classified as labelled, and all of them.
    pub changed: (u64, u64),
}

impl Tally {
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
        let share = |(right, all): (u64, u64)| (all > 0).then(|| right as f64 / all as f64);
        let all = (self.clean.0 + self.changed.0, self.count());
        Measured {
            loss: self.loss / self.count().max(1) as f64,
            accuracy: share(all).unwrap_or(0.0),
            clean: share(self.clean),
            changed: share(self.changed),
        }
    }
}

/// Mean loss and accuracies over some samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Mean loss.
    pub loss: f64,
    /// Share of samples that are classified as labelled.
    pub accuracy: f64,
    /// The same among samples with their own label; `None` if there are none.
    pub clean: Option<f64>,
    /// The same among samples with a changed label; `None` if there are none.
    pub changed: Option<f64>,
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
}

/// How a run went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The text of the network.
    pub architecture: String,
    /// Data and settings.
    pub identity: serde_json::Value,
    /// Why it ended.
    pub ended: Ended,
    /// Steps.
    pub steps: u32,
    /// Epochs.
    pub epochs: u32,
    /// The training set under the final weights.
    pub train: Measured,
    /// The test set under the final weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Measured>,
    /// The best test accuracy of any epoch, and the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_test: Option<(f64, u32)>,
}
