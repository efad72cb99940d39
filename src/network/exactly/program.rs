//! A network compiled to whole numbers.
//!
//! Every number of a value is a whole number times a unit, a positive fraction that does not depend on
//! the point: one for all numbers of an array, or one for each unit of a layer of exact units. Positive
//! factors pass through identity, ReLU, threshold, square and comparisons, so that each step is a sum
//! of whole numbers with whole coefficients. Where the common denominator of a unit's coefficients would
//! be much longer than the fractions themselves, and after reciprocals and softsign, numbers are
//! fractions, computed by the definition.

use dashu_int::UBig;
use dashu_int::ops::{BitTest, Gcd, SquareRoot, UnsignedAbs};

use crate::Activation;
use crate::graph::{Affine, Normalization, Operator, SlidingWindow};
use crate::layered::Unit;
use shatter_exact::dyadic::decompose;
use shatter_exact::format::ZEROS;
use shatter_exact::{Dyadic, IBig, Rational, bit_length, format};

use super::nodes::{Node, Nodes, Op};
use super::plan::{self, Inexact};
use super::value::{Divisors, dyadic, grain, integers, top};

/// Bits that the coefficients of one unit may take before it is left in fractions: integers are
/// worth it while the common denominator is not many times longer than the denominators.
const MOST_UNIT_BITS: u64 = 1 << 22;

/// What the whole numbers of a value are to be multiplied by.
#[derive(Clone, Debug)]
pub enum Layout {
    /// All of them by this.
    Common(Rational),
    /// Each by its own; `None` for one that is a fraction.
    Own(Vec<Option<Rational>>),
    /// All numbers are fractions.
    Fractions,
}

impl Layout {
    /// The unit of a number, if it is not a fraction.
    pub fn unit(&self, at: usize) -> Option<&Rational> {
        match self {
            Layout::Common(unit) => Some(unit),
            Layout::Own(units) => units[at].as_ref(),
            Layout::Fractions => None,
        }
    }
}

/// Whole coefficients.
#[derive(Debug)]
pub enum Factors {
    /// All in 63 bits.
    Short(Vec<i64>),
    /// Some longer.
    Big(Vec<IBig>),
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub enum Factor<'a> {
    /// In 63 bits.
    Short(i64),
    /// Any length.
    Big(&'a IBig),
}

impl Factor<'_> {
    /// 0.
    pub const ZERO: Factor<'static> = Factor::Short(0);
    /// 1.
    pub const ONE: Factor<'static> = Factor::Short(1);

    /// Bits of its magnitude.
    pub fn bits(self) -> u64 {
        match self {
            Factor::Short(x) => u64::from(64 - x.unsigned_abs().leading_zeros()),
            Factor::Big(x) => bit_length(x),
        }
    }

    /// In 64 bits; meaningful where its bits are below that.
    pub fn short(self) -> i64 {
        match self {
            Factor::Short(x) => x,
            Factor::Big(x) => i64::try_from(x).unwrap_or(0),
        }
    }

    /// In 128 bits; meaningful where its bits are below that.
    pub fn long(self) -> i128 {
        match self {
            Factor::Short(x) => i128::from(x),
            Factor::Big(x) => i128::try_from(x).unwrap_or(0),
        }
    }

    /// The number.
    pub fn exact(self) -> IBig {
        match self {
            Factor::Short(x) => x.into(),
            Factor::Big(x) => x.clone(),
        }
    }
}

impl Factors {
    /// In the shorter of the two forms.
    pub fn new(numbers: Vec<IBig>) -> Factors {
        if numbers.iter().all(|x| bit_length(x) <= 62) {
            Factors::Short(numbers.iter().map(|x| i64::try_from(x).unwrap_or(0)).collect())
        } else {
            Factors::Big(numbers)
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Factors::Short(numbers) => numbers.len(),
            Factors::Big(numbers) => numbers.len(),
        }
    }

