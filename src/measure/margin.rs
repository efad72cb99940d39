//! Margins, their distribution, and the error of a network at a margin.
//!
//! The margin of a point is by how much outputs say its label ([`How`]); it is positive where they do, and a point
//! with margin <= 0 is an error (ties are errors). With outputs f ∈ R^k at a point of class y:
//!
//! | reading | margin m(f, y) | its Lipschitz constant in the ℓ2 norm |
//! |---|---|---|
//! | `largest` | f_y − max_{c≠y} f_c, ∞ if there is no other output | √2 |
//! | `sign` | f or −f | 1 |
//! | `half` | f − 1/2 or 1/2 − f | 1 |
//! | `value` | 1/2 − \|f − y\| | 1 |
//! | `one-hot`, `bits` | min_c 1/2 − \|f_c − target_c\| | 1 |
//!
//! **Ramp loss** at γ > 0: ℓ_γ(m) = min(1, max(0, 1 − m/γ)), between the indicators of m <= 0 and of m < γ, and
//! 1/γ-Lipschitz.
//!
//! **Value.** Margins of given outputs are rounded down, and lowered by what an error of each output may change: with
//! [`output_error`] as that error they are *bounds* from below of the margins of the network in real arithmetic.

use shatter_network::reading::{BoundLabels, How};
use shatter_sample::Labels;

use crate::layers::Perceptron;
use crate::outward::{add_down, add_up, mul_up};
use crate::path::propagate;
use crate::sizes::PointSizes;
use crate::spectral::gamma;
use crate::{Enclosure, MeasureError};

/// Margins of n points, in increasing order.
///
/// ```
/// use shatter_measure::margin::Margins;
/// use shatter_network::reading::{How, Reading};
/// use shatter_sample::Labels;
/// let labels = Reading::new(How::Largest).bind(&Labels::classes(vec![0, 1], 2)?, 2)?;
/// let margins = Margins::of(&[3.0, 1.0, 5.0, 4.0], 2, &labels, 0.0)?;
/// assert_eq!(margins.sorted(), [-1.0, 2.0]);
/// assert_eq!((margins.errors(), margins.quantile(0.5), margins.ramp(4.0).high()), (1, -1.0, 0.75));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Margins {
    sorted: Vec<f64>,
    how: How,
    outputs: usize,
}

impl Margins {
    /// The margins of outputs, n rows of `outputs` numbers, each of which may be off by `error`.
    ///
    /// # Errors
    /// [`MeasureError::NoPoints`], [`MeasureError::Length`], [`MeasureError::PointNotFinite`],
    /// [`MeasureError::NoSuchOutput`], [`MeasureError::NoMargins`] for labels that are real numbers.
    pub fn of(
        numbers: &[f64],
        outputs: usize,
        labels: &BoundLabels,
        error: f64,
    ) -> Result<Margins, MeasureError> {
        let n = labels.labels().len();
        let Labels::Classes { of, .. } = labels.labels() else {
            return Err(MeasureError::NoMargins);
        };
        if n == 0 || outputs == 0 {
            return Err(MeasureError::NoPoints);
        }
        if Some(numbers.len()) != n.checked_mul(outputs) {
            let (found, expected) = (numbers.len(), n.saturating_mul(outputs));
            return Err(MeasureError::Length { what: "outputs", found, expected });
        }
        if let Some(at) = numbers.iter().position(|x| !x.is_finite()) {
            let (point, value) = (at / outputs, numbers[at]);
            return Err(MeasureError::PointNotFinite { point, what: "an output", value });
        }
        if error.is_nan() || error < 0.0 {
            let expected = "a number from 0 on";
            return Err(MeasureError::Parameter {
                what: "the error of outputs",
                value: error,
                expected,
            });
        }
        let how = labels.how();
        let off = if how == How::Largest { mul_up(2.0, error) } else { error };
        let mut sorted = Vec::with_capacity(n);
        for (point, row) in numbers.chunks_exact(outputs).enumerate() {
            let class = of[point];
            let missing = MeasureError::NoSuchOutput { point, class, outputs };
            let margin = margin(how, row, class, labels, point).ok_or(missing)?;
            // What no error can change stays infinite.
            sorted.push(if margin == f64::INFINITY { margin } else { add_down(margin, -off) });
        }
        sorted.sort_by(f64::total_cmp);
        Ok(Margins { sorted, how, outputs })
    }

    /// n.
    #[must_use]
    pub fn n(&self) -> usize {
        self.sorted.len()
    }

    /// The margins, the smallest first.
    #[must_use]
    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// How outputs are read.
    #[must_use]
    pub fn how(&self) -> How {
        self.how
    }

