//! The wire format of protobuf, walked field by field without copying: so that a file takes its own
//! size in memory and not the many times of it that a hostile one would take as messages.
//!
//! Lists are bounded; lengths are held against what is there before anything is made of them. What a
//! graph has many of, its nodes and tensors, is kept as bytes and walked when it is wanted: two bytes of
//! a file can be an attribute, which takes hundreds.

use prost::Message;
use prost::encoding::{WireType, decode_key, decode_varint};

use super::message::{Entry, OperatorSet, ValueInfo};
use crate::InterchangeError;

/// The most nodes, initializers, inputs or outputs of a graph.
const MOST: usize = 1 << 16;
/// The most inputs or outputs of a node.
const MOST_OF_NODE: usize = 1024;
/// The most attributes of a node, and whole numbers of one.
const ATTRIBUTES: usize = 32;
/// The longest name, in bytes, and the longest description of an input.
const NAME: usize = 4096;
const DESCRIPTION: usize = 1 << 13;
/// The most sides of a tensor.
pub const SIDES: usize = 8;

type Result<T> = std::result::Result<T, InterchangeError>;

pub fn malformed<T>(reason: impl Into<String>) -> Result<T> {
    Err(InterchangeError::Malformed(reason.into()))
}

/// The value of a field.
#[derive(Clone, Copy)]
enum Field<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Four([u8; 4]),
    Eight,
}

/// Splits the first field off; its number and value.
fn next<'a>(rest: &mut &'a [u8]) -> Result<(u32, Field<'a>)> {
    let broken = |error: prost::DecodeError| InterchangeError::Malformed(error.to_string());
    let (number, kind) = decode_key(rest).map_err(broken)?;
    let mut take = |length: usize| -> Result<&'a [u8]> {
        match rest.split_at_checked(length) {
            Some((taken, left)) => {
                *rest = left;
                Ok(taken)
            }
            None => malformed(format!("a field of {length} bytes where {} are left", rest.len())),
        }
    };
    let value = match kind {
        WireType::Varint => Field::Varint(decode_varint(rest).map_err(broken)?),
        WireType::LengthDelimited => {
            let length = decode_varint(rest).map_err(broken)?;
            let Ok(length) = usize::try_from(length) else {
                return malformed("a field is too long");
            };
            let Some((taken, left)) = rest.split_at_checked(length) else {
                return malformed(format!(
                    "a field of {length} bytes where {} are left",
                    rest.len()
                ));
            };
            *rest = left;
            Field::Bytes(taken)
        }
        WireType::ThirtyTwoBit => {
            let bytes = take(4)?;
            Field::Four([bytes[0], bytes[1], bytes[2], bytes[3]])
        }
        WireType::SixtyFourBit => {
            take(8)?;
            Field::Eight
        }
        WireType::StartGroup | WireType::EndGroup => {
            return malformed("a group, which ONNX does not use");
        }
    };
    Ok((number, value))
}

/// Calls `each` for every field.
fn fields<'a>(
    mut bytes: &'a [u8],
    mut each: impl FnMut(u32, Field<'a>) -> Result<()>,
) -> Result<()> {
    while !bytes.is_empty() {
        let (number, value) = next(&mut bytes)?;
        each(number, value)?;
    }
    Ok(())
}

impl<'a> Field<'a> {
    fn bytes(self) -> Result<&'a [u8]> {
        match self {
            Field::Bytes(bytes) => Ok(bytes),
            _ => malformed("a field of another kind than ONNX has there"),
        }
    }

    fn integer(self) -> Result<i64> {
        match self {
            Field::Varint(value) => Ok(value as i64),
            _ => malformed("a field of another kind than ONNX has there"),
        }
    }

    fn name(self) -> Result<&'a str> {
        let bytes = self.bytes()?;
        match std::str::from_utf8(bytes) {
            Ok(name) if name.len() <= NAME && !name.chars().any(char::is_control) => Ok(name),
            _ => malformed(format!("a name of more than {NAME} bytes, or of control characters")),
        }
    }
}

fn push<T>(list: &mut Vec<T>, item: T, most: usize, what: &str) -> Result<()> {
    if list.len() >= most {
        return malformed(format!("more than {most} {what}"));
    }
    list.push(item);
    Ok(())
}

/// Whole numbers, packed or one by one.
fn integers(list: &mut Vec<i64>, field: Field, most: usize) -> Result<()> {
    match field {
        Field::Varint(value) => push(list, value as i64, most, "whole numbers"),
        _ => {
            let mut bytes = field.bytes()?;
            while !bytes.is_empty() {
                let value = decode_varint(&mut bytes)
                    .map_err(|error| InterchangeError::Malformed(error.to_string()))?;
                push(list, value as i64, most, "whole numbers")?;
            }
            Ok(())
        }
    }
}

