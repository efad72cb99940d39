//! Uniform stability of stochastic gradient descent, and the measured swap of one example.
//!
//! **Definition.** Let z = (x, y) be an example, ℓ(w; z) its loss with weights w, and w(S) the weights that
//! training makes of a sample S of n examples. Training is ε-stable if E |ℓ(w(S); z) − ℓ(w(S'); z)| <= ε for every
//! z and all S, S' that differ in one example, the expectation over the order of the examples.
//!
//! **The gap.** For independent examples, E [test loss − training loss] <= ε, over sample and order. **Proof.**
//! Let z'_i be a further draw and S_i be S with z'_i in place of z_i. Since z_i and z'_i may change names, E
//! ℓ(w(S_i); z_i) = E ℓ(w(S); z'_i), the expected test loss; so the gap is the mean over i of E [ℓ(w(S_i); z_i) −
//! ℓ(w(S); z_i)]. ∎ The mean over i of the stabilities, the example in place i being exchanged, is enough.
//!
//! **Training.** w_{t+1} = w_t − α_t (mean of ∇ℓ(w_t; z_i) over the b_t places i of the batch + λ w_t), in real
//! arithmetic, from a w_0 that does not depend on the sample. Batches are places: they are drawn without a look at
//! the examples. The losses have continuous second derivatives; L bounds ‖∇ℓ(w; z)‖, and β the spectral norm of
//! ∇²ℓ(w; z).
//!
//! **Theorem (convex).** If ∇²ℓ >= 0 and α_t (β + λ) <= 2 for every t,
//!
//! ```text
//! ε <= (2L²/n) Σ_t α_t,   and ε <= 2L²/(λn) if λ > 0 and α_t (β + 2λ) <= 2,
//! ```
//!
//! for every place if each is as likely as any other to be in batch t, for every t (as where an epoch is a random
//! permutation, its last batch being short, too), and for the mean over places of any batches. A loss whose second
//! derivatives are at least γ > 0, with steps that are projected on a convex set where L bounds its gradient, has
//! the same with γ for λ.
//!
//! **Source.** Hardt, Recht and Singer, ICML 2016, Theorems 3.8 and 3.9. **Proof.** Let δ_t = ‖w_t − w'_t‖ for
//! samples that differ in place i, and m the number of times that i is in batch t.
//!
//! *One batch, both samples the same.* w_{t+1} − w'_{t+1} = (I − α_t(H + λI))(w_t − w'_t), where H is the mean of
//! second derivatives along the segment, symmetric, 0 <= H <= βI. Its eigenvalues are between 1 − α_t(β + λ) and
//! 1 − α_t λ, so its norm is at most 1 if α_t(β + λ) <= 2, and at most 1 − α_t λ if α_t(β + 2λ) <= 2.
//!
//! *The other example.* Gradients of z_i and z'_i at one w differ by at most 2L, and the terms λw cancel: δ_{t+1}
//! <= q_t δ_t + 2 α_t L m/b_t with q_t from the step before. The expectation of m over the draw of batch t, which
//! depends on nothing before, or its mean over places i, is b_t/n; and where batches depend on one another, as in
//! a permutation, the recursion is linear in the m, whose expectations are still b_t/n. So Δ_t, the expectation of
//! δ_t or its mean over i, has Δ_{t+1} <= q_t Δ_t + 2 α_t L/n from Δ_0 = 0. With q_t = 1 the sum follows; with q_t
//! = 1 − α_t λ, Δ_t <= 2L/(λn) implies the same of Δ_{t+1}. Finally ε <= L Δ. A projection P on a convex set has
//! ‖P(v) − P(w)‖ <= ‖v − w‖. ∎
//!
//! **Theorem (smooth).** If 0 <= ℓ <= 1, λ = 0, α_t <= c/t for t = 1, …, T, and batches of b different places are
//! independent of one another, each place as likely as any other, for every k = 1, …, T
//!
//! ```text
//! ε <= b k/n + (2L²/(βn)) (T/k)^{βc}.
//! ```
//!
//! **Source.** Theorem 3.12 there, where k is the real number at which the sum is least, and n − 1 stands for n.
//! **Proof.** Place i is in none of the first k batches but for an event of probability at most bk/n, on which the
//! losses differ by at most 1. Let D_t be the expectation of δ_t outside of this event, D_k = 0. For t > k batch t
//! depends on neither the event nor δ_t, and the norm of I − α_t H is at most 1 + βc/t, so D_{t+1} <= (1 + βc/t)
//! D_t + 2cL/(tn). As Π_{s>t} (1 + βc/s) <= (T/t)^{βc}, D_T <= (2cL/n) Σ_{t>k} (T/t)^{βc}/t <= (2cL/n) T^{βc}
//! k^{−βc}/(βc), by the integral. ∎ Here k runs over the whole numbers beside the best real one and T, where the
//! second term is 0.
//!
//! # L and β
//!
//! For f(x) = Wx + b, w = (W, b), x̃ = (x, 1) and ‖x̃‖₂ <= B:
//!
//! | loss | L | β |
//! |---|---|---|
//! | softmax cross-entropy, k >= 2 outputs | √2 B | B²/2 |
//! | logistic, ln(1 + e^{∓f}), one output | B | B²/4 |
//! | squared, ½‖f − y‖² | none: ‖(f − y) x̃ᵀ‖ has no limit | B² |
//!
//! **Proof.** With p = softmax(f), ∇ℓ = (p − e_y) x̃ᵀ and ‖p − e_y‖² = (1 − p_y)² + Σ_{c≠y} p_c² <= 2(1 − p_y)²,
//! at most 2. The second derivative is (diag p − ppᵀ) ⊗ x̃x̃ᵀ, and for a unit vector v, vᵀ(diag p − ppᵀ)v is the
//! variance of a number v_c drawn with probabilities p, from 0 to ((max v − min v)/2)² <= 1/2. With σ =
//! 1/(1 + e^{−f}) the derivative of the logistic loss in f is below 1 in absolute value, and the second one is
//! σ(1 − σ) <= 1/4. With one output the cross-entropy is 0. ∎ All three are convex. With a hidden layer f has
//! products of weights: the loss is not convex, its gradients and second derivatives grow with the weights, and at
//! the kinks of ReLU there are none.
//!
//! # What it says
//!
//! The value depends on n, B, steps and λ, and *not on the labels*: it is the same for true and for random ones,
//! so it cannot tell a network that generalizes from one that memorizes. It bounds a gap of losses, in
//! expectation; of the test error it says nothing. Momentum is not covered. A *bound*, rounded up; steps that
//! exceed a limit only by rounding are refused. The swap is a *measure*. **Cost.** A few operations; of the swap,
//! two passes over the points.

