//! Plans: arrays with fixed sizes, and fixed lists of operations on them.
//!
//! Every array has a leading axis of replicas unless it is shared; every operation acts on each
//! replica alike. An array of activations holds `batch` samples, of which a sequence uses its
//! first `rows`: a short last batch has a sequence of its own. Shapes here are canonical; how an
//! array lies in memory is the device's choice.

use shatter_network::architecture::{Pool, Shape, Window};

/// An array of a plan, by its place in [`Plan::arrays`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ArrayId(pub usize);

/// A sequence of a plan, by its place in [`Plan::sequences`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SequenceId(pub usize);

/// Contents of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrayKind {
    /// Numbers of `batch` samples of this shape: activations, and their gradients.
    Activation(Shape),
    /// Numbers: a vector, or a matrix out × in as dense layers have it.
    Vector(usize),
    /// Weight of a convolution, out × in × size × size.
    Kernel {
        /// Channels that come out.
        outputs: usize,
        /// Channels that go in.
        inputs: usize,
        /// Side of the kernel.
        size: usize,
    },
    /// Numbers of a data set: samples of this shape.
    Images {
        /// Number of samples.
        count: usize,
        /// The shape of one.
        shape: Shape,
    },
    /// Whole numbers: classes, orders, places of maxima.
    Indices(usize),
}

/// An array of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Its name, for errors and for reading plans.
    pub name: String,
    /// Its contents.
    pub kind: ArrayKind,
    /// All replicas share one copy.
    pub shared: bool,
}

/// Some consecutive channels of an array of activations. Views join branches without copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The array.
    pub array: ArrayId,
    /// Its first channel.
    pub first: usize,
    /// The shape of the channels seen.
    pub shape: Shape,
}

/// The paper's augmentation, as an operation needs it.
pub type Augmentation = shatter_prepare::augment::Augmentation;

