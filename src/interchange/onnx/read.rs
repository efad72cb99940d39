//! From an ONNX file to a feed-forward network.
//!
//! Nodes come in the order in which they are computed, as ONNX wants it: what reads a value that
//! nothing before it makes (as in a cycle) is refused. Weights are constants; every value is an array
//! a point of the batch. Numbers are decoded when they are used, at most some times the size of the
//! file in all, and shapes are multiplied up before anything of their size is made.

use std::collections::HashMap;

use crate::exact::Format;
use crate::interchange::InterchangeError;
use crate::network::graph::{Graph, Operation, Step, count};

use super::call::Call;
use super::message::data_type;
use super::operator;
use super::wire::{self, Model, SIDES, Tensor, malformed, model};

/// Numbers that all values of a point may have together.
const MOST_NUMBERS: usize = 1 << 24;
/// Versions of ONNX's operators that are read.
const OPSETS: std::ops::RangeInclusive<i64> = 7..=64;

type Result<T> = std::result::Result<T, InterchangeError>;

/// What a name stands for.
#[derive(Clone)]
pub enum Named<'a> {
    /// A constant, still in the file.
    Constant(Tensor<'a>),
    /// A value: 0 is the input, k what step k − 1 makes.
    Value(usize),
}

/// A network that is being read.
pub struct Reading<'a> {
    /// What was made so far.
    pub steps: Vec<Step>,
    pub input: Vec<usize>,
    names: HashMap<&'a str, Named<'a>>,
    /// The type of every number.
    pub precision: Format,
    /// Numbers that may still be decoded, and numbers that values may still have.
    to_decode: usize,
    to_hold: usize,
}

/// Reads a network.
///
/// # Errors
/// [`InterchangeError::Malformed`], [`InterchangeError::Operator`], [`InterchangeError::Node`].
pub fn network(bytes: &[u8]) -> Result<Graph> {
    let Model { opset, nodes, initializers, inputs, outputs } = model(bytes)?;
    if !OPSETS.contains(&opset) {
        return malformed(format!("version {opset} of ONNX's operators is not read"));
    }
    let mut names: HashMap<&str, Named> = HashMap::new();
    for bytes in initializers {
        let tensor = wire::tensor(bytes)?;
        let name = tensor.name;
        if names.insert(name, Named::Constant(tensor)).is_some() {
            return malformed(format!("two initializers '{name}'"));
        }
    }
    let mut free = inputs.iter().filter(|input| !names.contains_key(input.name));
    let (Some(input), None) = (free.next(), free.next()) else {
        return malformed("one input is wanted beside the initializers");
    };
    let [output] = outputs.as_slice() else {
        return malformed(format!("one output is wanted, it has {}", outputs.len()));
    };
    let (shape, precision) = described(input)?;
    names.insert(input.name, Named::Value(0));
    let mut reading = Reading {
        steps: Vec::new(),
        to_hold: MOST_NUMBERS - count(&shape),
        input: shape,
        names,
        precision,
        // A number has 4 bytes in the file; there is room for twice as many, since those of a constant
        // that is used again count again.
        to_decode: (bytes.len() / 2).saturating_add(1024),
    };
    for bytes in nodes {
        let node = wire::node(bytes)?;
        let mut names = node.outputs.iter().filter(|name| !name.is_empty());
        let first = node.outputs.first().filter(|name| !name.is_empty()).copied();
        let name = if node.name.is_empty() { first.unwrap_or("") } else { node.name };
        let refuse = |reason: &str| InterchangeError::Node {
            node: name.to_owned(),
            operator: node.operator.to_owned(),
            reason: reason.to_owned(),
        };
        if !node.domain.is_empty() && node.domain != "ai.onnx" {
            let operator = format!("{}.{}", node.domain, node.operator);
            return Err(InterchangeError::Operator { node: name.to_owned(), operator });
        }
        let Some(made) = first else { return Err(refuse("it has no output")) };
        let named = operator::read(&mut reading, &Call { node: &node, name })?;
        if names.nth(1).is_some() {
            return Err(refuse("its further outputs are not read"));
        }
        if reading.names.insert(made, named).is_some() {
            return Err(refuse(&format!("'{made}' stands for something already")));
        }
    }
    let found = reading.names.get(output.name);
    let Some(&Named::Value(value)) = found else {
        return malformed(format!("nothing makes its output '{}'", output.name));
    };
    let shape = reading.shape(value).to_vec();
    reading.push(Operation::Same, value, shape)?;
    let Reading { input, steps, .. } = reading;
    Ok(Graph { precision, input, steps }.without_dead())
}

/// Shape of a point, and type of its numbers.
fn described(input: &wire::Named) -> Result<(Vec<usize>, Format)> {
    let name = input.name;
    let input = wire::described(input)?;
    let tensor = input.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let Some(tensor) = tensor else { return malformed(format!("input '{name}' is no tensor")) };
    let precision = match tensor.elem_type {
        data_type::FLOAT => Format::F32,
        data_type::DOUBLE => Format::F64,
        other => {
            return malformed(format!(
                "input '{name}' is of type {other}; float (1) and double (11) are read"
            ));
        }
    };
    let sides = tensor.shape.as_ref().map_or(&[][..], |shape| &shape.dim);
    let Some((_, sides)) = sides.split_first() else {
        return malformed(format!("input '{name}' has no batch as its first side"));
    };
    if sides.is_empty() || sides.len() >= SIDES {
        return malformed(format!("points of input '{name}' have {} sides", sides.len()));
    }
    let side = |side: &super::message::Dimension| usize::try_from(side.dim_value?).ok();
    let shape: Option<Vec<usize>> = sides.iter().map(side).collect();
    let Some(shape) = shape.filter(|shape| shape.iter().all(|&side| side > 0)) else {
        return malformed(format!("input '{name}': every side but the batch must be a number"));
    };
    product(&shape).filter(|&numbers| numbers <= MOST_NUMBERS).map_or_else(
        || malformed(format!("input '{name}' of shape {shape:?} is too large")),
        |_| Ok((shape.clone(), precision)),
    )
}

