//! Norms of the layers, their products, and distances from the start.
//!
//! Of W̃_l, the matrix of layer l with its biases and the constant ([`layers`](crate::layers)), k_l × k_{l−1}:
//!
//! | norm | definition | field |
//! |---|---|---|
//! | Frobenius | √Σ w² | [`frobenius`](LayerNorms::frobenius) |
//! | spectral | the largest singular value ([`spectral`](crate::spectral)) | [`spectral`](LayerNorms::spectral) |
//! | (2,1) | Σ over rows (units) of the ℓ2 norm: ‖W̃ᵀ‖_{2,1} of Bartlett, Foster and Telgarsky | [`rows`](LayerNorms::rows) |
//! | of W̃ − M̃ | M̃ the same layer of the start, whose constant is passed on alike | [`Distance`] |
//!
//! Every value is a *bound* of the exact norm from both sides. By themselves norms say nothing of the test error.
//!
//! **Cost.** A few operations a weight, and an eigendecomposition a layer.

use crate::layers::{Matrix, Outputs, Perceptron};
use crate::spectral::{spectral, sum_of_squares};
use crate::{Enclosure, Finding, MeasureError};

/// Norms of one layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerNorms {
    /// ‖W̃‖_F.
    pub frobenius: Enclosure,
    /// ‖W̃‖₂.
    pub spectral: Enclosure,
    /// Σ_j ‖row j of W̃‖₂.
    pub rows: Enclosure,
    /// Of W̃ − M̃; M̃ is the start's layer, or without a start 0 but for the 1 that passes the constant on.
    pub distance: Distance,
}

/// How far a layer is from the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distance {
    /// ‖W̃ − M̃‖_F.
    pub frobenius: Enclosure,
    /// Σ_j ‖row j of W̃ − M̃‖₂.
    pub rows: Enclosure,
}

/// Norms of all layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Norms {
    /// One a layer.
    pub layers: Vec<LayerNorms>,
    /// Whether distances are from a start, and not from 0.
    pub from_start: bool,
    /// The most rows or columns of a layer's W̃.
    pub widest: usize,
    /// Whether the first layer takes the constant, in the network or in the start.
    pub constant: bool,
}

/// Σ_j ‖row j‖₂.
pub(crate) fn row_sum(matrix: &Matrix) -> Enclosure {
    let rows = matrix.entries.chunks_exact(matrix.columns.max(1));
    rows.map(|row| sum_of_squares(row).sqrt()).sum()
}

/// `value` ± `by`, not below 0.
fn widened(value: Enclosure, by: Enclosure) -> Enclosure {
    Enclosure::new((value - by).low().max(0.0), (value + by).high())
}

impl Norms {
    /// The norms of a perceptron, with distances from a start if there is one.
    ///
    /// ```
    /// use shatter_measure::layers::{Homogeneous, Layer, Perceptron};
    /// use shatter_measure::norms::Norms;
    /// let layer = Layer { inputs: 2, outputs: 1, weights: vec![3.0, 4.0], bias: vec![0.0],
    ///     activation: Homogeneous::Identity, rounding: 0.0 };
    /// let norms = Norms::of(&Perceptron { inputs: 2, layers: vec![layer] }, None)?;
    /// assert_eq!(norms.frobenius().high(), 5.0);
    /// # Ok::<(), shatter_measure::MeasureError>(())
    /// ```
    ///
    /// # Errors
    /// [`MeasureError::Start`] if the start has other layers; those of [`Perceptron::check`].
    pub fn of(perceptron: &Perceptron, start: Option<&Perceptron>) -> Result<Norms, MeasureError> {
        perceptron.check()?;
        if let Some(start) = start {
            start.check()?;
            perceptron.same_shape(start)?;
        }
        let mut widest = 0;
        let mut layers = Vec::with_capacity(perceptron.depth());
        for (index, layer) in perceptron.layers.iter().enumerate() {
            // The start may have biases where the network has none, and the other way round.
            let constant = |at: fn(&Perceptron, usize) -> bool| {
                at(perceptron, index) || start.is_some_and(|start| at(start, index))
            };
            let takes = constant(Perceptron::takes_constant);
            let passes = constant(Perceptron::passes_constant);
            let matrix = perceptron.extended_as(index, takes, passes);
            widest = widest.max(matrix.rows).max(matrix.columns);
            let (frobenius, rows) = (sum_of_squares(&matrix.entries).sqrt(), row_sum(&matrix));
            let off = Enclosure::exact(layer.rounding);
            let spectral = widened(spectral(&matrix), off * frobenius);
            let distance = match start {
                None => {
                    let without = perceptron.extended_as(index, takes, false);
                    let of = (sum_of_squares(&without.entries).sqrt(), row_sum(&without));
                    Distance {
                        frobenius: widened(of.0, off * of.0),
                        rows: widened(of.1, off * of.1),
                    }
                }
                Some(start) => {
                    let from = start.extended_as(index, takes, passes);
                    let (frobenius_off, rows_off) = (
                        off * frobenius
                            + Enclosure::exact(start.layers[index].rounding)
                                * sum_of_squares(&from.entries).sqrt(),
                        off * rows
                            + Enclosure::exact(start.layers[index].rounding) * row_sum(&from),
                    );
                    let apart = distance(&matrix, &from);
                    Distance {
                        frobenius: widened(apart.frobenius, frobenius_off),
                        rows: widened(apart.rows, rows_off),
                    }
                }
            };
            layers.push(LayerNorms {
                frobenius: widened(frobenius, off * frobenius),
                spectral,
                rows: widened(rows, off * rows),
                distance,
            });
        }
        let first = |of: &Perceptron| !of.layers.is_empty() && of.takes_constant(0);
        let constant = first(perceptron) || start.is_some_and(first);
        Ok(Norms { layers, from_start: start.is_some(), widest, constant })
    }

