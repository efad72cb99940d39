//! The kernels of images, each with what it is given.

use std::ffi::c_void;
use std::ptr::from_ref;

use crate::device::Arithmetic;

use super::image_arguments as arguments;
use super::launch::Direction;

/// A kernel of images.
#[derive(Clone, Copy, Debug)]
pub enum ImageCall {
    Augment(arguments::Augment),
    Pool(&'static str, arguments::Pool),
    Response(&'static str, arguments::Response),
    Normalization(&'static str, arguments::Normalization),
    /// A product of a convolution, in tiles of 32 × 128 (and not of 64 × 64) or not.
    Convolution(Direction, Arithmetic, bool, arguments::Convolution),
    /// The sum of its parts; whether they are of a weight.
    ConvolutionFinish(bool, arguments::Convolution),
}

impl ImageCall {
    /// Family and name of the kernel, and where its arguments are.
    pub fn parts(&self) -> (&'static str, &'static str, *const c_void) {
        match self {
            ImageCall::Augment(a) => ("augment", "gather_augmented", from_ref(a).cast()),
            ImageCall::Pool(name, a) => ("pool", name, from_ref(a).cast()),
            ImageCall::Response(name, a) => ("response", name, from_ref(a).cast()),
            ImageCall::Normalization(name, a) => ("normalization", name, from_ref(a).cast()),
            ImageCall::Convolution(direction, arithmetic, low, a) => {
                let (family, name) = convolution(*direction, *arithmetic, *low);
                (family, name, from_ref(a).cast())
            }
            ImageCall::ConvolutionFinish(weight, a) => {
                let name = if *weight { "convolution_weight_finish" } else { "convolution_finish" };
                ("convolution", name, from_ref(a).cast())
            }
        }
    }
}

/// Family and name of the kernel of a convolution.
fn convolution(
    direction: Direction,
    arithmetic: Arithmetic,
    low: bool,
) -> (&'static str, &'static str) {
    let name = match (direction, arithmetic, low) {
        (Direction::Forward, Arithmetic::Own, false) => "convolution_forward",
        (Direction::Forward, Arithmetic::Own, true) => "convolution_forward_low",
        (Direction::Forward, Arithmetic::Tf32, false) => "convolution_forward_tf32",
        (Direction::Forward, Arithmetic::Tf32, true) => "convolution_forward_low_tf32",
        (Direction::Forward, Arithmetic::Bf16, false) => "convolution_forward_bf16",
        (Direction::Forward, Arithmetic::Bf16, true) => "convolution_forward_low_bf16",
        (Direction::InputGradient, Arithmetic::Own, false) => "convolution_input_gradient",
        (Direction::InputGradient, Arithmetic::Own, true) => "convolution_input_gradient_low",
        (Direction::InputGradient, Arithmetic::Tf32, false) => "convolution_input_gradient_tf32",
        (Direction::InputGradient, Arithmetic::Tf32, true) => "convolution_input_gradient_low_tf32",
        (Direction::InputGradient, Arithmetic::Bf16, false) => "convolution_input_gradient_bf16",
        (Direction::InputGradient, Arithmetic::Bf16, true) => "convolution_input_gradient_low_bf16",
        (Direction::WeightGradient, Arithmetic::Own, false) => "convolution_weight_gradient",
        (Direction::WeightGradient, Arithmetic::Own, true) => "convolution_weight_gradient_low",
        (Direction::WeightGradient, Arithmetic::Tf32, false) => "convolution_weight_gradient_tf32",
        (Direction::WeightGradient, Arithmetic::Tf32, true) => {
            "convolution_weight_gradient_low_tf32"
        }
        (Direction::WeightGradient, Arithmetic::Bf16, false) => "convolution_weight_gradient_bf16",
        (Direction::WeightGradient, Arithmetic::Bf16, true) => {
            "convolution_weight_gradient_low_bf16"
        }
    };
    (if arithmetic == Arithmetic::Own { "convolution" } else { "tensor_convolution" }, name)
}
