//! Empirical Rademacher complexity: of finite classes, of classes with witnesses, of linear and kernel classes.
//!
//! For a class F of functions and points x_1, …, x_n, with independent uniform signs σ ∈ {−1, 1}^n,
//!
//! ```text
//! R(F) = E_σ sup_{f∈F} (1/n) Σ_i σ_i f(x_i).
//! ```
//!
//! # Functions with values ±1
//!
//! **Statement.** Let P ⊆ {−1, 1}^n be the vectors (f(x_1), …, f(x_n)), not none, and dist(σ, P) the least number
//! of coordinates in which σ differs from a member of P. Then R = 1 − (2/n) E dist(σ, P), 0 <= R <= 1, and R = 1
//! if and only if P has all 2^n vectors: the class shatters the points. A larger class has no smaller R.
//!
//! **Proof.** Σ σ_i p_i is the number of coordinates that agree minus those that differ, n − 2 dist(σ, p); so the
//! supremum is n − 2 dist(σ, P). A mean of distances is 0 if and only if all of them are, that is, every σ is in
//! P. For one p the mean of dist(σ, p) is n/2, and more members bring no distance up: R >= 0. ∎
//!
//! *Distances.* Let d(σ) be 0 on P and infinite elsewhere, and for the bits k = 0, …, n − 1 in turn replace d(σ)
//! by min(d(σ), d(σ with bit k flipped) + 1), for all σ at once. After the passes of the bits below k, d(σ) is the
//! least distance to a member of P that agrees with σ in the bits from k on: flipping bit k chooses among those
//! that agree in the bits from k + 1 on. After n passes it is dist(σ, P). ∎
//!
//! **Value.** [`exact`]: a fraction. **Cost.** n 2^n operations on bytes, and 2^n bytes, whatever the size of P.
//!
//! *Witnesses.* [`shattering`] asks of each labelling if a network was exhibited that was checked to have it. The
//! networks exhibited are a class, whose R is exact, and a bound from below for every class that has them; a class
//! of values ±1 for which it is 1 has R = 1 itself.
//!
//! # Linear and kernel classes
//!
//! **Statement.** With S = Σ σ_i x_i, Gram matrix K = (⟨x_i, x_j⟩) and columns x^(k) = (x_1k, …, x_nk):
//!
//! | class | R | at least | at most |
//! |---|---|---|---|
//! | x ↦ ⟨w, x⟩, ‖w‖₂ <= Λ ([`linear`]) | (Λ/n) E ‖S‖₂ | (Λ/(n√2)) √(Σ ‖x_i‖²) | (Λ/n) √(Σ ‖x_i‖²) |
//! | of norm Λ in the space of a kernel ([`kernel`]) | (Λ/n) E √(σᵀKσ) | (Λ/(n√2)) √(tr K) | (Λ/n) √(tr K) |
//! | x ↦ ⟨w, x⟩, ‖w‖₁ <= Λ ([`absolute`]) | (Λ/n) E max_k \|S_k\| | (Λ/(n√2)) max_k ‖x^(k)‖₂ | (Λ/n) max_k ‖x^(k)‖₂ √(2 ln 2d) |
//!
//! **Source.** Mohri, Rostamizadeh and Talwalkar, *Foundations of Machine Learning*, 2nd edition, chapters 5, 6
//! and 11. From below: Khintchine and Kahane, with the best constant Szarek, 1976, for numbers, and Latała and
//! Oleszkiewicz, 1994, for norms, whose proof this is. Two equal points reach it.
//!
//! **Proof.** *Equalities.* The largest ⟨w, S⟩ over a ball is Λ times the dual norm of S, and ‖S‖² = σᵀKσ.
//!
//! *From above.* E ‖S‖ <= √(E ‖S‖²) = √(Σ ‖x_i‖²), as E σ_i σ_j = 0 for i ≠ j. And max_k |S_k| is the largest of
//! the 2d sums Σ ±σ_i x_ik, so Massart's lemma applies.
//!
//! *From below.* For x_i in a normed space let f(σ) = ‖S‖, and L f(σ) = ½ Σ_i (f(σ) − f(σ with σ_i flipped)). The
//! flipped sums add up to (n − 2) S, so by the triangle inequality L f <= ½ (n − (n − 2)) f = f. In the basis of
//! the products Π_{i∈A} σ_i, L multiplies the coefficient of A by |A|; f is even, so its coefficients with |A| = 1
//! are 0, and E f L f >= 2 (E f² − (E f)²). With E f L f <= E f² this says 2 (E f)² >= E f². For the last row,
//! E max_k |S_k| >= max_k E |S_k|. ∎
//!
//! **Value.** Enclosures rounded outwards. Where K is not positive semidefinite no class has it, and the formula
//! is that of √max(0, σᵀKσ). **Cost.** All signs but one, as f is even, in a tree whose nodes hold partial sums:
//! about 2^n d additions from coordinates; about 2^{n+1} from K, where a node holds q = Σ σ_i σ_j K_ij and Σ_i σ_i
//! K_ik of the signs that are chosen. [`linear`] takes coordinates up to 64 of them, which cancel exactly where
//! equal points do, and K beyond. The result does not depend on the number of threads.
//!
//! # From below, by a search
//!
//! **Statement.** Let σ^1, …, σ^m be independent, c_k <= s_k = sup_f (1/n) Σ_i σ^k_i f(x_i) for f with values in
//! [−1, 1], however c_k was found. With probability at least 1 − δ, (1/m) Σ c_k − √(2 ln(1/δ)/(nm)) <= R.
//! **Proof.** The mean of the s_k has mean R and changes by at most 2/(nm) with each of the nm signs, so that it
//! exceeds R + t with probability at most e^{−t² nm/2} (McDiarmid). ∎ Hoeffding's inequality, for which s_k is any
//! number in [−1, 1], has √n times the deviation. An *estimate from below* ([`lower_estimate`]): it says how well
//! the search does, and no search can say that R is small.
//!
//! # The test error
//!
//! **Theorem.** For a class of values ±1, fixed before n independent points, with probability at least 1 − δ, for
//! all f,
//!
//! ```text
//! test error <= training error + R + 3 √(ln(2/δ)/(2n)).
//! ```
//!
//! **Source.** Mohri, Rostamizadeh and Talwalkar, Theorem 3.5. **Proof.** Theorem (A) of [`ramp`](crate::ramp) for
//! the losses (1 − y f(x))/2: the constant has mean 0, and y_i σ_i are independent signs, so their complexity is
//! R/2. ∎ A *bound*, rounded upwards ([`bound`]); vacuous for R = 1, whatever the errors.

