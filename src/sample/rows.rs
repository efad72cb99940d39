//! Points and labels from the rows and slices of a program.
//!
//! ```
//! use shatter_sample::{Labels, Points, RawSample, Values};
//! let points = Points::try_from([[0.5, 1.0], [2.0, -3.0], [0.0, 4.0]])?;
//! assert_eq!((points.n(), points.d()), (3, 2));
//! let integers = Points::try_from(vec![vec![3, 1], vec![4, 1]])?; // of i32, i64, u8, …
//! assert_eq!(*integers.values(), Values::I64(vec![3, 1, 4, 1]));
//!
//! let classes = Labels::try_from([2, 0, 1])?; // whole numbers are classes
//! assert_eq!(classes, Labels::classes(vec![2, 0, 1], 3)?);
//! let real = Labels::try_from(vec![0.5, -1.0, 3.0])?;
//! let vectors = Labels::try_from([[0.5, 1.0], [0.0, 0.0], [2.0, 1.0]])?;
//! assert_eq!((real.outputs(), vectors.outputs()), (1, 2));
//!
//! let sample = RawSample::new("three points", points, classes)?;
//! assert_eq!(sample.points.n(), sample.labels.len());
//! # Ok::<(), shatter_sample::SampleError>(())
//! ```
//!
//! Errors name the row and the value:
//!
//! ```
//! use shatter_sample::{Labels, Points};
//! let error = |result: Result<_, shatter_sample::SampleError>| result.unwrap_err().to_string();
//! let ragged = Points::try_from(vec![vec![1.0, 2.0], vec![3.0]]).map(|_| ());
//! assert_eq!(error(ragged), "row 1 has 1 numbers; expected 2, as in row 0");
//! let infinite = Points::try_from([[0.0, f64::INFINITY]]).map(|_| ());
//! assert_eq!(error(infinite), "point 0, coordinate 1: inf is not a finite number");
//! let negative = Labels::try_from([0, -1]).map(|_| ());
//! assert_eq!(error(negative), "label 1: -1 is not a class; expected 0 to 4294967294");
//! ```

use super::{Labels, Points, RawSample, SampleError, Values, class_name};

mod sealed {
    pub trait Sealed {}
}

/// A type of coordinates: `f64`, `f32`, `u8`, and other integers, which become `i64`.
pub trait Coordinate: sealed::Sealed + Copy {
    /// Coordinates, row by row, in the type in which samples hold them.
    #[doc(hidden)]
    fn values(numbers: Vec<Self>) -> Values;
}

/// One point, or one label of several numbers: `Vec<T>`, `[T; D]` or `&[T]`.
pub trait CoordinateRow: sealed::Sealed {
    /// The type of its numbers.
    type Number: Copy;
    /// Its numbers.
    #[doc(hidden)]
    fn numbers(&self) -> &[Self::Number];
}

/// A type of labels: whole numbers and `bool` are classes, `f64` and `f32` real labels, and rows of `f64` labels of
/// several numbers. There are as many classes as the largest number plus 1, for `bool` two.
pub trait Label: sealed::Sealed + Sized {
    /// One label a point.
    #[doc(hidden)]
    fn labels(each: &[Self]) -> Result<Labels, SampleError>;
}

/// The numbers of all rows, which must have the same length, and that length.
fn joined<R: CoordinateRow>(rows: &[R]) -> Result<(Vec<R::Number>, usize), SampleError> {
    let expected = rows.first().map_or(0, |row| row.numbers().len());
    let other = |row: &R| row.numbers().len() != expected;
    if let Some(row) = rows.iter().position(other) {
        let found = rows[row].numbers().len();
        return Err(SampleError::RowLength { row, found, expected });
    }
    Ok((rows.iter().flat_map(CoordinateRow::numbers).copied().collect(), expected))
}

/// The classes with these numbers.
fn classes<T: Copy + Into<i128>>(each: &[T]) -> Result<Labels, SampleError> {
    let class = |(index, &number): (usize, &T)| {
        let value: i128 = number.into();
        let class = u32::try_from(value).ok().filter(|&class| class <= class_name::LARGEST);
        class.ok_or(SampleError::NotAClass { index, value })
    };
    let of: Vec<u32> = each.iter().enumerate().map(class).collect::<Result<_, _>>()?;
    let count = of.iter().max().map_or(0, |largest| largest + 1);
    Labels::classes(of, count)
}

macro_rules! coordinates {
    ($($number:ty => $values:ident,)*) => {$(
        impl sealed::Sealed for $number {}
        impl Coordinate for $number {
            fn values(numbers: Vec<$number>) -> Values {
                Values::$values(numbers.into_iter().map(Into::into).collect())
            }
        }
    )*};
}

