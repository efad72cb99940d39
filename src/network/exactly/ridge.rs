//! Networks that look at the points through one direction, as functions on a line.
//!
//! Where every unit of the first layer is ReLU(z − κ_j) with z = <a, x>, a unit of the second layer is
//! φ(A_s z + B_s) for s = the number of knots κ_j < z: prefix sums give all A_s and B_s, and a point
//! costs one product a unit instead of one a weight. It pays where the weights are fractions, whose
//! sums over neighbouring knots have short denominators while their common denominator is long.

use rayon::prelude::*;

use crate::Activation;
use crate::layered::Unit;
use shatter_exact::{Dyadic, Rational};
use shatter_sample::Points;

use super::nodes::{Node, Nodes, Op};
use super::plan::Inexact;

/// Units that the first layer must have for the tables to pay.
const LEAST_KNOTS: usize = 8;

/// The knots, and the second layer between them.
pub struct Ridge<'a> {
    /// z.
    projection: Unit,
    /// κ, increasing.
    knots: Vec<Rational>,
    /// For each unit of the second layer its activation and (A_s, B_s) for s = 0, …, knots.
    tables: Vec<(Activation, Vec<(Rational, Rational)>)>,
    /// The layers behind.
    rest: Vec<&'a [Unit]>,
    inputs: Vec<usize>,
}

/// A first layer of many units that share their weights; or one projection, which many units read
/// with weight 1.
fn shared<'a>(layers: &[&'a [Unit]]) -> Option<(Unit, &'a [Unit], usize)> {
    let relu = |unit: &Unit| unit.activation == Activation::Relu;
    let first = layers.first()?;
    let weights = &first.first()?.weights;
    if first.len() >= LEAST_KNOTS && first.iter().all(|unit| relu(unit) && unit.weights == *weights)
    {
        return Some((Unit::affine(weights.iter().cloned(), Rational::ZERO), first, 1));
    }
    let [projection] = first else { return None };
    let units = layers.get(1)?;
    let reads =
        |unit: &Unit| relu(unit) && matches!(&unit.weights[..], [(0, weight)] if weight.is_one());
    let is_one = projection.activation == Activation::Identity
        && units.len() >= LEAST_KNOTS
        && units.iter().all(reads);
    is_one.then(|| (projection.clone(), *units, 2))
}

impl<'a> Ridge<'a> {
    /// The tables, if the network is of this form and its second layer is made of fractions.
    pub fn of(nodes: &Nodes<'a>) -> Option<Ridge<'a>> {
        let layers = nodes.layers()?;
        let (projection, first, taken) = shared(&layers)?;
        let second = layers.get(taken)?;
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
        let tables = second.par_iter().map(table).collect();
        let (rest, inputs) = (layers[taken + 1..].to_vec(), nodes.input.clone());
        Some(Ridge { projection, knots, tables, rest, inputs })
    }

    /// The outputs at every point.
    ///
    /// # Errors
    /// None: there are no roots.
    pub fn outputs(&self, points: &Points) -> Result<Vec<Vec<Rational>>, Inexact> {
        let at = |z: &Rational| {
            let segment = self.knots.partition_point(|knot| knot < z);
            let second = self.tables.iter().map(|(activation, lines)| {
                let (slope, offset) = &lines[segment];
                activation.apply(slope * z + offset)
            });
            self.rest.iter().fold(second.collect(), |before: Vec<Rational>, layer| {
                layer.iter().map(|unit| unit.activation.apply(unit.argument(&before))).collect()
            })
        };
        let units = std::slice::from_ref(&self.projection);
        let node = Node { op: Op::Units(units), reads: vec![0], shape: vec![1] };
        let z = super::evaluated(&Nodes::new(self.inputs.clone(), vec![node]), points)?;
        Ok(z.par_iter().map(|z| at(&z[0])).collect())
    }
}
