//! Labels as the outputs that say them, in the checker's own numbers.

use shatter_sample::{Labels, Target};

use super::number::Binary;

/// Outputs that labels like these take. Labels that are real numbers have no encoding but their
/// values: `None`.
pub fn outputs(target: Target, labels: &Labels) -> Option<usize> {
    match (target, labels) {
        (Target::Value, Labels::Classes { .. }) => Some(1),
        (Target::OneHot, Labels::Classes { count, .. }) => Some(*count as usize),
        // The least number of bits, at least 1, in which count − 1 can be written.
        (Target::Bits, Labels::Classes { count, .. }) => {
            (1..=32).find(|&bits| u64::from(*count) <= 1 << bits)
        }
        (Target::Value, Labels::Real { outputs, .. }) => Some(*outputs),
        (Target::OneHot | Target::Bits, Labels::Real { .. }) => None,
    }
}

/// Number `k` of the outputs that say the label of point `i`.
pub fn number(target: Target, labels: &Labels, i: usize, k: usize) -> Binary {
    let of_integer = |x: u32| Binary::from_integer(i64::from(x));
    match labels {
        Labels::Real { values, outputs } => Binary::from_f64(values[i * outputs + k]),
        Labels::Classes { of, .. } => match target {
            Target::Value => of_integer(of[i]),
            Target::OneHot => of_integer(u32::from(of[i] as usize == k)),
            Target::Bits => of_integer((of[i] >> k) & 1),
        },
    }
}
