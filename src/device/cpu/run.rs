//! Runs sequences: maps each operation to its function and its arrays.

use crate::plan::{ArrayKind, LabelArrays, Operation, View};
use shatter_exact::Element;

use super::data::{Drawn, gather, select};
use super::dropout::{Mask, dropout};
use super::fuse::{DenseUpdate, Step};
use super::loss::{Labels, Loss, Target, loss};
use super::slab::SlabMut;
use super::store::Store;
use super::update::{Rule, update};
use super::{CpuMemory, batch_normalization, convolution, dense, elementwise, pool, response};

impl<E: Element> CpuMemory<E> {
    /// All steps of a sequence, on all replicas.
    pub fn run_sequence(&mut self, sequence: usize) {
        let rows = self.store.plan.sequences[sequence].rows;
        let steps = std::mem::take(&mut self.steps[sequence]);
        for step in &steps {
            for replica in 0..self.store.plan.replicas {
                match step {
                    Step::Operation(operation) => self.operation(operation, rows, replica),
                    Step::BiasGradient { output_gradient, bias_gradient } => {
                        self.store.change(*bias_gradient, replica, |store, bias| {
                            dense::bias_gradient(store.slab(*output_gradient, rows, replica), bias);
                        });
                    }
                    Step::DenseUpdate(fused) => self.dense_update(fused, rows, replica),
                }
            }
            match step {
                Step::Operation(Operation::Select { .. }) => {
                    self.control.position = self.control.position.saturating_add(rows as u32);
                }
                Step::Operation(Operation::Update { .. }) => {
                    self.control.step = self.control.step.saturating_add(1);
                }
                _ => {}
            }
        }
        self.steps[sequence] = steps;
    }

    fn rule(&self, momentum: f64, decay: f64) -> Rule<E> {
        let rate = E::of(self.control.learning_rate);
        Rule { momentum: E::of(momentum), decay: E::of(decay), rate }
    }

    fn dense_update(&mut self, fused: &DenseUpdate, rows: usize, replica: usize) {
        let rule = self.rule(fused.momentum, fused.decay);
        let tiles = &self.tiles;
        let arrays = [fused.weight, fused.velocity];
        self.store.change_two(arrays, replica, |store, (weight, velocity)| {
            let input = store.slab(fused.input, rows, replica);
            let output_gradient = store.slab(fused.output_gradient, rows, replica);
            dense::update(input, output_gradient, weight, velocity, rule, tiles);
        });
    }

    fn loss(
        &mut self,
        (which, outputs): (Loss, View),
        gradient: Option<View>,
        labels: LabelArrays,
        rows: usize,
        replica: usize,
    ) {
        let find = |store: &Store<E>, gradient: Option<SlabMut<E>>| {
            let targets = match store.kind(labels.labels) {
                ArrayKind::Indices(_) => Target::Classes(store.indices(labels.labels, replica)),
                _ => Target::Numbers(store.numbers(labels.labels, replica)),
            };
            let chosen = store.indices(labels.chosen, replica);
            let changed = store.indices(labels.changed, replica);
            let outputs = store.slab(outputs, rows, replica);
            loss(which, outputs, gradient, Labels { chosen, labels: targets, changed })
        };
        let outcome = match gradient {
            Some(view) => self
                .store
                .change_view(view, rows, replica, |store, gradient| find(store, Some(gradient))),
            None => find(&self.store, None),
        };
        self.outcomes[replica].push(outcome);
    }

