//! VC dimension from above, the bound that follows, and fat-shattering of linear classes.
//!
//! # The dimension
//!
//! The signs of a ReLU perceptron with one output shatter no m points, by the certificate of
//! [`GrowthBound`]: the VC dimension is at most m − 1. A *bound*, in exact arithmetic.
//!
//! # The test error
//!
//! **Theorem.** Let Π be an upper bound on the number of vectors (ℓ(f(x_1), y_1), …, ℓ(f(x_n), y_n)) of errors (0 or
//! 1), as f runs through the class, at any n points. With probability at least 1 − δ, for all f,
//!
//! ```text
//! test error <= training error + √(2 ln Π/n) + √(ln(1/δ)/(2n)).
//! ```
//!
//! **Source.** Vapnik and Chervonenkis, 1971; with these constants Mohri, Rostamizadeh and Talwalkar, Theorem 3.5 and
//! Corollary 3.8. **Proof.** sup (test − training) has bounded differences 1/n, so it exceeds its mean by
//! √(ln(1/δ)/(2n)) with probability at most δ. The mean is at most 2 (1/n) E max Σ σ_i (ℓ_i − 1/2) by symmetrization,
//! and vectors of ±1/2 have length √n/2, so Massart's lemma bounds that by 2 (1/n) (√n/2) √(2 ln Π). ∎
//!
//! **Π for perceptrons.** The labels are fixed, and an error at a point is decided by the signs of r polynomials in
//! the last layer's outputs: C − 1 differences with the output of the label (`largest`), 1 (`sign`, `half`), 2
//! (`value`), one an output (`one-hot`, `bits`). With widths k_1, …, k_{L−1}, W_l parameters in layers 1, …, l and
//! M_l = n k_l (M_L = n r) polynomials of degree at most l, log2 Π <= Σ_l t_l, t_l = M_l if M_l < W_l, and otherwise
//! min(M_l, 1 + W_l log2(2 e M_l l/W_l)): the argument of Bartlett, Harvey, Liaw and Mehrabian (JMLR 20(63), 2019),
//! as in `obstruct/growth.rs`. Its activations have two linear pieces. A *bound*, rounded outwards.
//!
//! **From a dimension v alone** (Sauer): Π <= (e n/v)^v for n >= v.
//!
//! # Fat-shattering
//!
//! **Theorem.** Linear functions x ↦ ⟨w, x⟩ with ‖w‖₂ <= Λ γ-shatter at most min(d, (ΛB/γ)²) points of norm at most B
//! in R^d. **Source.** Bartlett and Shawe-Taylor, 1999, Theorem 4.6. **Proof.** If m points are shattered with
//! witnesses r_i, then for all signs σ there is w_σ with σ_i(⟨w_σ, x_i⟩ − r_i) >= γ. Summing for σ and −σ, 2Λ‖Σ σ_i
//! x_i‖ >= ⟨w_σ − w_{−σ}, Σ σ_i x_i⟩ >= 2mγ. The mean of ‖Σ σ_i x_i‖² is Σ ‖x_i‖² <= mB², so some σ has mγ/Λ <= √m B.
//! And were m > d, some c ≠ 0 had Σ c_i x_i = 0; with σ_i the signs of c_i, Σ |c_i| γ <= Σ c_i ⟨w_σ, x_i⟩ − Σ c_i r_i
//! = −Σ c_i r_i, and for −σ the same with the other sign, a contradiction. ∎ A *bound*.
//!
//! **Cost.** The certificate's bisection; otherwise a few operations a layer.

use shatter_network::Mlp;
use shatter_network::reading::How;
use shatter_obstruct::GrowthBound;

use crate::layers::Homogeneous;
use crate::ramp::probability;
use crate::{Assumption, Enclosure, Finding, MeasureError, Perceptron};