use rand::Rng;

use shatter_exact::{IBig, Rational};
use shatter_random::stream::{Purpose, stream_at};

use crate::ramp::probability;
use crate::{Assumption, Enclosure, Finding, MeasureError, PointSizes};

/// Most points of which all sign vectors are enumerated.
pub const MOST_POINTS: usize = 20;

/// Distance of vectors to which no member has been found; n more are still a byte.
const FAR: u8 = 64;

/// Coordinates beyond which [`linear`] goes by the Gram matrix.
const WIDE: usize = 64;

/// Signs after which a thread enumerates the others alone.
const FORKS: usize = 7;

fn enumerable(n: usize) -> Result<(), MeasureError> {
    match n {
        0 => Err(MeasureError::NoPoints),
        1..=MOST_POINTS => Ok(()),
        _ => {
            let what = "points of which all sign vectors are enumerated";
            Err(MeasureError::TooLarge { what, have: n as u64, limit: MOST_POINTS as u64 })
        }
    }
}

/// R of a finite class of values ±1 on n points; bit i of a pattern says that the value at point i is 1.
///
/// ```
/// use shatter_exact::Rational;
/// use shatter_measure::rademacher::exact;
/// assert_eq!(exact(&[0b00, 0b01, 0b10, 0b11], 2)?, Rational::ONE);
/// // The constants: 1 where the signs agree, 0 elsewhere.
/// assert_eq!(exact(&[0b00, 0b11], 2)?, Rational::from_parts(1.into(), 2u8.into()));
/// assert_eq!(exact(&[0b10], 2)?, Rational::ZERO);
/// # Ok::<(), shatter_measure::MeasureError>(())
/// ```
///
/// # Errors
/// [`MeasureError::NoFunctions`] without patterns, [`MeasureError::NoPoints`], [`MeasureError::TooLarge`] beyond
/// [`MOST_POINTS`], [`MeasureError::Pattern`] for bits beyond n.
pub fn exact(patterns: &[u32], n: usize) -> Result<Rational, MeasureError> {
    enumerable(n)?;
    if let Some(index) = patterns.iter().position(|pattern| pattern >> n != 0) {
        return Err(MeasureError::Pattern { index, pattern: patterns[index], points: n });
    }
    let mut members = vec![false; 1 << n];
    patterns.iter().for_each(|&pattern| members[pattern as usize] = true);
    of_members(&members, n)
}