use serde::Serialize;

use shatter_network::Graph;
use shatter_network::reading::How;
use shatter_plain::outputs;

use crate::layers::{Homogeneous, Outputs, Perceptron};
use crate::sizes::PointSizes;
use crate::{Assumption, Enclosure, Finding, MeasureError};

/// A loss of outputs f ∈ R^k and a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// ln Σ_c e^{f_c} − f_y.
    CrossEntropy,
    /// ln(1 + e^{−f}) for the second of two classes, ln(1 + e^f) for the first; one output.
    Logistic,
    /// ½‖f − y‖₂².
    Squared,
}

/// What is known of a loss as a function of the weights, whatever the label.
#[derive(Clone, Debug, PartialEq)]
pub struct Constants {
    /// L; `None` where gradients have no limit that is known.
    pub lipschitz: Option<Enclosure>,
    /// β; `None` where second derivatives have no limit that is known.
    pub smooth: Option<Enclosure>,
    /// Lipschitz, smooth, convex: each met, or failing with the layer where it fails.
    pub assumptions: Vec<Assumption>,
}

/// Steps of gradient descent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steps {
    sum: Enclosure,
    largest: f64,
}

/// A run of gradient descent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Descent {
    /// The loss of one example; that of a batch is its mean.
    pub loss: Loss,
    /// α_t.
    pub steps: Steps,
    /// Momentum, of which the theorem covers 0.
    pub momentum: f64,
    /// λ, of all weights and biases.
    pub weight_decay: f64,
}