/// The architecture of a perceptron, whatever its weights.
///
/// # Errors
/// [`MeasureError::NoLayers`] for layers without numbers; [`MeasureError::ActivatedOutputs`].
pub fn architecture(perceptron: &Perceptron) -> Result<Mlp, MeasureError> {
    let last = perceptron.layers.last().map(|layer| layer.activation);
    if last.is_some_and(|activation| activation != Homogeneous::Identity) {
        return Err(MeasureError::ActivatedOutputs);
    }
    let widths: Vec<usize> = perceptron.layers.iter().map(|layer| layer.outputs).collect();
    let Some((&outputs, hidden)) = widths.split_last() else { return Err(MeasureError::NoLayers) };
    Mlp::new(perceptron.inputs, hidden.to_vec(), outputs).map_err(|_| MeasureError::NoLayers)
}

/// An upper bound of the VC dimension of the signs of one output.
///
/// ```
/// assert_eq!(shatter_measure::vc::dimension(&"10-20-1".parse()?)?, 4258);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`MeasureError::Obstruct`] for several outputs, and beyond 2^62.
pub fn dimension(architecture: &Mlp) -> Result<u64, MeasureError> {
    Ok(GrowthBound::least(architecture)?.points - 1)
}

/// The dimension as a finding.
///
/// # Errors
/// [`MeasureError::Obstruct`] for VC dimensions beyond 2^62.
pub fn dimension_finding(architecture: &Mlp) -> Result<Finding, MeasureError> {
    let name = "VC dimension";
    let what = "the network has one output, whose sign is the class";
    if architecture.outputs() != 1 {
        let reason = format!("it has {} outputs", architecture.outputs());
        return Ok(Finding::refused(name, vec![Assumption::fails(what, reason)]));
    }
    let mut finding = Finding::enclosed(name, dimension(architecture)? as f64);
    finding.assumptions.push(Assumption::met(what, "read from its graph"));
    Ok(finding)
}

/// r: polynomials a point whose signs decide an error.
#[must_use]
pub fn deciding(how: How, outputs: usize) -> usize {
    match how {
        // One output may be the difference of two.
        How::Largest => outputs.saturating_sub(1).max(1),
        How::Sign | How::Half => 1,
        How::Value => 2,
        How::OneHot | How::Bits => outputs,
    }
}

/// log2 Π at n points, for r polynomials a point: an upper bound.
#[must_use]
pub fn log2_patterns(architecture: &Mlp, deciding: usize, n: u64) -> f64 {
    let depth = architecture.hidden().len();
    let (mut parameters, mut sum) = (Enclosure::ZERO, Enclosure::ZERO);
    let whole = |x: usize| Enclosure::whole(x as u64);
    for (index, (from, width)) in architecture.layers().enumerate() {
        parameters = parameters + (whole(from) + Enclosure::ONE) * whole(width);
        let signs = if index == depth { deciding } else { width };
        let polynomials = Enclosure::whole(n) * whole(signs);
        // Below W the bound of Warren is not used; where rounding leaves it open, neither.
        let plain = polynomials.high();
        if polynomials.low() < parameters.high() {
            sum = sum + Enclosure::exact(plain);
            continue;
        }
        let two_e = Enclosure::exact(2.0) * Enclosure::ONE.exp();
        let inside = two_e * polynomials * whole(index + 1) / parameters;
        let warren = Enclosure::ONE + parameters * inside.log2();
        sum = sum + Enclosure::exact(plain.min(warren.high()));
    }
    sum.high()
}

/// training error + √(2 ln Π/n) + √(ln(1/δ)/(2n)).
fn with_patterns(
    ln_patterns: Enclosure,
    errors: u64,
    n: u64,
    delta: f64,
) -> Result<f64, MeasureError> {
    if n == 0 {
        return Err(MeasureError::NoPoints);
    }
    if errors > n {
        let (what, expected) = ("the number of errors", "at most one a point");
        return Err(MeasureError::Parameter { what, value: errors as f64, expected });
    }
    let (points, two) = (Enclosure::whole(n), Enclosure::exact(2.0));
    let delta = probability(delta)?;
    let confidence = (-delta.ln() / (two * points)).sqrt();
    let complexity = (two * ln_patterns / points).sqrt();
    Ok((Enclosure::whole(errors) / points + complexity + confidence).high())
}

