//! A node with its attributes and inputs, taken as an operator expects them.

use std::rc::Rc;

use crate::InterchangeError;

use super::named::{Named, Numbers, Side, Value, text};
use super::read::Reading;
use super::tensor::{is_float, type_name};
use super::whole::Whole;
use super::wire::{self, Attribute, Node};

type Result<T> = std::result::Result<T, InterchangeError>;

/// A node, and its name in errors.
pub struct Call<'n, 'a> {
    pub node: &'n Node<'a>,
    pub name: &'a str,
}

impl<'a> Call<'_, 'a> {
    pub fn refuse<T>(&self, reason: impl Into<String>) -> Result<T> {
        Err(InterchangeError::Node {
            node: self.name.to_owned(),
            operator: self.node.operator.to_owned(),
            reason: reason.into(),
        })
    }

    /// The value, or a refusal for this reason.
    pub fn take<T>(&self, found: std::result::Result<T, &'static str>) -> Result<T> {
        found.or_else(|reason| self.refuse(reason))
    }

    /// The attribute of this name, if it is there; its kind must be this one, by ONNX's numbers.
    pub fn attribute(&self, name: &str, kind: i64, what: &str) -> Result<Option<&Attribute<'a>>> {
        let found = self.node.attributes.iter().find(|attribute| attribute.name == name);
        match found {
            Some(found) if ![0, kind].contains(&found.kind) => {
                self.refuse(format!("{name} is not a {what}"))
            }
            found => Ok(found),
        }
    }

    /// A whole number; `otherwise` where the attribute is not there.
    pub fn int(&self, name: &str, otherwise: i64) -> Result<i64> {
        let found = self.attribute(name, 2, "whole number")?;
        Ok(found.map_or(otherwise, |attribute| attribute.int.unwrap_or(0)))
    }

    /// A number; `otherwise` where the attribute is not there.
    pub fn float(&self, name: &str, otherwise: f32) -> Result<f32> {
        let found = self.attribute(name, 1, "number")?;
        let x = found.map_or(otherwise, |attribute| attribute.float.unwrap_or(0.0));
        if x.is_nan() {
            return self.refuse(format!("{name} is not a number"));
        }
        Ok(x)
    }

    /// A text; empty where the attribute is not there.
    pub fn text(&self, name: &str) -> Result<&'a [u8]> {
        let found = self.attribute(name, 3, "text")?;
        Ok(found.map_or(&b""[..], |attribute| attribute.text))
    }

    /// Whole numbers, not negative; `otherwise` where the attribute is not there.
    pub fn sizes(&self, name: &str, sizes: usize, otherwise: usize) -> Result<Vec<usize>> {
        let found = self.attribute(name, 7, "list of whole numbers")?;
        let Some(found) = found else { return Ok(vec![otherwise; sizes]) };
        let ints: Option<Vec<usize>> =
            found.ints.iter().map(|&x| u32::try_from(x).ok().map(|x| x as usize)).collect();
        match ints {
            Some(ints) if ints.len() == sizes => Ok(ints),
            _ => self.refuse(format!("{name} = {:?}; {sizes} sizes are expected", found.ints)),
        }
    }

    /// Whole numbers; none where the attribute is not there.
    pub fn ints(&self, name: &str) -> Result<Option<Vec<i64>>> {
        let found = self.attribute(name, 7, "list of whole numbers")?;
        Ok(found.map(|attribute| attribute.ints.clone()))
    }

    /// Refuses an attribute that has another value than this.
    pub fn only(&self, name: &str, expected: i64) -> Result<()> {
        let found = self.int(name, expected)?;
        if found == expected {
            Ok(())
        } else {
            self.refuse(format!("{name} = {found} is not read, {expected} is"))
        }
    }

    /// Whether an input is there.
    pub fn has(&self, k: usize) -> bool {
        self.node.inputs.get(k).is_some_and(|name| !name.is_empty())
    }

    /// What input `k` stands for; constants decoded, as numbers or as whole numbers.
    pub fn input(&self, reading: &mut Reading<'a>, k: usize) -> Result<Named<'a>> {
        let named = match self.node.inputs.get(k) {
            None | Some(&"") => return self.refuse(format!("its input {k} is not there")),
            Some(name) => reading.named(name)?,
        };
        match named {
            Named::Constant(bytes) => {
                if is_float(wire::tensor(bytes)?.data_type) {
                    reading.decoded(bytes).map(Named::Numbers)
                } else {
                    reading.counted(bytes).map(Named::Whole)
                }
            }
            Named::Unread(reason) => self.refuse(format!("its input {k} is {reason}")),
            named => Ok(named),
        }
    }

    /// Input `k`, which must depend on the points.
    pub fn value(&self, reading: &mut Reading<'a>, k: usize) -> Result<Value> {
        match self.input(reading, k)? {
            Named::Value(value) => self.hard(value),
            Named::Part(part) => self.refuse(format!("its input {k} is {}", part.text())),
            _ => self.refuse(format!("its input {k} must depend on the points")),
        }
    }

    /// A value that is not a softmax.
    pub fn hard(&self, value: Value) -> Result<Value> {
        if value.soft.is_some() {
            return self.refuse(
                "it works on a Softmax, which is read at the end alone: export the network up to its logits",
            );
        }
        Ok(value)
    }

    /// Input `k`, which must be constant numbers of the network's type.
    pub fn numbers(&self, reading: &mut Reading<'a>, k: usize) -> Result<Numbers> {
        match self.input(reading, k)? {
            Named::Numbers(numbers) => self.typed(reading, numbers, k),
            Named::Whole(_) => self.refuse(format!("its input {k} must be of the network's type")),
            _ => self.refuse(format!("its input {k} must be a constant")),
        }
    }

    /// Numbers of the network's type.
    pub fn typed(&self, reading: &Reading<'a>, numbers: Numbers, k: usize) -> Result<Numbers> {
        if numbers.data_type != reading.data_type() {
            let (found, wanted) = (type_name(numbers.data_type), type_name(reading.data_type()));
            return self.refuse(format!(
                "its input {k} is of {found}; {wanted} is expected, as for the input"
            ));
        }
        Ok(numbers)
    }

    /// Input `k`, which must be whole numbers.
    pub fn whole(&self, reading: &mut Reading<'a>, k: usize) -> Result<Rc<Whole>> {
        match self.input(reading, k)? {
            Named::Whole(whole) => Ok(whole),
            _ => self.refuse(format!("its input {k} must be constant whole numbers")),
        }
    }

    /// Whole numbers that are an input in new versions of an operator and an attribute in old ones.
    pub fn list(
        &self,
        reading: &mut Reading<'a>,
        k: usize,
        name: &str,
    ) -> Result<Option<Vec<i64>>> {
        if !self.has(k) {
            return self.ints(name);
        }
        let whole = self.whole(reading, k)?;
        self.take(whole.known()).map(Some)
    }

    /// The numbers of a constant that must be a vector of so many.
    pub fn vector(&self, reading: &mut Reading<'a>, k: usize, wanted: usize) -> Result<Vec<f64>> {
        let Numbers { sides, values, .. } = self.numbers(reading, k)?;
        if sides != [wanted] {
            return self.refuse(format!("its input {k} is of shape {sides:?}, not [{wanted}]"));
        }
        Ok(Rc::unwrap_or_clone(values))
    }

    /// An axis of an array with so many sides; negative ones count from the end.
    pub fn axis(&self, axis: i64, sides: usize) -> Result<usize> {
        let count = sides as i64;
        let found = if axis < 0 { axis.checked_add(count) } else { Some(axis) };
        match found.filter(|axis| (0..count).contains(axis)) {
            Some(axis) => Ok(axis as usize),
            None => self.refuse(format!("axis {axis} of an array of {sides} sides")),
        }
    }

    /// Axes, each once.
    pub fn axes(&self, axes: &[i64], sides: usize) -> Result<Vec<usize>> {
        let mut found =
            axes.iter().map(|&axis| self.axis(axis, sides)).collect::<Result<Vec<_>>>()?;
        found.sort_unstable();
        if found.windows(2).any(|two| two[0] == two[1]) {
            return self.refuse(format!("axes {axes:?} name one twice"));
        }
        Ok(found)
    }

    /// The channels and positions of a value that is images, signals or points of so many channels: a batch,
    /// channels, and `positions` more sides.
    pub fn channels(&self, value: &Value, positions: usize) -> Result<Vec<usize>> {
        match value.sides.split_first() {
            Some((Side::Batch | Side::Of(1), rest)) if rest.len() == positions + 1 => {
                let known: Option<Vec<usize>> = rest
                    .iter()
                    .map(|side| Some(side.numbers()).filter(|_| *side != Side::Batch))
                    .collect();
                match known {
                    Some(known) => Ok(known),
                    None => self.refuse(format!(
                        "the batch is not the first side of {}",
                        text(&value.sides)
                    )),
                }
            }
            _ => self.refuse(format!(
                "values of shape {}; a batch, channels and {positions} more sides are expected",
                text(&value.sides)
            )),
        }
    }
}
