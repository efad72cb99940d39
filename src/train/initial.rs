//! Initial weights by the rules in use, each array drawn from a stream of its own.
//!
//! With m numbers into and p numbers out of a unit (m = in, p = out of a dense layer; both times
//! the area of the kernel in a convolution), a weight has mean 0 and
//!
//! | rule | distribution | source |
//! |---|---|---|
//! | `he-normal` | normal, variance 2/m | He, Zhang, Ren, Sun, ICCV 2015, (10) |
//! | `he-uniform` | uniform on ±√(6/m), variance 2/m | the same |
//! | `glorot-normal` | normal, variance 2/(m + p) | Glorot, Bengio, AISTATS 2010, (12) |
//! | `glorot-uniform` | uniform on ±√(6/(m + p)), variance 2/(m + p) | the same, (16) |
//! | `pytorch` | uniform on ±1/√m, variance 1/(3m) | `torch.nn.Linear`, `torch.nn.Conv2d` |
//!
//! Biases are 0, except that PyTorch draws them like the weights. Batch normalization starts at
//! scale 1, shift 0, running mean 0 and running variance 1.

use std::fmt;
use std::str::FromStr;

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use shatter_network::architecture::{Parameter, ParameterKind};
use shatter_random::stream::{Purpose, stream_at};

/// A rule for initial weights. The table of this module gives the distributions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Initialization {
    /// Normal, variance 2/fan-in.
    HeNormal,
    /// Uniform, variance 2/fan-in.
    HeUniform,
    /// Normal, variance 2/(fan-in + fan-out).
    GlorotNormal,
    /// Uniform, variance 2/(fan-in + fan-out).
    GlorotUniform,
    /// The rule of PyTorch's layers: uniform, variance 1/(3·fan-in), biases too.
    PyTorch,
}

impl Initialization {
    /// Every rule.
    pub const ALL: [Initialization; 5] = [
        Initialization::HeNormal,
        Initialization::HeUniform,
        Initialization::GlorotNormal,
        Initialization::GlorotUniform,
        Initialization::PyTorch,
    ];

    /// Draws the initial numbers of `parameter`, in the order of its shape (the last index runs fastest).
    ///
    /// `index` is its place in [`Architecture::arrays`]; the numbers depend on it, on the seed, on
    /// the rule and on the shape and fan-in of this array, and on no other array.
    ///
    /// [`Architecture::arrays`]: shatter_network::architecture::Architecture::arrays
    ///
    /// ```
    /// use shatter_network::architecture::{Architecture, Shape};
    /// use shatter_train::Initialization;
    /// let network = Architecture::named("mlp:64", Shape::vector(100), 10)?;
    /// let arrays = network.arrays()?;
    /// let weights = Initialization::HeUniform.draw(&arrays[0], 0, 1);
    /// assert_eq!(weights.len(), 64 * 100);
    /// assert!(weights.iter().all(|weight| weight.abs() <= (6.0f64 / 100.0).sqrt()));
    /// assert_eq!(Initialization::HeUniform.draw(&arrays[1], 1, 1), [0.0; 64]);
    /// # Ok::<(), shatter_network::architecture::ArchitectureError>(())
    /// ```
    #[must_use]
    pub fn draw(self, parameter: &Parameter, index: u32, seed: u64) -> Vec<f64> {
        let fan_in = parameter.fan_in as f64;
        let fans = fan_in + fan_out(parameter) as f64;
        let law = match (parameter.kind, self) {
            (ParameterKind::Scale | ParameterKind::RunningVariance, _) => Law::Constant(1.0),
            (ParameterKind::Shift | ParameterKind::RunningMean, _) => Law::Constant(0.0),
            (_, Initialization::PyTorch) => Law::Uniform((1.0 / fan_in).sqrt()),
            (ParameterKind::Bias, _) => Law::Constant(0.0),
            (_, Initialization::HeNormal) => Law::Normal((2.0 / fan_in).sqrt()),
            (_, Initialization::HeUniform) => Law::Uniform((6.0 / fan_in).sqrt()),
            (_, Initialization::GlorotNormal) => Law::Normal((2.0 / fans).sqrt()),
            (_, Initialization::GlorotUniform) => Law::Uniform((6.0 / fans).sqrt()),
        };
        let mut rng = stream_at(seed, Purpose::Initial, index);
        (0..parameter.len()).map(|_| law.draw(&mut rng)).collect()
    }
}

/// Numbers that one input of the layer reaches: units, or channels times the area of the kernel.
fn fan_out(parameter: &Parameter) -> usize {
    match parameter.shape.as_slice() {
        [outputs, _inputs, kernel @ ..] => {
            kernel.iter().fold(*outputs, |product, &side| product.saturating_mul(side))
        }
        _ => 0,
    }
}

/// Distribution of a number.
enum Law {
    Constant(f64),
    /// Normal with mean 0 and this standard deviation.
    Normal(f64),
    /// Uniform between minus this bound and this bound.
    Uniform(f64),
}

impl Law {
    fn draw(&self, rng: &mut impl Rng) -> f64 {
        match self {
            Law::Constant(value) => *value,
            Law::Normal(deviation) => {
                let normal: f64 = StandardNormal.sample(rng);
                deviation * normal
            }
            // A multiple of 2^-52 in -1 <= u < 1, exactly.
            Law::Uniform(bound) => bound * ((rng.next_u64() >> 11) as f64 * 2f64.powi(-52) - 1.0),
        }
    }
}

impl fmt::Display for Initialization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Initialization::HeNormal => "he-normal",
            Initialization::HeUniform => "he-uniform",
            Initialization::GlorotNormal => "glorot-normal",
            Initialization::GlorotUniform => "glorot-uniform",
            Initialization::PyTorch => "pytorch",
        })
    }
}

