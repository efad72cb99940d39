//! Anything that maps a point to outputs, exactly, and the first point of a sample that it does not fit.

use std::fmt;

use rayon::prelude::*;

use shatter_exact::{Dyadic, Lattice, Rational};
use shatter_sample::{Labels, Points, Target};

use super::evaluate::exact_residual;
use super::projection::project;
use super::{ExactLabels, ExactNetwork, ExactPoints, Layered, Network, exactly};

/// A function of points with exact values. Implement it for a network of your own, or pass a closure.
///
/// ```
/// use shatter_exact::Rational;
/// use shatter_network::Predictor;
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

    /// Index of the first point whose outputs are not exactly those of `target`. Evaluates point after
    /// point; override it where many points together cost less.
    fn misfit_index(&self, points: &Points, labels: &Labels, target: Target) -> Option<usize> {
        (0..points.n())
            .find(|&i| self.outputs(&points.exact_row(i)) != labels.exact_target(target, i))
    }
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

    /// All points at once, in whole numbers; O((n + units) log) where a two-layer network fits.
    fn misfit_index(&self, points: &Points, labels: &Labels, target: Target) -> Option<usize> {
        let outputs = match self {
            Network::Layered(network) => exactly::outputs(network, points),
            Network::TwoLayer(two) => {
                if target == Target::Value && labels.outputs() == 1 {
                    let z = project(points, &Lattice::from_dyadics(&two.a));
                    if exact_residual(two, &z, labels).fits == points.n() {
                        return None;
                    }
                }
                exactly::outputs(&two.to_layered(), points)
            }
        };
        let bad = |i: &usize| outputs[*i] != labels.exact_target(target, *i);
        (0..outputs.len()).into_par_iter().filter(bad).min()
    }
}

/// A point at which the outputs are not those of its label.
#[derive(Clone, Debug, PartialEq)]
pub struct Misfit {
    /// The point.
    pub index: usize,
    /// Its coordinates, d numbers.
    pub point: Vec<Rational>,
    /// The outputs that say its label.
    pub wanted: Vec<Rational>,
    /// The outputs of the network.
    pub got: Vec<Rational>,
}

/// Returns the first point whose outputs are not exactly those that `target` makes of its label; `None` if
/// the network fits them all.
///
/// ```
/// use shatter_exact::Rational;
/// use shatter_network::first_misfit;
/// use shatter_sample::{self as sample, LabelRule, Target};
/// let sample = sample::load("lattice:n=5,d=1", 1)?.distinct(LabelRule::Alternating, 0)?;
/// let zero = |_: &[Rational]| vec![Rational::ZERO];
/// let misfit = first_misfit(&zero, &sample.points, &sample.labels, Target::Value).unwrap();
/// assert_eq!((misfit.index, misfit.wanted), (1, vec![Rational::ONE]));
/// # Ok::<(), shatter_sample::SampleError>(())
/// ```
///
/// # Panics
/// If the points have fewer coordinates than the network has inputs.
#[must_use]
pub fn first_misfit(
    network: &(impl Predictor + ?Sized),
    points: &Points,
    labels: &Labels,
    target: Target,
) -> Option<Misfit> {
    let index = network.misfit_index(points, labels, target)?;
    let point = points.exact_row(index);
    let wanted = labels.exact_target(target, index);
    let got = network.outputs(&point);
    Some(Misfit { index, point, wanted, got })
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
