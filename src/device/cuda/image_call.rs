//! The kernels of images, each with what it is given.

use std::ffi::c_void;
use std::ptr::from_ref;

use crate::Arithmetic;

use super::image_arguments as arguments;
use super::launch::Direction;

/// Rows of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Height {
    Of32,
    Of48,
    Of64,
    Of80,
}

impl Height {
    pub const ALL: [Height; 4] = [Height::Of32, Height::Of48, Height::Of64, Height::Of80];

    pub fn rows(self) -> usize {
        match self {
            Height::Of32 => 32,
            Height::Of48 => 48,
            Height::Of64 => 64,
            Height::Of80 => 80,
        }
    }
}

/// A kernel of images.
#[derive(Clone, Copy, Debug)]
pub enum ImageCall {
    Augment(arguments::Augment),
    Pool(&'static str, arguments::Pool),
    Response(&'static str, arguments::Response),
    Normalization(&'static str, arguments::Normalization),
    /// A product of a convolution, in tiles of this height.
    Convolution(Direction, Arithmetic, Height, arguments::Convolution),
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
            ImageCall::Convolution(direction, arithmetic, height, a) => {
                let (family, name) = convolution(*direction, *arithmetic, *height);
                (family, name, from_ref(a).cast())
            }
            ImageCall::ConvolutionFinish(weight, a) => {
                let name = if *weight { "convolution_weight_finish" } else { "convolution_finish" };
                ("convolution", name, from_ref(a).cast())
            }
        }
    }
}

/// The names of a kernel of convolutions, by height, in binary32, with TF32 and with BF16.
macro_rules! names {
    ($direction:literal) => {
        [
            names!($direction, "_32"),
            names!($direction, "_48"),
            names!($direction, "_64"),
            names!($direction, "_80"),
        ]
    };
    ($direction:literal, $rows:literal) => {
        [
            concat!("convolution_", $direction, $rows),
            concat!("convolution_", $direction, $rows, "_tf32"),
            concat!("convolution_", $direction, $rows, "_bf16"),
        ]
    };
}

/// Family and name of the kernel of a convolution.
fn convolution(
    direction: Direction,
    arithmetic: Arithmetic,
    height: Height,
) -> (&'static str, &'static str) {
    let names = match direction {
        Direction::Forward => names!("forward"),
        Direction::InputGradient => names!("input_gradient"),
        Direction::WeightGradient => names!("weight_gradient"),
    };
    let [own, tf32, bf16] = names[height as usize];
    match arithmetic {
        Arithmetic::Own => ("convolution", own),
        Arithmetic::Tf32 => ("tensor_convolution", tf32),
        Arithmetic::Bf16 => ("tensor_convolution", bf16),
    }
}