    fn operation(&mut self, operation: &Operation, rows: usize, replica: usize) {
        let (control, seed) = (self.control, self.seeds[replica]);
        let mask = |rate, layer| Mask { rate, layer, step: control.step, seed };
        let store = &mut self.store;
        let scratch = &mut self.convolution;
        match *operation {
            Operation::Select { order, chosen } => {
                store.change_indices(chosen, replica, |store, chosen| {
                    let order = order.map(|order| store.indices(order, replica));
                    select(order, &mut chosen[..rows], control.position);
                });
            }
            Operation::Gather { images, chosen, output, augmentation } => {
                let scratch = &mut self.images;
                store.change_view(output, rows, replica, |store, output| {
                    let ArrayKind::Images { shape, .. } = store.kind(images) else { return };
                    let drawn = augmentation.map(|(augmentation, whiten)| {
                        let epoch = control.epoch;
                        Drawn { augmentation, whiten, seed, epoch, scratch }
                    });
                    let chosen = store.indices(chosen, replica);
                    gather(store.numbers(images, replica), shape, chosen, output, drawn);
                });
            }
            Operation::Dense { input, weight, bias, output, relu } => {
                store.change_view(output, rows, replica, |store, output| {
                    let parameters = [weight, bias].map(|id| store.numbers(id, replica));
                    let input = store.slab(input, rows, replica);
                    dense::forward(input, parameters[0], parameters[1], output, relu);
                });
            }
            Operation::DenseInputGradient {
                output_gradient,
                weight,
                input_gradient,
                accumulate,
            } => store.change_view(input_gradient, rows, replica, |store, target| {
                let (from, weight) =
                    (store.slab(output_gradient, rows, replica), store.numbers(weight, replica));
                dense::input_gradient(from, weight, target, accumulate);
            }),
            Operation::DenseWeightGradient {
                input,
                output_gradient,
                weight_gradient,
                bias_gradient,
            } => {
                let arrays = [weight_gradient, bias_gradient];
                store.change_two(arrays, replica, |store, (weight, bias)| {
                    let from = store.slab(output_gradient, rows, replica);
                    dense::weight_gradient(store.slab(input, rows, replica), from, weight);
                    dense::bias_gradient(from, bias);
                });
            }
            Operation::Convolution { input, weight, bias, output, window, relu } => {
                store.change_view(output, rows, replica, |store, output| {
                    let [weight, bias] = [weight, bias].map(|id| store.numbers(id, replica));
                    let input = store.slab(input, rows, replica);
                    convolution::forward(input, weight, bias, output, window, relu, scratch);
                });
            }
            Operation::ConvolutionInputGradient {
                output_gradient,
                weight,
                input_gradient,
                window,
                accumulate,
            } => store.change_view(input_gradient, rows, replica, |store, target| {
                let (from, weight) =
                    (store.slab(output_gradient, rows, replica), store.numbers(weight, replica));
                convolution::input_gradient(from, weight, target, window, accumulate, scratch);
            }),
            Operation::ConvolutionWeightGradient {
                input,
                output_gradient,
                weight_gradient,
                bias_gradient,
                window,
            } => {
                let arrays = [weight_gradient, bias_gradient];
                store.change_two(arrays, replica, |store, (weight, bias)| {
                    let [input, from] =
                        [input, output_gradient].map(|view| store.slab(view, rows, replica));
                    convolution::weight_gradient(input, from, weight, bias, window, scratch);
                });
            }
            Operation::Relu { input, output } => {
                store.change_view(output, rows, replica, |store, output| {
                    elementwise::relu(store.slab(input, rows, replica), output);
                });
            }
            Operation::ReluGradient { output, gradient } => {
                store.change_view(gradient, rows, replica, |store, gradient| {
                    elementwise::relu_gradient(store.slab(output, rows, replica), gradient);
                });
            }
            Operation::Pass { gradient: input, input_gradient: output, accumulate } => {
                store.change_view(output, rows, replica, |store, output| {
                    elementwise::pass(store.slab(input, rows, replica), output, accumulate);
                });
            }
            Operation::Copy { input, output } => {
                store.change_view(output, rows, replica, |store, output| {
                    elementwise::pass(store.slab(input, rows, replica), output, false);
                });
            }
            Operation::Flatten { input, output } => {
                store.change_view(output, rows, replica, |store, output| {
                    elementwise::flatten(store.slab(input, rows, replica), output);
                });
            }
            Operation::FlattenGradient { output_gradient, input_gradient, accumulate } => {
                store.change_view(input_gradient, rows, replica, |store, target| {
                    let from = store.slab(output_gradient, rows, replica);
                    elementwise::flatten_gradient(from, target, accumulate);
                });
            }
            Operation::Pool { input, output, places, pool, window } => {
                store.change_view(output, rows, replica, |store, output| match places {
                    Some(places) => store.change_indices(places, replica, |store, places| {
                        let kept = &mut places[..rows * output.shape.len()];
                        let input = store.slab(input, rows, replica);
                        pool::forward(input, output, Some(kept), pool, window);
                    }),
                    None => {
                        let input = store.slab(input, rows, replica);
                        pool::forward(input, output, None, pool, window);
                    }
                });
            }
            Operation::PoolGradient {
                output_gradient,
                places,
                input_gradient,
                pool,
                window,
                accumulate,
            } => store.change_view(input_gradient, rows, replica, |store, target| {
                let from = store.slab(output_gradient, rows, replica);
                let kept = rows * from.shape.len();
                let places = places.map(|id| &store.indices(id, replica)[..kept]);
                pool::gradient(from, places, target, pool, window, accumulate);
            }),
            Operation::GlobalMeanPool { input, output } => {
                store.change_view(output, rows, replica, |store, output| {
                    pool::global_mean(store.slab(input, rows, replica), output);
                });
            }
            Operation::GlobalMeanPoolGradient { output_gradient, input_gradient, accumulate } => {
                store.change_view(input_gradient, rows, replica, |store, target| {
                    let from = store.slab(output_gradient, rows, replica);
                    pool::global_mean_gradient(from, target, accumulate);
                });
            }
            Operation::BatchNormalization { input, output, parameters, saved, relu } => {
                let [scale, shift, mean, variance] = parameters;
                store.change_view(output, rows, replica, |store, output| {
                    store.change_two([mean, variance], replica, |store, running| {
                        let normalize = |store: &Store<E>, saved: Option<(&mut [E], &mut [E])>| {
                            let [scale, shift] =
                                [scale, shift].map(|id| store.numbers(id, replica));
                            let input = store.slab(input, rows, replica);
                            batch_normalization::forward(
                                input, output, scale, shift, running, saved, relu,
                            );
                        };
                        match saved {
                            Some(saved) => store.change_two(saved, replica, |store, saved| {
                                normalize(store, Some(saved));
                            }),
                            None => normalize(store, None),
                        }
                    });
                });
            }
            Operation::BatchNormalizationGradient {
                input,
                output,
                output_gradient,
                scale,
                saved,
                parameter_gradients,
                input_gradient,
                accumulate,
            } => store.change_view(input_gradient, rows, replica, |store, target| {
                store.change_two(parameter_gradients, replica, |store, gradients| {
                    let slab = |view| store.slab(view, rows, replica);
                    let [scale, mean, deviation] =
                        [scale, saved[0], saved[1]].map(|id| store.numbers(id, replica));
                    batch_normalization::gradient(
                        slab(input),
                        output.map(slab),
                        slab(output_gradient),
                        scale,
                        (mean, deviation),
                        gradients,
                        target,
                        accumulate,
                    );
                });
            }),
            Operation::LocalResponseNormalization { input, output, sums, constants } => {
                store.change_view(output, rows, replica, |store, output| {
                    store.change(sums, replica, |store, sums| {
                        let kept = &mut sums[..rows * output.shape.len()];
                        let input = store.slab(input, rows, replica);
                        response::forward(input, output, kept, constants);
                    });
                });
            }
            Operation::LocalResponseNormalizationGradient {
                input,
                output_gradient,
                sums,
                input_gradient,
                constants,
                accumulate,
            } => store.change_view(input_gradient, rows, replica, |store, target| {
                let [input, from] =
                    [input, output_gradient].map(|view| store.slab(view, rows, replica));
                let sums = &store.numbers(sums, replica)[..rows * input.shape.len()];
                response::gradient(input, from, sums, target, constants, accumulate);
            }),
            Operation::Dropout { input, output, rate, layer } => {
                store.change_view(output, rows, replica, |store, output| {
                    dropout(store.slab(input, rows, replica), output, mask(rate, layer), false);
                });
            }
            Operation::DropoutGradient {
                output_gradient,
                input_gradient,
                rate,
                layer,
                accumulate,
            } => store.change_view(input_gradient, rows, replica, |store, target| {
                let from = store.slab(output_gradient, rows, replica);
                dropout(from, target, mask(rate, layer), accumulate);
            }),
            Operation::CrossEntropy { logits, gradient, labels } => {
                self.loss((Loss::CrossEntropy, logits), gradient, labels, rows, replica);
            }
            Operation::SquaredLoss { output, gradient, labels } => {
                self.loss((Loss::Squared, output), gradient, labels, rows, replica);
            }
            Operation::Update { ref parameters, momentum, decay } => {
                let rule = self.rule(momentum, decay);
                for &[weight, gradient, velocity] in parameters {
                    let arrays = [weight, velocity];
                    self.store.change_two(arrays, replica, |store, (weight, velocity)| {
                        update(rule, weight, store.numbers(gradient, replica), velocity);
                    });
                }
            }
        }
    }
}
