//! Fuses operations of a sequence before it runs: where the gradient of a dense weight is read by one
//! update alone, both are done at once ([`super::dense`]), and the gradient's array is not written.
//!
//! They are done where the gradient stood, if nothing touches weight and velocity between it and
//! the update; or else where the update stood, if nothing writes what the gradient is computed of.

use crate::check::{Access, Accesses};
use crate::plan::{ArrayId, Operation, Plan, View};

/// A step of a sequence as it is run.
#[derive(Clone, Debug)]
pub enum Step {
    /// An operation of the plan.
    Operation(Operation),
    /// The part of a `DenseWeightGradient` that is left.
    BiasGradient { output_gradient: View, bias_gradient: ArrayId },
    /// The gradient of a dense weight and its update.
    DenseUpdate(DenseUpdate),
}

/// The gradient of a dense weight and its update.
#[derive(Clone, Copy, Debug)]
pub struct DenseUpdate {
    pub input: View,
    pub output_gradient: View,
    pub weight: ArrayId,
    pub velocity: ArrayId,
    pub momentum: f64,
    pub decay: f64,
}

/// The steps of sequence `which`; `accesses` are those of all sequences.
pub fn steps(plan: &Plan, accesses: &[Accesses], which: usize) -> Vec<Step> {
    let operations = &plan.sequences[which].operations;
    let mut steps: Vec<Vec<Step>> =
        operations.iter().map(|operation| vec![Step::Operation(operation.clone())]).collect();
    for (at, operation) in operations.iter().enumerate() {
        let &Operation::DenseWeightGradient {
            input,
            output_gradient,
            weight_gradient,
            bias_gradient,
        } = operation
        else {
            continue;
        };
        let Some((end, update)) = reader(plan, accesses, which, at, weight_gradient) else {
            continue;
        };
        let Operation::Update { ref parameters, momentum, decay } = operations[end] else {
            continue;
        };
        let [weight, _, velocity] = parameters[update];
        let between = || accesses[which][at + 1..end].iter().flatten();
        let touched = |array: ArrayId| between().any(|&(id, _)| id == array);
        let written =
            |view: View| between().any(|&(id, access)| id == view.array && access != Access::Read);
        let place = if !touched(weight) && !touched(velocity) {
            at
        } else if !written(input) && !written(output_gradient) {
            end
        } else {
            continue;
        };
        let fused = DenseUpdate { input, output_gradient, weight, velocity, momentum, decay };
        steps[at][0] = Step::BiasGradient { output_gradient, bias_gradient };
        // The gradient's own place is empty behind its first step; an update stays last in its.
        let behind = steps[place].len() - usize::from(place == end);
        steps[place].insert(behind, Step::DenseUpdate(fused));
        if let Some(Step::Operation(Operation::Update { parameters, .. })) = steps[end].last_mut() {
            parameters.retain(|&[_, gradient, _]| gradient != weight_gradient);
        }
    }
    steps.into_iter().flatten().collect()
}

/// The update that alone reads the gradient computed by operation `at`, and which of its triples
/// it is, if there is such a one, after it.
fn reader(
    plan: &Plan,
    accesses: &[Accesses],
    which: usize,
    at: usize,
    gradient: ArrayId,
) -> Option<(usize, usize)> {
    let names = |operation: &[(ArrayId, Access)]| operation.iter().any(|(id, _)| *id == gradient);
    let mut users = (0..accesses[which].len()).filter(|&user| names(&accesses[which][user]));
    let (first, end) = (users.next()?, users.next()?);
    if first != at || users.next().is_some() {
        return None;
    }
    // Other sequences write it before they read it.
    let others = accesses.iter().enumerate().filter(|(other, _)| *other != which);
    let mut firsts =
        others.filter_map(|(_, all)| all.iter().flatten().find(|(id, _)| *id == gradient));
    if firsts.any(|&(_, access)| access != Access::Write) {
        return None;
    }
    let Operation::Update { parameters, .. } = &plan.sequences[which].operations[end] else {
        return None;
    };
    let triple = parameters.iter().position(|&[_, other, _]| other == gradient)?;
    // One copy for several replicas would be updated after all of their gradients are there.
    let alone = plan.replicas == 1 || parameters[triple].iter().all(|id| !plan.arrays[id.0].shared);
    alone.then_some((end, triple))
}