/// R of the class whose members are marked, for 1 <= n <= [`MOST_POINTS`].
fn of_members(members: &[bool], n: usize) -> Result<Rational, MeasureError> {
    if !members.contains(&true) {
        return Err(MeasureError::NoFunctions);
    }
    let mut distances: Vec<u8> = members.iter().map(|&yes| if yes { 0 } else { FAR }).collect();
    for bit in 0..n {
        for block in distances.chunks_exact_mut(2 << bit) {
            let (clear, set) = block.split_at_mut(1 << bit);
            for (x, y) in clear.iter_mut().zip(set) {
                (*x, *y) = ((*x).min(*y + 1), (*y).min(*x + 1));
            }
        }
    }
    // 1 − (2/n) D/2^n; the mean of distances is at most n/2.
    let total: u64 = distances.iter().map(|&distance| u64::from(distance)).sum();
    let all = (n as u64) << n;
    Ok(Rational::from_parts(IBig::from(all - 2 * total), all.into()))
}

/// The classes 0 and 1 of n points that a pattern says.
///
/// ```
/// assert_eq!(shatter_measure::rademacher::classes(0b0110, 4), [0, 1, 1, 0]);
/// ```
#[must_use]
pub fn classes(pattern: u32, n: usize) -> Vec<u32> {
    (0..n).map(|i| if i < 32 { pattern >> i & 1 } else { 0 }).collect()
}

/// Which labellings of n points in two classes were exhibited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shattering {
    n: usize,
    members: Vec<bool>,
}

/// Asks, for each of the 2^n labellings in the order of their patterns, whether a network of the class was
/// exhibited and checked to have it. The callback's errors end the enumeration.
///
/// ```
/// use shatter_measure::MeasureError;
/// use shatter_measure::rademacher::shattering;
/// // Thresholds on a line, increasing or not: 0…01…1 and 1…10…0.
/// let changes = |pattern: u32| ((pattern ^ pattern >> 1) & 0b11).count_ones();
/// let found = shattering(3, |pattern| Ok::<bool, MeasureError>(changes(pattern) <= 1))?;
/// assert_eq!((found.count(), found.first_missing()), (6, Some(0b010)));
/// assert_eq!(found.complexity()?.to_string(), "5/6");
/// # Ok::<(), MeasureError>(())
/// ```
///
/// # Errors
/// [`MeasureError::NoPoints`], [`MeasureError::TooLarge`] beyond [`MOST_POINTS`], and those of the callback.
pub fn shattering<E: From<MeasureError>>(
    n: usize,
    realise: impl FnMut(u32) -> Result<bool, E>,
) -> Result<Shattering, E> {
    enumerable(n)?;
    let members = (0..1u32 << n).map(realise).collect::<Result<_, E>>()?;
    Ok(Shattering { n, members })
}

impl Shattering {
    /// n.
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }

    /// Number of labellings that were exhibited.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.members.iter().filter(|&&yes| yes).count() as u64
    }

    /// Returns true if this labelling was exhibited.
    #[must_use]
    pub fn has(&self, pattern: u32) -> bool {
        self.members.get(pattern as usize) == Some(&true)
    }

    /// The first labelling that was not exhibited; `None` if the points are shattered.
    #[must_use]
    pub fn first_missing(&self) -> Option<u32> {
        (0..1u32 << self.n).find(|&pattern| !self.has(pattern))
    }

    /// R of the class of the networks exhibited, exactly: at most that of any class that has them.
    ///
    /// # Errors
    /// [`MeasureError::NoFunctions`] if none was exhibited.
    pub fn complexity(&self) -> Result<Rational, MeasureError> {
        of_members(&self.members, self.n)
    }

    /// The complexity, rounded down, as a finding.
    ///
    /// # Errors
    /// As [`complexity`](Self::complexity).
    pub fn finding(&self) -> Result<Finding, MeasureError> {
        let name = match self.first_missing() {
            None => "Rademacher complexity",
            Some(_) => "Rademacher complexity, at least",
        };
        let value = Enclosure::fraction(&self.complexity()?).low();
        let mut finding = Finding::enclosed(name, value);
        let (count, all) = (self.count(), self.members.len());
        finding.assumptions.push(Assumption::met(
            "for every labelling that is counted a network of the class was checked to have it",
            format!("{count} of {all} labellings of {} points", self.n),
        ));
        Ok(finding)
    }
}

