//! Launches: a kernel, how many blocks of it, and what it is given.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr::from_ref;

use cust::module::Module;
use cust::stream::Stream;

use crate::device::DeviceError;

use super::arguments;
use super::error::failed;
use super::image_call::ImageCall;

/// The compiled families of kernels.
pub struct Kernels {
    modules: Vec<(&'static str, Module)>,
}

/// Name and PTX of every family.
const FAMILIES: [(&str, &str); 11] = [
    ("augment", include_str!("../../../kernels/ptx/augment.ptx")),
    ("convolution", include_str!("../../../kernels/ptx/convolution.ptx")),
    ("dropout", include_str!("../../../kernels/ptx/dropout.ptx")),
    ("elementwise", include_str!("../../../kernels/ptx/elementwise.ptx")),
    ("gather", include_str!("../../../kernels/ptx/gather.ptx")),
    ("loss", include_str!("../../../kernels/ptx/loss.ptx")),
    ("normalization", include_str!("../../../kernels/ptx/normalization.ptx")),
    ("pool", include_str!("../../../kernels/ptx/pool.ptx")),
    ("product", include_str!("../../../kernels/ptx/product.ptx")),
    ("response", include_str!("../../../kernels/ptx/response.ptx")),
    ("update", include_str!("../../../kernels/ptx/update.ptx")),
];

impl Kernels {
    /// Hands all PTX to the driver, which compiles it for the device.
    pub fn load() -> Result<Kernels, DeviceError> {
        let load = |(name, ptx): (&'static str, &str)| {
            let module = Module::from_ptx(ptx, &[]);
            Ok((name, module.map_err(failed(&format!("loading the kernels '{name}'")))?))
        };
        Ok(Kernels { modules: FAMILIES.into_iter().map(load).collect::<Result<_, _>>()? })
    }
}

/// A kernel with what it is given.
#[derive(Clone, Copy, Debug)]
pub enum Call {
    SetControl(arguments::Control),
    Select(arguments::Select),
    Gather(arguments::Gather),
    Relu(arguments::Elementwise),
    ReluGradient(arguments::Elementwise),
    Pass(arguments::Elementwise),
    Dropout(arguments::Dropout),
    Forward(arguments::Product),
    InputGradient(arguments::Product),
    WeightGradient(arguments::Product),
    Finish(arguments::Product),
    Loss(arguments::Loss),
    Update(arguments::Update),
    Image(ImageCall),
}

impl Call {
    /// Family and name of the kernel, and where its arguments are.
    fn parts(&self) -> (&'static str, &'static str, *const c_void) {
        match self {
            Call::SetControl(a) => ("elementwise", "set_control", from_ref(a).cast()),
            Call::Select(a) => ("gather", "select_batch", from_ref(a).cast()),
            Call::Gather(a) => ("gather", "gather_images", from_ref(a).cast()),
            Call::Relu(a) => ("elementwise", "relu", from_ref(a).cast()),
            Call::ReluGradient(a) => ("elementwise", "relu_gradient", from_ref(a).cast()),
            Call::Pass(a) => ("elementwise", "pass", from_ref(a).cast()),
            Call::Dropout(a) => ("dropout", "dropout", from_ref(a).cast()),
            Call::Forward(a) => ("product", "product_forward", from_ref(a).cast()),
            Call::InputGradient(a) => ("product", "product_input_gradient", from_ref(a).cast()),
            Call::WeightGradient(a) => ("product", "product_weight_gradient", from_ref(a).cast()),
            Call::Finish(a) => ("product", "product_finish", from_ref(a).cast()),
            Call::Loss(a) => ("loss", "loss_and_gradient", from_ref(a).cast()),
            Call::Update(a) => ("update", "update", from_ref(a).cast()),
            Call::Image(call) => call.parts(),
        }
    }
}

/// A kernel, what it is given, and how many blocks of how many threads.
#[derive(Clone, Copy, Debug)]
pub struct Launch {
    pub call: Call,
    pub grid: (u32, u32, u32),
    pub threads: u32,
}

impl Launch {
    /// Enqueues it.
    ///
    /// # Safety
    /// Every address in the arguments is of an array of at least the extent that the kernel's
    /// header names, which stays allocated until the stream is done.
    pub unsafe fn enqueue(&self, kernels: &Kernels, stream: &Stream) -> Result<(), DeviceError> {
        let (family, name, arguments) = self.call.parts();
        let module = kernels.modules.iter().find(|(of, _)| *of == family);
        let (_, module) = module.ok_or_else(|| DeviceError::Unsupported(name.to_owned()))?;
        let function = module.get_function(name).map_err(failed(name))?;
        // SAFETY: each kernel takes the one structure that `parts` pairs it with, whose layout
        // `arguments.rs` and the kernel assert; the driver copies it before it returns. The rest is
        // the caller's promise.
        let launched = unsafe {
            stream.launch(&function, self.grid, self.threads, 0, &[arguments.cast_mut()])
        };
        launched.map_err(failed(name))
    }
}
