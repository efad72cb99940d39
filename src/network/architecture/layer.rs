//! The layers that networks are made of.

/// A sliding window: a square of `size` × `size` positions, `stride` apart, over an
/// image with `padding` positions added on every side. It has ⌊(side + 2·padding − size)/stride⌋ + 1
/// places along each side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Positions along a side of the window; at least 1.
    pub size: usize,
    /// Positions from one place to the next; at least 1.
    pub stride: usize,
    /// Positions added around the image; below `size`.
    pub padding: usize,
}

/// The statistic that pooling takes of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pool {
    /// The largest entry; padding never wins.
    Max,
    /// The mean; padding counts as zeros.
    Mean,
}

/// The epsilon of batch normalization, PyTorch's: the binary64 number nearest to 10^-5.
pub const EPSILON: f64 = 1e-5;

/// A layer. Numbers of channels and units that go in follow from what stands before.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// An affine map to `units` numbers.
    Dense {
        /// Numbers that come out.
        units: usize,
    },
    /// Cross-correlation with `channels` kernels, and a bias for each.
    Convolution {
        /// Channels that come out.
        channels: usize,
        /// Size, stride and padding of the kernel; padding is with zeros.
        window: Window,
    },
    /// max(x, 0).
    Relu,
    /// Max- or mean-pooling.
    Pool {
        /// What it takes.
        pool: Pool,
        /// Where it looks.
        window: Window,
    },
    /// The mean over all positions of each channel.
    GlobalMeanPool,
    /// Turns an image into a vector, channel by channel.
    Flatten,
    /// Layers side by side on the same input, their outputs joined along the channels. A branch
    /// without layers hands on its input.
    Concatenate(Vec<Vec<Layer>>),
    /// Batch normalization of each channel, with a trained scale and shift: running statistics with
    /// momentum 0.1 and the unbiased variance, as PyTorch has them.
    BatchNormalization {
        /// What is added to the variance. Networks are trained with [`EPSILON`] here.
        epsilon: f64,
    },
    /// x / (k + alpha/size · Σ x²)^beta over `size` channels around each, as PyTorch has it.
    LocalResponseNormalization {
        /// Channels in the sum.
        size: usize,
        /// Weight of the sum.
        alpha: f64,
        /// The exponent.
        beta: f64,
        /// What is added to the sum.
        k: f64,
    },
    /// Sets numbers to zero with this probability in training, and divides the others by 1 − rate.
    Dropout {
        /// The probability, in 0 ≤ rate < 1.
        rate: f64,
    },
}