    /// One of them.
    pub fn at(&self, k: usize) -> Factor<'_> {
        match self {
            Factors::Short(numbers) => Factor::Short(numbers[k]),
            Factors::Big(numbers) => Factor::Big(&numbers[k]),
        }
    }

    /// Of `all` numbers in as many equal groups as there are factors: that of number `k`; `none` if
    /// there are no factors.
    pub fn of_group<'a>(&'a self, k: usize, all: usize, none: Factor<'a>) -> Factor<'a> {
        match self.len() {
            0 => none,
            1 => self.at(0),
            len => self.at(k * len / all),
        }
    }
}

/// A unit of a layer.
#[derive(Debug)]
pub enum UnitCode {
    /// Its values are whole numbers.
    Whole {
        /// (what it reads, coefficient), and the bias behind them.
        reads: Vec<u32>,
        /// Coefficients, and the bias at the end.
        factors: Factors,
        /// What is done with the sum.
        post: Post,
    },
    /// Its values are fractions.
    Fraction,
}

/// What is done with a sum.
#[derive(Debug)]
pub enum Post {
    /// Nothing.
    Keep,
    /// max(t, 0).
    Relu,
    /// 1 if t > 0, else 0.
    Threshold,
    /// t².
    Square,
    /// 1 if the sine of π · t · unit is positive, else 0.
    Sine(Rational),
    /// t · one where t > 0, t · slope elsewhere.
    Leaky(IBig, Factors),
    /// min(max(t, low), high).
    Clip(Option<IBig>, Option<IBig>),
}

/// What a step becomes.
#[derive(Debug)]
pub enum Kind {
    /// Sums of some numbers each.
    Units(Vec<UnitCode>),
    /// Sums of all numbers, or of those of a window: coefficients, outputs × inputs, and biases.
    Affine(Factors, Factors),
    /// Number by number: coefficients, summands, and what is done with the sum.
    Each(Factors, Factors, Post),
    /// The largest of a window.
    Largest,
    /// Sums over a window; the common multiple of what they are divided by.
    Mean(IBig, SlidingWindow, bool),
    /// x times the first, plus the other value times the second.
    Sum(IBig, IBig),
    /// Each value times its factor, one after the other.
    Join(Factors),
    /// Everything in fractions.
    Fractions,
}

/// A step: values that have one unit a number are brought to a common one first.
#[derive(Debug)]
pub struct Code {
    /// For each value that is read: factors, where it is brought to a common unit.
    pub rescale: Vec<Option<Factors>>,
    /// What is done.
    pub kind: Kind,
}

/// The compiled steps.
#[derive(Debug)]
pub struct Program {
    /// One a step.
    pub codes: Vec<Code>,
    /// Those of the point, and then of each step.
    pub layouts: Vec<Layout>,
    /// Coordinates are whole numbers times this power of two.
    pub input_exponent: i64,
}

/// The largest unit of which both are multiples; zeros are multiples of everything.
fn common_unit(x: Option<Rational>, y: &Rational) -> Option<Rational> {
    if y.is_zero() {
        return x;
    }
    let magnitude = |y: &Rational| if *y < Rational::ZERO { -y.clone() } else { y.clone() };
    let Some(x) = x else { return Some(magnitude(y)) };
    if x == *y {
        return Some(x);
    }
    let left = x.numerator() * y.denominator().as_ibig();
    let right = y.numerator() * x.denominator().as_ibig();
    let numerator = left.unsigned_abs().gcd(right.unsigned_abs());
    Some(Rational::from_parts(IBig::from(numerator), x.denominator() * y.denominator()))
}

fn unit_of<'a>(numbers: impl IntoIterator<Item = &'a Rational>) -> Rational {
    numbers.into_iter().fold(None, common_unit).unwrap_or(Rational::ONE)
}

/// x over a unit of which it is a multiple.
fn over(x: &Rational, unit: &Rational) -> IBig {
    (x / unit).numerator().clone()
}

