//! The rows of a table one by one, and what its first row says about its columns.

use std::path::{Path, PathBuf};

use super::SampleError;
use super::table::TableOptions;

/// Walks through the rows, checks that they are of one length, and knows where it is.
pub(crate) struct Cells<'a> {
    path: PathBuf,
    text: &'a str,
    reader: csv::Reader<&'a [u8]>,
    row: csv::StringRecord,
    columns: Option<usize>,
    names: Vec<String>,
}

impl<'a> Cells<'a> {
    pub(crate) fn new(path: &Path, text: &'a str) -> Cells<'a> {
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator(text))
            .from_reader(text.as_bytes());
        let row = csv::StringRecord::new();
        Cells { path: path.into(), text, reader, row, columns: None, names: Vec::new() }
    }

    /// The cells of the row, without the spaces around them.
    pub(crate) fn row(&self) -> impl Iterator<Item = &str> + Clone {
        self.row.iter().map(str::trim)
    }

    /// Goes to the next row that is not blank; false at the end.
    pub(crate) fn advance(&mut self) -> Result<bool, SampleError> {
        loop {
            let outcome = self.reader.read_record(&mut self.row);
            let there = outcome.map_err(|e| self.format(format!("it is not a table: {e}")))?;
            if !there {
                return Ok(false);
            }
            if self.row.len() == 1 && self.row().all(str::is_empty) {
                continue;
            }
            let found = self.row.len();
            let expected = *self.columns.get_or_insert(found);
            if found == expected {
                return Ok(true);
            }
            let row = self.line_of(self.position());
            let reason = format!(
                "row {row} has {found} cells; expected {expected}, as in the rows before it"
            );
            return Err(self.format(reason));
        }
    }

    /// Takes the row as names of the columns.
    pub(crate) fn take_header(&mut self) {
        self.names = self.row().map(String::from).collect();
    }

    /// Offset of the row in the text.
    pub(crate) fn position(&self) -> u64 {
        self.row.position().map_or(0, csv::Position::byte)
    }

    /// The error of the cell in column `place`, from 0, of the row.
    pub(crate) fn error(&self, place: usize, reason: impl Into<String>) -> SampleError {
        self.error_at(self.position(), place, self.row().nth(place).unwrap_or_default(), reason)
    }

    /// The error of a cell in the row that begins at `position`.
    pub(crate) fn error_at(
        &self,
        position: u64,
        place: usize,
        cell: &str,
        reason: impl Into<String>,
    ) -> SampleError {
        let column = match self.names.get(place) {
            Some(name) => format!("{} ({})", place + 1, shorten(name)),
            None => (place + 1).to_string(),
        };
        let (row, value) = (self.line_of(position), shorten(cell));
        SampleError::Cell { file: self.path.clone(), row, column, value, reason: reason.into() }
    }

    fn format(&self, reason: String) -> SampleError {
        SampleError::Format { file: self.path.clone(), reason }
    }

    /// The line, from 1, as an editor counts, of the row at or after a position: blank lines come
    /// before it.
    fn line_of(&self, position: u64) -> u64 {
        let (mut line, mut previous) = (1, 0);
        for (at, byte) in (0u64..).zip(self.text.bytes()) {
            if at >= position && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            line += u64::from(byte == b'\r' || (byte == b'\n' && previous != b'\r'));
            previous = byte;
        }
        line
    }
}

/// Comma, semicolon or tab: the one that the first line holds most often, quotes apart.
fn separator(text: &str) -> u8 {
    let first = text.trim_start_matches(['\r', '\n']).lines().next().unwrap_or_default();
    let unquoted = || first.split('"').step_by(2).flat_map(str::bytes);
    let most = [b',', b';', b'\t'].map(|byte| (unquoted().filter(|&b| b == byte).count(), byte));
    most.into_iter()
        .max_by_key(|&(count, _)| count)
        .map_or(b',', |(count, byte)| if count == 0 { b',' } else { byte })
}

/// The beginning of a cell on one line, for messages.
fn shorten(cell: &str) -> String {
    const MOST: usize = 60;
    let mut text = String::new();
    for (count, character) in cell.chars().enumerate() {
        match character {
            _ if count == MOST => return text + "…",
            c if c.is_control() => text.extend(c.escape_default()),
            c => text.push(c),
        }
    }
    text
}

/// Returns whether the cell is one of the usual marks of a missing value.
pub(crate) fn is_missing(cell: &str) -> bool {
    const MARKS: [&str; 6] = ["?", "na", "n/a", "#n/a", "nan", "null"];
    cell.is_empty() || MARKS.iter().any(|mark| cell.eq_ignore_ascii_case(mark))
}

/// The binary64 number nearest to a decimal.
pub(crate) fn to_f64(cell: &str) -> Result<f64, &'static str> {
    match cell.parse::<f64>() {
        Err(_) => Err("is not a number"),
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) if has_digit(cell) => Err("is beyond the largest binary64 number"),
        Ok(_) => Err("is not a finite number"),
    }
}

fn has_digit(cell: &str) -> bool {
    cell.bytes().any(|byte| byte.is_ascii_digit())
}

/// Meaning of the columns, by the first row and the options.
pub(crate) struct Layout {
    /// The label's column, from 0.
    pub(crate) label: usize,
    /// True if the first row is a header.
    pub(crate) header: bool,
}

/// Finds the label column, and whether the first row is a header.
pub(crate) fn layout(cells: &Cells<'_>, options: &TableOptions) -> Result<Layout, SampleError> {
    let columns = cells.row.len();
    let (label, named) = match options.label.as_deref().map(|label| (label, label.parse::<i64>())) {
        None => (columns.saturating_sub(1), false),
        Some((_, Ok(number))) => {
            let from_left = if number > 0 {
                number - 1
            } else {
                number.saturating_add_unsigned(columns as u64)
            };
            let place = usize::try_from(from_left).ok().filter(|&p| p < columns && number != 0);
            let reason = || {
                let range = format!(
                    "columns are numbered 1 to {columns}, or -1 to -{columns} from the end"
                );
                cells.format(format!("the table has no column {number} for the label: {range}"))
            };
            (place.ok_or_else(reason)?, false)
        }
        Some((name, Err(_))) => (named_column(cells, name, options.header)?, true),
    };
    let mut features = cells.row().enumerate().filter(|&(place, _)| place != label);
    let no_number = features.all(|(_, cell)| cell.parse::<f64>().is_err() || !has_digit(cell));
    Ok(Layout { label, header: options.header.unwrap_or(named || no_number) })
}

fn named_column(cells: &Cells<'_>, name: &str, header: Option<bool>) -> Result<usize, SampleError> {
    if header == Some(false) {
        let reason =
            format!("a table without a header row has no column '{name}': give its number");
        return Err(cells.format(reason));
    }
    let mut places = cells.row().enumerate().filter(|(_, cell)| *cell == name);
    match (places.next(), places.next()) {
        (Some((place, _)), None) => Ok(place),
        (Some((first, _)), Some((second, _))) => {
            let (first, second) = (first + 1, second + 1);
            let reason =
                format!("columns {first} and {second} are both named '{name}': give its number");
            Err(cells.format(reason))
        }
        (None, _) => {
            let row: Vec<&str> = cells.row().collect();
            let row = shorten(&row.join(", "));
            Err(cells.format(format!("no column is named '{name}' in the first row: {row}")))
        }
    }
}
