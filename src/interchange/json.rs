//! Networks as JSON. Numbers of a construction are texts, and exact whatever they are: `"3"`,
//! `"-3/4"`, as Python's `fractions.Fraction` reads them. Those of a trained network are numbers: the
//! shortest decimals that are read as them in binary64, as JSON is, whatever the type.

mod read;

use serde_json::{Map, Value, json};

use shatter_network::Network;

use super::InterchangeError;
use super::array::{NamedArray, arrays, fits};
use super::number::Floats;

pub use read::read;

/// Texts by their names.
pub fn metadata(metadata: &[(String, String)]) -> Value {
    let entry = |(key, value): &(String, String)| (key.clone(), Value::from(value.as_str()));
    Value::Object(metadata.iter().map(entry).collect::<Map<_, _>>())
}

/// Numbers of an explicit network that are written: zeros of dense matrices are.
///
/// # Errors
/// Those of [`arrays`].
pub fn numbers(network: &Network) -> Result<u64, InterchangeError> {
    let count = |shape: &[usize]| shape.iter().map(|&side| side as u64).product::<u64>();
    Ok(arrays(network)?.iter().map(|part| count(&part.shape)).sum())
}

fn file(arrays: Map<String, Value>, texts: &[(String, String)]) -> String {
    json!({ "metadata": metadata(texts), "arrays": arrays }).to_string() + "\n"
}

/// An explicit network, exactly.
///
/// # Errors
/// Those of [`arrays`], and of [`fits`] for texts.
pub fn construction(
    network: &Network,
    metadata: &[(String, String)],
) -> Result<String, InterchangeError> {
    fits(network, true)?;
    let mut entries = Map::new();
    for part in arrays(network)? {
        let values: Vec<Value> = part.values.map(|x| Value::from(x.to_string())).collect();
        entries.insert(part.name, json!({ "shape": part.shape, "values": values }));
    }
    Ok(file(entries, metadata))
}

/// A trained network. Numbers of binary32 are written with the digits that binary64 wants, so that
/// whoever reads them finds the same numbers and not their neighbours.
///
/// ```
/// use shatter_interchange::{NamedArray, Floats, json};
/// let numbers = Floats::Single(vec![0.1, 0.5]);
/// let array = NamedArray { name: "w".to_owned(), shape: vec![2], numbers };
/// assert!(json::trained(&[array], &[]).contains("[0.10000000149011612,0.5]"));
/// assert_eq!(0.10000000149011612, f64::from(0.1f32));
/// ```
pub fn trained(arrays: &[NamedArray], metadata: &[(String, String)]) -> String {
    let entry = |array: &NamedArray| {
        let values = match &array.numbers {
            Floats::Single(numbers) => json!(numbers),
            Floats::Double(numbers) => json!(numbers),
        };
        (array.name.clone(), json!({ "shape": array.shape, "values": values }))
    };
    file(arrays.iter().map(entry).collect(), metadata)
}
