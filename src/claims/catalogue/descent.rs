//! Descent on linear functions: claims 36, 37 and 38.
//!
//! The gradient of a loss l(<w, x>, y) is l' x: a step of gradient descent, with any batch, rate, momentum
//! and weight decay, adds multiples of points to w, of points to the velocity, and scales both. From 0,
//! both stay in the span of the points, in which at most one solution lies, that of least norm
//! (`least_norm.rs`).

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use shatter_exact::{Rational, matrix};

use super::super::claim::{Claim, Evidence, Stated, Trial};
use super::super::harness::Failure;
use super::least_norm::{
    Solvable, added, least, product, solvable, spans, square, times, words_of,
};

pub(super) const CLAIMS: [Claim; 3] = [
    Claim {
        number: 36,
        name: "descent-from-zero-finds-least-norm",
        statement: "Gradient steps on <w, x> from w = 0, with any batches, order, rates, losses, \
                    momentum and weight decay, stay in the span of the points; w is the solution of \
                    least norm as soon as it is a solution.",
        verdict: Stated::True,
        source: "Zhang et al. 2017, section 5; proofs/theories/LeastNorm.v",
        test: from_zero,
    },
    Claim {
        number: 37,
        name: "any-start-finds-least-norm",
        statement: "Gradient steps on <w, x> that end in a solution end in that of least norm, from \
                    whatever w they start.",
        verdict: Stated::False,
        source: "what is orthogonal to the points never changes",
        test: from_elsewhere,
    },
    Claim {
        number: 38,
        name: "adam-finds-least-norm",
        statement: "Adam on <w, x> from w = 0, where it is stopped in a solution, is in that of least norm.",
        verdict: Stated::False,
        source: "its first step, g / (|g| + e) in each coordinate, need not be in the span",
        test: adam,
    },
];

/// A loss by its derivative l' in the output z.
#[derive(Clone, Copy, Debug)]
enum Loss {
    /// (z − y)² / 2.
    Square,
    /// |z − y|, with l' = 0 at z = y.
    Absolute,
    /// Square up to |z − y| = 1, then linear.
    Huber,
    /// max(1 − yz, 0).
    Hinge,
    /// Any loss with this derivative.
    Any(i64),
}

impl Loss {
    fn derivative(self, z: &Rational, y: &Rational) -> Rational {
        let (zero, one) = (Rational::ZERO, Rational::ONE);
        let residual = z - y;
        match self {
            Loss::Square => residual,
            Loss::Absolute if residual.is_zero() => zero,
            Loss::Absolute if residual > zero => one,
            Loss::Absolute => -one,
            Loss::Huber => residual.clamp(-one.clone(), one),
            Loss::Hinge if y * z < one => -y.clone(),
            Loss::Hinge => zero,
            Loss::Any(derivative) => Rational::from(derivative),
        }
    }
}

/// v ← momentum v + Σ l'(<w, x_i>, y_i) x_i over the batch, w ← (1 − decay) w − rate v.
#[derive(Clone, Debug)]
struct Step {
    /// Indices of points, with repetitions.
    batch: Vec<usize>,
    loss: Loss,
    rate: Rational,
    momentum: Rational,
    decay: Rational,
}

/// The weights and the velocity.
#[derive(Clone, Debug, PartialEq)]
struct State {
    w: Vec<Rational>,
    velocity: Vec<Rational>,
}

impl State {
    /// The start at w, at rest.
    fn at(w: Vec<Rational>) -> State {
        State { velocity: vec![Rational::ZERO; w.len()], w }
    }

    fn take(&mut self, step: &Step, points: &[Vec<Rational>], labels: &[Rational]) {
        self.velocity.iter_mut().for_each(|v| *v *= &step.momentum);
        for &i in &step.batch {
            let derivative = step.loss.derivative(&product(&self.w, &points[i]), &labels[i]);
            self.velocity = added(&self.velocity, &derivative, &points[i]);
        }
        let kept = Rational::ONE - &step.decay;
        self.w.iter_mut().for_each(|w| *w *= &kept);
        self.w = added(&self.w, &-step.rate.clone(), &self.velocity);
    }
}

/// Steps, before the points are known by which they go.
#[derive(Clone, Debug)]
struct Drawn {
    batch: Vec<Index>,
    loss: Loss,
    rate: (i64, i64),
    momentum: (i64, i64),
    decay: (i64, i64),
}

