//! Small feed-forward networks of every operation, and what they compute in real arithmetic.

use dashu_int::UBig;
use dashu_int::ops::SquareRoot;
use proptest::prelude::*;
use shatter_exact::{Dyadic, Rational};

use shatter_exact::Format;
use shatter_network::graph::{
    Affine, Normalization, Operator, Response, SlidingWindow, Step, count,
};
use shatter_network::{Activation, Graph};

/// Numbers of binary32 of many sizes; whole numbers, powers of two, zeros; now and then some below
/// the normal range, or near its end.
pub fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        40 => (-2.0f32..2.0).prop_map(f64::from),
        30 => (-4i32..5).prop_map(f64::from),
        10 => (-24i32..25, any::<bool>()).prop_map(|(e, minus)| 2f64.powi(e) * if minus { -1.0 } else { 1.0 }),
        8 => (-20i32..21, -1.0f32..1.0).prop_map(|(e, x)| f64::from(x * 2f32.powi(e))),
        10 => Just(0.0),
        1 => (1u32..1 << 23, any::<bool>()).prop_map(|(bits, minus)| {
            f64::from(f32::from_bits(bits | if minus { 1 << 31 } else { 0 }))
        }),
        1 => (-126i32..127, -2.0f32..2.0).prop_map(|(e, x)| f64::from(x * 2f32.powi(e))),
    ]
}

/// A network of up to `most` operations on images of 2 × 4 × 4, one chosen by each code.
pub fn network(most: usize) -> impl Strategy<Value = Graph> {
    let codes = prop::collection::vec((0u8..20, any::<u8>()), 1..most);
    (codes, prop::collection::vec(number(), 40..400))
        .prop_map(|(codes, numbers)| built(&codes, numbers))
}

struct Builder {
    steps: Vec<Step>,
    numbers: std::iter::Cycle<std::vec::IntoIter<f64>>,
}

impl Builder {
    fn take(&mut self, count: usize) -> Vec<f64> {
        self.numbers.by_ref().take(count).collect()
    }

    fn affine(&mut self, inputs: usize, outputs: usize, bias: bool) -> Affine {
        let weights = self.take(inputs * outputs);
        let bias = if bias { self.take(outputs) } else { Vec::new() };
        Affine { weights, inputs, outputs, bias }
    }
}

fn built(codes: &[(u8, u8)], numbers: Vec<f64>) -> Graph {
    let input = vec![2, 4, 4];
    let mut builder = Builder { steps: Vec::new(), numbers: numbers.into_iter().cycle() };
    let (mut on, mut shape) = (0, input.clone());
    for &(code, detail) in codes {
        let image = shape.len() == 3;
        let wide = image && shape[1] >= 2;
        let of = usize::from(detail);
        let window = |size: usize, stride: usize, padding: usize| SlidingWindow {
            size: (size, size),
            stride: (stride, stride),
            before: (padding, padding),
            after: (padding, padding),
        };
        let (operation, after) = match code {
            0 | 1 if image => {
                let outputs = 1 + of % 3;
                let affine = builder.affine(shape[0] * 9, outputs, of % 2 == 0);
                (Operator::Convolution(affine, window(3, 1, 1)), vec![outputs, shape[1], shape[2]])
            }
            0..=3 => {
                let outputs = 1 + of % 4;
                let flat = vec![count(&shape)];
                if image {
                    builder.steps.push(Step::new(Operator::Same, on, flat.clone()));
                    on = builder.steps.len();
                }
                (Operator::Dense(builder.affine(flat[0], outputs, of % 2 == 0)), vec![outputs])
            }
            4 | 5 => (Operator::Activate(Activation::Relu), shape.clone()),
            6 if wide => (Operator::MaxPool(window(2, 2, of % 2)), Vec::new()),
            7 if wide => (Operator::MeanPool(window(3, 2, 1), of % 2 == 0), Vec::new()),
            8 if image => (Operator::GlobalMean, vec![shape[0], 1, 1]),
            9 | 10 => {
                let channels = shape[0];
                let mut positive = |_| builder.take(1)[0].abs();
                let variance = (0..channels).map(&mut positive).collect();
                let epsilon = [1e-5f32, 1.0, 1e-30, 2f32.powi(-20)][of % 4];
                let normalization = Normalization {
                    variance,
                    scale: builder.take(channels),
                    shift: builder.take(channels),
                    mean: builder.take(channels),
                    epsilon: f64::from(epsilon),
                };
                (Operator::Normalize(normalization), shape.clone())
            }
            11 => {
                let same: Vec<usize> = (0..=builder.steps.len())
                    .filter(|&value| {
                        let held =
                            value.checked_sub(1).map_or(&input, |step| &builder.steps[step].shape);
                        *held == shape
                    })
                    .collect();
                let other = same[of % same.len()];
                (Operator::Sum { other, minus: of % 3 == 0 }, shape.clone())
            }
            14 if image => {
                let size = 1 + of % 5;
                let alpha = [1.0f32, 1e-4, 0.0, 100.0][of % 4];
                let constants = (
                    f64::from(alpha),
                    f64::from(1 + detail % 8) / 4.0,
                    f64::from([1.0f32, 0.3, 1e-3][of % 3]),
                );
                let response = Response::new(size / 2, size, constants).expect("it is bounded");
                (Operator::Response(response), shape.clone())
            }
            12 if count(&shape) < 100 => {
                let mut after = shape.clone();
                after[0] *= 2;
                (Operator::Concatenate(vec![on]), after)
            }
            15 => (Operator::Activate(Activation::ALL[of % 7]), shape.clone()),
            16 => (
                Operator::Leaky(builder.take(if of % 2 == 0 { 1 } else { shape[0] })),
                shape.clone(),
            ),
            17 => {
                let (low, high) =
                    [(0.0, 6.0), (-1.0, 1.0), (f64::NEG_INFINITY, 0.3), (-0.1, f64::INFINITY)]
                        [of % 4];
                let held = |x: f64| f64::from(x as f32);
                (Operator::Clip { low: held(low), high: held(high) }, shape.clone())
            }
            18 => {
                let numbers = count(&shape) as u32;
                let by = builder.take(numbers as usize);
                let divides = of % 2 == 0;
                let by =
                    by.into_iter().map(|c| if divides && c == 0.0 { 255.0 } else { c }).collect();
                let from = (0..numbers).map(|k| if of % 3 == 0 { numbers - 1 - k } else { k });
                (Operator::Scale { from: from.collect(), by, divides }, shape.clone())
            }
            19 => {
                let numbers = count(&shape) as u32;
                let from = (0..numbers).map(|k| k * u32::from(detail) % numbers).collect();
                (Operator::Gather { from }, shape.clone())
            }
            _ => {
                // One constant a channel, as biases are, or one a number.
                let numbers = count(&shape);
                let by = match of % 2 {
                    0 => builder.take(numbers),
                    _ => {
                        let each = builder.take(shape[0]);
                        (0..numbers).map(|at| each[at * shape[0] / numbers]).collect()
                    }
                };
                let from = (0..numbers as u32).collect();
                (Operator::Shift { negated: of % 3 == 0, from, by }, shape.clone())
            }
        };
        shape = match &operation {
            Operator::MaxPool(window) | Operator::MeanPool(window, _) => {
                let (rows, columns) = window.places(shape[1], shape[2]).expect("it fits");
                vec![shape[0], rows, columns]
            }
            _ => after,
        };
        builder.steps.push(Step::new(operation, on, shape.clone()));
        on = builder.steps.len();
    }
    Graph { precision: Format::F32, input, steps: builder.steps }
}