coordinates! {
    f64 => F64, f32 => F32, u8 => U8, i64 => I64, i32 => I64, i16 => I64, i8 => I64, u32 => I64, u16 => I64,
}

macro_rules! class_numbers {
    ($($number:ty)*) => {$(
        impl Label for $number {
            fn labels(each: &[$number]) -> Result<Labels, SampleError> {
                classes(each)
            }
        }
    )*};
}

class_numbers! { i64 i32 i16 i8 u64 u32 u16 u8 }

impl sealed::Sealed for u64 {}
impl sealed::Sealed for usize {}
impl sealed::Sealed for bool {}
impl<T> sealed::Sealed for Vec<T> {}
impl<T> sealed::Sealed for &[T] {}
impl<T, const D: usize> sealed::Sealed for [T; D] {}

impl Label for usize {
    fn labels(each: &[usize]) -> Result<Labels, SampleError> {
        let wide: Vec<u64> = each.iter().map(|&class| class as u64).collect();
        classes(&wide)
    }
}

impl Label for bool {
    fn labels(each: &[bool]) -> Result<Labels, SampleError> {
        Labels::classes(each.iter().map(|&class| class.into()).collect(), 2)
    }
}

impl Label for f64 {
    fn labels(each: &[f64]) -> Result<Labels, SampleError> {
        Labels::real(each.to_vec(), 1)
    }
}

impl Label for f32 {
    fn labels(each: &[f32]) -> Result<Labels, SampleError> {
        Labels::real(each.iter().map(|&y| y.into()).collect(), 1)
    }
}

macro_rules! rows {
    ($(($($generic:tt)*) $row:ty,)*) => {$(
        impl<$($generic)*> CoordinateRow for $row {
            type Number = T;
            fn numbers(&self) -> &[T] {
                self
            }
        }
    )*};
}

rows! { (T: Copy) Vec<T>, (T: Copy) &[T], (T: Copy, const D: usize) [T; D], }

macro_rules! vectors {
    ($(($($generic:tt)*) $row:ty,)*) => {$(
        impl<$($generic)*> Label for $row {
            fn labels(each: &[$row]) -> Result<Labels, SampleError> {
                let (values, outputs) = joined(each)?;
                Labels::real(values, outputs)
            }
        }
    )*};
}

vectors! { () Vec<f64>, () &[f64], (const K: usize) [f64; K], }

impl<R: CoordinateRow<Number: Coordinate>> TryFrom<&[R]> for Points {
    type Error = SampleError;

    /// The points with these rows.
    fn try_from(rows: &[R]) -> Result<Points, SampleError> {
        if rows.is_empty() {
            return Err(SampleError::Empty);
        }
        let (numbers, d) = joined(rows)?;
        Points::new(R::Number::values(numbers), vec![d])
    }
}

impl<R: CoordinateRow<Number: Coordinate>> TryFrom<Vec<R>> for Points {
    type Error = SampleError;

    fn try_from(rows: Vec<R>) -> Result<Points, SampleError> {
        Points::try_from(rows.as_slice())
    }
}

impl<R: CoordinateRow<Number: Coordinate>, const N: usize> TryFrom<[R; N]> for Points {
    type Error = SampleError;

    fn try_from(rows: [R; N]) -> Result<Points, SampleError> {
        Points::try_from(rows.as_slice())
    }
}

impl<L: Label> TryFrom<&[L]> for Labels {
    type Error = SampleError;

    /// One label a point.
    fn try_from(each: &[L]) -> Result<Labels, SampleError> {
        L::labels(each)
    }
}

impl<L: Label> TryFrom<Vec<L>> for Labels {
    type Error = SampleError;

    fn try_from(each: Vec<L>) -> Result<Labels, SampleError> {
        L::labels(&each)
    }
}

impl<L: Label, const N: usize> TryFrom<[L; N]> for Labels {
    type Error = SampleError;

    fn try_from(each: [L; N]) -> Result<Labels, SampleError> {
        L::labels(&each)
    }
}

impl RawSample {
    /// The sample with these points and labels. `text` names it in certificates and messages.
    ///
    /// # Errors
    /// [`SampleError::LabelCount`] unless there is one label a point.
    pub fn new(
        text: impl Into<String>,
        points: Points,
        labels: Labels,
    ) -> Result<RawSample, SampleError> {
        if points.n() != labels.len() {
            return Err(SampleError::LabelCount { points: points.n(), labels: labels.len() });
        }
        Ok(RawSample { text: text.into(), points, labels })
    }
}
