//! The compiled network on a block of points, in the narrowest integers that cannot overflow.

use std::ops::Range;

use crate::graph::{Affine, Operator, SlidingWindow, count};
use crate::{Activation, ExactPoints};
use shatter_exact::dyadic::decompose;
use shatter_exact::{Dyadic, IBig, Rational, bit_length};
use shatter_sample::{Points, Values};

use super::fractions;
use super::nodes::{Node, Nodes, Op};
use super::program::{Factor, Factors, Kind, Layout, Post, Program, UnitCode};

/// Bits up to which a sum is taken in 64-bit integers, and in 128-bit ones.
const SHORT_BITS: u64 = 62;
const LONG_BITS: u64 = 126;

/// Values of one number that do not fit 64 bits, or are no integers.
pub enum Other {
    /// They do: they stand in the block.
    Short,
    /// They fit 128 bits.
    Long(Vec<i128>),
    /// They do not.
    Big(Vec<IBig>),
    /// They are fractions, units and all.
    Fractions(Vec<Rational>),
}

/// A value at some points: number by number, `size` points each.
pub struct Block {
    size: usize,
    short: Vec<i64>,
    other: Vec<Other>,
    /// A bound on the bits of the values of each number.
    bits: Vec<u64>,
}

/// One number at all points of a block, and a coefficient.
#[derive(Clone, Copy)]
struct Term<'a> {
    block: &'a Block,
    at: usize,
    factor: Factor<'a>,
}

impl Block {
    fn new(size: usize, numbers: usize) -> Block {
        let (other, bits) = (Vec::with_capacity(numbers), Vec::with_capacity(numbers));
        Block { size, short: vec![0; numbers * size], other, bits }
    }

    fn short(&self, at: usize) -> &[i64] {
        &self.short[at * self.size..(at + 1) * self.size]
    }

    /// A number at a point, as an integer; fractions are handled elsewhere.
    pub fn integer(&self, at: usize, k: usize) -> IBig {
        match &self.other[at] {
            Other::Short => IBig::from(self.short(at)[k]),
            Other::Long(v) => IBig::from(v[k]),
            Other::Big(v) => v[k].clone(),
            Other::Fractions(_) => IBig::ZERO,
        }
    }

    /// A number at a point.
    pub fn value(&self, at: usize, k: usize, layout: &Layout) -> Rational {
        match (&self.other[at], layout.unit(at)) {
            (Other::Fractions(v), _) => v[k].clone(),
            (_, Some(unit)) => unit * Rational::from(self.integer(at, k)),
            (_, None) => Rational::from(self.integer(at, k)),
        }
    }

    /// How many numbers.
    pub fn numbers(&self) -> usize {
        self.other.len()
    }

    fn push(&mut self, other: Other) {
        let bits = match &other {
            Other::Short => short_bits(self.short(self.other.len())),
            Other::Long(v) => long_bits(v),
            Other::Big(v) => v.iter().map(bit_length).max().unwrap_or(0),
            Other::Fractions(_) => 0,
        };
        self.bits.push(bits);
        self.other.push(other);
    }

    /// Adds a number, made into its place where it is short.
    fn make(&mut self, of: impl FnOnce(&mut [i64]) -> Other) {
        let at = self.other.len();
        let other = of(&mut self.short[at * self.size..(at + 1) * self.size]);
        self.push(other);
    }

    fn term<'a>(&'a self, at: usize, factor: Factor<'a>) -> Term<'a> {
        Term { block: self, at, factor }
    }
}

fn short_bits(values: &[i64]) -> u64 {
    let all = values.iter().fold(0u64, |all, x| all | x.unsigned_abs());
    64 - u64::from(all.leading_zeros())
}

fn long_bits(values: &[i128]) -> u64 {
    let all = values.iter().fold(0u128, |all, x| all | x.unsigned_abs());
    128 - u64::from(all.leading_zeros())
}

