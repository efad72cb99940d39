//! Trained architectures from arrays under PyTorch's names.

use std::collections::BTreeMap;
use std::path::Path;

use crate::InterchangeError;
use crate::array::{Arrays, StoredArray, StoredNumbers};
use shatter_exact::{Element, Format};
use shatter_network::architecture::{Architecture, Parameter, Shape};
use shatter_train::{Checkpoint, Identity, Progress, checkpoint};

use super::{LoadError, LoadOptions, MissingFact};

/// An architecture with its arrays.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The layers.
    pub architecture: Architecture,
    /// The arrays in the order of [`Architecture::arrays`], widened to binary64.
    pub arrays: Vec<(Parameter, Vec<f64>)>,
    /// The smallest format that has all numbers of the file.
    pub precision: Format,
    /// Identity of a checkpoint's training, and its progress; `None` for other files.
    pub run: Option<Box<TrainingRun>>,
}

/// The run that wrote a checkpoint.
#[derive(Clone, Debug)]
pub struct TrainingRun {
    /// Data and settings.
    pub identity: Identity,
    /// Steps and epochs that are done.
    pub progress: Progress,
}

impl Trained {
    /// Numbers that come out.
    pub fn outputs(&self) -> usize {
        self.architecture.output().map_or(0, |shape| shape.len()) // it has one: its arrays were found
    }
}

/// Of a checkpoint; velocities are left out.
pub fn of_checkpoint<E: Element>(path: &Path, held: Checkpoint<E>) -> Result<Trained, LoadError> {
    let architecture = held
        .network()
        .map_err(|source| LoadError::Architecture { file: path.to_owned(), source })?;
    let wide = |values: Vec<E>| values.into_iter().map(Element::to_f64).collect();
    let arrays = held.arrays.into_iter().map(|(array, values)| (array, wide(values))).collect();
    let run = Some(Box::new(TrainingRun { identity: held.identity, progress: held.progress }));
    Ok(Trained { architecture, arrays, precision: E::FORMAT, run })
}

/// Of plain arrays, with their texts; the layers are those of `options`, or of the texts.
pub fn trained(
    path: &Path,
    mut arrays: Arrays,
    options: &LoadOptions,
) -> Result<(Trained, BTreeMap<String, String>), LoadError> {
    let file = || path.to_owned();
    let unsaid = |missing| LoadError::Unsaid { file: file(), missing };
    let text = |key: &str| arrays.metadata.get(key).map(String::as_str);
    let input = options.input.or_else(|| text("input").and_then(checkpoint::sides));
    let input = input.or_else(|| vector(&arrays));
    let input = input.ok_or_else(|| unsaid(MissingFact::Input))?;
    let own = text("outputs").and_then(|outputs| outputs.parse().ok());
    let outputs = options.outputs.or(own).or_else(|| last(&arrays));
    let outputs = outputs.ok_or_else(|| unsaid(MissingFact::Outputs))?;
    let architecture = match (options.architecture, text("architecture")) {
        (Some(words), _) => Architecture::named(words, input, outputs),
        (None, Some(words)) => checkpoint::network(words, input, outputs),
        (None, None) => return Err(unsaid(MissingFact::Layers)),
    };
    let architecture =
        architecture.map_err(|source| LoadError::Architecture { file: file(), source })?;
    let said = text("precision").map(str::to_owned);
    let (taken, precision) = take(path, &mut arrays, &architecture)?;
    let precision = match said.as_deref().and_then(named) {
        Some(said) => narrowed(path, &taken, said)?,
        None => precision,
    };
    let trained = Trained { architecture, arrays: taken, precision, run: None };
    Ok((trained, arrays.metadata))
}

/// The arrays of an architecture, in their order.
type Taken = Vec<(Parameter, Vec<f64>)>;

