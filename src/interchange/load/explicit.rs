//! Explicit networks from named arrays: the inverse of [`array`](crate::array).

use std::collections::BTreeMap;

use crate::InterchangeError;
use crate::array::{Arrays, MOST_NUMBERS, StoredArray, StoredNumbers};
use shatter_exact::{Dyadic, Rational};
use shatter_network::layered::{Layered, Unit};
use shatter_network::{Activation, ExactNetwork, Network};

/// Numbers other than 0 that any file may have, however few bytes it is packed into.
const ALWAYS: u64 = 1 << 20;

/// The network that these arrays, of a file of `bytes` bytes, are, if they have the names of one.
///
/// An exact number takes many times the memory of a packed one: files have room for as many as they have bytes,
/// which no file exceeds that is not packed.
///
/// # Errors
/// [`InterchangeError::Array`], [`InterchangeError::Entry`], [`InterchangeError::Malformed`] for arrays that have
/// the names and make no network.
pub fn network(arrays: &Arrays, bytes: u64) -> Result<Option<Network>, InterchangeError> {
    let names: Vec<&str> = arrays.entries.keys().map(String::as_str).collect();
    if names == ["a", "b", "c", "w"] {
        within(arrays, bytes)?;
        return two_layer(&arrays.entries).map(Some);
    }
    let structured = arrays.entries.contains_key("layer0.weight");
    if !structured && !arrays.metadata.contains_key("construction") {
        return Ok(None);
    }
    within(arrays, bytes)?;
    let depth = arrays.entries.len() / 2;
    let name = |layer: usize| match structured {
        true => format!("layer{layer}"),
        false => (2 * layer).to_string(),
    };
    let activations = match structured {
        true => Some(activations(&arrays.metadata)?),
        false => None,
    };
    let mut layers = Vec::new();
    // How many numbers the layer before has.
    let mut before: Option<usize> = None;
    for layer in 0..depth {
        let (weight, bias) = (format!("{}.weight", name(layer)), format!("{}.bias", name(layer)));
        let [rows, columns] = sides(arrays, &weight)?;
        if before.is_some_and(|before| before != columns) {
            return Err(refused(
                &weight,
                format!("reads {columns} numbers, and the layer before has others"),
            ));
        }
        let [units] = sides(arrays, &bias)?;
        if units != rows {
            return Err(refused(&bias, format!("has {units} numbers for {rows} units")));
        }
        let of = match &activations {
            None if layer + 1 == depth => vec![Activation::Identity; rows],
            None => vec![Activation::Relu; rows],
            Some(all) => {
                all.get(layer).filter(|of| of.len() == rows).cloned().ok_or_else(|| {
                    refused(&weight, "has other units than its 'activations' name".to_owned())
                })?
            }
        };
        layers.push(units_of(arrays, (&weight, &bias), columns, of)?);
        before = Some(rows);
    }
    if 2 * depth != arrays.entries.len() || activations.is_some_and(|all| all.len() != depth) {
        return Err(InterchangeError::Malformed(
            "its arrays are not a weight and a bias of every layer".to_owned(),
        ));
    }
    let first = format!("{}.weight", name(0));
    let [_, inputs] = sides(arrays, &first)?;
    if inputs > MOST_NUMBERS {
        // Without units there are no numbers to say so.
        return Err(refused(
            &first,
            format!("reads {inputs} numbers, and at most {MOST_NUMBERS} are read"),
        ));
    }
    let output = layers.pop().unwrap_or_default(); // there is the first
    Ok(Some(Network::Layered(Layered { inputs, hidden: layers, output })))
}

/// Refuses more numbers than a file of `bytes` bytes has room for.
fn within(arrays: &Arrays, bytes: u64) -> Result<(), InterchangeError> {
    let most = ALWAYS.max(bytes);
    let count = |entry: &StoredArray| match &entry.values {
        StoredNumbers::Exact(values) => values.len(),
        StoredNumbers::Floats(_, values) => values.iter().filter(|&&x| x != 0.0).count(),
        StoredNumbers::Whole => 0,
    };
    let numbers: u64 = arrays.entries.values().map(|entry| count(entry) as u64).sum();
    match numbers <= most {
        true => Ok(()),
        false => Err(InterchangeError::Malformed(format!(
            "it unpacks to {numbers} numbers that are not 0, and at most {most} are read from its {bytes} bytes"
        ))),
    }
}

