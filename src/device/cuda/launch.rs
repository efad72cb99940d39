//! Launches: a kernel, how many blocks of it, and what it is given.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr::from_ref;

use cust::function::FunctionAttribute;
use cust::module::Module;
use cust::stream::Stream;

use crate::{Arithmetic, DeviceError};

use super::arguments;
use super::error::failed;
use super::image_call::ImageCall;

/// The compiled families of kernels.
pub struct Kernels {
    modules: Vec<(&'static str, Module)>,
}

/// Name and PTX of every family that all devices take.
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

/// The families on tensor cores.
const TENSOR: [(&str, &str); 2] = [
    ("tensor_convolution", include_str!("../../../kernels/ptx/tensor_convolution.ptx")),
    ("tensor_product", include_str!("../../../kernels/ptx/tensor_product.ptx")),
];

impl Kernels {
    /// Hands the PTX that `arithmetic` needs to the driver, which compiles it for the device.
    pub fn load(arithmetic: Arithmetic) -> Result<Kernels, DeviceError> {
        let load = |(name, ptx): (&'static str, &str)| {
            let action = format!("loading the kernels '{name}'");
            let module = Module::from_ptx(ptx, &[]).map_err(failed(&action))?;
            // A driver may put off loading a kernel until it is used, which may be in a sequence
            // that is being captured; asking for its registers makes it load now.
            for entry in ptx.split(".entry ").skip(1) {
                let kernel = entry.split('(').next().unwrap_or(entry);
                let function = module.get_function(kernel).map_err(failed(&action))?;
                function.get_attribute(FunctionAttribute::NumRegisters).map_err(failed(&action))?;
            }
            Ok((name, module))
        };
        let tensor = TENSOR.into_iter().filter(|_| arithmetic != Arithmetic::Own);
        let modules = FAMILIES.into_iter().chain(tensor).map(load).collect::<Result<_, _>>()?;
        Ok(Kernels { modules })
    }
}

/// A product of a dense layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    InputGradient,
    WeightGradient,
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
    Product(Direction, Arithmetic, arguments::Product),
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
            Call::Product(direction, arithmetic, a) => {
                let (family, name) = product(*direction, *arithmetic);
                (family, name, from_ref(a).cast())
            }
            Call::Finish(a) => ("product", "product_finish", from_ref(a).cast()),
            Call::Loss(a) => ("loss", "loss_and_gradient", from_ref(a).cast()),
            Call::Update(a) => ("update", "update", from_ref(a).cast()),
            Call::Image(call) => call.parts(),
        }
    }
}

/// Family and name of the kernel of a product.
fn product(direction: Direction, arithmetic: Arithmetic) -> (&'static str, &'static str) {
    let names = match direction {
        Direction::Forward => ["product_forward", "product_forward_tf32", "product_forward_bf16"],
        Direction::InputGradient => {
            ["product_input_gradient", "product_input_gradient_tf32", "product_input_gradient_bf16"]
        }
        Direction::WeightGradient => [
            "product_weight_gradient",
            "product_weight_gradient_tf32",
            "product_weight_gradient_bf16",
        ],
    };
    match arithmetic {
        Arithmetic::Own => ("product", names[0]),
        Arithmetic::Tf32 => ("tensor_product", names[1]),
        Arithmetic::Bf16 => ("tensor_product", names[2]),
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
        let missing = || DeviceError::Unsupported(format!("the kernel '{name}'"));
        let (_, module) = module.ok_or_else(missing)?;
        let refused = |error| failed(&format!("running the kernel '{name}'"))(error);
        let function = module.get_function(name).map_err(refused)?;
        // SAFETY: each kernel takes the one structure that `parts` pairs it with, whose layout
        // `arguments.rs` and the kernel assert; the driver copies it before it returns. The rest is
        // the caller's promise.
        let launched = unsafe {
            stream.launch(&function, self.grid, self.threads, 0, &[arguments.cast_mut()])
        };
        launched.map_err(refused)
    }
}
