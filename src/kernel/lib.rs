//! Kernel interpolation at the paper's size: f(x) = Σ_j α_j k(x, x_j) with K α = y, and a proof, for the coefficients as
//! they are held, that every training point is classified as labelled.
//!
//! ```
//! use shatter_kernel::{Features, Settings, certify, fit, unwatched};
//! use shatter_sample::{self as sample, LabelRule};
//! let sample = sample::load("gaussian:n=60,d=3,classes=3", 1)?.distinct(LabelRule::Random, 1)?;
//! let points = Features::of_points(&sample.points, 255.0)?;
//! let settings = Settings::new("gaussian:gamma=0.5".parse()?);
//! let fitted = fit(&points, &[&sample.labels], &settings, &mut unwatched)?;
//! let model = &fitted.models[0];
//! let decided = certify::certify(model, &points, &sample.labels, 0.0, &mut unwatched)?;
//! assert_eq!(decided.counts.margin, 60);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod acos;
mod blocks;
pub mod certificate;
pub mod certify;
mod entry;
pub mod exact;
mod exp;
mod features;
pub mod file;
mod fit;
mod iterate;
mod kernel;
mod model;
mod nystrom;
pub mod plan;
mod sampled;
mod watch;

pub use certify::{Counts, Decided, Judged, Verdict};
pub use features::{Features, FeaturesError, Numbers};
pub use fit::{
    Arithmetic, Checkpointing, FitError, Fitted, Norms, Report, Settings, Solver, fit, suits,
};
pub use kernel::{Kernel, KernelError};
pub use model::{Meaning, Model, ModelError, Origin, Outputs};
pub use watch::{Phase, Progress, Stopped, Watch, unwatched};