/// An operation on arrays. The `gradient` of an array is an array of the same shape. An input gradient is
/// added to its array if `accumulate`, and replaces it otherwise.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// `chosen[r] = order[position + r]`, or `position + r` without an order; then position += rows.
    Select {
        /// A permutation of the samples.
        order: Option<ArrayId>,
        /// Indices of the batch's samples.
        chosen: ArrayId,
    },
    /// `output[r] = images[chosen[r]]`, augmented (and whitened then) if asked for: the draw of a
    /// sample depends on seed, epoch and its index alone.
    Gather {
        /// The data set.
        images: ArrayId,
        /// Indices of the batch's samples.
        chosen: ArrayId,
        /// The batch that they are written to.
        output: View,
        /// The augmentation, if any, and true if each image is whitened after it.
        augmentation: Option<(Augmentation, bool)>,
    },
    /// output = input · weightᵀ + bias, then ReLU if asked for.
    Dense {
        /// rows × in.
        input: View,
        /// out × in.
        weight: ArrayId,
        /// out.
        bias: ArrayId,
        /// rows × out.
        output: View,
        /// A ReLU follows.
        relu: bool,
    },
    /// input_gradient (+)= output_gradient · weight.
    DenseInputGradient {
        /// rows × out.
        output_gradient: View,
        /// out × in.
        weight: ArrayId,
        /// rows × in.
        input_gradient: View,
        /// The gradient is added to its array, not written over it.
        accumulate: bool,
    },
    /// weight_gradient = output_gradientᵀ · input, bias_gradient = sums of the columns of
    /// output_gradient.
    DenseWeightGradient {
        /// rows × in.
        input: View,
        /// rows × out.
        output_gradient: View,
        /// out × in.
        weight_gradient: ArrayId,
        /// out.
        bias_gradient: ArrayId,
    },
    /// Cross-correlation of input with weight, plus bias, then ReLU if asked for.
    Convolution {
        /// The images.
        input: View,
        /// out × in × size × size.
        weight: ArrayId,
        /// out.
        bias: ArrayId,
        /// The output.
        output: View,
        /// Size, stride and padding.
        window: Window,
        /// A ReLU follows.
        relu: bool,
    },
    /// The gradient of a convolution with respect to its input.
    ConvolutionInputGradient {
        /// Gradient of the output.
        output_gradient: View,
        /// out × in × size × size.
        weight: ArrayId,
        /// Gradient of the input.
        input_gradient: View,
        /// Size, stride and padding.
        window: Window,
        /// The gradient is added to its array, not written over it.
        accumulate: bool,
    },
    /// The gradients of a convolution with respect to its weight and its bias.
    ConvolutionWeightGradient {
        /// The images.
        input: View,
        /// Gradient of the output.
        output_gradient: View,
        /// out × in × size × size.
        weight_gradient: ArrayId,
        /// out.
        bias_gradient: ArrayId,
        /// Size, stride and padding.
        window: Window,
    },
    /// output = max(input, 0).
    Relu {
        /// The input.
        input: View,
        /// The output.
        output: View,
    },
    /// gradient = 0 where output is not positive: the gradient of ReLU, in place.
    ReluGradient {
        /// Output of the ReLU.
        output: View,
        /// Gradient of the output, replaced by the gradient of the input.
        gradient: View,
    },
    /// input_gradient (+)= gradient: hands a gradient on.
    Pass {
        /// Gradient of the output.
        gradient: View,
        /// Gradient of the input.
        input_gradient: View,
        /// The gradient is added to its array, not written over it.
        accumulate: bool,
    },
    /// output = input, between views.
    Copy {
        /// The input.
        input: View,
        /// The output.
        output: View,
    },
    /// The numbers of each image, channel by channel, as a vector.
    Flatten {
        /// The images.
        input: View,
        /// The vectors.
        output: View,
    },
    /// The gradient of `Flatten`.
    FlattenGradient {
        /// Gradient of the vectors.
        output_gradient: View,
        /// Gradient of the images.
        input_gradient: View,
        /// The gradient is added to its array, not written over it.
        accumulate: bool,
    },
    /// Max- or mean-pooling. Of equal maxima the first in row-major order wins.
    Pool {
        /// The images.
        input: View,
        /// The output.
        output: View,
        /// The place in the window of each maximum, kept for the gradient; `None` for means, and
        /// where no gradient follows.
        places: Option<ArrayId>,
        /// Maximum or mean.
        pool: Pool,
        /// Size, stride and padding.
        window: Window,
    },
    /// The gradient of `Pool`.
    PoolGradient {
        /// Gradient of the output.
        output_gradient: View,
        /// The places of the maxima.
        places: Option<ArrayId>,
        /// Gradient of the input.
        input_gradient: View,
        /// Maximum or mean.
        pool: Pool,
        /// Size, stride and padding.
        window: Window,
        /// The gradient is added to its array, not written over it.
        accumulate: bool,
    },
    /// The mean over all positions.
    GlobalMeanPool {
        /// The images.
        input: View,
        /// One number per channel.
        output: View,
    },
    /// The gradient of `GlobalMeanPool`.
    GlobalMeanPoolGradient {
        /// Gradient of the means.
        output_gradient: View,
        /// Gradient of the images.
        input_gradient: View,
        /// The gradient is added to its array, not written over it.
        accumulate: bool,
    },
    /// Batch normalization over rows and positions of each channel, then ReLU if asked for.
    /// In training with the batch's mean and variance, which are kept in `saved` for the gradient
    /// and blended into the running statistics; otherwise with the running ones.
    BatchNormalization {
        /// The input.
        input: View,
        /// The output.
        output: View,
        /// Scale, shift, running mean and running variance: one number per channel each.
        parameters: [ArrayId; 4],
        /// Mean and 1/√(variance + eps) of the batch, one number per channel each; training only.
        saved: Option<[ArrayId; 2]>,
        /// A ReLU follows.
        relu: bool,
    },
    /// The gradients of `BatchNormalization` in training (and of its ReLU).
    BatchNormalizationGradient {
        /// The input.
        input: View,
        /// The output, if it has a ReLU.
        output: Option<View>,
        /// Gradient of the output.
        output_gradient: View,
        /// Scale.
        scale: ArrayId,
        /// Mean and 1/√(variance + eps) of the batch.
        saved: [ArrayId; 2],
        /// Gradients of scale and shift.
        parameter_gradients: [ArrayId; 2],
        /// Gradient of the input.
        input_gradient: View,
        /// The gradient is added to its array, not written over it.
        accumulate: bool,
    },
    /// x / (k + alpha/size · Σ x²)^beta over channels c − ⌊size/2⌋ … c + ⌊(size−1)/2⌋.
    LocalResponseNormalization {
        /// The input.
        input: View,
        /// The output.
        output: View,
        /// k + alpha/size · Σ x² of each number, kept for the gradient.
        sums: ArrayId,
        /// Size, alpha, beta and k.
        constants: (usize, f64, f64, f64),
    },
    /// The gradient of `LocalResponseNormalization`.
    LocalResponseNormalizationGradient {
        /// The input.
        input: View,
        /// Gradient of the output.
        output_gradient: View,
        /// k + alpha/size · Σ x² of each number.
        sums: ArrayId,
        /// Gradient of the input.
        input_gradient: View,
        /// Size, alpha, beta and k.
        constants: (usize, f64, f64, f64),
        /// The gradient is added to its array, not written over it.
        accumulate: bool,
    },
    /// Zero with probability `rate`, divided by 1 − rate otherwise. Whether a number is dropped
    /// depends on seed, step, `layer` and its canonical place alone: word `place mod 4` of Philox
    /// with counter (⌊place/4⌋ mod 2^32, layer, step, 2 for dropout) and the seed as key is below
    /// rate · 2^32.
    Dropout {
        /// The input.
        input: View,
        /// The output.
        output: View,
        /// The probability.
        rate: f64,
        /// Index of this dropout in the network.
        layer: u32,
    },
    /// The gradient of `Dropout` of the same step.
    DropoutGradient {
        /// Gradient of the output.
        output_gradient: View,
        /// Gradient of the input.
        input_gradient: View,
        /// The probability.
        rate: f64,
        /// Index of this dropout in the network.
        layer: u32,
        /// The gradient is added to its array, not written over it.
        accumulate: bool,
    },
    /// Softmax cross-entropy: the loss of a sample is `−ln softmax(logits)[class]`; `gradient` is
    /// that of the mean over the rows. The largest logit, the first of equals, is the answer.
    CrossEntropy {
        /// rows × classes.
        logits: View,
        /// Gradient of the outputs, in training.
        gradient: Option<View>,
        /// The labels.
        labels: LabelArrays,
    },
    /// Squared loss: ½ Σ_k (output_k − target_k)² of a sample; targets are one-hot where labels
    /// are classes; `gradient` is that of the mean over the rows.
    SquaredLoss {
        /// rows × outputs.
        output: View,
        /// Gradient of the outputs, in training.
        gradient: Option<View>,
        /// The labels.
        labels: LabelArrays,
    },
    /// v = momentum · v + (g + decay · w); w = w − rate · v, for every triple; then step += 1.
    Update {
        /// (w, g, v): arrays of equal length.
        parameters: Vec<[ArrayId; 3]>,
        /// The factor of the velocity.
        momentum: f64,
        /// Weight decay.
        decay: f64,
    },
}

