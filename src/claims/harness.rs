//! The harness: a property is tried on generated values, and where it fails, on ever simpler ones,
//! until a minimal value is left that still fails.

use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use rand::Rng;

use shatter_construct::{Construction, Task};
use shatter_network::{Misfit, Predictor, first_misfit};
use shatter_random::stream::{Purpose, stream};
use shatter_sample::{Sample, Target};

use super::certificate::{Certificate, cannot_fit};
use super::saved::{self, SavedError};

/// A property test: the number of cases, their seed, and the target of networks.
///
/// ```
/// use shatter_claims::strategy::any_sample;
/// use shatter_claims::{Harness, Outcome};
/// use shatter_construct::{DepthTwo, Task};
/// let harness = Harness { cases: 20, ..Harness::default() };
/// let outcome = harness.fits_every(any_sample(1..=9, 1..=3), |sample| {
///     let task = Task::new(&sample.points, &sample.labels, 1);
///     DepthTwo::default().fit_exact(&task).map(|fit| fit.network)
/// })?;
/// assert!(matches!(outcome, Outcome::Held { cases: 20 }));
/// # Ok::<(), shatter_claims::HarnessError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Harness {
    /// Cases to generate.
    pub cases: u32,
    /// Equal seeds generate equal cases, on every machine.
    pub seed: u64,
    /// Which of the independent series of the seed; each claim has its own.
    pub series: u32,
    /// Target that the outputs of a network have to equal at a point.
    pub target: Target,
    /// File of samples that failed before: the harness tries them first, and adds new ones.
    pub saved: Option<PathBuf>,
}

impl Default for Harness {
    /// 256 cases of seed 0, labels as numbers, nothing saved.
    fn default() -> Harness {
        Harness { cases: 256, seed: 0, series: 0, target: Target::Value, saved: None }
    }
}

/// The outcome of a property test.
#[derive(Clone, Debug)]
#[must_use]
pub enum Outcome<V> {
    /// The property held for all cases, those of the file among them.
    Held {
        /// Number of cases.
        cases: u32,
    },
    /// It does not hold.
    Fails(Counterexample<V>),
}

/// A value for which a property does not hold, simplified as far as it goes.
#[derive(Clone, Debug)]
pub struct Counterexample<V> {
    /// The value.
    pub value: V,
    /// Reason for which the property fails.
    pub failure: Failure,
    /// True if the value came from the file of saved samples.
    pub replayed: bool,
}

/// The reason for which a property fails for a value.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Failure {
    /// The network does not fit.
    Misfit(Misfit),
    /// No network was built; the reason given.
    Refused(String),
    /// The code under test panicked.
    Panicked(String),
    /// Anything else.
    Other(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Misfit(misfit) => misfit.fmt(f),
            Failure::Refused(reason) => write!(f, "no network was built: {reason}"),
            Failure::Panicked(message) => write!(f, "panic: {message}"),
            Failure::Other(reason) => f.write_str(reason),
        }
    }
}

impl From<String> for Failure {
    fn from(reason: String) -> Failure {
        Failure::Other(reason)
    }
}

/// The reason for which a property test has no outcome.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HarnessError {
    /// The strategy rejected too many values.
    #[error("the strategy rejects too many values: {0}")]
    Rejected(String),
    /// The file of saved samples.
    #[error(transparent)]
    Saved(#[from] SavedError),
}

impl Harness {
    /// Tests that the network which `build` makes of a sample fits it exactly, for every sample. An
    /// error of `build` counts as a failure: generate the samples that you promise to fit.
    ///
    /// # Errors
    /// [`HarnessError`].
    pub fn fits_every<N: Predictor, E: fmt::Display>(
        &self,
        samples: impl Strategy<Value = Sample>,
        build: impl Fn(&Sample) -> Result<N, E>,
    ) -> Result<Outcome<Sample>, HarnessError> {
        self.holds_for_samples(samples, |sample| {
            let network = build(sample).map_err(|error| Failure::Refused(error.to_string()))?;
            fits(&network, sample, self.target)
        })
    }

    /// Tests that a construction builds, fits, and has the counts that it promised, for every sample.
    ///
    /// # Errors
    /// [`HarnessError`].
    pub fn keeps_its_promise(
        &self,
        samples: impl Strategy<Value = Sample>,
        construction: &dyn Construction,
    ) -> Result<Outcome<Sample>, HarnessError> {
        self.holds_for_samples(samples, |sample| keeps_its_promise(sample, construction, self.seed))
    }

    /// Tests that `find` has a certificate, and a correct one, that a network cannot fit, for every
    /// sample.
    ///
    /// # Errors
    /// [`HarnessError`].
    pub fn fits_none<C: Certificate>(
        &self,
        samples: impl Strategy<Value = Sample>,
        find: impl Fn(&Sample) -> Option<C>,
    ) -> Result<Outcome<Sample>, HarnessError> {
        self.holds_for_samples(samples, |sample| match cannot_fit(sample, &find) {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(Failure::Other("no certificate: it may be possible to fit".into())),
            Err(reason) => Err(Failure::Other(format!("a certificate that is wrong: {reason}"))),
        })
    }

