//! Whitening of patches (Coates and Ng, *Learning feature representations with k-means*, 2012, section 3.1).
//!
//! Let p_1, …, p_m be patches of d numbers with mean μ and covariance C = (1/m) Σ (p_i − μ)(p_i − μ)ᵀ, d × d. *ZCA
//! whitening* takes a patch p to W(p − μ) with
//!
//! ```text
//! W = V (Λ + ε I)^(-1/2) Vᵀ,    C = V Λ Vᵀ,
//! ```
//!
//! so that W is symmetric and, for ε > 0, W (C + ε I) W = I: the covariance of whitened patches is I − ε W². For ε = 0
//! directions without variance are left out, and that covariance is a projection. The floor ε keeps
//! directions in which patches hardly vary from being blown up; the mean of a patch, which normalisation removes, is
//! one in which they do not vary at all. The cost is m d² operations for C and about 10 d³ for its eigenvalues.

use shatter_linear::Square;
use shatter_linear::decomposition::symmetric_by_nalgebra;
use shatter_matrix::product::{Matrix, MatrixMut, product};

use crate::FeatureError;

/// Mean μ and matrix W of whitening, in binary64.
#[derive(Clone, Debug, PartialEq)]
pub struct Whitening {
    /// μ, d numbers.
    pub mean: Vec<f64>,
    /// W, d × d.
    pub matrix: Square<f64>,
}

impl Whitening {
    /// Learns it from patches, m × d numbers, with the floor ε.
    ///
    /// ```
    /// use shatter_feature::Whitening;
    /// // Two uncorrelated coordinates of variance 4 and 1/4.
    /// let patches = [2.0, 0.5, -2.0, 0.5, 2.0, -0.5, -2.0, -0.5];
    /// let whitening = Whitening::learn(&patches, 2, 0.0)?;
    /// assert_eq!(whitening.mean, [0.0, 0.0]);
    /// assert!((whitening.matrix.at(0, 0) - 0.5).abs() < 1e-15);
    /// assert!((whitening.matrix.at(1, 1) - 2.0).abs() < 1e-15);
    /// # Ok::<(), shatter_feature::FeatureError>(())
    /// ```
    ///
    /// # Errors
    /// [`FeatureError::Eigenvalues`], for covariances that are not finite.
    ///
    /// # Panics
    /// If `patches` are none, or not of `d` numbers each: a defect of the caller.
    pub fn learn(patches: &[f64], d: usize, floor: f64) -> Result<Whitening, FeatureError> {
        assert!(d > 0 && !patches.is_empty() && patches.len().is_multiple_of(d), "patches");
        let m = patches.len() / d;
        let mut mean = vec![0.0; d];
        for patch in patches.chunks_exact(d) {
            mean.iter_mut().zip(patch).for_each(|(sum, x)| *sum += x);
        }
        mean.iter_mut().for_each(|sum| *sum /= m as f64);
        let mut centred = patches.to_vec();
        for patch in centred.chunks_exact_mut(d) {
            patch.iter_mut().zip(&mean).for_each(|(x, mean)| *x -= mean);
        }
        let mut covariance = vec![0.0; d * d];
        let rows = Matrix::of_rows(&centred, m, d);
        product(MatrixMut::of_rows(&mut covariance, d, d), false, rows.transposed(), rows);
        let covariance = Square::from_fn(d, |i, j| {
            // One half for both, so that it is symmetric to the last bit.
            covariance[i.max(j) * d + i.min(j)] / m as f64
        });
        let failed = || FeatureError::Eigenvalues { patches: m };
        // The same features in every build: models name them by their digest.
        let found = symmetric_by_nalgebra(&covariance).ok_or_else(failed)?;
        let (values, vectors) = (found.values, found.vectors);
        // A covariance has no negative eigenvalue; one that is computed is off by a few units of the largest.
        let largest = values.iter().fold(0.0f64, |most, &value| most.max(value));
        let least = d as f64 * f64::EPSILON * largest;
        let scale = |value: f64| {
            let raised = value.max(0.0) + floor;
            // A direction without variance and without floor has no finite scale: it is left out.
            if raised > least { raised.sqrt().recip() } else { 0.0 }
        };
        let scales: Vec<f64> = values.iter().map(|&value| scale(value)).collect();
        let entry = |i: usize, j: usize| {
            (0..d).map(|k| vectors.at(k, i) * scales[k] * vectors.at(k, j)).sum()
        };
        Ok(Whitening { mean, matrix: Square::from_fn(d, entry) })
    }

    /// Writes W(p − μ) of a patch.
    ///
    /// # Panics
    /// If one of them has not d numbers: a defect of the caller.
    pub fn apply(&self, patch: &[f64], whitened: &mut [f64]) {
        let d = self.mean.len();
        assert_eq!((patch.len(), whitened.len()), (d, d), "a patch and room for it");
        for (i, out) in whitened.iter_mut().enumerate() {
            *out = (0..d).map(|k| self.matrix.at(i, k) * (patch[k] - self.mean[k])).sum();
        }
    }
}
