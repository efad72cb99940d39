//! Small networks, and their naive evaluation.

use proptest::prelude::*;
use shatter_exact::{Format, Rational};
use shatter_measure::layers::Homogeneous;
use shatter_measure::{Outputs, Perceptron};
use shatter_network::graph::{Affine, Graph, Operator, Step};
use shatter_network::{Activation, Layered, Mlp, Unit};

pub use crate::outward::{encloses, exact};

/// Networks with small weights in eighths, some of them 0, whose hidden layers have ReLU units.
pub fn perceptrons() -> impl Strategy<Value = Layered> {
    let widths = (1usize..=3, prop::collection::vec(1usize..=3, 0..=2), 1usize..=3);
    widths.prop_flat_map(|(inputs, hidden, outputs)| {
        let mlp = Mlp::new(inputs, hidden, outputs).unwrap();
        let count = mlp.parameters() as usize;
        prop::collection::vec(-16i32..=16, count).prop_map(move |numbers| {
            let mut numbers = numbers.into_iter();
            mlp.network(|| fraction(numbers.next().unwrap(), 8))
        })
    })
}

/// Points of `d` coordinates in quarters.
pub fn points(d: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((-12i32..=12).prop_map(|x| f64::from(x) / 4.0), d..=5 * d).prop_map(
        move |mut x| {
            x.truncate(x.len() / d * d);
            x
        },
    )
}

pub fn fraction(numerator: i32, denominator: u32) -> Rational {
    Rational::from_parts(numerator.into(), denominator.into())
}

pub fn of(network: &Layered) -> Perceptron {
    Perceptron::of(&network.into(), Outputs::All).unwrap()
}

/// The same numbers as dense layers and activations, as files have them.
pub fn dense(network: &Layered) -> Graph {
    let mut steps: Vec<Step> = Vec::new();
    let mut inputs = network.inputs;
    for (index, units) in network.layers().enumerate() {
        let outputs = units.len();
        let mut weights = vec![0.0; inputs * outputs];
        for (j, unit) in units.iter().enumerate() {
            for (from, weight) in &unit.weights {
                weights[from * outputs + j] = weight.to_f64().value();
            }
        }
        let bias = units.iter().map(|unit| unit.bias.to_f64().value()).collect();
        let affine = Affine { weights, inputs, outputs, bias };
        steps.push(Step::new(Operator::Dense(affine), steps.len(), vec![outputs]));
        if index < network.hidden.len() {
            let relu = Operator::Activate(Activation::Relu);
            steps.push(Step::new(relu, steps.len(), vec![outputs]));
        }
        inputs = outputs;
    }
    Graph { precision: Format::F64, input: vec![network.inputs], steps }
}

/// A graph of steps that each take the value before.
pub fn chain(input: Vec<usize>, operations: Vec<(Operator, Vec<usize>)>) -> Graph {
    let step = |(on, (operation, shape))| Step::new(operation, on, shape);
    let steps = operations.into_iter().enumerate().map(step).collect();
    Graph { precision: Format::F64, input, steps }
}

/// The outputs by the matrices with the constant, in fractions.
pub fn by_extended(perceptron: &Perceptron, x: &[f64]) -> Vec<Rational> {
    let mut values: Vec<Rational> = x.iter().map(|&x| exact(x)).collect();
    values.extend(perceptron.takes_constant(0).then_some(Rational::ONE));
    for (index, layer) in perceptron.layers.iter().enumerate() {
        let matrix = perceptron.extended(index);
        assert_eq!(matrix.columns, values.len());
        let row = |j: usize| {
            let row = &matrix.entries[j * matrix.columns..(j + 1) * matrix.columns];
            let products = row.iter().zip(&values).map(|(&w, x)| exact(w) * x);
            products.fold(Rational::ZERO, |sum, product| sum + product)
        };
        let activate = |x: Rational| match layer.activation {
            Homogeneous::Identity => x,
            Homogeneous::Relu => x.max(Rational::ZERO),
            Homogeneous::Leaky(slope) if x < Rational::ZERO => x * exact(slope),
            Homogeneous::Leaky(_) => x,
        };
        values = (0..matrix.rows).map(|j| activate(row(j))).collect();
    }
    values
}

pub fn unit(activation: Activation, weights: &[(usize, i32)], bias: i32) -> Unit {
    let weights = weights.iter().map(|&(from, weight)| (from, Rational::from(weight)));
    Unit::new(activation, weights, Rational::from(bias))
}
