//! From the Rademacher complexity of a class to the test error, at a margin that the data choose.
//!
//! **Theorem (A).** Let G be a class of functions with values in [0, 1], fixed before the sample z_1, …, z_n of
//! independent points of one distribution. With probability at least 1 − δ, for all g ∈ G,
//!
//! ```text
//! E g <= (1/n) Σ g(z_i) + 2 R(G) + 3 √(ln(2/δ)/(2n)),   R(G) = (1/n) E_σ sup_{g∈G} Σ_i σ_i g(z_i).
//! ```
//!
//! **Source.** Bartlett and Mendelson, JMLR 3, 2002; with these constants Theorem 3.3, (3.4), of Mohri, Rostamizadeh
//! and Talwalkar, *Foundations of Machine Learning*, 2nd edition: McDiarmid's inequality twice, and symmetrization.
//!
//! **Contraction (B).** For functions h_i: R → R that are λ-Lipschitz, E sup_f Σ σ_i h_i(f(x_i)) <= λ E sup_f Σ σ_i
//! f(x_i) (Talagrand's lemma, Lemma 5.7 of the same book). For h_i: R^k → R that are λ-Lipschitz in the ℓ2 norm, <=
//! √2 λ E sup_f Σ_{i,c} σ_ic f_c(x_i) (Maurer, *A vector-contraction inequality for Rademacher complexities*, ALT
//! 2016). An activation of the outputs is contracted in the same way, number by number, and changes nothing.
//!
//! **Ramp loss.** g = ℓ_γ(m(f(x), y)) is between the indicators of an error and of a margin below γ
//! ([`margin`](crate::margin)). So the probability of an error is at most the mean ramp loss of the training points,
//! plus 2 λ/γ R + 3√…, with λ of [`contraction`] and R that of the class of outputs.
//!
//! **Margins and norms that the data choose.** A class is fixed before the sample, and norms are known after it. For
//! j ∈ Z let a_j = 2^{j/4} and w_j = 1/(2(|j| + 1)(|j| + 2)); Σ_j w_j = ½(1 + ½) < 1. Theorem (A) with δ w_j for the
//! class of index j holds for all j at once with probability 1 − δ, since the failures sum to less than δ. The class
//! used is the first that contains the network ([`Grid`]); it costs ln(1/w_j). Several numbers that are fitted to the
//! grid multiply their weights.
//!
//! Outputs over γ are a network of the same class with norms over γ, whose ramp loss at 1 is that of the outputs at
//! γ. So for the readings `largest` and `sign`, whose margins scale with the outputs, a class that is determined by a
//! norm M of the outputs needs M/γ on the grid alone, and γ is any positive number. For the others γ is a power of
//! two, which is paid for too.

use shatter_exact::dyadic::decompose;
use shatter_network::reading::How;

use crate::margin::Margins;
use crate::{Assumption, Enclosure, Finding, MeasureError, Norms, Perceptron, PointSizes};

/// γ that are tried.
const CANDIDATES: usize = 96;

/// A number of the grid a_j = 2^{j/4}.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// j.
    pub index: i64,
    /// a_j.
    pub value: Enclosure,
    /// ln(1/w_j).
    pub price: Enclosure,
}

impl Grid {
    /// The first number of the grid above 2^-1000 that is at least every number of an enclosure; `None` beyond
    /// 2^1000.
    ///
    /// ```
    /// use shatter_measure::{Enclosure, ramp::Grid};
    /// let grid = Grid::above(Enclosure::exact(3.0)).unwrap();
    /// assert!(grid.index == 7 && grid.value.contains(2f64.powf(1.75)));
    /// ```
    #[must_use]
    pub fn above(x: Enclosure) -> Option<Grid> {
        if x.high() > 2f64.powi(999) {
            return None;
        }
        let x = x.high().max(2f64.powi(-1000));
        let mut index = (4.0 * x.log2()).floor() as i64 - 2;
        while power(index).low() < x {
            index += 1;
        }
        Some(Grid::at(index))
    }