/// Writes the partial sum with the sign of point i, from that of the points before.
type Step<'a> = dyn Fn(usize, f64, &[Enclosure], &mut [Enclosure]) + Sync + 'a;

/// An even function of sign vectors, by partial sums.
struct Signs<'a> {
    n: usize,
    /// Numbers of a partial sum.
    width: usize,
    /// The next partial sum.
    step: &'a Step<'a>,
    /// The function, from the sum over all points.
    value: &'a (dyn Fn(&[Enclosure]) -> Enclosure + Sync),
}

impl Signs<'_> {
    /// Its mean over all signs, which is that over those with σ_1 = 1.
    fn mean(&self) -> Enclosure {
        let start = vec![Enclosure::ZERO; self.width];
        let mut first = start.clone();
        (self.step)(0, 1.0, &start, &mut first);
        self.forked(1, &first) / Enclosure::whole(1 << (self.n - 1))
    }

    /// Sum over the signs of the points from `at` on.
    fn forked(&self, at: usize, before: &[Enclosure]) -> Enclosure {
        if at >= self.n.min(FORKS) {
            let mut levels = vec![before.to_vec(); self.n - at + 1];
            return self.alone(at, &mut levels);
        }
        let branch = |sign: f64| {
            let mut after = before.to_vec();
            (self.step)(at, sign, before, &mut after);
            self.forked(at + 1, &after)
        };
        let (plus, minus) = rayon::join(|| branch(1.0), || branch(-1.0));
        plus + minus
    }

    /// The same on one thread, with room for a partial sum of every depth.
    fn alone(&self, at: usize, levels: &mut [Vec<Enclosure>]) -> Enclosure {
        let Some((before, rest)) = levels.split_first_mut() else { return Enclosure::ZERO };
        let mut total = Enclosure::ZERO;
        for sign in [1.0, -1.0] {
            let Some(after) = rest.first_mut() else { return (self.value)(before) };
            (self.step)(at, sign, before, after);
            total = total + self.alone(at + 1, rest);
        }
        total
    }
}

/// E of an even function of Σ σ_i x_i.
fn mean_of_sums(
    points: &[f64],
    d: usize,
    value: &(dyn Fn(&[Enclosure]) -> Enclosure + Sync),
) -> Enclosure {
    let step = |i: usize, sign: f64, before: &[Enclosure], after: &mut [Enclosure]| {
        for ((sum, &so_far), &x) in after.iter_mut().zip(before).zip(&points[i * d..(i + 1) * d]) {
            *sum = so_far + Enclosure::exact(sign * x);
        }
    };
    Signs { n: points.len() / d, width: d, step: &step, value }.mean()
}

/// E √max(0, σᵀKσ) for a symmetric K.
fn mean_of_forms(n: usize, gram: &[Enclosure]) -> Enclosure {
    let signed = |sign: f64, x: Enclosure| if sign < 0.0 { -x } else { x };
    // The form, and Σ σ_i K_ik of the signs so far for the points k to come.
    let step = |i: usize, sign: f64, before: &[Enclosure], after: &mut [Enclosure]| {
        let cross = signed(sign, before[i + 1]);
        after[0] = before[0] + gram[i * n + i] + (cross + cross);
        for k in i + 1..n {
            after[k + 1] = before[k + 1] + signed(sign, gram[i * n + k]);
        }
    };
    let value = |sum: &[Enclosure]| sum[0].max(Enclosure::ZERO).sqrt();
    Signs { n, width: n + 1, step: &step, value: &value }.mean()
}

/// Λ, checked.
fn radius(lambda: f64) -> Result<Enclosure, MeasureError> {
    match lambda >= 0.0 && lambda.is_finite() {
        true => Ok(Enclosure::exact(lambda)),
        false => Err(MeasureError::Parameter {
            what: "Lambda",
            value: lambda,
            expected: "a finite number from 0 on",
        }),
    }
}

/// x/n.
fn by_points(x: Enclosure, n: usize) -> Enclosure {
    x / Enclosure::whole(n as u64)
}

/// From x/√2 to x · `factor`, over n.
fn between(x: Enclosure, factor: Enclosure, n: usize) -> Enclosure {
    let low = by_points(x / Enclosure::exact(2.0).sqrt(), n).low();
    Enclosure::new(low, by_points(x * factor, n).high())
}

