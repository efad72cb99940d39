//! Linear functions of least norm: claim 35. The problems of claims 36 and 41 are those of this file.
//!
//! X is the n × d matrix of the points, y the n labels, w a solution if X w = y. In the span of the points
//! lies at most one solution: the difference of two of them is in the span, and orthogonal to it. Any
//! solution u is w + v with X v = 0; for w = Xᵀα in the span <w, v> = <α, X v> = 0, and so
//! ‖u‖² = ‖w‖² + ‖v‖².

use proptest::collection::vec;
use proptest::prelude::*;

use shatter_exact::{Rational, matrix};
use shatter_network::{ExactLabels, ExactPoints};

use super::super::claim::{Claim, Evidence, Stated, Trial};
use super::super::harness::Failure;
use super::super::strategy::any_sample;

pub(super) const CLAIMS: [Claim; 1] = [Claim {
    number: 35,
    name: "one-solution-has-least-norm",
    statement: "If X w = y has solutions, exactly one of them is in the span of the points, w = X^T \
                (X X^T)^-1 y if they are independent, and every other solution has a larger norm.",
    verdict: Stated::True,
    source: "Penrose 1956; Zhang et al. 2017, section 5; proofs/theories/LeastNorm.v",
    test: least_norm,
}];

/// Points and labels that a linear function fits.
#[derive(Clone, Debug)]
pub(super) struct Solvable {
    /// X, n rows of d numbers; rows may depend on one another, and the last may repeat the first.
    pub points: Vec<Vec<Rational>>,
    /// y = X u, n numbers.
    pub labels: Vec<Rational>,
    /// A solution u, d numbers.
    pub solution: Vec<Rational>,
    /// A solution that differs from u by a multiple of each vector of a basis of the null space.
    pub other: Vec<Rational>,
}

impl Solvable {
    pub(super) fn words(&self) -> String {
        format!("x = {}, y = {}", words_of_rows(&self.points), words_of(&self.labels))
    }
}

/// Problems with at most `n` different points of at most `d` dimensions. The labels are those of a
/// generated sample if some linear function fits them, and otherwise X u for a drawn u.
pub(super) fn solvable(n: usize, d: usize) -> impl Strategy<Value = Solvable> {
    let values = (any_sample(1..=n, 1..=d), vec(-9i64..=9, d), vec(-3i64..=3, d), any::<bool>());
    values.prop_map(|(sample, drawn, multiples, repeats)| {
        let mut points: Vec<Vec<Rational>> =
            (0..sample.points.n()).map(|i| sample.points.exact_row(i)).collect();
        let d = sample.points.d();
        let labels: Vec<Rational> =
            (0..points.len()).map(|i| sample.labels.exact_at(i).to_rational()).collect();
        let drawn = || drawn[..d].iter().map(|&x| Rational::from(x)).collect();
        let solution = matrix::solve(&points, &labels).unwrap_or_else(drawn);
        let basis = matrix::null_space(&points, d);
        let other = basis.iter().zip(&multiples).fold(solution.clone(), |sum, (vector, &times)| {
            added(&sum, &Rational::from(times), vector)
        });
        if repeats {
            points.push(points[0].clone());
        }
        Solvable { labels: times(&points, &solution), points, solution, other }
    })
}

fn least_norm(trial: &Trial) -> Evidence {
    trial.every(solvable(5, 6), Solvable::words, |problem| {
        let w = least(&problem.points, &problem.labels)
            .ok_or_else(|| "X X^T a = y has no solution".to_owned())?;
        is_least(problem, &w).map_err(Failure::Other)
    })
}

/// The solution of least norm, Xᵀα with X Xᵀ α = y; `None` if there is no solution.
pub(super) fn least(points: &[Vec<Rational>], labels: &[Rational]) -> Option<Vec<Rational>> {
    let gram: Vec<Vec<Rational>> = points.iter().map(|x| times(points, x)).collect();
    let alpha = matrix::solve(&gram, labels)?;
    let zero = vec![Rational::ZERO; points[0].len()];
    Some(points.iter().zip(&alpha).fold(zero, |sum, (x, alpha)| added(&sum, alpha, x)))
}

