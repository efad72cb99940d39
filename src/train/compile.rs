//! From an architecture to a [`Plan`]: forward, backward and evaluation as lists of operations.
//!
//! ReLU is fused into the dense layer, convolution or normalization before it; branches write into
//! views of one array, so that joining them copies nothing; a layer's input gradient is computed
//! before its weight gradient, so that a device may update the weight along with the latter.
//! Training and evaluation share their arrays of activations.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use shatter_device::plan::{Array, Augmentation, LabelArrays};
use shatter_device::{ArrayId, ArrayKind, Operation, Plan, Sequence, SequenceId, View};
use shatter_network::Architecture;
use shatter_network::architecture::{
    ArchitectureError, EPSILON, Layer, Parameter, ParameterKind, Pool, Shape, shape,
};

/// The loss that training minimizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Softmax cross-entropy.
    CrossEntropy,
    /// ½ Σ_k (output_k − target_k)².
    Squared,
}

/// Sizes and settings that a program is compiled for.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// Networks side by side.
    pub replicas: usize,
    /// Samples per step, at most the number of training samples.
    pub batch: usize,
    /// Samples to train on.
    pub train: usize,
    /// Samples to test on; 0 for none.
    pub test: usize,
    /// Shape of a stored sample. Larger than the network's input if samples are cropped.
    pub stored: Shape,
    /// All networks train on the same images, of which one copy is stored.
    pub shared_images: bool,
    /// Numbers of a real label; `None` for classes.
    pub real: Option<usize>,
    /// The loss that training minimizes.
    pub loss: Loss,
    /// Augmentation of training images, and true if images are whitened after it.
    pub augmentation: Option<(Augmentation, bool)>,
    /// Momentum: the factor of the velocity.
    pub momentum: f64,
    /// Weight decay.
    pub decay: f64,
}

/// An array of the network in a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Its name, shape and kind in the network.
    pub parameter: Parameter,
    /// Its array in the plan.
    pub value: ArrayId,
    /// Arrays of its gradient and its velocity, if it is trained.
    pub trained: Option<[ArrayId; 2]>,
}

/// A data set in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataArrays {
    /// The samples.
    pub images: ArrayId,
    /// Their labels, and which of them are changed.
    pub labels: LabelArrays,
    /// Evaluates a whole batch, in file order, without training.
    pub evaluate: SequenceId,
    /// Evaluates the last batch, if it is shorter.
    pub evaluate_last: Option<SequenceId>,
}

/// A plan, with the identifiers of its arrays and sequences.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// The plan.
    pub plan: Plan,
    /// The network's arrays, in the order of [`Architecture::arrays`].
    pub arrays: Vec<Stored>,
    /// Input of the network, into which a batch is gathered.
    pub input: View,
    /// Output of the network.
    pub output: View,
    /// The order of the samples in an epoch.
    pub order: ArrayId,
    /// The training set.
    pub train: DataArrays,
    /// The test set.
    pub test: Option<DataArrays>,
    /// A step.
    pub step: SequenceId,
    /// The last step of an epoch, if its batch is shorter.
    pub step_last: Option<SequenceId>,
    /// As `step`, without the update, and with the gradient of the input, at `input_gradient`.
    pub gradients: SequenceId,
    /// Gradient of the input, which `gradients` writes.
    pub input_gradient: View,
}

