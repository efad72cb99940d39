//! What exact evaluation would take, known before a number of it is made.
//!
//! Of every value the plan knows how long its numbers can become: |x| < 2^high, and x · denominator is a
//! multiple of 2^low, so that the whole number that is kept has at most high − low + bits(denominator) bits.
//! For a step with values x:
//!
//! ```text
//! Σ w x + b     high = max(high(x) + high(w) + log2 terms, high(b)) + 1     low = min(low(x) + low(w), low(b))
//! x ± y         high = max + 1     low = min     denominator: the least common multiple
//! mean          denominator · the least common multiple of what it divides by
//! 1/x, softsign each number has a denominator besides, of as many bits as x had; sums of k add k of them
//! ```
//!
//! A number of b bits takes what [`held`] says: the library's 24 bytes, a count beside it, and what is allocated
//! beyond two words.
//! Counted are the weights, and at each step the values that are still read with the one that is made; the
//! evaluation makes no other arrays. A product of numbers of v and w words, added to r words, counts
//! 1 + (v w + r)/32: a small one takes some 40 nanoseconds.

use std::ops::Range;

use dashu_int::UBig;
use dashu_int::ops::BitTest;

use super::program::{normalization, root};
use super::value::{Divisors, common, dyadic, grain, top};
use crate::Activation;
use crate::graph::{Graph, Operator, SlidingWindow, Step, count};
use crate::layered::Unit;
use shatter_exact::{Rational, bit_length};

/// Bits of the longest number, and bits that all denominators may have.
const MOST_BITS: u64 = 1 << 18;
pub(super) const MOST_DENOMINATOR: usize = 1 << 15;
/// Bytes beside the numbers that one number of a block takes, if the block is one point.
const COLUMN: u64 = 64;

/// Why a network is not evaluated exactly.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Inexact {
    /// A root.
    #[error("batch normalization takes square roots, which are irrational")]
    SquareRoot,
    /// Another power.
    #[error("local response normalization takes powers, which are irrational")]
    Power,
    /// Weights far apart, or many of them one after the other.
    #[error(
        "numbers would grow too long (more than {MOST_BITS} bits, or denominators of more than \
         {MOST_DENOMINATOR})"
    )]
    TooLong,
    /// Numbers that do not fit.
    #[error("its numbers would take {bytes} bytes of memory at once; the limit is {most}")]
    TooMuchMemory {
        /// How many it would be.
        bytes: u64,
        /// How many it may be.
        most: u64,
    },
}

/// The cost of exact evaluation: bytes of weights and values, and operations.
#[derive(Clone, Debug)]
pub struct EvaluationPlan {
    /// Bytes of the weights.
    pub weights: u64,
    /// The most bytes of a point at once.
    pub point: u64,
    /// Work of a point, in products of small numbers.
    pub work: u64,
    /// Bits of the longest number.
    pub bits: u64,
}

/// How large the numbers of a value are.
#[derive(Clone, Debug)]
struct Size {
    high: i64,
    low: i64,
    denominator: UBig,
    /// Bits of the denominator that each number has besides: 0 where none has.
    own: u64,
}

impl Size {
    fn bits(&self) -> u64 {
        let span = u64::try_from(self.high.saturating_sub(self.low)).unwrap_or(0);
        let denominators = (self.denominator.bit_len() as u64).saturating_add(self.own);
        span.max(1).saturating_add(denominators)
    }

    fn words(&self) -> u64 {
        words(self.bits())
    }

    /// Sums of numbers of both sizes.
    fn plus(&self, other: &Size) -> Size {
        Size {
            high: self.high.max(other.high) + 1,
            low: self.low.min(other.low),
            denominator: common(&self.denominator, &other.denominator),
            own: self.own.saturating_add(other.own),
        }
    }

    /// Numbers of either size.
    fn or(&self, other: &Size) -> Size {
        let both = self.plus(other);
        Size { high: both.high - 1, own: self.own.max(other.own), ..both }
    }

    /// Sums of so many products of numbers of both sizes.
    fn times(&self, other: &Size, terms: u64) -> Size {
        Size {
            high: self.high + other.high + i64::from(u64::BITS - terms.leading_zeros()),
            low: self.low + other.low,
            denominator: &self.denominator * &other.denominator,
            own: self.own.saturating_add(other.own).saturating_mul(terms.max(1)),
        }
    }

