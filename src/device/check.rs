//! Checks a plan once, so that running it need not: every array that an operation names exists and has the kind,
//! the shape and the length that the operation takes, and no array that an operation writes is named twice by it.

use shatter_network::architecture::{Pool, Shape, Window};

use super::DeviceError;
use super::plan::{Array, ArrayId, ArrayKind, LabelArrays, Operation, Plan, Sequence, View};

/// Access of an operation to an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads the array.
    Read,
    /// Replaces the array, or the rows of the view of it.
    Write,
    /// Reads and changes the array.
    Change,
}

/// The arrays that each operation of a sequence touches.
pub type Accesses = Vec<Vec<(ArrayId, Access)>>;

/// Checks that one replica of an array exists and has `given` numbers (or indices).
///
/// # Errors
/// [`DeviceError::Missing`], [`DeviceError::Length`].
pub fn address(
    plan: &Plan,
    id: ArrayId,
    replica: usize,
    indices: bool,
    given: usize,
) -> Result<(), DeviceError> {
    let missing = |what: String| Err(DeviceError::Missing(what));
    let Some(array) = plan.arrays.get(id.0) else {
        return missing(format!("array {}", id.0));
    };
    if replica >= plan.replicas {
        return missing(format!("replica {replica} of '{}'", array.name));
    }
    if array.shared && replica > 0 {
        return missing(format!("replica {replica} of '{}', which is shared", array.name));
    }
    if matches!(array.kind, ArrayKind::Indices(_)) != indices {
        let what = if indices { "indices" } else { "numbers" };
        return missing(format!("{what} in '{}'", array.name));
    }
    let held = plan.len(id);
    if held == given {
        Ok(())
    } else {
        Err(DeviceError::Length { array: array.name.clone(), held, given })
    }
}

/// Returns the arrays that every operation of every sequence touches.
///
/// # Errors
/// [`DeviceError::Missing`], [`DeviceError::Length`], naming array, operation and sequence.
pub fn check(plan: &Plan) -> Result<Vec<Accesses>, DeviceError> {
    plan.sequences.iter().map(|sequence| check_sequence(plan, sequence)).collect()
}

fn check_sequence(plan: &Plan, sequence: &Sequence) -> Result<Accesses, DeviceError> {
    if sequence.rows == 0 || sequence.rows > plan.batch {
        return Err(DeviceError::Missing(format!(
            "{} samples in a batch, which '{}' needs",
            sequence.rows, sequence.name
        )));
    }
    let operations = sequence.operations.iter().enumerate();
    operations
        .map(|(index, operation)| {
            let mut checker = Checker { plan, sequence, index, touched: Vec::new() };
            checker.operation(operation)?;
            checker.once()?;
            Ok(checker.touched)
        })
        .collect()
}

struct Checker<'a> {
    plan: &'a Plan,
    sequence: &'a Sequence,
    index: usize,
    touched: Vec<(ArrayId, Access)>,
}

/// Changed if added to, written otherwise.
fn added(accumulate: bool) -> Access {
    if accumulate { Access::Change } else { Access::Write }
}

