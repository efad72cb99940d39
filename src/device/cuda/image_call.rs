//! The kernels of images, each with what it is given.

use std::ffi::c_void;
use std::ptr::from_ref;

use super::image_arguments as arguments;

/// A kernel of images.
#[derive(Clone, Copy, Debug)]
pub enum ImageCall {
    Augment(arguments::Augment),
    Pool(&'static str, arguments::Pool),
    Response(&'static str, arguments::Response),
    Normalization(&'static str, arguments::Normalization),
    Convolution(&'static str, arguments::Convolution),
}

impl ImageCall {
    /// Family and name of the kernel, and where its arguments are.
    pub fn parts(&self) -> (&'static str, &'static str, *const c_void) {
        match self {
            ImageCall::Augment(a) => ("augment", "gather_augmented", from_ref(a).cast()),
            ImageCall::Pool(name, a) => ("pool", name, from_ref(a).cast()),
            ImageCall::Response(name, a) => ("response", name, from_ref(a).cast()),
            ImageCall::Normalization(name, a) => ("normalization", name, from_ref(a).cast()),
            ImageCall::Convolution(name, a) => ("convolution", name, from_ref(a).cast()),
        }
    }
}
