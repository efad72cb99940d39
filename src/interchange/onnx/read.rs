//! From an ONNX file to a network.
//!
//! Nodes are read in the order in which they are computed, wherever they stand in the file, and only those that the
//! output needs. A value is an array a point of the batch ([`Value`]); the batch is a side of its own, wherever
//! transpositions put it, and never mixed with others. A file whose first side is 1 is a function of one point, so that
//! nothing can be mixed. Numbers are decoded when they are used, at most some times the size of the files in all, and
//! shapes are multiplied up before anything of their size is made.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use crate::InterchangeError;
use shatter_exact::Format;
use shatter_network::graph::{Graph, Operator, Step, count};

use super::call::Call;
use super::external::External;
use super::message::data_type;
use super::named::{Named, Numbers, Side, Soft, Value, of_a_point};
use super::operator;
use super::order::order;
use super::tensor::{self, type_name};
use super::whole::{MOST_WHOLE, Whole};
use super::wire::{self, Model, SIDES, malformed, model};

/// Numbers that all values of a point may have together.
const MOST_NUMBERS: usize = 1 << 24;
/// Whole numbers of all shapes together.
const MOST_SIZES: usize = 1 << 20;
/// Versions of ONNX's operators that are read.
const OPSETS: std::ops::RangeInclusive<i64> = 7..=64;

type Result<T> = std::result::Result<T, InterchangeError>;

/// A network that is being read.
pub struct Reading<'a> {
    /// What was made so far.
    pub steps: Vec<Step>,
    pub input: Vec<usize>,
    /// The version of ONNX's operators.
    pub opset: i64,
    /// Points of a batch, where the file says how many.
    pub points: Option<usize>,
    names: HashMap<&'a str, Named<'a>>,
    external: &'a External,
    /// The type of every number.
    pub precision: Format,
    /// Numbers that may still be decoded, that values may still have, and that shapes may still have.
    to_decode: usize,
    to_hold: usize,
    to_count: usize,
}

/// Reads a network that is one file.
///
/// # Errors
/// [`InterchangeError::Malformed`], [`InterchangeError::Operator`], [`InterchangeError::Node`].
pub fn network(bytes: &[u8]) -> Result<Graph> {
    network_with(bytes, &External::default())
}

/// Reads a network whose numbers may lie in files beside it, in this folder.
///
/// # Errors
/// Those of [`network`] and of [`External::read`].
pub fn network_at(bytes: &[u8], folder: &Path) -> Result<Graph> {
    network_with(bytes, &External::read(bytes, folder)?)
}

/// Reads a network whose numbers may lie in these files.
///
/// # Errors
/// Those of [`network`].
pub fn network_with(bytes: &[u8], external: &External) -> Result<Graph> {
    let model = model(bytes)?;
    if !OPSETS.contains(&model.opset) {
        return malformed(format!("version {} of ONNX's operators is not read", model.opset));
    }
    let input = declared(&model)?;
    let size = bytes.len().saturating_add(external.size());
    let read = |sides: Vec<Side>, points| {
        Reading::new(&model, &input, sides, points, external, size)?.all(&model)
    };
    let literal = || input.sides.iter().map(|side| side.map_or(Side::Batch, Side::Of)).collect();
    match input.sides.first() {
        Some(&Some(points)) if points > 1 && input.sides.len() > 1 => {
            // Points of a batch; or a side of the point, where nothing else is read.
            let mut sides: Vec<Side> = literal();
            sides[0] = Side::Batch;
            read(sides, Some(points)).or_else(|error| read(literal(), None).map_err(|_| error))
        }
        _ => read(literal(), None),
    }
}

/// The input of a network, as the file declares it.
struct Declared<'a> {
    name: &'a str,
    precision: Format,
    /// `None` for a batch of any number of points, which is the first side.
    sides: Vec<Option<usize>>,
}

