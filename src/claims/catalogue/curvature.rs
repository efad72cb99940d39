//! The curvature of the loss of linear functions at solutions: claims 41 and 42.
//!
//! The loss is L(w) = (1/n) Σ_i l(<w, x_i>, y_i), and its Hessian at w is
//! (1/n) Xᵀ diag(l''(<w, x_i>, y_i)) X. At a solution <w, x_i> = y_i, whichever solution it is.

use std::ops::{Add, Mul};

use proptest::sample::select;

use shatter_exact::{Rational, matrix};

use super::super::claim::{Claim, Evidence, Stated, Trial};
use super::super::harness::Failure;
use super::least_norm::{Solvable, added, least, product, solvable, square, times, words_of};

pub(super) const CLAIMS: [Claim; 2] = [
    Claim {
        number: 41,
        name: "solutions-have-equal-curvature",
        statement: "At every solution of X w = y the Hessian of the mean loss is the same matrix, (1/n) \
                    X^T diag(l''(y_i, y_i)) X; if d > n it is singular.",
        verdict: Stated::True,
        source: "Zhang et al. 2017, section 5; proofs/theories/LeastNorm.v",
        test: equal_curvature,
    },
    Claim {
        number: 42,
        name: "curvature-ranks-solutions",
        statement: "The Hessian of the loss tells apart solutions of X w = y that differ in norm or in their \
                    errors at held-out points.",
        verdict: Stated::False,
        source: "Zhang et al. 2017, section 5",
        test: equal_and_unlike,
    },
];

/// A loss l(z, y) that is 0 at z = y, its minimum. With r = z − y:
#[derive(Clone, Copy, Debug)]
enum Loss {
    /// r²/2.
    Square,
    /// (1 + y²)(r² + r³ + r⁴): its curvature depends on the label and, elsewhere, on the output.
    Quartic,
    /// r²/(1 + r²), which is not convex.
    Bounded,
}

const LOSSES: [Loss; 3] = [Loss::Square, Loss::Quartic, Loss::Bounded];

impl Loss {
    fn at(self, z: &Dual, y: &Rational) -> Dual {
        let r = z + &Dual::constant(-y.clone());
        let squared = &r * &r;
        match self {
            Loss::Square => &squared * &Dual::constant(Rational::ONE / Rational::from(2)),
            Loss::Quartic => {
                let sum = &(&squared + &(&squared * &r)) + &(&squared * &squared);
                &sum * &Dual::constant(Rational::ONE + y * y)
            }
            Loss::Bounded => {
                let below = &Dual::constant(Rational::ONE) + &squared;
                &squared * &below.reciprocal()
            }
        }
    }

    /// l''(y, y).
    fn curvature(self, y: &Rational) -> Rational {
        match self {
            Loss::Square => Rational::ONE,
            Loss::Quartic => Rational::from(2) * (Rational::ONE + y * y),
            Loss::Bounded => Rational::from(2),
        }
    }
}

/// The number a + b s + c t + e st, where s² = t² = 0: f(w + s u + t v) has e = uᵀ f''(w) v.
#[derive(Clone, Debug, PartialEq)]
struct Dual([Rational; 4]);

impl Dual {
    fn constant(a: Rational) -> Dual {
        Dual([a, Rational::ZERO, Rational::ZERO, Rational::ZERO])
    }

    /// 1/x, for a ≠ 0: with x = a(1 + h), h³ = 0, it is (1 − h + h²)/a.
    fn reciprocal(&self) -> Dual {
        let inverse = Rational::ONE / &self.0[0];
        let minus_h = Dual([
            Rational::ZERO,
            -(&self.0[1] * &inverse),
            -(&self.0[2] * &inverse),
            -(&self.0[3] * &inverse),
        ]);
        let series = &(&Dual::constant(Rational::ONE) + &minus_h) + &(&minus_h * &minus_h);
        &series * &Dual::constant(inverse)
    }
}

impl Add for &Dual {
    type Output = Dual;

    fn add(self, other: &Dual) -> Dual {
        Dual(std::array::from_fn(|i| &self.0[i] + &other.0[i]))
    }
}

impl Mul for &Dual {
    type Output = Dual;

    fn mul(self, other: &Dual) -> Dual {
        let ([a, b, c, e], [p, q, r, u]) = (&self.0, &other.0);
        Dual([a * p, a * q + b * p, a * r + c * p, a * u + b * r + c * q + e * p])
    }
}

/// The second derivatives of L at w, taken of L itself and not by the formula.
fn hessian(
    loss: Loss,
    points: &[Vec<Rational>],
    labels: &[Rational],
    w: &[Rational],
) -> Vec<Vec<Rational>> {
    let share = Rational::ONE / Rational::from(points.len());
    let entry = |j: usize, k: usize| {
        let terms = points.iter().zip(labels).map(|(x, y)| {
            let z = Dual([product(x, w), x[j].clone(), x[k].clone(), Rational::ZERO]);
            let [_, _, _, second] = loss.at(&z, y).0;
            second
        });
        terms.fold(Rational::ZERO, |sum, term| sum + term) * &share
    };
    (0..w.len()).map(|j| (0..w.len()).map(|k| entry(j, k)).collect()).collect()
}

/// (1/n) Xᵀ diag(l''(y_i, y_i)) X.
fn formula(loss: Loss, points: &[Vec<Rational>], labels: &[Rational]) -> Vec<Vec<Rational>> {
    let (n, d) = (Rational::from(points.len()), points[0].len());
    let entry = |j: usize, k: usize| {
        let terms = points.iter().zip(labels).map(|(x, y)| &x[j] * &x[k] * loss.curvature(y));
        terms.fold(Rational::ZERO, |sum, term| sum + term) / &n
    };
    (0..d).map(|j| (0..d).map(|k| entry(j, k)).collect()).collect()
}

