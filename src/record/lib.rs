//! What a run leaves behind.

pub mod atomic;
pub mod safetensors;
pub mod text;

pub use atomic::AtomicFile;
