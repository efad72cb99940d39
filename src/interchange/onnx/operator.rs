//! The operators that are read, one by one.

use crate::interchange::InterchangeError;
use crate::network::graph::window::MOST_POSITIONS;
use crate::network::graph::{Affine, Normalization, Operation, Response, count};

use crate::network::Activation;

use super::call::Call;
use super::read::{Named, Reading, product};

type Result<T> = std::result::Result<T, InterchangeError>;

/// What the node makes.
pub fn read<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    match call.node.operator {
        "Constant" => {
            let value = call.node.attributes.iter().find(|attribute| attribute.name == "value");
            match value.and_then(|attribute| attribute.tensor.clone()) {
                Some(tensor) => Ok(Named::Constant(tensor)),
                None => call.refuse("only the attribute 'value' is read"),
            }
        }
        "Identity" => match call.input(reading, 0)? {
            Some(named) => Ok(named),
            None => call.refuse("it has no input"),
        },
        "Dropout" if call.has(2) => call.refuse("its training mode is not read"),
        "Dropout" => call.value(reading, 0).map(Named::Value),
        "Relu" => {
            let on = call.value(reading, 0)?;
            let shape = reading.shape(on).to_vec();
            reading.push(Operation::Activate(Activation::Relu), on, shape)
        }
        "Flatten" => {
            let on = call.value(reading, 0)?;
            call.only("axis", 1)?;
            let shape = vec![count(reading.shape(on))];
            reading.push(Operation::Same, on, shape)
        }
        "Reshape" => reshape(reading, call),
        "Gemm" => gemm(reading, call),
        "MatMul" => {
            let on = call.value(reading, 0)?;
            dense(reading, call, on, false, Vec::new())
        }
        "Add" => added(reading, call, false),
        "Sub" => added(reading, call, true),
        "Sum" if call.node.inputs.len() == 2 => added(reading, call, false),
        "Sum" => call.refuse("sums of two are read"),
        "Conv" => convolution(reading, call),
        "MaxPool" | "AveragePool" => {
            let (on, [channels, height, width]) = call.image(reading, 0)?;
            let window = call.window(call.ints("kernel_shape", 0)?)?;
            let (rows, columns) = call.places(&window, height, width)?;
            let positions = product(&[rows, columns, window.size.0, window.size.1]);
            if positions.is_none_or(|positions| positions > MOST_POSITIONS) {
                return call.refuse("its windows are too large");
            }
            let padded = call.int("count_include_pad", 0)? != 0;
            let operation = match call.node.operator {
                "MaxPool" => Operation::MaxPool(window),
                _ => Operation::MeanPool(window, padded),
            };
            reading.push(operation, on, vec![channels, rows, columns])
        }
        "GlobalAveragePool" => {
            let (on, [channels, ..]) = call.image(reading, 0)?;
            reading.push(Operation::GlobalMean, on, vec![channels, 1, 1])
        }
        "ReduceMean" => {
            // As PyTorch writes a mean over all positions of each channel.
            let (on, [channels, ..]) = call.image(reading, 0)?;
            call.only("keepdims", 1)?;
            let mut axes = match call.has(1) {
                true => reading.integers(&call.constant(reading, 1)?)?,
                false => call.attribute_ints("axes")?,
            };
            axes.iter_mut()
                .for_each(|axis| *axis = if *axis < 0 { axis.saturating_add(4) } else { *axis });
            axes.sort_unstable();
            if axes != [2, 3] {
                return call
                    .refuse("means over the positions of each channel are read: axes 2 and 3");
            }
            reading.push(Operation::GlobalMean, on, vec![channels, 1, 1])
        }
        "BatchNormalization" => {
            let on = call.value(reading, 0)?;
            call.only("training_mode", 0)?;
            call.only("spatial", 1)?;
            let shape = reading.shape(on).to_vec();
            let mut vector = |k| call.vector(reading, k, shape[0]);
            let normalization = Normalization {
                scale: vector(1)?,
                shift: vector(2)?,
                mean: vector(3)?,
                variance: vector(4)?,
                epsilon: f64::from(call.float("epsilon", 1e-5)?),
            };
            let epsilon = normalization.epsilon;
            let positive = |&x: &f64| x >= 0.0 && x + epsilon > 0.0;
            if !(epsilon >= 0.0 && normalization.variance.iter().all(positive)) {
                return call.refuse("a variance is negative, or zero without an epsilon");
            }
            reading.push(Operation::Normalize(normalization), on, shape)
        }
        "LRN" => {
            let (on, shape) = call.image(reading, 0)?;
            let size = usize::try_from(call.int("size", 0)?).unwrap_or(0);
            let number = |name, otherwise| call.float(name, otherwise).map(f64::from);
            let constants = (number("alpha", 1e-4)?, number("beta", 0.75)?, number("bias", 1.0)?);
            match Response::new(size.saturating_sub(1) / 2, size, constants) {
                Ok(response) => reading.push(Operation::Response(response), on, shape.to_vec()),
                Err(reason) => call.refuse(reason),
            }
        }
        "Concat" => concatenate(reading, call),
        _ => Err(InterchangeError::Operator {
            node: call.name.to_owned(),
            operator: call.node.operator.to_owned(),
        }),
    }
}

