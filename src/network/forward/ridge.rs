//! Networks that look at the points through one direction, as functions on a line.
//!
//! Where every unit of the first layer is ReLU(z − κ_j) with z = <a, x>, a unit of the second layer is
//! φ(A_s z + B_s) for s = the number of knots κ_j < z: prefix sums give all A_s and B_s, and a point
//! costs one product a unit instead of one a weight. It pays where the weights are fractions, whose
//! sums over neighbouring knots have short denominators while their common denominator is long.

use rayon::prelude::*;

use crate::exact::{Dyadic, Rational};
use crate::network::Activation;
use crate::network::layered::{Layered, Unit};
use crate::sample::Points;

/// Units that the first layer must have for the tables to pay.
const LEAST_KNOTS: usize = 8;

/// The knots, and the second layer between them.
pub struct Ridge {
    /// The network that computes z.
    projection: Layered,
    /// κ, increasing.
    knots: Vec<Rational>,
    /// For each unit of the second layer its activation and (A_s, B_s) for s = 0, …, knots.
    tables: Vec<(Activation, Vec<(Rational, Rational)>)>,
}

impl Ridge {
    /// The tables, if `network` is of this form and its second layer is made of fractions.
    pub fn of(network: &Layered) -> Option<Ridge> {
        let (first, second) = match &network.hidden[..] {
            [first, second, ..] => (first, second),
            [first] => (first, &network.output),
            [] => return None,
        };
        let direction = &first.first()?.weights;
        let alike = |unit: &Unit| unit.activation == Activation::Relu && unit.weights == *direction;
        if first.len() < LEAST_KNOTS || !first.iter().all(alike) {
            return None;
        }
        let dyadic =
            |unit: &Unit| unit.weights.iter().all(|w| Dyadic::from_rational(&w.1).is_some());
        if second.iter().all(dyadic) {
            return None;
        }
        let mut order: Vec<usize> = (0..first.len()).collect();
        order.sort_by(|&i, &j| first[j].bias.cmp(&first[i].bias)); // κ = −bias
        let knots: Vec<Rational> = order.iter().map(|&j| -first[j].bias.clone()).collect();
        let table = |unit: &Unit| {
            let mut weights = vec![Rational::ZERO; first.len()];
            for (from, weight) in &unit.weights {
                weights[*from] += weight;
            }
            let mut line = (Rational::ZERO, unit.bias.clone());
            let mut lines = vec![line.clone()];
            for (&j, knot) in order.iter().zip(&knots) {
                if !weights[j].is_zero() {
                    line.0 += &weights[j];
                    line.1 -= &weights[j] * knot;
                }
                lines.push(line.clone());
            }
            (unit.activation, lines)
        };
        let output = vec![Unit::affine(direction.iter().cloned(), Rational::ZERO)];
        Some(Ridge {
            projection: Layered { inputs: network.inputs, hidden: Vec::new(), output },
            tables: second.par_iter().map(table).collect(),
            knots,
        })
    }

    /// The outputs at every point.
    pub fn outputs(&self, network: &Layered, points: &Points) -> Vec<Vec<Rational>> {
        let rest: Vec<&Vec<Unit>> = network.layers().skip(2).collect();
        let at = |z: &Rational| {
            let segment = self.knots.partition_point(|knot| knot < z);
            let second = self.tables.iter().map(|(activation, lines)| {
                let (slope, offset) = &lines[segment];
                activation.apply(slope * z + offset)
            });
            rest.iter().fold(second.collect(), |before: Vec<Rational>, layer| {
                layer.iter().map(|unit| unit.value(&before)).collect()
            })
        };
        let z = super::outputs(&self.projection, points);
        z.par_iter().map(|z| at(&z[0])).collect()
    }
}