/// The coordinates of these points as integers over the grid.
pub fn of_points(points: &Points, rows: Range<usize>, exponent: i64, inputs: usize) -> Block {
    let d = points.d();
    let mut block = Block::new(rows.len(), inputs);
    for k in 0..inputs {
        let at = rows.clone().map(|i| i * d + k);
        block.make(|into| match points.values() {
            Values::U8(v) => {
                into.iter_mut().zip(at).for_each(|(x, at)| *x = i64::from(v[at]));
                Other::Short
            }
            // The least integer has no magnitude in 63 bits.
            Values::I64(v) | Values::Scaled { values: v, .. }
                if exponent == 0 && at.clone().all(|at| v[at] != i64::MIN) =>
            {
                into.iter_mut().zip(at).for_each(|(x, at)| *x = v[at]);
                Other::Short
            }
            _ => {
                let exact = rows.clone().map(|i| points.exact_at(i, k).in_units_of(exponent));
                narrow(exact.collect(), into)
            }
        });
    }
    block
}

/// Binary64 numbers of some points, one point after the other, as integers over the grid.
pub fn of_floats(numbers: &[f64], exponent: i64, inputs: usize) -> Block {
    let size = numbers.len() / inputs.max(1);
    let mut block = Block::new(size, inputs);
    for k in 0..inputs {
        block.make(|into| {
            let whole = |i: usize| match decompose(numbers[i * inputs + k]) {
                Ok((mantissa, own)) if mantissa != 0 => {
                    Dyadic::new(mantissa, own).in_units_of(exponent)
                }
                _ => IBig::ZERO,
            };
            narrow((0..size).map(whole).collect(), into)
        });
    }
    block
}

/// The same integers in 64 bits where all of them fit.
fn narrow(values: Vec<IBig>, into: &mut [i64]) -> Other {
    let fits = values.iter().all(|x| bit_length(x) <= SHORT_BITS);
    if !fits {
        return Other::Big(values);
    }
    into.iter_mut().zip(&values).for_each(|(x, value)| *x = i64::try_from(value).unwrap_or(0));
    Other::Short
}

/// The value that the last step makes of the points of a block.
pub fn run(program: &Program, nodes: &Nodes, input: Block) -> Block {
    let size = input.size;
    let mut values = vec![Some(input)];
    for (index, node) in nodes.list.iter().enumerate() {
        let next = step(program, nodes, (index, node), &values, size);
        values.push(Some(next));
        for &value in node.reads.iter().filter(|&&value| nodes.last[value] == index) {
            values[value] = None;
        }
    }
    values.pop().flatten().unwrap_or_else(|| Block::new(size, 0))
}

fn step(
    program: &Program,
    nodes: &Nodes,
    (index, node): (usize, &Node),
    values: &[Option<Block>],
    size: usize,
) -> Block {
    let code = &program.codes[index];
    let numbers = count(&node.shape);
    let mut next = Block::new(size, numbers);
    // Values are kept until their last reader.
    let read: Option<Vec<&Block>> = node.reads.iter().map(|&v| values[v].as_ref()).collect();
    let Some(read) = read else { return next };
    let operation = match node.op {
        Op::Units(units) => {
            let layout = &program.layouts[node.reads[0]];
            if let Kind::Units(codes) = &code.kind {
                for (code, unit) in codes.iter().zip(units) {
                    next.make(|into| match code {
                        UnitCode::Whole { reads, factors, post } => {
                            let term = |(k, &from): (usize, &u32)| {
                                read[0].term(from as usize, factors.at(k))
                            };
                            let bias = factors.at(reads.len());
                            let terms = reads.iter().enumerate().map(term);
                            sum(terms, bias, (post, 0), into)
                        }
                        UnitCode::Fraction => {
                            let value = |k| fraction_unit(unit, read[0], k, layout);
                            Other::Fractions((0..size).map(value).collect())
                        }
                    });
                }
            }
            return next;
        }
        Op::Other(operation) => operation,
    };
    if matches!(code.kind, Kind::Fractions) {
        let shape = nodes.shape(node.reads[0]);
        let of_point = |k: usize| {
            let values: Vec<Vec<Rational>> = node
                .reads
                .iter()
                .zip(&read)
                .map(|(&value, block)| {
                    let layout = &program.layouts[value];
                    (0..block.numbers()).map(|at| block.value(at, k, layout)).collect()
                })
                .collect();
            fractions::step(operation, &values, shape, &node.shape)
        };
        let mut rows: Vec<_> = (0..size).map(|k| of_point(k).into_iter()).collect();
        for _ in 0..numbers {
            next.push(Other::Fractions(rows.iter_mut().filter_map(Iterator::next).collect()));
        }
        return next;
    }
    // Values with one unit a number come over their common one.
    let scaled: Vec<Option<Block>> = read
        .iter()
        .zip(&code.rescale)
        .map(|(block, factors)| {
            let factors = factors.as_ref()?;
            let mut scaled = Block::new(size, block.numbers());
            for at in 0..block.numbers() {
                let term = block.term(at, factors.at(at));
                scaled.make(|into| sum([term].into_iter(), Factor::ZERO, (&Post::Keep, 0), into));
            }
            Some(scaled)
        })
        .collect();
    let read: Vec<&Block> =
        read.iter().zip(&scaled).map(|(&block, scaled)| scaled.as_ref().unwrap_or(block)).collect();
    array_step(&code.kind, operation, (nodes.shape(node.reads[0]), &node.shape), &read, &mut next);
    next
}