/// Of every number of a result: (weight of its row, number of the value).
pub type Reads = Vec<Vec<(f64, usize)>>;

/// Linear maps of windows and matrices as lists.
pub fn reads(step: &Step, shape: &[usize]) -> Option<Reads> {
    let numbers = count(&step.shape);
    let mut lists = vec![Vec::new(); numbers];
    match &step.operation {
        Operator::Dense(affine) => {
            for (output, list) in lists.iter_mut().enumerate() {
                list.extend(
                    (0..affine.inputs).map(|k| (affine.weights[k * affine.outputs + output], k)),
                );
            }
        }
        Operator::Convolution(affine, window) => {
            let (area, places) = (window.size.0 * window.size.1, numbers / affine.outputs);
            window.each((shape[1], shape[2]), |place, inside, at| {
                for (output, c) in
                    (0..affine.outputs).flat_map(|o| (0..shape[0]).map(move |c| (o, c)))
                {
                    let weight = affine.weights[(c * area + inside) * affine.outputs + output];
                    lists[output * places + place].push((weight, c * shape[1] * shape[2] + at));
                }
            });
        }
        Operator::MaxPool(window) | Operator::MeanPool(window, _) => {
            let places = numbers / shape[0];
            window.each((shape[1], shape[2]), |place, _, at| {
                for c in 0..shape[0] {
                    lists[c * places + place].push((1.0, c * shape[1] * shape[2] + at));
                }
            });
        }
        Operator::GlobalMean => {
            let area = shape[1] * shape[2];
            for (c, list) in lists.iter_mut().enumerate() {
                list.extend((c * area..(c + 1) * area).map(|at| (1.0, at)));
            }
        }
        _ => return None,
    }
    Some(lists)
}

pub fn bias(affine: &Affine, numbers: usize, at: usize) -> f64 {
    affine.bias.get(at * affine.outputs / numbers).copied().unwrap_or(0.0)
}

/// By what a sum of so many numbers is divided.
pub fn divisor(operation: &Operator, there: usize) -> usize {
    match operation {
        Operator::MeanPool(window, true) => window.size.0 * window.size.1,
        _ => there,
    }
}

pub fn rational(x: f64) -> Rational {
    Dyadic::try_from(x).expect("finite").to_rational()
}

/// 1/√x to 600 bits after its first ones.
fn inverse_root(x: &Rational) -> Rational {
    // √(q/p) = √(pq)/p, and 2^1200 times it before the root.
    let (p, q) = (x.numerator().clone(), x.denominator().clone());
    let p = UBig::try_from(p).expect("positive");
    let root = ((&p * q) << 2400usize).sqrt();
    Rational::from_parts(root.into(), p << 1200usize)
}

