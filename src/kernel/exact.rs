//! Kernels that are rational functions, in exact arithmetic: linear, polynomial and rational.
//!
//! Numbers of features, divisors and parameters are dyadic or whole, so entries are fractions. [`solve`] finds α with K α = y, exactly,
//! by the solvers of `shatter-exact`; [`judge`] decides each point of a model as it is held, and leaves none undecided.
//!
//! **Cost.** The entries of the rational kernel have different denominators of B bits: solutions may need n² B bits, and a system is refused beyond
//! [`MOST_BITS`]. Judging takes n m C additions of fractions of up to m B bits.

use rayon::prelude::*;

use shatter_exact::{Dyadic, Rational, bit_length, matrix};
use shatter_sample::Labels;

use super::certify::{Decided, Judged, Verdict};
use super::features::Features;
use super::kernel::Kernel;
use super::model::{Model, ModelError, exact_targets};

/// Most points of an exact computation.
pub const MOST_POINTS: usize = 1024;

/// Most bits of a solution, estimated: seconds.
pub const MOST_BITS: u64 = 1 << 17;
/// Operations on words that deciding spends at most: minutes.
const MOST_WORK: u64 = 1 << 36;

/// Why there is no exact answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExactError {
    /// Entries of the kernel are not fractions.
    #[error("kernel {0} is not a rational function; expected linear, polynomial or rational")]
    Kernel(Kernel),
    /// Too many points.
    #[error("{n} points are too many for exact arithmetic; expected at most {most}")]
    Points {
        /// How many there are.
        n: usize,
        /// How many there may be.
        most: usize,
    },
    /// Numbers of too many bits.
    #[error(
        "exact coefficients of {n} points may need {bits} bits; expected at most {most}: take fewer points or shorter numbers"
    )]
    Bits {
        /// How many points.
        n: usize,
        /// Bits that a solution may need.
        bits: u64,
        /// Bits that it may have.
        most: u64,
    },
    /// Too much work.
    #[error(
        "deciding {n} points exactly takes about {work} operations on words; expected at most {most}: take fewer points or \
         shorter numbers"
    )]
    Work {
        /// How many points.
        n: usize,
        /// Operations.
        work: u64,
        /// Operations that are spent at most.
        most: u64,
    },
    /// The matrix is singular, and the targets are not in its range.
    #[error(
        "the kernel matrix of {n} points has rank {rank}, and the targets are not in its range"
    )]
    Singular {
        /// How many points.
        n: usize,
        /// The rank.
        rank: usize,
    },
    /// Labels or points do not suit.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A coefficient that is infinite or NaN.
    #[error("coefficient {0} of the model is not finite")]
    NotFinite(usize),
}

/// A number of features or a parameter; these are finite.
fn exactly(x: f64) -> Rational {
    Dyadic::try_from(x).map_or(Rational::ZERO, |x| x.to_rational())
}

/// The kernel as a function of exact inner products.
struct Entry {
    kernel: Kernel,
    /// D².
    square: Rational,
}

/// Refuses what is known not to be decided exactly before points are looked at: their kernel, or their number.
///
/// # Errors
/// [`ExactError::Kernel`], [`ExactError::Points`].
pub fn suits(kernel: Kernel, n: usize) -> Result<(), ExactError> {
    match kernel {
        Kernel::Linear | Kernel::Polynomial { .. } | Kernel::Rational { .. } => few(n),
        _ => Err(ExactError::Kernel(kernel)),
    }
}

impl Entry {
    fn new(kernel: Kernel, features: &Features) -> Result<Entry, ExactError> {
        suits(kernel, 0)?;
        let divisor = exactly(features.divisor());
        Ok(Entry { kernel, square: &divisor * &divisor })
    }

    fn of(&self, x: &[Dyadic], y: &[Dyadic]) -> Rational {
        let inner = || x.iter().zip(y).fold(Dyadic::ZERO, |sum, (x, y)| &sum + &(x * y));
        match self.kernel {
            Kernel::Polynomial { degree, offset, scale } => {
                let base = exactly(scale) * inner().to_rational() / &self.square + exactly(offset);
                (0..degree).fold(Rational::ONE, |power, _| power * &base)
            }
            Kernel::Rational { gamma } => {
                let distance = x.iter().zip(y).fold(Dyadic::ZERO, |sum, (x, y)| {
                    let difference = x - y;
                    &sum + &(&difference * &difference)
                });
                let scaled = exactly(gamma) * distance.to_rational() / &self.square;
                Rational::ONE / (Rational::ONE + scaled)
            }
            _ => inner().to_rational() / &self.square,
        }
    }
}

