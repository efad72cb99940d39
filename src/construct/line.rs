//! The sample on a line: a direction, and the projections in increasing order with their labels.

use shatter_exact::{Dyadic, IBig, Lattice, Rational};
use shatter_network::ExactLabels;
use shatter_network::projection::CoordinateGrid;

use super::direction;
use super::{ConstructError, Task};

/// Distinct projections z_1 < … < z_n onto a direction, and what belongs to them. Labels are single
/// numbers, or vectors of them ([`Line::of_vectors`]).
#[derive(Clone, Debug)]
pub struct Line<Y = Dyadic> {
    /// The direction, d numbers.
    pub a: Vec<Dyadic>,
    /// The projections, increasing.
    pub z: Vec<Dyadic>,
    /// Their labels.
    pub y: Vec<Y>,
    /// The points in that order.
    pub order: Vec<u32>,
}

impl Line {
    /// Projects the points of `task` onto a direction whose projections take few bits.
    ///
    /// # Errors
    /// [`ConstructError::VectorLabels`], [`ConstructError::NoDirection`],
    /// [`ConstructError::WideDirection`].
    pub fn of(task: &Task) -> Result<Line, ConstructError> {
        task.scalar()?;
        Line::labelled(task, |i| task.labels.exact_at(i))
    }

    /// max y − min y.
    pub fn label_range(&self) -> Dyadic {
        match (self.y.iter().max(), self.y.iter().min()) {
            (Some(most), Some(least)) => most - least,
            _ => Dyadic::ZERO,
        }
    }
}

impl Line<Vec<Dyadic>> {
    /// The same for labels of any number of outputs: one entry each.
    ///
    /// # Errors
    /// [`ConstructError::NoDirection`], [`ConstructError::WideDirection`].
    pub fn of_vectors(task: &Task) -> Result<Line<Vec<Dyadic>>, ConstructError> {
        Line::labelled(task, |i| task.labels.exact_row(i))
    }
}

impl<Y> Line<Y> {
    fn labelled(task: &Task, label: impl Fn(usize) -> Y) -> Result<Line<Y>, ConstructError> {
        let cost = |z: &Lattice, _: &[u32]| z.bits() as f64;
        let found = direction::choose(task.points, task.direction, task.seed, cost)?;
        let numbers = |v: &Lattice| (0..v.len()).map(|i| v.get(i)).collect();
        Ok(Line {
            a: numbers(&found.a),
            z: numbers(&found.z),
            y: found.order.iter().map(|&i| label(i as usize)).collect(),
            order: found.order,
        })
    }

    /// The smallest gap between neighbours; `None` for one point.
    pub fn least_gap(&self) -> Option<Dyadic> {
        self.z.windows(2).map(|z| &z[1] - &z[0]).min()
    }

    /// The projections as integers: (z_i − z_1)/2^e, where 2^e is so small that every point whose
    /// coordinates lie on the grid of the sample's has an integer there.
    pub fn keys(&self, task: &Task) -> Keys {
        let direction = Lattice::from_dyadics(&self.a);
        let exponent = direction.exponent + CoordinateGrid::of(task.points).exponent;
        let keys = self.z.iter().map(|z| (z - &self.z[0]).in_units_of(exponent)).collect();
        let weights = self.a.iter().map(|a| a.scale(-exponent).to_rational()).collect();
        Keys { keys, weights, bias: (-&self.z[0]).scale(-exponent).to_rational() }
    }
}

/// Integers 0 = key_1 < … < key_n, and the affine function of a point that gives its key.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The keys, increasing.
    pub keys: Vec<IBig>,
    /// The weights, d numbers.
    pub weights: Vec<Rational>,
    /// The bias.
    pub bias: Rational,
}
