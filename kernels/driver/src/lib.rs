//! The CUDA driver, found at run time.
//!
//! `cust` calls functions of the driver as if they were linked in. This crate defines every one of
//! them and forwards it to `libcuda.so.1`, which is opened on the first call: so a program that
//! uses `cust` builds without a CUDA installation and starts on machines without a driver, where
//! [`open`] returns what is missing.
//!
//! `cust_raw` takes the driver's status for a closed enumeration of CUDA 11. A code that a newer
//! driver returns and that is not in it would be undefined behaviour: it becomes
//! `CUDA_ERROR_UNKNOWN`, and [`unknown_status`] remembers it.
#![allow(
    non_snake_case,
    unsafe_op_in_unsafe_fn,
    clippy::missing_safety_doc,
    clippy::too_many_arguments,
    improper_ctypes_definitions
)]

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};

use cust_raw::*;
use libloading::Library;

const NO_DEVICE: i32 = 100;
const NOT_SUPPORTED: i32 = 801;
const UNKNOWN: i32 = 999;

#[cfg(windows)]
const NAMES: &[&str] = &["nvcuda.dll"];
#[cfg(not(windows))]
const NAMES: &[&str] = &["libcuda.so.1", "libcuda.so"];

/// Error of opening the driver.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No library could be opened.
    #[error("no NVIDIA driver on this machine ({0})")]
    Missing(String),
    /// [`open_path`] was called after the driver was open.
    #[error("the driver is already open; open {0} before any other call")]
    Late(String),
}

static LIBRARY: OnceLock<Result<Library, OpenError>> = OnceLock::new();
static LAST_UNKNOWN: AtomicI32 = AtomicI32::new(0);

fn load<'a>(names: impl Iterator<Item = &'a std::ffi::OsStr>) -> Result<Library, OpenError> {
    let mut reasons = Vec::new();
    for name in names {
        // SAFETY: opening a library runs its initializers; these are NVIDIA's driver, or what the
        // caller of `open_path` vouches for.
        match unsafe { Library::new(name) } {
            Ok(library) => return Ok(library),
            Err(error) => reasons.push(error.to_string()),
        }
    }
    Err(OpenError::Missing(reasons.join("; ")))
}

fn library() -> Result<&'static Library, &'static OpenError> {
    LIBRARY.get_or_init(|| load(NAMES.iter().map(AsRef::as_ref))).as_ref()
}

/// Opens the driver, once.
///
/// # Errors
/// [`OpenError::Missing`], with what the operating system says of each name.
pub fn open() -> Result<(), OpenError> {
    library().map(drop).map_err(Clone::clone)
}

/// Opens this library instead of the driver. For tests; must come before every other call.
///
/// # Errors
/// [`OpenError`], if it cannot be opened or another one is open already.
pub fn open_path(path: &Path) -> Result<(), OpenError> {
    let mut first = false;
    let opened = LIBRARY.get_or_init(|| {
        first = true;
        load([path.as_os_str()].into_iter())
    });
    match opened {
        Err(error) => Err(error.clone()),
        Ok(_) if first => Ok(()),
        Ok(_) => Err(OpenError::Late(path.display().to_string())),
    }
}

/// Returns the last status that `cust_raw` does not know, if there was one.
#[must_use]
pub fn unknown_status() -> Option<i32> {
    Some(LAST_UNKNOWN.load(Ordering::Relaxed)).filter(|&status| status != 0)
}

/// The status, if `cust_raw` knows it.
fn known(status: i32) -> i32 {
    if KNOWN.binary_search(&status).is_ok() {
        return status;
    }
    LAST_UNKNOWN.store(status, Ordering::Relaxed);
    UNKNOWN
}

/// The address of a function of the driver; 0 if it has none of this name.
fn address(cell: &'static OnceLock<usize>, name: &'static str) -> usize {
    *cell.get_or_init(|| {
        // SAFETY: the symbol is only taken as an address here.
        let find = |library: &Library| unsafe {
            library.get::<*const ()>(name.as_bytes()).map(|symbol| *symbol as usize).ok()
        };
        library().ok().and_then(find).unwrap_or(0)
    })
}

macro_rules! forward {
    ($(fn $name:ident($($argument:ident: $type:ty),*);)*) => { $(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($argument: $type),*) -> i32 {
            static CELL: OnceLock<usize> = OnceLock::new();
            match address(&CELL, concat!(stringify!($name), "\0")) {
                0 if library().is_err() => NO_DEVICE,
                0 => NOT_SUPPORTED,
                // SAFETY: the driver's function of this name has this signature, by cust_raw's
                // declaration of it; a status is a 32-bit integer.
                found => known(std::mem::transmute::<usize, unsafe extern "C" fn($($type),*) -> i32>(
                    found,
                )($($argument),*)),
            }
        }
    )* };
}

include!("symbols.rs");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_that_are_not_known() {
        assert_eq!([0, 100, 719].map(known), [0, 100, 719]);
        assert_eq!(unknown_status(), None);
        assert_eq!(known(721), UNKNOWN);
        assert_eq!(unknown_status(), Some(721));
        assert_eq!(known(-1), UNKNOWN);
    }

    #[test]
    fn a_library_that_is_not_there() {
        let error = open_path(Path::new("/nowhere/libcuda.so.1")).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("no NVIDIA driver on this machine (") && text.contains("nowhere"));
        // SAFETY: with no library, no pointer is looked at.
        assert_eq!(unsafe { cuInit(0) }, NO_DEVICE);
        assert_eq!(open(), Err(error));
    }
}
