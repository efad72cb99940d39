//! Tables in CSV (RFC 4180), one point a row: UTF-8, with or without a header row and a byte
//! order mark, separated by comma, semicolon or tab, plain or packed with gzip.
//!
//! One column is the label, the others are the coordinates. Refused, with row and column: missing
//! values, what is not a number, numbers that are not finite in binary64 or, with a scale, not
//! exact, and rows of different lengths.

use std::path::Path;

use super::columns::{self, Cells};
use super::decimal::{self, DecimalError};
use super::files::Source;
use super::label_column::Column;
use super::{Labels, Points, SampleError, Scale, Values};

/// The type of the labels in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelType {
    /// Classes.
    Class,
    /// Numbers.
    Number,
}

/// Options of reading a table; the default decides by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableOptions {
    /// The column of the label: its name, or its number from 1, or from −1 backwards. The last if
    /// not given.
    pub label: Option<String>,
    /// True if the first row is a header. If not given it is one if `label` is a name in it, or
    /// if none of its cells but the label's is a number.
    pub header: Option<bool>,
    /// Coordinates are read exactly, as integers to be divided by this; without it they are
    /// rounded to binary64.
    pub scale: Option<Scale>,
    /// Type of the label. If not given: a class if all are integers or any
    /// is not a number.
    pub target: Option<LabelType>,
}

/// The points and labels of a table. Classes are numbered in order of their names, which are
/// kept: by value if all of them are numbers, which are then written in one way, and as text otherwise.
///
/// ```
/// use shatter_sample::table::{self, TableOptions};
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("flowers.csv");
/// std::fs::write(&file, "length,width,kind\n5.1,3.5,setosa\n6.4,3.2,versicolor\n")?;
/// let (points, labels) = table::read(&file, &TableOptions::default())?;
/// assert_eq!((points.n(), points.d(), labels.describe(1)), (2, 2, "versicolor".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`SampleError::Io`], [`SampleError::IsFolder`], [`SampleError::Format`] for text that is not
/// UTF-8, ragged rows and a label column that is not there, [`SampleError::Cell`] for a cell,
/// [`SampleError::NoCoordinates`], [`SampleError::Empty`].
pub fn read(path: &Path, options: &TableOptions) -> Result<(Points, Labels), SampleError> {
    let mut source = Source::open(path)?;
    let bytes = source.rest()?;
    let text = std::str::from_utf8(&bytes).map_err(|e| {
        let line = bytes.iter().take(e.valid_up_to()).filter(|&&byte| byte == b'\n').count() + 1;
        source.format(format!("row {line} is not UTF-8 text"))
    })?;
    let mut cells = Cells::new(path, text.strip_prefix('\u{feff}').unwrap_or(text));
    if !cells.advance()? {
        return Err(SampleError::Empty);
    }
    let layout = columns::layout(&cells, options)?;
    let d = cells.row().count().saturating_sub(1);
    if d == 0 {
        return Err(SampleError::NoCoordinates);
    }
    let mut features = match options.scale {
        None => Features::Rounded(Vec::new()),
        Some(scale) => Features::Exact(Vec::new(), scale),
    };
    let mut labels = Column::default();
    let mut more = true;
    if layout.header {
        cells.take_header();
        more = cells.advance()?;
    }
    while more {
        for (place, cell) in cells.row().enumerate() {
            if columns::is_missing(cell) {
                return Err(cells.error(place, "is a missing value"));
            }
            if place == layout.label {
                labels.push(cell, cells.position())?;
            } else {
                features.push(cell).map_err(|reason| cells.error(place, reason))?;
            }
        }
        more = cells.advance()?;
    }
    let points = Points::new(features.into_values(), vec![d])?;
    Ok((points, labels.into_labels(options.target, &cells, layout.label)?))
}

/// The coordinates so far.
enum Features {
    Rounded(Vec<f64>),
    Exact(Vec<i64>, Scale),
}

impl Features {
    fn push(&mut self, cell: &str) -> Result<(), String> {
        match self {
            Features::Rounded(values) => values.push(columns::to_f64(cell)?),
            Features::Exact(values, scale) => {
                let units = decimal::to_units(cell, *scale);
                values.push(units.map_err(|e: DecimalError| e.to_string())?);
            }
        }
        Ok(())
    }

    fn into_values(self) -> Values {
        match self {
            Features::Rounded(values) => Values::F64(values),
            Features::Exact(values, Scale { exponent: 0, .. }) => Values::I64(values),
            Features::Exact(values, scale) => Values::Scaled { values, scale },
        }
    }
}
