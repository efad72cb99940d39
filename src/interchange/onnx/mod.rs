//! ONNX: graphs of what is built and trained here, and of what others bring.

mod construction;
mod graph;
mod message;
mod operator;
mod read;
mod trained;
mod wire;

pub use read::network;
pub use trained::Raw;

use super::number::{Numbers, Precision, Rounded};
use super::{Converter, InterchangeError};
use crate::network::Network;
use crate::network::architecture::{Architecture, Parameter};

const LIMIT: InterchangeError = InterchangeError::FileTooLarge("the 2 GiB of protobuf");

/// An explicit network as an ONNX file, and what was rounded.
///
/// # Errors
/// [`InterchangeError::Rounds`] where numbers are rounded and `round` does not allow it; what does
/// not fit.
pub fn construction(
    network: &Network,
    precision: Precision,
    round: bool,
    description: &str,
    metadata: &[(String, String)],
) -> Result<(Vec<u8>, Rounded), InterchangeError> {
    let mut numbers = Converter::new(precision, round);
    let graph = construction::build(network, precision, &mut numbers)?;
    let rounded = numbers.finish()?;
    Ok((graph.finish(description, metadata).ok_or(LIMIT)?, rounded))
}

/// A trained network as an ONNX file.
///
/// # Errors
/// [`InterchangeError::Architecture`] where the layers do not fit; a file that would be too large.
pub fn trained(
    architecture: &Architecture,
    arrays: &[(Parameter, Numbers)],
    precision: Precision,
    raw: Option<Raw>,
    description: &str,
    metadata: &[(String, String)],
) -> Result<Vec<u8>, InterchangeError> {
    let graph = trained::build(architecture, arrays, precision, raw)?;
    graph.finish(description, metadata).ok_or(LIMIT)
}
