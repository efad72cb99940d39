//! What a network is to say at a point, given the point's label.

use std::fmt;
use std::str::FromStr;

use super::Labels;

/// Encoding of a label as the outputs of a network.
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
    #[must_use]
    pub fn outputs(self, labels: &Labels) -> usize {
        match (self, labels) {
            (Target::OneHot, Labels::Classes { count, .. }) => *count as usize,
            (Target::Bits, Labels::Classes { count, .. }) => class_bits(*count) as usize,
            _ => labels.outputs(),
        }
    }
}

/// Bits that tell `count` classes apart, at least 1.
#[must_use]
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
            _ => Err(format!(
                "'{text}' is not a way to write labels; expected one of: value, one-hot, bits"
            )),
        }
    }
}
