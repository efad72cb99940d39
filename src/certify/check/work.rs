//! How much work a file may ask for: a checker answers within minutes, or refuses.
//!
//! Operations on numbers of b bits cost (b/64)² steps with schoolbook methods, and gcds do so with
//! any method here. Each loop announces its steps before or while it runs; honest certificates use
//! a small part of the budget (60,000 images of 784 bytes: 10^8 steps).

use super::Rejection;

/// Steps of about a nanosecond.
const BUDGET: u64 = 1 << 37;

/// The steps announced so far.
#[derive(Debug, Default)]
pub struct Work(u64);

impl Work {
    /// Announces `times` operations on numbers of `x` and `y` bits.
    ///
    /// # Errors
    /// [`Rejection::TooMuchWork`] once the budget is spent.
    pub fn announce(&mut self, times: u64, x: u64, y: u64) -> Result<(), Rejection> {
        let words = |bits: u64| bits / 64 + 1;
        self.0 = self.0.saturating_add(times.saturating_mul(words(x).saturating_mul(words(y))));
        if self.0 > BUDGET { Err(Rejection::TooMuchWork { limit: BUDGET }) } else { Ok(()) }
    }
}
