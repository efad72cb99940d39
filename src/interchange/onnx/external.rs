//! Numbers that lie in files beside the network's own.
//!
//! A tensor names a file, and where its numbers lie there. The file must be in the folder of the network, or in a
//! folder of that: no way leads out, by `..`, from the root, or through a link. Files are read whole and once, so
//! that what is read is what the digest is of.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use crate::InterchangeError;

use super::wire::{self, Tensor, malformed, model};

/// Files that a network may name, and bytes that they may have together.
const MOST_FILES: usize = 1 << 10;
const MOST_BYTES: u64 = 1 << 32;

type Result<T> = std::result::Result<T, InterchangeError>;

/// The files that hold numbers of a network, by their names in it.
#[derive(Clone, Debug, Default)]
pub struct External {
    files: BTreeMap<String, Vec<u8>>,
}

impl External {
    /// Reads the files that the tensors of an ONNX file name, in the folder where that lies.
    ///
    /// # Errors
    /// [`InterchangeError::Malformed`] for a file that is not one, and for a way that leads out of the folder;
    /// [`InterchangeError::Io`].
    pub fn read(bytes: &[u8], folder: &Path) -> Result<External> {
        let mut files = BTreeMap::new();
        let mut left = MOST_BYTES;
        for bytes in model(bytes)?.initializers {
            let tensor = wire::tensor(bytes)?;
            let location = tensor.external.location;
            if !tensor.outside || files.contains_key(location) {
                continue;
            }
            if files.len() >= MOST_FILES {
                return malformed(format!("its numbers lie in more than {MOST_FILES} files"));
            }
            let path = inside(folder, location)?;
            let mut numbers = Vec::new();
            let file = File::open(path)?;
            let taken = file.take(left.saturating_add(1)).read_to_end(&mut numbers)? as u64;
            let Some(rest) = left.checked_sub(taken) else {
                return malformed(format!("its numbers take more than {MOST_BYTES} bytes"));
            };
            left = rest;
            files.insert(location.to_owned(), numbers);
        }
        Ok(External { files })
    }

    /// The files, in the order of their names.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    /// Returns the bytes of all files.
    pub fn size(&self) -> usize {
        self.files.values().fold(0, |sum, bytes| sum.saturating_add(bytes.len()))
    }

    /// The bytes of a tensor, which must be this many.
    pub(super) fn numbers(&self, tensor: &Tensor, wanted: Option<usize>) -> Result<&[u8]> {
        let (name, location) = (tensor.name, tensor.external.location);
        let Some(file) = self.files.get(location) else {
            return malformed(format!(
                "the numbers of tensor '{name}' lie in '{location}', beside the network: read it from its folder, or \
                 export the network as one file"
            ));
        };
        let offset = usize::try_from(tensor.external.offset.unwrap_or(0)).ok();
        let rest = offset.and_then(|offset| file.get(offset..));
        let length = match tensor.external.length {
            Some(length) => usize::try_from(length).ok(),
            None => rest.map(<[u8]>::len),
        };
        match (rest, length) {
            (Some(rest), Some(length)) if wanted == Some(length) && length <= rest.len() => {
                Ok(&rest[..length])
            }
            _ => malformed(format!(
                "tensor '{name}' of shape {:?} has {} bytes of numbers at {} in '{location}', which has {}",
                tensor.dims,
                tensor.external.length.map_or("no stated".to_owned(), |length| length.to_string()),
                tensor.external.offset.unwrap_or(0),
                file.len()
            )),
        }
    }
}

/// The file of this name in a folder, if it is one and the way to it leads through folders alone.
fn inside(folder: &Path, location: &str) -> Result<PathBuf> {
    let refused = |reason: &str| malformed(format!("the file of numbers '{location}' {reason}"));
    let mut path = folder.to_path_buf();
    let mut named = false;
    for component in Path::new(location).components() {
        match component {
            Component::Normal(part) => {
                path.push(part);
                named = true;
            }
            Component::CurDir => continue,
            _ => return refused("is not in the folder of the network"),
        }
        let is_link = fs::symlink_metadata(&path).map(|found| found.file_type().is_symlink());
        match is_link {
            Ok(false) => {}
            Ok(true) => return refused("is a link, which is not followed"),
            Err(error) => return refused(&format!("cannot be read: {error}")),
        }
    }
    match fs::symlink_metadata(&path) {
        Ok(found) if named && found.is_file() => Ok(path),
        _ => refused("is not a file"),
    }
}
