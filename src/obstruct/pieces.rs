//! Too few linear pieces.
//!
//! **Statement.** On a line, the output of a ReLU network with hidden widths k_1, …, k_L has at most
//! N = Π (k_l + 1) linear pieces. If n > 1 + N, its values at n collinear points never lie strictly
//! above and below a level in turn; so it does not fit labels that do.
//!
//! **Source.** The count of pieces is folklore (Montúfar, Pascanu, Cho and Bengio 2014 have sharper
//! ones for R^d).
//!
//! **Proof.** Cut the line into the intervals on which every unit of the first l − 1 layers is affine.
//! On each of them a unit of layer l has at most one kink, so k_l units cut it into at most k_l + 1.
//! Now let f − level have opposite signs at neighbours x_i, x_{i+1}: it is 0 at some t_i between. Were
//! t_i and t_j with i < j on one piece, f − level would be 0 on all of it between them, and so at
//! x_{i+1}, where it is not. So n − 1 zeros lie on n − 1 pieces.
//!
//! **Checked.** Points in order on one line, labels strictly in turn, the product in integers without
//! bound, n > 1 + N. **Cost.** O(nd).

use std::fmt;

use serde::Serialize;

use shatter_exact::{IBig, Rational};
use shatter_network::Mlp;

use super::error::{as_stated, more_than};
use super::text::number;
use super::{Impossibility, LabelledLine, ObstructError};

/// No parameters of `architecture` give outputs strictly above and below `level` in turn at the
/// points of `line`, where the labels do.
///
/// ```
/// use shatter_exact::Rational;
/// use shatter_obstruct::{Impossibility, LabelledLine, PieceBound};
/// let number = |x: i64| Rational::from(x);
/// let points = (0..6).map(|x| vec![number(x)]).collect();
/// let labels = (0..6).map(|x| number(x % 2)).collect();
/// let line = LabelledLine::sorted(points, labels)?;
/// let half = Rational::ONE / number(2);
/// let bound = PieceBound::new(&"1-3-1".parse()?, &line, half.clone())?;
/// assert!(bound.check().is_ok());
/// assert!(PieceBound::new(&"1-4-1".parse()?, &line, half).is_err()); // 6 points are 5 pieces
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PieceBound {
    /// The network: one output.
    pub architecture: Mlp,
    /// Points in order on a line, labels above and below the level in turn.
    pub line: LabelledLine,
    /// Level about which the labels alternate: 0 for signs, 1/2 for classes 0 and 1.
    #[serde(serialize_with = "number")]
    pub level: Rational,
    /// N, the most linear pieces.
    #[serde(serialize_with = "number")]
    pub pieces: IBig,
}

/// Π (k_l + 1): the most linear pieces that the network has on a line.
#[must_use]
pub fn most_pieces(architecture: &Mlp) -> IBig {
    let layers = architecture.hidden().iter();
    layers.fold(IBig::ONE, |product, &width| product * (IBig::from(width) + IBig::ONE))
}

impl PieceBound {
    /// The certificate for the part of `line` on which labels alternate about `level`.
    ///
    /// # Errors
    /// [`ObstructError::NotExcluded`] if there are not enough alternations, and as
    /// [`check`](Impossibility::check).
    pub fn new(
        architecture: &Mlp,
        line: &LabelledLine,
        level: Rational,
    ) -> Result<PieceBound, ObstructError> {
        line.check()?;
        let certificate = PieceBound {
            line: line.alternating(&level),
            level,
            architecture: architecture.clone(),
            pieces: most_pieces(architecture),
        };
        certificate.check()?;
        Ok(certificate)
    }
}

impl Impossibility for PieceBound {
    fn check(&self) -> Result<(), ObstructError> {
        takes_scalar(&self.architecture, &self.line)?;
        self.line.check_alternates(&self.level)?;
        let pieces = most_pieces(&self.architecture);
        as_stated("the number of pieces", &self.pieces, &pieces)?;
        more_than("alternating points", &IBig::from(self.line.n()), &(pieces + IBig::ONE))
    }
}

/// Checks that the line is one, in the space of the inputs of a network with one output.
pub(super) fn takes_scalar(architecture: &Mlp, line: &LabelledLine) -> Result<(), ObstructError> {
    line.check()?;
    if line.d() != architecture.inputs() {
        let (have, want) = (line.d(), architecture.inputs());
        return Err(ObstructError::Coordinates { index: 0, have, want });
    }
    one_output(architecture)
}

/// Checks that the network has one output.
pub(super) fn one_output(architecture: &Mlp) -> Result<(), ObstructError> {
    match architecture.outputs() {
        1 => Ok(()),
        outputs => Err(ObstructError::Outputs { architecture: architecture.to_string(), outputs }),
    }
}

impl fmt::Display for PieceBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no ReLU network {} has outputs above and below {} in turn at these {} collinear \
             points: on a line it has at most {} linear pieces",
            self.architecture,
            self.level,
            self.line.n(),
            self.pieces
        )
    }
}