/// What the smooth form needs: a loss in [0, 1], and steps α_t <= c/t.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smooth {
    /// L.
    pub lipschitz: Enclosure,
    /// β.
    pub smooth: Enclosure,
    /// c.
    pub c: f64,
    /// T.
    pub steps: u64,
    /// b.
    pub batch: u64,
}

const LIPSCHITZ: &str = "gradients of the loss in the weights are bounded";
const SMOOTH: &str = "second derivatives of the loss in the weights are bounded";
const CONVEX: &str = "the loss is convex in the weights";
const DECAY: &str = "weight decay is that of all weights and biases, in the gradient";

fn parameter<T>(what: &'static str, value: f64, expected: &'static str) -> Result<T, MeasureError> {
    Err(MeasureError::Parameter { what, value, expected })
}

/// B: the largest ‖(x, 1)‖₂ of points.
#[must_use]
pub fn radius(sizes: &PointSizes) -> Enclosure {
    sizes.with_constant().largest.sqrt()
}

/// Numbers from 0 on, with an upper end.
fn check_size(what: &'static str, size: Enclosure) -> Result<(), MeasureError> {
    if size.low() < 0.0 {
        return parameter(what, size.low(), "a number from 0 on");
    }
    if size.high() == f64::INFINITY {
        return parameter(what, size.high(), "a finite number");
    }
    Ok(())
}

fn examples(n: u64) -> Result<Enclosure, MeasureError> {
    if n == 0 { Err(MeasureError::NoPoints) } else { Ok(Enclosure::whole(n)) }
}

impl Steps {
    /// Steps of sizes α, each taken so many times.
    ///
    /// ```
    /// use shatter_measure::stability::Steps;
    /// let steps = Steps::of(&[(0.5, 10), (0.25, 4)])?;
    /// assert_eq!((steps.sum().high(), steps.largest()), (6.0, 0.5));
    /// # Ok::<(), shatter_measure::MeasureError>(())
    /// ```
    ///
    /// # Errors
    /// [`MeasureError::Parameter`] for a size that is negative or not finite.
    pub fn of(steps: &[(f64, u64)]) -> Result<Steps, MeasureError> {
        let mut all = Steps { sum: Enclosure::ZERO, largest: 0.0 };
        for &(size, times) in steps {
            check_size("the size of a step", Enclosure::exact(size))?;
            all.sum = all.sum + Enclosure::exact(size) * Enclosure::whole(times);
            if times > 0 {
                all.largest = all.largest.max(size);
            }
        }
        Ok(all)
    }

    /// Steps of which the sum and the largest are known.
    ///
    /// # Errors
    /// [`MeasureError::Parameter`] for numbers that are negative or not finite.
    pub fn summed(sum: Enclosure, largest: f64) -> Result<Steps, MeasureError> {
        check_size("the sum of steps", sum)?;
        check_size("the size of a step", Enclosure::exact(largest))?;
        Ok(Steps { sum, largest })
    }

    /// Σ α_t.
    #[must_use]
    pub fn sum(&self) -> Enclosure {
        self.sum
    }

    /// max α_t.
    #[must_use]
    pub fn largest(&self) -> f64 {
        self.largest
    }
}

/// (2L²/n) Σ α_t: the convex form.
///
/// ```
/// use shatter_measure::Enclosure;
/// use shatter_measure::stability::convex;
/// let number = Enclosure::exact;
/// assert_eq!(convex(number(2.0), number(3.0), 8)?, number(3.0));
/// # Ok::<(), shatter_measure::MeasureError>(())
/// ```
///
/// # Errors
/// [`MeasureError::NoPoints`] for n = 0; [`MeasureError::Parameter`] for L or Σ α that is negative or not finite.
pub fn convex(lipschitz: Enclosure, sum: Enclosure, n: u64) -> Result<Enclosure, MeasureError> {
    check_size("the bound of gradients", lipschitz)?;
    check_size("the sum of steps", sum)?;
    Ok(Enclosure::exact(2.0) * lipschitz.square() * sum / examples(n)?)
}

