//! Interpolation by kernels: claims 39 and 40.

use proptest::prelude::*;

use shatter_exact::{IBig, Rational, matrix};
use shatter_network::{ExactLabels, ExactPoints};
use shatter_sample::Sample;

use super::super::claim::{Claim, Evidence, Stated, Trial};
use super::super::describe::describe;
use super::super::harness::Failure;
use super::super::strategy::{LabelKind, PointKind, any_sample, sample};
use super::least_norm::{added, product, square, times, words_of};

pub(super) const CLAIMS: [Claim; 2] = [
    Claim {
        number: 39,
        name: "strictly-definite-kernels-fit",
        statement: "The kernel 1 / (1 + g |x - x'|^2)^m, for g > 0 and m = 1, 2, ..., is strictly \
                    positive definite: a sum of n coefficients times it fits any real labels on any \
                    n distinct points.",
        verdict: Stated::True,
        source: "Schoenberg 1938; Micchelli 1986; construct::rational_kernel for g = m = 1",
        test: strictly_definite,
    },
    Claim {
        number: 40,
        name: "positive-definite-kernels-fit",
        statement: "With any positive definite kernel, a sum of n coefficients times it fits any real \
                    labels on any n distinct points.",
        verdict: Stated::False,
        source: "a polynomial kernel of degree p has rank p + 1 on a line",
        test: low_degree,
    },
];

type Matrix = Vec<Vec<Rational>>;

/// The value of the kernel at two points.
trait Kernel {
    fn at(&self, x: &[Rational], y: &[Rational]) -> Rational;

    /// K_ij = k(x_i, x_j).
    fn gram(&self, points: &[Vec<Rational>]) -> Matrix {
        points.iter().map(|x| points.iter().map(|y| self.at(x, y)).collect()).collect()
    }
}

/// 1 / (1 + g‖x − x'‖²)^m = ∫_0^∞ s^(m−1) e^(−s) e^(−s g ‖x − x'‖²) ds / (m − 1)!, a mixture of Gaussian
/// kernels.
#[derive(Clone, Debug)]
struct Inverse {
    g: Rational,
    m: u32,
}

impl Kernel for Inverse {
    fn at(&self, x: &[Rational], y: &[Rational]) -> Rational {
        let difference = added(x, &-Rational::ONE, y);
        let base = Rational::ONE / (Rational::ONE + &self.g * square(&difference));
        base.pow(self.m as isize)
    }
}

/// (1 + <x, x'>)^p.
#[derive(Clone, Copy, Debug)]
struct Polynomial {
    degree: u32,
}

impl Kernel for Polynomial {
    fn at(&self, x: &[Rational], y: &[Rational]) -> Rational {
        (Rational::ONE + product(x, y)).pow(self.degree as isize)
    }
}

fn rows(sample: &Sample) -> Matrix {
    (0..sample.points.n()).map(|i| sample.points.exact_row(i)).collect()
}

fn labels(sample: &Sample) -> Vec<Rational> {
    (0..sample.points.n()).map(|i| sample.labels.exact_at(i).to_rational()).collect()
}

fn strictly_definite(trial: &Trial) -> Evidence {
    // Wide kernels make the matrix nearly singular, narrow ones nearly the identity.
    let power = |exponent: i32| Rational::from(10).pow(exponent as isize);
    let g = prop_oneof![
        Just(Rational::ONE),
        (1i64..=99, 1i64..=99).prop_map(|(p, q)| Rational::from(p) / Rational::from(q)),
        (-30i32..=30).prop_map(power),
    ];
    let kernel = (g, 1u32..=3).prop_map(|(g, m)| Inverse { g, m });
    let words = |(sample, Inverse { g, m }): &(Sample, Inverse)| {
        format!("{}; g = {g}, m = {m}", describe(sample))
    };
    trial.every((any_sample(1..=4, 1..=3), kernel), words, |(sample, kernel)| {
        fits(&rows(sample), &labels(sample), kernel).map_err(Failure::Other)
    })
}

