//! The counts of a network, never mixed with one another.
//!
//! For m units on R^d, with one direction shared by all units:
//!
//! | count | meaning | two-layer form |
//! |---|---|---|
//! | free | real numbers chosen, shared ones once | d + 2m (+ 1 with a bias); d + m and a sign when the output weights are ±1, ∓2, ±2, … |
//! | nonzero | nonzero weights and biases with the direction written out for each unit | m·nnz(a) + nnz(b) + nnz(w) + nnz(c) |
//! | slots | the same, zero or not | m(d + 2) (+ 1 with a bias) |
//! | dense | Σ over layers of (inputs + 1) · outputs | m(d + 1) + m + 1 |
//! | bits | numerator, denominator and sign bits of a, b, w, c, each written once | |

use serde::Serialize;

use shatter_exact::{Dyadic, IBig, Rational, bit_length};

use super::ExactNetwork;

/// Sizes of a network; see the table above.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[must_use]
pub struct Counts {
    /// Affine maps.
    pub depth: u64,
    /// Hidden units.
    pub units: u64,
    /// Free real numbers.
    pub free: u64,
    /// Free signs, beside the numbers.
    pub signs: u64,
    /// Nonzero weights and biases, unshared.
    pub nonzero: u64,
    /// Weights and biases, unshared.
    pub slots: u64,
    /// Parameters of the dense network of this shape.
    pub dense: u64,
    /// Bits of all distinct numbers.
    pub bits: u64,
    /// Bits of the largest number.
    pub max_bits: u64,
}

/// Numerator, denominator and sign bits of a fraction in lowest terms.
pub fn rational_bits(x: &Rational) -> u64 {
    bit_length(x.numerator()) + bit_length(x.denominator().as_ibig()) + 1
}

impl ExactNetwork {
    /// Returns true if the output weights are σ, −2σ, 2σ, −2σ, … for a sign σ: then they carry one sign
    /// of information, and the labels live in the thresholds.
    pub fn has_constant_weights(&self) -> bool {
        let Some(first) = self.w.first() else { return false };
        let sigma = first.numerator();
        let unit = first.is_int() && (*sigma == IBig::ONE || *sigma == IBig::NEG_ONE);
        let expected = |j: usize| {
            if j.is_multiple_of(2) { sigma * IBig::from(2) } else { sigma * IBig::from(-2) }
        };
        unit && self
            .w
            .iter()
            .enumerate()
            .skip(1)
            .all(|(j, w)| w.is_int() && *w.numerator() == expected(j))
    }

    /// The counts of this network.
    ///
    /// ```
    /// use shatter_exact::{Dyadic, Rational};
    /// use shatter_network::ExactNetwork;
    /// let two = Rational::from(2);
    /// let network = ExactNetwork {
    ///     a: vec![Dyadic::ONE; 3],
    ///     b: vec![Dyadic::from(1), Dyadic::from(4)],
    ///     w: vec![two.clone(), -two],
    ///     c: Dyadic::ZERO,
    /// };
    /// let counts = network.counts();
    /// assert_eq!((counts.free, counts.slots, counts.dense), (3 + 2 * 2, 2 * 5, 2 * 4 + 3));
    /// ```
    pub fn counts(&self) -> Counts {
        let (d, m) = (self.d() as u64, self.units() as u64);
        let bias = u64::from(!self.c.is_zero());
        let nonzero = |numbers: &[Dyadic]| numbers.iter().filter(|x| !x.is_zero()).count() as u64;
        let constant = self.has_constant_weights();
        let each = || {
            let dyadics = self.a.iter().chain(&self.b).chain((bias == 1).then_some(&self.c));
            dyadics.map(Dyadic::bits).chain(self.w.iter().map(rational_bits))
        };
        Counts {
            depth: 2,
            units: m,
            free: d + m + bias + if constant { 0 } else { m },
            signs: u64::from(constant),
            nonzero: m * nonzero(&self.a)
                + nonzero(&self.b)
                + self.w.iter().filter(|w| !w.is_zero()).count() as u64
                + bias,
            slots: m * (d + 2) + bias,
            dense: m * (d + 1) + m + 1,
            bits: each().sum(),
            max_bits: each().max().unwrap_or(0),
        }
    }
}
