//! The sample on a line: a direction, and the projections in increasing order with their labels.

use crate::exact::{Dyadic, Lattice};

use super::direction;
use super::{ConstructError, Task};

/// Distinct projections z_1 < … < z_n onto a direction, and what belongs to them.
#[derive(Clone, Debug)]
pub struct Line {
    /// The direction, d numbers.
    pub a: Vec<Dyadic>,
    /// The projections, increasing.
    pub z: Vec<Dyadic>,
    /// Their labels.
    pub y: Vec<Dyadic>,
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
        let cost = |z: &Lattice, _: &[u32]| z.bits() as f64;
        let found = direction::choose(task.points, task.direction, task.seed, cost)?;
        let numbers = |v: &Lattice| (0..v.len()).map(|i| v.get(i)).collect();
        Ok(Line {
            a: numbers(&found.a),
            z: numbers(&found.z),
            y: found.order.iter().map(|&i| task.labels.exact_at(i as usize)).collect(),
            order: found.order,
        })
    }

    /// max y − min y.
    pub fn label_range(&self) -> Dyadic {
        match (self.y.iter().max(), self.y.iter().min()) {
            (Some(most), Some(least)) => most - least,
            _ => Dyadic::ZERO,
        }
    }

    /// The smallest gap between neighbours; `None` for one point.
    pub fn least_gap(&self) -> Option<Dyadic> {
        self.z.windows(2).map(|z| &z[1] - &z[0]).min()
    }
}
