//! A node with its attributes and inputs, taken as an operator wants them.

use crate::interchange::InterchangeError;
use crate::network::graph::Window;

use super::read::{Named, Reading};
use super::wire::{Attribute, Node, Tensor};

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

    /// The attribute of this name, if it is there; its kind must be this one, by ONNX's numbers.
    fn attribute(&self, name: &str, kind: i64, what: &str) -> Result<Option<&Attribute<'a>>> {
        let found = self.node.attributes.iter().find(|attribute| attribute.name == name);
        match found {
            Some(found) if ![0, kind].contains(&found.kind) => {
                self.refuse(format!("{name} is no {what}"))
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
        Ok(found.map_or(otherwise, |attribute| attribute.float.unwrap_or(0.0)))
    }

    /// Whole numbers, not negative; `otherwise` where the attribute is not there.
    pub fn ints<const N: usize>(&self, name: &str, otherwise: usize) -> Result<[usize; N]> {
        let found = self.attribute(name, 7, "list of whole numbers")?;
        let Some(found) = found else { return Ok([otherwise; N]) };
        let ints: Option<Vec<usize>> =
            found.ints.iter().map(|&x| u32::try_from(x).ok().map(|x| x as usize)).collect();
        match ints.and_then(|ints| <[usize; N]>::try_from(ints).ok()) {
            Some(ints) => Ok(ints),
            None => self.refuse(format!("{name} = {:?}; {N} sizes are wanted", found.ints)),
        }
    }

    /// Whole numbers; none where the attribute is not there.
    pub fn attribute_ints(&self, name: &str) -> Result<Vec<i64>> {
        let found = self.attribute(name, 7, "list of whole numbers")?;
        Ok(found.map_or(Vec::new(), |attribute| attribute.ints.clone()))
    }

    /// Refuses an attribute that has another value than this.
    pub fn only(&self, name: &str, wanted: i64) -> Result<()> {
        let found = self.int(name, wanted)?;
        if found == wanted {
            Ok(())
        } else {
            self.refuse(format!("{name} = {found} is not read, {wanted} is"))
        }
    }

    /// What input `k` stands for; `None` if it was left out.
    pub fn input(&self, reading: &Reading<'a>, k: usize) -> Result<Option<Named<'a>>> {
        match self.node.inputs.get(k) {
            None | Some(&"") => Ok(None),
            Some(name) => reading.named(name).map(Some),
        }
    }

    pub fn value(&self, reading: &Reading<'a>, k: usize) -> Result<usize> {
        match self.input(reading, k)? {
            Some(Named::Value(value)) => Ok(value),
            _ => self.refuse(format!("its input {k} must depend on the points")),
        }
    }

    pub fn constant(&self, reading: &Reading<'a>, k: usize) -> Result<Tensor<'a>> {
        match self.input(reading, k)? {
            Some(Named::Constant(tensor)) => Ok(tensor),
            _ => self.refuse(format!("its input {k} must be a constant")),
        }
    }

    /// Whether an input is there.
    pub fn has(&self, k: usize) -> bool {
        self.node.inputs.get(k).is_some_and(|name| !name.is_empty())
    }

    /// The numbers of a constant that must be a vector of `wanted`.
    pub fn vector(&self, reading: &mut Reading<'a>, k: usize, wanted: usize) -> Result<Vec<f64>> {
        let tensor = self.constant(reading, k)?;
        let (sides, values) = reading.floats(&tensor)?;
        if sides != [wanted] {
            return self.refuse(format!("its input {k} is of shape {sides:?}, not [{wanted}]"));
        }
        Ok(values)
    }

    /// A value that is an image.
    pub fn image(&self, reading: &Reading<'a>, k: usize) -> Result<(usize, [usize; 3])> {
        let value = self.value(reading, k)?;
        match *reading.shape(value) {
            [channels, height, width] => Ok((value, [channels, height, width])),
            ref shape => self.refuse(format!("points of shape {shape:?} are no images")),
        }
    }

    pub fn window(&self, size: [usize; 2]) -> Result<Window> {
        let auto = self.attribute("auto_pad", 3, "text")?;
        if auto.is_some_and(|auto| !matches!(auto.text, b"" | b"NOTSET" | b"VALID")) {
            return self.refuse("auto_pad is not read, pads are");
        }
        self.only("ceil_mode", 0)?;
        if self.ints::<2>("dilations", 1)? != [1, 1] {
            return self.refuse("dilations are not read");
        }
        let [rows, columns] = self.ints("strides", 1)?;
        let pads @ [top, left, bottom, right] = self.ints("pads", 0)?;
        let valid = auto.is_some_and(|auto| auto.text == b"VALID");
        if valid && pads != [0; 4] {
            return self.refuse("auto_pad = VALID does not go with pads, by ONNX's own rules");
        }
        Ok(Window {
            size: (size[0], size[1]),
            stride: (rows, columns),
            before: (top, left),
            after: (bottom, right),
        })
    }

    pub fn places(&self, window: &Window, height: usize, width: usize) -> Result<(usize, usize)> {
        match window.places(height, width) {
            Some(places) => Ok(places),
            None => self.refuse(format!("its window does not fit images of {height} × {width}")),
        }
    }
}