/// R of x ↦ ⟨w, x⟩ with ‖w‖₂ <= Λ on at most [`MOST_POINTS`] points of d coordinates, one after the other.
///
/// ```
/// use shatter_measure::rademacher::linear;
/// // ‖±(3, 0) ± (0, 4)‖ = 5.
/// assert!(linear(&[3.0, 0.0, 0.0, 4.0], 2, 2.0)?.contains(5.0));
/// # Ok::<(), shatter_measure::MeasureError>(())
/// ```
///
/// # Errors
/// [`MeasureError::NoPoints`], [`MeasureError::Length`], [`MeasureError::PointNotFinite`],
/// [`MeasureError::TooLarge`], [`MeasureError::Parameter`] for a Λ that is negative or not finite.
pub fn linear(points: &[f64], d: usize, lambda: f64) -> Result<Enclosure, MeasureError> {
    let lambda = radius(lambda)?;
    let n = PointSizes::of(points, d)?.n;
    enumerable(n)?;
    let mean = if d > WIDE {
        mean_of_forms(n, &products(points, d))
    } else {
        let norm = |sum: &[Enclosure]| sum.iter().map(|x| x.square()).sum::<Enclosure>().sqrt();
        mean_of_sums(points, d, &norm)
    };
    Ok(by_points(lambda * mean, n))
}

/// ⟨x_i, x_j⟩ for all pairs.
fn products(points: &[f64], d: usize) -> Vec<Enclosure> {
    let product = |(&x, &y): (&f64, &f64)| Enclosure::exact(x) * Enclosure::exact(y);
    let rows = || points.chunks_exact(d);
    rows().flat_map(|x| rows().map(move |y| x.iter().zip(y).map(product).sum())).collect()
}

/// The bounds on R of the same class for any number of points, as an enclosure.
///
/// ```
/// use shatter_measure::rademacher::linear_bounds;
/// let found = linear_bounds(&[3.0, 0.0, 0.0, 4.0], 2, 2.0)?;
/// assert!(found.contains(5.0) && found.high() == 5.0 && found.low() < 3.54);
/// # Ok::<(), shatter_measure::MeasureError>(())
/// ```
///
/// # Errors
/// [`MeasureError::NoPoints`], [`MeasureError::Length`], [`MeasureError::PointNotFinite`],
/// [`MeasureError::Parameter`].
pub fn linear_bounds(points: &[f64], d: usize, lambda: f64) -> Result<Enclosure, MeasureError> {
    let lambda = radius(lambda)?;
    let sizes = PointSizes::of(points, d)?;
    Ok(between(lambda * sizes.squares.sqrt(), Enclosure::ONE, sizes.n))
}

/// The entries of a Gram matrix, row by row, checked.
fn checked(gram: &[f64], n: usize) -> Result<(), MeasureError> {
    if n == 0 {
        return Err(MeasureError::NoPoints);
    }
    if Some(gram.len()) != n.checked_mul(n) {
        let (found, expected) = (gram.len(), n.saturating_mul(n));
        return Err(MeasureError::Length { what: "Gram matrix", found, expected });
    }
    for (at, &value) in gram.iter().enumerate() {
        let (row, column) = (at / n, at % n);
        let expected = if !value.is_finite() {
            "a finite number"
        } else if value != gram[column * n + row] {
            "the number on the other side of the diagonal"
        } else if row == column && value < 0.0 {
            "a number from 0 on"
        } else {
            continue;
        };
        return Err(MeasureError::Gram { row, column, value, expected });
    }
    Ok(())
}

/// R of the functions of norm at most Λ in the space of a kernel, from K = (k(x_i, x_j)), n rows of n numbers, for
/// n at most [`MOST_POINTS`].
///
/// ```
/// use shatter_measure::rademacher::kernel;
/// assert!(kernel(&[9.0, 0.0, 0.0, 16.0], 2, 2.0)?.contains(5.0));
/// # Ok::<(), shatter_measure::MeasureError>(())
/// ```
///
/// # Errors
/// [`MeasureError::NoPoints`], [`MeasureError::TooLarge`], [`MeasureError::Length`], [`MeasureError::Gram`] for a
/// matrix that is not finite, not symmetric or has a negative diagonal, [`MeasureError::Parameter`] for Λ.
pub fn kernel(gram: &[f64], n: usize, lambda: f64) -> Result<Enclosure, MeasureError> {
    let lambda = radius(lambda)?;
    enumerable(n)?;
    checked(gram, n)?;
    let gram: Vec<Enclosure> = gram.iter().map(|&x| Enclosure::exact(x)).collect();
    Ok(by_points(lambda * mean_of_forms(n, &gram), n))
}

