//! What a network is to say at a point, given the point's label.

use std::fmt;
use std::str::FromStr;

use crate::exact::{Dyadic, Rational};

use super::Labels;

/// How a label is written as the outputs of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The real numbers of the label, or the number of its class: one output a number.
    Value,
    /// For each class a 1 or a 0.
    OneHot,
    /// The number of the class in binary, lowest bit first; at least one bit.
    Bits,
}

impl Target {
    /// Outputs for labels like these.
    pub fn outputs(self, labels: &Labels) -> usize {
        match (self, labels) {
            (Target::OneHot, Labels::Classes { count, .. }) => *count as usize,
            (Target::Bits, Labels::Classes { count, .. }) => class_bits(*count) as usize,
            _ => labels.outputs(),
        }
    }

    /// The outputs that say the label of point `i`. Real labels are always their values.
    ///
    /// ```
    /// use shatter::exact::Rational;
    /// use shatter::sample::{Labels, Target};
    /// let labels = Labels::classes(vec![2, 0], 3)?;
    /// let numbers = |target: Target, i| -> Vec<f64> {
    ///     target.of(&labels, i).iter().map(|x: &Rational| x.to_f64().value()).collect()
    /// };
    /// assert_eq!(numbers(Target::Value, 0), [2.0]);
    /// assert_eq!(numbers(Target::OneHot, 0), [0.0, 0.0, 1.0]);
    /// assert_eq!(numbers(Target::Bits, 0), [0.0, 1.0]);
    /// # Ok::<(), shatter::sample::SampleError>(())
    /// ```
    ///
    /// # Panics
    /// If `i` is out of range.
    pub fn of(self, labels: &Labels, i: usize) -> Vec<Rational> {
        let bit = |yes: bool| if yes { Rational::ONE } else { Rational::ZERO };
        match (self, labels) {
            (Target::OneHot, Labels::Classes { of, count, .. }) => {
                (0..*count).map(|class| bit(class == of[i])).collect()
            }
            (Target::Bits, Labels::Classes { of, count, .. }) => {
                (0..class_bits(*count)).map(|place| bit(of[i] >> place & 1 == 1)).collect()
            }
            _ => labels.exact_row(i).iter().map(Dyadic::to_rational).collect(),
        }
    }
}

/// Bits that tell `count` classes apart, at least 1.
pub fn class_bits(count: u32) -> u32 {
    (32 - count.saturating_sub(1).leading_zeros()).max(1)
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Target::Value => "value",
            Target::OneHot => "one-hot",
            Target::Bits => "bits",
        })
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Target, String> {
        match text {
            "value" => Ok(Target::Value),
            "one-hot" => Ok(Target::OneHot),
            "bits" => Ok(Target::Bits),
            _ => Err(format!("'{text}' is none of: value, one-hot, bits")),
        }
    }
}
