//! Numbers of tensors, decoded when they are used.

use prost::encoding::decode_varint;

use super::external::External;
use super::message::data_type;
use super::read::product;
use super::whole::{Size, Whole, bounded};
use super::wire::{Tensor, malformed};
use crate::InterchangeError;

type Result<T> = std::result::Result<T, InterchangeError>;

/// The sides of a tensor, and how many numbers these are.
pub fn sides(tensor: &Tensor) -> Result<(Vec<usize>, usize)> {
    let sides: Option<Vec<usize>> =
        tensor.dims.iter().map(|&side| usize::try_from(side).ok()).collect();
    let counted = sides.and_then(|sides| product(&sides).map(|numbers| (sides, numbers)));
    counted.map_or_else(
        || malformed(format!("tensor '{}' has sides {:?}", tensor.name, tensor.dims)),
        Ok,
    )
}

/// Name of a type of numbers, by ONNX's number of it.
pub fn type_name(data_type: i64) -> String {
    let names = [
        "undefined",
        "float",
        "uint8",
        "int8",
        "uint16",
        "int16",
        "int32",
        "int64",
        "string",
        "bool",
        "float16",
        "double",
        "uint32",
        "uint64",
        "complex64",
        "complex128",
        "bfloat16",
    ];
    let name = usize::try_from(data_type).ok().and_then(|at| names.get(at));
    name.map_or_else(|| format!("type {data_type}"), |name| (*name).to_owned())
}

/// Whether a tensor holds floating-point numbers that can be read.
pub fn is_float(data_type: i64) -> bool {
    [data_type::FLOAT, data_type::FLOAT16, data_type::DOUBLE, data_type::BFLOAT16]
        .iter()
        .any(|&of| i64::from(of) == data_type)
}

/// Bytes of a number of a type that is read; `None` for others.
fn width(data_type: i64) -> Option<usize> {
    match i32::try_from(data_type).ok()? {
        data_type::UINT8 | data_type::INT8 | data_type::BOOL => Some(1),
        data_type::FLOAT16 | data_type::BFLOAT16 => Some(2),
        data_type::FLOAT | data_type::INT32 => Some(4),
        data_type::DOUBLE | data_type::INT64 => Some(8),
        _ => None,
    }
}

/// The bytes of a tensor's numbers, little-endian; `packed` fields have none.
fn raw<'a>(tensor: &Tensor<'a>, external: &'a External, field: u32) -> Result<&'a [u8]> {
    let name = tensor.name;
    let (sides, numbers) = sides(tensor)?;
    let Some(width) = width(tensor.data_type) else {
        return malformed(format!("tensor '{name}' is of {}", type_name(tensor.data_type)));
    };
    let wanted = numbers.checked_mul(width);
    if tensor.outside {
        return external.numbers(tensor, wanted);
    }
    if tensor.elsewhere || (!tensor.raw.is_empty() && ![9, field].contains(&tensor.field)) {
        return malformed(format!(
            "tensor '{name}' of {} keeps its numbers in another way: numbers of that type, packed or raw, are \
             expected",
            type_name(tensor.data_type)
        ));
    }
    if wanted != Some(tensor.raw.len()) {
        return malformed(format!(
            "tensor '{name}' of shape {sides:?} has {} bytes of numbers",
            tensor.raw.len()
        ));
    }
    Ok(tensor.raw)
}

/// Whether a tensor has as many numbers as its shape says.
pub fn present(tensor: &Tensor, external: &External) -> Result<()> {
    if packed(tensor, 5) || packed(tensor, 7) {
        // As many bytes as numbers, or more.
        let (_, numbers) = sides(tensor)?;
        let found = tensor.packed.len();
        return match numbers <= found {
            true => Ok(()),
            false => malformed(format!(
                "tensor '{}' of {numbers} numbers has {found} bytes",
                tensor.name
            )),
        };
    }
    let wide = i64::from(data_type::DOUBLE) == tensor.data_type;
    raw(tensor, external, if wide { 10 } else { 4 }).map(|_| ())
}