/// Compiles `architecture`.
///
/// # Errors
/// [`ArchitectureError`], if shapes do not fit.
pub fn compile(architecture: &Architecture, goal: &Goal) -> Result<Program, ArchitectureError> {
    architecture.output()?;
    let mut builder = Builder {
        plan: Plan {
            replicas: goal.replicas,
            batch: goal.batch,
            arrays: vec![],
            sequences: vec![],
        },
        named: HashMap::new(),
        gradients: HashMap::new(),
        dropouts: HashMap::new(),
    };
    let arrays = builder.network(&architecture.arrays()?);

    // A network that begins by flattening gathers vectors: the order of the numbers is the same.
    let flat = goal.augmentation.is_none() && architecture.layers.first() == Some(&Layer::Flatten);
    let skipped = usize::from(flat);
    let vector = |shape: Shape| if flat { Shape::vector(shape.len()) } else { shape };
    let input = builder.activation("input", vector(architecture.input));
    let count = |count| ArrayKind::Images { count, shape: vector(goal.stored) };
    let order = builder.array("order", ArrayKind::Indices(goal.train), false);
    let chosen = builder.array("chosen", ArrayKind::Indices(goal.batch), false);
    let labels = |builder: &mut Builder, name: &str, n: usize| {
        let kind = goal.real.map_or(ArrayKind::Indices(n), |outputs| ArrayKind::Images {
            count: n,
            shape: Shape::vector(outputs),
        });
        LabelArrays {
            chosen,
            labels: builder.array(&format!("labels.{name}"), kind, false),
            changed: builder.array(&format!("changed.{name}"), ArrayKind::Indices(n), false),
        }
    };

    // Forward, keeping what was done for the way back.
    let mut forward = Vec::new();
    let layers = &architecture.layers[skipped..];
    let output = builder.layers(layers, "", skipped, input, None, true, &mut forward)?;
    let mut inference = Vec::new();
    let same = builder.layers(layers, "", skipped, input, None, false, &mut inference)?;
    debug_assert_eq!(same.shape, output.shape);

    let images = builder.array("images.train", count(goal.train), goal.shared_images);
    let train_labels = labels(&mut builder, "train", goal.train);
    let output_gradient = builder.gradient(output);
    let mut backward = builder.backward(&forward, None);
    let input_gradient = builder.gradient(input);
    let backward_to_input = builder.backward(&forward, Some(input));
    let begin = [
        Operation::Select { order: Some(order), chosen },
        Operation::Gather { images, chosen, output: input, augmentation: goal.augmentation },
    ];
    let there = || {
        let loss = loss(goal.loss, output, Some(output_gradient), train_labels);
        begin.iter().chain(&forward).cloned().chain([loss])
    };
    let gradients: Vec<Operation> = there().chain(backward_to_input).collect();
    backward.push(Operation::Update {
        parameters: arrays
            .iter()
            .filter_map(|stored| stored.trained.map(|[g, v]| [stored.value, g, v]))
            .collect(),
        momentum: goal.momentum,
        decay: goal.decay,
    });
    let step: Vec<Operation> = there().chain(backward).collect();
    let (whole, rest) = (goal.batch, goal.train % goal.batch.max(1));
    let step_last = (rest > 0).then(|| builder.sequence("last step", rest, step.clone()));
    let step = builder.sequence("step", whole, step);
    let gradients = builder.sequence("gradients", whole, gradients);

    let plain = goal
        .augmentation
        .as_ref()
        .map(|(_, whiten)| (Augmentation { crop: false, flip: false, rotation: 0.0 }, *whiten));
    let evaluation = |builder: &mut Builder, name, images, labels: LabelArrays, n: usize| {
        let gather = Operation::Gather { images, chosen, output: input, augmentation: plain };
        let operations: Vec<Operation> = [Operation::Select { order: None, chosen }, gather]
            .into_iter()
            .chain(inference.iter().cloned())
            .chain([loss(goal.loss, same, None, labels)])
            .collect();
        let rest = n % whole.max(1);
        DataArrays {
            images,
            labels,
            evaluate_last: (rest > 0)
                .then(|| builder.sequence(&format!("last {name}"), rest, operations.clone())),
            evaluate: builder.sequence(name, whole, operations),
        }
    };
    let train = evaluation(&mut builder, "evaluate training", images, train_labels, goal.train);
    let test = if goal.test > 0 {
        let images = builder.array("images.test", count(goal.test), goal.shared_images);
        let test_labels = labels(&mut builder, "test", goal.test);
        Some(evaluation(&mut builder, "evaluate test", images, test_labels, goal.test))
    } else {
        None
    };
    Ok(Program {
        plan: builder.plan,
        arrays,
        input,
        output,
        order,
        train,
        test,
        step,
        step_last,
        gradients,
        input_gradient,
    })
}

fn loss(loss: Loss, output: View, gradient: Option<View>, labels: LabelArrays) -> Operation {
    match loss {
        Loss::CrossEntropy => Operation::CrossEntropy { logits: output, gradient, labels },
        Loss::Squared => Operation::SquaredLoss { output, gradient, labels },
    }
}

