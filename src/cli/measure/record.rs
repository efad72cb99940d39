//! Findings in records.

use serde::Serialize;

use shatter_measure::{Finding, Kind, Vacuity};

use crate::json::Number;

/// A finding, with numbers that JSON can hold.
#[derive(Clone, Debug, Serialize)]
pub struct FindingRecord {
    pub name: String,
    pub kind: Kind,
    pub value: Number,
    /// An upper bound of the test error.
    pub says: Option<Number>,
    pub vacuous: Option<Vacuity>,
    pub assumptions: Vec<AssumptionRecord>,
}

#[derive(Clone, Debug, Serialize)]
pub struct AssumptionRecord {
    pub what: String,
    pub met: bool,
    pub reason: String,
}

impl FindingRecord {
    /// Of a network for so many classes.
    pub fn of(finding: &Finding, classes: u32) -> FindingRecord {
        let assumptions = finding.assumptions.iter().map(|one| AssumptionRecord {
            what: one.what.clone(),
            met: one.met,
            reason: one.reason.clone(),
        });
        FindingRecord {
            name: finding.name.clone(),
            kind: finding.kind,
            value: finding.value.into(),
            says: finding.says.map(Number::from),
            vacuous: finding.vacuity(classes),
            assumptions: assumptions.collect(),
        }
    }
}
