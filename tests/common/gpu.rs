//! The GPU of the tests: the emulator's.
#![allow(dead_code)] // no test takes both

use std::sync::OnceLock;

use shatter::device::Arithmetic;
use shatter::device::cuda::Cuda;

use super::emulator;

/// A GPU, with the emulator's driver behind it; none where there is no emulator. Every thread has
/// one of its own.
pub fn gpu() -> Option<Cuda> {
    gpu_with(Arithmetic::Own)
}

/// The same, with products in this arithmetic.
pub fn gpu_with(arithmetic: Arithmetic) -> Option<Cuda> {
    static OPENED: OnceLock<bool> = OnceLock::new();
    let opened = *OPENED.get_or_init(|| {
        emulator::folder().is_some_and(|folder| {
            shatter_cuda_driver::open_path(&folder.join("libcuda.so.1")).expect("the emulator");
            true
        })
    });
    opened.then(|| Cuda::with(arithmetic).expect("the emulator's device"))
}
