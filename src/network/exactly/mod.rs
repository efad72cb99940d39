//! What a network computes in real arithmetic, exactly, at many points at once.
//!
//! 1. Numbers are whole numbers times units that do not depend on the point (`program.rs`): units pass
//!    through everything but reciprocals and softsign, behind which numbers are fractions
//!    (`fractions.rs`). Roots are irrational unless they are of squares: other batch normalizations are
//!    refused ([`Inexact`]), and enclosed only (`shatter_judge::enclose`).
//! 2. Points are taken in blocks. Each number of a block is computed in 64-bit integers where the bits of
//!    its coefficients and of the values at hand show that no sum overflows, in 128 bits or in big
//!    integers otherwise (`lanes.rs`).
//! 3. Where the first layer is ReLU(<a, x> + c) with one direction a and the second reads fractions from
//!    many of its units, as in networks with two hidden layers on a line, the second layer is a piecewise
//!    linear function of <a, x>, and is evaluated as one (`ridge.rs`).
//! 4. [`EvaluationPlan`] knows what evaluation takes, how long numbers become and how much memory, before a number is
//!    made, for those who have a budget.
//!
//! Cost: one operation a weight and a place and a point; 8 bytes a number and a point of the block, where
//! numbers are short.

mod fractions;
mod lanes;
mod nodes;
pub mod plan;
mod program;
mod ridge;
mod value;

use std::sync::{Arc, PoisonError, RwLock};

use rayon::prelude::*;

use crate::ExactLabels;
use crate::graph::{Graph, count};
use crate::layered::Layered;
use shatter_exact::Rational;
use shatter_exact::format::{ZEROS, common_grain};
use shatter_sample::{Labels, Points, Target};

use super::evaluate::ExactResidual;
use super::projection::CoordinateGrid;

use lanes::Block;
use nodes::Nodes;
pub use plan::{EvaluationPlan, Inexact};
use program::{Layout, Program};
pub use value::ExactValues;

/// Numbers that one block of values should not exceed: 4 MiB of 64-bit integers.
const BLOCK_NUMBERS: usize = 1 << 19;

/// A network ready to be evaluated at points of binary64 numbers, within a budget.
pub struct ExactEvaluator<'a> {
    network: &'a Graph,
    nodes: Nodes<'a>,
    /// For points on the finest grid so far.
    program: RwLock<Option<Arc<Program>>>,
    /// The cost of evaluation.
    pub plan: EvaluationPlan,
}

impl std::fmt::Debug for ExactEvaluator<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExactEvaluator").field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl<'a> ExactEvaluator<'a> {
    /// Prepares a network whose weights take [`EvaluationPlan::weights`] bytes once they are whole numbers.
    ///
    /// # Errors
    /// [`Inexact`], if it has no plan, or takes more than `most` bytes with one point.
    pub fn new(network: &'a Graph, most: u64) -> Result<ExactEvaluator<'a>, Inexact> {
        ExactEvaluator::planned(network, EvaluationPlan::of(network)?, most)
    }

    /// Like [`ExactEvaluator::new`], with a known plan.
    ///
    /// # Errors
    /// [`Inexact`].
    pub fn planned(
        network: &'a Graph,
        plan: EvaluationPlan,
        most: u64,
    ) -> Result<ExactEvaluator<'a>, Inexact> {
        plan.fits(most)?;
        Ok(ExactEvaluator { network, nodes: Nodes::of(network), program: RwLock::new(None), plan })
    }

    /// Makes whole numbers of the weights, for points on the grid 2^`grain`: those on finer ones have it
    /// made again.
    ///
    /// # Errors
    /// [`Inexact`]; none where the network has a plan.
    pub fn prepare(&self, grain: i64) -> Result<(), Inexact> {
        self.program_for(grain).map(|_| ())
    }

    /// The network.
    pub fn network(&self) -> &'a Graph {
        self.network
    }

    /// The outputs at a point, in lowest terms.
    pub fn outputs(&self, point: &[f64]) -> Vec<Rational> {
        self.evaluated(point).rationals()
    }

    /// The outputs at a point.
    pub fn evaluated(&self, point: &[f64]) -> ExactValues {
        self.all(point).pop().unwrap_or_else(|| ExactValues::of(&[]))
    }

    /// The outputs at several points, given one after the other.
    pub fn all(&self, points: &[f64]) -> Vec<ExactValues> {
        let grain = match common_grain(points) {
            ZEROS => 0,
            grain => grain,
        };
        let Ok(program) = self.program_for(grain) else { return Vec::new() };
        let inputs = count(&self.network.input);
        let input = lanes::of_floats(points, program.input_exponent, inputs);
        let n = points.len() / inputs.max(1);
        let block = lanes::run(&program, &self.nodes, input);
        let layout = &program.layouts[self.nodes.list.len()];
        (0..n).map(|k| value_of(&block, k, layout)).collect()
    }

    /// The program for points on this grid: a finer one is compiled once, and serves coarser ones.
    fn program_for(&self, grain: i64) -> Result<Arc<Program>, Inexact> {
        let serves = |held: &&Arc<Program>| held.input_exponent <= grain;
        let held = self.program.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(program) = held.as_ref().filter(serves) {
            return Ok(program.clone());
        }
        drop(held);
        let mut held = self.program.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(program) = held.as_ref().filter(serves) {
            return Ok(program.clone());
        }
        *held = None;
        let program = Arc::new(Program::compile(&self.nodes, grain)?);
        *held = Some(program.clone());
        Ok(program)
    }
}

