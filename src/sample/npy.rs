//! Points and labels from NumPy: two arrays in NPY.
//!
//! Points are n × shape (one dimension: numbers), of integers, booleans or floating-point
//! numbers. Labels are n integers (classes), or n or n × k floating-point numbers. Refused:
//! negative classes, classes above 2^24, values that are not exact where they have to be, and
//! what an array is refused for.

use std::path::Path;

use super::array::{self, Array, Data};
use super::files::Source;
use super::table::LabelType;
use super::{Base, Labels, Points, SampleError, Scale, Values};

/// Options of reading arrays; the default decides by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArrayOptions {
    /// The column of two-dimensional labels, from 1; all of them if not given.
    pub label: Option<usize>,
    /// Type of the labels. If not given: integers are classes.
    pub target: Option<LabelType>,
    /// A power of two by which the coordinates are multiplied, to be held as integers exactly.
    pub scale: Option<Scale>,
}

/// Points and labels from two NPY files.
///
/// # Errors
/// [`SampleError::Io`], [`SampleError::IsFolder`], [`SampleError::Format`] for what is not such
/// an array, [`SampleError::Truncated`], [`SampleError::Entry`] for a value that cannot be used,
/// [`SampleError::LabelCount`], and those of [`Points::new`] and [`Labels::real`].
pub fn read(
    points: &Path,
    labels: &Path,
    options: &ArrayOptions,
) -> Result<(Points, Labels), SampleError> {
    pair(
        to_points(array::read(&mut Source::open(points)?)?, points, options)?,
        to_labels(array::read(&mut Source::open(labels)?)?, labels, options)?,
    )
}

pub(crate) fn pair(points: Points, labels: Labels) -> Result<(Points, Labels), SampleError> {
    if points.n() != labels.len() {
        return Err(SampleError::LabelCount { points: points.n(), labels: labels.len() });
    }
    Ok((points, labels))
}

fn refused(file: &Path, reason: impl Into<String>) -> SampleError {
    SampleError::Format { file: file.into(), reason: reason.into() }
}

pub(crate) fn to_points(
    array: Array,
    file: &Path,
    options: &ArrayOptions,
) -> Result<Points, SampleError> {
    let shape = match array.shape.as_slice() {
        [] => {
            return Err(refused(file, "it contains a single number; expected an array of points"));
        }
        [_] => vec![1],
        [_, shape @ ..] => shape.to_vec(),
    };
    let values = match (options.scale, array.data) {
        (None, Data::U8(values)) => Values::U8(values),
        (None, Data::I64(values)) => Values::I64(values),
        (None, Data::F32(values)) => Values::F32(values),
        (None, Data::F64(values)) => Values::F64(values),
        (Some(Scale { base: Base::Ten, .. }), _) => {
            let reason = "a scale of 10^k does not apply to binary numbers, in which decimals such \
                          as 0.1 are not exact: use 2^k, or the decimals as CSV";
            return Err(refused(file, reason));
        }
        (Some(scale), data) => {
            let in_units = |at: usize, value: f64| {
                to_units(value, scale.exponent).map_err(|reason| SampleError::Entry {
                    file: file.into(),
                    index: array::index_of(at, &array.shape, false),
                    value: value.to_string(),
                    reason: format!("times {scale} {reason}"),
                })
            };
            let of_integer = |at: usize, value: i64| {
                let factor = 1i64.checked_shl(scale.exponent).filter(|&factor| factor > 0);
                let exact = factor.and_then(|factor| value.checked_mul(factor));
                exact.or((value == 0).then_some(0)).ok_or_else(|| SampleError::Entry {
                    file: file.into(),
                    index: array::index_of(at, &array.shape, false),
                    value: value.to_string(),
                    reason: format!("times {scale} does not fit a 64-bit integer"),
                })
            };
            let values: Result<Vec<i64>, SampleError> = match data {
                Data::U8(v) => each(v, |at, value| of_integer(at, value.into())),
                Data::I64(v) => each(v, of_integer),
                Data::F32(v) => each(v, |at, value| in_units(at, value.into())),
                Data::F64(v) => each(v, in_units),
            };
            match scale.exponent {
                0 => Values::I64(values?),
                _ => Values::Scaled { values: values?, scale },
            }
        }
    };
    Points::new(values, shape)
}

fn each<T, U>(
    values: Vec<T>,
    mut map: impl FnMut(usize, T) -> Result<U, SampleError>,
) -> Result<Vec<U>, SampleError> {
    values.into_iter().enumerate().map(|(at, value)| map(at, value)).collect()
}

