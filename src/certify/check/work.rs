//! How much work a file may ask for: a checker answers within minutes, or refuses.
//!
//! Operations on numbers of b bits cost (b/64)² steps with schoolbook methods, and gcds do so with
//! any method here. Each loop announces its steps before or while it runs; honest certificates use
//! a small part of the budget (60,000 images of 784 bytes: 10^8 steps in the two-layer form, 7·10^9
//! in depth 3).

use std::sync::atomic::{AtomicU64, Ordering};

use super::Rejection;

/// Steps of about a nanosecond.
const BUDGET: u64 = 1 << 37;

/// The steps announced so far, by all threads.
#[derive(Debug, Default)]
pub struct Work(AtomicU64);

impl Work {
    /// Announces `times` operations on numbers of `x` and `y` bits.
    ///
    /// # Errors
    /// [`Rejection::TooMuchWork`] once the budget is spent.
    pub fn announce(&self, times: u64, x: u64, y: u64) -> Result<(), Rejection> {
        let words = |bits: u64| bits / 64 + 1;
        self.steps(times.saturating_mul(words(x).saturating_mul(words(y))))
    }

    /// Announces this many steps.
    ///
    /// # Errors
    /// [`Rejection::TooMuchWork`] once the budget is spent.
    pub fn steps(&self, steps: u64) -> Result<(), Rejection> {
        let add = |spent: u64| Some(spent.saturating_add(steps));
        let (Ok(spent) | Err(spent)) =
            self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        if spent.saturating_add(steps) > BUDGET {
            return Err(Rejection::TooMuchWork { limit: BUDGET });
        }
        Ok(())
    }
}
