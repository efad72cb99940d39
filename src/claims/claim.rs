//! A claim, and the evidence for or against it.

use std::fmt;

use proptest::strategy::Strategy;
use serde::Serialize;

use shatter_obstruct::Obstruction;
use shatter_sample::Sample;

use super::describe::describe;
use super::harness::{Failure, Harness, Outcome};

/// Least number of values among which to search for a witness.
const SEARCH: u32 = 4096;

/// A statement about networks, with the test that decides it.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its number in the catalogue.
    pub number: u32,
    /// Its name on the command line.
    pub name: &'static str,
    /// Statement of the claim.
    pub statement: &'static str,
    /// Verdict that the test has to confirm.
    pub verdict: Stated,
    /// Source of the claim, and of its proof or refutation.
    pub source: &'static str,
    /// The evidence.
    pub test: fn(&Trial) -> Evidence,
}

/// The verdict that a claim states of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stated {
    /// It holds; its evidence is a property that no generated case breaks.
    True,
    /// It does not hold; its evidence is a witness, checked exactly.
    False,
    /// Others say whether it holds: quoted, not tested.
    Quoted,
}

impl fmt::Display for Stated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Stated::True => "true",
            Stated::False => "false",
            Stated::Quoted => "quoted",
        })
    }
}

/// Evidence for or against a claim.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase", tag = "found")]
pub enum Evidence {
    /// The property held in every case.
    Held {
        /// Number of cases.
        cases: u64,
    },
    /// A witness against the claim was checked exactly.
    Refuted {
        /// The witness.
        witness: String,
        /// Facts about the witness that were checked.
        checked: String,
        /// Cases or steps that the check took.
        cases: u64,
        /// If the witness is something that cannot be fitted, the proof of it. A runner checks it
        /// once more, whatever the test says.
        #[serde(skip_serializing_if = "Option::is_none")]
        certificate: Option<Obstruction>,
    },
    /// Not tested.
    Quoted {
        /// Text of the quotation.
        says: String,
    },
    /// A counterexample against a claim stated as true, or a witness that does not stand.
    Failed {
        /// Reason, in words.
        reason: String,
    },
}

impl Evidence {
    /// Returns true if this is the evidence that the stated verdict needs.
    #[must_use]
    pub fn supports(&self, verdict: Stated) -> bool {
        matches!(
            (verdict, self),
            (Stated::True, Evidence::Held { .. })
                | (Stated::False, Evidence::Refuted { .. })
                | (Stated::Quoted, Evidence::Quoted { .. })
        )
    }

    /// Returns the number of cases or steps, where something was tested.
    #[must_use]
    pub fn cases(&self) -> Option<u64> {
        match self {
            Evidence::Held { cases } | Evidence::Refuted { cases, .. } => Some(*cases),
            Evidence::Quoted { .. } | Evidence::Failed { .. } => None,
        }
    }

    /// Returns this evidence if its certificate still holds on its own, and a failure otherwise.
    pub(super) fn rechecked(self) -> Evidence {
        let Evidence::Refuted { witness, certificate: Some(certificate), .. } = &self else {
            return self;
        };
        match certificate.check() {
            Ok(()) => self,
            Err(error) => Evidence::Failed {
                reason: format!("{witness}: the certificate does not hold: {error}"),
            },
        }
    }

    /// Returns a refutation by this witness if `check` succeeds, and a failure with its reason if not.
    pub(super) fn witness(
        witness: impl Into<String>,
        checked: impl Into<String>,
        check: Result<u64, String>,
    ) -> Evidence {
        let (witness, checked) = (witness.into(), checked.into());
        match check {
            Ok(cases) => Evidence::Refuted { witness, checked, cases, certificate: None },
            Err(reason) => Evidence::Failed { reason: format!("{witness}: {reason}") },
        }
    }

