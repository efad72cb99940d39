//! The safetensors format, as far as checkpoints need it.
//!
//! A file is: the length n of the header (8 bytes, little-endian), the header (n bytes of JSON,
//! spaces at its end), the numbers (little-endian, in the order of their shapes, the last index
//! fastest). The header maps names of tensors to type, shape and place among the numbers, and
//! `__metadata__` to texts. Places neither overlap nor leave gaps; no name stands there twice.
//!
//! Written out here because the `safetensors` crate (0.8) writes texts in an order that changes
//! from run to run, while equal runs must leave equal bytes; keeps one of two tensors of the same
//! name; and adds up sizes that may overflow. The tests compare with it.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value, json};

/// The longest header that the format allows, in bytes.
pub const LONGEST: u64 = 100_000_000;

/// The longest name of a tensor, in bytes, and the most sides, that are read: so that errors can
/// quote them.
const NAME: usize = 1024;
const SIDES: usize = 8;

/// A tensor that is to be written.
#[derive(Debug)]
pub struct Tensor<'a> {
    /// Its name.
    pub name: String,
    /// The type of its numbers, in the format's words: `F32`, `F64`, …
    pub dtype: &'static str,
    /// Its sides.
    pub shape: &'a [usize],
}

/// Bytes of one number of this type; `None` for types that are unknown or share bytes.
fn bytes(dtype: &str) -> Option<u64> {
    Some(match dtype {
        "BOOL" | "U8" | "I8" | "F8_E5M2" | "F8_E4M3" => 1,
        "U16" | "I16" | "F16" | "BF16" => 2,
        "U32" | "I32" | "F32" => 4,
        "U64" | "I64" | "F64" | "C64" => 8,
        _ => return None,
    })
}

/// Bytes of a tensor, if 64 bits count them.
fn size(dtype: &str, shape: &[usize]) -> Option<u64> {
    shape.iter().try_fold(bytes(dtype)?, |product, &side| product.checked_mul(side as u64))
}

/// Everything in front of the numbers of `tensors`, which follow in this order. Numbers begin at a
/// multiple of 8 bytes.
pub fn header(metadata: &BTreeMap<&str, String>, tensors: &[Tensor]) -> Vec<u8> {
    let mut entries = Map::new();
    entries.insert("__metadata__".to_owned(), json!(metadata));
    let mut begin = 0;
    for Tensor { name, dtype, shape } in tensors {
        let end = begin + size(dtype, shape).unwrap_or(0);
        let entry = json!({ "dtype": dtype, "shape": shape, "data_offsets": [begin, end] });
        entries.insert(name.clone(), entry);
        begin = end;
    }
    let mut text = Value::Object(entries).to_string().into_bytes();
    text.resize(text.len().next_multiple_of(8), b' ');
    [&(text.len() as u64).to_le_bytes(), text.as_slice()].concat()
}

/// Where a tensor lies in a file that is read.
#[derive(Debug, serde::Deserialize)]
pub struct Entry {
    /// The type of its numbers, in the format's words.
    pub dtype: String,
    /// Its sides.
    pub shape: Vec<usize>,
    /// First byte, and the one after the last, counted from the first number.
    pub data_offsets: (u64, u64),
}

/// What a header says.
#[derive(Debug)]
pub struct Header {
    /// Texts by name.
    pub metadata: BTreeMap<String, String>,
    /// Tensors by name.
    pub tensors: BTreeMap<String, Entry>,
}

/// Reads a header that `data` bytes of numbers follow; the reason, if it does not describe them.
pub fn parse(text: &[u8], data: u64) -> Result<Header, String> {
    let header: Header =
        serde_json::from_slice(text).map_err(|error| format!("its header is wrong: {error}"))?;
    let mut places = Vec::with_capacity(header.tensors.len());
    for (name, Entry { dtype, shape, data_offsets: (begin, end) }) in &header.tensors {
        let printable = |text: &str| text.len() <= NAME && !text.chars().any(char::is_control);
        if !printable(name) || !printable(dtype) || shape.len() > SIDES {
            return Err(format!(
                "names and types may have at most {NAME} bytes and no control characters, and shapes \
                 at most {SIDES} sides"
            ));
        }
        let of = format!("tensor '{name}' of type {dtype} and shape {shape:?}");
        let wanted = size(dtype, shape).ok_or_else(|| format!("{of} is of unknown size"))?;
        if end.checked_sub(*begin) != Some(wanted) {
            return Err(format!("{of} spans bytes {begin} to {end}; expected {wanted} bytes"));
        }
        places.push((*begin, *end, name));
    }
    places.sort_unstable();
    let mut filled = 0;
    for (begin, end, name) in places {
        if begin != filled {
            return Err(format!("tensor '{name}' begins at byte {begin}; expected {filled}"));
        }
        filled = end;
    }
    if filled != data {
        return Err(format!("its tensors have {filled} bytes, and the file has {data}"));
    }
    Ok(header)
}

/// Takes each key of a map once.
fn once<V>(map: &mut BTreeMap<String, V>, key: String, value: V) -> Result<(), String> {
    let twice = format!("'{key}' appears twice");
    map.insert(key, value).map_or(Ok(()), |_| Err(twice))
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Header, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("tensors by their names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut metadata = None;
                let mut tensors = BTreeMap::new();
                while let Some(key) = map.next_key::<String>()? {
                    if key != "__metadata__" {
                        once(&mut tensors, key, map.next_value()?).map_err(A::Error::custom)?;
                    } else if metadata.replace(map.next_value::<Texts>()?.0).is_some() {
                        return Err(A::Error::duplicate_field("__metadata__"));
                    }
                }
                Ok(Header { metadata: metadata.unwrap_or_default(), tensors })
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// Texts by their names, each once.
#[derive(Debug)]
pub struct Texts(pub BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Texts, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("texts by their names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
                let mut texts = BTreeMap::new();
                while let Some((key, value)) = map.next_entry()? {
                    once(&mut texts, key, value).map_err(A::Error::custom)?;
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}
