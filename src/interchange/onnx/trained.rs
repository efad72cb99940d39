//! Trained networks as ONNX graphs, in inference mode.
//!
//! The input is what the network was trained on: prepared images ([`shatter_prepare::prepare`]).
//! With the shape of raw images, bytes go in, and the graph begins with the preparation, in binary64
//! and rounded once, as ours is: crop, division by 255, whitening.
//!
//! Dropout is left out. Local response normalization over an even number of channels, which ONNX
//! centres otherwise than PyTorch, is written as a 1 × 1 convolution of the squares.

use crate::InterchangeError;
use crate::number::{Converter, Floats};
use shatter_exact::Format;
use shatter_network::architecture::{
    Architecture, EPSILON, Layer, Parameter, Pool, Shape, Window, shape,
};
use shatter_prepare::Preprocess;

use super::construction::BYTES;
use super::graph::{Builder, Value, element_type};
use super::message::data_type;

/// Size that a response normalization may have, and channels where it is written as a convolution, whose
/// kernel is as many by as many.
const MOST_SIZE: usize = i32::MAX as usize;
const MOST_BANDED: usize = 1 << 12;

/// Raw images that are prepared by the graph.
#[derive(Clone, Copy, Debug)]
pub struct Raw {
    /// Their shape.
    pub shape: Shape,
    /// What is done to them.
    pub preprocess: Preprocess,
}

/// The graph of `architecture` with these arrays (of one type), from `x` to `logits`.
pub fn build(
    architecture: &Architecture,
    arrays: &[(Parameter, Floats)],
    precision: Format,
    raw: Option<Raw>,
    numbers: &mut Converter,
) -> Result<Builder, InterchangeError> {
    let mut graph = Builder::new("trained");
    let element = element_type(precision);
    let input = architecture.input;
    let start = match raw {
        None => graph.input("x", element, &[input.channels, input.height, input.width]),
        Some(raw) => prepared(&mut graph, raw, input, element)?,
    };
    let outputs = architecture.output()?.len();
    let mut arrays = arrays.iter();
    let mut layers = Layers { graph: &mut graph, arrays: &mut arrays, precision, numbers };
    let value = Current { name: start, shape: input, image: true };
    let end = layers.sequence(&architecture.layers, value, "")?;
    let end = layers.vector(end, "outputs");
    graph.node("Identity", &[&end.name], "logits");
    graph.output("logits", element, &[outputs]);
    Ok(graph)
}

/// Crop, unit and whitening.
fn prepared(
    graph: &mut Builder,
    raw: Raw,
    input: Shape,
    element: i32,
) -> Result<String, InterchangeError> {
    let Shape { channels, height, width } = raw.shape;
    let side = raw.preprocess.crop;
    let (inner_height, inner_width) = (side.unwrap_or(height), side.unwrap_or(width));
    let fits = inner_height <= height && inner_width <= width;
    if !fits || (Shape { channels, height: inner_height, width: inner_width }) != input {
        return Err(InterchangeError::Unsupported(format!(
            "images of shape {} do not become {input}, which the network takes",
            raw.shape
        )));
    }
    graph.input("x", BYTES, &[channels, height, width]);
    let double = [("to", Value::Int(i64::from(data_type::DOUBLE)))];
    let mut now = graph.node_with("Cast", &["x"], "wide", &double);
    if side.is_some() {
        // The odd row or column is left out below, or on the right.
        let top = (height - inner_height) / 2;
        let left = (width - inner_width) / 2;
        let starts = graph.integers("crop_starts", &[top as i64, left as i64]);
        let ends = [(top + inner_height) as i64, (left + inner_width) as i64];
        let ends = graph.integers("crop_ends", &ends);
        let axes = graph.integers("crop_axes", &[2, 3]);
        now = graph.node("Slice", &[&now, &starts, &ends, &axes], "cropped");
    }
    if raw.preprocess.scale {
        let unit = graph.constant("unit", &[1], &Floats::Double(vec![255.0]));
        now = graph.node("Div", &[&now, &unit], "scaled");
    }
    if raw.preprocess.whiten {
        // (x − mean) / max(deviation, 1/√N), over all N numbers of an image.
        let axes = graph.integers("whole_image", &[1, 2, 3]);
        let floor = (input.len() as f64).sqrt().recip();
        let floor = graph.constant("least_deviation", &[1], &Floats::Double(vec![floor]));
        let mean = graph.node("ReduceMean", &[&now, &axes], "mean");
        let centred = graph.node("Sub", &[&now, &mean], "centred");
        let square = graph.node("Mul", &[&centred, &centred], "square");
        let variance = graph.node("ReduceMean", &[&square, &axes], "variance");
        let deviation = graph.node("Sqrt", &[&variance], "deviation");
        let divisor = graph.node("Max", &[&deviation, &floor], "divisor");
        now = graph.node("Div", &[&centred, &divisor], "whitened");
    }
    let to = [("to", Value::Int(i64::from(element)))];
    Ok(graph.node_with("Cast", &[&now], "prepared", &to))
}

