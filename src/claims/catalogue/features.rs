//! Random features: claim 20.

use shatter_exact::Rational;
use shatter_network::Unit;

use super::super::claim::{Claim, Evidence, Stated, Trial};

pub(super) const CLAIMS: [Claim; 1] = [Claim {
    number: 20,
    name: "gaussian-relu-features-interpolate",
    statement: "With probability 1, some combination of n ReLU features with Gaussian weights and \
                biases fits any labels of n distinct points.",
    verdict: Stated::False,
    source: "n = 1: the one feature is 0 with probability 1/2",
    test: relu_features,
}];

fn relu_features(_: &Trial) -> Evidence {
    let number = Rational::from;
    dead_box(&number(1), [number(-2), number(-1)], [number(-2), number(-1)])
}

/// The evidence that ReLU(w x + b) is 0 for all weights and biases of two intervals: the affine
/// w x + b is largest at a corner of the box.
fn dead_box(x: &Rational, weight: [Rational; 2], bias: [Rational; 2]) -> Evidence {
    let check = || {
        if weight[0] >= weight[1] || bias[0] >= bias[1] {
            return Err("the box has probability 0".to_owned());
        }
        for (w, b) in weight.iter().flat_map(|w| bias.iter().map(move |b| (w, b))) {
            let value = w * x + b;
            let feature = Unit::relu([(0, w.clone())], b.clone());
            let network =
                shatter_network::Layered { inputs: 1, hidden: Vec::new(), output: vec![feature] };
            if value >= Rational::ZERO || !network.evaluate(std::slice::from_ref(x))[0].is_zero() {
                return Err(format!("the feature is alive at w = {w}, b = {b}"));
            }
        }
        Ok(4)
    };
    Evidence::witness(
        format!(
            "n = 1, d = 1, x = {x}, y = 1: weights between {} and {} and biases between {} and {}, \
             a box of positive probability",
            weight[0], weight[1], bias[0], bias[1]
        ),
        "the feature is 0 at the four corners, hence on the whole box, and 0 times any output weight \
         is not 1; by the symmetry of (w, b) the probability of w x + b <= 0 is 1/2",
        check(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_altered_box_does_not_stand() {
        let pair = |low: i32, high: i32| [Rational::from(low), Rational::from(high)];
        let x = Rational::ONE;
        assert!(matches!(dead_box(&x, pair(-2, -1), pair(-2, -1)), Evidence::Refuted { .. }));
        assert!(matches!(dead_box(&x, pair(-2, 3), pair(-2, -1)), Evidence::Failed { .. }));
        assert!(matches!(dead_box(&x, pair(-2, -2), pair(-2, -1)), Evidence::Failed { .. }));
    }
}