/// The product of sides, if it can be counted.
pub fn product(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side))
}

impl<'a> Reading<'a> {
    /// Shape of a value.
    pub fn shape(&self, value: usize) -> &[usize] {
        match value.checked_sub(1) {
            None => &self.input,
            Some(step) => &self.steps[step].shape,
        }
    }

    /// What a name stands for.
    pub fn named(&self, name: &str) -> Result<Named<'a>> {
        match self.names.get(name) {
            Some(named) => Ok(named.clone()),
            None => malformed(format!(
                "'{name}' is read before anything makes it: the nodes are out of order, or in a cycle"
            )),
        }
    }

    /// Takes so many numbers from what a point may hold: before they are made.
    pub fn hold(&mut self, shape: &[usize]) -> Result<usize> {
        let numbers = product(shape).filter(|&numbers| numbers > 0 && numbers <= self.to_hold);
        let Some(numbers) = numbers else {
            return malformed(format!("a value of shape {shape:?} is empty or too large"));
        };
        self.to_hold -= numbers;
        Ok(numbers)
    }

    /// Adds a step; its value.
    pub fn push(
        &mut self,
        operation: Operation,
        on: usize,
        shape: Vec<usize>,
    ) -> Result<Named<'a>> {
        self.hold(&shape)?;
        self.steps.push(Step::new(operation, on, shape));
        Ok(Named::Value(self.steps.len()))
    }

    /// The sides of a constant, and how many numbers these are.
    pub fn sides(&self, tensor: &Tensor) -> Result<(Vec<usize>, usize)> {
        let sides: Option<Vec<usize>> =
            tensor.dims.iter().map(|&side| usize::try_from(side).ok()).collect();
        let counted = sides.and_then(|sides| product(&sides).map(|numbers| (sides, numbers)));
        counted.map_or_else(
            || malformed(format!("tensor '{}' has sides {:?}", tensor.name, tensor.dims)),
            Ok,
        )
    }

    /// The sides and numbers of a constant, which must be of the type of the input.
    pub fn floats(&mut self, tensor: &Tensor) -> Result<(Vec<usize>, Vec<f64>)> {
        let name = tensor.name;
        let (sides, numbers) = self.sides(tensor)?;
        let (width, wanted, field) = match self.precision {
            Format::F64 => (8, data_type::DOUBLE, 10),
            _ => (4, data_type::FLOAT, 4),
        };
        let other = !tensor.raw.is_empty() && ![9, field].contains(&tensor.field);
        if tensor.elsewhere || other {
            return malformed(format!(
                "tensor '{name}' keeps its numbers in another file or another way: export the network \
                 as one file, of numbers of type {wanted}"
            ));
        }
        if tensor.data_type != i64::from(wanted) {
            return malformed(format!(
                "tensor '{name}' is of type {}; {wanted} is wanted, as for the input",
                tensor.data_type
            ));
        }
        if numbers.checked_mul(width) != Some(tensor.raw.len()) {
            return malformed(format!(
                "tensor '{name}' of shape {sides:?} has {} bytes of numbers",
                tensor.raw.len()
            ));
        }
        let Some(left) = self.to_decode.checked_sub(numbers) else {
            return malformed("its constants are used more often than there is room for");
        };
        self.to_decode = left;
        let number = |bytes: &[u8]| match *bytes {
            [a, b, c, d] => f64::from(f32::from_le_bytes([a, b, c, d])),
            [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
            _ => f64::NAN, // chunks have `width` bytes
        };
        let values: Vec<f64> = tensor.raw.chunks_exact(width).map(number).collect();
        match values.iter().position(|x| !x.is_finite()) {
            Some(at) => malformed(format!("number {at} of tensor '{name}' is {}", values[at])),
            None => Ok((sides, values)),
        }
    }

    /// The whole numbers of a constant: a shape.
    pub fn integers(&self, tensor: &Tensor) -> Result<Vec<i64>> {
        let name = tensor.name;
        let (_, numbers) = self.sides(tensor)?;
        let other = !tensor.raw.is_empty() && tensor.field != 9;
        let shape = tensor.data_type == i64::from(data_type::INT64) && numbers <= SIDES;
        if !shape || tensor.elsewhere || other {
            return malformed(format!("tensor '{name}' is no shape"));
        }
        let mut values: Vec<i64> = tensor
            .raw
            .chunks_exact(8)
            .filter_map(|bytes| Some(i64::from_le_bytes(bytes.try_into().ok()?)))
            .collect();
        let mut packed = tensor.int64;
        while values.len() < numbers && !packed.is_empty() {
            let value = prost::encoding::decode_varint(&mut packed)
                .map_err(|error| InterchangeError::Malformed(error.to_string()))?;
            values.push(value as i64);
        }
        if values.len() != numbers || !packed.is_empty() || !tensor.raw.len().is_multiple_of(8) {
            return malformed(format!("tensor '{name}' has other numbers than its shape says"));
        }
        Ok(values)
    }
}
