//! Running claims, and their findings.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::claim::{Claim, Evidence, Stated, Trial};
use super::harness::Harness;
use super::table;

/// The claim that is about to be tested.
#[derive(Clone, Copy, Debug)]
pub struct Trying {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: &'static str,
    /// Claims that are done.
    pub done: usize,
    /// Claims in all.
    pub of: usize,
}

/// A claim with its evidence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: &'static str,
    /// Statement of the claim.
    pub statement: &'static str,
    /// Stated verdict.
    pub verdict: Stated,
    /// Source of the claim.
    pub source: &'static str,
    /// Evidence that the test returned.
    pub evidence: Evidence,
    /// True if the evidence supports the stated verdict.
    pub as_stated: bool,
    /// Duration of the test; not part of the record, which depends on the seed and the cases alone.
    #[serde(skip)]
    pub time: Duration,
}

/// The findings about some claims.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[must_use]
pub struct Findings {
    /// True if every claim is as stated.
    pub as_stated: bool,
    /// Cases per property.
    pub cases: u32,
    /// Seed.
    pub seed: u64,
    /// One row per claim.
    pub claims: Vec<Finding>,
}

/// Tests claims: `cases` cases each, every claim with its own series of the seed, so that it finds
/// the same alone and among others. The certificate of a refutation is checked here, on its own.
///
/// ```
/// use shatter_claims::{catalogue, run};
/// let report = run(&[catalogue::find("zhang-fits").unwrap()], 10, 0, &mut |_| {});
/// assert!(report.as_stated);
/// ```
pub fn run(claims: &[Claim], cases: u32, seed: u64, progress: &mut dyn FnMut(Trying)) -> Findings {
    let mut rows = Vec::with_capacity(claims.len());
    for (done, claim) in claims.iter().enumerate() {
        progress(Trying { number: claim.number, name: claim.name, done, of: claims.len() });
        let harness = Harness { cases, seed, series: claim.number, ..Harness::default() };
        let start = Instant::now();
        let evidence = (claim.test)(&Trial { harness }).rechecked();
        rows.push(Finding {
            number: claim.number,
            name: claim.name,
            statement: claim.statement,
            verdict: claim.verdict,
            source: claim.source,
            as_stated: evidence.supports(claim.verdict),
            evidence,
            time: start.elapsed(),
        });
    }
    Findings { as_stated: rows.iter().all(|row| row.as_stated), cases, seed, claims: rows }
}

impl Findings {
    /// Returns the report as plain text, at most 100 columns wide.
    #[must_use]
    pub fn table(&self) -> String {
        table::report(self)
    }
}
