//! A layered network at many points at once, exactly.
//!
//! 1. Weights and biases of a unit are brought to integers over one denominator (`program.rs`): the
//!    unit is then s · φ(Σ c_j v_j + c_0) with a fixed fraction s > 0 and whole c_j, v_j, because ReLU,
//!    identity and square commute with positive factors. Where the common denominator would be
//!    longer than the fractions themselves, and after units whose values are fractions, the unit
//!    stays as it was.
//! 2. Points are taken in blocks. Each unit of a block is computed in 64-bit integers where the bits
//!    of its coefficients and of the values of the layer before show that no sum overflows, in 128
//!    bits or in big integers otherwise (`lanes.rs`).
//! 3. Where every unit of the first layer is ReLU(<a, x> + c) with one direction a and the second
//!    layer reads fractions from many of them, as in networks with two hidden layers on a line, the
//!    second layer is a piecewise linear function of <a, x>, and is evaluated as one (`ridge.rs`).
//!
//! Cost: one operation a weight and a point; 8 bytes a unit and a point of the block.

mod lanes;
mod program;
mod ridge;

use rayon::prelude::*;

use crate::exact::Rational;
use crate::sample::{Labels, Points, Target};

use super::evaluate::ExactResidual;
use super::layered::Layered;
use super::projection::CoordinateGrid;
use program::Program;

/// Numbers that one block of values should not exceed: 4 MiB of 64-bit integers.
const BLOCK_NUMBERS: usize = 1 << 19;

/// The outputs at every point, in their order.
///
/// ```
/// use shatter::exact::Rational;
/// use shatter::network::forward::outputs;
/// use shatter::network::layered::{Layered, Unit};
/// use shatter::sample::{Points, Values};
/// let points = Points::new(Values::I64(vec![-3, 4]), vec![1])?;
/// let output = vec![Unit::affine([(0, Rational::from(2))], Rational::ONE)];
/// let network = Layered { inputs: 1, hidden: vec![], output };
/// assert_eq!(outputs(&network, &points), [vec![Rational::from(-5)], vec![Rational::from(9)]]);
/// # Ok::<(), shatter::sample::SampleError>(())
/// ```
///
/// # Panics
/// If the points have fewer coordinates than the network has inputs, or a unit is
/// [`Miswired`](super::layered::Miswired).
pub fn outputs(network: &Layered, points: &Points) -> Vec<Vec<Rational>> {
    if let Some(ridge) = ridge::Ridge::of(network) {
        return ridge.outputs(network, points);
    }
    let grid = CoordinateGrid::of(points);
    let program = Program::compile(network, grid.exponent);
    let width = network.layers().map(Vec::len).chain([network.inputs]).max().unwrap_or(1);
    let block = (BLOCK_NUMBERS / width.max(1)).clamp(16, 256);
    let starts: Vec<usize> = (0..points.n()).step_by(block).collect();
    starts
        .into_par_iter()
        .flat_map_iter(|start| {
            let rows = start..(start + block).min(points.n());
            lanes::run(&program, network, points, rows)
        })
        .collect()
}

/// How far outputs are from those that say the labels: points at which all are equal, and the
/// largest difference of all.
///
/// # Panics
/// If there are fewer labels than outputs, or numbers of an output.
pub fn residual(outputs: &[Vec<Rational>], labels: &Labels, target: Target) -> ExactResidual {
    let mut residual = ExactResidual { fits: 0, largest: Rational::ZERO, at: None };
    for (i, row) in outputs.iter().enumerate() {
        let difference = |(f, y): (&Rational, Rational)| if *f < y { y - f } else { f - y };
        let worst = row.iter().zip(target.of(labels, i)).map(difference).max();
        let worst = worst.unwrap_or(Rational::ZERO);
        residual.fits += usize::from(worst.is_zero());
        if worst > residual.largest {
            residual = ExactResidual { largest: worst, at: Some(i), ..residual };
        }
    }
    residual
}