/// Returns input and output of a layer's operation, or `None` for other operations.
fn ends(operation: &Operation) -> Option<(View, View)> {
    match operation {
        Operation::Dense { input, output, .. }
        | Operation::Convolution { input, output, .. }
        | Operation::Relu { input, output }
        | Operation::Copy { input, output }
        | Operation::Flatten { input, output }
        | Operation::Pool { input, output, .. }
        | Operation::GlobalMeanPool { input, output }
        | Operation::BatchNormalization { input, output, .. }
        | Operation::LocalResponseNormalization { input, output, .. }
        | Operation::Dropout { input, output, .. } => Some((*input, *output)),
        _ => None,
    }
}

struct Builder {
    plan: Plan,
    /// Arrays by name.
    named: HashMap<String, ArrayId>,
    /// Gradients of arrays of activations.
    gradients: HashMap<ArrayId, ArrayId>,
    /// Index of each dropout, by the path of its layer.
    dropouts: HashMap<String, u32>,
}

impl Builder {
    /// The array of this name, made if there is none.
    fn array(&mut self, name: &str, kind: ArrayKind, shared: bool) -> ArrayId {
        if let Some(&id) = self.named.get(name) {
            return id;
        }
        let id = ArrayId(self.plan.arrays.len());
        self.plan.arrays.push(Array { name: name.to_owned(), kind, shared });
        self.named.insert(name.to_owned(), id);
        id
    }

    fn activation(&mut self, name: &str, shape: Shape) -> View {
        View { array: self.array(name, ArrayKind::Activation(shape), false), first: 0, shape }
    }

    fn sequence(&mut self, name: &str, rows: usize, operations: Vec<Operation>) -> SequenceId {
        self.plan.sequences.push(Sequence { name: name.to_owned(), rows, operations });
        SequenceId(self.plan.sequences.len() - 1)
    }

    /// The network's own arrays, with gradients and velocities of those that are trained.
    fn network(&mut self, parameters: &[Parameter]) -> Vec<Stored> {
        let store = |parameter: &Parameter| {
            let kind = match (parameter.kind, parameter.shape.as_slice()) {
                (ParameterKind::Convolution, &[outputs, inputs, size, _]) => {
                    ArrayKind::Kernel { outputs, inputs, size }
                }
                _ => ArrayKind::Vector(parameter.shape.iter().product()),
            };
            let mut named =
                |suffix: &str| self.array(&format!("{}{suffix}", parameter.name), kind, false);
            let value = named("");
            let trained =
                parameter.kind.trained().then(|| [named(".gradient"), named(".velocity")]);
            Stored { parameter: parameter.clone(), value, trained }
        };
        parameters.iter().map(store).collect()
    }

    /// The array of a layer's parameter, which `network` has made.
    fn own(&self, path: &str, name: &str) -> ArrayId {
        self.named[&format!("{path}.{name}")]
    }

    /// Returns the view of the gradient of `view`.
    fn gradient(&mut self, view: View) -> View {
        let array = match self.gradients.get(&view.array) {
            Some(&array) => array,
            None => {
                let Array { name, kind, .. } = &self.plan.arrays[view.array.0];
                let (name, kind) = (format!("{name}.gradient"), *kind);
                let array = self.array(&name, kind, false);
                self.gradients.insert(view.array, array);
                array
            }
        };
        View { array, ..view }
    }

