//! How many labellings in two classes a hyperplane realises.
//!
//! **Statement** (Cover 1965). Of the 2^n labellings of n points of R^D by two signs, hyperplanes
//! through the origin realise at most
//!
//! ```text
//! C(n, D) = 2 Σ_{k < D} binomial(n − 1, k),
//! ```
//!
//! with equality if every D of the points are linearly independent. Hyperplanes with an offset: the
//! same with D = d + 1, points (x, 1). So all 2^n if and only if n <= D, and half of them at n = 2D.
//!
//! **Source.** T. M. Cover, IEEE Transactions on Electronic Computers EC-14 (1965).
//!
//! **Certificates.** [`CoverBound`]: C(n, D) < 2^n, so some labelling of any n points is not realised.
//! [`Inseparable`]: this labelling of these points is not, by numbers λ_i >= 0, not all 0, with
//! Σ λ_i y_i x_i = 0 (a separating w would give 0 = Σ λ_i y_i ⟨w,x_i⟩ > 0). [`Dichotomies`]: all labellings
//! of a small point set, each with such numbers or a separating vector.
//!
//! **Cost.** C(n, D): D products of integers of n bits. Enumeration: 2^(n−1) linear programs
//! (`separable.rs`).

use std::fmt;

use rayon::prelude::*;
use serde::Serialize;

use shatter_exact::{IBig, Rational};

use super::error::{as_stated, more_than};
use super::line::common_length;
use super::separable::Alternative;
use super::text::{number, numbers, rows};
use super::{Impossibility, ObstructError};

/// Most points of which all labellings are enumerated.
pub const MOST_ENUMERATED: u64 = 16;

/// Most points for which C(n, D) is computed.
pub const MOST_COUNTED: u64 = 20_000;

/// C(n, D), for n >= 1.
///
/// ```
/// use shatter_exact::IBig;
/// use shatter_obstruct::cover::count;
/// assert_eq!(count(5, 3)?, IBig::from(22)); // five points of the plane, with an offset
/// assert_eq!(count(4, 9)?, IBig::from(16)); // all
/// assert_eq!(count(100, 50)? * IBig::from(2), IBig::ONE << 100); // half
/// # Ok::<(), shatter_obstruct::ObstructError>(())
/// ```
///
/// # Errors
/// [`ObstructError::Empty`] if n = 0, [`ObstructError::TooLarge`] beyond [`MOST_COUNTED`].
pub fn count(n: u64, dimension: u64) -> Result<IBig, ObstructError> {
    if n == 0 {
        return Err(ObstructError::Empty("points"));
    }
    if n > MOST_COUNTED {
        return Err(ObstructError::TooLarge { what: "points", have: n, limit: MOST_COUNTED });
    }
    let mut binomial = IBig::ONE;
    let mut sum = IBig::ZERO;
    for k in 0..dimension.min(n) {
        sum += &binomial;
        binomial = binomial * IBig::from(n - 1 - k) / IBig::from(k + 1);
    }
    Ok(sum * IBig::from(2))
}

/// Hyperplanes through the origin of R^D do not realise all labellings of any n points.
///
/// ```
/// use shatter_obstruct::{CoverBound, Impossibility};
/// assert!(CoverBound::new(4, 3)?.check().is_ok());
/// assert!(CoverBound::new(3, 3).is_err());
/// # Ok::<(), shatter_obstruct::ObstructError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CoverBound {
    /// n.
    pub n: u64,
    /// D: the number of coordinates, and 1 more with an offset.
    pub dimension: u64,
    /// C(n, D).
    #[serde(serialize_with = "number")]
    pub separable: IBig,
}

impl CoverBound {
    /// The certificate.
    ///
    /// # Errors
    /// [`ObstructError::NotExcluded`] if n <= D, and as [`count`].
    pub fn new(n: u64, dimension: u64) -> Result<CoverBound, ObstructError> {
        let certificate = CoverBound { n, dimension, separable: count(n, dimension)? };
        certificate.check()?;
        Ok(certificate)
    }
}

impl Impossibility for CoverBound {
    fn check(&self) -> Result<(), ObstructError> {
        let separable = count(self.n, self.dimension)?;
        as_stated("C(n, D)", &self.separable, &separable)?;
        more_than("labellings", &(IBig::ONE << self.n as usize), &separable)
    }
}

impl fmt::Display for CoverBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "hyperplanes through the origin of R^{} realise at most {} of the 2^{} labellings of any \
             {} points by two classes",
            self.dimension, self.separable, self.n, self.n
        )
    }
}

/// No hyperplane has exactly the points with a positive label strictly on its positive side, and
/// the others strictly on the other.
///
/// ```
/// use shatter_exact::Rational;
/// use shatter_obstruct::{Impossibility, Inseparable};
/// let corners = [[0, 0], [1, 1], [0, 1], [1, 0]];
/// let points: Vec<_> = corners.iter().map(|x| x.map(Rational::from).to_vec()).collect();
/// let xor = Inseparable::new(&points, &[true, true, false, false], true)?;
/// assert!(xor.check().is_ok());
/// assert!(Inseparable::new(&points, &[true, false, true, false], true).is_err());
/// # Ok::<(), shatter_obstruct::ObstructError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inseparable {
    /// n points.
    #[serde(serialize_with = "rows")]
    pub points: Vec<Vec<Rational>>,
    /// Which of them are labelled positive.
    pub positive: Vec<bool>,
    /// True if hyperplanes have an offset.
    pub affine: bool,
    /// λ.
    #[serde(serialize_with = "numbers")]
    pub combination: Vec<Rational>,
}

