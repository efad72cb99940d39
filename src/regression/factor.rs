//! The minimum-norm solution, rank and condition, and the two parts of any weights.
//!
//! **Statement.** Let X be n × d of rank r, and Y n × k. Among the W that minimise ‖XW − Y‖ exactly one has the least
//! norm, W = X⁺Y. It is the only one in the span of the rows of X: any other is W + V with XV = 0, V is orthogonal to
//! W, and ‖W + V‖² = ‖W‖² + ‖V‖². For r = n it fits all labels, W = Xᵀ(XXᵀ)⁻¹Y and ‖W‖² = tr Yᵀ(XXᵀ)⁻¹Y; for r < n it
//! fits them just if they are consistent: no linear relation between points is broken by their labels.
//!
//! **Source.** Penrose, Proc. Cambridge Phil. Soc. 52 (1956); Zhang et al. 2017, section 5.
//!
//! **Algorithm.** Of XXᵀ (n ≤ d) or XᵀX (n > d), m × m with m = min(n, d), all eigenvalues λ_j = σ_j² and
//! eigenvectors u_j are found. Then X⁺ is Xᵀ (Σ u_j u_jᵀ/λ_j) or (Σ u_j u_jᵀ/λ_j) Xᵀ. Residuals are computed from X
//! itself and solved for again, W ← W + X⁺(Y − XW), as long as this halves them: the corrected seminormal
//! equations of Björck (Linear Algebra Appl. 88, 1987), whose error is that of a QR factorisation, though squares of
//! singular values were computed.
//!
//! **Which eigenvalues are 0.** Write u = 2^-53. The computed products differ from the exact ones by at most
//! γ_l |X||X|ᵀ, entry by entry, l = max(n, d) terms, in norm by at most γ_l ‖X‖²; the routine for eigenvalues is
//! backward stable, with an error of the order m·u‖X‖². By Weyl's theorem a computed eigenvalue is off by no more than their
//! sum, about (l + m) u ‖X‖². Those above four times that bound are kept: they have at most a third of an error,
//! so that each correction above leaves less than half. The others cannot be told from 0: the *rank* is the number of
//! those kept, and σ_j are resolved down to (4 (l + m) u)^1/2 ‖X‖ with the Frobenius norm: a millionth of it for
//! l + m = 2000.
//!
//! **Which labels are consistent.** For output o with residual r = y − Xw, (X + E)w = y has the solution
//! E = r wᵀ/‖w‖² of least norm ‖r‖/‖w‖ (Rigal and Gaches, J. ACM 14, 1967). Labels count as fitted where this is at most
//! (l + m) u ‖X‖: a change of X that is no larger than what rounding makes of its sums.
//!
//! **Cost.** m² l products, 9m³ operations for eigenvectors, memory for three m × m matrices beside X.

use shatter_linear::Square;
use shatter_linear::decomposition::{Decomposition, symmetric};
use shatter_matrix::product::{Matrix, MatrixMut, product_by_columns};

use super::{Design, RegressionError, Targets, norm};

/// Largest m: 8m² bytes for each of some four matrices, and 9m³ operations, minutes on one core.
pub const MOST: usize = 6144;

/// Unit roundoff of binary64.
const ROUNDOFF: f64 = f64::EPSILON / 2.0;

/// Corrections at most; each halves the residual.
const CORRECTIONS: usize = 50;

/// Columns of a product that one thread computes.
const TILE: usize = 64;

/// The singular values of X, with the vectors of its smaller side.
#[derive(Clone, Debug)]
pub struct Factor<'a> {
    design: &'a Design,
    spectrum: Decomposition,
    rank: usize,
    floor: f64,
}

/// W = X⁺Y.
#[derive(Clone, Debug, PartialEq)]
pub struct MinimumNorm {
    /// W, d × k, row by row.
    pub weights: Vec<f64>,
    /// Y − XW, n × k, row by row.
    pub residuals: Vec<f64>,
    /// True if all labels are fitted to rounding; otherwise W minimises ‖Y − XW‖.
    pub fits: bool,
    /// Points whose residual is more than rounding leaves to each of them, in an output that is not fitted, in their order; empty if
    /// and only if `fits`.
    pub misfits: Vec<usize>,
}

