//! Lemma 1 over a grid of n, d and seeds, for every threshold rule, and on evenly spaced points.
//!
//! Points are Gaussian, labels (they place the zigzag thresholds) standard normal. The rows of one
//! n are computed on all cores and reported in the order of the grid.

use rayon::prelude::*;
use serde::Serialize;
use shatter_network::ExactLabels;

use shatter_construct::direction::{self, DirectionRule};
use shatter_construct::threshold::{ThresholdRule, data, midpoint, zigzag};
use shatter_exact::{Dyadic, Lattice};
use shatter_linear::{self as linear, Square};
use shatter_sample::LabelRule;

use super::lemma::{Answers, Findings, examine};
use super::statement::CheckedStatement;
use super::{Grid, GridProgress, VerifyError, draw};

/// Lemma 1 on one sample with one threshold rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LemmaRow {
    /// The SAMPLE text.
    pub sample: String,
    /// Points.
    pub n: usize,
    /// Coordinates.
    pub d: usize,
    /// Seed of points, labels and direction.
    pub seed: u64,
    /// Threshold rule.
    pub rule: String,
    /// The statements that the row instantiates; `None`: not decided.
    pub checks: Vec<(CheckedStatement, Option<bool>)>,
    /// What is wrong, or why the lemma does not apply.
    pub fault: Option<String>,
    /// Rank modulo 2^61 − 1.
    pub rank: Option<usize>,
    /// Smallest eigenvalue, min_i (z_i − b_i).
    pub lambda_min: Option<f64>,
    /// Σ log a_ii.
    pub log_diagonal: Option<f64>,
    /// Bound on |log det by LU − Σ log a_ii|.
    pub log_det_bound: Option<f64>,
    /// nalgebra's answers.
    pub nalgebra: Answers,
    /// LAPACK's.
    pub lapack: Option<Answers>,
}

/// Evenly spaced points, midpoint thresholds: the eigenvalue stays, the singular value falls.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EvenRow {
    /// Points 0, 1, …, n − 1.
    pub n: usize,
    /// The statement about the smallest eigenvalue.
    pub statement: CheckedStatement,
    /// Smallest eigenvalue: half the spacing.
    pub lambda_min: f64,
    /// Smallest singular value; `None` if the iteration did not converge.
    pub sigma_min: Option<f64>,
    /// Their ratio.
    pub ratio: Option<f64>,
    /// Condition number.
    pub condition: Option<f64>,
}

/// The rules under which the lemma is verified.
pub const RULES: [ThresholdRule; 3] =
    [ThresholdRule::Midpoint, ThresholdRule::Data, ThresholdRule::Zigzag];

/// One row a size, dimension, seed and rule.
pub(super) fn rows(
    options: &Grid,
    progress: &mut dyn FnMut(GridProgress),
) -> Result<Vec<LemmaRow>, VerifyError> {
    let mut rows = Vec::new();
    for (done, &n) in options.lemma_sizes.iter().enumerate() {
        progress(GridProgress { stage: "Lemma 1", n, done, of: options.lemma_sizes.len() });
        let cells: Vec<(usize, u64)> = options
            .lemma_dimensions
            .iter()
            .flat_map(|&d| (0..options.lemma_seeds).map(move |s| (d, s)))
            .collect();
        let found: Vec<_> = cells
            .par_iter()
            .map(|&(d, s)| sample_rows(n, d, options.seed.wrapping_add(s)))
            .collect::<Result<_, _>>()?;
        rows.extend(found.into_iter().flatten());
    }
    Ok(rows)
}