/// Real arithmetic (roots to 600 bits).
pub fn real(network: &Graph, point: &[f64]) -> Vec<Rational> {
    let mut values: Vec<Vec<Rational>> = vec![point.iter().map(|&x| rational(x)).collect()];
    for step in &network.steps {
        let x = &values[step.on];
        let shape = network.shape(step.on);
        let numbers = count(&step.shape);
        let lists = reads(step, shape);
        let zero = Rational::ZERO;
        let next: Vec<Rational> = match (&step.operation, lists) {
            (Operator::Dense(affine) | Operator::Convolution(affine, _), Some(lists)) => {
                let one = |(at, list): (usize, &Vec<(f64, usize)>)| {
                    let terms = list.iter().map(|&(w, k)| rational(w) * &x[k]);
                    terms.fold(rational(bias(affine, numbers, at)), |sum, term| sum + term)
                };
                lists.iter().enumerate().map(one).collect()
            }
            (Operator::MaxPool(_), Some(lists)) => {
                let largest = |list: &Vec<(f64, usize)>| list.iter().map(|&(_, k)| &x[k]).max();
                lists.iter().map(|list| largest(list).expect("not empty").clone()).collect()
            }
            (operation, Some(lists)) => {
                let one = |list: &Vec<(f64, usize)>| {
                    let sum = list.iter().fold(Rational::ZERO, |sum, &(_, k)| sum + &x[k]);
                    sum / Rational::from(divisor(operation, list.len()))
                };
                lists.iter().map(one).collect()
            }
            (Operator::Units(units), _) => {
                units.iter().map(|unit| unit.activation.apply(unit.argument(x))).collect()
            }
            (Operator::Activate(activation), _) => {
                x.iter().map(|x| activation.apply(x.clone())).collect()
            }
            (Operator::Leaky(slopes), _) => {
                let slope = |at: usize| match slopes.len() {
                    1 => rational(slopes[0]),
                    _ => rational(slopes[at * step.shape[0] / numbers]),
                };
                let one = |(at, x): (usize, &Rational)| match *x > zero {
                    true => x.clone(),
                    false => x * slope(at),
                };
                x.iter().enumerate().map(one).collect()
            }
            (Operator::Clip { low, high }, _) => {
                let one = |x: &Rational| match x {
                    x if low.is_finite() && *x < rational(*low) => rational(*low),
                    x if high.is_finite() && *x > rational(*high) => rational(*high),
                    x => x.clone(),
                };
                x.iter().map(one).collect()
            }
            (Operator::Scale { from, by, divides }, _) => {
                let one = |(&k, &c): (&u32, &f64)| match divides {
                    true => &x[k as usize] / rational(c),
                    false => &x[k as usize] * rational(c),
                };
                from.iter().zip(by).map(one).collect()
            }
            (Operator::Gather { from }, _) => from.iter().map(|&k| x[k as usize].clone()).collect(),
            (Operator::Shift { negated, from, by }, _) => {
                let one = |(&k, &b): (&u32, &f64)| {
                    let x = x[k as usize].clone();
                    (if *negated { -x } else { x }) + rational(b)
                };
                from.iter().zip(by).map(one).collect()
            }
            (Operator::Normalize(by), _) => {
                let one = |(at, x): (usize, &Rational)| {
                    let c = at * shape[0] / numbers;
                    let root = inverse_root(&(rational(by.variance[c]) + rational(by.epsilon)));
                    (x - rational(by.mean[c])) * rational(by.scale[c]) * root
                        + rational(by.shift[c])
                };
                x.iter().enumerate().map(one).collect()
            }
            (Operator::Response(by), _) => {
                let (size, alpha, _, k) = by.constants();
                let quarters = by.quarters().expect("it is bounded");
                let area = numbers / shape[0];
                let one = |at: usize| {
                    let squares = by.near(at / area, shape[0]).map(|c| {
                        let x = &x[c * area + at % area];
                        x * x
                    });
                    let sum = squares.fold(Rational::ZERO, |sum, square| sum + square);
                    let d = rational(k) + rational(alpha) * sum / Rational::from(size);
                    // 1/√D, and 1/√√D.
                    let half = inverse_root(&d);
                    let quarter = inverse_root(&(&d * &half));
                    let mut y = x[at].clone();
                    for _ in 0..quarters / 4 {
                        y /= &d;
                    }
                    match quarters % 4 {
                        0 => y,
                        1 => y * quarter,
                        2 => y * half,
                        _ => y * half * quarter,
                    }
                };
                (0..numbers).map(one).collect()
            }
            (Operator::Sum { other, minus }, _) => {
                let one = |(x, y): (&Rational, &Rational)| if *minus { x - y } else { x + y };
                x.iter().zip(&values[*other]).map(one).collect()
            }
            (Operator::Concatenate(others), _) => {
                let others = others.iter().flat_map(|&other| values[other].clone());
                x.iter().cloned().chain(others).collect()
            }
            _ => x.clone(),
        };
        values.push(next);
    }
    values.pop().unwrap()
}