    /// φ of such numbers.
    fn activated(&self, activation: Activation) -> Size {
        let indicator = Size { high: 1, low: 0, denominator: UBig::ONE, own: 0 };
        match activation {
            Activation::Identity | Activation::Relu => self.clone(),
            Activation::Threshold | Activation::Sine => indicator,
            Activation::Square => self.times(self, 1).doubled_once(),
            // Numerator and denominator change places.
            Activation::Reciprocal => Size {
                high: (-self.low).max(0) + self.denominator.bit_len() as i64 + self.own as i64 + 1,
                own: self.bits().saturating_add(self.low.max(0) as u64),
                ..indicator
            },
            Activation::Softsign => {
                let shift = self.low.unsigned_abs();
                Size { own: self.bits().saturating_add(shift).saturating_add(2), ..indicator }
            }
        }
    }

    /// One product has no sum.
    fn doubled_once(self) -> Size {
        Size { high: self.high - 1, ..self }
    }

    /// Bytes of so many numbers.
    fn bytes(&self, numbers: u64) -> u64 {
        let one = if self.own == 0 { held(self.bits()) } else { 2 * held(self.bits()) };
        numbers.saturating_mul(one + COLUMN)
    }

    /// Work of a sum of so many words: fractions are brought to lowest terms.
    fn sums(&self, words: u64) -> u64 {
        if self.own == 0 { words } else { 256 + 4 * self.words().saturating_mul(self.words()) }
    }

    fn is_kept(&self) -> bool {
        let far = |x: i64| x.unsigned_abs() > MOST_BITS;
        !far(self.high)
            && !far(self.low)
            && self.bits() <= MOST_BITS
            && self.denominator.bit_len() <= MOST_DENOMINATOR
            && self.own <= MOST_DENOMINATOR as u64
    }
}

fn words(bits: u64) -> u64 {
    bits / 64 + 1
}

/// Bytes of a whole number of so many bits, and of a count or an index: two words lie in it; more are
/// allocated, with room to grow, and with what the allocator keeps of its own.
pub fn held(bits: u64) -> u64 {
    let words = words(bits);
    if words <= 2 { 32 } else { 32 + 16 + 8 * (words + words / 4 + 4) }
}

/// The size of constants; zeros are as small as can be.
fn size_of(numbers: &[f64]) -> Size {
    let low = grain(numbers).unwrap_or(0);
    Size { high: top(numbers).unwrap_or(low), low, denominator: UBig::ONE, own: 0 }
}

/// The size of fractions; `None` if their common denominator is too long.
fn size_of_fractions<'a>(numbers: impl IntoIterator<Item = &'a Rational>) -> Option<Size> {
    let mut size: Option<Size> = None;
    for x in numbers.into_iter().filter(|x| !x.is_zero()) {
        let (up, down) = (x.numerator().trailing_zeros(), x.denominator().trailing_zeros());
        let bits = bit_length(x.numerator()) as i64 - x.denominator().bit_len() as i64;
        let own = Size {
            high: bits + 1,
            low: up.unwrap_or(0) as i64 - down.unwrap_or(0) as i64,
            denominator: x.denominator() >> down.unwrap_or(0),
            own: 0,
        };
        let both = size.map_or(own.clone(), |size| size.or(&own));
        if both.denominator.bit_len() > MOST_DENOMINATOR {
            return None;
        }
        size = Some(both);
    }
    Some(size.unwrap_or(Size { high: 0, low: 0, denominator: UBig::ONE, own: 0 }))
}

/// Refuses networks with irrational numbers.
///
/// # Errors
/// [`Inexact::SquareRoot`], [`Inexact::Power`].
pub fn rational(network: &Graph) -> Result<(), Inexact> {
    for step in &network.steps {
        match &step.operation {
            Operator::Normalize(by) => {
                let sums = by.variance.iter().map(|&x| dyadic(x).to_rational());
                let epsilon = dyadic(by.epsilon).to_rational();
                if sums.into_iter().any(|variance| root(&(variance + &epsilon)).is_none()) {
                    return Err(Inexact::SquareRoot);
                }
            }
            Operator::Response(by) if by.quarters().is_none_or(|quarters| quarters % 4 != 0) => {
                return Err(Inexact::Power);
            }
            _ => {}
        }
    }
    Ok(())
}

