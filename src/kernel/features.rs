//! Points as kernels take them: rows of numbers over one divisor, with what is known of their products.
//!
//! A coordinate is number/divisor, in real arithmetic: pixels are bytes over 255, and no rounding stands between
//! a sample and its kernel matrix. Where all numbers are multiples of a power of two (2^g) and 4 max |x|² <= 2^(2g + 53),
//! no inner product, norm or squared distance of numbers rounds, in any order of addition, fused or not
//! (`Format::never_rounds` of `shatter-exact`): squared distances of images are exact.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use shatter_exact::Format;
use shatter_exact::format::common_grain;
use shatter_sample::fingerprint::hex;
use shatter_sample::{Points, Values};

/// The numbers of [`Features`], row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// Bytes, as in images.
    U8(Vec<u8>),
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
}

impl Numbers {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Numbers::U8(v) => v.len(),
            Numbers::F32(v) => v.len(),
            Numbers::F64(v) => v.len(),
        }
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of the type: `u8`, `f32`, `f64`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Numbers::U8(_) => "u8",
            Numbers::F32(_) => "f32",
            Numbers::F64(_) => "f64",
        }
    }

    /// The numbers of a range in binary64, exactly, written to `into`.
    fn write(&self, range: Range<usize>, into: &mut [f64]) {
        match self {
            Numbers::U8(v) => {
                into.iter_mut().zip(&v[range]).for_each(|(to, &x)| *to = f64::from(x))
            }
            Numbers::F32(v) => {
                into.iter_mut().zip(&v[range]).for_each(|(to, &x)| *to = f64::from(x))
            }
            Numbers::F64(v) => into.copy_from_slice(&v[range]),
        }
    }
}

/// Numbers that are not features.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FeaturesError {
    /// No points, or no coordinates.
    #[error("{numbers} numbers do not make rows of {columns}; expected at least one whole row")]
    Shape {
        /// How many numbers there are.
        numbers: usize,
        /// Coordinates of a point.
        columns: usize,
    },
    /// The divisor is not a whole number from 1 to 2^53.
    #[error("the divisor {0} is not a whole number from 1 to 2^53")]
    Divisor(f64),
    /// A number is infinite, NaN or so large that squares overflow.
    #[error(
        "coordinate {column} of point {row} is {value}; expected a number below 1e70 in absolute value"
    )]
    TooLarge {
        /// The point.
        row: usize,
        /// Its coordinate.
        column: usize,
        /// What stands there.
        value: f64,
    },
    /// Integers that binary64 does not hold.
    #[error(
        "coordinate {column} of point {row} is {value}: binary64 holds no integers beyond 2^53 in absolute value"
    )]
    Integer {
        /// The point.
        row: usize,
        /// Its coordinate.
        column: usize,
        /// What stands there.
        value: i64,
    },
    /// Two sets of features of other numbers of coordinates.
    #[error("points of {found} coordinates, where the centres have {expected}")]
    Columns {
        /// Of the centres.
        expected: usize,
        /// Of the points.
        found: usize,
    },
    /// Two sets of features with other divisors.
    #[error("points are numbers divided by {found}, where the centres are divided by {expected}")]
    Unit {
        /// Of the centres.
        expected: f64,
        /// Of the points.
        found: f64,
    },
}

/// Numbers are below this in absolute value, so that sums of 2^32 products stay below 1e150.
const LARGEST: f64 = 1e70;

/// n points of d coordinates: numbers over one divisor. Clones share them.
///
/// ```
/// use shatter_kernel::{Features, Numbers};
/// let pixels = Features::new(Numbers::U8(vec![0, 255, 51, 0]), 2, 255.0)?;
/// assert_eq!((pixels.rows(), pixels.columns()), (2, 2));
/// assert!(pixels.products_are_exact());
/// # Ok::<(), shatter_kernel::FeaturesError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    numbers: Arc<Numbers>,
    rows: usize,
    columns: usize,
    divisor: f64,
    /// |x|² of each row of numbers, as computed: at most γ_d |x|² off, and exact where products are.
    norms: Arc<[f64]>,
    /// All numbers are multiples of 2^grain.
    grain: i64,
}

