//! The claims, a file a family. Numbers 1 to 31 are those of the project's list of claims.

mod alternation;
mod analytic;
mod complexity;
mod consistency;
mod counts;
mod curvature;
mod descent;
mod features;
mod few_units;
mod half_spaces;
mod kernels;
mod least_norm;
mod lemma;
mod linear;
mod padding;
mod parameters;
mod perfect_fit;
mod quoted;
mod sine;
mod stored;
mod threshold;

use super::claim::Claim;

/// Forms of "perfect fit whenever parameters exceed samples" that are true.
pub const TRUE_FORMS: &[u32] = &[1, 7, 14, 22, 24];

/// Forms of it that are false.
pub const FALSE_FORMS: &[u32] = &[5, 10];

/// All claims, by number.
///
/// ```
/// use shatter_claims::{Stated, catalogue};
/// let claims = catalogue::all();
/// let sine = claims.iter().find(|claim| claim.name == "sine-shatters-everything").unwrap();
/// assert_eq!((sine.number, sine.verdict), (13, Stated::False));
/// ```
#[must_use]
pub fn all() -> Vec<Claim> {
    let mut claims = [
        &alternation::CLAIMS[..],
        &analytic::CLAIMS[..],
        &complexity::CLAIMS,
        &consistency::CLAIMS,
        &counts::CLAIMS,
        &curvature::CLAIMS,
        &descent::CLAIMS,
        &features::CLAIMS,
        &half_spaces::CLAIMS,
        &few_units::CLAIMS,
        &kernels::CLAIMS,
        &least_norm::CLAIMS,
        &lemma::CLAIMS,
        &linear::CLAIMS,
        &padding::CLAIMS,
        &parameters::CLAIMS,
        &perfect_fit::CLAIMS,
        &quoted::CLAIMS,
        &sine::CLAIMS,
        &stored::CLAIMS,
        &threshold::CLAIMS,
    ]
    .concat();
    claims.sort_by_key(|claim| claim.number);
    claims
}

/// The claim of this name or number.
#[must_use]
pub fn find(name: &str) -> Option<Claim> {
    all().into_iter().find(|claim| claim.name == name || claim.number.to_string() == name)
}