/// The least common multiple of what a mean over such windows divides by; `None` if it is too long.
pub fn divisors(
    window: &SlidingWindow,
    padded: bool,
    (height, width): (usize, usize),
) -> Option<UBig> {
    if padded {
        return Some(UBig::from(window.size.0) * UBig::from(window.size.1));
    }
    let (rows, columns) = window.places(height, width)?;
    // Counts are products of any number of rows and any of columns, and so is their common multiple.
    let down = multiple((0..rows).map(|row| window.rows_inside(row, height)))?;
    let across = multiple((0..columns).map(|column| window.columns_inside(column, width)))?;
    Some(down * across)
}

fn multiple(ranges: impl Iterator<Item = Range<usize>>) -> Option<UBig> {
    let mut counts: Vec<usize> = ranges.map(|range| range.len().max(1)).collect();
    counts.sort_unstable();
    counts.dedup();
    let mut all = UBig::ONE;
    for count in counts {
        all = common(&all, &UBig::from(count));
        if all.bit_len() > MOST_DENOMINATOR {
            return None;
        }
    }
    Some(all)
}

impl EvaluationPlan {
    /// Computes the cost of a network.
    ///
    /// # Errors
    /// [`Inexact`], but not for memory: that is [`EvaluationPlan::fits`].
    pub fn of(network: &Graph) -> Result<EvaluationPlan, Inexact> {
        let format = network.precision;
        let input = Size {
            high: format.highest() + 1,
            low: format.lowest() - (format.bits() as i64 - 1),
            denominator: UBig::ONE,
            own: 0,
        };
        rational(network)?;
        let bytes = |shape: &[usize], size: &Size| size.bytes(count(shape) as u64);
        let last = network.last_uses();
        let mut now = bytes(&network.input, &input);
        let mut plan = EvaluationPlan { weights: 0, point: now, work: 0, bits: input.bits() };
        let mut sizes = vec![input];
        for (index, step) in network.steps.iter().enumerate() {
            let (size, work) = plan.step(network, step, &sizes)?;
            if !size.is_kept() {
                return Err(Inexact::TooLong);
            }
            plan.work = plan.work.saturating_add(work);
            plan.bits = plan.bits.max(size.bits());
            now = now.saturating_add(bytes(&step.shape, &size));
            // Units have a scale each, and are brought to a common one beside themselves.
            let beside = step.reads().map(|value| match value.checked_sub(1) {
                Some(before) if matches!(network.steps[before].operation, Operator::Units(_)) => {
                    bytes(network.shape(value), &sizes[value])
                }
                _ => 0,
            });
            plan.point = plan.point.max(now.saturating_add(beside.sum()));
            sizes.push(size);
            let mut read: Vec<usize> = step.reads().filter(|&value| last[value] == index).collect();
            read.sort_unstable();
            read.dedup();
            for value in read {
                now = now.saturating_sub(bytes(network.shape(value), &sizes[value]));
            }
        }
        // Outputs with denominators of their own are brought to a common one.
        let (outputs, made) = (network.outputs() as u64, &sizes[network.steps.len()]);
        if made.own > 0 {
            let common = made.bits().saturating_add(made.own.saturating_mul(outputs));
            plan.bits = plan.bits.max(common);
            plan.point = plan.point.saturating_add(outputs.saturating_mul(held(common)));
            let words = words(common);
            plan.work = plan.work.saturating_add(outputs.saturating_mul(1 + words * words / 32));
        }
        Ok(plan)
    }

    /// Refuses what takes more than so many bytes.
    ///
    /// # Errors
    /// [`Inexact::TooMuchMemory`].
    pub fn fits(&self, most: u64) -> Result<(), Inexact> {
        let bytes = self.weights.saturating_add(self.point);
        if bytes > most { Err(Inexact::TooMuchMemory { bytes, most }) } else { Ok(()) }
    }

    /// Returns the number of points that fit `most` bytes at once.
    pub fn at_once(&self, most: u64) -> usize {
        (most.saturating_sub(self.weights) / self.point.max(1)).max(1) as usize
    }

