//! Networks of width 1 are monotone.
//!
//! **Statement.** A network whose hidden layers, at least one, all have one ReLU unit is a monotone
//! function of ⟨a,x⟩, where a are the weights of its first unit. So no depth fits labels on three
//! collinear points of which the middle one is larger than both others (0, 1, 0), or smaller.
//!
//! **Source.** Folklore. `proofs/theories/Width1.v` is a machine-checked proof.
//!
//! **Proof.** ReLU(w t + v) is a monotone function of t, compositions of monotone functions are
//! monotone, and so is c·t + v of one. On a line, ⟨a,x⟩ is a monotone function of the place.
//!
//! **Checked.** Three points in order on one line; the middle label strictly beyond both others.
//! **Cost.** O(nd).

use std::fmt;

use serde::Serialize;

use shatter_network::Mlp;

use super::pieces::takes_scalar;
use super::{Impossibility, LabelledLine, ObstructError};

/// No parameters of `architecture`, of width 1, fit these three labels.
///
/// ```
/// use shatter_exact::Rational;
/// use shatter_obstruct::{Impossibility, LabelledLine, NotMonotone};
/// let points = (0..3).map(|x| vec![Rational::from(x)]).collect();
/// let line = LabelledLine::sorted(points, [0, 1, 0].map(Rational::from).to_vec())?;
/// let bound = NotMonotone::new(&"1-1-1-1-1".parse()?, &line)?;
/// assert!(bound.check().is_ok());
/// assert!(NotMonotone::new(&"1-1-2-1".parse()?, &line).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NotMonotone {
    /// The network: hidden widths 1, one output.
    pub architecture: Mlp,
    /// Three points in order on a line.
    pub line: LabelledLine,
}

impl NotMonotone {
    /// The certificate for three points of `line`.
    ///
    /// # Errors
    /// [`ObstructError::Monotone`] if the labels are monotone along the line, and as
    /// [`check`](Impossibility::check).
    pub fn new(architecture: &Mlp, line: &LabelledLine) -> Result<NotMonotone, ObstructError> {
        line.check()?;
        // Without neighbours of one label, a line that is not monotone turns at some point.
        let changing = line.changing();
        let turns = |y: &[_]| (y[0] < y[1]) != (y[1] < y[2]);
        let turn = changing.labels.windows(3).position(turns).ok_or(ObstructError::Monotone)?;
        let certificate = NotMonotone {
            architecture: architecture.clone(),
            line: changing.select(&[turn, turn + 1, turn + 2]),
        };
        certificate.check()?;
        Ok(certificate)
    }
}

impl Impossibility for NotMonotone {
    fn check(&self) -> Result<(), ObstructError> {
        takes_scalar(&self.architecture, &self.line)?;
        let hidden = self.architecture.hidden();
        if hidden.is_empty() || hidden.iter().any(|&width| width != 1) {
            let architecture = self.architecture.to_string();
            return Err(ObstructError::NotWidthOne { architecture });
        }
        match self.line.labels.as_slice() {
            [a, b, c] if (a < b && c < b) || (a > b && c > b) => Ok(()),
            _ => Err(ObstructError::Monotone),
        }
    }
}

impl fmt::Display for NotMonotone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels: Vec<String> = self.line.labels.iter().map(ToString::to_string).collect();
        write!(
            f,
            "no ReLU network {} fits the labels {} at these three collinear points: width 1 is \
             monotone",
            self.architecture,
            labels.join(", ")
        )
    }
}