impl FromStr for Initialization {
    type Err = String;

    fn from_str(text: &str) -> Result<Initialization, String> {
        Initialization::ALL.into_iter().find(|rule| rule.to_string() == text).ok_or_else(|| {
            let names = Initialization::ALL.map(|rule| rule.to_string()).join(", ");
            format!("'{text}' is not a rule for initial weights; expected one of: {names}")
        })
    }
}

impl TryFrom<String> for Initialization {
    type Error = String;

    fn try_from(text: String) -> Result<Initialization, String> {
        text.parse()
    }
}

impl From<Initialization> for String {
    fn from(rule: Initialization) -> String {
        rule.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shatter_network::architecture::{Architecture, Shape};

    const IMAGE: Shape = Shape { channels: 3, height: 12, width: 12 };

    fn arrays(text: &str) -> Vec<Parameter> {
        Architecture::named(text, IMAGE, 10).unwrap().arrays().unwrap()
    }

    #[test]
    fn weights_have_the_moments_and_the_range_of_their_rule() {
        // fan-in and fan-out of a dense layer 432 → 200 and of 64 kernels 5 × 5 over 3 channels
        let cases =
            [(&arrays("mlp:200")[0], 432.0, 200.0), (&arrays("conv(64,5)")[0], 75.0, 1600.0)];
        for (parameter, fan_in, fan_out) in cases {
            let count = parameter.len() as f64;
            for (rule, variance, bound) in [
                (Initialization::HeNormal, 2.0 / fan_in, None),
                (Initialization::HeUniform, 2.0 / fan_in, Some(6.0 / fan_in)),
                (Initialization::GlorotNormal, 2.0 / (fan_in + fan_out), None),
                (
                    Initialization::GlorotUniform,
                    2.0 / (fan_in + fan_out),
                    Some(6.0 / (fan_in + fan_out)),
                ),
                (Initialization::PyTorch, 1.0 / (3.0 * fan_in), Some(1.0 / fan_in)),
            ] {
                let values = rule.draw(parameter, 3, 7);
                assert_eq!(values.len() as f64, count);
                let power = |k| values.iter().map(|value| value.powi(k)).sum::<f64>() / count;
                // Five standard deviations of the estimates; E x^4 is 3 (normal) or 9/5 variance².
                let fourth = if bound.is_some() { 1.8 } else { 3.0 };
                assert!(power(1).abs() < 5.0 * (variance / count).sqrt(), "{rule}");
                let error = (power(2) - variance).abs();
                assert!(error < 5.0 * variance * f64::sqrt((fourth - 1.0) / count), "{rule}");
                let largest =
                    values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
                match bound.map(f64::sqrt) {
                    Some(bound) => assert!((0.99 * bound..=bound).contains(&largest), "{rule}"),
                    None => assert!(largest > 2.0 * variance.sqrt(), "{rule}"),
                }
            }
        }
    }

    #[test]
    fn biases_and_batch_normalization_start_as_stated() {
        let arrays = arrays("conv(4,3) batchnorm relu");
        for rule in Initialization::ALL {
            let of = |index: usize| rule.draw(&arrays[index], index as u32, 5);
            if rule == Initialization::PyTorch {
                assert!(of(1).iter().all(|bias| *bias != 0.0 && bias.abs() <= 1.0 / 27f64.sqrt()));
            } else {
                assert_eq!(of(1), [0.0; 4]);
            }
            // scale, shift, running mean, running variance
            assert_eq!([of(2), of(3), of(4), of(5)], [[1.0; 4], [0.0; 4], [0.0; 4], [1.0; 4]]);
        }
    }

    #[test]
    fn an_array_depends_on_its_place_and_not_on_other_arrays() {
        let (one, other) = (arrays("conv(4,3) relu"), arrays("conv(40,3) relu"));
        let rule = Initialization::HeNormal;
        // 4 kernels are the first 4 of 40: other arrays of a network move nothing.
        assert_eq!(rule.draw(&one[0], 0, 1)[..], rule.draw(&other[0], 0, 1)[..4 * 27]);
        assert_ne!(rule.draw(&one[0], 0, 1), rule.draw(&one[0], 1, 1));
        assert_ne!(rule.draw(&one[0], 0, 1), rule.draw(&one[0], 0, 2));
    }

    #[test]
    fn recorded_seeds_draw_the_same_weights_for_ever() {
        let arrays = arrays("mlp:7");
        let first = |rule: Initialization| rule.draw(&arrays[0], 0, 42)[..3].to_vec();
        let golden = [
            [-0.015826767737076836, 0.06296813089620303, 0.014085575137574862],
            [-0.022376586297850054, 0.10305618859008743, 0.030751050246389036],
            [-0.015700079165351717, 0.06246408972368034, 0.01397282429509388],
            [-0.022197468375274025, 0.10223125443064268, 0.03050489722895163],
            [-0.009135203102514386, 0.04207251281362466, 0.012554063693056679],
        ];
        assert_eq!(Initialization::ALL.map(first), golden.map(|row| row.to_vec()));
    }

    #[test]
    fn names_are_read_and_written() {
        for rule in Initialization::ALL {
            assert_eq!(rule.to_string().parse(), Ok(rule));
            let json = serde_json::to_string(&rule).unwrap();
            assert_eq!(json, format!("\"{rule}\""));
            assert_eq!(serde_json::from_str::<Initialization>(&json).unwrap(), rule);
        }
        let error = "xavier".parse::<Initialization>().unwrap_err();
        assert!(error.contains("'xavier'") && error.contains("glorot-normal"), "{error}");
    }
}
