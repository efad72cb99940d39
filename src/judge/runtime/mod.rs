//! Runtime models: which arithmetic a verdict speaks of.
//!
//! What rounds depends on who computes. A model stands for a set of runtimes, has a name that every verdict and
//! certificate prints, and is given to the enclosures as one small struct, [`Rounding`].
//!
//! | name | the runtimes that it stands for |
//! |---|---|
//! | `ieee` | multiply and add numbers of the network's format, in any order, fused or not, rounding to nearest, in that format or a better one; keep numbers below the normal range or take them for 0; convolve directly (by windows, or by a product of matrices) |
//! | `tf32` | those of `ieee`, and those that take the operands of some or all products of matrices and of convolutions with 11 significand bits (10 of a fraction), rounded or cut off, multiply exactly and add with unit roundoff 2^-22 or better |
//! | `bf16` | the same with 8 significand bits |
//! | `winograd` | those of `ieee`, and those that convolve some or all layers by the tiles of [`winograd`], in the network's format |
//!
//! Each of the last three holds `ieee`; none of them holds another. Bounds are proved as follows; u is the unit roundoff
//! and γ_k = ku/(1 − ku).
//!
//! * `ieee`: a sum of k terms in any order is off by at most γ_k Σ|w||x| (Higham, Accuracy and Stability of Numerical
//!   Algorithms, 2002, sections 3.1 and 4.2). What may be folded into it is in `enclose/chain.rs`.
//! * `tf32`, `bf16`: an operand with b bits is x(1 + δ), |δ| <= v = 2^(1 − b) even where it is cut off (half of that where it is
//!   rounded). So a term w x has a factor (1 + δ)(1 + δ') besides those of the sum, and what is found is off by at most
//!   ((1 + v)² (1 + γ_k) − 1) Σ|w||x|. Tensor cores align the terms of a block of a sum and cut them off, which is within
//!   4u = 2^-22 for each term (Fasi, Higham, Mikaitis and Pranesh, Numerical behavior of NVIDIA tensor cores, 2021). Only binary32
//!   is affected: no runtime rounds binary64 so, and shorter formats are kept. Biases, means, normalizations, activations
//!   and multiplications by constants are no products of matrices: they are computed as under `ieee`, or folded into a
//!   product, whose operand is then the folded weight. Nothing rounds only where operands have so few bits as well.
//! * `winograd`: [`winograd`].
//!
//! Not covered by any: results that are kept with fewer bits than the network's (PyTorch's autocast, half-precision
//! execution providers), FFT convolutions (NNPACK takes them for kernels other than 3 × 3), Winograd's with other points,
//! with operands of fewer bits or with integers, products in the manner of Strassen, products of two layers' weights, and
//! quantization.

pub mod winograd;

use std::fmt;
use std::str::FromStr;

use shatter_exact::Format;

/// A runtime model; see the table above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Runtime {
    /// Numbers of the network's format, multiplied and added in any order.
    #[default]
    Ieee,
    /// Operands of products may have 11 significand bits.
    Tf32,
    /// Operands of products may have 8 significand bits.
    Bf16,
    /// Convolutions may be computed by tiles.
    Winograd,
}

impl Runtime {
    /// All models.
    pub const ALL: [Runtime; 4] = [Runtime::Ieee, Runtime::Tf32, Runtime::Bf16, Runtime::Winograd];

