//! Two layers over one direction, as functions on a line.
//!
//! Where the first layer is ReLU(z − κ_j) with one z = <a, x>, unit u of the second layer has the
//! affine value A z + B between two knots, with sums over the knots below z:
//!
//! ```text
//! A = Σ_{κ_j < z} w_uj,   B = v_u − Σ_{κ_j < z} w_uj κ_j
//! ```
//!
//! At a knot its own term is 0 on either side. All sums over first knots are formed once, in lowest
//! terms: those over neighbouring knots have short denominators in networks that interpolate, while
//! the common denominator of all weights is long. z is an integer P times a scale τ, so that
//! κ_j < z exactly if ⌊κ_j/τ⌋ < P.

use std::borrow::Cow;

use dashu_int::IBig;
use dashu_int::ops::DivRemEuclid;

use super::Rejection;
use super::activation::Activation;
use super::fraction::Fraction;
use super::layered::Layer;
use super::number::{Binary, Number, bit_length};
use super::plan::{IntegerLayer, Part, Scale, fraction};
use super::room::Room;
use super::work::Work;

/// Units that the first layer must have for the sums to pay.
const LEAST_KNOTS: usize = 8;

/// The first two layers of a network.
#[derive(Debug)]
pub struct Ridge<'a> {
    /// The second of them.
    pub layer: &'a Layer,
    /// x ↦ P.
    pub projection: IntegerLayer<'a>,
    /// True if all its values are 0 and 1.
    pub indicators: bool,
    /// ⌊κ_j/τ⌋, increasing.
    knots: Vec<IBig>,
    /// The units of the second layer.
    units: Vec<Pieces>,
}

/// An affine value as a function of P.
#[derive(Debug)]
struct Pieces {
    /// Which knots have a weight, increasing.
    knots: Vec<usize>,
    /// (A τ, B) below the first of them and after each.
    lines: Vec<(Fraction, Fraction)>,
}

impl<'a> Ridge<'a> {
    /// Returns whether the two layers are of this form, and fractions in the second make it pay.
    pub fn applies(first: &Layer, second: &Layer) -> bool {
        let row = |j: usize| (&first.from[first.row(j)], &first.weights[first.row(j)]);
        first.units() >= LEAST_KNOTS
            && first.activations.iter().all(|activation| *activation == Activation::Relu)
            && second.weights.iter().any(|weight| matches!(weight, Number::Fraction(_)))
            && (1..first.units()).all(|j| row(j) == row(0))
    }