/// The numbers of a tensor of floating-point numbers, all of which binary64 has.
pub fn floats<'a>(tensor: &Tensor<'a>, external: &'a External) -> Result<Vec<f64>> {
    let name = tensor.name;
    let half = i64::from(data_type::FLOAT16) == tensor.data_type;
    let narrow = half || i64::from(data_type::BFLOAT16) == tensor.data_type;
    let values: Vec<f64> = match (narrow, tensor.packed.is_empty()) {
        (true, false) if packed(tensor, 5) => {
            let (_, numbers) = sides(tensor)?;
            let word = |x: i64| if half { of_half(x as u16) } else { of_bfloat(x as u16) };
            varints(tensor, numbers)?.into_iter().map(word).collect()
        }
        _ => {
            let wide = i64::from(data_type::DOUBLE) == tensor.data_type;
            let bytes = raw(tensor, external, if wide { 10 } else { 4 })?;
            let number = |bytes: &[u8]| match *bytes {
                [a, b] if half => of_half(u16::from_le_bytes([a, b])),
                [a, b] => of_bfloat(u16::from_le_bytes([a, b])),
                [a, b, c, d] => f64::from(f32::from_le_bytes([a, b, c, d])),
                [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
                _ => f64::NAN, // chunks have the width of a type
            };
            bytes.chunks_exact(width(tensor.data_type).unwrap_or(1)).map(number).collect()
        }
    };
    match values.iter().position(|x| !x.is_finite()) {
        Some(at) => malformed(format!("number {at} of tensor '{name}' is {}", values[at])),
        None => Ok(values),
    }
}

/// The whole numbers of a tensor: those of shapes.
pub fn whole<'a>(tensor: &Tensor<'a>, external: &'a External) -> Result<Whole> {
    let (sides, numbers) = sides(tensor)?;
    bounded(numbers)?;
    let values: Vec<i64> = match tensor.packed.is_empty() {
        false
            if packed(
                tensor,
                if tensor.data_type == i64::from(data_type::INT64) { 7 } else { 5 },
            ) =>
        {
            varints(tensor, numbers)?
        }
        _ => {
            let bytes = raw(tensor, external, 9)?;
            let unsigned = i64::from(data_type::INT8) != tensor.data_type;
            let number = |bytes: &[u8]| match *bytes {
                [a] if unsigned => i64::from(a),
                [a] => i64::from(a as i8),
                [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
                [a, b, c, d, e, f, g, h] => i64::from_le_bytes([a, b, c, d, e, f, g, h]),
                _ => 0, // chunks have the width of a type
            };
            bytes.chunks_exact(width(tensor.data_type).unwrap_or(1)).map(number).collect()
        }
    };
    Ok(Whole { sides, numbers: values.into_iter().map(Size::known).collect() })
}

/// Whether all numbers are packed whole numbers, in this field.
fn packed(tensor: &Tensor, field: u32) -> bool {
    !tensor.outside && !tensor.elsewhere && tensor.field == field
}

/// Packed whole numbers.
fn varints(tensor: &Tensor, numbers: usize) -> Result<Vec<i64>> {
    let mut packed = tensor.packed;
    let mut values = Vec::with_capacity(numbers.min(packed.len()));
    while !packed.is_empty() && values.len() < numbers {
        let value = decode_varint(&mut packed)
            .map_err(|error| InterchangeError::Malformed(error.to_string()))?;
        values.push(value as i64);
    }
    if values.len() != numbers || !packed.is_empty() {
        return malformed(format!(
            "tensor '{}' has other numbers than its shape says",
            tensor.name
        ));
    }
    Ok(values)
}

/// A number of binary16.
fn of_half(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => mantissa * 2f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + mantissa) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// A number of bfloat16: the upper half of one of binary32.
fn of_bfloat(bits: u16) -> f64 {
    f64::from(f32::from_bits(u32::from(bits) << 16))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition: sign, mantissa of eleven bits, exponent; every number of the type.
    #[test]
    fn halves_are_those_of_their_definition() {
        assert_eq!([0x3c00, 0xc000, 0x3555].map(of_half), [1.0, -2.0, 0.333251953125]);
        assert_eq!(
            [0x0001, 0x03ff, 0x0400].map(of_half),
            [2f64.powi(-24), 1023.0 * 2f64.powi(-24), 2f64.powi(-14)]
        );
        assert_eq!(of_half(0x7bff), 65504.0);
        assert!(of_half(0x7c00).is_infinite() && of_half(0x7e00).is_nan());
        // Between neighbours there is nothing: positive numbers grow with their bits.
        assert!((0..0x7c00u16).all(|bits| of_half(bits) < of_half(bits + 1)));
        assert!((0..0x7c00u16).all(|bits| of_half(bits | 0x8000) == -of_half(bits)));
        assert_eq!([0x3f80, 0xbfc0].map(of_bfloat), [1.0, -1.5]);
    }
}