/// A value on its way: an image (batch × channels × height × width) or a vector (batch × channels).
#[derive(Clone)]
struct Current {
    name: String,
    shape: Shape,
    image: bool,
}

struct Layers<'a, 'b> {
    graph: &'a mut Builder,
    arrays: &'a mut std::slice::Iter<'b, (Parameter, Floats)>,
    precision: Format,
    /// Counts what the format has no room for.
    numbers: &'a mut Converter,
}

impl Layers<'_, '_> {
    fn sequence(
        &mut self,
        layers: &[Layer],
        mut now: Current,
        path: &str,
    ) -> Result<Current, InterchangeError> {
        for (index, layer) in layers.iter().enumerate() {
            let path = if path.is_empty() { index.to_string() } else { format!("{path}.{index}") };
            now = self.layer(layer, now, &path)?;
        }
        Ok(now)
    }

    /// The next array, as a constant under PyTorch's name.
    fn array(&mut self) -> Result<String, InterchangeError> {
        let missing = || InterchangeError::Malformed("arrays are missing".to_owned());
        let (parameter, numbers) = self.arrays.next().ok_or_else(missing)?;
        Ok(self.graph.constant(&parameter.name, &parameter.shape, numbers))
    }

    fn layer(
        &mut self,
        layer: &Layer,
        now: Current,
        path: &str,
    ) -> Result<Current, InterchangeError> {
        let after = shape::after(layer, now.shape, path)?;
        let output = |kind: &str| format!("{path}.{kind}");
        let to = |name: String, image: bool| Ok(Current { name, shape: after, image });
        match layer {
            Layer::Dense { .. } => {
                let now = self.vector(now, path);
                let (weight, bias) = (self.array()?, self.array()?);
                let transposed = [("transB", Value::Int(1))];
                let inputs = [now.name.as_str(), &weight, &bias];
                to(self.graph.node_with("Gemm", &inputs, &output("dense"), &transposed), false)
            }
            Layer::Convolution { window, .. } => {
                let now = self.image(now, path);
                let (weight, bias) = (self.array()?, self.array()?);
                let inputs = [now.name.as_str(), &weight, &bias];
                to(self.graph.node_with("Conv", &inputs, &output("conv"), &sides(window)), true)
            }
            Layer::Relu => to(self.graph.node("Relu", &[&now.name], &output("relu")), now.image),
            Layer::Pool { pool, window } => {
                let now = self.image(now, path);
                let mut attributes = sides(window).to_vec();
                let operator = match pool {
                    Pool::Max => "MaxPool",
                    Pool::Mean => {
                        attributes.push(("count_include_pad", Value::Int(1)));
                        "AveragePool"
                    }
                };
                let node =
                    self.graph.node_with(operator, &[&now.name], &output("pool"), &attributes);
                to(node, true)
            }
            Layer::GlobalMeanPool => {
                let now = self.image(now, path);
                to(self.graph.node("GlobalAveragePool", &[&now.name], &output("pool")), true)
            }
            Layer::Flatten => Ok(Current { shape: after, ..self.flattened(now, &output("flat")) }),
            Layer::BatchNormalization { epsilon } => {
                let arrays = [self.array()?, self.array()?, self.array()?, self.array()?];
                let [scale, shift, mean, variance] = &arrays;
                let inputs = [now.name.as_str(), scale, shift, mean, variance];
                // An attribute of binary32, which rounds that of a network in binary64. The trainer's
                // own is the same number in a network of binary32.
                let epsilon = match self.precision {
                    Format::F32 if *epsilon == EPSILON => *epsilon as f32,
                    _ => self.numbers.attribute(&format!("epsilon of {path}"), *epsilon)?,
                };
                let epsilon = [("epsilon", Value::Float(epsilon))];
                let name = output("batchnorm");
                let node = self.graph.node_with("BatchNormalization", &inputs, &name, &epsilon);
                to(node, now.image)
            }
            Layer::LocalResponseNormalization { size, alpha, beta, k } => {
                let now = self.image(now, path);
                let constants = (*size, *alpha, *beta, *k);
                to(self.response(&now, constants, path)?, true)
            }
            Layer::Dropout { .. } => Ok(now),
            Layer::Concatenate(branches) => {
                let mut ends = Vec::new();
                for (index, branch) in branches.iter().enumerate() {
                    let path = format!("{path}.{index}");
                    let end = self.sequence(branch, now.clone(), &path)?;
                    ends.push(self.image(end, &path));
                }
                let names: Vec<&str> = ends.iter().map(|end| end.name.as_str()).collect();
                let axis = [("axis", Value::Int(1))];
                to(self.graph.node_with("Concat", &names, &output("concat"), &axis), true)
            }
        }
    }