/// The input, which is the one that no initializer stands for.
fn declared<'a>(model: &Model<'a>) -> Result<Declared<'a>> {
    let mut given: HashMap<&str, ()> = HashMap::new();
    for bytes in &model.initializers {
        let name = wire::tensor(bytes)?.name;
        if given.insert(name, ()).is_some() {
            return malformed(format!("two initializers '{name}'"));
        }
    }
    let mut free = model.inputs.iter().filter(|input| !given.contains_key(input.name));
    let (Some(input), None) = (free.next(), free.next()) else {
        return malformed("one input is expected beside the initializers");
    };
    let name = input.name;
    let described = wire::described(input)?;
    let tensor = described.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let Some(tensor) = tensor else { return malformed(format!("input '{name}' is not a tensor")) };
    let element = i64::from(tensor.elem_type);
    let Some(precision) = format(element) else {
        return malformed(format!(
            "input '{name}' is of type {}; float16, bfloat16, float and double are read: export the network \
             without what prepares its points",
            type_name(element)
        ));
    };
    let sides = tensor.shape.as_ref().map_or(&[][..], |shape| &shape.dim);
    if sides.is_empty() || sides.len() > SIDES {
        return malformed(format!("input '{name}' has {} sides", sides.len()));
    }
    let side = |side: &super::message::Dimension| usize::try_from(side.dim_value?).ok();
    let sides: Vec<Option<usize>> = sides.iter().map(side).collect();
    let known = sides.iter().skip(1).all(Option::is_some) && sides != [None];
    let of_point: Vec<usize> = sides.iter().filter_map(|&side| side).collect();
    if !known || of_point.contains(&0) {
        return malformed(format!(
            "input '{name}': every side but the batch, which is the first, must be a number"
        ));
    }
    match product(&of_point).filter(|&numbers| numbers <= MOST_NUMBERS) {
        Some(_) => Ok(Declared { name, precision, sides }),
        None => malformed(format!("input '{name}' of shape {of_point:?} is too large")),
    }
}

/// The format of a type, by ONNX's number of it.
pub fn format(element: i64) -> Option<Format> {
    match i32::try_from(element).ok()? {
        data_type::FLOAT16 => Some(Format::F16),
        data_type::BFLOAT16 => Some(Format::Bf16),
        data_type::FLOAT => Some(Format::F32),
        data_type::DOUBLE => Some(Format::F64),
        _ => None,
    }
}

/// The product of sides, if it can be counted.
pub fn product(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side))
}

