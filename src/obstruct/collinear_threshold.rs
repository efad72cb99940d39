//! Too few threshold units for a line.
//!
//! **Statement.** K half-spaces cut a line into at most K + 1 intervals. So a function of the outputs
//! of K threshold units, whatever comes after them, takes at most K + 1 values in a row along a line:
//! n collinear points whose neighbours have different labels need K >= n − 1 units in the first layer.
//!
//! **Source.** Folklore; Baum (1988) has the sharp count on the moment curve.
//!
//! **Proof.** On a line a unit H(⟨u,x⟩ − b) is monotone in the place, so it changes at most once. If
//! all units agree on two neighbours, so does every function of them.
//!
//! **Checked.** Points in order on one line, neighbours with different labels, K < n − 1. **Cost.**
//! O(nd).

use std::fmt;

use serde::Serialize;

use super::error::more_than;
use super::{Impossibility, LabelledLine, ObstructError};

/// No function of `units` threshold units has these labels.
///
/// ```
/// use shatter_exact::Rational;
/// use shatter_obstruct::{Impossibility, LabelledLine, TooFewThresholds};
/// let points = (0..5).map(|x| vec![Rational::from(x), Rational::from(2 * x)]).collect();
/// let line = LabelledLine::sorted(points, [0, 1, 2, 1, 0].map(Rational::from).to_vec())?;
/// assert!(TooFewThresholds::new(3, &line)?.check().is_ok());
/// assert!(TooFewThresholds::new(4, &line).is_err());
/// # Ok::<(), shatter_obstruct::ObstructError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TooFewThresholds {
    /// K: threshold units in the first hidden layer.
    pub units: u64,
    /// Points in order on a line, neighbours with different labels.
    pub line: LabelledLine,
}

impl TooFewThresholds {
    /// The certificate for the part of `line` on which neighbours have different labels.
    ///
    /// # Errors
    /// [`ObstructError::NotExcluded`] if there are not enough changes, and as
    /// [`check`](Impossibility::check).
    pub fn new(units: u64, line: &LabelledLine) -> Result<TooFewThresholds, ObstructError> {
        line.check()?;
        let certificate = TooFewThresholds { units, line: line.changing() };
        certificate.check()?;
        Ok(certificate)
    }
}

impl Impossibility for TooFewThresholds {
    fn check(&self) -> Result<(), ObstructError> {
        self.line.check()?;
        match self.line.labels.windows(2).position(|pair| pair[0] == pair[1]) {
            Some(at) => Err(ObstructError::SameLabel { index: at + 1 }),
            None => more_than("changes of label", &(self.line.n() - 1), &self.units),
        }
    }
}

impl fmt::Display for TooFewThresholds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no function of {} threshold units has these labels: they change {} times along a line",
            self.units,
            self.line.n().saturating_sub(1)
        )
    }
}