impl Drawn {
    fn step(&self, n: usize) -> Step {
        let fraction = |(p, q): (i64, i64)| Rational::from(p) / Rational::from(q);
        Step {
            batch: self.batch.iter().map(|index| index.index(n)).collect(),
            loss: self.loss,
            rate: fraction(self.rate),
            momentum: fraction(self.momentum),
            decay: fraction(self.decay),
        }
    }
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let loss = prop_oneof![
        Just(Loss::Square),
        Just(Loss::Absolute),
        Just(Loss::Huber),
        Just(Loss::Hinge),
        (-9i64..=9).prop_map(Loss::Any),
    ];
    let fraction = || (-9i64..=9, 1i64..=9);
    let or_none = |some: BoxedStrategy<(i64, i64)>| prop_oneof![Just((0, 1)), some];
    let batch = prop_oneof![2 => vec(any::<Index>(), 1), 1 => vec(any::<Index>(), 0..=4)];
    (batch, loss, fraction(), or_none(fraction().boxed()), or_none(fraction().boxed())).prop_map(
        |(batch, loss, rate, momentum, decay)| Drawn { batch, loss, rate, momentum, decay },
    )
}

fn from_zero(trial: &Trial) -> Evidence {
    let words = |(problem, drawn, _): &(Solvable, Vec<Drawn>, Option<Index>)| {
        let steps: Vec<Step> = drawn.iter().map(|step| step.step(problem.points.len())).collect();
        format!("{}, {steps:?}", problem.words())
    };
    let wrong = proptest::option::weighted(0.25, any::<Index>());
    trial.every((solvable(3, 4), vec(drawn(), 0..=6), wrong), words, |(problem, drawn, wrong)| {
        let (points, mut labels) = (&problem.points, problem.labels.clone());
        // A label that was moved may contradict the others, and has no solution then.
        if let Some(index) = wrong {
            labels[index.index(points.len())] += Rational::ONE;
        }
        let steps: Vec<Step> = drawn.iter().map(|step| step.step(points.len())).collect();
        let start = vec![Rational::ZERO; points[0].len()];
        stays_and_arrives(points, &labels, start, &steps).map_err(Failure::Other)
    })
}

/// Takes the steps from `start`, then steps that end in a solution if there is one: neither leaves the
/// span, and the solution is that of least norm.
fn stays_and_arrives(
    points: &[Vec<Rational>],
    labels: &[Rational],
    start: Vec<Rational>,
    steps: &[Step],
) -> Result<(), String> {
    let null = matrix::null_space(points, start.len());
    let mut state = State::at(start);
    for (index, step) in steps.iter().enumerate() {
        state.take(step, points, labels);
        let leaves = |x: &[Rational]| null.iter().any(|vector| !product(vector, x).is_zero());
        if leaves(&state.w) || leaves(&state.velocity) {
            return Err(format!("step {index} leaves the span"));
        }
    }
    if !spans(points, &state.w) {
        return Err("orthogonal to the null space, and not in the span".to_owned());
    }
    let Some(least) = least(points, labels) else { return Ok(()) };
    let w = conjugate(points, labels, state.w)?;
    match (times(points, &w) == labels, w == least) {
        (false, _) => Err("conjugate gradients do not end in a solution".to_owned()),
        (true, false) => Err("a solution that is not that of least norm".to_owned()),
        (true, true) => Ok(()),
    }
}

/// Conjugate gradients: gradient descent on the square loss of all points, with a rate and a momentum for
/// each step by which it ends after at most rank X steps, exactly.
fn conjugate(
    points: &[Vec<Rational>],
    labels: &[Rational],
    w: Vec<Rational>,
) -> Result<Vec<Rational>, String> {
    let d = w.len();
    let gradient = |w: &[Rational]| {
        points.iter().zip(labels).fold(vec![Rational::ZERO; d], |sum, (x, y)| {
            added(&sum, &Loss::Square.derivative(&product(w, x), y), x)
        })
    };
    let mut state = State::at(w);
    let mut last: Option<Rational> = None;
    for _ in 0..=matrix::rank(points) {
        let slope = gradient(&state.w);
        let size = square(&slope);
        if size.is_zero() {
            return Ok(state.w);
        }
        let momentum = last.map_or(Rational::ZERO, |last| &size / last);
        let direction = added(&slope, &momentum, &state.velocity);
        let step = Step {
            batch: (0..points.len()).collect(),
            loss: Loss::Square,
            rate: &size / square(&times(points, &direction)),
            momentum,
            decay: Rational::ZERO,
        };
        state.take(&step, points, labels);
        last = Some(size);
    }
    Err("conjugate gradients do not end".to_owned())
}

