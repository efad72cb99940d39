//! The bounds by path norms, and a measure of Neyshabur et al.
//!
//! # By φ_1
//!
//! **Theorem.** Let F_a be the networks as in [`golowich`](crate::golowich) with φ_1 <= a ([`path`](crate::path)),
//! and s² = max_k Σ_i x_ik² over the D coordinates, the constant included. For independent signs σ_ic
//!
//! ```text
//! (1/n) E sup_{f∈F_a} Σ_{i,c} σ_ic f_c(x_i) <= (a s/n) √(2 ((L − 1) ln 2 + ln(2 D C))).
//! ```
//!
//! **Source.** Neyshabur, Tomioka and Srebro, COLT 2015, bound the complexity by 2^L φ_1 √(ln(2D)/n) max ‖x‖_∞; the
//! argument of Golowich, Rakhlin and Shamir (COLT 2018, Theorem 2) replaces 2^L by √L. **Proof:**
//!
//! *Scaling.* From the first layer on, divide what each hidden unit takes by its ℓ1 norm and multiply what it gives
//! by it (a unit that takes nothing is 0, and is removed). Outputs and φ_1 do not change, hidden rows have ℓ1 norm 1,
//! so φ_1 is Σ_c ‖row c of W_L‖_1. With V_c as in `golowich`, Σ_c ⟨w_c, V_c⟩ <= a max_c ‖V_c‖_∞.
//!
//! *Peeling.* For g convex and increasing, E sup g(‖Σ σ_i φ(W h(x_i))‖_∞) <= 2 E sup g(‖Σ σ_i h(x_i)‖_∞) over rows of
//! ℓ1 norm at most 1: the maximum over rows is that of one row; symmetry gives the 2, contraction removes φ, and ⟨w,
//! V⟩ <= ‖V‖_∞.
//!
//! *The points.* ‖Σ σ_i x_i‖_∞ is the largest of 2D sums, and E exp(λ a Σ_i σ_i x_ik) <= exp(λ² a² s²/2). So λ E sup
//! <= ln C + (L − 1) ln 2 + ln(2D) + λ² a² s²/2, and the best λ proves it. ∎
//!
//! # By φ_2
//!
//! **Theorem.** With Σ_c √(squares of the paths to output c) <= a and hidden widths H_1, …, H_{L−1} (the constant
//! counted), the complexity is at most (a/n) √(Π_l H_l) √(Σ_i ‖x_i‖²) (1 + √(2 ((L − 1) ln 2 + ln C))). **Proof.**
//! Scaling as above by ℓ2 norms; ‖Σ σ_i φ(W h(x_i))‖₂ <= √H max_j |Σ σ_i φ(⟨w_j, h(x_i)⟩)|, so that peeling costs √H
//! and 2 a layer; the rest as in `golowich`. ∎ (Neyshabur, Tomioka and Srebro have the same √H, with 2^L.)
//!
//! Both are *bounds*, with the ramp loss and the grid of [`ramp`](crate::ramp), and rounded outwards.
//!
//! # By spectral norms: a measure
//!
//! √(B² L² h ln(L h) Π_l s_l² Σ_l ‖W_l‖_F²/s_l² / (γ² n)) with B = max ‖x_i‖, s_l = ‖W_l‖₂, h the widest layer
//! (Neyshabur, Bhojanapalli and Srebro, ICLR 2018, Theorem 1). The theorem's constant is not stated, so this is a
//! *measure*: it bounds nothing.

use crate::golowich::by_norm;
use crate::path::path_norms;
use crate::ramp::{AtMargin, Case};
use crate::{Assumption, Enclosure, Finding, MeasureError};

/// (s/n) √(2 ((L − 1) ln 2 + ln(2 D C))): the bound of the theorem by φ_1 for a = 1.
#[must_use]
pub fn complexity_by_sizes(case: &Case) -> Enclosure {
    let points = case.points();
    let whole = |x: usize| Enclosure::whole(x as u64);
    let choices = Enclosure::exact(2.0) * whole(points.d) * whole(case.perceptron.outputs());
    let layers = whole(case.perceptron.depth().saturating_sub(1));
    let logarithms = layers * Enclosure::ln_2() + choices.ln();
    let factor = (Enclosure::exact(2.0) * logarithms).sqrt();
    points.largest_column.sqrt() * factor / whole(points.n)
}

/// The bound by φ_1 at its best margin.
///
/// # Errors
/// [`MeasureError::Length`], [`MeasureError::Parameter`].
pub fn by_sizes(case: &Case) -> Result<Option<AtMargin>, MeasureError> {
    by_norm(case, path_norms(case.perceptron).phi_1(), complexity_by_sizes(case))
}

/// The bound by φ_2 at its best margin.
///
/// # Errors
/// [`MeasureError::Length`], [`MeasureError::Parameter`].
pub fn by_squares(case: &Case) -> Result<Option<AtMargin>, MeasureError> {
    let norms = path_norms(case.perceptron);
    let norm = norms.squares.iter().map(|squares| squares.sqrt()).sum();
    let hidden = 0..case.perceptron.depth().saturating_sub(1);
    let width = |index: usize| {
        let passes = usize::from(case.perceptron.passes_constant(index));
        Enclosure::whole((case.perceptron.layers[index].outputs + passes) as u64)
    };
    let widths: Enclosure = hidden.map(width).product();
    by_norm(case, norm, widths.sqrt() * crate::golowich::rademacher(case))
}

/// Both bounds as findings.
///
/// # Errors
/// As [`by_sizes`].
pub fn bounds(case: &Case) -> Result<[Finding; 2], MeasureError> {
    Ok([
        case.finding("Neyshabur, Tomioka and Srebro: path norm φ1", by_sizes(case)?),
        case.finding("Neyshabur, Tomioka and Srebro: path norm φ2", by_squares(case)?),
    ])
}

/// The measure by spectral norms, at a margin γ > 0.
///
/// # Errors
/// [`MeasureError::Length`]; [`MeasureError::Parameter`] for γ.
pub fn spectral(case: &Case, gamma: f64) -> Result<Finding, MeasureError> {
    case.check()?;
    if !(gamma > 0.0 && gamma.is_finite()) {
        let expected = "a finite number above 0";
        return Err(MeasureError::Parameter { what: "the margin", value: gamma, expected });
    }
    let whole = |x: usize| Enclosure::whole(x as u64);
    let (depth, widest) = (whole(case.perceptron.depth()), whole(case.norms.widest));
    let ratio = |layer: &crate::norms::LayerNorms| (layer.frobenius / layer.spectral).square();
    let ratios: Enclosure = case.norms.layers.iter().map(ratio).sum();
    let squared = case.points().largest
        * depth.square()
        * widest
        * (depth * widest).ln()
        * case.norms.spectral().square()
        * ratios
        / (Enclosure::exact(gamma).square() * whole(case.sizes.n));
    let constant = "a constant that the theorem does not state";
    let why = vec![Assumption::fails(constant, "known only up to a factor, so it bounds nothing")];
    let name = "Neyshabur, Bhojanapalli and Srebro: spectral norms";
    // A dead layer makes the product 0 and a ratio 0/0; the network is constant and the measure 0.
    let dead = case.norms.layers.iter().any(|layer| layer.frobenius.high() == 0.0);
    let value = if dead { 0.0 } else { squared.sqrt().high() };
    Ok(Finding::measure(name, value, why))
}