fn units_of(
    arrays: &Arrays,
    (weight, bias): (&str, &str),
    columns: usize,
    activations: Vec<Activation>,
) -> Result<Vec<Unit>, InterchangeError> {
    let (weights, biases) = (entry(arrays, weight)?, entry(arrays, bias)?);
    let mut units = Vec::with_capacity(activations.len());
    for (unit, activation) in activations.into_iter().enumerate() {
        let mut row = Vec::new();
        for from in 0..columns {
            let number = rational(weight, weights, unit * columns + from)?;
            if !number.is_zero() {
                row.push((from, number));
            }
        }
        units.push(Unit { weights: row, bias: rational(bias, biases, unit)?, activation });
    }
    Ok(units)
}

fn two_layer(entries: &BTreeMap<String, StoredArray>) -> Result<Network, InterchangeError> {
    let vector = |name: &str| -> Result<Vec<Rational>, InterchangeError> {
        let entry = &entries[name];
        let [length] = entry.shape[..] else {
            return Err(refused(name, format!("is of shape {:?}, not a vector", entry.shape)));
        };
        (0..length).map(|index| rational(name, entry, index)).collect()
    };
    let dyadics = |name: &str| -> Result<Vec<Dyadic>, InterchangeError> {
        let numbers = vector(name)?.into_iter().enumerate();
        numbers
            .map(|(index, number)| {
                Dyadic::from_rational(&number).ok_or_else(|| InterchangeError::Entry {
                    array: name.to_owned(),
                    index,
                    value: number.to_string().chars().take(60).collect(),
                    reason: "is not a whole number times a power of two".to_owned(),
                })
            })
            .collect()
    };
    let (a, b, w, c) = (dyadics("a")?, dyadics("b")?, vector("w")?, dyadics("c")?);
    let [c] = <[Dyadic; 1]>::try_from(c)
        .map_err(|c| refused("c", format!("has {} numbers, not one", c.len())))?;
    if b.len() != w.len() {
        return Err(refused("w", format!("has {} numbers for {} thresholds", w.len(), b.len())));
    }
    Ok(Network::TwoLayer(ExactNetwork { a, b, w, c }))
}

/// The activation of every unit, a list a layer.
fn activations(
    metadata: &BTreeMap<String, String>,
) -> Result<Vec<Vec<Activation>>, InterchangeError> {
    let malformed = |reason: String| InterchangeError::Malformed(reason);
    let text = metadata.get("activations").ok_or_else(|| {
        malformed(
            "it does not say the 'activations' of its units (a list of names a layer)".to_owned(),
        )
    })?;
    let names: Vec<Vec<String>> = serde_json::from_str(text)
        .map_err(|error| malformed(format!("its 'activations' cannot be read: {error}")))?;
    let activation = |name: String| {
        let found = Activation::ALL.into_iter().find(|activation| activation.name() == name);
        found.ok_or_else(|| {
            let name: String = name.chars().take(40).flat_map(char::escape_debug).collect();
            malformed(format!("its 'activations' name '{name}', which is not an activation"))
        })
    };
    let layer = |names: Vec<String>| names.into_iter().map(activation).collect();
    names.into_iter().map(layer).collect()
}

fn refused(array: &str, reason: String) -> InterchangeError {
    InterchangeError::Array { array: array.to_owned(), reason }
}

fn entry<'a>(arrays: &'a Arrays, name: &str) -> Result<&'a StoredArray, InterchangeError> {
    let missing = || InterchangeError::Malformed(format!("it has no array '{name}'"));
    arrays.entries.get(name).ok_or_else(missing)
}

fn sides<const N: usize>(arrays: &Arrays, name: &str) -> Result<[usize; N], InterchangeError> {
    let shape = &entry(arrays, name)?.shape;
    <[usize; N]>::try_from(shape.as_slice())
        .map_err(|_| refused(name, format!("is of shape {shape:?}, which is not {N} sides")))
}

/// A number of an array.
fn rational(name: &str, entry: &StoredArray, index: usize) -> Result<Rational, InterchangeError> {
    let number = match &entry.values {
        StoredNumbers::Exact(values) => values.get(index).cloned(),
        StoredNumbers::Floats(_, values) => {
            values.get(index).and_then(|&x| Dyadic::try_from(x).ok()).map(|x| x.to_rational())
        }
        StoredNumbers::Whole => {
            return Err(refused(name, "holds integers, not weights".to_owned()));
        }
    };
    number.ok_or_else(|| refused(name, format!("has no number {index}")))
}
