//! Settings of training: everything besides the network and the data.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use shatter_prepare::augment::Augmentation;

use super::compile::Loss;
use super::identity::optional_text;
use super::initial::Initialization;
use super::outcome::Measured;

/// Order of the samples in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// A permutation of its own for each epoch.
    Shuffled,
    /// File order.
    Sequential,
}

impl FromStr for Order {
    type Err = String;

    fn from_str(text: &str) -> Result<Order, String> {
        match text {
            "shuffled" => Ok(Order::Shuffled),
            "sequential" => Ok(Order::Sequential),
            _ => Err(format!("'{text}' is not an order; expected shuffled or sequential")),
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Order::Shuffled => "shuffled",
            Order::Sequential => "sequential",
        })
    }
}

/// Settings of a run.
///
/// The default is [`Settings::paper`] with learning rate 0.01, as the paper trains multilayer perceptrons:
///
/// ```
/// use shatter_train::Settings;
/// let settings = Settings { batch: 16, epochs: 5, ..Settings::default() };
/// assert_eq!((settings.learning_rate, settings.momentum), (0.01, 0.9));
/// assert!(settings.check().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)] // what is not known cannot be compared
pub struct Settings {
    /// Samples per step.
    pub batch: usize,
    /// Learning rate of the first epoch.
    pub learning_rate: f64,
    /// Factor of the learning rate from epoch to epoch.
    pub rate_decay: f64,
    /// Momentum: the factor of the velocity.
    pub momentum: f64,
    /// Weight decay.
    pub weight_decay: f64,
    /// Rule for initial weights.
    pub initialization: Initialization,
    /// The loss that training minimizes.
    pub loss: Loss,
    /// Order of the samples in an epoch.
    pub order: Order,
    /// Augmentation of training images, if any.
    #[serde(with = "optional_text")]
    pub augmentation: Option<Augmentation>,
    /// Largest number of epochs.
    pub epochs: u32,
    /// Training accuracy at which training stops. It is that of the whole training set under the weights at the end of
    /// an epoch.
    pub until_accuracy: Option<f64>,
    /// Training loss at which training stops. It is the mean over an epoch, each batch before its update.
    pub until_loss: Option<f64>,
    /// Number of epochs without a better test accuracy after which training stops.
    pub patience: Option<u32>,
    /// Seed of initial weights, order, dropout and augmentation.
    pub seed: u64,
}

impl Default for Settings {
    /// The paper's settings for multilayer perceptrons.
    fn default() -> Settings {
        Settings::paper(0.01)
    }
}

impl Settings {
    /// Returns the paper's learning rate of the first epoch for a network of this name: 0.1 for the two Inceptions,
    /// 0.01 for the others.
    #[must_use]
    pub fn paper_rate(model: &str) -> f64 {
        if matches!(model, "inception" | "inception-nobn") { 0.1 } else { 0.01 }
    }

    /// Returns the paper's settings for a network of that learning rate: batches of 128 (inferred), momentum 0.9, a
    /// learning rate that decays by 0.95 each epoch, no weight decay.
    #[must_use]
    pub fn paper(learning_rate: f64) -> Settings {
        Settings {
            batch: 128,
            learning_rate,
            rate_decay: 0.95,
            momentum: 0.9,
            weight_decay: 0.0,
            initialization: Initialization::GlorotUniform,
            loss: Loss::CrossEntropy,
            order: Order::Shuffled,
            augmentation: None,
            epochs: 100,
            until_accuracy: Some(1.0),
            until_loss: None,
            patience: None,
            seed: 0,
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// The first setting that is not valid, with the values that are, in words.
    pub fn check(&self) -> Result<(), String> {
        let finite = |name: &str, value: f64, sensible: bool, expected: &str| {
            let fine = value.is_finite() && sensible;
            if fine {
                Ok(())
            } else {
                Err(format!("{name} {value} is not valid; expected {expected}"))
            }
        };
        if self.batch == 0 {
            return Err("a batch of 0 samples is not valid; expected at least 1".into());
        }
        let rate = self.learning_rate;
        finite("learning rate", rate, rate >= 0.0, "a number of at least 0")?;
        let decay = self.rate_decay;
        finite("decay of the learning rate", decay, decay > 0.0, "a positive number")?;
        let momentum = self.momentum;
        finite("momentum", momentum, (0.0..1.0).contains(&momentum), "0 <= momentum < 1")?;
        let decay = self.weight_decay;
        finite("weight decay", decay, decay >= 0.0, "a number of at least 0")?;
        if let Some(a) = self.until_accuracy {
            finite("training accuracy", a, (0.0..=1.0).contains(&a), "a number from 0 to 1")?;
        }
        if let Some(loss) = self.until_loss {
            finite("training loss", loss, loss >= 0.0, "a number of at least 0")?;
        }
        Ok(())
    }

    /// Returns true if there is a goal and every goal is reached: `until_loss` by the loss of `online`, over an epoch as
    /// it was trained on, and `until_accuracy` by the accuracy of `train`, on the training set after it.
    #[must_use]
    pub fn reached(&self, online: Option<Measured>, train: Option<Measured>) -> bool {
        let accuracy = self.until_accuracy.map(|wanted| {
            train.and_then(|train| train.accuracy).is_some_and(|accuracy| accuracy >= wanted)
        });
        let loss = self.until_loss.map(|wanted| online.is_some_and(|online| online.loss <= wanted));
        let asked = [accuracy, loss];
        asked.iter().flatten().all(|&reached| reached) && asked.iter().any(Option::is_some)
    }

    /// Returns the learning rate of an epoch, counted from 0.
    #[must_use]
    pub fn rate(&self, epoch: u32) -> f64 {
        self.learning_rate * self.rate_decay.powi(epoch.min(i32::MAX as u32) as i32)
    }
}
