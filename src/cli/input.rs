//! Opening the files that commands are given.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::certify::read;
use crate::train::{Checkpoint, CheckpointError, TrainError};

use super::CliError;

/// Opens a file; a folder is refused.
pub fn open(path: &Path) -> Result<BufReader<File>, CliError> {
    let file = File::open(path).map_err(CliError::at(path))?;
    if file.metadata().map_err(CliError::at(path))?.is_dir() {
        return Err(CliError::Usage(format!("{} is a folder, not a file", path.display())));
    }
    Ok(BufReader::with_capacity(1 << 16, file))
}

/// Opens and reads a network file or a certificate.
pub fn network(path: &Path) -> Result<read::File, CliError> {
    read::read(open(path)?)
        .map_err(|source| CliError::Network { file: path.to_owned(), source: Box::new(source) })
}

/// Whether the name says that it is a checkpoint.
pub fn is_safetensors(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "safetensors")
}

/// A checkpoint, in the numbers that it holds.
pub enum AnyCheckpoint {
    Single(Checkpoint<f32>),
    Double(Checkpoint<f64>),
}

/// Reads a checkpoint.
pub fn checkpoint(path: &Path) -> Result<AnyCheckpoint, CliError> {
    match Checkpoint::load(path) {
        Ok(checkpoint) => Ok(AnyCheckpoint::Single(checkpoint)),
        Err(CheckpointError::Type { found, .. }) if found == "F64" => {
            Ok(AnyCheckpoint::Double(Checkpoint::load(path).map_err(TrainError::from)?))
        }
        Err(error) => Err(TrainError::from(error).into()),
    }
}