/// `value · 2^exponent` as an integer. Multiplying by a power of two is exact unless it overflows.
fn to_units(value: f64, exponent: u32) -> Result<i64, &'static str> {
    let bounded = exponent.min(2 * 1023);
    let half = bounded / 2;
    let power = |k: u32| f64::from_bits(u64::from(1023 + k) << 52);
    let units = value * power(half) * power(bounded - half);
    if value.is_nan() || value.is_infinite() {
        return Err("is not a finite number");
    }
    // 2^63 is the least number of binary64 that does not fit.
    let limit = power(63);
    if value != 0.0 && (bounded < exponent || units < -limit || units >= limit) {
        return Err("does not fit a 64-bit integer");
    }
    if units.fract() != 0.0 {
        return Err("is not an integer");
    }
    Ok(units as i64)
}

/// The largest class number: the number of classes is one more.
const LARGEST_CLASS: u32 = 1 << 24;
const TOO_MANY: &str = "is above 2^24, too large for a class (or target=number, if it is a number)";
const NEGATIVE: &str =
    "is negative; expected a class 0, 1, … (or target=number, if it is a number)";

pub(crate) fn to_labels(
    array: Array,
    file: &Path,
    options: &ArrayOptions,
) -> Result<Labels, SampleError> {
    let columns = match *array.shape.as_slice() {
        [_] => 1,
        [_, columns] => columns,
        _ => {
            let reason = format!(
                "its shape is {:?}; expected one or two dimensions for labels",
                array.shape
            );
            return Err(refused(file, reason));
        }
    };
    let (data, outputs) = match options.label {
        None => (array.data, columns),
        Some(label @ 1..) if label <= columns => (array.data.column(label - 1, columns), 1),
        Some(label) => {
            let reason = format!("it has no column {label} of labels; expected 1 to {columns}");
            return Err(refused(file, reason));
        }
    };
    let is_integer = matches!(data, Data::U8(_) | Data::I64(_));
    let target = options.target.unwrap_or(match is_integer {
        true => LabelType::Class,
        false => LabelType::Number,
    });
    // The index in the file of a label that cannot be used.
    let wrong = |at: usize, value: String, reason: &str| {
        let mut index = array::index_of(at, &[usize::MAX, outputs], false);
        match (array.shape.len(), options.label) {
            (1, _) => index.truncate(1),
            (_, Some(label)) => index = vec![at, label - 1],
            (_, None) => {}
        }
        SampleError::Entry { file: file.into(), index, value, reason: reason.into() }
    };
    if target == LabelType::Number {
        const REASON: &str = "is not exact in binary64";
        let exact = |at, value: i64| match value as f64 {
            number if number as i128 == i128::from(value) => Ok(number),
            _ => Err(wrong(at, value.to_string(), REASON)),
        };
        let values = match data {
            Data::U8(v) => v.into_iter().map(f64::from).collect(),
            Data::I64(v) => each(v, exact)?,
            Data::F32(v) => v.into_iter().map(f64::from).collect(),
            Data::F64(v) => v,
        };
        return Labels::real(values, outputs);
    }
    if outputs != 1 {
        let reason = format!(
            "its labels have {outputs} columns, but a class is one number: choose label=COLUMN, \
             or target=number"
        );
        return Err(refused(file, reason));
    }
    let of_integer = |at, value: i64| match u32::try_from(value) {
        Ok(class) if class <= LARGEST_CLASS => Ok(class),
        Ok(_) => Err(wrong(at, value.to_string(), TOO_MANY)),
        Err(_) if value > 0 => Err(wrong(at, value.to_string(), TOO_MANY)),
        Err(_) => Err(wrong(at, value.to_string(), NEGATIVE)),
    };
    let of_float = |at, value: f64| match value {
        _ if value.fract() != 0.0 || !value.is_finite() => {
            Err(wrong(at, value.to_string(), "is not a class; expected an integer"))
        }
        _ => of_integer(at, value as i64),
    };
    let of: Vec<u32> = match data {
        Data::U8(v) => v.into_iter().map(u32::from).collect(),
        Data::I64(v) => each(v, of_integer)?,
        Data::F32(v) => each(v, |at, value| of_float(at, value.into()))?,
        Data::F64(v) => each(v, of_float)?,
    };
    let count = of.iter().max().map_or(0, |most| most + 1);
    Labels::classes(of, count)
}