impl Features {
    /// Rows of `columns` numbers over `divisor`.
    ///
    /// # Errors
    /// [`FeaturesError::Shape`], [`FeaturesError::Divisor`], [`FeaturesError::TooLarge`].
    pub fn new(numbers: Numbers, columns: usize, divisor: f64) -> Result<Features, FeaturesError> {
        let count = numbers.len();
        if columns == 0 || count == 0 || !count.is_multiple_of(columns) {
            return Err(FeaturesError::Shape { numbers: count, columns });
        }
        let whole = divisor.fract() == 0.0 && (1.0..=2f64.powi(53)).contains(&divisor);
        if !whole {
            return Err(FeaturesError::Divisor(divisor));
        }
        let rows = count / columns;
        let of_row = |row: usize| {
            let mut x = vec![0.0; columns];
            numbers.write(row * columns..(row + 1) * columns, &mut x);
            let wrong = x.iter().position(|x| x.is_nan() || x.abs() >= LARGEST);
            (x.iter().map(|x| x * x).sum::<f64>(), common_grain(&x), wrong.map(|at| (at, x[at])))
        };
        let known: Vec<_> = (0..rows).into_par_iter().with_min_len(64).map(of_row).collect();
        if let Some((row, (column, value))) =
            known.iter().enumerate().find_map(|(row, one)| Some((row, one.2?)))
        {
            return Err(FeaturesError::TooLarge { row, column, value });
        }
        let grain = known.iter().map(|one| one.1).min().unwrap_or(0);
        let norms = known.iter().map(|one| one.0).collect();
        Ok(Features { numbers: Arc::new(numbers), rows, columns, divisor, norms, grain })
    }

    /// The points of a sample; bytes are divided by `byte_divisor` (255 for pixels in 0 ..= 1), and decimals that are held
    /// as integers by their scale.
    ///
    /// # Errors
    /// [`FeaturesError::Integer`], [`FeaturesError::TooLarge`], [`FeaturesError::Divisor`] for scales beyond 2^53.
    pub fn of_points(points: &Points, byte_divisor: f64) -> Result<Features, FeaturesError> {
        let d = points.d();
        let integers = |v: &[i64]| -> Result<Numbers, FeaturesError> {
            let beyond = |x: &i64| x.unsigned_abs() > 1 << 53;
            if let Some(at) = v.iter().position(beyond) {
                return Err(FeaturesError::Integer { row: at / d, column: at % d, value: v[at] });
            }
            Ok(Numbers::F64(v.iter().map(|&x| x as f64).collect()))
        };
        match points.values() {
            Values::U8(v) => Features::new(Numbers::U8(v.clone()), d, byte_divisor),
            Values::I64(v) => Features::new(integers(v)?, d, 1.0),
            Values::Scaled { values, scale } => Features::new(integers(values)?, d, scale.as_f64()),
            Values::F32(v) => Features::new(Numbers::F32(v.clone()), d, 1.0),
            Values::F64(v) => Features::new(Numbers::F64(v.clone()), d, 1.0),
        }
    }

    /// Number of points.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of coordinates of a point.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The numbers.
    #[must_use]
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// A coordinate is its number over this.
    #[must_use]
    pub fn divisor(&self) -> f64 {
        self.divisor
    }

    /// |x|² of the numbers of each point.
    pub(crate) fn norms(&self) -> &[f64] {
        &self.norms
    }

    /// Number `column` of point `row`, before the division.
    ///
    /// # Panics
    /// If there is no such number: a defect of the caller.
    #[must_use]
    pub fn number(&self, row: usize, column: usize) -> f64 {
        let mut one = [0.0];
        let at = row * self.columns + column;
        self.numbers.write(at..at + 1, &mut one);
        one[0]
    }

    /// Returns whether no inner product, norm or squared distance of the numbers rounds.
    #[must_use]
    pub fn products_are_exact(&self) -> bool {
        self.exact_with(self)
    }

    /// The same for the products of these points with others.
    pub(crate) fn exact_with(&self, other: &Features) -> bool {
        let largest = |of: &Features| of.norms.iter().copied().fold(0.0, f64::max);
        let size = 4.0 * f64::max(largest(self), largest(other));
        Format::F64.never_rounds(2 * self.grain.min(other.grain), size)
    }

