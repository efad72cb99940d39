//! The residual of Theorem 1 for every threshold rule, solver and arithmetic.
//!
//! **Statement.** For n distinct points and any labels there are a, b, w with
//! Σ_j w_j ReLU(<a, x_i> − b_j) = y_i for all i. **Source.** Zhang et al. 2017, section 4, Theorem 1.
//!
//! A row is one path: sample, threshold rule, solver, arithmetic of the evaluation. Exact rows must
//! have residual 0. Rows in floating point evaluate the network as any runtime would, every unit
//! at every point; they are judged only where the bounds of
//! [`float_exact`](shatter_network::float_exact) hold for a network that fits exactly: then the
//! residual must be 0 too. **Cost.** n terms a point; see [`Grid::terms`].

use std::fmt::Display;

use serde::Serialize;

use shatter_construct::{ConstructError, DepthTwo, Fit, Task, ThresholdRule};
use shatter_exact::Element;
use shatter_exact::Lattice;
use shatter_network::{ExactNetwork, FloatExactness, TwoLayer, evaluate, projection};
use shatter_sample::{LabelRule, Sample};

use super::evaluation::{Deviation, Measured, probes};
use super::solver::{FloatSolver, SolverError, fit_float};
use super::statement::CheckedStatement;
use super::{Grid, GridProgress, VerifyError, draw};

/// The arithmetic in which a network is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TheoremArithmetic {
    /// binary32.
    F32,
    /// binary64.
    F64,
    /// Without rounding.
    Exact,
}

impl TheoremArithmetic {
    /// As written in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            TheoremArithmetic::F32 => "f32",
            TheoremArithmetic::F64 => "f64",
            TheoremArithmetic::Exact => "exact",
        }
    }
}

/// One path from a sample to a residual.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TheoremRow {
    /// The SAMPLE text.
    pub sample: String,
    /// Kind of points: gaussian or lattice.
    pub points: &'static str,
    /// Distinct points.
    pub n: usize,
    /// Coordinates.
    pub d: usize,
    /// Threshold rule.
    pub rule: String,
    /// How Aw = y was solved.
    pub solver: String,
    /// How the network was evaluated. With the exact solver and f64: its numbers rounded once.
    pub arithmetic: TheoremArithmetic,
    /// The statement that the row instantiates.
    pub statement: CheckedStatement,
    /// What became of it.
    pub outcome: Deviation,
    /// max_i |f(x_i) − y_i| over the evaluated points; `None` if refused or not finite.
    pub residual: Option<f64>,
    /// The same with a compensated sum: what the rounding of the network itself leaves (f64 only).
    pub compensated: Option<f64>,
    /// Points evaluated.
    pub evaluated: usize,
    /// Whether the float-exactness bounds promise that this evaluation rounds nothing; `None` where
    /// that was not asked.
    pub promised: Option<bool>,
    /// Whether the statement holds; `None` where rounded numbers are only reported.
    pub holds: Option<bool>,
}

impl TheoremRow {
    /// Whether the row contradicts its statement.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.holds == Some(false)
    }

    /// The row in words, to be named in a verdict.
    #[must_use]
    pub fn name(&self) -> String {
        let TheoremRow { sample, rule, solver, arithmetic, .. } = self;
        format!("Theorem 1, {sample}, {rule} thresholds, {solver} solver, {}", arithmetic.name())
    }
}

/// In the order of the columns of the tables.
pub(super) const RULES: [ThresholdRule; 3] =
    [ThresholdRule::Zigzag, ThresholdRule::Data, ThresholdRule::Midpoint];

/// A sample with what its rows have in common.
struct Cell<'a> {
    options: &'a Grid,
    sample: &'a Sample,
    kind: &'static str,
    probes: Vec<u32>,
}

