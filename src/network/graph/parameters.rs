//! The parameters of a graph: names, shapes, numbers.

use std::borrow::Cow;

use crate::layered::Unit;
use shatter_exact::Rational;

use super::{Affine, Graph, Operator, Step, count};

/// An array of numbers that belongs to a network.
#[derive(Clone, Debug)]
pub struct NamedParameter<'a> {
    /// Name in the file that the network came from; otherwise `STEP.weight` and the like.
    pub name: String,
    /// PyTorch's shape: a dense weight is outputs × inputs, a filter outputs × inputs × rows × columns.
    pub shape: Vec<usize>,
    /// Its numbers, in the order of that shape.
    pub numbers: Numbers<'a>,
}

/// Numbers of one array.
#[derive(Clone, Debug)]
pub enum Numbers<'a> {
    /// Numbers of the graph's format.
    Floats(Cow<'a, [f64]>),
    /// (index, number) of those that are not 0.
    Exact(Vec<(usize, &'a Rational)>),
}

impl Operator {
    /// Returns the parameters, with the names that PyTorch gives them inside a layer.
    pub fn parameters<'a>(&'a self, takes: &[usize]) -> Vec<NamedParameter<'a>> {
        let floats = |name: &str, shape: Vec<usize>, numbers: &'a [f64]| NamedParameter {
            name: name.to_owned(),
            shape,
            numbers: Numbers::Floats(Cow::Borrowed(numbers)),
        };
        let vector = |name: &str, numbers: &'a [f64]| floats(name, vec![numbers.len()], numbers);
        match self {
            Operator::Dense(affine) => matrices(affine, vec![affine.outputs, affine.inputs]),
            Operator::Convolution(affine, window) => {
                let (rows, columns) = window.size;
                let channels = affine.inputs / (rows * columns).max(1);
                matrices(affine, vec![affine.outputs, channels, rows, columns])
            }
            Operator::Units(units) => exact(units, count(takes)),
            Operator::Leaky(slopes) => vec![vector("weight", slopes)],
            Operator::Shift { by, .. } => vec![vector("bias", by)],
            Operator::Scale { by, .. } => vec![vector("weight", by)],
            Operator::Normalize(by) => vec![
                vector("weight", &by.scale),
                vector("bias", &by.shift),
                vector("running_mean", &by.mean),
                vector("running_var", &by.variance),
            ],
            _ => Vec::new(),
        }
    }
}

/// The weights outputs first, and the bias, where there is one.
fn matrices(affine: &Affine, shape: Vec<usize>) -> Vec<NamedParameter<'_>> {
    let (inputs, outputs) = (affine.inputs, affine.outputs);
    let at = |k: usize| affine.weights[k % inputs * outputs + k / inputs];
    let weights = (0..inputs * outputs).map(at).collect();
    let weight = NamedParameter {
        name: "weight".to_owned(),
        shape,
        numbers: Numbers::Floats(Cow::Owned(weights)),
    };
    let bias = (!affine.bias.is_empty()).then(|| NamedParameter {
        name: "bias".to_owned(),
        shape: vec![outputs],
        numbers: Numbers::Floats(Cow::Borrowed(&affine.bias)),
    });
    [weight].into_iter().chain(bias).collect()
}

fn exact(units: &[Unit], inputs: usize) -> Vec<NamedParameter<'_>> {
    let weights = units.iter().enumerate().flat_map(|(j, unit)| {
        unit.weights.iter().map(move |(from, weight)| (j * inputs + from, weight))
    });
    let biases =
        units.iter().map(|unit| &unit.bias).enumerate().filter(|(_, bias)| !bias.is_zero());
    let parameter = |name: &str, shape, numbers| NamedParameter {
        name: name.to_owned(),
        shape,
        numbers: Numbers::Exact(numbers),
    };
    vec![
        parameter("weight", vec![units.len(), inputs], weights.collect()),
        parameter("bias", vec![units.len()], biases.collect()),
    ]
}

impl Step {
    /// The name of its parameter `at`, which is `within` inside a layer, if it is step `index`.
    fn parameter_name(&self, at: usize, index: usize, within: &str) -> String {
        self.names.get(at).cloned().unwrap_or_else(|| format!("{index}.{within}"))
    }
}

impl Graph {
    /// Every array that belongs to it, in the order of its steps.
    pub fn parameters(&self) -> impl Iterator<Item = NamedParameter<'_>> {
        self.steps.iter().enumerate().flat_map(|(index, step)| {
            let parameters = step.operation.parameters(self.shape(step.on));
            parameters.into_iter().enumerate().map(move |(at, parameter)| NamedParameter {
                name: step.parameter_name(at, index, &parameter.name),
                ..parameter
            })
        })
    }
}