impl Checker<'_> {
    fn missing(&self, what: &str) -> DeviceError {
        let (index, sequence) = (self.index, &self.sequence.name);
        DeviceError::Missing(format!("{what}, which operation {index} of '{sequence}' needs"))
    }

    fn wrong(&self, array: ArrayId, what: &str) -> DeviceError {
        self.missing(&format!("'{}' {what}", self.plan.arrays[array.0].name))
    }

    fn require(&self, holds: bool, what: &str) -> Result<(), DeviceError> {
        if holds { Ok(()) } else { Err(self.missing(what)) }
    }

    fn array(&mut self, id: ArrayId, access: Access) -> Result<&Array, DeviceError> {
        self.touched.push((id, access));
        let array = self.plan.arrays.get(id.0);
        array.ok_or_else(|| self.missing(&format!("array {}", id.0)))
    }

    /// No array that is written is named twice.
    fn once(&self) -> Result<(), DeviceError> {
        for (at, (id, access)) in self.touched.iter().enumerate() {
            let again = self.touched[..at].iter().find(|(other, _)| other == id);
            if again.is_some_and(|(_, other)| (*access, *other) != (Access::Read, Access::Read)) {
                return Err(self.wrong(*id, "for reading and writing at once"));
            }
        }
        Ok(())
    }

    fn view(&mut self, view: View, access: Access) -> Result<Shape, DeviceError> {
        let seen = view.shape;
        let inside = match self.array(view.array, access)?.kind {
            ArrayKind::Activation(whole) => {
                let end = view.first.checked_add(seen.channels);
                !seen.is_empty()
                    && (seen.height, seen.width) == (whole.height, whole.width)
                    && end.is_some_and(|end| end <= whole.channels)
            }
            _ => false,
        };
        let what = format!("with activations {seen} from channel {} on", view.first);
        if inside { Ok(seen) } else { Err(self.wrong(view.array, &what)) }
    }

    /// A view of vectors: how many numbers a sample has.
    fn vectors(&mut self, view: View, access: Access) -> Result<usize, DeviceError> {
        let shape = self.view(view, access)?;
        let is_vector = shape.area() == 1;
        if is_vector { Ok(shape.channels) } else { Err(self.wrong(view.array, "as vectors")) }
    }

    fn length(&self, id: ArrayId, fits: bool, given: usize) -> Result<(), DeviceError> {
        let array = self.plan.arrays[id.0].name.clone();
        let held = self.plan.len(id);
        if fits { Ok(()) } else { Err(DeviceError::Length { array, held, given }) }
    }

    fn numbers(&mut self, id: ArrayId, len: usize, access: Access) -> Result<(), DeviceError> {
        match self.array(id, access)?.kind {
            ArrayKind::Vector(held) => self.length(id, held == len, len),
            _ => Err(self.wrong(id, "as a vector or a matrix")),
        }
    }

    /// At least `len` indices.
    fn indices(&mut self, id: ArrayId, len: usize, access: Access) -> Result<(), DeviceError> {
        match self.array(id, access)?.kind {
            ArrayKind::Indices(held) => self.length(id, held >= len, len),
            _ => Err(self.wrong(id, "as indices")),
        }
    }

    fn kernel(
        &mut self,
        id: ArrayId,
        (inputs, outputs): (Shape, Shape),
        window: Window,
        access: Access,
    ) -> Result<(), DeviceError> {
        let (inputs, outputs) = (inputs.channels, outputs.channels);
        let expected = ArrayKind::Kernel { outputs, inputs, size: window.size };
        let fits = self.array(id, access)?.kind == expected;
        let what = format!("as a kernel {outputs}×{inputs}×{0}×{0}", window.size);
        if fits { Ok(()) } else { Err(self.wrong(id, &what)) }
    }

    fn same(&self, a: Shape, b: Shape) -> Result<(), DeviceError> {
        self.require(a == b, &format!("equal shapes ({a} and {b})"))
    }

    fn windowed(&self, input: Shape, output: Shape, window: Window) -> Result<(), DeviceError> {
        let sensible = window.size > 0 && window.stride > 0 && window.padding < window.size;
        let places = (window.places(input.height), window.places(input.width));
        let fits = sensible && places == (Some(output.height), Some(output.width));
        self.require(fits, &format!("window {window:?} that takes {input} to {output}"))
    }

    fn rate(&self, rate: f64) -> Result<(), DeviceError> {
        self.require((0.0..1.0).contains(&rate), &format!("rate {rate}"))
    }

    /// Numbers that an operation keeps for each number of a batch.
    fn kept(&mut self, id: ArrayId, shape: Shape, access: Access) -> Result<(), DeviceError> {
        let len = self.sequence.rows.saturating_mul(shape.len());
        match self.array(id, access)?.kind {
            ArrayKind::Vector(held) => self.length(id, held >= len, len),
            ArrayKind::Activation(held) if held == shape => Ok(()),
            _ => Err(self.wrong(id, &format!("with a number for each of {shape}"))),
        }
    }

    fn labels(&mut self, of: LabelArrays, numbers: Option<usize>) -> Result<(), DeviceError> {
        self.indices(of.chosen, self.sequence.rows, Access::Read)?;
        self.indices(of.changed, 0, Access::Read)?;
        let fits = match self.array(of.labels, Access::Read)?.kind {
            ArrayKind::Indices(_) => true,
            ArrayKind::Images { shape, .. } => {
                numbers.is_some_and(|len| shape == Shape::vector(len))
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(self.wrong(of.labels, "as labels")) }
    }

    /// An array of numbers of any kind: how many.
    fn any_numbers(&mut self, id: ArrayId, access: Access) -> Result<usize, DeviceError> {
        match self.array(id, access)?.kind {
            ArrayKind::Indices(_) => Err(self.wrong(id, "as numbers")),
            _ => Ok(self.plan.len(id)),
        }
    }

    fn operation(&mut self, operation: &Operation) -> Result<(), DeviceError> {
        use Access::{Change, Read, Write};
        let rows = self.sequence.rows;
        match *operation {
            Operation::Select { order, chosen } => {
                order.map_or(Ok(()), |order| self.indices(order, 0, Read))?;
                self.indices(chosen, rows, Write)
            }
            Operation::Gather { images, chosen, output, augmentation } => {
                self.indices(chosen, rows, Read)?;
                let to = self.view(output, Write)?;
                let ArrayKind::Images { shape: from, .. } = self.array(images, Read)?.kind else {
                    return Err(self.wrong(images, "as images"));
                };
                let fits = match augmentation {
                    Some(_) => {
                        from.channels == to.channels
                            && from.height >= to.height
                            && from.width >= to.width
                    }
                    None => from == to,
                };
                self.require(fits, &format!("way to take {to} from {from}"))
            }
            Operation::Dense { input, weight, bias, output, .. } => {
                let (inputs, outputs) = (self.vectors(input, Read)?, self.vectors(output, Write)?);
                self.numbers(weight, inputs.saturating_mul(outputs), Read)?;
                self.numbers(bias, outputs, Read)
            }
            Operation::DenseInputGradient {
                output_gradient,
                weight,
                input_gradient,
                accumulate,
            } => {
                let outputs = self.vectors(output_gradient, Read)?;
                let inputs = self.vectors(input_gradient, added(accumulate))?;
                self.numbers(weight, inputs.saturating_mul(outputs), Read)
            }
            Operation::DenseWeightGradient {
                input,
                output_gradient,
                weight_gradient,
                bias_gradient,
            } => {
                let inputs = self.vectors(input, Read)?;
                let outputs = self.vectors(output_gradient, Read)?;
                self.numbers(weight_gradient, inputs.saturating_mul(outputs), Write)?;
                self.numbers(bias_gradient, outputs, Write)
            }
            Operation::Convolution { input, weight, bias, output, window, .. } => {
                let shapes = (self.view(input, Read)?, self.view(output, Write)?);
                self.windowed(shapes.0, shapes.1, window)?;
                self.kernel(weight, shapes, window, Read)?;
                self.numbers(bias, shapes.1.channels, Read)
            }
            Operation::ConvolutionInputGradient {
                output_gradient,
                weight,
                input_gradient,
                window,
                accumulate,
            } => {
                let outputs = self.view(output_gradient, Read)?;
                let inputs = self.view(input_gradient, added(accumulate))?;
                self.windowed(inputs, outputs, window)?;
                self.kernel(weight, (inputs, outputs), window, Read)
            }
            Operation::ConvolutionWeightGradient {
                input,
                output_gradient,
                weight_gradient,
                bias_gradient,
                window,
            } => {
                let shapes = (self.view(input, Read)?, self.view(output_gradient, Read)?);
                self.windowed(shapes.0, shapes.1, window)?;
                self.kernel(weight_gradient, shapes, window, Write)?;
                self.numbers(bias_gradient, shapes.1.channels, Write)
            }
            Operation::Relu { input, output } | Operation::Copy { input, output } => {
                let (from, to) = (self.view(input, Read)?, self.view(output, Write)?);
                self.same(from, to)
            }
            Operation::ReluGradient { output, gradient } => {
                let (from, to) = (self.view(output, Read)?, self.view(gradient, Change)?);
                self.same(from, to)
            }
            Operation::Pass { gradient, input_gradient, accumulate } => {
                let from = self.view(gradient, Read)?;
                let to = self.view(input_gradient, added(accumulate))?;
                self.same(from, to)
            }
            Operation::Flatten { input, output } => {
                let (from, to) = (self.view(input, Read)?, self.vectors(output, Write)?);
                self.same(Shape::vector(from.len()), Shape::vector(to))
            }
            Operation::FlattenGradient { output_gradient, input_gradient, accumulate } => {
                let from = self.vectors(output_gradient, Read)?;
                let to = self.view(input_gradient, added(accumulate))?;
                self.same(Shape::vector(from), Shape::vector(to.len()))
            }
            Operation::Pool { input, output, places, window, .. } => {
                let (from, to) = (self.view(input, Read)?, self.view(output, Write)?);
                self.windowed(from, to, window)?;
                self.require(from.channels == to.channels, "equal channels")?;
                let kept = rows.saturating_mul(to.len());
                places.map_or(Ok(()), |places| self.indices(places, kept, Write))
            }
            Operation::PoolGradient {
                output_gradient,
                places,
                input_gradient,
                window,
                pool,
                accumulate,
            } => {
                let from = self.view(output_gradient, Read)?;
                let to = self.view(input_gradient, added(accumulate))?;
                self.windowed(to, from, window)?;
                self.require(from.channels == to.channels, "equal channels")?;
                let is_max = pool == Pool::Max;
                self.require(!is_max || places.is_some(), "places of the maxima")?;
                let kept = rows.saturating_mul(from.len());
                places.map_or(Ok(()), |places| self.indices(places, kept, Read))
            }
            Operation::GlobalMeanPool { input, output } => {
                let (from, to) = (self.view(input, Read)?, self.vectors(output, Write)?);
                self.require(from.channels == to, "equal channels")
            }
            Operation::GlobalMeanPoolGradient { output_gradient, input_gradient, accumulate } => {
                let from = self.vectors(output_gradient, Read)?;
                let to = self.view(input_gradient, added(accumulate))?;
                self.require(from == to.channels, "equal channels")
            }
            Operation::BatchNormalization { input, output, parameters, saved, .. } => {
                let (from, to) = (self.view(input, Read)?, self.view(output, Write)?);
                self.same(from, to)?;
                let running = if saved.is_some() { Change } else { Read };
                for (id, access) in parameters.into_iter().zip([Read, Read, running, running]) {
                    self.numbers(id, from.channels, access)?;
                }
                let mut saved = saved.into_iter().flatten();
                saved.try_for_each(|id| self.numbers(id, from.channels, Write))
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
            } => {
                let shape = self.view(input, Read)?;
                let others = output.into_iter().chain([output_gradient]);
                for view in others {
                    let other = self.view(view, Read)?;
                    self.same(shape, other)?;
                }
                let to = self.view(input_gradient, added(accumulate))?;
                self.same(shape, to)?;
                for id in [scale, saved[0], saved[1]] {
                    self.numbers(id, shape.channels, Read)?;
                }
                let mut gradients = parameter_gradients.into_iter();
                gradients.try_for_each(|id| self.numbers(id, shape.channels, Write))
            }
            Operation::LocalResponseNormalization { input, output, sums, constants } => {
                let (from, to) = (self.view(input, Read)?, self.view(output, Write)?);
                self.same(from, to)?;
                self.require(constants.0 > 0, "channels to sum over")?;
                self.kept(sums, from, Write)
            }
            Operation::LocalResponseNormalizationGradient {
                input,
                output_gradient,
                sums,
                input_gradient,
                constants,
                accumulate,
            } => {
                let (input, from) = (self.view(input, Read)?, self.view(output_gradient, Read)?);
                let to = self.view(input_gradient, added(accumulate))?;
                self.same(input, from)?;
                self.same(input, to)?;
                self.require(constants.0 > 0, "channels to sum over")?;
                self.kept(sums, from, Read)
            }
            Operation::Dropout { input, output, rate, .. } => {
                let (from, to) = (self.view(input, Read)?, self.view(output, Write)?);
                self.same(from, to)?;
                self.rate(rate)
            }
            Operation::DropoutGradient {
                output_gradient,
                input_gradient,
                rate,
                accumulate,
                ..
            } => {
                let from = self.view(output_gradient, Read)?;
                let to = self.view(input_gradient, added(accumulate))?;
                self.same(from, to)?;
                self.rate(rate)
            }
            Operation::CrossEntropy { logits: output, gradient, labels }
            | Operation::SquaredLoss { output, gradient, labels } => {
                let outputs = self.vectors(output, Read)?;
                if let Some(gradient) = gradient {
                    let to = self.vectors(gradient, Write)?;
                    self.same(Shape::vector(outputs), Shape::vector(to))?;
                }
                let squared = matches!(operation, Operation::SquaredLoss { .. });
                self.labels(labels, squared.then_some(outputs))
            }
            Operation::Update { ref parameters, .. } => {
                for &[weight, gradient, velocity] in parameters {
                    let len = self.any_numbers(weight, Change)?;
                    for (id, access) in [(gradient, Read), (velocity, Change)] {
                        self.any_numbers(id, access)?;
                        let kinds = [weight, id].map(|id| self.plan.arrays[id.0].kind);
                        self.length(id, self.plan.len(id) == len, len)?;
                        if kinds[0] != kinds[1] {
                            return Err(self.wrong(id, "of the kind of its weight"));
                        }
                    }
                }
                Ok(())
            }
        }
    }
}