fn sample_rows(n: usize, d: usize, seed: u64) -> Result<Vec<LemmaRow>, VerifyError> {
    let sample = draw(&format!("gaussian:n={n},d={d},target=number"), LabelRule::True, seed)?;
    let row = |rule: ThresholdRule| LemmaRow {
        sample: sample.text.clone(),
        n,
        d,
        seed,
        rule: rule.to_string(),
        checks: Vec::new(),
        fault: None,
        rank: None,
        lambda_min: None,
        log_diagonal: None,
        log_det_bound: None,
        nalgebra: Answers::default(),
        lapack: None,
    };
    let refused = |rule, why: String| LemmaRow { fault: Some(why), ..row(rule) };
    let projection = match direction::choose(&sample.points, DirectionRule::Auto, seed, |_, _| 0.0)
    {
        Ok(projection) => projection,
        Err(error) => {
            return Ok(RULES.map(|rule| refused(rule, error.to_string())).into());
        }
    };
    let y: Vec<Dyadic> =
        projection.order.iter().map(|&i| sample.labels.exact_at(i as usize)).collect();
    let one = |&rule: &ThresholdRule| {
        if rule == ThresholdRule::Zigzag && y[0].is_zero() {
            return refused(
                rule,
                "y_1 = 0: zigzag puts b_1 on z_1, so the lemma does not apply".into(),
            );
        }
        let (z, b) = thresholds(rule, &projection.z, &y);
        row(rule).with(examine(&z, &b))
    };
    Ok(RULES.iter().map(one).collect())
}

impl LemmaRow {
    /// The row with what was found.
    pub(super) fn with(self, found: Findings) -> LemmaRow {
        LemmaRow {
            checks: found.checks,
            fault: found.fault,
            rank: Some(found.rank),
            lambda_min: Some(found.lambda_min),
            log_diagonal: Some(found.log_diagonal).filter(|x| x.is_finite()),
            log_det_bound: found.log_det_bound,
            nalgebra: found.nalgebra,
            lapack: found.lapack,
            ..self
        }
    }

    /// Returns true if the row contradicts the lemma.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.checks.iter().any(|check| check.1 == Some(false))
    }

    /// The row in words, to be named in a verdict.
    #[must_use]
    pub fn name(&self) -> String {
        format!("Lemma 1, {}, {} thresholds", self.sample, self.rule)
    }
}

/// Projections as the rule scales them, and its thresholds, without the output weights.
fn thresholds(rule: ThresholdRule, z: &Lattice, y: &[Dyadic]) -> (Lattice, Vec<Dyadic>) {
    // These two rules do not look at the labels; zeros make their weights free to compute.
    let zeros = vec![Dyadic::ZERO; y.len()];
    let solution = match rule {
        ThresholdRule::Midpoint => midpoint::exact(z, &zeros),
        ThresholdRule::Data => data::exact(z, &zeros),
        ThresholdRule::Zigzag | ThresholdRule::Auto => zigzag::exact(z, y),
    };
    let exponent = z.exponent + solution.stretch;
    (Lattice { exponent, values: z.values.clone() }, solution.b)
}

/// The table of evenly spaced points.
pub(super) fn even_rows(options: &Grid, progress: &mut dyn FnMut(GridProgress)) -> Vec<EvenRow> {
    let mut rows = Vec::new();
    for (done, &n) in options.even_sizes.iter().enumerate() {
        progress(GridProgress {
            stage: "evenly spaced points",
            n,
            done,
            of: options.even_sizes.len(),
        });
        // z_i = i, b_0 = −1/2, b_i = i − 1/2: halves, so every entry is a binary64 number.
        let a = Square::from_fn(n, |i, j| if i >= j { (i - j) as f64 + 0.5 } else { 0.0 });
        let lambda_min = (0..n).map(|i| a.at(i, i)).fold(f64::INFINITY, f64::min);
        let sigma = linear::nalgebra::singular_values(&a);
        let ends = sigma.and_then(|sigma| Some((*sigma.first()?, *sigma.last()?)));
        rows.push(EvenRow {
            n,
            statement: CheckedStatement::MinEigenvalue,
            lambda_min,
            sigma_min: ends.map(|ends| ends.1),
            ratio: ends.map(|ends| lambda_min / ends.1),
            condition: ends.map(|ends| ends.0 / ends.1),
        });
    }
    rows
}
