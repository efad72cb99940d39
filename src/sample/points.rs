//! The one type of points: n rows of d coordinates, row-major, in the numbers
//! in which they were given.

use std::fmt;

use super::SampleError;

/// A power of ten or of two by which integers are to be divided to get the coordinate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// The base.
    pub base: Base,
    /// The exponent.
    pub exponent: u32,
}

/// Base of a [`Scale`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// 2.
    Two,
    /// 10.
    Ten,
}

impl Scale {
    /// The number, rounded to binary64; infinite where that does not reach.
    ///
    /// ```
    /// use shatter_sample::{Base, Scale};
    /// assert_eq!(Scale { base: Base::Ten, exponent: 3 }.as_f64(), 1000.0);
    /// ```
    #[must_use]
    pub fn as_f64(self) -> f64 {
        let base: f64 = match self.base {
            Base::Two => 2.0,
            Base::Ten => 10.0,
        };
        base.powi(self.exponent.min(i32::MAX as u32) as i32)
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = match self.base {
            Base::Two => 2,
            Base::Ten => 10,
        };
        write!(f, "{base}^{}", self.exponent)
    }
}

/// Coordinates, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Bytes, as in images.
    U8(Vec<u8>),
    /// Integers.
    I64(Vec<i64>),
    /// Decimals or binary fractions as integers: the coordinate is `values[i] / scale`. A network
    /// takes the integers: the scale is a unit of measurement that its direction absorbs.
    Scaled {
        /// The integers.
        values: Vec<i64>,
        /// The number that they are divided by.
        scale: Scale,
    },
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
}

impl Values {
    /// Number of coordinates.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Values::U8(v) => v.len(),
            Values::I64(v) | Values::Scaled { values: v, .. } => v.len(),
            Values::F32(v) => v.len(),
            Values::F64(v) => v.len(),
        }
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Name of the type as it stands in certificates: `u8`, `i64`, `i64/10^2`, `f32`, `f64`.
    #[must_use]
    pub fn type_name(&self) -> String {
        match self {
            Values::U8(_) => "u8".into(),
            Values::I64(_) => "i64".into(),
            Values::Scaled { scale, .. } => format!("i64/{scale}"),
            Values::F32(_) => "f32".into(),
            Values::F64(_) => "f64".into(),
        }
    }
}

/// n points of d coordinates each; n and d are at least 1, every coordinate is finite, and no
/// coordinate is minus zero.
///
/// ```
/// use shatter_sample::{Points, Values};
/// let points = Points::new(Values::F64(vec![0.5, -0.0, 1.0, 2.0]), vec![2])?;
/// assert_eq!((points.n(), points.d()), (2, 2));
/// assert!(Points::new(Values::F64(vec![f64::NAN]), vec![1]).is_err());
/// # Ok::<(), shatter_sample::SampleError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    values: Values,
    shape: Vec<usize>,
    n: usize,
    d: usize,
}

impl Points {
    /// Points whose coordinates have the given shape: `[d]`, or channels × height × width of an image.
    ///
    /// # Errors
    /// [`SampleError::Empty`], [`SampleError::NoCoordinates`], [`SampleError::Ragged`],
    /// [`SampleError::TooMany`], [`SampleError::NotFinite`].
    pub fn new(mut values: Values, shape: Vec<usize>) -> Result<Points, SampleError> {
        let d = shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
        let d = d.filter(|&d| d > 0 && !shape.is_empty()).ok_or(SampleError::NoCoordinates)?;
        if values.is_empty() {
            return Err(SampleError::Empty);
        }
        if !values.len().is_multiple_of(d) {
            return Err(SampleError::Ragged { values: values.len(), d });
        }
        let n = values.len() / d;
        if u32::try_from(n).is_err() {
            return Err(SampleError::TooMany(n));
        }
        let not_finite =
            |i: usize, value| SampleError::NotFinite { index: i / d, coordinate: i % d, value };
        match &mut values {
            Values::F32(v) => {
                for (i, x) in v.iter_mut().enumerate() {
                    if !x.is_finite() {
                        return Err(not_finite(i, f64::from(*x)));
                    }
                    *x += 0.0; // minus zero becomes zero
                }
            }
            Values::F64(v) => {
                for (i, x) in v.iter_mut().enumerate() {
                    if !x.is_finite() {
                        return Err(not_finite(i, *x));
                    }
                    *x += 0.0;
                }
            }
            Values::U8(_) | Values::I64(_) | Values::Scaled { .. } => {}
        }
        Ok(Points { values, shape, n, d })
    }

    /// Number of points.
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }

    /// Number of coordinates of a point.
    #[must_use]
    pub fn d(&self) -> usize {
        self.d
    }

    /// The shape of one point; its product is d.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The coordinates, row-major.
    #[must_use]
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Returns whether the coordinates are integers (of the unit that a scale names).
    #[must_use]
    pub fn is_lattice(&self) -> bool {
        matches!(self.values, Values::U8(_) | Values::I64(_) | Values::Scaled { .. })
    }

    /// Coordinate `k` of point `i` in binary64, as a network that runs in f64 takes it:
    /// exact, but for integers beyond 2^53, which are rounded.
    ///
    /// # Panics
    /// If `i` or `k` is out of range.
    #[must_use]
    pub fn f64_at(&self, i: usize, k: usize) -> f64 {
        let at = i * self.d + k;
        match &self.values {
            Values::U8(v) => f64::from(v[at]),
            Values::I64(v) | Values::Scaled { values: v, .. } => v[at] as f64,
            Values::F32(v) => f64::from(v[at]),
            Values::F64(v) => v[at],
        }
    }

    /// The rows that `rows` lists, in that order.
    ///
    /// # Errors
    /// [`SampleError::Empty`] if it lists none.
    ///
    /// # Panics
    /// If an entry of `rows` is not below n.
    pub fn select(&self, rows: &[u32]) -> Result<Points, SampleError> {
        fn pick<T: Copy>(values: &[T], d: usize, rows: &[u32]) -> Vec<T> {
            let row = |&i: &u32| &values[i as usize * d..(i as usize + 1) * d];
            rows.iter().flat_map(row).copied().collect()
        }
        let values = match &self.values {
            Values::U8(v) => Values::U8(pick(v, self.d, rows)),
            Values::I64(v) => Values::I64(pick(v, self.d, rows)),
            Values::Scaled { values, scale } => {
                Values::Scaled { values: pick(values, self.d, rows), scale: *scale }
            }
            Values::F32(v) => Values::F32(pick(v, self.d, rows)),
            Values::F64(v) => Values::F64(pick(v, self.d, rows)),
        };
        Points::new(values, self.shape.clone())
    }

    /// Type, number and shape, for example `u8 60000 × 28×28`.
    pub fn describe(&self) -> String {
        let shape: Vec<String> = self.shape.iter().map(usize::to_string).collect();
        format!("{} {} × {}", self.values.type_name(), self.n, shape.join("×"))
    }
}