/// W = span + null, with span in the span of the points and X · null = 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// The part in the span: the minimum-norm weights with the same outputs.
    pub span: Vec<f64>,
    /// The part in the null space of X.
    pub null: Vec<f64>,
}

impl<'a> Factor<'a> {
    /// Decomposes the smaller matrix of products of X.
    ///
    /// ```
    /// use shatter_regression::{Design, Factor, Targets};
    /// // Of the w with w_1 + 2 w_2 = 5, (1, 2) has the least norm.
    /// let x = Design::new(vec![1.0, 2.0], 2, false)?;
    /// let factor = Factor::new(&x)?;
    /// let found = factor.minimum_norm(&Targets::new(vec![5.0], 1)?)?;
    /// assert!(found.fits && factor.rank() == 1);
    /// assert!((found.weights[0] - 1.0).abs() < 1e-15 && (found.weights[1] - 2.0).abs() < 1e-15);
    /// # Ok::<(), shatter_regression::RegressionError>(())
    /// ```
    ///
    /// # Errors
    /// [`RegressionError::TooLarge`], [`RegressionError::NoConvergence`].
    pub fn new(design: &'a Design) -> Result<Factor<'a>, RegressionError> {
        let (rows, columns) = (design.rows(), design.columns());
        let size = rows.min(columns);
        if size > MOST {
            return Err(RegressionError::TooLarge { rows, columns, most: MOST });
        }
        let products = Square { n: size, entries: design.products() };
        let spectrum = symmetric(&products).ok_or(RegressionError::NoConvergence { size })?;
        let floor = 4.0 * rounding(design) * design.norm().powi(2);
        let rank = spectrum.values.iter().take_while(|&&value| value > floor).count();
        Ok(Factor { design, spectrum, rank, floor })
    }

    /// X.
    #[must_use]
    pub fn design(&self) -> &'a Design {
        self.design
    }

    /// r: singular values that can be told from 0.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Singular values at most this cannot be told from 0.
    #[must_use]
    pub fn resolution(&self) -> f64 {
        self.floor.sqrt()
    }

    /// σ_1, …, σ_r.
    #[must_use]
    pub fn singular_values(&self) -> Vec<f64> {
        self.spectrum.values[..self.rank].iter().map(|value| value.sqrt()).collect()
    }

    /// σ_1/σ_r; `None` if all points are 0.
    #[must_use]
    pub fn condition(&self) -> Option<f64> {
        let kept = &self.spectrum.values[..self.rank];
        Some((kept.first()? / kept.last()?).sqrt())
    }

    /// W = X⁺Y.
    ///
    /// # Errors
    /// [`RegressionError::TargetCount`].
    pub fn minimum_norm(&self, targets: &Targets) -> Result<MinimumNorm, RegressionError> {
        targets.belong_to(self.design)?;
        let outputs = targets.outputs();
        let (weights, residuals) = self.solve(targets.values(), outputs);
        let tolerance = rounding(self.design) * self.design.norm();
        let within = |o: usize| -> f64 {
            let column = |values: &[f64]| {
                norm(&values.iter().skip(o).step_by(outputs).copied().collect::<Vec<f64>>())
            };
            tolerance * column(&weights)
        };
        let bounds: Vec<f64> = (0..outputs).map(within).collect();
        let squares = |o: usize| residuals.iter().skip(o).step_by(outputs).map(|r| r * r);
        let missed: Vec<bool> =
            (0..outputs).map(|o| squares(o).sum::<f64>().sqrt() > bounds[o]).collect();
        let fits = !missed.contains(&true);
        // In an output beyond its bound at least one point is beyond the n-th part of its square.
        let share = (self.design.rows() as f64).sqrt();
        let beyond = |row: &[f64]| {
            let of = row.iter().zip(&bounds).zip(&missed);
            of.into_iter().any(|((r, bound), &missed)| missed && r.abs() * share > *bound)
        };
        let rows = residuals.chunks_exact(outputs).enumerate();
        let misfits = rows.filter(|(_, row)| beyond(row)).map(|(i, _)| i).collect();
        Ok(MinimumNorm { weights, residuals, fits, misfits })
    }

