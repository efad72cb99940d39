//! One graph for every network: what a construction builds, what training makes, what others bring.
//!
//! A graph is a list of steps, each an [`Operator`] on values that stand before it; value 0 is the
//! point, step k makes value k + 1, and the last step makes the outputs. A value is an array per
//! point. Numbers are those of the file, in binary64, which has all of them, or fractions
//! ([`Operator::Units`]); `precision` is the format in which they were stored and in which runtimes
//! compute: of fractions, the format to which a runtime's copy rounds them.
//!
//! | operations | in |
//! |---|---|
//! | what they are, what they read | [`operation`] |
//! | windows that slide over images | [`window`] |
//! | an architecture with its arrays as a graph | [`trained`] |
//! | explicit networks as graphs, shared numbers shared | [`explicit`] |
//! | parameters: names, shapes, numbers | [`parameters`] |

mod error;
pub mod explicit;
pub mod operation;
pub mod parameters;
mod sizes;
pub mod trained;
pub mod window;

use shatter_exact::Format;

pub use error::GraphError;
pub use operation::{Affine, Normalization, Operator, Response};
pub use parameters::{NamedParameter, Numbers};
pub use window::SlidingWindow;

/// A network.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The format of its numbers, in which its runtime computes. Fractions have none: a runtime's copy
    /// rounds them to it ([`Graph::is_exact`]).
    pub precision: Format,
    /// Shape of a point.
    pub input: Vec<usize>,
    /// The operations; the first makes value 1, value 0 is the point.
    pub steps: Vec<Step>,
}

/// An operation, and what it works on.
#[derive(Clone, Debug)]
pub struct Step {
    /// The operator.
    pub operation: Operator,
    /// The value that it is done to; below the number of its own.
    pub on: usize,
    /// Shape of the result.
    pub shape: Vec<usize>,
    /// Names of its parameters in the file that it came from, in the order of
    /// [`Operator::parameters`]; those that are missing are named by the step.
    pub names: Vec<String>,
}

impl Step {
    /// A step whose parameters have no names of their own.
    pub fn new(operation: Operator, on: usize, shape: Vec<usize>) -> Step {
        Step { operation, on, shape, names: Vec::new() }
    }

    /// Names the step's parameters.
    #[must_use]
    pub fn named(self, names: impl IntoIterator<Item = String>) -> Step {
        Step { names: names.into_iter().collect(), ..self }
    }

    /// The values that it reads.
    pub fn reads(&self) -> impl Iterator<Item = usize> + '_ {
        let others = match &self.operation {
            Operator::Sum { other, .. } => std::slice::from_ref(other),
            Operator::Concatenate(others) => others.as_slice(),
            _ => &[],
        };
        others.iter().copied().chain([self.on])
    }
}

impl Graph {
    /// Shape of a value.
    pub fn shape(&self, value: usize) -> &[usize] {
        match value.checked_sub(1) {
            None => &self.input,
            Some(step) => &self.steps[step].shape,
        }
    }

    /// Without the steps that nothing reads on the way to the last one.
    pub fn without_dead(self) -> Graph {
        let mut lives = vec![false; self.steps.len() + 1];
        lives[self.steps.len()] = true;
        for (index, step) in self.steps.iter().enumerate().rev() {
            if lives[index + 1] {
                step.reads().for_each(|value| lives[value] = true);
            }
        }
        // The input stands there in any case.
        lives[0] = true;
        let mut number = 0;
        let counted = |&lives: &bool| {
            number += usize::from(lives);
            number.saturating_sub(1)
        };
        let numbers: Vec<usize> = lives.iter().map(counted).collect();
        let kept = self.steps.into_iter().zip(&lives[1..]).filter(|(_, lives)| **lives);
        let renumbered = |(mut step, _): (Step, _)| {
            step.on = numbers[step.on];
            match &mut step.operation {
                Operator::Sum { other, .. } => *other = numbers[*other],
                Operator::Concatenate(others) => {
                    others.iter_mut().for_each(|other| *other = numbers[*other]);
                }
                _ => {}
            }
            step
        };
        Graph { steps: kept.map(renumbered).collect(), ..self }
    }

    /// Returns true if some numbers are fractions, which no format holds.
    pub fn is_exact(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.operation, Operator::Units(_)))
    }

    /// Returns true if the network ends in a softmax: outputs then stand for others of the same order.
    pub fn is_ordered(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.operation, Operator::Softmax { .. }))
    }

    /// Returns the number of operators, without changes of shape.
    pub fn operations(&self) -> usize {
        self.steps.iter().filter(|step| !matches!(step.operation, Operator::Same)).count()
    }

    /// Numbers that come out.
    pub fn outputs(&self) -> usize {
        count(self.shape(self.steps.len()))
    }

    /// The last step that reads each value; for values that nothing reads, a step that there is not.
    pub fn last_uses(&self) -> Vec<usize> {
        let mut last = vec![usize::MAX; self.steps.len() + 1];
        for (index, step) in self.steps.iter().enumerate() {
            step.reads().for_each(|value| last[value] = index);
        }
        last
    }

    /// Numbers that a point takes at once.
    pub fn peak(&self) -> usize {
        let last = self.last_uses();
        let (mut held, mut peak) = (count(&self.input), 0);
        for (index, step) in self.steps.iter().enumerate() {
            held += count(&step.shape);
            peak = peak.max(held);
            let mut read: Vec<usize> = step.reads().collect();
            read.sort_unstable();
            read.dedup();
            let done = read.into_iter().filter(|&value| last[value] == index);
            held -= done.map(|value| count(self.shape(value))).sum::<usize>();
        }
        peak
    }

    /// Products that a point takes.
    pub fn products(&self) -> u64 {
        self.steps.iter().map(|step| self.products_of(step)).fold(0u64, u64::saturating_add)
    }

    fn products_of(&self, step: &Step) -> u64 {
        let (takes, numbers) = (self.shape(step.on), count(&step.shape) as u64);
        match &step.operation {
            Operator::Dense(affine) => affine.weights.len() as u64,
            Operator::Units(units) => units.iter().map(|unit| unit.weights.len() as u64 + 1).sum(),
            // Where a window lies outside the image, its weights are multiplied with zeros.
            Operator::Convolution(affine, _) => (affine.inputs as u64).saturating_mul(numbers),
            Operator::MeanPool(window, _) | Operator::MaxPool(window) => {
                (takes[0] as u64).saturating_mul(window.positions(takes[1], takes[2]))
            }
            Operator::GlobalMean => count(takes) as u64,
            Operator::Response(by) => {
                let near = by.size.min(step.shape[0]) as u64;
                numbers.saturating_mul(near.saturating_add(32))
            }
            _ => numbers,
        }
    }
}

/// A shape as text: `3×32×32`.
pub fn sides(shape: &[usize]) -> String {
    let sides: Vec<String> = shape.iter().map(usize::to_string).collect();
    if sides.is_empty() { "1".to_owned() } else { sides.join("×") }
}

/// Numbers of an array of this shape.
pub fn count(shape: &[usize]) -> usize {
    shape.iter().product()
}
