//! The operators that are read.
//!
//! Few of them are operations of a graph; the others are put into those: a dilated convolution is one with zeros
//! between its weights, a transpose picks numbers, a hard sigmoid is a product, a sum and a clip. What a runtime
//! rounds is at most what is rounded then.
//!
//! | file | operators |
//! |---|---|
//! | [`affine`], [`convolution`] | Gemm, MatMul, Conv |
//! | [`arithmetic`] | Add, Sub, Mul, Div, Sum, Max, Min |
//! | [`pointwise`] | Relu and its like, Clip, Abs, Neg |
//! | [`pool`] | pools and reductions |
//! | [`normalize`] | batch and response normalization, a last softmax |
//! | [`layout`], [`reshape`], [`join`] | what moves numbers |
//! | [`shapes`] | whole numbers |
//! | [`refused`] | reasons for what is not read |

mod affine;
mod arithmetic;
mod convolution;
mod geometry;
mod join;
mod layout;
mod normalize;
pub mod pointwise;
mod pool;
mod refused;
mod reshape;
mod shapes;

use crate::InterchangeError;
use shatter_network::Activation;

use super::call::Call;
use super::named::{Named, Numbers};
use super::pattern;
use super::read::Reading;
use super::whole::Size;
use pool::Reduce;

type Result<T> = std::result::Result<T, InterchangeError>;

/// What the node makes: its outputs, those that are not read left out.
pub fn read<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Vec<Named<'a>>> {
    if call.node.operator == "Split" {
        return layout::split(reading, call);
    }
    Ok(vec![first(reading, call)?])
}

fn first<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    match call.node.operator {
        "Constant" => shapes::literal(reading, call),
        "Identity" => match call.node.inputs.first() {
            Some(name) => reading.named(name),
            None => call.refuse("it has no input"),
        },
        "Dropout" => dropout(reading, call),
        "Cast" => {
            let to = call.int("to", 0)?;
            match call.input(reading, 0)? {
                Named::Part(part) => pattern::cast(reading, call, part, to),
                named => shapes::cast(reading, call, named, to),
            }
        }
        "Gemm" => affine::gemm(reading, call),
        "MatMul" => affine::matmul(reading, call),
        "Conv" => convolution::convolution(reading, call),
        "Add" | "Sub" | "Mul" | "Div" | "Mod" | "Greater" | "Less" | "GreaterOrEqual"
        | "LessOrEqual" | "Equal" | "And" => arithmetic::binary(reading, call),
        "Sum" | "Max" | "Min" => arithmetic::several(reading, call),
        "Where" => pattern::choice(reading, call),
        "Floor" => pattern::floor(reading, call),
        "Relu" => pointwise::activation(reading, call, Activation::Relu),
        "Softsign" => pointwise::activation(reading, call, Activation::Softsign),
        "LeakyRelu" => pointwise::leaky(reading, call),
        "PRelu" => pointwise::slopes(reading, call),
        "Abs" => pointwise::size(reading, call),
        "Neg" => pointwise::negated(reading, call),
        "Clip" => pointwise::clip(reading, call),
        "HardSigmoid" => pointwise::hard_sigmoid(reading, call),
        "ThresholdedRelu" => pointwise::thresholded(reading, call),
        "MaxPool" | "AveragePool" => pool::pool(reading, call),
        "GlobalAveragePool" => pool::global(reading, call, Reduce::Mean),
        "GlobalMaxPool" => pool::global(reading, call, Reduce::Largest),
        "ReduceMean" => pool::reduce(reading, call, Reduce::Mean),
        "ReduceSum" => pool::reduce(reading, call, Reduce::Sum),
        "ReduceMax" => pool::reduce(reading, call, Reduce::Largest),
        "ReduceMin" => pool::reduce(reading, call, Reduce::Smallest),
        "BatchNormalization" => normalize::batch(reading, call),
        "LRN" => normalize::response(reading, call),
        "Softmax" | "LogSoftmax" => normalize::soft(reading, call),
        "Reshape" => reshape::reshape(reading, call),
        "Flatten" => reshape::flatten(reading, call),
        "Transpose" => layout::transpose(reading, call),
        "Squeeze" => layout::squeeze(reading, call),
        "Unsqueeze" => layout::unsqueeze(reading, call),
        "Slice" => layout::slice(reading, call),
        "Gather" => layout::gather(reading, call),
        "Concat" => join::concatenate(reading, call),
        "Pad" => join::pad(reading, call),
        "Expand" => join::expand(reading, call),
        "Shape" => shapes::shape(reading, call),
        "Size" => shapes::size(reading, call),
        "ReduceProd" => shapes::product(reading, call),
        "ConstantOfShape" => shapes::constant_of_shape(reading, call),
        other => match refused::reason(other) {
            Some(reason) => call.refuse(reason),
            None => Err(InterchangeError::Operator {
                node: call.name.to_owned(),
                operator: other.to_owned(),
            }),
        },
    }
}

/// Dropout, which does nothing outside training.
fn dropout<'a>(reading: &mut Reading<'a>, call: &Call<'_, 'a>) -> Result<Named<'a>> {
    if call.has(2) {
        let off = match call.input(reading, 2)? {
            Named::Whole(whole) => whole.numbers[..] == [Size::known(0)],
            Named::Numbers(Numbers { values, .. }) => values[..] == [0.0],
            _ => false,
        };
        if !off {
            return call.refuse("it is in training mode: export the network after model.eval()");
        }
    }
    call.value(reading, 0).map(Named::Value)
}