/// ‖w‖² of a solution outside the span, and of that of least norm.
fn excess(
    points: &[Vec<Rational>],
    labels: &[Rational],
    w: &[Rational],
) -> Result<(Rational, Rational), String> {
    if times(points, w) != labels {
        return Err(format!("{} does not fit", words_of(w)));
    }
    if spans(points, w) {
        return Err(format!("{} is in the span", words_of(w)));
    }
    let least = least(points, labels).ok_or_else(|| "no solution".to_owned())?;
    match square(w) > square(&least) {
        true => Ok((square(w), square(&least))),
        false => Err(format!("{} is not longer than the least", words_of(w))),
    }
}

/// The point (1, 2) and its label 3.
fn one_point() -> (Vec<Vec<Rational>>, Vec<Rational>) {
    (vec![vec![Rational::ONE, Rational::from(2)]], vec![Rational::from(3)])
}

fn from_elsewhere(_: &Trial) -> Evidence {
    let (points, labels) = one_point();
    one_step(&points, &labels, vec![Rational::ONE, Rational::ZERO])
}

/// The evidence that the step from `start` on the square loss of one point x that fits it, of rate
/// 1/‖x‖², ends in a solution that is not that of least norm.
fn one_step(points: &[Vec<Rational>], labels: &[Rational], start: Vec<Rational>) -> Evidence {
    let step = Step {
        batch: vec![0],
        loss: Loss::Square,
        rate: Rational::ONE / square(&points[0]),
        momentum: Rational::ZERO,
        decay: Rational::ZERO,
    };
    let mut state = State::at(start.clone());
    state.take(&step, points, labels);
    let found = excess(points, labels, &state.w);
    let words = found.clone().map(|(norm, least)| {
        format!(
            "the step ends in the solution {}, outside the span, whose |w|^2 = {norm}; the least is \
             {least}",
            words_of(&state.w)
        )
    });
    Evidence::witness(
        format!(
            "the point {} with label {}, and one step of rate {} on the square loss from w = {}",
            words_of(&points[0]),
            labels[0],
            step.rate,
            words_of(&start)
        ),
        words.unwrap_or_default(),
        found.map(|_| 1),
    )
}

fn adam(_: &Trial) -> Evidence {
    let (points, labels) = one_point();
    let smallest = Rational::ONE / Rational::from(100_000_000);
    first_steps(&points, &labels, &[Rational::ZERO, smallest])
}

/// The evidence that a step of Adam from 0 on the square loss of one point, with each of these e and the
/// rate by which it fits, ends in a solution that is not that of least norm. The first step is −rate g_k / (|g_k| + e),
/// whatever the decays of the moments are: those are divided out.
fn first_steps(points: &[Vec<Rational>], labels: &[Rational], added_to: &[Rational]) -> Evidence {
    let (x, y) = (&points[0], &labels[0]);
    let gradient: Vec<Rational> = x.iter().map(|x| -(y * x)).collect();
    let size = |g: &Rational| if *g < Rational::ZERO { -g.clone() } else { g.clone() };
    let step = |e: &Rational| -> Vec<Rational> {
        let scaled =
            |g: &Rational| if g.is_zero() { g.clone() } else { -g.clone() / (size(g) + e) };
        gradient.iter().map(scaled).collect()
    };
    let ends = |e: &Rational| -> Result<(Rational, Vec<Rational>), String> {
        let step = step(e);
        let moved = product(x, &step);
        if moved.is_zero() {
            return Err("the step does not change the output".to_owned());
        }
        let rate = y / moved;
        let w: Vec<Rational> = step.iter().map(|s| s * &rate).collect();
        excess(points, labels, &w).map(|_| (rate, w))
    };
    let found: Result<Vec<_>, String> = added_to.iter().map(ends).collect();
    let words = found.clone().map(|found| {
        let (rate, w) = &found[0];
        format!(
            "at rate {rate} and e = {} it ends in the solution {}, outside the span of the point; for \
             each of {} values of e, the step with the rate that fits ends outside the span, at a \
             norm above the least",
            added_to[0],
            words_of(w),
            found.len()
        )
    });
    Evidence::witness(
        format!("the point {} with label {y}, and the first step of Adam", words_of(x)),
        words.unwrap_or_default(),
        found.map(|found| found.len() as u64),
    )
}