/// A step on arrays with one unit.
fn array_step(
    kind: &Kind,
    operation: &Operator,
    (shape, after): (&[usize], &[usize]),
    read: &[&Block],
    next: &mut Block,
) {
    let (x, numbers) = (read[0], count(after));
    match (kind, operation) {
        (Kind::Affine(weights, bias), Operator::Convolution(affine, window)) => {
            convolution((weights, bias), (affine, window), shape, x, next, numbers);
        }
        (Kind::Affine(weights, bias), Operator::Dense(affine)) => {
            for j in 0..affine.outputs {
                let term = |k: usize| x.term(k, weights.at(j * affine.inputs + k));
                let bias = bias.of_group(j, affine.outputs, Factor::ZERO);
                next.make(|into| sum((0..affine.inputs).map(term), bias, (&Post::Keep, 0), into));
            }
        }
        (Kind::Each(factors, summands, post), _) => {
            let from = match operation {
                Operator::Shift { from, .. }
                | Operator::Scale { from, .. }
                | Operator::Gather { from } => Some(from),
                _ => None,
            };
            for j in 0..numbers {
                let at = from.map_or(j, |from| from[j] as usize);
                let term = x.term(at, factors.of_group(j, numbers, Factor::ONE));
                let bias = summands.of_group(j, numbers, Factor::ZERO);
                let slope = match post {
                    Post::Leaky(_, slopes) if slopes.len() > 1 => j * slopes.len() / numbers,
                    _ => 0,
                };
                next.make(|into| sum([term].into_iter(), bias, (post, slope), into));
            }
        }
        (Kind::Largest, Operator::MaxPool(window)) => {
            let of_place = Places::new(window, shape);
            for j in 0..numbers {
                let mut met = of_place.met(j);
                next.make(|into| largest(x, &mut met, into));
            }
        }
        (Kind::Mean(common, window, padded), _) => {
            let of_place = Places::new(window, shape);
            let area = window.size.0 * window.size.1;
            for j in 0..numbers {
                let met = of_place.met(j);
                let divisor = if *padded { area } else { met.clone().count().max(1) };
                let factor = common / IBig::from(divisor);
                let factor = if bit_length(&factor) <= SHORT_BITS {
                    Factor::Short(i64::try_from(&factor).unwrap_or(0))
                } else {
                    Factor::Big(&factor)
                };
                let terms = met.map(|at| x.term(at, factor));
                next.make(|into| sum(terms, Factor::ZERO, (&Post::Keep, 0), into));
            }
        }
        (Kind::Sum(own, other), _) => {
            let factors = [Factors::new(vec![own.clone()]), Factors::new(vec![other.clone()])];
            for j in 0..numbers {
                let terms = [x.term(j, factors[0].at(0)), read[1].term(j, factors[1].at(0))];
                next.make(|into| sum(terms.into_iter(), Factor::ZERO, (&Post::Keep, 0), into));
            }
        }
        (Kind::Join(factors), _) => {
            for (value, block) in read.iter().enumerate() {
                for at in 0..block.numbers() {
                    let term = block.term(at, factors.at(value));
                    next.make(|into| sum([term].into_iter(), Factor::ZERO, (&Post::Keep, 0), into));
                }
            }
        }
        // Layers of units and fractions have been made.
        _ => {}
    }
}

