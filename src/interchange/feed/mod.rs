//! Feed-forward networks as other people bring them: operations one after the other, each on values
//! that stand before it.
//!
//! A value is an array a point. Numbers are those of the file, in binary64, which has all of them.

pub mod architecture;
pub mod enclose;
pub mod exact;
pub mod exactly;
pub mod judge;
mod reading;
pub mod window;

use super::number::Precision;
pub use window::Window;

/// A network.
#[derive(Clone, Debug)]
pub struct FeedForward {
    /// The type in which its runtime computes.
    pub precision: Precision,
    /// Shape of a point.
    pub input: Vec<usize>,
    /// The operations; the first makes value 1, value 0 is the point.
    pub steps: Vec<Step>,
}

/// An operation, and what it works on.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is done.
    pub operation: Operation,
    /// The value that it is done to; below the number of its own.
    pub on: usize,
    /// Shape of the result.
    pub shape: Vec<usize>,
}

/// What is done to a value x.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Σ_k x_k W_kj + b_j.
    Dense(Affine),
    /// Cross-correlation, padding with zeros; W is (channels in · height · width) × channels out.
    Convolution(Affine, Window),
    /// max(x, 0).
    Relu,
    /// The largest entry of each window; padding never wins.
    MaxPool(Window),
    /// The mean of each window, padding counted as zeros or not at all.
    MeanPool(Window, bool),
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
    before: usize,
    /// Channels of a sum, those that do not exist included.
    size: usize,
    /// α.
    alpha: f64,
    /// 4β.
    quarters: u32,
    /// k.
    k: f64,
}

impl Response {
    /// One that can be bounded; the reason, if it cannot.
    ///
    /// # Errors
    /// If β is no multiple of 1/4 from 1/4 to 4, k is not positive, or α is negative.
    pub fn new(
        before: usize,
        size: usize,
        (alpha, beta, k): (f64, f64, f64),
    ) -> Result<Response, String> {
        let quarters = (1..=16).find(|&quarters| f64::from(quarters) / 4.0 == beta);
        let Some(quarters) = quarters else {
            return Err(format!("beta = {beta} is not read, multiples of 1/4 to 4 are"));
        };
        if !(alpha >= 0.0 && alpha.is_finite() && k > 0.0 && k.is_finite() && before < size) {
            return Err(format!("alpha = {alpha} and k = {k} are not read: k must be positive"));
        }
        Ok(Response { before, size, alpha, quarters, k })
    }

    /// The channels that the sum of a channel goes over.
    pub fn near(&self, channel: usize, channels: usize) -> std::ops::Range<usize> {
        let end = channel.saturating_add(self.size - self.before);
        channel.saturating_sub(self.before)..end.min(channels)
    }

    /// Size, α, 4β and k.
    pub fn constants(&self) -> (usize, f64, u32, f64) {
        (self.size, self.alpha, self.quarters, self.k)
    }
}

impl Step {
    /// The values that it reads.
    pub fn reads(&self) -> impl Iterator<Item = usize> + '_ {
        let others = match &self.operation {
            Operation::Sum { other, .. } => std::slice::from_ref(other),
            Operation::Concatenate(others) => others.as_slice(),
            _ => &[],
        };
        others.iter().copied().chain([self.on])
    }
}

impl FeedForward {
    /// Shape of a value.
    pub fn shape(&self, value: usize) -> &[usize] {
        match value.checked_sub(1) {
            None => &self.input,
            Some(step) => &self.steps[step].shape,
        }
    }

    /// Without the steps that nothing reads on the way to the last one.
    pub fn without_dead(self) -> FeedForward {
        let mut lives = vec![false; self.steps.len() + 1];
        lives[self.steps.len()] = true;
        for (index, step) in self.steps.iter().enumerate().rev() {
            if lives[index + 1] {
                step.reads().for_each(|value| lives[value] = true);
            }
        }
        // The input stands there in any case.
        lives[0] = true;
        let mut number = 0;
        let counted = |&lives: &bool| {
            number += usize::from(lives);
            number.saturating_sub(1)
        };
        let numbers: Vec<usize> = lives.iter().map(counted).collect();
        let kept = self.steps.into_iter().zip(&lives[1..]).filter(|(_, lives)| **lives);
        let renumbered = |(mut step, _): (Step, _)| {
            step.on = numbers[step.on];
            match &mut step.operation {
                Operation::Sum { other, .. } => *other = numbers[*other],
                Operation::Concatenate(others) => {
                    others.iter_mut().for_each(|other| *other = numbers[*other]);
                }
                _ => {}
            }
            step
        };
        FeedForward { steps: kept.map(renumbered).collect(), ..self }
    }

    /// Numbers that come out.
    pub fn outputs(&self) -> usize {
        count(self.shape(self.steps.len()))
    }

    /// The last step that reads each value; for values that nothing reads, a step that there is not.
    pub fn last_uses(&self) -> Vec<usize> {
        let mut last = vec![usize::MAX; self.steps.len() + 1];
        for (index, step) in self.steps.iter().enumerate() {
            step.reads().for_each(|value| last[value] = index);
        }
        last
    }

    /// Numbers that a point takes at once.
    pub fn peak(&self) -> usize {
        let last = self.last_uses();
        let (mut held, mut peak) = (count(&self.input), 0);
        for (index, step) in self.steps.iter().enumerate() {
            held += count(&step.shape);
            peak = peak.max(held);
            let mut read: Vec<usize> = step.reads().collect();
            read.sort_unstable();
            read.dedup();
            let done = read.into_iter().filter(|&value| last[value] == index);
            held -= done.map(|value| count(self.shape(value))).sum::<usize>();
        }
        peak
    }

    /// Products that a point takes.
    pub fn products(&self) -> u64 {
        self.steps.iter().map(|step| self.products_of(step)).fold(0u64, u64::saturating_add)
    }

    fn products_of(&self, step: &Step) -> u64 {
        let (takes, numbers) = (self.shape(step.on), count(&step.shape) as u64);
        match &step.operation {
            Operation::Dense(affine) => affine.weights.len() as u64,
            // Where a window lies outside the image, its weights are multiplied with zeros.
            Operation::Convolution(affine, _) => (affine.inputs as u64).saturating_mul(numbers),
            Operation::MeanPool(window, _) | Operation::MaxPool(window) => {
                (takes[0] as u64).saturating_mul(window.positions(takes[1], takes[2]))
            }
            Operation::GlobalMean => count(takes) as u64,
            Operation::Response(by) => {
                let near = by.size.min(step.shape[0]) as u64;
                numbers.saturating_mul(near.saturating_add(32))
            }
            _ => numbers,
        }
    }
}

/// Numbers of an array of this shape.
pub fn count(shape: &[usize]) -> usize {
    shape.iter().product()
}
