//! Networks that memorize, built exactly, certified and verified.
//!
//! A class of functions *shatters* a sample when it realises every labelling of it. Zhang, Bengio,
//! Hardt, Recht and Vinyals (ICLR 2017, Theorem 1) proved that two-layer ReLU networks with 2n + d
//! weights shatter every sample of n distinct points in R^d. This library builds those networks:
//!
//! * [`sample`] reads or draws points and labels;
//! * [`construct::depth_two`] is the theorem, as an algorithm in exact or floating-point arithmetic;
//! * [`network`] evaluates, counts, and decides when binary64 rounds nothing;
//! * [`certify`] writes certificates, and checks them independently;
//! * [`judge`] decides whether any network fits, at every runtime of a model, and [`interchange`] reads and writes its
//!   files, of which [`load`] takes every one;
//! * [`compare`] puts every construction on one sample;
//! * [`obstruct`] shows what cannot be fitted, by certificates that can be re-checked;
//! * [`verify`] tries Lemma 1 and Theorem 1 over grids, [`figure`] draws the records;
//! * `claims` (feature `claims`) tests claims, on these networks and on yours;
//! * [`exact`], [`linear`] and [`record`] are what these stand on; [`cli`] is the program.
// A few files reach behind the compiler, each behind a face that checks: `linear/product.rs`
// multiplies matrices through raw pointers; with the feature `cuda`, `device/cuda/` starts kernels
// (`launch.rs`, `brute_force.rs`), captures them (`graph.rs`) and says why that is sound (`session.rs`).
#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod certify;
#[cfg(feature = "claims")]
pub mod claims;
pub mod cli;
pub mod compare;
pub mod construct;
pub mod device;
pub mod exact;
pub mod figure;
pub mod interchange;
pub mod judge;
pub mod linear;
pub mod network;
pub mod obstruct;
pub mod record;
pub mod sample;
pub mod train;
pub mod verify;

/// One loader for every file that holds a network.
pub use interchange::load;

/// The example of the README is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
