//! Networks that memorize, built exactly, certified and verified.
//!
//! A class of functions *shatters* a sample when it realises every labelling of it. Zhang, Bengio,
//! Hardt, Recht and Vinyals (ICLR 2017, Theorem 1) proved that two-layer ReLU networks with 2n + d
//! weights shatter every sample of n distinct points in R^d. This library builds those networks:
//!
//! * [`sample`] reads or draws points and labels;
//! * [`construct::depth_two`] is the theorem, as an algorithm in exact or floating-point arithmetic;
//! * [`network`] evaluates, counts, and decides when binary64 rounds nothing;
//! * [`certify`] writes certificates, and [`check`] checks them independently;
//! * [`judge`] decides whether any network fits, at every runtime of a model, and [`interchange`] reads and writes its
//!   files, of which [`load`] takes every one;
//! * [`compare`] puts every construction on one sample;
//! * [`obstruct`] shows what cannot be fitted, by certificates that can be re-checked;
//! * [`prepare`] makes training sets, [`train`] trains networks on them, on a [`device`];
//! * [`verify`] tries Lemma 1 and Theorem 1 over grids, [`figure`] draws the records;
//! * `claims` (feature `claims`) tests claims, on these networks and on yours;
//! * [`exact`], [`linear`], [`matrix`], [`random`] and [`record`] are what these stand on.
//!
//! Each of these modules is a package of its own, `shatter-exact` and so on, for programs that want a part.
//!
//! ```
//! use shatter::{check, certify, construct, sample};
//! use construct::{Construction, Task, depth_two::DepthTwo, threshold::ThresholdRule};
//!
//! let raw = sample::load("gaussian:n=50,d=3", 1)?;
//! let sample = raw.clone().distinct(sample::LabelRule::Random, 1)?;
//! let theorem = DepthTwo { threshold: ThresholdRule::Zigzag };
//! let network = theorem.build(&Task::new(&sample.points, &sample.labels, 1))?;
//!
//! let mut certificate = Vec::new();
//! certify::write_certificate(&mut certificate, &network, "mine", &sample, theorem.target())?;
//! assert_eq!(check::check(&certificate[..], raw)?.points, 50);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use shatter_certify as certify;
pub use shatter_check as check;
#[cfg(feature = "claims")]
pub use shatter_claims as claims;
pub use shatter_compare as compare;
pub use shatter_construct as construct;
pub use shatter_device as device;
pub use shatter_exact as exact;
pub use shatter_figure as figure;
pub use shatter_interchange as interchange;
pub use shatter_judge as judge;
pub use shatter_linear as linear;
pub use shatter_matrix as matrix;
pub use shatter_network as network;
pub use shatter_obstruct as obstruct;
pub use shatter_plain as plain;
pub use shatter_prepare as prepare;
pub use shatter_random as random;
pub use shatter_record as record;
pub use shatter_sample as sample;
pub use shatter_train as train;
pub use shatter_verify as verify;

/// One loader for every file that holds a network.
pub use shatter_interchange::load;

/// The examples of the README and of the page for contributors are compiled and run.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../README.md")]
    struct Readme;

    #[doc = include_str!("../CONTRIBUTING.md")]
    struct Contributing;
}
