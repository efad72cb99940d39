//! What a run leaves behind, and where its randomness comes from.

pub mod atomic;
pub mod manifest;
pub mod philox;
pub mod safetensors;
pub mod stream;
pub mod text;

pub use atomic::AtomicFile;
pub use manifest::Manifest;