    /// Π_l ‖W̃_l‖_F.
    #[must_use]
    pub fn frobenius(&self) -> Enclosure {
        self.layers.iter().map(|layer| layer.frobenius).product()
    }

    /// Π_l ‖W̃_l‖₂, an upper bound of the Lipschitz constant of the network in the ℓ2 norm.
    #[must_use]
    pub fn spectral(&self) -> Enclosure {
        self.layers.iter().map(|layer| layer.spectral).product()
    }

    /// √Σ_l ‖W̃_l − M̃_l‖_F²: how far all weights together are from the start.
    #[must_use]
    pub fn distance(&self) -> Enclosure {
        self.layers.iter().map(|layer| layer.distance.frobenius.square()).sum::<Enclosure>().sqrt()
    }

    /// The norms as findings: their upper ends, which say nothing of the test error.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let from = if self.from_start { "start" } else { "zero" };
        let sums = |of: fn(&LayerNorms) -> Enclosure| self.layers.iter().map(of).sum::<Enclosure>();
        [
            ("frobenius product".to_owned(), self.frobenius()),
            ("spectral product".to_owned(), self.spectral()),
            ("sum of squared frobenius norms".to_owned(), sums(|layer| layer.frobenius.square())),
            ("sum of (2,1) norms".to_owned(), sums(|layer| layer.rows)),
            (format!("distance from {from}"), self.distance()),
            (format!("(2,1) distance from {from}"), sums(|layer| layer.distance.rows)),
        ]
        .into_iter()
        .map(|(name, value)| Finding::enclosed(name, value.high()))
        .collect()
    }
}

/// Norms of the difference of two matrices of one shape.
fn distance(matrix: &Matrix, from: &Matrix) -> Distance {
    let columns = matrix.columns.max(1);
    let rows = matrix.entries.chunks_exact(columns).zip(from.entries.chunks_exact(columns));
    let squares: Vec<Enclosure> = rows
        .map(|(row, other)| {
            let apart = row
                .iter()
                .zip(other)
                .map(|(&x, &y)| (Enclosure::exact(x) - Enclosure::exact(y)).square());
            apart.sum()
        })
        .collect();
    Distance {
        frobenius: squares.iter().copied().sum::<Enclosure>().sqrt(),
        rows: squares.iter().map(|square| square.sqrt()).sum(),
    }
}

/// The layers of a graph and its norms, with the distance from the start's graph if there is one.
///
/// # Errors
/// As [`Perceptron::of`] and [`Norms::of`].
pub fn of_graphs(
    graph: &shatter_network::Graph,
    start: Option<&shatter_network::Graph>,
) -> Result<(Perceptron, Norms), MeasureError> {
    let perceptron = Perceptron::of(graph, Outputs::All)?;
    let start = start.map(|start| Perceptron::of(start, Outputs::All)).transpose()?;
    let norms = Norms::of(&perceptron, start.as_ref())?;
    Ok((perceptron, norms))
}