fn power(exponent: i64) -> Rational {
    Dyadic::power_of_two(exponent).to_rational()
}

/// √x of a positive fraction, if it is rational.
pub fn root(x: &Rational) -> Option<Rational> {
    if *x <= Rational::ZERO {
        return None;
    }
    let exact = |x: UBig| {
        let root = x.sqrt();
        (&root * &root == x).then_some(root)
    };
    let top = exact(x.numerator().unsigned_abs())?;
    Some(Rational::from_parts(top.into(), exact(x.denominator().clone())?))
}

/// Factor and summand of each channel: x · factor + summand.
///
/// # Errors
/// [`Inexact::SquareRoot`].
pub fn normalization(by: &Normalization) -> Result<Vec<(Rational, Rational)>, Inexact> {
    let number = |x: f64| dyadic(x).to_rational();
    let of = |c: usize| {
        let root = root(&(number(by.variance[c]) + number(by.epsilon)));
        let factor = number(by.scale[c]) / root.ok_or(Inexact::SquareRoot)?;
        let summand = number(by.shift[c]) - number(by.mean[c]) * &factor;
        Ok((factor, summand))
    };
    (0..by.scale.len()).map(of).collect()
}

impl Program {
    /// Compiles a network for points on the grid 2^`input_exponent`.
    ///
    /// # Errors
    /// [`Inexact`], for roots and divisors that are too long.
    pub fn compile(nodes: &Nodes, input_exponent: i64) -> Result<Program, Inexact> {
        let mut layouts = vec![Layout::Common(power(input_exponent))];
        let mut codes = Vec::with_capacity(nodes.list.len());
        for node in &nodes.list {
            let (code, layout) = compile(nodes, node, &layouts)?;
            codes.push(code);
            layouts.push(layout);
        }
        Ok(Program { codes, layouts, input_exponent })
    }
}

fn compile(nodes: &Nodes, node: &Node, layouts: &[Layout]) -> Result<(Code, Layout), Inexact> {
    let operation = match node.op {
        Op::Units(units) => return Ok(layer(units, &layouts[node.reads[0]])),
        Op::Other(operation) => operation,
    };
    // Every value that is read, with its common unit.
    let mut rescale = Vec::new();
    let mut units = Vec::new();
    for &value in &node.reads {
        match &layouts[value] {
            Layout::Common(unit) => {
                units.push(unit.clone());
                rescale.push(None);
            }
            Layout::Own(own) if own.iter().all(Option::is_some) => {
                let unit = unit_of(own.iter().flatten());
                let factors = own.iter().flatten().map(|own| over(own, &unit)).collect();
                rescale.push(Some(Factors::new(factors)));
                units.push(unit);
            }
            _ => {
                let code = Code { rescale: Vec::new(), kind: Kind::Fractions };
                return Ok((code, Layout::Fractions));
            }
        }
    }
    let shape = nodes.shape(node.reads[0]);
    let (kind, layout) = whole(operation, &units, shape)?;
    Ok((Code { rescale, kind }, layout))
}

