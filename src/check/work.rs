//! How much work a file may ask for: a checker answers within minutes, or refuses.
//!
//! Operations on numbers of b bits cost (b/64)² steps with schoolbook methods, and gcds do so with
//! any method here; beside that each of them allocates and moves numbers, which counts
//! [`OPERATION`] steps. Each loop announces its steps before or while it runs.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Rejection;

/// Steps of about a nanosecond.
pub const BUDGET: u64 = 1 << 37;

/// Steps of an operation on integers of any size, however short they are.
pub const OPERATION: u64 = 16;

/// Most steps that a thread keeps to itself before it adds them up with the others: a millisecond.
const KEPT: u64 = 1 << 20;

/// Most of a budget that a thread keeps to itself, where that is less: one part in so many.
const PART: u64 = 1 << 6;

/// Steps of an operation on numbers of `x` and `y` bits.
pub fn operation(x: u64, y: u64) -> u64 {
    let words = |bits: u64| bits / 64 + 1;
    words(x).saturating_mul(words(y)).saturating_add(OPERATION)
}

/// The steps announced so far, by all threads, and the most there may be.
#[derive(Debug)]
pub struct Budget {
    spent: AtomicU64,
    limit: u64,
}

impl Budget {
    /// A budget of so many steps.
    pub fn of(limit: u64) -> Budget {
        Budget { spent: AtomicU64::new(0), limit }
    }

    /// Compares the steps of all threads, whose accounts are closed, with the limit.
    ///
    /// # Errors
    /// [`Rejection::TooMuchWork`] if they are more.
    pub fn settle(&self) -> Result<(), Rejection> {
        self.compare(self.spent.load(Ordering::Relaxed))
    }

    fn compare(&self, spent: u64) -> Result<(), Rejection> {
        let limit = self.limit;
        if spent > limit { Err(Rejection::TooMuchWork { limit }) } else { Ok(()) }
    }

    /// Returns an account on which one thread announces its steps.
    pub fn work(&self) -> Work<'_> {
        Work { budget: self, kept: Cell::new(0) }
    }
}

/// The steps of one thread.
#[derive(Debug)]
pub struct Work<'a> {
    budget: &'a Budget,
    kept: Cell<u64>,
}

impl Work<'_> {
    /// Announces `times` operations on numbers of `x` and `y` bits.
    ///
    /// # Errors
    /// [`Rejection::TooMuchWork`] once the budget is spent.
    pub fn announce(&self, times: u64, x: u64, y: u64) -> Result<(), Rejection> {
        self.steps(times.saturating_mul(operation(x, y)))
    }

    /// Announces this many steps.
    ///
    /// # Errors
    /// [`Rejection::TooMuchWork`] once the budget is spent.
    pub fn steps(&self, steps: u64) -> Result<(), Rejection> {
        self.kept.set(self.kept.get().saturating_add(steps));
        let keeps = KEPT.min(self.budget.limit / PART);
        if self.kept.get() > keeps { self.budget.compare(self.add_up()) } else { Ok(()) }
    }

    /// Adds the steps to those of the others: the sum.
    fn add_up(&self) -> u64 {
        let kept = self.kept.take();
        let add = |spent: u64| Some(spent.saturating_add(kept));
        let (Ok(spent) | Err(spent)) =
            self.budget.spent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        spent.saturating_add(kept)
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.add_up();
    }
}
