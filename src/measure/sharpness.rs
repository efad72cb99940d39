//! Sharpness: how much noise on its parameters a network withstands.
//!
//! **Statement.** Let θ be the parameters and ξ_1, …, ξ_k vectors of independent standard normals, k draws. σ is
//! the largest number for which the mean over draws of the training error with the parameters
//!
//! | noise | parameter i of draw j |
//! |---|---|
//! | [`Noise::Magnitude`] | θ_i + σ \|θ_i\| ξ_ij |
//! | [`Noise::Isotropic`] | θ_i + σ ξ_ij |
//!
//! is at most the training error + 0.1. The second number is 1/σ².
//!
//! **Source.** Jiang, Neyshabur, Mobahi, Krishnan and Bengio, *Fantastic generalization measures*, ICLR 2020: σ
//! and σ′ of their PAC-Bayesian measures (α′, the worst case in a box, takes ascent and is not this); Dziugaite et
//! al., *In search of robust measures*, NeurIPS 2020. They add a constant to |θ_i|; we do not, so that multiplying
//! a ReLU layer and dividing the next by a power of two changes no output and no σ, to the last bit. Parameters
//! that are 0 stay 0.
//!
//! **Value.** An *estimate*: k draws, and a mean error that need not grow with σ. [`Sharpness`] has a σ at which
//! the mean error is within the limit and the next number that was tried, 0.34 % above, at which it is not: a
//! largest one only if the error grows. The draws are the same for every σ.
//!
//! **Method.** Bisection of log σ from 2^-40 to 2^40 by 14 halvings, geometric means as square roots, which all
//! machines round alike. An end that does not satisfy what is asked of it is the answer, and [`End`] says so. Of
//! two limits the larger has the larger σ, or the same: the bisections part where one says yes and the other no.
//!
//! **Parameters** are those of affine maps, convolutions and exact units (of units the weights that are not 0, and
//! every bias), scale and shift of batch normalization (its statistics are none), and numbers that are added or
//! multiplied after the first affine map: one for a channel whose numbers are all equal, else each. Slopes belong
//! to activations. Fractions are rounded to binary64 first. Outputs are computed in binary64. Errors are counted
//! as [`Margins`] counts them (ties are errors); outputs that are not finite under noise are errors.
//!
//! **Cost.** 16 k passes over the points, and as often a normal a parameter.

use rand_distr::{Distribution, StandardNormal};
use serde::Serialize;

use shatter_exact::{Dyadic, Rational};
use shatter_network::graph::{Graph, Operator, count};
use shatter_network::reading::{BoundLabels, How};
use shatter_plain::outputs;
use shatter_random::stream::{Purpose, stream_at};

use crate::{Assumption, Finding, Margins, MeasureError};

/// The smallest σ that is tried, 2^-40: noise far below it is lost in the rounding of parameters.
pub const LEAST: f64 = f64::from_bits((1023 - 40) << 52);
/// The largest σ that is tried, 2^40.
pub const MOST: f64 = f64::from_bits((1023 + 40) << 52);
/// Halvings of log σ.
const HALVINGS: u32 = 14;

/// Noise on parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Noise {
    /// θ + σ |θ| ξ.
    Magnitude,
    /// θ + σ ξ.
    Isotropic,
}

/// Which noise is tried, and what it may do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// The noise.
    pub noise: Noise,
    /// Seed of the draws.
    pub seed: u64,
    /// k.
    pub draws: u32,
    /// By how much the mean error may exceed the training error.
    pub increase: f64,
}

impl Search {
    /// Five draws, and an increase of 0.1.
    #[must_use]
    pub fn new(noise: Noise) -> Search {
        Search { noise, seed: 0, draws: 5, increase: 0.1 }
    }
}

/// Where a bisection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Between two numbers.
    Between,
    /// At [`LEAST`], which is too much.
    TooMuch,
    /// At [`MOST`], which is not too much.
    NeverTooMuch,
}

/// σ, and how it was found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sharpness {
    /// The noise.
    pub noise: Noise,
    /// σ; [`LEAST`] or [`MOST`] where the bisection ended there.
    pub sigma: f64,
    /// The next number that was tried, which is too much; infinite if none is.
    pub above: f64,
    /// Where it ended.
    pub end: End,
    /// Points.
    pub points: usize,
    /// Errors without noise.
    pub errors: usize,
    /// Errors at σ, all draws together.
    pub noisy: usize,
    /// k.
    pub draws: u32,
    /// By how much the mean error might exceed the training error.
    pub increase: f64,
}

/// Which values depend on an affine map.
fn after_affine(graph: &Graph) -> Vec<bool> {
    let mut after = vec![false];
    for step in &graph.steps {
        let affine = matches!(
            step.operation,
            Operator::Dense(_) | Operator::Convolution(..) | Operator::Units(_)
        );
        let value = affine || step.reads().any(|value| after[value]);
        after.push(value);
    }
    after
}

