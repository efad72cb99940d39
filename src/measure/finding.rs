//! What a measure found, and whether it says anything.
//!
//! A finding has a value, and one of three kinds:
//!
//! | kind | the value is | rounded |
//! |---|---|---|
//! | [`Kind::Bound`] | proved to be on the right side of what it bounds, given the assumptions | outwards |
//! | [`Kind::Estimate`] | near what it estimates, with a sampling error or the failures of a search | to nearest |
//! | [`Kind::Measure`] | a number that a theory relates to the test error without a constant that we can prove | to nearest |
//!
//! `says` is an upper bound of the test error (a fraction of points, ties counted as errors). Only a bound whose
//! assumptions are all met has one: [`Finding::bound`] sees to it.

use serde::Serialize;

/// What kind of number a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Proved, and rounded outwards.
    Bound,
    /// Computed with an error that was not bounded by a proof.
    Estimate,
    /// A number by its definition; it bounds nothing.
    Measure,
}

/// An assumption of a theorem, and whether it holds here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assumption {
    /// The assumption, in the words of the theorem.
    pub what: String,
    /// True if it was checked and holds, or holds by construction.
    pub met: bool,
    /// Why it holds, or what contradicts it.
    pub reason: String,
}

impl Assumption {
    /// An assumption that holds.
    pub fn met(what: impl Into<String>, reason: impl Into<String>) -> Assumption {
        Assumption { what: what.into(), met: true, reason: reason.into() }
    }

    /// An assumption that does not hold.
    pub fn fails(what: impl Into<String>, reason: impl Into<String>) -> Assumption {
        Assumption { what: what.into(), met: false, reason: reason.into() }
    }
}

/// The result of one measure.
///
/// ```
/// use shatter_measure::{Assumption, Finding, Kind};
/// let met = vec![Assumption::met("points are independent", "as the user says")];
/// let found = Finding::bound("occam", 0.3, 0.3, met);
/// assert_eq!((found.kind, found.says), (Kind::Bound, Some(0.3)));
/// let vacuity = found.vacuity(2).unwrap();
/// assert!(!vacuity.against_one && !vacuity.against_chance);
///
/// let fails = vec![Assumption::fails("the loss is smooth", "ReLU has a kink at 0")];
/// assert_eq!(Finding::bound("stability", 0.3, 0.3, fails).says, None);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Name of the measure.
    pub name: String,
    /// What kind of number the value is.
    pub kind: Kind,
    /// The value; NaN where an assumption fails without which there is none.
    pub value: f64,
    /// An upper bound of the test error, if the theorem gives one here.
    pub says: Option<f64>,
    /// What the theorem assumes.
    pub assumptions: Vec<Assumption>,
}

impl Finding {
    /// A bound with its value and what it says of the test error. Where an assumption fails it says nothing, and is a
    /// measure.
    pub fn bound(
        name: impl Into<String>,
        value: f64,
        says: f64,
        assumptions: Vec<Assumption>,
    ) -> Finding {
        let met = assumptions.iter().all(|assumption| assumption.met);
        Finding {
            name: name.into(),
            kind: if met { Kind::Bound } else { Kind::Measure },
            value,
            says: (met && !says.is_nan()).then_some(says),
            assumptions,
        }
    }

    /// A proved number that by itself says nothing of the test error, such as a norm.
    pub fn enclosed(name: impl Into<String>, value: f64) -> Finding {
        Finding { name: name.into(), kind: Kind::Bound, value, says: None, assumptions: Vec::new() }
    }

    /// A number that is proved under assumptions and by itself says nothing of the test error; a measure where one of
    /// them fails.
    pub fn proved(name: impl Into<String>, value: f64, assumptions: Vec<Assumption>) -> Finding {
        Finding { says: None, ..Finding::bound(name, value, value, assumptions) }
    }

    /// An estimate.
    pub fn estimate(name: impl Into<String>, value: f64, assumptions: Vec<Assumption>) -> Finding {
        Finding { name: name.into(), kind: Kind::Estimate, value, says: None, assumptions }
    }

    /// A measure.
    pub fn measure(name: impl Into<String>, value: f64, assumptions: Vec<Assumption>) -> Finding {
        Finding { name: name.into(), kind: Kind::Measure, value, says: None, assumptions }
    }

    /// No value, since an assumption fails: the answer is which.
    pub fn refused(name: impl Into<String>, assumptions: Vec<Assumption>) -> Finding {
        Finding::measure(name, f64::NAN, assumptions)
    }

    /// The first assumption that fails.
    #[must_use]
    pub fn failing(&self) -> Option<&Assumption> {
        self.assumptions.iter().find(|assumption| !assumption.met)
    }

    /// Compares what it says with errors that need no theory; `None` if it says nothing.
    #[must_use]
    pub fn vacuity(&self, classes: u32) -> Option<Vacuity> {
        self.says.map(|says| Vacuity::of(says, classes))
    }
}

/// Whether a bound of the test error says less than what is known without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Vacuity {
    /// It is at least 1, which every error is below.
    pub against_one: bool,
    /// It is at least 1 − 1/C, the error of a guess among C classes.
    pub against_chance: bool,
}

impl Vacuity {
    /// Compares an upper bound of the test error with 1 and with 1 − 1/C. The second comparison is exact but for the
    /// rounding of 1 − 1/C to nearest. With one class every guess is right, so chance is 0.
    ///
    /// ```
    /// use shatter_measure::Vacuity;
    /// assert_eq!(Vacuity::of(0.5, 2), Vacuity { against_one: false, against_chance: true });
    /// assert!(Vacuity::of(f64::NAN, 2).against_one); // a NaN says nothing
    /// ```
    #[must_use]
    pub fn of(says: f64, classes: u32) -> Vacuity {
        let chance = if classes == 0 { 0.0 } else { 1.0 - 1.0 / f64::from(classes) };
        let below = |limit: f64| says < limit;
        Vacuity { against_one: !below(1.0), against_chance: !below(chance) }
    }
}
