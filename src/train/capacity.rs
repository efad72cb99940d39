//! Effective capacity: how many points with random labels training fits.
//!
//! **Definition** (Arpit et al., *A closer look at memorization in deep networks*, ICML 2017; the paper's first
//! experiment with n as the unknown). Take points and random labels in a fixed order. The capacity of a network with its
//! training is the largest n such that training on the first n points fits them all.
//!
//! **Algorithm.** n is doubled from the smallest number tried until a training fails, or until all points are fitted;
//! then the interval between a success and a failure is halved. That a success at n is one at fewer points is not
//! proved, and need not hold: every trial is returned, and the interval says no more than that its lower end was fitted
//! and its upper end was not.

use shatter_exact::Element;

use super::error::TrainError;
use super::trainer::Trainer;

/// A training on the first n points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// n.
    pub points: usize,
    /// All were fitted.
    pub fitted: bool,
}

/// The capacity between two numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    /// The largest number of points below the first failure that were fitted; 0 if there is none.
    pub fitted: usize,
    /// A number of points that were not fitted; `None` if all points were.
    pub failed: Option<usize>,
    /// All trials, in their order.
    pub trials: Vec<Trial>,
}

/// Searches from `least` to `most` points until failure and success differ by at most `tolerance` of the success, or by
/// one point. `fits` trains on that many points.
///
/// ```
/// use shatter_train::capacity::search;
/// let found = search(4, 1000, 0.0, |n| Ok::<bool, ()>(n <= 77))?;
/// assert_eq!((found.fitted, found.failed), (77, Some(78)));
/// assert_eq!(search(4, 50, 0.0, |n| Ok::<bool, ()>(n <= 77))?.failed, None);
/// # Ok::<(), ()>(())
/// ```
///
/// # Errors
/// Those of `fits`.
pub fn search<E>(
    least: usize,
    most: usize,
    tolerance: f64,
    mut fits: impl FnMut(usize) -> Result<bool, E>,
) -> Result<Capacity, E> {
    let mut found = Capacity::default();
    let mut points = least.clamp(1, most.max(1));
    loop {
        let fitted = fits(points)?;
        found.trials.push(Trial { points, fitted });
        match fitted {
            true => found.fitted = points,
            false => found.failed = Some(points),
        }
        points = match found.failed {
            None if points >= most => return Ok(found),
            None => points.saturating_mul(2).min(most),
            Some(failed) => {
                let apart = failed - found.fitted;
                if apart <= 1 || apart as f64 <= tolerance * found.fitted as f64 {
                    return Ok(found);
                }
                found.fitted + apart / 2
            }
        };
    }
}

/// Trains the only run of a trainer until it fits or its epochs are over; `None` if `stop` says so before. A run that
/// diverges does not fit.
///
/// # Errors
/// Those of the device, and of settings that do not fit each other.
pub fn fits<E: Element>(
    trainer: &mut Trainer<E>,
    stop: &dyn Fn() -> bool,
) -> Result<Option<bool>, TrainError> {
    /// Steps between two questions whether to stop.
    const STEPS: u32 = 16;
    let settings = trainer.settings(0).clone();
    for epoch in 0..settings.epochs {
        while (trainer.progress(0).position as usize) < trainer.samples() {
            if stop() {
                return Ok(None);
            }
            match trainer.steps(STEPS) {
                Err(TrainError::Diverged { .. }) => return Ok(Some(false)),
                other => other?,
            }
        }
        let online = trainer.end_epoch().first().copied();
        // The weights of an epoch change: the whole set is evaluated when most of it was fitted, and at the end.
        let most = online.and_then(|online| online.accuracy).is_some_and(|share| share >= 0.9);
        if most || epoch + 1 == settings.epochs {
            let whole = trainer.evaluate_training()?.first().copied();
            if settings.reached(online, whole) {
                return Ok(Some(true));
            }
        }
    }
    Ok(Some(false))
}