    /// The numbers of a step, and its work.
    fn step(
        &mut self,
        network: &Graph,
        step: &Step,
        sizes: &[Size],
    ) -> Result<(Size, u64), Inexact> {
        let (x, shape) = (&sizes[step.on], network.shape(step.on));
        let numbers = count(&step.shape) as u64;
        let each = |times: u64, words: u64| times.saturating_mul(1 + words / 32);
        let mean = |window: &SlidingWindow, padded: bool, sides: (usize, usize)| {
            let common = divisors(window, padded, sides).ok_or(Inexact::TooLong)?;
            // Denominators that each number has besides multiply up.
            let met = (window.size.0.min(sides.0) as u64)
                .saturating_mul(window.size.1.min(sides.1) as u64);
            let own = x.own.saturating_mul(met);
            let after = Size { denominator: &x.denominator * &common, own, ..x.clone() };
            let added = (shape[0] as u64).saturating_mul(window.positions(sides.0, sides.1));
            let scaled = x.words() * words(common.bit_len() as u64);
            let one = after.sums(x.words());
            Ok((after, each(added, one).saturating_add(each(numbers, scaled))))
        };
        Ok(match &step.operation {
            Operator::Dense(affine) | Operator::Convolution(affine, _) => {
                let weights = size_of(&affine.weights);
                let terms = match &step.operation {
                    Operator::Convolution(_, window) => (shape[0] as u64)
                        .saturating_mul(window.positions(shape[1], shape[2]))
                        .saturating_mul(affine.outputs as u64),
                    _ => affine.weights.len() as u64,
                };
                let product = x.times(&weights, affine.inputs as u64);
                let after = match affine.bias.is_empty() {
                    true => product,
                    false => product.plus(&size_of(&affine.bias)),
                };
                // Products on a coarser grid than the bias are brought to its own with their weights.
                let finer = u64::try_from(x.low + weights.low - after.low).unwrap_or(0);
                let one = held(weights.bits().saturating_add(finer));
                let bytes = (affine.weights.len() as u64).saturating_mul(one);
                self.weights = self.weights.saturating_add(bytes);
                let one = x.words().saturating_mul(weights.words()).saturating_add(after.words());
                let one = after.sums(one);
                let moved = each(numbers, after.words().saturating_mul(2));
                (after, each(terms, one).saturating_add(moved))
            }
            Operator::MeanPool(window, padded) => mean(window, *padded, (shape[1], shape[2]))?,
            Operator::GlobalMean => {
                let sides = (shape[1], shape[2]);
                mean(&SlidingWindow::whole(sides.0, sides.1), true, sides)?
            }
            Operator::MaxPool(window) => {
                let compared =
                    (shape[0] as u64).saturating_mul(window.positions(shape[1], shape[2]));
                (x.clone(), each(compared.saturating_add(numbers), x.words()))
            }
            Operator::Shift { by, .. } => {
                let after = x.plus(&size_of(by));
                let work = each(numbers, after.words().saturating_mul(2));
                (after, work)
            }
            Operator::Sum { other, .. } => {
                let after = x.plus(&sizes[*other]);
                let scaled = words(after.denominator.bit_len() as u64).saturating_mul(2);
                let work = each(numbers, after.words().saturating_mul(scaled));
                (after, work)
            }
            Operator::Concatenate(others) => {
                let mut after = x.clone();
                for &other in others {
                    after = after.or(&sizes[other]);
                    if !after.is_kept() {
                        return Err(Inexact::TooLong);
                    }
                }
                let scaled = words(after.denominator.bit_len() as u64);
                let work = each(numbers, after.words().saturating_mul(scaled));
                (after, work)
            }
            Operator::Activate(Activation::Relu | Activation::Identity)
            | Operator::Gather { .. }
            | Operator::Same
            | Operator::Softmax { .. } => (x.clone(), each(numbers, x.words())),
            Operator::Activate(activation) => {
                let after = x.activated(*activation);
                let one = after.sums(x.words().saturating_mul(x.words()).max(4 * x.words()));
                (after, each(numbers, one))
            }
            Operator::Leaky(slopes) => {
                let slopes = size_of(slopes);
                let (high, low) = (x.high + slopes.high.max(0), x.low + slopes.low.min(0));
                let after = Size { high, low, denominator: x.denominator.clone(), own: x.own };
                (after.clone(), each(numbers, x.words().saturating_mul(after.words())))
            }
            Operator::Clip { low, high } => {
                let bounds: Vec<f64> =
                    [*low, *high].into_iter().filter(|bound| bound.is_finite()).collect();
                let after = x.plus(&size_of(&bounds));
                (after.clone(), each(numbers, after.words().saturating_mul(2)))
            }
            Operator::Scale { by, divides: false, .. } => {
                let by = size_of(by);
                let after = x.times(&by, 1).doubled_once();
                (after, each(numbers, x.words().saturating_mul(by.words())))
            }
            Operator::Scale { by, divides: true, .. } => {
                let size = size_of(by);
                let divisors = Divisors::of(by);
                // |x/c| <= |x| / 2^(low of c), and x/c · denominators is a multiple of 2^(low of x − high of c).
                let after = Size {
                    high: x.high - size.low,
                    low: x.low - divisors.exponent - divisors.denominator.bit_len() as i64,
                    denominator: &x.denominator * &divisors.denominator,
                    own: x.own,
                };
                let words = after.words();
                (after, each(numbers, x.words().saturating_mul(words)))
            }
            Operator::Normalize(by) => {
                let by = normalization(by)?;
                let factors = size_of_fractions(by.iter().map(|(factor, _)| factor));
                let summands = size_of_fractions(by.iter().map(|(_, summand)| summand));
                let (Some(factors), Some(summands)) = (factors, summands) else {
                    return Err(Inexact::TooLong);
                };
                let after = x.times(&factors, 1).plus(&summands);
                let one = after.sums(x.words().saturating_mul(factors.words()) + after.words());
                (after, each(numbers, one))
            }
            Operator::Response(by) => {
                let (size, alpha, _, k) = by.constants();
                let whole = by.quarters().unwrap_or(0) / 4;
                // Of the square of each number nearby, and of the sum of them.
                let constants =
                    [dyadic(alpha).to_rational() / Rational::from(size), dyadic(k).to_rational()];
                let constants = size_of_fractions(&constants).ok_or(Inexact::TooLong)?;
                let square = x.times(x, 1).times(&constants, size.min(shape[0]) as u64 + 1);
                let sum = Size { own: square.own.saturating_mul(2), ..square.plus(&constants) };
                let inverse = sum.activated(Activation::Reciprocal);
                let after = (0..whole).fold(x.clone(), |after, _| after.times(&inverse, 1));
                let near = size.min(shape[0]) as u64;
                let one = after.sums(0).saturating_mul(near.saturating_add(4));
                (after, each(numbers, one))
            }
            Operator::Units(units) => self.units(x, units)?,
        })
    }