/// The numbers of a block at a point over one exponent and denominator.
fn value_of(block: &Block, k: usize, layout: &Layout) -> ExactValues {
    let all = 0..block.numbers();
    match layout {
        Layout::Common(unit) => {
            ExactValues::in_units(all.map(|at| block.integer(at, k)).collect(), unit)
        }
        _ => {
            ExactValues::of_rationals(&all.map(|at| block.value(at, k, layout)).collect::<Vec<_>>())
        }
    }
}

/// Block by block, in the order of the points.
fn evaluated(nodes: &Nodes, points: &Points) -> Result<Vec<Vec<Rational>>, Inexact> {
    let program = Program::compile(nodes, CoordinateGrid::of(points).exponent)?;
    let inputs = count(&nodes.input);
    let block = (BLOCK_NUMBERS / nodes.width()).clamp(16, 256);
    let layout = &program.layouts[nodes.list.len()];
    let starts: Vec<usize> = (0..points.n()).step_by(block).collect();
    let of_block = |start: usize| {
        let rows = start..(start + block).min(points.n());
        let size = rows.len();
        let input = lanes::of_points(points, rows, program.input_exponent, inputs);
        let outputs = lanes::run(&program, nodes, input);
        let row = |k| (0..outputs.numbers()).map(|at| outputs.value(at, k, layout)).collect();
        (0..size).map(row).collect::<Vec<_>>()
    };
    Ok(starts.into_par_iter().flat_map_iter(of_block).collect())
}

fn all_points(nodes: &Nodes, points: &Points) -> Result<Vec<Vec<Rational>>, Inexact> {
    match ridge::Ridge::of(nodes) {
        Some(ridge) => ridge.outputs(points),
        None => evaluated(nodes, points),
    }
}

/// The outputs of a layered network at every point, in their order, without a budget.
///
/// ```
/// use shatter_exact::Rational;
/// use shatter_network::exactly::outputs;
/// use shatter_network::layered::{Layered, Unit};
/// use shatter_sample::{Points, Values};
/// let points = Points::new(Values::I64(vec![-3, 4]), vec![1])?;
/// let output = vec![Unit::affine([(0, Rational::from(2))], Rational::ONE)];
/// let network = Layered { inputs: 1, hidden: vec![], output };
/// assert_eq!(outputs(&network, &points), [vec![Rational::from(-5)], vec![Rational::from(9)]]);
/// # Ok::<(), shatter_sample::SampleError>(())
/// ```
///
/// # Panics
/// If the points have fewer coordinates than the network has inputs, or a unit is
/// [`Miswired`](super::layered::Miswired).
pub fn outputs(network: &Layered, points: &Points) -> Vec<Vec<Rational>> {
    // Units take no roots and divide by nothing that could be too long.
    all_points(&Nodes::layered(network), points).unwrap_or_default()
}

/// The outputs of any network at every point, in their order, without a budget.
///
/// # Errors
/// [`Inexact`], for roots and other powers.
///
/// # Panics
/// If the points have fewer coordinates than the network has inputs.
pub fn outputs_of(network: &Graph, points: &Points) -> Result<Vec<Vec<Rational>>, Inexact> {
    plan::rational(network)?;
    all_points(&Nodes::of(network), points)
}

/// Compares outputs with those that say the labels: the number of points at which all are equal, and the
/// largest difference of all.
///
/// # Panics
/// If there are fewer labels than outputs, or numbers of an output.
pub fn residual(outputs: &[Vec<Rational>], labels: &Labels, target: Target) -> ExactResidual {
    let mut residual = ExactResidual { fits: 0, largest: Rational::ZERO, at: None };
    for (i, row) in outputs.iter().enumerate() {
        let difference = |(f, y): (&Rational, Rational)| if *f < y { y - f } else { f - y };
        let worst = row.iter().zip(labels.exact_target(target, i)).map(difference).max();
        let worst = worst.unwrap_or(Rational::ZERO);
        residual.fits += usize::from(worst.is_zero());
        if worst > residual.largest {
            residual = ExactResidual { largest: worst, at: Some(i), ..residual };
        }
    }
    residual
}