/// The bound for every network of this architecture, read in this way, with so many errors on n points.
///
/// ```
/// use shatter_measure::vc::bound;
/// use shatter_network::reading::How;
/// // One threshold on a line and a million points.
/// assert!(bound(&"1-1".parse()?, How::Sign, 0, 1_000_000, 0.05)?.value < 0.02);
/// // The paper's first example: more parameters than points.
/// assert!(bound(&"784-512-10".parse()?, How::Largest, 0, 60_000, 0.05)?.value > 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`MeasureError::NoPoints`]; [`MeasureError::Parameter`] for δ, or more errors than points.
pub fn bound(
    architecture: &Mlp,
    how: How,
    errors: u64,
    n: u64,
    delta: f64,
) -> Result<Finding, MeasureError> {
    let log2 = log2_patterns(architecture, deciding(how, architecture.outputs()), n);
    let says = with_patterns(Enclosure::exact(log2) * Enclosure::ln_2(), errors, n, delta)?;
    let assumptions = vec![
        Assumption::met(
            "training points are independent draws of the distribution of the test error",
            "as the user says; nothing checks it",
        ),
        Assumption::met(
            "the architecture and how outputs are read are fixed before the sample",
            "as the user says; weights may depend on it",
        ),
    ];
    Ok(Finding::bound("VC: growth function", says, says, assumptions))
}

/// The bound from a VC dimension v alone; all that is known for n < v is 2^n patterns.
///
/// # Errors
/// As [`bound`].
pub fn from_dimension(v: u64, errors: u64, n: u64, delta: f64) -> Result<f64, MeasureError> {
    let (points, v_whole) = (Enclosure::whole(n), Enclosure::whole(v));
    let patterns = match v {
        0 => Enclosure::ZERO,
        _ if n < v => points * Enclosure::ln_2(),
        // ln(e n/v) = 1 + ln(n/v).
        _ => (v_whole * (Enclosure::ONE + (points / v_whole).ln())).min(points * Enclosure::ln_2()),
    };
    with_patterns(patterns, errors, n, delta)
}

/// W L log2 W, the published order of growth of the VC dimension of ReLU networks (Bartlett, Harvey, Liaw and
/// Mehrabian, 2019), whose constant is not stated: a *measure*.
#[must_use]
pub fn order(architecture: &Mlp) -> Finding {
    let (w, l) = (architecture.parameters() as f64, architecture.layers().count() as f64);
    let what = "a constant that the theorem does not state";
    let why = Assumption::fails(what, "known only up to a factor, so it bounds nothing");
    Finding::measure("VC dimension: W L log W", w * l * w.log2(), vec![why])
}

/// min(d, ⌊(ΛB/γ)²⌋): how many points linear functions γ-shatter at most.
///
/// ```
/// use shatter_measure::vc::fat_linear;
/// assert_eq!(fat_linear(2.0, 3.0, 1.0, 100)?, 36);
/// assert_eq!(fat_linear(2.0, 3.0, 1.0, 5)?, 5);
/// assert_eq!(fat_linear(1.0, 1.0, 1.5, 5)?, 0);
/// # Ok::<(), shatter_measure::MeasureError>(())
/// ```
///
/// # Errors
/// [`MeasureError::Parameter`] for a Λ or B that is negative or not finite, or a γ that is not above 0.
pub fn fat_linear(lambda: f64, b: f64, gamma: f64, d: u64) -> Result<u64, MeasureError> {
    let expected = "a finite number from 0 on";
    for (what, value) in [("Lambda", lambda), ("B", b)] {
        if !(value >= 0.0 && value.is_finite()) {
            return Err(MeasureError::Parameter { what, value, expected });
        }
    }
    if !(gamma > 0.0 && gamma.is_finite()) {
        let expected = "a finite number above 0";
        return Err(MeasureError::Parameter { what: "gamma", value: gamma, expected });
    }
    let ratio = Enclosure::exact(lambda) * Enclosure::exact(b) / Enclosure::exact(gamma);
    // The cast saturates.
    Ok((ratio.square().high().floor() as u64).min(d))
}
