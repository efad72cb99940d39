//! The rows of Tables 1 and 4 of Zhang et al. (ICLR 2017): their networks, labels and regularizers. Settings that the
//! paper gives for all rows are those of [`Settings::paper`].
//!
//! Table 1 trains on true labels with and without random crops and weight decay, and on random
//! labels with neither; Table 4 on random labels with one regularizer each: weight decay, random
//! crops, or flips and rotations. For the last two the paper moved the decay of the learning rate
//! from 0.95 to 0.999, and reports the accuracy of the batches as they were trained on.
//!
//! The paper gives no coefficient of weight decay ("the default" of each network).
//! [`WEIGHT_DECAY`] is that of the first author's later code for random labels.
//!
//! [`Settings::paper`]: super::Settings::paper

use shatter_prepare::{Augmentation, Condition};
use shatter_sample::LabelRule;

/// Default weight decay of the rows that have it.
pub const WEIGHT_DECAY: f64 = 1e-4;

/// Decay of the learning rate of rows with augmentation and random labels.
pub const SLOW: f64 = 0.999;

/// A row of one of the tables.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TableRow {
    /// The table: 1 or 4.
    pub table: u8,
    /// The network, as `network::architecture` names it.
    pub model: &'static str,
    /// Augmentation of training images, if any.
    pub augmentation: Option<Augmentation>,
    /// Weights decay.
    pub weight_decay: bool,
    /// All training labels are random.
    pub random_labels: bool,
}

impl TableRow {
    /// Returns the name of its folder: the network, its regularizers, its labels.
    ///
    /// ```
    /// use shatter_train::table1::ROWS;
    /// assert_eq!(ROWS[0].name(), "inception-crop-decay");
    /// assert_eq!(ROWS[18].name(), "mlp1x512-random");
    /// assert_eq!(ROWS[24].name(), "inception-flip-rotate-random");
    /// ```
    #[must_use]
    pub fn name(&self) -> String {
        let mut name = self.model.to_owned();
        let Augmentation { crop, flip, rotation } = self.augmentation.unwrap_or_default();
        for (part, there) in [
            ("-crop", crop),
            ("-flip", flip),
            ("-rotate", rotation > 0.0),
            ("-decay", self.weight_decay),
            ("-random", self.random_labels),
        ] {
            name += if there { part } else { "" };
        }
        name
    }

    /// Returns the condition on the data.
    #[must_use]
    pub fn condition(&self) -> Condition {
        let rule = if self.random_labels { LabelRule::Random } else { LabelRule::True };
        Condition::Labels(rule)
    }

    /// Returns the decay of the learning rate, if it differs from that of the other rows.
    #[must_use]
    pub fn rate_decay(&self) -> Option<f64> {
        (self.random_labels && self.augmentation.is_some()).then_some(SLOW)
    }
}

/// `set`: c for random crops, a for flips and rotations, w for weight decay, r for random labels.
const fn row(table: u8, model: &'static str, set: &str) -> TableRow {
    let (mut augmentation, mut weight_decay, mut random_labels, mut i) = (None, false, false, 0);
    while i < set.len() {
        match set.as_bytes()[i] {
            b'c' => augmentation = Some(Augmentation { crop: true, flip: false, rotation: 0.0 }),
            b'a' => augmentation = Some(Augmentation { crop: false, flip: true, rotation: 25.0 }),
            b'w' => weight_decay = true,
            _ => random_labels = true,
        }
        i += 1;
    }
    TableRow { table, model, augmentation, weight_decay, random_labels }
}

/// The nineteen rows of Table 1 and the six of Table 4, in the paper's order.
pub const ROWS: [TableRow; 25] = [
    row(1, "inception", "cw"),
    row(1, "inception", "c"),
    row(1, "inception", "w"),
    row(1, "inception", ""),
    row(1, "inception", "r"),
    row(1, "inception-nobn", "w"),
    row(1, "inception-nobn", ""),
    row(1, "inception-nobn", "r"),
    row(1, "alexnet", "cw"),
    row(1, "alexnet", "c"),
    row(1, "alexnet", "w"),
    row(1, "alexnet", ""),
    row(1, "alexnet", "r"),
    row(1, "mlp3x512", "w"),
    row(1, "mlp3x512", ""),
    row(1, "mlp3x512", "r"),
    row(1, "mlp1x512", "w"),
    row(1, "mlp1x512", ""),
    row(1, "mlp1x512", "r"),
    row(4, "inception", "wr"),
    row(4, "alexnet", "wr"),
    row(4, "mlp3x512", "wr"),
    row(4, "mlp1x512", "wr"),
    row(4, "inception", "cr"),
    row(4, "inception", "ar"),
];

#[cfg(test)]
mod tests {
    use super::ROWS;

    #[test]
    fn names_are_distinct() {
        for (at, row) in ROWS.iter().enumerate() {
            assert!(ROWS[..at].iter().all(|other| other.name() != row.name()), "{row:?}");
        }
        assert_eq!(ROWS.iter().filter(|row| row.table == 1).count(), 19);
    }
}
