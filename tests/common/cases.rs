//! How many cases a property tries.

use proptest::prelude::ProptestConfig;
use proptest::test_runner::FileFailurePersistence::WithSource;

/// `default`, which is what a contributor waits for, times the environment variable TEST_MULTIPLIER (4 in `.ci/run`).
pub fn longer(default: u32) -> u32 {
    let multiplier = std::env::var("TEST_MULTIPLIER").ok().and_then(|text| text.parse().ok());
    default.saturating_mul(multiplier.unwrap_or(1))
}

/// Cases of a property: `default`, made [`longer`]. Those that once failed stand beside the test's file.
pub fn cases(default: u32) -> ProptestConfig {
    let failure_persistence = Some(Box::new(WithSource("proptest-regressions")) as _);
    ProptestConfig { cases: longer(default), failure_persistence, ..ProptestConfig::default() }
}
