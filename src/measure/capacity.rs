//! How many labels an architecture can fit, from below by a construction and from above by obstructions, and how many
//! bits a parameter that is.
//!
//! **From below.** A network with a hidden layer of W units fits all labels of any n <= W distinct points (Theorem 1 of
//! the paper: a generic direction, and a triangular system for each output), and so does a deeper one whose later
//! hidden layers are as wide as the outputs are many: they pass the outputs on, moved to where ReLU is the identity. In
//! the form with a shared direction 2n + d numbers do, so P numbers are enough for (P − d)/2 points.
//!
//! **From above.** Outputs of P parameters and U units fill at most P − U dimensions, so almost no real labels of more
//! than (P − U)/k points with k outputs are fitted ([`shatter_obstruct::DimensionBound`]). Where the largest of k outputs
//! decides, a labelling is read off the signs of k(k − 1)/2 differences a point, so at most 2^{[`log2_patterns`]} of the
//! C^n labellings occur: no n points have all of them where that is below n log2 C. If all occur, so do those by two
//! classes alone, each read off the sign of one difference: no n points have all where log2_patterns of one polynomial a
//! point is below n. Both hold, and the smaller n is taken; the second is the bound of the VC dimension.
//!
//! **Value.** All are exact counts or proved bounds, and hold for every training.

use serde::Serialize;

use shatter_network::Mlp;

use crate::vc::log2_patterns;
use crate::{Enclosure, MeasureError};

/// Beyond it nothing is searched.
const MOST: u64 = 1 << 60;

/// What is known of the numbers of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct KnownCapacity {
    /// P.
    pub parameters: u64,
    /// U.
    pub units: u64,
    /// All labels of any so many distinct points are fitted by this architecture.
    pub by_construction: u64,
    /// All numbers as labels of any so many distinct points are fitted by P numbers in the form of Theorem 1.
    pub by_numbers: u64,
    /// Almost no real labels of more points are fitted.
    pub by_dimension: u64,
    /// No more points have all of their labellings by C classes.
    pub by_patterns: Option<u64>,
}

impl KnownCapacity {
    /// Of an architecture whose largest output decides between `classes`; with one output, its sign between two.
    ///
    /// ```
    /// use shatter_measure::capacity::KnownCapacity;
    /// let known = KnownCapacity::of(&"10-20-1".parse()?, 2)?;
    /// assert_eq!((known.by_construction, known.by_numbers, known.by_dimension), (20, 115, 221));
    /// assert_eq!(known.by_patterns, Some(4258)); // the VC dimension's bound
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`MeasureError::Parameter`] for fewer than two classes, or more than the outputs can say.
    pub fn of(architecture: &Mlp, classes: u32) -> Result<KnownCapacity, MeasureError> {
        let (parameters, units) = (architecture.parameters(), architecture.units());
        let outputs = architecture.outputs();
        if classes < 2 || classes as usize > outputs.max(2) {
            let (what, expected) = ("the number of classes", "at least 2, and one an output");
            return Err(MeasureError::Parameter { what, value: f64::from(classes), expected });
        }
        let by_construction = match architecture.hidden() {
            [first, later @ ..] if later.iter().all(|&width| width >= outputs) => *first as u64,
            _ => 0,
        };
        let bits = Enclosure::whole(u64::from(classes)).log2();
        let one = Enclosure::ONE;
        let pairs = outputs.saturating_mul(outputs.saturating_sub(1)) / 2;
        let by_patterns =
            [most_points(architecture, 1, one), most_points(architecture, pairs.max(1), bits)];
        let by_patterns = by_patterns.into_iter().flatten().min();
        Ok(KnownCapacity {
            parameters,
            units,
            by_construction,
            by_numbers: parameters.saturating_sub(architecture.inputs() as u64) / 2,
            by_dimension: (parameters - units.min(parameters)) / outputs.max(1) as u64,
            by_patterns,
        })
    }

    /// Bits of the labels of n points by C classes over the parameters.
    #[must_use]
    pub fn bits_a_parameter(&self, n: u64, classes: u32) -> f64 {
        n as f64 * f64::from(classes).log2() / self.parameters as f64
    }
}

/// The largest n for which `polynomials` a point have enough sign patterns for `bits` a point.
fn most_points(architecture: &Mlp, polynomials: usize, bits: Enclosure) -> Option<u64> {
    let excluded =
        |n: u64| log2_patterns(architecture, polynomials, n) < (bits * Enclosure::whole(n)).low();
    let mut most = 1u64;
    while most < MOST && !excluded(most) {
        most *= 2;
    }
    if !excluded(most) {
        return None;
    }
    // What is excluded at n is excluded beyond: of more points some n would have all labellings.
    let mut least = most / 2;
    while most - least > 1 {
        let middle = least + (most - least) / 2;
        match excluded(middle) {
            true => most = middle,
            false => least = middle,
        }
    }
    Some(most - 1)
}