/// 2L²/(γn): the strongly convex form.
///
/// # Errors
/// [`MeasureError::NoPoints`] for n = 0; [`MeasureError::Parameter`] for L that is negative or not finite, or γ
/// that is not positive.
pub fn strongly_convex(
    lipschitz: Enclosure,
    gamma: Enclosure,
    n: u64,
) -> Result<Enclosure, MeasureError> {
    check_size("the bound of gradients", lipschitz)?;
    if gamma.low() <= 0.0 {
        return parameter("strong convexity", gamma.low(), "a positive number");
    }
    Ok(Enclosure::exact(2.0) * lipschitz.square() / (gamma * examples(n)?))
}

/// The smooth form, which takes no convexity: at most 1, which it is for any loss in [0, 1].
///
/// # Errors
/// [`MeasureError::NoPoints`] for n = 0; [`MeasureError::Parameter`] for L that is negative or not finite, β or c
/// that is not positive and finite, and a batch that is not of 1 to n examples.
pub fn smooth(given: &Smooth, n: u64) -> Result<Enclosure, MeasureError> {
    let Smooth { lipschitz, smooth, c, steps, batch } = *given;
    let examples = examples(n)?;
    check_size("the bound of gradients", lipschitz)?;
    check_size("the bound of second derivatives", smooth)?;
    if smooth.low() <= 0.0 {
        let what = "the bound of second derivatives";
        return parameter(what, smooth.low(), "a positive number");
    }
    if !(c > 0.0 && c.is_finite()) {
        return parameter("c, where steps are at most c/t", c, "a positive number");
    }
    if !(1..=n).contains(&batch) {
        return parameter("the size of a batch", batch as f64, "a number from 1 to n");
    }
    if steps == 0 {
        return Ok(Enclosure::ZERO);
    }
    let (two, total) = (Enclosure::exact(2.0), Enclosure::whole(steps));
    let exponent = smooth * Enclosure::exact(c);
    let late = |k: u64| Enclosure::whole(batch) * Enclosure::whole(k) / examples;
    let after = |k: u64| {
        let growth = (total / Enclosure::whole(k)).pow(exponent);
        late(k) + two * lipschitz.square() / (smooth * examples) * growth
    };
    // Every k is right: the best one is looked for in plain binary64.
    let q = exponent.high();
    let scale = 2.0 * c * lipschitz.high() * lipschitz.high() / batch as f64;
    let best = scale.powf(1.0 / (q + 1.0)) * (steps as f64).powf(q / (q + 1.0));
    let k = (best as u64).clamp(1, steps);
    let found = [after(k), after((k + 1).min(steps)), late(steps)];
    Ok(found.into_iter().fold(Enclosure::ONE, Enclosure::min))
}

/// What a loss of the outputs of a graph is as a function of its weights, for points with ‖(x, 1)‖₂ <= `radius`.
///
/// # Errors
/// [`MeasureError::Parameter`] for a radius that is negative or not finite.
pub fn constants(graph: &Graph, loss: Loss, radius: Enclosure) -> Result<Constants, MeasureError> {
    check_size("the largest norm of a point", radius)?;
    let perceptron = match Perceptron::of(graph, Outputs::All) {
        Ok(perceptron) => perceptron,
        Err(error) => return Ok(Constants::unknown(|_| error.to_string())),
    };
    let last = perceptron.depth() - 1;
    if last > 0 {
        let kinks = |index: &usize| perceptron.layers[*index].activation != Homogeneous::Identity;
        let kinks = listed(&(0..last).filter(kinks).collect::<Vec<_>>());
        let hidden = listed(&(0..last).collect::<Vec<_>>());
        return Ok(Constants::unknown(|what| match (what, &kinks) {
            (SMOOTH, Some(kinks)) => format!("{kinks} before the last: ReLU has a kink at 0"),
            (SMOOTH, None) => grow(&hidden, "second derivatives grow with the weights"),
            (LIPSCHITZ, _) => grow(&hidden, "gradients grow with the weights of other layers"),
            _ => grow(&hidden, "outputs have products of weights of several layers"),
        }));
    }
    if perceptron.layers[0].activation != Homogeneous::Identity {
        let reason = "layer 0 has a ReLU at the outputs, with a kink at 0";
        return Ok(Constants::unknown(|_| reason.to_owned()));
    }
    if graph.is_ordered() && loss != Loss::CrossEntropy {
        let reason = "a softmax at the outputs is not part of this loss";
        return Ok(Constants::unknown(|_| reason.to_owned()));
    }
    let outputs = perceptron.outputs();
    if loss == Loss::Logistic && outputs != 1 {
        let reason = format!("the logistic loss takes one output, and layer 0 has {outputs}");
        return Ok(Constants::unknown(|_| reason.clone()));
    }
    Ok(Constants::of_affine(loss, outputs, radius))
}