    /// Tests every sample; those of the file come first.
    ///
    /// # Errors
    /// [`HarnessError`].
    pub fn holds_for_samples(
        &self,
        samples: impl Strategy<Value = Sample>,
        test: impl Fn(&Sample) -> Result<(), Failure>,
    ) -> Result<Outcome<Sample>, HarnessError> {
        let saved = self.saved.as_deref().map(saved::load).transpose()?.unwrap_or_default();
        let replayed = saved.len() as u32;
        for value in saved {
            if let Err(failure) = caught(&test, &value) {
                return Ok(Outcome::Fails(Counterexample { value, failure, replayed: true }));
            }
        }
        let outcome = self.holds(samples, test)?;
        Ok(match outcome {
            Outcome::Held { cases } => Outcome::Held { cases: cases + replayed },
            Outcome::Fails(counterexample) => {
                if let Some(file) = &self.saved {
                    saved::add(file, &counterexample.value)?;
                }
                Outcome::Fails(counterexample)
            }
        })
    }

    /// Tests every value.
    ///
    /// ```
    /// use shatter_claims::{Harness, Outcome};
    /// let below = |x: &u32| if *x < 500 { Ok(()) } else { Err("too large".to_owned().into()) };
    /// let Outcome::Fails(found) = Harness::default().holds(0u32..1000, below)? else { panic!() };
    /// assert_eq!(found.value, 500); // the smallest that fails
    /// # Ok::<(), shatter_claims::HarnessError>(())
    /// ```
    ///
    /// # Errors
    /// [`HarnessError::Rejected`].
    pub fn holds<S: Strategy>(
        &self,
        values: S,
        test: impl Fn(&S::Value) -> Result<(), Failure>,
    ) -> Result<Outcome<S::Value>, HarnessError> {
        // The last failure seen is that of the minimal value: simpler values replace it as they fail.
        let last = RefCell::new(None);
        let result = self.runner().run(&values, |value| {
            caught(&test, &value).map_err(|failure| {
                let reason = failure.to_string();
                *last.borrow_mut() = Some(failure);
                TestCaseError::fail(reason)
            })
        });
        match result {
            Ok(()) => Ok(Outcome::Held { cases: self.cases }),
            Err(TestError::Fail(reason, value)) => {
                let failure = last.into_inner();
                let failure = failure.unwrap_or_else(|| Failure::Other(reason.to_string()));
                Ok(Outcome::Fails(Counterexample { value, failure, replayed: false }))
            }
            Err(TestError::Abort(reason)) => Err(HarnessError::Rejected(reason.to_string())),
        }
    }

    /// The generator of cases. Ignores proptest's environment variables.
    fn runner(&self) -> TestRunner {
        let mut rng = stream(self.seed, Purpose::Claims);
        let mut seed = [0; 32];
        for _ in 0..=self.series {
            rng.fill_bytes(&mut seed);
        }
        let config = Config {
            cases: self.cases,
            max_local_rejects: 65_536,
            max_global_rejects: 16_384,
            max_flat_map_regens: 1_000_000,
            max_default_size_range: 100,
            max_shrink_iters: 20_000,
            max_shrink_time: 0,
            failure_persistence: None,
            verbose: 0,
            ..Config::default()
        };
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
    }
}

/// Runs the test; a panic in it is a failure.
fn caught<V>(test: &impl Fn(&V) -> Result<(), Failure>, value: &V) -> Result<(), Failure> {
    catch_unwind(AssertUnwindSafe(|| test(value))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Failure::Panicked(text.unwrap_or_default()))
    })
}

/// Builds, compares the counts, evaluates every point exactly.
pub(super) fn keeps_its_promise(
    sample: &Sample,
    construction: &dyn Construction,
    seed: u64,
) -> Result<(), Failure> {
    let task = Task::new(&sample.points, &sample.labels, seed);
    let refused = |error: shatter_construct::ConstructError| Failure::Refused(error.to_string());
    let promise = construction.promise(&task).map_err(refused)?;
    let network = construction.build(&task).map_err(refused)?;
    if let Some((name, promised, count)) = promise.broken_by(&network.sizes()) {
        return Err(Failure::Other(format!("{name}: promised {promised}, built {count}")));
    }
    fits(&network, sample, construction.target())
}

/// Evaluates every point of the sample.
pub(super) fn fits(
    network: &impl Predictor,
    sample: &Sample,
    target: Target,
) -> Result<(), Failure> {
    match first_misfit(network, &sample.points, &sample.labels, target) {
        Some(misfit) => Err(Failure::Misfit(misfit)),
        None => Ok(()),
    }
}