/// The bounds on R of the same class for any number of points, as an enclosure.
///
/// # Errors
/// As [`kernel`], but for [`MeasureError::TooLarge`].
pub fn kernel_bounds(gram: &[f64], n: usize, lambda: f64) -> Result<Enclosure, MeasureError> {
    let lambda = radius(lambda)?;
    checked(gram, n)?;
    let trace: Enclosure = (0..n).map(|i| Enclosure::exact(gram[i * n + i])).sum();
    Ok(between(lambda * trace.sqrt(), Enclosure::ONE, n))
}

/// R of x ↦ ⟨w, x⟩ with ‖w‖₁ <= Λ on at most [`MOST_POINTS`] points of d coordinates.
///
/// ```
/// use shatter_measure::rademacher::absolute;
/// // The larger of |±3| and |±4|.
/// assert!(absolute(&[3.0, 0.0, 0.0, 4.0], 2, 2.0)?.contains(4.0));
/// # Ok::<(), shatter_measure::MeasureError>(())
/// ```
///
/// # Errors
/// As [`linear`].
pub fn absolute(points: &[f64], d: usize, lambda: f64) -> Result<Enclosure, MeasureError> {
    let lambda = radius(lambda)?;
    let n = PointSizes::of(points, d)?.n;
    enumerable(n)?;
    let largest = |sum: &[Enclosure]| sum.iter().fold(Enclosure::ZERO, |most, x| most.max(x.abs()));
    Ok(by_points(lambda * mean_of_sums(points, d, &largest), n))
}

/// The bounds on R of the same class for any number of points, as an enclosure.
///
/// # Errors
/// As [`linear_bounds`].
pub fn absolute_bounds(points: &[f64], d: usize, lambda: f64) -> Result<Enclosure, MeasureError> {
    let lambda = radius(lambda)?;
    let sizes = PointSizes::of(points, d)?;
    let vectors = Enclosure::whole(d as u64) * Enclosure::exact(2.0);
    let massart = (Enclosure::exact(2.0) * vectors.ln()).sqrt();
    Ok(between(lambda * sizes.largest_column.sqrt(), massart, sizes.n))
}

/// Complexity as a search finds it: an estimate from below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LowerEstimate {
    /// n.
    pub n: usize,
    /// m, the number of sign vectors that were drawn.
    pub draws: u32,
    /// δ.
    pub delta: f64,
    /// Mean of the correlations that were found, rounded up.
    pub mean: f64,
    /// At most R with probability at least 1 − δ over the draws; rounded down.
    pub lower: f64,
}

impl LowerEstimate {
    /// The mean, as an estimate that says nothing of the test error.
    #[must_use]
    pub fn finding(&self) -> Finding {
        let LowerEstimate { n, draws, delta, lower, .. } = self;
        let what = "the search finds the supremum for every sign vector";
        let why = format!(
            "a search finds at most that; R >= {lower} with probability {} over {draws} vectors of \
             {n} signs",
            1.0 - delta
        );
        let name = "Rademacher complexity, from below by a search";
        Finding::estimate(name, self.mean, vec![Assumption::fails(what, why)])
    }
}

/// Sign vector `draw` of a seed: n independent signs, which do not depend on other draws.
#[must_use]
pub fn signs(seed: u64, draw: u32, n: usize) -> Vec<i8> {
    let mut stream = stream_at(seed, Purpose::Rademacher, draw);
    let mut word = 0;
    let mut signs = Vec::with_capacity(n);
    for i in 0..n {
        if i % 64 == 0 {
            word = stream.next_u64();
        }
        signs.push(if word >> (i % 64) & 1 == 1 { 1 } else { -1 });
    }
    signs
}

