//! What names stand for, and how values of a batch lie.

use std::rc::Rc;

use super::pattern::Part;
use super::whole::{Size, Whole};

/// What a name stands for.
#[derive(Clone)]
pub enum Named<'a> {
    /// A tensor, still in the file: for [`tensor`](super::wire::tensor).
    Constant(&'a [u8]),
    /// Floating-point numbers that were made of constants.
    Numbers(Numbers),
    /// Whole numbers: sides of values, and what is made of them.
    Whole(Rc<Whole>),
    /// What depends on the points.
    Value(Value),
    /// A part of an activation, which alone is not read.
    Part(Part),
    /// An output that only has a meaning in training, or is not read for another reason.
    Unread(&'static str),
}

/// Constant floating-point numbers.
#[derive(Clone)]
pub struct Numbers {
    /// Their type, by ONNX's number of it.
    pub data_type: i64,
    pub sides: Vec<usize>,
    /// Numbers of the type, in binary64.
    pub values: Rc<Vec<f64>>,
}

/// What depends on the points.
#[derive(Clone, PartialEq)]
pub struct Value {
    /// 0 is the input, k what step k − 1 makes.
    pub at: usize,
    /// Its sides as ONNX counts them. Numbers of a point lie in their order, the last index fastest.
    pub sides: Vec<Side>,
    /// Whether it is a softmax of what stands here, whose order is the same.
    pub soft: Option<Soft>,
}

/// A last operation whose order is that of what it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Soft {
    Softmax,
    Logarithm,
}

/// A side of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The points of the batch.
    Batch,
    /// Numbers of a point.
    Of(usize),
}

impl Side {
    /// As a number of a shape.
    pub fn size(self) -> Size {
        match self {
            Side::Batch => Size::BATCH,
            Side::Of(side) => Size::known(side as i64),
        }
    }

    /// How many numbers of a point.
    pub fn numbers(self) -> usize {
        match self {
            Side::Batch => 1,
            Side::Of(side) => side,
        }
    }
}

impl Value {
    /// The sides of a point.
    pub fn shape(&self) -> Vec<usize> {
        of_a_point(&self.sides)
    }

    /// Numbers of a point.
    pub fn numbers(&self) -> usize {
        self.sides.iter().map(|side| side.numbers()).product()
    }
}

/// The sides that are not the batch.
pub fn of_a_point(sides: &[Side]) -> Vec<usize> {
    sides.iter().filter(|&&side| side != Side::Batch).map(|side| side.numbers()).collect()
}

/// Sides as text, as errors say them.
pub fn text(sides: &[Side]) -> String {
    let each = sides.iter().map(|side| match side {
        Side::Batch => "batch".to_owned(),
        Side::Of(side) => side.to_string(),
    });
    format!("[{}]", each.collect::<Vec<_>>().join(", "))
}
