//! Counts: what a network has, against what its labels take.
//!
//! | count | meaning |
//! |---|---|
//! | P | numbers of the arrays of the graph, zeros included; statistics of batch normalization excluded |
//! | U | hidden units with an activation |
//! | P − U | an upper bound of the dimension of the fitted vectors of a ReLU perceptron: one rescaling a unit |
//! | bits | numerator, denominator and sign bits of the numbers that are not 0 |
//! | bits a label | bits over n |
//! | label bits | n log2 C, rounded up: what it takes to write down any labelling |
//! | label bits a parameter | label bits over P |
//!
//! **Value.** Counts are exact; ratios are *measures*, rounded to nearest. They say nothing of the test error: P
//! against n is the paper's first example. **Cost.** One pass over the numbers.

use serde::Serialize;

use shatter_network::graph::{Graph, Operator, count};
use shatter_obstruct::bits::least_bits;

use crate::{Finding, MeasureError};

/// Counts of a network and of the labels of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SizeCounts {
    /// P.
    pub parameters: u64,
    /// U.
    pub units: u64,
    /// Affine maps on the longest path.
    pub depth: u64,
    /// Numbers that are not 0.
    pub nonzero: u64,
    /// Numerator, denominator and sign bits of these.
    pub bits: u64,
    /// n.
    pub points: u64,
    /// C.
    pub classes: u64,
    /// n log2 C, rounded up.
    pub label_bits: u64,
}

/// P: the numbers of the arrays of a graph, without the statistics of batch normalization.
#[must_use]
pub fn parameters(graph: &Graph) -> u64 {
    let of = |step: &shatter_network::graph::Step| {
        let own = step.operation.parameters(graph.shape(step.on));
        let statistics = matches!(step.operation, Operator::Normalize(_));
        let learned = own.into_iter().take(if statistics { 2 } else { usize::MAX });
        learned.map(|parameter| count(&parameter.shape) as u64).sum::<u64>()
    };
    graph.steps.iter().map(of).sum()
}

impl SizeCounts {
    /// The counts of a graph, and of n labels by C classes.
    ///
    /// ```
    /// use shatter_exact::Rational;
    /// use shatter_measure::counts::SizeCounts;
    /// use shatter_network::{Graph, Mlp};
    /// let network = "2-3-1".parse::<Mlp>()?.network(|| Rational::ONE);
    /// let counts = SizeCounts::of(&Graph::from(network), 20, 10)?;
    /// assert_eq!((counts.parameters, counts.units, counts.dimension()), (13, 3, 10));
    /// assert_eq!(counts.label_bits, 67); // 10^20 <= 2^67
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`MeasureError::Obstruct`] without classes, or for more than 2^26 label bits.
    pub fn of(graph: &Graph, points: u64, classes: u64) -> Result<SizeCounts, MeasureError> {
        let sizes = graph.sizes();
        Ok(SizeCounts {
            parameters: parameters(graph),
            units: sizes.units,
            depth: sizes.depth,
            nonzero: sizes.nonzero,
            bits: sizes.bits,
            points,
            classes,
            label_bits: least_bits(points, classes)?,
        })
    }

    /// P − U.
    #[must_use]
    pub fn dimension(&self) -> u64 {
        self.parameters.saturating_sub(self.units)
    }

    /// The counts and ratios as findings, which say nothing of the test error.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let over = |x: u64, y: u64| if y == 0 { f64::NAN } else { x as f64 / y as f64 };
        [
            ("parameters", self.parameters as f64),
            ("units", self.units as f64),
            ("parameters less units", self.dimension() as f64),
            ("parameters a point", over(self.parameters, self.points)),
            ("bits", self.bits as f64),
            ("bits a label", over(self.bits, self.points)),
            ("label bits a parameter", over(self.label_bits, self.parameters)),
        ]
        .into_iter()
        .map(|(name, value)| Finding::measure(name, value, Vec::new()))
        .collect()
    }
}
