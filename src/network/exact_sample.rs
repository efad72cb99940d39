//! Points and labels as exact numbers.
//!
//! These are not methods of the sample's own types, because the independent checker stands on those types and shall
//! not stand on the arithmetic of the constructions.

use shatter_exact::{Dyadic, Rational};
use shatter_sample::target::class_bits;
use shatter_sample::{Labels, Points, Target, Values};

/// The coordinates of points, exactly (in the unit that a scale names).
pub trait ExactPoints {
    /// Coordinate `k` of point `i`.
    ///
    /// ```
    /// use shatter_exact::Dyadic;
    /// use shatter_network::ExactPoints;
    /// use shatter_sample::{Points, Values};
    /// let points = Points::new(Values::F64(vec![0.5, -2.0]), vec![2])?;
    /// assert_eq!(points.exact_at(0, 0), Dyadic::new(1, -1));
    /// # Ok::<(), shatter_sample::SampleError>(())
    /// ```
    ///
    /// # Panics
    /// If `i` or `k` is out of range.
    fn exact_at(&self, i: usize, k: usize) -> Dyadic;

    /// Point `i`.
    ///
    /// # Panics
    /// If `i` is out of range.
    fn exact_row(&self, i: usize) -> Vec<Rational>;
}

impl ExactPoints for Points {
    fn exact_at(&self, i: usize, k: usize) -> Dyadic {
        match self.values() {
            Values::I64(v) | Values::Scaled { values: v, .. } => Dyadic::from(v[i * self.d() + k]),
            // Bytes and floats are binary64 numbers, and finite.
            _ => Dyadic::try_from(self.f64_at(i, k)).unwrap_or(Dyadic::ZERO),
        }
    }

    fn exact_row(&self, i: usize) -> Vec<Rational> {
        (0..self.d()).map(|k| self.exact_at(i, k).to_rational()).collect()
    }
}

/// Labels, exactly.
pub trait ExactLabels {
    /// The label of point `i`: the number of its class, or the first output.
    ///
    /// # Panics
    /// If `i` is out of range.
    fn exact_at(&self, i: usize) -> Dyadic;

    /// Every number of the label of point `i`: one for classes.
    ///
    /// # Panics
    /// If `i` is out of range.
    fn exact_row(&self, i: usize) -> Vec<Dyadic>;

    /// The outputs of a network that say the label of point `i`. Real labels are always their values.
    ///
    /// ```
    /// use shatter_exact::Rational;
    /// use shatter_network::ExactLabels;
    /// use shatter_sample::{Labels, Target};
    /// let labels = Labels::classes(vec![2, 0], 3)?;
    /// let numbers = |target: Target, i| -> Vec<f64> {
    ///     labels.exact_target(target, i).iter().map(|x: &Rational| x.to_f64().value()).collect()
    /// };
    /// assert_eq!(numbers(Target::Value, 0), [2.0]);
    /// assert_eq!(numbers(Target::OneHot, 0), [0.0, 0.0, 1.0]);
    /// assert_eq!(numbers(Target::Bits, 0), [0.0, 1.0]);
    /// # Ok::<(), shatter_sample::SampleError>(())
    /// ```
    ///
    /// # Panics
    /// If `i` is out of range.
    fn exact_target(&self, target: Target, i: usize) -> Vec<Rational>;
}

impl ExactLabels for Labels {
    fn exact_at(&self, i: usize) -> Dyadic {
        match self {
            Labels::Classes { of, .. } => Dyadic::from(i64::from(of[i])),
            // Finite by construction.
            Labels::Real { values, outputs } => {
                Dyadic::try_from(values[i * outputs]).unwrap_or(Dyadic::ZERO)
            }
        }
    }

    fn exact_row(&self, i: usize) -> Vec<Dyadic> {
        match self {
            Labels::Classes { .. } => vec![self.exact_at(i)],
            // Finite by construction.
            Labels::Real { values, outputs: k } => values[i * k..(i + 1) * k]
                .iter()
                .map(|&y| Dyadic::try_from(y).unwrap_or(Dyadic::ZERO))
                .collect(),
        }
    }

    fn exact_target(&self, target: Target, i: usize) -> Vec<Rational> {
        let bit = |yes: bool| if yes { Rational::ONE } else { Rational::ZERO };
        match (target, self) {
            (Target::OneHot, Labels::Classes { of, count, .. }) => {
                (0..*count).map(|class| bit(class == of[i])).collect()
            }
            (Target::Bits, Labels::Classes { of, count, .. }) => {
                (0..class_bits(*count)).map(|place| bit(of[i] >> place & 1 == 1)).collect()
            }
            _ => self.exact_row(i).iter().map(Dyadic::to_rational).collect(),
        }
    }
}
