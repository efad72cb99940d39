//! Networks as NPZ: a zip archive of NPY files, one an array, and `metadata.json`.

use std::io::{Cursor, Read, Write};
use std::path::PathBuf;

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use shatter_exact::Format;
use shatter_record::safetensors::Texts;
use shatter_sample::array::{self, Data};
use shatter_sample::files::Source;

use super::array::{Arrays, StoredArray, StoredNumbers};
use super::number::Floats;
use super::{InterchangeError, NamedArray};

/// The member that holds texts.
const METADATA: &str = "metadata.json";
/// Bytes that an archive may unpack to: so many for each of its own, at least, and at most.
const EXPANSION: u64 = 100;
const ALWAYS: u64 = 1 << 26;
const NEVER: u64 = 1 << 31;
/// Bytes that its texts may have beyond its own, and the longest name of an array.
const MORE_TEXTS: u64 = 1 << 20;
const LONGEST_NAME: usize = 1024;

/// The file. Equal networks are equal bytes: the archive holds no times.
///
/// # Errors
/// Those of the archive.
pub fn file(
    arrays: &[NamedArray],
    metadata: &[(String, String)],
) -> Result<Vec<u8>, InterchangeError> {
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
    archive.start_file(METADATA, options).map_err(refuse)?;
    archive.write_all(super::json::metadata(metadata).to_string().as_bytes())?;
    Ok(archive.finish().map_err(refuse)?.into_inner())
}

/// Magic, version 1.0, length of the header, and a Python dictionary, padded to 64 bytes.
fn npy_header(array: &NamedArray) -> Vec<u8> {
    let kind = match array.numbers {
        Floats::Single(_) => "<f4",
        Floats::Double(_) => "<f8",
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

/// Reads an archive: every NPY member is an array, in the order of its header; `metadata.json`, if it is
/// there, holds texts. What it unpacks to is bounded.
///
/// # Errors
/// [`InterchangeError::Malformed`] for what is no such archive, [`InterchangeError::Sample`] for a member that
/// is no array, [`InterchangeError::Array`], [`InterchangeError::Entry`].
pub fn read(file: &[u8]) -> Result<Arrays, InterchangeError> {
    let malformed = |reason: String| InterchangeError::Malformed(reason);
    let refuse = |error: ZipError| malformed(format!("it is not an NPZ (zip) archive: {error}"));
    let mut archive = ZipArchive::new(Cursor::new(file)).map_err(refuse)?;
    if archive.file_names().flatten().any(|name| name.ends_with("data.pkl")) {
        return Err(malformed(
            "it is a file of torch.save, which only PyTorch reads: save the state_dict with \
             safetensors.torch.save_file"
                .to_owned(),
        ));
    }
    if members(file, archive.central_directory_start()) != archive.len() {
        return Err(malformed("two of its members have the same name".to_owned()));
    }
    let mut left = (file.len() as u64).saturating_mul(EXPANSION).clamp(ALWAYS, NEVER);
    let mut arrays = Arrays::default();
    for index in 0..archive.len() {
        let named = archive.name_for_index(index).unwrap_or(Err(ZipError::FileNotFound));
        let name = named.map_err(refuse)?.into_owned();
        let mut member = archive.by_index(index).map_err(refuse)?;
        if name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            let most = format!("names have at most {LONGEST_NAME} bytes and no control characters");
            return Err(malformed(most));
        }
        if name == METADATA {
            let mut text = Vec::new();
            let most = MORE_TEXTS + file.len() as u64;
            member.by_ref().take(most + 1).read_to_end(&mut text)?;
            if text.len() as u64 > most {
                return Err(malformed(format!("its {METADATA} unpacks to more than {most} bytes")));
            }
            let texts: Texts = serde_json::from_slice(&text)
                .map_err(|error| malformed(format!("its {METADATA} cannot be read: {error}")))?;
            arrays.metadata = texts.0;
            continue;
        }
        let Some(array) = name.strip_suffix(".npy") else {
            return Err(malformed(format!("its member '{name}' is not an array (.npy)")));
        };
        let read = array::read(&mut Source::member(PathBuf::from(&name), member, left))?;
        let (values, bytes) = match read.data {
            Data::F32(values) => {
                let bytes = 4 * values.len() as u64;
                let wide = values.into_iter().map(f64::from).collect();
                (StoredNumbers::floats(array, Format::F32, wide)?, bytes)
            }
            Data::F64(values) => {
                let bytes = 8 * values.len() as u64;
                (StoredNumbers::floats(array, Format::F64, values)?, bytes)
            }
            Data::U8(values) => (StoredNumbers::Whole, values.len() as u64),
            Data::I64(values) => (StoredNumbers::Whole, 8 * values.len() as u64),
        };
        left = left.saturating_sub(bytes);
        let entry = StoredArray { shape: read.shape, values };
        if arrays.entries.insert(array.to_owned(), entry).is_some() {
            return Err(malformed(format!("it has two arrays '{array}'")));
        }
    }
    Ok(arrays)
}

/// Entries of the directory that begins at this byte, of which the archive keeps one of each name.
fn members(file: &[u8], begin: u64) -> usize {
    const SIGNATURE: &[u8] = b"PK\x01\x02";
    const FIXED: usize = 46;
    let mut rest =
        usize::try_from(begin).ok().and_then(|begin| file.get(begin..)).unwrap_or_default();
    let mut count = 0;
    while let Some(entry) = rest.get(..FIXED).filter(|entry| entry.starts_with(SIGNATURE)) {
        // Lengths of name, extra field and comment, which follow.
        let length = |at: usize| usize::from(u16::from_le_bytes([entry[at], entry[at + 1]]));
        let length = FIXED + length(28) + length(30) + length(32);
        rest = rest.get(length..).unwrap_or_default();
        count += 1;
    }
    count
}