/// Positive leading minors, and coefficients with which the sum of kernels has every label.
fn fits(points: &[Vec<Rational>], labels: &[Rational], kernel: &impl Kernel) -> Result<(), String> {
    let gram = kernel.gram(points);
    let minors = leading_minors(&gram);
    if let Some(k) = minors.iter().position(|minor| *minor <= Rational::ZERO) {
        return Err(format!("leading minor {} is {}", k + 1, minors[k]));
    }
    let alpha = matrix::solve(&gram, labels).ok_or_else(|| "no coefficients".to_owned())?;
    let value = |x: &Vec<Rational>| {
        let terms = points.iter().zip(&alpha).map(|(x_j, alpha)| alpha * kernel.at(x, x_j));
        terms.fold(Rational::ZERO, |sum, term| sum + term)
    };
    match points.iter().zip(labels).position(|(x, y)| value(x) != *y) {
        None => Ok(()),
        Some(i) => Err(format!("the label of point {i} is missed")),
    }
}

/// The determinants of the first 1, 2, … rows and columns, up to the first that is 0: products of the
/// pivots of elimination without exchanges.
fn leading_minors(matrix: &[Vec<Rational>]) -> Vec<Rational> {
    let (mut rows, mut minors) = (matrix.to_vec(), Vec::new());
    let mut minor = Rational::ONE;
    for k in 0..rows.len() {
        let (above, below) = rows.split_at_mut(k + 1);
        let pivot = &above[k];
        minor *= &pivot[k];
        minors.push(minor.clone());
        if minor.is_zero() {
            break;
        }
        for row in below {
            let factor = &row[k] / &pivot[k];
            *row = added(row, &-factor, pivot);
        }
    }
    minors
}

fn low_degree(trial: &Trial) -> Evidence {
    let samples = sample(PointKind::Distinct, LabelKind::Real, 1..=6, 1..=1);
    let words = |(sample, degree): &(Sample, u32)| {
        format!("k(x, x') = (1 + x x')^{degree}; {}", describe(sample))
    };
    trial.refuted_by((samples, 1u32..=3), words, |(sample, degree)| {
        let kernel = Polynomial { degree: *degree };
        no_coefficients(&rows(sample), &labels(sample), kernel)
    })
}

/// Checks that the kernel is positive definite on these points of a line, and that some c with K c = 0
/// has <c, y> ≠ 0, so that y = K α has no solution α.
fn no_coefficients(
    points: &[Vec<Rational>],
    labels: &[Rational],
    kernel: Polynomial,
) -> Result<String, String> {
    let gram = kernel.gram(points);
    if gram != sum_of_powers(points, kernel.degree) {
        return Err("the kernel is not a sum of products of powers".to_owned());
    }
    let null = matrix::null_space(&gram, points.len());
    let c = null.into_iter().find(|c| !product(c, labels).is_zero());
    let c = c.ok_or_else(|| "every label is orthogonal to the null space".to_owned())?;
    if times(&gram, &c).iter().any(|x| !x.is_zero()) {
        return Err("a relation that is none".to_owned());
    }
    match matrix::solve(&gram, labels) {
        Some(_) => Err("there are coefficients".to_owned()),
        None => Ok(format!(
            "k is a sum of {} products f(x) f(x') with positive factors, so positive definite; K c = 0 for \
             c = {}, and <c, y> = {} is not 0, so that y = K a has no solution",
            kernel.degree + 1,
            words_of(&c),
            product(&c, labels)
        )),
    }
}

