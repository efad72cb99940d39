//! Alternating labels on a line: exactly how many a hidden layer of m units can follow.
//!
//! **Statement.** Let n_max(m) be the largest n such that a network with one hidden layer of m ReLU
//! units has values strictly above and below a level in turn at some (equivalently: any) n points of
//! a line. With an output bias, every unit with weights of its own:
//!
//! ```text
//! n_max(0) = 1,   n_max(1) = 2,   n_max(2) = 3,   n_max(m) = m + 2  for m >= 3.
//! ```
//!
//! In Zhang's form Σ w_j ReLU(⟨a,x⟩ − b_j), one direction and no output bias, for signs (level 0):
//! n_max(m) = m, so the n units of Theorem 1 are optimal for that form.
//!
//! **Source.** Worked out for this library.
//!
//! **Upper bounds.** m units make at most m + 1 pieces, and n points in turn need n − 1 (`pieces.rs`).
//! For m <= 2, points m + 2 would need every piece crossed, hence slopes s_0, …, s_m of alternating
//! signs. Far left only left-facing units are active, so s_0 = −Σ (s_j − s_{j−1}) over them: for m = 1
//! this says s_0 = 0 or s_1 = 0; for m = 2 it says s_0 = 0, s_1 = 0, s_2 = 0 or s_0 = s_1 − s_2, which
//! has the sign of s_1. Zhang's form is 0 left of its first kink, starts from 0 there, and can change
//! sign only on the m − 1 pieces after the first that is not constantly 0.
//!
//! **Construction for n = m + 2 >= 5** (any z_1 < … < z_n; gaps g_i = z_{i+1} − z_i). Kinks at z_2, …,
//! z_{n−1}; y_i = 1 for odd i and −1 for even i, but y_4 = −min(1, g_4 (s_2 − s_1)/2) and
//! y_5 = y_4 + g_4 (s_2 − s_1), with s_i = (y_{i+1} − y_i)/g_i the slope on gap i. So
//! s_4 = s_2 − s_1. The units at z_3 and z_4 face left, the others right: far left the slope is
//! −(s_3 − s_2) − (s_4 − s_3) = s_2 − s_4 = s_1, as it has to be. Both signs hold since s_1 < 0 < s_2.
//! The output bias puts f(z_1) = y_1. For Zhang's form Theorem 1 is the construction.
//!
//! **Checked.** Points in order on one line, labels strictly in turn, n > n_max(m). **Cost.** O(nd).

use std::fmt;

use serde::Serialize;

use shatter_exact::Rational;
use shatter_network::{Layered, Unit};

use super::error::{as_stated, more_than};
use super::text::number;
use super::{Impossibility, LabelledLine, ObstructError};

/// A hidden layer of ReLU units on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HiddenLayer {
    /// Every unit has weights of its own, and there is an output bias.
    Free,
    /// Σ w_j ReLU(⟨a,x⟩ − b_j): one direction, no output bias.
    Shared,
}

/// The most points of a line on which `units` ReLU units can alternate strictly.
///
/// ```
/// use shatter_obstruct::alternation::{HiddenLayer, most_points};
/// let free: Vec<u64> = (0..6).map(|m| most_points(HiddenLayer::Free, m)).collect();
/// assert_eq!(free, [1, 2, 3, 5, 6, 7]);
/// assert_eq!(most_points(HiddenLayer::Shared, 4), 4);
/// ```
#[must_use]
pub fn most_points(form: HiddenLayer, units: u64) -> u64 {
    match (form, units) {
        (HiddenLayer::Shared, _) => units,
        (HiddenLayer::Free, 0..=2) => units + 1,
        (HiddenLayer::Free, _) => units.saturating_add(2),
    }
}

/// No network of this form with one hidden layer of `units` ReLU units has outputs strictly above
/// and below `level` in turn at the points of `line`, where the labels do.
///
/// ```
/// use shatter_exact::Rational;
/// use shatter_obstruct::alternation::{AlternationBound, HiddenLayer};
/// use shatter_obstruct::{Impossibility, LabelledLine};
/// let points = (0..4).map(|x| vec![Rational::from(x)]).collect();
/// let labels = [1, -1, 1, -1].map(Rational::from).to_vec();
/// let line = LabelledLine::sorted(points, labels)?;
/// let bound = AlternationBound::new(HiddenLayer::Free, 2, &line, Rational::ZERO)?;
/// assert!(bound.check().is_ok());
/// assert!(AlternationBound::new(HiddenLayer::Free, 3, &line, Rational::ZERO).is_err());
/// # Ok::<(), shatter_obstruct::ObstructError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlternationBound {
    /// The form.
    pub form: HiddenLayer,
    /// m.
    pub units: u64,
    /// Points in order on a line, labels above and below the level in turn.
    pub line: LabelledLine,
    /// Level about which the labels alternate; 0 for the shared form.
    #[serde(serialize_with = "number")]
    pub level: Rational,
    /// n_max(m).
    pub most_points: u64,
}

impl AlternationBound {
    /// The certificate for the part of `line` on which labels alternate about `level`.
    ///
    /// # Errors
    /// [`ObstructError::NotExcluded`] if there are not enough alternations, and as
    /// [`check`](Impossibility::check).
    pub fn new(
        form: HiddenLayer,
        units: u64,
        line: &LabelledLine,
        level: Rational,
    ) -> Result<AlternationBound, ObstructError> {
        line.check()?;
        let (line, most_points) = (line.alternating(&level), most_points(form, units));
        let certificate = AlternationBound { form, units, line, level, most_points };
        certificate.check()?;
        Ok(certificate)
    }
}