fn listed(layers: &[usize]) -> Option<String> {
    let numbers: Vec<String> = layers.iter().map(usize::to_string).collect();
    match numbers.as_slice() {
        [] => None,
        [one] => Some(format!("layer {one}")),
        several => Some(format!("layers {}", several.join(", "))),
    }
}

fn grow(layers: &Option<String>, reason: &str) -> String {
    format!("{} before the last: {reason}", layers.as_deref().unwrap_or("no layer"))
}

impl Constants {
    fn unknown(reason: impl Fn(&str) -> String) -> Constants {
        let fails = |what: &str| Assumption::fails(what, reason(what));
        let assumptions = [LIPSCHITZ, SMOOTH, CONVEX].map(fails).to_vec();
        Constants { lipschitz: None, smooth: None, assumptions }
    }

    fn of_affine(loss: Loss, outputs: usize, radius: Enclosure) -> Constants {
        let two = Enclosure::exact(2.0);
        let square = radius.square();
        let constant = loss == Loss::CrossEntropy && outputs == 1;
        let (lipschitz, smooth) = match loss {
            Loss::CrossEntropy if constant => (Some(Enclosure::ZERO), Enclosure::ZERO),
            Loss::CrossEntropy => (Some(two.sqrt() * radius), square / two),
            Loss::Logistic => (Some(radius), square / Enclosure::exact(4.0)),
            Loss::Squared => (None, square),
        };
        let bounded = match lipschitz {
            Some(lipschitz) => {
                Assumption::met(LIPSCHITZ, format!("by L = {}", Shown(lipschitz.high())))
            }
            None => Assumption::fails(
                LIPSCHITZ,
                "layer 0: gradients of the squared loss grow with the residual",
            ),
        };
        let assumptions = vec![
            bounded,
            Assumption::met(SMOOTH, format!("by β = {}", Shown(smooth.high()))),
            Assumption::met(CONVEX, "outputs are affine in the weights: there is no hidden layer"),
        ];
        Constants { lipschitz, smooth: Some(smooth), assumptions }
    }
}

/// A number with four digits.
struct Shown(f64);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let size = self.0.abs();
        match self.0 == 0.0 || (1e-3..1e6).contains(&size) {
            true => write!(f, "{:.4}", self.0),
            false => write!(f, "{:.4e}", self.0),
        }
    }
}

/// The largest step against `limit`/curvature.
fn steps_within(largest: f64, curvature: Enclosure) -> Assumption {
    let two = Enclosure::exact(2.0);
    let what = "no step exceeds 2/(β + λ)";
    let reason = match curvature.high() > 0.0 {
        true => {
            format!(
                "the largest is {}, and 2/(β + λ) {}",
                Shown(largest),
                Shown((two / curvature).low())
            )
        }
        false => "β + λ is 0".to_owned(),
    };
    match (Enclosure::exact(largest) * curvature).high() <= 2.0 {
        true => Assumption::met(what, reason),
        false => Assumption::fails(what, reason),
    }
}

