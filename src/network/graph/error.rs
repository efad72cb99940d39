//! Why a graph could not be made of layers and arrays.

use crate::architecture::ArchitectureError;

/// Why a graph could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// Fewer arrays than the layers have.
    #[error("the layers have more arrays than there are")]
    ArraysMissing,
    /// A layer that is not evaluated.
    #[error("layer {layer} ({description}) {reason}")]
    Layer {
        /// Path of the layer, as `state_dict` counts: `3.1.0`.
        layer: String,
        /// The layer.
        description: String,
        /// What is wrong.
        reason: String,
    },
    /// Layers that do not go together.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
}
