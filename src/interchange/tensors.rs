//! Networks as safetensors: arrays, and texts beside them; and what types a file has.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::safetensors::{LONGEST, Tensor, header, parse};

use super::number::Numbers;
use super::{Array, InterchangeError};

/// The file.
pub fn file(arrays: &[Array], metadata: &[(String, String)]) -> Vec<u8> {
    let metadata: BTreeMap<&str, String> =
        metadata.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
    let tensor = |array: &'_ Array| -> (String, &'static str) {
        let dtype = match array.numbers {
            Numbers::Single(_) => "F32",
            Numbers::Double(_) => "F64",
        };
        (array.name.clone(), dtype)
    };
    let described: Vec<Tensor> = arrays
        .iter()
        .map(|array| {
            let (name, dtype) = tensor(array);
            Tensor { name, dtype, shape: &array.shape }
        })
        .collect();
    let mut bytes = header(&metadata, &described);
    arrays.iter().for_each(|array| bytes.extend(array.numbers.bytes()));
    bytes
}

/// The types of the tensors of a file that are floating-point numbers, each once.
///
/// # Errors
/// [`InterchangeError::Malformed`] if it is no whole file.
pub fn types(file: &[u8]) -> Result<Vec<String>, InterchangeError> {
    let broken = || InterchangeError::Malformed("it is no whole safetensors file".to_owned());
    let (length, rest) = file.split_first_chunk().ok_or_else(broken)?;
    let length = u64::from_le_bytes(*length);
    let length = usize::try_from(length).ok().filter(|_| length <= LONGEST).ok_or_else(broken)?;
    let (text, data) = rest.split_at_checked(length).ok_or_else(broken)?;
    let header = parse(text, data.len() as u64).map_err(InterchangeError::Malformed)?;
    // PyTorch counts batches in an integer beside each normalization.
    let floats = header.tensors.into_values().map(|tensor| tensor.dtype);
    let floats = floats.filter(|dtype| dtype.contains('F'));
    Ok(floats.collect::<BTreeSet<String>>().into_iter().collect())
}
