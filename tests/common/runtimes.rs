//! What runtimes in binary32 make of a network: folding, orders of sums, fused operations, numbers
//! below the normal range taken for zero, operands of products with fewer bits, and convolutions by tiles.

use shatter_network::graph::{Normalization, Operator, count};
use shatter_network::{Activation, Graph};

use super::feed::{bias, divisor, reads};
use super::tiles::Tiles;

/// What a runtime folds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fold {
    /// Nothing.
    Nothing,
    /// Additions and normalizations into the product before them.
    Back,
    /// The same into the product after them.
    Forward,
}

/// A runtime in binary32.
#[derive(Clone, Copy, Debug)]
pub struct Runtime {
    pub fold: Fold,
    /// How often numbers below the normal range are taken for zero: never, always, now and then.
    pub flush: u8,
    /// Whether products are added without being rounded.
    pub fused: bool,
    /// Forwards, backwards, or shuffled.
    pub order: u8,
    /// Significand bits of operands of products.
    pub operands: Option<u32>,
    /// Outputs of a tile of convolutions, in both directions.
    pub tile: Option<usize>,
    /// Where its own random numbers stand.
    pub state: u64,
}

/// A sum of coefficients times numbers that are held; a constant has the number 1. The last says whether a product of
/// matrices or a convolution multiplies them.
type Terms = Vec<(f32, f32, bool)>;

/// Of a number of a product: weights and numbers of the value, and its bias.
type Row = (Vec<(f64, usize)>, Option<f64>);

enum Value {
    Held(Vec<f32>),
    Terms(Vec<Terms>),
}

