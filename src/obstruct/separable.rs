//! Linear separability, decided exactly, with evidence either way.
//!
//! **Statement** (Gordan 1873). For vectors v_1, …, v_n of R^D exactly one of these exists: a vector w
//! with ⟨w, v_i⟩ > 0 for all i; or numbers λ_i >= 0, not all 0, with Σ λ_i v_i = 0.
//!
//! **Algorithm.** The simplex method, phase 1: minimise the sum of artificial variables a >= 0 subject
//! to Σ λ_i v_i + a' = 0, Σ λ_i + a_{D+1} = 1, λ >= 0. At the minimum 0 the λ are the combination; at a
//! positive minimum the dual variables u of the first D rows have ⟨u, v_i⟩ < 0 for all i, and w = −u.
//! Bland's rule (the first column that improves, the first basic variable of those that tie) never
//! cycles. Everything is a fraction, so the answer is exact.
//!
//! **Cost.** A pivot takes O(D(n + D)) operations; the number of pivots is not bounded by a polynomial,
//! and is small on the sizes that are enumerated.

use serde::Serialize;

use shatter_exact::Rational;

use super::ObstructError;
use super::line::common_length;
use super::text::numbers;

/// The two alternatives of Gordan's theorem for some vectors.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alternative {
    /// A vector w with ⟨w, v_i⟩ > 0 for all i.
    Separating(#[serde(serialize_with = "numbers")] Vec<Rational>),
    /// Numbers λ_i >= 0, not all 0, with Σ λ_i v_i = 0.
    Combination(#[serde(serialize_with = "numbers")] Vec<Rational>),
}

impl Alternative {
    /// Which alternative holds, with its evidence.
    ///
    /// ```
    /// use shatter_exact::Rational;
    /// use shatter_obstruct::separable::Alternative;
    /// let number = |x: i64| Rational::from(x);
    /// let opposite = [vec![number(2), number(0)], vec![number(-1), number(0)]];
    /// let found = Alternative::decide(&opposite)?;
    /// assert!(matches!(found, Alternative::Combination(_)));
    /// assert!(found.holds(&opposite));
    /// assert!(!found.holds(&opposite[..1]));
    /// # Ok::<(), shatter_obstruct::ObstructError>(())
    /// ```
    ///
    /// # Errors
    /// [`ObstructError::Empty`], [`ObstructError::Coordinates`].
    pub fn decide(vectors: &[Vec<Rational>]) -> Result<Alternative, ObstructError> {
        let d = common_length(vectors)?;
        let mut tableau = Tableau::new(vectors, d);
        while tableau.step() {}
        Ok(if tableau.minimum().is_zero() {
            Alternative::Combination(tableau.solution())
        } else {
            Alternative::Separating(tableau.duals().into_iter().take(d).map(|u| -u).collect())
        })
    }

    /// Returns whether the evidence is what it claims to be.
    #[must_use]
    pub fn holds(&self, vectors: &[Vec<Rational>]) -> bool {
        let product = |x: &[Rational], y: &[Rational]| {
            x.iter().zip(y).fold(Rational::ZERO, |sum, (x, y)| sum + x * y)
        };
        let Ok(d) = common_length(vectors) else { return false };
        match self {
            Alternative::Separating(w) => {
                w.len() == d && vectors.iter().all(|v| product(w, v) > Rational::ZERO)
            }
            Alternative::Combination(weights) => {
                let coordinate = |k: usize| {
                    let terms = weights.iter().zip(vectors).map(|(x, v)| x * &v[k]);
                    terms.fold(Rational::ZERO, |sum, term| sum + term)
                };
                weights.len() == vectors.len()
                    && weights.iter().all(|x| *x >= Rational::ZERO)
                    && weights.iter().any(|x| !x.is_zero())
                    && (0..d).all(|k| coordinate(k).is_zero())
            }
        }
    }
}

/// The simplex tableau: columns λ_1, …, λ_n, the artificial variables, the right-hand side.
struct Tableau {
    n: usize,
    rows: Vec<Vec<Rational>>,
    /// Reduced costs, and minus the objective.
    costs: Vec<Rational>,
    /// The basic variable of each row.
    basis: Vec<usize>,
}

impl Tableau {
    fn new(vectors: &[Vec<Rational>], d: usize) -> Tableau {
        let n = vectors.len();
        let indicator = |yes: bool| if yes { Rational::ONE } else { Rational::ZERO };
        let row = |r: usize| -> Vec<Rational> {
            // Row d says that the λ add up to 1.
            let coefficients = vectors.iter().map(|v| v.get(r).cloned().unwrap_or(Rational::ONE));
            let artificial = (0..=d).map(|k| indicator(k == r));
            coefficients.chain(artificial).chain([indicator(r == d)]).collect()
        };
        let rows: Vec<_> = (0..=d).map(row).collect();
        // The artificial variables cost 1 each, and are basic: their reduced costs are 0.
        let cost = |column: usize| {
            let real = column < n || column > n + d;
            let sum = || rows.iter().fold(Rational::ZERO, |sum, row| sum - &row[column]);
            if real { sum() } else { Rational::ZERO }
        };
        let costs = (0..n + d + 2).map(cost).collect();
        Tableau { n, rows, costs, basis: (n..=n + d).collect() }
    }

    /// One pivot; `false` at the minimum. An artificial variable that has left never returns.
    fn step(&mut self) -> bool {
        let Some(enter) = (0..self.n).find(|&column| self.costs[column] < Rational::ZERO) else {
            return false;
        };
        let last = self.costs.len() - 1;
        let ratio = |r: usize| &self.rows[r][last] / &self.rows[r][enter];
        let candidates = (0..self.rows.len()).filter(|&r| self.rows[r][enter] > Rational::ZERO);
        let leave = candidates
            .min_by(|&r, &s| ratio(r).cmp(&ratio(s)).then(self.basis[r].cmp(&self.basis[s])));
        // The objective is at least 0, so some row limits every column that improves it.
        let Some(leave) = leave else { return false };
        let inverse = Rational::ONE / &self.rows[leave][enter];
        self.rows[leave].iter_mut().for_each(|x| *x *= &inverse);
        let pivot = self.rows[leave].clone();
        let others = self.rows.iter_mut().enumerate().filter(|(r, _)| *r != leave);
        for row in others.map(|(_, row)| row).chain([&mut self.costs]) {
            let factor = row[enter].clone();
            if factor.is_zero() {
                continue;
            }
            row.iter_mut().zip(&pivot).for_each(|(x, p)| *x -= &factor * p);
        }
        self.basis[leave] = enter;
        true
    }

    fn minimum(&self) -> Rational {
        -self.costs[self.costs.len() - 1].clone()
    }

    /// λ.
    fn solution(&self) -> Vec<Rational> {
        let mut weights = vec![Rational::ZERO; self.n];
        for (row, &variable) in self.rows.iter().zip(&self.basis) {
            if let (Some(weight), Some(value)) = (weights.get_mut(variable), row.last()) {
                *weight = value.clone();
            }
        }
        weights
    }

    /// The dual variable of row k is 1 minus the reduced cost of its artificial variable.
    fn duals(&self) -> Vec<Rational> {
        let artificial = &self.costs[self.n..self.costs.len() - 1];
        artificial.iter().map(|cost| Rational::ONE - cost).collect()
    }
}
