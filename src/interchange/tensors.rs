//! Networks as safetensors: arrays, and texts beside them, written and read.

use std::collections::BTreeMap;

use shatter_exact::Format;
use shatter_record::safetensors::{LONGEST, Tensor, header, parse};

use super::array::{Arrays, MOST_READ, StoredArray, StoredNumbers};
use super::number::Floats;
use super::{InterchangeError, NamedArray};

/// The file.
pub fn file(arrays: &[NamedArray], metadata: &[(String, String)]) -> Vec<u8> {
    let metadata: BTreeMap<&str, String> =
        metadata.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
    let tensor = |array: &'_ NamedArray| -> (String, &'static str) {
        let dtype = match array.numbers {
            Floats::Single(_) => "F32",
            Floats::Double(_) => "F64",
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

/// Reads a file: numbers of types F64, F32, F16 and BF16, widened exactly.
///
/// ```
/// use shatter_exact::Format;
/// use shatter_interchange::{NamedArray, Floats, array::StoredNumbers, tensors};
/// let numbers = Floats::Single(vec![0.5, -2.0]);
/// let array = NamedArray { name: "w".to_owned(), shape: vec![2], numbers };
/// let read = tensors::read(&tensors::file(&[array], &[]))?;
/// assert_eq!(read.entries["w"].values, StoredNumbers::Floats(Format::F32, vec![0.5, -2.0]));
/// # Ok::<(), shatter_interchange::InterchangeError>(())
/// ```
///
/// # Errors
/// [`InterchangeError::Malformed`] if it is no whole file, [`InterchangeError::Array`] and
/// [`InterchangeError::Entry`] for numbers that cannot be used.
pub fn read(file: &[u8]) -> Result<Arrays, InterchangeError> {
    let broken = |reason: String| {
        InterchangeError::Malformed(format!("it is not a complete safetensors file: {reason}"))
    };
    let (length, rest) =
        file.split_first_chunk().ok_or_else(|| broken(format!("it has {} bytes", file.len())))?;
    let length = u64::from_le_bytes(*length);
    let parts = usize::try_from(length).ok().filter(|_| length <= LONGEST);
    let (text, data) = parts.and_then(|length| rest.split_at_checked(length)).ok_or_else(|| {
        broken(format!("its header would have {length} bytes, but {} follow", rest.len()))
    })?;
    let header = parse(text, data.len() as u64).map_err(broken)?;
    let mut left = MOST_READ;
    let mut entries = BTreeMap::new();
    for (name, tensor) in header.tensors {
        // `parse` has seen that all of them lie in the data.
        let (begin, end) = tensor.data_offsets;
        let bytes = data.get(begin as usize..end as usize).unwrap_or_default();
        let values = values(&name, &tensor.dtype, bytes, &mut left)?;
        entries.insert(name, StoredArray { shape: tensor.shape, values });
    }
    Ok(Arrays { metadata: header.metadata, entries })
}

/// The texts of a file, if it is whole.
pub fn metadata(file: &[u8]) -> Option<BTreeMap<String, String>> {
    let (length, rest) = file.split_first_chunk()?;
    let length = u64::from_le_bytes(*length);
    let length = usize::try_from(length).ok().filter(|_| length <= LONGEST)?;
    let (text, data) = rest.split_at_checked(length)?;
    Some(parse(text, data.len() as u64).ok()?.metadata)
}

fn values(
    name: &str,
    dtype: &str,
    bytes: &[u8],
    left: &mut usize,
) -> Result<StoredNumbers, InterchangeError> {
    let (of, width) = match dtype {
        "F64" => (Format::F64, 8),
        "F32" => (Format::F32, 4),
        "F16" => (Format::F16, 2),
        "BF16" => (Format::Bf16, 2),
        whole if whole.starts_with(['I', 'U']) || whole == "BOOL" => {
            return Ok(StoredNumbers::Whole);
        }
        _ => {
            let reason =
                format!("is of type {dtype}, which is not read: F64, F32, F16 and BF16 are");
            return Err(InterchangeError::Array { array: name.to_owned(), reason });
        }
    };
    *left = left
        .checked_sub(bytes.len() / width)
        .ok_or(InterchangeError::TooManyInAll { most: MOST_READ })?;
    let number = |number: &[u8]| match *number {
        [a, b] if of == Format::F16 => half(u16::from_le_bytes([a, b])),
        [a, b] => f64::from(f32::from_le_bytes([0, 0, a, b])),
        [a, b, c, d] => f64::from(f32::from_le_bytes([a, b, c, d])),
        [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => f64::NAN, // chunks have `width` bytes
    };
    StoredNumbers::floats(name, of, bytes.chunks_exact(width).map(number).collect())
}

/// The number that these bits are in binary16.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// binary16 has 2^16 patterns, and they are those that the format's own rounding leaves as they are.
    #[test]
    fn halves_are_the_numbers_of_their_format() {
        let finite: Vec<f64> = (0..=u16::MAX).map(half).filter(|x| x.is_finite()).collect();
        assert_eq!(finite.len(), (1 << 16) - (2 << 10));
        assert!(finite.iter().all(|&x| Format::F16.has(x)));
        for (bits, number) in
            [(0x3c00, 1.0), (0xc000, -2.0), (0x7bff, 65504.0), (1, 2f64.powi(-24))]
        {
            assert_eq!(half(bits), number);
        }
        // Increasing, without gaps or repetitions.
        let positive: Vec<f64> = (0..0x7c00).map(half).collect();
        assert!(positive.is_sorted_by(|x, y| x < y));
    }
}
