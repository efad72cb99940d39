//! Which output stands for a class of a sample.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use shatter_sample::class_name::{self, key};

use super::ReadingError;

/// A class of a sample: its name, and the number that it has by itself.
pub(super) struct Class<'a> {
    pub name: &'a str,
    pub number: Option<u32>,
}

/// The classes of a network, by name.
pub(super) struct Names<'a> {
    names: &'a [String],
    /// Where each name stands, and where each number does however it is written; `None` where two do.
    exactly: HashMap<&'a str, Option<u32>>,
    by_value: HashMap<String, Option<u32>>,
}

fn put<K: Eq + std::hash::Hash>(map: &mut HashMap<K, Option<u32>>, name: K, at: u32) {
    match map.entry(name) {
        Entry::Vacant(entry) => drop(entry.insert(Some(at))),
        Entry::Occupied(mut entry) => drop(entry.insert(None)),
    }
}

impl<'a> Names<'a> {
    pub fn new(names: &'a [String]) -> Names<'a> {
        let (mut exactly, mut by_value) = (HashMap::new(), HashMap::new());
        for (at, name) in (0u32..).zip(names) {
            put(&mut exactly, name.as_str(), at);
            put(&mut by_value, key(name).into_owned(), at);
        }
        Names { names, exactly, by_value }
    }

    /// The number of the class of this name: its own text first, then the same number in another spelling, then
    /// the number that the source of the sample gave it beside its name.
    pub fn find(&self, class: &Class) -> Result<u32, ReadingError> {
        let by_value = |name: &str| self.by_value.get(key(name).as_ref()).copied();
        let found = self.exactly.get(class.name).copied();
        let found = found.or_else(|| by_value(class.name));
        let found = found.or_else(|| by_value(&class.number?.to_string()));
        let shown = || shown(self.names);
        match found {
            Some(Some(at)) => Ok(at),
            Some(None) => Err(ReadingError::Twice { class: visible(class.name), known: shown() }),
            None => Err(ReadingError::Unknown { class: visible(class.name), known: shown() }),
        }
    }
}

/// The class of each output where a network has no names: the numbers 0, 1, ….
pub(super) fn own_number(class: &Class) -> Result<u32, ReadingError> {
    let number = class.number.filter(|&number| number <= class_name::LARGEST);
    number.ok_or_else(|| ReadingError::Unnamed { class: visible(class.name) })
}

/// Of two classes without names, the second: 1 beside −1 or 0.
pub(super) fn second_of_two(classes: &[Class]) -> Result<Vec<bool>, ReadingError> {
    let number = |class: &Class| match class.number {
        Some(number) => number.to_string(),
        None => key(class.name).into_owned(),
    };
    let numbers: Vec<String> = classes.iter().map(number).collect();
    for first in ["-1", "0"] {
        if numbers.iter().all(|number| number == first || number == "1") {
            return Ok(numbers.iter().map(|number| number == "1").collect());
        }
    }
    let other = |number: &&String| !["-1", "0", "1"].contains(&number.as_str());
    let at = numbers.iter().position(|number| other(&number)).unwrap_or(0);
    Err(ReadingError::NotTwo { class: visible(classes[at].name) })
}

/// A name without control characters.
pub(super) fn visible(name: &str) -> String {
    const MOST: usize = 60;
    let shown: String = name.chars().take(MOST).flat_map(char::escape_debug).collect();
    if name.chars().nth(MOST).is_some() { shown + "…" } else { shown }
}

/// The first names of a list.
pub(super) fn shown(names: &[String]) -> String {
    const MOST: usize = 6;
    let first: Vec<String> = names.iter().take(MOST).map(|name| visible(name)).collect();
    first.join(", ") + if names.len() > MOST { ", …" } else { "" }
}