fn convolution(
    (weights, bias): (&Factors, &Factors),
    (affine, window): (&Affine, &SlidingWindow),
    shape: &[usize],
    x: &Block,
    next: &mut Block,
    numbers: usize,
) {
    let (height, width) = (shape[1], shape[2]);
    let Some((rows, columns)) = window.places(height, width) else { return };
    let area = window.size.0 * window.size.1;
    for j in 0..numbers {
        let (output, place) = (j / (rows * columns), j % (rows * columns));
        let (row, column) = (place / columns, place % columns);
        let (down, across) =
            (window.rows_inside(row, height), window.columns_inside(column, width));
        // From above the padding.
        let (top, left) = (row * window.stride.0, column * window.stride.1);
        let terms = (0..shape[0]).flat_map(|c| {
            let across = across.clone();
            down.clone().flat_map(move |y| {
                across.clone().map(move |inside| {
                    let at = (c * height + top + y - window.before.0) * width;
                    let inside_at = at + left + inside - window.before.1;
                    (c * area + y * window.size.1 + inside, inside_at)
                })
            })
        });
        let first = output * affine.inputs;
        let terms = terms.map(|(entry, at)| x.term(at, weights.at(first + entry)));
        let bias = bias.of_group(output, affine.outputs, Factor::ZERO);
        next.make(|into| sum(terms, bias, (&Post::Keep, 0), into));
    }
}

/// What windows on each channel meet.
struct Places<'a> {
    window: &'a SlidingWindow,
    height: usize,
    width: usize,
    rows: usize,
    columns: usize,
}

impl<'a> Places<'a> {
    fn new(window: &'a SlidingWindow, shape: &[usize]) -> Places<'a> {
        let (rows, columns) = window.places(shape[1], shape[2]).unwrap_or((1, 1));
        Places { window, height: shape[1], width: shape[2], rows, columns }
    }

    /// The numbers that number j of the result is made of.
    fn met(&self, j: usize) -> impl Iterator<Item = usize> + Clone + use<'_, 'a> {
        let (channel, place) = (j / (self.rows * self.columns), j % (self.rows * self.columns));
        let (row, column) = (place / self.columns, place % self.columns);
        let down = self.window.rows_inside(row, self.height);
        let across = self.window.columns_inside(column, self.width);
        let top = channel * self.height + row * self.window.stride.0;
        let left = column * self.window.stride.1;
        let (before, width) = (self.window.before, self.width);
        down.flat_map(move |y| {
            across.clone().map(move |x| (top + y - before.0) * width + left + x - before.1)
        })
    }
}

fn largest(x: &Block, met: &mut (impl Iterator<Item = usize> + Clone), into: &mut [i64]) -> Other {
    if met.clone().all(|at| matches!(x.other[at], Other::Short)) {
        if let Some(first) = met.next() {
            into.copy_from_slice(x.short(first));
        }
        for at in met {
            into.iter_mut().zip(x.short(at)).for_each(|(held, &v)| *held = (*held).max(v));
        }
        return Other::Short;
    }
    let at_point = |k| met.clone().map(|at| x.integer(at, k)).max().unwrap_or(IBig::ZERO);
    narrow((0..into.len()).map(at_point).collect(), into)
}

/// A unit by the definition, at one point.
fn fraction_unit(
    unit: &crate::layered::Unit,
    before: &Block,
    k: usize,
    layout: &Layout,
) -> Rational {
    let sum = unit.weights.iter().fold(unit.bias.clone(), |sum, (from, weight)| {
        let value = before.value(*from, k, layout);
        if value.is_zero() { sum } else { sum + weight * value }
    });
    unit.activation.apply(sum)
}

/// What is done with Σ factor · number + bias: into the block, or as what is returned.
fn sum<'a>(
    terms: impl Iterator<Item = Term<'a>> + Clone,
    bias: Factor,
    (post, slope): (&Post, usize),
    into: &mut [i64],
) -> Other {
    // Every partial sum is below terms · 2^widest.
    let (mut widest, mut count) = (bias.bits(), 1u64);
    for term in terms.clone() {
        widest = widest.max(term.factor.bits() + term.block.bits[term.at]);
        count += 1;
    }
    let sum_bits = widest + u64::from(64 - count.leading_zeros());
    let bits = if matches!(post, Post::Square) { 2 * sum_bits } else { sum_bits };
    let lanes = matches!(post, Post::Keep | Post::Relu | Post::Threshold | Post::Square);
    if !lanes {
        let sums = (0..into.len()).map(|k| after(big_sum(terms.clone(), bias, k), post, slope));
        return narrow(sums.collect(), into);
    }
    if bits <= SHORT_BITS {
        into.fill(bias.short());
        for term in terms {
            add_scaled(into, term.block.short(term.at), term.factor.short());
        }
        match post {
            Post::Relu => into.iter_mut().for_each(|v| *v = (*v).max(0)),
            Post::Threshold => into.iter_mut().for_each(|v| *v = i64::from(*v > 0)),
            Post::Square => into.iter_mut().for_each(|v| *v *= *v),
            _ => {}
        }
        Other::Short
    } else if bits <= LONG_BITS {
        let mut sums = vec![bias.long(); into.len()];
        for term in terms {
            let factor = term.factor.long();
            match &term.block.other[term.at] {
                Other::Short => {
                    let values = term.block.short(term.at);
                    sums.iter_mut().zip(values).for_each(|(s, v)| *s += factor * i128::from(*v));
                }
                Other::Long(values) => {
                    sums.iter_mut().zip(values).for_each(|(s, v)| *s += factor * v);
                }
                // Big integers whose values happen to be short enough.
                _ => sums.iter_mut().enumerate().for_each(|(k, s)| {
                    *s += factor * i128::try_from(term.block.integer(term.at, k)).unwrap_or(0);
                }),
            }
        }
        match post {
            Post::Relu => sums.iter_mut().for_each(|v| *v = (*v).max(0)),
            Post::Threshold => sums.iter_mut().for_each(|v| *v = i128::from(*v > 0)),
            Post::Square => sums.iter_mut().for_each(|v| *v *= *v),
            _ => {}
        }
        if long_bits(&sums) <= SHORT_BITS {
            into.iter_mut().zip(&sums).for_each(|(x, &v)| *x = v as i64);
            return Other::Short;
        }
        Other::Long(sums)
    } else {
        let sums = (0..into.len()).map(|k| after(big_sum(terms.clone(), bias, k), post, slope));
        narrow(sums.collect(), into)
    }
}