/// Estimates R from below: `best` returns, for each of `draws` random sign vectors σ, the largest (1/n) Σ σ_i
/// f(x_i) that it found, for f of values in [−1, 1] (the sign of a network's output); rounded to nearest.
///
/// ```
/// use shatter_measure::MeasureError;
/// use shatter_measure::rademacher::lower_estimate;
/// // Two constants on 100 points.
/// let best = |signs: &[i8]| {
///     let sum: i32 = signs.iter().map(|&sign| i32::from(sign)).sum();
///     Ok::<f64, MeasureError>(f64::from(sum.abs()) / 100.0)
/// };
/// let found = lower_estimate(100, 400, 1, 0.01, best)?;
/// // R is nearly √(2/(100 π)).
/// assert!((found.mean - 0.08).abs() < 0.01 && found.lower < found.mean - 0.01);
/// # Ok::<(), MeasureError>(())
/// ```
///
/// # Errors
/// [`MeasureError::NoPoints`]; [`MeasureError::Parameter`] for no draws, δ outside (0, 1) or a correlation outside
/// [−1, 1]; and those of the callback.
pub fn lower_estimate<E: From<MeasureError>>(
    n: usize,
    draws: u32,
    seed: u64,
    delta: f64,
    mut best: impl FnMut(&[i8]) -> Result<f64, E>,
) -> Result<LowerEstimate, E> {
    if n == 0 {
        return Err(MeasureError::NoPoints.into());
    }
    if draws == 0 {
        let (what, expected) = ("the number of sign vectors", "at least 1");
        return Err(MeasureError::Parameter { what, value: 0.0, expected }.into());
    }
    let probability = probability(delta)?;
    let mut sum = Enclosure::ZERO;
    for draw in 0..draws {
        let found = best(&signs(seed, draw, n))?;
        if !(-1.0..=1.0).contains(&found) {
            let (what, expected) = ("a correlation", "a number from -1 to 1");
            return Err(MeasureError::Parameter { what, value: found, expected }.into());
        }
        // What was rounded to nearest is above the number below.
        sum = sum + Enclosure::new(found.next_down(), found);
    }
    let count = Enclosure::whole(draws.into());
    let mean = sum / count;
    let ratio = -probability.ln() / (count * Enclosure::whole(n as u64));
    let deviation = (Enclosure::exact(2.0) * ratio).sqrt();
    let lower = (mean - deviation).low();
    Ok(LowerEstimate { n, draws, delta, mean: mean.high(), lower })
}

/// The bound on the test error of every function of a class of values ±1 that makes so many errors on n points,
/// from an enclosure of the class's R on the same points. Its upper end must be proved: neither a
/// [`LowerEstimate`] nor the complexity of a part of the class will do, unless it is 1.
///
/// ```
/// use shatter_measure::{Enclosure, rademacher::bound};
/// let half = bound(Enclosure::exact(0.125), 25, 1000, 0.05)?;
/// assert!(!half.vacuity(2).unwrap().against_chance);
/// assert!(bound(Enclosure::ONE, 0, u64::MAX, 0.05)?.vacuity(2).unwrap().against_one);
/// # Ok::<(), shatter_measure::MeasureError>(())
/// ```
///
/// # Errors
/// [`MeasureError::NoPoints`]; [`MeasureError::Parameter`] for an R without a number in [0, 1], more errors than
/// points, or δ outside (0, 1).
pub fn bound(
    rademacher: Enclosure,
    errors: u64,
    n: u64,
    delta: f64,
) -> Result<Finding, MeasureError> {
    if n == 0 {
        return Err(MeasureError::NoPoints);
    }
    if errors > n {
        let (what, expected) = ("the number of errors", "at most one a point");
        return Err(MeasureError::Parameter { what, value: errors as f64, expected });
    }
    if rademacher.high() < 0.0 || rademacher.low() > 1.0 {
        let (what, expected) = ("the Rademacher complexity", "a number from 0 to 1");
        return Err(MeasureError::Parameter { what, value: rademacher.low(), expected });
    }
    let delta = probability(delta)?;
    let (points, two) = (Enclosure::whole(n), Enclosure::exact(2.0));
    let confidence = Enclosure::exact(3.0) * ((two / delta).ln() / (two * points)).sqrt();
    let complexity = Enclosure::exact(rademacher.high().min(1.0));
    let says = (Enclosure::whole(errors) / points + complexity + confidence).high();
    let assumptions = vec![
        Assumption::met(
            "training points are independent draws of the distribution of the test error",
            "as the user says; nothing checks it",
        ),
        Assumption::met(
            "the class, of values ±1, is fixed before the sample",
            "as the user says; the function may depend on it",
        ),
    ];
    Ok(Finding::bound("Rademacher complexity: 0-1 loss", says, says, assumptions))
}
