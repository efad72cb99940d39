//! What a last softmax, or its logarithm, may change of the margin of what it is of.
//!
//! Judged are the logits z: the order of exp(z_i)/Σ exp(z_j) is theirs. A runtime rounds on the way to the
//! probabilities, and two that are nearly equal may become one number. Let u be the unit roundoff, m > 0 how far
//! the runtime's own logit of the label lies above another, and L = ln k for k outputs.
//!
//! A runtime subtracts the largest logit, so that t = 0 at the label and t = −m(1 + δ), |δ| <= u, at the other;
//! takes e^t, off by at most (8 + 4|t|)u relatively (libraries keep within 2 units of the last place, CUDA's
//! quickest within 2 + 1.16|t|); and divides both by one sum, off by at most 3u each, whether by a quotient
//! or by a rounded reciprocal. Then the label's probability is the larger one if m(1 − 5u) > 22u, up to second
//! order. A logarithm is taken of the probability, whose size is at most m + L, within 4u of it; or t − ln Σ is
//! formed instead, the logarithm one for both, and rounded: either way 4u(m + 2L) more, both sides together. So
//! the label is said if
//!
//! ```text
//! m > u (24 + 10 (m + L)),
//! ```
//!
//! the rest being spare for products of these errors, as u <= 2^-8. What a runtime makes of the margin itself is
//! within the rounding bound R of the logits; both together are the rounding bound of the verdict.

use shatter_exact::Format;

use super::verdict::Judged;

/// The judgement of logits as one of the softmax of so many.
pub(super) fn of_logits(one: Judged, outputs: usize, format: Format) -> Judged {
    let unit = 2f64.powi(-(format.bits() as i32));
    let largest = one.low.abs().max(one.high.abs()) + one.rounding;
    let softmax = unit * (24.0 + 10.0 * (largest + (outputs as f64).ln()));
    // The handful of roundings made here are within a factor of 1 + 2^-48.
    let rounding = (one.rounding + softmax * (1.0 + 1e-14)).next_up();
    Judged::of_margin(false, (one.low, one.high), rounding)
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Verdict;
    use super::*;

    /// Probabilities as binary32 has them, exponentials off by two units of the last place, one way or the other.
    fn says_first(margin: f32, others: usize, off: [f32; 2], logarithm: bool) -> bool {
        let ulps = |x: f32, by: f32| x * (1.0 + by * f32::EPSILON);
        let (own, other) = (ulps(1.0, off[0]), ulps((-margin).exp(), off[1]));
        let sum = (0..others).fold(own, |sum, _| sum + other);
        let (own, other) = (own / sum, other / sum);
        if logarithm { own.ln() > other.ln() } else { own > other }
    }

    #[test]
    fn no_runtime_says_another_class() {
        let mut decided = 0;
        for exponent in -26..4 {
            for step in 0..8 {
                let margin = 2f32.powi(exponent) * (1.0 + step as f32 / 8.0);
                for others in [1, 2, 9, 999] {
                    let exact = (f64::from(margin), f64::from(margin));
                    let one = Judged::of_margin(false, exact, 0.0);
                    let one = of_logits(one, others + 1, Format::F32);
                    if one.verdict != Verdict::Margin {
                        continue;
                    }
                    decided += 1;
                    for off in [[0.0, 0.0], [-2.0, 2.0], [2.0, -2.0]] {
                        for logarithm in [false, true] {
                            assert!(says_first(margin, others, off, logarithm), "{margin} {off:?}");
                        }
                    }
                }
            }
        }
        assert!(decided > 400, "{decided}");
        // And the bound is none of a runtime that cannot exist: it is reached within a factor of some 20.
        assert!(!says_first(2f32.powi(-23), 1, [-2.0, 2.0], false));
    }

    #[test]
    fn small_margins_are_left_open() {
        let of = |margin: f64, format| {
            of_logits(Judged::of_margin(false, (margin, margin), 0.0), 2, format).verdict
        };
        assert_eq!(of(2f64.powi(-30), Format::F32), Verdict::Undecided);
        assert_eq!(of(2f64.powi(-11), Format::F16), Verdict::Undecided);
        assert_eq!(of(-2f64.powi(-30), Format::F32), Verdict::Undecided);
        assert_eq!(of(0.5, Format::F16), Verdict::Margin);
        assert_eq!(of(-0.5, Format::F16), Verdict::Misfit);
        assert_eq!(of(f64::INFINITY, Format::F32), Verdict::Undecided);
    }
}
