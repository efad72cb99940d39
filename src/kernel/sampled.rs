//! What a sample of the entries says of a kernel matrix, before hours are spent on all of them.
//!
//! For kernels of the distance, with entries in 0 ..= 1 and ones on the diagonal. The 2 × 2 minor of points i and j has the
//! eigenvalue 1 − k_ij, and the least eigenvalue of K is at most that. If 1 − k_ij <= n u for all pairs of a sample, u the unit roundoff of
//! the arithmetic, then K is the matrix of ones up to rounding, and no factorisation can tell it from a singular one. If
//! n k_ij <= u for all of them, then adding up a row of such entries changes no bit of 1: K is the identity, the coefficients are
//! the targets, and the interpolant is 0 away from the points.

use super::blocks::{Blocks, Scratch};

/// Points of the sample.
const POINTS: usize = 256;

/// What entries of a sample of pairs are like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampled {
    /// Points of the sample.
    pub points: usize,
    /// The least entry off the diagonal.
    pub least: f64,
    /// The largest entry off the diagonal.
    pub most: f64,
    /// The least entry of the diagonal of K.
    pub least_diagonal: f64,
    /// The largest entry of the diagonal of K.
    pub most_diagonal: f64,
}

/// Samples the points at equal steps, and the whole diagonal.
pub(crate) fn sampled(blocks: &Blocks) -> Sampled {
    let n = blocks.points().rows();
    let points = n.min(POINTS);
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    let mut scratch = Scratch::default();
    let rows: Vec<u32> = (0..points).map(|k| (k * n / points) as u32).collect();
    if let Ok(few) = blocks.points().select(&rows) {
        Blocks::symmetric(blocks.kernel(), &few).fill(0..points, 0..points, false, &mut scratch);
        for (at, &value) in scratch.values.iter().enumerate() {
            if at / points != at % points {
                least = f64::min(least, value);
                most = f64::max(most, value);
            }
        }
    }
    let diagonal = || (0..n).map(|i| blocks.diagonal(i));
    let least_diagonal = diagonal().fold(f64::INFINITY, f64::min);
    let most_diagonal = diagonal().fold(0.0, |most, x| if x <= most { most } else { x });
    Sampled { points, least, most, least_diagonal, most_diagonal }
}