fn reshape<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let on = call.value(reading, 0)?;
    let wanted = reading.integers(&call.constant(reading, 1)?)?;
    if call.int("allowzero", 0)? != 0 && wanted.contains(&0) {
        return call.refuse("sides of 0 are not read");
    }
    let shape = reading.shape(on).to_vec();
    let numbers = count(&shape);
    let refused = || call.refuse(format!("points of shape {shape:?} do not become {wanted:?}"));
    // The first side is the batch; a 0 copies a side, one −1 takes what is left.
    let rest = wanted.split_first().filter(|(first, sides)| {
        // Another number is a number of points, which are not known here.
        matches!(first, 0 | -1) && !sides.is_empty()
    });
    let Some((first, sides)) = rest else { return refused() };
    if *first == -1 && sides.contains(&-1) {
        return refused();
    }
    let side = |(k, &side): (usize, &i64)| match side {
        0 => shape.get(k).copied(),
        -1 => Some(0),
        side => usize::try_from(side).ok(),
    };
    let Some(mut sides) = sides.iter().enumerate().map(side).collect::<Option<Vec<usize>>>() else {
        return refused();
    };
    let open: Vec<usize> = (0..sides.len()).filter(|&k| sides[k] == 0).collect();
    if let [open] = open[..] {
        sides[open] = 1;
        match product(&sides) {
            Some(rest) if rest > 0 && numbers.is_multiple_of(rest) => sides[open] = numbers / rest,
            _ => return refused(),
        }
    }
    if product(&sides) != Some(numbers) {
        return refused();
    }
    reading.push(Operation::Same, on, sides)
}

fn gemm<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    call.only("transA", 0)?;
    if call.float("alpha", 1.0)? != 1.0 || call.float("beta", 1.0)? != 1.0 {
        return call.refuse("alpha and beta other than 1 are not read");
    }
    let on = call.value(reading, 0)?;
    let bias = match call.has(2) {
        false => Vec::new(),
        true => {
            let tensor = call.constant(reading, 2)?;
            let (sides, values) = reading.floats(&tensor)?;
            // A number, or one an output: for every point the same.
            if !matches!(sides[..], [] | [_] | [1, _]) || values.is_empty() {
                return call.refuse(format!("its input 2 of shape {sides:?} is no row of biases"));
            }
            values
        }
    };
    dense(reading, call, on, call.int("transB", 0)? != 0, bias)
}

fn dense<'a>(
    reading: &mut Reading<'a>,
    call: &Call<'_, 'a>,
    on: usize,
    transposed: bool,
    mut bias: Vec<f64>,
) -> Result<Named<'a>> {
    let shape = reading.shape(on).to_vec();
    let tensor = call.constant(reading, 1)?;
    let (sides, values) = reading.floats(&tensor)?;
    let ([inputs], [rows, columns]) = (shape.as_slice(), sides.as_slice()) else {
        return call.refuse(format!("points of shape {shape:?} and weights of shape {sides:?}"));
    };
    let (taken, outputs) = if transposed { (*columns, *rows) } else { (*rows, *columns) };
    if taken != *inputs || outputs == 0 {
        return call.refuse(format!("points of {inputs} numbers, weights for {taken}"));
    }
    if bias.len() == 1 {
        bias = vec![bias[0]; reading.hold(&[outputs])?];
    }
    if !bias.is_empty() && bias.len() != outputs {
        return call.refuse(format!("{} biases for {outputs} outputs", bias.len()));
    }
    let weights = match transposed {
        false => values,
        true => (0..taken * outputs).map(|k| values[k % outputs * taken + k / outputs]).collect(),
    };
    let affine = Affine { weights, inputs: taken, outputs, bias };
    reading.push(Operation::Dense(affine), on, vec![outputs])
}