/// Σ_k C(p, k) x_i^k x_j^k, which is (1 + x_i x_j)^p.
fn sum_of_powers(points: &[Vec<Rational>], degree: u32) -> Matrix {
    let binomial = |k: u32| {
        let factors = (0..k).map(|i| (IBig::from(degree - i), IBig::from(i + 1)));
        Rational::from(factors.fold(IBig::ONE, |value, (times, by)| value * times / by))
    };
    let entry = |x: &Vec<Rational>, y: &Vec<Rational>| {
        let both = &x[0] * &y[0];
        (0..=degree).fold(Rational::ZERO, |sum, k| sum + binomial(k) * both.pow(k as isize))
    };
    points.iter().map(|x| points.iter().map(|y| entry(x, y)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::least_norm::numbers;
    use super::*;

    /// By the first row.
    fn determinant(matrix: &[Vec<Rational>]) -> Rational {
        let Some((first, rest)) = matrix.split_first() else { return Rational::ONE };
        (0..first.len()).fold(Rational::ZERO, |sum, j| {
            let without = |row: &Vec<Rational>| {
                row.iter().enumerate().filter(|(k, _)| *k != j).map(|(_, x)| x.clone()).collect()
            };
            let minor = determinant(&rest.iter().map(without).collect::<Matrix>());
            if j % 2 == 0 { sum + &first[j] * minor } else { sum - &first[j] * minor }
        })
    }

    #[test]
    fn leading_minors_are_determinants() {
        let matrix =
            [[2, 1, -1, 3], [4, 1, 0, 2], [1, 5, 2, -2], [0, 3, 1, 1]].map(|row| numbers(&row));
        let corner = |k: usize| matrix[..k].iter().map(|row| row[..k].to_vec()).collect::<Matrix>();
        let expected: Vec<Rational> = (1..=4).map(|k| determinant(&corner(k))).collect();
        assert_eq!(leading_minors(&matrix), expected);
        // The second pivot is 0: elimination without exchanges ends there.
        let singular = [[1, 2, 0], [2, 4, 1], [0, 1, 1]].map(|row| numbers(&row));
        assert_eq!(leading_minors(&singular), numbers(&[1, 0]));
    }

    #[test]
    fn kernels_that_are_not_strict_and_repeated_points_are_seen() {
        let points = [[0], [1], [3]].map(|x| numbers(&x));
        let y = numbers(&[1, 0, 1]);
        let inverse = Inverse { g: Rational::ONE, m: 1 };
        assert_eq!(fits(&points, &y, &inverse), Ok(()));
        let twice = [[0], [1], [1]].map(|x| numbers(&x));
        let minor = |found: Result<(), String>| found.unwrap_err().contains("leading minor 3 is 0");
        assert!(minor(fits(&twice, &y, &inverse)));
        assert!(minor(fits(&points, &y, &Polynomial { degree: 1 })));
        assert_eq!(fits(&points, &y, &Polynomial { degree: 2 }), Ok(()));
        // The value of the kernel, by hand: 1/(1 + 4/2)^2.
        let half = Inverse { g: Rational::ONE / Rational::from(2), m: 2 };
        let ninth = Rational::ONE / Rational::from(9);
        assert_eq!(half.at(&numbers(&[1, 0]), &numbers(&[1, 2])), ninth);
    }

    #[test]
    fn altered_witnesses_of_a_low_degree_do_not_stand() {
        let line = |n: i64| (0..n).map(|x| numbers(&[x])).collect::<Matrix>();
        let found = |n: i64, y: &[i64], degree| {
            no_coefficients(&line(n), &numbers(y), Polynomial { degree })
        };
        assert!(found(3, &[0, 1, 0], 1).is_ok());
        assert!(found(3, &[0, 1, 2], 1).is_err()); // on the line
        assert!(found(3, &[0, 1, 0], 2).is_err()); // the degree suffices
        assert!(found(2, &[0, 1], 1).is_err());
        assert!(found(5, &[0, 0, 1, 0, 0], 3).is_ok());
        assert!(found(5, &[0, 1, 8, 27, 64], 3).is_err()); // a cubic
        let twice = Polynomial { degree: 2 }.gram(&line(3));
        assert_eq!(twice, sum_of_powers(&line(3), 2));
    }
}