/// A fraction near it that has 53 bits; itself if none is finite.
fn rounded(x: &Rational) -> Rational {
    Dyadic::try_from(x.to_f64().value()).map_or_else(|_| x.clone(), |x| x.to_rational())
}

/// Fractions rounded to binary64.
fn without_fractions(graph: &Graph) -> Graph {
    let mut graph = graph.clone();
    for step in &mut graph.steps {
        let Operator::Units(units) = &mut step.operation else { continue };
        for unit in units {
            let weights = unit.weights.iter_mut().map(|(_, weight)| weight);
            weights.chain([&mut unit.bias]).for_each(|x| *x = rounded(x));
        }
    }
    graph
}

/// Writes `noisy(x)` for every parameter x of `graph` into the same place of `into`, in one order.
fn each_parameter(
    graph: &Graph,
    after: &[bool],
    into: &mut Graph,
    noisy: &mut dyn FnMut(f64) -> f64,
) {
    let steps = graph.steps.iter().zip(&mut into.steps);
    for (step, other) in steps {
        let write = |from: &[f64], into: &mut [f64], noisy: &mut dyn FnMut(f64) -> f64| {
            from.iter().zip(into).for_each(|(&x, y)| *y = noisy(x));
        };
        match (&step.operation, &mut other.operation) {
            (Operator::Dense(from), Operator::Dense(into))
            | (Operator::Convolution(from, _), Operator::Convolution(into, _)) => {
                write(&from.weights, &mut into.weights, noisy);
                write(&from.bias, &mut into.bias, noisy);
            }
            (Operator::Units(from), Operator::Units(into)) => {
                for (from, into) in from.iter().zip(into) {
                    let pairs = from.weights.iter().zip(&mut into.weights);
                    let pairs = pairs.map(|((_, x), (_, y))| (x, y));
                    for (x, y) in pairs.chain([(&from.bias, &mut into.bias)]) {
                        let number = noisy(x.to_f64().value());
                        *y = Dyadic::try_from(number)
                            .map_or_else(|_| x.clone(), |x| x.to_rational());
                    }
                }
            }
            (Operator::Normalize(from), Operator::Normalize(into)) => {
                write(&from.scale, &mut into.scale, noisy);
                write(&from.shift, &mut into.shift, noisy);
            }
            (Operator::Shift { by: from, .. }, Operator::Shift { by: into, .. })
            | (Operator::Scale { by: from, .. }, Operator::Scale { by: into, .. })
                if after[step.on] =>
            {
                let channels = step.shape.first().copied().unwrap_or(1).max(1);
                let places = (from.len() / channels).max(1);
                let tied =
                    from.chunks(places).all(|channel| channel.iter().all(|x| *x == channel[0]));
                let together = if tied { places } else { 1 };
                for (from, into) in from.chunks(together).zip(into.chunks_mut(together)) {
                    into.fill(noisy(from[0]));
                }
            }
            _ => {}
        }
    }
}

/// What a bisection evaluates.
struct Trial<'a> {
    base: &'a Graph,
    after: Vec<bool>,
    points: &'a [f64],
    labels: &'a BoundLabels,
    search: &'a Search,
}

impl Trial<'_> {
    /// Errors of outputs, of which those that are not finite are errors.
    fn errors_of(&self, graph: &Graph, with_noise: bool) -> Result<usize, MeasureError> {
        let n = self.labels.labels().len();
        let width = graph.outputs();
        let mut numbers = outputs(graph, self.points, n);
        if with_noise && width > 0 {
            // An output that says no class.
            let wrong = match self.labels.how() {
                How::Largest | How::Sign => 0.0,
                How::Half => 0.5,
                How::Value | How::OneHot | How::Bits => -1.0,
            };
            for row in numbers.chunks_exact_mut(width) {
                if row.iter().any(|x| !x.is_finite()) {
                    row.fill(wrong);
                }
            }
        }
        Ok(Margins::of(&numbers, width, self.labels, 0.0)?.errors())
    }

    /// Errors with noise of size σ, all draws together.
    fn noisy(&self, sigma: f64, work: &mut Graph) -> Result<usize, MeasureError> {
        let Search { noise, seed, draws, .. } = *self.search;
        let mut errors = 0;
        for draw in 0..draws {
            let mut rng = stream_at(seed, Purpose::Sharpness, draw);
            let mut number = |x: f64| {
                let normal: f64 = StandardNormal.sample(&mut rng);
                match noise {
                    Noise::Magnitude => x + sigma * normal * x.abs(),
                    Noise::Isotropic => x + sigma * normal,
                }
            };
            each_parameter(self.base, &self.after, work, &mut number);
            errors += self.errors_of(work, true)?;
        }
        Ok(errors)
    }
}