/// One row a path.
pub(super) fn rows(
    options: &Grid,
    progress: &mut dyn FnMut(GridProgress),
) -> Result<Vec<TheoremRow>, VerifyError> {
    let mut rows = Vec::new();
    let Grid { dimension: d, range, .. } = options;
    for (done, &n) in options.gaussian_sizes.iter().enumerate() {
        let of = options.gaussian_sizes.len();
        progress(GridProgress { stage: "Theorem 1, Gaussian points", n, done, of });
        let text = format!("gaussian:n={n},d={d},target=number");
        let sample = draw(&text, LabelRule::True, options.seed)?;
        rows.extend(Cell::new(options, &sample, "gaussian").rows());
    }
    for (done, &n) in options.lattice_sizes.iter().enumerate() {
        let of = options.lattice_sizes.len();
        progress(GridProgress { stage: "Theorem 1, integer points", n, done, of });
        let text = format!("lattice:n={n},d={d},range={range}");
        let sample = draw(&text, LabelRule::Random, options.seed)?;
        rows.extend(Cell::new(options, &sample, "lattice").rows());
    }
    Ok(rows)
}

impl Cell<'_> {
    fn new<'a>(options: &'a Grid, sample: &'a Sample, kind: &'static str) -> Cell<'a> {
        let probes = probes(sample.points.n(), options.terms, options.seed);
        Cell { options, sample, kind, probes }
    }

    fn rows(&self) -> Vec<TheoremRow> {
        let (n, limits) = (self.sample.points.n(), self.options.limits);
        let mut dense = vec![FloatSolver::Nalgebra];
        if cfg!(feature = "lapack") {
            dense.push(FloatSolver::Lapack);
        }
        // Directions are searched before thresholds are placed: once none tells the points apart
        // in binary32, no rule has one.
        let mut no_direction = None;
        let mut rows = Vec::new();
        for rule in RULES {
            for &solver in dense.iter().filter(|_| n <= limits.dense) {
                if solver != FloatSolver::Lapack {
                    rows.push(self.single(rule, solver, &mut no_direction));
                }
                rows.push(self.double(rule, solver));
            }
            if n <= limits.single {
                rows.push(self.single(rule, FloatSolver::Structured, &mut no_direction));
            }
            rows.push(self.double(rule, FloatSolver::Structured));
            let largest = match rule {
                ThresholdRule::Midpoint => limits.exact_midpoint,
                ThresholdRule::Data => limits.exact_data,
                ThresholdRule::Zigzag | ThresholdRule::Auto => usize::MAX,
            };
            if n <= largest {
                rows.extend(self.exact(rule));
            }
        }
        rows
    }

    fn row(
        &self,
        rule: ThresholdRule,
        solver: &dyn Display,
        arithmetic: TheoremArithmetic,
    ) -> TheoremRow {
        TheoremRow {
            sample: self.sample.text.clone(),
            points: self.kind,
            n: self.sample.points.n(),
            d: self.sample.points.d(),
            rule: rule.to_string(),
            solver: solver.to_string(),
            arithmetic,
            statement: match rule {
                ThresholdRule::Zigzag => CheckedStatement::Zigzag,
                _ => CheckedStatement::Theorem1,
            },
            outcome: Deviation::Zero,
            residual: None,
            compensated: None,
            evaluated: 0,
            promised: None,
            holds: None,
        }
    }

    fn task(&self) -> Task<'_> {
        Task::new(&self.sample.points, &self.sample.labels, self.options.seed)
    }

    fn single(
        &self,
        rule: ThresholdRule,
        solver: FloatSolver,
        no_direction: &mut Option<String>,
    ) -> TheoremRow {
        let row = self.row(rule, &solver, TheoremArithmetic::F32);
        if let Some(reason) = no_direction {
            return refused(row, reason.clone());
        }
        match fit_float::<f32>(DepthTwo { threshold: rule }, &self.task(), solver) {
            Ok(fit) => self.plain(row, &fit.network, &fit.z, &fit.order, |_, _| None),
            Err(error) => {
                use ConstructError::NoDirection;
                if matches!(error, SolverError::Construct(NoDirection { .. })) {
                    *no_direction = Some(error.to_string());
                }
                refused(row, error.to_string())
            }
        }
    }

    fn double(&self, rule: ThresholdRule, solver: FloatSolver) -> TheoremRow {
        let row = self.row(rule, &solver, TheoremArithmetic::F64);
        match fit_float::<f64>(DepthTwo { threshold: rule }, &self.task(), solver) {
            Ok(fit) => self.plain(row, &fit.network, &fit.z, &fit.order, |network, z| {
                Some(evaluate::compensated(network, z))
            }),
            Err(error) => refused(row, error.to_string()),
        }
    }

    /// The exact network: evaluated exactly, and with its numbers rounded to binary64.
    fn exact(&self, rule: ThresholdRule) -> Vec<TheoremRow> {
        let row = |arithmetic| self.row(rule, &"exact", arithmetic);
        let (points, labels) = (&self.sample.points, &self.sample.labels);
        let fit = match (DepthTwo { threshold: rule }).fit_exact(&self.task()) {
            Ok(fit) => fit,
            Err(error) => {
                // The theorem knows no exception: an exact fit that is refused is a failure.
                let exact = TheoremRow { holds: Some(false), ..row(TheoremArithmetic::Exact) };
                return [row(TheoremArithmetic::F64), exact]
                    .map(|row| refused(row, error.to_string()))
                    .into();
            }
        };
        let Fit { network, order, .. } = &fit;
        let a = Lattice::from_dyadics(&network.a);
        // Projected anew from the points, not taken from the construction.
        let z = projection::project(points, &a);
        let residual = evaluate::exact_residual(network, &z, labels);
        let fits = residual.fits == points.n();
        let exact = TheoremRow {
            outcome: if fits { Deviation::Zero } else { Deviation::Deviates },
            residual: Some(residual.largest.to_f64().value()).filter(|x| x.is_finite()),
            evaluated: points.n(),
            holds: Some(fits),
            ..row(TheoremArithmetic::Exact)
        };
        let rounded = network.round_f64();
        let z = projection::project_float(points, &rounded.a);
        let z: Vec<f64> = order.iter().map(|&i| z[i as usize]).collect();
        let compensated =
            |network: &TwoLayer<f64>, z: &[f64]| Some(evaluate::compensated(network, z));
        vec![self.plain(row(TheoremArithmetic::F64), &rounded, &z, order, compensated), exact]
    }

    /// Evaluates a floating-point network at the probed points; `z` are its projections in
    /// increasing order, `order` the points that they belong to.
    fn plain<F: Element>(
        &self,
        row: TheoremRow,
        network: &TwoLayer<F>,
        z: &[F],
        order: &[u32],
        compensated: impl Fn(&TwoLayer<F>, &[F]) -> Option<Vec<f64>>,
    ) -> TheoremRow {
        let z: Vec<F> = self.probes.iter().map(|&p| z[p as usize]).collect();
        let labels =
            || self.probes.iter().map(|&p| self.sample.labels.f64_at(order[p as usize] as usize));
        let measured = Measured::of(&evaluate::brute_force_projected(network, &z), labels());
        let compensated =
            compensated(network, &z).and_then(|f| Measured::of(&f, labels()).residual);
        let promised = self.sample.points.is_lattice().then(|| self.promises(network));
        let row = TheoremRow {
            residual: measured.residual,
            compensated,
            evaluated: z.len(),
            promised,
            outcome: measured.outcome,
            ..row
        };
        match promised {
            Some(true) => TheoremRow {
                statement: CheckedStatement::FloatExact,
                holds: Some(row.outcome == Deviation::Zero),
                ..row
            },
            _ => row,
        }
    }

    /// Whether the network fits exactly and its plain evaluation in `F` rounds nothing.
    fn promises<F: Element>(&self, network: &TwoLayer<F>) -> bool {
        let Ok(exact) = ExactNetwork::try_from(network) else { return false };
        let a = Lattice::from_dyadics(&exact.a);
        let z = projection::project(&self.sample.points, &a);
        let bounds = FloatExactness::of(&exact, &self.sample.points, &z);
        let fits = || evaluate::exact_residual(&exact, &z, &self.sample.labels).fits;
        bounds.holds_in(F::FORMAT) && fits() == self.sample.points.n()
    }
}

fn refused(row: TheoremRow, reason: String) -> TheoremRow {
    TheoremRow { outcome: Deviation::Refused(reason), ..row }
}
