//! The bound by spectral norms and distances from the start.
//!
//! **Theorem.** Let F be the networks f(x) = φ_L(W_L φ_{L−1}(… φ_1(W_1 x))) with ‖W_l‖₂ <= s_l and ‖(W_l −
//! M_l)ᵀ‖_{2,1} <= b_l, the sum of the ℓ2 norms of the rows, for matrices M_l that are fixed before the sample, and
//! φ_l 1-Lipschitz with φ_l(0) = 0. Let X be the d × n matrix of points, N the most rows or columns of a layer, and
//!
//! ```text
//! R_A = Π_l s_l · (Σ_l (b_l/s_l)^{2/3})^{3/2},   K = √(8 ln(2 N²)) ‖X‖_F R_A λ/γ.
//! ```
//!
//! where the margin is λ-Lipschitz in the ℓ2 norm. The Rademacher complexity of the ramp losses at γ is at most
//! (12 K/n)(1 + ln(n/(3K))) if 3K <= n.
//!
//! **Source.** Bartlett, Foster and Telgarsky, NIPS 2017, Theorem 1.1, Lemma 3.2 and Theorem 3.3, which have 1 for 8:
//! there a number is rounded up to a whole one without a constant, and a cover must consist of elements of the class
//! itself. **Proof** with what both cost:
//!
//! *One layer.* Let Z have columns in R^k. (W − M) Z with ‖(W − M)ᵀ‖_{2,1} <= b is b‖Z‖_F times a convex combination
//! of 2 k m matrices of Frobenius norm at most 1: ± (row i of Z, normalized) in row j. By Maurey's lemma averages of
//! q = ⌈(b‖Z‖_F/ε)²⌉ of them are within ε, so (2km)^q matrices cover. For q from 1 on, q <= 2 (b‖Z‖_F/ε)²; if ε >
//! b‖Z‖_F, then 0 alone covers. A cover whose elements are in the class has elements near those of a cover at ε/2
//! (one each), so it has at most exp(8 b²‖Z‖_F² ln(2km)/ε²) elements; where ε >= 2b‖Z‖_F, one element covers all.
//!
//! *All layers.* Cover the first layer, then for each element the second on its outputs, and so on. Elements have
//! spectral norms at most s_l, so that Z_{l−1} has ‖Z_{l−1}‖_F <= ‖X‖_F Π_{i<l} s_i, and errors ε_l add up to Σ_l ε_l
//! Π_{i>l} s_i. With ε_l Π_{i>l} s_i = α_l ε, Σ α_l = 1, the logarithm of the number of elements is at most 8 ‖X‖_F²
//! ln(2N²) (Π s_i)² Σ_l (b_l/s_l)²/(α_l ε)², and α_l proportional to (b_l/s_l)^{2/3} gives 8 ‖X‖_F² ln(2N²) R_A²/ε².
//!
//! *Losses.* They differ by at most λ/γ times the Frobenius norm of the difference of the outputs, so
//! √(ln N(ε)) <= K/ε for the vectors of losses in R^n.
//!
//! *Chaining.* Losses are in [0, 1]. With β_j = √n 2^{-j} and covers at each β_j (the first one is one fixed vector),
//! n R <= √n β_J + Σ_{j<=J} 6 β_j √(ln N(β_j)) <= 4 α √n + 12 ∫_α^{√n} K/β dβ for the J with β_{J+1} >= α > β_{J+2}:
//! the maximum of N vectors of norm r has expectation r√(2 ln N) (Massart), steps are at most 3β_j long and pairs at
//! most N². At α = 3K/√n that is 12 K + 12 K ln(n/(3K)). ∎
//!
//! **Bound.** s_l and b_l are on the grid of [`ramp`](crate::ramp), each paid for, and γ is a power of two. M̃ is the
//! start, or 0 but for the 1 that passes the constant on. A *bound*, rounded outwards. **Cost.** That of the norms.

use shatter_network::reading::How;

use crate::ramp::{AtMargin, Case, Grid, least};
use crate::{Assumption, Enclosure, Finding, MeasureError};

