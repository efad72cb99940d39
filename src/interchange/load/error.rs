//! Why a file could not be loaded.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::InterchangeError;
use shatter_check::Rejection;
use shatter_network::architecture::ArchitectureError;
use shatter_network::graph::GraphError;
use shatter_train::CheckpointError;

/// What a file of plain arrays may leave open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsaid {
    /// The layers.
    Layers,
    /// How many numbers come out.
    Outputs,
    /// The shape of what goes in.
    Input,
}

impl fmt::Display for Unsaid {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Unsaid::Layers => "its layers",
            Unsaid::Outputs => "how many outputs it has",
            Unsaid::Input => "the shape of what goes in",
        })
    }
}

/// Why a file could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The operating system refused.
    #[error("{file}: {source}", file = .file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder, or something else that is not a file.
    #[error("{file} is {what}, not a file", file = .file.display())]
    NotAFile {
        /// The path.
        file: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A file that is larger than any that is read.
    #[error("{file} has {bytes} bytes, and at most {most} are read", file = .file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// Its size.
        bytes: u64,
        /// The limit.
        most: u64,
    },
    /// A file of no kind that is read.
    #[error("{file} is not a network: {reason}", file = .file.display())]
    Unknown {
        /// The file.
        file: PathBuf,
        /// What it seems to be, and what would be read.
        reason: String,
    },
    /// A network file or a certificate that is wrong.
    #[error("{file}: {source}", file = .file.display())]
    Text {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: Box<Rejection>,
    },
    /// A checkpoint that is wrong.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Any other file that is wrong.
    #[error("{file}: {source}", file = .file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: Box<InterchangeError>,
    },
    /// Layers in words that do not go together.
    #[error("{file}: {source}", file = .file.display())]
    Architecture {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: ArchitectureError,
    },
    /// Arrays without layers, or layers without a shape of what goes in.
    #[error("{file} does not say {missing}", file = .file.display())]
    Unsaid {
        /// The file.
        file: PathBuf,
        /// What has to be given.
        missing: Unsaid,
    },
    /// Layers in words for a file that has its own.
    #[error("{file} ({kind}) says its layers itself: layers in words are for plain arrays under PyTorch's names", file = .file.display())]
    Said {
        /// The file.
        file: PathBuf,
        /// Its kind.
        kind: &'static str,
    },
    /// An array of the layers is not there.
    #[error(
        "{file} is a checkpoint of another architecture: it has no tensor '{array}' of shape \
         {wanted:?}", file = .file.display()
    )]
    Missing {
        /// The file.
        file: PathBuf,
        /// The array.
        array: String,
        /// Its shape in the network.
        wanted: Vec<usize>,
    },
    /// An array of another shape than the layers have.
    #[error(
        "{file} is a checkpoint of another architecture: its tensor '{array}' is of shape {found:?}, \
         the network's is of shape {wanted:?}", file = .file.display()
    )]
    Shape {
        /// The file.
        file: PathBuf,
        /// The array.
        array: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// Its shape in the network.
        wanted: Vec<usize>,
    },
    /// An array that the layers do not have.
    #[error(
        "{file} is a checkpoint of another architecture: the network has no tensor '{array}' (of \
         shape {found:?})", file = .file.display()
    )]
    Excess {
        /// The file.
        file: PathBuf,
        /// The array.
        array: String,
        /// Its shape in the file.
        found: Vec<usize>,
    },
    /// Layers that are not those of an architecture that is to take their weights.
    #[error("{file} has other layers than {wanted}: {reason}", file = .file.display())]
    Layers {
        /// The file.
        file: PathBuf,
        /// The architecture.
        wanted: String,
        /// Where they differ.
        reason: String,
    },
    /// A network that makes no graph.
    #[error("{file}: {source}", file = .file.display())]
    Graph {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: GraphError,
    },
}
