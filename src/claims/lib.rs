//! Claims about what networks can and cannot fit, each tested on generated cases or refuted by an
//! explicit witness; and the tools for testing your own.
//!
//! * [`strategy`]: samples, interleaving sequences, shapes of networks, as proptest strategies;
//! * [`Harness`]: "my construction fits every sample that it promises to", "my architecture cannot",
//!   with shrinking and with files of the samples that failed;
//! * [`catalogue`] and [`run`]: the claims of this project, as `shatter claims` prints them.
//!
//! ```
//! use shatter_claims::strategy::{LabelKind, PointKind, sample};
//! use shatter_claims::{Harness, Outcome};
//! use shatter_exact::Rational;
//! use shatter_network::{ExactLabels, ExactPoints};
//! // "A straight line through the first two points fits every sample": not with three points.
//! let samples = sample(PointKind::Distinct, LabelKind::Binary, 1..=5, 1..=1);
//! let outcome = Harness::default().fits_every(samples, |sample| {
//!     let (x, y) = (|i| sample.points.exact_at(i, 0).to_rational(),
//!                   |i| sample.labels.exact_at(i).to_rational());
//!     let second = 1.min(sample.points.n() - 1);
//!     let slope = if second == 0 { Rational::ZERO } else { (y(1) - y(0)) / (x(1) - x(0)) };
//!     let (x0, y0) = (x(0), y(0));
//!     Ok::<_, String>(move |x: &[Rational]| vec![&y0 + &slope * (&x[0] - &x0)])
//! })?;
//! let Outcome::Fails(counterexample) = outcome else { panic!("three points on a line?") };
//! assert_eq!(counterexample.value.points.n(), 3);
//! # Ok::<(), shatter_claims::HarnessError>(())
//! ```

pub mod catalogue;
mod certificate;
mod claim;
mod describe;
mod enclosure;
mod harness;
mod report;
pub mod saved;
pub mod strategy;
mod table;

pub use certificate::{Certificate, cannot_fit};
pub use claim::{Claim, Evidence, Grounds, Stated, Trial};
pub use describe::describe;
pub use harness::{Counterexample, Failure, Harness, HarnessError, Outcome};
pub use report::{Finding, Findings, Trying, run};
pub use saved::{SavedError, SavedSample};
pub use shatter_network::{Misfit, Predictor, first_misfit};
