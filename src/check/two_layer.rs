//! The body of the two-layer form. Every count is compared with what follows it; nothing is
//! allocated before it has been read.

use std::io::BufRead;

use super::Rejection;
use super::lines::Lines;
use super::number::{Binary, Number};
use super::parse::{compare, counted, counts, number};
use super::work::Work;

/// The counts in the order of their line.
const NAMES: [&str; 9] =
    ["depth", "units", "free", "signs", "nonzero", "slots", "dense", "bits", "max-bits"];

/// Σ_j w_j ReLU(<a, x> − b_j) + c.
#[derive(Clone, Debug)]
pub struct TwoLayer {
    /// a.
    pub direction: Vec<Binary>,
    /// (b_j, w_j).
    pub units: Vec<(Binary, Number)>,
    /// c.
    pub bias: Binary,
}

impl TwoLayer {
    /// Reads the lines from the counts to the bias.
    ///
    /// # Errors
    /// The first [`Rejection`] met.
    pub fn parse(lines: &mut Lines<impl BufRead>, work: &Work) -> Result<TwoLayer, Rejection> {
        let claimed = counts(lines, &NAMES)?;
        let mut direction = Vec::new();
        for _ in 0..counted(lines, "direction")? {
            let a = Binary::parse(lines.next("a coordinate of the direction")?);
            direction.push(a.ok_or_else(|| lines.refuse("a number m or mpE"))?);
        }
        let mut units = Vec::new();
        for _ in 0..counted(lines, "units")? {
            let line = lines.next("a threshold and a weight")?;
            let unit = match line.split_once(' ') {
                Some((b, w)) => Binary::parse(b).zip(number(w, work)?),
                None => None,
            };
            units.push(unit.ok_or_else(|| lines.refuse("a threshold and a weight"))?);
        }
        let bias = Binary::parse(&lines.keyword("bias")?);
        let bias = bias.ok_or_else(|| lines.refuse("'bias' and a number"))?;
        let network = TwoLayer { direction, units, bias };
        compare(&NAMES, &claimed, &network.counts())?;
        Ok(network)
    }

    /// The counts of the network that was read; their meaning is in `network::counts`.
    pub fn counts(&self) -> [u64; 9] {
        let TwoLayer { direction, units, bias } = self;
        let (d, m) = (direction.len() as u64, units.len() as u64);
        let has_bias = u64::from(*bias != Binary::ZERO);
        let constant = constant_weights(units);
        let nonzero_a = direction.iter().filter(|a| **a != Binary::ZERO).count() as u64;
        let nonzero_b = units.iter().filter(|unit| unit.0 != Binary::ZERO).count() as u64;
        let nonzero_w = units.iter().filter(|unit| !unit.1.is_zero()).count() as u64;
        let each = || {
            let thresholds = units.iter().map(|unit| unit.0.bits());
            let weights = units.iter().map(|unit| unit.1.bits());
            let bias = (has_bias == 1).then(|| bias.bits());
            direction.iter().map(Binary::bits).chain(thresholds).chain(weights).chain(bias)
        };
        [
            2,
            m,
            d + has_bias + if constant { m } else { 2 * m },
            u64::from(constant),
            // Counts of files cannot overflow: each coordinate and unit was a line of it.
            m.saturating_mul(nonzero_a).saturating_add(nonzero_b + nonzero_w + has_bias),
            m.saturating_mul(d + 2).saturating_add(has_bias),
            m.saturating_mul(d + 2).saturating_add(1),
            each().sum(),
            each().max().unwrap_or(0),
        ]
    }
}

/// Returns whether the output weights are σ, −2σ, 2σ, −2σ, … with σ = ±1.
fn constant_weights(units: &[(Binary, Number)]) -> bool {
    let parts = |weight: &Number| match weight {
        Number::Binary(binary) => {
            Some((i64::try_from(binary.mantissa.clone()).ok()?, binary.exponent))
        }
        Number::Fraction(_) => None,
    };
    let Some(Some((sigma @ (1 | -1), 0))) = units.first().map(|unit| parts(&unit.1)) else {
        return false;
    };
    let expected = |j: usize| (if j.is_multiple_of(2) { sigma } else { -sigma }, 1);
    units.iter().enumerate().skip(1).all(|(j, unit)| parts(&unit.1) == Some(expected(j)))
}