    /// The knots and the sums, for layers to which this [applies](Ridge::applies) and inputs over
    /// these scales.
    ///
    /// # Errors
    /// [`Rejection::TooMuchSpace`], [`Rejection::TooMuchWork`].
    pub fn of(
        first: &Layer,
        second: &'a Layer,
        before: &[Scale],
        room: &mut Room,
        work: &Work,
    ) -> Result<Ridge<'a>, Rejection> {
        let row = first.row(0);
        let direction = Layer {
            activations: vec![Activation::Identity],
            biases: vec![Number::Binary(Binary::ZERO)],
            ends: vec![row.len()],
            from: first.from[row.clone()].to_vec(),
            weights: first.weights[row].to_vec(),
        };
        let projection = IntegerLayer::of(Cow::Owned(direction), before, false, room, work)?;
        let tau = projection.scales.first().ok_or(Rejection::Plan)?;
        let floors: Vec<IBig> = first
            .biases
            .iter()
            .map(|bias| floor(bias, tau, room, work))
            .collect::<Result<_, _>>()?;
        let widest = floors.iter().map(bit_length).max().unwrap_or(0);
        work.announce(64u64.saturating_mul(floors.len() as u64), widest, 0)?;
        let mut order: Vec<usize> = (0..floors.len()).collect();
        // Where floors are equal, no P lies between the knots, and their order does not matter.
        order.sort_by(|&i, &j| floors[i].cmp(&floors[j]));
        let mut rank = vec![0; order.len()];
        order.iter().enumerate().for_each(|(place, &j)| rank[j] = place);
        let mut biases = Vec::with_capacity(rank.len());
        for bias in &first.biases {
            let bias = fraction(bias, &Scale::ONE, room, work)?;
            room.take(bias.bits(), 2)?;
            biases.push(bias);
        }
        let mut units = Vec::with_capacity(second.units());
        for u in 0..second.units() {
            let mut row: Vec<(usize, usize)> =
                second.row(u).map(|k| (rank[second.from[k] as usize], k)).collect();
            row.sort_unstable();
            let mut slope = Fraction::ZERO;
            let mut offset = fraction(&second.biases[u], &Scale::ONE, room, work)?;
            room.take(offset.bits(), 2)?;
            let mut lines = vec![(slope.clone(), offset.clone())];
            for &(_, k) in &row {
                let bias = &biases[second.from[k] as usize];
                let scaled = fraction(&second.weights[k], tau, room, work)?;
                let weight = fraction(&second.weights[k], &Scale::ONE, room, work)?;
                // Before they are in lowest terms.
                room.lend(slope.bits() + scaled.bits(), 2)?;
                room.lend(offset.bits() + weight.bits() + bias.bits(), 2)?;
                slope = slope.plus(&scaled, work)?.lowest(work)?;
                offset = offset.plus(&weight.times(bias, work)?, work)?.lowest(work)?;
                room.take(slope.longer(), 2)?;
                room.take(offset.longer(), 2)?;
                lines.push((slope.clone(), offset.clone()));
            }
            units.push(Pieces { knots: row.into_iter().map(|(place, _)| place).collect(), lines });
        }
        let knots = order.into_iter().map(|j| floors[j].clone()).collect();
        let indicators = second.activations.iter().all(|activation| activation.is_indicator());
        Ok(Ridge { layer: second, projection, indicators, knots, units })
    }

    /// The affine values at P, not in lowest terms, if they and what is made of them take at most
    /// `limit` bits.
    ///
    /// # Errors
    /// [`Rejection::TooMuchSpace`], [`Rejection::TooMuchWork`].
    pub fn sums(&self, p: IBig, limit: u64, work: &Work) -> Result<Vec<Fraction>, Rejection> {
        work.announce(64, bit_length(&p), 0)?;
        let below = self.knots.partition_point(|knot| *knot < p);
        let p = Fraction::from(p);
        let mut space = 0u64;
        let mut sums = Vec::with_capacity(self.units.len());
        for unit in &self.units {
            let piece = unit.knots.partition_point(|&knot| knot < below);
            let (slope, offset) = unit.lines.get(piece).ok_or(Rejection::Plan)?;
            let bits = p.bits() + slope.bits() + offset.bits();
            // A square is twice as long.
            space = space.saturating_add(2 * bits);
            if space > limit {
                return Err(Rejection::TooMuchSpace { limit });
            }
            sums.push(slope.times(&p, work)?.plus(offset, work)?);
        }
        Ok(sums)
    }
}

/// ⌊κ/τ⌋ for κ = −`bias`.
fn floor(bias: &Number, tau: &Scale, room: &mut Room, work: &Work) -> Result<IBig, Rejection> {
    let part = Part::of(bias, &Scale::ONE, work)?;
    let shift = part.e - tau.exponent;
    let (m_bits, q_bits) = (bit_length(&part.m), bit_length(&part.q));
    let bits = m_bits + bit_length(&tau.odd) + q_bits + shift.unsigned_abs();
    room.lend(bits, 4)?;
    work.announce(2, m_bits + bit_length(&tau.odd) + shift.unsigned_abs(), q_bits)?;
    work.announce(1, m_bits, bit_length(&tau.odd))?;
    let (mut m, mut q) = (-part.m * &tau.odd, part.q);
    match shift {
        0.. => m <<= shift.unsigned_abs() as usize,
        _ => q <<= shift.unsigned_abs() as usize,
    }
    let (floor, _) = m.div_rem_euclid(&q);
    room.take(bit_length(&floor), 2)?;
    Ok(floor)
}