    /// The same for a witness that cannot be fitted: `check` returns a count and the proof.
    pub(super) fn certified(
        witness: impl Into<String>,
        checked: impl Into<String>,
        check: Result<(u64, Obstruction), String>,
    ) -> Evidence {
        let (cases, proof) = match check {
            Ok((cases, proof)) => (Ok(cases), Some(proof)),
            Err(reason) => (Err(reason), None),
        };
        Evidence::witness(witness, checked, cases).with(proof)
    }

    /// Adds a certificate to a refutation; other evidence stays as it is.
    fn with(mut self, proof: Option<Obstruction>) -> Evidence {
        if let Evidence::Refuted { certificate, .. } = &mut self {
            *certificate = proof;
        }
        self
    }
}

/// Grounds on which a value refutes a claim.
#[derive(Clone, Debug)]
pub struct Grounds {
    /// Facts about the value that were checked.
    pub checked: String,
    /// The proof, if something cannot be fitted.
    pub certificate: Option<Obstruction>,
}

impl From<String> for Grounds {
    fn from(checked: String) -> Grounds {
        Grounds { checked, certificate: None }
    }
}

impl<C: Into<Obstruction>> From<(String, C)> for Grounds {
    fn from((checked, certificate): (String, C)) -> Grounds {
        Grounds { checked, certificate: Some(certificate.into()) }
    }
}

/// Settings with which the test of a claim is run.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Cases, seed, and the series of the claim.
    pub harness: Harness,
}

impl Trial {
    /// Returns the evidence of a property over samples.
    pub fn every_sample(
        &self,
        samples: impl Strategy<Value = Sample>,
        test: impl Fn(&Sample) -> Result<(), Failure>,
    ) -> Evidence {
        self.every(samples, describe, test)
    }

    /// Returns the evidence of a property over other values, which `words` describes.
    pub fn every<S: Strategy>(
        &self,
        values: S,
        words: impl Fn(&S::Value) -> String,
        test: impl Fn(&S::Value) -> Result<(), Failure>,
    ) -> Evidence {
        match self.harness.holds(values, test) {
            Ok(Outcome::Held { cases }) => Evidence::Held { cases: u64::from(cases) },
            Ok(Outcome::Fails(found)) => {
                Evidence::Failed { reason: format!("{}: {}", words(&found.value), found.failure) }
            }
            Err(error) => Evidence::Failed { reason: error.to_string() },
        }
    }

    /// Refutes a claim about every sample, by the simplest generated sample that
    /// `refutes` it: it returns what it checked, or why the sample does not refute the claim.
    pub fn refuted_by_sample<G: Into<Grounds>>(
        &self,
        samples: impl Strategy<Value = Sample>,
        refutes: impl Fn(&Sample) -> Result<G, String>,
    ) -> Evidence {
        self.refuted_by(samples, describe, refutes)
    }

    /// Refutes a claim about other values, which `words` describes.
    pub fn refuted_by<S: Strategy, G: Into<Grounds>>(
        &self,
        values: S,
        words: impl Fn(&S::Value) -> String,
        refutes: impl Fn(&S::Value) -> Result<G, String>,
    ) -> Evidence {
        let refutes = |value: &S::Value| refutes(value).map(Into::<Grounds>::into);
        let claim = |value: &S::Value| match refutes(value) {
            Ok(grounds) => Err(Failure::Other(grounds.checked)),
            Err(_) => Ok(()),
        };
        // The search ends at the first witness: few cases elsewhere are no reason to miss it.
        let harness = Harness { cases: self.harness.cases.max(SEARCH), ..self.harness.clone() };
        match harness.holds(values, claim) {
            // The witness is checked once more, on the value that shrinking left.
            Ok(Outcome::Fails(found)) => match refutes(&found.value) {
                Ok(Grounds { checked, certificate }) => {
                    Evidence::witness(words(&found.value), checked, Ok(1)).with(certificate)
                }
                Err(reason) => Evidence::Failed { reason },
            },
            Ok(Outcome::Held { cases }) => {
                Evidence::Failed { reason: format!("no witness among {cases} values") }
            }
            Err(error) => Evidence::Failed { reason: error.to_string() },
        }
    }
}
