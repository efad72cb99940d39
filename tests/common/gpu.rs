//! The GPU of the tests: the emulator's, or with `REQUIRE_GPU` the machine's own.
#![allow(dead_code)] // each test file uses a part

use std::sync::OnceLock;

use shatter_device::Arithmetic;
use shatter_device::cuda::Cuda;

use super::emulator;

/// Whether there is a GPU to test with, and its driver is open.
pub fn open() -> bool {
    static OPENED: OnceLock<()> = OnceLock::new();
    if emulator::gpu_required() {
        return true;
    }
    // Asked by each test, so that each says that it is skipped.
    let Some(folder) = emulator::folder() else { return false };
    OPENED.get_or_init(|| {
        shatter_cuda_driver::open_path(&folder.join("libcuda.so.1")).expect("the emulator");
    });
    true
}

/// A GPU, with the emulator's driver behind it; none where there is no emulator. Every thread has
/// one of its own. Where `REQUIRE_GPU` is set, it is a real one or the test fails.
pub fn gpu() -> Option<Cuda> {
    gpu_with(Arithmetic::Own)
}

/// The same, with products in this arithmetic.
pub fn gpu_with(arithmetic: Arithmetic) -> Option<Cuda> {
    open().then(|| Cuda::with(arithmetic).expect("a GPU"))
}
