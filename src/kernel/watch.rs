//! Progress of long computations.

use std::ops::ControlFlow;

/// A part of a computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Entries of the kernel matrix.
    Matrix,
    /// The factorisation.
    Factor,
    /// An estimate of the condition number.
    Condition,
    /// Solving with the factor.
    Solve,
    /// Conjugate gradients, which refine a solution or find it.
    Iterate,
    /// Outputs at points.
    Predict,
    /// Outputs at training points with bounds.
    Certify,
    /// Fits without held-out points, and outputs at these.
    Validate,
    /// Eigenvalues of the matrix of some of the points.
    Spectrum,
}

impl Phase {
    /// The name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Phase::Matrix => "matrix",
            Phase::Factor => "factor",
            Phase::Condition => "condition",
            Phase::Solve => "solve",
            Phase::Iterate => "iterate",
            Phase::Predict => "predict",
            Phase::Certify => "certify",
            Phase::Validate => "validate",
            Phase::Spectrum => "spectrum",
        }
    }
}

/// How far a phase is, in units of work that take about equally long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The phase.
    pub phase: Phase,
    /// Work that is done.
    pub done: u64,
    /// All work of the phase; of iterations the most that there may be.
    pub total: u64,
}

/// Hears of progress, and may stop the computation.
pub type Watch<'a> = dyn FnMut(Progress) -> ControlFlow<()> + Send + 'a;

/// A watcher that lets everything go on.
///
/// ```
/// use shatter_kernel::{Phase, Progress, unwatched};
/// let progress = Progress { phase: Phase::Matrix, done: 1, total: 2 };
/// assert!(unwatched(progress).is_continue());
/// ```
pub fn unwatched(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The watcher stopped the computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stopped")]
pub struct Stopped;

/// Counts the work of one phase.
pub(crate) struct Counter<'a, 'w> {
    watch: &'a mut Watch<'w>,
    progress: Progress,
}

impl<'a, 'w> Counter<'a, 'w> {
    pub fn new(watch: &'a mut Watch<'w>, phase: Phase, total: u64) -> Counter<'a, 'w> {
        Counter { watch, progress: Progress { phase, done: 0, total } }
    }

    /// Adds work.
    pub fn add(&mut self, work: u64) -> Result<(), Stopped> {
        self.progress.done = self.progress.done.saturating_add(work).min(self.progress.total);
        match (self.watch)(self.progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Stopped),
        }
    }
}