/// The sharpness of a network at points, given one after the other, and their labels.
///
/// ```
/// use shatter_measure::sharpness::{End, Noise, Search, of};
/// use shatter_network::graph::{Affine, Graph, Operator, Step};
/// use shatter_network::reading::{How, Reading};
/// use shatter_sample::Labels;
/// let affine = Affine { weights: vec![1.0], inputs: 1, outputs: 1, bias: vec![-1.0] };
/// let steps = vec![Step::new(Operator::Dense(affine), 0, vec![1])];
/// let graph = Graph { precision: shatter_exact::Format::F64, input: vec![1], steps };
/// let labels = Reading::new(How::Sign).bind(&Labels::classes(vec![0, 1], 2)?, 1)?;
/// let found = of(&graph, &[0.5, 1.5], &labels, &Search::new(Noise::Magnitude))?;
/// assert_eq!((found.end, found.errors), (End::Between, 0));
/// assert!(found.sigma > 0.05 && found.sigma < 5.0 && found.above < 1.004 * found.sigma);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`MeasureError::Length`] and [`MeasureError::PointNotFinite`] for points; those of [`Margins::of`];
/// [`MeasureError::Parameter`] for no draws, or an increase that is negative or not finite.
pub fn of(
    graph: &Graph,
    points: &[f64],
    labels: &BoundLabels,
    search: &Search,
) -> Result<Sharpness, MeasureError> {
    let Search { noise, draws, increase, .. } = *search;
    if draws == 0 {
        let (what, expected) = ("the number of draws", "a number from 1 on");
        return Err(MeasureError::Parameter { what, value: 0.0, expected });
    }
    if !(increase >= 0.0 && increase.is_finite()) {
        let (what, expected) = ("the increase of the error", "a number from 0 on");
        return Err(MeasureError::Parameter { what, value: increase, expected });
    }
    let (n, d) = (labels.labels().len(), count(&graph.input));
    if points.len() != n * d {
        let (what, found, expected) = ("points", points.len(), n * d);
        return Err(MeasureError::Length { what, found, expected });
    }
    if let Some(at) = points.iter().position(|x| !x.is_finite()) {
        let (point, value) = (at / d, points[at]);
        return Err(MeasureError::PointNotFinite { point, what: "a coordinate", value });
    }
    let exact = graph.is_exact().then(|| without_fractions(graph));
    let base = exact.as_ref().unwrap_or(graph);
    let trial = Trial { base, after: after_affine(base), points, labels, search };
    let errors = trial.errors_of(base, false)?;
    let limit = f64::from(draws) * (errors as f64 + increase * n as f64);
    let mut work = base.clone();
    let mut tried = |sigma: f64| trial.noisy(sigma, &mut work);
    let within = |errors: usize| errors as f64 <= limit;
    let found = |sigma, above, end, noisy| Sharpness {
        noise,
        sigma,
        above,
        end,
        points: n,
        errors,
        noisy,
        draws,
        increase,
    };
    let at_most = tried(MOST)?;
    if within(at_most) {
        return Ok(found(MOST, f64::INFINITY, End::NeverTooMuch, at_most));
    }
    let mut noisy = tried(LEAST)?;
    if !within(noisy) {
        return Ok(found(LEAST, LEAST, End::TooMuch, noisy));
    }
    let (mut low, mut high) = (LEAST, MOST);
    for _ in 0..HALVINGS {
        let middle = (low * high).sqrt();
        let errors = tried(middle)?;
        match within(errors) {
            true => (low, noisy) = (middle, errors),
            false => high = middle,
        }
    }
    Ok(found(low, high, End::Between, noisy))
}

impl Sharpness {
    /// σ and 1/σ². Where the bisection ended at one of its ends, the assumption that fails says what is known of σ.
    #[must_use]
    pub fn findings(&self) -> [Finding; 2] {
        let Sharpness { sigma, increase, points, errors, .. } = *self;
        let kind = match self.noise {
            Noise::Magnitude => "magnitude-aware",
            Noise::Isotropic => "isotropic",
        };
        let what = format!(
            "some noise between 2^-40 and 2^40 raises the error by {increase}, and some less"
        );
        let full = errors as f64 + increase * points as f64 >= points as f64;
        let assumption = match self.end {
            End::Between => {
                Assumption::met(what, format!("it does between {sigma:.4e} and {:.4e}", self.above))
            }
            End::TooMuch => Assumption::fails(what, "2^-40 raises it by more: σ is below"),
            End::NeverTooMuch if full => Assumption::fails(
                what,
                format!("{errors} errors of {points} leave no room for it: σ has no limit"),
            ),
            End::NeverTooMuch => Assumption::fails(what, "2^40 does not: σ is at least that"),
        };
        [("σ", sigma), ("1/σ²", 1.0 / (sigma * sigma))].map(|(symbol, value)| {
            let name = format!("sharpness, {kind}: {symbol}");
            Finding::estimate(name, value, vec![assumption.clone()])
        })
    }
}