impl<'a> Reading<'a> {
    /// Begins to read, with the input and the initializers.
    fn new(
        model: &Model<'a>,
        declared: &Declared<'a>,
        sides: Vec<Side>,
        points: Option<usize>,
        external: &'a External,
        size: usize,
    ) -> Result<Reading<'a>> {
        let mut input = of_a_point(&sides);
        if input.len() > 1 && sides[0] == Side::Of(1) {
            input.remove(0);
        }
        let mut names = HashMap::new();
        for bytes in &model.initializers {
            names.insert(wire::tensor(bytes)?.name, Named::Constant(bytes));
        }
        names.insert(declared.name, Named::Value(Value { at: 0, sides, soft: None }));
        Ok(Reading {
            steps: Vec::new(),
            to_hold: MOST_NUMBERS - count(&input),
            input,
            opset: model.opset,
            points,
            names,
            external,
            precision: declared.precision,
            // A number has 2 bytes or more in the files; those of a constant that is used again, or made of another
            // one, count again.
            to_decode: size.saturating_add(1024),
            to_count: MOST_SIZES,
        })
    }

    /// Reads the nodes up to the output.
    fn all(mut self, model: &Model<'a>) -> Result<Graph> {
        let [output] = model.outputs.as_slice() else {
            return malformed(format!(
                "one output is expected, it has {}: export the network with only the output that says the label",
                model.outputs.len()
            ));
        };
        for index in order(&model.nodes, |name| self.names.contains_key(name), output.name)? {
            let node = wire::node(model.nodes[index])?;
            let first = node.outputs.iter().find(|name| !name.is_empty()).copied().unwrap_or("");
            let call =
                Call { node: &node, name: if node.name.is_empty() { first } else { node.name } };
            if !node.domain.is_empty() && node.domain != "ai.onnx" {
                let operator = format!("{}.{}", node.domain, node.operator);
                return Err(InterchangeError::Operator { node: call.name.to_owned(), operator });
            }
            let mut made = operator::read(&mut self, &call)?.into_iter();
            for name in node.outputs.iter() {
                let named = made.next().unwrap_or(Named::Unread("an output that is not read"));
                if !name.is_empty() {
                    self.names.insert(name, named);
                }
            }
        }
        let Some(Named::Value(value)) = self.names.get(output.name) else {
            return malformed(format!(
                "its output '{}' does not depend on the points as numbers",
                output.name
            ));
        };
        let Value { at, soft, .. } = *value;
        let shape = self.shape(at).to_vec();
        let last = match soft {
            None => Operator::Same,
            Some(soft) => Operator::Softmax { logarithm: soft == Soft::Logarithm },
        };
        self.push(last, at, shape)?;
        let Reading { precision, input, steps, .. } = self;
        Ok(Graph { precision, input, steps }.without_dead())
    }

    /// Shape of a value among the steps.
    pub fn shape(&self, at: usize) -> &[usize] {
        match at.checked_sub(1) {
            None => &self.input,
            Some(step) => &self.steps[step].shape,
        }
    }

    /// What a name stands for.
    pub fn named(&self, name: &str) -> Result<Named<'a>> {
        match self.names.get(name) {
            Some(named) => Ok(named.clone()),
            None => malformed(format!("'{name}' is read, but no node makes it")),
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

    /// Adds a step; its number as a value.
    pub fn push(&mut self, operation: Operator, on: usize, shape: Vec<usize>) -> Result<usize> {
        self.hold(&shape)?;
        self.steps.push(Step::new(operation, on, shape));
        Ok(self.steps.len())
    }

    /// Names the parameters of the last step as the inputs of a node from this one on are named.
    pub fn name_parameters(&mut self, call: &Call<'_, 'a>, from: usize) {
        if let Some(step) = self.steps.last_mut() {
            let names = call.node.inputs.iter().skip(from).map(|&name| name.to_owned());
            step.names = names.collect();
        }
    }

    /// A value of the steps in this shape, which has as many numbers.
    pub fn shaped(&mut self, at: usize, shape: &[usize]) -> Result<usize> {
        if self.shape(at) == shape {
            return Ok(at);
        }
        self.push(Operator::Same, at, shape.to_vec())
    }

    /// Numbers of a value, each by its place among them; with these sides.
    pub fn picked(&mut self, value: &Value, from: Vec<u32>, sides: Vec<Side>) -> Result<Value> {
        let same = from.len() == value.numbers() && from.iter().zip(0..).all(|(&at, k)| at == k);
        let at = match same {
            true => value.at,
            false => self.push(Operator::Gather { from }, value.at, of_a_point(&sides))?,
        };
        Ok(Value { at, sides, soft: None })
    }

    /// The number by which ONNX counts the type of the network's numbers.
    pub fn data_type(&self) -> i64 {
        i64::from(match self.precision {
            Format::F16 => data_type::FLOAT16,
            Format::Bf16 => data_type::BFLOAT16,
            Format::F32 => data_type::FLOAT,
            Format::F64 => data_type::DOUBLE,
        })
    }

    /// The numbers of a constant, of any floating-point type.
    pub fn decoded(&mut self, bytes: &'a [u8]) -> Result<Numbers> {
        let tensor = wire::tensor(bytes)?;
        let (sides, numbers) = tensor::sides(&tensor)?;
        tensor::present(&tensor, self.external)?;
        self.decode(numbers)?;
        let values = Rc::new(tensor::floats(&tensor, self.external)?);
        Ok(Numbers { data_type: tensor.data_type, sides, values })
    }

    /// The whole numbers of a constant.
    pub fn counted(&mut self, bytes: &'a [u8]) -> Result<Rc<Whole>> {
        let whole = tensor::whole(&wire::tensor(bytes)?, self.external)?;
        self.count(whole.numbers.len())?;
        Ok(Rc::new(whole))
    }

    /// Takes so many numbers from those that may be decoded.
    pub fn decode(&mut self, numbers: usize) -> Result<()> {
        let Some(left) = self.to_decode.checked_sub(numbers) else {
            return malformed("its constants are used more often than is allowed");
        };
        self.to_decode = left;
        Ok(())
    }

    /// Takes so many whole numbers from those that there may be.
    pub fn count(&mut self, numbers: usize) -> Result<()> {
        match self.to_count.checked_sub(numbers.max(1)) {
            Some(left) if numbers <= MOST_WHOLE => {
                self.to_count = left;
                Ok(())
            }
            _ => malformed("there are more whole numbers in it than shapes take"),
        }
    }
}
