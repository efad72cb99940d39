//! Networks as NPZ: a zip archive of NPY files, one an array, and `metadata.json`.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::number::Numbers;
use super::{Array, InterchangeError};

/// The file. Equal networks are equal bytes: the archive holds no times.
///
/// # Errors
/// Those of the archive.
pub fn file(arrays: &[Array], metadata: &[(String, String)]) -> Result<Vec<u8>, InterchangeError> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default())
        .large_file(true);
    let refuse = |error: zip::result::ZipError| InterchangeError::Io(std::io::Error::other(error));
    for array in arrays {
        archive.start_file(format!("{}.npy", array.name), options).map_err(refuse)?;
        archive.write_all(&npy_header(array))?;
        archive.write_all(&array.numbers.bytes())?;
    }
    archive.start_file("metadata.json", options).map_err(refuse)?;
    archive.write_all(super::json::metadata(metadata).to_string().as_bytes())?;
    Ok(archive.finish().map_err(refuse)?.into_inner())
}

/// Magic, version 1.0, length of the header, and a Python dictionary, padded to 64 bytes.
fn npy_header(array: &Array) -> Vec<u8> {
    let kind = match array.numbers {
        Numbers::Single(_) => "<f4",
        Numbers::Double(_) => "<f8",
    };
    let sides: Vec<String> = array.shape.iter().map(|side| format!("{side},")).collect();
    let dictionary =
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({}), }}", sides.join(" "));
    let mut text = dictionary.into_bytes();
    let length = (text.len() + 11).next_multiple_of(64) - 10;
    text.resize(length - 1, b' ');
    text.push(b'\n');
    [b"\x93NUMPY\x01\x00".as_slice(), &(length as u16).to_le_bytes(), &text].concat()
}
