//! Path norms.
//!
//! ```text
//! φ_1 = Σ_paths Π |weight|,   φ_2² = Σ_paths Π weight²
//! ```
//!
//! over the paths from a coordinate of the point, or from a constant 1 that stands for every bias, to an output. With
//! p_0 = (1, …, 1) ∈ R^d and p_l = |W_l| p_{l−1} + |b_l| ∈ R^{k_l}, entry j of p_L is the sum of the paths to output
//! j (squares in place of absolute values for φ_2²).
//!
//! **Source.** Neyshabur, Tomioka and Srebro, COLT 2015. **Assumes** a perceptron. **Value.** *Exact* in fractions
//! ([`exactly`]), and enclosed in binary64 ([`path_norms`]); by themselves norms say nothing of the test error.
//!
//! **Invariance.** Scaling what a ReLU unit takes by c > 0 and what it gives by 1/c changes no path's product;
//! neither does renaming the units of a layer.
//!
//! **Cost.** Two operations a weight.

use shatter_exact::Rational;

use crate::layers::{ExactPerceptron, Perceptron};
use crate::outward::{add_down, add_up, mul_both, mul_down, mul_up};
use crate::{Enclosure, MeasureError};

/// Sums over the paths to each output.
#[derive(Clone, Debug, PartialEq)]
pub struct PathNorms<T> {
    /// Σ Π |weight|, one number an output.
    pub sizes: Vec<T>,
    /// Σ Π weight², one number an output.
    pub squares: Vec<T>,
}

impl PathNorms<Enclosure> {
    /// φ_1, the sum over outputs.
    #[must_use]
    pub fn phi_1(&self) -> Enclosure {
        self.sizes.iter().copied().sum()
    }

    /// φ_2, the root of the sum over outputs.
    #[must_use]
    pub fn phi_2(&self) -> Enclosure {
        self.squares.iter().copied().sum::<Enclosure>().sqrt()
    }
}

impl PathNorms<Rational> {
    /// φ_1, the sum over outputs.
    #[must_use]
    pub fn phi_1(&self) -> Rational {
        self.sizes.iter().fold(Rational::ZERO, |sum, x| sum + x)
    }

    /// φ_2², the sum over outputs.
    #[must_use]
    pub fn phi_2_squared(&self) -> Rational {
        self.squares.iter().fold(Rational::ZERO, |sum, x| sum + x)
    }
}

/// Path norms, enclosed.
///
/// ```
/// use shatter_measure::layers::{Homogeneous, Layer, Perceptron};
/// use shatter_measure::path::path_norms;
/// let layer = |weights: &[f64], inputs, activation| Layer {
///     inputs, outputs: weights.len() / inputs, weights: weights.to_vec(),
///     bias: vec![0.0; weights.len() / inputs], activation, rounding: 0.0 };
/// // |x| = ReLU(x) + ReLU(−x)
/// let layers = vec![layer(&[1.0, -1.0], 1, Homogeneous::Relu), layer(&[1.0, 1.0], 2, Homogeneous::Identity)];
/// let norms = path_norms(&Perceptron { inputs: 1, layers });
/// assert_eq!((norms.phi_1().high(), norms.phi_2().contains(2f64.sqrt())), (2.0, true));
/// ```
#[must_use]
pub fn path_norms(perceptron: &Perceptron) -> PathNorms<Enclosure> {
    let ones = vec![Enclosure::ONE; perceptron.inputs];
    PathNorms {
        sizes: propagate(perceptron, ones.clone(), 1),
        squares: propagate(perceptron, ones, 2),
    }
}

/// |W_L| (… |W_1| start + |b_1| …) + |b_L|, with the numbers to the given power.
pub(crate) fn propagate(
    perceptron: &Perceptron,
    start: Vec<Enclosure>,
    power: u32,
) -> Vec<Enclosure> {
    perceptron.layers.iter().fold(start, |before, layer| {
        let near = Enclosure::exact(layer.rounding);
        let off = Enclosure::new((Enclosure::ONE - near).low(), (Enclosure::ONE + near).high());
        let off = off.powi(power);
        let sized = |x: f64| if power == 1 { (x.abs(), x.abs()) } else { mul_both(x, x) };
        let sum = |j: usize| {
            let (mut low, mut high) = sized(layer.bias[j]);
            for (weight, value) in layer.row(j).iter().zip(&before) {
                if *weight != 0.0 {
                    let (below, above) = sized(*weight);
                    low = add_down(low, mul_down(below, value.low()));
                    high = add_up(high, mul_up(above, value.high()));
                }
            }
            Enclosure::new(low.max(0.0), high) * off
        };
        (0..layer.outputs).map(sum).collect()
    })
}

/// Path norms in fractions.
///
/// # Errors
/// [`MeasureError::Length`] if a unit reads a number that the layer before does not have.
pub fn exactly(perceptron: &ExactPerceptron) -> Result<PathNorms<Rational>, MeasureError> {
    let size = |x: &Rational| if *x < Rational::ZERO { -x } else { x.clone() };
    let square = |x: &Rational| x * x;
    Ok(PathNorms {
        sizes: propagate_exactly(perceptron, size)?,
        squares: propagate_exactly(perceptron, square)?,
    })
}

fn propagate_exactly(
    perceptron: &ExactPerceptron,
    of: impl Fn(&Rational) -> Rational,
) -> Result<Vec<Rational>, MeasureError> {
    let start = vec![Rational::ONE; perceptron.inputs];
    perceptron.layers.iter().try_fold(start, |before, units| {
        let sum = |unit: &shatter_network::Unit| {
            unit.weights.iter().try_fold(of(&unit.bias), |sum, (from, weight)| {
                let value = before.get(*from).ok_or(MeasureError::Length {
                    what: "a unit's inputs",
                    found: from + 1,
                    expected: before.len(),
                })?;
                Ok(sum + of(weight) * value)
            })
        };
        units.iter().map(sum).collect()
    })
}