    /// Number of outputs.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Points with margin <= 0.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.sorted.partition_point(|&m| m <= 0.0)
    }

    /// Points with margin < γ.
    #[must_use]
    pub fn below(&self, gamma: f64) -> usize {
        self.sorted.partition_point(|&m| m < gamma)
    }

    /// The smallest margin m such that at least a fraction `q` of the points have a margin of at most m; the smallest
    /// of all for q = 0.
    ///
    /// # Panics
    /// If `q` is not in 0 ..= 1: a defect of the caller.
    #[must_use]
    pub fn quantile(&self, q: f64) -> f64 {
        assert!((0.0..=1.0).contains(&q), "a quantile is a number from 0 to 1");
        let n = self.sorted.len();
        let rank = (q * n as f64).ceil() as usize;
        self.sorted[rank.clamp(1, n) - 1]
    }

    /// Mean ramp loss at γ > 0, enclosed; all numbers for other γ.
    #[must_use]
    pub fn ramp(&self, gamma: f64) -> Enclosure {
        if gamma.is_nan() || gamma <= 0.0 {
            return Enclosure::ALL;
        }
        let errors = self.errors();
        let within = &self.sorted[errors..self.below(gamma)];
        let one = Enclosure::ONE;
        let of = |&m: &f64| one - Enclosure::exact(m) / Enclosure::exact(gamma);
        let sum = Enclosure::whole(errors as u64) + within.iter().map(of).sum();
        let mean = sum / Enclosure::whole(self.n() as u64);
        Enclosure::new(mean.low().max(0.0), mean.high().min(1.0))
    }

    /// Margins that are worth trying as γ: at most `count` of those that are positive and finite.
    #[must_use]
    pub fn candidates(&self, count: usize) -> Vec<f64> {
        let finite = self.sorted.partition_point(|&m| m < f64::INFINITY);
        let positive = &self.sorted[self.errors().min(finite)..finite];
        let every = positive.len().div_ceil(count.max(1)).max(1);
        let last = positive.last().copied();
        let mut found: Vec<f64> = positive.iter().step_by(every).copied().chain(last).collect();
        found.dedup();
        found
    }
}

/// The margin of outputs, rounded down; `None` if the class has no output.
pub(crate) fn margin(
    how: How,
    row: &[f64],
    class: u32,
    labels: &BoundLabels,
    point: usize,
) -> Option<f64> {
    let near = |output: f64, target: f64| {
        let (output, target) = (Enclosure::exact(output), Enclosure::exact(target));
        (Enclosure::exact(0.5) - (output - target).abs()).low()
    };
    let side = |threshold: f64| {
        let output = *row.first()?;
        match class {
            0 => Some(add_down(threshold, -output)),
            1 => Some(add_down(output, -threshold)),
            _ => None,
        }
    };
    match how {
        How::Largest => {
            let own = *row.get(class as usize)?;
            let others = row.iter().enumerate().filter(|(k, _)| *k != class as usize);
            let most = others.fold(f64::NEG_INFINITY, |most, (_, &other)| most.max(other));
            Some(if most == f64::NEG_INFINITY { f64::INFINITY } else { add_down(own, -most) })
        }
        How::Sign => side(0.0),
        How::Half => side(0.5),
        How::Value | How::OneHot | How::Bits => {
            let target = labels.target(point)?;
            if target.len() != row.len() {
                return None;
            }
            // Classes and their bits are small whole numbers.
            let numbers = target.iter().map(|x| x.to_f64().value());
            Some(row.iter().zip(numbers).map(|(&x, t)| near(x, t)).fold(f64::INFINITY, f64::min))
        }
    }
}

/// A bound on the error of every output that a pass in binary64 computes, at points in the box of these sizes.
///
/// **Proof.** Let p_l be the path sums |W_l| p_{l−1} + |b_l| from p_0 = the sides of the box; they bound the numbers
/// of layer l. If the computed numbers of layer l − 1 are off by at most e_{l−1}, those of layer l are off by at most
/// |W_l| e_{l−1} + γ_{k+2} (|W_l| (p_{l−1} + e_{l−1}) + |b_l|) + (k + 1) 2^-1074 for k inputs: k products and k sums in
/// any order, and underflow. Activations are 1-Lipschitz and a leaky one's product is covered by k + 2. Weights that
/// were fractions are off by 2^-53 of themselves, which a further unit in γ covers. ∎
///
/// Infinite where numbers overflow. Not valid for a pass in binary32.
#[must_use]
pub fn output_error(perceptron: &Perceptron, sizes: &PointSizes) -> f64 {
    let mut size: Vec<f64> = sizes.box_sides.clone();
    size.truncate(perceptron.inputs);
    let mut error = vec![0.0; size.len()];
    for layer in &perceptron.layers {
        let rounded = if layer.rounding > 0.0 { 1 } else { 0 };
        let unit = gamma(layer.inputs + 2 + rounded).high();
        let underflow = mul_up((layer.inputs + 1) as f64, f64::from_bits(1));
        let dot = |row: &[f64], numbers: &[f64]| {
            let products = row.iter().zip(numbers).filter(|(w, _)| **w != 0.0);
            products.fold(0.0, |sum, (w, x)| add_up(sum, mul_up(w.abs(), *x)))
        };
        let together: Vec<f64> = size.iter().zip(&error).map(|(&p, &e)| add_up(p, e)).collect();
        let next = (0..layer.outputs).map(|j| {
            let (row, bias) = (layer.row(j), layer.bias[j].abs());
            let before = dot(row, &error);
            let own = mul_up(unit, add_up(dot(row, &together), bias));
            let e = add_up(add_up(before, own), underflow);
            let p = mul_up(add_up(dot(row, &size), bias), add_up(1.0, 2.0 * layer.rounding));
            (p, e)
        });
        (size, error) = next.unzip();
    }
    let most = error.iter().fold(0.0, |most: f64, &e| most.max(e));
    if most.is_nan() || size.iter().any(|p| !p.is_finite()) { f64::INFINITY } else { most }
}

/// A bound on the size of every output, at points in the box of these sizes.
#[must_use]
pub fn output_size(perceptron: &Perceptron, sizes: &PointSizes) -> f64 {
    let sides = sizes.box_sides.iter().take(perceptron.inputs).map(|&x| Enclosure::exact(x));
    let sums = propagate(perceptron, sides.collect(), 1);
    sums.iter().fold(0.0, |most: f64, sum| most.max(sum.high()))
}

/// Margins divided by a positive number such as a product of norms, for comparison between networks: a *measure*.
#[must_use]
pub fn normalized(margins: &Margins, by: f64) -> Vec<f64> {
    margins.sorted().iter().map(|m| m / by).collect()
}