/// The stability of a run of gradient descent on n examples with ‖(x, 1)‖₂ <= `radius`: the convex form, with
/// weight decay the smaller one of it and the strongly convex one, or the assumptions that fail.
///
/// Labels do not enter.
///
/// ```
/// use shatter_measure::{Enclosure, Kind};
/// use shatter_measure::stability::{Descent, Loss, Steps, of};
/// use shatter_network::graph::{Affine, Graph, Operator, Step};
/// let affine = Affine { weights: vec![0.0; 6], inputs: 2, outputs: 3, bias: vec![0.0; 3] };
/// let graph = Graph {
///     precision: shatter_exact::Format::F64,
///     input: vec![2],
///     steps: vec![Step::new(Operator::Dense(affine), 0, vec![3])],
/// };
/// let steps = Steps::of(&[(0.5, 100)])?;
/// let descent = Descent { loss: Loss::CrossEntropy, steps, momentum: 0.0, weight_decay: 0.0 };
/// let found = of(&graph, 1000, Enclosure::exact(2.0), &descent)?;
/// assert_eq!((found.kind, found.says), (Kind::Bound, None));
/// assert!((found.value - 0.8).abs() < 1e-12); // 2 · (√2 · 2)² · 50/1000
/// let fast = Descent { steps: Steps::of(&[(1.5, 100)])?, ..descent };
/// assert!(of(&graph, 1000, Enclosure::exact(2.0), &fast)?.failing().is_some());
/// # Ok::<(), shatter_measure::MeasureError>(())
/// ```
///
/// # Errors
/// [`MeasureError::NoPoints`] for n = 0; [`MeasureError::Parameter`] for a radius, a momentum or a weight decay
/// that is negative or not finite.
pub fn of(
    graph: &Graph,
    n: u64,
    radius: Enclosure,
    descent: &Descent,
) -> Result<Finding, MeasureError> {
    let name = "uniform stability of SGD";
    let Descent { loss, steps, momentum, weight_decay } = *descent;
    check_size("momentum", Enclosure::exact(momentum))?;
    check_size("weight decay", Enclosure::exact(weight_decay))?;
    examples(n)?;
    let Constants { lipschitz, smooth, mut assumptions } = constants(graph, loss, radius)?;
    let decay = Enclosure::exact(weight_decay);
    assumptions.extend(smooth.map(|smooth| steps_within(steps.largest, smooth + decay)));
    let what = "steps have no momentum";
    assumptions.push(match momentum == 0.0 {
        true => Assumption::met(what, "it is 0"),
        false => {
            Assumption::fails(what, format!("it is {momentum}, which the theorem does not cover"))
        }
    });
    assumptions.extend([
        Assumption::met(
            "examples have ‖(x, 1)‖₂ <= B",
            format!(
                "B = {}; the gap is bounded for distributions of such examples",
                Shown(radius.high())
            ),
        ),
        Assumption::met(
            "batches are drawn without a look at the examples",
            "as the user says; nothing checks it",
        ),
    ]);
    if weight_decay > 0.0 {
        assumptions.push(Assumption::met(DECAY, "as training does it"));
    }
    let (Some(lipschitz), Some(smooth)) = (lipschitz, smooth) else {
        return Ok(Finding::refused(name, assumptions));
    };
    if assumptions.iter().any(|assumption| !assumption.met) {
        return Ok(Finding::refused(name, assumptions));
    }
    let mut stability = convex(lipschitz, steps.sum, n)?;
    let curvature = smooth + Enclosure::exact(2.0) * decay;
    if weight_decay > 0.0 && (Enclosure::exact(steps.largest) * curvature).high() <= 2.0 {
        stability = stability.min(strongly_convex(lipschitz, decay, n)?);
    }
    Ok(Finding::proved(name, stability.high(), assumptions))
}

/// How two networks differ whose samples differ in one example.
///
/// ```
/// use shatter_measure::stability::Swap;
/// use shatter_network::graph::{Affine, Graph, Operator, Step};
/// use shatter_network::reading::How;
/// let network = |weight| {
///     let affine = Affine { weights: vec![weight], inputs: 1, outputs: 1, bias: vec![-3.0] };
///     let steps = vec![Step::new(Operator::Dense(affine), 0, vec![1])];
///     Graph { precision: shatter_exact::Format::F64, input: vec![1], steps }
/// };
/// let swap = Swap::of(&network(1.0), &network(2.0), &[1.0, 2.0, 4.0], How::Sign)?;
/// assert_eq!(swap, Swap { distance: 1.0, outputs: 4.0, disagreements: 1, points: 3 });
/// # Ok::<(), shatter_measure::MeasureError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Swap {
    /// ‖w − w'‖₂ over weights and biases.
    pub distance: f64,
    /// The largest |f_c(x) − f'_c(x)| at the points.
    pub outputs: f64,
    /// Points that are read differently.
    pub disagreements: usize,
    /// Points.
    pub points: usize,
}