    /// Appends the operations of `layers` on `input`. Returns the view of the output, which is `destination`
    /// if there is one. The first layer has index `first` in its sequence.
    #[allow(clippy::too_many_arguments)]
    fn layers(
        &mut self,
        layers: &[Layer],
        path: &str,
        first: usize,
        input: View,
        destination: Option<View>,
        training: bool,
        operations: &mut Vec<Operation>,
    ) -> Result<View, ArchitectureError> {
        let mut view = input;
        let mut index = 0;
        while index < layers.len() {
            let layer = &layers[index];
            let inside = |index: usize| {
                let index = first + index;
                if path.is_empty() { index.to_string() } else { format!("{path}.{index}") }
            };
            let fuses = matches!(
                layer,
                Layer::Dense { .. } | Layer::Convolution { .. } | Layer::BatchNormalization { .. }
            );
            let relu = fuses && layers.get(index + 1) == Some(&Layer::Relu);
            let used = 1 + usize::from(relu);
            let target = destination.filter(|_| index + used == layers.len());
            let here = inside(index);
            view = self.layer(layer, &here, relu, view, target, training, operations)?;
            index += used;
        }
        match destination {
            Some(output) if output != view => {
                operations.push(Operation::Copy { input: view, output });
                Ok(output)
            }
            _ => Ok(view),
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn layer(
        &mut self,
        layer: &Layer,
        path: &str,
        relu: bool,
        input: View,
        target: Option<View>,
        training: bool,
        operations: &mut Vec<Operation>,
    ) -> Result<View, ArchitectureError> {
        let shape = shape::after(layer, input.shape, path)?;
        let identity = matches!(layer, Layer::Dropout { .. }) && !training
            || matches!(layer, Layer::Flatten) && input.shape.area() == 1;
        if identity {
            return Ok(input);
        }
        let output = target.unwrap_or_else(|| self.activation(path, shape));
        let operation = match layer {
            Layer::Dense { .. } => Operation::Dense {
                input,
                weight: self.own(path, "weight"),
                bias: self.own(path, "bias"),
                output,
                relu,
            },
            Layer::Convolution { window, .. } => Operation::Convolution {
                input,
                weight: self.own(path, "weight"),
                bias: self.own(path, "bias"),
                output,
                window: *window,
                relu,
            },
            Layer::Relu => Operation::Relu { input, output },
            Layer::Pool { pool, window } => {
                let places = (training && *pool == Pool::Max).then(|| {
                    let len = self.plan.batch.saturating_mul(shape.len());
                    self.array(&format!("{path}.places"), ArrayKind::Indices(len), false)
                });
                Operation::Pool { input, output, places, pool: *pool, window: *window }
            }
            Layer::GlobalMeanPool => Operation::GlobalMeanPool { input, output },
            Layer::Flatten => Operation::Flatten { input, output },
            Layer::BatchNormalization { epsilon } if *epsilon != EPSILON => {
                return Err(ArchitectureError::Layer {
                    layer: path.to_owned(),
                    reason: format!(
                        "{layer}: expected an epsilon of {EPSILON:e}, the only one that training supports"
                    ),
                });
            }
            Layer::BatchNormalization { .. } => {
                let names = ["weight", "bias", "running_mean", "running_var"];
                let saved = training.then(|| {
                    ["mean", "inverse"].map(|name| {
                        let kind = ArrayKind::Vector(shape.channels);
                        self.array(&format!("{path}.batch_{name}"), kind, false)
                    })
                });
                Operation::BatchNormalization {
                    input,
                    output,
                    parameters: names.map(|name| self.own(path, name)),
                    saved,
                    relu,
                }
            }
            Layer::LocalResponseNormalization { size, alpha, beta, k } => {
                Operation::LocalResponseNormalization {
                    input,
                    output,
                    sums: self.activation(&format!("{path}.sums"), shape).array,
                    constants: (*size, *alpha, *beta, *k),
                }
            }
            Layer::Dropout { rate } => {
                let next = self.dropouts.len() as u32;
                let layer = *self.dropouts.entry(path.to_owned()).or_insert(next);
                Operation::Dropout { input, output, rate: *rate, layer }
            }
            Layer::Concatenate(branches) => {
                let mut first = output.first;
                for (index, branch) in branches.iter().enumerate() {
                    let path = format!("{path}.{index}");
                    let inner =
                        branch.iter().enumerate().try_fold(input.shape, |shape, (i, layer)| {
                            shape::after(layer, shape, &format!("{path}.{i}"))
                        })?;
                    let view = View { array: output.array, first, shape: inner };
                    self.layers(branch, &path, 0, input, Some(view), training, operations)?;
                    first += inner.channels;
                }
                return Ok(output);
            }
        };
        operations.push(operation);
        Ok(output)
    }

    /// The way back through `forward`, from the gradient of its output. The gradient of `input` is
    /// computed if it is asked for.
    fn backward(&mut self, forward: &[Operation], input: Option<View>) -> Vec<Operation> {
        let own: HashSet<ArrayId> =
            forward.iter().filter_map(ends).map(|(_, output)| output.array).collect();
        let mut written = HashSet::new();
        let mut back = Vec::new();
        for operation in forward.iter().rev() {
            let Some((from, to)) = ends(operation) else { continue };
            let wanted = own.contains(&from.array) || input.is_some_and(|i| i.array == from.array);
            let output_gradient = self.gradient(to);
            let input_gradient = self.gradient(from);
            let accumulate = wanted && !written.insert(from.array);
            self.back(operation, output_gradient, input_gradient, accumulate, wanted, &mut back);
        }
        back
    }

    fn back(
        &mut self,
        operation: &Operation,
        output_gradient: View,
        input_gradient: View,
        accumulate: bool,
        wanted: bool,
        back: &mut Vec<Operation>,
    ) {
        let gradient_of =
            |id: &ArrayId| self.named[&format!("{}.gradient", self.plan.arrays[id.0].name)];
        match operation {
            Operation::Dense { input, weight, bias, output, relu } => {
                if *relu {
                    back.push(Operation::ReluGradient {
                        output: *output,
                        gradient: output_gradient,
                    });
                }
                if wanted {
                    let weight = *weight;
                    back.push(Operation::DenseInputGradient {
                        output_gradient,
                        weight,
                        input_gradient,
                        accumulate,
                    });
                }
                back.push(Operation::DenseWeightGradient {
                    input: *input,
                    output_gradient,
                    weight_gradient: gradient_of(weight),
                    bias_gradient: gradient_of(bias),
                });
            }
            Operation::Convolution { input, weight, bias, output, window, relu } => {
                let window = *window;
                if *relu {
                    back.push(Operation::ReluGradient {
                        output: *output,
                        gradient: output_gradient,
                    });
                }
                if wanted {
                    let weight = *weight;
                    back.push(Operation::ConvolutionInputGradient {
                        output_gradient,
                        weight,
                        input_gradient,
                        window,
                        accumulate,
                    });
                }
                back.push(Operation::ConvolutionWeightGradient {
                    input: *input,
                    output_gradient,
                    weight_gradient: gradient_of(weight),
                    bias_gradient: gradient_of(bias),
                    window,
                });
            }
            Operation::BatchNormalization { input, output, parameters, saved, relu } => {
                let Some(saved) = *saved else { return };
                // Its own parameters' gradients need the pass anyway, so the input's comes along.
                back.push(Operation::BatchNormalizationGradient {
                    input: *input,
                    output: relu.then_some(*output),
                    output_gradient,
                    scale: parameters[0],
                    saved,
                    parameter_gradients: [gradient_of(&parameters[0]), gradient_of(&parameters[1])],
                    input_gradient,
                    accumulate,
                });
            }
            _ if !wanted => {}
            Operation::Relu { output, .. } => {
                back.push(Operation::ReluGradient { output: *output, gradient: output_gradient });
                back.push(Operation::Pass {
                    gradient: output_gradient,
                    input_gradient,
                    accumulate,
                });
            }
            Operation::Copy { .. } => {
                back.push(Operation::Pass {
                    gradient: output_gradient,
                    input_gradient,
                    accumulate,
                });
            }
            Operation::Flatten { .. } => back.push(Operation::FlattenGradient {
                output_gradient,
                input_gradient,
                accumulate,
            }),
            Operation::Pool { places, pool, window, .. } => back.push(Operation::PoolGradient {
                output_gradient,
                places: *places,
                input_gradient,
                pool: *pool,
                window: *window,
                accumulate,
            }),
            Operation::GlobalMeanPool { .. } => back.push(Operation::GlobalMeanPoolGradient {
                output_gradient,
                input_gradient,
                accumulate,
            }),
            Operation::LocalResponseNormalization { input, sums, constants, .. } => {
                back.push(Operation::LocalResponseNormalizationGradient {
                    input: *input,
                    output_gradient,
                    sums: *sums,
                    input_gradient,
                    constants: *constants,
                    accumulate,
                });
            }
            Operation::Dropout { rate, layer, .. } => back.push(Operation::DropoutGradient {
                output_gradient,
                input_gradient,
                rate: *rate,
                layer: *layer,
                accumulate,
            }),
            _ => {}
        }
    }
}
