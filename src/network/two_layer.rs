//! The network of Theorem 1 (Zhang et al. 2017): one direction shared by all units.
//!
//! ```text
//! f(x) = Σ_j w_j · ReLU(<a, x> − b_j) + c        a ∈ R^d,  b, w ∈ R^m,  c ∈ R
//! ```
//!
//! Depth 2 (two affine maps), m hidden units. In the theorem m = n and c = 0.

use shatter_exact::{Dyadic, Element, NotFinite, Rational};

/// `f(x) = Σ_j w_j ReLU(<a, x> − b_j) + c` with direction, thresholds and bias in `T`, output
/// weights in `W`.
#[derive(Clone, Debug, PartialEq)]
pub struct TwoLayer<T, W = T> {
    /// Direction, d numbers.
    pub a: Vec<T>,
    /// Thresholds, m numbers.
    pub b: Vec<T>,
    /// Output weights, m numbers.
    pub w: Vec<W>,
    /// Output bias.
    pub c: T,
}

/// A network of binary64 numbers.
pub type FloatNetwork = TwoLayer<f64>;

/// A network of exact numbers. Thresholds on a dyadic sample are dyadic in every rule; output
/// weights may be any fractions.
pub type ExactNetwork = TwoLayer<Dyadic, Rational>;

impl<T, W> TwoLayer<T, W> {
    /// Coordinates of a point.
    pub fn d(&self) -> usize {
        self.a.len()
    }

    /// Hidden units.
    pub fn units(&self) -> usize {
        self.b.len()
    }
}

impl ExactNetwork {
    /// The binary64 network with the same numbers, if every one of them is a binary64 number.
    pub fn to_f64(&self) -> Option<FloatNetwork> {
        let all =
            |numbers: &[Dyadic]| numbers.iter().map(Dyadic::to_f64).collect::<Option<Vec<f64>>>();
        let weight = |w: &Rational| Dyadic::from_rational(w)?.to_f64();
        Some(FloatNetwork {
            a: all(&self.a)?,
            b: all(&self.b)?,
            w: self.w.iter().map(weight).collect::<Option<_>>()?,
            c: self.c.to_f64()?,
        })
    }

    /// The binary64 network with each number rounded to nearest.
    pub fn round_f64(&self) -> FloatNetwork {
        let all = |numbers: &[Dyadic]| numbers.iter().map(Dyadic::round_f64).collect::<Vec<f64>>();
        let weight = |w: &Rational| match Dyadic::from_rational(w) {
            Some(w) => w.round_f64(),
            None => w.to_f64().value(),
        };
        FloatNetwork {
            a: all(&self.a),
            b: all(&self.b),
            w: self.w.iter().map(weight).collect(),
            c: self.c.round_f64(),
        }
    }
}

impl<F: Element> TryFrom<&TwoLayer<F>> for ExactNetwork {
    type Error = NotFinite;

    /// The same numbers, exactly.
    fn try_from(network: &TwoLayer<F>) -> Result<ExactNetwork, NotFinite> {
        let all = |numbers: &[F]| {
            numbers.iter().map(|&x| Dyadic::try_from(x.to_f64())).collect::<Result<Vec<_>, _>>()
        };
        Ok(ExactNetwork {
            a: all(&network.a)?,
            b: all(&network.b)?,
            w: network
                .w
                .iter()
                .map(|&w| Ok(Dyadic::try_from(w.to_f64())?.to_rational()))
                .collect::<Result<_, _>>()?,
            c: Dyadic::try_from(network.c.to_f64())?,
        })
    }
}