impl Inseparable {
    /// The certificate.
    ///
    /// # Errors
    /// [`ObstructError::Separable`] if a hyperplane separates, [`ObstructError::Empty`],
    /// [`ObstructError::Coordinates`], [`ObstructError::Lengths`].
    pub fn new(
        points: &[Vec<Rational>],
        positive: &[bool],
        affine: bool,
    ) -> Result<Inseparable, ObstructError> {
        match Alternative::decide(&signed(points, positive, affine)?)? {
            Alternative::Combination(combination) => Ok(Inseparable {
                points: points.to_vec(),
                positive: positive.to_vec(),
                affine,
                combination,
            }),
            Alternative::Separating(_) => Err(ObstructError::Separable),
        }
    }
}

impl Impossibility for Inseparable {
    fn check(&self) -> Result<(), ObstructError> {
        let vectors = signed(&self.points, &self.positive, self.affine)?;
        let evidence = Alternative::Combination(self.combination.clone());
        if evidence.holds(&vectors) { Ok(()) } else { Err(ObstructError::Evidence) }
    }
}

impl fmt::Display for Inseparable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let planes = if self.affine { "hyperplane" } else { "hyperplane through the origin" };
        let positive = self.positive.iter().filter(|&&positive| positive).count();
        let n = self.points.len();
        write!(f, "no {planes} separates {positive} of these {n} points from the others")
    }
}

/// y_i (x_i, 1), or y_i x_i.
fn signed(
    points: &[Vec<Rational>],
    positive: &[bool],
    affine: bool,
) -> Result<Vec<Vec<Rational>>, ObstructError> {
    common_length(points)?;
    if points.len() != positive.len() {
        return Err(ObstructError::Lengths { points: points.len(), labels: positive.len() });
    }
    let vector = |(point, &positive): (&Vec<Rational>, &bool)| -> Vec<Rational> {
        let coordinates = point.iter().cloned().chain(affine.then_some(Rational::ONE));
        coordinates.map(|x| if positive { x } else { -x }).collect()
    };
    Ok(points.iter().zip(positive).map(vector).collect())
}

/// Every labelling of a few points by two signs, each shown to be realised or not.
///
/// A labelling and its opposite share their evidence (the opposite vector, the same combination), so
/// there is one entry for each labelling in which point 0 is positive.
///
/// ```
/// use shatter_exact::Rational;
/// use shatter_obstruct::cover::Dichotomies;
/// let corners = [[0, 0], [1, 1], [0, 1], [1, 0]];
/// let points: Vec<_> = corners.iter().map(|x| x.map(Rational::from).to_vec()).collect();
/// let all = Dichotomies::enumerate(&points, true)?;
/// assert_eq!(all.separable(), 14); // all but XOR and its opposite
/// assert!(all.check().is_ok());
/// # Ok::<(), shatter_obstruct::ObstructError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dichotomies {
    /// n points.
    #[serde(serialize_with = "rows")]
    pub points: Vec<Vec<Rational>>,
    /// True if hyperplanes have an offset.
    pub affine: bool,
    /// Bit i − 1 of the index says whether point i is positive; point 0 is.
    pub evidence: Vec<Alternative>,
}

impl Dichotomies {
    /// Decides all of them.
    ///
    /// # Errors
    /// [`ObstructError::Empty`], [`ObstructError::Coordinates`], [`ObstructError::TooLarge`]
    /// beyond [`MOST_ENUMERATED`].
    pub fn enumerate(points: &[Vec<Rational>], affine: bool) -> Result<Dichotomies, ObstructError> {
        let decide =
            |at: usize| Alternative::decide(&signed(points, &signs(at, points.len()), affine)?);
        let evidence = (0..halves(points.len())?).into_par_iter().map(decide);
        let evidence = evidence.collect::<Result<_, _>>()?;
        Ok(Dichotomies { points: points.to_vec(), affine, evidence })
    }

    /// Number of labellings that are realised.
    #[must_use]
    pub fn separable(&self) -> u64 {
        let separating = |found: &&Alternative| matches!(found, Alternative::Separating(_));
        2 * self.evidence.iter().filter(separating).count() as u64
    }

    /// Checks that there is evidence for every labelling, and that all of it holds.
    ///
    /// # Errors
    /// [`ObstructError::Dichotomy`] with the first labelling whose evidence fails,
    /// [`ObstructError::Altered`] if there is not one entry for each, and as
    /// [`enumerate`](Self::enumerate).
    pub fn check(&self) -> Result<(), ObstructError> {
        let n = self.points.len();
        let all = halves(n)?;
        as_stated("the number of labellings", &self.evidence.len(), &all)?;
        let fails = |&at: &usize| {
            signed(&self.points, &signs(at, n), self.affine)
                .map_or(true, |vectors| !self.evidence[at].holds(&vectors))
        };
        match (0..all).into_par_iter().find_first(fails) {
            Some(dichotomy) => Err(ObstructError::Dichotomy { dichotomy }),
            None => Ok(()),
        }
    }
}

/// 2^(n−1).
fn halves(n: usize) -> Result<usize, ObstructError> {
    match n as u64 {
        0 => Err(ObstructError::Empty("points")),
        have if have > MOST_ENUMERATED => Err(ObstructError::TooLarge {
            what: "points to enumerate the labellings of",
            have,
            limit: MOST_ENUMERATED,
        }),
        _ => Ok(1 << (n - 1)),
    }
}

/// The labelling with this index.
fn signs(at: usize, n: usize) -> Vec<bool> {
    (0..n).map(|i| i == 0 || at >> (i - 1) & 1 == 1).collect()
}