impl Runtime {
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.state >> 33
    }

    fn flushed(&mut self, x: f32) -> f32 {
        let now = match self.flush {
            0 => false,
            1 => true,
            _ => self.random().is_multiple_of(2),
        };
        if now && x.is_subnormal() { 0.0 } else { x }
    }

    fn does(&mut self, x: f32, y: f32, operation: impl Fn(f32, f32) -> f32) -> f32 {
        let (x, y) = (self.flushed(x), self.flushed(y));
        self.flushed(operation(x, y))
    }

    /// An operand of a product: rounded to nearest, or cut off.
    fn operand(&mut self, x: f32) -> f32 {
        let Some(bits) = self.operands else { return x };
        let unit = 1u32 << (24 - bits);
        let half = if self.random().is_multiple_of(2) { unit / 2 } else { 0 };
        // Carries go into the exponent, as they should.
        f32::from_bits((x.to_bits() + half) & !(unit - 1))
    }

    fn add(&mut self, x: f32, y: f32) -> f32 {
        self.does(x, y, |x, y| x + y)
    }

    fn times(&mut self, x: f32, y: f32) -> f32 {
        self.does(x, y, |x, y| x * y)
    }

    fn sum(&mut self, terms: &Terms) -> f32 {
        let mut terms = terms.clone();
        match self.order {
            0 => {}
            1 => terms.reverse(),
            _ => {
                for k in (1..terms.len()).rev() {
                    let other = self.random() as usize % (k + 1);
                    terms.swap(k, other);
                }
            }
        }
        let mut sum = 0.0;
        for (weight, x, product) in terms {
            let short = product && x != 1.0;
            let (weight, x) =
                if short { (self.operand(weight), self.operand(x)) } else { (weight, x) };
            if self.fused {
                let (weight, x) = (self.flushed(weight), self.flushed(x));
                let added = weight.mul_add(x, sum);
                sum = self.flushed(added);
            } else {
                let term = if x == 1.0 { weight } else { self.times(weight, x) };
                sum = self.add(sum, term);
            }
        }
        sum
    }

    fn activated(&mut self, activation: Activation, x: f32) -> f32 {
        let indicator = |yes: bool| if yes { 1.0 } else { 0.0 };
        match activation {
            Activation::Identity => x,
            // Not a number stays one.
            Activation::Relu => {
                if x < 0.0 {
                    0.0
                } else {
                    x
                }
            }
            Activation::Threshold => indicator(x > 0.0),
            Activation::Sine => {
                let floor = x.floor();
                indicator(x > floor && (floor * 0.5).floor() == floor * 0.5)
            }
            Activation::Square => self.times(x, x),
            Activation::Reciprocal if x == 0.0 => 0.0,
            Activation::Reciprocal => self.does(1.0, x, |x, y| x / y),
            Activation::Softsign => {
                let below = self.add(x.abs(), 1.0);
                self.does(x, below, |x, y| x / y)
            }
        }
    }

    fn held(&mut self, value: &Value) -> Vec<f32> {
        match value {
            Value::Held(held) => held.clone(),
            Value::Terms(terms) => terms.iter().map(|terms| self.sum(terms)).collect(),
        }
    }

    /// The constants of a sum, added up and put last.
    fn merged(&mut self, terms: &Terms) -> Terms {
        let (constants, mut rest): (Terms, Terms) = terms.iter().partition(|(_, x, _)| *x == 1.0);
        if !constants.is_empty() {
            let constant = self.sum(&constants);
            rest.push((constant, 1.0, false));
        }
        rest
    }

    /// Linear combinations of a value's numbers.
    fn product(&mut self, x: &Value, rows: &[Row]) -> Value {
        let mut result = Vec::new();
        let held = match (x, self.fold) {
            (Value::Terms(_), Fold::Forward) => Vec::new(),
            _ => self.held(x),
        };
        for (row, bias) in rows {
            let mut terms = Terms::new();
            for &(weight, k) in row {
                match x {
                    Value::Terms(inner) if self.fold == Fold::Forward => {
                        for &(coefficient, number, _) in &inner[k] {
                            terms.push((self.times(weight as f32, coefficient), number, true));
                        }
                    }
                    _ => terms.push((weight as f32, held[k], true)),
                }
            }
            terms.extend(bias.map(|bias| (bias as f32, 1.0, false)));
            result.push(if self.fold == Fold::Forward { self.merged(&terms) } else { terms });
        }
        let terms = Value::Terms(result);
        if self.fold == Fold::Back { terms } else { Value::Held(self.held(&terms)) }
    }

    /// Terms of a value that may be folded.
    fn terms(&mut self, x: &Value) -> Vec<Terms> {
        match x {
            Value::Held(held) => held.iter().map(|&x| vec![(1.0, x, false)]).collect(),
            Value::Terms(terms) => terms.clone(),
        }
    }

    fn normalized(&mut self, x: &Value, by: &Normalization, channels: usize) -> Value {
        let terms = self.terms(x);
        let numbers = terms.len();
        let mut result = Vec::new();
        for (at, terms) in terms.iter().enumerate() {
            let c = at * channels / numbers;
            let variance = self.add(by.variance[c] as f32, by.epsilon as f32);
            let root = variance.sqrt();
            let (scale, mean, shift) = (by.scale[c] as f32, by.mean[c] as f32, by.shift[c] as f32);
            let reciprocal = self.random().is_multiple_of(2);
            let factor = if reciprocal {
                let inverse = self.does(1.0, root, |x, y| x / y);
                self.times(scale, inverse)
            } else {
                self.does(scale, root, |x, y| x / y)
            };
            if self.fold == Fold::Nothing {
                let centred = self.sum(terms);
                let centred = self.add(centred, -mean);
                let scaled = self.times(centred, factor);
                result.push(vec![(self.add(scaled, shift), 1.0, false)]);
                continue;
            }
            let mut scaled: Terms =
                terms.iter().map(|&(w, x, p)| (self.times(w, factor), x, p)).collect();
            let below = self.times(mean, factor);
            scaled.push((self.add(shift, -below), 1.0, false));
            result.push(self.merged(&scaled));
        }
        self.kept(result)
    }

    fn kept(&mut self, terms: Vec<Terms>) -> Value {
        let terms = Value::Terms(terms);
        if self.fold == Fold::Nothing { Value::Held(self.held(&terms)) } else { terms }
    }

    /// What it finds.
    pub fn outputs(&mut self, network: &Graph, point: &[f64]) -> Vec<f32> {
        let mut values = vec![Value::Held(point.iter().map(|&x| x as f32).collect())];
        for step in &network.steps {
            let x = &values[step.on];
            let shape = network.shape(step.on);
            let numbers = count(&step.shape);
            let lists = reads(step, shape);
            let next = match (&step.operation, lists) {
                (Operator::Convolution(affine, window), _)
                    if self.tile.is_some_and(|m| Tiles::fit(window, m)) =>
                {
                    let held = self.held(x);
                    let m = self.tile.unwrap();
                    let mut tiles = Tiles::new(window.size, m, self.random());
                    Value::Held(tiles.convolve(&held, shape, affine, window))
                }
                (Operator::Dense(affine) | Operator::Convolution(affine, _), Some(lists)) => {
                    let bias = |at| (!affine.bias.is_empty()).then(|| bias(affine, numbers, at));
                    let rows: Vec<Row> =
                        lists.into_iter().enumerate().map(|(at, list)| (list, bias(at))).collect();
                    self.product(x, &rows)
                }
                (Operator::MaxPool(_), Some(lists)) => {
                    let x = self.held(x);
                    let largest = |list: &Vec<(f64, usize)>| {
                        list.iter().map(|&(_, k)| x[k]).fold(f32::NEG_INFINITY, f32::max)
                    };
                    Value::Held(lists.iter().map(largest).collect())
                }
                (operation, Some(lists)) => {
                    let x = self.held(x);
                    let mut means = Vec::new();
                    for list in &lists {
                        let sum =
                            self.sum(&list.iter().map(|&(_, k)| (1.0, x[k], false)).collect());
                        let by = divisor(operation, list.len()) as f32;
                        means.push(self.does(sum, by, |x, y| x / y));
                    }
                    Value::Held(means)
                }
                (Operator::Activate(activation), _) => {
                    let held = self.held(x);
                    Value::Held(held.into_iter().map(|x| self.activated(*activation, x)).collect())
                }
                (Operator::Leaky(slopes), _) => {
                    let held = self.held(x);
                    let mut result = Vec::new();
                    for (at, x) in held.into_iter().enumerate() {
                        let slope = match slopes.len() {
                            1 => slopes[0],
                            _ => slopes[at * step.shape[0] / numbers],
                        };
                        result.push(if x > 0.0 { x } else { self.times(slope as f32, x) });
                    }
                    Value::Held(result)
                }
                (Operator::Clip { low, high }, _) => {
                    let (low, high) = (*low as f32, *high as f32);
                    let clipped = |x: f32| if x.is_nan() { x } else { x.max(low).min(high) };
                    Value::Held(self.held(x).into_iter().map(clipped).collect())
                }
                (Operator::Scale { from, by, divides }, _) => {
                    let terms = self.terms(x);
                    let mut result = Vec::new();
                    for (&k, &c) in from.iter().zip(by) {
                        let c = c as f32;
                        let reciprocal = self.does(1.0, c, |x, y| x / y);
                        let inverse = self.random().is_multiple_of(2);
                        let mut scaled = Terms::new();
                        for &(w, x, product) in &terms[k as usize] {
                            let w = match (divides, inverse) {
                                (false, _) => self.times(w, c),
                                (true, true) => self.times(w, reciprocal),
                                (true, false) => self.does(w, c, |x, y| x / y),
                            };
                            scaled.push((w, x, product));
                        }
                        result.push(scaled);
                    }
                    self.kept(result)
                }
                (Operator::Gather { from }, _) => match x {
                    Value::Held(x) => Value::Held(from.iter().map(|&k| x[k as usize]).collect()),
                    Value::Terms(x) => {
                        Value::Terms(from.iter().map(|&k| x[k as usize].clone()).collect())
                    }
                },
                (Operator::Shift { negated, from, by }, _) => {
                    let terms = self.terms(x);
                    let mut result = Vec::new();
                    for (&k, &b) in from.iter().zip(by) {
                        let sign =
                            |(w, x, p): (f32, f32, bool)| (if *negated { -w } else { w }, x, p);
                        let mut sum: Terms = terms[k as usize].iter().copied().map(sign).collect();
                        sum.push((b as f32, 1.0, false));
                        result.push(self.merged(&sum));
                    }
                    self.kept(result)
                }
                (Operator::Normalize(by), _) => self.normalized(x, by, shape[0]),
                (Operator::Response(by), _) => {
                    let (size, alpha, beta, k) = by.constants();
                    let area = numbers / shape[0];
                    let held = self.held(x);
                    let weight = self.does(alpha as f32, size as f32, |x, y| x / y);
                    let mut result = Vec::new();
                    // What a sum that goes from channel to channel stands at, by position.
                    let mut slid = vec![k as f32; area];
                    for (at, &x) in held.iter().enumerate() {
                        let (channel, place) = (at / area, at % area);
                        let now = by.near(channel, shape[0]);
                        let before =
                            if channel > 0 { by.near(channel - 1, shape[0]) } else { 0..0 };
                        for (come, minus) in [(now.clone(), before.clone()), (before, now.clone())]
                            .into_iter()
                            .zip([1.0, -1.0])
                            .flat_map(|((some, others), sign)| {
                                some.filter(move |c| !others.contains(c)).map(move |c| (c, sign))
                            })
                        {
                            let other = held[come * area + place];
                            let square = self.times(other, other);
                            let scaled = self.times(weight, square);
                            slid[place] = self.add(slid[place], minus * scaled);
                        }
                        let near = now.map(|c| held[c * area + place]);
                        let squares = self.sum(&near.map(|x| (x, x, false)).collect());
                        let scaled = self.times(weight, squares);
                        let anew = self.add(k as f32, scaled);
                        let d = f64::from(if self.order == 2 { slid[place] } else { anew });
                        let power = d.powf(beta) as f32;
                        result.push(if self.order == 1 {
                            let inverse = self.does(1.0, power, |x, y| x / y);
                            self.times(x, inverse)
                        } else {
                            self.does(x, power, |x, y| x / y)
                        });
                    }
                    Value::Held(result)
                }
                (Operator::Sum { other, minus }, _) => {
                    let mut terms = self.terms(x);
                    let other = self.terms(&values[*other]);
                    for (sum, more) in terms.iter_mut().zip(other) {
                        let sign =
                            |(w, x, p): (f32, f32, bool)| (if *minus { -w } else { w }, x, p);
                        sum.extend(more.into_iter().map(sign));
                    }
                    self.kept(terms)
                }
                (Operator::Concatenate(others), _) => {
                    let mut terms = self.terms(x);
                    for &other in others {
                        let more = self.terms(&values[other]);
                        terms.extend(more);
                    }
                    self.kept(terms)
                }
                _ => match x {
                    Value::Held(held) => Value::Held(held.clone()),
                    Value::Terms(terms) => Value::Terms(terms.clone()),
                },
            };
            values.push(next);
        }
        let last = values.pop().unwrap();
        self.held(&last)
    }
}

/// Runtimes of every kind of `ieee`.
pub fn runtimes(seed: u64) -> Vec<Runtime> {
    let mut all = Vec::new();
    for fold in [Fold::Nothing, Fold::Back, Fold::Forward] {
        for (flush, fused, order) in
            [(0, false, 0), (1, false, 1), (2, true, 2), (0, true, 1), (1, true, 0)]
        {
            let state = seed + all.len() as u64;
            all.push(Runtime { fold, flush, fused, order, operands: None, tile: None, state });
        }
    }
    all
}

/// The same with operands of so many bits.
pub fn short_operands(seed: u64, bits: u32) -> Vec<Runtime> {
    let short = |runtime| Runtime { operands: Some(bits), ..runtime };
    runtimes(seed).into_iter().map(short).collect()
}

/// The same with tiles of 2, 4 or 6 outputs.
pub fn tiled(seed: u64) -> Vec<Runtime> {
    let of = |(k, runtime): (usize, Runtime)| Runtime { tile: Some([2, 4, 6][k % 3]), ..runtime };
    runtimes(seed).into_iter().enumerate().map(of).collect()
}
