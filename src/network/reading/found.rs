//! The classes that the points of a sample have.

use std::borrow::Cow;
use std::collections::HashMap;

use shatter_sample::Labels;

use super::ReadingError;

/// The classes of a sample that some point has, and which of them each point has.
pub(super) struct Found<'a> {
    /// Their names.
    pub names: Vec<Cow<'a, str>>,
    /// The numbers that they have by themselves.
    pub numbers: Vec<Option<u32>>,
    /// Which of them each point has.
    pub of: Vec<u32>,
}

impl<'a> Found<'a> {
    /// Those of labels, of which a real number is the class of its number.
    ///
    /// # Errors
    /// [`ReadingError::NotClass`] for a number that is not whole.
    pub fn of(labels: &'a Labels) -> Result<Found<'a>, ReadingError> {
        let mut found = Found { names: Vec::new(), numbers: Vec::new(), of: Vec::new() };
        match labels {
            Labels::Classes { of, count, .. } => {
                let mut places: Vec<Option<u32>> = vec![None; *count as usize];
                for &class in of {
                    let place = places[class as usize].unwrap_or_else(|| {
                        found.names.push(labels.name(class));
                        found.numbers.push(labels.number(class));
                        found.names.len() as u32 - 1
                    });
                    places[class as usize] = Some(place);
                    found.of.push(place);
                }
            }
            Labels::Real { values, .. } => {
                let mut places: HashMap<u64, u32> = HashMap::new();
                for (point, &value) in values.iter().enumerate() {
                    // Beyond this, numbers stand for their neighbours, too.
                    if value.fract() != 0.0 || value.abs() >= 9007199254740992.0 {
                        return Err(ReadingError::NotClass { point, label: value.to_string() });
                    }
                    let place = *places.entry(value.to_bits()).or_insert_with(|| {
                        let number = value as i64;
                        found.names.push(Cow::Owned(number.to_string()));
                        found.numbers.push(u32::try_from(number).ok());
                        found.names.len() as u32 - 1
                    });
                    found.of.push(place);
                }
            }
        }
        Ok(found)
    }
}

/// Where the 1 of each row of `width` numbers is, all others being 0.
///
/// # Errors
/// [`ReadingError::NotClass`] for any other row.
pub(super) fn one_hot(labels: &Labels, width: usize) -> Result<Vec<u32>, ReadingError> {
    let Labels::Real { values, .. } = labels else { return Ok(Vec::new()) };
    let of_row = |(point, row): (usize, &[f64])| {
        let mut ones = (0u32..).zip(row).filter(|(_, x)| **x != 0.0);
        match (ones.next(), ones.next()) {
            (Some((at, 1.0)), None) => Ok(at),
            _ => Err(ReadingError::NotClass { point, label: labels.describe(point) }),
        }
    };
    values.chunks(width).enumerate().map(of_row).collect()
}
