//! What a fit takes, before it takes it: bytes, operations, and seconds by a short measurement.
//!
//! | phase | operations, n points, d coordinates, C columns |
//! |---|---|
//! | matrix | n² d, and 40 n²/2 for entries |
//! | factor | n³/3 |
//! | condition | at most 96 n² |
//! | solve | 2 n² C |
//! | iterate | per product n² (d + 40/2 + 2C), and 2 n² C to precondition |
//! | certify | n² (d + 4C) and 60 n²/2 for entries |

use std::time::Instant;

use rayon::prelude::*;

use shatter_exact::Element;
use shatter_linear::packed::Packed;
use shatter_matrix::product::{Matrix, MatrixMut, product};

use super::fit::{Arithmetic, Settings, Solver};
use super::watch::Phase;

/// Operations of one entry, as a multiple of those of a product, measured.
const ENTRY: f64 = 40.0;

/// Products that are planned for a refinement, whose number is not known.
pub(crate) const REFINEMENTS: usize = 10;

/// Products that are planned for conjugate gradients without a factor.
pub(crate) const ITERATIONS: usize = 100;

/// Operations a second of products on all threads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// In binary32.
    pub single: f64,
    /// In binary64.
    pub double: f64,
}

impl Speed {
    /// Measures products of 384 × 384 matrices for some hundredths of a second.
    #[must_use]
    pub fn measured() -> Speed {
        Speed { single: rate::<f32>(), double: rate::<f64>() }
    }
}

fn rate<E: Element>() -> f64 {
    const SIDE: usize = 384;
    let a: Vec<E> = (0..SIDE * SIDE).map(|i| E::of(((i * 7) % 11) as f64 - 5.0)).collect();
    let tasks = 4 * rayon::current_num_threads();
    let run = || {
        (0..tasks).into_par_iter().for_each_init(
            || vec![E::zero(); SIDE * SIDE],
            |c, _| {
                let of = Matrix::of_rows(&a, SIDE, SIDE);
                product(MatrixMut::of_rows(c, SIDE, SIDE), false, of, of.transposed());
            },
        );
    };
    run();
    let start = Instant::now();
    run();
    let work = (tasks * 2 * SIDE * SIDE * SIDE) as f64;
    work / start.elapsed().as_secs_f64().max(1e-9)
}

/// A phase of a fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Planned {
    /// The phase.
    pub phase: Phase,
    /// Additions and multiplications.
    pub operations: f64,
    /// Seconds at a measured speed.
    pub seconds: f64,
}

/// What a fit takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Bytes of memory, at the peak, beside the points.
    pub bytes: u64,
    /// Phases in their order.
    pub phases: Vec<Planned>,
}

impl Plan {
    /// Seconds of all phases.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.phases.iter().map(|phase| phase.seconds).sum()
    }
}

/// Plans the fit of n points of d coordinates to so many columns of targets, all labellings together, and a certificate of each.
///
/// ```
/// use shatter_kernel::plan::{Speed, plan};
/// use shatter_kernel::Settings;
/// let settings = Settings::new("gaussian:gamma=0.02".parse()?);
/// let speed = Speed { single: 1e11, double: 5e10 };
/// let plan = plan(60_000, 784, 10, &settings, speed);
/// assert!(plan.bytes < 16_000_000_000);
/// assert!((1200.0..3000.0).contains(&plan.seconds())); // n³/3 = 7.2e13 operations
/// # Ok::<(), shatter_kernel::KernelError>(())
/// ```
#[must_use]
pub fn plan(n: usize, d: usize, columns: usize, settings: &Settings, speed: Speed) -> Plan {
    let (rows, wide, outputs) = (n as f64, d as f64, columns as f64);
    let square = rows * rows;
    let (cells, flops) = match settings.arithmetic {
        Arithmetic::F32 => (Packed::<f32>::bytes(n), speed.single),
        Arithmetic::F64 => (Packed::<f64>::bytes(n), speed.double),
    };
    let vectors = |count: u64| (n as u64).saturating_mul(columns as u64).saturating_mul(8 * count);
    let at = |phase, operations: f64, speed: f64| Planned {
        phase,
        operations,
        seconds: operations / speed,
    };
    let pass = square * (wide + ENTRY / 2.0 + 2.0 * outputs);
    let mut phases = Vec::new();
    let bytes = match settings.solver {
        Solver::Cholesky => {
            phases.push(at(Phase::Matrix, square * (wide + ENTRY / 2.0), speed.double));
            phases.push(at(Phase::Factor, square * rows / 3.0, flops));
            // At most 12 rounds for each end of the spectrum; memory bounds them, too.
            phases.push(at(Phase::Condition, 96.0 * square, flops / 4.0));
            // Memory bounds it: a fourth of the speed.
            phases.push(at(Phase::Solve, 2.0 * square * outputs, flops / 4.0));
            // With jitter: of one factor; each further try is another.
            let rough = settings.arithmetic == Arithmetic::F32
                || settings.jitter.is_some_and(|jitter| jitter > 0.0);
            let most = settings.refine.unwrap_or(if rough { REFINEMENTS } else { 0 });
            let products = most.min(REFINEMENTS) as f64;
            if products > 0.0 {
                phases.push(at(
                    Phase::Iterate,
                    products * (pass + 2.0 * square * outputs),
                    speed.double,
                ));
            }
            cells.saturating_add(vectors(if products > 0.0 { 8 } else { 3 }))
        }
        Solver::ConjugateGradients { centres, most, .. } => {
            let held = centres.clamp(1, n.max(1));
            let s = held as f64;
            let setup = rows * s * (wide + s) * 2.0 + s * s * s / 3.0;
            let products = most.min(ITERATIONS) as f64;
            phases.push(at(Phase::Factor, setup, speed.double));
            let each = pass + 4.0 * rows * s * outputs;
            phases.push(at(Phase::Iterate, products * each, speed.double));
            let columns = (n as u64).saturating_mul(held as u64).saturating_mul(8);
            let squares = (held as u64).saturating_mul(held as u64).saturating_mul(24);
            columns.saturating_add(squares).saturating_add(vectors(8))
        }
    };
    let certified = square * (wide + 0.75 * ENTRY + 4.0 * outputs);
    phases.push(at(Phase::Certify, certified, speed.double));
    Plan { bytes, phases }
}