    /// A layer of units.
    fn units(&mut self, x: &Size, units: &[Unit]) -> Result<(Size, u64), Inexact> {
        let each = |times: u64, words: u64| times.saturating_mul(1 + words / 32);
        let weights = units.iter().flat_map(|unit| unit.weights.iter().map(|(_, weight)| weight));
        let weights = size_of_fractions(weights).ok_or(Inexact::TooLong)?;
        let biases = size_of_fractions(units.iter().map(|unit| &unit.bias));
        let biases = biases.ok_or(Inexact::TooLong)?;
        let most = units.iter().map(|unit| unit.weights.len()).max().unwrap_or(0) as u64;
        let sum = x.times(&weights, most).plus(&biases);
        if !sum.is_kept() {
            return Err(Inexact::TooLong);
        }
        let mut after: Option<Size> = None;
        for activation in Activation::ALL {
            if units.iter().any(|unit| unit.activation == activation) {
                let own = sum.activated(activation);
                after = Some(after.map_or(own.clone(), |after| after.or(&own)));
            }
        }
        let after = after.unwrap_or_else(|| sum.clone());
        let terms = units.iter().map(|unit| unit.weights.len() as u64 + 1).sum::<u64>();
        // Coefficients are over the units of what they multiply, and the bias.
        let coefficient = weights.bits().saturating_add(biases.bits()).saturating_add(x.bits());
        self.weights = self.weights.saturating_add(terms.saturating_mul(held(coefficient) + 16));
        let one = x.words().saturating_mul(weights.words()).saturating_add(sum.words());
        let work = each(terms, sum.sums(one).max(after.sums(0)));
        Ok((after, work))
    }
}
