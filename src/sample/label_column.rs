//! The label column of a table, as classes or numbers.

use std::collections::{BTreeSet, HashMap};

use super::columns::{self, Cells};
use super::decimal::Decimal;
use super::table::LabelType;
use super::{Labels, SampleError};

/// The label column: each text once.
#[derive(Default)]
pub(crate) struct Column {
    of: Vec<u32>,
    known: HashMap<Box<str>, u32>,
    /// Row in which each text is first.
    positions: Vec<u64>,
}

impl Column {
    pub(crate) fn push(&mut self, cell: &str, position: u64) -> Result<(), SampleError> {
        let id = match self.known.get(cell) {
            Some(&id) => id,
            None => {
                let new = self.known.len();
                let id = u32::try_from(new).map_err(|_| SampleError::TooMany(new))?;
                self.known.insert(cell.into(), id);
                self.positions.push(position);
                id
            }
        };
        self.of.push(id);
        Ok(())
    }

    /// Classes or numbers, as the target says or as the texts suggest.
    pub(crate) fn into_labels(
        self,
        target: Option<LabelType>,
        cells: &Cells<'_>,
        place: usize,
    ) -> Result<Labels, SampleError> {
        let mut texts: Vec<(u32, Box<str>)> =
            self.known.into_iter().map(|(text, id)| (id, text)).collect();
        texts.sort_unstable();
        let all_integers = texts.iter().all(|(_, text)| text.parse::<i128>().is_ok());
        let all_numbers = texts.iter().all(|(_, text)| text.parse::<f64>().is_ok());
        let by_itself =
            if all_integers || !all_numbers { LabelType::Class } else { LabelType::Number };
        if target.unwrap_or(by_itself) == LabelType::Number {
            let mut numbers = Vec::new();
            for ((_, text), &position) in texts.iter().zip(&self.positions) {
                let number = columns::to_f64(text);
                numbers.push(number.map_err(|e| cells.error_at(position, place, text, e))?);
            }
            return Labels::real(pick(&self.of, &numbers), 1);
        }
        // Numbers in their order and each once, however it is written; among words, each as it is written, numbers first.
        let numbers: Option<Vec<Decimal>> =
            texts.iter().map(|(_, text)| Decimal::of(text)).collect();
        let (ids, names) = match numbers {
            Some(numbers) => {
                let (ids, sorted) = rank(numbers);
                (ids, sorted.iter().map(Decimal::to_string).collect::<Vec<_>>())
            }
            None => {
                let (ids, sorted) = rank(texts.into_iter().map(|(_, text)| name(text)).collect());
                let spelled = |(_, _, text): Name| String::from(text);
                (ids, sorted.into_iter().map(spelled).collect())
            }
        };
        let count = u32::try_from(names.len()).map_err(|_| SampleError::TooMany(names.len()))?;
        let of = pick(&self.of, &ids);
        Ok(Labels::Classes { of, count, names, numbered: false })
    }
}

/// A name among words, in their order: whether it is a word, its number, and its text.
type Name = (bool, Option<Decimal>, Box<str>);

fn name(text: Box<str>) -> Name {
    // Among words 1e1 is one.
    let number = Decimal::of(&text).filter(|_| !text.contains(['e', 'E']));
    (number.is_none(), number, text)
}

fn pick<T: Copy>(of: &[u32], values: &[T]) -> Vec<T> {
    of.iter().filter_map(|&id| values.get(id as usize)).copied().collect()
}

/// The place of each value in order, equal ones counted once; and the values in order.
fn rank<T: Ord + Clone>(values: Vec<T>) -> (Vec<u32>, Vec<T>) {
    let sorted: Vec<T> = values.iter().cloned().collect::<BTreeSet<T>>().into_iter().collect();
    let place = |value| sorted.binary_search(value).unwrap_or_default() as u32;
    (values.iter().map(place).collect(), sorted)
}
