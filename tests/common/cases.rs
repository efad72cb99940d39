//! How many cases a property tries.

use proptest::prelude::ProptestConfig;

/// `default`, which is what a contributor waits for, times the environment variable TEST_MULTIPLIER (4 in `.ci/run`).
pub fn longer(default: u32) -> u32 {
    let multiplier = std::env::var("TEST_MULTIPLIER").ok().and_then(|text| text.parse().ok());
    default.saturating_mul(multiplier.unwrap_or(1))
}

/// Cases of a property: `default`, made [`longer`].
pub fn cases(default: u32) -> ProptestConfig {
    ProptestConfig::with_cases(longer(default))
}