    /// X⁺Y and Y − XX⁺Y, corrected as long as that halves the part of the residual that can still be fitted.
    fn solve(&self, y: &[f64], outputs: usize) -> (Vec<f64>, Vec<f64>) {
        let mut weights = self.pseudo_inverse(y, outputs);
        let mut residuals = self.residuals(y, &weights, outputs);
        let mut before = f64::INFINITY;
        for _ in 0..CORRECTIONS {
            let step = self.pseudo_inverse(&residuals, outputs);
            let size = norm(&step);
            if size == 0.0 || size > before / 2.0 || size.is_nan() {
                break;
            }
            before = size;
            weights.iter_mut().zip(&step).for_each(|(w, s)| *w += s);
            residuals = self.residuals(y, &weights, outputs);
        }
        (weights, residuals)
    }

    fn residuals(&self, y: &[f64], weights: &[f64], outputs: usize) -> Vec<f64> {
        let fitted = self.design.outputs(weights, outputs);
        y.iter().zip(fitted).map(|(y, fitted)| y - fitted).collect()
    }

    fn pseudo_inverse(&self, y: &[f64], outputs: usize) -> Vec<f64> {
        self.filtered(y, outputs, |value| value.recip())
    }

    /// Σ_j f(λ_j) v_j (Xv_j)ᵀY over the kept right singular vectors v_j: X⁺Y for f(λ) = 1/λ.
    pub(super) fn filtered(&self, y: &[f64], outputs: usize, f: impl Fn(f64) -> f64) -> Vec<f64> {
        match self.is_points_side() {
            true => self.design.combinations(&self.spectral(y, outputs, f), outputs),
            false => self.spectral(&self.design.combinations(y, outputs), outputs, f),
        }
    }

    /// Whether the eigenvectors are of XXᵀ.
    fn is_points_side(&self) -> bool {
        self.design.rows() <= self.design.columns()
    }

    /// Σ_j f(λ_j) u_j u_jᵀ A over the kept eigenvectors, for A of m × k.
    fn spectral(&self, a: &[f64], outputs: usize, f: impl Fn(f64) -> f64) -> Vec<f64> {
        let (m, r) = (self.spectrum.vectors.n, self.rank);
        if r == 0 {
            return vec![0.0; m * outputs];
        }
        let vectors = Matrix::of_rows(&self.spectrum.vectors.entries, r, m);
        let mut inner = vec![0.0; r * outputs];
        let a = Matrix::of_rows(a, m, outputs);
        product_by_columns(MatrixMut::of_rows(&mut inner, r, outputs), false, vectors, a, TILE);
        for (row, &value) in inner.chunks_exact_mut(outputs).zip(&self.spectrum.values) {
            let factor = f(value);
            row.iter_mut().for_each(|x| *x *= factor);
        }
        let mut result = vec![0.0; m * outputs];
        let inner = Matrix::of_rows(&inner, r, outputs);
        let into = MatrixMut::of_rows(&mut result, m, outputs);
        product_by_columns(into, false, vectors.transposed(), inner, TILE);
        result
    }

    /// Takes weights apart: the minimum-norm weights with the same outputs, and the rest, which changes no output.
    ///
    /// ```
    /// use shatter_regression::{Design, Factor, norm};
    /// let x = Design::new(vec![1.0, 2.0], 2, false)?;
    /// let parts = Factor::new(&x)?.split(&[5.0, 0.0], 1)?;
    /// assert!((parts.span[1] - 2.0).abs() < 1e-14 && (parts.null[0] - 4.0).abs() < 1e-14);
    /// let square = |w: &[f64]| norm(w).powi(2);
    /// assert!((square(&parts.span) + square(&parts.null) - 25.0).abs() < 1e-13); // Pythagoras
    /// # Ok::<(), shatter_regression::RegressionError>(())
    /// ```
    ///
    /// # Errors
    /// [`RegressionError::Weights`].
    pub fn split(&self, weights: &[f64], outputs: usize) -> Result<Parts, RegressionError> {
        let columns = self.design.columns();
        if outputs == 0 || weights.len() != columns * outputs {
            return Err(RegressionError::Weights { found: weights.len(), columns, outputs });
        }
        let (span, _) = self.solve(&self.design.outputs(weights, outputs), outputs);
        let null = weights.iter().zip(&span).map(|(w, s)| w - s).collect();
        Ok(Parts { span, null })
    }
}

/// (l + m) u.
pub(super) fn rounding(design: &Design) -> f64 {
    (design.rows() + design.columns()) as f64 * ROUNDOFF
}