fn rows(features: &Features) -> Vec<Vec<Dyadic>> {
    let number = |i, k| Dyadic::try_from(features.number(i, k)).unwrap_or(Dyadic::ZERO);
    let row = |i| (0..features.columns()).map(|k| number(i, k)).collect();
    (0..features.rows()).map(row).collect()
}

fn few(n: usize) -> Result<(), ExactError> {
    match n > MOST_POINTS {
        true => Err(ExactError::Points { n, most: MOST_POINTS }),
        false => Ok(()),
    }
}

/// α with K α = y exactly, one vector an output.
///
/// ```
/// use shatter_exact::Rational;
/// use shatter_kernel::{Features, Kernel, Numbers, exact};
/// use shatter_sample::Labels;
/// let points = Features::new(Numbers::F64(vec![0.0, 1.0]), 1, 1.0)?;
/// let labels = Labels::real(vec![1.0, 2.0], 1)?;
/// let alpha = exact::solve(Kernel::Rational { gamma: 1.0 }, &points, &labels)?;
/// // [1, 1/2; 1/2, 1] α = [1; 2]
/// assert_eq!(alpha, [[Rational::from(0), Rational::from(2)]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ExactError`].
pub fn solve(
    kernel: Kernel,
    points: &Features,
    labels: &Labels,
) -> Result<Vec<Vec<Rational>>, ExactError> {
    let n = points.rows();
    few(n)?;
    let entry = Entry::new(kernel, points)?;
    if labels.len() != n {
        return Err(ModelError::Labels { points: n, labels: labels.len() }.into());
    }
    let x = rows(points);
    let k: Vec<Vec<Rational>> =
        x.par_iter().map(|x_i| x.iter().map(|x_j| entry.of(x_i, x_j)).collect()).collect();
    // Denominators of the rational kernel differ, those of the others are one for all.
    let bits =
        |x: &Rational| bit_length(x.numerator()).max(bit_length(&x.denominator().clone().into()));
    let longest = k.iter().flatten().map(bits).max().unwrap_or(0);
    let factor = if matches!(kernel, Kernel::Rational { .. }) { n as u64 } else { 1 };
    let needed = (n as u64).saturating_mul(factor).saturating_mul(longest);
    if needed > MOST_BITS {
        return Err(ExactError::Bits { n, bits: needed, most: MOST_BITS });
    }
    let targets = exact_targets(labels);
    let width = targets.len() / n;
    let sides: Vec<Vec<Rational>> =
        (0..width).map(|c| (0..n).map(|i| targets[i * width + c].clone()).collect()).collect();
    matrix::solve_all(&k, &sides).ok_or_else(|| ExactError::Singular { n, rank: matrix::rank(&k) })
}

/// A model beside the exact solution of its system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// √(Σ_c α_cᵀ y_c) = √(Σ_c α_cᵀ K α_c): the sum is exact and rounded once, then the root.
    pub norm: f64,
    /// The largest |α̂ − α| over the largest |α|, each rounded once; 0 if all are 0.
    pub coefficients: f64,
}

/// Compares a model with α as [`solve`] found it for its centres and these labels.
///
/// # Panics
/// If `alpha` is not of one vector an output and one number a centre: a defect of the caller.
#[must_use]
pub fn compared(model: &Model, labels: &Labels, alpha: &[Vec<Rational>]) -> Compared {
    let (width, targets) = (model.outputs(), exact_targets(labels));
    assert_eq!((alpha.len(), alpha[0].len()), (width, model.centres.rows()), "a solution");
    let size = |x: Rational| if x < Rational::ZERO { -x } else { x };
    let (mut square, mut off, mut most) = (Rational::ZERO, Rational::ZERO, Rational::ZERO);
    for (c, column) in alpha.iter().enumerate() {
        for (i, alpha) in column.iter().enumerate() {
            square += alpha * &targets[i * width + c];
            off = off.max(size(exactly(model.coefficients[i * width + c]) - alpha));
            most = most.max(size(alpha.clone()));
        }
    }
    let norm = f64::max(square.to_f64().value(), 0.0).sqrt();
    let coefficients = match most == Rational::ZERO {
        true => 0.0,
        false => (off / most).to_f64().value(),
    };
    Compared { norm, coefficients }
}

