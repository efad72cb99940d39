//! Losses, summed in binary64 over the rows in their order.
//!
//! Cross-entropy of logits z with class k is ln Σ_j exp(z_j − m) − (z_k − m), m = max_j z_j, so
//! that no exponential overflows; its gradient is softmax(z) − e_k, divided by the rows. Logits or
//! outputs that are not finite, and labels that are not there, give a loss that is NaN.

use crate::Outcome;
use shatter_exact::Element;
use shatter_network::architecture::Shape;

use super::slab::{Slab, SlabMut};

/// The labels of a batch.
#[derive(Clone, Copy)]
pub struct Labels<'a, E> {
    pub chosen: &'a [u32],
    pub labels: Target<'a, E>,
    pub changed: &'a [u32],
}

/// The labels of a data set.
#[derive(Clone, Copy)]
pub enum Target<'a, E> {
    /// A class each.
    Classes(&'a [u32]),
    /// As many numbers each as there are outputs.
    Numbers(&'a [E]),
}

/// A loss.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    CrossEntropy,
    Squared,
}

/// Finds loss, gradient and counts. Real labels are no classes: none counts as met.
pub fn loss<E: Element>(
    loss: Loss,
    outputs: Slab<E>,
    mut gradient: Option<SlabMut<E>>,
    of: Labels<E>,
) -> Outcome {
    let mut outcome = Outcome::default();
    let rows = outputs.rows as f64;
    for (row, &index) in of.chosen[..outputs.rows].iter().enumerate() {
        let values = outputs.at(row);
        let finite = values.iter().all(|value| value.is_finite());
        let target = if finite { target(of.labels, index, values.len()) } else { None };
        let gradient = gradient.as_mut().map(|gradient| gradient.at(row));
        let class = match target {
            Some(Target::Classes(class)) => class.first().copied(),
            _ => None,
        };
        outcome.loss += match (target, loss) {
            (None, _) | (Some(Target::Numbers(_)), Loss::CrossEntropy) => {
                gradient.into_iter().flatten().for_each(|entry| *entry = E::nan());
                f64::NAN
            }
            (Some(Target::Classes(class)), Loss::CrossEntropy) => {
                cross_entropy(values, class[0] as usize, gradient, rows)
            }
            (Some(target), Loss::Squared) => squared(values, target, gradient, rows),
        };
        let changed = of.changed.get(index as usize).is_some_and(|&changed| changed != 0);
        let (met, all) = if changed { &mut outcome.changed } else { &mut outcome.clean };
        *all += 1;
        *met += u32::from(class.is_some_and(|class| class as usize == largest(values)));
    }
    outcome
}

/// Computes a loss of given outputs, n × width numbers for n labels. The target of a class under squared loss is 1 at
/// its own output and 0 at the others. `changed[i]` is true if label i was changed.
///
/// ```
/// use shatter_device::cpu::outcome;
/// use shatter_sample::Labels;
/// let labels = Labels::classes(vec![1, 0], 2)?;
/// let found = outcome(false, &[0.0, 0.0, 3.0, 1.0], &labels, &[true, false]);
/// assert_eq!((found.changed, found.clean), ((0, 1), (1, 1))); // a tie is the first class
/// assert!((found.loss - (2f64.ln() + (1.0 + (-2f64).exp()).ln())).abs() < 1e-15);
/// # Ok::<(), shatter_sample::SampleError>(())
/// ```
#[must_use]
pub fn outcome<E: Element>(
    is_squared: bool,
    outputs: &[E],
    labels: &shatter_sample::Labels,
    changed: &[bool],
) -> Outcome {
    let n = labels.len();
    let width = outputs.len() / n.max(1);
    let all = Slab { data: outputs, stride: width, first: 0, shape: Shape::vector(width), rows: n };
    let chosen: Vec<u32> = (0..n as u32).collect();
    let changed: Vec<u32> = changed.iter().map(|&changed| u32::from(changed)).collect();
    let numbers: Vec<E>;
    let target = match labels {
        shatter_sample::Labels::Classes { of, .. } => Target::Classes(of),
        shatter_sample::Labels::Real { values, .. } => {
            numbers = values.iter().map(|&value| E::of(value)).collect();
            Target::Numbers(&numbers)
        }
    };
    let kind = if is_squared { Loss::Squared } else { Loss::CrossEntropy };
    loss(kind, all, None, Labels { chosen: &chosen, labels: target, changed: &changed })
}

/// The label of one sample, if there is one that fits so many outputs.
fn target<'a, E>(of: Target<'a, E>, index: u32, outputs: usize) -> Option<Target<'a, E>> {
    let index = index as usize;
    match of {
        Target::Classes(classes) => {
            let class = classes.get(index..=index)?;
            ((class[0] as usize) < outputs).then_some(Target::Classes(class))
        }
        Target::Numbers(numbers) => numbers.chunks_exact(outputs).nth(index).map(Target::Numbers),
    }
}

/// The first of the largest.
fn largest<E: Element>(values: &[E]) -> usize {
    let better = |best: usize, at: usize| if values[at] > values[best] { at } else { best };
    (1..values.len()).fold(0, better)
}

/// In binary64; floats of `num_traits` have a method of this name, too.
fn wide<E: Element>(value: E) -> f64 {
    Element::to_f64(value)
}

fn cross_entropy<E: Element>(
    logits: &[E],
    class: usize,
    gradient: Option<&mut [E]>,
    rows: f64,
) -> f64 {
    let most = wide(logits[largest(logits)]);
    let sum: f64 = logits.iter().map(|&logit| (wide(logit) - most).exp()).sum();
    for (at, entry) in gradient.into_iter().flatten().enumerate() {
        let share = (wide(logits[at]) - most).exp() / sum;
        *entry = E::of((share - f64::from(at == class)) / rows);
    }
    sum.ln() - (wide(logits[class]) - most)
}

fn squared<E: Element>(
    outputs: &[E],
    target: Target<E>,
    mut gradient: Option<&mut [E]>,
    rows: f64,
) -> f64 {
    let mut sum = 0.0;
    for (at, &output) in outputs.iter().enumerate() {
        let target = match target {
            Target::Classes(class) => f64::from(class[0] as usize == at),
            Target::Numbers(numbers) => wide(numbers[at]),
        };
        let difference = wide(output) - target;
        sum += difference * difference;
        if let Some(gradient) = gradient.as_deref_mut() {
            gradient[at] = E::of(difference / rows);
        }
    }
    sum / 2.0
}
