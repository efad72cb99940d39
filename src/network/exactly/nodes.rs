//! Steps to be evaluated, of a graph or of a layered network, whose numbers are borrowed.

use crate::graph::{Graph, Operator, count};
use crate::layered::{Layered, Unit};

/// What is done.
#[derive(Clone, Copy)]
pub enum Op<'a> {
    /// A layer of exact units.
    Units(&'a [Unit]),
    /// Any other operation.
    Other(&'a Operator),
}

/// A step.
pub struct Node<'a> {
    /// What is done.
    pub op: Op<'a>,
    /// The values that it reads, in the order of its operation.
    pub reads: Vec<usize>,
    /// Shape of the result.
    pub shape: Vec<usize>,
}

/// All steps.
pub struct Nodes<'a> {
    /// Shape of a point.
    pub input: Vec<usize>,
    /// The steps.
    pub list: Vec<Node<'a>>,
    /// The last step that reads a value, a value.
    pub last: Vec<usize>,
}

impl<'a> Nodes<'a> {
    /// These steps.
    pub fn new(input: Vec<usize>, list: Vec<Node<'a>>) -> Nodes<'a> {
        let mut last = vec![usize::MAX; list.len() + 1];
        for (index, node) in list.iter().enumerate() {
            node.reads.iter().for_each(|&value| last[value] = index);
        }
        Nodes { input, list, last }
    }

    /// The steps of a graph.
    pub fn of(graph: &'a Graph) -> Nodes<'a> {
        let node = |step: &'a crate::graph::Step| {
            let others = match &step.operation {
                Operator::Sum { other, .. } => std::slice::from_ref(other),
                Operator::Concatenate(others) => others.as_slice(),
                _ => &[],
            };
            let op = match &step.operation {
                Operator::Units(units) => Op::Units(units),
                operation => Op::Other(operation),
            };
            let reads = [step.on].into_iter().chain(others.iter().copied()).collect();
            Node { op, reads, shape: step.shape.clone() }
        };
        Nodes::new(graph.input.clone(), graph.steps.iter().map(node).collect())
    }

    /// The layers of a network.
    pub fn layered(network: &'a Layered) -> Nodes<'a> {
        let node = |(on, units): (usize, &'a Vec<Unit>)| Node {
            op: Op::Units(units),
            reads: vec![on],
            shape: vec![units.len()],
        };
        let list = network.layers().enumerate().map(node).collect();
        Nodes::new(vec![network.inputs], list)
    }

    /// The layers, if there is nothing else, one after the other.
    pub fn layers(&self) -> Option<Vec<&'a [Unit]>> {
        let layer = |(index, node): (usize, &Node<'a>)| match node.op {
            Op::Units(units) if node.reads == [index] => Some(units),
            _ => None,
        };
        self.list.iter().enumerate().map(layer).collect()
    }

    /// Shape of a value.
    pub fn shape(&self, value: usize) -> &[usize] {
        match value.checked_sub(1) {
            None => &self.input,
            Some(step) => &self.list[step].shape,
        }
    }

    /// Numbers of the largest value.
    pub fn width(&self) -> usize {
        (0..=self.list.len()).map(|value| count(self.shape(value))).max().unwrap_or(1).max(1)
    }
}
