//! Anything that maps a point to outputs, exactly: the networks of this library, and yours.

use std::fmt;

use shatter_exact::{Dyadic, Rational};
use shatter_network::{ExactLabels, ExactNetwork, ExactPoints, Layered, Network};
use shatter_sample::{Sample, Target};

use super::saved;

/// A function of points with exact values. Implement it for a network of your own, or hand over a
/// closure.
///
/// ```
/// use shatter_claims::Predictor;
/// use shatter_exact::Rational;
/// struct Absolute;
/// impl Predictor for Absolute {
///     fn outputs(&self, x: &[Rational]) -> Vec<Rational> {
///         let x = x[0].clone();
///         vec![if x < Rational::ZERO { -x } else { x }]
///     }
/// }
/// assert_eq!(Absolute.outputs(&[Rational::from(-3)]), [Rational::from(3)]);
/// let double = |x: &[Rational]| vec![Rational::from(2) * &x[0]];
/// assert_eq!(double.outputs(&[Rational::from(2)]), [Rational::from(4)]);
/// ```
pub trait Predictor {
    /// The outputs at x, d numbers.
    fn outputs(&self, x: &[Rational]) -> Vec<Rational>;
}

impl<F: Fn(&[Rational]) -> Vec<Rational>> Predictor for F {
    fn outputs(&self, x: &[Rational]) -> Vec<Rational> {
        self(x)
    }
}

impl Predictor for Layered {
    fn outputs(&self, x: &[Rational]) -> Vec<Rational> {
        self.evaluate(x)
    }
}

impl Predictor for ExactNetwork {
    /// By the formula, term by term.
    fn outputs(&self, x: &[Rational]) -> Vec<Rational> {
        let z = self.a.iter().zip(x).fold(Rational::ZERO, |z, (a, x)| z + a.to_rational() * x);
        let relu = |b: &Dyadic| (&z - b.to_rational()).max(Rational::ZERO);
        let terms = self.b.iter().zip(&self.w).map(|(b, w)| w * relu(b));
        vec![terms.fold(self.c.to_rational(), |sum, term| sum + term)]
    }
}

impl Predictor for Network {
    fn outputs(&self, x: &[Rational]) -> Vec<Rational> {
        match self {
            Network::TwoLayer(network) => network.outputs(x),
            Network::Layered(network) => network.outputs(x),
        }
    }
}

/// A point at which the outputs are not those that the label asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Misfit {
    /// The point.
    pub index: usize,
    /// Its coordinates.
    pub point: Vec<Rational>,
    /// What its label asks for.
    pub wanted: Vec<Rational>,
    /// What came out.
    pub got: Vec<Rational>,
}

/// The first point of `sample` whose outputs are not exactly those that `target` asks for.
///
/// ```
/// use shatter_claims::first_misfit;
/// use shatter_exact::Rational;
/// use shatter_sample::{self as sample, LabelRule, Target};
/// let sample = sample::load("lattice:n=5,d=1", 1)?.distinct(LabelRule::Alternating, 0)?;
/// let zero = |_: &[Rational]| vec![Rational::ZERO];
/// let misfit = first_misfit(&zero, &sample, Target::Value).unwrap();
/// assert_eq!((misfit.index, misfit.wanted), (1, vec![Rational::ONE]));
/// # Ok::<(), shatter_sample::SampleError>(())
/// ```
pub fn first_misfit(
    network: &(impl Predictor + ?Sized),
    sample: &Sample,
    target: Target,
) -> Option<Misfit> {
    (0..sample.points.n()).find_map(|index| {
        let point = sample.points.exact_row(index);
        let wanted = sample.labels.exact_target(target, index);
        let got = network.outputs(&point);
        (got != wanted).then_some(Misfit { index, point, wanted, got })
    })
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |numbers: &[Rational]| numbers.iter().map(short).collect::<Vec<_>>().join(", ");
        write!(
            f,
            "at point {} ({}) the network gives {}, the label asks for {}",
            self.index,
            list(&self.point),
            list(&self.got),
            list(&self.wanted)
        )
    }
}

/// A fraction, or where it is long, its leading digits.
fn short(x: &Rational) -> String {
    let text = x.to_string();
    if text.len() <= 40 { text } else { format!("about {:e}", x.to_f64().value()) }
}

/// A sample in words: `n = 2, d = 1, i64: (0) -> 1, (3) -> 0`; long ones are cut.
pub fn describe(sample: &Sample) -> String {
    const SHOWN: usize = 12;
    let (n, d) = (sample.points.n(), sample.points.d());
    let point = |i: usize| {
        let coordinates: Vec<String> =
            (0..d).map(|k| saved::coordinate(sample.points.values(), i * d + k)).collect();
        let label = saved::label(&sample.labels, i).join(", ");
        format!("({}) -> {label}", coordinates.join(", "))
    };
    let points: Vec<String> = (0..n.min(SHOWN)).map(point).collect();
    let rest = if n > SHOWN { format!(", and {} more", n - SHOWN) } else { String::new() };
    format!("n = {n}, d = {d}, {}: {}{rest}", sample.points.values().type_name(), points.join(", "))
}