#[cfg(test)]
mod tests {
    use super::super::least_norm::numbers;
    use super::*;

    fn step(loss: Loss, rate: i64, momentum: i64) -> Step {
        let (rate, momentum) = (Rational::from(rate), Rational::from(momentum));
        Step { batch: vec![0], loss, rate, momentum, decay: Rational::ZERO }
    }

    #[test]
    fn steps_are_those_of_the_formula() {
        let (points, labels) = one_point();
        let mut state = State::at(numbers(&[0, 0]));
        state.take(&step(Loss::Square, 1, 0), &points, &labels); // l' = -3
        assert_eq!(state, State { w: numbers(&[3, 6]), velocity: numbers(&[-3, -6]) });
        state.take(&step(Loss::Absolute, 2, 3), &points, &labels); // l' = 1: v = (-9 + 1)(1, 2)
        assert_eq!(state, State { w: numbers(&[19, 38]), velocity: numbers(&[-8, -16]) });
        let decays = Step { decay: Rational::ONE, ..step(Loss::Any(0), 1, 0) };
        state.take(&decays, &points, &labels);
        assert_eq!(state, State::at(numbers(&[0, 0])));
    }

    #[test]
    fn derivatives_are_those_of_their_losses() {
        let at =
            |loss: Loss, z: i64, y: i64| loss.derivative(&Rational::from(z), &Rational::from(y));
        let expect = |loss, table: [(i64, i64, i64); 3]| {
            for (z, y, derivative) in table {
                assert_eq!(at(loss, z, y), Rational::from(derivative), "{loss:?} {z} {y}");
            }
        };
        expect(Loss::Square, [(5, 3, 2), (3, 3, 0), (0, 3, -3)]);
        expect(Loss::Absolute, [(5, 3, 1), (3, 3, 0), (0, 3, -1)]);
        expect(Loss::Huber, [(5, 3, 1), (3, 3, 0), (2, 3, -1)]);
        expect(Loss::Hinge, [(0, 3, -3), (1, 1, 0), (1, -2, 2)]);
    }

    #[test]
    fn conjugate_gradients_solve_independent_and_dependent_points() {
        let x = [numbers(&[1, 2, 0]), numbers(&[0, 1, 1]), numbers(&[1, 3, 1])];
        let y = numbers(&[1, 2, 3]);
        let w = conjugate(&x, &y, numbers(&[0, 0, 0])).unwrap();
        assert_eq!(Some(w), least(&x, &y));
        // From outside the span it ends in another solution.
        let w = conjugate(&x, &y, numbers(&[2, -1, 1])).unwrap();
        assert_eq!(times(&x, &w), y);
        assert!(!spans(&x, &w));
    }

    #[test]
    fn a_start_outside_the_span_is_seen() {
        let (points, labels) = one_point();
        let steps = [step(Loss::Square, 1, 0)];
        let from =
            |start: &[i64], steps| stays_and_arrives(&points, &labels, numbers(start), steps);
        assert_eq!(from(&[0, 0], &steps), Ok(()));
        assert_eq!(from(&[1, 2], &steps), Ok(()));
        assert!(from(&[1, 0], &steps).unwrap_err().contains("step 0 leaves the span"));
        assert!(from(&[1, 0], &[]).is_err());
    }

    #[test]
    fn altered_witnesses_do_not_stand() {
        let (points, labels) = one_point();
        let stands = |evidence| matches!(evidence, Evidence::Refuted { .. });
        assert!(stands(one_step(&points, &labels, numbers(&[1, 0]))));
        for inside in [[0, 0], [1, 2]] {
            assert!(!stands(one_step(&points, &labels, numbers(&inside))));
        }
        let zero = || [Rational::ZERO];
        assert!(stands(first_steps(&points, &labels, &zero())));
        let one = |x: &[i64], y: i64| first_steps(&[numbers(x)], &numbers(&[y]), &zero());
        assert!(!stands(one(&[1, 1], 3))); // equal coordinates are scaled alike
        assert!(!stands(one(&[1, 2], 0))); // no gradient
        assert!(!stands(one(&[2], 3))); // one dimension
    }
}