    /// Number j of the grid.
    pub(crate) fn at(index: i64) -> Grid {
        Grid { index, value: power(index), price: price(index) }
    }
}

/// 2^{j/4}.
fn power(index: i64) -> Enclosure {
    let quarter = Enclosure::exact(2f64.powi(index.rem_euclid(4) as i32)).sqrt().sqrt();
    quarter * Enclosure::exact(2f64.powi(index.div_euclid(4) as i32))
}

/// ln(1/w_j) = ln(2(|j| + 1)(|j| + 2)).
fn price(index: i64) -> Enclosure {
    let j = index.unsigned_abs();
    Enclosure::whole(2 * (j + 1) * (j + 2)).ln()
}

/// λ, the factor between the Rademacher complexity of ramp losses at margin 1 and that of outputs: 1 for one output;
/// for several √2 times the Lipschitz constant of the margin, with the complexity Σ_{i,c} σ_ic f_c(x_i).
#[must_use]
pub fn contraction(how: How, outputs: usize) -> Enclosure {
    match (how, outputs) {
        (_, 1) => Enclosure::ONE,
        (How::Largest, _) => Enclosure::exact(2.0),
        _ => Enclosure::exact(2.0).sqrt(),
    }
}

/// A bound at the best of the margins that were tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AtMargin {
    /// γ.
    pub gamma: f64,
    /// Mean ramp loss at γ, an upper bound.
    pub train: f64,
    /// 2 λ/γ R, an upper bound.
    pub complexity: f64,
    /// 3 √(ln(2/(δ w))/(2n)), an upper bound.
    pub confidence: f64,
    /// Their sum, an upper bound: of the probability of an error.
    pub total: f64,
}

/// δ, checked to be in (0, 1).
///
/// # Errors
/// [`MeasureError::Parameter`].
pub fn probability(delta: f64) -> Result<Enclosure, MeasureError> {
    match delta > 0.0 && delta < 1.0 {
        true => Ok(Enclosure::exact(delta)),
        false => Err(MeasureError::Parameter {
            what: "delta",
            value: delta,
            expected: "a number above 0 and below 1",
        }),
    }
}

/// The least bound over γ; over powers of two alone where `any` is false, or where margins do not scale. `complexity`
/// returns, for γ, an enclosure of R(ramp losses at γ of the class that was chosen for γ) and the price ln(1/w) of
/// the class; `None` where there is no class.
///
/// # Errors
/// [`MeasureError::Parameter`] for δ.
pub fn least(
    margins: &Margins,
    delta: f64,
    any: bool,
    mut complexity: impl FnMut(f64) -> Option<(Enclosure, Enclosure)>,
) -> Result<Option<AtMargin>, MeasureError> {
    let delta = probability(delta)?;
    let n = Enclosure::whole(margins.n() as u64);
    let powers = !(any && scales(margins.how()));
    let mut gammas = margins.candidates(CANDIDATES);
    if gammas.is_empty() {
        // All margins are errors or infinite: any γ will do for the infinite ones.
        gammas = (-8..=8).map(|k| 2f64.powi(8 * k)).collect();
    } else if margins.sorted().last() == Some(&f64::INFINITY) {
        gammas.extend((1..=16).map(|k| 2f64.powi(8 * k)));
    }
    if powers {
        let below = |gamma: f64| 2f64.powi(gamma.log2().floor().clamp(-1000.0, 1000.0) as i32);
        gammas = gammas.into_iter().map(below).collect();
        gammas.dedup();
    }
    let mut best: Option<AtMargin> = None;
    for gamma in gammas {
        let Some((rademacher, mut class)) = complexity(gamma) else { continue };
        if powers {
            // Exactly a power of two, of which this is the exponent.
            let exponent = decompose(gamma).map_or(0, |(_, exponent)| exponent);
            class = class + price(exponent);
        }
        let two = Enclosure::exact(2.0);
        let train = margins.ramp(gamma);
        let terms = two * rademacher;
        let logarithm = (two / delta).ln() + class;
        let confidence = Enclosure::exact(3.0) * (logarithm / (two * n)).sqrt();
        let total = (train + terms + confidence).high();
        if !total.is_nan() && best.is_none_or(|best| total < best.total) {
            best = Some(AtMargin {
                gamma,
                train: train.high(),
                complexity: terms.high(),
                confidence: confidence.high(),
                total,
            });
        }
    }
    Ok(best)
}

