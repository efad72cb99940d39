//! One array in NPY, versions 1 to 3
//! (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).
//!
//! A file is `\x93NUMPY`, the version, the length of the header, the header, and the numbers, in
//! either byte order and in C or Fortran order. Refused: objects, records, text, complex and
//! half-precision numbers, unsigned numbers beyond 2^63 − 1, booleans that are not 0 or 1, fewer
//! or more bytes than announced.

use super::SampleError;
use super::files::{self, Source};
use super::header::{self, Header};

/// An array in C order.
#[derive(Debug)]
pub struct Array {
    /// Its sides.
    pub shape: Vec<usize>,
    /// Its numbers, as many as the sides multiply to.
    pub data: Data,
}

/// The numbers of an array.
#[derive(Debug)]
pub enum Data {
    /// Bytes, and booleans.
    U8(Vec<u8>),
    /// Integers.
    I64(Vec<i64>),
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
}

/// Reads an array, which has to be all that the source holds.
pub fn read(source: &mut Source<'_>) -> Result<Array, SampleError> {
    let header = header::read(source)?;
    let (order, kind) = header.descr.split_at_checked(1).unwrap_or_default();
    let little = match order {
        "<" | "|" => true,
        ">" => false,
        "=" => cfg!(target_endian = "little"),
        _ => return Err(source.format(refusal(&header.descr))),
    };
    let mut from = Numbers { source, header: &header, little };
    let data = match kind {
        "u1" => Data::U8(from.read(|[byte]| Some(byte))?),
        "b1" => Data::U8(from.read(|[byte]| Some(byte).filter(|&byte| byte < 2))?),
        "i1" => Data::I64(from.read(|b| Some(i8::from_le_bytes(b).into()))?),
        "i2" => Data::I64(from.read(|b| Some(i16::from_le_bytes(b).into()))?),
        "i4" => Data::I64(from.read(|b| Some(i32::from_le_bytes(b).into()))?),
        "i8" => Data::I64(from.read(|b| Some(i64::from_le_bytes(b)))?),
        "u2" => Data::I64(from.read(|b| Some(u16::from_le_bytes(b).into()))?),
        "u4" => Data::I64(from.read(|b| Some(u32::from_le_bytes(b).into()))?),
        "u8" => Data::I64(from.read(|b| i64::try_from(u64::from_le_bytes(b)).ok())?),
        "f4" => Data::F32(from.read(|b| Some(f32::from_le_bytes(b)))?),
        "f8" => Data::F64(from.read(|b| Some(f64::from_le_bytes(b)))?),
        _ => return Err(source.format(refusal(&header.descr))),
    };
    Ok(Array { shape: header.shape, data })
}

/// Reason why a type cannot be read.
fn refusal(descr: &str) -> String {
    let kind = descr.trim_start_matches(['<', '>', '=', '|']).chars().next();
    let why = match kind {
        Some('O') => "are Python objects, which only Python can read: save an array of numbers",
        Some('c') => "are complex: save real and imaginary parts",
        Some('f') => "are of half or extended precision: save them with astype('float64')",
        Some('S' | 'U' | 'a') => "are text: save an array of numbers",
        Some('M' | 'm') => "are dates: save an array of numbers",
        _ => "are not of a type of numbers that can be read",
    };
    format!("its elements (type '{}') {why}", descr.escape_debug())
}

struct Numbers<'a, 'b> {
    source: &'a mut Source<'b>,
    header: &'a Header,
    little: bool,
}

impl Numbers<'_, '_> {
    /// All numbers, of `WIDTH` bytes each, in C order.
    fn read<T: Copy, const WIDTH: usize>(
        &mut self,
        decode: impl Fn([u8; WIDTH]) -> Option<T>,
    ) -> Result<Vec<T>, SampleError> {
        let Header { shape, fortran_order, .. } = self.header;
        let product = |product: u64, &side: &usize| product.checked_mul(side as u64);
        let count = shape.iter().try_fold(1u64, product);
        let bytes = count.and_then(|count| count.checked_mul(WIDTH as u64));
        let (Some(count), Some(bytes)) = (count, bytes) else {
            let reason =
                format!("its header announces the shape {shape:?}, more than any file can hold");
            return Err(self.source.format(reason));
        };
        let name = self.source.name().to_path_buf();
        let mut numbers = Vec::new();
        self.source.pieces(bytes, |piece| {
            let (elements, _) = piece.as_chunks::<WIDTH>();
            files::reserve(&mut numbers, elements.len(), count, &name)?;
            for element in elements {
                let mut element = *element;
                if !self.little {
                    element.reverse();
                }
                let Some(number) = decode(element) else {
                    return Err(SampleError::Entry {
                        file: name.clone(),
                        index: index_of(numbers.len(), shape, *fortran_order),
                        value: format!("0x{}", hex(element)),
                        reason: "is beyond 2^63 - 1, or a boolean that is not 0 or 1".into(),
                    });
                };
                numbers.push(number);
            }
            Ok(())
        })?;
        self.source.end(bytes)?;
        let sides = shape.iter().filter(|&&side| side > 1).count();
        if *fortran_order && sides > 1 { self.to_c_order(&numbers) } else { Ok(numbers) }
    }

    /// Puts numbers whose first index runs fastest in the order in which the last one does.
    fn to_c_order<T: Copy>(&self, numbers: &[T]) -> Result<Vec<T>, SampleError> {
        // Last index first: (position, side, distance of neighbours).
        let mut odometer = Vec::new();
        let mut distance = 1;
        for &side in &self.header.shape {
            odometer.push((0, side, distance));
            distance *= side;
        }
        odometer.reverse();
        let mut sorted = Vec::new();
        files::reserve(&mut sorted, numbers.len(), numbers.len() as u64, self.source.name())?;
        let mut at = 0;
        while let (Some(&number), true) = (numbers.get(at), sorted.len() < numbers.len()) {
            sorted.push(number);
            for (position, side, distance) in &mut odometer {
                *position += 1;
                at += *distance;
                if *position < *side {
                    break;
                }
                *position = 0;
                at -= *side * *distance;
            }
        }
        Ok(sorted)
    }
}

/// The index of the element that comes `at`-th, from 0.
#[must_use]
pub fn index_of(mut at: usize, shape: &[usize], fortran_order: bool) -> Vec<usize> {
    let mut next = |&side: &usize| {
        let index = at.checked_rem(side).unwrap_or(0);
        at = at.checked_div(side).unwrap_or(0);
        index
    };
    if fortran_order {
        return shape.iter().map(next).collect();
    }
    let mut index: Vec<usize> = shape.iter().rev().map(&mut next).collect();
    index.reverse();
    index
}

/// Hexadecimal digits of a little-endian number.
fn hex<const WIDTH: usize>(bytes: [u8; WIDTH]) -> String {
    bytes.iter().rev().map(|byte| format!("{byte:02x}")).collect()
}

impl Data {
    /// Column `column`, from 0, of rows of `columns`.
    #[must_use]
    pub fn column(self, column: usize, columns: usize) -> Data {
        fn pick<T: Copy>(values: &[T], column: usize, columns: usize) -> Vec<T> {
            values.iter().skip(column).step_by(columns.max(1)).copied().collect()
        }
        match self {
            Data::U8(v) => Data::U8(pick(&v, column, columns)),
            Data::I64(v) => Data::I64(pick(&v, column, columns)),
            Data::F32(v) => Data::F32(pick(&v, column, columns)),
            Data::F64(v) => Data::F64(pick(&v, column, columns)),
        }
    }
}