impl Operation {
    /// Returns the output of a ReLU if this is the gradient of a pool over it and `next` is the ReLU's own gradient,
    /// so that a device may compute both at once.
    #[must_use]
    pub fn relu_below_pool(&self, next: Option<&Operation>) -> Option<View> {
        match (self, next) {
            (
                Operation::PoolGradient { input_gradient, .. },
                Some(Operation::ReluGradient { output, gradient }),
            ) => (input_gradient == gradient).then_some(*output),
            _ => None,
        }
    }
}

/// The labels of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelArrays {
    /// Indices of the batch's samples.
    pub chosen: ArrayId,
    /// The class of each sample, or its real numbers (samples × outputs, as images of 1 × 1).
    pub labels: ArrayId,
    /// 1 for each sample whose label was changed, 0 for the others.
    pub changed: ArrayId,
}

/// Operations, done one after the other on the first `rows` samples of each array.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    /// Its name, for errors and for reading plans.
    pub name: String,
    /// Samples per run.
    pub rows: usize,
    /// The operations.
    pub operations: Vec<Operation>,
}

/// Arrays, and sequences of operations on them.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Networks side by side.
    pub replicas: usize,
    /// Samples that arrays of activations hold.
    pub batch: usize,
    /// The arrays.
    pub arrays: Vec<Array>,
    /// The sequences.
    pub sequences: Vec<Sequence>,
}

impl Plan {
    /// Returns the number of entries of one replica of an array. Saturates.
    #[must_use]
    pub fn len(&self, array: ArrayId) -> usize {
        match self.arrays[array.0].kind {
            ArrayKind::Activation(shape) => self.batch.saturating_mul(shape.len()),
            ArrayKind::Vector(len) | ArrayKind::Indices(len) => len,
            ArrayKind::Kernel { outputs, inputs, size } => {
                [inputs, size, size].into_iter().fold(outputs, usize::saturating_mul)
            }
            ArrayKind::Images { count, shape } => count.saturating_mul(shape.len()),
        }
    }
}