/// A step on values of whole numbers.
fn whole(
    operation: &Operator,
    units: &[Rational],
    shape: &[usize],
) -> Result<(Kind, Layout), Inexact> {
    let unit = &units[0];
    let none = || Factors::Short(Vec::new());
    let each =
        |post: Post, unit: Rational| (Kind::Each(none(), none(), post), Layout::Common(unit));
    let mean = |window: SlidingWindow, padded: bool| {
        let common = plan::divisors(&window, padded, (shape[1], shape[2]));
        let common = IBig::from(common.ok_or(Inexact::TooLong)?);
        let unit = unit / Rational::from(common.clone());
        Ok((Kind::Mean(common, window, padded), Layout::Common(unit)))
    };
    Ok(match operation {
        Operator::Dense(affine) | Operator::Convolution(affine, _) => {
            let exponent = grain(&affine.weights).unwrap_or(0);
            let product = unit * power(exponent);
            let bias: Vec<Rational> =
                affine.bias.iter().map(|&b| dyadic(b).to_rational()).collect();
            let unit = unit_of(bias.iter().chain([&product]));
            let weights = weights(affine, exponent, &over(&product, &unit));
            let bias = bias.iter().map(|b| over(b, &unit)).collect();
            (Kind::Affine(weights, Factors::new(bias)), Layout::Common(unit))
        }
        Operator::Activate(activation) => match activation {
            Activation::Identity => each(Post::Keep, unit.clone()),
            Activation::Relu => each(Post::Relu, unit.clone()),
            Activation::Threshold => each(Post::Threshold, Rational::ONE),
            Activation::Square => each(Post::Square, unit * unit),
            Activation::Sine => each(Post::Sine(unit.clone()), Rational::ONE),
            Activation::Reciprocal | Activation::Softsign => (Kind::Fractions, Layout::Fractions),
        },
        Operator::Leaky(slopes) => {
            let own = format::common_grain(slopes).min(0);
            let slopes = slopes.iter().map(|&slope| dyadic(slope).in_units_of(own)).collect();
            let one = IBig::ONE << own.unsigned_abs() as usize;
            each(Post::Leaky(one, Factors::new(slopes)), unit * power(own))
        }
        Operator::Clip { low, high } => {
            let bounds = [low, high].map(|x| x.is_finite().then(|| dyadic(*x).to_rational()));
            let after = unit_of(bounds.iter().flatten().chain([unit]));
            let [low, high] = bounds.map(|bound| bound.map(|bound| over(&bound, &after)));
            let factor = Factors::new(vec![over(unit, &after)]);
            (Kind::Each(factor, none(), Post::Clip(low, high)), Layout::Common(after))
        }
        Operator::MaxPool(_) => (Kind::Largest, Layout::Common(unit.clone())),
        Operator::MeanPool(window, padded) => mean(*window, *padded)?,
        Operator::GlobalMean => mean(SlidingWindow::whole(shape[1], shape[2]), true)?,
        Operator::Shift { negated, by, .. } => {
            let grain = format::common_grain(by);
            let after = match grain {
                ZEROS => unit.clone(),
                grain => unit_of([unit, &power(grain)]),
            };
            let factor = over(unit, &after);
            let factor = Factors::new(vec![if *negated { -factor } else { factor }]);
            let by = by.iter().map(|&c| over(&dyadic(c).to_rational(), &after)).collect();
            (Kind::Each(factor, Factors::new(by), Post::Keep), Layout::Common(after))
        }
        Operator::Scale { by, divides: false, .. } => {
            let (by, exponent) = integers(by);
            let kind = Kind::Each(Factors::new(by), none(), Post::Keep);
            (kind, Layout::Common(unit * power(exponent)))
        }
        Operator::Scale { by, divides: true, .. } => {
            let divisors = Divisors::of(by);
            let kind = Kind::Each(Factors::new(divisors.factors()), none(), Post::Keep);
            let all = Rational::from(IBig::from(divisors.denominator));
            (kind, Layout::Common(unit * power(-divisors.exponent) / all))
        }
        Operator::Normalize(by) => {
            let by = normalization(by)?;
            let products: Vec<Rational> = by.iter().map(|(factor, _)| factor * unit).collect();
            let after = unit_of(products.iter().chain(by.iter().map(|(_, summand)| summand)));
            let factors = products.iter().map(|product| over(product, &after)).collect();
            let summands = by.iter().map(|(_, summand)| over(summand, &after)).collect();
            let kind = Kind::Each(Factors::new(factors), Factors::new(summands), Post::Keep);
            (kind, Layout::Common(after))
        }
        Operator::Sum { minus, .. } => {
            let after = unit_of(units);
            let other = over(&units[1], &after);
            let other = if *minus { -other } else { other };
            (Kind::Sum(over(unit, &after), other), Layout::Common(after))
        }
        Operator::Concatenate(_) => {
            let after = unit_of(units);
            let factors = units.iter().map(|unit| over(unit, &after)).collect();
            (Kind::Join(Factors::new(factors)), Layout::Common(after))
        }
        Operator::Response(_) => (Kind::Fractions, Layout::Fractions),
        Operator::Gather { .. }
        | Operator::Same
        | Operator::Softmax { .. }
        | Operator::Units(_) => each(Post::Keep, unit.clone()),
    })
}