/// Whether margins are multiplied by what outputs are multiplied by.
#[must_use]
pub fn scales(how: How) -> bool {
    matches!(how, How::Largest | How::Sign)
}

/// A perceptron with its norms, its sample and δ: what the bounds on norms work on. Of a network with two outputs of
/// which the larger decides, the perceptron may be that of their difference ([`Outputs`](crate::Outputs)): its bound
/// is smaller.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The layers.
    pub perceptron: &'a Perceptron,
    /// Their norms.
    pub norms: &'a Norms,
    /// The training points.
    pub sizes: &'a PointSizes,
    /// Their margins, lowered by a bound on the rounding error of outputs.
    pub margins: &'a Margins,
    /// δ: the bound holds with probability at least 1 − δ over samples.
    pub delta: f64,
}

impl Case<'_> {
    /// The points with the constant, if the network or the start takes it.
    #[must_use]
    pub fn points(&self) -> PointSizes {
        match self.norms.constant {
            true => self.sizes.with_constant(),
            false => self.sizes.clone(),
        }
    }

    /// Checks that the parts belong together.
    ///
    /// # Errors
    /// [`MeasureError::Length`] for margins of other points, points of other coordinates, or outputs of another
    /// network.
    pub fn check(&self) -> Result<(), MeasureError> {
        let same = |what, found, expected| match found == expected {
            true => Ok(()),
            false => Err(MeasureError::Length { what, found, expected }),
        };
        self.perceptron.check()?;
        same("margins", self.margins.n(), self.sizes.n)?;
        same("coordinates of a point", self.sizes.d, self.perceptron.inputs)?;
        same("norms of layers", self.norms.layers.len(), self.perceptron.depth())?;
        let outputs = self.perceptron.outputs();
        let difference = outputs == 1 && self.margins.outputs() == 2 && scales(self.margins.how());
        if difference { Ok(()) } else { same("outputs", self.margins.outputs(), outputs) }
    }

    /// The finding of a bound: its total, or ∞ if no class of the grid contains the network.
    pub fn finding(&self, name: &str, found: Option<AtMargin>) -> Finding {
        let total = found.map_or(f64::INFINITY, |found| found.total);
        Finding::bound(name, total, total, self.assumptions())
    }

    /// What Theorem (A) and the bounds on norms assume.
    fn assumptions(&self) -> Vec<Assumption> {
        let bounded = self.margins.sorted().iter().all(|m| *m > f64::NEG_INFINITY);
        let real = "margins are those of the network in real arithmetic";
        vec![
            Assumption::met(
                "training points are independent draws of the distribution of the test error",
                "as the user says; nothing checks it",
            ),
            Assumption::met(
                "depth, activations and how outputs are read are fixed before the sample",
                "as the user says; weights may depend on it",
            ),
            Assumption::met(CHAIN, "read from the graph"),
            match bounded {
                true => Assumption::met(real, "lowered by a bound on the error of outputs"),
                false => Assumption::fails(real, "the error of outputs has no finite bound"),
            },
        ]
    }
}

/// What these theorems assume of a network.
const CHAIN: &str =
    "the network is a perceptron with one positively homogeneous, 1-Lipschitz activation a layer";

/// The finding of a bound on norms for a network that is no perceptron: the step where it is not.
pub fn refused(name: &str, error: &MeasureError) -> Finding {
    Finding::refused(name, vec![Assumption::fails(CHAIN, error.to_string())])
}