/// The arrays of an architecture, and the smallest format that has all of their numbers; velocities and
/// PyTorch's counters of batches are passed over.
pub fn take(
    path: &Path,
    arrays: &mut Arrays,
    architecture: &Architecture,
) -> Result<(Taken, Format), LoadError> {
    let file = || path.to_owned();
    let wanted =
        architecture.arrays().map_err(|source| LoadError::Architecture { file: file(), source })?;
    let mut taken = Vec::with_capacity(wanted.len());
    let mut precision: Option<Format> = None;
    for array in wanted {
        let Some(StoredArray { shape, values }) = arrays.entries.remove(&array.name) else {
            return Err(LoadError::Missing {
                file: file(),
                array: array.name,
                wanted: array.shape,
            });
        };
        if shape != array.shape {
            let (found, wanted) = (shape, array.shape);
            return Err(LoadError::Shape { file: file(), array: array.name, found, wanted });
        }
        let refuse = |source| LoadError::Content { file: file(), source: Box::new(source) };
        let (of, values) = floats(&array.name, values).map_err(refuse)?;
        precision = Some(precision.map_or(of, |held| joined(held, of)));
        taken.push((array, values));
    }
    let other = arrays.entries.iter().find(|(name, entry)| {
        let counter =
            entry.values == StoredNumbers::Whole && name.ends_with(".num_batches_tracked");
        !counter && !name.starts_with(checkpoint::VELOCITY)
    });
    match other {
        Some((name, entry)) => {
            let (array, found) = (name.clone(), entry.shape.clone());
            Err(LoadError::Excess { file: file(), array, found })
        }
        None => Ok((taken, precision.unwrap_or(Format::F64))),
    }
}

/// The numbers of an array in binary64, which must have them.
fn floats(name: &str, values: StoredNumbers) -> Result<(Format, Vec<f64>), InterchangeError> {
    let array = || name.to_owned();
    match values {
        StoredNumbers::Floats(of, values) => Ok((of, values)),
        StoredNumbers::Whole => {
            let reason = "holds integers, not weights".to_owned();
            Err(InterchangeError::Array { array: array(), reason })
        }
        StoredNumbers::Exact(values) => {
            let number = |(index, x): (usize, shatter_exact::Rational)| {
                let held = shatter_exact::Dyadic::from_rational(&x).and_then(|x| x.to_f64());
                held.ok_or_else(|| InterchangeError::Entry {
                    array: array(),
                    index,
                    value: x.to_string().chars().take(60).collect(),
                    reason: "is not a binary64 number".to_owned(),
                })
            };
            let values = values.into_iter().enumerate().map(number).collect::<Result<_, _>>()?;
            Ok((Format::F64, values))
        }
    }
}

/// The smallest format that has all numbers of both.
fn joined(one: Format, two: Format) -> Format {
    match (one, two) {
        (one, two) if one == two => one,
        (Format::F64, _) | (_, Format::F64) => Format::F64,
        _ => Format::F32,
    }
}

fn named(name: &str) -> Option<Format> {
    let all = [Format::F16, Format::Bf16, Format::F32, Format::F64];
    all.into_iter().find(|format| format.name() == name)
}

/// The format that the file says its numbers have, if they do.
fn narrowed(
    path: &Path,
    arrays: &[(Parameter, Vec<f64>)],
    said: Format,
) -> Result<Format, LoadError> {
    for (array, values) in arrays {
        if let Some(index) = values.iter().position(|&x| !said.has(x)) {
            let source = InterchangeError::Entry {
                array: array.name.clone(),
                index,
                value: values[index].to_string(),
                reason: format!("is not a number of {said}, the precision that the file names"),
            };
            return Err(LoadError::Content { file: path.to_owned(), source: Box::new(source) });
        }
    }
    Ok(said)
}

/// Place of a layer at the top, of an array that belongs to one: `12.weight`.
fn place(name: &str) -> Option<usize> {
    name.strip_suffix(".weight")?.parse().ok()
}

fn weights(arrays: &Arrays) -> impl Iterator<Item = (usize, &[usize])> {
    arrays.entries.iter().filter_map(|(name, entry)| Some((place(name)?, entry.shape.as_slice())))
}

/// Outputs of the last dense layer.
fn last(arrays: &Arrays) -> Option<usize> {
    let (_, shape) = weights(arrays).max_by_key(|(place, _)| *place)?;
    match *shape {
        [outputs, _] => Some(outputs),
        _ => None,
    }
}

/// The vector that the first layer takes, if it is a dense one.
fn vector(arrays: &Arrays) -> Option<Shape> {
    let (_, shape) = weights(arrays).min_by_key(|(place, _)| *place)?;
    match *shape {
        [_, inputs] => Some(Shape::vector(inputs)),
        _ => None,
    }
}