/// Checks that w fits, and that every other solution at hand is longer and outside the span.
fn is_least(problem: &Solvable, w: &[Rational]) -> Result<(), String> {
    let Solvable { points, labels, solution, other } = problem;
    if times(points, w) != *labels {
        return Err("w does not fit".to_owned());
    }
    if !spans(points, w) {
        return Err("w is not in the span of the points".to_owned());
    }
    let basis = matrix::null_space(points, w.len());
    if basis.iter().any(|vector| !product(vector, w).is_zero()) {
        return Err("w is not orthogonal to the null space".to_owned());
    }
    let one = Rational::ONE;
    let moved = basis.iter().map(|vector| added(w, &one, vector));
    for u in [solution.clone(), other.clone()].into_iter().chain(moved) {
        if times(points, &u) != *labels {
            return Err("a solution that does not fit".to_owned());
        }
        let v = added(&u, &-one.clone(), w);
        if square(&u) != square(w) + square(&v) {
            return Err(format!("Pythagoras fails for {}", words_of(&u)));
        }
        let same = u == w;
        if !same && (square(&u) <= square(w) || spans(points, &u)) {
            return Err(format!("{} is not longer than w, or is also in the span", words_of(&u)));
        }
    }
    Ok(())
}

/// Returns true if w is a combination of the points.
pub(super) fn spans(points: &[Vec<Rational>], w: &[Rational]) -> bool {
    let column = |k: usize| points.iter().map(|x| x[k].clone()).collect();
    let columns: Vec<Vec<Rational>> = (0..w.len()).map(column).collect();
    matrix::solve(&columns, w).is_some()
}

/// <x, y>.
pub(super) fn product(x: &[Rational], y: &[Rational]) -> Rational {
    x.iter().zip(y).fold(Rational::ZERO, |sum, (x, y)| sum + x * y)
}

/// ‖x‖².
pub(super) fn square(x: &[Rational]) -> Rational {
    product(x, x)
}

/// X w.
pub(super) fn times(points: &[Vec<Rational>], w: &[Rational]) -> Vec<Rational> {
    points.iter().map(|x| product(x, w)).collect()
}

/// x + c y.
pub(super) fn added(x: &[Rational], c: &Rational, y: &[Rational]) -> Vec<Rational> {
    x.iter().zip(y).map(|(x, y)| x + c * y).collect()
}

/// (x_1, …, x_d).
pub(super) fn words_of(x: &[Rational]) -> String {
    format!("({})", x.iter().map(Rational::to_string).collect::<Vec<_>>().join(", "))
}

/// The same of each row.
pub(super) fn words_of_rows(x: &[Vec<Rational>]) -> String {
    x.iter().map(|x| words_of(x)).collect::<Vec<_>>().join(", ")
}

/// Whole numbers as fractions.
#[cfg(test)]
pub(super) fn numbers(x: &[i64]) -> Vec<Rational> {
    x.iter().map(|&x| Rational::from(x)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One point (1, 2) with label 5: the solution of least norm is (1, 2) itself.
    fn problem(other: &[i64]) -> Solvable {
        let other = numbers(other);
        let (points, labels) = (vec![numbers(&[1, 2])], numbers(&[5]));
        Solvable { points, labels, solution: numbers(&[5, 0]), other }
    }

    #[test]
    fn altered_solutions_are_seen() {
        let good = problem(&[-1, 3]);
        assert_eq!(least(&good.points, &good.labels), Some(numbers(&[1, 2])));
        assert_eq!(is_least(&good, &numbers(&[1, 2])), Ok(()));
        let refused = |problem: &Solvable, w: &[i64], part: &str| {
            let found = is_least(problem, &numbers(w));
            assert!(found.as_ref().is_err_and(|reason| reason.contains(part)), "{found:?}");
        };
        refused(&good, &[2, 4], "w does not fit");
        refused(&good, &[5, 0], "not in the span");
        refused(&problem(&[-1, 2]), &[1, 2], "a solution that does not fit");
    }

    #[test]
    fn labels_that_contradict_each_other_have_no_solution() {
        let twice = [numbers(&[1, 2]), numbers(&[1, 2])];
        assert_eq!(least(&twice, &numbers(&[5, 5])), Some(numbers(&[1, 2])));
        assert_eq!(least(&twice, &numbers(&[5, 6])), None);
        assert_eq!(least(&[numbers(&[0, 0])], &numbers(&[0])), Some(numbers(&[0, 0])));
    }
}
