//! Whether a network fits each point of a sample, in real arithmetic and at every runtime of a model, with a certificate.
//!
//! [`verdict`] decides, by enclosures ([`enclose`]) and where these leave it open in exact arithmetic ([`exactly`]);
//! [`runtime`] is which runtimes that speaks of; what outputs that are enclosed or known say, as a
//! [`Reading`](shatter_network::Reading) has it, is in `reading`; [`certificate`] is what is written, and [`claims`] how it is checked: by
//! deciding again.

pub mod certificate;
pub mod claims;
pub mod enclose;
mod error;
pub mod exactly;
mod reading;
pub mod runtime;
mod softmax;
pub mod verdict;

pub use error::JudgeError;
pub use runtime::Runtime;
pub use verdict::{Decided, Effort, Judged, Verdict, Walks, decide, judge};