/// The weights over 2^exponent, times a factor, those of each output together.
fn weights(affine: &Affine, exponent: i64, factor: &IBig) -> Factors {
    let Affine { weights, inputs, outputs, .. } = affine;
    let place = |k: usize| weights[k % inputs * outputs + k / inputs];
    let numbers = 0..weights.len();
    let span = top(weights).map_or(0, |top| top - exponent) as u64;
    if span + bit_length(factor) <= 62 {
        let factor = i64::try_from(factor).unwrap_or(1);
        let short = |k: usize| match decompose(place(k)) {
            Ok((mantissa, own)) if mantissa != 0 => (mantissa << (own - exponent)) * factor,
            _ => 0,
        };
        return Factors::Short(numbers.map(short).collect());
    }
    Factors::Big(numbers.map(|k| dyadic(place(k)).in_units_of(exponent) * factor).collect())
}

/// A layer of units: each has a unit of its own.
fn layer(units: &[Unit], before: &Layout) -> (Code, Layout) {
    let (codes, own): (Vec<UnitCode>, Vec<Option<Rational>>) =
        units.iter().map(|unit| compile_unit(unit, before)).unzip();
    let code = Code { rescale: vec![None], kind: Kind::Units(codes) };
    (code, Layout::Own(own))
}

fn compile_unit(unit: &Unit, before: &Layout) -> (UnitCode, Option<Rational>) {
    let fraction = || (UnitCode::Fraction, None);
    if matches!(unit.activation, Activation::Reciprocal | Activation::Softsign) {
        return fraction();
    }
    // Weights over the units of what they read.
    let mut weights: Vec<Rational> = Vec::with_capacity(unit.weights.len() + 1);
    for (from, weight) in &unit.weights {
        let Some(own) = before.unit(*from) else { return fraction() };
        weights.push(weight * own);
    }
    weights.push(unit.bias.clone());
    let terms = weights.len() as u64;
    let mut denominator = UBig::ONE;
    for number in &weights {
        if denominator != *number.denominator() {
            let common = (&denominator).gcd(number.denominator());
            denominator *= number.denominator() / common;
        }
        if (denominator.bit_len() as u64).saturating_mul(terms) > MOST_UNIT_BITS {
            return fraction();
        }
    }
    // A power of two in common is left to the unit: it keeps the integers short.
    let two_power = |x: &Rational| {
        let factor = (&denominator / x.denominator()).trailing_zeros().unwrap_or(0);
        Some(x.numerator().trailing_zeros()? + factor)
    };
    let zeros = weights.iter().filter_map(two_power).min().unwrap_or(0);
    let whole = |x: &Rational| {
        let factor = IBig::from(&denominator / x.denominator());
        (x.numerator() * factor) >> zeros
    };
    let own = Rational::from_parts(IBig::ONE << zeros, denominator.clone());
    let (post, after) = match unit.activation {
        Activation::Relu => (Post::Relu, own),
        Activation::Threshold => (Post::Threshold, Rational::ONE),
        Activation::Square => (Post::Square, &own * &own),
        Activation::Sine => (Post::Sine(own), Rational::ONE),
        _ => (Post::Keep, own),
    };
    let code = UnitCode::Whole {
        reads: unit.weights.iter().map(|(from, _)| *from as u32).collect(),
        factors: Factors::new(weights.iter().map(whole).collect()),
        post,
    };
    (code, Some(after))
}
