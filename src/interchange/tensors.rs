//! Networks as safetensors: arrays, and texts beside them.

use std::collections::BTreeMap;

use crate::train::safetensors::{Tensor, header};

use super::Array;
use super::number::Precision;

/// The file.
pub fn file(arrays: &[Array], metadata: &[(String, String)]) -> Vec<u8> {
    let metadata: BTreeMap<&str, String> =
        metadata.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
    let tensor = |array: &'_ Array| -> (String, &'static str) {
        let dtype = match array.numbers.precision() {
            Precision::Single => "F32",
            Precision::Double => "F64",
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