    /// x / (k + alpha/size · Σ x²)^beta.
    fn response(
        &mut self,
        now: &Current,
        (size, alpha, beta, k): (usize, f64, f64, f64),
        path: &str,
    ) -> Result<String, InterchangeError> {
        let x = now.name.as_str();
        let output = format!("{path}.lrn");
        let channels = now.shape.channels;
        let banded = size % 2 == 0 || self.precision == Format::F64;
        if size > MOST_SIZE || (banded && channels > MOST_BANDED) {
            return Err(InterchangeError::Unsupported(format!(
                "lrn({size}) of {channels} channels is too large for ONNX: a size of {MOST_SIZE} is the most, and \
                 {MOST_BANDED} channels where it is even or in f64"
            )));
        }
        if !banded {
            let attributes = [
                ("size", Value::Int(size as i64)),
                ("alpha", Value::Float(alpha as f32)),
                ("beta", Value::Float(beta as f32)),
                ("bias", Value::Float(k as f32)),
            ];
            return Ok(self.graph.node_with("LRN", &[x], &output, &attributes));
        }
        let numbers = |values: Vec<f64>| match self.precision {
            Format::F64 => Floats::Double(values),
            _ => Floats::Single(values.iter().map(|&x| x as f32).collect()),
        };
        // Channel o sums over channels o − size/2, …, o − size/2 + size − 1.
        let near = |o: usize, i: usize| i + size / 2 >= o && i + size / 2 < o + size;
        let weight = |at: usize| {
            if near(at / channels, at % channels) { alpha / size as f64 } else { 0.0 }
        };
        let band = numbers((0..channels * channels).map(weight).collect());
        let (offset, power) = (numbers(vec![k; channels]), numbers(vec![beta]));
        let band =
            self.graph.constant(&format!("{output}_band"), &[channels, channels, 1, 1], &band);
        let offset = self.graph.constant(&format!("{output}_k"), &[channels], &offset);
        let power = self.graph.constant(&format!("{output}_beta"), &[1], &power);
        let square = self.graph.node("Mul", &[x, x], &format!("{output}_square"));
        let sum = self.graph.node("Conv", &[&square, &band, &offset], &format!("{output}_sum"));
        let divisor = self.graph.node("Pow", &[&sum, &power], &format!("{output}_divisor"));
        Ok(self.graph.node("Div", &[x, &divisor], &output))
    }

    fn flattened(&mut self, now: Current, output: &str) -> Current {
        if !now.image {
            return now;
        }
        let name =
            self.graph.node_with("Flatten", &[&now.name], output, &[("axis", Value::Int(1))]);
        Current { name, shape: Shape::vector(now.shape.len()), image: false }
    }

    fn vector(&mut self, now: Current, path: &str) -> Current {
        self.flattened(now, &format!("{path}.flat"))
    }

    fn image(&mut self, now: Current, path: &str) -> Current {
        if now.image {
            return now;
        }
        let channels = now.shape.channels as i64;
        let sides = self.graph.integers(&format!("{path}.sides"), &[0, channels, 1, 1]);
        let name = self.graph.node("Reshape", &[&now.name, &sides], &format!("{path}.image"));
        Current { name, image: true, ..now }
    }
}

/// Kernel, strides and padding of a window.
fn sides(window: &Window) -> [(&'static str, Value); 3] {
    let both = |side: usize, times: usize| Value::Ints(vec![side as i64; times]);
    [
        ("kernel_shape", both(window.size, 2)),
        ("strides", both(window.stride, 2)),
        ("pads", both(window.padding, 4)),
    ]
}
