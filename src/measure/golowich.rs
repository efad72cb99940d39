//! The bound by Frobenius norms.
//!
//! **Theorem.** Let F_a be the networks f(x) = W_L φ_{L−1}(W_{L−1} … φ_1(W_1 x)) ∈ R^C with M = Π_l ‖W_l‖_F <= a,
//! where the last factor is Σ_c ‖row c of W_L‖₂, and φ_l positively homogeneous and 1-Lipschitz. For x_1, …, x_n and
//! independent signs σ_ic
//!
//! ```text
//! (1/n) E sup_{f∈F_a} Σ_{i,c} σ_ic f_c(x_i) <= (a/n) √(Σ_i ‖x_i‖²) (1 + √(2 ((L − 1) ln 2 + ln C))).
//! ```
//!
//! **Source.** Golowich, Rakhlin and Shamir, COLT 2018, Theorem 1, for C = 1 (with L ln 2 for (L − 1) ln 2).
//! **Proof**, with the constant as used:
//!
//! *Scaling.* Dividing hidden layers by their norms and multiplying the last by the product changes no output, so let
//! ‖W_l‖_F <= 1 for l < L and the last factor be a. Let h be the values of the last hidden layer and V_c = Σ_i σ_ic
//! h(x_i). Then Σ_c ⟨w_c, V_c⟩ <= a max_c ‖V_c‖, and for λ > 0, by Jensen's inequality, λ E sup <= ln E exp(λ a max_c
//! sup ‖V_c‖) <= ln (C E exp(λ a sup ‖Σ_i σ_i h(x_i)‖)).
//!
//! *Peeling.* For g convex and increasing, E sup_{‖W‖_F <= 1} g(‖Σ σ_i φ(W h(x_i))‖) <= 2 E sup g(‖Σ σ_i h(x_i)‖): by
//! homogeneity the square of the norm is Σ_j ‖w_j‖² (Σ_i σ_i φ(⟨w_j/‖w_j‖, h(x_i)⟩))², largest where one row has norm
//! 1; g(|t|) <= g(t) + g(−t), whose expectations are equal by symmetry; and contraction removes φ. L − 1 layers give
//! 2^{L−1}.
//!
//! *The points.* Z = a ‖Σ σ_i x_i‖ has E Z <= a S with S² = Σ ‖x_i‖², and changes by at most 2a‖x_i‖ with σ_i, so ln
//! E e^{λ(Z − E Z)} <= λ² a² S²/2 (bounded differences). Together λ E sup <= ln C + (L − 1) ln 2 + λ a S + λ² a²
//! S²/2, and λ = √(2 (ln C + (L − 1) ln 2))/(a S) proves it. ∎
//!
//! **Bound.** With the ramp loss, and the grid for M/γ: [`ramp`](crate::ramp). Rounded outwards. **Cost.** That of
//! the norms, and of the ramp loss at each γ.

use crate::ramp::{AtMargin, Case, Grid, contraction, least, scales};
use crate::{Enclosure, Finding, MeasureError};

/// M: the product of Frobenius norms, the last factor the sum of the norms of the rows.
#[must_use]
pub fn norm(case: &Case) -> Enclosure {
    let Some((last, hidden)) = case.norms.layers.split_last() else { return Enclosure::ZERO };
    hidden.iter().map(|layer| layer.frobenius).product::<Enclosure>() * last.rows
}

/// (1/n) √(Σ ‖x_i‖²) (1 + √(2 ((L − 1) ln 2 + ln C))): the bound of the theorem for a = 1.
#[must_use]
pub fn rademacher(case: &Case) -> Enclosure {
    let layers = Enclosure::whole(case.perceptron.depth().saturating_sub(1) as u64);
    let outputs = Enclosure::whole(case.perceptron.outputs() as u64);
    let logarithms = layers * Enclosure::ln_2() + outputs.ln();
    let factor = Enclosure::ONE + (Enclosure::exact(2.0) * logarithms).sqrt();
    case.points().squares.sqrt() * factor / Enclosure::whole(case.sizes.n as u64)
}

/// The bound at its best margin; `None` if norms are beyond the grid.
///
/// # Errors
/// [`MeasureError::Length`], [`MeasureError::Parameter`].
pub fn at_margin(case: &Case) -> Result<Option<AtMargin>, MeasureError> {
    by_norm(case, norm(case), rademacher(case))
}

/// The bound for a class given by M <= a whose complexity is a · `unit`.
pub(crate) fn by_norm(
    case: &Case,
    norm: Enclosure,
    unit: Enclosure,
) -> Result<Option<AtMargin>, MeasureError> {
    case.check()?;
    let how = case.margins.how();
    let lambda = contraction(how, case.perceptron.outputs());
    // Where γ is a power of two, the grid is for M alone, as γ is fixed with the class.
    let scales = scales(how);
    least(case.margins, case.delta, true, |gamma| {
        let gamma = Enclosure::exact(gamma);
        let (class, over) = match scales {
            true => (Grid::above(norm / gamma)?, Enclosure::ONE),
            false => (Grid::above(norm)?, gamma),
        };
        Some((lambda * class.value * unit / over, class.price))
    })
}

/// The bound as a finding.
///
/// # Errors
/// As [`at_margin`].
pub fn bound(case: &Case) -> Result<Finding, MeasureError> {
    Ok(case.finding("Golowich, Rakhlin and Shamir: Frobenius norms", at_margin(case)?))
}