    /// Returns the name in certificates.
    pub fn name(self) -> &'static str {
        match self {
            Runtime::Ieee => "ieee",
            Runtime::Tf32 => "tf32",
            Runtime::Bf16 => "bf16",
            Runtime::Winograd => "winograd",
        }
    }

    /// Returns a description of a few words.
    pub fn description(self) -> &'static str {
        match self {
            Runtime::Ieee => "sums in any order, fused or not; direct convolutions",
            Runtime::Tf32 => "operands of products to 11 bits or not; direct convolutions",
            Runtime::Bf16 => "operands of products to 8 bits or not; direct convolutions",
            Runtime::Winograd => "convolutions direct or by Winograd tiles up to 8 × 8",
        }
    }

    /// Returns the rounding of a network whose numbers are of this format.
    pub fn rounding(self, format: Format) -> Rounding {
        let ieee = Rounding { format, sum_bits: format.bits(), operand_bits: None, tiled: false };
        let short = |bits| Rounding { sum_bits: 22, operand_bits: Some(bits), ..ieee };
        match self {
            Runtime::Tf32 if format == Format::F32 => short(11),
            Runtime::Bf16 if format == Format::F32 => short(8),
            Runtime::Ieee | Runtime::Tf32 | Runtime::Bf16 => ieee,
            Runtime::Winograd => Rounding { tiled: true, ..ieee },
        }
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Runtime {
    type Err = String;

    fn from_str(text: &str) -> Result<Runtime, String> {
        let named = Runtime::ALL.into_iter().find(|runtime| runtime.name() == text);
        named.ok_or_else(|| {
            let text = text.escape_default();
            format!("'{text}' is not a runtime; expected ieee, tf32, bf16 or winograd")
        })
    }
}

/// The rounding that runtimes of a model do in one operation: all that bounds need to know of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounding {
    /// The format that results have: its range, and the numbers that stay as they are.
    pub format: Format,
    /// Each operation is off by at most 2^-this, relatively, beside operands and numbers below the normal range.
    pub sum_bits: u64,
    /// Significand bits of the operands of products of matrices and of convolutions; `None` where they are taken
    /// as they are.
    pub operand_bits: Option<u64>,
    /// Convolutions may be computed by the tiles of [`winograd`].
    pub tiled: bool,
}

impl Rounding {
    /// At least the relative error of an operand, rounded or cut off.
    pub fn operand(self) -> f64 {
        self.operand_bits.map_or(0.0, |bits| 2f64.powi(1 - bits as i32))
    }

    /// Every runtime takes these numbers as they are: they are 0 or normal.
    pub fn keeps(self, values: &[f64]) -> bool {
        self.format.all_normal(values)
    }

    /// Every runtime takes these numbers as they are where they are operands of a product.
    pub fn takes(self, values: &[f64]) -> bool {
        let Some(bits) = self.operand_bits else { return self.keeps(values) };
        let below = (1u64 << 53u64.saturating_sub(bits)) - 1;
        self.keeps(values) && values.iter().all(|x| x.to_bits() & below == 0)
    }

    /// Sums of terms that are multiples of 2^`grain`, with Σ|term| <= `size`, never round.
    pub fn never_rounds(self, grain: i64, size: f64) -> bool {
        let shorter = (self.format.bits() - self.sum_bits) as i32;
        self.format.never_rounds(grain, size * 2f64.powi(shorter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for runtime in Runtime::ALL {
            assert_eq!(runtime.to_string().parse(), Ok(runtime));
        }
        let error = "fp8".parse::<Runtime>().unwrap_err();
        assert!(error.contains("'fp8'") && error.contains("bf16"), "{error}");
    }

    #[test]
    fn operands_have_the_bits_that_they_are_said_to_have() {
        let tf32 = Runtime::Tf32.rounding(Format::F32);
        assert!(tf32.takes(&[2047.0, -0.5, 0.0]) && !tf32.takes(&[1.0, 2049.0]));
        assert!(tf32.never_rounds(0, 2f64.powi(22)) && !tf32.never_rounds(0, 2f64.powi(22) + 1.0));
        let bf16 = Runtime::Bf16.rounding(Format::F32);
        assert!(bf16.takes(&[255.0, 256.0]) && !bf16.takes(&[257.0]));
        // Numbers of other formats are not taken with fewer bits.
        assert_eq!(Runtime::Tf32.rounding(Format::F64), Runtime::Ieee.rounding(Format::F64));
        assert!(Runtime::Ieee.rounding(Format::F32).takes(&[2049.0]));
        assert!(!Runtime::Ieee.rounding(Format::F32).takes(&[1e-40]));
    }
}