/// What a row of outputs says; `None` if nothing, as for a tie.
fn said(how: How, row: &[f64]) -> Option<Vec<f64>> {
    let near = |x: f64| Some(x.round()).filter(|whole| (x - whole).abs() < 0.5);
    let side = |threshold: f64| {
        let x = *row.first()?;
        (x != threshold).then(|| vec![f64::from(u8::from(x > threshold))])
    };
    match how {
        How::Largest => {
            let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let mut at = (0..row.len()).filter(|&k| row[k] == most);
            let first = at.next()?;
            at.next().is_none().then(|| vec![first as f64])
        }
        How::Sign => side(0.0),
        How::Half => side(0.5),
        How::Value => row.iter().map(|&x| near(x)).collect(),
        How::OneHot | How::Bits => {
            let bits = row.iter().map(|&x| near(x).filter(|bit| [0.0, 1.0].contains(bit)));
            let bits: Vec<f64> = bits.collect::<Option<_>>()?;
            let ones = bits.iter().filter(|&&bit| bit == 1.0).count();
            (how == How::Bits || ones == 1).then_some(bits)
        }
    }
}

impl Swap {
    /// Compares two perceptrons of the same shapes at points, whose outputs are read as `how` says.
    ///
    /// # Errors
    /// [`MeasureError::NotPerceptron`] and the like for graphs that are none, [`MeasureError::Start`] for different
    /// shapes, [`MeasureError::NoPoints`], [`MeasureError::Length`], [`MeasureError::PointNotFinite`].
    pub fn of(
        network: &Graph,
        other: &Graph,
        points: &[f64],
        how: How,
    ) -> Result<Swap, MeasureError> {
        let layers = Perceptron::of(network, Outputs::All)?;
        let others = Perceptron::of(other, Outputs::All)?;
        layers.same_shape(&others)?;
        let n = PointSizes::of(points, layers.inputs)?.n;
        let numbers = |perceptron: &Perceptron| -> Vec<f64> {
            let layers = perceptron.layers.iter();
            layers.flat_map(|layer| layer.weights.iter().chain(&layer.bias).copied()).collect()
        };
        let (weights, other_weights) = (numbers(&layers), numbers(&others));
        let squares = weights.iter().zip(&other_weights).map(|(v, w)| (v - w) * (v - w));
        let distance = squares.sum::<f64>().sqrt();
        let width = layers.outputs();
        if width == 0 {
            return Err(MeasureError::NoPoints);
        }
        let (values, other_values) = (outputs(network, points, n), outputs(other, points, n));
        if let Some(at) =
            (0..n * width).find(|&at| !values[at].is_finite() || !other_values[at].is_finite())
        {
            let value = if values[at].is_finite() { other_values[at] } else { values[at] };
            let point = at / width;
            return Err(MeasureError::PointNotFinite { point, what: "an output", value });
        }
        let apart = values.iter().zip(&other_values).map(|(x, y)| (x - y).abs());
        let rows = values.chunks_exact(width).zip(other_values.chunks_exact(width));
        Ok(Swap {
            distance,
            outputs: apart.fold(0.0, f64::max),
            disagreements: rows.filter(|(row, other)| said(how, row) != said(how, other)).count(),
            points: n,
        })
    }

    /// The distance, the largest change of an output, and the fraction of points that are read differently.
    #[must_use]
    pub fn findings(&self) -> [Finding; 3] {
        let fraction = self.disagreements as f64 / self.points as f64;
        [
            ("swap of one example: distance of the weights", self.distance),
            ("swap of one example: largest change of an output", self.outputs),
            ("swap of one example: points read differently", fraction),
        ]
        .map(|(name, value)| Finding::measure(name, value, Vec::new()))
    }
}
