//! The operations of a graph.

use std::ops::Range;

use crate::Activation;
use crate::layered::Unit;

use super::SlidingWindow;

/// An operator on a value x.
#[derive(Clone, Debug)]
pub enum Operator {
    /// Σ_k x_k W_kj + b_j.
    Dense(Affine),
    /// φ_j(Σ weight · x_from + bias_j): a layer of exact units, each with its own activation; sparse.
    Units(Vec<Unit>),
    /// Cross-correlation, padding with zeros; W is (channels in · height · width) × channels out.
    Convolution(Affine, SlidingWindow),
    /// A function of each number.
    Activate(Activation),
    /// x where x > 0, and slope · x elsewhere: one slope, or one per channel (the first side).
    Leaky(Vec<f64>),
    /// min(max(x, low), high); infinite bounds bound nothing.
    Clip {
        /// The smallest result.
        low: f64,
        /// The largest result, not below `low`.
        high: f64,
    },
    /// The largest entry of each window; padding never wins.
    MaxPool(SlidingWindow),
    /// The mean of each window, padding counted as zeros or not at all.
    MeanPool(SlidingWindow, bool),
    /// The mean of each channel.
    GlobalMean,
    /// ±x + c, the numbers of x or of c repeated as their shapes say.
    Shift {
        /// Whether x enters with a minus.
        negated: bool,
        /// Of each number of the result: which number of x.
        from: Vec<u32>,
        /// c, a number each of the result.
        by: Vec<f64>,
    },
    /// x · c or x / c, the numbers of x or of c repeated as their shapes say.
    Scale {
        /// Of each number of the result: which number of x.
        from: Vec<u32>,
        /// c, a number each of the result; not 0 where it divides.
        by: Vec<f64>,
        /// Whether c divides.
        divides: bool,
    },
    /// Number k of the result is number `from[k]` of x: transposes, slices, repetitions.
    Gather {
        /// Which number of x.
        from: Vec<u32>,
    },
    /// (x − mean)/√(variance + epsilon) · scale + shift, a number a channel.
    Normalize(Normalization),
    /// x/(k + alpha/size · Σ x²)^β, the sum over channels nearby.
    Response(Response),
    /// x ± another value of the same shape.
    Sum {
        /// The other value.
        other: usize,
        /// Whether it is subtracted.
        minus: bool,
    },
    /// x and other values, one after the other.
    Concatenate(Vec<usize>),
    /// x, in another shape.
    Same,
    /// A softmax of x, or its logarithm, whose order is that of x and whose values are not rational: x stands for it
    /// where nothing may round, and nothing but the order of the outputs may be read
    /// ([`Graph::is_ordered`](super::Graph::is_ordered)).
    Softmax {
        /// Whether it is the logarithm.
        logarithm: bool,
    },
}

/// Weights and biases of an affine map.
#[derive(Clone, Debug)]
pub struct Affine {
    /// inputs × outputs, row by row.
    pub weights: Vec<f64>,
    /// Numbers that go in.
    pub inputs: usize,
    /// Numbers that come out.
    pub outputs: usize,
    /// A number an output; empty for none.
    pub bias: Vec<f64>,
}

/// Batch normalization in inference mode.
#[derive(Clone, Debug)]
pub struct Normalization {
    /// γ.
    pub scale: Vec<f64>,
    /// β.
    pub shift: Vec<f64>,
    /// μ.
    pub mean: Vec<f64>,
    /// σ².
    pub variance: Vec<f64>,
    /// ε.
    pub epsilon: f64,
}

/// Local response normalization.
#[derive(Clone, Copy, Debug)]
pub struct Response {
    /// Channels below a channel that its sum begins with.
    pub before: usize,
    /// Channels of a sum, those that do not exist included.
    pub size: usize,
    /// α.
    pub alpha: f64,
    /// β.
    pub beta: f64,
    /// k.
    pub k: f64,
}

impl Response {
    /// Makes a response that can be bounded, or says why it cannot.
    ///
    /// # Errors
    /// If β is no multiple of 1/4 from 1/4 to 4, k is not positive, or α is negative.
    pub fn new(
        before: usize,
        size: usize,
        (alpha, beta, k): (f64, f64, f64),
    ) -> Result<Response, String> {
        let response = Response::of(before, size, (alpha, beta, k));
        if quarters(beta).is_none() {
            return Err(format!(
                "beta = {beta} is not supported; expected a multiple of 1/4 from 1/4 to 4"
            ));
        }
        match response.is_bounded() {
            true => Ok(response),
            false => {
                Err(format!("alpha = {alpha} and k = {k} are not supported: k must be positive"))
            }
        }
    }

    /// Any, as training has it; of one that is not bounded nothing is decided.
    pub fn of(before: usize, size: usize, (alpha, beta, k): (f64, f64, f64)) -> Response {
        Response { before: before.min(size.saturating_sub(1)), size: size.max(1), alpha, beta, k }
    }

    /// Returns true if enclosures can bound it.
    pub fn is_bounded(&self) -> bool {
        let Response { alpha, beta, k, .. } = *self;
        quarters(beta).is_some() && alpha >= 0.0 && alpha.is_finite() && k > 0.0 && k.is_finite()
    }

    /// 4β, where that is a whole number from 1 to 16.
    pub fn quarters(&self) -> Option<u32> {
        quarters(self.beta)
    }

    /// The channels that the sum of a channel goes over.
    pub fn near(&self, channel: usize, channels: usize) -> Range<usize> {
        let end = channel.saturating_add(self.size - self.before);
        channel.saturating_sub(self.before)..end.min(channels)
    }

    /// Returns the number of channels below and above a channel that its sum covers, where there are so many.
    pub fn reach(&self) -> (usize, usize) {
        (self.before, self.size - 1 - self.before)
    }

    /// Size, α, β and k.
    pub fn constants(&self) -> (usize, f64, f64, f64) {
        (self.size, self.alpha, self.beta, self.k)
    }
}

fn quarters(beta: f64) -> Option<u32> {
    (1..=16).find(|&quarters| f64::from(quarters) / 4.0 == beta)
}