/// The class that contains the network: R_A of its grid, and the price.
fn class(case: &Case) -> Option<(Enclosure, Enclosure)> {
    let (mut spectral, mut sum, mut price) = (Enclosure::ONE, Enclosure::ZERO, Enclosure::ZERO);
    let exponent = Enclosure::exact(2.0) / Enclosure::exact(3.0);
    for layer in &case.norms.layers {
        let (s, b) = (Grid::above(layer.spectral)?, Grid::above(layer.distance.rows)?);
        spectral = spectral * s.value;
        sum = sum + (b.value / s.value).pow(exponent);
        price = price + s.price + b.price;
    }
    Some((spectral * sum * sum.sqrt(), price))
}

/// R_A of the network itself, by which its margins are normalized: a *measure*.
#[must_use]
pub fn complexity(case: &Case) -> Enclosure {
    let exponent = Enclosure::exact(2.0) / Enclosure::exact(3.0);
    // A layer of norm 0 makes the product 0.
    if case.norms.layers.iter().any(|layer| layer.spectral.high() == 0.0) {
        return Enclosure::ZERO;
    }
    let ratio =
        |layer: &crate::norms::LayerNorms| (layer.distance.rows / layer.spectral).pow(exponent);
    let sum: Enclosure = case.norms.layers.iter().map(ratio).sum();
    case.norms.spectral() * sum * sum.sqrt()
}

/// (12 K/n)(1 + ln(n/(3K))), and 1, which no complexity of losses in [0, 1] exceeds, where 3K > n.
#[must_use]
pub fn chained(k: Enclosure, n: usize) -> Enclosure {
    let n = Enclosure::whole(n as u64);
    let three = Enclosure::exact(3.0);
    // The expression grows with K up to K = n/3, so its value at the upper end is an upper bound.
    let k = Enclosure::exact(k.high());
    if k.high() == 0.0 {
        return Enclosure::ZERO;
    }
    if (three * k).high() > n.low() {
        return Enclosure::ONE;
    }
    let found = Enclosure::exact(12.0) * k / n * (Enclosure::ONE + (n / (three * k)).ln());
    found.min(Enclosure::ONE)
}

/// The bound of the theorem on the complexity of ramp losses at γ, for the class of the grid that contains the
/// network, and the price of the class; `None` if norms are beyond the grid.
#[must_use]
pub fn rademacher(case: &Case, gamma: f64) -> Option<(Enclosure, Enclosure)> {
    let (norms, price) = class(case)?;
    Some((chained(constant(case) * norms / Enclosure::exact(gamma), case.sizes.n), price))
}

/// √(8 ln(2 N²)) ‖X‖_F λ.
fn constant(case: &Case) -> Enclosure {
    let widest = Enclosure::whole(case.norms.widest as u64);
    let logarithm = (Enclosure::exact(2.0) * widest.square()).ln();
    let several = case.margins.how() == How::Largest && case.perceptron.outputs() > 1;
    let lipschitz = if several { Enclosure::exact(2.0).sqrt() } else { Enclosure::ONE };
    (Enclosure::exact(8.0) * logarithm).sqrt() * lipschitz * case.points().squares.sqrt()
}

/// The bound at its best margin; `None` if norms are beyond the grid.
///
/// # Errors
/// [`MeasureError::Length`], [`MeasureError::Parameter`].
pub fn at_margin(case: &Case) -> Result<Option<AtMargin>, MeasureError> {
    case.check()?;
    least(case.margins, case.delta, false, |gamma| rademacher(case, gamma))
}

/// The bound as a finding.
///
/// # Errors
/// As [`at_margin`].
pub fn bound(case: &Case) -> Result<Finding, MeasureError> {
    let name = "Bartlett, Foster and Telgarsky: spectral norms";
    let mut finding = case.finding(name, at_margin(case)?);
    if case.norms.from_start {
        let what = "the start was drawn without the training points";
        finding.assumptions.push(Assumption::met(what, "as the user says; nothing checks it"));
    }
    Ok(finding)
}