/// A file.
#[derive(Default)]
pub struct Model<'a> {
    pub opset: i64,
    /// For [`node`].
    pub nodes: Vec<&'a [u8]>,
    /// For [`tensor`].
    pub initializers: Vec<&'a [u8]>,
    pub inputs: Vec<Named<'a>>,
    pub outputs: Vec<Named<'a>>,
}

/// An input or output of the graph: its name, and bytes for [`described`].
pub struct Named<'a> {
    pub name: &'a str,
    bytes: &'a [u8],
}

/// A node.
#[derive(Default)]
pub struct Node<'a> {
    pub inputs: Vec<&'a str>,
    pub outputs: Vec<&'a str>,
    pub name: &'a str,
    pub operator: &'a str,
    pub domain: &'a str,
    pub attributes: Vec<Attribute<'a>>,
}

/// An attribute.
#[derive(Default)]
pub struct Attribute<'a> {
    pub name: &'a str,
    /// Which value it has, by ONNX's numbers; 0 where the file does not say. A value of 0, or an empty
    /// one, may be left out of a file.
    pub kind: i64,
    pub float: Option<f32>,
    pub int: Option<i64>,
    pub ints: Vec<i64>,
    pub floats: Vec<f32>,
    pub text: &'a [u8],
    /// For [`tensor`].
    pub tensor: Option<&'a [u8]>,
}

/// A tensor whose numbers still lie in the file.
#[derive(Clone, Default)]
pub struct Tensor<'a> {
    pub name: &'a str,
    pub dims: Vec<i64>,
    pub data_type: i64,
    /// Little-endian numbers, and the field that holds them: 4 for binary32, 10 for binary64, 9 for any.
    pub raw: &'a [u8],
    pub field: u32,
    /// Packed whole numbers of variable length: of 64 bits (field 7), or of 32 bits and fewer (field 5).
    pub packed: &'a [u8],
    /// Whether the file says that its numbers are in another file; where there.
    pub outside: bool,
    pub external: External<'a>,
    /// Whether numbers stand there in another way than packed.
    pub elsewhere: bool,
}

/// Where numbers lie in another file.
#[derive(Clone, Copy, Default)]
pub struct External<'a> {
    pub location: &'a str,
    pub offset: Option<u64>,
    pub length: Option<u64>,
}

/// Walks a file.
pub fn model(bytes: &[u8]) -> Result<Model<'_>> {
    let mut model = Model::default();
    let mut graphs = 0;
    let mut opset = None;
    fields(bytes, |number, field| {
        match number {
            7 => {
                graphs += 1;
                if graphs > 1 {
                    return malformed("two graphs");
                }
                graph(field.bytes()?, &mut model)?;
            }
            8 => {
                let set = field.bytes()?;
                if set.len() > NAME {
                    return malformed("the name of an operator set is too long");
                }
                let set = OperatorSet::decode(set)
                    .map_err(|error| InterchangeError::Malformed(error.to_string()))?;
                let own = set.domain.is_empty() || set.domain == "ai.onnx";
                if own && opset.replace(set.version).is_some() {
                    return malformed("it names two versions of ONNX's operators");
                }
            }
            25 => return malformed("it defines functions, which are not read"),
            _ => {}
        }
        Ok(())
    })?;
    if graphs == 0 {
        return malformed("it has no graph");
    }
    match opset {
        Some(opset) => Ok(Model { opset, ..model }),
        None => malformed("it names no version of ONNX's operators"),
    }
}

fn graph<'a>(bytes: &'a [u8], model: &mut Model<'a>) -> Result<()> {
    fields(bytes, |number, field| match number {
        1 => push(&mut model.nodes, field.bytes()?, MOST, "nodes"),
        5 => push(&mut model.initializers, field.bytes()?, MOST, "initializers"),
        11 => push(&mut model.inputs, named(field.bytes()?)?, MOST, "inputs"),
        12 => push(&mut model.outputs, named(field.bytes()?)?, MOST, "outputs"),
        15 => malformed("it has sparse initializers, which are not read"),
        _ => Ok(()),
    })
}

fn named(bytes: &[u8]) -> Result<Named<'_>> {
    let mut name = "";
    fields(bytes, |number, field| {
        if number == 1 {
            name = field.name()?;
        }
        Ok(())
    })?;
    Ok(Named { name, bytes })
}

/// The type and shape of an input.
pub fn described(input: &Named) -> Result<ValueInfo> {
    if input.bytes.len() > DESCRIPTION {
        return malformed(format!("the description of input '{}' is too long", input.name));
    }
    ValueInfo::decode(input.bytes).map_err(|error| InterchangeError::Malformed(error.to_string()))
}