/// Decides every point of a model, exactly: `exact` where the outputs are the target, `margin` where the label is said (ties say nothing), `misfit`
/// otherwise. `tolerance` is how far outputs may be from real labels.
///
/// # Errors
/// [`ExactError::Kernel`], [`ExactError::Points`], [`ExactError::Work`], [`ExactError::NotFinite`], [`ExactError::Model`].
pub fn judge(
    model: &Model,
    points: &Features,
    labels: &Labels,
    tolerance: f64,
) -> Result<Decided, ExactError> {
    few(points.rows().max(model.centres.rows()))?;
    model.checked()?;
    let entry = Entry::new(model.kernel, &model.centres)?;
    let columns = model.columns(points.rows(), labels)?;
    if let Some(at) = model.coefficients.iter().position(|x| !x.is_finite()) {
        return Err(ExactError::NotFinite(at));
    }
    if points.columns() != model.centres.columns() || points.divisor() != model.centres.divisor() {
        // The error that blocks give.
        super::blocks::Blocks::new(model.kernel, points, &model.centres)
            .map_err(ModelError::from)?;
    }
    let (x, centres) = (rows(points), rows(&model.centres));
    let alpha: Vec<Rational> = model.coefficients.iter().map(|&x| exactly(x)).collect();
    let width = model.outputs();
    affordable(&entry, &x, &centres, &alpha, width)?;
    let targets = exact_targets(labels);
    let target_width = targets.len() / points.rows();
    let one = |(i, x): (usize, &Vec<Dyadic>)| {
        let mut f = vec![Rational::ZERO; width];
        for (centre, alpha) in centres.iter().zip(alpha.chunks_exact(width)) {
            let k = entry.of(x, centre);
            f.iter_mut().zip(alpha).for_each(|(f, alpha)| *f += &k * alpha);
        }
        match labels {
            Labels::Classes { .. } => {
                let own = columns[i];
                let equal = (0..width).all(|c| f[c] == Rational::from(u8::from(c == own)));
                let others = (0..width).filter(|&c| c != own).map(|c| &f[own] - &f[c]);
                decided(others.min(), equal)
            }
            Labels::Real { .. } => {
                let y = &targets[i * target_width..][..target_width];
                let size = |x: Rational| if x < Rational::ZERO { -x } else { x };
                let off = f.iter().zip(y).map(|(f, y)| size(f - y)).max();
                let off = off.unwrap_or(Rational::ZERO);
                let equal = off == Rational::ZERO;
                // At the tolerance is within it.
                let margin = exactly(tolerance) - off;
                let mut one = decided(Some(margin.clone()), equal);
                if margin == Rational::ZERO && !equal {
                    one.verdict = Verdict::Margin;
                }
                one
            }
        }
    };
    Ok(Decided::of(x.par_iter().enumerate().map(one).collect()))
}

/// Refuses sums whose terms, from the bits of a first one, make them too long: n m C sums of up to m times as many bits, and
/// reducing a fraction takes up to the square of its words.
fn affordable(
    entry: &Entry,
    x: &[Vec<Dyadic>],
    centres: &[Vec<Dyadic>],
    alpha: &[Rational],
    width: usize,
) -> Result<(), ExactError> {
    let (n, m) = (x.len() as u64, centres.len() as u64);
    let bits = |x: &Rational| {
        bit_length(x.numerator()).saturating_add(bit_length(&x.denominator().clone().into()))
    };
    // Of the longest point, and of the longest centre: the first may be the origin.
    let size = |x: &Vec<Dyadic>| x.iter().map(|x| bits(&x.to_rational())).sum::<u64>();
    let longest = |of: &[Vec<Dyadic>]| (0..of.len()).max_by_key(|&i| size(&of[i])).unwrap_or(0);
    let (point, centre) = (&x[longest(x)], &centres[longest(centres)]);
    let of_point = centres.iter().map(|centre| bits(&entry.of(point, centre)));
    let of_centre = x.iter().map(|x| bits(&entry.of(x, centre)));
    let entries = of_point.chain(of_centre).max().unwrap_or(0);
    let longest = alpha.iter().map(bits).max().unwrap_or(0);
    // Denominators of the rational kernel differ, those of the others are one for all.
    let grown = if matches!(entry.kernel, Kernel::Rational { .. }) { m } else { 1 };
    let words = entries.saturating_add(longest).saturating_mul(grown) / 64 + 1;
    let sums = n.saturating_mul(m).saturating_mul(width as u64);
    let work = sums.saturating_mul(words).saturating_mul(words);
    match work <= MOST_WORK {
        true => Ok(()),
        false => Err(ExactError::Work { n: x.len(), work, most: MOST_WORK }),
    }
}

/// Of a margin that is known.
fn decided(margin: Option<Rational>, equal: bool) -> Judged {
    let Some(margin) = margin else {
        let (low, high) = (f64::INFINITY, f64::INFINITY);
        return Judged { verdict: Verdict::Margin, low, high, bound: 0.0 };
    };
    let verdict = if equal {
        Verdict::Exact
    } else if margin > Rational::ZERO {
        Verdict::Margin
    } else {
        Verdict::Misfit
    };
    // Nearest, so that the ends next to it enclose it.
    let near = margin.to_f64().value();
    Judged { verdict, low: near.next_down(), high: near.next_up(), bound: 0.0 }
}