impl Impossibility for AlternationBound {
    fn check(&self) -> Result<(), ObstructError> {
        self.line.check()?;
        self.line.check_alternates(&self.level)?;
        if self.form == HiddenLayer::Shared && !self.level.is_zero() {
            return Err(ObstructError::LevelNeedsBias);
        }
        let most = most_points(self.form, self.units);
        as_stated("the most alternating points", &self.most_points, &most)?;
        more_than("alternating points", &self.line.n(), &most)
    }
}

impl fmt::Display for AlternationBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match self.form {
            HiddenLayer::Free => "with an output bias",
            HiddenLayer::Shared => "with one direction and no output bias",
        };
        write!(
            f,
            "no network of {} ReLU unit{} in one hidden layer {form} has outputs above and below \
             {} in turn at these {} collinear points: {} are the most",
            self.units,
            if self.units == 1 { "" } else { "s" },
            self.level,
            self.line.n(),
            self.most_points
        )
    }
}

/// A network with one hidden layer, as small as [`most_points`] allows, whose outputs at
/// z_1 < … < z_n are positive and negative in turn, the first positive: it has n − 2 units for
/// n >= 5, and 0, 1, 2, 3 for n = 1, 2, 3, 4.
///
/// ```
/// use shatter_exact::Rational;
/// use shatter_obstruct::alternation;
/// let z: Vec<Rational> = [0, 1, 3, 4, 10].map(Rational::from).to_vec();
/// let network = alternation::witness(&z)?;
/// assert_eq!(network.sizes().units, 3);
/// assert_eq!(alternation::first_out_of_turn(&network, &z), None);
/// # Ok::<(), shatter_obstruct::ObstructError>(())
/// ```
///
/// # Errors
/// [`ObstructError::Empty`], or [`ObstructError::NotInOrder`] if z is not strictly increasing.
pub fn witness(z: &[Rational]) -> Result<Layered, ObstructError> {
    if z.is_empty() {
        return Err(ObstructError::Empty("points"));
    }
    if let Some(at) = z.windows(2).position(|pair| pair[0] >= pair[1]) {
        return Err(ObstructError::NotInOrder { index: at + 1 });
    }
    let mut z = z.to_vec();
    if z.len() == 4 {
        // Three units reach five points, and no fewer reach four.
        let beyond = &z[3] + Rational::ONE;
        z.push(beyond);
    }
    let gaps: Vec<Rational> = z.windows(2).map(|pair| &pair[1] - &pair[0]).collect();
    let y = values(&gaps);
    let slopes: Vec<Rational> =
        gaps.iter().enumerate().map(|(i, gap)| (&y[i + 1] - &y[i]) / gap).collect();
    // (kink, output weight, whether the unit faces left)
    let units: Vec<(&Rational, Rational, bool)> = match slopes.as_slice() {
        [] => vec![],
        [slope] => vec![(&z[0], slope.clone(), false)],
        [left, right] => vec![(&z[1], -left.clone(), true), (&z[1], right.clone(), false)],
        _ => {
            let jump = |i: usize| &slopes[i] - &slopes[i - 1];
            (1..slopes.len()).map(|i| (&z[i], jump(i), i == 2 || i == 3)).collect()
        }
    };
    let hidden = units.iter().map(|&(kink, _, left)| {
        let sign = if left { -Rational::ONE } else { Rational::ONE };
        let bias = -(&sign * kink);
        Unit::relu([(0, sign)], bias)
    });
    let hidden: Vec<Unit> = hidden.collect();
    let at_first = hidden.iter().zip(&units).fold(Rational::ZERO, |sum, (unit, (_, weight, _))| {
        sum + weight * unit.activation.apply(unit.argument(&z[..1]))
    });
    let weights = units.iter().map(|(_, weight, _)| weight.clone()).enumerate();
    let output = vec![Unit::affine(weights, &y[0] - at_first)];
    Ok(Layered { inputs: 1, hidden: vec![hidden], output })
}

/// The values y_1, …, y_n of the construction.
fn values(gaps: &[Rational]) -> Vec<Rational> {
    let sign = |i: usize| if i.is_multiple_of(2) { Rational::ONE } else { -Rational::ONE };
    let mut y: Vec<Rational> = (0..=gaps.len()).map(sign).collect();
    if y.len() >= 5 {
        let slope = |i: usize| (&y[i + 1] - &y[i]) / &gaps[i];
        let rise = &gaps[3] * (slope(1) - slope(0));
        y[3] = -Rational::ONE.min(&rise / Rational::from(2));
        y[4] = &y[3] + rise;
    }
    y
}

/// The first of the numbers `z` at which the output is not positive (first, third, …) or negative
/// (second, fourth, …); `None` if all are in turn.
///
/// # Panics
/// If the network is no well-wired function of one number.
#[must_use]
pub fn first_out_of_turn(network: &Layered, z: &[Rational]) -> Option<usize> {
    let in_turn = |i: usize| {
        let value = &network.evaluate(&z[i..=i])[0];
        if i.is_multiple_of(2) { *value > Rational::ZERO } else { *value < Rational::ZERO }
    };
    (0..z.len()).find(|&i| !in_turn(i))
}
