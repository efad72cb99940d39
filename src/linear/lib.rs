//! Dense linear algebra behind one face: nalgebra always, LAPACK with the feature `lapack`.
//!
//! Both libraries answer the same questions about a square matrix given row by row, so that
//! `verify` can print their answers side by side.
//!
//! Symmetric matrices that fill the memory are [`packed`]: factored in place ([`cholesky`]), kept on disk block column by
//! block column ([`checkpoint`]), with an estimate of their condition ([`condition`]). Their products are those of
//! `shatter-matrix` in every build.

pub mod checkpoint;
pub mod cholesky;
pub mod condition;
pub mod decomposition;
#[cfg(feature = "lapack")]
pub mod lapack;
pub mod nalgebra;
pub mod packed;

/// sign(det) and log |det| of a matrix, through pivoted LU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogDeterminant {
    /// −1, 0 or 1.
    pub sign: f64,
    /// Natural logarithm of the absolute value.
    pub log: f64,
}

/// A dense square matrix, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Square<F> {
    /// Rows.
    pub n: usize,
    /// n² entries.
    pub entries: Vec<F>,
}

impl<F: Copy> Square<F> {
    /// The matrix with the given entry at row i, column j.
    pub fn from_fn(n: usize, entry: impl Fn(usize, usize) -> F) -> Square<F> {
        let entries = (0..n * n).map(|at| entry(at / n, at % n)).collect();
        Square { n, entries }
    }

    /// Entry at row i, column j.
    ///
    /// # Panics
    /// If i or j is not below n.
    #[must_use]
    pub fn at(&self, i: usize, j: usize) -> F {
        self.entries[i * self.n + j]
    }
}