/// Walks a node.
pub fn node(bytes: &[u8]) -> Result<Node<'_>> {
    let mut node = Node::default();
    fields(bytes, |number, field| {
        match number {
            1 => push(&mut node.inputs, field.name()?, MOST_OF_NODE, "inputs of a node")?,
            2 => push(&mut node.outputs, field.name()?, MOST_OF_NODE, "outputs of a node")?,
            3 => node.name = field.name()?,
            4 => node.operator = field.name()?,
            5 => {
                let read = attribute(field.bytes()?)?;
                if node.attributes.iter().any(|other| other.name == read.name) {
                    return malformed(format!("a node has attribute '{}' twice", read.name));
                }
                push(&mut node.attributes, read, ATTRIBUTES, "attributes of a node")?;
            }
            7 => node.domain = field.name()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(node)
}

fn attribute(bytes: &[u8]) -> Result<Attribute<'_>> {
    let mut attribute = Attribute::default();
    fields(bytes, |number, field| {
        match (number, field) {
            (1, field) => attribute.name = field.name()?,
            (2, Field::Four(bytes)) => attribute.float = Some(f32::from_le_bytes(bytes)),
            (3, field) => attribute.int = Some(field.integer()?),
            (4, field) => attribute.text = field.bytes()?,
            (5, field) => {
                let earlier = attribute.tensor.replace(field.bytes()?);
                if earlier.is_some() {
                    return malformed("an attribute is two tensors");
                }
            }
            (7, Field::Four(bytes)) => {
                let float = f32::from_le_bytes(bytes);
                push(&mut attribute.floats, float, ATTRIBUTES, "numbers of an attribute")?;
            }
            (7, field) => {
                for bytes in field.bytes()?.chunks(4) {
                    let Ok(bytes) = bytes.try_into() else { return malformed("a broken number") };
                    let float = f32::from_le_bytes(bytes);
                    push(&mut attribute.floats, float, ATTRIBUTES, "numbers of an attribute")?;
                }
            }
            (8, field) => integers(&mut attribute.ints, field, ATTRIBUTES)?,
            (20, field) => attribute.kind = field.integer()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(attribute)
}

/// Walks a tensor.
pub fn tensor(bytes: &[u8]) -> Result<Tensor<'_>> {
    let mut tensor = Tensor::default();
    let mut sources = 0;
    fields(bytes, |number, field| {
        match (number, field) {
            (1, field) => integers(&mut tensor.dims, field, SIDES)?,
            (2, field) => tensor.data_type = field.integer()?,
            (8, field) => tensor.name = field.name()?,
            (4 | 9 | 10, Field::Bytes(raw)) => {
                sources += usize::from(!raw.is_empty());
                if !raw.is_empty() {
                    (tensor.raw, tensor.field) = (raw, number);
                }
            }
            (5 | 7, Field::Bytes(packed)) => {
                sources += usize::from(!packed.is_empty());
                if !packed.is_empty() {
                    (tensor.packed, tensor.field) = (packed, number);
                }
            }
            (13, field) => entry(field.bytes()?, &mut tensor.external)?,
            (3..=7 | 10 | 11, _) => tensor.elsewhere = true,
            (14, field) => tensor.outside = field.integer()? != 0,
            _ => {}
        }
        Ok(())
    })?;
    if sources > 1 || (tensor.outside && sources > 0) {
        return malformed(format!("tensor '{}' has its numbers twice", tensor.name));
    }
    Ok(tensor)
}

/// The texts that a file has beside its graph, at most `MOST` pairs of key and text in the size of the file.
pub fn metadata(bytes: &[u8]) -> Result<Vec<(String, String)>> {
    let mut texts = Vec::new();
    fields(bytes, |number, field| {
        if number != 14 {
            return Ok(());
        }
        let entry = Entry::decode(field.bytes()?);
        let Entry { key, value } =
            entry.map_err(|error| InterchangeError::Malformed(error.to_string()))?;
        push(&mut texts, (key, value), MOST, "texts")
    })?;
    Ok(texts)
}

/// An entry of where a tensor's numbers are: a key and a text.
fn entry<'a>(bytes: &'a [u8], external: &mut External<'a>) -> Result<()> {
    let (mut key, mut text) = ("", "");
    fields(bytes, |number, field| {
        match number {
            1 => key = field.name()?,
            2 => text = field.name()?,
            _ => {}
        }
        Ok(())
    })?;
    let number = || match text.parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) => malformed(format!("the {key} of external numbers is '{text}'")),
    };
    match key {
        "location" => external.location = text,
        "offset" => external.offset = number()?,
        "length" => external.length = number()?,
        _ => {}
    }
    Ok(())
}