/// Σ over the values of one more number: powers of two are shifts, which every processor has in lanes.
fn add_scaled(into: &mut [i64], values: &[i64], weight: i64) {
    let pairs = into.iter_mut().zip(values);
    let magnitude = weight.unsigned_abs();
    if magnitude == 0 {
    } else if magnitude.is_power_of_two() {
        let shift = magnitude.trailing_zeros();
        if weight > 0 {
            pairs.for_each(|(s, v)| *s += v << shift);
        } else {
            pairs.for_each(|(s, v)| *s -= v << shift);
        }
    } else {
        pairs.for_each(|(s, v)| *s += v * weight);
    }
}

fn big_sum<'a>(terms: impl Iterator<Item = Term<'a>>, bias: Factor, k: usize) -> IBig {
    let mut sum = bias.exact();
    for Term { block, at, factor } in terms {
        match (&block.other[at], factor) {
            (Other::Short, Factor::Big(factor)) => {
                let value = block.short(at)[k];
                if value != 0 {
                    sum += factor * value;
                }
            }
            (Other::Short, Factor::Short(factor)) => {
                sum += i128::from(block.short(at)[k]) * i128::from(factor);
            }
            (Other::Big(values), Factor::Big(factor)) => {
                if values[k] != IBig::ZERO {
                    sum += factor * &values[k];
                }
            }
            (Other::Big(values), Factor::Short(factor)) => {
                if values[k] != IBig::ZERO {
                    sum += &values[k] * factor;
                }
            }
            (Other::Long(values), Factor::Big(factor)) => sum += factor * values[k],
            (Other::Long(values), Factor::Short(factor)) => sum += IBig::from(values[k]) * factor,
            (Other::Fractions(_), _) => {}
        }
    }
    sum
}

/// What is done with a sum.
fn after(t: IBig, post: &Post, slope: usize) -> IBig {
    match post {
        Post::Keep => t,
        Post::Relu if t < IBig::ZERO => IBig::ZERO,
        Post::Relu => t,
        Post::Threshold => IBig::from(t > IBig::ZERO),
        Post::Square => &t * &t,
        Post::Sine(unit) => Activation::Sine.apply(unit * Rational::from(t)).numerator().clone(),
        Post::Leaky(one, _) if t > IBig::ZERO => t * one,
        Post::Leaky(_, slopes) => t * slopes.at(slope).exact(),
        Post::Clip(low, high) => {
            let t = match low {
                Some(low) if t < *low => low.clone(),
                _ => t,
            };
            match high {
                Some(high) if t > *high => high.clone(),
                _ => t,
            }
        }
    }
}
