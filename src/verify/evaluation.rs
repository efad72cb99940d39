//! How far a network is from its labels at given points.

use serde::Serialize;

use shatter_exact::Element;
use shatter_random::stream::{Purpose, stream, subset};

/// Random points evaluated at the least where evaluating all would take too long.
const FEWEST: usize = 256;

/// Deviation of a network from its labels, at the points at which it was evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "reason")]
pub enum Deviation {
    /// Every output equals its label.
    Zero,
    /// Some do not.
    Deviates,
    /// An output is infinite or not a number.
    NotFinite,
    /// There is no network: what the construction said.
    Refused(String),
}

/// The largest |f(x_i) − y_i| over the evaluated points.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measured {
    pub outcome: Deviation,
    /// `None` if an output is not finite.
    pub residual: Option<f64>,
}

impl Measured {
    /// Of outputs and labels in the same order; differences are taken in binary64.
    pub fn of<F: Element>(outputs: &[F], labels: impl Iterator<Item = f64>) -> Measured {
        let mut largest = 0.0f64;
        for (output, label) in outputs.iter().zip(labels) {
            let difference = ((*output).to_f64() - label).abs();
            if !difference.is_finite() {
                return Measured { outcome: Deviation::NotFinite, residual: None };
            }
            largest = largest.max(difference);
        }
        let outcome = if largest == 0.0 { Deviation::Zero } else { Deviation::Deviates };
        Measured { outcome, residual: Some(largest) }
    }
}

/// Positions, in the order of projections, at which a network of n units is evaluated: all of them
/// if n² <= terms, otherwise random ones that take about `terms` terms, and the last (every unit is
/// active there, so that errors have had the most room to grow).
pub(super) fn probes(n: usize, terms: usize, seed: u64) -> Vec<u32> {
    if n.saturating_mul(n) <= terms {
        return (0..n as u32).collect();
    }
    let count = (terms / n).max(FEWEST);
    let mut probes = subset(&mut stream(seed, Purpose::Probe), n as u32, count);
    let last = n as u32 - 1;
    if probes.last() != Some(&last) {
        probes.push(last);
    }
    probes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infinities_and_nan_are_recorded_as_such() {
        for odd in [f64::NAN, f64::INFINITY] {
            let measured = Measured::of(&[1.0, odd], [1.0, 2.0].into_iter());
            assert_eq!(measured, Measured { outcome: Deviation::NotFinite, residual: None });
        }
        let exact = Measured::of(&[1.0f32], [1.0].into_iter());
        assert_eq!(exact, Measured { outcome: Deviation::Zero, residual: Some(0.0) });
    }

    #[test]
    fn the_last_point_is_always_evaluated() {
        assert_eq!(probes(50, 2_500, 1).len(), 50);
        let some = probes(10_000, 10_000, 1);
        assert!((FEWEST..=FEWEST + 1).contains(&some.len()));
        assert_eq!(some.last(), Some(&9_999));
    }
}