fn equal_curvature(trial: &Trial) -> Evidence {
    let words = |(problem, loss): &(Solvable, Loss)| format!("{}, {loss:?}", problem.words());
    trial.every((solvable(4, 5), select(&LOSSES[..])), words, |(problem, loss)| {
        let (points, labels) = (&problem.points, &problem.labels);
        let least = least(points, labels).ok_or_else(|| "no solution".to_owned())?;
        let solutions = [least, problem.solution.clone(), problem.other.clone()];
        same_everywhere(*loss, points, labels, &solutions).map_err(Failure::Other)
    })
}

/// The Hessian at each of the solutions is that of the formula, and has the null space of X.
fn same_everywhere(
    loss: Loss,
    points: &[Vec<Rational>],
    labels: &[Rational],
    solutions: &[Vec<Rational>],
) -> Result<(), String> {
    let expected = formula(loss, points, labels);
    for w in solutions {
        if times(points, w) != labels {
            return Err(format!("{} is not a solution", words_of(w)));
        }
        if hessian(loss, points, labels, w) != expected {
            return Err(format!("the Hessian differs at {}", words_of(w)));
        }
    }
    let d = points[0].len();
    let null = matrix::null_space(points, d);
    let flat = |vector: &Vec<Rational>| times(&expected, vector).iter().all(Rational::is_zero);
    if !null.iter().all(flat) {
        return Err("solutions differ along a direction that is not flat".to_owned());
    }
    if d > points.len() && matrix::rank(&expected) == d {
        return Err("d > n, and the Hessian is regular".to_owned());
    }
    Ok(())
}

fn equal_and_unlike(_: &Trial) -> Evidence {
    // The point (1, 0) with label 1, and the held-out point (0, 1) with label 1.
    ranked([1, 0], 1, [0, 1], 1, [[1, 0], [1, 1], [1, 3]])
}

/// The evidence that three solutions of one point, by growing norm, have equal Hessians for every loss,
/// and that the second has the least error at the held-out point.
fn ranked(
    point: [i64; 2],
    label: i64,
    held_out: [i64; 2],
    its_label: i64,
    solutions: [[i64; 2]; 3],
) -> Evidence {
    let vector = |x: [i64; 2]| x.map(Rational::from).to_vec();
    let (points, labels) = ([vector(point)], [Rational::from(label)]);
    let solutions = solutions.map(vector);
    let error = |w: &Vec<Rational>| {
        let residual =
            added(&[product(w, &vector(held_out))], &-Rational::ONE, &[its_label.into()]);
        square(&residual)
    };
    let norms: Vec<Rational> = solutions.iter().map(|w| square(w)).collect();
    let errors: Vec<Rational> = solutions.iter().map(error).collect();
    let check = || {
        for loss in LOSSES {
            same_everywhere(loss, &points, &labels, &solutions)?;
        }
        if !norms.is_sorted_by(|x, y| x < y) {
            return Err("the norms do not grow".to_owned());
        }
        match errors[1] < errors[0] && errors[1] < errors[2] {
            true => Ok((LOSSES.len() * solutions.len()) as u64),
            false => Err("the second solution has not the least error".to_owned()),
        }
    };
    let list = |numbers: &[Rational]| words_of(numbers);
    Evidence::witness(
        format!(
            "the point {} with label {label}, the solutions {}, and the held-out point {} with label \
             {its_label}",
            words_of(&vector(point)),
            solutions.each_ref().map(|w| words_of(w)).join(", "),
            words_of(&vector(held_out))
        ),
        format!(
            "for each of {} losses the three Hessians are equal; |w|^2 is {}, and the squared errors at \
             the held-out point are {}: the norm does not rank the solutions, either",
            LOSSES.len(),
            list(&norms),
            list(&errors)
        ),
        check(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::least_norm::numbers;
    use super::*;

    #[test]
    fn duals_differentiate() {
        let dual = |x: [i64; 4]| Dual(x.map(Rational::from));
        // (2 + s + t)³ = 8 + 12 s + 12 t + 12 st: the second derivative of z³ is 6z.
        let z = dual([2, 1, 1, 0]);
        assert_eq!(&(&z * &z) * &z, dual([8, 12, 12, 12]));
        assert_eq!(&z * &z.reciprocal(), dual([1, 0, 0, 0]));
    }

    #[test]
    fn where_nothing_fits_curvature_does_differ() {
        let (x, y) = ([numbers(&[1, 2])], numbers(&[5]));
        for (loss, differs) in [(Loss::Square, false), (Loss::Quartic, true), (Loss::Bounded, true)]
        {
            let at = |w: [i64; 2]| hessian(loss, &x, &y, &numbers(&w));
            assert_eq!(at([1, 2]), formula(loss, &x, &y));
            assert_eq!(at([1, 2]) != at([0, 0]), differs, "{loss:?}");
        }
        let refused = same_everywhere(Loss::Square, &x, &y, &[numbers(&[0, 0])]);
        assert!(refused.unwrap_err().contains("not a solution"));
    }

    #[test]
    fn altered_witnesses_do_not_stand() {
        let stands =
            |solutions| matches!(ranked([1, 0], 1, [0, 1], 1, solutions), Evidence::Refuted { .. });
        assert!(stands([[1, 0], [1, 1], [1, 3]]));
        assert!(!stands([[1, 0], [2, 1], [1, 3]])); // no solution
        assert!(!stands([[1, 1], [1, 0], [1, 3]])); // norms out of order
        assert!(!stands([[1, 0], [1, 2], [1, 3]])); // the first is as good
    }
}