    /// Writes the numbers `columns` of the points `rows` in binary64, row-major.
    pub(crate) fn write(&self, rows: Range<usize>, columns: Range<usize>, into: &mut Vec<f64>) {
        into.resize(rows.len() * columns.len(), 0.0);
        if columns.len() == self.columns {
            self.numbers.write(rows.start * self.columns..rows.end * self.columns, into);
            return;
        }
        for (row, into) in rows.zip(into.chunks_exact_mut(columns.len())) {
            let start = row * self.columns;
            self.numbers.write(start + columns.start..start + columns.end, into);
        }
    }

    /// The points that `rows` lists, in that order.
    ///
    /// # Errors
    /// [`FeaturesError::Shape`] if it lists none.
    ///
    /// # Panics
    /// If it lists a point that is not there: a defect of the caller.
    pub fn select(&self, rows: &[u32]) -> Result<Features, FeaturesError> {
        fn pick<T: Copy>(values: &[T], d: usize, rows: &[u32]) -> Vec<T> {
            let row = |&i: &u32| &values[i as usize * d..(i as usize + 1) * d];
            rows.iter().flat_map(row).copied().collect()
        }
        let d = self.columns;
        let numbers = match &*self.numbers {
            Numbers::U8(v) => Numbers::U8(pick(v, d, rows)),
            Numbers::F32(v) => Numbers::F32(pick(v, d, rows)),
            Numbers::F64(v) => Numbers::F64(pick(v, d, rows)),
        };
        Features::new(numbers, d, self.divisor)
    }

    /// The same points; those of a clone are not read for it.
    pub(crate) fn is(&self, other: &Features) -> bool {
        let shared = Arc::ptr_eq(&self.numbers, &other.numbers);
        (shared && self.columns == other.columns && self.divisor == other.divisor) || self == other
    }

    /// What they are, such as `u8/255 60000 x 784`.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("{}/{} {} x {}", self.numbers.type_name(), self.divisor, self.rows, self.columns)
    }

    /// SHA-256 of the line `shatter features 1 TYPE/DIVISOR ROWS x COLUMNS` and of all numbers, little-endian, in
    /// hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(format!("shatter features 1 {}\n", self.describe()));
        match &*self.numbers {
            Numbers::U8(v) => hasher.update(v),
            Numbers::F32(v) => in_pieces(&mut hasher, v, |x| x.to_le_bytes()),
            Numbers::F64(v) => in_pieces(&mut hasher, v, |x| x.to_le_bytes()),
        }
        hex(&hasher.finalize())
    }

    /// Pairs (later, first) of points with the same coordinates, ordered by the later one.
    #[must_use]
    pub fn equal_rows(&self) -> Vec<(u32, u32)> {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let d = self.columns;
        let row = |i: u32| {
            let mut x = vec![0.0; d];
            self.numbers.write(i as usize * d..(i as usize + 1) * d, &mut x);
            x
        };
        let hash = |i: u32| {
            let mut hasher = DefaultHasher::new();
            // −0 and 0 are one number.
            row(i).iter().for_each(|x| (x + 0.0).to_bits().hash(&mut hasher));
            (hasher.finish(), i)
        };
        let mut keys: Vec<(u64, u32)> = (0..self.rows as u32).into_par_iter().map(hash).collect();
        keys.par_sort_unstable();
        let mut pairs = Vec::new();
        for run in keys.chunk_by(|x, y| x.0 == y.0).filter(|run| run.len() > 1) {
            let mut firsts: Vec<u32> = Vec::new();
            for &(_, i) in run {
                match firsts.iter().find(|&&first| row(first) == row(i)) {
                    Some(&first) => pairs.push((i, first)),
                    None => firsts.push(i),
                }
            }
        }
        pairs.sort_unstable();
        pairs
    }
}

/// Feeds numbers to a hash in pieces of some pages.
pub(crate) fn in_pieces<T: Copy, const B: usize>(
    hasher: &mut Sha256,
    values: &[T],
    bytes: impl Fn(T) -> [u8; B],
) {
    let mut buffer = Vec::with_capacity(B * 8192);
    for piece in values.chunks(8192) {
        buffer.clear();
        piece.iter().for_each(|&x| buffer.extend_from_slice(&bytes(x)));
        hasher.update(&buffer);
    }
}
