//! Lemma 1 and Theorem 1, numerically, over grids of n, d and seeds.
//!
//! [`run`] returns a [`Verification`]: rows of numbers, each beside the name of the statement in `proofs/`
//! that it instantiates, and a verdict. The verdict is *verified* if every exact statement holds in
//! every row. Rounded numbers are reported; they are judged only where a bound that scales with
//! the matrix is known ([`determinant`]) or where float-exactness promises that nothing is rounded.
//!
//! ```
//! use shatter_verify::{self as verify, Grid};
//! let report = verify::run(&Grid::quick(), &mut |_| {})?;
//! assert!(report.verdict().verified);
//! println!("{}", report.table());
//! # Ok::<(), verify::VerifyError>(())
//! ```

mod columns;
pub mod determinant;
mod error;
mod evaluation;
mod fitted;
mod lemma;
mod lemma_grid;
mod report;
pub mod solver;
mod statement;
mod table;
mod theorem;

use serde::Serialize;

use shatter_sample::{self as sample, LabelRule, Sample};

pub use error::VerifyError;
pub use evaluation::Deviation;
pub use fitted::Fitted;
pub use lemma::Answers;
pub use lemma_grid::{EvenRow, LemmaRow};
pub use report::{Decision, Instances, Verification};
pub use statement::CheckedStatement;
pub use theorem::{TheoremArithmetic, TheoremRow};

/// The grid: sizes, dimensions and seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Grid {
    /// First seed.
    pub seed: u64,
    /// n of Lemma 1.
    pub lemma_sizes: Vec<usize>,
    /// d of Lemma 1.
    pub lemma_dimensions: Vec<usize>,
    /// How many seeds for each n and d: `seed`, `seed + 1`, ….
    pub lemma_seeds: u64,
    /// n of the evenly spaced points.
    pub even_sizes: Vec<usize>,
    /// n of Theorem 1 on Gaussian points.
    pub gaussian_sizes: Vec<usize>,
    /// n of Theorem 1 on byte-like integer points.
    pub lattice_sizes: Vec<usize>,
    /// d of Theorem 1.
    pub dimension: usize,
    /// Integer coordinates are drawn from 0..range.
    pub range: u64,
    /// Largest n of each path.
    pub limits: Limits,
    /// Terms w_j·ReLU(z_i − b_j) of one plain evaluation: all points are evaluated up to
    /// n = √terms, beyond it a random subset and the last point.
    pub terms: usize,
    /// n of the fitted functions that are drawn.
    pub fitted_points: usize,
}

/// Largest n up to which each path is run: the slower ones stop earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Dense solvers: n² numbers.
    pub dense: usize,
    /// Exact weights with midpoint thresholds: O(n²) bits.
    pub exact_midpoint: usize,
    /// Exact weights with data thresholds: fractions.
    pub exact_data: usize,
    /// binary32: beyond some 10,000 points projections tie.
    pub single: usize,
}

impl Default for Grid {
    /// The grid of `shatter verify`.
    fn default() -> Grid {
        Grid {
            seed: 1,
            lemma_sizes: vec![4, 16, 64, 256],
            lemma_dimensions: vec![1, 10, 100],
            lemma_seeds: 3,
            even_sizes: vec![10, 100, 1000],
            gaussian_sizes: vec![10, 100, 1_000, 10_000, 100_000, 1_000_000],
            lattice_sizes: vec![10, 100, 1_000, 10_000, 100_000],
            dimension: 10,
            range: 256,
            limits: Limits {
                dense: 1_000,
                exact_midpoint: 1_000,
                exact_data: 100_000,
                single: 100_000,
            },
            terms: 100_000_000,
            fitted_points: 12,
        }
    }
}

impl Grid {
    /// A small grid: a second, even without optimisation.
    #[must_use]
    pub fn quick() -> Grid {
        Grid {
            lemma_sizes: vec![1, 4, 16],
            lemma_dimensions: vec![1, 3],
            lemma_seeds: 2,
            even_sizes: vec![10],
            gaussian_sizes: vec![1, 10, 100],
            lattice_sizes: vec![10, 100],
            terms: 2_500,
            ..Grid::default()
        }
    }

    fn check(&self) -> Result<(), VerifyError> {
        let lists = [
            ("lemma_sizes", &self.lemma_sizes),
            ("lemma_dimensions", &self.lemma_dimensions),
            ("even_sizes", &self.even_sizes),
            ("gaussian_sizes", &self.gaussian_sizes),
            ("lattice_sizes", &self.lattice_sizes),
        ];
        if let Some((what, _)) = lists.iter().find(|(_, list)| list.contains(&0)) {
            return Err(VerifyError::Zero { what });
        }
        if let Some((what, _)) = lists.iter().find(|(_, list)| list.is_empty()) {
            return Err(VerifyError::EmptyGrid { what });
        }
        let counts = [
            ("lemma_seeds", self.lemma_seeds == 0),
            ("dimension", self.dimension == 0),
            ("range", self.range == 0),
            ("fitted_points", self.fitted_points == 0),
        ];
        match counts.iter().find(|(_, zero)| *zero) {
            Some((what, _)) => Err(VerifyError::Zero { what }),
            None => Ok(()),
        }
    }
}

/// The part of the grid that is about to be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridProgress {
    /// Part of the run.
    pub stage: &'static str,
    /// Points of the sample.
    pub n: usize,
    /// Sizes finished in this stage.
    pub done: usize,
    /// Sizes in this stage.
    pub of: usize,
}

/// Runs the grid. The same options give the same report, whatever the number of threads.
///
/// # Errors
/// [`VerifyError`] if the grid is empty or a sample cannot be drawn; what a construction refuses
/// is a row of the report.
pub fn run(
    options: &Grid,
    progress: &mut dyn FnMut(GridProgress),
) -> Result<Verification, VerifyError> {
    options.check()?;
    Ok(Verification {
        lemma: lemma_grid::rows(options, progress)?,
        even: lemma_grid::even_rows(options, progress),
        theorem: theorem::rows(options, progress)?,
        fitted: fitted::fitted(options)?,
        options: options.clone(),
    })
}

/// The distinct points and labels of a SAMPLE text.
fn draw(text: &str, rule: LabelRule, seed: u64) -> Result<Sample, VerifyError> {
    sample::load(text, seed)
        .and_then(|raw| raw.distinct(rule, seed))
        .map_err(|source| VerifyError::Sample { text: text.to_owned(), source: Box::new(source) })
}