fn convolution<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let (on, [channels, height, width]) = call.image(reading, 0)?;
    call.only("group", 1)?;
    let tensor = call.constant(reading, 1)?;
    let (sides, values) = reading.floats(&tensor)?;
    let [outputs, inputs, rows, columns] = sides[..] else {
        return call.refuse(format!("weights of shape {sides:?}, four sides are wanted"));
    };
    if inputs != channels || outputs == 0 {
        return call.refuse(format!("images of {channels} channels, weights for {inputs}"));
    }
    let window = call.window([rows, columns])?;
    if call.ints("kernel_shape", 0)? != [rows, columns]
        && call.ints::<2>("kernel_shape", 0)? != [0, 0]
    {
        return call.refuse("kernel_shape is not that of its weights");
    }
    let places = call.places(&window, height, width)?;
    let bias = if call.has(2) { call.vector(reading, 2, outputs)? } else { Vec::new() };
    let inputs = channels * rows * columns;
    let windows = product(&[places.0, places.1, inputs]);
    if windows.is_none_or(|numbers| numbers > MOST_POSITIONS) {
        return call.refuse("its windows are too large");
    }
    let weights =
        (0..inputs * outputs).map(|k| values[k % outputs * inputs + k / outputs]).collect();
    let affine = Affine { weights, inputs, outputs, bias };
    reading.push(Operation::Convolution(affine, window), on, vec![outputs, places.0, places.1])
}

fn added<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>, minus: bool) -> Result<Named<'a>> {
    let (left, right) = (call.input(reading, 0)?, call.input(reading, 1)?);
    let (on, tensor, constant_first) = match (left, right) {
        (Some(Named::Value(on)), Some(Named::Value(other))) => {
            let shape = reading.shape(on).to_vec();
            if reading.shape(other) != shape {
                return call.refuse("values of different shapes are not added here");
            }
            return reading.push(Operation::Sum { other, minus }, on, shape);
        }
        (Some(Named::Value(on)), Some(Named::Constant(tensor))) => (on, tensor, false),
        (Some(Named::Constant(tensor)), Some(Named::Value(on))) => (on, tensor, true),
        _ => return call.refuse("one of its inputs must depend on the points"),
    };
    let (mut sides, mut values) = reading.floats(&tensor)?;
    if call.node.operator != "Sum" && matches!(values[..], [x] if super::left_out(x)) {
        // Runtimes compute different things.
        return call.refuse("ONNX Runtime leaves out one number below 2^-126, others do not");
    }
    let shape = reading.shape(on).to_vec();
    if sides.len() == shape.len() + 1 && sides[0] == 1 {
        sides.remove(0);
    }
    if sides.len() > shape.len() {
        return call.refuse(format!("points of shape {shape:?} and a constant of shape {sides:?}"));
    }
    // Shapes are aligned at their ends, and sides of 1 repeated.
    let padded: Vec<usize> =
        std::iter::repeat_n(1, shape.len() - sides.len()).chain(sides.iter().copied()).collect();
    let both = shape.iter().zip(&padded).map(|(&one, &other)| match (one, other) {
        (one, other) if one == other => Some(one),
        (1, other) => Some(other),
        (one, 1) => Some(one),
        _ => None,
    });
    let Some(result) = both.collect::<Option<Vec<usize>>>() else {
        return call.refuse(format!("points of shape {shape:?} and a constant of shape {sides:?}"));
    };
    let numbers = reading.hold(&result)?;
    let (from, by) = (strides(&shape, &result), strides(&padded, &result));
    if minus && !constant_first {
        values.iter_mut().for_each(|x| *x = -*x);
    }
    let place = |strides: &[usize], at: usize| {
        let mut left = at;
        let each = result.iter().zip(strides).rev().map(|(&side, &stride)| {
            let digit = left % side;
            left /= side;
            digit * stride
        });
        each.sum::<usize>()
    };
    let operation = Operation::Shift {
        negated: minus && constant_first,
        from: (0..numbers).map(|at| place(&from, at) as u32).collect(),
        by: (0..numbers).map(|at| values[place(&by, at)]).collect(),
    };
    reading.push(operation, on, result)
}

/// How far apart neighbours along each side lie in an array of shape `held`; 0 where it is repeated.
fn strides(held: &[usize], result: &[usize]) -> Vec<usize> {
    let mut stride = 1;
    let mut strides: Vec<usize> = held
        .iter()
        .zip(result)
        .rev()
        .map(|(&side, &wanted)| {
            let own = if side == wanted { stride } else { 0 };
            stride *= side;
            own
        })
        .collect();
    strides.reverse();
    strides
}

fn concatenate<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    let first = call.value(reading, 0)?;
    let mut shape = reading.shape(first).to_vec();
    let axis = call.int("axis", 0)?;
    if axis != 1 && axis != -(shape.len() as i64) {
        return call.refuse(format!("axis = {axis} is not read, 1 is"));
    }
    let mut others = Vec::new();
    for k in 1..call.node.inputs.len() {
        let other = call.value(reading, k)?;
        let sides = reading.shape(other);
        if sides.len() != shape.len() || sides[1..] != shape[1..] {
            return call.refuse("its inputs have different shapes");
        }
        shape[0] = shape[0].saturating_add(sides[0]);
        others.push(other);
    }
    reading.push(Operation::Concatenate(others), first, shape)
}
